/*
 * One run of a peer: pull its collection into ours, or push ours to its.
 */
#ifndef GATEWAY_SYNC_PEER_RUN_H
#define GATEWAY_SYNC_PEER_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/sync/state.h"
#include "gateway/sync/sync.h"

struct peer_def {     /* all borrowed */
    const char *name; /* source of what is pulled, and the member a push is selected for */
    bool push;
    const char *url;
    const char *from;       /* collection to read: there for pull, here for push */
    const char *collection; /* collection to write: here for pull, there for push */
    const char *user;
    const char *password_file;
    const char *ca;
    bool allow_private;
};

struct peer_result {
    size_t total;
    size_t added; /* pull: new here; push: taken there */
    size_t same;
    size_t refused;
    size_t pending;
    char first_failure[256];
};

/*
 * The name of the state document: direction, URL and the two collections, so that a run by command
 * and one by schedule share a cursor, and no cursor serves another collection (digest 5.1).
 */
void peer_state_name(const struct peer_def *def, char out[STATE_NAME_MAX]);

/*
 * Run once; state as feed_run. Only what a peer organisation may see is pushed: TLP AMBER and
 * stricter never leave, nor what the collection's read right does not give it.
 *
 * Returns ISG_OK; ISG_ENOENT, ISG_ECONFLICT (collection here or there), ISG_EAUTH, ISG_EDENIED,
 * ISG_ENET, ISG_EPARSE, ISG_ELIMIT, ISG_ESTORE, ISG_EIO.
 */
int peer_run(const struct sync_parts *parts, const struct peer_def *def, bool dry_run,
             struct peer_result *out, struct state *out_state, struct isg_fail *why);

#endif
