/*
 * Lines of JSON with the fields of the Elastic Common Schema: event.* and threat.indicator.*. Text
 * of indicators stands in JSON strings only, which escape what they must.
 */
#include <string.h>

#include "gateway/share/export_write.h"
#include "stix/base/jsonw.h"
#include "stix/base/time.h"

enum { TEXT_MAX = 4096 };

/* Kinds as the schema names them, and the field that holds the value. */
static const struct {
    enum ioc_kind kind;
    const char *type;
    const char *field;
} types[] = {
    {IOC_IPV4, "ipv4-addr", "ip"},
    {IOC_IPV6, "ipv6-addr", "ip"},
    {IOC_IP_PORT, NULL, "ip"}, /* the address tells the family */
    {IOC_DOMAIN, "domain-name", "url.domain"},
    {IOC_URL, "url", "url"},
    {IOC_MD5, "file", "file.hash.md5"},
    {IOC_SHA1, "file", "file.hash.sha1"},
    {IOC_SHA256, "file", "file.hash.sha256"},
    {IOC_SHA384, "file", "file.hash.sha384"},
    {IOC_SHA512, "file", "file.hash.sha512"},
    {IOC_EMAIL, "email-addr", "email.address"},
};

/* The words of the schema for STIX's scale of confidence. */
static const char *confidence_word(int64_t confidence)
{
    if (confidence < 0)
        return "Not Specified";
    if (confidence == 0)
        return "None";
    return confidence < 30 ? "Low" : confidence < 70 ? "Medium" : "High";
}

/* A name with dots as objects in objects: "file.hash.md5". */
static void put_nested(struct isg_jsonw *w, const char *field, struct isg_str value)
{
    struct isg_str rest = isg_str_of(field);
    struct isg_str name;
    size_t depth = 0;
    while (isg_str_split(&rest, '.', &name)) {
        isg_jsonw_name_str(w, name);
        if (rest.n == 0)
            break;
        isg_jsonw_object(w);
        depth++;
    }
    isg_jsonw_str(w, value);
    for (; depth > 0; depth--)
        isg_jsonw_end(w);
}

static void put_part(struct isg_jsonw *w, const char *name, struct isg_str value)
{
    if (value.n > 0)
        isg_jsonw_put_str(w, name, value);
}

/* Path, query and fragment, each without the sign before it. */
static void put_path(struct isg_jsonw *w, struct isg_str text)
{
    size_t hash = isg_str_find(text, '#');
    struct isg_str fragment = isg_str_from(text, hash == SIZE_MAX ? text.n : hash + 1);
    text.n = hash < text.n ? hash : text.n;
    size_t mark = isg_str_find(text, '?');
    struct isg_str query = isg_str_from(text, mark == SIZE_MAX ? text.n : mark + 1);
    text.n = mark < text.n ? mark : text.n;
    put_part(w, "path", text);
    put_part(w, "query", query);
    put_part(w, "fragment", fragment);
}

static void put_url(struct isg_jsonw *w, const struct ioc *ioc)
{
    struct export_url url;
    uint64_t port;
    export_url(ioc, &url);
    isg_jsonw_name(w, "url");
    isg_jsonw_object(w);
    isg_jsonw_put_str(w, "original", ioc->value);
    isg_jsonw_put_str(w, "full", ioc->value);
    put_part(w, "scheme", url.scheme);
    put_part(w, "domain", ioc->host);
    if (isg_str_to_u64(url.port, 65535, &port))
        isg_jsonw_put_int(w, "port", (int64_t)port);
    put_path(w, url.path);
    isg_jsonw_end(w);
}

static void put_value(struct isg_jsonw *w, const struct ioc *ioc, size_t type)
{
    if (ioc->kind == IOC_URL)
        put_url(w, ioc);
    else
        put_nested(w, types[type].field, ioc->value);
    if (ioc->kind == IOC_IP_PORT)
        isg_jsonw_put_int(w, "port", ioc->port);
}

static void put_text(struct export *run, struct isg_jsonw *w, const char *name, struct isg_str text)
{
    struct isg_buf plain;
    if (text.n == 0)
        return;
    isg_buf_init(&plain, ISG_BUF_NO_MAX);
    export_put_plain(&plain, text, TEXT_MAX);
    isg_jsonw_put_str(w, name, isg_buf_str(&plain));
    if (plain.err != ISG_OK)
        run->err = plain.err;
    isg_buf_done(&plain);
}

static void put_marking(struct export *run, struct isg_jsonw *w, enum stix_tlp tlp)
{
    struct isg_buf level;
    isg_buf_init(&level, ISG_BUF_NO_MAX);
    export_put_level(&level, tlp);
    isg_jsonw_name(w, "marking");
    isg_jsonw_object(w);
    isg_jsonw_put_str(w, "tlp", isg_buf_str(&level));
    isg_jsonw_put(w, "tlp_version", "2.0");
    isg_jsonw_end(w);
    if (level.err != ISG_OK)
        run->err = level.err;
    isg_buf_done(&level);
}

static void put_indicator(struct export *run, struct isg_jsonw *w, const struct export_row *row,
                          size_t type)
{
    const struct export_indicator *of = row->of;
    bool v6 = isg_str_find(row->ioc->value, ':') != SIZE_MAX;
    const char *family = v6 ? "ipv6-addr" : "ipv4-addr";
    isg_jsonw_object(w);
    isg_jsonw_put(w, "type", types[type].type != NULL ? types[type].type : family);
    put_value(w, row->ioc, type);
    put_text(run, w, "id", of->id);
    put_text(run, w, "name", of->name);
    put_text(run, w, "description", of->description);
    isg_jsonw_put(w, "confidence", confidence_word(of->confidence));
    isg_jsonw_put(w, "provider", run->options.source);
    put_text(run, w, "first_seen", of->valid_from);
    put_text(run, w, "modified_at", of->modified);
    put_marking(run, w, of->tlp);
    isg_jsonw_end(w);
}

static void put_event(struct isg_jsonw *w)
{
    isg_jsonw_object(w);
    isg_jsonw_put(w, "kind", "enrichment");
    isg_jsonw_name(w, "category");
    isg_jsonw_list(w);
    isg_jsonw_str(w, ISG_STR("threat"));
    isg_jsonw_end(w);
    isg_jsonw_name(w, "type");
    isg_jsonw_list(w);
    isg_jsonw_str(w, ISG_STR("indicator"));
    isg_jsonw_end(w);
    isg_jsonw_end(w);
}

static enum export_reason ecs_row(struct export *run, const struct export_row *row)
{
    struct isg_jsonw w;
    char now[ISG_TIME_TEXT];
    size_t type = 0;
    while (type < sizeof types / sizeof types[0] && types[type].kind != row->ioc->kind)
        type++;
    if (type == sizeof types / sizeof types[0])
        return EXPORT_NO_FORM;
    isg_time_format(row->of->modified_us, 3, now);
    isg_jsonw_init(&w, &run->text);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "@timestamp", now);
    put_nested(&w, "ecs.version", ISG_STR("8.11.0"));
    isg_jsonw_name(&w, "event");
    put_event(&w);
    isg_jsonw_name(&w, "threat");
    isg_jsonw_object(&w);
    isg_jsonw_name(&w, "indicator");
    put_indicator(run, &w, row, type);
    isg_jsonw_end(&w);
    isg_jsonw_end(&w);
    isg_buf_putc(&run->text, '\n');
    return EXPORT_KEPT;
}

const struct export_format export_ecs = {.name = "ecs", .row = ecs_row};
