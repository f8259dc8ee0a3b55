#include "gateway/taxii/cache.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/metrics.h"

/* A shard has its own lock, list and share of the bytes. */
enum { SHARDS_MAX = 16, SHARD_BYTES_MIN = 8 << 20, BUCKETS = 1024, ENTRY_COST = 512 };

struct entry {
    struct page_key key;
    struct page *page;
    size_t cost;
    struct entry *chain; /* in the bucket */
    struct entry *newer; /* by last use */
    struct entry *older;
};

struct shard {
    pthread_mutex_t lock;
    struct entry *bucket[BUCKETS];
    struct entry *newest;
    struct entry *oldest;
    size_t bytes;
};

struct page_cache {
    size_t shards;
    size_t shard_max; /* bytes */
    struct shard shard[];
};

struct page *page_new(size_t blocks)
{
    struct page *page = calloc(1, sizeof *page + blocks * sizeof page->block_generation[0]);
    if (page != NULL) {
        atomic_init(&page->refs, 1);
        atomic_init(&page->pack, PAGE_PLAIN);
        page->blocks = blocks;
    }
    return page;
}

struct page *page_ref(struct page *page)
{
    (void)atomic_fetch_add_explicit(&page->refs, 1, memory_order_relaxed);
    return page;
}

void page_unref(struct page **page)
{
    struct page *gone = *page;
    *page = NULL;
    if (gone == NULL || atomic_fetch_sub_explicit(&gone->refs, 1, memory_order_acq_rel) != 1)
        return;
    http_bytes_unref(&gone->bytes);
    http_bytes_unref(&gone->packed);
    free(gone);
}

struct page_cache *page_cache_new(size_t bytes_max)
{
    size_t shards = bytes_max / SHARD_BYTES_MIN;
    shards = shards < 1 ? 1 : shards > SHARDS_MAX ? SHARDS_MAX : shards;
    struct page_cache *cache = calloc(1, sizeof *cache + shards * sizeof cache->shard[0]);
    if (cache == NULL)
        return NULL;
    cache->shards = shards;
    cache->shard_max = bytes_max / shards;
    for (size_t i = 0; i < shards; i++)
        (void)pthread_mutex_init(&cache->shard[i].lock, NULL);
    return cache;
}

/* Keys are digests: any of their bytes are as good as random. */
static struct shard *shard_of(struct page_cache *cache, const struct page_key *key)
{
    return &cache->shard[key->digest[0] % cache->shards];
}

static struct entry **bucket_of(struct shard *shard, const struct page_key *key)
{
    return &shard->bucket[(key->digest[1] | key->digest[2] << 8) % BUCKETS];
}

static struct entry **find(struct shard *shard, const struct page_key *key)
{
    struct entry **at = bucket_of(shard, key);
    while (*at != NULL && memcmp(&(*at)->key, key, sizeof *key) != 0)
        at = &(*at)->chain;
    return at;
}

static void unlink_use(struct shard *shard, struct entry *entry)
{
    *(entry->newer != NULL ? &entry->newer->older : &shard->newest) = entry->older;
    *(entry->older != NULL ? &entry->older->newer : &shard->oldest) = entry->newer;
}

static void link_newest(struct shard *shard, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = shard->newest;
    *(shard->newest != NULL ? &shard->newest->newer : &shard->oldest) = entry;
    shard->newest = entry;
}

static void drop(struct shard *shard, struct entry **at)
{
    struct entry *entry = *at;
    assert(entry != NULL); /* what is in the list is in its bucket */
    *at = entry->chain;
    unlink_use(shard, entry);
    shard->bytes -= entry->cost;
    metric_add(METRIC_CACHE_BYTES, "", -(int64_t)entry->cost);
    page_unref(&entry->page);
    free(entry);
}

void page_cache_free(struct page_cache **cache)
{
    struct page_cache *gone = *cache;
    *cache = NULL;
    if (gone == NULL)
        return;
    for (size_t i = 0; i < gone->shards; i++) {
        struct shard *shard = &gone->shard[i];
        while (shard->oldest != NULL)
            drop(shard, find(shard, &shard->oldest->key));
        (void)pthread_mutex_destroy(&shard->lock);
    }
    free(gone);
}

struct page *page_cache_get(struct page_cache *cache, const struct page_key *key)
{
    struct shard *shard = shard_of(cache, key);
    struct page *page = NULL;
    (void)pthread_mutex_lock(&shard->lock);
    struct entry *entry = *find(shard, key);
    if (entry != NULL) {
        page = page_ref(entry->page);
        unlink_use(shard, entry);
        link_newest(shard, entry);
    }
    (void)pthread_mutex_unlock(&shard->lock);
    return page;
}

static size_t cost_of(const struct page *page)
{
    size_t cost = sizeof *page + page->blocks * sizeof page->block_generation[0] + ENTRY_COST;
    if (page->bytes != NULL)
        cost += http_bytes_str(page->bytes).n;
    if (atomic_load_explicit(&page->pack, memory_order_acquire) == PAGE_PACKED)
        cost += http_bytes_str(page->packed).n;
    return cost;
}

static void count_cost(struct shard *shard, struct entry *entry, size_t cost)
{
    metric_add(METRIC_CACHE_BYTES, "", (int64_t)cost - (int64_t)entry->cost);
    shard->bytes = shard->bytes - entry->cost + cost;
    entry->cost = cost;
}

static void make_room(struct shard *shard, size_t bytes_max)
{
    while (shard->oldest != NULL && shard->bytes > bytes_max)
        drop(shard, find(shard, &shard->oldest->key));
}

bool page_cache_put(struct page_cache *cache, const struct page_key *key, struct page *page)
{
    struct shard *shard = shard_of(cache, key);
    size_t cost = cost_of(page);
    struct entry *entry = cost > cache->shard_max ? NULL : calloc(1, sizeof *entry);
    if (entry == NULL)
        return false;
    *entry = (struct entry){.key = *key, .page = page_ref(page)};
    (void)pthread_mutex_lock(&shard->lock);
    struct entry **at = find(shard, key);
    if (*at != NULL)
        drop(shard, at);
    make_room(shard, cache->shard_max - cost);
    at = bucket_of(shard, key);
    entry->chain = *at;
    *at = entry;
    link_newest(shard, entry);
    count_cost(shard, entry, cost);
    (void)pthread_mutex_unlock(&shard->lock);
    return true;
}

void page_cache_recount(struct page_cache *cache, const struct page_key *key,
                        const struct page *page)
{
    struct shard *shard = shard_of(cache, key);
    (void)pthread_mutex_lock(&shard->lock);
    struct entry *entry = *find(shard, key);
    if (entry != NULL && entry->page == page) {
        count_cost(shard, entry, cost_of(page));
        make_room(shard, cache->shard_max);
    }
    (void)pthread_mutex_unlock(&shard->lock);
}

size_t page_cache_bytes(struct page_cache *cache)
{
    size_t bytes = 0;
    for (size_t i = 0; i < cache->shards; i++) {
        (void)pthread_mutex_lock(&cache->shard[i].lock);
        bytes += cache->shard[i].bytes;
        (void)pthread_mutex_unlock(&cache->shard[i].lock);
    }
    return bytes;
}
