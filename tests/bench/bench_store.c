/*
 * How fast objects are committed, against bare MULTI/EXEC of the same objects on the same server.
 *
 *     bench_store [SECONDS] [THREADS] [OBJECT BYTES]
 *
 * A redis-server of its own below /tmp, synced before every reply. In turns of about a second:
 * `raw` writes batches of 100 as SET and HSET in one MULTI; `store` pushes batches of 100 through
 * store_commit, from one thread and from several. Printed are objects/s and the ratio to raw.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/store/conn.h"
#include "stix/base/time.h"
#include "tests/integration/store/bed.h"

enum { BATCH = 100, THREADS_MAX = 16, TURN_US = 1000000 };

struct bench {
    struct store *store;
    struct redis_conn *conn;
    size_t bytes; /* of one object */
};

struct run {
    const struct bench *bench;
    int64_t end_us;
    unsigned done;
    pthread_t thread;
};

/* A batch nobody has pushed before. */
struct batch {
    char ids[BATCH][64];
    uint8_t digests[BATCH][ISG_SHA256_BYTES];
    struct isg_buf canon[BATCH];
};

static void fill(struct batch *batch, size_t bytes)
{
    for (size_t i = 0; i < BATCH; i++) {
        char uuid[ISG_UUID_TEXT];
        isg_uuid_random(uuid);
        snprintf(batch->ids[i], sizeof batch->ids[i], "tool--%s", uuid);
        isg_buf_reset(&batch->canon[i]);
        isg_buf_printf(&batch->canon[i], "{\"id\":\"%s\",\"name\":\"", batch->ids[i]);
        while (batch->canon[i].len < bytes)
            isg_buf_putc(&batch->canon[i], 'x');
        isg_sha256(isg_buf_str(&batch->canon[i]), batch->digests[i]);
    }
}

static struct batch *batch_new(void)
{
    struct batch *batch = calloc(1, sizeof *batch);
    if (batch == NULL)
        abort();
    for (size_t i = 0; i < BATCH; i++)
        isg_buf_init(&batch->canon[i], ISG_BUF_NO_MAX);
    return batch;
}

static void batch_free(struct batch *batch)
{
    for (size_t i = 0; i < BATCH; i++)
        isg_buf_done(&batch->canon[i]);
    free(batch);
}

static bool push_raw(const struct bench *bench, const struct batch *batch)
{
    struct redis_pipe pipe;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("MULTI"));
    for (size_t i = 0; i < BATCH; i++) {
        const struct isg_str digest = {(const char *)batch->digests[i], ISG_SHA256_BYTES};
        const struct isg_str id = isg_str_of(batch->ids[i]);
        REDIS(&pipe, ISG_STR("SET"), digest, isg_buf_str(&batch->canon[i]));
        REDIS(&pipe, ISG_STR("HSET"), id, ISG_STR("1"), digest);
    }
    REDIS(&pipe, ISG_STR("EXEC"));
    int err = conn_run(bench->conn, &pipe, isg_time_mono_us() + 10000000, NULL);
    redis_pipe_done(&pipe);
    return err == ISG_OK;
}

static bool push_store(const struct bench *bench, const struct batch *batch)
{
    struct store_put puts[BATCH];
    for (size_t i = 0; i < BATCH; i++)
        puts[i] = (struct store_put){.id = isg_str_of(batch->ids[i]),
                                     .version = ISG_STR("2024-01-01T00:00:00.000Z"),
                                     .versioned = true,
                                     .label = ISG_STR("tlp=amber;src=hospital-a"),
                                     .source = ISG_STR("hospital-a"),
                                     .canon = isg_buf_str(&batch->canon[i]),
                                     .digest = batch->digests[i]};
    return store_commit(bench->store, "bench", puts, BATCH, BED_SEES_ALL, NULL) == ISG_OK;
}

static void *run_store(void *arg)
{
    struct run *run = arg;
    struct batch *batch = batch_new();
    while (isg_time_mono_us() < run->end_us) {
        fill(batch, run->bench->bytes);
        run->done += push_store(run->bench, batch) ? BATCH : 0;
    }
    batch_free(batch);
    return NULL;
}

static void *run_raw(void *arg)
{
    struct run *run = arg;
    struct batch *batch = batch_new();
    while (isg_time_mono_us() < run->end_us) {
        fill(batch, run->bench->bytes);
        run->done += push_raw(run->bench, batch) ? BATCH : 0;
    }
    batch_free(batch);
    return NULL;
}

/* Objects per second of one turn. */
static double turn(const struct bench *bench, void *(*work)(void *), unsigned threads)
{
    struct run runs[THREADS_MAX];
    int64_t begin_us = isg_time_mono_us();
    unsigned done = 0;
    for (unsigned i = 0; i < threads; i++) {
        runs[i] = (struct run){.bench = bench, .end_us = begin_us + TURN_US};
        pthread_create(&runs[i].thread, NULL, work, &runs[i]);
    }
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(runs[i].thread, NULL);
        done += runs[i].done;
    }
    return (double)done * 1e6 / (double)(isg_time_mono_us() - begin_us);
}

static unsigned argument(int argc, char **argv, int i, unsigned most, unsigned otherwise)
{
    uint64_t n;
    return argc > i && isg_str_to_u64(isg_str_of(argv[i]), most, &n) && n > 0 ? (unsigned)n
                                                                              : otherwise;
}

static void measure(const struct bench *bench, unsigned seconds, unsigned threads)
{
    double raw = 0;
    double one = 0;
    double many = 0;
    unsigned turns = seconds < 3 ? 1 : seconds / 3;
    for (unsigned i = 0; i < turns; i++) {
        raw += turn(bench, run_raw, 1) / turns;
        one += turn(bench, run_store, 1) / turns;
        many += turn(bench, run_store, threads) / turns;
    }
    printf("raw MULTI, one connection   %9.0f objects/s\n", raw);
    printf("store_commit, 1 thread      %9.0f objects/s  ratio %.2f\n", one, one / raw);
    printf("store_commit, %2u threads    %9.0f objects/s  ratio %.2f\n", threads, many, many / raw);
}

int main(int argc, char **argv)
{
    char dir[BED_TEXT];
    char url[BED_TEXT];
    struct address address = {0};
    enum conn_fault fault;
    struct bench bench = {.bytes = argument(argc, argv, 3, 1000000, 800)};
    bed_make(dir);
    pid_t pid = bed_redis(dir, url);
    bench.store = bed_open(dir, url, 10000);
    if (address_read(url, NULL, &address, NULL) == ISG_OK &&
        conn_open(&address, NULL, isg_time_mono_us() + 1000000, &bench.conn, &fault, NULL) ==
            ISG_OK)
        measure(&bench, argument(argc, argv, 1, 3600, 9), argument(argc, argv, 2, THREADS_MAX, 8));
    conn_free(&bench.conn);
    address_done(&address);
    store_close(&bench.store);
    bed_end(pid, SIGTERM);
    bed_remove(dir);
    return 0;
}
