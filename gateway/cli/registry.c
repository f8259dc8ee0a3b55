/* Members and collections of the running service. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cli/cli.h"
#include "gateway/trust/secret.h"
#include "stix/base/jsonw.h"

enum { BODY_MAX = 1 << 20 };

static void path_of(struct isg_buf *path, const char *folder, const char *name, const char *rest)
{
    isg_buf_puts(path, folder);
    cli_escape(path, name);
    isg_buf_puts(path, rest);
}

/* ---- members ---- */

struct member_words {
    const char *kind;
    const char *password_file;
    const char *title;
    const char *tlp_max;
    const char *certificate;
};

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

static void print_token(const struct stix_json *json)
{
    cli_print(stix_json_get_str(json, "token"));
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
    if (words->password_file != NULL && err == ISG_OK)
        isg_jsonw_put_str(&w, "password", isg_buf_str(&password));
    if (words->certificate != NULL) {
        isg_jsonw_name(&w, "certificates");
        isg_jsonw_list(&w);
        isg_jsonw_str(&w, isg_str_of(words->certificate));
        isg_jsonw_end(&w);
    }
    isg_jsonw_end(&w);
    if (password.p != NULL)
        trust_wipe(password.p, password.cap);
    isg_buf_done(&password);
    return err != ISG_OK ? err : out->err;
}

static int member_put(struct cli *cli, bool create)
{
    struct member_words words = {0};
    const struct cli_option options[] = {{"--kind", NULL, &words.kind},
                                         {"--password-file", NULL, &words.password_file},
                                         {"--title", NULL, &words.title},
                                         {"--tlp-max", NULL, &words.tlp_max},
                                         {"--certificate", NULL, &words.certificate}};
    struct isg_fail why = {0};
    struct isg_buf body;
    struct isg_buf path;
    int code = cli_options(cli, options, 5);
    if (code == 0)
        code = cli_expect(cli, 1, 1);
    if (code == 0 && create && words.kind == NULL)
        code = cli_usage(cli, "--kind is missing");
    if (code != 0)
        return code;
    isg_buf_init(&body, BODY_MAX);
    isg_buf_init(&path, BODY_MAX);
    path_of(&path, create ? "/admin/v1/members" : "/admin/v1/members/", create ? "" : cli->args[0],
            "");
    int err = member_body(cli, &words, &body, &why);
    code = err != ISG_OK ? cli_fail(cli, &why)
                         : cli_admin_print(cli, create ? "POST" : "PUT", path.p, isg_buf_str(&body),
                                           print_member);
    if (body.p != NULL)
        trust_wipe(body.p, body.cap);
    isg_buf_done(&body);
    isg_buf_done(&path);
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
    int code = cli_options(cli, NULL, 0);
    if (code == 0)
        code = cli_expect(cli, 0, 0);
    return code != 0 ? code
                     : cli_admin_print(cli, NULL, "/admin/v1/members", (struct isg_str){NULL, 0},
                                       print_members);
}

/* A request about one member named by the only argument. */
static int member_named(struct cli *cli, const char *method, const char *rest, struct isg_str body,
                        void (*print)(const struct stix_json *json))
{
    struct isg_buf path;
    isg_buf_init(&path, BODY_MAX);
    path_of(&path, "/admin/v1/members/", cli->args[0], rest);
    int code = cli_admin_print(cli, method, path.p, body, print);
    isg_buf_done(&path);
    return code;
}

static int member_show(struct cli *cli)
{
    int code = cli_options(cli, NULL, 0);
    if (code == 0)
        code = cli_expect(cli, 1, 1);
    return code != 0 ? code : member_named(cli, NULL, "", (struct isg_str){NULL, 0}, print_member);
}

static int member_token(struct cli *cli)
{
    const char *label = "token";
    const struct cli_option options[] = {{"--label", NULL, &label}};
    struct isg_buf body;
    struct isg_jsonw w;
    int code = cli_options(cli, options, 1);
    if (code == 0)
        code = cli_expect(cli, 1, 1);
    if (code != 0)
        return code;
    isg_buf_init(&body, BODY_MAX);
    isg_jsonw_init(&w, &body);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "label", label);
    isg_jsonw_end(&w);
    code = member_named(cli, "POST", "/token", isg_buf_str(&body), print_token);
    isg_buf_done(&body);
    return code;
}

static int member_switch(struct cli *cli, bool suspended)
{
    struct isg_buf body;
    struct isg_jsonw w;
    int code = cli_options(cli, NULL, 0);
    if (code == 0)
        code = cli_expect(cli, 1, 1);
    if (code != 0)
        return code;
    isg_buf_init(&body, BODY_MAX);
    isg_jsonw_init(&w, &body);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "name", cli->args[0]);
    isg_jsonw_put_bool(&w, "suspended", suspended);
    isg_jsonw_end(&w);
    code = member_named(cli, "PUT", "", isg_buf_str(&body), print_member);
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
        {"add", NULL, NULL, member_add},         {"list", NULL, NULL, member_list},
        {"show", NULL, NULL, member_show},       {"set", NULL, NULL, member_set},
        {"suspend", NULL, NULL, member_suspend}, {"resume", NULL, NULL, member_resume},
        {"token", NULL, NULL, member_token}};
    return cli_family(cli, family, sizeof family / sizeof family[0]);
}

/* ---- collections ---- */

static void print_collection(const struct stix_json *json)
{
    printf("%.*s  %-20.*s %-11.*s\n", ISG_STR_ARG(stix_json_get_str(json, "id")),
           ISG_STR_ARG(stix_json_get_str(json, "title")),
           ISG_STR_ARG(stix_json_get_str(json, "handling")));
}

