/*
 * Putting a listener together and taking it apart in order: no accept, finish, give up who still
 * waits, stop the library's threads, wait for workers, free.
 */
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "gateway/http/listener.h"
#include "gateway/log.h"
#include "stix/base/time.h"

enum {
    SPARE_DESCRIPTORS = 64, /* for Redis, files, feeds */
    CONNECTIONS_MIN = 8,
    FLUSH_MS = 500, /* for the last 503s */
    BODIES_MIN_BYTES = 256 << 20,
    BODIES_AT_ONCE = 16
};

static unsigned or_default(unsigned value, unsigned fallback)
{
    return value > 0 ? value : fallback;
}

/* What one of so many listeners may take. */
static unsigned descriptors_left(unsigned listeners)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return 1U << 20;
    rlim_t spare =
        limit.rlim_cur > (rlim_t)2 * SPARE_DESCRIPTORS ? SPARE_DESCRIPTORS : limit.rlim_cur / 2;
    rlim_t left = (limit.rlim_cur - spare) / listeners;
    return left < CONNECTIONS_MIN ? CONNECTIONS_MIN : (unsigned)(left < 1 << 20 ? left : 1 << 20);
}

void limits_settle(struct http_limits *limits)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned left = descriptors_left(or_default(limits->listeners, 1));
    if (limits->body_max == 0)
        limits->body_max = 10 << 20;
    if (limits->header_max == 0)
        limits->header_max = 16 << 10;
    if (limits->target_max == 0)
        limits->target_max = 8 << 10;
    limits->connections = or_default(limits->connections, 1024);
    if (limits->connections > left)
        limits->connections = left;
    limits->header_timeout_ms = or_default(limits->header_timeout_ms, 10000);
    limits->body_timeout_ms = or_default(limits->body_timeout_ms, 20000);
    limits->idle_timeout_ms = or_default(limits->idle_timeout_ms, 60000);
    limits->threads = or_default(limits->threads, cores > 0 ? (unsigned)cores : 1);
    if (limits->threads > LANES_MAX)
        limits->threads = LANES_MAX;
}

static int start_lanes(struct http_listener *listener, struct isg_fail *why)
{
    while (listener->lane_count < listener->limits.threads) {
        if (!lane_start(listener, listener->lane_count))
            return isg_fail(why, ISG_ENOMEM, "cannot start a listener thread");
        listener->lane_count++;
    }
    return ISG_OK;
}

int listener_open(const struct listener_parts *parts, struct http_listener **out,
                  struct isg_fail *why)
{
    struct http_listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    (void)pthread_mutex_init(&listener->lock, NULL);
    listener->app = *parts->app;
    listener->limits = *parts->limits;
    listener->workers = parts->workers;
    limits_settle(&listener->limits);
    size_t bodies = listener->limits.body_max * BODIES_AT_ONCE;
    listener->body_bytes_max = bodies > BODIES_MIN_BYTES ? bodies : BODIES_MIN_BYTES;
    const struct tls_files files = {parts->where->certificate, parts->where->key,
                                    parts->where->client_ca, parts->where->client_crl,
                                    parts->where->client_certificates};
    int err = ISG_OK;
    listener->proxies = parts->where->proxies;
    listener->behind_proxy = files.certificate == NULL && listener->proxies != NULL;
    if (files.certificate != NULL)
        err = tls_open(&files, &listener->tls, why);
    if (err == ISG_OK) {
        listener->connections = connections_new(
            listener->limits.connections, listener->limits.connections_per_address, parts->wake_fd);
        if (listener->connections == NULL || !connections_watch(listener->connections))
            err = isg_fail(why, ISG_ENOMEM, "no memory or thread to be had");
        else
            connections_trust(listener->connections, listener->proxies, listener->behind_proxy);
    }
    if (err == ISG_OK)
        err = start_lanes(listener, why);
    if (err == ISG_OK)
        *out = listener;
    else
        listener_shut(&listener, 0);
    return err;
}

static void take(void *arg, struct connection *connection, const struct sockaddr *address,
                 socklen_t n)
{
    lane_give(arg, connection, address, n);
}

int http_listen(const struct http_listen *where, const struct http_limits *limits,
                const struct http_app *app, struct worker_pool *workers, struct http_listener **out,
                struct isg_fail *why)
{
    struct accept *accept = NULL;
    struct http_listener *listener = NULL;
    selftest_once();
    int err = accept_open(where->unix_path, where->host_port, &accept, why);
    if (err == ISG_OK)
        err = listener_open(
            &(struct listener_parts){where, limits, app, workers, accept_wake_fd(accept)},
            &listener, why);
    if (err == ISG_OK) {
        const struct accept_to to = {.arg = listener, .take = take};
        listener->accept = accept;
        listener->port = accept_port(accept);
        accept = NULL;
        err = accept_start(listener->accept, listener->connections, &to, why);
    }
    if (err == ISG_OK)
        *out = listener;
    else
        http_listener_close(&listener, 0);
    accept_close(&accept);
    return err;
}

unsigned http_listener_port(const struct http_listener *listener)
{
    return listener->port;
}

int http_listener_reload(struct http_listener *listener, struct isg_fail *why)
{
    return listener->tls != NULL ? tls_reload(listener->tls, why) : ISG_OK;
}

/* ---- taking apart ---- */

static void wait_until_zero(atomic_uint *count, unsigned most_ms)
{
    static const struct timespec pause = {.tv_sec = 0, .tv_nsec = 2000000};
    int64_t until = isg_time_mono_us() + (int64_t)most_ms * 1000;
    while (atomic_load(count) > 0 && isg_time_mono_us() < until)
        (void)nanosleep(&pause, NULL);
}

void listener_shut(struct http_listener **listener, unsigned grace_ms)
{
    struct http_listener *old = *listener;
    *listener = NULL;
    if (old == NULL)
        return;
    atomic_store(&old->stopping, true);
    if (old->connections != NULL)
        connections_shut_idle(old->connections);
    wait_until_zero(&old->in_flight, grace_ms);
    listener_give_up_waiting(old);
    wait_until_zero(&old->in_flight, FLUSH_MS);
    for (unsigned i = 0; i < old->lane_count; i++)
        lane_stop(&old->lanes[i]);
    while (atomic_load(&old->jobs) > 0) /* a worker's time-outs end this */
        wait_until_zero(&old->jobs, 1000);
    if (old->connections != NULL)
        connections_unwatch(old->connections);
    connections_free(&old->connections);
    tls_close(&old->tls);
    accept_close(&old->accept);
    (void)pthread_mutex_destroy(&old->lock);
    free(old);
}

void http_listener_close(struct http_listener **listener, unsigned grace_ms)
{
    if (*listener != NULL && (*listener)->accept != NULL)
        accept_stop((*listener)->accept);
    listener_shut(listener, grace_ms);
}
