/*
 * The only file that knows PCRE2: compiling and searching the operands of MATCHES (S-114, S-120),
 * with limits.
 */
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "stix/pattern_tree.h"

/* Some of the compiler's work is quadratic (names of groups), so one operand is not long. */
enum { LENGTH_MAX = 16 * 1024, NEST_MAX = 100 };

/* Steps of backtracking one search may take: some for its own sake, some a byte of the subject. */
enum { STEPS_MIN = 200 * 1000, STEPS_BYTE = 8, HEAP_MAX_KIB = 32 * 1024 };

struct stix_regex {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *context;
};

static int compile(struct isg_str text, bool bytes, pcre2_code **out_code)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    int error = 0;
    PCRE2_SIZE at = 0;
    uint32_t options = PCRE2_DOTALL | (bytes ? 0 : PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C);
    if (context == NULL)
        return ISG_ENOMEM;
    (void)pcre2_set_max_pattern_length(context, LENGTH_MAX);
    (void)pcre2_set_parens_nest_limit(context, NEST_MAX);
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)text.p, text.n, options, &error, &at, context);
    pcre2_compile_context_free(context);
    if (code == NULL)
        return error == PCRE2_ERROR_HEAP_FAILED ? ISG_ENOMEM : ISG_EINVAL;
    *out_code = code;
    return ISG_OK;
}

int stix_regex_check(struct isg_str text, bool bytes)
{
    pcre2_code *code = NULL;
    int err = compile(text, bytes, &code);
    pcre2_code_free(code);
    return err;
}

int stix_regex_new(struct isg_str text, bool bytes, struct stix_regex **out_regex)
{
    struct stix_regex *regex = calloc(1, sizeof *regex);
    if (regex == NULL)
        return ISG_ENOMEM;
    int err = compile(text, bytes, &regex->code);
    if (err == ISG_OK) {
        regex->data = pcre2_match_data_create(1, NULL);
        regex->context = pcre2_match_context_create(NULL);
        err = regex->data == NULL || regex->context == NULL ? ISG_ENOMEM : ISG_OK;
    }
    if (err != ISG_OK) {
        stix_regex_free(&regex);
        return err;
    }
    (void)pcre2_set_heap_limit(regex->context, HEAP_MAX_KIB);
    *out_regex = regex;
    return ISG_OK;
}

void stix_regex_free(struct stix_regex **regex)
{
    if (*regex == NULL)
        return;
    pcre2_match_data_free((*regex)->data);
    pcre2_match_context_free((*regex)->context);
    pcre2_code_free((*regex)->code);
    free(*regex);
    *regex = NULL;
}

int stix_regex_search(const struct stix_regex *regex, struct isg_str subject, bool *out_found)
{
    size_t steps = subject.n < UINT32_MAX / 2 / STEPS_BYTE ? subject.n * STEPS_BYTE + STEPS_MIN
                                                           : UINT32_MAX / 2;
    const char *text = subject.p != NULL ? subject.p : "";
    (void)pcre2_set_match_limit(regex->context, (uint32_t)steps);
    int found =
        pcre2_match(regex->code, (PCRE2_SPTR)text, subject.n, 0, 0, regex->data, regex->context);
    if (found < 0 && found != PCRE2_ERROR_NOMATCH)
        return found == PCRE2_ERROR_NOMEMORY ? ISG_ENOMEM : ISG_ELIMIT;
    *out_found = found >= 0;
    return ISG_OK;
}
