#include "gateway/share/indicator_value.h"

#include "gateway/share/export_write.h"

enum { PORT_MAX = 65535 };

/* Paths that name a value by themselves. Names of hashes are compared without regard to case. */
static const struct {
    const char *path;
    enum ioc_kind kind;
} paths[] = {
    {"ipv4-addr:value", IOC_NETWORK},
    {"ipv6-addr:value", IOC_NETWORK},
    {"network-traffic:dst_ref.value", IOC_NETWORK},
    {"network-traffic:src_ref.value", IOC_NETWORK},
    {"domain-name:value", IOC_DOMAIN},
    {"url:value", IOC_URL},
    {"email-addr:value", IOC_EMAIL},
    {"email-message:from_ref.value", IOC_EMAIL},
    {"email-message:sender_ref.value", IOC_EMAIL},
    {"file:hashes.MD5", IOC_MD5},
    {"file:hashes.'SHA-1'", IOC_SHA1},
    {"file:hashes.SHA1", IOC_SHA1},
    {"file:hashes.'SHA-256'", IOC_SHA256},
    {"file:hashes.SHA256", IOC_SHA256},
    {"file:hashes.'SHA-384'", IOC_SHA384},
    {"file:hashes.'SHA-512'", IOC_SHA512},
    {"file:hashes.SHA512", IOC_SHA512},
    {"artifact:hashes.MD5", IOC_MD5},
    {"artifact:hashes.'SHA-1'", IOC_SHA1},
    {"artifact:hashes.'SHA-256'", IOC_SHA256},
    {"artifact:hashes.'SHA-512'", IOC_SHA512},
    {"x509-certificate:hashes.MD5", IOC_CERT_MD5},
    {"x509-certificate:hashes.'SHA-1'", IOC_CERT_SHA1},
    {"x509-certificate:hashes.'SHA-256'", IOC_CERT_SHA256},
};

/* The one value with the port that the facts of an arm add up to. */
struct found {
    const struct stix_pattern_fact *value;
    int64_t port; /* 0: none */
};

static bool is_family(const struct stix_pattern_fact *fact)
{
    return isg_str_is(fact->text, "ipv4-addr") || isg_str_is(fact->text, "ipv6-addr");
}

/* `this address and this port`, with or without what kind of address it is; nothing else. */
static bool find_endpoint(const struct stix_pattern_arm *arm, struct found *out)
{
    for (const struct stix_pattern_fact *f = arm->facts; f != NULL; f = f->next) {
        if (isg_str_is(f->path, "network-traffic:dst_ref.value") && out->value == NULL)
            out->value = f;
        else if (isg_str_is(f->path, "network-traffic:dst_port") && f->is_integer &&
                 out->port == 0 && f->integer > 0 && f->integer <= PORT_MAX)
            out->port = f->integer;
        else if (!isg_str_is(f->path, "network-traffic:dst_ref.type") || !is_family(f))
            return false;
    }
    return out->value != NULL;
}

static bool find_kind(struct isg_str path, enum ioc_kind *out)
{
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (isg_str_ieq(path, isg_str_of(paths[i].path))) {
            *out = paths[i].kind;
            return true;
        }
    }
    return false;
}

/*
 * The value in its canonical form. What has to be taken out of its disguise first is another value
 * than the pattern says, and "any name below" is more than one: neither is guessed.
 */
static enum export_reason read_value(struct isg_arena *arena, const struct found *found,
                                     struct ioc *out)
{
    const struct stix_pattern_fact *fact = found->value;
    enum ioc_kind kind;
    if (!find_kind(fact->path, &kind))
        return EXPORT_PROPERTY;
    if (!fact->is_text)
        return EXPORT_VALUE;
    if (fact->within && kind != IOC_NETWORK)
        return EXPORT_OPERATOR;
    if (!export_is_plain(fact->text))
        return EXPORT_UNSAFE;
    if (ioc_read(arena, fact->text, kind, IOC_MACHINE, out, NULL) != ISG_OK || out->refanged ||
        out->wildcard)
        return EXPORT_VALUE;
    if (found->port == 0)
        return EXPORT_KEPT;
    if (out->kind != IOC_IPV4 && out->kind != IOC_IPV6)
        return EXPORT_VALUE;
    out->kind = IOC_IP_PORT;
    out->port = (unsigned)found->port;
    return EXPORT_KEPT;
}

enum export_reason indicator_value(struct isg_arena *arena, const struct stix_pattern_arm *arm,
                                   struct ioc *out)
{
    static const enum export_reason shapes[] = {
        [STIX_SHAPE_NEGATION] = EXPORT_NEGATION, [STIX_SHAPE_AND] = EXPORT_COMBINATION,
        [STIX_SHAPE_SEQUENCE] = EXPORT_SEQUENCE, [STIX_SHAPE_QUALIFIER] = EXPORT_WINDOW,
        [STIX_SHAPE_OPERATOR] = EXPORT_OPERATOR,
    };
    struct found found = {0};
    if (arm->shape != STIX_SHAPE_FACTS)
        return shapes[arm->shape];
    if (arm->count == 1)
        found.value = arm->facts;
    else if (!find_endpoint(arm, &found))
        return EXPORT_COMBINATION;
    return read_value(arena, &found, out);
}
