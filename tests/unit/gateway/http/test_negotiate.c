/*
 * What a client takes and sends. A case is a line of fixtures/http/negotiate-cases.tsv: which header,
 * "yes" or "no", and its value.
 */
#include <stdlib.h>

#include "gateway/http/negotiate.h"
#include "tests/support/cases.h"
#include "tests/support/tap.h"

static const struct {
    const char *name;
    bool (*judge)(struct isg_str value);
    bool absent; /* the answer where there is no such header */
} headers[] = {
    {"accept", http_accepts_taxii, true},      /* T-010, T-016, T-017, T-019, T-022, X-02 */
    {"encoding", http_accepts_gzip, false},    /* RFC 9110, 12.5.3 */
    {"content", http_is_taxii_content, false}, /* T-018, T-020, T-022 */
};

enum { HEADERS = sizeof headers / sizeof headers[0] };

/* Values of each header that are taken and that are not. */
static size_t seen[HEADERS][2];

static void check_row(struct isg_str line, size_t number)
{
    struct isg_str header;
    struct isg_str expect;
    struct isg_str value;
    size_t at = HEADERS;
    if (isg_str_split(&line, '\t', &header) && isg_str_split(&line, '\t', &expect))
        for (at = 0; at < HEADERS && !isg_str_is(header, headers[at].name);)
            at++;
    value = line; /* may hold tabs, or nothing */
    if (!ok(at < HEADERS, "line %zu names a header", number))
        return;
    bool yes = isg_str_is(expect, "yes");
    seen[at][yes]++;
    is_int(headers[at].judge(value), yes, "line %zu: %s: %.*s", number, headers[at].name,
           ISG_STR_ARG(value));
}

static void test_rows(void)
{
    cases_each("http/negotiate-cases.tsv", check_row);
    for (size_t i = 0; i < HEADERS; i++) {
        ok(seen[i][0] > 0 && seen[i][1] > 0, "%s: values that fit and that do not",
           headers[i].name);
        is_int(headers[i].judge((struct isg_str){NULL, 0}), headers[i].absent, "%s: absent",
               headers[i].name);
    }
}

static void test_query(void)
{
    struct isg_str rest = ISG_STR("a=1&&b&c=&=d&e=f=g%26");
    static const struct {
        const char *name;
        const char *value;
    } rows[] = {{"a", "1"}, {"b", ""}, {"c", ""}, {"", "d"}, {"e", "f=g%26"}};
    struct isg_str name;
    struct isg_str value;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ok(http_query_next(&rest, &name, &value), "query piece %zu", i);
        ok(isg_str_is(name, rows[i].name) && isg_str_is(value, rows[i].value) && value.p != NULL,
           "query piece %zu is %s=%s", i, rows[i].name, rows[i].value);
    }
    ok(!http_query_next(&rest, &name, &value), "the query ends");
}

int main(void)
{
    test_rows();
    ok(http_accepts(ISG_STR("text/plain"), "text/plain", NULL), "a type without version");
    ok(!http_accepts(ISG_STR("text/plain;version=1"), "text/plain", NULL), "asked for a version");
    ok(http_accept_names(ISG_STR("*/*;q=0.5, a/b;version=1"), "a/b", "1"), "named");
    ok(http_accept_names(ISG_STR("x/y, A/B"), "a/b", "1"), "named without version");
    ok(!http_accept_names(ISG_STR("*/*, a/*"), "a/b", "1"), "stars name nothing");
    ok(!http_accept_names(ISG_STR("a/b;q=0, */*"), "a/b", "1"), "named, and refused");
    ok(!http_accept_names(ISG_STR(""), "a/b", "1"), "nothing is named");
    test_query();
    return tap_done();
}
