/*
 * Evaluating and comparing patterns (S-117 to S-129). A case is a line of
 * fixtures/stix/match-cases.ndjson: {"rule","pattern","observations","match"}, where match null is
 * a pattern that is refused; or a line of equiv-cases.tsv: yes or no, and two patterns.
 */
#include <stdio.h>
#include <stdlib.h>

#include "stix/base/buf.h"
#include "stix/base/time.h"
#include "stix/match.h"
#include "stix/pattern.h"
#include "tests/support/cases.h"
#include "tests/support/tap.h"

static void check_case(const struct stix_json *row, size_t number)
{
    const struct stix_json *want = stix_json_get(row, "match");
    struct isg_str pattern = stix_json_get_str(row, "pattern");
    struct isg_str rule = stix_json_get_str(row, "rule");
    struct isg_fail why = {0};
    bool match = false;
    int err =
        stix_match(pattern, STIX_PATTERN_2_1, stix_json_get(row, "observations"), &match, &why);
    bool same = want == NULL ? err == ISG_EPARSE || err == ISG_EINVAL
                             : err == ISG_OK && match == stix_json_bool(want);
    if (!ok(same, "line %zu: %.*s", number, ISG_STR_ARG(rule)))
        printf("# %.*s: %d %s\n", ISG_STR_ARG(pattern), err, why.text);
}

static void check_cases(void)
{
    size_t n = 0;
    size_t number = 0;
    char *text = tap_slurp(ISG_FIXTURES "/stix/match-cases.ndjson", &n);
    struct isg_str rest = {text, n};
    struct isg_str line;
    ok(text != NULL, "the cases are there");
    while (isg_str_split(&rest, '\n', &line)) {
        struct stix_json *row = NULL;
        number++;
        if (line.n > 0 && ok(stix_json_parse(line, NULL, &row, NULL) == ISG_OK, "line %zu", number))
            check_case(row, number);
        stix_json_free(&row);
    }
    free(text);
}

/* --- equivalence --- */

/* The normal form of a normal form is itself, and equivalent to what it was made of. */
static void check_form(struct isg_str pattern, size_t number)
{
    struct isg_buf once;
    struct isg_buf twice;
    isg_buf_init(&once, 65536);
    isg_buf_init(&twice, 65536);
    bool good = stix_pattern_print(pattern, STIX_PATTERN_2_1, &once, NULL) == ISG_OK &&
                stix_pattern_print(isg_buf_str(&once), STIX_PATTERN_2_1, &twice, NULL) == ISG_OK;
    ok(good && isg_str_eq(isg_buf_str(&once), isg_buf_str(&twice)), "line %zu: a form stays",
       number);
    isg_buf_done(&once);
    isg_buf_done(&twice);
}

static void check_pair(struct isg_str line, size_t number)
{
    struct isg_str yes = {NULL, 0};
    struct isg_str a = {NULL, 0};
    struct isg_str b = {NULL, 0};
    struct isg_fail why = {0};
    bool same = false;
    bool back = false;
    if (!ok(isg_str_split(&line, '\t', &yes) && isg_str_split(&line, '\t', &a) &&
                isg_str_split(&line, '\t', &b),
            "line %zu has three fields", number))
        return;
    int err = stix_pattern_equivalent(a, b, STIX_PATTERN_2_1, &same, &why);
    (void)stix_pattern_equivalent(b, a, STIX_PATTERN_2_1, &back, &why);
    if (!ok(err == ISG_OK && same == isg_str_is(yes, "yes") && back == same, "line %zu: %.*s",
            number, ISG_STR_ARG(yes)))
        printf("# %.*s | %.*s: %d %s\n", ISG_STR_ARG(a), ISG_STR_ARG(b), err, why.text);
    check_form(a, number);
    check_form(b, number);
}

