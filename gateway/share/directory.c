#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/log.h"
#include "gateway/share/document.h"
#include "gateway/share/member.h"
#include "stix/base/base64.h"
#include "stix/base/jsonw.h"
#include "stix/base/time.h"

enum { DOCUMENT_MAX = 4 << 20, TOKENS_MAX = 100, TOKEN_LABEL_MAX = 128, TRIES = 20 };

struct directory {
    struct store *store;
    const struct config *config; /* NULL: any root is taken */
    const struct trust_secret *secret;
    pthread_mutex_t change; /* held while documents change or are loaded */
    pthread_mutex_t swap;   /* held for the moment of taking or replacing the pointer */
    const struct registry *current;
};

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

static const struct member new_member = {.kind = MEMBER_KIND_COUNT, .tlp_max = STIX_TLP_RED};

/* Without words about rights nobody but ISAO staff reads or writes. */
static char staff_word[] = "staff";
static char *staff_names[] = {staff_word};
static const struct collection new_collection = {
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
    struct collection collection = new_collection;
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

/*
 * Write a document that was made from the current snapshot, and load. Under the change lock.
 * ISG_EBUSY: another gateway changed something since that snapshot.
 */
static int keep(struct directory *directory, enum store_doc kind, const char *name,
                struct isg_buf *document, struct isg_fail *why)
{
    if (document->err != ISG_OK)
        return isg_fail(why, document->err, "the document is too large");
    int err = store_doc_swap(directory->store, kind, isg_str_of(name), isg_buf_str(document),
                             directory->current->generation, why);
    return err == ISG_OK ? load(directory, why) : err;
}

/* Decides upon directory->current, keeps one document, answers; ISG_EBUSY as keep says. */
typedef int change_fn(struct directory *directory, void *arg, struct isg_fail *why);

/* Make a change; where another gateway came in between, decide again upon what it left behind. */
static int make_change(struct directory *directory, change_fn *change, void *arg,
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
        const struct member *other = registry_by_certificate(registry, member->certificates[i]);
        if (other != NULL && strcmp(other->name, member->name) != 0)
            return isg_fail_at(why, ISG_ECONFLICT, "/certificates", NULL,
                               "another member has this certificate");
    }
    return ISG_OK;
}

static int keep_member(struct directory *directory, struct member *member, struct isg_fail *why)
{
    struct isg_buf document;
    isg_buf_init(&document, DOCUMENT_MAX);
    member->stamp = fresh_stamp();
    member_write_kept(member, &document);
    int err = keep(directory, STORE_MEMBER, member->name, &document, why);
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
        member.password_hash = change->hash;
    err = keep_member(directory, &member, why);
    if (err == ISG_OK && change->out != NULL)
        member_write(&member, change->out);
    return err;
}

/* Check the body and hash its password (slow) before any lock is taken. */
static int prepare_member(const struct stix_json *body, struct isg_arena *arena,
                          char hash[TRUST_PASSWORD_TEXT], bool *out_hashed, struct isg_fail *why)
{
    struct member probe = new_member;
    probe.kind = MEMBER_HOSPITAL; /* whether a kind is needed is known only under the lock */
    struct isg_str password = stix_json_get_str(body, "password");
    int err = member_read(body, DOCUMENT_BODY, arena, &probe, why);
    *out_hashed = false;
    if (err != ISG_OK || password.p == NULL)
        return err;
    err = trust_password_hash(password, hash, why);
    *out_hashed = err == ISG_OK;
    return err;
}

