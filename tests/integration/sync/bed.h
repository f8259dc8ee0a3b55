/*
 * A service's inside without its listeners: store, directory, workers and sync, in a temporary
 * folder, with a folder of files that a server on loopback gives out.
 */
#ifndef TESTS_INTEGRATION_SYNC_BED_H
#define TESTS_INTEGRATION_SYNC_BED_H

#include "gateway/config.h"
#include "gateway/share/member.h"
#include "gateway/store/store.h"
#include "gateway/sync/sync.h"
#include "gateway/trust/secret.h"
#include "gateway/worker.h"

struct bed {
    char dir[64];
    char www[80];
    struct config config;
    struct store *store;
    struct trust_secret *secret;
    struct directory *directory;
    struct worker_pool *workers;
    struct sync *sync;
};

/* Everything but sync; skips the whole test where there is no redis-server. Collections: "main"
 * (all read and write) and "peers". */
void bed_open(struct bed *bed);
/* Stop everything and remove the folder. */
void bed_close(struct bed *bed);

/* Start or stop what runs feeds. */
void bed_sync(struct bed *bed, bool on);

/* Put text into a file of the source; NULL removes it. */
void bed_file(const struct bed *bed, const char *name, const char *text);

/* The number behind a name in a JSON text; -1 when it is not there. */
long long bed_number(const struct isg_buf *json, const char *name);

#endif
