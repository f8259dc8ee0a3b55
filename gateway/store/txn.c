#include "gateway/store/txn.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "gateway/log.h"
#include "gateway/store/names.h"
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
    for (size_t i = 0; i < t->families_count; i++)
        REDIS(&t->read, ISG_STR("HGETALL"), names_index(&key, collection, t->families[i].id));
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
    int err = redis_expect(reply, REDIS_LIST, why);
    for (size_t i = 0; i + 1 < redis_count(reply) && err == ISG_OK; i += 2) {
        struct isg_str text = redis_text(redis_at(reply, i + 1));
        struct event_record record;
        if (!event_read(&text, &record))
            continue; /* damaged: as if it were not there */
        if (family_add(family, &record, t->arena) == NULL)
            err = no_memory(why);
    }
    if (err == ISG_OK && family->count > 1)
        qsort(family->events, family->count, sizeof(struct relative *), by_position);
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
    if (t->arena == NULL || make_families(t, ids.p, ids.n) != ISG_OK)
        return no_memory(why);
    int err = run_reads(t, deadline_us, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&t->read, 0), REDIS_TEXT, why);
    if (err == ISG_OK) {
        t->watching = true;
        err = journal_head_of(redis_nth(&t->read, 1), &t->base, why);
    }
    for (size_t i = 0; i < t->families_count && err == ISG_OK; i++)
        err = read_family(t, &t->families[i], redis_nth(&t->read, 2 + i), why);
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

/* Room for one more item in an array in the arena. */
static void *room_for(struct txn *t, void *items, size_t count, size_t *room, size_t size)
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
    struct isg_str *labels = room_for(t, t->new_labels, count, &t->new_labels_room, sizeof *labels);
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
        room_for(t, t->added, t->added_count, &t->added_room, sizeof(struct relative *));
    struct family **owners = room_for(t, t->owners, t->added_count, &room, sizeof(struct family *));
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

void txn_kill(struct family *family, struct relative *event)
{
    event->is_gone = true;
    family->is_changed = true;
}

bool txn_is_empty(const struct txn *t)
{
    for (size_t i = 0; i < t->families_count; i++)
        if (t->families[i].is_changed)
            return false;
    return true;
}

/* ---- write ---------------------------------------------------------------------------------- */

static uint64_t block_of(const struct event_record *record)
{
    return (record->position - 1) / STORE_BLOCK;
}

static int touch(struct txn *t, uint64_t block)
{
    for (size_t i = t->touched_count; i-- > 0;)
        if (t->touched[i] == block)
            return ISG_OK;
    uint64_t *touched =
        room_for(t, t->touched, t->touched_count, &t->touched_room, sizeof *touched);
    if (touched == NULL)
        return ISG_ENOMEM;
    t->touched = touched;
    touched[t->touched_count++] = block;
    return ISG_OK;
}

static void put_labels(struct txn *t, struct redis_pipe *pipe)
{
    struct names_key key;
    struct names_key field;
    for (uint32_t i = t->base.labels; i < t->next.labels; i++)
        REDIS(pipe, ISG_STR("HSET"), names_labels(&key, t->journal->collection),
              names_number(&field, i), t->new_labels[i - t->base.labels]);
}

/* Object and index entry of one added event. */
static void put_event(struct txn *t, struct redis_pipe *pipe, size_t i, struct isg_buf *record)
{
    const char *collection = t->journal->collection;
    const struct relative *event = t->added[i];
    struct names_key key;
    struct names_key field;
    REDIS(pipe, ISG_STR("SET"), names_object(&key, collection, event->record.digest), event->canon);
    isg_buf_reset(record);
    event_write(record, &event->record);
    REDIS(pipe, ISG_STR("HSET"), names_index(&key, collection, t->owners[i]->id),
          names_number(&field, event->record.position), isg_buf_str(record));
}

