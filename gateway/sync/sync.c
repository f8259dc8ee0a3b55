#include "gateway/sync/sync.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/sync/feed_run.h"
#include "gateway/sync/peer_run.h"
#include "gateway/sync/sync_private.h"
#include "gateway/sync/table.h"
#include "stix/base/time.h"
#include "stix/json.h"

enum {
    TICK_MS = 500,     /* the scheduler looks this often */
    RELOAD_TICKS = 20, /* and this often for feeds that another gateway made */
    LEASE_MS = 60000,  /* renewed while a run goes on */
    RENEW_TICKS = 30,
    ELSEWHERE_S = 60 /* another gateway runs it: look again */
};

struct sync {
    struct sync_parts parts;
    pthread_mutex_t lock; /* of table, running, stopping */
    pthread_cond_t moved; /* running fell, or stopping */
    pthread_t thread;
    struct table table;
    unsigned running; /* runs under way, of every kind */
    bool stopping;
    atomic_bool stop; /* the same, for transfers under way */
};

/* A run handed to a worker. */
struct job {
    struct sync *sync;
    struct entry *entry; /* stays while entry->running */
};

/* ---- one run -------------------------------------------------------------------------------- */

static void label_of(const char *name, char out[128])
{
    (void)snprintf(out, 128, "feed=\"%s\"", name);
}

static void report_feed(const char *name, int err, const struct feed_result *result,
                        const struct state *state, const struct isg_fail *why)
{
    char label[128];
    label_of(name, label);
    if (err != ISG_OK) {
        metric_add(METRIC_FEED_ERRORS, label, 1);
        LOG(LOG_WARN, "feed.failed", log_cstr("feed", name), log_int("failures", state->failures),
            log_why(why));
        return;
    }
    metric_set(METRIC_FEED_LAST_SUCCESS, label, state->last_success_us / 1000000);
    LOG(LOG_INFO, "feed.done", log_cstr("feed", name), log_bool("unchanged", result->unchanged),
        log_int("total", (int64_t)result->counts.total),
        log_int("added", (int64_t)result->counts.added),
        log_int("refused", (int64_t)result->counts.refused),
        log_int("withdrawn", (int64_t)result->withdrawn));
    if (result->held)
        LOG(LOG_ERROR, "feed.shrunk", log_cstr("feed", name), log_bool("removals_held", true));
    if (result->failed > 0)
        LOG(LOG_WARN, "feed.documents", log_cstr("feed", name),
            log_int("failed", (int64_t)result->failed), log_cstr("first", result->first_error));
}

static void report_peer(const char *name, int err, const struct peer_result *result,
                        const struct isg_fail *why)
{
    char label[128];
    label_of(name, label);
    if (err != ISG_OK) {
        metric_add(METRIC_FEED_ERRORS, label, 1);
        LOG(LOG_WARN, "peer.failed", log_cstr("peer", name), log_why(why));
        return;
    }
    metric_set(METRIC_FEED_LAST_SUCCESS, label, isg_time_now_us() / 1000000);
    LOG(LOG_INFO, "peer.done", log_cstr("peer", name), log_int("total", (int64_t)result->total),
        log_int("added", (int64_t)result->added), log_int("refused", (int64_t)result->refused));
}

/* True when this gateway may run the entry now (one of several does). */
static int take_lease(struct sync *sync, const struct entry *entry, bool *out_held,
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
            (void)take_lease(sync, entry, &held, &ignored);
    }
}

/* The run itself, without any lock. The entry's state is replaced under the lock afterwards. */
static int entry_run(struct sync *sync, const struct entry *entry, bool dry_run,
                     struct feed_result *feed, struct state *state, struct isg_fail *why)
{
    struct peer_result peer = {.total = 0};
    int err;
    if (entry->is_peer) {
        err = peer_run(&sync->parts, &entry->peer, dry_run, &peer, state, why);
        report_peer(entry->name, err, &peer, why);
    } else {
        err = feed_run(&sync->parts, &entry->feed, dry_run, feed, state, why);
        report_feed(entry->name, err, feed, state, why);
    }
    return err;
}

