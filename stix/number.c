/*
 * Numbers in ECMAScript form: the shortest digits that read back as the same double, the nearest
 * of them where there are several, in the layout of Number.prototype.toString.
 *
 * A decimal of at most 15 digits is the only such one that reads as its double (subnormals apart).
 * So where 15 digits are enough, they are the shortest ones after their trailing zeros are cut;
 * only then 16 and 17 are tried.
 */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stix/json.h"

enum { DIGITS_MAX = 17, LAYOUT_MAX = 21 };

/* value = 0.DIGITS * 10^point */
struct decimal {
    char digits[DIGITS_MAX + 1];
    int count;
    int point;
};

static bool same(double a, double b)
{
    return a >= b && a <= b;
}

/* Print with so many digits; true when that reads back as number. */
static bool try_digits(double number, int count, struct decimal *d)
{
    char text[64];
    (void)snprintf(text, sizeof text, "%.*e", count - 1, number);
    bool exact = same(strtod(text, NULL), number);
    const char *p = text;
    d->count = 0;
    /* The locale may put anything for the decimal point: it is skipped unread. */
    for (; *p != 'e'; p++)
        if (*p >= '0' && *p <= '9' && d->count < DIGITS_MAX)
            d->digits[d->count++] = *p;
    d->point = (int)strtol(p + 1, NULL, 10) + 1;
    while (d->count > 1 && d->digits[d->count - 1] == '0')
        d->count--;
    return exact;
}

static void shortest(double number, struct decimal *d)
{
    int count = number < DBL_MIN ? 1 : 15;
    while (!try_digits(number, count, d) && count < DIGITS_MAX)
        count++;
}

static void put_zeros(struct isg_buf *out, int count)
{
    static const char zeros[] = "000000000000000000000";
    isg_buf_put(out, zeros, (size_t)count);
}

/* The layout rules of ECMA-262, Number::toString, for radix 10. */
static void put_decimal(const struct decimal *d, struct isg_buf *out)
{
    int k = d->count;
    int n = d->point;
    if (k <= n && n <= LAYOUT_MAX) {
        isg_buf_put(out, d->digits, (size_t)k);
        put_zeros(out, n - k);
    } else if (0 < n && n <= LAYOUT_MAX) {
        isg_buf_put(out, d->digits, (size_t)n);
        isg_buf_putc(out, '.');
        isg_buf_put(out, d->digits + n, (size_t)(k - n));
    } else if (-6 < n && n <= 0) {
        isg_buf_puts(out, "0.");
        put_zeros(out, -n);
        isg_buf_put(out, d->digits, (size_t)k);
    } else {
        isg_buf_putc(out, d->digits[0]);
        if (k > 1)
            isg_buf_putc(out, '.');
        isg_buf_put(out, d->digits + 1, (size_t)(k - 1));
        isg_buf_printf(out, "e%+d", n - 1);
    }
}

/*
 * Most numbers are short decimals such as 3.7: m / 10^places with m below 10^15. Both are exact
 * doubles, so their quotient is what that decimal reads as.
 */
static bool short_decimal(double number, struct decimal *d)
{
    static const double powers[] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6};
    for (int places = 0; places <= 6; places++) {
        double m = nearbyint(number * powers[places]);
        if (m < 1 || m >= 1e15 || !same(m / powers[places], number))
            continue;
        char text[32];
        d->count = snprintf(text, sizeof text, "%" PRId64, (int64_t)m);
        memcpy(d->digits, text, (size_t)d->count);
        d->point = d->count - places;
        while (d->count > 1 && d->digits[d->count - 1] == '0')
            d->count--;
        return true;
    }
    return false;
}

void stix_json_canon_number(double number, struct isg_buf *out)
{
    struct decimal d;
    if (same(number, 0)) { /* -0 too */
        isg_buf_putc(out, '0');
        return;
    }
    if (number < 0)
        isg_buf_putc(out, '-');
    number = fabs(number);
    if (!short_decimal(number, &d))
        shortest(number, &d);
    put_decimal(&d, out);
}
