/*
 * The walk: members of an object against the rows of its table, in one pass; then what is missing.
 */
#include <string.h>

#include "stix/check_private.h"
#include "stix/id.h"
#include "stix/lift_private.h"

static bool has_suffix(struct isg_str name, const char *suffix)
{
    return isg_str_ends(name, isg_str_of(suffix));
}

static void report_empty(struct stix_checking *c, const struct stix_json *value,
                         enum stix_level level, const struct stix_place *at)
{
    stix_found(c, level, "S-003", at, "an empty %s is not allowed",
               stix_json_type(value) == STIX_JSON_LIST ? "list" : "dictionary");
}

bool stix_check_filled(struct stix_checking *c, const struct stix_json *value,
                       const struct stix_place *at)
{
    if (stix_json_size(value) > 0)
        return true;
    report_empty(c, value, STIX_ERROR, at);
    return false;
}

void stix_check_members(struct stix_checking *c, const struct stix_json *value,
                        const struct stix_place *at, const char *what, stix_member_fn *call)
{
    struct stix_json_walk walk;
    if (!stix_check_is_object(c, value, at, what))
        return;
    (void)stix_check_filled(c, value, at);
    stix_json_walk(value, &walk);
    while (stix_json_next(&walk)) {
        struct stix_place here = {at, walk.name, 0};
        call(c, walk.name, walk.value, &here);
    }
}

static void check_content(struct stix_checking *c, const struct stix_json *value,
                          enum stix_level level, const struct stix_place *at);

/* Elements and members of a custom value, which must not be empty at this level. */
static void check_inside(struct stix_checking *c, const struct stix_json *value,
                         enum stix_level level, const struct stix_place *at)
{
    struct stix_json_walk walk;
    if (stix_json_size(value) == 0)
        report_empty(c, value, level, at);
    if (stix_json_type(value) == STIX_JSON_LIST) {
        for (size_t i = 0; i < stix_json_size(value); i++) {
            struct stix_place here = {at, NULL, i};
            check_content(c, stix_json_at(value, i), level, &here);
        }
        return;
    }
    stix_json_walk(value, &walk);
    while (stix_json_next(&walk)) {
        struct stix_place here = {at, walk.name, 0};
        check_content(c, walk.value, level, &here);
    }
}

static void check_content(struct stix_checking *c, const struct stix_json *value,
                          enum stix_level level, const struct stix_place *at)
{
    enum stix_json_type type = stix_json_type(value);
    if (type == STIX_JSON_NULL)
        stix_found(c, STIX_ERROR, "S-002", at, "null is not a value; leave the property out");
    else if (type == STIX_JSON_LIST || type == STIX_JSON_OBJECT)
        check_inside(c, value, level, at);
}

void stix_check_any(struct stix_checking *c, const struct stix_json *value,
                    const struct stix_place *at)
{
    check_content(c, value, STIX_ERROR, at);
}

/*
 * A custom property may not be empty itself; emptiness deep inside one is what published data sets
 * have, and nothing says which rules its content follows: a warning.
 */
static void check_custom_content(struct stix_checking *c, const struct stix_json *value,
                                 const struct stix_place *at)
{
    enum stix_json_type type = stix_json_type(value);
    bool many = type == STIX_JSON_LIST || type == STIX_JSON_OBJECT;
    if (!many || stix_check_filled(c, value, at))
        check_content(c, value, STIX_WARNING, at);
}

/* --- members no table knows --- */

/* Suffixes bind custom properties too (S-018): rows that say what they promise. */
static const struct {
    const char *suffix;
    struct stix_prop prop;
} suffixes[] = {
    {"_ref", {.name = "a _ref property", .value = STIX_IDENTIFIER, .rule = "S-018"}},
    {"_refs",
     {.name = "a _refs property", .value = STIX_IDENTIFIER, .shape = STIX_LIST, .rule = "S-018"}},
    {"_bin", {.name = "a _bin property", .form = &stix_form_binary}},
    {"_hex", {.name = "a _hex property", .form = &stix_form_hex}},
    {"_enc", {.name = "an _enc property", .form = &stix_form_charset}},
};

/* An _enc property without the one whose encoding it tells (S-018). */
static void check_enc_sibling(struct stix_checking *c, const struct stix_json *owner,
                              struct isg_str name, const struct stix_place *at)
{
    char sibling[256];
    if (name.n - 4 >= sizeof sibling)
        return;
    memcpy(sibling, name.p, name.n - 4);
    sibling[name.n - 4] = '\0';
    if (!stix_json_has(owner, sibling))
        stix_found(c, STIX_ERROR, "S-018", at,
                   "an _enc property stands without the property it describes");
}

