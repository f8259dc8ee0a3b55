/*
 * Snapshots of blocks, made from stored bytes, and the memory that keeps the last used ones. A
 * snapshot never changes; a newer one takes its place, readers of the old one keep it.
 */
#ifndef GATEWAY_STORE_BLOCKS_H
#define GATEWAY_STORE_BLOCKS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/store/conn.h"
#include "gateway/store/events.h"
#include "gateway/store/store.h"

/*
 * Make a snapshot with one reference.
 *
 *   records  bytes of the block's records; copied
 *   marks    reply of HGETALL: position, marks, ...
 *   count    events the head says the block has; what is missing or damaged becomes a dead event
 *
 * Returns ISG_OK or ISG_ENOMEM.
 */
int block_build(uint64_t number, uint64_t generation, size_t count, struct isg_str records,
                const struct redis_reply *marks, struct store_block **out);
/* One more reference; the same pointer. For several threads. */
struct store_block *block_ref(struct store_block *view);

/*
 * The snapshot that old (NULL: none yet, n events of a new block) becomes by n more events. Costs
 * what these events cost: both share what old holds. Only one thread may grow the blocks of a
 * collection at a time, while any number reads them.
 *
 *   events  by position, without gaps, behind those of old; copied
 *
 * Returns ISG_OK, ISG_ENOMEM, or ISG_EINVAL where the block would be too long.
 */
int block_grow(const struct store_block *old, uint64_t number, uint64_t generation,
               const struct store_event *events, size_t n, struct store_block **out);

/* An event as its record says; its texts are the record's. */
struct store_event block_event(const struct event_record *record);
/* And what marks add to it; a dead event stays dead. */
void block_mark(struct store_event *event, const struct event_marks *marks);

/* Whose block: the journal's address and epoch. */
struct block_key {
    const void *journal;
    int64_t epoch;
    uint64_t number;
};

enum { CACHE_BUCKETS = 1024 };

struct cache {
    pthread_mutex_t lock;
    struct cache_entry *buckets[CACHE_BUCKETS];
    struct cache_entry *newest; /* by last use */
    struct cache_entry *oldest;
    size_t bytes;
    size_t bytes_max;
};

/* An empty cache of at most bytes_max bytes. */
void cache_init(struct cache *cache, size_t bytes_max);
/* Drop the cache's references; blocks that readers hold live on. */
void cache_done(struct cache *cache);

/* A reference to the snapshot kept under key, or NULL. */
struct store_block *cache_get(struct cache *cache, struct block_key key);

/* Keep a reference to block under key, in place of an older snapshot. Without memory: not kept. */
void cache_put(struct cache *cache, struct block_key key, struct store_block *block);

#endif
