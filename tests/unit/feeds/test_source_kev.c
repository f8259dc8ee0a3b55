#include <stdlib.h>
#include <string.h>

#include "collect.h"
#include "stix/json.h"
#include "tests/support/tap.h"

static void test_three(void)
{
    struct collected c;
    struct isg_fail why = {.code = ISG_OK};
    is_int(collect_fixture("kev", "kev/three.json", &c, &why), ISG_OK, "mapped: %s", why.text);
    is_int((long long)c.invalid, 0, "all valid: %s %s", c.first.text, c.first_object);
    is_int((long long)collect_count(&c, "vulnerability"), 3, "vulnerabilities");
    is_int((long long)collect_count(&c, "software"), 2, "Multiple Products names no software");
    is_int((long long)collect_count(&c, "relationship"), 2, "relationships");
    is_int((long long)collect_count(&c, "extension-definition"), 2, "definitions");
    is_int((long long)collect_count(&c, "identity"), 3, "gateway, project, CISA");
    is_int((long long)c.facets, 3, "the vulnerabilities are parts of merged ones");
    is_int((long long)c.records, 3, "records");
    collect_done(&c);
}

/* Golden: every byte of one vulnerability, in the namespace of the digest. */
static void test_golden(void)
{
    struct collected c;
    struct isg_fail why = {.code = ISG_OK};
    is_int(collect_fixture("kev", "kev/three.json", &c, &why), ISG_OK, "mapped");
    struct isg_str rest = isg_buf_str(&c.lines);
    struct isg_str line;
    const char *facts =
        "\"name\":\"CVE-2031-99998\",\"description\":\"ExamplePump Server contains an "
        "authentication bypass.\",\"labels\":[\"kev\"],\"external_references\":["
        "{\"source_name\":\"cve\",\"external_id\":\"CVE-2031-99998\"},"
        "{\"source_name\":\"CISA\",\"description\":\"ExampleMed ExamplePump Server Authentication "
        "Bypass Vulnerability: https://www.cisa.gov/known-exploited-vulnerabilities-"
        "catalog\",\"external_id\":\"CVE-2031-99998\"},"
        "{\"source_name\":\"cwe\",\"external_id\":\"CWE-287\"},"
        "{\"source_name\":\"cwe\",\"external_id\":\"CWE-306\"},"
        "{\"source_name\":\"CISA\",\"description\":\"https://nvd.example/CVE-2031-99998\"},"
        "{\"source_name\":\"CISA\",\"description\":\"https://vendor.example/a\"}],\"extensions\":{"
        "\"extension-definition--732c6a98-10ab-4319-92b9-68671eaaeed5\":{\"extension_type\":"
        "\"property-extension\",\"kev\":true,\"kev_entry\":{\"dateAdded\":\"2031-05-02T00:00:00."
        "000Z\",\"dueDate\":\"2031-05-23T00:00:00.000Z\",\"ransomware\":true,\"action\":\"Apply "
        "updates per vendor instructions.\",\"reference\":\"https://www.cisa.gov/known-exploited-"
        "vulnerabilities-catalog\",\"notes\":\"Vendor advice:\"}}}}";
    bool found = false;
    while (isg_str_split(&rest, '\n', &line))
        found = found || isg_str_ends(line, isg_str_of(facts));
    ok(found, "the vulnerability, byte for byte");
    char *unknown = strstr(c.lines.p, "\"ransomware\":\"unknown\"");
    ok(unknown != NULL, "Unknown is not no");
    ok(strstr(c.lines.p, "\"name\":\"ExamplePump Server\",\"vendor\":\"ExampleMed\"}") != NULL,
       "software is trimmed and has no version");
    ok(strstr(c.lines.p, "\"status\":\"known_affected\"") != NULL, "product status");
    collect_done(&c);
}

