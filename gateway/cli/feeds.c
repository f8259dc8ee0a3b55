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

/* list: "feeds", "peers" or "webhooks". */
static int entry_path(struct isg_buf *path, const char *list, const char *name, const char *rest)
{
    isg_buf_init(path, BODY_MAX);
    isg_buf_printf(path, "/admin/v1/%s/", list);
    cli_escape(path, name);
    isg_buf_puts(path, rest);
    return path->err;
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

/* An option whose text goes to the service as a member of the body. */
struct setting_option {
    const char *option;
    const char *setting;
    bool path;
};

static void put_settings(const struct setting_option *options, size_t n, const char *const *values,
                         struct isg_jsonw *w)
{
    char path[PATH_MAX];
    for (size_t i = 0; i < n; i++)
        isg_jsonw_put(w, options[i].setting,
                      options[i].path ? absolute(values[i], path) : values[i]);
}

/* The options of `feed add`: each is a setting of section feeds, judged by the service. */
static const struct setting_option add_options[] = {
    {"--url", "url", false},
    {"--format", "format", false},
    {"--collection", "collection", false},
    {"--interval", "interval", false},
    {"--header-file", "header_file", true},
    {"--ca", "ca", true},
    {"--client-certificate", "client_certificate", true},
    {"--client-key", "client_key", true},
    {"--proxy", "proxy", false},
    {"--proxy-auth-file", "proxy_auth_file", true},
    {"--redirects", "redirects", false},
    {"--allow-networks", "allow_networks", false},
    {"--allow-hosts", "allow_hosts", false},
    {"--columns", "columns", true},
    {"--warning-lists", "warning_lists", true},
    {"--networks", "networks", false},
    {"--timeout", "timeout", false},
    {"--max-wire", "max_wire", false},
    {"--max-bytes", "max_bytes", false},
    {"--max-ratio", "max_ratio", false},
    {"--max-records", "max_records", false},
    {"--max-depth", "max_depth", false},
    {"--max-string", "max_string", false},
    {"--shrink-percent", "shrink_percent", false},
};
enum { ADD_OPTIONS = sizeof add_options / sizeof add_options[0] };

static void add_body(const char *name, const char *const values[ADD_OPTIONS], bool allow_private,
                     struct isg_buf *out)
{
    struct isg_jsonw w;
    isg_buf_init(out, BODY_MAX);
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "name", name);
    put_settings(add_options, ADD_OPTIONS, values, &w);
    if (allow_private)
        isg_jsonw_put_bool(&w, "allow_private", true);
    isg_jsonw_end(&w);
}

static int feed_add(struct cli *cli)
{
    const char *values[ADD_OPTIONS] = {NULL};
    bool allow_private = false;
    struct cli_option options[ADD_OPTIONS + 1] = {{"--allow-private", &allow_private, NULL}};
    struct isg_buf body;
    for (size_t i = 0; i < ADD_OPTIONS; i++)
        options[i + 1] = (struct cli_option){add_options[i].option, NULL, &values[i]};
    int code = cli_options(cli, options, ADD_OPTIONS + 1);
    if (code == 0)
        code = cli_expect(cli, 1, 1);
    if (code == 0 && (values[0] == NULL || values[1] == NULL || values[2] == NULL))
        code = cli_usage(cli, "--url, --format and --collection are needed");
    if (code != 0)
        return code;
    add_body(cli->args[0], values, allow_private, &body);
    code = cli_admin_print(cli, "POST", "/admin/v1/feeds", isg_buf_str(&body), print_members);
    isg_buf_done(&body);
    return code;
}

static int entry_list(struct cli *cli, void (*print)(const struct stix_json *))
{
    int code = cli_options(cli, NULL, 0);
    if (code == 0)
        code = cli_expect(cli, 0, 0);
    return code != 0
               ? code
               : cli_admin_print(cli, NULL, "/admin/v1/feeds", (struct isg_str){NULL, 0}, print);
}

static int feed_list(struct cli *cli)
{
    return entry_list(cli, print_feeds);
}

static int peer_list(struct cli *cli)
{
    return entry_list(cli, print_peers);
}

