/*
 * Patterns (S-106 to S-116). A case is a line of fixtures/stix/pattern-cases.tsv: rule ("any" when
 * the place of the error decides), version, "ok" or "refused", and the pattern as the inside of a
 * JSON string.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stix/base/buf.h"
#include "stix/base/time.h"
#include "stix/json.h"
#include "stix/pattern.h"
#include "tests/support/cases.h"
#include "tests/support/tap.h"

struct row {
    struct isg_str rule;
    struct isg_str version;
    struct isg_str expect;
    struct isg_str pattern;
};

static bool read_row(struct isg_str line, struct row *row)
{
    return isg_str_split(&line, '\t', &row->rule) && isg_str_split(&line, '\t', &row->version) &&
           isg_str_split(&line, '\t', &row->expect) && isg_str_split(&line, '\t', &row->pattern);
}

static struct stix_json *unquote(struct isg_str inside)
{
    struct isg_buf text;
    struct stix_json *value = NULL;
    struct isg_fail why;
    isg_buf_init(&text, 65536);
    isg_buf_putc(&text, '"');
    isg_buf_put_str(&text, inside);
    isg_buf_putc(&text, '"');
    (void)stix_json_parse(isg_buf_str(&text), NULL, &value, &why);
    isg_buf_done(&text);
    return value;
}

static void check_row(const struct row *row, size_t number)
{
    struct stix_json *value = unquote(row->pattern);
    struct isg_fail why = {0};
    if (!ok(value != NULL, "line %zu is a JSON string", number))
        return;
    int err = stix_pattern_check(
        stix_json_str(value), isg_str_is(row->version, "2.0") ? STIX_PATTERN_2_0 : STIX_PATTERN_2_1,
        &why);
    bool refused = isg_str_is(row->expect, "refused");
    bool same = refused ? err == ISG_EPARSE || err == ISG_EINVAL : err == ISG_OK;
    if (refused && !isg_str_is(row->rule, "any"))
        same = same && isg_str_is(row->rule, why.rule);
    if (!ok(same, "line %zu: %.*s %.*s", number, ISG_STR_ARG(row->rule), ISG_STR_ARG(row->expect)))
        printf("# %.*s: %d %s %s\n", ISG_STR_ARG(row->pattern), err, why.rule, why.text);
    stix_json_free(&value);
}

static void check_line(struct isg_str line, size_t number)
{
    struct row row;
    if (ok(read_row(line, &row), "line %zu has four fields", number))
        check_row(&row, number);
}

/* --- shapes that only size makes interesting: head, piece again and again, tail --- */

static const struct large {
    const char *name;
    const char *head;
    const char *piece;
    const char *tail;
    size_t times;
    int expect;
} larges[] = {
    {"a long chain of OR", "[a:b = 1", " OR a:b = 1", "]", 100000, ISG_OK},
    {"a long chain of types", "[", "a:b = 1 OR ", "a:b = 1]", 100000, ISG_OK},
    {"a long chain of AND", "[a:b = 1", " AND a:b = 1", "]", 100000, ISG_OK},
    {"many observations", "[a:b = 1]", " FOLLOWEDBY [a:b = 1]", "", 50000, ISG_OK},
    {"a long set", "[a:b IN (1", ", 1", ")]", 300000, ISG_OK},
    {"a long path", "[a:b", ".c", " = 1]", 300000, ISG_OK},
    {"many percent signs", "[a:b LIKE '", "%", "']", 1000000, ISG_OK},
    {"a long string of escapes", "[a:b = '", "\\'", "']", 500000, ISG_OK},
    {"many expressions", "[a:b MATCHES 'a'", " OR a:b MATCHES 'a'", "]", 20000, ISG_OK},
    {"brackets in observations", "", "(", "", 1000000, ISG_ELIMIT},
    {"brackets in comparisons", "[", "(", "", 1000000, ISG_ELIMIT},
    {"blanks only", "", " ", "", 1000000, ISG_EPARSE},
    {"comments", "", "/**/", "[a:b = 1]", 200000, ISG_OK},
    {"a comment that never ends", "/*", "*", "", 1000000, ISG_EPARSE},
    {"qualifiers", "[a:b = 1]", " WITHIN 5 SECONDS", "", 100000, ISG_EINVAL},
    {"digits", "[a:b = ", "9", "]", 1000000, ISG_EINVAL},
    {"digits of a float", "[a:b = 0.", "9", "]", 100000, ISG_OK},
    {"wide ranges in one operand", "[a:b MATCHES '(?i)", "[\\\\x{0}-\\\\x{10ffff}]", "']", 500,
     ISG_EINVAL},
    {"wide ranges in many operands", "[a:b = 1", " OR a:b MATCHES '(?i)[\\\\x{0}-\\\\x{10ffff}]'",
     "]", 25000, ISG_EINVAL},
    {"names of groups", "[a:b MATCHES '(?J)", "(?<abc>a)", "']", 1700, ISG_OK},
    {"an expression that is too long", "[a:b MATCHES '", "a", "']", 1000000, ISG_EINVAL},
};

static void check_larges(void)
{
    for (size_t i = 0; i < sizeof larges / sizeof larges[0]; i++) {
        const struct large *large = &larges[i];
        struct isg_buf text;
        struct isg_fail why;
        isg_buf_init(&text, ISG_BUF_NO_MAX);
        isg_buf_puts(&text, large->head);
        for (size_t j = 0; j < large->times; j++)
            isg_buf_puts(&text, large->piece);
        isg_buf_puts(&text, large->tail);
        int64_t start = isg_time_mono_us();
        is_int(stix_pattern_check(isg_buf_str(&text), STIX_PATTERN_2_1, &why), large->expect, "%s",
               large->name);
        printf("# %lld us for %zu bytes\n", (long long)(isg_time_mono_us() - start), text.len);
        isg_buf_done(&text);
    }
}

/* --- nesting and messages --- */

static int check_nested(int depth)
{
    struct isg_buf text;
    struct isg_fail why;
    isg_buf_init(&text, 65536);
    for (int i = 0; i < depth - 1; i++)
        isg_buf_putc(&text, '(');
    isg_buf_puts(&text, "[a:b = 1]");
    for (int i = 0; i < depth - 1; i++)
        isg_buf_putc(&text, ')');
    int err = stix_pattern_check(isg_buf_str(&text), STIX_PATTERN_2_1, &why);
    isg_buf_done(&text);
    return err;
}

static void check_messages(void)
{
    struct isg_fail why;
    is_int(stix_pattern_check(ISG_STR("[a:b = '\xc3\xa4\xc3\xb6' x]"), STIX_PATTERN_2_1, &why),
           ISG_EPARSE, "a stray word");
    ok(strstr(why.text, "character 12") != NULL, "the offset is in characters: %s", why.text);
    is_int(stix_pattern_check(ISG_STR("[a:b = '\xff']"), STIX_PATTERN_2_1, &why), ISG_EPARSE,
           "not UTF-8");
    is_str(why.rule, "S-001", "and says so");
    is_int(stix_pattern_check((struct isg_str){NULL, 0}, STIX_PATTERN_2_1, &why), ISG_EPARSE,
           "nothing at all");
    is_int(check_nested(64), ISG_OK, "64 levels");
    is_int(check_nested(65), ISG_ELIMIT, "65 levels");
}

int main(void)
{
    cases_each("stix/pattern-cases.tsv", check_line);
    check_larges();
    check_messages();
    return tap_done();
}
