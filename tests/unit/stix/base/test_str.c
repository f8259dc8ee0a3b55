/* Views: comparing, cutting, numbers, hex. */
#include <string.h>

#include "stix/base/str.h"
#include "tests/support/tap.h"

static void test_compare(void)
{
    struct isg_str none = isg_str_of(NULL);
    ok(none.p == NULL && none.n == 0, "NULL is the empty view");
    ok(isg_str_eq(none, ISG_STR("")), "empty views are equal");
    ok(isg_str_eq(ISG_STR("a\0b"), ISG_STR("a\0b")) &&
           !isg_str_eq(ISG_STR("a\0b"), ISG_STR("a\0c")),
       "NUL bytes count");
    ok(isg_str_is(ISG_STR("abc"), "abc") && !isg_str_is(ISG_STR("abc"), "ab"), "with a C string");
    ok(isg_str_ieq(ISG_STR("TLP:Red"), ISG_STR("tlp:rED")), "without case");
    ok(!isg_str_ieq(ISG_STR("[a]"), ISG_STR("{a}")), "letters only");
    ok(isg_str_cmp(ISG_STR("a"), ISG_STR("b")) < 0, "a before b");
    ok(isg_str_cmp(ISG_STR("ab"), ISG_STR("a")) > 0, "the shorter first");
    ok(isg_str_cmp(ISG_STR("\xff"), ISG_STR("a")) > 0, "bytes are unsigned");
    ok(isg_str_cmp(none, ISG_STR("")) == 0, "empty is empty");
    ok(isg_str_starts(ISG_STR("abc"), ISG_STR("ab")) && isg_str_starts(ISG_STR("a"), none),
       "starts");
    ok(isg_str_ends(ISG_STR("abc"), ISG_STR("bc")) && !isg_str_ends(ISG_STR("c"), ISG_STR("bc")),
       "ends");
}

static void test_cut(void)
{
    ok(isg_str_is(isg_str_from(ISG_STR("abc"), 1), "bc"), "from an offset");
    is_int((long long)isg_str_from(ISG_STR("abc"), 9).n, 0, "from past the end");
    ok(isg_str_is(isg_str_trim(ISG_STR(" \t\r\na b\n ")), "a b"), "trim");
    is_int((long long)isg_str_trim(ISG_STR(" \n ")).n, 0, "trim of blanks");
    is_int((long long)isg_str_find(ISG_STR("a,b"), ','), 1, "find");
    ok(isg_str_find(ISG_STR(""), ',') == SIZE_MAX, "find nothing");
}

static void test_split(void)
{
    static const struct {
        const char *text;
        const char *pieces[5];
    } rows[] = {
        {"a,,b", {"a", "", "b", NULL}},
        {"", {"", NULL}},
        {",", {"", "", NULL}},
        {"one", {"one", NULL}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct isg_str rest = isg_str_of(rows[i].text);
        struct isg_str piece;
        size_t k = 0;
        for (; isg_str_split(&rest, ',', &piece); k++)
            ok(rows[i].pieces[k] != NULL && isg_str_is(piece, rows[i].pieces[k]),
               "piece %zu of '%s'", k, rows[i].text);
        ok(rows[i].pieces[k] == NULL, "and no more");
    }
}

static void test_numbers(void)
{
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } rows[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"007", true, 7},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"99999999999999999999", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1x", false, 0},
        {"0x1", false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t value = 0;
        ok(isg_str_to_i64(isg_str_of(rows[i].text), &value) == rows[i].good, "number '%s'",
           rows[i].text);
        is_int(value, rows[i].value, "its value");
    }
    uint64_t value = 0;
    ok(isg_str_to_u64(ISG_STR("18446744073709551615"), UINT64_MAX, &value) && value == UINT64_MAX,
       "the largest");
    ok(!isg_str_to_u64(ISG_STR("18446744073709551616"), UINT64_MAX, &value), "one more");
    ok(!isg_str_to_u64(ISG_STR("65536"), 65535, &value), "over the given bound");
}

static void test_hex(void)
{
    static const uint8_t bytes[] = {0x00, 0x7f, 0x80, 0xff};
    uint8_t back[4] = {0};
    char text[9];
    isg_hex_encode(bytes, sizeof bytes, text);
    is_str(text, "007f80ff", "encode");
    ok(isg_hex_decode(ISG_STR("007F80fF"), back, 4) && memcmp(back, bytes, 4) == 0, "decode");
    ok(!isg_hex_decode(ISG_STR("007f80f"), back, 4), "an odd count");
    ok(!isg_hex_decode(ISG_STR("007f80fg"), back, 4), "no hex digit");
    ok(!isg_hex_decode(ISG_STR("007f80ff00"), back, 4), "too many");
}

int main(void)
{
    test_compare();
    test_cut();
    test_split();
    test_numbers();
    test_hex();
    return tap_done();
}
