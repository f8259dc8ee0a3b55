/*
 * The property tables of STIX 2.0. Private to stix/.
 */
#ifndef STIX_TYPES_20_H
#define STIX_TYPES_20_H

#include "stix/types_table.h"

/* The 2.0 type of this name, or NULL; observables are none there. */
const struct stix_type *stix_20_type_find(struct isg_str name);

/* The common properties of a kind, as a table of their own. */
const struct stix_type *stix_20_common(enum stix_kind kind);

#endif
