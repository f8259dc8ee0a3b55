/*
 * Deleting an object or some of its versions (T-126 to T-131). Only what the member may see counts:
 * what is hidden from him stays, and he is told nothing of it.
 */
#include "gateway/share/policy.h"
#include "gateway/share/view.h"
#include "gateway/taxii/call.h"
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
    return store_delete(call->taxii->parts.store, call->collection->id, call->query.view.ids[0],
                        ISG_STR(""), &(struct store_eyes){can_see, eyes}, why);
}

static int select_versions(struct call *call, struct eyes *eyes, unsigned want,
                           struct view_page *out, struct isg_fail *why)
{
    struct store *store = call->taxii->parts.store;
    struct isg_arena *arena = http_arena(call->request);
    const struct view *view = view_of(store, call->collection, eyes->member, arena);
    if (view == NULL)
        return isg_fail(why, ISG_ENOMEM, "out of memory");
    struct view_query query = call->query.view;
    query.want = want;
    query.limit = VERSIONS_MAX;
    return view_select(store, call->collection, view, &query, true, arena, out, why);
}

static int delete_each(struct call *call, struct eyes *eyes, const struct view_page *found,
                       struct isg_fail *why)
{
    size_t gone = 0;
    for (size_t i = 0; i < found->count; i++) {
        int err =
            store_delete(call->taxii->parts.store, call->collection->id, call->query.view.ids[0],
                         found->events[i].version, &(struct store_eyes){can_see, eyes}, why);
        if (err != ISG_OK && err != ISG_ENOENT)
            return err;
        gone += err == ISG_OK;
    }
    return gone > 0 ? ISG_OK : isg_fail(why, ISG_ENOENT, "gone meanwhile");
}

/* Forms without version cannot be told apart by one: they go together, or not at all. */
static int delete_forms(struct call *call, struct eyes *eyes, const struct view_page *found,
                        struct isg_fail *why)
{
    struct view_page all = {0};
    int err = select_versions(call, eyes, VIEW_ALL, &all, why);
    if (err != ISG_OK)
        return err;
    if ((call->query.view.want & VIEW_LISTED) != 0 && found->count < all.count)
        return isg_fail(why, ISG_EDENIED, "forms of an object without versions go together");
    return delete_all(call, eyes, why);
}

/* Those versions that a GET with the same match[version] would show (T-129). */
static int delete_some(struct call *call, struct eyes *eyes, struct isg_fail *why)
{
    struct view_page found = {0};
    int err = select_versions(call, eyes, call->query.view.want, &found, why);
    if (err != ISG_OK)
        return err;
    if (found.count == 0)
        return isg_fail(why, ISG_ENOENT, "no such version");
    bool nameless = false;
    for (size_t i = 0; i < found.count; i++)
        nameless = nameless || found.events[i].version.n == 0;
    return nameless ? delete_forms(call, eyes, &found, why) : delete_each(call, eyes, &found, why);
}

enum http_next call_delete(struct call *call)
{
    if (!call->may_wait)
        return HTTP_WAIT;
    const struct view_query *query = &call->query.view;
    struct eyes eyes = {call->member, isg_time_now_us()};
    struct isg_fail why = {0};
    int err = store_demand(call->taxii->parts.store, call->collection->id,
                           call->collection->durability, &why);
    if (err != ISG_OK)
        return call_failed(call, &why);
    if (query->no_21)
        err = ISG_ENOENT; /* nothing of another spec version is here */
    else if ((query->want & VIEW_ALL) != 0)
        err = delete_all(call, &eyes, &why);
    else
        err = delete_some(call, &eyes, &why);
    if (err == ISG_ENOENT)
        return call_not_found(call); /* T-131 */
    if (err == ISG_EDENIED)
        return call_refuse(call, 403, "T-129", why.text);
    if (err != ISG_OK)
        return call_failed(call, &why);
    http_status(call->request, 200);
    call_headers(call); /* T-126: the type without a body */
    http_send_copy(call->request, ISG_STR(""));
    return HTTP_DONE;
}
