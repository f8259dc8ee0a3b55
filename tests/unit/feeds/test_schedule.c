#include "feeds/schedule.h"
#include "tests/support/tap.h"

static const int64_t S = 1000000;

int main(void)
{
    static const struct {
        const char *name;
        struct feed_schedule schedule;
        int64_t low_s; /* since the last run */
        int64_t high_s;
    } rows[] = {
        {"good run: one interval and up to a tenth", {3600, 1, 0, false, 0, 0}, 3600, 3960},
        {"first failure: a minute", {3600, 1, 1, false, 0, 0}, 60, 66},
        {"fourth failure: eight minutes", {3600, 1, 4, false, 0, 0}, 480, 528},
        {"many failures: six hours at most", {3600, 1, 40, false, 0, 0}, 21600, 23760},
        {"many failures of a slow feed: its interval", {86400, 1, 40, false, 0, 0}, 86400, 95040},
        {"a fast feed backs off from its own interval", {5, 1, 1, false, 0, 0}, 5, 6},
        {"401 and 404 wait the interval", {3600, 1, 1, true, 0, 0}, 3600, 3960},
        {"401 to a very fast one backs off all the same", {5, 1, 4, true, 0, 0}, 40, 44},
        {"a bound of its own", {5, 1, 40, false, 0, 300}, 300, 330},
        {"which the interval goes before", {3600, 1, 40, false, 0, 300}, 3600, 3960},
        {"never sooner than asked", {60, 1, 1, false, 900, 0}, 900, 990},
        {"also after a good run", {60, 1, 0, false, 900, 0}, 900, 990},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct feed_schedule s = rows[i].schedule;
        s.last_run_us = 1000 * S;
        for (uint64_t salt = 0; salt < 50; salt++) {
            int64_t due = feed_schedule_due(&s, 0, 1001 * S, salt) - s.last_run_us;
            if (!ok(due >= rows[i].low_s * S && due <= rows[i].high_s * S, "%s", rows[i].name))
                break;
        }
    }
    struct feed_schedule fresh = {.interval_s = 3600};
    int64_t due = feed_schedule_due(&fresh, 77 * S, 77 * S, 12345);
    ok(due >= 77 * S && due <= 82 * S, "never run: at once");
    ok(due == feed_schedule_due(&fresh, 77 * S, 77 * S, 12345), "the same salt, the same time");
    ok(due != feed_schedule_due(&fresh, 77 * S, 77 * S, 54321), "another salt, another time");
    /* the clock was set back */
    struct feed_schedule ran = {.interval_s = 86400, .last_run_us = 90000 * S};
    ok(feed_schedule_due(&ran, 0, 80000 * S, 1) == 80000 * S,
       "ran in what is now the future: at once");
    ran.failures = 1;
    ran.retry_after_s = 86400;
    ok(feed_schedule_due(&ran, 0, 80000 * S, 1) == 80000 * S, "also where it was told to wait");
    ok(feed_schedule_due(&ran, 0, 89000 * S, 1) > 90000 * S,
       "less than an hour ahead: another's clock");
    ok(feed_schedule_due(&fresh, 90000 * S, 80000 * S, 1) == 80000 * S, "never run, by that clock");
    ran = (struct feed_schedule){.interval_s = 3600, .last_run_us = 80000 * S};
    ok(feed_schedule_due(&ran, 90000 * S, 80001 * S, 1) >= 83600 * S,
       "and once it has run, at its interval again");
    return tap_done();
}
