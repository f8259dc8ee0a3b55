/*
 * The checker: walks a type's property table over an object and reports every finding.
 *
 * An error is a rule the standard states as a must (level M in tests/requirements.tsv); a warning
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

struct stix_finding {
    enum stix_level level;
    const char *rule;    /* "S-035"; static */
    const char *path;    /* JSON Pointer from the object's root, "" for the root; in the arena */
    const char *message; /* in the arena */
    struct stix_finding *next;
};

/* All findings of one object, in the order they were found; beyond max they are only counted. */
struct stix_report {
    struct isg_arena *arena; /* borrowed */
    size_t max;
    size_t errors;
    size_t warnings;
    struct stix_finding *first;
    struct stix_finding *last;
};

struct stix_check_options {
    bool nested; /* the object stands in a bundle or list; paths are relative to the object still */
};

/* An empty report whose findings live in arena; at most max are kept (0: 64). */
void stix_report_init(struct stix_report *report, struct isg_arena *arena, size_t max);

/*
 * Check one STIX 2.1 object (or a bundle with all its objects).
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
