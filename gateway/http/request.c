#include "gateway/http/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/log.h"
#include "gateway/metrics.h"
#include "stix/base/time.h"

enum { ARENA_MAX_BYTES = 64 << 20 };

static const struct {
    const char *text;
    enum http_method method;
} methods[] = {
    {"GET", HTTP_GET}, {"HEAD", HTTP_HEAD},     {"POST", HTTP_POST},
    {"PUT", HTTP_PUT}, {"DELETE", HTTP_DELETE}, {"OPTIONS", HTTP_OPTIONS},
};

static enum http_method method_of(struct isg_str text)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (isg_str_is(text, methods[i].text))
            return methods[i].method;
    return HTTP_OTHER;
}

/* Ids are unique within a run and do not tell how many requests there were before. */
static void make_id(char out[REQUEST_ID_BYTES])
{
    static atomic_uint_fast64_t counter;
    uint64_t n = (uint64_t)isg_time_now_us() + (atomic_fetch_add(&counter, 1) << 20);
    n ^= n >> 31;
    n *= UINT64_C(0x9e3779b97f4a7c15);
    n ^= n >> 29;
    n *= UINT64_C(0xbf58476d1ce4e5b9);
    n ^= n >> 32;
    (void)snprintf(out, REQUEST_ID_BYTES, "%016llx", (unsigned long long)n);
}

static bool copy(struct isg_arena *arena, struct isg_str from, struct isg_str *to)
{
    char *text = isg_arena_copy(arena, from);
    if (text != NULL)
        *to = (struct isg_str){text, from.n};
    return text != NULL;
}

struct http_request *request_new(const struct http_app *app, struct isg_str target,
                                 struct isg_str peer)
{
    struct isg_arena *arena = isg_arena_new(ARENA_MAX_BYTES);
    struct http_request *request = arena != NULL ? isg_arena_alloc(arena, sizeof *request) : NULL;
    if (request == NULL || !copy(arena, target, &request->target) ||
        !copy(arena, peer, &request->peer)) {
        isg_arena_free(&arena);
        return NULL;
    }
    request->arena = arena;
    request->app = app;
    request->began_us = isg_time_mono_us();
    size_t mark = isg_str_find(request->target, '?');
    request->path = request->target;
    request->query = (struct isg_str){"", 0};
    if (mark < request->target.n) {
        request->path.n = mark;
        request->query = isg_str_from(request->target, mark + 1);
    }
    request->route = "";
    request->member = (struct isg_str){"", 0};
    request->method_text = (struct isg_str){"", 0};
    make_id(request->id);
    atomic_init(&request->owner, OWNER_LISTENER);
    atomic_init(&request->refs, 1);
    return request;
}

bool request_fill(struct http_request *request, const struct guard_head *head)
{
    if (!copy(request->arena, head->method, &request->method_text))
        return false;
    request->method = method_of(head->method);
    struct guard_line *lines = isg_arena_alloc(request->arena, (head->count + 1) * sizeof *lines);
    if (lines == NULL)
        return false;
    for (size_t i = 0; i < head->count; i++)
        if (!copy(request->arena, head->lines[i].name, &lines[i].name) ||
            !copy(request->arena, isg_str_trim(head->lines[i].value), &lines[i].value))
            return false;
    request->lines = lines;
    request->count = head->count;
    return true;
}

void request_certificate(struct http_request *request, const struct http_certificate *certificate)
{
    struct http_certificate mine = {.fingerprint = {NULL, 0}};
    if (certificate->fingerprint.n > 0 &&
        copy(request->arena, certificate->fingerprint, &mine.fingerprint) &&
        copy(request->arena, certificate->issuer, &mine.issuer) &&
        copy(request->arena, certificate->names, &mine.names))
        request->certificate = mine;
}

void request_ref(struct http_request *request)
{
    atomic_fetch_add(&request->refs, 1);
}

