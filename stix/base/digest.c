/* The only file with nettle: its SHA-2 uses the processor's SHA instructions. */
#include "stix/base/digest.h"

#include <assert.h>

#include <nettle/md5.h>
#include <nettle/sha2.h>

static_assert(sizeof(struct sha256_ctx) <= sizeof(struct isg_sha256), "context fits");
static_assert(sizeof(struct sha512_ctx) <= sizeof(struct isg_sha512), "context fits");

static struct sha256_ctx *ctx256(struct isg_sha256 *hash)
{
    return (struct sha256_ctx *)(void *)hash->state;
}

static struct sha512_ctx *ctx512(struct isg_sha512 *hash)
{
    return (struct sha512_ctx *)(void *)hash->state;
}

void isg_sha256_init(struct isg_sha256 *hash)
{
    sha256_init(ctx256(hash));
}

void isg_sha256_add(struct isg_sha256 *hash, const void *p, size_t n)
{
    sha256_update(ctx256(hash), n, p);
}

void isg_sha256_end(struct isg_sha256 *hash, uint8_t out[ISG_SHA256_BYTES])
{
    sha256_digest(ctx256(hash), ISG_SHA256_BYTES, out);
}

void isg_sha512_init(struct isg_sha512 *hash)
{
    sha512_init(ctx512(hash));
}

void isg_sha512_add(struct isg_sha512 *hash, const void *p, size_t n)
{
    sha512_update(ctx512(hash), n, p);
}

void isg_sha512_end(struct isg_sha512 *hash, uint8_t out[ISG_SHA512_BYTES])
{
    sha512_digest(ctx512(hash), ISG_SHA512_BYTES, out);
}

void isg_sha256(struct isg_str text, uint8_t out[ISG_SHA256_BYTES])
{
    struct isg_sha256 hash;
    isg_sha256_init(&hash);
    isg_sha256_add(&hash, text.p, text.n);
    isg_sha256_end(&hash, out);
}

void isg_md5(struct isg_str text, uint8_t out[ISG_MD5_BYTES])
{
    struct md5_ctx hash;
    md5_init(&hash);
    md5_update(&hash, text.n, (const uint8_t *)text.p);
    md5_digest(&hash, ISG_MD5_BYTES, out);
}
