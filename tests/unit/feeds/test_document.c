/* Packed files and charsets. */
#include <string.h>

#include "feeds/document.h"
#include "tests/support/tap.h"

/* "hello, pump\n" as gzip makes it. */
static const char packed[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\xd7"
                             "\x51\x28\x28\xcd\x2d\xe0\x02\x00\x9e\xec\x28\x29\x0c\x00\x00\x00";

static struct isg_buf text;
static struct isg_fail why;

static void set(const char *p, size_t n)
{
    isg_buf_reset(&text);
    isg_buf_put(&text, p, n);
}

static void test_charsets(void)
{
    static const struct {
        const char *type;
        struct isg_str in;
        int code;
        const char *out;
    } rows[] = {
        {NULL, {"plain", 5}, ISG_OK, "plain"},
        {NULL, {"\xef\xbb\xbf{}", 5}, ISG_OK, "{}"},
        {"text/csv; charset=utf-8", {"Caf\xc3\xa9", 5}, ISG_OK, "Caf\xc3\xa9"},
        {"text/csv; charset=\"ISO-8859-1\"", {"Caf\xe9", 4}, ISG_OK, "Caf\xc3\xa9"},
        {"text/csv;charset=windows-1252", {"\x80 1", 3}, ISG_OK, "\xe2\x82\xac 1"},
        /* said by habit, not true */
        {"text/csv; charset=iso-8859-1", {"Caf\xc3\xa9", 5}, ISG_OK, "Caf\xc3\xa9"},
        {"text/csv; charset=koi8-r", {"plain", 5}, ISG_OK, "plain"},
        {"text/csv; charset=koi8-r", {"\xc1", 1}, ISG_EPARSE, NULL},
        {NULL, {"\xff\xfe{\0}\0", 6}, ISG_OK, "{}"},
        {NULL, {"\xfe\xff\0{\0}", 6}, ISG_OK, "{}"},
        {NULL, {"\xff\xfe\x3d\xd8\x00\xde", 6}, ISG_OK, "\xf0\x9f\x98\x80"},
        {"application/json; charset=utf-16le", {"{\0}\0", 4}, ISG_OK, "{}"},
        {NULL, {"\xff\xfe{", 3}, ISG_EPARSE, NULL},
        {NULL, {"\xff\xfe\x3d\xd8", 4}, ISG_EPARSE, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set(rows[i].in.p, rows[i].in.n);
        is_int(document_decode(isg_str_of(rows[i].type), &text, &why), rows[i].code, "row %zu", i);
        if (rows[i].out != NULL)
            is_str(text.p, rows[i].out, "row %zu: text", i);
    }
}

static void test_packed(void)
{
    size_t n = sizeof packed - 1;
    set(packed, n);
    is_int(document_unpack(&text, 0, 0, &why), ISG_OK, "unpacked: %s", why.text);
    is_str(text.p, "hello, pump\n", "text");
    set(packed, n);
    isg_buf_put(&text, packed, n);
    is_int(document_unpack(&text, 0, 0, &why), ISG_OK, "two members");
    is_str(text.p, "hello, pump\nhello, pump\n", "both");
    for (size_t cut = 2; cut < n; cut++) {
        set(packed, cut);
        is_int(document_unpack(&text, 0, 0, &why), ISG_EPARSE, "cut short at %zu", cut);
    }
    set(packed, n);
    isg_buf_puts(&text, "tail");
    is_int(document_unpack(&text, 0, 0, &why), ISG_EPARSE, "something else behind it");
    set(packed, n);
    is_int(document_unpack(&text, 5, 0, &why), ISG_ELIMIT, "more than allowed comes out");
    set("plain", 5);
    is_int(document_unpack(&text, 0, 0, &why), ISG_OK, "not packed");
    is_str(text.p, "plain", "stays");
}

int main(void)
{
    isg_buf_init(&text, 4096);
    test_charsets();
    test_packed();
    isg_buf_done(&text);
    return tap_done();
}
