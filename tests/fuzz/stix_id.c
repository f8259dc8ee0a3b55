/* Identifiers, deterministic ids and TLP of any object. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stix/id.h"
#include "stix/marking.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_sco(const struct stix_json *sco)
{
    char id[STIX_ID_MAX + 1];
    char again[STIX_ID_MAX + 1];
    bool deterministic;
    struct isg_str type;
    if (stix_id_sco(sco, id, &deterministic, NULL) != ISG_OK)
        return;
    if (!stix_id_split(isg_str_of(id), &type, NULL) ||
        !isg_str_eq(type, stix_json_get_str(sco, "type")))
        abort();
    if (stix_id_sco(sco, again, NULL, NULL) != ISG_OK || deterministic != (strcmp(id, again) == 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct isg_str text = {(const char *)data, size};
    struct isg_str type;
    struct isg_str uuid;
    struct stix_json *json = NULL;
    if (stix_id_split(text, &type, &uuid) && type.n + 2 + uuid.n != size)
        abort();
    (void)stix_tlp_of_name(text);
    if (stix_json_parse(text, NULL, &json, NULL) == ISG_OK) {
        check_sco(json);
        if (stix_tlp_strictest(json) < stix_tlp_of_object(json))
            abort();
    }
    stix_json_free(&json);
    return 0;
}
