/*
 * Documents of parts, read and put back together. A counter tells whether any document of the
 * collection was changed since they were read; only if so those that were read are compared.
 */
#include "gateway/store/inside.h"
#include "gateway/store/names.h"
#include "stix/base/time.h"

static int read_mark(const struct redis_reply *reply, uint64_t *out, struct isg_fail *why)
{
    int err = redis_expect(reply, REDIS_TEXT, why);
    *out = 0; /* before the first one */
    if (err == ISG_OK && !isg_str_to_u64(redis_text(reply), UINT64_MAX, out))
        err = isg_fail(why, ISG_ESTORE, "the counter of documents of parts is damaged");
    return err == ISG_ENOENT ? ISG_OK : err;
}

static void ask_for(struct redis_pipe *pipe, const struct store_part *parts, size_t n)
{
    struct names_key key;
    redis_begin(pipe, 2 + n);
    redis_arg(pipe, ISG_STR("HMGET"));
    redis_arg(pipe, names_docs(&key, STORE_FACET));
    for (size_t i = 0; i < n; i++)
        redis_arg(pipe, parts[i].name);
}

static int take_part(const struct redis_reply *reply, struct store_part *part, struct isg_fail *why)
{
    int err = redis_expect(reply, REDIS_TEXT, why);
    part->read = true;
    part->there = err == ISG_OK;
    if (err == ISG_OK)
        isg_buf_put_str(&part->before, redis_text(reply));
    if (part->before.err != ISG_OK)
        err = isg_fail(why, part->before.err, "no memory for an object's parts");
    return err == ISG_ENOENT ? ISG_OK : err;
}

int store_parts_read(struct store *store, const char *collection, struct store_part *parts,
                     size_t n, uint64_t *out_mark, struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("GET"), names_parts(&key, collection));
    if (n > 0)
        ask_for(&pipe, parts, n);
    int err = redis_call(store->redis, REDIS_READ, &pipe, why);
    if (err == ISG_OK)
        err = read_mark(redis_nth(&pipe, 0), out_mark, why);
    if (err == ISG_OK && n > 0)
        err = redis_expect(redis_nth(&pipe, 1), REDIS_LIST, why);
    for (size_t i = 0; err == ISG_OK && i < n; i++)
        err = take_part(redis_at(redis_nth(&pipe, 1), i), &parts[i], why);
    redis_pipe_done(&pipe);
    return err;
}

/* ---- putting back --------------------------------------------------------------------------- */

static bool stands(const struct redis_reply *reply, const struct store_part *part)
{
    if (!part->read)
        return true;
    if (redis_is_nil(reply))
        return !part->there;
    return part->there && isg_str_eq(redis_text(reply), isg_buf_str(&part->before));
}

struct swap {
    const char *collection;
    const struct store_part *parts;
    size_t n;
    uint64_t mark;
    int64_t deadline_us;
};

static int fail_moved(struct isg_fail *why)
{
    return isg_fail(why, ISG_EBUSY, "another gateway changed an object's parts");
}

static int compare(struct redis_conn *conn, const struct swap *swap, struct isg_fail *why)
{
    struct redis_pipe pipe;
    redis_pipe_init(&pipe);
    ask_for(&pipe, swap->parts, swap->n);
    int err = conn_run(conn, &pipe, swap->deadline_us, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 0), REDIS_LIST, why);
    for (size_t i = 0; err == ISG_OK && i < swap->n; i++) {
        if (!stands(redis_at(redis_nth(&pipe, 0), i), &swap->parts[i]))
            err = fail_moved(why);
    }
    redis_pipe_done(&pipe);
    return err;
}

/* WATCH the counter, and see that what was read stands. */
static int watch(struct redis_conn *conn, const struct swap *swap, struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    uint64_t now = 0;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("WATCH"), names_parts(&key, swap->collection));
    REDIS(&pipe, ISG_STR("GET"), names_parts(&key, swap->collection));
    int err = conn_run(conn, &pipe, swap->deadline_us, why);
    if (err == ISG_OK)
        err = read_mark(redis_nth(&pipe, 1), &now, why);
    if (err == ISG_OK && now != swap->mark && swap->n > 0)
        err = compare(conn, swap, why);
    redis_pipe_done(&pipe);
    return err;
}

static int unwatch(struct redis_conn *conn, const struct swap *swap, struct isg_fail *why)
{
    struct redis_pipe pipe;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("UNWATCH"));
    int err = conn_run(conn, &pipe, swap->deadline_us, why);
    redis_pipe_done(&pipe);
    return err;
}

/* *out_again: another one was put back in between, which may concern none of these. */
static int put_watched(struct redis_conn *conn, const struct swap *swap, bool *out_again,
                       struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    size_t commands = 2;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("MULTI"));
    for (size_t i = 0; i < swap->n; i++) {
        if (swap->parts[i].after.p == NULL)
            continue;
        REDIS(&pipe, ISG_STR("HSET"), names_docs(&key, STORE_FACET), swap->parts[i].name,
              swap->parts[i].after);
        commands++;
    }
    REDIS(&pipe, ISG_STR("INCR"), names_parts(&key, swap->collection));
    REDIS(&pipe, ISG_STR("EXEC"));
    int err = conn_run(conn, &pipe, swap->deadline_us, why);
    for (size_t i = 0; i < commands && err == ISG_OK; i++)
        err = redis_expect(redis_nth(&pipe, i), REDIS_TEXT, why);
    const struct redis_reply *exec = redis_nth(&pipe, commands);
    if (err == ISG_OK)
        err = redis_expect(exec, REDIS_LIST, why);
    *out_again = err == ISG_ENOENT;
    for (size_t i = 0; i + 1 < commands && err == ISG_OK; i++)
        err = redis_expect(redis_at(exec, i), REDIS_INT, why);
    redis_pipe_done(&pipe);
    return err == ISG_ENOENT ? fail_moved(why) : err;
}

static int swap_once(struct redis_conn *conn, const struct swap *swap, bool writes, bool *out_again,
                     struct isg_fail *why)
{
    bool was_used = conn->used;
    int err = watch(conn, swap, why);
    *out_again = err != ISG_OK && conn->fault == CONN_CLOSED && was_used;
    if (err != ISG_OK && conn->fault == CONN_SOUND)
        (void)unwatch(conn, swap, NULL);
    if (err != ISG_OK)
        return err;
    if (!writes)
        return unwatch(conn, swap, why);
    err = put_watched(conn, swap, out_again, why);
    /* lost with the connection: reading again tells what became of it */
    return err != ISG_OK && conn->fault == CONN_CLOSED ? fail_moved(why) : err;
}

int store_parts_swap(struct store *store, const char *collection, const struct store_part *parts,
                     size_t n, uint64_t mark, struct isg_fail *why)
{
    const struct swap swap = {collection, parts, n, mark, redis_deadline(store->redis)};
    bool writes = false, again = true;
    int err = ISG_OK;
    for (size_t i = 0; i < n; i++)
        writes = writes || parts[i].after.p != NULL;
    while (again) {
        struct redis_conn *conn = NULL;
        err = redis_take(store->redis, REDIS_WRITE, swap.deadline_us, &conn, why);
        if (err != ISG_OK)
            return err;
        err = swap_once(conn, &swap, writes, &again, why);
        redis_give(store->redis, &conn);
        again = again && isg_time_mono_us() < swap.deadline_us;
    }
    return err;
}
