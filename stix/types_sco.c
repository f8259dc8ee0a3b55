/*
 * Observables (section 5 of the rules).
 */
#include "stix/types_table.h"

/* Counts without an upper bound of their own end where JSON's integers do (S-005). */
#define MAX INT64_C(9007199254740991)

static const struct stix_targets to_account = {
    .types = {"user-account"},
    .message = "must point to a user-account",
};
static const struct stix_targets to_artifact = {
    .types = {"artifact"},
    .message = "must point to an artifact",
};
static const struct stix_targets to_as = {
    .types = {"autonomous-system"},
    .message = "must point to an autonomous-system",
};
static const struct stix_targets to_directory = {
    .types = {"directory"},
    .message = "must point to a directory",
};
static const struct stix_targets to_email = {
    .types = {"email-addr"},
    .message = "must point to an email-addr",
};
static const struct stix_targets to_endpoint = {
    .types = {"domain-name", "ipv4-addr", "ipv6-addr", "mac-addr"},
    .message = "must point to an address or a domain-name",
};
static const struct stix_targets to_file = {
    .types = {"file"},
    .message = "must point to a file",
};
static const struct stix_targets to_file_directory = {
    .types = {"directory", "file"},
    .message = "must point to a file or a directory",
};
static const struct stix_targets to_mac = {
    .types = {"mac-addr"},
    .message = "must point to a mac-addr",
};
static const struct stix_targets to_process = {
    .types = {"process"},
    .message = "must point to a process",
};
static const struct stix_targets to_resolved = {
    .types = {"domain-name", "ipv4-addr", "ipv6-addr"},
    .message = "must point to an ipv4-addr, ipv6-addr or domain-name",
};
static const struct stix_targets to_traffic = {
    .types = {"network-traffic"},
    .message = "must point to network-traffic",
};

/* clang-format off */
/* S-056: body or body_raw_ref. */
static const struct stix_prop mime_part_props[] = {
    {.name = "body"},
    {.name = "body_raw_ref", .value = STIX_IDENTIFIER, .targets = &stix_to_file_artifact},
    {.name = "content_disposition"},
    {.name = "content_type"},
};

static const struct stix_type mime_part = {.name = "mime-part", STIX_PROPS(mime_part_props)};

/* S-061; the default value has an empty name. */
static const struct stix_prop registry_value_props[] = {
    {.name = "data"},
    {.name = "data_type", .vocab = &stix_vocab_windows_registry_datatype},
    {.name = "name"},
};

static const struct stix_type registry_value = {
    .name = "registry-value", STIX_PROPS(registry_value_props), .some = "S-061"};

/* S-066: all strings but two. */
static const struct stix_prop x509_v3_extensions_props[] = {
    {.name = "authority_key_identifier"},
    {.name = "basic_constraints"},
    {.name = "certificate_policies"},
    {.name = "crl_distribution_points"},
    {.name = "extended_key_usage"},
    {.name = "inhibit_any_policy"},
    {.name = "issuer_alternative_name"},
    {.name = "key_usage"},
    {.name = "name_constraints"},
    {.name = "policy_constraints"},
    {.name = "policy_mappings"},
    {.name = "private_key_usage_period_not_after", .value = STIX_TIMESTAMP},
    {.name = "private_key_usage_period_not_before", .value = STIX_TIMESTAMP},
    {.name = "subject_alternative_name"},
    {.name = "subject_directory_attributes"},
    {.name = "subject_key_identifier"},
};

static const struct stix_type x509_v3_extensions = {
    .name = "x509-v3-extensions", STIX_PROPS(x509_v3_extensions_props), .some = "S-066"};

/* S-054 */
static const struct stix_prop artifact_props[] = {
    {.name = "decryption_key"},
    {.name = "encryption_algorithm", .vocab = &stix_vocab_encryption_algorithm},
    {.name = "hashes", .value = STIX_HASHES},
    {.name = "mime_type", .form = &stix_form_mime},
    {.name = "payload_bin", .form = &stix_form_binary},
    {.name = "url", .form = &stix_form_uri},
};

