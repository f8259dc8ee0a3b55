/* Sources, peers and webhooks of the running service. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/cli/cli.h"
#include "gateway/cli/feeds_status.h"
#include "stix/base/jsonw.h"

enum { BODY_MAX = 1 << 20 };

/* A value in one line: a list's entries and an object's values parted by blanks. */
static void put_value(const struct stix_json *value, struct isg_buf *out)
{
    struct stix_json_walk walk;
    switch ((int)stix_json_type(value)) {
    case STIX_JSON_STRING: isg_buf_put_str(out, stix_json_str(value)); return;
    case STIX_JSON_LIST:
        for (size_t i = 0; i < stix_json_size(value); i++) {
            isg_buf_puts(out, i > 0 ? "; " : "");
            put_value(stix_json_at(value, i), out);
        }
        return;
    case STIX_JSON_OBJECT:
        stix_json_walk(value, &walk);
        for (bool first = true; stix_json_next(&walk); first = false) {
            isg_buf_puts(out, first ? "" : " ");
            put_value(walk.value, out);
        }
        return;
    default: stix_json_canon(value, out);
    }
}

/* Every member of an answer, one a line; those of an object below its name. */
static void print_below(const struct stix_json *json, int indent)
{
    struct stix_json_walk walk;
    struct isg_buf text;
    isg_buf_init(&text, BODY_MAX);
    stix_json_walk(json, &walk);
    while (stix_json_next(&walk)) {
        isg_buf_reset(&text);
        bool nested = stix_json_type(walk.value) == STIX_JSON_OBJECT;
        if (!nested)
            put_value(walk.value, &text);
        cli_line(stdout, "%*s%-16s %.*s", indent, "", walk.name, ISG_STR_ARG(isg_buf_str(&text)));
        if (nested)
            print_below(walk.value, indent + 2);
    }
    isg_buf_done(&text);
}

/* Counts and states of a run. */
static void print_members(const struct stix_json *json)
{
    print_below(json, 0);
}

static void print_entries(const struct stix_json *list)
{
    for (size_t i = 0; i < stix_json_size(list); i++) {
        print_members(stix_json_at(list, i));
        (void)putchar('\n');
    }
}

static void print_feeds(const struct stix_json *json)
{
    print_entries(stix_json_get(json, "feeds"));
}

static void print_peers(const struct stix_json *json)
{
    print_entries(stix_json_get(json, "peers"));
}

static void print_nothing(const struct stix_json *json)
{
    (void)json;
}

static void print_webhooks(const struct stix_json *json)
{
    print_entries(stix_json_get(json, "webhooks"));
}

/* The service has another working directory: paths go to it whole. */
static const char *absolute(const char *path, char out[PATH_MAX])
{
    char folder[PATH_MAX];
    if (path == NULL || path[0] == '/' || getcwd(folder, sizeof folder) == NULL ||
        snprintf(out, PATH_MAX, "%s/%s", folder, path) >= PATH_MAX)
        return path;
    return out;
}

/* ---- settings: options that go to the service as members of a body, and are judged there ---- */

struct setting_option {
    const char *name; /* --header-file is the setting header_file */
    enum { TEXT, PATH, SWITCH } kind;
};

enum { SETTINGS_MAX = 32, SETTING_NAME = 32 };

struct settings {
    const struct setting_option *options; /* the first three are needed */
    size_t n;
    const char *texts[SETTINGS_MAX];
    bool switches[SETTINGS_MAX];
};

/* What the command line says, with so many arguments: 0, or an exit code after a message. */
static int settings_read(struct cli *cli, struct settings *settings, size_t arguments)
{
    const struct setting_option *all = settings->options;
    struct cli_option options[SETTINGS_MAX];
    for (size_t i = 0; i < settings->n; i++) {
        bool is_switch = all[i].kind == SWITCH;
        options[i] = (struct cli_option){all[i].name, is_switch ? &settings->switches[i] : NULL,
                                         is_switch ? NULL : &settings->texts[i]};
    }
    int code = cli_arguments(cli, options, settings->n, arguments, arguments);
    const char *const *texts = settings->texts;
    if (code == 0 && (texts[0] == NULL || texts[1] == NULL || texts[2] == NULL))
        code = cli_usage(cli, "%s, %s and %s are needed", all[0].name, all[1].name, all[2].name);
    return code;
}

