/*
 * A small hash table from a borrowed text to a number: labels, object ids and collections of one
 * store. Keys must outlive the map; nothing is ever removed singly.
 */
#ifndef GATEWAY_STORE_MAP_H
#define GATEWAY_STORE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stix/base/str.h"

struct map_slot {
    struct isg_str key; /* p NULL: free */
    uint64_t hash;
    size_t value;
};

struct map {
    struct map_slot *slots;
    size_t size; /* a power of two, or 0 */
    size_t used;
    uint64_t seed; /* against keys chosen to collide */
};

void map_init(struct map *map); /* an empty map; allocates nothing */
void map_done(struct map *map); /* free the table; the map is empty and may be used again */

/* The value of key, or SIZE_MAX. */
size_t map_get(const struct map *map, struct isg_str key);

/* Set the value of a key that is not there yet. ISG_OK or ISG_ENOMEM. */
int map_add(struct map *map, struct isg_str key, size_t value);

#endif
