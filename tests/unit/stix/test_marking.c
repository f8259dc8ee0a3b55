/* TLP: nine frozen objects, one order of strictness (S-069 to S-071). */
#include <stdlib.h>

#include "stix/marking.h"
#include "tests/support/tap.h"

#define ID(uuid) "marking-definition--" uuid

struct row {
    const char *id;
    enum stix_tlp level;
    const char *object; /* NULL: none of the nine */
};

/* clang-format off */
static const struct row rows[] = {
    {ID("613f2e26-407d-48c7-9eca-b8e91df99dc9"), STIX_TLP_CLEAR,
     "{\"created\":\"2017-01-20T00:00:00.000Z\",\"definition\":{\"tlp\":\"white\"},"
     "\"definition_type\":\"tlp\",\"id\":\"marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9\","
     "\"name\":\"TLP:WHITE\",\"spec_version\":\"2.1\",\"type\":\"marking-definition\"}"},
    {ID("34098fce-860f-48ae-8e50-ebd3cc5e41da"), STIX_TLP_GREEN,
     "{\"created\":\"2017-01-20T00:00:00.000Z\",\"definition\":{\"tlp\":\"green\"},"
     "\"definition_type\":\"tlp\",\"id\":\"marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da\","
     "\"name\":\"TLP:GREEN\",\"spec_version\":\"2.1\",\"type\":\"marking-definition\"}"},
    {ID("f88d31f6-486f-44da-b317-01333bde0b82"), STIX_TLP_AMBER,
     "{\"created\":\"2017-01-20T00:00:00.000Z\",\"definition\":{\"tlp\":\"amber\"},"
     "\"definition_type\":\"tlp\",\"id\":\"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82\","
     "\"name\":\"TLP:AMBER\",\"spec_version\":\"2.1\",\"type\":\"marking-definition\"}"},
    {ID("5e57c739-391a-4eb3-b6be-7d15ca92d5ed"), STIX_TLP_RED,
     "{\"created\":\"2017-01-20T00:00:00.000Z\",\"definition\":{\"tlp\":\"red\"},"
     "\"definition_type\":\"tlp\",\"id\":\"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed\","
     "\"name\":\"TLP:RED\",\"spec_version\":\"2.1\",\"type\":\"marking-definition\"}"},
    {ID("94868c89-83c2-464b-929b-a1a8aa3c8487"), STIX_TLP_CLEAR,
     "{\"created\":\"2022-10-01T00:00:00.000Z\",\"extensions\":"
     "{\"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d\":"
     "{\"extension_type\":\"property-extension\",\"tlp_2_0\":\"clear\"}},"
     "\"id\":\"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487\","
     "\"name\":\"TLP:CLEAR\",\"spec_version\":\"2.1\",\"type\":\"marking-definition\"}"},
    {ID("939a9414-2ddd-4d32-a0cd-375ea402b003"), STIX_TLP_AMBER_STRICT,
     "{\"created\":\"2022-10-01T00:00:00.000Z\",\"extensions\":"
     "{\"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d\":"
     "{\"extension_type\":\"property-extension\",\"tlp_2_0\":\"amber+strict\"}},"
     "\"id\":\"marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003\","
     "\"name\":\"TLP:AMBER+STRICT\",\"spec_version\":\"2.1\",\"type\":\"marking-definition\"}"},
    {ID("826578e1-40ad-459f-bc73-ede076f81f37"), STIX_TLP_AMBER_STRICT, NULL},
    {ID("613F2E26-407D-48C7-9ECA-B8E91DF99DC9"), STIX_TLP_CLEAR, ""},
    {ID("00000000-0000-4000-8000-000000000000"), STIX_TLP_UNKNOWN, NULL},
    {"", STIX_TLP_UNKNOWN, NULL},
};
/* clang-format on */

static void test_markings(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct isg_str id = isg_str_of(rows[i].id);
        is_int(stix_tlp_of_marking(id), rows[i].level, "level of %s", rows[i].id);
        if (rows[i].object == NULL || rows[i].object[0] != '\0')
            is_str(stix_tlp_object(id), rows[i].object, "object of %s", rows[i].id);
        else
            ok(stix_tlp_object(id) != NULL, "object of %s", rows[i].id);
    }
}

