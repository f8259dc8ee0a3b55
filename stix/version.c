#include "stix/version.h"

#include <string.h>

#include "stix/base/time.h"

int stix_version_cmp(struct isg_str a, struct isg_str b)
{
    return isg_time_cmp(a, b);
}

enum stix_version_verdict stix_version_judge(const struct stix_version *known,
                                             const struct stix_version *arriving)
{
    int order = stix_version_cmp(arriving->modified, known->modified);
    if (order < 0)
        return STIX_VERSION_OLDER;
    if (order > 0)
        return known->revoked ? STIX_VERSION_REVOKED : STIX_VERSION_NEWER;
    return memcmp(known->digest, arriving->digest, ISG_SHA256_BYTES) == 0 ? STIX_VERSION_SAME
                                                                          : STIX_VERSION_CONFLICT;
}

const char *stix_version_name(enum stix_version_verdict verdict)
{
    static const char *const names[] = {"newer", "older", "same", "conflict", "revoked"};
    return names[verdict];
}
