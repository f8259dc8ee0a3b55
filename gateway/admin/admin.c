/* Routes of the admin listener: a table, and the one place that turns results into replies. */
#include <stdlib.h>
#include <string.h>

#include "gateway/admin/admin_private.h"
#include "gateway/http/negotiate.h"
#include "gateway/log.h"
#include "stix/base/jsonw.h"
#include "stix/base/time.h"

enum { REPLY_MAX = 256 << 20, FAILURE_MAX = 8192 };

struct admin_route {
    enum http_method method;
    const char *path; /* one `*` stands for a segment */
    admin_handler *handler;
    const char *content_type;
    bool open;     /* also on the TCP listener */
    bool waitless; /* answers from memory, on the listener thread */
};

static const char json_type[] = "application/json";
static const char metrics_type[] = "text/plain; version=0.0.4; charset=utf-8";
static const char lines_type[] = "application/x-ndjson";

static const struct admin_route routes[] = {
    /* clang-format off */
    {HTTP_GET,    "/healthz",                  admin_healthz,          json_type,    true,  true},
    {HTTP_GET,    "/readyz",                   admin_readyz,           json_type,    true,  false},
    {HTTP_GET,    "/metrics",                  admin_metrics,          metrics_type, true,  true},
    {HTTP_GET,    "/admin/v1/status",          admin_status,           json_type,    false, false},
    {HTTP_GET,    "/admin/v1/doctor",          admin_doctor,           json_type,    false, false},
    {HTTP_GET,    "/admin/v1/members",         admin_members_list,     json_type,    false, false},
    {HTTP_POST,   "/admin/v1/members",         admin_members_add,      json_type,    false, false},
    {HTTP_GET,    "/admin/v1/members/*",       admin_members_show,     json_type,    false, false},
    {HTTP_PUT,    "/admin/v1/members/*",       admin_members_set,      json_type,    false, false},
    {HTTP_POST,   "/admin/v1/members/*/token", admin_members_token,    json_type,    false, false},
    {HTTP_DELETE, "/admin/v1/members/*/token", admin_members_revoke,   json_type,    false, false},
    {HTTP_GET,    "/admin/v1/collections",     admin_collections_list, json_type,    false, false},
    {HTTP_POST,   "/admin/v1/collections",     admin_collections_add,  json_type,    false, false},
    {HTTP_PUT,    "/admin/v1/collections/*",   admin_collections_set,  json_type,    false, false},
    {HTTP_POST,   "/admin/v1/ingest",          admin_ingest,           json_type,    false, false},
    {HTTP_GET,    "/admin/v1/export",          admin_export,           lines_type,   false, false},
    {HTTP_POST,   "/admin/v1/collections/*/statement", admin_statement, json_type,    false, false},
    {HTTP_GET,    "/admin/v1/feeds",           admin_feeds_list,       json_type,    false, false},
    {HTTP_POST,   "/admin/v1/feeds",           admin_feeds_add,        json_type,    false, false},
    {HTTP_DELETE, "/admin/v1/feeds/*",         admin_feeds_remove,     json_type,    false, false},
    {HTTP_POST,   "/admin/v1/feeds/*/run",     admin_feeds_run,        json_type,    false, false},
    {HTTP_POST,   "/admin/v1/peers/run",       admin_peers_run,        json_type,    false, false},
    {HTTP_POST,   "/admin/v1/peers/*/run",     admin_peers_run_named,  json_type,    false, false},
    {HTTP_POST,   "/admin/v1/webhooks/*/run",  admin_webhooks_run,     json_type,    false, false},
    /* clang-format on */
};

struct admin *admin_new(const struct admin_parts *parts)
{
    struct admin *admin = malloc(sizeof *admin);
    if (admin != NULL)
        *admin = (struct admin){.parts = *parts, .started_us = isg_time_now_us()};
    return admin;
}

void admin_free(struct admin **admin)
{
    free(*admin);
    *admin = NULL;
}

/* Does path fit the route's shape? `*` matches one non-empty segment, given back in *out_name. */
static bool path_fits(struct isg_str shape, struct isg_str path, struct isg_str *out_name)
{
    struct isg_str want;
    struct isg_str have;
    while (isg_str_split(&shape, '/', &want)) {
        if (!isg_str_split(&path, '/', &have))
            return false;
        if (isg_str_is(want, "*") && have.n > 0)
            *out_name = have;
        else if (!isg_str_eq(want, have))
            return false;
    }
    return path.p == NULL;
}

static const struct admin_route *route_find(enum http_method method, struct isg_str path,
                                            struct isg_str *out_name, bool *out_path_known)
{
    *out_path_known = false;
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        *out_name = (struct isg_str){NULL, 0};
        if (!path_fits(isg_str_of(routes[i].path), path, out_name))
            continue;
        *out_path_known = true;
        if (routes[i].method == method || (method == HTTP_HEAD && routes[i].method == HTTP_GET))
            return &routes[i];
    }
    return NULL;
}

