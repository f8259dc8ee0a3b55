/*
 * Writing a log. Commits of one collection queue up; whoever finds nobody writing becomes the
 * writer, takes what waits as one group into one transaction, and wakes the others: while one group
 * waits for the disk, the next one gathers.
 */
#include "gateway/store/commit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/store/names.h"
#include "gateway/store/txn.h"
#include "stix/base/time.h"

enum {
    LABEL_MAX = 512,
    AHEAD_PUTS = 8,                  /* fewer than these are not worth reading ahead */
    GROUP_PUTS = 400,                /* a group closes at this count: while it is written, those
                                        behind it still have work of their own to do; ... */
    GROUP_BYTES = 4 * 1024 * 1024,   /* ... or this size, whichever comes first */
    WAITING_BYTES = 64 * 1024 * 1024 /* more than this in the queue of one collection: busy */
};

enum commit_state { COMMIT_WAITS, COMMIT_TAKEN, COMMIT_DONE };

struct commit {
    struct store_put *puts;
    size_t n;
    size_t bytes;
    const struct store_eyes *eyes;
    int64_t deadline_us;
    enum commit_state state;
    int err;
    struct isg_fail why;
    struct txn_ahead ahead; /* read while others wrote */
    struct commit *next;
    /* It is done, or its owner is to write next: each wakes only whom it must. */
    pthread_cond_t turn;
};

/* ---- judging one commit inside a transaction ------------------------------------------------ */

/* The pusher's eye on labels, each asked once. */
struct eye {
    const struct txn *txn;
    const struct commit *commit;
    uint8_t *known; /* by label: 0 not asked, 1 no, 2 yes */
    size_t count;
};

static bool eye_sees(void *arg, uint32_t label)
{
    struct eye *eye = arg;
    if (label < eye->count && eye->known[label] != 0)
        return eye->known[label] == 2;
    struct isg_str text;
    const struct store_eyes *eyes = eye->commit->eyes;
    bool sees = txn_label_text(eye->txn, label, &text) && eyes->can_see(eyes->arg, text);
    if (label < eye->count)
        eye->known[label] = sees ? 2 : 1;
    return sees;
}

static struct event_record record_of(const struct store_put *put, uint32_t label)
{
    struct event_record record = {
        .label = label,
        .flags =
            (uint8_t)((put->versioned ? EVENT_VERSIONED : 0) | (put->revoked ? EVENT_REVOKED : 0)),
        .id = put->id,
        .version = put->version,
        .source = put->source,
    };
    memcpy(record.digest, put->digest, sizeof record.digest);
    return record;
}

static int judge_put(struct txn *txn, struct store_put *put, const struct family_eye *eye)
{
    uint32_t label;
    if (txn_label(txn, put->label, &label) != ISG_OK)
        return ISG_ENOMEM;
    struct event_record record = record_of(put, label);
    struct family *family = txn_family(txn, put->id);
    const struct relative *event = NULL;
    put->position = 0;
    put->date_added_us = 0;
    put->verdict = family_judge(family, &record, eye, &event);
    if (put->verdict == STORE_ADDED) {
        struct relative *added;
        if (txn_add(txn, family, &record, put->canon, &added) != ISG_OK)
            return ISG_ENOMEM;
        event = added;
    }
    if (event != NULL) {
        put->position = event->record.position;
        put->date_added_us = event->record.date_us;
    }
    return ISG_OK;
}

static int judge(struct txn *txn, struct commit *commit)
{
    struct eye memory = {.txn = txn, .commit = commit, .count = txn->next.labels};
    struct family_eye eye = {eye_sees, &memory};
    memory.known = isg_arena_alloc(txn->arena, memory.count + 1);
    int err = memory.known == NULL ? ISG_ENOMEM : ISG_OK;
    for (size_t i = 0; i < commit->n && err == ISG_OK; i++)
        err = judge_put(txn, &commit->puts[i], &eye);
    return err;
}

/* ---- writing a group ------------------------------------------------------------------------ */

struct group {
    struct store *store;
    struct journal *journal;
    struct commit *first; /* linked by next */
    struct isg_str *ids;  /* of all puts */
    struct txn_known *known;
    size_t ids_count;
    int64_t io_us;  /* deadline of reading and writing */
    int64_t end_us; /* deadline of settling what is in doubt */
};

static int gather_ids(struct group *group)
{
    size_t n = 0;
    for (const struct commit *c = group->first; c != NULL; c = c->next)
        n += c->n;
    group->ids = malloc((n + 1) * sizeof *group->ids);
    group->known = malloc((n + 1) * sizeof *group->known);
    if (group->ids == NULL || group->known == NULL)
        return ISG_ENOMEM;
    for (const struct commit *c = group->first; c != NULL; c = c->next) {
        for (size_t i = 0; i < c->n; i++) {
            group->ids[group->ids_count] = c->puts[i].id;
            group->known[group->ids_count++] = (struct txn_known){&c->ahead, i};
        }
    }
    return ISG_OK;
}

