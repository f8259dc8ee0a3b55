/*
 * The only file that knows libmicrohttpd. Its facts, found by trial with 0.9.75:
 *
 *  - A response queued in the first call of the handler closes the connection; one queued in the
 *    final call keeps it. While a body arrives none can be queued at all.
 *  - After a suspend, the same call of the handler comes again.
 *  - What the URI callback returns becomes the slot of the handler calls; the library's own url is
 *    unescaped and cut, so routes are made from the raw target taken there.
 *  - The daemon panics when it is stopped with a connection suspended.
 */
#include "gateway/http/listener.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

#include "gateway/http/lexis.h"
#include "gateway/metrics.h"
#include "stix/base/time.h"

enum {
    STEP_BYTES = 64 << 10,      /* of body for one body deadline */
    SMALL_BODY = 64 << 10,      /* a refused body up to this is read, and the connection kept */
    BY_HAND_MAX = 64 << 10,     /* replies up to this may be written by hand */
    DISCARD_BYTES = 8 << 20,    /* read after a reply by hand, so that the peer sees it */
    DISCARD_US = 2000000,       /* and for how long */
    ANSWER_MAX_US = 600000000,  /* the slowest reader of the longest reply */
    POOL_EXTRA_BYTES = 16 << 10 /* of the library's memory, beside the request head */
};

static atomic_bool layout_on = true;

bool layout_check_wanted(void)
{
    return atomic_load(&layout_on);
}

void layout_check_set(bool on)
{
    atomic_store(&layout_on, on);
}

/* ---- asking the library ---- */

static struct connection *connection_of(struct MHD_Connection *library)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(library, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

static void *session_of(struct MHD_Connection *library)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(library, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info != NULL ? info->tls_session : NULL;
}

struct collected {
    struct guard_line lines[GUARD_HEADERS_MAX];
    size_t count;
};

static enum MHD_Result collect(void *arg, enum MHD_ValueKind kind, const char *name, size_t name_n,
                               const char *value, size_t value_n)
{
    struct collected *all = arg;
    (void)kind;
    if (all->count < GUARD_HEADERS_MAX)
        all->lines[all->count] =
            (struct guard_line){.name = {name, name_n},
                                .value = {value != NULL ? value : "", value != NULL ? value_n : 0}};
    all->count++;
    return MHD_YES;
}

static size_t header_size(struct MHD_Connection *library)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(library, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info != NULL ? info->header_size : 0;
}

/* ---- deadlines ---- */

static void deadline(struct MHD_Connection *library, int64_t from_now_us)
{
    struct connection *connection = connection_of(library);
    if (connection != NULL)
        connections_deadline(connection, from_now_us > 0 ? isg_time_mono_us() + from_now_us : 0);
}

static int64_t body_us(const struct http_listener *listener)
{
    return (int64_t)listener->limits.body_timeout_ms * 1000;
}

/* As slow as an upload may be, so slow may a reader be. */
static int64_t answer_us(const struct http_listener *listener, size_t n)
{
    int64_t steps = 1 + (int64_t)(n / STEP_BYTES);
    int64_t us = body_us(listener);
    return us > ANSWER_MAX_US / steps ? ANSWER_MAX_US : us * steps;
}

/* ---- replies ---- */

static struct MHD_Response *make_response(const struct http_request *request)
{
    struct isg_str body =
        request->bytes != NULL ? http_bytes_str(request->bytes) : (struct isg_str){"", 0};
    /* persistent: the request holds the bytes until the library is done with them */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.n, (void *)(uintptr_t)body.p, MHD_RESPMEM_PERSISTENT);
    for (size_t i = 0; response != NULL && i < request->reply_count; i++)
        (void)MHD_add_response_header(response, request->reply[i].name.p,
                                      request->reply[i].value.p);
    return response;
}

static enum MHD_Result send_reply(struct http_listener *listener, struct http_request *request)
{
    if (atomic_load(&listener->stopping))
        request->close = true;
    reply_finish(request);
    struct MHD_Response *response = make_response(request);
    if (response == NULL)
        return MHD_NO;
    deadline(request->connection,
             answer_us(listener, request->bytes != NULL ? http_bytes_str(request->bytes).n : 0));
    request->step = STEP_SENT;
    enum MHD_Result result =
        MHD_queue_response(request->connection, (unsigned)request->status, response);
    MHD_destroy_response(response);
    return result;
}

