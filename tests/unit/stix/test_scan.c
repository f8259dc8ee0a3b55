/* The strict scan: what is refused, where, and by which rule (S-001, S-005, R-021 to R-028). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stix/base/utf8.h"
#include "stix/scan.h"
#include "tests/support/tap.h"

struct row {
    const char *text;
    int code;
    const char *path;
    const char *rule;
};

#define GOOD            ISG_OK, "", ""
#define BAD(path)       ISG_EPARSE, path, "S-001"
#define NOT_I(path)     ISG_EPARSE, path, "I-JSON"
#define NOT_INT(path)   ISG_EPARSE, path, "S-005"
#define NOT_FLOAT(path) ISG_EPARSE, path, "S-006"

/* clang-format off */
static const struct row rows[] = {
    {"{}", GOOD},
    {"[]", GOOD},
    {" \t\r\n{ } \n", GOOD},
    {"null", GOOD},
    {"true", GOOD},
    {"-0", GOOD},
    {"0", GOOD},
    {"\"\"", GOOD},
    {"{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":2}]}", GOOD},
    {"[1.5e+300,1E2,0.0,-0.5,1e-400]", GOOD},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\"", GOOD},
    {"\"\x7f\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbd\"", GOOD},
    {"[9007199254740991,-9007199254740991]", GOOD},
    {"[1.7976931348623157e308,17976931348623157e292,0.000017976931348623157e313]", GOOD},
    {"[1.7976931348623158079e308]", GOOD}, /* just below what rounds to infinity */
    {"[0e999999999999,0.000e99999]", GOOD},
    /* grammar */
    {"", BAD("")},
    {" ", BAD("")},
    {"\xef\xbb\xbf{}", BAD("")},
    {"{", BAD("")},
    {"[1,", BAD("/1")},
    {"[1,]", BAD("/1")},
    {"[,1]", BAD("/0")},
    {"{\"a\":1,}", BAD("")},
    {"{\"a\" 1}", BAD("/a")},
    {"{\"a\":}", BAD("/a")},
    {"{a:1}", BAD("")},
    {"{'a':1}", BAD("")},
    {"{\"a\":'x'}", BAD("/a")},
    {"{\"a\":1 \"b\":2}", BAD("/a")},
    {"[1}", BAD("/0")},
    {"{\"a\":[1}", BAD("/a/0")},
    {"{}x", BAD("")},
    {"{} {}", BAD("")},
    {"1 2", BAD("")},
    {"[tru]", BAD("/0")},
    {"[True]", BAD("/0")},
    {"nul", BAD("")},
    {"[NaN]", BAD("/0")},
    {"[Infinity]", BAD("/0")},
    {"[-Infinity]", BAD("/0")},
    {"[01]", BAD("/0")},
    {"[-01]", BAD("/0")},
    {"[+1]", BAD("/0")},
    {"[1.]", BAD("/0")},
    {"[.5]", BAD("/0")},
    {"[1e]", BAD("/0")},
    {"[1e+]", BAD("/0")},
    {"[-]", BAD("/0")},
    {"[0x10]", BAD("/0")},
    {"[1/*c*/]", BAD("/0")},
    {"//c\n1", BAD("")},
    {"\"abc", BAD("")},
    {"\"abc\\", BAD("")},
    {"\"abc\\u12", BAD("")},
    {"\"a\tb\"", BAD("")},
    {"\"a\nb\"", BAD("")},
    {"\"\\x41\"", BAD("")},
    {"\"\\U0041\"", BAD("")},
    {"\"\\u12g4\"", BAD("")},
    /* UTF-8 */
    {"\"\xff\"", BAD("")},
    {"\"\x80\"", BAD("")},
    {"\"\xc3\"", BAD("")},
    {"\"\xc0\xaf\"", BAD("")},
    {"\"\xe0\x80\xaf\"", BAD("")},
    {"\"\xf0\x80\x80\xaf\"", BAD("")},
    {"\"\xed\xa0\x80\"", BAD("")},
    {"\"\xed\xbf\xbf\"", BAD("")},
    {"\"\xf4\x90\x80\x80\"", BAD("")},
    {"\"\xf8\x88\x80\x80\x80\"", BAD("")},
    {"{\"\xc0\x80\":1}", BAD("")},
    {"\"\xef\xbf\xbe\"", NOT_I("")},
    {"\"\xef\xb7\x90\"", NOT_I("")},
    {"\"\xf0\x9f\xbf\xbf\"", NOT_I("")},
    {"\"\\ufffe\"", NOT_I("")},
    {"\"\\ud83f\\udfff\"", NOT_I("")},
    /* surrogates and NUL by escape */
    {"\"\\ud800\"", NOT_I("")},
    {"\"\\udc00\"", NOT_I("")},
    {"\"\\ud800x\"", NOT_I("")},
    {"\"\\ud800\\u0041\"", NOT_I("")},
    {"\"\\udc00\\ud800\"", NOT_I("")},
    {"\"\\ud800\\ud800\\udc00\"", NOT_I("")},
    {"{\"a\\u0000b\":1}", NOT_I("")},
    {"{\"a\":\"\\u0000\"}", NOT_I("/a")},
    /* duplicate names, also by escape and at any level */
    {"{\"a\":1,\"a\":1}", NOT_I("/a")},
    {"{\"a\":1,\"\\u0061\":1}", NOT_I("/a")},
    {"{\"\\/\":1,\"/\":1}", NOT_I("/~1")},
    {"{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":1}", NOT_I("/\xf0\x9f\x98\x80")},
    {"{\"x\":[0,{\"extensions\":{\"k\":{\"p\":1,\"q\":2,\"p\":3}}}]}", NOT_I("/x/1/extensions/k/p")},
    {"{\"a~b/c\":{\"d\":1,\"d\":1}}", NOT_I("/a~0b~1c/d")},
    {"{\"\":1,\"\":1}", NOT_I("/")},
    /* numbers (S-005) */
    {"[0,9007199254740992]", NOT_INT("/1")},
    {"[-9007199254740992]", NOT_INT("/0")},
    {"18446744073709551616", NOT_INT("")},
    {"{\"n\":100000000000000000000000}", NOT_INT("/n")},
    {"[1e400]", NOT_FLOAT("/0")},
    {"[-1.8e308]", NOT_FLOAT("/0")},
    {"[1.7976931348623159e308]", NOT_FLOAT("/0")},
    {"[0.0001e99999999999999999999]", NOT_FLOAT("/0")},
};
/* clang-format on */

