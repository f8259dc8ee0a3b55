#include "stix/id.h"

#include <stdio.h>
#include <string.h>

#include "stix/base/buf.h"
#include "stix/base/jsonw.h"

enum { TYPE_MIN = 3, TYPE_MAX = 250, FROM_MAX = 8, UUID_CHARS = ISG_UUID_TEXT - 1 };

/* The id contributing properties, in the order of their canonical text. */
struct sco {
    const char *type;
    const char *from[FROM_MAX + 1];
};

/* clang-format off */
static const struct sco scos[] = {
    {"artifact",             {"hashes", "payload_bin"}},
    {"autonomous-system",    {"number"}},
    {"directory",            {"path"}},
    {"domain-name",          {"value"}},
    {"email-addr",           {"value"}},
    {"email-message",        {"body", "from_ref", "subject"}},
    {"file",                 {"extensions", "hashes", "name", "parent_directory_ref"}},
    {"ipv4-addr",            {"value"}},
    {"ipv6-addr",            {"value"}},
    {"mac-addr",             {"value"}},
    {"mutex",                {"name"}},
    {"network-traffic",      {"dst_port", "dst_ref", "end", "extensions", "protocols", "src_port",
                              "src_ref", "start"}},
    {"process",              {NULL}}, /* S-092 */
    {"software",             {"cpe", "name", "swid", "vendor", "version"}},
    {"url",                  {"value"}},
    {"user-account",         {"account_login", "account_type", "user_id"}},
    {"windows-registry-key", {"key", "values"}},
    {"x509-certificate",     {"hashes", "serial_number"}},
};
/* clang-format on */

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

/* S-017 */
static bool is_type_name(struct isg_str s)
{
    if (s.n < TYPE_MIN || s.n > TYPE_MAX || !is_lower(s.p[0]))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        bool hyphen = s.p[i] == '-';
        if (!hyphen && !is_lower(s.p[i]) && (s.p[i] < '0' || s.p[i] > '9'))
            return false;
        if (hyphen && i + 1 < s.n && s.p[i + 1] == '-')
            return false;
    }
    return true;
}

bool stix_id_split(struct isg_str id, struct isg_str *out_type, struct isg_str *out_uuid)
{
    if (id.n < TYPE_MIN + 2 + UUID_CHARS || id.n > STIX_ID_MAX)
        return false;
    struct isg_str uuid = isg_str_from(id, id.n - UUID_CHARS);
    struct isg_str type = {id.p, id.n - UUID_CHARS - 2};
    if (memcmp(id.p + type.n, "--", 2) != 0 || !is_type_name(type) ||
        !isg_uuid_is_valid(uuid, NULL))
        return false;
    if (out_type != NULL)
        *out_type = type;
    if (out_uuid != NULL)
        *out_uuid = uuid;
    return true;
}

/* Where the UUID begins; the end of a text without. */
static size_t uuid_of(struct isg_str id)
{
    bool dashed = id.n > UUID_CHARS + 2 && memcmp(id.p + id.n - UUID_CHARS - 2, "--", 2) == 0;
    return dashed ? id.n - UUID_CHARS : id.n;
}

static int folded(struct isg_str id, size_t i, size_t uuid)
{
    unsigned char c = (unsigned char)id.p[i];
    return i >= uuid && c >= 'A' && c <= 'F' ? c | 0x20 : c;
}

int stix_id_cmp(struct isg_str a, struct isg_str b)
{
    size_t uuid_a = uuid_of(a);
    size_t uuid_b = uuid_of(b);
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        int order = folded(a, i, uuid_a) - folded(b, i, uuid_b);
        if (order != 0)
            return order;
    }
    return (a.n > b.n) - (a.n < b.n);
}

static const struct sco *find_sco(struct isg_str type)
{
    for (size_t i = 0; i < sizeof scos / sizeof scos[0]; i++)
        if (isg_str_is(type, scos[i].type))
            return &scos[i];
    return NULL;
}

