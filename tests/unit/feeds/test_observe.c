/* Feeds digest 5.14: what sensors saw, and what of it may leave the house. */
#include <stdlib.h>
#include <string.h>

#include "collect.h"
#include "tests/support/tap.h"

static void test_counts(void)
{
    static const struct {
        const char *format;
        const char *file;
        size_t records, excluded, rejected, observed, traffic, domains, files;
    } rows[] = {
        {"suricata", "suricata/eve.jsonl", 9, 4, 1, 3, 2, 1, 0},
        {"suricata", "suricata/list.json", 8, 4, 0, 3, 2, 1, 0},
        {"zeek", "zeek/two-logs.log", 7, 2, 1, 3, 0, 1, 1},
        {"zeek", "zeek/lines.json", 3, 1, 0, 2, 2, 1, 0},
        {"shadowserver", "shadowserver/scan.json", 4, 0, 1, 2, 1, 1, 0},
        {"shadowserver", "shadowserver/scan.csv", 1, 0, 0, 1, 1, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct collected c;
        struct isg_fail why = {.code = ISG_OK};
        is_int(collect_fixture(rows[i].format, rows[i].file, &c, &why), ISG_OK, "%s: %s",
               rows[i].file, why.text);
        is_int((long long)c.records, (long long)rows[i].records, "records");
        is_int((long long)c.excluded, (long long)rows[i].excluded, "left out");
        is_int((long long)c.rejected, (long long)rows[i].rejected, "not read");
        is_int((long long)collect_count(&c, "observed-data"), (long long)rows[i].observed,
               "observations");
        is_int((long long)collect_count(&c, "network-traffic"), (long long)rows[i].traffic,
               "traffic");
        is_int((long long)collect_count(&c, "domain-name"), (long long)rows[i].domains, "domains");
        is_int((long long)collect_count(&c, "file"), (long long)rows[i].files, "files");
        is_int((long long)collect_count(&c, "indicator"), 0, "an alert makes no indicator");
        is_int((long long)c.invalid, 0, "all valid: %s %s", c.first.text, c.first_object);
        collect_done(&c);
    }
}

/* Digest 7.11: nothing planted, no address and no name of the house is in any byte that leaves. */
static void test_nothing_leaks(void)
{
    static const char *const files[][2] = {{"suricata", "suricata/eve.jsonl"},
                                           {"suricata", "suricata/list.json"},
                                           {"zeek", "zeek/two-logs.log"},
                                           {"zeek", "zeek/lines.json"}};
    static const char *const secrets[] = {"PATIENT", "patient", "192.168.", "10.18.", "intranet"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct collected c;
        struct isg_fail why = {.code = ISG_OK};
        (void)collect_fixture(files[i][0], files[i][1], &c, &why);
        for (size_t k = 0; k < sizeof secrets / sizeof secrets[0]; k++)
            ok(c.lines.p != NULL && strstr(c.lines.p, secrets[k]) == NULL, "%s: no %s", files[i][1],
               secrets[k]);
        collect_done(&c);
    }
}

static void test_content(void)
{
    static const char *const rows[][3] = {
        {"suricata", "suricata/eve.jsonl",
         "\"first_observed\":\"2031-03-29T17:01:38.221Z\",\"last_observed\":\"2031-03-29T17:05:38."
         "221Z\",\"number_observed\":2"},
        {"suricata", "suricata/eve.jsonl", "\"created\":\"2031-03-29T17:00:00.000Z\""},
        {"suricata", "suricata/eve.jsonl",
         "\"description\":\"EXAMPLE beacon of a bot\",\"external_id\":\"1:900001:2\""},
        {"suricata", "suricata/eve.jsonl", "\"dst_port\":22,\"protocols\":[\"ipv4\",\"tcp\"]"},
        {"suricata", "suricata/eve.jsonl", "\"src_ref\":\"ipv4-addr--"},
        {"suricata", "suricata/eve.jsonl", "marking-definition--55d920b0"}, /* AMBER */
        {"zeek", "zeek/lines.json", "\"external_id\":\"SSH::Password_Guessing\""},
        {"zeek", "zeek/lines.json", "\"protocols\":[\"ipv6\",\"tcp\"]"},
        /* a member's own hosts are RED, whatever their addresses */
        {"shadowserver", "shadowserver/scan.json", "marking-definition--e828b379"},
        {"shadowserver", "shadowserver/scan.json", "\"value\":\"10.18.0.7\""},
        {"shadowserver", "shadowserver/scan.json",
         "\"number_observed\":2,\"object_refs\":[\"domain-name--"},
        {"shadowserver", "shadowserver/scan.json",
         "\"labels\":[\"shadowserver:iot\",\"shadowserver:severity-high\",\"shadowserver:vnc\"]"},
        {"shadowserver", "shadowserver/scan.json", "shadowserver:reason-not-specified"},
        {"shadowserver", "shadowserver/scan.csv", "\"dst_port\":104,\"dst_ref\":\"ipv6-addr--"},
        {"zeek", "zeek/two-logs.log", "\"hashes\":{\"MD5\":\"0123456789abcdef0123456789abcdef\"}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct collected c;
        struct isg_fail why = {.code = ISG_OK};
        (void)collect_fixture(rows[i][0], rows[i][1], &c, &why);
        ok(c.lines.p != NULL && strstr(c.lines.p, rows[i][2]) != NULL, "%s says %s", rows[i][1],
           rows[i][2]);
        collect_done(&c);
    }
}

/* One line each of what sensors write in more than one way (digest 5.14). */
static void test_forms(void)
{
#define EVE(more)                                                                                    \
    "{\"timestamp\":\"2031-03-29T17:01:38.221Z\",\"event_type\":\"alert\",\"src_ip\":\"10.18.0.7\"," \
    "\"dest_ip\":\"5.5.5.5\",\"dest_port\":53,\"alert\":{\"signature_id\":7}," more "}\n"
#define LOG(fields, row) "#fields\tts\tid.orig_h\tid.resp_h\t" fields "\n1900000000.5\t" row "\n"
    static const struct {
        const char *format, *text, *says, *not ;
    } rows[] = {
        {"suricata", EVE("\"proto\":\"132\""), "\"protocols\":[\"ipv4\",\"sctp\"]", "132"},
        {"suricata", EVE("\"proto\":\"006\""), "\"protocols\":[\"ipv4\",\"tcp\"]", "006"},
        {"suricata", EVE("\"proto\":\"253\""), "\"type\":\"observed-data\"", "network-traffic"},
        {"suricata", EVE("\"dns\":{\"rrname\":\"one.invented.net\"}"), "one.invented.net", "?"},
        {"suricata", EVE("\"dns\":{\"query\":[{\"rrname\":\"two.invented.net\"}]}"),
         "two.invented.net", "?"},
        {"suricata", EVE("\"dns\":{\"queries\":[{\"rrname\":\"three.invented.net\"}]}"),
         "three.invented.net", "?"},
        {"zeek", LOG("host", "10.18.0.7\t5.5.5.5\tfour\\x2einvented.net"), "\"four.invented.net\"",
         "x2e"},
        {"zeek",
         LOG("seen.indicator\tseen.indicator_type",
             "10.18.0.7\t5.5.5.5\tfive.invented.net\tIntel::DOMAIN"),
         "\"five.invented.net\"", "?"},
        {"zeek",
         LOG("seen.indicator\tseen.indicator_type",
             "10.18.0.7\t5.5.5.5\tsix.invented.net/PATIENT\tIntel::URL"),
         "\"six.invented.net\"", "PATIENT"},
        {"zeek",
         LOG("seen.indicator\tseen.indicator_type",
             "10.18.0.7\t5.5.5.5\t0123456789abcdef0123456789abcdef\tIntel::FILE_HASH"),
         "\"MD5\":\"0123456789abcdef0123456789abcdef\"", "?"},
        {"zeek",
         LOG("seen.indicator\tseen.indicator_type",
             "10.18.0.7\t5.5.5.5\tPATIENT\tIntel::USER_NAME"),
         "observed-data", "PATIENT"},
        {"zeek", LOG("note\tsrc\tdst", "-\t-\tScan::Port_Scan\t5.5.5.5\t10.18.0.7"),
         "\"external_id\":\"Scan::Port_Scan\"", "10.18"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct collected c;
        struct isg_fail why = {.code = ISG_OK};
        is_int(collect_text(rows[i].format, isg_str_of(rows[i].text), &c, &why), ISG_OK, "%s",
               why.text);
        is_int((long long)c.invalid, 0, "valid: %s", c.first.text);
        ok(c.lines.p != NULL && strstr(c.lines.p, rows[i].says) != NULL, "says %s", rows[i].says);
        ok(c.lines.p != NULL && strstr(c.lines.p, rows[i].not ) == NULL, "and not %s",
           rows[i].not );
        collect_done(&c);
    }
#undef EVE
#undef LOG
}

static void test_same_and_refused(void)
{
    struct collected a, b;
    struct isg_fail why = {.code = ISG_OK};
    (void)collect_fixture("suricata", "suricata/eve.jsonl", &a, &why);
    (void)collect_fixture("suricata", "suricata/shuffled.jsonl", &b, &why);
    ok(a.objects > 0 && isg_str_eq(isg_buf_str(&a.lines), isg_buf_str(&b.lines)),
       "in any order the same bytes");
    collect_done(&a);
    collect_done(&b);
    static const char *const rows[][2] = {{"suricata", "suricata/other.jsonl"},
                                          {"suricata", "zeek/two-logs.log"},
                                          {"zeek", "zeek/other.log"},
                                          {"zeek", "suricata/eve.jsonl"},
                                          {"zeek", "kev/page.html"},
                                          {"shadowserver", "kev/page.html"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        is_int(collect_fixture(rows[i][0], rows[i][1], &a, &why), ISG_EPARSE, "%s as %s: %s",
               rows[i][1], rows[i][0], why.text);
        is_int((long long)a.objects, 0, "nothing is handed out");
        collect_done(&a);
    }
}

/* Nothing of a report on a member's own hosts is marked for others, and no banner is in it. */
static void test_to_member(void)
{
    struct collected c;
    struct isg_fail why = {.code = ISG_OK};
    (void)collect_fixture("shadowserver", "shadowserver/scan.json", &c, &why);
    struct isg_str rest = isg_buf_str(&c.lines);
    struct isg_str line;
    while (isg_str_split(&rest, '\n', &line)) {
        char *text = strndup(line.p, line.n);
        bool about = text != NULL && line.n > 0 && strstr(text, "\"type\":\"identity\"") == NULL;
        ok(!about || strstr(text, "marking-definition--e828b379") != NULL, "RED");
        free(text);
    }
    ok(strstr(c.lines.p, "PATIENT") == NULL, "no banner");
    collect_done(&c);
    is_int(collect_fixture("shadowserver", "shadowserver/list.json", &c, &why), ISG_EINVAL,
           "a list of reports is no report: %s", why.text);
    collect_done(&c);
}

int main(void)
{
    test_counts();
    test_nothing_leaks();
    test_content();
    test_forms();
    test_same_and_refused();
    test_to_member();
    return tap_done();
}
