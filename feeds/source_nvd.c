/*
 * The NVD CVE API 2.0 (feeds digest 5.5): one answer is a page of records. A record's facts go to
 * the merged vulnerability as the part "nvd"; the products it names are translated as they are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feeds/extensions.h"
#include "feeds/nvd.h"
#include "feeds/sources.h"

static const char facet_name[] = "nvd";
static const char database_name[] = "NVD";
static const char database_home[] = "https://nvd.nist.gov/";

enum { SCORES_MAX = 64, REJECTED_PART = 50 /* more than 2 % fail the run */ };

/* One record with its cleaned key fields. */
struct record {
    const struct stix_json *json;
    char cve[TEXT_CVE_MAX];
    char published[ISG_TIME_TEXT];
    char modified[ISG_TIME_TEXT];
};

struct records {
    struct record *items;
    size_t count;
};

static struct isg_str field(struct nvd *nvd, const struct stix_json *json, const char *name)
{
    return text_prose(nvd->map.arena, stix_json_get_str(json, name));
}

/* ---- shape ---------------------------------------------------------------------------------- */

static bool number_of(const struct stix_json *root, const char *name, uint64_t absent,
                      uint64_t *out)
{
    int64_t n;
    *out = absent;
    if (!stix_json_has(root, name))
        return true;
    if (!stix_json_int(stix_json_get(root, name), &n) || n < 0)
        return false;
    *out = (uint64_t)n;
    return true;
}

static void newest_of(const struct stix_json *list, char out[ISG_TIME_TEXT])
{
    char time[ISG_TIME_TEXT];
    out[0] = '\0';
    for (size_t i = 0; i < stix_json_size(list); i++) {
        const struct stix_json *cve = stix_json_get(stix_json_at(list, i), "cve");
        if (text_time(stix_json_get_str(cve, "lastModified"), time) &&
            (out[0] == '\0' || isg_time_cmp(isg_str_of(time), isg_str_of(out)) > 0))
            memcpy(out, time, sizeof time);
    }
}

int nvd_page_read(const struct stix_json *root, struct nvd_page *out, struct isg_fail *why)
{
    const struct stix_json *list = stix_json_get(root, "vulnerabilities");
    struct nvd_page page = {.count = stix_json_size(list)};
    if (stix_json_type(list) != STIX_JSON_LIST || !stix_json_has(root, "totalResults"))
        return isg_fail_at(why, ISG_EINVAL, "/vulnerabilities", NULL,
                           "not an answer of the NVD CVE API 2.0");
    if (!number_of(root, "startIndex", 0, &page.start) ||
        !number_of(root, "resultsPerPage", page.count, &page.size) ||
        !number_of(root, "totalResults", 0, &page.total))
        return isg_fail_at(why, ISG_EINVAL, "/totalResults", NULL, "a count is no number");
    uint64_t left = page.total > page.start ? page.total - page.start : 0;
    uint64_t due = left < page.size ? left : page.size;
    if (page.count != due || (due == 0 && left > 0))
        return isg_fail_at(why, ISG_EINVAL, "/resultsPerPage", NULL,
                           "declares %llu records and holds %zu", (unsigned long long)due,
                           page.count);
    if (!text_time(stix_json_get_str(root, "timestamp"), page.timestamp))
        page.timestamp[0] = '\0';
    newest_of(list, page.newest);
    *out = page;
    return ISG_OK;
}

static bool record_read(const struct stix_json *cve, struct record *out)
{
    out->json = cve;
    if (!text_cve(stix_json_get_str(cve, "id"), out->cve) ||
        !text_time(stix_json_get_str(cve, "published"), out->published) ||
        !text_time(stix_json_get_str(cve, "lastModified"), out->modified))
        return false;
    if (isg_time_cmp(isg_str_of(out->modified), isg_str_of(out->published)) < 0)
        memcpy(out->modified, out->published, sizeof out->modified); /* S-026 */
    return true;
}

static int by_text(const struct stix_json *a, const struct stix_json *b)
{
    struct isg_buf left, right;
    isg_buf_init(&left, ISG_BUF_NO_MAX);
    isg_buf_init(&right, ISG_BUF_NO_MAX);
    stix_json_canon(a, &left);
    stix_json_canon(b, &right);
    int order = isg_str_cmp(isg_buf_str(&left), isg_buf_str(&right));
    isg_buf_done(&left);
    isg_buf_done(&right);
    return order;
}

