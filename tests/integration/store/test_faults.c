/* A Redis that dies, sleeps or is held by somebody else. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "stix/base/time.h"
#include "tests/integration/store/bed.h"
#include "tests/support/tap.h"

enum {
    TIMEOUT_MS = 2000,
    BUSY_MS = 10000, /* what a busy machine may add to anything */
    KILLS = 6,
    PUSHERS = 3,
    PUSHES_MAX = 4000
};

static const char C1[] = "faults";
static const char JAN[] = "2024-01-01T00:00:00.000Z";

static void nap_ms(long ms)
{
    const struct timespec nap = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&nap, NULL);
}

/* Try until it works or two minutes are over. */
static bool recovers(struct store *store)
{
    for (int i = 0; i < 2400; i++) {
        if (store_ping(store, NULL) == ISG_OK)
            return true;
        nap_ms(50);
    }
    return false;
}

/* ---- kill -9 while pushing ------------------------------------------------------------------ */

struct pusher {
    struct store *store;
    unsigned first;
    atomic_bool *stop;
    bool acknowledged[PUSHES_MAX];
    unsigned pushed;
    atomic_uint sure; /* acknowledged so far */
    unsigned slow;
    pthread_t thread;
};

static void *run_pusher(void *arg)
{
    struct pusher *p = arg;
    while (!atomic_load(p->stop) && p->pushed < PUSHES_MAX) {
        struct bed_object o;
        int64_t begin_us = isg_time_mono_us();
        bed_object(&o, p->first + p->pushed, JAN, "clear", "kill");
        enum store_verdict verdict = bed_push(p->store, C1, &o, NULL, NULL);
        p->slow += isg_time_mono_us() - begin_us > (TIMEOUT_MS * 2 + BUSY_MS) * 1000;
        p->acknowledged[p->pushed++] = verdict == STORE_ADDED || verdict == STORE_SAME;
        atomic_fetch_add(&p->sure, verdict == STORE_ADDED || verdict == STORE_SAME);
        if (verdict == STORE_FAILED)
            nap_ms(5);
    }
    return NULL;
}

static unsigned count_lost(struct store *store, const struct pusher *p, unsigned *acknowledged)
{
    unsigned lost = 0;
    for (unsigned i = 0; i < p->pushed; i++) {
        struct bed_object o;
        struct store_event *events = NULL;
        size_t n = 0;
        struct isg_buf out;
        size_t size = 0;
        if (!p->acknowledged[i])
            continue;
        isg_buf_init(&out, ISG_BUF_NO_MAX);
        bed_object(&o, p->first + i, JAN, "clear", "kill");
        if (store_versions(store, C1, isg_str_of(o.id), &events, &n, NULL) != ISG_OK || n != 1 ||
            bed_read(store, C1, &o, &out, &size) != ISG_OK || size != strlen(o.canon))
            lost++;
        (*acknowledged)++;
        free(events);
        isg_buf_done(&out);
    }
    return lost;
}

/* The log is whole: positions without gaps, each event with its bytes. */
static unsigned count_damage(struct store *store)
{
    struct store_head head = {0};
    unsigned damage = store_head(store, C1, 0, &head, NULL) != ISG_OK;
    for (uint64_t b = 0; b * STORE_BLOCK < head.position; b++) {
        struct store_block *block = NULL;
        if (store_block_get(store, C1, b, &block, NULL) != ISG_OK)
            return damage + 1;
        for (size_t i = 0; i < block->count; i++)
            damage += block->events[i].dead || block->events[i].id.n == 0;
        store_block_unref(&block);
    }
    return damage;
}

/* Wait for some more acknowledged pushes than there are now, a minute at most. */
static void await_pushes(struct pusher *pushers, unsigned more)
{
    unsigned wanted = more;
    for (unsigned i = 0; i < PUSHERS; i++)
        wanted += atomic_load(&pushers[i].sure);
    for (unsigned sure = 0, n = 0; sure < wanted && n < 6000; n++) {
        nap_ms(10);
        sure = 0;
        for (unsigned i = 0; i < PUSHERS; i++)
            sure += atomic_load(&pushers[i].sure);
    }
}

