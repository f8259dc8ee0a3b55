/*
 * The products of an advisory: vendors become identities (digest 2.4, identity|org), a device with
 * its versions an infrastructure, other products a software observable (medical domain digest,
 * part 8).
 */
#include <string.h>

#include "feeds/csaf.h"
#include "feeds/product.h"
#include "feeds/version.h"
#include "stix/types_table.h"

/* ---- vendors -------------------------------------------------------------------------------- */

static void vendor_write(struct csaf *csaf, struct isg_str name, char out[STIX_ID_MAX + 1])
{
    map_organisation(&csaf->map, name, (struct isg_str){0}, out);
    csaf_refer(csaf, out);
}

/* Vendors without a product are named too. */
static void vendors_write(struct csaf *csaf, const struct stix_json *branches, unsigned depth)
{
    for (size_t i = 0; i < stix_json_size(branches) && csaf->map.err == ISG_OK; i++) {
        const struct stix_json *branch = stix_json_at(branches, i);
        struct isg_str name = text_repair(csaf->map.arena, stix_json_get_str(branch, "name"));
        char id[STIX_ID_MAX + 1];
        if (name.n > 0 && isg_str_is(stix_json_get_str(branch, "category"), "vendor"))
            vendor_write(csaf, name, id);
        if (depth + 1 < CSAF_BRANCH_DEPTH)
            vendors_write(csaf, stix_json_get(branch, "branches"), depth + 1);
    }
}

/* Who makes it: the branch says, or a vendor publishes its own advisory. */
static struct isg_str maker_of(const struct csaf *csaf, const struct csaf_product *product)
{
    const struct stix_json *publisher = stix_json_get(csaf->document, "publisher");
    if (product->vendor.n == 0 && isg_str_is(stix_json_get_str(publisher, "category"), "vendor"))
        return csaf->publisher;
    return product->vendor;
}

/* ---- device or software --------------------------------------------------------------------- */

/* One version, not a range of them; words like "12.1 SP2" are one as long as nothing bounds it. */
static bool is_one_version(struct isg_str raw)
{
    enum version_class class = version_parse(raw).class;
    bool bounded = false;
    for (size_t i = 0; i < raw.n; i++)
        bounded = bounded || raw.p[i] == '<' || raw.p[i] == '>' || raw.p[i] == '|' ||
                  raw.p[i] == '*' || raw.p[i] == ' ';
    return class == VERSION_EXACT || (class == VERSION_TEXT && raw.n > 0 && !bounded);
}

static bool has_software_name(const struct csaf_product *product)
{
    struct isg_str cpe = stix_json_get_str(product->helper, "cpe");
    return stix_json_has(product->helper, "purl") || stix_json_has(product->helper, "purls") ||
           isg_str_starts(cpe, ISG_STR("cpe:2.3:a:")) ||
           isg_str_starts(cpe, ISG_STR("cpe:2.3:o:")) || isg_str_starts(cpe, ISG_STR("cpe:/a:")) ||
           isg_str_starts(cpe, ISG_STR("cpe:/o:"));
}

/*
 * Medical advisories are about devices, and so is one that does not say, in a gateway that is run
 * for them; but what stands in a device, or is named as software and with one version, is software.
 */
static bool is_device(const struct csaf *csaf, const struct csaf_product *product)
{
    if (maker_of(csaf, product).n == 0 || csaf->field == CSAF_FIELD_OTHER)
        return false;
    if (product->is_part && (product->version.n == 0 || is_one_version(product->version)))
        return false;
    return csaf->field == CSAF_FIELD_MEDICAL || !has_software_name(product) ||
           !is_one_version(product->version);
}

/* ---- versions ------------------------------------------------------------------------------- */

static const char *const bound_names[] = {
    [VERSION_LT] = "lt", [VERSION_LE] = "le", [VERSION_GT] = "gt", [VERSION_GE] = "ge"};

static void version_begin(struct isg_jsonw *w, const char *kind, struct isg_str raw)
{
    isg_jsonw_object(w);
    isg_jsonw_put(w, "kind", kind);
    isg_jsonw_put_str(w, "raw", raw);
}

static void values_write(struct isg_jsonw *w, const struct version_spec *spec)
{
    isg_jsonw_name(w, "eq");
    isg_jsonw_list(w);
    for (size_t i = 0; i < spec->count; i++)
        isg_jsonw_str(w, spec->terms[i].value);
    isg_jsonw_end(w);
}

