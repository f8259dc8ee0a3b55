/*
 * Values against constants (S-118 to S-122, S-128). Types that do not compare make a test false,
 * "!=" true; NOT turns the answer around.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stix/base/base64.h"
#include "stix/base/time.h"
#include "stix/base/utf8.h"
#include "stix/match_private.h"
#include "stix/nfc.h"

enum value_kind { VALUE_OTHER, VALUE_NUMBER, VALUE_BOOLEAN, VALUE_STRING, VALUE_BYTES };

struct value {
    enum value_kind kind;
    struct stix_number number;
    bool boolean;
    struct isg_str text; /* of strings and bytes */
};

/* --- reading --- */

bool stix_bytes_of_text(struct stix_matching *m, struct isg_str text, struct isg_str *out)
{
    char *bytes = stix_matching_alloc(m, text.n + 1, 1);
    size_t n = 0;
    if (bytes == NULL)
        return false;
    while (text.n > 0) {
        int32_t cp = isg_utf8_next(&text);
        if (cp < 0 || cp > 0xff)
            return false;
        bytes[n++] = (char)cp;
    }
    *out = (struct isg_str){bytes, n};
    return true;
}

/* The octets that a _hex or _bin property stands for; other text is no value of such a property. */
static bool decode(struct stix_matching *m, struct isg_str text, bool hex, struct isg_str *out)
{
    struct isg_buf buf;
    isg_buf_init(&buf, text.n + 1);
    bool fits;
    if (hex) {
        char *to = isg_buf_reserve(&buf, text.n / 2 + 1);
        fits = to != NULL && text.n % 2 == 0 && isg_hex_decode(text, (uint8_t *)to, text.n / 2);
        buf.len = fits ? text.n / 2 : 0;
    } else {
        fits = isg_base64_decode(ISG_BASE64_LAX, text, &buf);
    }
    char *copy = fits ? stix_matching_alloc(m, buf.len + 1, 1) : NULL;
    if (copy != NULL && buf.len > 0)
        memcpy(copy, buf.p, buf.len);
    *out = (struct isg_str){copy, copy != NULL ? buf.len : 0};
    if (buf.err != ISG_OK)
        (void)stix_matching_fail(m, buf.err, NULL, "no memory");
    isg_buf_done(&buf);
    return copy != NULL;
}

static const char *last_name(const struct stix_probe *probe)
{
    const struct stix_key *key = probe->path;
    while (key->next != NULL)
        key = key->next;
    return key->name != NULL ? key->name : "";
}

static struct value value_of(struct stix_matching *m, const struct stix_probe *probe,
                             const struct stix_json *json)
{
    struct value value = {.kind = VALUE_OTHER};
    enum stix_json_type type = stix_json_type(json);
    if (type == STIX_JSON_STRING) {
        value.kind = VALUE_STRING;
        value.text = stix_json_str(json);
        if (probe->of_bytes) {
            bool hex = isg_str_ends(isg_str_of(last_name(probe)), ISG_STR("_hex"));
            bool fits = decode(m, value.text, hex, &value.text);
            value.kind = fits ? VALUE_BYTES : VALUE_OTHER;
        }
    } else if (type == STIX_JSON_BOOL) {
        value.kind = VALUE_BOOLEAN;
        value.boolean = stix_json_bool(json);
    } else if (type == STIX_JSON_INT || type == STIX_JSON_FLOAT) {
        value.kind = VALUE_NUMBER;
        value.number.is_integer =
            type == STIX_JSON_INT && stix_json_int(json, &value.number.integer);
        (void)stix_json_float(json, &value.number.real);
    }
    return value;
}

/* --- order --- */

static int order_of(bool less, bool greater)
{
    return (greater ? 1 : 0) - (less ? 1 : 0);
}

