/*
 * What a source that publishes its full state no longer lists (digest 2.3, 2.6): the keys of the
 * last run against those of this one. A snapshot that lacks more than a share is suspect: its
 * removals are held back until the same snapshot has come twice more, or a person accepts it.
 */
#ifndef GATEWAY_SYNC_REMOVALS_H
#define GATEWAY_SYNC_REMOVALS_H

#include <stdbool.h>

#include "feeds/feed.h"
#include "gateway/share/member.h"
#include "gateway/store/store.h"
#include "gateway/sync/spool.h"
#include "gateway/sync/state.h"
#include "stix/id.h"

enum { REMOVALS_EXAMPLES = 3 };

struct removals {
    struct isg_buf keys; /* JSON document to keep once all is ingested */
    size_t missing;      /* no longer listed */
    bool held;           /* and not acted upon */
    char examples[REMOVALS_EXAMPLES][STIX_ID_MAX + 1]; /* ids of the first ones missing */
    size_t examples_count;
};

/* A source and where its run stands. */
struct removals_of {
    struct store *store;
    const struct collection *collection;
    const char *name; /* of the feed */
    const struct feed_source *source;
    struct feed_context *context;
    struct spool *spool;
    struct state *state;
    unsigned percent; /* a snapshot that lacks more is suspect */
    bool accept;      /* a person has looked at it: nothing is suspect */
};

/*
 * Compare what is in the spool with the keys kept under name, and add to the spool what withdrawing
 * the missing ones takes. state's held snapshot is updated.
 */
int removals_apply(const struct removals_of *of, struct removals *out, struct isg_fail *why);

/* Keep the keys; the last step but the state. */
int removals_keep(struct store *store, const char *name, const struct removals *removals,
                  struct isg_fail *why);
/* Free the keys. */
void removals_done(struct removals *removals);

#endif
