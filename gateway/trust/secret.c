#include "gateway/trust/secret.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "gateway/trust/private_file.h"
#include "stix/base/base64.h"

enum {
    MASTER_BYTES = 32,
    MASTER_TEXT = 2 * MASTER_BYTES, /* hex */
    PASSWORD_OPS = 2,               /* with 64 MiB about 60 ms of one core */
    PASSWORD_MEM = 64 * 1024 * 1024,
    PASSWORD_MAX = 1024, /* bytes of a password */
    TICKET_MAX = 65536,  /* bytes of a sealed text */
    NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG_BYTES = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    KEY_BYTES = crypto_aead_xchacha20poly1305_ietf_KEYBYTES
};

_Static_assert(TRUST_PASSWORD_TEXT >= crypto_pwhash_STRBYTES, "room for the text of a hash");

/* Lives in guarded, locked memory; read-only once made, so that threads may share it. */
struct trust_secret {
    uint8_t master[MASTER_BYTES];
    uint8_t seal_key[KEY_BYTES];
    uint8_t nonce_key[KEY_BYTES];
};

/* One key a purpose, so that what is made for one never fits another. */
static void derive(const uint8_t master[MASTER_BYTES], const char *kind, const char *purpose,
                   uint8_t out[KEY_BYTES])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, master, MASTER_BYTES, KEY_BYTES);
    crypto_generichash_update(&state, (const uint8_t *)kind, strlen(kind) + 1);
    crypto_generichash_update(&state, (const uint8_t *)purpose, strlen(purpose) + 1);
    crypto_generichash_final(&state, out, KEY_BYTES);
    sodium_memzero(&state, sizeof state);
}

static int make_secret(const char *path, struct isg_fail *why)
{
    uint8_t master[MASTER_BYTES];
    char text[MASTER_TEXT + 2];
    randombytes_buf(master, sizeof master);
    isg_hex_encode(master, sizeof master, text);
    text[MASTER_TEXT] = '\n';
    text[MASTER_TEXT + 1] = '\0';
    int err = private_file_create(path, (struct isg_str){text, MASTER_TEXT + 1}, why);
    sodium_memzero(master, sizeof master);
    sodium_memzero(text, sizeof text);
    return err;
}

static int parse_secret(struct isg_str text, const char *path, struct trust_secret **out,
                        struct isg_fail *why)
{
    struct trust_secret *s = sodium_malloc(sizeof *s);
    if (s == NULL)
        return isg_fail(why, ISG_ENOMEM, "no guarded memory");
    if (!isg_hex_decode(isg_str_trim(text), s->master, MASTER_BYTES)) {
        sodium_free(s);
        return isg_fail(why, ISG_EPARSE, "%s is not a secret of this program", path);
    }
    derive(s->master, "seal", "key", s->seal_key);
    derive(s->master, "seal", "nonce", s->nonce_key);
    sodium_mprotect_readonly(s);
    *out = s;
    return ISG_OK;
}

int trust_secret_open(const char *path, struct trust_secret **out, struct isg_fail *why)
{
    struct isg_buf text;
    if (sodium_init() < 0)
        return isg_fail(why, ISG_ESIGN, "the cryptographic library does not start");
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    int err = private_file_read(path, (size_t)2 * MASTER_TEXT, &text, why);
    if (err == ISG_ENOENT) {
        err = make_secret(path, why);
        if (err == ISG_OK || err == ISG_ECONFLICT) /* another process was faster: take its */
            err = private_file_read(path, (size_t)2 * MASTER_TEXT, &text, why);
    }
    if (err == ISG_OK)
        err = parse_secret(isg_buf_str(&text), path, out, why);
    if (text.p != NULL)
        sodium_memzero(text.p, text.cap);
    isg_buf_done(&text);
    return err;
}

void trust_secret_free(struct trust_secret **secret)
{
    if (secret == NULL)
        return;
    sodium_free(*secret); /* wipes; accepts NULL */
    *secret = NULL;
}

