/*
 * Suricata EVE: alerts become observations (feeds digest 5.14). An object a line, or a list of
 * them; a line cut at rotation is counted and passed over. Only the members named here are read:
 * payload, packet, URL, file name and the rest never enter this program's memory of the event.
 */
#include <string.h>

#include "feeds/observe.h"
#include "feeds/sources.h"
#include "stix/json.h"

struct suricata {
    struct map map;
    struct observe *observe;
};

/* All that is ever looked at; the rest of an event is scanned, and kept nowhere. */
static const char *const wanted[] = {
    "event_type", "timestamp", "src_ip",       "src_port", "dest_ip",   "dest_port", "proto",
    "app_proto",  "alert",     "gid",          "rev",      "signature", "category",  "metadata",
    "stix_id",    "tls",       "sni",          "http",     "hostname",  "dns",       "rrname",
    "query",      "queries",   "signature_id", NULL};

static unsigned port_of(const struct stix_json *event, const char *name)
{
    int64_t port;
    bool good = stix_json_int(stix_json_get(event, name), &port) && port > 0 && port <= 65535;
    return good ? (unsigned)port : 0;
}

/* gid:sid:rev */
static struct isg_str rule_of(struct map *map, const struct stix_json *alert)
{
    int64_t gid = 1, sid, rev = 0;
    if (!stix_json_int(stix_json_get(alert, "signature_id"), &sid))
        return (struct isg_str){0};
    (void)stix_json_int(stix_json_get(alert, "gid"), &gid);
    (void)stix_json_int(stix_json_get(alert, "rev"), &rev);
    return isg_str_of(isg_arena_printf(map->arena, "%lld:%lld:%lld", (long long)gid, (long long)sid,
                                       (long long)rev));
}

static int64_t time_of(const struct stix_json *event)
{
    char text[ISG_TIME_TEXT];
    int64_t us = 0;
    if (!text_time(stix_json_get_str(event, "timestamp"), text) ||
        !isg_time_parse(isg_str_of(text), &us))
        return 0;
    return us;
}

/* The indicator that the rule was made of: rules of `isg export` name it in their metadata. */
static struct isg_str named_by(const struct stix_json *alert)
{
    const struct stix_json *ids = stix_json_get(stix_json_get(alert, "metadata"), "stix_id");
    return stix_json_str(stix_json_at(ids, 0));
}

/* The name in SNI, Host or query; the observer keeps it only when it is external. */
static struct isg_str domain_of(const struct stix_json *event)
{
    struct isg_str name = stix_json_get_str(stix_json_get(event, "tls"), "sni");
    if (name.n == 0)
        name = stix_json_get_str(stix_json_get(event, "http"), "hostname");
    const struct stix_json *dns = stix_json_get(event, "dns");
    if (name.n == 0)
        name = stix_json_get_str(dns, "rrname");
    static const char *const lists[] = {"query", "queries"}; /* the layouts of versions 2 and 3 */
    for (size_t i = 0; name.n == 0 && i < sizeof lists / sizeof lists[0]; i++)
        name = stix_json_get_str(stix_json_at(stix_json_get(dns, lists[i]), 0), "rrname");
    return name;
}

static int take_event(struct suricata *suricata, const struct stix_json *json)
{
    struct feed_context *context = suricata->map.context;
    const struct stix_json *alert = stix_json_get(json, "alert");
    if (!isg_str_is(stix_json_get_str(json, "event_type"), "alert")) {
        context->records++; /* of use only beside an indicator it meets */
        context->excluded++;
        return ISG_OK;
    }
    const struct observe_event event = {
        .time_us = time_of(json),
        .from = {stix_json_get_str(json, "src_ip"), port_of(json, "src_port")},
        .to = {stix_json_get_str(json, "dest_ip"), port_of(json, "dest_port")},
        .protocol = stix_json_get_str(json, "proto"),
        .service = stix_json_get_str(json, "app_proto"),
        .rule = rule_of(&suricata->map, alert),
        .text = stix_json_get_str(alert, "signature"),
        .category = stix_json_get_str(alert, "category"),
        .domain = domain_of(json),
        .named = named_by(alert),
    };
    return observe_add(suricata->observe, &event, suricata->map.why);
}

static int read_list(struct suricata *suricata, struct isg_str text)
{
    struct stix_json *list = NULL;
    int err = stix_json_parse_named(text, &suricata->map.context->limits, wanted, &list,
                                    suricata->map.why);
    for (size_t i = 0; err == ISG_OK && i < stix_json_size(list); i++)
        err = take_event(suricata, stix_json_at(list, i));
    stix_json_free(&list);
    return err;
}

static void count_rejected(struct suricata *suricata)
{
    suricata->map.context->records++;
    suricata->map.context->rejected++;
}

static int read_lines(struct suricata *suricata, struct isg_str text)
{
    struct feed_context *context = suricata->map.context;
    struct isg_str line;
    int err = ISG_OK;
    while (err == ISG_OK && isg_str_split(&text, '\n', &line)) {
        struct stix_json *json = NULL;
        line = isg_str_trim(line);
        if (line.n == 0)
            continue;
        if (stix_json_parse_named(line, NULL, wanted, &json, NULL) == ISG_OK &&
            stix_json_has(json, "event_type"))
            err = take_event(suricata, json);
        else
            count_rejected(suricata);
        stix_json_free(&json);
    }
    if (err == ISG_OK && context->rejected > 0 && context->rejected == context->records)
        err = isg_fail(suricata->map.why, ISG_EPARSE, "no line is an event of Suricata");
    return err;
}

int source_suricata(struct feed_context *context, struct isg_str text, struct isg_fail *why)
{
    struct suricata suricata = {.observe = NULL};
    map_init(&suricata.map, context, why);
    int err = suricata.map.err;
    text = isg_str_trim(text);
    if (err == ISG_OK && (suricata.observe = observe_new(&suricata.map)) == NULL)
        err = isg_fail(why, ISG_EINVAL, "the own networks cannot be read");
    if (err == ISG_OK)
        err = text.p[0] == '[' ? read_list(&suricata, text) : read_lines(&suricata, text);
    if (err == ISG_OK) {
        observe_write(suricata.observe);
        err = suricata.map.err;
    }
    observe_free(&suricata.observe);
    map_done(&suricata.map);
    return err;
}
