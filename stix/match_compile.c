/*
 * From the tree of a pattern to tests that are ready to run and a plan of bindings.
 *
 * The plan is simpler than the tree: alternatives that are single observations are one leaf, what
 * a qualifier cannot change is left out, and times are ranks among those of the scene.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stix/base/base64.h"
#include "stix/base/time.h"
#include "stix/match_private.h"
#include "stix/nfc.h"

struct compiler {
    struct stix_matching *m;
    const struct stix_scene *scene;
    struct stix_probe *compiled;
};

static bool text_ends(struct isg_str text, const char *suffix)
{
    return isg_str_ends(text, isg_str_of(suffix));
}

/* --- constants --- */

static bool decode_constant(struct stix_matching *m, const struct stix_literal *literal,
                            struct isg_str *out)
{
    bool hex = literal->kind == STIX_LITERAL_HEX;
    struct isg_buf buf;
    char *bytes = stix_matching_alloc(m, literal->text.n + 1, 1);
    if (bytes == NULL)
        return false;
    *out = (struct isg_str){bytes, literal->text.n / 2};
    if (hex)
        return isg_hex_decode(literal->text, (uint8_t *)bytes, literal->text.n / 2);
    isg_buf_init(&buf, literal->text.n + 1);
    bool fits = isg_base64_decode(ISG_BASE64_LAX, literal->text, &buf);
    if (fits && buf.len > 0)
        memcpy(bytes, buf.p, buf.len);
    out->n = buf.len;
    if (buf.err != ISG_OK)
        (void)stix_matching_fail(m, buf.err, NULL, "no memory");
    isg_buf_done(&buf);
    return fits;
}

static bool fill_constant(struct stix_matching *m, const struct stix_literal *literal,
                          struct stix_constant *c)
{
    c->text = literal->text;
    switch (literal->kind) {
    case STIX_LITERAL_INTEGER:
    case STIX_LITERAL_FLOAT:
        c->kind = STIX_CONSTANT_NUMBER;
        c->number = (struct stix_number){literal->kind == STIX_LITERAL_INTEGER, literal->integer,
                                         literal->number};
        return true;
    case STIX_LITERAL_BOOLEAN:
        c->kind = STIX_CONSTANT_BOOLEAN;
        c->boolean = literal->boolean;
        return true;
    case STIX_LITERAL_STRING:
        c->kind = STIX_CONSTANT_STRING;
        c->has_bytes = stix_bytes_of_text(m, literal->text, &c->bytes);
        return m->err == ISG_OK;
    case STIX_LITERAL_HEX:
    case STIX_LITERAL_BINARY:
        c->kind = STIX_CONSTANT_BYTES;
        return decode_constant(m, literal, &c->bytes);
    case STIX_LITERAL_TIMESTAMP: c->kind = STIX_CONSTANT_TIME; return true;
    }
    return false;
}

static const struct stix_constant *compile_constants(struct stix_matching *m,
                                                     const struct stix_literal *literals)
{
    struct stix_constant *first = NULL;
    struct stix_constant **link = &first;
    for (const struct stix_literal *l = literals; l != NULL; l = l->next) {
        struct stix_constant *c = stix_matching_alloc(m, 1, sizeof *c);
        if (c == NULL)
            return NULL;
        if (!fill_constant(m, l, c)) {
            (void)stix_matching_fail(m, ISG_EINVAL, "S-121", "a literal cannot be read");
            return NULL;
        }
        *link = c;
        link = &c->next;
    }
    return first;
}

/* --- tests --- */

/* A name with a NUL in it is no member's name here: JSON names are read up to the NUL. */
static const char *name_of(struct stix_matching *m, struct isg_str key)
{
    if (isg_str_find(key, '\0') != SIZE_MAX)
        return NULL;
    char *name = isg_arena_copy(m->arena, key);
    if (name == NULL)
        (void)stix_matching_fail(m, ISG_ENOMEM, NULL, "no memory");
    return name;
}

static const struct stix_key *compile_path(struct stix_matching *m, const struct stix_path *path)
{
    struct stix_key *first = NULL;
    struct stix_key **link = &first;
    bool listed = false; /* behind a key that ends in _refs */
    for (const struct stix_step *s = path->first; s != NULL; s = s->next) {
        struct stix_key *key = stix_matching_alloc(m, 1, sizeof *key);
        if (key == NULL)
            return NULL;
        bool named = s->kind == STIX_STEP_KEY;
        key->kind = s->kind;
        key->name = named ? name_of(m, s->key) : NULL;
        key->index = s->index >= 0 ? (size_t)s->index : SIZE_MAX;
        key->refers = named ? text_ends(s->key, "_ref") : listed;
        listed = named && text_ends(s->key, "_refs");
        *link = key;
        link = &key->next;
    }
    return first;
}

