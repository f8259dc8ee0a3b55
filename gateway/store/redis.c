#include "gateway/store/redis.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/log.h"
#include "gateway/metrics.h"
#include "stix/base/time.h"

enum {
    CONNS_MAX = 16,          /* open at once, for each use */
    PROBE_FIRST_US = 50000,  /* the first new try after a failure */
    PROBE_LAST_US = 5000000, /* tries become no rarer than this */
    PROBE_PATIENCE_US = 1000000
};

enum link_state { LINK_UP, LINK_LOADING, LINK_DOWN };

struct pool {
    struct redis_conn *idle[CONNS_MAX];
    unsigned idle_count;
    unsigned open; /* idle and borrowed */
};

struct redis {
    const struct address *address;
    const char *password_file;
    unsigned timeout_ms;
    pthread_t prober;
    pthread_mutex_t lock;
    pthread_cond_t moved;  /* state changed, or a connection came back: for takers */
    pthread_cond_t turned; /* state changed, or all is over: for the prober, who sleeps mostly */
    unsigned takers;       /* that wait */
    enum link_state state;
    uint64_t link;
    bool stopping;
    struct isg_fail why; /* of the failure that opened the breaker */
    struct pool pools[REDIS_USE_COUNT];
    uint64_t dice; /* state of the jitter */
};

static struct timespec to_timespec(int64_t us)
{
    return (struct timespec){.tv_sec = (time_t)(us / 1000000),
                             .tv_nsec = (long)(us % 1000000) * 1000};
}

/* Wait until then; false when the time is over. */
static bool wait_until(struct redis *r, pthread_cond_t *cond, int64_t then_us)
{
    struct timespec at = to_timespec(then_us);
    return pthread_cond_timedwait(cond, &r->lock, &at) != ETIMEDOUT;
}

/* Something came back for those who wait, if anybody does. */
static void wake_takers(struct redis *r)
{
    if (r->takers > 0)
        pthread_cond_broadcast(&r->moved);
}

static void state_turned(struct redis *r)
{
    wake_takers(r);
    pthread_cond_signal(&r->turned);
}

/* Take all idle connections out, to be closed outside of the lock or when all is over. */
static void drop_idle(struct redis *r)
{
    for (int use = 0; use < REDIS_USE_COUNT; use++) {
        struct pool *pool = &r->pools[use];
        while (pool->idle_count > 0) {
            pool->open--;
            conn_free(&pool->idle[--pool->idle_count]);
        }
    }
}

/* Open the breaker (lock held). */
static void trip(struct redis *r, enum conn_fault fault, const struct isg_fail *why)
{
    enum link_state state = fault == CONN_LOADING ? LINK_LOADING : LINK_DOWN;
    if (r->state == LINK_UP) {
        r->link++;
        metric_set(METRIC_REDIS_UP, "", 0);
        LOG(LOG_WARN, "store.down", log_cstr("url", r->address->text), log_why(why));
    }
    r->state = state;
    r->why = *why;
    drop_idle(r);
    state_turned(r);
}

static void restore(struct redis *r)
{
    if (r->state != LINK_UP) {
        metric_set(METRIC_REDIS_UP, "", 1);
        metric_add(METRIC_REDIS_RECONNECTS, "", 1);
        LOG(LOG_INFO, "store.up", log_cstr("url", r->address->text));
    }
    r->state = LINK_UP;
    state_turned(r);
}

/* delay, give or take a quarter */
static int64_t jitter(struct redis *r, int64_t delay_us)
{
    r->dice = r->dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    int64_t half = delay_us / 2;
    return delay_us - half / 2 + (int64_t)(r->dice >> 33) % (half + 1);
}

/* One try of the thread behind the breaker (lock held, given up meanwhile). */
static void probe(struct redis *r)
{
    struct redis_conn *conn = NULL;
    struct isg_fail why = {0};
    enum conn_fault fault = CONN_CLOSED;
    pthread_mutex_unlock(&r->lock);
    int err = conn_open(r->address, r->password_file, isg_time_mono_us() + PROBE_PATIENCE_US, &conn,
                        &fault, &why);
    conn_free(&conn);
    pthread_mutex_lock(&r->lock);
    if (err == ISG_OK)
        restore(r);
    else
        trip(r, fault, &why);
}

