#include "gateway/taxii/taxii.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/http/negotiate.h"
#include "gateway/share/view.h"
#include "gateway/taxii/ahead.h"
#include "gateway/taxii/call.h"
#include "gateway/taxii/flight.h"
#include "gateway/taxii/next.h"

enum { CHALLENGE_MAX = 1024 };

/* ---- the room itself ------------------------------------------------------------------------ */

/* Printable ASCII without quote and backslash. */
static bool is_realm_char(char c)
{
    return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

/* The organisation's name is the realm. */
static char *make_challenge(const char *name)
{
    struct isg_buf realm;
    struct isg_buf out;
    isg_buf_init(&realm, CHALLENGE_MAX / 4);
    isg_buf_init(&out, CHALLENGE_MAX);
    for (const char *c = name != NULL ? name : ""; *c != '\0' && realm.len < 100; c++) {
        char shown = '_';
        if (is_realm_char(*c))
            shown = *c;
        isg_buf_putc(&realm, shown);
    }
    struct isg_str text = realm.len > 0 ? isg_buf_str(&realm) : ISG_STR("TAXII");
    isg_buf_printf(&out, "Basic realm=\"%.*s\", charset=\"UTF-8\", Bearer realm=\"%.*s\"",
                   ISG_STR_ARG(text), ISG_STR_ARG(text));
    isg_buf_done(&realm);
    char *challenge = isg_buf_take(&out, NULL);
    isg_buf_done(&out);
    return challenge;
}

struct taxii *taxii_new(const struct taxii_parts *parts)
{
    const struct config *config = parts->config;
    struct taxii *taxii = calloc(1, sizeof *taxii);
    if (taxii == NULL)
        return NULL;
    taxii->parts = *parts;
    taxii->cache = page_cache_new(config->limits.cache_bytes);
    taxii->flights = flights_new();
    taxii->ahead = ahead_new();
    taxii->views = view_memory_new();
    taxii->discovery = resource_discovery(config);
    taxii->challenge = make_challenge(config->name);
    taxii->roots = calloc(config->roots_count + 1, sizeof(struct http_bytes *));
    bool whole = taxii->cache != NULL && taxii->flights != NULL && taxii->ahead != NULL &&
                 taxii->views != NULL && taxii->discovery != NULL && taxii->challenge != NULL &&
                 taxii->roots != NULL;
    for (unsigned i = 0; whole && i < config->roots_count; i++) {
        taxii->roots[i] = resource_root(config, &config->roots[i]);
        whole = taxii->roots[i] != NULL;
    }
    if (!whole)
        taxii_free(&taxii);
    return taxii;
}

void taxii_free(struct taxii **taxii)
{
    struct taxii *gone = *taxii;
    *taxii = NULL;
    if (gone == NULL)
        return;
    for (unsigned i = 0; gone->roots != NULL && i < gone->parts.config->roots_count; i++)
        http_bytes_unref(&gone->roots[i]);
    free(gone->roots);
    free(gone->challenge);
    http_bytes_unref(&gone->discovery);
    view_memory_free(&gone->views);
    ahead_free(&gone->ahead);
    flights_free(&gone->flights);
    page_cache_free(&gone->cache);
    free(gone);
}

/* ---- the steps before a handler: HTTP_MORE goes on, anything else is the answer ------------- */

static enum http_next refuse_for_now(struct call *call, const char *text, unsigned retry_s)
{
    char seconds[16];
    (void)snprintf(seconds, sizeof seconds, "%u", retry_s > 0 ? retry_s : 1);
    enum http_next next = call_refuse(call, 429, NULL, text);
    http_set_header(call->request, "Retry-After", isg_str_of(seconds));
    return next;
}

/* First of all, and for every URL: who is not known learns nothing but that (T-072, T-073). */
static enum http_next step_authenticate(struct call *call)
{
    const struct http_certificate *shown = http_client_certificate(call->request);
    struct auth_request ask = {.authorization = http_header(call->request, "Authorization"),
                               .certificate = {shown->fingerprint, shown->issuer, shown->names},
                               .certificate_needed = http_certificate_required(call->request),
                               .peer = http_peer(call->request)};
    unsigned retry_s = 1;
    struct isg_fail why = {0};
    int err = auth_check(call->taxii->parts.auth, call->registry, &ask, call->may_wait,
                         &call->member, &retry_s, &why);
    if (err == ISG_EBUSY && !call->may_wait)
        return HTTP_WAIT_LONG;
    if (err == ISG_ELIMIT) /* */
        return refuse_for_now(call, "too many failed logins", retry_s);
    if (err == ISG_EAUTH)
        return call_unauthorized(call);
    if (err != ISG_OK)
        return call_failed(call, &why);
    call->member_name = isg_str_of(call->member->name);
    http_name(call->request, call->match.route != NULL ? call->match.route->name : "unknown",
              call->member_name);
    return HTTP_MORE;
}

/* Once a request: a head that was called again is not another one, since only a login waits. */
static enum http_next step_admit(struct call *call)
{
    const struct taxii_parts *parts = &call->taxii->parts;
    unsigned wait_s =
        auth_admit(parts->auth, call->member, parts->config->limits.requests_per_minute);
    return wait_s == 0 ? HTTP_MORE : refuse_for_now(call, "too many requests", wait_s);
}

static const struct config_root *find_root(const struct config *config, struct isg_str path)
{
    for (unsigned i = 0; i < config->roots_count; i++)
        if (isg_str_is(path, config->roots[i].path))
            return &config->roots[i];
    return NULL;
}

static enum http_next step_route(struct call *call)
{
    const struct route_match *match = &call->match;
    if (match->allowed == 0)
        return call_not_found(call);
    if (match->piece[ROUTE_ROOT].n > 0) {
        call->root = find_root(call->taxii->parts.config, match->piece[ROUTE_ROOT]);
        if (call->root == NULL)
            return call_not_found(call);
    }
    if (match->route != NULL)
        return HTTP_MORE;
    char allow[40];
    route_allow(match->allowed, allow);
    (void)call_refuse(call, 405, NULL, "this method is not defined for this resource");
    http_set_header(call->request, "Allow", isg_str_of(allow));
    return HTTP_DONE;
}

static enum http_next step_accept(struct call *call)
{
    struct isg_str accept = http_header(call->request, "Accept");
    bool fits = http_accepts_taxii(accept);
    /* The manifest's table names the STIX type beside ours (T-017). */
    if (!fits && call->match.route->endpoint == QUERY_MANIFEST)
        fits = http_accept_names(accept, "application/stix+json", "2.1");
    if (fits)
        return HTTP_MORE;
    return call_refuse(call, 406, "T-019",
                       "this server answers with application/taxii+json;version=2.1"); /* */
}

/* By id or alias within the root (T-102); a title is no name in a URL. */
static const struct collection *find_collection(const struct call *call, struct isg_str name)
{
    const struct registry *registry = call->registry;
    for (size_t i = 0; i < registry->collections_count; i++) {
        const struct collection *c = &registry->collections[i];
        if (!isg_str_eq(isg_str_of(c->root), isg_str_of(call->root->path)))
            continue;
        if (isg_str_ieq(name, isg_str_of(c->id)) ||
            (c->alias != NULL && isg_str_is(name, c->alias)))
            return c;
    }
    return NULL;
}

static enum http_next step_rights(struct call *call)
{
    enum route_right right = call->match.route->right;
    if (right == ROUTE_LOGIN)
        return HTTP_MORE;
    call->collection = find_collection(call, call->match.piece[ROUTE_COLLECTION]);
    if (call->collection == NULL)
        return call_not_found(call);
    int status = route_right_status(right, collection_can_read(call->collection, call->member),
                                    collection_can_write(call->collection, call->member));
    if (status == 200)
        return HTTP_MORE;
    if (status == 404)
        return call_not_found(call);
    return call_refuse(call, 403, NULL, "this collection does not allow that to this member");
}

/* Put the position of a token sent into the query (T-043). */
static int open_next(struct call *call, struct isg_fail *why)
{
    struct query *query = &call->query;
    struct next_binding binding = {isg_str_of(call->collection->id), call->member_name, query};
    if (query->next.n == 0)
        return ISG_OK;
    return next_open(call->taxii->parts.secret, &binding, query->next, &query->view.after, why);
}

static enum http_next step_query(struct call *call)
{
    struct query_ask ask = {.endpoint = call->match.route->endpoint,
                            .raw = http_query(call->request),
                            .object_id = call->match.piece[ROUTE_OBJECT],
                            .page_max = call->taxii->parts.config->limits.page_max};
    struct isg_fail why = {0};
    if (ask.endpoint == QUERY_NONE)
        return HTTP_MORE;
    int err = query_parse(http_arena(call->request), &ask, &call->query, &why);
    if (err == ISG_OK)
        err = open_next(call, &why);
    if (err == ISG_EINVAL) {
        http_fail(call->request, 400, &why);
        return HTTP_DONE;
    }
    return err == ISG_OK ? HTTP_MORE : call_failed(call, &why);
}

static enum http_next step_content(struct call *call)
{
    if (http_method(call->request) != HTTP_POST)
        return HTTP_MORE; /* where no body is meant, its type does not matter */
    struct isg_str coding = http_header(call->request, "Content-Encoding");
    if (coding.n > 0 && !isg_str_ieq(isg_str_trim(coding), ISG_STR("identity")))
        return call_refuse(call, 415, "T-122", "the body must not be encoded");
    if (http_is_taxii_content(http_header(call->request, "Content-Type")))
        return HTTP_MORE;
    return call_refuse(call, 415, "T-122", "the body must be application/taxii+json;version=2.1");
}

struct step {
    enum http_next (*take)(struct call *call);
};

static enum http_next take_steps(struct call *call, const struct step *steps, size_t n)
{
    enum http_next next = HTTP_MORE;
    for (size_t i = 0; next == HTTP_MORE && i < n; i++)
        next = steps[i].take(call);
    return next;
}

/* ---- entries -------------------------------------------------------------------------------- */

static struct call *call_of(struct taxii *taxii, struct http_request *request)
{
    struct call *call = http_user(request);
    if (call != NULL)
        return call;
    call = isg_arena_alloc(http_arena(request), sizeof *call);
    if (call == NULL)
        return NULL;
    call->taxii = taxii;
    call->request = request;
    route_find(http_arena(request), http_method(request), http_path(request), &call->match);
    http_set_user(request, call);
    http_name(request, call->match.route != NULL ? call->match.route->name : "unknown",
              ISG_STR(""));
    return call;
}

static void enter(struct call *call, bool may_wait)
{
    call->may_wait = may_wait;
    call->registry = directory_get(call->taxii->parts.directory);
}

static void leave(struct call *call)
{
    call->member = NULL;
    call->collection = NULL;
    registry_unref(&call->registry);
}

static enum http_next no_memory(struct http_request *request)
{
    struct isg_fail why;
    (void)isg_fail(&why, ISG_ENOMEM, "out of memory");
    http_fail(request, 503, &why);
    return HTTP_DONE;
}

/* What must outlive the registry's snapshot goes into the arena. */
static bool keep_names(struct call *call)
{
    struct isg_arena *arena = http_arena(call->request);
    char *name = isg_arena_copy(arena, call->member_name);
    call->member_name.p = name;
    return name != NULL;
}

enum http_next taxii_head(void *arg, struct http_request *request, bool may_wait)
{
    static const struct step steps[] = {{step_authenticate}, {step_admit},  {step_route},
                                        {step_accept},       {step_rights}, {step_query},
                                        {step_content}};
    struct call *call = call_of(arg, request);
    if (call == NULL)
        return no_memory(request);
    enter(call, may_wait);
    enum http_next next = take_steps(call, steps, sizeof steps / sizeof steps[0]);
    if (next == HTTP_MORE && !keep_names(call))
        next = no_memory(request);
    leave(call);
    return next;
}

enum http_next taxii_body(void *arg, struct http_request *request, struct isg_str piece)
{
    struct call *call = call_of(arg, request);
    if (call == NULL)
        return no_memory(request);
    if (call->match.route == NULL || call->match.route->handler != call_push)
        return HTTP_MORE; /* no body is meant here: it is dropped */
    return call_take(call, piece);
}

/* The member again, from the present snapshot. */
static enum http_next step_member(struct call *call)
{
    call->member = registry_member(call->registry, call->member_name);
    if (call->member == NULL || call->member->suspended)
        return call_unauthorized(call);
    return HTTP_MORE;
}

static enum http_next step_handle(struct call *call)
{
    return call->match.route->handler(call);
}

enum http_next taxii_run(void *arg, struct http_request *request, bool may_wait)
{
    static const struct step steps[] = {{step_member}, {step_rights}, {step_handle}};
    struct call *call = call_of(arg, request);
    if (call == NULL)
        return no_memory(request);
    enter(call, may_wait);
    enum http_next next = take_steps(call, steps, sizeof steps / sizeof steps[0]);
    leave(call);
    return next;
}
