/* Objects in and out over the admin socket. */
#include <string.h>

#include "gateway/admin/admin_private.h"
#include "gateway/admin/admin_wire.h"
#include "gateway/ingest/ingest.h"
#include "gateway/metrics.h"
#include "gateway/share/view.h"
#include "stix/base/jsonw.h"
#include "stix/base/time.h"

enum {
    REASONS_MAX = 3,         /* first refusals told to the importer */
    EXPORT_PAGE_MAX = 1000,  /* objects in one answer */
    EXPORT_BYTES = 32 << 20, /* of objects in one answer, unless a single one is longer */
    BUNDLE_DAYS = 30         /* life of a bundle statement */
};

/* ---- in ---- */

static int ingest_source_of(const struct admin_call *call, const struct registry *registry,
                            struct ingest_source *out, struct isg_fail *why)
{
    struct isg_str source = admin_param(call, "source");
    struct isg_str mode = admin_param(call, "mode");
    bool mapped = isg_str_is(mode, "mapped");
    if (source.n == 0)
        return isg_fail(why, ISG_EINVAL, "from which source? (parameter `source`)");
    if (!mapped && mode.p != NULL && !isg_str_is(mode, "sent"))
        return isg_fail(why, ISG_EINVAL, "mode is `sent` or `mapped`");
    const struct config *config = call->admin->parts.config;
    *out = (struct ingest_source){.owner = isg_str_of(config->name),
                                  .urn = isg_str_of(config->id_urn),
                                  .name = source,
                                  .member = registry_member(registry, source),
                                  .mode = mapped ? INGEST_MAPPED : INGEST_AS_SENT};
    return ISG_OK;
}

static int add_records(struct ingest_run *run, struct isg_str body, struct isg_fail *why)
{
    struct isg_str object;
    char facet[ADMIN_FACET_MAX];
    bool bad = false;
    int err = ISG_OK;
    while (err == ISG_OK && admin_record_next(&body, &object, facet, &bad))
        err = ingest_add(run, object, facet[0] != '\0' ? facet : NULL, why);
    if (err == ISG_OK && bad)
        err = isg_fail(why, ISG_EPARSE, "the body is not a sequence of records");
    return err == ISG_OK ? ingest_finish(run, why) : err;
}

static void write_reasons(struct isg_jsonw *w, const struct ingest_run *run)
{
    size_t n;
    size_t told = 0;
    const struct ingest_outcome *outcomes = ingest_outcomes(run, &n);
    isg_jsonw_name(w, "reasons");
    isg_jsonw_list(w);
    for (size_t i = 0; i < n && told < REASONS_MAX; i++) {
        if (outcomes[i].verdict != INGEST_REFUSED)
            continue;
        isg_jsonw_object(w);
        isg_jsonw_put_str(w, "id", outcomes[i].id);
        isg_jsonw_put(w, "message", outcomes[i].message);
        isg_jsonw_end(w);
        told++;
    }
    isg_jsonw_end(w);
}

static void write_counts(struct isg_buf *out, const struct ingest_run *run)
{
    const struct ingest_counts *counts = ingest_counts(run);
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    isg_jsonw_put_int(&w, "total", (int64_t)counts->total);
    isg_jsonw_put_int(&w, "added", (int64_t)(counts->added - counts->changed));
    isg_jsonw_put_int(&w, "changed", (int64_t)counts->changed);
    isg_jsonw_put_int(&w, "same", (int64_t)counts->same);
    isg_jsonw_put_int(&w, "refused", (int64_t)counts->refused);
    write_reasons(&w, run);
    isg_jsonw_end(&w);
}

int admin_ingest(struct admin_call *call, struct isg_fail *why)
{
    const struct registry *registry = directory_get(call->admin->parts.directory);
    const struct collection *collection = NULL;
    struct ingest_source source;
    struct ingest_run *run = NULL;
    uint64_t dry_run;
    int err = admin_param_collection(call, registry, &collection, why);
    if (err == ISG_OK)
        err = ingest_source_of(call, registry, &source, why);
    if (err == ISG_OK)
        err = admin_param_u64(call, "dry_run", 0, 1, &dry_run, why);
    if (err == ISG_OK) {
        run = ingest_begin(call->admin->parts.store, collection, &source, true, dry_run != 0);
        err = run != NULL ? add_records(run, http_body(call->request), why)
                          : isg_fail(why, ISG_ENOMEM, "no memory for the run");
    }
    if (err == ISG_OK)
        write_counts(call->reply, run);
    ingest_end(&run);
    registry_unref(&registry);
    return err;
}

