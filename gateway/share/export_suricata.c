/*
 * Suricata rules that alert, never drop. What comes from an indicator stands in a rule in three
 * places only: a content, where all but letters, digits and a few signs are written in hex; an
 * address, which is canonical; and msg and metadata, from which all else is taken out. Hashes go to
 * lists beside the rules, which filemd5, filesha1 and filesha256 name.
 */
#include <stdio.h>
#include <string.h>

#include "gateway/share/export_write.h"
#include "stix/base/digest.h"
#include "stix/base/time.h"

enum {
    CONTENT_MAX = 255, /* bytes of one content */
    MSG_MAX = 120,
    SID_TRIES = 1000
};

/* Above what the public rule sets use, and within what programs keep in 31 bits. */
#define SID_FIRST 1100000000U
#define SID_COUNT 1000000000U

/* Lists of hashes, and where files are looked for. */
static const struct hash_list {
    enum ioc_kind kind;
    const char *suffix;
    const char *keyword;
} hash_lists[] = {
    {IOC_MD5, ".md5", "filemd5"},
    {IOC_SHA1, ".sha1", "filesha1"},
    {IOC_SHA256, ".sha256", "filesha256"},
};
static const char *const file_protocols[] = {"http", "smtp", "smb", "ftp-data", "nfs"};

/* ---- parts of a rule ---- */

/* The same for the same indicator, value and kind of rule, today and tomorrow. */
static unsigned sid_of(struct export *run, struct isg_str key)
{
    uint8_t digest[ISG_SHA256_BYTES];
    char text[16];
    uint64_t number = 0;
    isg_sha256(key, digest);
    for (size_t i = 0; i < sizeof number; i++)
        number = number << 8 | digest[i];
    for (unsigned i = 0; i < SID_TRIES && run->err == ISG_OK; i++) {
        unsigned sid = SID_FIRST + (unsigned)((number + i) % SID_COUNT);
        (void)snprintf(text, sizeof text, "sid %u", sid);
        if (export_is_new(run, isg_str_of(text)))
            return sid;
    }
    return 0;
}

static void put_day(struct isg_buf *out, const char *name, int64_t us)
{
    char text[ISG_TIME_TEXT];
    isg_time_format(us, 0, text);
    isg_buf_printf(out, ", %s %.4s_%.2s_%.2s", name, text, text + 5, text + 8);
}

/* The end of a rule: what it is about, its number and its age. */
static void put_tail(struct export *run, const struct export_row *row, const char *protocol)
{
    const struct export_indicator *of = row->of;
    struct isg_buf *out = &run->text;
    struct isg_buf key;
    isg_buf_init(&key, ISG_BUF_NO_MAX);
    isg_buf_printf(&key, "%.*s|%s|", ISG_STR_ARG(of->id), protocol);
    export_put_value(&key, row->ioc);
    isg_buf_puts(out, "classtype:bad-unknown; metadata:stix_id ");
    export_put_words(out, of->id, "-", '_', MSG_MAX);
    isg_buf_puts(out, ", tlp ");
    export_put_words(out, isg_str_of(stix_tlp_name(of->tlp)), "+", '_', MSG_MAX);
    if (of->confidence >= 0)
        isg_buf_printf(out, ", confidence %lld", (long long)of->confidence);
    put_day(out, "created_at", of->created_us);
    put_day(out, "updated_at", of->modified_us);
    int64_t rev = of->modified_us / 1000000;
    isg_buf_printf(out, "; sid:%u; rev:%lld;)\n", sid_of(run, isg_buf_str(&key)),
                   (long long)(rev > 0 && rev < UINT32_MAX ? rev : 1));
    if (key.err != ISG_OK)
        run->err = key.err;
    isg_buf_done(&key);
}

/* `alert PROTOCOL HEADER (msg:"..."; ` */
static void put_head(struct export *run, const struct export_row *row, const char *protocol,
                     const char *header)
{
    struct isg_buf *out = &run->text;
    isg_buf_printf(out, "alert %s %s (msg:\"ISAO %s indicator ", protocol, header,
                   ioc_kind_name(row->ioc->kind));
    export_put_words(out, row->of->name.n > 0 ? row->of->name : row->of->id, " .,_-()/", '_',
                     MSG_MAX);
    isg_buf_puts(out, "\"; ");
}