static void check_kills(const char *dir, struct store *store)
{
    static struct pusher pushers[PUSHERS];
    atomic_bool stop;
    unsigned lost = 0;
    unsigned acknowledged = 0;
    unsigned slow = 0;
    atomic_init(&stop, false);
    for (unsigned i = 0; i < PUSHERS; i++) {
        pushers[i] = (struct pusher){.store = store, .first = 10000 * (i + 1), .stop = &stop};
        pthread_create(&pushers[i].thread, NULL, run_pusher, &pushers[i]);
    }
    for (int i = 0; i < KILLS; i++) {
        await_pushes(pushers, 12 + (unsigned)i);
        nap_ms(37 * i);
        pid_t pid = bed_private_pid(dir);
        if (pid > 1)
            (void)kill(pid, SIGKILL);
        ok(recovers(store), "the server is back after kill %d", i + 1);
    }
    await_pushes(pushers, 12);
    atomic_store(&stop, true);
    for (unsigned i = 0; i < PUSHERS; i++) {
        pthread_join(pushers[i].thread, NULL);
        lost += count_lost(store, &pushers[i], &acknowledged);
        slow += pushers[i].slow;
    }
    ok(acknowledged > 50, "%u pushes acknowledged", acknowledged);
    is_int(lost, 0, "every acknowledged object is there, once (R-064)");
    is_int(count_damage(store), 0, "none is there by half");
    is_int(slow, 0, "nobody waited too long");
}

/* ---- a server that does not answer ---------------------------------------------------------- */

static void check_stopped(struct store *store, pid_t pid)
{
    struct bed_object o;
    struct store_head head;
    struct isg_fail why = {0};
    bed_object(&o, 1, JAN, "clear", "stopped");
    (void)bed_push(store, C1, &o, NULL, NULL);
    (void)kill(pid, SIGSTOP);
    bed_object(&o, 2, JAN, "clear", "stopped");
    struct store_put put = bed_put(&o);
    int64_t begin_us = isg_time_mono_us();
    is_int(store_commit(store, C1, &put, 1, BED_SEES_ALL, &why), ISG_ESTORE, "a stopped server: %s",
           why.text);
    int64_t took_us = isg_time_mono_us() - begin_us;
    ok(took_us < (TIMEOUT_MS + BUSY_MS) * 1000, "within the time-out: %d ms",
       (int)(took_us / 1000));
    begin_us = isg_time_mono_us();
    is_int(store_commit(store, C1, &put, 1, BED_SEES_ALL, &why), ISG_ESTORE, "and again");
    is_int(store_ping(store, &why), ISG_ESTORE, "ping");
    took_us = isg_time_mono_us() - begin_us;
    ok(took_us < TIMEOUT_MS * 1000, "the breaker answers at once: %d ms", (int)(took_us / 1000));
    (void)store_head_now(store, C1, 1000, &head);
    (void)kill(pid, SIGCONT);
    ok(recovers(store), "it is found again");
    is_int((int)bed_push(store, C1, &o, NULL, NULL), STORE_ADDED, "what failed was not written");
}

/* A pause lets WATCH through and holds EXEC back: what is in doubt must not appear later. */
static void check_paused(struct store *store, const char *dir)
{
    char command[2 * BED_TEXT];
    struct bed_object o;
    struct isg_fail why = {0};
    bed_object(&o, 3, JAN, "clear", "paused");
    struct store_put put = bed_put(&o);
    snprintf(command, sizeof command,
             "redis-cli -e -s %.200s/redis/redis.sock client pause 600000 write >/dev/null", dir);
    if (system(command) != 0) {
        ok(true, "no redis-cli here");
        return;
    }
    int64_t begin_us = isg_time_mono_us();
    is_int(store_commit(store, C1, &put, 1, BED_SEES_ALL, &why), ISG_ESTORE,
           "writes are paused: %s", why.text);
    int64_t took_us = isg_time_mono_us() - begin_us;
    ok(took_us < (TIMEOUT_MS + BUSY_MS) * 1000, "within the time-out: %d ms",
       (int)(took_us / 1000));
    snprintf(command, sizeof command,
             "redis-cli -e -s %.200s/redis/redis.sock client unpause >/dev/null", dir);
    is_int(system(command), 0, "client unpause");
    ok(recovers(store), "the pause is over");
    enum store_verdict verdict = bed_push(store, C1, &o, NULL, NULL);
    struct store_event *events = NULL;
    size_t n = 0;
    ok(verdict == STORE_ADDED || verdict == STORE_SAME, "a repeat is harmless");
    is_int(store_versions(store, C1, isg_str_of(o.id), &events, &n, NULL), ISG_OK, "versions");
    is_int((long long)n, 1, "it is there once");
    free(events);
}

