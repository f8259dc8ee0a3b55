/*
 * What is there: the head under WATCH, and the entries of the ids concerned. Entries that were read
 * ahead are taken where this process knows that nobody has changed them since.
 */
#include <stdlib.h>

#include "gateway/store/names.h"
#include "gateway/store/txn_private.h"

static int no_memory(struct isg_fail *why)
{
    return isg_fail(why, ISG_ENOMEM, "out of memory");
}

/* ---- ahead ---------------------------------------------------------------------------------- */

void txn_read_ahead(struct txn_ahead *ahead, struct store *store, const char *collection,
                    const struct store_put *puts, size_t n)
{
    struct names_key key;
    redis_pipe_init(&ahead->pipe);
    ahead->entries = NULL;
    REDIS(&ahead->pipe, ISG_STR("GET"), names_head(&key, collection));
    redis_begin(&ahead->pipe, n + 1);
    redis_arg(&ahead->pipe, ISG_STR("MGET"));
    for (size_t i = 0; i < n; i++)
        redis_arg(&ahead->pipe, names_index(&key, collection, puts[i].id));
    int err = redis_call(store->redis, REDIS_READ, &ahead->pipe, NULL);
    if (err == ISG_OK)
        err = journal_head_of(redis_nth(&ahead->pipe, 0), &ahead->head, NULL);
    const struct redis_reply *entries = redis_nth(&ahead->pipe, 1);
    if (err == ISG_OK && redis_count(entries) == n)
        ahead->entries = entries;
}

void txn_ahead_done(struct txn_ahead *ahead)
{
    ahead->entries = NULL;
    redis_pipe_done(&ahead->pipe);
}

/* ---- families ------------------------------------------------------------------------------- */

/* One family for each different id. */
static int make_families(struct txn *t, const struct txn_ids *ids)
{
    t->families = isg_arena_alloc(t->arena, (ids->n + 1) * sizeof *t->families);
    t->known = isg_arena_alloc(t->arena, (ids->n + 1) * sizeof *t->known);
    if (t->families == NULL || t->known == NULL)
        return ISG_ENOMEM;
    for (size_t i = 0; i < ids->n; i++) {
        if (index_get(&t->ids, ids->p[i]) != SIZE_MAX)
            continue;
        if (index_add(&t->ids, ids->p[i], t->families_count) != ISG_OK)
            return ISG_ENOMEM;
        if (ids->known != NULL)
            t->known[t->families_count] = ids->known[i];
        t->families[t->families_count++].id = ids->p[i];
    }
    return ISG_OK;
}

/* Was it read at a head from which on only others were changed, up to the one we expect? */
static bool is_still_so(const struct txn *t, const struct txn_known *known, struct isg_str id)
{
    return known->ahead != NULL && known->ahead->entries != NULL &&
           recent_is_untouched(&t->journal->recent, &known->ahead->head, &t->wanted, id);
}

/* Keep what is known and will hold when the head is the one remembered here: nearly always. */
static void choose_known(struct txn *t)
{
    struct journal *j = t->journal;
    pthread_mutex_lock(&j->lock);
    t->wanted = j->head;
    t->read_block = j->head.at.position / STORE_BLOCK;
    for (size_t i = 0; i < t->families_count; i++)
        if (!is_still_so(t, &t->known[i], t->families[i].id))
            t->known[i].ahead = NULL;
    pthread_mutex_unlock(&j->lock);
}

static size_t count_unknown(const struct txn *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->families_count; i++)
        n += t->known[i].ahead == NULL;
    return n;
}

/* The entries that are not known, in one command: most ids are new. */
static void put_families(struct txn *t, struct redis_pipe *pipe)
{
    struct names_key key;
    size_t unknown = count_unknown(t);
    if (unknown == 0)
        return;
    redis_begin(pipe, unknown + 1);
    redis_arg(pipe, ISG_STR("MGET"));
    for (size_t i = 0; i < t->families_count; i++)
        if (t->known[i].ahead == NULL)
            redis_arg(pipe, names_index(&key, t->journal->collection, t->families[i].id));
}

static int by_position(const void *a, const void *b)
{
    uint64_t pa = (*(struct relative *const *)a)->record.position;
    uint64_t pb = (*(struct relative *const *)b)->record.position;
    return pa < pb ? -1 : pa > pb;
}

static int read_family(struct txn *t, struct family *family, const struct redis_reply *reply,
                       struct isg_fail *why)
{
    struct isg_str texts = redis_text(reply); /* "" for nil: nobody knows that id */
    struct event_record record;
    while (event_read(&texts, &record))
        if (family_add(family, &record, t->arena) == NULL)
            return no_memory(why);
    if (family->count > 1)
        qsort(family->events, family->count, sizeof(struct relative *), by_position);
    return ISG_OK;
}

