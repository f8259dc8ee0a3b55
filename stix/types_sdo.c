/*
 * Domain objects (section 3 of the rules).
 */
#include "stix/types_table.h"

static const struct stix_targets to_sample = {
    .types = {"artifact", "file", "network-traffic"},
    .message = "must point to a file, an artifact or network-traffic",
};

/* Observed data names observables and the relations between them, no domain objects (S-040). */
static const struct stix_targets to_observed = {
    .kinds = STIX_KIND_BIT(STIX_KIND_SCO) | STIX_KIND_BIT(STIX_KIND_SRO) |
             STIX_KIND_BIT(STIX_KIND_UNKNOWN),
    .message = "must point to an observable or a relationship object",
};

/* clang-format off */
static const struct stix_prop attack_pattern_props[] = {
    {.name = "aliases", .shape = STIX_LIST},
    {.name = "description"},
    {.name = "kill_chain_phases", .value = STIX_EMBEDDED, .shape = STIX_LIST,
     .object = &stix_kill_chain_phase},
    {.name = "name", .need = STIX_REQUIRED},
};

static const struct stix_prop campaign_props[] = {
    {.name = "aliases", .shape = STIX_LIST},
    {.name = "description"},
    {.name = "first_seen", .value = STIX_TIMESTAMP},
    {.name = "last_seen", .value = STIX_TIMESTAMP},
    {.name = "name", .need = STIX_REQUIRED},
    {.name = "objective"},
};

/* `action` is a reserved name (S-030). */
static const struct stix_prop course_of_action_props[] = {
    {.name = "description"},
    {.name = "name", .need = STIX_REQUIRED},
};

/* The errata text requires name, schemas and libraries do not: a warning (S-033). */
static const struct stix_prop grouping_props[] = {
    {.name = "context", .need = STIX_REQUIRED, .vocab = &stix_vocab_grouping_context},
    {.name = "description"},
    {.name = "name", .need = STIX_SHOULD, .rule = "S-033"},
    {.name = "object_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST, .need = STIX_REQUIRED,
     .rule = "S-045", .targets = &stix_to_any},
};

static const struct stix_prop identity_props[] = {
    {.name = "contact_information"},
    {.name = "description"},
    {.name = "identity_class", .vocab = &stix_vocab_identity_class},
    {.name = "name", .need = STIX_REQUIRED},
    {.name = "roles", .shape = STIX_LIST},
    {.name = "sectors", .shape = STIX_LIST, .vocab = &stix_vocab_industry_sector},
};

/* A stub that an extension fills; kill_chain_phases only in libraries (S-033). */
static const struct stix_prop incident_props[] = {
    {.name = "description"},
    {.name = "kill_chain_phases", .value = STIX_EMBEDDED, .shape = STIX_LIST,
     .object = &stix_kill_chain_phase},
    {.name = "name", .need = STIX_REQUIRED},
};

static const struct stix_prop indicator_props[] = {
    {.name = "description"},
    {.name = "indicator_types", .shape = STIX_LIST, .vocab = &stix_vocab_indicator_type},
    {.name = "kill_chain_phases", .value = STIX_EMBEDDED, .shape = STIX_LIST,
     .object = &stix_kill_chain_phase},
    {.name = "name"},
    {.name = "pattern", .need = STIX_REQUIRED},
    {.name = "pattern_type", .need = STIX_REQUIRED, .vocab = &stix_vocab_pattern_type},
    {.name = "pattern_version"},
    {.name = "valid_from", .value = STIX_TIMESTAMP, .need = STIX_REQUIRED},
    {.name = "valid_until", .value = STIX_TIMESTAMP},
};

static const struct stix_prop infrastructure_props[] = {
    {.name = "aliases", .shape = STIX_LIST},
    {.name = "description"},
    {.name = "first_seen", .value = STIX_TIMESTAMP},
    {.name = "infrastructure_types", .shape = STIX_LIST, .vocab = &stix_vocab_infrastructure_type},
    {.name = "kill_chain_phases", .value = STIX_EMBEDDED, .shape = STIX_LIST,
     .object = &stix_kill_chain_phase},
    {.name = "last_seen", .value = STIX_TIMESTAMP},
    {.name = "name", .need = STIX_REQUIRED},
};

