/*
 * The text of the smallest parts of a pattern, one text for all that mean the same: numbers by
 * value, timestamps by instant, octets as hex, networks without host bits.
 */
#include <math.h>
#include <string.h>

#include "stix/base/base64.h"
#include "stix/base/time.h"
#include "stix/base/utf8.h"
#include "stix/chars.h"
#include "stix/json.h"
#include "stix/network.h"
#include "stix/pattern_tree.h"

/* --- strings and paths --- */

static void print_quoted(struct isg_str text, struct isg_buf *out)
{
    isg_buf_putc(out, '\'');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\'' || text.p[i] == '\\')
            isg_buf_putc(out, '\\');
        isg_buf_putc(out, text.p[i]);
    }
    isg_buf_putc(out, '\'');
}

static void print_key(struct isg_str key, struct isg_buf *out)
{
    if (stix_word_is_plain(key))
        isg_buf_put_str(out, key);
    else
        print_quoted(key, out);
}

void stix_path_print(const struct stix_path *path, struct isg_buf *out)
{
    isg_buf_put_str(out, path->type);
    isg_buf_putc(out, ':');
    for (const struct stix_step *s = path->first; s != NULL; s = s->next) {
        if (s->kind == STIX_STEP_ANY) {
            isg_buf_puts(out, "[*]");
        } else if (s->kind == STIX_STEP_INDEX) {
            isg_buf_printf(out, "[%lld]", (long long)s->index);
        } else {
            if (s != path->first)
                isg_buf_putc(out, '.');
            print_key(s->key, out);
        }
    }
}

/* --- numbers --- */

/* Digits with the point moved by an exponent: patterns know no "1e-7". */
static void print_moved(struct isg_str digits, int point, struct isg_buf *out)
{
    if (point <= 0) {
        isg_buf_puts(out, "0.");
        for (; point < 0; point++)
            isg_buf_putc(out, '0');
        isg_buf_put_str(out, digits);
        return;
    }
    for (size_t i = 0; i < digits.n; i++) {
        if ((int)i == point)
            isg_buf_putc(out, '.');
        isg_buf_putc(out, digits.p[i]);
    }
    for (int i = (int)digits.n; i < point; i++)
        isg_buf_putc(out, '0');
    if ((int)digits.n <= point)
        isg_buf_puts(out, ".0");
}

/* "-1.5e-7": sign, digits and exponent apart, put together without the exponent. */
static void print_exponent(struct isg_str text, size_t e, struct isg_buf *out)
{
    char digits[32];
    size_t n = 0;
    uint64_t size = 0;
    bool minus = text.p[e + 1] == '-';
    int point = -1;
    for (size_t i = 0; i < e; i++) {
        if (text.p[i] == '-')
            isg_buf_putc(out, '-');
        else if (text.p[i] == '.')
            point = (int)n;
        else if (n < sizeof digits)
            digits[n++] = text.p[i];
    }
    (void)isg_str_to_u64(isg_str_from(text, e + 2), 400, &size);
    point = (point < 0 ? (int)n : point) + (minus ? -(int)size : (int)size);
    print_moved((struct isg_str){digits, n}, point, out);
}

static void print_real(double real, struct isg_buf *out)
{
    const double exact = 9007199254740991.0; /* 2^53-1 */
    struct isg_buf text;
    if (fabs(real) <= exact && !(trunc(real) < real) && !(trunc(real) > real)) {
        isg_buf_printf(out, "%lld", (long long)real); /* 5.0 is 5, -0.0 is 0 */
        return;
    }
    isg_buf_init(&text, 64);
    stix_json_canon_number(real, &text);
    size_t e = isg_str_find(isg_buf_str(&text), 'e');
    if (text.err != ISG_OK)
        out->err = text.err;
    else if (e != SIZE_MAX)
        print_exponent(isg_buf_str(&text), e, out);
    else {
        isg_buf_put_str(out, isg_buf_str(&text));
        if (isg_str_find(isg_buf_str(&text), '.') == SIZE_MAX)
            isg_buf_puts(out, ".0");
    }
    isg_buf_done(&text);
}

