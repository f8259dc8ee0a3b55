/* Key files of format ISGK, public forms, signing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/trust/keys.h"
#include "stix/base/base64.h"
#include "tests/support/tap.h"
#include "tests/unit/gateway/trust/support.h"

static const char passphrase[] = "a passphrase for tests";

/* Load a file of these bytes. */
static int load(const char *bytes, size_t n, const char *phrase)
{
    struct trust_key *key = NULL;
    struct isg_fail why = {0};
    const char *path = support_path("changed.key");
    support_write(path, bytes, n);
    int err = trust_key_load(path, isg_str_of(phrase), &key, &why);
    trust_key_free(&key);
    return err;
}

/* Costs in the file are checked before anything is computed: such files fail at once. */
static const struct {
    const char *name;
    size_t at; /* in the blob */
    uint8_t bytes[8];
    size_t n;
    int want;
} hostile[] = {
    {"another magic", 0, {'I', 'S', 'G', 'X'}, 4, ISG_EPARSE},
    {"another version", 4, {2}, 1, ISG_EPARSE},
    {"another kdf", 5, {2}, 1, ISG_EPARSE},
    {"11 passes", 6, {11, 0, 0, 0}, 4, ISG_ELIMIT},
    {"4 billion passes", 6, {255, 255, 255, 255}, 4, ISG_ELIMIT},
    {"no pass", 6, {0, 0, 0, 0}, 4, ISG_EPARSE},
    {"1 GiB and 1 KiB", 10, {1, 0, 16, 0, 0, 0, 0, 0}, 8, ISG_ELIMIT},
    {"all memory", 10, {255, 255, 255, 255, 255, 255, 255, 255}, 8, ISG_ELIMIT},
    {"no memory", 10, {0, 0, 0, 0, 0, 0, 0, 0}, 8, ISG_EPARSE},
};

static void test_hostile(const char *file, size_t n)
{
    const char *line = memchr(file, '\n', n);
    struct isg_buf blob;
    struct isg_buf text;
    isg_buf_init(&blob, 4096);
    isg_buf_init(&text, 8192);
    struct isg_str base64 = {line + 1, n - (size_t)(line + 1 - file) - 1};
    ok(isg_base64_decode(ISG_BASE64_STD, base64, &blob) && blob.len == 138, "138 bytes");
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        char copy[138];
        memcpy(copy, blob.p, sizeof copy);
        memcpy(copy + hostile[i].at, hostile[i].bytes, hostile[i].n);
        isg_buf_reset(&text);
        isg_buf_puts(&text, "comment\n");
        isg_base64_encode(ISG_BASE64_STD, copy, sizeof copy, &text);
        isg_buf_putc(&text, '\n');
        is_int(load(text.p, text.len, passphrase), hostile[i].want, "%s", hostile[i].name);
    }
    isg_buf_done(&blob);
    isg_buf_done(&text);
}

static void test_file(void)
{
    struct isg_fail why = {0};
    struct trust_key *key = NULL;
    struct trust_public made;
    struct stat st;
    size_t n = 0;
    const char *path = support_path("content.key");
    char *file = tap_slurp(path, &n);
    static char big[5000];
    ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "the file has mode 0600");
    is_int(trust_key_new(path, TRUST_CONTENT, isg_str_of(passphrase), &made, &why), ISG_ECONFLICT,
           "a file that is there is not overwritten");
    is_int(trust_key_new(support_path("x.key"), TRUST_CONTENT, ISG_STR(""), &made, &why),
           ISG_EINVAL, "an empty passphrase is none");
    is_int(load(file, n, "another passphrase"), ISG_EAUTH, "a wrong passphrase");
    is_int(load(file, n - 1, passphrase), ISG_OK, "the last line feed may be missing");
    is_int(load(file, n / 2, passphrase), ISG_EPARSE, "half a file");
    is_int(load("", 0, passphrase), ISG_EPARSE, "an empty file");
    memset(big, 'a', sizeof big);
    is_int(load(big, sizeof big, passphrase), ISG_ELIMIT, "a file over 4 KiB");
    test_hostile(file, n);
    chmod(path, 0644);
    is_int(trust_key_load(path, isg_str_of(passphrase), &key, &why), ISG_EDENIED,
           "readable by others: refused");
    chmod(path, 0600);
    if (symlink(path, support_path("link.key")) == 0)
        is_int(trust_key_load(support_path("link.key"), isg_str_of(passphrase), &key, &why),
               ISG_EDENIED, "a symbolic link is not followed");
    is_int(trust_key_load(support_path("none.key"), isg_str_of(passphrase), &key, &why), ISG_EIO,
           "no such file");
    ok(key == NULL, "nothing comes out of a failure");
    free(file);
}

static void test_sign(struct trust_key *key)
{
    static const char *const texts[] = {"", "a", "a longer text with some words in it"};
    uint8_t signature[TRUST_SIGNATURE_BYTES];
    struct isg_fail why = {0};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct isg_str text = isg_str_of(texts[i]);
        ok(trust_sign(key, text, signature, &why) == ISG_OK &&
               trust_verify(trust_key_public(key), text, signature) == ISG_OK,
           "a text of %zu bytes is signed", text.n);
        size_t refused = 0;
        for (size_t k = 0; k < 8 * sizeof signature; k++) {
            signature[k / 8] ^= (uint8_t)(1 << k % 8);
            refused += trust_verify(trust_key_public(key), text, signature) == ISG_ESIGN;
            signature[k / 8] ^= (uint8_t)(1 << k % 8);
        }
        is_int((long long)refused, 512, "every changed bit shows");
        ok(trust_verify(trust_key_public(key), ISG_STR("another"), signature) == ISG_ESIGN,
           "another text does not fit");
    }
}

