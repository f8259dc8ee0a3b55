/*
 * One change of a collection's log: read the head and the families concerned under WATCH, plan,
 * then MULTI ... SET head ... EXEC. Positions and dates are given inside, never before. If anybody
 * else moved the head, nothing is written and the caller plans again from what is there now.
 *
 *     txn_begin; txn_family, txn_label, txn_add, txn_kill ...; txn_run; txn_end
 */
#ifndef GATEWAY_STORE_TXN_H
#define GATEWAY_STORE_TXN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/store/conn.h"
#include "gateway/store/family.h"
#include "gateway/store/inside.h"
#include "stix/base/arena.h"

/*
 * Entries of ids that were read before it was the reader's turn to write. They are used where
 * nothing has changed them since (recent.h).
 */
struct txn_ahead {
    struct journal_head head; /* read before the entries were */
    struct redis_pipe pipe;
    const struct redis_reply *entries; /* NULL: nothing was read */
};

/* Where the entry of one id lies. */
struct txn_known {
    const struct txn_ahead *ahead; /* NULL: nowhere */
    size_t i;
};

/* Object ids, doubles allowed, and what is known of each; borrowed until txn_end. */
struct txn_ids {
    const struct isg_str *p;
    size_t n;
    const struct txn_known *known; /* n of them, or NULL */
};

/* Read the entries of n ids. What fails is not reported: they are read again later. */
void txn_read_ahead(struct txn_ahead *ahead, struct store *store, const char *collection,
                    const struct store_put *puts, size_t n);
/* Free what it holds. */
void txn_ahead_done(struct txn_ahead *ahead);

struct txn {
    struct store *store;
    struct journal *journal;
    struct redis_conn *conn;
    struct isg_arena *arena;
    struct redis_pipe read;     /* its replies hold the texts of the families */
    struct journal_head base;   /* as read under WATCH */
    struct journal_head next;   /* as it will be */
    struct isg_str *new_labels; /* numbers base.labels, ... */
    size_t new_labels_room;
    struct index ids;
    struct family *families;
    size_t families_count;
    struct txn_known *known;    /* of each family; ahead NULL: its entry is read under WATCH */
    struct journal_head wanted; /* the head at which that holds */
    struct family **owners;     /* of the added events, beside them */
    struct relative **added;    /* by position */
    size_t added_count;
    size_t added_room;
    struct store_shelf shelf; /* the place behind the last added event's bytes; pack 0: none yet */
    size_t shelf_count;       /* events in that pack */
    struct txn_loss *losses;  /* packs that this change erases from (txn_packs.c) */
    size_t losses_count;
    uint64_t read_block; /* whose length was asked together with the head */
    size_t block_bytes;  /* length of the block that the next event goes to */
    uint64_t *touched;   /* blocks with changed marks; rising, no doubles */
    size_t touched_count;
    size_t touched_room;
    bool watching;
    uint64_t dice;  /* state of the draws of gaps between dates */
    uint64_t scale; /* of those gaps, in microseconds */
};

/*
 * Read the head and the families of these ids. Always call txn_end.
 *
 * Returns ISG_OK, ISG_ESTORE, ISG_ENOMEM; ISG_EBUSY: begin again (the log was replaced).
 */
int txn_begin(struct txn *txn, struct store *store, struct journal *journal, struct txn_ids ids,
              int64_t deadline_us, struct isg_fail *why);
/* Drop the WATCH and give the connection back; nothing is written any more. */
void txn_end(struct txn *txn);

/* The family of one of the ids. */
struct family *txn_family(struct txn *txn, struct isg_str id);

/* Number of a label, given now when it is new (text borrowed); its text, NULL when lost. */
int txn_label(struct txn *txn, struct isg_str text, uint32_t *out);
/* Its text, borrowed; false when it was lost or never given. */
bool txn_label_text(const struct txn *txn, uint32_t label, struct isg_str *out);

/* Append an event: position and date are set here. ISG_OK or ISG_ENOMEM. */
int txn_add(struct txn *txn, struct family *family, struct event_record *record,
            struct isg_str canon, struct relative **out);

/* Mark an event of the family as gone, deleted or expired; a tombstone stays (events.h). */
void txn_kill(struct family *family, struct relative *event, bool expired);

/* Nothing was added or killed. */
bool txn_is_empty(const struct txn *txn);

/*
 * Write. On success the journal knows it too.
 *
 * Returns ISG_OK; ISG_EBUSY: somebody moved the head, nothing written; ISG_ESTORE, with *in_doubt
 * set when the connection was lost after EXEC had left; ISG_ENOMEM.
 */
int txn_run(struct txn *txn, int64_t deadline_us, bool *in_doubt, struct isg_fail *why);

/*
 * Learn what became of a txn in doubt. Moves the watched head first, so that a transaction that
 * still waits in a paused server aborts, then reads back.
 *
 * Returns ISG_OK: it is in the store (and the journal knows); ISG_EBUSY: it is not and never will
 * be; ISG_ESTORE: not learnt by the deadline, or the replicas have it not.
 */
int txn_settle(struct txn *txn, int64_t deadline_us, struct isg_fail *why);

#endif