static void *probe_run(void *arg)
{
    struct redis *r = arg;
    int64_t delay_us = PROBE_FIRST_US;
    pthread_mutex_lock(&r->lock);
    while (!r->stopping) {
        if (r->state == LINK_UP) {
            delay_us = PROBE_FIRST_US;
            pthread_cond_wait(&r->turned, &r->lock);
            continue;
        }
        int64_t then_us = isg_time_mono_us() + jitter(r, delay_us);
        while (!r->stopping && wait_until(r, &r->turned, then_us)) {
        }
        if (r->stopping)
            break;
        probe(r);
        delay_us = r->state == LINK_LOADING ? PROBE_FIRST_US : delay_us * 2;
        if (delay_us > PROBE_LAST_US)
            delay_us = PROBE_LAST_US;
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

static int init_sync(struct redis *r)
{
    pthread_condattr_t attr;
    if (pthread_mutex_init(&r->lock, NULL) != 0)
        return ISG_ENOMEM;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    int moved = pthread_cond_init(&r->moved, &attr);
    int turned = moved == 0 ? pthread_cond_init(&r->turned, &attr) : moved;
    pthread_condattr_destroy(&attr);
    if (turned == 0)
        return ISG_OK;
    if (moved == 0)
        pthread_cond_destroy(&r->moved);
    pthread_mutex_destroy(&r->lock);
    return ISG_ENOMEM;
}

static void done_sync(struct redis *r)
{
    pthread_cond_destroy(&r->moved);
    pthread_cond_destroy(&r->turned);
    pthread_mutex_destroy(&r->lock);
}

struct redis *redis_new(const struct redis_options *options)
{
    struct redis *r = calloc(1, sizeof *r);
    if (r == NULL || init_sync(r) != ISG_OK) {
        free(r);
        return NULL;
    }
    r->address = options->address;
    r->password_file = options->password_file;
    r->timeout_ms = options->timeout_ms;
    r->link = 1;
    r->dice = (uint64_t)isg_time_now_us();
    metric_set(METRIC_REDIS_UP, "", 1);
    if (pthread_create(&r->prober, NULL, probe_run, r) != 0) {
        done_sync(r);
        free(r);
        return NULL;
    }
    return r;
}

void redis_free(struct redis **redis)
{
    struct redis *r = *redis;
    if (r == NULL)
        return;
    pthread_mutex_lock(&r->lock);
    r->stopping = true;
    state_turned(r);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->prober, NULL);
    drop_idle(r);
    done_sync(r);
    free(r);
    *redis = NULL;
}

int64_t redis_deadline(const struct redis *r)
{
    return isg_time_mono_us() + (int64_t)r->timeout_ms * 1000;
}

/* Wait for the right to a connection (lock held): one counted as open for the caller. */
static int admit(struct redis *r, struct pool *pool, int64_t deadline_us, struct isg_fail *why)
{
    for (;;) {
        if (r->state == LINK_DOWN || r->stopping) {
            if (why != NULL)
                *why = r->why;
            return ISG_ESTORE;
        }
        if (r->state == LINK_UP && (pool->idle_count > 0 || pool->open < CONNS_MAX))
            return ISG_OK;
        r->takers++;
        bool in_time = wait_until(r, &r->moved, deadline_us);
        r->takers--;
        if (!in_time)
            return isg_fail(why, ISG_ESTORE, "%s",
                            r->state == LINK_LOADING ? "Redis is loading its data"
                                                     : "all connections to Redis are in use");
    }
}

/* An idle connection that still lives (lock held), or NULL. */
static struct redis_conn *pick_idle(struct pool *pool)
{
    while (pool->idle_count > 0) {
        struct redis_conn *conn = pool->idle[--pool->idle_count];
        if (conn_is_quiet(conn))
            return conn;
        conn_free(&conn);
        pool->open--;
    }
    return NULL;
}

static int open_new(struct redis *r, struct pool *pool, int64_t deadline_us,
                    struct redis_conn **out, struct isg_fail *why)
{
    struct isg_fail fail = {0};
    enum conn_fault fault;
    uint64_t link = r->link;
    pool->open++;
    pthread_mutex_unlock(&r->lock);
    int err = conn_open(r->address, r->password_file, deadline_us, out, &fault, &fail);
    pthread_mutex_lock(&r->lock);
    if (err == ISG_OK) {
        (*out)->link = link;
        return ISG_OK;
    }
    pool->open--;
    if (err == ISG_ESTORE)
        trip(r, fault, &fail);
    else
        wake_takers(r);
    if (why != NULL)
        *why = fail;
    return err;
}

int redis_take(struct redis *r, enum redis_use use, int64_t deadline_us, struct redis_conn **out,
               struct isg_fail *why)
{
    struct pool *pool = &r->pools[use];
    struct redis_conn *conn = NULL;
    int err;
    pthread_mutex_lock(&r->lock);
    do {
        err = admit(r, pool, deadline_us, why);
        if (err == ISG_OK && (conn = pick_idle(pool)) == NULL)
            err = open_new(r, pool, deadline_us, &conn, why);
    } while (err == ISG_ESTORE && r->state == LINK_LOADING && isg_time_mono_us() < deadline_us);
    pthread_mutex_unlock(&r->lock);
    if (err == ISG_OK) {
        conn->kind = (int)use;
        *out = conn;
    }
    return err;
}

void redis_give(struct redis *r, struct redis_conn **conn)
{
    struct redis_conn *c = *conn;
    if (c == NULL)
        return;
    struct pool *pool = &r->pools[c->kind];
    *conn = NULL;
    pthread_mutex_lock(&r->lock);
    if ((c->fault == CONN_SILENT || c->fault == CONN_GARBAGE) && c->link == r->link) {
        struct isg_fail why;
        (void)isg_fail(&why, ISG_ESTORE, "%s",
                       c->fault == CONN_SILENT ? "Redis did not answer in time"
                                               : "Redis sent something that is no reply");
        trip(r, c->fault, &why);
    }
    if (c->fault == CONN_CLOSED && c->link == r->link) {
        r->link++; /* it may have been another server process that spoke to us until now */
        drop_idle(r);
    }
    if (c->fault == CONN_SOUND && r->state == LINK_UP && c->link == r->link) {
        pool->idle[pool->idle_count++] = c;
        c = NULL;
    } else {
        pool->open--;
    }
    wake_takers(r);
    pthread_mutex_unlock(&r->lock);
    conn_free(&c);
}

static void pipe_rewind(struct redis_pipe *pipe)
{
    struct isg_buf out = pipe->out;
    size_t count = pipe->count;
    isg_buf_init(&pipe->out, ISG_BUF_NO_MAX);
    redis_pipe_done(pipe);
    pipe->out = out;
    pipe->count = count;
}

int redis_call(struct redis *r, enum redis_use use, struct redis_pipe *pipe, struct isg_fail *why)
{
    int64_t deadline_us = redis_deadline(r);
    for (int round = 0;; round++) {
        struct redis_conn *conn = NULL;
        int err = redis_take(r, use, deadline_us, &conn, why);
        if (err != ISG_OK)
            return err;
        bool was_used = conn->used;
        err = conn_run(conn, pipe, deadline_us, why);
        bool again = err != ISG_OK && conn->fault == CONN_CLOSED && was_used && round < 3;
        redis_give(r, &conn);
        if (!again)
            return err;
        pipe_rewind(pipe);
    }
}

int redis_exec(struct redis *r, struct redis_pipe *pipe, struct isg_fail *why)
{
    REDIS(pipe, ISG_STR("EXEC"));
    int err = redis_call(r, REDIS_WRITE, pipe, why);
    for (size_t i = 0; i + 1 < pipe->count && err == ISG_OK; i++)
        err = redis_expect(redis_nth(pipe, i), REDIS_TEXT, why);
    const struct redis_reply *exec = redis_nth(pipe, pipe->count - 1);
    if (err == ISG_OK)
        err = redis_expect(exec, REDIS_LIST, why);
    for (size_t i = 0; i < redis_count(exec) && err == ISG_OK; i++)
        err = redis_expect(redis_at(exec, i), REDIS_INT, why);
    return err == ISG_ENOENT ? isg_fail(why, ISG_ESTORE, "Redis: transaction aborted") : err;
}

const char *redis_breaker(struct redis *r)
{
    static const char *const words[] = {
        [LINK_UP] = "closed", [LINK_LOADING] = "loading", [LINK_DOWN] = "open"};
    pthread_mutex_lock(&r->lock);
    enum link_state state = r->state;
    pthread_mutex_unlock(&r->lock);
    return words[state];
}

bool redis_is_up(struct redis *r)
{
    pthread_mutex_lock(&r->lock);
    bool up = r->state == LINK_UP;
    pthread_mutex_unlock(&r->lock);
    return up;
}

uint64_t redis_link(struct redis *r)
{
    pthread_mutex_lock(&r->lock);
    uint64_t link = r->link;
    pthread_mutex_unlock(&r->lock);
    return link;
}
