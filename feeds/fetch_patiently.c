/* Asking a busy server again. */
#include <time.h>

#include "feeds/fetch.h"
#include "stix/base/time.h"

enum {
    TRIES = 5,
    WAIT_MAX_S = 30, /* between two of them */
    NAP_MS = 100
};

static bool is_stopped(const struct feed_request *request)
{
    return request->stop != NULL && atomic_load(request->stop);
}

/* Half of it to all of it, so that those who were refused together do not come back together. */
static int64_t jittered_ms(unsigned seconds)
{
    uint64_t x = (uint64_t)isg_time_mono_us() * 0x9e3779b97f4a7c15U;
    return (int64_t)seconds * 500 + (int64_t)((x >> 32) % (seconds * 500 + 1));
}

/* False when the service stops meanwhile. */
static bool waited(const struct feed_request *request, int64_t ms)
{
    for (int64_t end = isg_time_mono_us() + ms * 1000; isg_time_mono_us() < end;) {
        if (is_stopped(request))
            return false;
        struct timespec nap = {.tv_nsec = (long)NAP_MS * 1000000};
        (void)nanosleep(&nap, NULL);
    }
    return true;
}

int feed_fetch_patiently(const struct feed_request *request, struct feed_response *out,
                         struct isg_fail *why)
{
    for (unsigned tries = 1;; tries++) {
        int err = feed_fetch(request, out, why);
        if (err != ISG_OK || (out->status != 429 && out->status != 503))
            return err;
        unsigned asked = out->retry_after_s;
        int64_t ms = asked > 0 ? (int64_t)asked * 1000 : jittered_ms(1U << (tries - 1));
        if (tries == TRIES || asked > WAIT_MAX_S)
            return ISG_OK;
        bool stopped = !waited(request, ms);
        feed_response_done(out);
        if (stopped)
            return isg_fail(why, ISG_EBUSY, "the service is stopping");
    }
}
