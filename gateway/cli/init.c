/* Making an instance: its folder, configuration, certificate, keys and secrets. */
#define _XOPEN_SOURCE 700 /* realpath */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/cli/cli.h"
#include "gateway/cli/interrupt.h"
#include "gateway/http/certificate.h"
#include "gateway/trust/keys.h"
#include "gateway/trust/secret.h"
#include "stix/base/base64.h"
#include "stix/base/jsonw.h"
#include "stix/base/uuid.h"

enum { SECRET_BYTES = 32, CONFIG_MAX = 1 << 20, HOST_BYTES = 256, URL_BYTES = 512, MADE_MAX = 32 };

struct init {
    const char *dir; /* absolute */
    const char *listen;
    const char *name;
    const char *public_url;
    char host[HOST_BYTES];        /* of listen */
    char public_host[HOST_BYTES]; /* of the URL that members use */
    char url[URL_BYTES];
    struct trust_public content;
    const char *made[MADE_MAX]; /* below dir, in the order of making; what was there is not in it */
    size_t made_count;
};

static int init_path(const struct init *init, const char *below, char out[PATH_MAX],
                     struct isg_fail *why)
{
    if (snprintf(out, PATH_MAX, "%s/%s", init->dir, below) >= PATH_MAX)
        return isg_fail(why, ISG_EIO, "%s: the path is too long", init->dir);
    return ISG_OK;
}

/* The path of what will be made, to be taken away again where the rest cannot. */
static int init_new(struct init *init, const char *below, char out[PATH_MAX], struct isg_fail *why)
{
    struct stat st;
    int err = init_path(init, below, out, why);
    if (err == ISG_OK && lstat(out, &st) != 0 && init->made_count < MADE_MAX)
        init->made[init->made_count++] = below;
    return err;
}

static int init_write(struct init *init, const char *below, struct isg_str text, unsigned mode,
                      struct isg_fail *why)
{
    char path[PATH_MAX];
    int err = init_new(init, below, path, why);
    return err == ISG_OK ? cli_write(path, text, mode, why) : err;
}

/* The host of "HOST" or "HOST:PORT", without the brackets of [v6]. False when there is none. */
static bool take_host(struct isg_str text, char out[HOST_BYTES])
{
    size_t end = isg_str_find(text, text.n > 0 && text.p[0] == '[' ? ']' : ':');
    struct isg_str host = {text.p, end < text.n ? end : text.n};
    if (host.n > 0 && host.p[0] == '[')
        host = isg_str_from(host, 1);
    (void)snprintf(out, HOST_BYTES, "%.*s", ISG_STR_ARG(host));
    return host.n > 0 && host.n < HOST_BYTES;
}

/* Where members come: what was said, without slashes at its end, else the listener itself. */
static int init_url(struct init *init, struct isg_fail *why)
{
    bool any = strcmp(init->host, "0.0.0.0") == 0 || strcmp(init->host, "::") == 0;
    if (init->public_url == NULL && any)
        return isg_fail(why, ISG_EUSAGE,
                        "--listen %s is on all addresses: --public-url must say under which one "
                        "members come",
                        init->listen);
    const char *said = init->public_url != NULL ? init->public_url : init->listen;
    int n = snprintf(init->url, sizeof init->url, "%s%s",
                     init->public_url != NULL ? "" : "https://", said);
    if (n <= 0 || (size_t)n >= sizeof init->url)
        return isg_fail(why, ISG_EUSAGE, "--public-url is %s", n > 0 ? "too long" : "empty");
    while (n > 0 && init->url[n - 1] == '/')
        init->url[--n] = '\0';
    const char *slashes = strstr(init->url, "//");
    if (slashes == NULL || !take_host(isg_str_of(slashes + 2), init->public_host))
        return isg_fail(why, ISG_EUSAGE, "--public-url %.100s names no host", said);
    return ISG_OK;
}