static bool write_plain(struct MHD_Connection *library, struct isg_str text)
{
    struct connection *connection = connection_of(library);
    if (connection == NULL)
        return false;
    ssize_t n = send(connection->fd, text.p, text.n, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)shutdown(connection->fd, SHUT_WR);
    return n >= 0 && (size_t)n == text.n;
}

/*
 * Answer while a body arrives: write now, then drop a bounded rest of the body. Closing at once
 * would make the kernel reset the connection, and the peer would not see the reply.
 */
static enum MHD_Result send_by_hand(struct http_listener *listener, struct http_request *request)
{
    struct isg_buf text;
    request->close = true;
    if (request->bytes != NULL && http_bytes_str(request->bytes).n > BY_HAND_MAX)
        return MHD_NO;
    reply_finish(request);
    isg_buf_init(&text, BY_HAND_MAX * 2);
    reply_write(request, &text);
    void *session = listener->tls != NULL ? session_of(request->connection) : NULL;
    bool written = text.err == ISG_OK;
    if (written && session != NULL)
        written = tls_write_last(session, isg_buf_str(&text));
    else if (written)
        written = write_plain(request->connection, isg_buf_str(&text));
    isg_buf_done(&text);
    isg_buf_done(&request->body);
    request->step = STEP_DISCARD;
    request->taken = 0;
    deadline(request->connection, DISCARD_US);
    return written ? MHD_YES : MHD_NO;
}

static enum MHD_Result refuse_by_hand(struct http_listener *listener, struct http_request *request,
                                      int status, const char *rule, const char *text)
{
    struct isg_fail why;
    (void)isg_fail_at(&why, status == 413 ? ISG_ELIMIT : ISG_EUSAGE, NULL, rule, "%s", text);
    http_fail(request, status, &why);
    return send_by_hand(listener, request);
}

static enum MHD_Result refuse_too_large(struct http_listener *listener,
                                        struct http_request *request)
{
    metric_add(METRIC_HTTP_REFUSED, "reason=\"body\"", 1);
    if (request->step == STEP_START && request->framing.expects_continue) {
        struct isg_fail why;
        (void)isg_fail_at(&why, ISG_ELIMIT, NULL, "R-010", "the request body is too large");
        http_fail(request, 413, &why);
        request->close = true;
        return send_reply(listener, request); /* the body was never sent */
    }
    return refuse_by_hand(listener, request, 413, "R-010", "the request body is too large");
}

/* ---- workers ---- */

static void link_suspended(struct http_listener *listener, struct http_request *request)
{
    request->next = listener->suspended;
    request->at = &listener->suspended;
    if (request->next != NULL)
        request->next->at = &request->next;
    listener->suspended = request;
    request->linked = true;
}

/* Only its own listener thread puts a request into the list or takes it out, so that thread sees
 * without the lock that it is not there, the usual case. */
static void unlink_suspended(struct http_listener *listener, struct http_request *request)
{
    if (!request->linked)
        return;
    (void)pthread_mutex_lock(&listener->lock);
    *request->at = request->next;
    if (request->next != NULL)
        request->next->at = request->at;
    (void)pthread_mutex_unlock(&listener->lock);
    request->linked = false;
}

/* Exactly one of the worker and the one who gives up moves the owner on, and resumes. */
static bool hand_over(struct http_request *request, int from, int to)
{
    return atomic_compare_exchange_strong(&request->owner, &from, to);
}

static void end_job(struct http_request *request)
{
    struct http_listener *listener = request->listener;
    request_unref(request);
    atomic_fetch_sub(&listener->jobs, 1);
}

static void work(void *arg)
{
    struct http_request *request = arg;
    const struct http_app *app = request->app;
    if (hand_over(request, OWNER_QUEUE, OWNER_WORKER)) {
        request->verdict = request->step == STEP_HEAD ? app->head(app->arg, request, true)
                                                      : app->run(app->arg, request, true);
        if (hand_over(request, OWNER_WORKER, OWNER_LISTENER))
            MHD_resume_connection(request->connection);
    }
    end_job(request);
}