/* Each level's own object: canonical as written, named by its id, of its level. */
static void test_objects_are_canonical(void)
{
    for (int level = STIX_TLP_CLEAR; level <= STIX_TLP_RED; level++) {
        const char *id = stix_tlp_marking_id((enum stix_tlp)level);
        const char *text = stix_tlp_object(isg_str_of(id));
        struct stix_json *json = NULL;
        struct isg_buf canon;
        isg_buf_init(&canon, ISG_BUF_NO_MAX);
        is_int(stix_json_parse(isg_str_of(text), NULL, &json, NULL), ISG_OK, "%s parses", id);
        stix_json_canon(json, &canon);
        is_str(canon.p, text, "%s is canonical", id);
        ok(isg_str_is(stix_json_get_str(json, "id"), id), "%s has its id", id);
        is_int(stix_tlp_of_name(stix_json_get_str(json, "name")), level, "%s has its name", id);
        isg_buf_done(&canon);
        stix_json_free(&json);
    }
    ok(stix_tlp_marking_id(STIX_TLP_NONE) == NULL, "none has no object");
    ok(stix_tlp_marking_id(STIX_TLP_UNKNOWN) == NULL, "unknown has no object");
}

struct object_row {
    const char *object;
    enum stix_tlp whole;
    enum stix_tlp strictest;
};

#define WHITE  "\"" ID("613f2e26-407d-48c7-9eca-b8e91df99dc9") "\""
#define GREEN2 "\"" ID("bab4a63c-aed9-4cf5-a766-dfca5abac2bb") "\""
#define AMBER  "\"" ID("f88d31f6-486f-44da-b317-01333bde0b82") "\""
#define RED2   "\"" ID("e828b379-4e03-4974-9ac4-e53a884c97c1") "\""
#define OTHER  "\"" ID("11111111-1111-4111-8111-111111111111") "\""
#define REFS   "\"object_marking_refs\":"

static const struct object_row object_rows[] = {
    {"{}", STIX_TLP_NONE, STIX_TLP_NONE},
    {"{" REFS "[" WHITE "]}", STIX_TLP_CLEAR, STIX_TLP_CLEAR},
    {"{" REFS "[" AMBER "," WHITE "," GREEN2 "]}", STIX_TLP_AMBER, STIX_TLP_AMBER},
    {"{" REFS "[" RED2 "," OTHER "]}", STIX_TLP_UNKNOWN, STIX_TLP_UNKNOWN},
    {"{" REFS "[" WHITE ",5]}", STIX_TLP_UNKNOWN, STIX_TLP_UNKNOWN},
    {"{" REFS WHITE "}", STIX_TLP_UNKNOWN, STIX_TLP_UNKNOWN},
    {"{" REFS "[" WHITE "],\"granular_markings\":[{\"lang\":\"en\",\"selectors\":[\"name\"]},"
     "{\"marking_ref\":" AMBER ",\"selectors\":[\"name\"]}]}",
     STIX_TLP_CLEAR, STIX_TLP_AMBER},
    {"{\"granular_markings\":[{\"marking_ref\":7}]}", STIX_TLP_NONE, STIX_TLP_UNKNOWN},
};

static void test_of_objects(void)
{
    for (size_t i = 0; i < sizeof object_rows / sizeof object_rows[0]; i++) {
        struct stix_json *json = NULL;
        int err = stix_json_parse(isg_str_of(object_rows[i].object), NULL, &json, NULL);
        is_int(err, ISG_OK, "%s", object_rows[i].object);
        is_int(stix_tlp_of_object(json), object_rows[i].whole, "the whole object");
        is_int(stix_tlp_strictest(json), object_rows[i].strictest, "the strictest");
        stix_json_free(&json);
    }
}

static void test_names(void)
{
    static const struct {
        const char *name;
        enum stix_tlp level;
        const char *back;
    } names[] = {
        {"clear", STIX_TLP_CLEAR, "clear"},
        {"TLP:WHITE", STIX_TLP_CLEAR, "clear"},
        {"tlp:amber+strict", STIX_TLP_AMBER_STRICT, "amber+strict"},
        {"Red", STIX_TLP_RED, "red"},
        {" TLP:GREEN ", STIX_TLP_GREEN, "green"},
        {"none", STIX_TLP_NONE, "none"},
        {"amber strict", STIX_TLP_UNKNOWN, "unknown"},
        {"", STIX_TLP_UNKNOWN, "unknown"},
        {"TLP:", STIX_TLP_UNKNOWN, "unknown"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        is_int(stix_tlp_of_name(isg_str_of(names[i].name)), names[i].level, "'%s'", names[i].name);
        is_str(stix_tlp_name(names[i].level), names[i].back, "name of its level");
    }
}

int main(void)
{
    test_markings();
    test_objects_are_canonical();
    test_of_objects();
    test_names();
    return tap_done();
}
