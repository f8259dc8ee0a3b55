#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/share/credentials.h"
#include "gateway/share/member.h"

enum { ARENA_MAX = 1 << 30 };

/* Where a credential leads. */
struct key {
    uint8_t bytes[TRUST_MAC_BYTES];
    int64_t expires_us; /* 0: never */
    const struct member *member;
};

struct keys {
    struct key *list; /* sorted by bytes */
    size_t count;
};

/* What really lies behind a snapshot. */
struct box {
    struct registry registry; /* first: a registry is a box */
    atomic_size_t refs;
    struct isg_arena *arena;
    size_t members_room;
    size_t collections_room;
    struct keys tokens;
    struct keys certificates;
};

static struct box *box_of(const struct registry *registry)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): only the const of a box of ours is taken off */
    return (struct box *)(uintptr_t)registry;
}

struct registry *registry_new(uint64_t generation)
{
    struct box *box = calloc(1, sizeof *box);
    if (box == NULL)
        return NULL;
    box->arena = isg_arena_new(ARENA_MAX);
    if (box->arena == NULL) {
        free(box);
        return NULL;
    }
    atomic_init(&box->refs, 1);
    box->registry.generation = generation;
    return &box->registry;
}

struct isg_arena *registry_arena(struct registry *registry)
{
    return box_of(registry)->arena;
}

const struct registry *registry_ref(const struct registry *registry)
{
    atomic_fetch_add(&box_of(registry)->refs, 1);
    return registry;
}

void registry_unref(const struct registry **registry)
{
    if (registry == NULL || *registry == NULL)
        return;
    struct box *box = box_of(*registry);
    *registry = NULL;
    if (atomic_fetch_sub(&box->refs, 1) != 1)
        return;
    free(box->registry.members);
    free(box->registry.collections);
    free(box->tokens.list);
    free(box->certificates.list);
    isg_arena_free(&box->arena);
    free(box);
}

/* Room for one more element; the new array or NULL. */
static void *grow(void *list, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return list;
    size_t more = *room == 0 ? 16 : *room * 2;
    void *bigger = realloc(list, more * size);
    if (bigger != NULL)
        *room = more;
    return bigger;
}

int registry_add_member(struct registry *registry, const struct member *member)
{
    struct box *box = box_of(registry);
    struct member *list =
        grow(registry->members, registry->members_count, &box->members_room, sizeof *list);
    if (list == NULL)
        return ISG_ENOMEM;
    registry->members = list;
    list[registry->members_count++] = *member;
    return ISG_OK;
}

int registry_add_collection(struct registry *registry, const struct collection *collection)
{
    struct box *box = box_of(registry);
    struct collection *list = grow(registry->collections, registry->collections_count,
                                   &box->collections_room, sizeof *list);
    if (list == NULL)
        return ISG_ENOMEM;
    registry->collections = list;
    list[registry->collections_count++] = *collection;
    return ISG_OK;
}

static int compare_members(const void *a, const void *b)
{
    const struct member *left = a, *right = b;
    return strcmp(left->name, right->name);
}

static int compare_collections(const void *a, const void *b)
{
    const struct collection *left = a, *right = b;
    return strcmp(left->id, right->id);
}

static int compare_keys(const void *a, const void *b)
{
    const struct key *left = a, *right = b;
    return memcmp(left->bytes, right->bytes, sizeof left->bytes);
}

static void index_member(struct box *box, const struct member *member)
{
    for (size_t i = 0; i < member->tokens_count; i++) {
        struct key *key = &box->tokens.list[box->tokens.count++];
        memcpy(key->bytes, member->tokens[i].mac, sizeof key->bytes);
        key->expires_us = member->tokens[i].expires_us;
        key->member = member;
    }
    for (size_t i = 0; i < member->certificates_count; i++) {
        struct key *key = &box->certificates.list[box->certificates.count];
        if (!credentials_key(&member->certificates[i], key->bytes))
            continue;
        key->member = member;
        box->certificates.count++;
    }
}

