/*
 * Rules that span properties: one table, a row a rule, sorted by the type it stands on.
 */
#include <string.h>

#include "stix/base/time.h"
#include "stix/check_private.h"

enum rule_kind {
    AFTER,       /* a is strictly later than b */
    NOT_BEFORE,  /* a is not earlier than b */
    NEEDS,       /* a is there only with b */
    ANY_OF,      /* a or b or both */
    EXACTLY_ONE, /* a or b, not both */
    CALL         /* a function, because no row can say it */
};

struct rule {
    const char *type;
    const char *section;
    enum rule_kind kind;
    const char *a;
    const char *b;
    stix_rule_fn *call;
};

/* clang-format off */
static const struct rule rules[] = {
    {"artifact",              "S-054", EXACTLY_ONE, "payload_bin", "url", NULL},
    {"artifact",              "S-054", NEEDS,       "url", "hashes", NULL},
    {"artifact",              "S-054", NEEDS,       "decryption_key", "encryption_algorithm", NULL},
    {"campaign",              "S-034", NOT_BEFORE,  "last_seen", "first_seen", NULL},
    {"email-message",         "S-056", CALL,        NULL, NULL, stix_rule_email},
    {"extension-definition",  "S-078", CALL,        NULL, NULL, stix_rule_extension_definition},
    {"external-reference",    "S-020", CALL,        NULL, NULL, stix_rule_external_reference},
    {"file",                  "S-055", ANY_OF,      "hashes", "name", NULL},
    {"file",                  "S-018", NEEDS,       "name_enc", "name", NULL},
    {"granular-marking",      "S-073", EXACTLY_ONE, "marking_ref", "lang", NULL},
    {"indicator",             "S-035", AFTER,       "valid_until", "valid_from", NULL},
    {"indicator",             "S-036", CALL,        NULL, NULL, stix_rule_indicator},
    {"infrastructure",        "S-034", NOT_BEFORE,  "last_seen", "first_seen", NULL},
    {"intrusion-set",         "S-034", NOT_BEFORE,  "last_seen", "first_seen", NULL},
    {"location",              "S-042", CALL,        NULL, NULL, stix_rule_location},
    {"location",              "S-043", NEEDS,       "latitude", "longitude", NULL},
    {"location",              "S-043", NEEDS,       "longitude", "latitude", NULL},
    {"location",              "S-043", NEEDS,       "precision", "latitude", NULL},
    {"malware",               "S-034", NOT_BEFORE,  "last_seen", "first_seen", NULL},
    {"malware",               "S-037", CALL,        NULL, NULL, stix_rule_malware},
    {"malware-analysis",      "S-038", ANY_OF,      "result", "analysis_sco_refs", NULL},
    {"marking-definition",    "S-067", CALL,        NULL, NULL, stix_rule_marking},
    {"mime-part",             "S-056", ANY_OF,      "body", "body_raw_ref", NULL},
    {"network-traffic",       "S-057", ANY_OF,      "src_ref", "dst_ref", NULL},
    {"network-traffic",       "S-057", NOT_BEFORE,  "end", "start", NULL},
    {"network-traffic",       "S-057", CALL,        NULL, NULL, stix_rule_traffic},
    {"observed-data",         "S-039", EXACTLY_ONE, "objects", "object_refs", NULL},
    {"observed-data",         "S-039", NOT_BEFORE,  "last_observed", "first_observed", NULL},
    {"observed-data",         "S-040", CALL,        NULL, NULL, stix_rule_observed_data},
    {"relationship",          "S-050", AFTER,       "stop_time", "start_time", NULL},
    {"relationship",          "S-053", CALL,        NULL, NULL, stix_rule_relationship},
    {"sighting",              "S-034", NOT_BEFORE,  "last_seen", "first_seen", NULL},
    {"threat-actor",          "S-034", NOT_BEFORE,  "last_seen", "first_seen", NULL},
    {"windows-pebinary-ext",  "S-064", CALL,        NULL, NULL, stix_rule_pe_binary},
};
/* clang-format on */

enum { RULES = sizeof rules / sizeof rules[0] };

bool stix_members_order(const struct stix_json *object, const char *a, const char *b,
                        int *out_order)
{
    struct isg_str first = stix_json_get_str(object, a);
    struct isg_str second = stix_json_get_str(object, b);
    int64_t us;
    if (first.p == NULL || second.p == NULL || !isg_time_parse(first, &us) ||
        !isg_time_parse(second, &us))
        return false;
    *out_order = isg_time_cmp(first, second);
    return true;
}

static void check_order(struct stix_checking *c, const struct rule *rule,
                        const struct stix_json *value, const struct stix_place *at)
{
    struct stix_place here = {at, rule->a, 0};
    int order;
    if (!stix_members_order(value, rule->a, rule->b, &order))
        return;
    if (rule->kind == AFTER && order <= 0)
        stix_found(c, STIX_ERROR, rule->section, &here, "%s is not later than %s", rule->a,
                   rule->b);
    else if (rule->kind == NOT_BEFORE && order < 0)
        stix_found(c, STIX_ERROR, rule->section, &here, "%s is earlier than %s", rule->a, rule->b);
}

static void check_presence(struct stix_checking *c, const struct rule *rule,
                           const struct stix_json *value, const struct stix_place *at)
{
    struct stix_place here = {at, rule->a, 0};
    bool a = stix_json_has(value, rule->a);
    bool b = stix_json_has(value, rule->b);
    if (rule->kind == NEEDS && a && !b)
        stix_found(c, STIX_ERROR, rule->section, &here, "%s needs %s", rule->a, rule->b);
    if (rule->kind == ANY_OF && !a && !b)
        stix_found(c, STIX_ERROR, rule->section, at, "at least one of %s and %s is required",
                   rule->a, rule->b);
    if (rule->kind == EXACTLY_ONE && a == b)
        stix_found(c, STIX_ERROR, rule->section, at, "exactly one of %s and %s is required",
                   rule->a, rule->b);
}

static void check_row(struct stix_checking *c, const struct rule *rule,
                      const struct stix_json *value, const struct stix_place *at)
{
    if (rule->kind == CALL)
        rule->call(c, value, at);
    else if (rule->kind == AFTER || rule->kind == NOT_BEFORE)
        check_order(c, rule, value, at);
    else
        check_presence(c, rule, value, at);
}

/* First row of a type, or RULES. */
static size_t first_row(const char *type)
{
    size_t low = 0;
    size_t high = RULES;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (strcmp(rules[mid].type, type) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

void stix_check_rules(struct stix_checking *c, const struct stix_type *type,
                      const struct stix_json *value, const struct stix_place *at)
{
    for (size_t i = first_row(type->name); i < RULES && strcmp(rules[i].type, type->name) == 0; i++)
        check_row(c, &rules[i], value, at);
}