/* --- times and octets --- */

/* The instant: microseconds, and what digits stand behind them, without zeros at the end. */
static void print_instant(struct isg_str text, struct isg_buf *out)
{
    char whole[ISG_TIME_TEXT];
    int64_t us = 0;
    size_t digits = isg_time_digits(text);
    (void)isg_time_parse(text, &us);
    isg_time_format(us, 6, whole);
    struct isg_str head = {whole, strlen(whole) - 1};
    struct isg_str tail = {NULL, 0};
    if (digits > 6)
        tail = (struct isg_str){text.p + text.n - 1 - (digits - 6), digits - 6};
    while (tail.n > 0 && tail.p[tail.n - 1] == '0')
        tail.n--;
    if (tail.n == 0) {
        while (head.p[head.n - 1] == '0')
            head.n--;
        if (head.p[head.n - 1] == '.')
            head.n--;
    }
    isg_buf_put_str(out, head);
    isg_buf_put_str(out, tail);
    isg_buf_putc(out, 'Z');
}

static void print_octets(struct isg_str octets, struct isg_buf *out)
{
    static const char hex[] = "0123456789abcdef";
    isg_buf_puts(out, "h'");
    for (size_t i = 0; i < octets.n; i++) {
        isg_buf_putc(out, hex[(unsigned char)octets.p[i] >> 4]);
        isg_buf_putc(out, hex[(unsigned char)octets.p[i] & 15]);
    }
    isg_buf_putc(out, '\'');
}

static void print_base64(struct isg_str text, struct isg_buf *out)
{
    struct isg_buf octets;
    isg_buf_init(&octets, text.n + 1);
    (void)isg_base64_decode(ISG_BASE64_LAX, text, &octets);
    print_octets(isg_buf_str(&octets), out);
    if (octets.err != ISG_OK)
        out->err = octets.err;
    isg_buf_done(&octets);
}

/* --- strings that mean more than their characters --- */

/* On a property of octets a string is the octets of its characters (S-121); false: it has none. */
static bool print_as_octets(struct isg_str text, struct isg_buf *out)
{
    struct isg_buf octets;
    bool fits = true;
    isg_buf_init(&octets, text.n + 1);
    while (text.n > 0 && fits) {
        int32_t cp = isg_utf8_next(&text);
        fits = cp >= 0 && cp <= 0xff;
        isg_buf_putc(&octets, (char)cp);
    }
    if (fits)
        print_octets(isg_buf_str(&octets), out);
    if (octets.err != ISG_OK)
        out->err = octets.err;
    isg_buf_done(&octets);
    return fits;
}

/* 001.002.003.004: without zeros that change nothing, whether octal is read or not. */
static struct isg_str strip_zeros(struct isg_str text, char *room, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        bool starts = i == 0 || text.p[i - 1] == '.';
        size_t zeros = i;
        while (starts && zeros + 1 < text.n && text.p[zeros] == '0' && is_digit(text.p[zeros + 1]))
            zeros++;
        bool single = zeros + 1 >= text.n || !is_digit(text.p[zeros + 1]);
        if (zeros > i && (!single || text.p[zeros] > '7'))
            return text;
        i = zeros;
        if (n >= size)
            return text;
        room[n++] = text.p[i];
    }
    return (struct isg_str){room, n};
}

static bool print_network(struct isg_str text, struct isg_buf *out)
{
    char room[STIX_NETWORK_TEXT];
    char form[STIX_NETWORK_TEXT];
    struct stix_network network;
    if (!stix_network_read(text, &network) &&
        !stix_network_read(strip_zeros(text, room, sizeof room), &network))
        return false;
    stix_network_text(&network, form);
    print_quoted(isg_str_of(form), out);
    return true;
}

