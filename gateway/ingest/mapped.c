#include <stdlib.h>
#include <string.h>

#include "gateway/ingest/merge.h"
#include "gateway/ingest/run.h"
#include "stix/base/jsonw.h"
#include "stix/base/time.h"

static const char *const version_members[] = {"created", "modified", NULL};

/* The stored versions of one id, and the one our content is compared with. */
struct stored {
    struct store_event *events;
    size_t count;
    const struct store_event *latest; /* of our own, or NULL */
    struct isg_buf text;              /* of latest */
    struct stix_json *json;
};

static void stored_done(struct stored *stored)
{
    free(stored->events);
    isg_buf_done(&stored->text);
    stix_json_free(&stored->json);
}

/*
 * Feeds and staff imports describe the same objects together; a member that imports speaks for
 * itself. What somebody else pushed under our id is not what we said before.
 */
static bool is_ours(const struct ingest_run *run, const struct store_event *event)
{
    const char *text = store_label(run->store, run->collection->id, event->label);
    struct isg_str source = policy_label_read(isg_str_of(text)).source;
    if (run->source.member != NULL)
        return isg_str_is(source, run->source.member->name);
    return isg_str_starts(source, ISG_STR(POLICY_FEED));
}

static int read_latest(struct ingest_run *run, struct stored *stored, struct isg_fail *why)
{
    size_t size = SIZE_MAX;
    int err = store_objects(run->store, run->collection->id, &stored->latest, 1, &stored->text,
                            &size, why);
    if (err == ISG_OK && size == SIZE_MAX) {
        stored->latest = NULL; /* erased meanwhile: as if it had never been */
        return ISG_OK;
    }
    return err == ISG_OK ? stix_json_parse(isg_buf_str(&stored->text), NULL, &stored->json, why)
                         : err;
}

static int load(struct ingest_run *run, struct isg_str id, struct stored *out, struct isg_fail *why)
{
    *out = (struct stored){.events = NULL};
    isg_buf_init(&out->text, ISG_BUF_NO_MAX);
    int err = store_versions(run->store, run->collection->id, id, &out->events, &out->count, why);
    if (err == ISG_ENOENT)
        return ISG_OK;
    for (size_t i = 0; err == ISG_OK && i < out->count; i++) {
        const struct store_event *event = &out->events[i];
        if (!event->versioned || !is_ours(run, event))
            continue;
        if (out->latest == NULL || isg_time_cmp(event->version, out->latest->version) > 0)
            out->latest = event;
    }
    return err == ISG_OK && out->latest != NULL ? read_latest(run, out, why) : err;
}

bool mapped_same_content(const struct stix_json *a, const struct stix_json *b)
{
    struct isg_buf left, right;
    isg_buf_init(&left, ISG_BUF_NO_MAX);
    isg_buf_init(&right, ISG_BUF_NO_MAX);
    stix_json_canon_without(a, version_members, &left);
    stix_json_canon_without(b, version_members, &right);
    bool same = left.err == ISG_OK && right.err == ISG_OK &&
                isg_str_eq(isg_buf_str(&left), isg_buf_str(&right));
    isg_buf_done(&left);
    isg_buf_done(&right);
    return same;
}

static bool is_taken(const struct stored *stored, struct isg_str version)
{
    for (size_t i = 0; i < stored->count; i++) {
        if (stored->events[i].versioned && isg_time_cmp(stored->events[i].version, version) == 0)
            return true;
    }
    return false;
}

/* `modified` as proposed if it is later than our latest and free, else the next free step. */
static void choose_modified(const struct stored *stored, struct isg_str proposed,
                            char out[ISG_TIME_TEXT])
{
    int64_t us = 0;
    const struct store_event *latest = stored->latest;
    bool late = latest == NULL || isg_time_cmp(proposed, latest->version) > 0;
    if (late && proposed.n > 0 && proposed.n < ISG_TIME_TEXT && !is_taken(stored, proposed)) {
        memcpy(out, proposed.p, proposed.n);
        out[proposed.n] = '\0';
        return;
    }
    (void)isg_time_parse(late ? proposed : latest->version, &us);
    us -= us % RUN_MODIFIED_STEP_US;
    do {
        us += RUN_MODIFIED_STEP_US;
        isg_time_format(us, 3, out);
    } while (is_taken(stored, isg_str_of(out)));
}

