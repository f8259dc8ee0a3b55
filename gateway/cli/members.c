/* Members of the running service, and what they log in with. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cli/cli.h"
#include "gateway/trust/secret.h"
#include "stix/base/base64.h"
#include "stix/base/digest.h"
#include "stix/base/jsonw.h"

enum { BODY_MAX = 1 << 20, PEM_MAX = 1 << 20, PASSWORD_GOOD = 8 };

struct member_words {
    const char *kind;
    const char *password_file;
    const char *keep_old;
    const char *title;
    const char *tlp_max;
    const char *requests;
    const char *certificate;
    const char *add_certificate;
    const char *remove_certificate;
    const char *issuer;
};

/* ---- what is printed ---- */

static void print_member(const struct stix_json *json)
{
    printf("%-24.*s %-20.*s %s\n", ISG_STR_ARG(stix_json_get_str(json, "name")),
           ISG_STR_ARG(stix_json_get_str(json, "kind")),
           stix_json_bool(stix_json_get(json, "suspended")) ? "suspended" : "active");
}

static void print_members(const struct stix_json *json)
{
    const struct stix_json *members = stix_json_get(json, "members");
    for (size_t i = 0; i < stix_json_size(members); i++)
        print_member(stix_json_at(members, i));
}

static void print_tokens(const struct stix_json *json)
{
    const struct stix_json *tokens = stix_json_get(json, "tokens");
    for (size_t i = 0; i < stix_json_size(tokens); i++) {
        const struct stix_json *token = stix_json_at(tokens, i);
        struct isg_str expires = stix_json_get_str(token, "expires");
        printf("token %.*s  %-24.*s %s%.*s\n", ISG_STR_ARG(stix_json_get_str(token, "id")),
               ISG_STR_ARG(stix_json_get_str(token, "label")), expires.n > 0 ? "until " : "",
               ISG_STR_ARG(expires));
    }
}

static void print_certificates(const struct stix_json *json)
{
    const struct stix_json *list = stix_json_get(json, "certificates");
    for (size_t i = 0; i < stix_json_size(list); i++) {
        const struct stix_json *one = stix_json_at(list, i);
        if (stix_json_type(one) == STIX_JSON_STRING)
            printf("certificate %.*s\n", ISG_STR_ARG(stix_json_str(one)));
        else
            printf("certificate %.*s of %.*s\n", ISG_STR_ARG(stix_json_get_str(one, "san")),
                   ISG_STR_ARG(stix_json_get_str(one, "issuer")));
    }
}

static void print_whole(const struct stix_json *json)
{
    struct isg_str until = stix_json_get_str(json, "old_password_until");
    print_member(json);
    if (until.n > 0)
        printf("the password before is good until %.*s\n", ISG_STR_ARG(until));
    print_certificates(json);
    print_tokens(json);
}

static void print_token(const struct stix_json *json)
{
    cli_print(stix_json_get_str(json, "token"));
}

static void print_revoked(const struct stix_json *json)
{
    int64_t n = 0;
    (void)stix_json_int(stix_json_get(json, "revoked"), &n);
    printf("%lld revoked\n", (long long)n);
}

/* ---- what is sent ---- */

/* SHA-256 of the first certificate of a PEM file. */
static int fingerprint_of(const char *path, char out[2 * ISG_SHA256_BYTES + 1],
                          struct isg_fail *why)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----";
    uint8_t digest[ISG_SHA256_BYTES];
    struct isg_buf text, base64, der;
    isg_buf_init(&text, PEM_MAX + 1);
    isg_buf_init(&base64, PEM_MAX);
    isg_buf_init(&der, PEM_MAX);
    int err = cli_read(path, PEM_MAX, &text, why);
    if (err == ISG_OK)
        isg_buf_putc(&text, '\0');
    const char *at = err == ISG_OK && text.err == ISG_OK ? strstr(text.p, begin) : NULL;
    for (at = at != NULL ? at + sizeof begin - 1 : ""; *at != '\0' && *at != '-'; at++)
        if (strchr("\r\n \t", *at) == NULL)
            isg_buf_putc(&base64, *at);
    if (err == ISG_OK &&
        (base64.len == 0 || !isg_base64_decode(ISG_BASE64_STD, isg_buf_str(&base64), &der)))
        err = isg_fail(why, ISG_EPARSE, "%s holds no PEM certificate", path);
    if (err == ISG_OK) {
        isg_sha256(isg_buf_str(&der), digest);
        isg_hex_encode(digest, sizeof digest, out);
    }
    isg_buf_done(&text);
    isg_buf_done(&base64);
    isg_buf_done(&der);
    return err;
}

