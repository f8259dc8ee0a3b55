#include "feeds/csaf_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char rule[] = "CSAF 2.0";

enum { PATH_MAX_BYTES = 96 };

/* What the branches above a leaf say of it. */
struct above {
    struct isg_str vendor;
    struct isg_str family;
    struct isg_str model;
    struct isg_str version;
};

static int no_memory(struct isg_fail *why)
{
    return isg_fail(why, ISG_ENOMEM, "no memory");
}

/* ---- one product ---------------------------------------------------------------------------- */

static int product_room(struct csaf_tree *tree, struct isg_fail *why)
{
    if (tree->count < tree->room)
        return ISG_OK;
    if (tree->count == CSAF_PRODUCTS_MAX)
        return isg_fail_at(why, ISG_ELIMIT, "/product_tree", rule, "more than %d products",
                           CSAF_PRODUCTS_MAX);
    size_t room = tree->room == 0 ? 64 : tree->room * 2;
    struct csaf_product *items = isg_arena_alloc(tree->arena, room * sizeof *items);
    if (items == NULL)
        return no_memory(why);
    if (tree->count > 0)
        memcpy(items, tree->products, tree->count * sizeof *items);
    tree->products = items;
    tree->room = room;
    return ISG_OK;
}

/* A full_product_name_t; path is where it stands. */
static int product_add(struct csaf_tree *tree, const struct stix_json *json,
                       const struct above *above, const char *path, struct isg_fail *why)
{
    struct csaf_product product = {.id = stix_json_get_str(json, "product_id"),
                                   .name =
                                       text_repair(tree->arena, stix_json_get_str(json, "name")),
                                   .vendor = above->vendor,
                                   .family = above->family,
                                   .model = above->model,
                                   .version = above->version,
                                   .helper = stix_json_get(json, "product_identification_helper")};
    if (product.id.n == 0 || product.name.n == 0)
        return isg_fail_at(why, ISG_EINVAL, path, rule, "a product needs product_id and name");
    if (product.model.n == 0)
        product.model = product.family.n > 0 ? product.family : product.name;
    int err = product_room(tree, why);
    if (err == ISG_OK)
        tree->products[tree->count++] = product;
    return err;
}

/* ---- branches ------------------------------------------------------------------------------- */

static struct isg_str *slot_of(struct above *above, struct isg_str category)
{
    if (isg_str_is(category, "vendor"))
        return &above->vendor;
    if (isg_str_is(category, "product_family"))
        return &above->family;
    static const char *const of_version[] = {"product_version", "product_version_range",
                                             "service_pack", "patch_level"};
    for (size_t i = 0; i < sizeof of_version / sizeof of_version[0]; i++) {
        if (isg_str_is(category, of_version[i]))
            return &above->version;
    }
    return &above->model; /* product_name, and architecture, language, ... that qualify it */
}

static struct above below(struct csaf_tree *tree, const struct above *above,
                          const struct stix_json *branch)
{
    struct above next = *above;
    struct isg_str name = text_repair(tree->arena, stix_json_get_str(branch, "name"));
    struct isg_str *slot = slot_of(&next, stix_json_get_str(branch, "category"));
    if (slot == &next.vendor || slot->n == 0)
        *slot = name;
    else
        *slot = isg_str_of(
            isg_arena_printf(tree->arena, "%.*s %.*s", ISG_STR_ARG(*slot), ISG_STR_ARG(name)));
    return next;
}

static int branches_read(struct csaf_tree *tree, const struct stix_json *branches,
                         const struct above *above, unsigned depth, struct isg_fail *why)
{
    int err = ISG_OK;
    if (stix_json_size(branches) > 0 && depth == CSAF_BRANCH_DEPTH)
        return isg_fail_at(why, ISG_ELIMIT, "/product_tree/branches", "CSAF 2.0, 3.1.2.1",
                           "branches are nested deeper than %d", CSAF_BRANCH_DEPTH);
    for (size_t i = 0; i < stix_json_size(branches) && err == ISG_OK; i++) {
        const struct stix_json *branch = stix_json_at(branches, i);
        const struct stix_json *product = stix_json_get(branch, "product");
        struct above here = below(tree, above, branch);
        if (product != NULL)
            err = product_add(tree, product, &here, "/product_tree/branches/**/product", why);
        if (err == ISG_OK)
            err = branches_read(tree, stix_json_get(branch, "branches"), &here, depth + 1, why);
    }
    return err;
}

