#include <stdlib.h>
#include <string.h>

#include "gateway/log.h"
#include "gateway/share/directory_private.h"
#include "stix/base/time.h"

enum { TRIES = 20 };

/* ---- the snapshot --------------------------------------------------------------------------- */

const struct registry *directory_get(struct directory *directory)
{
    (void)pthread_mutex_lock(&directory->swap);
    const struct registry *registry = registry_ref(directory->current);
    (void)pthread_mutex_unlock(&directory->swap);
    return registry;
}

static void replace(struct directory *directory, const struct registry *fresh)
{
    (void)pthread_mutex_lock(&directory->swap);
    const struct registry *old = directory->current;
    directory->current = fresh;
    (void)pthread_mutex_unlock(&directory->swap);
    registry_unref(&old);
}

static const struct member new_member = {.kind = MEMBER_KIND_COUNT,
                                         .tlp_max = STIX_TLP_RED,
                                         .requests_per_minute = MEMBER_AS_CONFIGURED};

/* Without words about rights nobody but ISAO staff reads or writes. */
static char staff_word[] = "staff";
static char *staff_names[] = {staff_word};
const struct collection directory_new_collection = {
    .handling = COLLECTION_RELAY,
    .default_tlp = STIX_TLP_AMBER,
    .read = {false, staff_names, 1},
    .write = {false, staff_names, 1},
};

/* A document that cannot be read is left out, loudly: whoever it was has no rights then. */
static int skip_document(const char *kind, struct isg_str name, const struct isg_fail *why)
{
    LOG(LOG_ERROR, "directory.document", log_cstr("kind", kind), log_str("name", name),
        log_why(why));
    return ISG_OK;
}

static int load_member(void *arg, struct isg_str name, struct isg_str json)
{
    struct registry *registry = arg;
    struct stix_json *tree = NULL;
    struct isg_fail why;
    struct member member = new_member;
    int err = stix_json_parse(json, NULL, &tree, &why);
    if (err == ISG_OK)
        err = member_read(tree, DOCUMENT_KEPT, registry_arena(registry), &member, &why);
    stix_json_free(&tree);
    if (err == ISG_OK)
        return registry_add_member(registry, &member);
    return err == ISG_ENOMEM ? err : skip_document("member", name, &why);
}

static int load_collection(void *arg, struct isg_str name, struct isg_str json)
{
    struct registry *registry = arg;
    struct stix_json *tree = NULL;
    struct isg_fail why;
    struct collection collection = directory_new_collection;
    int err = stix_json_parse(json, NULL, &tree, &why);
    if (err == ISG_OK)
        err = collection_read(tree, DOCUMENT_KEPT, registry_arena(registry), &collection, &why);
    stix_json_free(&tree);
    if (err == ISG_OK && (!isg_str_is(name, collection.id) || collection.root == NULL))
        err = isg_fail(&why, ISG_EINVAL, "no root, or not this name's document");
    if (err == ISG_OK)
        return registry_add_collection(registry, &collection);
    return err == ISG_ENOMEM ? err : skip_document("collection", name, &why);
}