/* End a run: what it left behind becomes the entry's state. */
static void entry_ended(struct sync *sync, struct entry *entry, bool leased,
                        const struct state *state)
{
    (void)pthread_mutex_lock(&sync->lock);
    if (leased)
        drop_lease(sync, entry);
    if (state != NULL)
        entry->state = *state;
    entry->running = false;
    sync->running--;
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

/* With the lease held: another gateway may have run it since this one looked; then it waits. */
static bool is_still_due(struct sync *sync, struct entry *entry, struct state *out)
{
    struct isg_fail ignored;
    if (state_load(sync->parts.store, entry->state_name, out, &ignored) != ISG_OK)
        return false;
    (void)pthread_mutex_lock(&sync->lock);
    entry->state = *out;
    bool due = entry_due(entry) <= isg_time_now_us();
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
    struct feed_result result = {.documents = 0};
    struct state state;
    bool held = false;
    free(job);
    int err = take_lease(sync, entry, &held, &why);
    if (err != ISG_OK || !held) {
        postpone(sync, entry, ELSEWHERE_S);
        entry_ended(sync, entry, false, NULL);
        return;
    }
    if (!is_still_due(sync, entry, &state)) {
        entry_ended(sync, entry, true, NULL);
        return;
    }
    (void)entry_run(sync, entry, false, &result, &state, &why);
    entry_ended(sync, entry, true, &state);
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
        if (!entry->running && !entry->gone && entry_due(entry) <= now_us)
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

const struct sync_parts *sync_parts_of(const struct sync *sync)
{
    return &sync->parts;
}

/* ---- commands ------------------------------------------------------------------------------- */

/* A name that a feed may take: no member's (it would be the source of what the feed brings), and
 * not one of the configuration's. */
static int name_check(struct sync *sync, const struct feed_def *def, struct isg_fail *why)
{
    const struct registry *registry = directory_get(sync->parts.directory);
    const struct collection *collection = NULL;
    int err = registry_collection(registry, (struct isg_str){0}, isg_str_of(def->collection),
                                  &collection, why);
    if (err == ISG_OK && registry_member(registry, isg_str_of(def->name)) != NULL)
        err = isg_fail_at(why, ISG_ECONFLICT, "/name", NULL, "a member has this name");
    registry_unref(&registry);
    if (err != ISG_OK)
        return err;
    (void)pthread_mutex_lock(&sync->lock);
    const struct entry *entry = table_feed(&sync->table, isg_str_of(def->name));
    if (entry != NULL && !entry->feed.stored)
        err = isg_fail_at(why, ISG_ECONFLICT, "/name", NULL, "the configuration has this feed");
    (void)pthread_mutex_unlock(&sync->lock);
    return err;
}

static int reload(struct sync *sync, struct isg_fail *why)
{
    (void)pthread_mutex_lock(&sync->lock);
    int err = table_load_store(&sync->table, sync->parts.store, isg_time_now_us(), why);
    (void)pthread_mutex_unlock(&sync->lock);
    return err;
}

int sync_feed_put(struct sync *sync, struct isg_str json, struct isg_buf *out, struct isg_fail *why)
{
    struct feed_def def;
    struct isg_jsonw w;
    struct isg_buf document;
    int err = feed_def_of_json(json, &def, why);
    if (err != ISG_OK)
        return err;
    isg_buf_init(&document, 65536);
    isg_jsonw_init(&w, &document);
    isg_jsonw_object(&w);
    feed_def_write(&def, &w);
    isg_jsonw_end(&w);
    err = name_check(sync, &def, why);
    if (err == ISG_OK)
        err = store_doc_put(sync->parts.store, STORE_FEED, isg_str_of(def.name),
                            isg_buf_str(&document), why);
    if (err == ISG_OK)
        err = reload(sync, why);
    if (err == ISG_OK)
        isg_buf_put_str(out, isg_buf_str(&document));
    isg_buf_done(&document);
    feed_def_done(&def);
    return err;
}

int sync_feed_remove(struct sync *sync, struct isg_str name, struct isg_fail *why)
{
    static const char *const kept[] = {"feed:", "keys:", "files:"};
    struct isg_fail ignored;
    char document[STATE_NAME_MAX];
    (void)pthread_mutex_lock(&sync->lock);
    const struct entry *entry = table_feed(&sync->table, name);
    bool fixed = entry != NULL && !entry->feed.stored;
    (void)pthread_mutex_unlock(&sync->lock);
    if (fixed)
        return isg_fail(why, ISG_ECONFLICT,
                        "the feed stands in the configuration: remove it there");
    int err = store_doc_remove(sync->parts.store, STORE_FEED, name, why);
    if (err == ISG_ENOENT)
        return isg_fail(why, err, "no such feed");
    if (err != ISG_OK)
        return err;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        (void)snprintf(document, sizeof document, "%s%.*s", kept[i], ISG_STR_ARG(name));
        (void)store_doc_remove(sync->parts.store, STORE_FEED_STATE, isg_str_of(document), &ignored);
    }
    return reload(sync, why);
}

static void write_result(const char *name, const struct feed_result *result, struct isg_buf *out)
{
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "feed", name);
    isg_jsonw_put(&w, "state", result->unchanged ? "unchanged" : "ok");
    isg_jsonw_put_int(&w, "documents", (int64_t)result->documents);
    isg_jsonw_put_int(&w, "total", (int64_t)result->counts.total);
    isg_jsonw_put_int(&w, "added", (int64_t)result->counts.added);
    isg_jsonw_put_int(&w, "same", (int64_t)result->counts.same);
    isg_jsonw_put_int(&w, "refused", (int64_t)result->counts.refused);
    isg_jsonw_put_int(&w, "withdrawn", (int64_t)result->withdrawn);
    if (result->held)
        isg_jsonw_put_bool(&w, "removals_held", true);
    if (result->failed > 0) {
        isg_jsonw_put_int(&w, "failed_documents", (int64_t)result->failed);
        isg_jsonw_put(&w, "first_failure", result->first_error);
    }
    isg_jsonw_end(&w);
}

