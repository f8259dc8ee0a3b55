/*
 * Small secrets: member passwords (argon2id), tokens (keyed hash), and opaque tickets (AEAD).
 */
#ifndef GATEWAY_TRUST_SECRET_H
#define GATEWAY_TRUST_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stix/base/buf.h"
#include "stix/base/err.h"

enum { TRUST_PASSWORD_TEXT = 128, TRUST_MAC_BYTES = 32 };

struct trust_secret; /* the instance's persistent 32-byte secret, and keys derived from it */

/*
 * Read the secret from path (mode 0600), or make it. ISG_EIO; ISG_EDENIED (owner, mode, symbolic
 * link), ISG_EPARSE for what is no secret, ISG_ELIMIT for a longer file; ISG_ENOMEM.
 */
int trust_secret_open(const char *path, struct trust_secret **out, struct isg_fail *why);
/* Wipe it; accepts NULL, leaves NULL. */
void trust_secret_free(struct trust_secret **secret);

/*
 * argon2id text of a password; slow on purpose (about 60 ms): on worker threads only. ISG_EINVAL for
 * an empty one, ISG_ELIMIT for one that is too long, ISG_ENOMEM.
 */
int trust_password_hash(struct isg_str password, char out[TRUST_PASSWORD_TEXT],
                        struct isg_fail *why);
/*
 * True when it is the password of this text. NULL and what is no such text cost as much, and are
 * false.
 */
bool trust_password_verify(const char *hash, struct isg_str password);

/* Keyed BLAKE2b of a text under a key derived for purpose; for tokens and remembered passwords. */
void trust_mac(const struct trust_secret *secret, const char *purpose, struct isg_str text,
               uint8_t out[TRUST_MAC_BYTES]);
/* In constant time. */
bool trust_mac_equal(const uint8_t a[TRUST_MAC_BYTES], const uint8_t b[TRUST_MAC_BYTES]);

/*
 * Seal plain bytes into base64url text (XChaCha20-Poly1305), bound to context. ISG_ELIMIT when they
 * are too many, ISG_ENOMEM.
 */
int trust_seal(const struct trust_secret *secret, struct isg_str context, struct isg_str plain,
               struct isg_buf *out, struct isg_fail *why);
/* Open it again. ISG_EINVAL when the text was changed or belongs to another context. */
int trust_unseal(const struct trust_secret *secret, struct isg_str context, struct isg_str text,
                 struct isg_buf *out, struct isg_fail *why);

/* HMAC-SHA-256 (RFC 2104) of n texts, one after the other, under a key of any length. */
void trust_hmac(struct isg_str key, const struct isg_str *texts, size_t n,
                uint8_t out[TRUST_MAC_BYTES]);

/* n random bytes. */
void trust_random(void *out, size_t n);

/* Overwrite memory that held a secret; not optimised away. */
void trust_wipe(void *p, size_t n);

#endif
