/*
 * One run of a feed: fetch, map whole, ingest, move the validators last (digest 2.1).
 */
#ifndef GATEWAY_SYNC_FEED_RUN_H
#define GATEWAY_SYNC_FEED_RUN_H

#include <stdbool.h>

#include "feeds/feed.h"
#include "feeds/fetch.h"
#include "gateway/ingest/ingest.h"
#include "gateway/networks.h"
#include "gateway/sync/feed_def.h"
#include "gateway/sync/secret_file.h"
#include "gateway/sync/spool.h"
#include "gateway/sync/state.h"
#include "gateway/sync/sync.h"

/* A run under way; shared by feed_run.c and csaf_*.c. */
struct feed_run {
    const struct sync_parts *parts;
    const struct feed_def *def;
    const struct feed_source *source;
    bool dry_run;
    bool accept_shrink; /* a person accepts a snapshot that lacks much */
    struct header_lines headers;
    char *proxy_auth;
    struct networks *networks; /* of allow_networks */
    struct feed_context context;
    struct spool *spool;
    struct state state;
    unsigned retry_after_s;
    size_t documents; /* fetched and mapped */
    size_t unchanged; /* not fetched again */
    size_t failed;    /* of a CSAF provider: what could not be read */
    struct isg_fail first_failed;
    bool nothing;         /* the source has not changed */
    struct isg_buf files; /* of a CSAF provider: the table to keep */
};

/* What a run says of itself. */
struct feed_result {
    struct ingest_counts counts;
    bool unchanged; /* 304 */
    size_t documents;
    size_t failed; /* documents of a directory that could not be read */
    size_t withdrawn;
    bool held; /* removals are held back (digest 2.3) */
    char first_error[256];
};

/*
 * Run the feed once. The state document is written at the end, also of a failure, but not by a dry
 * run. *out_state gets the state as it is then, also after a failure.
 *
 * Returns ISG_OK; ISG_ENOENT (collection), ISG_ENET, ISG_EAUTH, ISG_EDENIED, ISG_EPARSE,
 * ISG_EINVAL, ISG_ELIMIT (the source), ISG_ESTORE, ISG_EIO.
 */
int feed_run(const struct sync_parts *parts, const struct feed_def *def, bool dry_run,
             struct feed_result *out, struct state *out_state, struct isg_fail *why);

/* The name of a feed's state document. */
void feed_state_name(const char *feed, char out[STATE_NAME_MAX]);

/*
 * GET url as the feed's settings say: its headers and certificate go to the server of the feed's own
 * URL alone, and a busy server is asked again. The status is judged: 200 and 304 are ISG_OK;
 * ISG_EAUTH, ISG_EDENIED, ISG_ENOENT, ISG_ENET; run->retry_after_s is set. ISG_EBUSY: the service is
 * stopping.
 */
int feed_run_get(struct feed_run *run, const char *url, const char *etag, const char *last_modified,
                 struct feed_response *out, struct isg_fail *why);

/* Map one document into the spool; after a failure nothing of it is there. */
int feed_run_map(struct feed_run *run, struct isg_str text, const char *file_name,
                 struct isg_fail *why);

#endif
