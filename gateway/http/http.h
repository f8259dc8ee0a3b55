/*
 * HTTP/1.1 and TLS, by meaning. http/listener.c is the only file that knows libmicrohttpd.
 *
 * The library parses; this room adds what it lacks: own accept thread, a guard against smuggled
 * and malformed requests, absolute deadlines, limits per address, early 413. An application
 * supplies two functions. Both may be called on a listener thread with may_wait false: what cannot
 * be answered from memory returns HTTP_WAIT, and the same function is called again on a worker
 * thread with may_wait true. So a listener thread never waits, and no step calls back up.
 */
#ifndef GATEWAY_HTTP_HTTP_H
#define GATEWAY_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/networks.h"
#include "gateway/worker.h"
#include "stix/base/arena.h"
#include "stix/base/err.h"
#include "stix/base/str.h"

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_OTHER
};

enum http_next {
    HTTP_MORE,     /* head only: go on, read the body, then call run */
    HTTP_DONE,     /* the reply is complete */
    HTTP_WAIT,     /* cannot answer without waiting: call again with may_wait */
    HTTP_WAIT_LONG /* likewise, for what keeps a core busy: on the application's slow workers */
};

/* Immutable bytes shared by many replies, counted. */
struct http_bytes;

/* Take over bytes from malloc, also on failure; freed with free. NULL without memory. */
struct http_bytes *http_bytes_take(char *take_bytes, size_t n);
/* A copy with one reference. NULL without memory. */
struct http_bytes *http_bytes_copy(struct isg_str bytes);
/* One more reference; the same pointer. For several threads. */
struct http_bytes *http_bytes_ref(struct http_bytes *bytes);
/* Drop a reference, the last one frees; accepts NULL, leaves NULL. */
void http_bytes_unref(struct http_bytes **bytes);
/* All bytes, as a view that lives as long as a reference. */
struct isg_str http_bytes_str(const struct http_bytes *bytes);

struct http_request;

/* ---- what came in; views live as long as the request ---- */
enum http_method http_method(const struct http_request *request);
/* Raw, without query; begins with a slash. */
struct isg_str http_path(const struct http_request *request);
/* Raw, without the question mark; may be empty. */
struct isg_str http_query(const struct http_request *request);
/* Value of a field, its name in any case; p is NULL when it is absent. */
struct isg_str http_header(const struct http_request *request, const char *name);
/* The whole body, in run. */
struct isg_str http_body(const struct http_request *request);
/* Who asks: the socket's address, or behind trusted proxies the one they name; or "unix". */
struct isg_str http_peer(const struct http_request *request);

/*
 * Of the client, if it leads to the client CA and holds now; else all of it is empty. Issuer and names
 * are empty too where an authority in between signed it that is not itself in the client CA's file:
 * such a one may call itself by any name, and tells nothing by it.
 */
struct http_certificate {
    struct isg_str fingerprint; /* SHA-256 hex */
    struct isg_str issuer;      /* distinguished name, RFC 4514 */
    struct isg_str names; /* subject alternative names: "DNS:", "EMAIL:", "URI:", "IP:" and the
                                   value, one a line */
};
/* Never NULL; lives as long as the request. */
const struct http_certificate *http_client_certificate(const struct http_request *request);
/* True when the listener lets nobody in without a client certificate. */
bool http_certificate_required(const struct http_request *request);
/* The request's id, for the log and for error_id. */
const char *http_id(const struct http_request *request);
/* Memory that is freed with the request. */
struct isg_arena *http_arena(struct http_request *request);

/* A slot for the application (who is asking, which route): lives as long as the request. */
void *http_user(const struct http_request *request);
/* Set the slot; what stood there is not freed. */
void http_set_user(struct http_request *request, void *user);

/* Call done(arg) when the request is over, on whatever thread lets it go: for what the application
 * holds beside the arena. One for each request. */
void http_set_done(struct http_request *request, void (*done)(void *arg), void *arg);

/* The log and metrics name this request by: route (static text) and member (copied). */
void http_name(struct http_request *request, const char *route, struct isg_str member);

/*
 * For the log, so that it tells why a client got nothing: the filters it sent, by name only
 * (copied; R-059), and how many objects went in or out.
 */
void http_note(struct http_request *request, struct isg_str filters, size_t objects);

/* ---- what goes out ---- */
/* With 304, as with HEAD, the bytes to send stay here and only their length goes out. */
void http_status(struct http_request *request, int status);
/*
 * Set a field, in place of one of this name; both texts are copied. What is no field is left out.
 */
