/* Statements: the order of the checks, every changed byte, and the corpus. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/trust/statement.h"
#include "stix/base/base64.h"
#include "tests/support/tap.h"
#include "tests/unit/gateway/trust/support.h"

enum { NOW = 1709470000 };

#define HEAD(members) "{\"alg\":\"EdDSA\",\"kid\":\"KID\",\"typ\":\"isg-bundle+jws\"" members "}"
#define BODY \
    "{\"exp\":1709480000,\"iat\":1709469000,\"iss\":\"https://isao.example\",\"type\":\"bundle\"}"
static const char good_head[] = HEAD("");

/* KID stands for the key's kid. The signature is made over whatever the row says. */
static const struct {
    const char *name;
    const char *header;
    const char *payload;
    enum trust_code want;
} rows[] = {
    {"a good one", good_head, BODY, TRUST_OK},
    {"alg Ed25519", "{\"alg\":\"Ed25519\",\"kid\":\"KID\",\"typ\":\"isg-bundle+jws\"}", BODY,
     TRUST_OK},
    {"members in another order", "{\"typ\":\"isg-bundle+jws\", \"kid\":\"KID\",\"alg\":\"EdDSA\"}",
     BODY, TRUST_OK},
    {"alg none", "{\"alg\":\"none\",\"kid\":\"KID\",\"typ\":\"isg-bundle+jws\"}", BODY,
     TRUST_E_ALG},
    {"alg HS256", "{\"alg\":\"HS256\",\"kid\":\"KID\",\"typ\":\"isg-bundle+jws\"}", BODY,
     TRUST_E_ALG},
    {"alg eddsa", "{\"alg\":\"eddsa\",\"kid\":\"KID\",\"typ\":\"isg-bundle+jws\"}", BODY,
     TRUST_E_ALG},
    {"alg a list", "{\"alg\":[\"EdDSA\"],\"kid\":\"KID\",\"typ\":\"isg-bundle+jws\"}", BODY,
     TRUST_E_ALG},
    {"no alg", "{\"kid\":\"KID\",\"typ\":\"isg-bundle+jws\"}", BODY, TRUST_E_ALG},
    {"alg before crit", "{\"alg\":\"none\",\"crit\":[\"x\"],\"typ\":\"y\"}", BODY, TRUST_E_ALG},
    {"crit", HEAD(",\"crit\":[\"exp\"]"), BODY, TRUST_E_CRIT},
    {"crit before an unknown member", HEAD(",\"jwk\":{},\"crit\":[\"exp\"]"), BODY, TRUST_E_CRIT},
    {"b64", HEAD(",\"b64\":false"), BODY, TRUST_E_HEADER},
    {"jwk", HEAD(",\"jwk\":{\"kty\":\"OKP\"}"), BODY, TRUST_E_HEADER},
    {"jku", HEAD(",\"jku\":\"https://keys.example\""), BODY, TRUST_E_HEADER},
    {"x5c", HEAD(",\"x5c\":[]"), BODY, TRUST_E_HEADER},
    {"cty", HEAD(",\"cty\":\"json\""), BODY, TRUST_E_HEADER},
    {"no kid", "{\"alg\":\"EdDSA\",\"typ\":\"isg-bundle+jws\"}", BODY, TRUST_E_HEADER},
    {"no typ", "{\"alg\":\"EdDSA\",\"kid\":\"KID\"}", BODY, TRUST_E_HEADER},
    {"typ a number", "{\"alg\":\"EdDSA\",\"kid\":\"KID\",\"typ\":1}", BODY, TRUST_E_HEADER},
    {"a doubled member", HEAD(",\"alg\":\"EdDSA\""), BODY, TRUST_E_FORMAT},
    {"a header that is no object", "[]", BODY, TRUST_E_FORMAT},
    {"a header that is no JSON", "{alg:EdDSA}", BODY, TRUST_E_FORMAT},
    {"an empty header", "", BODY, TRUST_E_FORMAT},
    {"another typ", "{\"alg\":\"EdDSA\",\"kid\":\"KID\",\"typ\":\"isg-head+jws\"}", BODY,
     TRUST_E_TYP},
    {"JWT", "{\"alg\":\"EdDSA\",\"kid\":\"KID\",\"typ\":\"JWT\"}", BODY, TRUST_E_TYP},
    {"typ in capitals", "{\"alg\":\"EdDSA\",\"kid\":\"KID\",\"typ\":\"ISG-BUNDLE+JWS\"}", BODY,
     TRUST_E_TYP},
    {"another kid", "{\"alg\":\"EdDSA\",\"kid\":\"x\",\"typ\":\"isg-bundle+jws\"}", BODY,
     TRUST_E_UNKNOWN_KEY},
    {"a statement of another type", good_head,
     "{\"exp\":1709480000,\"iat\":1709469000,\"iss\":\"x\",\"type\":\"head\"}", TRUST_E_TYP},
    {"a statement without type", good_head, "{\"exp\":1709480000,\"iat\":1709469000,\"iss\":\"x\"}",
     TRUST_E_TYP},
    {"a statement that is no JSON", good_head, "bundle", TRUST_E_FORMAT},
    {"a list", good_head, "[]", TRUST_E_FORMAT},
    {"an empty statement", good_head, "", TRUST_E_FORMAT},
    {"blanks", good_head,
     "{\"exp\":1709480000, \"iat\":1709469000,\"iss\":\"x\",\"type\":\"bundle\"}", TRUST_E_FORMAT},
    {"another order", good_head,
     "{\"iat\":1709469000,\"exp\":1709480000,\"iss\":\"x\",\"type\":\"bundle\"}", TRUST_E_FORMAT},
    {"a number not as canonical", good_head,
     "{\"exp\":1709480000.0,\"iat\":1709469000,\"iss\":\"x\",\"type\":\"bundle\"}", TRUST_E_FORMAT},
    {"a doubled member in it", good_head,
     "{\"exp\":1709480000,\"exp\":1709480000,\"iat\":1709469000,\"iss\":\"x\",\"type\":\"bundle\"}",
     TRUST_E_FORMAT},
    {"no iat", good_head, "{\"exp\":1709480000,\"iss\":\"x\",\"type\":\"bundle\"}", TRUST_E_FORMAT},
    {"no exp", good_head, "{\"iat\":1709469000,\"iss\":\"x\",\"type\":\"bundle\"}", TRUST_E_FORMAT},
    {"no iss", good_head, "{\"exp\":1709480000,\"iat\":1709469000,\"type\":\"bundle\"}",
     TRUST_E_FORMAT},
    {"iat a text", good_head,
     "{\"exp\":1709480000,\"iat\":\"1709469000\",\"iss\":\"x\",\"type\":\"bundle\"}",
     TRUST_E_FORMAT},
    {"iat 300 s ahead", good_head,
     "{\"exp\":1709480000,\"iat\":1709470300,\"iss\":\"x\",\"type\":\"bundle\"}", TRUST_OK},
    {"iat 301 s ahead", good_head,
     "{\"exp\":1709480000,\"iat\":1709470301,\"iss\":\"x\",\"type\":\"bundle\"}", TRUST_E_NOT_YET},
    {"not yet before expired", good_head,
     "{\"exp\":1,\"iat\":1709470301,\"iss\":\"x\",\"type\":\"bundle\"}", TRUST_E_NOT_YET},
    {"exp now", good_head,
     "{\"exp\":1709470000,\"iat\":1709469000,\"iss\":\"x\",\"type\":\"bundle\"}", TRUST_E_EXPIRED},
    {"exp a second later", good_head,
     "{\"exp\":1709470001,\"iat\":1709469000,\"iss\":\"x\",\"type\":\"bundle\"}", TRUST_OK},
};

