/* Builds that are shared: one builds, the others get his page, nobody waits without bound. */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/taxii/flight.h"
#include "stix/base/time.h"
#include "tests/support/tap.h"

enum { CROWD = 16 };

static struct flights *flights;
static atomic_int builds;
static atomic_int shared;
static atomic_int asking;

static struct page_key key_of(uint8_t n)
{
    struct page_key key = {{0}};
    key.digest[ISG_SHA256_BYTES - 1] = n;
    return key;
}

static void nap_ms(long ms)
{
    const struct timespec nap = {.tv_nsec = ms * 1000000};
    (void)nanosleep(&nap, NULL);
}

static void *ask(void *arg)
{
    struct page_key key = key_of(1);
    struct flight *mine = NULL;
    struct page *page = NULL;
    (void)arg;
    atomic_fetch_add(&asking, 1);
    if (flight_join(flights, &key, 120000, &mine, &page)) {
        atomic_fetch_add(&builds, 1);
        for (int i = 0; i < 6000 && atomic_load(&asking) < CROWD; i++)
            nap_ms(10);
        nap_ms(300); /* the last of them has said so, and joins */
        page = page_new(0);
        flight_land(flights, &mine, page);
    } else if (page != NULL) {
        atomic_fetch_add(&shared, 1);
    }
    page_unref(&page);
    return NULL;
}

static void check_crowd(void)
{
    pthread_t threads[CROWD];
    for (size_t i = 0; i < CROWD; i++)
        if (pthread_create(&threads[i], NULL, ask, NULL) != 0)
            abort();
    for (size_t i = 0; i < CROWD; i++)
        (void)pthread_join(threads[i], NULL);
    ok(atomic_load(&builds) >= 1 && atomic_load(&builds) + atomic_load(&shared) == CROWD,
       "each has a page");
    ok(atomic_load(&builds) < CROWD / 2, "and few were built (%d)", atomic_load(&builds));
}

static void check_alone(void)
{
    struct page_key key = key_of(1);
    struct page_key other = key_of(2);
    struct flight *mine = NULL;
    struct flight *second = NULL;
    struct flight *none = NULL;
    struct page *page = NULL;
    ok(flight_join(flights, &key, 0, &mine, &page) && mine != NULL && page == NULL, "first: build");
    ok(flight_join(flights, &other, 0, &second, &page) && second != NULL, "another key: build");
    int64_t began_us = isg_time_mono_us();
    ok(!flight_join(flights, &key, 50, &none, &page) && none == NULL && page == NULL,
       "the same key: waits, in vain");
    int64_t took_us = isg_time_mono_us() - began_us;
    ok(took_us >= 50000 && took_us < 60000000, "for as long as was said");
    flight_land(flights, &mine, NULL);
    ok(mine == NULL, "landed without a page");
    ok(flight_join(flights, &key, 0, &mine, &page), "then the next one builds");
    flight_land(flights, &mine, NULL);
    flight_land(flights, &second, NULL);
}

int main(void)
{
    flights = flights_new();
    if (flights == NULL)
        abort();
    check_alone();
    check_crowd();
    flights_free(&flights);
    ok(flights == NULL, "freed");
    flights_free(&flights);
    return tap_done();
}
