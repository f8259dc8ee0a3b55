#include "gateway/share/member.h"

#include <string.h>

#include "gateway/share/document.h"
#include "stix/base/jsonw.h"
#include "stix/base/time.h"

enum { NAME_MAX_BYTES = 64, TITLE_MAX = 256, LIST_MAX = 1000 };

static const char *const kind_names[MEMBER_KIND_COUNT] = {
    [MEMBER_HOSPITAL] = "hospital",
    [MEMBER_HOME_CARE] = "home_care",
    [MEMBER_MDM] = "mdm",
    [MEMBER_COMPONENT_SUPPLIER] = "component_supplier",
    [MEMBER_RESEARCHER] = "researcher",
    [MEMBER_ISAO_STAFF] = "isao_staff",
    [MEMBER_PEER_ISAO] = "peer_isao",
    [MEMBER_COORDINATOR] = "coordinator",
    [MEMBER_REGULATOR] = "regulator",
    [MEMBER_PUBLIC] = "public",
};

const char *member_kind_name(enum member_kind kind)
{
    return kind < MEMBER_KIND_COUNT ? kind_names[kind] : "unknown";
}

bool member_kind_of(struct isg_str name, enum member_kind *out)
{
    for (size_t i = 0; i < MEMBER_KIND_COUNT; i++) {
        if (isg_str_is(name, kind_names[i])) {
            *out = (enum member_kind)i;
            return true;
        }
    }
    return false;
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool member_name_is_valid(struct isg_str name)
{
    static const char *const reserved[] = {"staff", "all", "none", "public"};
    if (name.n == 0 || name.n > NAME_MAX_BYTES || !is_name_start(name.p[0]))
        return false;
    for (size_t i = 1; i < name.n; i++) {
        if (!is_name_start(name.p[i]) && name.p[i] != '.' && name.p[i] != '_' && name.p[i] != '-')
            return false;
    }
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        if (isg_str_is(name, reserved[i]))
            return false;
    }
    return true;
}

bool member_fingerprint(struct isg_str text, char out[65])
{
    char hex[64];
    uint8_t bytes[32];
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == ':' && i % 3 == 2)
            continue;
        if (n == sizeof hex)
            return false;
        hex[n++] = text.p[i];
    }
    if (!isg_hex_decode((struct isg_str){hex, n}, bytes, sizeof bytes))
        return false;
    isg_hex_encode(bytes, sizeof bytes, out);
    return true;
}

/* ---- reading -------------------------------------------------------------------------------- */

static int set_name(struct document_read *read, const struct stix_json *value)
{
    struct member *member = read->object;
    if (!member_name_is_valid(stix_json_str(value)))
        return document_refuse(read, "a name is [a-z0-9][a-z0-9._-]{0,63} and none of staff, all, "
                                     "none, public");
    return document_text(read, value, NAME_MAX_BYTES, &member->name);
}

static int set_kind(struct document_read *read, const struct stix_json *value)
{
    struct member *member = read->object;
    if (!member_kind_of(stix_json_str(value), &member->kind))
        return document_refuse(read, "a kind is hospital, home_care, mdm, component_supplier, "
                                     "researcher, isao_staff, peer_isao, coordinator, regulator or "
                                     "public");
    return ISG_OK;
}

static int set_title(struct document_read *read, const struct stix_json *value)
{
    struct member *member = read->object;
    return document_text(read, value, TITLE_MAX, &member->title);
}

static int set_tlp_max(struct document_read *read, const struct stix_json *value)
{
    struct member *member = read->object;
    enum stix_tlp tlp = value == NULL ? STIX_TLP_RED : stix_tlp_of_name(stix_json_str(value));
    if (tlp == STIX_TLP_NONE || tlp == STIX_TLP_UNKNOWN)
        return document_refuse(read, "a level is clear, green, amber, amber+strict or red");
    member->tlp_max = tlp;
    return ISG_OK;
}

static int set_suspended(struct document_read *read, const struct stix_json *value)
{
    struct member *member = read->object;
    if (stix_json_type(value) != STIX_JSON_BOOL)
        return document_refuse(read, "true or false");
    member->suspended = stix_json_bool(value);
    return ISG_OK;
}

