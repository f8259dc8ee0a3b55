/* Buffers and arenas: growth, caps, sticky errors. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stix/base/arena.h"
#include "stix/base/buf.h"
#include "stix/base/err.h"
#include "tests/support/tap.h"

static void test_buf(void)
{
    struct isg_buf b;
    isg_buf_init(&b, ISG_BUF_NO_MAX);
    ok(isg_str_is(isg_buf_str(&b), ""), "empty");
    for (int i = 0; i < 1000; i++)
        isg_buf_printf(&b, "%03d", i);
    is_int((long long)b.len, 3000, "3,000 bytes");
    ok(strncmp(b.p, "000001002", 9) == 0 && b.p[3000] == '\0', "in order, with a NUL behind");
    isg_buf_reset(&b);
    isg_buf_puts(&b, "a");
    isg_buf_putc(&b, 'b');
    isg_buf_put_str(&b, ISG_STR("c\0d"));
    isg_buf_put(&b, NULL, 0);
    ok(isg_str_eq(isg_buf_str(&b), ISG_STR("abc\0d")), "puts of all kinds");
    isg_buf_reset(&b);
    isg_buf_put_u64(&b, 0);
    isg_buf_putc(&b, ' ');
    isg_buf_put_u64(&b, UINT64_MAX);
    is_str(b.p, "0 18446744073709551615", "the least and the largest number");
    isg_buf_reset(&b);
    isg_buf_put(&b, "abcde", 5);
    size_t n = 0;
    char *taken = isg_buf_take(&b, &n);
    ok(taken != NULL && n == 5 && b.len == 0, "taken");
    free(taken);
    taken = isg_buf_take(&b, &n);
    ok(taken != NULL && n == 0 && taken[0] == '\0', "an empty buffer gives an empty text");
    free(taken);
    isg_buf_done(&b);
    isg_buf_done(&b);
}

static void test_buf_cap(void)
{
    struct isg_buf b;
    isg_buf_init(&b, 10);
    isg_buf_puts(&b, "0123456789");
    is_int(b.err, ISG_OK, "as much as the cap");
    isg_buf_putc(&b, 'x');
    is_int(b.err, ISG_ELIMIT, "one more");
    isg_buf_reset(&b);
    isg_buf_printf(&b, "%s", "0123456789x");
    is_int(b.err, ISG_ELIMIT, "by format too");
    isg_buf_puts(&b, "a");
    is_int((long long)b.len, 0, "later puts are silent");
    ok(isg_buf_take(&b, NULL) == NULL, "nothing to take after an error");
    ok(isg_buf_reserve(&b, 1) == NULL, "nor to reserve");
    isg_buf_reset(&b);
    char *room = isg_buf_reserve(&b, 4);
    memcpy(room, "four", 4);
    b.len += 4;
    ok(isg_str_is(isg_buf_str(&b), "four"), "reserved and filled");
    isg_buf_done(&b);
}

static void test_arena(void)
{
    struct isg_arena *arena = isg_arena_new((size_t)1 << 20);
    size_t misaligned = 0;
    size_t dirty = 0;
    for (size_t n = 0; n < 500; n++) {
        unsigned char *piece = isg_arena_alloc(arena, n);
        misaligned += (uintptr_t)piece % _Alignof(max_align_t) != 0;
        for (size_t i = 0; i < n; i++)
            dirty += piece[i] != 0;
        memset(piece, 0xff, n);
    }
    is_int((long long)misaligned, 0, "all aligned");
    is_int((long long)dirty, 0, "all zeroed, also when pieces were used before");
    is_str(isg_arena_copy(arena, ISG_STR("text")), "text", "copy");
    is_str(isg_arena_printf(arena, "%d-%s", 7, "x"), "7-x", "format");
    ok(isg_arena_alloc(arena, 50000) != NULL, "larger than a block");
    ok(isg_arena_alloc(arena, (size_t)2 << 20) == NULL, "larger than the cap");
    ok(isg_arena_alloc(arena, SIZE_MAX) == NULL, "as large as can be");
    is_str(isg_arena_copy(arena, (struct isg_str){NULL, 0}), "", "copy of nothing");
    isg_arena_reset(arena);
    const unsigned char *piece = isg_arena_alloc(arena, 1000);
    ok(piece != NULL && piece[0] == 0 && piece[999] == 0, "zeroed after a reset");
    isg_arena_free(&arena);
    isg_arena_free(&arena);
}

static void test_arena_cap(void)
{
    struct isg_arena *arena = isg_arena_new(100000);
    size_t got = 0;
    while (got < 1000000 && isg_arena_alloc(arena, 1000) != NULL)
        got += 1000;
    ok(got >= 80000 && got <= 108000, "the cap ends it (after %zu)", got);
    ok(isg_arena_printf(arena, "%99999d", 7) == NULL, "no text longer than what is left");
    ok(isg_arena_copy(arena, (struct isg_str){(const char *)arena, 0}) != NULL, "a NUL still fits");
    isg_arena_free(&arena);
    arena = isg_arena_new(SIZE_MAX);
    ok(isg_arena_alloc(arena, SIZE_MAX - 31) == NULL, "a block's head does not wrap around");
    ok(isg_arena_alloc(arena, 10) != NULL, "and nothing is broken");
    isg_arena_reset(arena);
    ok(isg_arena_alloc(arena, 1000) != NULL, "and a reset begins anew");
    isg_arena_free(&arena);
}

int main(void)
{
    test_buf();
    test_buf_cap();
    test_arena();
    test_arena_cap();
    return tap_done();
}
