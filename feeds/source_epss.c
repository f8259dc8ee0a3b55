/*
 * The Exploit Prediction Scoring System (feeds digest 5.6): the daily table, or an answer of the
 * API. A score is the probability of exploitation within 30 days: no confidence, no severity. It
 * goes to the merged vulnerability as the part "epss", which never makes a vulnerability by itself,
 * and which ingest renews only when a score has moved enough.
 */
#include <stdlib.h>
#include <string.h>

#include "feeds/extensions.h"
#include "feeds/map.h"
#include "feeds/sources.h"
#include "stix/json.h"

static const char facet_name[] = "epss";

enum {
    REJECTED_PART = 50, /* more than 2 % fail the run */
    DIGITS_MAX = 15,    /* a double tells them apart */
    PLACES_MAX = 22,
    POWER_MAX = 22, /* powers of ten up to this one are exact */
    DAY_TEXT = 10
};

struct score {
    char cve[TEXT_CVE_MAX];
    double score;
    double percentile;
    char date[ISG_TIME_TEXT]; /* midnight of the day */
};

struct epss {
    struct map map;
    struct score *items;
    size_t count;
    size_t room;
    char date[ISG_TIME_TEXT]; /* of rows that have none of their own */
    struct isg_str model;     /* may be empty */
};

/* ---- values --------------------------------------------------------------------------------- */

/* A whole number under way. */
struct digits {
    uint64_t number;
    size_t count;  /* significant ones */
    size_t places; /* digits that number has taken */
};

/* Take the digits text begins with, as many as a double can tell; false when there is none. */
static bool take_digits(struct isg_str *text, struct digits *out)
{
    size_t n = 0;
    for (; n < text->n && text->p[n] >= '0' && text->p[n] <= '9'; n++) {
        if (out->count == DIGITS_MAX || out->places == PLACES_MAX)
            continue;
        out->number = out->number * 10 + (uint64_t)(text->p[n] - '0');
        out->count += out->number > 0 ? 1 : 0;
        out->places++;
    }
    *text = isg_str_from(*text, n);
    return n > 0;
}

/*
 * "0.00043", "1", "1e-05": a probability. The significant digits are a whole number, divided once,
 * so that each text has one value whatever the locale.
 */
static bool probability(struct isg_str text, double *out)
{
    struct digits value = {0}, exponent = {0};
    double power = 1;
    text = isg_str_trim(text);
    if (!take_digits(&text, &value) || value.number > 1)
        return false;
    value.places = 0;
    if (text.n > 0 && text.p[0] == '.') {
        text = isg_str_from(text, 1);
        if (!take_digits(&text, &value))
            return false;
    }
    if (text.n > 2 && (text.p[0] | 0x20) == 'e' && text.p[1] == '-') {
        text = isg_str_from(text, 2);
        if (text.n > 2 || !take_digits(&text, &exponent))
            return false;
    }
    size_t places = value.places + exponent.number;
    if (text.n > 0)
        return false;
    for (size_t i = 0; i < places && i < POWER_MAX; i++)
        power *= 10;
    *out = places > POWER_MAX ? 0 : (double)value.number / power;
    return *out <= 1;
}

/* The API writes numbers as strings. */
static bool probability_of(const struct stix_json *value, double *out)
{
    if (stix_json_type(value) == STIX_JSON_STRING)
        return probability(stix_json_str(value), out);
    return stix_json_float(value, out) && *out >= 0 && *out <= 1;
}

/* The day of a time, or a day, as midnight. */
static bool day_of(struct isg_str text, char out[ISG_TIME_TEXT])
{
    char time[ISG_TIME_TEXT];
    text = isg_str_trim(text);
    if (text.n == DAY_TEXT)
        return text_day(text, out);
    return text_time(text, time) && text_day((struct isg_str){time, DAY_TEXT}, out);
}

static void score_add(struct epss *epss, const struct score *score)
{
    if (epss->count == epss->room) {
        size_t room = epss->room == 0 ? 1024 : epss->room * 2;
        struct score *items = isg_arena_alloc(epss->map.arena, room * sizeof *items);
        if (items == NULL) {
            map_fail(&epss->map, ISG_ENOMEM, NULL, "no memory");
            return;
        }
        if (epss->count > 0)
            memcpy(items, epss->items, epss->count * sizeof *items);
        epss->items = items;
        epss->room = room;
    }
    epss->items[epss->count++] = *score;
}

/* ---- the answer of the API ------------------------------------------------------------------ */

static bool count_of(const struct stix_json *root, const char *name, int64_t *out)
{
    return stix_json_int(stix_json_get(root, name), out) && *out >= 0;
}

