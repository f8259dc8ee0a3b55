/*
 * Any JSON text as STIX 2.0: it is judged, the lift never crashes, gives the same bytes twice, and
 * gives nothing that would have to be lifted again.
 */
#include <stdlib.h>
#include <string.h>

#include "stix/base/digest.h"
#include "stix/check.h"
#include "stix/lift.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int add(void *arg, const struct stix_lifted *lifted, struct isg_fail *why)
{
    struct stix_json *tree = NULL;
    isg_sha256_add(arg, lifted->text.p, lifted->text.n);
    int err = stix_json_parse(lifted->text, NULL, &tree, why);
    if (err == ISG_OK && stix_is_20(tree))
        abort();
    stix_json_free(&tree);
    return ISG_OK; /* a float may have become an integer out of range */
}

static int lift(const struct stix_json *value, uint8_t digest[ISG_SHA256_BYTES])
{
    struct isg_sha256 sha;
    struct isg_fail why;
    isg_sha256_init(&sha);
    int err = stix_lift(value, add, &sha, &why);
    isg_sha256_end(&sha, digest);
    return err;
}

static void judge(const struct stix_json *value)
{
    const struct stix_check_options options = {.edition = STIX_EDITION_20};
    struct isg_arena *arena = isg_arena_new(64 * 1024 * 1024);
    struct stix_report report;
    stix_report_init(&report, arena, 16);
    if (stix_check(value, &options, &report) != ISG_OK)
        abort();
    isg_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stix_json *value = NULL;
    struct isg_buf out;
    uint8_t first[ISG_SHA256_BYTES];
    uint8_t second[ISG_SHA256_BYTES];
    struct isg_fail why;
    if (stix_json_parse((struct isg_str){(const char *)data, size}, NULL, &value, &why) != ISG_OK)
        return 0;
    if (lift(value, first) != lift(value, second) || memcmp(first, second, sizeof first) != 0)
        abort();
    judge(value);
    isg_buf_init(&out, ISG_BUF_NO_MAX);
    (void)stix_lift_bundle(value, &out, &why);
    isg_buf_done(&out);
    stix_json_free(&value);
    return 0;
}
