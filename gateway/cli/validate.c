/* STIX objects, bundles and lists of them against the rules of the standard; no service is needed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cli/cli.h"
#include "gateway/cli/lines.h"
#include "stix/base/jsonw.h"
#include "stix/check.h"

enum {
    FINDINGS_MAX = 1000, /* of each level, told of one value; beyond it only counted */
    ARENA_MAX = 256 << 20,
    WHOLE_MAX = 8 << 20, /* larger files are cut into objects while they are read */
    HEAD_MAX = 64 << 20, /* what such a file has besides its objects */
    PIECE = 256 << 10
};

static const size_t FILE_MAX = (size_t)4 << 30;

/* Verdicts on one value: findings in an arena that is reset for the next. */
struct verdict {
    struct isg_arena *arena;
    struct stix_report report;
    bool strict;
    enum stix_edition edition; /* --stix */
};

static bool verdict_begin(struct verdict *v)
{
    if (v->arena == NULL)
        v->arena = isg_arena_new(ARENA_MAX);
    if (v->arena == NULL)
        return false;
    isg_arena_reset(v->arena);
    stix_report_init(&v->report, v->arena, FINDINGS_MAX);
    return true;
}

static bool verdict_valid(const struct verdict *v)
{
    return v->report.errors == 0 && (!v->strict || v->report.warnings == 0);
}

static void write_findings(struct isg_jsonw *w, const struct verdict *v, enum stix_level level)
{
    isg_jsonw_name(w, level == STIX_ERROR ? "errors" : "warnings");
    isg_jsonw_list(w);
    for (const struct stix_finding *f = v->report.first; f != NULL; f = f->next)
        if (f->level == level)
            cli_write_finding(w, f->path, f->rule, f->message);
    isg_jsonw_end(w);
}

/* Findings beyond those that were kept. */
static size_t findings_left(const struct verdict *v)
{
    size_t left = v->report.errors + v->report.warnings;
    for (const struct stix_finding *f = v->report.first; f != NULL; f = f->next)
        left--;
    return left;
}

/* The line for one value that could not be parsed. */
static void write_unreadable(struct isg_buf *out, const struct isg_fail *why)
{
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    isg_jsonw_put_bool(&w, "valid", false);
    isg_jsonw_name(&w, "errors");
    isg_jsonw_list(&w);
    cli_write_finding(&w, why->path, why->rule, why->text);
    isg_jsonw_end(&w);
    isg_jsonw_name(&w, "warnings");
    isg_jsonw_list(&w);
    isg_jsonw_end(&w);
    isg_jsonw_end(&w);
}

static void write_verdict(struct isg_buf *out, const struct verdict *v)
{
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    isg_jsonw_put_bool(&w, "valid", verdict_valid(v));
    write_findings(&w, v, STIX_ERROR);
    write_findings(&w, v, STIX_WARNING);
    if (findings_left(v) > 0)
        isg_jsonw_put_int(&w, "more", (int64_t)findings_left(v));
    isg_jsonw_end(&w);
}

/* Check an object or bundle, or every element of a list (paths then begin with its index). */
static int check_value(const struct stix_json *value, struct verdict *v)
{
    const struct stix_check_options alone = {.edition = v->edition};
    const struct stix_check_options nested = {.nested = true, .edition = v->edition};
    if (stix_json_type(value) != STIX_JSON_LIST)
        return stix_check(value, &alone, &v->report);
    int err = ISG_OK;
    for (size_t i = 0; i < stix_json_size(value) && err == ISG_OK; i++) {
        struct stix_finding *before = v->report.last;
        err = stix_check(stix_json_at(value, i), &nested, &v->report);
        struct stix_finding *f = before != NULL ? before->next : v->report.first;
        for (; f != NULL; f = f->next) {
            char *path = isg_arena_printf(v->arena, "/%zu%s", i, f->path);
            f->path = path != NULL ? path : f->path;
        }
    }
    return err;
}

