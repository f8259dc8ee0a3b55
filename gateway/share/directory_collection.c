/* Changing collections: what the body may ask for, and what else there is. */
#include <string.h>

#include "gateway/share/directory_private.h"

static int check_root(const struct directory *directory, const char *root, struct isg_fail *why)
{
    const struct config *config = directory->config;
    if (config == NULL || config->roots_count == 0)
        return ISG_OK;
    for (unsigned i = 0; i < config->roots_count; i++) {
        if (strcmp(config->roots[i].path, root) == 0)
            return ISG_OK;
    }
    return isg_fail_at(why, ISG_EINVAL, "/root", NULL, "no API root has this path");
}

/* T-102: an alias stands in for the id, so nothing else in its root may be called so. */
static int check_alias(const struct registry *registry, const struct collection *collection,
                       struct isg_fail *why)
{
    for (size_t i = 0; i < registry->collections_count; i++) {
        const struct collection *other = &registry->collections[i];
        if (collection->alias != NULL && other->alias != NULL &&
            strcmp(other->id, collection->id) != 0 && strcmp(other->root, collection->root) == 0 &&
            strcmp(other->alias, collection->alias) == 0)
            return isg_fail_at(why, ISG_ECONFLICT, "/alias", "T-102",
                               "another collection of this root has this alias");
    }
    return ISG_OK;
}

/* Replace the name of the target by its id. The target publishes nowhere: no circles. */
static int resolve_target(const struct registry *registry, struct collection *collection,
                          struct isg_arena *arena, struct isg_fail *why)
{
    const struct collection *target = NULL;
    if (collection->publish_to == NULL)
        return ISG_OK;
    int err = registry_collection(registry, (struct isg_str){NULL, 0},
                                  isg_str_of(collection->publish_to), &target, NULL);
    if (err != ISG_OK || target->handling != COLLECTION_RELAY ||
        strcmp(target->id, collection->id) == 0)
        return isg_fail_at(why, ISG_EINVAL, "/publish_to", NULL,
                           "no single other relay collection has this id, alias or title");
    collection->publish_to = isg_arena_copy(arena, isg_str_of(target->id));
    return collection->publish_to == NULL ? isg_fail(why, ISG_ENOMEM, "no memory") : ISG_OK;
}

static int check_collection(struct directory *directory, struct collection *collection,
                            struct isg_arena *arena, struct isg_fail *why)
{
    static char default_root[] = "api";
    const struct registry *registry = directory->current;
    const struct config *config = directory->config;
    if (collection->root == NULL)
        collection->root =
            config != NULL && config->roots_count > 0 ? config->roots[0].path : default_root;
    int err = check_root(directory, collection->root, why);
    if (err == ISG_OK)
        err = check_alias(registry, collection, why);
    if (err == ISG_OK)
        err = resolve_target(registry, collection, arena, why);
    return err != ISG_OK ? err : collection_check_names(collection, registry, why);
}

struct collection_change {
    const struct stix_json *body;
    bool create; /* there must be no such collection yet */
    struct isg_arena *arena;
    struct isg_buf *out; /* the collection as it became; may be NULL */
};

static int change_collection(struct directory *directory, void *arg, struct isg_fail *why)
{
    const struct collection_change *change = arg;
    const struct stix_json *body = change->body;
    struct isg_str id = stix_json_get_str(body, "id");
    struct collection collection = directory_new_collection;
    struct isg_fail unable = {0};
    struct isg_buf document;
    for (size_t i = 0; i < directory->current->collections_count; i++) {
        const struct collection *old = &directory->current->collections[i];
        if (id.n == 0 || !isg_str_ieq(id, isg_str_of(old->id)))
            continue;
        if (change->create)
            return isg_fail_at(why, ISG_ECONFLICT, "/id", NULL, "a collection has this id");
        collection = *old;
    }
    if (collection.id[0] == '\0' && store_gives(directory->store, STORE_DISK, NULL) != ISG_OK)
        collection.durability =
            STORE_SECOND; /* what this server gives, unless the body says more */
    int err = collection_read(body, DOCUMENT_BODY, change->arena, &collection, why);
    if (err == ISG_OK && store_gives(directory->store, collection.durability, &unable) != ISG_OK)
        err = isg_fail_at(why, ISG_EINVAL, "/durability", NULL, "%s", unable.text);
    if (err == ISG_OK && collection.id[0] == '\0')
        isg_uuid_random(collection.id);
    if (err == ISG_OK)
        err = check_collection(directory, &collection, change->arena, why);
    if (err != ISG_OK)
        return err;
    isg_buf_init(&document, DIRECTORY_DOCUMENT_MAX);
    collection_write(&collection, &document);
    err = directory_keep(directory, STORE_COLLECTION, collection.id, &document, why);
    if (err == ISG_OK && change->out != NULL)
        isg_buf_put_str(change->out, isg_buf_str(&document));
    isg_buf_done(&document);
    return err;
}

int directory_put_collection(struct directory *directory, struct isg_str json, bool create,
                             struct isg_buf *out, struct isg_fail *why)
{
    struct stix_json *body = NULL;
    struct isg_arena *arena = isg_arena_new(DIRECTORY_DOCUMENT_MAX);
    if (arena == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    int err = stix_json_parse(json, NULL, &body, why);
    if (err == ISG_OK) {
        struct collection_change change = {body, create, arena, out};
        err = directory_change(directory, change_collection, &change, why);
    }
    stix_json_free(&body);
    isg_arena_free(&arena);
    return err;
}
