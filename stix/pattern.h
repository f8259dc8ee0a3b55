/*
 * STIX patterns: lexer, parser and the conformance rules of a pattern text (S-106 to S-116).
 */
#ifndef STIX_PATTERN_H
#define STIX_PATTERN_H

#include "stix/base/err.h"
#include "stix/base/str.h"

enum stix_pattern_version { STIX_PATTERN_2_1, STIX_PATTERN_2_0 };

/*
 * Check a pattern against the grammar and the conformance rules.
 *
 * Time and memory are linear in the length; nesting is bounded by 64 levels.
 * Returns ISG_OK; ISG_EPARSE (grammar), ISG_EINVAL (a rule), ISG_ELIMIT; why gets the rule and, in
 * its text, the offset in the pattern in characters.
 */
int stix_pattern_check(struct isg_str pattern, enum stix_pattern_version version,
                       struct isg_fail *why);

#endif
