/*
 * A bounded queue with a few threads behind it: the place for everything that may wait (Redis,
 * argon2id, ingest), so that a listener thread never does.
 */
#ifndef GATEWAY_WORKER_H
#define GATEWAY_WORKER_H

#include <stddef.h>

#include "stix/base/err.h"

struct worker_pool;

/* A pool of threads (at least 1) with room for queue_max waiting jobs. NULL without memory. */
struct worker_pool *worker_pool_new(const char *name, size_t threads, size_t queue_max);

/* Run job(arg) on some thread. ISG_EBUSY when the queue is full or the pool is stopping. */
int worker_submit(struct worker_pool *pool, void (*job)(void *), void *arg);

/* Jobs waiting now. */
size_t worker_waiting(struct worker_pool *pool);

/* Finish all queued jobs, join the threads, free. Accepts NULL, leaves NULL. */
void worker_pool_free(struct worker_pool **pool);

#endif