int trust_password_hash(struct isg_str password, char out[TRUST_PASSWORD_TEXT],
                        struct isg_fail *why)
{
    char text[crypto_pwhash_STRBYTES];
    if (password.n == 0)
        return isg_fail(why, ISG_EINVAL, "the password is empty");
    if (password.n > PASSWORD_MAX)
        return isg_fail(why, ISG_ELIMIT, "the password is longer than %d bytes", PASSWORD_MAX);
    if (sodium_init() < 0 || crypto_pwhash_str_alg(text, password.p, password.n, PASSWORD_OPS,
                                                   PASSWORD_MEM, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return isg_fail(why, ISG_ENOMEM, "no memory for the password hash");
    memset(out, 0, TRUST_PASSWORD_TEXT);
    memcpy(out, text, sizeof text);
    return ISG_OK;
}

/* A stored hash names its own cost: one that was planted must not eat the machine. */
static bool is_affordable(const char *hash)
{
    static const char head[] = "$argon2id$v=19$m=";
    char *end = NULL;
    if (strncmp(hash, head, sizeof head - 1) != 0)
        return false;
    unsigned long memory_kib = strtoul(hash + sizeof head - 1, &end, 10);
    if (memory_kib > 1024UL * 1024 || strncmp(end, ",t=", 3) != 0)
        return false;
    unsigned long passes = strtoul(end + 3, &end, 10);
    return passes <= 10 && strncmp(end, ",p=1$", 5) == 0;
}

/* What a password is compared with when there is no hash: the same work, never a match. */
static char nobody[TRUST_PASSWORD_TEXT];
static pthread_once_t nobody_once = PTHREAD_ONCE_INIT;

static void make_nobody(void)
{
    char random[32];
    randombytes_buf(random, sizeof random);
    (void)trust_password_hash((struct isg_str){random, sizeof random}, nobody, NULL);
    sodium_memzero(random, sizeof random);
}

bool trust_password_verify(const char *hash, struct isg_str password)
{
    if (sodium_init() < 0 || password.n > PASSWORD_MAX)
        return false;
    bool known = hash != NULL && is_affordable(hash);
    if (!known) {
        pthread_once(&nobody_once, make_nobody);
        hash = nobody;
    }
    const char *p = password.n > 0 ? password.p : "";
    return crypto_pwhash_str_verify(hash, p, password.n) == 0 && known;
}

void trust_mac(const struct trust_secret *secret, const char *purpose, struct isg_str text,
               uint8_t out[TRUST_MAC_BYTES])
{
    uint8_t key[KEY_BYTES];
    derive(secret->master, "mac", purpose, key);
    crypto_generichash(out, TRUST_MAC_BYTES, (const uint8_t *)text.p, text.n, key, sizeof key);
    sodium_memzero(key, sizeof key);
}

bool trust_mac_equal(const uint8_t a[TRUST_MAC_BYTES], const uint8_t b[TRUST_MAC_BYTES])
{
    return crypto_verify_32(a, b) == 0;
}

/*
 * The nonce is a keyed hash of context and plain (as SIV does): it repeats only where everything
 * repeats. So the same position gives the same ticket and pages that carry one can be cached.
 */
static void nonce_of(const struct trust_secret *secret, struct isg_str context,
                     struct isg_str plain, uint8_t out[NONCE_BYTES])
{
    crypto_generichash_state state;
    uint64_t context_bytes = context.n;
    crypto_generichash_init(&state, secret->nonce_key, KEY_BYTES, NONCE_BYTES);
    crypto_generichash_update(&state, (const uint8_t *)&context_bytes, sizeof context_bytes);
    crypto_generichash_update(&state, (const uint8_t *)context.p, context.n);
    crypto_generichash_update(&state, (const uint8_t *)plain.p, plain.n);
    crypto_generichash_final(&state, out, NONCE_BYTES);
    sodium_memzero(&state, sizeof state);
}

int trust_seal(const struct trust_secret *secret, struct isg_str context, struct isg_str plain,
               struct isg_buf *out, struct isg_fail *why)
{
    if (plain.n > TICKET_MAX)
        return isg_fail(why, ISG_ELIMIT, "too long to seal");
    size_t n = NONCE_BYTES + plain.n + TAG_BYTES;
    uint8_t *sealed = malloc(n);
    if (sealed == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    nonce_of(secret, context, plain, sealed);
    crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + NONCE_BYTES, NULL, (const uint8_t *)plain.p,
                                               plain.n, (const uint8_t *)context.p, context.n, NULL,
                                               sealed, secret->seal_key);
    isg_base64_encode(ISG_BASE64_URL, sealed, n, out);
    free(sealed);
    return out->err == ISG_OK ? ISG_OK : isg_fail(why, out->err, "no room for the ticket");
}

static int open_sealed(const struct trust_secret *secret, struct isg_str context,
                       struct isg_str sealed, struct isg_buf *out, struct isg_fail *why)
{
    if (sealed.n < NONCE_BYTES + TAG_BYTES)
        return isg_fail(why, ISG_EINVAL, "not a ticket of this server");
    const uint8_t *nonce = (const uint8_t *)sealed.p;
    size_t n = sealed.n - NONCE_BYTES - TAG_BYTES;
    uint8_t *plain = (uint8_t *)isg_buf_reserve(out, n + 1);
    if (plain == NULL)
        return isg_fail(why, out->err, "no room for the ticket");
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            plain, NULL, NULL, nonce + NONCE_BYTES, sealed.n - NONCE_BYTES,
            (const uint8_t *)context.p, context.n, nonce, secret->seal_key) != 0)
        return isg_fail(why, ISG_EINVAL, "not a ticket of this server, or not for this place");
    out->len += n;
    out->p[out->len] = '\0';
    return ISG_OK;
}

int trust_unseal(const struct trust_secret *secret, struct isg_str context, struct isg_str text,
                 struct isg_buf *out, struct isg_fail *why)
{
    struct isg_buf sealed;
    if (text.n > (size_t)2 * TICKET_MAX)
        return isg_fail(why, ISG_EINVAL, "not a ticket of this server");
    isg_buf_init(&sealed, (size_t)2 * TICKET_MAX);
    int err = ISG_OK;
    if (!isg_base64_decode(ISG_BASE64_URL, text, &sealed))
        err = isg_fail(why, ISG_EINVAL, "not a ticket of this server");
    else
        err = open_sealed(secret, context, isg_buf_str(&sealed), out, why);
    isg_buf_done(&sealed);
    return err;
}

void trust_hmac(struct isg_str key, const struct isg_str *texts, size_t n,
                uint8_t out[TRUST_MAC_BYTES])
{
    _Static_assert(TRUST_MAC_BYTES == crypto_auth_hmacsha256_BYTES, "room for a MAC");
    crypto_auth_hmacsha256_state state;
    (void)crypto_auth_hmacsha256_init(&state, (const uint8_t *)key.p, key.n);
    for (size_t i = 0; i < n; i++)
        (void)crypto_auth_hmacsha256_update(&state, (const uint8_t *)texts[i].p, texts[i].n);
    (void)crypto_auth_hmacsha256_final(&state, out);
    sodium_memzero(&state, sizeof state);
}

void trust_random(void *out, size_t n)
{
    if (sodium_init() < 0)
        abort(); /* no source of randomness: nothing may go on */
    randombytes_buf(out, n);
}

void trust_wipe(void *p, size_t n)
{
    sodium_memzero(p, n);
}
