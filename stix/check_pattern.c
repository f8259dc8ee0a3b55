/*
 * An indicator's pattern: checked as a STIX pattern when pattern_type says so (S-036).
 */
#include "stix/check_private.h"
#include "stix/pattern.h"

void stix_rule_indicator(struct stix_checking *c, const struct stix_json *value,
                         const struct stix_place *at)
{
    struct stix_place here = {at, "pattern", 0};
    struct isg_str pattern = stix_json_get_str(value, "pattern");
    struct isg_str version = stix_json_get_str(value, "pattern_version");
    struct isg_fail why;
    if (pattern.p == NULL || !isg_str_is(stix_json_get_str(value, "pattern_type"), "stix"))
        return;
    if (stix_pattern_check(pattern,
                           isg_str_is(version, "2.0") ? STIX_PATTERN_2_0 : STIX_PATTERN_2_1,
                           &why) != ISG_OK)
        stix_found(c, STIX_ERROR, "S-036", &here, "%s", why.text);
}
