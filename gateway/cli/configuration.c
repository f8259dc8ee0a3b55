/* The configuration: is it good, what is in force, what is there to set. */
#include <stdio.h>

#include "gateway/cli/cli.h"
#include "stix/base/jsonw.h"

enum { TEXT_MAX = 1 << 20 };

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

int cli_check_config(struct cli *cli)
{
    struct isg_fail why = {0};
    struct config *config = NULL;
    int code = cli_options(cli, NULL, 0);
    if (code == 0)
        code = cli_expect(cli, 0, 1);
    if (code != 0)
        return code;
    int err = load(cli, &config, &why);
    config_free(&config);
    if (err != ISG_OK) {
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
    int code = cli_options(cli, NULL, 0);
    if (code == 0)
        code = cli_expect(cli, 0, 0);
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
    int code = cli_options(cli, NULL, 0);
    if (code == 0)
        code = cli_expect(cli, 0, 1);
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
    static const struct cli_command family[] = {{"example", NULL, NULL, config_example_run},
                                                {"show", NULL, NULL, config_show_run},
                                                {"reference", NULL, NULL, config_reference_run}};
    return cli_family(cli, family, sizeof family / sizeof family[0]);
}
