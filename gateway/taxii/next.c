#include "gateway/taxii/next.h"

#include <string.h>

enum {
    POSITION_BYTES = 8,
    CONTEXT_MAX = 512,
    TOKEN_MAX = 256 /* characters; a token of ours is far shorter */
};

/* Fields have their length before them, so that none runs into the next. */
static void put_context(struct isg_buf *out, const struct next_binding *binding)
{
    isg_buf_printf(out, "taxii next 1:%zu:", binding->collection_id.n);
    isg_buf_put_str(out, binding->collection_id);
    isg_buf_printf(out, ":%zu:", binding->member.n);
    isg_buf_put_str(out, binding->member);
    isg_buf_put(out, binding->query->filters, sizeof binding->query->filters);
}

int next_seal(const struct trust_secret *secret, const struct next_binding *binding,
              uint64_t position, struct isg_buf *out, struct isg_fail *why)
{
    struct isg_buf context;
    isg_buf_init(&context, CONTEXT_MAX);
    put_context(&context, binding);
    char plain[POSITION_BYTES];
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (char)(position >> (8 * i) & 0xff);
    int err = context.err;
    if (err == ISG_OK)
        err = trust_seal(secret, isg_buf_str(&context), (struct isg_str){plain, sizeof plain}, out,
                         why);
    else
        (void)isg_fail(why, err, "no page token could be made");
    isg_buf_done(&context);
    return err;
}

static uint64_t position_of(const char plain[POSITION_BYTES])
{
    uint64_t position = 0;
    for (size_t i = POSITION_BYTES; i > 0; i--)
        position = position << 8 | (uint8_t)plain[i - 1];
    return position;
}

int next_open(const struct trust_secret *secret, const struct next_binding *binding,
              struct isg_str token, uint64_t *out_position, struct isg_fail *why)
{
    struct isg_buf context;
    struct isg_buf plain;
    isg_buf_init(&context, CONTEXT_MAX);
    isg_buf_init(&plain, TOKEN_MAX);
    put_context(&context, binding);
    int err = context.err;
    if (err == ISG_OK && token.n > TOKEN_MAX)
        err = ISG_EINVAL;
    if (err == ISG_OK)
        err = trust_unseal(secret, isg_buf_str(&context), token, &plain, NULL);
    if (err == ISG_OK && plain.len != POSITION_BYTES)
        err = ISG_EINVAL;
    if (err == ISG_OK)
        *out_position = position_of(plain.p);
    else if (err == ISG_EINVAL || err == ISG_EPARSE)
        err = isg_fail_at(why, ISG_EINVAL, "next", "T-043", "the token is not of this query");
    else
        (void)isg_fail(why, err, "the page token could not be read");
    isg_buf_done(&plain);
    isg_buf_done(&context);
    return err;
}
