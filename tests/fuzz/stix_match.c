/*
 * A pattern, a newline, observations: a documented code, and no crash. What has a normal form is
 * equivalent to it.
 */
#include <stdlib.h>

#include "stix/match.h"
#include "stix/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_form(struct isg_str pattern)
{
    struct isg_buf form;
    bool same = false;
    isg_buf_init(&form, ISG_BUF_NO_MAX);
    if (stix_pattern_print(pattern, STIX_PATTERN_2_1, &form, NULL) == ISG_OK &&
        stix_pattern_equivalent(pattern, isg_buf_str(&form), STIX_PATTERN_2_1, &same, NULL) ==
            ISG_OK &&
        !same)
        abort();
    isg_buf_done(&form);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct isg_str rest = {(const char *)data, size};
    struct isg_str pattern;
    struct stix_json *observations = NULL;
    struct isg_fail why;
    bool match = false;
    if (!isg_str_split(&rest, '\n', &pattern) || rest.p == NULL ||
        stix_json_parse(rest, NULL, &observations, &why) != ISG_OK)
        return 0;
    int err = stix_match(pattern, STIX_PATTERN_2_1, observations, &match, &why);
    if (err != ISG_OK && err != ISG_EPARSE && err != ISG_EINVAL && err != ISG_ELIMIT)
        abort();
    check_form(pattern);
    stix_json_free(&observations);
    return 0;
}
