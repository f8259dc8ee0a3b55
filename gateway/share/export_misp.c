/*
 * A MISP feed: manifest.json, hashes.csv and an event for each day and level, UUID.json. The day is
 * that of an indicator's creation, so an event keeps its id and grows only until the day is over.
 *
 * An event's timestamp is that of the last thing that happened to one of its indicators, also of
 * one that is gone: a reader fetches an event again when its timestamp has moved.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/share/export_write.h"
#include "stix/base/digest.h"
#include "stix/base/jsonw.h"
#include "stix/base/time.h"

enum { DAY = 11, COMMENT_MAX = 400 };

/* Kinds as MISP names them. */
static const struct {
    enum ioc_kind kind;
    const char *type;
    const char *category;
} types[] = {
    {IOC_IPV4, "ip-dst", "Network activity"},
    {IOC_IPV6, "ip-dst", "Network activity"},
    {IOC_CIDR4, "ip-dst", "Network activity"},
    {IOC_CIDR6, "ip-dst", "Network activity"},
    {IOC_IP_PORT, "ip-dst|port", "Network activity"},
    {IOC_DOMAIN, "domain", "Network activity"},
    {IOC_URL, "url", "Network activity"},
    {IOC_MD5, "md5", "Payload delivery"},
    {IOC_SHA1, "sha1", "Payload delivery"},
    {IOC_SHA256, "sha256", "Payload delivery"},
    {IOC_SHA384, "sha384", "Payload delivery"},
    {IOC_SHA512, "sha512", "Payload delivery"},
    {IOC_CERT_MD5, "x509-fingerprint-md5", "Network activity"},
    {IOC_CERT_SHA1, "x509-fingerprint-sha1", "Network activity"},
    {IOC_CERT_SHA256, "x509-fingerprint-sha256", "Network activity"},
    {IOC_EMAIL, "email-src", "Payload delivery"},
};

/* The colours of the taxonomy. */
static const struct {
    enum stix_tlp tlp;
    const char *colour;
} colours[] = {
    {STIX_TLP_CLEAR, "#ffffff"},        {STIX_TLP_GREEN, "#33ff00"}, {STIX_TLP_AMBER, "#ffc000"},
    {STIX_TLP_AMBER_STRICT, "#ffc000"}, {STIX_TLP_RED, "#ff2b2b"},
};

struct misp_event {
    char day[DAY];
    char uuid[ISG_UUID_TEXT];
    enum stix_tlp tlp;
    int64_t timestamp_s;
    struct isg_buf attributes; /* the inside of the list */
    struct misp_event *next;
};

struct misp {
    struct misp_event *first;
    struct misp_event *last_used;
    struct isg_buf hashes;
};

static void misp_begin(struct export *run)
{
    struct misp *misp = calloc(1, sizeof *misp);
    if (misp == NULL) {
        run->err = ISG_ENOMEM;
        return;
    }
    isg_buf_init(&misp->hashes, ISG_BUF_NO_MAX);
    run->state = misp;
}

static void misp_free(struct export *run)
{
    struct misp *misp = run->state;
    while (misp != NULL && misp->first != NULL) {
        struct misp_event *event = misp->first;
        misp->first = event->next;
        isg_buf_done(&event->attributes);
        free(event);
    }
    if (misp != NULL)
        isg_buf_done(&misp->hashes);
    free(misp);
    run->state = NULL;
}

/* ---- events ---- */

static bool is_event(const struct misp_event *event, const char *day, enum stix_tlp tlp)
{
    return event->tlp == tlp && strcmp(event->day, day) == 0;
}

static struct misp_event *event_new(struct export *run, const char *day, enum stix_tlp tlp)
{
    struct misp *misp = run->state;
    struct misp_event *event = calloc(1, sizeof *event);
    char name[160];
    if (event == NULL) {
        run->err = ISG_ENOMEM;
        return NULL;
    }
    (void)snprintf(event->day, sizeof event->day, "%s", day);
    (void)snprintf(name, sizeof name, "misp-event|%.80s|%s|%s", run->options.collection, day,
                   stix_tlp_name(tlp));
    isg_uuid_v5(run->options.space, isg_str_of(name), event->uuid);
    event->tlp = tlp;
    isg_buf_init(&event->attributes, ISG_BUF_NO_MAX);
    event->next = misp->first;
    misp->first = event;
    return event;
}

