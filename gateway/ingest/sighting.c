#include "gateway/ingest/sighting.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/ingest/sighting_private.h"
#include "stix/base/jsonw.h"
#include "stix/base/time.h"
#include "stix/id.h"

enum { ARENA_MAX = 256 << 20, COUNT_MAX = 999999999, TEXT_MAX = 4 << 20 };

/* ---- what waits ----------------------------------------------------------------------------- */

bool sighting_is_note(const char *facet)
{
    return facet != NULL && strcmp(facet, SIGHTED_FACET) == 0;
}

static struct sightings *sightings_new(void)
{
    struct sightings *sightings = calloc(1, sizeof *sightings);
    if (sightings == NULL)
        return NULL;
    sightings->arena = isg_arena_new(ARENA_MAX);
    sightings->notes = calloc(NOTES_MAX, sizeof *sightings->notes);
    sightings->hits = NULL;
    return sightings;
}

void sightings_done(struct ingest_run *run)
{
    struct sightings *sightings = run->sightings;
    if (sightings == NULL)
        return;
    for (size_t i = 0; i < sightings->notes_count; i++)
        stix_json_free(&sightings->notes[i].json);
    free(sightings->notes);
    free(sightings->hits);
    isg_arena_free(&sightings->arena);
    free(sightings);
    run->sightings = NULL;
}

static int keep_note(struct sightings *sightings, struct stix_json *take_json, struct isg_fail *why)
{
    struct note *note = &sightings->notes[sightings->notes_count];
    if (!sighted_read(take_json, &note->says)) {
        stix_json_free(&take_json);
        return isg_fail(why, ISG_EINVAL, "what an observation is compared by cannot be read");
    }
    note->json = take_json;
    (void)isg_time_parse(note->says.first, &note->first_us);
    (void)isg_time_parse(note->says.last, &note->last_us);
    sightings->notes_count++;
    return ISG_OK;
}

