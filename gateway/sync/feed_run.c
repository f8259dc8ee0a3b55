#include "gateway/sync/feed_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/log.h"
#include "gateway/sync/csaf_run.h"
#include "gateway/sync/epss_pull.h"
#include "gateway/sync/lease.h"
#include "gateway/sync/nvd_pull.h"
#include "gateway/sync/removals.h"
#include "stix/base/time.h"
#include "stix/base/utf8.h"

void feed_state_name(const char *feed, char out[STATE_NAME_MAX])
{
    (void)snprintf(out, STATE_NAME_MAX, "feed:%s", feed);
}

/* ---- fetch and map -------------------------------------------------------------------------- */

int feed_run_map(struct feed_run *run, struct isg_str text, const char *file_name,
                 struct isg_fail *why)
{
    long mark;
    uint64_t count;
    struct isg_fail ignored;
    int err = spool_mark(run->spool, &mark, &count, why);
    if (err != ISG_OK)
        return err;
    atomic_store(&run->progress->stage, FEED_MAP);
    run->context.file_name = isg_str_of(file_name);
    err = feed_map(run->source, &run->context, text, why);
    if (err == ISG_OK)
        run->documents++;
    else if (spool_cut(run->spool, mark, count, &ignored) != ISG_OK)
        err = isg_fail(why, ISG_EIO, "the temporary file cannot be cut");
    return err;
}

static void keep_validator(char *out, const char *value)
{
    size_t n = value == NULL ? 0 : strlen(value);
    if (n >= STATE_VALIDATOR_MAX || !isg_utf8_is_valid((struct isg_str){value, n}))
        n = 0; /* one that cannot be kept is none */
    if (n > 0)
        memcpy(out, value, n);
    out[n] = '\0';
}

int feed_run_single(struct feed_run *run, const char *url, struct isg_fail *why)
{
    struct feed_response response = {0};
    bool fresh = run->state.held_times == 0; /* else the same snapshot has to come again */
    int err = feed_run_get(run, url, fresh ? run->state.etag : NULL,
                           fresh ? run->state.last_modified : NULL, &response, why);
    if (err != ISG_OK)
        return err;
    if (response.status == 304) {
        run->nothing = true;
    } else {
        err = feed_run_document(run, &response, why);
        if (err == ISG_OK)
            err = feed_run_map(run, isg_buf_str(&response.body), run->def->url, why);
        keep_validator(run->state.etag, response.etag);
        keep_validator(run->state.last_modified, response.last_modified);
        run->state.converter = FEED_CONVERTER_VERSION;
    }
    feed_response_done(&response);
    return err;
}

/* ---- ingest --------------------------------------------------------------------------------- */

/* What goes through a run's ingest. */
struct ingesting {
    struct feed_run *run;
    struct ingest_run *ingest;
};

static int ingest_one(void *arg, struct isg_str object, const char *facet, struct isg_fail *why)
{
    const struct ingesting *ingesting = arg;
    const struct feed_run *run = ingesting->run;
    int err = lease_check(run->parts->lease, why);
    if (err != ISG_OK)
        return err;
    if (run->parts->stop != NULL && atomic_load(run->parts->stop))
        return isg_fail(why, ISG_EBUSY, "the service is stopping");
    atomic_fetch_add(&run->progress->stored, 1);
    return ingest_add(ingesting->ingest, object, facet, why);
}

static void note_refusal(const struct ingest_run *ingest, struct feed_result *out)
{
    size_t n;
    const struct ingest_outcome *outcomes = ingest_outcomes(ingest, &n);
    if (n > 0)
        (void)snprintf(out->first_refusal, sizeof out->first_refusal, "%.*s: %.150s",
                       outcomes[0].id.n < 100 ? (int)outcomes[0].id.n : 100,
                       outcomes[0].id.p != NULL ? outcomes[0].id.p : "",
                       outcomes[0].message != NULL ? outcomes[0].message : "");
    isg_utf8_mend(out->first_refusal);
}

static void counts_add(struct ingest_counts *sum, const struct ingest_counts *more)
{
    sum->total += more->total;
    sum->added += more->added;
    sum->changed += more->changed;
    sum->same += more->same;
    sum->refused += more->refused;
}

