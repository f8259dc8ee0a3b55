/*
 * Between the files of a txn: txn_begin.c reads, txn.c plans, txn_write.c writes, txn_learn.c tells
 * memory, txn_settle.c finds out what became of a change in doubt.
 */
#ifndef GATEWAY_STORE_TXN_PRIVATE_H
#define GATEWAY_STORE_TXN_PRIVATE_H

#include "gateway/store/txn.h"

/* Room for one more item in an array in the arena, perhaps moved; NULL without memory. */
void *txn_room(struct txn *txn, void *items, size_t count, size_t *room, size_t size);

static inline uint64_t txn_block(const struct event_record *record)
{
    return (record->position - 1) / STORE_BLOCK;
}

/* Give a numbered event its place in a pack, for so many bytes. */
void txn_shelve(struct txn *txn, struct event_record *record, size_t bytes);

/* How many packs the added events fill, and the key and the bytes of each: two arguments a pack. */
size_t txn_packs(const struct txn *txn);
void txn_put_packs(struct txn *txn, struct redis_pipe *pipe);

/*
 * What events of this change take from which pack, with one question to the server; under WATCH.
 * ISG_OK, ISG_ESTORE, ISG_ENOMEM.
 */
int txn_read_losses(struct txn *txn, int64_t deadline_us, struct isg_fail *why);
/* Take away the bytes of what is gone, and packs in which nothing is left. ISG_OK or ISG_ENOMEM. */
int txn_put_losses(struct txn *txn, struct redis_pipe *pipe);

/* Added events go into the blocks that are kept in memory, if all before them is there: a read
 * behind a write need not fetch the block again. Call it before txn_learn. */
void txn_grow_blocks(struct txn *txn);

/* It is in the store; have the replicas that the collection demands it too? wrote: this connection
 * wrote it, so that WAIT knows what to wait for. ISG_OK, ISG_ESTORE. */
int txn_wait_for_replicas(struct txn *txn, bool wrote, int64_t deadline_us, struct isg_fail *why);

/* The change is in the store: the journal follows. */
void txn_learn(struct txn *txn, int64_t asked_us);

/* Nothing remembered of the log is sure: it is asked for again. */
void txn_doubt(struct txn *txn);

#endif
