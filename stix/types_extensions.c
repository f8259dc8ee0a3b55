/*
 * The predefined extensions of observables (S-064) and what is embedded in them.
 */
#include "stix/types_table.h"

/* Counts without an upper bound of their own end where JSON's integers do (S-005). */
#define MAX INT64_C(9007199254740991)

static const struct stix_targets to_artifact = {
    .types = {"artifact"},
    .message = "must point to an artifact",
};
static const struct stix_targets to_file = {
    .types = {"file"},
    .message = "must point to a file",
};
static const struct stix_targets to_file_directory = {
    .types = {"directory", "file"},
    .message = "must point to a file or a directory",
};

/* clang-format off */
static const struct stix_prop data_stream_props[] = {
    {.name = "hashes", .value = STIX_HASHES},
    {.name = "name", .need = STIX_REQUIRED},
    {.name = "size", .value = STIX_INTEGER, .min = 0, .max = MAX},
};

static const struct stix_type data_stream = {
    .name = "alternate-data-stream", STIX_PROPS(data_stream_props)};

static const struct stix_prop section_props[] = {
    {.name = "entropy", .value = STIX_FLOAT},
    {.name = "hashes", .value = STIX_HASHES},
    {.name = "name", .need = STIX_REQUIRED},
    {.name = "size", .value = STIX_INTEGER, .min = 0, .max = MAX},
};

static const struct stix_type section = {.name = "windows-pe-section", STIX_PROPS(section_props)};

static const struct stix_prop optional_header_props[] = {
    {.name = "address_of_entry_point", .value = STIX_INTEGER},
    {.name = "base_of_code", .value = STIX_INTEGER},
    {.name = "base_of_data", .value = STIX_INTEGER},
    {.name = "checksum_hex", .form = &stix_form_hex},
    {.name = "dll_characteristics_hex", .form = &stix_form_hex},
    {.name = "file_alignment", .value = STIX_INTEGER},
    {.name = "hashes", .value = STIX_HASHES},
    {.name = "image_base", .value = STIX_INTEGER},
    {.name = "loader_flags_hex", .form = &stix_form_hex},
    {.name = "magic_hex", .form = &stix_form_hex},
    {.name = "major_image_version", .value = STIX_INTEGER},
    {.name = "major_linker_version", .value = STIX_INTEGER},
    {.name = "major_os_version", .value = STIX_INTEGER},
    {.name = "major_subsystem_version", .value = STIX_INTEGER},
    {.name = "minor_image_version", .value = STIX_INTEGER},
    {.name = "minor_linker_version", .value = STIX_INTEGER},
    {.name = "minor_os_version", .value = STIX_INTEGER},
    {.name = "minor_subsystem_version", .value = STIX_INTEGER},
    {.name = "number_of_rva_and_sizes", .value = STIX_INTEGER},
    {.name = "section_alignment", .value = STIX_INTEGER},
    {.name = "size_of_code", .value = STIX_INTEGER, .min = 0, .max = MAX},
    {.name = "size_of_headers", .value = STIX_INTEGER, .min = 0, .max = MAX},
    {.name = "size_of_heap_commit", .value = STIX_INTEGER, .min = 0, .max = MAX},
    {.name = "size_of_heap_reserve", .value = STIX_INTEGER, .min = 0, .max = MAX},
    {.name = "size_of_image", .value = STIX_INTEGER, .min = 0, .max = MAX},
    {.name = "size_of_initialized_data", .value = STIX_INTEGER, .min = 0, .max = MAX},
    {.name = "size_of_stack_commit", .value = STIX_INTEGER, .min = 0, .max = MAX},
    {.name = "size_of_stack_reserve", .value = STIX_INTEGER, .min = 0, .max = MAX},
    {.name = "size_of_uninitialized_data", .value = STIX_INTEGER, .min = 0, .max = MAX},
    {.name = "subsystem_hex", .form = &stix_form_hex},
    {.name = "win32_version_value_hex", .form = &stix_form_hex},
};

static const struct stix_type optional_header = {
    .name = "windows-pe-optional-header", STIX_PROPS(optional_header_props), .some = "S-064"};

static const struct stix_prop archive_ext_props[] = {
    {.name = "comment"},
    {.name = "contains_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST, .need = STIX_REQUIRED,
     .targets = &to_file_directory},
};

static const struct stix_prop ntfs_ext_props[] = {
    {.name = "alternate_data_streams", .value = STIX_EMBEDDED, .shape = STIX_LIST,
     .object = &data_stream},
    {.name = "sid"},
};

static const struct stix_prop pdf_ext_props[] = {
    {.name = "document_info_dict", .shape = STIX_DICT},
    {.name = "is_optimized", .value = STIX_BOOLEAN},
    {.name = "pdfid0"},
    {.name = "pdfid1"},
    {.name = "version"},
};

static const struct stix_prop raster_image_ext_props[] = {
    {.name = "bits_per_pixel", .value = STIX_INTEGER},
    {.name = "exif_tags", .value = STIX_INT_OR_STRING, .shape = STIX_DICT},
    {.name = "image_height", .value = STIX_INTEGER},
    {.name = "image_width", .value = STIX_INTEGER},
};

