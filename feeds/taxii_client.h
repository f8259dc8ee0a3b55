/*
 * A TAXII 2.1 client: walks a collection page by page and pushes envelopes.
 */
#ifndef FEEDS_TAXII_CLIENT_H
#define FEEDS_TAXII_CLIENT_H

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
    const char *ca;
    bool allow_private;
    size_t max_bytes;        /* of one page; 0: the default of feed_fetch */
    const atomic_bool *stop; /* as in feed_request */
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

struct taxii_push_result {
    size_t total;
    size_t success;
    size_t failure;
    size_t pending;
    char first_failure[256]; /* id and message of the first failure */
};

struct taxii_push; /* collects objects into envelopes below the server's max_content_length */

/* Look the collection up; ISG_EDENIED when it cannot be written. The texts of target are borrowed until
 * the push is closed. */
int feed_taxii_push_open(const struct taxii_target *target, struct taxii_push **out,
                         struct isg_fail *why);
/* Add one object; sends when an envelope is full. */
int feed_taxii_push_add(struct taxii_push *push, struct isg_str object, struct isg_fail *why);
/* Send the rest and follow pending statuses to their end (bounded); frees push. */
int feed_taxii_push_close(struct taxii_push **push, struct taxii_push_result *out,
                          struct isg_fail *why);

#endif
