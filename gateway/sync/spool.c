#include "gateway/sync/spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stix/base/buf.h"

enum { FACET_MAX = 4096, OBJECT_MAX = 64 << 20 };

struct spool {
    FILE *file;
    uint64_t count;
};

/* Before each object: the length of its facet (0: none) and its own. */
struct frame {
    uint32_t facet;
    uint32_t object;
};

int spool_open(const char *dir, struct spool **out, struct isg_fail *why)
{
    struct isg_buf path;
    isg_buf_init(&path, 8192);
    isg_buf_printf(&path, "%s/.spool-XXXXXX", dir);
    struct spool *spool = calloc(1, sizeof *spool);
    int fd = spool != NULL && path.err == ISG_OK ? mkstemp(path.p) : -1;
    int error = errno;
    if (fd >= 0) {
        (void)unlink(path.p);
        spool->file = fdopen(fd, "w+");
        if (spool->file == NULL)
            (void)close(fd);
    }
    isg_buf_done(&path);
    if (spool == NULL || spool->file == NULL) {
        free(spool);
        return isg_fail(why, ISG_EIO, "no temporary file in %.160s: %s", dir, ISG_OS_ERROR(error));
    }
    *out = spool;
    return ISG_OK;
}

void spool_close(struct spool **spool)
{
    if (*spool == NULL)
        return;
    (void)fclose((*spool)->file);
    free(*spool);
    *spool = NULL;
}

static bool put(struct spool *spool, const void *p, size_t n)
{
    return n == 0 || fwrite(p, n, 1, spool->file) == 1;
}

int spool_add(void *arg, struct isg_str object, const char *facet, struct isg_fail *why)
{
    struct spool *spool = arg;
    size_t facet_n = facet == NULL ? 0 : strlen(facet);
    if (facet_n > FACET_MAX || object.n > OBJECT_MAX)
        return isg_fail(why, ISG_ELIMIT, "an object is too large");
    struct frame frame = {(uint32_t)facet_n, (uint32_t)object.n};
    if (!put(spool, &frame, sizeof frame) || !put(spool, facet, facet_n) ||
        !put(spool, object.p, object.n))
        return isg_fail(why, ISG_EIO, "the temporary file cannot be written: %s",
                        ISG_OS_ERROR(errno));
    spool->count++;
    return ISG_OK;
}

uint64_t spool_count(const struct spool *spool)
{
    return spool->count;
}

int spool_mark(struct spool *spool, long *out, uint64_t *out_count, struct isg_fail *why)
{
    long at = ftell(spool->file);
    if (at < 0)
        return isg_fail(why, ISG_EIO, "the temporary file has no end");
    *out = at;
    *out_count = spool->count;
    return ISG_OK;
}

int spool_cut(struct spool *spool, long mark, uint64_t count, struct isg_fail *why)
{
    if (fflush(spool->file) != 0 || ftruncate(fileno(spool->file), mark) != 0 ||
        fseek(spool->file, mark, SEEK_SET) != 0)
        return isg_fail(why, ISG_EIO, "the temporary file cannot be cut");
    spool->count = count;
    return ISG_OK;
}

static bool get(struct spool *spool, struct isg_buf *out, size_t n)
{
    isg_buf_reset(out);
    char *p = isg_buf_reserve(out, n + 1);
    if (p == NULL || (n > 0 && fread(p, n, 1, spool->file) != 1))
        return false;
    p[n] = '\0';
    out->len = n;
    return true;
}

int spool_each(struct spool *spool, spool_each_object *each, void *arg, struct isg_fail *why)
{
    struct isg_buf facet;
    struct isg_buf object;
    struct frame frame;
    int err = ISG_OK;
    isg_buf_init(&facet, FACET_MAX + 1);
    isg_buf_init(&object, OBJECT_MAX + 1);
    if (fflush(spool->file) != 0 || fseek(spool->file, 0, SEEK_SET) != 0)
        err =
            isg_fail(why, ISG_EIO, "the temporary file cannot be written: %s", ISG_OS_ERROR(errno));
    for (uint64_t i = 0; i < spool->count && err == ISG_OK; i++) {
        if (fread(&frame, sizeof frame, 1, spool->file) != 1 || !get(spool, &facet, frame.facet) ||
            !get(spool, &object, frame.object))
            err = isg_fail(why, ISG_EIO, "the temporary file cannot be read");
        else
            err = each(arg, isg_buf_str(&object), frame.facet > 0 ? facet.p : NULL, why);
    }
    if (fseek(spool->file, 0, SEEK_END) != 0 && err == ISG_OK)
        err = isg_fail(why, ISG_EIO, "the temporary file cannot be read");
    isg_buf_done(&facet);
    isg_buf_done(&object);
    return err;
}
