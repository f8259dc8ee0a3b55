/*
 * STIX 2.0 by its own rules (S-132): other tables, the same walk of values. The rules carry the
 * numbers of what they became in 2.1.
 */
#include <string.h>

#include "stix/check_private.h"
#include "stix/marking.h"
#include "stix/types_20.h"

/* --- properties --- */

/* In 2.0 a custom property is an ordinary thing whose name should say so (S-142). */
static void check_custom(struct stix_checking *c, const struct stix_json *object, const char *name,
                         const struct stix_json *value, const struct stix_place *at)
{
    if (strcmp(name, "spec_version") == 0) {
        stix_found(c, STIX_ERROR, "S-132", at, "an object of STIX 2.0 has no spec_version");
        return;
    }
    stix_check_custom(c, object, name, value, at);
    if (c->type != NULL && !isg_str_starts(isg_str_of(name), ISG_STR("x_")))
        stix_found(c, STIX_WARNING, "S-084", at, "a custom property should begin with x_");
}

static void check_absent(struct stix_checking *c, const struct stix_type *type, uint64_t seen,
                         const struct stix_place *at)
{
    for (size_t i = 0; type != NULL && i < type->n; i++) {
        const struct stix_prop *prop = &type->props[i];
        struct stix_place here = {at, prop->name, 0};
        if ((seen & UINT64_C(1) << i) == 0 && prop->need == STIX_REQUIRED)
            stix_found(c, STIX_ERROR, prop->rule != NULL ? prop->rule : "S-130", &here,
                       "%s is required", prop->name);
    }
}

static bool check_known(struct stix_checking *c, const struct stix_type *type, const char *name,
                        const struct stix_json *value, const struct stix_place *at, uint64_t *seen)
{
    int row = type != NULL ? stix_prop_find(type, name) : -1;
    if (row < 0)
        return false;
    *seen |= UINT64_C(1) << row;
    stix_check_prop(c, &type->props[row], value, at);
    return true;
}

static void check_members(struct stix_checking *c, const struct stix_json *object,
                          const struct stix_place *at)
{
    const struct stix_type *common = stix_20_common(c->kind);
    uint64_t seen = 0;
    uint64_t seen_common = 0;
    struct stix_json_walk walk;
    stix_json_walk(object, &walk);
    while (stix_json_next(&walk)) {
        struct stix_place here = {at, walk.name, 0};
        if (!check_known(c, c->type, walk.name, walk.value, &here, &seen) &&
            !check_known(c, common, walk.name, walk.value, &here, &seen_common))
            check_custom(c, object, walk.name, walk.value, &here);
    }
    check_absent(c, c->type, seen, at);
    check_absent(c, common, seen_common, at);
}

/* --- rules that span properties --- */

/* 2.0 says of these orders what they mean, but does not demand them. */
static void check_orders(struct stix_checking *c, const struct stix_place *at)
{
    static const struct {
        const char *rule;
        const char *later;
        const char *earlier;
        enum stix_level level;
    } rows[] = {
        {"S-026", "modified", "created", STIX_ERROR},
        {"S-034", "last_seen", "first_seen", STIX_WARNING},
        {"S-035", "valid_until", "valid_from", STIX_WARNING},
        {"S-039", "last_observed", "first_observed", STIX_WARNING},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct stix_place here = {at, rows[i].later, 0};
        int order;
        if (stix_members_order(c->object, rows[i].later, rows[i].earlier, &order) && order < 0)
            stix_found(c, rows[i].level, rows[i].rule, &here, "%s is earlier than %s",
                       rows[i].later, rows[i].earlier);
    }
}

/* The four TLP markings have the ids they kept (S-069). */
static void check_tlp(struct stix_checking *c, const struct stix_place *at)
{
    const struct stix_json *definition = stix_json_get(c->object, "definition");
    struct isg_str id = stix_json_get_str(c->object, "id");
    struct isg_str level = stix_json_get_str(definition, "tlp");
    bool claimed = isg_str_is(stix_json_get_str(c->object, "definition_type"), "tlp");
    if (!claimed && !stix_is_tlp_1(id))
        return;
    if (!claimed || !stix_is_tlp_1(id) || stix_tlp_of_marking(id) != stix_tlp_of_name(level) ||
        !isg_str_is(stix_json_get_str(c->object, "created"), "2017-01-20T00:00:00.000Z"))
        stix_found(c, STIX_ERROR, "S-069", at,
                   "this is not one of the four TLP marking-definitions of the standard");
}

static void check_bundle(struct stix_checking *c, const struct stix_json *bundle,
                         const struct stix_place *at)
{
    struct stix_place here = {at, "spec_version", 0};
    if (stix_json_has(bundle, "spec_version") &&
        !isg_str_is(stix_json_get_str(bundle, "spec_version"), "2.0"))
        stix_found(c, STIX_ERROR, "S-132", &here, "spec_version of a 2.0 bundle is the string 2.0");
    stix_check_bundle_twice(c, bundle);
    stix_check_within(c, bundle);
}

static void check_marking(struct stix_checking *c, const struct stix_json *object,
                          const struct stix_place *at)
{
    check_tlp(c, at);
    stix_check_own_markings(c, object, at);
}

/* Rules of one type that have no table here. */
static void check_type(struct stix_checking *c, const struct stix_place *at)
{
    static const struct {
        const char *type;
        stix_rule_fn *call;
    } rows[] = {{"bundle", check_bundle},
                {"indicator", stix_rule_indicator},
                {"marking-definition", check_marking},
                {"relationship", stix_rule_relationship}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(c->type->name, rows[i].type) == 0)
            rows[i].call(c, c->object, at);
}

/* --- objects --- */

static bool find_type(struct stix_checking *c, struct isg_str name, const struct stix_place *at)
{
    struct stix_place here = {at, "type", 0};
    c->type = stix_20_type_find(name);
    c->kind = c->type != NULL ? c->type->kind : STIX_KIND_SDO;
    if (name.p == NULL)
        stix_found(c, STIX_ERROR, "S-023", &here, "type is missing or no string");
    else if (stix_type_kind(name) == STIX_KIND_SCO)
        stix_found(c, STIX_ERROR, "S-132", &here,
                   "an observable stands inside observed-data in STIX 2.0");
    else if (c->type == NULL && !stix_is_type_name(name))
        stix_found(c, STIX_ERROR, "S-017", &here,
                   "type is not 3 to 250 characters of a-z, 0-9 and single hyphens");
    else {
        if (c->type == NULL && !isg_str_starts(name, ISG_STR("x-")))
            stix_found(c, STIX_WARNING, "S-084", &here, "a custom type should begin with x-");
        return true;
    }
    return false;
}

int stix_check_object_20(struct stix_report *report, const struct stix_json *object,
                         const struct stix_place *at)
{
    struct stix_checking c = {
        .report = report, .object = object, .root = at, .is_20 = true, .names_free = true};
    if (stix_json_type(object) != STIX_JSON_OBJECT) {
        stix_found(&c, STIX_ERROR, "S-023", at, "a STIX object is a JSON object");
        return c.err;
    }
    if (!find_type(&c, stix_json_get_str(object, "type"), at))
        return c.err;
    check_members(&c, object, at);
    check_orders(&c, at);
    if (c.type != NULL)
        check_type(&c, at);
    return c.err;
}
