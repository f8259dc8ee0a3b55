/*
 * A region of memory that is filled piece by piece and freed at once.
 *
 * One per request (or per object checked): everything parsed, built or formatted for it lives
 * there and nothing is freed singly. The cap bounds what one request may use.
 */
#ifndef ISG_BASE_ARENA_H
#define ISG_BASE_ARENA_H

#include <stddef.h>

#include "stix/base/str.h"

struct isg_arena;

/* A new arena that hands out at most max bytes; NULL when there is no memory. */
struct isg_arena *isg_arena_new(size_t max);

/* Free everything; accepts NULL and leaves NULL behind. */
void isg_arena_free(struct isg_arena **arena);

/* Forget all pieces but keep the first block, for the next request. */
void isg_arena_reset(struct isg_arena *arena);

/* n zeroed bytes, aligned for any type; NULL when the cap or memory is reached. */
void *isg_arena_alloc(struct isg_arena *arena, size_t n);

/* A NUL-terminated copy of s; NULL as isg_arena_alloc. */
char *isg_arena_copy(struct isg_arena *arena, struct isg_str s);

/* Formatted text; NULL as isg_arena_alloc. */
char *isg_arena_printf(struct isg_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
