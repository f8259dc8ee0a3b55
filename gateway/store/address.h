/*
 * Where a Redis server listens: reads redis.url and opens sockets. hiredis 0.14 has no TLS, so plain
 * TCP leaves this machine only where the configuration accepts that very address.
 */
#ifndef GATEWAY_STORE_ADDRESS_H
#define GATEWAY_STORE_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "stix/base/err.h"

struct address {
    char *text;    /* as shown in log and doctor; no secrets in it */
    char *path;    /* Unix socket, or NULL */
    char *host;    /* TCP, or NULL */
    char port[8];  /* decimal */
    char *user;    /* for AUTH, or NULL */
    unsigned db;   /* for SELECT */
    bool accepted; /* may be off loopback */
};

/*
 * Read unix:/path or redis://[user@]host[:port][/db]. A password in the URL is refused: secrets are
 * named by file.
 *
 * Returns ISG_OK; ISG_ESTORE (another form, TLS), ISG_ENOMEM. Freed with address_done.
 */
int address_read(const char *url, const char *accept_plain, struct address *out,
                 struct isg_fail *why);
/* Free the texts; the address is then all zero. May be called twice. */
void address_done(struct address *address);

/*
 * A connected, non-blocking socket that no child inherits.
 *
 * Returns ISG_OK; ISG_ESTORE (refused, timed out by deadline_us of the monotonic clock, an address
 * off loopback that is not accepted).
 */
int address_connect(const struct address *address, int64_t deadline_us, int *out_fd,
                    struct isg_fail *why);

#endif
