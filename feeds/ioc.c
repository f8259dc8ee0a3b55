/*
 * Which kind a value is, and its STIX pattern (feeds digest 3.2, 3.3).
 */
#include "feeds/ioc.h"

#include <string.h>

#include "feeds/ioc_kinds.h"
#include "feeds/text.h"
#include "stix/base/utf8.h"

/* Hashes: digits, the kind, and how a pattern names it. */
static const struct hash {
    enum ioc_kind kind;
    size_t digits;
    const char *path;
} hashes[] = {
    {IOC_MD5, 32, "file:hashes.MD5"},
    {IOC_SHA1, 40, "file:hashes.'SHA-1'"},
    {IOC_SHA256, 64, "file:hashes.'SHA-256'"},
    {IOC_SHA384, 96, "file:hashes.'SHA-384'"},
    {IOC_SHA512, 128, "file:hashes.'SHA-512'"},
    {IOC_CERT_MD5, 32, "x509-certificate:hashes.MD5"},
    {IOC_CERT_SHA1, 40, "x509-certificate:hashes.'SHA-1'"},
    {IOC_CERT_SHA256, 64, "x509-certificate:hashes.'SHA-256'"},
};

static const struct {
    enum ioc_kind kind;
    const char *name;
} names[] = {
    {IOC_ANY, "any"},
    {IOC_NETWORK, "any"},
    {IOC_HASH, "any"},
    {IOC_IPV4, "ipv4"},
    {IOC_IPV6, "ipv6"},
    {IOC_CIDR4, "cidr4"},
    {IOC_CIDR6, "cidr6"},
    {IOC_IP_PORT, "ip-port"},
    {IOC_DOMAIN, "domain"},
    {IOC_URL, "url"},
    {IOC_MD5, "md5"},
    {IOC_SHA1, "sha1"},
    {IOC_SHA256, "sha256"},
    {IOC_SHA384, "sha384"},
    {IOC_SHA512, "sha512"},
    {IOC_CERT_MD5, "cert-md5"},
    {IOC_CERT_SHA1, "cert-sha1"},
    {IOC_CERT_SHA256, "cert-sha256"},
    {IOC_EMAIL, "email"},
    {IOC_CVE, "cve"},
};

/* What sources call the kinds. */
static const struct {
    const char *word;
    enum ioc_kind kind;
} words[] = {
    {"any", IOC_ANY},
    {"ip", IOC_NETWORK},
    {"ipv4", IOC_NETWORK},
    {"ipv6", IOC_NETWORK},
    {"ip_address", IOC_NETWORK},
    {"ip-address", IOC_NETWORK},
    {"ipaddress", IOC_NETWORK},
    {"address", IOC_NETWORK},
    {"ipv4-addr", IOC_NETWORK},
    {"ipv6-addr", IOC_NETWORK},
    {"ip-src", IOC_NETWORK},
    {"ip-dst", IOC_NETWORK},
    {"cidr", IOC_NETWORK},
    {"cidr4", IOC_NETWORK},
    {"cidr6", IOC_NETWORK},
    {"subnet", IOC_NETWORK},
    {"netblock", IOC_NETWORK},
    {"network", IOC_NETWORK},
    {"Intel::ADDR", IOC_NETWORK},
    {"Intel::SUBNET", IOC_NETWORK},
    {"ip:port", IOC_IP_PORT},
    {"ip-port", IOC_IP_PORT},
    {"ip_port", IOC_IP_PORT},
    {"ip-src|port", IOC_IP_PORT},
    {"ip-dst|port", IOC_IP_PORT},
    {"domain", IOC_DOMAIN},
    {"domain-name", IOC_DOMAIN},
    {"domain_name", IOC_DOMAIN},
    {"hostname", IOC_DOMAIN},
    {"host", IOC_DOMAIN},
    {"fqdn", IOC_DOMAIN},
    {"Intel::DOMAIN", IOC_DOMAIN},
    {"url", IOC_URL},
    {"uri", IOC_URL},
    {"Intel::URL", IOC_URL},
    {"md5", IOC_MD5},
    {"md5_hash", IOC_MD5},
    {"FileHash-MD5", IOC_MD5},
    {"sha1", IOC_SHA1},
    {"sha-1", IOC_SHA1},
    {"sha1_hash", IOC_SHA1},
    {"FileHash-SHA1", IOC_SHA1},
    {"sha256", IOC_SHA256},
    {"sha-256", IOC_SHA256},
    {"sha256_hash", IOC_SHA256},
    {"FileHash-SHA256", IOC_SHA256},
    {"sha384", IOC_SHA384},
    {"sha-384", IOC_SHA384},
    {"sha512", IOC_SHA512},
    {"sha-512", IOC_SHA512},
    {"hash", IOC_HASH},
    {"filehash", IOC_HASH},
    {"file_hash", IOC_HASH},
    {"Intel::FILE_HASH", IOC_HASH},
    {"cert-md5", IOC_CERT_MD5},
    {"x509-fingerprint-md5", IOC_CERT_MD5},
    {"cert-sha1", IOC_CERT_SHA1},
    {"x509-fingerprint-sha1", IOC_CERT_SHA1},
    {"SSLCertFingerprint", IOC_CERT_SHA1},
    {"Intel::CERT_HASH", IOC_CERT_SHA1},
    {"cert-sha256", IOC_CERT_SHA256},
    {"x509-fingerprint-sha256", IOC_CERT_SHA256},
    {"email", IOC_EMAIL},
    {"e-mail", IOC_EMAIL},
    {"email-addr", IOC_EMAIL},
    {"email-src", IOC_EMAIL},
    {"email_address", IOC_EMAIL},
    {"Intel::EMAIL", IOC_EMAIL},
    {"cve", IOC_CVE},
};

