/*
 * The TAXII 2.1 server: routes, resources, pages. An application of http/.
 */
#ifndef GATEWAY_TAXII_TAXII_H
#define GATEWAY_TAXII_TAXII_H

#include "gateway/config.h"
#include "gateway/http/http.h"
#include "gateway/ingest/queue.h"
#include "gateway/share/auth.h"
#include "gateway/share/member.h"
#include "gateway/store/store.h"
#include "gateway/trust/secret.h"

struct taxii;

/* What it stands on; all borrowed, all outlive it. */
struct taxii_parts {
    const struct config *config;
    struct store *store;
    struct directory *directory;
    struct auth *auth;
    const struct trust_secret *secret;
    struct ingest_queue *queue; /* for large pushes; NULL: all are completed within the request */
};

/* Copies parts. NULL without memory. */
struct taxii *taxii_new(const struct taxii_parts *parts);
/* After the listeners that call it have been closed; accepts NULL, leaves NULL. */
void taxii_free(struct taxii **taxii);

/* The functions for http_listen; arg is the struct taxii. */
enum http_next taxii_head(void *arg, struct http_request *request, bool may_wait);
/* A piece of the body, on a listener thread: a push takes it, others drop it. */
enum http_next taxii_body(void *arg, struct http_request *request, struct isg_str piece);
/* Answer: on a listener thread from memory, with may_wait anything. */
enum http_next taxii_run(void *arg, struct http_request *request, bool may_wait);

#endif
