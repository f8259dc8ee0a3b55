#include "gateway/store/blocks.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/store/events.h"
#include "stix/base/arena.h"

struct block {
    struct store_block view; /* first: what others see */
    atomic_uint refs;
    size_t bytes;
    struct isg_arena *arena;
};

static struct block *of(struct store_block *view)
{
    return (struct block *)view;
}

/* ---- making --------------------------------------------------------------------------------- */

static void fill_events(struct store_block *view, struct isg_str records)
{
    struct event_record r;
    while (event_read(&records, &r)) {
        uint64_t index = r.position - 1 - view->number * STORE_BLOCK;
        if (index >= view->count)
            continue;
        struct store_event *event = &view->events[index];
        *event = (struct store_event){.position = r.position,
                                      .date_added_us = r.date_us,
                                      .label = r.label,
                                      .versioned = (r.flags & EVENT_VERSIONED) != 0,
                                      .id = r.id,
                                      .version = r.version};
        memcpy(event->digest, r.digest, sizeof event->digest);
    }
}

static int fill_marks(struct store_block *view, const struct redis_reply *reply,
                      struct isg_arena *arena)
{
    for (size_t i = 0; i + 1 < redis_count(reply); i += 2) {
        uint64_t position;
        struct event_marks marks;
        bool nomem;
        if (!isg_str_to_u64(redis_text(redis_at(reply, i)), UINT64_MAX, &position))
            continue;
        uint64_t index = position - 1 - view->number * STORE_BLOCK;
        if (index >= view->count)
            continue;
        if (!event_marks_read(redis_text(redis_at(reply, i + 1)), arena, &marks, &nomem)) {
            if (nomem)
                return ISG_ENOMEM;
            marks = (struct event_marks){.dead = true}; /* damaged: rather hidden than shown */
        }
        struct store_event *event = &view->events[index];
        event->dead = event->dead || marks.dead;
        event->newer = marks.newer;
        event->newer_count = marks.newer_count;
        event->older = marks.older;
        event->older_count = marks.older_count;
    }
    return ISG_OK;
}

static int fill(struct block *block, struct isg_str records, const struct redis_reply *marks)
{
    struct store_block *view = &block->view;
    block->arena = isg_arena_new(ISG_BUF_NO_MAX);
    if (block->arena == NULL)
        return ISG_ENOMEM;
    view->events = isg_arena_alloc(block->arena, (view->count + 1) * sizeof *view->events);
    char *bytes = isg_arena_copy(block->arena, records);
    if (view->events == NULL || bytes == NULL)
        return ISG_ENOMEM;
    for (size_t i = 0; i < view->count; i++)
        view->events[i] = (struct store_event){.position = view->number * STORE_BLOCK + i + 1,
                                               .dead = true,
                                               .id = {"", 0},
                                               .version = {"", 0}};
    fill_events(view, (struct isg_str){bytes, records.n});
    return fill_marks(view, marks, block->arena);
}

int block_build(uint64_t number, uint64_t generation, size_t count, struct isg_str records,
                const struct redis_reply *marks, struct store_block **out)
{
    struct block *block = calloc(1, sizeof *block);
    if (block == NULL)
        return ISG_ENOMEM;
    block->view = (struct store_block){.number = number, .generation = generation, .count = count};
    atomic_init(&block->refs, 1);
    block->bytes = sizeof *block + records.n + count * (sizeof(struct store_event) + 32);
    struct store_block *view = &block->view;
    if (fill(block, records, marks) != ISG_OK) {
        store_block_unref(&view);
        return ISG_ENOMEM;
    }
    *out = view;
    return ISG_OK;
}

struct store_block *block_ref(struct store_block *view)
{
    atomic_fetch_add_explicit(&of(view)->refs, 1, memory_order_relaxed);
    return view;
}

