/*
 * What of a collection a target may see and does not have yet: the reading half of everything that
 * is sent out by itself, to inboxes of other servers and to webhooks.
 *
 * The log is the outbox: a target has a cursor in it, kept in the store (state.h), and nothing else
 * is queued. So nothing can fall out between a commit and a queue, and whoever holds the target's
 * lease goes on where the last one stopped.
 */
#ifndef GATEWAY_SYNC_OUTBOX_H
#define GATEWAY_SYNC_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/share/member.h"
#include "gateway/share/view.h"
#include "gateway/sync/state.h"
#include "gateway/sync/sync.h"
#include "stix/base/arena.h"
#include "stix/base/buf.h"
#include "stix/base/jsonw.h"

enum {
    OUTBOX_PAGE = 500,
    OUTBOX_NAME_MAX = 72,
    OUTBOX_LISTED_MAX = 1000,
    OUTBOX_LARGE = 16 << 10 /* bytes: a 413 to less says more of the server than of the object */
};

/* How a run goes, of all that is sent or pulled. */
struct outgoing_how {
    bool dry_run;
    int64_t until_us;        /* monotonic: begin nothing further after it; 0: no bound */
    struct isg_buf *listing; /* of a dry run: a JSON list of what would go; may be NULL */
};

/* True when the run has to end, well or badly: time is up, or the service is stopping. */
bool outgoing_is_over(const struct sync_parts *parts, const struct outgoing_how *how);

/* True once the service stops, or the lease of the run is lost. */
bool outgoing_is_stopping(const struct sync_parts *parts);

/* Where the objects go. Texts are borrowed. */
struct outbox_target {
    const char *name;
    const char *member; /* whose eyes count; NULL: an organisation nobody knows */
    const char *url;
};

struct outbox {
    struct store *store;
    struct directory *directory;
    struct outbox_target target;
    const struct registry *seen; /* whose rights count */
    const struct registry *own; /* the same, with a reference, where it is a later one; else NULL */
    const struct collection *collection;
    const struct member *member;
    char **origins; /* sources as labels name them, whose objects are not sent back */
    size_t origins_count;
    struct member stranger; /* what member points to where none is named */
    char name[OUTBOX_NAME_MAX];
};

/*
 * Without a member's name the target is a peer organisation as policy sees it: it gets what is
 * CLEAR, from collections that all or kind:peer_isao may read. Not sent back is what the member
 * itself brought, and what was pulled from the target's server.
 *
 * parts and registry outlive the outbox. ISG_ENOENT: no such member; ISG_EDENIED: it is suspended;
 * ISG_ENOMEM.
 */
int outbox_open(struct outbox *outbox, const struct sync_parts *parts,
                const struct registry *registry, const struct collection *collection,
                const struct outbox_target *target, struct isg_fail *why);
/* Also right for one that is all zero. */
void outbox_close(struct outbox *outbox);

struct outbox_item {
    const struct store_event *event; /* in the arena */
    struct isg_str text;             /* canonical bytes, in the buffer of the read */
    struct isg_str id;
    struct isg_str version;
    uint64_t position;
    int64_t date_added_us;
    enum stix_tlp tlp;
};

struct outbox_page {
    struct outbox_item *items; /* by position, in the arena */
    size_t count;
    uint64_t end; /* the log is read up to here */
    bool more;    /* and goes on behind */
};

struct outbox_range {
    uint64_t after;
    uint64_t until;
    size_t limit;
    bool no_text; /* the items' texts are not needed: they stay empty, deleted objects among them */
};

/*
 * Read on behind a position: at most limit objects, and about 8 MiB. until: 0, or the position at
 * which reading ends (what a delivery held the first time it was tried). arena and bytes are reset.
 * The target's rights are those of this moment.
 *
 * Returns ISG_OK, ISG_ESTORE, ISG_ENOMEM; ISG_ENOENT (the member or the collection is gone),
 * ISG_EDENIED (the member is suspended).
 */
int outbox_read(struct outbox *outbox, const struct outbox_range *range, struct isg_arena *arena,
                struct isg_buf *bytes, struct outbox_page *out, struct isg_fail *why);

/* Append to a JSON list which objects a page holds, with version and marking: what a dry run tells.
 * At most OUTBOX_LISTED_MAX in all; *listed counts them. */
void outbox_list(const struct outbox_page *page, struct isg_jsonw *w, size_t *listed);

/* A cursor of another log (a flushed or restored server), or beyond the head, begins again. */
int outbox_start(const struct outbox *outbox, struct state *state, struct isg_fail *why);

#endif
