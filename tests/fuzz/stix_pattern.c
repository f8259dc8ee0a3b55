/* Any bytes as a pattern, in both versions: one of the documented codes, and no crash. */
#include <stdlib.h>

#include "stix/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct isg_str text = {(const char *)data, size};
    for (int version = STIX_PATTERN_2_1; version <= STIX_PATTERN_2_0; version++) {
        struct isg_fail why;
        int err = stix_pattern_check(text, (enum stix_pattern_version)version, &why);
        if (err != ISG_OK && err != ISG_EPARSE && err != ISG_EINVAL && err != ISG_ELIMIT)
            abort();
    }
    return 0;
}