static int set_certificates(struct document_read *read, const struct stix_json *value)
{
    struct member *member = read->object;
    size_t n = stix_json_size(value);
    if ((value != NULL && stix_json_type(value) != STIX_JSON_LIST) || n > LIST_MAX)
        return document_refuse(read, "a list of at most 1000 fingerprints");
    char **list = isg_arena_alloc(read->arena, (n + 1) * sizeof *list);
    if (list == NULL)
        return isg_fail(read->why, ISG_ENOMEM, "no memory");
    for (size_t i = 0; i < n; i++) {
        char hex[65];
        if (!member_fingerprint(stix_json_str(stix_json_at(value, i)), hex))
            return isg_fail_at(read->why, ISG_EINVAL, read->path, NULL,
                               "entry %zu is no SHA-256 fingerprint in hex", i);
        list[i] = isg_arena_copy(read->arena, isg_str_of(hex));
        if (list[i] == NULL)
            return isg_fail(read->why, ISG_ENOMEM, "no memory");
    }
    member->certificates = list;
    member->certificates_count = n;
    return ISG_OK;
}

/* The hash is made by the caller, outside of every lock; here only the form is looked at. */
static int check_password(struct document_read *read, const struct stix_json *value)
{
    enum { PASSWORD_MIN = 8, PASSWORD_MAX = 1024 };
    struct isg_str text = stix_json_str(value);
    if (value == NULL)
        return ISG_OK;
    if (stix_json_type(value) != STIX_JSON_STRING || text.n < PASSWORD_MIN || text.n > PASSWORD_MAX)
        return document_refuse(read, "a password has 8 to 1024 bytes");
    if (!document_is_clean(text))
        return document_refuse(read, "a password has no control characters (RFC 7617)");
    return ISG_OK;
}

static int set_password_hash(struct document_read *read, const struct stix_json *value)
{
    struct member *member = read->object;
    return document_text(read, value, TRUST_PASSWORD_TEXT, &member->password_hash);
}

static int set_stamp(struct document_read *read, const struct stix_json *value)
{
    struct member *member = read->object;
    int64_t stamp;
    if (!stix_json_int(value, &stamp) || stamp < 0)
        return document_refuse(read, "a number");
    member->stamp = (uint64_t)stamp;
    return ISG_OK;
}

static int read_token(struct document_read *read, const struct stix_json *value,
                      struct member_token *out)
{
    struct isg_str label = stix_json_get_str(value, "label");
    out->expires_us = 0;
    if (!isg_hex_decode(stix_json_get_str(value, "mac"), out->mac, sizeof out->mac) ||
        !stix_json_int(stix_json_get(value, "created_us"), &out->created_us) ||
        (stix_json_has(value, "expires_us") &&
         !stix_json_int(stix_json_get(value, "expires_us"), &out->expires_us)))
        return document_refuse(read, "a token is {mac, label, created_us, expires_us?}");
    out->label = isg_arena_copy(read->arena, label);
    return out->label == NULL ? isg_fail(read->why, ISG_ENOMEM, "no memory") : ISG_OK;
}

static int set_tokens(struct document_read *read, const struct stix_json *value)
{
    struct member *member = read->object;
    size_t n = stix_json_size(value);
    if (stix_json_type(value) != STIX_JSON_LIST)
        return document_refuse(read, "a list");
    struct member_token *tokens = isg_arena_alloc(read->arena, (n + 1) * sizeof *tokens);
    if (tokens == NULL)
        return isg_fail(read->why, ISG_ENOMEM, "no memory");
    for (size_t i = 0; i < n; i++) {
        int err = read_token(read, stix_json_at(value, i), &tokens[i]);
        if (err != ISG_OK)
            return err;
    }
    member->tokens = tokens;
    member->tokens_count = n;
    return ISG_OK;
}

