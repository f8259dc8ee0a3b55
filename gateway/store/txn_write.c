#include <string.h>

#include "gateway/log.h"
#include "gateway/store/names.h"
#include "gateway/store/txn_private.h"
#include "stix/base/time.h"

enum { REPLICA_MARGIN_MS = 50 }; /* between the end of WAIT and that of the call */

static int touch(struct txn *t, uint64_t block)
{
    for (size_t i = t->touched_count; i-- > 0;)
        if (t->touched[i] == block)
            return ISG_OK;
    uint64_t *touched =
        txn_room(t, t->touched, t->touched_count, &t->touched_room, sizeof *touched);
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

/* The records of all living events of an id, or only of those this change brings. */
static void write_records(const struct family *family, bool only_new, struct isg_buf *out)
{
    isg_buf_reset(out);
    for (size_t i = 0; i < family->count; i++)
        if (!family->events[i]->is_gone && (family->events[i]->is_new || !only_new))
            event_write(out, &family->events[i]->record);
}

static void put_append(struct redis_pipe *pipe, struct isg_str key, const struct isg_buf *bytes)
{
    redis_begin(pipe, 3);
    redis_arg(pipe, ISG_STR("APPEND"));
    redis_arg(pipe, key);
    redis_arg_buf(pipe, bytes);
}

/* Ids that nobody knew before; whose entry is written, not appended to. */
static bool is_founded(const struct family *family)
{
    return family->count > 0 && family->events[0]->is_new;
}

/*
 * Packs and entries of new ids, nearly all of a usual batch, in one command: the server's price is by
 * commands and keys more than by bytes.
 */
static void put_new(struct txn *t, struct redis_pipe *pipe, struct isg_buf *records)
{
    const char *collection = t->journal->collection;
    struct names_key key;
    size_t founded = 0;
    for (size_t i = 0; i < t->families_count; i++)
        founded += is_founded(&t->families[i]);
    if (t->added_count == 0)
        return;
    redis_begin(pipe, 1 + 2 * (txn_packs(t) + founded));
    redis_arg(pipe, ISG_STR("MSET"));
    txn_put_packs(t, pipe);
    for (size_t i = 0; i < t->families_count; i++) {
        if (!is_founded(&t->families[i]))
            continue;
        write_records(&t->families[i], false, records);
        redis_arg(pipe, names_index(&key, collection, t->families[i].id));
        redis_arg_buf(pipe, records);
    }
}

/* The records of one block in one APPEND, and their places; index behind the last of them. */
static size_t put_block(struct txn *t, struct redis_pipe *pipe, size_t i, struct isg_buf *records,
                        struct event_place *places)
{
    const char *collection = t->journal->collection;
    const struct event_record *first = &t->added[i]->record;
    uint64_t block = txn_block(first);
    struct names_key key;
    struct names_key field;
    struct names_key value;
    size_t there = block == t->base.at.position / STORE_BLOCK ? t->block_bytes : 0;
    isg_buf_reset(records);
    for (; i < t->added_count && txn_block(&t->added[i]->record) == block; i++) {
        struct event_record record = t->added[i]->record;
        size_t before = records->len;
        record.source = (struct isg_str){"", 0};
        event_write(records, &record);
        places[i] = (struct event_place){.position = record.position,
                                         .offset = (uint32_t)(there + before),
                                         .bytes = (uint32_t)(records->len - before)};
    }
    put_append(pipe, names_block(&key, collection, block), records);
    if (first->position == block * STORE_BLOCK + 1)
        REDIS(pipe, ISG_STR("HSET"), names_dates(&key, collection), names_number(&field, block),
              names_number(&value, (uint64_t)first->date_us));
    return i;
}

/* The places of each label in one APPEND. A batch has few labels. */
static void put_places(struct txn *t, struct redis_pipe *pipe, struct event_place *places,
                       struct isg_buf *list)
{
    struct names_key key;
    for (size_t i = 0; i < t->added_count; i++) {
        uint32_t label = t->added[i]->record.label;
        if (places[i].bytes == 0)
            continue; /* went with an earlier one of its label */
        isg_buf_reset(list);
        for (size_t k = i; k < t->added_count; k++) {
            if (t->added[k]->record.label != label)
                continue;
            event_place_write(list, &places[k]);
            places[k].bytes = 0;
        }
        put_append(pipe, names_places(&key, t->journal->collection, label), list);
    }
}

static int put_added(struct txn *t, struct redis_pipe *pipe)
{
    struct isg_buf bytes;
    struct event_place *places = isg_arena_alloc(t->arena, (t->added_count + 1) * sizeof *places);
    if (places == NULL)
        return ISG_ENOMEM;
    isg_buf_init(&bytes, ISG_BUF_NO_MAX);
    put_new(t, pipe, &bytes);
    for (size_t i = 0; i < t->added_count;)
        i = put_block(t, pipe, i, &bytes, places);
    put_places(t, pipe, places, &bytes);
    isg_buf_done(&bytes);
    return ISG_OK;
}

static size_t count_gone(const struct family *family)
{
    size_t gone = 0;
    for (size_t i = 0; i < family->count; i++)
        gone += family->events[i]->is_gone;
    return gone;
}

/* The entry of an id that was known before. */
static int put_index(struct txn *t, struct redis_pipe *pipe, const struct family *family)
{
    struct names_key key;
    struct isg_buf records;
    struct isg_str name = names_index(&key, t->journal->collection, family->id);
    size_t gone = count_gone(family);
    isg_buf_init(&records, ISG_BUF_NO_MAX);
    write_records(family, gone == 0, &records);
    if (gone == 0)
        put_append(pipe, name, &records);
    else if (records.len > 0)
        REDIS(pipe, ISG_STR("SET"), name, isg_buf_str(&records));
    else
        REDIS(pipe, ISG_STR("DEL"), name);
    int err = records.err;
    isg_buf_done(&records);
    return err;
}

/* Marks that moved, in the family of a changed id. */
static int put_family(struct txn *t, struct redis_pipe *pipe, struct family *family)
{
    struct names_key key;
    struct names_key field;
    int err = family_write_marks(family, t->arena);
    if (err == ISG_OK && !is_founded(family))
        err = put_index(t, pipe, family);
    for (size_t i = 0; i < family->count && err == ISG_OK; i++) {
        const struct relative *event = family->events[i];
        if (isg_str_eq(event->marks_before, event->marks_after))
            continue;
        uint64_t block = txn_block(&event->record);
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

/* About what the commands will take, so that their buffer need not grow step by step. */
static size_t guess_bytes(const struct txn *t)
{
    enum { BESIDE = 768 }; /* an event's key, entry, record and place */
    size_t n = 4096;
    for (size_t i = 0; i < t->added_count; i++)
        n += t->added[i]->canon.n + BESIDE;
    return n;
}

static int put_all(struct txn *t, struct redis_pipe *pipe, struct isg_fail *why)
{
    (void)isg_buf_reserve(&pipe->out, guess_bytes(t));
    REDIS(pipe, ISG_STR("MULTI"));
    put_labels(t, pipe);
    int err = put_added(t, pipe);
    for (size_t i = 0; i < t->families_count && err == ISG_OK; i++)
        if (t->families[i].is_changed)
            err = put_family(t, pipe, &t->families[i]);
    if (err == ISG_OK)
        err = txn_put_losses(t, pipe);
    put_head(t, pipe);
    REDIS(pipe, ISG_STR("EXEC"));
    return err == ISG_OK ? ISG_OK : isg_fail(why, ISG_ENOMEM, "out of memory");
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

int txn_wait_for_replicas(struct txn *t, bool wrote, int64_t deadline_us, struct isg_fail *why)
{
    struct names_key key;
    struct names_key number;
    struct names_key patience;
    int64_t left_ms = (deadline_us - isg_time_mono_us()) / 1000 - REPLICA_MARGIN_MS;
    unsigned wanted = atomic_load(&t->journal->replicas);
    if (wanted == 0)
        return ISG_OK;
    redis_pipe_reset(&t->read);
    if (!wrote)
        REDIS(&t->read, ISG_STR("SET"), names_alive(&key), ISG_STR("1"), ISG_STR("EX"),
              ISG_STR("60"));
    REDIS(&t->read, ISG_STR("WAIT"), names_number(&number, wanted),
          names_number(&patience, left_ms > 1 ? (uint64_t)left_ms : 1));
    int err = conn_run(t->conn, &t->read, deadline_us, why);
    if (err == ISG_OK && !wrote)
        err = redis_expect(redis_nth(&t->read, 0), REDIS_TEXT, why);
    const struct redis_reply *have = redis_nth(&t->read, wrote ? 0 : 1);
    if (err == ISG_OK)
        err = redis_expect(have, REDIS_INT, why);
    if (err == ISG_OK && redis_number(have) < (int64_t)wanted)
        err = isg_fail(why, ISG_ESTORE, "%lld of %u replicas acknowledged; repeat the push",
                       (long long)redis_number(have), wanted);
    return err;
}

int txn_run(struct txn *t, int64_t deadline_us, bool *in_doubt, struct isg_fail *why)
{
    struct redis_pipe pipe;
    redis_pipe_init(&pipe);
    *in_doubt = false;
    int64_t asked_us = isg_time_mono_us();
    int err = txn_read_losses(t, deadline_us, why);
    if (err == ISG_OK)
        err = put_all(t, &pipe, why);
    if (err == ISG_OK) {
        err = conn_run(t->conn, &pipe, deadline_us, why);
        *in_doubt = err != ISG_OK && t->conn->fault != CONN_SOUND && pipe.out.err == ISG_OK &&
                    pipe.sent == pipe.out.len;
        t->watching = err != ISG_OK;
        if (err == ISG_OK)
            err = check_exec(t, &pipe, why);
    }
    if (err == ISG_OK) {
        txn_grow_blocks(t);
        txn_learn(t, asked_us);
        err = txn_wait_for_replicas(t, true, deadline_us, why);
    }
    if (*in_doubt)
        txn_doubt(t);
    redis_pipe_done(&pipe);
    return err;
}
