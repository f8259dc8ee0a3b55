/*
 * One run of a feed: fetch, map whole, ingest, move the validators last (digest 2.1).
 */
#ifndef GATEWAY_SYNC_FEED_RUN_H
#define GATEWAY_SYNC_FEED_RUN_H

#include <stdatomic.h>
#include <stdbool.h>

#include "feeds/exclude.h"
#include "feeds/feed.h"
#include "feeds/fetch.h"
#include "gateway/ingest/ingest.h"
#include "gateway/networks.h"
#include "gateway/sync/feed_def.h"
#include "gateway/sync/pace.h"
#include "gateway/sync/secret_file.h"
#include "gateway/sync/spool.h"
#include "gateway/sync/state.h"
#include "gateway/sync/sync.h"

/* Where a run stands, for those who look at it from other threads. */
enum feed_stage { FEED_FETCH, FEED_MAP, FEED_COMPARE, FEED_STORE, FEED_STAGES };

struct feed_progress {
    atomic_uint stage;
    atomic_ullong bytes;     /* of the document that is fetched */
    atomic_ullong documents; /* fetched */
    atomic_ullong objects;   /* mapped */
    atomic_ullong stored;    /* of these handed to the store */
};

/* How a run is done. */
struct feed_how {
    bool dry_run;                   /* everything but writing */
    bool accept_shrink;             /* a person accepts a snapshot that lacks much (digest 2.3) */
    struct isg_buf *examples;       /* gets a JSON object: the first of each kind; may be NULL */
    struct feed_progress *progress; /* may be NULL */
};

/* A run under way; shared by feed_run.c and the files that take more than one request. */
struct feed_run {
    const struct sync_parts *parts;
    const struct feed_def *def;
    const struct feed_how *how;
    const struct feed_source *source;
    struct exclude_tally *tally;
    struct feed_progress *progress;
    struct header_lines headers;
    char *proxy_auth;
    struct networks *networks;     /* of allow_networks */
    struct isg_arena *arena;       /* of what settings and their files say */
    struct exclude_lists *exclude; /* own hosts, and warning_lists */
    struct feed_context context;
    struct spool *spool;
    struct state state;
    bool same_source; /* what is kept is of this source and these settings (feed_settings_open) */
    unsigned retry_after_s;
    char message[128]; /* the header of this name in the last answer; may be "" */
    size_t documents;  /* fetched and mapped */
    size_t unchanged;  /* not fetched again */
    size_t failed;     /* of a CSAF provider: what could not be read */
    struct isg_fail first_failed;
    bool nothing;     /* the source has not changed */
    bool more;        /* this was a piece, and another one follows */
    struct pace pace; /* of the requests of this run */
    struct isg_buf
        files; /* to keep: of a CSAF provider the table, of NVD the place of the reading */
};

/* What a run says of itself. */
struct feed_result {
    struct ingest_counts counts;
    bool unchanged; /* 304 */
    size_t documents;
    uint64_t excluded;   /* records left out: known as harmless, given twice */
    uint64_t unreadable; /* records with a value that cannot be read */
    size_t failed;       /* documents of a directory that could not be read */
    size_t missing;      /* no longer listed */
    bool held;           /* and held back (digest 2.3); else delisted */
    char first_error[256];
    char first_refusal[256]; /* id and message */
};

/*
 * Run the feed once. The state document is written at the end, also of a failure, but not by a dry
 * run, nor where the service stops meanwhile (ISG_EBUSY). *out_state gets the state as it is then,
 * also after a failure.
 *
 * Returns ISG_OK; ISG_ENOENT (collection), ISG_ENET, ISG_EAUTH, ISG_EDENIED, ISG_EPARSE,
 * ISG_EINVAL, ISG_ELIMIT (the source), ISG_ESTORE, ISG_EIO.
 */
int feed_run(const struct sync_parts *parts, const struct feed_def *def, const struct feed_how *how,
             struct feed_result *out, struct state *out_state, struct isg_fail *why);

/* Append what a run did as JSON; examples as feed_how, may be NULL. */
void feed_result_write(const char *feed, const struct feed_how *how,
                       const struct feed_result *result, struct isg_buf *out);

struct removals;
/* Append the first of each kind as a JSON object: what a dry run shows. */
void feed_examples_write(const struct ingest_run *ingest, const struct removals *removals,
                         const struct exclude_tally *tally, struct isg_buf *out);

/* Nothing done yet. */
void feed_progress_reset(struct feed_progress *progress);
/* Append where a run stands as a JSON object. */
void feed_progress_write(const struct feed_progress *progress, struct isg_jsonw *w);

/* The name of a feed's state document. */
void feed_state_name(const char *feed, char out[STATE_NAME_MAX]);

/*
 * Read what the settings say of the mapping, and the files that they name, into run->context. What is
 * kept of earlier runs holds for the same of it alone: else validators and tables are dropped, so that
 * the whole source is mapped anew. Returns as feed_files.h.
 */
int feed_settings_open(struct feed_run *run, struct isg_fail *why);

/*
 * GET url as the feed's settings say: its headers and certificate go to the server of the feed's own
 * URL alone, and a busy server is asked again. The status is judged: 200 and 304 are ISG_OK;
 * ISG_EAUTH, ISG_EDENIED, ISG_ENOENT, ISG_ENET; run->retry_after_s is set. ISG_EBUSY: the service is
 * stopping.
 */
int feed_run_get(struct feed_run *run, const char *url, const char *etag, const char *last_modified,
                 struct feed_response *out, struct isg_fail *why);

/* The answer's body as the text that mappings read: unpacked, UTF-8. Errors of document.h. */
int feed_run_document(const struct feed_run *run, struct feed_response *response,
                      struct isg_fail *why);

/*
 * Fetch one document that is all there is, unless it is as it was, and map it. Its validators enter
 * the state only with the state's own writing.
 */
int feed_run_single(struct feed_run *run, const char *url, struct isg_fail *why);

/* Map one document into the spool; after a failure nothing of it is there. */
int feed_run_map(struct feed_run *run, struct isg_str text, const char *file_name,
                 struct isg_fail *why);

#endif
