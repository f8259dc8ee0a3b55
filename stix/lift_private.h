/*
 * What the files of the lift share. Private to stix/.
 */
#ifndef STIX_LIFT_PRIVATE_H
#define STIX_LIFT_PRIVATE_H

#include "stix/base/jsonw.h"
#include "stix/lift.h"

/* One call of stix_lift. */
struct stix_lifting {
    stix_lift_emit *emit;
    void *arg;
    size_t index;
    bool in_bundle;
    unsigned notes; /* of the object being written */
    struct isg_fail *why;
};

/* A property of an observable or predefined extension that 2.1 renamed or dropped (S-141). */
struct stix_renamed {
    const char *type;
    const char *old;
    const char *now; /* NULL: dropped */
};

/* The row of a 2.0 property; NULL when it is named as before. type may be NULL. */
const struct stix_renamed *stix_renamed_find(const char *type, const char *old);

/* A failure at a pointer below the object being lifted. Returns code. */
int stix_lift_fail(const struct stix_lifting *l, int code, const char *rule, const char *path,
                   const char *message);

/* Hand a finished text out. */
int stix_lift_give(struct stix_lifting *l, const struct isg_buf *text, unsigned notes);

/* --- lift_container.c (S-138) --- */

struct stix_container;

/*
 * Make the observables of an observed-data's container and hand them out. *out_container, set on
 * success only, knows their ids; free it with stix_container_free.
 */
int stix_container_lift(struct stix_lifting *l, const struct stix_json *observed,
                        struct stix_container **out_container);
/* Forget the ids; accepts NULL, leaves NULL. */
void stix_container_free(struct stix_container **container);

/* The list object_refs. */
void stix_container_refs(const struct stix_container *container, struct isg_jsonw *w);

#endif