/* ---- out ---- */

struct export_query {
    const struct collection *collection;
    const struct member *member;
    struct view_query view;
};

static int export_member(const struct admin_call *call, const struct registry *registry,
                         struct export_query *query, struct isg_fail *why)
{
    struct isg_str name = admin_param(call, "as");
    query->member = NULL; /* staff */
    if (name.p == NULL)
        return ISG_OK;
    query->member = registry_member(registry, name);
    if (query->member == NULL)
        return isg_fail(why, ISG_ENOENT, "no member `%.*s`", ISG_STR_ARG(name));
    if (!collection_can_read(query->collection, query->member))
        return isg_fail(why, ISG_EDENIED, "member `%.*s` may not read this collection",
                        ISG_STR_ARG(name));
    return ISG_OK;
}

static int export_query_read(const struct admin_call *call, const struct registry *registry,
                             struct export_query *query, struct isg_fail *why)
{
    uint64_t limit = 0;
    struct isg_str version = admin_param(call, "version");
    *query = (struct export_query){.view = {.added_after_us = INT64_MIN, .want = VIEW_LAST}};
    int err = admin_param_collection(call, registry, &query->collection, why);
    if (err == ISG_OK)
        err = export_member(call, registry, query, why);
    if (err == ISG_OK)
        err = admin_param_u64(call, "after", 0, UINT64_MAX, &query->view.after, why);
    if (err == ISG_OK)
        err = admin_param_u64(call, "limit", EXPORT_PAGE_MAX, EXPORT_PAGE_MAX, &limit, why);
    if (err == ISG_OK && (limit == 0 || (version.p != NULL && !isg_str_is(version, "last") &&
                                         !isg_str_is(version, "all"))))
        err = isg_fail(why, ISG_EINVAL, "limit is 1 to %d, version is `last` or `all`",
                       EXPORT_PAGE_MAX);
    query->view.limit = limit;
    if (isg_str_is(version, "all"))
        query->view.want = VIEW_ALL;
    return err;
}

static enum stix_tlp event_tlp(struct store *store, const char *collection,
                               const struct store_event *event)
{
    const char *text = store_label(store, collection, event->label);
    return policy_label_read(isg_str_of(text)).tlp;
}

/*
 * The line before the objects. sizes[i] is SIZE_MAX for an object that was erased between the two
 * reads; the others have their level in a list, and the strictest is what a bundle of them must be
 * handled as.
 */
static void write_page_head(struct admin_call *call, const struct export_query *query,
                            const struct view_page *page, const size_t *sizes)
{
    enum stix_tlp strictest = STIX_TLP_CLEAR;
    struct isg_jsonw w;
    isg_jsonw_init(&w, call->reply);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "collection", query->collection->id);
    isg_jsonw_put_int(&w, "count", (int64_t)page->count);
    isg_jsonw_put_bool(&w, "more", page->more);
    isg_jsonw_put_int(&w, "after", (int64_t)page->last);
    isg_jsonw_name(&w, "levels");
    isg_jsonw_list(&w);
    for (size_t i = 0; i < page->count; i++) {
        enum stix_tlp tlp =
            event_tlp(call->admin->parts.store, query->collection->id, &page->events[i]);
        strictest = tlp > strictest ? tlp : strictest;
        if (sizes[i] != SIZE_MAX)
            isg_jsonw_str(&w, isg_str_of(stix_tlp_name(tlp)));
    }
    isg_jsonw_end(&w);
    isg_jsonw_put(&w, "tlp", stix_tlp_name(strictest));
    isg_jsonw_end(&w);
    isg_buf_putc(call->reply, '\n');
}

