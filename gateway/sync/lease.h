/*
 * The lease of one run: of all gateways on a store one runs a feed or target at a time, and of two
 * runs in one process likewise, as each run has a token of its own. The scheduler renews it while
 * the run goes on; one that is lost, or could not be renewed in time, ends the run before its next
 * write but those of a batch that is being committed.
 */
#ifndef GATEWAY_SYNC_LEASE_H
#define GATEWAY_SYNC_LEASE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/store/store.h"
#include "gateway/sync/state.h"
#include "stix/base/uuid.h"

enum { LEASE_MS = 30000 };

struct lease {
    struct lease *next;
    char name[STATE_NAME_MAX];
    char token[ISG_UUID_TEXT];
    atomic_bool stop; /* the run has to end: the service does, or the lease is lost */
    atomic_bool lost;
    _Atomic int64_t renewed_us; /* by the monotonic clock, when it was asked for */
};

/* The leases that are held; lock guards the list. */
struct leases {
    pthread_mutex_t *lock; /* borrowed */
    struct store *store;
    struct lease *first;
    bool stopping;
};

/* Take the lease of this name for a run, without the lock; false in *out_held while somebody else
 * has it. ISG_ESTORE. */
int lease_take(struct leases *leases, struct lease *lease, const char *name, bool *out_held,
               struct isg_fail *why);
/* Give it up, without the lock. Does nothing where it is not held. */
void lease_drop(struct leases *leases, struct lease *lease);
/* Renew all that are held; those that are lost stop their runs. Without the lock. */
void leases_renew(struct leases *leases);
/* All runs have to end, also those that begin later; with the lock. */
void leases_stop(struct leases *leases);

/* Its run must write nothing any more. lease may be NULL: a run without one. */
bool lease_is_lost(const struct lease *lease);
/* ISG_OK, or ISG_EBUSY where it is lost: before every write. */
int lease_check(const struct lease *lease, struct isg_fail *why);
/* As state_save, for a run that still holds its lease; else ISG_EBUSY. */
int lease_save(const struct lease *lease, struct store *store, const char *name,
               const struct state *state, struct isg_fail *why);

#endif
