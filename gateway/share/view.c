#include "gateway/share/view.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "stix/base/digest.h"
#include "stix/base/time.h"

bool view_sees(const struct view *view, uint32_t label)
{
    return label < view->labels && (view->sees[label / 8] >> (label % 8) & 1) != 0;
}

/* Equal for equal sets: labels that are not seen at the end do not count. */
static uint64_t key_of(const struct view *view)
{
    uint8_t digest[ISG_SHA256_BYTES];
    uint64_t key = 0;
    size_t n = ((size_t)view->labels + 7) / 8;
    while (n > 0 && view->sees[n - 1] == 0)
        n--;
    isg_sha256((struct isg_str){(const char *)view->sees, n}, digest);
    memcpy(&key, digest, sizeof key);
    return key;
}

/* The collection's labels as this request takes them. */
struct labels {
    struct store *store;
    const char *collection;
    uint32_t count;
};

static struct labels labels_now(struct store *store, const struct collection *collection)
{
    /* Labels are learned with the head: this waits only before a collection's very first use. */
    struct store_head head;
    (void)store_head(store, collection->id, UINT_MAX, &head, NULL);
    return (struct labels){store, collection->id, store_label_count(store, collection->id)};
}

static size_t bytes_of(uint32_t labels)
{
    return (size_t)labels / 8 + 1;
}

static struct view *new_view(uint32_t labels, struct isg_arena *arena)
{
    struct view *view = isg_arena_alloc(arena, sizeof *view);
    uint8_t *sees = isg_arena_alloc(arena, bytes_of(labels));
    if (view == NULL || sees == NULL)
        return NULL;
    *view = (struct view){.labels = labels, .sees = sees};
    return view;
}

/* Decide every label. False in *out_whole when the text of one is not known (yet). */
static void decide(const struct labels *labels, const struct member *member, struct view *view,
                   bool *out_whole)
{
    int64_t now_us = isg_time_now_us();
    *out_whole = true;
    for (uint32_t i = 0; i < view->labels; i++) {
        const char *text = store_label(labels->store, labels->collection, i);
        struct policy_label label = policy_label_read(isg_str_of(text));
        if (member == NULL || policy_decide(&label, member, now_us) == POLICY_ALLOW)
            view->sees[i / 8] |= (uint8_t)(1U << (i % 8));
        if (text == NULL)
            *out_whole = false;
    }
}

const struct view *view_of(struct store *store, const struct collection *collection,
                           const struct member *member, struct isg_arena *arena)
{
    struct labels labels = labels_now(store, collection);
    struct view *view = new_view(labels.count, arena);
    bool whole;
    if (view == NULL)
        return NULL;
    if (member == NULL || collection_can_read(collection, member))
        decide(&labels, member, view, &whole);
    view->key = key_of(view);
    return view;
}

/* ---- memory --------------------------------------------------------------------------------- */

enum {
    SLOTS = 1024,
    NAME_MAX_BYTES = 64,       /* of a member */
    KEPT_LABELS_MAX = 32 << 10 /* views of more are not kept: all slots take at most 4 MiB */
};

/*
 * All that a view depends on. The texts of labels never move while the store is open, and a log
 * that takes the place of another brings new ones: so first and last stand for all of them.
 */
struct origin {
    char collection[ISG_UUID_TEXT];
    char member[NAME_MAX_BYTES + 1];
    uint64_t stamp;
    uint64_t registry;
    uint32_t labels;
    const char *first;
    const char *last;
};

struct kept_view {
    struct origin origin;
    uint64_t key;
    uint8_t sees[];
};

struct view_memory {
    pthread_mutex_t lock;
    struct kept_view *slots[SLOTS]; /* by hash of collection and member; the later one stays */
};

struct view_memory *view_memory_new(void)
{
    struct view_memory *memory = calloc(1, sizeof *memory);
    if (memory != NULL)
        (void)pthread_mutex_init(&memory->lock, NULL);
    return memory;
}

void view_memory_free(struct view_memory **memory)
{
    struct view_memory *gone = *memory;
    *memory = NULL;
    if (gone == NULL)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        free(gone->slots[i]);
    (void)pthread_mutex_destroy(&gone->lock);
    free(gone);
}

/* False where there is nothing to remember by. */
static bool make_origin(const struct labels *labels, const struct registry *registry,
                        const struct member *member, struct origin *out)
{
    if (labels->count == 0 || labels->count > KEPT_LABELS_MAX ||
        strlen(member->name) > NAME_MAX_BYTES)
        return false;
    *out =
        (struct origin){.stamp = member->stamp,
                        .registry = registry->generation,
                        .labels = labels->count,
                        .first = store_label(labels->store, labels->collection, 0),
                        .last = store_label(labels->store, labels->collection, labels->count - 1)};
    memcpy(out->collection, labels->collection, strlen(labels->collection));
    memcpy(out->member, member->name, strlen(member->name));
    return out->first != NULL && out->last != NULL;
}

static bool is_same(const struct origin *a, const struct origin *b)
{
    return a->stamp == b->stamp && a->registry == b->registry && a->labels == b->labels &&
           a->first == b->first && a->last == b->last && strcmp(a->member, b->member) == 0 &&
           strcmp(a->collection, b->collection) == 0;
}

static size_t slot_of(const struct origin *origin)
{
    uint32_t hash = UINT32_C(2166136261);
    for (const char *c = origin->member; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * UINT32_C(16777619);
    for (const char *c = origin->collection; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * UINT32_C(16777619);
    return (hash ^ hash >> 16) % SLOTS;
}

static bool recall(struct view_memory *memory, const struct origin *origin, struct view *view)
{
    (void)pthread_mutex_lock(&memory->lock);
    const struct kept_view *kept = memory->slots[slot_of(origin)];
    bool found = kept != NULL && is_same(&kept->origin, origin);
    if (found) {
        memcpy(view->sees, kept->sees, bytes_of(origin->labels));
        view->key = kept->key;
    }
    (void)pthread_mutex_unlock(&memory->lock);
    return found;
}

static void keep(struct view_memory *memory, const struct origin *origin, const struct view *view)
{
    size_t n = bytes_of(origin->labels);
    struct kept_view *kept = malloc(sizeof *kept + n);
    if (kept == NULL)
        return;
    kept->origin = *origin;
    kept->key = view->key;
    memcpy(kept->sees, view->sees, n);
    (void)pthread_mutex_lock(&memory->lock);
    struct kept_view **slot = &memory->slots[slot_of(origin)];
    struct kept_view *old = *slot;
    *slot = kept;
    (void)pthread_mutex_unlock(&memory->lock);
    free(old);
}

const struct view *view_recall(struct view_memory *memory, struct store *store,
                               const struct registry *registry, const struct collection *collection,
                               const struct member *member, struct isg_arena *arena)
{
    struct origin origin;
    struct labels labels = labels_now(store, collection);
    if (!collection_can_read(collection, member) ||
        !make_origin(&labels, registry, member, &origin))
        return view_of(store, collection, member, arena);
    struct view *view = new_view(labels.count, arena);
    bool whole;
    if (view == NULL || recall(memory, &origin, view))
        return view;
    decide(&labels, member, view, &whole);
    view->key = key_of(view);
    if (whole)
        keep(memory, &origin, view);
    return view;
}