/* The records of one block in one APPEND; index behind the last of them. */
static size_t put_block(struct txn *t, struct redis_pipe *pipe, size_t i, struct isg_buf *records)
{
    const char *collection = t->journal->collection;
    const struct event_record *first = &t->added[i]->record;
    uint64_t block = block_of(first);
    struct names_key key;
    struct names_key field;
    struct names_key value;
    isg_buf_reset(records);
    for (; i < t->added_count && block_of(&t->added[i]->record) == block; i++) {
        struct event_record record = t->added[i]->record;
        record.source = (struct isg_str){"", 0};
        event_write(records, &record);
    }
    REDIS(pipe, ISG_STR("APPEND"), names_block(&key, collection, block), isg_buf_str(records));
    if (first->position == block * STORE_BLOCK + 1)
        REDIS(pipe, ISG_STR("HSET"), names_dates(&key, collection), names_number(&field, block),
              names_number(&value, (uint64_t)first->date_us));
    return i;
}

static int put_added(struct txn *t, struct redis_pipe *pipe)
{
    struct isg_buf bytes;
    isg_buf_init(&bytes, ISG_BUF_NO_MAX);
    for (size_t i = 0; i < t->added_count; i++)
        put_event(t, pipe, i, &bytes);
    for (size_t i = 0; i < t->added_count;)
        i = put_block(t, pipe, i, &bytes);
    int err = bytes.err;
    isg_buf_done(&bytes);
    return err;
}

static void put_killed(struct txn *t, struct redis_pipe *pipe, const struct family *family,
                       const struct relative *event)
{
    const char *collection = t->journal->collection;
    struct names_key key;
    struct names_key field;
    REDIS(pipe, ISG_STR("HDEL"), names_index(&key, collection, family->id),
          names_number(&field, event->record.position));
    if (!family_has_digest(family, event->record.digest))
        REDIS(pipe, ISG_STR("DEL"), names_object(&key, collection, event->record.digest));
}

/* Marks that moved, in the family of a changed id. */
static int put_family(struct txn *t, struct redis_pipe *pipe, struct family *family)
{
    struct names_key key;
    struct names_key field;
    int err = family_write_marks(family, t->arena);
    for (size_t i = 0; i < family->count && err == ISG_OK; i++) {
        const struct relative *event = family->events[i];
        if (event->is_gone)
            put_killed(t, pipe, family, event);
        if (isg_str_eq(event->marks_before, event->marks_after))
            continue;
        uint64_t block = block_of(&event->record);
        REDIS(pipe, ISG_STR("HSET"), names_marks(&key, t->journal->collection, block),
              names_number(&field, event->record.position), event->marks_after);
        if (!event->is_new)
            err = touch(t, block);
    }
    return err;
}

static void put_head(struct txn *t, struct redis_pipe *pipe)
{
    const char *collection = t->journal->collection;
    struct names_key key;
    struct names_key field;
    struct names_key value;
    char head[JOURNAL_HEAD_TEXT];
    if (t->touched_count > 0)
        t->next.at.generation = t->base.at.generation + 1;
    for (size_t i = 0; i < t->touched_count; i++)
        REDIS(pipe, ISG_STR("HSET"), names_generations(&key, collection),
              names_number(&field, t->touched[i]), names_number(&value, t->next.at.generation));
    journal_head_write(&t->next, head);
    REDIS(pipe, ISG_STR("SET"), names_head(&key, collection), isg_str_of(head));
}

static int put_all(struct txn *t, struct redis_pipe *pipe, struct isg_fail *why)
{
    REDIS(pipe, ISG_STR("MULTI"));
    put_labels(t, pipe);
    int err = put_added(t, pipe);
    for (size_t i = 0; i < t->families_count && err == ISG_OK; i++)
        if (t->families[i].is_changed)
            err = put_family(t, pipe, &t->families[i]);
    put_head(t, pipe);
    REDIS(pipe, ISG_STR("EXEC"));
    return err == ISG_OK ? ISG_OK : no_memory(why);
}

