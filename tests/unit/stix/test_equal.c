/*
 * Renderings of one object, and descriptions of one thing (S-104, S-105). A case is a line of
 * fixtures/stix/equal-cases.ndjson: two objects, what is expected of them, and `others` that an end
 * of a relationship may name. Both answers are the same with the two exchanged.
 */
#include <stdlib.h>

#include "stix/equal.h"
#include "tests/support/tap.h"

static const struct stix_json *look_up(void *arg, struct isg_str id)
{
    const struct stix_json *others = arg;
    for (size_t i = 0; i < stix_json_size(others); i++)
        if (isg_str_eq(stix_json_get_str(stix_json_at(others, i), "id"), id))
            return stix_json_at(others, i);
    return NULL;
}

static void check_pair(const struct stix_json *row, const char *from, const char *to)
{
    const struct stix_json *a = stix_json_get(row, from);
    const struct stix_json *b = stix_json_get(row, to);
    const struct stix_json *others = stix_json_get(row, "others");
    const char *what = stix_json_get_str(row, "what").p;
    bool equal = false;
    bool alike = false;
    is_int(stix_equal(a, b, &equal, NULL), ISG_OK, "%s: %s and %s as renderings", what, from, to);
    ok(equal == stix_json_bool(stix_json_get(row, "equal")), "is the answer");
    /* Others are handed over as what they are: a tree nobody writes to. */
    union {
        const struct stix_json *tree;
        void *arg;
    } handed = {others};
    is_int(stix_equivalent(a, b, others != NULL ? look_up : NULL, handed.arg, &alike, NULL), ISG_OK,
           "%s: %s and %s as things", what, from, to);
    ok(alike == stix_json_bool(stix_json_get(row, "equivalent")), "is the answer");
}

static void check_row(struct isg_str line)
{
    struct stix_json *row = NULL;
    if (!ok(stix_json_parse(line, NULL, &row, NULL) == ISG_OK, "a case is JSON"))
        return;
    check_pair(row, "a", "b");
    check_pair(row, "b", "a");
    stix_json_free(&row);
}

/* Lists of strangers are not compared each with each without end. */
static void check_long_lists(void)
{
    struct isg_buf text;
    struct stix_json *tree = NULL;
    bool alike = true;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    isg_buf_puts(&text, "{\"a\":{\"type\":\"malware\",\"id\":\"1\",\"name\":\"a\",\"aliases\":[");
    for (int i = 0; i < STIX_SAME_LIST_MAX; i++)
        isg_buf_printf(&text, "\"a%d\",", i);
    isg_buf_puts(&text, "\"late\"]},\"b\":{\"type\":\"malware\",\"id\":\"2\",\"name\":\"late\"}}");
    if (ok(stix_json_parse(isg_buf_str(&text), NULL, &tree, NULL) == ISG_OK, "long lists"))
        is_int(stix_equivalent(stix_json_get(tree, "a"), stix_json_get(tree, "b"), NULL, NULL,
                               &alike, NULL),
               ISG_OK, "are compared");
    ok(!alike, "as far as the bound says");
    stix_json_free(&tree);
    isg_buf_done(&text);
}

int main(void)
{
    size_t n = 0;
    char *text = tap_slurp(ISG_FIXTURES "/stix/equal-cases.ndjson", &n);
    struct isg_str rest = {text, n};
    struct isg_str line;
    ok(text != NULL, "the cases are there");
    while (text != NULL && isg_str_split(&rest, '\n', &line))
        if (line.n > 0)
            check_row(line);
    free(text);
    check_long_lists();
    return tap_done();
}
