/*
 * A view that sees one event in a thousand must not pass the others: the store has a list of places
 * for each label.
 */
#include <string.h>

#include "gateway/share/select_private.h"

enum {
    WALKED_MIN = 2 * STORE_BLOCK, /* events walked before the view is judged */
    NARROW = 64,                  /* narrow: less than one in so many is seen */
    LABELS_MAX = 512,             /* lists read at once; a view of more goes by blocks */
    SLICE_MIN = 32,
    SLICE_MAX = 512,
    EVENTS_MAX = 50000 /* read in one call; then a short page with `more` */
};

/* Labels seen, and those younger than the view: the log ends before the first event of one. */
static size_t gather_labels(const struct selection *s, uint32_t labels[LABELS_MAX])
{
    uint32_t count = store_label_count(s->store, s->collection);
    size_t n = 0;
    for (uint32_t label = 0; label < count; label++) {
        if (label < s->view->labels && !view_sees(s->view, label))
            continue;
        if (n < LABELS_MAX)
            labels[n] = label;
        n++;
    }
    return n;
}

bool select_is_narrow(const struct selection *s)
{
    uint32_t labels[LABELS_MAX];
    return s->may_wait && s->walked >= WALKED_MIN && s->seen * NARROW < s->walked &&
           gather_labels(s, labels) <= LABELS_MAX;
}

static int take_slice(struct selection *s, const struct store_wish *wish, uint64_t *out_last,
                      bool *out_ended)
{
    struct store_event *events = NULL;
    size_t n = 0;
    struct isg_arena *arena = isg_arena_new(ISG_BUF_NO_MAX);
    if (arena == NULL)
        return isg_fail(s->why, ISG_ENOMEM, "no memory for a page");
    int err = store_events_of(s->store, s->collection, wish, arena, &events, &n, s->why);
    bool ended = false;
    for (size_t i = 0; i < n && err == ISG_OK && !ended; i++)
        err = select_event(s, &events[i], &ended);
    if (err == ISG_OK && n > 0)
        *out_last = events[n - 1].position;
    *out_ended = ended || n < wish->limit;
    isg_arena_free(&arena);
    return err;
}

static size_t slice_of(size_t limit)
{
    return limit < SLICE_MIN ? SLICE_MIN : limit < SLICE_MAX ? limit + 1 : SLICE_MAX;
}

int select_narrow(struct selection *s, uint64_t after)
{
    uint32_t labels[LABELS_MAX];
    struct store_wish wish = {.labels = labels,
                              .labels_count = gather_labels(s, labels),
                              .after = after,
                              .limit = slice_of(s->query->limit)};
    bool ended = wish.labels_count > LABELS_MAX; /* another gateway's, since it was looked at */
    if (ended)
        return isg_fail(s->why, ISG_EBUSY, "too many labels");
    s->page.last_block =
        (s->page.head.position - 1) / STORE_BLOCK; /* whatever moves there counts */
    for (size_t read = 0; !ended; read += wish.limit) {
        if (read >= EVENTS_MAX) {
            s->page.more = true;
            s->page.last = wish.after;
            return ISG_OK;
        }
        int err = take_slice(s, &wish, &wish.after, &ended);
        if (err != ISG_OK)
            return err;
    }
    return ISG_OK;
}
