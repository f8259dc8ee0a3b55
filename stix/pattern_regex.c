/*
 * The only file that knows PCRE2: compiling the operands of MATCHES (S-114), with limits.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "stix/pattern_tree.h"

/* Some of the compiler's work is quadratic (names of groups), so one operand is not long. */
enum { LENGTH_MAX = 16 * 1024, NEST_MAX = 100 };

bool stix_regex_compiles(struct isg_str text, bool bytes)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    int error = 0;
    PCRE2_SIZE at = 0;
    uint32_t options = PCRE2_DOTALL | (bytes ? 0 : PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C);
    if (context == NULL)
        return false;
    (void)pcre2_set_max_pattern_length(context, LENGTH_MAX);
    (void)pcre2_set_parens_nest_limit(context, NEST_MAX);
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)text.p, text.n, options, &error, &at, context);
    pcre2_code_free(code);
    pcre2_compile_context_free(context);
    return code != NULL;
}
