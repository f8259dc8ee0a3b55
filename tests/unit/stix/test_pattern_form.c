/*
 * The normal form keeps the meaning: random patterns and what stix_pattern_print makes of them
 * match the same random observations. The form of a form is itself. Then patterns with equal forms do, which is all that
 * stix_pattern_equivalent calls equivalent.
 */
#include <stdio.h>
#include <stdlib.h>

#include "stix/base/buf.h"
#include "stix/match.h"
#include "stix/pattern.h"
#include "tests/support/tap.h"

enum { CASES = 4000, SCENES = 4 };

static uint64_t state = 20260302;

static int pick(int n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (int)(state % (uint64_t)n);
}

#define PICK(words) (words)[pick((int)(sizeof(words) / sizeof *(words)))]

/* --- observations --- */

static void put_values(struct isg_buf *out)
{
    static const char *const numbers[] = {"1", "2", "1.0", "1.5", "\"1\"", "true", "null", "[1]"};
    static const char *const texts[] = {"\"a\"", "\"b\"", "\"ab\"", "\"A\"", "\"a%\"", "\"\"", "1"};
    static const char *const lists[] = {"[]", "[1]", "[1,2]", "[2,\"a\"]", "[3,1.5]", "1"};
    static const char *const octets[] = {"\"61\"", "\"6162\"", "\"ff\"", "\"a\"", "\"\""};
    static const char *const times[] = {"\"2026-01-01T00:00:00Z\"", "\"2026-01-01T00:00:00.000Z\"",
                                        "\"2026-01-01T00:00:00.5Z\"", "\"never\""};
    if (pick(8) != 0)
        isg_buf_printf(out, ",\"n\":%s", PICK(numbers));
    if (pick(8) != 0)
        isg_buf_printf(out, ",\"k\":%s", PICK(texts));
    if (pick(8) != 0)
        isg_buf_printf(out, ",\"l\":%s", PICK(lists));
    if (pick(8) != 0)
        isg_buf_printf(out, ",\"b_hex\":%s", PICK(octets));
    if (pick(8) != 0)
        isg_buf_printf(out, ",\"t\":%s", PICK(times));
}

static void put_scene(struct isg_buf *out)
{
    int count = 1 + pick(4);
    isg_buf_putc(out, '[');
    for (int i = 0; i < count; i++) {
        int first = pick(6);
        isg_buf_printf(out,
                       "%s{\"type\":\"observed-data\",\"number_observed\":%d,"
                       "\"first_observed\":\"2026-01-01T00:00:0%dZ\","
                       "\"last_observed\":\"2026-01-01T00:00:0%dZ\",\"objects\":{",
                       i > 0 ? "," : "", 1 + pick(2), first, first + pick(3));
        for (int j = 0, objects = 1 + pick(2); j < objects; j++) {
            isg_buf_printf(out, "%s\"%d\":{\"type\":\"%s\"", j > 0 ? "," : "", j,
                           pick(4) == 0 ? "ipv4-addr" : "x-e");
            isg_buf_puts(out, pick(2) == 0 ? ",\"value\":\"198.51.100.7\"" : "");
            put_values(out);
            isg_buf_putc(out, '}');
        }
        isg_buf_puts(out, "}}");
    }
    isg_buf_putc(out, ']');
}

/* --- patterns --- */

static void put_test(struct isg_buf *out)
{
    static const char *const paths[] = {"x-e:n",    "x-e:n",    "x-e:k", "x-e:l[*]",
                                        "x-e:l[0]", "x-e:l[1]", "x-e:t", "x-e:b_hex"};
    static const char *const ops[] = {
        "=", "==", "!=", "<>", "<", "<=", ">", ">=", "NOT =", "NOT !=", "NOT <", "NOT >="};
    static const char *const literals[] = {"1",
                                           "1.0",
                                           "2",
                                           "1.5",
                                           "'a'",
                                           "'b'",
                                           "'A'",
                                           "'ab'",
                                           "h'61'",
                                           "b'YQ=='",
                                           "h'ff'",
                                           "t'2026-01-01T00:00:00Z'",
                                           "t'2026-01-01T00:00:00.000Z'"};
    static const char *const sets[] = {"(1,2)",          "(2,1,1.0)", "(1)",
                                       "(1.5,1.0,2.0)",  "('a','b')", "('b')",
                                       "('\u20ac','a')", "(h'61')"};
    static const char *const masks[] = {"'a'", "'a%'", "'_'", "'%'", "'^a'", "'b$'"};
    static const char *const networks[] = {"'198.51.100.0/24'", "'198.51.100.9/24'",
                                           "'10.0.0.0/8'"};
    static const char *const not [] = {"", " NOT"};
    switch (pick(8)) {
    case 0: isg_buf_printf(out, "%s%s IN (1,%s)", PICK(paths), PICK(not ), PICK(literals)); break;
    case 1: isg_buf_printf(out, "%s%s IN %s", PICK(paths), PICK(not ), PICK(sets)); break;
    case 2: isg_buf_printf(out, "%s%s LIKE %s", PICK(paths), PICK(not ), PICK(masks)); break;
    case 3: isg_buf_printf(out, "%s%s MATCHES %s", PICK(paths), PICK(not ), PICK(masks)); break;
    case 4: isg_buf_printf(out, "%sEXISTS %s", pick(2) == 0 ? "" : "NOT ", PICK(paths)); break;
    case 5:
        isg_buf_printf(out, "ipv4-addr:value%s %s %s", PICK(not ),
                       pick(2) == 0 ? "ISSUBSET" : "ISSUPERSET", PICK(networks));
        break;
    default: isg_buf_printf(out, "%s %s %s", PICK(paths), PICK(ops), PICK(literals)); break;
    }
}

