#include "gateway/ingest/epss.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feeds/text.h"
#include "stix/base/jsonw.h"
#include "stix/base/time.h"
#include "stix/extensions.h"

enum { SHELF_CVES = 1000, STALE_DAYS = 30, SPREAD_DAYS = 7, DAY_TEXT = 10, NAME_MAX_BYTES = 192 };

static const double step = 0.05;
static const double edges[] = {0.1, 0.5, 0.9};
static const double rounding = 1e-9; /* 0.15 - 0.1 is a step */

/* The document that is open: the scores of CVEs whose numbers stand together. */
struct epss_shelf {
    char name[NAME_MAX_BYTES];
    struct epss_score *scores; /* sorted by CVE */
    size_t count;
    size_t room;
    bool changed;
};

/* ---- when a score is worth a version -------------------------------------------------------- */

static size_t band_of(double score)
{
    size_t band = 0;
    while (band < sizeof edges / sizeof edges[0] && score >= edges[band])
        band++;
    return band;
}

/* Days since 1970; 0 when text does not hold a date at p. */
static int64_t day_of(const char *p)
{
    char text[32];
    int64_t us = 0;
    (void)snprintf(text, sizeof text, "%.*sT00:00:00Z", DAY_TEXT, p);
    (void)isg_time_parse(isg_str_of(text), &us);
    return us / (INT64_C(86400) * 1000000);
}

/* "v2031.03.14": the day a model is named after; 0 when it is named otherwise. */
static int64_t day_of_model(const char *model)
{
    char day[DAY_TEXT + 1];
    if (model[0] != 'v' || strlen(model) != DAY_TEXT + 1)
        return 0;
    memcpy(day, model + 1, sizeof day);
    for (size_t i = 0; i < DAY_TEXT; i++) {
        if (day[i] == '.')
            day[i] = '-';
    }
    return day_of(day);
}

/* A day of the week for each CVE, so that a new model does not bring all of them on one. */
static int64_t turn_of(const char *cve)
{
    unsigned sum = 0;
    for (const char *p = cve; *p != '\0'; p++)
        sum = sum * 31 + (unsigned char)*p;
    return sum % SPREAD_DAYS;
}

static bool is_models_turn(const struct epss_score *kept, const struct epss_score *now)
{
    return kept->model[0] != '\0' && now->model[0] != '\0' &&
           strcmp(kept->model, now->model) != 0 &&
           day_of(now->date) >= day_of_model(now->model) + turn_of(now->cve);
}

bool epss_replaces(const struct epss_score *kept, const struct epss_score *now)
{
    double moved = now->score > kept->score ? now->score - kept->score : kept->score - now->score;
    double shifted = now->percentile - kept->percentile;
    bool same = moved < rounding && shifted < rounding && -shifted < rounding;
    if (strcmp(now->date, kept->date) < 0)
        return false;
    if (moved >= step - rounding || band_of(now->score) != band_of(kept->score))
        return true;
    return is_models_turn(kept, now) ||
           (!same && day_of(now->date) - day_of(kept->date) >= STALE_DAYS);
}

/* ---- one document --------------------------------------------------------------------------- */

