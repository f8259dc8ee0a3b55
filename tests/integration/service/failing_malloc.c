/*
 * Preloaded into a program without sanitizers: one of n allocations fails. Which one is
 * scattered, but by a count and not by chance: with each n-th, nothing that allocates more often
 * would ever succeed. The file named by FAILING_MALLOC holds n as eight bytes; it is mapped, so a
 * test can change n while the program runs. 0: none fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static _Atomic uint64_t *every; /* NULL: not set up */
static _Atomic uint64_t count;

__attribute__((constructor)) static void set_up(void)
{
    const char *path = getenv("FAILING_MALLOC");
    (void)unsetenv("LD_PRELOAD"); /* not for children: redis-server has an allocator of its own */
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *page = mmap(NULL, sizeof *every, PROT_READ, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (page != MAP_FAILED)
        every = page;
}

static uint64_t scatter(uint64_t x)
{
    x *= UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return x ^ x >> 32;
}

static int fails(void)
{
    uint64_t n = every != NULL ? atomic_load(every) : 0;
    if (n == 0 || scatter(atomic_fetch_add(&count, 1) + 1) % n != 0)
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t n)
{
    return fails() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return fails() ? NULL : __libc_realloc(p, n);
}