/* As many brackets as there may be, with operators at each level. */
static void nest(struct isg_buf *out, const char *head, const char *tail)
{
    enum { LEVELS = 63 };
    isg_buf_reset(out);
    for (int i = 0; i < LEVELS; i++)
        isg_buf_puts(out, head);
    isg_buf_puts(out, "[a:b = 1]");
    for (int i = 0; i < LEVELS; i++)
        isg_buf_puts(out, tail);
}

/* A form is a pattern: not nested more deeply than one may be, or there is none. */
static void check_nested(void)
{
    struct isg_buf pattern;
    struct isg_buf form;
    bool same = false;
    isg_buf_init(&pattern, 65536);
    isg_buf_init(&form, 65536);
    nest(&pattern, "(", " AND [a:c = 1] OR [a:d = 1]) REPEATS 2 TIMES");
    check_form(isg_buf_str(&pattern), 0);
    nest(&pattern, "([a:c = 1] FOLLOWEDBY ", " OR [a:d = 1]) REPEATS 2 TIMES");
    is_int(stix_pattern_check(isg_buf_str(&pattern), STIX_PATTERN_2_1, NULL), ISG_OK, "a pattern");
    is_int(stix_pattern_print(isg_buf_str(&pattern), STIX_PATTERN_2_1, &form, NULL), ISG_ELIMIT,
           "whose form would be none");
    isg_buf_put_str(&form, isg_buf_str(&pattern));
    isg_buf_putc(&form, ' ');
    is_int(stix_pattern_equivalent(isg_buf_str(&pattern), isg_buf_str(&form), STIX_PATTERN_2_1,
                                   &same, NULL),
           ISG_OK, "can be compared");
    ok(same, "with itself");
    isg_buf_done(&pattern);
    isg_buf_done(&form);
}

static void check_pairs(void)
{
    cases_each("stix/equiv-cases.tsv", check_pair);
    check_nested();
}

/* --- work that grows: head, piece again and again, tail; over so many observations (S-129) --- */

