/*
 * The store's own parts, shared by the files of this room only.
 */
#ifndef GATEWAY_STORE_INSIDE_H
#define GATEWAY_STORE_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "gateway/store/address.h"
#include "gateway/store/blocks.h"
#include "gateway/store/embedded.h"
#include "gateway/store/index.h"
#include "gateway/store/journal.h"
#include "gateway/store/redis.h"
#include "gateway/store/store.h"

struct sequence;

struct store {
    char *dir; /* may be NULL with an external server */
    char *password_file;
    unsigned timeout_ms; /* of one call */
    unsigned batch_ms;
    bool second;       /* the server is told, or expected, to sync once a second */
    unsigned replicas; /* of it */
    struct address address;
    struct embedded *embedded; /* NULL: external. Else nobody else writes, so memory is exact */
    struct redis *redis;
    char token[ISG_UUID_TEXT]; /* this process as holder of leases */

    pthread_mutex_t lock; /* journals, sequences */
    struct index journal_index;
    struct journal **journals;
    size_t journals_count;
    struct sequence *sequences;
    pthread_mutex_t sequence_lock; /* one number at a time */

    int64_t tidy_us;    /* when the append-only file is looked at next (tidy.c) */
    int64_t rewrite_us; /* and when it is rewritten at the latest; 0: not known yet */

    struct cache cache;
    atomic_bool closing;
};

/* The journal of a collection, made when it is not there. ISG_EINVAL for an impossible name. */
int store_journal(struct store *store, const char *collection, struct journal **out,
                  struct isg_fail *why);

/* As store_journal, but NULL when nothing is remembered of that collection. */
struct journal *store_journal_known(struct store *store, const char *collection);

/* Free the sequences of a store that is closed (numbers.c). */
void store_sequences_free(struct store *store);

#endif
