/*
 * Markings: the frozen TLP objects, definitions, and selectors (S-067 to S-074).
 */
#include <string.h>

#include "stix/base/buf.h"
#include "stix/chars.h"
#include "stix/check_private.h"
#include "stix/id.h"
#include "stix/marking.h"

static const char tlp_2_extension[] = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";

/* --- definitions (S-068) --- */

static const struct stix_prop statement_props[] = {
    {.name = "statement", .need = STIX_REQUIRED, .rule = "S-068"}};
static const struct stix_prop tlp_props[] = {
    {.name = "tlp", .need = STIX_REQUIRED, .rule = "S-068", .vocab = &stix_vocab_tlp}};
static const struct stix_type statement = {.name = "a statement marking",
                                           STIX_PROPS(statement_props)};
static const struct stix_type tlp = {.name = "a tlp marking", STIX_PROPS(tlp_props)};

void stix_check_definition(struct stix_checking *c, const struct stix_json *value,
                           const struct stix_place *at)
{
    struct isg_str type = stix_json_get_str(c->object, "definition_type");
    if (isg_str_is(type, "statement"))
        stix_check_embedded(c, &statement, value, at);
    else if (isg_str_is(type, "tlp"))
        stix_check_embedded(c, &tlp, value, at);
    else if (stix_check_is_object(c, value, at, "definition"))
        stix_check_any(c, value, at);
}

/* --- TLP (S-069, S-070) --- */

/* Without memory the answer is yes and the check has failed. */
static bool is_canon(struct stix_checking *c, const struct stix_json *object, const char *text)
{
    struct isg_buf canon;
    isg_buf_init(&canon, 4096);
    stix_json_canon(object, &canon);
    bool same = canon.err == ISG_OK && isg_str_is(isg_buf_str(&canon), text);
    if (canon.err == ISG_ENOMEM) {
        c->err = ISG_ENOMEM;
        same = true;
    }
    isg_buf_done(&canon);
    return same;
}

/* The level an object claims by the extension of TLP 2.0; empty when it does not. */
static struct isg_str claimed_level(const struct stix_json *object)
{
    struct stix_json_walk walk;
    stix_json_walk(stix_json_get(object, "extensions"), &walk);
    while (stix_json_next(&walk))
        if (stix_id_cmp(isg_str_of(walk.name), isg_str_of(tlp_2_extension)) == 0)
            return stix_json_get_str(walk.value, "tlp_2_0");
    return (struct isg_str){NULL, 0};
}

static void check_tlp_1(struct stix_checking *c, const struct stix_json *object, const char *frozen,
                        const struct stix_place *at)
{
    if (frozen == NULL || !is_canon(c, object, frozen))
        stix_found(c, STIX_ERROR, "S-069", at,
                   "this is not one of the four TLP marking-definitions of the standard");
}

/* Copies of TLP 2.0 differ in their creator and references: id, level and date decide. */
static void check_tlp_2(struct stix_checking *c, const struct stix_json *object,
                        struct isg_str claim, const struct stix_place *at)
{
    struct isg_str id = stix_json_get_str(object, "id");
    const char *frozen = stix_tlp_object(id);
    if (frozen == NULL || !isg_str_is(claim, stix_tlp_name(stix_tlp_of_marking(id))) ||
        stix_json_has(object, "definition_type") ||
        !isg_str_is(stix_json_get_str(object, "created"), "2022-10-01T00:00:00.000Z"))
        stix_found(c, STIX_ERROR, "S-070", at,
                   "this is not one of the five TLP 2.0 marking-definitions");
}

bool stix_is_tlp_1(struct isg_str marking_id)
{
    const char *frozen = stix_tlp_object(marking_id);
    return frozen != NULL && strstr(frozen, "\"definition_type\":\"tlp\"") != NULL;
}