static bool answer_validate(void *arg, struct isg_str line, struct isg_buf *out)
{
    struct verdict *v = arg;
    struct isg_fail why = {0};
    struct stix_json *json = NULL;
    int err = verdict_begin(v) ? stix_json_parse(line, NULL, &json, &why)
                               : isg_fail(&why, ISG_ENOMEM, "out of memory");
    if (err == ISG_OK && check_value(json, v) != ISG_OK)
        err = isg_fail(&why, ISG_ENOMEM, "no memory for all that is wrong");
    if (err != ISG_OK)
        write_unreadable(out, &why);
    else
        write_verdict(out, v);
    stix_json_free(&json);
    return err == ISG_OK && verdict_valid(v);
}

/* ---- validate files ---- */

struct validate {
    struct cli *cli;
    struct verdict verdict;
    const char *file;
    FILE *in;
    size_t objects, errors, warnings;
    size_t printed[2];       /* findings of a level */
    struct isg_buf findings; /* those, with --json: objects parted by commas */
    struct isg_buf head;     /* the bundle without its objects, as JSON text */
};

/* One finding of a file: a line for people, or an entry of its object. Of each level the first. */
static void tell_finding(struct validate *run, enum stix_level level, const char *prefix,
                         const char *path, const char *rule, const char *message)
{
    const char *name = level == STIX_ERROR ? "error" : "warning";
    struct isg_buf whole;
    struct isg_jsonw w;
    if (run->printed[level]++ >= FINDINGS_MAX)
        return;
    if (!run->cli->json) {
        cli_line(stdout, "%s: %s %s%s: %s (%s)", run->file, name, prefix, path, message, rule);
        return;
    }
    isg_buf_init(&whole, ISG_BUF_NO_MAX);
    isg_buf_printf(&whole, "%s%s", prefix, path);
    isg_buf_puts(&run->findings, run->findings.len > 0 ? "," : "");
    isg_jsonw_init(&w, &run->findings);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "level", name);
    isg_jsonw_put_str(&w, "path", isg_buf_str(&whole));
    isg_jsonw_put(&w, "rule", rule);
    isg_jsonw_put(&w, "message", message);
    isg_jsonw_end(&w);
    isg_buf_done(&whole);
}

static void tell_findings(struct validate *run, const char *prefix)
{
    const struct stix_report *report = &run->verdict.report;
    run->errors += report->errors;
    run->warnings += report->warnings;
    for (const struct stix_finding *f = report->first; f != NULL; f = f->next)
        tell_finding(run, f->level, prefix, f->path, f->rule, f->message);
}

static int validate_text(struct validate *run, struct isg_str text, const char *prefix,
                         struct isg_fail *why)
{
    const struct stix_check_options nested = {.nested = true, .edition = run->verdict.edition};
    struct stix_json *json = NULL;
    if (!verdict_begin(&run->verdict))
        return isg_fail(why, ISG_ENOMEM, "out of memory");
    int err = stix_json_parse(text, NULL, &json, why);
    if (err == ISG_OK)
        err = prefix[0] == '\0' ? check_value(json, &run->verdict)
                                : stix_check(json, &nested, &run->verdict.report);
    stix_json_free(&json);
    if (err == ISG_OK)
        tell_findings(run, prefix);
    return err;
}

static int on_object(void *arg, struct isg_str text, size_t index, struct isg_fail *why)
{
    struct validate *run = arg;
    char prefix[48];
    struct isg_fail inner = {0};
    (void)snprintf(prefix, sizeof prefix, "/objects/%zu", index);
    run->objects++;
    int err = validate_text(run, text, prefix, &inner);
    if (err == ISG_EPARSE || err == ISG_ELIMIT) { /* one bad object; the others are judged too */
        run->errors++;
        tell_finding(run, STIX_ERROR, prefix, inner.path, inner.rule, inner.text);
        return ISG_OK;
    }
    return err == ISG_OK ? ISG_OK : isg_fail(why, err, "%s", inner.text);
}

static int on_member(void *arg, struct isg_str name, struct isg_str value, struct isg_fail *why)
{
    struct validate *run = arg;
    (void)why;
    isg_buf_putc(&run->head, run->head.len == 0 ? '{' : ',');
    isg_buf_putc(&run->head, '"');
    isg_json_escape(&run->head, name);
    isg_buf_puts(&run->head, "\":");
    isg_buf_put_str(&run->head, value);
    return run->head.err;
}