static int ingest_all(struct feed_run *run, const struct collection *collection,
                      const struct removals *removals, struct feed_result *out,
                      struct isg_fail *why)
{
    struct ingest_source source = {.name = isg_str_of(run->def->name),
                                   .mode = run->source->as_sent ? INGEST_AS_SENT : INGEST_MAPPED,
                                   .owner = isg_str_of(run->parts->config->name),
                                   .urn = isg_str_of(run->parts->config->id_urn)};
    struct ingesting ingesting = {
        run, ingest_begin(run->parts->store, collection, &source, false, run->how->dry_run)};
    if (ingesting.ingest == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    atomic_store(&run->progress->stage, FEED_STORE);
    int err = spool_each(run->spool, ingest_one, &ingesting, why);
    if (err == ISG_OK)
        err = lease_check(run->parts->lease, why);
    if (err == ISG_OK)
        err = ingest_finish(ingesting.ingest, why);
    counts_add(&out->counts, ingest_counts(ingesting.ingest));
    note_refusal(ingesting.ingest, out);
    if (err == ISG_OK && run->how->examples != NULL)
        feed_examples_write(ingesting.ingest, removals, run->tally, run->how->examples);
    ingest_end(&ingesting.ingest);
    return err;
}

/* ---- stages --------------------------------------------------------------------------------- */

static bool is_single(const struct feed_def *def)
{
    (void)def;
    return true;
}

static int single_run(struct feed_run *run, struct isg_fail *why)
{
    return feed_run_single(run, run->def->url, why);
}

static int keep_nothing(struct feed_run *run, struct isg_fail *why)
{
    (void)run;
    (void)why;
    return ISG_OK;
}

/* How a feed is pulled: the first that is meant. keep comes after everything was ingested. */
static const struct pull {
    bool (*is)(const struct feed_def *def);
    int (*run)(struct feed_run *run, struct isg_fail *why);
    int (*keep)(struct feed_run *run, struct isg_fail *why);
} pulls[] = {{csaf_run_is, csaf_run, csaf_run_keep},
             {nvd_pull_is, nvd_pull_run, nvd_pull_keep},
             {epss_pull_is, epss_pull_run, keep_nothing},
             {is_single, single_run, keep_nothing}};

/* From the first request of a piece to its last commit; the state is not written here. */
static int piece_run(struct feed_run *run, const struct pull *pull,
                     const struct collection *collection, struct feed_result *out,
                     struct isg_fail *why)
{
    struct removals removals = {.missing = 0};
    const struct removals_of of = {.store = run->parts->store,
                                   .collection = collection,
                                   .name = run->def->name,
                                   .source = run->source,
                                   .context = &run->context,
                                   .spool = run->spool,
                                   .state = &run->state,
                                   .percent = run->def->shrink_percent,
                                   .accept = run->how->accept_shrink};
    int err = pull->run(run, why);
    atomic_store(&run->progress->stage, FEED_COMPARE);
    if (err == ISG_OK && !run->nothing && feed_shows_all(run->source, run->context.profile))
        err = removals_apply(&of, &removals, why);
    if (err == ISG_OK && !run->nothing)
        err = ingest_all(run, collection, &removals, out, why);
    if (err == ISG_OK && !run->how->dry_run)
        err = lease_check(run->parts->lease, why);
    if (err == ISG_OK && !run->how->dry_run)
        err = removals_keep(run->parts->store, run->def->name, &removals, why);
    if (err == ISG_OK && !run->how->dry_run)
        err = pull->keep(run, why);
    out->missing = removals.missing;
    out->held = removals.held;
    removals_done(&removals);
    return err;
}

/* A dry run keeps nothing, so it ends with the first piece. */
static int run_stages(struct feed_run *run, const struct collection *collection,
                      struct feed_result *out, struct isg_fail *why)
{
    const struct pull *pull = pulls;
    int err;
    while (!pull->is(run->def))
        pull++;
    do {
        run->more = false;
        err = piece_run(run, pull, collection, out, why);
        if (err == ISG_OK && run->more)
            err = spool_cut(run->spool, 0, 0, why);
    } while (err == ISG_OK && run->more && !run->how->dry_run);
    return err;
}

/* A feed_emit: into the spool, counted. */
static int emit_spooled(void *arg, struct isg_str object, const char *facet, struct isg_fail *why)
{
    struct feed_run *run = arg;
    atomic_fetch_add(&run->progress->objects, 1);
    return spool_add(run->spool, object, facet, why);
}

static int run_open(struct feed_run *run, struct isg_fail *why)
{
    const struct config *config = run->parts->config;
    run->source = feed_source_find(isg_str_of(run->def->format));
    run->tally = calloc(1, sizeof *run->tally);
    if (run->source == NULL)
        return isg_fail(why, ISG_EINVAL, "no such format");
    if (run->tally == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    feed_namespace(isg_str_of(config->id_urn), run->context.space);
    run->context.now_us = isg_time_now_us();
    run->context.owner = isg_str_of(config->name);
    run->context.slug = run->def->name;
    run->context.sensor = isg_str_of(run->def->name);
    run->context.emit = emit_spooled;
    run->context.arg = run;
    run->context.tally = run->tally;
    run->context.sighted = true;
    run->context.limits =
        (struct stix_limits){.depth = run->def->max_depth, .string_bytes = run->def->max_string};
    run->context.max_records = run->def->max_records;
    int err = header_lines_read(config->dir, run->def->header_file, &run->headers, why);
    if (err == ISG_OK)
        err = secret_line_read(config->dir, run->def->proxy_auth_file, &run->proxy_auth, why);
    if (err == ISG_OK && run->def->allow_networks != NULL)
        err = networks_parse(isg_str_of(run->def->allow_networks), &run->networks, why);
    if (err == ISG_OK)
        err = feed_settings_open(run, why);
    if (err == ISG_OK)
        err = spool_open(config->dir, &run->spool, why);
    return err;
}

static void run_done(struct feed_run *run)
{
    header_lines_done(&run->headers);
    secret_free(&run->proxy_auth);
    networks_free(&run->networks);
    exclude_free(&run->exclude);
    isg_arena_free(&run->arena);
    spool_close(&run->spool);
    isg_buf_done(&run->files);
    free(run->tally);
}

static void result_fill(const struct feed_run *run, struct feed_result *out)
{
    out->unchanged = run->nothing;
    out->documents = run->documents;
    out->excluded = run->context.excluded;
    out->unreadable = run->context.rejected;
    out->failed = run->failed;
    if (run->failed > 0)
        (void)snprintf(out->first_error, sizeof out->first_error, "%.200s", run->first_failed.text);
    isg_utf8_mend(out->first_error);
}

static int run_in(struct feed_run *run, struct feed_result *out, struct isg_fail *why)
{
    const struct registry *registry = directory_get(run->parts->directory);
    const struct collection *collection = NULL;
    int err = registry_collection(registry, (struct isg_str){0}, isg_str_of(run->def->collection),
                                  &collection, why);
    if (err == ISG_OK)
        err = run_open(run, why);
    if (err == ISG_OK)
        err = run_stages(run, collection, out, why);
    registry_unref(&registry);
    return err;
}

static void note_counts(struct state *state, const struct feed_result *result)
{
    if (result->unchanged)
        return;
    state->total = result->counts.total;
    state->added = result->counts.added - result->counts.changed;
    state->changed = result->counts.changed;
    state->same = result->counts.same;
    state->refused = result->counts.refused;
    state->excluded = result->excluded;
    state->unreadable = result->unreadable;
    state->delisted = result->held ? 0 : result->missing;
}

int feed_run(const struct sync_parts *parts, const struct feed_def *def, const struct feed_how *how,
             struct feed_result *out, struct state *out_state, struct isg_fail *why)
{
    char name[STATE_NAME_MAX];
    struct isg_fail own = {.code = ISG_OK};
    struct feed_progress unseen = {0};
    struct feed_run run = {.parts = parts,
                           .def = def,
                           .how = how,
                           .progress = how->progress != NULL ? how->progress : &unseen};
    struct feed_result result = {.documents = 0};
    struct state before;
    int64_t start = isg_time_now_us();
    isg_buf_init(&run.files, ISG_BUF_NO_MAX);
    feed_state_name(def->name, name);
    int err = state_load(parts->store, name, &before, &own);
    if (err == ISG_OK) {
        run.state = before;
        err = run_in(&run, &result, &own);
    } else {
        before = (struct state){.position = 0};
    }
    result_fill(&run, &result);
    if (err == ISG_OK) {
        state_succeeded(&run.state, start);
        note_counts(&run.state, &result);
    } else {
        run.state = before; /* validators and cursors stay where they were */
        run.state.retry_after_s = run.retry_after_s;
        state_failed(&run.state, start, &own);
    }
    /* that the service ends, or another gateway goes on, is no failure of the source */
    bool stopped = err == ISG_EBUSY && ((parts->stop != NULL && atomic_load(parts->stop)) ||
                                        lease_is_lost(parts->lease));
    if (stopped)
        run.state = before;
    if (!how->dry_run && !stopped) {
        int saved =
            lease_save(parts->lease, parts->store, name, &run.state, err == ISG_OK ? &own : NULL);
        err = err == ISG_OK ? saved : err;
    }
    run_done(&run);
    *out = result;
    *out_state = run.state;
    if (err != ISG_OK && why != NULL)
        *why = own;
    return err;
}
