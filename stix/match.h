/*
 * Evaluate STIX patterns over observations (S-117 to S-129).
 */
#ifndef STIX_MATCH_H
#define STIX_MATCH_H

#include <stdbool.h>

#include "stix/base/err.h"
#include "stix/base/str.h"
#include "stix/json.h"
#include "stix/pattern.h"

/*
 * Whether the pattern matches the observations.
 *
 *   observations  one, or a list of them: an observed-data with `objects` or `object_refs`, or a
 *                 bundle with observed-data and the observables they refer to. All bundles are
 *                 searched for what `object_refs` name, an observed-data's own bundle first.
 *   out_match     set on success only
 *
 * The rules a pattern must keep only to be of use (S-112; where subset tests stand, S-113; numbers
 * of both kinds or nothing in a set, S-110) are not asked for: such tests are evaluated as they
 * stand. Times of observations are those the text says, an observation of number_observed n counts
 * n times. Where an interval leaves a choice the one that fits is taken, for each qualifier.
 *
 * Returns ISG_OK; ISG_EPARSE or ISG_EINVAL for a pattern (as stix_pattern_check) or observations
 * (S-039) that are wrong; ISG_ELIMIT when the answer would take too much work (S-129) or an
 * expression backtracks too much; ISG_ENOMEM.
 */
int stix_match(struct isg_str pattern, enum stix_pattern_version version,
               const struct stix_json *observations, bool *out_match, struct isg_fail *why);

#endif
