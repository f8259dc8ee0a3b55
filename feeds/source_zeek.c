/*
 * Zeek logs, TSV by their #fields and JSON lines: connections and what was asked for over them
 * become observations (feeds digest 5.14). Only the columns named here are read.
 */
#include <stdint.h>
#include <string.h>

#include "feeds/observe.h"
#include "feeds/sources.h"
#include "stix/json.h"

enum column {
    ZEEK_TS,
    ZEEK_FROM,
    ZEEK_FROM_PORT,
    ZEEK_TO,
    ZEEK_TO_PORT,
    ZEEK_PROTO,
    ZEEK_SERVICE,
    ZEEK_DOMAIN,
    ZEEK_NOTE,
    ZEEK_MD5,
    ZEEK_SHA1,
    ZEEK_SHA256,
    ZEEK_SENDERS,
    ZEEK_RECEIVERS,
    ZEEK_SRC,
    ZEEK_DST,
    ZEEK_DST_PORT,
    ZEEK_SEEN,
    ZEEK_SEEN_TYPE,
    ZEEK_COLUMNS
};

/* The allow-list: notice's `note` is its type; its `msg` is free text and stays in the house. */
static const struct {
    const char *name;
    enum column column;
} columns[] = {
    {"ts", ZEEK_TS},
    {"id.orig_h", ZEEK_FROM},
    {"id.orig_p", ZEEK_FROM_PORT},
    {"id.resp_h", ZEEK_TO},
    {"id.resp_p", ZEEK_TO_PORT},
    {"proto", ZEEK_PROTO},
    {"service", ZEEK_SERVICE},
    {"query", ZEEK_DOMAIN},
    {"host", ZEEK_DOMAIN},
    {"server_name", ZEEK_DOMAIN},
    {"note", ZEEK_NOTE},
    {"md5", ZEEK_MD5},
    {"sha1", ZEEK_SHA1},
    {"sha256", ZEEK_SHA256},
    {"tx_hosts", ZEEK_SENDERS},
    {"rx_hosts", ZEEK_RECEIVERS},
    {"src", ZEEK_SRC}, /* of a notice that is about no single connection */
    {"dst", ZEEK_DST},
    {"p", ZEEK_DST_PORT},
    {"seen.indicator", ZEEK_SEEN},
    {"seen.indicator_type", ZEEK_SEEN_TYPE},
};

enum { FIELDS_MAX = 256 };

struct zeek {
    struct map map;
    struct observe *observe;
    int column_at[FIELDS_MAX]; /* of a field of TSV, -1: not read */
    size_t fields;             /* 0: no header yet */
};

static int column_of(struct isg_str name)
{
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        if (isg_str_is(name, columns[i].name))
            return (int)columns[i].column;
    }
    return -1;
}

/* Seconds since 1970 with a fraction, digit by digit; or RFC 3339. 0 for anything else. */
static int64_t read_time(struct isg_str text)
{
    char full[ISG_TIME_TEXT];
    int64_t us = 0;
    uint64_t seconds;
    if (text_time(text, full) && isg_time_parse(isg_str_of(full), &us))
        return us;
    size_t dot = isg_str_find(text, '.');
    struct isg_str whole = {text.p, dot == SIZE_MAX ? text.n : dot};
    if (!isg_str_to_u64(whole, 253402300799U, &seconds))
        return 0;
    us = (int64_t)seconds * 1000000;
    int64_t unit = 100000;
    for (size_t i = whole.n + 1; i < text.n && unit > 0; i++, unit /= 10) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return 0;
        us += (text.p[i] - '0') * unit;
    }
    return us;
}

static unsigned read_port(struct isg_str text)
{
    uint64_t port;
    return isg_str_to_u64(text, 65535, &port) ? (unsigned)port : 0;
}

/* A set of one; of more the ends are not known. */
static struct isg_str only_one(struct isg_str set)
{
    return isg_str_find(set, ',') == SIZE_MAX ? set : (struct isg_str){0};
}

/* The ends of a file's way, or of what a notice is about, where there is no connection. */
static void other_ends(const struct isg_str cell[ZEEK_COLUMNS], struct observe_event *event)
{
    if (event->from.address.n > 0 || event->to.address.n > 0)
        return;
    if (cell[ZEEK_SENDERS].n > 0) {
        event->from.address = only_one(cell[ZEEK_SENDERS]);
        event->to.address = only_one(cell[ZEEK_RECEIVERS]);
        return;
    }
    event->from.address = cell[ZEEK_SRC];
    event->to.address = cell[ZEEK_DST];
    event->to.port = read_port(cell[ZEEK_DST_PORT]);
}

/*
 * What a line of the intelligence log met: names and hashes. Of a URL the path stays in the house, and
 * so do mail addresses and names of users.
 */
static void take_seen(struct isg_str type, struct isg_str value, struct observe_event *event)
{
    struct isg_str *hash = value.n == 32   ? &event->md5
                           : value.n == 40 ? &event->sha1
                           : value.n == 64 ? &event->sha256
                                           : NULL;
    if (isg_str_is(type, "Intel::DOMAIN"))
        event->domain = value;
    else if (isg_str_is(type, "Intel::URL"))
        (void)isg_str_split(&value, '/', &event->domain);
    else if (isg_str_is(type, "Intel::FILE_HASH") && hash != NULL)
        *hash = value;
}