int directory_put_member(struct directory *directory, struct isg_str json, bool create,
                         struct isg_buf *out, struct isg_fail *why)
{
    struct stix_json *body = NULL;
    char hash[TRUST_PASSWORD_TEXT];
    bool hashed = false;
    struct isg_arena *arena = isg_arena_new(DOCUMENT_MAX);
    if (arena == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    int err = stix_json_parse(json, NULL, &body, why);
    if (err == ISG_OK)
        err = prepare_member(body, arena, hash, &hashed, why);
    if (err == ISG_OK) {
        struct member_change change = {body, hashed ? hash : NULL, create, arena, out};
        err = make_change(directory, change_member, &change, why);
    }
    stix_json_free(&body);
    isg_arena_free(&arena);
    return err;
}

/* "isg_" and 32 random bytes: easy to find by those who search for leaked secrets. */
static void make_token(struct isg_buf *out)
{
    uint8_t bytes[32];
    trust_random(bytes, sizeof bytes);
    isg_buf_puts(out, "isg_");
    isg_base64_encode(ISG_BASE64_URL, bytes, sizeof bytes, out);
    trust_wipe(bytes, sizeof bytes);
}

struct new_token {
    struct isg_str name; /* of the member */
    struct isg_str label;
    struct isg_str token;
};

static int add_token(struct directory *directory, void *arg, struct isg_fail *why)
{
    const struct new_token *wanted = arg;
    struct isg_str label = wanted->label;
    struct member_token tokens[TOKENS_MAX];
    char text[TOKEN_LABEL_MAX + 1];
    const struct member *old = registry_member(directory->current, wanted->name);
    if (old == NULL)
        return isg_fail(why, ISG_ENOENT, "no such member");
    if (old->tokens_count >= TOKENS_MAX)
        return isg_fail(why, ISG_ELIMIT, "a member has at most %d tokens", TOKENS_MAX);
    struct member member = *old;
    memset(tokens, 0, sizeof tokens);
    if (old->tokens_count > 0)
        memcpy(tokens, old->tokens, old->tokens_count * sizeof *tokens);
    if (label.n > 0)
        memcpy(text, label.p, label.n);
    text[label.n] = '\0';
    struct member_token *added = &tokens[member.tokens_count++];
    trust_mac(directory->secret, "token", wanted->token, added->mac);
    added->label = text;
    added->created_us = isg_time_now_us();
    member.tokens = tokens;
    return keep_member(directory, &member, why);
}

int directory_member_token(struct directory *directory, struct isg_str name, struct isg_str label,
                           struct isg_buf *out, struct isg_fail *why)
{
    struct isg_buf token;
    if (label.n > TOKEN_LABEL_MAX || !document_is_clean(label))
        return isg_fail_at(why, ISG_EINVAL, "/label", NULL, "a label has at most %d plain bytes",
                           TOKEN_LABEL_MAX);
    isg_buf_init(&token, 128);
    make_token(&token);
    if (token.err != ISG_OK)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    struct new_token wanted = {name, label, isg_buf_str(&token)};
    int err = make_change(directory, add_token, &wanted, why);
    if (err == ISG_OK && out != NULL) {
        struct isg_jsonw w;
        isg_jsonw_init(&w, out);
        isg_jsonw_object(&w);
        isg_jsonw_put_str(&w, "token", isg_buf_str(&token));
        isg_jsonw_put_str(&w, "label", label);
        isg_jsonw_end(&w);
    }
    trust_wipe(token.p, token.len);
    isg_buf_done(&token);
    return err;
}

/* ---- collections ---------------------------------------------------------------------------- */

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
    struct collection collection = new_collection;
    struct isg_buf document;
    for (size_t i = 0; i < directory->current->collections_count; i++) {
        const struct collection *old = &directory->current->collections[i];
        if (id.n == 0 || !isg_str_ieq(id, isg_str_of(old->id)))
            continue;
        if (change->create)
            return isg_fail_at(why, ISG_ECONFLICT, "/id", NULL, "a collection has this id");
        collection = *old;
    }
    int err = collection_read(body, DOCUMENT_BODY, change->arena, &collection, why);
    if (err == ISG_OK && collection.id[0] == '\0')
        isg_uuid_random(collection.id);
    if (err == ISG_OK)
        err = check_collection(directory, &collection, change->arena, why);
    if (err != ISG_OK)
        return err;
    isg_buf_init(&document, DOCUMENT_MAX);
    collection_write(&collection, &document);
    err = keep(directory, STORE_COLLECTION, collection.id, &document, why);
    if (err == ISG_OK && change->out != NULL)
        isg_buf_put_str(change->out, isg_buf_str(&document));
    isg_buf_done(&document);
    return err;
}

int directory_put_collection(struct directory *directory, struct isg_str json, bool create,
                             struct isg_buf *out, struct isg_fail *why)
{
    struct stix_json *body = NULL;
    struct isg_arena *arena = isg_arena_new(DOCUMENT_MAX);
    if (arena == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    int err = stix_json_parse(json, NULL, &body, why);
    if (err == ISG_OK) {
        struct collection_change change = {body, create, arena, out};
        err = make_change(directory, change_collection, &change, why);
    }
    stix_json_free(&body);
    isg_arena_free(&arena);
    return err;
}
