/*
 * Finding a collection on another TAXII server: which of discovery, API root or collection the
 * configured URL is, and the collection by id, alias or title. Private to the client.
 */
#ifndef FEEDS_TAXII_FIND_H
#define FEEDS_TAXII_FIND_H

#include <stdbool.h>
#include <stdint.h>

#include "feeds/fetch.h"
#include "feeds/taxii_client.h"
#include "stix/json.h"

#define TAXII_MEDIA "application/taxii+json;version=2.1"

/* The collection found. */
struct taxii_place {
    struct isg_buf root;       /* URL of the API root, with a slash at the end */
    struct isg_buf collection; /* URL of the collection, with a slash at the end */
    bool can_read;
    bool can_write;
    int64_t max_content_length; /* 0: not said */
};

/* Free the URLs of a place that was found; also right for one that is all zero. */
void taxii_place_done(struct taxii_place *place);

/*
 * Look up target's collection. ISG_ENOENT when there is none of that name; ISG_ECONFLICT when the
 * title is not unique; errors of taxii_get.
 */
int taxii_find(const struct taxii_target *target, struct taxii_place *out, struct isg_fail *why);

/*
 * One request to the server of target, with its credentials. The answer's status is judged: 2xx is
 * ISG_OK; ISG_EAUTH (401), ISG_EDENIED (403), ISG_ENOENT (404), ISG_ELIMIT (413), ISG_EINVAL (other
 * 4xx), ISG_ENET (429, 5xx, and what feed_fetch says). *out is filled on success only. A busy
 * server is asked again as feed_fetch_patiently does.
 */
int taxii_request(const struct taxii_target *target, const char *url, struct isg_str body,
                  struct feed_response *out, struct isg_fail *why);

/* taxii_request of a JSON resource; HTML and broken JSON are ISG_EPARSE. */
int taxii_get_json(const struct taxii_target *target, const char *url, struct stix_json **out,
                   struct isg_fail *why);

/* Append text percent-encoded for a query value. */
void taxii_escape(struct isg_buf *out, struct isg_str text);

#endif