void stix_check_custom(struct stix_checking *c, const struct stix_json *owner, const char *name,
                       const struct stix_json *value, const struct stix_place *at)
{
    struct isg_str text = isg_str_of(name);
    if (!stix_is_property_name(text))
        stix_found(c, STIX_ERROR, "S-017", at,
                   "a property name has 3 to 250 characters of a-z, 0-9 and _, first a letter");
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        if (!has_suffix(text, suffixes[i].suffix))
            continue;
        if (suffixes[i].prop.form == &stix_form_charset)
            check_enc_sibling(c, owner, text, at);
        stix_check_prop(c, &suffixes[i].prop, value, at);
        return;
    }
    check_custom_content(c, value, at);
}

/* --- shapes --- */

static void check_list(struct stix_checking *c, const struct stix_prop *prop,
                       const struct stix_json *value, const struct stix_place *at)
{
    if (stix_json_type(value) != STIX_JSON_LIST) {
        stix_found(c, STIX_ERROR, "S-130", at, "%s must be a list", prop->name);
        return;
    }
    (void)stix_check_filled(c, value, at);
    for (size_t i = 0; i < stix_json_size(value); i++) {
        struct stix_place here = {at, NULL, i};
        const struct stix_json *element = stix_json_at(value, i);
        if (element == NULL)
            stix_check_any(c, element, &here);
        else
            stix_check_value(c, prop, element, &here);
    }
}

/*
 * 2.0 had strings where 2.1 has lists of them (header fields of mail and HTTP) or integers (the
 * options of a socket).
 */
static bool is_20_string(const struct stix_checking *c, const struct stix_prop *prop,
                         const struct stix_json *value)
{
    return c->is_20 && stix_json_type(value) == STIX_JSON_STRING &&
           (prop->shape == STIX_DICT_OF_LIST || prop->value == STIX_INTEGER);
}

static void check_dict(struct stix_checking *c, const struct stix_prop *prop,
                       const struct stix_json *value, const struct stix_place *at)
{
    if (!stix_check_is_object(c, value, at, prop->name))
        return;
    (void)stix_check_filled(c, value, at);
    struct stix_json_walk walk;
    stix_json_walk(value, &walk);
    while (stix_json_next(&walk)) {
        struct stix_place here = {at, walk.name, 0};
        stix_check_key(c, walk.name, &here);
        if (walk.value == NULL || is_20_string(c, prop, walk.value))
            stix_check_any(c, walk.value, &here);
        else if (prop->shape == STIX_DICT_OF_LIST)
            check_list(c, prop, walk.value, &here);
        else
            stix_check_value(c, prop, walk.value, &here);
    }
}

void stix_check_prop(struct stix_checking *c, const struct stix_prop *prop,
                     const struct stix_json *value, const struct stix_place *at)
{
    if (value == NULL)
        stix_check_any(c, value, at);
    else if (prop->shape == STIX_ONE)
        stix_check_value(c, prop, value, at);
    else if (prop->shape == STIX_LIST)
        check_list(c, prop, value, at);
    else
        check_dict(c, prop, value, at);
}

/* --- own properties --- */

static void report_missing(struct stix_checking *c, const struct stix_prop *prop,
                           const struct stix_place *at)
{
    struct stix_place here = {at, prop->name, 0};
    const char *rule = prop->rule != NULL ? prop->rule : "S-130";
    if (prop->need == STIX_SHOULD)
        stix_found(c, STIX_WARNING, rule, &here, "%s should be present", prop->name);
    else
        stix_found(c, STIX_ERROR, rule, &here, "%s is required", prop->name);
}

static void check_absent(struct stix_checking *c, const struct stix_type *type, uint64_t seen,
                         const struct stix_place *at)
{
    for (size_t i = 0; i < type->n; i++)
        if ((seen & UINT64_C(1) << i) == 0 && type->props[i].need != STIX_OPTIONAL)
            report_missing(c, &type->props[i], at);
    if (seen == 0 && type->some != NULL)
        stix_found(c, STIX_ERROR, type->some, at, "at least one property of %s is required",
                   type->name);
}

/*
 * Row of the table for a member by the name it has now; in 2.0 some had another (S-141). *out_gone:
 * it is a property of 2.0 that 2.1 dropped, of whatever form.
 */
static int find_row(const struct stix_checking *c, const struct stix_type *type, const char *name,
                    bool *out_gone)
{
    const struct stix_renamed *row = NULL;
    *out_gone = false;
    if (type == NULL)
        return -1;
    if (c->is_20)
        row = stix_renamed_find(type->name, name);
    *out_gone = row != NULL && row->now == NULL;
    return *out_gone ? -1 : stix_prop_find(type, row != NULL ? row->now : name);
}

