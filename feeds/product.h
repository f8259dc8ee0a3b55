/*
 * Names of vendors and products as advisories and inventories write them, brought to a key under
 * which they meet (medical domain digest, part 8). Pure functions over the caller's arena.
 */
#ifndef FEEDS_PRODUCT_H
#define FEEDS_PRODUCT_H

#include "feeds/text.h"
#include "stix/base/arena.h"
#include "stix/base/err.h"
#include "stix/base/str.h"

/* Another name of the same vendor; both are keys. */
struct product_alias {
    const char *from;
    const char *to;
};

struct product_name {
    struct isg_str display; /* repaired and cleaned, as people should see it */
    struct isg_str key;     /* lower case, plain letters, single blanks; empty: no name */
    struct text_list also;  /* keys of the texts in parentheses */
};

/*
 * The name of a vendor: without parentheses and legal forms (inc, gmbh, ...), aliases resolved.
 * more: the staff's own aliases, ended by from NULL, asked before the built-in ones and once more of
 * what these say; may be NULL.
 */
struct product_name product_vendor(struct isg_arena *arena, struct isg_str raw,
                                   const struct product_alias *more);

/*
 * Read the staff's aliases: a line each, `NAME = OTHER NAME`, in any spelling that comes to the same
 * key; blank lines and those that begin with # are left out. What stands on the right is meant for
 * good: it may stand on no left, but may be a name that the built-in table knows.
 *
 * Returns ISG_OK and the table, ended by from NULL, in the arena; ISG_EINVAL (path: the line; no `=`,
 * no name on a side, two meanings of a name, no UTF-8), ISG_ELIMIT (more than 2,000), ISG_ENOMEM.
 */
int product_aliases_read(struct isg_arena *arena, struct isg_str text,
                         const struct product_alias **out, struct isg_fail *why);

/* The name of a product: as product_vendor, but legal forms and aliases are no matter. */
struct product_name product_name(struct isg_arena *arena, struct isg_str raw);

#endif
