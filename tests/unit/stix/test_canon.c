/* RFC 8785 text (S-094): names by UTF-16 code units, escapes, ECMAScript numbers. */
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stix/json.h"
#include "tests/support/tap.h"

struct row {
    const char *text;
    const char *canon;
};

/* clang-format off */
static const struct row rows[] = {
    {"{ }", "{}"},
    {" [ 1 , [ ] , { } ] ", "[1,[],{}]"},
    {"{\"b\":1,\"a\":2,\"\":3,\"aa\":4,\"B\":5}", "{\"\":3,\"B\":5,\"a\":2,\"aa\":4,\"b\":1}"},
    {"[null,true,false]", "[null,true,false]"},
    {"{\"n\":null}", "{\"n\":null}"},
    /* UTF-16 order: U+1F600 (D83D DE00) before U+FB33, although its UTF-8 is greater */
    {"{\"\\ufb33\":1,\"\\ud83d\\ude00\":2,\"\\u20ac\":3,\"z\":4}",
     "{\"z\":4,\"\xe2\x82\xac\":3,\"\xf0\x9f\x98\x80\":2,\"\xef\xac\xb3\":1}"},
    {"{\"x\\ufb33\":1,\"x\\ud83d\\ude00\":2}", "{\"x\xf0\x9f\x98\x80\":2,\"x\xef\xac\xb3\":1}"},
    {"{\"\\ud83d\\ude01\":1,\"\\ud83d\\ude00\":2}",
     "{\"\xf0\x9f\x98\x80\":2,\"\xf0\x9f\x98\x81\":1}"},
    {"{\"\\ue000\":1,\"\\ud7ff\":2,\"\\ud800\\udc00\":3}",
     "{\"\xed\x9f\xbf\":2,\"\xf0\x90\x80\x80\":3,\"\xee\x80\x80\":1}"},
    {"\"\\u0001\\u001f\\u007f\\b\\t\\n\\f\\r\\\"\\\\\\/\\u00e9\\u2028\"",
     "\"\\u0001\\u001f\x7f\\b\\t\\n\\f\\r\\\"\\\\/\xc3\xa9\xe2\x80\xa8\""},
    {"{\"\\u000a\":\"\\u000A\"}", "{\"\\n\":\"\\n\"}"},
    /* numbers */
    {"0", "0"}, {"-0", "0"}, {"-0.0", "0"}, {"0e5", "0"}, {"7.0", "7"}, {"-7.50", "-7.5"},
    {"9007199254740991", "9007199254740991"}, {"-9007199254740991", "-9007199254740991"},
    {"9007199254740992.0", "9007199254740992"}, {"1e15", "1000000000000000"},
    {"123456789012345680000.0", "123456789012345680000"},
    {"1e20", "100000000000000000000"}, {"1e21", "1e+21"}, {"1.5e21", "1.5e+21"},
    {"999999999999999900000.0", "999999999999999900000"}, {"1e-6", "0.000001"},
    {"1e-7", "1e-7"}, {"1.25e-7", "1.25e-7"}, {"0.00000123", "0.00000123"}, {"0.1", "0.1"},
    {"0.30000000000000004", "0.30000000000000004"}, {"0.3", "0.3"}, {"3.7", "3.7"},
    {"333333333.33333329", "333333333.3333333"}, {"1E30", "1e+30"}, {"4.50", "4.5"},
    {"2e-3", "0.002"}, {"0.000000000000000000000000001", "1e-27"},
    {"5e-324", "5e-324"}, {"4.9406564584124654e-324", "5e-324"}, {"1e-323", "1e-323"},
    {"2.2250738585072014e-308", "2.2250738585072014e-308"},
    {"2.225073858507201e-308", "2.225073858507201e-308"},
    {"1.7976931348623157e308", "1.7976931348623157e+308"}, {"1e-400", "0"}, {"-1e-400", "0"},
    {"9.5367431640625e-7", "9.5367431640625e-7"}, {"1e23", "1e+23"},
    {"9.999999999999999e22", "1e+23"}, {"5e15", "5000000000000000"},
    {"295147905179352830000.0", "295147905179352830000"}, {"0.000001234567", "0.000001234567"},
    {"123456.7", "123456.7"}, {"1234567.000001", "1234567.000001"}, {"2.5e-1", "0.25"},
    {"20.000", "20"}, {"1.0e2", "100"}, {"-1.5e-9", "-1.5e-9"},
};
/* clang-format on */

static char *canon_of(struct isg_str text, const char *const *skip)
{
    struct stix_json *tree = NULL;
    struct isg_buf out;
    char *canon = NULL;
    isg_buf_init(&out, ISG_BUF_NO_MAX);
    if (stix_json_parse(text, NULL, &tree, NULL) == ISG_OK) {
        if (skip != NULL)
            stix_json_canon_without(tree, skip, &out);
        else
            stix_json_canon(tree, &out);
        canon = isg_buf_take(&out, NULL);
    }
    stix_json_free(&tree);
    isg_buf_done(&out);
    return canon;
}

