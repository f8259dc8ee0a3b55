/*
 * The table of open connections of one listener: how many there are, in all and from one address
 * and the absolute deadline of each. The library's own time-outs know
 * inactivity only.
 *
 * Where an address has all it may have, a newcomer takes the place of its oldest connection that has
 * not brought a whole request head yet: so slow heads cannot keep out others behind that address.
 *
 * A timer thread shuts overdue sockets down under the lock that removal takes, and removal comes
 * before close: so a descriptor number that was used again is never hit.
 */
#ifndef GATEWAY_HTTP_CONNECTIONS_H
#define GATEWAY_HTTP_CONNECTIONS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "gateway/http/request.h"
#include "gateway/networks.h"

struct connections;
struct tls_use;
struct tls_records;
struct address;

struct connection {
    int fd;
    char peer[PEER_TEXT_BYTES];   /* "192.0.2.1", or "unix" */
    unsigned lane;                /* the listener thread that serves it */
    unsigned answered;            /* requests so far */
    struct tls_use *tls;          /* NULL: plain */
    struct tls_records *records;  /* likewise */
    void *listener;               /* for the library's callbacks */
    atomic_int_fast64_t deadline; /* monotonic us; 0: none */
    atomic_bool idle;             /* between two requests */
    atomic_bool fresh;            /* no request head was complete yet */
    bool proxy;                   /* the peer speaks for others */
    uint64_t number;              /* in the order of coming */

    bool live; /* the library has it; only then the timer may touch fd */
    struct address *address;
};

enum connections_refusal {
    CONNECTIONS_OK,
    CONNECTIONS_FULL,
    CONNECTIONS_ADDRESS,
    CONNECTIONS_STRANGER,
    CONNECTIONS_MEMORY
};

/* max_per_address 0: no limit. wake_fd is written to when room appears after a refusal as FULL. */
struct connections *connections_new(unsigned max, unsigned max_per_address, int wake_fd);
/* Every connection must be gone. Accepts NULL, leaves NULL. */
void connections_free(struct connections **table);

/* Connections of these are not limited by address; others than these and loopback are refused as
 * strangers where only_them. Borrowed. Before the first connection. */
void connections_trust(struct connections *table, const struct networks *proxies, bool only_them);

/* Start and stop the timer thread. False when there is no thread to be had. */
bool connections_watch(struct connections *table);
/* End the timer thread and wait for it; nothing when none runs. */
void connections_unwatch(struct connections *table);

/* Room for one more, whatever its address? A false answer asks for a wake-up. */
bool connections_has_room(struct connections *table);

/* Register an accepted socket. *out is owned by the table. */
enum connections_refusal connections_add(struct connections *table, int fd,
                                         const struct sockaddr *address, struct connection **out);

/* The library has taken this socket over: from now on its deadline counts. */
struct connection *connections_start(struct connections *table, int fd, int64_t deadline_us);

/* Move the deadline; 0: none. */
void connections_deadline(struct connection *connection, int64_t deadline_us);

/* The socket is about to be closed (or never was taken over). */
void connections_remove(struct connections *table, struct connection *connection);

/* Connections open now. For several threads. */
unsigned connections_count(struct connections *table);

/* Shut down all connections between two requests; from now on none stays idle. */
void connections_shut_idle(struct connections *table);

#endif
