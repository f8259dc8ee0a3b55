#include <stdio.h>
#include <string.h>

#include "gateway/share/document.h"
#include "gateway/share/member.h"
#include "stix/base/jsonw.h"

enum {
    TITLE_MAX = 256,
    ALIAS_MAX = 128,
    DESCRIPTION_MAX = 4096,
    ROOT_MAX = 128,
    RIGHT_MAX = 10000
};

#define TTL_MAX_S UINT64_C(2144448000) /* 68 years, and still a number of 31 bits */

/* ---- rights --------------------------------------------------------------------------------- */

/* True when the right says it for this member: by name, as staff, by kind, or for all. */
static bool names_member(const struct collection_right *right, const struct member *member)
{
    if (right->all)
        return true;
    for (size_t i = 0; i < right->names_count; i++) {
        struct isg_str name = isg_str_of(right->names[i]);
        if (isg_str_is(name, member->name))
            return true;
        if (isg_str_is(name, "staff") && member->kind == MEMBER_ISAO_STAFF)
            return true;
        if (isg_str_starts(name, ISG_STR("kind:")) &&
            isg_str_is(isg_str_from(name, 5), member_kind_name(member->kind)))
            return true;
    }
    return false;
}

bool collection_can_read(const struct collection *collection, const struct member *member)
{
    if (member == NULL || member->suspended)
        return false;
    return member->kind == MEMBER_ISAO_STAFF || names_member(&collection->read, member);
}

bool collection_can_write(const struct collection *collection, const struct member *member)
{
    /* Anonymous readers share the kind public: nothing comes in from there. */
    if (member == NULL || member->suspended || member->kind == MEMBER_PUBLIC)
        return false;
    return names_member(&collection->write, member);
}

/* ---- reading -------------------------------------------------------------------------------- */

static int set_id(struct document_read *read, const struct stix_json *value)
{
    struct collection *collection = read->object;
    struct isg_str id = stix_json_str(value);
    int version = 0;
    if (!isg_uuid_is_valid(id, &version) || version != 4)
        return document_refuse(read, "an id is a random UUID (version 4)");
    for (size_t i = 0; i < ISG_UUID_TEXT - 1; i++) {
        char c = id.p[i];
        collection->id[i] = (char)(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
    }
    collection->id[ISG_UUID_TEXT - 1] = '\0';
    return ISG_OK;
}

static bool is_url_safe(struct isg_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && (i == 0 || (c != '.' && c != '_' && c != '-')))
            return false;
    }
    return true;
}

static int set_root(struct document_read *read, const struct stix_json *value)
{
    struct collection *collection = read->object;
    if (value == NULL)
        return document_refuse(read, "the path of an API root");
    return document_text(read, value, ROOT_MAX, &collection->root);
}

static int set_alias(struct document_read *read, const struct stix_json *value)
{
    struct collection *collection = read->object;
    struct isg_str alias = stix_json_str(value);
    if (value != NULL && (!is_url_safe(alias) || isg_uuid_is_valid(alias, NULL)))
        return document_refuse(read, "an alias is [A-Za-z0-9][A-Za-z0-9._-]* and no UUID");
    return document_text(read, value, ALIAS_MAX, &collection->alias);
}

static int set_title(struct document_read *read, const struct stix_json *value)
{
    struct collection *collection = read->object;
    if (value == NULL)
        return document_refuse(read, "a title is required");
    return document_text(read, value, TITLE_MAX, &collection->title);
}

static int set_description(struct document_read *read, const struct stix_json *value)
{
    struct collection *collection = read->object;
    return document_text(read, value, DESCRIPTION_MAX, &collection->description);
}

static int set_handling(struct document_read *read, const struct stix_json *value)
{
    struct collection *collection = read->object;
    struct isg_str text = stix_json_str(value);
    if (isg_str_is(text, "relay"))
        collection->handling = COLLECTION_RELAY;
    else if (isg_str_is(text, "submission"))
        collection->handling = COLLECTION_SUBMISSION;
    else
        return document_refuse(read, "handling is relay or submission");
    return ISG_OK;
}

static int set_publish_to(struct document_read *read, const struct stix_json *value)
{
    struct collection *collection = read->object;
    return document_text(read, value, TITLE_MAX, &collection->publish_to);
}

static int set_default_tlp(struct document_read *read, const struct stix_json *value)
{
    struct collection *collection = read->object;
    enum stix_tlp tlp = value == NULL ? STIX_TLP_AMBER : stix_tlp_of_name(stix_json_str(value));
    if (tlp == STIX_TLP_NONE || tlp == STIX_TLP_UNKNOWN)
        return document_refuse(read, "a level is clear, green, amber, amber+strict or red");
    collection->default_tlp = tlp;
    return ISG_OK;
}

