/*
 * Whatever an indicator holds, no format gets a record more than the rows that were counted: no
 * second rule, line, cell, formula or name. Values and names are put together from pieces that mean
 * something to some reader; the readers of tests/support know the structure of each format only.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/share/export.h"
#include "stix/base/jsonw.h"
#include "tests/support/exports.h"
#include "tests/support/tap.h"

enum { CASES = 1000, INDICATORS = 4 };

static uint64_t state = 20260301;

static size_t pick(size_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state % n);
}

#define PICK(words) (words)[pick(sizeof(words) / sizeof *(words))]

static const char *const pieces[] = {
    "\n",
    "\r\n",
    "\r",
    "\t",
    "\x01",
    "\x1b[2J",
    "\x7f",
    "\xc2\x85",
    "\xe2\x80\xa8",
    "\xe2\x80\xa9",
    "\xe2\x80\xae",
    "\xef\xbb\xbf",
    "\xef\xbc\x9d",
    "\"",
    "'",
    "\\",
    "\\x0a",
    "\\x09",
    "|",
    "|0A|",
    ";",
    "; sid:1;",
    "\"; sid:2; )",
    ")\nalert ip any any",
    "=",
    "+",
    "-",
    "@",
    "=cmd|'/c'!A1",
    ",",
    "\",\"",
    "#",
    "#fields",
    "%0a",
    "%",
    "$INCLUDE",
    "$ORIGIN",
    "*",
    "*.",
    ".",
    " IN A 1.2.3.4",
    "rpz-ip",
    "(empty)",
    "-",
    "a",
    "z9",
    "\xc3\xa9",
    "\xf0\x9f\x92\x89",
    "/",
    "?",
    ":",
    "//",
    "[",
    "]",
    "{",
    "}",
    "</script>",
    "../",
    "&",
    " ",
};

/* Values that are good until pieces come in between, and some that are not. */
static const struct {
    const char *start, *before, *after;
} values[] = {
    {"[url:value = '", "http://bad.example/", ""},
    {"[url:value = '", "http://bad.example/", "x?y"},
    {"[url:value = '", "http://", ".example/"},
    {"[url:value = '", "", "bad.example"},
    {"[domain-name:value = '", "bad", ".example"},
    {"[domain-name:value = '", "", ".example"},
    {"[domain-name:value = '", "bad.", ""},
    {"[email-addr:value = '", "x", "@bad.example"},
    {"[email-addr:value = '", "", "@bad.example"},
    {"[ipv4-addr:value = '", "198.51.100.7", ""},
    {"[ipv4-addr:value ISSUBSET '", "198.51.100.0", "/24"},
    {"[file:hashes.MD5 = '", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ""},
    {"[network-traffic:dst_port = 1 AND network-traffic:dst_ref.value = '", "198.51.100.7", ""},
};

static void put_pieces(struct isg_buf *out, size_t most, bool pattern)
{
    for (size_t n = pick(most + 1); n > 0; n--) {
        for (const char *c = PICK(pieces); *c != '\0'; c++) {
            if (pattern && (*c == '\'' || *c == '\\'))
                isg_buf_putc(out, '\\');
            isg_buf_putc(out, *c);
        }
    }
}

static void put_text(struct isg_buf *out, const char *name)
{
    struct isg_buf text;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    put_pieces(&text, 5, false);
    isg_buf_printf(out, ",\"%s\":\"", name);
    isg_json_escape(out, isg_buf_str(&text));
    isg_buf_putc(out, '"');
    isg_buf_done(&text);
}

static void add_one(struct export *run, unsigned number)
{
    struct isg_buf pattern;
    struct isg_buf more;
    isg_buf_init(&pattern, ISG_BUF_NO_MAX);
    isg_buf_init(&more, ISG_BUF_NO_MAX);
    size_t value = pick(sizeof values / sizeof values[0]);
    isg_buf_puts(&pattern, values[value].start);
    isg_buf_puts(&pattern, values[value].before);
    put_pieces(&pattern, 3, true);
    isg_buf_puts(&pattern, values[value].after);
    isg_buf_puts(&pattern, "']");
    isg_buf_printf(&more, "\"x\":%u", number);
    put_text(&more, "id");
    put_text(&more, "name");
    put_text(&more, "description");
    put_text(&more, "created_by_ref");
    exports_add(run, isg_buf_str(&pattern), more.p);
    isg_buf_done(&more);
    isg_buf_done(&pattern);
}

static uint64_t one_case(const struct export_format *format)
{
    struct export *run = exports_begin(export_format_name(format), NULL);
    for (unsigned i = 0; i < INDICATORS; i++)
        add_one(run, i);
    int err = export_finish(run, NULL);
    uint64_t rows = export_counts(run)->rows;
    const char *wrong = exports_wrong(format, run);
    if (err != ISG_OK || wrong != NULL)
        ok(false, "%s: %s in:\n%s", export_format_name(format), wrong != NULL ? wrong : "an error",
           export_text(run)->p);
    export_free(&run);
    return rows;
}

int main(void)
{
    const struct export_format *format;
    for (unsigned i = 0; (format = export_format_at(i)) != NULL; i++) {
        uint64_t rows = 0;
        for (unsigned n = 0; n < CASES; n++)
            rows += one_case(format);
        ok(rows > CASES / 10, "%s keeps its structure over %llu rows", export_format_name(format),
           (unsigned long long)rows);
    }
    return tap_done();
}