static void put_member(const char *name, const struct stix_json *value, struct isg_buf *out)
{
    isg_buf_putc(out, '"');
    isg_json_escape(out, isg_str_of(name));
    isg_buf_puts(out, "\":");
    stix_json_canon(value, out);
}

/* S-091: one pair only, the first of the preferred ones, else the first in document order. */
static void put_hashes(const struct stix_json *hashes, struct isg_buf *out)
{
    static const char *const preferred[] = {"MD5", "SHA-1", "SHA-256", "SHA-512"};
    struct stix_json_walk walk;
    stix_json_walk(hashes, &walk);
    (void)stix_json_next(&walk);
    for (size_t i = 0; i < sizeof preferred / sizeof preferred[0]; i++) {
        const struct stix_json *value = stix_json_get(hashes, preferred[i]);
        if (value == NULL)
            continue;
        walk.name = preferred[i];
        walk.value = value;
        break;
    }
    isg_buf_puts(out, "\"hashes\":{");
    put_member(walk.name, walk.value, out);
    isg_buf_putc(out, '}');
}

static bool is_hashes(const char *name, const struct stix_json *value)
{
    return strcmp(name, "hashes") == 0 && stix_json_type(value) == STIX_JSON_OBJECT;
}

/* The RFC 8785 text of the contributing properties that are present; false when there are none. */
static bool put_name(const struct sco *row, const struct stix_json *sco, struct isg_buf *out)
{
    bool any = false;
    isg_buf_putc(out, '{');
    for (const char *const *from = row->from; *from != NULL; from++) {
        const struct stix_json *value = stix_json_get(sco, *from);
        if (value == NULL || (is_hashes(*from, value) && stix_json_size(value) == 0))
            continue;
        if (any)
            isg_buf_putc(out, ',');
        if (is_hashes(*from, value))
            put_hashes(value, out);
        else
            put_member(*from, value, out);
        any = true;
    }
    isg_buf_putc(out, '}');
    return any;
}

static void write_id(const char *type, const char *uuid, char out[STIX_ID_MAX + 1])
{
    (void)snprintf(out, STIX_ID_MAX + 1, "%s--%s", type, uuid);
}

int stix_id_sco(const struct stix_json *sco, char out[STIX_ID_MAX + 1], bool *out_deterministic,
                struct isg_fail *why)
{
    const struct sco *row = find_sco(stix_json_get_str(sco, "type"));
    if (row == NULL)
        return isg_fail_at(why, ISG_EINVAL, "/type", "S-090", "not the type of an observable");
    struct isg_buf name;
    char uuid[ISG_UUID_TEXT];
    isg_buf_init(&name, ISG_BUF_NO_MAX);
    bool any = put_name(row, sco, &name);
    int err = name.err;
    if (err == ISG_OK) {
        if (any)
            isg_uuid_v5(STIX_NS_SCO, isg_buf_str(&name), uuid);
        else
            isg_uuid_random(uuid);
        write_id(row->type, uuid, out);
        if (out_deterministic != NULL)
            *out_deterministic = any;
    } else {
        (void)isg_fail(why, err, "no memory for the name");
    }
    isg_buf_done(&name);
    return err;
}

bool stix_id_contributes(struct isg_str type, const char *name)
{
    const struct sco *row = find_sco(type);
    for (size_t i = 0; row != NULL && row->from[i] != NULL; i++)
        if (strcmp(row->from[i], name) == 0)
            return true;
    return false;
}

void stix_id_named(const char *type, const char *namespace_uuid, struct isg_str name,
                   char out[STIX_ID_MAX + 1])
{
    char uuid[ISG_UUID_TEXT];
    isg_uuid_v5(namespace_uuid, name, uuid);
    write_id(type, uuid, out);
}

void stix_id_name_field(struct isg_buf *name, struct isg_str field)
{
    if (name->len > 0)
        isg_buf_putc(name, '|');
    for (size_t i = 0; i < field.n; i++) {
        if (field.p[i] == '|' || field.p[i] == '\\')
            isg_buf_putc(name, '\\');
        isg_buf_putc(name, field.p[i]);
    }
}
