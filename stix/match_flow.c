/*
 * Distinct observations for every expression that needs one (S-125): a flow from demands to
 * observations, each of which can be used as often as it was observed. A demand that finds
 * everything taken moves others to where there is room, along a shortest path.
 */
#include <stdlib.h>
#include <string.h>

#include "stix/match_private.h"

enum { NONE = -1 };

static const size_t WORDS_MAX = (size_t)32 << 20; /* of all sets of candidates: 256 MiB */

/* So many of an observation serve one demand; in the list of the observation. */
struct share {
    size_t demand;
    int64_t amount;
    ptrdiff_t next;
};

/* How the last search came to an observation. */
struct mark {
    ptrdiff_t from; /* observation whose share moves here; NONE: the demand itself comes */
    size_t demand;
};

struct stix_flow {
    struct stix_matching *m;
    const struct stix_scene *scene;
    size_t n; /* demands */
    size_t cap;
    size_t words;         /* of a set of observations */
    uint64_t *candidates; /* such a set for each demand */
    uint64_t *seen;       /* of each demand: the search that came by last */
    uint64_t *room;       /* the set of observations with occurrences not in use */
    uint64_t *unseen;     /* the set of those a search has not come to */
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
    flow->words = scene->n / 64 + 1;
    flow->room = stix_matching_alloc(m, flow->words, sizeof *flow->room);
    flow->unseen = stix_matching_alloc(m, flow->words, sizeof *flow->unseen);
    if (m->err != ISG_OK) {
        stix_flow_free(&flow);
        return NULL;
    }
    for (size_t i = 0; i < scene->n; i++) {
        flow->heads[i] = NONE;
        flow->free[i] = scene->list[i].count;
        flow->room[i / 64] |= (uint64_t)1 << i % 64;
    }
    return flow;
}

void stix_flow_free(struct stix_flow **flow)
{
    if (*flow == NULL)
        return;
    free((*flow)->candidates);
    free((*flow)->seen);
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

static void free_change(struct stix_flow *flow, size_t observation, int64_t change)
{
    uint64_t bit = (uint64_t)1 << observation % 64;
    flow->free[observation] += change;
    if (flow->free[observation] > 0)
        flow->room[observation / 64] |= bit;
    else
        flow->room[observation / 64] &= ~bit;
}

static ptrdiff_t share_find(const struct stix_flow *flow, size_t observation, size_t demand)
{
    ptrdiff_t at = flow->heads[observation];
    while (at != NONE && flow->shares[at].demand != demand)
        at = flow->shares[at].next;
    return at;
}

/* A share of an observation of which the demand has none. */
static bool share_new(struct stix_flow *flow, size_t observation, size_t demand, int64_t amount)
{
    if (flow->spare == NONE && !grow_shares(flow))
        return false;
    ptrdiff_t at = flow->spare;
    flow->spare = flow->shares[at].next;
    flow->shares[at] = (struct share){demand, amount, flow->heads[observation]};
    flow->heads[observation] = at;
    free_change(flow, observation, -amount);
    return true;
}

/* Give the demand more of an observation, or less. */
static bool share_add(struct stix_flow *flow, size_t observation, size_t demand, int64_t amount)
{
    ptrdiff_t at = share_find(flow, observation, demand);
    if (at == NONE)
        return share_new(flow, observation, demand, amount);
    flow->shares[at].amount += amount;
    free_change(flow, observation, -amount);
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
        free_change(flow, observation, share->amount);
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

/* The observation of the lowest bit of a word. */
static size_t lowest(uint64_t word, size_t index)
{
    return index * 64 + (size_t)__builtin_ctzll(word);
}

/* Candidates of a demand: what is in the set and within bounds. */
static void choose(struct stix_flow *flow, const uint64_t *set, struct stix_bounds bounds,
                   uint64_t *out)
{
    for (size_t w = 0; w < flow->words; w++) {
        out[w] = set[w];
        for (uint64_t left = set[w]; left != 0; left &= left - 1) {
            const struct stix_observation *o = &flow->scene->list[lowest(left, w)];
            if (o->first >= bounds.first_below || o->last < bounds.last_from)
                out[w] &= ~(left & (~left + 1));
        }
    }
}

/* What is free, in the order of the observations. False after a failure. */
static bool take_free(struct stix_flow *flow, size_t demand, int64_t *wanted)
{
    const uint64_t *candidates = flow->candidates + demand * flow->words;
    for (size_t w = 0; w<flow->words && * wanted> 0; w++)
        for (uint64_t left = candidates[w] & flow->room[w]; left != 0 && *wanted > 0;
             left &= left - 1) {
            size_t i = lowest(left, w);
            int64_t amount = flow->free[i] < *wanted ? flow->free[i] : *wanted;
            if (!stix_matching_work(flow->m, 1) || !share_new(flow, i, demand, amount))
                return false;
            *wanted -= amount;
        }
    return true;
}

/* Mark and queue what the demand could use; from: where its share would be taken from. */
static bool spread(struct stix_flow *flow, size_t demand, ptrdiff_t from, size_t *tail)
{
    const uint64_t *candidates = flow->candidates + demand * flow->words;
    if (flow->seen[demand] == flow->search)
        return true;
    flow->seen[demand] = flow->search;
    if (!stix_matching_work(flow->m, flow->words))
        return false;
    for (size_t w = 0; w < flow->words; w++) {
        for (uint64_t left = candidates[w] & flow->unseen[w]; left != 0; left &= left - 1) {
            size_t i = lowest(left, w);
            flow->marks[i] = (struct mark){from, demand};
            flow->queue[(*tail)++] = i;
        }
        flow->unseen[w] &= ~candidates[w];
    }
    return true;
}

/* An observation with room that moves can reach from the demand, or NONE. */
static ptrdiff_t find_room(struct stix_flow *flow, size_t demand)
{
    size_t tail = 0;
    flow->search++;
    memset(flow->unseen, 0xff, flow->words * sizeof *flow->unseen);
    if (!spread(flow, demand, NONE, &tail))
        return NONE;
    for (size_t head = 0; head < tail; head++) {
        size_t at = flow->queue[head];
        if (flow->free[at] > 0)
            return (ptrdiff_t)at;
        for (ptrdiff_t s = flow->heads[at]; s != NONE; s = flow->shares[s].next)
            if (!stix_matching_work(flow->m, 1) ||
                (flow->shares[s].amount > 0 &&
                 !spread(flow, flow->shares[s].demand, (ptrdiff_t)at, &tail)))
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
    if (cap > WORDS_MAX / flow->words)
        return stix_matching_fail(flow->m, ISG_ELIMIT, "S-129", "matching takes too much memory");
    uint64_t *candidates = realloc(flow->candidates, cap * flow->words * sizeof *candidates);
    if (candidates != NULL)
        flow->candidates = candidates;
    uint64_t *seen = realloc(flow->seen, cap * sizeof *seen);
    if (seen != NULL)
        flow->seen = seen;
    if (candidates == NULL || seen == NULL)
        return no_memory(flow);
    flow->cap = cap;
    return true;
}

bool stix_flow_demand(struct stix_flow *flow, const uint64_t *set, struct stix_bounds bounds,
                      int64_t times)
{
    size_t demand = flow->n;
    if (!stix_matching_work(flow->m, flow->words * 8) ||
        (flow->n == flow->cap && !grow_demands(flow)))
        return false;
    choose(flow, set, bounds, flow->candidates + demand * flow->words);
    flow->seen[demand] = 0;
    flow->n++;
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
