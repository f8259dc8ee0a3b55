/*
 * configurations[] of a record: which products are affected. A version that is exact becomes a
 * software observable; of a range there is one observable without version, and the range itself
 * stands in the extension. Ranges are never expanded into the versions of a dictionary.
 */
#include <stdlib.h>
#include <string.h>

#include "feeds/nvd.h"

enum { MATCHES_MAX = 20000, PRODUCT_TEXT_MAX = 8192 };

static const char *const bound_names[] = {"versionStartIncluding", "versionStartExcluding",
                                          "versionEndIncluding", "versionEndExcluding"};
enum { BOUNDS = sizeof bound_names / sizeof bound_names[0] };

/* ---- reading -------------------------------------------------------------------------------- */

static void match_add(struct nvd *nvd, const struct nvd_match *match, struct nvd_matches *list)
{
    if (list->count == MATCHES_MAX)
        return;
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 16 : list->room * 2;
        struct nvd_match *items = isg_arena_alloc(nvd->map.arena, room * sizeof *items);
        if (items == NULL) {
            map_fail(&nvd->map, ISG_ENOMEM, NULL, "no memory");
            return;
        }
        if (list->count > 0)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->room = room;
    }
    list->items[list->count++] = *match;
}

static bool has_bounds(const struct nvd_match *match)
{
    for (size_t i = 0; i < BOUNDS; i++) {
        if (match->bounds[i].n > 0)
            return true;
    }
    return false;
}

/* "-" says that versions do not apply; it is not "*". */
static bool is_exact(const struct nvd_match *match)
{
    struct isg_str version = match->cpe.attribute[STIX_CPE_VERSION];
    return match->readable && !has_bounds(match) &&
           (stix_cpe_is_value(version) || isg_str_is(version, "-"));
}

static void match_read(struct nvd *nvd, const struct stix_json *json, struct nvd_matches *list)
{
    struct isg_arena *arena = nvd->map.arena;
    struct nvd_match match = {.criteria = text_clean(arena, stix_json_get_str(json, "criteria")),
                              .id = text_clean(arena, stix_json_get_str(json, "matchCriteriaId"))};
    if (!stix_json_bool(stix_json_get(json, "vulnerable")) || match.criteria.n == 0)
        return;
    for (size_t i = 0; i < BOUNDS; i++)
        match.bounds[i] = text_clean(arena, stix_json_get_str(json, bound_names[i]));
    match.readable = stix_cpe_read(match.criteria, &match.cpe);
    match.exact = is_exact(&match);
    match_add(nvd, &match, list);
}

static bool is_negated(const struct stix_json *node)
{
    return stix_json_bool(stix_json_get(node, "negate"));
}

static int by_criteria(const void *a, const void *b)
{
    const struct nvd_match *x = a;
    const struct nvd_match *y = b;
    int order = isg_str_cmp(x->criteria, y->criteria);
    for (size_t i = 0; order == 0 && i < BOUNDS; i++)
        order = isg_str_cmp(x->bounds[i], y->bounds[i]);
    return order != 0 ? order : isg_str_cmp(x->id, y->id);
}