/* Where the answer declares its place in a longer list, it must hold as many as that says. */
static int answer_check(const struct stix_json *root, struct isg_fail *why)
{
    int64_t total, offset, limit;
    const struct stix_json *list = stix_json_get(root, "data");
    if (stix_json_type(list) != STIX_JSON_LIST)
        return isg_fail_at(why, ISG_EINVAL, "/data", NULL, "not an answer of the EPSS API");
    if (!count_of(root, "total", &total) || !count_of(root, "offset", &offset) ||
        !count_of(root, "limit", &limit))
        return ISG_OK;
    int64_t due = total > offset ? total - offset : 0;
    due = due < limit ? due : limit;
    if ((size_t)due != stix_json_size(list))
        return isg_fail_at(why, ISG_EINVAL, "/total", NULL, "declares %lld scores and holds %zu",
                           (long long)due, stix_json_size(list));
    return ISG_OK;
}

static int answer_read(struct epss *epss, struct isg_str text, struct isg_fail *why)
{
    struct stix_json *root = NULL;
    struct feed_context *context = epss->map.context;
    int err = stix_json_parse(text, &context->limits, &root, why);
    if (err == ISG_OK)
        err = answer_check(root, why);
    const struct stix_json *list = stix_json_get(root, "data");
    for (size_t i = 0; err == ISG_OK && i < stix_json_size(list); i++) {
        const struct stix_json *entry = stix_json_at(list, i);
        struct score score;
        bool good = text_cve(stix_json_get_str(entry, "cve"), score.cve) &&
                    probability_of(stix_json_get(entry, "epss"), &score.score) &&
                    probability_of(stix_json_get(entry, "percentile"), &score.percentile);
        if (!day_of(stix_json_get_str(entry, "date"), score.date))
            memcpy(score.date, epss->date, sizeof score.date);
        context->records++;
        if (good)
            score_add(epss, &score);
        else
            context->rejected++;
    }
    stix_json_free(&root);
    return err;
}

/* ---- the daily table ------------------------------------------------------------------------ */

enum { COLUMN_CVE, COLUMN_EPSS, COLUMN_PERCENTILE, COLUMNS };

struct columns {
    size_t place[COLUMNS];
    size_t count; /* of all columns; a row with more or fewer is not read by guess */
};

/* "#model_version:v2031.03.14,score_date:2031-05-02T00:00:00+0000" */
static void comment_read(struct epss *epss, struct isg_str line)
{
    struct isg_str piece;
    line = isg_str_from(line, 1);
    while (isg_str_split(&line, ',', &piece)) {
        size_t at = isg_str_find(piece, ':');
        if (at == SIZE_MAX)
            continue;
        struct isg_str name = isg_str_trim((struct isg_str){piece.p, at});
        struct isg_str value = isg_str_trim(isg_str_from(piece, at + 1));
        if (isg_str_is(name, "model_version") && value.n <= TEXT_LABEL_MAX)
            epss->model = text_clean(epss->map.arena, value);
        else if (isg_str_is(name, "score_date"))
            (void)day_of(value, epss->date);
    }
}

/* Columns go by the names of the first row, wherever they stand. */
static int header_read(struct isg_str line, struct columns *out, struct isg_fail *why)
{
    static const char *const names[COLUMNS] = {"cve", "epss", "percentile"};
    struct isg_str cell;
    *out = (struct columns){.place = {SIZE_MAX, SIZE_MAX, SIZE_MAX}};
    for (; isg_str_split(&line, ',', &cell); out->count++) {
        for (size_t i = 0; i < COLUMNS; i++) {
            if (isg_str_ieq(isg_str_trim(cell), isg_str_of(names[i])))
                out->place[i] = out->count;
        }
    }
    for (size_t i = 0; i < COLUMNS; i++) {
        if (out->place[i] == SIZE_MAX)
            return isg_fail(why, ISG_EINVAL, "no column %s: not a table of EPSS", names[i]);
    }
    return ISG_OK;
}

static bool row_read(struct isg_str line, const struct columns *columns, struct score *out)
{
    struct isg_str cells[COLUMNS] = {{0}};
    struct isg_str cell;
    size_t count = 0;
    for (; isg_str_split(&line, ',', &cell); count++) {
        for (size_t i = 0; i < COLUMNS; i++) {
            if (columns->place[i] == count)
                cells[i] = cell;
        }
    }
    return count == columns->count && text_cve(cells[COLUMN_CVE], out->cve) &&
           probability(cells[COLUMN_EPSS], &out->score) &&
           probability(cells[COLUMN_PERCENTILE], &out->percentile);
}

