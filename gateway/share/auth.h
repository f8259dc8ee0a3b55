/*
 * Who is asking: HTTP Basic (argon2id), Bearer and Token, and client certificates by fingerprint.
 *
 * A password that was verified is remembered by keyed hash, so that a poll costs no argon2id.
 * Wrong passwords are throttled per address and name without ever locking out the right one.
 */
#ifndef GATEWAY_SHARE_AUTH_H
#define GATEWAY_SHARE_AUTH_H

#include <stdbool.h>

#include "gateway/share/member.h"
#include "stix/base/err.h"
#include "stix/base/str.h"

struct auth; /* the remembered logins and the throttle */

struct auth *auth_new(const struct trust_secret *secret); /* NULL without memory */
void auth_free(struct auth **auth);

struct auth_request {
    struct isg_str authorization; /* header value; p NULL: absent */
    struct isg_str certificate;   /* fingerprint of the client certificate, or empty */
    struct isg_str peer;          /* address, for the throttle */
};

/*
 * Find the member. Also runs for unknown names and suspended members at the same cost.
 *
 * Returns ISG_OK (*out borrowed from registry); ISG_EAUTH (no or wrong credentials, suspended:
 * answer 401 with challenges); ISG_ELIMIT (too many wrong ones from there or for that name, or too
 * many passwords waiting to be verified: 429, *out_retry_s set; a right one still passes);
 * ISG_EBUSY when the answer needs argon2id and may_wait is false: call again on a worker.
 */
int auth_check(struct auth *auth, const struct registry *registry,
               const struct auth_request *request, bool may_wait, const struct member **out,
               unsigned *out_retry_s, struct isg_fail *why);

#endif
