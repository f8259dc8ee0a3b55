/*
 * Times in tables (feeds digest 5.8): in a table's own formats, in its zone, else as most tools write
 * them. A format is matched character by character; what is left over is no match.
 */
#include <stdio.h>
#include <string.h>

#include "feeds/csv.h"
#include "stix/base/time.h"

enum { DATE_MAX = 40 };

static const uint64_t milliseconds_from = UINT64_C(100000000000); /* in seconds the year 5138 */

/* What is not ambiguous; which number of 03/04/2024 is the month only a table's settings can say. */
static const char *const usual[] = {
    "%Y-%m-%dT%H:%M:%S%f%z",
    "%Y-%m-%d %H:%M:%S%f%z",
    "%Y-%m-%dT%H:%M%z",
    "%Y-%m-%d %H:%M%z",
    "%Y-%m-%d%z",
    "%Y/%m/%d %H:%M:%S%f%z",
    "%Y/%m/%d %H:%M%z",
    "%Y/%m/%d%z",
    "%Y%m%dT%H%M%S%z",
    "%Y%m%d%z",
    "%a, %d %b %Y %H:%M:%S%z",
    "%d %b %Y %H:%M:%S%z",
    "%d %b %Y%z",
    "%s%f",
};

struct moment {
    unsigned year, month, day, hour, minute, second;
    uint64_t epoch; /* seconds, or milliseconds */
    bool is_epoch;
    int64_t fraction_us;
    bool has_zone;
    int zone; /* minutes east of UTC */
};

/* A number of least to most digits. */
static bool take_number(struct isg_str *text, size_t least, size_t most, uint64_t *out)
{
    size_t n = 0;
    while (n < text->n && n < most && text->p[n] >= '0' && text->p[n] <= '9')
        n++;
    if (n < least || !isg_str_to_u64((struct isg_str){text->p, n}, UINT64_MAX, out))
        return false;
    *text = isg_str_from(*text, n);
    return true;
}

static bool take_unsigned(struct isg_str *text, size_t least, size_t most, unsigned *out)
{
    uint64_t number = 0;
    bool good = take_number(text, least, most, &number);
    *out = (unsigned)number;
    return good;
}

/* Three letters of an English name, and the rest of its letters. */
static bool take_name(struct isg_str *text, const char *names, unsigned *out)
{
    for (unsigned i = 0; names[(size_t)i * 3] != '\0'; i++) {
        struct isg_str name = {names + (size_t)i * 3, 3};
        if (text->n < 3 || !isg_str_ieq((struct isg_str){text->p, 3}, name))
            continue;
        while (text->n > 0 && (text->p[0] | 0x20) >= 'a' && (text->p[0] | 0x20) <= 'z')
            *text = isg_str_from(*text, 1);
        *out = i + 1;
        return true;
    }
    return false;
}

/* A point or comma and digits, of which six count; there may be none. */
static bool take_fraction(struct isg_str *text, int64_t *out_us)
{
    *out_us = 0;
    if (text->n == 0 || (text->p[0] != '.' && text->p[0] != ','))
        return true;
    *text = isg_str_from(*text, 1);
    size_t digits = 0;
    for (int64_t unit = 100000; text->n > 0 && text->p[0] >= '0' && text->p[0] <= '9'; unit /= 10) {
        *out_us += (text->p[0] - '0') * unit;
        *text = isg_str_from(*text, 1);
        digits++;
    }
    return digits > 0;
}

bool csv_zone_read(struct isg_str text, int *out_minutes)
{
    static const char *const utc[] = {"Z", "UTC", "GMT"};
    unsigned hours = 0, minutes = 0;
    *out_minutes = 0;
    for (size_t i = 0; i < sizeof utc / sizeof utc[0]; i++) {
        if (isg_str_ieq(text, isg_str_of(utc[i])))
            return true;
    }
    if (text.n < 3 || (text.p[0] != '+' && text.p[0] != '-'))
        return false;
    bool west = text.p[0] == '-';
    text = isg_str_from(text, 1);
    bool good = take_unsigned(&text, 2, 2, &hours);
    if (good && text.n == 3 && text.p[0] == ':')
        text = isg_str_from(text, 1);
    good = good && (text.n == 0 || take_unsigned(&text, 2, 2, &minutes)) && text.n == 0;
    *out_minutes = (int)(hours * 60 + minutes) * (west ? -1 : 1);
    return good && hours < 24 && minutes < 60;
}

