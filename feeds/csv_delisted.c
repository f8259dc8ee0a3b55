/*
 * An indicator that its list no longer has (feeds digest 2.6): it ends with the snapshot that lacked
 * it, and is not revoked, because entries of block lists come back.
 */
#include <string.h>

#include "feeds/map.h"
#include "feeds/sources.h"
#include "stix/base/time.h"
#include "stix/json.h"

#define DELISTED "feed:delisted"

static const int64_t ms_us = 1000;

static void put_value(struct map *map, const char *name, const struct stix_json *value)
{
    struct isg_buf text;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    stix_json_canon(value, &text);
    isg_jsonw_name(&map->w, name);
    isg_jsonw_raw(&map->w, isg_buf_str(&text));
    isg_buf_done(&text);
}

/* The labels it had, and the one that says why it ended. False when it has that one already. */
static bool labels_of(struct map *map, const struct stix_json *object, struct text_list *out)
{
    const struct stix_json *labels = stix_json_get(object, "labels");
    for (size_t i = 0; i < stix_json_size(labels); i++) {
        struct isg_str label = stix_json_str(stix_json_at(labels, i));
        if (isg_str_is(label, DELISTED))
            return false;
        (void)text_list_add(map->arena, out, label);
    }
    (void)text_list_add(map->arena, out, ISG_STR(DELISTED));
    text_list_sort(out);
    return true;
}

/* Now, but never later than it would have ended, and always later than it began. */
static void end_of(const struct map *map, const struct stix_json *object, char out[ISG_TIME_TEXT])
{
    int64_t from = 0;
    int64_t until = 0;
    int64_t end = map->context->now_us - map->context->now_us % ms_us;
    (void)isg_time_parse(stix_json_get_str(object, "valid_from"), &from);
    if (isg_time_parse(stix_json_get_str(object, "valid_until"), &until) && until < end)
        end = until;
    isg_time_format(end > from ? end : from + ms_us, 3, out);
}

static void delisted_write(struct map *map, const struct stix_json *object)
{
    static const char *const ours[] = {"modified", "valid_until", "labels"};
    struct stix_json_walk walk;
    struct text_list labels = {0};
    char now[ISG_TIME_TEXT];
    char end[ISG_TIME_TEXT];
    if (!labels_of(map, object, &labels))
        return;
    isg_time_format(map->context->now_us, 3, now);
    end_of(map, object, end);
    isg_buf_reset(&map->text);
    isg_jsonw_init(&map->w, &map->text);
    isg_jsonw_object(&map->w);
    stix_json_walk(object, &walk);
    while (stix_json_next(&walk)) {
        bool kept = true;
        for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
            kept = kept && strcmp(walk.name, ours[i]) != 0;
        if (kept)
            put_value(map, walk.name, walk.value);
    }
    isg_jsonw_put(&map->w, "modified", now);
    isg_jsonw_put(&map->w, "valid_until", end);
    map_strings(map, "labels", &labels);
    map_end(map, NULL);
}

int source_csv_withdraw(struct feed_context *context, struct isg_str object, const char *facet,
                        struct isg_fail *why)
{
    struct map map;
    struct stix_json *tree = NULL;
    (void)facet;
    map_init(&map, context, why);
    int err = map.err;
    if (err == ISG_OK)
        err = stix_json_parse(object, NULL, &tree, why);
    if (err == ISG_OK) {
        delisted_write(&map, tree);
        err = map.err;
    }
    stix_json_free(&tree);
    map_done(&map);
    return err;
}
