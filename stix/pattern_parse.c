/*
 * The grammar of patterns, by recursive descent (section 12 of the rules). Chains of one operator
 * are read in a loop; only brackets nest, and they are counted.
 */
#include "stix/base/time.h"
#include "stix/base/utf8.h"
#include "stix/pattern_tree.h"

struct parser {
    struct stix_lexer lexer;
    struct stix_token token; /* the current one */
    unsigned depth;
    int err; /* the first failure; after it nothing is read */
    struct isg_fail *why;
};

typedef struct stix_pattern_node *parse_fn(struct parser *p);

/* Levels of an operator ladder, loosest first; the last row names the unit. */
struct level {
    enum stix_token_kind keyword;
    enum stix_node node;
    parse_fn *unit;
};

int stix_pattern_fail(struct isg_fail *why, int code, const char *rule, struct isg_str text,
                      size_t offset, const char *message)
{
    size_t characters = 0;
    for (size_t i = 0; i < offset && i < text.n; i++)
        characters += ((unsigned char)text.p[i] & 0xc0) != 0x80;
    return isg_fail_at(why, code, "", rule, "%s (pattern, character %zu)", message, characters);
}

static void *fail(struct parser *p, int code, const char *rule, const char *message)
{
    if (p->err == ISG_OK)
        p->err = stix_pattern_fail(p->why, code, rule, p->lexer.text, p->token.offset, message);
    return NULL;
}

/* Words in the wrong place are mostly keywords in the wrong case, or names that are keywords. */
static void *fail_at_word(struct parser *p, const char *message)
{
    bool boolean =
        p->token.kind == STIX_TOKEN_LITERAL && p->token.literal.kind == STIX_LITERAL_BOOLEAN;
    return fail(p, ISG_EPARSE, p->token.text.n > 0 || boolean ? "S-106" : "S-108", message);
}

static void *no_memory(struct parser *p)
{
    return fail(p, ISG_ENOMEM, NULL, "no memory");
}

/* Step to the next token. */
static void advance(struct parser *p)
{
    if (p->err != ISG_OK)
        return;
    if (!stix_lexer_next(&p->lexer, &p->token))
        (void)no_memory(p);
    else if (p->token.kind == STIX_TOKEN_WRONG)
        (void)fail(p, p->token.code, p->token.rule, p->token.message);
}

/* Take a token of this kind, or fail with message. */
static bool expect(struct parser *p, enum stix_token_kind kind, const char *message)
{
    if (p->err == ISG_OK && p->token.kind != kind)
        (void)fail(p, ISG_EPARSE, "S-108", message);
    if (p->err != ISG_OK)
        return false;
    advance(p);
    return p->err == ISG_OK;
}

/* Take a token of this kind when it is there. */
static bool accept(struct parser *p, enum stix_token_kind kind)
{
    if (p->err != ISG_OK || p->token.kind != kind)
        return false;
    advance(p);
    return p->err == ISG_OK;
}

static bool enter(struct parser *p)
{
    if (p->depth >= STIX_PATTERN_DEPTH)
        (void)fail(p, ISG_ELIMIT, "limit", "the pattern is nested too deeply");
    p->depth++;
    return p->err == ISG_OK;
}

static struct stix_pattern_node *node_new(struct parser *p, enum stix_node kind, size_t offset)
{
    struct stix_pattern_node *node = isg_arena_alloc(p->lexer.arena, sizeof *node);
    if (node == NULL)
        return no_memory(p);
    node->kind = kind;
    node->offset = offset;
    return node;
}

/* Append a child; a comparison's child of the same operator gives its children instead. */
static void adopt(struct stix_pattern_node *parent, struct stix_pattern_node *child)
{
    bool same = child->kind == parent->kind &&
                (child->kind == STIX_NODE_OR || child->kind == STIX_NODE_AND);
    struct stix_pattern_node *first = same ? child->first : child;
    if (parent->last != NULL)
        parent->last->next = first;
    else
        parent->first = first;
    parent->last = same ? child->last : child;
}

