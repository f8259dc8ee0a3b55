#include "feeds/version.h"

#include <stdint.h>
#include <string.h>

static const struct {
    const char *name;
    const char *kind;
} classes[] = {
    [VERSION_ALL] = {"all", "all"},
    [VERSION_EXACT] = {"exact", "exact"},
    [VERSION_WILDCARD] = {"wildcard-x", "wildcard"},
    [VERSION_ONE_BOUND] = {"one-bound", "range"},
    [VERSION_RANGE] = {"range-by-pipe", "range"},
    [VERSION_LIST] = {"list-by-pipe", "list"},
    [VERSION_TEXT] = {"freetext", "text"},
};

const char *version_class_name(enum version_class class)
{
    return classes[class].name;
}

const char *version_kind(enum version_class class)
{
    return classes[class].kind;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* ---- classes -------------------------------------------------------------------------------- */

/* `<=`, `<`, `>=`, `>` at the beginning of *text, taken off. */
static enum version_op take_op(struct isg_str *text)
{
    static const struct {
        const char *sign;
        enum version_op op;
    } ops[] = {{"<=", VERSION_LE}, {">=", VERSION_GE}, {"<", VERSION_LT}, {">", VERSION_GT}};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (isg_str_starts(*text, isg_str_of(ops[i].sign))) {
            *text = isg_str_trim(isg_str_from(*text, strlen(ops[i].sign)));
            return ops[i].op;
        }
    }
    return VERSION_EQ;
}

static size_t take_digits(struct isg_str *text)
{
    size_t n = 0;
    while (n < text->n && is_digit(text->p[n]))
        n++;
    *text = isg_str_from(*text, n);
    return n;
}

/* Numbers and x between dots, one letter, a number after a hyphen: 12.2.x, 2.4A, 5.17.1-7549. */
static bool is_value(struct isg_str text, bool *out_x, bool *out_plain)
{
    *out_x = false;
    *out_plain = true;
    if (take_digits(&text) == 0)
        return false;
    while (text.n > 1 && text.p[0] == '.') {
        text = isg_str_from(text, 1);
        bool x = (text.p[0] | 0x20) == 'x';
        if (x)
            text = isg_str_from(text, 1);
        else if (*out_x || take_digits(&text) == 0)
            return false;
        *out_x = *out_x || x;
    }
    if (!*out_x && text.n > 0 && is_letter(text.p[0]))
        text = isg_str_from(text, 1);
    if (text.n > 1 && text.p[0] == '-') {
        *out_plain = false;
        text = isg_str_from(text, 1);
        (void)take_digits(&text);
    }
    return text.n == 0;
}

/* What the terms of a text have in common. */
struct terms_seen {
    size_t lower; /* bounds from below */
    size_t upper;
    size_t values;
    size_t x;
    size_t built; /* values with a hyphen */
};

static bool read_term(struct isg_str piece, struct version_term *out, struct terms_seen *seen)
{
    bool x, plain;
    struct isg_str value = isg_str_trim(piece);
    out->op = take_op(&value);
    out->value = value;
    if (!is_value(value, &x, &plain))
        return false;
    seen->lower += out->op == VERSION_GE || out->op == VERSION_GT;
    seen->upper += out->op == VERSION_LE || out->op == VERSION_LT;
    seen->values += out->op == VERSION_EQ;
    seen->x += x;
    seen->built += !plain;
    return true;
}

static bool read_terms(struct isg_str rest, struct version_spec *spec, struct terms_seen *seen)
{
    struct isg_str piece;
    while (isg_str_split(&rest, '|', &piece)) {
        if (spec->count == VERSION_TERMS || !read_term(piece, &spec->terms[spec->count], seen))
            return false;
        spec->count++;
    }
    return spec->count > 0;
}

static enum version_class class_of(const struct version_spec *spec, const struct terms_seen *seen)
{
    bool bounds = seen->values == 0;
    if (spec->count == 1 && bounds)
        return VERSION_ONE_BOUND;
    if (spec->count == 1 && seen->built > 0)
        return VERSION_TEXT; /* a build after a hyphen says nothing about order */
    if (spec->count == 1)
        return seen->x > 0 ? VERSION_WILDCARD : VERSION_EXACT;
    if (spec->count == 2 && seen->lower == 1 && seen->upper == 1)
        return VERSION_RANGE;
    bool one_direction = bounds && (seen->lower == 0 || seen->upper == 0);
    return one_direction || seen->values == spec->count ? VERSION_LIST : VERSION_TEXT;
}