const char *ioc_kind_name(enum ioc_kind kind)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].kind == kind)
            return names[i].name;
    }
    return "any";
}

bool ioc_kind_find(struct isg_str word, enum ioc_kind *out)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (isg_str_ieq(word, isg_str_of(words[i].word))) {
            *out = words[i].kind;
            return true;
        }
    }
    return false;
}

bool ioc_refuse(struct ioc_reader *reader, const char *why_not)
{
    reader->why_not = why_not;
    return false;
}

/* ---- the small kinds ------------------------------------------------------------------------ */

static bool is_hex(struct isg_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = (char)(text.p[i] | 0x20);
        if (!(text.p[i] >= '0' && text.p[i] <= '9') && !(c >= 'a' && c <= 'f'))
            return false;
    }
    return text.n > 0;
}

/* The length decides, unless the source names the algorithm; then both must agree. */
static bool read_hash(struct ioc_reader *reader, struct isg_str text, enum ioc_kind want,
                      struct ioc *out)
{
    if (!is_hex(text))
        return ioc_refuse(reader, "not a hash in hex");
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
        bool wanted = want == IOC_HASH || want == IOC_ANY || want == hashes[i].kind;
        if (hashes[i].digits != text.n || !wanted)
            continue;
        char *value = isg_arena_copy(reader->arena, text);
        for (size_t k = 0; value != NULL && k < text.n; k++)
            value[k] = (char)(value[k] >= 'A' && value[k] <= 'F' ? value[k] + 32 : value[k]);
        out->kind = hashes[i].kind;
        out->value = (struct isg_str){value, value == NULL ? 0 : text.n};
        return true;
    }
    return ioc_refuse(reader, "no hash of its type has this many digits");
}

static bool read_cve(struct ioc_reader *reader, struct isg_str text, struct ioc *out)
{
    char cve[TEXT_CVE_MAX];
    if (!text_cve(text, cve))
        return ioc_refuse(reader, "not a CVE identifier");
    out->kind = IOC_CVE;
    out->value = isg_str_of(isg_arena_copy(reader->arena, isg_str_of(cve)));
    return true;
}

/* ---- recognition ---------------------------------------------------------------------------- */

static bool has_scheme(struct isg_str text)
{
    for (size_t i = 0; i + 2 < text.n; i++) {
        if (memcmp(text.p + i, "://", 3) == 0)
            return true;
    }
    return false;
}

/* Written as an address is: then what is wrong with it as a name helps nobody. */
static bool resembles_address(struct isg_str text)
{
    bool digits = text.p[0] >= '0' && text.p[0] <= '9';
    char last = text.p[text.n - 1];
    return (digits && last >= '0' && last <= '9') ||
           (isg_str_find(text, ':') != SIZE_MAX &&
            (digits || strchr("abcdefABCDEF:[", text.p[0]) != NULL));
}

/* By form: what has a scheme is a URL and nothing else, what has an @ an address of mail. */
static bool read_any(struct ioc_reader *reader, struct isg_str text, struct ioc *out)
{
    if (has_scheme(text))
        return ioc_read_url(reader, text, out);
    if (isg_str_find(text, '@') != SIZE_MAX)
        return ioc_read_email(reader, text, out);
    if (read_cve(reader, text, out) || ioc_read_range(reader, text, out))
        return true;
    const char *why_no_address = reader->why_not;
    if (ioc_read_ip_port(reader, text, false, out) || read_hash(reader, text, IOC_HASH, out) ||
        ioc_read_domain(reader, text, out))
        return true;
    if (resembles_address(text))
        return ioc_refuse(reader, why_no_address);
    return isg_str_find(text, '/') != SIZE_MAX && ioc_refuse(reader, "a URL without a scheme");
}

/* Is it an address or a range, and of the kind wanted? */
static bool read_network(struct ioc_reader *reader, struct isg_str text, enum ioc_kind want,
                         struct ioc *out)
{
    if (!ioc_read_range(reader, text, out))
        return false;
    return want == IOC_NETWORK || want == out->kind ||
           ioc_refuse(reader, "an address of another kind");
}

