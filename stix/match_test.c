/*
 * Paths through the objects of an observation, and comparison expressions over them (S-117, S-123,
 * S-124).
 */
#include "stix/match_private.h"

/* Lists within lists, and references that lead in circles. */
enum { NEST_MAX = 256 };

struct walk {
    struct stix_matching *m;
    const struct stix_probe *probe;
    const struct stix_observation *observation;
    unsigned depth;
};

static bool reach(struct walk *w, const struct stix_key *key, const struct stix_json *value);

/* A reference at which the path goes on stands for the object it names, if that is to be seen. */
static bool follow(const struct walk *w, const struct stix_key *key, const struct stix_json **value)
{
    if (!key->refers || key->next == NULL)
        return true;
    struct isg_str name = stix_json_str(*value);
    const struct stix_visible *object =
        name.p != NULL ? stix_observation_find(w->observation, name) : NULL;
    if (object != NULL)
        *value = object->value;
    return object != NULL;
}

static bool reach_any(struct walk *w, const struct stix_key *key, const struct stix_json *list)
{
    bool found = false;
    if (w->depth >= NEST_MAX)
        return stix_matching_fail(w->m, ISG_ELIMIT, "S-129", "a path has too many [*]");
    w->depth++;
    for (size_t i = 0; i < stix_json_size(list) && !found && w->m->err == ISG_OK; i++) {
        const struct stix_json *value = stix_json_at(list, i);
        if (follow(w, key, &value))
            found = reach(w, key->next, value);
    }
    w->depth--;
    return found;
}

/* One step that is no [*]; false when it leads nowhere. */
static bool step(const struct walk *w, const struct stix_key *key, const struct stix_json **value)
{
    if (key->kind == STIX_STEP_KEY) {
        if (key->name == NULL || !stix_json_has(*value, key->name))
            return false;
        *value = stix_json_get(*value, key->name);
    } else {
        if (stix_json_type(*value) != STIX_JSON_LIST || key->index >= stix_json_size(*value))
            return false;
        *value = stix_json_at(*value, key->index);
    }
    return follow(w, key, value);
}

/* True when a value at the end of the path satisfies the test. */
static bool reach(struct walk *w, const struct stix_key *key, const struct stix_json *value)
{
    for (; key != NULL; key = key->next) {
        if (!stix_matching_work(w->m, key->refers ? 16 : 4))
            return false;
        if (key->kind == STIX_STEP_ANY)
            return stix_json_type(value) == STIX_JSON_LIST && reach_any(w, key, value);
        if (!step(w, key, &value))
            return false;
    }
    return stix_probe_holds(w->m, w->probe, value);
}

static bool test_holds(struct stix_matching *m, const struct stix_probe *probe,
                       const struct stix_observation *observation, const struct stix_visible *root)
{
    struct walk walk = {.m = m, .probe = probe, .observation = observation};
    if (!stix_matching_work(m, 1) || !isg_str_eq(probe->type, root->type))
        return false;
    bool holds = reach(&walk, probe->path, root->value);
    if (m->err != ISG_OK)
        return false;
    return probe->op == STIX_OP_EXISTS ? holds != probe->negated : holds;
}

static bool holds_at(struct stix_matching *m, const struct stix_expr *expr,
                     const struct stix_observation *observation, const struct stix_visible *root)
{
    if (expr->kind == STIX_NODE_TEST)
        return test_holds(m, expr->probe, observation, root);
    bool any = expr->kind == STIX_NODE_OR;
    for (const struct stix_expr *child = expr->first; child != NULL; child = child->next) {
        if (holds_at(m, child, observation, root) == any)
            return any && m->err == ISG_OK;
        if (m->err != ISG_OK)
            return false;
    }
    return !any;
}

bool stix_expr_holds(struct stix_matching *m, const struct stix_expr *expr,
                     const struct stix_observation *observation)
{
    for (size_t i = 0; i < observation->roots_n && m->err == ISG_OK; i++)
        if (holds_at(m, expr, observation, &observation->roots[i]))
            return true;
    return false;
}