/* header with KID replaced, dot, payload, dot, signature */
static void compose(struct trust_key *key, const char *header, const char *payload,
                    struct isg_buf *out)
{
    struct isg_buf head;
    uint8_t signature[TRUST_SIGNATURE_BYTES];
    const char *kid = strstr(header, "\"KID\"");
    isg_buf_init(&head, 4096);
    if (kid != NULL)
        isg_buf_printf(&head, "%.*s\"%s\"%s", (int)(kid - header), header,
                       trust_key_public(key)->kid, kid + 5);
    else
        isg_buf_puts(&head, header);
    isg_buf_reset(out);
    isg_base64_encode(ISG_BASE64_URL, head.p != NULL ? head.p : "", head.len, out);
    isg_buf_putc(out, '.');
    isg_base64_encode(ISG_BASE64_URL, payload, strlen(payload), out);
    (void)trust_sign(key, isg_buf_str(out), signature, NULL);
    isg_buf_putc(out, '.');
    isg_base64_encode(ISG_BASE64_URL, signature, sizeof signature, out);
    isg_buf_done(&head);
}

static enum trust_code verify(struct trust_key *key, struct isg_str jws, const char *type)
{
    struct isg_fail why = {0};
    return trust_statement_verify(jws, type, &(struct trust_ring){trust_key_public(key), 1, NOW},
                                  NULL, &why);
}

