#define _GNU_SOURCE /* pthread_setname_np */
#include "gateway/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/metrics.h"

enum { NAME_MAX_BYTES = 16, LABELS_MAX_BYTES = 48 };

struct job {
    void (*run)(void *);
    void *arg;
};

struct worker_pool {
    pthread_mutex_t lock; /* guards everything below but the threads */
    pthread_cond_t wake;
    struct job *ring;
    size_t ring_size;
    size_t first; /* index of the oldest job */
    size_t waiting;
    bool stopping;
    pthread_t *threads;
    size_t threads_count;
    char name[NAME_MAX_BYTES]; /* of the threads; the kernel keeps 15 characters */
    char labels[LABELS_MAX_BYTES];
};

/* Called with the lock held, so that the gauge never goes back to an older value. */
static void count_waiting(struct worker_pool *pool)
{
    metric_set(METRIC_QUEUE_DEPTH, pool->labels, (int64_t)pool->waiting);
}

/* Wait for a job and take it out; false when the pool stops and nothing is left to do. */
static bool take_job(struct worker_pool *pool, struct job *out)
{
    pthread_mutex_lock(&pool->lock);
    while (pool->waiting == 0 && !pool->stopping)
        pthread_cond_wait(&pool->wake, &pool->lock);
    bool any = pool->waiting > 0;
    if (any) {
        *out = pool->ring[pool->first];
        pool->first = (pool->first + 1) % pool->ring_size;
        pool->waiting--;
        count_waiting(pool);
    }
    pthread_mutex_unlock(&pool->lock);
    return any;
}

static void *thread_main(void *arg)
{
    struct worker_pool *pool = arg;
    struct job job;
    while (take_job(pool, &job))
        job.run(job.arg);
    return NULL;
}

/* Signals belong to the thread that waits for them: workers start with all of them blocked. */
static void start_threads(struct worker_pool *pool, size_t threads)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (size_t i = 0; i < threads; i++) {
        if (pthread_create(&pool->threads[i], NULL, thread_main, pool) != 0)
            break;
        pthread_setname_np(pool->threads[i], pool->name);
        pool->threads_count++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void free_memory(struct worker_pool *pool)
{
    free(pool->ring);
    free(pool->threads);
    free(pool);
}

struct worker_pool *worker_pool_new(const char *name, size_t threads, size_t queue_max)
{
    struct worker_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return NULL;
    threads = threads == 0 ? 1 : threads;
    pool->ring_size = queue_max == 0 ? 1 : queue_max;
    pool->ring = calloc(pool->ring_size, sizeof *pool->ring);
    pool->threads = calloc(threads, sizeof *pool->threads);
    if (pool->ring == NULL || pool->threads == NULL) {
        free_memory(pool);
        return NULL;
    }
    (void)snprintf(pool->name, sizeof pool->name, "%.15s", name);
    (void)snprintf(pool->labels, sizeof pool->labels, "queue=\"%.30s\"", name);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    start_threads(pool, threads);
    if (pool->threads_count == 0)
        worker_pool_free(&pool);
    return pool;
}

int worker_submit(struct worker_pool *pool, void (*job)(void *), void *arg)
{
    pthread_mutex_lock(&pool->lock);
    bool room = !pool->stopping && pool->waiting < pool->ring_size;
    if (room) {
        size_t end = (pool->first + pool->waiting) % pool->ring_size;
        pool->ring[end] = (struct job){job, arg};
        pool->waiting++;
        count_waiting(pool);
        pthread_cond_signal(&pool->wake);
    }
    pthread_mutex_unlock(&pool->lock);
    return room ? ISG_OK : ISG_EBUSY;
}

size_t worker_waiting(struct worker_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    size_t waiting = pool->waiting;
    pthread_mutex_unlock(&pool->lock);
    return waiting;
}

void worker_pool_free(struct worker_pool **pool)
{
    if (pool == NULL || *pool == NULL)
        return;
    struct worker_pool *p = *pool;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < p->threads_count; i++)
        pthread_join(p->threads[i], NULL);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free_memory(p);
    *pool = NULL;
}