/* HOST:PORT with [v6] in brackets. */
static int init_host(struct init *init, struct isg_fail *why)
{
    const char *colon = init->listen != NULL ? strrchr(init->listen, ':') : NULL;
    uint64_t port;
    if (colon == NULL || !isg_str_to_u64(isg_str_of(colon + 1), 65535, &port) || port == 0)
        return isg_fail(why, ISG_EUSAGE, "--listen %s is not HOST:PORT", init->listen);
    struct isg_str host = {init->listen, (size_t)(colon - init->listen)};
    if (!take_host(host, init->host))
        return isg_fail(why, ISG_EUSAGE, "--listen %s names no host", init->listen);
    return init_url(init, why);
}

static int init_folder(struct init *init, struct isg_fail *why)
{
    char path[PATH_MAX];
    int err = init_path(init, "isg.yaml", path, why);
    if (err == ISG_OK && access(path, F_OK) == 0)
        err = isg_fail(why, ISG_ECONFLICT, "%s is an instance already", init->dir);
    return err;
}

static int init_folders(struct init *init, struct isg_fail *why)
{
    static const char *const folders[] = {"tls", "keys", "secrets", "public", "state", "redis"};
    char path[PATH_MAX];
    struct stat st;
    int err = ISG_OK;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0] && err == ISG_OK; i++) {
        err = init_new(init, folders[i], path, why);
        if (err == ISG_OK && mkdir(path, 0700) != 0 && errno != EEXIST)
            err = isg_fail(why, ISG_EIO, "%s: %s", path, ISG_OS_ERROR(errno));
        if (err == ISG_OK && (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)))
            err = isg_fail(why, ISG_EIO, "%s: %s", path, ISG_OS_ERROR(ENOTDIR));
    }
    return err;
}

static int init_tls(struct init *init, struct isg_fail *why)
{
    const char *const hosts[] = {init->public_host, init->host, NULL};
    struct certificate_set set;
    int err = certificate_make(init->name, hosts, &set, why);
    if (err != ISG_OK)
        return err;
    err = init_write(init, "tls/ca.pem", isg_buf_str(&set.ca), 0644, why);
    if (err == ISG_OK)
        err = init_write(init, "tls/server.pem", isg_buf_str(&set.certificate), 0644, why);
    if (err == ISG_OK)
        err = init_write(init, "tls/server.key", isg_buf_str(&set.key), 0600, why);
    certificate_set_done(&set);
    return err;
}

/* A random passphrase, and the content key encrypted with it; the public forms for members. */
static int init_keys(struct init *init, struct isg_fail *why)
{
    uint8_t random[SECRET_BYTES];
    char path[PATH_MAX];
    struct isg_buf pass;
    struct isg_buf text;
    isg_buf_init(&pass, 256);
    isg_buf_init(&text, 4096);
    trust_random(random, sizeof random);
    isg_base64_encode(ISG_BASE64_URL, random, sizeof random, &pass);
    trust_wipe(random, sizeof random);
    int err = init_write(init, "secrets/keys.pass", isg_buf_str(&pass), 0600, why);
    if (err == ISG_OK)
        err = init_new(init, "keys/content.key", path, why);
    if (err == ISG_OK)
        err = trust_key_new(path, TRUST_CONTENT, isg_buf_str(&pass), &init->content, why);
    if (err == ISG_OK) {
        trust_public_pem(&init->content, &text);
        err = init_write(init, "public/isao.pem", isg_buf_str(&text), 0644, why);
    }
    if (err == ISG_OK) {
        isg_buf_reset(&text);
        trust_public_minisign(&init->content, &text);
        err = init_write(init, "public/isao.minisign.pub", isg_buf_str(&text), 0644, why);
    }
    if (pass.p != NULL)
        trust_wipe(pass.p, pass.cap);
    isg_buf_done(&pass);
    isg_buf_done(&text);
    return err;
}

/* The instance's own secret: here, so that a second gateway can be given a copy before any start. */
static int init_secret(struct init *init, struct isg_fail *why)
{
    char path[PATH_MAX];
    struct trust_secret *secret = NULL;
    int err = init_new(init, "secrets/instance.secret", path, why);
    if (err == ISG_OK)
        err = trust_secret_open(path, &secret, why);
    trust_secret_free(&secret);
    return err;
}

struct seed_row {
    const char *title;
    const char *description;
    const char *handling;
    const char *read;
    const char *write;
    bool publishes;
};

