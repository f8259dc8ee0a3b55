/*
 * When is it worth the while to build the answers for all objects of a block at once? When single
 * objects of it are missed again and again, and the collection as a whole would fit into the cache:
 * else whoever asks here and there in a large one would read much and use little of it.
 */
#ifndef GATEWAY_TAXII_AHEAD_H
#define GATEWAY_TAXII_AHEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ahead; /* blocks missed lately; bounded */

/* Nothing missed yet. NULL without memory. */
struct ahead *ahead_new(void);
/* Accepts NULL, leaves NULL. */
void ahead_free(struct ahead **ahead);

/* An object that had to be built from the store. */
struct ahead_miss {
    uint64_t block;
    uint64_t view;      /* its key */
    size_t page_bytes;  /* of its page */
    uint64_t positions; /* of the collection */
    size_t bytes_max;   /* of the cache */
};

/* Note the miss. True for one caller in a few, who reads the block ahead. For several threads. */
bool ahead_is_due(struct ahead *ahead, const char *collection, const struct ahead_miss *miss);

#endif