void store_block_unref(struct store_block **view)
{
    if (*view == NULL)
        return;
    struct block *block = of(*view);
    *view = NULL;
    if (atomic_fetch_sub_explicit(&block->refs, 1, memory_order_acq_rel) != 1)
        return;
    isg_arena_free(&block->arena);
    free(block);
}

/* ---- keeping -------------------------------------------------------------------------------- */

struct cache_entry {
    struct block_key key;
    struct store_block *block;
    struct cache_entry *next; /* in the bucket */
    struct cache_entry *newer;
    struct cache_entry *older;
};

void cache_init(struct cache *cache, size_t bytes_max)
{
    *cache = (struct cache){.bytes_max = bytes_max};
    pthread_mutex_init(&cache->lock, NULL);
}

static struct cache_entry **bucket_of(struct cache *cache, struct block_key key)
{
    uint64_t h = (uint64_t)(uintptr_t)key.journal * UINT64_C(0x9e3779b97f4a7c15);
    h = (h ^ (uint64_t)key.epoch ^ key.number) * UINT64_C(0xff51afd7ed558ccd);
    return &cache->buckets[(h >> 40) % CACHE_BUCKETS];
}

static bool is_same(struct block_key a, struct block_key b)
{
    return a.journal == b.journal && a.epoch == b.epoch && a.number == b.number;
}

static struct cache_entry *find(struct cache *cache, struct block_key key)
{
    struct cache_entry *e = *bucket_of(cache, key);
    while (e != NULL && !is_same(e->key, key))
        e = e->next;
    return e;
}

static void unlink_use(struct cache *cache, struct cache_entry *e)
{
    *(e->newer != NULL ? &e->newer->older : &cache->newest) = e->older;
    *(e->older != NULL ? &e->older->newer : &cache->oldest) = e->newer;
}

static void link_newest(struct cache *cache, struct cache_entry *e)
{
    e->newer = NULL;
    e->older = cache->newest;
    *(e->older != NULL ? &e->older->newer : &cache->oldest) = e;
    cache->newest = e;
}

static void drop(struct cache *cache, struct cache_entry *e)
{
    struct cache_entry **at = bucket_of(cache, e->key);
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    unlink_use(cache, e);
    cache->bytes -= of(e->block)->bytes;
    store_block_unref(&e->block);
    free(e);
}

void cache_done(struct cache *cache)
{
    while (cache->oldest != NULL)
        drop(cache, cache->oldest);
    pthread_mutex_destroy(&cache->lock);
}

struct store_block *cache_get(struct cache *cache, struct block_key key)
{
    struct store_block *block = NULL;
    pthread_mutex_lock(&cache->lock);
    struct cache_entry *e = find(cache, key);
    if (e != NULL) {
        unlink_use(cache, e);
        link_newest(cache, e);
        block = block_ref(e->block);
    }
    pthread_mutex_unlock(&cache->lock);
    return block;
}

/* Is a at least as new as b? */
static bool is_newer(const struct store_block *a, const struct store_block *b)
{
    return a->generation > b->generation ||
           (a->generation == b->generation && a->count >= b->count);
}

void cache_put(struct cache *cache, struct block_key key, struct store_block *block)
{
    struct cache_entry *e = malloc(sizeof *e);
    if (e == NULL)
        return;
    *e = (struct cache_entry){.key = key, .block = block_ref(block)};
    pthread_mutex_lock(&cache->lock);
    struct cache_entry *old = find(cache, key);
    if (old != NULL && !is_newer(block, old->block)) {
        store_block_unref(&e->block);
        free(e);
    } else {
        if (old != NULL)
            drop(cache, old);
        struct cache_entry **bucket = bucket_of(cache, key);
        e->next = *bucket;
        *bucket = e;
        link_newest(cache, e);
        cache->bytes += of(block)->bytes;
        for (struct cache_entry *oldest = cache->oldest, *next;
             cache->bytes > cache->bytes_max && oldest != e; oldest = next) {
            next = oldest->newer;
            drop(cache, oldest);
        }
    }
    pthread_mutex_unlock(&cache->lock);
}
