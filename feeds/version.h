/*
 * Versions of medical devices as advisories write them: seven classes, and a comparison that knows
 * when it does not know (medical domain digest, part 8).
 */
#ifndef FEEDS_VERSION_H
#define FEEDS_VERSION_H

#include <stdbool.h>
#include <stddef.h>

#include "stix/base/str.h"

enum version_class {
    VERSION_ALL,       /* vers:all/... */
    VERSION_EXACT,     /* 5.09.02, 2490C */
    VERSION_WILDCARD,  /* 14.1.x */
    VERSION_ONE_BOUND, /* <= 12.2.1 */
    VERSION_RANGE,     /* >= 4.01 | <= 4.34: both hold */
    VERSION_LIST,      /* 620 | 650 | 650c, or bounds of one direction: one holds */
    VERSION_TEXT       /* anything else; nothing is guessed from it */
};

enum version_op { VERSION_EQ, VERSION_LT, VERSION_LE, VERSION_GT, VERSION_GE };

struct version_term {
    enum version_op op;
    struct isg_str value;
};

enum { VERSION_TERMS = 16 };

struct version_spec {
    enum version_class class;
    struct isg_str raw; /* always kept; borrowed, and so are the terms' values */
    struct version_term terms[VERSION_TERMS];
    size_t count;
};

/* Read a version text, also behind `vers:<scheme>/`; what has no other class is VERSION_TEXT. */
struct version_spec version_parse(struct isg_str raw);

/* "all", "exact", "wildcard-x", "one-bound", "range-by-pipe", "list-by-pipe", "freetext". */
const char *version_class_name(enum version_class class);

/* The `kind` in the device extension: all, exact, range, list, wildcard, text. */
const char *version_kind(enum version_class class);

enum version_order { VERSION_LESS, VERSION_SAME, VERSION_MORE, VERSION_UNKNOWN };

/*
 * Order of two versions: parted at . _ - and where digits meet letters; numbers by value, letters
 * behind numbers, a missing part is 0. Dates, lot numbers and words are VERSION_UNKNOWN, and so is
 * what only an x decides.
 */
enum version_order version_cmp(struct isg_str a, struct isg_str b);

enum version_answer { VERSION_NO, VERSION_YES, VERSION_MAYBE };

/*
 * Is this installed version meant? *out_reason (may be NULL) gets a sentence for VERSION_MAYBE and
 * NULL for the others.
 */
enum version_answer version_match(const struct version_spec *spec, struct isg_str installed,
                                  const char **out_reason);

#endif