/* One entry of a right; "all" and "none" are words for the whole right. */
static int add_name(struct document_read *read, struct isg_str name, size_t index,
                    struct collection_right *right)
{
    enum member_kind kind;
    bool known =
        isg_str_is(name, "staff") || member_name_is_valid(name) ||
        (isg_str_starts(name, ISG_STR("kind:")) && member_kind_of(isg_str_from(name, 5), &kind));
    if (!known)
        return isg_fail_at(read->why, ISG_EINVAL, read->path, NULL,
                           "entry %zu is no member's name, staff or kind:NAME", index);
    right->names[right->names_count] = isg_arena_copy(read->arena, name);
    if (right->names[right->names_count] == NULL)
        return isg_fail(read->why, ISG_ENOMEM, "no memory");
    right->names_count++;
    return ISG_OK;
}

static int read_right_text(struct document_read *read, struct isg_str text,
                           struct collection_right *right)
{
    struct isg_str piece;
    for (size_t i = 0; isg_str_split(&text, ',', &piece); i++) {
        int err = add_name(read, isg_str_trim(piece), i, right);
        if (err != ISG_OK)
            return err;
    }
    return ISG_OK;
}

static int read_right_list(struct document_read *read, const struct stix_json *value,
                           struct collection_right *right)
{
    for (size_t i = 0; i < stix_json_size(value); i++) {
        int err = add_name(read, stix_json_str(stix_json_at(value, i)), i, right);
        if (err != ISG_OK)
            return err;
    }
    return ISG_OK;
}

static size_t right_room(const struct stix_json *value)
{
    struct isg_str text = stix_json_str(value);
    size_t n = stix_json_size(value) + 1;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == ',' ? 1 : 0;
    return n;
}

static bool is_word(struct isg_str text)
{
    return isg_str_is(text, "all") || isg_str_is(text, "none");
}

static int read_right(struct document_read *read, const struct stix_json *value,
                      struct collection_right *out)
{
    struct collection_right right = {false, NULL, 0};
    struct isg_str text = stix_json_str(value);
    if (stix_json_size(value) == 1 && is_word(stix_json_str(stix_json_at(value, 0))))
        return read_right(read, stix_json_at(value, 0), out);
    bool is_text = stix_json_type(value) == STIX_JSON_STRING;
    if ((!is_text && stix_json_type(value) != STIX_JSON_LIST) || right_room(value) > RIGHT_MAX)
        return document_refuse(read,
                               "a right is all, none, or a list of members, staff, kind:NAME");
    right.names = isg_arena_alloc(read->arena, right_room(value) * sizeof *right.names);
    if (right.names == NULL)
        return isg_fail(read->why, ISG_ENOMEM, "no memory");
    int err = ISG_OK;
    if (is_text && isg_str_is(text, "all"))
        right.all = true;
    else if (is_text && !isg_str_is(text, "none"))
        err = read_right_text(read, text, &right);
    else if (!is_text)
        err = read_right_list(read, value, &right);
    if (err == ISG_OK)
        *out = right;
    return err;
}

static const char *const durability_names[] = {
    [STORE_DISK] = "disk", [STORE_REPLICA] = "replica", [STORE_SECOND] = "second"};

static int set_durability(struct document_read *read, const struct stix_json *value)
{
    struct collection *collection = read->object;
    for (size_t i = 0; i < sizeof durability_names / sizeof *durability_names; i++) {
        if (!isg_str_is(stix_json_str(value), durability_names[i]))
            continue;
        collection->durability = (enum store_durability)i;
        return ISG_OK;
    }
    return document_refuse(read, "durability is disk, replica or second");
}

