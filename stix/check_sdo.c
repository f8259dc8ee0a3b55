/*
 * Functions of the rule table for domain and relationship objects and what is embedded in them.
 */
#include "stix/chars.h"
#include "stix/check_private.h"
#include "stix/id.h"

/* --- external-reference (S-020, S-021) --- */

static bool is_digits(struct isg_str s, size_t at_least)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_digit(s.p[i]))
            return false;
    return s.n >= at_least;
}

/* CVE-, four digits of a year, a hyphen, four digits or more. */
static bool is_cve(struct isg_str id)
{
    return id.n >= 13 && isg_str_starts(id, ISG_STR("CVE-")) && id.p[8] == '-' &&
           is_digits((struct isg_str){id.p + 4, 4}, 4) && is_digits(isg_str_from(id, 9), 4);
}

static bool is_capec(struct isg_str id)
{
    return isg_str_starts(id, ISG_STR("CAPEC-")) && is_digits(isg_str_from(id, 6), 1);
}

static void check_known_source(struct stix_checking *c, const struct stix_json *value,
                               const struct stix_place *at)
{
    struct isg_str source = stix_json_get_str(value, "source_name");
    struct isg_str id = stix_json_get_str(value, "external_id");
    struct stix_place here = {at, "external_id", 0};
    if (isg_str_is(source, "cve") && !is_cve(id))
        stix_found(c, STIX_ERROR, "S-021", &here, "external_id of source cve is not a CVE id");
    if (isg_str_is(source, "capec") && !is_capec(id))
        stix_found(c, STIX_ERROR, "S-021", &here, "external_id of source capec is not a CAPEC id");
}

void stix_rule_external_reference(struct stix_checking *c, const struct stix_json *value,
                                  const struct stix_place *at)
{
    bool url = stix_json_has(value, "url");
    if (!url && !stix_json_has(value, "description") && !stix_json_has(value, "external_id"))
        stix_found(c, STIX_ERROR, "S-020", at,
                   "at least one of description, url and external_id is required");
    if (url && !stix_json_has(stix_json_get(value, "hashes"), "SHA-256"))
        stix_found(c, STIX_WARNING, "S-020", at, "a url should come with its SHA-256 in hashes");
    check_known_source(c, value, at);
}

/* --- domain objects --- */

void stix_rule_location(struct stix_checking *c, const struct stix_json *value,
                        const struct stix_place *at)
{
    bool coordinates = stix_json_has(value, "latitude") && stix_json_has(value, "longitude");
    if (!coordinates && !stix_json_has(value, "region") && !stix_json_has(value, "country"))
        stix_found(c, STIX_ERROR, "S-042", at,
                   "at least one of region, country, and latitude with longitude is required");
}

void stix_rule_malware(struct stix_checking *c, const struct stix_json *value,
                       const struct stix_place *at)
{
    struct stix_place here = {at, "name", 0};
    if (stix_json_bool(stix_json_get(value, "is_family")) && !stix_json_has(value, "name"))
        stix_found(c, STIX_ERROR, "S-037", &here, "a malware family needs a name");
}

/* At least one observable among the references; a custom type may be one (S-040). */
void stix_rule_observed_data(struct stix_checking *c, const struct stix_json *value,
                             const struct stix_place *at)
{
    const struct stix_json *refs = stix_json_get(value, "object_refs");
    struct stix_place here = {at, "object_refs", 0};
    for (size_t i = 0; i < stix_json_size(refs); i++) {
        struct isg_str type;
        if (!stix_id_split(stix_json_str(stix_json_at(refs, i)), &type, NULL))
            return;
        enum stix_kind kind = stix_type_kind(type);
        if (kind == STIX_KIND_SCO || kind == STIX_KIND_UNKNOWN)
            return;
    }
    if (stix_json_size(refs) > 0)
        stix_found(c, STIX_ERROR, "S-040", &here, "object_refs holds no observable");
}

/* --- relationship (S-053) --- */

void stix_rule_relationship(struct stix_checking *c, const struct stix_json *value,
                            const struct stix_place *at)
{
    struct stix_place here = {at, "relationship_type", 0};
    struct isg_str name = stix_json_get_str(value, "relationship_type");
    struct isg_str source;
    struct isg_str target;
    if (name.p == NULL || !stix_id_split(stix_json_get_str(value, "source_ref"), &source, NULL) ||
        !stix_id_split(stix_json_get_str(value, "target_ref"), &target, NULL))
        return;
    if (stix_type_find(source) != NULL && stix_type_find(target) != NULL &&
        !stix_relation_is_defined(source, name, target))
        stix_found(c, STIX_WARNING, "S-053", &here,
                   "this relation is not defined between these two types");
}

/* --- extension-definition (S-078) --- */

static bool list_has(const struct stix_json *list, const char *word)
{
    for (size_t i = 0; i < stix_json_size(list); i++)
        if (isg_str_is(stix_json_str(stix_json_at(list, i)), word))
            return true;
    return false;
}

void stix_rule_extension_definition(struct stix_checking *c, const struct stix_json *value,
                                    const struct stix_place *at)
{
    struct stix_place here = {at, "extension_properties", 0};
    bool toplevel =
        list_has(stix_json_get(value, "extension_types"), "toplevel-property-extension");
    bool named = stix_json_has(value, "extension_properties");
    if (named && !toplevel)
        stix_found(c, STIX_ERROR, "S-078", &here,
                   "extension_properties needs the type toplevel-property-extension");
    if (toplevel && !named)
        stix_found(c, STIX_WARNING, "S-078", &here,
                   "extension_properties should name the top-level properties");
}
