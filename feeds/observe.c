#include "feeds/observe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feeds/exclude.h"
#include "feeds/ioc.h"
#include "feeds/sensor_words.h"
#include "feeds/sighted.h"
#include "stix/marking.h"

enum { NUMBER_MAX = 999999999 };

static const int64_t window_us = INT64_C(15) * 60 * 1000000;

static const char *const private_networks[] = {"10.0.0.0/8",
                                               "172.16.0.0/12",
                                               "192.168.0.0/16",
                                               "100.64.0.0/10",
                                               "169.254.0.0/16",
                                               "127.0.0.0/8",
                                               "fe80::/10",
                                               "::1",
                                               NULL};

/* One event without what stays in the house, then all events of its window. */
struct window {
    const char *key; /* rule, ends, and the window's start: the name of its id */
    int64_t first_us;
    int64_t last_us;
    uint64_t number;
    struct ioc peer; /* the external address */
    bool outbound;   /* towards it */
    unsigned port;   /* of the service */
    struct isg_str protocol, service, rule, text, category, domain, md5, sha1, sha256, named;
};

struct observe {
    struct map *map;
    struct exclude_lists *own; /* exclude, when the caller gave none */
    const struct exclude_lists *exclude;
    struct ioc *networks;
    size_t network_count;
    struct window *windows;
    size_t count;
    size_t room;
};

/* ---- inside and outside --------------------------------------------------------------------- */

static bool read_networks(struct observe *observe)
{
    const char *const *list = observe->map->context->internal;
    if (list == NULL)
        list = private_networks;
    size_t n = 0;
    while (list[n] != NULL)
        n++;
    observe->networks = isg_arena_alloc(observe->map->arena, (n + 1) * sizeof *observe->networks);
    for (size_t i = 0; observe->networks != NULL && i < n; i++) {
        if (ioc_read(observe->map->arena, isg_str_of(list[i]), IOC_NETWORK, IOC_MACHINE | IOC_WIDE,
                     &observe->networks[observe->network_count], NULL) != ISG_OK)
            return false;
        observe->network_count++;
    }
    return observe->networks != NULL;
}

static bool is_internal(const struct observe *observe, const struct ioc *address)
{
    for (size_t i = 0; i < observe->network_count; i++) {
        if (memcmp(address->first, observe->networks[i].first, 16) >= 0 &&
            memcmp(address->last, observe->networks[i].last, 16) <= 0)
            return true;
    }
    return address->kind == IOC_IPV6 && (address->first[0] & 0xfe) == 0xfc; /* unique local */
}

enum side { SIDE_NONE, SIDE_INTERNAL, SIDE_EXTERNAL };

/* An address of neither side (multicast, reserved) is nobody's. */
static enum side side_of(const struct observe *observe, struct isg_str text, struct ioc *out)
{
    if (ioc_read(observe->map->arena, text, IOC_NETWORK, IOC_MACHINE, out, NULL) != ISG_OK ||
        (out->kind != IOC_IPV4 && out->kind != IOC_IPV6))
        return SIDE_NONE;
    if (is_internal(observe, out))
        return SIDE_INTERNAL;
    return exclude_check(observe->exclude, out).answer == EXCLUDE_DROP ? SIDE_NONE : SIDE_EXTERNAL;
}

struct observe *observe_new(struct map *map)
{
    struct observe *observe = calloc(1, sizeof *observe);
    if (observe == NULL)
        return NULL;
    observe->map = map;
    observe->exclude = map->context->exclude;
    if (observe->exclude == NULL)
        observe->exclude = observe->own = exclude_new(false);
    if (observe->exclude == NULL || !read_networks(observe))
        observe_free(&observe);
    return observe;
}

void observe_free(struct observe **observe)
{
    if (*observe == NULL)
        return;
    exclude_free(&(*observe)->own);
    free((*observe)->windows);
    free(*observe);
    *observe = NULL;
}

/* ---- events to windows ---------------------------------------------------------------------- */

/* A value of this kind in canonical form, if it may leave; else nothing. */
static struct isg_str value_of(const struct observe *observe, struct isg_str text,
                               enum ioc_kind kind)
{
    struct ioc ioc;
    if (text_is_absent(text) ||
        ioc_read(observe->map->arena, text, kind, IOC_MACHINE, &ioc, NULL) != ISG_OK ||
        exclude_check(observe->exclude, &ioc).answer == EXCLUDE_DROP)
        return (struct isg_str){0};
    return ioc.value;
}

