/*
 * One run of a peer: pull its collection into ours, or push ours to its.
 */
#ifndef GATEWAY_SYNC_PEER_RUN_H
#define GATEWAY_SYNC_PEER_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "feeds/taxii_client.h"
#include "gateway/sync/outbox.h"
#include "gateway/sync/state.h"
#include "gateway/sync/sync.h"

struct peer_def {     /* all borrowed */
    const char *name; /* source of what is pulled */
    bool push;
    const char *url;
    const char *from;       /* collection to read: there for pull, here for push */
    const char *collection; /* collection to write: here for pull, there for push */
    const char *member;     /* of a push: whose eyes count; may be NULL (outbox.h) */
    const char *user;
    const char *password_file;
    struct config_route route;
    bool allow_private;
};

struct peer_result {
    size_t total;
    size_t added; /* pull: new here; push: taken there */
    size_t same;
    size_t refused;
    size_t pending; /* push: the other server has not finished with so many */
    char first_failure[256];
};

/*
 * The name of the state document: direction, URL and the two collections, so that a run by command
 * and one by schedule share a cursor, and no cursor serves another collection (digest 5.1).
 */
void peer_state_name(const struct peer_def *def, char out[STATE_NAME_MAX]);

/*
 * Run once; state as feed_run. Only what the target may see is pushed (outbox.h). A run that was
 * bounded, or whose objects are still pending at the other server, ends well: its state says so.
 *
 * Returns ISG_OK; ISG_ENOENT, ISG_ECONFLICT (collection here or there), ISG_EAUTH, ISG_EDENIED,
 * ISG_ENET, ISG_EPARSE, ISG_ELIMIT, ISG_ESTORE, ISG_EIO.
 */
int peer_run(const struct sync_parts *parts, const struct peer_def *def,
             const struct outgoing_how *how, struct peer_result *out, struct state *out_state,
             struct isg_fail *why);

/* Append what a run did, as JSON. */
void peer_result_write(const struct peer_def *def, const struct outgoing_how *how,
                       const struct peer_result *result, struct isg_buf *out);

/* ---- between peer_run.c and peer_push.c ----------------------------------------------------- */

/* A push under way. */
struct peer_push {
    const struct sync_parts *parts;
    const struct peer_def *def;
    const struct outgoing_how *how;
    const struct registry *registry;
    const struct collection *collection; /* the one here */
    const struct taxii_target *target;
    const char *state_name;
    struct state *state; /* moves, and is saved, with every envelope that was taken */
    struct peer_result *result;
};

/*
 * Send what lies behind the cursor, an envelope at a time. The cursor passes an envelope when the
 * other server's status of it is complete, and never before: so after a crash, or an answer that
 * got lost, the same envelope is sent again.
 */
int peer_push(const struct peer_push *push, struct isg_fail *why);

#endif