void stix_check_embedded(struct stix_checking *c, const struct stix_type *type,
                         const struct stix_json *value, const struct stix_place *at)
{
    if (!stix_check_is_object(c, value, at, type->name) || !stix_check_filled(c, value, at))
        return;
    uint64_t seen = 0;
    struct stix_json_walk walk;
    stix_json_walk(value, &walk);
    while (stix_json_next(&walk)) {
        struct stix_place here = {at, walk.name, 0};
        bool gone;
        int row = find_row(c, type, walk.name, &gone);
        if (row >= 0) {
            seen |= UINT64_C(1) << row;
            stix_check_prop(c, &type->props[row], walk.value, &here);
        } else if (gone) {
            stix_check_any(c, walk.value, &here);
        } else {
            stix_check_custom(c, value, walk.name, walk.value, &here);
            if (!c->advice)
                stix_found(c, STIX_WARNING, "S-084", &here, "%s does not define this property",
                           type->name);
        }
    }
    check_absent(c, type, seen, at);
    stix_check_rules(c, type, value, at);
}

/* --- objects --- */

static bool is_reserved(const char *name)
{
    static const char *const reserved[] = {"action", "phone_number", "severity", "username"};
    return stix_words_have(reserved, sizeof reserved / sizeof reserved[0], isg_str_of(name));
}

static void check_unknown(struct stix_checking *c, const struct stix_json *object, const char *name,
                          const struct stix_json *value, const struct stix_place *at)
{
    if (is_reserved(name))
        stix_found(c, STIX_ERROR, "S-030", at, "%s is a reserved property name", name);
    stix_check_custom(c, object, name, value, at);
    if (!c->names_free)
        stix_found(c, STIX_WARNING, "S-084", at,
                   "a custom property that no extension of the object defines");
}

static const char *forbidden_rule(const struct stix_checking *c, const struct stix_prop *prop)
{
    if (c->kind == STIX_KIND_SDO || strcmp(prop->name, "defanged") == 0)
        return "S-031";
    if (c->kind == STIX_KIND_MARKING)
        return "S-067";
    return c->kind == STIX_KIND_BUNDLE ? "S-086" : "S-031";
}

/* A common property; false when it is none for this kind, and so a custom one. */
static bool check_common(struct stix_checking *c, int row, const struct stix_json *value,
                         const struct stix_place *at)
{
    const struct stix_common *common = &stix_commons[row];
    char need = common->need[c->kind];
    if (need == 'c')
        return false;
    if (need == 'x')
        stix_found(c, STIX_ERROR, forbidden_rule(c, &common->prop), at,
                   "%s is not allowed on this type", common->prop.name);
    else
        stix_check_prop(c, &common->prop, value, at);
    return true;
}

static void check_commons_absent(struct stix_checking *c, uint64_t seen,
                                 const struct stix_place *at)
{
    for (size_t i = 0; i < stix_commons_n; i++) {
        const struct stix_prop *prop = &stix_commons[i].prop;
        struct stix_place here = {at, prop->name, 0};
        const char *rule = prop->rule != NULL ? prop->rule : "S-130";
        if ((seen & UINT64_C(1) << i) != 0 || stix_commons[i].need[c->kind] != '!')
            continue;
        if (prop->targets == &stix_to_identity)
            rule = "S-078"; /* the creator is required on an extension-definition only */
        stix_found(c, STIX_ERROR, rule, &here, "%s is required", prop->name);
    }
}

/* An extension counts as a process's own property (S-058). */
static void check_own_absent(struct stix_checking *c, uint64_t seen, const struct stix_place *at)
{
    bool extended = strcmp(c->type->name, "process") == 0 && stix_json_has(c->object, "extensions");
    if (seen == 0 && extended)
        return;
    check_absent(c, c->type, seen, at);
}

void stix_check_top(struct stix_checking *c, const struct stix_json *object,
                    const struct stix_place *at)
{
    uint64_t seen = 0;
    uint64_t seen_common = 0;
    size_t others = 0;
    struct stix_json_walk walk;
    stix_json_walk(object, &walk);
    while (stix_json_next(&walk)) {
        struct stix_place here = {at, walk.name, 0};
        bool gone;
        int row = find_row(c, c->type, walk.name, &gone);
        if (row >= 0) {
            seen |= UINT64_C(1) << row;
            stix_check_prop(c, &c->type->props[row], walk.value, &here);
            continue;
        }
        if (gone) {
            seen |= UINT64_C(1) << (STIX_TYPE_PROPS_MAX - 1); /* an own property all the same */
            stix_check_any(c, walk.value, &here);
            continue;
        }
        row = stix_common_find(walk.name);
        if (row >= 0 && check_common(c, row, walk.value, &here)) {
            seen_common |= UINT64_C(1) << row;
            continue;
        }
        others++;
        check_unknown(c, object, walk.name, walk.value, &here);
    }
    if (c->container == NULL)
        check_commons_absent(c, seen_common, at);
    if (c->type != NULL)
        check_own_absent(c, seen, at);
    else if (others == 0 && stix_extended_by(object).new_kind != STIX_KIND_UNKNOWN)
        stix_found(c, STIX_ERROR, "S-082", at, "a new type has at least one property of its own");
}
