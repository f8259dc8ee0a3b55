/* The real catalogues and advisories, where the corpus is at hand. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect.h"
#include "tests/support/tap.h"

static int map_path(const char *format, const char *path, struct collected *out,
                    struct isg_fail *why)
{
    size_t n = 0;
    char *text = tap_slurp(path, &n);
    if (text == NULL) {
        *out = (struct collected){0};
        return isg_fail(why, ISG_EIO, "no %s", path);
    }
    int err = collect_text(format, (struct isg_str){text, n}, out, why);
    free(text);
    return err;
}

static void test_kev(void)
{
    static const struct {
        const char *file;
        int code;
        long long entries;
    } rows[] = {
        {"feeds/kev/kev-2025-08-25.json", ISG_OK, 1404},
        {"feeds/kev/kev-before-removal.json", ISG_OK, 1352},
        {"feeds/kev/kev-after-removal.json", ISG_OK, 1360},
        {"feeds/kev/kev-truncated-upstream.json", ISG_EPARSE, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct collected c;
        struct isg_fail why = {.code = ISG_OK};
        const char *path = tap_corpus(rows[i].file);
        if (path == NULL)
            tap_skip_all("no corpus");
        is_int(map_path("kev", path, &c, &why), rows[i].code, "%s: %s", rows[i].file, why.text);
        is_int((long long)collect_count(&c, "vulnerability"), rows[i].entries, "%s", rows[i].file);
        is_int((long long)c.invalid, 0, "all valid: %s %s", c.first.text, c.first_object);
        if (rows[i].code != ISG_OK)
            is_int((long long)c.objects, 0, "%s hands out nothing", rows[i].file);
        collect_done(&c);
    }
}

/*
 * Medical domain digest, part 7, and expected.json: 144 files, 144 reports, 428 vulnerabilities, 54
 * vendors, 607 leaf products, 1,590 (advisory, CVE, product).
 */
static void test_csaf(void)
{
    char folder[4096];
    struct collected all = {0};
    size_t files = 0;
    size_t invalid = 0;
    long long devices = 0;
    long long affected = 0;
    (void)snprintf(folder, sizeof folder, "%s", tap_corpus("medical/csaf-icsma"));
    DIR *dir = opendir(folder);
    isg_buf_init(&all.lines, ISG_BUF_NO_MAX);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        char path[5000];
        struct collected c;
        struct isg_fail why = {.code = ISG_OK};
        if (!isg_str_ends(isg_str_of(entry->d_name), ISG_STR(".json")))
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (map_path("csaf", path, &c, &why) != ISG_OK)
            ok(false, "%s: %s", entry->d_name, why.text);
        files++;
        invalid += c.invalid;
        devices += (long long)collect_count(&c, "infrastructure");
        affected += (long long)collect_lines(&c, "\"relationship_type\":\"has\"", "");
        all.objects += c.objects;
        isg_buf_put_str(&all.lines, isg_buf_str(&c.lines));
        collect_done(&c);
    }
    if (dir != NULL)
        (void)closedir(dir);
    is_int((long long)files, 144, "files");
    is_int((long long)invalid, 0, "all valid");
    is_int((long long)collect_count(&all, "report"), 144, "reports");
    is_int((long long)collect_count(&all, "vulnerability"), 428, "vulnerabilities");
    is_int((long long)collect_count(&all, "identity"), 54 + 3, "vendors, CISA, gateway, project");
    is_int(devices, 607, "leaf products, each a device of its advisory");
    is_int(affected, 1590, "statements that one of them has a vulnerability");
    collect_done(&all);
}

