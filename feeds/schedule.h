/*
 * When a source is due: a pure function of what happened and the time given.
 */
#ifndef FEEDS_SCHEDULE_H
#define FEEDS_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

/* What is known of a source's runs. Times in microseconds; 0: never. */
struct feed_schedule {
    uint32_t interval_s;
    int64_t last_run_us;    /* the start of the last run, good or not */
    unsigned failures;      /* runs that failed since the last good one */
    bool permanent;         /* the last failure will not heal by asking again soon (401, 404) */
    unsigned retry_after_s; /* what the server asked for with its last answer; 0: nothing */
    uint32_t backoff_max_s; /* longest wait after failures; 0: six hours */
};

/*
 * The time of the next run, with up to a tenth of the interval of jitter that depends on salt alone
 * (so that many sources, and many gateways, do not ask at once).
 *
 * Never run: at start_us and up to 5 s later. After failures: 60 s (or the interval, where that is
 * less) doubling up to backoff_max_s or the interval, whichever is longer, never sooner than the
 * server asked; a permanent failure waits the whole interval, where that is a minute at least.
 *
 * Where the last run, or start_us of what never ran, is ahead of now_us (below), at now_us: else
 * nothing would run until the clock has come there again.
 */
int64_t feed_schedule_due(const struct feed_schedule *schedule, int64_t start_us, int64_t now_us,
                          uint64_t salt);

/*
 * True for a time that was noted by a clock which has been set back since: one that is more
 * than an hour ahead. Less may be the clock of another gateway.
 */
bool feed_schedule_is_ahead(int64_t us, int64_t now_us);

#endif
