#define _GNU_SOURCE /* pthread_setname_np */
#include "gateway/ingest/queue.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/ingest/expiry.h"
#include "gateway/ingest/run.h"
#include "gateway/ingest/status.h"
#include "gateway/log.h"
#include "stix/base/time.h"
#include "stix/id.h"

enum {
    NOW_BYTES = 4 << 20,     /* a push of more bytes waits, however few its objects */
    PIECE_BYTES = 512 << 10, /* a piece closes at so many bytes, or a batch of objects */
    LEASE_MS = 5000,         /* renewed with each piece; so long a dead gateway's push rests */
    LOOK_MS = 1000,          /* how often other gateways' pushes are looked for */
    NAME_BYTES = 128
};

struct ingest_queue {
    struct ingest_queue_parts parts;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool woken;
    bool stopping;
};

/* ---- keeping a push ------------------------------------------------------------------------- */

/* A push in the making: its pieces are cut out of the envelope, their lines are written. */
struct parcel {
    struct isg_str *pieces;
    struct isg_buf *lines;
    struct isg_str *texts; /* of lines */
    size_t n;
    size_t hopeless; /* objects without an id: nothing but refusals */
};

static size_t pieces_max(const struct ingest_envelope *envelope)
{
    return ingest_envelope_count(envelope) / RUN_BATCH +
           ingest_envelope_objects(envelope).n / PIECE_BYTES + 2;
}

static int parcel_init(struct parcel *parcel, size_t room)
{
    *parcel = (struct parcel){.pieces = calloc(room, sizeof *parcel->pieces),
                              .lines = calloc(room, sizeof *parcel->lines),
                              .texts = calloc(room, sizeof *parcel->texts)};
    bool good = parcel->pieces != NULL && parcel->lines != NULL && parcel->texts != NULL;
    return good ? ISG_OK : ISG_ENOMEM;
}

static void parcel_done(struct parcel *parcel)
{
    for (size_t i = 0; i < parcel->n; i++)
        isg_buf_done(&parcel->lines[i]);
    free(parcel->pieces);
    free(parcel->lines);
    free(parcel->texts);
}

/* Nothing is checked yet: only what names the object is looked for. */
static void put_pending(struct parcel *parcel, const char *date, struct isg_str object)
{
    struct stix_json *json = run_peek(object);
    struct isg_str id;
    struct isg_str version;
    run_names(json, &id, &version);
    parcel->hopeless += !stix_id_split(id, NULL, NULL);
    status_pending(&parcel->lines[parcel->n], date, id, version);
    stix_json_free(&json);
}

static int cut(struct parcel *parcel, const char *date, const struct ingest_envelope *envelope,
               struct isg_fail *why)
{
    struct isg_str rest = ingest_envelope_objects(envelope);
    struct isg_str object;
    int err = ISG_OK;
    while (err == ISG_OK && rest.n > 0) {
        struct isg_str piece = {rest.p, 0};
        isg_buf_init(&parcel->lines[parcel->n], ISG_BUF_NO_MAX);
        for (size_t i = 0;
             i < RUN_BATCH && piece.n < PIECE_BYTES && ingest_envelope_next(&rest, &object); i++) {
            put_pending(parcel, date, object);
            piece.n = (size_t)(object.p + object.n - piece.p);
        }
        parcel->pieces[parcel->n] = piece;
        parcel->texts[parcel->n] = isg_buf_str(&parcel->lines[parcel->n]);
        err = parcel->lines[parcel->n++].err;
        if (err != ISG_OK)
            (void)isg_fail(why, err, "no memory for a status");
        else
            err = ingest_envelope_bound(parcel->hopeless, why);
    }
    return err;
}

static int keep(struct ingest_queue *queue, const struct ingest_ticket *ticket,
                const struct parcel *parcel, struct isg_fail *why)
{
    struct isg_buf about;
    isg_buf_init(&about, ISG_BUF_NO_MAX);
    isg_buf_printf(&about, "%.*s %.*s %s %" PRId64, ISG_STR_ARG(ticket->owner),
                   ISG_STR_ARG(ticket->member), ticket->collection->id, ticket->request_us);
    const struct store_job job = {.id = ticket->id,
                                  .collection = ticket->collection->id,
                                  .about = isg_buf_str(&about),
                                  .pieces = parcel->pieces,
                                  .lines = parcel->texts,
                                  .n = parcel->n,
                                  .member = ticket->member};
    int err = about.err == ISG_OK ? store_demand(queue->parts.store, ticket->collection->id,
                                                 ticket->collection->durability, why)
                                  : isg_fail(why, about.err, "no memory for a push");
    if (err == ISG_OK)
        err = store_job_put(queue->parts.store, &job, why);
    isg_buf_done(&about);
    return err;
}

