#include "gateway/store/recent.h"

#include <stdlib.h>

#include "gateway/store/index.h"

void recent_init(struct recent *recent)
{
    *recent = (struct recent){.seed = index_seed()};
}

void recent_done(struct recent *recent)
{
    for (size_t i = 0; i < RECENT_SPANS; i++)
        free(recent->spans[i].slots);
    *recent = (struct recent){.seed = recent->seed};
}

static uint64_t hash_of(const struct recent *recent, struct isg_str id)
{
    return index_hash(recent->seed, id) | 1; /* 0 is a free slot */
}

/* The slot of a hash, or the free one where it would be. There is always a free one. */
static uint64_t *slot_of(const struct recent_span *span, uint64_t hash)
{
    size_t i = (size_t)(hash >> 1) & (span->size - 1);
    while (span->slots[i] != 0 && span->slots[i] != hash)
        i = (i + 1) & (span->size - 1);
    return &span->slots[i];
}

static size_t size_for(const struct family *families, size_t n)
{
    size_t changed = 0;
    size_t size = 16;
    for (size_t i = 0; i < n; i++)
        changed += families[i].is_changed;
    while (size < 2 * changed)
        size *= 2;
    return size;
}

void recent_note(struct recent *recent, const struct journal_head *from,
                 const struct journal_head *to, const struct family *families, size_t n)
{
    struct recent_span *span = &recent->spans[recent->next];
    free(span->slots);
    *span = (struct recent_span){.from = *from, .to = *to, .size = size_for(families, n)};
    span->slots = calloc(span->size, sizeof *span->slots);
    if (span->slots == NULL)
        return;
    recent->next = (recent->next + 1) % RECENT_SPANS;
    for (size_t i = 0; i < n; i++) {
        uint64_t hash = hash_of(recent, families[i].id);
        if (families[i].is_changed)
            *slot_of(span, hash) = hash;
    }
}

/* The change that was made at this head, or NULL. */
static const struct recent_span *span_from(const struct recent *recent,
                                           const struct journal_head *from)
{
    for (size_t i = 0; i < RECENT_SPANS; i++) {
        const struct recent_span *span = &recent->spans[i];
        if (span->slots != NULL && journal_head_same(&span->from, from))
            return span;
    }
    return NULL;
}

bool recent_is_untouched(const struct recent *recent, const struct journal_head *from,
                         const struct journal_head *to, struct isg_str id)
{
    uint64_t hash = hash_of(recent, id);
    /* Heads only go forward, but what a damaged store shows must not make this endless. */
    for (size_t steps = 0; !journal_head_same(from, to); steps++) {
        const struct recent_span *span = span_from(recent, from);
        if (steps == RECENT_SPANS || span == NULL || *slot_of(span, hash) != 0)
            return false;
        from = &span->to;
    }
    return true;
}