/* unit (keyword unit)*: one node for the whole chain, or the unit itself when it stands alone. */
static struct stix_pattern_node *parse_ladder(struct parser *p, const struct level *level)
{
    if (level->unit != NULL)
        return level->unit(p);
    size_t offset = p->token.offset;
    struct stix_pattern_node *first = parse_ladder(p, level + 1);
    if (p->err != ISG_OK || p->token.kind != level->keyword)
        return first;
    struct stix_pattern_node *chain = node_new(p, level->node, offset);
    if (chain == NULL)
        return NULL;
    adopt(chain, first);
    while (accept(p, level->keyword)) {
        struct stix_pattern_node *next = parse_ladder(p, level + 1);
        if (next == NULL)
            return NULL;
        adopt(chain, next);
    }
    return p->err == ISG_OK ? chain : NULL;
}

/* --- paths --- */

static struct stix_step *add_step(struct parser *p, struct stix_path *path,
                                  enum stix_step_kind kind)
{
    struct stix_step *step = isg_arena_alloc(p->lexer.arena, sizeof *step);
    if (step == NULL)
        return no_memory(p);
    step->kind = kind;
    if (path->last != NULL)
        path->last->next = step;
    else
        path->first = step;
    path->last = step;
    return step;
}

/* A name without hyphens, or a string. */
static bool parse_key(struct parser *p, struct stix_path *path)
{
    bool quoted =
        p->token.kind == STIX_TOKEN_LITERAL && p->token.literal.kind == STIX_LITERAL_STRING;
    if (p->err == ISG_OK && p->token.kind == STIX_TOKEN_HYPHENED)
        (void)fail(p, ISG_EPARSE, "S-108", "a property name with a hyphen needs quotes");
    else if (p->err == ISG_OK && !quoted && p->token.kind != STIX_TOKEN_NAME)
        (void)fail_at_word(p, "a property name is expected");
    if (p->err != ISG_OK)
        return false;
    struct isg_str key = quoted ? p->token.literal.text : p->token.text;
    struct stix_step *step = add_step(p, path, STIX_STEP_KEY);
    if (step == NULL)
        return false;
    step->key = key;
    advance(p);
    return p->err == ISG_OK;
}

static bool parse_index(struct parser *p, struct stix_path *path)
{
    bool any = p->token.kind == STIX_TOKEN_STAR;
    bool integer =
        p->token.kind == STIX_TOKEN_LITERAL && p->token.literal.kind == STIX_LITERAL_INTEGER;
    if (!any && !integer)
        (void)fail(p, ISG_EPARSE, "S-108", "an index is an integer or *");
    if (p->err != ISG_OK)
        return false;
    struct stix_step *step = add_step(p, path, any ? STIX_STEP_ANY : STIX_STEP_INDEX);
    if (step == NULL)
        return false;
    step->index = any ? 0 : p->token.literal.integer;
    advance(p);
    return expect(p, STIX_TOKEN_CLOSE_LIST, "an index ends with ]");
}

static bool parse_path(struct parser *p, struct stix_path *path)
{
    if (p->token.kind != STIX_TOKEN_NAME && p->token.kind != STIX_TOKEN_HYPHENED)
        (void)fail_at_word(p, "an object type is expected");
    path->type = p->token.text;
    advance(p);
    if (!expect(p, STIX_TOKEN_COLON, "a colon is expected after the object type") ||
        !parse_key(p, path))
        return false;
    for (;;) {
        bool good = true;
        if (accept(p, STIX_TOKEN_DOT))
            good = parse_key(p, path);
        else if (accept(p, STIX_TOKEN_OPEN_LIST))
            good = parse_index(p, path);
        else
            return p->err == ISG_OK;
        if (!good)
            return false;
    }
}

/* --- tests --- */

