/* The mapping of the format "stix": no input may do harm, and nothing leaves a refused document. */
#include <stdlib.h>

#include "feeds/feed.h"
#include "stix/base/uuid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int count(void *arg, struct isg_str object, const char *facet, struct isg_fail *why)
{
    size_t *n = arg;
    (void)facet;
    (void)why;
    if (object.n == 0)
        abort();
    (*n)++;
    return ISG_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t n = 0;
    struct isg_fail why = {.code = ISG_OK};
    struct feed_context context = {
        .now_us = 1700000000000000, .owner = ISG_STR("Example ISAO"), .emit = count, .arg = &n};
    feed_namespace(ISG_STR("urn:example:fuzz"), context.space);
    int err = feed_map(feed_source_find(ISG_STR("stix")), &context,
                       (struct isg_str){(const char *)data, size}, &why);
    if (err != ISG_OK && n > 0)
        abort();
    return 0;
}