static void write_version(const struct stix_json *json, struct isg_str created,
                          const char *modified, struct isg_buf *out)
{
    struct stix_json_walk walk;
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    stix_json_walk(json, &walk);
    while (stix_json_next(&walk)) {
        if (strcmp(walk.name, "created") == 0 || strcmp(walk.name, "modified") == 0)
            continue;
        isg_jsonw_name(&w, walk.name);
        merge_put_value(&w, walk.value);
    }
    isg_jsonw_put_str(&w, "created", created);
    isg_jsonw_put(&w, "modified", modified);
    isg_jsonw_end(&w);
}

/* Put what text says in the place of staged. */
static int restage(struct ingest_run *run, struct staged *staged, const struct isg_buf *text,
                   struct isg_fail *why)
{
    struct staged next;
    if (text->err != ISG_OK)
        return isg_fail(why, text->err, "an object is too large");
    int err = run_read(run, isg_buf_str(text), true, &next, why);
    if (err != ISG_OK)
        return err;
    next.facet = staged->facet;
    next.part = staged->part;
    next.outcome = staged->outcome;
    staged->facet = NULL;
    staged->part = NULL;
    run_staged_done(staged);
    *staged = next;
    return ISG_OK;
}

/* Make staged the next version: S-099, `created` stays, `modified` rises. */
static int make_version(struct ingest_run *run, struct staged *staged, const struct stored *stored,
                        struct isg_fail *why)
{
    char modified[ISG_TIME_TEXT];
    struct isg_buf text;
    struct isg_str created = stix_json_get_str(staged->json, "created");
    if (stored->latest != NULL)
        created = stix_json_get_str(stored->json, "created");
    choose_modified(stored, isg_str_of(staged->version), modified);
    isg_buf_init(&text, RUN_OBJECT_MAX);
    write_version(staged->json, created, modified, &text);
    int err = restage(run, staged, &text, why);
    isg_buf_done(&text);
    staged->changed = err == ISG_OK && stored->latest != NULL;
    return err;
}

/*
 * Files of a sensor's log overlap, and come again in any order. So an observation whose window we
 * know in part already is widened by the new part, never narrowed; of two counts the larger stands.
 */
