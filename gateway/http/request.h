/*
 * The inside of a request, shared by the files of this room. It owns copies of everything the
 * application may look at, so that a worker may still hold it when its connection is gone.
 */
#ifndef GATEWAY_HTTP_REQUEST_H
#define GATEWAY_HTTP_REQUEST_H

#include <stdatomic.h>

#include "gateway/http/guard.h"
#include "gateway/http/http.h"
#include "stix/base/buf.h"

enum { REPLY_HEADERS_MAX = 24, REQUEST_ID_BYTES = 17, PEER_TEXT_BYTES = 48 };

enum request_step {
    STEP_START,   /* the headers are not looked at yet */
    STEP_HEAD,    /* a worker is asked for head() */
    STEP_BODY,    /* the body is read, run() comes after it */
    STEP_RUN,     /* a worker is asked for run() */
    STEP_REPLY,   /* the reply is complete; what is left of the body is dropped */
    STEP_DISCARD, /* the reply was written by hand; a bounded rest is dropped, then closed */
    STEP_SENT     /* the reply is with the library */
};

/* Who may touch the request while its connection is suspended. */
enum request_owner { OWNER_LISTENER, OWNER_QUEUE, OWNER_WORKER, OWNER_NONE /* given up */ };

struct http_request {
    /* set once */
    struct isg_arena *arena;
    const struct http_app *app;
    int64_t began_us;
    enum http_method method;
    struct isg_str method_text;
    struct isg_str target;
    struct isg_str path;
    struct isg_str query;
    struct isg_str peer;
    struct http_certificate certificate;
    const struct guard_line *lines;
    size_t count;
    char id[REQUEST_ID_BYTES];

    /* of the application */
    struct isg_buf body;
    void *user;
    void (*done)(void *arg); /* NULL: nothing to let go */
    void *done_arg;
    const char *route;
    struct isg_str member;
    struct isg_str filters; /* names, for the log; p NULL: not noted */
    size_t objects;
    bool seen;  /* the application was asked */
    bool quiet; /* not reported: it stands in for another one */

    /* the reply */
    int status;
    struct http_bytes *bytes; /* may be NULL: no body */
    struct guard_line reply[REPLY_HEADERS_MAX];
    size_t reply_count;
    bool close;

    /* the listener's */
    enum request_step step;
    enum http_next verdict; /* of a worker */
    struct guard_body framing;
    const char *target_at;     /* in the library's buffer; for the layout check only */
    const char *body_start;    /* likewise */
    size_t taken;              /* bytes of the body, also of those dropped */
    size_t budget;             /* bytes of body memory accounted for */
    void *connection;          /* the library's */
    struct connection *socket; /* ours; for its listener thread only */
    struct http_listener *listener;
    struct http_request *next; /* in the listener's list of suspended requests */
    struct http_request **at;  /* what points here */
    bool linked;               /* it is in that list; for its listener thread only */
    bool slow;                 /* it waits for the slow workers */
    atomic_int owner;
    atomic_uint refs;
};

/* A new request with one reference; NULL without memory. target is copied. */
struct http_request *request_new(const struct http_app *app, struct isg_str target,
                                 struct isg_str peer);

/* Copy method and header lines out of the library's buffer. False without memory. */
bool request_fill(struct http_request *request, const struct guard_head *head);

/* Copy what the client's certificate says. */
void request_certificate(struct http_request *request, const struct http_certificate *certificate);

/* One more holder, such as a worker. From any thread. */
void request_ref(struct http_request *request);

/* Drop a reference; the last one reports the request (log, count, the app's over) and frees. */
void request_unref(struct http_request *request);

/* Forget what the application made of the reply and answer 503 with Retry-After. */
void reply_busy(struct http_request *request, const char *text);

/* Set a reply header unless the application did. */
void reply_default(struct http_request *request, const char *name, const char *value);

/* Defaults every reply carries (content type, caching, nosniff, close). */
void reply_finish(struct http_request *request);

/* Append the reply as HTTP/1.1 text, for the cases where the library cannot send one. */
void reply_write(const struct http_request *request, struct isg_buf *out);

/* Standard phrase of a status, never NULL. */
const char *reply_phrase(int status);

#endif
