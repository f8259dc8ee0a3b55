/* The gzip form of a page: made once, only where it saves something. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/taxii/pack.h"
#include "stix/base/digest.h"
#include "tests/support/tap.h"

/* n bytes that repeat (0) or do not (1). */
static struct page *page_of(size_t n, bool is_noise)
{
    struct page *page = page_new(0);
    char *text = malloc(n + 1);
    if (page == NULL || text == NULL)
        abort();
    uint8_t digest[ISG_SHA256_BYTES] = {0};
    for (size_t i = 0; i < n; i++) {
        if (i % sizeof digest == 0)
            isg_sha256((struct isg_str){(const char *)digest, sizeof digest}, digest);
        text[i] = (char)(is_noise ? digest[i % sizeof digest] : 'a' + i % 26);
    }
    page->bytes = http_bytes_take(text, n);
    return page;
}

static const struct {
    size_t n;
    bool is_noise;
    bool open; /* worth a try */
    bool made;
} rows[] = {
    {0, false, false, false},  {1, false, false, false},    {1023, false, false, false},
    {1024, false, true, true}, {100000, false, true, true}, {5 << 20, false, true, true},
    {1024, true, true, false}, {100000, true, true, false},
};

static void check_rows(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct page *page = page_of(rows[i].n, rows[i].is_noise);
        is_int(pack_is_open(page), rows[i].open, "%zu bytes: tried", rows[i].n);
        is_int(pack_make(page), rows[i].made, "%zu bytes: made", rows[i].n);
        is_int(pack_is_there(page), rows[i].made, "%zu bytes: there", rows[i].n);
        ok(!pack_make(page) && !pack_is_open(page), "%zu bytes: not tried again", rows[i].n);
        if (rows[i].made) {
            struct isg_str packed = http_bytes_str(page->packed);
            ok(packed.n * 3 < rows[i].n && memcmp(packed.p, "\x1f\x8b\x08", 3) == 0,
               "%zu bytes: smaller, and gzip", rows[i].n);
        }
        page_unref(&page);
    }
    struct page *refused = page_of(100000, false);
    pack_refuse(refused);
    ok(!pack_is_open(refused) && !pack_make(refused), "refused: never made");
    page_unref(&refused);
}

static atomic_int made_here;

static void *press(void *arg)
{
    struct page *page = arg;
    if (pack_make(page))
        atomic_fetch_add(&made_here, 1);
    while (pack_is_open(page))
        continue;
    return pack_is_there(page) && http_bytes_str(page->packed).n == 0 ? page : NULL;
}

static void check_threads(void)
{
    struct page *page = page_of(1 << 20, false);
    pthread_t threads[8];
    bool good = true;
    for (size_t i = 0; i < 8; i++)
        if (pthread_create(&threads[i], NULL, press, page) != 0)
            abort();
    for (size_t i = 0; i < 8; i++) {
        void *bad = NULL;
        (void)pthread_join(threads[i], &bad);
        good = good && bad == NULL;
    }
    is_int(atomic_load(&made_here), 1, "eight threads: one made it");
    ok(good && pack_is_there(page), "and it is whole for all");
    page_unref(&page);
}

int main(void)
{
    check_rows();
    check_threads();
    return tap_done();
}
