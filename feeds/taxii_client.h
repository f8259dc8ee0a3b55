/*
 * A TAXII 2.1 client: walks a collection page by page, pushes envelopes and asks what became of them.
 */
#ifndef FEEDS_TAXII_CLIENT_H
#define FEEDS_TAXII_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "feeds/fetch.h"
#include "stix/base/err.h"

struct taxii_target {
    const char *url;        /* discovery, API root or collection URL */
    const char *collection; /* id, alias or title; NULL when url names it */
    const char *user;
    const char *password;
    const char *bearer;
    const char *const *headers; /* further ones, as in feed_request; may be NULL */
    const char *ca;
    const char *client_certificate;
    const char *client_key;
    const char *proxy;
    const char *proxy_auth;
    bool allow_private;
    size_t max_bytes;            /* of one page; 0: the default of feed_fetch */
    const atomic_bool *stop;     /* as in feed_request */
    bool no_waiting;             /* a busy server is not asked again: the caller comes back later */
    unsigned *out_retry_after_s; /* what the server asked for with a refusal, else 0; may be NULL */
};

/* One object of a page, in the order of the page; and the cursor to keep. */
typedef int taxii_pull_object(void *arg, struct isg_str object, struct isg_fail *why);
typedef int taxii_pull_cursor(void *arg, struct isg_str added_after, struct isg_fail *why);

/*
 * Read all objects added after `added_after` ("" for all). on_object gets each; on_cursor gets the
 * new added_after once the walk is complete (never before, X-09). Loops are guarded.
 * Returns ISG_OK; ISG_ENET, ISG_EAUTH, ISG_EDENIED, ISG_ENOENT, ISG_EPARSE, ISG_ELIMIT, or a
 * callback's code.
 */
int feed_taxii_pull(const struct taxii_target *target, const char *added_after,
                    taxii_pull_object *on_object, taxii_pull_cursor *on_cursor, void *arg,
                    struct isg_fail *why);

/* What a server said of one envelope: its status resource, as far as it is known now. */
struct taxii_sent {
    size_t taken; /* objects of the list, from its start, that the envelope held */
    size_t success;
    size_t failure;
    size_t pending;
    bool is_pending;         /* not complete: ask with feed_taxii_push_status */
    char id[128];            /* of the status; "" where the server gave none */
    char first_failure[256]; /* id and message of the first failure */
};

struct taxii_push;

/* Look the collection up; ISG_EDENIED when it cannot be written. The texts of target are borrowed until
 * the push is closed. */
int feed_taxii_push_open(const struct taxii_target *target, struct taxii_push **out,
                         struct isg_fail *why);

/*
 * Send the first objects of a list as one envelope: as many as fit below the server's
 * max_content_length, and below what it answered 413 to. What became of them is in out.
 *
 * Returns ISG_OK, also where objects failed; ISG_ELIMIT: the first object alone is too large for
 * the server, by its max_content_length (taken of out is 0) or by its 413 (1); ISG_EINVAL: the server refuses the first object alone as a bad request; or what
 * taxii_request says (ISG_ENET, ISG_EAUTH, ...). Whether the server has the objects after an error
 * is not known: sending them again is harmless (T-119).
 */
int feed_taxii_push_send(struct taxii_push *push, const struct isg_str *objects, size_t n,
                         struct taxii_sent *out, struct isg_fail *why);

/* Ask for a status again. taken of out is 0. ISG_ENOENT: the server does not know it any more. */
int feed_taxii_push_status(struct taxii_push *push, const char *id, struct taxii_sent *out,
                           struct isg_fail *why);

/* Accepts NULL, leaves NULL. */
void feed_taxii_push_close(struct taxii_push **push);

#endif
