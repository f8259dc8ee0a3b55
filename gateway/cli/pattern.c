/* Patterns on the command line: check, match, equiv, print. No service is needed. */
#include "stix/pattern.h"

#include <stdio.h>
#include <string.h>

#include "gateway/cli/cli.h"
#include "gateway/cli/lines.h"
#include "stix/match.h"

static const size_t FILE_MAX = (size_t)1 << 30;

/* The version a request or an option names: 2.1 when it names none. */
static int read_version(struct isg_str name, enum stix_pattern_version *out, struct isg_fail *why)
{
    *out = isg_str_is(name, "2.0") ? STIX_PATTERN_2_0 : STIX_PATTERN_2_1;
    if (name.p == NULL || isg_str_is(name, "2.0") || isg_str_is(name, "2.1"))
        return ISG_OK;
    return isg_fail(why, ISG_EINVAL, "version is 2.0 or 2.1");
}

/* ---- lines ---- */

/* A member that is a string, into *out. */
static int read_string(const struct stix_json *request, const char *name, struct isg_str *out,
                       struct isg_fail *why)
{
    *out = stix_json_get_str(request, name);
    if (stix_json_type(stix_json_get(request, name)) == STIX_JSON_STRING)
        return ISG_OK;
    return isg_fail(why, ISG_EINVAL, "%s is missing or not a string", name);
}

static int read_request(struct isg_str line, struct stix_json **out,
                        enum stix_pattern_version *version, struct isg_fail *why)
{
    int err = stix_json_parse(line, NULL, out, why);
    if (err == ISG_OK && stix_json_type(*out) != STIX_JSON_OBJECT)
        err = isg_fail(why, ISG_EINVAL, "not a JSON object");
    if (err == ISG_OK && stix_json_has(*out, "version")) {
        struct isg_str name;
        err = read_string(*out, "version", &name, why);
        return err == ISG_OK ? read_version(name, version, why) : err;
    }
    *version = STIX_PATTERN_2_1;
    return err;
}

static void write_answer(struct isg_buf *out, const char *name, int err, bool yes,
                         const struct isg_fail *why)
{
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    if (err == ISG_OK)
        isg_jsonw_put_bool(&w, name, yes);
    else
        isg_jsonw_put(&w, "error", why->text[0] != '\0' ? why->text : isg_strerror(err));
    isg_jsonw_end(&w);
}

static bool answer_check(void *arg, struct isg_str line, struct isg_buf *out)
{
    const enum stix_pattern_version *version = arg;
    struct isg_fail why = {0};
    struct stix_json *json = NULL;
    struct isg_jsonw w;
    int err = stix_json_parse(line, NULL, &json, &why);
    if (err == ISG_OK && stix_json_type(json) != STIX_JSON_STRING)
        err = isg_fail(&why, ISG_EINVAL, "not a JSON string");
    if (err == ISG_OK)
        err = stix_pattern_check(stix_json_str(json), *version, &why);
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    isg_jsonw_put_bool(&w, "valid", err == ISG_OK);
    isg_jsonw_name(&w, "errors");
    isg_jsonw_list(&w);
    if (err != ISG_OK)
        cli_write_finding(&w, why.path, why.rule, why.text);
    isg_jsonw_end(&w);
    isg_jsonw_end(&w);
    stix_json_free(&json);
    return err == ISG_OK;
}

static bool answer_match(void *arg, struct isg_str line, struct isg_buf *out)
{
    struct isg_fail why = {0};
    struct stix_json *request = NULL;
    enum stix_pattern_version version;
    struct isg_str pattern;
    bool match = false;
    (void)arg;
    int err = read_request(line, &request, &version, &why);
    if (err == ISG_OK)
        err = read_string(request, "pattern", &pattern, &why);
    if (err == ISG_OK && stix_json_type(stix_json_get(request, "observations")) != STIX_JSON_LIST)
        err = isg_fail(&why, ISG_EINVAL, "observations is missing or not a list");
    if (err == ISG_OK)
        err = stix_match(pattern, version, stix_json_get(request, "observations"), &match, &why);
    write_answer(out, "match", err, match, &why);
    stix_json_free(&request);
    return err == ISG_OK && match;
}

static bool answer_equiv(void *arg, struct isg_str line, struct isg_buf *out)
{
    struct isg_fail why = {0};
    struct stix_json *request = NULL;
    enum stix_pattern_version version;
    struct isg_str a;
    struct isg_str b;
    bool same = false;
    (void)arg;
    int err = read_request(line, &request, &version, &why);
    if (err == ISG_OK)
        err = read_string(request, "a", &a, &why);
    if (err == ISG_OK)
        err = read_string(request, "b", &b, &why);
    if (err == ISG_OK)
        err = stix_pattern_equivalent(a, b, version, &same, &why);
    write_answer(out, "equivalent", err, same, &why);
    stix_json_free(&request);
    return err == ISG_OK && same;
}

