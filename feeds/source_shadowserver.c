/*
 * Shadowserver's reports, JSON and CSV: what can be seen of a member's own hosts from outside
 * (feeds digest 5.14). Each record is an observation of the host, marked RED: for the member alone.
 * Of the many columns, which differ from report to report, only those named here are read.
 */
#include "feeds/csv.h"
#include "feeds/observe.h"
#include "feeds/sources.h"

/* The columns, in the roles that csv_read hands them out in. */
static const struct csv_profile columns = {
    .format = "shadowserver",
    .slug = "shadowserver",
    .delimiter = ',',
    .column = {{CSV_VALUE, "ip", 0},
               {CSV_PORT, "port", 0},
               {CSV_FIRST, "timestamp", 0},
               {CSV_TYPE, "protocol", 0},
               {CSV_REFERENCE, "hostname", 0},
               {CSV_TAGS, "tag", 0},
               {CSV_STATUS, "severity", 0},
               {CSV_LABEL, "reason", 0}},
};

struct shadowserver {
    struct map map;
    struct observe *observe;
};

static int64_t time_of(struct isg_str text)
{
    char full[ISG_TIME_TEXT];
    int64_t us = 0;
    if (!text_time(text, full) || !isg_time_parse(isg_str_of(full), &us))
        return 0;
    return us;
}

/* What the report says of the host, parted by ';' as its tags are. */
static struct isg_str facts_of(struct map *map, const struct csv_row *row)
{
    const struct isg_str *cell = row->cell;
    return isg_str_of(
        isg_arena_printf(map->arena, "%.*s%s%.*s%s%.*s", ISG_STR_ARG(cell[CSV_TAGS]),
                         cell[CSV_STATUS].n > 0 ? ";severity-" : "", ISG_STR_ARG(cell[CSV_STATUS]),
                         cell[CSV_LABEL].n > 0 ? ";reason-" : "", ISG_STR_ARG(cell[CSV_LABEL])));
}

static int take_row(void *arg, const struct csv_row *row, struct isg_fail *why)
{
    struct shadowserver *shadowserver = arg;
    uint64_t port = 0;
    (void)isg_str_to_u64(row->cell[CSV_PORT], 65535, &port);
    const struct observe_event event = {
        .time_us = time_of(row->cell[CSV_FIRST]),
        .to = {row->cell[CSV_VALUE], (unsigned)port},
        .protocol = row->cell[CSV_TYPE],
        .category = facts_of(&shadowserver->map, row),
        .domain = row->cell[CSV_REFERENCE],
        .exposed = true,
    };
    return observe_add(shadowserver->observe, &event, why);
}

int source_shadowserver(struct feed_context *context, struct isg_str text, struct isg_fail *why)
{
    struct shadowserver shadowserver = {.observe = NULL};
    struct map *map = &shadowserver.map;
    map_init(map, context, why);
    int err = map->err;
    if (err == ISG_OK && (shadowserver.observe = observe_new(map)) == NULL)
        err = isg_fail(why, ISG_ENOMEM, "no memory");
    if (err == ISG_OK)
        err = csv_read(&columns, map->arena, text, take_row, &shadowserver, why);
    if (err == ISG_OK && context->rejected > 0 && context->rejected == context->records)
        err = isg_fail(why, ISG_EINVAL, "no record names a host and a time");
    if (err == ISG_OK) {
        observe_write(shadowserver.observe);
        err = map->err;
    }
    observe_free(&shadowserver.observe);
    map_done(map);
    return err;
}