/* Operators and what stands behind them. */
static const struct comparison {
    enum stix_token_kind token;
    enum stix_op op;
    enum { ANY_LITERAL, ORDERED, SET, STRING } operand;
} comparisons[] = {
    {STIX_TOKEN_EQ, STIX_OP_EQ, ANY_LITERAL},
    {STIX_TOKEN_NE, STIX_OP_NE, ANY_LITERAL},
    {STIX_TOKEN_LT, STIX_OP_LT, ORDERED},
    {STIX_TOKEN_LE, STIX_OP_LE, ORDERED},
    {STIX_TOKEN_GT, STIX_OP_GT, ORDERED},
    {STIX_TOKEN_GE, STIX_OP_GE, ORDERED},
    {STIX_TOKEN_IN, STIX_OP_IN, SET},
    {STIX_TOKEN_LIKE, STIX_OP_LIKE, STRING},
    {STIX_TOKEN_MATCHES, STIX_OP_MATCHES, STRING},
    {STIX_TOKEN_ISSUBSET, STIX_OP_ISSUBSET, STRING},
    {STIX_TOKEN_ISSUPERSET, STIX_OP_ISSUPERSET, STRING},
};

static struct stix_literal *take_literal(struct parser *p)
{
    if (p->err != ISG_OK || p->token.kind != STIX_TOKEN_LITERAL)
        return fail(p, ISG_EPARSE, "S-108", "a literal is expected");
    struct stix_literal *literal = isg_arena_alloc(p->lexer.arena, sizeof *literal);
    if (literal == NULL)
        return no_memory(p);
    *literal = p->token.literal;
    advance(p);
    return literal;
}

static struct stix_literal *parse_set(struct parser *p)
{
    struct stix_literal *first = NULL;
    struct stix_literal *last = NULL;
    if (!expect(p, STIX_TOKEN_OPEN, "a set begins with ("))
        return NULL;
    if (accept(p, STIX_TOKEN_CLOSE)) /* of the grammar, though of no use (S-110) */
        return NULL;
    do {
        struct stix_literal *literal = take_literal(p);
        if (literal == NULL)
            return NULL;
        if (last != NULL)
            last->next = literal;
        else
            first = literal;
        last = literal;
    } while (accept(p, STIX_TOKEN_COMMA));
    return expect(p, STIX_TOKEN_CLOSE, "a set ends with )") ? first : NULL;
}

static struct stix_literal *parse_operand(struct parser *p, const struct comparison *op)
{
    if (op->operand == SET)
        return parse_set(p);
    bool literal = p->token.kind == STIX_TOKEN_LITERAL;
    if (op->operand == ORDERED && literal && p->token.literal.kind == STIX_LITERAL_BOOLEAN)
        return fail(p, ISG_EPARSE, "S-108", "a boolean has no order");
    if (op->operand == STRING && (!literal || p->token.literal.kind != STIX_LITERAL_STRING))
        return fail(p, ISG_EPARSE, "S-108", "a string is expected after this operator");
    return take_literal(p);
}

static const struct comparison *find_comparison(enum stix_token_kind kind)
{
    for (size_t i = 0; i < sizeof comparisons / sizeof comparisons[0]; i++)
        if (comparisons[i].token == kind)
            return &comparisons[i];
    return NULL;
}

static bool parse_comparison(struct parser *p, struct stix_test *test)
{
    if (!parse_path(p, &test->path))
        return false;
    test->negated = accept(p, STIX_TOKEN_NOT);
    const struct comparison *op = find_comparison(p->token.kind);
    if (op == NULL) {
        (void)fail_at_word(p, "an operator is expected");
        return false;
    }
    advance(p);
    test->op = op->op;
    test->operands = parse_operand(p, op);
    return p->err == ISG_OK;
}

static bool parse_test_body(struct parser *p, struct stix_test *test)
{
    bool negated = accept(p, STIX_TOKEN_NOT);
    if (accept(p, STIX_TOKEN_EXISTS)) {
        test->negated = negated;
        test->op = STIX_OP_EXISTS;
        return parse_path(p, &test->path);
    }
    if (negated)
        (void)fail(p, ISG_EPARSE, "S-108", "NOT stands after the path, or before EXISTS");
    return p->err == ISG_OK && parse_comparison(p, test);
}

static struct stix_pattern_node *parse_test(struct parser *p);