/* ---- words ---- */

static int tell(const struct cli *cli, const char *name, bool yes, const char *text)
{
    if (cli->json)
        printf("{\"%s\":%s}\n", name, yes ? "true" : "false");
    else
        puts(text);
    return yes ? 0 : CLI_NO;
}

static int word_check(struct cli *cli, enum stix_pattern_version version)
{
    struct isg_fail why = {0};
    int err = stix_pattern_check(isg_str_of(cli->args[0]), version, &why);
    if (err == ISG_OK)
        return tell(cli, "valid", true, "valid");
    if (cli->json)
        puts("{\"valid\":false}");
    (void)cli_fail(cli, &why);
    return CLI_NO;
}

static int word_match(struct cli *cli, enum stix_pattern_version version)
{
    struct isg_fail why = {0};
    struct stix_json *observations = NULL;
    struct isg_buf text;
    bool match = false;
    isg_buf_init(&text, FILE_MAX);
    int err = cli_read(cli->args[1], FILE_MAX, &text, &why);
    if (err == ISG_OK)
        err = stix_json_parse(isg_buf_str(&text), NULL, &observations, &why);
    if (err == ISG_OK)
        err = stix_match(isg_str_of(cli->args[0]), version, observations, &match, &why);
    stix_json_free(&observations);
    isg_buf_done(&text);
    if (err != ISG_OK)
        return cli_fail(cli, &why);
    return tell(cli, "match", match, match ? "match" : "no match");
}

static int word_equiv(struct cli *cli, enum stix_pattern_version version)
{
    struct isg_fail why = {0};
    bool same = false;
    int err = stix_pattern_equivalent(isg_str_of(cli->args[0]), isg_str_of(cli->args[1]), version,
                                      &same, &why);
    if (err != ISG_OK)
        return cli_fail(cli, &why);
    return tell(cli, "equivalent", same, same ? "equivalent" : "not known to be equivalent");
}

static int word_print(struct cli *cli, enum stix_pattern_version version)
{
    struct isg_fail why = {0};
    struct isg_buf text;
    isg_buf_init(&text, FILE_MAX);
    int err = stix_pattern_print(isg_str_of(cli->args[0]), version, &text, &why);
    if (err == ISG_OK)
        cli_print(isg_buf_str(&text));
    isg_buf_done(&text);
    return err == ISG_OK ? 0 : cli_fail(cli, &why);
}

/* ---- the commands ---- */

/* Each reads lines, where it can, or words. */
struct verb {
    cli_answer *lines;
    int (*words)(struct cli *cli, enum stix_pattern_version version);
    size_t words_n;
};

static int run(struct cli *cli, const struct verb *verb)
{
    const char *lines = NULL;
    const char *name = NULL;
    enum stix_pattern_version version;
    struct isg_fail why = {0};
    const struct cli_option options[] = {{"--version", NULL, &name}, {"--jsonl", NULL, &lines}};
    int code = cli_options(cli, options, verb->lines != NULL ? 2 : 1);
    if (code == 0 && lines != NULL && strcmp(lines, "-") != 0)
        code = cli_usage(cli, "--jsonl reads standard input: --jsonl -");
    if (code == 0 && read_version(isg_str_of(name), &version, &why) != ISG_OK)
        code = cli_usage(cli, "--%s", why.text);
    if (code == 0)
        code =
            lines != NULL ? cli_expect(cli, 0, 0) : cli_expect(cli, verb->words_n, verb->words_n);
    if (code != 0)
        return code;
    return lines != NULL ? cli_each_line(verb->lines, &version) : verb->words(cli, version);
}

static int pattern_check(struct cli *cli)
{
    return run(cli, &(const struct verb){answer_check, word_check, 1});
}

static int pattern_match(struct cli *cli)
{
    return run(cli, &(const struct verb){answer_match, word_match, 2});
}

static int pattern_equiv(struct cli *cli)
{
    return run(cli, &(const struct verb){answer_equiv, word_equiv, 2});
}

static int pattern_print(struct cli *cli)
{
    return run(cli, &(const struct verb){NULL, word_print, 1});
}

int cli_pattern(struct cli *cli)
{
    static const struct cli_command family[] = {{"check", NULL, NULL, pattern_check},
                                                {"match", NULL, NULL, pattern_match},
                                                {"equiv", NULL, NULL, pattern_equiv},
                                                {"print", NULL, NULL, pattern_print}};
    return cli_family(cli, family, sizeof family / sizeof family[0]);
}
