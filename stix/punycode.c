#include "stix/punycode.h"

#include <stdbool.h>
#include <string.h>

#include "stix/chars.h"

/* The parameters of RFC 3492, section 5. */
enum { BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700, BIAS = 72, FIRST = 0x80 };
enum { SCALAR_MAX = 0x10ffff };

static uint32_t digit_of(char c)
{
    if (is_digit(c))
        return (uint32_t)(c - '0') + 26;
    return is_alpha(c) ? (uint32_t)((c | 0x20) - 'a') : BASE;
}

/* Section 6.1 */
static uint32_t adapt(uint32_t delta, uint32_t points, bool first)
{
    uint32_t k = 0;
    delta /= first ? DAMP : 2;
    delta += delta / points;
    for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
        delta /= BASE - T_MIN;
    return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

/* One generalised variable-length integer added to *i (section 6.2); false when it is none. */
static bool take_integer(struct isg_str *rest, uint32_t bias, uint32_t *i)
{
    uint64_t value = *i;
    uint64_t weight = 1;
    for (uint32_t k = BASE;; k += BASE) {
        uint32_t digit = rest->n > 0 ? digit_of(rest->p[0]) : BASE;
        uint32_t t = k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
        if (digit >= BASE)
            return false;
        *rest = isg_str_from(*rest, 1);
        value += digit * weight;
        if (value > UINT32_MAX)
            return false;
        *i = (uint32_t)value;
        if (digit < t)
            return true;
        weight *= BASE - t;
        if (weight > UINT32_MAX)
            return false;
    }
}

/* The ASCII characters in front of the last hyphen; *rest is what is behind it. */
static size_t take_basic(struct isg_str text, int32_t *out, struct isg_str *rest)
{
    size_t basic = text.n;
    while (basic > 0 && text.p[basic - 1] != '-')
        basic--;
    *rest = isg_str_from(text, basic);
    size_t n = basic > 0 ? basic - 1 : 0;
    for (size_t i = 0; i < n; i++)
        out[i] = (unsigned char)text.p[i];
    return n;
}

static bool is_scalar(uint64_t point)
{
    return point <= SCALAR_MAX && !(point >= 0xd800 && point <= 0xdfff);
}

size_t stix_punycode_decode(struct isg_str text, int32_t out[STIX_PUNYCODE_MAX])
{
    struct isg_str rest;
    uint64_t point = FIRST;
    uint32_t bias = BIAS;
    uint32_t i = 0;
    if (text.n > STIX_PUNYCODE_MAX)
        return 0;
    size_t n = take_basic(text, out, &rest);
    if (rest.n == 0)
        return 0;
    for (bool first = true; rest.n > 0; first = false) {
        uint32_t before = i;
        if (!take_integer(&rest, bias, &i))
            return 0;
        uint32_t points = (uint32_t)n + 1;
        bias = adapt(i - before, points, first);
        point += i / points;
        i %= points;
        if (!is_scalar(point))
            return 0;
        memmove(out + i + 1, out + i, (n - i) * sizeof *out);
        out[i++] = (int32_t)point;
        n++;
    }
    return n;
}
