/*
 * One request on its way through this room: what the path named, who asks, what is asked.
 *
 * A call lives in the request's arena. Its first part is kept from head to run; the second is
 * borrowed from the registry's snapshot and is valid inside one entry (head or run) only, so that
 * no snapshot is held while a body arrives and a right that was taken away counts at once.
 */
#ifndef GATEWAY_TAXII_CALL_H
#define GATEWAY_TAXII_CALL_H

#include "gateway/taxii/cache.h"
#include "gateway/taxii/query.h"
#include "gateway/taxii/routes.h"
#include "gateway/taxii/taxii.h"

struct taxii {
    struct taxii_parts parts;
    struct page_cache *cache;
    struct flights *flights;
    struct ahead *ahead;
    struct view_memory *views;
    struct http_bytes *discovery; /* the same for everybody */
    struct http_bytes **roots;    /* one for each root of the configuration */
    char *challenge;              /* value of WWW-Authenticate (T-072) */
};

struct call {
    struct taxii *taxii;
    struct http_request *request;
    struct route_match match;
    const struct config_root *root; /* NULL on discovery */
    struct isg_str member_name;     /* copy */
    struct query query;
    struct ingest_envelope *envelope; /* of a push, as far as it has come; the request's */

    bool may_wait;
    const struct registry *registry;
    const struct member *member;
    const struct collection *collection;
};

/* ---- answers -------------------------------------------------------------------------------- */

/* Refuse: an error resource with this status. rule may be NULL; text is shown. */
enum http_next call_refuse(struct call *call, int status, const char *rule, const char *text);

/* The answer for anything that is absent or hidden: the same bytes for both (T-068). */
enum http_next call_not_found(struct call *call);

/* 401 with the challenges (T-072). */
enum http_next call_unauthorized(struct call *call);

/* The answer for an error from below: 503 with Retry-After where a repeat may help. */
enum http_next call_failed(struct call *call, const struct isg_fail *why);

/* A JSON resource with the headers that all answers have. */
enum http_next call_send(struct call *call, int status, struct http_bytes *bytes);
/* Likewise of a buffer that is taken over; one that had an error is answered as a failure. */
enum http_next call_send_buf(struct call *call, int status, struct isg_buf *take_buf);

/* Content-Type, Cache-Control and Vary (T-013, R-050). */
void call_headers(struct call *call);

/* ---- handlers, one for each row of the route table ------------------------------------------ */

/* The discovery resource, made at the start. */
enum http_next call_discovery(struct call *call);
/* The resource of an API root, made at the start. */
enum http_next call_root(struct call *call);
/* The collections of the root that the member may read or write (T-074). */
enum http_next call_collections(struct call *call);
/* One of them. */
enum http_next call_collection(struct call *call);
/* Manifest, objects, an object or its versions: a page. */
enum http_next call_page(struct call *call);
/* A piece of a push's body. */
enum http_next call_take(struct call *call, struct isg_str piece);
/* The end of a push: commit or queue what came, answer 202 with the status. */
enum http_next call_push(struct call *call);
/* The status of a push; 404 for all but who may see it. */
enum http_next call_status(struct call *call);
/* DELETE an object, or some of its versions; 404 where nothing is seen. */
enum http_next call_delete(struct call *call);

/* The discovery document; it never changes while the configuration stands. NULL without memory. */
struct http_bytes *resource_discovery(const struct config *config);
/* The document of a root, likewise. */
struct http_bytes *resource_root(const struct config *config, const struct config_root *root);

#endif
