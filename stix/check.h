/*
 * The checker: walks a type's property table over an object and reports every finding.
 *
 * An error is a rule the standard states as a must (level M in tests/fixtures/stix/levels.tsv); a warning
 * is a should. Findings carry the JSON Pointer, the rule number and one sentence.
 */
#ifndef STIX_CHECK_H
#define STIX_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "stix/base/arena.h"
#include "stix/base/err.h"
#include "stix/json.h"

enum stix_level { STIX_ERROR, STIX_WARNING };

enum stix_edition { STIX_EDITION_21, STIX_EDITION_20 };

struct stix_finding {
    enum stix_level level;
    const char *rule;    /* "S-035"; static */
    const char *path;    /* JSON Pointer from the object's root, "" for the root; in the arena */
    const char *message; /* in the arena */
    struct stix_finding *next;
};

/*
 * All findings of one object, in the order they were found. Beyond max of a level they are only
 * counted, so that no number of warnings hides an error.
 */
struct stix_report {
    struct isg_arena *arena; /* borrowed */
    size_t max;              /* of each level */
    size_t errors;
    size_t warnings;
    struct stix_finding *first;
    struct stix_finding *last;
};

struct stix_check_options {
    bool nested; /* the object stands in a bundle or list; paths are relative to the object still */
    enum stix_edition edition; /* whose rules the object is judged by (S-132) */
};

/* An empty report whose findings live in arena; at most max of each level are kept (0: 64). */
void stix_report_init(struct stix_report *report, struct isg_arena *arena, size_t max);

/*
 * Check one STIX object (or a bundle with all its objects) by the rules of 2.1, or of 2.0.
 *
 *   object   a parsed value of any type; anything but an object is one finding
 *   options  may be NULL
 *   report   gets the findings; not cleared first
 *
 * Returns ISG_OK when the check ran, whatever it found; ISG_ENOMEM when it could not.
 */
int stix_check(const struct stix_json *object, const struct stix_check_options *options,
               struct stix_report *report);

/* The first error of a report as a failure (ISG_EINVAL, path, rule, text); ISG_OK when none. */
int stix_report_fail(const struct stix_report *report, struct isg_fail *why);

#endif
