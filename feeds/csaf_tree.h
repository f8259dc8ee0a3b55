/*
 * The product tree of an advisory as a table: what is written at the leaves, in the list of full
 * names and in relationships, found by product_id. Nothing is handed out here.
 */
#ifndef FEEDS_CSAF_TREE_H
#define FEEDS_CSAF_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "feeds/text.h"
#include "stix/base/arena.h"
#include "stix/base/err.h"
#include "stix/json.h"

/* One product the tree defines. Texts are cleaned; empty where the tree does not say it. */
struct csaf_product {
    struct isg_str id;      /* product_id */
    struct isg_str name;    /* full name, for people */
    struct isg_str vendor;  /* branch vendor */
    struct isg_str family;  /* branch product_family */
    struct isg_str model;   /* branch product_name, with what qualifies it */
    struct isg_str version; /* branch product_version or product_version_range, as written */
    const struct stix_json *helper; /* product_identification_helper, or NULL */
    struct csaf_product *part;      /* of a relationship: what is installed ... */
    struct csaf_product *whole;     /* ... in what; NULL for other products */
    bool is_part;                   /* stands in another product by some relationship */
    unsigned char visited;          /* while relationships are followed */
    struct isg_str justification;   /* of the vulnerability at hand */
    char *object;                   /* the STIX id it became; NULL: not yet */
};

struct csaf_group {
    struct isg_str id;
    const struct stix_json *products; /* list of product_id */
};

struct csaf_tree {
    struct isg_arena *arena;
    struct csaf_product *products; /* in the order of the tree */
    size_t count;
    size_t room;
    struct csaf_product **by_id;
    struct csaf_group *groups; /* by id */
    size_t group_count;
};

enum {
    CSAF_BRANCH_DEPTH = 30,     /* CSAF 2.0, 3.1.2.1 */
    CSAF_PRODUCTS_MAX = 200000, /* of one document */
    CSAF_CHAIN_MAX = 32         /* products of relationships that stand in each other */
};

/*
 * Read product_tree (may be NULL: no products) into *out, which lives in arena.
 *
 * Returns ISG_OK; ISG_EINVAL with path and rule of CSAF 2.0: a product without id or name, an id
 * defined twice (6.1.2), a relationship or group that names an id nobody defines (6.1.1), one that
 * stands in itself (6.1.3); ISG_ELIMIT: too deep, too many; ISG_ENOMEM.
 */
int csaf_tree_read(const struct stix_json *product_tree, struct isg_arena *arena,
                   struct csaf_tree *out, struct isg_fail *why);

/* The product of this id, or NULL. */
struct csaf_product *csaf_tree_find(const struct csaf_tree *tree, struct isg_str id);

/* The group of this id, or NULL. */
const struct csaf_group *csaf_tree_group(const struct csaf_tree *tree, struct isg_str id);

#endif
