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
    RENEW_TICKS = 15,  /* and renews the leases of runs under way */
    ELSEWHERE_S = 10,  /* another gateway runs it: look again */
    OUTGOING_RUN_S = 10
};

/* A run handed to a worker. */
struct job {
    struct sync *sync;
    struct entry *entry; /* stays while entry->running */
};

/* ---- one run -------------------------------------------------------------------------------- */

int sync_entry_run(struct sync *sync, struct entry *entry, const struct entry_how *how,
                   union entry_result *out, struct state *state, struct isg_fail *why)
{
    int64_t until_us = how->bounded ? isg_time_mono_us() + (int64_t)OUTGOING_RUN_S * 1000000 : 0;
    const struct outgoing_how outgoing = {how->dry_run, until_us, how->listing};
    const struct feed_how feed = {how->dry_run, how->accept_shrink, how->listing, &entry->progress};
    struct sync_parts parts = sync->parts;
    int err = ISG_OK;
    parts.stop = &entry->lease.stop;
    parts.lease = &entry->lease;
    switch (entry->kind) {
    case ENTRY_FEED:
        feed_progress_reset(&entry->progress);
        err = feed_run(&parts, &entry->feed, &feed, &out->feed, state, why);
        if (!how->dry_run && err != ISG_EBUSY)
            sync_report_feed(entry->name, err, &out->feed, state, why);
        break;
    case ENTRY_PEER:
        err = peer_run(&parts, &entry->peer, &outgoing, &out->peer, state, why);
        if (!how->dry_run)
            sync_report_peer(entry->name, err, &out->peer, why);
        break;
    case ENTRY_WEBHOOK:
        err = webhook_run(&parts, entry->webhook, &outgoing, &out->webhook, state, why);
        if (!how->dry_run)
            sync_report_webhook(entry->name, err, &out->webhook, why);
        break;
    case ENTRY_KINDS: break;
    }
    return err;
}

void sync_entry_ended(struct sync *sync, struct entry *entry, const struct state *state)
{
    lease_drop(&sync->leases, &entry->lease);
    (void)pthread_mutex_lock(&sync->lock);
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
    if (entry_due(entry, now_us) <= now_us)
        return true;
    return entry_is_outgoing(entry) && entry->collection[0] != '\0' && state->failures == 0 &&
           state->status[0] == '\0' && !entry_is_postponed(entry, now_us, now_us) &&
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
    int err = lease_take(&sync->leases, &entry->lease, entry->state_name, &held, &why);
    if (err != ISG_OK || !held) {
        postpone(sync, entry, ELSEWHERE_S);
        sync_entry_ended(sync, entry, NULL);
        return;
    }
    if (!is_still_due(sync, entry, &state)) {
        sync_entry_ended(sync, entry, NULL);
        return;
    }
    (void)sync_entry_run(sync, entry, &how, &result, &state, &why);
    sync_entry_ended(sync, entry, &state);
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

/* Read, and bring in unless a feed was edited since; then a later reading brings in more. */
static int reload_once(struct sync *sync, bool *out_edited, struct isg_fail *why)
{
    struct stored_feed *list = NULL;
    (void)pthread_mutex_lock(&sync->lock);
    unsigned edits = sync->edits;
    (void)pthread_mutex_unlock(&sync->lock);
    int err = stored_feeds_read(sync->parts.store, &list, why);
    (void)pthread_mutex_lock(&sync->lock);
    *out_edited = edits != sync->edits;
    if (err == ISG_OK && !*out_edited)
        err = table_bring_in(&sync->table, list, isg_time_now_us(), why);
    (void)pthread_mutex_unlock(&sync->lock);
    stored_feeds_free(&list);
    return err;
}

int sync_reload(struct sync *sync, bool edited, struct isg_fail *why)
{
    int err;
    (void)pthread_mutex_lock(&sync->lock);
    sync->edits += edited ? 1 : 0;
    (void)pthread_mutex_unlock(&sync->lock);
    do {
        err = reload_once(sync, &edited, why);
    } while (err == ISG_OK && edited);
    return err;
}

/* What asks the store: without the lock, so that a slow one holds up nobody. */
static void look_around(struct sync *sync, unsigned tick)
{
    struct isg_fail ignored;
    bool reload = tick % RELOAD_TICKS == 0, renew = tick % RENEW_TICKS == 0;
    if (!reload && !renew)
        return;
    (void)pthread_mutex_unlock(&sync->lock);
    if (renew)
        leases_renew(&sync->leases);
    if (reload)
        (void)sync_reload(sync, false, &ignored);
    (void)pthread_mutex_lock(&sync->lock);
}

static void *schedule(void *arg)
{
    struct sync *sync = arg;
    (void)pthread_mutex_lock(&sync->lock);
    for (unsigned tick = 1; !sync->stopping; tick++) {
        look_around(sync, tick);
        if (sync->stopping)
            break;
        int64_t now_us = isg_time_now_us();
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
    sync->leases = (struct leases){.lock = &sync->lock, .store = parts->store};
    int err = table_load_config(&sync->table, parts->config, parts->store, now_us, why);
    if (err == ISG_OK)
        err = sync_reload(sync, false, why);
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
    leases_stop(&sync->leases);
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
