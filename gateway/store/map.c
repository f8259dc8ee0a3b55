#include "gateway/store/map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "stix/base/err.h"
#include "stix/base/time.h"

enum { FIRST_SIZE = 16 };

void map_init(struct map *map)
{
    *map = (struct map){0};
    if (getrandom(&map->seed, sizeof map->seed, 0) != (ssize_t)sizeof map->seed)
        map->seed = (uint64_t)isg_time_mono_us();
}

void map_done(struct map *map)
{
    free(map->slots);
    map->slots = NULL;
    map->size = map->used = 0;
}

/* Multiply and shift over eight bytes at a time, begun with the secret seed. */
static uint64_t hash_of(const struct map *map, struct isg_str key)
{
    uint64_t h = map->seed ^ (key.n * UINT64_C(0x9e3779b97f4a7c15));
    for (size_t at = 0; at < key.n; at += 8) {
        uint64_t word = 0;
        memcpy(&word, key.p + at, key.n - at < 8 ? key.n - at : 8);
        h = (h ^ word) * UINT64_C(0xff51afd7ed558ccd);
        h ^= h >> 32;
    }
    h *= UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ h >> 29;
}

static struct map_slot *slot_of(const struct map *map, struct isg_str key, uint64_t hash)
{
    for (size_t i = (size_t)hash & (map->size - 1);; i = (i + 1) & (map->size - 1)) {
        struct map_slot *slot = &map->slots[i];
        if (slot->key.p == NULL || (slot->hash == hash && isg_str_eq(slot->key, key)))
            return slot;
    }
}

size_t map_get(const struct map *map, struct isg_str key)
{
    if (map->size == 0)
        return SIZE_MAX;
    const struct map_slot *slot = slot_of(map, key, hash_of(map, key));
    return slot->key.p == NULL ? SIZE_MAX : slot->value;
}

static int grow(struct map *map)
{
    struct map larger = {
        .size = map->size == 0 ? FIRST_SIZE : 2 * map->size, .used = map->used, .seed = map->seed};
    larger.slots = calloc(larger.size, sizeof *larger.slots);
    if (larger.slots == NULL)
        return ISG_ENOMEM;
    for (size_t i = 0; i < map->size; i++) {
        const struct map_slot *slot = &map->slots[i];
        if (slot->key.p != NULL)
            *slot_of(&larger, slot->key, slot->hash) = *slot;
    }
    free(map->slots);
    *map = larger;
    return ISG_OK;
}

int map_add(struct map *map, struct isg_str key, size_t value)
{
    if (2 * (map->used + 1) > map->size && grow(map) != ISG_OK)
        return ISG_ENOMEM;
    uint64_t hash = hash_of(map, key);
    struct map_slot *slot = slot_of(map, key, hash);
    assert(slot->key.p == NULL);
    *slot =
        (struct map_slot){.key = {key.p == NULL ? "" : key.p, key.n}, .hash = hash, .value = value};
    map->used++;
    return ISG_OK;
}