/* The next bytes of a file, until out has so many or the file ends. */
static int read_on(struct validate *run, size_t most, struct isg_buf *out, struct isg_fail *why)
{
    size_t got = 1;
    while (got > 0 && out->len < most) {
        char *to = isg_buf_reserve(out, PIECE);
        if (to == NULL)
            return isg_fail(why, out->err, "%s: no room for the file", run->file);
        got = fread(to, 1, PIECE, run->in);
        out->len += got;
    }
    return ferror(run->in) ? isg_fail(why, ISG_EIO, "%s: %s", run->file, ISG_OS_ERROR(errno))
                           : ISG_OK;
}

/* The rest of a file to the cutter, after what was read of it. */
static int feed_file(struct validate *run, struct stix_cutter *cutter, struct isg_buf *piece,
                     struct isg_fail *why)
{
    int err = ISG_OK;
    while (err == ISG_OK && piece->len > 0) {
        err = stix_cutter_feed(cutter, isg_buf_str(piece), why);
        isg_buf_reset(piece);
        if (err == ISG_OK)
            err = read_on(run, PIECE, piece, why);
    }
    return err == ISG_OK ? stix_cutter_end(cutter, why) : err;
}

/* A large bundle: its objects one by one as they are read, then what is left of it. */
static int validate_stream(struct validate *run, struct isg_buf *piece, struct isg_fail *why)
{
    isg_buf_init(&run->head, HEAD_MAX);
    struct stix_cutter *cutter = stix_cutter_new(NULL, on_object, on_member, run);
    if (cutter == NULL)
        return isg_fail(why, ISG_ENOMEM, "out of memory");
    int err = feed_file(run, cutter, piece, why);
    stix_cutter_free(&cutter);
    if (err == ISG_OK && run->head.len > 0) {
        isg_buf_putc(&run->head, '}');
        err = validate_text(run, isg_buf_str(&run->head), "", why);
    }
    isg_buf_done(&run->head);
    return err;
}

static size_t count_objects(struct isg_str text)
{
    struct stix_json *json = NULL;
    size_t n = 0;
    if (stix_json_parse(text, NULL, &json, NULL) == ISG_OK) {
        const struct stix_json *objects = stix_json_get(json, "objects");
        if (stix_json_type(json) == STIX_JSON_LIST)
            n = stix_json_size(json);
        else if (isg_str_is(stix_json_get_str(json, "type"), "bundle"))
            n = stix_json_size(objects);
        else
            n = 1;
    }
    stix_json_free(&json);
    return n;
}

static bool is_list(const struct isg_buf *text)
{
    struct isg_str trimmed = isg_str_trim(isg_buf_str(text));
    return trimmed.n > 0 && trimmed.p[0] == '[';
}

/* Small files and lists whole, which knows more about a bundle; others as a stream. */
static int validate_open(struct validate *run, struct isg_fail *why)
{
    struct isg_buf text;
    isg_buf_init(&text, FILE_MAX);
    int err = read_on(run, WHOLE_MAX, &text, why);
    bool stream = text.len >= WHOLE_MAX && !is_list(&text);
    if (err == ISG_OK && !stream)
        err = read_on(run, FILE_MAX, &text, why);
    if (err == ISG_OK && stream) {
        err = validate_stream(run, &text, why);
    } else if (err == ISG_OK) {
        err = validate_text(run, isg_buf_str(&text), "", why);
        run->objects = count_objects(isg_buf_str(&text));
    }
    isg_buf_done(&text);
    return err;
}

static int validate_file(struct validate *run, const char *path, struct isg_fail *why)
{
    bool standard = strcmp(path, "-") == 0;
    run->file = path;
    run->objects = run->errors = run->warnings = 0;
    run->printed[STIX_ERROR] = run->printed[STIX_WARNING] = 0;
    isg_buf_reset(&run->findings);
    run->in = standard ? stdin : fopen(path, "rbe");
    if (run->in == NULL)
        return isg_fail(why, ISG_EIO, "%s: %s", path, ISG_OS_ERROR(errno));
    int err = validate_open(run, why);
    if (!standard)
        (void)fclose(run->in);
    return err;
}

