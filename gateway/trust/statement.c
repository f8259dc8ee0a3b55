#include "gateway/trust/statement.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "gateway/metrics.h"
#include "stix/base/base64.h"
#include "stix/base/jsonw.h"
#include "stix/json.h"

enum {
    JWS_MAX = 4 * 1024 * 1024, /* bytes of a whole statement */
    HEADER_MAX = 4096,
    TYP_BYTES = 48,
    SKEW_S = 300 /* a clock may be this far behind the signer's */
};

/* Kinds of statements. What expires must say when. */
static const struct {
    const char *type;
    bool expires;
} kinds[] = {
    {"bundle", true},   {"head", true},      {"keys", true},      {"audit", false},
    {"receipt", false}, {"evidence", false}, {"delivery", false},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

const char *trust_code_name(enum trust_code code)
{
    static const char *const names[] = {
        [TRUST_OK] = "OK",
        [TRUST_E_FORMAT] = "E_FORMAT",
        [TRUST_E_ALG] = "E_ALG",
        [TRUST_E_CRIT] = "E_CRIT",
        [TRUST_E_HEADER] = "E_HEADER",
        [TRUST_E_TYP] = "E_TYP",
        [TRUST_E_UNKNOWN_KEY] = "E_UNKNOWN_KEY",
        [TRUST_E_SIGNATURE] = "E_SIGNATURE",
        [TRUST_E_REVOKED] = "E_REVOKED",
        [TRUST_E_NOT_YET] = "E_NOT_YET",
        [TRUST_E_EXPIRED] = "E_EXPIRED",
        [TRUST_E_LEGACY] = "E_LEGACY",
        [TRUST_E_HASH] = "E_HASH",
    };
    static_assert(sizeof names / sizeof names[0] == TRUST_CODE_COUNT, "every code has its name");
    return (unsigned)code < TRUST_CODE_COUNT ? names[code] : "E_FORMAT";
}

bool trust_statement_is_type(const char *type)
{
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].type, type) == 0)
            return true;
    return false;
}

static enum trust_code refuse(struct isg_fail *why, enum trust_code code, const char *text)
{
    isg_fail_at(why, ISG_ESIGN, NULL, trust_code_name(code), "%s", text);
    return code;
}

/* One check at work: the parts of the JWS as they become known, in the order of the checks. */
struct check {
    struct isg_str signed_part; /* header.payload as written */
    struct isg_buf header;
    struct isg_buf payload;
    struct isg_buf signature;
    char type[TYP_BYTES]; /* of the header's typ */
    bool expires;
    const struct trust_public *key;
};

static bool decode(struct isg_str text, size_t max, struct isg_buf *out)
{
    isg_buf_init(out, max);
    return isg_base64_decode(ISG_BASE64_URL, text, out) && out->err == ISG_OK;
}

/* Exactly three parts of strict base64url: no padding, no line breaks, no spare bits. */
static enum trust_code split(struct check *check, struct isg_str jws, struct isg_fail *why)
{
    size_t first = isg_str_find(jws, '.');
    struct isg_str rest = {NULL, 0};
    if (first < jws.n)
        rest = isg_str_from(jws, first + 1);
    size_t second = isg_str_find(rest, '.');
    if (jws.n > JWS_MAX || first >= jws.n || second >= rest.n)
        return refuse(why, TRUST_E_FORMAT, "not three parts");
    check->signed_part = (struct isg_str){jws.p, first + 1 + second};
    if (!decode((struct isg_str){jws.p, first}, HEADER_MAX, &check->header) ||
        !decode((struct isg_str){rest.p, second}, JWS_MAX, &check->payload) ||
        !decode(isg_str_from(rest, second + 1), HEADER_MAX, &check->signature))
        return refuse(why, TRUST_E_FORMAT, "not base64url");
    return TRUST_OK;
}

static bool is_string(const struct stix_json *header, const char *name)
{
    return stix_json_type(stix_json_get(header, name)) == STIX_JSON_STRING;
}