static bool suspend(struct http_listener *listener, struct http_request *request)
{
    (void)pthread_mutex_lock(&listener->lock);
    bool may = !listener->draining;
    if (may) {
        atomic_store(&request->owner, OWNER_QUEUE);
        request_ref(request);
        atomic_fetch_add(&listener->jobs, 1);
        link_suspended(listener, request);
        MHD_suspend_connection(request->connection);
    }
    (void)pthread_mutex_unlock(&listener->lock);
    return may;
}

/* The queue is full: take the request back, unless it was given up meanwhile. */
static void take_back(struct http_request *request)
{
    if (hand_over(request, OWNER_QUEUE, OWNER_WORKER)) {
        reply_busy(request, "too many requests wait; try again");
        request->verdict = HTTP_DONE;
        if (hand_over(request, OWNER_WORKER, OWNER_LISTENER))
            MHD_resume_connection(request->connection);
    }
    end_job(request);
}

void listener_give_up_waiting(struct http_listener *listener)
{
    (void)pthread_mutex_lock(&listener->lock);
    listener->draining = true;
    for (struct http_request *r = listener->suspended; r != NULL; r = r->next)
        if (hand_over(r, OWNER_QUEUE, OWNER_NONE) || hand_over(r, OWNER_WORKER, OWNER_NONE))
            MHD_resume_connection(r->connection);
    (void)pthread_mutex_unlock(&listener->lock);
}

/* ---- a request's way ---- */

static bool has_body(const struct http_request *request)
{
    return request->framing.chunked || request->framing.length > 0;
}

/* The reply is known before the body was read. */
static enum MHD_Result reply_early(struct http_listener *listener, struct http_request *request)
{
    const struct guard_body *framing = &request->framing;
    if (has_body(request) && framing->expects_continue) {
        request->close = true;
        return send_reply(listener, request);
    }
    if (framing->chunked || framing->length > SMALL_BODY)
        return send_by_hand(listener, request);
    request->step = STEP_REPLY; /* sent in the final call, so that the connection stays */
    if (has_body(request))
        deadline(request->connection, body_us(listener));
    return MHD_YES;
}

static enum MHD_Result ask_worker(struct http_listener *listener, struct http_request *request,
                                  enum request_step step)
{
    request->step = step;
    deadline(request->connection, 0); /* whoever works on it has time-outs of its own */
    if (!suspend(listener, request)) {
        reply_busy(request, "the service is stopping");
        return step == STEP_HEAD ? reply_early(listener, request) : send_reply(listener, request);
    }
    if (worker_submit(listener->workers, work, request) != ISG_OK)
        take_back(request);
    return MHD_YES;
}

static enum MHD_Result broken_app(struct http_listener *listener, struct http_request *request)
{
    http_fail(request, 500, NULL);
    request->close = true;
    return send_reply(listener, request);
}

static enum MHD_Result after_head(struct http_listener *listener, struct http_request *request,
                                  enum http_next verdict)
{
    switch (verdict) {
    case HTTP_MORE:
        request->step = STEP_BODY;
        deadline(request->connection, has_body(request) ? body_us(listener) : 0);
        return MHD_YES;
    case HTTP_DONE: return reply_early(listener, request);
    case HTTP_WAIT:
        if (request->step == STEP_START)
            return ask_worker(listener, request, STEP_HEAD);
        break;
    }
    return broken_app(listener, request);
}

static enum MHD_Result after_run(struct http_listener *listener, struct http_request *request,
                                 enum http_next verdict)
{
    if (verdict == HTTP_DONE)
        return send_reply(listener, request);
    if (verdict == HTTP_WAIT && request->step == STEP_BODY)
        return ask_worker(listener, request, STEP_RUN);
    return broken_app(listener, request);
}

/* The guard's verdict on the head; 0: go on. */
static int inspect(struct http_listener *listener, struct http_request *request,
                   struct guard_head *head, struct isg_fail *why)
{
    const struct guard_limits limits = {.header_max = listener->limits.header_max,
                                        .target_max = listener->limits.target_max};
    int status = guard_check(head, &limits, &request->framing, why);
    if (status == 0 && layout_check_wanted() && !guard_layout_holds(head)) {
        (void)isg_fail_at(why, ISG_EUSAGE, NULL, "R-008", "the request head is malformed");
        status = 400;
    }
    if (head->count > GUARD_HEADERS_MAX)
        head->count = GUARD_HEADERS_MAX;
    return request_fill(request, head) ? status : 503;
}

