/*
 * Relationship objects, meta objects and the bundle (sections 4, 6 to 9 of the rules), and the
 * types embedded in every object.
 */
#include "stix/types_table.h"

#define SDO    STIX_KIND_BIT(STIX_KIND_SDO)
#define SRO    STIX_KIND_BIT(STIX_KIND_SRO)
#define SCO    STIX_KIND_BIT(STIX_KIND_SCO)
#define CUSTOM STIX_KIND_BIT(STIX_KIND_UNKNOWN)
#define META                                                                  \
    (STIX_KIND_BIT(STIX_KIND_EXTENSION) | STIX_KIND_BIT(STIX_KIND_LANGUAGE) | \
     STIX_KIND_BIT(STIX_KIND_MARKING))

const struct stix_targets stix_to_any = {
    .kinds = SDO | SRO | SCO | META | CUSTOM,
    .message = "must point to an object; a bundle is none",
};
const struct stix_targets stix_to_sco = {
    .kinds = SCO | CUSTOM,
    .message = "must point to an observable",
};
const struct stix_targets stix_to_identity = {
    .types = {"identity"},
    .message = "must point to an identity",
};
const struct stix_targets stix_to_marking = {
    .types = {"marking-definition"},
    .message = "must point to a marking-definition",
};
const struct stix_targets stix_to_software = {
    .types = {"software"},
    .message = "must point to software",
};
const struct stix_targets stix_to_file_artifact = {
    .types = {"artifact", "file"},
    .message = "must point to a file or an artifact",
};
static const struct stix_targets to_related = {
    .kinds = SDO | SCO | CUSTOM,
    .message = "must point to a domain object or an observable",
};
static const struct stix_targets to_sighted = {
    .kinds = SDO | CUSTOM,
    .message = "must point to a domain object",
};
static const struct stix_targets to_observed_data = {
    .types = {"observed-data"},
    .message = "must point to observed-data",
};
static const struct stix_targets to_place = {
    .types = {"identity", "location"},
    .message = "must point to an identity or a location",
};

/* clang-format off */
/* S-020 */
static const struct stix_prop external_reference_props[] = {
    {.name = "description"},
    {.name = "external_id"},
    {.name = "hashes", .value = STIX_HASHES},
    {.name = "source_name", .need = STIX_REQUIRED, .rule = "S-020"},
    {.name = "url", .form = &stix_form_uri},
};

const struct stix_type stix_external_reference = {
    .name = "external-reference", STIX_PROPS(external_reference_props)};

/* S-022 */
static const struct stix_prop kill_chain_phase_props[] = {
    {.name = "kill_chain_name", .need = STIX_REQUIRED, .rule = "S-022", .form = &stix_form_dashed},
    {.name = "phase_name", .need = STIX_REQUIRED, .rule = "S-022", .form = &stix_form_dashed},
};

const struct stix_type stix_kill_chain_phase = {
    .name = "kill-chain-phase", STIX_PROPS(kill_chain_phase_props)};

/* S-073 */
static const struct stix_prop granular_marking_props[] = {
    {.name = "lang", .form = &stix_form_language},
    {.name = "marking_ref", .value = STIX_IDENTIFIER, .rule = "S-073", .targets = &stix_to_marking},
    {.name = "selectors", .value = STIX_SELECTOR, .shape = STIX_LIST, .need = STIX_REQUIRED,
     .rule = "S-073"},
};

const struct stix_type stix_granular_marking = {
    .name = "granular-marking", STIX_PROPS(granular_marking_props)};

/* S-048 to S-050 */
static const struct stix_prop relationship_props[] = {
    {.name = "description"},
    {.name = "relationship_type", .need = STIX_REQUIRED, .form = &stix_form_relation},
    {.name = "source_ref", .value = STIX_IDENTIFIER, .need = STIX_REQUIRED, .rule = "S-049",
     .targets = &to_related},
    {.name = "start_time", .value = STIX_TIMESTAMP},
    {.name = "stop_time", .value = STIX_TIMESTAMP},
    {.name = "target_ref", .value = STIX_IDENTIFIER, .need = STIX_REQUIRED, .rule = "S-049",
     .targets = &to_related},
};

/* S-051; summary is a boolean (S-033). */
static const struct stix_prop sighting_props[] = {
    {.name = "count", .value = STIX_INTEGER, .rule = "S-051", .min = 0, .max = 999999999},
    {.name = "description"},
    {.name = "first_seen", .value = STIX_TIMESTAMP},
    {.name = "last_seen", .value = STIX_TIMESTAMP},
    {.name = "observed_data_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST,
     .targets = &to_observed_data},
    {.name = "sighting_of_ref", .value = STIX_IDENTIFIER, .need = STIX_REQUIRED, .rule = "S-051",
     .targets = &to_sighted},
    {.name = "summary", .value = STIX_BOOLEAN},
    {.name = "where_sighted_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST,
     .targets = &to_place},
};

/* S-067 */
static const struct stix_prop marking_definition_props[] = {
    {.name = "definition", .value = STIX_DEFINITION},
    {.name = "definition_type"},
    {.name = "name"},
};

/* S-076, S-077 */
static const struct stix_prop language_content_props[] = {
    {.name = "contents", .value = STIX_CONTENTS, .need = STIX_REQUIRED},
    {.name = "object_modified", .value = STIX_TIMESTAMP},
    {.name = "object_ref", .value = STIX_IDENTIFIER, .need = STIX_REQUIRED, .rule = "S-077",
     .targets = &stix_to_any},
};

/* S-078 */
static const struct stix_prop extension_definition_props[] = {
    {.name = "description", .need = STIX_SHOULD, .rule = "S-078"},
    {.name = "extension_properties", .shape = STIX_LIST},
    {.name = "extension_types", .shape = STIX_LIST, .need = STIX_REQUIRED, .rule = "S-078",
     .vocab = &stix_vocab_extension_type},
    {.name = "name", .need = STIX_REQUIRED},
    {.name = "schema", .need = STIX_REQUIRED},
    {.name = "version", .need = STIX_REQUIRED, .form = &stix_form_semver},
};

/* S-086 */
static const struct stix_prop bundle_props[] = {
    {.name = "objects", .value = STIX_BUNDLE_CONTENT, .shape = STIX_LIST},
};

const struct stix_type stix_meta_types[] = {
    {.name = "bundle", .kind = STIX_KIND_BUNDLE, STIX_PROPS(bundle_props)},
    {.name = "extension-definition", .kind = STIX_KIND_EXTENSION,
     STIX_PROPS(extension_definition_props)},
    {.name = "language-content", .kind = STIX_KIND_LANGUAGE, STIX_PROPS(language_content_props)},
    {.name = "marking-definition", .kind = STIX_KIND_MARKING, STIX_PROPS(marking_definition_props)},
    {.name = "relationship", .kind = STIX_KIND_SRO, STIX_PROPS(relationship_props)},
    {.name = "sighting", .kind = STIX_KIND_SRO, STIX_PROPS(sighting_props)},
};
/* clang-format on */
const size_t stix_meta_types_n = sizeof stix_meta_types / sizeof stix_meta_types[0];