static int read_families(struct txn *t, const struct redis_reply *reply, struct isg_fail *why)
{
    size_t unknown = count_unknown(t);
    size_t at = 0;
    int err = unknown == 0 ? ISG_OK : redis_expect(reply, REDIS_LIST, why);
    if (err == ISG_OK && redis_count(reply) != unknown)
        err = isg_fail(why, ISG_ESTORE, "Redis: reply of another length");
    for (size_t i = 0; i < t->families_count && err == ISG_OK; i++) {
        const struct txn_known *known = &t->known[i];
        err = read_family(t, &t->families[i],
                          known->ahead != NULL ? redis_at(known->ahead->entries, known->i)
                                               : redis_at(reply, at++),
                          why);
    }
    return err;
}

/* The head is not the one expected, so nothing is known of any entry: all are read. */
static int read_all_families(struct txn *t, int64_t deadline_us, struct isg_fail *why)
{
    for (size_t i = 0; i < t->families_count; i++)
        t->known[i].ahead = NULL;
    redis_pipe_reset(&t->read);
    put_families(t, &t->read);
    int err = conn_run(t->conn, &t->read, deadline_us, why);
    return err == ISG_OK ? read_families(t, redis_nth(&t->read, 0), why) : err;
}

/* ---- the head ------------------------------------------------------------------------------- */

static void put_reads(struct txn *t)
{
    const char *collection = t->journal->collection;
    struct names_key key;
    struct isg_str head = names_head(&key, collection);
    REDIS(&t->read, ISG_STR("WATCH"), head);
    REDIS(&t->read, ISG_STR("GET"), head);
    REDIS(&t->read, ISG_STR("STRLEN"), names_block(&key, collection, t->read_block));
    put_families(t, &t->read);
}

/* Nothing was written yet, so a connection that died while idle is simply replaced. */
static int run_reads(struct txn *t, int64_t deadline_us, struct isg_fail *why)
{
    for (int round = 0;; round++) {
        int err = redis_take(t->store->redis, REDIS_WRITE, deadline_us, &t->conn, why);
        if (err != ISG_OK)
            return err;
        bool was_used = t->conn->used;
        redis_pipe_reset(&t->read);
        put_reads(t);
        err = conn_run(t->conn, &t->read, deadline_us, why);
        if (err == ISG_OK || t->conn->fault != CONN_CLOSED || !was_used || round == 3)
            return err;
        redis_give(t->store->redis, &t->conn);
    }
}

/* Learn how long the next event's block is; while the head is watched it stays so. */
static int read_block_bytes(struct txn *t, int64_t deadline_us, struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    uint64_t block = t->base.at.position / STORE_BLOCK;
    const struct redis_reply *reply = redis_nth(&t->read, 2);
    int err = ISG_OK;
    redis_pipe_init(&pipe);
    if (block != t->read_block) {
        REDIS(&pipe, ISG_STR("STRLEN"), names_block(&key, t->journal->collection, block));
        err = conn_run(t->conn, &pipe, deadline_us, why);
        reply = redis_nth(&pipe, 0);
    }
    if (err == ISG_OK)
        err = redis_expect(reply, REDIS_INT, why);
    t->block_bytes = (size_t)redis_number(reply);
    redis_pipe_done(&pipe);
    return err;
}

/* Labels must be known up to the head's, and the log must be the one we remember. */
static int catch_up(struct txn *t, struct isg_fail *why)
{
    struct journal *j = t->journal;
    pthread_mutex_lock(&j->lock);
    bool known = j->loaded && j->head.epoch == t->base.epoch &&
                 j->head.at.position <= t->base.at.position && t->base.labels <= j->labels_count;
    pthread_mutex_unlock(&j->lock);
    if (known)
        return ISG_OK;
    int err = journal_refresh(j, t->store->redis, why);
    pthread_mutex_lock(&j->lock);
    if (err == ISG_OK &&
        (j->head.epoch != t->base.epoch || j->head.at.position != t->base.at.position))
        err = isg_fail(why, ISG_EBUSY, "the collection moved");
    pthread_mutex_unlock(&j->lock);
    return err;
}

int txn_begin(struct txn *t, struct store *store, struct journal *journal, struct txn_ids ids,
              int64_t deadline_us, struct isg_fail *why)
{
    *t = (struct txn){.store = store, .journal = journal};
    index_init(&t->ids);
    redis_pipe_init(&t->read);
    t->arena = isg_arena_new(ISG_BUF_NO_MAX);
    if (t->arena == NULL || make_families(t, &ids) != ISG_OK)
        return no_memory(why);
    choose_known(t);
    int err = run_reads(t, deadline_us, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&t->read, 0), REDIS_TEXT, why);
    if (err == ISG_OK) {
        t->watching = true;
        err = journal_head_of(redis_nth(&t->read, 1), &t->base, why);
    }
    if (err == ISG_OK)
        err = read_block_bytes(t, deadline_us, why);
    if (err == ISG_OK)
        err = count_unknown(t) == t->families_count || journal_head_same(&t->base, &t->wanted)
                  ? read_families(t, redis_nth(&t->read, 3), why)
                  : read_all_families(t, deadline_us, why);
    t->next = t->base;
    return err == ISG_OK ? catch_up(t, why) : err;
}