/* The event of an indicator, noting that something happened to it at `us`. */
static struct misp_event *event_of(struct export *run, const struct export_indicator *of,
                                   int64_t us)
{
    struct misp *misp = run->state;
    char text[ISG_TIME_TEXT];
    char day[DAY];
    if (misp == NULL)
        return NULL;
    isg_time_format(of->created_us, 0, text);
    (void)snprintf(day, sizeof day, "%.10s", text);
    struct misp_event *event = misp->last_used;
    if (event == NULL || !is_event(event, day, of->tlp)) {
        event = misp->first;
        while (event != NULL && !is_event(event, day, of->tlp))
            event = event->next;
    }
    if (event == NULL)
        event = event_new(run, day, of->tlp);
    misp->last_used = event;
    if (event != NULL && us / 1000000 > event->timestamp_s)
        event->timestamp_s = us / 1000000;
    return event;
}

static void misp_ended(struct export *run, const struct export_indicator *of, int64_t us)
{
    (void)event_of(run, of, us);
}

/* ---- attributes ---- */

static void put_number(struct isg_jsonw *w, const char *name, int64_t number)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", (long long)number);
    isg_jsonw_put(w, name, text);
}

/* The name of the indicator and its id, so that a reader finds the way back. */
static void put_comment(struct export *run, struct isg_jsonw *w, const struct export_indicator *of)
{
    struct isg_buf text;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    export_put_plain(&text, of->name, COMMENT_MAX);
    if (text.len > 0)
        isg_buf_putc(&text, ' ');
    export_put_plain(&text, of->id, COMMENT_MAX);
    isg_jsonw_put_str(w, "comment", isg_buf_str(&text));
    if (text.err != ISG_OK)
        run->err = text.err;
    isg_buf_done(&text);
}

static void put_attribute(struct export *run, struct misp_event *event,
                          const struct export_row *row, size_t type, struct isg_str value)
{
    struct isg_buf name;
    struct isg_jsonw w;
    char uuid[ISG_UUID_TEXT];
    isg_buf_init(&name, ISG_BUF_NO_MAX);
    isg_buf_printf(&name, "misp-attribute|%s|%.*s|%s|%.*s", event->uuid, ISG_STR_ARG(row->of->id),
                   types[type].type, ISG_STR_ARG(value));
    isg_uuid_v5(run->options.space, isg_buf_str(&name), uuid);
    if (event->attributes.len > 0)
        isg_buf_putc(&event->attributes, ',');
    isg_jsonw_init(&w, &event->attributes);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "uuid", uuid);
    isg_jsonw_put(&w, "type", types[type].type);
    isg_jsonw_put(&w, "category", types[type].category);
    isg_jsonw_put_bool(&w, "to_ids", true);
    isg_jsonw_put_str(&w, "value", value);
    put_comment(run, &w, row->of);
    put_number(&w, "timestamp", row->of->modified_us / 1000000);
    isg_jsonw_put_bool(&w, "deleted", false);
    isg_jsonw_end(&w);
    if (name.err != ISG_OK)
        run->err = name.err;
    isg_buf_done(&name);
}

static void put_hash(struct misp *misp, struct isg_str half, const char *uuid)
{
    uint8_t digest[ISG_MD5_BYTES];
    char hex[2 * ISG_MD5_BYTES + 1];
    isg_md5(half, digest);
    isg_hex_encode(digest, sizeof digest, hex);
    isg_buf_printf(&misp->hashes, "%s,%s\n", hex, uuid);
}

/* A value's MD5, of composites that of either half: readers look a value up without the events. */
static void put_hashes(struct misp *misp, const struct ioc *ioc, const char *uuid)
{
    char port[8];
    put_hash(misp, ioc->value, uuid);
    if (ioc->kind != IOC_IP_PORT)
        return;
    (void)snprintf(port, sizeof port, "%u", ioc->port);
    put_hash(misp, isg_str_of(port), uuid);
}

static enum export_reason misp_row(struct export *run, const struct export_row *row)
{
    size_t type = 0;
    while (type < sizeof types / sizeof types[0] && types[type].kind != row->ioc->kind)
        type++;
    if (type == sizeof types / sizeof types[0])
        return EXPORT_NO_FORM;
    struct misp_event *event = event_of(run, row->of, row->of->modified_us);
    if (event == NULL)
        return EXPORT_NO_FORM;
    struct isg_buf value;
    isg_buf_init(&value, ISG_BUF_NO_MAX);
    isg_buf_put_str(&value, row->ioc->value);
    if (row->ioc->kind == IOC_IP_PORT)
        isg_buf_printf(&value, "|%u", row->ioc->port);
    put_attribute(run, event, row, type, isg_buf_str(&value));
    put_hashes(run->state, row->ioc, event->uuid);
    if (value.err != ISG_OK)
        run->err = value.err;
    isg_buf_done(&value);
    return EXPORT_KEPT;
}

