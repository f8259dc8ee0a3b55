#include "gateway/share/member.h"

#include <string.h>

#include "gateway/share/credentials.h"
#include "stix/base/jsonw.h"
#include "stix/base/time.h"

enum { NAME_MAX_BYTES = 64, TITLE_MAX = 256 };

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

/* The hash is made by the caller, outside of every lock; here only the form is looked at. */
static int check_password(struct document_read *read, const struct stix_json *value)
{
    enum { PASSWORD_MAX = 1024 };
    struct isg_str text = stix_json_str(value);
    if (value == NULL)
        return ISG_OK;
    if (stix_json_type(value) != STIX_JSON_STRING || text.n == 0 || text.n > PASSWORD_MAX)
        return document_refuse(read, "a password has 1 to 1024 bytes");
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

/* How long the password before stays good is known to the caller, who has the clock. */
static int check_keep_old(struct document_read *read, const struct stix_json *value)
{
    int64_t seconds;
    if (!stix_json_int(value, &seconds) || seconds < 0 || seconds > MEMBER_KEEP_OLD_MAX_S)
        return document_refuse(read, "0 to 2592000 seconds (30 days)");
    return ISG_OK;
}

static int set_requests(struct document_read *read, const struct stix_json *value)
{
    struct member *member = read->object;
    int64_t number = MEMBER_AS_CONFIGURED;
    if (value != NULL && (!stix_json_int(value, &number) || number < 0 || number > 1000000))
        return document_refuse(read, "0 to 1000000 requests a minute, 0 for no limit");
    member->requests_per_minute = number;
    return ISG_OK;
}

static const struct document_field fields[] = {
    {"name", DOCUMENT_BODY | DOCUMENT_KEPT, set_name},
    {"kind", DOCUMENT_BODY | DOCUMENT_KEPT, set_kind},
    {"title", DOCUMENT_BODY | DOCUMENT_KEPT, set_title},
    {"tlp_max", DOCUMENT_BODY | DOCUMENT_KEPT, set_tlp_max},
    {"suspended", DOCUMENT_BODY | DOCUMENT_KEPT, set_suspended},
    {"requests_per_minute", DOCUMENT_BODY | DOCUMENT_KEPT, set_requests},
    {"certificates", DOCUMENT_BODY | DOCUMENT_KEPT, credentials_set_certificates},
    {"add_certificate", DOCUMENT_BODY, credentials_add_certificate},
    {"remove_certificate", DOCUMENT_BODY, credentials_remove_certificate},
    {"password", DOCUMENT_BODY, check_password},
    {"keep_old_s", DOCUMENT_BODY, check_keep_old},
    {"password_hash", DOCUMENT_KEPT, set_password_hash},
    {"old_password", DOCUMENT_KEPT, credentials_set_old_password},
    {"tokens", DOCUMENT_KEPT, credentials_set_tokens},
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
    if (member->requests_per_minute != MEMBER_AS_CONFIGURED)
        isg_jsonw_put_int(w, "requests_per_minute", member->requests_per_minute);
    isg_jsonw_name(w, "certificates");
    credentials_write_certificates(w, member);
}

void member_write(const struct member *member, struct isg_buf *out)
{
    struct isg_jsonw w;
    char until[ISG_TIME_TEXT];
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    write_public(&w, member);
    isg_jsonw_put_bool(&w, "password", member->password_hash != NULL);
    if (member->old_password_hash != NULL) {
        isg_time_format(member->old_password_until_us, 3, until);
        isg_jsonw_put(&w, "old_password_until", until);
    }
    isg_jsonw_name(&w, "tokens");
    credentials_write_tokens(&w, member, false);
    isg_jsonw_end(&w);
}

void member_write_kept(const struct member *member, struct isg_buf *out)
{
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    write_public(&w, member);
    isg_jsonw_put(&w, "password_hash", member->password_hash);
    credentials_write_old_password(&w, member);
    isg_jsonw_name(&w, "tokens");
    credentials_write_tokens(&w, member, true);
    isg_jsonw_put_int(&w, "stamp", (int64_t)member->stamp);
    isg_jsonw_end(&w);
}
