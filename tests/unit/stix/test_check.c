/*
 * The checker, rule by rule. A case is a line of fixtures/stix/check-cases.ndjson: a rule, what to
 * expect (ok, warning, error), where, and an object. An error case has no other error beside it.
 * Those of fixtures/stix/check20-cases.ndjson are judged by the rules of 2.0 (S-132).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stix/check.h"
#include "stix/extensions.h"
#include "stix/types_table.h"
#include "tests/support/tap.h"

/* Findings of a level and rule; *out_at counts those at path, *out_others errors of other rules. */
static size_t count(const struct stix_report *report, enum stix_level level, const char *rule,
                    struct isg_str path, size_t *out_at, size_t *out_others)
{
    size_t n = 0;
    *out_at = 0;
    *out_others = 0;
    for (const struct stix_finding *f = report->first; f != NULL; f = f->next) {
        bool same = strcmp(f->rule, rule) == 0;
        *out_others += f->level == STIX_ERROR && !same;
        if (f->level != level || !same)
            continue;
        n++;
        *out_at += isg_str_is(path, f->path);
    }
    return n;
}

static void show(const struct stix_report *report)
{
    for (const struct stix_finding *f = report->first; f != NULL; f = f->next)
        printf("# %s %s at '%s': %s\n", f->level == STIX_ERROR ? "error" : "warning", f->rule,
               f->path, f->message);
}

static bool is_as_expected(const struct stix_json *row, const struct stix_report *report)
{
    struct isg_str expect = stix_json_get_str(row, "expect");
    struct isg_str path = stix_json_get_str(row, "path");
    const char *rule = stix_json_get_str(row, "rule").p;
    size_t at;
    size_t others;
    bool error = isg_str_is(expect, "error");
    size_t n = count(report, error ? STIX_ERROR : STIX_WARNING, rule, path, &at, &others);
    if (isg_str_is(expect, "ok"))
        return report->errors == 0 && n == 0;
    if (error)
        return at > 0 && others == 0;
    return isg_str_is(expect, "warning") && report->errors == 0 && at > 0;
}

static void check_row(struct isg_str line, size_t number, enum stix_edition edition)
{
    const struct stix_check_options options = {.edition = edition};
    struct stix_json *row = NULL;
    struct stix_report report;
    struct isg_fail why;
    if (!ok(stix_json_parse(line, NULL, &row, &why) == ISG_OK, "line %zu parses", number))
        return;
    struct isg_arena *arena = isg_arena_new(1024 * 1024);
    stix_report_init(&report, arena, 0);
    int err = stix_check(stix_json_get(row, "object"), &options, &report);
    if (!ok(err == ISG_OK && is_as_expected(row, &report), "line %zu: %s %s", number,
            stix_json_get_str(row, "rule").p, stix_json_get_str(row, "expect").p))
        show(&report);
    is_int(stix_report_fail(&report, &why), report.errors > 0 ? ISG_EINVAL : ISG_OK,
           "line %zu: as a failure", number);
    isg_arena_free(&arena);
    stix_json_free(&row);
}

static void check_rows(const char *path, enum stix_edition edition)
{
    size_t n = 0;
    size_t number = 0;
    char *text = tap_slurp(path, &n);
    struct isg_str rest = {text, n};
    struct isg_str line;
    ok(text != NULL, "the cases are there");
    while (isg_str_split(&rest, '\n', &line)) {
        number++;
        if (line.n > 0)
            check_row(line, number, edition);
    }
    free(text);
}

/* --- tables: look-ups are binary, so order is a rule of its own --- */

static bool is_sorted(const struct stix_type *type)
{
    for (size_t i = 1; i < type->n; i++)
        if (strcmp(type->props[i - 1].name, type->props[i].name) >= 0)
            return false;
    return type->n <= STIX_TYPE_PROPS_MAX;
}

static void check_types(const struct stix_type *types, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ok(is_sorted(&types[i]), "%s: rows are sorted", types[i].name);
        ok(i == 0 || strcmp(types[i - 1].name, types[i].name) < 0, "%s: in order", types[i].name);
        for (size_t j = 0; j < types[i].n; j++)
            if (types[i].props[j].object != NULL)
                ok(is_sorted(types[i].props[j].object), "%s: rows are sorted",
                   types[i].props[j].object->name);
    }
}