/* ---- full names, relationships -------------------------------------------------------------- */

static int names_read(struct csaf_tree *tree, const struct stix_json *list, const char *where,
                      const char *member, struct isg_fail *why)
{
    int err = ISG_OK;
    for (size_t i = 0; i < stix_json_size(list) && err == ISG_OK; i++) {
        char path[PATH_MAX_BYTES];
        const struct stix_json *json = stix_json_at(list, i);
        (void)snprintf(path, sizeof path, "/product_tree/%s/%zu", where, i);
        err = product_add(tree, member != NULL ? stix_json_get(json, member) : json,
                          &(struct above){.vendor = {NULL, 0}}, path, why);
    }
    return err;
}

static int by_product_id(const void *a, const void *b)
{
    const struct csaf_product *x = *(const struct csaf_product *const *)a;
    const struct csaf_product *y = *(const struct csaf_product *const *)b;
    int order = isg_str_cmp(x->id, y->id);
    return order != 0 ? order : (x > y) - (x < y);
}

/* Two products of one id are an error, the same product written twice is none. */
static int index_make(struct csaf_tree *tree, struct isg_fail *why)
{
    const size_t size = sizeof(struct csaf_product *); /* NOLINT(bugprone-sizeof-expression) */
    tree->by_id = isg_arena_alloc(tree->arena, (tree->count + 1) * size);
    if (tree->by_id == NULL)
        return no_memory(why);
    for (size_t i = 0; i < tree->count; i++)
        tree->by_id[i] = &tree->products[i];
    if (tree->count > 1)
        qsort(tree->by_id, tree->count, size, by_product_id);
    for (size_t i = 1; i < tree->count; i++) {
        const struct csaf_product *a = tree->by_id[i - 1];
        const struct csaf_product *b = tree->by_id[i];
        if (isg_str_eq(a->id, b->id) && !isg_str_eq(a->name, b->name))
            return isg_fail_at(why, ISG_EINVAL, "/product_tree", "CSAF 2.0, 6.1.2",
                               "product_id %.80s is defined more than once", a->id.p);
    }
    return ISG_OK;
}

