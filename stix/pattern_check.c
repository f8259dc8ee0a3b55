/*
 * What a pattern's grammar does not say: sets, addresses, expressions, and whether the tests of one
 * observation can meet in one object (S-110 to S-114).
 */
#include <stdlib.h>
#include <string.h>

#include "stix/pattern_tree.h"
#include "stix/types_table.h"

/*
 * A caseless range that reaches beyond ASCII costs the compiler of expressions milliseconds, as it
 * walks through all characters of the range: so many are allowed in all operands together.
 */
enum { WIDE_RANGES_MAX = 64 };

struct conform {
    const struct stix_pattern *pattern;
    struct isg_arena *arena;
    struct isg_fail *why;
    int err;
    size_t wide_ranges;
    bool loose; /* only what evaluating needs */
};

/* Object types a comparison can be true of: sorted, each once. */
struct types {
    struct isg_str *names;
    size_t n;
};

static bool refuse(struct conform *c, const struct stix_pattern_node *node, const char *rule,
                   const char *message)
{
    c->err = stix_pattern_fail(c->why, ISG_EINVAL, rule, c->pattern->text, node->offset, message);
    return false;
}

static struct isg_str *names_new(struct conform *c, size_t n)
{
    if (n > SIZE_MAX / sizeof(struct isg_str))
        return NULL;
    struct isg_str *names = isg_arena_alloc(c->arena, n * sizeof *names);
    if (names == NULL)
        c->err = isg_fail(c->why, ISG_ENOMEM, "no memory");
    return names;
}

/* --- one test --- */

static bool is_number(const struct stix_literal *literal)
{
    return literal->kind == STIX_LITERAL_INTEGER || literal->kind == STIX_LITERAL_FLOAT;
}

static bool is_homogeneous(const struct stix_literal *set, bool loose)
{
    for (const struct stix_literal *l = set; l != NULL; l = l->next)
        if (l->kind != set->kind && !(loose && is_number(l) && is_number(set)))
            return false;
    return true;
}

static bool is_address(struct isg_str text)
{
    return stix_form_ipv4.fits(text) || stix_form_ipv6.fits(text);
}

static bool key_ends(const struct stix_step *step, const char *suffix)
{
    return step != NULL && step->kind == STIX_STEP_KEY &&
           isg_str_ends(step->key, isg_str_of(suffix));
}

/* `value` of an address type, or behind a reference: x_ref.value, x_refs[n].value (S-113). */
bool stix_path_ends_at_address(const struct stix_path *path)
{
    const struct stix_step *before = NULL;
    const struct stix_step *before_that = NULL;
    for (const struct stix_step *s = path->first; s->next != NULL; s = s->next) {
        before_that = before;
        before = s;
    }
    if (path->last->kind != STIX_STEP_KEY || !isg_str_is(path->last->key, "value"))
        return false;
    if (before == NULL)
        return isg_str_is(path->type, "ipv4-addr") || isg_str_is(path->type, "ipv6-addr");
    if (before->kind == STIX_STEP_KEY)
        return key_ends(before, "_ref");
    return key_ends(before_that, "_refs");
}

bool stix_path_is_of_bytes(const struct stix_path *path)
{
    return key_ends(path->last, "_bin") || key_ends(path->last, "_hex");
}

/* Hyphens behind which an escape or a character beyond ASCII follows, with blanks between. */
static size_t count_wide_ranges(struct isg_str text)
{
    size_t n = 0;
    bool hyphen = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (hyphen && (c == '\\' || (unsigned char)c >= 0x80))
            n++;
        hyphen = c == '-' || (hyphen && (c == ' ' || c == '\t'));
    }
    return n;
}

static bool check_regex(struct conform *c, const struct stix_pattern_node *node)
{
    struct isg_str text = node->test->operands->text;
    c->wide_ranges += count_wide_ranges(text);
    if (c->wide_ranges > WIDE_RANGES_MAX)
        return refuse(c, node, "S-114", "the operands of MATCHES have too many wide ranges");
    int err = stix_regex_check(text, stix_path_is_of_bytes(&node->test->path));
    if (err == ISG_EINVAL)
        return refuse(c, node, "S-114", "the operand of MATCHES does not compile within bounds");
    if (err != ISG_OK)
        c->err = isg_fail(c->why, err, "no memory for the operand of MATCHES");
    return err == ISG_OK;
}

static bool check_test(struct conform *c, const struct stix_pattern_node *node)
{
    const struct stix_test *test = node->test;
    bool network = test->op == STIX_OP_ISSUBSET || test->op == STIX_OP_ISSUPERSET;
    if (test->op == STIX_OP_IN && test->operands == NULL && !c->loose)
        return refuse(c, node, "S-110", "a set is not empty");
    if (test->op == STIX_OP_IN && !is_homogeneous(test->operands, c->loose))
        return refuse(c, node, "S-110", "the literals of a set are of one type");
    if (network && !is_address(test->operands->text))
        return refuse(c, node, "S-113", "the operand is not an IP address or CIDR block");
    if (network && !c->loose && !stix_path_ends_at_address(&test->path))
        return refuse(c, node, "S-113", "the path does not end at an address value");
    return test->op != STIX_OP_MATCHES || check_regex(c, node);
}

