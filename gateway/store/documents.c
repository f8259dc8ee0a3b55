/*
 * Small documents (one hash per kind), their generation, and statuses that expire.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/store/inside.h"
#include "gateway/store/names.h"

static int no_memory(struct isg_fail *why)
{
    return isg_fail(why, ISG_ENOMEM, "out of memory");
}

/* Kinds whose changes move the generation: what decides who may do what. */
static bool is_watched(enum store_doc kind)
{
    return kind == STORE_MEMBER || kind == STORE_COLLECTION;
}

/* Close a transaction of one change, with the generation where it moves. */
static int run_change(struct store *store, struct redis_pipe *pipe, enum store_doc kind,
                      int64_t *out_changed, struct isg_fail *why)
{
    struct names_key key;
    if (is_watched(kind))
        REDIS(pipe, ISG_STR("INCR"), names_docs_generation(&key));
    int err = redis_exec(store->redis, pipe, why);
    if (err == ISG_OK && out_changed != NULL)
        *out_changed = redis_number(redis_at(redis_nth(pipe, pipe->count - 1), 0));
    return err;
}

int store_doc_put(struct store *store, enum store_doc kind, struct isg_str name,
                  struct isg_str json, struct isg_fail *why)
{
    const struct store_doc_text doc = {name, json};
    return store_docs_put(store, kind, &doc, 1, why);
}

int store_docs_put(struct store *store, enum store_doc kind, const struct store_doc_text *docs,
                   size_t count, struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("MULTI"));
    for (size_t i = 0; i < count; i++)
        REDIS(&pipe, ISG_STR("HSET"), names_docs(&key, kind), docs[i].name, docs[i].json);
    int err = run_change(store, &pipe, kind, NULL, why);
    redis_pipe_done(&pipe);
    return err;
}

/* WATCH the generation; ISG_EBUSY unless it is the one that is expected. */
static int watch_generation(struct redis_conn *conn, uint64_t expected, int64_t deadline_us,
                            struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    uint64_t now = 0;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("WATCH"), names_docs_generation(&key));
    REDIS(&pipe, ISG_STR("GET"), names_docs_generation(&key));
    int err = conn_run(conn, &pipe, deadline_us, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 1), REDIS_TEXT, why);
    if (err == ISG_OK && !isg_str_to_u64(redis_text(redis_nth(&pipe, 1)), UINT64_MAX, &now))
        err = isg_fail(why, ISG_ESTORE, "the generation of the documents is damaged");
    if (err == ISG_ENOENT)
        err = ISG_OK;
    if (err == ISG_OK && now != expected) {
        redis_pipe_reset(&pipe);
        REDIS(&pipe, ISG_STR("UNWATCH"));
        (void)conn_run(conn, &pipe, deadline_us, NULL);
        err = isg_fail(why, ISG_EBUSY, "the documents have changed");
    }
    redis_pipe_done(&pipe);
    return err;
}

/* The change itself; it is not repeated, since another one may have followed it by then. */
static int put_watched(struct redis_conn *conn, struct redis_pipe *pipe, int64_t deadline_us,
                       struct isg_fail *why)
{
    struct names_key key;
    REDIS(pipe, ISG_STR("INCR"), names_docs_generation(&key));
    REDIS(pipe, ISG_STR("EXEC"));
    int err = conn_run(conn, pipe, deadline_us, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(pipe, 3), REDIS_LIST, why);
    for (size_t i = 0; i < 2 && err == ISG_OK; i++)
        err = redis_expect(redis_at(redis_nth(pipe, 3), i), REDIS_INT, why);
    return err == ISG_ENOENT ? isg_fail(why, ISG_EBUSY, "the documents have changed") : err;
}

int store_doc_swap(struct store *store, enum store_doc kind, struct isg_str name,
                   struct isg_str json, uint64_t generation, struct isg_fail *why)
{
    int64_t deadline_us = redis_deadline(store->redis);
    struct redis_pipe pipe;
    struct names_key key;
    struct redis_conn *conn = NULL;
    int err;
    for (int round = 0;; round++) {
        err = redis_take(store->redis, REDIS_WRITE, deadline_us, &conn, why);
        if (err != ISG_OK)
            return err;
        bool was_used = conn->used;
        err = watch_generation(conn, generation, deadline_us, why);
        if (err == ISG_OK || conn->fault != CONN_CLOSED || !was_used || round == 3)
            break;
        redis_give(store->redis, &conn);
    }
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("MULTI"));
    REDIS(&pipe, ISG_STR("HSET"), names_docs(&key, kind), name, json);
    if (err == ISG_OK)
        err = put_watched(conn, &pipe, deadline_us, why);
    redis_pipe_done(&pipe);
    redis_give(store->redis, &conn);
    return err;
}

int store_doc_get(struct store *store, enum store_doc kind, struct isg_str name,
                  struct isg_buf *out, struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("HGET"), names_docs(&key, kind), name);
    int err = redis_call(store->redis, REDIS_READ, &pipe, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 0), REDIS_TEXT, why);
    if (err == ISG_ENOENT)
        err = isg_fail(why, ISG_ENOENT, "no such document");
    if (err == ISG_OK) {
        isg_buf_put_str(out, redis_text(redis_nth(&pipe, 0)));
        err = out->err == ISG_OK ? ISG_OK : isg_fail(why, out->err, "%s", isg_strerror(out->err));
    }
    redis_pipe_done(&pipe);
    return err;
}

