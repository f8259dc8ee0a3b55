/* The page cache: bounded in bytes, last used goes last, safe from several threads. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/taxii/cache.h"
#include "tests/support/tap.h"

enum { MIB = 1 << 20 };

static struct page_key key_of(unsigned n)
{
    struct page_key key = {{0}};
    for (size_t i = 0; i < 4; i++)
        key.digest[3 + i] = (uint8_t)(n >> (8 * i));
    return key;
}

static void put(struct page_cache *cache, unsigned n, size_t bytes)
{
    struct page *page = page_new(0);
    char *text = calloc(1, bytes);
    if (page == NULL || text == NULL)
        abort();
    page->bytes = http_bytes_take(text, bytes);
    page->objects = n;
    struct page_key key = key_of(n);
    page_cache_put(cache, &key, page);
    page_unref(&page);
}

static bool has(struct page_cache *cache, unsigned n)
{
    struct page_key key = key_of(n);
    struct page *page = page_cache_get(cache, &key);
    bool there = page != NULL && page->objects == n;
    page_unref(&page);
    return there;
}

static void *hammer(void *arg)
{
    for (unsigned i = 0; i < 2000; i++) {
        put(arg, 1 + i % 40, 50000);
        (void)has(arg, 1 + (i * 7) % 40);
    }
    return NULL;
}

static void check_threads(void)
{
    struct page_cache *cache = page_cache_new(MIB);
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        if (pthread_create(&threads[i], NULL, hammer, cache) != 0)
            abort();
    for (size_t i = 0; i < 4; i++)
        (void)pthread_join(threads[i], NULL);
    ok(page_cache_bytes(cache) <= MIB, "four threads: the bound holds");
    page_cache_free(&cache);
}

int main(void)
{
    struct page_cache *cache = page_cache_new(MIB);
    ok(!has(cache, 1), "empty");
    put(cache, 1, 400000);
    put(cache, 2, 400000);
    ok(has(cache, 1) && has(cache, 2), "two fit");
    ok(has(cache, 1), "1 is used again");
    put(cache, 3, 400000);
    ok(has(cache, 1) && has(cache, 3) && !has(cache, 2), "the one not used for longest went");
    put(cache, 3, 100);
    ok(has(cache, 3) && page_cache_bytes(cache) < 500000, "put again replaces");
    put(cache, 4, 2 * MIB);
    ok(!has(cache, 4) && has(cache, 1), "what is too large is not kept and drives nothing out");
    struct page_key key = key_of(1);
    struct page *held = page_cache_get(cache, &key);
    put(cache, 5, 900000);
    ok(!has(cache, 1) && held->objects == 1, "a page in use outlives its place");
    page_cache_free(&cache);
    ok(held->objects == 1 && cache == NULL, "and the cache");
    page_unref(&held);
    page_cache_free(&cache);
    cache = page_cache_new(0);
    put(cache, 1, 1);
    ok(!has(cache, 1), "no room: nothing is kept");
    page_cache_free(&cache);
    check_threads();
    return tap_done();
}