/* EXEC does not roll back, so each reply counts; commands here cannot fail by type. */
static int check_exec(const struct txn *t, const struct redis_pipe *pipe, struct isg_fail *why)
{
    const struct redis_reply *exec = redis_nth(pipe, pipe->count - 1);
    for (size_t i = 0; i + 1 < pipe->count; i++)
        if (redis_is_error(redis_nth(pipe, i), "")) /* refused when queued: all of it aborted */
            return redis_expect(redis_nth(pipe, i), REDIS_TEXT, why);
    int err = redis_expect(exec, REDIS_LIST, why);
    if (err == ISG_ENOENT)
        return isg_fail(why, ISG_EBUSY, "another gateway wrote first");
    for (size_t i = 0; i < redis_count(exec) && err == ISG_OK; i++) {
        if (!redis_is_error(redis_at(exec, i), ""))
            continue;
        err = redis_expect(redis_at(exec, i), REDIS_TEXT, why);
        LOG(LOG_ERROR, "store.half_written", log_cstr("collection", t->journal->collection),
            log_why(why));
    }
    return err;
}

/* ---- what the journal learns ---------------------------------------------------------------- */

static int learn_parts(struct txn *t)
{
    struct journal *j = t->journal;
    int err = ISG_OK;
    for (uint32_t i = t->base.labels; i < t->next.labels && err == ISG_OK; i++)
        err = journal_set_label(j, i, t->new_labels[i - t->base.labels]);
    for (size_t i = 0; i < t->touched_count && err == ISG_OK; i++)
        err = journal_set_generation(j, t->touched[i], t->next.at.generation);
    for (size_t i = 0; i < t->added_count && err == ISG_OK; i++)
        if (t->added[i]->record.position % STORE_BLOCK == 1)
            err = journal_set_date(j, block_of(&t->added[i]->record), t->added[i]->record.date_us);
    return err;
}

/*
 * The head moves last: without memory for its parts it stays where it was, and is asked for again.
 */
static void learn(struct txn *t, int64_t asked_us)
{
    struct journal *j = t->journal;
    pthread_mutex_lock(&j->lock);
    bool ahead = j->head.epoch == t->next.epoch && j->head.at.position >= t->next.at.position &&
                 j->head.at.generation >= t->next.at.generation;
    j->moves++;
    if (learn_parts(t) != ISG_OK) {
        j->link = 0;
    } else if (!ahead) {
        if (j->generation_at == t->base.at.generation)
            j->generation_at = t->next.at.generation;
        else
            j->link = 0; /* another gateway's changes of generations are to be read */
        j->head = t->next;
        j->loaded = true;
        j->confirmed_us = asked_us;
        if (j->link != 0)
            j->link = t->conn != NULL ? t->conn->link : j->link;
    }
    pthread_mutex_unlock(&j->lock);
}

/* ---- what the blocks in memory learn -------------------------------------------------------- */

/* Are the block's events and their marks as they were, up to the first one added? */
static bool is_kept_whole(const struct txn *t, uint64_t number, const struct store_block *kept,
                          size_t before)
{
    struct journal *j = t->journal;
    for (size_t i = 0; i < t->touched_count; i++)
        if (t->touched[i] == number)
            return false;
    if (kept == NULL)
        return before == 0;
    pthread_mutex_lock(&j->lock);
    uint64_t generation = journal_generation(j, number);
    bool known = j->loaded && j->generation_at == t->base.at.generation;
    pthread_mutex_unlock(&j->lock);
    return known && kept->generation == generation && kept->count == before;
}

static bool make_event(struct txn *t, const struct relative *added, struct store_event *out)
{
    struct event_marks marks = {0};
    bool nomem = false;
    if (added->marks_after.n > 0 && !event_marks_read(added->marks_after, t->arena, &marks, &nomem))
        return false;
    *out = (struct store_event){.position = added->record.position,
                                .date_added_us = added->record.date_us,
                                .label = added->record.label,
                                .dead = marks.dead,
                                .versioned = (added->record.flags & EVENT_VERSIONED) != 0,
                                .id = added->record.id,
                                .version = added->record.version,
                                .newer = marks.newer,
                                .newer_count = marks.newer_count,
                                .older = marks.older,
                                .older_count = marks.older_count};
    memcpy(out->digest, added->record.digest, sizeof out->digest);
    return true;
}

