/*
 * Which URL means what: one table of path shapes, methods, rights and filters.
 */
#ifndef GATEWAY_TAXII_ROUTES_H
#define GATEWAY_TAXII_ROUTES_H

#include <stdbool.h>

#include "gateway/http/http.h"
#include "gateway/taxii/query.h"

struct call;

/* What the asking member needs on the collection that the path names. */
enum route_right {
    ROUTE_LOGIN, /* no collection: a login is enough */
    ROUTE_SEE,   /* to read or to write */
    ROUTE_READ,
    ROUTE_WRITE,
    ROUTE_BOTH
};

/* Pieces of the path that a shape captures. */
enum route_piece { ROUTE_ROOT, ROUTE_COLLECTION, ROUTE_OBJECT, ROUTE_STATUS, ROUTE_PIECE_COUNT };

struct route {
    const char *name;  /* for log and metrics */
    const char *shape; /* pieces joined by '/'; R, C, O and S capture */
    unsigned methods;  /* bit per enum http_method */
    enum route_right right;
    enum query_endpoint endpoint; /* QUERY_NONE: the query is not looked at */
    enum http_next (*handler)(struct call *call);
};

struct route_match {
    const struct route *route;               /* NULL: no such URL, or not with this method */
    unsigned allowed;                        /* methods of the URL; 0: no such URL */
    struct isg_str piece[ROUTE_PIECE_COUNT]; /* decoded, in the arena */
};

/*
 * Look a raw path up. With and without the slash at the end are the same. A path with
 * malformed escapes, empty pieces or an escaped slash is no URL of ours.
 */
void route_find(struct isg_arena *arena, enum http_method method, struct isg_str raw_path,
                struct route_match *out);

/* The value of the Allow header for a set of methods, into text[40]. */
void route_allow(unsigned allowed, char text[40]);

/*
 * Rights on a collection (T-106, T-118, T-130): 200, 403 when the member is shown the collection
 * but lacks this right, 404 when the collection is hidden from him.
 */
int route_right_status(enum route_right right, bool can_read, bool can_write);

#endif