int store_doc_remove(struct store *store, enum store_doc kind, struct isg_str name,
                     struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    int64_t removed = 0;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("MULTI"));
    REDIS(&pipe, ISG_STR("HDEL"), names_docs(&key, kind), name);
    int err = run_change(store, &pipe, kind, &removed, why);
    redis_pipe_done(&pipe);
    if (err == ISG_OK && removed == 0)
        err = isg_fail(why, ISG_ENOENT, "no such document");
    return err;
}

struct doc {
    struct isg_str name;
    struct isg_str json;
};

static int by_name(const void *a, const void *b)
{
    return isg_str_cmp(((const struct doc *)a)->name, ((const struct doc *)b)->name);
}

static int each_of(const struct redis_reply *reply,
                   int (*each)(void *arg, struct isg_str name, struct isg_str json), void *arg,
                   struct isg_fail *why)
{
    size_t n = redis_count(reply) / 2;
    struct doc *docs = malloc((n + 1) * sizeof *docs);
    int err = ISG_OK;
    if (docs == NULL)
        return no_memory(why);
    for (size_t i = 0; i < n; i++)
        docs[i] = (struct doc){redis_text(redis_at(reply, 2 * i)),
                               redis_text(redis_at(reply, 2 * i + 1))};
    qsort(docs, n, sizeof *docs, by_name);
    for (size_t i = 0; i < n && err == ISG_OK; i++)
        err = each(arg, docs[i].name, docs[i].json);
    free(docs);
    return err;
}

int store_doc_each(struct store *store, enum store_doc kind,
                   int (*each)(void *arg, struct isg_str name, struct isg_str json), void *arg,
                   struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("HGETALL"), names_docs(&key, kind));
    int err = redis_call(store->redis, REDIS_READ, &pipe, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 0), REDIS_LIST, why);
    if (err == ISG_OK)
        err = each_of(redis_nth(&pipe, 0), each, arg, why);
    redis_pipe_done(&pipe);
    return err;
}

int store_docs_generation(struct store *store, uint64_t *out, struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    uint64_t generation = 0;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("GET"), names_docs_generation(&key));
    int err = redis_call(store->redis, REDIS_READ, &pipe, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 0), REDIS_TEXT, why);
    if (err == ISG_OK && !isg_str_to_u64(redis_text(redis_nth(&pipe, 0)), UINT64_MAX, &generation))
        err = isg_fail(why, ISG_ESTORE, "the generation of the documents is damaged");
    redis_pipe_done(&pipe);
    if (err == ISG_OK || err == ISG_ENOENT)
        *out = generation; /* 0 before the first document */
    return err == ISG_ENOENT ? ISG_OK : err;
}

int store_agree(struct store *store, struct isg_str name, struct isg_str value, bool *out_same,
                struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("HSETNX"), names_agreed(&key), name, value);
    REDIS(&pipe, ISG_STR("HGET"), names_agreed(&key), name);
    int err = redis_call(store->redis, REDIS_WRITE, &pipe, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 0), REDIS_INT, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 1), REDIS_TEXT, why);
    if (err == ISG_OK)
        *out_same = isg_str_eq(redis_text(redis_nth(&pipe, 1)), value);
    redis_pipe_done(&pipe);
    return err == ISG_ENOENT ? isg_fail(why, ISG_ESTORE, "Redis: a value is lost") : err;
}

/* ---- statuses ------------------------------------------------------------------------------- */

int store_status_put(struct store *store, const char *id, struct isg_str owner, struct isg_str json,
                     uint32_t ttl_s, struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    struct names_key seconds;
    struct isg_buf value;
    if (!names_id_is_valid(isg_str_of(id)))
        return isg_fail(why, ISG_EINVAL, "status id of impossible length");
    isg_buf_init(&value, ISG_BUF_NO_MAX);
    isg_buf_printf(&value, "%zu ", owner.n);
    isg_buf_put_str(&value, owner);
    isg_buf_put_str(&value, json);
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("SET"), names_status(&key, isg_str_of(id)), isg_buf_str(&value),
          ISG_STR("EX"), names_number(&seconds, ttl_s > 0 ? ttl_s : 1));
    int err =
        value.err == ISG_OK ? redis_call(store->redis, REDIS_WRITE, &pipe, why) : no_memory(why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 0), REDIS_TEXT, why);
    redis_pipe_done(&pipe);
    isg_buf_done(&value);
    return err;
}

static int split_status(struct isg_str value, struct isg_buf *out_owner, struct isg_buf *out_json,
                        struct isg_fail *why)
{
    struct isg_str length;
    uint64_t n;
    if (!isg_str_split(&value, ' ', &length) || !isg_str_to_u64(length, value.n, &n))
        return isg_fail(why, ISG_ESTORE, "the status is damaged");
    isg_buf_put(out_owner, value.p, (size_t)n);
    isg_buf_put_str(out_json, isg_str_from(value, (size_t)n));
    int err = out_owner->err != ISG_OK ? out_owner->err : out_json->err;
    return err == ISG_OK ? ISG_OK : isg_fail(why, err, "%s", isg_strerror(err));
}

int store_status_get(struct store *store, struct isg_str id, struct isg_buf *out_owner,
                     struct isg_buf *out_json, struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    if (!names_id_is_valid(id))
        return isg_fail(why, ISG_ENOENT, "no such status");
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("GET"), names_status(&key, id));
    int err = redis_call(store->redis, REDIS_READ, &pipe, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 0), REDIS_TEXT, why);
    if (err == ISG_ENOENT)
        err = isg_fail(why, ISG_ENOENT, "no such status");
    if (err == ISG_OK)
        err = split_status(redis_text(redis_nth(&pipe, 0)), out_owner, out_json, why);
    redis_pipe_done(&pipe);
    return err;
}