/* Both bounds of a range hold: one entry. */
static void range_write(struct isg_jsonw *w, const struct version_spec *spec)
{
    version_begin(w, version_kind(spec->class), spec->raw);
    for (size_t i = 0; i < spec->count; i++)
        isg_jsonw_put_str(w, bound_names[spec->terms[i].op], spec->terms[i].value);
    isg_jsonw_end(w);
}

/* One of several bounds of one direction holds: an entry each. */
static void bounds_write(struct isg_jsonw *w, const struct version_spec *spec)
{
    for (size_t i = 0; i < spec->count; i++) {
        version_begin(w, version_kind(VERSION_ONE_BOUND), spec->raw);
        isg_jsonw_put_str(w, bound_names[spec->terms[i].op], spec->terms[i].value);
        isg_jsonw_end(w);
    }
}

void csaf_versions_write(struct csaf *csaf, struct isg_str raw)
{
    struct isg_jsonw *w = &csaf->map.w;
    struct version_spec spec = version_parse(raw);
    if (raw.n == 0)
        return;
    isg_jsonw_name(w, "versions");
    isg_jsonw_list(w);
    if (spec.class == VERSION_ONE_BOUND || spec.class == VERSION_RANGE) {
        range_write(w, &spec);
    } else if (spec.class == VERSION_LIST && spec.terms[0].op != VERSION_EQ) {
        bounds_write(w, &spec);
    } else {
        version_begin(w, version_kind(spec.class), spec.raw);
        if (spec.class == VERSION_EXACT || spec.class == VERSION_LIST)
            values_write(w, &spec);
        isg_jsonw_end(w);
    }
    isg_jsonw_end(w);
}

/* ---- a device ------------------------------------------------------------------------------- */

static void numbers_add(struct csaf *csaf, const struct csaf_product *product, const char *name,
                        struct text_list *list)
{
    const struct stix_json *texts = stix_json_get(product->helper, name);
    for (size_t i = 0; i < stix_json_size(texts); i++)
        (void)text_list_add(csaf->map.arena, list,
                            text_clean(csaf->map.arena, stix_json_str(stix_json_at(texts, i))));
}

/* A CPE in the form that STIX wants, or nothing. */
static struct isg_str cpe_of(const struct csaf_product *product)
{
    struct isg_str cpe = stix_json_get_str(product->helper, "cpe");
    return stix_form_cpe.fits(cpe) ? cpe : (struct isg_str){0};
}

/* What identifies the model; serial numbers name one unit, at times one patient: left out. */
static void helper_write(struct csaf *csaf, const struct csaf_product *product)
{
    struct text_list numbers = {0};
    struct text_list cpes = {0};
    struct text_list purls = {0};
    numbers_add(csaf, product, "model_numbers", &numbers);
    numbers_add(csaf, product, "skus", &numbers);
    numbers_add(csaf, product, "purls", &purls);
    (void)text_list_add(csaf->map.arena, &purls, csaf_text(csaf, product->helper, "purl"));
    (void)text_list_add(csaf->map.arena, &cpes, cpe_of(product));
    text_list_sort(&numbers);
    text_list_sort(&purls);
    map_strings(&csaf->map, "catalog_numbers", &numbers);
    map_strings(&csaf->map, "cpe", &cpes);
    map_strings(&csaf->map, "purl", &purls);
}

static const char *device_name(struct csaf *csaf, const struct csaf_product *product,
                               struct isg_str maker)
{
    bool all = version_parse(product->version).class == VERSION_ALL;
    struct isg_str version = all ? (struct isg_str){0} : product->version;
    return isg_arena_printf(csaf->map.arena, version.n > 0 ? "%.*s %.*s %.*s" : "%.*s %.*s%.*s",
                            ISG_STR_ARG(maker), ISG_STR_ARG(product->model), ISG_STR_ARG(version));
}

static void device_extension(struct csaf *csaf, const struct csaf_product *product,
                             const char *maker_id)
{
    struct text_list families = {0};
    map_extension_begin(&csaf->map, MAP_EXTENSION_DEVICE);
    isg_jsonw_put(&csaf->map.w, "manufacturer_ref", maker_id);
    isg_jsonw_put_str(&csaf->map.w, "model", product->model);
    (void)text_list_add(csaf->map.arena, &families, product->family);
    if (!isg_str_eq(product->family, product->model))
        map_strings(&csaf->map, "trade_names", &families);
    helper_write(csaf, product);
    csaf_versions_write(csaf, product->version);
    map_extension_end(&csaf->map);
}

