/*
 * Identical misses share one fetch: the first who asks builds the page, the others wait for it, so
 * that many workers do not build the same page at the same moment.
 */
#ifndef GATEWAY_TAXII_FLIGHT_H
#define GATEWAY_TAXII_FLIGHT_H

#include "gateway/taxii/cache.h"

struct flights; /* the builds under way */
struct flight;  /* one of them */

/* None under way. NULL without memory. */
struct flights *flights_new(void);
/* Nobody may be in one; accepts NULL, leaves NULL. */
void flights_free(struct flights **flights);

/*
 * Join the build of the page under key, or begin one.
 *
 * Returns true when the caller builds: he calls flight_land in any case, and until then whoever
 * joins waits. Else *out_page is what another built, with a reference: it was begun before this
 * call, so the caller checks that it is current. It is NULL when that build failed, took longer
 * than wait_ms or there was no memory: the caller builds for himself alone.
 */
bool flight_join(struct flights *flights, const struct page_key *key, unsigned wait_ms,
                 struct flight **out_mine, struct page **out_page);

/* The build ended, with a page (borrowed) or without (NULL). Leaves NULL. */
void flight_land(struct flights *flights, struct flight **mine, struct page *page);

#endif