/* Feeds digest 7.1: the same catalogue twice, or shuffled, gives the same bytes. */
static void test_same(void)
{
    struct collected a;
    struct collected b;
    struct collected shuffled;
    struct isg_fail why = {.code = ISG_OK};
    (void)collect_fixture("kev", "kev/three.json", &a, &why);
    (void)collect_fixture("kev", "kev/three.json", &b, &why);
    (void)collect_fixture("kev", "kev/shuffled.json", &shuffled, &why);
    ok(isg_str_eq(isg_buf_str(&a.lines), isg_buf_str(&b.lines)), "twice the same bytes");
    ok(isg_str_eq(isg_buf_str(&a.lines), isg_buf_str(&shuffled.lines)), "shuffled: the same bytes");
    collect_done(&a);
    collect_done(&b);
    collect_done(&shuffled);
}

static void test_refused(void)
{
    static const struct {
        const char *file;
        int code;
    } rows[] = {
        {"kev/wrong-count.json", ISG_EINVAL}, {"kev/cut-short.json", ISG_EPARSE},
        {"kev/page.html", ISG_EPARSE},        {"kev/bad-cve.json", ISG_EINVAL},
        {"stix/bundle.json", ISG_EINVAL},     {"stix/list.json", ISG_EINVAL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct collected c;
        struct isg_fail why = {.code = ISG_OK};
        is_int(collect_fixture("kev", rows[i].file, &c, &why), rows[i].code, "%s: %s", rows[i].file,
               why.text);
        is_int((long long)c.objects, 0, "%s hands out nothing", rows[i].file);
        collect_done(&c);
    }
}

static struct isg_buf withdrawn;

static int keep_last(void *arg, struct isg_str object, const char *facet, struct isg_fail *why)
{
    (void)arg;
    (void)why;
    if (facet != NULL && strcmp(facet, "kev") == 0) {
        isg_buf_reset(&withdrawn);
        isg_buf_put_str(&withdrawn, object);
    }
    return ISG_OK;
}

/* Feeds digest 2.6: the fact is cleared, nothing is revoked. */
static void test_withdraw(void)
{
    struct collected c;
    struct isg_fail why = {.code = ISG_OK};
    struct feed_context context = {
        .now_us = 1900000000000000, .owner = ISG_STR("Example ISAO"), .emit = keep_last};
    const struct feed_source *source = feed_source_find(ISG_STR("kev"));
    feed_namespace(ISG_STR(COLLECT_URN), context.space);
    isg_buf_init(&withdrawn, ISG_BUF_NO_MAX);
    (void)collect_fixture("kev", "kev/three.json", &c, &why);
    int err = source->withdraw(
        &context,
        ISG_STR(
            "{\"id\":\"x\",\"name\":\"CVE-2031-99998\",\"created\":\"2031-05-02T00:00:00.000Z\"}"),
        "kev", &why);
    is_int(err, ISG_OK, "withdrawn: %s", why.text);
    struct stix_json *tree = NULL;
    (void)stix_json_parse(isg_buf_str(&withdrawn), NULL, &tree, &why);
    char id[128] = "";
    struct isg_str got = stix_json_get_str(tree, "id");
    if (got.n < sizeof id && got.n > 0)
        memcpy(id, got.p, got.n);
    char *line = collect_find(&c, id);
    ok(line != NULL && strstr(line, "CVE-2031-99998") != NULL, "of the same id");
    ok(withdrawn.p != NULL && strstr(withdrawn.p, "\"kev\":false") != NULL, "kev is false");
    ok(withdrawn.p != NULL && strstr(withdrawn.p, "kev_entry") == NULL &&
           strstr(withdrawn.p, "revoked") == NULL && strstr(withdrawn.p, "labels") == NULL,
       "no facts, no label, not revoked");
    free(line);
    stix_json_free(&tree);
    isg_buf_done(&withdrawn);
    collect_done(&c);
}

static void test_namespace(void)
{
    char space[ISG_UUID_TEXT];
    feed_namespace(ISG_STR(COLLECT_URN), space);
    is_str(space, "f5e2b8e8-b73c-5ede-bc57-9e42a15201c9", "golden namespace (digest 2.4)");
}

int main(void)
{
    test_namespace();
    test_three();
    test_golden();
    test_same();
    test_refused();
    test_withdraw();
    return tap_done();
}
