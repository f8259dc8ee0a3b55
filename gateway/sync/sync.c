#include "gateway/sync/sync.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/sync/sync_private.h"
#include "stix/base/time.h"

enum {
    TICK_MS = 500,     /* the scheduler looks this often */
    RELOAD_TICKS = 20, /* and this often for feeds that another gateway made */
    LEASE_MS = 30000,  /* renewed while a run goes on */
    RENEW_TICKS = 15,
    ELSEWHERE_S = 10, /* another gateway runs it: look again */
    OUTGOING_RUN_S = 10
};

/* A run handed to a worker. */
struct job {
    struct sync *sync;
    struct entry *entry; /* stays while entry->running */
};

/* ---- one run -------------------------------------------------------------------------------- */

int sync_take_lease(struct sync *sync, const struct entry *entry, bool *out_held,
                    struct isg_fail *why)
{
    return store_lease(sync->parts.store, entry->state_name, LEASE_MS, out_held, why);
}

/* Give the lease up: it ends with its next millisecond. */
static void drop_lease(struct sync *sync, const struct entry *entry)
{
    struct isg_fail ignored;
    bool held;
    (void)store_lease(sync->parts.store, entry->state_name, 1, &held, &ignored);
}

/* Keep the leases of the runs under way; with the lock held, so that none has just ended. */
static void renew_leases(struct sync *sync)
{
    struct isg_fail ignored;
    bool held;
    for (struct entry *entry = sync->table.first; entry != NULL; entry = entry->next) {
        if (entry->running)
            (void)sync_take_lease(sync, entry, &held, &ignored);
    }
}

int sync_entry_run(struct sync *sync, struct entry *entry, const struct entry_how *how,
                   union entry_result *out, struct state *state, struct isg_fail *why)
{
    int64_t until_us = how->bounded ? isg_time_mono_us() + (int64_t)OUTGOING_RUN_S * 1000000 : 0;
    const struct outgoing_how outgoing = {how->dry_run, until_us, how->listing};
    const struct feed_how feed = {how->dry_run, how->accept_shrink, how->listing, &entry->progress};
    int err = ISG_OK;
    switch (entry->kind) {
    case ENTRY_FEED:
        feed_progress_reset(&entry->progress);
        err = feed_run(&sync->parts, &entry->feed, &feed, &out->feed, state, why);
        if (!how->dry_run && err != ISG_EBUSY)
            sync_report_feed(entry->name, err, &out->feed, state, why);
        break;
    case ENTRY_PEER:
        err = peer_run(&sync->parts, &entry->peer, &outgoing, &out->peer, state, why);
        if (!how->dry_run)
            sync_report_peer(entry->name, err, &out->peer, why);
        break;
    case ENTRY_WEBHOOK:
        err = webhook_run(&sync->parts, entry->webhook, &outgoing, &out->webhook, state, why);
        if (!how->dry_run)
            sync_report_webhook(entry->name, err, &out->webhook, why);
        break;
    case ENTRY_KINDS: break;
    }
    return err;
}

void sync_entry_ended(struct sync *sync, struct entry *entry, bool leased,
                      const struct state *state)
{
    (void)pthread_mutex_lock(&sync->lock);
    if (leased)
        drop_lease(sync, entry);
    if (state != NULL) {
        entry->state = *state;
        memcpy(entry->collection, state->collection, sizeof entry->collection);
    }
    entry->running = false;
    sync->running--;
    sync_report_state(sync, entry);
    table_sweep(&sync->table);
    (void)pthread_cond_broadcast(&sync->moved);
    (void)pthread_mutex_unlock(&sync->lock);
}

static void postpone(struct sync *sync, struct entry *entry, unsigned seconds)
{
    (void)pthread_mutex_lock(&sync->lock);
    entry->not_before_us = isg_time_now_us() + (int64_t)seconds * 1000000;
    (void)pthread_mutex_unlock(&sync->lock);
}

/*
 * Due by the clock, or because the log of what is sent out has grown, as far as this gateway knows
 * without asking: what it commits itself leaves at once, what others commit with the interval.
 */
static bool is_due(const struct sync *sync, const struct entry *entry, int64_t now_us)
{
    struct store_head head;
    const struct state *state = &entry->state;
    if (entry_due(entry) <= now_us)
        return true;
    return entry_is_outgoing(entry) && entry->collection[0] != '\0' && state->failures == 0 &&
           state->status[0] == '\0' && entry->not_before_us <= now_us &&
           store_head_now(sync->parts.store, entry->collection, UINT_MAX, &head) &&
           (head.log != state->log || head.position > state->position);
}

/* With the lease held: another gateway may have run it since this one looked; then it waits. */
static bool is_still_due(struct sync *sync, struct entry *entry, struct state *out)
{
    struct isg_fail ignored;
    if (state_load(sync->parts.store, entry->state_name, out, &ignored) != ISG_OK)
        return false;
    (void)pthread_mutex_lock(&sync->lock);
    entry->state = *out;
    bool due = is_due(sync, entry, isg_time_now_us());
    (void)pthread_mutex_unlock(&sync->lock);
    return due;
}

