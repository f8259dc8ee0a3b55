/* Two small tools of the language: the deterministic id of an observable, the canonical form. */
#include <stdio.h>

#include "gateway/cli/cli.h"
#include "gateway/cli/lines.h"
#include "stix/base/jsonw.h"
#include "stix/id.h"

static const size_t FILE_MAX = (size_t)4 << 30;

static bool answer_id(void *arg, struct isg_str line, struct isg_buf *out)
{
    struct isg_fail why = {0};
    struct stix_json *json = NULL;
    struct isg_jsonw w;
    char id[STIX_ID_MAX + 1];
    (void)arg;
    int err = stix_json_parse(line, NULL, &json, &why);
    if (err == ISG_OK)
        err = stix_id_sco(json, id, NULL, &why);
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, err == ISG_OK ? "id" : "error", err == ISG_OK ? id : why.text);
    isg_jsonw_end(&w);
    stix_json_free(&json);
    return err == ISG_OK;
}

int cli_id(struct cli *cli)
{
    const char *lines = NULL;
    const struct cli_option options[] = {{"--jsonl", NULL, &lines}};
    int code = cli_arguments(cli, options, 1, 0, 0);
    if (code == 0 && (lines == NULL || strcmp(lines, "-") != 0))
        code = cli_usage(cli, "reads standard input: --jsonl -");
    return code != 0 ? code : cli_each_line(answer_id, NULL);
}

int cli_canon(struct cli *cli)
{
    struct isg_fail why = {0};
    struct isg_buf text;
    struct isg_buf canon;
    struct stix_json *json = NULL;
    int code = cli_arguments(cli, NULL, 0, 1, 1);
    if (code != 0)
        return code;
    isg_buf_init(&text, FILE_MAX);
    isg_buf_init(&canon, ISG_BUF_NO_MAX);
    int err = cli_read(cli->args[0], FILE_MAX, &text, &why);
    if (err == ISG_OK)
        err = stix_json_parse(isg_buf_str(&text), NULL, &json, &why);
    if (err == ISG_OK) {
        stix_json_canon(json, &canon);
        err = canon.err;
        (void)fwrite(canon.p, 1, canon.len, stdout);
    }
    stix_json_free(&json);
    isg_buf_done(&canon);
    isg_buf_done(&text);
    return err == ISG_OK ? 0 : cli_fail(cli, &why);
}