static const struct stix_prop autonomous_system_props[] = {
    {.name = "name"},
    {.name = "number", .value = STIX_INTEGER, .need = STIX_REQUIRED},
    {.name = "rir"},
};

static const struct stix_prop directory_props[] = {
    {.name = "atime", .value = STIX_TIMESTAMP},
    {.name = "contains_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST,
     .targets = &to_file_directory},
    {.name = "ctime", .value = STIX_TIMESTAMP},
    {.name = "mtime", .value = STIX_TIMESTAMP},
    {.name = "path", .need = STIX_REQUIRED},
    {.name = "path_enc", .form = &stix_form_charset},
};

/* S-060; resolves_to_refs is deprecated. */
static const struct stix_prop domain_name_props[] = {
    {.name = "resolves_to_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST,
     .targets = &to_resolved},
    {.name = "value", .need = STIX_REQUIRED, .form = &stix_form_domain},
};

/* S-060 */
static const struct stix_prop email_addr_props[] = {
    {.name = "belongs_to_ref", .value = STIX_IDENTIFIER, .targets = &to_account},
    {.name = "display_name"},
    {.name = "value", .need = STIX_REQUIRED, .form = &stix_form_email},
};

/* S-056 */
static const struct stix_prop email_message_props[] = {
    {.name = "additional_header_fields", .shape = STIX_DICT_OF_LIST},
    {.name = "bcc_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST, .targets = &to_email},
    {.name = "body"},
    {.name = "body_multipart", .value = STIX_EMBEDDED, .shape = STIX_LIST, .object = &mime_part},
    {.name = "cc_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST, .targets = &to_email},
    {.name = "content_type"},
    {.name = "date", .value = STIX_TIMESTAMP},
    {.name = "from_ref", .value = STIX_IDENTIFIER, .targets = &to_email},
    {.name = "is_multipart", .value = STIX_BOOLEAN, .need = STIX_REQUIRED},
    {.name = "message_id"},
    {.name = "raw_email_ref", .value = STIX_IDENTIFIER, .targets = &to_artifact},
    {.name = "received_lines", .shape = STIX_LIST},
    {.name = "sender_ref", .value = STIX_IDENTIFIER, .targets = &to_email},
    {.name = "subject"},
    {.name = "to_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST, .targets = &to_email},
};

/* S-055 */
static const struct stix_prop file_props[] = {
    {.name = "atime", .value = STIX_TIMESTAMP},
    {.name = "contains_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST,
     .targets = &stix_to_sco},
    {.name = "content_ref", .value = STIX_IDENTIFIER, .targets = &to_artifact},
    {.name = "ctime", .value = STIX_TIMESTAMP},
    {.name = "hashes", .value = STIX_HASHES},
    {.name = "magic_number_hex", .form = &stix_form_hex},
    {.name = "mime_type", .form = &stix_form_mime},
    {.name = "mtime", .value = STIX_TIMESTAMP},
    {.name = "name"},
    {.name = "name_enc", .form = &stix_form_charset},
    {.name = "parent_directory_ref", .value = STIX_IDENTIFIER, .targets = &to_directory},
    {.name = "size", .value = STIX_INTEGER, .min = 0, .max = MAX},
};

/* S-059; both reference lists are deprecated. */
static const struct stix_prop ipv4_addr_props[] = {
    {.name = "belongs_to_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST, .targets = &to_as},
    {.name = "resolves_to_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST, .targets = &to_mac},
    {.name = "value", .need = STIX_REQUIRED, .form = &stix_form_ipv4},
};

static const struct stix_prop ipv6_addr_props[] = {
    {.name = "belongs_to_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST, .targets = &to_as},
    {.name = "resolves_to_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST, .targets = &to_mac},
    {.name = "value", .need = STIX_REQUIRED, .form = &stix_form_ipv6},
};

/* S-059 */
static const struct stix_prop mac_addr_props[] = {
    {.name = "value", .need = STIX_REQUIRED, .form = &stix_form_mac},
};

static const struct stix_prop mutex_props[] = {
    {.name = "name", .need = STIX_REQUIRED},
};

/* S-057 */
static const struct stix_prop network_traffic_props[] = {
    {.name = "dst_byte_count", .value = STIX_INTEGER, .min = 0, .max = MAX},
    {.name = "dst_packets", .value = STIX_INTEGER, .min = 0, .max = MAX},
    {.name = "dst_payload_ref", .value = STIX_IDENTIFIER, .targets = &to_artifact},
    {.name = "dst_port", .value = STIX_INTEGER, .min = 0, .max = 65535},
    {.name = "dst_ref", .value = STIX_IDENTIFIER, .targets = &to_endpoint},
    {.name = "encapsulated_by_ref", .value = STIX_IDENTIFIER, .targets = &to_traffic},
    {.name = "encapsulates_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST,
     .targets = &to_traffic},
    {.name = "end", .value = STIX_TIMESTAMP},
    {.name = "ipfix", .value = STIX_INT_OR_STRING, .shape = STIX_DICT},
    {.name = "is_active", .value = STIX_BOOLEAN},
    {.name = "protocols", .shape = STIX_LIST, .need = STIX_REQUIRED, .rule = "S-057",
     .form = &stix_form_protocol},
    {.name = "src_byte_count", .value = STIX_INTEGER, .min = 0, .max = MAX},
    {.name = "src_packets", .value = STIX_INTEGER, .min = 0, .max = MAX},
    {.name = "src_payload_ref", .value = STIX_IDENTIFIER, .targets = &to_artifact},
    {.name = "src_port", .value = STIX_INTEGER, .min = 0, .max = 65535},
    {.name = "src_ref", .value = STIX_IDENTIFIER, .targets = &to_endpoint},
    {.name = "start", .value = STIX_TIMESTAMP},
};

/* S-058: one property, or an extension. */
static const struct stix_prop process_props[] = {
    {.name = "child_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST, .targets = &to_process},
    {.name = "command_line"},
    {.name = "created_time", .value = STIX_TIMESTAMP},
    {.name = "creator_user_ref", .value = STIX_IDENTIFIER, .targets = &to_account},
    {.name = "cwd"},
    {.name = "environment_variables", .shape = STIX_DICT},
    {.name = "image_ref", .value = STIX_IDENTIFIER, .targets = &to_file},
    {.name = "is_hidden", .value = STIX_BOOLEAN},
    {.name = "opened_connection_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST,
     .targets = &to_traffic},
    {.name = "parent_ref", .value = STIX_IDENTIFIER, .targets = &to_process},
    {.name = "pid", .value = STIX_INTEGER},
};

/* S-062 */
static const struct stix_prop software_props[] = {
    {.name = "cpe", .form = &stix_form_cpe},
    {.name = "languages", .shape = STIX_LIST, .form = &stix_form_language},
    {.name = "name", .need = STIX_REQUIRED},
    {.name = "swid"},
    {.name = "vendor"},
    {.name = "version"},
};

/* S-060 */
static const struct stix_prop url_props[] = {
    {.name = "value", .need = STIX_REQUIRED, .form = &stix_form_url},
};

/* S-058 */
static const struct stix_prop user_account_props[] = {
    {.name = "account_created", .value = STIX_TIMESTAMP},
    {.name = "account_expires", .value = STIX_TIMESTAMP},
    {.name = "account_first_login", .value = STIX_TIMESTAMP},
    {.name = "account_last_login", .value = STIX_TIMESTAMP},
    {.name = "account_login"},
    {.name = "account_type", .vocab = &stix_vocab_account_type},
    {.name = "can_escalate_privs", .value = STIX_BOOLEAN},
    {.name = "credential"},
    {.name = "credential_last_changed", .value = STIX_TIMESTAMP},
    {.name = "display_name"},
    {.name = "is_disabled", .value = STIX_BOOLEAN},
    {.name = "is_privileged", .value = STIX_BOOLEAN},
    {.name = "is_service_account", .value = STIX_BOOLEAN},
    {.name = "user_id"},
};

/* S-061 */
static const struct stix_prop windows_registry_key_props[] = {
    {.name = "creator_user_ref", .value = STIX_IDENTIFIER, .targets = &to_account},
    {.name = "key", .form = &stix_form_registry_key},
    {.name = "modified_time", .value = STIX_TIMESTAMP},
    {.name = "number_of_subkeys", .value = STIX_INTEGER},
    {.name = "values", .value = STIX_EMBEDDED, .shape = STIX_LIST, .object = &registry_value},
};

/* S-058 */
static const struct stix_prop x509_certificate_props[] = {
    {.name = "hashes", .value = STIX_HASHES},
    {.name = "is_self_signed", .value = STIX_BOOLEAN},
    {.name = "issuer"},
    {.name = "serial_number"},
    {.name = "signature_algorithm"},
    {.name = "subject"},
    {.name = "subject_public_key_algorithm"},
    {.name = "subject_public_key_exponent", .value = STIX_INTEGER},
    {.name = "subject_public_key_modulus"},
    {.name = "validity_not_after", .value = STIX_TIMESTAMP},
    {.name = "validity_not_before", .value = STIX_TIMESTAMP},
    {.name = "version"},
    {.name = "x509_v3_extensions", .value = STIX_EMBEDDED, .object = &x509_v3_extensions},
};

const struct stix_type stix_sco_types[] = {
    {.name = "artifact", .kind = STIX_KIND_SCO, STIX_PROPS(artifact_props)},
    {.name = "autonomous-system", .kind = STIX_KIND_SCO, STIX_PROPS(autonomous_system_props)},
    {.name = "directory", .kind = STIX_KIND_SCO, STIX_PROPS(directory_props)},
    {.name = "domain-name", .kind = STIX_KIND_SCO, STIX_PROPS(domain_name_props)},
    {.name = "email-addr", .kind = STIX_KIND_SCO, STIX_PROPS(email_addr_props)},
    {.name = "email-message", .kind = STIX_KIND_SCO, STIX_PROPS(email_message_props)},
    {.name = "file", .kind = STIX_KIND_SCO, STIX_PROPS(file_props)},
    {.name = "ipv4-addr", .kind = STIX_KIND_SCO, STIX_PROPS(ipv4_addr_props)},
    {.name = "ipv6-addr", .kind = STIX_KIND_SCO, STIX_PROPS(ipv6_addr_props)},
    {.name = "mac-addr", .kind = STIX_KIND_SCO, STIX_PROPS(mac_addr_props)},
    {.name = "mutex", .kind = STIX_KIND_SCO, STIX_PROPS(mutex_props)},
    {.name = "network-traffic", .kind = STIX_KIND_SCO, STIX_PROPS(network_traffic_props)},
    {.name = "process", .kind = STIX_KIND_SCO, STIX_PROPS(process_props), .some = "S-058"},
    {.name = "software", .kind = STIX_KIND_SCO, STIX_PROPS(software_props)},
    {.name = "url", .kind = STIX_KIND_SCO, STIX_PROPS(url_props)},
    {.name = "user-account", .kind = STIX_KIND_SCO, STIX_PROPS(user_account_props),
     .some = "S-058"},
    {.name = "windows-registry-key", .kind = STIX_KIND_SCO, STIX_PROPS(windows_registry_key_props),
     .some = "S-058"},
    {.name = "x509-certificate", .kind = STIX_KIND_SCO, STIX_PROPS(x509_certificate_props),
     .some = "S-058"},
};
/* clang-format on */
const size_t stix_sco_types_n = sizeof stix_sco_types / sizeof stix_sco_types[0];