/* A refused head: what follows it cannot be told apart, so the connection closes. Where only the
 * wish is refused and a body is on its way, the reply must not be lost in a reset. */
static enum MHD_Result refuse_head(struct http_listener *listener, struct http_request *request,
                                   int status, const struct isg_fail *why)
{
    metric_add(METRIC_HTTP_REFUSED, "reason=\"head\"", 1);
    http_fail(request, status, why);
    request->close = true;
    if (has_body(request) && !request->framing.expects_continue)
        return send_by_hand(listener, request);
    return send_reply(listener, request);
}

static enum MHD_Result begin(struct http_listener *listener, struct http_request *request,
                             struct MHD_Connection *library, const char *method,
                             const char *version)
{
    struct collected all = {.count = 0};
    struct isg_fail why = {.code = ISG_OK};
    (void)MHD_get_connection_values_n(library, MHD_HEADER_KIND, collect, &all);
    struct guard_head head = {.method = isg_str_of(method),
                              .target = request->target,
                              .target_at = request->target_at,
                              .version = version,
                              .lines = all.lines,
                              .count = all.count,
                              .header_size = header_size(library)};
    int status = inspect(listener, request, &head, &why);
    if (status != 0)
        return refuse_head(listener, request, status, &why);
    if (request->framing.length > listener->limits.body_max)
        return refuse_too_large(listener, request);
    request->body_start = method + head.header_size;
    struct connection *connection = connection_of(library);
    if (connection != NULL && connection->tls != NULL)
        request_certificate(request,
                            tls_client(listener->tls, connection->tls, session_of(library)));
    request->seen = true;
    deadline(library, 0);
    return after_head(listener, request, listener->app.head(listener->app.arg, request, false));
}

/* ---- the body ---- */

/*
 * The library takes a bare LF as the end of a chunk-size line, and waits for whatever size the line
 * names. The line stands just before the chunk's data in the buffer, unless the data came later
 * and begins the buffer anew; where it can be seen, it is held to CRLF and to the limit. Returns 0,
 * 400 or 413.
 */
static int check_chunk_line(const struct http_request *request, const char *data, size_t room)
{
    if (!request->framing.chunked || !layout_check_wanted() || data < request->body_start + 2)
        return 0;
    if (data[-2] != '\r' || data[-1] != '\n')
        return 400;
    const char *line = data - 2;
    while (line > request->body_start && line[-1] != '\n')
        line--;
    uint64_t size = 0;
    for (uint8_t digit = 0; http_hex_digit(*line, &digit); line++) {
        size = size << 4 | digit;
        if (size > room)
            return 413;
    }
    return 0;
}

/* All bodies together are bounded too: many uploads must not add up to all memory. */
static bool take_budget(struct http_listener *listener, struct http_request *request, size_t n)
{
    if (atomic_fetch_add(&listener->body_bytes, n) + n > listener->body_bytes_max) {
        atomic_fetch_sub(&listener->body_bytes, n);
        return false;
    }
    request->budget += n;
    return true;
}

static enum MHD_Result keep(struct http_listener *listener, struct http_request *request,
                            struct isg_str data)
{
    size_t left = listener->limits.body_max - request->taken;
    int status = check_chunk_line(request, data.p, left);
    if (status == 400)
        return refuse_by_hand(listener, request, 400, "R-004", "a chunk's size line is malformed");
    if (status == 413 || data.n > left)
        return refuse_too_large(listener, request);
    bool room = take_budget(listener, request, data.n);
    if (request->taken == 0 && request->framing.length > 0)
        (void)isg_buf_reserve(&request->body, (size_t)request->framing.length);
    isg_buf_put_str(&request->body, data);
    if (!room || request->body.err != ISG_OK) {
        reply_busy(request, "too many uploads at once; try again");
        return send_by_hand(listener, request);
    }
    if ((request->taken + data.n) / STEP_BYTES != request->taken / STEP_BYTES)
        deadline(request->connection, body_us(listener));
    request->taken += data.n;
    return MHD_YES;
}

