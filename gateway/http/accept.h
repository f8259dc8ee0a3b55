/*
 * Listening sockets and the thread that accepts from them. Whom it accepts it hands on; when the
 * table of connections or the process is full it pauses instead of spinning.
 */
#ifndef GATEWAY_HTTP_ACCEPT_H
#define GATEWAY_HTTP_ACCEPT_H

#include <sys/socket.h>

#include "gateway/http/connections.h"
#include "stix/base/err.h"

struct accept;

struct accept_to { /* who takes a connection over, also when that fails */
    void *arg;
    void (*take)(void *arg, struct connection *connection, const struct sockaddr *address,
                 socklen_t n);
};

/*
 * Bind and listen: a Unix socket (mode 0600; one that nobody serves is replaced), HOST:PORT (all
 * addresses the host has; "*" or nothing: every address; port 0: any), or both.
 * Returns ISG_OK; ISG_ENET (in use, or not to be bound), ISG_EUSAGE (not HOST:PORT), ISG_ENOMEM.
 */
int accept_open(const char *unix_path, const char *host_port, struct accept **out,
                struct isg_fail *why);

/* The TCP port it listens on, also where 0 was asked for; 0 for a Unix socket alone. */
unsigned accept_port(const struct accept *accept);

/* An eventfd that ends a pause when written to; owned by accept. */
int accept_wake_fd(const struct accept *accept);

/* Start and stop the thread. ISG_ENOMEM when there is no thread to be had. */
int accept_start(struct accept *accept, struct connections *table, const struct accept_to *to,
                 struct isg_fail *why);
/*
 * End the thread, close the sockets, remove the Unix socket. Connections that were handed on stay.
 */
void accept_stop(struct accept *accept);

/* Stop, close the sockets, remove the Unix socket. Accepts NULL, leaves NULL. */
void accept_close(struct accept **accept);

#endif
