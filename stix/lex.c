#include "stix/lex.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "stix/base/utf8.h"
#include "stix/base/word.h"

static const char S001[] = "S-001";
static const char I_JSON[] = "I-JSON";
static const char S005[] = "S-005";
static const char S006[] = "S-006";

bool stix_lex_fail(struct stix_lex *lex, int code, const char *rule, const char *text,
                   const char *at)
{
    lex->code = code;
    lex->rule = rule;
    lex->text = text;
    lex->at = at;
    return false;
}

static bool grammar_fail(struct stix_lex *lex, const char *text, const char *at)
{
    return stix_lex_fail(lex, ISG_EPARSE, S001, text, at);
}

/* What the grammar allows and I-JSON does not. */
static bool content_fail(struct stix_lex *lex, const char *text, const char *at)
{
    return lex->lenient || stix_lex_fail(lex, ISG_EPARSE, I_JSON, text, at);
}

/* Likewise, a number; rule names the one of STIX that says the same. */
static bool number_fail(struct stix_lex *lex, const char *rule, const char *text, const char *at)
{
    return lex->lenient || stix_lex_fail(lex, ISG_EPARSE, rule, text, at);
}

static const char *skip_spaces(const char *p, const char *end)
{
    for (; end - p >= 8; p += 8) {
        uint64_t other = isg_word_load(p) ^ (ISG_WORD_ONES * ' ');
        if (other != 0)
            return p + isg_word_first(other);
    }
    while (p < end && *p == ' ')
        p++;
    return p;
}

void stix_lex_skip_blanks(struct stix_lex *lex)
{
    const char *p = skip_spaces(lex->p, lex->end);
    while (p < lex->end && (*p == '\n' || *p == '\r' || *p == '\t'))
        p = skip_spaces(p + 1, lex->end);
    lex->p = p;
}

/* The first byte of the string's inside that is a quote, a backslash, a control or not ASCII. */
static const char *skip_plain(const char *p, const char *end)
{
#ifdef __SSE2__
    for (; end - p >= 16; p += 16) {
        unsigned hit = isg_word_escapes16(p, true);
        if (hit != 0)
            return p + __builtin_ctz(hit);
    }
#endif
    for (; end - p >= 8; p += 8) {
        uint64_t word = isg_word_load(p);
        uint64_t hit = isg_word_escapes(word) | (word & ISG_WORD_HIGHS);
        if (hit != 0)
            return p + isg_word_first(hit);
    }
    while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' &&
           *p != '\\')
        p++;
    return p;
}

