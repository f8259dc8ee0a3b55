/*
 * The client: a few connections for reads and a few for writes (a reply to a write waits for the
 * disk), and a breaker. After a failure calls fail at once while one thread tries again, soon at
 * first, then less often, with jitter. A server that loads its data is waited for instead.
 */
#ifndef GATEWAY_STORE_REDIS_H
#define GATEWAY_STORE_REDIS_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/store/conn.h"
#include "stix/base/err.h"

struct redis;

enum redis_use { REDIS_READ, REDIS_WRITE, REDIS_USE_COUNT };

struct redis_options {
    const struct address *address; /* borrowed as long as the client lives */
    const char *password_file;     /* borrowed; may be NULL */
    unsigned timeout_ms;           /* of one exchange */
};

/* A client that is not connected yet; NULL without memory. Starts the thread behind the breaker. */
struct redis *redis_new(const struct redis_options *options);
/* All connections must have been given back. Accepts NULL, leaves NULL. */
void redis_free(struct redis **redis);

/* When one exchange that begins now must be over, in microseconds of the monotonic clock. */
int64_t redis_deadline(const struct redis *redis);

/*
 * Borrow a connection. Waits, at most until the deadline, for one to become free or for a loading
 * server. ISG_ESTORE: the breaker is open, or cannot connect (and now it is).
 */
int redis_take(struct redis *redis, enum redis_use use, int64_t deadline_us,
               struct redis_conn **out, struct isg_fail *why);
/* Give it back, sound or not: its fault decides what becomes of it. Accepts NULL, leaves NULL. */
void redis_give(struct redis *redis, struct redis_conn **conn);

/*
 * One exchange on a borrowed connection, for commands that may be sent twice: a connection that was
 * closed while it lay idle is replaced once.
 */
int redis_call(struct redis *redis, enum redis_use use, struct redis_pipe *pipe,
               struct isg_fail *why);

/*
 * Close a pipeline that began with MULTI by EXEC and run it as redis_call does. Every command must
 * have been taken and answered with a number. ISG_ESTORE also when one was not, or nothing was done.
 */
int redis_exec(struct redis *redis, struct redis_pipe *pipe, struct isg_fail *why);

/* State of the breaker: "closed", "loading" (the server reads its data) or "open". */
const char *redis_breaker(struct redis *redis);

/* The breaker is closed: the last thing heard of the server was good. */
bool redis_is_up(struct redis *redis);

/*
 * A number that moves with every loss of the server: what was confirmed under another number needs
 * to be asked again.
 */
uint64_t redis_link(struct redis *redis);

#endif
