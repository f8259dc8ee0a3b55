#include "stix/marking.h"

#include <string.h>

/* clang-format off */
#define TLP1(uuid, word, name) \
    "{\"created\":\"2017-01-20T00:00:00.000Z\",\"definition\":{\"tlp\":\"" word "\"}," \
    "\"definition_type\":\"tlp\",\"id\":\"marking-definition--" uuid "\",\"name\":\"" name "\"," \
    "\"spec_version\":\"2.1\",\"type\":\"marking-definition\"}"
#define TLP2(uuid, word, name) \
    "{\"created\":\"2022-10-01T00:00:00.000Z\",\"extensions\":{" \
    "\"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d\":{" \
    "\"extension_type\":\"property-extension\",\"tlp_2_0\":\"" word "\"}}," \
    "\"id\":\"marking-definition--" uuid "\",\"name\":\"" name "\"," \
    "\"spec_version\":\"2.1\",\"type\":\"marking-definition\"}"
#define ROW1(uuid, level, word, name) \
    {"marking-definition--" uuid, level, TLP1(uuid, word, name)}
#define ROW2(uuid, level, word, name) \
    {"marking-definition--" uuid, level, TLP2(uuid, word, name)}

struct marking {
    const char *id;
    enum stix_tlp level;
    const char *object; /* NULL: the id is understood, but the object is not ours to write */
};

static const struct marking markings[] = {
    /* TLP 2.0 (S-070) */
    ROW2("94868c89-83c2-464b-929b-a1a8aa3c8487", STIX_TLP_CLEAR, "clear", "TLP:CLEAR"),
    ROW2("bab4a63c-aed9-4cf5-a766-dfca5abac2bb", STIX_TLP_GREEN, "green", "TLP:GREEN"),
    ROW2("55d920b0-5e8b-4f79-9ee9-91f868d9b421", STIX_TLP_AMBER, "amber", "TLP:AMBER"),
    ROW2("939a9414-2ddd-4d32-a0cd-375ea402b003", STIX_TLP_AMBER_STRICT, "amber+strict",
         "TLP:AMBER+STRICT"),
    ROW2("e828b379-4e03-4974-9ac4-e53a884c97c1", STIX_TLP_RED, "red", "TLP:RED"),
    /* TLP 1.0 (S-069); S-071 says what they equal */
    ROW1("613f2e26-407d-48c7-9eca-b8e91df99dc9", STIX_TLP_CLEAR, "white", "TLP:WHITE"),
    ROW1("34098fce-860f-48ae-8e50-ebd3cc5e41da", STIX_TLP_GREEN, "green", "TLP:GREEN"),
    ROW1("f88d31f6-486f-44da-b317-01333bde0b82", STIX_TLP_AMBER, "amber", "TLP:AMBER"),
    ROW1("5e57c739-391a-4eb3-b6be-7d15ca92d5ed", STIX_TLP_RED, "red", "TLP:RED"),
    /* OpenCTI's own object for amber+strict, older than TLP 2.0's */
    {"marking-definition--826578e1-40ad-459f-bc73-ede076f81f37", STIX_TLP_AMBER_STRICT, NULL},
};

struct word {
    const char *word;
    enum stix_tlp level;
};

static const struct word words[] = {
    {"none", STIX_TLP_NONE},   {"clear", STIX_TLP_CLEAR}, {"white", STIX_TLP_CLEAR},
    {"green", STIX_TLP_GREEN}, {"amber", STIX_TLP_AMBER}, {"amber+strict", STIX_TLP_AMBER_STRICT},
    {"red", STIX_TLP_RED},
};
/* clang-format on */

static const struct marking *find(struct isg_str id)
{
    for (size_t i = 0; i < sizeof markings / sizeof markings[0]; i++)
        if (isg_str_ieq(id, isg_str_of(markings[i].id)))
            return &markings[i];
    return NULL;
}

enum stix_tlp stix_tlp_of_marking(struct isg_str marking_id)
{
    const struct marking *marking = find(marking_id);
    return marking != NULL ? marking->level : STIX_TLP_UNKNOWN;
}

static enum stix_tlp stricter(enum stix_tlp a, enum stix_tlp b)
{
    return a > b ? a : b;
}

/* S-071: no precedence in the standard, so the strictest; what is no id is unknown. */
static enum stix_tlp strictest_of(const struct stix_json *refs, stix_tlp_level *level_of, void *arg)
{
    enum stix_tlp level = STIX_TLP_NONE;
    for (size_t i = 0; i < stix_json_size(refs); i++)
        level = stricter(level, level_of(arg, stix_json_str(stix_json_at(refs, i))));
    return level;
}

static enum stix_tlp own_strictest(const struct stix_json *object, stix_tlp_level *level_of,
                                   void *arg)
{
    const struct stix_json *refs = stix_json_get(object, "object_marking_refs");
    if (refs != NULL && stix_json_type(refs) != STIX_JSON_LIST)
        return STIX_TLP_UNKNOWN;
    return strictest_of(refs, level_of, arg);
}

enum stix_tlp stix_tlp_strictest_by(const struct stix_json *object, stix_tlp_level *level_of,
                                    void *arg)
{
    enum stix_tlp level = own_strictest(object, level_of, arg);
    const struct stix_json *granular = stix_json_get(object, "granular_markings");
    for (size_t i = 0; i < stix_json_size(granular); i++) {
        const struct stix_json *ref = stix_json_get(stix_json_at(granular, i), "marking_ref");
        if (ref != NULL) /* one with `lang` marks no secrecy */
            level = stricter(level, level_of(arg, stix_json_str(ref)));
    }
    return level;
}

static enum stix_tlp tlp_only(void *arg, struct isg_str marking_id)
{
    (void)arg;
    return stix_tlp_of_marking(marking_id);
}

enum stix_tlp stix_tlp_of_object(const struct stix_json *object)
{
    return own_strictest(object, tlp_only, NULL);
}

enum stix_tlp stix_tlp_strictest(const struct stix_json *object)
{
    return stix_tlp_strictest_by(object, tlp_only, NULL);
}

const char *stix_tlp_marking_id(enum stix_tlp level)
{
    for (size_t i = 0; i < sizeof markings / sizeof markings[0]; i++)
        if (markings[i].level == level)
            return markings[i].id; /* the rows of TLP 2.0 come first */
    return NULL;
}

const char *stix_tlp_name(enum stix_tlp level)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (words[i].level == level)
            return words[i].word;
    return "unknown";
}

enum stix_tlp stix_tlp_of_name(struct isg_str name)
{
    static const struct isg_str prefix = {"TLP:", 4};
    name = isg_str_trim(name);
    if (name.n >= prefix.n && isg_str_ieq((struct isg_str){name.p, prefix.n}, prefix))
        name = isg_str_from(name, prefix.n);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (isg_str_ieq(name, isg_str_of(words[i].word)))
            return words[i].level;
    return STIX_TLP_UNKNOWN;
}

const char *stix_tlp_object(struct isg_str marking_id)
{
    const struct marking *marking = find(marking_id);
    return marking != NULL ? marking->object : NULL;
}
