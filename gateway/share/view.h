/*
 * A view is what a member sees of a collection: the set of labels policy allows. Members with equal
 * sets share one view, and so its pages. Everything that leaves (pages, exports, pushes) is
 * selected here and nowhere else.
 */
#ifndef GATEWAY_SHARE_VIEW_H
#define GATEWAY_SHARE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/share/member.h"
#include "gateway/share/policy.h"
#include "gateway/store/store.h"
#include "stix/base/arena.h"
#include "stix/base/err.h"

struct view {
    uint64_t key;    /* equal for members with equal sets; part of cache keys */
    uint32_t labels; /* labels known when it was made */
    uint8_t *sees;   /* bit per label */
};

/* The view of member on collection now, in arena. member NULL: staff (sees all). */
const struct view *view_of(struct store *store, const struct collection *collection,
                           const struct member *member, struct isg_arena *arena);

/*
 * Views that were made, so that not every request decides every label. A view is made anew when the
 * member, the registry or the labels have changed; what is kept is bounded, the rest is made anew.
 * For several threads.
 */
struct view_memory;
/* Empty. NULL without memory. */
struct view_memory *view_memory_new(void);
/* Accepts NULL, leaves NULL. */
void view_memory_free(struct view_memory **memory);

/* As view_of, from memory where it is there. member and collection are of this registry. */
const struct view *view_recall(struct view_memory *memory, struct store *store,
                               const struct registry *registry, const struct collection *collection,
                               const struct member *member, struct isg_arena *arena);

/* May this label be seen? False for one newer than the view. */
bool view_sees(const struct view *view, uint32_t label);

enum view_versions {
    VIEW_LAST = 1,
    VIEW_FIRST = 2,
    VIEW_ALL = 4,
    VIEW_LISTED = 8 /* those in versions[] */
};

/* What is asked (section 3.4 of TAXII). Lists are empty for "any". */
struct view_query {
    uint64_t after;         /* positions above this one (from `next`); 0: from the start */
    int64_t added_after_us; /* events later than this; INT64_MIN: any */
    size_t limit;           /* at least 1 */
    struct isg_str *ids;
    size_t ids_count;
    struct isg_str *types; /* sorted by isg_str_cmp */
    size_t types_count;
    unsigned want;            /* enum view_versions, ored; 0 means VIEW_LAST */
    struct isg_str *versions; /* sorted by isg_time_cmp */
    size_t versions_count;
    bool no_21; /* match[spec_version] names 2.1 not: nothing matches */
};

struct view_page {
    struct store_event *events; /* in arena, texts too; by position */
    size_t count;
    bool more;            /* something that matches lies behind the last event */
    uint64_t last;        /* position to continue after */
    uint64_t first_block; /* blocks looked at: the page stays true while none of them moves */
    uint64_t last_block;
    bool reached_head;      /* the page ends with the log: it also changes with the head */
    bool is_cut;            /* the log ended before its head: a label younger than the view came */
    struct store_head head; /* as used */
};

/*
 * Select a page of events of a view.
 *
 * With may_wait false only what is in memory and confirmed is used: ISG_EBUSY otherwise.
 * Returns ISG_OK, ISG_EBUSY, ISG_ESTORE, ISG_ENOMEM.
 */
int view_select(struct store *store, const struct collection *collection, const struct view *view,
                const struct view_query *query, bool may_wait, struct isg_arena *arena,
                struct view_page *out, struct isg_fail *why);

#endif
