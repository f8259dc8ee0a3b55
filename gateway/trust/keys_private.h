/* What the files of this room share about keys. */
#ifndef GATEWAY_TRUST_KEYS_PRIVATE_H
#define GATEWAY_TRUST_KEYS_PRIVATE_H

#include "gateway/trust/keys.h"

enum { TRUST_MINISIGN_ID_BYTES = 8 };

/* A public key with its kid. */
void trust_public_of_bytes(const uint8_t bytes[TRUST_PUBLIC_BYTES], struct trust_public *out);

/* minisign's name of a key: the first bytes of SHA-256("minisign-keyid" + public). */
void trust_minisign_id(const struct trust_public *key, uint8_t out[TRUST_MINISIGN_ID_BYTES]);

/* "root", "content" or "http". */
const char *trust_role_name(enum trust_role role);

#endif
