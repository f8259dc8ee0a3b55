/*
 * Time to live: erasing what was added longer ago than its collection keeps things.
 */
#ifndef GATEWAY_INGEST_EXPIRY_H
#define GATEWAY_INGEST_EXPIRY_H

#include <stdbool.h>

#include "gateway/share/member.h"
#include "gateway/store/store.h"

/*
 * Go once through all collections with a time to live, in bounded steps and under a lease each, so
 * that one of several gateways does the work. stop(arg) is asked between steps. Failures are
 * logged; the next round tries again.
 */
void expiry_run(struct store *store, struct directory *directory, bool (*stop)(void *arg),
                void *arg);

#endif
