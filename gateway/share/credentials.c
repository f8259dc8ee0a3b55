#include "gateway/share/credentials.h"

#include <string.h>

#include "gateway/networks.h"
#include "stix/base/digest.h"
#include "stix/base/time.h"

enum { CERTIFICATES_MAX = 1000, ISSUER_MAX = 1024, SAN_MAX = 512 };

static const char no_certificate[] =
    "a certificate is a SHA-256 fingerprint in hex, or {\"issuer\": DN, \"san\": "
    "\"DNS:|URI:|EMAIL:|IP:...\"}";

/* ---- client certificates -------------------------------------------------------------------- */

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* "DNS:Pump.Example" has one form, host names are of any case; and so has "IP:2001:DB8::1". */
static bool copy_san(struct document_read *read, struct isg_str san, char **out)
{
    static const char *const kinds[] = {"DNS:", "URI:", "EMAIL:", "IP:"};
    char address[NETWORKS_ADDRESS_TEXT];
    bool known = false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        known = known || (isg_str_starts(san, isg_str_of(kinds[i])) && san.n > strlen(kinds[i]));
    if (!known || san.n > SAN_MAX || !document_is_clean(san))
        return false;
    if (san.p[0] == 'I') {
        if (!networks_address(isg_str_from(san, strlen("IP:")), address))
            return false;
        *out = isg_arena_printf(read->arena, "IP:%s", address);
        return *out != NULL;
    }
    *out = isg_arena_copy(read->arena, san);
    for (size_t i = 4; *out != NULL && san.p[0] == 'D' && i < san.n; i++)
        (*out)[i] = lower((*out)[i]);
    return *out != NULL;
}

/*
 * A distinguished name without the blanks that mean nothing: around commas, plus signs and the
 * equals sign of each part. "CN=a, O=b" is what many tools print; certificates are compared by
 * "CN=a,O=b" (RFC 4514). What is escaped or in quotes stays as it is.
 */
static char *copy_issuer(struct isg_arena *arena, struct isg_str issuer)
{
    char *out = isg_arena_copy(arena, issuer);
    bool in_type = true;
    bool in_quotes = false;
    bool is_begun = false; /* a type or value: blanks before it are left out */
    size_t kept = 0;       /* up to here nothing is a blank that ends one */
    size_t n = 0;
    for (const char *c = out; out != NULL && *c != '\0'; c++) {
        bool escapes = *c == '\\' && c[1] != '\0';
        bool cuts = !in_quotes && (*c == ',' || *c == '+' || (*c == '=' && in_type));
        if (*c == ' ' && !is_begun)
            continue;
        if (cuts) {
            n = kept;
            in_type = *c != '=';
        }
        in_quotes = in_quotes != (*c == '"');
        is_begun = !cuts;
        out[n++] = *c;
        if (escapes)
            out[n++] = *++c;
        if (escapes || in_quotes || out[n - 1] != ' ')
            kept = n;
    }
    if (out != NULL)
        out[kept] = '\0';
    return out;
}

static int read_certificate(struct document_read *read, const struct stix_json *value,
                            struct member_certificate *out)
{
    char hex[65];
    struct isg_str issuer = stix_json_get_str(value, "issuer");
    *out = (struct member_certificate){NULL, NULL, NULL};
    if (stix_json_type(value) == STIX_JSON_STRING &&
        member_fingerprint(stix_json_str(value), hex)) {
        out->fingerprint = isg_arena_copy(read->arena, isg_str_of(hex));
    } else if (stix_json_type(value) == STIX_JSON_OBJECT && stix_json_size(value) == 2 &&
               issuer.n > 0 && issuer.n <= ISSUER_MAX && document_is_clean(issuer) &&
               copy_san(read, stix_json_get_str(value, "san"), &out->san)) {
        out->issuer = copy_issuer(read->arena, issuer);
        if (out->issuer != NULL && out->issuer[0] == '\0')
            return document_refuse(read, no_certificate);
    } else {
        return document_refuse(read, no_certificate);
    }
    return out->fingerprint != NULL || out->issuer != NULL
               ? ISG_OK
               : isg_fail(read->why, ISG_ENOMEM, "no memory");
}

