#include "gateway/ingest/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/ingest/document.h"
#include "gateway/ingest/sighting.h"
#include "stix/id.h"

enum { ARENA_MAX = 1 << 30, MESSAGE_MAX = 512, VERSION_MAX = 128 };

/* ---- life ----------------------------------------------------------------------------------- */

static char *copy_of(struct isg_str text)
{
    char *copy = malloc(text.n + 1);
    if (copy == NULL)
        return NULL;
    if (text.n > 0)
        memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    return copy;
}

/* A member's name stands for itself; what is no member cannot be mistaken for one. */
static char *label_source_of(const struct ingest_source *source)
{
    struct isg_buf text;
    if (source->member != NULL)
        return copy_of(isg_str_of(source->member->name));
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    isg_buf_puts(&text, POLICY_FEED);
    isg_buf_put_str(&text, source->name);
    return isg_buf_take(&text, NULL);
}

static int note_head(struct ingest_run *run)
{
    struct store_head head = {.position = 0};
    int err = store_head(run->store, run->collection->id, 0, &head, &run->begun);
    run->since = head.position;
    return err;
}

struct ingest_run *ingest_begin(struct store *store, const struct collection *collection,
                                const struct ingest_source *source, bool outcomes, bool dry_run)
{
    struct ingest_run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return NULL;
    run->store = store;
    run->collection = collection;
    run->source = *source;
    run->outcomes = outcomes;
    run->dry_run = dry_run;
    run->label_source = label_source_of(source);
    run->arena = isg_arena_new(ARENA_MAX);
    run->scratch = isg_arena_new(ARENA_MAX);
    if (run->label_source == NULL || run->arena == NULL || run->scratch == NULL)
        ingest_end(&run);
    else
        run->err = store_demand(store, collection->id, collection->durability, &run->begun);
    if (run != NULL && run->err == ISG_OK && source->owner.n > 0)
        run->err = note_head(run);
    return run;
}

void run_staged_done(struct staged *staged)
{
    free(staged->id);
    free(staged->facet);
    isg_buf_done(&staged->canon);
    stix_json_free(&staged->json);
    if (staged->part != NULL)
        run_staged_done(staged->part); /* has none itself */
    free(staged->part);
    *staged = (struct staged){.id = NULL};
}

void ingest_end(struct ingest_run **run)
{
    if (run == NULL || *run == NULL)
        return;
    for (size_t i = 0; i < (*run)->staged_count; i++)
        run_staged_done(&(*run)->staged[i]);
    free((*run)->staged);
    free((*run)->list);
    markings_done(*run);
    (void)facet_close(*run, false, NULL);
    sightings_done(*run);
    free((*run)->label_source);
    isg_arena_free(&(*run)->arena);
    isg_arena_free(&(*run)->scratch);
    free(*run);
    *run = NULL;
}

/* ---- outcomes ------------------------------------------------------------------------------- */

static struct ingest_outcome *new_outcome(struct ingest_run *run)
{
    if (run->list_count == run->list_room) {
        size_t room = run->list_room == 0 ? 64 : run->list_room * 2;
        struct ingest_outcome *bigger = realloc(run->list, room * sizeof *bigger);
        if (bigger == NULL)
            return NULL;
        run->list = bigger;
        run->list_room = room;
    }
    struct ingest_outcome *outcome = &run->list[run->list_count++];
    *outcome = (struct ingest_outcome){.verdict = INGEST_FAILED, .message = "not stored"};
    return outcome;
}

static struct isg_str keep(struct ingest_run *run, struct isg_str text)
{
    struct isg_str kept = {isg_arena_copy(run->arena, text), text.n};
    return kept.p == NULL ? (struct isg_str){NULL, 0} : kept;
}

static void note_example(struct ingest_run *run, enum ingest_kind kind, const struct staged *staged)
{
    size_t *n = &run->examples_count[kind];
    if (staged != NULL && *n < RUN_EXAMPLES)
        run->examples[kind][(*n)++] = keep(run, isg_str_of(staged->id));
}

