/*
 * Several sources describe one object (a vulnerability: KEV, NVD, CSAF). Each keeps its own part;
 * the object is rendered from all parts by rules that do not depend on who came first.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/ingest/epss.h"
#include "gateway/ingest/merge.h"
#include "gateway/ingest/run.h"
#include "stix/base/jsonw.h"

/* One document holds the parts of all sources: reading, changing, writing and committing it is one
 * step for the runs of this process. Those of other gateways are noticed when it is written. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void facet_lock(void)
{
    (void)pthread_mutex_lock(&lock);
}

void facet_unlock(void)
{
    (void)pthread_mutex_unlock(&lock);
}

/* ---- the document --------------------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    const struct facet *left = a, *right = b;
    return strcmp(left->key, right->key);
}

static int add(struct facets *facets, const struct facet *facet, struct isg_fail *why)
{
    if (facets->count == FACETS_MAX)
        return isg_fail(why, ISG_ELIMIT, "more than %d sources describe one object", FACETS_MAX);
    facets->list[facets->count++] = *facet;
    return ISG_OK;
}

/* The part that was brought, with its age; as it was where it says nothing new, at whatever date. */
static struct facet renewed(const struct stix_json *document, const char *key,
                            const struct stix_json *json)
{
    const struct stix_json *kept = stix_json_get(document, key);
    if (kept == NULL)
        return (struct facet){key, json, age_first(json)};
    struct age age = age_read(document, key, kept);
    if (mapped_same_content(kept, json))
        return (struct facet){key, kept, age};
    return (struct facet){key, json, age_next(&age, json)};
}

/* What is brought: a source's part; or a score, which is kept elsewhere. Both may be without json. */
struct brought {
    const char *key;
    const struct stix_json *part;
    struct facet score;
};

/* The parts of the document, with what is brought in the place of its key. */
static int gather(const struct stix_json *document, const struct brought *brought,
                  struct facets *out, struct isg_fail *why)
{
    struct stix_json_walk walk;
    int err = ISG_OK;
    out->count = 0;
    if (brought->part != NULL) {
        struct facet facet = renewed(document, brought->key, brought->part);
        err = add(out, &facet, why);
    }
    if (err == ISG_OK && brought->score.json != NULL)
        err = add(out, &brought->score, why);
    stix_json_walk(document, &walk);
    while (err == ISG_OK && stix_json_next(&walk)) {
        if (strcmp(walk.name, brought->key) == 0 || strcmp(walk.name, EPSS_FACET) == 0 ||
            strcmp(walk.name, AGES) == 0)
            continue;
        struct facet facet = {walk.name, walk.value, age_read(document, walk.name, walk.value)};
        err = add(out, &facet, why);
    }
    qsort(out->list, out->count, sizeof *out->list, by_key);
    return err;
}

static void write_document(const struct facets *facets, struct isg_buf *out)
{
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    for (size_t i = 0; i < facets->count; i++) {
        if (strcmp(facets->list[i].key, EPSS_FACET) == 0)
            continue;
        isg_jsonw_name(&w, facets->list[i].key);
        merge_put_value(&w, facets->list[i].json);
    }
    isg_jsonw_name(&w, AGES);
    isg_jsonw_object(&w);
    for (size_t i = 0; i < facets->count; i++) {
        if (strcmp(facets->list[i].key, EPSS_FACET) != 0)
            age_write(&w, facets->list[i].key, &facets->list[i].age);
    }
    isg_jsonw_end(&w);
    isg_jsonw_end(&w);
}

/* ---- one staged part ------------------------------------------------------------------------ */

/* What is there in text, parsed; *out stays NULL where nothing is. */
static int load(struct ingest_run *run, struct isg_str name, struct isg_str *out_text,
                struct stix_json **out, struct isg_fail *why)
{
    int err = facet_read(run, name, out_text, why);
    return err == ISG_OK && out_text->p != NULL ? stix_json_parse(*out_text, NULL, out, why) : err;
}

/* Keep the document when it changed. */
static int save(struct ingest_run *run, struct isg_str name, struct isg_str old,
                const struct facets *facets, struct isg_fail *why)
{
    struct isg_buf text;
    isg_buf_init(&text, RUN_OBJECT_MAX);
    write_document(facets, &text);
    int err =
        text.err == ISG_OK ? ISG_OK : isg_fail(why, text.err, "an object's parts are too large");
    if (err == ISG_OK && !isg_str_eq(old, isg_buf_str(&text)))
        err = facet_keep(run, name, &text, why);
    isg_buf_done(&text);
    return err;
}

