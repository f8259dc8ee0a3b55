/*
 * Whether two objects say the same: as renderings of one (S-104), or as descriptions of the same
 * thing by different sources (S-105). The second is for merging and for telling people; it is never
 * a reason to overwrite one by the other.
 */
#ifndef STIX_EQUAL_H
#define STIX_EQUAL_H

#include <stdbool.h>

#include "stix/base/err.h"
#include "stix/base/str.h"
#include "stix/json.h"

enum {
    STIX_SAME_PLACE_M = 1000, /* metres between coordinates of one location */
    STIX_SAME_LIST_MAX = 1000 /* references and aliases that are compared */
};

/*
 * Append the canonical text of an object without what says no more than its absence: `revoked`
 * false, `defanged` false, and `spec_version` 2.1 of an observable (S-104). Objects are renderings
 * of one if and only if these texts are equal. Errors are the buffer's.
 */
void stix_equal_text(const struct stix_json *object, struct isg_buf *out);

/* Whether a and b are renderings of one object. Returns ISG_OK or ISG_ENOMEM. */
int stix_equal(const struct stix_json *a, const struct stix_json *b, bool *out_equal,
               struct isg_fail *why);

/* The object that an identifier names, or NULL when it is not at hand. */
typedef const struct stix_json *stix_lookup(void *arg, struct isg_str id);

/*
 * Whether a and b describe the same thing (S-105). Both are objects without errors.
 *
 *   same id                             always: versions of one object
 *   observables                         the same deterministic id
 *   indicator                           pattern_type, equivalent pattern, valid_from as an instant
 *   vulnerability                       a CVE id in common; name where one of them has none
 *   identity                            name and identity_class
 *   location                            coordinates within STIX_SAME_PLACE_M, else region and
 *                                       country (one of them at least)
 *   attack-pattern, campaign, malware, intrusion-set, threat-actor, tool
 *                                       an external id in common; where no source names both, a
 *                                       name or alias in common
 *   relationship                        relationship_type, equivalent ends
 *   any other                           never but by id
 *
 * Names compare in any case of ASCII letters. lookup finds the ends of relationships and may be
 * NULL: then they compare by id, as do ends that it does not find.
 *
 * Returns ISG_OK; ISG_ENOMEM. A pair of patterns that cannot be compared within bounds is not
 * equivalent.
 */
int stix_equivalent(const struct stix_json *a, const struct stix_json *b, stix_lookup *lookup,
                    void *arg, bool *out_equivalent, struct isg_fail *why);

#endif
