/*
 * Borrowed text: a pointer and a length, no ownership, may hold NUL bytes.
 *
 * Parsers take and give views, so that nothing is copied on the way. Print with "%.*s" and
 * ISG_STR_ARG. Whoever made the bytes keeps them alive.
 */
#ifndef ISG_BASE_STR_H
#define ISG_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct isg_str {
    const char *p;
    size_t n;
};

/* A view of a string literal; usable in initialisers. */
#define ISG_STR(literal) ((struct isg_str){(literal), sizeof(literal) - 1})

/* The two arguments that "%.*s" wants. */
#define ISG_STR_ARG(s) (int)(s).n, (s).p

/* A view of a NUL-terminated string; NULL gives the empty view. */
static inline struct isg_str isg_str_of(const char *text)
{
    return (struct isg_str){text, text != NULL ? strlen(text) : 0};
}

/* Byte-wise equality. */
bool isg_str_eq(struct isg_str a, struct isg_str b);

/* Byte-wise equality with a NUL-terminated string. */
static inline bool isg_str_is(struct isg_str a, const char *b)
{
    return isg_str_eq(a, isg_str_of(b));
}

/* Equality without regard to ASCII case. */
bool isg_str_ieq(struct isg_str a, struct isg_str b);

/* Byte order as memcmp, shorter first; for qsort and bsearch. */
int isg_str_cmp(struct isg_str a, struct isg_str b);

/* True when s begins with prefix; the empty prefix begins all. */
bool isg_str_starts(struct isg_str s, struct isg_str prefix);
/* True when s ends with suffix. */
bool isg_str_ends(struct isg_str s, struct isg_str suffix);

/* The view from offset `from` on; empty when past the end. */
struct isg_str isg_str_from(struct isg_str s, size_t from);

/* Without ASCII blanks (space, tab, CR, LF) at either end. */
struct isg_str isg_str_trim(struct isg_str s);

/* Offset of the first byte c, or SIZE_MAX when there is none. */
size_t isg_str_find(struct isg_str s, char c);

/*
 * Cut the next piece up to `separator` from *rest into *piece and move *rest behind it.
 * Returns false when nothing was left. "a,,b" gives "a", "", "b".
 */
bool isg_str_split(struct isg_str *rest, char separator, struct isg_str *piece);

/* Decimal digits only, whole view, at most max. Returns false on anything else. */
bool isg_str_to_u64(struct isg_str s, uint64_t max, uint64_t *out);

/* As isg_str_to_u64, with an optional leading minus. */
bool isg_str_to_i64(struct isg_str s, int64_t *out);

/* Lower-case hex of n bytes into out (2 * n + 1 characters, NUL-terminated). */
void isg_hex_encode(const uint8_t *bytes, size_t n, char *out);

/* Exactly 2 * n hex digits of either case into n bytes; false when they are not that. */
bool isg_hex_decode(struct isg_str hex, uint8_t *out, size_t n);

#endif