/* A page of more bytes than one answer may have goes on with the next one. */
static void cut_short(struct view_page *page, const struct store_event *const *events)
{
    size_t fit = store_objects_fit(events, page->count, EXPORT_BYTES);
    if (fit >= page->count)
        return;
    page->count = fit > 0 ? fit : 1;
    page->last = page->events[page->count - 1].position;
    page->more = true;
}

static int write_page(struct admin_call *call, const struct export_query *query,
                      struct view_page *page, struct isg_fail *why)
{
    struct isg_arena *arena = http_arena(call->request);
    const struct store_event **events =
        isg_arena_alloc(arena, page->count * sizeof(struct store_event *) + 1);
    size_t *sizes = isg_arena_alloc(arena, page->count * sizeof *sizes + 1);
    if (events == NULL || sizes == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory for a page");
    for (size_t i = 0; i < page->count; i++)
        events[i] = &page->events[i];
    cut_short(page, events);
    struct isg_buf objects;
    isg_buf_init(&objects, ISG_BUF_NO_MAX);
    int err = store_objects(call->admin->parts.store, query->collection->id, events, page->count,
                            &objects, sizes, why);
    if (err == ISG_OK) {
        write_page_head(call, query, page, sizes);
        const char *at = objects.p;
        for (size_t i = 0; i < page->count; i++) {
            if (sizes[i] == SIZE_MAX)
                continue;
            isg_buf_put(call->reply, at, sizes[i]);
            isg_buf_putc(call->reply, '\n');
            at += sizes[i];
        }
    }
    isg_buf_done(&objects);
    return err;
}

int admin_export(struct admin_call *call, struct isg_fail *why)
{
    const struct registry *registry = directory_get(call->admin->parts.directory);
    struct isg_arena *arena = http_arena(call->request);
    struct export_query query;
    struct view_page page;
    const struct view *view = NULL;
    int err = export_query_read(call, registry, &query, why);
    if (err == ISG_OK) {
        view = view_of(call->admin->parts.store, query.collection, query.member, arena);
        if (view == NULL)
            err = isg_fail(why, ISG_ENOMEM, "no memory for a view");
    }
    if (err == ISG_OK)
        err = view_select(call->admin->parts.store, query.collection, view, &query.view, true,
                          arena, &page, why);
    if (err == ISG_OK)
        err = write_page(call, &query, &page, why);
    registry_unref(&registry);
    return err;
}

/* ---- what a signature says ---- */

/*
 * The epoch of a collection's statements: the second of its first event. It stays while the log
 * stays, and differs after a log was begun anew.
 */
static int collection_epoch(struct store *store, const char *collection, int64_t *out,
                            struct isg_fail *why)
{
    struct store_block *block = NULL;
    int err = store_block_get(store, collection, 0, &block, why);
    if (err == ISG_ENOENT) {
        *out = 0;
        return ISG_OK;
    }
    if (err == ISG_OK)
        *out = block->count > 0 ? block->events[0].date_added_us / 1000000 : 0;
    store_block_unref(&block);
    return err;
}

/* What a statement over an export of a collection says beside the files; takes a number. */
int admin_statement(struct admin_call *call, struct isg_fail *why)
{
    struct store *store = call->admin->parts.store;
    const struct registry *registry = directory_get(call->admin->parts.directory);
    const struct collection *collection = NULL;
    int64_t epoch = 0;
    uint64_t seq = 0;
    int err = registry_collection(registry, (struct isg_str){"", 0}, call->name, &collection, why);
    if (err == ISG_OK)
        err = collection_epoch(store, collection->id, &epoch, why);
    if (err == ISG_OK)
        err = store_sequence(store, collection->id, &seq, why);
    if (err == ISG_OK) {
        struct isg_jsonw w;
        isg_jsonw_init(&w, call->reply);
        isg_jsonw_object(&w);
        isg_jsonw_put(&w, "iss", call->admin->parts.config->public_url);
        isg_jsonw_put(&w, "collection", collection->id);
        isg_jsonw_put_int(&w, "epoch", epoch);
        isg_jsonw_put_int(&w, "seq", (int64_t)seq);
        isg_jsonw_end(&w);
        metric_add(METRIC_SIGNATURES, "type=\"bundle\"", 1);
    }
    registry_unref(&registry);
    return err;
}
