#include "gateway/taxii/next.h"

#include <string.h>

enum {
    POSITION_BYTES = 8,
    CONTEXT_MAX = 512,
    TOKEN_MAX = 256 /* characters; a token of ours is far shorter */
};

/* What the token is bound to. Fields have their length before them, so that none runs into the
 * next. */
static void put_context(struct isg_buf *out, struct isg_str collection_id, struct isg_str member,
                        const struct query *query)
{
    isg_buf_printf(out, "taxii next 1:%zu:", collection_id.n);
    isg_buf_put_str(out, collection_id);
    isg_buf_printf(out, ":%zu:", member.n);
    isg_buf_put_str(out, member);
    isg_buf_put(out, query->filters, sizeof query->filters);
}

int next_seal(const struct trust_secret *secret, struct isg_str collection_id,
              struct isg_str member, const struct query *query, uint64_t position,
              struct isg_buf *out, struct isg_fail *why)
{
    struct isg_buf context;
    isg_buf_init(&context, CONTEXT_MAX);
    put_context(&context, collection_id, member, query);
    char plain[POSITION_BYTES];
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (char)(position >> (8 * i) & 0xff);
    int err = context.err != ISG_OK ? isg_fail(why, context.err, "no page token could be made")
                                    : trust_seal(secret, isg_buf_str(&context),
                                                 (struct isg_str){plain, sizeof plain}, out, why);
    isg_buf_done(&context);
    return err;
}

int next_open(const struct trust_secret *secret, struct isg_str collection_id,
              struct isg_str member, const struct query *query, struct isg_str token,
              uint64_t *out_position, struct isg_fail *why)
{
    struct isg_buf context;
    struct isg_buf plain;
    isg_buf_init(&context, CONTEXT_MAX);
    isg_buf_init(&plain, TOKEN_MAX);
    put_context(&context, collection_id, member, query);
    int err = context.err;
    if (err == ISG_OK)
        err = token.n > TOKEN_MAX
                  ? ISG_EINVAL
                  : trust_unseal(secret, isg_buf_str(&context), token, &plain, NULL);
    if (err == ISG_OK && plain.len != POSITION_BYTES)
        err = ISG_EINVAL;
    if (err == ISG_OK) {
        uint64_t position = 0;
        for (size_t i = POSITION_BYTES; i > 0; i--)
            position = position << 8 | (uint8_t)plain.p[i - 1];
        *out_position = position;
    } else if (err == ISG_EINVAL || err == ISG_EPARSE) {
        err = isg_fail_at(why, ISG_EINVAL, "next", "T-043", "the token is not of this query");
    } else {
        (void)isg_fail(why, err, "the page token could not be read");
    }
    isg_buf_done(&plain);
    isg_buf_done(&context);
    return err;
}
