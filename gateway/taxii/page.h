/*
 * Pages: the bytes of manifest, objects, object and versions answers. No JSON is parsed here.
 */
#ifndef GATEWAY_TAXII_PAGE_H
#define GATEWAY_TAXII_PAGE_H

#include "gateway/taxii/cache.h"
#include "gateway/taxii/query.h"

/* What is written: the answer's text and the dates that go into the headers. */
struct page_text {
    struct isg_buf out;
    int64_t first_us; /* of the first and last event written */
    int64_t last_us;
    size_t objects;
};

/* The objects of a page as the store gives them. */
struct page_objects {
    struct isg_buf bytes; /* canonical objects, one after the other */
    size_t *sizes;        /* SIZE_MAX: the object is not there */
    size_t count;         /* events looked at */
};

/*
 * Write a page into text->out.
 *
 *   events, count  as selected; objects may be NULL for manifest and versions
 *   next           the token, or empty when nothing remains
 *
 * Nothing to show gives `{}` (T-071, T-110, T-113).
 */
void page_write(enum query_endpoint endpoint, const struct store_event *events, size_t count,
                const struct page_objects *objects, struct isg_str next, struct page_text *text);

/* The version text of an event: modified, else created, else its date added (T-055). */
struct isg_str page_version(const struct store_event *event, char room[ISG_TIME_TEXT]);

/* True while nothing that the page shows has changed. head is the present one. Never waits. */
bool page_is_current(struct store *store, const char *collection, struct page *page,
                     const struct store_head *head);

/* Does an If-None-Match value name this entity tag (RFC 9110: a list, weak comparison, or `*`)? */
bool page_etag_matches(struct isg_str if_none_match, const char *etag);

#endif