static void setting_name(const char *option, char out[SETTING_NAME])
{
    (void)snprintf(out, SETTING_NAME, "%s", option + 2);
    for (char *p = out; *p != '\0'; p++)
        if (*p == '-')
            *p = '_';
}

/* A body with them, after one more member. */
static int settings_send(struct cli *cli, const struct settings *settings, const char *path,
                         const char *name, const char *value)
{
    char whole[PATH_MAX];
    struct isg_buf body;
    struct isg_jsonw w;
    isg_buf_init(&body, BODY_MAX);
    isg_jsonw_init(&w, &body);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, name, value);
    for (size_t i = 0; i < settings->n; i++) {
        const struct setting_option *option = &settings->options[i];
        const char *text = settings->texts[i];
        char key[SETTING_NAME];
        setting_name(option->name, key);
        if (settings->switches[i])
            isg_jsonw_put_bool(&w, key, true);
        else
            isg_jsonw_put(&w, key, option->kind == PATH ? absolute(text, whole) : text);
    }
    isg_jsonw_end(&w);
    int code = cli_admin_print(cli, "POST", path, isg_buf_str(&body), print_members);
    isg_buf_done(&body);
    return code;
}

/* Each is a setting of section feeds. */
static int feed_add(struct cli *cli)
{
    static const struct setting_option options[] = {{"--url", TEXT},
                                                    {"--format", TEXT},
                                                    {"--collection", TEXT},
                                                    {"--interval", TEXT},
                                                    {"--header-file", PATH},
                                                    {"--ca", PATH},
                                                    {"--client-certificate", PATH},
                                                    {"--client-key", PATH},
                                                    {"--proxy", TEXT},
                                                    {"--proxy-auth-file", PATH},
                                                    {"--redirects", TEXT},
                                                    {"--allow-private", SWITCH},
                                                    {"--allow-networks", TEXT},
                                                    {"--allow-hosts", TEXT},
                                                    {"--columns", PATH},
                                                    {"--warning-lists", PATH},
                                                    {"--networks", TEXT},
                                                    {"--timeout", TEXT},
                                                    {"--max-wire", TEXT},
                                                    {"--max-bytes", TEXT},
                                                    {"--max-ratio", TEXT},
                                                    {"--max-records", TEXT},
                                                    {"--max-depth", TEXT},
                                                    {"--max-string", TEXT},
                                                    {"--shrink-percent", TEXT}};
    struct settings settings = {.options = options, .n = sizeof options / sizeof options[0]};
    int code = settings_read(cli, &settings, 1);
    return code != 0 ? code
                     : settings_send(cli, &settings, "/admin/v1/feeds", "name", cli->args[0]);
}

static int entry_list(struct cli *cli, void (*print)(const struct stix_json *))
{
    int code = cli_arguments(cli, NULL, 0, 0, 0);
    return code != 0 ? code : cli_ask(cli, "/admin/v1/feeds", print);
}

static int feed_list(struct cli *cli)
{
    return entry_list(cli, print_feeds);
}

static int peer_list(struct cli *cli)
{
    return entry_list(cli, print_peers);
}

static const struct stix_json *entry_find(const struct stix_json *list, const char *name)
{
    for (size_t i = 0; i < stix_json_size(list); i++) {
        const struct stix_json *entry = stix_json_at(list, i);
        if (isg_str_is(stix_json_get_str(entry, "name"), name))
            return entry;
    }
    return NULL;
}

/* All that is known of one entry. */
static int print_entry(const struct cli *cli, const struct stix_json *list, const char *kind,
                       const char *name)
{
    struct isg_buf text;
    const struct stix_json *entry = entry_find(list, name);
    if (entry == NULL) {
        cli_line(stderr, "isg %s: no such %s: %s", cli->command->name, kind, name);
        return CLI_NO;
    }
    if (!cli->json) {
        print_members(entry);
        return 0;
    }
    isg_buf_init(&text, BODY_MAX);
    stix_json_canon(entry, &text);
    cli_print(isg_buf_str(&text));
    isg_buf_done(&text);
    return 0;
}

