#include "gateway/store/blocks.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/store/events.h"
#include "stix/base/arena.h"

enum { MARKS_BYTES = 32 }; /* what an event takes in memory beside its texts, about */

/*
 * Where the events of a block lie. Snapshots that grew out of each other share one shelf, each sees
 * the events up to its own count; behind them only the writer of the collection adds.
 */
struct shelf {
    atomic_uint refs;
    struct isg_arena *arena; /* for the writer, and for who makes it */
    struct store_event *events;
    size_t room;
    size_t filled;
    size_t bytes;
};

struct block {
    struct store_block view; /* first: what others see */
    atomic_uint refs;
    size_t bytes;
    struct shelf *shelf;
};

static struct block *of(struct store_block *view)
{
    return (struct block *)view;
}

/* ---- shelves -------------------------------------------------------------------------------- */

static void shelf_unref(struct shelf **shelf)
{
    struct shelf *gone = *shelf;
    *shelf = NULL;
    if (gone == NULL || atomic_fetch_sub_explicit(&gone->refs, 1, memory_order_acq_rel) != 1)
        return;
    isg_arena_free(&gone->arena);
    free(gone);
}

static struct shelf *shelf_new(size_t room)
{
    struct shelf *shelf = calloc(1, sizeof *shelf);
    if (shelf == NULL)
        return NULL;
    atomic_init(&shelf->refs, 1);
    shelf->room = room;
    shelf->bytes = sizeof *shelf + (room + 1) * sizeof *shelf->events;
    shelf->arena = isg_arena_new(ISG_BUF_NO_MAX);
    if (shelf->arena != NULL)
        shelf->events = isg_arena_alloc(shelf->arena, (room + 1) * sizeof *shelf->events);
    if (shelf->events == NULL)
        shelf_unref(&shelf);
    return shelf;
}

/* ---- making --------------------------------------------------------------------------------- */

struct store_event block_event(const struct event_record *record)
{
    struct store_event event = {.position = record->position,
                                .date_added_us = record->date_us,
                                .label = record->label,
                                .versioned = (record->flags & EVENT_VERSIONED) != 0,
                                .id = record->id,
                                .version = record->version,
                                .shelf = record->shelf};
    memcpy(event.digest, record->digest, sizeof event.digest);
    return event;
}

void block_mark(struct store_event *event, const struct event_marks *marks)
{
    event->dead = event->dead || marks->dead;
    event->expired = marks->expired;
    event->gone_us = marks->gone_us;
    event->newer = marks->newer;
    event->newer_count = marks->newer_count;
    event->older = marks->older;
    event->older_count = marks->older_count;
}

static void fill_events(struct store_block *view, struct isg_str records)
{
    struct event_record r;
    while (event_read(&records, &r)) {
        uint64_t index = r.position - 1 - view->number * STORE_BLOCK;
        if (index >= view->count)
            continue;
        view->events[index] = block_event(&r);
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
        block_mark(&view->events[index], &marks);
    }
    return ISG_OK;
}

static int fill(struct block *block, struct isg_str records, const struct redis_reply *marks)
{
    struct store_block *view = &block->view;
    block->shelf = shelf_new(view->count);
    if (block->shelf == NULL)
        return ISG_ENOMEM;
    view->events = block->shelf->events;
    block->shelf->filled = view->count;
    char *bytes = isg_arena_copy(block->shelf->arena, records);
    if (bytes == NULL)
        return ISG_ENOMEM;
    for (size_t i = 0; i < view->count; i++)
        view->events[i] = (struct store_event){.position = view->number * STORE_BLOCK + i + 1,
                                               .dead = true,
                                               .id = {"", 0},
                                               .version = {"", 0}};
    fill_events(view, (struct isg_str){bytes, records.n});
    return fill_marks(view, marks, block->shelf->arena);
}

