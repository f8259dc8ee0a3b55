/*
 * The mapping of the format "kev": no input may do harm, nothing leaves a
 * refused document, and what leaves is valid STIX.
 */
#include <stdlib.h>

#include "feeds/feed.h"
#include "stix/check.h"
#include "stix/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take(void *arg, struct isg_str object, const char *facet, struct isg_fail *why)
{
    size_t *n = arg;
    (void)facet;
    (void)why;
    struct stix_json *tree = NULL;
    struct stix_report report;
    struct isg_arena *arena = isg_arena_new(1 << 22);
    stix_report_init(&report, arena, 1);
    if (stix_json_parse(object, NULL, &tree, NULL) != ISG_OK ||
        stix_check(tree, NULL, &report) != ISG_OK || report.errors > 0)
        abort();
    stix_json_free(&tree);
    isg_arena_free(&arena);
    (*n)++;
    return ISG_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t n = 0;
    struct isg_fail why = {.code = ISG_OK};
    struct feed_context context = {
        .now_us = 1700000000000000, .owner = ISG_STR("Example ISAO"), .emit = take, .arg = &n};
    feed_namespace(ISG_STR("urn:example:fuzz"), context.space);
    int err = feed_map(feed_source_find(ISG_STR("kev")), &context,
                       (struct isg_str){(const char *)data, size}, &why);
    if (err != ISG_OK && n > 0)
        abort();
    return 0;
}