static const struct stix_prop intrusion_set_props[] = {
    {.name = "aliases", .shape = STIX_LIST},
    {.name = "description"},
    {.name = "first_seen", .value = STIX_TIMESTAMP},
    {.name = "goals", .shape = STIX_LIST},
    {.name = "last_seen", .value = STIX_TIMESTAMP},
    {.name = "name", .need = STIX_REQUIRED},
    {.name = "primary_motivation", .vocab = &stix_vocab_attack_motivation},
    {.name = "resource_level", .vocab = &stix_vocab_attack_resource_level},
    {.name = "secondary_motivations", .shape = STIX_LIST, .vocab = &stix_vocab_attack_motivation},
};

static const struct stix_prop location_props[] = {
    {.name = "administrative_area", .form = &stix_form_administrative_area},
    {.name = "city"},
    {.name = "country", .form = &stix_form_country},
    {.name = "description"},
    {.name = "latitude", .value = STIX_FLOAT, .rule = "S-043", .min = -90, .max = 90},
    {.name = "longitude", .value = STIX_FLOAT, .rule = "S-043", .min = -180, .max = 180},
    {.name = "name"},
    {.name = "postal_code"},
    {.name = "precision", .value = STIX_FLOAT},
    {.name = "region", .vocab = &stix_vocab_region},
    {.name = "street_address"},
};

static const struct stix_prop malware_props[] = {
    {.name = "aliases", .shape = STIX_LIST},
    {.name = "architecture_execution_envs", .shape = STIX_LIST,
     .vocab = &stix_vocab_processor_architecture},
    {.name = "capabilities", .shape = STIX_LIST, .vocab = &stix_vocab_malware_capabilities},
    {.name = "description"},
    {.name = "first_seen", .value = STIX_TIMESTAMP},
    {.name = "implementation_languages", .shape = STIX_LIST,
     .vocab = &stix_vocab_implementation_language},
    {.name = "is_family", .value = STIX_BOOLEAN, .need = STIX_REQUIRED, .rule = "S-033"},
    {.name = "kill_chain_phases", .value = STIX_EMBEDDED, .shape = STIX_LIST,
     .object = &stix_kill_chain_phase},
    {.name = "last_seen", .value = STIX_TIMESTAMP},
    {.name = "malware_types", .shape = STIX_LIST, .vocab = &stix_vocab_malware_type},
    {.name = "name"},
    {.name = "operating_system_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST,
     .targets = &stix_to_software},
    {.name = "sample_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST,
     .targets = &stix_to_file_artifact},
};

static const struct stix_prop malware_analysis_props[] = {
    {.name = "analysis_definition_version"},
    {.name = "analysis_ended", .value = STIX_TIMESTAMP},
    {.name = "analysis_engine_version"},
    {.name = "analysis_sco_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST,
     .targets = &stix_to_sco},
    {.name = "analysis_started", .value = STIX_TIMESTAMP},
    {.name = "configuration_version"},
    {.name = "host_vm_ref", .value = STIX_IDENTIFIER, .targets = &stix_to_software},
    {.name = "installed_software_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST,
     .targets = &stix_to_software},
    {.name = "modules", .shape = STIX_LIST},
    {.name = "operating_system_ref", .value = STIX_IDENTIFIER, .targets = &stix_to_software},
    {.name = "product", .need = STIX_REQUIRED},
    {.name = "result", .vocab = &stix_vocab_malware_result},
    {.name = "result_name"},
    {.name = "sample_ref", .value = STIX_IDENTIFIER, .targets = &to_sample},
    {.name = "submitted", .value = STIX_TIMESTAMP},
    {.name = "version"},
};

static const struct stix_prop note_props[] = {
    {.name = "abstract"},
    {.name = "authors", .shape = STIX_LIST},
    {.name = "content", .need = STIX_REQUIRED},
    {.name = "object_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST, .need = STIX_REQUIRED,
     .rule = "S-045", .targets = &stix_to_any},
};

static const struct stix_prop observed_data_props[] = {
    {.name = "first_observed", .value = STIX_TIMESTAMP, .need = STIX_REQUIRED},
    {.name = "last_observed", .value = STIX_TIMESTAMP, .need = STIX_REQUIRED},
    {.name = "number_observed", .value = STIX_INTEGER, .need = STIX_REQUIRED, .rule = "S-039",
     .min = 1, .max = 999999999},
    {.name = "object_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST, .rule = "S-040",
     .targets = &to_observed},
    {.name = "objects", .value = STIX_CONTAINER},
};

static const struct stix_prop opinion_props[] = {
    {.name = "authors", .shape = STIX_LIST},
    {.name = "explanation"},
    {.name = "object_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST, .need = STIX_REQUIRED,
     .rule = "S-045", .targets = &stix_to_any},
    {.name = "opinion", .need = STIX_REQUIRED, .rule = "S-044", .vocab = &stix_vocab_opinion},
};

