/*
 * A growable byte buffer with a cap set at creation and a sticky error: writers put and put, and
 * check `err` once at the end. The bytes are always followed by one NUL that is not counted.
 */
#ifndef ISG_BASE_BUF_H
#define ISG_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "stix/base/err.h"
#include "stix/base/str.h"

struct isg_buf {
    char *p; /* NULL until the first put */
    size_t len;
    size_t cap;
    size_t max; /* bytes; a put beyond it sets ISG_ELIMIT */
    int err;    /* ISG_OK, ISG_ENOMEM or ISG_ELIMIT; later puts are silent */
};

/* No cap but the address space. */
#define ISG_BUF_NO_MAX ((size_t)-1 / 2)

/* An empty buffer of at most max bytes; allocates nothing. */
void isg_buf_init(struct isg_buf *b, size_t max);
/* Free the bytes; the buffer may be reused. */
void isg_buf_done(struct isg_buf *b);
/* Empty and error-free, the memory kept. */
void isg_buf_reset(struct isg_buf *b);

/* Append a view. */
void isg_buf_put_str(struct isg_buf *b, struct isg_str s);
/* Append a NUL-terminated text. */
void isg_buf_puts(struct isg_buf *b, const char *text);
/* Append a number in decimal digits. */
void isg_buf_put_u64(struct isg_buf *b, uint64_t number);
/* Append formatted text. */
void isg_buf_printf(struct isg_buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Make room for n more bytes and return where they go, or NULL with err set. Add to len yourself. */
char *isg_buf_reserve(struct isg_buf *b, size_t n);

/*
 * Append n bytes; past max or without memory the error stays in b->err. Inline, as the one below:
 * canonical texts are made of many small puts.
 */
static inline void isg_buf_put(struct isg_buf *b, const void *p, size_t n)
{
    bool fits = b->err == ISG_OK && b->cap > b->len && b->cap - b->len > n && n <= b->max - b->len;
    char *to = fits ? b->p + b->len : isg_buf_reserve(b, n);
    if (to == NULL)
        return;
    if (n > 0)
        memcpy(to, p, n);
    b->len += n;
    b->p[b->len] = '\0';
}

/* Append one byte. */
static inline void isg_buf_putc(struct isg_buf *b, char c)
{
    isg_buf_put(b, &c, 1);
}

/* The content as a view; valid until the next put. */
struct isg_str isg_buf_str(const struct isg_buf *b);

/* Give the bytes away (free with free()); the buffer is empty afterwards. NULL when err is set. */
char *isg_buf_take(struct isg_buf *b, size_t *out_len);

#endif