/* --- types that meet (S-112) --- */

static int by_name(const void *a, const void *b)
{
    return isg_str_cmp(*(const struct isg_str *)a, *(const struct isg_str *)b);
}

static void sort_unique(struct types *types)
{
    size_t n = 0;
    qsort(types->names, types->n, sizeof *types->names, by_name);
    for (size_t i = 0; i < types->n; i++)
        if (n == 0 || !isg_str_eq(types->names[n - 1], types->names[i]))
            types->names[n++] = types->names[i];
    types->n = n;
}

/* Keep what is in other, too. */
static void intersect(struct types *types, const struct types *other)
{
    size_t n = 0;
    size_t j = 0;
    for (size_t i = 0; i < types->n; i++) {
        while (j < other->n && isg_str_cmp(other->names[j], types->names[i]) < 0)
            j++;
        if (j < other->n && isg_str_eq(other->names[j], types->names[i]))
            types->names[n++] = types->names[i];
    }
    types->n = n;
}

static bool types_of(struct conform *c, const struct stix_pattern_node *node, struct types *out);

static bool types_of_all(struct conform *c, const struct stix_pattern_node *node, struct types *out)
{
    bool first = true;
    for (const struct stix_pattern_node *child = node->first; child != NULL; child = child->next) {
        struct types types;
        if (!types_of(c, child, &types))
            return false;
        if (first)
            *out = types;
        else
            intersect(out, &types);
        first = false;
        if (out->n == 0)
            return refuse(c, child, "S-112",
                          "tests joined by AND name types that no one object has");
    }
    return true;
}

/* Children first, then one list of all their types: each name is copied once a level. */
static bool types_of_any(struct conform *c, const struct stix_pattern_node *node, struct types *out)
{
    size_t children = 0;
    size_t total = 0;
    for (const struct stix_pattern_node *child = node->first; child != NULL; child = child->next)
        children++;
    struct types *each = isg_arena_alloc(c->arena, children * sizeof *each);
    if (each == NULL) {
        c->err = isg_fail(c->why, ISG_ENOMEM, "no memory");
        return false;
    }
    size_t i = 0;
    for (const struct stix_pattern_node *child = node->first; child != NULL; child = child->next) {
        if (!types_of(c, child, &each[i]))
            return false;
        total += each[i++].n;
    }
    *out = (struct types){names_new(c, total), 0};
    if (out->names == NULL)
        return false;
    for (i = 0; i < children; i++) {
        memcpy(out->names + out->n, each[i].names, each[i].n * sizeof *out->names);
        out->n += each[i].n;
    }
    sort_unique(out);
    return true;
}

static bool types_of(struct conform *c, const struct stix_pattern_node *node, struct types *out)
{
    if (node->kind == STIX_NODE_AND)
        return types_of_all(c, node, out);
    if (node->kind == STIX_NODE_OR)
        return types_of_any(c, node, out);
    /* A view of the path itself would do, but intersect() writes into what it is given. */
    *out = (struct types){names_new(c, 1), 1};
    if (out->names == NULL)
        return false;
    out->names[0] = node->test->path.type;
    return check_test(c, node);
}

static bool conform_node(struct conform *c, const struct stix_pattern_node *node)
{
    struct types types;
    if (node->kind == STIX_NODE_OBSERVATION)
        return types_of(c, node->first, &types);
    for (const struct stix_pattern_node *child = node->first; child != NULL; child = child->next)
        if (!conform_node(c, child))
            return false;
    return true;
}

int stix_pattern_conform(const struct stix_pattern *pattern, struct isg_arena *arena,
                         struct isg_fail *why)
{
    struct conform c = {.pattern = pattern, .arena = arena, .why = why};
    (void)conform_node(&c, pattern->root);
    return c.err;
}

static bool evaluable_node(struct conform *c, const struct stix_pattern_node *node)
{
    if (node->kind == STIX_NODE_TEST)
        return check_test(c, node);
    for (const struct stix_pattern_node *child = node->first; child != NULL; child = child->next)
        if (!evaluable_node(c, child))
            return false;
    return true;
}

int stix_pattern_evaluable(const struct stix_pattern *pattern, struct isg_arena *arena,
                           struct isg_fail *why)
{
    struct conform c = {.pattern = pattern, .arena = arena, .why = why, .loose = true};
    (void)evaluable_node(&c, pattern->root);
    return c.err;
}

struct isg_arena *stix_pattern_arena(size_t n)
{
    enum { NODE_SHARE = 256, FLOOR = 1024 * 1024 }; /* bytes of tree a byte of text can cost */
    return n < (SIZE_MAX - FLOOR) / NODE_SHARE ? isg_arena_new(n * NODE_SHARE + FLOOR) : NULL;
}

int stix_pattern_check(struct isg_str pattern, enum stix_pattern_version version,
                       struct isg_fail *why)
{
    struct isg_arena *arena = stix_pattern_arena(pattern.n);
    struct stix_pattern *tree = NULL;
    if (arena == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    int err = stix_pattern_parse(pattern, version, arena, &tree, why);
    if (err == ISG_OK)
        err = stix_pattern_conform(tree, arena, why);
    isg_arena_free(&arena);
    return err;
}
