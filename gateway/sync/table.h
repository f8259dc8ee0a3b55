/*
 * The feeds, peers and webhooks that run on a schedule: those of the configuration and, among feeds,
 * those of the store. Not locked: sync.c holds its lock around every call.
 */
#ifndef GATEWAY_SYNC_TABLE_H
#define GATEWAY_SYNC_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "feeds/schedule.h"
#include "gateway/sync/feed_def.h"
#include "gateway/sync/feed_run.h"
#include "gateway/sync/lease.h"
#include "gateway/sync/peer_run.h"
#include "gateway/sync/state.h"
#include "gateway/sync/webhook_run.h"

enum entry_kind { ENTRY_FEED, ENTRY_PEER, ENTRY_WEBHOOK, ENTRY_KINDS };

struct entry {
    struct entry *next;
    char name[FEED_NAME_MAX + 1];
    enum entry_kind kind;
    struct feed_def feed; /* of a feed */
    struct peer_def peer; /* of a peer; borrowed from the configuration */
    const struct config_webhook *webhook;
    char state_name[STATE_NAME_MAX];
    uint32_t interval_s;
    bool running;
    struct lease lease;             /* of the run under way */
    bool listed;                    /* the store still names it */
    bool gone;                      /* removed while it ran: dropped when it ends */
    struct state state;             /* as of the last run known here */
    char collection[ISG_UUID_TEXT]; /* whose log a target is sent; "" before the first run */
    struct feed_progress progress;  /* of a feed's run under way */
    int64_t start_us;               /* since when it is in the table */
    int64_t not_before_us;
};

struct table {
    struct entry *first;
};

/* Fill from the configuration; a feed or peer that does not hold is logged and left out. */
int table_load_config(struct table *table, const struct config *config, struct store *store,
                      int64_t now_us, struct isg_fail *why);

/* A feed as the store has it: read without the table, then brought into it. */
struct stored_feed {
    struct stored_feed *next;
    struct feed_def def; /* its texts move into the table */
    struct state state;
};

/* Read all of them, with their states; one that does not hold is logged and left out. The list is
 * to be freed also after a failure. Errors of the store; ISG_ENOMEM. */
int stored_feeds_read(struct store *store, struct stored_feed **out, struct isg_fail *why);
/* Accepts NULL, leaves NULL. */
void stored_feeds_free(struct stored_feed **list);

/* Bring the feeds of the store in: new and changed ones; removed ones leave. ISG_ENOMEM. */
int table_bring_in(struct table *table, struct stored_feed *list, int64_t now_us,
                   struct isg_fail *why);

/* An entry by kind and name; NULL when there is none. */
struct entry *table_find(const struct table *table, enum entry_kind kind, struct isg_str name);

/* The word for a kind in messages and the log: "feed", "peer", "webhook". */
const char *entry_kind_name(enum entry_kind kind);

/*
 * When an entry is due: by its interval, or what its state asks for (more to send, a status that is
 * pending at another server, a failure). By a clock that was set back, at now_us (feeds/schedule.h).
 */
int64_t entry_due(const struct entry *entry, int64_t now_us);

/* True when an entry is to be left alone at us, for another gateway had it. */
bool entry_is_postponed(const struct entry *entry, int64_t us, int64_t now_us);

/* True for what is sent out by itself: it is also due when its log has grown. */
bool entry_is_outgoing(const struct entry *entry);

/* Drop what is gone and does not run. */
void table_sweep(struct table *table);
/* Free all entries; none may run. */
void table_free(struct table *table);

#endif
