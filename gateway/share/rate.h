/*
 * How many requests a member may send: a bucket a member, which fills evenly and holds what a minute
 * brings. One gateway counts for itself.
 */
#ifndef GATEWAY_SHARE_RATE_H
#define GATEWAY_SHARE_RATE_H

#include <stdint.h>

#include "stix/base/str.h"

struct rate;

/* Nobody counted yet. NULL without memory. */
struct rate *rate_new(void);
/* Accepts NULL, leaves NULL. */
void rate_free(struct rate **rate);

/*
 * Take one request of name, at now_us, of per_minute (0: no limit). Returns 0 when it may pass, else
 * the seconds until the next one may.
 */
unsigned rate_take(struct rate *rate, struct isg_str name, uint32_t per_minute, int64_t now_us);

#endif
