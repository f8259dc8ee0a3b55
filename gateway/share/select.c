/*
 * The one place where a page is cut from a log: view, filters, cursor and limit come together here.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/share/select_private.h"
#include "stix/base/time.h"

enum {
    HEAD_MS = 1000,     /* a head confirmed within this time is current */
    BLOCKS_WAIT = 2000, /* blocks walked in one call that may wait; then a short page with `more` */
    BLOCKS_NOW = 16     /* and in one that must not hold up a listener */
};

/* ---- what matches --------------------------------------------------------------------------- */

static bool any_seen(const struct view *view, const uint32_t *labels, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (view_sees(view, labels[i]))
            return true;
    }
    return false;
}

static int cmp_type(const void *a, const void *b)
{
    return isg_str_cmp(*(const struct isg_str *)a, *(const struct isg_str *)b);
}

static int cmp_instant(const void *a, const void *b)
{
    return isg_time_cmp(*(const struct isg_str *)a, *(const struct isg_str *)b);
}

/* A query may list hundreds of types or versions, and this is asked of each event walked (T-147). */
static bool has_type(const struct view_query *query, struct isg_str id)
{
    if (query->types_count == 0)
        return true;
    size_t dashes = 0;
    while (dashes + 1 < id.n && !(id.p[dashes] == '-' && id.p[dashes + 1] == '-'))
        dashes++;
    struct isg_str type = {id.p, dashes};
    return bsearch(&type, query->types, query->types_count, sizeof type, cmp_type) != NULL;
}

/* Listed versions are instants, not texts (T-053); what has no version goes by its date (T-055). */
static bool is_listed(const struct view_query *query, const struct store_event *event)
{
    char date[ISG_TIME_TEXT];
    struct isg_str version = event->version;
    if (version.n == 0) {
        isg_time_format(event->date_added_us, 6, date);
        version = isg_str_of(date);
    }
    return query->versions_count > 0 && bsearch(&version, query->versions, query->versions_count,
                                                sizeof version, cmp_instant) != NULL;
}

/*
 * The union of the wanted versions (T-053). "Latest" is the newest version this view sees (T-052):
 * a newer one that is hidden must not make this one vanish. Of several forms of one version the
 * store counts the earliest as newer and as older than the others, so that a view shows the
 * earliest form that it may see (S-100).
 */
static bool is_wanted(const struct selection *s, const struct store_event *event, bool first,
                      bool last)
{
    unsigned want = s->query->want == 0 ? VIEW_LAST : s->query->want;
    return (want & VIEW_ALL) != 0 || ((want & VIEW_LAST) != 0 && last) ||
           ((want & VIEW_FIRST) != 0 && first) ||
           ((want & VIEW_LISTED) != 0 && is_listed(s->query, event));
}

bool select_sees(const struct selection *s, const struct store_event *event)
{
    return !event->dead && view_sees(s->view, event->label);
}

/* ---- the page ------------------------------------------------------------------------------- */

static int no_memory(const struct selection *s)
{
    return isg_fail(s->why, ISG_ENOMEM, "no memory for a page");
}

static int grow(struct selection *s)
{
    size_t room = s->room == 0 ? 32 : s->room * 2;
    if (room > s->query->limit)
        room = s->query->limit;
    struct store_event *events = isg_arena_alloc(s->arena, room * sizeof *events);
    if (events == NULL)
        return no_memory(s);
    if (s->page.count > 0)
        memcpy(events, s->page.events, s->page.count * sizeof *events);
    s->page.events = events;
    s->room = room;
    return ISG_OK;
}

/* Take one event that matches, or note that there is one too many. */
static int take(struct selection *s, const struct store_event *event)
{
    if (s->page.count == s->query->limit) {
        s->full = true;
        return ISG_OK;
    }
    int err = s->page.count == s->room ? grow(s) : ISG_OK;
    if (err != ISG_OK)
        return err;
    struct store_event copy = *event;
    copy.newer = copy.older = NULL;
    copy.newer_count = copy.older_count = 0;
    copy.id.p = isg_arena_copy(s->arena, event->id);
    copy.version.p = isg_arena_copy(s->arena, event->version);
    if (copy.id.p == NULL || copy.version.p == NULL)
        return no_memory(s);
    s->page.events[s->page.count++] = copy;
    return ISG_OK;
}

/*
 * An event whose label is younger than the view came after the view was made. The log ends before
 * it for this page, so that no cursor passes what nobody has decided yet.
 */
static bool is_too_young(const struct selection *s, const struct store_event *event)
{
    return event->label >= s->view->labels;
}

static void end_before(struct selection *s, uint64_t position)
{
    s->page.head.position = position - 1;
    s->page.is_cut = true;
}

/* ---- versions of one object ---------------------------------------------------------------- */

/* All versions of one id, from store_versions, and which of those seen are first and last. */
struct family {
    struct store_event *events;
    size_t count;
    const struct store_event *first;
    const struct store_event *last;
};

/* ---- by blocks ------------------------------------------------------------------------------ */

