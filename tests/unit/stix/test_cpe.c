/* CPE 2.3 formatted strings: what is one, what it is cut into, and what its values say. */
#include <string.h>

#include "stix/cpe.h"
#include "tests/support/tap.h"

#define REST ":*:*:*:*:*:*:*"

/* Two attributes as written, and unquoted; NULL: no name at all. */
static const struct {
    const char *text;
    const char *vendor;
    const char *product;
    const char *plain; /* the product without quoting */
    bool value;        /* is the product one definite value? */
} rows[] = {
    {"cpe:2.3:a:examplemed:pump:3.1" REST, "examplemed", "pump", "pump", true},
    {"cpe:2.3:h:-:*:3.1" REST, "-", "*", "*", false},
    {"cpe:2.3:o:a_b:c-d.e:*" REST, "a_b", "c-d.e", "c-d.e", true},
    {"cpe:2.3:*:a:-:1" REST, "a", "-", "-", false},
    {"cpe:2.3:-:a:b:1" REST, "a", "b", "b", true},
    {"cpe:2.3:a:a:b\\:c\\\\d:1" REST, "a", "b\\:c\\\\d", "b:c\\d", true},
    {"cpe:2.3:a:a:b\\*\\?:1" REST, "a", "b\\*\\?", "b*?", true},
    {"cpe:2.3:a:a:\\-:1" REST, "a", "\\-", "-", true},
    {"cpe:2.3:a:a:*pump:1" REST, "a", "*pump", "*pump", false},
    {"cpe:2.3:a:a:??pump??:1" REST, "a", "??pump??", "??pump??", false},
    {"cpe:2.3:a:a:??:1" REST, "a", "??", "??", false},
    {"cpe:2.3:a:a:b:1:*:*:*:*:*:*:x\\:y", "a", "b", "b", true},
    /* none: the head, too few, too many, an empty one, the part, a wildcard inside, bare marks */
    {"", NULL, NULL, NULL, false},
    {"cpe:/a:a:b", NULL, NULL, NULL, false},
    {"CPE:2.3:a:a:b:1" REST, NULL, NULL, NULL, false},
    {"cpe:2.3:", NULL, NULL, NULL, false},
    {"cpe:2.3:a", NULL, NULL, NULL, false},
    {"cpe:2.3:a:a:b:1:*:*:*:*:*:*", NULL, NULL, NULL, false},
    {"cpe:2.3:a:a:b:1:*:*:*:*:*:*:", NULL, NULL, NULL, false},
    {"cpe:2.3:a:a:b:1" REST ":*", NULL, NULL, NULL, false},
    {"cpe:2.3:a:a:b:1" REST ":", NULL, NULL, NULL, false},
    {"cpe:2.3:a::b:1" REST, NULL, NULL, NULL, false},
    {"cpe:2.3:x:a:b:1" REST, NULL, NULL, NULL, false},
    {"cpe:2.3:ah:a:b:1" REST, NULL, NULL, NULL, false},
    {"cpe:2.3:a:a:b*c:1" REST, NULL, NULL, NULL, false},
    {"cpe:2.3:a:a:b?c:1" REST, NULL, NULL, NULL, false},
    {"cpe:2.3:a:a:b c:1" REST, NULL, NULL, NULL, false},
    {"cpe:2.3:a:a:b\xc3\xa4:1" REST, NULL, NULL, NULL, false},
    {"cpe:2.3:a:a:b:1:*:*:*:*:*:*:x\\", NULL, NULL, NULL, false},
};

static void is_text(struct isg_str got, const char *want, const char *name)
{
    struct isg_buf text;
    isg_buf_init(&text, 256);
    isg_buf_put_str(&text, got);
    is_str(text.p != NULL ? text.p : "", want, "%s", name);
    isg_buf_done(&text);
}

static void read_row(size_t i)
{
    struct stix_cpe cpe;
    struct isg_buf plain;
    bool good = stix_cpe_read(isg_str_of(rows[i].text), &cpe);
    is_int(good, rows[i].vendor != NULL, "%s", rows[i].text);
    if (!good || rows[i].vendor == NULL)
        return;
    struct isg_str product = cpe.attribute[STIX_CPE_PRODUCT];
    is_text(cpe.attribute[STIX_CPE_VENDOR], rows[i].vendor, "its vendor");
    is_text(product, rows[i].product, "its product");
    is_int(stix_cpe_is_value(product), rows[i].value, "which is a value or not");
    isg_buf_init(&plain, 256);
    stix_cpe_unquote(product, &plain);
    is_text(isg_buf_str(&plain), rows[i].plain, "without its quoting");
    isg_buf_done(&plain);
}

int main(void)
{
    struct stix_cpe cpe;
    struct isg_buf plain;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        read_row(i);
    ok(!stix_cpe_is_value(ISG_STR("")), "nothing is no value");
    ok(!stix_cpe_read(ISG_STR("cpe:2.3:\0:a:b:1" REST), &cpe), "a part of NUL");
    ok(!stix_cpe_read(ISG_STR("cpe:2.3:a:a:b\0c:1" REST), &cpe), "a product with a NUL in it");
    isg_buf_init(&plain, 16);
    stix_cpe_unquote(ISG_STR("a\\"), &plain);
    is_text(isg_buf_str(&plain), "a\\", "a backslash at the end quotes nothing and stays");
    isg_buf_done(&plain);
    return tap_done();
}
