/*
 * What the project's own extensions hold (extensions.h). Members no row names are let pass: a
 * later version may have more.
 */
#include "stix/extensions.h"
#include "stix/types_table.h"

#define VOCAB(name, title, ...)                              \
    static const char *const name##_words[] = {__VA_ARGS__}; \
    static const struct stix_vocab name = {                  \
        (title), false, sizeof name##_words / sizeof name##_words[0], name##_words}

/* clang-format off */
VOCAB(issuers, "gs1, hibcc, iccbba", "gs1", "hibcc", "iccbba");
VOCAB(version_kinds, "the kinds of version",
      "all", "exact", "list", "range", "text", "wildcard");
VOCAB(device_classes, "the classes of device",
      "dispensing", "imaging", "imaging-it", "implant", "infusion", "lab", "monitoring", "other",
      "programmer", "surgical", "ventilation");
VOCAB(fda_classes, "I, II, III", "I", "II", "III");
VOCAB(statuses, "the product states",
      "first_fixed", "fixed", "known_affected", "known_not_affected", "recommended",
      "under_investigation");

#define KIND {.name = "extension_type"}

static const struct stix_prop udi_props[] = {
    {.name = "di", .need = STIX_REQUIRED},
    {.name = "issuer", .need = STIX_REQUIRED, .vocab = &issuers},
};

static const struct stix_type udi = {.name = "a device identifier", STIX_PROPS(udi_props)};

/* What a source wrote of a version is always kept: raw. */
static const struct stix_prop version_props[] = {
    {.name = "eq", .shape = STIX_LIST},
    {.name = "ge"},
    {.name = "gt"},
    {.name = "kind", .need = STIX_REQUIRED, .vocab = &version_kinds},
    {.name = "le"},
    {.name = "lt"},
    {.name = "raw", .need = STIX_REQUIRED},
};

static const struct stix_type version = {.name = "a range of versions", STIX_PROPS(version_props)};

static const struct stix_prop device_props[] = {
    {.name = "catalog_numbers", .shape = STIX_LIST},
    {.name = "connects", .value = STIX_BOOLEAN},
    {.name = "cpe", .shape = STIX_LIST, .form = &stix_form_cpe},
    {.name = "device_class_hint", .vocab = &device_classes},
    {.name = "essential_performance", .shape = STIX_LIST},
    KIND,
    {.name = "fda_class", .vocab = &fda_classes},
    {.name = "fda_product_code", .shape = STIX_LIST},
    {.name = "fda_tier", .value = STIX_INTEGER, .min = 1, .max = 2},
    {.name = "gmdn", .shape = STIX_LIST},
    {.name = "lifecycle", .value = STIX_ANY},
    {.name = "manufacturer_ref", .value = STIX_IDENTIFIER, .need = STIX_REQUIRED,
     .targets = &stix_to_identity},
    {.name = "mds2", .value = STIX_ANY},
    {.name = "model", .need = STIX_REQUIRED},
    {.name = "multi_patient_harm", .value = STIX_BOOLEAN},
    {.name = "purl", .shape = STIX_LIST},
    {.name = "regions", .shape = STIX_LIST, .form = &stix_form_country},
    {.name = "sbom", .value = STIX_ANY},
    {.name = "trade_names", .shape = STIX_LIST},
    {.name = "udi_di", .value = STIX_EMBEDDED, .shape = STIX_LIST, .object = &udi},
    {.name = "versions", .value = STIX_EMBEDDED, .shape = STIX_LIST, .object = &version},
};

static const struct stix_prop score_props[] = {
    {.name = "base_score", .value = STIX_FLOAT, .min = 0, .max = 10},
    {.name = "rubric", .value = STIX_ANY},
    {.name = "source"},
    {.name = "vector", .need = STIX_REQUIRED},
    {.name = "version", .need = STIX_REQUIRED},
};

static const struct stix_type score = {.name = "a score", STIX_PROPS(score_props)};

static const struct stix_prop risk_props[] = {
    {.name = "clinical_note"},
    {.name = "cvss", .value = STIX_EMBEDDED, .shape = STIX_LIST, .object = &score},
    {.name = "epss", .value = STIX_ANY},
    {.name = "exploitability"},
    KIND,
    {.name = "harm_severity"},
    {.name = "kev", .value = STIX_BOOLEAN},
    {.name = "kev_entry", .value = STIX_ANY},
    {.name = "remediation_category"},
    {.name = "restart_required"},
    {.name = "risk_state"},
};

static const struct stix_prop handling_props[] = {
    {.name = "audience_kinds", .shape = STIX_LIST},
    {.name = "case_id"},
    {.name = "consent", .value = STIX_BOOLEAN, .shape = STIX_DICT},
    {.name = "detail_level", .value = STIX_INTEGER, .min = 0, .max = 3},
    {.name = "embargo_until", .value = STIX_TIMESTAMP},
    KIND,
    {.name = "legal_basis"},
    {.name = "recipients", .value = STIX_IDENTIFIER, .shape = STIX_LIST, .targets = &stix_to_identity},
    {.name = "source_anonymous", .value = STIX_BOOLEAN},
};

/* Dates are timestamps or "tba". */
static const struct stix_prop notice_props[] = {
    {.name = "all_support_end"},
    KIND,
    {.name = "guaranteed_support_end"},
    {.name = "replacement"},
    {.name = "sale_end"},
    {.name = "sale_start"},
    {.name = "security_support_end"},
    {.name = "source"},
    {.name = "transfer_doc_hash"},
};

static const struct stix_prop product_status_props[] = {
    KIND,
    {.name = "justification"},
    {.name = "source_product_id"},
    {.name = "status", .need = STIX_REQUIRED, .vocab = &statuses},
};

static const struct stix_prop withheld_props[] = {
    KIND,
    {.name = "withheld", .shape = STIX_LIST, .need = STIX_REQUIRED},
};

static const struct stix_prop report_props[] = {
    {.name = "acknowledgments", .value = STIX_ANY, .shape = STIX_LIST},
    KIND,
    {.name = "recall", .value = STIX_ANY},
};

static const struct stix_prop signature_props[] = {
    KIND,
    {.name = "jws", .need = STIX_REQUIRED},
};

static const struct {
    const char *id;
    struct stix_type type;
} own[] = {
    {STIX_EXTENSION_DEVICE, {.name = "the device extension", STIX_PROPS(device_props)}},
    {STIX_EXTENSION_RISK, {.name = "the risk extension", STIX_PROPS(risk_props)}},
    {STIX_EXTENSION_HANDLING, {.name = "the handling extension", STIX_PROPS(handling_props)}},
    {STIX_EXTENSION_NOTICE, {.name = "the notice extension", STIX_PROPS(notice_props)}},
    {STIX_EXTENSION_PRODUCT_STATUS,
     {.name = "the product-status extension", STIX_PROPS(product_status_props)}},
    {STIX_EXTENSION_WITHHELD, {.name = "the withheld extension", STIX_PROPS(withheld_props)}},
    {STIX_EXTENSION_REPORT, {.name = "the report extension", STIX_PROPS(report_props)}},
    {STIX_EXTENSION_SIGNATURE, {.name = "the signature extension", STIX_PROPS(signature_props)}},
};
/* clang-format on */

const struct stix_type *stix_own_extension_find(const char *key)
{
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (isg_str_ieq(isg_str_of(key), isg_str_of(own[i].id))) /* S-013 */
            return &own[i].type;
    return NULL;
}