static uint64_t block_of(uint64_t position)
{
    return (position - 1) / STORE_BLOCK;
}

static int get_block(struct selection *s, uint64_t number, struct store_block **out)
{
    if (s->may_wait)
        return store_block_get(s->store, s->collection, number, out, s->why);
    *out = store_block_now(s->store, s->collection, number);
    return *out != NULL ? ISG_OK : isg_fail(s->why, ISG_EBUSY, "a block is not in memory");
}

static bool matches(const struct selection *s, const struct store_event *event)
{
    return select_sees(s, event) && has_type(s->query, event->id) &&
           is_wanted(s, event, !any_seen(s->view, event->older, event->older_count),
                     !any_seen(s->view, event->newer, event->newer_count));
}

static int take_unless_again(struct selection *s, const struct store_event *event)
{
    bool again = false;
    int err = select_again(s, event, &again);
    return err == ISG_OK && !again ? take(s, event) : err;
}

int select_event(struct selection *s, const struct store_event *event, bool *out_ended)
{
    *out_ended = event->position > s->page.head.position;
    if (*out_ended)
        return ISG_OK;
    if (is_too_young(s, event)) {
        end_before(s, event->position);
        *out_ended = true;
        return ISG_OK;
    }
    s->walked++;
    s->seen += select_sees(s, event);
    int err = matches(s, event) ? take_unless_again(s, event) : ISG_OK;
    *out_ended = s->full;
    return err;
}

static int walk_block(struct selection *s, const struct store_block *block)
{
    bool ended = s->full;
    int err = ISG_OK;
    for (size_t i = 0; i < block->count && !ended && err == ISG_OK; i++)
        if (block->events[i].position >= s->from)
            err = select_event(s, &block->events[i], &ended);
    return err;
}

static int walk(struct selection *s)
{
    const uint64_t bound = s->may_wait ? BLOCKS_WAIT : BLOCKS_NOW;
    bool is_past = s->from > s->page.head.position;
    uint64_t number = block_of(is_past ? s->page.head.position : s->from);
    s->page.first_block = s->page.last_block = number;
    for (uint64_t n = 0; !is_past && !s->full; n++, number++) {
        struct store_block *block = NULL;
        if (s->page.head.position == 0 || number > block_of(s->page.head.position))
            break;
        if (n == bound && !s->may_wait)
            return isg_fail(s->why, ISG_EBUSY, "a long walk");
        if (n == bound) {
            s->page.more = true;
            s->page.last = number * STORE_BLOCK;
            return ISG_OK;
        }
        int err = get_block(s, number, &block);
        if (err == ISG_OK)
            err = walk_block(s, block);
        store_block_unref(&block);
        if (err != ISG_OK)
            return err;
        s->page.last_block = number;
        if (!s->full && select_is_narrow(s))
            return select_narrow(s, (number + 1) * STORE_BLOCK);
    }
    return ISG_OK;
}

/* ---- by ids --------------------------------------------------------------------------------- */

/* <0 when a is the older version, 0 for two forms of one (S-098, S-100). */
static int compare_versions(const struct store_event *a, const struct store_event *b)
{
    if (a->versioned != b->versioned)
        return a->versioned ? 1 : -1;
    return a->versioned ? isg_time_cmp(a->version, b->version) : 0;
}

/*
 * Events come by position, so of several forms of one version the earliest is kept. One behind the
 * head counts with it: else it would hide the version before it, and not be shown itself.
 */
static void relate(const struct selection *s, struct family *family)
{
    for (size_t i = 0; i < family->count; i++) {
        const struct store_event *event = &family->events[i];
        if (!select_sees(s, event) || event->position > s->page.head.position)
            continue;
        if (family->first == NULL || compare_versions(event, family->first) < 0)
            family->first = event;
        if (family->last == NULL || compare_versions(event, family->last) > 0)
            family->last = event;
    }
}

/* The matching events of one id, into *found (malloc'd, grown). */
struct found {
    struct store_event *events;
    size_t count;
};

static int add_found(struct selection *s, struct found *found, const struct store_event *event)
{
    struct store_event *bigger = realloc(found->events, (found->count + 1) * sizeof *found->events);
    if (bigger == NULL)
        return no_memory(s);
    found->events = bigger;
    found->events[found->count] = *event;
    found->events[found->count].id.p = isg_arena_copy(s->arena, event->id);
    found->events[found->count].version.p = isg_arena_copy(s->arena, event->version);
    if (bigger[found->count].id.p == NULL || bigger[found->count].version.p == NULL)
        return no_memory(s);
    found->count++;
    return ISG_OK;
}

static bool is_in_range(const struct selection *s, const struct store_event *event)
{
    return event->position >= s->from && event->position <= s->page.head.position &&
           event->date_added_us > s->query->added_after_us;
}

