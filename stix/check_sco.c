/*
 * Functions of the rule table for observables and their predefined extensions.
 */
#include "stix/check_private.h"

/* S-056: a body in parts or in one, as is_multipart says. */
void stix_rule_email(struct stix_checking *c, const struct stix_json *value,
                     const struct stix_place *at)
{
    const struct stix_json *flag = stix_json_get(value, "is_multipart");
    if (stix_json_type(flag) != STIX_JSON_BOOL)
        return;
    const char *wrong = stix_json_bool(flag) ? "body" : "body_multipart";
    struct stix_place here = {at, wrong, 0};
    if (stix_json_has(value, wrong))
        stix_found(c, STIX_ERROR, "S-056", &here, "is_multipart forbids %s", wrong);
}

/* S-057: traffic that has ended is not active. */
void stix_rule_traffic(struct stix_checking *c, const struct stix_json *value,
                       const struct stix_place *at)
{
    struct stix_place here = {at, "is_active", 0};
    if (stix_json_has(value, "end") && stix_json_bool(stix_json_get(value, "is_active")))
        stix_found(c, STIX_ERROR, "S-057", &here, "traffic with an end is not active");
}

/* S-064: pe_type alone says nothing. */
void stix_rule_pe_binary(struct stix_checking *c, const struct stix_json *value,
                         const struct stix_place *at)
{
    if (stix_json_has(value, "pe_type") && stix_json_size(value) == 1)
        stix_found(c, STIX_ERROR, "S-064", at, "at least one property beside pe_type is required");
}
