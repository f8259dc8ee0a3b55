/*
 * The stored form of a visibility event and of its marks: bytes in, bytes out, no Redis.
 *
 * A record never changes once it is appended; what changes later (dead, labels of newer and older
 * versions) is kept beside it as marks. Records say their own position, so a damaged block can
 * still be read.
 */
#ifndef GATEWAY_STORE_EVENTS_H
#define GATEWAY_STORE_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/store/store.h"
#include "stix/base/arena.h"
#include "stix/base/buf.h"
#include "stix/base/digest.h"
#include "stix/base/str.h"

enum event_flag { EVENT_VERSIONED = 1, EVENT_REVOKED = 2 };

enum { EVENT_TEXT_MAX = 65535 }; /* bytes of each text of a record */

struct event_record {
    uint64_t position;
    int64_t date_us;
    uint32_t label;
    uint8_t flags; /* enum event_flag */
    uint8_t digest[ISG_SHA256_BYTES];
    struct store_shelf shelf;
    struct isg_str id;
    struct isg_str version;
    struct isg_str source; /* kept in the index only; "" in a block */
};

/* Append a record; texts must not be longer than EVENT_TEXT_MAX. */
void event_write(struct isg_buf *out, const struct event_record *record);

/* Cut the next record from *rest; texts are views into it. False at the end or when damaged. */
bool event_read(struct isg_str *rest, struct event_record *out);

/*
 * Where a record lies: its position, and the bytes of its block. Lists of places, one a label, let a
 * reader who sees few events read just those.
 */
enum { EVENT_PLACE_BYTES = 16 };

struct event_place {
    uint64_t position;
    uint32_t offset; /* in the block's bytes */
    uint32_t bytes;
};

/* Append the EVENT_PLACE_BYTES of a place. */
void event_place_write(struct isg_buf *out, const struct event_place *place);
/* The place that these bytes are; any bytes are one. */
struct event_place event_place_read(const char bytes[EVENT_PLACE_BYTES]);

/*
 * Sets of labels in rising order. Of an event that is gone the record stays in its block, and these
 * marks: together the tombstone of what was erased, with id, version, digest, date and reason.
 */
struct event_marks {
    bool dead;
    bool expired;    /* its time to live was over; else it was deleted */
    int64_t gone_us; /* when; 0: not known */
    const uint32_t *newer;
    size_t newer_count;
    const uint32_t *older;
    size_t older_count;
};

/* Append marks as text: "xd" or "xe" and the date when dead (deleted, expired), else "newer/older"
 * with numbers and commas ("1,4/2"). */
void event_marks_write(struct isg_buf *out, const struct event_marks *marks);

/*
 * Read that text; lists in arena. False when it is damaged or there is no memory (*out_nomem).
 */
bool event_marks_read(struct isg_str text, struct isg_arena *arena, struct event_marks *out,
                      bool *out_nomem);

#endif
