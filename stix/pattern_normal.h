/*
 * What the files of the normal form share: comparison expressions as alternatives of atoms
 * (pattern_dnf.c, pattern_set.c), and observations made of them (pattern_normal.c). Private to stix/.
 */
#ifndef STIX_PATTERN_NORMAL_H
#define STIX_PATTERN_NORMAL_H

#include "stix/pattern_tree.h"

/* One normalization; err is the first failure. */
struct stix_normal {
    struct isg_arena *arena;
    struct isg_fail *why;
    enum stix_pattern_version version;
    uint64_t work; /* units left */
    int err;
    struct stix_atom *atoms; /* in the order of the text */
    size_t atoms_n;
    size_t atoms_cap;
    const struct stix_atom **ranked; /* sorted, each text once */
    size_t at;                       /* atoms taken again in the second pass */
};

/* A test that no law splits. */
struct stix_atom {
    struct isg_str text;
    struct isg_str type; /* of the object */
    size_t rank;         /* equal for equal texts */
    size_t last;         /* of the first atom of a test: the index behind the last one */
    bool all;            /* likewise: they are joined by AND, not OR */
};

/* Atoms joined by AND: ranks in order. */
struct stix_term {
    size_t *ranks;
    size_t n;
};

/* Terms joined by OR, none of which holds whenever another does. */
struct stix_dnf {
    struct stix_term *terms;
    size_t n;
};

/* Keep the first failure in err and why; always false. */
bool stix_normal_fail(struct stix_normal *n, int code);
/* Spend units of work. False, with err set, when none are left. */
bool stix_normal_work(struct stix_normal *n, uint64_t units);
/* Zeroed memory of the arena. NULL: err is set. */
void *stix_normal_alloc(struct stix_normal *n, size_t count, size_t size);

/* Keep what a buffer holds, and empty it. False after a failure. */
bool stix_normal_keep(struct stix_normal *n, struct isg_buf *buf, struct isg_str *out);

/*
 * Append the normal form of a tree, with what arena and work there are; the rest of n is zero. False,
 * with err set, when they do not suffice.
 */
bool stix_normal_print(struct stix_normal *n, const struct stix_pattern_node *root,
                       struct isg_buf *out);

/* First pass: the atoms of all tests of the tree. Free n->atoms. */
bool stix_normal_atoms(struct stix_normal *n, const struct stix_pattern_node *root);

/* Second pass, over the nodes in the same order: the form of a comparison expression. */
bool stix_normal_dnf(struct stix_normal *n, const struct stix_pattern_node *node,
                     struct stix_dnf *out);

/*
 * Append the form of a NOT IN over [*] (pattern_set.c), the only set that no law splits. False, with
 * err set, when the arena does not suffice.
 */
bool stix_not_in_print(struct stix_normal *n, const struct stix_test *test, struct isg_buf *text);

/* Sort, and leave out terms that another one absorbs. */
bool stix_dnf_absorb(struct stix_normal *n, struct stix_dnf *dnf);

/* Append "[...]". */
void stix_dnf_print(const struct stix_normal *n, const struct stix_dnf *dnf, struct isg_buf *out);

#endif
