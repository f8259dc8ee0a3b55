#include "gateway/store/migrate.h"

#include "gateway/log.h"
#include "gateway/store/names.h"
#include "gateway/store/store.h"

/* steps[v - 1] turns layout v into v + 1; repeating a step that was cut short must be harmless. */
typedef int migrate_step(struct redis *redis, struct isg_fail *why);

static int refuse_early(struct redis *redis, struct isg_fail *why)
{
    (void)redis;
    return isg_fail(why, ISG_ESTORE,
                    "the store has a layout that no release had: begin with an empty one");
}

/* 3 to 4: records say themselves whether their bytes lie in a pack, so what is there stays. */
static migrate_step *const steps[STORE_SCHEMA] = {refuse_early, refuse_early, NULL};

static int read_version(struct redis *redis, uint64_t *out, struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    struct names_key number;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("SET"), names_schema(&key), names_number(&number, STORE_SCHEMA),
          ISG_STR("NX"));
    REDIS(&pipe, ISG_STR("GET"), names_schema(&key));
    int err = redis_call(redis, REDIS_WRITE, &pipe, why);
    if (err == ISG_OK && redis_is_error(redis_nth(&pipe, 0), ""))
        err = redis_expect(redis_nth(&pipe, 0), REDIS_TEXT, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 1), REDIS_TEXT, why);
    if (err == ISG_ENOENT ||
        (err == ISG_OK && !isg_str_to_u64(redis_text(redis_nth(&pipe, 1)), UINT32_MAX, out)))
        err = isg_fail(why, ISG_ESTORE, "the version of the store's layout is unreadable");
    redis_pipe_done(&pipe);
    return err;
}

static int write_version(struct redis *redis, uint64_t version, struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    struct names_key number;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("SET"), names_schema(&key), names_number(&number, version));
    int err = redis_call(redis, REDIS_WRITE, &pipe, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 0), REDIS_TEXT, why);
    redis_pipe_done(&pipe);
    return err;
}

int migrate(struct redis *redis, struct isg_fail *why)
{
    uint64_t version;
    int err = read_version(redis, &version, why);
    if (err == ISG_OK && version > STORE_SCHEMA)
        return isg_fail(why, ISG_ESTORE,
                        "the store has layout %llu, this gateway knows up to %d: use a newer one",
                        (unsigned long long)version, STORE_SCHEMA);
    if (err == ISG_OK && version == 0)
        return isg_fail(why, ISG_ESTORE, "the version of the store's layout is unreadable");
    for (; err == ISG_OK && version < STORE_SCHEMA; version++) {
        LOG(LOG_INFO, "store.migrate", log_int("from", (int64_t)version));
        if (steps[version - 1] != NULL)
            err = steps[version - 1](redis, why);
        if (err == ISG_OK)
            err = write_version(redis, version + 1, why);
    }
    return err;
}