/* The name of the window, of its id and of its place in the order. */
static const char *key_of(struct map *map, const struct window *w)
{
    char start[ISG_TIME_TEXT];
    struct isg_buf key;
    char port[16];
    isg_time_format(w->first_us - w->first_us % window_us, 0, start);
    (void)snprintf(port, sizeof port, "%u", w->port);
    const struct isg_str parts[] = {isg_str_of(start),
                                    w->rule,
                                    w->peer.value,
                                    isg_str_of(port),
                                    w->protocol,
                                    w->domain,
                                    w->md5,
                                    w->sha1,
                                    w->sha256,
                                    isg_str_of(w->outbound ? "to" : "from")};
    isg_buf_init(&key, ISG_BUF_NO_MAX);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        isg_buf_puts(&key, i == 0 ? "" : " ");
        stix_id_name_field(&key, parts[i]);
    }
    const char *copy = key.err == ISG_OK ? isg_arena_copy(map->arena, isg_buf_str(&key)) : NULL;
    isg_buf_done(&key);
    return copy;
}

static bool keep(struct observe *observe, const struct window *window)
{
    if (observe->count == observe->room) {
        size_t room = observe->room == 0 ? 256 : observe->room * 2;
        struct window *windows = realloc(observe->windows, room * sizeof *windows);
        if (windows == NULL)
            return false;
        observe->windows = windows;
        observe->room = room;
    }
    observe->windows[observe->count++] = *window;
    return true;
}

static void copy_facts(struct observe *observe, const struct observe_event *event,
                       struct window *out)
{
    struct map *map = observe->map;
    out->port = event->to.port;
    out->protocol = sensor_transport(map->arena, event->protocol);
    out->service = sensor_service(map->arena, event->service);
    if (sensor_is_rule(event->rule))
        out->rule = text_clean(map->arena, event->rule);
    out->text = text_clean(map->arena, event->text);
    out->category = text_clean(map->arena, event->category);
    out->domain = value_of(observe, event->domain, IOC_DOMAIN);
    out->md5 = value_of(observe, event->md5, IOC_MD5);
    out->sha1 = value_of(observe, event->sha1, IOC_SHA1);
    out->sha256 = value_of(observe, event->sha256, IOC_SHA256);
    if (isg_str_starts(event->named, ISG_STR("indicator--")) &&
        stix_id_split(event->named, NULL, NULL))
        out->named = text_lower(map->arena, event->named);
}

/* Which of the two ends is told of; false when the event stays in the house. */
static bool find_peer(const struct observe *observe, const struct observe_event *event,
                      struct window *out)
{
    struct ioc from, to;
    enum side a = side_of(observe, event->from.address, &from);
    enum side b = side_of(observe, event->to.address, &to);
    out->outbound = b == SIDE_EXTERNAL;
    out->peer = out->outbound ? to : from;
    return (a == SIDE_INTERNAL && b == SIDE_EXTERNAL) || (a == SIDE_EXTERNAL && b == SIDE_INTERNAL);
}

static bool find_own(const struct observe *observe, const struct observe_event *event,
                     struct window *out)
{
    out->outbound = true;
    return ioc_read(observe->map->arena, event->to.address, IOC_NETWORK, IOC_MACHINE, &out->peer,
                    NULL) == ISG_OK &&
           (out->peer.kind == IOC_IPV4 || out->peer.kind == IOC_IPV6);
}

int observe_add(struct observe *observe, const struct observe_event *event, struct isg_fail *why)
{
    struct feed_context *context = observe->map->context;
    struct window window = {.first_us = event->time_us, .last_us = event->time_us, .number = 1};
    bool good =
        event->exposed ? find_own(observe, event, &window) : find_peer(observe, event, &window);
    context->records++;
    if (!good || event->time_us <= 0) {
        context->excluded += !event->exposed;
        context->rejected += event->exposed;
        return ISG_OK;
    }
    copy_facts(observe, event, &window);
    window.key = key_of(observe->map, &window);
    if (window.key == NULL || !keep(observe, &window))
        return isg_fail(why, ISG_ENOMEM, "no memory");
    return ISG_OK;
}

