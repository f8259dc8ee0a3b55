#include "gateway/taxii/flight.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct flight {
    struct page_key key;
    unsigned refs; /* the builder and those who wait */
    bool landed;
    struct page *page;
    pthread_cond_t moved;
    struct flight *next;
};

struct flights {
    pthread_mutex_t lock;
    struct flight *first; /* no more than there are workers */
};

struct flights *flights_new(void)
{
    struct flights *flights = calloc(1, sizeof *flights);
    if (flights != NULL)
        (void)pthread_mutex_init(&flights->lock, NULL);
    return flights;
}

void flights_free(struct flights **flights)
{
    struct flights *gone = *flights;
    *flights = NULL;
    if (gone == NULL)
        return;
    (void)pthread_mutex_destroy(&gone->lock);
    free(gone);
}

static struct timespec from_now(unsigned ms)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)(ms / 1000);
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

/* ---- with the lock held --------------------------------------------------------------------- */

static struct flight *begin(struct flights *flights, const struct page_key *key)
{
    pthread_condattr_t attr;
    struct flight *flight = calloc(1, sizeof *flight);
    if (flight == NULL)
        return NULL;
    flight->key = *key;
    flight->refs = 1;
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&flight->moved, &attr);
    (void)pthread_condattr_destroy(&attr);
    flight->next = flights->first;
    flights->first = flight;
    return flight;
}

static void leave(struct flight *flight)
{
    if (--flight->refs > 0)
        return;
    page_unref(&flight->page);
    (void)pthread_cond_destroy(&flight->moved);
    free(flight);
}

static struct page *wait_for(struct flights *flights, struct flight *flight, unsigned wait_ms)
{
    struct timespec until = from_now(wait_ms);
    int err = 0;
    flight->refs++;
    while (!flight->landed && err != ETIMEDOUT)
        err = pthread_cond_timedwait(&flight->moved, &flights->lock, &until);
    struct page *page = flight->page != NULL ? page_ref(flight->page) : NULL;
    leave(flight);
    return page;
}

/* ---- the calls ------------------------------------------------------------------------------ */

bool flight_join(struct flights *flights, const struct page_key *key, unsigned wait_ms,
                 struct flight **out_mine, struct page **out_page)
{
    struct flight *mine = NULL;
    struct page *page = NULL;
    (void)pthread_mutex_lock(&flights->lock);
    struct flight *other = flights->first;
    while (other != NULL && memcmp(&other->key, key, sizeof *key) != 0)
        other = other->next;
    if (other != NULL)
        page = wait_for(flights, other, wait_ms);
    else
        mine = begin(flights, key);
    (void)pthread_mutex_unlock(&flights->lock);
    *out_page = page;
    *out_mine = mine;
    return mine != NULL;
}

void flight_land(struct flights *flights, struct flight **mine, struct page *page)
{
    struct flight *flight = *mine;
    *mine = NULL;
    (void)pthread_mutex_lock(&flights->lock);
    struct flight **at = &flights->first;
    while (*at != flight)
        at = &(*at)->next;
    *at = flight->next;
    flight->page = page != NULL ? page_ref(page) : NULL;
    flight->landed = true;
    (void)pthread_cond_broadcast(&flight->moved);
    leave(flight);
    (void)pthread_mutex_unlock(&flights->lock);
}