static void device_write(struct csaf *csaf, struct csaf_product *product)
{
    struct isg_str types[] = {ISG_STR("medical-device")};
    struct isg_str labels[] = {ISG_STR("victim-asset-class")};
    struct map *map = &csaf->map;
    struct isg_str maker = maker_of(csaf, product);
    struct product_name vendor = product_vendor(map->arena, maker, map->context->aliases);
    struct product_name model = product_name(map->arena, product->model);
    struct isg_str fields[] = {ISG_STR("infrastructure"), ISG_STR("product"), vendor.key, model.key,
                               product->version,          product->id};
    char id[STIX_ID_MAX + 1];
    char maker_id[STIX_ID_MAX + 1];
    map_shared_id(map, "infrastructure", fields, 5, id);
    if (!map_is_new(map, id)) { /* another product of the document goes by the same names */
        map_shared_id(map, "infrastructure", fields, 6, id);
        (void)map_is_new(map, id);
    }
    product->object = isg_arena_copy(map->arena, isg_str_of(id));
    vendor_write(csaf, maker, maker_id);
    csaf_refer(csaf, id);
    struct map_head head = csaf_shared_head(csaf, "infrastructure", id);
    map_begin(map, &head);
    isg_jsonw_put(&map->w, "name", device_name(csaf, product, maker));
    map_strings(map, "infrastructure_types", &(struct text_list){types, 1, 1});
    map_strings(map, "labels", &(struct text_list){labels, 1, 1});
    device_extension(csaf, product, maker_id);
    map_end(map, csaf->facet);
}

/* ---- software ------------------------------------------------------------------------------- */

struct isg_str csaf_product_range(const struct csaf_product *product)
{
    bool in_id = is_one_version(product->version) || product->version.n == 0;
    return in_id ? (struct isg_str){0} : product->version;
}

static void software_write(struct csaf *csaf, struct csaf_product *product)
{
    char id[STIX_ID_MAX + 1];
    struct map_software software = {.name = product->whole != NULL ? product->name : product->model,
                                    .vendor = maker_of(csaf, product),
                                    .cpe = cpe_of(product)};
    if (product->whole == NULL && csaf_product_range(product).n == 0)
        software.version = product->version;
    if (!map_software(&csaf->map, &software, id))
        return;
    product->object = isg_arena_copy(csaf->map.arena, isg_str_of(id));
    csaf_refer(csaf, id);
}

/* ---- what stands in what -------------------------------------------------------------------- */

bool csaf_is_of(const char *id, const char *type)
{
    size_t n = strlen(type);
    return strncmp(id, type, n) == 0 && id[n] == '-';
}

/* The device of a relationship consists of the software named in it. */
static void consists_write(struct csaf *csaf, const struct csaf_product *product)
{
    struct map *map = &csaf->map;
    const char *part = product->part->object;
    char id[STIX_ID_MAX + 1];
    if (map->err != ISG_OK || !csaf_is_of(product->object, "infrastructure") ||
        !csaf_is_of(part, "software"))
        return;
    map_relationship_id(map, "consists-of", product->object, part, id);
    if (!map_is_new(map, id))
        return;
    struct map_head head = csaf_shared_head(csaf, "relationship", id);
    map_begin(map, &head);
    isg_jsonw_put(&map->w, "relationship_type", "consists-of");
    isg_jsonw_put(&map->w, "source_ref", product->object);
    isg_jsonw_put(&map->w, "target_ref", part);
    map_end(map, csaf->facet);
    csaf_refer(csaf, id);
}

void csaf_products(struct csaf *csaf)
{
    const struct stix_json *tree = stix_json_get(csaf->root, "product_tree");
    vendors_write(csaf, stix_json_get(tree, "branches"), 0);
    for (size_t i = 0; i < csaf->tree.count && csaf->map.err == ISG_OK; i++) {
        struct csaf_product *product = &csaf->tree.products[i];
        if (csaf_tree_find(&csaf->tree, product->id) != product)
            continue; /* written twice */
        if (is_device(csaf, product))
            device_write(csaf, product);
        else
            software_write(csaf, product);
    }
    for (size_t i = 0; i < csaf->tree.count && csaf->map.err == ISG_OK; i++) {
        const struct csaf_product *product = &csaf->tree.products[i];
        if (product->whole != NULL && product->object != NULL && product->part->object != NULL)
            consists_write(csaf, product);
    }
}