static void check_row(const struct row *row)
{
    struct isg_fail why = {.code = ISG_OK};
    /* An exact copy on the heap, so that a sanitizer sees a read past the end. */
    size_t n = strlen(row->text);
    char *copy = malloc(n + 1);
    memcpy(copy, row->text, n);
    char *exact = realloc(copy, n > 0 ? n : 1);
    is_int(stix_scan((struct isg_str){exact, n}, NULL, &why), row->code, "%s", row->text);
    is_str(why.path, row->path, "pointer of %s", row->text);
    is_str(why.rule, row->rule, "rule of %s", row->text);
    free(exact);
}

static void test_nul_bytes(void)
{
    static const struct isg_str texts[] = {
        {"\"a\0b\"", 5}, {"{\"a\0b\":1}", 9}, {"[1]\0", 4}, {"\0", 1}, {"1\0", 2}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        is_int(stix_scan(texts[i], NULL, NULL), ISG_EPARSE, "a NUL byte, row %zu", i);
    is_int(stix_scan((struct isg_str){NULL, 0}, NULL, NULL), ISG_EPARSE, "the empty view");
}

/* The exact bound between the largest double and what rounds to infinity, in plain digits. */
static void test_infinity(void)
{
    static const char bound[] =
        "1797693134862315807937289714053034150799341327100378269361737789804449682927647509466490"
        "1797758720709633028641669288791094655554785194040263065748867150582068190890200070838367"
        "6273854845817711531764475730270069855571366959622842914819860834936475292719074168444365"
        "510704342711559699508093042880177904174497792";
    char text[400];
    size_t n = (size_t)snprintf(text, sizeof text, "%s.0", bound);
    is_int((long long)(sizeof bound - 1), 309, "digits of the bound");
    is_int(stix_scan((struct isg_str){text, n}, NULL, NULL), ISG_EPARSE, "2^1024 - 2^970");
    /* one less than the bound, then .9 */
    n = (size_t)snprintf(text + 306, sizeof text - 306, "791.9") + 306;
    is_int(stix_scan((struct isg_str){text, n}, NULL, NULL), ISG_OK, "a hair less");
}

/*
 * Every lead byte with second and third bytes at the edges, against isg_utf8_next.
 */
static void test_all_utf8(void)
{
    static const unsigned char edges[] = {0x20, 0x7f, 0x80, 0x8f, 0x90, 0x9f,
                                          0xa0, 0xb7, 0xbe, 0xbf, 0xc0, 0xff};
    enum { EDGES = sizeof edges };
    int wrong = 0;
    for (int i = 0x80 * EDGES * EDGES * EDGES; i < 0x100 * EDGES * EDGES * EDGES; i++) {
        char text[16] = {'"',
                         (char)(i / (EDGES * EDGES * EDGES)),
                         (char)edges[i / (EDGES * EDGES) % EDGES],
                         (char)edges[i / EDGES % EDGES],
                         (char)edges[i % EDGES],
                         '"',
                         0};
        struct isg_str rest = {text + 1, 4};
        int32_t cp = 0;
        int code = ISG_OK;
        while ((cp = isg_utf8_next(&rest)) != -1 && code == ISG_OK)
            if (cp == -2 || (cp & 0xfffe) == 0xfffe || (cp >= 0xfdd0 && cp <= 0xfdef))
                code = ISG_EPARSE;
        wrong += stix_scan((struct isg_str){text, 6}, NULL, NULL) != code;
    }
    is_int(wrong, 0, "UTF-8 at its edges");
}

static char *repeat(const char *unit, size_t times, const char *tail, size_t *out_len)
{
    size_t n = strlen(unit);
    char *text = malloc(n * times + strlen(tail) + 1);
    for (size_t i = 0; i < times; i++)
        memcpy(text + i * n, unit, n);
    memcpy(text + n * times, tail, strlen(tail) + 1);
    *out_len = n * times + strlen(tail);
    return text;
}

struct limit_row {
    const char *name;
    const char *unit;
    size_t times;
    const char *tail;
    struct stix_limits limits;
    int code;
};

static const struct limit_row limit_rows[] = {
    {"64 levels", "[", 64, "", {0}, ISG_EPARSE},
    {"65 levels", "[", 65, "", {0}, ISG_ELIMIT},
    {"100,000 levels", "[", 100000, "", {0}, ISG_ELIMIT},
    {"100,000 objects deep", "{\"a\":", 100000, "1", {0}, ISG_ELIMIT},
    {"3 levels of 2", "[", 3, "]]]", {.depth = 2}, ISG_ELIMIT},
    {"200 levels of 300", "[[", 100, "1]", {.depth = 300}, ISG_EPARSE},
    {"10 elements of 10", "[1,1,1,1,1,1,1,1,1,1]", 1, "", {.members = 10}, ISG_OK},
    {"11 elements of 10", "[1,1,1,1,1,1,1,1,1,1,1]", 1, "", {.members = 10}, ISG_ELIMIT},
    {"3 members of 2", "{\"a\":1,\"b\":2,\"c\":3}", 1, "", {.members = 2}, ISG_ELIMIT},
    {"a string of 4", "\"abcd\"", 1, "", {.string_bytes = 4}, ISG_OK},
    {"a string of 5", "\"abcde\"", 1, "", {.string_bytes = 4}, ISG_ELIMIT},
};

static void test_limits(void)
{
    for (size_t i = 0; i < sizeof limit_rows / sizeof limit_rows[0]; i++) {
        const struct limit_row *row = &limit_rows[i];
        struct isg_fail why = {.code = ISG_OK};
        size_t n;
        char *text = repeat(row->unit, row->times, row->tail, &n);
        is_int(stix_scan((struct isg_str){text, n}, &row->limits, &why), row->code, "%s",
               row->name);
        if (row->code == ISG_ELIMIT)
            is_str(why.rule, "limit", "rule of %s", row->name);
        free(text);
    }
}

/* An object of count names; every step-th is written with an escape. */
static char *many_names(size_t count, const char *last, size_t *out_len)
{
    char *text = malloc(count * 24 + 64);
    size_t n = 0;
    text[n++] = '{';
    for (size_t i = 0; i < count; i++)
        n += (size_t)sprintf(text + n, i % 7 == 0 ? "\"\\u006e%zu\":%zu," : "\"n%zu\":%zu,", i, i);
    n += (size_t)sprintf(text + n, "\"%s\":0}", last);
    *out_len = n;
    return text;
}

static void test_many_names(void)
{
    static const size_t counts[] = {15, 16, 17, 31, 32, 33, 64, 65, 1000, 100000};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct isg_fail why = {.code = ISG_OK};
        size_t n;
        char *text = many_names(counts[i], "other", &n);
        is_int(stix_scan((struct isg_str){text, n}, NULL, &why), ISG_OK, "%zu names", counts[i]);
        free(text);
        text = many_names(counts[i], "n3", &n);
        is_int(stix_scan((struct isg_str){text, n}, NULL, &why), ISG_EPARSE,
               "%zu names, the last the fourth again", counts[i]);
        is_str(why.path, "/n3", "its pointer");
        free(text);
    }
}

