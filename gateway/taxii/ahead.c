#include "gateway/taxii/ahead.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    SLOTS = 1024,
    DUE = 4,         /* misses of a block, with none of another in its slot between them */
    AGAIN = 256,     /* misses until it is read again: it was dropped from the cache meanwhile */
    PAGE_COST = 1024 /* of a page in the cache beside its bytes, about */
};

struct slot {
    uint64_t block; /* mixed with collection and view */
    unsigned misses;
};

struct ahead {
    pthread_mutex_t lock;
    struct slot slots[SLOTS];
};

struct ahead *ahead_new(void)
{
    struct ahead *ahead = calloc(1, sizeof *ahead);
    if (ahead != NULL)
        (void)pthread_mutex_init(&ahead->lock, NULL);
    return ahead;
}

void ahead_free(struct ahead **ahead)
{
    struct ahead *gone = *ahead;
    *ahead = NULL;
    if (gone == NULL)
        return;
    (void)pthread_mutex_destroy(&gone->lock);
    free(gone);
}

static uint64_t mix(const char *collection, const struct ahead_miss *miss)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (const char *c = collection; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * UINT64_C(1099511628211);
    hash = (hash ^ miss->view) * UINT64_C(0xff51afd7ed558ccd);
    hash ^= hash >> 32;
    hash = (hash ^ miss->block) * UINT64_C(0xff51afd7ed558ccd);
    return hash ^ hash >> 32;
}

/* By the page at hand: objects of one collection are of one size, about. */
static bool would_fit(const struct ahead_miss *miss)
{
    return miss->positions <= miss->bytes_max / 2 / (miss->page_bytes + PAGE_COST);
}

bool ahead_is_due(struct ahead *ahead, const char *collection, const struct ahead_miss *miss)
{
    uint64_t block = mix(collection, miss);
    struct slot *slot = &ahead->slots[block % SLOTS];
    if (!would_fit(miss))
        return false;
    (void)pthread_mutex_lock(&ahead->lock);
    if (slot->block != block)
        *slot = (struct slot){.block = block};
    bool due = ++slot->misses % AGAIN == DUE;
    (void)pthread_mutex_unlock(&ahead->lock);
    return due;
}
