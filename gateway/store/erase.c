/*
 * Taking events away: because somebody deletes them, or because their time is over. The bytes go,
 * a tombstone stays (events.h), and the generations of the blocks move.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/store/commit.h"
#include "gateway/store/names.h"
#include "gateway/store/txn.h"
#include "stix/base/time.h"

/* One change that erases: choose kills events of the families and tells how many. */
struct erasure {
    struct store *store;
    struct journal *journal;
    struct txn_ids ids;
    size_t (*choose)(struct txn *txn, const struct erasure *erasure);
    const void *arg;
    size_t gone;
    int64_t io_us;  /* deadline of reading and writing */
    int64_t end_us; /* of settling what is in doubt */
};

static int try_erase(struct erasure *e, struct isg_fail *why)
{
    struct txn txn;
    bool in_doubt = false;
    int err = txn_begin(&txn, e->store, e->journal, e->ids, e->io_us, why);
    e->gone = err == ISG_OK ? e->choose(&txn, e) : 0;
    if (err == ISG_OK && e->gone == 0)
        err = isg_fail(why, ISG_ENOENT, "no such object");
    if (err == ISG_OK)
        err = txn_run(&txn, e->io_us, &in_doubt, why);
    if (in_doubt)
        err = txn_settle(&txn, e->end_us, why);
    txn_end(&txn);
    return err;
}

static int erase(struct erasure *e, struct isg_fail *why)
{
    int err;
    int64_t time_us = (int64_t)e->store->timeout_ms * 1000;
    if (!commit_begin_writing(e->journal, isg_time_mono_us() + time_us))
        return isg_fail(why, ISG_EBUSY, "waited too long for other commits");
    int64_t now_us = isg_time_mono_us();
    e->io_us = now_us + time_us * 7 / 10;
    e->end_us = now_us + time_us;
    for (int round = 0;; round++) {
        err = try_erase(e, why);
        if (err != ISG_EBUSY || isg_time_mono_us() >= e->io_us)
            break;
        commit_step_aside(round);
    }
    commit_end_writing(e->journal);
    return err;
}

/* ---- deleting ------------------------------------------------------------------------------- */

struct wanted {
    struct isg_str version; /* empty: all of them */
    const struct store_eyes *eyes;
};

static bool is_wanted(const struct txn *txn, const struct event_record *record,
                      const struct wanted *wanted)
{
    struct isg_str label;
    const struct event_record version = {.flags = EVENT_VERSIONED, .version = wanted->version};
    const struct event_record there = {.flags = EVENT_VERSIONED, .version = record->version};
    if (wanted->version.n > 0 && family_order(&version, &there) != 0) /* as instants (S-008) */
        return false;
    return txn_label_text(txn, record->label, &label) &&
           wanted->eyes->can_see(wanted->eyes->arg, label);
}

/* The same of the same source under another label: announced again, or what that was announced of. */
static size_t kill_twins(struct family *family, const struct event_record *gone)
{
    size_t n = 0;
    for (size_t i = 0; i < family->count; i++) {
        const struct event_record *other = &family->events[i]->record;
        if (family->events[i]->is_gone || gone->source.n == 0 ||
            !isg_str_eq(other->source, gone->source) ||
            memcmp(other->digest, gone->digest, sizeof gone->digest) != 0)
            continue;
        txn_kill(family, family->events[i], false);
        n++;
    }
    return n;
}

/* What the asker sees, and twins of it that he does not: nothing may bring back what he deleted. */
static size_t choose_wanted(struct txn *txn, const struct erasure *e)
{
    struct family *family = txn_family(txn, e->ids.p[0]);
    size_t n = 0;
    for (size_t i = 0; i < family->count; i++) {
        if (!is_wanted(txn, &family->events[i]->record, e->arg))
            continue;
        txn_kill(family, family->events[i], false);
        n++;
    }
    for (size_t i = 0; i < family->count && n > 0 && n < family->count; i++)
        if (family->events[i]->is_gone)
            n += kill_twins(family, &family->events[i]->record);
    return n;
}

int store_delete(struct store *store, const char *collection, struct isg_str id,
                 struct isg_str version, const struct store_eyes *eyes, struct isg_fail *why)
{
    const struct wanted wanted = {version, eyes};
    struct erasure erasure = {
        .store = store, .ids = {&id, 1, NULL}, .choose = choose_wanted, .arg = &wanted};
    int err = store_journal(store, collection, &erasure.journal, why);
    if (err == ISG_OK && !names_id_is_valid(id))
        err = isg_fail(why, ISG_ENOENT, "no such object");
    return err == ISG_OK ? erase(&erasure, why) : err;
}