/* What stands behind `vers:<scheme>/`, else the text itself. */
static struct isg_str without_scheme(struct isg_str text)
{
    size_t slash = isg_str_find(text, '/');
    bool vers = isg_str_starts(text, ISG_STR("vers:")) && slash != SIZE_MAX;
    return vers ? isg_str_from(text, slash + 1) : text;
}

struct version_spec version_parse(struct isg_str raw)
{
    struct version_spec spec = {.class = VERSION_TEXT, .raw = isg_str_trim(raw)};
    struct terms_seen seen = {0};
    struct isg_str text = without_scheme(spec.raw);
    if (text.n < spec.raw.n && isg_str_is(text, "*"))
        spec.class = VERSION_ALL;
    else if (read_terms(text, &spec, &seen))
        spec.class = class_of(&spec, &seen);
    if (spec.class == VERSION_TEXT)
        spec.count = 0;
    return spec;
}

/* ---- order ---------------------------------------------------------------------------------- */

enum { LOT_DIGITS = 5 };

struct part {
    struct isg_str text;
    bool letters;
};

static bool is_separator(char c)
{
    return c == '.' || c == '_' || c == '-';
}

/* "v2.1" is 2.1. */
static struct isg_str without_v(struct isg_str text)
{
    text = isg_str_trim(text);
    bool v = text.n > 1 && (text.p[0] | 0x20) == 'v' && is_digit(text.p[1]);
    return v ? isg_str_from(text, 1) : text;
}

/* The next run of digits or letters; false at the end. */
static bool next_part(struct isg_str *rest, struct part *out)
{
    while (rest->n > 0 && is_separator(rest->p[0]))
        *rest = isg_str_from(*rest, 1);
    if (rest->n == 0)
        return false;
    size_t n = 0;
    out->letters = is_letter(rest->p[0]);
    while (n < rest->n && !is_separator(rest->p[n]) && is_letter(rest->p[n]) == out->letters)
        n++;
    out->text = (struct isg_str){rest->p, n};
    *rest = isg_str_from(*rest, n);
    return true;
}

static bool is_day(struct isg_str text)
{
    return text.n == 10 && text.p[4] == '-' && text.p[7] == '-';
}

/* Dates, lot numbers and words have no order that we know. */
static bool has_order(struct isg_str text)
{
    struct isg_str rest = text;
    struct part part;
    bool letter = false;
    bool lot = false;
    if (text.n == 0 || is_day(text))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (!is_digit(text.p[i]) && !is_letter(text.p[i]) && !is_separator(text.p[i]))
            return false;
    }
    while (next_part(&rest, &part)) {
        if (part.letters && part.text.n > 1)
            return false;
        lot = lot || (letter && !part.letters && part.text.n >= LOT_DIGITS);
        letter = letter || part.letters;
    }
    return !lot;
}

static enum version_order order_of(int sign)
{
    return sign < 0 ? VERSION_LESS : sign > 0 ? VERSION_MORE : VERSION_SAME;
}

static struct isg_str without_zeros(struct isg_str digits)
{
    while (digits.n > 0 && digits.p[0] == '0')
        digits = isg_str_from(digits, 1);
    return digits;
}

static enum version_order number_cmp(struct isg_str a, struct isg_str b)
{
    a = without_zeros(a);
    b = without_zeros(b);
    if (a.n != b.n)
        return a.n < b.n ? VERSION_LESS : VERSION_MORE;
    return order_of(a.n == 0 ? 0 : memcmp(a.p, b.p, a.n));
}

static enum version_order part_cmp(const struct part *a, const struct part *b)
{
    bool x = (a->letters && (a->text.p[0] | 0x20) == 'x') ||
             (b->letters && (b->text.p[0] | 0x20) == 'x');
    if (x)
        return VERSION_UNKNOWN;
    if (a->letters != b->letters)
        return a->letters ? VERSION_MORE : VERSION_LESS;
    if (!a->letters)
        return number_cmp(a->text, b->text);
    return order_of((a->text.p[0] | 0x20) - (b->text.p[0] | 0x20));
}

