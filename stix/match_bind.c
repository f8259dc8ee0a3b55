/*
 * Is there a binding of observations to a pattern (S-125, S-126)?
 *
 * A binding must give every leaf an observation of its own, and hold to the qualifiers. What these
 * ask of a set of observations depends only on the latest of their beginnings and the earliest of
 * their ends, so a guess of one instant turns each into bounds for the leaves alone: WITHIN into
 * the earliest end, FOLLOWEDBY into an instant between its two sides. With all instants guessed the
 * rest is a flow (match_flow.c), which needs no search. Guesses are made one after the other, the
 * flow grows with them and refuses early; a failure goes back to the last guess.
 *
 * Before that the same is done without any time, which is exact about numbers: what has too few
 * observations fails there, and does not come to guessing. And a guess that leaves some part of the
 * plan without room, were it alone, is not made (match_least.c, match_most.c): so the search only
 * has to find who takes an observation from whom.
 */
#include <stdlib.h>

#include "stix/match_private.h"

/* Goals are numbered, as their array moves; 0 is the end of a list. */
enum goal_kind {
    GOAL_PROVE, /* bind the plan `times` times */
    GOAL_AGAIN, /* likewise, one binding after the other */
    GOAL_CHAIN, /* bind this child of a FOLLOWEDBY and those behind it */
    GOAL_KEEP   /* forget the guesses from `from` on: no other option would help */
};

struct goal {
    enum goal_kind kind;
    bool repeated;  /* the next goal is the AGAIN that this one came from */
    bool kept;      /* the next goal is the KEEP of this one */
    size_t guesses; /* of CHAIN: those made before its own */
    const struct stix_plan *plan;
    struct stix_bounds bounds;
    int64_t times;
    size_t from; /* guesses below were had by an equal plan before; of KEEP: guesses that stay */
    size_t next;
};

/* A guess that was made: where to go on when it proves wrong. */
struct guess {
    size_t goal;
    size_t option; /* the next one to try */
    size_t goals;  /* sizes to go back to */
    size_t demands;
};

struct binder {
    struct stix_matching *m;
    const struct stix_scene *scene;
    struct stix_flow *flow;
    int64_t total; /* occurrences of all observations */
    bool timeless;
    struct goal *goals;
    size_t goals_n;
    size_t goals_cap;
    struct guess *guesses;
    size_t guesses_n;
    size_t guesses_cap;
};

static const size_t NO_OPTION = SIZE_MAX;
static const size_t LIST_MAX = (size_t)1 << 20; /* goals, or guesses */

/* --- lists of goals --- */

static void *grow(struct binder *b, void *items, size_t *cap, size_t size)
{
    size_t more = *cap == 0 ? 256 : *cap * 2;
    if (more > LIST_MAX) {
        (void)stix_matching_fail(b->m, ISG_ELIMIT, "S-129", "matching takes too much memory");
        return NULL;
    }
    void *grown = realloc(items, more * size);
    if (grown == NULL)
        (void)stix_matching_fail(b->m, ISG_ENOMEM, NULL, "no memory");
    else
        *cap = more;
    return grown;
}

/* A goal in front of a list; 0 after a failure. */
static size_t put(struct binder *b, struct goal goal)
{
    if (!stix_matching_work(b->m, 1))
        return 0;
    if (b->goals_n == b->goals_cap) {
        struct goal *goals = grow(b, b->goals, &b->goals_cap, sizeof *goals);
        if (goals == NULL)
            return 0;
        b->goals = goals;
    }
    b->goals[b->goals_n] = goal;
    return b->goals_n++;
}

static size_t prove(struct binder *b, const struct stix_plan *plan, struct stix_bounds bounds,
                    int64_t times, size_t next)
{
    return put(
        b, (struct goal){
               .kind = GOAL_PROVE, .plan = plan, .bounds = bounds, .times = times, .next = next});
}

/* --- guesses --- */

