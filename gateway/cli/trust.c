/* Checking what left signed, the key that people pin, and the one that signs. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/cli/cli.h"
#include "gateway/trust/bundle_files.h"
#include "gateway/trust/keys.h"
#include "gateway/trust/secret.h"
#include "stix/base/jsonw.h"
#include "stix/base/time.h"

enum { KEY_FILE_MAX = 65536, SECRET_MAX = 4096 };

/* ---- verify ---- */

static int read_public(struct cli *cli, const char *file, struct trust_public *out,
                       struct isg_fail *why)
{
    char path[PATH_MAX];
    struct isg_buf text;
    isg_buf_init(&text, KEY_FILE_MAX);
    (void)snprintf(path, sizeof path, "%s/public/isao.pem", cli->dir);
    int err = cli_read(file != NULL ? file : path, KEY_FILE_MAX, &text, why);
    if (err == ISG_OK) {
        struct isg_fail inner = {.code = ISG_OK};
        err = trust_public_read(isg_buf_str(&text), out, &inner);
        if (err != ISG_OK)
            (void)isg_fail(why, err, "%.160s: %s", file != NULL ? file : path, inner.text);
    }
    isg_buf_done(&text);
    return err;
}

static void print_verdict(const struct cli *cli, const char *file,
                          const struct trust_verify_report *report, const struct isg_fail *why)
{
    struct isg_buf text;
    struct isg_jsonw w;
    const char *code = trust_code_name(report->code);
    if (!cli->json) {
        cli_line(stdout, "%s %s%s%s", code, file, report->code == TRUST_OK ? "" : ": ",
                 report->code == TRUST_OK ? "" : why->text);
        return;
    }
    isg_buf_init(&text, 1 << 20);
    isg_jsonw_init(&w, &text);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "file", file);
    isg_jsonw_put(&w, "code", code);
    isg_jsonw_put(&w, "kid", report->kid);
    isg_jsonw_put_int(&w, "objects", (int64_t)report->objects);
    isg_jsonw_put_bool(&w, "minisig", report->minisig);
    if (report->code == TRUST_OK) {
        if (report->payload.len > 0) {
            isg_jsonw_name(&w, "statement");
            isg_jsonw_raw(&w, isg_buf_str(&report->payload));
        }
    } else {
        isg_jsonw_put(&w, "reason", why->text);
    }
    isg_jsonw_end(&w);
    cli_print(isg_buf_str(&text));
    isg_buf_done(&text);
}

static int verify_arguments(struct cli *cli, const char *at, int64_t *out_now_s)
{
    int64_t us = isg_time_now_us();
    int code = cli_expect(cli, 1, 1);
    if (code == 0 && at != NULL && !isg_time_parse(isg_str_of(at), &us))
        code = cli_usage(cli, "--at %s is not a time like 2026-01-31T12:00:00Z", at);
    *out_now_s = us / 1000000;
    return code;
}

static bool is_there(struct isg_str stem, const char *suffix)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%.*s%s", ISG_STR_ARG(stem), suffix);
    return n < (int)sizeof path && access(path, F_OK) == 0;
}

/*
 * A statement of another kind than a bundle's, or a .jws or .minisig without the files it would
 * stand beside, is checked alone; all else with its companions.
 */
static int verify_file(const char *path, const char *type, const struct trust_public *key,
                       int64_t now_s, struct trust_verify_report *report, struct isg_fail *why)
{
    struct isg_str name = isg_str_of(path);
    struct isg_str stem = {name.p, name.n > 4 ? name.n - 4 : 0};
    if (type != NULL ? strcmp(type, "bundle") != 0
                     : isg_str_ends(name, ISG_STR(".jws")) && !is_there(stem, ""))
        return trust_statement_file_verify(path, type, &(struct trust_ring){key, 1, now_s}, report,
                                           why);
    stem.n = name.n > 8 ? name.n - 8 : 0;
    if (type == NULL && isg_str_ends(name, ISG_STR(".minisig")) && !is_there(stem, ".jws"))
        return trust_minisig_file_verify(path, key, 1, report, why);
    return trust_bundle_verify(path, key, 1, now_s, report, why);
}

int cli_verify(struct cli *cli)
{
    const char *keys = NULL;
    const char *at = NULL;
    const char *type = NULL;
    const struct cli_option options[] = {
        {"--keys", NULL, &keys}, {"--at", NULL, &at}, {"--type", NULL, &type}};
    struct isg_fail why = {0};
    struct trust_public key;
    struct trust_verify_report report;
    int64_t now_s = 0;
    int code = cli_options(cli, options, 3);
    if (code == 0)
        code = verify_arguments(cli, at, &now_s);
    if (code == 0 && type != NULL && !trust_statement_is_type(type))
        code = cli_usage(cli, "--type %s: no such statement", type);
    if (code != 0)
        return code;
    const char *path = cli->args[0];
    trust_verify_report_init(&report);
    int err = trust_start(&why);
    if (err == ISG_OK)
        err = read_public(cli, keys, &key, &why);
    if (err == ISG_OK)
        err = verify_file(path, type, &key, now_s, &report, &why);
    if (err != ISG_OK) {
        code = cli_fail(cli, &why);
        code = err == ISG_EIO ? CLI_DATA : code;
    } else {
        print_verdict(cli, path, &report, &why);
        code = report.code == TRUST_OK ? 0 : CLI_NO;
    }
    trust_verify_report_done(&report);
    return code;
}