struct isg_str admin_param(const struct admin_call *call, const char *name)
{
    struct isg_str rest = http_query(call->request);
    struct isg_str raw_name;
    struct isg_str raw_value;
    struct isg_str value;
    while (http_query_next(&rest, &raw_name, &raw_value))
        if (isg_str_is(raw_name, name) &&
            http_unescape(http_arena(call->request), raw_value, &value))
            return value;
    return (struct isg_str){NULL, 0};
}

int admin_param_u64(const struct admin_call *call, const char *name, uint64_t fallback,
                    uint64_t max, uint64_t *out, struct isg_fail *why)
{
    struct isg_str text = admin_param(call, name);
    *out = fallback;
    if (text.p == NULL || isg_str_to_u64(text, max, out))
        return ISG_OK;
    return isg_fail(why, ISG_EINVAL, "%s is not a number up to %llu", name,
                    (unsigned long long)max);
}

int admin_param_collection(const struct admin_call *call, const struct registry *registry,
                           const struct collection **out, struct isg_fail *why)
{
    struct isg_str name = admin_param(call, "collection");
    if (name.n == 0)
        return isg_fail(why, ISG_EINVAL, "which collection? (parameter `collection`)");
    return registry_collection(registry, (struct isg_str){"", 0}, name, out, why);
}

/*
 * Who asks here runs the service: unlike a member (T-068) the operator is told what broke, also
 * when it was not the request: a source that does not answer, a file that cannot be read.
 */
static void send_failure(struct http_request *request, int err, const struct isg_fail *why)
{
    struct isg_buf text;
    struct isg_jsonw w;
    isg_buf_init(&text, FAILURE_MAX);
    isg_jsonw_init(&w, &text);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "title", isg_strerror(err));
    isg_jsonw_put(&w, "description", why->text[0] != '\0' ? why->text : NULL);
    isg_jsonw_put_int(&w, "http_status", isg_err_http(err));
    isg_jsonw_name(&w, "details");
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "path", why->path[0] != '\0' ? why->path : NULL);
    isg_jsonw_put(&w, "rule", why->rule[0] != '\0' ? why->rule : NULL);
    isg_jsonw_end(&w);
    isg_jsonw_end(&w);
    http_status(request, isg_err_http(err));
    http_set_header(request, "Content-Type", isg_str_of(json_type));
    http_send_copy(request, isg_buf_str(&text));
    isg_buf_done(&text);
}

static enum http_next answer(struct admin *admin, const struct admin_route *route,
                             struct isg_str raw_name, struct http_request *request)
{
    struct isg_fail why = {0};
    struct isg_buf reply;
    isg_buf_init(&reply, REPLY_MAX);
    struct admin_call call = {.admin = admin, .request = request, .reply = &reply, .status = 200};
    int err = ISG_OK;
    if (raw_name.n > 0 && !http_unescape(http_arena(request), raw_name, &call.name))
        err = isg_fail(&why, ISG_EINVAL, "malformed escape in the path");
    if (err == ISG_OK)
        err = route->handler(&call, &why);
    if (err == ISG_OK && reply.err != ISG_OK)
        err = isg_fail(&why, reply.err, "the answer is too large");
    if (err != ISG_OK) {
        send_failure(request, err, &why);
    } else {
        http_status(request, call.status);
        http_set_header(request, "Content-Type", isg_str_of(route->content_type));
        http_send_copy(request, isg_buf_str(&reply));
    }
    isg_buf_done(&reply);
    return HTTP_DONE;
}

static enum http_next run(struct admin *admin, struct http_request *request, bool may_wait,
                          bool open_only)
{
    struct isg_str name;
    bool path_known;
    const struct admin_route *route =
        route_find(http_method(request), http_path(request), &name, &path_known);
    if (route == NULL || (open_only && !route->open)) {
        http_name(request, "admin", (struct isg_str){NULL, 0});
        http_fail(request, path_known && !open_only ? 405 : 404, NULL);
        return HTTP_DONE;
    }
    http_name(request, route->path, (struct isg_str){NULL, 0});
    if (!route->waitless && !may_wait)
        return HTTP_WAIT;
    return answer(admin, route, name, request);
}

enum http_next admin_head(void *arg, struct http_request *request, bool may_wait)
{
    (void)arg;
    (void)request;
    (void)may_wait;
    return HTTP_MORE;
}

enum http_next admin_run(void *arg, struct http_request *request, bool may_wait)
{
    return run(arg, request, may_wait, false);
}

enum http_next admin_public_run(void *arg, struct http_request *request, bool may_wait)
{
    return run(arg, request, may_wait, true);
}