static bool remember(struct binder *b, size_t goal, size_t option)
{
    if (b->guesses_n == b->guesses_cap) {
        struct guess *guesses = grow(b, b->guesses, &b->guesses_cap, sizeof *guesses);
        if (guesses == NULL)
            return false;
        b->guesses = guesses;
    }
    b->guesses[b->guesses_n++] = (struct guess){goal, option, b->goals_n, stix_flow_size(b->flow)};
    return true;
}

/*
 * The first of the instants from `from` on: with no other as the guess could a binding be found
 * that is not found with one of these.
 */
static size_t next_instant(const uint64_t *instants, const struct stix_scene *scene, size_t from)
{
    for (size_t i = from; i < scene->times_n; i++)
        if ((instants[i / 64] >> i % 64 & 1) != 0)
            return i;
    return NO_OPTION;
}

/* What the survey of the plan says; it knows only of time. */
static bool could(const struct binder *b, const uint32_t *least, struct stix_bounds bounds)
{
    return b->timeless || stix_least_within(least, bounds, b->scene);
}

static struct stix_bounds narrow(struct stix_bounds a, struct stix_bounds b)
{
    if (b.first_below < a.first_below)
        a.first_below = b.first_below;
    if (b.last_from > a.last_from)
        a.last_from = b.last_from;
    return a;
}

/* One side of FOLLOWEDBY begins by the guess, the other does not end before it. */
static struct stix_bounds early(const struct goal *goal, size_t option)
{
    return narrow(goal->bounds, (struct stix_bounds){option + 1, 0});
}

static struct stix_bounds late(const struct goal *goal, size_t option)
{
    return narrow(goal->bounds, (struct stix_bounds){SIZE_MAX, option});
}

/* WITHIN (strict, S-126): no end earlier than the guess, no beginning a width later. */
static struct stix_bounds window(const struct binder *b, const struct goal *goal, size_t option)
{
    size_t reach = stix_reach_of(b->scene, option, goal->plan->width_us);
    return narrow(goal->bounds, (struct stix_bounds){reach, option});
}

/* An instant between a child of FOLLOWEDBY and those behind it: the last again, or a new one. */
static size_t next_between(const struct binder *b, const struct goal *goal, size_t from)
{
    const struct stix_plan *child = goal->plan;
    size_t at = from == goal->from ? from : next_instant(child->begins, b->scene, from);
    while (at < goal->bounds.first_below && !could(b, child->least, early(goal, at)) &&
           stix_matching_work(b->m, 1))
        at = next_instant(child->begins, b->scene, at + 1);
    return at < goal->bounds.first_below && could(b, child->next->rest, late(goal, at)) ? at
                                                                                        : NO_OPTION;
}

static size_t next_window(const struct binder *b, const struct goal *goal, size_t from)
{
    const struct stix_plan *plan = goal->plan;
    if (from < goal->bounds.last_from)
        from = goal->bounds.last_from;
    size_t at = next_instant(plan->ends, b->scene, from);
    while (at != NO_OPTION && !could(b, plan->first->least, window(b, goal, at)) &&
           stix_matching_work(b->m, 8))
        at = next_instant(plan->ends, b->scene, at + 1);
    return at;
}

static size_t next_child(const struct binder *b, const struct goal *goal, size_t from)
{
    const struct stix_plan *plan = goal->plan;
    for (size_t i = from; i < plan->options_n && stix_matching_work(b->m, 1); i++)
        if (could(b, plan->options[i]->least, goal->bounds))
            return i;
    return NO_OPTION;
}

/* Options of a goal, in order; NO_OPTION when there is none from `from` on. */
static size_t option_from(const struct binder *b, const struct goal *goal, size_t from)
{
    if (from < goal->from)
        from = goal->from;
    if (goal->kind == GOAL_CHAIN)
        return next_between(b, goal, from);
    return goal->plan->kind == STIX_PLAN_OR ? next_child(b, goal, from)
                                            : next_window(b, goal, from);
}

static bool is_guessed(const struct binder *b, const struct goal *goal)
{
    if (goal->kind == GOAL_AGAIN)
        return false;
    if (goal->kind == GOAL_CHAIN)
        return goal->plan->next != NULL && !b->timeless;
    if (goal->times != 1)
        return false;
    return goal->plan->kind == STIX_PLAN_OR ||
           (goal->plan->kind == STIX_PLAN_WITHIN && !b->timeless);
}