bool ingest_queue_wants(const struct ingest_queue *queue, const struct ingest_envelope *envelope)
{
    return queue != NULL && (ingest_envelope_count(envelope) > queue->parts.objects_now ||
                             ingest_envelope_objects(envelope).n > NOW_BYTES);
}

static void wake(struct ingest_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->woken = true;
    pthread_cond_signal(&queue->moved);
    pthread_mutex_unlock(&queue->lock);
}

int ingest_queue_put(struct ingest_queue *queue, const struct ingest_ticket *ticket,
                     struct ingest_envelope *envelope, struct isg_buf *out, struct isg_fail *why)
{
    struct parcel parcel;
    char date[ISG_TIME_TEXT];
    isg_time_format(ticket->request_us, 6, date);
    int err = parcel_init(&parcel, pieces_max(envelope));
    if (err != ISG_OK)
        (void)isg_fail(why, err, "no memory for a push");
    if (err == ISG_OK)
        err = ingest_envelope_read(envelope, why);
    if (err == ISG_OK)
        err = cut(&parcel, date, envelope, why);
    if (err == ISG_OK) {
        status_render(out, ticket->id, date, parcel.texts, parcel.n);
        err = out->err == ISG_OK ? keep(queue, ticket, &parcel, why)
                                 : isg_fail(why, out->err, "no memory for a status");
    }
    if (err == ISG_OK)
        wake(queue);
    parcel_done(&parcel);
    return err;
}

/* ---- reading a status ----------------------------------------------------------------------- */

/* "owner member collection request_us" */
struct about {
    struct isg_str owner;
    struct isg_str member;
    struct isg_str collection;
    int64_t request_us;
};

static bool about_read(struct isg_str text, struct about *out)
{
    struct isg_str time;
    return isg_str_split(&text, ' ', &out->owner) && isg_str_split(&text, ' ', &out->member) &&
           isg_str_split(&text, ' ', &out->collection) && isg_str_split(&text, ' ', &time) &&
           isg_str_to_i64(time, &out->request_us);
}

static int job_status(struct store *store, struct isg_str id, struct isg_buf *out_owner,
                      struct isg_buf *out, struct isg_fail *why)
{
    struct isg_buf text;
    struct isg_buf lines;
    struct about about;
    char date[ISG_TIME_TEXT];
    char name[ISG_UUID_TEXT];
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    isg_buf_init(&lines, ISG_BUF_NO_MAX);
    int err = store_job_status(store, id, &text, &lines, why);
    if (err == ISG_OK && (!about_read(isg_buf_str(&text), &about) || id.n >= sizeof name))
        err = isg_fail(why, ISG_ESTORE, "the status is damaged");
    if (err == ISG_OK) {
        const struct isg_str part = isg_buf_str(&lines);
        memcpy(name, id.p, id.n);
        name[id.n] = '\0';
        isg_time_format(about.request_us, 6, date);
        isg_buf_put_str(out_owner, about.owner);
        status_render(out, name, date, &part, 1);
        err = out->err == ISG_OK ? ISG_OK : isg_fail(why, out->err, "no memory for a status");
    }
    isg_buf_done(&text);
    isg_buf_done(&lines);
    return err;
}

int ingest_status(struct store *store, struct isg_str id, struct isg_buf *out_owner,
                  struct isg_buf *out, struct isg_fail *why)
{
    int err = store_status_get(store, id, out_owner, out, why);
    return err == ISG_ENOENT ? job_status(store, id, out_owner, out, why) : err;
}

/* ---- working one off ------------------------------------------------------------------------ */

static bool is_stopping(struct ingest_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    bool stopping = queue->stopping;
    pthread_mutex_unlock(&queue->lock);
    return stopping;
}

