/*
 * The only file that knows libmicrohttpd. Its facts, found by trial with 0.9.75:
 *
 *  - A response queued in the first call of the handler closes the connection; one queued in the
 *    final call keeps it. While a body arrives none can be queued at all.
 *  - After a suspend, the same call of the handler comes again.
 *  - What the URI callback returns becomes the slot of the handler calls; the library's own url is
 *    unescaped and cut, so routes are made from the raw target taken there.
 *  - The daemon panics when it is stopped with a connection suspended.
 *  - What is resumed is read from before its handler is called again, and where the peer has closed
 *    its half the request is dropped, unless the connection has a time-out of its own: those are
 *    looked at first.
 */
#include "gateway/http/listener.h"

#include <string.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "stix/base/time.h"

enum {
    POOL_EXTRA_BYTES = 32 << 10, /* of the library's memory, beside the request head */
    REPLY_HEAD_BYTES = 512,      /* about */
    RESUMED_S = 86400 /* a time-out that is no time-out, from the suspend to the resume */
};

/* ---- asking the library ---- */

static struct connection *connection_of(struct MHD_Connection *library)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(library, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

void *library_session(void *library)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(library, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info != NULL ? info->tls_session : NULL;
}

static void set_timeout(struct MHD_Connection *library, unsigned seconds)
{
    (void)MHD_set_connection_option(library, MHD_CONNECTION_OPTION_TIMEOUT, seconds);
}

void library_suspend(void *library)
{
    MHD_suspend_connection(library);
    set_timeout(library, RESUMED_S);
}

void library_resumed(void *library)
{
    set_timeout(library, 0);
}

void library_resume(void *library)
{
    MHD_resume_connection(library);
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

/* ---- replies ---- */

static struct isg_str body_of(const struct http_request *request)
{
    return request->bytes != NULL ? http_bytes_str(request->bytes) : (struct isg_str){"", 0};
}

static struct MHD_Response *make_response(const struct http_request *request)
{
    struct isg_str body = body_of(request);
    void *bytes = (void *)(uintptr_t)body.p; /* NOLINT(performance-no-int-to-ptr): only read */
    /* persistent: the request holds the bytes until the library is done with them */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.n, bytes, MHD_RESPMEM_PERSISTENT);
    for (size_t i = 0; response != NULL && i < request->reply_count; i++)
        (void)MHD_add_response_header(response, request->reply[i].name.p,
                                      request->reply[i].value.p);
    return response;
}

bool library_reply(struct http_request *request)
{
    struct MHD_Response *response = make_response(request);
    if (response == NULL)
        return false;
    enum MHD_Result result =
        MHD_queue_response(request->connection, (unsigned)request->status, response);
    MHD_destroy_response(response);
    size_t n = body_of(request).n;
    if (result == MHD_YES && n > 0)
        tls_records_hold(request->socket->records, REPLY_HEAD_BYTES + n);
    return result == MHD_YES;
}

/* ---- the library's callbacks ---- */

static bool begin(struct http_request *request, struct MHD_Connection *library, const char *method,
                  const char *version)
{
    struct collected all = {.count = 0};
    (void)MHD_get_connection_values_n(library, MHD_HEADER_KIND, collect, &all);
    struct guard_head head = {.method = isg_str_of(method),
                              .target = request->target,
                              .target_at = request->target_at,
                              .version = version,
                              .lines = all.lines,
                              .count = all.count,
                              .header_size = header_size(library)};
    return flow_begin(request, &head);
}

/* NOLINTNEXTLINE(readability-function-size): the library's signature */
static enum MHD_Result on_call(void *arg, struct MHD_Connection *library, const char *url,
                               const char *method, const char *version, const char *upload,
                               size_t *upload_n, void **slot)
{
    struct http_request *request = *slot;
    bool go_on = false;
    (void)arg, (void)url;
    if (request == NULL) {
        go_on = false; /* there was no memory for it */
    } else if (*upload_n > 0) {
        go_on = flow_body(request, (struct isg_str){upload, *upload_n});
        *upload_n = 0;
    } else if (request->step == STEP_START) {
        go_on = begin(request, library, method, version);
    } else {
        go_on = flow_call(request, slot);
    }
    return go_on ? MHD_YES : MHD_NO;
}

/* The library would cut the query into arguments nobody reads; some hundred of them exhaust its
 * memory, and its refusal of that hangs. So it gets to see an empty one. */
static void hide_query(const char *uri)
{
    const char *mark = strchr(uri, '?');
    if (mark != NULL)
        /* NOLINTNEXTLINE(performance-no-int-to-ptr): the library's own buffer, not constant */
        ((char *)(uintptr_t)mark)[1] = '\0';
}

static int64_t after_ms(unsigned ms)
{
    return isg_time_mono_us() + (int64_t)ms * 1000;
}

static void *on_target(void *arg, const char *uri, struct MHD_Connection *library)
{
    struct http_listener *listener = ((struct lane *)arg)->listener;
    struct connection *connection = connection_of(library);
    if (connection == NULL)
        return NULL;
    atomic_store(&connection->idle, false);
    if (connection->answered > 0)
        connections_deadline(connection, after_ms(listener->limits.header_timeout_ms));
    struct http_request *request =
        request_new(&listener->app, isg_str_of(uri), isg_str_of(connection->peer));
    if (request == NULL)
        return NULL;
    request->listener = listener;
    request->connection = library;
    request->socket = connection;
    request->target_at = uri;
    hide_query(uri);
    request->quiet = listener->quiet;
    isg_buf_init(&request->body, listener->limits.body_max);
    atomic_fetch_add(&listener->in_flight, 1);
    return request;
}

/*
 * A peer that sent its last request and closed its half: the library took the edge that told of it
 * for that request's bytes, and would wait for more of them. What it has read already it answers.
 */
static void tell_half_closed(const struct connection *connection)
{
    char byte;
    if (connection->tls == NULL && recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
        (void)shutdown(connection->fd, SHUT_RD); /* which is another edge */
}

static void on_completed(void *arg, struct MHD_Connection *library, void **slot,
                         enum MHD_RequestTerminationCode code)
{
    struct http_listener *listener = ((struct lane *)arg)->listener;
    struct http_request *request = *slot;
    struct connection *connection = connection_of(library);
    *slot = NULL;
    if (connection != NULL && code == MHD_REQUEST_TERMINATED_COMPLETED_OK &&
        !tls_records_release(connection->records))
        (void)shutdown(connection->fd, SHUT_RDWR);
    if (connection != NULL) {
        tell_half_closed(connection);
        connection->answered++;
        connections_deadline(connection, after_ms(listener->limits.idle_timeout_ms));
        atomic_store(&connection->idle, true);
    }
    if (request == NULL)
        return;
    waiting_end(request); /* resumed, and closed before the handler saw it again */
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
        int64_t until = after_ms(listener->limits.header_timeout_ms);
        struct connection *connection =
            info != NULL ? connections_start(listener->connections, info->connect_fd, until) : NULL;
        if (connection != NULL && listener->tls != NULL) {
            connection->tls = tls_begin(listener->tls, library_session(library));
            connection->records = tls_records_begin(library_session(library), connection->fd);
        }
        *slot = connection;
        return;
    }
    struct connection *connection = *slot;
    *slot = NULL;
    if (connection == NULL)
        return;
    tls_end(&connection->tls); /* the session is gone already */
    tls_records_end(&connection->records);
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
    /* NOLINTBEGIN(performance-no-int-to-ptr): the library knows which of them is read only */
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)tls_priorities()},
        {MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, (void *)(uintptr_t)tls_no_certificate()},
        {MHD_OPTION_END, 0, NULL},
    };
    /* NOLINTEND(performance-no-int-to-ptr) */
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
    struct lane *best = &listener->lanes[listener->next_lane];
    unsigned least = atomic_load(&best->connections);
    for (unsigned i = 1; i < listener->lane_count; i++) {
        struct lane *lane = &listener->lanes[(listener->next_lane + i) % listener->lane_count];
        unsigned load = atomic_load(&lane->connections);
        if (load < least) {
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
