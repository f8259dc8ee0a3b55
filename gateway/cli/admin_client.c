/* The commands' side of the admin socket. */
#define _GNU_SOURCE /* O_PATH */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "feeds/fetch.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/interrupt.h"
#include "stix/base/utf8.h"

enum { REQUEST_SECONDS = 900, PATH_TEXT_MAX = 65536 };

const char *cli_socket_path(const char *path, char out[108])
{
    const char *slash = strrchr(path, '/');
    if (strlen(path) < 108 || slash == NULL) {
        (void)snprintf(out, 108, "%s", path);
        return out;
    }
    /* Too long for sockaddr_un: name it through its folder. The descriptor stays open. */
    char folder[4096];
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    (void)snprintf(out, 108, "/proc/self/fd/%d%.60s", fd, slash);
    return out;
}

void cli_escape(struct isg_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("-._~", c) != NULL;
        if (plain)
            isg_buf_putc(out, (char)c);
        else
            isg_buf_printf(out, "%%%02X", c);
    }
}

int cli_path(struct isg_buf *out, const char *list, const char *name, const char *rest,
             struct isg_fail *why)
{
    isg_buf_init(out, PATH_TEXT_MAX);
    if (name[strspn(name, ".")] == '\0')
        return isg_fail(why, ISG_EUSAGE, "`%s` is no name", name);
    if (!isg_utf8_is_valid(isg_str_of(name)))
        return isg_fail(why, ISG_EUSAGE, "the name %.100s is not UTF-8", name);
    isg_buf_printf(out, "/admin/v1/%s/", list);
    cli_escape(out, name);
    isg_buf_puts(out, rest);
    return out->err == ISG_OK ? ISG_OK : isg_fail(why, ISG_EUSAGE, "the name is too long");
}

/* The code that an error status stands for; the inverse of isg_err_http. */
static int code_of_status(int status)
{
    static const struct {
        int status;
        int code;
    } table[] = {{400, ISG_EUSAGE}, {401, ISG_EAUTH},     {403, ISG_EDENIED}, {404, ISG_ENOENT},
                 {405, ISG_EUSAGE}, {409, ISG_ECONFLICT}, {413, ISG_ELIMIT},  {422, ISG_EINVAL},
                 {502, ISG_ENET},   {503, ISG_ESTORE}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].status == status)
            return table[i].code;
    return ISG_EIO;
}

/* The service's own words, out of its error resource. */
static int fail_of_reply(int status, struct isg_str body, struct isg_fail *why)
{
    struct stix_json *json = NULL;
    int code = code_of_status(status);
    if (stix_json_parse(body, NULL, &json, NULL) != ISG_OK)
        return isg_fail(why, code, "the service answered %d", status);
    const struct stix_json *details = stix_json_get(json, "details");
    struct isg_str text = stix_json_get_str(json, "description");
    char path[128];
    char rule[32];
    (void)snprintf(path, sizeof path, "%.*s", ISG_STR_ARG(stix_json_get_str(details, "path")));
    (void)snprintf(rule, sizeof rule, "%.*s", ISG_STR_ARG(stix_json_get_str(details, "rule")));
    if (text.n == 0)
        text = stix_json_get_str(json, "title");
    (void)isg_fail_at(why, code, path, rule, "%.*s", ISG_STR_ARG(text));
    stix_json_free(&json);
    return code;
}

/* No answer: no service, no right to ask it, or one that is still at it. why has libcurl's words. */
static int fail_unanswered(const struct cli *cli, const char *socket, struct isg_fail *why)
{
    if (strstr(why->text, "timed out") != NULL)
        return isg_fail(why, ISG_ENET,
                        "the service did not end this in %d s, and may be at it still",
                        REQUEST_SECONDS);
    if (access(socket, R_OK | W_OK) != 0 && errno == EACCES)
        return isg_fail(why, ISG_EDENIED, "%s: %s", socket, ISG_OS_ERROR(EACCES));
    return isg_fail(why, ISG_ENET, "no service answers on %s: is `isg serve -C %s` running?",
                    socket, cli->dir);
}

int cli_admin_raw(struct cli *cli, const char *method, const char *path, struct isg_str body,
                  struct isg_buf *out_reply, struct isg_fail *why)
{
    struct config *config = NULL;
    struct feed_response response = {0};
    char url[4096];
    char socket[108];
    int err = cli_config_load(cli, NULL, &config, why);
    if (err != ISG_OK)
        return err;
    if (snprintf(url, sizeof url, "http://localhost%s", path) >= (int)sizeof url)
        err = isg_fail(why, ISG_EUSAGE, "an argument is too long");
    struct feed_request request = {.method = method,
                                   .url = url,
                                   .unix_socket = cli_socket_path(config->admin.socket, socket),
                                   .body = body,
                                   .content_type = body.n > 0 ? "application/json" : NULL,
                                   .allow_private = true,
                                   .timeout_s = REQUEST_SECONDS,
                                   .stop = &interrupt_came};
    if (err == ISG_OK)
        err = feed_fetch_start(why);
    if (err == ISG_OK) {
        err = feed_fetch(&request, &response, why);
        if (err == ISG_ENET)
            err = fail_unanswered(cli, config->admin.socket, why);
        if (err == ISG_EBUSY)
            (void)interrupt_check(why);
    }
    if (err == ISG_OK && response.status >= 300)
        err = fail_of_reply(response.status, isg_buf_str(&response.body), why);
    if (err == ISG_OK)
        isg_buf_put_str(out_reply, isg_buf_str(&response.body));
    feed_response_done(&response);
    config_free(&config);
    return err;
}

int cli_admin(struct cli *cli, const char *method, const char *path, struct isg_str body,
              struct stix_json **out_reply, struct isg_fail *why)
{
    struct isg_buf reply;
    isg_buf_init(&reply, ISG_BUF_NO_MAX);
    int err = cli_admin_raw(cli, method, path, body, &reply, why);
    if (err == ISG_OK && out_reply != NULL)
        err = stix_json_parse(isg_buf_str(&reply), NULL, out_reply, why);
    isg_buf_done(&reply);
    return err;
}

int cli_admin_print(struct cli *cli, const char *method, const char *path, struct isg_str body,
                    void (*print)(const struct stix_json *json))
{
    struct isg_fail why = {0};
    struct isg_buf reply;
    struct stix_json *json = NULL;
    isg_buf_init(&reply, ISG_BUF_NO_MAX);
    int err = cli_admin_raw(cli, method, path, body, &reply, &why);
    if (err == ISG_OK && cli->json)
        cli_print(isg_buf_str(&reply));
    else if (err == ISG_OK)
        err = stix_json_parse(isg_buf_str(&reply), NULL, &json, &why);
    if (json != NULL)
        print(json);
    stix_json_free(&json);
    isg_buf_done(&reply);
    return err == ISG_OK ? 0 : cli_fail(cli, &why);
}

int cli_ask(struct cli *cli, const char *path, void (*print)(const struct stix_json *json))
{
    return cli_admin_print(cli, NULL, path, (struct isg_str){NULL, 0}, print);
}

int cli_named(struct cli *cli, const char *method, const char *list, const char *rest,
              struct isg_str body, void (*print)(const struct stix_json *json))
{
    struct isg_fail why = {0};
    struct isg_buf path;
    int err = cli_path(&path, list, cli->args[0], rest, &why);
    int code =
        err == ISG_OK ? cli_admin_print(cli, method, path.p, body, print) : cli_fail(cli, &why);
    isg_buf_done(&path);
    return code;
}