/* "isg-bundle+jws" to "bundle"; false when it is none of ours or not the one expected. */
static bool type_of_typ(struct check *check, struct isg_str typ, const char *expected)
{
    for (size_t i = 0; i < KINDS; i++) {
        char known[TYP_BYTES];
        (void)snprintf(known, sizeof known, "isg-%s+jws", kinds[i].type);
        if (!isg_str_is(typ, known))
            continue;
        (void)snprintf(check->type, sizeof check->type, "%s", kinds[i].type);
        check->expires = kinds[i].expires;
        return expected == NULL || strcmp(expected, kinds[i].type) == 0;
    }
    return false;
}

static const struct trust_public *find_key(struct isg_str kid, const struct trust_public *keys,
                                           size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (isg_str_is(kid, keys[i].kid))
            return &keys[i];
    return NULL;
}

/* What the header may say: exactly alg, kid and typ, and no way to bring a key along. */
static enum trust_code judge_header(struct check *check, const struct stix_json *header,
                                    const char *type, struct isg_fail *why)
{
    struct isg_str alg = stix_json_get_str(header, "alg");
    if (!isg_str_is(alg, "EdDSA") && !isg_str_is(alg, "Ed25519"))
        return refuse(why, TRUST_E_ALG, "the algorithm is not EdDSA");
    if (stix_json_has(header, "crit"))
        return refuse(why, TRUST_E_CRIT, "the header names critical extensions");
    if (stix_json_size(header) != 3 || !is_string(header, "kid") || !is_string(header, "typ"))
        return refuse(why, TRUST_E_HEADER, "the header is not exactly alg, kid and typ");
    if (!type_of_typ(check, stix_json_get_str(header, "typ"), type))
        return refuse(why, TRUST_E_TYP, "the header's typ is not what is expected here");
    return TRUST_OK;
}

static enum trust_code judge_signature(struct check *check, struct isg_str kid,
                                       const struct trust_public *keys, size_t count,
                                       struct isg_fail *why)
{
    if (check->signature.len != TRUST_SIGNATURE_BYTES)
        return refuse(why, TRUST_E_FORMAT, "the signature is not 64 bytes");
    check->key = find_key(kid, keys, count);
    if (check->key == NULL)
        return refuse(why, TRUST_E_UNKNOWN_KEY, "the signing key is not a trusted one");
    if (trust_verify(check->key, check->signed_part, (const uint8_t *)check->signature.p) != ISG_OK)
        return refuse(why, TRUST_E_SIGNATURE, "the signature does not hold");
    return TRUST_OK;
}

static bool is_canonical(const struct stix_json *value, struct isg_str text)
{
    struct isg_buf canon;
    isg_buf_init(&canon, JWS_MAX);
    stix_json_canon(value, &canon);
    bool same = canon.err == ISG_OK && isg_str_eq(isg_buf_str(&canon), text);
    isg_buf_done(&canon);
    return same;
}

static enum trust_code judge_statement(const struct check *check, const struct stix_json *statement,
                                       int64_t now_s, struct isg_fail *why)
{
    int64_t iat = 0;
    int64_t exp = 0;
    bool has_exp = stix_json_has(statement, "exp");
    if (!isg_str_is(stix_json_get_str(statement, "type"), check->type))
        return refuse(why, TRUST_E_TYP, "the statement's type does not fit the header's typ");
    if (!is_canonical(statement, isg_buf_str(&check->payload)))
        return refuse(why, TRUST_E_FORMAT, "the statement is not canonical JSON");
    if (!is_string(statement, "iss") || !stix_json_int(stix_json_get(statement, "iat"), &iat) ||
        (has_exp && !stix_json_int(stix_json_get(statement, "exp"), &exp)) ||
        (check->expires && !has_exp))
        return refuse(why, TRUST_E_FORMAT, "the statement lacks iss, iat or exp");
    if (iat > now_s && iat - now_s > SKEW_S)
        return refuse(why, TRUST_E_NOT_YET, "the statement was made in the future");
    if (has_exp && exp <= now_s)
        return refuse(why, TRUST_E_EXPIRED, "the statement has expired");
    return TRUST_OK;
}

