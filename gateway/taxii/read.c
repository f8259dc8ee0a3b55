/*
 * Reading: manifest, objects, one object, its versions. A page is looked up, else built and kept.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/http/negotiate.h"
#include "gateway/metrics.h"
#include "gateway/share/view.h"
#include "gateway/taxii/call.h"
#include "gateway/taxii/flight.h"
#include "gateway/taxii/next.h"
#include "gateway/taxii/pack.h"
#include "gateway/taxii/page.h"

/* Where a page came from, for the metrics; the page that another request builds counts as kept. */
#define FROM_CACHE "from=\"cache\""
#define FROM_STORE "from=\"store\""

enum {
    FRESH_MS = 1000,           /* a page is served while the head was confirmed this lately */
    SLICE = 256,               /* objects fetched at a time */
    PAGE_BYTES_MAX = 32 << 20, /* a page that grew over it ends there, with `more` (T-147) */
    ETAG_BYTES = 16,
    RETRIES = 2,
    JOIN_MS = 1000, /* waited for the same page that another builds ... */
    JOINS = 3       /* ... this often: each time it was built too early */
};

/* ---- keys ----------------------------------------------------------------------------------- */

static void hash_u64(struct isg_sha256 *hash, uint64_t number)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(number >> (8 * i));
    isg_sha256_add(hash, bytes, sizeof bytes);
}

/* Who sees the same and asks the same gets the same page. */
static void make_key(const struct call *call, const struct view *view, struct page_key *out)
{
    const struct query *query = &call->query;
    struct isg_sha256 hash;
    isg_sha256_init(&hash);
    isg_sha256_add(&hash, query->filters, sizeof query->filters);
    isg_sha256_add(&hash, call->collection->id, sizeof call->collection->id);
    hash_u64(&hash, view->key);
    hash_u64(&hash, query->view.after);
    hash_u64(&hash, (uint64_t)query->view.added_after_us);
    hash_u64(&hash, query->view.limit);
    isg_sha256_end(&hash, out->digest);
}

/* A page with `next` holds a token of one member, so its key holds the member too. */
static void make_member_key(const struct page_key *shared, struct isg_str member,
                            struct page_key *out)
{
    struct isg_sha256 hash;
    isg_sha256_init(&hash);
    isg_sha256_add(&hash, shared->digest, sizeof shared->digest);
    isg_sha256_add(&hash, member.p, member.n);
    isg_sha256_end(&hash, out->digest);
}

static struct page *lookup(struct call *call, const struct page_key *key,
                           const struct store_head *head)
{
    struct page *page = page_cache_get(call->taxii->cache, key);
    if (page != NULL &&
        !page_is_current(call->taxii->parts.store, call->collection->id, page, head))
        page_unref(&page);
    return page;
}

/* ---- building ------------------------------------------------------------------------------- */

struct build {
    struct call *call;
    struct view_page selected;
    struct page_objects objects;
    struct page_text text;
    struct isg_buf next;
};

static bool has_objects(enum query_endpoint endpoint)
{
    return endpoint == QUERY_OBJECTS || endpoint == QUERY_OBJECT;
}

/* Fetch the objects of the selected events in slices, until the page is full. */
static int fetch(struct build *b, struct isg_fail *why)
{
    struct call *call = b->call;
    struct page_objects *objects = &b->objects;
    uint8_t(*digests)[ISG_SHA256_BYTES] =
        isg_arena_alloc(http_arena(call->request), SLICE * sizeof *digests);
    objects->sizes = calloc(b->selected.count + 1, sizeof *objects->sizes);
    if (digests == NULL || objects->sizes == NULL)
        return isg_fail(why, ISG_ENOMEM, "out of memory");
    while (objects->count < b->selected.count && objects->bytes.len < PAGE_BYTES_MAX) {
        size_t left = b->selected.count - objects->count;
        size_t n = left < SLICE ? left : SLICE;
        for (size_t i = 0; i < n; i++)
            memcpy(digests[i], b->selected.events[objects->count + i].digest, sizeof digests[i]);
        int err = store_objects(call->taxii->parts.store, call->collection->id,
                                (const uint8_t(*)[ISG_SHA256_BYTES])digests, n, &objects->bytes,
                                objects->sizes + objects->count, why);
        if (err != ISG_OK)
            return err;
        objects->count += n;
    }
    return ISG_OK;
}

/* A page cut short by its bytes goes on behind the last event that was fetched. */
static void cut_short(struct build *b)
{
    if (b->objects.count == b->selected.count)
        return;
    b->selected.count = b->objects.count;
    b->selected.last = b->selected.events[b->selected.count - 1].position;
    b->selected.more = true;
    b->selected.reached_head = false;
}

static int write_text(struct build *b, struct isg_fail *why)
{
    struct call *call = b->call;
    struct next_binding binding = {isg_str_of(call->collection->id), call->member_name,
                                   &call->query};
    bool with_objects = has_objects(call->query.endpoint);
    int err = ISG_OK;
    if (with_objects)
        err = fetch(b, why);
    if (err != ISG_OK)
        return err;
    if (with_objects)
        cut_short(b);
    if (b->selected.more)
        err = next_seal(call->taxii->parts.secret, &binding, b->selected.last, &b->next, why);
    if (err != ISG_OK)
        return err;
    page_write(call->query.endpoint, b->selected.events, b->selected.count,
               with_objects ? &b->objects : NULL, isg_buf_str(&b->next), &b->text);
    if (b->text.out.err != ISG_OK || b->next.err != ISG_OK)
        return isg_fail(why, ISG_ENOMEM, "out of memory");
    return ISG_OK;
}

