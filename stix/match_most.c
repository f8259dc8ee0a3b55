/*
 * How often a part of the plan can be bound with distinct observations, at most (S-125).
 *
 * Each binding has its guess (match_bind.c), and bindings with guesses from s to t share what is
 * between the bounds of s and those of t. There each leaf finds so many observations, so their
 * number is bounded; and the instants can be cut into such runs at will: the cut with the smallest
 * sum is the bound. Where leaves share nothing and one window holds a binding it is exact.
 */
#include "stix/match_private.h"

enum {
    SHARES_MAX = 8,              /* leaves that are looked at */
    RUNS_MAX = 20 * 1000 * 1000, /* runs of instants that are */
    NEED_MAX = 1024              /* of one binding: leaves that need more are not looked at */
};

/* Sums over the observations of a set: of those that begin, and that end, before each instant. */
struct sums {
    uint64_t *begun;
    uint64_t *ended;
};

/* What one leaf can be. */
struct share {
    struct sums sums;
    uint64_t need; /* of one binding */
    bool early;    /* it begins by the guess */
    bool late;     /* it ends no earlier than the guess */
};

struct counting {
    struct stix_matching *m;
    const struct stix_scene *scene;
    const struct stix_plan *plan;
    struct share shares[SHARES_MAX];
    size_t n;
    struct sums first; /* of FOLLOWEDBY: what its first child can be, */
    struct sums rest;  /* those behind it, */
    struct sums both;  /* and either */
    uint32_t *reach;   /* of each guess: what bounds beginnings */
};

/* --- shares --- */

/* More than `most` of one observation count as so many. */
static bool sum_up(const struct counting *c, const uint64_t *set, int64_t most, struct sums *out)
{
    const struct stix_scene *scene = c->scene;
    uint64_t *begun = stix_matching_alloc(c->m, scene->times_n + 1, sizeof *begun);
    uint64_t *ended = stix_matching_alloc(c->m, scene->times_n + 1, sizeof *ended);
    if (begun == NULL || ended == NULL ||
        !stix_matching_work(c->m, scene->n / 4 + scene->times_n / 4))
        return false;
    for (size_t i = 0; i < scene->n; i++) {
        const struct stix_observation *o = &scene->list[i];
        if ((set[i / 64] >> i % 64 & 1) == 0)
            continue;
        begun[o->first + 1] += (uint64_t)(o->count < most ? o->count : most);
        ended[o->last + 1] += (uint64_t)(o->count < most ? o->count : most);
    }
    for (size_t i = 1; i <= scene->times_n; i++) {
        begun[i] += begun[i - 1];
        ended[i] += ended[i - 1];
    }
    *out = (struct sums){begun, ended};
    return true;
}

/* So many of one observation that they bound nothing. */
static int64_t plenty(int64_t need)
{
    return need * STIX_NEVER;
}

static bool share_new(struct counting *c, const uint64_t *set, int64_t need, bool early, bool late)
{
    if (c->n == SHARES_MAX || need > NEED_MAX)
        return true;
    struct share *share = &c->shares[c->n++];
    *share = (struct share){.need = (uint64_t)need, .early = early, .late = late};
    return sum_up(c, set, plenty(need), &share->sums);
}

/* The leaves that each binding has, so often; of alternatives any. */
static bool add_shares(struct counting *c, const struct stix_plan *plan, int64_t times, bool early,
                       bool late)
{
    if (plan->kind == STIX_PLAN_LEAF || plan->kind == STIX_PLAN_OR)
        return share_new(c, plan->set, stix_times(plan->need, times), early, late);
    if (plan->kind == STIX_PLAN_REPEATS)
        times = stix_times(times, plan->times);
    for (const struct stix_plan *child = plan->first; child != NULL; child = child->next)
        if (!add_shares(c, child, times, early, late))
            return false;
    return true;
}

