/*
 * Every n-th allocation of the configuration reader fails, once or from then on: it says
 * that there was no memory, not that the file is wrong. The program brings its own malloc, so it is
 * for builds without sanitizers.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/config.h"
#include "tests/support/tap.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)

int main(void)
{
    tap_skip_all("this build has a malloc that cannot be replaced");
    return 77;
}

#else

enum { MOST = 100000 };

static const char yaml[] = "name: \"Example ISAO\"\nlisten: \"127.0.0.1:8443\"\n"
                           "public_url: \"https://127.0.0.1:8443\"\n"
                           "roots:\n  - path: api\n    title: \"Members\"\n  - path: more\n"
                           "    title: \"More\"\n    description: \"of it\"\n"
                           "tls:\n  certificate: tls/server.pem\n  key: tls/server.key\n"
                           "listeners:\n  - address: \"127.0.0.1:9443\"\n"
                           "    client_certificates: optional\n";

static long left = -1; /* allocations until one fails; negative: none does */
static bool for_ever;

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static bool fails(void)
{
    if (left < 0)
        return false;
    if (left > 0) {
        left--;
        return false;
    }
    if (!for_ever)
        left = -1;
    errno = ENOMEM;
    return true;
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

/* Loads with the n-th allocation failing; *out_reached: there was an n-th. */
static int load(const char *path, long n, bool *out_reached, struct isg_fail *why)
{
    struct config *config = NULL;
    left = n;
    int err = config_load_file(path, "/tmp", &config, why);
    *out_reached = for_ever ? left == 0 : left < 0;
    left = -1;
    config_free(&config);
    return err;
}

static void check(const char *path)
{
    struct isg_fail why = {0};
    long n = 0;
    unsigned wrong = 0;
    for (bool reached = true; reached && n < MOST; n++) {
        why = (struct isg_fail){0};
        int err = load(path, n, &reached, &why);
        bool good = err == ISG_OK || err == ISG_ENOMEM ||
                    (err == ISG_EIO && strstr(why.text, "allocate memory") != NULL);
        if (!good || strstr(why.text, "(null)") != NULL)
            printf("# allocation %ld: %d %s\n", n, err, why.text);
        wrong += !good || strstr(why.text, "(null)") != NULL;
    }
    ok(n > 20 && n < MOST, "%ld allocations, %s", n, for_ever ? "from one on" : "one by one");
    is_int(wrong, 0, "each failure is called what it is: %s", why.text);
}

int main(void)
{
    char path[] = "/tmp/isg-test-config-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0 || write(fd, yaml, strlen(yaml)) != (ssize_t)strlen(yaml) || close(fd) != 0)
        tap_skip_all("no temporary file");
    check(path);
    for_ever = true;
    check(path);
    (void)unlink(path);
    return tap_done();
}

#endif