/* pe_type and one more (S-064). */
static const struct stix_prop windows_pebinary_ext_props[] = {
    {.name = "characteristics_hex", .form = &stix_form_hex},
    {.name = "file_header_hashes", .value = STIX_HASHES},
    {.name = "imphash"},
    {.name = "machine_hex", .form = &stix_form_hex},
    {.name = "number_of_sections", .value = STIX_INTEGER, .min = 0, .max = MAX},
    {.name = "number_of_symbols", .value = STIX_INTEGER, .min = 0, .max = MAX},
    {.name = "optional_header", .value = STIX_EMBEDDED, .object = &optional_header},
    {.name = "pe_type", .need = STIX_REQUIRED, .vocab = &stix_vocab_windows_pebinary_type},
    {.name = "pointer_to_symbol_table_hex", .form = &stix_form_hex},
    {.name = "sections", .value = STIX_EMBEDDED, .shape = STIX_LIST, .object = &section},
    {.name = "size_of_optional_header", .value = STIX_INTEGER, .min = 0, .max = MAX},
    {.name = "time_date_stamp", .value = STIX_TIMESTAMP, .form = &stix_form_second},
};

static const struct stix_prop http_request_ext_props[] = {
    {.name = "message_body_data_ref", .value = STIX_IDENTIFIER, .targets = &to_artifact},
    {.name = "message_body_length", .value = STIX_INTEGER},
    {.name = "request_header", .shape = STIX_DICT_OF_LIST},
    {.name = "request_method", .need = STIX_REQUIRED},
    {.name = "request_value", .need = STIX_REQUIRED},
    {.name = "request_version"},
};

static const struct stix_prop icmp_ext_props[] = {
    {.name = "icmp_code_hex", .need = STIX_REQUIRED, .form = &stix_form_hex},
    {.name = "icmp_type_hex", .need = STIX_REQUIRED, .form = &stix_form_hex},
};

static const struct stix_prop socket_ext_props[] = {
    {.name = "address_family", .need = STIX_REQUIRED,
     .vocab = &stix_vocab_network_socket_address_family},
    {.name = "is_blocking", .value = STIX_BOOLEAN},
    {.name = "is_listening", .value = STIX_BOOLEAN},
    {.name = "options", .value = STIX_INTEGER, .shape = STIX_DICT},
    {.name = "socket_descriptor", .value = STIX_INTEGER, .min = 0, .max = MAX},
    {.name = "socket_handle", .value = STIX_INTEGER},
    {.name = "socket_type", .vocab = &stix_vocab_network_socket_type},
};

static const struct stix_prop tcp_ext_props[] = {
    {.name = "dst_flags_hex", .form = &stix_form_hex},
    {.name = "src_flags_hex", .form = &stix_form_hex},
};

/* The text prints windows_title, the schemas window_title: both are known (S-033). */
static const struct stix_prop windows_process_ext_props[] = {
    {.name = "aslr_enabled", .value = STIX_BOOLEAN},
    {.name = "dep_enabled", .value = STIX_BOOLEAN},
    {.name = "integrity_level", .vocab = &stix_vocab_windows_integrity_level},
    {.name = "owner_sid"},
    {.name = "priority", .form = &stix_form_priority_class},
    {.name = "startup_info", .shape = STIX_DICT},
    {.name = "window_title"},
    {.name = "windows_title"},
};

static const struct stix_prop windows_service_ext_props[] = {
    {.name = "descriptions", .shape = STIX_LIST},
    {.name = "display_name"},
    {.name = "group_name"},
    {.name = "service_dll_refs", .value = STIX_IDENTIFIER, .shape = STIX_LIST, .targets = &to_file},
    {.name = "service_name"},
    {.name = "service_status", .vocab = &stix_vocab_windows_service_status},
    {.name = "service_type", .vocab = &stix_vocab_windows_service_type},
    {.name = "start_type", .vocab = &stix_vocab_windows_service_start_type},
};

static const struct stix_prop unix_account_ext_props[] = {
    {.name = "gid", .value = STIX_INTEGER},
    {.name = "groups", .shape = STIX_LIST},
    {.name = "home_dir"},
    {.name = "shell"},
};

const struct stix_type stix_extension_types[] = {
    {.name = "archive-ext", STIX_PROPS(archive_ext_props), .extends = "file"},
    {.name = "http-request-ext", STIX_PROPS(http_request_ext_props), .extends = "network-traffic"},
    {.name = "icmp-ext", STIX_PROPS(icmp_ext_props), .extends = "network-traffic"},
    {.name = "ntfs-ext", STIX_PROPS(ntfs_ext_props), .some = "S-064", .extends = "file"},
    {.name = "pdf-ext", STIX_PROPS(pdf_ext_props), .some = "S-064", .extends = "file"},
    {.name = "raster-image-ext", STIX_PROPS(raster_image_ext_props), .some = "S-064",
     .extends = "file"},
    {.name = "socket-ext", STIX_PROPS(socket_ext_props), .extends = "network-traffic"},
    {.name = "tcp-ext", STIX_PROPS(tcp_ext_props), .some = "S-064", .extends = "network-traffic"},
    {.name = "unix-account-ext", STIX_PROPS(unix_account_ext_props), .some = "S-064",
     .extends = "user-account"},
    {.name = "windows-pebinary-ext", STIX_PROPS(windows_pebinary_ext_props), .extends = "file"},
    {.name = "windows-process-ext", STIX_PROPS(windows_process_ext_props), .some = "S-064",
     .extends = "process"},
    {.name = "windows-service-ext", STIX_PROPS(windows_service_ext_props), .some = "S-064",
     .extends = "process"},
};
/* clang-format on */
const size_t stix_extension_types_n = sizeof stix_extension_types / sizeof stix_extension_types[0];