static const struct stix_json *entry_named(const struct stix_json *list, const char *name)
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
    const struct stix_json *entry = entry_named(list, name);
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
    int code = cli_options(cli, NULL, 0);
    if (code == 0)
        code = cli_expect(cli, 0, 1);
    if (code != 0)
        return code;
    if (cli->json && cli->args_count == 0)
        return cli_admin_print(cli, NULL, "/admin/v1/feeds", (struct isg_str){NULL, 0}, NULL);
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
    struct isg_buf path;
    int code = cli_options(cli, options, options_count);
    if (code == 0)
        code = cli_expect(cli, 1, 1);
    if (code != 0)
        return code;
    (void)snprintf(query, sizeof query, "/run?dry_run=%d&accept_shrink=%d", dry_run, accept);
    (void)entry_path(&path, list, cli->args[0], query);
    code = cli_admin_print(cli, "POST", path.p, (struct isg_str){NULL, 0}, print_members);
    isg_buf_done(&path);
    return code;
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
    struct isg_buf path;
    int code = cli_options(cli, NULL, 0);
    if (code == 0)
        code = cli_expect(cli, 1, 1);
    if (code != 0)
        return code;
    (void)entry_path(&path, "feeds", cli->args[0], "");
    code = cli_admin_print(cli, "DELETE", path.p, (struct isg_str){NULL, 0}, print_nothing);
    isg_buf_done(&path);
    return code;
}

int cli_feed(struct cli *cli)
{
    static const struct cli_command family[] = {{"add", NULL, NULL, feed_add},
                                                {"list", NULL, NULL, feed_list},
                                                {"status", NULL, NULL, feed_status},
                                                {"run", NULL, NULL, feed_run},
                                                {"remove", NULL, NULL, feed_remove}};
    return cli_family(cli, family, sizeof family / sizeof family[0]);
}

/* The options of `peer pull` and `peer push`: members of the body, judged by the service. */
static const struct setting_option peer_options[] = {
    {"--url", "url", false},
    {"--from", "from", false},
    {"--collection", "collection", false},
    {"--member", "member", false},
    {"--user", "user", false},
    {"--password-file", "password_file", true},
    {"--header-file", "header_file", true},
    {"--ca", "ca", true},
    {"--client-certificate", "client_certificate", true},
    {"--client-key", "client_key", true},
    {"--proxy", "proxy", false},
    {"--proxy-auth-file", "proxy_auth_file", true},
};
enum { PEER_OPTIONS = sizeof peer_options / sizeof peer_options[0] };

static int peer_run(struct cli *cli, const char *direction)
{
    const char *values[PEER_OPTIONS] = {NULL};
    bool allow_private = false;
    bool dry_run = false;
    struct cli_option options[PEER_OPTIONS + 2] = {{"--dry-run", &dry_run, NULL},
                                                   {"--allow-private", &allow_private, NULL}};
    struct isg_buf body;
    struct isg_jsonw w;
    for (size_t i = 0; i < PEER_OPTIONS; i++)
        options[i + 2] = (struct cli_option){peer_options[i].option, NULL, &values[i]};
    int code = cli_options(cli, options, PEER_OPTIONS + 2);
    if (code == 0)
        code = cli_expect(cli, 0, 0);
    if (code == 0 && (values[0] == NULL || values[1] == NULL || values[2] == NULL))
        code = cli_usage(cli, "--url, --from and --collection are needed");
    if (code != 0)
        return code;
    isg_buf_init(&body, BODY_MAX);
    isg_jsonw_init(&w, &body);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "direction", direction);
    put_settings(peer_options, PEER_OPTIONS, values, &w);
    if (allow_private)
        isg_jsonw_put_bool(&w, "allow_private", true);
    if (dry_run)
        isg_jsonw_put_bool(&w, "dry_run", true);
    isg_jsonw_end(&w);
    code = cli_admin_print(cli, "POST", "/admin/v1/peers/run", isg_buf_str(&body), print_members);
    isg_buf_done(&body);
    return code;
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
    static const struct cli_command family[] = {{"pull", NULL, NULL, peer_pull},
                                                {"push", NULL, NULL, peer_push},
                                                {"list", NULL, NULL, peer_list},
                                                {"status", NULL, NULL, peer_status},
                                                {"run", NULL, NULL, peer_run_named}};
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
    static const struct cli_command family[] = {{"list", NULL, NULL, webhook_list},
                                                {"status", NULL, NULL, webhook_status},
                                                {"run", NULL, NULL, webhook_run}};
    return cli_family(cli, family, sizeof family / sizeof family[0]);
}