static void check_tlp(struct stix_checking *c, const struct stix_json *object,
                      const struct stix_place *at)
{
    struct isg_str id = stix_json_get_str(object, "id");
    const char *frozen = stix_tlp_object(id);
    struct isg_str claim = claimed_level(object);
    if (stix_is_tlp_1(id) || isg_str_is(stix_json_get_str(object, "definition_type"), "tlp"))
        check_tlp_1(c, object, frozen, at);
    else if (frozen != NULL || claim.p != NULL)
        check_tlp_2(c, object, claim, at);
}

/* --- marking-definition (S-067, S-072) --- */

static void check_not_itself(struct stix_checking *c, struct isg_str ref,
                             const struct stix_place *at)
{
    if (ref.p != NULL && stix_id_cmp(ref, stix_json_get_str(c->object, "id")) == 0)
        stix_found(c, STIX_ERROR, "S-072", at, "a marking does not mark itself");
}

void stix_check_own_markings(struct stix_checking *c, const struct stix_json *value,
                             const struct stix_place *at)
{
    const struct stix_json *refs = stix_json_get(value, "object_marking_refs");
    const struct stix_json *granular = stix_json_get(value, "granular_markings");
    struct stix_place refs_place = {at, "object_marking_refs", 0};
    struct stix_place granular_place = {at, "granular_markings", 0};
    for (size_t i = 0; i < stix_json_size(refs); i++) {
        struct stix_place here = {&refs_place, NULL, i};
        check_not_itself(c, stix_json_str(stix_json_at(refs, i)), &here);
    }
    for (size_t i = 0; i < stix_json_size(granular); i++) {
        struct stix_place entry = {&granular_place, NULL, i};
        struct stix_place here = {&entry, "marking_ref", 0};
        check_not_itself(c, stix_json_get_str(stix_json_at(granular, i), "marking_ref"), &here);
    }
}

void stix_rule_marking(struct stix_checking *c, const struct stix_json *value,
                       const struct stix_place *at)
{
    bool type = stix_json_has(value, "definition_type");
    bool definition = stix_json_has(value, "definition");
    if (!stix_json_has(value, "extensions") && !(type && definition))
        stix_found(c, STIX_ERROR, "S-067", at,
                   "definition_type and definition are required where no extension stands");
    check_tlp(c, value, at);
    stix_check_own_markings(c, value, at);
}

/* --- selectors (S-074) --- */

/* `[n]`: a decimal index as a component of its own. */
static bool read_index(struct isg_str part, uint64_t *out_index)
{
    return part.n >= 3 && part.p[0] == '[' && part.p[part.n - 1] == ']' &&
           isg_str_to_u64((struct isg_str){part.p + 1, part.n - 2}, UINT32_MAX, out_index);
}

static bool is_component(struct isg_str part)
{
    uint64_t index;
    if (read_index(part, &index))
        return true;
    for (size_t i = 0; i < part.n; i++)
        if (!is_alnum(part.p[i]) && part.p[i] != '_' && part.p[i] != '-')
            return false;
    return part.n > 0;
}

/* Step down by one component; NULL when it leads nowhere. */
static const struct stix_json *step(const struct stix_json *value, struct isg_str part)
{
    char name[256];
    uint64_t index;
    if (read_index(part, &index))
        return stix_json_at(value, (size_t)index);
    if (part.n >= sizeof name)
        return NULL;
    memcpy(name, part.p, part.n);
    name[part.n] = '\0';
    return stix_json_get(value, name);
}

void stix_check_selector(struct stix_checking *c, struct isg_str selector,
                         const struct stix_place *at)
{
    const struct stix_json *value = c->object;
    struct isg_str part;
    struct isg_str rest = selector;
    while (isg_str_split(&rest, '.', &part)) {
        if (!is_component(part)) {
            stix_found(c, STIX_ERROR, "S-074", at, "a selector is names and [n] joined by dots");
            return;
        }
        value = step(value, part);
        if (value == NULL) {
            stix_found(c, STIX_ERROR, "S-074", at, "the selector points at nothing here");
            return;
        }
    }
}
