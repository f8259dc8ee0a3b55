#include "gateway/store/index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "stix/base/err.h"
#include "stix/base/time.h"

enum { FIRST_SIZE = 16 };

uint64_t index_seed(void)
{
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        seed = (uint64_t)isg_time_mono_us();
    return seed;
}

void index_init(struct index *index)
{
    *index = (struct index){.seed = index_seed()};
}

void index_done(struct index *index)
{
    free(index->slots);
    index->slots = NULL;
    index->size = index->used = 0;
}

/* Multiply and shift over eight bytes at a time, begun with the secret seed. */
uint64_t index_hash(uint64_t seed, struct isg_str key)
{
    uint64_t h = seed ^ (key.n * UINT64_C(0x9e3779b97f4a7c15));
    for (size_t at = 0; at < key.n; at += 8) {
        uint64_t word = 0;
        memcpy(&word, key.p + at, key.n - at < 8 ? key.n - at : 8);
        h = (h ^ word) * UINT64_C(0xff51afd7ed558ccd);
        h ^= h >> 32;
    }
    h *= UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ h >> 29;
}

static struct index_slot *slot_of(const struct index *index, struct isg_str key, uint64_t hash)
{
    for (size_t i = (size_t)hash & (index->size - 1);; i = (i + 1) & (index->size - 1)) {
        struct index_slot *slot = &index->slots[i];
        if (slot->key.p == NULL || (slot->hash == hash && isg_str_eq(slot->key, key)))
            return slot;
    }
}

size_t index_get(const struct index *index, struct isg_str key)
{
    if (index->size == 0)
        return SIZE_MAX;
    const struct index_slot *slot = slot_of(index, key, index_hash(index->seed, key));
    return slot->key.p == NULL ? SIZE_MAX : slot->value;
}

static int grow(struct index *index)
{
    struct index larger = {.size = index->size == 0 ? FIRST_SIZE : 2 * index->size,
                           .used = index->used,
                           .seed = index->seed};
    larger.slots = calloc(larger.size, sizeof *larger.slots);
    if (larger.slots == NULL)
        return ISG_ENOMEM;
    for (size_t i = 0; i < index->size; i++) {
        const struct index_slot *slot = &index->slots[i];
        if (slot->key.p != NULL)
            *slot_of(&larger, slot->key, slot->hash) = *slot;
    }
    free(index->slots);
    *index = larger;
    return ISG_OK;
}

int index_add(struct index *index, struct isg_str key, size_t value)
{
    if (2 * (index->used + 1) > index->size && grow(index) != ISG_OK)
        return ISG_ENOMEM;
    uint64_t hash = index_hash(index->seed, key);
    struct index_slot *slot = slot_of(index, key, hash);
    assert(slot->key.p == NULL);
    *slot = (struct index_slot){
        .key = {key.p == NULL ? "" : key.p, key.n}, .hash = hash, .value = value};
    index->used++;
    return ISG_OK;
}
