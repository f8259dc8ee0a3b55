/* A full queue says so, every accepted job runs once, and stopping finishes what is queued. */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "gateway/worker.h"
#include "tests/support/tap.h"

static _Atomic int done_jobs;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void count_job(void *arg)
{
    (void)arg;
    atomic_fetch_add(&done_jobs, 1);
}

static void gated_job(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    atomic_fetch_add(&done_jobs, 1);
}

static void wait_until_empty(struct worker_pool *pool)
{
    struct timespec pause = {0, 1000000};
    for (int i = 0; i < 60000 && worker_waiting(pool) > 0; i++)
        nanosleep(&pause, NULL);
}

static void test_full(void)
{
    struct worker_pool *pool = worker_pool_new("test-full", 1, 3);
    atomic_store(&done_jobs, 0);
    pthread_mutex_lock(&gate);
    is_int(worker_submit(pool, gated_job, NULL), ISG_OK, "the first job is taken");
    wait_until_empty(pool); /* the thread holds it at the gate */
    for (int i = 0; i < 3; i++)
        is_int(worker_submit(pool, gated_job, NULL), ISG_OK, "job %d finds room", i);
    is_int(worker_submit(pool, gated_job, NULL), ISG_EBUSY, "a full queue refuses");
    is_int((long long)worker_waiting(pool), 3, "three are waiting");
    pthread_mutex_unlock(&gate);
    worker_pool_free(&pool);
    ok(pool == NULL, "the pool is gone");
    is_int(atomic_load(&done_jobs), 4, "stopping finished all that were taken");
}

static void *submit_many(void *arg)
{
    struct worker_pool *pool = arg;
    for (int i = 0; i < 2500; i++)
        while (worker_submit(pool, count_job, NULL) == ISG_EBUSY)
            nanosleep(&(struct timespec){0, 10000}, NULL);
    return NULL;
}

static void test_many(void)
{
    struct worker_pool *pool = worker_pool_new("test-many", 4, 64);
    pthread_t threads[4];
    atomic_store(&done_jobs, 0);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, submit_many, pool);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    worker_pool_free(&pool);
    is_int(atomic_load(&done_jobs), 10000, "every job ran once");
}

int main(void)
{
    struct worker_pool *none = NULL;
    test_full();
    test_many();
    worker_pool_free(&none);
    worker_pool_free(NULL);
    ok(true, "freeing nothing is allowed");
    return tap_done();
}
