/*
 * Where a collection's log stands, as one value: it moves with every change of the log.
 */
#ifndef GATEWAY_STORE_HEAD_H
#define GATEWAY_STORE_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/store/store.h"

/* The head as stored: "position date_us generation labels epoch" (names.h). */
struct journal_head {
    struct store_head at;
    uint32_t labels; /* numbers below it are given */
    int64_t epoch;   /* date of the first event; 0 when the log is empty */
};

/* The same head of the same log: nothing was changed between. */
static inline bool journal_head_same(const struct journal_head *a, const struct journal_head *b)
{
    return a->epoch == b->epoch && a->at.position == b->at.position &&
           a->at.date_added_us == b->at.date_added_us && a->at.generation == b->at.generation &&
           a->labels == b->labels;
}

#endif