static const struct level comparison_levels[] = {
    {STIX_TOKEN_OR, STIX_NODE_OR, NULL},
    {STIX_TOKEN_AND, STIX_NODE_AND, NULL},
    {STIX_TOKEN_END, STIX_NODE_TEST, parse_test},
};

static struct stix_pattern_node *parse_test(struct parser *p)
{
    if (accept(p, STIX_TOKEN_OPEN)) {
        struct stix_pattern_node *inner = enter(p) ? parse_ladder(p, comparison_levels) : NULL;
        p->depth--;
        return expect(p, STIX_TOKEN_CLOSE, "a bracket is not closed by )") ? inner : NULL;
    }
    struct stix_pattern_node *node = node_new(p, STIX_NODE_TEST, p->token.offset);
    struct stix_test *test = isg_arena_alloc(p->lexer.arena, sizeof *test);
    if (node == NULL || test == NULL)
        return no_memory(p);
    node->test = test;
    return parse_test_body(p, test) ? node : NULL;
}

/* --- qualifiers --- */

/* A t'' literal; in 2.0 a plain string that reads as one (S-109). */
static bool take_timestamp(struct parser *p, struct isg_str *out)
{
    enum stix_literal_kind kind =
        p->lexer.version == STIX_PATTERN_2_0 ? STIX_LITERAL_STRING : STIX_LITERAL_TIMESTAMP;
    int64_t us;
    if (p->token.kind != STIX_TOKEN_LITERAL || p->token.literal.kind != kind)
        (void)fail(p, ISG_EPARSE, "S-109",
                   kind == STIX_LITERAL_STRING ? "START and STOP take strings in a 2.0 pattern"
                                               : "START and STOP take timestamp literals t'...'");
    else if (!isg_time_parse(p->token.literal.text, &us))
        (void)fail(p, ISG_EPARSE, "S-007", "START and STOP take timestamps");
    if (p->err != ISG_OK)
        return false;
    *out = p->token.literal.text;
    advance(p);
    return p->err == ISG_OK;
}

static bool parse_within(struct parser *p, struct stix_qualifier *qualifier)
{
    const struct stix_literal *literal = &p->token.literal;
    if (p->token.kind == STIX_TOKEN_LITERAL && literal->kind == STIX_LITERAL_INTEGER)
        qualifier->seconds = (double)literal->integer;
    else if (p->token.kind == STIX_TOKEN_LITERAL && literal->kind == STIX_LITERAL_FLOAT)
        qualifier->seconds = literal->number;
    else
        (void)fail(p, ISG_EPARSE, "S-109", "WITHIN takes a number of seconds");
    if (p->err == ISG_OK && !(qualifier->seconds > 0))
        (void)fail(p, ISG_EINVAL, "S-109", "WITHIN takes a number greater than zero");
    advance(p);
    return expect(p, STIX_TOKEN_SECONDS, "SECONDS is expected");
}

static bool parse_repeats(struct parser *p, struct stix_qualifier *qualifier)
{
    if (p->token.kind != STIX_TOKEN_LITERAL || p->token.literal.kind != STIX_LITERAL_INTEGER)
        (void)fail(p, ISG_EPARSE, "S-109", "REPEATS takes an integer");
    else if (p->token.literal.integer <= 0)
        (void)fail(p, ISG_EINVAL, "S-109", "REPEATS takes an integer greater than zero");
    else
        qualifier->times = p->token.literal.integer;
    advance(p);
    return expect(p, STIX_TOKEN_TIMES, "TIMES is expected");
}

static bool parse_qualifier(struct parser *p, struct stix_qualifier *qualifier)
{
    if (accept(p, STIX_TOKEN_WITHIN)) {
        qualifier->kind = STIX_WITHIN;
        return parse_within(p, qualifier);
    }
    if (accept(p, STIX_TOKEN_REPEATS)) {
        qualifier->kind = STIX_REPEATS;
        return parse_repeats(p, qualifier);
    }
    qualifier->kind = STIX_START_STOP;
    advance(p);
    return take_timestamp(p, &qualifier->start) && expect(p, STIX_TOKEN_STOP, "STOP is expected") &&
           take_timestamp(p, &qualifier->stop);
}

