/* Collections of the running service. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cli/cli.h"
#include "stix/base/jsonw.h"

enum { BODY_MAX = 1 << 20 };

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
        char events[CLI_COUNT];
        const struct stix_json *c = stix_json_get(row, "collection");
        printf("%.*s  %-20.*s %-11.*s %10s events\n", ISG_STR_ARG(stix_json_get_str(c, "id")),
               ISG_STR_ARG(stix_json_get_str(c, "title")),
               ISG_STR_ARG(stix_json_get_str(c, "handling")),
               cli_count(stix_json_get(row, "events"), events));
    }
}

struct collection_words {
    const char *title, *id, *alias, *description, *root, *handling, *publish_to, *default_tlp;
    const char *durability, *ttl, *read, *write;
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
    isg_jsonw_put(&w, "durability", words->durability);
    isg_jsonw_put(&w, "ttl", words->ttl);
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
                                         {"--durability", NULL, &words.durability},
                                         {"--ttl", NULL, &words.ttl},
                                         {"--read", NULL, &words.read},
                                         {"--write", NULL, &words.write}};
    struct isg_fail why = {0};
    struct isg_buf body;
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
        words.id = words.id == NULL ? id : words.id; /* another one is refused by the service */
    }
    isg_buf_init(&body, BODY_MAX);
    collection_body(&words, &body);
    struct isg_str text = isg_buf_str(&body);
    code = create ? cli_admin_print(cli, "POST", "/admin/v1/collections", text, print_collection)
                  : cli_named(cli, "PUT", "collections", "", text, print_collection);
    isg_buf_done(&body);
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
    int code = cli_arguments(cli, NULL, 0, 0, 0);
    return code != 0 ? code : cli_ask(cli, "/admin/v1/collections", print_collections);
}

int cli_collection(struct cli *cli)
{
    static const struct cli_command family[] = {{"add", NULL, collection_add},
                                                {"list", NULL, collection_list},
                                                {"set", NULL, collection_set}};
    return cli_family(cli, family, sizeof family / sizeof family[0]);
}