/* status [NAME]: all at a glance, or one in full. */
static int entry_status(struct cli *cli, const char *kind)
{
    struct stix_json *json = NULL;
    struct isg_fail why = {.code = ISG_OK};
    char list[16];
    (void)snprintf(list, sizeof list, "%ss", kind);
    int code = cli_arguments(cli, NULL, 0, 0, 1);
    if (code != 0)
        return code;
    if (cli->json && cli->args_count == 0)
        return cli_ask(cli, "/admin/v1/feeds", NULL);
    if (cli_admin(cli, NULL, "/admin/v1/feeds", (struct isg_str){NULL, 0}, &json, &why) != ISG_OK)
        return cli_fail(cli, &why);
    if (cli->args_count == 0)
        status_print(stix_json_get(json, list), kind);
    else
        code = print_entry(cli, stix_json_get(json, list), kind, cli->args[0]);
    stix_json_free(&json);
    return code;
}

static int feed_status(struct cli *cli)
{
    return entry_status(cli, "feed");
}

static int peer_status(struct cli *cli)
{
    return entry_status(cli, "peer");
}

static int webhook_status(struct cli *cli)
{
    return entry_status(cli, "webhook");
}

/* Only a feed has a snapshot that may have shrunk. */
static int entry_run(struct cli *cli, const char *list, size_t options_count)
{
    bool dry_run = false;
    bool accept = false;
    char query[64];
    const struct cli_option options[] = {{"--dry-run", &dry_run, NULL},
                                         {"--accept-shrink", &accept, NULL}};
    int code = cli_arguments(cli, options, options_count, 1, 1);
    if (code != 0)
        return code;
    (void)snprintf(query, sizeof query, "/run?dry_run=%d&accept_shrink=%d", dry_run, accept);
    return cli_named(cli, "POST", list, query, (struct isg_str){NULL, 0}, print_members);
}

static int feed_run(struct cli *cli)
{
    return entry_run(cli, "feeds", 2);
}

static int peer_run_named(struct cli *cli)
{
    return entry_run(cli, "peers", 1);
}

static int feed_remove(struct cli *cli)
{
    int code = cli_arguments(cli, NULL, 0, 1, 1);
    return code != 0
               ? code
               : cli_named(cli, "DELETE", "feeds", "", (struct isg_str){NULL, 0}, print_nothing);
}

int cli_feed(struct cli *cli)
{
    static const struct cli_command family[] = {{"add", NULL, feed_add},
                                                {"list", NULL, feed_list},
                                                {"status", NULL, feed_status},
                                                {"run", NULL, feed_run},
                                                {"remove", NULL, feed_remove}};
    return cli_family(cli, family, sizeof family / sizeof family[0]);
}

static int peer_run(struct cli *cli, const char *direction)
{
    static const struct setting_option options[] = {{"--url", TEXT},
                                                    {"--from", TEXT},
                                                    {"--collection", TEXT},
                                                    {"--member", TEXT},
                                                    {"--user", TEXT},
                                                    {"--password-file", PATH},
                                                    {"--header-file", PATH},
                                                    {"--ca", PATH},
                                                    {"--client-certificate", PATH},
                                                    {"--client-key", PATH},
                                                    {"--proxy", TEXT},
                                                    {"--proxy-auth-file", PATH},
                                                    {"--allow-private", SWITCH},
                                                    {"--dry-run", SWITCH}};
    struct settings settings = {.options = options, .n = sizeof options / sizeof options[0]};
    int code = settings_read(cli, &settings, 0);
    return code != 0 ? code
                     : settings_send(cli, &settings, "/admin/v1/peers/run", "direction", direction);
}

static int peer_pull(struct cli *cli)
{
    return peer_run(cli, "pull");
}

static int peer_push(struct cli *cli)
{
    return peer_run(cli, "push");
}

int cli_peer(struct cli *cli)
{
    static const struct cli_command family[] = {{"pull", NULL, peer_pull},
                                                {"push", NULL, peer_push},
                                                {"list", NULL, peer_list},
                                                {"status", NULL, peer_status},
                                                {"run", NULL, peer_run_named}};
    return cli_family(cli, family, sizeof family / sizeof family[0]);
}

static int webhook_list(struct cli *cli)
{
    return entry_list(cli, print_webhooks);
}

static int webhook_run(struct cli *cli)
{
    return entry_run(cli, "webhooks", 1);
}

int cli_webhook(struct cli *cli)
{
    static const struct cli_command family[] = {
        {"list", NULL, webhook_list}, {"status", NULL, webhook_status}, {"run", NULL, webhook_run}};
    return cli_family(cli, family, sizeof family / sizeof family[0]);
}
