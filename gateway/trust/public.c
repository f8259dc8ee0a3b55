/* The forms a public key is written in, and reading them back. */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "gateway/trust/keys.h"
#include "gateway/trust/keys_private.h"
#include "stix/base/base64.h"
#include "stix/base/digest.h"
#include "stix/base/jsonw.h"
#include "stix/json.h"

#define PEM_BEGIN "-----BEGIN PUBLIC KEY-----"
#define PEM_END   "-----END PUBLIC KEY-----"

enum {
    TEXT_MAX = 65536, /* bytes of a text that is read */
    SPKI_PREFIX_BYTES = 12,
    SPKI_BYTES = SPKI_PREFIX_BYTES + TRUST_PUBLIC_BYTES,
    MINISIGN_BYTES = 2 + TRUST_MINISIGN_ID_BYTES + TRUST_PUBLIC_BYTES,
    FINGERPRINT_BYTES = 16
};

/* SubjectPublicKeyInfo of Ed25519 (RFC 8410) up to the key itself. */
static const uint8_t spki_prefix[SPKI_PREFIX_BYTES] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                                       0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

static void put_x(const struct trust_public *key, struct isg_buf *out)
{
    isg_base64_encode(ISG_BASE64_URL, key->bytes, sizeof key->bytes, out);
}

/* SHA-256 of the three members of RFC 7638, in its order. */
static void thumbprint(const struct trust_public *key, uint8_t out[ISG_SHA256_BYTES])
{
    struct isg_buf text;
    isg_buf_init(&text, 256);
    isg_buf_puts(&text, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"");
    put_x(key, &text);
    isg_buf_puts(&text, "\"}");
    isg_sha256(isg_buf_str(&text), out);
    isg_buf_done(&text);
}