static bool validate_valid(const struct validate *run)
{
    return run->errors == 0 && (!run->verdict.strict || run->warnings == 0);
}

static void print_json(const struct validate *run, const struct isg_fail *why)
{
    struct isg_buf text;
    struct isg_buf findings;
    struct isg_jsonw w;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    isg_jsonw_init(&w, &text);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "file", run->file);
    isg_jsonw_put_bool(&w, "valid", why == NULL && validate_valid(run));
    isg_jsonw_put_int(&w, "objects", (int64_t)run->objects);
    isg_jsonw_put_int(&w, "errors", (int64_t)run->errors);
    isg_jsonw_put_int(&w, "warnings", (int64_t)run->warnings);
    isg_jsonw_put(&w, "reason", why != NULL ? why->text : NULL);
    isg_buf_init(&findings, ISG_BUF_NO_MAX);
    isg_buf_printf(&findings, "[%.*s]", ISG_STR_ARG(isg_buf_str(&run->findings)));
    isg_jsonw_name(&w, "findings");
    isg_jsonw_raw(&w, isg_buf_str(&findings));
    isg_jsonw_end(&w);
    isg_buf_done(&findings);
    cli_print(isg_buf_str(&text));
    isg_buf_done(&text);
}

static void validate_print(const struct validate *run)
{
    if (run->cli->json)
        print_json(run, NULL);
    else
        cli_line(stdout, "%s: %s, %zu objects, %zu errors, %zu warnings%s", run->file,
                 validate_valid(run) ? "valid" : "NOT valid", run->objects, run->errors,
                 run->warnings,
                 run->errors > FINDINGS_MAX || run->warnings > FINDINGS_MAX
                     ? "; of each the first 1000 are shown"
                     : "");
}

/* The file that could not be judged: named once, also where the text of the failure does not. */
static int validate_fail(const struct validate *run, const struct isg_fail *why)
{
    struct isg_fail named = *why;
    if (why->code != ISG_EIO)
        (void)isg_fail_at(&named, why->code, why->path, why->rule, "%.100s: %.140s", run->file,
                          why->text);
    if (run->cli->json)
        print_json(run, why);
    return cli_fail(run->cli, &named);
}

static int validate_files(struct cli *cli, const struct verdict *how)
{
    struct validate run = {.cli = cli, .verdict = *how};
    int code = 0;
    isg_buf_init(&run.findings, ISG_BUF_NO_MAX);
    for (size_t i = 0; i < cli->args_count; i++) {
        struct isg_fail why = {0};
        int err = validate_file(&run, cli->args[i], &why);
        if (err != ISG_OK) {
            code = validate_fail(&run, &why);
            continue;
        }
        validate_print(&run);
        if (!validate_valid(&run) && code == 0)
            code = CLI_NO;
    }
    isg_arena_free(&run.verdict.arena);
    isg_buf_done(&run.findings);
    return code;
}

int cli_validate(struct cli *cli)
{
    const char *lines = NULL;
    const char *edition = "2.1";
    struct verdict v = {0};
    const struct cli_option options[] = {
        {"--strict", &v.strict, NULL}, {"--stix", NULL, &edition}, {"--jsonl", NULL, &lines}};
    int code = cli_options(cli, options, 3);
    v.edition = strcmp(edition, "2.0") == 0 ? STIX_EDITION_20 : STIX_EDITION_21;
    if (code == 0 && v.edition == STIX_EDITION_21 && strcmp(edition, "2.1") != 0)
        code = cli_usage(cli, "--stix is 2.0 or 2.1, not %s", edition);
    if (code == 0 && lines != NULL && strcmp(lines, "-") != 0)
        code = cli_usage(cli, "--jsonl reads standard input: --jsonl -");
    if (code == 0)
        code = lines != NULL ? cli_expect(cli, 0, 0) : cli_expect(cli, 1, CLI_ARGS_MAX);
    if (code != 0)
        return code;
    if (lines == NULL)
        return validate_files(cli, &v);
    code = cli_each_line(answer_validate, &v);
    isg_arena_free(&v.arena);
    return code;
}
