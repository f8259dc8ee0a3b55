/*
 * Pushes that wait: their pieces, and what became of each. All keys share the tag {q}, so that a
 * push is there as a whole or not at all, and a piece is done exactly when its lines say so.
 */
#include <stdio.h>
#include <stdlib.h>

#include "gateway/store/inside.h"
#include "gateway/store/names.h"
#include "stix/base/time.h"

static const struct isg_str about_field = {"about", 5};

/* So many replicas must have what was written before: WAIT tells of this connection's own writes,
 * and one that comes behind all others stands for them. */
static int wait_for_replicas(struct store *store, unsigned replicas, struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    struct names_key patience;
    if (replicas == 0)
        return ISG_OK;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("SET"), names_alive(&key), ISG_STR("1"), ISG_STR("EX"), ISG_STR("60"));
    REDIS(&pipe, ISG_STR("WAIT"), names_number(&key, replicas),
          names_number(&patience, store->timeout_ms / 2));
    int err = redis_call(store->redis, REDIS_WRITE, &pipe, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 0), REDIS_TEXT, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 1), REDIS_INT, why);
    if (err == ISG_OK && redis_number(redis_nth(&pipe, 1)) < (int64_t)replicas)
        err = isg_fail(why, ISG_ESTORE, "not all replicas acknowledged; repeat the push");
    redis_pipe_done(&pipe);
    return err;
}

static void put_numbered(struct redis_pipe *pipe, const struct isg_str *texts, size_t n)
{
    struct names_key field;
    for (size_t i = 0; i < n; i++) {
        redis_arg(pipe, names_number(&field, i));
        redis_arg(pipe, texts[i]);
    }
}

/* Is there room among those that wait (whose members are the list's values)? */
static int judge_room(const struct redis_reply *members, struct isg_str member,
                      struct isg_fail *why)
{
    size_t own = 0;
    for (size_t i = 0; i < redis_count(members); i++)
        own += member.n > 0 && isg_str_eq(redis_text(redis_at(members, i)), member);
    if (redis_count(members) >= STORE_JOBS_MAX)
        return isg_fail(why, ISG_EBUSY, "too many large pushes wait");
    if (own >= STORE_JOBS_OF_ONE)
        return isg_fail(why, ISG_EBUSY, "%d large pushes of yours wait; repeat this one later",
                        STORE_JOBS_OF_ONE);
    return ISG_OK;
}

/* WATCH the list of those that wait, and judge it. */
static int watch_room(struct redis_conn *conn, struct isg_str member, int64_t deadline_us,
                      struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("WATCH"), names_jobs(&key));
    REDIS(&pipe, ISG_STR("HVALS"), names_jobs(&key));
    int err = conn_run(conn, &pipe, deadline_us, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 0), REDIS_TEXT, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 1), REDIS_LIST, why);
    if (err == ISG_OK && (err = judge_room(redis_nth(&pipe, 1), member, why)) != ISG_OK) {
        redis_pipe_reset(&pipe);
        REDIS(&pipe, ISG_STR("UNWATCH"));
        (void)conn_run(conn, &pipe, deadline_us, NULL);
    }
    redis_pipe_done(&pipe);
    return err;
}

/* The push itself, as one transaction. ISG_ECONFLICT: the list has changed since it was watched. */
static int put_watched(struct redis_conn *conn, const struct store_job *job, int64_t deadline_us,
                       struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    struct isg_str id = isg_str_of(job->id);
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("MULTI"));
    REDIS(&pipe, ISG_STR("HSET"), names_jobs(&key), id, job->member);
    redis_begin(&pipe, 2 + 2 * job->n);
    redis_arg(&pipe, ISG_STR("HSET"));
    redis_arg(&pipe, names_job_pieces(&key, id));
    put_numbered(&pipe, job->pieces, job->n);
    redis_begin(&pipe, 4 + 2 * job->n);
    redis_arg(&pipe, ISG_STR("HSET"));
    redis_arg(&pipe, names_job_status(&key, id));
    redis_arg(&pipe, about_field);
    redis_arg(&pipe, job->about);
    put_numbered(&pipe, job->lines, job->n);
    REDIS(&pipe, ISG_STR("EXEC"));
    int err = conn_run(conn, &pipe, deadline_us, why);
    for (size_t i = 0; i < 4 && err == ISG_OK; i++)
        err = redis_expect(redis_nth(&pipe, i), REDIS_TEXT, why);
    const struct redis_reply *exec = redis_nth(&pipe, 4);
    if (err == ISG_OK)
        err = redis_expect(exec, REDIS_LIST, why);
    if (err == ISG_ENOENT)
        err = isg_fail(why, ISG_ECONFLICT, "another push came or went");
    for (size_t i = 0; i < 3 && err == ISG_OK; i++)
        err = redis_expect(redis_at(exec, i), REDIS_INT, why);
    redis_pipe_done(&pipe);
    return err;
}

