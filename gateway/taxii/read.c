/*
 * Reading: manifest, objects, one object, its versions. A page is looked up, else built and kept.
 */
#include <string.h>

#include "gateway/http/negotiate.h"
#include "gateway/metrics.h"
#include "gateway/taxii/ahead.h"
#include "gateway/taxii/build.h"
#include "gateway/taxii/flight.h"
#include "gateway/taxii/pack.h"
#include "gateway/taxii/page.h"

/* Where a page came from, for the metrics; the page that another request builds counts as kept. */
#define FROM_CACHE "from=\"cache\""
#define FROM_STORE "from=\"store\""

enum {
    FRESH_MS = 1000, /* a page is served while the head was confirmed this lately */
    RETRIES = 2,
    JOIN_MS = 1000, /* waited for the same page that another builds ... */
    JOINS = 3       /* ... this often: each time it was built too early */
};

static struct page *lookup(struct call *call, const struct page_key *key,
                           const struct store_head *head)
{
    struct page *page = page_cache_get(call->taxii->cache, key);
    if (page != NULL &&
        !page_is_current(call->taxii->parts.store, call->collection->id, page, head))
        page_unref(&page);
    return page;
}

/* ---- answering ------------------------------------------------------------------------------ */

static bool takes_gzip(const struct call *call)
{
    return http_accepts_gzip(http_header(call->request, "Accept-Encoding"));
}

/* One of the two forms of a page. */
struct form {
    struct http_bytes *bytes;
    const char *etag;
};

static struct form plain_form(const struct page *page)
{
    return (struct form){page->bytes, page->etag};
}

/* Has the client this form, and need not get it again? `*` means any. */
static bool is_known(const struct call *call, const struct form *form)
{
    struct isg_str if_none_match = http_header(call->request, "If-None-Match");
    return if_none_match.p != NULL && page_etag_matches(if_none_match, form->etag);
}

/* Is the gzip form asked for, and still to be made? That takes too long for a listener thread. */
static bool wants_pack(const struct call *call, const struct page *page)
{
    struct form plain = plain_form(page);
    return pack_is_open(page) && takes_gzip(call) && !is_known(call, &plain);
}

static void send_form(struct call *call, const struct form *form, bool known, bool packed)
{
    http_set_header(call->request, "ETag", isg_str_of(form->etag));
    if (packed && !known)
        http_set_header(call->request, "Content-Encoding", ISG_STR("gzip"));
    http_status(call->request, known ? 304 : 200); /* never 206 */
    /* No length with 304, though it were allowed: parsers of some clients wait for so many bytes. */
    if (known)
        http_send_copy(call->request, ISG_STR(""));
    else
        http_send(call->request, form->bytes);
}

static enum http_next send_page(struct call *call, const struct page *page)
{
    struct form plain = plain_form(page);
    bool has_packed = pack_is_there(page);
    struct form packed =
        has_packed ? (struct form){page->packed, page->packed_etag} : (struct form){NULL, NULL};
    bool prefers_packed = has_packed && takes_gzip(call);
    char names[QUERY_NAMES];
    query_names(&call->query, names);
    http_note(call->request, isg_str_of(names), page->objects);
    call_headers(call);
    http_set_header(call->request, "X-TAXII-Date-Added-First", isg_str_of(page->first));
    http_set_header(call->request, "X-TAXII-Date-Added-Last", isg_str_of(page->last));
    bool knows_packed = has_packed && is_known(call, &packed);
    bool knows_plain = is_known(call, &plain);
    if (knows_packed && (prefers_packed || !knows_plain))
        send_form(call, &packed, true, true);
    else if (knows_plain)
        send_form(call, &plain, true, false);
    else
        send_form(call, prefers_packed ? &packed : &plain, false, prefers_packed);
    return HTTP_DONE;
}

/* Is there any version of the object at all that this view may see (T-112)? */
static int object_exists(struct call *call, const struct view *view, bool *out,
                         struct isg_fail *why)
{
    struct view_query any = {.added_after_us = INT64_MIN,
                             .limit = 1,
                             .ids = call->query.view.ids,
                             .ids_count = 1,
                             .want = VIEW_ALL};
    struct view_page found;
    int err = view_select(call->taxii->parts.store, call->collection, view, &any, true,
                          http_arena(call->request), &found, why);
    if (err == ISG_OK)
        *out = found.count > 0;
    return err;
}

static enum http_next answer(struct call *call, const struct view *view, const struct page *page)
{
    bool one_object = call->match.piece[ROUTE_OBJECT].n > 0;
    if (!one_object || page->objects > 0 || page->more)
        return send_page(call, page);
    bool exists = false;
    struct isg_fail why = {0};
    int err = object_exists(call, view, &exists, &why);
    if (err != ISG_OK)
        return call_failed(call, &why);
    return exists ? send_page(call, page) : call_not_found(call);
}

/* What is asked, for whom: the view of this moment and the keys of the page in the cache. */
struct asked {
    const struct view *view;
    struct page_key keys[2]; /* for all who see the same; for this member alone */
};

static int make_asked(struct call *call, struct asked *out, struct isg_fail *why)
{
    out->view = view_recall(call->taxii->views, call->taxii->parts.store, call->registry,
                            call->collection, call->member, http_arena(call->request));
    if (out->view == NULL)
        return isg_fail(why, ISG_ENOMEM, "out of memory");
    page_key_make(call, out->view, &out->keys[0]);
    page_key_for_member(&out->keys[0], call->member_name, &out->keys[1]);
    return ISG_OK;
}

static const struct page_key *key_of(const struct asked *asked, const struct page *page)
{
    return &asked->keys[page->more ? 1 : 0];
}