static void check_tables(void)
{
    static const struct {
        const char *name;
        enum stix_kind kind;
    } kinds[] = {
        {"indicator", STIX_KIND_SDO},
        {"sighting", STIX_KIND_SRO},
        {"x509-certificate", STIX_KIND_SCO},
        {"extension-definition", STIX_KIND_EXTENSION},
        {"language-content", STIX_KIND_LANGUAGE},
        {"marking-definition", STIX_KIND_MARKING},
        {"bundle", STIX_KIND_BUNDLE},
        {"x-example", STIX_KIND_UNKNOWN},
        {"", STIX_KIND_UNKNOWN},
    };
    check_types(stix_sdo_types, stix_sdo_types_n);
    check_types(stix_sco_types, stix_sco_types_n);
    check_types(stix_meta_types, stix_meta_types_n);
    check_types(stix_extension_types, stix_extension_types_n);
    for (const struct stix_extension *own = stix_extensions(); own->id != NULL; own++) {
        const struct stix_type *type = stix_own_extension_find(own->id);
        if (ok(type != NULL, "%s: has a table", own->short_name) && type != NULL)
            check_types(type, 1);
    }
    char upper[80];
    size_t n = 0;
    for (const char *id = stix_extensions()->id; id[n] != '\0'; n++)
        upper[n] =
            (char)(n > sizeof "extension-definition-" && id[n] >= 'a' && id[n] <= 'f' ? id[n] - 32
                                                                                      : id[n]);
    upper[n] = '\0';
    ok(stix_own_extension_find(upper) != NULL, "%s: hex of either case (S-013)", upper);
    ok(stix_own_extension_find("extension-definition--11111111-1111-4111-8111-111111111101") ==
           NULL,
       "others' extensions have none");
    for (size_t i = 1; i < stix_commons_n; i++)
        ok(strcmp(stix_commons[i - 1].prop.name, stix_commons[i].prop.name) < 0, "common %zu", i);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        is_int(stix_type_kind(isg_str_of(kinds[i].name)), kinds[i].kind, "kind of '%s'",
               kinds[i].name);
    is_int((long long)stix_sdo_types_n, 19, "domain objects");
    is_int((long long)stix_sco_types_n, 18, "observables");
    is_int((long long)stix_extension_types_n, 12, "predefined extensions");
}

/* --- the report --- */

static void check_cap(void)
{
    static const char text[] = "{\"type\":\"identity\",\"Aa\":1,\"Ab\":1,\"Ac\":1,\"Ad\":1}";
    struct stix_json *object = NULL;
    struct isg_arena *arena = isg_arena_new(1024 * 1024);
    struct stix_report report;
    struct isg_fail why;
    size_t kept = 0;
    ok(stix_json_parse(ISG_STR(text), NULL, &object, &why) == ISG_OK, "parses");
    stix_report_init(&report, arena, 2);
    is_int(stix_check(object, NULL, &report), ISG_OK, "the check runs");
    for (const struct stix_finding *f = report.first; f != NULL; f = f->next)
        kept++;
    is_int((long long)kept, 4, "no more than max findings of a level are kept");
    ok(report.errors >= 8 && report.warnings == 4, "all are counted");
    is_int(stix_report_fail(&report, &why), ISG_EINVAL, "the first error is a failure");
    is_str(why.rule, "S-017", "with its rule");
    is_str(why.path, "/Aa", "and its path");
    stix_json_free(&object);
    isg_arena_free(&arena);
}

static void check_nested(void)
{
    static const char text[] =
        "{\"type\":\"bundle\",\"id\":\"bundle--11111111-1111-4111-8111-111111111101\"}";
    struct stix_json *object = NULL;
    struct isg_arena *arena = isg_arena_new(1024 * 1024);
    struct stix_check_options options = {.nested = true};
    struct stix_report report;
    struct isg_fail why;
    ok(stix_json_parse(ISG_STR(text), NULL, &object, &why) == ISG_OK, "parses");
    stix_report_init(&report, arena, 0);
    is_int(stix_check(object, &options, &report), ISG_OK, "the check runs");
    is_int((long long)report.errors, 1, "a bundle in a list is refused (S-086)");
    stix_report_init(&report, arena, 0);
    is_int(stix_check(NULL, NULL, &report), ISG_OK, "null is checked");
    is_int((long long)report.errors, 1, "and is no object");
    stix_json_free(&object);
    isg_arena_free(&arena);
}

/* No memory for findings is told, and still nothing is leaked. */
static void check_no_memory(void)
{
    struct isg_arena *arena = isg_arena_new(16);
    struct stix_report report;
    stix_report_init(&report, arena, 0);
    is_int(stix_check(NULL, NULL, &report), ISG_ENOMEM, "a report without room fails");
    isg_arena_free(&arena);
}

int main(void)
{
    check_tables();
    check_rows(ISG_FIXTURES "/stix/check-cases.ndjson", STIX_EDITION_21);
    check_rows(ISG_FIXTURES "/stix/check20-cases.ndjson", STIX_EDITION_20);
    check_cap();
    check_nested();
    check_no_memory();
    return tap_done();
}