/* What was lost with the connection may be there: as it is named anew, it is done twice at worst,
 * which changes nothing. Only what was lost before it was sent is sent again. */
static int keep(struct store *store, const struct store_job *job, struct isg_fail *why)
{
    int64_t deadline_us = redis_deadline(store->redis);
    for (int lost = 0;;) {
        struct redis_conn *conn = NULL;
        int err = redis_take(store->redis, REDIS_WRITE, deadline_us, &conn, why);
        if (err != ISG_OK)
            return err;
        bool was_used = conn->used;
        err = watch_room(conn, job->member, deadline_us, why);
        bool again = err != ISG_OK && conn->fault == CONN_CLOSED && was_used && lost++ < 3;
        if (err == ISG_OK) {
            err = put_watched(conn, job, deadline_us, why);
            again = err == ISG_ECONFLICT && isg_time_mono_us() < deadline_us;
        }
        redis_give(store->redis, &conn);
        if (!again)
            return err == ISG_ECONFLICT
                       ? isg_fail(why, ISG_EBUSY, "too many large pushes come at once")
                       : err;
    }
}

int store_job_put(struct store *store, const struct store_job *job, struct isg_fail *why)
{
    struct journal *journal = store_journal_known(store, job->collection);
    if (!names_id_is_valid(isg_str_of(job->id)) || job->n == 0)
        return isg_fail(why, ISG_EINVAL, "impossible id of a push");
    int err = keep(store, job, why);
    if (err == ISG_OK && journal != NULL)
        err = wait_for_replicas(store, atomic_load(&journal->replicas), why);
    return err;
}

int store_job_each(struct store *store, int (*each)(void *arg, struct isg_str id), void *arg,
                   struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("HKEYS"), names_jobs(&key));
    int err = redis_call(store->redis, REDIS_READ, &pipe, why);
    const struct redis_reply *ids = redis_nth(&pipe, 0);
    if (err == ISG_OK)
        err = redis_expect(ids, REDIS_LIST, why);
    for (size_t i = 0; i < redis_count(ids) && err == ISG_OK; i++)
        err = each(arg, redis_text(redis_at(ids, i)));
    redis_pipe_done(&pipe);
    return err;
}

/* The lowest number among the fields of a hash; SIZE_MAX where there is none. */
static size_t lowest(const struct redis_reply *fields)
{
    uint64_t least = SIZE_MAX;
    uint64_t n;
    for (size_t i = 0; i < redis_count(fields); i++)
        if (isg_str_to_u64(redis_text(redis_at(fields, i)), SIZE_MAX - 1, &n) && n < least)
            least = n;
    return (size_t)least;
}

static int find_piece(struct store *store, struct isg_str id, size_t *out, struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("HKEYS"), names_job_pieces(&key, id));
    int err = redis_call(store->redis, REDIS_READ, &pipe, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 0), REDIS_LIST, why);
    if (err == ISG_OK)
        *out = lowest(redis_nth(&pipe, 0));
    redis_pipe_done(&pipe);
    return err == ISG_OK && *out == SIZE_MAX ? isg_fail(why, ISG_ENOENT, "no piece is left") : err;
}

