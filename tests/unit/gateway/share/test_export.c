/* Which indicators become rows, and how a row looks in each format. */
#include <stdio.h>
#include <string.h>

#include "gateway/share/export.h"
#include "stix/base/jsonw.h"
#include "tests/support/exports.h"
#include "tests/support/tap.h"

/* ---- which ones ---- */

static const struct {
    const char *pattern;
    const char *line; /* in a list of all values; NULL: none */
    enum export_reason reason;
} patterns[] = {
    {"[ipv4-addr:value = '198.51.100.7']", "198.51.100.7", EXPORT_KEPT},
    {"[ipv4-addr:value ISSUBSET '198.51.100.0/24']", "198.51.100.0/24", EXPORT_KEPT},
    {"[ipv4-addr:value ISSUBSET '198.51.100.7/32']", "198.51.100.7", EXPORT_KEPT},
    {"[ipv6-addr:value = '2001:DB8:0::5']", "2001:db8::5", EXPORT_KEPT},
    {"[domain-name:value = 'Bad.Example.']", "bad.example", EXPORT_KEPT},
    {"[domain-name:value IN ('a.example', 'b.example')]", "a.example\nb.example", EXPORT_KEPT},
    {"[domain-name:value = 'a.example' OR ipv4-addr:value = '198.51.100.7']",
     "a.example\n198.51.100.7", EXPORT_KEPT},
    {"[domain-name:value = 'a.example'] OR ([domain-name:value = 'b.example'])",
     "a.example\nb.example", EXPORT_KEPT},
    {"[url:value = 'http://Bad.example:80/A?b=1']", "http://bad.example/A?b=1", EXPORT_KEPT},
    {"[file:hashes.'sha-1' = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA']",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", EXPORT_KEPT},
    {"[email-message:from_ref.value = 'X@bad.example']", "X@bad.example", EXPORT_KEPT},
    {"[network-traffic:dst_ref.value = '198.51.100.7']", "198.51.100.7", EXPORT_KEPT},
    /* another meaning than "this value" */
    {"[ipv4-addr:value != '198.51.100.7']", NULL, EXPORT_NEGATION},
    {"[ipv4-addr:value NOT = '198.51.100.7']", NULL, EXPORT_NEGATION},
    {"[domain-name:value NOT IN ('a.example')]", NULL, EXPORT_NEGATION},
    {"[file:hashes.MD5 = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' AND file:name = 'x']", NULL,
     EXPORT_COMBINATION},
    {"[domain-name:value = 'a.example'] AND [domain-name:value = 'b.example']", NULL,
     EXPORT_COMBINATION},
    {"[domain-name:value = 'a.example'] FOLLOWEDBY [domain-name:value = 'b.example']", NULL,
     EXPORT_SEQUENCE},
    {"[domain-name:value = 'a.example'] REPEATS 5 TIMES", NULL, EXPORT_WINDOW},
    {"([domain-name:value = 'a.example']) WITHIN 60 SECONDS", NULL, EXPORT_WINDOW},
    {"[domain-name:value LIKE '%.example']", NULL, EXPORT_OPERATOR},
    {"[domain-name:value MATCHES '^a']", NULL, EXPORT_OPERATOR},
    {"[ipv4-addr:value ISSUPERSET '198.51.100.0/24']", NULL, EXPORT_OPERATOR},
    {"[network-traffic:dst_ref.value = '198.51.100.7' AND network-traffic:src_port = 1]", NULL,
     EXPORT_COMBINATION},
    {"[process:name = 'x']", NULL, EXPORT_PROPERTY},
    /* what no list should hold */
    {"[ipv4-addr:value = '10.1.2.3']", NULL, EXPORT_EXCLUDED},
    {"[ipv4-addr:value ISSUBSET '192.168.0.0/16']", NULL, EXPORT_EXCLUDED},
    {"[ipv6-addr:value = 'fe80::1']", NULL, EXPORT_EXCLUDED},
    {"[url:value = 'http://127.0.0.1/x']", NULL, EXPORT_EXCLUDED},
    {"[domain-name:value = 'pacs.hospital.local']", NULL, EXPORT_EXCLUDED},
    {"[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']", NULL, EXPORT_EXCLUDED},
    {"[ipv4-addr:value ISSUBSET '0.0.0.0/0']", NULL, EXPORT_VALUE},
    {"[domain-name:value = '*.com']", NULL, EXPORT_VALUE},
    {"[domain-name:value = '*.bad.example']", NULL, EXPORT_VALUE},
    {"[domain-name:value = 'bad[.]example']", NULL, EXPORT_VALUE},
    {"[domain-name:value = 'com']", NULL, EXPORT_VALUE},
    {"[ipv4-addr:value = '010.1.1.1']", NULL, EXPORT_VALUE},
    {"[ipv4-addr:value = 'bad.example']", NULL, EXPORT_VALUE},
    {"[url:value = 'bad.example/x']", NULL, EXPORT_VALUE},
    {"[network-traffic:dst_port = 443]", NULL, EXPORT_PROPERTY},
    {"[url:value = 'http://bad.example/\nalert']", NULL, EXPORT_UNSAFE},
    {"[url:value = 'http://bad.example/\xe2\x80\xa8']", NULL, EXPORT_UNSAFE},
    {"[domain-name:value = 'a.example' OR domain-name:value = 'a.example']", "a.example",
     EXPORT_DUPLICATE},
    {"[domain-name:value = 'a.example'", NULL, EXPORT_UNREADABLE},
};

static void expect(const char *format, const char *type, const char *pattern, const char *more,
                   const char *want, enum export_reason reason)
{
    struct export *run = exports_begin(format, type);
    exports_add(run, isg_str_of(pattern), more);
    ok(export_finish(run, NULL) == ISG_OK, "%s: %s", format, pattern);
    const char *wrong = exports_wrong(export_format_find(format), run);
    ok(wrong == NULL, "its structure%s%s", wrong != NULL ? ": " : "", wrong != NULL ? wrong : "");
    const struct isg_buf *text = export_text(run);
    if (want != NULL)
        is_str(text->p != NULL ? text->p : "", want, "its text");
    is_int((long long)export_counts(run)->left_out[reason], reason != EXPORT_KEPT, "left out as %s",
           export_reason_name(reason));
    export_free(&run);
}

static void meanings(void)
{
    char line[256];
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        const char *want = patterns[i].line;
        (void)snprintf(line, sizeof line, "%s%s", want != NULL ? want : "",
                       want != NULL ? "\n" : "");
        expect("list", NULL, patterns[i].pattern, NULL, line, patterns[i].reason);
    }
}

