/*
 * What a source that publishes its full state no longer lists (digest 2.3, 2.6): the keys of the
 * last run against those of this one. A snapshot that lacks more than a tenth is suspect: its
 * removals are held back until the same snapshot has come twice more.
 */
#ifndef GATEWAY_SYNC_REMOVALS_H
#define GATEWAY_SYNC_REMOVALS_H

#include <stdbool.h>

#include "feeds/feed.h"
#include "gateway/store/store.h"
#include "gateway/sync/spool.h"
#include "gateway/sync/state.h"

struct removals {
    struct isg_buf keys; /* JSON document to keep once all is ingested */
    size_t missing;      /* no longer listed */
    bool held;           /* and not acted upon */
};

/* A source and where its run stands. */
struct removals_of {
    const struct feed_source *source;
    struct feed_context *context;
    struct spool *spool;
    struct state *state;
};

/*
 * Compare the objects with a facet in spool with the keys kept under name, and add to the spool
 * what withdrawing the missing ones takes. state's held snapshot is updated.
 */
int removals_apply(struct store *store, const char *name, const struct removals_of *of,
                   struct removals *out, struct isg_fail *why);

/* Keep the keys; the last step but the state. */
int removals_keep(struct store *store, const char *name, const struct removals *removals,
                  struct isg_fail *why);
/* Free the keys. */
void removals_done(struct removals *removals);

#endif
