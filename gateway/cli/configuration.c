/* The configuration: is it good, what is in force, what is there to set. */
#include <stdio.h>

#include "gateway/cli/cli.h"
#include "gateway/sync/feed_def.h"
#include "gateway/sync/feed_files.h"
#include "stix/base/jsonw.h"

enum { TEXT_MAX = 1 << 20, ARENA_MAX = 64 << 20 };

static int load(struct cli *cli, struct config **out, struct isg_fail *why)
{
    return cli_config_load(cli, cli->args_count > 0 ? cli->args[0] : NULL, out, why);
}

static void print_wrong_config(const struct isg_fail *why)
{
    struct isg_buf text;
    struct isg_jsonw w;
    isg_buf_init(&text, TEXT_MAX);
    isg_jsonw_init(&w, &text);
    isg_jsonw_object(&w);
    isg_jsonw_put_bool(&w, "valid", false);
    isg_jsonw_put(&w, "reason", why->text);
    isg_jsonw_end(&w);
    cli_print(isg_buf_str(&text));
    isg_buf_done(&text);
}

/* What the service would refuse when it starts: format and what goes with it, the name, the URL. */
static int check_feeds(const struct config *config, struct isg_fail *why)
{
    for (unsigned i = 0; i < config->feeds_count; i++) {
        struct feed_def def;
        struct isg_fail own = {.code = ISG_OK};
        int err = feed_def_of_config(&config->feeds[i], &def, &own);
        if (err != ISG_OK)
            return isg_fail_at(why, err, own.path, own.rule, "feeds, %.64s: %s",
                               config->feeds[i].name, own.text);
        feed_def_done(&def);
    }
    return ISG_OK;
}

static int check_aliases(const struct config *config, struct isg_fail *why)
{
    const struct product_alias *aliases;
    if (config->vendor_aliases == NULL)
        return ISG_OK;
    struct isg_arena *arena = isg_arena_new(ARENA_MAX);
    int err = arena == NULL ? isg_fail(why, ISG_ENOMEM, "no memory")
                            : feed_aliases_read(config->vendor_aliases, arena, NULL, &aliases, why);
    isg_arena_free(&arena);
    return err;
}

int cli_check_config(struct cli *cli)
{
    struct isg_fail why = {0};
    struct config *config = NULL;
    int code = cli_arguments(cli, NULL, 0, 0, 1);
    if (code != 0)
        return code;
    int err = load(cli, &config, &why);
    if (err == ISG_OK)
        err = check_feeds(config, &why);
    if (err == ISG_OK)
        err = check_aliases(config, &why);
    config_free(&config);
    if (err != ISG_OK) {
        cli->wrong_config = cli->wrong_config || err == ISG_EINVAL;
        if (cli->json)
            print_wrong_config(&why);
        return cli_fail(cli, &why);
    }
    puts(cli->json ? "{\"valid\":true}" : "the configuration is good");
    return 0;
}

static int print_text(struct cli *cli, void (*text)(struct isg_buf *out),
                      void (*json)(struct isg_buf *out))
{
    struct isg_buf out;
    int code = cli_arguments(cli, NULL, 0, 0, 0);
    if (code != 0)
        return code;
    isg_buf_init(&out, TEXT_MAX);
    (cli->json ? json : text)(&out);
    (void)fwrite(out.p, 1, out.len, stdout);
    isg_buf_done(&out);
    return 0;
}

static int config_example_run(struct cli *cli)
{
    return print_text(cli, config_example, config_reference_json);
}

static int config_reference_run(struct cli *cli)
{
    return print_text(cli, config_reference, config_reference_json);
}

static int config_show_run(struct cli *cli)
{
    struct isg_fail why = {0};
    struct config *config = NULL;
    struct isg_buf out;
    int code = cli_arguments(cli, NULL, 0, 0, 1);
    if (code != 0)
        return code;
    if (load(cli, &config, &why) != ISG_OK)
        return cli_fail(cli, &why);
    isg_buf_init(&out, TEXT_MAX);
    (cli->json ? config_show_json : config_show)(config, &out);
    (void)fwrite(out.p, 1, out.len, stdout);
    isg_buf_done(&out);
    config_free(&config);
    return 0;
}

int cli_config(struct cli *cli)
{
    static const struct cli_command family[] = {{"example", NULL, config_example_run},
                                                {"show", NULL, config_show_run},
                                                {"reference", NULL, config_reference_run}};
    return cli_family(cli, family, sizeof family / sizeof family[0]);
}