struct csaf_product *csaf_tree_find(const struct csaf_tree *tree, struct isg_str id)
{
    size_t low = 0;
    size_t high = tree->count;
    while (low < high) { /* the first of equal ids */
        size_t middle = low + (high - low) / 2;
        if (isg_str_cmp(tree->by_id[middle]->id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < tree->count && isg_str_eq(tree->by_id[low]->id, id) ? tree->by_id[low] : NULL;
}

static int reference_read(const struct csaf_tree *tree, const struct stix_json *relationship,
                          size_t i, const char *name, struct csaf_product **out,
                          struct isg_fail *why)
{
    char path[PATH_MAX_BYTES];
    struct isg_str id = stix_json_get_str(relationship, name);
    *out = csaf_tree_find(tree, id);
    if (*out != NULL)
        return ISG_OK;
    (void)snprintf(path, sizeof path, "/product_tree/relationships/%zu/%s", i, name);
    return isg_fail_at(why, ISG_EINVAL, path, "CSAF 2.0, 6.1.1",
                       "no product has the product_id %.80s", id.n > 0 ? id.p : "(none)");
}

static int relationships_read(struct csaf_tree *tree, const struct stix_json *list,
                              struct isg_fail *why)
{
    int err = ISG_OK;
    for (size_t i = 0; i < stix_json_size(list) && err == ISG_OK; i++) {
        const struct stix_json *json = stix_json_at(list, i);
        struct csaf_product *product = csaf_tree_find(
            tree, stix_json_get_str(stix_json_get(json, "full_product_name"), "product_id"));
        err = reference_read(tree, json, i, "product_reference", &product->part, why);
        if (err == ISG_OK)
            err =
                reference_read(tree, json, i, "relates_to_product_reference", &product->whole, why);
        if (err == ISG_OK)
            product->part->is_part = true;
    }
    return err;
}

enum { UNSEEN, UNDER_WAY, DONE };

/* What a product of a relationship is, comes from what it is installed in. */
static void product_complete(struct csaf_tree *tree, struct csaf_product *product)
{
    const struct csaf_product *whole = product->whole;
    struct isg_str part = product->part->name;
    product->vendor = whole->vendor;
    product->family = whole->family;
    product->model = whole->model;
    product->version = isg_str_of(
        isg_arena_printf(tree->arena, whole->version.n > 0 ? "%.*s with %.*s" : "%.*swith %.*s",
                         ISG_STR_ARG(whole->version), ISG_STR_ARG(part)));
}

static int product_follow(struct csaf_tree *tree, struct csaf_product *product, unsigned depth,
                          struct isg_fail *why)
{
    if (product->visited == DONE || product->whole == NULL)
        return ISG_OK;
    if (product->visited == UNDER_WAY)
        return isg_fail_at(why, ISG_EINVAL, "/product_tree/relationships", "CSAF 2.0, 6.1.3",
                           "product_id %.80s is defined by itself", product->id.p);
    if (depth == CSAF_CHAIN_MAX)
        return isg_fail_at(why, ISG_ELIMIT, "/product_tree/relationships", rule,
                           "more than %d products stand in each other", CSAF_CHAIN_MAX);
    product->visited = UNDER_WAY;
    int err = product_follow(tree, product->part, depth + 1, why);
    if (err == ISG_OK)
        err = product_follow(tree, product->whole, depth + 1, why);
    product->visited = DONE;
    if (err == ISG_OK)
        product_complete(tree, product);
    return err;
}

/* ---- groups --------------------------------------------------------------------------------- */

static int by_group_id(const void *a, const void *b)
{
    return isg_str_cmp(((const struct csaf_group *)a)->id, ((const struct csaf_group *)b)->id);
}

static int group_check(const struct csaf_tree *tree, const struct csaf_group *group, size_t i,
                       struct isg_fail *why)
{
    char path[PATH_MAX_BYTES];
    for (size_t k = 0; k < stix_json_size(group->products); k++) {
        struct isg_str id = stix_json_str(stix_json_at(group->products, k));
        if (csaf_tree_find(tree, id) != NULL)
            continue;
        (void)snprintf(path, sizeof path, "/product_tree/product_groups/%zu/product_ids/%zu", i, k);
        return isg_fail_at(why, ISG_EINVAL, path, "CSAF 2.0, 6.1.1",
                           "no product has the product_id %.80s", id.n > 0 ? id.p : "(none)");
    }
    return ISG_OK;
}

static int groups_read(struct csaf_tree *tree, const struct stix_json *list, struct isg_fail *why)
{
    int err = ISG_OK;
    size_t n = stix_json_size(list);
    tree->groups = isg_arena_alloc(tree->arena, (n + 1) * sizeof *tree->groups);
    if (tree->groups == NULL)
        return no_memory(why);
    for (size_t i = 0; i < n && err == ISG_OK; i++) {
        const struct stix_json *json = stix_json_at(list, i);
        struct csaf_group *group = &tree->groups[tree->group_count++];
        *group = (struct csaf_group){stix_json_get_str(json, "group_id"),
                                     stix_json_get(json, "product_ids")};
        err = group_check(tree, group, i, why);
    }
    if (tree->group_count > 1)
        qsort(tree->groups, tree->group_count, sizeof *tree->groups, by_group_id);
    return err;
}

const struct csaf_group *csaf_tree_group(const struct csaf_tree *tree, struct isg_str id)
{
    const struct csaf_group key = {.id = id};
    if (tree->group_count == 0)
        return NULL;
    return bsearch(&key, tree->groups, tree->group_count, sizeof key, by_group_id);
}

/* ---- the tree ------------------------------------------------------------------------------- */

int csaf_tree_read(const struct stix_json *product_tree, struct isg_arena *arena,
                   struct csaf_tree *out, struct isg_fail *why)
{
    const struct stix_json *relationships = stix_json_get(product_tree, "relationships");
    *out = (struct csaf_tree){.arena = arena};
    int err = branches_read(out, stix_json_get(product_tree, "branches"),
                            &(struct above){.vendor = {NULL, 0}}, 0, why);
    if (err == ISG_OK)
        err = names_read(out, stix_json_get(product_tree, "full_product_names"),
                         "full_product_names", NULL, why);
    if (err == ISG_OK)
        err = names_read(out, relationships, "relationships", "full_product_name", why);
    if (err == ISG_OK)
        err = index_make(out, why);
    if (err == ISG_OK)
        err = relationships_read(out, relationships, why);
    for (size_t i = 0; i < out->count && err == ISG_OK; i++)
        err = product_follow(out, &out->products[i], 0, why);
    if (err == ISG_OK)
        err = groups_read(out, stix_json_get(product_tree, "product_groups"), why);
    return err;
}
