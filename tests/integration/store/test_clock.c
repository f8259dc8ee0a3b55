/*
 * The clock jumps back an hour, ten years forward, or stands still: dates rise strictly, and
 * what waits goes by the monotonic clock. The program brings its own clock_gettime.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "stix/base/time.h"
#include "tests/integration/store/bed.h"
#include "tests/support/tap.h"

static const char C1[] = "clock";
static atomic_llong shift_s;
static atomic_llong frozen_s; /* the time it stands still at; 0: it goes */

int clock_gettime(clockid_t clock, struct timespec *out)
{
    long err = syscall(SYS_clock_gettime, clock, out);
    if (err == 0 && clock == CLOCK_REALTIME) {
        out->tv_sec += (time_t)atomic_load(&shift_s);
        if (atomic_load(&frozen_s) != 0)
            *out = (struct timespec){.tv_sec = (time_t)atomic_load(&frozen_s)};
    }
    return (int)err;
}

static unsigned next_number;
static int64_t last_us;

/* Some pushes, each with a later date than all before. */
static void push_some(struct store *store, const char *name)
{
    unsigned wrong = 0;
    int64_t begin_us = isg_time_mono_us();
    for (int i = 0; i < 50; i++) {
        struct bed_object o;
        struct store_put put;
        bed_object(&o, next_number++, "2024-01-01T00:00:00.000Z", "clear", "clock");
        wrong += bed_push(store, C1, &o, NULL, &put) != STORE_ADDED || put.date_added_us <= last_us;
        last_us = put.date_added_us;
    }
    is_int(wrong, 0, "%s: dates rise strictly", name);
    ok(isg_time_mono_us() - begin_us < 200000000, "%s: nobody waits for the clock", name);
}

/* All of the log, and the position behind each date. */
static void check_log(struct store *store)
{
    struct store_head head = {0};
    struct store_block *block = NULL;
    unsigned wrong = 0;
    is_int(store_head(store, C1, 0, &head, NULL), ISG_OK, "head");
    is_int(store_block_get(store, C1, 0, &block, NULL), ISG_OK, "block");
    for (size_t i = 0; block != NULL && i < block->count; i++) {
        uint64_t position = 0;
        const struct store_event *e = &block->events[i];
        wrong += (i > 0 && e->date_added_us <= block->events[i - 1].date_added_us) ||
                 store_position_after(store, C1, e->date_added_us, &position, NULL) != ISG_OK ||
                 position != e->position + 1;
    }
    is_int(wrong, 0, "every date finds its place among %d", (int)head.position);
    store_block_unref(&block);
}

int main(void)
{
    char dir[BED_TEXT];
    char url[BED_TEXT];
    bool held = false;
    bed_make(dir);
    pid_t pid = bed_redis(dir, url);
    struct store *store = bed_open(dir, url, 5000);
    struct store *other = bed_open(dir, url, 5000);
    push_some(store, "as it is");
    atomic_store(&shift_s, -3600);
    push_some(store, "an hour back");
    push_some(other, "an hour back, another gateway");
    is_int(store_lease(store, "l", 3600000, &held, NULL), ISG_OK, "a lease");
    atomic_store(&shift_s, 10LL * 365 * 86400);
    push_some(store, "ten years forward");
    is_int(store_lease(other, "l", 3600000, &held, NULL), ISG_OK, "asked for by another");
    ok(!held, "it does not end by a jump");
    atomic_store(&shift_s, 0);
    push_some(other, "and back");
    atomic_store(&frozen_s, 1700000000);
    push_some(store, "standing still");
    check_log(other);
    store_close(&other);
    store_close(&store);
    bed_end(pid, SIGTERM);
    bed_remove(dir);
    return tap_done();
}