void http_set_header(struct http_request *request, const char *name, struct isg_str value);
/* The reply's body; takes its own reference. */
void http_send(struct http_request *request, struct http_bytes *bytes);
/* The same of a copy of bytes; without memory for it the status becomes 503. */
void http_send_copy(struct http_request *request, struct isg_str bytes);

/* Close the connection after this answer. */
void http_close(struct http_request *request);

/*
 * Make the reply an error resource (T-065 to T-068) with this status: title, description from why
 * (may be NULL), http_status, error_id; Content-Type application/taxii+json;version=2.1.
 */
void http_fail(struct http_request *request, int status, const struct isg_fail *why);

/* The percent-decoded value of a query parameter or path piece into the arena; false when the
 * escapes are malformed, or it holds %00 or control bytes. '+' is not a blank. */
bool http_unescape(struct isg_arena *arena, struct isg_str raw, struct isg_str *out);

struct http_app {
    void *arg;
    /* Headers are complete, no byte of the body was read: refuse early, or HTTP_MORE. */
    enum http_next (*head)(void *arg, struct http_request *request, bool may_wait);
    /* A piece of the body as it arrives, never empty, on a listener thread: it does not wait.
     * HTTP_MORE, or HTTP_DONE with a reply that refuses the rest. NULL: the body is kept whole for
     * http_body. What the application keeps of the pieces is accounted for as a body here. */
    enum http_next (*body)(void *arg, struct http_request *request, struct isg_str piece);
    /* The body is complete (or there is none). */
    enum http_next (*run)(void *arg, struct http_request *request, bool may_wait);
    /* The request is over: log, count; status 0: nothing was answered. NULL: it is logged as
     * "http.request" and counted here. Refusals that head never saw are always logged here. */
    void (*over)(void *arg, struct http_request *request, int status, int64_t took_us);
    struct worker_pool *slow_workers; /* for HTTP_WAIT_LONG; NULL: the workers of http_listen */
};

struct http_limits {
    size_t body_max;   /* larger: 413, also for chunked bodies */
    size_t header_max; /* all headers of one request; larger: 431 */
    size_t target_max; /* larger: 414 */
    unsigned connections;
    unsigned connections_per_address;
    unsigned header_timeout_ms;
    unsigned body_timeout_ms; /* renewed every 64 KiB */
    unsigned idle_timeout_ms;
    unsigned threads;   /* listener threads; 0: as many as cores */
    unsigned listeners; /* that share the descriptors of the process; 0: this one alone */
};

enum http_client_certificates {
    HTTP_CERTIFICATES_OPTIONAL, /* where there is a client CA */
    HTTP_CERTIFICATES_NONE,     /* not asked for */
    HTTP_CERTIFICATES_REQUIRED  /* without one there is no connection */
};

struct http_listen { /* where to listen: a Unix socket or HOST:PORT */
    const char *unix_path;
    const char *host_port;
    const char *certificate; /* PEM files; NULL: plain */
    const char *key;
    const char *client_ca;
    const char *client_crl; /* PEM; may be NULL */
    enum http_client_certificates client_certificates;

    /*
     * X-Forwarded-For counts from these alone; one limit of connections per address does not.
     * Borrowed; NULL: none. A plain listener with proxies serves them and loopback only, and
     * answers 411 to chunked bodies: two parsers must not be able to disagree on their end.
     */
    const struct networks *proxies;
};

struct http_listener;

/*
 * Start listening. workers answers what must wait; app is copied.
 * Returns ISG_OK; ISG_ENET (address in use, not to be bound), ISG_EIO (certificate), ISG_ENOMEM.
 */
int http_listen(const struct http_listen *where, const struct http_limits *limits,
                const struct http_app *app, struct worker_pool *workers, struct http_listener **out,
                struct isg_fail *why);

/* The port bound (for port 0); 0 for a Unix socket. */
unsigned http_listener_port(const struct http_listener *listener);

/* Read certificate and key again; connections stay. On failure the old ones stay in use. */
int http_listener_reload(struct http_listener *listener, struct isg_fail *why);

/*
 * False when the start-up test found that the check of the library's parse buffer misjudges; the
 * header rules stand alone then, and `isg doctor` says so.
 */
bool http_layout_check_on(void);

/*
 * Stop accepting, finish what is in flight (at most grace_ms), answer 503 to what still waits for a
 * worker, free. Returns when no worker holds a request of it any more, so close it before the
 * worker pool and the application. Accepts NULL, leaves NULL.
 */
void http_listener_close(struct http_listener **listener, unsigned grace_ms);

#endif
