#include "gateway/store/family.h"

#include <stdlib.h>
#include <string.h>

#include "stix/base/time.h"

struct relative *family_add(struct family *family, const struct event_record *record,
                            struct isg_arena *arena)
{
    if (family->count == family->room) {
        size_t room = family->room == 0 ? 4 : family->room * 2;
        struct relative **events = isg_arena_alloc(arena, room * sizeof(struct relative *));
        if (events == NULL)
            return NULL;
        if (family->count > 0)
            memcpy(events, family->events, family->count * sizeof(struct relative *));
        family->events = events;
        family->room = room;
    }
    struct relative *event = isg_arena_alloc(arena, sizeof *event);
    if (event == NULL)
        return NULL;
    event->record = *record;
    family->events[family->count++] = event;
    return event;
}

/* Texts that are no timestamps cannot come through the gateway; they are ordered by bytes. */
static int order_texts(struct isg_str a, struct isg_str b)
{
    int64_t us;
    if (isg_time_parse(a, &us) && isg_time_parse(b, &us))
        return isg_time_cmp(a, b);
    return isg_str_cmp(a, b);
}

int family_order(const struct event_record *a, const struct event_record *b)
{
    int va = (a->flags & EVENT_VERSIONED) != 0;
    int vb = (b->flags & EVENT_VERSIONED) != 0;
    if (va != vb)
        return va - vb;
    return va == 0 ? 0 : order_texts(a->version, b->version);
}

/* ---- marks ---------------------------------------------------------------------------------- */

/* A set of labels in rising order; it grows, and is copied into each event's marks. */
struct set {
    uint32_t *labels;
    size_t count;
};

static void set_add(struct set *set, uint32_t label)
{
    size_t at = set->count;
    while (at > 0 && set->labels[at - 1] > label)
        at--;
    if (at > 0 && set->labels[at - 1] == label)
        return;
    memmove(set->labels + at + 1, set->labels + at, (set->count - at) * sizeof *set->labels);
    set->labels[at] = label;
    set->count++;
}

static int set_copy(const struct set *set, struct isg_arena *arena, const uint32_t **out,
                    size_t *out_count)
{
    uint32_t *labels = isg_arena_alloc(arena, (set->count + 1) * sizeof *labels);
    if (labels == NULL)
        return ISG_ENOMEM;
    if (set->count > 0)
        memcpy(labels, set->labels, set->count * sizeof *labels);
    *out = labels;
    *out_count = set->count;
    return ISG_OK;
}

static int by_order(const void *a, const void *b)
{
    const struct event_record *ra = &((const struct family_marks *)a)->event->record;
    const struct event_record *rb = &((const struct family_marks *)b)->event->record;
    int order = family_order(ra, rb);
    if (order == 0)
        order = ra->position < rb->position ? -1 : ra->position > rb->position;
    return order;
}

/* Index behind the forms of the version that begins at i. */
static size_t end_of_forms(const struct family_marks *list, size_t n, size_t i)
{
    size_t end = i + 1;
    while (end < n && family_order(&list[i].event->record, &list[end].event->record) == 0)
        end++;
    return end;
}

/* One version's forms: what was seen so far (older or newer ones), and the forms before each. */
static int mark_forms(struct family_marks *forms, size_t n, struct set *seen, bool newer,
                      struct isg_arena *arena)
{
    for (size_t i = 0; i < n; i++) {
        struct event_marks *m = &forms[i].marks;
        int err = newer ? set_copy(seen, arena, &m->newer, &m->newer_count)
                        : set_copy(seen, arena, &m->older, &m->older_count);
        if (err != ISG_OK)
            return err;
        set_add(seen, forms[i].event->record.label);
    }
    return ISG_OK;
}

static int mark_older(struct family_marks *list, size_t n, struct set *seen,
                      struct isg_arena *arena)
{
    int err = ISG_OK;
    seen->count = 0;
    for (size_t i = 0, end; i < n && err == ISG_OK; i = end) {
        end = end_of_forms(list, n, i);
        err = mark_forms(list + i, end - i, seen, false, arena);
    }
    return err;
}

static int mark_newer(struct family_marks *list, size_t n, struct set *seen,
                      struct isg_arena *arena)
{
    int err = ISG_OK;
    seen->count = 0;
    for (size_t end = n, i; end > 0 && err == ISG_OK; end = i) {
        i = end - 1;
        while (i > 0 && family_order(&list[i - 1].event->record, &list[i].event->record) == 0)
            i--;
        err = mark_forms(list + i, end - i, seen, true, arena);
    }
    return err;
}

