/* Plain lists, a value a line: what firewalls, proxies and scripts read. */
#include <string.h>

#include "gateway/share/export_write.h"

#define KIND(kind) (1U << (kind))

/* Networks stand among the addresses of their family, as in every block list. */
static const struct {
    const char *name;
    unsigned kinds;
} types[] = {
    {"ipv4", KIND(IOC_IPV4) | KIND(IOC_CIDR4)},
    {"ipv6", KIND(IOC_IPV6) | KIND(IOC_CIDR6)},
    {"domain", KIND(IOC_DOMAIN)},
    {"url", KIND(IOC_URL)},
    {"md5", KIND(IOC_MD5)},
    {"sha1", KIND(IOC_SHA1)},
    {"sha256", KIND(IOC_SHA256)},
    {"sha512", KIND(IOC_SHA512)},
    {"email", KIND(IOC_EMAIL)},
};

enum { TYPES = sizeof types / sizeof types[0] };

const char *export_list_type(unsigned i)
{
    return i < TYPES ? types[i].name : NULL;
}

static bool is_wanted(const char *type, enum ioc_kind kind, bool *out_known)
{
    bool wanted = false;
    *out_known = false;
    for (size_t i = 0; i < TYPES; i++) {
        bool of = (types[i].kinds & KIND(kind)) != 0;
        *out_known = *out_known || of;
        wanted = wanted || (of && (type == NULL || strcmp(type, types[i].name) == 0));
    }
    return wanted;
}

/* A line that begins so is a remark to many readers: the value would not be looked for. */
static bool is_remark(struct isg_str value)
{
    return strchr("#;!/'\"", value.p[0]) != NULL;
}

static enum export_reason list_row(struct export *run, const struct export_row *row)
{
    bool known;
    struct isg_str value = row->ioc->value;
    if (!is_wanted(run->options.type, row->ioc->kind, &known))
        return known ? EXPORT_OTHER_TYPE : EXPORT_NO_FORM;
    if (is_remark(value))
        return EXPORT_UNSAFE;
    if (!export_is_new(run, value))
        return EXPORT_DUPLICATE;
    isg_buf_put_str(&run->text, value);
    isg_buf_putc(&run->text, '\n');
    return EXPORT_KEPT;
}

const struct export_format export_list = {.name = "list", .row = list_row};
