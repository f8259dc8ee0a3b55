#include "gateway/ingest/expiry.h"

#include <stdio.h>

#include "gateway/log.h"
#include "stix/base/time.h"

enum {
    LEASE_MS = 5000,
    STEPS_MAX = 40, /* of one collection, before others have their turn */
    NAME_BYTES = 64
};

struct round {
    struct store *store;
    bool (*stop)(void *arg);
    void *arg;
};

static void expire(const struct round *round, const struct collection *collection)
{
    char lease[NAME_BYTES];
    bool held = false;
    bool more = true;
    size_t total = 0;
    struct isg_fail why = {0};
    int64_t before_us = isg_time_now_us() - (int64_t)collection->ttl_s * 1000000;
    (void)snprintf(lease, sizeof lease, "expire:%s", collection->id);
    int err = store_lease(round->store, lease, LEASE_MS, &held, &why);
    for (int i = 0; err == ISG_OK && held && more && i < STEPS_MAX && !round->stop(round->arg);
         i++) {
        size_t gone = 0;
        err = store_expire(round->store, collection->id, before_us, &gone, &more, &why);
        total += gone;
    }
    if (total > 0)
        LOG(LOG_INFO, "collection.expired", log_cstr("collection", collection->id),
            log_int("objects", (int64_t)total));
    if (err != ISG_OK)
        LOG(LOG_WARN, "collection.not_expired", log_cstr("collection", collection->id),
            log_why(&why));
}

void expiry_run(struct store *store, struct directory *directory, bool (*stop)(void *arg),
                void *arg)
{
    const struct round round = {store, stop, arg};
    const struct registry *registry = directory_get(directory);
    for (size_t i = 0; i < registry->collections_count && !stop(arg); i++)
        if (registry->collections[i].ttl_s > 0)
            expire(&round, &registry->collections[i]);
    registry_unref(&registry);
}
