/*
 * Finished pages, kept by what was asked and by whom: bounded in bytes, oldest use goes first.
 *
 * A page is immutable and counted. The cache knows keys and bytes only; whether a page is still
 * true is decided by page_is_current (page.h).
 */
#ifndef GATEWAY_TAXII_CACHE_H
#define GATEWAY_TAXII_CACHE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/http/http.h"
#include "gateway/store/store.h"
#include "stix/base/digest.h"
#include "stix/base/time.h"

enum { PAGE_ETAG_TEXT = 36, PAGE_PACKED_ETAG_TEXT = PAGE_ETAG_TEXT + 5, PAGE_BLOCKS_MAX = 64 };

/* The way of a page to its gzip form (pack.h). */
enum page_pack { PAGE_PLAIN, PAGE_BEING_PACKED, PAGE_PACKED, PAGE_STAYS_PLAIN };

struct page {
    atomic_uint refs;
    struct http_bytes *bytes;
    atomic_int pack;                         /* enum page_pack */
    struct http_bytes *packed;               /* gzip; to be read only while pack is PAGE_PACKED */
    char etag[PAGE_ETAG_TEXT];               /* quoted, strong */
    char packed_etag[PAGE_PACKED_ETAG_TEXT]; /* of the gzip form: other bytes, another tag */
    char first[ISG_TIME_TEXT]; /* X-TAXII-Date-Added-First and -Last (T-027 to T-029) */
    char last[ISG_TIME_TEXT];
    size_t objects;              /* 0: the page is empty */
    bool more;                   /* holds a token, which is of one member only */
    bool reached_head;           /* changes with the head */
    struct store_head head;      /* as it was built */
    _Atomic uint64_t generation; /* of the collection: checked and found true up to here */
    uint64_t first_block;
    size_t blocks;               /* 0: true only while the collection's generation stands */
    uint64_t block_generation[]; /* blocks of them */
};

/* A page with room for blocks generations, one reference, nothing else set. NULL without memory. */
struct page *page_new(size_t blocks);
/* One more reference; the same pointer. For several threads. */
struct page *page_ref(struct page *page);
/* Drop a reference, the last one frees; accepts NULL, leaves NULL. */
void page_unref(struct page **page);

struct page_key {
    uint8_t digest[ISG_SHA256_BYTES];
};

struct page_cache;

/* At most bytes_max bytes; 0 keeps nothing. NULL without memory. */
struct page_cache *page_cache_new(size_t bytes_max);
/* Drop the cache's references; pages under way live on. Accepts NULL, leaves NULL. */
void page_cache_free(struct page_cache **cache);

/* The page under key with a reference, or NULL. Never waits longer than for a short lock. */
struct page *page_cache_get(struct page_cache *cache, const struct page_key *key);

/* Keep page (takes its own reference) under key, in place of what was there. False: not kept, it
 * is larger than the cache's share for it, or there is no memory. */
bool page_cache_put(struct page_cache *cache, const struct page_key *key, struct page *page);

/* The page under key has grown by its gzip form: count it again, if it is still this one. */
void page_cache_recount(struct page_cache *cache, const struct page_key *key,
                        const struct page *page);

/* Bytes in use now. */
size_t page_cache_bytes(struct page_cache *cache);

#endif