/* Load everything and swap. The generation is read first: a change meanwhile loads again. */
static int load(struct directory *directory, struct isg_fail *why)
{
    uint64_t generation;
    int err = store_docs_generation(directory->store, &generation, why);
    if (err != ISG_OK)
        return err;
    struct registry *registry = registry_new(generation);
    if (registry == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    err = store_doc_each(directory->store, STORE_MEMBER, load_member, registry, why);
    if (err == ISG_OK)
        err = store_doc_each(directory->store, STORE_COLLECTION, load_collection, registry, why);
    if (err == ISG_OK && registry_finish(registry) != ISG_OK)
        err = isg_fail(why, ISG_ENOMEM, "no memory");
    const struct registry *fresh = registry;
    if (err == ISG_OK)
        replace(directory, fresh);
    else
        registry_unref(&fresh);
    return err;
}

int directory_open(struct store *store, const struct config *config,
                   const struct trust_secret *secret, struct directory **out, struct isg_fail *why)
{
    struct directory *directory = calloc(1, sizeof *directory);
    if (directory == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    directory->store = store;
    directory->config = config;
    directory->secret = secret;
    (void)pthread_mutex_init(&directory->change, NULL);
    (void)pthread_mutex_init(&directory->swap, NULL);
    int err = load(directory, why);
    if (err != ISG_OK) {
        directory_close(&directory);
        return err;
    }
    *out = directory;
    return ISG_OK;
}

void directory_close(struct directory **directory)
{
    if (directory == NULL || *directory == NULL)
        return;
    registry_unref(&(*directory)->current);
    (void)pthread_mutex_destroy(&(*directory)->change);
    (void)pthread_mutex_destroy(&(*directory)->swap);
    free(*directory);
    *directory = NULL;
}

int directory_refresh(struct directory *directory, struct isg_fail *why)
{
    uint64_t generation;
    int err = store_docs_generation(directory->store, &generation, why);
    if (err != ISG_OK)
        return err;
    (void)pthread_mutex_lock(&directory->change);
    if (directory->current->generation != generation)
        err = load(directory, why);
    (void)pthread_mutex_unlock(&directory->change);
    return err;
}

int directory_keep(struct directory *directory, enum store_doc kind, const char *name,
                   struct isg_buf *document, struct isg_fail *why)
{
    if (document->err != ISG_OK)
        return isg_fail(why, document->err, "the document is too large");
    int err = store_doc_swap(directory->store, kind, isg_str_of(name), isg_buf_str(document),
                             directory->current->generation, why);
    return err == ISG_OK ? load(directory, why) : err;
}

int directory_change(struct directory *directory, directory_change_fn *change, void *arg,
                     struct isg_fail *why)
{
    int err = ISG_EBUSY;
    (void)pthread_mutex_lock(&directory->change);
    for (int i = 0; err == ISG_EBUSY && i < TRIES; i++) {
        if (i > 0 && (err = load(directory, why)) != ISG_OK)
            break;
        const struct registry *held = registry_ref(directory->current);
        err = change(directory, arg, why);
        registry_unref(&held);
    }
    (void)pthread_mutex_unlock(&directory->change);
    return err;
}

/* ---- members -------------------------------------------------------------------------------- */

/* A number that no earlier state of the member had; fits JSON's integers. */
static uint64_t fresh_stamp(void)
{
    uint64_t stamp;
    trust_random(&stamp, sizeof stamp);
    return stamp & ((UINT64_C(1) << 53) - 1);
}

static int check_certificates(const struct registry *registry, const struct member *member,
                              struct isg_fail *why)
{
    for (size_t i = 0; i < member->certificates_count; i++) {
        const struct member *other = registry_by_certificate(registry, &member->certificates[i]);
        if (other != NULL && strcmp(other->name, member->name) != 0)
            return isg_fail_at(why, ISG_ECONFLICT, "/certificates", NULL,
                               "another member has this certificate");
    }
    return ISG_OK;
}

int directory_keep_member(struct directory *directory, struct member *member, struct isg_fail *why)
{
    struct isg_buf document;
    isg_buf_init(&document, DIRECTORY_DOCUMENT_MAX);
    member->stamp = fresh_stamp();
    member_write_kept(member, &document);
    int err = directory_keep(directory, STORE_MEMBER, member->name, &document, why);
    if (document.p != NULL)
        trust_wipe(document.p, document.len);
    isg_buf_done(&document);
    return err;
}

struct member_change {
    const struct stix_json *body;
    char *hash;  /* of a new password, NULL where the body has none */
    bool create; /* there must be no such member yet */
    struct isg_arena *arena;
    struct isg_buf *out; /* the member as it became; may be NULL */
};

/* A rotation with overlap: the password before is good for a while beside the new one. */
static void take_password(struct member *member, const struct member_change *change)
{
    int64_t keep_s = 0;
    (void)stix_json_int(stix_json_get(change->body, "keep_old_s"), &keep_s);
    bool keep = keep_s > 0 && change->hash != NULL && member->password_hash != NULL;
    member->old_password_hash = keep ? member->password_hash : NULL;
    member->old_password_until_us = keep ? isg_time_now_us() + keep_s * 1000000 : 0;
    member->password_hash = change->hash;
}

static int change_member(struct directory *directory, void *arg, struct isg_fail *why)
{
    const struct member_change *change = arg;
    const struct stix_json *body = change->body;
    const struct registry *registry = directory->current;
    const struct member *old = registry_member(registry, stix_json_get_str(body, "name"));
    if (old != NULL && change->create)
        return isg_fail_at(why, ISG_ECONFLICT, "/name", NULL, "a member has this name");
    if (old == NULL && !change->create && !stix_json_has(body, "kind"))
        return isg_fail_at(why, ISG_ENOENT, "/name", NULL, "no such member");
    struct member member = old == NULL ? new_member : *old;
    int err = member_read(body, DOCUMENT_BODY, change->arena, &member, why);
    if (err == ISG_OK)
        err = check_certificates(registry, &member, why);
    if (err != ISG_OK)
        return err;
    if (stix_json_has(body, "password"))
        take_password(&member, change);
    err = directory_keep_member(directory, &member, why);
    if (err == ISG_OK && change->out != NULL)
        member_write(&member, change->out);
    return err;
}

/* Check the body, against what the member is now, and hash its password (slow): without a lock. */
static int prepare_member(struct directory *directory, const struct stix_json *body,
                          struct isg_arena *arena, char hash[TRUST_PASSWORD_TEXT],
                          struct isg_fail *why)
{
    const struct registry *held = directory_get(directory);
    const struct member *old = registry_member(held, stix_json_get_str(body, "name"));
    struct member probe = old == NULL ? new_member : *old;
    struct isg_str password = stix_json_get_str(body, "password");
    if (old == NULL)
        probe.kind = MEMBER_HOSPITAL; /* whether a kind is needed is known only under the lock */
    int err = member_read(body, DOCUMENT_BODY, arena, &probe, why);
    registry_unref(&held);
    hash[0] = '\0';
    return err == ISG_OK && password.p != NULL ? trust_password_hash(password, hash, why) : err;
}

int directory_put_member(struct directory *directory, struct isg_str json, bool create,
                         struct isg_buf *out, struct isg_fail *why)
{
    struct stix_json *body = NULL;
    char hash[TRUST_PASSWORD_TEXT];
    struct isg_arena *arena = isg_arena_new(DIRECTORY_DOCUMENT_MAX);
    if (arena == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    int err = stix_json_parse(json, NULL, &body, why);
    if (err == ISG_OK)
        err = prepare_member(directory, body, arena, hash, why);
    if (err == ISG_OK) {
        struct member_change change = {body, hash[0] != '\0' ? hash : NULL, create, arena, out};
        err = directory_change(directory, change_member, &change, why);
    }
    stix_json_free(&body);
    isg_arena_free(&arena);
    return err;
}