int sighting_note(struct ingest_run *run, struct isg_str text, struct isg_fail *why)
{
    struct stix_json *json = NULL;
    if (run->sightings == NULL)
        run->sightings = sightings_new();
    if (run->sightings == NULL || run->sightings->notes == NULL || run->sightings->arena == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory for sightings");
    int err = stix_json_parse(text, NULL, &json, why);
    if (err == ISG_OK)
        err = keep_note(run->sightings, json, why);
    if (err == ISG_OK && run->sightings->notes_count == NOTES_MAX)
        err = run_flush(run, why); /* their observations are counted as they are stored */
    if (err == ISG_OK && run->sightings->notes_count == NOTES_MAX)
        err = sightings_add(run, why);
    return err;
}

/* ---- what was found ------------------------------------------------------------------------- */

/* Of one indicator, place and window: the same sighting. */
static int by_sighting(const struct hit *a, const struct hit *b)
{
    int order = strcmp(a->indicator, b->indicator);
    if (order == 0)
        order = isg_str_cmp(a->note->says.where, b->note->says.where);
    return order != 0 ? order : isg_str_cmp(a->note->says.start, b->note->says.start);
}

static int by_observation(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;
    int order = by_sighting(x, y);
    return order != 0 ? order : isg_str_cmp(x->note->says.observed, y->note->says.observed);
}

/*
 * sighting|<indicator id>|<where identity id>|<window start> (digest 2.4). What a member brought as its
 * own has the member's name behind it: versions of different sources are no versions of one thing.
 */
static int sighting_id(const struct ingest_run *run, const struct hit *hit,
                       char out[STIX_ID_MAX + 1], struct isg_fail *why)
{
    const struct sighted *says = &hit->note->says;
    const struct isg_str fields[] = {ISG_STR("sighting"), isg_str_of(hit->indicator), says->where,
                                     says->start};
    char space[ISG_UUID_TEXT] = "";
    struct isg_buf name;
    memcpy(space, says->space.p, sizeof space - 1); /* a UUID: sighted_read */
    isg_buf_init(&name, ISG_BUF_NO_MAX);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        stix_id_name_field(&name, fields[i]);
    if (run->source.member != NULL)
        stix_id_name_field(&name, isg_str_of(run->source.member->name));
    int err = name.err;
    if (err == ISG_OK)
        stix_id_named("sighting", space, isg_buf_str(&name), out);
    isg_buf_done(&name);
    return err == ISG_OK ? ISG_OK : isg_fail(why, err, "no memory for a sighting");
}

/* ---- one sighting --------------------------------------------------------------------------- */

/* What is to be told of it: what its observations add up to, as they are stored by now. */
struct whole {
    struct isg_str *refs; /* sorted, each once */
    size_t count;
    char first[ISG_TIME_TEXT];
    char last[ISG_TIME_TEXT];
    int64_t number;
    enum stix_tlp level;
};

static int by_text(const void *a, const void *b)
{
    return isg_str_cmp(*(const struct isg_str *)a, *(const struct isg_str *)b);
}

/* Those of the hits, and those that the stored version has. */
static int gather_refs(const struct hit *hits, size_t n, const struct stix_json *stored,
                       struct whole *out, struct isg_fail *why)
{
    const struct stix_json *known = stix_json_get(stored, "observed_data_refs");
    size_t total = 0;
    out->refs = calloc(n + stix_json_size(known), sizeof *out->refs);
    if (out->refs == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory for a sighting");
    for (size_t i = 0; i < n; i++)
        out->refs[total++] = hits[i].note->says.observed;
    for (size_t i = 0; i < stix_json_size(known); i++)
        out->refs[total++] = stix_json_str(stix_json_at(known, i));
    qsort(out->refs, total, sizeof *out->refs, by_text);
    for (size_t i = 0; i < total; i++)
        if (out->count == 0 || !isg_str_eq(out->refs[out->count - 1], out->refs[i]))
            out->refs[out->count++] = out->refs[i];
    return ISG_OK;
}

/* No looser than any indicator's version that was met, or than what was said before; nor than its
 * observations, which are added later. */
static void choose_level(const struct hit *hits, size_t n, const struct stix_json *stored,
                         struct whole *out)
{
    out->level = stored != NULL ? stix_tlp_strictest(stored) : STIX_TLP_AMBER;
    if (out->level < STIX_TLP_AMBER || stix_tlp_marking_id(out->level) == NULL)
        out->level = STIX_TLP_AMBER;
    for (size_t i = 0; i < n; i++)
        if (hits[i].level > out->level)
            out->level = hits[i].level;
}

static void put_time(char out[ISG_TIME_TEXT], struct isg_str text, bool later)
{
    bool before = out[0] != '\0' && (isg_time_cmp(text, isg_str_of(out)) > 0) != later;
    if (before || text.n >= ISG_TIME_TEXT)
        return;
    memcpy(out, text.p, text.n);
    out[text.n] = '\0';
}

static void add_up(struct whole *whole, struct isg_str first, struct isg_str last, int64_t number)
{
    put_time(whole->first, first, false);
    put_time(whole->last, last, true);
    whole->number += number;
    if (whole->number > COUNT_MAX)
        whole->number = COUNT_MAX;
}

/* One observation: as it is stored, which may be more than this run brought; else as it was brought. */
static int add_observation(struct ingest_run *run, struct isg_str ref, const struct hit *hit,
                           struct whole *whole, struct isg_fail *why)
{
    struct stix_json *json = NULL;
    int64_t number = 0, us;
    int err = mapped_latest(run, ref, &json, why);
    struct isg_str first = stix_json_get_str(json, "first_observed");
    struct isg_str last = stix_json_get_str(json, "last_observed");
    enum stix_tlp level = json != NULL ? stix_tlp_strictest(json) : STIX_TLP_NONE;
    if (level > whole->level)
        whole->level = stix_tlp_marking_id(level) != NULL ? level : STIX_TLP_RED;
    if (stix_json_int(stix_json_get(json, "number_observed"), &number) &&
        isg_time_parse(first, &us) && isg_time_parse(last, &us))
        add_up(whole, first, last, number);
    else if (err == ISG_OK && hit != NULL)
        add_up(whole, hit->note->says.first, hit->note->says.last, hit->note->says.number);
    stix_json_free(&json);
    return err;
}

static int add_observations(struct ingest_run *run, const struct hit *hits, size_t n,
                            struct whole *whole, struct isg_fail *why)
{
    int err = ISG_OK;
    size_t at = 0;
    for (size_t i = 0; err == ISG_OK && i < whole->count; i++) {
        while (at < n && isg_str_cmp(hits[at].note->says.observed, whole->refs[i]) < 0)
            at++;
        bool brought = at < n && isg_str_eq(hits[at].note->says.observed, whole->refs[i]);
        err = add_observation(run, whole->refs[i], brought ? &hits[at] : NULL, whole, why);
    }
    return err;
}

static void put_one(struct isg_jsonw *w, const char *name, struct isg_str value)
{
    isg_jsonw_name(w, name);
    isg_jsonw_list(w);
    isg_jsonw_str(w, value);
    isg_jsonw_end(w);
}

static void write_sighting(const struct hit *hit, const struct whole *whole, const char *id,
                           struct isg_buf *out)
{
    const struct sighted *says = &hit->note->says;
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "type", "sighting");
    isg_jsonw_put(&w, "spec_version", "2.1");
    isg_jsonw_put(&w, "id", id);
    isg_jsonw_put_str(&w, "created_by_ref", says->where);
    isg_jsonw_put_str(&w, "created", says->start);
    isg_jsonw_put(&w, "modified", whole->last);
    isg_jsonw_put(&w, "first_seen", whole->first);
    isg_jsonw_put(&w, "last_seen", whole->last);
    isg_jsonw_put_int(&w, "count", whole->number);
    isg_jsonw_put(&w, "sighting_of_ref", hit->indicator);
    put_one(&w, "where_sighted_refs", says->where);
    put_one(&w, "object_marking_refs", isg_str_of(stix_tlp_marking_id(whole->level)));
    isg_jsonw_name(&w, "observed_data_refs");
    isg_jsonw_list(&w);
    for (size_t i = 0; i < whole->count; i++)
        isg_jsonw_str(&w, whole->refs[i]);
    isg_jsonw_end(&w);
    isg_jsonw_end(&w);
}

/* So many observations of one window do not fit into an object; the run goes on. */
static int refuse_large(struct ingest_run *run, const char *id)
{
    struct isg_fail why;
    (void)isg_fail(&why, ISG_ELIMIT, "%s: too many observations for one sighting", id);
    run_refuse(run, NULL, &why);
    return ISG_OK;
}

/* The sighting that n hits are, and were before. */
static int add_sighting(struct ingest_run *run, const struct hit *hits, size_t n,
                        struct isg_fail *why)
{
    char id[STIX_ID_MAX + 1];
    struct isg_buf text;
    struct stix_json *stored = NULL;
    struct whole whole = {.refs = NULL};
    isg_buf_init(&text, TEXT_MAX);
    int err = sighting_id(run, &hits[0], id, why);
    if (err == ISG_OK)
        err = mapped_latest(run, isg_str_of(id), &stored, why);
    if (err == ISG_OK)
        err = gather_refs(hits, n, stored, &whole, why);
    choose_level(hits, n, stored, &whole);
    if (err == ISG_OK)
        err = add_observations(run, hits, n, &whole, why);
    if (err == ISG_OK) {
        write_sighting(&hits[0], &whole, id, &text);
        err = text.err == ISG_OK       ? ingest_add(run, isg_buf_str(&text), NULL, why)
              : text.err == ISG_ELIMIT ? refuse_large(run, id)
                                       : isg_fail(why, text.err, "no memory for a sighting");
    }
    free(whole.refs);
    stix_json_free(&stored);
    isg_buf_done(&text);
    return err;
}

/* ---- all of them ---------------------------------------------------------------------------- */

static int add_all(struct ingest_run *run, struct sightings *sightings, struct isg_fail *why)
{
    int err = ISG_OK;
    qsort(sightings->hits, sightings->hits_count, sizeof *sightings->hits, by_observation);
    for (size_t i = 0, n = 0; err == ISG_OK && i < sightings->hits_count; i += n) {
        for (n = 1; i + n < sightings->hits_count &&
                    by_sighting(&sightings->hits[i], &sightings->hits[i + n]) == 0;)
            n++;
        err = add_sighting(run, &sightings->hits[i], n, why);
    }
    return err;
}

/*
 * A sighting grows by what is stored of it: of two runs of this process that meet the same one the
 * second has to see the first one's.
 */
static int add_and_store(struct ingest_run *run, struct sightings *sightings, struct isg_fail *why)
{
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
    if (sightings->hits_count == 0)
        return ISG_OK;
    (void)pthread_mutex_lock(&one_at_a_time);
    int err = add_all(run, sightings, why);
    if (err == ISG_OK && !run->hold)
        err = run_flush(run, why);
    (void)pthread_mutex_unlock(&one_at_a_time);
    return err;
}

int sightings_add(struct ingest_run *run, struct isg_fail *why)
{
    if (run->sightings == NULL || run->sightings->notes_count == 0)
        return ISG_OK;
    int err = sightings_find(run, run->sightings, why);
    if (err == ISG_OK)
        err = add_and_store(run, run->sightings, why);
    if (err == ISG_OK && run->sightings->full) {
        struct isg_fail left = {.code = ISG_ELIMIT};
        (void)isg_fail(&left, ISG_ELIMIT,
                       "observations met indicators more than %d times: not all "
                       "sightings were made",
                       HITS_MAX);
        run_refuse(run, NULL, &left);
    }
    sightings_done(run);
    return err;
}