static const struct {
    const char *name;
    void (*put)(const struct trust_public *key, struct isg_buf *out);
} forms[] = {{"PEM", trust_public_pem}, {"minisign", trust_public_minisign}};

static void read_back(const char *name, const struct trust_public *key, const struct isg_buf *text)
{
    struct trust_public back;
    struct isg_fail why = {0};
    ok(trust_public_read(isg_buf_str(text), &back, &why) == ISG_OK &&
           memcmp(&back, key, sizeof back) == 0,
       "%s is read back %s", name, why.text);
}

static void test_forms(const struct trust_public *key)
{
    struct isg_buf text;
    struct isg_buf set;
    isg_buf_init(&text, 4096);
    isg_buf_init(&set, 4096);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        isg_buf_reset(&text);
        forms[i].put(key, &text);
        read_back(forms[i].name, key, &text);
    }
    isg_buf_reset(&text);
    trust_public_jwk(key, TRUST_CONTENT, &text);
    read_back("JWK", key, &text);
    ok(strstr(text.p, key->kid) != NULL && strstr(text.p, "\"isg_role\":\"content\"") != NULL,
       "the JWK names kid and role");
    isg_buf_printf(&set, "{\"keys\":[%s]}\n", text.p);
    read_back("a JWK set of one", key, &set);
    isg_buf_reset(&text);
    trust_public_fingerprint(key, &text);
    is_int((long long)text.len, 39, "a fingerprint is 8 groups of 4");
    isg_buf_done(&text);
    isg_buf_done(&set);
}

#define X1        "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""
#define PEM(body) "-----BEGIN PUBLIC KEY-----\n" body "\n-----END PUBLIC KEY-----\n"

/* Texts that are no public key. The small-order points would let one signature fit many texts. */
static const struct {
    const char *name;
    const char *text;
    bool good;
} texts[] = {
    {"a JWK", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\"," X1 "}", true},
    {"a PEM", PEM("MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="), true},
    {"a PEM with CR LF",
     "-----BEGIN PUBLIC KEY-----\r\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\r\n-----END PUBLIC KEY-----\r\n",
     true},
    {"nothing", "", false},
    {"a word", "key", false},
    {"a secret JWK", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\"," X1 ",\"d\":\"AA\"}", false},
    {"another curve", "{\"kty\":\"OKP\",\"crv\":\"X25519\"," X1 "}", false},
    {"another kind", "{\"kty\":\"EC\",\"crv\":\"Ed25519\"," X1 "}", false},
    {"a doubled member", "{\"kty\":\"OKP\",\"kty\":\"OKP\",\"crv\":\"Ed25519\"," X1 "}", false},
    {"a set of none", "{\"keys\":[]}", false},
    {"a short x", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qY\"}", false},
    {"small order: 1",
     "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
     false},
    {"small order: 0",
     "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
     false},
    {"not canonical",
     "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"_____________________________________________\"}",
     false},
    {"a PEM without its end",
     "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n",
     false},
    {"a PEM of X25519", PEM("MCowBQYDK2VuAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="), false},
    {"a minisign id that does not fit",
     "untrusted comment: x\nRWQAAAAAAAAAANdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea\n", false},
};

static void test_texts(void)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct trust_public key;
        struct isg_fail why = {0};
        int err = trust_public_read(isg_str_of(texts[i].text), &key, &why);
        is_int(err, texts[i].good ? ISG_OK : ISG_EPARSE, "%s %s", texts[i].name, why.text);
    }
}

static void corpus_form(const char *path, const struct trust_public *key,
                        void (*put)(const struct trust_public *, struct isg_buf *))
{
    struct isg_buf text;
    isg_buf_init(&text, 4096);
    char *file = tap_slurp(tap_corpus(path), NULL);
    put(key, &text);
    is_str(text.p, file, "%s is written byte for byte", path);
    isg_buf_done(&text);
    free(file);
}

static void test_corpus(void)
{
    struct trust_key *key = support_corpus_key();
    if (key == NULL)
        return;
    is_str(trust_key_public(key)->kid, "5C34pXL1ig1maYSbJILiSYuCzXaC55CffEJ0CaRVGCw", "its kid");
    corpus_form("signing/vectors/pub/content-a.pem", trust_key_public(key), trust_public_pem);
    corpus_form("signing/vectors/pub/content-a.minisign.pub", trust_key_public(key),
                trust_public_minisign);
    trust_key_free(&key);
}

int main(void)
{
    support_begin();
    struct trust_key *key = support_key("content.key");
    test_file();
    test_sign(key);
    test_forms(trust_key_public(key));
    test_texts();
    test_corpus();
    trust_key_free(&key);
    trust_key_free(&key);
    support_end();
    return tap_done();
}