static enum MHD_Result on_body(struct http_listener *listener, struct http_request *request,
                               struct isg_str data)
{
    if (request->step == STEP_BODY)
        return keep(listener, request, data);
    request->taken += data.n;
    return request->step == STEP_DISCARD && request->taken > DISCARD_BYTES ? MHD_NO : MHD_YES;
}

/* ---- the library's callbacks ---- */

/* The request's connection was given up while a worker had it: answer with another one. */
static enum MHD_Result stand_in(struct http_listener *listener, struct http_request *request,
                                void **slot)
{
    struct http_request *other = request_new(&listener->app, ISG_STR("/"), request->peer);
    if (other == NULL)
        return MHD_NO;
    other->listener = listener;
    other->connection = request->connection;
    other->quiet = true;
    memcpy(other->id, request->id, sizeof other->id);
    other->framing = request->framing;
    enum request_step step = request->step;
    *slot = other;
    atomic_fetch_sub(&listener->body_bytes, request->budget);
    request_unref(request);
    reply_busy(other, "the service is stopping");
    return step == STEP_HEAD ? reply_early(listener, other) : send_reply(listener, other);
}

static enum MHD_Result on_resumed(struct http_listener *listener, struct http_request *request,
                                  void **slot)
{
    unlink_suspended(listener, request);
    if (atomic_load(&request->owner) == OWNER_NONE)
        return stand_in(listener, request, slot);
    return request->step == STEP_HEAD ? after_head(listener, request, request->verdict)
                                      : after_run(listener, request, request->verdict);
}

static enum MHD_Result on_call(void *arg, struct MHD_Connection *library, const char *url,
                               const char *method, const char *version, const char *upload,
                               size_t *upload_n, void **slot)
{
    struct http_listener *listener = ((struct lane *)arg)->listener;
    struct http_request *request = *slot;
    (void)url;
    if (request == NULL)
        return MHD_NO; /* there was no memory for it */
    if (*upload_n > 0) {
        struct isg_str data = {upload, *upload_n};
        *upload_n = 0;
        return on_body(listener, request, data);
    }
    switch (request->step) {
    case STEP_START: return begin(listener, request, library, method, version);
    case STEP_HEAD:
    case STEP_RUN: return on_resumed(listener, request, slot);
    case STEP_BODY:
        deadline(library, 0);
        return after_run(listener, request, listener->app.run(listener->app.arg, request, false));
    case STEP_REPLY: return send_reply(listener, request);
    case STEP_DISCARD: return MHD_NO;
    case STEP_SENT: break;
    }
    return MHD_YES;
}

/* The library would cut the query into arguments nobody reads; some hundred of them exhaust its
 * memory, and its refusal of that hangs. So it gets to see an empty one. */
static void hide_query(const char *uri)
{
    const char *mark = strchr(uri, '?');
    if (mark != NULL)
        ((char *)(uintptr_t)mark)[1] = '\0'; /* the library's own buffer, not constant */
}

static void *on_target(void *arg, const char *uri, struct MHD_Connection *library)
{
    struct http_listener *listener = ((struct lane *)arg)->listener;
    struct connection *connection = connection_of(library);
    if (connection == NULL)
        return NULL;
    atomic_store(&connection->idle, false);
    if (connection->answered > 0)
        deadline(library, (int64_t)listener->limits.header_timeout_ms * 1000);
    struct http_request *request =
        request_new(&listener->app, isg_str_of(uri), isg_str_of(connection->peer));
    if (request == NULL)
        return NULL;
    request->listener = listener;
    request->connection = library;
    request->target_at = uri;
    hide_query(uri);
    request->quiet = listener->quiet;
    isg_buf_init(&request->body, listener->limits.body_max);
    atomic_fetch_add(&listener->in_flight, 1);
    return request;
}

static void on_completed(void *arg, struct MHD_Connection *library, void **slot,
                         enum MHD_RequestTerminationCode code)
{
    struct http_listener *listener = ((struct lane *)arg)->listener;
    struct http_request *request = *slot;
    struct connection *connection = connection_of(library);
    (void)code;
    *slot = NULL;
    if (connection != NULL) {
        connection->answered++;
        deadline(library, (int64_t)listener->limits.idle_timeout_ms * 1000);
        atomic_store(&connection->idle, true);
    }
    if (request == NULL)
        return;
    unlink_suspended(listener, request); /* resumed, and closed before the handler saw it again */
    atomic_fetch_sub(&listener->body_bytes, request->budget);
    request_unref(request);
    atomic_fetch_sub(&listener->in_flight, 1);
}