/* The n added events from the i-th on, all of one block: into memory, if all before them is. */
static void grow_block(struct txn *t, size_t i, size_t n)
{
    uint64_t number = block_of(&t->added[i]->record);
    size_t before = (size_t)(t->added[i]->record.position - 1 - number * STORE_BLOCK);
    struct block_key key = {t->journal, t->next.epoch, number};
    struct store_block *kept = before > 0 ? cache_get(&t->store->cache, key) : NULL;
    struct store_block *grown = NULL;
    struct store_event *events = isg_arena_alloc(t->arena, n * sizeof *events);
    bool good = events != NULL && is_kept_whole(t, number, kept, before);
    for (size_t k = 0; k < n && good; k++)
        good = make_event(t, t->added[i + k], &events[k]);
    uint64_t generation = kept != NULL ? kept->generation : 0;
    if (good && block_grow(kept, number, generation, events, n, &grown) == ISG_OK)
        cache_put(&t->store->cache, key, grown);
    store_block_unref(&grown);
    store_block_unref(&kept);
}

/* A read behind a write finds the new events in memory, and need not fetch the block again. */
static void grow_blocks(struct txn *t)
{
    for (size_t i = 0, n; i < t->added_count; i += n) {
        uint64_t number = block_of(&t->added[i]->record);
        for (n = 1; i + n < t->added_count && block_of(&t->added[i + n]->record) == number;)
            n++;
        grow_block(t, i, n);
    }
}

static void doubt(struct txn *t)
{
    pthread_mutex_lock(&t->journal->lock);
    t->journal->link = 0;
    pthread_mutex_unlock(&t->journal->lock);
}

int txn_run(struct txn *t, int64_t deadline_us, bool *in_doubt, struct isg_fail *why)
{
    struct redis_pipe pipe;
    redis_pipe_init(&pipe);
    *in_doubt = false;
    int64_t asked_us = isg_time_mono_us();
    int err = put_all(t, &pipe, why);
    if (err == ISG_OK) {
        err = conn_run(t->conn, &pipe, deadline_us, why);
        *in_doubt = err != ISG_OK && t->conn->fault != CONN_SOUND && pipe.out.err == ISG_OK &&
                    pipe.sent == pipe.out.len;
        t->watching = err != ISG_OK;
        if (err == ISG_OK)
            err = check_exec(t, &pipe, why);
    }
    if (err == ISG_OK) {
        grow_blocks(t);
        learn(t, asked_us);
    }
    if (*in_doubt)
        doubt(t);
    redis_pipe_done(&pipe);
    return err;
}

/* ---- settle --------------------------------------------------------------------------------- */

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
    struct names_key field;
    const struct family *family = t->families;
    const struct relative *gone = NULL;
    redis_pipe_reset(&t->read);
    for (; t->added_count == 0 && gone == NULL && family < t->families + t->families_count;
         family++)
        for (size_t i = 0; i < family->count && gone == NULL; i++)
            if (family->events[i]->is_gone)
                gone = family->events[i];
    if (t->added_count > 0)
        REDIS(&t->read, ISG_STR("GET"),
              names_block(&key, t->journal->collection, block_of(&t->added[0]->record)));
    else if (gone != NULL)
        REDIS(&t->read, ISG_STR("HGET"), names_index(&key, t->journal->collection, family[-1].id),
              names_number(&field, gone->record.position));
    int err = conn_run(t->conn, &t->read, deadline_us, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&t->read, 0), REDIS_TEXT, why);
    if (err != ISG_OK && err != ISG_ENOENT)
        return err;
    *out_there = t->added_count > 0 ? err == ISG_OK && holds(redis_text(redis_nth(&t->read, 0)),
                                                             &t->added[0]->record)
                                    : err == ISG_ENOENT;
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
    learn(t, isg_time_mono_us());
    doubt(t); /* others may have moved the head since */
    return ISG_OK;
}