/* ---- files ---- */

static const char *colour_of(enum stix_tlp tlp)
{
    for (size_t i = 0; i < sizeof colours / sizeof colours[0]; i++) {
        if (colours[i].tlp == tlp)
            return colours[i].colour;
    }
    return "#ff2b2b";
}

static void put_info(struct export *run, struct isg_jsonw *w, const struct misp_event *event)
{
    struct isg_buf text;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    export_put_plain(&text, isg_str_of(run->options.source), COMMENT_MAX);
    isg_buf_printf(&text, ": indicators of %s, TLP:", event->day);
    export_put_level(&text, event->tlp);
    isg_jsonw_put_str(w, "info", isg_buf_str(&text));
    if (text.err != ISG_OK)
        run->err = text.err;
    isg_buf_done(&text);
}

/* What the manifest and the event itself say alike. */
static void put_facts(struct export *run, struct isg_jsonw *w, const struct misp_event *event)
{
    char tag[32];
    char orgc[ISG_UUID_TEXT];
    isg_uuid_v5(run->options.space, ISG_STR("misp-orgc"), orgc);
    put_info(run, w, event);
    isg_jsonw_put(w, "date", event->day);
    isg_jsonw_put(w, "analysis", "2");
    isg_jsonw_put(w, "threat_level_id", "4");
    put_number(w, "timestamp", event->timestamp_s);
    isg_jsonw_name(w, "Orgc");
    isg_jsonw_object(w);
    isg_jsonw_put(w, "name", run->options.source);
    isg_jsonw_put(w, "uuid", orgc);
    isg_jsonw_end(w);
    (void)snprintf(tag, sizeof tag, "tlp:%s", stix_tlp_name(event->tlp));
    isg_jsonw_name(w, "Tag");
    isg_jsonw_list(w);
    isg_jsonw_object(w);
    isg_jsonw_put(w, "name", tag);
    isg_jsonw_put(w, "colour", colour_of(event->tlp));
    isg_jsonw_end(w);
    isg_jsonw_end(w);
}

static void put_event(struct export *run, const struct misp_event *event)
{
    char name[ISG_UUID_TEXT + 8];
    struct isg_jsonw w;
    struct isg_buf attributes;
    (void)snprintf(name, sizeof name, "%s.json", event->uuid);
    struct export_file *file = export_file_add(run, name);
    if (file == NULL)
        return;
    isg_buf_init(&attributes, ISG_BUF_NO_MAX);
    isg_buf_printf(&attributes, "[%.*s]", ISG_STR_ARG(isg_buf_str(&event->attributes)));
    isg_jsonw_init(&w, &file->text);
    isg_jsonw_object(&w);
    isg_jsonw_name(&w, "Event");
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "uuid", event->uuid);
    put_facts(run, &w, event);
    put_number(&w, "publish_timestamp", event->timestamp_s);
    isg_jsonw_put_bool(&w, "published", true);
    isg_jsonw_name(&w, "Attribute");
    isg_jsonw_raw(&w, isg_buf_str(&attributes));
    isg_jsonw_end(&w);
    isg_jsonw_end(&w);
    isg_buf_putc(&file->text, '\n');
    if (attributes.err != ISG_OK)
        run->err = attributes.err;
    isg_buf_done(&attributes);
}

static void misp_end(struct export *run)
{
    struct misp *misp = run->state;
    struct isg_jsonw w;
    for (const struct misp_event *e = misp->first; e != NULL; e = e->next) {
        if (e->attributes.len > 0)
            put_event(run, e);
    }
    struct export_file *hashes = export_file_add(run, "hashes.csv");
    if (hashes != NULL)
        isg_buf_put_str(&hashes->text, isg_buf_str(&misp->hashes));
    struct export_file *manifest = export_file_add(run, "manifest.json");
    if (manifest == NULL)
        return;
    isg_jsonw_init(&w, &manifest->text);
    isg_jsonw_object(&w);
    for (const struct misp_event *e = misp->first; e != NULL; e = e->next) {
        if (e->attributes.len == 0)
            continue;
        isg_jsonw_name(&w, e->uuid);
        isg_jsonw_object(&w);
        put_facts(run, &w, e);
        isg_jsonw_end(&w);
    }
    isg_jsonw_end(&w);
    isg_buf_putc(&manifest->text, '\n');
}

const struct export_format export_misp = {.name = "misp",
                                          .folder = true,
                                          .begin = misp_begin,
                                          .row = misp_row,
                                          .ended = misp_ended,
                                          .end = misp_end,
                                          .free = misp_free};
