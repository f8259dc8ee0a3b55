#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "gateway/store/names.h"
#include "gateway/store/txn_private.h"
#include "stix/base/time.h"

enum {
    GAP_SCALE_MIN = 4, /* of the steps between dates, in microseconds */
    GAP_SCALES = 8,
    GAP_STRETCH = 4 /* how often a step may be doubled */
};

static int no_memory(struct isg_fail *why)
{
    return isg_fail(why, ISG_ENOMEM, "out of memory");
}

/* ---- begin: what is there ------------------------------------------------------------------- */

/* One family for each different id. */
static int make_families(struct txn *t, const struct isg_str *ids, size_t n)
{
    t->families = isg_arena_alloc(t->arena, (n + 1) * sizeof *t->families);
    if (t->families == NULL)
        return ISG_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        if (index_get(&t->ids, ids[i]) != SIZE_MAX)
            continue;
        if (index_add(&t->ids, ids[i], t->families_count) != ISG_OK)
            return ISG_ENOMEM;
        t->families[t->families_count++].id = ids[i];
    }
    return ISG_OK;
}

static void put_reads(struct txn *t)
{
    const char *collection = t->journal->collection;
    struct names_key key;
    struct isg_str head = names_head(&key, collection);
    REDIS(&t->read, ISG_STR("WATCH"), head);
    REDIS(&t->read, ISG_STR("GET"), head);
    REDIS(&t->read, ISG_STR("STRLEN"), names_block(&key, collection, t->read_block));
    if (t->families_count == 0)
        return;
    redis_begin(&t->read, t->families_count + 1); /* one command: most ids are new */
    redis_arg(&t->read, ISG_STR("MGET"));
    for (size_t i = 0; i < t->families_count; i++)
        redis_arg(&t->read, names_index(&key, collection, t->families[i].id));
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

static int read_families(struct txn *t, struct isg_fail *why)
{
    const struct redis_reply *reply = redis_nth(&t->read, 3);
    if (t->families_count == 0)
        return ISG_OK;
    int err = redis_expect(reply, REDIS_LIST, why);
    if (err == ISG_OK && redis_count(reply) != t->families_count)
        err = isg_fail(why, ISG_ESTORE, "Redis: reply of another length");
    for (size_t i = 0; i < t->families_count && err == ISG_OK; i++)
        err = read_family(t, &t->families[i], redis_at(reply, i), why);
    return err;
}

/* The block of the next event, as the head remembered here has it: nearly always right. */
static uint64_t guess_block(struct journal *j)
{
    pthread_mutex_lock(&j->lock);
    uint64_t block = j->head.at.position / STORE_BLOCK;
    pthread_mutex_unlock(&j->lock);
    return block;
}

/* Learn how long that block is; while the head is watched it stays so. */
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
    *t = (struct txn){.store = store, .journal = journal, .read_block = guess_block(journal)};
    index_init(&t->ids);
    redis_pipe_init(&t->read);
    t->arena = isg_arena_new(ISG_BUF_NO_MAX);
    if (t->arena == NULL || make_families(t, ids.p, ids.n) != ISG_OK)
        return no_memory(why);
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
        err = read_families(t, why);
    t->next = t->base;
    return err == ISG_OK ? catch_up(t, why) : err;
}

void txn_end(struct txn *t)
{
    if (t->conn != NULL && t->watching && t->conn->fault == CONN_SOUND) {
        redis_pipe_reset(&t->read);
        REDIS(&t->read, ISG_STR("UNWATCH"));
        (void)conn_run(t->conn, &t->read, redis_deadline(t->store->redis), NULL);
    }
    redis_give(t->store->redis, &t->conn);
    redis_pipe_done(&t->read);
    index_done(&t->ids);
    isg_arena_free(&t->arena);
}

/* ---- plan ----------------------------------------------------------------------------------- */

struct family *txn_family(struct txn *t, struct isg_str id)
{
    size_t i = index_get(&t->ids, id);
    assert(i != SIZE_MAX);
    return &t->families[i];
}

void *txn_room(struct txn *t, void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return items;
    size_t larger = *room == 0 ? 16 : *room * 2;
    void *copy = isg_arena_alloc(t->arena, larger * size);
    if (copy == NULL)
        return NULL;
    if (count > 0)
        memcpy(copy, items, count * size);
    *room = larger;
    return copy;
}

