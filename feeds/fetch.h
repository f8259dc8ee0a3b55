/*
 * One HTTP exchange with bounds. fetch.c is the only file that knows libcurl.
 *
 * Only https (http to loopback, or where private addresses are allowed); redirects of GET by hand: at
 * most 3, of the same scheme, and without credentials, further headers and client certificate as
 * soon as host or port change. The address is checked at connect: private, loopback and
 * link-local ranges are refused unless allowed. No request waits longer than its time-out.
 */
#ifndef FEEDS_FETCH_H
#define FEEDS_FETCH_H

#include <stdbool.h>
#include <stddef.h>

#include "stix/base/buf.h"
#include "stix/base/err.h"
#include "stix/base/str.h"

struct feed_request {
    const char *method; /* NULL: GET */
    const char *url;
    const char *unix_socket; /* speak over this Unix socket; may be NULL */
    const char *user;        /* Basic, with password; may be NULL */
    const char *password;
    const char *bearer; /* or a bearer token; may be NULL */
    const char *accept; /* may be NULL */
    const char *content_type;
    struct isg_str body;        /* for POST and PUT */
    const char *const *headers; /* further "Name: value" lines, NULL-ended; may be NULL */
    const char *etag;           /* sent as If-None-Match; may be NULL */
    const char *last_modified;  /* sent as If-Modified-Since; may be NULL */
    const char *ca;             /* CA file; NULL: the system's */
    const char *client_certificate;
    const char *client_key;
    bool allow_private; /* private and loopback addresses are allowed */
    size_t max_bytes;   /* of the body after inflating; 0: 256 MiB */
    unsigned timeout_s; /* whole exchange; 0: 120 */
    bool no_redirects;  /* answer with the redirect itself */
};

struct feed_response {
    int status;
    struct isg_buf body;
    char *content_type;
    char *etag;
    char *last_modified;
    char *date_added_first; /* X-TAXII-Date-Added-First */
    char *date_added_last;
    char *location;
    unsigned retry_after_s; /* 0: none */
};

/*
 * Do the exchange. Any HTTP status is ISG_OK: the caller judges it.
 * Returns ISG_OK; ISG_ENET (no connection, TLS, time-out, refused address or redirect), ISG_ELIMIT
 * (too large), ISG_EUSAGE (URL), ISG_ENOMEM.
 */
int feed_fetch(const struct feed_request *request, struct feed_response *out, struct isg_fail *why);
/* Free what the exchange put in; the response is then all zero, ready for another one. */
void feed_response_done(struct feed_response *response);

/*
 * Resolve reference against base into out (replaced). ISG_EUSAGE when one is no URL of http or
 * https, or carries a user name: secrets never stand in URLs (digest 2.2).
 */
int feed_url_join(const char *base, const char *reference, struct isg_buf *out,
                  struct isg_fail *why);

/* True when both have the same scheme, host and port. */
bool feed_url_same_server(const char *a, const char *b);

/*
 * Check a URL that is going to be configured: https, or http where that is allowed.
 * ISG_EUSAGE with the reason.
 */
int feed_url_check(const char *text, bool allow_private, struct isg_fail *why);

/* Once per process, before threads start, and at the end. */
int feed_fetch_start(struct isg_fail *why);
/* After the last exchange, with no thread in feed_fetch. */
void feed_fetch_stop(void);

#endif
