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
#include "stix/lex.h"

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

/* The digits and the power of ten of a JSON number; false when there are too many of either. */
static bool few_digits(struct isg_str text, double *out_digits, int *out_power)
{
    bool fraction = false;
    double digits = 0;
    int count = 0;
    size_t i = text.p[0] == '-';
    *out_power = 0;
    for (; i < text.n && (text.p[i] | 0x20) != 'e'; i++) {
        if (text.p[i] == '.') {
            fraction = true;
            continue;
        }
        if (++count > 15)
            return false;
        digits = digits * 10 + (text.p[i] - '0');
        *out_power -= fraction;
    }
    *out_digits = digits;
    int64_t exponent = 0;
    struct isg_str rest = isg_str_from(text, i + 1);
    if (rest.n > 0 && rest.p[0] == '+')
        rest = isg_str_from(rest, 1);
    if (i < text.n && (!isg_str_to_i64(rest, &exponent) || exponent < -99 || exponent > 99))
        return false;
    *out_power += (int)exponent;
    return true;
}

/* Put the text into room with the locale's decimal point, which is what strtod wants. */
static const char *in_locale(struct isg_str text, struct isg_buf *room)
{
    char half[16];
    int n = snprintf(half, sizeof half, "%.1f", 0.5);
    struct isg_str rest = text;
    struct isg_str piece;
    (void)isg_str_split(&rest, '.', &piece);
    isg_buf_put_str(room, piece);
    if (piece.n < text.n) {
        isg_buf_put(room, half + 1, (size_t)n - 2);
        isg_buf_put_str(room, rest);
    }
    return room->err == ISG_OK ? room->p : NULL;
}

/*
 * Up to 15 digits are an exact double, and so are powers of ten up to 22: one multiplication or
 * division of the two rounds once, which is what reading a decimal should do.
 */
int stix_number_read(struct isg_str text, struct isg_buf *room, double *out)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    double digits;
    int power;
    if (FLT_EVAL_METHOD == 0 && few_digits(text, &digits, &power) && power >= -22 && power <= 22) {
        double number = power < 0 ? digits / powers[-power] : digits * powers[power];
        *out = text.p[0] == '-' ? -number : number;
        return ISG_OK;
    }
    const char *written = in_locale(text, room);
    if (written == NULL)
        return ISG_ENOMEM;
    *out = strtod(written, NULL);
    return ISG_OK;
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
