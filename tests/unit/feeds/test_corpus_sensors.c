/* Real logs of sensors, where the corpus is at hand. */
#include <stdio.h>
#include <stdlib.h>

#include "collect.h"
#include "tests/support/tap.h"

int main(void)
{
    static const struct {
        const char *format;
        const char *file;
        size_t records, excluded, rejected, observed;
    } rows[] = {
        {"suricata", "suricata/first-org-conf-2015-alerts.json", 136, 5, 0, 131},
        /* the pot's own address is public: with the default networks all are strangers */
        {"suricata", "suricata/honeypot-2018-alerts.json", 44, 44, 0, 0},
        {"suricata", "suricata/wrccdc-2017-alerts.json", 161, 83, 0, 78},
        {"zeek", "zeek/conn.log", 360, 3, 0, 269},
        {"zeek", "zeek/conn_date_issue.log", 3, 1, 0, 2},
        {"zeek", "zeek/dns.log", 54, 0, 0, 47},
        {"zeek", "zeek/files.log", 113, 6, 0, 101},
        {"zeek", "zeek/http.log", 150, 0, 0, 34},
        {"zeek", "zeek/http_empty.log", 0, 0, 0, 0},
        {"zeek", "zeek/notice.log", 2, 0, 0, 1},
        {"zeek", "zeek/ssl.log", 37, 0, 0, 3},
        {"zeek", "zeek/json_conn.log", 50, 46, 0, 3},
        {"zeek", "zeek/json_files.log", 50, 1, 0, 23},
        {"zeek", "zeek/json_ssl.log", 50, 0, 0, 23},
        {"zeek", "zeek/json_kerberos.log", 14, 14, 0, 0},
        {"zeek", "zeek/json_smb_files.log", 2, 2, 0, 0},
        {"zeek", "zeek/json_weird.log", 2, 2, 0, 0},
        {"zeek", "zeek/json_x509.log", 50, 50, 0, 0},
        {"zeek", "zeek/dhcp.log", 2, 2, 0, 0},
        {"zeek", "zeek/weird.log", 12, 1, 0, 1},
        {"zeek", "zeek/x509.log", 13, 13, 0, 0},
        {"shadowserver", "shadowserver/report_type_blocklist.json", 5, 0, 0, 5},
        {"shadowserver", "shadowserver/report_type_device_id.json", 20, 0, 0, 20},
        {"shadowserver", "shadowserver/report_type_scan_ics.json", 1, 0, 0, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char below[128];
        size_t n = 0;
        struct collected c;
        struct isg_fail why = {.code = ISG_OK};
        (void)snprintf(below, sizeof below, "feeds/%s", rows[i].file);
        const char *path = tap_corpus(below);
        if (path == NULL)
            tap_skip_all("no corpus");
        char *text = tap_slurp(path, &n);
        is_int(collect_text(rows[i].format, (struct isg_str){text, n}, &c, &why), ISG_OK, "%s: %s",
               rows[i].file, why.text);
        is_int((long long)c.records, (long long)rows[i].records, "records");
        is_int((long long)c.excluded, (long long)rows[i].excluded, "left out");
        is_int((long long)c.rejected, (long long)rows[i].rejected, "not read");
        is_int((long long)collect_count(&c, "observed-data"), (long long)rows[i].observed,
               "observations");
        is_int((long long)c.invalid, 0, "all valid: %s %s", c.first.text, c.first_object);
        collect_done(&c);
        free(text);
    }
    return tap_done();
}
