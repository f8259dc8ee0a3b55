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

enum { STEP = 3, MOST = 1500, CROWD = 24, CROWDS = 500 };

static const char C1[] = "memory";
static const char C2[] = "crowds";
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

/* Many objects of three labels in one batch: the buffers it is written from grow several times. */
static bool push_crowd(struct store *store, unsigned number, struct isg_fail *why)
{
    struct bed_object o[CROWD];
    struct store_put puts[CROWD];
    static const char *const labels[] = {"red", "green", "amber"};
    for (unsigned i = 0; i < CROWD; i++) {
        bed_object(&o[i], (number + 1) * 1000 + i, "", labels[i % 3], "c");
        puts[i] = bed_put(&o[i]);
    }
    return store_commit(store, C2, puts, CROWD, BED_SEES_ALL, why) == ISG_OK;
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
    size_t size;
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
    (void)bed_read(store, C1, &o[0], &out, &size);
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
    bool good = store_versions(store, C1, isg_str_of(o.id), &events, &n, NULL) == ISG_OK &&
                (n == 2 || number % 2 == 0) && bed_read(store, C1, &o, &out, &size) == ISG_OK &&
                size == out.len;
    free(events);
    isg_buf_done(&out);
    return good;
}

/* Events of the crowds' log whose record and bytes are whole, as those see it who read by label. */
static size_t seen_by_labels(struct store *store)
{
    struct isg_arena *arena = isg_arena_new((size_t)1 << 30);
    size_t seen = 0;
    for (uint32_t label = 0; label < store_label_count(store, C2); label++) {
        const struct store_wish wish = {&label, 1, 0, (size_t)2 * MOST * CROWD};
        struct store_event *events;
        size_t n;
        if (store_events_of(store, C2, &wish, arena, &events, &n, NULL) != ISG_OK)
            return 0;
        for (size_t i = 0; i < n; i++)
            seen += !events[i].dead && events[i].label == label;
    }
    isg_arena_free(&arena);
    return seen;
}

/* The same by walking the log. */
static size_t seen_by_blocks(struct store *store)
{
    struct store_block *block = NULL;
    size_t seen = 0;
    for (uint64_t b = 0; store_block_get(store, C2, b, &block, NULL) == ISG_OK; b++) {
        for (size_t i = 0; i < block->count; i++)
            seen += !block->events[i].dead;
        store_block_unref(&block);
    }
    return seen;
}

/* One change that writes much: whatever fails of it, the log is whole for all who read it. */
static void check_crowds(const struct store_options *options)
{
    struct store_head head = {0};
    struct isg_fail why = {0};
    struct store *store = bed_open(options->dir, options->url, options->timeout_ms);
    size_t sure = 0;
    for (unsigned n = 0; n < CROWDS; n++) {
        atomic_store(&for_ever, n % 2 == 1);
        atomic_store(&left, (long)(n / 2));
        sure += push_crowd(store, n, &why) ? CROWD : 0;
        atomic_store(&left, -1);
    }
    is_int(store_head(store, C2, 0, &head, &why), ISG_OK, "the head of the crowds");
    ok(sure > 0 && head.position >= sure, "%zu acknowledged of %llu", sure,
       (unsigned long long)head.position);
    is_int((int64_t)seen_by_labels(store), (int64_t)head.position, "all are read by label");
    is_int((int64_t)seen_by_blocks(store), (int64_t)head.position, "and by the log");
    store_close(&store);
    store = bed_open(options->dir, options->url, options->timeout_ms);
    is_int((int64_t)seen_by_blocks(store), (int64_t)head.position, "and after a restart");
    store_close(&store);
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
    check_crowds(&options);
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