int block_build(uint64_t number, uint64_t generation, size_t count, struct isg_str records,
                const struct redis_reply *marks, struct store_block **out)
{
    struct block *block = calloc(1, sizeof *block);
    if (block == NULL)
        return ISG_ENOMEM;
    block->view = (struct store_block){.number = number, .generation = generation, .count = count};
    atomic_init(&block->refs, 1);
    struct store_block *view = &block->view;
    if (fill(block, records, marks) != ISG_OK) {
        store_block_unref(&view);
        return ISG_ENOMEM;
    }
    block->shelf->bytes += records.n + count * MARKS_BYTES;
    block->bytes = sizeof *block + block->shelf->bytes;
    *out = view;
    return ISG_OK;
}

/* ---- growing -------------------------------------------------------------------------------- */

static bool copy_text(struct isg_arena *arena, struct isg_str text, struct isg_str *out)
{
    const char *copy = isg_arena_copy(arena, text);
    if (copy != NULL)
        *out = (struct isg_str){copy, text.n};
    return copy != NULL;
}

static bool copy_numbers(struct isg_arena *arena, const uint32_t *numbers, size_t n,
                         const uint32_t **out)
{
    uint32_t *copy = isg_arena_alloc(arena, (n + 1) * sizeof *copy);
    if (copy == NULL)
        return false;
    if (n > 0)
        memcpy(copy, numbers, n * sizeof *copy);
    *out = copy;
    return true;
}

/* Put a copy of event, with all it points to, behind the others. There is room. */
static int shelve(struct shelf *shelf, const struct store_event *event)
{
    struct store_event copy = *event;
    if (!copy_text(shelf->arena, event->id, &copy.id) ||
        !copy_text(shelf->arena, event->version, &copy.version) ||
        !copy_numbers(shelf->arena, event->newer, event->newer_count, &copy.newer) ||
        !copy_numbers(shelf->arena, event->older, event->older_count, &copy.older))
        return ISG_ENOMEM;
    shelf->events[shelf->filled++] = copy;
    shelf->bytes += event->id.n + event->version.n + MARKS_BYTES;
    return ISG_OK;
}

/* The shelf of old with room for n more events; a new and larger one where that is needed. */
static struct shelf *shelf_for(const struct store_block *old, size_t n)
{
    size_t count = old != NULL ? old->count : 0;
    struct shelf *shelf = old != NULL ? ((const struct block *)old)->shelf : NULL;
    if (shelf != NULL && shelf->filled == count && n <= shelf->room - count) {
        atomic_fetch_add_explicit(&shelf->refs, 1, memory_order_relaxed);
        return shelf;
    }
    size_t room = 2 * (count + n);
    shelf = shelf_new(room < STORE_BLOCK ? room : STORE_BLOCK);
    for (size_t i = 0; shelf != NULL && i < count; i++)
        if (shelve(shelf, &old->events[i]) != ISG_OK)
            shelf_unref(&shelf);
    return shelf;
}

int block_grow(const struct store_block *old, uint64_t number, uint64_t generation,
               const struct store_event *events, size_t n, struct store_block **out)
{
    size_t count = (old != NULL ? old->count : 0) + n;
    if (count > STORE_BLOCK)
        return ISG_EINVAL;
    struct block *block = calloc(1, sizeof *block);
    struct shelf *shelf = block != NULL ? shelf_for(old, n) : NULL;
    int err = shelf != NULL ? ISG_OK : ISG_ENOMEM;
    for (size_t i = 0; i < n && err == ISG_OK; i++)
        err = shelve(shelf, &events[i]);
    if (err != ISG_OK) {
        shelf_unref(&shelf);
        free(block);
        return err;
    }
    block->view = (struct store_block){
        .number = number, .generation = generation, .count = count, .events = shelf->events};
    atomic_init(&block->refs, 1);
    block->shelf = shelf;
    block->bytes = sizeof *block + shelf->bytes;
    *out = &block->view;
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
    shelf_unref(&block->shelf);
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
