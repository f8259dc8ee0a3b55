/*
 * EPSS as a feed (digest 5.6), in the two forms that take more than one request: the API, asked for
 * the CVEs that public sources have brought into the feed's collection and for no others; and the
 * table of a day, whose file is not there early in the day, so that the day before is asked for then.
 */
#ifndef GATEWAY_SYNC_EPSS_PULL_H
#define GATEWAY_SYNC_EPSS_PULL_H

#include "gateway/sync/feed_run.h"

/* True when the feed's URL is the API's (its path ends with /epss), or names a day as YYYY-MM-DD. */
bool epss_pull_is(const struct feed_def *def);

/* Fetch and map all of it. */
int epss_pull_run(struct feed_run *run, struct isg_fail *why);

#endif