int credentials_set_certificates(struct document_read *read, const struct stix_json *value)
{
    struct member *member = read->object;
    size_t n = stix_json_size(value);
    if ((value != NULL && stix_json_type(value) != STIX_JSON_LIST) || n > CERTIFICATES_MAX)
        return document_refuse(read, "a list of at most 1000 certificates");
    struct member_certificate *list = isg_arena_alloc(read->arena, (n + 1) * sizeof *list);
    if (list == NULL)
        return isg_fail(read->why, ISG_ENOMEM, "no memory");
    for (size_t i = 0; i < n; i++) {
        int err = read_certificate(read, stix_json_at(value, i), &list[i]);
        if (err == ISG_EINVAL)
            return isg_fail_at(read->why, ISG_EINVAL, read->path, NULL, "entry %zu: %s", i,
                               no_certificate);
        if (err != ISG_OK)
            return err;
    }
    member->certificates = list;
    member->certificates_count = n;
    return ISG_OK;
}

static bool is_same(const struct member_certificate *a, const struct member_certificate *b)
{
    uint8_t left[CREDENTIALS_KEY_BYTES], right[CREDENTIALS_KEY_BYTES];
    return credentials_key(a, left) && credentials_key(b, right) &&
           memcmp(left, right, sizeof left) == 0;
}

/* The member's list without one certificate, and with room for another, in the arena. */
static int list_without(struct document_read *read, const struct member_certificate *gone,
                        bool *out_found)
{
    struct member *member = read->object;
    struct member_certificate *list =
        isg_arena_alloc(read->arena, (member->certificates_count + 1) * sizeof *list);
    size_t n = 0;
    if (list == NULL)
        return isg_fail(read->why, ISG_ENOMEM, "no memory");
    for (size_t i = 0; i < member->certificates_count; i++)
        if (!is_same(&member->certificates[i], gone))
            list[n++] = member->certificates[i];
    *out_found = n < member->certificates_count;
    member->certificates = list;
    member->certificates_count = n;
    return ISG_OK;
}

int credentials_add_certificate(struct document_read *read, const struct stix_json *value)
{
    struct member *member = read->object;
    struct member_certificate certificate;
    bool found;
    int err = read_certificate(read, value, &certificate);
    if (err == ISG_OK)
        err = list_without(read, &certificate, &found);
    if (err != ISG_OK)
        return err;
    if (member->certificates_count >= CERTIFICATES_MAX)
        return document_refuse(read, "a member has at most 1000 certificates");
    member->certificates[member->certificates_count++] = certificate;
    return ISG_OK;
}

int credentials_remove_certificate(struct document_read *read, const struct stix_json *value)
{
    struct member_certificate certificate;
    bool found = true;
    int err = read_certificate(read, value, &certificate);
    if (err == ISG_OK)
        err = list_without(read, &certificate, &found);
    if (err == ISG_OK && !found)
        return document_refuse(read, "the member has no such certificate");
    return err;
}

void credentials_write_certificates(struct isg_jsonw *w, const struct member *member)
{
    isg_jsonw_list(w);
    for (size_t i = 0; i < member->certificates_count; i++) {
        const struct member_certificate *certificate = &member->certificates[i];
        if (certificate->fingerprint != NULL) {
            isg_jsonw_str(w, isg_str_of(certificate->fingerprint));
            continue;
        }
        isg_jsonw_object(w);
        isg_jsonw_put(w, "issuer", certificate->issuer);
        isg_jsonw_put(w, "san", certificate->san);
        isg_jsonw_end(w);
    }
    isg_jsonw_end(w);
}

bool credentials_key(const struct member_certificate *certificate,
                     uint8_t out[CREDENTIALS_KEY_BYTES])
{
    struct isg_sha256 hash;
    if (certificate->fingerprint != NULL)
        return isg_hex_decode(isg_str_of(certificate->fingerprint), out, CREDENTIALS_KEY_BYTES);
    if (certificate->issuer == NULL || certificate->san == NULL)
        return false;
    isg_sha256_init(&hash); /* neither holds a line end */
    isg_sha256_add(&hash, certificate->issuer, strlen(certificate->issuer));
    isg_sha256_add(&hash, "\n", 1);
    isg_sha256_add(&hash, certificate->san, strlen(certificate->san));
    isg_sha256_end(&hash, out);
    return true;
}

/* ---- tokens --------------------------------------------------------------------------------- */

