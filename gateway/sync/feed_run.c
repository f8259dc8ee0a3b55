#include "gateway/sync/feed_run.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "feeds/document.h"
#include "gateway/log.h"
#include "gateway/sync/csaf_run.h"
#include "gateway/sync/removals.h"
#include "stix/base/time.h"

void feed_state_name(const char *feed, char out[STATE_NAME_MAX])
{
    (void)snprintf(out, STATE_NAME_MAX, "feed:%s", feed);
}

/* ---- fetch and map -------------------------------------------------------------------------- */

static int judge(const struct feed_response *response, struct isg_fail *why)
{
    switch (response->status) {
    case 200:
    case 304: return ISG_OK;
    case 401: return isg_fail(why, ISG_EAUTH, "the source wants other credentials (401)");
    case 403: return isg_fail(why, ISG_EDENIED, "the source refuses (403)");
    case 404: return isg_fail(why, ISG_ENOENT, "nothing at the source's URL (404)");
    default: return isg_fail(why, ISG_ENET, "the source answered with status %d", response->status);
    }
}

static enum feed_redirects redirects_of(const char *word)
{
    if (strcmp(word, "never") == 0)
        return FEED_REDIRECTS_NEVER;
    return strcmp(word, "follow") == 0 ? FEED_REDIRECTS_FOLLOW : FEED_REDIRECTS_AUTO;
}

