/*
 * When the private server's append-only file is rewritten. A rewrite takes a whole core from the
 * pushes beside it and is of use only where something in the file is over; the server's own rule
 * looks at the file's growth alone, and would rewrite a log that only grows again and again.
 */
#include "gateway/log.h"
#include "gateway/store/info.h"
#include "gateway/store/inside.h"

static const int64_t LOOK_US = 10000000;        /* between two looks */
static const int64_t FIRST_US = 3600000000;     /* from the start to the first daily rewrite */
static const int64_t DAY_US = 86400000000;      /* what was erased leaves the disk within it */
static const int64_t SMALL = INT64_C(64) << 20; /* bytes that are not worth a rewrite */

struct aof {
    int64_t bytes;
    int64_t base;   /* as the last rewrite left it */
    int64_t memory; /* that all keys take */
    bool busy;      /* it is being rewritten, or will be */
};

static int look(struct store *store, struct aof *out, struct isg_fail *why)
{
    struct redis_pipe pipe;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("INFO"), ISG_STR("persistence"));
    REDIS(&pipe, ISG_STR("INFO"), ISG_STR("memory"));
    int err = redis_call(store->redis, REDIS_READ, &pipe, why);
    for (size_t i = 0; i < 2 && err == ISG_OK; i++)
        err = redis_expect(redis_nth(&pipe, i), REDIS_TEXT, why);
    if (err == ISG_OK) {
        struct isg_str info = redis_text(redis_nth(&pipe, 0));
        *out = (struct aof){.bytes = info_number(info, "aof_current_size"),
                            .base = info_number(info, "aof_base_size"),
                            .memory = info_number(redis_text(redis_nth(&pipe, 1)), "used_memory"),
                            .busy = info_number(info, "aof_rewrite_in_progress") != 0 ||
                                    info_number(info, "aof_rewrite_scheduled") != 0};
    }
    redis_pipe_done(&pipe);
    return err;
}

/* Memory takes more than the same content does in the file: twice of it is more than half waste. */
static bool is_mostly_over(const struct aof *aof)
{
    return aof->bytes > SMALL + 2 * aof->memory;
}

static int rewrite(struct store *store, const struct aof *aof, struct isg_fail *why)
{
    struct redis_pipe pipe;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("BGREWRITEAOF"));
    int err = redis_call(store->redis, REDIS_WRITE, &pipe, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 0), REDIS_TEXT, why);
    redis_pipe_done(&pipe);
    if (err == ISG_OK)
        LOG(LOG_INFO, "store.rewrite", log_int("file", aof->bytes), log_int("memory", aof->memory));
    return err;
}

int store_tidy(struct store *store, int64_t now_us, bool *out_began, struct isg_fail *why)
{
    struct aof aof;
    *out_began = false;
    if (store->embedded == NULL || now_us < store->tidy_us)
        return ISG_OK;
    if (store->rewrite_us == 0)
        store->rewrite_us = now_us + FIRST_US;
    store->tidy_us = now_us + LOOK_US;
    int err = look(store, &aof, why);
    if (err != ISG_OK || aof.busy)
        return err;
    bool is_daily = now_us >= store->rewrite_us && aof.bytes > aof.base;
    if (!is_daily && !is_mostly_over(&aof))
        return ISG_OK;
    err = rewrite(store, &aof, why);
    if (err == ISG_OK) {
        store->rewrite_us = now_us + DAY_US;
        *out_began = true;
    }
    return err;
}