static int read_token(struct document_read *read, const struct stix_json *value,
                      struct member_token *out)
{
    struct isg_str label = stix_json_get_str(value, "label");
    out->expires_us = 0;
    if (!isg_hex_decode(stix_json_get_str(value, "mac"), out->mac, sizeof out->mac) ||
        !stix_json_int(stix_json_get(value, "created_us"), &out->created_us) ||
        (stix_json_has(value, "expires_us") &&
         !stix_json_int(stix_json_get(value, "expires_us"), &out->expires_us)))
        return document_refuse(read, "a token is {mac, label, created_us, expires_us?}");
    out->label = isg_arena_copy(read->arena, label);
    return out->label == NULL ? isg_fail(read->why, ISG_ENOMEM, "no memory") : ISG_OK;
}

int credentials_set_tokens(struct document_read *read, const struct stix_json *value)
{
    struct member *member = read->object;
    size_t n = stix_json_size(value);
    if (stix_json_type(value) != STIX_JSON_LIST)
        return document_refuse(read, "a list");
    struct member_token *tokens = isg_arena_alloc(read->arena, (n + 1) * sizeof *tokens);
    if (tokens == NULL)
        return isg_fail(read->why, ISG_ENOMEM, "no memory");
    for (size_t i = 0; i < n; i++) {
        int err = read_token(read, stix_json_at(value, i), &tokens[i]);
        if (err != ISG_OK)
            return err;
    }
    member->tokens = tokens;
    member->tokens_count = n;
    return ISG_OK;
}

void credentials_token_id(const struct member_token *token, char out[CREDENTIALS_TOKEN_ID])
{
    uint8_t digest[ISG_SHA256_BYTES];
    isg_sha256((struct isg_str){(const char *)token->mac, sizeof token->mac}, digest);
    isg_hex_encode(digest, (CREDENTIALS_TOKEN_ID - 1) / 2, out);
}

static void write_time(struct isg_jsonw *w, const char *name, int64_t us)
{
    char text[ISG_TIME_TEXT];
    if (us == 0)
        return;
    isg_time_format(us, 3, text);
    isg_jsonw_put(w, name, text);
}

static void write_token_kept(struct isg_jsonw *w, const struct member_token *token)
{
    char mac[2 * TRUST_MAC_BYTES + 1];
    isg_hex_encode(token->mac, TRUST_MAC_BYTES, mac);
    isg_jsonw_put(w, "mac", mac);
    isg_jsonw_put(w, "label", token->label);
    isg_jsonw_put_int(w, "created_us", token->created_us);
    isg_jsonw_put_int(w, "expires_us", token->expires_us);
}

static void write_token_shown(struct isg_jsonw *w, const struct member_token *token)
{
    char id[CREDENTIALS_TOKEN_ID];
    credentials_token_id(token, id);
    isg_jsonw_put(w, "id", id);
    isg_jsonw_put(w, "label", token->label);
    write_time(w, "created", token->created_us);
    write_time(w, "expires", token->expires_us);
}

void credentials_write_tokens(struct isg_jsonw *w, const struct member *member, bool kept)
{
    isg_jsonw_list(w);
    for (size_t i = 0; i < member->tokens_count; i++) {
        isg_jsonw_object(w);
        if (kept)
            write_token_kept(w, &member->tokens[i]);
        else
            write_token_shown(w, &member->tokens[i]);
        isg_jsonw_end(w);
    }
    isg_jsonw_end(w);
}

/* ---- the password before -------------------------------------------------------------------- */

int credentials_set_old_password(struct document_read *read, const struct stix_json *value)
{
    struct member *member = read->object;
    int err = ISG_OK;
    member->old_password_until_us = 0;
    member->old_password_hash = NULL;
    if (value != NULL &&
        !stix_json_int(stix_json_get(value, "until_us"), &member->old_password_until_us))
        err = document_refuse(read, "an old password is {hash, until_us}");
    if (err == ISG_OK && value != NULL)
        err = document_text(read, stix_json_get(value, "hash"), TRUST_PASSWORD_TEXT,
                            &member->old_password_hash);
    return err;
}

void credentials_write_old_password(struct isg_jsonw *w, const struct member *member)
{
    if (member->old_password_hash == NULL)
        return;
    isg_jsonw_name(w, "old_password");
    isg_jsonw_object(w);
    isg_jsonw_put(w, "hash", member->old_password_hash);
    isg_jsonw_put_int(w, "until_us", member->old_password_until_us);
    isg_jsonw_end(w);
}