static int join_observation(struct ingest_run *run, struct staged *staged,
                            const struct stored *stored, struct isg_fail *why)
{
    struct isg_buf text;
    struct facets *both = calloc(1, sizeof *both);
    if (both == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    both->list[both->count++] = (struct facet){.key = "new", .json = staged->json};
    both->list[both->count++] = (struct facet){.key = "stored", .json = stored->json};
    isg_buf_init(&text, RUN_OBJECT_MAX);
    merge_render(both, &text);
    int err = restage(run, staged, &text, why);
    isg_buf_done(&text);
    free(both);
    return err;
}

/* ---- how long an indicator stands ----------------------------------------------------------- */

/*
 * Each confirmation by the source would move the end, and make a version of every entry of an unchanged
 * list: it moves when less than half of the time is left (feeds digest 2.6). An end that comes earlier
 * counts at once.
 */
static bool keeps_end(const struct staged *staged, struct isg_str stored, struct isg_str proposed)
{
    int64_t old, next, confirmed;
    if (!isg_time_parse(stored, &old) || !isg_time_parse(proposed, &next) ||
        !isg_time_parse(isg_str_of(staged->version), &confirmed) || next <= old)
        return false;
    return old - isg_time_now_us() >= (next - confirmed) / 2;
}

static void write_validity(const struct stix_json *json, struct isg_str from, struct isg_str until,
                           struct isg_buf *out)
{
    struct stix_json_walk walk;
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    stix_json_walk(json, &walk);
    while (stix_json_next(&walk)) {
        isg_jsonw_name(&w, walk.name);
        if (strcmp(walk.name, "valid_from") == 0)
            isg_jsonw_str(&w, from);
        else if (strcmp(walk.name, "valid_until") == 0)
            isg_jsonw_str(&w, until);
        else
            merge_put_value(&w, walk.value);
    }
    isg_jsonw_end(&w);
}

/* The beginning stays where it was first, as a list without times confirms a value day by day. */
static int keep_validity(struct ingest_run *run, struct staged *staged, const struct stored *stored,
                         struct isg_fail *why)
{
    struct isg_buf text;
    struct isg_str from = stix_json_get_str(staged->json, "valid_from");
    struct isg_str until = stix_json_get_str(staged->json, "valid_until");
    struct isg_str first = stix_json_get_str(stored->json, "valid_from");
    struct isg_str end = stix_json_get_str(stored->json, "valid_until");
    bool keeps_from = first.n > 0 && isg_time_cmp(first, from) < 0;
    bool keeps_until = keeps_end(staged, end, until);
    if (!keeps_from && !keeps_until)
        return ISG_OK;
    isg_buf_init(&text, RUN_OBJECT_MAX);
    write_validity(staged->json, keeps_from ? first : from, keeps_until ? end : until, &text);
    int err = restage(run, staged, &text, why);
    isg_buf_done(&text);
    return err;
}

static bool is_a(const struct stix_json *json, const char *type)
{
    return isg_str_is(stix_json_get_str(json, "type"), type);
}

/* A whole that is newer than what is stored has a part that is, though no value of it may show. */
static bool is_known(const struct staged *staged, const struct stored *stored)
{
    bool newer = staged->facet != NULL &&
                 isg_time_cmp(isg_str_of(staged->version), stored->latest->version) > 0;
    return !newer && mapped_same_content(staged->json, stored->json);
}

int mapped_latest(struct ingest_run *run, struct isg_str id, struct stix_json **out,
                  struct isg_fail *why)
{
    struct stored stored;
    int err = load(run, id, &stored, why);
    *out = err == ISG_OK ? stored.json : NULL;
    if (err == ISG_OK)
        stored.json = NULL; /* the caller's now */
    stored_done(&stored);
    return err;
}

int mapped_resolve(struct ingest_run *run, struct staged *staged, struct isg_fail *why)
{
    struct stored stored;
    struct isg_fail own = {.code = ISG_OK};
    if (!staged->versioned)
        return ISG_OK; /* each form stands for itself; the same form again is the store's to say */
    int err = load(run, isg_str_of(staged->id), &stored, why);
    if (err == ISG_OK && stored.latest != NULL && is_a(staged->json, "observed-data"))
        err = join_observation(run, staged, &stored, why);
    if (err == ISG_OK && stored.latest != NULL && is_a(staged->json, "indicator"))
        err = keep_validity(run, staged, &stored, why);
    if (err == ISG_OK && stored.latest != NULL && is_known(staged, &stored)) {
        char version[ISG_TIME_TEXT * 2] = "";
        struct isg_str text = stored.latest->version;
        if (text.n < sizeof version && text.n > 0) {
            memcpy(version, text.p, text.n);
            version[text.n] = '\0';
        }
        run_settle(run, staged, INGEST_SAME, version, NULL);
    } else if (err == ISG_OK && stored.count > 0) {
        err = make_version(run, staged, &stored, &own);
        if (err == ISG_EINVAL || err == ISG_EPARSE || err == ISG_ELIMIT) {
            run_refuse(run, staged, &own);
            err = ISG_OK;
        } else if (err != ISG_OK && why != NULL) {
            *why = own;
        }
    }
    stored_done(&stored);
    return err;
}