/*
 * The first collections. They are made at the first start, since they live in the store; the file
 * only holds what is to be made, with ids that are known from now on.
 */
static int init_seed(struct init *init, struct isg_fail *why)
{
    static const struct seed_row rows[] = {
        {"indicators", "Threat indicators shared by the community", "relay", "all", "staff", false},
        {"advisories", "Advisories and vulnerabilities", "relay", "all", "staff", false},
        {"submissions", "What members hand in, held until it is moderated", "submission", "staff",
         "all", true}};
    char first[ISG_UUID_TEXT] = "";
    struct isg_buf text;
    struct isg_jsonw w;
    isg_buf_init(&text, 65536);
    isg_jsonw_init(&w, &text);
    isg_jsonw_list(&w);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char id[ISG_UUID_TEXT];
        isg_uuid_random(id);
        if (i == 0)
            (void)snprintf(first, sizeof first, "%s", id);
        isg_jsonw_object(&w);
        isg_jsonw_put(&w, "id", id);
        isg_jsonw_put(&w, "title", rows[i].title);
        isg_jsonw_put(&w, "alias", rows[i].title);
        isg_jsonw_put(&w, "description", rows[i].description);
        isg_jsonw_put(&w, "handling", rows[i].handling);
        isg_jsonw_put(&w, "read", rows[i].read);
        isg_jsonw_put(&w, "write", rows[i].write);
        isg_jsonw_put(&w, "publish_to", rows[i].publishes ? first : NULL);
        isg_jsonw_end(&w);
    }
    isg_jsonw_end(&w);
    int err = text.err != ISG_OK
                  ? text.err
                  : init_write(init, "state/seed.json", isg_buf_str(&text), 0600, why);
    isg_buf_done(&text);
    return err;
}

/* A YAML double-quoted scalar: JSON's escapes are a subset of its. */
static void put_yaml(struct isg_buf *out, const char *key, const char *value)
{
    isg_buf_printf(out, "%s: \"", key);
    isg_json_escape(out, isg_str_of(value));
    isg_buf_puts(out, "\"\n");
}

static int init_config(struct init *init, struct isg_fail *why)
{
    char uuid[ISG_UUID_TEXT];
    char urn[128];
    struct isg_buf text;
    isg_buf_init(&text, CONFIG_MAX);
    isg_uuid_random(uuid);
    (void)snprintf(urn, sizeof urn, "urn:uuid:%s", uuid);
    isg_buf_puts(&text, "# ISAO Gateway. `isg config reference` explains every setting.\n");
    put_yaml(&text, "name", init->name);
    put_yaml(&text, "listen", init->listen);
    put_yaml(&text, "public_url", init->url);
    isg_buf_puts(&text, "# Namespace of the ids this gateway makes; never change it.\n");
    put_yaml(&text, "id_urn", urn);
    isg_buf_puts(&text, "roots:\n  - path: api\n    ");
    put_yaml(&text, "title", init->name);
    isg_buf_puts(&text, "tls:\n  certificate: tls/server.pem\n  key: tls/server.key\n");
    isg_buf_puts(&text, "keys:\n  dir: keys\n  passphrase_file: secrets/keys.pass\n");
    int err = text.err != ISG_OK ? isg_fail(why, text.err, "the configuration is too large")
                                 : init_write(init, "isg.yaml.new", isg_buf_str(&text), 0600, why);
    isg_buf_done(&text);
    return err;
}

/* What was asked for must be what `isg serve` accepts: its own judge reads the file. */
static int init_check_config(struct init *init, struct isg_fail *why)
{
    char path[PATH_MAX];
    struct config *config = NULL;
    int err = init_path(init, "isg.yaml.new", path, why);
    if (err == ISG_OK)
        err = config_load_file(path, init->dir, &config, why);
    config_free(&config);
    return err;
}

/* The configuration gets its name last: its presence says that the rest is there. */
static int init_finish(struct init *init, struct isg_fail *why)
{
    char from[PATH_MAX];
    char to[PATH_MAX];
    int err = init_path(init, "isg.yaml.new", from, why);
    if (err == ISG_OK)
        err = init_path(init, "isg.yaml", to, why);
    if (err == ISG_OK && rename(from, to) != 0)
        err = isg_fail(why, ISG_EIO, "%s: %s", to, ISG_OS_ERROR(errno));
    return err;
}