/* Sorted, each once. */
static void matches_sort(struct nvd_matches *list)
{
    if (list->count < 2)
        return;
    qsort(list->items, list->count, sizeof *list->items, by_criteria);
    size_t kept = 1;
    for (size_t i = 1; i < list->count; i++) {
        if (by_criteria(&list->items[i], &list->items[kept - 1]) != 0)
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
}

void nvd_matches_read(struct nvd *nvd, const struct stix_json *cve, struct nvd_matches *out)
{
    const struct stix_json *configurations = stix_json_get(cve, "configurations");
    for (size_t i = 0; i < stix_json_size(configurations); i++) {
        const struct stix_json *configuration = stix_json_at(configurations, i);
        const struct stix_json *nodes = stix_json_get(configuration, "nodes");
        for (size_t j = 0; j < stix_json_size(nodes) && !is_negated(configuration); j++) {
            const struct stix_json *node = stix_json_at(nodes, j);
            const struct stix_json *matches = stix_json_get(node, "cpeMatch");
            for (size_t k = 0; k < stix_json_size(matches) && !is_negated(node); k++)
                match_read(nvd, stix_json_at(matches, k), out);
        }
    }
    matches_sort(out);
    for (size_t i = 0; i < out->count; i++)
        out->ranges += out->items[i].exact ? 0 : 1;
}

/* ---- ranges --------------------------------------------------------------------------------- */

static void range_write(struct isg_jsonw *w, const struct nvd_match *match)
{
    isg_jsonw_object(w);
    isg_jsonw_put_str(w, "criteria", match->criteria);
    for (size_t i = 0; i < BOUNDS; i++) {
        if (match->bounds[i].n > 0)
            isg_jsonw_put_str(w, bound_names[i], match->bounds[i]);
    }
    if (match->id.n > 0)
        isg_jsonw_put_str(w, "matchCriteriaId", match->id);
    isg_jsonw_end(w);
}

void nvd_matches_write(struct nvd *nvd, const struct nvd_matches *matches)
{
    struct isg_jsonw *w = &nvd->map.w;
    if (matches->ranges == 0)
        return;
    isg_jsonw_name(w, "cpe_matches");
    isg_jsonw_list(w);
    for (size_t i = 0; i < matches->count; i++) {
        if (!matches->items[i].exact)
            range_write(w, &matches->items[i]);
    }
    isg_jsonw_end(w);
}

/* ---- products ------------------------------------------------------------------------------- */

/* The value of an attribute, in the arena; empty when it names none. */
static struct isg_str value_of(struct nvd *nvd, struct isg_str attribute)
{
    struct isg_buf text;
    struct isg_str out = {0};
    if (!stix_cpe_is_value(attribute))
        return out;
    isg_buf_init(&text, PRODUCT_TEXT_MAX);
    stix_cpe_unquote(attribute, &text);
    if (text.err == ISG_OK)
        out = text_clean(nvd->map.arena, isg_buf_str(&text));
    isg_buf_done(&text);
    return out;
}

/* "3.1", or with its update "3.1 sp2". */
static struct isg_str version_of(struct nvd *nvd, const struct stix_cpe *cpe)
{
    struct isg_str version = value_of(nvd, cpe->attribute[STIX_CPE_VERSION]);
    struct isg_str update = value_of(nvd, cpe->attribute[STIX_CPE_UPDATE]);
    if (version.n == 0 || update.n == 0)
        return version;
    return isg_str_of(
        isg_arena_printf(nvd->map.arena, "%.*s %.*s", ISG_STR_ARG(version), ISG_STR_ARG(update)));
}

/* The product as such, of any version and edition. */
static struct isg_str family_of(struct nvd *nvd, const struct stix_cpe *cpe)
{
    return isg_str_of(isg_arena_printf(nvd->map.arena, "cpe:2.3:%.*s:%.*s:%.*s:*:*:*:*:*:*:*:*",
                                       ISG_STR_ARG(cpe->attribute[STIX_CPE_PART]),
                                       ISG_STR_ARG(cpe->attribute[STIX_CPE_VENDOR]),
                                       ISG_STR_ARG(cpe->attribute[STIX_CPE_PRODUCT])));
}

static void affects_write(struct nvd *nvd, const char *software, const char *vulnerability,
                          const char *published)
{
    struct map *map = &nvd->map;
    char id[STIX_ID_MAX + 1];
    map_relationship_id(map, "related-to", software, vulnerability, id);
    if (!map_is_new(map, id))
        return;
    map_begin(map, &(struct map_head){"relationship", id, published, published, nvd->identity});
    isg_jsonw_put(&map->w, "relationship_type", "related-to");
    isg_jsonw_put(&map->w, "source_ref", software);
    isg_jsonw_put(&map->w, "target_ref", vulnerability);
    map_extension_begin(map, MAP_EXTENSION_PRODUCT_STATUS);
    isg_jsonw_put(&map->w, "status", "known_affected");
    map_extension_end(map);
    map_end(map, NULL);
}

void nvd_products_write(struct nvd *nvd, const struct nvd_matches *matches,
                        const char *vulnerability, const char *published)
{
    for (size_t i = 0; i < matches->count && nvd->map.err == ISG_OK; i++) {
        const struct nvd_match *match = &matches->items[i];
        char id[STIX_ID_MAX + 1];
        if (!match->readable)
            continue;
        const struct map_software software = {
            .name = value_of(nvd, match->cpe.attribute[STIX_CPE_PRODUCT]),
            .vendor = value_of(nvd, match->cpe.attribute[STIX_CPE_VENDOR]),
            .version = match->exact ? version_of(nvd, &match->cpe) : (struct isg_str){0},
            .cpe = match->exact ? match->criteria : family_of(nvd, &match->cpe)};
        if (software.name.n > 0 && map_software(&nvd->map, &software, id))
            affects_write(nvd, id, vulnerability, published);
    }
}