/* --- steps --- */

/* The list behind a goal; an AGAIN there learns what was guessed, and orders its equals by it. */
static size_t behind(struct binder *b, struct goal goal, size_t option)
{
    if (!goal.repeated)
        return goal.next;
    struct goal again = b->goals[goal.next];
    again.from = option;
    return put(b, again);
}

static size_t step_within(struct binder *b, struct goal goal, size_t option)
{
    size_t next = behind(b, goal, option);
    return prove(b, goal.plan->first, window(b, &goal, option), 1, next);
}

static size_t step_or(struct binder *b, struct goal goal, size_t option)
{
    size_t next = behind(b, goal, option);
    return prove(b, goal.plan->options[option], goal.bounds, 1, next);
}

/* Of a child that is alone the first guess is the best: it leaves most to those behind it. */
static size_t step_chain(struct binder *b, struct goal goal, size_t option)
{
    const struct stix_plan *child = goal.plan;
    struct goal rest = goal;
    rest.next = behind(b, goal, option);
    rest.repeated = false;
    rest.plan = child->next;
    rest.from = option;
    rest.bounds = late(&goal, option);
    size_t next = put(b, rest);
    if (child->alone)
        next = put(b, (struct goal){.kind = GOAL_KEEP, .from = goal.guesses, .next = next});
    return prove(b, child, early(&goal, option), 1, next);
}

static size_t prove_children(struct binder *b, const struct goal *goal)
{
    struct goal from = *goal;
    size_t first = 0;
    size_t last = 0;
    for (const struct stix_plan *child = from.plan->first; child != NULL; child = child->next) {
        size_t at = prove(b, child, from.bounds, from.times, from.next);
        if (b->m->err != ISG_OK)
            return 0;
        if (first == 0)
            first = at;
        else
            b->goals[last].next = at;
        last = at;
    }
    return first;
}

static size_t step_again(struct binder *b, struct goal goal, bool *out_failed)
{
    *out_failed = !b->timeless && !stix_most_allows(goal.plan, goal.from, goal.times);
    if (goal.times == 0 || *out_failed)
        return goal.next;
    struct goal rest = goal;
    rest.times--;
    struct goal one = {.kind = GOAL_PROVE,
                       .repeated = true,
                       .plan = goal.plan,
                       .bounds = goal.bounds,
                       .times = 1,
                       .from = goal.from,
                       .next = put(b, rest)};
    return put(b, one);
}

/* A plan without a guess. *out_failed when its observations are not there. */
static size_t step_plan(struct binder *b, struct goal goal, bool *out_failed)
{
    const struct stix_plan *plan = goal.plan;
    *out_failed = goal.times > b->total || !could(b, plan->least, goal.bounds);
    if (*out_failed)
        return 0;
    switch (plan->kind) {
    case STIX_PLAN_LEAF:
        *out_failed = !stix_flow_demand(b->flow, plan->set, goal.bounds, goal.times);
        return goal.next;
    case STIX_PLAN_AND: return prove_children(b, &goal);
    case STIX_PLAN_PERIOD:
        return prove(b, plan->first, narrow(goal.bounds, plan->bounds), goal.times, goal.next);
    case STIX_PLAN_REPEATS:
        return prove(b, plan->first, goal.bounds, stix_times(goal.times, plan->times), goal.next);
    case STIX_PLAN_FOLLOWEDBY:
        if (b->timeless)
            return prove_children(b, &goal);
        if (goal.times == 1) {
            goal.kind = GOAL_CHAIN;
            goal.plan = plan->first;
            return put(b, goal);
        }
        break;
    case STIX_PLAN_WITHIN:
        if (b->timeless)
            return prove(b, plan->first, goal.bounds, goal.times, goal.next);
        break;
    case STIX_PLAN_OR: break;
    }
    goal.kind = GOAL_AGAIN;
    return put(b, goal);
}

