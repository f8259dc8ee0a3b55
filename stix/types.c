#include "stix/types.h"

#include "stix/types_table.h"

/*
 * Section 2 of the rules, its table turned: a letter for each kind, in the order of enum
 * stix_kind: none, SDO, SRO, SCO, extension-definition, language-content, marking-definition,
 * bundle.
 *
 * '!' required, '?' optional, 'x' forbidden by text (S-031, S-067, S-086), 'c' not defined for the
 * kind, so there it is somebody's custom property (S-084).
 */
// clang-format off
const struct stix_common stix_commons[] = {
    {{.name = "confidence", .value = STIX_INTEGER, .min = 0, .max = 100, .rule = "S-027"}, " ??cx?cc"},
    {{.name = "created", .value = STIX_VERSION_TIME},                                      " !!c!!!x"},
    {{.name = "created_by_ref", .value = STIX_IDENTIFIER, .targets = &stix_to_identity,
      .rule = "S-025"},                                                                    " ??c!??c"},
    {{.name = "defanged", .value = STIX_BOOLEAN, .rule = "S-031"},                         " xx?xxxx"},
    {{.name = "extensions", .value = STIX_EXTENSIONS},                                     " ???x??c"},
    {{.name = "external_references", .value = STIX_EMBEDDED, .shape = STIX_LIST,
      .object = &stix_external_reference},                                                 " ??c???c"},
    {{.name = "granular_markings", .value = STIX_EMBEDDED, .shape = STIX_LIST,
      .object = &stix_granular_marking},                                                   " ??????x"},
    {{.name = "id", .value = STIX_OWN_ID, .rule = "S-013"},                                " !!!!!!!"},
    {{.name = "labels", .shape = STIX_LIST},                                               " ??c??xc"},
    {{.name = "lang", .form = &stix_form_language},                                        " ??cxccc"},
    {{.name = "modified", .value = STIX_VERSION_TIME},                                     " !!c!!xc"},
    {{.name = "object_marking_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST,
      .targets = &stix_to_marking, .rule = "S-025"},                                       " ??????x"},
    {{.name = "revoked", .value = STIX_BOOLEAN},                                           " ??c??xc"},
    {{.name = "spec_version", .value = STIX_SPEC_VERSION, .rule = "S-024"},                " !!?!!!c"},
    {{.name = "type", .value = STIX_OWN_TYPE, .rule = "S-023"},                            " !!!!!!!"},
};
// clang-format on
const size_t stix_commons_n = sizeof stix_commons / sizeof stix_commons[0];

/* As strcmp. The tables are searched for every member, and most names differ in the first bytes. */
static int compare(struct isg_str name, const char *row)
{
    size_t i = 0;
    while (i < name.n && row[i] != '\0' && name.p[i] == row[i])
        i++;
    if (i == name.n)
        return row[i] == '\0' ? 0 : -1;
    return (unsigned char)name.p[i] < (unsigned char)row[i] ? -1 : 1;
}

int stix_common_find(const char *name)
{
    struct isg_str text = isg_str_of(name);
    size_t low = 0;
    size_t high = stix_commons_n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = compare(text, stix_commons[mid].prop.name);
        if (order == 0)
            return (int)mid;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return -1;
}

int stix_prop_find(const struct stix_type *type, const char *name)
{
    struct isg_str text = isg_str_of(name);
    size_t low = 0;
    size_t high = type->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = compare(text, type->props[mid].name);
        if (order == 0)
            return (int)mid;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return -1;
}

static const struct stix_type *find(const struct stix_type *types, size_t n, struct isg_str name)
{
    size_t low = 0;
    size_t high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = compare(name, types[mid].name);
        if (order == 0)
            return &types[mid];
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

const struct stix_type *stix_type_find(struct isg_str name)
{
    const struct stix_type *type = find(stix_sdo_types, stix_sdo_types_n, name);
    if (type == NULL)
        type = find(stix_sco_types, stix_sco_types_n, name);
    return type != NULL ? type : find(stix_meta_types, stix_meta_types_n, name);
}

enum stix_kind stix_type_kind(struct isg_str name)
{
    const struct stix_type *type = stix_type_find(name);
    return type != NULL ? type->kind : STIX_KIND_UNKNOWN;
}

const struct stix_type *stix_extension_find(const char *name)
{
    return find(stix_extension_types, stix_extension_types_n, isg_str_of(name));
}

bool stix_targets_admit(const struct stix_targets *targets, struct isg_str type)
{
    for (size_t i = 0; i < STIX_TARGETS_MAX && targets->types[i] != NULL; i++)
        if (isg_str_is(type, targets->types[i]))
            return true;
    return targets->kinds != 0 && (targets->kinds & STIX_KIND_BIT(stix_type_kind(type))) != 0;
}