static void init_report(const struct cli *cli, const struct init *init)
{
    struct isg_buf text;
    struct isg_buf print;
    struct isg_jsonw w;
    isg_buf_init(&text, 65536);
    isg_buf_init(&print, 4096);
    trust_public_fingerprint(&init->content, &print);
    isg_jsonw_init(&w, &text);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "dir", init->dir);
    isg_jsonw_put(&w, "discovery", init->url);
    isg_jsonw_put(&w, "kid", init->content.kid);
    isg_jsonw_put_str(&w, "fingerprint", isg_buf_str(&print));
    isg_jsonw_end(&w);
    if (cli->json)
        cli_print(isg_buf_str(&text));
    else
        printf("instance      %s\ndiscovery     %s/taxii2/\nCA file       %s/tls/ca.pem\n"
               "signing key   %.*s\nnext          isg serve -C %s\n",
               init->dir, init->url, init->dir, ISG_STR_ARG(isg_buf_str(&print)), init->dir);
    isg_buf_done(&text);
    isg_buf_done(&print);
}

static int init_all(struct init *init, struct isg_fail *why)
{
    static int (*const steps[])(struct init *, struct isg_fail *) = {
        init_folder, init_config, init_check_config, init_folders, init_tls,
        init_keys,   init_secret, init_seed,         init_finish};
    int err = trust_start(why);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && err == ISG_OK; i++) {
        err = interrupt_check(why);
        if (err == ISG_OK)
            err = steps[i](init, why);
    }
    return err;
}

/* Nothing stays behind of an instance that could not be made; what was there before does. */
static void init_undo(const struct init *init, bool made_folder)
{
    char path[PATH_MAX];
    if (init_path(init, "isg.yaml.new", path, NULL) == ISG_OK)
        (void)unlink(path); /* also one that an attempt before this one left behind */
    for (size_t i = init->made_count; i-- > 0;)
        if (init_path(init, init->made[i], path, NULL) == ISG_OK)
            (void)remove(path);
    if (made_folder)
        (void)rmdir(init->dir);
}

/* The folder and its name as the kernel knows it. */
static int init_make(struct init *init, const char *name, char dir[PATH_MAX], bool *out_made,
                     struct isg_fail *why)
{
    *out_made = mkdir(name, 0700) == 0;
    if (!*out_made && errno != EEXIST)
        return isg_fail(why, ISG_EIO, "%s: %s", name, ISG_OS_ERROR(errno));
    init->dir = realpath(name, dir);
    return init->dir != NULL ? ISG_OK : isg_fail(why, ISG_EIO, "%s: %s", name, ISG_OS_ERROR(errno));
}

int cli_init(struct cli *cli)
{
    struct init init = {.name = "ISAO Gateway"};
    const struct cli_option options[] = {{"--listen", NULL, &init.listen},
                                         {"--name", NULL, &init.name},
                                         {"--public-url", NULL, &init.public_url}};
    struct isg_fail why = {0};
    char dir[PATH_MAX];
    bool made = false;
    int code = cli_arguments(cli, options, 3, 1, 1);
    if (code == 0 && init.listen == NULL)
        code = cli_usage(cli, "--listen HOST:PORT is missing");
    if (code == 0 && init.name[0] == '\0')
        code = cli_usage(cli, "--name is empty: it is what members read as the title");
    if (code != 0)
        return code;
    (void)umask(077);
    interrupt_watch();
    int err = init_host(&init, &why);
    if (err == ISG_OK)
        err = init_make(&init, cli->args[0], dir, &made, &why);
    if (err == ISG_OK)
        err = init_all(&init, &why);
    if (err != ISG_OK) {
        if (init.dir != NULL)
            init_undo(&init, made);
        code = cli_fail(cli, &why);
        return interrupt_end(err == ISG_ECONFLICT || err == ISG_EIO ? CLI_CANTCREAT : code);
    }
    init_report(cli, &init);
    return 0;
}