/* Operands are text in form C; the memory for it is that of the arena. */
static bool normalize(struct stix_matching *m, struct isg_str text, struct isg_str *out)
{
    char *scratch = NULL;
    int err = stix_nfc(text, out, &scratch);
    if (err == ISG_OK && scratch != NULL) {
        const char *copy = isg_arena_copy(m->arena, *out);
        err = copy != NULL ? ISG_OK : ISG_ENOMEM;
        out->p = copy;
    }
    free(scratch);
    return err == ISG_OK || stix_matching_fail(m, err, "S-120", "an operand is not text");
}

static bool compile_regex(struct compiler *c, struct stix_probe *probe)
{
    struct isg_str text = probe->constants->text;
    if (probe->of_bytes && !probe->constants->has_bytes)
        return true; /* no octets match it */
    if (probe->of_bytes)
        text = probe->constants->bytes;
    else if (!normalize(c->m, text, &text))
        return false;
    int err = stix_regex_new(text, probe->of_bytes, &probe->regex);
    if (err != ISG_OK)
        return stix_matching_fail(c->m, err, "S-114",
                                  "the operand of MATCHES does not compile within bounds");
    probe->next_compiled = c->compiled;
    c->compiled = probe;
    return true;
}

static bool compile_operand(struct compiler *c, struct stix_probe *probe)
{
    switch (probe->op) {
    case STIX_OP_LIKE: return normalize(c->m, probe->constants->text, &probe->like);
    case STIX_OP_MATCHES: return compile_regex(c, probe);
    case STIX_OP_ISSUBSET:
    case STIX_OP_ISSUPERSET:
        return stix_network_read(probe->constants->text, &probe->network) ||
               stix_matching_fail(c->m, ISG_EINVAL, "S-113", "the operand is no address");
    case STIX_OP_EQ:
    case STIX_OP_NE:
    case STIX_OP_LT:
    case STIX_OP_LE:
    case STIX_OP_GT:
    case STIX_OP_GE:
    case STIX_OP_IN:
    case STIX_OP_EXISTS: break;
    }
    return true;
}

static const struct stix_probe *compile_probe(struct compiler *c, const struct stix_test *test)
{
    struct stix_probe *probe = stix_matching_alloc(c->m, 1, sizeof *probe);
    if (probe == NULL)
        return NULL;
    probe->type = test->path.type;
    probe->path = compile_path(c->m, &test->path);
    probe->op = test->op;
    probe->negated = test->negated;
    probe->of_bytes = stix_path_is_of_bytes(&test->path);
    probe->constants = compile_constants(c->m, test->operands);
    return c->m->err == ISG_OK && compile_operand(c, probe) ? probe : NULL;
}

static struct stix_expr *compile_expr(struct compiler *c, const struct stix_pattern_node *node)
{
    struct stix_expr *expr = stix_matching_alloc(c->m, 1, sizeof *expr);
    if (expr == NULL)
        return NULL;
    expr->kind = node->kind;
    if (node->kind == STIX_NODE_TEST) {
        expr->probe = compile_probe(c, node->test);
        return expr->probe != NULL ? expr : NULL;
    }
    const struct stix_expr **link = &expr->first;
    for (const struct stix_pattern_node *child = node->first; child != NULL; child = child->next) {
        struct stix_expr *next = compile_expr(c, child);
        if (next == NULL)
            return NULL;
        *link = next;
        link = &next->next;
    }
    return expr;
}

/* --- the plan --- */

static struct stix_plan *plan_new(struct compiler *c, enum stix_plan_kind kind)
{
    struct stix_plan *plan = stix_matching_alloc(c->m, 1, sizeof *plan);
    if (plan != NULL)
        plan->kind = kind;
    return plan;
}

static struct stix_plan *plan_over(struct compiler *c, enum stix_plan_kind kind,
                                   struct stix_plan *child)
{
    struct stix_plan *plan = plan_new(c, kind);
    if (plan != NULL)
        plan->first = plan->last = child;
    return plan;
}

static void append(struct stix_plan *parent, struct stix_plan *child)
{
    if (parent->last != NULL)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
}

/* A child of the same kind gives its children; leaves under OR become one. */
static void adopt(struct stix_plan *parent, struct stix_plan *child, struct stix_plan **leaf)
{
    if (child->kind == parent->kind) {
        struct stix_plan *next = NULL;
        for (struct stix_plan *inner = child->first; inner != NULL; inner = next) {
            next = inner->next;
            inner->next = NULL;
            adopt(parent, inner, leaf); /* of another kind: no deeper than this */
        }
    } else if (parent->kind == STIX_PLAN_OR && child->kind == STIX_PLAN_LEAF && *leaf != NULL) {
        (*leaf)->last_choice->next = child->choices;
        (*leaf)->last_choice = child->last_choice;
    } else {
        append(parent, child);
        *leaf = child->kind == STIX_PLAN_LEAF ? child : *leaf;
    }
}

static struct stix_plan *compile_plan(struct compiler *c, const struct stix_pattern_node *node);

static struct stix_plan *compile_chain(struct compiler *c, const struct stix_pattern_node *node,
                                       enum stix_plan_kind kind)
{
    struct stix_plan *plan = plan_new(c, kind);
    struct stix_plan *leaf = NULL;
    for (const struct stix_pattern_node *n = node->first; plan != NULL && n != NULL; n = n->next) {
        struct stix_plan *child = compile_plan(c, n);
        if (child == NULL)
            return NULL;
        adopt(plan, child, &leaf);
    }
    return plan != NULL && plan->first == plan->last ? plan->first : plan;
}