/* An address of allow_networks. */
static bool is_allowed(const void *arg, const struct sockaddr *address, socklen_t length)
{
    char text[NETWORKS_ADDRESS_TEXT];
    return getnameinfo(address, length, text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0 &&
           networks_have(arg, isg_str_of(text));
}

static struct feed_request request_of(const struct feed_run *run, const char *url)
{
    const struct feed_def *def = run->def;
    return (struct feed_request){.url = url,
                                 .home = def->url,
                                 .headers = run->headers.lines,
                                 .ca = def->ca,
                                 .client_certificate = def->client_certificate,
                                 .client_key = def->client_key,
                                 .proxy = def->proxy,
                                 .proxy_auth = run->proxy_auth,
                                 .redirects = redirects_of(def->redirects),
                                 .allow_private = def->allow_private,
                                 .allow_address = run->networks != NULL ? is_allowed : NULL,
                                 .allow_arg = run->networks,
                                 .timeout_s = def->timeout_s,
                                 .max_wire = def->max_wire,
                                 .max_bytes = def->max_bytes,
                                 .max_ratio = def->max_ratio,
                                 .stop = run->parts->stop};
}

int feed_run_get(struct feed_run *run, const char *url, const char *etag, const char *last_modified,
                 struct feed_response *out, struct isg_fail *why)
{
    struct feed_request request = request_of(run, url);
    struct feed_response response = {0};
    request.etag = etag != NULL && etag[0] != '\0' ? etag : NULL;
    request.last_modified =
        last_modified != NULL && last_modified[0] != '\0' ? last_modified : NULL;
    int err = feed_fetch_patiently(&request, &response, why);
    if (err != ISG_OK)
        return err;
    run->retry_after_s = response.retry_after_s;
    err = judge(&response, why);
    if (err == ISG_OK && response.status == 200 &&
        feed_is_html(isg_str_of(response.content_type), isg_buf_str(&response.body)))
        err = isg_fail(why, ISG_EPARSE, "the source answered with an HTML page");
    if (err == ISG_OK)
        *out = response;
    else
        feed_response_done(&response);
    return err;
}

int feed_run_map(struct feed_run *run, struct isg_str text, const char *file_name,
                 struct isg_fail *why)
{
    long mark;
    uint64_t count;
    struct isg_fail ignored;
    int err = spool_mark(run->spool, &mark, &count, why);
    if (err != ISG_OK)
        return err;
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
    if (n >= STATE_VALIDATOR_MAX)
        n = 0; /* one too long to keep is none */
    if (n > 0)
        memcpy(out, value, n);
    out[n] = '\0';
}

/* The answer's body as the text that mappings read: unpacked, UTF-8, and no page for people. */
static int document_read(const struct feed_run *run, struct feed_response *response,
                         struct isg_fail *why)
{
    struct isg_str type = isg_str_of(response->content_type);
    int err = document_unpack(&response->body, run->def->max_bytes, run->def->max_ratio, why);
    if (err == ISG_OK)
        err = document_decode(type, &response->body, why);
    return err;
}

/* A single document. Its validators enter the state only with the state's own writing. */
static int single_run(struct feed_run *run, struct isg_fail *why)
{
    struct feed_response response = {0};
    bool fresh = run->state.converter == FEED_CONVERTER_VERSION && run->state.held_times == 0;
    int err = feed_run_get(run, run->def->url, fresh ? run->state.etag : NULL,
                           fresh ? run->state.last_modified : NULL, &response, why);
    if (err != ISG_OK)
        return err;
    if (response.status == 304) {
        run->nothing = true;
    } else {
        err = document_read(run, &response, why);
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

static int ingest_one(void *arg, struct isg_str object, const char *facet, struct isg_fail *why)
{
    return ingest_add(arg, object, facet, why);
}

static int ingest_all(struct feed_run *run, const struct collection *collection,
                      struct feed_result *out, struct isg_fail *why)
{
    struct ingest_source source = {.name = isg_str_of(run->def->name),
                                   .mode = run->source->as_sent ? INGEST_AS_SENT : INGEST_MAPPED};
    struct ingest_run *ingest =
        ingest_begin(run->parts->store, collection, &source, false, run->dry_run);
    if (ingest == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    int err = spool_each(run->spool, ingest_one, ingest, why);
    if (err == ISG_OK)
        err = ingest_finish(ingest, why);
    out->counts = *ingest_counts(ingest);
    ingest_end(&ingest);
    return err;
}

/* Everything from the first request to the last commit; the state is not written here. */
static int run_stages(struct feed_run *run, const struct collection *collection,
                      struct feed_result *out, struct isg_fail *why)
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
                                   .accept = run->accept_shrink};
    bool provider = csaf_run_is(run->def);
    int err = provider ? csaf_run(run, why) : single_run(run, why);
    if (err == ISG_OK && !run->nothing && run->source->withdraw != NULL)
        err = removals_apply(&of, &removals, why);
    if (err == ISG_OK && !run->nothing)
        err = ingest_all(run, collection, out, why);
    if (err == ISG_OK && !run->dry_run)
        err = removals_keep(run->parts->store, run->def->name, &removals, why);
    if (err == ISG_OK && !run->dry_run && provider)
        err = csaf_run_keep(run, why);
    out->withdrawn = removals.held ? 0 : removals.missing;
    out->held = removals.held;
    removals_done(&removals);
    return err;
}

static int run_open(struct feed_run *run, struct isg_fail *why)
{
    const struct config *config = run->parts->config;
    run->source = feed_source_find(isg_str_of(run->def->format));
    if (run->source == NULL)
        return isg_fail(why, ISG_EINVAL, "no such format");
    feed_namespace(isg_str_of(config->id_urn), run->context.space);
    run->context.now_us = isg_time_now_us();
    run->context.owner = isg_str_of(config->name);
    run->context.slug = run->def->name;
    run->context.emit = spool_add;
    run->context.limits =
        (struct stix_limits){.depth = run->def->max_depth, .string_bytes = run->def->max_string};
    run->context.max_records = run->def->max_records;
    int err = header_lines_read(config->dir, run->def->header_file, &run->headers, why);
    if (err == ISG_OK)
        err = secret_line_read(config->dir, run->def->proxy_auth_file, &run->proxy_auth, why);
    if (err == ISG_OK && run->def->allow_networks != NULL)
        err = networks_parse(isg_str_of(run->def->allow_networks), &run->networks, why);
    if (err == ISG_OK)
        err = spool_open(config->dir, &run->spool, why);
    run->context.arg = run->spool;
    return err;
}

static void run_done(struct feed_run *run)
{
    header_lines_done(&run->headers);
    secret_free(&run->proxy_auth);
    networks_free(&run->networks);
    spool_close(&run->spool);
    isg_buf_done(&run->files);
}

static void result_fill(const struct feed_run *run, struct feed_result *out)
{
    out->unchanged = run->nothing;
    out->documents = run->documents;
    out->failed = run->failed;
    if (run->failed > 0)
        (void)snprintf(out->first_error, sizeof out->first_error, "%.200s", run->first_failed.text);
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
    state->added = result->counts.added;
    state->same = result->counts.same;
    state->refused = result->counts.refused;
}

int feed_run(const struct sync_parts *parts, const struct feed_def *def, bool dry_run,
             struct feed_result *out, struct state *out_state, struct isg_fail *why)
{
    char name[STATE_NAME_MAX];
    struct isg_fail own = {.code = ISG_OK};
    struct feed_run run = {.parts = parts, .def = def, .dry_run = dry_run};
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
    bool stopped = err == ISG_EBUSY; /* the service ends: that is no failure of the source */
    if (stopped)
        run.state = before;
    if (!dry_run && !stopped) {
        int saved = state_save(parts->store, name, &run.state, err == ISG_OK ? &own : NULL);
        err = err == ISG_OK ? saved : err;
    }
    run_done(&run);
    *out = result;
    *out_state = run.state;
    if (err != ISG_OK && why != NULL)
        *why = own;
    return err;
}
