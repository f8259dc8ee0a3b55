/*
 * A 2.0 pattern in 2.1 syntax (S-136). It is parsed once, as what it is; the tree's views of the text
 * are the places that change, and what is between them stays as it was written.
 */
#include <string.h>

#include "stix/lift_private.h"
#include "stix/pattern_tree.h"

struct rewrite {
    struct isg_str text;
    struct isg_buf *out;
    struct isg_fail *why;
    size_t copied; /* bytes of text that are written */
};

static void copy_until(struct rewrite *r, size_t offset)
{
    isg_buf_put(r->out, r->text.p + r->copied, offset - r->copied);
    r->copied = offset;
}

/* --- names of properties (S-141) --- */

/* The longest type and property that 2.1 renamed are shorter. */
enum { NAME_MAX_BYTES = 64 };

static bool name_copy(struct isg_str from, char out[NAME_MAX_BYTES])
{
    if (from.n >= NAME_MAX_BYTES)
        return false;
    memcpy(out, from.p, from.n);
    out[from.n] = '\0';
    return true;
}

static const struct stix_renamed *find_renamed(const struct stix_path *path)
{
    char type[NAME_MAX_BYTES], name[NAME_MAX_BYTES];
    bool fits = name_copy(path->type, type) && name_copy(path->first->key, name);
    return fits ? stix_renamed_find(type, name) : NULL;
}

/*
 * EXISTS is a name in 2.0 and a keyword in 2.1, where only quotes make a property of it; in all else
 * the two read what is written here alike, so that the result needs no parse of its own.
 */
static int check_words(const struct rewrite *r, const struct stix_path *path)
{
    const struct isg_str exists = ISG_STR("EXISTS");
    bool keyword = isg_str_eq(path->type, exists);
    for (const struct stix_step *s = path->first; s != NULL; s = s->next)
        keyword = keyword ||
                  (s->kind == STIX_STEP_KEY && isg_str_eq(s->key, exists) && s->key.p[-1] != '\'');
    if (!keyword)
        return ISG_OK;
    return stix_pattern_fail(r->why, ISG_EPARSE, "S-106", r->text,
                             (size_t)(path->type.p - r->text.p),
                             "a name in the path is a keyword in STIX 2.1");
}

/* The first property behind `type:`, by its name of 2.1. A quoted one is not rewritten. */
static int rename_property(struct rewrite *r, const struct stix_path *path)
{
    const struct stix_renamed *row = find_renamed(path);
    if (row == NULL)
        return ISG_OK;
    size_t offset = (size_t)(path->first->key.p - r->text.p);
    bool process_name = strcmp(row->type, "process") == 0 && strcmp(row->old, "name") == 0;
    const char *now = process_name ? "image_ref.name" : row->now;
    if (now == NULL || r->text.p[offset - 1] == '\'')
        return stix_pattern_fail(r->why, ISG_EINVAL, "S-141", r->text, offset,
                                 "STIX 2.1 has no such property");
    copy_until(r, offset);
    isg_buf_puts(r->out, now);
    r->copied = offset + path->first->key.n;
    return ISG_OK;
}

/* --- the tree, in the order of the text --- */

static int rewrite_path(struct rewrite *r, const struct stix_path *path)
{
    int err = check_words(r, path);
    return err == ISG_OK ? rename_property(r, path) : err;
}

/* A string that reads as a timestamp holds no escape: it is the text's own, behind a quote. */
static void mark_timestamp(struct rewrite *r, struct isg_str inside)
{
    copy_until(r, (size_t)(inside.p - r->text.p) - 1);
    isg_buf_putc(r->out, 't');
}

static int rewrite_node(struct rewrite *r, const struct stix_pattern_node *node)
{
    int err = node->kind == STIX_NODE_TEST ? rewrite_path(r, &node->test->path) : ISG_OK;
    for (const struct stix_pattern_node *child = node->first; child != NULL && err == ISG_OK;
         child = child->next)
        err = rewrite_node(r, child);
    for (const struct stix_qualifier *q = node->qualifiers; q != NULL && err == ISG_OK; q = q->next)
        if (q->kind == STIX_START_STOP) {
            mark_timestamp(r, q->start);
            mark_timestamp(r, q->stop);
        }
    return err;
}

static int rewrite_all(struct rewrite *r, struct isg_arena *arena)
{
    struct stix_pattern *tree = NULL;
    int err = stix_pattern_parse(r->text, STIX_PATTERN_2_0, arena, &tree, r->why);
    if (err == ISG_OK)
        err = stix_pattern_conform(tree, arena, r->why);
    if (err == ISG_OK)
        err = rewrite_node(r, tree->root);
    copy_until(r, r->text.n);
    if (err == ISG_OK && r->out->err != ISG_OK)
        err = isg_fail(r->why, r->out->err, "no memory");
    return err;
}

int stix_lift_pattern(struct isg_str pattern, struct isg_buf *out, struct isg_fail *why)
{
    struct isg_buf text;
    struct isg_arena *arena = stix_pattern_arena(pattern.n);
    if (arena == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    struct rewrite rewrite = {.text = pattern, .out = &text, .why = why};
    int err = rewrite_all(&rewrite, arena);
    if (err == ISG_OK)
        isg_buf_put_str(out, isg_buf_str(&text));
    isg_buf_done(&text);
    isg_arena_free(&arena);
    return err;
}
