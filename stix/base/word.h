/*
 * Eight bytes of text at a time. A mask has the high bit of each byte that was found; the lowest
 * one is always exact, those above it need not be. Private to stix/.
 */
#ifndef ISG_BASE_WORD_H
#define ISG_BASE_WORD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ISG_WORD_ONES  UINT64_C(0x0101010101010101)
#define ISG_WORD_HIGHS UINT64_C(0x8080808080808080)

/* The eight bytes at p, the first of them lowest. */
static inline uint64_t isg_word_load(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* Mask of the bytes that are below limit (at most 0x80). */
static inline uint64_t isg_word_below(uint64_t word, unsigned char limit)
{
    return (word - ISG_WORD_ONES * limit) & ~word & ISG_WORD_HIGHS;
}

/* Mask of the bytes equal to byte. */
static inline uint64_t isg_word_equal(uint64_t word, unsigned char byte)
{
    return isg_word_below(word ^ (ISG_WORD_ONES * byte), 1);
}

/* Index of the first byte found; mask is not 0. */
static inline size_t isg_word_first(uint64_t mask)
{
    return (size_t)__builtin_ctzll(mask) / 8;
}

#endif