/* ISG_EBUSY: another gateway has just done it. */
static int read_piece(struct store *store, struct isg_str id, size_t index,
                      struct isg_buf *out_piece, struct isg_buf *out_lines, struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    struct names_key field;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("HGET"), names_job_pieces(&key, id), names_number(&field, index));
    REDIS(&pipe, ISG_STR("HGET"), names_job_status(&key, id), names_number(&field, index));
    int err = redis_call(store->redis, REDIS_READ, &pipe, why);
    if (err == ISG_OK && redis_is_nil(redis_nth(&pipe, 0)))
        err = isg_fail(why, ISG_EBUSY, "another gateway did this piece");
    for (size_t i = 0; i < 2 && err == ISG_OK; i++)
        err = redis_expect(redis_nth(&pipe, i), REDIS_TEXT, why);
    if (err == ISG_ENOENT)
        err = isg_fail(why, ISG_ESTORE, "the status of a push that waits is damaged");
    if (err == ISG_OK) {
        isg_buf_put_str(out_piece, redis_text(redis_nth(&pipe, 0)));
        isg_buf_put_str(out_lines, redis_text(redis_nth(&pipe, 1)));
        if (out_piece->err != ISG_OK || out_lines->err != ISG_OK)
            err = isg_fail(why, ISG_ENOMEM, "out of memory");
    }
    redis_pipe_done(&pipe);
    return err;
}

/* A lease that ran out leaves two gateways at one push: that a piece has gone says nothing of the
 * others, so they are looked for again. */
int store_job_piece(struct store *store, struct isg_str id, size_t *out_index,
                    struct isg_buf *out_piece, struct isg_buf *out_lines, struct isg_fail *why)
{
    int err;
    do {
        err = find_piece(store, id, out_index, why);
        if (err == ISG_OK)
            err = read_piece(store, id, *out_index, out_piece, out_lines, why);
    } while (err == ISG_EBUSY);
    return err;
}

int store_job_settle(struct store *store, struct isg_str id, size_t index, struct isg_str lines,
                     struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    struct names_key field;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("MULTI"));
    REDIS(&pipe, ISG_STR("HSET"), names_job_status(&key, id), names_number(&field, index), lines);
    REDIS(&pipe, ISG_STR("HDEL"), names_job_pieces(&key, id), names_number(&field, index));
    int err = redis_exec(store->redis, &pipe, why);
    redis_pipe_done(&pipe);
    return err;
}

int store_job_close(struct store *store, struct isg_str id, uint32_t ttl_s, struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    struct names_key seconds;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("MULTI"));
    REDIS(&pipe, ISG_STR("HDEL"), names_jobs(&key), id);
    REDIS(&pipe, ISG_STR("DEL"), names_job_pieces(&key, id));
    REDIS(&pipe, ISG_STR("EXPIRE"), names_job_status(&key, id),
          names_number(&seconds, ttl_s > 0 ? ttl_s : 1));
    int err = redis_exec(store->redis, &pipe, why);
    redis_pipe_done(&pipe);
    return err;
}

/* The values of fields 0, 1, 2, ... of a HGETALL, one behind the other. */
static int join_lines(const struct redis_reply *pairs, struct isg_buf *out, struct isg_fail *why)
{
    size_t n = redis_count(pairs) / 2;
    struct isg_str *parts = calloc(n + 1, sizeof *parts);
    if (parts == NULL)
        return isg_fail(why, ISG_ENOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        uint64_t index;
        if (isg_str_to_u64(redis_text(redis_at(pairs, 2 * i)), n, &index))
            parts[index] = redis_text(redis_at(pairs, 2 * i + 1));
    }
    for (size_t i = 0; i < n; i++)
        isg_buf_put_str(out, parts[i]);
    free(parts);
    return out->err == ISG_OK ? ISG_OK : isg_fail(why, out->err, "out of memory");
}

int store_job_status(struct store *store, struct isg_str id, struct isg_buf *out_about,
                     struct isg_buf *out_lines, struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    if (!names_id_is_valid(id))
        return isg_fail(why, ISG_ENOENT, "no such status");
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("HGET"), names_job_status(&key, id), about_field);
    REDIS(&pipe, ISG_STR("HGETALL"), names_job_status(&key, id));
    int err = redis_call(store->redis, REDIS_READ, &pipe, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 0), REDIS_TEXT, why);
    if (err == ISG_ENOENT)
        err = isg_fail(why, ISG_ENOENT, "no such status");
    if (err == ISG_OK) {
        isg_buf_put_str(out_about, redis_text(redis_nth(&pipe, 0)));
        err = out_about->err == ISG_OK ? join_lines(redis_nth(&pipe, 1), out_lines, why)
                                       : isg_fail(why, ISG_ENOMEM, "out of memory");
    }
    redis_pipe_done(&pipe);
    return err;
}
