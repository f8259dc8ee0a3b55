/*
 * How fast a source may be asked: so many requests in any span of so many seconds.
 */
#ifndef GATEWAY_SYNC_PACE_H
#define GATEWAY_SYNC_PACE_H

#include <stdatomic.h>
#include <stdint.h>

#include "stix/base/err.h"

enum { PACE_MAX = 50 };

struct pace { /* all zero: nothing asked yet */
    int64_t asked_us[PACE_MAX];
    unsigned next;
};

/*
 * Wait until one more request makes at most `limit` (up to PACE_MAX) in span_s seconds, and count
 * it. ISG_EBUSY as soon as *stop is true; stop may be NULL.
 */
int pace_wait(struct pace *pace, unsigned limit, unsigned span_s, const atomic_bool *stop,
              struct isg_fail *why);

#endif