static void count(struct ingest_run *run, enum ingest_verdict verdict, const struct staged *staged)
{
    bool changed = staged != NULL && staged->changed;
    switch (verdict) {
    case INGEST_ADDED:
        run->new_indicators =
            run->new_indicators ||
            (staged != NULL && isg_str_starts(isg_str_of(staged->id), ISG_STR("indicator--")));
        run->counts.added++;
        run->counts.changed += changed;
        note_example(run, changed ? INGEST_CHANGED : INGEST_NEW, staged);
        break;
    case INGEST_SAME:
        run->counts.same++;
        note_example(run, INGEST_UNCHANGED, staged);
        break;
    case INGEST_REFUSED: run->counts.refused++; break;
    case INGEST_FAILED: break;
    }
}

void run_settle(struct ingest_run *run, struct staged *staged, enum ingest_verdict verdict,
                const char *version, const char *message)
{
    struct ingest_outcome *outcome = NULL;
    count(run, verdict, staged);
    if (staged != NULL)
        staged->settled = true;
    if (staged != NULL && staged->outcome != SIZE_MAX)
        outcome = &run->list[staged->outcome];
    else if (verdict == INGEST_REFUSED && (run->outcomes || run->list_count < RUN_REFUSALS))
        outcome = new_outcome(run);
    if (outcome == NULL)
        return;
    outcome->verdict = verdict;
    if (staged != NULL && outcome->id.n == 0)
        outcome->id = keep(run, isg_str_of(staged->id));
    if (version != NULL)
        outcome->version = keep(run, isg_str_of(version));
    else if (staged != NULL)
        outcome->version = keep(run, isg_str_of(staged->version));
    outcome->message = message != NULL ? isg_arena_copy(run->arena, isg_str_of(message)) : NULL;
}

static void message_of(const struct isg_fail *why, char text[MESSAGE_MAX])
{
    bool path = why->path[0] != '\0', rule = why->rule[0] != '\0';
    (void)snprintf(text, MESSAGE_MAX, "%s%s%s%s%s%s", why->path, path ? ": " : "", why->text,
                   rule ? " (" : "", why->rule, rule ? ")" : "");
}

void run_refuse(struct ingest_run *run, struct staged *staged, const struct isg_fail *why)
{
    char text[MESSAGE_MAX];
    message_of(why, text);
    run_settle(run, staged, INGEST_REFUSED, NULL, text);
}

struct stix_json *run_peek(struct isg_str text)
{
    const struct stix_limits limits = {.members = STIX_OBJECT_MEMBERS_MAX};
    struct stix_json *json = NULL;
    (void)stix_json_parse(text, &limits, &json, NULL);
    return json;
}

void run_names(const struct stix_json *json, struct isg_str *out_id, struct isg_str *out_version)
{
    struct isg_str id = stix_json_get_str(json, "id");
    struct isg_str version = stix_json_get_str(json, "modified");
    if (version.n == 0)
        version = stix_json_get_str(json, "created");
    *out_id = id.n <= STIX_ID_MAX ? id : (struct isg_str){NULL, 0};
    *out_version = version.n <= VERSION_MAX ? version : (struct isg_str){NULL, 0};
}

static void name_refused(struct ingest_run *run, struct isg_str text)
{
    struct stix_json *json = run->list_count > 0 ? run_peek(text) : NULL;
    struct isg_str id;
    struct isg_str version;
    if (json == NULL)
        return;
    struct ingest_outcome *outcome = &run->list[run->list_count - 1];
    run_names(json, &id, &version);
    outcome->id = keep(run, id);
    outcome->version = keep(run, version);
    stix_json_free(&json);
}

const struct ingest_counts *ingest_counts(const struct ingest_run *run)
{
    return &run->counts;
}

