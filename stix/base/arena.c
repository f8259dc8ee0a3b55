#include "stix/base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 8192 };

struct block {
    struct block *next;
    size_t used;
    size_t size;
    alignas(max_align_t) unsigned char data[];
};

struct isg_arena {
    struct block *head; /* the block being filled; older ones behind it */
    size_t total;       /* bytes of all blocks */
    size_t max;
};

static struct block *block_new(struct isg_arena *arena, size_t n)
{
    size_t size = n > BLOCK_BYTES ? n : BLOCK_BYTES;
    if (n > arena->max || arena->total > arena->max - n || n > SIZE_MAX - sizeof(struct block))
        return NULL;
    struct block *block = malloc(sizeof *block + size);
    if (block == NULL)
        return NULL;
    block->next = arena->head;
    block->used = 0;
    block->size = size;
    arena->head = block;
    arena->total += size;
    return block;
}

struct isg_arena *isg_arena_new(size_t max)
{
    struct isg_arena *arena = malloc(sizeof *arena);
    if (arena != NULL)
        *arena = (struct isg_arena){.max = max};
    return arena;
}

void isg_arena_free(struct isg_arena **arena)
{
    if (*arena == NULL)
        return;
    for (struct block *block = (*arena)->head; block != NULL;) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
    free(*arena);
    *arena = NULL;
}

void isg_arena_reset(struct isg_arena *arena)
{
    struct block *first = arena->head;
    while (first != NULL && first->next != NULL) {
        struct block *next = first->next;
        arena->total -= first->size;
        free(first);
        first = next;
    }
    arena->head = first;
    if (first != NULL)
        first->used = 0;
}

void *isg_arena_alloc(struct isg_arena *arena, size_t n)
{
    const size_t align = alignof(max_align_t);
    if (n > SIZE_MAX - align)
        return NULL;
    n = (n + align - 1) / align * align;
    struct block *block = arena->head;
    if (block == NULL || n > block->size - block->used)
        block = block_new(arena, n);
    if (block == NULL)
        return NULL;
    void *piece = block->data + block->used;
    block->used += n;
    return memset(piece, 0, n);
}

char *isg_arena_copy(struct isg_arena *arena, struct isg_str s)
{
    char *copy = isg_arena_alloc(arena, s.n + 1);
    if (copy != NULL && s.n > 0)
        memcpy(copy, s.p, s.n);
    return copy;
}

char *isg_arena_printf(struct isg_arena *arena, const char *format, ...)
{
    char few[128]; /* mostly it is written once */
    va_list args;
    va_list again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(few, sizeof few, format, args);
    char *text = n < 0 ? NULL : isg_arena_alloc(arena, (size_t)n + 1);
    if (text != NULL && (size_t)n < sizeof few)
        memcpy(text, few, (size_t)n + 1);
    else if (text != NULL)
        (void)vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    va_end(args);
    return text;
}