/* Without rounding: 2^53 + 1 is greater than 9007199254740992.0 (S-119). */
static int compare_mixed(int64_t integer, double real)
{
    const double limit = 9223372036854775808.0; /* 2^63 */
    if (real >= limit)
        return -1;
    if (real < -limit)
        return 1;
    int64_t whole = (int64_t)real; /* cut towards zero */
    if (integer != whole)
        return order_of(integer<whole, integer> whole);
    double rest = real - trunc(real);
    return order_of(rest > 0, rest < 0);
}

static int compare_numbers(const struct stix_number *a, const struct stix_number *b)
{
    if (a->is_integer && b->is_integer)
        return order_of(a->integer<b->integer, a->integer> b->integer);
    if (a->is_integer)
        return compare_mixed(a->integer, b->real);
    if (b->is_integer)
        return -compare_mixed(b->integer, a->real);
    return order_of(a->real<b->real, a->real> b->real);
}

static bool compare_text(struct stix_matching *m, struct isg_str text,
                         const struct stix_constant *c, int *out_order)
{
    int64_t us;
    struct isg_str bytes;
    switch (c->kind) {
    case STIX_CONSTANT_STRING:
        *out_order = isg_str_cmp(text, c->text); /* the order of UTF-8 is that of code points */
        return true;
    case STIX_CONSTANT_TIME:
        if (!isg_time_parse(text, &us))
            return false;
        *out_order = isg_time_cmp(text, c->text);
        return true;
    case STIX_CONSTANT_BYTES:
        if (!stix_bytes_of_text(m, text, &bytes))
            return false;
        *out_order = isg_str_cmp(bytes, c->bytes);
        return true;
    case STIX_CONSTANT_NUMBER:
    case STIX_CONSTANT_BOOLEAN: break;
    }
    return false;
}

/* The order of value and constant; false when their types do not compare. */
static bool compare(struct stix_matching *m, const struct value *value,
                    const struct stix_constant *c, int *out_order)
{
    bool bytes = c->kind == STIX_CONSTANT_BYTES || c->has_bytes;
    switch (value->kind) {
    case VALUE_NUMBER:
        if (c->kind == STIX_CONSTANT_NUMBER)
            *out_order = compare_numbers(&value->number, &c->number);
        return c->kind == STIX_CONSTANT_NUMBER;
    case VALUE_BOOLEAN:
        if (c->kind == STIX_CONSTANT_BOOLEAN)
            *out_order = value->boolean != c->boolean;
        return c->kind == STIX_CONSTANT_BOOLEAN;
    case VALUE_BYTES:
        if (bytes)
            *out_order = isg_str_cmp(value->text, c->bytes);
        return bytes;
    case VALUE_STRING: return compare_text(m, value->text, c, out_order);
    case VALUE_OTHER: break;
    }
    return false;
}

static bool compares(struct stix_matching *m, enum stix_op op, const struct value *value,
                     const struct stix_constant *c)
{
    int order = 0;
    bool comparable = compare(m, value, c, &order);
    switch (op) {
    case STIX_OP_EQ:
    case STIX_OP_IN: return comparable && order == 0;
    case STIX_OP_NE: return !comparable || order != 0;
    case STIX_OP_LT: return comparable && order < 0;
    case STIX_OP_LE: return comparable && order <= 0;
    case STIX_OP_GT: return comparable && order > 0;
    case STIX_OP_GE: return comparable && order >= 0;
    case STIX_OP_LIKE:
    case STIX_OP_MATCHES:
    case STIX_OP_ISSUBSET:
    case STIX_OP_ISSUPERSET:
    case STIX_OP_EXISTS: break;
    }
    return false;
}

/* Constants of a set are at most as many as the pattern is long, values as the observations. */
static bool compares_any(struct stix_matching *m, const struct stix_probe *probe,
                         const struct value *value)
{
    for (const struct stix_constant *c = probe->constants; c != NULL; c = c->next) {
        if (!stix_matching_work(m, 1))
            return false;
        if (compares(m, probe->op, value, c))
            return true;
    }
    return false;
}

