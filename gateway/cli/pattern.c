/* Patterns on the command line: check, match, equiv, print. No service is needed. */
#include "stix/pattern.h"

#include <stdio.h>
#include <string.h>

#include "gateway/cli/cli.h"
#include "gateway/cli/lines.h"
#include "stix/match.h"

static const size_t FILE_MAX = (size_t)1 << 30;

/* A version of STIX: 2.1 when no one names one. */
struct version {
    enum stix_pattern_version is;
    bool named;
};

static int read_version(struct isg_str name, struct version *out, struct isg_fail *why)
{
    if (name.p == NULL)
        return ISG_OK;
    *out = (struct version){isg_str_is(name, "2.0") ? STIX_PATTERN_2_0 : STIX_PATTERN_2_1, true};
    if (isg_str_is(name, "2.0") || isg_str_is(name, "2.1"))
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

/* The version of a request, by either name; without one it stays as the options say. */
static int read_versions(const struct stix_json *request, struct version *version,
                         struct isg_fail *why)
{
    static const char *const names[] = {"version", "pattern_version"};
    int err = ISG_OK;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && err == ISG_OK; i++) {
        struct isg_str name;
        if (!stix_json_has(request, names[i]))
            continue;
        err = read_string(request, names[i], &name, why);
        if (err == ISG_OK)
            err = read_version(name, version, why);
    }
    return err;
}

