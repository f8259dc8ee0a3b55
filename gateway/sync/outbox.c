#include "gateway/sync/outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feeds/fetch.h"
#include "gateway/share/policy.h"
#include "gateway/sync/lease.h"
#include "stix/base/time.h"

enum { CHUNK = 32, BYTES = 8 << 20 }; /* objects read at once; a page ends with about so many */

/* ---- whose view, and what is not sent back -------------------------------------------------- */

static int no_memory(struct isg_fail *why)
{
    return isg_fail(why, ISG_ENOMEM, "no memory");
}

/*
 * Its name can be no member's and no feed's, so that the rule "the source itself sees it" never
 * opens anything here.
 */
static const struct member *stranger(struct outbox *outbox, const char *name)
{
    (void)snprintf(outbox->name, sizeof outbox->name, "peer:%.64s", name);
    outbox->stranger =
        (struct member){.name = outbox->name, .kind = MEMBER_PEER_ISAO, .tlp_max = STIX_TLP_GREEN};
    return &outbox->stranger;
}

static int find_member(struct outbox *outbox, const struct registry *registry,
                       const struct outbox_target *target, struct isg_fail *why)
{
    if (target->member == NULL) {
        outbox->member = stranger(outbox, target->name);
        return ISG_OK;
    }
    outbox->member = registry_member(registry, isg_str_of(target->member));
    if (outbox->member == NULL)
        return isg_fail(why, ISG_ENOENT, "no member %.64s", target->member);
    if (outbox->member->suspended)
        return isg_fail(why, ISG_EDENIED, "the member %.64s is suspended", target->member);
    return ISG_OK;
}

static int add_origin(struct outbox *outbox, const char *before, const char *name,
                      struct isg_fail *why)
{
    size_t size = strlen(before) + strlen(name) + 1;
    char **bigger = realloc(outbox->origins, (outbox->origins_count + 1) * sizeof *outbox->origins);
    if (bigger == NULL)
        return no_memory(why);
    outbox->origins = bigger;
    char *text = malloc(size);
    if (text == NULL)
        return no_memory(why);
    (void)snprintf(text, size, "%s%s", before, name);
    outbox->origins[outbox->origins_count++] = text;
    return ISG_OK;
}

static int find_origins(struct outbox *outbox, const struct config *config,
                        const struct outbox_target *target, struct isg_fail *why)
{
    int err = target->member != NULL ? add_origin(outbox, "", target->member, why) : ISG_OK;
    for (unsigned i = 0; i < config->peers_count && err == ISG_OK; i++) {
        const struct config_peer *peer = &config->peers[i];
        if (strcmp(peer->direction, "pull") == 0 && feed_url_same_server(peer->url, target->url))
            err = add_origin(outbox, POLICY_FEED, peer->name, why);
    }
    return err;
}

int outbox_open(struct outbox *outbox, const struct sync_parts *parts,
                const struct registry *registry, const struct collection *collection,
                const struct outbox_target *target, struct isg_fail *why)
{
    *outbox = (struct outbox){.store = parts->store,
                              .directory = parts->directory,
                              .target = *target,
                              .seen = registry,
                              .collection = collection};
    int err = find_member(outbox, registry, target, why);
    if (err == ISG_OK)
        err = find_origins(outbox, parts->config, target, why);
    if (err != ISG_OK)
        outbox_close(outbox);
    return err;
}

void outbox_close(struct outbox *outbox)
{
    for (size_t i = 0; i < outbox->origins_count; i++)
        free(outbox->origins[i]);
    free(outbox->origins);
    registry_unref(&outbox->own);
    *outbox = (struct outbox){.store = NULL};
}

/* ---- reading -------------------------------------------------------------------------------- */

int outbox_start(const struct outbox *outbox, struct state *state, struct isg_fail *why)
{
    struct store_head head;
    int err = store_head(outbox->store, outbox->collection->id, 0, &head, why);
    if (err != ISG_OK)
        return err;
    bool another = state->log != 0 && state->log != head.log;
    /* An envelope may have been tried from behind a tail that the log has lost since. */
    if (another || state->position > head.position || state->sending > head.position) {
        state->position = 0;
        state->sending = 0;
        state->status[0] = '\0';
    }
    state->log = head.log;
    memcpy(state->collection, outbox->collection->id, sizeof state->collection);
    return ISG_OK;
}

static bool is_from_target(const struct outbox *outbox, struct isg_str source)
{
    for (size_t i = 0; i < outbox->origins_count; i++) {
        if (isg_str_is(source, outbox->origins[i]))
            return true;
    }
    return false;
}

/* Put the events that go out into items. */
static int choose(const struct outbox *outbox, const struct view_page *selected, uint64_t until,
                  struct isg_arena *arena, struct outbox_page *out, struct isg_fail *why)
{
    out->items = isg_arena_alloc(arena, (selected->count + 1) * sizeof *out->items);
    if (out->items == NULL)
        return no_memory(why);
    for (size_t i = 0; i < selected->count; i++) {
        const struct store_event *event = &selected->events[i];
        const char *text = store_label(outbox->store, outbox->collection->id, event->label);
        struct policy_label label = policy_label_read(isg_str_of(text));
        if (event->position > until || is_from_target(outbox, label.source))
            continue;
        out->items[out->count++] = (struct outbox_item){.event = event,
                                                        .id = event->id,
                                                        .version = event->version,
                                                        .position = event->position,
                                                        .date_added_us = event->date_added_us,
                                                        .tlp = label.tlp};
    }
    return ISG_OK;
}