void trust_public_of_bytes(const uint8_t bytes[TRUST_PUBLIC_BYTES], struct trust_public *out)
{
    uint8_t digest[ISG_SHA256_BYTES];
    memcpy(out->bytes, bytes, sizeof out->bytes);
    thumbprint(out, digest);
    sodium_bin2base64(out->kid, sizeof out->kid, digest, sizeof digest,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void trust_minisign_id(const struct trust_public *key, uint8_t out[TRUST_MINISIGN_ID_BYTES])
{
    static const char label[] = "minisign-keyid";
    struct isg_sha256 hash;
    uint8_t digest[ISG_SHA256_BYTES];
    isg_sha256_init(&hash);
    isg_sha256_add(&hash, label, sizeof label - 1);
    isg_sha256_add(&hash, key->bytes, sizeof key->bytes);
    isg_sha256_end(&hash, digest);
    memcpy(out, digest, TRUST_MINISIGN_ID_BYTES);
}

void trust_public_pem(const struct trust_public *key, struct isg_buf *out)
{
    uint8_t spki[SPKI_BYTES];
    memcpy(spki, spki_prefix, sizeof spki_prefix);
    memcpy(spki + SPKI_PREFIX_BYTES, key->bytes, sizeof key->bytes);
    isg_buf_puts(out, PEM_BEGIN "\n");
    isg_base64_encode(ISG_BASE64_STD, spki, sizeof spki, out);
    isg_buf_puts(out, "\n" PEM_END "\n");
}

void trust_public_minisign(const struct trust_public *key, struct isg_buf *out)
{
    uint8_t blob[MINISIGN_BYTES] = {'E', 'd'};
    uint8_t *id = blob + 2;
    trust_minisign_id(key, id);
    memcpy(blob + 2 + TRUST_MINISIGN_ID_BYTES, key->bytes, sizeof key->bytes);
    isg_buf_puts(out, "untrusted comment: minisign public key ");
    for (int i = TRUST_MINISIGN_ID_BYTES - 1; i >= 0; i--) /* minisign prints it as a LE number */
        isg_buf_printf(out, "%02X", id[i]);
    isg_buf_putc(out, '\n');
    isg_base64_encode(ISG_BASE64_STD, blob, sizeof blob, out);
    isg_buf_putc(out, '\n');
}

const char *trust_role_name(enum trust_role role)
{
    switch (role) {
    case TRUST_ROOT: return "root";
    case TRUST_CONTENT: return "content";
    case TRUST_HTTP: return "http";
    }
    return "content";
}

void trust_public_jwk(const struct trust_public *key, enum trust_role role, struct isg_buf *out)
{
    isg_buf_puts(out, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"");
    put_x(key, out);
    isg_buf_printf(out, "\",\"kid\":\"%s\",\"use\":\"sig\",\"alg\":\"EdDSA\",\"isg_role\":\"%s\"}",
                   key->kid, trust_role_name(role));
}

void trust_public_fingerprint(const struct trust_public *key, struct isg_buf *out)
{
    uint8_t digest[ISG_SHA256_BYTES];
    thumbprint(key, digest);
    for (size_t i = 0; i < FINGERPRINT_BYTES; i += 2)
        isg_buf_printf(out, "%s%02x%02x", i > 0 ? "-" : "", digest[i], digest[i + 1]);
}

/*
 * A key of small order would let one signature fit many texts. libsodium's verification refuses
 * such keys too; here they do not even become a key.
 */
static int accept_bytes(const uint8_t bytes[TRUST_PUBLIC_BYTES], struct trust_public *out,
                        struct isg_fail *why)
{
    if (crypto_core_ed25519_is_valid_point(bytes) != 1)
        return isg_fail(why, ISG_EPARSE, "the key is not a point of Ed25519 that may be trusted");
    trust_public_of_bytes(bytes, out);
    return ISG_OK;
}

/* Base64 of exactly n bytes. */
static bool decode_exactly(enum isg_base64 form, struct isg_str text, uint8_t *out, size_t n)
{
    struct isg_buf bytes;
    isg_buf_init(&bytes, 4096);
    bool good = isg_base64_decode(form, text, &bytes) && bytes.len == n;
    if (good)
        memcpy(out, bytes.p, n);
    isg_buf_done(&bytes);
    return good;
}

static int read_pem(struct isg_str text, struct trust_public *out, struct isg_fail *why)
{
    struct isg_buf body;
    struct isg_str line;
    uint8_t spki[SPKI_BYTES];
    bool ended = false;
    isg_buf_init(&body, 1024);
    (void)isg_str_split(&text, '\n', &line); /* the first line, seen by the caller */
    while (!ended && isg_str_split(&text, '\n', &line)) {
        line = isg_str_trim(line);
        ended = isg_str_is(line, PEM_END);
        if (!ended)
            isg_buf_put_str(&body, line);
    }
    bool good = ended && body.err == ISG_OK && isg_str_trim(text).n == 0 &&
                decode_exactly(ISG_BASE64_STD, isg_buf_str(&body), spki, sizeof spki) &&
                memcmp(spki, spki_prefix, sizeof spki_prefix) == 0;
    isg_buf_done(&body);
    return good ? accept_bytes(spki + SPKI_PREFIX_BYTES, out, why)
                : isg_fail(why, ISG_EPARSE, "not the PEM form of one Ed25519 public key");
}

static int read_jwk(const struct stix_json *jwk, struct trust_public *out, struct isg_fail *why)
{
    uint8_t bytes[TRUST_PUBLIC_BYTES];
    if (stix_json_has(jwk, "d"))
        return isg_fail(why, ISG_EPARSE, "this is a secret key: it must not be here");
    if (!isg_str_is(stix_json_get_str(jwk, "kty"), "OKP") ||
        !isg_str_is(stix_json_get_str(jwk, "crv"), "Ed25519") ||
        !decode_exactly(ISG_BASE64_URL, stix_json_get_str(jwk, "x"), bytes, sizeof bytes))
        return isg_fail(why, ISG_EPARSE, "not an Ed25519 JWK");
    return accept_bytes(bytes, out, why);
}

/* A JWK, or a JWK set of exactly one. */
static int read_json(struct isg_str text, struct trust_public *out, struct isg_fail *why)
{
    struct stix_json *tree = NULL;
    int err = stix_json_parse(text, NULL, &tree, why);
    if (err == ISG_ENOMEM)
        return err;
    if (err != ISG_OK)
        return isg_fail(why, ISG_EPARSE, "the key file is not JSON");
    const struct stix_json *keys = stix_json_get(tree, "keys");
    if (keys == NULL)
        err = read_jwk(tree, out, why);
    else if (stix_json_type(keys) == STIX_JSON_LIST && stix_json_size(keys) == 1)
        err = read_jwk(stix_json_at(keys, 0), out, why);
    else
        err = isg_fail(why, ISG_EPARSE, "the key set does not hold exactly one key");
    stix_json_free(&tree);
    return err;
}

/* The id names the key and is derived from it: one that differs is a damaged or foreign file. */
static int read_minisign(struct isg_str text, struct trust_public *out, struct isg_fail *why)
{
    uint8_t blob[MINISIGN_BYTES];
    uint8_t id[TRUST_MINISIGN_ID_BYTES];
    struct trust_public key;
    struct isg_str line = text;
    if (isg_str_starts(text, ISG_STR("untrusted comment:"))) {
        (void)isg_str_split(&text, '\n', &line);
        line = isg_str_trim(text);
    }
    if (!decode_exactly(ISG_BASE64_STD, line, blob, sizeof blob) || blob[0] != 'E' ||
        blob[1] != 'd')
        return isg_fail(why, ISG_EPARSE, "not a public key in PEM, JWK or minisign form");
    int err = accept_bytes(blob + 2 + sizeof id, &key, why);
    if (err != ISG_OK)
        return err;
    trust_minisign_id(&key, id);
    if (memcmp(id, blob + 2, sizeof id) != 0)
        return isg_fail(why, ISG_EPARSE, "the minisign key id does not fit the key");
    *out = key;
    return ISG_OK;
}

int trust_public_read(struct isg_str text, struct trust_public *out, struct isg_fail *why)
{
    if (text.n > TEXT_MAX)
        return isg_fail(why, ISG_EPARSE, "the key file is too long");
    text = isg_str_trim(text);
    if (isg_str_starts(text, ISG_STR(PEM_BEGIN)))
        return read_pem(text, out, why);
    if (isg_str_starts(text, ISG_STR("{")))
        return read_json(text, out, why);
    return read_minisign(text, out, why);
}
