/*
 * CSV (RFC 4180) that is safe to open in a spreadsheet. Every cell is quoted, and none holds a tab or
 * the end of a line. Where = + - @ (also in full width) stand at the beginning of a cell, or behind
 * what another locale takes for its end (; or |), with or without blanks and quotes before them, one
 * ' is put in front. Taking one ' away wherever it stands so gives the text back.
 */
#include <stdio.h>
#include <string.h>

#include "gateway/share/export_write.h"
#include "stix/base/utf8.h"

enum { TEXT_MAX = 4096 }; /* bytes of a name or description */

static bool is_formula(int32_t cp)
{
    return cp == '=' || cp == '+' || cp == '-' || cp == '@' || cp == 0xff1d || cp == 0xff0b ||
           cp == 0xff0d || cp == 0xff20;
}

/* Does text begin, behind blanks and apostrophes, with what makes a formula? */
static bool begins_formula(struct isg_str text)
{
    while (text.n > 0 && strchr(" '\"", text.p[0]) != NULL)
        text = isg_str_from(text, 1);
    return is_formula(isg_utf8_next(&text));
}

static void put_inside(struct isg_buf *out, struct isg_str text)
{
    bool first = true;
    for (size_t i = 0; i < text.n; i++) {
        if (first && begins_formula(isg_str_from(text, i)))
            isg_buf_putc(out, '\'');
        if (text.p[i] == '"')
            isg_buf_putc(out, '"');
        isg_buf_putc(out, text.p[i]);
        first = text.p[i] == ';' || text.p[i] == '|';
    }
}

/* One cell of text that may hold anything. */
static void cell(struct export *run, struct isg_str text)
{
    struct isg_buf *out = &run->text;
    struct isg_buf plain;
    isg_buf_init(&plain, ISG_BUF_NO_MAX);
    export_put_plain(&plain, text, TEXT_MAX);
    isg_buf_puts(out, out->len > 0 && out->p[out->len - 1] != '\n' ? ",\"" : "\"");
    put_inside(out, isg_buf_str(&plain));
    isg_buf_putc(out, '"');
    if (plain.err != ISG_OK)
        run->err = plain.err;
    isg_buf_done(&plain);
}

/* A value, which is plain, however long it is. */
static void value_cell(struct export *run, const struct ioc *ioc)
{
    struct isg_buf value;
    isg_buf_init(&value, ISG_BUF_NO_MAX);
    export_put_value(&value, ioc);
    isg_buf_puts(&run->text, ",\"");
    put_inside(&run->text, isg_buf_str(&value));
    isg_buf_putc(&run->text, '"');
    if (value.err != ISG_OK)
        run->err = value.err;
    isg_buf_done(&value);
}

/* A list of texts in one cell, with a comma between them. */
static void list_cell(struct export *run, const struct stix_json *list)
{
    struct isg_buf text;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    for (size_t i = 0; i < stix_json_size(list); i++) {
        if (i > 0)
            isg_buf_putc(&text, ',');
        isg_buf_put_str(&text, stix_json_str(stix_json_at(list, i)));
    }
    if (text.err != ISG_OK)
        run->err = text.err;
    cell(run, isg_buf_str(&text));
    isg_buf_done(&text);
}

static void confidence_cell(struct export *run, int64_t confidence)
{
    char text[24] = "";
    if (confidence >= 0)
        (void)snprintf(text, sizeof text, "%lld", (long long)confidence);
    cell(run, isg_str_of(text));
}

static void csv_begin(struct export *run)
{
    isg_buf_puts(&run->text, "type,value,tlp,confidence,valid_from,valid_until,name,description,"
                             "indicator_types,labels,indicator_id,created_by_ref,created,modified"
                             "\r\n");
}

static enum export_reason csv_row(struct export *run, const struct export_row *row)
{
    const struct export_indicator *of = row->of;
    cell(run, isg_str_of(ioc_kind_name(row->ioc->kind)));
    value_cell(run, row->ioc);
    cell(run, isg_str_of(stix_tlp_name(of->tlp)));
    confidence_cell(run, of->confidence);
    cell(run, of->valid_from);
    cell(run, of->valid_until);
    cell(run, of->name);
    cell(run, of->description);
    list_cell(run, stix_json_get(of->json, "indicator_types"));
    list_cell(run, stix_json_get(of->json, "labels"));
    cell(run, of->id);
    cell(run, stix_json_get_str(of->json, "created_by_ref"));
    cell(run, of->created);
    cell(run, of->modified);
    isg_buf_puts(&run->text, "\r\n");
    return EXPORT_KEPT;
}

const struct export_format export_csv = {.name = "csv", .begin = csv_begin, .row = csv_row};