/* One try. ISG_EBUSY: nothing was written, and another try may succeed. */
static int try_group(struct group *group, struct isg_fail *why)
{
    struct txn txn;
    bool in_doubt = false;
    int err =
        txn_begin(&txn, group->store, group->journal,
                  (struct txn_ids){group->ids, group->ids_count, group->known}, group->io_us, why);
    for (struct commit *c = group->first; c != NULL && err == ISG_OK; c = c->next)
        if ((err = judge(&txn, c)) != ISG_OK)
            (void)isg_fail(why, err, "out of memory");
    if (err == ISG_OK && (!txn_is_empty(&txn) || atomic_load(&group->journal->replicas) > 0))
        err = txn_run(&txn, group->io_us, &in_doubt, why);
    if (in_doubt)
        err = txn_settle(&txn, group->end_us, why);
    txn_end(&txn);
    return err;
}

void commit_step_aside(int round)
{
    struct timespec nap = {.tv_nsec = (isg_time_mono_us() % 1000) * 1000 * (round < 8 ? round : 8)};
    (void)nanosleep(&nap, NULL);
}

static void write_group(struct group *group)
{
    struct isg_fail why = {0};
    int err = gather_ids(group);
    if (err != ISG_OK)
        (void)isg_fail(&why, err, "out of memory");
    for (int round = 0; err == ISG_OK; round++) {
        err = try_group(group, &why);
        if (err != ISG_EBUSY || isg_time_mono_us() >= group->io_us)
            break;
        err = ISG_OK;
        commit_step_aside(round);
    }
    free(group->ids);
    free(group->known);
    for (struct commit *c = group->first; c != NULL; c = c->next) {
        c->err = err;
        c->why = why;
    }
}

/* ---- the queue (journal's lock held) -------------------------------------------------------- */

static void enqueue(struct journal *j, struct commit *commit)
{
    *(j->last != NULL ? &j->last->next : &j->first) = commit;
    j->last = commit;
    j->waiting_bytes += commit->bytes;
    pthread_cond_broadcast(&j->moved);
}

static void leave_queue(struct journal *j, struct commit *commit)
{
    struct commit *before = NULL;
    for (struct commit *c = j->first; c != commit; c = c->next)
        before = c;
    *(before != NULL ? &before->next : &j->first) = commit->next;
    if (j->last == commit)
        j->last = before;
    j->waiting_bytes -= commit->bytes;
    commit->next = NULL;
}

/* Cut the group off the queue: at least one commit, never half of one. */
static void take_group(struct journal *j, struct group *group)
{
    size_t puts = 0;
    size_t bytes = 0;
    struct commit **end = &group->first;
    int64_t deadline_us = INT64_MAX;
    while (j->first != NULL && (group->first == NULL || (puts + j->first->n <= GROUP_PUTS &&
                                                         bytes + j->first->bytes <= GROUP_BYTES))) {
        struct commit *c = j->first;
        leave_queue(j, c);
        c->state = COMMIT_TAKEN;
        puts += c->n;
        bytes += c->bytes;
        if (c->deadline_us < deadline_us)
            deadline_us = c->deadline_us;
        *end = c;
        end = &c->next;
    }
    /* who waited long in the queue still gets half of a full time for the work itself */
    int64_t now_us = isg_time_mono_us();
    int64_t least_us = now_us + (int64_t)group->store->timeout_ms * 500;
    group->end_us = deadline_us > least_us ? deadline_us : least_us;
    group->io_us = now_us + (group->end_us - now_us) * 7 / 10;
}

static bool is_full(const struct journal *j)
{
    size_t puts = 0;
    for (const struct commit *c = j->first; c != NULL; c = c->next)
        puts += c->n;
    return puts >= GROUP_PUTS || j->waiting_bytes >= GROUP_BYTES;
}

static bool wait_on(pthread_cond_t *cond, struct journal *j, int64_t then_us)
{
    struct timespec at = {.tv_sec = (time_t)(then_us / 1000000),
                          .tv_nsec = (long)(then_us % 1000000) * 1000};
    return pthread_cond_timedwait(cond, &j->lock, &at) != ETIMEDOUT;
}

static bool wait_moved(struct journal *j, int64_t then_us)
{
    return wait_on(&j->moved, j, then_us);
}

static void pass_the_pen(struct journal *j)
{
    j->busy = false;
    if (j->first != NULL)
        pthread_cond_signal(&j->first->turn);
    pthread_cond_broadcast(&j->moved);
}