static size_t step_guess(struct binder *b, struct goal goal, size_t option)
{
    if (goal.kind == GOAL_CHAIN)
        return step_chain(b, goal, option);
    return goal.plan->kind == STIX_PLAN_OR ? step_or(b, goal, option)
                                           : step_within(b, goal, option);
}

/* What is proven for a plan that is alone stays: another binding would leave no one more. */
static size_t keep(struct binder *b, struct goal goal)
{
    goal.kept = true;
    goal.next = put(b, (struct goal){.kind = GOAL_KEEP, .from = b->guesses_n, .next = goal.next});
    return put(b, goal);
}

/* Try an option of a goal, and remember that there are others. */
static size_t try_option(struct binder *b, size_t at, size_t from, bool *out_failed)
{
    struct goal goal = b->goals[at];
    size_t option = option_from(b, &goal, from);
    *out_failed = option == NO_OPTION;
    if (*out_failed)
        return 0;
    if (option_from(b, &goal, option + 1) != NO_OPTION && !remember(b, at, option + 1))
        return 0;
    return step_guess(b, goal, option);
}

static size_t step(struct binder *b, size_t at, bool *out_failed)
{
    struct goal goal = b->goals[at];
    *out_failed = false;
    if (goal.kind == GOAL_KEEP) {
        b->guesses_n = goal.from < b->guesses_n ? goal.from : b->guesses_n;
        return goal.next;
    }
    if (goal.kind == GOAL_AGAIN)
        return step_again(b, goal, out_failed);
    if (goal.kind == GOAL_PROVE && !goal.kept && goal.plan->alone && goal.plan->first != NULL)
        return keep(b, goal);
    b->goals[at].guesses = b->guesses_n;
    if (is_guessed(b, &goal))
        return try_option(b, at, 0, out_failed);
    if (goal.kind == GOAL_CHAIN) {
        goal.kind = GOAL_PROVE; /* the last side has no one behind it */
        goal.repeated = false;
        goal.from = 0;
        return put(b, goal);
    }
    return step_plan(b, goal, out_failed);
}

/* Back to the last guess; false when there is none. */
static bool step_back(struct binder *b, size_t *out_at)
{
    bool failed = true;
    while (failed && b->guesses_n > 0 && b->m->err == ISG_OK) {
        struct guess guess = b->guesses[--b->guesses_n];
        b->goals_n = guess.goals;
        stix_flow_cut(b->flow, guess.demands);
        if (!stix_matching_work(b->m, 16))
            return false;
        *out_at = try_option(b, guess.goal, guess.option, &failed);
    }
    return !failed;
}

static bool search(struct binder *b, const struct stix_plan *plan)
{
    const struct stix_bounds everything = {SIZE_MAX, 0};
    bool failed = false;
    b->goals_n = 0;
    b->guesses_n = 0;
    stix_flow_cut(b->flow, 0);
    (void)put(b, (struct goal){.kind = GOAL_AGAIN}); /* takes the number 0: the end */
    size_t at = prove(b, plan, everything, 1, 0);
    while (at != 0 && b->m->err == ISG_OK) {
        at = step(b, at, &failed);
        if (failed && !step_back(b, &at))
            return false;
    }
    return b->m->err == ISG_OK;
}

static int64_t count_all(const struct stix_scene *scene)
{
    int64_t total = 0;
    for (size_t i = 0; i < scene->n; i++)
        total = scene->list[i].count > INT64_MAX - total ? INT64_MAX : total + scene->list[i].count;
    return total;
}

bool stix_plan_binds(struct stix_matching *m, const struct stix_plan *plan,
                     const struct stix_scene *scene)
{
    struct binder b = {.m = m, .scene = scene, .timeless = true, .total = count_all(scene)};
    b.flow = stix_flow_new(m, scene);
    bool binds = b.flow != NULL && search(&b, plan);
    if (binds) {
        b.timeless = false;
        binds = search(&b, plan);
    }
    stix_flow_free(&b.flow);
    free(b.goals);
    free(b.guesses);
    return binds;
}
