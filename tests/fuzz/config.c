/* Any bytes as a configuration file; what is taken and shown must be taken again. */
#define _GNU_SOURCE /* memfd_create */
#include "gateway/config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int load(const void *p, size_t n, struct config **out)
{
    char path[64];
    struct isg_fail why;
    int fd = memfd_create("config", 0);
    if (fd < 0 || write(fd, p, n) != (ssize_t)n)
        abort();
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int err = config_load_file(path, "/", out, &why);
    close(fd);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *config = NULL;
    struct isg_buf shown;
    if (load(data, size, &config) != ISG_OK)
        return 0;
    isg_buf_init(&shown, ISG_BUF_NO_MAX);
    config_show(config, &shown);
    config_free(&config);
    if (load(shown.p, shown.len, &config) != ISG_OK)
        abort();
    config_free(&config);
    isg_buf_done(&shown);
    return 0;
}