static const struct large {
    const char *name;
    const char *head;
    const char *piece;
    const char *tail;
    size_t times;
    size_t observations;
    size_t length; /* of the name in each */
    int err;
    bool match;
} larges[] = {
    {"OR of a megabyte", "[x-e:n = 0", " OR x-e:k = 'zzzz'", "]", 55000, 4, 1, ISG_OK, false},
    {"AND of a megabyte", "[x-e:n > 0", " AND x-e:k = 'a'", "]", 60000, 4, 1, ISG_OK, true},
    {"many alternatives", "[x-e:n = 0]", " OR [x-e:k = 'z']", "", 50000, 4, 1, ISG_OK, false},
    {"many alternatives with qualifiers", "[x-e:n = 0]", " OR [x-e:k = 'z'] REPEATS 2 TIMES", "",
     40000, 1, 1, ISG_OK, false},
    {"many observations", "[x-e:n > 0]", " AND [x-e:n > 0]", "", 299, 300, 1, ISG_OK, true},
    {"one too many", "[x-e:n > 0]", " AND [x-e:n > 0]", "", 300, 300, 1, ISG_OK, false},
    {"a long order", "[x-e:n > 0]", " FOLLOWEDBY [x-e:n > 0]", "", 299, 300, 1, ISG_OK, true},
    {"a wrong order", "[x-e:n > 290] FOLLOWEDBY [x-e:n = 1]", " FOLLOWEDBY [x-e:n > 0]", "", 9, 300,
     1, ISG_OK, false},
    {"REPEATS 1000", "[x-e:n > 0] REPEATS 1000 TIMES", "", "", 0, 1000, 1, ISG_OK, true},
    {"REPEATS 1001", "[x-e:n > 0] REPEATS 1001 TIMES", "", "", 0, 1000, 1, ISG_OK, false},
    {"in time", "[x-e:n > 0] REPEATS 500 TIMES WITHIN 500 SECONDS", "", "", 0, 1000, 1, ISG_OK,
     true},
    {"not in time", "[x-e:n > 0] REPEATS 500 TIMES WITHIN 499 SECONDS", "", "", 0, 1000, 1, ISG_OK,
     false},
    {"pairs", "([x-e:n > 0] FOLLOWEDBY [x-e:n > 5]) REPEATS 100 TIMES", "", "", 0, 200, 1, ISG_OK,
     true},
    {"windows that one is too small for", "([x-e:n > 10] REPEATS 20 TIMES) WITHIN 3 SECONDS",
     " AND ([x-e:n > 10] REPEATS 20 TIMES) WITHIN 100 SECONDS", "", 9, 1000, 1, ISG_OK, false},
    {"windows in windows",
     "(([x-e:n > 0] REPEATS 5 TIMES WITHIN 9 SECONDS) FOLLOWEDBY ([x-e:n > 500] REPEATS 50 TIMES "
     "WITHIN 60 SECONDS)) WITHIN 40 SECONDS",
     "", "", 0, 1000, 1, ISG_OK, false},
    {"orders that none can keep", "([x-e:n > 500] FOLLOWEDBY [x-e:n < 490]) REPEATS 5 TIMES",
     " AND [x-e:n > 0] REPEATS 50 TIMES", "", 9, 1000, 1, ISG_OK, false},
    {"pairs of the later half", "([x-e:n > 500] FOLLOWEDBY [x-e:n > 0]) REPEATS 250 TIMES", "", "",
     0, 1000, 1, ISG_OK, true},
    {"one pair more", "([x-e:n > 500] FOLLOWEDBY [x-e:n > 0]) REPEATS 251 TIMES", "", "", 0, 1000,
     1, ISG_OK, false},
    {"triples in time", "(([x-e:n > 0] REPEATS 3 TIMES) WITHIN 3 SECONDS) REPEATS 333 TIMES", "",
     "", 0, 1000, 1, ISG_OK, true},
    {"ten steps in time", "([x-e:n > 0]", " FOLLOWEDBY [x-e:n > 0] REPEATS 5 TIMES",
     ") WITHIN 46 SECONDS", 9, 1000, 1, ISG_OK, true},
    {"ten steps too slow", "([x-e:n > 0]", " FOLLOWEDBY [x-e:n > 0] REPEATS 5 TIMES",
     ") WITHIN 45 SECONDS", 9, 1000, 1, ISG_OK, false},
    {"backtracking", "[x-e:k MATCHES '(a+)+$']", "", "", 0, 20, 10000, ISG_ELIMIT, false},
    {"many percent signs", "[x-e:k LIKE '", "%a", "x']", 5000, 2, 10000, ISG_OK, false},
    {"brackets", "", "(", "", 100000, 1, 1, ISG_ELIMIT, false},
};

static void put_observations(struct isg_buf *out, const struct large *large)
{
    isg_buf_putc(out, '[');
    for (size_t i = 0; i < large->observations; i++) {
        char at[ISG_TIME_TEXT];
        isg_time_format((int64_t)i * 1000000, 0, at);
        isg_buf_printf(out,
                       "%s{\"type\":\"observed-data\",\"first_observed\":\"%s\","
                       "\"last_observed\":\"%s\",\"number_observed\":1,"
                       "\"objects\":{\"0\":{\"type\":\"x-e\",\"n\":%zu,\"k\":\"",
                       i > 0 ? "," : "", at, at, i + 1);
        for (size_t j = 0; j < large->length; j++)
            isg_buf_putc(out, 'a');
        isg_buf_printf(out, "%s\"}}}", large->length > 1 ? "b" : "");
    }
    isg_buf_putc(out, ']');
}

static void check_large(const struct large *large)
{
    struct isg_buf text;
    struct isg_buf json;
    struct stix_json *observations = NULL;
    struct isg_fail why = {0};
    bool match = false;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    isg_buf_init(&json, ISG_BUF_NO_MAX);
    put_observations(&json, large);
    isg_buf_puts(&text, large->head);
    for (size_t i = 0; i < large->times; i++)
        isg_buf_puts(&text, large->piece);
    isg_buf_puts(&text, large->tail);
    ok(stix_json_parse(isg_buf_str(&json), NULL, &observations, &why) == ISG_OK, "%s: JSON",
       large->name);
    int64_t start = isg_time_mono_us();
    is_int(stix_match(isg_buf_str(&text), STIX_PATTERN_2_1, observations, &match, &why), large->err,
           "%s", large->name);
    int64_t took = isg_time_mono_us() - start;
    ok(match == large->match, "%s: %s", large->name, large->match ? "a match" : "no match");
    ok(took < INT64_C(60000000), "%s took %lld us", large->name, (long long)took);
    stix_json_free(&observations);
    isg_buf_done(&json);
    isg_buf_done(&text);
}

