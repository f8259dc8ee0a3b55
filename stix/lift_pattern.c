/*
 * A 2.0 pattern in 2.1 syntax, token by token (S-136): what is between the changed tokens stays as
 * it was written.
 */
#include <string.h>

#include "stix/lift_private.h"
#include "stix/pattern_tree.h"

struct rewrite {
    struct isg_str text;
    struct stix_lexer lexer;
    struct isg_buf *out;
    struct isg_fail *why;
    size_t copied; /* bytes of text that are written */
    enum stix_token_kind before;
    char type[64]; /* the object type of the path being read */
};

static void copy_until(struct rewrite *r, size_t offset)
{
    isg_buf_put(r->out, r->text.p + r->copied, offset - r->copied);
    r->copied = offset;
}

static void keep_type(struct rewrite *r, struct isg_str type)
{
    r->type[0] = '\0';
    if (type.n < sizeof r->type) {
        memcpy(r->type, type.p, type.n);
        r->type[type.n] = '\0';
    }
}

static int has_gone(const struct rewrite *r, const struct stix_token *token)
{
    return stix_pattern_fail(r->why, ISG_EINVAL, "S-141", r->text, token->offset,
                             "STIX 2.1 has no such property");
}

/* The name a property has in 2.1, NULL when it has none; *out_same when it is the same. */
static const char *name_now(const struct rewrite *r, struct isg_str old, bool *out_same)
{
    char name[64];
    const struct stix_renamed *row = NULL;
    if (old.n < sizeof name) {
        memcpy(name, old.p, old.n);
        name[old.n] = '\0';
        row = stix_renamed_find(r->type, name);
    }
    *out_same = row == NULL;
    if (row == NULL)
        return NULL;
    bool process_name = strcmp(row->type, "process") == 0 && strcmp(row->old, "name") == 0;
    return process_name ? "image_ref.name" : row->now;
}

/* The first property behind `type:`, by its name of 2.1 (S-141). A quoted one is not rewritten. */
static int rename_property(struct rewrite *r, const struct stix_token *token)
{
    bool quoted = token->kind == STIX_TOKEN_LITERAL;
    bool same;
    const char *now = name_now(r, quoted ? token->literal.text : token->text, &same);
    if (same)
        return ISG_OK;
    if (now == NULL || quoted)
        return has_gone(r, token);
    copy_until(r, token->offset);
    isg_buf_puts(r->out, now);
    r->copied = token->offset + token->text.n;
    return ISG_OK;
}

static int rewrite_token(struct rewrite *r, const struct stix_token *token)
{
    bool time = r->before == STIX_TOKEN_START || r->before == STIX_TOKEN_STOP;
    if (token->kind == STIX_TOKEN_WRONG)
        return stix_pattern_fail(r->why, token->code, token->rule, r->text, token->offset,
                                 token->message);
    if (r->before == STIX_TOKEN_COLON &&
        (token->kind == STIX_TOKEN_NAME || token->kind == STIX_TOKEN_LITERAL))
        return rename_property(r, token);
    if (token->kind == STIX_TOKEN_NAME || token->kind == STIX_TOKEN_HYPHENED)
        keep_type(r, token->text);
    if (time && token->kind == STIX_TOKEN_LITERAL && token->literal.kind == STIX_LITERAL_STRING) {
        copy_until(r, token->offset);
        isg_buf_putc(r->out, 't');
    }
    return ISG_OK;
}

static int rewrite_all(struct rewrite *r)
{
    int err = ISG_OK;
    while (err == ISG_OK && r->before != STIX_TOKEN_END) {
        struct stix_token token;
        if (!stix_lexer_next(&r->lexer, &token))
            return isg_fail(r->why, ISG_ENOMEM, "no memory");
        err = rewrite_token(r, &token);
        r->before = token.kind;
    }
    copy_until(r, r->text.n);
    return err;
}

int stix_lift_pattern(struct isg_str pattern, struct isg_buf *out, struct isg_fail *why)
{
    struct isg_buf text;
    struct isg_arena *arena = stix_pattern_arena(pattern.n);
    if (arena == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    struct rewrite rewrite = {
        .text = pattern,
        .lexer = {.text = pattern, .version = STIX_PATTERN_2_0, .arena = arena},
        .out = &text,
        .why = why,
        .before = STIX_TOKEN_WRONG};
    int err = stix_pattern_check(pattern, STIX_PATTERN_2_0, why);
    if (err == ISG_OK)
        err = rewrite_all(&rewrite);
    if (err == ISG_OK && text.err != ISG_OK)
        err = isg_fail(why, text.err, "no memory");
    if (err == ISG_OK)
        err = stix_pattern_check(isg_buf_str(&text), STIX_PATTERN_2_1, why);
    if (err == ISG_OK)
        isg_buf_put_str(out, isg_buf_str(&text));
    isg_buf_done(&text);
    isg_arena_free(&arena);
    return err;
}
