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
 *   observations  one of these, or a list of them:
 *                   an observed-data with `objects` (2.0, and 2.1 of old) or `object_refs`
 *                   a bundle or envelope with observed-data and the observables they refer to
 *                   an observable, for observed-data anywhere in the list to refer to
 *                 What `object_refs` name is searched for in the observed-data's own bundle first,
 *                 then everywhere. Without any observed-data each observable that is in no bundle
 *                 is an observation of its own. So is a container {"0":{"type":...}} of 2.0. Both
 *                 have no times: a pattern that asks for them is refused.
 *   out_match     set on success only
 *
 * The rules a pattern must keep only to be of use (S-112; where subset tests stand, S-113; numbers
 * of both kinds or nothing in a set, S-110) are not asked for: such tests are evaluated as they
 * stand. Times of observations are those the text says, an observation of number_observed n counts
 * n times. Where an interval leaves a choice the one that fits is taken, for each qualifier.
 *
 * Returns ISG_OK; ISG_EPARSE or ISG_EINVAL for a pattern (as stix_pattern_check) or observations
 * (S-039; why->path leads to the place in them) that are wrong; ISG_ELIMIT when the answer would take too much work (S-129) or an
 * expression backtracks too much; ISG_ENOMEM.
 */
int stix_match(struct isg_str pattern, enum stix_pattern_version version,
               const struct stix_json *observations, bool *out_match, struct isg_fail *why);

#endif