/* content with the length of the whole buffer: the value and nothing around it. */
static void put_content(struct isg_buf *out, const char *buffer, struct isg_str value,
                        const char *modifiers)
{
    bool hex = false;
    isg_buf_printf(out, "%s; content:\"", buffer);
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
                     (c != '\0' && strchr("._-/?=&%~", c) != NULL);
        if (!plain)
            isg_buf_printf(out, hex ? " %02X" : "|%02X", c);
        else if (hex)
            isg_buf_putc(out, '|');
        if (plain)
            isg_buf_putc(out, (char)c);
        hex = !plain;
    }
    isg_buf_printf(out, "%s\"; %sbsize:%zu; ", hex ? "|" : "", modifiers, value.n);
}

/* ---- rules by kind ---- */

static enum export_reason address_rule(struct export *run, const struct export_row *row)
{
    char header[160];
    char port[8] = "any";
    if (row->ioc->kind == IOC_IP_PORT)
        (void)snprintf(port, sizeof port, "%u", row->ioc->port);
    (void)snprintf(header, sizeof header, "$HOME_NET any <> [%.*s] %s",
                   ISG_STR_ARG(row->ioc->value), port);
    put_head(run, row, "ip", header);
    put_tail(run, row, "ip");
    return EXPORT_KEPT;
}

static enum export_reason domain_rules(struct export *run, const struct export_row *row)
{
    /* http.host is lower case already, and so are our names */
    static const struct {
        const char *protocol, *header, *buffer, *modifiers;
    } rules[] = {
        {"dns", "$HOME_NET any -> any any", "dns.query", "nocase; "},
        {"tls", "$HOME_NET any -> $EXTERNAL_NET any", "tls.sni", "nocase; "},
        {"http", "$HOME_NET any -> $EXTERNAL_NET any", "http.host", ""},
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        put_head(run, row, rules[i].protocol, rules[i].header);
        put_content(&run->text, rules[i].buffer, row->ioc->value, rules[i].modifiers);
        put_tail(run, row, rules[i].protocol);
    }
    return EXPORT_KEPT;
}

/* The target of a request as it is sent: a path at least, and no fragment. */
static bool target_of(const struct export_url *url, char out[CONTENT_MAX + 2])
{
    const char *slash = isg_str_starts(url->path, ISG_STR("/")) ? "" : "/";
    int n = snprintf(out, CONTENT_MAX + 2, "%s%.*s", slash, ISG_STR_ARG(url->path));
    return n >= 0 && n <= CONTENT_MAX;
}

static enum export_reason url_rule(struct export *run, const struct export_row *row)
{
    struct export_url url;
    char header[64];
    char target[CONTENT_MAX + 2];
    export_url(row->ioc, &url);
    bool web = isg_str_is(url.scheme, "http") || isg_str_is(url.scheme, "https");
    if (!web || row->ioc->credentials || isg_str_find(url.path, '#') != SIZE_MAX)
        return EXPORT_NO_FORM;
    if (!target_of(&url, target))
        return EXPORT_TOO_LONG;
    (void)snprintf(header, sizeof header, "$HOME_NET any -> $EXTERNAL_NET %.*s",
                   url.port.n > 0 ? (int)url.port.n : 3, url.port.n > 0 ? url.port.p : "any");
    put_head(run, row, "http", header);
    put_content(&run->text, "http.host", url.host, "");
    put_content(&run->text, "http.uri.raw", isg_str_of(target), "");
    put_tail(run, row, "http");
    return EXPORT_KEPT;
}

