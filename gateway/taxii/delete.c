/*
 * Deleting an object or some of its versions (T-126 to T-131). Only what the member may see counts:
 * what is hidden from him stays, and he is told nothing of it.
 */
#include "gateway/share/policy.h"
#include "gateway/share/view.h"
#include "gateway/taxii/call.h"
#include "gateway/taxii/page.h"
#include "stix/base/time.h"

enum { VERSIONS_MAX = 10000 }; /* deleted by one request */

struct eyes { /* whose, and when */
    const struct member *member;
    int64_t now_us;
};

static bool can_see(void *arg, struct isg_str label_text)
{
    const struct eyes *eyes = arg;
    struct policy_label label = policy_label_read(label_text);
    return policy_decide(&label, eyes->member, eyes->now_us) == POLICY_ALLOW;
}

static int delete_all(struct call *call, struct eyes *eyes, struct isg_fail *why)
{
    return store_delete(call->taxii->parts.store, call->collection->id,
                        call->match.piece[ROUTE_OBJECT], ISG_STR(""), can_see, eyes, why);
}

/* Those versions that a GET with the same match[version] would show (T-129). */
static int delete_some(struct call *call, struct eyes *eyes, struct isg_fail *why)
{
    struct store *store = call->taxii->parts.store;
    struct view_page found = {0};
    const struct view *view =
        view_of(store, call->collection, eyes->member, http_arena(call->request));
    if (view == NULL)
        return isg_fail(why, ISG_ENOMEM, "out of memory");
    struct view_query query = call->query.view;
    query.limit = VERSIONS_MAX;
    int err = view_select(store, call->collection, view, &query, true, http_arena(call->request),
                          &found, why);
    if (err == ISG_OK && found.count == 0)
        return isg_fail(why, ISG_ENOENT, "no such version");
    for (size_t i = 0; i < found.count && err == ISG_OK; i++) {
        char room[ISG_TIME_TEXT];
        err = store_delete(store, call->collection->id, call->match.piece[ROUTE_OBJECT],
                           page_version(&found.events[i], room), can_see, eyes, why);
        if (err == ISG_ENOENT)
            err = ISG_OK; /* gone meanwhile, which is what was asked */
    }
    return err;
}

enum http_next call_delete(struct call *call)
{
    if (!call->may_wait)
        return HTTP_WAIT;
    const struct view_query *query = &call->query.view;
    struct eyes eyes = {call->member, isg_time_now_us()};
    struct isg_fail why = {0};
    int err;
    if (query->no_21)
        err = ISG_ENOENT; /* nothing of another spec version is here */
    else if ((query->want & VIEW_ALL) != 0)
        err = delete_all(call, &eyes, &why);
    else
        err = delete_some(call, &eyes, &why);
    if (err == ISG_ENOENT)
        return call_not_found(call); /* T-131 */
    if (err != ISG_OK)
        return call_failed(call, &why);
    http_status(call->request, 200);
    call_headers(call); /* T-126: the type without a body */
    http_send_copy(call->request, ISG_STR(""));
    return HTTP_DONE;
}
