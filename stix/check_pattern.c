/*
 * An indicator's pattern (S-036): parsed when pattern_type says it is a STIX pattern, then held
 * against what only the object knows: names of types, the time of validity, lengths of hashes.
 */
#include <string.h>

#include "stix/base/time.h"
#include "stix/check_private.h"
#include "stix/pattern_tree.h"

struct indicator {
    struct stix_checking *c;
    const struct stix_json *value;
    const struct stix_place *at; /* of pattern */
};

/* --- types (S-111) --- */

static void check_type(const struct indicator *in, const struct stix_path *path)
{
    for (size_t i = 0; i < path->type.n; i++)
        if (path->type.p[i] >= 'A' && path->type.p[i] <= 'Z') {
            stix_found(in->c, STIX_ERROR, "S-111", in->at,
                       "an object type in the pattern is not lower case");
            return;
        }
    if (path->type.n < 3)
        stix_found(in->c, STIX_ERROR, "S-111", in->at,
                   "an object type in the pattern has fewer than 3 characters");
}

/* --- hashes (S-116) --- */

/* ...hashes.'NAME' = 'value': the length must be that of the algorithm. */
static void check_hash(const struct indicator *in, const struct stix_test *test)
{
    const struct stix_step *before = NULL;
    for (const struct stix_step *s = test->path.first; s->next != NULL; s = s->next)
        before = s;
    if (before == NULL || before->kind != STIX_STEP_KEY || test->path.last->kind != STIX_STEP_KEY ||
        test->op != STIX_OP_EQ || test->operands->kind != STIX_LITERAL_STRING ||
        (!isg_str_is(before->key, "hashes") && !isg_str_ends(before->key, ISG_STR("_hashes"))))
        return;
    if (!stix_hash_fits(test->path.last->key, test->operands->text))
        stix_found(in->c, STIX_WARNING, "S-116", in->at,
                   "a hash in the pattern is not of the form of its algorithm");
}

/* --- START and STOP (S-115) --- */

static void check_window(const struct indicator *in, const struct stix_qualifier *window)
{
    struct isg_str from = stix_json_get_str(in->value, "valid_from");
    struct isg_str until = stix_json_get_str(in->value, "valid_until");
    int64_t us;
    if (isg_time_cmp(window->start, window->stop) >= 0)
        stix_found(in->c, STIX_WARNING, "S-115", in->at, "START is not earlier than STOP");
    if (isg_time_parse(from, &us) && isg_time_cmp(window->start, from) < 0)
        stix_found(in->c, STIX_WARNING, "S-115", in->at, "START is earlier than valid_from");
    if (isg_time_parse(until, &us) && isg_time_cmp(window->stop, until) > 0)
        stix_found(in->c, STIX_WARNING, "S-115", in->at, "STOP is later than valid_until");
}

static void check_node(const struct indicator *in, const struct stix_pattern_node *node)
{
    for (const struct stix_qualifier *q = node->qualifiers; q != NULL; q = q->next)
        if (q->kind == STIX_START_STOP)
            check_window(in, q);
    if (node->kind == STIX_NODE_TEST) {
        check_type(in, &node->test->path);
        check_hash(in, node->test);
    }
    for (const struct stix_pattern_node *child = node->first; child != NULL; child = child->next)
        check_node(in, child);
}

/* In the version that pattern_version names; 2.1, like the object, when it names none. */
static enum stix_pattern_version version_of(const struct indicator *in)
{
    bool old = in->c->is_20 || isg_str_is(stix_json_get_str(in->value, "pattern_version"), "2.0");
    return old ? STIX_PATTERN_2_0 : STIX_PATTERN_2_1;
}

static int check_text(const struct indicator *in, struct isg_str text, struct isg_arena *arena,
                      struct isg_fail *why)
{
    struct stix_pattern *tree = NULL;
    int err = stix_pattern_parse(text, version_of(in), arena, &tree, why);
    if (err == ISG_OK)
        err = stix_pattern_conform(tree, arena, why);
    if (err == ISG_OK)
        check_node(in, tree->root);
    return err;
}

void stix_rule_indicator(struct stix_checking *c, const struct stix_json *value,
                         const struct stix_place *at)
{
    struct stix_place here = {at, "pattern", 0};
    struct indicator in = {c, value, &here};
    struct isg_str text = stix_json_get_str(value, "pattern");
    bool stix = c->is_20 || isg_str_is(stix_json_get_str(value, "pattern_type"), "stix");
    if (text.p == NULL || !stix)
        return;
    struct isg_fail why = {0};
    struct isg_arena *arena = stix_pattern_arena(text.n);
    int err = arena != NULL ? check_text(&in, text, arena, &why) : ISG_ENOMEM;
    if (err == ISG_ENOMEM)
        c->err = err;
    else if (err != ISG_OK)
        stix_found(c, STIX_ERROR, "S-036", &here, "%s", why.text);
    isg_arena_free(&arena);
}