/* A fingerprint, a PEM file, or a subject alternative name together with --issuer. */
static int put_certificate(struct isg_jsonw *w, const char *text, const char *issuer,
                           struct isg_fail *why)
{
    char hex[2 * ISG_SHA256_BYTES + 1];
    if (issuer != NULL) {
        isg_jsonw_object(w);
        isg_jsonw_put(w, "issuer", issuer);
        isg_jsonw_put(w, "san", text);
        isg_jsonw_end(w);
        return ISG_OK;
    }
    bool is_hex = text[0] != '\0' && text[strspn(text, "0123456789abcdefABCDEF:")] == '\0';
    int err = is_hex ? ISG_OK : fingerprint_of(text, hex, why);
    isg_jsonw_str(w, isg_str_of(is_hex || err != ISG_OK ? text : hex));
    return err;
}

static int put_certificates(const struct member_words *words, struct isg_jsonw *w,
                            struct isg_fail *why)
{
    int err = ISG_OK;
    if (words->certificate != NULL) {
        isg_jsonw_name(w, "certificates");
        isg_jsonw_list(w);
        err = put_certificate(w, words->certificate, words->issuer, why);
        isg_jsonw_end(w);
    }
    if (words->add_certificate != NULL && err == ISG_OK) {
        isg_jsonw_name(w, "add_certificate");
        err = put_certificate(w, words->add_certificate, words->issuer, why);
    }
    if (words->remove_certificate != NULL && err == ISG_OK) {
        isg_jsonw_name(w, "remove_certificate");
        err = put_certificate(w, words->remove_certificate, words->issuer, why);
    }
    return err;
}

/* A time like 24h, as seconds. */
static int put_seconds(struct isg_jsonw *w, const char *name, const char *text,
                       struct isg_fail *why)
{
    uint64_t seconds;
    if (text == NULL)
        return ISG_OK;
    if (!config_seconds(isg_str_of(text), &seconds))
        return isg_fail(why, ISG_EUSAGE, "%s is not a time like 90s, 24h or 30d", text);
    isg_jsonw_put_int(w, name, (int64_t)seconds);
    return ISG_OK;
}

static int put_requests(struct isg_jsonw *w, const char *text, struct isg_fail *why)
{
    uint64_t number;
    if (text == NULL)
        return ISG_OK;
    if (strcmp(text, "default") == 0) {
        isg_jsonw_name(w, "requests_per_minute");
        isg_jsonw_raw(w, ISG_STR("null"));
        return ISG_OK;
    }
    if (!isg_str_to_u64(isg_str_of(text), UINT32_MAX, &number))
        return isg_fail(why, ISG_EUSAGE, "--requests-per-minute is a number or `default`");
    isg_jsonw_put_int(w, "requests_per_minute", (int64_t)number);
    return ISG_OK;
}

static int member_body(const struct cli *cli, const struct member_words *words, struct isg_buf *out,
                       struct isg_fail *why)
{
    struct isg_buf password;
    struct isg_jsonw w;
    isg_buf_init(&password, 4096);
    int err = ISG_OK;
    if (words->password_file != NULL)
        err = cli_read_secret(words->password_file, &password, why);
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "name", cli->args[0]);
    isg_jsonw_put(&w, "kind", words->kind);
    isg_jsonw_put(&w, "title", words->title);
    isg_jsonw_put(&w, "tlp_max", words->tlp_max);
    if (words->password_file != NULL && err == ISG_OK) {
        isg_jsonw_put_str(&w, "password", isg_buf_str(&password));
        if (password.len < PASSWORD_GOOD)
            (void)fprintf(
                stderr, "isg member: warning: a password of fewer than %d bytes is soon guessed\n",
                PASSWORD_GOOD);
    }
    if (err == ISG_OK)
        err = put_seconds(&w, "keep_old_s", words->keep_old, why);
    if (err == ISG_OK)
        err = put_requests(&w, words->requests, why);
    if (err == ISG_OK)
        err = put_certificates(words, &w, why);
    isg_jsonw_end(&w);
    if (password.p != NULL)
        trust_wipe(password.p, password.cap);
    isg_buf_done(&password);
    return err != ISG_OK ? err : out->err;
}

/* ---- the commands ---- */

static int member_words_of(struct cli *cli, struct member_words *words)
{
    const struct cli_option options[] = {{"--kind", NULL, &words->kind},
                                         {"--password-file", NULL, &words->password_file},
                                         {"--keep-old", NULL, &words->keep_old},
                                         {"--title", NULL, &words->title},
                                         {"--tlp-max", NULL, &words->tlp_max},
                                         {"--requests-per-minute", NULL, &words->requests},
                                         {"--certificate", NULL, &words->certificate},
                                         {"--add-certificate", NULL, &words->add_certificate},
                                         {"--remove-certificate", NULL, &words->remove_certificate},
                                         {"--issuer", NULL, &words->issuer}};
    int code = cli_arguments(cli, options, sizeof options / sizeof options[0], 1, 1);
    if (code == 0 && words->keep_old != NULL && words->password_file == NULL)
        code = cli_usage(cli, "--keep-old needs --password-file");
    if (code == 0 && words->issuer != NULL && words->certificate == NULL &&
        words->add_certificate == NULL && words->remove_certificate == NULL)
        code = cli_usage(cli, "--issuer needs a certificate's name, as --add-certificate DNS:NAME");
    return code;
}

