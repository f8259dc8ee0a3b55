/*
 * A CSAF provider's directory (digest 5.3): changes.csv or index.txt list the advisories; each is
 * fetched when its line is new, checked against its hash file, and mapped. One bad advisory costs
 * itself, not the run.
 */
#ifndef GATEWAY_SYNC_CSAF_DIR_H
#define GATEWAY_SYNC_CSAF_DIR_H

#include "gateway/sync/feed_run.h"

/* True when the feed's URL names a directory or one of its lists. */
bool csaf_dir_is(const struct feed_def *def);

/* Fetch and map what is new; fills run->spool and run->files. */
int csaf_dir_run(struct feed_run *run, struct isg_fail *why);

/* Keep the table of files; after everything was ingested. */
int csaf_dir_keep(struct feed_run *run, struct isg_fail *why);

#endif
