/*
 * `extensions` of an object (S-077 to S-085): predefined ones against their tables, those of an
 * extension-definition by their extension_type; unknown content is carried, not judged (S-083).
 */
#include <string.h>

#include "stix/check_private.h"
#include "stix/extensions.h"
#include "stix/id.h"

static bool is_definition_key(const char *key)
{
    return isg_str_starts(isg_str_of(key), ISG_STR("extension-definition--"));
}

static enum stix_kind kind_of_word(struct isg_str word)
{
    if (isg_str_is(word, "new-sdo"))
        return STIX_KIND_SDO;
    if (isg_str_is(word, "new-sro"))
        return STIX_KIND_SRO;
    return isg_str_is(word, "new-sco") ? STIX_KIND_SCO : STIX_KIND_UNKNOWN;
}

struct stix_extended stix_extended_by(const struct stix_json *object)
{
    struct stix_extended extended = {STIX_KIND_UNKNOWN, false};
    struct stix_json_walk walk;
    stix_json_walk(stix_json_get(object, "extensions"), &walk);
    while (stix_json_next(&walk)) {
        struct isg_str word = stix_json_get_str(walk.value, "extension_type");
        if (!is_definition_key(walk.name))
            continue;
        if (extended.new_kind == STIX_KIND_UNKNOWN)
            extended.new_kind = kind_of_word(word);
        extended.toplevel = extended.toplevel || isg_str_is(word, "toplevel-property-extension");
    }
    return extended;
}

/* Properties inside an entry have names like any other, except under the top-level type. */
static void check_inside(struct stix_checking *c, const struct stix_json *entry,
                         const struct stix_place *at)
{
    bool toplevel =
        isg_str_is(stix_json_get_str(entry, "extension_type"), "toplevel-property-extension");
    struct stix_json_walk walk;
    stix_json_walk(entry, &walk);
    while (stix_json_next(&walk)) {
        struct stix_place here = {at, walk.name, 0};
        if (strcmp(walk.name, "extension_type") == 0)
            continue;
        if (toplevel)
            stix_found(c, STIX_ERROR, "S-081", &here,
                       "properties of a toplevel-property-extension stand at the top level");
        else if (!stix_is_property_name(isg_str_of(walk.name)))
            stix_found(c, STIX_ERROR, "S-081", &here,
                       "an extension's property name has 3 to 250 characters of a-z, 0-9 and _");
        stix_check_any(c, walk.value, &here);
    }
}

static bool stands_on(const struct stix_extension *extension, struct isg_str type)
{
    bool any = extension->on[0] == NULL;
    for (size_t i = 0; extension->on[i] != NULL; i++)
        any = any || isg_str_is(type, extension->on[i]);
    return any;
}

/*
 * The project's own, against their tables. Warnings: an older or newer gateway may write them
 * otherwise, and what is in an extension is carried whatever it is (S-083).
 */
static void check_own(struct stix_checking *c, const char *key, const struct stix_json *entry,
                      const struct stix_place *at)
{
    const struct stix_type *own = stix_own_extension_find(key);
    const struct stix_extension *extension = stix_extension_of(isg_str_of(key));
    if (own == NULL || extension == NULL)
        return;
    if (!stands_on(extension, stix_json_get_str(c->object, "type")))
        stix_found(c, STIX_WARNING, "S-081", at, "%s is not for this type", own->name);
    c->advice = true;
    stix_check_embedded(c, own, entry, at);
    c->advice = false;
}

/* An entry keyed by an extension-definition's id (S-080 to S-082). */
static void check_defined(struct stix_checking *c, const char *key, const struct stix_json *entry,
                          const struct stix_place *at)
{
    struct stix_place here = {at, "extension_type", 0};
    struct isg_str word = stix_json_get_str(entry, "extension_type");
    if (!stix_id_split(isg_str_of(key), NULL, NULL))
        stix_found(c, STIX_ERROR, "S-079", at, "the key is not an extension-definition's id");
    if (!stix_check_is_object(c, entry, at, "an extension"))
        return;
    if (stix_json_size(entry) == 0) {
        stix_found(c, STIX_ERROR, "S-080", at, "an extension is not empty");
        return;
    }
    if (!stix_vocab_has(&stix_vocab_extension_type, word))
        stix_found(c, STIX_ERROR, "S-080", &here, "extension_type is missing or not one of %s",
                   stix_vocab_extension_type.name);
    else if (c->type != NULL && kind_of_word(word) != STIX_KIND_UNKNOWN)
        stix_found(c, STIX_ERROR, "S-082", &here,
                   "an extension for a new type stands on a type of the standard");
    check_inside(c, entry, at);
    check_own(c, key, entry, at);
}

/* A predefined one (S-064): on its own type only, and without extension_type. */
static void check_predefined(struct stix_checking *c, const struct stix_type *extension,
                             const struct stix_json *entry, const struct stix_place *at)
{
    struct stix_place here = {at, "extension_type", 0};
    if (c->type == NULL || strcmp(c->type->name, extension->extends) != 0)
        stix_found(c, STIX_ERROR, "S-064", at, "%s stands on %s only", extension->name,
                   extension->extends);
    if (stix_json_has(entry, "extension_type"))
        stix_found(c, STIX_ERROR, "S-064", &here, "a predefined extension has no extension_type");
    stix_check_embedded(c, extension, entry, at);
}

static void check_entry(struct stix_checking *c, const char *key, const struct stix_json *entry,
                        const struct stix_place *at)
{
    const struct stix_type *extension = stix_extension_find(key);
    if (entry == NULL)
        stix_check_any(c, entry, at);
    else if (is_definition_key(key))
        check_defined(c, key, entry, at);
    else if (extension != NULL)
        check_predefined(c, extension, entry, at);
    else if (stix_check_is_object(c, entry, at, "an extension")) {
        stix_found(c, STIX_WARNING, "S-079", at,
                   "the key is neither an extension-definition's id nor a predefined name");
        stix_check_any(c, entry, at);
    }
}

void stix_check_extensions(struct stix_checking *c, const struct stix_json *value,
                           const struct stix_place *at)
{
    stix_check_members(c, value, at, "extensions", check_entry);
}
