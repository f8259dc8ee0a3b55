#include "feeds/extensions.h"

#include <string.h>

#include "stix/marking.h"

/* Who defines the extensions: the project, not the organisation that runs a gateway. */
#define PROJECT_IDENTITY "identity--3c1f6c0e-7a52-4c5b-9a1e-64d0a8b7f215"

/* One definition; schema is a JSON Schema of the entry's own properties. */
struct extension {
    const char *id;
    const char *name;
    const char *description;
    const char *schema;
};

static const struct extension extensions[] = {
    {MAP_EXTENSION_DEVICE, "medical device",
     "A medical device model with a version range, on infrastructure.",
     "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\","
     "\"required\":[\"extension_type\",\"manufacturer_ref\",\"model\"],\"properties\":{"
     "\"extension_type\":{\"const\":\"property-extension\"},"
     "\"manufacturer_ref\":{\"type\":\"string\"},\"model\":{\"type\":\"string\"},"
     "\"trade_names\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
     "\"versions\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"kind\",\"raw\"]}}"
     "}}"},
    {MAP_EXTENSION_RISK, "medical risk",
     "Scores and exploitation facts of a vulnerability, and the kind of a remediation.",
     "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\","
     "\"required\":[\"extension_type\"],\"properties\":{"
     "\"extension_type\":{\"const\":\"property-extension\"},"
     "\"cvss\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"version\",\"vector\"],"
     "\"properties\":{\"version\":{\"type\":\"string\"},\"vector\":{\"type\":\"string\"},"
     "\"base_score\":{\"type\":\"number\"},\"source\":{\"type\":\"string\"}}}},"
     "\"epss\":{\"type\":\"object\"},\"kev\":{\"type\":\"boolean\"},"
     "\"kev_entry\":{\"type\":\"object\",\"properties\":{\"dateAdded\":{\"type\":\"string\"},"
     "\"dueDate\":{\"type\":\"string\"},\"ransomware\":{\"enum\":[true,false,\"unknown\"]},"
     "\"action\":{\"type\":\"string\"},\"reference\":{\"type\":\"string\"},"
     "\"notes\":{\"type\":\"string\"}}},"
     "\"exploitability\":{\"type\":\"string\"},\"remediation_category\":{\"type\":\"string\"},"
     "\"restart_required\":{\"type\":\"string\"}}}"},
    {MAP_EXTENSION_PRODUCT_STATUS, "product status",
     "What a relationship between a product and a vulnerability says of the product (VEX).",
     "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\","
     "\"required\":[\"extension_type\",\"status\"],\"properties\":{"
     "\"extension_type\":{\"const\":\"property-extension\"},"
     "\"status\":{\"enum\":[\"known_affected\",\"known_not_affected\",\"fixed\",\"first_fixed\","
     "\"under_investigation\",\"recommended\"]},\"justification\":{\"type\":\"string\"},"
     "\"source_product_id\":{\"type\":\"string\"}}}"},
    {MAP_EXTENSION_REPORT, "advisory report",
     "Acknowledgments of an advisory, and the recall it belongs to.",
     "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\","
     "\"required\":[\"extension_type\"],\"properties\":{"
     "\"extension_type\":{\"const\":\"property-extension\"},"
     "\"acknowledgments\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
     "\"names\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
     "\"organization\":{\"type\":\"string\"},\"summary\":{\"type\":\"string\"},"
     "\"urls\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}},"
     "\"recall\":{\"type\":\"object\"}}}"},
};

const char *feed_clear_marking(void)
{
    return stix_tlp_marking_id(STIX_TLP_CLEAR);
}

static void project_write(struct map *map)
{
    map_begin(map, &(struct map_head){"identity", PROJECT_IDENTITY, MAP_EPOCH, MAP_EPOCH, NULL});
    isg_jsonw_put(&map->w, "name", "ISAO Gateway extensions");
    isg_jsonw_put(&map->w, "identity_class", "organization");
    map_end(map, NULL);
}

static void definition_write(struct map *map, const struct extension *extension)
{
    map_begin(map, &(struct map_head){"extension-definition", extension->id, MAP_EPOCH, MAP_EPOCH,
                                      PROJECT_IDENTITY});
    isg_jsonw_put(&map->w, "name", extension->name);
    isg_jsonw_put(&map->w, "description", extension->description);
    isg_jsonw_put(&map->w, "schema", extension->schema);
    isg_jsonw_put(&map->w, "version", "1.0.0");
    isg_jsonw_name(&map->w, "extension_types");
    isg_jsonw_list(&map->w);
    isg_jsonw_str(&map->w, ISG_STR("property-extension"));
    isg_jsonw_end(&map->w);
    map_end(map, NULL);
}

void extension_write(struct map *map, const char *id)
{
    for (size_t i = 0; i < sizeof extensions / sizeof extensions[0]; i++) {
        if (strcmp(extensions[i].id, id) != 0)
            continue;
        if (map_is_new(map, PROJECT_IDENTITY))
            project_write(map);
        if (map_is_new(map, id))
            definition_write(map, &extensions[i]);
    }
}