/* Real lists, with the built-in exclusions of an exercise (their anonymisers used such values). */
static void test_lists(void)
{
    static const struct {
        const char *format;
        const char *file;
        int code;
        size_t records, excluded, rejected, indicators;
    } rows[] = {
        {"urlhaus", "abusech/urlhaus-api-recent.ndjson", ISG_OK, 6, 0, 0, 6},
        {"threatfox", "abusech/threatfox-api.ndjson", ISG_OK, 6, 0, 0, 5},
        {"threatfox", "abusech/threatfox-row-15-columns.csv", ISG_OK, 1, 0, 0, 1},
        {"feodo", "abusech/feodo-ipblocklist.json", ISG_OK, 4, 0, 0, 4},
        {"feodo", "blocklists/old_abusech_feodoips.txt", ISG_OK, 2, 1, 0, 1},
        {"spamhaus", "blocklists/spamhaus_drop.txt", ISG_OK, 2, 0, 0, 2},
        {"spamhaus", "blocklists/old_spamhaus_drop.lasso", ISG_OK, 10, 0, 0, 10},
        {"dshield", "blocklists/dshield_block.txt", ISG_OK, 2, 0, 0, 2},
        {"openphish", "blocklists/openphish_feed.txt", ISG_EINVAL, 2, 0, 2, 0},
        {"openphish", "blocklists/old_openphish_feed_commercial.txt", ISG_OK, 2, 0, 0, 2},
        {"list", "blocklists/blocklistde_imap.txt", ISG_OK, 6, 0, 0, 6},
        {"list", "blocklists/old_abusech_feododomains.txt", ISG_OK, 1, 0, 0, 1},
        {"list", "blocklists/old_abusech_zeusips.txt", ISG_OK, 1, 0, 0, 1},
        {"list", "blocklists/old_hphosts_hosts.txt", ISG_OK, 4, 3, 0, 1},
        {"list", "blocklists/old_urlvir_export-hosts.txt", ISG_OK, 2, 0, 0, 2},
        {"list", "blocklists/old_nothink_blacklist_ssh_day.txt", ISG_OK, 1, 0, 0, 1},
        {"zeek-intel", "zeek/intel_example.intel", ISG_OK, 500, 0, 0, 500},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct collected c;
        char below[128];
        struct isg_fail why = {.code = ISG_OK};
        (void)snprintf(below, sizeof below, "feeds/%s", rows[i].file);
        is_int(map_path(rows[i].format, tap_corpus(below), &c, &why), rows[i].code, "%s: %s",
               rows[i].file, why.text);
        is_int((long long)c.records, (long long)rows[i].records, "records of %s", rows[i].file);
        is_int((long long)c.excluded, (long long)rows[i].excluded, "excluded of %s", rows[i].file);
        is_int((long long)c.rejected, (long long)rows[i].rejected, "rejected of %s", rows[i].file);
        is_int((long long)collect_count(&c, "indicator"), (long long)rows[i].indicators,
               "indicators of %s", rows[i].file);
        is_int((long long)c.invalid, 0, "all valid: %s %s", c.first.text, c.first_object);
        collect_done(&c);
    }
}

static size_t count_of(const struct collected *c, const char *piece)
{
    size_t n = 0;
    for (const char *p = c->lines.p; p != NULL && (p = strstr(p, piece)) != NULL; p++)
        n++;
    return n;
}

/* Counts made by another program from the same file, by the rules of feeds digest 5.5. */
static void test_nvd(void)
{
    struct collected c;
    struct isg_fail why = {.code = ISG_OK};
    is_int(map_path("nvd", tap_corpus("feeds/nvd/cves-2023.json"), &c, &why), ISG_OK, "NVD: %s",
           why.text);
    is_int((long long)c.invalid, 0, "all valid: %s %s", c.first.text, c.first_object);
    is_int((long long)collect_count(&c, "vulnerability"), 200, "vulnerabilities");
    is_int((long long)collect_count(&c, "software"), 350, "products");
    is_int((long long)collect_count(&c, "relationship"), 458, "affected by");
    is_int((long long)count_of(&c, "\"criteria\""), 261, "ranges");
    is_int((long long)count_of(&c, "\"vector\""), 329, "scores");
    is_int((long long)count_of(&c, "\"headline\":true"), 199, "one headline each");
    is_int((long long)count_of(&c, "\"labels\":[\"cve:rejected\"]"), 1, "rejected");
    is_int((long long)c.rejected, 0, "none unreadable");
    collect_done(&c);
}