/* ---- observables ---------------------------------------------------------------------------- */

/* What an observable holds beside id and type. */
typedef void sco_body(struct map *map, const struct window *window, const char *address);

static void address_body(struct map *map, const struct window *window, const char *address)
{
    (void)address;
    isg_jsonw_put_str(&map->w, "value", window->peer.value);
}

static void domain_body(struct map *map, const struct window *window, const char *address)
{
    (void)address;
    isg_jsonw_put_str(&map->w, "value", window->domain);
}

static void file_body(struct map *map, const struct window *window, const char *address)
{
    (void)address;
    isg_jsonw_name(&map->w, "hashes");
    isg_jsonw_object(&map->w);
    map_string(map, "MD5", window->md5);
    map_string(map, "SHA-1", window->sha1);
    map_string(map, "SHA-256", window->sha256);
    isg_jsonw_end(&map->w);
}

static void traffic_body(struct map *map, const struct window *window, const char *address)
{
    struct text_list protocols = {0};
    (void)text_list_add(map->arena, &protocols,
                        window->peer.kind == IOC_IPV4 ? ISG_STR("ipv4") : ISG_STR("ipv6"));
    (void)text_list_add(map->arena, &protocols, window->protocol);
    if (window->port > 0)
        isg_jsonw_put_int(&map->w, "dst_port", window->port);
    if (window->outbound)
        isg_jsonw_put(&map->w, "dst_ref", address);
    map_strings(map, "protocols", &protocols);
    if (!window->outbound)
        isg_jsonw_put(&map->w, "src_ref", address);
}

/* Hand it out the first time and note its id. Of a file's hashes only one contributes to it. */
static void sco_write(struct map *map, const char *type, sco_body *body,
                      const struct window *window, struct text_list *refs)
{
    char id[STIX_ID_MAX + 1] = "";
    const char *address = refs->count > 0 ? refs->items[0].p : NULL;
    map_sco_begin(map, type);
    body(map, window, address);
    if (body == file_body)
        (void)map_sco_id(map, id);
    else
        map_sco_id_sorted(map, type, id);
    if (map->err != ISG_OK)
        return;
    (void)text_list_add(map->arena, refs, isg_str_of(isg_arena_copy(map->arena, isg_str_of(id))));
    if (!map_is_new(map, id))
        return;
    map_begin(map, &(struct map_head){type, id, NULL, NULL, NULL});
    body(map, window, address);
    map_end(map, NULL);
}

static void observables_write(struct map *map, const struct window *w, struct text_list *refs)
{
    sco_write(map, w->peer.kind == IOC_IPV4 ? "ipv4-addr" : "ipv6-addr", address_body, w, refs);
    if (w->protocol.n > 0)
        sco_write(map, "network-traffic", traffic_body, w, refs);
    if (w->domain.n > 0)
        sco_write(map, "domain-name", domain_body, w, refs);
    if (w->md5.n + w->sha1.n + w->sha256.n > 0)
        sco_write(map, "file", file_body, w, refs);
}

/* ---- observations --------------------------------------------------------------------------- */

/* observed-data|<member>|<sensor>|<event key> (digest 2.4). */
static void observed_id(struct map *map, const struct window *w, char out[STIX_ID_MAX + 1])
{
    struct isg_str sensor = map->context->sensor;
    struct isg_str fields[] = {ISG_STR("observed-data"), text_slug(map->arena, map->context->owner),
                               sensor.n > 0 ? sensor : isg_str_of(map->context->source->format),
                               isg_str_of(w->key)};
    map_id(map, "observed-data", fields, 4, out);
}

/* What the rule and the connection are about; before is the event in front of it, or NULL. */
static void labels_add(struct map *map, const struct window *before, const struct window *w,
                       struct text_list *labels)
{
    const char *format = map->context->source->format;
    if (before != NULL && isg_str_eq(before->category, w->category) &&
        isg_str_eq(before->service, w->service))
        return;
    struct isg_str rest = w->category;
    struct isg_str category;
    while (rest.n > 0 && isg_str_split(&rest, ';', &category))
        (void)text_list_add(map->arena, labels, text_label(map->arena, format, category));
    (void)text_list_add(map->arena, labels, text_label(map->arena, format, w->service));
}