int family_relate(const struct family *family, bool after, struct isg_arena *arena,
                  struct family_marks **out, size_t *out_count)
{
    struct family_marks *list = isg_arena_alloc(arena, (family->count + 1) * sizeof *list);
    struct set seen = {isg_arena_alloc(arena, (family->count + 1) * sizeof(uint32_t)), 0};
    size_t n = 0;
    if (list == NULL || seen.labels == NULL)
        return ISG_ENOMEM;
    for (size_t i = 0; i < family->count; i++) {
        struct relative *event = family->events[i];
        if (after ? !event->is_gone : !event->is_new)
            list[n++].event = event;
    }
    qsort(list, n, sizeof *list, by_order);
    if (mark_older(list, n, &seen, arena) != ISG_OK || mark_newer(list, n, &seen, arena) != ISG_OK)
        return ISG_ENOMEM;
    *out = list;
    *out_count = n;
    return ISG_OK;
}

/* Marks as text in the arena; p NULL without memory. */
static struct isg_str marks_text(const struct event_marks *marks, struct isg_arena *arena)
{
    struct isg_buf text;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    event_marks_write(&text, marks);
    struct isg_str copy = {NULL, text.len};
    if (text.err == ISG_OK)
        copy.p = isg_arena_copy(arena, isg_buf_str(&text));
    isg_buf_done(&text);
    return copy;
}

static int write_side(struct family *family, bool after, struct isg_arena *arena)
{
    struct family_marks *list;
    size_t n;
    int err = family_relate(family, after, arena, &list, &n);
    for (size_t i = 0; err == ISG_OK && i < n; i++) {
        struct isg_str text = marks_text(&list[i].marks, arena);
        *(after ? &list[i].event->marks_after : &list[i].event->marks_before) = text;
        err = text.p == NULL ? ISG_ENOMEM : ISG_OK;
    }
    return err;
}

int family_write_marks(struct family *family, struct isg_arena *arena)
{
    for (size_t i = 0; i < family->count; i++) {
        struct relative *event = family->events[i];
        const struct event_marks dead = {
            .dead = true, .expired = event->is_expired, .gone_us = event->gone_us};
        event->marks_before = ISG_STR("/");
        event->marks_after = event->is_gone ? marks_text(&dead, arena) : ISG_STR("/");
        if (event->marks_after.p == NULL)
            return ISG_ENOMEM;
    }
    if (family->count == 1)
        return ISG_OK; /* nobody is older or newer, the usual case */
    int err = write_side(family, false, arena);
    return err == ISG_OK ? write_side(family, true, arena) : err;
}

/* ---- judging -------------------------------------------------------------------------------- */

static bool has_digest(const struct relative *event, const uint8_t digest[ISG_SHA256_BYTES])
{
    return !event->is_gone && memcmp(event->record.digest, digest, ISG_SHA256_BYTES) == 0;
}

bool family_holds_digest(const struct family *family, const uint8_t digest[ISG_SHA256_BYTES])
{
    for (size_t i = 0; i < family->count; i++)
        if (family->events[i]->record.shelf.pack == 0 && has_digest(family->events[i], digest))
            return true;
    return false;
}

static bool is_open(const struct event_record *there, const struct event_record *pushed,
                    const struct family_eye *eye)
{
    return there->label == pushed->label || eye->sees(eye->arg, there->label);
}

enum store_verdict family_judge(const struct family *family, const struct event_record *record,
                                const struct family_eye *eye, const struct relative **out_same)
{
    bool versioned = (record->flags & EVENT_VERSIONED) != 0;
    enum store_verdict verdict = STORE_ADDED;
    for (size_t i = 0; i < family->count; i++) {
        const struct relative *event = family->events[i];
        const struct event_record *there = &event->record;
        if (event->is_gone || !is_open(there, record, eye))
            continue;
        if (has_digest(event, record->digest)) {
            *out_same = event;
            return STORE_SAME;
        }
        if (!versioned || (there->flags & EVENT_VERSIONED) == 0)
            continue;
        int order = order_texts(record->version, there->version);
        if (order == 0)
            verdict = STORE_CONFLICT;
        else if (order > 0 && (there->flags & EVENT_REVOKED) != 0 && verdict == STORE_ADDED)
            verdict = STORE_REVOKED;
    }
    return verdict;
}