static void test_rows(struct trust_key *key)
{
    struct isg_buf jws;
    isg_buf_init(&jws, 65536);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        compose(key, rows[i].header, rows[i].payload, &jws);
        is_str(trust_code_name(verify(key, isg_buf_str(&jws), "bundle")),
               trust_code_name(rows[i].want), "%s", rows[i].name);
    }
    isg_buf_done(&jws);
}

/* The text forms that other libraries take and we do not. */
static void test_text(struct trust_key *key)
{
    struct isg_buf jws;
    struct isg_buf text;
    isg_buf_init(&jws, 65536);
    isg_buf_init(&text, 65536);
    compose(key, good_head, BODY, &jws);
    const char *const before[] = {"", " ", "", "\n", "", ""};
    const char *const after[] = {"=", "", "\n", "", ".", ".AAAA"};
    for (size_t i = 0; i < sizeof after / sizeof after[0]; i++) {
        isg_buf_reset(&text);
        isg_buf_printf(&text, "%s%s%s", before[i], jws.p, after[i]);
        ok(verify(key, isg_buf_str(&text), "bundle") == TRUST_E_FORMAT, "around it: %zu", i);
    }
    for (size_t n = 0; n < jws.len; n++)
        if (verify(key, (struct isg_str){jws.p, n}, "bundle") == TRUST_OK)
            ok(false, "cut at %zu", n);
    size_t taken = 0;
    for (size_t i = 0; i < jws.len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            jws.p[i] ^= (char)(1 << bit);
            taken += verify(key, isg_buf_str(&jws), "bundle") == TRUST_OK;
            jws.p[i] ^= (char)(1 << bit);
        }
    }
    is_int((long long)taken, 0, "no bit of %zu bytes can be changed", jws.len);
    ok(verify(key, isg_buf_str(&jws), NULL) == TRUST_OK, "any type is taken when none is named");
    ok(verify(key, isg_buf_str(&jws), "head") == TRUST_E_TYP, "another type is not");
    isg_buf_done(&jws);
    isg_buf_done(&text);
}

