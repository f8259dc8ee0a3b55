/*
 * Single values against their row (section 1 of the rules).
 */
#include <string.h>

#include "stix/base/time.h"
#include "stix/chars.h"
#include "stix/check_private.h"
#include "stix/id.h"

enum { NAME_MIN = 3, NAME_MAX = 250, VERSION_DIGITS = 3 };

static const char *rule_of(const struct stix_prop *prop)
{
    return prop->rule != NULL ? prop->rule : "S-130";
}

bool stix_is_property_name(struct isg_str name)
{
    if (name.n < NAME_MIN || name.n > NAME_MAX || !is_lower(name.p[0]))
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (!is_lower(name.p[i]) && !is_digit(name.p[i]) && name.p[i] != '_')
            return false;
    return true;
}

void stix_check_key(struct stix_checking *c, const char *key, const struct stix_place *at)
{
    size_t n = strlen(key);
    bool fits = n > 0 && n <= NAME_MAX;
    for (size_t i = 0; i < n; i++)
        fits = fits && (is_alnum(key[i]) || key[i] == '_' || key[i] == '-');
    if (!fits)
        stix_found(c, STIX_ERROR, "S-015", at,
                   "a dictionary key has 1 to 250 characters of A-Z, a-z, 0-9, _ and -");
}