int registry_finish(struct registry *registry)
{
    struct box *box = box_of(registry);
    size_t tokens = 0, certificates = 0;
    if (registry->members_count > 1)
        qsort(registry->members, registry->members_count, sizeof *registry->members,
              compare_members);
    if (registry->collections_count > 1)
        qsort(registry->collections, registry->collections_count, sizeof *registry->collections,
              compare_collections);
    for (size_t i = 0; i < registry->members_count; i++) {
        const struct member *member = &registry->members[i];
        if (member->old_password_hash != NULL &&
            member->old_password_until_us > registry->rotation_until_us)
            registry->rotation_until_us = member->old_password_until_us;
        tokens += registry->members[i].tokens_count;
        certificates += registry->members[i].certificates_count;
    }
    box->tokens.list = calloc(tokens + 1, sizeof *box->tokens.list);
    box->certificates.list = calloc(certificates + 1, sizeof *box->certificates.list);
    if (box->tokens.list == NULL || box->certificates.list == NULL)
        return ISG_ENOMEM;
    for (size_t i = 0; i < registry->members_count; i++)
        index_member(box, &registry->members[i]);
    qsort(box->tokens.list, box->tokens.count, sizeof *box->tokens.list, compare_keys);
    qsort(box->certificates.list, box->certificates.count, sizeof *box->certificates.list,
          compare_keys);
    return ISG_OK;
}

/* ---- looking up ----------------------------------------------------------------------------- */

const struct member *registry_member(const struct registry *registry, struct isg_str name)
{
    size_t low = 0, high = registry->members_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = isg_str_cmp(isg_str_of(registry->members[middle].name), name);
        if (order == 0)
            return &registry->members[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct member *registry_by_token(const struct registry *registry,
                                       const uint8_t mac[TRUST_MAC_BYTES], int64_t now_us)
{
    const struct keys *tokens = &box_of(registry)->tokens;
    struct key wanted = {.expires_us = 0};
    memcpy(wanted.bytes, mac, sizeof wanted.bytes);
    const struct key *key =
        bsearch(&wanted, tokens->list, tokens->count, sizeof *tokens->list, compare_keys);
    if (key == NULL || !trust_mac_equal(key->bytes, mac))
        return NULL;
    return key->expires_us != 0 && key->expires_us <= now_us ? NULL : key->member;
}

const struct member *registry_by_certificate(const struct registry *registry,
                                             const struct member_certificate *certificate)
{
    const struct keys *certificates = &box_of(registry)->certificates;
    struct key wanted = {.expires_us = 0};
    if (!credentials_key(certificate, wanted.bytes))
        return NULL;
    const struct key *key = bsearch(&wanted, certificates->list, certificates->count,
                                    sizeof *certificates->list, compare_keys);
    return key == NULL ? NULL : key->member;
}

static bool is_in_root(const struct collection *collection, struct isg_str root)
{
    return root.n == 0 || isg_str_is(root, collection->root);
}

/* An id or alias leads to at most one collection of a root; a title may lead to several. */
static bool is_called(const struct collection *collection, struct isg_str name, bool by_title)
{
    if (by_title)
        return isg_str_is(name, collection->title);
    return isg_str_ieq(name, isg_str_of(collection->id)) ||
           (collection->alias != NULL && isg_str_is(name, collection->alias));
}

static size_t find(const struct registry *registry, struct isg_str root, struct isg_str name,
                   bool by_title, const struct collection **out)
{
    size_t found = 0;
    for (size_t i = 0; i < registry->collections_count; i++) {
        const struct collection *collection = &registry->collections[i];
        if (!is_in_root(collection, root) || !is_called(collection, name, by_title))
            continue;
        *out = collection;
        found++;
    }
    return found;
}

int registry_collection(const struct registry *registry, struct isg_str root, struct isg_str name,
                        const struct collection **out, struct isg_fail *why)
{
    const struct collection *collection = NULL;
    size_t found = find(registry, root, name, false, &collection);
    if (found == 0)
        found = find(registry, root, name, true, &collection);
    if (found == 0)
        return isg_fail(why, ISG_ENOENT, "no such collection");
    if (found > 1)
        return isg_fail(why, ISG_ECONFLICT, "more than one collection has this name: use the id");
    *out = collection;
    return ISG_OK;
}