const struct ingest_outcome *ingest_outcomes(const struct ingest_run *run, size_t *out_count)
{
    *out_count = run->list_count;
    return run->list;
}

const struct isg_str *ingest_examples(const struct ingest_run *run, enum ingest_kind kind,
                                      size_t *out_count)
{
    *out_count = run->examples_count[kind];
    return run->examples[kind];
}

/* ---- one object ----------------------------------------------------------------------------- */

bool run_can_see(void *arg, struct isg_str text)
{
    const struct ingest_run *run = arg;
    const struct member *member = run->source.member;
    if (member == NULL)
        return true;
    struct policy_label label = policy_label_read(text);
    if (isg_str_is(label.source, member->name))
        return true;
    /* Who may not read the collection must not learn from a conflict what is in it. */
    return collection_can_read(run->collection, member) &&
           policy_decide(&label, member, 0) == POLICY_ALLOW;
}

/* What is served is what was sent, and ids are served in lower case (S-013): so they come so. */
static int demand_lower_case(struct isg_str id, struct isg_fail *why)
{
    for (size_t i = 0; i < id.n; i++)
        if (id.p[i] >= 'A' && id.p[i] <= 'Z')
            return isg_fail_at(why, ISG_EINVAL, "/id", "S-013",
                               "id is to be written in lower case");
    return ISG_OK;
}

static char *put_text(char *to, struct isg_str text)
{
    if (text.n > 0)
        memcpy(to, text.p, text.n);
    to[text.n] = '\0';
    return to + text.n + 1;
}

/* The three texts of an object that waits, in one piece of memory. ISG_ENOMEM. */
static int keep_texts(struct staged *staged, struct isg_str id, struct isg_str version,
                      struct isg_str label)
{
    char *at = malloc(id.n + version.n + label.n + 3);
    if (at == NULL)
        return ISG_ENOMEM;
    staged->id = at;
    staged->version = at = put_text(at, id);
    staged->label = at = put_text(at, version);
    (void)put_text(at, label);
    return ISG_OK;
}

int run_read(struct ingest_run *run, struct isg_str text, bool keep_json, struct staged *out,
             struct isg_fail *why)
{
    struct stix_report report;
    struct stix_object object;
    char label_text[POLICY_LABEL_MAX];
    isg_arena_reset(run->scratch);
    stix_report_init(&report, run->scratch, 8);
    int err = stix_object_read(text, NULL, &report, &object, why);
    if (err != ISG_OK)
        return err;
    err = demand_lower_case(object.id, why);
    if (err != ISG_OK) {
        stix_object_done(&object);
        return err;
    }
    run_label(run, object.json, label_text);
    if (markings_note(run, object.json) != ISG_OK) {
        stix_object_done(&object);
        return isg_fail(why, ISG_ENOMEM, "no memory for an object");
    }
    struct staged staged = {.versioned = object.modified.n > 0,
                            .revoked = object.revoked,
                            .canon = object.canon,
                            .outcome = SIZE_MAX};
    err = keep_texts(&staged, object.id, stix_object_version(&object), isg_str_of(label_text));
    memcpy(staged.digest, object.digest, sizeof staged.digest);
    isg_buf_init(&object.canon, 0); /* its bytes are ours now */
    if (keep_json) {
        staged.json = object.json;
        object.json = NULL;
    }
    stix_object_done(&object);
    if (err != ISG_OK) {
        run_staged_done(&staged);
        return isg_fail(why, ISG_ENOMEM, "no memory for an object");
    }
    *out = staged;
    return ISG_OK;
}