static int read_request(struct isg_str line, struct stix_json **out, struct version *version,
                        struct isg_fail *why)
{
    int err = stix_json_parse(line, NULL, out, why);
    if (err == ISG_OK && stix_json_type(*out) != STIX_JSON_OBJECT)
        err = isg_fail(why, ISG_EINVAL, "not a JSON object");
    return err == ISG_OK ? read_versions(*out, version, why) : err;
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

/* "PATTERN", or {"pattern":"PATTERN"} with a version of its own. */
static int read_pattern(const struct stix_json *line, struct isg_str *out, struct version *version,
                        struct isg_fail *why)
{
    *out = stix_json_str(line);
    if (stix_json_type(line) == STIX_JSON_STRING)
        return ISG_OK;
    if (stix_json_type(line) != STIX_JSON_OBJECT)
        return isg_fail(why, ISG_EINVAL, "not a JSON string");
    int err = read_string(line, "pattern", out, why);
    return err == ISG_OK ? read_versions(line, version, why) : err;
}

static bool answer_check(void *arg, struct isg_str line, struct isg_buf *out)
{
    struct version version = *(const struct version *)arg;
    struct isg_fail why = {0};
    struct stix_json *json = NULL;
    struct isg_str pattern;
    struct isg_jsonw w;
    int err = stix_json_parse(line, NULL, &json, &why);
    if (err == ISG_OK)
        err = read_pattern(json, &pattern, &version, &why);
    if (err == ISG_OK)
        err = stix_pattern_check(pattern, version.is, &why);
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

/* True when an observation, or one in a bundle, says that it is of 2.1. */
static bool is_of_21(const struct stix_json *value)
{
    const struct stix_json *list =
        stix_json_type(value) == STIX_JSON_LIST ? value : stix_json_get(value, "objects");
    if (isg_str_is(stix_json_get_str(value, "spec_version"), "2.1"))
        return true;
    if (stix_json_type(list) != STIX_JSON_LIST)
        return false;
    for (size_t i = 0; i < stix_json_size(list); i++)
        if (is_of_21(stix_json_at(list, i)))
            return true;
    return false;
}

/* Over observations that may be of 2.0 a pattern may be, too, when no one says what it is. */
static int match(struct isg_str pattern, struct version version,
                 const struct stix_json *observations, bool *out, struct isg_fail *why)
{
    struct isg_fail other;
    int err = stix_match(pattern, version.is, observations, out, why);
    if (err == ISG_EPARSE && !version.named && !is_of_21(observations) &&
        stix_match(pattern, STIX_PATTERN_2_0, observations, out, &other) == ISG_OK)
        return ISG_OK;
    return err;
}

/* Where in the request the observation is that is wrong. */
static void name_observation(struct isg_fail *why)
{
    struct isg_fail inner = *why;
    if (strcmp(inner.rule, "S-039") == 0)
        (void)isg_fail_at(why, inner.code, inner.path, inner.rule, "/observations%s: %s",
                          inner.path, inner.text);
}

static bool answer_match(void *arg, struct isg_str line, struct isg_buf *out)
{
    struct version version = *(const struct version *)arg;
    struct isg_fail why = {0};
    struct stix_json *request = NULL;
    struct isg_str pattern;
    bool matches = false;
    int err = read_request(line, &request, &version, &why);
    const struct stix_json *observations = stix_json_get(request, "observations");
    if (err == ISG_OK)
        err = read_string(request, "pattern", &pattern, &why);
    if (err == ISG_OK && stix_json_type(observations) != STIX_JSON_LIST &&
        stix_json_type(observations) != STIX_JSON_OBJECT)
        err = isg_fail(&why, ISG_EINVAL, "observations is missing or not a list");
    if (err == ISG_OK) {
        err = match(pattern, version, observations, &matches, &why);
        name_observation(&why);
    }
    write_answer(out, "match", err, matches, &why);
    stix_json_free(&request);
    return err == ISG_OK && matches;
}

/* Two patterns of one version; of 2.0 only when one of them cannot be of 2.1. */
static int compare(struct isg_str a, struct isg_str b, struct version version, bool *out,
                   struct isg_fail *why)
{
    struct isg_fail other;
    int err = stix_pattern_equivalent(a, b, version.is, out, why);
    if (err == ISG_EPARSE && !version.named &&
        stix_pattern_equivalent(a, b, STIX_PATTERN_2_0, out, &other) == ISG_OK)
        return ISG_OK;
    return err;
}

static bool answer_equiv(void *arg, struct isg_str line, struct isg_buf *out)
{
    struct version version = *(const struct version *)arg;
    struct isg_fail why = {0};
    struct stix_json *request = NULL;
    struct isg_str a;
    struct isg_str b;
    bool same = false;
    int err = read_request(line, &request, &version, &why);
    if (err == ISG_OK)
        err = read_string(request, "a", &a, &why);
    if (err == ISG_OK)
        err = read_string(request, "b", &b, &why);
    if (err == ISG_OK)
        err = compare(a, b, version, &same, &why);
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

static int word_check(struct cli *cli, struct version version)
{
    struct isg_fail why = {0};
    int err = stix_pattern_check(isg_str_of(cli->args[0]), version.is, &why);
    if (err == ISG_OK)
        return tell(cli, "valid", true, "valid");
    if (cli->json)
        puts("{\"valid\":false}");
    (void)cli_fail(cli, &why);
    return CLI_NO;
}

static int word_match(struct cli *cli, struct version version)
{
    struct isg_fail why = {0};
    struct stix_json *observations = NULL;
    struct isg_buf text;
    bool matches = false;
    isg_buf_init(&text, FILE_MAX);
    int err = cli_read(cli->args[1], FILE_MAX, &text, &why);
    if (err == ISG_OK)
        err = stix_json_parse(isg_buf_str(&text), NULL, &observations, &why);
    if (err == ISG_OK)
        err = match(isg_str_of(cli->args[0]), version, observations, &matches, &why);
    stix_json_free(&observations);
    isg_buf_done(&text);
    if (err != ISG_OK)
        return cli_fail(cli, &why);
    return tell(cli, "match", matches, matches ? "match" : "no match");
}

static int word_equiv(struct cli *cli, struct version version)
{
    struct isg_fail why = {0};
    bool same = false;
    int err = compare(isg_str_of(cli->args[0]), isg_str_of(cli->args[1]), version, &same, &why);
    if (err != ISG_OK)
        return cli_fail(cli, &why);
    return tell(cli, "equivalent", same, same ? "equivalent" : "not known to be equivalent");
}

static int word_print(struct cli *cli, struct version version)
{
    struct isg_fail why = {0};
    struct isg_buf text;
    isg_buf_init(&text, FILE_MAX);
    int err = stix_pattern_print(isg_str_of(cli->args[0]), version.is, &text, &why);
    if (err == ISG_OK)
        cli_print(isg_buf_str(&text));
    isg_buf_done(&text);
    return err == ISG_OK ? 0 : cli_fail(cli, &why);
}

/* ---- the commands ---- */

/* Each reads lines, where it can, or words. */
struct verb {
    cli_answer *lines;
    int (*words)(struct cli *cli, struct version version);
    size_t words_n;
};

static int run(struct cli *cli, const struct verb *verb)
{
    const char *lines = NULL;
    const char *name = NULL;
    struct version version = {STIX_PATTERN_2_1, false};
    struct isg_fail why = {0};
    const struct cli_option options[] = {
        {"--version", NULL, &name}, {"--stix", NULL, &name}, {"--jsonl", NULL, &lines}};
    int code = cli_options(cli, options, verb->lines != NULL ? 3 : 2);
    if (code == 0 && lines != NULL && strcmp(lines, "-") != 0)
        code = cli_usage(cli, "--jsonl reads standard input: --jsonl -");
    if (code == 0 && read_version(isg_str_of(name), &version, &why) != ISG_OK)
        code = cli_usage(cli, "--stix: the %s", why.text);
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
    static const struct cli_command family[] = {{"check", NULL, pattern_check},
                                                {"match", NULL, pattern_match},
                                                {"equiv", NULL, pattern_equiv},
                                                {"print", NULL, pattern_print}};
    return cli_family(cli, family, sizeof family / sizeof family[0]);
}