/* windows-registry-key:key and :values[n].name, which Windows reads in either case. */
static bool is_caseless(const struct stix_path *path)
{
    const struct stix_step *s = path->first;
    if (!isg_str_is(path->type, "windows-registry-key"))
        return false;
    if (s->next == NULL)
        return isg_str_is(s->key, "key");
    return isg_str_is(s->key, "values") && s->next->kind != STIX_STEP_KEY &&
           s->next->next != NULL && s->next->next == path->last &&
           isg_str_is(path->last->key, "name");
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static void print_lower(struct isg_str text, struct isg_buf *out)
{
    struct isg_buf lower;
    isg_buf_init(&lower, text.n + 1);
    for (size_t i = 0; i < text.n; i++)
        isg_buf_putc(&lower, (char)(is_upper(text.p[i]) ? text.p[i] | 0x20 : text.p[i]));
    print_quoted(isg_buf_str(&lower), out);
    if (lower.err != ISG_OK)
        out->err = lower.err;
    isg_buf_done(&lower);
}

static bool compares_whole(enum stix_op op)
{
    return op == STIX_OP_EQ || op == STIX_OP_NE || op == STIX_OP_IN;
}

static bool is_subset_test(enum stix_op op)
{
    return op == STIX_OP_ISSUBSET || op == STIX_OP_ISSUPERSET;
}

static void print_string(struct isg_str text, const struct stix_test *test, struct isg_buf *out)
{
    bool whole = compares_whole(test->op);
    bool network = is_subset_test(test->op) || (whole && stix_path_ends_at_address(&test->path));
    bool octets = test->op != STIX_OP_LIKE && test->op != STIX_OP_MATCHES &&
                  stix_path_is_of_bytes(&test->path);
    if (network && print_network(text, out))
        return;
    if (octets && print_as_octets(text, out))
        return;
    if (whole && is_caseless(&test->path))
        print_lower(text, out);
    else
        print_quoted(text, out);
}

void stix_literal_print(const struct stix_literal *literal, const struct stix_test *test,
                        struct isg_buf *out)
{
    switch (literal->kind) {
    case STIX_LITERAL_INTEGER: isg_buf_printf(out, "%lld", (long long)literal->integer); break;
    case STIX_LITERAL_FLOAT: print_real(literal->number, out); break;
    case STIX_LITERAL_STRING: print_string(literal->text, test, out); break;
    case STIX_LITERAL_BOOLEAN: isg_buf_puts(out, literal->boolean ? "true" : "false"); break;
    case STIX_LITERAL_HEX:
        isg_buf_puts(out, "h'");
        isg_buf_put_str(out, literal->text); /* lower case already (S-012) */
        isg_buf_putc(out, '\'');
        break;
    case STIX_LITERAL_BINARY: print_base64(literal->text, out); break;
    case STIX_LITERAL_TIMESTAMP:
        isg_buf_puts(out, "t'");
        print_instant(literal->text, out);
        isg_buf_putc(out, '\'');
        break;
    }
}

/* --- qualifiers --- */

static void print_bound(struct isg_str text, enum stix_pattern_version version, struct isg_buf *out)
{
    isg_buf_puts(out, version == STIX_PATTERN_2_0 ? "'" : "t'");
    print_instant(text, out);
    isg_buf_putc(out, '\'');
}

void stix_qualifier_print(const struct stix_qualifier *q, enum stix_pattern_version version,
                          struct isg_buf *out)
{
    switch (q->kind) {
    case STIX_START_STOP:
        isg_buf_puts(out, " START ");
        print_bound(q->start, version, out);
        isg_buf_puts(out, " STOP ");
        print_bound(q->stop, version, out);
        break;
    case STIX_WITHIN:
        isg_buf_puts(out, " WITHIN ");
        print_real(q->seconds, out);
        isg_buf_puts(out, " SECONDS");
        break;
    case STIX_REPEATS: isg_buf_printf(out, " REPEATS %lld TIMES", (long long)q->times); break;
    }
}