/* On a worker: a scheduled run. Nothing it meets ends the service or another feed. */
static void run_job(void *arg)
{
    struct job *job = arg;
    struct sync *sync = job->sync;
    struct entry *entry = job->entry;
    struct isg_fail why = {.code = ISG_OK};
    const struct entry_how how = {.bounded = true};
    union entry_result result = {.feed = {.documents = 0}};
    struct state state;
    bool held = false;
    free(job);
    int err = sync_take_lease(sync, entry, &held, &why);
    if (err != ISG_OK || !held) {
        postpone(sync, entry, ELSEWHERE_S);
        sync_entry_ended(sync, entry, false, NULL);
        return;
    }
    if (!is_still_due(sync, entry, &state)) {
        sync_entry_ended(sync, entry, true, NULL);
        return;
    }
    (void)sync_entry_run(sync, entry, &how, &result, &state, &why);
    sync_entry_ended(sync, entry, true, &state);
}

/* ---- the scheduler -------------------------------------------------------------------------- */

/* Hand a due entry to a worker; with the lock held. A full queue is tried again next tick. */
static void start_entry(struct sync *sync, struct entry *entry)
{
    struct job *job = malloc(sizeof *job);
    if (job == NULL)
        return;
    *job = (struct job){sync, entry};
    entry->running = true;
    sync->running++;
    if (worker_submit(sync->parts.workers, run_job, job) != ISG_OK) {
        entry->running = false;
        sync->running--;
        free(job);
    }
}

static void start_due(struct sync *sync, int64_t now_us)
{
    for (struct entry *entry = sync->table.first; entry != NULL; entry = entry->next) {
        if (!entry->running && !entry->gone && is_due(sync, entry, now_us))
            start_entry(sync, entry);
    }
}

static void wait_tick(struct sync *sync)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)TICK_MS * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    if (!sync->stopping)
        (void)pthread_cond_timedwait(&sync->moved, &sync->lock, &until);
}

static void *schedule(void *arg)
{
    struct sync *sync = arg;
    struct isg_fail why;
    (void)pthread_mutex_lock(&sync->lock);
    for (unsigned tick = 1; !sync->stopping; tick++) {
        int64_t now_us = isg_time_now_us();
        if (tick % RELOAD_TICKS == 0)
            (void)table_load_store(&sync->table, sync->parts.store, now_us, &why);
        if (tick % RENEW_TICKS == 0)
            renew_leases(sync);
        for (const struct entry *entry = sync->table.first; entry != NULL; entry = entry->next)
            sync_report_state(sync, entry);
        start_due(sync, now_us);
        wait_tick(sync);
    }
    (void)pthread_mutex_unlock(&sync->lock);
    return NULL;
}

static int lock_init(struct sync *sync)
{
    pthread_condattr_t attr;
    int err = pthread_condattr_init(&attr);
    if (err == 0)
        err = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    if (err == 0)
        err = pthread_cond_init(&sync->moved, &attr);
    if (err == 0)
        err = pthread_mutex_init(&sync->lock, NULL);
    (void)pthread_condattr_destroy(&attr);
    return err;
}

int sync_start(const struct sync_parts *parts, struct sync **out, struct isg_fail *why)
{
    int64_t now_us = isg_time_now_us();
    struct sync *sync = calloc(1, sizeof *sync);
    if (sync == NULL || lock_init(sync) != 0) {
        free(sync);
        return isg_fail(why, ISG_ENOMEM, "no memory");
    }
    sync->parts = *parts;
    sync->parts.stop = &sync->stop;
    int err = table_load_config(&sync->table, parts->config, parts->store, now_us, why);
    if (err == ISG_OK)
        err = table_load_store(&sync->table, parts->store, now_us, why);
    if (err == ISG_OK && pthread_create(&sync->thread, NULL, schedule, sync) != 0)
        err = isg_fail(why, ISG_ENOMEM, "no thread for the scheduler");
    if (err == ISG_OK) {
        *out = sync;
        return ISG_OK;
    }
    table_free(&sync->table);
    free(sync);
    return err;
}

void sync_halt(struct sync *sync)
{
    if (sync == NULL)
        return;
    (void)pthread_mutex_lock(&sync->lock);
    sync->stopping = true;
    atomic_store(&sync->stop, true);
    (void)pthread_cond_broadcast(&sync->moved);
    (void)pthread_mutex_unlock(&sync->lock);
}

void sync_stop(struct sync **sync)
{
    struct sync *s = *sync;
    if (s == NULL)
        return;
    sync_halt(s);
    (void)pthread_join(s->thread, NULL);
    (void)pthread_mutex_lock(&s->lock);
    while (s->running > 0)
        (void)pthread_cond_wait(&s->moved, &s->lock);
    (void)pthread_mutex_unlock(&s->lock);
    table_free(&s->table);
    (void)pthread_cond_destroy(&s->moved);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
    *sync = NULL;
}
