#include "stix/extensions.h"

#include "stix/base/jsonw.h"
#include "stix/marking.h"

/* Created and last changed: fixed, as the objects are the same everywhere. */
#define EPOCH "2020-01-01T00:00:00.000Z"

/* clang-format off */
static const struct stix_extension extensions[] = {
    {STIX_EXTENSION_DEVICE, "device", "medical device",
     "A medical device model with a version range, on infrastructure.",
     "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\","
     "\"required\":[\"extension_type\",\"manufacturer_ref\",\"model\"],\"properties\":{"
     "\"extension_type\":{\"const\":\"property-extension\"},"
     "\"manufacturer_ref\":{\"type\":\"string\"},\"model\":{\"type\":\"string\"},"
     "\"trade_names\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
     "\"versions\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"kind\",\"raw\"]}}"
     "}}",
     "1.0.0", {"infrastructure"}},
    {STIX_EXTENSION_RISK, "risk", "medical risk",
     "Scores and exploitation facts of a vulnerability, and the kind of a remediation.",
     "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\","
     "\"required\":[\"extension_type\"],\"properties\":{"
     "\"extension_type\":{\"const\":\"property-extension\"},"
     "\"cvss\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"version\",\"vector\"],"
     "\"properties\":{\"version\":{\"type\":\"string\"},\"vector\":{\"type\":\"string\"},"
     "\"base_score\":{\"type\":\"number\"},\"source\":{\"type\":\"string\"},"
     "\"type\":{\"type\":\"string\"},\"headline\":{\"type\":\"boolean\"}}}},"
     "\"cpe_matches\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"criteria\"]}},"
     "\"epss\":{\"type\":\"object\",\"properties\":{\"score\":{\"type\":\"number\"},"
     "\"percentile\":{\"type\":\"number\"},\"date\":{\"type\":\"string\"},\"model\":{\"type\":\"string\"}}},\"kev\":{\"type\":\"boolean\"},"
     "\"kev_entry\":{\"type\":\"object\",\"properties\":{\"dateAdded\":{\"type\":\"string\"},"
     "\"dueDate\":{\"type\":\"string\"},\"ransomware\":{\"enum\":[true,false,\"unknown\"]},"
     "\"action\":{\"type\":\"string\"},\"reference\":{\"type\":\"string\"},"
     "\"notes\":{\"type\":\"string\"}}},"
     "\"exploitability\":{\"type\":\"string\"},\"remediation_category\":{\"type\":\"string\"},"
     "\"restart_required\":{\"type\":\"string\"}}}",
     "1.0.0", {"vulnerability", "course-of-action"}},
    {STIX_EXTENSION_HANDLING, "handling", "handling",
     "Who may read what is marked, from when, in which detail, and by whose consent.",
     "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\","
     "\"required\":[\"extension_type\"],"
     "\"properties\":{\"extension_type\":{\"const\":\"property-extension\"},"
     "\"audience_kinds\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
     "\"recipients\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
     "\"embargo_until\":{\"type\":\"string\",\"format\":\"date-time\"},"
     "\"case_id\":{\"type\":\"string\"},\"consent\":{\"type\":\"object\","
     "\"additionalProperties\":{\"type\":\"boolean\"}},"
     "\"source_anonymous\":{\"type\":\"boolean\"},\"detail_level\":{\"type\":\"integer\","
     "\"minimum\":0,\"maximum\":3},\"legal_basis\":{\"type\":\"string\"}}}",
     "1.0.0", {"marking-definition"}},
    {STIX_EXTENSION_NOTICE, "notice", "end of support notice",
     "The dates at which sale and support of a device end, and what replaces it.",
     "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\","
     "\"required\":[\"extension_type\"],"
     "\"properties\":{\"extension_type\":{\"const\":\"property-extension\"},"
     "\"sale_start\":{\"anyOf\":[{\"type\":\"string\",\"format\":\"date-time\"},"
     "{\"const\":\"tba\"}]},\"sale_end\":{\"anyOf\":[{\"type\":\"string\","
     "\"format\":\"date-time\"},{\"const\":\"tba\"}]},"
     "\"security_support_end\":{\"anyOf\":[{\"type\":\"string\",\"format\":\"date-time\"},"
     "{\"const\":\"tba\"}]},\"guaranteed_support_end\":{\"anyOf\":[{\"type\":\"string\","
     "\"format\":\"date-time\"},{\"const\":\"tba\"}]},"
     "\"all_support_end\":{\"anyOf\":[{\"type\":\"string\",\"format\":\"date-time\"},"
     "{\"const\":\"tba\"}]},\"source\":{\"type\":\"string\"},"
     "\"replacement\":{\"type\":\"string\"},\"transfer_doc_hash\":{\"type\":\"string\"}}}",
     "1.0.0", {"note"}},
    {STIX_EXTENSION_PRODUCT_STATUS, "product-status", "product status",
     "What a relationship between a product and a vulnerability says of the product (VEX).",
     "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\","
     "\"required\":[\"extension_type\",\"status\"],\"properties\":{"
     "\"extension_type\":{\"const\":\"property-extension\"},"
     "\"status\":{\"enum\":[\"known_affected\",\"known_not_affected\",\"fixed\",\"first_fixed\","
     "\"under_investigation\",\"recommended\"]},\"justification\":{\"type\":\"string\"},"
     "\"source_product_id\":{\"type\":\"string\"}}}",
     "1.0.0", {"relationship"}},
    {STIX_EXTENSION_WITHHELD, "withheld", "withheld properties",
     "Names of the properties that a reduced form of an object leaves out.",
     "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\","
     "\"required\":[\"extension_type\",\"withheld\"],"
     "\"properties\":{\"extension_type\":{\"const\":\"property-extension\"},"
     "\"withheld\":{\"type\":\"array\",\"minItems\":1,\"items\":{\"type\":\"string\"}}}}",
     "1.0.0", {NULL}},
    {STIX_EXTENSION_REPORT, "report", "advisory report",
     "Acknowledgments of an advisory, and the recall it belongs to.",
     "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\","
     "\"required\":[\"extension_type\"],\"properties\":{"
     "\"extension_type\":{\"const\":\"property-extension\"},"
     "\"acknowledgments\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
     "\"names\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
     "\"organization\":{\"type\":\"string\"},\"summary\":{\"type\":\"string\"},"
     "\"urls\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}},"
     "\"recall\":{\"type\":\"object\"}}}",
     "1.0.0", {"report"}},
    {STIX_EXTENSION_SIGNATURE, "signature", "signature",
     "A detached signature over an object that the gateway itself made.",
     "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\","
     "\"required\":[\"extension_type\",\"jws\"],"
     "\"properties\":{\"extension_type\":{\"const\":\"property-extension\"},"
     "\"jws\":{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9_-]+[.][.][A-Za-z0-9_-]+$\"}}}",
     "1.0.0", {NULL}},
    {.id = NULL},
};
/* clang-format on */