static void put_comparison(struct isg_buf *out, int depth)
{
    int count = 1 + pick(3);
    const char *op = pick(2) == 0 ? " AND " : " OR ";
    if (depth == 0 || pick(3) == 0) {
        put_test(out);
        return;
    }
    isg_buf_putc(out, '(');
    for (int i = 0; i < count; i++) {
        isg_buf_puts(out, i > 0 ? op : "");
        put_comparison(out, depth - 1);
    }
    isg_buf_putc(out, ')');
}

static void put_qualifiers(struct isg_buf *out)
{
    int first = pick(3);
    for (int i = 0, count = pick(3); i < count; i++) {
        int kind = (first + i) % 3;
        if (kind == 0)
            isg_buf_printf(out, " REPEATS %d TIMES", 1 + pick(2));
        else if (kind == 1)
            isg_buf_printf(out, " WITHIN %d SECONDS", 1 + pick(3));
        else
            isg_buf_printf(out, " START t'2026-01-01T00:00:0%dZ' STOP t'2026-01-01T00:00:0%dZ'",
                           pick(4), 3 + pick(5));
    }
}

static void put_observation(struct isg_buf *out, int depth)
{
    static const char *const ops[] = {" AND ", " OR ", " FOLLOWEDBY "};
    const char *op = PICK(ops);
    if (depth == 0 || pick(3) == 0) {
        isg_buf_putc(out, '[');
        put_comparison(out, 2);
        isg_buf_putc(out, ']');
    } else {
        isg_buf_putc(out, '(');
        for (int i = 0, count = 1 + pick(3); i < count; i++) {
            isg_buf_puts(out, i > 0 ? op : "");
            put_observation(out, depth - 1);
        }
        isg_buf_putc(out, ')');
    }
    if (pick(3) == 0)
        put_qualifiers(out);
}

/* --- both --- */

static int match(const struct isg_buf *pattern, const struct stix_json *scene, bool *out)
{
    return stix_match(isg_buf_str(pattern), STIX_PATTERN_2_1, scene, out, NULL);
}

/* False when a scene tells the two apart. */
static bool means_same(const struct isg_buf *pattern, const struct isg_buf *form, int *matches)
{
    bool same = true;
    struct isg_buf text;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    for (int i = 0; i < SCENES && same; i++) {
        struct stix_json *scene = NULL;
        bool a = false;
        bool b = false;
        isg_buf_reset(&text);
        put_scene(&text);
        same = stix_json_parse(isg_buf_str(&text), NULL, &scene, NULL) == ISG_OK &&
               match(pattern, scene, &a) == ISG_OK && match(form, scene, &b) == ISG_OK && a == b;
        *matches += a;
        stix_json_free(&scene);
    }
    if (!same)
        printf("# %s is not %s over %s\n", pattern->p, form->p, text.p);
    isg_buf_done(&text);
    return same;
}

static bool is_final(const struct isg_buf *form)
{
    struct isg_buf again;
    isg_buf_init(&again, ISG_BUF_NO_MAX);
    bool same = stix_pattern_print(isg_buf_str(form), STIX_PATTERN_2_1, &again, NULL) == ISG_OK &&
                isg_str_eq(isg_buf_str(form), isg_buf_str(&again));
    if (!same)
        printf("# the form of %s is %s\n", form->p, again.p != NULL ? again.p : "none");
    isg_buf_done(&again);
    return same;
}

int main(void)
{
    struct isg_buf pattern;
    struct isg_buf form;
    int differ = 0;
    int changing = 0;
    int valid = 0;
    int matches = 0;
    isg_buf_init(&pattern, ISG_BUF_NO_MAX);
    isg_buf_init(&form, ISG_BUF_NO_MAX);
    for (int i = 0; i < CASES; i++) {
        isg_buf_reset(&pattern);
        isg_buf_reset(&form);
        put_observation(&pattern, 2);
        if (stix_pattern_print(isg_buf_str(&pattern), STIX_PATTERN_2_1, &form, NULL) != ISG_OK)
            continue; /* sets of two kinds, types that do not meet */
        valid++;
        changing += !is_final(&form);
        differ += !means_same(&pattern, &form, &matches);
    }
    is_int(differ, 0, "%d random patterns mean what their normal form does", valid);
    is_int(changing, 0, "and have forms that stay");
    ok(valid > CASES / 3, "of %d", CASES);
    ok(matches > valid / 2, "with %d matches", matches);
    isg_buf_done(&pattern);
    isg_buf_done(&form);
    return tap_done();
}
