/*
 * The gzip form of a page: made once, on a worker, and kept with the page. pack.c is the only file
 * that knows zlib.
 */
#ifndef GATEWAY_TAXII_PACK_H
#define GATEWAY_TAXII_PACK_H

#include "gateway/taxii/cache.h"

/* Is the gzip form ready? page->packed may be read then. Never waits. */
bool pack_is_there(const struct page *page);

/* Is it neither made nor in the making, and the page one that gets smaller by it? */
bool pack_is_open(const struct page *page);

/* Never make it: the page is too short, or not kept. */
void pack_refuse(struct page *page);

/*
 * Make the gzip form, unless another thread made or makes it, which is not waited for. Takes about
 * 7 ms for a MiB. Returns true when it was made here; the page costs more in the cache then.
 */
bool pack_make(struct page *page);

#endif
