#include "gateway/trust/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/trust/secret.h"

enum { PATH_BYTES = 4096, READ_BYTES = 16384, NONCE_BYTES = 8 };

static int check_stat(int fd, const char *path, size_t max_bytes, struct isg_fail *why)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return isg_fail(why, ISG_EIO, "%s: %s", path, ISG_OS_ERROR(errno));
    if (!S_ISREG(st.st_mode))
        return isg_fail(why, ISG_EDENIED, "%s is not a regular file", path);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return isg_fail(why, ISG_EDENIED, "%s belongs to another user", path);
    if ((st.st_mode & 077) != 0)
        return isg_fail(why, ISG_EDENIED, "%s may be read by others: chmod 600 it", path);
    if (st.st_size < 0 || (uintmax_t)st.st_size > max_bytes)
        return isg_fail(why, ISG_ELIMIT, "%s is longer than %zu bytes", path, max_bytes);
    return ISG_OK;
}

/* The size is counted, not believed: the file may grow while it is read. */
static int read_all(int fd, const char *path, size_t max_bytes, struct isg_buf *out,
                    struct isg_fail *why)
{
    size_t before = out->len;
    for (;;) {
        char *p = isg_buf_reserve(out, READ_BYTES);
        if (p == NULL)
            return isg_fail(why, out->err, "%s: no room", path);
        ssize_t n = read(fd, p, READ_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return isg_fail(why, ISG_EIO, "%s: %s", path, ISG_OS_ERROR(errno));
        if (n == 0)
            return ISG_OK;
        out->len += (size_t)n;
        out->p[out->len] = '\0';
        if (out->len - before > max_bytes)
            return isg_fail(why, ISG_ELIMIT, "%s is longer than %zu bytes", path, max_bytes);
    }
}

int private_file_read(const char *path, size_t max_bytes, struct isg_buf *out, struct isg_fail *why)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno == ENOENT)
        return isg_fail(why, ISG_ENOENT, "%s: no such file", path);
    if (fd < 0 && errno == ELOOP)
        return isg_fail(why, ISG_EDENIED, "%s is a symbolic link", path);
    if (fd < 0)
        return isg_fail(why, ISG_EIO, "%s: %s", path, ISG_OS_ERROR(errno));
    int err = check_stat(fd, path, max_bytes, why);
    if (err == ISG_OK)
        err = read_all(fd, path, max_bytes, out, why);
    close(fd);
    return err;
}

int private_file_write(int fd, struct isg_str bytes)
{
    while (bytes.n > 0) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ISG_EIO;
        bytes = isg_str_from(bytes, (size_t)n);
    }
    return ISG_OK;
}

int private_file_sync_folder(const char *path)
{
    char folder[PATH_BYTES];
    const char *slash = strrchr(path, '/');
    int n = slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path);
    if (n >= PATH_BYTES)
        return ISG_EIO;
    (void)snprintf(folder, sizeof folder, "%.*s", n, slash == NULL ? "." : path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return ISG_EIO;
    int err = fsync(fd) == 0 ? ISG_OK : ISG_EIO;
    close(fd);
    return err;
}

static int write_synced(const char *path, struct isg_str bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return ISG_EIO;
    int err = private_file_write(fd, bytes);
    if (err == ISG_OK && fsync(fd) != 0)
        err = ISG_EIO;
    if (close(fd) != 0)
        err = ISG_EIO;
    return err;
}

/* link(2) gives the finished file its name and fails when the name is taken: no half file, no race. */
int private_file_create(const char *path, struct isg_str bytes, struct isg_fail *why)
{
    char temporary[PATH_BYTES];
    char hex[2 * NONCE_BYTES + 1];
    uint8_t nonce[NONCE_BYTES];
    trust_random(nonce, sizeof nonce);
    isg_hex_encode(nonce, sizeof nonce, hex);
    int n = snprintf(temporary, sizeof temporary, "%s.%s.tmp", path, hex);
    if (n < 0 || n >= (int)sizeof temporary)
        return isg_fail(why, ISG_EIO, "path too long");
    int err = write_synced(temporary, bytes);
    if (err != ISG_OK) {
        isg_fail(why, err, "%s: %s", temporary, ISG_OS_ERROR(errno));
    } else if (link(temporary, path) != 0) {
        int taken = errno == EEXIST;
        err = isg_fail(why, taken ? ISG_ECONFLICT : ISG_EIO, "%s: %s", path, ISG_OS_ERROR(errno));
    } else {
        err = private_file_sync_folder(path);
    }
    (void)unlink(temporary);
    return err;
}