/* --- LIKE --- */

/* Bytes of the character at i: of UTF-8, or one. */
static size_t width_at(struct isg_str text, size_t i, bool bytes)
{
    size_t n = 1;
    while (!bytes && i + n < text.n && ((unsigned char)text.p[i + n] & 0xc0) == 0x80)
        n++;
    return n;
}

/*
 * Two pointers: when what stands behind the last "%" does not fit, that "%" takes one character
 * more. Earlier ones never need to be asked again.
 */
static bool like(struct stix_matching *m, struct isg_str text, struct isg_str pattern, bool bytes)
{
    size_t i = 0;
    size_t j = 0;
    size_t star = SIZE_MAX;
    size_t mark = 0;
    while (i < text.n) {
        if (!stix_matching_work(m, 1))
            return false;
        if (j < pattern.n && pattern.p[j] == '%') {
            star = j++;
            mark = i;
        } else if (j < pattern.n && pattern.p[j] == '_') {
            i += width_at(text, i, bytes);
            j++;
        } else if (j < pattern.n && pattern.p[j] == text.p[i]) {
            i++;
            j++;
        } else if (star != SIZE_MAX) {
            j = star + 1;
            mark += width_at(text, mark, bytes);
            i = mark;
        } else {
            return false;
        }
    }
    while (j < pattern.n && pattern.p[j] == '%')
        j++;
    return j == pattern.n;
}

static bool is_like(struct stix_matching *m, const struct stix_probe *probe,
                    const struct value *value)
{
    struct isg_str text;
    char *scratch = NULL;
    if (value->kind == VALUE_BYTES) {
        const struct stix_constant *c = probe->constants;
        return c->has_bytes && like(m, value->text, c->bytes, true);
    }
    if (value->kind != VALUE_STRING)
        return false;
    int err = stix_nfc(value->text, &text, &scratch);
    bool holds = err == ISG_OK && like(m, text, probe->like, false);
    free(scratch);
    return err == ISG_OK ? holds : stix_matching_fail(m, err, "S-120", "a value is not text");
}

/* --- MATCHES --- */

static bool matches(struct stix_matching *m, const struct stix_probe *probe,
                    const struct value *value)
{
    struct isg_str text = value->text;
    char *scratch = NULL;
    bool found = false;
    if (probe->regex == NULL || value->kind != (probe->of_bytes ? VALUE_BYTES : VALUE_STRING))
        return false;
    if (!stix_matching_work(m, 64 + text.n))
        return false;
    int err = probe->of_bytes ? ISG_OK : stix_nfc(text, &text, &scratch);
    if (err == ISG_OK)
        err = stix_regex_search(probe->regex, text, &found);
    free(scratch);
    return err == ISG_OK ? found
                         : stix_matching_fail(m, err, "S-129", "an expression backtracks too much");
}

/* --- subsets --- */

static bool nests(const struct stix_probe *probe, const struct value *value)
{
    struct stix_network network;
    if (value->kind != VALUE_STRING || !stix_network_read(value->text, &network))
        return false;
    return probe->op == STIX_OP_ISSUBSET ? stix_network_holds(&probe->network, &network)
                                         : stix_network_holds(&network, &probe->network);
}

bool stix_probe_holds(struct stix_matching *m, const struct stix_probe *probe,
                      const struct stix_json *json)
{
    struct value value = value_of(m, probe, json);
    bool holds;
    if (probe->op == STIX_OP_LIKE)
        holds = is_like(m, probe, &value);
    else if (probe->op == STIX_OP_MATCHES)
        holds = matches(m, probe, &value);
    else if (probe->op == STIX_OP_ISSUBSET || probe->op == STIX_OP_ISSUPERSET)
        holds = nests(probe, &value);
    else if (probe->op == STIX_OP_EXISTS)
        return true;
    else
        holds = compares_any(m, probe, &value);
    return m->err == ISG_OK && holds != probe->negated;
}
