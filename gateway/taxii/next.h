/*
 * The token `next`: a position in the log, sealed and bound to the query it belongs to.
 *
 * It is stateless, never expires and survives restarts. What it is bound to: collection,
 * member, endpoint, match filters; not limit, not added_after. The view is looked up
 * when the token is used (T-043).
 */
#ifndef GATEWAY_TAXII_NEXT_H
#define GATEWAY_TAXII_NEXT_H

#include "gateway/taxii/query.h"
#include "gateway/trust/secret.h"
#include "stix/base/buf.h"

/* What a token is bound to; borrowed. */
struct next_binding {
    struct isg_str collection_id;
    struct isg_str member;
    const struct query *query;
};

/* Append the token for what lies behind position. */
int next_seal(const struct trust_secret *secret, const struct next_binding *binding,
              uint64_t position, struct isg_buf *out, struct isg_fail *why);

/* Read a token as received. ISG_EINVAL: not ours, changed, or of another query. */
int next_open(const struct trust_secret *secret, const struct next_binding *binding,
              struct isg_str token, uint64_t *out_position, struct isg_fail *why);

#endif