static bool read_wanted(struct ioc_reader *reader, struct isg_str text, enum ioc_kind want,
                        struct ioc *out)
{
    static bool (*const readers[])(struct ioc_reader *, struct isg_str, struct ioc *) = {
        [IOC_ANY] = read_any,         [IOC_DOMAIN] = ioc_read_domain, [IOC_URL] = ioc_read_url,
        [IOC_EMAIL] = ioc_read_email, [IOC_CVE] = read_cve,
    };
    if (readers[want] != NULL)
        return readers[want](reader, text, out);
    if (want == IOC_IP_PORT)
        return ioc_read_ip_port(reader, text, true, out);
    if (want == IOC_NETWORK || (want >= IOC_IPV4 && want <= IOC_CIDR6))
        return read_network(reader, text, want, out);
    return read_hash(reader, text, want, out);
}

/* UTF-8 that a JSON string may hold. */
static bool is_text(struct isg_str raw)
{
    int32_t cp;
    while ((cp = isg_utf8_next(&raw)) >= 0) {
        if (isg_utf8_is_noncharacter(cp))
            return false;
    }
    return cp == -1;
}

int ioc_read(struct isg_arena *arena, struct isg_str raw, enum ioc_kind want, unsigned flags,
             struct ioc *out, struct isg_fail *why)
{
    struct ioc_reader reader = {.arena = arena, .flags = flags};
    struct ioc found = {0};
    raw = isg_str_trim(raw);
    if (raw.n == 0 || raw.n > IOC_TEXT_MAX)
        return isg_fail(why, ISG_EINVAL, raw.n == 0 ? "no value" : "a value this long is none");
    if (!is_text(raw))
        return isg_fail(why, ISG_EINVAL, "a value that is not UTF-8");
    struct isg_str text = ioc_refang(arena, raw, flags);
    if (text.p == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    bool good = read_wanted(&reader, text, want, &found);
    if (good)
        found.refanged = !isg_str_eq(text, raw);
    if (!good && !isg_str_eq(text, raw)) {
        found = (struct ioc){0};
        good = read_wanted(&reader, raw, want, &found);
    }
    if (!good)
        return isg_fail(why, ISG_EINVAL, "%s",
                        reader.why_not != NULL ? reader.why_not : "no value");
    if (found.value.p == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    *out = found;
    return ISG_OK;
}

/* ---- patterns ------------------------------------------------------------------------------- */

void ioc_pattern_escape(struct isg_buf *out, struct isg_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\\' || text.p[i] == '\'')
            isg_buf_putc(out, '\\');
        isg_buf_putc(out, text.p[i]);
    }
}

static void comparison(struct isg_buf *out, const char *path, const char *operation,
                       struct isg_str value)
{
    isg_buf_printf(out, "%s %s '", path, operation);
    ioc_pattern_escape(out, value);
    isg_buf_putc(out, '\'');
}

static void ip_port_pattern(const struct ioc *ioc, struct isg_buf *out)
{
    bool v6 = isg_str_find(ioc->value, ':') != SIZE_MAX;
    comparison(out, "network-traffic:dst_ref.type", "=",
               isg_str_of(v6 ? "ipv6-addr" : "ipv4-addr"));
    isg_buf_puts(out, " AND ");
    comparison(out, "network-traffic:dst_ref.value", "=", ioc->value);
    isg_buf_printf(out, " AND network-traffic:dst_port = %u", ioc->port);
}

static bool simple_pattern(const struct ioc *ioc, struct isg_buf *out)
{
    static const struct {
        enum ioc_kind kind;
        const char *path;
        const char *operation;
    } paths[] = {
        {IOC_IPV4, "ipv4-addr:value", "="},
        {IOC_IPV6, "ipv6-addr:value", "="},
        {IOC_CIDR4, "ipv4-addr:value", "ISSUBSET"},
        {IOC_CIDR6, "ipv6-addr:value", "ISSUBSET"},
        {IOC_DOMAIN, "domain-name:value", "="},
        {IOC_URL, "url:value", "="},
        {IOC_EMAIL, "email-message:from_ref.value", "="},
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (paths[i].kind == ioc->kind) {
            comparison(out, paths[i].path, paths[i].operation, ioc->value);
            return true;
        }
    }
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
        if (hashes[i].kind == ioc->kind) {
            comparison(out, hashes[i].path, "=", ioc->value);
            return true;
        }
    }
    return false;
}

bool ioc_pattern(const struct ioc *ioc, struct isg_buf *out)
{
    if (ioc->kind == IOC_CVE)
        return false;
    isg_buf_putc(out, '[');
    bool known = true;
    if (ioc->kind == IOC_IP_PORT)
        ip_port_pattern(ioc, out);
    else
        known = simple_pattern(ioc, out);
    isg_buf_putc(out, ']');
    return known;
}
