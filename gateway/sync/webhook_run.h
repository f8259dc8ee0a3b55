/*
 * Webhooks: what is new in a collection for a receiver is POSTed to its URL, signed.
 *
 * A delivery is a range of the log. Its end is kept in the store before it is tried the first time,
 * so that every further try, also after a restart or by another gateway, has the same key and, while
 * nothing of it is deleted, the same body. The cursor passes it when the receiver answered 2xx.
 *
 * Headers are those of the Standard Webhooks text, so that its libraries can check them:
 *
 *     webhook-id         the key of the delivery, also sent as Idempotency-Key
 *     webhook-timestamp  seconds since 1970, of this try
 *     webhook-signature  v1,BASE64(HMAC-SHA-256(secret, ID "." TIMESTAMP "." BODY))
 */
#ifndef GATEWAY_SYNC_WEBHOOK_RUN_H
#define GATEWAY_SYNC_WEBHOOK_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/sync/outbox.h"
#include "gateway/sync/state.h"
#include "gateway/sync/sync.h"

struct webhook_result {
    size_t total;      /* objects told of, or that would be */
    size_t deliveries; /* that the receiver took */
    size_t refused;    /* objects too large for it */
};

/* The name of the state document. */
void webhook_state_name(const struct config_webhook *webhook, char out[STATE_NAME_MAX]);

/*
 * Deliver what lies behind the cursor; state as peer_run.
 *
 * Returns ISG_OK; ISG_ENOENT (collection, member; the receiver's 404), ISG_EAUTH, ISG_EDENIED
 * (also: the member is suspended), ISG_EINVAL (4xx), ISG_ENET, ISG_EUSAGE (the secret), ISG_EIO,
 * ISG_ESTORE.
 */
int webhook_run(const struct sync_parts *parts, const struct config_webhook *webhook,
                const struct outgoing_how *how, struct webhook_result *out, struct state *out_state,
                struct isg_fail *why);

/* Append what a run did, as JSON. */
void webhook_result_write(const struct config_webhook *webhook, const struct outgoing_how *how,
                          const struct webhook_result *result, struct isg_buf *out);

#endif
