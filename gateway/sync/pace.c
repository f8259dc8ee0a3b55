#include "gateway/sync/pace.h"

#include <stdbool.h>
#include <time.h>

enum { SLICE_US = 100000 };

static int64_t clock_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static bool is_stopping(const atomic_bool *stop)
{
    return stop != NULL && atomic_load(stop);
}

/* In slices, so that the end of the service is not held up. */
static void wait_until(int64_t due_us, const atomic_bool *stop)
{
    int64_t left;
    while ((left = due_us - clock_us()) > 0 && !is_stopping(stop)) {
        int64_t slice = left < SLICE_US ? left : SLICE_US;
        struct timespec t = {.tv_nsec = (long)slice * 1000};
        (void)nanosleep(&t, NULL);
    }
}

int pace_wait(struct pace *pace, unsigned limit, unsigned span_s, const atomic_bool *stop,
              struct isg_fail *why)
{
    /* the request that leaves the span next is the one made `limit` ago */
    unsigned oldest = (pace->next + PACE_MAX - limit) % PACE_MAX;
    if (pace->asked_us[oldest] != 0)
        wait_until(pace->asked_us[oldest] + (int64_t)span_s * 1000000, stop);
    if (is_stopping(stop))
        return isg_fail(why, ISG_EBUSY, "the service is stopping");
    pace->asked_us[pace->next] = clock_us();
    pace->next = (pace->next + 1) % PACE_MAX;
    return ISG_OK;
}
