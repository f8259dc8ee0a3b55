/*
 * Ed25519 keys: files encrypted at rest (format ISGK), roles, public forms. Secrets live in guarded
 * memory that is unreadable between uses.
 */
#ifndef GATEWAY_TRUST_KEYS_H
#define GATEWAY_TRUST_KEYS_H

#include <stdint.h>

#include "stix/base/buf.h"
#include "stix/base/err.h"

enum trust_role { TRUST_ROOT, TRUST_CONTENT, TRUST_HTTP };
enum { TRUST_PUBLIC_BYTES = 32, TRUST_SIGNATURE_BYTES = 64, TRUST_KID = 44 };

struct trust_key;     /* a secret key ready to sign */
struct trust_public { /* a public key and its RFC 7638 thumbprint */
    uint8_t bytes[TRUST_PUBLIC_BYTES];
    char kid[TRUST_KID];
};

/* Once at start: library set-up and a self-test (sign, verify, known vector). ISG_ESIGN on failure. */
int trust_start(struct isg_fail *why);

/*
 * Make a key and write it encrypted to path (mode 0600). ISG_ECONFLICT when it exists, ISG_EIO,
 * ISG_EINVAL for a passphrase of 0 or over 4096 bytes, ISG_ENOMEM.
 */
int trust_key_new(const char *path, enum trust_role role, struct isg_str passphrase,
                  struct trust_public *out, struct isg_fail *why);
/*
 * Read a key file. ISG_EIO, ISG_EDENIED (owner, mode, symbolic link), ISG_EPARSE, ISG_ELIMIT
 * (over 4 KiB, hostile parameters), ISG_EAUTH (another passphrase), ISG_EINVAL (one of 0 or over
 * 4096 bytes), ISG_ENOMEM. why names the file.
 */
int trust_key_load(const char *path, struct isg_str passphrase, struct trust_key **out,
                   struct isg_fail *why);
/* Wipe the secret; accepts NULL, leaves NULL. */
void trust_key_free(struct trust_key **key);
/* Its public half; lives as long as the key. */
const struct trust_public *trust_key_public(const struct trust_key *key);

/* Sign bytes; the signature is verified before it is returned: ISG_ESIGN when it does not hold. */
int trust_sign(struct trust_key *key, struct isg_str bytes, uint8_t out[TRUST_SIGNATURE_BYTES],
               struct isg_fail *why);
/* ISG_OK or ISG_ESIGN. */
int trust_verify(const struct trust_public *key, struct isg_str bytes,
                 const uint8_t signature[TRUST_SIGNATURE_BYTES]);

/* Append the SPKI PEM. */
void trust_public_pem(const struct trust_public *key, struct isg_buf *out);
/* Append a minisign public key file. */
void trust_public_minisign(const struct trust_public *key, struct isg_buf *out);
/* Append a JWK object (RFC 8037) with kid, use and role. */
void trust_public_jwk(const struct trust_public *key, enum trust_role role, struct isg_buf *out);
/* Append the short fingerprint that people compare. */
void trust_public_fingerprint(const struct trust_public *key, struct isg_buf *out);

/* Read a public key in any of those forms. ISG_EPARSE when it is none. */
int trust_public_read(struct isg_str text, struct trust_public *out, struct isg_fail *why);

#endif
