/* minisign's prehashed form: ours by the standard tool, any change by us. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/trust/statement.h"
#include "tests/support/tap.h"
#include "tests/unit/gateway/trust/support.h"

static const char content[] = "some bytes to sign\n";

static void prehash_of(const void *p, size_t n, uint8_t out[64])
{
    struct trust_prehash *hash = trust_prehash_new();
    for (size_t i = 0; i < n; i++)
        trust_prehash_add(hash, (const char *)p + i, 1);
    trust_prehash_end(&hash, out);
    if (hash != NULL)
        ok(false, "the hash is freed");
}

static enum trust_code verify(struct trust_key *key, struct isg_str text, const uint8_t prehash[64])
{
    struct isg_fail why = {0};
    return trust_minisig_verify(text, prehash, trust_key_public(key), 1, &why);
}

static void test_changes(struct trust_key *key, const struct isg_buf *text,
                         const uint8_t prehash[64])
{
    size_t taken = 0;
    for (size_t i = 0; i < text->len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            text->p[i] ^= (char)(1 << bit);
            taken += verify(key, isg_buf_str(text), prehash) == TRUST_OK;
            text->p[i] ^= (char)(1 << bit);
        }
    }
    is_int((long long)taken, 0, "no bit of %zu bytes can be changed", text->len);
    for (size_t n = 0; n < text->len; n++)
        taken += verify(key, (struct isg_str){text->p, n}, prehash) == TRUST_OK;
    is_int((long long)taken, 0, "nothing can be cut off");
}

/* The standard tool takes it, and takes nothing else for it. */
static void test_tool(struct trust_key *key, const struct isg_buf *text)
{
    struct isg_buf public;
    char command[1024];
    if (support_run("command -v minisign") != 0) {
        ok(true, "# SKIP no minisign here");
        return;
    }
    isg_buf_init(&public, 4096);
    trust_public_minisign(trust_key_public(key), &public);
    support_write(support_path("file"), content, sizeof content - 1);
    support_write(support_path("file.minisig"), text->p, text->len);
    support_write(support_path("key.pub"), public.p, public.len);
    (void)snprintf(command, sizeof command, "minisign -V -H -m %s -p %s", support_path("file"),
                   support_path("key.pub"));
    is_int(support_run(command), 0, "minisign -V -H says yes");
    support_write(support_path("file"), "other", 5);
    ok(support_run(command) != 0, "minisign says no to another file");
    isg_buf_done(&public);
}

static void corpus_file(struct trust_key *key, const char *bundle, const char *minisig,
                        enum trust_code want)
{
    size_t n = 0;
    size_t minisig_n = 0;
    uint8_t prehash[64];
    char *file = tap_slurp(tap_corpus(bundle), &n);
    char *text = tap_slurp(tap_corpus(minisig), &minisig_n);
    if (file != NULL && text != NULL) {
        prehash_of(file, n, prehash);
        is_str(trust_code_name(verify(key, (struct isg_str){text, minisig_n}, prehash)),
               trust_code_name(want), "corpus: %s", minisig);
    }
    free(file);
    free(text);
}

static void test_corpus(void)
{
    struct trust_key *key = support_corpus_key();
    if (key == NULL)
        return;
    corpus_file(key, "signing/vectors/bundle.json", "signing/vectors/bundle.json.minisig",
                TRUST_OK);
    corpus_file(key, "signing/vectors/bundle.json",
                "signing/vectors/negative/legacy-minisig/bundle.json.minisig", TRUST_E_LEGACY);
    trust_key_free(&key);
}

int main(void)
{
    uint8_t prehash[64];
    struct isg_buf text;
    struct isg_fail why = {0};
    support_begin();
    struct trust_key *key = support_key("content.key");
    isg_buf_init(&text, 65536);
    prehash_of(content, sizeof content - 1, prehash);
    ok(trust_minisig_write(key, prehash, "timestamp:1\tfile:x\thashed\tseq:2", &text, &why) ==
           ISG_OK,
       "it is written");
    ok(strstr(text.p, "\ntrusted comment: timestamp:1\tfile:x\thashed\tseq:2") != NULL,
       "with its trusted comment");
    ok(verify(key, isg_buf_str(&text), prehash) == TRUST_OK, "and holds");
    test_changes(key, &text, prehash);
    prehash[63] ^= 1;
    ok(verify(key, isg_buf_str(&text), prehash) == TRUST_E_SIGNATURE, "another file does not fit");
    ok(trust_minisig_verify(isg_buf_str(&text), prehash, NULL, 0, &why) == TRUST_E_UNKNOWN_KEY,
       "without keys none is trusted");
    is_int(trust_minisig_write(key, prehash, "two\nlines", &text, &why), ISG_EINVAL,
           "a comment is one line");
    test_tool(key, &text);
    test_corpus();
    isg_buf_done(&text);
    trust_key_free(&key);
    support_end();
    return tap_done();
}
