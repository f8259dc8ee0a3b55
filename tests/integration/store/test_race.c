/* Two gateways on one Redis, and many threads in one gateway. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/integration/store/bed.h"
#include "tests/support/tap.h"

/* batches large enough to be read ahead while others write */
enum { THREADS = 8, ROUNDS = 10, BATCH = 10 };

static const char C1[] = "race";

struct job {
    struct store *store;
    unsigned first; /* number of its first object */
    bool twin;      /* somebody else pushes the same objects */
    unsigned added;
    unsigned failed;
    pthread_t thread;
};

static void push_round(struct job *job, unsigned round)
{
    struct bed_object objects[BATCH];
    struct store_put puts[BATCH];
    struct isg_fail why = {0};
    char label[32];
    snprintf(label, sizeof label, "label-%u", round % 5);
    for (unsigned i = 0; i < BATCH; i++) {
        bed_object(&objects[i], job->first + round * BATCH + i, "2024-01-01T00:00:00.000Z", label,
                   "race");
        puts[i] = bed_put(&objects[i]);
    }
    if (store_commit(job->store, C1, puts, BATCH, BED_SEES_ALL, &why) != ISG_OK) {
        fprintf(stderr, "# %s\n", why.text);
        job->failed++;
    }
    for (unsigned i = 0; i < BATCH; i++)
        job->added += puts[i].verdict == STORE_ADDED;
}

static void *run_job(void *arg)
{
    struct job *job = arg;
    for (unsigned round = 0; round < ROUNDS; round++)
        push_round(job, round);
    return NULL;
}

/* A poller that follows the log while it grows: what it reads is never filled in behind it. */
struct poller {
    struct store *store;
    atomic_bool stop;
    uint64_t seen;
    int64_t last_us;
    unsigned wrong;
    pthread_t thread;
};

static void poll_once(struct poller *p)
{
    struct store_head head;
    if (store_head(p->store, C1, 0, &head, NULL) != ISG_OK) {
        p->wrong++;
        return;
    }
    while (p->seen < head.position) {
        struct store_block *block = NULL;
        if (store_block_get(p->store, C1, p->seen / STORE_BLOCK, &block, NULL) != ISG_OK) {
            p->wrong++;
            return;
        }
        for (size_t i = p->seen % STORE_BLOCK; i < block->count; i++) {
            const struct store_event *e = &block->events[i];
            p->wrong += e->position != p->seen + 1 || e->date_added_us <= p->last_us || e->dead ||
                        store_label(p->store, C1, e->label) == NULL;
            p->seen = e->position;
            p->last_us = e->date_added_us;
        }
        store_block_unref(&block);
    }
}

static void *run_poller(void *arg)
{
    struct poller *p = arg;
    while (!atomic_load(&p->stop))
        poll_once(p);
    poll_once(p);
    return NULL;
}

static void race(struct store *const *stores, size_t n, bool twins, unsigned first, uint64_t *total)
{
    struct job jobs[THREADS];
    struct poller poller = {.store = stores[0]};
    unsigned added = 0;
    unsigned failed = 0;
    atomic_init(&poller.stop, false);
    pthread_create(&poller.thread, NULL, run_poller, &poller);
    for (unsigned i = 0; i < THREADS; i++) {
        unsigned whose = twins ? i / 2 : i;
        jobs[i] = (struct job){.store = stores[i % n], .first = first + whose * 1000};
        pthread_create(&jobs[i].thread, NULL, run_job, &jobs[i]);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(jobs[i].thread, NULL);
        added += jobs[i].added;
        failed += jobs[i].failed;
    }
    atomic_store(&poller.stop, true);
    pthread_join(poller.thread, NULL);
    *total += added;
    is_int(failed, 0, "every commit came through");
    is_int(added, THREADS * ROUNDS * BATCH / (twins ? 2 : 1), "each object was added once");
    is_int((long long)poller.seen, (long long)*total, "the poller saw all");
    is_int(poller.wrong, 0, "in order, with rising dates, nothing behind its cursor");
}