#define ID "\"id\":\"indicator--11111111-1111-4111-8111-111111111111\""

static void validity(void)
{
    static const struct {
        const char *more;
        enum export_reason reason;
    } rows[] = {
        {ID ",\"revoked\":true", EXPORT_REVOKED},
        {ID ",\"revoked\":false", EXPORT_KEPT},
        {ID ",\"valid_until\":\"2026-03-01T12:00:00Z\"", EXPORT_EXPIRED},
        {ID ",\"valid_until\":\"2026-03-01T12:00:00.000001Z\"", EXPORT_KEPT},
        {ID ",\"indicator_types\":[\"benign\"]", EXPORT_BENIGN},
        {ID ",\"labels\":[\"a\",\"warning:top-sites\"]", EXPORT_WARNED},
        {ID ",\"labels\":[\"do-not-block\"]", EXPORT_UNWANTED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect("list", NULL, "[domain-name:value = 'a.example']", rows[i].more,
               rows[i].reason == EXPORT_KEPT ? "a.example\n" : "", rows[i].reason);
    struct export *run = exports_begin("csv", NULL);
    static const char early[] =
        "{\"type\":\"indicator\",\"id\":\"indicator--1\",\"pattern_type\":\"stix\",\"valid_from\":"
        "\"2026-03-01T12:00:01Z\",\"pattern\":\"[domain-name:value = 'a.example']\"}";
    static const char yara[] =
        "{\"type\":\"indicator\",\"pattern_type\":\"yara\",\"pattern\":\"x\"}";
    static const char other[] =
        "{\"type\":\"malware\",\"pattern\":\"[domain-name:value = 'a.b']\"}";
    ok(export_add(run, ISG_STR(early), STIX_TLP_NONE, NULL) == ISG_OK, "one that is not valid yet");
    ok(export_add(run, ISG_STR(yara), STIX_TLP_NONE, NULL) == ISG_OK, "one in another language");
    ok(export_add(run, ISG_STR(other), STIX_TLP_NONE, NULL) == ISG_OK, "another object");
    ok(export_add(run, ISG_STR("{"), STIX_TLP_NONE, NULL) == ISG_OK, "no object at all");
    const struct export_counts *counts = export_counts(run);
    is_int((long long)counts->indicators, 2, "indicators are counted");
    is_int((long long)counts->rows, 0, "none is a row");
    is_int((long long)counts->left_out[EXPORT_EARLY], 1, "not yet valid");
    is_int((long long)counts->left_out[EXPORT_LANGUAGE], 1, "another language");
    is_int((long long)counts->left_out[EXPORT_UNREADABLE], 1, "unreadable");
    export_free(&run);
}

static void exclusion(void)
{
    static const char own[] =
        "{\"name\":\"own\",\"type\":\"hostname\",\"list\":[\"pump.example\"]}";
    struct exclude_lists *lists = exclude_new(true);
    struct export_options options = {.format = export_format_find("rpz"),
                                     .source = "x",
                                     .collection = "c",
                                     .file = "zone",
                                     .now_us = EXPORTS_NOW_S * INT64_C(1000000),
                                     .exclude = lists};
    ok(exclude_add(lists, ISG_STR(own), EXCLUDE_WARN, NULL) == ISG_OK, "a list of one's own names");
    struct export *run = export_new(&options);
    exports_add(run, ISG_STR("[domain-name:value = 'support.pump.example']"), NULL);
    is_int((long long)export_counts(run)->left_out[EXPORT_EXCLUDED], 1, "a name on it is left out");
    is_str(export_counts(run)->excluded.reasons[0].list, "own", "by the name of the list");
    export_free(&run);
    exclude_free(&lists);
}

/* ---- how they look ---- */

static void lists(void)
{
    static const char both[] = "[ipv4-addr:value = '198.51.100.7' OR domain-name:value = 'a.b']";
    expect("list", "ipv4", both, NULL, "198.51.100.7\n", EXPORT_OTHER_TYPE);
    expect("list", "domain", both, NULL, "a.b\n", EXPORT_OTHER_TYPE);
    expect("list", "email", "[email-addr:value = '#x@bad.example']", NULL, "", EXPORT_UNSAFE);
    expect("list", NULL,
           "[network-traffic:dst_ref.value = '198.51.100.7' AND network-traffic:dst_port = 443]",
           NULL, "", EXPORT_NO_FORM);
}

#define TAIL(sid)                                                                         \
    "classtype:bad-unknown; metadata:stix_id "                                            \
    "indicator--11111111-1111-4111-8111-111111111111, tlp green, created_at 2026_02_01, " \
    "updated_at 2026_02_02; sid:" sid "; rev:1770026400;)\n"

static void suricata(void)
{
    expect(
        "suricata", NULL, "[ipv4-addr:value ISSUBSET '198.51.100.0/24']",
        ID ",\"name\":\"a;\\\"b\"",
        "alert ip $HOME_NET any <> [198.51.100.0/24] any (msg:\"ISAO cidr4 indicator a__b\"; " TAIL(
            "2082995391"),
        EXPORT_KEPT);
    expect("suricata", NULL,
           "[network-traffic:dst_ref.type = 'ipv6-addr' AND network-traffic:dst_ref.value = "
           "'2001:db8::5' AND network-traffic:dst_port = 443]",
           ID ",\"name\":\"n\"",
           "alert ip $HOME_NET any <> [2001:db8::5] 443 (msg:\"ISAO ip-port indicator n\"; " TAIL(
               "1449508657"),
           EXPORT_KEPT);
    expect("suricata", NULL, "[url:value = 'http://bad.example:8080/a;\"b|\\\\\xc3\xa9?x=1']",
           ID ",\"name\":\"n\"",
           "alert http $HOME_NET any -> $EXTERNAL_NET 8080 (msg:\"ISAO url indicator n\"; "
           "http.host; content:\"bad.example\"; bsize:11; http.uri.raw; "
           "content:\"/a|3B 22|b|7C 5C C3 A9|?x=1\"; bsize:13; " TAIL("1737384721"),
           EXPORT_KEPT);
    expect(
        "suricata", NULL,
        "[x509-certificate:hashes.'SHA-1' = "
        "'0123456789abcdef0123456789abcdef01234567']",
        ID ",\"name\":\"n\"",
        "alert tls $HOME_NET any -> any any (msg:\"ISAO cert-sha1 indicator n\"; "
        "tls.cert_fingerprint; content:\"01|3A|23|3A|45|3A|67|3A|89|3A|ab|3A|cd|3A|ef|3A|01|3A|23|3A|"
        "45|3A|67|3A|89|3A|ab|3A|cd|3A|ef|3A|01|3A|23|3A|45|3A|67\"; bsize:59; " TAIL("1771310054"),
        EXPORT_KEPT);
    expect("suricata", NULL, "[url:value = 'http://bad.example/a#b']", NULL, "", EXPORT_NO_FORM);
    expect("suricata", NULL, "[url:value = 'ftp://bad.example/a']", NULL, "", EXPORT_NO_FORM);
    expect("suricata", NULL, "[email-addr:value = 'x@bad.example']", NULL, "", EXPORT_NO_FORM);
}

static void zeek(void)
{
#define HEAD "#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\n"
#define META "\tExample ISAO\tindicator--11111111-1111-4111-8111-111111111111 TLP:GREEN"
    expect("zeek", NULL, "[url:value = 'https://bad.example:8443/a\\\\x41']", NULL,
           HEAD "bad.example:8443/a\\x5cx41\tIntel::URL" META "\n", EXPORT_KEPT);
    expect("zeek", NULL, "[url:value = 'http://bad.example?q']", NULL,
           HEAD "bad.example/?q\tIntel::URL" META "\n", EXPORT_KEPT);
    expect("zeek", NULL, "[ipv6-addr:value ISSUBSET '2001:db8::/32']", ID ",\"name\":\"a\\tb\\nc\"",
           HEAD "2001:db8::/32\tIntel::SUBNET" META " a b c\n", EXPORT_KEPT);
    expect("zeek", NULL,
           "[x509-certificate:hashes.'SHA-1' = "
           "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa']",
           NULL, HEAD "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\tIntel::CERT_HASH" META "\n",
           EXPORT_KEPT);
    expect("zeek", NULL, "[url:value = 'http://u:p@bad.example/']", NULL, HEAD, EXPORT_NO_FORM);
}

static void rpz(void)
{
#define ZONE                                                                               \
    "$TTL 300\n@ IN SOA localhost. hostmaster.localhost. 1772366400 3600 600 604800 300\n" \
    "@ IN NS localhost.\n"
    static const struct {
        const char *pattern, *records;
        enum export_reason reason;
    } rows[] = {
        {"[domain-name:value = 'bad.example']",
         "bad.example IN CNAME .\n*.bad.example IN CNAME .\n", EXPORT_KEPT},
        {"[ipv4-addr:value = '198.51.100.7']", "32.7.100.51.198.rpz-ip IN CNAME .\n", EXPORT_KEPT},
        {"[ipv4-addr:value ISSUBSET '198.51.100.0/24']", "24.0.100.51.198.rpz-ip IN CNAME .\n",
         EXPORT_KEPT},
        {"[ipv6-addr:value = '2001:db8::5']", "128.5.zz.db8.2001.rpz-ip IN CNAME .\n", EXPORT_KEPT},
        {"[ipv6-addr:value ISSUBSET '2001:db8::/32']", "32.zz.db8.2001.rpz-ip IN CNAME .\n",
         EXPORT_KEPT},
        {"[ipv6-addr:value = '2001:db8:0:1:0:0:0:5']", "128.5.zz.1.0.db8.2001.rpz-ip IN CNAME .\n",
         EXPORT_KEPT},
        {"[domain-name:value = '8.0.0.0.10.rpz-ip']", "", EXPORT_UNSAFE},
        {"[domain-name:value = 'x.rpz-passthru']", "", EXPORT_UNSAFE},
        {"[url:value = 'http://bad.example/']", "", EXPORT_NO_FORM},
    };
    char want[512];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)snprintf(want, sizeof want, ZONE "%s", rows[i].records);
        expect("rpz", NULL, rows[i].pattern, NULL, want, rows[i].reason);
    }
}

