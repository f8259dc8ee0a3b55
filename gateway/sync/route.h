/*
 * The secrets on the way to another server, read from their files for one run: header lines, and
 * the login at a proxy.
 */
#ifndef GATEWAY_SYNC_ROUTE_H
#define GATEWAY_SYNC_ROUTE_H

#include "gateway/config.h"
#include "gateway/sync/secret_file.h"
#include "stix/base/err.h"

struct route {
    struct header_lines headers;
    char *proxy_auth;
};

/* Read them; relative paths are below dir. ISG_EIO; ISG_EUSAGE (a line is no header). */
int route_open(const char *dir, const struct config_route *config, struct route *out,
               struct isg_fail *why);
/* Wipe and free them; they are then all zero. */
void route_done(struct route *route);

#endif