/* --- 2.0, and observations that are none --- */

static int match_one(const char *pattern, enum stix_pattern_version version, const char *text,
                     bool *out)
{
    struct stix_json *json = NULL;
    struct isg_fail why;
    (void)stix_json_parse(isg_str_of(text), NULL, &json, &why);
    int err = stix_match(isg_str_of(pattern), version, json, out, &why);
    stix_json_free(&json);
    return err;
}

static void check_edges(void)
{
    static const char *const seen =
        "{\"type\":\"observed-data\",\"first_observed\":\"2026-01-01T00:00:00Z\","
        "\"last_observed\":\"2026-01-01T00:00:00Z\",\"number_observed\":1,"
        "\"objects\":{\"0\":{\"type\":\"x-e\",\"k\":null}}}";
    static const char *const wrong[] = {
        "[1]", "[{\"objects\":{}}]",
        "[{\"objects\":{},\"first_observed\":\"2026-01-01T00:00:02Z\","
        "\"last_observed\":\"2026-01-01T00:00:01Z\"}]",
        "[{\"objects\":{},\"first_observed\":\"2026-01-01T00:00:00Z\","
        "\"last_observed\":\"2026-01-01T00:00:00Z\",\"number_observed\":0}]"};
    static const char *const period =
        "[x-e:k != 'a'] START '2026-01-01T00:00:00Z' STOP '2026-01-01T00:00:01Z'";
    bool match = false;
    is_int(match_one(period, STIX_PATTERN_2_0, seen, &match), ISG_OK, "a 2.0 pattern");
    ok(match, "strings are times there, null is not equal to anything");
    is_int(match_one(period, STIX_PATTERN_2_1, seen, &match), ISG_EPARSE, "not in 2.1");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        is_int(match_one("[x-e:k = 1]", STIX_PATTERN_2_1, wrong[i], &match), ISG_EINVAL,
               "wrong observations %zu", i);
}

/* What is wrong is named by its place. */
static void check_places(void)
{
    static const struct {
        const char *observations;
        const char *path;
    } rows[] = {{"[{\"type\":\"file\"},7]", "/1"},
                {"[{\"type\":\"tool\"}]", "/0/type"},
                {"{\"type\":\"bundle\",\"objects\":[{\"type\":\"file\"},{\"objects\":{}}]}",
                 "/objects/1/first_observed"},
                {"[{\"objects\":[{\"objects\":{},\"number_observed\":0}]}]",
                 "/0/objects/0/number_observed"},
                {"[{\"type\":\"observed-data\",\"objects\":[]}]", "/0/first_observed"},
                {"{\"type\":\"bundle\",\"objects\":7}", "/objects"},
                {"7", ""}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct stix_json *json = NULL;
        struct isg_fail why = {0};
        bool match = false;
        (void)stix_json_parse(isg_str_of(rows[i].observations), NULL, &json, &why);
        is_int(stix_match(ISG_STR("[x-e:k = 1]"), STIX_PATTERN_2_1, json, &match, &why), ISG_EINVAL,
               "%s", rows[i].observations);
        is_str(why.path, rows[i].path, "and where");
        is_str(why.rule, "S-039", "and why");
        stix_json_free(&json);
    }
}

int main(void)
{
    check_cases();
    check_pairs();
    for (size_t i = 0; i < sizeof larges / sizeof larges[0]; i++)
        check_large(&larges[i]);
    check_edges();
    check_places();
    return tap_done();
}