static void csv(void)
{
    struct export *run = exports_begin("csv", NULL);
    exports_add(run, ISG_STR("[url:value = 'http://bad.example/a;=1+cmd|@x']"),
                ID ",\"name\":\"=cmd|'/c calc'!A1\",\"description\":\"a\\r\\nb \\\"c\\\"\","
                   "\"labels\":[\"'-x\"],\"confidence\":0");
    is_str(strchr(export_text(run)->p, '\n') + 1,
           "\"url\",\"http://bad.example/a;'=1+cmd|'@x\",\"green\",\"0\",\"2026-02-01T10:00:00Z\","
           "\"\",\"'=cmd|'/c calc'!A1\",\"a  b \"\"c\"\"\",\"\",\"''-x\","
           "\"indicator--11111111-1111-4111-8111-111111111111\",\"\",\"2026-02-01T10:00:00.000Z\","
           "\"2026-02-02T10:00:00.000Z\"\r\n",
           "no cell is a formula, none ends early");
    export_free(&run);
}

/* What a reader does to have a cell back: quotes off, and one ' wherever it stands before a formula. */
static bool stands_guarded(const char *text)
{
    text++;
    while (*text != '\0' && strchr(" '\"", *text) != NULL)
        text++;
    return *text != '\0' && strchr("=+-@", *text) != NULL;
}

