#include "stix/base/time.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "stix/base/word.h"

static const int64_t US_PER_S = 1000000;
static const int64_t YEAR_9999_END_S = 253402300799;

/* Days since 1970-01-01 of a proleptic Gregorian date. */
static int64_t days_from_civil(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

static void civil_from_days(int64_t days, int *y, int *m, int *d)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *d = (int)(doy - (153 * mp + 2) / 5 + 1);
    *m = (int)(mp < 10 ? mp + 3 : mp - 9);
    *y = (int)(yoe + era * 400 + (*m <= 2));
}

static bool is_leap(uint64_t y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static uint64_t month_days(uint64_t y, uint64_t m)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return m == 2 && is_leap(y) ? 29 : days[m - 1];
}

/* The number that two digits are. */
static uint64_t pair(const char *digits)
{
    return (uint64_t)(digits[0] - '0') * 10 + (uint64_t)(digits[1] - '0');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/*
 * Eight characters at once, a digit where the shape has '0' and what it says elsewhere. slack has a
 * byte for each: what may be added to a right one without reaching the high bit (digits 0x76, others
 * 0x7f), the first one lowest.
 */
static bool fits(const char *text, const char *shape, uint64_t slack)
{
    uint64_t off = isg_word_load(text) ^ isg_word_load(shape);
    return (((off + slack) | off) & ISG_WORD_HIGHS) == 0;
}

/* dddd-dd-ddTdd:dd:dd, perhaps a fraction, Z. */
static bool layout_fits(struct isg_str t)
{
    if (t.n < 20 || !fits(t.p, "0000-00-", UINT64_C(0x7f76767f76767676)) ||
        !fits(t.p + 8, "00T00:00", UINT64_C(0x76767f76767f7676)) || t.p[16] != ':' ||
        !is_digit(t.p[17]) || !is_digit(t.p[18]) || t.p[t.n - 1] != 'Z')
        return false;
    if (t.n == 20)
        return true;
    if (t.p[19] != '.' || t.n == 21)
        return false;
    for (size_t i = 20; i < t.n - 1; i++)
        if (!is_digit(t.p[i]))
            return false;
    return true;
}

/* Whole seconds of a text; the fraction is read separately, since it may be of any length. */
static bool parse_seconds(struct isg_str t, int64_t *out_s)
{
    if (!layout_fits(t))
        return false;
    uint64_t y = pair(t.p) * 100 + pair(t.p + 2);
    uint64_t mo = pair(t.p + 5);
    uint64_t d = pair(t.p + 8);
    uint64_t h = pair(t.p + 11);
    uint64_t mi = pair(t.p + 14);
    uint64_t s = pair(t.p + 17);
    if (mo < 1 || mo > 12 || d < 1 || d > month_days(y, mo) || h > 23 || mi > 59 || s > 60)
        return false;
    *out_s = days_from_civil((int64_t)y, (int64_t)mo, (int64_t)d) * 86400 +
             (int64_t)(h * 3600 + mi * 60 + s);
    return *out_s <= YEAR_9999_END_S; /* its leap second would be of a year that has no text */
}

static struct isg_str fraction(struct isg_str t)
{
    return t.n > 21 ? (struct isg_str){t.p + 20, t.n - 21} : (struct isg_str){"", 0};
}

bool isg_time_parse(struct isg_str text, int64_t *out_us)
{
    int64_t seconds;
    if (!parse_seconds(text, &seconds))
        return false;
    struct isg_str digits = fraction(text);
    int64_t us = 0;
    for (size_t i = 0; i < 6; i++)
        us = us * 10 + (i < digits.n ? digits.p[i] - '0' : 0);
    *out_us = seconds * US_PER_S + us;
    return true;
}

size_t isg_time_digits(struct isg_str text)
{
    return fraction(text).n;
}

int isg_time_cmp(struct isg_str a, struct isg_str b)
{
    int64_t sa = 0;
    int64_t sb = 0;
    (void)parse_seconds(a, &sa);
    (void)parse_seconds(b, &sb);
    if (sa != sb)
        return sa < sb ? -1 : 1;
    struct isg_str fa = fraction(a);
    struct isg_str fb = fraction(b);
    size_t n = fa.n > fb.n ? fa.n : fb.n;
    for (size_t i = 0; i < n; i++) {
        char ca = '0';
        char cb = '0';
        if (i < fa.n)
            ca = fa.p[i];
        if (i < fb.n)
            cb = fb.p[i];
        if (ca != cb)
            return ca < cb ? -1 : 1;
    }
    return 0;
}

/* A mark, and a number of this many digits behind it. Returns what follows. */
static char *put_number(char *out, char mark, int number, int width)
{
    *out = mark;
    for (int i = width; i > 0; i--, number /= 10)
        out[i] = (char)('0' + number % 10);
    return out + 1 + width;
}

static char *put_year(char *out, int y)
{
    if (y < 0 || y > 9999) /* no text of ours, but the clock may say so */
        return out + snprintf(out, ISG_TIME_TEXT, "%04d", y);
    char text[1 + 4];
    (void)put_number(text, ' ', y, 4);
    memcpy(out, text + 1, 4);
    return out + 4;
}

void isg_time_format(int64_t us, int digits, char out[ISG_TIME_TEXT])
{
    int64_t seconds = us / US_PER_S;
    int64_t rest = us % US_PER_S;
    if (rest < 0) {
        rest += US_PER_S;
        seconds--;
    }
    int64_t days = seconds / 86400;
    int64_t clock = seconds % 86400;
    if (clock < 0) {
        clock += 86400;
        days--;
    }
    int y, m, d;
    civil_from_days(days, &y, &m, &d);
    char *p = put_year(out, y);
    p = put_number(p, '-', m, 2);
    p = put_number(p, '-', d, 2);
    p = put_number(p, 'T', (int)(clock / 3600), 2);
    p = put_number(p, ':', (int)(clock / 60 % 60), 2);
    p = put_number(p, ':', (int)(clock % 60), 2);
    char *point = p;
    (void)put_number(p, '.', (int)rest, 6);
    p = digits <= 0 ? point : point + 1 + (digits < 6 ? digits : 6);
    memcpy(p, "Z", sizeof "Z");
}

static int64_t clock_us(clockid_t id)
{
    struct timespec now;
    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

int64_t isg_time_now_us(void)
{
    return clock_us(CLOCK_REALTIME);
}

int64_t isg_time_mono_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}
