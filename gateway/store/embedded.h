/*
 * The private redis-server: a child of the gateway on a Unix socket in DIR/redis/, with its AOF
 * beside it, synced before every reply or once a second. One thread starts it, waits for its end and starts it
 * again; the child dies with that thread, and so with the gateway.
 *
 * Two locks keep a second server off the AOF. DIR/redis/gateway.lock is held by the gateway alone:
 * another gateway is refused. DIR/redis/lock is held by the gateway and inherited by the child: a
 * gateway that was killed can leave a server behind (one that was stopped, say), and that one is
 * ended before a new one starts.
 */
#ifndef GATEWAY_STORE_EMBEDDED_H
#define GATEWAY_STORE_EMBEDDED_H

#include <stdbool.h>
#include <sys/types.h>

#include "stix/base/err.h"

struct embedded;

/*
 * Start the server of instance folder dir and wait until it has loaded its data. second: it syncs
 * once a second.
 *
 * Returns ISG_OK; ISG_EBUSY (another gateway runs here), ISG_ESTORE (does not start), ISG_EIO
 * (folder, files), ISG_ENOMEM.
 */
int embedded_start(const char *dir, bool second, struct embedded **out, struct isg_fail *why);

/* End the server (its data is safe by then) and wait for it. Accepts NULL, leaves NULL. */
void embedded_stop(struct embedded **embedded);

/* Path of the Unix socket; lives as long as the server. May be longer than sun_path. */
const char *embedded_socket(const struct embedded *embedded);

/* Process id of the server now; 0 while there is none. */
pid_t embedded_pid(struct embedded *embedded);

#endif
