#include "stix/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stix/base/err.h"

void isg_buf_init(struct isg_buf *b, size_t max)
{
    *b = (struct isg_buf){.max = max};
}

void isg_buf_done(struct isg_buf *b)
{
    free(b->p);
    isg_buf_init(b, b->max);
}

void isg_buf_reset(struct isg_buf *b)
{
    b->len = 0;
    b->err = ISG_OK;
    if (b->p != NULL)
        b->p[0] = '\0';
}

static int grow(struct isg_buf *b, size_t n)
{
    size_t need = b->len + n + 1;
    if (need <= b->cap)
        return ISG_OK;
    size_t cap = b->cap < 128 ? 256 : b->cap * 2;
    while (cap < need)
        cap *= 2;
    char *p = realloc(b->p, cap);
    if (p == NULL)
        return ISG_ENOMEM;
    b->p = p;
    b->cap = cap;
    return ISG_OK;
}

char *isg_buf_reserve(struct isg_buf *b, size_t n)
{
    if (b->err != ISG_OK)
        return NULL;
    b->err = n > b->max - b->len ? ISG_ELIMIT : grow(b, n);
    return b->err == ISG_OK ? b->p + b->len : NULL;
}

void isg_buf_put_str(struct isg_buf *b, struct isg_str s)
{
    isg_buf_put(b, s.p, s.n);
}

void isg_buf_puts(struct isg_buf *b, const char *text)
{
    isg_buf_put(b, text, strlen(text));
}

void isg_buf_put_u64(struct isg_buf *b, uint64_t number)
{
    char digits[20]; /* of 2^64-1 */
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    isg_buf_put(b, digits + at, sizeof digits - at);
}

void isg_buf_printf(struct isg_buf *b, const char *format, ...)
{
    va_list args;
    va_list again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    char *to = n < 0 ? NULL : isg_buf_reserve(b, (size_t)n);
    if (to != NULL) {
        (void)vsnprintf(to, (size_t)n + 1, format, again);
        b->len += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

struct isg_str isg_buf_str(const struct isg_buf *b)
{
    return (struct isg_str){b->p != NULL ? b->p : "", b->len};
}

char *isg_buf_take(struct isg_buf *b, size_t *out_len)
{
    if (b->err == ISG_OK && b->p == NULL)
        isg_buf_put(b, "", 0);
    if (b->err != ISG_OK)
        return NULL;
    char *p = b->p;
    if (out_len != NULL)
        *out_len = b->len;
    isg_buf_init(b, b->max);
    return p;
}
