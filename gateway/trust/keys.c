/* Secret keys: the file they rest in, the memory they live in, and signing. */
#include "gateway/trust/keys.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "gateway/trust/keys_private.h"
#include "gateway/trust/private_file.h"
#include "stix/base/base64.h"

enum {
    FILE_MAX = 4096,
    OPS_MAX = 10,
    MEM_KIB_MAX = 1024 * 1024,
    PASSPHRASE_MAX = 4096,
    SEED_BYTES = crypto_sign_SEEDBYTES,
    KEY_BYTES = crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
    SALT_BYTES = crypto_pwhash_SALTBYTES,
    NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG_BYTES = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    /* offsets in the file's blob: "ISGK" version kdf ops mem_kib salt nonce public sealed */
    AT_VERSION = 4,
    AT_KDF = 5,
    AT_OPS = 6,
    AT_MEM = 10,
    AT_SALT = 18,
    AT_NONCE = AT_SALT + SALT_BYTES,
    AT_PUBLIC = AT_NONCE + NONCE_BYTES,
    AT_SEALED = AT_PUBLIC + TRUST_PUBLIC_BYTES,
    BLOB_BYTES = AT_SEALED + SEED_BYTES + TAG_BYTES
};
_Static_assert(AT_SEALED == 90 && BLOB_BYTES == 138, "the layout of format ISGK");

static const uint8_t magic[] = {'I', 'S', 'G', 'K', 1, 1}; /* version 1, kdf argon2id13 */

struct trust_key {
    struct trust_public public;
    pthread_mutex_t lock; /* the pages of secret are opened for one signature at a time */
    uint8_t *secret;      /* guarded memory, unreadable between uses */
};

/* Cost of the key that opens the file: root keys rest offline and may take longer. */
static const struct {
    uint32_t ops;
    uint64_t mem_kib;
} costs[] = {
    [TRUST_ROOT] = {4, 1024UL * 1024},
    [TRUST_CONTENT] = {3, 256UL * 1024},
    [TRUST_HTTP] = {3, 256UL * 1024},
};

