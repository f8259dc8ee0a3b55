/*
 * Starting on a store that may be new, or that other gateways use at the same time.
 */
#ifndef GATEWAY_CLI_JOIN_H
#define GATEWAY_CLI_JOIN_H

#include "gateway/config.h"
#include "gateway/share/member.h"
#include "gateway/trust/secret.h"

struct joining { /* all borrowed */
    const struct config *config;
    struct store *store;
    struct directory *directory;
    const struct trust_secret *secret;
};

/*
 * Make the collections of DIR/state/seed.json where the store holds none yet, and remove that file.
 * One gateway at a time does, so that two that start at once do not make them twice.
 *
 * Returns ISG_OK; ISG_EBUSY (another one is at it for too long), ISG_ESTORE, ISG_EIO, ISG_ENOMEM.
 */
int join_plant_seed(const struct joining *joining, struct isg_fail *why);

/*
 * Compare what all gateways on one store must have alike: the instance's secret (page tokens and
 * members' tokens are made with it) and the namespace of ids. *out_differs names what another
 * gateway has otherwise, for doctor and log; NULL: all is alike.
 */
int join_agree(const struct joining *joining, const char **out_differs, struct isg_fail *why);

#endif