/*
 * How many blocks the page may be checked by when the collection's generation has moved. None
 * where the selection did not go by blocks, or there are too many to look at on every request.
 */
static size_t blocks_of(const struct build *b)
{
    const struct view_page *selected = &b->selected;
    if (b->call->query.view.ids_count > 0 || selected->last_block < selected->first_block ||
        selected->last_block - selected->first_block >= PAGE_BLOCKS_MAX)
        return 0;
    return (size_t)(selected->last_block - selected->first_block) + 1;
}

/* Note the blocks' generations; forget them unless they are surely those the page was built of. */
static void note_blocks(const struct build *b, struct page *page)
{
    struct store *store = b->call->taxii->parts.store;
    const char *collection = b->call->collection->id;
    struct store_head now;
    bool sure = true;
    page->first_block = b->selected.first_block;
    for (size_t i = 0; sure && i < page->blocks; i++) {
        struct store_block *block = store_block_now(store, collection, page->first_block + i);
        sure = block != NULL;
        page->block_generation[i] = sure ? block->generation : 0;
        store_block_unref(&block);
    }
    sure = sure && store_head_now(store, collection, FRESH_MS, &now) &&
           now.generation == b->selected.head.generation;
    if (!sure)
        page->blocks = 0;
}

/* The tag covers the dates too: they are part of what a client gets. */
static void make_etag(struct page *page)
{
    uint8_t digest[ISG_SHA256_BYTES];
    struct isg_str text = http_bytes_str(page->bytes);
    struct isg_sha256 hash;
    isg_sha256_init(&hash);
    isg_sha256_add(&hash, page->first, sizeof page->first);
    isg_sha256_add(&hash, page->last, sizeof page->last);
    isg_sha256_add(&hash, text.p, text.n);
    isg_sha256_end(&hash, digest);
    page->etag[0] = '"';
    isg_hex_encode(digest, ETAG_BYTES, page->etag + 1);
    page->etag[1 + 2 * ETAG_BYTES] = '"';
    page->etag[2 + 2 * ETAG_BYTES] = '\0';
    (void)snprintf(page->packed_etag, sizeof page->packed_etag, "%.*s-gzip\"", 1 + 2 * ETAG_BYTES,
                   page->etag);
}

/* An empty page carries the request's added_after, else the epoch (T-029). */
static void set_dates(const struct build *b, struct page *page)
{
    int64_t asked = b->call->query.view.added_after_us;
    int64_t none = asked != INT64_MIN ? asked : 0;
    isg_time_format(page->objects > 0 ? b->text.first_us : none, 6, page->first);
    isg_time_format(page->objects > 0 ? b->text.last_us : none, 6, page->last);
}

static struct page *finish(struct build *b)
{
    struct page *page = page_new(blocks_of(b));
    size_t n = 0;
    char *text = isg_buf_take(&b->text.out, &n);
    if (page != NULL && text != NULL)
        page->bytes = http_bytes_take(text, n);
    if (page == NULL || page->bytes == NULL) {
        page_unref(&page);
        return NULL;
    }
    page->objects = b->text.objects;
    page->more = b->selected.more;
    page->reached_head = b->selected.reached_head;
    page->head = b->selected.head;
    atomic_init(&page->generation, b->selected.head.generation);
    note_blocks(b, page);
    set_dates(b, page);
    make_etag(page);
    return page;
}

static struct page *build(struct call *call, const struct view *view, struct isg_fail *why)
{
    struct build b = {.call = call};
    struct page *page = NULL;
    isg_buf_init(&b.objects.bytes, ISG_BUF_NO_MAX);
    isg_buf_init(&b.text.out, ISG_BUF_NO_MAX);
    isg_buf_init(&b.next, 1024);
    int err = view_select(call->taxii->parts.store, call->collection, view, &call->query.view, true,
                          http_arena(call->request), &b.selected, why);
    if (err == ISG_OK)
        err = write_text(&b, why);
    if (err == ISG_OK) {
        page = finish(&b);
        if (page == NULL)
            (void)isg_fail(why, ISG_ENOMEM, "out of memory");
    }
    isg_buf_done(&b.next);
    isg_buf_done(&b.text.out);
    isg_buf_done(&b.objects.bytes);
    free(b.objects.sizes);
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
                             .ids = &call->match.piece[ROUTE_OBJECT],
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
    make_key(call, out->view, &out->keys[0]);
    make_member_key(&out->keys[0], call->member_name, &out->keys[1]);
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
    struct page *page = build(call, asked->view, why);
    for (int i = 0; i < RETRIES && page != NULL; i++) {
        if (!page->reached_head || page->head.position >= head->position)
            break;
        page_unref(&page);
        if (make_asked(call, asked, why) == ISG_OK)
            page = build(call, asked->view, why);
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
    metric_add(METRIC_PAGES_CACHED, from, 1);
    if (page == NULL)
        return call_failed(call, &why);
    pack(call, asked, page);
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
