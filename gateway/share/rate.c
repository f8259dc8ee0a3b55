#include "gateway/share/rate.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 256, NAME_BYTES = 65, MINUTE_US = 60000000 };

/* Only members that are limited have one, so there are at most as many as members. */
struct bucket {
    char name[NAME_BYTES];
    int64_t empty_us; /* what was taken is paid for by then */
    struct bucket *next;
};

struct rate {
    pthread_mutex_t lock;
    struct bucket *buckets[BUCKETS];
};

struct rate *rate_new(void)
{
    struct rate *rate = calloc(1, sizeof *rate);
    if (rate != NULL)
        (void)pthread_mutex_init(&rate->lock, NULL);
    return rate;
}

void rate_free(struct rate **rate)
{
    struct rate *old = *rate;
    *rate = NULL;
    if (old == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        while (old->buckets[i] != NULL) {
            struct bucket *gone = old->buckets[i];
            old->buckets[i] = gone->next;
            free(gone);
        }
    }
    (void)pthread_mutex_destroy(&old->lock);
    free(old);
}

static struct bucket *bucket_of(struct rate *rate, struct isg_str name)
{
    uint32_t hash = UINT32_C(2166136261);
    for (size_t i = 0; i < name.n; i++)
        hash = (hash ^ (unsigned char)name.p[i]) * UINT32_C(16777619);
    struct bucket **at = &rate->buckets[(hash ^ hash >> 16) % BUCKETS];
    for (struct bucket *b = *at; b != NULL; b = b->next)
        if (isg_str_is(name, b->name))
            return b;
    struct bucket *made = name.n < NAME_BYTES ? calloc(1, sizeof *made) : NULL;
    if (made == NULL)
        return NULL;
    memcpy(made->name, name.p, name.n);
    made->next = *at;
    *at = made;
    return made;
}

/*
 * A bucket is one instant: each request moves it on by its share of a minute, and it may run ahead
 * of the clock by one minute.
 */
unsigned rate_take(struct rate *rate, struct isg_str name, uint32_t per_minute, int64_t now_us)
{
    unsigned wait_s = 0;
    if (per_minute == 0)
        return 0;
    const int64_t share_us = MINUTE_US / per_minute;
    (void)pthread_mutex_lock(&rate->lock);
    struct bucket *bucket = bucket_of(rate, name);
    if (bucket != NULL) { /* without memory nobody is kept out */
        int64_t next_us = (bucket->empty_us > now_us ? bucket->empty_us : now_us) + share_us;
        if (next_us - now_us <= MINUTE_US)
            bucket->empty_us = next_us;
        else
            wait_s = (unsigned)((next_us - now_us - MINUTE_US + 999999) / 1000000);
    }
    (void)pthread_mutex_unlock(&rate->lock);
    return wait_s;
}
