#include "stix/base/jsonw.h"

#include <inttypes.h>

#include "stix/base/err.h"
#include "stix/base/word.h"

void isg_jsonw_init(struct isg_jsonw *w, struct isg_buf *out)
{
    *w = (struct isg_jsonw){.out = out};
}

static uint64_t bit(const struct isg_jsonw *w)
{
    return (uint64_t)1 << (w->depth & 63);
}

/* What must stand before the next value or name: nothing, or a comma. */
static void begin_value(struct isg_jsonw *w)
{
    if (w->after_name) {
        w->after_name = false;
        return;
    }
    if ((w->has_member & bit(w)) != 0)
        isg_buf_putc(w->out, ',');
    w->has_member |= bit(w);
}

static void open_level(struct isg_jsonw *w, bool object)
{
    begin_value(w);
    isg_buf_putc(w->out, object ? '{' : '[');
    if (w->depth >= 63) {
        w->out->err = ISG_ELIMIT;
        return;
    }
    w->depth++;
    w->has_member &= ~bit(w);
    w->in_object = object ? w->in_object | bit(w) : w->in_object & ~bit(w);
}

void isg_jsonw_object(struct isg_jsonw *w)
{
    open_level(w, true);
}

void isg_jsonw_list(struct isg_jsonw *w)
{
    open_level(w, false);
}

void isg_jsonw_end(struct isg_jsonw *w)
{
    isg_buf_putc(w->out, (w->in_object & bit(w)) != 0 ? '}' : ']');
    if (w->depth > 0)
        w->depth--;
}

void isg_jsonw_name_str(struct isg_jsonw *w, struct isg_str name)
{
    isg_jsonw_str(w, name);
    isg_buf_putc(w->out, ':');
    w->after_name = true;
}

void isg_jsonw_name(struct isg_jsonw *w, const char *name)
{
    isg_jsonw_name_str(w, isg_str_of(name));
}

void isg_jsonw_str(struct isg_jsonw *w, struct isg_str value)
{
    begin_value(w);
    isg_buf_putc(w->out, '"');
    isg_json_escape(w->out, value);
    isg_buf_putc(w->out, '"');
}

void isg_jsonw_int(struct isg_jsonw *w, int64_t value)
{
    begin_value(w);
    isg_buf_printf(w->out, "%" PRId64, value);
}

void isg_jsonw_bool(struct isg_jsonw *w, bool value)
{
    begin_value(w);
    isg_buf_puts(w->out, value ? "true" : "false");
}

void isg_jsonw_raw(struct isg_jsonw *w, struct isg_str json)
{
    begin_value(w);
    isg_buf_put_str(w->out, json);
}

void isg_jsonw_put(struct isg_jsonw *w, const char *name, const char *value)
{
    if (value == NULL)
        return;
    isg_jsonw_put_str(w, name, isg_str_of(value));
}

void isg_jsonw_put_str(struct isg_jsonw *w, const char *name, struct isg_str value)
{
    isg_jsonw_name(w, name);
    isg_jsonw_str(w, value);
}

void isg_jsonw_put_int(struct isg_jsonw *w, const char *name, int64_t value)
{
    isg_jsonw_name(w, name);
    isg_jsonw_int(w, value);
}

void isg_jsonw_put_bool(struct isg_jsonw *w, const char *name, bool value)
{
    isg_jsonw_name(w, name);
    isg_jsonw_bool(w, value);
}

/* The short escapes of RFC 8785, section 3.2.2.2; 0 where there is none. */
static char short_escape(unsigned char c)
{
    switch (c) {
    case '\b': return 'b';
    case '\t': return 't';
    case '\n': return 'n';
    case '\f': return 'f';
    case '\r': return 'r';
    case '"': return '"';
    case '\\': return '\\';
    default: return 0;
    }
}

static void put_escape(struct isg_buf *out, unsigned char c)
{
    if (short_escape(c) != 0) {
        isg_buf_putc(out, '\\');
        isg_buf_putc(out, short_escape(c));
    } else {
        isg_buf_printf(out, "\\u%04x", c);
    }
}

/* Append text up to the first byte that must be escaped; how many bytes that were. */
static size_t put_plain(struct isg_buf *out, struct isg_str s)
{
    size_t i = 0;
    char *to = isg_buf_reserve(out, s.n);
    if (to == NULL)
        return s.n; /* nothing can follow */
#ifdef __SSE2__
    for (; s.n - i >= 16 && isg_word_escapes16(s.p + i, false) == 0; i += 16)
        memcpy(to + i, s.p + i, 16);
#endif
    for (; s.n - i >= 8 && isg_word_escapes(isg_word_load(s.p + i)) == 0; i += 8)
        memcpy(to + i, s.p + i, 8);
    for (; i < s.n && (unsigned char)s.p[i] >= 0x20 && s.p[i] != '"' && s.p[i] != '\\'; i++)
        to[i] = s.p[i];
    to[i] = '\0';
    out->len += i;
    return i;
}

void isg_json_escape(struct isg_buf *out, struct isg_str s)
{
    for (;;) {
        s = isg_str_from(s, put_plain(out, s));
        if (s.n == 0)
            return;
        put_escape(out, (unsigned char)s.p[0]);
        s = isg_str_from(s, 1);
    }
}
