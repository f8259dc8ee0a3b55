#include "feeds/schedule.h"

enum {
    BACKOFF_S = 60,
    BACKOFF_MAX_S = 6 * 3600,
    DOUBLINGS = 16,
    FIRST_JITTER_MS = 5000,
    AHEAD_S = 3600
};

static const int64_t US_PER_S = 1000000;

/* Seconds to wait after failures runs have failed. */
static uint64_t backoff_s(const struct feed_schedule *s)
{
    uint64_t longest = s->backoff_max_s != 0 ? s->backoff_max_s : BACKOFF_MAX_S;
    uint64_t wait = s->interval_s < BACKOFF_S ? s->interval_s : BACKOFF_S;
    if (longest < s->interval_s)
        longest = s->interval_s;
    if (s->permanent && s->interval_s >= BACKOFF_S)
        return s->interval_s;
    unsigned doublings = s->failures - 1 < DOUBLINGS ? s->failures - 1 : DOUBLINGS;
    wait <<= doublings;
    return wait < longest ? wait : longest;
}

/* A number below `below` made of salt; 0 for 0. */
static uint64_t jitter(uint64_t salt, uint64_t below)
{
    salt ^= salt >> 33;
    salt *= 0xff51afd7ed558ccdU;
    salt ^= salt >> 33;
    return below == 0 ? 0 : salt % below;
}

bool feed_schedule_is_ahead(int64_t us, int64_t now_us)
{
    return us - now_us > AHEAD_S * US_PER_S;
}

int64_t feed_schedule_due(const struct feed_schedule *schedule, int64_t start_us, int64_t now_us,
                          uint64_t salt)
{
    int64_t noted_us = schedule->last_run_us != 0 ? schedule->last_run_us : start_us;
    if (feed_schedule_is_ahead(noted_us, now_us))
        return now_us;
    if (schedule->last_run_us == 0)
        return start_us + (int64_t)jitter(salt, FIRST_JITTER_MS) * 1000;
    uint64_t wait = schedule->failures == 0 ? schedule->interval_s : backoff_s(schedule);
    if (wait < schedule->retry_after_s)
        wait = schedule->retry_after_s;
    uint64_t spread = jitter(salt, wait * 1000000 / 10);
    return schedule->last_run_us + (int64_t)wait * US_PER_S + (int64_t)spread;
}
