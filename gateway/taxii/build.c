#include "gateway/taxii/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/taxii/next.h"
#include "gateway/taxii/page.h"

enum {
    FRESH_MS = 1000,           /* as the head that a page is checked against */
    SLICE = 256,               /* objects fetched at a time */
    PAGE_BYTES_MAX = 32 << 20, /* of objects; a page ends before it, with `more` (T-147) */
    ETAG_BYTES = 16
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
void page_key_make(const struct call *call, const struct view *view, struct page_key *out)
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
void page_key_for_member(const struct page_key *shared, struct isg_str member, struct page_key *out)
{
    struct isg_sha256 hash;
    isg_sha256_init(&hash);
    isg_sha256_add(&hash, shared->digest, sizeof shared->digest);
    isg_sha256_add(&hash, member.p, member.n);
    isg_sha256_end(&hash, out->digest);
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

/* The next events to fetch, into events[SLICE]: what the page has room for, and at least one object. */
static size_t next_slice(const struct build *b, const struct store_event **events)
{
    const struct page_objects *objects = &b->objects;
    size_t left = b->selected.count - objects->count;
    size_t n = left < SLICE ? left : SLICE;
    for (size_t i = 0; i < n; i++)
        events[i] = &b->selected.events[objects->count + i];
    if (objects->bytes.len >= PAGE_BYTES_MAX)
        return 0;
    size_t fit = store_objects_fit(events, n, PAGE_BYTES_MAX - objects->bytes.len);
    return fit == 0 && n > 0 && objects->bytes.len == 0 ? 1 : fit;
}

/* Fetch the objects of the selected events in slices, until the page is full. */
static int fetch(struct build *b, struct isg_fail *why)
{
    struct call *call = b->call;
    struct page_objects *objects = &b->objects;
    const struct store_event **events =
        isg_arena_alloc(http_arena(call->request), SLICE * sizeof(struct store_event *));
    objects->sizes = calloc(b->selected.count + 1, sizeof *objects->sizes);
    if (events == NULL || objects->sizes == NULL)
        return isg_fail(why, ISG_ENOMEM, "out of memory");
    for (size_t n; (n = next_slice(b, events)) > 0; objects->count += n) {
        int err = store_objects(call->taxii->parts.store, call->collection->id, events, n,
                                &objects->bytes, objects->sizes + objects->count, why);
        if (err != ISG_OK)
            return err;
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
 * The last version of one object, and there is one. It stays the last one until its block moves: a
 * newer version changes the marks of the older ones, and a later form of the same version comes
 * behind the one that is shown.
 */
static bool is_last_version(const struct build *b)
{
    const struct view_query *query = &b->call->query.view;
    return query->ids_count == 1 && query->want == VIEW_LAST && b->selected.count == 1 &&
           !b->selected.is_cut;
}

/*
 * How many blocks the page may be checked by when the collection's generation has moved. None
 * where the selection did not go by blocks, or there are too many to look at on every request.
 */
static size_t blocks_of(const struct build *b)
{
    const struct view_page *selected = &b->selected;
    bool by_blocks = b->call->query.view.ids_count == 0 || is_last_version(b);
    if (!by_blocks || selected->last_block < selected->first_block ||
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
    for (size_t i = 0; sure && i < page->blocks; i++)
        sure = store_generation_now(store, collection, page->first_block + i,
                                    &page->block_generation[i]);
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
    if (is_last_version(b) && page->blocks > 0)
        page->reached_head = false;
    set_dates(b, page);
    make_etag(page);
    return page;
}

struct page *build_page(struct call *call, const struct view *view, struct isg_fail *why)
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

/* ---- the objects of a block, each as its own page -------------------------------------------- */

/* The only living version of its object, and this view sees it: no other event decides. */
static bool stands_alone(const struct view *view, const struct store_event *event)
{
    return !event->dead && event->id.n > 0 && view_sees(view, event->label) &&
           event->newer_count == 0 && event->older_count == 0;
}

/* Build and keep the page of one object. bytes: its own, borrowed. */
static bool keep_one(const struct build *whole, const struct view *view, struct store_event *event,
                     struct isg_buf bytes)
{
    struct call call = *whole->call;
    struct page_key key;
    size_t size = bytes.len;
    struct build b = {.call = &call, .selected = whole->selected};
    call.query = query_for(&whole->call->query, &event->id);
    b.selected.events = event;
    b.selected.count = 1;
    b.objects.sizes = &size;
    b.objects.count = 1;
    b.objects.bytes = bytes;
    isg_buf_init(&b.text.out, ISG_BUF_NO_MAX);
    page_write(QUERY_OBJECT, event, 1, &b.objects, (struct isg_str){"", 0}, &b.text);
    struct page *page = b.text.out.err == ISG_OK ? finish(&b) : NULL;
    page_key_make(&call, view, &key);
    bool kept = page != NULL && page_cache_put(call.taxii->cache, &key, page);
    page_unref(&page);
    isg_buf_done(&b.text.out);
    return kept;
}

static void keep_each(const struct build *b, const struct view *view)
{
    size_t at = 0;
    bool kept = true;
    for (size_t i = 0; kept && i < b->objects.count; i++) {
        size_t size = b->objects.sizes[i];
        if (size == SIZE_MAX)
            continue;
        kept = keep_one(b, view, &b->selected.events[i],
                        (struct isg_buf){.p = b->objects.bytes.p + at, .len = size});
        at += size;
    }
}

/* Into b: what stands alone in the block. */
static int select_block(struct build *b, const struct view *view, const struct store_block *block)
{
    struct store_event *events =
        isg_arena_alloc(http_arena(b->call->request), block->count * sizeof *events);
    if (events == NULL)
        return ISG_ENOMEM;
    for (size_t i = 0; i < block->count; i++)
        if (stands_alone(view, &block->events[i]))
            events[b->selected.count++] = block->events[i];
    b->selected.events = events;
    return ISG_OK;
}

void build_block(struct call *call, const struct view *view, const struct store_head *head,
                 uint64_t number)
{
    struct build b = {.call = call, .selected = {.head = *head, .reached_head = true}};
    struct store_block *block = NULL;
    struct isg_fail why = {0};
    b.selected.first_block = b.selected.last_block = number;
    isg_buf_init(&b.objects.bytes, ISG_BUF_NO_MAX);
    int err = store_block_get(call->taxii->parts.store, call->collection->id, number, &block, &why);
    if (err == ISG_OK)
        err = select_block(&b, view, block);
    if (err == ISG_OK)
        err = fetch(&b, &why);
    if (err == ISG_OK)
        keep_each(&b, view);
    store_block_unref(&block);
    isg_buf_done(&b.objects.bytes);
    free(b.objects.sizes);
}
