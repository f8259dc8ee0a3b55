#include "gateway/sync/peer_run.h"

#include <stdio.h>
#include <string.h>

#include "gateway/ingest/ingest.h"
#include "gateway/sync/lease.h"
#include "gateway/sync/route.h"
#include "gateway/sync/secret_file.h"
#include "stix/base/digest.h"
#include "stix/base/time.h"
#include "stix/base/utf8.h"

struct run {
    const struct sync_parts *parts;
    const struct peer_def *def;
    const struct outgoing_how *how;
    const struct collection *collection; /* the one here */
    const char *state_name;
    struct taxii_target target;
    struct state state;
    struct ingest_run *ingest;
    struct peer_result result;
};

void peer_state_name(const struct peer_def *def, char out[STATE_NAME_MAX])
{
    const char *const parts[] = {def->push ? "push" : "pull", def->url, def->from, def->collection};
    struct isg_sha256 hash;
    uint8_t digest[ISG_SHA256_BYTES];
    char hex[2 * 16 + 1];
    isg_sha256_init(&hash);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        isg_sha256_add(&hash, parts[i], strlen(parts[i]) + 1);
    isg_sha256_end(&hash, digest);
    isg_hex_encode(digest, 16, hex);
    (void)snprintf(out, STATE_NAME_MAX, "peer:%s", hex);
}

/* ---- pull ----------------------------------------------------------------------------------- */

static int on_object(void *arg, struct isg_str object, struct isg_fail *why)
{
    struct run *run = arg;
    int err = lease_check(run->parts->lease, why);
    return err == ISG_OK ? ingest_add(run->ingest, object, NULL, why) : err;
}

/* The walk is complete: what it brought becomes durable before the cursor is noted. */
static int on_cursor(void *arg, struct isg_str added_after, struct isg_fail *why)
{
    struct run *run = arg;
    (void)why;
    if (added_after.n < sizeof run->state.cursor)
        (void)snprintf(run->state.cursor, sizeof run->state.cursor, "%.*s",
                       ISG_STR_ARG(added_after));
    return ISG_OK;
}

/* Of the objects that were not taken, the first and why. */
static void note_refusal(struct run *run)
{
    size_t n = 0;
    const struct ingest_outcome *outcomes = ingest_outcomes(run->ingest, &n);
    for (size_t i = 0; i < n; i++) {
        if (outcomes[i].verdict != INGEST_REFUSED || outcomes[i].message == NULL)
            continue;
        (void)snprintf(run->result.first_failure, sizeof run->result.first_failure, "%.*s: %.140s",
                       (int)(outcomes[i].id.n < 100 ? outcomes[i].id.n : 100), outcomes[i].id.p,
                       outcomes[i].message);
        isg_utf8_mend(run->result.first_failure);
        (void)snprintf(run->state.last_refusal, sizeof run->state.last_refusal, "%s",
                       run->result.first_failure);
        return;
    }
}

