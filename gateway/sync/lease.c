#include "gateway/sync/lease.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/log.h"
#include "stix/base/time.h"

static void lose(struct lease *lease)
{
    atomic_store(&lease->lost, true);
    atomic_store(&lease->stop, true);
    LOG(LOG_WARN, "sync.lease_lost", log_cstr("lease", lease->name));
}

/* The store may have given it to somebody else by now. */
static bool is_over(const struct lease *lease)
{
    return isg_time_mono_us() - atomic_load(&lease->renewed_us) > (int64_t)LEASE_MS * 1000;
}

bool lease_is_lost(const struct lease *lease)
{
    return lease != NULL && (atomic_load(&lease->lost) || is_over(lease));
}

int lease_check(const struct lease *lease, struct isg_fail *why)
{
    return lease_is_lost(lease) ? isg_fail(why, ISG_EBUSY, "another gateway may run it by now")
                                : ISG_OK;
}

int lease_save(const struct lease *lease, struct store *store, const char *name,
               const struct state *state, struct isg_fail *why)
{
    int err = lease_check(lease, why);
    return err == ISG_OK ? state_save(store, name, state, why) : err;
}

int lease_take(struct leases *leases, struct lease *lease, const char *name, bool *out_held,
               struct isg_fail *why)
{
    int64_t asked_us = isg_time_mono_us();
    *out_held = false;
    *lease = (struct lease){.next = NULL};
    (void)snprintf(lease->name, sizeof lease->name, "%s", name);
    isg_uuid_random(lease->token);
    int err = store_lease_of(leases->store, name, lease->token, STORE_LEASE_TAKE, LEASE_MS,
                             out_held, why);
    if (err != ISG_OK || !*out_held)
        return err;
    atomic_store(&lease->renewed_us, asked_us);
    (void)pthread_mutex_lock(leases->lock);
    atomic_store(&lease->stop, leases->stopping);
    lease->next = leases->first;
    leases->first = lease;
    (void)pthread_mutex_unlock(leases->lock);
    return ISG_OK;
}

void lease_drop(struct leases *leases, struct lease *lease)
{
    struct isg_fail ignored;
    bool listed, held;
    (void)pthread_mutex_lock(leases->lock);
    struct lease **at = &leases->first;
    while (*at != NULL && *at != lease)
        at = &(*at)->next;
    listed = *at != NULL;
    if (listed)
        *at = lease->next;
    (void)pthread_mutex_unlock(leases->lock);
    if (listed)
        (void)store_lease_of(leases->store, lease->name, lease->token, STORE_LEASE_DROP, LEASE_MS,
                             &held, &ignored);
}

void leases_stop(struct leases *leases)
{
    leases->stopping = true;
    for (struct lease *lease = leases->first; lease != NULL; lease = lease->next)
        atomic_store(&lease->stop, true);
}

/* ---- renewing ------------------------------------------------------------------------------- */

/* A lease as it is asked for while its run may end and take it away. */
struct asked {
    char name[STATE_NAME_MAX];
    char token[ISG_UUID_TEXT];
};

static struct asked *copy_all(struct leases *leases, size_t *out_count)
{
    size_t n = 0;
    (void)pthread_mutex_lock(leases->lock);
    for (const struct lease *lease = leases->first; lease != NULL; lease = lease->next)
        n++;
    struct asked *list = n > 0 ? malloc(n * sizeof *list) : NULL;
    *out_count = list != NULL ? n : 0;
    n = 0;
    for (const struct lease *lease = leases->first; list != NULL && lease != NULL;
         lease = lease->next, n++) {
        memcpy(list[n].name, lease->name, sizeof list[n].name);
        memcpy(list[n].token, lease->token, sizeof list[n].token);
    }
    (void)pthread_mutex_unlock(leases->lock);
    return list;
}

static void note(struct leases *leases, const struct asked *asked, int64_t asked_us, int err,
                 bool held)
{
    (void)pthread_mutex_lock(leases->lock);
    for (struct lease *lease = leases->first; lease != NULL; lease = lease->next) {
        if (strcmp(lease->token, asked->token) != 0)
            continue;
        if (err == ISG_OK && held)
            atomic_store(&lease->renewed_us, asked_us);
        else if ((err == ISG_OK || is_over(lease)) && !atomic_load(&lease->lost))
            lose(lease);
    }
    (void)pthread_mutex_unlock(leases->lock);
}

void leases_renew(struct leases *leases)
{
    size_t n = 0;
    struct asked *list = copy_all(leases, &n);
    for (size_t i = 0; i < n; i++) {
        struct isg_fail ignored;
        bool held = false;
        int64_t asked_us = isg_time_mono_us();
        int err = store_lease_of(leases->store, list[i].name, list[i].token, STORE_LEASE_KEEP,
                                 LEASE_MS, &held, &ignored);
        note(leases, &list[i], asked_us, err, held);
    }
    free(list);
}
