#include "stix/cpe.h"
#include "tests/support/tap.h"

static void test_read(void)
{
    static const struct {
        const char *text;
        bool want;
        const char *product, *version;
    } rows[] = {
        {"cpe:2.3:o:examplemed:pump_firmware:3.1:*:*:*:*:*:*:*", true, "pump_firmware", "3.1"},
        {"cpe:2.3:a:a\\:b:view\\:er\\&more:-:*:*:*:*:*:*:*", true, "view\\:er\\&more", "-"},
        {"cpe:2.3:*:a:b:1.?:*:*:*:*:*:*:*", true, "b", "1.?"},
        {"cpe:2.3:a:a:b:*:*:*:*:*:*:*:*", true, "b", "*"},
        {"cpe:/a:old:name:1.0", false, NULL, NULL},
        {"cpe:2.3:x:a:b:1:*:*:*:*:*:*:*", false, NULL, NULL},
        {"cpe:2.3:a:a:b:1:*:*:*:*:*:*", false, NULL, NULL},
        {"cpe:2.3:a:a:b:1:*:*:*:*:*:*:*:*", false, NULL, NULL},
        {"cpe:2.3:a:a::1:*:*:*:*:*:*:*", false, NULL, NULL},
        {"cpe:2.3:a:a:b c:1:*:*:*:*:*:*:*", false, NULL, NULL},
        {"cpe:2.3:a:a:b:1:*:*:*:*:*:*:\\", false, NULL, NULL},
        {"", false, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct stix_cpe cpe;
        bool good = stix_cpe_read(isg_str_of(rows[i].text), &cpe);
        is_int(good, rows[i].want, "%s", rows[i].text);
        if (good && rows[i].want)
            ok(isg_str_is(cpe.attribute[STIX_CPE_PRODUCT], rows[i].product) &&
                   isg_str_is(cpe.attribute[STIX_CPE_VERSION], rows[i].version),
               "%s of version %s", rows[i].product, rows[i].version);
    }
}

static void test_values(void)
{
    static const struct {
        const char *attribute;
        bool is_value;
        const char *unquoted;
    } rows[] = {
        {"3.1", true, "3.1"},     {"view\\:er\\&more", true, "view:er&more"},
        {"\\*", true, "*"},       {"*", false, "*"},
        {"-", false, "-"},        {"3.*", false, "3.*"},
        {"a\\\\b", true, "a\\b"}, {"", false, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct isg_buf text;
        isg_buf_init(&text, 64);
        is_int(stix_cpe_is_value(isg_str_of(rows[i].attribute)), rows[i].is_value,
               "`%s` is one value, or is not", rows[i].attribute);
        stix_cpe_unquote(isg_str_of(rows[i].attribute), &text);
        ok(isg_str_is(isg_buf_str(&text), rows[i].unquoted), "without quotes: %s",
           rows[i].unquoted);
        isg_buf_done(&text);
    }
}

int main(void)
{
    test_read();
    test_values();
    return tap_done();
}
