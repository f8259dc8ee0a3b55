#include <string.h>

#include "collect.h"
#include "tests/support/tap.h"

int main(void)
{
    static const struct {
        const char *file;
        int code;
        long long objects;
        long long invalid;
    } rows[] = {
        {"stix/bundle.json", ISG_OK, 2, 0},
        {"stix/list.json", ISG_OK, 3, 0},
        {"stix/envelope.json", ISG_OK, 1, 0},
        {"stix/one.json", ISG_OK, 1, 0},
        {"stix/observed-old.json", ISG_OK, 1, 0},
        {"stix/one-bad.json", ISG_OK, 3, 1},  /* handed out for ingest to refuse */
        {"stix/bundle20.json", ISG_OK, 1, 0}, /* lifted (S-132) */
        {"stix/cut-short.json", ISG_EPARSE, 0, 0},
        {"stix/other.json", ISG_EINVAL, 0, 0},
        {"kev/page.html", ISG_EPARSE, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct collected c;
        struct isg_fail why = {.code = ISG_OK};
        is_int(collect_fixture("stix", rows[i].file, &c, &why), rows[i].code, "%s: %s",
               rows[i].file, why.text);
        is_int((long long)c.objects, rows[i].objects, "%s: objects", rows[i].file);
        is_int((long long)c.invalid, rows[i].invalid, "%s: invalid: %s", rows[i].file,
               c.first.text);
        collect_done(&c);
    }
    struct collected c;
    struct isg_fail why = {.code = ISG_OK};
    struct isg_str text = ISG_STR("\xef\xbb\xbf [ {\"type\":\"x-y\" , \"id\":\"z\"} ] ");
    is_int(collect_text("stix", text, &c, &why), ISG_OK, "a byte order mark is passed over");
    ok(isg_str_is(isg_buf_str(&c.lines), "{\"type\":\"x-y\" , \"id\":\"z\"}\n"),
       "bytes stay as sent");
    collect_done(&c);
    is_int(collect_text("stix", ISG_STR("  "), &c, &why), ISG_EPARSE, "an empty document");
    collect_done(&c);
    ok(feed_is_html(ISG_STR("text/html; charset=utf-8"), ISG_STR("Sorry")), "HTML by its type");
    ok(feed_is_html((struct isg_str){0}, ISG_STR(" <HTML>")), "HTML by its first tag");
    ok(!feed_is_html(ISG_STR("text/html"), ISG_STR("{}")), "JSON of the wrong type is JSON");
    return tap_done();
}
