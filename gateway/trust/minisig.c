/* minisign's prehashed form of a signature, for people with the standard tool. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "gateway/metrics.h"
#include "gateway/trust/keys_private.h"
#include "gateway/trust/statement.h"
#include "stix/base/base64.h"

#define UNTRUSTED "untrusted comment: "
#define TRUSTED   "trusted comment: "
#define OURS      "signature from isg key "
#define KID       "\tkid:"

enum {
    PREHASH_BYTES = 64,
    BLOB_BYTES = 2 + TRUST_MINISIGN_ID_BYTES + TRUST_SIGNATURE_BYTES,
    FILE_MAX = 16384,
    COMMENT_MAX = 4096
};

struct trust_prehash {
    crypto_generichash_state state;
};

struct trust_prehash *trust_prehash_new(void)
{
    /* The state wants 64-byte alignment, which malloc does not promise. */
    struct trust_prehash *hash = aligned_alloc(64, (sizeof *hash + 63) / 64 * 64);
    if (hash != NULL)
        crypto_generichash_init(&hash->state, NULL, 0, PREHASH_BYTES);
    return hash;
}

void trust_prehash_add(struct trust_prehash *hash, const void *p, size_t n)
{
    crypto_generichash_update(&hash->state, p, n);
}

void trust_prehash_end(struct trust_prehash **hash, uint8_t out[64])
{
    crypto_generichash_final(&(*hash)->state, out, PREHASH_BYTES);
    free(*hash);
    *hash = NULL;
}

/* The global signature covers the first one and the trusted comment. */
static void global_bytes(const uint8_t signature[TRUST_SIGNATURE_BYTES], struct isg_str comment,
                         struct isg_buf *out)
{
    isg_buf_put(out, signature, TRUST_SIGNATURE_BYTES);
    isg_buf_put_str(out, comment);
}

static bool is_comment(const char *comment)
{
    return strlen(comment) <= COMMENT_MAX && strpbrk(comment, "\r\n") == NULL;
}

/*
 * The first line of the file is under no signature. Ours is made from the kid alone, and the
 * trusted comment repeats the kid: so a changed first line shows.
 */
int trust_minisig_write(struct trust_key *key, const uint8_t prehash[64],
                        const char *trusted_comment, struct isg_buf *out, struct isg_fail *why)
{
    uint8_t blob[BLOB_BYTES] = {'E', 'D'};
    uint8_t global[TRUST_SIGNATURE_BYTES];
    uint8_t *signature = blob + 2 + TRUST_MINISIGN_ID_BYTES;
    const struct trust_public *public = trust_key_public(key);
    struct isg_buf comment;
    struct isg_buf bytes;
    if (!is_comment(trusted_comment))
        return isg_fail(why, ISG_EINVAL, "a trusted comment is one line");
    isg_buf_init(&comment, FILE_MAX);
    isg_buf_init(&bytes, FILE_MAX);
    isg_buf_printf(&comment, "%s" KID "%s", trusted_comment, public->kid);
    trust_minisign_id(public, blob + 2);
    int err =
        trust_sign(key, (struct isg_str){(const char *)prehash, PREHASH_BYTES}, signature, why);
    if (err == ISG_OK) {
        global_bytes(signature, isg_buf_str(&comment), &bytes);
        err = bytes.err != ISG_OK ? isg_fail(why, bytes.err, "no memory")
                                  : trust_sign(key, isg_buf_str(&bytes), global, why);
    }
    if (err == ISG_OK) {
        isg_buf_printf(out, UNTRUSTED OURS "%s\n", public->kid);
        isg_base64_encode(ISG_BASE64_STD, blob, sizeof blob, out);
        isg_buf_printf(out, "\n" TRUSTED "%s\n", comment.p);
        isg_base64_encode(ISG_BASE64_STD, global, sizeof global, out);
        isg_buf_putc(out, '\n');
        err = out->err;
        metric_add(METRIC_SIGNATURES, "type=\"minisig\"", 1);
    }
    isg_buf_done(&comment);
    isg_buf_done(&bytes);
    return err;
}

struct parsed {
    struct isg_str untrusted; /* without the words before it */
    struct isg_str trusted;
    uint8_t blob[BLOB_BYTES];
    uint8_t global[TRUST_SIGNATURE_BYTES];
};