static int store_piece(struct ingest_queue *queue, const struct about *about,
                       const struct collection *collection, const struct member *member,
                       struct isg_str piece, struct isg_buf *out, struct isg_fail *why)
{
    char date[ISG_TIME_TEXT];
    const struct ingest_source source = {
        .name = about->member, .member = member, .mode = INGEST_AS_SENT};
    struct ingest_run *run = ingest_begin(queue->parts.store, collection, &source, true, false);
    int err = run == NULL ? isg_fail(why, ISG_ENOMEM, "no memory for a push") : ISG_OK;
    struct isg_str object;
    while (err == ISG_OK && ingest_envelope_next(&piece, &object))
        err = ingest_add(run, object, NULL, why);
    if (err == ISG_OK)
        err = ingest_finish(run, why);
    if (err == ISG_OK) {
        size_t n = 0;
        const struct ingest_outcome *outcomes = ingest_outcomes(run, &n);
        isg_time_format(about->request_us, 6, date);
        status_lines(out, date, outcomes, n);
        err = out->err == ISG_OK ? ISG_OK : isg_fail(why, out->err, "no memory for a status");
    }
    ingest_end(&run);
    return err;
}

/* May he who pushed it still? Then also where to. */
static bool may_store(const struct registry *registry, const struct about *about,
                      const struct member **out_member, const struct collection **out_collection)
{
    const struct member *member = registry_member(registry, about->member);
    *out_member = member;
    return member != NULL &&
           registry_collection(registry, ISG_STR(""), about->collection, out_collection, NULL) ==
               ISG_OK &&
           collection_can_write(*out_collection, member);
}

/*
 * What waits has failed where its member is suspended, may not write any more or is gone, or the
 * collection is. Before that is said the store is asked: another gateway may just have made them.
 */
static int do_piece(struct ingest_queue *queue, const struct about *about, struct isg_str piece,
                    struct isg_str pending, struct isg_buf *out, struct isg_fail *why)
{
    struct directory *directory = queue->parts.directory;
    const struct registry *registry = directory_get(directory);
    const struct member *member = NULL;
    const struct collection *collection = NULL;
    int err = ISG_OK;
    bool may = may_store(registry, about, &member, &collection);
    if (!may && (err = directory_refresh(directory, why)) == ISG_OK) {
        registry_unref(&registry);
        registry = directory_get(directory);
        may = may_store(registry, about, &member, &collection);
    }
    if (err == ISG_OK && may)
        err = store_piece(queue, about, collection, member, piece, out, why);
    else if (err == ISG_OK)
        status_fail(out, pending, "not allowed any more");
    registry_unref(&registry);
    if (err == ISG_OK && out->err != ISG_OK)
        err = isg_fail(why, out->err, "no memory for a status");
    return err;
}

/* One piece; *out_over: none was left. */
static int next_piece(struct ingest_queue *queue, struct isg_str id, const struct about *about,
                      bool *out_over, struct isg_fail *why)
{
    struct isg_buf piece;
    struct isg_buf pending;
    struct isg_buf lines;
    size_t index = 0;
    isg_buf_init(&piece, ISG_BUF_NO_MAX);
    isg_buf_init(&pending, ISG_BUF_NO_MAX);
    isg_buf_init(&lines, ISG_BUF_NO_MAX);
    int err = store_job_piece(queue->parts.store, id, &index, &piece, &pending, why);
    *out_over = err == ISG_ENOENT;
    if (err == ISG_OK)
        err = do_piece(queue, about, isg_buf_str(&piece), isg_buf_str(&pending), &lines, why);
    if (err == ISG_OK)
        err = store_job_settle(queue->parts.store, id, index, isg_buf_str(&lines), why);
    isg_buf_done(&piece);
    isg_buf_done(&pending);
    isg_buf_done(&lines);
    return *out_over ? ISG_OK : err;
}

static int work_off(struct ingest_queue *queue, struct isg_str id, const char *lease,
                    struct isg_fail *why)
{
    struct store *store = queue->parts.store;
    struct isg_buf text;
    struct isg_buf lines;
    struct about about;
    bool held = true;
    bool over = false;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    isg_buf_init(&lines, ISG_BUF_NO_MAX);
    int err = store_job_status(store, id, &text, &lines, why);
    isg_buf_done(&lines);
    if (err == ISG_OK && !about_read(isg_buf_str(&text), &about))
        err = isg_fail(why, ISG_ESTORE, "a push that waits is damaged");
    while (err == ISG_OK && held && !over && !is_stopping(queue)) {
        err = next_piece(queue, id, &about, &over, why);
        if (err == ISG_OK && !over)
            err = store_lease(store, lease, LEASE_MS, &held, why);
    }
    if (over)
        err = store_job_close(store, id, queue->parts.status_s, why);
    isg_buf_done(&text);
    return err;
}

