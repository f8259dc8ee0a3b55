/*
 * Large pushes: acknowledged once they are kept, completed in the background, piece by piece.
 *
 * What was kept survives the gateway. Any gateway of the store takes a waiting push up, under a
 * lease; a piece that was stored but not yet noted when its gateway died is stored again, which
 * changes nothing (T-119). The same thread erases what outlived its collection's time to live.
 */
#ifndef GATEWAY_INGEST_QUEUE_H
#define GATEWAY_INGEST_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/ingest/envelope.h"
#include "gateway/share/member.h"
#include "gateway/store/store.h"
#include "stix/base/buf.h"

struct ingest_queue;

/* What it stands on; borrowed, outlives it. */
struct ingest_queue_parts {
    struct store *store;
    struct directory *directory;
    uint32_t objects_now; /* a push of more objects waits */
    uint32_t status_s;    /* a status is kept so long after the end */
};

/* Start the thread. ISG_OK, ISG_ENOMEM. */
int ingest_queue_start(const struct ingest_queue_parts *parts, struct ingest_queue **out,
                       struct isg_fail *why);
/* End after the piece under way; the rest stays stored. Accepts NULL. */
void ingest_queue_stop(struct ingest_queue **queue);

/* Who pushes what; texts without blanks, borrowed. */
struct ingest_ticket {
    const char *id;       /* of the status */
    struct isg_str owner; /* who may read it */
    struct isg_str member;
    const struct collection *collection;
    int64_t request_us;
};

/* Whether a push is too large to be completed within its request. queue may be NULL: never. */
bool ingest_queue_wants(const struct ingest_queue *queue, const struct ingest_envelope *envelope);

/*
 * Keep the push durably and append its status, which is pending (T-094).
 *
 * Returns ISG_OK; what ingest_envelope_read says of it; ISG_ELIMIT when too many of its objects could
 * not be told in a status; ISG_EBUSY, ISG_ENOMEM; ISG_ESTORE may leave it open whether it was kept, and a repeat is harmless then.
 */
int ingest_queue_put(struct ingest_queue *queue, const struct ingest_ticket *ticket,
                     struct ingest_envelope *envelope, struct isg_buf *out, struct isg_fail *why);

/* The status of a push, complete at once or in the background, and its owner. ISG_ENOENT. */
int ingest_status(struct store *store, struct isg_str id, struct isg_buf *out_owner,
                  struct isg_buf *out, struct isg_fail *why);

#endif