static void log_request(const struct http_request *request, int64_t took_us)
{
    size_t bytes = request->bytes != NULL ? http_bytes_str(request->bytes).n : 0;
    struct log_field filters = {.name = NULL};
    struct log_field objects = {.name = NULL};
    if (request->filters.n > 0)
        filters = log_str("filters", request->filters);
    if (request->filters.p != NULL)
        objects = log_int("objects", (int64_t)request->objects);
    LOG(LOG_INFO, "http.request", log_cstr("request", request->id), log_str("peer", request->peer),
        log_str("member", request->member), log_str("method", request->method_text),
        log_cstr("route", request->route), log_int("status", request->status),
        log_int("received", (int64_t)request->taken), log_int("bytes", (int64_t)bytes), filters,
        objects, log_int("took_us", took_us));
}

static void count_request(const struct http_request *request)
{
    char labels[96];
    (void)snprintf(labels, sizeof labels, "route=\"%.48s\",code=\"%d\"", request->route,
                   request->status);
    metric_add(METRIC_HTTP_REQUESTS, labels, 1);
}

/* A request the application never saw was refused here, or broke off in its head. */
static void report(struct http_request *request)
{
    const struct http_app *app = request->app;
    int64_t took_us = isg_time_mono_us() - request->began_us;
    if (request->quiet)
        return;
    metric_observe(METRIC_HTTP_DURATION, took_us);
    if (request->seen && app->over != NULL) {
        app->over(app->arg, request, request->status, took_us);
        return;
    }
    count_request(request);
    log_request(request, took_us);
}

void request_unref(struct http_request *request)
{
    if (atomic_fetch_sub(&request->refs, 1) != 1)
        return;
    report(request);
    http_bytes_unref(&request->bytes);
    isg_buf_done(&request->body);
    if (request->done != NULL)
        request->done(request->done_arg);
    struct isg_arena *arena = request->arena; /* the request itself lives in it */
    isg_arena_free(&arena);
}

/* ---- what the application may ask ---- */

enum http_method http_method(const struct http_request *request)
{
    return request->method;
}

struct isg_str http_path(const struct http_request *request)
{
    return request->path;
}

struct isg_str http_query(const struct http_request *request)
{
    return request->query;
}

/* Lines of one name are one list (RFC 7230, 3.2.2): so two Accept lines both count, and two
 * Authorization lines make one malformed value. */
static struct isg_str join(struct isg_arena *arena, struct isg_str a, struct isg_str b)
{
    const char *text = isg_arena_printf(arena, "%.*s, %.*s", ISG_STR_ARG(a), ISG_STR_ARG(b));
    return text != NULL ? isg_str_of(text) : a;
}

struct isg_str http_header(const struct http_request *request, const char *name)
{
    struct isg_str wanted = isg_str_of(name);
    struct isg_str value = {NULL, 0};
    for (size_t i = 0; i < request->count; i++) {
        if (!isg_str_ieq(request->lines[i].name, wanted))
            continue;
        struct isg_str more = request->lines[i].value;
        value = value.p == NULL ? more : join(request->arena, value, more);
    }
    return value;
}

struct isg_str http_body(const struct http_request *request)
{
    return isg_buf_str(&request->body);
}

struct isg_str http_peer(const struct http_request *request)
{
    return request->peer;
}

const struct http_certificate *http_client_certificate(const struct http_request *request)
{
    return &request->certificate;
}

const char *http_id(const struct http_request *request)
{
    return request->id;
}

struct isg_arena *http_arena(struct http_request *request)
{
    return request->arena;
}

void *http_user(const struct http_request *request)
{
    return request->user;
}

void http_set_user(struct http_request *request, void *user)
{
    request->user = user;
}

void http_set_done(struct http_request *request, void (*done)(void *arg), void *arg)
{
    request->done = done;
    request->done_arg = arg;
}

void http_name(struct http_request *request, const char *route, struct isg_str member)
{
    request->route = route;
    (void)copy(request->arena, member, &request->member);
}

void http_note(struct http_request *request, struct isg_str filters, size_t objects)
{
    if (copy(request->arena, filters, &request->filters))
        request->objects = objects;
}