static bool at_qualifier(const struct parser *p)
{
    return p->token.kind == STIX_TOKEN_START || p->token.kind == STIX_TOKEN_WITHIN ||
           p->token.kind == STIX_TOKEN_REPEATS;
}

/* All qualifiers of one unit; each kind at most once (S-109), so the list is short. */
static struct stix_qualifier *parse_qualifiers(struct parser *p)
{
    struct stix_qualifier *first = NULL;
    struct stix_qualifier **link = &first;
    unsigned seen = 0;
    while (p->err == ISG_OK && at_qualifier(p)) {
        struct stix_qualifier *qualifier = isg_arena_alloc(p->lexer.arena, sizeof *qualifier);
        if (qualifier == NULL)
            return no_memory(p);
        qualifier->offset = p->token.offset;
        if (!parse_qualifier(p, qualifier))
            return NULL;
        if ((seen & 1U << qualifier->kind) != 0)
            return fail(p, ISG_EINVAL, "S-109", "a qualifier stands twice on one expression");
        seen |= 1U << qualifier->kind;
        *link = qualifier;
        link = &qualifier->next;
    }
    return first;
}

/* --- observations --- */

static struct stix_pattern_node *parse_unit(struct parser *p);

static const struct level observation_levels[] = {
    {STIX_TOKEN_FOLLOWEDBY, STIX_NODE_FOLLOWEDBY, NULL},
    {STIX_TOKEN_OR, STIX_NODE_OBS_OR, NULL},
    {STIX_TOKEN_AND, STIX_NODE_OBS_AND, NULL},
    {STIX_TOKEN_END, STIX_NODE_OBSERVATION, parse_unit},
};

/* The child of a unit, between its brackets. */
static struct stix_pattern_node *parse_inside(struct parser *p, const struct level *levels,
                                              enum stix_token_kind close)
{
    struct stix_pattern_node *inner = enter(p) ? parse_ladder(p, levels) : NULL;
    p->depth--;
    return expect(p, close, "a bracket is not closed") ? inner : NULL;
}

static struct stix_pattern_node *parse_unit(struct parser *p)
{
    size_t offset = p->token.offset;
    bool group = accept(p, STIX_TOKEN_OPEN);
    if (!group && !expect(p, STIX_TOKEN_OPEN_LIST, "[ or ( is expected"))
        return NULL;
    struct stix_pattern_node *inner =
        group ? parse_inside(p, observation_levels, STIX_TOKEN_CLOSE)
              : parse_inside(p, comparison_levels, STIX_TOKEN_CLOSE_LIST);
    if (inner == NULL)
        return NULL;
    struct stix_qualifier *qualifiers = parse_qualifiers(p);
    if (p->err != ISG_OK || (group && qualifiers == NULL))
        return p->err == ISG_OK ? inner : NULL;
    struct stix_pattern_node *node =
        node_new(p, group ? STIX_NODE_GROUP : STIX_NODE_OBSERVATION, offset);
    if (node == NULL)
        return NULL;
    adopt(node, inner);
    node->qualifiers = qualifiers;
    return node;
}

int stix_pattern_parse(struct isg_str text, enum stix_pattern_version version,
                       struct isg_arena *arena, struct stix_pattern **out_pattern,
                       struct isg_fail *why)
{
    struct parser p = {.lexer = {.text = text, .version = version, .arena = arena}, .why = why};
    if (!isg_utf8_is_valid(text))
        return stix_pattern_fail(why, ISG_EPARSE, "S-001", text, 0, "the pattern is not UTF-8");
    advance(&p);
    struct stix_pattern_node *root = parse_ladder(&p, observation_levels);
    if (p.err == ISG_OK && p.token.kind != STIX_TOKEN_END)
        (void)fail(&p, ISG_EPARSE, "S-108", "nothing may follow the pattern");
    if (p.err != ISG_OK)
        return p.err;
    struct stix_pattern *pattern = isg_arena_alloc(arena, sizeof *pattern);
    if (pattern == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    *pattern = (struct stix_pattern){text, version, root};
    *out_pattern = pattern;
    return ISG_OK;
}