/* ---- who holds the instance ----------------------------------------------------------------- */

static int try_open(const char *dir, struct store **out, struct isg_fail *why)
{
    const struct store_options options = {.dir = dir, .timeout_ms = TIMEOUT_MS};
    return store_open(&options, out, why);
}

static void check_second(const char *dir)
{
    struct store *second = NULL;
    struct isg_fail why = {0};
    is_int(try_open(dir, &second, &why), ISG_EBUSY, "a second gateway: %s", why.text);
    store_close(&second);
}

/* A gateway process that is killed while its server is stopped leaves the server behind. */
static void check_orphan(const char *dir)
{
    struct bed_object o;
    int ready[2];
    char byte = 0;
    bed_object(&o, 77, JAN, "clear", "orphan");
    if (pipe(ready) != 0)
        return;
    pid_t gateway = fork();
    if (gateway == 0) {
        struct store *store = NULL;
        struct isg_fail why = {0};
        bool good = try_open(dir, &store, &why) == ISG_OK &&
                    bed_push(store, C1, &o, NULL, NULL) == STORE_ADDED;
        byte = good ? 'y' : 'n';
        if (write(ready[1], &byte, 1) != 1)
            _exit(1);
        for (;;)
            (void)pause();
    }
    is_int(read(ready[0], &byte, 1), 1, "the gateway says");
    is_int(byte, 'y', "it is ready");
    pid_t server = bed_private_pid(dir);
    ok(server > 1, "its server runs");
    (void)kill(server, SIGSTOP);
    bed_end(gateway, SIGKILL);
    struct store *store = NULL;
    struct isg_fail why = {0};
    is_int(try_open(dir, &store, &why), ISG_OK, "a new gateway starts: %s", why.text);
    ok(kill(server, 0) != 0 || bed_private_pid(dir) != server, "the orphan was ended");
    if (store != NULL)
        is_int((int)bed_push(store, C1, &o, NULL, NULL), STORE_SAME, "what it held is there");
    store_close(&store);
    close(ready[0]);
    close(ready[1]);
}

/* A gateway that is killed takes its server with it. */
static void check_together(const char *dir)
{
    int ready[2];
    char byte = 0;
    if (pipe(ready) != 0)
        return;
    pid_t gateway = fork();
    if (gateway == 0) {
        struct store *store = NULL;
        byte = try_open(dir, &store, NULL) == ISG_OK ? 'y' : 'n';
        if (write(ready[1], &byte, 1) != 1)
            _exit(1);
        for (;;)
            (void)pause();
    }
    is_int(read(ready[0], &byte, 1), 1, "a gateway runs");
    pid_t server = bed_private_pid(dir);
    bed_end(gateway, SIGKILL);
    bool gone = false;
    for (int i = 0; i < 2400 && !gone; i++, nap_ms(50))
        gone = kill(server, 0) != 0 && errno == ESRCH;
    ok(gone, "the server ended with its gateway");
    close(ready[0]);
    close(ready[1]);
}

/* A deep instance folder: the path of the socket is longer than sun_path. */
static void check_long_path(const char *dir)
{
    char path[BED_TEXT];
    snprintf(path, sizeof path, "%.100s/%0100d", dir, 7);
    is_int(mkdir(path, 0700), 0, "a folder with a long name");
    struct store *store = bed_open(path, NULL, TIMEOUT_MS);
    is_int(store_ping(store, NULL), ISG_OK, "works like any other");
    store_close(&store);
}

/* ---- other servers -------------------------------------------------------------------------- */

