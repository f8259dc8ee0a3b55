/*
 * A connection that was lost after EXEC had left: what became of the change?
 */
#include <string.h>
#include <time.h>

#include "gateway/log.h"
#include "gateway/store/names.h"
#include "gateway/store/txn_private.h"
#include "stix/base/time.h"

/* SET the head to what it is, so that whoever watched it fails. A nil EXEC is as good. */
static int move_head(struct txn *t, int64_t deadline_us, struct isg_fail *why)
{
    struct names_key key;
    struct isg_str head = names_head(&key, t->journal->collection);
    redis_pipe_reset(&t->read);
    REDIS(&t->read, ISG_STR("WATCH"), head);
    REDIS(&t->read, ISG_STR("GET"), head);
    int err = conn_run(t->conn, &t->read, deadline_us, why);
    struct journal_head now;
    if (err == ISG_OK)
        err = journal_head_of(redis_nth(&t->read, 1), &now, why);
    if (err != ISG_OK)
        return err;
    char text[JOURNAL_HEAD_TEXT];
    journal_head_write(&now, text);
    redis_pipe_reset(&t->read);
    REDIS(&t->read, ISG_STR("MULTI"));
    REDIS(&t->read, ISG_STR("SET"), head, isg_str_of(text));
    REDIS(&t->read, ISG_STR("EXEC"));
    err = conn_run(t->conn, &t->read, deadline_us, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&t->read, 2), REDIS_LIST, why);
    return err == ISG_ENOENT ? ISG_OK : err;
}

static bool holds(struct isg_str records, const struct event_record *wanted)
{
    struct event_record r;
    while (event_read(&records, &r))
        if (r.position == wanted->position)
            return r.date_us == wanted->date_us &&
                   memcmp(r.digest, wanted->digest, sizeof r.digest) == 0;
    return false;
}

/* Is what we wrote there? An added event by its record; a deletion by what is left of it. */
static int read_back(struct txn *t, int64_t deadline_us, bool *out_there, struct isg_fail *why)
{
    struct names_key key;
    const struct family *family = t->families;
    const struct relative *gone = NULL;
    redis_pipe_reset(&t->read);
    for (; t->added_count == 0 && gone == NULL && family < t->families + t->families_count;
         family++)
        for (size_t i = 0; i < family->count && gone == NULL; i++)
            if (family->events[i]->is_gone)
                gone = family->events[i];
    *out_there = false;
    if (t->added_count == 0 && gone == NULL) /* only the replicas were to be asked */
        return ISG_OK;
    const struct event_record *wanted = gone != NULL ? &gone->record : &t->added[0]->record;
    if (gone != NULL)
        REDIS(&t->read, ISG_STR("GET"), names_index(&key, t->journal->collection, family[-1].id));
    else
        REDIS(&t->read, ISG_STR("GET"),
              names_block(&key, t->journal->collection, txn_block(wanted)));
    int err = conn_run(t->conn, &t->read, deadline_us, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&t->read, 0), REDIS_TEXT, why);
    if (err != ISG_OK && err != ISG_ENOENT)
        return err;
    /* the records are "" when the key is not there */
    *out_there = holds(redis_text(redis_nth(&t->read, 0)), wanted) != (gone != NULL);
    return ISG_OK;
}

static int settle_once(struct txn *t, int64_t deadline_us, bool *out_there, struct isg_fail *why)
{
    int err = redis_take(t->store->redis, REDIS_WRITE, deadline_us, &t->conn, why);
    if (err == ISG_OK)
        err = move_head(t, deadline_us, why);
    if (err == ISG_OK)
        err = read_back(t, deadline_us, out_there, why);
    return err;
}

int txn_settle(struct txn *t, int64_t deadline_us, struct isg_fail *why)
{
    const struct timespec nap = {.tv_nsec = 20000000};
    bool there = false;
    int err;
    /* the texts of the families lie in t->read: from here on only added events and ids are used */
    do {
        redis_give(t->store->redis, &t->conn);
        err = settle_once(t, deadline_us, &there, why);
        if (err == ISG_OK || err == ISG_ENOMEM)
            break;
        (void)nanosleep(&nap, NULL);
    } while (isg_time_mono_us() < deadline_us);
    LOG(LOG_WARN, "store.settled", log_cstr("collection", t->journal->collection),
        log_cstr("found", err != ISG_OK ? "not learnt"
                          : there       ? "written"
                                        : "not written"));
    if (err != ISG_OK)
        return isg_fail(why, ISG_ESTORE, "connection lost while committing; repeat the push");
    if (!there)
        return isg_fail(why, ISG_EBUSY, "not written");
    txn_learn(t, isg_time_mono_us());
    txn_doubt(t); /* others may have moved the head since */
    return txn_wait_for_replicas(t, false, deadline_us, why);
}
