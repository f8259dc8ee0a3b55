/*
 * Bounded memory of who gave wrong credentials how often, and a bounded door to argon2id.
 *
 * Wrong tries are counted in a fixed window per key (an address, a login name). The door lets a few
 * verifications run at once; the others wait their turn, since only a verification can tell a right
 * password from a wrong one, and a right one is never refused.
 */
#ifndef GATEWAY_SHARE_THROTTLE_H
#define GATEWAY_SHARE_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/trust/secret.h"
#include "stix/base/err.h"
#include "stix/base/str.h"

enum { THROTTLE_WRONG = 50, THROTTLE_WINDOW_S = 60 };

struct throttle;

/* No counts; the secret is borrowed. NULL without memory. */
struct throttle *throttle_new(const struct trust_secret *secret);
/* Nobody may be inside. Accepts NULL, leaves NULL. */
void throttle_free(struct throttle **throttle);

/* Count one wrong try of kind ('p' address, 'n' name). Seconds until the window ends when it is one
 * too many, else 0. */
unsigned throttle_wrong(struct throttle *throttle, char kind, struct isg_str who, int64_t now_us);

/*
 * Keep the counts that are not over in a file, whole or not at all, when there are new ones.
 * ISG_EIO, ISG_ENOMEM.
 */
int throttle_save(struct throttle *throttle, const char *path, int64_t now_us,
                  struct isg_fail *why);
/* Take such a file in again: the time in between counts, and what cannot be read is nothing. */
void throttle_load(struct throttle *throttle, const char *path, int64_t now_us);

/*
 * Wait for a place to verify a login, which its keyed hash names. The same login is verified by one
 * at a time, so that who comes behind may find it remembered. False when far too many wait already.
 */
bool throttle_enter(struct throttle *throttle, const uint8_t login[TRUST_MAC_BYTES]);
/* Give the place of that login to the next who waits. */
void throttle_leave(struct throttle *throttle, const uint8_t login[TRUST_MAC_BYTES]);

#endif
