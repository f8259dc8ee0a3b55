/*
 * SHA-256 and SHA-512, whole or piece by piece. One digest names an object everywhere: SHA-256 of
 * its RFC 8785 form.
 */
#ifndef ISG_BASE_DIGEST_H
#define ISG_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "stix/base/str.h"

enum { ISG_MD5_BYTES = 16, ISG_SHA256_BYTES = 32, ISG_SHA512_BYTES = 64 };

struct isg_sha256 {
    uint64_t state[20]; /* the library's context; see digest.c */
};
struct isg_sha512 {
    uint64_t state[32];
};

/* Start a digest; needs no release. */
void isg_sha256_init(struct isg_sha256 *hash);
/* Take n more bytes. */
void isg_sha256_add(struct isg_sha256 *hash, const void *p, size_t n);
/* Write the digest of all bytes added, and start anew. */
void isg_sha256_end(struct isg_sha256 *hash, uint8_t out[ISG_SHA256_BYTES]);

/* Start a digest; needs no release. */
void isg_sha512_init(struct isg_sha512 *hash);
/* Take n more bytes. */
void isg_sha512_add(struct isg_sha512 *hash, const void *p, size_t n);
/* Write the digest of all bytes added, and start anew. */
void isg_sha512_end(struct isg_sha512 *hash, uint8_t out[ISG_SHA512_BYTES]);

/* SHA-256 of a whole text. */
void isg_sha256(struct isg_str text, uint8_t out[ISG_SHA256_BYTES]);

/* MD5 of a whole text: for formats that ask for it (MISP's hashes.csv), where nothing rests on it. */
void isg_md5(struct isg_str text, uint8_t out[ISG_MD5_BYTES]);

#endif