const struct stix_extension *stix_extensions(void)
{
    return extensions;
}

const struct stix_extension *stix_extension_of(struct isg_str id)
{
    for (const struct stix_extension *row = extensions; row->id != NULL; row++)
        if (isg_str_ieq(id, isg_str_of(row->id)))
            return row;
    return NULL;
}

static void begin(struct isg_jsonw *w, const char *type, const char *id, const char *creator)
{
    isg_jsonw_object(w);
    isg_jsonw_put(w, "type", type);
    isg_jsonw_put(w, "spec_version", "2.1");
    isg_jsonw_put(w, "id", id);
    isg_jsonw_put(w, "created_by_ref", creator);
    isg_jsonw_put(w, "created", EPOCH);
    isg_jsonw_put(w, "modified", EPOCH);
    isg_jsonw_name(w, "object_marking_refs");
    isg_jsonw_list(w);
    isg_jsonw_str(w, isg_str_of(stix_tlp_marking_id(STIX_TLP_CLEAR)));
    isg_jsonw_end(w);
}

void stix_extension_write(const struct stix_extension *extension, struct isg_buf *out)
{
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    begin(&w, "extension-definition", extension->id, STIX_EXTENSION_CREATOR);
    isg_jsonw_put(&w, "name", extension->name);
    isg_jsonw_put(&w, "description", extension->description);
    isg_jsonw_put(&w, "schema", extension->schema);
    isg_jsonw_put(&w, "version", extension->version);
    isg_jsonw_name(&w, "extension_types");
    isg_jsonw_list(&w);
    isg_jsonw_str(&w, ISG_STR("property-extension"));
    isg_jsonw_end(&w);
    isg_jsonw_end(&w);
}

void stix_extension_creator_write(struct isg_buf *out)
{
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    begin(&w, "identity", STIX_EXTENSION_CREATOR, NULL);
    isg_jsonw_put(&w, "name", "ISAO Gateway extensions");
    isg_jsonw_put(&w, "identity_class", "organization");
    isg_jsonw_end(&w);
}
