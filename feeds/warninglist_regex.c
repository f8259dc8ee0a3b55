/*
 * Patterns of warning lists: written for PCRE, run as POSIX extended expressions without back
 * references, which glibc matches with an automaton. What cannot be said so is refused.
 */
#include <string.h>

#include "feeds/warninglist.h"
#include "stix/base/buf.h"

enum { PATTERN_MAX = 1024, TEXT_MAX = 16384, REPEAT_MAX = 256, PRODUCT_MAX = 4096 };

/* "/text/i" as "text"; other texts as they are. */
static struct isg_str without_delimiters(struct isg_str text)
{
    if (text.n < 2 || text.p[0] != '/')
        return text;
    size_t end = text.n;
    while (end > 1 && strchr("imsu", text.p[end - 1]) != NULL)
        end--;
    return text.p[end - 1] == '/' && end > 1 ? (struct isg_str){text.p + 1, end - 2} : text;
}

/* What PCRE takes for itself behind a backslash: all of ASCII but letters, digits and controls. */
static bool is_sign(char c)
{
    bool word = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    return c >= 0x20 && c < 0x7f && !word;
}

/* An escape outside brackets. */
static bool put_escape(char c, struct isg_buf *out)
{
    if (c == 'd' || c == 'D')
        isg_buf_puts(out, c == 'd' ? "[0-9]" : "[^0-9]");
    else if (strchr("wWsSbB.\\+*?()[]{}|^$", c) != NULL) {
        isg_buf_putc(out, '\\');
        isg_buf_putc(out, c);
    } else if (is_sign(c))
        isg_buf_putc(out, c);
    else
        return false; /* back references, properties, code points */
    return true;
}

/* A bracket expression from '[' on; returns the bytes taken, 0 when it cannot be said in POSIX. */
static size_t put_bracket(struct isg_str text, struct isg_buf *out)
{
    size_t i = 1;
    struct isg_buf tail; /* a '-' must stand last */
    bool dash = false;
    isg_buf_init(&tail, PATTERN_MAX);
    isg_buf_putc(&tail, '[');
    if (i < text.n && text.p[i] == '^')
        isg_buf_putc(&tail, text.p[i++]);
    for (; i < text.n && text.p[i] != ']'; i++) {
        if (text.p[i] == '[')
            break; /* classes by name mean other things in PCRE */
        if (text.p[i] != '\\') {
            isg_buf_putc(&tail, text.p[i]);
            continue;
        }
        i++;
        if (i < text.n && text.p[i] == 'd')
            isg_buf_puts(&tail, "0-9");
        else if (i < text.n && text.p[i] == 'w')
            isg_buf_puts(&tail, "A-Za-z0-9_");
        else if (i < text.n && text.p[i] == '-')
            dash = true;
        else if (i < text.n && is_sign(text.p[i]) && strchr("[]^", text.p[i]) == NULL)
            isg_buf_putc(&tail, text.p[i]);
        else
            break;
    }
    bool closed = i < text.n && text.p[i] == ']' && tail.len > 1;
    if (closed) {
        isg_buf_put_str(out, isg_buf_str(&tail));
        isg_buf_puts(out, dash ? "-]" : "]");
    }
    isg_buf_done(&tail);
    return closed ? i + 1 : 0;
}

/* The count in "{n}", "{n,}" or "{n,m}"; 0 when it is none or too large. Counts of counts multiply. */
static size_t put_repeat(struct isg_str text, uint64_t *budget, struct isg_buf *out)
{
    uint64_t n = 0;
    uint64_t m = 0;
    size_t end = isg_str_find(text, '}');
    if (end == SIZE_MAX)
        return 0;
    struct isg_str inner = {text.p + 1, end - 1};
    size_t comma = isg_str_find(inner, ',');
    struct isg_str low = comma == SIZE_MAX ? inner : (struct isg_str){inner.p, comma};
    struct isg_str high = comma == SIZE_MAX ? inner : isg_str_from(inner, comma + 1);
    if (!isg_str_to_u64(low, REPEAT_MAX, &n))
        return 0;
    m = n;
    if (high.n > 0 && !isg_str_to_u64(high, REPEAT_MAX, &m))
        return 0;
    *budget *= m > n ? m : n > 0 ? n : 1;
    if (*budget > PRODUCT_MAX)
        return 0;
    isg_buf_put(out, text.p, end + 1);
    return end + 1;
}

/* One element from text on; the bytes taken, 0 when it must be refused. */
static size_t put_element(struct isg_str text, uint64_t *budget, struct isg_buf *out)
{
    char c = text.p[0];
    if (c == '\\')
        return text.n > 1 && put_escape(text.p[1], out) ? 2 : 0;
    if (c == '[')
        return put_bracket(text, out);
    if (c == '{')
        return put_repeat(text, budget, out);
    if (c == '(' && isg_str_starts(text, ISG_STR("(?"))) {
        if (!isg_str_starts(text, ISG_STR("(?:")))
            return 0; /* looks around, conditions, flags */
        isg_buf_putc(out, '(');
        return 3;
    }
    if (strchr("*+?", c) != NULL && text.n > 1 && strchr("+?", text.p[1]) != NULL)
        return 0; /* lazy and possessive forms */
    isg_buf_putc(out, c);
    return 1;
}

bool warning_regex_compile(struct isg_str text, regex_t *out)
{
    struct isg_buf buf;
    uint64_t budget = 1;
    size_t taken = 1;
    text = without_delimiters(text);
    if (text.n == 0 || text.n > PATTERN_MAX || memchr(text.p, '\0', text.n) != NULL)
        return false;
    isg_buf_init(&buf, TEXT_MAX);
    while (text.n > 0 && taken > 0) {
        taken = put_element(text, &budget, &buf);
        text = isg_str_from(text, taken);
    }
    bool good = taken > 0 && buf.err == ISG_OK && buf.p != NULL &&
                regcomp(out, buf.p, REG_EXTENDED | REG_ICASE | REG_NOSUB) == 0;
    isg_buf_done(&buf);
    return good;
}
