/*
 * Eight bytes of text at a time, or sixteen where the processor surely can. A mask of eight has the
 * high bit of each byte that was found; the lowest one is always exact, those above it need not be.
 * Private to stix/.
 */
#ifndef ISG_BASE_WORD_H
#define ISG_BASE_WORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#    include <emmintrin.h>
#endif

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

/* Mask of the bytes that a JSON string cannot hold as they are: controls, quote, backslash. */
static inline uint64_t isg_word_escapes(uint64_t word)
{
    return isg_word_equal(word, '"') | isg_word_equal(word, '\\') | isg_word_below(word, 0x20);
}

#ifdef __SSE2__
/* Bit i for each such byte of the sixteen at p; with ascii also for each byte from 0x80 on. */
static inline unsigned isg_word_escapes16(const char *p, bool ascii)
{
    __m128i text = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i low = ascii ? _mm_cmplt_epi8(text, _mm_set1_epi8(0x20)) /* signed: 0x80 is below */
                        : _mm_cmpeq_epi8(_mm_min_epu8(text, _mm_set1_epi8(0x1f)), text);
    __m128i marks = _mm_or_si128(_mm_cmpeq_epi8(text, _mm_set1_epi8('"')),
                                 _mm_cmpeq_epi8(text, _mm_set1_epi8('\\')));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(low, marks));
}
#endif

/* Index of the first byte found; mask is not 0. */
static inline size_t isg_word_first(uint64_t mask)
{
    return (size_t)__builtin_ctzll(mask) / 8;
}

#endif