/* Of one CVE the record that was changed last stands in front. */
static int by_cve(const void *a, const void *b)
{
    const struct record *x = a;
    const struct record *y = b;
    int order = strcmp(x->cve, y->cve);
    if (order == 0)
        order = isg_time_cmp(isg_str_of(y->modified), isg_str_of(x->modified));
    return order != 0 ? order : by_text(x->json, y->json);
}

/* A record that cannot be read costs itself, unless they are many. */
static int records_read(struct nvd *nvd, const struct stix_json *root, struct records *out,
                        struct isg_fail *why)
{
    struct feed_context *context = nvd->map.context;
    const struct stix_json *list = stix_json_get(root, "vulnerabilities");
    size_t n = stix_json_size(list);
    size_t bad = 0;
    size_t first_bad = 0;
    out->items = isg_arena_alloc(nvd->map.arena, (n + 1) * sizeof *out->items);
    if (out->items == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    for (size_t i = 0; i < n; i++) {
        if (record_read(stix_json_get(stix_json_at(list, i), "cve"), &out->items[out->count]))
            out->count++;
        else if (bad++ == 0)
            first_bad = i;
    }
    context->records += n;
    context->rejected += bad;
    if (bad * REJECTED_PART > n) {
        char path[64];
        (void)snprintf(path, sizeof path, "/vulnerabilities/%zu/cve", first_bad);
        return isg_fail_at(why, ISG_EINVAL, path, NULL,
                           "%zu of %zu records lack a CVE identifier or their dates", bad, n);
    }
    if (out->count > 1)
        qsort(out->items, out->count, sizeof *out->items, by_cve);
    return ISG_OK;
}

/* ---- scores --------------------------------------------------------------------------------- */

struct score {
    struct isg_str version;
    struct isg_str vector;
    struct isg_str source;
    struct isg_str type;
    double base; /* below 0: not given */
};

/* What is the headline stands in front: newest standard, Primary, source, vector. */
static int by_weight(const void *a, const void *b)
{
    const struct score *x = a;
    const struct score *y = b;
    bool primary = isg_str_is(x->type, "Primary");
    int order = isg_str_cmp(y->version, x->version);
    if (order == 0 && primary != isg_str_is(y->type, "Primary"))
        return primary ? -1 : 1;
    if (order == 0)
        order = isg_str_cmp(x->source, y->source);
    if (order == 0)
        order = isg_str_cmp(x->vector, y->vector);
    return order != 0 ? order : isg_str_cmp(x->type, y->type);
}

static size_t scores_read(struct nvd *nvd, const struct stix_json *cve, struct score *scores)
{
    static const struct {
        const char *name;
        const char *version;
    } kinds[] = {{"cvssMetricV40", "4.0"},
                 {"cvssMetricV31", "3.1"},
                 {"cvssMetricV30", "3.0"},
                 {"cvssMetricV2", "2.0"}};
    const struct stix_json *metrics = stix_json_get(cve, "metrics");
    size_t n = 0;
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        const struct stix_json *list = stix_json_get(metrics, kinds[k].name);
        for (size_t i = 0; i < stix_json_size(list) && n < SCORES_MAX; i++) {
            const struct stix_json *entry = stix_json_at(list, i);
            const struct stix_json *data = stix_json_get(entry, "cvssData");
            struct score *score = &scores[n];
            *score = (struct score){.version = isg_str_of(kinds[k].version),
                                    .vector = field(nvd, data, "vectorString"),
                                    .source = field(nvd, entry, "source"),
                                    .type = field(nvd, entry, "type")};
            if (!stix_json_float(stix_json_get(data, "baseScore"), &score->base) ||
                score->base < 0 || score->base > 10)
                score->base = -1;
            n += score->vector.n > 0 ? 1 : 0;
        }
    }
    if (n > 1)
        qsort(scores, n, sizeof *scores, by_weight);
    return n;
}

static void score_write(struct nvd *nvd, const struct score *score, bool headline)
{
    struct isg_jsonw *w = &nvd->map.w;
    isg_jsonw_object(w);
    isg_jsonw_put_str(w, "version", score->version);
    isg_jsonw_put_str(w, "vector", score->vector);
    if (score->base >= 0) {
        char number[16];
        (void)snprintf(number, sizeof number, "%.1f", score->base);
        isg_jsonw_name(w, "base_score");
        isg_jsonw_raw(w, isg_str_of(number));
    }
    map_string(&nvd->map, "source", score->source);
    map_string(&nvd->map, "type", score->type);
    if (headline)
        isg_jsonw_put_bool(w, "headline", true);
    isg_jsonw_end(w);
}

