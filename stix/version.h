/*
 * Versions of one object: which of two is newer, and what an arriving one does to a known one
 * (S-098 to S-101). Only versioned objects are judged here; those without `modified` (SCOs and
 * markings) are never in conflict.
 */
#ifndef STIX_VERSION_H
#define STIX_VERSION_H

#include <stdbool.h>
#include <stdint.h>

#include "stix/base/digest.h"
#include "stix/base/str.h"

/* One version: what decides its place among the others of its id. */
struct stix_version {
    struct isg_str modified; /* a timestamp that was checked */
    bool revoked;
    const uint8_t *digest; /* ISG_SHA256_BYTES of the canonical text */
};

enum stix_version_verdict {
    STIX_VERSION_NEWER,    /* becomes the latest */
    STIX_VERSION_OLDER,    /* takes its place before the latest and changes nothing else */
    STIX_VERSION_SAME,     /* is there already */
    STIX_VERSION_CONFLICT, /* same modified, other content: the first stays (S-100) */
    STIX_VERSION_REVOKED   /* would follow a revocation, which is final (S-101) */
};

/* Order of two `modified` as instants of any precision (S-008, S-098): <0, 0, >0. */
int stix_version_cmp(struct isg_str a, struct isg_str b);

/*
 * What to do with a version that arrives, against one that is known: either the latest of its id,
 * or the one with the same `modified`. Both have the same id.
 */
enum stix_version_verdict stix_version_judge(const struct stix_version *known,
                                             const struct stix_version *arriving);

/* "newer", "older", "same", "conflict" or "revoked". */
const char *stix_version_name(enum stix_version_verdict verdict);

#endif