/* ---- what is over --------------------------------------------------------------------------- */

enum { EXPIRE_BATCH = 250 };

/* Events of a block that are over, and how far they were looked for. */
struct overdue {
    struct isg_str ids[EXPIRE_BATCH];
    size_t n;
    uint64_t last; /* position up to which nothing lives that is over, once these are gone */
    int64_t before_us;
};

static size_t choose_overdue(struct txn *txn, const struct erasure *e)
{
    const struct overdue *overdue = e->arg;
    size_t n = 0;
    for (size_t i = 0; i < e->ids.n; i++) {
        struct family *family = txn_family(txn, e->ids.p[i]);
        for (size_t k = 0; k < family->count; k++) {
            struct relative *event = family->events[k];
            if (event->is_gone || event->record.date_us >= overdue->before_us)
                continue;
            txn_kill(family, event, true);
            n++;
        }
    }
    return n;
}

/* Dates rise with positions, so what is over is the log's beginning. */
static void gather(const struct store_block *block, uint64_t from, struct overdue *out)
{
    out->last = from;
    for (size_t i = 0; i < block->count && out->n < EXPIRE_BATCH; i++) {
        const struct store_event *event = &block->events[i];
        if (event->position <= from)
            continue;
        if (event->date_added_us >= out->before_us && event->id.n > 0)
            break;
        out->last = event->position;
        if (!event->dead)
            out->ids[out->n++] = event->id;
    }
}

static int read_mark(struct store *store, const char *collection, uint64_t *out,
                     struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    *out = 0;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("GET"), names_expired(&key, collection));
    int err = redis_call(store->redis, REDIS_READ, &pipe, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 0), REDIS_TEXT, why);
    if (err == ISG_OK && !isg_str_to_u64(redis_text(redis_nth(&pipe, 0)), UINT64_MAX, out))
        *out = 0; /* damaged: look from the beginning */
    redis_pipe_done(&pipe);
    return err == ISG_ENOENT ? ISG_OK : err;
}

static int write_mark(struct store *store, const char *collection, uint64_t position,
                      struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    struct names_key number;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("SET"), names_expired(&key, collection), names_number(&number, position));
    int err = redis_call(store->redis, REDIS_WRITE, &pipe, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 0), REDIS_TEXT, why);
    redis_pipe_done(&pipe);
    return err;
}

static int expire_some(struct store *store, const char *collection, const struct store_block *block,
                       uint64_t mark, struct overdue *overdue, size_t *out_gone,
                       struct isg_fail *why)
{
    struct erasure erasure = {.store = store, .choose = choose_overdue, .arg = overdue};
    gather(block, mark, overdue);
    if (overdue->last == mark)
        return ISG_OK;
    erasure.ids = (struct txn_ids){.p = overdue->ids, .n = overdue->n};
    int err = store_journal(store, collection, &erasure.journal, why);
    if (err == ISG_OK && overdue->n > 0)
        err = erase(&erasure, why);
    if (err == ISG_ENOENT)
        err = ISG_OK; /* somebody was faster */
    *out_gone = erasure.gone;
    return err == ISG_OK ? write_mark(store, collection, overdue->last, why) : err;
}

int store_expire(struct store *store, const char *collection, int64_t before_us, size_t *out_gone,
                 bool *out_more, struct isg_fail *why)
{
    struct store_head head;
    struct store_block *block = NULL;
    struct overdue *overdue = calloc(1, sizeof *overdue);
    uint64_t mark = 0;
    *out_gone = 0;
    *out_more = false;
    if (overdue == NULL)
        return isg_fail(why, ISG_ENOMEM, "out of memory");
    overdue->before_us = before_us;
    int err = store_head(store, collection, 1000, &head, why);
    if (err == ISG_OK)
        err = read_mark(store, collection, &mark, why);
    if (err == ISG_OK && mark > head.position)
        mark = 0; /* another log took the place of that one */
    if (err == ISG_OK && mark < head.position) {
        err = store_block_get(store, collection, mark / STORE_BLOCK, &block, why);
        if (err == ISG_OK)
            err = expire_some(store, collection, block, mark, overdue, out_gone, why);
        *out_more = err == ISG_OK && overdue->last > mark;
        store_block_unref(&block);
    }
    free(overdue);
    return err;
}
