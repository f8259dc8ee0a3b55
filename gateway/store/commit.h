/*
 * Whose turn it is to write a log: one writer at a time in each process (commit.c).
 */
#ifndef GATEWAY_STORE_COMMIT_H
#define GATEWAY_STORE_COMMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/store/journal.h"

/* Become the writer; false when the time is over. */
bool commit_begin_writing(struct journal *journal, int64_t deadline_us);
/* Pass the right to write to the next who waits. */
void commit_end_writing(struct journal *journal);

/* Another gateway wrote first: not all at the same moment again. */
void commit_step_aside(int round);

#endif
