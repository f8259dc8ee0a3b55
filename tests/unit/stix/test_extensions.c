/*
 * The project's own extensions: each definition is a valid object, its schema is JSON, its id is
 * the fixed one.
 */
#include <string.h>

#include "stix/check.h"
#include "stix/extensions.h"
#include "stix/types_table.h"
#include "tests/support/tap.h"

static void check_object(struct isg_str text, const char *id)
{
    struct stix_json *object = NULL;
    struct isg_fail why = {0};
    struct stix_report report;
    struct isg_arena *arena = isg_arena_new(1024 * 1024);
    ok(stix_json_parse(text, NULL, &object, &why) == ISG_OK, "%s: is JSON", id);
    stix_report_init(&report, arena, 0);
    is_int(stix_check(object, NULL, &report), ISG_OK, "%s: is checked", id);
    is_int((long long)(report.errors + report.warnings), 0, "%s: nothing is found", id);
    ok(isg_str_is(stix_json_get_str(object, "id"), id), "%s: has its id", id);
    stix_json_free(&object);
    isg_arena_free(&arena);
}

static void check_schema(const struct stix_extension *row)
{
    struct stix_json *schema = NULL;
    struct isg_fail why = {0};
    ok(stix_json_parse(isg_str_of(row->schema), NULL, &schema, &why) == ISG_OK,
       "%s: the schema is JSON: %s %s", row->short_name, why.path, why.text);
    const struct stix_json *type =
        stix_json_get(stix_json_get(schema, "properties"), "extension_type");
    ok(isg_str_is(stix_json_get_str(type, "const"), "property-extension"),
       "%s: the schema knows extension_type", row->short_name);
    stix_json_free(&schema);
}

static void check_rows(void)
{
    struct isg_buf text;
    size_t n = 0;
    isg_buf_init(&text, 1024 * 1024);
    for (const struct stix_extension *row = stix_extensions(); row->id != NULL; row++) {
        isg_buf_reset(&text);
        stix_extension_write(row, &text);
        check_object(isg_buf_str(&text), row->id);
        check_schema(row);
        ok(stix_extension_of(isg_str_of(row->id)) == row, "%s: is found", row->short_name);
        for (size_t i = 0; row->on[i] != NULL; i++)
            ok(stix_type_find(isg_str_of(row->on[i])) != NULL, "%s stands on %s", row->short_name,
               row->on[i]);
        n++;
    }
    is_int((long long)n, 8, "definitions");
    isg_buf_reset(&text);
    stix_extension_creator_write(&text);
    check_object(isg_buf_str(&text), STIX_EXTENSION_CREATOR);
    isg_buf_done(&text);
}

int main(void)
{
    check_rows();
    ok(stix_extension_of(ISG_STR("extension-definition--00000000-0000-4000-8000-000000000000")) ==
           NULL,
       "another id is not ours");
    ok(stix_extension_of((struct isg_str){NULL, 0}) == NULL, "nor is none");
    return tap_done();
}
