/*
 * A pattern, a newline, observations: a documented code, and no crash. A normal form is a pattern
 * whose form is itself, and equivalent to what it was made of.
 */
#include <stdlib.h>

#include "stix/match.h"
#include "stix/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The form of a form may be too much where the form itself was just not. */
static void check_again(struct isg_str pattern, struct isg_str form)
{
    struct isg_buf again;
    bool same = false;
    isg_buf_init(&again, ISG_BUF_NO_MAX);
    int err = stix_pattern_print(form, STIX_PATTERN_2_1, &again, NULL);
    if (err != ISG_OK && err != ISG_ELIMIT)
        abort();
    if (err == ISG_OK && !isg_str_eq(form, isg_buf_str(&again)))
        abort();
    if (stix_pattern_equivalent(pattern, form, STIX_PATTERN_2_1, &same, NULL) == ISG_OK && !same)
        abort();
    isg_buf_done(&again);
}

static void check_form(struct isg_str pattern)
{
    struct isg_buf form;
    isg_buf_init(&form, ISG_BUF_NO_MAX);
    if (stix_pattern_print(pattern, STIX_PATTERN_2_1, &form, NULL) == ISG_OK)
        check_again(pattern, isg_buf_str(&form));
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
