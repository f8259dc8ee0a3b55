/* The alternatives of a pattern, for readers that know values and no patterns. */
#include "stix/pattern.h"
#include "stix/pattern_tree.h"

struct arms {
    struct isg_arena *arena;
    struct stix_pattern_arm *first;
    struct stix_pattern_arm **end;
    bool no_memory;
};

static struct stix_pattern_arm *arm_add(struct arms *arms, enum stix_pattern_shape shape)
{
    struct stix_pattern_arm *arm = isg_arena_alloc(arms->arena, sizeof *arm);
    if (arm == NULL) {
        arms->no_memory = true;
        return NULL;
    }
    arm->shape = shape;
    *arms->end = arm;
    arms->end = &arm->next;
    return arm;
}

static struct isg_str path_text(struct arms *arms, const struct stix_path *path)
{
    struct isg_buf text;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    stix_path_print(path, &text);
    struct isg_str copy = {isg_arena_copy(arms->arena, isg_buf_str(&text)), text.len};
    arms->no_memory = arms->no_memory || copy.p == NULL || text.err != ISG_OK;
    isg_buf_done(&text);
    return copy;
}

static void fact_add(struct arms *arms, struct stix_pattern_arm *arm, const struct stix_test *test,
                     const struct stix_literal *literal)
{
    struct stix_pattern_fact *fact =
        arm != NULL ? isg_arena_alloc(arms->arena, sizeof *fact) : NULL;
    if (fact == NULL) {
        arms->no_memory = true;
        return;
    }
    fact->path = path_text(arms, &test->path);
    fact->is_text = literal->kind == STIX_LITERAL_STRING;
    fact->is_integer = literal->kind == STIX_LITERAL_INTEGER;
    fact->within = test->op == STIX_OP_ISSUBSET;
    if (fact->is_text)
        fact->text = literal->text;
    if (fact->is_integer)
        fact->integer = literal->integer;
    fact->next = arm->facts;
    arm->facts = fact;
    arm->count++;
}

/* What a test is by itself; STIX_SHAPE_FACTS when each of its operands is a value by itself. */
static enum stix_pattern_shape test_shape(const struct stix_test *test)
{
    if (test->negated || test->op == STIX_OP_NE)
        return STIX_SHAPE_NEGATION;
    bool names = test->op == STIX_OP_EQ || test->op == STIX_OP_IN || test->op == STIX_OP_ISSUBSET;
    return names && test->operands != NULL ? STIX_SHAPE_FACTS : STIX_SHAPE_OPERATOR;
}

static void add_test(struct arms *arms, const struct stix_test *test)
{
    enum stix_pattern_shape shape = test_shape(test);
    if (shape != STIX_SHAPE_FACTS) {
        (void)arm_add(arms, shape);
        return;
    }
    for (const struct stix_literal *l = test->operands; l != NULL && !arms->no_memory; l = l->next)
        fact_add(arms, arm_add(arms, STIX_SHAPE_FACTS), test, l);
}

/* All tests of an AND as the facts of one arm, or none of them. */
static void add_and(struct arms *arms, const struct stix_pattern_node *node)
{
    for (const struct stix_pattern_node *n = node->first; n != NULL; n = n->next) {
        bool fact = n->kind == STIX_NODE_TEST && test_shape(n->test) == STIX_SHAPE_FACTS &&
                    n->test->operands->next == NULL;
        if (!fact) {
            (void)arm_add(arms, STIX_SHAPE_AND);
            return;
        }
    }
    struct stix_pattern_arm *arm = arm_add(arms, STIX_SHAPE_FACTS);
    for (const struct stix_pattern_node *n = node->first; n != NULL && !arms->no_memory;
         n = n->next)
        fact_add(arms, arm, n->test, n->test->operands);
}

/* The depth of the tree is bounded by STIX_PATTERN_DEPTH. */
static void add_node(struct arms *arms, const struct stix_pattern_node *node)
{
    if (node->qualifiers != NULL) {
        (void)arm_add(arms, STIX_SHAPE_QUALIFIER);
        return;
    }
    switch (node->kind) {
    case STIX_NODE_FOLLOWEDBY: (void)arm_add(arms, STIX_SHAPE_SEQUENCE); break;
    case STIX_NODE_OBS_AND: (void)arm_add(arms, STIX_SHAPE_AND); break;
    case STIX_NODE_AND: add_and(arms, node); break;
    case STIX_NODE_TEST: add_test(arms, node->test); break;
    case STIX_NODE_OBS_OR:
    case STIX_NODE_OR:
    case STIX_NODE_GROUP:
    case STIX_NODE_OBSERVATION:
        for (node = node->first; node != NULL && !arms->no_memory; node = node->next)
            add_node(arms, node);
        break;
    }
}

int stix_pattern_arms(struct isg_str text, enum stix_pattern_version version,
                      struct isg_arena *arena, struct stix_pattern_arm **out_arms,
                      struct isg_fail *why)
{
    struct arms arms = {.arena = arena};
    struct stix_pattern *pattern = NULL;
    arms.end = &arms.first;
    int err = stix_pattern_parse(text, version, arena, &pattern, why);
    if (err != ISG_OK)
        return err;
    add_node(&arms, pattern->root);
    if (arms.no_memory)
        return isg_fail(why, ISG_ENOMEM, "no memory for the parts of a pattern");
    *out_arms = arms.first;
    return ISG_OK;
}
