/* When a block is read ahead: missed again and again, and the collection fits into the cache. */
#include "gateway/taxii/ahead.h"
#include "tests/support/tap.h"

static struct ahead_miss miss_of(uint64_t block, uint64_t view)
{
    return (struct ahead_miss){.block = block,
                               .view = view,
                               .page_bytes = 1000,
                               .positions = 20000,
                               .bytes_max = 128 << 20};
}

static int due_in(struct ahead *ahead, const char *collection, struct ahead_miss miss, int misses)
{
    int due = 0;
    for (int i = 0; i < misses; i++)
        due += ahead_is_due(ahead, collection, &miss);
    return due;
}

int main(void)
{
    struct ahead *ahead = ahead_new();
    if (!ok(ahead != NULL, "there is memory"))
        return tap_done();
    is_int(due_in(ahead, "a", miss_of(7, 1), 3), 0, "three misses are chance");
    is_int(due_in(ahead, "a", miss_of(7, 1), 100), 1, "then one of many reads the block");
    is_int(due_in(ahead, "a", miss_of(7, 1), 256), 1, "and again when it was dropped");
    is_int(due_in(ahead, "a", miss_of(7, 2), 3), 0, "another view counts anew");
    is_int(due_in(ahead, "b", miss_of(7, 1), 3), 0, "another collection too");
    struct ahead_miss large = miss_of(9, 1);
    large.positions = 1000000;
    is_int(due_in(ahead, "a", large, 100), 0,
           "nothing is read ahead of what the cache cannot hold");
    large = miss_of(10, 1);
    large.page_bytes = SIZE_MAX / 2;
    is_int(due_in(ahead, "a", large, 100), 0, "nor of giants");
    ahead_free(&ahead);
    ahead_free(&ahead);
    ok(ahead == NULL, "freed twice");
    return tap_done();
}