void stix_advise_key(struct stix_checking *c, const char *key, const struct stix_place *at)
{
    if (strpbrk(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL)
        stix_found(c, STIX_WARNING, "S-015", at, "a dictionary key should be lower case");
}

bool stix_check_is_object(struct stix_checking *c, const struct stix_json *value,
                          const struct stix_place *at, const char *name)
{
    if (stix_json_type(value) == STIX_JSON_OBJECT)
        return true;
    stix_found(c, STIX_ERROR, "S-130", at, "%s must be an object", name);
    return false;
}

static bool is_string(struct stix_checking *c, const struct stix_prop *prop,
                      const struct stix_json *value, const struct stix_place *at)
{
    if (stix_json_type(value) == STIX_JSON_STRING)
        return true;
    stix_found(c, STIX_ERROR, "S-004", at, "%s must be a string", prop->name);
    return false;
}

static void check_form(struct stix_checking *c, const struct stix_prop *prop, struct isg_str text,
                       const struct stix_place *at)
{
    const struct stix_form *form = prop->form;
    if (!form->fits(text))
        stix_found(c, form->level, form->rule, at, "%s %s", prop->name, form->message);
    else if (form->advised != NULL && !form->advised(text))
        stix_found(c, STIX_WARNING, form->rule, at, "%s %s", prop->name, form->advice);
}

static void check_word(struct stix_checking *c, const struct stix_prop *prop, struct isg_str text,
                       const struct stix_place *at)
{
    if (stix_vocab_has(prop->vocab, text))
        return;
    if (prop->vocab->closed)
        stix_found(c, STIX_ERROR, prop->rule != NULL ? prop->rule : "S-019", at,
                   "%s is not one of %s", prop->name, prop->vocab->name);
    else
        stix_found(c, STIX_WARNING, "S-019", at, "%s is not one of %s", prop->name,
                   prop->vocab->name);
}

static void check_string(struct stix_checking *c, const struct stix_prop *prop,
                         const struct stix_json *value, const struct stix_place *at)
{
    if (!is_string(c, prop, value, at))
        return;
    if (prop->form != NULL)
        check_form(c, prop, stix_json_str(value), at);
    if (prop->vocab != NULL)
        check_word(c, prop, stix_json_str(value), at);
}

static void check_boolean(struct stix_checking *c, const struct stix_prop *prop,
                          const struct stix_json *value, const struct stix_place *at)
{
    if (stix_json_type(value) != STIX_JSON_BOOL)
        stix_found(c, STIX_ERROR, "S-004", at, "%s must be true or false", prop->name);
}

static void check_integer(struct stix_checking *c, const struct stix_prop *prop,
                          const struct stix_json *value, const struct stix_place *at)
{
    int64_t n;
    if (!stix_json_int(value, &n))
        stix_found(c, STIX_ERROR, "S-005", at, "%s must be an integer within +-(2^53-1)",
                   prop->name);
    else if (prop->min < prop->max && (n < prop->min || n > prop->max))
        stix_found(c, STIX_ERROR, prop->rule != NULL ? prop->rule : "S-005", at,
                   "%s is not within its range", prop->name);
}

static void check_float(struct stix_checking *c, const struct stix_prop *prop,
                        const struct stix_json *value, const struct stix_place *at)
{
    double x;
    if (!stix_json_float(value, &x))
        stix_found(c, STIX_ERROR, "S-006", at, "%s must be a number", prop->name);
    else if (prop->min < prop->max && (x < (double)prop->min || x > (double)prop->max))
        stix_found(c, STIX_ERROR, rule_of(prop), at, "%s is not within its range", prop->name);
}

static void check_int_or_string(struct stix_checking *c, const struct stix_prop *prop,
                                const struct stix_json *value, const struct stix_place *at)
{
    int64_t n;
    if (stix_json_type(value) != STIX_JSON_STRING && !stix_json_int(value, &n))
        stix_found(c, STIX_ERROR, "S-130", at, "%s holds integers and strings", prop->name);
}

static void check_timestamp(struct stix_checking *c, const struct stix_prop *prop,
                            const struct stix_json *value, const struct stix_place *at)
{
    struct isg_str text = stix_json_str(value);
    int64_t us;
    if (!isg_time_parse(text, &us)) {
        stix_found(c, STIX_ERROR, "S-007", at, "%s is not a timestamp YYYY-MM-DDThh:mm:ss[.s]Z",
                   prop->name);
        return;
    }
    if (isg_str_is((struct isg_str){text.p + 17, 2}, "60"))
        stix_found(c, STIX_WARNING, "S-010", at, "%s is a leap second", prop->name);
    if (prop->value == STIX_VERSION_TIME && c->is_20 && isg_time_digits(text) != VERSION_DIGITS)
        stix_found(c, STIX_ERROR, "S-133", at, "%s has exactly three fractional digits in STIX 2.0",
                   prop->name);
    else if (prop->value == STIX_VERSION_TIME && isg_time_digits(text) < VERSION_DIGITS)
        stix_found(c, STIX_ERROR, "S-009", at, "%s needs at least three fractional digits",
                   prop->name);
    if (prop->form != NULL)
        check_form(c, prop, text, at);
}

/* In the old container a reference is a key of it (S-041). */
static bool container_type(struct stix_checking *c, const struct stix_prop *prop,
                           struct isg_str key, const struct stix_place *at,
                           struct isg_str *out_type)
{
    char name[NAME_MAX + 1];
    const struct stix_json *target = NULL;
    if (key.n < sizeof name) {
        memcpy(name, key.p, key.n);
        name[key.n] = '\0';
        target = stix_json_get(c->container, name);
    }
    if (target == NULL) {
        stix_found(c, STIX_ERROR, "S-041", at, "%s is not a key of the same container", prop->name);
        return false;
    }
    *out_type = stix_json_get_str(target, "type");
    return true;
}

static void check_identifier(struct stix_checking *c, const struct stix_prop *prop,
                             const struct stix_json *value, const struct stix_place *at)
{
    struct isg_str type = {NULL, 0};
    if (!is_string(c, prop, value, at))
        return;
    bool markings = prop->targets == &stix_to_marking || prop->targets == &stix_to_identity;
    if (c->container != NULL && !markings) {
        if (!container_type(c, prop, stix_json_str(value), at, &type))
            return;
    } else if (prop->targets == NULL && stix_json_str(value).n == 0) {
        /* Custom properties (S-018); published data sets leave some of them empty. */
        stix_found(c, STIX_WARNING, "S-018", at, "%s is empty", prop->name);
        return;
    } else if (!stix_id_split(stix_json_str(value), &type, NULL)) {
        stix_found(c, STIX_ERROR, "S-013", at, "%s is not an identifier type--uuid", prop->name);
        return;
    }
    if (prop->targets != NULL && !stix_targets_admit(prop->targets, type))
        stix_found(c, STIX_ERROR, c->container != NULL ? "S-041" : rule_of(prop), at, "%s %s",
                   prop->name, prop->targets->message);
}

static void check_own_id(struct stix_checking *c, const struct stix_prop *prop,
                         const struct stix_json *value, const struct stix_place *at)
{
    struct isg_str type;
    struct isg_str uuid;
    int version = 0;
    if (!is_string(c, prop, value, at))
        return;
    if (!stix_id_split(stix_json_str(value), &type, &uuid)) {
        stix_found(c, STIX_ERROR, "S-013", at, "id is not an identifier type--uuid");
        return;
    }
    if (!isg_str_eq(type, stix_json_get_str(c->object, "type")))
        stix_found(c, STIX_ERROR, "S-023", at, "the type in id is not the object's type");
    (void)isg_uuid_is_valid(uuid, &version);
    if (c->kind != STIX_KIND_SCO && version != 4)
        stix_found(c, STIX_WARNING, "S-014", at, "id should hold a UUID of version 4");
}

static void check_spec_version(struct stix_checking *c, const struct stix_prop *prop,
                               const struct stix_json *value, const struct stix_place *at)
{
    struct isg_str text = stix_json_str(value);
    if (isg_str_is(text, "2.0"))
        stix_found(c, STIX_ERROR, "S-024", at, "this is a STIX 2.0 object: spec_version is 2.0");
    else if (!isg_str_is(text, "2.1"))
        stix_found(c, STIX_ERROR, "S-024", at, "%s must be the string 2.1", prop->name);
}

void stix_check_value(struct stix_checking *c, const struct stix_prop *prop,
                      const struct stix_json *value, const struct stix_place *at)
{
    switch (prop->value) {
    case STIX_STRING: check_string(c, prop, value, at); break;
    case STIX_ANY: stix_check_any(c, value, at); break;
    case STIX_BOOLEAN: check_boolean(c, prop, value, at); break;
    case STIX_INTEGER: check_integer(c, prop, value, at); break;
    case STIX_FLOAT: check_float(c, prop, value, at); break;
    case STIX_INT_OR_STRING: check_int_or_string(c, prop, value, at); break;
    case STIX_TIMESTAMP:
    case STIX_VERSION_TIME: check_timestamp(c, prop, value, at); break;
    case STIX_IDENTIFIER: check_identifier(c, prop, value, at); break;
    case STIX_HASHES: stix_check_hashes(c, value, at); break;
    case STIX_EMBEDDED: stix_check_embedded(c, prop->object, value, at); break;
    case STIX_CONTAINER: stix_check_container(c, value, at); break;
    case STIX_EXTENSIONS: stix_check_extensions(c, value, at); break;
    case STIX_CONTENTS: stix_check_contents(c, value, at); break;
    case STIX_SELECTOR:
        if (is_string(c, prop, value, at))
            stix_check_selector(c, stix_json_str(value), at);
        break;
    case STIX_SPEC_VERSION: check_spec_version(c, prop, value, at); break;
    case STIX_OWN_TYPE: break;
    case STIX_OWN_ID: check_own_id(c, prop, value, at); break;
    case STIX_DEFINITION: stix_check_definition(c, value, at); break;
    case STIX_BUNDLE_CONTENT: stix_check_bundle_element(c, value, at); break;
    }
}