static void write_next(struct store *store, struct journal *j)
{
    struct group group = {.store = store, .journal = j};
    int64_t closes_us = isg_time_mono_us() + (int64_t)store->batch_ms * 1000;
    j->busy = true;
    while (store->batch_ms > 0 && !is_full(j) && wait_moved(j, closes_us)) {
    }
    take_group(j, &group);
    pthread_mutex_unlock(&j->lock);
    write_group(&group);
    pthread_mutex_lock(&j->lock);
    for (struct commit *c = group.first, *next; c != NULL; c = next) {
        next = c->next; /* c is gone once its owner sees it done */
        c->state = COMMIT_DONE;
        pthread_cond_signal(&c->turn);
    }
    pass_the_pen(j);
}

static void queue_commit(struct store *store, struct journal *j, struct commit *commit)
{
    pthread_mutex_lock(&j->lock);
    if (j->waiting_bytes + commit->bytes > WAITING_BYTES && j->first != NULL) {
        commit->err = isg_fail(&commit->why, ISG_EBUSY, "too many commits wait");
        commit->state = COMMIT_DONE;
    } else {
        enqueue(j, commit);
    }
    while (commit->state != COMMIT_DONE) {
        if (commit->state == COMMIT_WAITS && !j->busy) {
            write_next(store, j);
        } else if (commit->state == COMMIT_TAKEN) {
            pthread_cond_wait(&commit->turn, &j->lock); /* the writer keeps to the deadline */
        } else if (!wait_on(&commit->turn, j, commit->deadline_us) &&
                   commit->state == COMMIT_WAITS) {
            leave_queue(j, commit);
            commit->err = isg_fail(&commit->why, ISG_EBUSY, "waited too long for other commits");
            commit->state = COMMIT_DONE;
        }
    }
    if (!j->busy && j->first != NULL) /* a call to write may have reached one who was leaving */
        pthread_cond_signal(&j->first->turn);
    else if (!j->busy) /* so may the store's, who waits until nobody writes */
        pthread_cond_broadcast(&j->moved);
    pthread_mutex_unlock(&j->lock);
}

static void run_commit(struct store *store, struct journal *j, struct commit *commit)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&commit->turn, &attr);
    pthread_condattr_destroy(&attr);
    queue_commit(store, j, commit);
    pthread_cond_destroy(&commit->turn);
}

/* While somebody writes, what this commit needs to read can be read already. */
static void read_ahead(struct store *store, struct journal *j, struct commit *commit)
{
    pthread_mutex_lock(&j->lock);
    bool waits = j->busy || j->first != NULL;
    pthread_mutex_unlock(&j->lock);
    if (waits && commit->n >= AHEAD_PUTS)
        txn_read_ahead(&commit->ahead, store, j->collection, commit->puts, commit->n);
}

/* ---- for other writers ---------------------------------------------------------------------- */

bool commit_begin_writing(struct journal *j, int64_t deadline_us)
{
    bool mine = true;
    pthread_mutex_lock(&j->lock);
    while (j->busy && mine)
        mine = wait_moved(j, deadline_us) || !j->busy;
    if (mine)
        j->busy = true;
    pthread_mutex_unlock(&j->lock);
    return mine;
}

void commit_end_writing(struct journal *j)
{
    pthread_mutex_lock(&j->lock);
    pass_the_pen(j);
    pthread_mutex_unlock(&j->lock);
}

/* ---- the call ------------------------------------------------------------------------------- */

static int check_puts(struct store_put *puts, size_t n, size_t *out_bytes, struct isg_fail *why)
{
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        const struct store_put *put = &puts[i];
        if (!names_id_is_valid(put->id))
            return isg_fail(why, ISG_EINVAL, "id of %zu bytes", put->id.n);
        if (put->version.n > EVENT_TEXT_MAX || put->source.n > EVENT_TEXT_MAX)
            return isg_fail(why, ISG_EINVAL, "version or source too long");
        if (put->label.n > LABEL_MAX)
            return isg_fail(why, ISG_EINVAL, "label of %zu bytes", put->label.n);
        bytes += put->canon.n + put->id.n + put->version.n + 256;
    }
    *out_bytes = bytes;
    return ISG_OK;
}

int store_commit(struct store *store, const char *collection, struct store_put *puts, size_t n,
                 const struct store_eyes *eyes, struct isg_fail *why)
{
    struct commit commit = {
        .puts = puts,
        .n = n,
        .eyes = eyes,
        .deadline_us = isg_time_mono_us() + (int64_t)store->timeout_ms * 1000,
    };
    struct journal *journal;
    int err = store_journal(store, collection, &journal, why);
    if (err == ISG_OK)
        err = check_puts(puts, n, &commit.bytes, why);
    if (err == ISG_OK && atomic_load(&store->closing))
        err = isg_fail(why, ISG_EBUSY, "the store is closing");
    if (err == ISG_OK && n > 0) {
        read_ahead(store, journal, &commit);
        run_commit(store, journal, &commit);
        txn_ahead_done(&commit.ahead);
        err = commit.err;
        if (err != ISG_OK && why != NULL)
            *why = commit.why;
    }
    for (size_t i = 0; i < n && err != ISG_OK; i++)
        puts[i].verdict = STORE_FAILED;
    return err;
}
