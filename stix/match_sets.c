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
        if (scene->list[i].last > leaf->last_most)
            leaf->last_most = scene->list[i].last;
    }
    return m->err == ISG_OK;
}

/* A binding ends as early as any part of it; of alternatives the best one counts. */
static void bound_last(struct stix_plan *plan)
{
    if (plan->first == NULL)
        return; /* only leaves have no parts */
    plan->last_most = plan->first->last_most;
    for (const struct stix_plan *child = plan->first; child != NULL; child = child->next)
        if (plan->kind == STIX_PLAN_OR ? child->last_most > plan->last_most
                                       : child->last_most < plan->last_most)
            plan->last_most = child->last_most;
}

/* Where observations of the leaves below end, or begin. */
static bool mark_instants(struct stix_matching *m, const struct stix_plan *plan,
                          const struct stix_scene *scene, bool ends, uint64_t *out)
{
    if (plan->kind != STIX_PLAN_LEAF) {
        for (const struct stix_plan *child = plan->first; child != NULL; child = child->next)
            if (!mark_instants(m, child, scene, ends, out))
                return false;
        return true;
    }
    if (!stix_matching_work(m, scene->n / 8 + 1))
        return false;
    for (size_t i = 0; i < scene->n; i++)
        if ((plan->set[i / 64] >> i % 64 & 1) != 0) {
            size_t at = ends ? scene->list[i].last : scene->list[i].first;
            out[at / 64] |= (uint64_t)1 << at % 64;
        }
    return true;
}

static bool fill_instants(struct stix_matching *m, struct stix_plan *plan,
                          const struct stix_scene *scene, bool ends)
{
    plan->instants = stix_matching_alloc(m, scene->times_n / 64 + 1, sizeof *plan->instants);
    return plan->instants != NULL && mark_instants(m, plan, scene, ends, plan->instants);
}

/* The children of FOLLOWEDBY: who comes before may not begin after all that comes behind ended. */
static bool fill_chain(struct stix_matching *m, struct stix_plan *chain,
                       const struct stix_scene *scene)
{
    size_t least = SIZE_MAX;
    size_t count = 0;
    for (struct stix_plan *child = chain->first; child != NULL; child = child->next)
        count++;
    struct stix_plan **children = stix_matching_alloc(
        m, count, sizeof(struct stix_plan *)); /* NOLINT(bugprone-sizeof-expression) pointers */
    if (children == NULL)
        return false;
    count = 0;
    for (struct stix_plan *child = chain->first; child != NULL; child = child->next)
        children[count++] = child;
    while (count-- > 0) {
        children[count]->rest_last = least;
        if (children[count]->last_most < least)
            least = children[count]->last_most;
        if (!fill_instants(m, children[count], scene, false))
            return false;
    }
    return true;
}

bool stix_plan_fill(struct stix_matching *m, struct stix_plan *plan, const struct stix_scene *scene)
{
    if (plan->kind == STIX_PLAN_LEAF)
        return fill_leaf(m, plan, scene);
    for (struct stix_plan *child = plan->first; child != NULL; child = child->next)
        if (!stix_plan_fill(m, child, scene))
            return false;
    bound_last(plan);
    if (plan->kind == STIX_PLAN_WITHIN)
        return fill_instants(m, plan, scene, true);
    return plan->kind != STIX_PLAN_FOLLOWEDBY || fill_chain(m, plan, scene);
}
