/* Feeds digest 5.3, medical domain digest parts 7 and 8: products and what is said of them. */
#include <stdlib.h>
#include <string.h>

#include "collect.h"
#include "tests/support/tap.h"

static void one(const struct collected *c, const char *a, const char *b)
{
    is_int((long long)collect_lines(c, a, b), 1, "%s with %s", a, b);
}

static void test_devices(const struct collected *c)
{
    static const char infrastructure[] = "\"type\":\"infrastructure\"";
    is_int((long long)collect_count(c, "infrastructure"), 6, "five versions, one with its system");
    is_int((long long)collect_lines(c, infrastructure,
                                    "\"infrastructure_types\":[\"medical-device\"]"),
           6, "medical devices");
    one(c, infrastructure,
        "\"versions\":[{\"kind\":\"range\",\"raw\":\">= 2.0 | < 2.4\",\"ge\":\"2.0\",\"lt\":\"2.4\"}]");
    one(c, infrastructure, "\"versions\":[{\"kind\":\"exact\",\"raw\":\"2.4\",\"eq\":[\"2.4\"]}]");
    one(c, infrastructure, "\"raw\":\"vers:generic/>=1.0|<2.0\",\"ge\":\"1.0\",\"lt\":\"2.0\"}]");
    one(c, infrastructure,
        "[{\"kind\":\"range\",\"raw\":\"<= 0.8 |<= 0.9\",\"le\":\"0.8\"},"
        "{\"kind\":\"range\",\"raw\":\"<= 0.8 |<= 0.9\",\"le\":\"0.9\"}]");
    one(c, infrastructure, "\"versions\":[{\"kind\":\"text\",\"raw\":\"before spring\"}]");
    one(c, infrastructure, "\"name\":\"ExampleMed ExamplePump 3000 2.4 with ExampleOS 10.1\"");
    one(c, infrastructure, "\"catalog_numbers\":[\"EP-3000\",\"EP3K\"]");
    is_int((long long)collect_lines(c, infrastructure, "\"trade_names\":[\"Example Pumps\"]"), 6,
           "families are names of the trade");
    is_int((long long)collect_lines(c, "SN-4711", ""), 0, "no serial number leaves (part 0, 16)");
}

static void test_software(const struct collected *c)
{
    is_int((long long)collect_count(c, "software"), 2, "what a device runs, and what has a purl");
    one(c, "\"name\":\"ExampleOS\",\"vendor\":\"Example Systems\",\"version\":\"10.1\"",
        "\"cpe\":\"cpe:2.3:o:example_systems:exampleos:10.1:*:*:*:*:*:*:*\"");
    one(c, "\"name\":\"exampledicom\"", "\"version\":\"2.1.0\"}");
    one(c, "\"relationship_type\":\"consists-of\"", "\"target_ref\":\"software--");
}

static void test_statements(const struct collected *c)
{
    static const char related[] = "\"relationship_type\":\"related-to\"";
    is_int((long long)collect_lines(c, "\"relationship_type\":\"has\"", "\"csaf:known_affected\""),
           2, "two devices have it, one named twice");
    is_int((long long)collect_lines(c, "\"relationship_type\":\"has\"", "\"extensions\""), 0,
           "has says it all");
    one(c, related, "\"status\":\"known_affected\",\"source_product_id\":\"P-LIB\"");
    one(c, related, "\"status\":\"first_fixed\",\"source_product_id\":\"P-2\"");
    one(c, related, "\"status\":\"recommended\",\"source_product_id\":\"P-2\"");
    one(c, related, "\"status\":\"under_investigation\",\"source_product_id\":\"P-OS\"");
    is_int((long long)collect_lines(c, related, "\"justification\":\"component_not_present\""), 2,
           "flags of a group");
    one(c, "\"justification\":\"The port is closed by default.\"", "\"P-5\"");
}

static void test_products(void)
{
    struct collected c;
    struct isg_fail why = {.code = ISG_OK};
    is_int(collect_fixture("csaf", "csaf/products.json", &c, &why), ISG_OK, "mapped: %s", why.text);
    is_int((long long)c.invalid, 0, "all valid: %s %s", c.first.text, c.first_object);
    test_devices(&c);
    test_software(&c);
    test_statements(&c);
    collect_done(&c);
}