/* "90d", or a number of seconds. */
static bool read_ttl(const struct stix_json *value, uint64_t *out)
{
    static const struct {
        char unit;
        uint32_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    struct isg_str text = stix_json_str(value);
    int64_t seconds = 0;
    if (stix_json_int(value, &seconds) && seconds > 0) {
        *out = (uint64_t)seconds;
        return true;
    }
    for (size_t i = 0; text.n > 1 && i < sizeof units / sizeof *units; i++) {
        struct isg_str digits = {text.p, text.n - 1};
        if (text.p[text.n - 1] != units[i].unit || !isg_str_to_u64(digits, TTL_MAX_S, out))
            continue;
        *out *= units[i].seconds;
        return *out > 0;
    }
    return false;
}

static int set_ttl(struct document_read *read, const struct stix_json *value)
{
    struct collection *collection = read->object;
    uint64_t seconds = 0;
    if (value != NULL && !isg_str_is(stix_json_str(value), "none") &&
        (!read_ttl(value, &seconds) || seconds > TTL_MAX_S))
        return document_refuse(read, "a time to live is none, or a number with s, m, h or d");
    collection->ttl_s = (uint32_t)seconds;
    return ISG_OK;
}

static int set_read(struct document_read *read, const struct stix_json *value)
{
    struct collection *collection = read->object;
    return read_right(read, value, &collection->read);
}

static int set_write(struct document_read *read, const struct stix_json *value)
{
    struct collection *collection = read->object;
    return read_right(read, value, &collection->write);
}

static const struct document_field fields[] = {
    {"id", DOCUMENT_BODY | DOCUMENT_KEPT, set_id},
    {"root", DOCUMENT_BODY | DOCUMENT_KEPT, set_root},
    {"alias", DOCUMENT_BODY | DOCUMENT_KEPT, set_alias},
    {"title", DOCUMENT_BODY | DOCUMENT_KEPT, set_title},
    {"description", DOCUMENT_BODY | DOCUMENT_KEPT, set_description},
    {"handling", DOCUMENT_BODY | DOCUMENT_KEPT, set_handling},
    {"publish_to", DOCUMENT_BODY | DOCUMENT_KEPT, set_publish_to},
    {"default_tlp", DOCUMENT_BODY | DOCUMENT_KEPT, set_default_tlp},
    {"durability", DOCUMENT_BODY | DOCUMENT_KEPT, set_durability},
    {"ttl", DOCUMENT_BODY | DOCUMENT_KEPT, set_ttl},
    {"read", DOCUMENT_BODY | DOCUMENT_KEPT, set_read},
    {"write", DOCUMENT_BODY | DOCUMENT_KEPT, set_write},
};

int collection_read(const struct stix_json *json, enum document_where where,
                    struct isg_arena *arena, struct collection *out, struct isg_fail *why)
{
    struct collection collection = *out;
    struct document_read read = {arena, why, "", &collection};
    int err = document_apply(fields, sizeof fields / sizeof *fields, json, where, &read);
    if (err != ISG_OK)
        return err;
    if (collection.title == NULL)
        return isg_fail_at(why, ISG_EINVAL, "/title", NULL, "a collection needs a title");
    if (collection.publish_to != NULL && collection.handling != COLLECTION_SUBMISSION)
        return isg_fail_at(why, ISG_EINVAL, "/publish_to", NULL,
                           "only submissions are published elsewhere");
    *out = collection;
    return ISG_OK;
}

static int check_right(const struct collection_right *right, const char *name,
                       const struct registry *registry, struct isg_fail *why)
{
    for (size_t i = 0; i < right->names_count; i++) {
        struct isg_str entry = isg_str_of(right->names[i]);
        if (isg_str_is(entry, "staff") || isg_str_starts(entry, ISG_STR("kind:")) ||
            registry_member(registry, entry) != NULL)
            continue;
        char path[40];
        (void)snprintf(path, sizeof path, "/%s/%zu", name, i);
        return isg_fail_at(why, ISG_EINVAL, path, NULL, "no member is named %s", right->names[i]);
    }
    return ISG_OK;
}

int collection_check_names(const struct collection *collection, const struct registry *registry,
                           struct isg_fail *why)
{
    int err = check_right(&collection->read, "read", registry, why);
    return err != ISG_OK ? err : check_right(&collection->write, "write", registry, why);
}

/* ---- writing -------------------------------------------------------------------------------- */

static void write_right(struct isg_jsonw *w, const char *name, const struct collection_right *right)
{
    if (right->all || right->names_count == 0) {
        isg_jsonw_put(w, name, right->all ? "all" : "none");
        return;
    }
    isg_jsonw_name(w, name);
    isg_jsonw_list(w);
    for (size_t i = 0; i < right->names_count; i++)
        isg_jsonw_str(w, isg_str_of(right->names[i]));
    isg_jsonw_end(w);
}

void collection_write(const struct collection *collection, struct isg_buf *out)
{
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "id", collection->id);
    isg_jsonw_put(&w, "root", collection->root);
    isg_jsonw_put(&w, "alias", collection->alias);
    isg_jsonw_put(&w, "title", collection->title);
    isg_jsonw_put(&w, "description", collection->description);
    bool relay = collection->handling == COLLECTION_RELAY;
    isg_jsonw_put(&w, "handling", relay ? "relay" : "submission");
    isg_jsonw_put(&w, "publish_to", collection->publish_to);
    isg_jsonw_put(&w, "default_tlp", stix_tlp_name(collection->default_tlp));
    isg_jsonw_put(&w, "durability", durability_names[collection->durability]);
    if (collection->ttl_s > 0)
        isg_jsonw_put_int(&w, "ttl", collection->ttl_s);
    write_right(&w, "read", &collection->read);
    write_right(&w, "write", &collection->write);
    isg_jsonw_end(&w);
}