static int pull(struct run *run, struct isg_fail *why)
{
    struct ingest_source source = {.name = isg_str_of(run->def->name), .mode = INGEST_AS_SENT};
    char after[ISG_TIME_TEXT];
    memcpy(after, run->state.cursor, sizeof after);
    run->ingest =
        ingest_begin(run->parts->store, run->collection, &source, false, run->how->dry_run);
    if (run->ingest == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    int err = feed_taxii_pull(&run->target, after, on_object, on_cursor, run, why);
    if (err == ISG_OK)
        err = lease_check(run->parts->lease, why);
    if (err == ISG_OK)
        err = ingest_finish(run->ingest, why);
    const struct ingest_counts *counts = ingest_counts(run->ingest);
    run->result.total = counts->total;
    run->result.added = counts->added;
    run->result.same = counts->same;
    run->result.refused = counts->refused;
    if (counts->refused > 0)
        note_refusal(run);
    ingest_end(&run->ingest);
    return err;
}

/* ---- a run ---------------------------------------------------------------------------------- */

static int push(struct run *run, const struct registry *registry, struct isg_fail *why)
{
    const struct peer_push push = {.parts = run->parts,
                                   .def = run->def,
                                   .how = run->how,
                                   .registry = registry,
                                   .collection = run->collection,
                                   .target = &run->target,
                                   .state_name = run->state_name,
                                   .state = &run->state,
                                   .result = &run->result};
    return peer_push(&push, why);
}

static int run_in(struct run *run, struct isg_fail *why)
{
    const struct peer_def *def = run->def;
    const char *local = def->push ? def->from : def->collection;
    char *password = NULL;
    struct route route = {.proxy_auth = NULL};
    const struct registry *registry = directory_get(run->parts->directory);
    int err = registry_collection(registry, (struct isg_str){0}, isg_str_of(local),
                                  &run->collection, why);
    if (err == ISG_OK)
        err = secret_line_read(run->parts->config->dir, def->password_file, &password, why);
    if (err == ISG_OK)
        err = route_open(run->parts->config->dir, &def->route, &route, why);
    run->target = (struct taxii_target){.url = def->url,
                                        .collection = def->push ? def->collection : def->from,
                                        .user = def->user,
                                        .password = password,
                                        .headers = route.headers.lines,
                                        .ca = def->route.ca,
                                        .client_certificate = def->route.client_certificate,
                                        .client_key = def->route.client_key,
                                        .proxy = def->route.proxy,
                                        .proxy_auth = route.proxy_auth,
                                        .allow_private = def->allow_private,
                                        .stop = run->parts->stop,
                                        .no_waiting = def->push,
                                        .out_retry_after_s = &run->state.retry_after_s};
    if (err == ISG_OK)
        err = def->push ? push(run, registry, why) : pull(run, why);
    secret_free(&password);
    route_done(&route);
    registry_unref(&registry);
    return err;
}

/*
 * What a failed run leaves: a pull begins again where it began, a push has what was taken. One that
 * was cut because the service stops is no failure: it goes on with the next start.
 */
static void failed(struct run *run, const struct state *before, int64_t start,
                   const struct isg_fail *why)
{
    unsigned retry_after_s = run->state.retry_after_s;
    if (!run->def->push)
        run->state = *before;
    run->state.more = false;
    run->state.retry_after_s = retry_after_s;
    if (outgoing_is_stopping(run->parts))
        run->state.more = run->def->push;
    else
        state_failed(&run->state, start, why);
}

int peer_run(const struct sync_parts *parts, const struct peer_def *def,
             const struct outgoing_how *how, struct peer_result *out, struct state *out_state,
             struct isg_fail *why)
{
    char name[STATE_NAME_MAX];
    struct isg_fail own = {.code = ISG_OK};
    struct state before = {.position = 0};
    struct run run = {.parts = parts, .def = def, .how = how, .state_name = name};
    int64_t start = isg_time_now_us();
    peer_state_name(def, name);
    int err = state_load(parts->store, name, &before, &own);
    run.state = before;
    run.state.retry_after_s = 0;
    if (err == ISG_OK)
        err = run_in(&run, &own);
    if (err == ISG_OK) {
        state_succeeded(&run.state, start);
        run.state.total = run.result.total;
        run.state.added = run.result.added;
        run.state.same = run.result.same;
        run.state.refused = run.result.refused;
    } else {
        failed(&run, &before, start, &own);
    }
    if (!how->dry_run && (err != ISG_OK || state_is_news(&before, &run.state))) {
        int saved =
            lease_save(parts->lease, parts->store, name, &run.state, err == ISG_OK ? &own : NULL);
        err = err == ISG_OK ? saved : err;
    }
    *out = run.result;
    *out_state = run.state;
    if (err != ISG_OK && why != NULL)
        *why = own;
    return err;
}
