#include <stdlib.h>
#include <string.h>

#include "collect.h"
#include "feeds/nvd.h"
#include "tests/support/tap.h"

static void map_fixture(const char *name, struct collected *c)
{
    struct isg_fail why = {.code = ISG_OK};
    is_int(collect_fixture("nvd", name, c, &why), ISG_OK, "%s: %s", name, why.text);
    is_int((long long)c->invalid, 0, "all valid: %s %s", c->first.text, c->first_object);
}

static void test_three(void)
{
    struct collected c;
    map_fixture("nvd/three.json", &c);
    is_int((long long)collect_count(&c, "vulnerability"), 3, "also those without a score");
    is_int((long long)collect_count(&c, "software"), 5,
           "exact versions each, ranges one a product; no platform, nothing negated");
    is_int((long long)collect_count(&c, "relationship"), 5, "each is related to it");
    is_int((long long)c.facets, 3, "the vulnerabilities are parts of merged ones");
    is_int((long long)c.records, 3, "records");
    ok(strstr(c.lines.p, "\"revoked\"") == NULL, "a rejected CVE is not revoked");
    ok(strstr(c.lines.p, "\"name\":\"CVE-2031-99996\",\"description\":\"Rejected reason: this "
                         "number was given by mistake.\",\"labels\":[\"cve:rejected\"]") != NULL,
       "but labelled");
    ok(strstr(c.lines.p, "\"cpe\":\"cpe:2.3:a:beispiel\\\\:gmbh:view\\\\:er\\\\&more:-:") != NULL &&
           strstr(c.lines.p, "\"name\":\"view:er&more\",\"vendor\":\"beispiel:gmbh\"}") != NULL,
       "a quoted colon parts nothing, and - is no version");
    ok(strstr(c.lines.p, "\"version\":\"3.1 sp2\"") != NULL, "a version with its update");
    ok(strstr(c.lines.p, "not_meant") == NULL && strstr(c.lines.p, ":h:examplemed") == NULL,
       "conditions are no products");
    collect_done(&c);
}

/* Golden: what one vulnerability says, byte for byte. */
static void test_golden(void)
{
    static const char facts[] =
        "\"created\":\"2031-05-01T10:15:00.870Z\",\"modified\":\"2031-05-20T14:02:24.783Z\","
        "\"object_marking_refs\":[\"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487\"],"
        "\"name\":\"CVE-2031-99998\",\"description\":\"ExamplePump Server before 3.2 lets anybody "
        "set the dose limits.\",\"labels\":[\"cve:disputed\"],\"external_references\":["
        "{\"source_name\":\"cve\",\"external_id\":\"CVE-2031-99998\"},"
        "{\"source_name\":\"NVD\",\"description\":\"https://nvd.nist.gov/vuln/detail/"
        "CVE-2031-99998\",\"external_id\":\"CVE-2031-99998\"},"
        "{\"source_name\":\"cwe\",\"external_id\":\"CWE-287\"},"
        "{\"source_name\":\"cwe\",\"external_id\":\"CWE-306\"},"
        "{\"source_name\":\"NVD\",\"description\":\"http://notes.example/a?b=1\"},"
        "{\"source_name\":\"NVD\",\"description\":\"Patch, Vendor Advisory: "
        "https://maker.example/advice/1\"}],\"extensions\":{"
        "\"extension-definition--732c6a98-10ab-4319-92b9-68671eaaeed5\":{"
        "\"extension_type\":\"property-extension\",\"cvss\":["
        "{\"version\":\"4.0\",\"vector\":\"CVSS:4.0/AV:A/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/"
        "SI:N/SA:N\",\"base_score\":8.7,\"source\":\"psirt@maker.example\",\"type\":\"Secondary\","
        "\"headline\":true},"
        "{\"version\":\"3.1\",\"vector\":\"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\","
        "\"base_score\":9.8,\"source\":\"nvd@nist.gov\",\"type\":\"Primary\"},"
        "{\"version\":\"3.1\",\"vector\":\"CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\","
        "\"base_score\":8.8,\"source\":\"psirt@maker.example\",\"type\":\"Secondary\"},"
        "{\"version\":\"2.0\",\"vector\":\"AV:N/AC:L/Au:N/C:P/I:P/A:P\",\"base_score\":7.5,"
        "\"source\":\"nvd@nist.gov\",\"type\":\"Primary\"}],\"cpe_matches\":["
        "{\"criteria\":\"cpe:/a:old:name:1.0\",\"matchCriteriaId\":\"00000000-0000-4000-8000-"
        "000000000008\"},"
        "{\"criteria\":\"cpe:2.3:a:beispiel\\\\:gmbh:gateway:*:*:*:*:*:*:*:*\","
        "\"matchCriteriaId\":\"00000000-0000-4000-8000-000000000007\"},"
        "{\"criteria\":\"cpe:2.3:o:examplemed:pump_firmware:*:*:*:*:*:*:*:*\","
        "\"versionStartIncluding\":\"2.0\",\"versionEndExcluding\":\"3.0\","
        "\"matchCriteriaId\":\"00000000-0000-4000-8000-000000000003\"},"
        "{\"criteria\":\"cpe:2.3:o:examplemed:pump_firmware:*:*:*:*:pro:*:*:*\","
        "\"versionStartExcluding\":\"1.0\",\"versionEndIncluding\":\"1.9\","
        "\"matchCriteriaId\":\"00000000-0000-4000-8000-000000000004\"}]}}}\n";
    struct collected c;
    map_fixture("nvd/three.json", &c);
    ok(strstr(c.lines.p, facts) != NULL, "the vulnerability, byte for byte");
    collect_done(&c);
}