/* Names of one length that differ in one byte only, and nested tables that must not mix. */
static void test_nested_tables(void)
{
    size_t n = 0;
    char *text = malloc(64 * 64 * 16 + 64);
    text[n++] = '{';
    for (int i = 0; i < 40; i++) {
        n += (size_t)sprintf(text + n, "%s\"k%02d\":{", i > 0 ? "," : "", i);
        for (int k = 0; k < 40; k++)
            n += (size_t)sprintf(text + n, "%s\"k%02d\":%d", k > 0 ? "," : "", k, k);
        text[n++] = '}';
    }
    text[n++] = '}';
    is_int(stix_scan((struct isg_str){text, n}, NULL, NULL), ISG_OK, "same names in 40 objects");
    free(text);
}

static void test_pointer_is_bounded(void)
{
    struct isg_fail why;
    char text[1024] = "{\"";
    for (int i = 0; i < 200; i++)
        strcat(text, "\xc3\xa9");
    strcat(text, "\":{\"b\":x}}");
    is_int(stix_scan(isg_str_of(text), NULL, &why), ISG_EPARSE, "a long name in the pointer");
    size_t n = strlen(why.path);
    ok(n < sizeof why.path && n > 180, "the pointer is cut");
    is_int((unsigned char)why.path[n - 1], 0xa9, "behind a whole character");
}

int main(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_row(&rows[i]);
    test_nul_bytes();
    test_infinity();
    test_all_utf8();
    test_limits();
    test_many_names();
    test_nested_tables();
    test_pointer_is_bounded();
    return tap_done();
}