static void check_other_servers(const char *dir)
{
    char url[BED_TEXT];
    char command[2 * BED_TEXT];
    struct store *store = NULL;
    struct isg_fail why = {0};
    pid_t pid = bed_redis(dir, url);
    snprintf(command, sizeof command,
             "redis-cli -e -s %.200s/own.sock set isg:schema 999 >/dev/null", dir);
    struct store_options options = {.dir = dir, .url = url, .timeout_ms = TIMEOUT_MS};
    if (system(command) == 0)
        is_int(store_open(&options, &store, &why), ISG_ESTORE, "a newer layout: %s", why.text);
    bed_end(pid, SIGTERM);
    is_int(store_open(&options, &store, &why), ISG_ESTORE, "nobody there: %s", why.text);
    options.url = "redis://192.0.2.1:6379";
    is_int(store_open(&options, &store, &why), ISG_ESTORE, "plain TCP elsewhere: %s", why.text);
    store_close(&store);
}

/* The log is emptied under a running gateway: reads do not crash, pushes go on. */
static void check_flushed(const char *dir)
{
    char url[BED_TEXT];
    char command[2 * BED_TEXT];
    struct bed_object o;
    struct store_head head = {0};
    pid_t pid = bed_redis(dir, url);
    snprintf(command, sizeof command, "redis-cli -e -s %.200s/own.sock flushall >/dev/null", dir);
    if (system(command) != 0) {
        bed_end(pid, SIGTERM);
        return;
    }
    struct store *store = bed_open(dir, url, TIMEOUT_MS);
    for (unsigned i = 0; i < 5; i++) {
        bed_object(&o, i, JAN, i < 3 ? "a" : "b", "flush");
        (void)bed_push(store, C1, &o, NULL, NULL);
    }
    is_int(store_head(store, C1, 0, &head, NULL), ISG_OK, "head");
    uint64_t log = head.log;
    is_int(system(command), 0, "flushall");
    is_int(store_head(store, C1, 0, &head, NULL), ISG_OK, "head");
    is_int((long long)head.position, 0, "the log is empty");
    ok(head.log != log, "it is another log");
    bed_object(&o, 1, JAN, "c", "flush");
    is_int((int)bed_push(store, C1, &o, NULL, NULL), STORE_ADDED, "pushed again");
    struct store_block *block = NULL;
    is_int(store_block_get(store, C1, 0, &block, NULL), ISG_OK, "block");
    if (block != NULL)
        ok(block->count == 1 && store_label(store, C1, block->events[0].label) != NULL &&
               strcmp(store_label(store, C1, block->events[0].label), "c") == 0,
           "with its new label");
    store_block_unref(&block);
    snprintf(command, sizeof command,
             "redis-cli -e -s %.200s/own.sock del 'isg:{c:faults}:b:0' 'isg:{c:faults}:l' "
             "'isg:{c:faults}:d' >/dev/null",
             dir);
    is_int(system(command), 0, "single keys are lost");
    store_close(&store);
    store = bed_open(dir, url, TIMEOUT_MS);
    is_int(store_block_get(store, C1, 0, &block, NULL), ISG_OK, "the block can be read");
    if (block != NULL)
        ok(block->count == 1 && block->events[0].dead, "its event is dead");
    store_block_unref(&block);
    ok(store_label(store, C1, 0) == NULL, "the label is not known");
    bed_object(&o, 9, JAN, "d", "flush");
    is_int((int)bed_push(store, C1, &o, NULL, NULL), STORE_ADDED, "pushes go on");
    store_close(&store);
    bed_end(pid, SIGTERM);
}

int main(void)
{
    char dir[BED_TEXT];
    bed_make(dir);
    check_together(dir); /* before this process has threads */
    check_orphan(dir);
    struct store *store = bed_open(dir, NULL, TIMEOUT_MS);
    check_second(dir);
    check_kills(dir, store);
    check_stopped(store, bed_private_pid(dir));
    check_paused(store, dir);
    store_close(&store);
    ok(bed_private_pid(dir) == 0, "the server is gone after close");
    check_long_path(dir);
    check_other_servers(dir);
    check_flushed(dir);
    bed_remove(dir);
    return tap_done();
}
