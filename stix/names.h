/*
 * The names of the objects that are open during a scan, to find one that comes twice. Private to
 * stix/.
 *
 * Names are compared after unescaping. Few are compared one by one; from the seventeenth on an
 * object has a hash table. The hash is keyed by a random number of the process, so that nobody can
 * make names that collide.
 */
#ifndef STIX_NAMES_H
#define STIX_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "stix/base/buf.h"
#include "stix/base/str.h"

enum { STIX_NAMES_INLINE = 64 };

struct stix_name {
    uint64_t hash;
    struct isg_str raw; /* as written, borrowed from the text */
};

struct stix_names {
    uint64_t seed;
    struct stix_name *all; /* of all open objects, innermost last */
    size_t count;
    size_t cap;
    struct isg_buf scratch;
    struct stix_name room[STIX_NAMES_INLINE];
};

/* One open object. */
struct stix_scope {
    size_t first;    /* its first name in `all` */
    uint32_t *slots; /* NULL while there are few: index in `all` + 1, 0 free */
    size_t mask;     /* number of slots - 1 */
};

/* No names; allocates nothing until they are many. */
void stix_names_init(struct stix_names *names);
/* Free the memory; every scope must have been closed. */
void stix_names_done(struct stix_names *names);

/* Begin an object within those that are open. */
void stix_names_open(const struct stix_names *names, struct stix_scope *scope);
/* End the innermost object: its names are forgotten. */
void stix_names_close(struct stix_names *names, struct stix_scope *scope);

/* Add a name as written. Returns ISG_OK, ISG_ECONFLICT when the object has it, ISG_ENOMEM. */
int stix_names_add(struct stix_names *names, struct stix_scope *scope, struct isg_str raw);

#endif