/* Feeds digest 7.1: the same answer twice, or shuffled within, gives the same bytes. */
static void test_same(void)
{
    struct collected a;
    struct collected shuffled;
    map_fixture("nvd/three.json", &a);
    map_fixture("nvd/shuffled.json", &shuffled);
    ok(isg_str_eq(isg_buf_str(&a.lines), isg_buf_str(&shuffled.lines)), "the same bytes");
    collect_done(&a);
    collect_done(&shuffled);
}

static void test_pages(void)
{
    struct collected c;
    map_fixture("nvd/twice.json", &c);
    is_int((long long)collect_count(&c, "vulnerability"), 1, "a record that is there thrice");
    ok(strstr(c.lines.p, "Looked at.") != NULL, "as it was changed last");
    is_int((long long)c.excluded, 2, "the others are counted");
    collect_done(&c);
    map_fixture("nvd/last-page.json", &c);
    is_int((long long)collect_count(&c, "vulnerability"), 1, "a page that is not full: the last");
    collect_done(&c);
    map_fixture("nvd/empty.json", &c);
    is_int((long long)c.objects, 0, "no record, no object");
    collect_done(&c);
}

static void test_refused(void)
{
    static const struct {
        const char *file;
        int code;
        const char *path;
    } rows[] = {
        {"nvd/wrong-count.json", ISG_EINVAL, "/resultsPerPage"},
        {"nvd/cut-short.json", ISG_EPARSE, ""},
        {"nvd/half-bad.json", ISG_EINVAL, "/vulnerabilities/1/cve"},
        {"kev/three.json", ISG_EINVAL, "/vulnerabilities"},
        {"kev/page.html", ISG_EPARSE, ""},
        {"stix/list.json", ISG_EINVAL, "/vulnerabilities"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct collected c;
        struct isg_fail why = {.code = ISG_OK};
        is_int(collect_fixture("nvd", rows[i].file, &c, &why), rows[i].code, "%s: %s", rows[i].file,
               why.text);
        if (rows[i].path[0] != '\0')
            is_str(why.path, rows[i].path, "where");
        is_int((long long)c.objects, 0, "%s hands out nothing", rows[i].file);
        collect_done(&c);
    }
}

static void test_page_head(void)
{
    static const struct {
        const char *json;
        int code;
        const char *what;
    } rows[] = {
        {"{\"vulnerabilities\":[],\"totalResults\":0}", ISG_OK, "no results"},
        {"{\"vulnerabilities\":[],\"totalResults\":5,\"startIndex\":5,\"resultsPerPage\":0}",
         ISG_OK, "behind the end"},
        {"{\"vulnerabilities\":[],\"totalResults\":5,\"startIndex\":2,\"resultsPerPage\":0}",
         ISG_EINVAL, "an empty page in the middle would never end"},
        {"{\"vulnerabilities\":[{}],\"totalResults\":5,\"startIndex\":9,\"resultsPerPage\":1}",
         ISG_EINVAL, "records behind the end"},
        {"{\"vulnerabilities\":[{}],\"totalResults\":-1}", ISG_EINVAL, "below nothing"},
        {"{\"vulnerabilities\":[{}],\"totalResults\":\"1\"}", ISG_EINVAL, "no number"},
        {"{\"vulnerabilities\":{},\"totalResults\":1}", ISG_EINVAL, "no list"},
        {"{\"vulnerabilities\":[]}", ISG_EINVAL, "no total"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct stix_json *root = NULL;
        struct nvd_page page;
        struct isg_fail why = {.code = ISG_OK};
        (void)stix_json_parse(isg_str_of(rows[i].json), NULL, &root, &why);
        is_int(nvd_page_read(root, &page, &why), rows[i].code, "%s", rows[i].what);
        stix_json_free(&root);
    }
}

int main(void)
{
    test_three();
    test_golden();
    test_same();
    test_pages();
    test_refused();
    test_page_head();
    return tap_done();
}