static int member_put(struct cli *cli, bool create)
{
    struct member_words words = {0};
    struct isg_fail why = {0};
    struct isg_buf body;
    int code = member_words_of(cli, &words);
    if (code == 0 && create && words.kind == NULL)
        code = cli_usage(cli, "--kind is missing");
    if (code != 0)
        return code;
    isg_buf_init(&body, BODY_MAX);
    if (member_body(cli, &words, &body, &why) != ISG_OK)
        code = cli_fail(cli, &why);
    else if (create)
        code = cli_admin_print(cli, "POST", "/admin/v1/members", isg_buf_str(&body), print_member);
    else
        code = cli_named(cli, "PUT", "members", "", isg_buf_str(&body), print_member);
    if (body.p != NULL)
        trust_wipe(body.p, body.cap);
    isg_buf_done(&body);
    return code;
}

static int member_add(struct cli *cli)
{
    return member_put(cli, true);
}

static int member_set(struct cli *cli)
{
    return member_put(cli, false);
}

static int member_list(struct cli *cli)
{
    int code = cli_arguments(cli, NULL, 0, 0, 0);
    return code != 0 ? code : cli_ask(cli, "/admin/v1/members", print_members);
}

static int member_show(struct cli *cli)
{
    int code = cli_arguments(cli, NULL, 0, 1, 1);
    return code != 0 ? code
                     : cli_named(cli, NULL, "members", "", (struct isg_str){NULL, 0}, print_whole);
}

static int token_revoke(struct cli *cli, const char *which)
{
    struct isg_buf rest;
    isg_buf_init(&rest, BODY_MAX);
    isg_buf_puts(&rest, "/token?token=");
    cli_escape(&rest, which);
    int code =
        cli_named(cli, "DELETE", "members", rest.p, (struct isg_str){NULL, 0}, print_revoked);
    isg_buf_done(&rest);
    return code;
}

static int token_make(struct cli *cli, const char *label, const char *expires)
{
    struct isg_fail why = {0};
    struct isg_buf body;
    struct isg_jsonw w;
    isg_buf_init(&body, BODY_MAX);
    isg_jsonw_init(&w, &body);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "label", label);
    int err = put_seconds(&w, "expires_s", expires, &why);
    isg_jsonw_end(&w);
    int code = err != ISG_OK
                   ? cli_fail(cli, &why)
                   : cli_named(cli, "POST", "members", "/token", isg_buf_str(&body), print_token);
    isg_buf_done(&body);
    return code;
}

static int member_token(struct cli *cli)
{
    const char *label = NULL;
    const char *expires = NULL;
    const char *revoke = NULL;
    bool list = false;
    const struct cli_option options[] = {{"--label", NULL, &label},
                                         {"--expires", NULL, &expires},
                                         {"--revoke", NULL, &revoke},
                                         {"--list", &list, NULL}};
    int code = cli_arguments(cli, options, sizeof options / sizeof options[0], 1, 1);
    bool makes = label != NULL || expires != NULL;
    if (code == 0 && (revoke != NULL) + list + makes > 1)
        code = cli_usage(
            cli,
            "--list, --revoke, and a new token with --label and --expires are different errands");
    if (code != 0)
        return code;
    if (list)
        return cli_named(cli, NULL, "members", "", (struct isg_str){NULL, 0}, print_tokens);
    return revoke != NULL ? token_revoke(cli, revoke)
                          : token_make(cli, label != NULL ? label : "token", expires);
}

static int member_switch(struct cli *cli, bool suspended)
{
    struct isg_buf body;
    struct isg_jsonw w;
    int code = cli_arguments(cli, NULL, 0, 1, 1);
    if (code != 0)
        return code;
    isg_buf_init(&body, BODY_MAX);
    isg_jsonw_init(&w, &body);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "name", cli->args[0]);
    isg_jsonw_put_bool(&w, "suspended", suspended);
    isg_jsonw_end(&w);
    code = cli_named(cli, "PUT", "members", "", isg_buf_str(&body), print_member);
    isg_buf_done(&body);
    return code;
}

static int member_suspend(struct cli *cli)
{
    return member_switch(cli, true);
}

static int member_resume(struct cli *cli)
{
    return member_switch(cli, false);
}

int cli_member(struct cli *cli)
{
    static const struct cli_command family[] = {
        {"add", NULL, member_add},         {"list", NULL, member_list},
        {"show", NULL, member_show},       {"set", NULL, member_set},
        {"suspend", NULL, member_suspend}, {"resume", NULL, member_resume},
        {"token", NULL, member_token}};
    return cli_family(cli, family, sizeof family / sizeof family[0]);
}