/* Mark a feed as running for a run by command. */
static int take_feed(struct sync *sync, struct isg_str name, struct entry **out,
                     struct isg_fail *why)
{
    int err = ISG_OK;
    (void)pthread_mutex_lock(&sync->lock);
    struct entry *entry = table_feed(&sync->table, name);
    if (entry == NULL)
        err = isg_fail(why, ISG_ENOENT, "no such feed");
    else if (entry->running)
        err = isg_fail(why, ISG_EBUSY, "the feed is running now");
    else if (sync->stopping)
        err = isg_fail(why, ISG_EBUSY, "the service is stopping");
    if (err == ISG_OK) {
        entry->running = true;
        sync->running++;
        *out = entry;
    }
    (void)pthread_mutex_unlock(&sync->lock);
    return err;
}

int sync_feed_run(struct sync *sync, struct isg_str name, bool dry_run, struct isg_buf *out,
                  struct isg_fail *why)
{
    struct entry *entry = NULL;
    struct isg_fail own = {.code = ISG_OK};
    struct feed_result result = {.documents = 0};
    struct state state;
    bool held = false;
    bool ran = false;
    int err = take_feed(sync, name, &entry, why);
    if (err != ISG_OK)
        return err;
    err = take_lease(sync, entry, &held, &own);
    if (err == ISG_OK && !held)
        err = isg_fail(&own, ISG_EBUSY, "another gateway runs the feed now");
    if (err == ISG_OK) {
        ran = true;
        err = entry_run(sync, entry, dry_run, &result, &state, &own);
    }
    if (err == ISG_OK)
        write_result(entry->name, &result, out);
    else if (why != NULL)
        *why = own;
    entry_ended(sync, entry, ran, ran && !dry_run ? &state : NULL);
    return err;
}

static void write_entry(const struct entry *entry, struct isg_jsonw *w)
{
    char due[ISG_TIME_TEXT];
    isg_jsonw_object(w);
    if (entry->is_peer) {
        isg_jsonw_put(w, "name", entry->name);
        isg_jsonw_put(w, "url", entry->peer.url);
        isg_jsonw_put(w, "direction", entry->peer.push ? "push" : "pull");
        isg_jsonw_put(w, "from", entry->peer.from);
        isg_jsonw_put(w, "collection", entry->peer.collection);
        isg_jsonw_put_int(w, "interval", entry->interval_s);
    } else {
        feed_def_write(&entry->feed, w);
    }
    isg_jsonw_put(w, "origin", entry->is_peer || !entry->feed.stored ? "configuration" : "command");
    isg_jsonw_put_bool(w, "running", entry->running);
    state_write(&entry->state, w);
    isg_time_format(entry_due(entry), 3, due);
    isg_jsonw_put(w, "next_run", due);
    isg_jsonw_end(w);
}

int sync_feeds_write(struct sync *sync, struct isg_buf *out, struct isg_fail *why)
{
    static const char *const lists[] = {"feeds", "peers"};
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    (void)pthread_mutex_lock(&sync->lock);
    isg_jsonw_object(&w);
    for (size_t i = 0; i < 2; i++) {
        isg_jsonw_name(&w, lists[i]);
        isg_jsonw_list(&w);
        for (const struct entry *entry = sync->table.first; entry != NULL; entry = entry->next) {
            if (!entry->gone && entry->is_peer == (i == 1))
                write_entry(entry, &w);
        }
        isg_jsonw_end(&w);
    }
    isg_jsonw_end(&w);
    (void)pthread_mutex_unlock(&sync->lock);
    return out->err == ISG_OK ? ISG_OK : isg_fail(why, out->err, "the list is too large");
}