static int stage(struct ingest_run *run, struct staged *take_staged, struct isg_fail *why)
{
    if (run->staged_count == run->staged_room) {
        size_t room = run->staged_room == 0 ? RUN_BATCH : run->staged_room * 2;
        struct staged *bigger = realloc(run->staged, room * sizeof *bigger);
        if (bigger == NULL)
            return isg_fail(why, ISG_ENOMEM, "no memory for a batch");
        run->staged = bigger;
        run->staged_room = room;
    }
    if (run->outcomes) {
        struct ingest_outcome *outcome = new_outcome(run);
        if (outcome == NULL)
            return isg_fail(why, ISG_ENOMEM, "no memory for a status");
        outcome->id = keep(run, isg_str_of(take_staged->id));
        outcome->version = keep(run, isg_str_of(take_staged->version));
        take_staged->outcome = run->list_count - 1;
    }
    run->staged_bytes += take_staged->canon.len;
    run->staged[run->staged_count++] = *take_staged;
    return ISG_OK;
}

static struct isg_str type_of(const struct staged *staged)
{
    return stix_json_get_str(staged->json, "type");
}

static int add(struct ingest_run *run, struct isg_str object, const char *facet,
               struct isg_fail *why)
{
    struct staged staged;
    bool looks_back = run->source.mode == INGEST_MAPPED || facet != NULL || run->reviewing;
    struct isg_fail own = {.code = ISG_OK};
    int err = run_read(run, object, looks_back, &staged, &own);
    if (err == ISG_EPARSE || err == ISG_ELIMIT || err == ISG_EINVAL) {
        size_t before = run->list_count;
        run_refuse(run, NULL, &own);
        if (run->list_count > before)
            name_refused(run, object);
        return ISG_OK;
    }
    if (err == ISG_OK && facet != NULL) {
        staged.facet = copy_of(isg_str_of(facet));
        if (staged.facet == NULL)
            err = ISG_ENOMEM;
    } else if (err != ISG_OK) {
        return isg_fail(why, err, "%s", own.text);
    }
    if (err == ISG_OK && facet != NULL && isg_str_is(type_of(&staged), "report"))
        err = document_report(run, staged.json, facet, add, why);
    if (err == ISG_OK)
        err = stage(run, &staged, why);
    if (err != ISG_OK) {
        run_staged_done(&staged);
        return err == ISG_ENOMEM ? isg_fail(why, err, "no memory for an object") : err;
    }
    return ISG_OK; /* NOLINT(clang-analyzer-unix.Malloc): the run's list holds it all now */
}

static int fail_again(const struct ingest_run *run, struct isg_fail *why)
{
    bool begun = run->begun.text[0] == '\0';
    return isg_fail(why, run->err, "%s", begun ? "the run has failed before" : run->begun.text);
}

int ingest_add(struct ingest_run *run, struct isg_str object, const char *facet,
               struct isg_fail *why)
{
    if (run->err != ISG_OK)
        return fail_again(run, why);
    if (sighting_is_note(facet))
        return run->err = sighting_note(run, object, why);
    char key[DOCUMENT_KEY_MAX] = "";
    bool stale = false;
    run->counts.total++;
    int err = facet != NULL ? document_enter(run, facet, key, &stale, why) : ISG_OK;
    if (err == ISG_OK && stale)
        run_settle(run, NULL, INGEST_SAME, NULL, NULL); /* a newer version was taken in before */
    else if (err == ISG_OK)
        err = add(run, object, key[0] != '\0' ? key : NULL, why);
    bool due = run->staged_count >= RUN_BATCH || run->staged_bytes >= RUN_BATCH_BYTES;
    if (err == ISG_OK && due && !run->hold)
        err = run_flush(run, why);
    run->err = err;
    return err;
}

int ingest_finish(struct ingest_run *run, struct isg_fail *why)
{
    if (run->err != ISG_OK)
        return fail_again(run, why);
    run->hold = false;
    run->err = run_flush(run, why);
    if (run->err == ISG_OK)
        run->err = sightings_add(run, why);
    if (run->err == ISG_OK)
        run->err = sightings_review(run, why);
    if (run->err == ISG_OK)
        run->err = run_flush(run, why);
    return run->err;
}