static void rule_write(struct map *map, const struct window *w, struct text_list *labels)
{
    struct map_references list = {0};
    const char *format = map->context->source->format;
    text_list_sort(labels);
    map_strings(map, "labels", labels);
    map_reference_add(map, &list,
                      &(struct map_reference){MAP_RANK_RECORD, isg_str_of(format),
                                              .external_id = w->rule, .description = w->text});
    map_references_write(map, &list);
}

/* What the observation is to be compared by; a member's exposed host is no sighting of anything. */
static void compared_by(struct map *map, const struct window *w, const struct sighted *times)
{
    struct sighted sighted = *times;
    if (!map->context->sighted || map->context->source->to_member || map->err != ISG_OK)
        return;
    sighted.where = isg_str_of(map->owner);
    sighted.space = isg_str_of(map->context->space);
    sighted.peer = w->peer.value;
    sighted.domain = w->domain;
    sighted.md5 = w->md5;
    sighted.sha1 = w->sha1;
    sighted.sha256 = w->sha256;
    sighted.named = w->named;
    if (w->protocol.n > 0) { /* else there is no network-traffic, and nobody can tell later */
        sighted.port = w->port;
        sighted.outbound = w->outbound;
        sighted.inbound = !w->outbound;
    }
    sighted_write(map, &sighted);
}

static void observed_write(struct map *map, const struct window *w, struct text_list *labels)
{
    char id[STIX_ID_MAX + 1];
    char start[ISG_TIME_TEXT], first[ISG_TIME_TEXT], last[ISG_TIME_TEXT];
    struct text_list refs = {0};
    observables_write(map, w, &refs);
    observed_id(map, w, id);
    isg_time_format(w->first_us - w->first_us % window_us, 3, start);
    isg_time_format(w->first_us, 3, first);
    isg_time_format(w->last_us, 3, last);
    map_begin(map, &(struct map_head){"observed-data", id, start, last, map->owner});
    isg_jsonw_put(&map->w, "first_observed", first);
    isg_jsonw_put(&map->w, "last_observed", last);
    int64_t number = w->number > NUMBER_MAX ? NUMBER_MAX : (int64_t)w->number;
    isg_jsonw_put_int(&map->w, "number_observed", number);
    text_list_sort(&refs);
    map_strings(map, "object_refs", &refs);
    rule_write(map, w, labels);
    map_end(map, NULL);
    compared_by(map, w,
                &(struct sighted){.observed = isg_str_of(id),
                                  .start = isg_str_of(start),
                                  .first = isg_str_of(first),
                                  .last = isg_str_of(last),
                                  .number = number});
}

static int by_key(const void *a, const void *b)
{
    const struct window *x = a;
    const struct window *y = b;
    int order = strcmp(x->key, y->key);
    if (order == 0 && x->first_us != y->first_us)
        order = x->first_us < y->first_us ? -1 : 1;
    if (order == 0)
        order = isg_str_cmp(x->text, y->text);
    if (order == 0)
        order = isg_str_cmp(x->category, y->category);
    return order != 0 ? order : isg_str_cmp(x->service, y->service);
}

void observe_write(struct observe *observe)
{
    static const char *const no_extensions[] = {NULL};
    struct map *map = observe->map;
    /* AMBER is the default of observations; what is one member's alone is RED (5.14) */
    map->marking =
        stix_tlp_marking_id(map->context->source->to_member ? STIX_TLP_RED : STIX_TLP_AMBER);
    map_preamble(map, no_extensions);
    if (observe->count > 0)
        qsort(observe->windows, observe->count, sizeof *observe->windows, by_key);
    for (size_t i = 0; i < observe->count && map->err == ISG_OK;) {
        struct window whole = observe->windows[i];
        struct text_list labels = {0};
        for (whole.number = 0;
             i < observe->count && strcmp(observe->windows[i].key, whole.key) == 0; i++) {
            whole.last_us = observe->windows[i].last_us;
            if (whole.named.n == 0)
                whole.named = observe->windows[i].named;
            whole.number++;
            labels_add(map, whole.number == 1 ? NULL : &observe->windows[i - 1],
                       &observe->windows[i], &labels);
        }
        observed_write(map, &whole, &labels);
    }
}
