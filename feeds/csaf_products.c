/*
 * The product tree of an advisory: the vendors become identities (digest 2.4, identity|org).
 */
#include "feeds/csaf.h"

enum { BRANCH_DEPTH = 30 };

static void vendor_write(struct csaf *csaf, const struct stix_json *branch)
{
    char id[STIX_ID_MAX + 1];
    struct isg_str name = text_repair(csaf->map.arena, stix_json_get_str(branch, "name"));
    if (name.n == 0)
        return;
    map_organisation(&csaf->map, name, (struct isg_str){0}, id);
    csaf_refer(csaf, id);
}

static void branches_walk(struct csaf *csaf, const struct stix_json *branches, unsigned depth)
{
    if (depth == BRANCH_DEPTH)
        return; /* CSAF 2.0 itself bounds the nesting of branches at 30 */
    for (size_t i = 0; i < stix_json_size(branches) && csaf->map.err == ISG_OK; i++) {
        const struct stix_json *branch = stix_json_at(branches, i);
        if (isg_str_is(stix_json_get_str(branch, "category"), "vendor"))
            vendor_write(csaf, branch);
        branches_walk(csaf, stix_json_get(branch, "branches"), depth + 1);
    }
}

void csaf_products(struct csaf *csaf)
{
    const struct stix_json *tree = stix_json_get(csaf->root, "product_tree");
    branches_walk(csaf, stix_json_get(tree, "branches"), 0);
}