static void put_le(uint8_t *at, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_le(const uint8_t *at, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

/* The key that seals the seed; key is guarded memory of KEY_BYTES. */
static int stretch(const uint8_t blob[BLOB_BYTES], struct isg_str passphrase, uint8_t *key,
                   struct isg_fail *why)
{
    uint64_t ops = get_le(blob + AT_OPS, 4);
    uint64_t mem_kib = get_le(blob + AT_MEM, 8);
    if (ops > OPS_MAX || mem_kib > MEM_KIB_MAX)
        return isg_fail(why, ISG_ELIMIT, "the key file asks for too much time or memory");
    if (ops < crypto_pwhash_OPSLIMIT_MIN || mem_kib * 1024 < crypto_pwhash_MEMLIMIT_MIN)
        return isg_fail(why, ISG_EPARSE, "the key file's costs are not valid");
    if (crypto_pwhash(key, KEY_BYTES, passphrase.p != NULL ? passphrase.p : "", passphrase.n,
                      blob + AT_SALT, ops, (size_t)mem_kib * 1024,
                      crypto_pwhash_ALG_ARGON2ID13) != 0)
        return isg_fail(why, ISG_ENOMEM, "no memory for the key file's password hash");
    return ISG_OK;
}

/* Close the secret's pages and put it together with its public half. secret moves in. */
static int make_key(uint8_t *take_secret, struct trust_key **out, struct isg_fail *why)
{
    struct trust_key *key = calloc(1, sizeof *key);
    if (key == NULL) {
        sodium_free(take_secret);
        return isg_fail(why, ISG_ENOMEM, "no memory");
    }
    trust_public_of_bytes(take_secret + SEED_BYTES, &key->public);
    pthread_mutex_init(&key->lock, NULL);
    key->secret = take_secret;
    sodium_mprotect_noaccess(key->secret);
    *out = key;
    return ISG_OK;
}

/* Make the whole key of a seed in guarded memory. */
static int key_of_seed(const uint8_t seed[SEED_BYTES], struct trust_key **out, struct isg_fail *why)
{
    uint8_t public[TRUST_PUBLIC_BYTES];
    uint8_t *secret = sodium_malloc(crypto_sign_SECRETKEYBYTES);
    if (secret == NULL)
        return isg_fail(why, ISG_ENOMEM, "no guarded memory");
    crypto_sign_seed_keypair(public, secret, seed);
    return make_key(secret, out, why);
}

void trust_key_free(struct trust_key **key)
{
    if (key == NULL || *key == NULL)
        return;
    sodium_free((*key)->secret); /* opens, wipes, frees */
    pthread_mutex_destroy(&(*key)->lock);
    free(*key);
    *key = NULL;
}

const struct trust_public *trust_key_public(const struct trust_key *key)
{
    return &key->public;
}

int trust_sign(struct trust_key *key, struct isg_str bytes, uint8_t out[TRUST_SIGNATURE_BYTES],
               struct isg_fail *why)
{
    uint8_t signature[TRUST_SIGNATURE_BYTES];
    const uint8_t *p = (const uint8_t *)(bytes.p != NULL ? bytes.p : "");
    pthread_mutex_lock(&key->lock);
    sodium_mprotect_readonly(key->secret);
    int done = crypto_sign_detached(signature, NULL, p, bytes.n, key->secret);
    sodium_mprotect_noaccess(key->secret);
    pthread_mutex_unlock(&key->lock);
    if (done != 0 || trust_verify(&key->public, bytes, signature) != ISG_OK)
        return isg_fail(why, ISG_ESIGN, "the signature just made does not hold");
    memcpy(out, signature, sizeof signature);
    return ISG_OK;
}

int trust_verify(const struct trust_public *key, struct isg_str bytes,
                 const uint8_t signature[TRUST_SIGNATURE_BYTES])
{
    const uint8_t *p = (const uint8_t *)(bytes.p != NULL ? bytes.p : "");
    return crypto_sign_verify_detached(signature, p, bytes.n, key->bytes) == 0 ? ISG_OK : ISG_ESIGN;
}

/* Fill a blob but for its sealed part. */
static void blob_head(enum trust_role role, const struct trust_public *public,
                      uint8_t blob[BLOB_BYTES])
{
    memcpy(blob, magic, sizeof magic);
    put_le(blob + AT_OPS, costs[role].ops, 4);
    put_le(blob + AT_MEM, costs[role].mem_kib, 8);
    randombytes_buf(blob + AT_SALT, SALT_BYTES + NONCE_BYTES);
    memcpy(blob + AT_PUBLIC, public->bytes, TRUST_PUBLIC_BYTES);
}

static int write_blob(const char *path, enum trust_role role, const struct trust_public *public,
                      const uint8_t blob[BLOB_BYTES], struct isg_fail *why)
{
    struct isg_buf text;
    isg_buf_init(&text, FILE_MAX);
    isg_buf_printf(&text, "isg encrypted signing key; role %s; kid %s\n", trust_role_name(role),
                   public->kid);
    isg_base64_encode(ISG_BASE64_STD, blob, BLOB_BYTES, &text);
    isg_buf_putc(&text, '\n');
    int err = text.err != ISG_OK ? isg_fail(why, text.err, "no memory")
                                 : private_file_create(path, isg_buf_str(&text), why);
    isg_buf_done(&text);
    return err;
}

/* Guarded memory for what opens a file: the stretched key, then the seed. */
struct opener {
    uint8_t key[KEY_BYTES];
    uint8_t seed[SEED_BYTES];
};

static int check_passphrase(struct isg_str passphrase, struct isg_fail *why)
{
    if (passphrase.n == 0 || passphrase.n > PASSPHRASE_MAX)
        return isg_fail(why, ISG_EINVAL, "a passphrase has 1 to %d bytes", PASSPHRASE_MAX);
    return ISG_OK;
}

int trust_key_new(const char *path, enum trust_role role, struct isg_str passphrase,
                  struct trust_public *out, struct isg_fail *why)
{
    uint8_t blob[BLOB_BYTES];
    struct trust_key *key = NULL;
    int err = check_passphrase(passphrase, why);
    if (err != ISG_OK)
        return err;
    struct opener *opener = sodium_malloc(sizeof *opener);
    if (opener == NULL)
        return isg_fail(why, ISG_ENOMEM, "no guarded memory");
    randombytes_buf(opener->seed, SEED_BYTES);
    err = key_of_seed(opener->seed, &key, why);
    if (err == ISG_OK) {
        blob_head(role, &key->public, blob);
        err = stretch(blob, passphrase, opener->key, why);
    }
    if (err == ISG_OK) {
        crypto_aead_xchacha20poly1305_ietf_encrypt(blob + AT_SEALED, NULL, opener->seed, SEED_BYTES,
                                                   blob, AT_SEALED, NULL, blob + AT_NONCE,
                                                   opener->key);
        err = write_blob(path, role, &key->public, blob, why);
    }
    if (err == ISG_OK)
        *out = key->public;
    sodium_free(opener);
    trust_key_free(&key);
    return err;
}

/* Two lines: a free comment, the blob. Nothing else may follow. */
static int parse_file(struct isg_str text, uint8_t blob[BLOB_BYTES], struct isg_fail *why)
{
    struct isg_str comment;
    struct isg_str line;
    struct isg_buf bytes;
    isg_buf_init(&bytes, FILE_MAX);
    bool good = isg_str_split(&text, '\n', &comment) && isg_str_split(&text, '\n', &line) &&
                text.n == 0 && isg_base64_decode(ISG_BASE64_STD, line, &bytes) &&
                bytes.len == BLOB_BYTES && memcmp(bytes.p, magic, sizeof magic) == 0;
    if (good)
        memcpy(blob, bytes.p, BLOB_BYTES);
    isg_buf_done(&bytes);
    return good ? ISG_OK : isg_fail(why, ISG_EPARSE, "not a key file of this program");
}

static int open_blob(const uint8_t blob[BLOB_BYTES], struct isg_str passphrase,
                     struct trust_key **out, struct isg_fail *why)
{
    struct trust_key *key = NULL;
    struct opener *opener = sodium_malloc(sizeof *opener);
    if (opener == NULL)
        return isg_fail(why, ISG_ENOMEM, "no guarded memory");
    int err = stretch(blob, passphrase, opener->key, why);
    if (err == ISG_OK && crypto_aead_xchacha20poly1305_ietf_decrypt(
                             opener->seed, NULL, NULL, blob + AT_SEALED, SEED_BYTES + TAG_BYTES,
                             blob, AT_SEALED, blob + AT_NONCE, opener->key) != 0)
        err = isg_fail(why, ISG_EAUTH, "wrong passphrase, or the key file was changed");
    if (err == ISG_OK)
        err = key_of_seed(opener->seed, &key, why);
    sodium_free(opener);
    if (err == ISG_OK &&
        sodium_memcmp(key->public.bytes, blob + AT_PUBLIC, TRUST_PUBLIC_BYTES) != 0)
        err = isg_fail(why, ISG_EPARSE, "the key file names another public key than it holds");
    if (err == ISG_OK)
        *out = key;
    else
        trust_key_free(&key);
    return err;
}

int trust_key_load(const char *path, struct isg_str passphrase, struct trust_key **out,
                   struct isg_fail *why)
{
    struct isg_buf text;
    uint8_t blob[BLOB_BYTES];
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    int err = check_passphrase(passphrase, why);
    if (err == ISG_OK)
        err = private_file_read(path, FILE_MAX, &text, why);
    if (err == ISG_ENOENT)
        err = isg_fail(why, ISG_EIO, "%s: no such file", path);
    if (err == ISG_OK) {
        struct isg_fail inner = {.code = ISG_OK};
        err = parse_file(isg_buf_str(&text), blob, &inner);
        if (err == ISG_OK)
            err = open_blob(blob, passphrase, out, &inner);
        if (err != ISG_OK)
            (void)isg_fail(why, err, "%.160s: %s", path, inner.text);
    }
    isg_buf_done(&text);
    return err;
}

/* The Ed25519 example of RFC 8037, appendix A: seed, public key, signed bytes, signature. */
static int known_vector(void)
{
    static const uint8_t seed[SEED_BYTES] = {0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60,
                                             0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
                                             0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19,
                                             0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};
    static const char kid[] = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
    static const char signature[] = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGj"
                                    "g5BhVsPt9g7sVvpAr_MuM0KAg";
    struct isg_str bytes = ISG_STR("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc");
    struct trust_key *key = NULL;
    uint8_t made[TRUST_SIGNATURE_BYTES];
    struct isg_buf text;
    isg_buf_init(&text, 256);
    int err = key_of_seed(seed, &key, NULL);
    if (err == ISG_OK)
        err = trust_sign(key, bytes, made, NULL);
    if (err == ISG_OK) {
        isg_base64_encode(ISG_BASE64_URL, made, sizeof made, &text);
        bool same = isg_str_is(isg_buf_str(&text), signature) && strcmp(key->public.kid, kid) == 0;
        made[0] ^= 1;
        bool refused = trust_verify(&key->public, bytes, made) != ISG_OK;
        err = same && refused ? ISG_OK : ISG_ESIGN;
    }
    isg_buf_done(&text);
    trust_key_free(&key);
    return err;
}

int trust_start(struct isg_fail *why)
{
    if (sodium_init() < 0)
        return isg_fail(why, ISG_ESIGN, "the cryptographic library does not start");
    if (known_vector() != ISG_OK)
        return isg_fail(why, ISG_ESIGN, "the self-test of signatures failed");
    return ISG_OK;
}
