/* The running instance: waiting for it, asking how it is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/cli/cli.h"
#include "stix/base/time.h"

int cli_wait(struct cli *cli)
{
    const char *timeout = "30";
    const struct cli_option options[] = {{"--timeout", NULL, &timeout}};
    struct isg_fail why = {0};
    uint64_t seconds;
    int code = cli_arguments(cli, options, 1, 0, 0);
    if (code == 0 && !isg_str_to_u64(isg_str_of(timeout), 86400, &seconds))
        code = cli_usage(cli, "--timeout %s is not a number of seconds", timeout);
    if (code != 0)
        return code;
    int64_t end_us = isg_time_mono_us() + (int64_t)seconds * 1000000;
    const struct timespec pause = {.tv_nsec = 50000000};
    for (;;) {
        if (cli_admin(cli, NULL, "/readyz", (struct isg_str){NULL, 0}, NULL, &why) == ISG_OK)
            return 0;
        if (isg_time_mono_us() >= end_us || cli->wrong_config)
            break;
        (void)nanosleep(&pause, NULL);
    }
    code = cli_fail(cli, &why);
    return cli->wrong_config ? code : isg_err_exit(ISG_EBUSY);
}

static const char *store_word(const struct stix_json *store)
{
    if (stix_json_get(store, "error") != NULL)
        return "does not answer";
    return stix_json_bool(stix_json_get(store, "durable")) ? "durable" : "NOT DURABLE";
}

static void print_status(const struct stix_json *status)
{
    const struct stix_json *collections = stix_json_get(status, "collections");
    const struct stix_json *store = stix_json_get(status, "store");
    size_t n = stix_json_size(collections);
    printf("%.*s, isg %.*s, %.*s\n", ISG_STR_ARG(stix_json_get_str(status, "name")),
           ISG_STR_ARG(stix_json_get_str(status, "version")),
           ISG_STR_ARG(stix_json_get_str(status, "public_url")));
    struct isg_str version = stix_json_get_str(store, "version");
    printf("store: Redis%s%.*s, %s\n\n", version.n > 0 ? " " : "", ISG_STR_ARG(version),
           store_word(store));
    for (size_t i = 0; i < n; i++) {
        const struct stix_json *c = stix_json_at(collections, i);
        char events[CLI_COUNT];
        printf("%.*s  %-20.*s %10s events\n", ISG_STR_ARG(stix_json_get_str(c, "id")),
               ISG_STR_ARG(stix_json_get_str(c, "title")),
               cli_count(stix_json_get(c, "events"), events));
    }
}

int cli_status(struct cli *cli)
{
    int code = cli_arguments(cli, NULL, 0, 0, 0);
    if (code != 0)
        return code;
    return cli_ask(cli, "/admin/v1/status", print_status);
}

static int print_checks(const struct stix_json *json, bool quiet)
{
    const struct stix_json *checks = stix_json_get(json, "checks");
    int bad = 0;
    for (size_t i = 0; i < stix_json_size(checks); i++) {
        const struct stix_json *check = stix_json_at(checks, i);
        struct isg_str level = stix_json_get_str(check, "level");
        struct isg_str hint = stix_json_get_str(check, "hint");
        bad |= !isg_str_is(level, "ok");
        if (quiet)
            continue;
        printf("%-8.*s %-16.*s %.*s\n", ISG_STR_ARG(level),
               ISG_STR_ARG(stix_json_get_str(check, "check")),
               ISG_STR_ARG(stix_json_get_str(check, "text")));
        if (hint.n > 0)
            printf("%25s -> %.*s\n", "", ISG_STR_ARG(hint));
    }
    return bad != 0 ? CLI_NO : 0;
}

int cli_doctor(struct cli *cli)
{
    struct isg_fail why = {0};
    struct isg_buf reply;
    struct stix_json *json = NULL;
    int code = cli_arguments(cli, NULL, 0, 0, 0);
    if (code != 0)
        return code;
    isg_buf_init(&reply, ISG_BUF_NO_MAX);
    int err = cli_admin_raw(cli, NULL, "/admin/v1/doctor", (struct isg_str){NULL, 0}, &reply, &why);
    if (err == ISG_OK)
        err = stix_json_parse(isg_buf_str(&reply), NULL, &json, &why);
    if (err == ISG_OK && cli->json)
        cli_print(isg_buf_str(&reply));
    if (err == ISG_OK)
        code = print_checks(json, cli->json);
    stix_json_free(&json);
    isg_buf_done(&reply);
    return err == ISG_OK ? code : cli_fail(cli, &why);
}
