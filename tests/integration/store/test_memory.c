/*
 * Every n-th allocation fails, once or from then on: calls fail with a reason or succeed,
 * nothing crashes, and what was acknowledged is there afterwards. The program brings its own malloc,
 * so it is for builds without sanitizers.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/integration/store/bed.h"
#include "tests/support/tap.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)

int main(void)
{
    tap_skip_all("this build has a malloc that cannot be replaced");
    return 77;
}

#else

enum { STEP = 3, MOST = 1500 };

static const char C1[] = "memory";
static atomic_long left; /* allocations until one fails; negative: none does */
static atomic_bool for_ever;

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static bool fails(void)
{
    long before = atomic_load(&left);
    if (before < 0)
        return false;
    if (before > 0) {
        atomic_fetch_sub(&left, 1);
        return false;
    }
    if (!atomic_load(&for_ever))
        atomic_store(&left, -1);
    errno = ENOMEM;
    return true;
}

void *malloc(size_t n)
{
    return fails() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return fails() ? NULL : __libc_realloc(p, n);
}

/* Everything once, with whatever comes of it. */
static bool use(const struct store_options *options, unsigned number)
{
    struct bed_object o[2];
    struct store_put puts[2];
    struct store_head head;
    struct store *store = NULL;
    struct store_block *block = NULL;
    struct store_event *events = NULL;
    struct isg_buf out;
    struct isg_fail why = {0};
    char label[64];
    size_t n;
    size_t sizes[2];
    uint64_t position;
    bool held;
    if (store_open(options, &store, &why) != ISG_OK)
        return false;
    snprintf(label, sizeof label, "label-%u", number % 50);
    bed_object(&o[0], number, "2024-01-01T00:00:00.000Z", label, "a");
    bed_object(&o[1], number, "2024-01-02T00:00:00.000Z", "clear", "b");
    puts[0] = bed_put(&o[0]);
    puts[1] = bed_put(&o[1]);
    isg_buf_init(&out, ISG_BUF_NO_MAX);
    bool good = store_commit(store, C1, puts, 2, BED_SEES_ALL, &why) == ISG_OK;
    (void)store_head(store, C1, 0, &head, &why);
    (void)store_block_get(store, C1, 0, &block, &why);
    store_block_unref(&block);
    (void)store_position_after(store, C1, 1, &position, &why);
    if (store_versions(store, C1, isg_str_of(o[0].id), &events, &n, &why) == ISG_OK)
        free(events);
    (void)store_objects(store, C1, (const uint8_t(*)[32])o[0].digest, 1, &out, sizes, &why);
    (void)store_doc_put(store, STORE_MEMBER, ISG_STR("m"), ISG_STR("{}"), &why);
    (void)store_doc_get(store, STORE_MEMBER, ISG_STR("m"), &out, &why);
    (void)store_lease(store, "lease", 1000, &held, &why);
    (void)store_sequence(store, "memory", &position, &why);
    (void)store_describe(store, &out, &why);
    if (number % 2 == 0 && good)
        (void)store_delete(store, C1, isg_str_of(o[1].id), puts[1].version, BED_SEES_ALL, &why);
    isg_buf_done(&out);
    store_close(&store);
    return good;
}

/* Both versions of an acknowledged push, or the older one when the newer may be deleted. */
static bool is_there(struct store *store, unsigned number)
{
    struct bed_object o;
    struct store_event *events = NULL;
    struct isg_buf out;
    size_t n = 0;
    size_t size = SIZE_MAX;
    bed_object(&o, number, "2024-01-01T00:00:00.000Z", "", "a");
    isg_buf_init(&out, ISG_BUF_NO_MAX);
    bool good =
        store_versions(store, C1, isg_str_of(o.id), &events, &n, NULL) == ISG_OK &&
        (n == 2 || number % 2 == 0) &&
        store_objects(store, C1, (const uint8_t(*)[32])o.digest, 1, &out, &size, NULL) == ISG_OK &&
        size == out.len;
    free(events);
    isg_buf_done(&out);
    return good;
}

int main(void)
{
    char dir[BED_TEXT];
    char url[BED_TEXT];
    static bool acknowledged[2][MOST];
    unsigned pushed = 0;
    unsigned lost = 0;
    bed_make(dir);
    pid_t pid = bed_redis(dir, url);
    const struct store_options options = {.dir = dir, .url = url, .timeout_ms = 1000};
    atomic_init(&left, -1);
    for (int ever = 0; ever < 2; ever++) {
        atomic_store(&for_ever, ever == 1);
        for (unsigned n = 0; n < MOST; n += ever == 1 ? 4 * STEP : STEP) {
            atomic_store(&left, (long)n);
            acknowledged[ever][n] = use(&options, (unsigned)ever * MOST + n);
            atomic_store(&left, -1);
        }
    }
    struct store *store = bed_open(dir, url, 5000);
    for (unsigned i = 0; i < 2 * MOST; i++) {
        if (!acknowledged[i / MOST][i % MOST])
            continue;
        pushed++;
        lost += !is_there(store, i);
    }
    ok(pushed > 10, "%u pushes were acknowledged", pushed);
    is_int(lost, 0, "and all of them are there");
    store_close(&store);
    bed_end(pid, SIGTERM);
    bed_remove(dir);
    return tap_done();
}

#endif
