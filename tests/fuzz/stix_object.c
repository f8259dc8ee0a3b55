/*
 * Any JSON text as a STIX object: the checker never crashes, says the same twice, and an object
 * with errors has a first one to tell.
 */
#include <stdlib.h>

#include "stix/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct stix_json *object, struct stix_report *report)
{
    if (stix_check(object, NULL, report) != ISG_OK)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
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
    isg_arena_free(&arena);
    stix_json_free(&object);
    return 0;
}