static void scores_write(struct nvd *nvd, const struct score *scores, size_t n)
{
    struct isg_jsonw *w = &nvd->map.w;
    if (n == 0)
        return;
    isg_jsonw_name(w, "cvss");
    isg_jsonw_list(w);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || by_weight(&scores[i], &scores[i - 1]) != 0)
            score_write(nvd, &scores[i], i == 0);
    }
    isg_jsonw_end(w);
}

/* Every score with its source, and the ranges; nothing at all where there is none. */
static void risk_write(struct nvd *nvd, const struct stix_json *cve,
                       const struct nvd_matches *matches)
{
    struct score scores[SCORES_MAX];
    struct map *map = &nvd->map;
    size_t n = scores_read(nvd, cve, scores);
    if (n == 0 && matches->ranges == 0)
        return;
    map_extension_begin(map, MAP_EXTENSION_RISK);
    scores_write(nvd, scores, n);
    nvd_matches_write(nvd, matches);
    map_extension_end(map);
}

/* ---- references ----------------------------------------------------------------------------- */

/* One address of a record; it stands there once per source that gave it (digest 2.7). */
struct link {
    struct isg_str url;
    const struct stix_json *tags;
};

static int by_url(const void *a, const void *b)
{
    return isg_str_cmp(((const struct link *)a)->url, ((const struct link *)b)->url);
}

/* The tags of n entries of one address: "Patch, Vendor Advisory". */
static struct isg_str tags_of(struct nvd *nvd, const struct link *links, size_t n)
{
    struct text_list tags = {0};
    const char *text = "";
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < stix_json_size(links[i].tags); k++)
            (void)text_list_add(
                nvd->map.arena, &tags,
                text_clean(nvd->map.arena, stix_json_str(stix_json_at(links[i].tags, k))));
    }
    text_list_sort(&tags);
    for (size_t i = 0; i < tags.count && text != NULL; i++)
        text = isg_arena_printf(nvd->map.arena, "%s%s%.*s", text, i > 0 ? ", " : "",
                                ISG_STR_ARG(tags.items[i]));
    return isg_str_of(text);
}

static void links_read(struct nvd *nvd, const struct stix_json *cve, struct map_references *list)
{
    const struct stix_json *references = stix_json_get(cve, "references");
    size_t n = stix_json_size(references);
    size_t count = 0;
    struct link *links = isg_arena_alloc(nvd->map.arena, (n + 1) * sizeof *links);
    if (links == NULL) {
        map_fail(&nvd->map, ISG_ENOMEM, NULL, "no memory");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const struct stix_json *entry = stix_json_at(references, i);
        struct isg_str url = field(nvd, entry, "url");
        if (text_is_web_url(url))
            links[count++] = (struct link){url, stix_json_get(entry, "tags")};
    }
    qsort(links, count, sizeof *links, by_url);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && by_url(&links[i], &links[end]) == 0;)
            end++;
        map_reference_add(&nvd->map, list,
                          &(struct map_reference){MAP_RANK_URL, isg_str_of(database_name),
                                                  .url = links[i].url,
                                                  .description = tags_of(nvd, &links[i], end - i)});
    }
}

/* Every description of every entry; "NVD-CWE-noinfo" and "NVD-CWE-Other" name no weakness. */
static void weaknesses_read(struct nvd *nvd, const struct stix_json *cve,
                            struct map_references *list)
{
    const struct stix_json *weaknesses = stix_json_get(cve, "weaknesses");
    for (size_t i = 0; i < stix_json_size(weaknesses); i++) {
        const struct stix_json *words = stix_json_get(stix_json_at(weaknesses, i), "description");
        for (size_t k = 0; k < stix_json_size(words); k++) {
            struct isg_str cwe = field(nvd, stix_json_at(words, k), "value");
            if (text_is_cwe(cwe))
                map_reference_add(
                    &nvd->map, list,
                    &(struct map_reference){MAP_RANK_CWE, ISG_STR("cwe"), .external_id = cwe});
        }
    }
}

