/* Files of the commands: read whole, written whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/cli/cli.h"
#include "gateway/cli/interrupt.h"

enum { PATH_BYTES = 4096, CHUNK = 1 << 20 };

int cli_read(const char *path, size_t max, struct isg_buf *out, struct isg_fail *why)
{
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return isg_fail(why, ISG_EIO, "%s: %s", path, ISG_OS_ERROR(errno));
    out->max = max;
    ssize_t got = 1;
    while (got > 0 && out->err == ISG_OK) {
        char *to = isg_buf_reserve(out, 65536);
        if (to == NULL) { /* near the cap: is there more than fits? */
            out->err = ISG_OK;
            to = isg_buf_reserve(out, max - out->len);
            char extra;
            got = to == NULL ? -1 : read(fd, to, max - out->len);
            out->len += got > 0 ? (size_t)got : 0;
            if (out->len >= max && read(fd, &extra, 1) > 0)
                out->err = ISG_ELIMIT;
            continue;
        }
        got = read(fd, to, 65536);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0)
            out->len += (size_t)got;
    }
    int err = out->err;
    if (err != ISG_OK)
        (void)isg_fail(why, err, "%s: larger than %zu bytes", path, max);
    else if (got < 0)
        err = isg_fail(why, ISG_EIO, "%s: %s", path, ISG_OS_ERROR(errno));
    if (!standard)
        (void)close(fd);
    return err;
}

static int write_all(int fd, struct isg_str text)
{
    while (text.n > 0) {
        ssize_t put = write(fd, text.p, text.n < CHUNK ? text.n : CHUNK);
        if (put < 0 && errno == EINTR)
            put = 0;
        if (put >= 0 && atomic_load(&interrupt_came)) {
            errno = EINTR;
            put = -1;
        }
        if (put < 0)
            return -1;
        text = isg_str_from(text, (size_t)put);
    }
    return 0;
}

/* A device, a pipe, standard output: written in place, since renaming would replace it. */
static int write_in_place(const char *path, struct isg_str text, struct isg_fail *why)
{
    bool standard = strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0;
    int fd = standard ? dup(STDOUT_FILENO) : open(path, O_WRONLY | O_CLOEXEC);
    bool good = fd >= 0 && write_all(fd, text) == 0;
    if (!good)
        (void)isg_fail(why, ISG_EIO, "%s: %s", path, ISG_OS_ERROR(errno));
    if (fd >= 0)
        good = close(fd) == 0 && good;
    return good ? ISG_OK : ISG_EIO;
}

/* The temporary name of a file: beside it, and this process's own. */
static int name_aside(const char *path, char out[PATH_BYTES], struct isg_fail *why)
{
    int n = snprintf(out, PATH_BYTES, "%s.tmp%ld", path, (long)getpid());
    return n < PATH_BYTES ? ISG_OK : isg_fail(why, ISG_EIO, "%s: the name is too long", path);
}

int cli_write_aside(const char *path, struct isg_str text, unsigned mode, struct isg_fail *why)
{
    char temporary[PATH_BYTES];
    int err = name_aside(path, temporary, why);
    if (err != ISG_OK)
        return err;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, (mode_t)mode);
    if (fd < 0)
        return isg_fail(why, ISG_EIO, "%s: %s", path, ISG_OS_ERROR(errno));
    if (write_all(fd, text) != 0 || fsync(fd) != 0)
        err = isg_fail(why, ISG_EIO, "%s: %s", path, ISG_OS_ERROR(errno));
    if (close(fd) != 0 && err == ISG_OK)
        err = isg_fail(why, ISG_EIO, "%s: %s", path, ISG_OS_ERROR(errno));
    int stopped = interrupt_check(why);
    err = stopped != ISG_OK ? stopped : err;
    if (err != ISG_OK)
        (void)unlink(temporary);
    return err;
}

int cli_write_name(const char *path, struct isg_fail *why)
{
    char temporary[PATH_BYTES];
    int err = name_aside(path, temporary, why);
    if (err == ISG_OK && rename(temporary, path) != 0)
        err = isg_fail(why, ISG_EIO, "%s: %s", path, ISG_OS_ERROR(errno));
    return err;
}

void cli_write_drop(const char *path)
{
    char temporary[PATH_BYTES];
    if (name_aside(path, temporary, NULL) == ISG_OK)
        (void)unlink(temporary);
}

static int write_beside(const char *path, struct isg_str text, unsigned mode, struct isg_fail *why)
{
    int err = cli_write_aside(path, text, mode, why);
    if (err == ISG_OK && (err = cli_write_name(path, why)) != ISG_OK)
        cli_write_drop(path);
    return err;
}

/* A name for what the program was started with: it leads to a file that is not its own. */
static bool is_stream(const char *path)
{
    return strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0 ||
           strcmp(path, "/dev/stderr") == 0 || strncmp(path, "/dev/fd/", 8) == 0 ||
           strncmp(path, "/proc/", 6) == 0;
}

int cli_check_target(const char *path, struct isg_fail *why)
{
    struct stat info;
    bool stream = is_stream(path);
    if (!stream && (stat(path, &info) != 0 || S_ISREG(info.st_mode)))
        return ISG_OK;
    if (!stream && S_ISDIR(info.st_mode))
        return isg_fail(why, ISG_EIO, "%s: %s", path, ISG_OS_ERROR(EISDIR));
    return isg_fail(why, ISG_EIO, "%s: is there and no plain file", path);
}

int cli_write(const char *path, struct isg_str text, unsigned mode, struct isg_fail *why)
{
    struct stat info;
    bool special = is_stream(path) ||
                   (stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode));
    return special ? write_in_place(path, text, why) : write_beside(path, text, mode, why);
}

int cli_read_secret(const char *path, struct isg_buf *out, struct isg_fail *why)
{
    int err = cli_read(path, 4096, out, why);
    while (err == ISG_OK && out->len > 0 &&
           (out->p[out->len - 1] == '\n' || out->p[out->len - 1] == '\r'))
        out->p[--out->len] = '\0';
    if (err == ISG_OK && out->len == 0)
        err = isg_fail(why, ISG_EINVAL, "%s: the file is empty", path);
    return err;
}
