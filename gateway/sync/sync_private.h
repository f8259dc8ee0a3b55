/* What the files of this room share of a running sync. */
#ifndef GATEWAY_SYNC_SYNC_PRIVATE_H
#define GATEWAY_SYNC_SYNC_PRIVATE_H

#include <pthread.h>
#include <stdbool.h>

#include "gateway/sync/feed_run.h"
#include "gateway/sync/lease.h"
#include "gateway/sync/peer_run.h"
#include "gateway/sync/sync.h"
#include "gateway/sync/table.h"

struct sync {
    struct sync_parts parts;
    pthread_mutex_t lock; /* of table, running, stopping, leases */
    pthread_cond_t moved; /* running fell, or stopping */
    pthread_t thread;
    struct table table;
    struct leases leases;
    unsigned running; /* runs under way, of every kind */
    bool stopping;
    unsigned edits; /* of the store's feeds by this gateway: what was read before does not count */
    atomic_bool stop; /* the same, for transfers under way */
};

/* What a run brought, by the entry's kind. */
union entry_result {
    struct feed_result feed;
    struct peer_result peer;
    struct webhook_result webhook;
};

/* How an entry is run: on schedule, or by command. */
struct entry_how {
    bool dry_run;
    bool accept_shrink;      /* feed_how */
    bool bounded;            /* an outgoing run goes on as a run of its own after a while */
    struct isg_buf *listing; /* outgoing_how, and the examples of feed_how */
};

/*
 * The run itself, without any lock; logged and counted. *state becomes the entry's under the lock
 * afterwards (sync_entry_ended). Errors of feed_run and peer_run.
 */
int sync_entry_run(struct sync *sync, struct entry *entry, const struct entry_how *how,
                   union entry_result *out, struct state *state, struct isg_fail *why);

/* End a run, and its lease: what it left behind becomes the entry's state, unless state is NULL. */
void sync_entry_ended(struct sync *sync, struct entry *entry, const struct state *state);

/*
 * Bring the feeds of the store into the table; the store is asked without the lock. edited: this
 * gateway has just changed one. Errors of the store.
 */
int sync_reload(struct sync *sync, bool edited, struct isg_fail *why);

/* Say what a run did, in the log and the metrics. A failure that waiting will not heal is an error. */
void sync_report_feed(const char *name, int err, const struct feed_result *result,
                      const struct state *state, const struct isg_fail *why);
/* Likewise of a peer. */
void sync_report_peer(const char *name, int err, const struct peer_result *result,
                      const struct isg_fail *why);
/* Likewise of a webhook. */
void sync_report_webhook(const char *name, int err, const struct webhook_result *result,
                         const struct isg_fail *why);
/* Set the gauges of a feed by its state, whichever gateway ran it last. */
void sync_report_state(const struct sync *sync, const struct entry *entry);

#endif
