#include <stdlib.h>
#include <string.h>

#include "collect.h"
#include "stix/json.h"
#include "stix/marking.h"
#include "tests/support/tap.h"

/* The first line that holds a piece, as its own copy; NULL when none does. */
static char *line_with(const struct collected *c, const char *piece)
{
    struct isg_str rest = isg_buf_str(&c->lines);
    struct isg_str line;
    while (isg_str_split(&rest, '\n', &line)) {
        char *copy = strndup(line.p, line.n);
        if (copy != NULL && strstr(copy, piece) != NULL)
            return copy;
        free(copy);
    }
    return NULL;
}

static void has(const char *line, const char *piece, const char *name)
{
    ok(line != NULL && strstr(line, piece) != NULL, "%s", name);
}

static void test_counts(const struct collected *c)
{
    static const struct {
        const char *type;
        long long count;
    } rows[] = {
        {"report", 1}, {"vulnerability", 2}, {"course-of-action", 2},     {"relationship", 5},
        {"note", 4},   {"identity", 5},      {"extension-definition", 4}, {"infrastructure", 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        is_int((long long)collect_count(c, rows[i].type), rows[i].count, "%s", rows[i].type);
    is_int((long long)c->invalid, 0, "all valid: %s %s", c->first.text, c->first_object);
    is_int((long long)c->facets, 9,
           "2 vulnerabilities, device, 5 relationships and the report are parts");
}

static void test_report(const struct collected *c)
{
    char *line = line_with(c, "\"type\":\"report\"");
    has(line, "\"name\":\"EXCERT-31-001-01 ExampleMed ExamplePump\"", "name");
    has(line, "\"created\":\"2031-01-02T06:00:00.000Z\"", "created: initial release, in UTC");
    has(line, "\"modified\":\"2031-02-03T06:00:00.123Z\"", "modified: six digits cut to three");
    has(line, "\"published\":\"2031-01-02T06:00:00.000Z\"", "published");
    has(line, "\"labels\":[\"csaf:final\",\"csaf:version:2\"]", "labels");
    has(line, "\"description\":\"Successful exploitation could change a dose.\"", "description");
    has(line, "\"hashes\":{\"SHA-256\":\"", "hash of the document");
    has(line, "\"acknowledgments\":[{\"names\":[\"A. Researcher\"],", "acknowledgments");
    ok(line != NULL && strstr(line, "ftp:") == NULL, "only http and https URLs");
    has(line, stix_tlp_marking_id(STIX_TLP_CLEAR), "WHITE is marked CLEAR");
    struct stix_json *tree = NULL;
    (void)stix_json_parse(isg_str_of(line), NULL, &tree, NULL);
    const struct stix_json *refs = stix_json_get(tree, "object_refs");
    bool sorted = stix_json_size(refs) > 0;
    for (size_t i = 1; i < stix_json_size(refs); i++)
        sorted = sorted && isg_str_cmp(stix_json_str(stix_json_at(refs, i - 1)),
                                       stix_json_str(stix_json_at(refs, i))) < 0;
    ok(sorted, "object_refs are sorted and each once");
    /* publisher, 2 vendors, device, 2 vulnerabilities, 2 actions, 5 relationships, 4 notes */
    is_int((long long)stix_json_size(refs), 17, "object_refs");
    stix_json_free(&tree);
    free(line);
}

static void test_vulnerabilities(const struct collected *c)
{
    char *line = line_with(c, "\"name\":\"CVE-2031-99998\"");
    has(line, "\"cvss\":[{\"version\":\"4.0\",\"vector\":\"CVSS:4.0/AV:A/", "version 4 in a link");
    has(line, "\"base_score\":9.8,\"source\":\"Example CERT\"", "version 3.1 with its score");
    has(line, "\"exploitability\":\"No known public exploitation.\"", "exploit status");
    has(line, "{\"source_name\":\"cwe\",\"external_id\":\"CWE-287\"}", "CWE");
    ok(line != NULL && strstr(line, "\"kev\"") == NULL, "says nothing of KEV");
    free(line);
    line = line_with(c, "\"name\":\"EM-2031-7\"");
    has(line, "{\"source_name\":\"ExampleMed\",\"external_id\":\"EM-2031-7\"}", "named by its ids");
    free(line);
    line = line_with(c, "\"name\":\"Update to 2.1\"");
    has(line, "\"labels\":[\"vendor_fix\"]", "category is the label");
    has(line, "\"restart_required\":\"system\"", "restart");
    free(line);
    line = line_with(c, "\"name\":\"Beispiel Ger\xc3\xa4te Oy\"");
    ok(line != NULL, "a vendor's letters are put right");
    free(line);
}

static void test_full(void)
{
    struct collected c;
    struct collected again;
    struct isg_fail why = {.code = ISG_OK};
    is_int(collect_fixture("csaf", "csaf/full.json", &c, &why), ISG_OK, "mapped: %s", why.text);
    test_counts(&c);
    test_report(&c);
    test_vulnerabilities(&c);
    (void)collect_fixture("csaf", "csaf/full.json", &again, &why);
    ok(isg_str_eq(isg_buf_str(&c.lines), isg_buf_str(&again.lines)), "twice the same bytes");
    collect_done(&c);
    collect_done(&again);
}

/* Feeds digest 2.7: no label leaves the collection's default; an unknown one is RED. */
static void test_labels(void)
{
    struct collected c;
    struct isg_fail why = {.code = ISG_OK};
    is_int(collect_fixture("csaf", "csaf/no-label.json", &c, &why), ISG_OK, "mapped");
    is_int((long long)c.invalid, 0, "all valid: %s %s", c.first.text, c.first_object);
    char *line = line_with(&c, "\"type\":\"report\"");
    ok(line != NULL && strstr(line, "object_marking_refs") == NULL, "no label, no marking");
    free(line);
    collect_done(&c);
    is_int(collect_fixture("csaf", "csaf/unknown-label.json", &c, &why), ISG_OK, "mapped");
    line = line_with(&c, "\"type\":\"report\"");
    has(line, stix_tlp_marking_id(STIX_TLP_RED), "an unknown label is RED");
    free(line);
    collect_done(&c);
}

/* CSAF 2.0, 6.1.23 forbids it; who does it all the same means one vulnerability (S-087). */
static void test_twice(void)
{
    struct collected c;
    struct isg_fail why = {.code = ISG_OK};
    is_int(collect_fixture("csaf", "csaf/cve-twice.json", &c, &why), ISG_OK, "%s", why.text);
    is_int((long long)c.invalid, 0, "all valid: %s %s", c.first.text, c.first_object);
    is_int((long long)collect_lines(&c, "\"type\":\"vulnerability\"", ""), 2, "one for each CVE");
    is_int((long long)collect_lines(&c, "\"mitigates\"", ""), 2,
           "what is said of it in either place");
    char *line = line_with(&c, "\"name\":\"CVE-2031-00009\"");
    has(line, "\"description\":\"Said the second time.\"", "described where it is");
    has(line, "AV:N/AC:L", "the first score");
    has(line, "AV:A/AC:L", "the second");
    has(line, "\"CWE-287\"", "the first CWE");
    has(line, "\"CWE-306\"", "the second");
    has(line, "\"exploitability\":\"None known.\"", "exploit status");
    free(line);
    collect_done(&c);
}

static void test_refused(void)
{
    static const char *const files[] = {"csaf/other-version.json", "csaf/bad-date.json",
                                        "kev/three.json", "stix/one.json"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct collected c;
        struct isg_fail why = {.code = ISG_OK};
        is_int(collect_fixture("csaf", files[i], &c, &why), ISG_EINVAL, "%s: %s", files[i],
               why.text);
        is_int((long long)c.objects, 0, "%s hands out nothing", files[i]);
        collect_done(&c);
    }
}

int main(void)
{
    test_full();
    test_labels();
    test_twice();
    test_refused();
    return tap_done();
}
