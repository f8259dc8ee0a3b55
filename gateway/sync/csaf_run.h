/*
 * A CSAF provider as a feed (digest 5.3). What the feed's URL is, decides how advisories are found:
 *
 *   https://HOST or https://HOST/   provider-metadata.json at its well-known place, else where
 *                                   security.txt says, else a directory
 *   .../                            a directory: changes.csv, else index.txt
 *   .../changes.csv, .../index.txt  one of these
 *   any other                       by what stands there: provider-metadata.json (its ROLIE feeds,
 *                                   else its directories), a ROLIE feed, or one advisory
 *
 * Each advisory is fetched when its entry is new or changed, checked against its hash file, and
 * mapped. One bad advisory costs itself, not the run. What a list names must be on the list's server
 * or on a host of allow_hosts, by https unless the feed itself is plain.
 */
#ifndef GATEWAY_SYNC_CSAF_RUN_H
#define GATEWAY_SYNC_CSAF_RUN_H

#include "gateway/sync/feed_run.h"

/* True when the feed is read in this way. */
bool csaf_run_is(const struct feed_def *def);

/*
 * Fetch and map what is new; fills run->spool and run->files. Errors of feed_run_get and
 * feed_run_map where nothing could be read at all; ISG_ELIMIT: lists too long.
 */
int csaf_run(struct feed_run *run, struct isg_fail *why);

/* Keep the table of what was read; after everything was ingested. */
int csaf_run_keep(struct feed_run *run, struct isg_fail *why);

#endif
