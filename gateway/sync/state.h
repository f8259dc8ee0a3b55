/*
 * What is kept of a source between its runs: validators, cursors, the last error. One document of
 * the store each, written last in a run, after everything it speaks of is durable (digest 2.1).
 */
#ifndef GATEWAY_SYNC_STATE_H
#define GATEWAY_SYNC_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/store/store.h"
#include "stix/base/jsonw.h"
#include "stix/base/time.h"
#include "stix/base/uuid.h"

enum {
    STATE_VALIDATOR_MAX = 512,
    STATE_NAME_MAX = 96,
    STATE_STATUS_MAX = 128,
    STATE_ERROR_MAX = 256
};

struct state {
    /* of the document fetched last and ingested whole */
    char etag[STATE_VALIDATOR_MAX];
    char last_modified[STATE_VALIDATOR_MAX];
    unsigned converter; /* FEED_CONVERTER_VERSION that read it */
    char source[2 * 16 +
                1]; /* digest of the source and its settings: validators are of these alone */
    char cursor[ISG_TIME_TEXT]; /* added_after of a pull */
    /* of what is sent out of a collection */
    char collection[ISG_UUID_TEXT]; /* set by a run, not kept */
    uint64_t log;                   /* the log that the positions belong to (store_head) */
    uint64_t position;              /* what lies behind it has been sent, and taken there */
    uint64_t sending;               /* the end of what is under way behind it; 0: nothing is */
    char status[STATE_STATUS_MAX];  /* the resource that tells what became of that; may be "" */
    int64_t pending_since_us;       /* since when that says `pending` */
    unsigned polls;                 /* how often it said so */
    bool more;                      /* a run ended before the log did: go on at once */
    uint64_t sent;                  /* objects, of all time */
    uint64_t sent_refused;          /* of these the target did not take */
    char last_refusal[256];         /* what it said of the last of them */
    char held[2 * 32 + 1];          /* digest of a snapshot whose removals are held back */
    unsigned held_times;
    /* of the runs */
    int64_t last_run_us; /* 0: never */
    int64_t last_success_us;
    unsigned failures; /* since the last success */
    bool permanent;
    unsigned retry_after_s;
    char last_error[STATE_ERROR_MAX];
    /* counts of the last good run */
    uint64_t total;
    uint64_t added;
    uint64_t changed;
    uint64_t same;
    uint64_t refused;
    uint64_t excluded;
    uint64_t unreadable;
    uint64_t delisted;
};

/* Load the state of `kind:name`; all zero when there is none. ISG_ESTORE. */
int state_load(struct store *store, const char *name, struct state *out, struct isg_fail *why);
/* Put it in place of the one before. Errors of store_doc_put. */
int state_save(struct store *store, const char *name, const struct state *state,
               struct isg_fail *why);

/*
 * True when a good run left something worth a write: it moved, sent, or came after a failure. One
 * that found nothing to do is noted only now and then.
 */
bool state_is_news(const struct state *before, const struct state *now);

/* Positions of the log behind the cursor of what is sent out of it: at most so many objects wait. */
uint64_t state_backlog(const struct state *state, const struct store_head *head);

/* Members that lists show: last_run, last_success, last_error, failures, counts. */
void state_write(const struct state *state, struct isg_jsonw *w);

/* A failure as lists show it: what, where, by which rule. */
void state_error_text(const struct isg_fail *why, char out[STATE_ERROR_MAX]);

/* Note that a run that began at start_us ended well. */
void state_succeeded(struct state *state, int64_t start_us);
/* Note that a run failed, and why: one failure more in a row. The counts of the last good one stay. */
void state_failed(struct state *state, int64_t start_us, const struct isg_fail *why);

#endif
