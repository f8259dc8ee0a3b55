/* The instance's secret, passwords, MACs and tickets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/trust/secret.h"
#include "tests/support/tap.h"
#include "tests/unit/gateway/trust/support.h"

static void test_file(struct trust_secret **out)
{
    struct isg_fail why = {0};
    struct trust_secret *again = NULL;
    struct stat st;
    uint8_t a[TRUST_MAC_BYTES];
    uint8_t b[TRUST_MAC_BYTES];
    const char *path = support_path("secret");
    ok(trust_secret_open(path, out, &why) == ISG_OK, "a secret is made %s", why.text);
    ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "with mode 0600");
    ok(trust_secret_open(path, &again, &why) == ISG_OK, "and read again");
    trust_mac(*out, "token", ISG_STR("x"), a);
    trust_mac(again, "token", ISG_STR("x"), b);
    ok(trust_mac_equal(a, b), "it is the same");
    trust_secret_free(&again);
    ok(again == NULL, "freed");

    chmod(path, 0640);
    is_int(trust_secret_open(path, &again, &why), ISG_EDENIED, "readable by a group: refused");
    chmod(path, 0604);
    is_int(trust_secret_open(path, &again, &why), ISG_EDENIED, "readable by others: refused");
    chmod(path, 0600);
    if (symlink(path, support_path("link")) == 0)
        is_int(trust_secret_open(support_path("link"), &again, &why), ISG_EDENIED,
               "a symbolic link is not followed");
    support_write(support_path("short"), "abcd\n", 5);
    is_int(trust_secret_open(support_path("short"), &again, &why), ISG_EPARSE, "not a secret");
    is_int(trust_secret_open(support_path("no/where"), &again, &why), ISG_EIO, "no such folder");
    ok(again == NULL, "nothing comes out of a failure");
}

static void test_password(void)
{
    char hash[TRUST_PASSWORD_TEXT];
    char other[TRUST_PASSWORD_TEXT];
    static char big[2000];
    struct isg_fail why = {0};
    struct isg_str password = ISG_STR("correct horse");
    memset(big, 'a', sizeof big);
    ok(trust_password_hash(password, hash, &why) == ISG_OK, "a password is hashed");
    ok(strncmp(hash, "$argon2id$", 10) == 0, "by argon2id");
    ok(trust_password_hash(password, other, &why) == ISG_OK && strcmp(hash, other) != 0,
       "with a salt of its own");
    ok(trust_password_verify(hash, password), "it is known again");
    ok(!trust_password_verify(hash, ISG_STR("correct horsf")), "another is not");
    ok(!trust_password_verify(hash, ISG_STR("")), "an empty one is not");
    ok(!trust_password_verify(NULL, password), "nobody's password is none (R-043)");
    ok(!trust_password_verify("$argon2id$v=19$m=9999999,t=999,p=1$aaaa$bbbb", password),
       "a hash that asks for too much is not computed");
    ok(!trust_password_verify("plain", ISG_STR("plain")), "a text that is no hash fits nothing");
    is_int(trust_password_hash(ISG_STR(""), hash, &why), ISG_EINVAL, "an empty password");
    is_int(trust_password_hash((struct isg_str){big, sizeof big}, hash, &why), ISG_ELIMIT,
           "a far too long one");
}

static void test_mac(const struct trust_secret *secret)
{
    uint8_t a[TRUST_MAC_BYTES];
    uint8_t b[TRUST_MAC_BYTES];
    trust_mac(secret, "token", ISG_STR("x"), a);
    trust_mac(secret, "password", ISG_STR("x"), b);
    ok(!trust_mac_equal(a, b), "another purpose, another MAC");
    trust_mac(secret, "token", ISG_STR("y"), b);
    ok(!trust_mac_equal(a, b), "another text, another MAC");
    for (size_t i = 0; i < sizeof a; i += 31) {
        memcpy(b, a, sizeof a);
        b[i] ^= 0x80;
        ok(!trust_mac_equal(a, b), "a difference at byte %zu is seen", i);
    }
}

static const struct {
    const char *name;
    struct isg_str context;
    struct isg_str plain;
} tickets[] = {
    {"an empty ticket", {"next", 4}, {"", 0}},
    {"no context", {NULL, 0}, {"x", 1}},
    {"a position", {"collection|member", 17}, {"1709470000000001", 16}},
    {"bytes", {"\0", 1}, {"\0\1\2\xff", 4}},
};

static void test_ticket(const struct trust_secret *secret, size_t row)
{
    struct isg_buf text;
    struct isg_buf same;
    struct isg_buf plain;
    struct isg_fail why = {0};
    const char *name = tickets[row].name;
    isg_buf_init(&text, 4096);
    isg_buf_init(&same, 4096);
    isg_buf_init(&plain, 4096);
    ok(trust_seal(secret, tickets[row].context, tickets[row].plain, &text, &why) == ISG_OK,
       "%s is sealed", name);
    (void)trust_seal(secret, tickets[row].context, tickets[row].plain, &same, &why);
    ok(isg_str_eq(isg_buf_str(&text), isg_buf_str(&same)), "%s: the same again", name);
    ok(trust_unseal(secret, tickets[row].context, isg_buf_str(&text), &plain, &why) == ISG_OK &&
           isg_str_eq(isg_buf_str(&plain), tickets[row].plain),
       "%s is opened", name);
    is_int(trust_unseal(secret, ISG_STR("elsewhere"), isg_buf_str(&text), &plain, &why), ISG_EINVAL,
           "%s does not fit elsewhere", name);
    size_t wrong = 0;
    for (size_t i = 0; i < text.len; i++) {
        text.p[i] ^= 1;
        wrong += trust_unseal(secret, tickets[row].context, isg_buf_str(&text), &plain, &why) ==
                 ISG_EINVAL;
        text.p[i] ^= 1;
    }
    is_int((long long)wrong, (long long)text.len, "%s: every changed character shows", name);
    for (size_t n = 0; n < text.len; n++)
        wrong -= trust_unseal(secret, tickets[row].context, (struct isg_str){text.p, n}, &plain,
                              &why) == ISG_EINVAL;
    is_int((long long)wrong, 0, "%s: every cut shows", name);
    isg_buf_done(&text);
    isg_buf_done(&same);
    isg_buf_done(&plain);
}

/* Test cases 2, 4 and 6 of RFC 4231: short, binary and long keys. */
static void test_hmac(void)
{
    static const uint8_t counting[25] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13,
                                         14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25};
    char many_cd[50];
    char many_aa[131];
    memset(many_cd, 0xcd, sizeof many_cd);
    memset(many_aa, 0xaa, sizeof many_aa);
    const struct {
        struct isg_str key;
        struct isg_str texts[2];
        const char *mac;
    } rows[] = {
        {ISG_STR("Jefe"),
         {ISG_STR("what do ya want "), ISG_STR("for nothing?")},
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {{(const char *)counting, sizeof counting},
         {{many_cd, sizeof many_cd}, {many_cd, 0}},
         "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        {{many_aa, sizeof many_aa},
         {ISG_STR("Test Using Larger Than Block-Siz"), ISG_STR("e Key - Hash Key First")},
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t mac[TRUST_MAC_BYTES];
        char hex[2 * TRUST_MAC_BYTES + 1];
        trust_hmac(rows[i].key, rows[i].texts, 2, mac);
        isg_hex_encode(mac, sizeof mac, hex);
        is_str(hex, rows[i].mac, "RFC 4231, row %zu", i);
    }
}

int main(void)
{
    struct trust_secret *secret = NULL;
    uint8_t random[2][16];
    support_begin();
    test_file(&secret);
    test_password();
    test_mac(secret);
    test_hmac();
    for (size_t i = 0; i < sizeof tickets / sizeof tickets[0]; i++)
        test_ticket(secret, i);
    trust_random(random[0], sizeof random[0]);
    trust_random(random[1], sizeof random[1]);
    ok(memcmp(random[0], random[1], sizeof random[0]) != 0, "random bytes differ");
    trust_wipe(random, sizeof random);
    ok(random[0][0] == 0 && random[1][15] == 0, "wiped memory is zero");
    trust_secret_free(&secret);
    support_end();
    return tap_done();
}