static struct stix_plan *compile_leaf(struct compiler *c, const struct stix_pattern_node *node)
{
    struct stix_plan *leaf = plan_new(c, STIX_PLAN_LEAF);
    struct stix_choice *choice = stix_matching_alloc(c->m, 1, sizeof *choice);
    if (leaf == NULL || choice == NULL)
        return NULL;
    choice->expr = compile_expr(c, node->first);
    leaf->choices = leaf->last_choice = choice;
    return choice->expr != NULL ? leaf : NULL;
}

/* The number of instants of the scene before this one. */
static size_t rank_of(const struct stix_scene *scene, struct isg_str text)
{
    size_t low = 0;
    size_t high = scene->times_n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (isg_time_cmp(scene->times[middle].text, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* S-126: START <= time < STOP; nothing when they are out of order. */
static struct stix_plan *compile_period(struct compiler *c, const struct stix_qualifier *q,
                                        struct stix_plan *child)
{
    struct stix_plan *plan = plan_over(c, STIX_PLAN_PERIOD, child);
    if (plan == NULL)
        return NULL;
    bool some = isg_time_cmp(q->start, q->stop) < 0;
    plan->bounds.first_below = some ? rank_of(c->scene, q->stop) : 0;
    plan->bounds.last_from = rank_of(c->scene, q->start);
    return plan;
}

/* Seconds as written to microseconds: 0.0001 is 100, though no double is 0.0001. */
static double width_of(double seconds)
{
    double us = seconds * 1e6;
    return fabs(us - rint(us)) < 1e-9 * us ? rint(us) : us;
}

static struct stix_plan *compile_qualifier(struct compiler *c, const struct stix_qualifier *q,
                                           struct stix_plan *child)
{
    struct stix_plan *plan = NULL;
    if (q->kind == STIX_START_STOP)
        return compile_period(c, q, child);
    if (q->kind == STIX_WITHIN && child->kind == STIX_PLAN_LEAF)
        return child; /* one observation is within any time */
    if (q->kind == STIX_REPEATS && q->times == 1)
        return child;
    plan = plan_over(c, q->kind == STIX_WITHIN ? STIX_PLAN_WITHIN : STIX_PLAN_REPEATS, child);
    if (plan == NULL)
        return NULL;
    plan->width_us = width_of(q->seconds);
    plan->times = q->times;
    return plan;
}

static struct stix_plan *compile_node(struct compiler *c, const struct stix_pattern_node *node)
{
    switch (node->kind) {
    case STIX_NODE_FOLLOWEDBY: return compile_chain(c, node, STIX_PLAN_FOLLOWEDBY);
    case STIX_NODE_OBS_OR: return compile_chain(c, node, STIX_PLAN_OR);
    case STIX_NODE_OBS_AND: return compile_chain(c, node, STIX_PLAN_AND);
    case STIX_NODE_GROUP: return compile_plan(c, node->first);
    case STIX_NODE_OBSERVATION: return compile_leaf(c, node);
    case STIX_NODE_OR:
    case STIX_NODE_AND:
    case STIX_NODE_TEST: break;
    }
    return NULL;
}

static struct stix_plan *compile_plan(struct compiler *c, const struct stix_pattern_node *node)
{
    struct stix_plan *plan = compile_node(c, node);
    for (const struct stix_qualifier *q = node->qualifiers; q != NULL && plan != NULL; q = q->next)
        plan = compile_qualifier(c, q, plan);
    return plan;
}

/* Whether the answer hangs on when observations were. */
static bool asks_time(const struct stix_plan *plan)
{
    bool asks = plan->kind == STIX_PLAN_FOLLOWEDBY || plan->kind == STIX_PLAN_WITHIN ||
                plan->kind == STIX_PLAN_PERIOD;
    for (const struct stix_plan *child = plan->first; child != NULL && !asks; child = child->next)
        asks = asks_time(child);
    return asks;
}

int stix_program_compile(struct stix_matching *m, const struct stix_pattern *pattern,
                         const struct stix_scene *scene, struct stix_program *out)
{
    struct compiler c = {.m = m, .scene = scene};
    struct stix_plan *plan = compile_plan(&c, pattern->root);
    if (plan == NULL)
        (void)stix_matching_fail(m, ISG_ENOMEM, NULL, "no memory");
    else if (scene->untimed && asks_time(plan))
        (void)stix_matching_fail(m, ISG_EINVAL, "S-039",
                                 "the pattern asks when, and an observation has no times");
    else
        (void)stix_plan_fill(m, plan, scene);
    *out = (struct stix_program){plan, c.compiled};
    return m->err;
}

void stix_program_free(struct stix_program *program)
{
    for (struct stix_probe *p = program->compiled; p != NULL; p = p->next_compiled) {
        stix_regex_free(&p->regex);
    }
    *program = (struct stix_program){0};
}