static void cell_back(const char *cell, char *out)
{
    bool first = true;
    for (const char *c = cell; *c != '\0' && strncmp(c, "\",\"", 3) != 0; c++) {
        if (first && *c == '\'' && stands_guarded(c)) {
            first = false;
            continue;
        }
        c += *c == '"';
        *out++ = *c;
        first = *c == ';' || *c == '|';
    }
    *out = '\0';
}

static void csv_back(void)
{
    static const char *const names[] = {"=a",    "'=a",  "''=a", " =a",   "' =a", "'a",  "a;=b",
                                        "a;'=b", "|+|-", ";;@;", "a\"=b", "\"=b", "';=", "x=y"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct export *run = exports_begin("csv", NULL);
        struct isg_buf more;
        char back[64];
        isg_buf_init(&more, 4096);
        isg_buf_puts(&more, ID ",\"name\":\"");
        isg_json_escape(&more, isg_str_of(names[i]));
        isg_buf_putc(&more, '"');
        exports_add(run, ISG_STR("[domain-name:value = 'a.example']"), more.p);
        cell_back(strstr(export_text(run)->p, "T10:00:00Z\",\"\",\"") + 16, back);
        is_str(back, names[i], "a name comes back from its cell");
        isg_buf_done(&more);
        export_free(&run);
    }
}