static const struct stix_prop report_props[] = {
    {.name = "description"},
    {.name = "name", .need = STIX_REQUIRED},
    {.name = "object_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST, .need = STIX_REQUIRED,
     .rule = "S-045", .targets = &stix_to_any},
    {.name = "published", .value = STIX_TIMESTAMP, .need = STIX_REQUIRED},
    {.name = "report_types", .shape = STIX_LIST, .vocab = &stix_vocab_report_type},
};

static const struct stix_prop threat_actor_props[] = {
    {.name = "aliases", .shape = STIX_LIST},
    {.name = "description"},
    {.name = "first_seen", .value = STIX_TIMESTAMP},
    {.name = "goals", .shape = STIX_LIST},
    {.name = "last_seen", .value = STIX_TIMESTAMP},
    {.name = "name", .need = STIX_REQUIRED},
    {.name = "personal_motivations", .shape = STIX_LIST, .vocab = &stix_vocab_attack_motivation},
    {.name = "primary_motivation", .vocab = &stix_vocab_attack_motivation},
    {.name = "resource_level", .vocab = &stix_vocab_attack_resource_level},
    {.name = "roles", .shape = STIX_LIST, .vocab = &stix_vocab_threat_actor_role},
    {.name = "secondary_motivations", .shape = STIX_LIST, .vocab = &stix_vocab_attack_motivation},
    {.name = "sophistication", .vocab = &stix_vocab_threat_actor_sophistication},
    {.name = "threat_actor_types", .shape = STIX_LIST, .vocab = &stix_vocab_threat_actor_type},
};

static const struct stix_prop tool_props[] = {
    {.name = "aliases", .shape = STIX_LIST},
    {.name = "description"},
    {.name = "kill_chain_phases", .value = STIX_EMBEDDED, .shape = STIX_LIST,
     .object = &stix_kill_chain_phase},
    {.name = "name", .need = STIX_REQUIRED},
    {.name = "tool_types", .shape = STIX_LIST, .vocab = &stix_vocab_tool_type},
    {.name = "tool_version"},
};

/* Its CVE id stands in external_references (S-021). */
static const struct stix_prop vulnerability_props[] = {
    {.name = "description"},
    {.name = "name", .need = STIX_REQUIRED},
};

const struct stix_type stix_sdo_types[] = {
    {.name = "attack-pattern", .kind = STIX_KIND_SDO, STIX_PROPS(attack_pattern_props)},
    {.name = "campaign", .kind = STIX_KIND_SDO, STIX_PROPS(campaign_props)},
    {.name = "course-of-action", .kind = STIX_KIND_SDO, STIX_PROPS(course_of_action_props)},
    {.name = "grouping", .kind = STIX_KIND_SDO, STIX_PROPS(grouping_props)},
    {.name = "identity", .kind = STIX_KIND_SDO, STIX_PROPS(identity_props)},
    {.name = "incident", .kind = STIX_KIND_SDO, STIX_PROPS(incident_props)},
    {.name = "indicator", .kind = STIX_KIND_SDO, STIX_PROPS(indicator_props)},
    {.name = "infrastructure", .kind = STIX_KIND_SDO, STIX_PROPS(infrastructure_props)},
    {.name = "intrusion-set", .kind = STIX_KIND_SDO, STIX_PROPS(intrusion_set_props)},
    {.name = "location", .kind = STIX_KIND_SDO, STIX_PROPS(location_props)},
    {.name = "malware", .kind = STIX_KIND_SDO, STIX_PROPS(malware_props)},
    {.name = "malware-analysis", .kind = STIX_KIND_SDO, STIX_PROPS(malware_analysis_props)},
    {.name = "note", .kind = STIX_KIND_SDO, STIX_PROPS(note_props)},
    {.name = "observed-data", .kind = STIX_KIND_SDO, STIX_PROPS(observed_data_props)},
    {.name = "opinion", .kind = STIX_KIND_SDO, STIX_PROPS(opinion_props)},
    {.name = "report", .kind = STIX_KIND_SDO, STIX_PROPS(report_props)},
    {.name = "threat-actor", .kind = STIX_KIND_SDO, STIX_PROPS(threat_actor_props)},
    {.name = "tool", .kind = STIX_KIND_SDO, STIX_PROPS(tool_props)},
    {.name = "vulnerability", .kind = STIX_KIND_SDO, STIX_PROPS(vulnerability_props)},
};
/* clang-format on */
const size_t stix_sdo_types_n = sizeof stix_sdo_types / sizeof stix_sdo_types[0];