static size_t place_of(const struct epss_shelf *shelf, const char *cve)
{
    size_t low = 0;
    for (size_t high = shelf->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(shelf->scores[middle].cve, cve) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct epss_score *score_of(const struct epss_shelf *shelf, const char *cve)
{
    size_t at = place_of(shelf, cve);
    bool found = at < shelf->count && strcmp(shelf->scores[at].cve, cve) == 0;
    return found ? &shelf->scores[at] : NULL;
}

static int shelf_add(struct epss_shelf *shelf, const struct epss_score *score, struct isg_fail *why)
{
    size_t at = place_of(shelf, score->cve);
    if (shelf->count == shelf->room) {
        size_t room = shelf->room == 0 ? 64 : shelf->room * 2;
        struct epss_score *bigger = realloc(shelf->scores, room * sizeof *bigger);
        if (bigger == NULL)
            return isg_fail(why, ISG_ENOMEM, "no memory for a score");
        shelf->scores = bigger;
        shelf->room = room;
    }
    memmove(&shelf->scores[at + 1], &shelf->scores[at],
            (shelf->count - at) * sizeof *shelf->scores);
    shelf->scores[at] = *score;
    shelf->count++;
    return ISG_OK;
}

static void copy_text(struct isg_str text, char *out, size_t room)
{
    (void)snprintf(out, room, "%.*s", text.n < room ? (int)text.n : 0, text.n > 0 ? text.p : "");
}

/* {"CVE-...": [score, percentile, date, model, versions, dates], ...} */
static int shelf_read(struct epss_shelf *shelf, struct isg_str text, struct isg_fail *why)
{
    struct stix_json *json = NULL;
    struct stix_json_walk walk;
    int err = stix_json_parse(text, NULL, &json, why);
    stix_json_walk(json, &walk);
    while (err == ISG_OK && stix_json_next(&walk)) {
        struct epss_score score = {.versions = 1, .dates = 1};
        copy_text(isg_str_of(walk.name), score.cve, sizeof score.cve);
        copy_text(stix_json_str(stix_json_at(walk.value, 2)), score.date, sizeof score.date);
        copy_text(stix_json_str(stix_json_at(walk.value, 3)), score.model, sizeof score.model);
        (void)stix_json_int(stix_json_at(walk.value, 4), &score.versions);
        (void)stix_json_int(stix_json_at(walk.value, 5), &score.dates);
        if (stix_json_float(stix_json_at(walk.value, 0), &score.score) &&
            stix_json_float(stix_json_at(walk.value, 1), &score.percentile))
            err = shelf_add(shelf, &score, why);
    }
    stix_json_free(&json);
    return err;
}

static void put_number(struct isg_jsonw *w, double number)
{
    struct isg_buf text;
    isg_buf_init(&text, 64);
    stix_json_canon_number(number, &text);
    isg_jsonw_raw(w, isg_buf_str(&text));
    isg_buf_done(&text);
}

static void shelf_write(const struct epss_shelf *shelf, struct isg_buf *out)
{
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    for (size_t i = 0; i < shelf->count; i++) {
        const struct epss_score *score = &shelf->scores[i];
        isg_jsonw_name(&w, score->cve);
        isg_jsonw_list(&w);
        put_number(&w, score->score);
        put_number(&w, score->percentile);
        isg_jsonw_str(&w, isg_str_of(score->date));
        isg_jsonw_str(&w, isg_str_of(score->model));
        isg_jsonw_int(&w, score->versions);
        isg_jsonw_int(&w, score->dates);
        isg_jsonw_end(&w);
    }
    isg_jsonw_end(&w);
}

static int shelf_save(struct ingest_run *run, const struct epss_shelf *shelf, struct isg_fail *why)
{
    struct isg_buf text;
    if (!shelf->changed)
        return ISG_OK;
    isg_buf_init(&text, RUN_OBJECT_MAX);
    shelf_write(shelf, &text);
    int err = text.err != ISG_OK ? isg_fail(why, text.err, "the scores are too large")
                                 : facet_keep(run, isg_str_of(shelf->name), &text, why);
    isg_buf_done(&text);
    return err;
}

int epss_close(struct ingest_run *run, struct isg_fail *why)
{
    struct epss_shelf *shelf = run->epss;
    if (shelf == NULL)
        return ISG_OK;
    int err = shelf_save(run, shelf, why);
    free(shelf->scores);
    free(shelf);
    run->epss = NULL;
    return err;
}

/* Open the document of a CVE, after closing another one. */
static int shelf_open(struct ingest_run *run, const char *cve, struct isg_fail *why)
{
    char name[NAME_MAX_BYTES];
    struct isg_str text;
    const char *number = cve + strlen("CVE-2031-");
    (void)snprintf(name, sizeof name, "%s/epss/%.4s-%llu", run->collection->id, cve + 4,
                   strtoull(number, NULL, 10) / SHELF_CVES);
    if (run->epss != NULL && strcmp(run->epss->name, name) == 0)
        return ISG_OK;
    int err = epss_close(run, why);
    if (err != ISG_OK)
        return err;
    struct epss_shelf *shelf = calloc(1, sizeof *shelf);
    if (shelf == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    memcpy(shelf->name, name, sizeof name);
    run->epss = shelf;
    err = facet_read(run, isg_str_of(name), &text, why);
    return err == ISG_OK && text.p != NULL ? shelf_read(shelf, text, why) : err;
}

/* ---- parts ---------------------------------------------------------------------------------- */

static int score_read(const struct stix_json *object, struct epss_score *out, struct isg_fail *why)
{
    const struct stix_json *risk =
        stix_json_get(stix_json_get(object, "extensions"), STIX_EXTENSION_RISK);
    const struct stix_json *epss = stix_json_get(risk, "epss");
    struct isg_str date = stix_json_get_str(epss, "date");
    char day[ISG_TIME_TEXT];
    struct epss_score score = {.versions = 1, .dates = 1};
    if (!text_cve(stix_json_get_str(object, "name"), score.cve))
        return isg_fail_at(why, ISG_EINVAL, "/name", NULL, "not the name of a CVE");
    if (!stix_json_float(stix_json_get(epss, "score"), &score.score) ||
        !stix_json_float(stix_json_get(epss, "percentile"), &score.percentile) || score.score < 0 ||
        score.score > 1 || score.percentile < 0 || score.percentile > 1 || !text_time(date, day))
        return isg_fail_at(why, ISG_EINVAL, "/extensions/" STIX_EXTENSION_RISK "/epss", NULL,
                           "no score with percentile and date");
    (void)snprintf(score.date, sizeof score.date, "%.*s", DAY_TEXT, day);
    copy_text(stix_json_get_str(epss, "model"), score.model, sizeof score.model);
    *out = score;
    return ISG_OK;
}

int epss_renew(struct ingest_run *run, const struct stix_json *object, struct isg_fail *why)
{
    struct epss_score now;
    int err = score_read(object, &now, why);
    if (err == ISG_OK)
        err = shelf_open(run, now.cve, why);
    if (err != ISG_OK)
        return err;
    struct epss_score *kept = score_of(run->epss, now.cve);
    if (kept != NULL && !epss_replaces(kept, &now))
        return ISG_OK;
    run->epss->changed = true;
    if (kept == NULL)
        return shelf_add(run->epss, &now, why);
    now.versions = kept->versions + 1;
    now.dates = kept->dates + (strcmp(now.date, kept->date) > 0);
    *kept = now;
    return ISG_OK;
}

static void part_write(const struct epss_score *score, struct isg_buf *out)
{
    char time[ISG_TIME_TEXT];
    struct isg_jsonw w;
    (void)snprintf(time, sizeof time, "%sT00:00:00.000Z", score->date);
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "name", score->cve);
    isg_jsonw_put(&w, "modified", time);
    isg_jsonw_name(&w, "extensions");
    isg_jsonw_object(&w);
    isg_jsonw_name(&w, STIX_EXTENSION_RISK);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "extension_type", "property-extension");
    isg_jsonw_name(&w, "epss");
    isg_jsonw_object(&w);
    isg_jsonw_name(&w, "score");
    put_number(&w, score->score);
    isg_jsonw_name(&w, "percentile");
    put_number(&w, score->percentile);
    isg_jsonw_put(&w, "date", time);
    isg_jsonw_put(&w, "model", score->model[0] != '\0' ? score->model : NULL);
    for (int open = 0; open < 4; open++)
        isg_jsonw_end(&w);
}

int epss_part(struct ingest_run *run, struct isg_str name, struct stix_json **out,
              struct age *out_age, struct isg_fail *why)
{
    char cve[TEXT_CVE_MAX];
    struct isg_buf text;
    if (!text_cve(name, cve))
        return ISG_OK;
    int err = shelf_open(run, cve, why);
    const struct epss_score *score = err == ISG_OK ? score_of(run->epss, cve) : NULL;
    if (score == NULL)
        return err;
    isg_buf_init(&text, 4096);
    part_write(score, &text);
    err = text.err == ISG_OK ? stix_json_parse(isg_buf_str(&text), NULL, out, why) : text.err;
    isg_buf_done(&text);
    *out_age = age_first(*out);
    out_age->versions = score->versions;
    out_age->dates = score->dates;
    return err;
}
