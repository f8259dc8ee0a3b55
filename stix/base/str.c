#include "stix/base/str.h"

#include <string.h>

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool isg_str_eq(struct isg_str a, struct isg_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool isg_str_ieq(struct isg_str a, struct isg_str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

int isg_str_cmp(struct isg_str a, struct isg_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n == 0 ? 0 : memcmp(a.p, b.p, n);
    if (order != 0)
        return order;
    return a.n < b.n ? -1 : a.n > b.n;
}

bool isg_str_starts(struct isg_str s, struct isg_str prefix)
{
    return s.n >= prefix.n && isg_str_eq((struct isg_str){s.p, prefix.n}, prefix);
}

bool isg_str_ends(struct isg_str s, struct isg_str suffix)
{
    return s.n >= suffix.n && isg_str_eq(isg_str_from(s, s.n - suffix.n), suffix);
}

struct isg_str isg_str_from(struct isg_str s, size_t from)
{
    if (s.p == NULL)
        return (struct isg_str){NULL, 0};
    if (from > s.n)
        from = s.n;
    return (struct isg_str){s.p + from, s.n - from};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct isg_str isg_str_trim(struct isg_str s)
{
    while (s.n > 0 && is_blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

size_t isg_str_find(struct isg_str s, char c)
{
    const char *hit = s.n == 0 ? NULL : memchr(s.p, c, s.n);
    return hit == NULL ? SIZE_MAX : (size_t)(hit - s.p);
}

bool isg_str_split(struct isg_str *rest, char separator, struct isg_str *piece)
{
    if (rest->p == NULL)
        return false;
    size_t at = isg_str_find(*rest, separator);
    if (at == SIZE_MAX) {
        *piece = *rest;
        *rest = (struct isg_str){NULL, 0};
        return true;
    }
    *piece = (struct isg_str){rest->p, at};
    rest->p += at + 1;
    rest->n -= at + 1;
    return true;
}

bool isg_str_to_u64(struct isg_str s, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(s.p[i] - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (value > max)
        return false;
    *out = value;
    return true;
}

bool isg_str_to_i64(struct isg_str s, int64_t *out)
{
    bool negative = s.n > 0 && s.p[0] == '-';
    uint64_t magnitude;
    if (!isg_str_to_u64(isg_str_from(s, negative ? 1 : 0), (uint64_t)INT64_MAX + (negative ? 1 : 0),
                        &magnitude))
        return false;
    *out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

void isg_hex_encode(const uint8_t *bytes, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * n] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool isg_hex_decode(struct isg_str hex, uint8_t *out, size_t n)
{
    if (hex.n != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int high = hex_value(hex.p[2 * i]);
        int low = hex_value(hex.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