/* Lists without a format of their own, by a description of their columns (5.8). */
static void test_own_columns(void)
{
    static const struct {
        const char *columns;
        const char *file;
        int code;
        size_t records, excluded, rejected, indicators;
    } rows[] = {
        {"{\"name\":\"bambenek\",\"comments\":\"#\",\"width\":4,\"columns\":"
         "{\"value\":1,\"label\":2,\"first_seen\":3,\"reference\":4}}",
         "bambenek_c2-ipmasterlist.txt", ISG_OK, 1, 0, 0, 1},
        {"{\"name\":\"bambenek-dga\",\"comments\":\"#\",\"type\":\"domain\",\"columns\":"
         "{\"value\":1,\"label\":2,\"first_seen\":3}}",
         "bambenek_dga-feed.txt", ISG_OK, 1, 0, 0, 1},
        {"{\"name\":\"turris\",\"type\":\"ip\",\"columns\":{\"value\":\"Address\",\"tags\":\"Tags\"}}",
         "old_turris_greylist-latest.csv", ISG_OK, 2, 0, 0, 2},
        {"{\"name\":\"turris\",\"type\":\"ip\",\"only\":{\"Country\":[\"AU\"]},"
         "\"columns\":{\"value\":\"Address\",\"tags\":\"Tags\"}}",
         "old_turris_greylist-latest.csv", ISG_OK, 2, 1, 0, 1},
        {"{\"name\":\"cert-eu\",\"type\":\"ip\",\"columns\":{\"value\":\"source ip\","
         "\"first_seen\":\"source time\",\"label\":\"type\",\"confidence\":\"confidence level\"}}",
         "cert_eu_example.csv", ISG_OK, 2, 0, 0, 2},
        {"{\"name\":\"netlab\",\"comments\":\"#\",\"delimiter\":\"\\t\",\"type\":\"domain\","
         "\"columns\":{\"label\":1,\"value\":2,\"first_seen\":3}}",
         "old_netlab_360_dga.txt", ISG_OK, 2, 0, 0, 2},
        {"{\"name\":\"malwaredomains\",\"comments\":\"#\",\"delimiter\":\"\\t\",\"type\":\"domain\","
         "\"columns\":{\"value\":3,\"label\":4}}",
         "old_malwaredomains_domains.txt", ISG_EINVAL, 0, 0, 0, 0}, /* its width varies */
        {"{\"name\":\"spamhaus-cert\",\"comments\":\";\",\"type\":\"ip\",\"columns\":"
         "{\"value\":1,\"label\":5}}",
         "spamhaus_cert.txt", ISG_OK, 19, 10, 0, 6},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char below[128];
        size_t n = 0;
        struct collected c;
        struct isg_fail why = {.code = ISG_OK};
        (void)snprintf(below, sizeof below, "feeds/blocklists/%s", rows[i].file);
        char *text = tap_slurp(tap_corpus(below), &n);
        is_int(collect_table(rows[i].columns, (struct isg_str){text, n}, &c, &why), rows[i].code,
               "%s: %s", rows[i].file, why.text);
        if (rows[i].code == ISG_OK)
            is_int((long long)c.records, (long long)rows[i].records, "records");
        is_int((long long)collect_count(&c, "indicator"), (long long)rows[i].indicators,
               "indicators");
        if (rows[i].code == ISG_OK)
            ok(c.excluded == rows[i].excluded && c.rejected == rows[i].rejected,
               "%llu excluded, %llu rejected", (unsigned long long)c.excluded,
               (unsigned long long)c.rejected);
        is_int((long long)c.invalid, 0, "all valid: %s %s", c.first.text, c.first_object);
        collect_done(&c);
        free(text);
    }
}

/* STIX 2.0 bundles as the elevator's authors publish them, lifted: objects, and those that 2.1 refuses. */
static void test_stix20(void)
{
    static const struct {
        const char *file;
        size_t objects, invalid;
    } rows[] = {
        {"141-TLP-marking-structures", 4, 0},
        {"Appendix_G_IOCs_Full", 97, 60},
        {"account_indicator", 4, 1},
        {"archive-file", 5, 0},
        {"campaign-v-actors", 8, 0},
        {"command-and-control-ip-list", 7, 4},
        {"cve-in-exploit-target", 1, 0},
        {"file-and-directory-pattern", 2, 1},
        {"file-hash-reputation", 1, 0},
        {"icmp_pattern", 1, 0},
        {"identifying-a-threat-actor-group", 3, 0},
        {"indicator-for-c2-ip-address", 2, 1},
        {"indicator-for-malicious-url", 2, 1},
        {"issue-162", 8, 2},
        {"issue62", 12, 1},
        {"malicious-email-indicator-with-attachment", 9, 3},
        {"malware-characterization-using-maec", 1, 1},
        {"multiple-reports-in-package", 4, 1},
        {"network-socket-observable", 2, 1},
        {"network-traffic-request-pattern-with-qualifiers", 1, 0},
        {"network-traffic-request-pattern", 1, 0},
        {"observable-with-networkconnection-pattern-advanced", 1, 0},
        {"observable-with-networkconnection-pattern", 1, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct collected c;
        char below[160];
        struct isg_fail why = {.code = ISG_OK};
        (void)snprintf(below, sizeof below, "feeds/stix20-21-pairs/v2.0/%s.json", rows[i].file);
        is_int(map_path("stix", tap_corpus(below), &c, &why), ISG_OK, "%s: %s", rows[i].file,
               why.text);
        is_int((long long)c.objects, (long long)rows[i].objects, "objects of %s", rows[i].file);
        is_int((long long)c.invalid, (long long)rows[i].invalid, "invalid in %s: %s %s",
               rows[i].file, c.first.text, c.first_object);
        collect_done(&c);
    }
}

int main(void)
{
    test_kev();
    test_nvd();
    test_csaf();
    test_lists();
    test_own_columns();
    test_stix20();
    return tap_done();
}
