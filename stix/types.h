/*
 * The property tables of all STIX 2.1 types: which properties an object has, what they hold, which
 * are required, and where a reference may point. Tables, not code: adding a type is adding rows.
 */
#ifndef STIX_TYPES_H
#define STIX_TYPES_H

#include <stdbool.h>
#include <stddef.h>

#include "stix/base/str.h"

/* The kinds of section 2 of the rules: they decide the common properties. */
enum stix_kind {
    STIX_KIND_UNKNOWN,
    STIX_KIND_SDO,
    STIX_KIND_SRO,
    STIX_KIND_SCO,
    STIX_KIND_EXTENSION, /* extension-definition */
    STIX_KIND_LANGUAGE,  /* language-content */
    STIX_KIND_MARKING,   /* marking-definition */
    STIX_KIND_BUNDLE
};

struct stix_type; /* one row of the type table; private to stix/ */

/* The standard type of this name, or NULL. */
const struct stix_type *stix_type_find(struct isg_str name);

/* Kind of a standard type; STIX_KIND_UNKNOWN for any other name. */
enum stix_kind stix_type_kind(struct isg_str name);

#endif