static const struct document_field fields[] = {
    {"name", DOCUMENT_BODY | DOCUMENT_KEPT, set_name},
    {"kind", DOCUMENT_BODY | DOCUMENT_KEPT, set_kind},
    {"title", DOCUMENT_BODY | DOCUMENT_KEPT, set_title},
    {"tlp_max", DOCUMENT_BODY | DOCUMENT_KEPT, set_tlp_max},
    {"suspended", DOCUMENT_BODY | DOCUMENT_KEPT, set_suspended},
    {"certificates", DOCUMENT_BODY | DOCUMENT_KEPT, set_certificates},
    {"password", DOCUMENT_BODY, check_password},
    {"password_hash", DOCUMENT_KEPT, set_password_hash},
    {"tokens", DOCUMENT_KEPT, set_tokens},
    {"stamp", DOCUMENT_KEPT, set_stamp},
};

int member_read(const struct stix_json *json, enum document_where where, struct isg_arena *arena,
                struct member *out, struct isg_fail *why)
{
    struct member member = *out;
    struct document_read read = {arena, why, "", &member};
    int err = document_apply(fields, sizeof fields / sizeof *fields, json, where, &read);
    if (err != ISG_OK)
        return err;
    if (member.name == NULL)
        return isg_fail_at(why, ISG_EINVAL, "/name", NULL, "a member needs a name");
    if (member.kind == MEMBER_KIND_COUNT)
        return isg_fail_at(why, ISG_EINVAL, "/kind", NULL, "a new member needs a kind");
    if (member.title == NULL)
        member.title = member.name;
    *out = member;
    return ISG_OK;
}

/* ---- writing -------------------------------------------------------------------------------- */

static void write_public(struct isg_jsonw *w, const struct member *member)
{
    isg_jsonw_put(w, "name", member->name);
    isg_jsonw_put(w, "kind", member_kind_name(member->kind));
    isg_jsonw_put(w, "title", member->title);
    isg_jsonw_put(w, "tlp_max", stix_tlp_name(member->tlp_max));
    isg_jsonw_put_bool(w, "suspended", member->suspended);
    isg_jsonw_name(w, "certificates");
    isg_jsonw_list(w);
    for (size_t i = 0; i < member->certificates_count; i++)
        isg_jsonw_str(w, isg_str_of(member->certificates[i]));
    isg_jsonw_end(w);
}

static void write_time(struct isg_jsonw *w, const char *name, int64_t us)
{
    char text[ISG_TIME_TEXT];
    if (us == 0)
        return;
    isg_time_format(us, 3, text);
    isg_jsonw_put(w, name, text);
}

void member_write(const struct member *member, struct isg_buf *out)
{
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    write_public(&w, member);
    isg_jsonw_put_bool(&w, "password", member->password_hash != NULL);
    isg_jsonw_name(&w, "tokens");
    isg_jsonw_list(&w);
    for (size_t i = 0; i < member->tokens_count; i++) {
        isg_jsonw_object(&w);
        isg_jsonw_put(&w, "label", member->tokens[i].label);
        write_time(&w, "created", member->tokens[i].created_us);
        write_time(&w, "expires", member->tokens[i].expires_us);
        isg_jsonw_end(&w);
    }
    isg_jsonw_end(&w);
    isg_jsonw_end(&w);
}

void member_write_kept(const struct member *member, struct isg_buf *out)
{
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    write_public(&w, member);
    isg_jsonw_put(&w, "password_hash", member->password_hash);
    isg_jsonw_name(&w, "tokens");
    isg_jsonw_list(&w);
    for (size_t i = 0; i < member->tokens_count; i++) {
        char mac[2 * TRUST_MAC_BYTES + 1];
        isg_hex_encode(member->tokens[i].mac, TRUST_MAC_BYTES, mac);
        isg_jsonw_object(&w);
        isg_jsonw_put(&w, "mac", mac);
        isg_jsonw_put(&w, "label", member->tokens[i].label);
        isg_jsonw_put_int(&w, "created_us", member->tokens[i].created_us);
        isg_jsonw_put_int(&w, "expires_us", member->tokens[i].expires_us);
        isg_jsonw_end(&w);
    }
    isg_jsonw_end(&w);
    isg_jsonw_put_int(&w, "stamp", (int64_t)member->stamp);
    isg_jsonw_end(&w);
}