static void test_rows(const char *note)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *canon = canon_of(isg_str_of(rows[i].text), NULL);
        is_str(canon, rows[i].canon, "%s%s", rows[i].text, note);
        char *again = canon != NULL ? canon_of(isg_str_of(canon), NULL) : NULL;
        /* Whole numbers beyond 2^53 canonicalise to integers, which the scan does not take. */
        if (again != NULL)
            is_str(again, rows[i].canon, "and stays");
        free(again);
        free(canon);
    }
}

static void test_without(void)
{
    static const char *const skip[] = {"modified", "jws", NULL};
    struct isg_str text = ISG_STR("{\"modified\":1,\"b\":{\"modified\":2},\"a\":3}");
    char *canon = canon_of(text, skip);
    is_str(canon, "{\"a\":3,\"b\":{\"modified\":2}}", "top-level members are left out");
    free(canon);
}

/* More members than are sorted in place, in falling order. */
static void test_many_members(void)
{
    struct isg_buf text;
    struct isg_buf want;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    isg_buf_init(&want, ISG_BUF_NO_MAX);
    for (int i = 0; i < 500; i++) {
        isg_buf_printf(&text, "%s\"m%04d\":%d", i > 0 ? "," : "{", 499 - i, 499 - i);
        isg_buf_printf(&want, "%s\"m%04d\":%d", i > 0 ? "," : "{", i, i);
    }
    isg_buf_putc(&text, '}');
    isg_buf_putc(&want, '}');
    char *canon = canon_of(isg_buf_str(&text), NULL);
    is_str(canon, want.p, "500 members");
    free(canon);
    isg_buf_done(&text);
    isg_buf_done(&want);
}

static void test_locale(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fa_IR"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (setlocale(LC_ALL, names[i]) != NULL)
            test_rows(" under a locale with a comma");
    (void)setlocale(LC_ALL, "C");
}

static void test_corpus_documents(void)
{
    static const char *const names[] = {"arrays",  "french", "structures",
                                        "unicode", "values", "weird"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char below[64];
        size_t n = 0;
        (void)snprintf(below, sizeof below, "signing/jcs/input/%s.json", names[i]);
        const char *path = tap_corpus(below);
        if (path == NULL)
            return;
        char *input = tap_slurp(path, &n);
        (void)snprintf(below, sizeof below, "signing/jcs/output/%s.json", names[i]);
        char *want = tap_slurp(tap_corpus(below), NULL);
        char *canon = canon_of((struct isg_str){input, n}, NULL);
        is_str(canon, want, "published document %s", names[i]);
        free(canon);
        free(want);
        free(input);
    }
}

static bool number_is(uint64_t bits, struct isg_str want)
{
    double number;
    struct isg_buf out;
    memcpy(&number, &bits, sizeof number);
    isg_buf_init(&out, ISG_BUF_NO_MAX);
    stix_json_canon_number(number, &out);
    bool same = isg_str_eq(isg_buf_str(&out), want);
    isg_buf_done(&out);
    return same;
}

static void test_corpus_numbers(void)
{
    const char *path = tap_corpus("signing/jcs/es6-numbers-10000.txt");
    if (path == NULL)
        return;
    size_t n = 0;
    char *text = tap_slurp(path, &n);
    struct isg_str rest = {text, n};
    struct isg_str line;
    int lines = 0;
    int wrong = 0;
    while (isg_str_split(&rest, '\n', &line)) {
        size_t comma = isg_str_find(line, ',');
        if (comma == SIZE_MAX)
            continue;
        lines++;
        if (!number_is(strtoull(line.p, NULL, 16), isg_str_from(line, comma + 1)))
            wrong++;
    }
    is_int(lines, 10000, "published numbers");
    is_int(wrong, 0, "none of them wrong");
    free(text);
}

/* The fast paths against the plain rule: the fewest digits that read back. */
static void test_random_numbers(void)
{
    uint64_t state = 88172645463325252u;
    int wrong = 0;
    for (int i = 0; i < 20000; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        double number = (double)(int64_t)(state >> (state & 31)) / (i % 3 == 0 ? 1000 : 65536);
        struct isg_buf out;
        isg_buf_init(&out, ISG_BUF_NO_MAX);
        stix_json_canon_number(number, &out);
        double back = strtod(out.p, NULL);
        size_t digits = strspn(out.p, "-0.");
        size_t have = 0;
        for (const char *p = out.p + digits; *p != '\0' && *p != 'e'; p++)
            have += *p >= '0' && *p <= '9';
        char shorter[64];
        (void)snprintf(shorter, sizeof shorter, "%.17g", number);
        for (int k = 1; k <= 17; k++) {
            (void)snprintf(shorter, sizeof shorter, "%.*e", k - 1, number);
            if (memcmp(&number, &(double){strtod(shorter, NULL)}, sizeof number) == 0)
                break;
        }
        size_t least = 0;
        for (const char *p = shorter; *p != 'e'; p++)
            least += *p >= '0' && *p <= '9';
        bool integral = strchr(out.p, '.') == NULL && strchr(out.p, 'e') == NULL;
        if (memcmp(&number, &back, sizeof number) != 0 || (!integral && have != least))
            wrong++;
        isg_buf_done(&out);
    }
    is_int(wrong, 0, "random numbers: shortest, and the same when read back");
}

int main(void)
{
    test_rows("");
    test_without();
    test_many_members();
    test_random_numbers();
    test_locale();
    test_corpus_documents();
    test_corpus_numbers();
    return tap_done();
}
