/*
 * What this process changed lately in one log: between which heads, and which ids. Who has read an
 * id's entry at one head learns here whether it is still so at a later one.
 *
 * Only own changes are known. Where another gateway wrote between, or it is too long ago, the
 * answer is "perhaps changed", and the entry is read again.
 */
#ifndef GATEWAY_STORE_RECENT_H
#define GATEWAY_STORE_RECENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/store/family.h"
#include "gateway/store/head.h"

enum { RECENT_SPANS = 8 };

/* One change. Its ids are kept as seeded hashes: two that collide cost one more read. */
struct recent_span {
    struct journal_head from;
    struct journal_head to;
    uint64_t *slots; /* 0: free; NULL: nothing is remembered here */
    size_t size;     /* a power of two */
};

struct recent {
    struct recent_span spans[RECENT_SPANS];
    size_t next; /* which is overwritten next */
    uint64_t seed;
};

/* Nothing is remembered; allocates nothing. */
void recent_init(struct recent *recent);
/* Forget and free. */
void recent_done(struct recent *recent);

/* Remember a change that is in the store: its changed families. Without memory it is not. */
void recent_note(struct recent *recent, const struct journal_head *from,
                 const struct journal_head *to, const struct family *families, size_t n);

/* True when every change between the two heads is known and none of them touched this id. */
bool recent_is_untouched(const struct recent *recent, const struct journal_head *from,
                         const struct journal_head *to, struct isg_str id);

#endif
