/*
 * The mapping of one format, FEED_FORMAT: no input may do harm, nothing leaves a refused document,
 * and what a mapping of ours makes is valid STIX.
 */
#include "feeds/feed.h"

#include <stdio.h>
#include <stdlib.h>

#include "feeds/exclude.h"
#include "stix/check.h"
#include "stix/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct taken {
    bool as_sent; /* the producer's own objects, which ingest judges */
    size_t n;
};

static void demand_valid(struct isg_str object)
{
    struct stix_json *tree = NULL;
    struct stix_report report;
    struct isg_arena *arena = isg_arena_new(1 << 22);
    stix_report_init(&report, arena, 1);
    if (stix_json_parse(object, NULL, &tree, NULL) != ISG_OK ||
        stix_check(tree, NULL, &report) != ISG_OK || report.errors > 0) {
        struct isg_fail why = {.code = ISG_OK};
        (void)stix_report_fail(&report, &why);
        (void)fprintf(stderr, "%.*s\n%s %s %s\n", ISG_STR_ARG(object), why.path, why.rule,
                      why.text);
        abort();
    }
    stix_json_free(&tree);
    isg_arena_free(&arena);
}

static int take(void *arg, struct isg_str object, const char *facet, struct isg_fail *why)
{
    struct taken *taken = arg;
    (void)facet;
    (void)why;
    if (!taken->as_sent)
        demand_valid(object);
    taken->n++;
    return ISG_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct feed_source *source = feed_source_find(ISG_STR(FEED_FORMAT));
    struct taken taken = {.as_sent = source->as_sent};
    struct isg_fail why = {.code = ISG_OK};
    struct exclude_lists *exercise = exclude_new(true); /* the corpus holds documentation values */
    struct feed_context context = {.now_us = 1700000000000000,
                                   .owner = ISG_STR("Example ISAO"),
                                   .emit = take,
                                   .arg = &taken,
                                   .exclude = exercise};
    feed_namespace(ISG_STR("urn:example:fuzz"), context.space);
    int err = feed_map(source, &context, (struct isg_str){(const char *)data, size}, &why);
    if (err != ISG_OK && taken.n > 0)
        abort();
    exclude_free(&exercise);
    return 0;
}