/* ---- the thread ----------------------------------------------------------------------------- */

struct names {
    char (*list)[NAME_BYTES];
    size_t n;
};

static int add_name(void *arg, struct isg_str id)
{
    struct names *names = arg;
    if (names->n == STORE_JOBS_MAX || id.n >= NAME_BYTES)
        return ISG_OK;
    memcpy(names->list[names->n], id.p, id.n);
    names->list[names->n++][id.n] = '\0';
    return ISG_OK;
}

static void take_up(struct ingest_queue *queue, const char *id)
{
    char lease[NAME_BYTES + 8];
    bool held = false;
    struct isg_fail why = {0};
    (void)snprintf(lease, sizeof lease, "push:%s", id);
    int err = store_lease(queue->parts.store, lease, LEASE_MS, &held, &why);
    if (err == ISG_OK && held) {
        err = work_off(queue, isg_str_of(id), lease, &why);
        (void)store_lease(queue->parts.store, lease, 1, &held, NULL);
    }
    if (err != ISG_OK)
        LOG(LOG_WARN, "push.waits", log_cstr("status", id), log_why(&why));
}

/* All that wait, once. */
static void work_all(struct ingest_queue *queue, struct names *names)
{
    names->n = 0;
    if (store_job_each(queue->parts.store, add_name, names, NULL) != ISG_OK)
        return; /* the store says so itself */
    for (size_t i = 0; i < names->n && !is_stopping(queue); i++)
        take_up(queue, names->list[i]);
}

static bool stops(void *arg)
{
    return is_stopping(arg);
}

static void nap(struct ingest_queue *queue)
{
    int64_t then_us = isg_time_mono_us() + (int64_t)LOOK_MS * 1000;
    const struct timespec at = {.tv_sec = (time_t)(then_us / 1000000),
                                .tv_nsec = (long)(then_us % 1000000) * 1000};
    pthread_mutex_lock(&queue->lock);
    if (!queue->woken && !queue->stopping)
        (void)pthread_cond_timedwait(&queue->moved, &queue->lock, &at);
    queue->woken = false;
    pthread_mutex_unlock(&queue->lock);
}

static void tidy(struct ingest_queue *queue)
{
    struct isg_fail why = {0};
    bool began;
    if (store_tidy(queue->parts.store, isg_time_mono_us(), &began, &why) != ISG_OK)
        LOG(LOG_WARN, "store.not_tidied", log_why(&why));
}

static void *run(void *arg)
{
    struct ingest_queue *queue = arg;
    struct names names = {.list = calloc(STORE_JOBS_MAX, sizeof *names.list)};
    pthread_setname_np(pthread_self(), "pushes");
    while (names.list != NULL && !is_stopping(queue)) {
        work_all(queue, &names);
        expiry_run(queue->parts.store, queue->parts.directory, stops, queue);
        tidy(queue);
        nap(queue);
    }
    free(names.list);
    return NULL;
}

int ingest_queue_start(const struct ingest_queue_parts *parts, struct ingest_queue **out,
                       struct isg_fail *why)
{
    pthread_condattr_t attr;
    sigset_t all;
    sigset_t before;
    struct ingest_queue *queue = calloc(1, sizeof *queue);
    if (queue == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    queue->parts = *parts;
    pthread_mutex_init(&queue->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->moved, &attr);
    pthread_condattr_destroy(&attr);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&queue->thread, NULL, run, queue);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0) {
        pthread_cond_destroy(&queue->moved);
        pthread_mutex_destroy(&queue->lock);
        free(queue);
        return isg_fail(why, ISG_ENOMEM, "cannot start a thread");
    }
    *out = queue;
    return ISG_OK;
}

void ingest_queue_stop(struct ingest_queue **queue)
{
    struct ingest_queue *q = *queue;
    if (q == NULL)
        return;
    pthread_mutex_lock(&q->lock);
    q->stopping = true;
    pthread_cond_signal(&q->moved);
    pthread_mutex_unlock(&q->lock);
    pthread_join(q->thread, NULL);
    pthread_cond_destroy(&q->moved);
    pthread_mutex_destroy(&q->lock);
    free(q);
    *queue = NULL;
}
