/*
 * What a part of the plan needs of time, were it alone (S-126): found once, before any search.
 *
 * A binding is within bounds when all its observations begin before the one and none ends before
 * the other. For each node and each last_from, `least` is the smallest first_below that leaves room
 * for a binding. Wider bounds never hurt, so one number an instant says it all, and the tables of
 * the children give that of the parent. That observations are distinct is asked for by number only:
 * a table may promise a binding that is not there, but it denies none that is.
 */
#include "stix/match_private.h"

/* Entries of all tables: 64 MiB. What would take more is searched without. */
static const uint64_t ENTRIES_MAX = (uint64_t)16 << 20;

/* More of one demand are asked for as if they were so many: sums stay small. */
static const int64_t TIMES_MAX = (int64_t)1 << 40;

struct survey {
    struct stix_matching *m;
    const struct stix_scene *scene;
    size_t n;         /* instants; tables have one entry more, behind all of them */
    size_t *by_first; /* the observations in the order of their beginnings, and of their ends */
    size_t *by_last;
};

int64_t stix_times(int64_t a, int64_t b)
{
    return a > INT64_MAX / b ? INT64_MAX : a * b;
}

size_t stix_reach_of(const struct stix_scene *scene, size_t instant, double width_us)
{
    size_t low = instant;
    size_t high = scene->times_n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        double later = (double)(scene->times[middle].us - scene->times[instant].us);
        if (later < width_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool stix_least_within(const uint32_t *least, struct stix_bounds bounds,
                       const struct stix_scene *scene)
{
    if (least == NULL)
        return true;
    size_t at = bounds.last_from < scene->times_n ? bounds.last_from : scene->times_n;
    return least[at] != STIX_NEVER && least[at] <= bounds.first_below;
}

bool stix_most_allows(const struct stix_plan *plan, size_t from, int64_t times)
{
    return plan->most == NULL || plan->most[from] == STIX_NEVER || plan->most[from] >= times;
}

static uint32_t *table_new(const struct survey *s)
{
    return stix_matching_work(s->m, s->n / 4 + 1)
               ? stix_matching_alloc(s->m, s->n + 1, sizeof(uint32_t))
               : NULL;
}

/* --- a number of a set --- */

static size_t end_of(const struct stix_observation *o, bool last)
{
    return last ? o->last : o->first;
}

static int64_t weight(const struct survey *s, const uint64_t *set, size_t i, int64_t most)
{
    if ((set[i / 64] >> i % 64 & 1) == 0)
        return 0;
    return s->scene->list[i].count < most ? s->scene->list[i].count : most;
}

/* Ranks are small numbers: those of each are counted, then every one knows its place. */
static size_t *sort_by(const struct survey *s, bool last)
{
    const struct stix_scene *scene = s->scene;
    size_t *places = stix_matching_alloc(s->m, s->n + 1, sizeof *places);
    size_t *sorted = stix_matching_alloc(s->m, scene->n + 1, sizeof *sorted);
    if (places == NULL || sorted == NULL)
        return NULL;
    for (size_t i = 0; i < scene->n; i++)
        places[end_of(&scene->list[i], last) + 1]++;
    for (size_t i = 1; i <= s->n; i++)
        places[i] += places[i - 1];
    for (size_t i = 0; i < scene->n; i++)
        sorted[places[end_of(&scene->list[i], last)]++] = i;
    return sorted;
}

/*
 * Two marks that only move forward: an observation comes in where it begins, and goes out when it
 * ends before the instant of the entry.
 */
static const uint32_t *least_of_set(const struct survey *s, const uint64_t *set, int64_t times)
{
    const struct stix_observation *list = s->scene->list;
    uint32_t *table = table_new(s);
    int64_t wanted = times < TIMES_MAX ? times : TIMES_MAX;
    int64_t have = 0;
    size_t below = 0;
    size_t in = 0;
    size_t out = 0;
    if (table == NULL || !stix_matching_work(s->m, s->scene->n / 4))
        return NULL;
    for (size_t from = 0; from <= s->n; from++) {
        for (; out < s->scene->n && list[s->by_last[out]].last < from; out++)
            if (list[s->by_last[out]].first < below)
                have -= weight(s, set, s->by_last[out], wanted);
        for (; have < wanted && below < s->n; below++)
            for (; in < s->scene->n && list[s->by_first[in]].first == below; in++)
                if (list[s->by_first[in]].last >= from)
                    have += weight(s, set, s->by_first[in], wanted);
        table[from] = have >= wanted ? (uint32_t)below : STIX_NEVER;
    }
    return table;
}

/* --- from the children's tables --- */

static const uint32_t *least_of(const struct survey *s, struct stix_plan *plan, int64_t times);

/* All of them: what the most demanding one asks for; any: what the least one does. */
static void combine(const struct survey *s, uint32_t *table, const uint32_t *other, bool all)
{
    for (size_t i = 0; i <= s->n; i++)
        if (all ? other[i] > table[i] : other[i] < table[i])
            table[i] = other[i];
}

/* All children, each so often, and as many observations as they need together. */
static const uint32_t *least_of_all(const struct survey *s, struct stix_plan *plan, int64_t times)
{
    uint32_t *table = table_new(s);
    const uint32_t *together = least_of_set(s, plan->set, stix_times(plan->need, times));
    if (table == NULL || together == NULL)
        return NULL;
    combine(s, table, together, true);
    for (struct stix_plan *child = plan->first; child != NULL; child = child->next) {
        const uint32_t *one = least_of(s, child, times);
        if (one == NULL)
            return NULL;
        combine(s, table, one, true);
    }
    return table;
}

/* Any child once; which ones make up more is open, their number is not. */
static const uint32_t *least_of_any(const struct survey *s, struct stix_plan *plan, int64_t times)
{
    uint32_t *table = table_new(s);
    const uint32_t *together = least_of_set(s, plan->set, stix_times(plan->need, times));
    if (table == NULL || together == NULL)
        return NULL;
    for (size_t i = 0; i <= s->n; i++)
        table[i] = STIX_NEVER;
    for (struct stix_plan *child = plan->first; child != NULL; child = child->next) {
        const uint32_t *one = least_of(s, child, 1);
        if (one == NULL)
            return NULL;
        combine(s, table, one, false);
    }
    combine(s, table, together, true);
    return table;
}

static const uint32_t *least_in_period(const struct survey *s, struct stix_plan *plan,
                                       int64_t times)
{
    uint32_t *table = table_new(s);
    const uint32_t *inner = least_of(s, plan->first, times);
    if (table == NULL || inner == NULL)
        return NULL;
    for (size_t i = 0; i <= s->n; i++) {
        size_t from = i > plan->bounds.last_from ? i : plan->bounds.last_from;
        table[i] = inner[from] <= plan->bounds.first_below ? inner[from] : STIX_NEVER;
    }
    return table;
}

/* The earliest window from each instant on that has room for all. */
static const uint32_t *least_within(const struct survey *s, struct stix_plan *plan)
{
    uint32_t *table = table_new(s);
    const uint32_t *inner = least_of(s, plan->first, 1);
    if (table == NULL || inner == NULL || !stix_matching_work(s->m, s->n * 4))
        return NULL;
    table[s->n] = STIX_NEVER;
    for (size_t i = s->n; i-- > 0;) {
        bool fits = inner[i] <= stix_reach_of(s->scene, i, plan->width_us);
        table[i] = fits ? inner[i] : table[i + 1];
    }
    return table;
}

/* One child as early as it can, then the next one from there: the last child first. */
static const uint32_t *least_of_rest(const struct survey *s, struct stix_plan *child)
{
    const uint32_t *one = least_of(s, child, 1);
    if (one == NULL || child->next == NULL)
        return child->rest = one;
    uint32_t *table = table_new(s);
    const uint32_t *rest = child->next->rest;
    if (table == NULL)
        return NULL;
    for (size_t i = 0; i <= s->n; i++) {
        table[i] = one[i];
        if (one[i] == STIX_NEVER)
            continue;
        size_t from = i + 1 > one[i] ? i : one[i] - 1; /* its last one begins there */
        if (rest[from] > table[i])
            table[i] = rest[from];
    }
    return child->rest = table;
}

static const uint32_t *least_in_order(const struct survey *s, struct stix_plan *plan)
{
    size_t count = 0;
    for (const struct stix_plan *child = plan->first; child != NULL; child = child->next)
        count++;
    struct stix_plan **children = stix_matching_alloc(
        s->m, count, sizeof(struct stix_plan *)); /* NOLINT(bugprone-sizeof-expression) pointers */
    uint32_t *table = table_new(s);
    const uint32_t *together = least_of_set(s, plan->set, plan->need);
    if (children == NULL || table == NULL || together == NULL)
        return NULL;
    count = 0;
    for (struct stix_plan *child = plan->first; child != NULL; child = child->next)
        children[count++] = child;
    while (count-- > 0)
        if (least_of_rest(s, children[count]) == NULL)
            return NULL;
    combine(s, table, together, true);
    combine(s, table, children[0]->rest, true);
    return table;
}

/* --- every node --- */

static const uint32_t *least_once(const struct survey *s, struct stix_plan *plan)
{
    switch (plan->kind) {
    case STIX_PLAN_LEAF: return least_of_set(s, plan->set, 1);
    case STIX_PLAN_AND: return least_of_all(s, plan, 1);
    case STIX_PLAN_OR: return least_of_any(s, plan, 1);
    case STIX_PLAN_FOLLOWEDBY: return least_in_order(s, plan);
    case STIX_PLAN_PERIOD: return least_in_period(s, plan, 1);
    case STIX_PLAN_WITHIN: return least_within(s, plan);
    case STIX_PLAN_REPEATS: return least_of(s, plan->first, plan->times);
    }
    return NULL;
}

/* Distinct bindings, each with times of its own: it must have room, and they must in number. */
static const uint32_t *least_apart(const struct survey *s, struct stix_plan *plan, int64_t times)
{
    const uint32_t *once = least_of(s, plan, 1);
    const uint32_t *all = least_of_all(s, plan, times);
    uint32_t *table = table_new(s);
    if (once == NULL || all == NULL || table == NULL)
        return NULL;
    if (plan->most == NULL && !stix_plan_count(s->m, plan, s->scene))
        return NULL;
    combine(s, table, once, true);
    combine(s, table, all, true);
    for (size_t i = 0; i <= s->n && !stix_most_allows(plan, 0, times); i++)
        table[i] = STIX_NEVER;
    return table;
}

static const uint32_t *least_of(const struct survey *s, struct stix_plan *plan, int64_t times)
{
    if (times == 1) {
        if (plan->least == NULL)
            plan->least = least_once(s, plan);
        return plan->least;
    }
    switch (plan->kind) {
    case STIX_PLAN_LEAF: return least_of_set(s, plan->set, times);
    case STIX_PLAN_AND: return least_of_all(s, plan, times);
    case STIX_PLAN_OR: return least_of_any(s, plan, times);
    case STIX_PLAN_PERIOD: return least_in_period(s, plan, times);
    case STIX_PLAN_REPEATS: return least_of(s, plan->first, stix_times(times, plan->times));
    case STIX_PLAN_FOLLOWEDBY:
    case STIX_PLAN_WITHIN: return least_apart(s, plan, times);
    }
    return NULL;
}

/* Tables that would be made, and true when time is asked for anywhere. */
static uint64_t count_tables(const struct stix_plan *plan, uint64_t again, bool *out_timed)
{
    uint64_t tables = 3 * (1 + again);
    if (plan->kind == STIX_PLAN_REPEATS)
        again++;
    *out_timed = *out_timed || plan->kind == STIX_PLAN_WITHIN ||
                 plan->kind == STIX_PLAN_FOLLOWEDBY || plan->kind == STIX_PLAN_PERIOD;
    for (const struct stix_plan *child = plan->first; child != NULL; child = child->next)
        tables += count_tables(child, again, out_timed);
    return tables;
}

bool stix_plan_survey(struct stix_matching *m, struct stix_plan *plan,
                      const struct stix_scene *scene)
{
    struct survey s = {.m = m, .scene = scene, .n = scene->times_n};
    bool timed = false;
    uint64_t tables = count_tables(plan, 0, &timed);
    if (!timed || tables > ENTRIES_MAX / (s.n + 1))
        return true;
    s.by_first = sort_by(&s, false);
    s.by_last = sort_by(&s, true);
    return s.by_first != NULL && s.by_last != NULL && least_of(&s, plan, 1) != NULL;
}
