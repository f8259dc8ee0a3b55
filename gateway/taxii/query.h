/*
 * The query string of TAXII section 3.4, read strictly: what is malformed is refused (T-033), what
 * an endpoint does not know is left alone (T-047, T-057).
 */
#ifndef GATEWAY_TAXII_QUERY_H
#define GATEWAY_TAXII_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/share/view.h"
#include "stix/base/arena.h"
#include "stix/base/digest.h"
#include "stix/base/err.h"
#include "stix/base/str.h"

enum query_endpoint {
    QUERY_NONE,
    QUERY_MANIFEST,
    QUERY_OBJECTS,
    QUERY_OBJECT,
    QUERY_VERSIONS,
    QUERY_DELETE
};

struct query {
    enum query_endpoint endpoint;
    struct view_query view;            /* after stays 0: it is for whoever opens the token */
    struct isg_str next;               /* the token as sent; n 0: none */
    uint8_t filters[ISG_SHA256_BYTES]; /* endpoint and match filters, whatever their order */
    unsigned sent;                     /* which parameters were, for query_names */
};

struct query_ask { /* borrowed */
    enum query_endpoint endpoint;
    struct isg_str raw;       /* the query string as sent */
    struct isg_str object_id; /* the object the path names, or empty: the only id asked for */
    size_t page_max;          /* the cap on limit, and the limit where none is given (T-040) */
};

/*
 * Read the query of a request. Lists of out are in arena; texts are too, or borrowed from ask.
 *
 * Returns ISG_OK; ISG_EINVAL (malformed: why names parameter and rule, never the value),
 * ISG_ENOMEM.
 */
int query_parse(struct isg_arena *arena, const struct query_ask *ask, struct query *out,
                struct isg_fail *why);

/* The same query for another object: the one at id, which is borrowed. */
struct query query_for(const struct query *query, struct isg_str *id);

enum { QUERY_NAMES = 128 };

/* The names of the parameters that were sent and are known here, with commas, in a fixed order. */
void query_names(const struct query *query, char text[QUERY_NAMES]);

#endif