static enum trust_code parse_object(const struct isg_buf *text, struct stix_json **out,
                                    struct isg_fail *why)
{
    if (stix_json_parse(isg_buf_str(text), NULL, out, NULL) != ISG_OK)
        return refuse(why, TRUST_E_FORMAT, "not strict JSON");
    if (stix_json_type(*out) != STIX_JSON_OBJECT)
        return refuse(why, TRUST_E_FORMAT, "not a JSON object");
    return TRUST_OK;
}

enum trust_code trust_statement_verify(struct isg_str jws, const char *type,
                                       const struct trust_ring *ring, struct isg_buf *out_payload,
                                       struct isg_fail *why)
{
    struct check check = {0};
    struct stix_json *header = NULL;
    struct stix_json *statement = NULL;
    enum trust_code code = split(&check, jws, why);
    if (code == TRUST_OK)
        code = parse_object(&check.header, &header, why);
    if (code == TRUST_OK)
        code = judge_header(&check, header, type, why);
    if (code == TRUST_OK)
        code = judge_signature(&check, stix_json_get_str(header, "kid"), ring->keys,
                               ring->keys_count, why);
    if (code == TRUST_OK)
        code = parse_object(&check.payload, &statement, why);
    if (code == TRUST_OK)
        code = judge_statement(&check, statement, ring->now_s, why);
    if (code == TRUST_OK && out_payload != NULL)
        isg_buf_put_str(out_payload, isg_buf_str(&check.payload));
    stix_json_free(&statement);
    stix_json_free(&header);
    isg_buf_done(&check.header);
    isg_buf_done(&check.payload);
    isg_buf_done(&check.signature);
    return code;
}

/* Our own statements are held to the rules we hold others' to. */
static int check_own(const char *type, struct isg_str payload, struct isg_fail *why)
{
    struct stix_json *statement = NULL;
    int err = stix_json_parse(payload, NULL, &statement, why);
    if (err == ISG_OK && (!isg_str_is(stix_json_get_str(statement, "type"), type) ||
                          !is_canonical(statement, payload)))
        err = isg_fail(why, ISG_EINVAL, "not a canonical statement of type %s", type);
    stix_json_free(&statement);
    return err;
}

int trust_statement_sign(struct trust_key *key, const char *type, struct isg_str payload,
                         struct isg_buf *out, struct isg_fail *why)
{
    struct isg_buf header;
    struct isg_buf text;
    char labels[TYP_BYTES];
    uint8_t signature[TRUST_SIGNATURE_BYTES];
    int err = check_own(type, payload, why);
    if (err != ISG_OK)
        return err;
    isg_buf_init(&header, HEADER_MAX);
    isg_buf_init(&text, JWS_MAX);
    isg_buf_printf(&header, "{\"alg\":\"EdDSA\",\"kid\":\"%s\",\"typ\":\"isg-%s+jws\"}",
                   trust_key_public(key)->kid, type);
    isg_base64_encode(ISG_BASE64_URL, header.p, header.len, &text);
    isg_buf_putc(&text, '.');
    isg_base64_encode(ISG_BASE64_URL, payload.p, payload.n, &text);
    err = header.err != ISG_OK ? header.err : text.err;
    if (err != ISG_OK)
        isg_fail(why, err, "no room for the statement");
    else
        err = trust_sign(key, isg_buf_str(&text), signature, why);
    if (err == ISG_OK) {
        isg_buf_put_str(out, isg_buf_str(&text));
        isg_buf_putc(out, '.');
        isg_base64_encode(ISG_BASE64_URL, signature, sizeof signature, out);
        err = out->err;
        (void)snprintf(labels, sizeof labels, "type=\"%s\"", type);
        metric_add(METRIC_SIGNATURES, labels, 1);
    }
    isg_buf_done(&header);
    isg_buf_done(&text);
    return err;
}
