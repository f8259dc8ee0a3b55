/*
 * The NVD CVE API 2.0 as a feed (digest 5.5). The first run reads the whole set; later ones what
 * changed since the mark less a day, in windows of at most 120 days, which is all that the API
 * answers; a month after the last whole reading another one follows, since records also change
 * without a new date.
 *
 * The mark is the source's clock at the first answer of a reading, never ours, and moves when all of
 * the reading is ingested; not after a window without any record, which is suspect. A reading is
 * taken in pieces of some pages: each is ingested, and kept as done, before the next is asked for.
 */
#ifndef GATEWAY_SYNC_NVD_PULL_H
#define GATEWAY_SYNC_NVD_PULL_H

#include "gateway/sync/feed_run.h"

/* True when the feed's format is NVD's. */
bool nvd_pull_is(const struct feed_def *def);

/* Fetch and map the next piece; run->more says that another one is to follow. */
int nvd_pull_run(struct feed_run *run, struct isg_fail *why);

/* Keep how far the reading is; after the piece was ingested. */
int nvd_pull_keep(struct feed_run *run, struct isg_fail *why);

#endif
