#include "tests/support/exports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stix/base/jsonw.h"
#include "stix/base/utf8.h"
#include "stix/json.h"

void exports_indicator(struct isg_buf *out, struct isg_str pattern, const char *more)
{
    static const char head[] =
        "\"type\":\"indicator\",\"spec_version\":\"2.1\",\"created\":\"2026-02-01T10:00:00.000Z\","
        "\"modified\":\"2026-02-02T10:00:00.000Z\",\"valid_from\":\"2026-02-01T10:00:00Z\","
        "\"pattern_type\":\"stix\",\"pattern\":\"";
    isg_buf_printf(out, "{%s", head);
    isg_json_escape(out, pattern);
    isg_buf_printf(out, "\"%s%s}", more != NULL ? "," : "", more != NULL ? more : "");
}

struct export *exports_begin(const char *format, const char *type)
{
    static struct export_options options;
    options = (struct export_options){.format = export_format_find(format),
                                      .type = type,
                                      .source = "Example ISAO",
                                      .space = "f5e2b8e8-b73c-5ede-bc57-9e42a15201c9",
                                      .collection = "c0ffee",
                                      .file = "isao.rules",
                                      .now_us = EXPORTS_NOW_S * INT64_C(1000000)};
    return export_new(&options);
}

void exports_add(struct export *run, struct isg_str pattern, const char *more)
{
    struct isg_buf object;
    isg_buf_init(&object, ISG_BUF_NO_MAX);
    exports_indicator(&object, pattern,
                      more != NULL ? more
                                   : "\"id\":\"indicator--11111111-1111-4111-8111-111111111111\"");
    if (export_add(run, isg_buf_str(&object), STIX_TLP_GREEN, NULL) != ISG_OK)
        abort();
    isg_buf_done(&object);
}

/* ---- readers ---- */

/* Every separator of lines that some reader knows, but for \n: no format of lines may hold one. */
static bool has_separator(struct isg_str line)
{
    int32_t cp;
    while ((cp = isg_utf8_next(&line)) >= 0) {
        if ((cp < 0x20 && cp != '\t') || cp == 0x7f || cp == 0x85 || cp == 0x2028 || cp == 0x2029)
            return true;
    }
    return cp != -1;
}

/* Cut one line that ends in \n; false at the end, or with *wrong when there is no \n. */
static bool next_line(struct isg_str *rest, struct isg_str *line, const char **wrong)
{
    if (rest->n == 0)
        return false;
    size_t n = isg_str_find(*rest, '\n');
    if (n == SIZE_MAX) {
        *wrong = "a last line without an end";
        return false;
    }
    *line = (struct isg_str){rest->p, n};
    *rest = isg_str_from(*rest, n + 1);
    return true;
}

static const char *list_wrong(struct isg_str text, uint64_t rows)
{
    struct isg_str line;
    const char *wrong = NULL;
    uint64_t n = 0;
    for (; next_line(&text, &line, &wrong); n++) {
        if (line.n == 0 || has_separator(line) || isg_str_find(line, '\t') != SIZE_MAX)
            return "a line of a list";
        if (strchr("#; ", line.p[0]) != NULL)
            return "a line that reads as a remark";
    }
    return wrong != NULL ? wrong : n == rows ? NULL : "number of lines";
}

static const char *zeek_wrong(struct isg_str text, uint64_t rows)
{
    struct isg_str line;
    const char *wrong = NULL;
    uint64_t n = 0;
    for (; next_line(&text, &line, &wrong); n++) {
        struct isg_str field[5] = {{0}};
        size_t fields = 0;
        while (fields < 5 && isg_str_split(&line, '\t', &field[fields]))
            fields++;
        if (fields != (n == 0 ? 5 : 4))
            return "number of fields";
        if (n == 0)
            continue;
        if (field[0].n == 0 || field[0].p[0] == '#' || has_separator(field[0]) ||
            has_separator(field[3]) || !isg_str_starts(field[1], ISG_STR("Intel::")))
            return "a line of Zeek's";
    }
    return wrong != NULL ? wrong : n == rows + 1 ? NULL : "number of lines";
}

/* One quoted cell; false when the quotes do not match. Looks for formulas, as other locales cut too. */
static bool csv_cell(struct isg_str *rest, bool *formula)
{
    bool first = true;
    bool blank = false;
    if (rest->n == 0 || rest->p[0] != '"')
        return false;
    for (size_t i = 1; i < rest->n; i++) {
        char c = rest->p[i];
        if (c == '"' && (i + 1 == rest->n || rest->p[i + 1] != '"')) {
            *rest = isg_str_from(*rest, i + 1);
            return true;
        }
        if (c == '"')
            i++;
        if (c == '\n' || c == '\r' || c == '\t')
            return false;
        *formula = *formula || ((first || blank) && strchr("=+-@", c) != NULL);
        blank = (first || blank) && c == ' ';
        first = c == ';' || c == '|';
    }
    return false;
}

static const char *csv_wrong(struct isg_str text, uint64_t rows)
{
    struct isg_str line;
    const char *wrong = NULL;
    uint64_t n = 0;
    for (; next_line(&text, &line, &wrong); n++) {
        size_t cells = 1;
        bool formula = false;
        if (line.n == 0 || line.p[line.n - 1] != '\r')
            return "a line without CR LF";
        line.n--;
        if (n == 0)
            continue;
        while (csv_cell(&line, &formula) && line.n > 0 && line.p[0] == ',') {
            line = isg_str_from(line, 1);
            cells++;
        }
        if (line.n > 0 || cells != 14)
            return "cells of a record";
        if (formula)
            return "a formula";
    }
    return wrong != NULL ? wrong : n == rows + 1 ? NULL : "number of records";
}

