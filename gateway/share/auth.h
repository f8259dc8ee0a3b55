/*
 * Who is asking: HTTP Basic (argon2id), Bearer and Token, and client certificates by fingerprint or
 * by issuer and name.
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

/* The secret is borrowed. NULL without memory. */
struct auth *auth_new(const struct trust_secret *secret);
/* Forget the remembered logins and the counts; accepts NULL, leaves NULL. */
void auth_free(struct auth **auth);

struct auth_certificate {       /* of the client, verified by TLS */
    struct isg_str fingerprint; /* SHA-256 in hex; empty: there is none */
    struct isg_str issuer;      /* distinguished name, RFC 4514 */
    struct isg_str names;       /* subject alternative names, "DNS:pump.example", one a line */
};

struct auth_request {
    struct isg_str authorization; /* header value; p NULL: absent */
    struct auth_certificate certificate;
    bool certificate_needed; /* without one that holds nobody is let in */
    struct isg_str peer;     /* address, for the throttle */
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

/*
 * May this member send one more request, of per_minute at most (0: no limit) unless the member has a
 * number of its own? Returns 0, or the seconds to wait: 429.
 */
unsigned auth_admit(struct auth *auth, const struct member *member, uint32_t per_minute);

/*
 * Take in the counts of wrong tries from a file, so that a restart does not forget them.
 * What cannot be read counts as nothing.
 */
void auth_load(struct auth *auth, const char *path);
/* Write that file, when something changed. Errors of throttle_save. */
int auth_save(struct auth *auth, const char *path, struct isg_fail *why);

#endif
