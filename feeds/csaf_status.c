/*
 * product_status of an advisory: which product has, or is otherwise related to, which vulnerability
 * (digest 5.3, medical domain digest part 7). `has` only ever starts at an infrastructure; all other
 * statements are `related-to` with the product-status extension.
 */
#include <stdio.h>

#include "feeds/csaf.h"

enum {
    NAMED_MAX = 2000000, /* mentions of products in a document */
    EDGES_MAX = 200000,  /* of them in product_status: a relationship each */
    PATH_BYTES = 96
};

/* In the order in which a second statement on the same product is an addition to the first. */
static const struct {
    const char *name;
    const char *status; /* as the extension has it */
    bool affected;
} kinds[] = {
    {"known_affected", "known_affected", true},
    {"first_affected", "known_affected", true},
    {"last_affected", "known_affected", true},
    {"known_not_affected", "known_not_affected", false},
    {"fixed", "fixed", false},
    {"first_fixed", "first_fixed", false},
    {"under_investigation", "under_investigation", false},
    {"recommended", "recommended", false},
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* ---- before anything is handed out ---------------------------------------------------------- */

static int named_add(struct csaf *csaf, size_t n)
{
    csaf->named += n;
    if (csaf->named <= NAMED_MAX)
        return ISG_OK;
    return isg_fail_at(csaf->map.why, ISG_ELIMIT, "/vulnerabilities", "CSAF 2.0",
                       "products are named more than %d times", NAMED_MAX);
}

static int ids_check(struct csaf *csaf, const struct stix_json *list, const char *where)
{
    int err = named_add(csaf, stix_json_size(list));
    for (size_t i = 0; i < stix_json_size(list) && err == ISG_OK; i++) {
        struct isg_str id = stix_json_str(stix_json_at(list, i));
        char path[PATH_BYTES];
        if (csaf_tree_find(&csaf->tree, id) != NULL)
            continue;
        (void)snprintf(path, sizeof path, "%.60s/%zu", where, i);
        err = isg_fail_at(csaf->map.why, ISG_EINVAL, path, "CSAF 2.0, 6.1.1",
                          "no product has the product_id %.80s", id.n > 0 ? id.p : "(none)");
    }
    return err;
}

static int groups_check(struct csaf *csaf, const struct stix_json *list, const char *where)
{
    int err = ISG_OK;
    for (size_t i = 0; i < stix_json_size(list) && err == ISG_OK; i++) {
        struct isg_str id = stix_json_str(stix_json_at(list, i));
        const struct csaf_group *group = csaf_tree_group(&csaf->tree, id);
        char path[PATH_BYTES];
        (void)snprintf(path, sizeof path, "%.60s/%zu", where, i);
        if (group == NULL)
            err = isg_fail_at(csaf->map.why, ISG_EINVAL, path, "CSAF 2.0, 6.1.4",
                              "no group has the group_id %.80s", id.n > 0 ? id.p : "(none)");
        else
            err = named_add(csaf, stix_json_size(group->products));
    }
    return err;
}

/* `product_ids` and `group_ids` of each entry of flags[] or threats[]. */
static int entries_check(struct csaf *csaf, const struct stix_json *vulnerability, size_t i,
                         const char *name)
{
    const struct stix_json *list = stix_json_get(vulnerability, name);
    int err = ISG_OK;
    for (size_t k = 0; k < stix_json_size(list) && err == ISG_OK; k++) {
        const struct stix_json *entry = stix_json_at(list, k);
        char path[PATH_BYTES];
        (void)snprintf(path, sizeof path, "/vulnerabilities/%zu/%s/%zu/product_ids", i, name, k);
        err = ids_check(csaf, stix_json_get(entry, "product_ids"), path);
        (void)snprintf(path, sizeof path, "/vulnerabilities/%zu/%s/%zu/group_ids", i, name, k);
        if (err == ISG_OK)
            err = groups_check(csaf, stix_json_get(entry, "group_ids"), path);
    }
    return err;
}

static int status_check(struct csaf *csaf, const struct stix_json *vulnerability, size_t i)
{
    const struct stix_json *status = stix_json_get(vulnerability, "product_status");
    int err = ISG_OK;
    for (size_t k = 0; k < KINDS && err == ISG_OK; k++) {
        const struct stix_json *list = stix_json_get(status, kinds[k].name);
        char path[PATH_BYTES];
        (void)snprintf(path, sizeof path, "/vulnerabilities/%zu/product_status/%s", i,
                       kinds[k].name);
        csaf->edges += stix_json_size(list);
        err = csaf->edges <= EDGES_MAX
                  ? ids_check(csaf, list, path)
                  : isg_fail_at(csaf->map.why, ISG_ELIMIT, path, "CSAF 2.0",
                                "more than %d statements on products", EDGES_MAX);
    }
    return err;
}

int csaf_statuses_check(struct csaf *csaf)
{
    const struct stix_json *list = stix_json_get(csaf->root, "vulnerabilities");
    int err = ISG_OK;
    for (size_t i = 0; i < stix_json_size(list) && err == ISG_OK; i++) {
        const struct stix_json *vulnerability = stix_json_at(list, i);
        err = status_check(csaf, vulnerability, i);
        if (err == ISG_OK)
            err = entries_check(csaf, vulnerability, i, "flags");
        if (err == ISG_OK)
            err = entries_check(csaf, vulnerability, i, "threats");
    }
    return err;
}

/* ---- justifications ------------------------------------------------------------------------- */

static void justify_ids(struct csaf *csaf, const struct stix_json *ids, struct isg_str text)
{
    for (size_t i = 0; i < stix_json_size(ids); i++) {
        struct csaf_product *product =
            csaf_tree_find(&csaf->tree, stix_json_str(stix_json_at(ids, i)));
        if (product != NULL && (product->justification.n == 0 || text.n == 0))
            product->justification = text;
    }
}

static void justify_entry(struct csaf *csaf, const struct stix_json *entry, struct isg_str text)
{
    const struct stix_json *groups = stix_json_get(entry, "group_ids");
    justify_ids(csaf, stix_json_get(entry, "product_ids"), text);
    for (size_t i = 0; i < stix_json_size(groups); i++) {
        const struct csaf_group *group =
            csaf_tree_group(&csaf->tree, stix_json_str(stix_json_at(groups, i)));
        if (group != NULL)
            justify_ids(csaf, group->products, text);
    }
}

/* Flags before texts of threats on the impact; set, or taken off again after the vulnerability. */
static void justify(struct csaf *csaf, const struct stix_json *vulnerability, bool set)
{
    const struct stix_json *flags = stix_json_get(vulnerability, "flags");
    const struct stix_json *threats = stix_json_get(vulnerability, "threats");
    for (size_t i = 0; i < stix_json_size(flags); i++) {
        const struct stix_json *flag = stix_json_at(flags, i);
        justify_entry(csaf, flag, set ? csaf_text(csaf, flag, "label") : (struct isg_str){0});
    }
    for (size_t i = 0; i < stix_json_size(threats); i++) {
        const struct stix_json *threat = stix_json_at(threats, i);
        if (isg_str_is(stix_json_get_str(threat, "category"), "impact"))
            justify_entry(csaf, threat,
                          set ? csaf_text(csaf, threat, "details") : (struct isg_str){0});
    }
}

/* ---- relationships -------------------------------------------------------------------------- */

/* Is the statement a plain `has`? */
static bool is_has(const struct csaf_product *product, size_t kind)
{
    return kinds[kind].affected && csaf_is_of(product->object, "infrastructure");
}

/*
 * relationship|<type>|<product>|<vulnerability>, and what tells it from another of the same two:
 * the range, where software has none in its id; the status, where a first one took the plain id.
 */
static bool edge_id(struct csaf *csaf, const struct csaf_product *product, size_t kind,
                    const char *target, char out[STIX_ID_MAX + 1])
{
    bool has = is_has(product, kind);
    struct isg_str fields[6] = {ISG_STR("relationship"), isg_str_of(has ? "has" : "related-to"),
                                isg_str_of(product->object), isg_str_of(target)};
    size_t n = 4;
    if (csaf_is_of(product->object, "software") && csaf_product_range(product).n > 0)
        fields[n++] = csaf_product_range(product);
    map_id(&csaf->map, "relationship", fields, n, out);
    if (map_is_new(&csaf->map, out))
        return true;
    if (has || kinds[kind].affected)
        return false;
    fields[n++] = isg_str_of(kinds[kind].status);
    map_id(&csaf->map, "relationship", fields, n, out);
    return map_is_new(&csaf->map, out);
}

static void status_write(struct csaf *csaf, const struct csaf_product *product, size_t kind)
{
    struct map *map = &csaf->map;
    map_extension_begin(map, MAP_EXTENSION_PRODUCT_STATUS);
    isg_jsonw_put(&map->w, "status", kinds[kind].status);
    map_string(map, "justification",
               kinds[kind].affected ? (struct isg_str){0} : product->justification);
    map_string(map, "source_product_id", text_clean(map->arena, product->id));
    if (csaf_is_of(product->object, "software"))
        csaf_versions_write(csaf, csaf_product_range(product));
    map_extension_end(map);
}

static void edge_write(struct csaf *csaf, const struct csaf_product *product, size_t kind,
                       const char *target)
{
    struct map *map = &csaf->map;
    struct text_list labels = {0};
    char id[STIX_ID_MAX + 1];
    if (!edge_id(csaf, product, kind, target, id))
        return;
    (void)text_list_add(map->arena, &labels,
                        text_label(map->arena, "csaf", isg_str_of(kinds[kind].name)));
    struct map_head head = csaf_shared_head(csaf, "relationship", id);
    map_begin(map, &head);
    isg_jsonw_put(&map->w, "relationship_type", is_has(product, kind) ? "has" : "related-to");
    isg_jsonw_put(&map->w, "source_ref", product->object);
    isg_jsonw_put(&map->w, "target_ref", target);
    map_strings(map, "labels", &labels);
    if (!is_has(product, kind))
        status_write(csaf, product, kind);
    map_end(map, csaf->facet);
    csaf_refer(csaf, id);
}

void csaf_statuses(struct csaf *csaf, const struct stix_json *vulnerability, const char *target)
{
    const struct stix_json *status = stix_json_get(vulnerability, "product_status");
    justify(csaf, vulnerability, true);
    for (size_t k = 0; k < KINDS; k++) {
        const struct stix_json *list = stix_json_get(status, kinds[k].name);
        for (size_t i = 0; i < stix_json_size(list) && csaf->map.err == ISG_OK; i++) {
            const struct csaf_product *product =
                csaf_tree_find(&csaf->tree, stix_json_str(stix_json_at(list, i)));
            if (product != NULL && product->object != NULL)
                edge_write(csaf, product, k, target);
        }
    }
    justify(csaf, vulnerability, false);
}