static const struct export_file *file_of(const struct export *run, const char *name)
{
    const struct export_file *file = export_files(run);
    while (file != NULL && strcmp(file->name, name) != 0)
        file = file->next;
    return file;
}

static void hash_lists(void)
{
    static const char hash[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    struct export *run = exports_begin("suricata", NULL);
    exports_add(run, ISG_STR("[file:hashes.MD5 = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa']"), NULL);
    ok(export_finish(run, NULL) == ISG_OK, "a hash in a list beside the rules");
    const struct export_file *list = file_of(run, ".md5");
    ok(list != NULL && isg_str_starts(isg_buf_str(&list->text), ISG_STR(hash)), "it stands there");
    ok(strstr(export_text(run)->p, "; filemd5:isao.rules.md5; ") != NULL, "a rule names the list");
    ok(strstr(export_text(run)->p, "filesha1") == NULL, "no rule names an empty one");
    ok(file_of(run, ".sha1") != NULL, "which is written all the same");
    export_free(&run);
}

static void misp(void)
{
    struct export *run = exports_begin("misp", NULL);
    exports_add(run,
                ISG_STR("[network-traffic:dst_ref.value = '198.51.100.7' AND "
                        "network-traffic:dst_port = 443]"),
                ID ",\"name\":\"C\\n2\"");
    exports_add(run, ISG_STR("[domain-name:value = 'old.example']"),
                "\"id\":\"indicator--22222222-2222-4222-8222-222222222222\",\"valid_until\":"
                "\"2026-02-20T00:00:00Z\"");
    ok(export_finish(run, NULL) == ISG_OK, "a MISP feed");
    const struct export_file *event = export_files(run);
    const struct export_file *hashes = file_of(run, "hashes.csv");
    ok(event != NULL && hashes != NULL && hashes->next != NULL, "an event, hashes, the manifest");
    is_str(hashes->next->name, "manifest.json", "the manifest is last");
    ok(strstr(event->text.p, "\"value\":\"198.51.100.7|443\"") != NULL, "a composite value");
    ok(strstr(event->text.p, "\"comment\":\"C 2 indicator--1111") != NULL, "where it came from");
    ok(strstr(event->text.p, "old.example") == NULL, "what is over is not in it");
    ok(strstr(event->text.p, "\"timestamp\":\"1771545600\"") != NULL,
       "but the event is newer by it");
    ok(strstr(event->text.p, "\"name\":\"tlp:green\"") != NULL, "the level is a tag");
    ok(strstr(hashes->text.p, "13f3cf8c531952d72e5847c4183e6910,") != NULL, "MD5 of the port");
    ok(strncmp(event->name, hashes->next->text.p + 2, 36) == 0, "the manifest names the event");
    export_free(&run);
}

static void ecs(void)
{
    expect("ecs", NULL, "[url:value = 'https://bad.example:8443/a?b#c']", ID ",\"confidence\":75",
           "{\"@timestamp\":\"2026-02-02T10:00:00.000Z\",\"ecs\":{\"version\":\"8.11.0\"},"
           "\"event\":{\"kind\":\"enrichment\",\"category\":[\"threat\"],\"type\":[\"indicator\"]},"
           "\"threat\":{\"indicator\":{\"type\":\"url\",\"url\":{\"original\":"
           "\"https://bad.example:8443/a?b#c\",\"full\":\"https://bad.example:8443/a?b#c\","
           "\"scheme\":\"https\",\"domain\":\"bad.example\",\"port\":8443,\"path\":\"/a\","
           "\"query\":\"b\",\"fragment\":\"c\"},\"id\":"
           "\"indicator--11111111-1111-4111-8111-111111111111\",\"confidence\":\"High\","
           "\"provider\":\"Example ISAO\",\"first_seen\":\"2026-02-01T10:00:00Z\","
           "\"modified_at\":\"2026-02-02T10:00:00.000Z\",\"marking\":{\"tlp\":\"GREEN\","
           "\"tlp_version\":\"2.0\"}}}}\n",
           EXPORT_KEPT);
    expect("ecs", NULL, "[ipv4-addr:value ISSUBSET '198.51.100.0/24']", NULL, "", EXPORT_NO_FORM);
}

int main(void)
{
    meanings();
    validity();
    exclusion();
    lists();
    suricata();
    zeek();
    rpz();
    csv();
    csv_back();
    hash_lists();
    misp();
    ecs();
    return tap_done();
}
