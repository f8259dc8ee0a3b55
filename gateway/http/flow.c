/*
 * A request's way from its head to its reply, by steps. It knows neither the library nor GnuTLS.
 */
#include <string.h>
#include <sys/socket.h>

#include "gateway/http/forwarded.h"
#include "gateway/http/lexis.h"
#include "gateway/http/listener.h"
#include "gateway/metrics.h"
#include "stix/base/time.h"

enum {
    STEP_BYTES = 64 << 10,    /* of body for one body deadline */
    SMALL_BODY = 64 << 10,    /* a refused body up to this is read, and the connection kept */
    BY_HAND_MAX = 64 << 10,   /* replies up to this may be written by hand */
    DISCARD_BYTES = 8 << 20,  /* read after a reply by hand, so that the peer sees it */
    DISCARD_US = 2000000,     /* and for how long */
    ANSWER_MAX_US = 600000000 /* the slowest reader of the longest reply */
};

/* ---- deadlines ---- */

static void deadline(const struct http_request *request, int64_t from_now_us)
{
    connections_deadline(request->socket, from_now_us > 0 ? isg_time_mono_us() + from_now_us : 0);
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

static size_t reply_bytes(const struct http_request *request)
{
    return request->bytes != NULL ? http_bytes_str(request->bytes).n : 0;
}

static bool send_reply(struct http_request *request)
{
    if (atomic_load(&request->listener->stopping))
        request->close = true;
    reply_finish(request);
    deadline(request, answer_us(request->listener, reply_bytes(request)));
    request->step = STEP_SENT;
    return library_reply(request);
}

static bool write_plain(const struct http_request *request, struct isg_str text)
{
    ssize_t n = send(request->socket->fd, text.p, text.n, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)shutdown(request->socket->fd, SHUT_WR);
    return n >= 0 && (size_t)n == text.n;
}

/*
 * Answer while a body arrives: write now, then drop a bounded rest of the body. Closing at once
 * would make the kernel reset the connection, and the peer would not see the reply.
 */
static bool send_by_hand(struct http_request *request)
{
    struct isg_buf text;
    request->close = true;
    reply_finish(request);
    isg_buf_init(&text, (size_t)BY_HAND_MAX * 2);
    reply_write(request, &text);
    void *session = request->listener->tls != NULL ? library_session(request->connection) : NULL;
    bool written = text.err == ISG_OK;
    if (written && session != NULL)
        written = tls_write_last(session, isg_buf_str(&text));
    else if (written)
        written = write_plain(request, isg_buf_str(&text));
    isg_buf_done(&text);
    isg_buf_done(&request->body);
    request->step = STEP_DISCARD;
    request->taken = 0;
    deadline(request, DISCARD_US);
    return written;
}

static bool refuse_by_hand(struct http_request *request, int status, const char *rule,
                           const char *text)
{
    struct isg_fail why;
    (void)isg_fail_at(&why, status == 413 ? ISG_ELIMIT : ISG_EUSAGE, NULL, rule, "%s", text);
    http_fail(request, status, &why);
    return send_by_hand(request);
}

static bool refuse_too_large(struct http_request *request)
{
    metric_add(METRIC_HTTP_REFUSED, "reason=\"body\"", 1);
    if (request->step == STEP_START && request->framing.expects_continue) {
        struct isg_fail why;
        (void)isg_fail_at(&why, ISG_ELIMIT, NULL, "R-010", "the request body is too large");
        http_fail(request, 413, &why);
        request->close = true;
        return send_reply(request); /* the body was never sent */
    }
    return refuse_by_hand(request, 413, "R-010", "the request body is too large");
}

/* ---- a request's way ---- */

static bool has_body(const struct http_request *request)
{
    return request->framing.chunked || request->framing.length > 0;
}

/* The reply is known before the body was read. */
static bool reply_early(struct http_request *request)
{
    const struct guard_body *framing = &request->framing;
    bool long_body = framing->chunked || framing->length > SMALL_BODY;
    if ((has_body(request) && framing->expects_continue) ||
        (long_body && reply_bytes(request) > BY_HAND_MAX)) {
        request->close = true;
        return send_reply(request); /* in the first call: the body is not read */
    }
    if (long_body)
        return send_by_hand(request);
    request->step = STEP_REPLY; /* sent in the final call, so that the connection stays */
    if (has_body(request))
        deadline(request, body_us(request->listener));
    return true;
}

static bool ask_worker(struct http_request *request, enum request_step step, bool slow)
{
    request->step = step;
    request->slow = slow;
    deadline(request, 0); /* whoever works on it has time-outs of its own */
    if (!waiting_begin(request)) {
        reply_busy(request, "the service is stopping");
        return step == STEP_HEAD ? reply_early(request) : send_reply(request);
    }
    return true;
}

static bool broken_app(struct http_request *request)
{
    http_fail(request, 500, NULL);
    request->close = true;
    return send_reply(request);
}

static bool after_head(struct http_request *request, enum http_next verdict)
{
    switch (verdict) {
    case HTTP_MORE:
        request->step = STEP_BODY;
        deadline(request, has_body(request) ? body_us(request->listener) : 0);
        return true;
    case HTTP_DONE: return reply_early(request);
    case HTTP_WAIT:
    case HTTP_WAIT_LONG:
        if (request->step == STEP_START)
            return ask_worker(request, STEP_HEAD, verdict == HTTP_WAIT_LONG);
        break;
    }
    return broken_app(request);
}

static bool after_run(struct http_request *request, enum http_next verdict)
{
    if (verdict == HTTP_DONE)
        return send_reply(request);
    if ((verdict == HTTP_WAIT || verdict == HTTP_WAIT_LONG) && request->step == STEP_BODY)
        return ask_worker(request, STEP_RUN, verdict == HTTP_WAIT_LONG);
    return broken_app(request);
}

/* The guard's verdict on the head; 0: go on. */
static int inspect(struct http_request *request, struct guard_head *head, struct isg_fail *why)
{
    const struct guard_limits limits = {.header_max = request->listener->limits.header_max,
                                        .target_max = request->listener->limits.target_max};
    int status = guard_check(head, &limits, &request->framing, why);
    if (status == 0 && http_layout_check_on() && !guard_layout_holds(head)) {
        (void)isg_fail_at(why, ISG_EUSAGE, NULL, "R-008", "the request head is malformed");
        status = 400;
    }
    if (head->count > GUARD_HEADERS_MAX)
        head->count = GUARD_HEADERS_MAX;
    return request_fill(request, head) ? status : 503;
}

/* Behind a proxy that is trusted the request comes from whom it names. */
static void name_client(struct http_request *request)
{
    const struct http_listener *listener = request->listener;
    char *client =
        request->socket->proxy ? isg_arena_alloc(request->arena, NETWORKS_ADDRESS_TEXT) : NULL;
    if (client == NULL)
        return;
    forwarded_client(listener->proxies, http_header(request, "X-Forwarded-For"), request->peer,
                     client);
    request->peer = isg_str_of(client);
}

/* A refused head: what follows it cannot be told apart, so the connection closes. Where only the
 * wish is refused and a body is on its way, the reply must not be lost in a reset. */
static bool refuse_head(struct http_request *request, int status, const struct isg_fail *why)
{
    metric_add(METRIC_HTTP_REFUSED, "reason=\"head\"", 1);
    http_fail(request, status, why);
    request->close = true;
    if (has_body(request) && !request->framing.expects_continue)
        return send_by_hand(request);
    return send_reply(request);
}

bool flow_begin(struct http_request *request, struct guard_head *head)
{
    struct isg_fail why = {.code = ISG_OK};
    atomic_store(&request->socket->fresh, false);
    int status = inspect(request, head, &why);
    name_client(request);
    if (status == 0 && request->framing.chunked && request->listener->behind_proxy) {
        (void)isg_fail_at(&why, ISG_EUSAGE, NULL, "R-004", "here a body needs a Content-Length");
        status = 411;
    }
    if (status != 0)
        return refuse_head(request, status, &why);
    if (request->framing.length > request->listener->limits.body_max)
        return refuse_too_large(request);
    request->body_start = head->method.p + head->header_size;
    if (request->socket->tls != NULL) {
        struct http_certificate certificate;
        tls_client(request->listener->tls, request->socket->tls,
                   library_session(request->connection), &certificate);
        request_certificate(request, &certificate);
    }
    request->seen = true;
    deadline(request, 0);
    return after_head(request,
                      request->listener->app.head(request->listener->app.arg, request, false));
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
    if (!request->framing.chunked || !http_layout_check_on() || data < request->body_start + 2)
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
static bool take_budget(struct http_request *request, size_t n)
{
    if (atomic_fetch_add(&request->listener->body_bytes, n) + n >
        request->listener->body_bytes_max) {
        atomic_fetch_sub(&request->listener->body_bytes, n);
        return false;
    }
    request->budget += n;
    return true;
}

/* Keep a piece whole, or show it to the application. */
static enum http_next take_piece(struct http_request *request, struct isg_str data)
{
    const struct http_app *app = &request->listener->app;
    if (app->body != NULL)
        return app->body(app->arg, request, data);
    if (request->taken == 0 && request->framing.length > 0)
        (void)isg_buf_reserve(&request->body, (size_t)request->framing.length);
    isg_buf_put_str(&request->body, data);
    return HTTP_MORE;
}

/*
 * The application refuses in the middle of a body. The little that is left of a small one is
 * dropped, and the connection stays; how long a chunked one is shows as it comes.
 */
static bool refuse_rest(struct http_request *request)
{
    size_t known = request->framing.chunked ? request->taken : (size_t)request->framing.length;
    if (known > SMALL_BODY)
        return send_by_hand(request);
    request->step = STEP_REPLY;
    return true;
}

/* The reply is known: a body that turns out long or malformed gets it now, and the end. */
static bool drop(struct http_request *request, struct isg_str data)
{
    request->taken += data.n;
    if (request->step == STEP_REPLY && request->framing.chunked &&
        (request->taken > SMALL_BODY ||
         check_chunk_line(request, data.p, request->listener->limits.body_max) != 0))
        return send_by_hand(request);
    return request->step != STEP_DISCARD || request->taken <= DISCARD_BYTES;
}

static bool keep(struct http_request *request, struct isg_str data)
{
    size_t left = request->listener->limits.body_max - request->taken;
    int status = check_chunk_line(request, data.p, left);
    if (status == 400)
        return refuse_by_hand(request, 400, "R-004", "a chunk's size line is malformed");
    if (status == 413 || data.n > left)
        return refuse_too_large(request);
    enum http_next next = HTTP_DONE;
    if (take_budget(request, data.n))
        next = take_piece(request, data);
    else
        reply_busy(request, "too many uploads at once; try again");
    if (request->body.err != ISG_OK) {
        reply_busy(request, "no memory for an upload; try again");
        next = HTTP_DONE;
    }
    if ((request->taken + data.n) / STEP_BYTES != request->taken / STEP_BYTES)
        deadline(request, body_us(request->listener));
    request->taken += data.n;
    return next == HTTP_DONE ? refuse_rest(request) : true;
}

bool flow_body(struct http_request *request, struct isg_str data)
{
    if (request->step == STEP_BODY)
        return keep(request, data);
    return drop(request, data);
}

/* ---- the final call, and calls after a wait ---- */

/* The request's connection was given up while a worker had it: answer with another one. */
static bool stand_in(struct http_request *request, void **slot)
{
    struct http_request *other = request_new(&request->listener->app, ISG_STR("/"), request->peer);
    if (other == NULL)
        return false;
    other->listener = request->listener;
    other->connection = request->connection;
    other->socket = request->socket;
    other->quiet = true;
    memcpy(other->id, request->id, sizeof other->id);
    other->framing = request->framing;
    enum request_step step = request->step;
    *slot = other;
    atomic_fetch_sub(&request->listener->body_bytes, request->budget);
    request_unref(request);
    reply_busy(other, "the service is stopping");
    return step == STEP_HEAD ? reply_early(other) : send_reply(other);
}

static bool resumed(struct http_request *request, void **slot)
{
    waiting_end(request);
    library_resumed(request->connection);
    if (atomic_load(&request->owner) == OWNER_NONE)
        return stand_in(request, slot);
    return request->step == STEP_HEAD ? after_head(request, request->verdict)
                                      : after_run(request, request->verdict);
}

bool flow_call(struct http_request *request, void **slot)
{
    switch (request->step) {
    case STEP_HEAD:
    case STEP_RUN: return resumed(request, slot);
    case STEP_BODY:
        deadline(request, 0);
        return after_run(request,
                         request->listener->app.run(request->listener->app.arg, request, false));
    case STEP_REPLY: return send_reply(request);
    case STEP_DISCARD: return false;
    case STEP_START:
    case STEP_SENT: break;
    }
    return true;
}

bool http_certificate_required(const struct http_request *request)
{
    const struct http_listener *listener = request->listener;
    return listener != NULL && listener->tls != NULL && tls_requires_client(listener->tls);
}
