/*
 * STIX 2.0 as STIX 2.1: what older members and feeds still send (S-132 to S-143).
 *
 * Ids, created and modified stay, so the lifted object is the same version as an equal 2.1
 * original. Pure functions: the same input gives the same bytes on every machine and day.
 */
#ifndef STIX_LIFT_H
#define STIX_LIFT_H

#include <stdbool.h>
#include <stddef.h>

#include "stix/base/buf.h"
#include "stix/base/err.h"
#include "stix/base/str.h"
#include "stix/json.h"

/* Bounds of one old container (S-138). */
enum {
    STIX_LIFT_OBSERVABLES_MAX = 10000, /* objects in it */
    STIX_LIFT_DEPTH = 64,              /* references that an id is computed through */
    STIX_LIFT_MARKINGS_MAX = 32        /* markings that apply to one of its objects */
};

/* What had to be assumed or decided, because 2.0 does not say it. */
enum {
    STIX_LIFT_FAMILY = 1,     /* is_family was assumed (S-137) */
    STIX_LIFT_DERIVED_ID = 2, /* an observable's id comes from the observed-data's id and the key */
    STIX_LIFT_PATTERN_OLD = 4, /* the pattern stays in 2.0 syntax, and says so (S-136) */
    STIX_LIFT_LOSSY = 8        /* a property that 2.1 dropped was left out (S-141) */
};

/* One resulting object. */
struct stix_lifted {
    struct isg_str text; /* JSON text, valid during the call only */
    size_t index;        /* of the bundle's object it comes from; 0 for a single one */
    unsigned notes;      /* STIX_LIFT_... */
};

/* Gets each resulting object; a code other than ISG_OK ends the lift and is returned. */
typedef int stix_lift_emit(void *arg, const struct stix_lifted *lifted, struct isg_fail *why);

/*
 * True for a 2.0 document (S-132): a bundle or object with spec_version "2.0", an object with
 * created and no spec_version that is no observable, a marking without spec_version.
 */
bool stix_is_20(const struct stix_json *value);

/*
 * Lift an object, or every object of a bundle in order.
 *
 *   value  an object or bundle of either version; objects of 2.1 are handed out as they are
 *   emit   called once a resulting object: an observed-data's observables come before it
 *   why    may be NULL; its path points into the input
 *
 * The observables inherit what restricts the observed-data: its object_marking_refs, and the
 * markings whose selectors reach into the container. Objects are not checked here: what was wrong
 * by 2.0 is wrong by 2.1. When an object fails, no part of it is handed out.
 *
 * Returns ISG_OK; ISG_EINVAL (no object, a bundle in a bundle, a container whose references lead
 * nowhere); ISG_ELIMIT (the bounds above); ISG_ENOMEM; what emit returned.
 */
int stix_lift(const struct stix_json *value, stix_lift_emit *emit, void *arg, struct isg_fail *why);

/*
 * Lift a bundle into the text of a 2.1 bundle: id and custom members kept, spec_version dropped
 * (S-133), an observable that several observed-data share listed once. Errors as stix_lift.
 */
int stix_lift_bundle(const struct stix_json *bundle, struct isg_buf *out, struct isg_fail *why);

/*
 * Rewrite a 2.0 pattern in 2.1 syntax: t'' literals at START and STOP, renamed properties (S-136,
 * S-141). Returns ISG_OK; ISG_EPARSE or ISG_EINVAL when the pattern is none, or names a property
 * that 2.1 dropped; ISG_ELIMIT, ISG_ENOMEM. out is written on success only.
 */
int stix_lift_pattern(struct isg_str pattern, struct isg_buf *out, struct isg_fail *why);

#endif
