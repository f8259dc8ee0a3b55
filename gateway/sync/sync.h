/*
 * Runs the sources and the peers: what is due is fetched, mapped and ingested; what a peer lacks is
 * pushed. One thread decides what is due; runs happen on workers, one at a time per name, under a
 * lease, so that of several gateways one runs a feed.
 */
#ifndef GATEWAY_SYNC_SYNC_H
#define GATEWAY_SYNC_SYNC_H

#include <stdatomic.h>
#include <stdbool.h>

#include "gateway/config.h"
#include "gateway/share/member.h"
#include "gateway/store/store.h"
#include "gateway/worker.h"
#include "stix/base/buf.h"
#include "stix/base/err.h"

struct sync;
struct lease;

struct sync_parts { /* all borrowed, all outlive it */
    const struct config *config;
    struct store *store;
    struct directory *directory;
    struct worker_pool *workers; /* of their own: a run may wait long */
    /* of a run, set by the room itself: */
    const atomic_bool *stop;   /* true once it has to end */
    const struct lease *lease; /* that it writes under */
};

/* Load feeds and peers, start the scheduler. Errors of the store; ISG_ENOMEM. */
int sync_start(const struct sync_parts *parts, struct sync **out, struct isg_fail *why);
/* No further run begins, and those under way end soon, their transfers cut. Accepts NULL. */
void sync_halt(struct sync *sync);
/* As sync_halt, and wait for the runs under way. Accepts NULL, leaves NULL. */
void sync_stop(struct sync **sync);

/*
 * Feeds kept in the store (made by command) beside those of the configuration.
 *   sync_feed_put     the settings of section feeds: {"name","url","format","collection",...}
 *   sync_run          run now and wait: out gets {"feed","state","dry_run","added","changed","same",
 *                     "excluded","unreadable","refused","delisted",...}, in a dry run with
 *                     "examples"; or for a peer what sync_peer_run gives, or for a webhook its
 *                     deliveries
 *   sync_feeds_write  lists with the state of each: last run, last success, last error, counts; of
 *                     what is sent out also the backlog
 *   sync_peer_run     {"direction":"pull"|"push","url","user","password_file","from","collection",
 *                      "member"?,"header_file"?,"ca"?,"client_certificate"?,"client_key"?,"proxy"?,
 *                      "proxy_auth_file"?,"allow_private"?,"dry_run"?}: run once and wait
 */
int sync_feed_put(struct sync *sync, struct isg_str json, struct isg_buf *out,
                  struct isg_fail *why);
/* With its state. ISG_ENOENT; ISG_ECONFLICT: it stands in the configuration. */
int sync_feed_remove(struct sync *sync, struct isg_str name, struct isg_fail *why);
/* How a run by command is done. */
struct sync_how {
    bool dry_run;       /* show what would change, write nothing */
    bool accept_shrink; /* of a feed: a person accepts that much is missing (digest 2.3) */
};

/* kind is "feed", "peer" or "webhook". ISG_ENOENT: none of that name; ISG_EBUSY: another gateway, or its schedule,
 * still runs it after 45 s, or the service stops;
 * else what stopped the run. */
int sync_run(struct sync *sync, const char *kind, struct isg_str name, const struct sync_how *how,
             struct isg_buf *out, struct isg_fail *why);
/* Append {"feeds":[...],"peers":[...]}. */
int sync_feeds_write(struct sync *sync, struct isg_buf *out, struct isg_fail *why);
/* Run once, and wait. */
int sync_peer_run(struct sync *sync, struct isg_str json, struct isg_buf *out,
                  struct isg_fail *why);

#endif
