/*
 * One HTTP exchange with bounds. fetch.c, fetch_url.c and fetch_failed.c alone know libcurl.
 *
 * Only https (http to loopback, or where addresses that are not public are allowed). Redirects of
 * GET by hand: at most 3, never from https to http, and without credentials, further headers and
 * client certificate as soon as scheme, host or port change. The address is checked at
 * connect: what is not public is refused unless allowed; behind a proxy, which looks names
 * up itself, an address in the URL is, and nothing secret goes through one without TLS. Nothing of
 * the environment counts: no proxy, no netrc. No request waits longer than its time-out.
 */
#ifndef FEEDS_FETCH_H
#define FEEDS_FETCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "stix/base/buf.h"
#include "stix/base/err.h"
#include "stix/base/str.h"

/* What becomes of a redirect. */
enum feed_redirects {
    FEED_REDIRECTS_AUTO,   /* followed, but by no request with secrets */
    FEED_REDIRECTS_FOLLOW, /* followed, secrets stay behind */
    FEED_REDIRECTS_NEVER   /* the answer is the redirect itself */
};

struct feed_request {
    const char *method; /* NULL: GET */
    const char *url;
    /*
     * The configured URL, where url was found in an answer; NULL: url is it. Secrets go to its server
     * alone, and allow_private counts for its host alone.
     */
    const char *home;
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
    const char *proxy;      /* http://, https://, socks5h://HOST:PORT; NULL: none */
    const char *proxy_auth; /* USER:PASSWORD; may be NULL */
    bool allow_private;     /* private and loopback addresses are allowed */
    /* Further addresses that are allowed; may be NULL. */
    bool (*allow_address)(const void *arg, const struct sockaddr *address, socklen_t length);
    const void *allow_arg;
    size_t max_wire;    /* of the body as sent; 0: 64 MiB */
    size_t max_bytes;   /* of the body after inflating; 0: 256 MiB */
    unsigned max_ratio; /* inflated to wire bytes; 0: 100 */
    unsigned timeout_s; /* whole exchange; 0: 120 */
    enum feed_redirects redirects;
    bool status_only; /* the answer's body is neither kept nor waited for, however broken it is */
    const atomic_bool *stop; /* the exchange ends soon after this became true; may be NULL */
    atomic_ullong *received; /* set to the bytes of the body that came so far; may be NULL */
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
    char *message;          /* header of that name: why NVD refuses */
    unsigned retry_after_s; /* 0: none */
};

/*
 * Do the exchange. Any HTTP status is ISG_OK: the caller judges it.
 * Returns ISG_OK; ISG_ENET (no connection, TLS, time-out, refused address or redirect), ISG_ELIMIT
 * (too large), ISG_EUSAGE (URL), ISG_EIO (a file of certificates or keys), ISG_ENOMEM.
 */
int feed_fetch(const struct feed_request *request, struct feed_response *out, struct isg_fail *why);
/* Free what the exchange put in; the response is then all zero, ready for another one. */
void feed_response_done(struct feed_response *response);

/*
 * feed_fetch, again where the server is busy (429, 503): as long as Retry-After says, else 1 s, 2 s,
 * 4 s, 8 s less some jitter, at most 5 tries. A server that asks for more than 30 s gets them from
 * the caller: the answer is the last one.
 */
int feed_fetch_patiently(const struct feed_request *request, struct feed_response *out,
                         struct isg_fail *why);

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
