/*
 * All events of one object id in one collection, and how they stand to each other: which version is
 * newer, which form is the first. Pure: no Redis, no clock.
 *
 * Order: versions with `modified` by the instant (S-008, S-098); an event without one is older than
 * any with one. Equal instants, and events without `modified`, are forms of one version: the
 * earliest position stands for it, and counts as newer and as older than the later forms at once,
 * so that who sees both is shown the first only (S-100).
 */
#ifndef GATEWAY_STORE_FAMILY_H
#define GATEWAY_STORE_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/store/events.h"
#include "gateway/store/store.h"
#include "stix/base/arena.h"

struct relative { /* one event; texts are borrowed */
    struct event_record record;
    struct isg_str canon; /* of a new one */
    bool is_new;          /* not in the store before this change */
    bool is_gone;         /* erased by this change: */
    bool is_expired;      /* its time was over; else somebody deleted it */
    int64_t gone_us;
    struct isg_str marks_before;
    struct isg_str marks_after;
};

struct family {
    struct isg_str id;
    struct relative **events; /* by position */
    size_t count;
    size_t room;
    bool is_changed;
};

/* Add an event behind the others. NULL without memory. */
struct relative *family_add(struct family *family, const struct event_record *record,
                            struct isg_arena *arena);

/* Order of two events as versions: <0, 0, >0; 0 for two forms of one version. */
int family_order(const struct event_record *a, const struct event_record *b);

/* Lists of labels of the newer and older living relatives of one event, as they stand now. */
struct family_marks {
    struct relative *event;
    struct event_marks marks;
};

/*
 * Marks of all living events, in arena: with `after` new events count and gone ones do not, without
 * it the reverse. Returns ISG_OK or ISG_ENOMEM.
 */
int family_relate(const struct family *family, bool after, struct isg_arena *arena,
                  struct family_marks **out, size_t *out_count);

/* Fill marks_before and marks_after of all events, as text. ISG_OK or ISG_ENOMEM. */
int family_write_marks(struct family *family, struct isg_arena *arena);

/* What a pusher may learn of an event; asked with the label's number. */
struct family_eye {
    bool (*sees)(void *arg, uint32_t label);
    void *arg;
};

/*
 * What becomes of a form that is pushed (record.position and date not set yet).
 *
 *   SAME      the form is there under a label the pusher sees, or under the pushed label (T-119);
 *             *out_same is that event
 *   CONFLICT  a visible event of the same `modified` with other content (S-100)
 *   REVOKED   later than a visible revoked version (S-101)
 *   ADDED     anything else
 */
enum store_verdict family_judge(const struct family *family, const struct event_record *record,
                                const struct family_eye *eye, const struct relative **out_same);

/* True when a living event, as it stands after the change, has its bytes under this digest. */
bool family_holds_digest(const struct family *family, const uint8_t digest[ISG_SHA256_BYTES]);

#endif
