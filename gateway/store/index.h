/*
 * A small hash table from a borrowed text to a number: labels, object ids and collections of one
 * store. Keys must outlive the map; nothing is ever removed singly.
 */
#ifndef GATEWAY_STORE_INDEX_H
#define GATEWAY_STORE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stix/base/str.h"

struct index_slot {
    struct isg_str key; /* p NULL: free */
    uint64_t hash;
    size_t value;
};

struct index {
    struct index_slot *slots;
    size_t size; /* a power of two, or 0 */
    size_t used;
    uint64_t seed; /* against keys chosen to collide */
};

/* A seed that nobody can guess. */
uint64_t index_seed(void);
/* A text's hash under a seed. */
uint64_t index_hash(uint64_t seed, struct isg_str key);

/* An empty map with a random seed; allocates nothing. */
void index_init(struct index *index);
/* Free the table; the map is empty and may be used again. */
void index_done(struct index *index);

/* The value of key, or SIZE_MAX. */
size_t index_get(const struct index *index, struct isg_str key);

/* Set the value of a key that is not there yet. ISG_OK or ISG_ENOMEM. */
int index_add(struct index *index, struct isg_str key, size_t value);

#endif