/* Options of a rule, cut at semicolons outside of quotes: a name, or a name and a value. */
static bool rule_option(struct isg_str option)
{
    static const char *const names[] = {
        "msg",          "dns.query", "tls.sni",    "http.host",
        "http.uri.raw", "content",   "bsize",      "nocase",
        "classtype",    "metadata",  "sid",        "rev",
        "filemd5",      "filesha1",  "filesha256", "tls.cert_fingerprint"};
    option = isg_str_trim(option);
    size_t colon = isg_str_find(option, ':');
    struct isg_str name = {option.p, colon == SIZE_MAX ? option.n : colon};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (isg_str_is(name, names[i]))
            return true;
    }
    return false;
}

/* Within quotes: no quote, no backslash, hex between bars. */
static bool rule_text(struct isg_str text)
{
    bool hex = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '|')
            hex = !hex;
        else if (c == '"' || c == '\\' || c == ';' || (unsigned char)c >= 0x7f || c < 0x20)
            return false;
        else if (hex && strchr("0123456789ABCDEF ", c) == NULL)
            return false;
    }
    return !hex;
}

static bool rule_options(struct isg_str rest, unsigned *sids)
{
    while (rest.n > 0) {
        size_t end = 0;
        size_t open = 0;
        bool quoted = false;
        for (; end < rest.n && (quoted || rest.p[end] != ';'); end++) {
            if (rest.p[end] != '"')
                continue;
            if (quoted && !rule_text((struct isg_str){rest.p + open, end - open}))
                return false;
            quoted = !quoted;
            open = end + 1;
        }
        struct isg_str option = {rest.p, end};
        if (quoted || end == rest.n || !rule_option(option))
            return false;
        *sids += isg_str_starts(isg_str_trim(option), ISG_STR("sid:"));
        rest = isg_str_trim(isg_str_from(rest, end + 1));
    }
    return true;
}

static const char *suricata_wrong(struct isg_str text)
{
    struct isg_str line;
    const char *wrong = NULL;
    while (next_line(&text, &line, &wrong)) {
        unsigned sids = 0;
        size_t open = isg_str_find(line, '(');
        if (!isg_str_starts(line, ISG_STR("alert ")) || open == SIZE_MAX ||
            line.p[line.n - 1] != ')' || has_separator(line))
            return "a line that is no rule";
        struct isg_str options = {line.p + open + 1, line.n - open - 2};
        if (!rule_options(options, &sids) || sids != 1)
            return "options of a rule";
    }
    return wrong;
}

static const char *rpz_wrong(struct isg_str text)
{
    struct isg_str line;
    const char *wrong = NULL;
    for (size_t n = 0; next_line(&text, &line, &wrong); n++) {
        if (n < 3)
            continue;
        if (!isg_str_ends(line, ISG_STR(" IN CNAME .")))
            return "a record that is no policy";
        line.n -= strlen(" IN CNAME .");
        for (size_t i = 0; i < line.n; i++) {
            if (strchr("abcdefghijklmnopqrstuvwxyz0123456789-_.*", line.p[i]) == NULL)
                return "a name of a record";
        }
        if (line.n == 0 || line.n > 253 || line.p[line.n - 1] == '.')
            return "length of a name";
    }
    return wrong;
}

static const char *json_wrong(struct isg_str text)
{
    struct stix_json *json = NULL;
    const char *wrong = stix_json_parse(text, NULL, &json, NULL) == ISG_OK &&
                                stix_json_type(json) == STIX_JSON_OBJECT
                            ? NULL
                            : "no JSON object";
    stix_json_free(&json);
    return wrong;
}

static const char *ecs_wrong(struct isg_str text, uint64_t rows)
{
    struct isg_str line;
    const char *wrong = NULL;
    uint64_t n = 0;
    for (; wrong == NULL && next_line(&text, &line, &wrong); n++)
        wrong = has_separator(line) ? "a line of JSON" : json_wrong(line);
    return wrong != NULL ? wrong : n == rows ? NULL : "number of lines";
}

static const char *files_wrong(const struct export_file *file)
{
    const char *wrong = NULL;
    for (; file != NULL && wrong == NULL; file = file->next) {
        struct isg_str name = isg_str_of(file->name);
        struct isg_str text = isg_buf_str(&file->text);
        struct isg_str line;
        if (isg_str_ends(name, ISG_STR(".json")))
            wrong = json_wrong(text);
        while (!isg_str_ends(name, ISG_STR(".json")) && wrong == NULL &&
               next_line(&text, &line, &wrong)) {
            if (line.n < 32 || has_separator(line))
                wrong = "a line of a list of hashes";
        }
    }
    return wrong;
}

const char *exports_wrong(const struct export_format *format, struct export *run)
{
    const char *name = export_format_name(format);
    struct isg_str text = isg_buf_str(export_text(run));
    uint64_t rows = export_counts(run)->rows;
    const char *wrong = files_wrong(export_files(run));
    if (wrong != NULL)
        return wrong;
    if (strcmp(name, "csv") == 0)
        return csv_wrong(text, rows);
    if (strcmp(name, "list") == 0)
        return list_wrong(text, rows);
    if (strcmp(name, "zeek") == 0)
        return zeek_wrong(text, rows);
    if (strcmp(name, "suricata") == 0)
        return suricata_wrong(text);
    if (strcmp(name, "rpz") == 0)
        return rpz_wrong(text);
    return strcmp(name, "ecs") == 0 ? ecs_wrong(text, rows) : NULL;
}
