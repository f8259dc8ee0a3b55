/*
 * What the observations say about a plan before any binding: which of them each leaf can be, and
 * which instants are worth a guess.
 */
#include "stix/match_private.h"

static bool fill_leaf(struct stix_matching *m, struct stix_plan *leaf,
                      const struct stix_scene *scene)
{
    leaf->set = stix_matching_alloc(m, scene->n / 64 + 1, sizeof *leaf->set);
    if (leaf->set == NULL)
        return false;
    for (size_t i = 0; i < scene->n; i++) {
        const struct stix_choice *one = leaf->choices;
        while (one != NULL && !stix_expr_holds(m, one->expr, &scene->list[i]))
            one = one->next;
        if (one == NULL)
            continue;
        leaf->set[i / 64] |= (uint64_t)1 << i % 64;
    }
    leaf->need = 1;
    return m->err == ISG_OK;
}

/* The instants at which observations of the plan end, or begin; NULL after a failure. */
static uint64_t *instants_of(struct stix_matching *m, const struct stix_plan *plan,
                             const struct stix_scene *scene, bool ends)
{
    uint64_t *instants = stix_matching_alloc(m, scene->times_n / 64 + 1, sizeof *instants);
    if (instants == NULL || !stix_matching_work(m, scene->n / 8 + 1))
        return NULL;
    for (size_t i = 0; i < scene->n; i++)
        if ((plan->set[i / 64] >> i % 64 & 1) != 0) {
            size_t at = ends ? scene->list[i].last : scene->list[i].first;
            instants[at / 64] |= (uint64_t)1 << at % 64;
        }
    return instants;
}

/* What all children can be, and need together; of alternatives the one that needs least. */
static bool fill_union(struct stix_matching *m, struct stix_plan *plan,
                       const struct stix_scene *scene)
{
    size_t words = scene->n / 64 + 1;
    plan->set = stix_matching_alloc(m, words, sizeof *plan->set);
    if (plan->set == NULL)
        return false;
    plan->need = plan->kind == STIX_PLAN_OR ? INT64_MAX : 0;
    for (const struct stix_plan *child = plan->first; child != NULL; child = child->next) {
        if (!stix_matching_work(m, words / 8 + 1))
            return false;
        for (size_t w = 0; w < words; w++)
            plan->set[w] |= child->set[w];
        if (plan->kind != STIX_PLAN_OR)
            plan->need =
                child->need > INT64_MAX - plan->need ? INT64_MAX : plan->need + child->need;
        else if (child->need < plan->need)
            plan->need = child->need;
    }
    if (plan->kind == STIX_PLAN_REPEATS)
        plan->need = stix_times(plan->need, plan->times);
    return true;
}

/* A search goes through alternatives one by one, and back to where it was. */
static bool number_options(struct stix_matching *m, struct stix_plan *plan)
{
    size_t n = 0;
    for (const struct stix_plan *child = plan->first; child != NULL; child = child->next)
        n++;
    plan->options = stix_matching_alloc(m, n, sizeof(struct stix_plan *));
    if (plan->options == NULL)
        return false;
    for (struct stix_plan *child = plan->first; child != NULL; child = child->next)
        plan->options[plan->options_n++] = child;
    return true;
}

static bool fill(struct stix_matching *m, struct stix_plan *plan, const struct stix_scene *scene)
{
    if (plan->kind == STIX_PLAN_LEAF)
        return fill_leaf(m, plan, scene);
    for (struct stix_plan *child = plan->first; child != NULL; child = child->next) {
        if (!fill(m, child, scene))
            return false;
        if (plan->kind == STIX_PLAN_FOLLOWEDBY)
            child->begins = instants_of(m, child, scene, false);
    }
    if (!fill_union(m, plan, scene) || (plan->kind == STIX_PLAN_OR && !number_options(m, plan)))
        return false;
    if (plan->kind == STIX_PLAN_WITHIN)
        plan->ends = instants_of(m, plan, scene, true);
    return m->err == ISG_OK;
}

/* --- who shares observations --- */

static bool meets(const uint64_t *a, const uint64_t *b, size_t words)
{
    for (size_t w = 0; w < words; w++)
        if ((a[w] & b[w]) != 0)
            return true;
    return false;
}

static void join(uint64_t *all, uint64_t *twice, const uint64_t *set, size_t words)
{
    for (size_t w = 0; w < words; w++) {
        twice[w] |= all[w] & set[w];
        all[w] |= set[w];
    }
}

/* Of children that are all bound those are alone that meet no other; of alternatives all are. */
static bool find_alone(struct stix_matching *m, struct stix_plan *plan,
                       const struct stix_scene *scene)
{
    size_t words = scene->n / 64 + 1;
    bool all = plan->kind == STIX_PLAN_AND || plan->kind == STIX_PLAN_FOLLOWEDBY;
    if (!plan->alone || plan->kind == STIX_PLAN_LEAF || plan->kind == STIX_PLAN_REPEATS)
        return true; /* what is bound again and again meets itself */
    uint64_t *sets = stix_matching_alloc(m, words, 2 * sizeof *sets);
    if (sets == NULL)
        return false;
    for (const struct stix_plan *child = plan->first; child != NULL && all; child = child->next)
        join(sets, sets + words, child->set, words);
    for (struct stix_plan *child = plan->first; child != NULL; child = child->next) {
        child->alone = !meets(child->set, sets + words, words);
        if (!stix_matching_work(m, words / 8 + 1) || !find_alone(m, child, scene))
            return false;
    }
    return true;
}

bool stix_plan_fill(struct stix_matching *m, struct stix_plan *plan, const struct stix_scene *scene)
{
    plan->alone = true;
    return fill(m, plan, scene) && find_alone(m, plan, scene) && stix_plan_survey(m, plan, scene);
}