static int table_read(struct epss *epss, struct isg_str text, struct isg_fail *why)
{
    struct columns columns;
    bool headed = false;
    struct isg_str line;
    struct feed_context *context = epss->map.context;
    int err = ISG_OK;
    while (err == ISG_OK && epss->map.err == ISG_OK && isg_str_split(&text, '\n', &line)) {
        struct score score;
        line = isg_str_trim(line);
        if (line.n == 0)
            continue;
        if (line.p[0] == '#') {
            comment_read(epss, line);
        } else if (!headed) {
            err = header_read(line, &columns, why);
            headed = true;
        } else {
            context->records++;
            memcpy(score.date, epss->date, sizeof score.date);
            if (row_read(line, &columns, &score))
                score_add(epss, &score);
            else
                context->rejected++;
        }
    }
    if (err == ISG_OK && !headed)
        err = isg_fail(why, ISG_EINVAL, "not a table of EPSS");
    return err;
}

/* ---- objects -------------------------------------------------------------------------------- */

/* By year and number: neighbours in the list are neighbours where ingest keeps them. */
static int by_cve(const void *a, const void *b)
{
    enum { YEAR_END = 9 };
    const struct score *x = a;
    const struct score *y = b;
    int order = memcmp(x->cve, y->cve, YEAR_END);
    if (order == 0 && strlen(x->cve) != strlen(y->cve))
        return strlen(x->cve) < strlen(y->cve) ? -1 : 1;
    if (order == 0)
        order = strcmp(x->cve, y->cve);
    if (order == 0)
        order = strcmp(y->date, x->date); /* the newest in front */
    if (order == 0 && x->score != y->score)
        return x->score < y->score ? -1 : 1;
    if (order == 0 && x->percentile != y->percentile)
        return x->percentile < y->percentile ? -1 : 1;
    return order;
}

static void number_write(struct map *map, const char *name, double value)
{
    struct isg_buf text;
    isg_buf_init(&text, 64);
    stix_json_canon_number(value, &text);
    isg_jsonw_name(&map->w, name);
    isg_jsonw_raw(&map->w, isg_buf_str(&text));
    isg_buf_done(&text);
}

static void score_write(struct epss *epss, const struct score *score)
{
    struct map *map = &epss->map;
    struct map_references references = {0};
    struct isg_str cve = isg_str_of(score->cve);
    struct isg_str fields[] = {ISG_STR("vulnerability"), cve};
    char id[STIX_ID_MAX + 1];
    map_id(map, "vulnerability", fields, 2, id);
    map_reference_add(map, &references,
                      &(struct map_reference){MAP_RANK_CVE, ISG_STR("cve"), .external_id = cve});
    map_begin(map, &(struct map_head){"vulnerability", id, score->date, score->date, map->owner});
    isg_jsonw_put_str(&map->w, "name", cve);
    map_references_write(map, &references);
    map_extension_begin(map, MAP_EXTENSION_RISK);
    isg_jsonw_name(&map->w, "epss");
    isg_jsonw_object(&map->w);
    number_write(map, "score", score->score);
    number_write(map, "percentile", score->percentile);
    isg_jsonw_put(&map->w, "date", score->date);
    map_string(map, "model", epss->model);
    isg_jsonw_end(&map->w);
    map_extension_end(map);
    map_end(map, facet_name);
}

static void scores_write(struct epss *epss)
{
    static const char *const extensions[] = {MAP_EXTENSION_RISK, NULL};
    qsort(epss->items, epss->count, sizeof *epss->items, by_cve);
    epss->map.marking = feed_clear_marking();
    map_preamble(&epss->map, extensions);
    for (size_t i = 0; i < epss->count && epss->map.err == ISG_OK; i++) {
        if (i > 0 && strcmp(epss->items[i].cve, epss->items[i - 1].cve) == 0)
            epss->map.context->excluded++; /* given twice */
        else
            score_write(epss, &epss->items[i]);
    }
}

int source_epss(struct feed_context *context, struct isg_str text, struct isg_fail *why)
{
    struct epss epss = {0};
    char now[ISG_TIME_TEXT];
    map_init(&epss.map, context, why);
    isg_time_format(context->now_us, 3, now);
    (void)day_of(isg_str_of(now), epss.date);
    int err = epss.map.err;
    if (err == ISG_OK && isg_str_starts(isg_str_trim(text), ISG_STR("{")))
        err = answer_read(&epss, text, why);
    else if (err == ISG_OK)
        err = table_read(&epss, text, why);
    if (err == ISG_OK && context->rejected * REJECTED_PART > context->records)
        err = isg_fail(why, ISG_EINVAL, "%llu of %llu scores cannot be read",
                       (unsigned long long)context->rejected, (unsigned long long)context->records);
    if (err == ISG_OK && epss.map.err == ISG_OK && epss.count > 0)
        scores_write(&epss);
    err = err == ISG_OK ? epss.map.err : err;
    map_done(&epss.map);
    return err;
}
