/*
 * Deleting an object or some of its versions (T-126 to T-131). Only what the member may see counts:
 * what is hidden from him stays, and he is told nothing of it.
 */
#include <stdlib.h>

#include "gateway/share/policy.h"
#include "gateway/taxii/call.h"
#include "gateway/taxii/page.h"
#include "stix/base/time.h"

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

/* Earlier or later version; forms without modified go by when they came (T-055). */
static int cmp_version(const struct store_event *a, const struct store_event *b)
{
    char room_a[ISG_TIME_TEXT];
    char room_b[ISG_TIME_TEXT];
    return isg_time_cmp(page_version(a, room_a), page_version(b, room_b)); /* */
}

static bool is_listed(const struct view_query *query, const struct store_event *event)
{
    char room[ISG_TIME_TEXT];
    struct isg_str version = page_version(event, room);
    for (size_t i = 0; i < query->versions_count; i++)
        if (isg_time_cmp(query->versions[i], version) == 0)
            return true;
    return false;
}

/* Mark in picked those of n visible events that match[version] names; returns how many. */
static size_t pick(const struct view_query *query, const struct store_event *events, size_t n,
                   bool *picked)
{
    size_t first = 0;
    size_t last = 0;
    size_t count = 0;
    for (size_t i = 1; i < n; i++) {
        if (cmp_version(&events[i], &events[first]) < 0)
            first = i;
        if (cmp_version(&events[i], &events[last]) >= 0)
            last = i;
    }
    for (size_t i = 0; i < n; i++) {
        picked[i] = ((query->want & VIEW_FIRST) != 0 && i == first) ||
                    ((query->want & VIEW_LAST) != 0 && i == last) ||
                    ((query->want & VIEW_LISTED) != 0 && is_listed(query, &events[i]));
        count += picked[i];
    }
    return count;
}

/* Move the visible ones of n events to the front; returns how many they are. */
static size_t keep_visible(struct call *call, struct eyes *eyes, struct store_event *events,
                           size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        const char *label =
            store_label(call->taxii->parts.store, call->collection->id, events[i].label);
        if (!events[i].dead && label != NULL && can_see(eyes, isg_str_of(label)))
            events[kept++] = events[i];
    }
    return kept;
}

static int delete_picked(struct call *call, struct eyes *eyes, const struct store_event *events,
                         const bool *picked, size_t n, struct isg_fail *why)
{
    int err = ISG_OK;
    char room[ISG_TIME_TEXT];
    for (size_t i = 0; i < n && err == ISG_OK; i++) {
        if (!picked[i])
            continue;
        err = store_delete(call->taxii->parts.store, call->collection->id,
                           call->match.piece[ROUTE_OBJECT], page_version(&events[i], room), can_see,
                           eyes, why);
        if (err == ISG_ENOENT)
            err = ISG_OK; /* gone meanwhile, which is what was asked */
    }
    return err;
}

static int delete_all(struct call *call, struct eyes *eyes, struct isg_fail *why)
{
    return store_delete(call->taxii->parts.store, call->collection->id,
                        call->match.piece[ROUTE_OBJECT], ISG_STR(""), can_see, eyes, why);
}

static int delete_some(struct call *call, struct eyes *eyes, struct isg_fail *why)
{
    struct store_event *events = NULL;
    size_t n = 0;
    int err = store_versions(call->taxii->parts.store, call->collection->id,
                             call->match.piece[ROUTE_OBJECT], &events, &n, why);
    if (err != ISG_OK)
        return err;
    n = keep_visible(call, eyes, events, n);
    bool *picked = calloc(n + 1, sizeof *picked);
    if (picked == NULL) {
        err = isg_fail(why, ISG_ENOMEM, "out of memory");
    } else {
        size_t count = pick(&call->query.view, events, n, picked);
        if (count == 0)
            err = ISG_ENOENT;
        else if (count == n)
            err = delete_all(call, eyes, why);
        else
            err = delete_picked(call, eyes, events, picked, n, why);
    }
    free(picked);
    free(events);
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