/* Read the bytes of up to CHUNK items from the at-th on; sizes[i] of each, SIZE_MAX: deleted. */
static int read_chunk(const struct outbox *outbox, const struct outbox_page *page, size_t at,
                      struct isg_buf *bytes, size_t *sizes, struct isg_fail *why)
{
    const struct store_event *events[CHUNK];
    size_t n = page->count - at < CHUNK ? page->count - at : CHUNK;
    for (size_t i = 0; i < n; i++)
        events[i] = page->items[at + i].event;
    return store_objects(outbox->store, outbox->collection->id, events, n, bytes, sizes + at, why);
}

/* Drop what was deleted since it was selected, and point the rest to their bytes. */
static void point(struct outbox_page *page, const struct isg_buf *bytes, const size_t *sizes,
                  size_t read)
{
    size_t at = 0;
    size_t kept = 0;
    for (size_t i = 0; i < read; i++) {
        if (sizes[i] == SIZE_MAX)
            continue;
        page->items[kept] = page->items[i];
        page->items[kept++].text = (struct isg_str){bytes->p + at, sizes[i]};
        at += sizes[i];
    }
    page->count = kept;
}

static int fill(const struct outbox *outbox, struct isg_arena *arena, struct isg_buf *bytes,
                struct outbox_page *page, struct isg_fail *why)
{
    size_t read = 0;
    size_t *sizes = isg_arena_alloc(arena, (page->count + 1) * sizeof *sizes);
    if (sizes == NULL)
        return no_memory(why);
    while (read < page->count && bytes->len < BYTES) {
        int err = read_chunk(outbox, page, read, bytes, sizes, why);
        if (err != ISG_OK)
            return err;
        read = page->count - read < CHUNK ? page->count : read + CHUNK;
    }
    if (read < page->count) {
        page->end = page->items[read - 1].position;
        page->more = true;
    }
    point(page, bytes, sizes, read);
    return ISG_OK;
}

/* Rights may have been taken since the run began. */
static int renew(struct outbox *outbox, struct isg_fail *why)
{
    const struct registry *now = directory_get(outbox->directory);
    if (now == outbox->seen) {
        registry_unref(&now);
        return ISG_OK;
    }
    int err = registry_collection(now, (struct isg_str){0}, isg_str_of(outbox->collection->id),
                                  &outbox->collection, why);
    if (err == ISG_OK)
        err = find_member(outbox, now, &outbox->target, why);
    registry_unref(&outbox->own);
    outbox->own = outbox->seen = now;
    return err;
}

int outbox_read(struct outbox *outbox, const struct outbox_range *range, struct isg_arena *arena,
                struct isg_buf *bytes, struct outbox_page *out, struct isg_fail *why)
{
    struct view_page selected = {.more = false};
    struct view_query query = {.after = range->after,
                               .added_after_us = INT64_MIN,
                               .limit = range->limit,
                               .want = VIEW_LAST};
    uint64_t until = range->until == 0 ? UINT64_MAX : range->until;
    isg_arena_reset(arena);
    isg_buf_reset(bytes);
    *out = (struct outbox_page){.count = 0};
    int err = renew(outbox, why);
    if (err != ISG_OK)
        return err;
    const struct view *view = view_of(outbox->store, outbox->collection, outbox->member, arena);
    err = view == NULL ? no_memory(why)
                       : view_select(outbox->store, outbox->collection, view, &query, true, arena,
                                     &selected, why);
    if (err != ISG_OK)
        return err;
    out->end = selected.more ? selected.last : selected.head.position;
    out->more = selected.more && out->end < until;
    out->end = out->end < until ? out->end : until;
    if (selected.more && selected.last <= range->after)
        return isg_fail(why, ISG_ESTORE, "the log does not move on");
    err = choose(outbox, &selected, until, arena, out, why);
    return err == ISG_OK && !range->no_text ? fill(outbox, arena, bytes, out, why) : err;
}

void outbox_list(const struct outbox_page *page, struct isg_jsonw *w, size_t *listed)
{
    for (size_t i = 0; i < page->count && *listed < OUTBOX_LISTED_MAX; i++, (*listed)++) {
        const struct outbox_item *item = &page->items[i];
        isg_jsonw_object(w);
        isg_jsonw_put_str(w, "id", item->id);
        if (item->version.n > 0)
            isg_jsonw_put_str(w, "version", item->version);
        isg_jsonw_put(w, "tlp", stix_tlp_name(item->tlp));
        isg_jsonw_end(w);
    }
}

bool outgoing_is_stopping(const struct sync_parts *parts)
{
    return (parts->stop != NULL && atomic_load(parts->stop)) || lease_is_lost(parts->lease);
}

bool outgoing_is_over(const struct sync_parts *parts, const struct outgoing_how *how)
{
    return outgoing_is_stopping(parts) ||
           (how->until_us != 0 && isg_time_mono_us() >= how->until_us);
}