/* Render the whole; one that breaks a rule is refused like any object. */
static int render(struct ingest_run *run, struct staged *staged, const struct facets *facets,
                  struct staged *out, struct isg_fail *why)
{
    struct isg_buf text;
    struct isg_fail own = {.code = ISG_OK};
    isg_buf_init(&text, RUN_OBJECT_MAX);
    merge_render(facets, &text);
    int err = text.err == ISG_OK ? run_read(run, isg_buf_str(&text), true, out, &own)
                                 : isg_fail(&own, text.err, "no room for an object");
    isg_buf_done(&text);
    if (err == ISG_EINVAL || err == ISG_EPARSE || err == ISG_ELIMIT) {
        run_refuse(run, staged, &own);
        return ISG_OK;
    }
    return err == ISG_OK ? ISG_OK : isg_fail(why, err, "%s", own.text);
}

/* The part stays beside the whole, in case it is to be resolved again. */
static int replace(struct staged *staged, struct staged *take_whole, struct isg_fail *why)
{
    struct staged *part = malloc(sizeof *part);
    char *facet = strdup(staged->facet);
    if (part == NULL || facet == NULL) {
        free(part);
        free(facet);
        return isg_fail(why, ISG_ENOMEM, "no memory for an object's parts");
    }
    *part = *staged;
    *staged = *take_whole;
    staged->outcome = part->outcome;
    staged->facet = facet;
    staged->part = part;
    *take_whole = (struct staged){.id = NULL};
    return ISG_OK;
}

void facet_restore(struct staged *staged)
{
    struct staged *part = staged->part;
    staged->settled = staged->changed = false;
    if (part == NULL)
        return;
    staged->part = NULL;
    run_staged_done(staged);
    *staged = *part;
    free(part);
}

/* Everything that is to be freed after one part was resolved. */
struct resolving {
    struct isg_buf name; /* of the document */
    struct isg_str old;  /* its text as it was; the shelf's */
    struct stix_json *document;
    struct stix_json *score;
    struct age score_age;
    struct facets *facets;
    struct staged whole;
};

static void resolving_done(struct resolving *r)
{
    run_staged_done(&r->whole);
    free(r->facets);
    stix_json_free(&r->score);
    stix_json_free(&r->document);
    isg_buf_done(&r->name);
}

/* Read all parts; a score is no part by itself but renews the one that is kept. */
static int read_parts(struct ingest_run *run, struct staged *staged, struct resolving *r,
                      struct isg_fail *why)
{
    bool is_score = strcmp(staged->facet, EPSS_FACET) == 0;
    struct isg_str cve = stix_json_get_str(staged->json, "name");
    int err = load(run, isg_buf_str(&r->name), &r->old, &r->document, why);
    if (err == ISG_OK && is_score)
        err = epss_renew(run, staged->json, why);
    if (err == ISG_OK)
        err = epss_part(run, cve, &r->score, &r->score_age, why);
    if (err == ISG_OK && is_score && r->document == NULL) {
        run_settle(run, staged, INGEST_SAME, NULL, "no other source speaks of this CVE yet");
        return ISG_OK;
    }
    struct brought brought = {
        staged->facet, is_score ? NULL : staged->json, {EPSS_FACET, r->score, r->score_age}};
    return err == ISG_OK ? gather(r->document, &brought, r->facets, why) : err;
}

/* Judge one part: read the others, render the whole, keep the part. */
static int resolve(struct ingest_run *run, struct staged *staged, struct resolving *r,
                   struct isg_fail *why)
{
    int err = r->facets == NULL || r->name.err != ISG_OK ? isg_fail(why, ISG_ENOMEM, "no memory")
                                                         : read_parts(run, staged, r, why);
    if (err == ISG_OK && !staged->settled)
        err = render(run, staged, r->facets, &r->whole, why);
    /* a part that spoils the whole is not kept */
    if (err == ISG_OK && !staged->settled)
        err = save(run, isg_buf_str(&r->name), r->old, r->facets, why);
    return err;
}

int facet_resolve(struct ingest_run *run, struct staged *staged, struct isg_fail *why)
{
    struct resolving r = {.facets = calloc(1, sizeof *r.facets)};
    struct isg_fail own = {.code = ISG_OK};
    isg_buf_init(&r.name, 1024);
    facet_name(run, staged, &r.name);
    int err = resolve(run, staged, &r, &own);
    /* one source too many, or too much text: the part's own trouble, and not the batch's */
    if (err == ISG_EINVAL || err == ISG_ELIMIT) {
        run_refuse(run, staged, &own);
        err = ISG_OK;
    } else if (err != ISG_OK && why != NULL) {
        *why = own;
    }
    if (err == ISG_OK && !staged->settled)
        err = replace(staged, &r.whole, why);
    resolving_done(&r);
    return err;
}