static struct page *find_page(struct call *call, const struct asked *asked,
                              const struct store_head *head)
{
    struct page *page = lookup(call, &asked->keys[0], head);
    return page != NULL ? page : lookup(call, &asked->keys[1], head);
}

/*
 * Build the page and keep it. A selection that ends before the head met a label that is younger
 * than the view (another gateway's, or the first look after a start): look again with a new one.
 */
static struct page *make_page(struct call *call, struct asked *asked, const struct store_head *head,
                              struct isg_fail *why)
{
    struct page *page = build_page(call, asked->view, why);
    for (int i = 0; i < RETRIES && page != NULL; i++) {
        if (!page->reached_head || page->head.position >= head->position)
            break;
        page_unref(&page);
        if (make_asked(call, asked, why) == ISG_OK)
            page = build_page(call, asked->view, why);
    }
    if (page != NULL && !page_cache_put(call->taxii->cache, key_of(asked, page), page))
        pack_refuse(page); /* packing it for every request would cost too much */
    return page;
}

/*
 * The page from memory, from whoever builds it at this moment, or built here. What another built is
 * taken only if it is as new as what this request has seen of the log.
 */
static struct page *get_page(struct call *call, struct asked *asked, const struct store_head *head,
                             const char **out_from, struct isg_fail *why)
{
    struct flights *flights = call->taxii->flights;
    struct flight *mine = NULL;
    struct page *page = find_page(call, asked, head);
    *out_from = FROM_CACHE;
    for (int i = 0; page == NULL && i < JOINS; i++) {
        if (flight_join(flights, &asked->keys[1], JOIN_MS, &mine, &page))
            break;
        if (page == NULL) /* his build failed or takes too long */
            break;
        if (!page_is_current(call->taxii->parts.store, call->collection->id, page, head))
            page_unref(&page);
    }
    if (page == NULL && mine != NULL) /* another may have landed since the look before */
        page = find_page(call, asked, head);
    if (page == NULL) {
        *out_from = FROM_STORE;
        page = make_page(call, asked, head, why);
    }
    if (mine != NULL)
        flight_land(flights, &mine, page);
    return page;
}

/* Make the gzip form for a client who takes it. One thread does; others send the plain form. */
static void pack(struct call *call, const struct asked *asked, struct page *page)
{
    if (wants_pack(call, page) && pack_make(page))
        page_cache_recount(call->taxii->cache, key_of(asked, page), page);
}

/* Whoever asks for many objects of one block, each by its id, gets the others from memory. */
static void read_ahead(struct call *call, const struct asked *asked, const struct store_head *head,
                       const struct page *page)
{
    const struct view_query *query = &call->query.view;
    bool one_object = call->match.piece[ROUTE_OBJECT].n > 0 && page->objects == 1;
    if (!one_object || page->blocks != 1 || page->reached_head || query->after != 0 ||
        query->added_after_us != INT64_MIN || call->query.endpoint != QUERY_OBJECT)
        return;
    struct ahead_miss miss = {.block = page->first_block,
                              .view = asked->view->key,
                              .page_bytes = http_bytes_str(page->bytes).n,
                              .positions = head->position,
                              .bytes_max = call->taxii->parts.config->limits.cache_bytes};
    if (ahead_is_due(call->taxii->ahead, call->collection->id, &miss))
        build_block(call, asked->view, head, page->first_block);
}

static int head_of(struct call *call, struct store_head *out, struct isg_fail *why)
{
    struct store *store = call->taxii->parts.store;
    if (call->may_wait)
        return store_head(store, call->collection->id, FRESH_MS, out, why);
    return store_head_now(store, call->collection->id, FRESH_MS, out)
               ? ISG_OK
               : isg_fail(why, ISG_EBUSY, "the head is not confirmed");
}

/* An empty page of one object needs a second look, which may wait. */
static bool is_ready(const struct call *call, const struct page *page)
{
    bool one_object = call->match.piece[ROUTE_OBJECT].n > 0;
    return page != NULL && (!one_object || page->objects > 0 || page->more) &&
           !wants_pack(call, page);
}

/* On a listener thread: only what is in memory and ready. */
static enum http_next answer_at_once(struct call *call, const struct asked *asked,
                                     const struct store_head *head)
{
    struct page *page = find_page(call, asked, head);
    enum http_next next = HTTP_WAIT;
    if (is_ready(call, page)) {
        metric_add(METRIC_PAGES_CACHED, FROM_CACHE, 1);
        next = answer(call, asked->view, page);
    }
    page_unref(&page);
    return next;
}

static enum http_next answer_on_worker(struct call *call, struct asked *asked,
                                       const struct store_head *head)
{
    struct isg_fail why = {0};
    const char *from = FROM_CACHE;
    struct page *page = get_page(call, asked, head, &from, &why);
    bool from_store = strcmp(from, FROM_STORE) == 0;
    metric_add(METRIC_PAGES_CACHED, from, 1);
    if (page == NULL)
        return call_failed(call, &why);
    pack(call, asked, page);
    if (from_store)
        read_ahead(call, asked, head, page);
    enum http_next next = answer(call, asked->view, page);
    page_unref(&page);
    return next;
}

enum http_next call_page(struct call *call)
{
    struct store_head head;
    struct asked asked;
    struct isg_fail why = {0};
    int err = head_of(call, &head, &why);
    if (err != ISG_OK)
        return call->may_wait ? call_failed(call, &why) : HTTP_WAIT;
    if (make_asked(call, &asked, &why) != ISG_OK)
        return call_failed(call, &why);
    return call->may_wait ? answer_on_worker(call, &asked, &head)
                          : answer_at_once(call, &asked, &head);
}