/* An advisory for power plants is not about medical devices; its ranges stand in the statements. */
static void test_other_sector(void)
{
    struct collected c;
    struct isg_fail why = {.code = ISG_OK};
    is_int(collect_fixture("csaf", "csaf/other-sector.json", &c, &why), ISG_OK, "%s", why.text);
    is_int((long long)c.invalid, 0, "all valid: %s %s", c.first.text, c.first_object);
    is_int((long long)collect_count(&c, "infrastructure"), 0, "no devices");
    is_int((long long)collect_count(&c, "software"), 3, "without version, with one, without maker");
    one(&c, "\"source_product_id\":\"R-1\"", "\"raw\":\"< 3.0\",\"lt\":\"3.0\"");
    one(&c, "\"source_product_id\":\"R-2\"", "\"raw\":\"< 4.0\",\"lt\":\"4.0\"");
    one(&c, "\"status\":\"fixed\"", "\"source_product_id\":\"R-3\"}");
    collect_done(&c);
}

static void test_apart(void)
{
    struct collected clear;
    struct collected amber;
    struct isg_fail why = {.code = ISG_OK};
    (void)collect_fixture("csaf", "csaf/products.json", &clear, &why);
    is_int(collect_fixture("csaf", "csaf/amber.json", &amber, &why), ISG_OK, "%s", why.text);
    is_int((long long)amber.invalid, 0, "all valid: %s", amber.first.text);
    is_int((long long)collect_count(&amber, "vulnerability"), 1, "one CVE twice: two parts");
    struct isg_str rest = isg_buf_str(&amber.lines);
    struct isg_str line;
    size_t shared = 0;
    while (isg_str_split(&rest, '\n', &line)) {
        char *copy = strndup(line.p == NULL ? "" : line.p, line.n);
        char *id = copy == NULL ? NULL : strstr(copy, "\"id\":\"");
        bool ours = id != NULL && strstr(copy, "55d920b0-5e8b-4f79-9ee9-91f868d9b421") != NULL &&
                    strstr(copy, "\"type\":\"software\"") == NULL;
        if (ours) {
            id[strcspn(id + 6, "\"") + 6] = '\0';
            shared += collect_lines(&clear, id, "") > 0;
        }
        free(copy);
    }
    is_int((long long)shared, 0, "what is not CLEAR has no part in what all describe (5.5)");
    collect_done(&clear);
    collect_done(&amber);
}

