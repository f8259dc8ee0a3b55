/*
 * The types of STIX 2.0 (S-132): twelve domain objects, two relationship objects, the marking and
 * the bundle. Observables stand in observed-data only; they are judged by the tables of 2.1 under
 * the names they had (S-141).
 */
#include "stix/types_20.h"

#define SDO    STIX_KIND_BIT(STIX_KIND_SDO)
#define CUSTOM STIX_KIND_BIT(STIX_KIND_UNKNOWN)

static const struct stix_targets to_object = {
    .kinds = SDO | CUSTOM | STIX_KIND_BIT(STIX_KIND_SRO) | STIX_KIND_BIT(STIX_KIND_MARKING),
    .message = "must point to an object; a bundle is none",
};
static const struct stix_targets to_domain = {
    .kinds = SDO | CUSTOM,
    .message = "must point to a domain object",
};
static const struct stix_targets to_observed_data = {
    .types = {"observed-data"},
    .message = "must point to observed-data",
};

/* --- word lists, sorted --- */

#define VOCAB(name, title, ...)                              \
    static const char *const name##_words[] = {__VA_ARGS__}; \
    static const struct stix_vocab name = {                  \
        (title), false, sizeof name##_words / sizeof name##_words[0], name##_words}

/* clang-format off */
VOCAB(indicator_label_ov, "indicator-label-ov",
      "anomalous-activity", "anonymization", "attribution", "benign", "compromised",
      "malicious-activity");

VOCAB(malware_label_ov, "malware-label-ov",
      "adware", "backdoor", "bot", "ddos", "dropper", "exploit-kit", "keylogger", "ransomware",
      "remote-access-trojan", "resource-exploitation", "rogue-security-software", "rootkit",
      "screen-capture", "spyware", "trojan", "virus", "worm");

VOCAB(report_label_ov, "report-label-ov",
      "attack-pattern", "campaign", "identity", "indicator", "intrusion-set", "malware",
      "observed-data", "threat-actor", "threat-report", "tool", "vulnerability");

VOCAB(threat_actor_label_ov, "threat-actor-label-ov",
      "activist", "competitor", "crime-syndicate", "criminal", "hacker", "insider-accidental",
      "insider-disgruntled", "nation-state", "sensationalist", "spy", "terrorist");

VOCAB(tool_label_ov, "tool-label-ov",
      "credential-exploitation", "denial-of-service", "exploitation", "information-gathering",
      "network-capture", "remote-access", "vulnerability-scanning");
/* clang-format on */

/* --- tables --- */

/* clang-format off */
#define PHASES \
    {.name = "kill_chain_phases", .value = STIX_EMBEDDED, .shape = STIX_LIST, \
     .object = &stix_kill_chain_phase}
#define LABELS(words) \
    {.name = "labels", .shape = STIX_LIST, .need = STIX_REQUIRED, .rule = "S-136", .vocab = (words)}
#define NAME {.name = "name", .need = STIX_REQUIRED}

static const struct stix_prop attack_pattern_props[] = {
    {.name = "description"},
    PHASES,
    NAME,
};

static const struct stix_prop campaign_props[] = {
    {.name = "aliases", .shape = STIX_LIST},
    {.name = "description"},
    {.name = "first_seen", .value = STIX_TIMESTAMP},
    {.name = "last_seen", .value = STIX_TIMESTAMP},
    NAME,
    {.name = "objective"},
};

static const struct stix_prop named_props[] = {
    {.name = "description"},
    NAME,
};

static const struct stix_prop identity_props[] = {
    {.name = "contact_information"},
    {.name = "description"},
    {.name = "identity_class", .need = STIX_REQUIRED, .rule = "S-139",
     .vocab = &stix_vocab_identity_class},
    NAME,
    {.name = "sectors", .shape = STIX_LIST, .vocab = &stix_vocab_industry_sector},
};

static const struct stix_prop indicator_props[] = {
    {.name = "description"},
    PHASES,
    LABELS(&indicator_label_ov),
    {.name = "name"},
    {.name = "pattern", .need = STIX_REQUIRED},
    {.name = "valid_from", .value = STIX_TIMESTAMP, .need = STIX_REQUIRED},
    {.name = "valid_until", .value = STIX_TIMESTAMP},
};

static const struct stix_prop intrusion_set_props[] = {
    {.name = "aliases", .shape = STIX_LIST},
    {.name = "description"},
    {.name = "first_seen", .value = STIX_TIMESTAMP},
    {.name = "goals", .shape = STIX_LIST},
    {.name = "last_seen", .value = STIX_TIMESTAMP},
    NAME,
    {.name = "primary_motivation", .vocab = &stix_vocab_attack_motivation},
    {.name = "resource_level", .vocab = &stix_vocab_attack_resource_level},
    {.name = "secondary_motivations", .shape = STIX_LIST, .vocab = &stix_vocab_attack_motivation},
};

static const struct stix_prop malware_props[] = {
    {.name = "description"},
    PHASES,
    LABELS(&malware_label_ov),
    NAME,
};

static const struct stix_prop observed_data_props[] = {
    {.name = "first_observed", .value = STIX_TIMESTAMP, .need = STIX_REQUIRED},
    {.name = "last_observed", .value = STIX_TIMESTAMP, .need = STIX_REQUIRED},
    {.name = "number_observed", .value = STIX_INTEGER, .need = STIX_REQUIRED, .rule = "S-039",
     .min = 1, .max = 999999999},
    {.name = "objects", .value = STIX_CONTAINER, .need = STIX_REQUIRED, .rule = "S-041"},
};

static const struct stix_prop report_props[] = {
    {.name = "description"},
    LABELS(&report_label_ov),
    NAME,
    {.name = "object_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST, .need = STIX_REQUIRED,
     .rule = "S-045", .targets = &to_object},
    {.name = "published", .value = STIX_TIMESTAMP, .need = STIX_REQUIRED},
};

static const struct stix_prop threat_actor_props[] = {
    {.name = "aliases", .shape = STIX_LIST},
    {.name = "description"},
    {.name = "goals", .shape = STIX_LIST},
    LABELS(&threat_actor_label_ov),
    NAME,
    {.name = "personal_motivations", .shape = STIX_LIST, .vocab = &stix_vocab_attack_motivation},
    {.name = "primary_motivation", .vocab = &stix_vocab_attack_motivation},
    {.name = "resource_level", .vocab = &stix_vocab_attack_resource_level},
    {.name = "roles", .shape = STIX_LIST, .vocab = &stix_vocab_threat_actor_role},
    {.name = "secondary_motivations", .shape = STIX_LIST, .vocab = &stix_vocab_attack_motivation},
    {.name = "sophistication", .vocab = &stix_vocab_threat_actor_sophistication},
};

static const struct stix_prop tool_props[] = {
    {.name = "description"},
    PHASES,
    LABELS(&tool_label_ov),
    NAME,
    {.name = "tool_version"},
};

static const struct stix_prop relationship_props[] = {
    {.name = "description"},
    {.name = "relationship_type", .need = STIX_REQUIRED, .form = &stix_form_relation},
    {.name = "source_ref", .value = STIX_IDENTIFIER, .need = STIX_REQUIRED, .rule = "S-049",
     .targets = &to_domain},
    {.name = "target_ref", .value = STIX_IDENTIFIER, .need = STIX_REQUIRED, .rule = "S-049",
     .targets = &to_domain},
};

static const struct stix_prop sighting_props[] = {
    {.name = "count", .value = STIX_INTEGER, .rule = "S-051", .min = 0, .max = 999999999},
    {.name = "first_seen", .value = STIX_TIMESTAMP},
    {.name = "last_seen", .value = STIX_TIMESTAMP},
    {.name = "observed_data_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST,
     .targets = &to_observed_data},
    {.name = "sighting_of_ref", .value = STIX_IDENTIFIER, .need = STIX_REQUIRED, .rule = "S-051",
     .targets = &to_domain},
    {.name = "summary", .value = STIX_BOOLEAN},
    {.name = "where_sighted_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST,
     .targets = &stix_to_identity},
};

static const struct stix_prop marking_definition_props[] = {
    {.name = "definition", .value = STIX_DEFINITION, .need = STIX_REQUIRED, .rule = "S-067"},
    {.name = "definition_type", .need = STIX_REQUIRED, .rule = "S-067"},
};

static const struct stix_prop bundle_props[] = {
    {.name = "objects", .value = STIX_BUNDLE_CONTENT, .shape = STIX_LIST},
    {.name = "spec_version", .need = STIX_REQUIRED, .rule = "S-132"},
};

static const struct stix_type types[] = {
    {.name = "attack-pattern", .kind = STIX_KIND_SDO, STIX_PROPS(attack_pattern_props)},
    {.name = "bundle", .kind = STIX_KIND_BUNDLE, STIX_PROPS(bundle_props)},
    {.name = "campaign", .kind = STIX_KIND_SDO, STIX_PROPS(campaign_props)},
    {.name = "course-of-action", .kind = STIX_KIND_SDO, STIX_PROPS(named_props)},
    {.name = "identity", .kind = STIX_KIND_SDO, STIX_PROPS(identity_props)},
    {.name = "indicator", .kind = STIX_KIND_SDO, STIX_PROPS(indicator_props)},
    {.name = "intrusion-set", .kind = STIX_KIND_SDO, STIX_PROPS(intrusion_set_props)},
    {.name = "malware", .kind = STIX_KIND_SDO, STIX_PROPS(malware_props)},
    {.name = "marking-definition", .kind = STIX_KIND_MARKING, STIX_PROPS(marking_definition_props)},
    {.name = "observed-data", .kind = STIX_KIND_SDO, STIX_PROPS(observed_data_props)},
    {.name = "relationship", .kind = STIX_KIND_SRO, STIX_PROPS(relationship_props)},
    {.name = "report", .kind = STIX_KIND_SDO, STIX_PROPS(report_props)},
    {.name = "sighting", .kind = STIX_KIND_SRO, STIX_PROPS(sighting_props)},
    {.name = "threat-actor", .kind = STIX_KIND_SDO, STIX_PROPS(threat_actor_props)},
    {.name = "tool", .kind = STIX_KIND_SDO, STIX_PROPS(tool_props)},
    {.name = "vulnerability", .kind = STIX_KIND_SDO, STIX_PROPS(named_props)},
};

/* Rows of objects and markings that follow each other by name. */
#define ID {.name = "id", .value = STIX_OWN_ID, .need = STIX_REQUIRED, .rule = "S-013"}
#define CREATED_TO_ID \
    {.name = "created", .value = STIX_VERSION_TIME, .need = STIX_REQUIRED}, \
    {.name = "created_by_ref", .value = STIX_IDENTIFIER, .targets = &stix_to_identity, \
     .rule = "S-025"}, \
    {.name = "external_references", .value = STIX_EMBEDDED, .shape = STIX_LIST, \
     .object = &stix_external_reference}, \
    {.name = "granular_markings", .value = STIX_EMBEDDED, .shape = STIX_LIST, \
     .object = &stix_granular_marking}, \
    ID
#define MARKING_REFS \
    {.name = "object_marking_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST, \
     .targets = &stix_to_marking, .rule = "S-025"}
#define TYPE {.name = "type", .value = STIX_OWN_TYPE, .need = STIX_REQUIRED, .rule = "S-023"}

static const struct stix_prop common_props[] = {
    CREATED_TO_ID,
    {.name = "labels", .shape = STIX_LIST},
    {.name = "modified", .value = STIX_VERSION_TIME, .need = STIX_REQUIRED},
    MARKING_REFS,
    {.name = "revoked", .value = STIX_BOOLEAN},
    TYPE,
};

static const struct stix_prop marking_common_props[] = {
    CREATED_TO_ID,
    MARKING_REFS,
    TYPE,
};

static const struct stix_prop bundle_common_props[] = {
    ID,
    TYPE,
};
/* clang-format on */

static const struct stix_type common = {.name = "an object", STIX_PROPS(common_props)};
static const struct stix_type marking_common = {.name = "a marking",
                                                STIX_PROPS(marking_common_props)};
static const struct stix_type bundle_common = {.name = "a bundle", STIX_PROPS(bundle_common_props)};

const struct stix_type *stix_20_type_find(struct isg_str name)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (isg_str_is(name, types[i].name))
            return &types[i];
    return NULL;
}

const struct stix_type *stix_20_common(enum stix_kind kind)
{
    if (kind == STIX_KIND_BUNDLE)
        return &bundle_common;
    return kind == STIX_KIND_MARKING ? &marking_common : &common;
}
