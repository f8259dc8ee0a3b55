/* The only file with libuuid. */
#include "stix/base/uuid.h"

#include <string.h>
#include <uuid/uuid.h>

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool has_shape(struct isg_str text)
{
    static const char shape[] = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";
    if (text.n != sizeof shape - 1)
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (shape[i] == 'h' ? !is_hex(text.p[i]) : text.p[i] != '-')
            return false;
    return true;
}

bool isg_uuid_is_valid(struct isg_str text, int *out_version)
{
    if (!has_shape(text))
        return false;
    char version = text.p[14];
    if (version < '1' || version > '9' || strchr("89abAB", text.p[19]) == NULL)
        return false;
    if (out_version != NULL)
        *out_version = version - '0';
    return true;
}

void isg_uuid_random(char out[ISG_UUID_TEXT])
{
    uuid_t uuid;
    uuid_generate_random(uuid);
    uuid_unparse_lower(uuid, out);
}

/* libuuid's own reader goes through scanf, which takes longer than the digest. */
static bool read(struct isg_str text, uuid_t out)
{
    if (!has_shape(text))
        return false;
    for (size_t from = 0, i = 0; i < sizeof(uuid_t); i++, from += 2) {
        from += text.p[from] == '-';
        (void)isg_hex_decode((struct isg_str){text.p + from, 2}, out + i, 1);
    }
    return true;
}

void isg_uuid_v5(const char *namespace_text, struct isg_str name, char out[ISG_UUID_TEXT])
{
    uuid_t space;
    uuid_t uuid;
    out[0] = '\0';
    if (!read(isg_str_of(namespace_text), space))
        return;
    uuid_generate_sha1(uuid, space, name.p, name.n);
    uuid_unparse_lower(uuid, out);
}
