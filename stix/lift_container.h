/*
 * What the two files that lift a container share: its observables, and how their values are
 * written. Private to stix/lift_container.c and stix/lift_values.c.
 */
#ifndef STIX_LIFT_CONTAINER_H
#define STIX_LIFT_CONTAINER_H

#include "stix/base/digest.h"
#include "stix/id.h"
#include "stix/lift_private.h"

enum stix_lift_state { STIX_LIFT_NEW, STIX_LIFT_BUSY, STIX_LIFT_DONE };

/* One object of the container on its way to an observable. */
struct stix_lifted_sco {
    const char *key;
    const struct stix_json *from;
    struct isg_str type;
    enum stix_lift_state state;
    unsigned notes;
    char id[STIX_ID_MAX + 1];
    char image[STIX_ID_MAX + 1]; /* of the file that stands for a process's name, or "" */
    uint8_t digest[ISG_SHA256_BYTES];
    const struct stix_lifted_sco *twin; /* an earlier one of the same id, or NULL */
};

struct stix_container {
    struct stix_lifting *l;
    const struct stix_json *observed;
    struct isg_str id; /* of the observed-data */
    size_t n;
    struct stix_lifted_sco *all;     /* in document order */
    struct stix_lifted_sco **by_key; /* sorted */
    bool dry;                        /* the first pass: everything is written, nothing handed out */
    int err;
};

/* How values of one observable are written. */
struct stix_lift_writer {
    struct stix_container *c;
    struct stix_lifted_sco *of;
    struct isg_buf *out;
    int depth; /* references followed so far */
};

/* Keep the first failure of the container, with the place of an observable. */
void stix_container_fail(struct stix_container *c, const struct stix_lifted_sco *of, int code,
                         const char *rule, const char *message);

/* Order of pointers to observables by their key. */
int stix_container_by_key(const void *a, const void *b);

/* The id made of the observed-data's id and the key: in the form of a random one (S-138). */
void stix_container_derive_id(const struct stix_container *c, const struct stix_lifted_sco *of,
                              char out[STIX_ID_MAX + 1]);

/* Fill of->id, those of what its contributing properties refer to first (S-095). */
void stix_container_id(struct stix_container *c, struct stix_lifted_sco *of, int depth);

/*
 * Append the members of an object by their names of 2.1. type names the owner of the renamed
 * properties, NULL: nothing is renamed. *any: a member stands before them.
 */
void stix_container_members(const struct stix_lift_writer *w, const char *type,
                            const struct stix_json *object, bool *any);

#endif
