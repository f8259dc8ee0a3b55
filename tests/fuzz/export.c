/*
 * Indicators to all formats. The input is a pattern up to the first NUL, then the text of its other
 * properties: every format must keep its structure.
 */
#include "gateway/share/export.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stix/base/jsonw.h"
#include "stix/base/utf8.h"
#include "tests/support/exports.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_text(struct isg_buf *out, const char *name, struct isg_str text)
{
    isg_buf_printf(out, "%s\"%s\":\"", out->len > 0 ? "," : "", name);
    isg_json_escape(out, text);
    isg_buf_putc(out, '"');
}

static void check(const struct export_format *format, struct isg_str pattern, const char *more)
{
    struct export *run = exports_begin(export_format_name(format), NULL);
    if (run == NULL)
        abort();
    exports_add(run, pattern, more);
    if (export_finish(run, NULL) != ISG_OK || exports_wrong(format, run) != NULL)
        abort();
    export_free(&run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct export_format *format;
    struct isg_str text = {(const char *)data, size};
    struct isg_buf more;
    size_t cut = isg_str_find(text, '\0');
    struct isg_str pattern = {text.p, cut < size ? cut : size};
    text = isg_str_from(text, pattern.n);
    if (!isg_utf8_is_valid(pattern) || !isg_utf8_is_valid(text) || pattern.n > 4096)
        return 0;
    isg_buf_init(&more, ISG_BUF_NO_MAX);
    put_text(&more, "id", text);
    put_text(&more, "name", text);
    put_text(&more, "description", text);
    for (unsigned i = 0; (format = export_format_at(i)) != NULL; i++)
        check(format, pattern, more.p);
    isg_buf_done(&more);
    return 0;
}
