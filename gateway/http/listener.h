/*
 * A listener's inside: what http_listen assembles and the library's callbacks work on.
 */
#ifndef GATEWAY_HTTP_LISTENER_H
#define GATEWAY_HTTP_LISTENER_H

#include <pthread.h>

#include "gateway/http/accept.h"
#include "gateway/http/connections.h"
#include "gateway/http/request.h"
#include "gateway/http/tls.h"
#include "gateway/http/tls_records.h"

enum { LANES_MAX = 64 };

struct lane { /* one listener thread: one daemon of the library */
    struct http_listener *listener;
    unsigned index;
    void *daemon;
    atomic_uint connections;
};

struct http_listener {
    struct http_app app;
    struct http_limits limits;
    struct worker_pool *workers;
    struct tls *tls; /* NULL: plain */
    const struct networks *proxies;
    bool behind_proxy; /* plain, and proxies are named: no chunked bodies */
    struct accept *accept;
    struct connections *connections;
    struct lane lanes[LANES_MAX];
    unsigned lane_count;
    unsigned next_lane; /* of the accept thread */
    unsigned port;
    bool quiet; /* its requests are not logged or counted (the self-test) */

    atomic_bool stopping;     /* replies say Connection: close */
    atomic_uint in_flight;    /* requests begun and not over */
    atomic_uint jobs;         /* requests a worker holds or will hold */
    atomic_size_t body_bytes; /* held in request bodies now */
    size_t body_bytes_max;
    pthread_mutex_t lock; /* guards what follows */
    bool draining;        /* nothing is handed to a worker any more */
    struct http_request *suspended;
};

/* Start a listener thread; false when the library could not. */
bool lane_start(struct http_listener *listener, unsigned index);

/* No connection of it may be suspended. */
void lane_stop(struct lane *lane);

/* Hand a registered connection to the least loaded listener thread; it owns the socket then. */
void lane_give(struct http_listener *listener, struct connection *connection,
               const struct sockaddr *address, socklen_t n);

/* ---- listener.c: the library, for files that do not know it ---- */

/* library: of a request's connection. Suspend only on its own listener thread. */
void library_suspend(void *library);
/* Resume a suspended connection. From any thread. */
void library_resume(void *library);
/* The handler was called again after a resume: the connection is as it was before the suspend. */
void library_resumed(void *library);
/* The GnuTLS session of the connection; NULL: plain. */
void *library_session(void *library);

/* Queue the reply as it stands; false when it could not be. */
bool library_reply(struct http_request *request);

/* ---- flow.c: a request's way; each returns false when the connection is to be closed now ---- */

/* The head is complete: judge it, name the client, call the application's head function. */
bool flow_begin(struct http_request *request, struct guard_head *head);
/* A piece of the body: to the application or kept, or dropped where the reply stands already. */
bool flow_body(struct http_request *request, struct isg_str data);

/* The final call, or a call after a wait. *slot is where the library keeps the request. */
bool flow_call(struct http_request *request, void **slot);

/* ---- waiting.c ---- */

/* Suspend and hand to a worker; with a full queue the reply is 503. False: the listener stops. */
bool waiting_begin(struct http_request *request);

/* The request waits no more; also for one that never waited. On its own listener thread. */
void waiting_end(struct http_request *request);

/* Answer 503 for every request that waits for a worker, now and later. */
void listener_give_up_waiting(struct http_listener *listener);

/* ---- server.c and selftest.c ---- */

/* Fill missing limits with defaults and bound them by what the process may open. */
void limits_settle(struct http_limits *limits);

/* What a listener is made of; all of it but the workers is copied. */
struct listener_parts {
    const struct http_listen *where; /* its certificates; the sockets are not looked at */
    const struct http_limits *limits;
    const struct http_app *app;
    struct worker_pool *workers;
    int wake_fd; /* as connections_new; -1: nobody waits for room */
};

/* A listener without sockets, its threads running. Errors as http_listen. */
int listener_open(const struct listener_parts *parts, struct http_listener **out,
                  struct isg_fail *why);

/* Free a listener that no longer accepts; as http_listener_close. */
void listener_shut(struct http_listener **listener, unsigned grace_ms);

/* Try the layout check with a few raw requests, once in a process; see guard.h. */
void selftest_once(void);

#endif
