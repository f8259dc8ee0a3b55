/*
 * Distinct observations for every expression that needs one (S-125): a flow from demands to
 * observations, each of which can be used as often as it was observed. A demand that finds
 * everything taken moves others to where there is room, along a shortest path.
 */
#include <stdlib.h>

#include "stix/match_private.h"

enum { NONE = -1 };

struct demand {
    const uint64_t *set;
    struct stix_bounds bounds;
    uint64_t seen; /* the search that came by last */
};

/* So many of an observation serve one demand; in the list of the observation. */
struct share {
    size_t demand;
    int64_t amount;
    ptrdiff_t next;
};

/* How a search came to an observation. */
struct mark {
    uint64_t seen;
    ptrdiff_t from; /* observation whose share moves here; NONE: the demand itself comes */
    size_t demand;
};

struct stix_flow {
    struct stix_matching *m;
    const struct stix_scene *scene;
    struct demand *demands;
    size_t n;
    size_t cap;
    struct share *shares;
    size_t shares_cap;
    ptrdiff_t spare;  /* list of shares that are not in use */
    ptrdiff_t *heads; /* of each observation */
    int64_t *free;    /* likewise: occurrences not in use */
    struct mark *marks;
    size_t *queue;
    uint64_t search;
};

static bool no_memory(struct stix_flow *flow)
{
    return stix_matching_fail(flow->m, ISG_ENOMEM, NULL, "no memory");
}

struct stix_flow *stix_flow_new(struct stix_matching *m, const struct stix_scene *scene)
{
    struct stix_flow *flow = calloc(1, sizeof *flow);
    if (flow == NULL) {
        (void)stix_matching_fail(m, ISG_ENOMEM, NULL, "no memory");
        return NULL;
    }
    flow->m = m;
    flow->scene = scene;
    flow->spare = NONE;
    flow->heads = stix_matching_alloc(m, scene->n + 1, sizeof *flow->heads);
    flow->free = stix_matching_alloc(m, scene->n + 1, sizeof *flow->free);
    flow->marks = stix_matching_alloc(m, scene->n + 1, sizeof *flow->marks);
    flow->queue = stix_matching_alloc(m, scene->n + 1, sizeof *flow->queue);
    if (m->err != ISG_OK) {
        stix_flow_free(&flow);
        return NULL;
    }
    for (size_t i = 0; i < scene->n; i++) {
        flow->heads[i] = NONE;
        flow->free[i] = scene->list[i].count;
    }
    return flow;
}

void stix_flow_free(struct stix_flow **flow)
{
    if (*flow == NULL)
        return;
    free((*flow)->demands);
    free((*flow)->shares);
    free(*flow);
    *flow = NULL;
}

size_t stix_flow_size(const struct stix_flow *flow)
{
    return flow->n;
}

/* --- shares --- */

static bool grow_shares(struct stix_flow *flow)
{
    size_t cap = flow->shares_cap == 0 ? 64 : flow->shares_cap * 2;
    struct share *shares = realloc(flow->shares, cap * sizeof *shares);
    if (shares == NULL)
        return no_memory(flow);
    for (size_t i = flow->shares_cap; i < cap; i++) {
        shares[i].next = flow->spare;
        flow->spare = (ptrdiff_t)i;
    }
    flow->shares = shares;
    flow->shares_cap = cap;
    return true;
}

static ptrdiff_t share_find(const struct stix_flow *flow, size_t observation, size_t demand)
{
    ptrdiff_t at = flow->heads[observation];
    while (at != NONE && flow->shares[at].demand != demand)
        at = flow->shares[at].next;
    return at;
}

/* Give the demand more of an observation. */
static bool share_add(struct stix_flow *flow, size_t observation, size_t demand, int64_t amount)
{
    ptrdiff_t at = share_find(flow, observation, demand);
    if (at == NONE) {
        if (flow->spare == NONE && !grow_shares(flow))
            return false;
        at = flow->spare;
        flow->spare = flow->shares[at].next;
        flow->shares[at] = (struct share){demand, 0, flow->heads[observation]};
        flow->heads[observation] = at;
    }
    flow->shares[at].amount += amount;
    flow->free[observation] -= amount;
    return true;
}

/* Take back what demands from `size` on have, and forget shares of nothing. */
static void shares_cut(struct stix_flow *flow, size_t observation, size_t size)
{
    ptrdiff_t *link = &flow->heads[observation];
    while (*link != NONE) {
        ptrdiff_t at = *link;
        struct share *share = &flow->shares[at];
        if (share->demand < size && share->amount > 0) {
            link = &share->next;
            continue;
        }
        flow->free[observation] += share->amount;
        *link = share->next;
        share->next = flow->spare;
        flow->spare = at;
    }
}