static int find_id(struct selection *s, struct isg_str id, struct found *found)
{
    struct family family = {.events = NULL};
    int err = store_versions(s->store, s->collection, id, &family.events, &family.count, s->why);
    if (err == ISG_ENOENT)
        return ISG_OK;
    relate(s, &family);
    for (size_t i = 0; err == ISG_OK && i < family.count; i++) {
        const struct store_event *event = &family.events[i];
        if (is_too_young(s, event) && event->position <= s->page.head.position)
            end_before(s, event->position);
        else if (select_sees(s, event) && has_type(s->query, event->id) && is_in_range(s, event) &&
                 is_wanted(s, event, event == family.first, event == family.last) &&
                 !select_is_again(s, event, family.events, family.count))
            err = add_found(s, found, event);
    }
    free(family.events);
    return err;
}

static bool is_repeated(const struct view_query *query, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (isg_str_eq(query->ids[i], query->ids[index]))
            return true;
    }
    return false;
}

static int compare_positions(const void *a, const void *b)
{
    const struct store_event *left = a, *right = b;
    return left->position < right->position ? -1 : left->position > right->position;
}

static void note_blocks(struct selection *s)
{
    if (s->page.count == 0)
        return;
    s->page.first_block = block_of(s->page.events[0].position);
    s->page.last_block = block_of(s->page.events[s->page.count - 1].position);
}

static int select_ids(struct selection *s)
{
    struct found found = {NULL, 0};
    if (!s->may_wait)
        return isg_fail(s->why, ISG_EBUSY, "ids are looked up in the store");
    int err = ISG_OK;
    for (size_t i = 0; err == ISG_OK && i < s->query->ids_count; i++) {
        if (!is_repeated(s->query, i))
            err = find_id(s, s->query->ids[i], &found);
    }
    if (found.count > 1)
        qsort(found.events, found.count, sizeof *found.events, compare_positions);
    for (size_t i = 0; err == ISG_OK && i < found.count && !s->full; i++) {
        if (found.events[i].position <= s->page.head.position)
            err = take(s, &found.events[i]);
    }
    free(found.events);
    note_blocks(s);
    return err;
}

/* ---- where to begin ------------------------------------------------------------------------- */

static int get_head(struct selection *s)
{
    if (s->may_wait)
        return store_head(s->store, s->collection, HEAD_MS, &s->page.head, s->why);
    return store_head_now(s->store, s->collection, HEAD_MS, &s->page.head)
               ? ISG_OK
               : isg_fail(s->why, ISG_EBUSY, "the head is not confirmed");
}

/* In memory only: the last block whose first event is not later than us, then the event in it. */
static int position_now(struct selection *s, int64_t us, uint64_t *out)
{
    uint64_t low = 0, high = block_of(s->page.head.position);
    while (low < high) {
        struct store_block *block = NULL;
        uint64_t middle = low + (high - low + 1) / 2;
        int err = get_block(s, middle, &block);
        if (err != ISG_OK)
            return err;
        if (block->count > 0 && block->events[0].date_added_us <= us)
            low = middle;
        else
            high = middle - 1;
        store_block_unref(&block);
    }
    struct store_block *block = NULL;
    int err = get_block(s, low, &block);
    if (err != ISG_OK)
        return err;
    size_t i = 0;
    while (i < block->count && block->events[i].date_added_us <= us)
        i++;
    *out = low * STORE_BLOCK + i + 1;
    store_block_unref(&block);
    return ISG_OK;
}

/* T-034: strictly later. The usual poll, where nothing is, needs no look at the log. */
static int set_start(struct selection *s)
{
    const struct view_query *query = s->query;
    uint64_t by_date = 1;
    int err = ISG_OK;
    s->from = query->after + 1;
    if (query->added_after_us == INT64_MIN || query->ids_count > 0)
        return ISG_OK;
    if (query->added_after_us >= s->page.head.date_added_us)
        by_date = s->page.head.position + 1;
    else if (s->may_wait)
        err =
            store_position_after(s->store, s->collection, query->added_after_us, &by_date, s->why);
    else
        err = position_now(s, query->added_after_us, &by_date);
    if (err == ISG_OK && by_date > s->from)
        s->from = by_date;
    return err;
}

static void finish(struct selection *s)
{
    struct view_page *page = &s->page;
    if (page->more) /* the walk was cut: go on where it stopped */
        return;
    page->more = s->full;
    page->reached_head = !s->full;
    if (s->full)
        page->last = page->events[page->count - 1].position;
    else
        page->last = page->head.position > s->query->after ? page->head.position : s->query->after;
}

int view_select(struct store *store, const struct collection *collection, const struct view *view,
                const struct view_query *query, bool may_wait, struct isg_arena *arena,
                struct view_page *out, struct isg_fail *why)
{
    struct selection s = {.store = store,
                          .collection = collection->id,
                          .view = view,
                          .query = query,
                          .may_wait = may_wait,
                          .arena = arena,
                          .why = why};
    int err = get_head(&s);
    if (err == ISG_OK && s.page.head.position > 0 && !query->no_21) {
        err = set_start(&s);
        if (err == ISG_OK)
            err = query->ids_count > 0 ? select_ids(&s) : walk(&s);
    }
    free(s.family);
    if (err != ISG_OK)
        return err;
    finish(&s);
    *out = s.page;
    return ISG_OK;
}
