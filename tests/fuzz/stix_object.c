/*
 * Any JSON text as a STIX object: the checker never crashes, by the rules of either version, says
 * the same twice, and an object with errors has a first one to tell. It is a rendering of itself,
 * and whether two describe one thing does not depend on their order.
 */
#include <stdlib.h>

#include "stix/check.h"
#include "stix/equal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct stix_json *object, struct stix_report *report)
{
    if (stix_check(object, NULL, report) != ISG_OK)
        abort();
}

static bool equivalent(const struct stix_json *a, const struct stix_json *b)
{
    bool same;
    if (stix_equivalent(a, b, NULL, NULL, &same, NULL) != ISG_OK)
        abort();
    return same;
}

static void compare(const struct stix_json *object)
{
    const struct stix_json *objects = stix_json_get(object, "objects");
    bool same = false;
    if (stix_equal(object, object, &same, NULL) != ISG_OK || !same)
        abort();
    for (size_t i = 1; stix_json_type(objects) == STIX_JSON_LIST && i < stix_json_size(objects);
         i++) {
        const struct stix_json *a = stix_json_at(objects, i - 1);
        const struct stix_json *b = stix_json_at(objects, i);
        if (equivalent(a, b) != equivalent(b, a))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct stix_check_options old = {.edition = STIX_EDITION_20};
    struct stix_json *object = NULL;
    struct isg_fail why;
    if (stix_json_parse((struct isg_str){(const char *)data, size}, NULL, &object, &why) != ISG_OK)
        return 0;
    struct isg_arena *arena = isg_arena_new(64 * 1024 * 1024);
    struct stix_report first;
    struct stix_report second;
    stix_report_init(&first, arena, 16);
    stix_report_init(&second, arena, 16);
    check(object, &first);
    check(object, &second);
    if (first.errors != second.errors || first.warnings != second.warnings)
        abort();
    if ((stix_report_fail(&first, &why) == ISG_OK) != (first.errors == 0))
        abort();
    if (stix_check(object, &old, &second) != ISG_OK)
        abort();
    compare(object);
    isg_arena_free(&arena);
    stix_json_free(&object);
    return 0;
}
