/*
 * Signed statements: a compact JWS (RFC 7515, EdDSA) over a small canonical JSON text that names
 * files by digest. And minisign's prehashed form of the same, for people.
 */
#ifndef GATEWAY_TRUST_STATEMENT_H
#define GATEWAY_TRUST_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/trust/keys.h"
#include "stix/base/buf.h"
#include "stix/base/err.h"

/* Codes of the verifier, printed as E_...; the order is the order of the checks. */
enum trust_code {
    TRUST_OK,
    TRUST_E_FORMAT,
    TRUST_E_ALG,
    TRUST_E_CRIT,
    TRUST_E_HEADER,
    TRUST_E_TYP,
    TRUST_E_UNKNOWN_KEY,
    TRUST_E_SIGNATURE,
    TRUST_E_REVOKED,
    TRUST_E_NOT_YET,
    TRUST_E_EXPIRED,
    TRUST_E_LEGACY,
    TRUST_E_HASH, /* a named file differs */
    TRUST_CODE_COUNT
};
/* "OK", "E_FORMAT" and so on, as `isg verify` prints it. */
const char *trust_code_name(enum trust_code code);

/* True for a known type of statement: "bundle", "head" and so on. */
bool trust_statement_is_type(const char *type);

/*
 * Sign a statement: payload is canonical JSON whose `type` is type ("bundle"); appends
 * header.payload.signature to out, without a newline. ISG_EPARSE or ISG_EINVAL for another payload,
 * ISG_ESIGN when the signature just made does not hold, ISG_ELIMIT over 4 MiB, ISG_ENOMEM.
 */
int trust_statement_sign(struct trust_key *key, const char *type, struct isg_str payload,
                         struct isg_buf *out, struct isg_fail *why);

/* Whose signatures count, and when. */
struct trust_ring {
    const struct trust_public *keys;
    size_t keys_count;
    int64_t now_s;
};

/*
 * Check a statement against the trusted keys.
 *
 *   type         expected ("bundle"), NULL: any known
 *   out_payload  on TRUST_OK: the statement's bytes
 * The statement is not parsed before the signature holds. why gets a sentence.
 */
enum trust_code trust_statement_verify(struct isg_str jws, const char *type,
                                       const struct trust_ring *ring, struct isg_buf *out_payload,
                                       struct isg_fail *why);

/*
 * Append a prehashed minisign signature file over a BLAKE2b-512 digest, with a signed trusted
 * comment: one line of at most 4096 bytes, else ISG_EINVAL. ISG_ESIGN, ISG_ENOMEM.
 */
int trust_minisig_write(struct trust_key *key, const uint8_t prehash[64],
                        const char *trusted_comment, struct isg_buf *out, struct isg_fail *why);
/* Check one by the key it names. TRUST_OK, or what is wrong, which why tells. */
enum trust_code trust_minisig_verify(struct isg_str minisig, const uint8_t prehash[64],
                                     const struct trust_public *keys, size_t keys_count,
                                     struct isg_fail *why);

/* BLAKE2b-512 piece by piece, for the prehash. */
struct trust_prehash;
/* Of no bytes yet. NULL without memory. */
struct trust_prehash *trust_prehash_new(void);
/* Take n more bytes. */
void trust_prehash_add(struct trust_prehash *hash, const void *p, size_t n);
/* The 64 bytes of BLAKE2b-512; frees the hash, leaves NULL. */
void trust_prehash_end(struct trust_prehash **hash, uint8_t out[64]);

#endif