static bool continues(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/*
 * Skip the characters that are right whatever their bits: two bytes from C2 to DF on, three from
 * E1 to EC on (U+1000 to U+CFFF). That is most of the text of the world.
 */
static const char *skip_common(const char *p, const char *end)
{
    while (end - p >= 3 && continues(p[1])) {
        unsigned char lead = (unsigned char)*p;
        if (lead >= 0xe1 && lead <= 0xec && continues(p[2]))
            p += 3;
        else if (lead >= 0xc2 && lead <= 0xdf)
            p += 2;
        else
            break;
    }
    return p;
}

static bool take_utf8(struct stix_lex *lex)
{
    lex->p = skip_common(lex->p, lex->end);
    while (lex->p < lex->end && (unsigned char)*lex->p >= 0x80) {
        struct isg_str rest = {lex->p, (size_t)(lex->end - lex->p)};
        int32_t cp = isg_utf8_next(&rest);
        if (cp < 0)
            return grammar_fail(lex, "not UTF-8", lex->p);
        if (isg_utf8_is_noncharacter(cp) && !content_fail(lex, "a Unicode noncharacter", lex->p))
            return false;
        lex->p = skip_common(rest.p, lex->end);
    }
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits after \u, or -1. */
static int32_t hex4(const char *p, const char *end)
{
    int32_t value = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

static bool is_high(int32_t unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low(int32_t unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

/*
 * The code point of the \u escape at p (on the backslash), of one or two units; *out_next is
 * behind it. -1: no four hex digits. -2: a lone surrogate, of one unit.
 */
static int32_t unicode_escape(const char *p, const char *end, const char **out_next)
{
    int32_t unit = hex4(p + 2, end);
    *out_next = p + 6;
    if (unit < 0)
        return -1;
    if (!is_high(unit))
        return is_low(unit) ? -2 : unit;
    if (end - *out_next < 6 || p[6] != '\\' || p[7] != 'u')
        return -2;
    int32_t low = hex4(p + 8, end);
    if (!is_low(low))
        return -2;
    *out_next = p + 12;
    return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

static bool take_unicode(struct stix_lex *lex)
{
    const char *at = lex->p;
    const char *next;
    int32_t cp = unicode_escape(at, lex->end, &next);
    if (cp == -1)
        return grammar_fail(lex, "\\u without four hex digits", at);
    lex->p = next;
    if (cp == -2)
        return content_fail(lex, "a lone surrogate", at);
    if (cp == 0)
        return content_fail(lex, "a NUL character", at);
    if (isg_utf8_is_noncharacter(cp))
        return content_fail(lex, "a Unicode noncharacter", at);
    return true;
}

static bool take_escape(struct stix_lex *lex)
{
    if (lex->end - lex->p < 2)
        return grammar_fail(lex, "a string without end", lex->p);
    switch (lex->p[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't': lex->p += 2; return true;
    case 'u': return take_unicode(lex);
    default: return grammar_fail(lex, "an unknown escape", lex->p);
    }
}

bool stix_lex_string(struct stix_lex *lex, struct isg_str *out)
{
    const char *from = ++lex->p;
    for (;;) {
        lex->p = skip_plain(lex->p, lex->end);
        if (lex->p == lex->end)
            return grammar_fail(lex, "a string without end", lex->p);
        if (*lex->p == '"')
            break;
        if ((unsigned char)*lex->p < 0x20)
            return grammar_fail(lex, "a control character in a string", lex->p);
        if (!(*lex->p == '\\' ? take_escape(lex) : take_utf8(lex)))
            return false;
    }
    *out = (struct isg_str){from, (size_t)(lex->p - from)};
    lex->p++;
    if (out->n > lex->string_max)
        return stix_lex_fail(lex, ISG_ELIMIT, "limit", "a string is too long", from);
    return true;
}

static char plain_escape(char c)
{
    switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return c;
    }
}

void stix_lex_unescape(struct isg_str raw, struct isg_buf *out)
{
    const char *p = raw.p;
    const char *end = raw.p + raw.n;
    while (p < end) {
        const char *escape = memchr(p, '\\', (size_t)(end - p));
        isg_buf_put(out, p, (size_t)((escape != NULL ? escape : end) - p));
        if (escape == NULL)
            return;
        if (escape[1] != 'u') {
            isg_buf_putc(out, plain_escape(escape[1]));
            p = escape + 2;
            continue;
        }
        char utf8[4];
        int32_t cp = unicode_escape(escape, end, &p);
        isg_buf_put(out, utf8, isg_utf8_put(cp < 0 ? 0xfffd : (uint32_t)cp, utf8));
    }
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* At least one digit; the count, or 0. */
static size_t take_digits(struct stix_lex *lex)
{
    const char *from = lex->p;
    while (lex->p < lex->end && is_digit(*lex->p))
        lex->p++;
    return (size_t)(lex->p - from);
}

/* S-005: within +-(2^53-1). */
static bool integer_fits(const char *digits, size_t count)
{
    static const char largest[] = "9007199254740991";
    if (count != sizeof largest - 1)
        return count < sizeof largest - 1;
    return memcmp(digits, largest, count) <= 0;
}

/*
 * The least magnitude that a double rounds to infinity, 2^1024 - 2^970. Its digits are compared
 * with those written, so that no conversion (slow, and in the locale's form) is needed.
 */
static const char infinity[] =
    "1797693134862315807937289714053034150799341327100378269361737789804449682927647509466490179775"
    "8720709633028641669288791094655554785194040263065748867150582068190890200070838367627385484581"
    "7711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699"
    "508093042880177904174497792";
static_assert(sizeof infinity - 1 == 309, "1.79...e308 written out");

/* digits (with a '.' somewhere, which is skipped) as 1.7976..., against infinity's. */
static bool below_infinity(struct isg_str digits)
{
    size_t k = 0;
    for (size_t i = 0; i < digits.n && k < sizeof infinity - 1; i++) {
        if (digits.p[i] == '.')
            continue;
        if (digits.p[i] != infinity[k])
            return digits.p[i] < infinity[k];
        k++;
    }
    while (k < sizeof infinity - 1 && infinity[k] == '0')
        k++;
    return k < sizeof infinity - 1;
}

static int64_t exponent_of(struct isg_str text)
{
    bool negative = text.n > 0 && text.p[0] == '-';
    int64_t value = 0;
    for (size_t i = 0; i < text.n; i++)
        if (is_digit(text.p[i]) && value < INT32_MAX)
            value = value * 10 + (text.p[i] - '0');
    return negative ? -value : value;
}

/* digits: what stands before the exponent, without sign; before: how many before the point. */
static bool float_fits(struct isg_str digits, size_t before, struct isg_str exponent)
{
    size_t zeros = 0;
    size_t skip = 0;
    while (skip < digits.n && (digits.p[skip] == '0' || digits.p[skip] == '.'))
        zeros += digits.p[skip++] == '0';
    if (skip == digits.n)
        return true; /* zero, whatever its exponent */
    int64_t first = (int64_t)before - 1 - (int64_t)zeros + exponent_of(exponent);
    enum { LARGEST = sizeof infinity - 2 };
    if (first != LARGEST)
        return first < LARGEST;
    return below_infinity(isg_str_from(digits, skip));
}

static bool take_exponent(struct stix_lex *lex, struct isg_str *out)
{
    const char *from = ++lex->p;
    if (lex->p < lex->end && (*lex->p == '+' || *lex->p == '-'))
        lex->p++;
    if (take_digits(lex) == 0)
        return grammar_fail(lex, "a number without exponent digits", lex->p);
    *out = (struct isg_str){from, (size_t)(lex->p - from)};
    return true;
}

static bool take_fraction(struct stix_lex *lex)
{
    lex->p++;
    return take_digits(lex) > 0 || grammar_fail(lex, "a number without digits", lex->p);
}

bool stix_lex_number(struct stix_lex *lex)
{
    const char *at = lex->p;
    if (*lex->p == '-')
        lex->p++;
    const char *digits = lex->p;
    size_t before = take_digits(lex);
    if (before == 0)
        return grammar_fail(lex, "a number without digits", lex->p);
    if (before > 1 && digits[0] == '0')
        return grammar_fail(lex, "a number with a leading zero", digits);
    bool point = lex->p < lex->end && *lex->p == '.';
    if (point && !take_fraction(lex))
        return false;
    struct isg_str significand = {digits, (size_t)(lex->p - digits)};
    struct isg_str exponent = {"", 0};
    if (lex->p < lex->end && (*lex->p == 'e' || *lex->p == 'E')) {
        if (!take_exponent(lex, &exponent))
            return false;
    } else if (!point) {
        return integer_fits(digits, before) ||
               number_fail(lex, S005, "an integer outside +-(2^53-1)", at);
    }
    return float_fits(significand, before, exponent) ||
           number_fail(lex, S006, "a number beyond the range of a double", at);
}
