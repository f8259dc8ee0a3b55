/*
 * Between the files of the selection: select.c decides and walks blocks, select_narrow.c reads the
 * events of a view that sees few of a log's, select_again.c knows those that were announced twice.
 */
#ifndef GATEWAY_SHARE_SELECT_PRIVATE_H
#define GATEWAY_SHARE_SELECT_PRIVATE_H

#include "gateway/share/view.h"

struct selection {
    struct store *store;
    const char *collection;
    const struct view *view;
    const struct view_query *query;
    bool may_wait;
    struct isg_arena *arena;
    struct isg_fail *why;
    uint64_t from; /* the first position that may be shown */
    size_t walked; /* events looked at, and those of them that the view sees */
    size_t seen;
    size_t room; /* of page.events */
    bool full;   /* limit events are there, and one more that matches was seen */
    struct store_event
        *family; /* all versions of the id that was looked up last; freed at the end */
    size_t family_count;
    struct view_page page;
};

/*
 * Take an event, in order of positions, if it matches. *out_ended: the page is full, or the log ends
 * before this event for this page. Returns ISG_OK, ISG_EBUSY, ISG_ESTORE, ISG_ENOMEM.
 */
int select_event(struct selection *s, const struct store_event *event, bool *out_ended);

/* Does it live, and may the view see it? */
bool select_sees(const struct selection *s, const struct store_event *event);

/*
 * A form can be in a log twice: announced again, for those who may see it only now. Who sees both gets
 * the first, so this tells whether event is the second. family: all versions of its id.
 */
bool select_is_again(const struct selection *s, const struct store_event *event,
                     const struct store_event *family, size_t count);

/* Likewise, and the versions are looked up where they are needed. ISG_EBUSY where that may not wait. */
int select_again(struct selection *s, const struct store_event *event, bool *out);

/* So few of the events walked were seen that the rest is cheaper read by labels. */
bool select_is_narrow(const struct selection *s);

/* The rest of the walk by labels, behind a position. As select_event, and it may cut the page. */
int select_narrow(struct selection *s, uint64_t after);

#endif