/* A certificate as Suricata prints it: pairs of digits with colons between them. */
static enum export_reason certificate_rule(struct export *run, const struct export_row *row)
{
    char text[64];
    size_t n = 0;
    for (size_t i = 0; i + 1 < row->ioc->value.n && n + 3 < sizeof text; i += 2) {
        if (i > 0)
            text[n++] = ':';
        text[n++] = row->ioc->value.p[i];
        text[n++] = row->ioc->value.p[i + 1];
    }
    put_head(run, row, "tls", "$HOME_NET any -> any any");
    put_content(&run->text, "tls.cert_fingerprint", (struct isg_str){text, n}, "");
    put_tail(run, row, "tls");
    return EXPORT_KEPT;
}

static struct export_file *list_file(struct export *run, const char *suffix)
{
    struct export_file *file = run->files;
    while (file != NULL && strcmp(file->name, suffix) != 0)
        file = file->next;
    return file;
}

/* All lists are there, if empty: none is left from an export before. */
static void suricata_begin(struct export *run)
{
    for (size_t i = 0; i < sizeof hash_lists / sizeof hash_lists[0]; i++)
        (void)export_file_add(run, hash_lists[i].suffix);
}

static enum export_reason hash_line(struct export *run, const struct export_row *row)
{
    for (size_t i = 0; i < sizeof hash_lists / sizeof hash_lists[0]; i++) {
        if (hash_lists[i].kind != row->ioc->kind)
            continue;
        if (!export_is_new(run, row->ioc->value))
            return EXPORT_DUPLICATE;
        struct export_file *file = list_file(run, hash_lists[i].suffix);
        if (file != NULL)
            isg_buf_printf(&file->text, "%.*s\n", ISG_STR_ARG(row->ioc->value));
        return EXPORT_KEPT;
    }
    return EXPORT_NO_FORM;
}

static enum export_reason suricata_row(struct export *run, const struct export_row *row)
{
    static enum export_reason (*const rules[])(struct export *, const struct export_row *) = {
        [IOC_IPV4] = address_rule,  [IOC_IPV6] = address_rule,          [IOC_CIDR4] = address_rule,
        [IOC_CIDR6] = address_rule, [IOC_IP_PORT] = address_rule,       [IOC_DOMAIN] = domain_rules,
        [IOC_URL] = url_rule,       [IOC_CERT_SHA1] = certificate_rule, [IOC_CVE] = NULL,
    };
    return rules[row->ioc->kind] != NULL ? rules[row->ioc->kind](run, row) : hash_line(run, row);
}

/* ---- lists of hashes ---- */

/* The main file's name, when a rule can hold it as it is. */
static bool can_name(const char *file)
{
    for (const char *c = file; *c != '\0'; c++) {
        bool good = (*c >= '0' && *c <= '9') || ((*c | 0x20) >= 'a' && (*c | 0x20) <= 'z') ||
                    strchr("._-", *c) != NULL;
        if (!good)
            return false;
    }
    return file[0] != '\0';
}

static void put_list_rules(struct export *run, const struct hash_list *list)
{
    for (size_t i = 0; i < sizeof file_protocols / sizeof file_protocols[0]; i++) {
        char key[64];
        (void)snprintf(key, sizeof key, "list|%s|%s", list->keyword, file_protocols[i]);
        isg_buf_printf(&run->text,
                       "%salert %s any any -> any any (msg:\"ISAO %s of a file on the list\"; "
                       "%s:%s%s; classtype:bad-unknown; sid:%u; rev:1;)\n",
                       can_name(run->options.file) ? "" : "# ", file_protocols[i], list->suffix + 1,
                       list->keyword, can_name(run->options.file) ? run->options.file : "FILE",
                       list->suffix, sid_of(run, isg_str_of(key)));
    }
}

static void suricata_end(struct export *run)
{
    for (size_t i = 0; i < sizeof hash_lists / sizeof hash_lists[0]; i++) {
        const struct export_file *file = list_file(run, hash_lists[i].suffix);
        if (file != NULL && file->text.len > 0)
            put_list_rules(run, &hash_lists[i]);
    }
}

const struct export_format export_suricata = {
    .name = "suricata", .begin = suricata_begin, .row = suricata_row, .end = suricata_end};