/* To the end of the text: a zone with or without a blank before it, or nothing. */
static bool take_zone(struct isg_str *text, struct moment *out)
{
    *text = isg_str_trim(*text);
    if (text->n == 0)
        return true;
    out->has_zone = csv_zone_read(*text, &out->zone);
    text->n = 0;
    return out->has_zone;
}

static bool take_part(char part, struct isg_str *text, struct moment *out)
{
    unsigned ignored;
    switch (part) {
    case 'Y': return take_unsigned(text, 4, 4, &out->year);
    case 'm': return take_unsigned(text, 1, 2, &out->month);
    case 'b': return take_name(text, "janfebmaraprmayjunjulaugsepoctnovdec", &out->month);
    case 'd': return take_unsigned(text, 1, 2, &out->day);
    case 'a': return take_name(text, "montuewedthufrisatsun", &ignored);
    case 'H': return take_unsigned(text, 1, 2, &out->hour);
    case 'M': return take_unsigned(text, 1, 2, &out->minute);
    case 'S': return take_unsigned(text, 1, 2, &out->second);
    case 'f': return take_fraction(text, &out->fraction_us);
    case 's': out->is_epoch = true; return take_number(text, 9, 13, &out->epoch);
    default: return part == 'z' && take_zone(text, out);
    }
}

bool csv_time_format_is_good(struct isg_str format)
{
    bool day = false, month = false, year = false;
    for (size_t i = 0; i < format.n; i++) {
        if (format.p[i] != '%')
            continue;
        char part = (char)(i + 1 < format.n ? format.p[++i] : '\0');
        if (part == '\0' || strchr("YmbdaHMSfsz", part) == NULL)
            return false;
        day = day || part == 'd' || part == 's';
        month = month || part == 'm' || part == 'b' || part == 's';
        year = year || part == 'Y' || part == 's';
    }
    return day && month && year;
}

static bool matches(const char *format, struct isg_str text, struct moment *out)
{
    *out = (struct moment){.day = 0};
    for (; *format != '\0'; format++) {
        if (*format == '%') {
            if (!take_part(*++format, &text, out))
                return false;
        } else {
            if (text.n == 0 || text.p[0] != *format)
                return false;
            text = isg_str_from(text, 1);
        }
    }
    return text.n == 0;
}

/* Of the years 0000 to 9999. */
static const int64_t first_us = INT64_C(-62167219200) * 1000000;
static const int64_t behind_us = INT64_C(253402300800) * 1000000;

static bool in_us(const struct moment *moment, int zone, int64_t *out)
{
    char text[DATE_MAX];
    if (moment->is_epoch) {
        bool milliseconds = moment->epoch >= milliseconds_from;
        *out = (int64_t)moment->epoch * (milliseconds ? 1000 : 1000000) + moment->fraction_us;
        return true;
    }
    int n = snprintf(text, sizeof text, "%04u-%02u-%02uT%02u:%02u:%02uZ", moment->year,
                     moment->month, moment->day, moment->hour, moment->minute, moment->second);
    if (n != 20 || !isg_time_parse((struct isg_str){text, (size_t)n}, out))
        return false;
    *out += moment->fraction_us - (int64_t)(moment->has_zone ? moment->zone : zone) * 60 * 1000000;
    return *out >= first_us && *out < behind_us; /* a zone may lead out of the years there are */
}

bool csv_time_read(const struct csv_profile *profile, struct isg_str text, int64_t *out)
{
    struct moment moment;
    text = isg_str_trim(text);
    for (size_t i = 0; i < CSV_TIMES && profile->time[i] != NULL; i++) {
        if (matches(profile->time[i], text, &moment))
            return in_us(&moment, profile->zone, out);
    }
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        if (matches(usual[i], text, &moment))
            return in_us(&moment, profile->zone, out);
    }
    return false;
}