/* Both gateways know the same labels, heads and versions in the end. */
static void check_agreement(struct store *a, struct store *b)
{
    struct store_head ha;
    struct store_head hb;
    struct bed_object o;
    ok(store_head(a, C1, 0, &ha, NULL) == ISG_OK && store_head(b, C1, 0, &hb, NULL) == ISG_OK &&
           memcmp(&ha, &hb, sizeof ha) == 0,
       "one head");
    is_int(store_label_count(a, C1), 5, "five labels");
    is_int(store_label_count(b, C1), 5, "five labels in the other");
    bed_object(&o, 1, "2024-05-01T00:00:00.000Z", "new", "v2");
    is_int((int)bed_push(a, C1, &o, NULL, NULL), STORE_ADDED, "a newer version through one");
    struct store_block *block = NULL;
    struct store_head now;
    ok(store_head(b, C1, 0, &now, NULL) == ISG_OK && now.position == ha.position + 1,
       "is seen through the other");
    is_int(store_block_get(b, C1, 0, &block, NULL), ISG_OK, "block");
    store_block_unref(&block);
    is_int(store_delete(b, C1, isg_str_of(o.id), ISG_STR(""), BED_SEES_ALL, NULL), ISG_OK,
           "deleted through the other");
    ok(store_head(a, C1, 0, &now, NULL) == ISG_OK && now.generation > ha.generation,
       "the first learns of it");
    is_int(store_block_get(a, C1, now.position / STORE_BLOCK, &block, NULL), ISG_OK, "block");
    if (block != NULL)
        ok(block->events[block->count - 1].dead, "the version is dead there too");
    store_block_unref(&block);
}

static void check_lease(struct store *a, struct store *b)
{
    bool held_a = false;
    bool held_b = true;
    uint64_t n[4];
    (void)store_lease(a, "feed", 60000, &held_a, NULL);
    (void)store_lease(b, "feed", 60000, &held_b, NULL);
    ok(held_a && !held_b, "one lease, one holder");
    bool first = false, second = false, kept = true;
    (void)store_lease_of(a, "run", "first", STORE_LEASE_TAKE, 60000, &first, NULL);
    (void)store_lease_of(a, "run", "second", STORE_LEASE_TAKE, 60000, &second, NULL);
    ok(first && !second, "also of two runs of one gateway");
    (void)store_lease_of(b, "run", "second", STORE_LEASE_DROP, 60000, &kept, NULL);
    (void)store_lease_of(b, "run", "first", STORE_LEASE_KEEP, 60000, &kept, NULL);
    ok(kept, "who does not hold it cannot end it; who does may keep it");
    (void)store_lease_of(a, "run", "first", STORE_LEASE_DROP, 60000, &first, NULL);
    (void)store_lease_of(a, "run", "first", STORE_LEASE_KEEP, 60000, &kept, NULL);
    ok(!first && !kept, "one that was dropped cannot be kept");
    (void)store_lease_of(b, "run", "second", STORE_LEASE_TAKE, 60000, &second, NULL);
    ok(second, "and is free at once");
    for (int i = 0; i < 4; i++)
        (void)store_sequence(i % 2 == 0 ? a : b, "seq", &n[i], NULL);
    ok(n[0] < n[1] && n[1] < n[2] && n[2] < n[3], "one sequence for both, rising");
}

/* Who has only just opened the store knows the labels of the versions it is given. */
static void check_labels(struct store *old, struct store *fresh)
{
    struct bed_object o;
    struct store_event *events = NULL;
    size_t n = 0;
    bed_object(&o, 900000, "2031-01-01T00:00:00.000Z", "label of its own", "labels");
    is_int((int)bed_push(old, "c2", &o, NULL, NULL), STORE_ADDED, "pushed through one");
    is_int(store_versions(fresh, "c2", isg_str_of(o.id), &events, &n, NULL), ISG_OK,
           "read at another");
    const char *label = n == 1 ? store_label(fresh, "c2", events[0].label) : NULL;
    is_str(label, "label of its own", "its label is known there");
    free(events);
}

int main(void)
{
    char dir[BED_TEXT];
    char url[BED_TEXT];
    uint64_t total = 0;
    bed_make(dir);
    pid_t pid = bed_redis(dir, url);
    struct store *stores[2] = {bed_open(dir, url, 20000), bed_open(dir, url, 20000)};
    race(stores, 1, false, 0, &total);
    race(stores, 2, false, 100000, &total);
    race(stores, 2, true, 200000, &total);
    race(stores, 1, true, 300000, &total);
    check_agreement(stores[0], stores[1]);
    check_lease(stores[0], stores[1]);
    check_labels(stores[0], stores[1]);
    store_close(&stores[0]);
    store_close(&stores[1]);
    bed_end(pid, SIGTERM);
    bed_remove(dir);
    return tap_done();
}