/* Of an order the first side begins by the guess, and the others do not end before. */
static bool find_sides(struct counting *c)
{
    const struct stix_plan *first = c->plan->first;
    size_t words = c->scene->n / 64 + 1;
    uint64_t *rest = stix_matching_alloc(c->m, words, 2 * sizeof *rest);
    if (rest == NULL || !add_shares(c, first, 1, true, false))
        return false;
    for (const struct stix_plan *child = first->next; child != NULL; child = child->next) {
        if (!add_shares(c, child, 1, false, true) || !stix_matching_work(c->m, words / 8 + 1))
            return false;
        for (size_t w = 0; w < words; w++)
            rest[w] |= child->set[w];
    }
    for (size_t w = 0; w < words; w++)
        rest[words + w] = rest[w] & first->set[w];
    int64_t most = c->plan->need <= NEED_MAX ? plenty(c->plan->need) : 0;
    return most == 0 ||
           (sum_up(c, first->set, most, &c->first) && sum_up(c, rest, most, &c->rest) &&
            sum_up(c, rest + words, most, &c->both));
}

static bool find_shares(struct counting *c)
{
    if (c->plan->kind != STIX_PLAN_WITHIN)
        return find_sides(c);
    return share_new(c, c->plan->set, c->plan->need, true, true) &&
           add_shares(c, c->plan->first, 1, true, true);
}

/* --- guesses --- */

/* Which guesses leave room for one binding, and how far each reaches; 0: no room. */
static bool find_guesses(struct counting *c)
{
    const struct stix_plan *first = c->plan->first;
    const struct stix_scene *scene = c->scene;
    c->reach = stix_matching_alloc(c->m, scene->times_n + 1, sizeof *c->reach);
    if (c->reach == NULL || !stix_matching_work(c->m, scene->times_n * 4))
        return false;
    for (size_t i = 0; i < scene->times_n; i++) {
        if (c->plan->kind == STIX_PLAN_WITHIN) {
            size_t reach = stix_reach_of(scene, i, c->plan->width_us);
            c->reach[i] = first->least[i] <= reach ? (uint32_t)reach : 0;
        } else if (first->least[0] <= i + 1 && first->next->rest[i] != STIX_NEVER) {
            c->reach[i] = (uint32_t)i + 1;
        }
    }
    return true;
}

/* All observations that one side or the other can be, each once. */
static uint64_t count_sides(const struct counting *c, size_t from, size_t to)
{
    uint64_t first = c->first.begun[c->reach[to]];
    uint64_t rest = c->rest.begun[c->scene->times_n] - c->rest.ended[from];
    uint64_t both = c->both.begun[c->reach[to]] - c->both.ended[from];
    return first + rest - both;
}

/* Bindings with guesses from `from` to `to`, at most. */
static uint64_t count_run(const struct counting *c, size_t from, size_t to)
{
    uint64_t most = STIX_NEVER;
    if (c->both.begun != NULL)
        most = count_sides(c, from, to) / (uint64_t)c->plan->need;
    for (size_t i = 0; i < c->n; i++) {
        const struct share *share = &c->shares[i];
        uint64_t found = share->sums.begun[share->early ? c->reach[to] : c->scene->times_n] -
                         share->sums.ended[share->late ? from : 0];
        if (found / share->need < most)
            most = found / share->need;
    }
    return most < STIX_NEVER ? most : STIX_NEVER;
}

/* The best cut of what is behind each guess: the last one first. */
static bool cut(struct counting *c, uint32_t *most)
{
    size_t runs = RUNS_MAX;
    most[c->scene->times_n] = 0;
    for (size_t from = c->scene->times_n; from-- > 0;) {
        uint64_t best = STIX_NEVER;
        size_t seen = runs;
        for (size_t to = from; to < c->scene->times_n && c->reach[from] != 0 && runs > 0; to++) {
            if (c->reach[to] == 0)
                continue;
            uint64_t here = count_run(c, from, to);
            if (here >= best)
                break; /* longer runs hold more */
            if (here + most[to + 1] < best)
                best = here + most[to + 1];
            runs--;
        }
        most[from] = c->reach[from] == 0 ? most[from + 1] : (uint32_t)best;
        if (!stix_matching_work(c->m, 1 + (seen - runs)))
            return false;
    }
    return true;
}

bool stix_plan_count(struct stix_matching *m, struct stix_plan *plan,
                     const struct stix_scene *scene)
{
    struct counting c = {.m = m, .scene = scene, .plan = plan};
    uint32_t *most = stix_matching_alloc(m, scene->times_n + 1, sizeof *most);
    if (most == NULL || !find_shares(&c) || !find_guesses(&c) || !cut(&c, most))
        return false;
    plan->most = most;
    return true;
}