static void print_collections(const struct stix_json *json)
{
    const struct stix_json *list = stix_json_get(json, "collections");
    for (size_t i = 0; i < stix_json_size(list); i++) {
        const struct stix_json *row = stix_json_at(list, i);
        int64_t events = 0;
        (void)stix_json_int(stix_json_get(row, "events"), &events);
        const struct stix_json *c = stix_json_get(row, "collection");
        printf("%.*s  %-20.*s %-11.*s %10lld events\n", ISG_STR_ARG(stix_json_get_str(c, "id")),
               ISG_STR_ARG(stix_json_get_str(c, "title")),
               ISG_STR_ARG(stix_json_get_str(c, "handling")), (long long)events);
    }
}

struct collection_words {
    const char *title, *id, *alias, *description, *root, *handling, *publish_to, *default_tlp;
    const char *read, *write;
};

static void collection_body(const struct collection_words *words, struct isg_buf *out)
{
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "id", words->id);
    isg_jsonw_put(&w, "title", words->title);
    isg_jsonw_put(&w, "alias", words->alias);
    isg_jsonw_put(&w, "description", words->description);
    isg_jsonw_put(&w, "root", words->root);
    isg_jsonw_put(&w, "handling", words->handling);
    isg_jsonw_put(&w, "publish_to", words->publish_to);
    isg_jsonw_put(&w, "default_tlp", words->default_tlp);
    isg_jsonw_put(&w, "read", words->read);
    isg_jsonw_put(&w, "write", words->write);
    isg_jsonw_end(&w);
}

static bool is_named(const struct stix_json *collection, const char *key, const char *name)
{
    return isg_str_is(stix_json_get_str(collection, key), name);
}

/* The id that a name stands for, as the service reads names: ids and aliases go before titles. */
static int collection_id(struct cli *cli, const char *name, char out[64], struct isg_fail *why)
{
    struct stix_json *json = NULL;
    size_t found = 0;
    int err = cli_admin(cli, NULL, "/admin/v1/collections", (struct isg_str){NULL, 0}, &json, why);
    const struct stix_json *list = stix_json_get(json, "collections");
    for (int by_title = 0; by_title < 2 && found == 0; by_title++)
        for (size_t i = 0; i < stix_json_size(list); i++) {
            const struct stix_json *c = stix_json_get(stix_json_at(list, i), "collection");
            if (by_title ? !is_named(c, "title", name)
                         : !is_named(c, "id", name) && !is_named(c, "alias", name))
                continue;
            (void)snprintf(out, 64, "%.*s", ISG_STR_ARG(stix_json_get_str(c, "id")));
            found++;
        }
    stix_json_free(&json);
    if (err == ISG_OK && found == 0)
        err = isg_fail(why, ISG_ENOENT, "no collection `%s`", name);
    if (err == ISG_OK && found > 1)
        err = isg_fail(why, ISG_ECONFLICT, "more than one collection has this name: use the id");
    return err;
}

static int collection_put(struct cli *cli, bool create)
{
    struct collection_words words = {0};
    const struct cli_option options[] = {{"--title", NULL, &words.title},
                                         {"--id", NULL, &words.id},
                                         {"--alias", NULL, &words.alias},
                                         {"--description", NULL, &words.description},
                                         {"--root", NULL, &words.root},
                                         {"--handling", NULL, &words.handling},
                                         {"--publish-to", NULL, &words.publish_to},
                                         {"--default-tlp", NULL, &words.default_tlp},
                                         {"--read", NULL, &words.read},
                                         {"--write", NULL, &words.write}};
    struct isg_fail why = {0};
    struct isg_buf body;
    struct isg_buf path;
    char id[64];
    int code = cli_options(cli, options, sizeof options / sizeof options[0]);
    if (code == 0)
        code = create ? cli_expect(cli, 0, 0) : cli_expect(cli, 1, 1);
    if (code == 0 && create && (words.title == NULL || words.handling == NULL))
        code = cli_usage(cli, "--title and --handling are needed");
    if (code != 0)
        return code;
    if (!create) {
        if (collection_id(cli, cli->args[0], id, &why) != ISG_OK)
            return cli_fail(cli, &why);
        words.id = id;
    }
    isg_buf_init(&body, BODY_MAX);
    isg_buf_init(&path, BODY_MAX);
    collection_body(&words, &body);
    path_of(&path, create ? "/admin/v1/collections" : "/admin/v1/collections/", create ? "" : id,
            "");
    code =
        cli_admin_print(cli, create ? "POST" : "PUT", path.p, isg_buf_str(&body), print_collection);
    isg_buf_done(&body);
    isg_buf_done(&path);
    return code;
}

static int collection_add(struct cli *cli)
{
    return collection_put(cli, true);
}

static int collection_set(struct cli *cli)
{
    return collection_put(cli, false);
}

static int collection_list(struct cli *cli)
{
    int code = cli_options(cli, NULL, 0);
    if (code == 0)
        code = cli_expect(cli, 0, 0);
    return code != 0 ? code
                     : cli_admin_print(cli, NULL, "/admin/v1/collections",
                                       (struct isg_str){NULL, 0}, print_collections);
}

int cli_collection(struct cli *cli)
{
    static const struct cli_command family[] = {{"add", NULL, NULL, collection_add},
                                                {"list", NULL, NULL, collection_list},
                                                {"set", NULL, NULL, collection_set}};
    return cli_family(cli, family, sizeof family / sizeof family[0]);
}