int txn_label(struct txn *t, struct isg_str text, uint32_t *out)
{
    struct journal *j = t->journal;
    pthread_mutex_lock(&j->lock);
    size_t known = index_get(&j->label_index, text);
    pthread_mutex_unlock(&j->lock);
    if (known != SIZE_MAX && known < t->base.labels) {
        *out = (uint32_t)known;
        return ISG_OK;
    }
    size_t count = t->next.labels - t->base.labels;
    for (size_t i = 0; i < count; i++) {
        if (isg_str_eq(t->new_labels[i], text)) {
            *out = t->base.labels + (uint32_t)i;
            return ISG_OK;
        }
    }
    struct isg_str *labels = txn_room(t, t->new_labels, count, &t->new_labels_room, sizeof *labels);
    if (labels == NULL)
        return ISG_ENOMEM;
    t->new_labels = labels;
    labels[count] = text;
    *out = t->next.labels++;
    return ISG_OK;
}

bool txn_label_text(const struct txn *t, uint32_t label, struct isg_str *out)
{
    if (label >= t->base.labels) {
        if (label >= t->next.labels)
            return false;
        *out = t->new_labels[label - t->base.labels];
        return true;
    }
    struct journal *j = t->journal;
    pthread_mutex_lock(&j->lock);
    const char *text = label < j->labels_count ? j->labels[label] : NULL;
    pthread_mutex_unlock(&j->lock);
    if (text == NULL)
        return false;
    *out = isg_str_of(text);
    return true;
}

static uint64_t draw(struct txn *t)
{
    t->dice ^= t->dice << 13;
    t->dice ^= t->dice >> 7;
    t->dice ^= t->dice << 17;
    return t->dice;
}

static void shake(struct txn *t)
{
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        seed = (uint64_t)isg_time_now_us();
    t->dice = seed | 1;
    t->scale = GAP_SCALE_MIN + draw(t) % GAP_SCALES;
}

/*
 * Between dates of even steps a reader could count what is hidden from him (T-068). So the steps are
 * drawn, with a long tail, on a scale that is drawn for each batch: no gap proves anything. About
 * 10 us each, less than an object takes, so that dates do not run ahead of the clock.
 */
static int64_t gap_us(struct txn *t)
{
    unsigned stretch = (unsigned)(draw(t) % (1U << GAP_STRETCH));
    uint64_t room = t->scale;
    for (; (stretch & 1) != 0; stretch >>= 1)
        room *= 2;
    return 1 + (int64_t)(draw(t) % room);
}

/* Strictly rising, whatever the clock does (T-063, R-072). */
static void number(struct txn *t, struct event_record *record)
{
    int64_t now_us = isg_time_now_us();
    int64_t last_us = t->next.at.date_added_us;
    if (t->dice == 0)
        shake(t);
    t->next.at.position++;
    t->next.at.date_added_us = (now_us > last_us ? now_us : last_us) + gap_us(t);
    if (t->next.epoch == 0)
        t->next.epoch = t->next.at.date_added_us;
    record->position = t->next.at.position;
    record->date_us = t->next.at.date_added_us;
}

int txn_add(struct txn *t, struct family *family, struct event_record *record, struct isg_str canon,
            struct relative **out)
{
    size_t room = t->added_room;
    struct relative **added =
        txn_room(t, t->added, t->added_count, &t->added_room, sizeof(struct relative *));
    struct family **owners = txn_room(t, t->owners, t->added_count, &room, sizeof(struct family *));
    if (added == NULL || owners == NULL)
        return ISG_ENOMEM;
    t->added = added;
    t->owners = owners;
    number(t, record);
    struct relative *event = family_add(family, record, t->arena);
    if (event == NULL)
        return ISG_ENOMEM;
    event->canon = canon;
    event->is_new = true;
    family->is_changed = true;
    owners[t->added_count] = family;
    added[t->added_count++] = event;
    *out = event;
    return ISG_OK;
}

void txn_kill(struct family *family, struct relative *event, bool expired)
{
    event->is_gone = true;
    event->is_expired = expired;
    event->gone_us = isg_time_now_us();
    family->is_changed = true;
}

bool txn_is_empty(const struct txn *t)
{
    for (size_t i = 0; i < t->families_count; i++)
        if (t->families[i].is_changed)
            return false;
    return true;
}