/* ---- key ---- */

int cli_content_key(struct cli *cli, const struct config *config, struct trust_key **out,
                    struct isg_fail *why)
{
    char path[PATH_MAX];
    struct isg_buf pass;
    cli->wrong_config = config->keys.passphrase_file == NULL;
    if (cli->wrong_config)
        return isg_fail(why, ISG_EUSAGE,
                        "keys.passphrase_file is not set: nothing opens the signing key");
    isg_buf_init(&pass, SECRET_MAX);
    (void)snprintf(path, sizeof path, "%s/content.key", config->keys.dir);
    int err = cli_read_secret(config->keys.passphrase_file, &pass, why);
    if (err == ISG_OK)
        err = trust_key_load(path, isg_buf_str(&pass), out, why);
    if (pass.p != NULL)
        trust_wipe(pass.p, pass.cap);
    isg_buf_done(&pass);
    return err;
}

static void put_jwk(const struct trust_public *key, struct isg_buf *out)
{
    trust_public_jwk(key, TRUST_CONTENT, out);
    isg_buf_putc(out, '\n');
}

struct key_form {
    const char *name;
    void (*put)(const struct trust_public *key, struct isg_buf *out);
};

static const struct key_form key_forms[] = {
    {"pem", trust_public_pem}, {"minisign", trust_public_minisign}, {"jwk", put_jwk}};

static const struct key_form *key_form_find(const char *name)
{
    for (size_t i = 0; i < sizeof key_forms / sizeof key_forms[0]; i++)
        if (strcmp(name, key_forms[i].name) == 0)
            return &key_forms[i];
    return NULL;
}

/* One line of --json: the key by its fingerprint, and the form asked for. */
static void print_key_json(const struct trust_public *key, const char *form, struct isg_str text)
{
    struct isg_buf out;
    struct isg_buf print;
    struct isg_jsonw w;
    isg_buf_init(&out, KEY_FILE_MAX);
    isg_buf_init(&print, KEY_FILE_MAX);
    trust_public_fingerprint(key, &print);
    isg_jsonw_init(&w, &out);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "role", "content");
    isg_jsonw_put(&w, "kid", key->kid);
    isg_jsonw_put_str(&w, "fingerprint", isg_buf_str(&print));
    if (form != NULL)
        isg_jsonw_put_str(&w, form, text);
    isg_jsonw_end(&w);
    cli_print(isg_buf_str(&out));
    isg_buf_done(&print);
    isg_buf_done(&out);
}

static int key_print(struct cli *cli, const struct key_form *form)
{
    struct isg_fail why = {0};
    struct trust_public key;
    struct isg_buf text;
    if (trust_start(&why) != ISG_OK || read_public(cli, NULL, &key, &why) != ISG_OK)
        return cli_fail(cli, &why);
    isg_buf_init(&text, KEY_FILE_MAX);
    form->put(&key, &text);
    if (cli->json)
        print_key_json(&key, form->name, isg_buf_str(&text));
    else
        (void)fwrite(text.p, 1, text.len, stdout);
    isg_buf_done(&text);
    return 0;
}

static int key_export(struct cli *cli)
{
    const char *form = "pem";
    const struct cli_option options[] = {{"--form", NULL, &form}};
    int code = cli_arguments(cli, options, 1, 0, 0);
    if (code == 0 && key_form_find(form) == NULL)
        code = cli_usage(cli, "--form %s is not pem, minisign or jwk", form);
    return code != 0 ? code : key_print(cli, key_form_find(form));
}

static void put_fingerprint(const struct trust_public *key, struct isg_buf *out)
{
    isg_buf_printf(out, "content  %s  ", key->kid);
    trust_public_fingerprint(key, out);
    isg_buf_putc(out, '\n');
}

static int key_fingerprint(struct cli *cli)
{
    static const struct key_form form = {NULL, put_fingerprint};
    int code = cli_arguments(cli, NULL, 0, 0, 0);
    return code != 0 ? code : key_print(cli, &form);
}

int cli_key(struct cli *cli)
{
    static const struct cli_command family[] = {{"export", NULL, key_export},
                                                {"fingerprint", NULL, key_fingerprint},
                                                {"list", NULL, key_fingerprint}};
    return cli_family(cli, family, sizeof family / sizeof family[0]);
}
