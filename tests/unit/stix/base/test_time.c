/* Timestamps: form, calendar, instants of any precision (S-007 to S-010, R-031). */
#include <inttypes.h>
#include <string.h>

#include "stix/base/time.h"
#include "tests/support/tap.h"

struct form_row {
    const char *text;
    bool good;
    int64_t us;
};

static const struct form_row forms[] = {
    {"1970-01-01T00:00:00Z", true, 0},
    {"1970-01-01T00:00:00.000Z", true, 0},
    {"1970-01-01T00:00:00.000001Z", true, 1},
    {"1970-01-01T00:00:00.0000019Z", true, 1},
    {"1969-12-31T23:59:59.999999Z", true, -1},
    {"2024-02-29T12:34:56.789Z", true, 1709210096789000},
    {"2000-02-29T00:00:00Z", true, 951782400000000},
    {"0000-01-01T00:00:00Z", true, -62167219200000000},
    {"9999-12-31T23:59:59.999999Z", true, 253402300799999999},
    {"2016-12-31T23:59:60Z", true, 1483228800000000},
    {"9999-12-31T23:59:59.999999Z", true, 253402300799999999},
    {"9999-12-31T23:59:60Z", false, 0},
    {"2024-03-01T00:00:00.123456789012345678901234567890Z", true, 1709251200123456},
    {"2024-04-31T00:00:00Z", false, 0},
    {"2023-02-29T00:00:00Z", false, 0},
    {"2100-02-29T00:00:00Z", false, 0},
    {"2024-00-01T00:00:00Z", false, 0},
    {"2024-13-01T00:00:00Z", false, 0},
    {"2024-01-00T00:00:00Z", false, 0},
    {"2024-01-32T00:00:00Z", false, 0},
    {"2024-01-01T24:00:00Z", false, 0},
    {"2024-01-01T00:60:00Z", false, 0},
    {"2024-01-01T00:00:61Z", false, 0},
    {"2024-01-01T00:00:00.Z", false, 0},
    {"2024-01-01T00:00:00", false, 0},
    {"2024-01-01T00:00:00+00:00", false, 0},
    {"2024-01-01T00:00:00-00:00", false, 0},
    {"2024-01-01t00:00:00Z", false, 0},
    {"2024-01-01T00:00:00z", false, 0},
    {"2024-01-01 00:00:00Z", false, 0},
    {"2024-1-1T00:00:00Z", false, 0},
    {"24-01-01T00:00:00Z", false, 0},
    {"12024-01-01T00:00:00Z", false, 0},
    {"-024-01-01T00:00:00Z", false, 0},
    {"2024-01-01T00:00:00,5Z", false, 0},
    {"2024-01-01T00:00:00.5 Z", false, 0},
    {"2024-01-01T00:00:00.-5Z", false, 0},
    {" 2024-01-01T00:00:00Z", false, 0},
    {"2024-01-01T00:00:00Z ", false, 0},
    {"2024-01-01T00:00:00ZZ", false, 0},
    {"9223372036854775808", false, 0},
    {"Z", false, 0},
    {"", false, 0},
};

static void test_forms(void)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        int64_t us = 77;
        bool good = isg_time_parse(isg_str_of(forms[i].text), &us);
        ok(good == forms[i].good, "form of '%s'", forms[i].text);
        is_int(us, forms[i].good ? forms[i].us : 77, "its instant, set on success only");
    }
}

struct order_row {
    const char *a;
    const char *b;
    int order;
};

static const struct order_row orders[] = {
    {"2024-03-01T00:00:00Z", "2024-03-01T00:00:00.000000000Z", 0},
    {"2024-03-01T00:00:00.1Z", "2024-03-01T00:00:00.100Z", 0},
    {"2024-03-01T00:00:00.123456789Z", "2024-03-01T00:00:00.123456788Z", 1},
    {"2024-03-01T00:00:00.1Z", "2024-03-01T00:00:00.09999999Z", 1},
    {"2024-03-01T00:00:00Z", "2024-03-01T00:00:00.000000000000000000000001Z", -1},
    {"2024-03-01T00:00:00.999Z", "2024-03-01T00:00:01Z", -1},
    {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", 0},
    {"2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00.4Z", 1},
    {"0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", -1},
};

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static void test_order(void)
{
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        struct isg_str a = isg_str_of(orders[i].a);
        struct isg_str b = isg_str_of(orders[i].b);
        is_int(sign(isg_time_cmp(a, b)), orders[i].order, "%s to %s", orders[i].a, orders[i].b);
        is_int(sign(isg_time_cmp(b, a)), -orders[i].order, "and back");
    }
    is_int((long long)isg_time_digits(ISG_STR("2024-03-01T00:00:00Z")), 0, "no digits");
    is_int((long long)isg_time_digits(ISG_STR("2024-03-01T00:00:00.1234567Z")), 7, "seven digits");
}

static void test_format(void)
{
    static const struct {
        int64_t us;
        int digits;
        const char *text;
    } rows[] = {
        {0, 0, "1970-01-01T00:00:00Z"},
        {0, 3, "1970-01-01T00:00:00.000Z"},
        {1709210096789123, 3, "2024-02-29T12:34:56.789Z"},
        {1709210096789999, 3, "2024-02-29T12:34:56.789Z"},
        {1709210096789123, 6, "2024-02-29T12:34:56.789123Z"},
        {1709210096789123, 9, "2024-02-29T12:34:56.789123Z"},
        {-1, 6, "1969-12-31T23:59:59.999999Z"},
        {-62167219200000000, 3, "0000-01-01T00:00:00.000Z"},
        {253402300799999999, 6, "9999-12-31T23:59:59.999999Z"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[ISG_TIME_TEXT];
        isg_time_format(rows[i].us, rows[i].digits, text);
        is_str(text, rows[i].text, "%" PRId64 " with %d digits", rows[i].us, rows[i].digits);
    }
    char text[ISG_TIME_TEXT];
    isg_time_format(INT64_MAX, 6, text);
    isg_time_format(INT64_MIN, 6, text);
    ok(strlen(text) < sizeof text, "the ends of the range stay in the buffer");
}

/* Every day of 400 years and more, there and back. */
static void test_days(void)
{
    int wrong = 0;
    int64_t day_us = (int64_t)86400 * 1000000;
    for (int64_t us = -62167219200000000; us <= 253402300799000000; us += 17 * day_us + 1) {
        char text[ISG_TIME_TEXT];
        int64_t back = 0;
        isg_time_format(us, 6, text);
        wrong += !isg_time_parse(isg_str_of(text), &back) || back != us;
    }
    is_int(wrong, 0, "format and parse agree from year 0 to 9999");
}

int main(void)
{
    test_forms();
    test_order();
    test_format();
    test_days();
    return tap_done();
}