enum version_order version_cmp(struct isg_str a, struct isg_str b)
{
    const struct part zero = {ISG_STR("0"), false};
    a = without_v(a);
    b = without_v(b);
    if (!has_order(a) || !has_order(b))
        return VERSION_UNKNOWN;
    enum version_order order = VERSION_SAME;
    while (order == VERSION_SAME) {
        struct part x = zero;
        struct part y = zero;
        bool more = next_part(&a, &x);
        more = next_part(&b, &y) || more;
        if (!more)
            break;
        order = part_cmp(&x, &y);
    }
    return order;
}

/* ---- match ---------------------------------------------------------------------------------- */

static const char no_order[] = "the versions cannot be compared";
static const char only_text[] = "the advisory names the versions in words";

/* Does the installed version begin with the numbers before the x? */
static enum version_answer match_wildcard(struct isg_str value, struct isg_str installed)
{
    struct part want, got;
    if (!has_order(installed))
        return VERSION_MAYBE;
    while (next_part(&value, &want)) {
        if (want.letters && (want.text.p[0] | 0x20) == 'x')
            return VERSION_YES;
        if (!next_part(&installed, &got))
            got = (struct part){ISG_STR("0"), false};
        enum version_order order = part_cmp(&want, &got);
        if (order != VERSION_SAME)
            return order == VERSION_UNKNOWN ? VERSION_MAYBE : VERSION_NO;
    }
    return VERSION_YES;
}

static bool has_x(struct isg_str value)
{
    return value.n > 2 && (value.p[value.n - 1] | 0x20) == 'x' && value.p[value.n - 2] == '.';
}

/* The order of installed and value under this term. */
static enum version_answer judge(enum version_op op, enum version_order order)
{
    static const bool holds[][3] = {
        [VERSION_EQ] = {false, true, false}, [VERSION_LT] = {true, false, false},
        [VERSION_LE] = {true, true, false},  [VERSION_GT] = {false, false, true},
        [VERSION_GE] = {false, true, true},
    };
    if (order == VERSION_UNKNOWN)
        return VERSION_MAYBE;
    return holds[op][order] ? VERSION_YES : VERSION_NO;
}

static enum version_answer match_term(const struct version_term *term, struct isg_str installed)
{
    if (isg_str_ieq(term->value, installed))
        return judge(term->op, VERSION_SAME);
    enum version_order order = version_cmp(installed, term->value);
    if (!has_x(term->value) || order != VERSION_UNKNOWN)
        return judge(term->op, order);
    bool inclusive = term->op != VERSION_LT && term->op != VERSION_GT;
    enum version_answer inside = match_wildcard(term->value, installed);
    return inside == VERSION_YES && inclusive ? VERSION_YES : VERSION_MAYBE;
}

/* All must hold, or one of them. */
static enum version_answer match_terms(const struct version_spec *spec, struct isg_str installed)
{
    bool all = spec->class == VERSION_RANGE;
    bool maybe = false;
    for (size_t i = 0; i < spec->count; i++) {
        enum version_answer answer = match_term(&spec->terms[i], installed);
        if (answer == (all ? VERSION_NO : VERSION_YES))
            return answer;
        maybe = maybe || answer == VERSION_MAYBE;
    }
    if (maybe)
        return VERSION_MAYBE;
    return all ? VERSION_YES : VERSION_NO;
}

enum version_answer version_match(const struct version_spec *spec, struct isg_str installed,
                                  const char **out_reason)
{
    enum version_answer answer;
    installed = without_v(installed);
    if (spec->class == VERSION_ALL || isg_str_ieq(spec->raw, installed))
        answer = VERSION_YES;
    else if (spec->class == VERSION_TEXT || installed.n == 0)
        answer = VERSION_MAYBE;
    else
        answer = match_terms(spec, installed);
    if (out_reason != NULL && answer == VERSION_MAYBE)
        *out_reason = spec->class == VERSION_TEXT ? only_text : no_order;
    else if (out_reason != NULL)
        *out_reason = NULL;
    return answer;
}