static void on_connection(void *arg, struct MHD_Connection *library, void **slot,
                          enum MHD_ConnectionNotificationCode code)
{
    struct lane *lane = arg;
    struct http_listener *listener = lane->listener;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(library, MHD_CONNECTION_INFO_CONNECTION_FD);
        int64_t until = isg_time_mono_us() + (int64_t)listener->limits.header_timeout_ms * 1000;
        struct connection *connection =
            info != NULL ? connections_start(listener->connections, info->connect_fd, until) : NULL;
        if (connection != NULL && listener->tls != NULL)
            connection->tls = tls_begin(listener->tls, session_of(library));
        *slot = connection;
        return;
    }
    struct connection *connection = *slot;
    *slot = NULL;
    if (connection == NULL)
        return;
    tls_end(&connection->tls); /* the session is gone already */
    connections_remove(listener->connections, connection);
    atomic_fetch_sub(&lane->connections, 1);
}

/* Nothing is unescaped: nobody reads the library's url. */
static size_t leave_escaped(void *arg, struct MHD_Connection *library, char *text)
{
    (void)arg, (void)library;
    return strlen(text);
}

/* ---- listener threads ---- */

/* Room for the largest head we answer ourselves, and as much again: the library reads into half
 * of it. Beyond that its own 431 or 414 comes. */
static size_t pool_bytes(const struct http_limits *limits)
{
    return 2 * (limits->header_max + limits->target_max) + POOL_EXTRA_BYTES;
}

bool lane_start(struct http_listener *listener, unsigned index)
{
    struct lane *lane = &listener->lanes[index];
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET |
                     MHD_ALLOW_SUSPEND_RESUME | (listener->tls != NULL ? MHD_USE_TLS : 0);
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)tls_priorities()},
        {MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, (void *)(uintptr_t)tls_no_certificate()},
        {MHD_OPTION_END, 0, NULL},
    };
    lane->listener = listener;
    lane->index = index;
    atomic_init(&lane->connections, 0);
    lane->daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, on_call, lane, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                         pool_bytes(&listener->limits), MHD_OPTION_CONNECTION_LIMIT,
                         listener->limits.connections + 16, MHD_OPTION_CONNECTION_TIMEOUT, 0U,
                         MHD_OPTION_URI_LOG_CALLBACK, on_target, lane, MHD_OPTION_NOTIFY_COMPLETED,
                         on_completed, lane, MHD_OPTION_NOTIFY_CONNECTION, on_connection, lane,
                         MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, lane, MHD_OPTION_ARRAY,
                         listener->tls != NULL ? tls : &tls[2], MHD_OPTION_END);
    return lane->daemon != NULL;
}

void lane_stop(struct lane *lane)
{
    if (lane->daemon != NULL)
        MHD_stop_daemon(lane->daemon);
    lane->daemon = NULL;
}

/* By load, not by turns alone: long-lived connections must not pile up on one thread. */
static struct lane *choose_lane(struct http_listener *listener)
{
    struct lane *best = NULL;
    unsigned least = 0;
    for (unsigned i = 0; i < listener->lane_count; i++) {
        struct lane *lane = &listener->lanes[(listener->next_lane + i) % listener->lane_count];
        unsigned load = atomic_load(&lane->connections);
        if (best == NULL || load < least) {
            best = lane;
            least = load;
        }
    }
    listener->next_lane = (best->index + 1) % listener->lane_count;
    return best;
}

void lane_give(struct http_listener *listener, struct connection *connection,
               const struct sockaddr *address, socklen_t n)
{
    struct lane *lane = choose_lane(listener);
    atomic_fetch_add(&lane->connections, 1);
    if (MHD_add_connection(lane->daemon, connection->fd, address, n) != MHD_YES) {
        atomic_fetch_sub(&lane->connections, 1); /* the library closed the socket */
        connections_remove(listener->connections, connection);
    }
}