static bool decode_line(struct isg_str *rest, uint8_t *out, size_t n)
{
    struct isg_str line;
    struct isg_buf bytes;
    isg_buf_init(&bytes, 1024);
    bool good = isg_str_split(rest, '\n', &line) &&
                isg_base64_decode(ISG_BASE64_STD, line, &bytes) && bytes.len == n;
    if (good)
        memcpy(out, bytes.p, n);
    isg_buf_done(&bytes);
    return good;
}

static bool comment_line(struct isg_str *rest, const char *words, struct isg_str *out)
{
    struct isg_str line;
    if (!isg_str_split(rest, '\n', &line) || !isg_str_starts(line, isg_str_of(words)))
        return false;
    *out = isg_str_from(line, strlen(words));
    return out->n <= COMMENT_MAX + sizeof KID + TRUST_KID;
}

/* Four lines, each ended by one line feed. */
static bool parse(struct isg_str text, struct parsed *out)
{
    bool ended = text.n > 0 && text.p[text.n - 1] == '\n';
    return ended && comment_line(&text, UNTRUSTED, &out->untrusted) &&
           decode_line(&text, out->blob, sizeof out->blob) &&
           comment_line(&text, TRUSTED, &out->trusted) &&
           decode_line(&text, out->global, sizeof out->global) && text.n == 0;
}

/* Where the signed comment names the kid, the unsigned one must be the words that go with it. */
static bool first_line_fits(const struct parsed *minisig, const struct trust_public *key)
{
    struct isg_buf suffix;
    struct isg_buf words;
    isg_buf_init(&suffix, 256);
    isg_buf_init(&words, 256);
    isg_buf_printf(&suffix, KID "%s", key->kid);
    isg_buf_printf(&words, OURS "%s", key->kid);
    bool fits = !isg_str_ends(minisig->trusted, isg_buf_str(&suffix)) ||
                isg_str_eq(minisig->untrusted, isg_buf_str(&words));
    isg_buf_done(&suffix);
    isg_buf_done(&words);
    return fits;
}

static const struct trust_public *find_key(const uint8_t id[TRUST_MINISIGN_ID_BYTES],
                                           const struct trust_public *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t own[TRUST_MINISIGN_ID_BYTES];
        trust_minisign_id(&keys[i], own);
        if (memcmp(own, id, sizeof own) == 0)
            return &keys[i];
    }
    return NULL;
}

static enum trust_code refuse(struct isg_fail *why, enum trust_code code, const char *text)
{
    isg_fail_at(why, ISG_ESIGN, NULL, trust_code_name(code), "%s", text);
    return code;
}

static enum trust_code judge(const struct parsed *minisig, const struct trust_public *key,
                             const uint8_t prehash[64], struct isg_fail *why)
{
    const uint8_t *signature = minisig->blob + 2 + TRUST_MINISIGN_ID_BYTES;
    struct isg_buf bytes;
    if (trust_verify(key, (struct isg_str){(const char *)prehash, PREHASH_BYTES}, signature) !=
        ISG_OK)
        return refuse(why, TRUST_E_SIGNATURE, "the minisign signature does not hold");
    isg_buf_init(&bytes, FILE_MAX);
    global_bytes(signature, minisig->trusted, &bytes);
    int err =
        bytes.err == ISG_OK ? trust_verify(key, isg_buf_str(&bytes), minisig->global) : ISG_ESIGN;
    isg_buf_done(&bytes);
    if (err != ISG_OK)
        return refuse(why, TRUST_E_SIGNATURE, "the minisign trusted comment was changed");
    if (!first_line_fits(minisig, key))
        return refuse(why, TRUST_E_FORMAT, "the minisign untrusted comment was changed");
    return TRUST_OK;
}

enum trust_code trust_minisig_verify(struct isg_str minisig, const uint8_t prehash[64],
                                     const struct trust_public *keys, size_t keys_count,
                                     struct isg_fail *why)
{
    struct parsed parsed;
    if (minisig.n > FILE_MAX || !parse(minisig, &parsed) || parsed.blob[0] != 'E')
        return refuse(why, TRUST_E_FORMAT, "not a minisign signature");
    /* A signature over the file's own bytes could have been made for something else (section 3). */
    if (parsed.blob[1] == 'd')
        return refuse(why, TRUST_E_LEGACY, "a minisign signature that is not prehashed");
    if (parsed.blob[1] != 'D')
        return refuse(why, TRUST_E_FORMAT, "not a minisign signature");
    const struct trust_public *key = find_key(parsed.blob + 2, keys, keys_count);
    if (key == NULL)
        return refuse(why, TRUST_E_UNKNOWN_KEY, "the minisign key is not a trusted one");
    return judge(&parsed, key, prehash, why);
}