static void test_refused(void)
{
    static const struct {
        const char *file;
        const char *path;
        const char *rule;
    } rows[] = {
        {"csaf/missing-product.json", "/vulnerabilities/0/product_status/known_affected/3",
         "CSAF 2.0, 6.1.1"},
        {"csaf/missing-group.json", "/vulnerabilities/0/flags/0/group_ids/1", "CSAF 2.0, 6.1.4"},
        {"csaf/two-of-one-id.json", "/product_tree", "CSAF 2.0, 6.1.2"},
        {"csaf/circular.json", "/product_tree/relationships", "CSAF 2.0, 6.1.3"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct collected c;
        struct isg_fail why = {.code = ISG_OK};
        is_int(collect_fixture("csaf", rows[i].file, &c, &why), ISG_EINVAL, "%s: %s", rows[i].file,
               why.text);
        is_str(why.path, rows[i].path, "the place");
        is_str(why.rule, rows[i].rule, "the rule");
        is_int((long long)c.objects, 0, "%s hands out nothing", rows[i].file);
        collect_done(&c);
    }
}

/* ---- large and deep ------------------------------------------------------------------------- */

static const char head[] =
    "{\"document\":{\"category\":\"csaf_security_advisory\",\"csaf_version\":\"2.0\","
    "\"distribution\":{\"tlp\":{\"label\":\"WHITE\"}},"
    "\"publisher\":{\"category\":\"vendor\",\"name\":\"ExampleMed\"},\"title\":\"t\","
    "\"tracking\":{\"id\":\"EMSA-2031-100\",\"status\":\"final\",\"version\":\"1\","
    "\"initial_release_date\":\"2031-01-01T00:00:00Z\","
    "\"current_release_date\":\"2031-01-01T00:00:00Z\"}},\"product_tree\":{";

static int map_text(struct isg_buf *text, struct collected *out, struct isg_fail *why)
{
    *why = (struct isg_fail){.code = ISG_OK};
    int err = collect_text("csaf", isg_buf_str(text), out, why);
    isg_buf_done(text);
    return err;
}

static void put_ids(struct isg_buf *text, const char *letter, int n)
{
    for (int i = 0; i < n; i++)
        isg_buf_printf(text, "%s\"%s%d\"", i > 0 ? "," : "", letter, i);
}

/* n products, all affected by each of the vulnerabilities. */
static void large(struct isg_buf *text, int n, int vulnerabilities)
{
    isg_buf_init(text, ISG_BUF_NO_MAX);
    isg_buf_puts(text, head);
    isg_buf_puts(text, "\"full_product_names\":[");
    for (int i = 0; i < n; i++)
        isg_buf_printf(text, "%s{\"name\":\"Model %d\",\"product_id\":\"P%d\"}", i > 0 ? "," : "",
                       i, i);
    isg_buf_puts(text, "]},\"vulnerabilities\":[");
    for (int i = 0; i < vulnerabilities; i++) {
        isg_buf_printf(text,
                       "%s{\"cve\":\"CVE-2031-%05d\",\"product_status\":{\"known_affected\":[",
                       i > 0 ? "," : "", i);
        put_ids(text, "P", n);
        isg_buf_puts(text, "]}}");
    }
    isg_buf_puts(text, "]}");
}

static void test_large(void)
{
    struct isg_buf text;
    struct collected c;
    struct isg_fail why;
    large(&text, 3000, 2);
    is_int(map_text(&text, &c, &why), ISG_OK, "many products: %s", why.text);
    is_int((long long)collect_count(&c, "infrastructure"), 3000, "each a device");
    is_int((long long)collect_count(&c, "relationship"), 6000, "each has both");
    is_int((long long)c.invalid, 0, "all valid: %s", c.first.text);
    collect_done(&c);
    large(&text, 3000, 70);
    is_int(map_text(&text, &c, &why), ISG_ELIMIT, "more statements than anybody reads: %s",
           why.text);
    is_int((long long)c.objects, 0, "hands out nothing");
    collect_done(&c);
}

/* One group of n, flagged again and again. */
static void test_groups(void)
{
    struct isg_buf text;
    struct collected c;
    struct isg_fail why;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    isg_buf_puts(&text, head);
    isg_buf_puts(&text, "\"full_product_names\":[{\"name\":\"Model\",\"product_id\":\"P0\"}],"
                        "\"product_groups\":[{\"group_id\":\"G0\",\"product_ids\":[");
    for (int i = 0; i < 5000; i++)
        isg_buf_puts(&text, i > 0 ? ",\"P0\"" : "\"P0\"");
    isg_buf_puts(&text, "]}]},\"vulnerabilities\":[{\"cve\":\"CVE-2031-00001\",\"flags\":[");
    for (int i = 0; i < 500; i++)
        isg_buf_printf(&text, "%s{\"label\":\"x\",\"group_ids\":[\"G0\"]}", i > 0 ? "," : "");
    isg_buf_puts(&text, "]}]}");
    is_int(map_text(&text, &c, &why), ISG_ELIMIT, "a group named too often: %s", why.text);
    collect_done(&c);
}

static int map_deep(int depth, struct isg_fail *why)
{
    struct isg_buf text;
    struct collected c;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    isg_buf_puts(&text, head);
    for (int i = 0; i < depth; i++)
        isg_buf_puts(&text, "\"branches\":[{\"category\":\"product_name\",\"name\":\"a\",");
    isg_buf_puts(&text, "\"product\":{\"name\":\"Model\",\"product_id\":\"P0\"}");
    for (int i = 0; i < depth; i++)
        isg_buf_puts(&text, "}]");
    isg_buf_puts(&text, "}}");
    int err = map_text(&text, &c, why);
    collect_done(&c);
    return err;
}

static void test_deep(void)
{
    struct isg_fail why;
    is_int(map_deep(1, &why), ISG_OK, "one branch: %s", why.text);
    is_int(map_deep(29, &why), ISG_OK, "29 branches: %s", why.text);
    ok(map_deep(31, &why) != ISG_OK, "31 branches: %s", why.text);
    ok(map_deep(5000, &why) != ISG_OK, "5000 branches: %s", why.text);
}

/* A hundred products, each installed in the one before. */
static void test_chain(void)
{
    struct isg_buf text;
    struct collected c;
    struct isg_fail why;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    isg_buf_puts(&text, head);
    isg_buf_puts(&text, "\"full_product_names\":[{\"name\":\"Model\",\"product_id\":\"P0\"}],"
                        "\"relationships\":[");
    for (int i = 1; i <= 100; i++)
        isg_buf_printf(&text,
                       "%s{\"category\":\"installed_on\",\"product_reference\":\"P%d\","
                       "\"relates_to_product_reference\":\"P%d\","
                       "\"full_product_name\":{\"name\":\"Model %d\",\"product_id\":\"P%d\"}}",
                       i > 1 ? "," : "", i < 100 ? i + 1 : 0, i < 100 ? i + 1 : 0, i, i);
    isg_buf_puts(&text, "]}}");
    is_int(map_text(&text, &c, &why), ISG_ELIMIT, "a chain of a hundred: %s", why.text);
    collect_done(&c);
}

int main(void)
{
    test_products();
    test_other_sector();
    test_apart();
    test_refused();
    test_large();
    test_groups();
    test_deep();
    test_chain();
    return tap_done();
}
