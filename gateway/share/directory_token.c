/* Making tokens and taking them away. */
#include <string.h>

#include "gateway/share/credentials.h"
#include "gateway/share/directory_private.h"
#include "stix/base/base64.h"
#include "stix/base/time.h"

enum { TOKENS_MAX = 100, TOKEN_LABEL_MAX = 128, TOKEN_LIFE_MAX_S = 10 * 366 * 86400 };

/* What is asked for; text lives as long as the body. */
struct token_wish {
    struct isg_str label;
    int64_t expires_s; /* 0: never */
};

static int set_label(struct document_read *read, const struct stix_json *value)
{
    struct token_wish *wish = read->object;
    wish->label = stix_json_str(value);
    bool good = stix_json_type(value) == STIX_JSON_STRING && wish->label.n <= TOKEN_LABEL_MAX &&
                document_is_clean(wish->label);
    return good ? ISG_OK : document_refuse(read, "a label has at most 128 plain bytes");
}

static int set_expires(struct document_read *read, const struct stix_json *value)
{
    struct token_wish *wish = read->object;
    bool good = stix_json_int(value, &wish->expires_s) && wish->expires_s >= 1 &&
                wish->expires_s <= TOKEN_LIFE_MAX_S;
    return good ? ISG_OK : document_refuse(read, "1 second to 10 years, in seconds");
}

/* A wish that is not known is refused: a token that was to expire must not live for ever. */
static int read_wish(const struct stix_json *body, struct token_wish *out, struct isg_fail *why)
{
    static const struct document_field fields[] = {{"label", DOCUMENT_BODY, set_label},
                                                   {"expires_s", DOCUMENT_BODY, set_expires}};
    struct document_read read = {.why = why, .object = out};
    *out = (struct token_wish){.expires_s = 0};
    return document_apply(fields, sizeof fields / sizeof fields[0], body, DOCUMENT_BODY, &read);
}

/* "isg_" and 32 random bytes: easy to find by those who search for leaked secrets. */
static void make_token(struct isg_buf *out)
{
    uint8_t bytes[32];
    trust_random(bytes, sizeof bytes);
    isg_buf_puts(out, "isg_");
    isg_base64_encode(ISG_BASE64_URL, bytes, sizeof bytes, out);
    trust_wipe(bytes, sizeof bytes);
}

/* The tokens that may stay: those that expired make room. */
static size_t living(const struct member *member, int64_t now_us, struct member_token *out)
{
    size_t n = 0;
    for (size_t i = 0; i < member->tokens_count && n < TOKENS_MAX; i++)
        if (member->tokens[i].expires_us == 0 || member->tokens[i].expires_us > now_us)
            out[n++] = member->tokens[i];
    return n;
}

struct token_change {
    struct isg_str name; /* of the member */
    const struct member_token *made;
    struct isg_str which; /* to be taken away: id or label */
    size_t revoked;
};

static int add_token(struct directory *directory, void *arg, struct isg_fail *why)
{
    const struct token_change *change = arg;
    const struct member_token *made = change->made;
    struct member_token tokens[TOKENS_MAX + 1] = {{.label = NULL}};
    const struct member *old = registry_member(directory->current, change->name);
    if (old == NULL)
        return isg_fail(why, ISG_ENOENT, "no such member");
    struct member member = *old;
    member.tokens = tokens;
    member.tokens_count = living(old, made->created_us, tokens);
    if (member.tokens_count >= TOKENS_MAX)
        return isg_fail(why, ISG_ELIMIT, "a member has at most %d tokens", TOKENS_MAX);
    tokens[member.tokens_count++] = *made;
    return directory_keep_member(directory, &member, why);
}

static void write_made(struct isg_str token, const struct member_token *made, struct isg_buf *out)
{
    char id[CREDENTIALS_TOKEN_ID];
    char expires[ISG_TIME_TEXT];
    struct isg_jsonw w;
    credentials_token_id(made, id);
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    isg_jsonw_put_str(&w, "token", token);
    isg_jsonw_put(&w, "id", id);
    isg_jsonw_put(&w, "label", made->label);
    if (made->expires_us != 0) {
        isg_time_format(made->expires_us, 3, expires);
        isg_jsonw_put(&w, "expires", expires);
    }
    isg_jsonw_end(&w);
}

static int give_token(struct directory *directory, struct isg_str name,
                      const struct token_wish *wish, struct isg_buf *out, struct isg_fail *why)
{
    char label[TOKEN_LABEL_MAX + 1] = "";
    struct member_token made = {.label = label, .created_us = isg_time_now_us()};
    struct isg_buf token;
    isg_buf_init(&token, 128);
    make_token(&token);
    if (token.err != ISG_OK)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    if (wish->label.n > 0)
        memcpy(label, wish->label.p, wish->label.n);
    if (wish->expires_s > 0)
        made.expires_us = made.created_us + wish->expires_s * 1000000;
    trust_mac(directory->secret, "token", isg_buf_str(&token), made.mac);
    struct token_change change = {.name = name, .made = &made};
    int err = directory_change(directory, add_token, &change, why);
    if (err == ISG_OK && out != NULL)
        write_made(isg_buf_str(&token), &made, out);
    trust_wipe(token.p, token.len);
    isg_buf_done(&token);
    return err;
}

int directory_member_token(struct directory *directory, struct isg_str name, struct isg_str json,
                           struct isg_buf *out, struct isg_fail *why)
{
    struct stix_json *body = NULL;
    struct token_wish wish;
    int err = stix_json_parse(json, NULL, &body, why);
    if (err == ISG_OK)
        err = read_wish(body, &wish, why);
    if (err == ISG_OK)
        err = give_token(directory, name, &wish, out, why);
    stix_json_free(&body);
    return err;
}

static bool is_meant(const struct member_token *token, struct isg_str which)
{
    char id[CREDENTIALS_TOKEN_ID];
    credentials_token_id(token, id);
    return isg_str_is(which, id) || isg_str_is(which, token->label);
}

static int revoke(struct directory *directory, void *arg, struct isg_fail *why)
{
    struct token_change *change = arg;
    struct member_token tokens[TOKENS_MAX] = {{.label = NULL}};
    const struct member *old = registry_member(directory->current, change->name);
    if (old == NULL)
        return isg_fail(why, ISG_ENOENT, "no such member");
    struct member member = *old;
    member.tokens = tokens;
    member.tokens_count = 0;
    for (size_t i = 0; i < old->tokens_count && i < TOKENS_MAX; i++)
        if (!is_meant(&old->tokens[i], change->which))
            tokens[member.tokens_count++] = old->tokens[i];
    change->revoked = old->tokens_count - member.tokens_count;
    if (change->revoked == 0)
        return isg_fail(why, ISG_ENOENT, "the member has no token with this id or label");
    return directory_keep_member(directory, &member, why);
}

int directory_revoke_token(struct directory *directory, struct isg_str name, struct isg_str which,
                           struct isg_buf *out, struct isg_fail *why)
{
    struct token_change change = {.name = name, .which = which};
    int err = directory_change(directory, revoke, &change, why);
    if (err == ISG_OK && out != NULL)
        isg_buf_printf(out, "{\"revoked\":%zu}", change.revoked);
    return err;
}