/* Adding the group's order to S gives a second signature where a verifier is careless. */
static void test_malleable(struct trust_key *key)
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                      0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    uint8_t signature[TRUST_SIGNATURE_BYTES];
    unsigned carry = 0;
    (void)trust_sign(key, ISG_STR("text"), signature, NULL);
    for (size_t i = 0; i < sizeof order; i++) {
        carry += (unsigned)signature[32 + i] + order[i];
        signature[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    ok(trust_verify(trust_key_public(key), ISG_STR("text"), signature) == ISG_ESIGN,
       "S + L is refused");
}

static void test_sign(struct trust_key *key)
{
    static const char *const refused[] = {
        "", "{", "{\"type\":\"head\"}", "{ \"type\":\"bundle\"}", "{\"type\":\"bundle\",\"a\":1}",
    };
    struct isg_buf jws;
    struct isg_buf payload;
    struct isg_fail why = {0};
    isg_buf_init(&jws, 65536);
    isg_buf_init(&payload, 65536);
    ok(trust_statement_sign(key, "bundle", ISG_STR(BODY), &jws, &why) == ISG_OK, "it is signed %s",
       why.text);
    ok(trust_statement_verify(isg_buf_str(&jws), "bundle",
                              &(struct trust_ring){trust_key_public(key), 1, NOW}, &payload,
                              &why) == TRUST_OK &&
           isg_str_is(isg_buf_str(&payload), BODY),
       "and its bytes come back");
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        ok(trust_statement_sign(key, "bundle", isg_str_of(refused[i]), &jws, &why) != ISG_OK,
           "what is no canonical statement is not signed: %zu", i);
    ok(trust_statement_verify(isg_buf_str(&jws), "bundle", &(struct trust_ring){NULL, 0, NOW}, NULL,
                              &why) == TRUST_E_UNKNOWN_KEY,
       "without keys none is trusted");
    isg_buf_done(&jws);
    isg_buf_done(&payload);
}

/*
 * The corpus' cases that concern one statement: "FILE" or "FILE at TIME". Rows on sequences, key
 * sets and audit logs belong to others.
 */
static bool is_single(const char *input, const char *want)
{
    return strstr(input, ".jws") != NULL && strstr(input, " with ") == NULL &&
           strstr(input, " after ") == NULL && strcmp(want, "E_EQUIVOCATION") != 0 &&
           strcmp(want, "E_FAST_FORWARD") != 0;
}

static void corpus_row(struct trust_key *key, const char *input, const char *want)
{
    char file[256] = "";
    char below[320];
    long long at = NOW;
    size_t n = 0;
    if (sscanf(input, "%255s at %lld", file, &at) < 1 || !is_single(input, want))
        return;
    (void)snprintf(below, sizeof below, "signing/vectors/%s", file);
    char *jws = tap_slurp(tap_corpus(below), &n);
    if (jws == NULL)
        return;
    if (n > 0 && jws[n - 1] == '\n')
        n--;
    const char *type = strstr(file, "head-") != NULL ? "head" : "bundle";
    struct isg_fail why = {0};
    enum trust_code code =
        trust_statement_verify((struct isg_str){jws, n}, type,
                               &(struct trust_ring){trust_key_public(key), 1, at}, NULL, &why);
    is_str(trust_code_name(code), want, "corpus: %s", input);
    free(jws);
}

static void test_corpus(void)
{
    const char *path = tap_corpus("signing/vectors/cases.tsv");
    char *table = path != NULL ? tap_slurp(path, NULL) : NULL;
    struct trust_key *key = support_corpus_key();
    struct isg_str rest = isg_str_of(table);
    struct isg_str line;
    while (key != NULL && table != NULL && isg_str_split(&rest, '\n', &line)) {
        char input[256];
        char name[64];
        char want[64];
        char copy[1024];
        (void)snprintf(copy, sizeof copy, "%.*s", ISG_STR_ARG(line));
        if (sscanf(copy, "%255[^\t]\t%63[^\t]\t%63[^\t]", input, name, want) == 3)
            corpus_row(key, input, want);
    }
    trust_key_free(&key);
    free(table);
}

int main(void)
{
    support_begin();
    struct trust_key *key = support_key("content.key");
    test_rows(key);
    test_text(key);
    test_malleable(key);
    test_sign(key);
    test_corpus();
    trust_key_free(&key);
    support_end();
    return tap_done();
}