static void references_write(struct nvd *nvd, const struct record *record)
{
    struct map_references list = {0};
    const char *page =
        isg_arena_printf(nvd->map.arena, "%svuln/detail/%s", database_home, record->cve);
    map_reference_add(&nvd->map, &list,
                      &(struct map_reference){MAP_RANK_CVE, ISG_STR("cve"),
                                              .external_id = isg_str_of(record->cve)});
    map_reference_add(&nvd->map, &list,
                      &(struct map_reference){MAP_RANK_RECORD, isg_str_of(database_name),
                                              .external_id = isg_str_of(record->cve),
                                              .url = isg_str_of(page)});
    weaknesses_read(nvd, record->json, &list);
    links_read(nvd, record->json, &list);
    map_references_write(&nvd->map, &list);
}

/* ---- the vulnerability ---------------------------------------------------------------------- */

/* The text in English, wherever it stands in the list. */
static struct isg_str description_of(struct nvd *nvd, const struct stix_json *cve)
{
    const struct stix_json *list = stix_json_get(cve, "descriptions");
    for (size_t i = 0; i < stix_json_size(list); i++) {
        const struct stix_json *entry = stix_json_at(list, i);
        struct isg_str language = stix_json_get_str(entry, "lang");
        if (isg_str_is(language, "en") || isg_str_starts(language, ISG_STR("en-")))
            return field(nvd, entry, "value");
    }
    return (struct isg_str){0};
}

static bool is_rejected(const struct stix_json *cve)
{
    return isg_str_is(stix_json_get_str(cve, "vulnStatus"), "Rejected");
}

/* A rejected CVE can be reinstated, so it is labelled and never revoked (digest 2.6). */
static void labels_write(struct nvd *nvd, const struct stix_json *cve)
{
    struct text_list labels = {0};
    struct isg_arena *arena = nvd->map.arena;
    if (is_rejected(cve))
        (void)text_list_add(arena, &labels, ISG_STR("cve:rejected"));
    const struct stix_json *sources = stix_json_get(cve, "cveTags");
    for (size_t i = 0; i < stix_json_size(sources); i++) {
        const struct stix_json *tags = stix_json_get(stix_json_at(sources, i), "tags");
        for (size_t k = 0; k < stix_json_size(tags); k++)
            (void)text_list_add(arena, &labels,
                                text_label(arena, "cve", stix_json_str(stix_json_at(tags, k))));
    }
    text_list_sort(&labels);
    map_strings(&nvd->map, "labels", &labels);
}

static void record_write(struct nvd *nvd, const struct record *record)
{
    struct map *map = &nvd->map;
    struct nvd_matches matches = {0};
    struct isg_str fields[] = {ISG_STR("vulnerability"), isg_str_of(record->cve)};
    char id[STIX_ID_MAX + 1];
    map_id(map, "vulnerability", fields, 2, id);
    if (!map_is_new(map, id)) {
        map->context->excluded++; /* on the page twice: the newest stays */
        return;
    }
    if (!is_rejected(record->json))
        nvd_matches_read(nvd, record->json, &matches);
    map_begin(map, &(struct map_head){"vulnerability", id, record->published, record->modified,
                                      map->owner});
    isg_jsonw_put(&map->w, "name", record->cve);
    map_string(map, "description", description_of(nvd, record->json));
    labels_write(nvd, record->json);
    references_write(nvd, record);
    risk_write(nvd, record->json, &matches);
    map_end(map, facet_name);
    nvd_products_write(nvd, &matches, id, record->published);
}

int source_nvd(struct feed_context *context, struct isg_str text, struct isg_fail *why)
{
    static const char *const extensions[] = {MAP_EXTENSION_RISK, MAP_EXTENSION_PRODUCT_STATUS,
                                             NULL};
    struct nvd nvd = {0};
    struct nvd_page page;
    struct records records = {0};
    struct stix_json *root = NULL;
    map_init(&nvd.map, context, why);
    int err = nvd.map.err;
    if (err == ISG_OK)
        err = stix_json_parse(text, &context->limits, &root, why);
    if (err == ISG_OK)
        err = nvd_page_read(root, &page, why);
    if (err == ISG_OK)
        err = records_read(&nvd, root, &records, why);
    if (err == ISG_OK && records.count > 0) {
        nvd.map.marking = feed_clear_marking();
        map_preamble(&nvd.map, extensions);
        map_organisation(&nvd.map, isg_str_of(database_name), isg_str_of(database_home),
                         nvd.identity);
        for (size_t i = 0; i < records.count && nvd.map.err == ISG_OK; i++)
            record_write(&nvd, &records.items[i]);
        err = nvd.map.err;
    }
    stix_json_free(&root);
    map_done(&nvd.map);
    return err;
}
