/* Feeds digest 5.8: tables and lists; 2.4 ids, 2.6 ends, 2.7 markings, labels, confidence. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect.h"
#include "feeds/csv.h"
#include "feeds/exclude.h"
#include "stix/base/time.h"
#include "tests/support/tap.h"

/* Every fixture, with exact counts. */
static void test_counts(void)
{
    static const struct {
        const char *format;
        const char *file;
        size_t records, excluded, indicators, malware, relationships;
    } rows[] = {
        {"urlhaus", "urlhaus/five.csv", 5, 1, 3, 0, 0},
        {"urlhaus", "urlhaus/answer.json", 1, 0, 1, 0, 0},
        {"threatfox", "threatfox/rows.csv", 5, 0, 5, 2, 4},
        {"feodo", "feodo/four.json", 4, 1, 3, 2, 3},
        {"feodo", "feodo/two.csv", 2, 0, 2, 1, 2},
        {"sslbl", "sslbl/two.csv", 2, 0, 2, 0, 0},
        {"spamhaus", "spamhaus/drop.txt", 3, 0, 3, 0, 0},
        {"spamhaus", "spamhaus/drop.jsonl", 2, 0, 2, 0, 0},
        {"dshield", "dshield/block.txt", 2, 0, 2, 0, 0},
        {"openphish", "openphish/feed.txt", 2, 0, 2, 0, 0},
        {"list", "list/mixed.txt", 10, 1, 8, 0, 0},
        {"list", "list/hosts.txt", 5, 1, 3, 0, 0},
        {"list", "list/lines.jsonl", 2, 0, 2, 0, 0},
        {"list", "list/hashes.txt", 9, 0, 9, 0, 0},
        {"csv", "csv/header.csv", 2, 0, 2, 0, 0},
        {"zeek-intel", "zeek/intel.dat", 5, 0, 5, 0, 0},
        {"zeek-intel", "zeek/escapes.dat", 5, 2, 3, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct collected c;
        struct isg_fail why = {.code = ISG_OK};
        is_int(collect_fixture(rows[i].format, rows[i].file, &c, &why), ISG_OK, "%s: %s",
               rows[i].file, why.text);
        is_int((long long)c.records, (long long)rows[i].records, "records of %s", rows[i].file);
        is_int((long long)c.excluded, (long long)rows[i].excluded, "excluded of %s", rows[i].file);
        is_int((long long)c.rejected, 0, "none rejected");
        is_int((long long)collect_count(&c, "indicator"), (long long)rows[i].indicators,
               "indicators of %s", rows[i].file);
        is_int((long long)collect_count(&c, "malware"), (long long)rows[i].malware, "malware of %s",
               rows[i].file);
        is_int((long long)collect_count(&c, "relationship"), (long long)rows[i].relationships,
               "relationships of %s", rows[i].file);
        is_int((long long)c.facets, (long long)rows[i].malware, "families are merged objects");
        is_int((long long)c.invalid, 0, "all valid: %s %s", c.first.text, c.first_object);
        collect_done(&c);
    }
}

/* What stands in the objects of a fixture, as it is written. */
static void test_content(void)
{
    static const struct {
        const char *format;
        const char *file;
        const char *text;
    } rows[] = {
        /* a pattern escapes \ and ', JSON escapes the pattern (3.3) */
        {"urlhaus", "urlhaus/five.csv",
         "\"pattern\":\"[url:value = 'http://bad.example/a\\\\'b\\\\\\\\c.bin']\""},
        {"urlhaus", "urlhaus/five.csv",
         "\"pattern\":\"[url:value = 'http://198.51.100.7:8080/x?q=\\\"1\\\", 2']\""},
        {"urlhaus", "urlhaus/five.csv", "\"confidence\":80"},
        {"urlhaus", "urlhaus/five.csv",
         "\"labels\":[\"urlhaus:elf\",\"urlhaus:malware_download\",\"urlhaus:mozi\"]"},
        {"urlhaus", "urlhaus/five.csv",
         "\"external_references\":[{\"source_name\":\"URLhaus\",\"description\":"
         "\"https://urlhaus.example/url/900001/\",\"external_id\":\"900001\"}]"},
        /* 30 days from last online; offline: 2 days (2.6) */
        {"urlhaus", "urlhaus/five.csv", "\"valid_until\":\"2031-06-02T10:11:12.000Z\""},
        {"urlhaus", "urlhaus/five.csv", "\"valid_until\":\"2031-05-04T11:00:00.000Z\""},
        {"urlhaus", "urlhaus/answer.json", "urlhaus:mozi  again"},
        {"threatfox", "threatfox/rows.csv",
         "network-traffic:dst_ref.value = '2001:db8:1::5' AND network-traffic:dst_port = 40669]"},
        /* 75 less 20, and a label (3.2) */
        {"threatfox", "threatfox/rows.csv", "\"confidence\":55,\"labels\":[\"ambiguous\""},
        {"threatfox", "threatfox/rows.csv", "\"confidence\":0"},
        {"threatfox", "threatfox/rows.csv", "\"indicator_types\":[\"compromised\"]"},
        {"threatfox", "threatfox/rows.csv", "\"valid_until\":\"2031-02-15T16:03:54.000Z\""},
        {"threatfox", "threatfox/rows.csv",
         "\"name\":\"ExampleBot\",\"is_family\":true,\"aliases\":[\"Botlet\",\"ExBot\"]"},
        {"threatfox", "threatfox/rows.csv", "\"external_id\":\"win.examplebot\""},
        {"threatfox", "threatfox/rows.csv", "\"description\":\"https://pages.example/hosts/1\""},
        {"feodo", "feodo/four.json", "\"name\":\"198.51.100.7:443\""},
        {"feodo", "feodo/four.json", "\"valid_until\":\"2031-03-17T00:00:00.000Z\""},
        {"feodo", "feodo/four.json", "\"valid_from\":\"2031-02-15T00:00:00.000Z\""},
        {"feodo", "feodo/two.csv", "\"name\":\"[2001:db8::7]:443\""},
        {"sslbl", "sslbl/two.csv",
         "[x509-certificate:hashes.'SHA-1' = '89abcdef0123456789abcdef0123456789abcdef']"},
        {"sslbl", "sslbl/two.csv",
         "https://sslbl.abuse.ch/ssl-certificates/sha1/89abcdef0123456789abcdef0123456789abcdef"},
        {"spamhaus", "spamhaus/drop.txt", "[ipv4-addr:value ISSUBSET '203.0.113.0/24']"},
        {"spamhaus", "spamhaus/drop.txt", "Bits behind the prefix were cleared."},
        {"spamhaus", "spamhaus/drop.txt", "\"external_id\":\"SBL900003\""},
        {"dshield", "dshield/block.txt", "[ipv4-addr:value ISSUBSET '198.51.100.0/24']"},
        {"openphish", "openphish/feed.txt", "'https://worse.example/login?next=#top'"},
        {"list", "list/mixed.txt",
         "Written b\xc3\xbc"
         "cher.example."},
        {"list", "list/mixed.txt", "'xn--bcher-kva.example'"},
        {"list", "list/mixed.txt", "\"labels\":[\"wildcard\"]"},
        {"list", "list/mixed.txt", "\"confidence\":60"},
        /* no marking in the source is AMBER, not CLEAR (2.7) */
        {"list", "list/mixed.txt", "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"},
        {"feodo", "feodo/two.csv", "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"},
        {"list", "list/hosts.txt", "'worst.example'"},
        {"csv", "csv/header.csv", "\"confidence\":40,\"labels\":[\"csv:scan\",\"csv:ssh\"]"},
        {"zeek-intel", "zeek/intel.dat", "'http://bad.example/a?b=\\\\'1\\\\'']"},
        {"zeek-intel", "zeek/intel.dat", "\"labels\":[\"zeek-intel:pump beacon\"]"},
        {"zeek-intel", "zeek/escapes.dat", "from_ref.value = '#x@bad.example']"},
        {"zeek-intel", "zeek/escapes.dat", "'http://bad.example/a\\\\\\\\b']"},
        {"zeek-intel", "zeek/escapes.dat", "\"labels\":[\"zeek-intel:\\\"pump\\\" beacon\"]"},
        {"csv", "csv/header.csv", "'http://bad.example/a?b=1,2'"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct collected c;
        struct isg_fail why = {.code = ISG_OK};
        (void)collect_fixture(rows[i].format, rows[i].file, &c, &why);
        ok(c.lines.p != NULL && strstr(c.lines.p, rows[i].text) != NULL, "%s says %s", rows[i].file,
           rows[i].text);
        collect_done(&c);
    }
}

/* A hash has no end (2.6). */
static void test_no_end(void)
{
    struct collected c;
    struct isg_fail why = {.code = ISG_OK};
    (void)collect_fixture("list", "list/hashes.txt", &c, &why);
    ok(c.lines.p != NULL && strstr(c.lines.p, "valid_until") == NULL, "hashes have no end");
    collect_done(&c);
}

/* Digest 2.6: where the source says nothing of times, its value stands from today, as long as its kind does. */
static void test_lifetimes(void)
{
    static const char *const rows[][2] = {
        {"http://bad.example/a", "30"}, {"198.51.100.7", "30"},  {"198.51.100.7:443", "30"},
        {"bad.example", "90"},          {"x@bad.example", "90"}, {"198.51.100.0/24", "7"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct collected c;
        struct isg_fail why = {.code = ISG_OK};
        char begin[ISG_TIME_TEXT], end[ISG_TIME_TEXT], wanted[160];
        int64_t day = 1700000000000000 / 86400000000 * 86400000000;
        isg_time_format(day, 3, begin);
        isg_time_format(day + strtol(rows[i][1], NULL, 10) * 86400000000, 3, end);
        (void)snprintf(wanted, sizeof wanted, "\"valid_from\":\"%s\",\"valid_until\":\"%s\"", begin,
                       end);
        is_int(collect_text("list", isg_str_of(rows[i][0]), &c, &why), ISG_OK, "%s", why.text);
        ok(c.lines.p != NULL && strstr(c.lines.p, wanted) != NULL, "%s: %s", rows[i][0], wanted);
        collect_done(&c);
    }
}

/* Digest 7.1: twice, and in another order, the same bytes. */
static void test_same(void)
{
    static const struct {
        const char *format;
        const char *a;
        const char *b;
    } rows[] = {
        {"urlhaus", "urlhaus/five.csv", "urlhaus/five.csv"},
        {"urlhaus", "urlhaus/five.csv", "urlhaus/shuffled.csv"},
        {"threatfox", "threatfox/rows.csv", "threatfox/rows.csv"},
        {"list", "list/mixed.txt", "list/mixed.txt"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct collected a, b;
        struct isg_fail why = {.code = ISG_OK};
        (void)collect_fixture(rows[i].format, rows[i].a, &a, &why);
        (void)collect_fixture(rows[i].format, rows[i].b, &b, &why);
        ok(a.lines.len > 0 && isg_str_eq(isg_buf_str(&a.lines), isg_buf_str(&b.lines)),
           "%s and %s: the same bytes", rows[i].a, rows[i].b);
        collect_done(&a);
        collect_done(&b);
    }
}

/* Whole or nothing. */
static void test_refused(void)
{
    static const struct {
        const char *format;
        const char *file;
        int code;
    } rows[] = {
        {"urlhaus", "urlhaus/inserted-column.csv", ISG_EINVAL}, /* digest 7.12 */
        {"urlhaus", "urlhaus/cut-short.csv", ISG_EPARSE},
        {"urlhaus", "threatfox/rows.csv", ISG_EINVAL},
        {"urlhaus", "kev/page.html", ISG_EPARSE},
        {"threatfox", "urlhaus/five.csv", ISG_EINVAL},
        {"threatfox", "kev/three.json", ISG_EINVAL},
        {"feodo", "list/mixed.txt", ISG_EINVAL},
        {"dshield", "dshield/disagree.txt", ISG_EINVAL},
        {"list", "list/half-bad.txt", ISG_EINVAL}, /* more than 2 % */
        {"list", "kev/page.html", ISG_EPARSE},
        {"csv", "csv/no-header.csv", ISG_EINVAL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct collected c;
        struct isg_fail why = {.code = ISG_OK};
        is_int(collect_fixture(rows[i].format, rows[i].file, &c, &why), rows[i].code,
               "%s as %s: %s", rows[i].file, rows[i].format, why.text);
        is_int((long long)c.objects, 0, "%s hands out nothing", rows[i].file);
        collect_done(&c);
    }
}

/* Small texts for what fixtures say badly. */
static void test_texts(void)
{
    static const struct {
        const char *format;
        const char *text;
        int code;
        size_t indicators;
        size_t rejected;
    } rows[] = {
        {"list",
         "\xef\xbb\xbf"
         "bad.example\r\n",
         ISG_OK, 1, 0},
        {"list", "bad.example", ISG_OK, 1, 0},
        {"list", "bad.example\rworse.example\r", ISG_OK, 2, 0},
        /* a hosts file: the address in front says nothing, names without a dot are its machine's */
        {"list",
         "127.0.0.1 localhost local\n255.255.255.255\tbroadcasthost\nfe80::1%lo0 localhost\n"
         "0.0.0.0 0.0.0.0\n10.9.9.9 bad.example worse.example # both\n",
         ISG_OK, 2, 0},
        /* an address with something behind it is not a name's */
        {"list", "203.0.113.5\t7\n", ISG_EINVAL, 0, 1},
        {"list", "203.0.113.5 mail.hospital.example\n", ISG_EINVAL, 0, 1},
        {"list", "203.0.113.5 198.51.100.9\n", ISG_EINVAL, 0, 1},
        {"list", "2001:db8::5 scanner\n", ISG_EINVAL, 0, 1},
        {"csv", "value,type\rbad.example,domain\rworse.example,domain", ISG_OK, 2, 0},
        {"list", "# nothing\n", ISG_OK, 0, 0},
        {"list", "[2001:db8::1]\n", ISG_OK, 1, 0},
        {"list", "CVE-2031-0001\n", ISG_EINVAL, 0, 1},
        {"feodo",
         "\"2031-01-17 07:44:46\",\"198.51.100.7\",\"443\",\"online\",\"2031-02-15\",\"x\"", ISG_OK,
         1, 0},
        /* the end is before the beginning: left out with a count (2.6) */
        {"feodo",
         "\"2031-01-17 07:44:46\",\"198.51.100.7\",\"443\",\"online\",\"2030-02-15\",\"x\"", ISG_OK,
         0, 0},
        {"feodo",
         "\"2031-01-17 07:44\",\"198.51.100.7\",\"443\",\"online\",\"2031-02-15\",\"a\"\"\nb\"",
         ISG_OK, 1, 0},
        /* a time that cannot be read is none that may be made up */
        {"feodo", "\"17.01.2031\",\"198.51.100.7\",\"443\",\"online\",\"2031-02-15\",\"x\"",
         ISG_EINVAL, 0, 1},
        {"csv", "value,type\nbad.example,planet\n", ISG_EINVAL, 0, 1},
        {"csv", "value,valid_from,valid_until\nbad.example,2031-01-17,2031-01-17\n", ISG_OK, 0, 0},
        {"feodo", "[]", ISG_OK, 0, 0},
        /* a record's key that is no UTF-8 does no harm to its indicator (S-004) */
        {"urlhaus",
         "\"9\xff\",\"2031-05-02 10:11:12\",\"http://bad.example/a\",\"online\",\"\",\"x\",\"\","
         "\"https://urlhaus.example/9/\",\"r\"",
         ISG_OK, 1, 0},
        {"spamhaus", "203.0.113.0/24 ; S\xff\x42L1\n", ISG_OK, 1, 0},
        /* nor a noncharacter, which is no value either */
        {"spamhaus", "203.0.113.0/24 ; S\xef\xbf\xbf\x42L1\n", ISG_OK, 1, 0},
        {"list", "http://bad.example/\xef\xbf\xbe\n", ISG_EINVAL, 0, 1},
        {"feodo", "[7]", ISG_EINVAL, 0, 0},
        {"feodo", "{\"query_status\":\"no_auth\"}", ISG_EINVAL, 0, 0},
        {"feodo", "{\"ip_address\":\"198.51.100.7\"", ISG_EPARSE, 0, 0},
        {"feodo", "a,b\"c,d\n", ISG_EINVAL, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct collected c;
        struct isg_fail why = {.code = ISG_OK};
        is_int(collect_text(rows[i].format, isg_str_of(rows[i].text), &c, &why), rows[i].code,
               "%s: %s", rows[i].text, why.text);
        is_int((long long)collect_count(&c, "indicator"), (long long)rows[i].indicators,
               "indicators");
        is_int((long long)c.rejected, (long long)rows[i].rejected, "rejected");
        is_int((long long)c.invalid, 0, "all valid: %s", c.first.text);
        collect_done(&c);
    }
}

static int count_objects(void *arg, struct isg_str object, const char *facet, struct isg_fail *why)
{
    struct isg_buf *lines = arg;
    (void)facet;
    (void)why;
    isg_buf_put_str(lines, object);
    isg_buf_putc(lines, '\n');
    return lines->err;
}

/* A member's own columns, by name and with a semicolon, and a warning list. */
static void test_own_columns(void)
{
    static const struct csv_profile own = {
        .slug = "example-clinic",
        .delimiter = ';',
        .marking = STIX_TLP_GREEN,
        .confidence = 70,
        .column = {{CSV_VALUE, "What", 0}, {CSV_TYPE, "Kind", 0}, {CSV_TAGS, "Notes", 0}},
    };
    struct exclude_lists *lists = exclude_new(true);
    struct exclude_tally tally = {0};
    struct isg_buf lines;
    struct isg_fail why = {.code = ISG_OK};
    isg_buf_init(&lines, ISG_BUF_NO_MAX);
    is_int(exclude_add(lists,
                       ISG_STR("{\"name\":\"Resolvers\",\"type\":\"cidr\",\"list\":"
                               "[\"203.0.113.8\"]}"),
                       EXCLUDE_WARN, &why),
           ISG_OK, "a list");
    struct feed_context context = {.now_us = 1700000000000000,
                                   .owner = ISG_STR("Example ISAO"),
                                   .emit = count_objects,
                                   .arg = &lines,
                                   .profile = &own,
                                   .exclude = lists,
                                   .tally = &tally};
    feed_namespace(ISG_STR(COLLECT_URN), context.space);
    int err =
        feed_map(feed_source_find(ISG_STR("list")), &context,
                 ISG_STR("Nr;Kind;What;Notes\n1;ip;203.0.113.8;dns\n2;fqdn;bad.example;\n"), &why);
    is_int(err, ISG_OK, "own columns: %s", why.text);
    ok(lines.p != NULL && strstr(lines.p, "\"confidence\":20,\"labels\":[\"example-clinic:dns\","
                                          "\"warning:resolvers\"]") != NULL,
       "a warning costs confidence and is told");
    ok(lines.p != NULL && strstr(lines.p, "marking-definition--bab4a63c") != NULL, "GREEN");
    is_int((long long)tally.warned, 1, "counted");
    is_int((long long)tally.passed, 1, "counted");
    isg_buf_done(&lines);
    exclude_free(&lists);
}

int main(void)
{
    test_counts();
    test_content();
    test_no_end();
    test_lifetimes();
    test_same();
    test_refused();
    test_texts();
    test_own_columns();
    return tap_done();
}