void stix_flow_cut(struct stix_flow *flow, size_t size)
{
    if (size >= flow->n || !stix_matching_work(flow->m, flow->scene->n))
        return;
    for (size_t i = 0; i < flow->scene->n; i++)
        shares_cut(flow, i, size);
    flow->n = size;
}

/* --- demands --- */

static bool serves(const struct stix_flow *flow, size_t observation, const struct demand *demand)
{
    const struct stix_observation *o = &flow->scene->list[observation];
    return (demand->set[observation / 64] >> observation % 64 & 1) != 0 &&
           o->first < demand->bounds.first_below && o->last >= demand->bounds.last_from;
}

/* What is free, in the order of the observations. False after a failure. */
static bool take_free(struct stix_flow *flow, size_t demand, int64_t *wanted)
{
    if (!stix_matching_work(flow->m, flow->scene->n / 8 + 1))
        return false;
    for (size_t i = 0; i<flow->scene->n && * wanted> 0; i++) {
        int64_t amount = flow->free[i] < *wanted ? flow->free[i] : *wanted;
        if (amount == 0 || !serves(flow, i, &flow->demands[demand]))
            continue;
        if (!share_add(flow, i, demand, amount))
            return false;
        *wanted -= amount;
    }
    return true;
}

/* Mark and queue what the demand could use; from: where its share would be taken from. */
static bool spread(struct stix_flow *flow, size_t demand, ptrdiff_t from, size_t *tail)
{
    struct demand *d = &flow->demands[demand];
    if (d->seen == flow->search)
        return true;
    d->seen = flow->search;
    if (!stix_matching_work(flow->m, flow->scene->n / 8 + 1))
        return false;
    for (size_t i = 0; i < flow->scene->n; i++) {
        if (flow->marks[i].seen == flow->search || !serves(flow, i, d))
            continue;
        flow->marks[i] = (struct mark){flow->search, from, demand};
        flow->queue[(*tail)++] = i;
    }
    return true;
}

/* An observation with room that moves can reach from the demand, or NONE. */
static ptrdiff_t find_room(struct stix_flow *flow, size_t demand)
{
    size_t tail = 0;
    flow->search++;
    if (!spread(flow, demand, NONE, &tail))
        return NONE;
    for (size_t head = 0; head < tail; head++) {
        size_t at = flow->queue[head];
        if (flow->free[at] > 0)
            return (ptrdiff_t)at;
        for (ptrdiff_t s = flow->heads[at]; s != NONE; s = flow->shares[s].next)
            if (flow->shares[s].amount > 0 &&
                !spread(flow, flow->shares[s].demand, (ptrdiff_t)at, &tail))
                return NONE;
    }
    return NONE;
}

static int64_t path_amount(const struct stix_flow *flow, size_t room, int64_t wanted)
{
    int64_t amount = flow->free[room] < wanted ? flow->free[room] : wanted;
    for (size_t at = room; flow->marks[at].from != NONE; at = (size_t)flow->marks[at].from) {
        ptrdiff_t share = share_find(flow, (size_t)flow->marks[at].from, flow->marks[at].demand);
        if (share != NONE && flow->shares[share].amount < amount)
            amount = flow->shares[share].amount;
    }
    return amount;
}

/* Move shares along the path, so that the demand finds room at its beginning. */
static bool move(struct stix_flow *flow, size_t room, int64_t amount)
{
    size_t at = room;
    for (;;) {
        struct mark mark = flow->marks[at];
        if (!share_add(flow, at, mark.demand, amount))
            return false;
        if (mark.from == NONE)
            return true;
        if (!share_add(flow, (size_t)mark.from, mark.demand, -amount))
            return false;
        at = (size_t)mark.from;
    }
}

static bool grow_demands(struct stix_flow *flow)
{
    size_t cap = flow->cap == 0 ? 64 : flow->cap * 2;
    struct demand *demands = realloc(flow->demands, cap * sizeof *demands);
    if (demands == NULL)
        return no_memory(flow);
    flow->demands = demands;
    flow->cap = cap;
    return true;
}

bool stix_flow_demand(struct stix_flow *flow, const uint64_t *set, struct stix_bounds bounds,
                      int64_t times)
{
    size_t demand = flow->n;
    if (flow->n == flow->cap && !grow_demands(flow))
        return false;
    flow->demands[flow->n++] = (struct demand){.set = set, .bounds = bounds};
    bool good = take_free(flow, demand, &times);
    while (good && times > 0) {
        ptrdiff_t room = find_room(flow, demand);
        if (room == NONE)
            break;
        int64_t amount = path_amount(flow, (size_t)room, times);
        good = move(flow, (size_t)room, amount);
        times -= amount;
    }
    if (good && times == 0)
        return true;
    stix_flow_cut(flow, demand);
    return false;
}