static int take_cells(struct zeek *zeek, const struct isg_str cell[ZEEK_COLUMNS])
{
    struct observe_event event = {
        .time_us = read_time(cell[ZEEK_TS]),
        .from = {cell[ZEEK_FROM], read_port(cell[ZEEK_FROM_PORT])},
        .to = {cell[ZEEK_TO], read_port(cell[ZEEK_TO_PORT])},
        .protocol = cell[ZEEK_PROTO],
        .service = cell[ZEEK_SERVICE],
        .rule = cell[ZEEK_NOTE],
        .domain = cell[ZEEK_DOMAIN],
        .md5 = cell[ZEEK_MD5],
        .sha1 = cell[ZEEK_SHA1],
        .sha256 = cell[ZEEK_SHA256],
    };
    other_ends(cell, &event);
    take_seen(cell[ZEEK_SEEN_TYPE], cell[ZEEK_SEEN], &event);
    return observe_add(zeek->observe, &event, zeek->map.why);
}

/* ---- TSV ------------------------------------------------------------------------------------ */

/* `#fields` gives the columns anew, also in mid-file; other lines with # are of no matter. */
static void take_header(struct zeek *zeek, struct isg_str line)
{
    struct isg_str name;
    if (!isg_str_starts(line, ISG_STR("#fields\t")))
        return;
    line = isg_str_from(line, 8);
    zeek->fields = 0;
    while (zeek->fields < FIELDS_MAX && isg_str_split(&line, '\t', &name))
        zeek->column_at[zeek->fields++] = column_of(name);
}

/* "\xHH" stands for a byte that the log could not hold. */
static struct isg_str without_escapes(struct map *map, struct isg_str field)
{
    if (isg_str_find(field, '\\') == SIZE_MAX)
        return field;
    char *out = isg_arena_alloc(map->arena, field.n + 1);
    size_t n = 0;
    while (out != NULL && field.n > 0) {
        uint8_t byte = (uint8_t)field.p[0];
        bool escape = field.n >= 4 && isg_str_starts(field, ISG_STR("\\x")) &&
                      isg_hex_decode((struct isg_str){field.p + 2, 2}, &byte, 1);
        out[n++] = (char)byte;
        field = isg_str_from(field, escape ? 4 : 1);
    }
    return (struct isg_str){out, n};
}

static int take_tabs(struct zeek *zeek, struct isg_str line)
{
    struct isg_str cell[ZEEK_COLUMNS] = {{NULL, 0}};
    struct isg_str field;
    size_t n = 0;
    while (isg_str_split(&line, '\t', &field)) {
        bool unset = isg_str_is(field, "-") || isg_str_is(field, "(empty)");
        if (n < zeek->fields && zeek->column_at[n] >= 0 && !unset)
            cell[zeek->column_at[n]] = without_escapes(&zeek->map, field);
        n++;
    }
    if (n == zeek->fields)
        return take_cells(zeek, cell);
    zeek->map.context->records++; /* cut at rotation */
    zeek->map.context->rejected++;
    return ISG_OK;
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static struct isg_str cell_of(struct map *map, const struct stix_json *value)
{
    struct isg_buf text;
    struct isg_str out = stix_json_str(value);
    if (stix_json_type(value) == STIX_JSON_LIST)
        return stix_json_size(value) == 1 ? stix_json_str(stix_json_at(value, 0))
                                          : (struct isg_str){0};
    if (stix_json_type(value) != STIX_JSON_INT && stix_json_type(value) != STIX_JSON_FLOAT)
        return out;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    stix_json_canon(value, &text); /* the shortest digits that say the number */
    out = isg_buf_str(&text);
    out = (struct isg_str){isg_arena_copy(map->arena, out), out.n};
    isg_buf_done(&text);
    return out;
}

static int take_json(struct zeek *zeek, struct isg_str line)
{
    struct isg_str cell[ZEEK_COLUMNS] = {{NULL, 0}};
    struct stix_json *json = NULL;
    struct stix_json_walk walk;
    if (stix_json_parse(line, NULL, &json, NULL) != ISG_OK || !stix_json_has(json, "ts")) {
        stix_json_free(&json);
        zeek->map.context->records++;
        zeek->map.context->rejected++;
        return ISG_OK;
    }
    stix_json_walk(json, &walk);
    while (stix_json_next(&walk)) {
        int column = column_of(isg_str_of(walk.name));
        if (column >= 0)
            cell[column] = cell_of(&zeek->map, walk.value);
    }
    int err = take_cells(zeek, cell);
    stix_json_free(&json);
    return err;
}

static int take_line(struct zeek *zeek, struct isg_str line)
{
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    if (line.n == 0)
        return ISG_OK;
    if (line.p[0] == '#') {
        take_header(zeek, line);
        return ISG_OK;
    }
    return line.p[0] == '{' ? take_json(zeek, line) : take_tabs(zeek, line);
}

int source_zeek(struct feed_context *context, struct isg_str text, struct isg_fail *why)
{
    struct zeek zeek = {.observe = NULL};
    struct isg_str line;
    map_init(&zeek.map, context, why);
    int err = zeek.map.err;
    if (err == ISG_OK && (zeek.observe = observe_new(&zeek.map)) == NULL)
        err = isg_fail(why, ISG_EINVAL, "the own networks cannot be read");
    while (err == ISG_OK && isg_str_split(&text, '\n', &line))
        err = take_line(&zeek, line);
    if (err == ISG_OK && context->rejected > 0 && context->rejected == context->records)
        err = isg_fail(why, ISG_EPARSE, "no line is of a log of Zeek");
    if (err == ISG_OK && context->records == 0 && zeek.fields == 0)
        err = isg_fail(why, ISG_EPARSE, "a log of Zeek names its fields");
    if (err == ISG_OK) {
        observe_write(zeek.observe);
        err = zeek.map.err;
    }
    observe_free(&zeek.observe);
    map_done(&zeek.map);
    return err;
}
