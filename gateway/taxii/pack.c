#include "gateway/taxii/pack.h"

#include <limits.h>
#include <stdlib.h>
#define ZLIB_CONST
#include <zlib.h>

enum {
    PACK_BYTES_MIN = 1024, /* a shorter page fits into one packet as it is */
    PACK_LEVEL = 3,        /* 12 % of a page of indicators in 7 ms a MiB; level 6: 10 % in 15 ms */
    GZIP_WINDOW = 15 + 16, /* zlib's way to ask for the gzip format */
    MEM_LEVEL = 8          /* zlib's default */
};

bool pack_is_there(const struct page *page)
{
    return atomic_load_explicit(&page->pack, memory_order_acquire) == PAGE_PACKED;
}

bool pack_is_open(const struct page *page)
{
    return atomic_load_explicit(&page->pack, memory_order_relaxed) == PAGE_PLAIN &&
           http_bytes_str(page->bytes).n >= PACK_BYTES_MIN;
}

void pack_refuse(struct page *page)
{
    atomic_store_explicit(&page->pack, PAGE_STAYS_PLAIN, memory_order_relaxed);
}

/* Compress text into out[room]; the bytes written, or 0. */
static size_t deflate_into(z_stream *z, struct isg_str text, unsigned char *out, size_t room)
{
    if (room > UINT_MAX)
        return 0;
    z->next_in = (const unsigned char *)text.p;
    z->avail_in = (uInt)text.n;
    z->next_out = out;
    z->avail_out = (uInt)room;
    return deflate(z, Z_FINISH) == Z_STREAM_END ? room - z->avail_out : 0;
}

static struct http_bytes *compress_text(struct isg_str text)
{
    z_stream z = {0};
    if (deflateInit2(&z, PACK_LEVEL, Z_DEFLATED, GZIP_WINDOW, MEM_LEVEL, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return NULL;
    size_t room = text.n - text.n / 8; /* what saves less is not worth a client's work */
    char *out = malloc(room);
    size_t n = out != NULL ? deflate_into(&z, text, (unsigned char *)out, room) : 0;
    (void)deflateEnd(&z);
    char *fit = n > 0 ? realloc(out, n) : NULL;
    if (fit == NULL) {
        free(out);
        return NULL;
    }
    return http_bytes_take(fit, n);
}

bool pack_make(struct page *page)
{
    int plain = PAGE_PLAIN;
    if (!pack_is_open(page) ||
        !atomic_compare_exchange_strong(&page->pack, &plain, PAGE_BEING_PACKED))
        return false;
    page->packed = compress_text(http_bytes_str(page->bytes));
    bool made = page->packed != NULL;
    atomic_store_explicit(&page->pack, made ? PAGE_PACKED : PAGE_STAYS_PLAIN, memory_order_release);
    return made;
}
