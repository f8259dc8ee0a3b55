#include "gateway/trust/objects_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/trust/private_file.h"
#include "gateway/trust/statement.h"
#include "stix/id.h"
#include "stix/json.h"
#include "stix/scan.h"

enum { PIECE_BYTES = 256 * 1024, VERSION_MAX = 64 };

/* The lines so far, in document order; sorted at the end. */
struct listing {
    struct isg_buf lines;
    size_t count;
    struct isg_buf canon;
};

/* modified, else created, else "-". */
static struct isg_str version_of(const struct stix_json *object)
{
    struct isg_str version = stix_json_get_str(object, "modified");
    if (version.n == 0)
        version = stix_json_get_str(object, "created");
    return version.n == 0 ? ISG_STR("-") : version;
}

static bool is_field(struct isg_str s, size_t max)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
            return false;
    return s.n > 0 && s.n <= max;
}

static int add_line(struct listing *list, const struct stix_json *object, size_t index,
                    struct isg_fail *why)
{
    uint8_t digest[ISG_SHA256_BYTES];
    char hex[2 * ISG_SHA256_BYTES + 1];
    struct isg_str id = stix_json_get_str(object, "id");
    struct isg_str version = version_of(object);
    if (!is_field(id, STIX_ID_MAX) || !is_field(version, VERSION_MAX))
        return isg_fail(why, ISG_EINVAL, "object %zu has no usable id or version", index);
    isg_buf_reset(&list->canon);
    stix_json_canon(object, &list->canon);
    if (list->canon.err != ISG_OK)
        return isg_fail(why, list->canon.err, "object %zu: no room", index);
    isg_sha256(isg_buf_str(&list->canon), digest);
    isg_hex_encode(digest, sizeof digest, hex);
    list->count++;
    isg_buf_printf(&list->lines, "%s\t%.*s\t%.*s\n", hex, ISG_STR_ARG(id), ISG_STR_ARG(version));
    return list->lines.err == ISG_OK ? ISG_OK : isg_fail(why, list->lines.err, "no memory");
}

static int on_object(void *arg, struct isg_str text, size_t index, struct isg_fail *why)
{
    struct listing *list = arg;
    struct stix_json *object = NULL;
    int err = stix_json_parse(text, NULL, &object, why);
    if (err == ISG_OK)
        err = add_line(list, object, index, why);
    stix_json_free(&object);
    return err;
}

static int compare_lines(const void *a, const void *b)
{
    const struct isg_str *x = a;
    const struct isg_str *y = b;
    return isg_str_cmp(*x, *y);
}

int bundle_list_sort(struct isg_str text, size_t count, struct isg_buf *out)
{
    size_t n = 0;
    struct isg_str *lines = calloc(count + 1, sizeof *lines);
    if (lines == NULL)
        return ISG_ENOMEM;
    while (n <= count && text.n > 0 && isg_str_split(&text, '\n', &lines[n]))
        n++;
    qsort(lines, n, sizeof *lines, compare_lines);
    for (size_t i = 0; i < n; i++) {
        isg_buf_put_str(out, lines[i]);
        isg_buf_putc(out, '\n');
    }
    free(lines);
    return out->err;
}

static int put_sorted(struct listing *list, struct isg_buf *out, struct isg_fail *why)
{
    int err = bundle_list_sort(isg_buf_str(&list->lines), list->count, out);
    return err == ISG_OK ? ISG_OK : isg_fail(why, err, "no memory for the list of objects");
}

/* Both digests and the cutter see each piece once. */
struct reading {
    int fd;
    char *piece;
    struct stix_cutter *cutter;
    struct trust_prehash *prehash;
    struct isg_sha256 sha256;
    uint64_t bytes;
    uint64_t max_bytes;
};

static int read_pieces(struct reading *r, const char *path, struct isg_fail *why)
{
    for (;;) {
        ssize_t n = read(r->fd, r->piece, PIECE_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return isg_fail(why, ISG_EIO, "%s: %s", path, ISG_OS_ERROR(errno));
        if (n == 0)
            return stix_cutter_end(r->cutter, why);
        isg_sha256_add(&r->sha256, r->piece, (size_t)n);
        trust_prehash_add(r->prehash, r->piece, (size_t)n);
        r->bytes += (uint64_t)n;
        if (r->bytes > r->max_bytes)
            return isg_fail(why, ISG_ELIMIT, "%s is longer than %llu bytes", path,
                            (unsigned long long)r->max_bytes);
        int err = stix_cutter_feed(r->cutter, (struct isg_str){r->piece, (size_t)n}, why);
        if (err != ISG_OK)
            return err;
    }
}

static int open_file(const char *path, int *out_fd, struct isg_fail *why)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return isg_fail(why, errno == ENOENT ? ISG_ENOENT : ISG_EIO, "%s: %s", path,
                        ISG_OS_ERROR(errno));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return isg_fail(why, ISG_EIO, "%s is not a regular file", path);
    }
    *out_fd = fd;
    return ISG_OK;
}

static int read_bundle(struct listing *list, const char *path, uint64_t max_bytes,
                       struct bundle_digests *out, struct isg_fail *why)
{
    struct reading r = {.fd = -1, .max_bytes = max_bytes};
    int err = open_file(path, &r.fd, why);
    if (err != ISG_OK)
        return err;
    r.piece = malloc(PIECE_BYTES);
    r.cutter = stix_cutter_new(NULL, on_object, NULL, list);
    r.prehash = trust_prehash_new();
    isg_sha256_init(&r.sha256);
    if (r.piece == NULL || r.cutter == NULL || r.prehash == NULL)
        err = isg_fail(why, ISG_ENOMEM, "no memory");
    else
        err = read_pieces(&r, path, why);
    if (r.prehash != NULL)
        trust_prehash_end(&r.prehash, out->prehash);
    isg_sha256_end(&r.sha256, out->sha256);
    out->bytes = r.bytes;
    out->objects = list->count;
    stix_cutter_free(&r.cutter);
    free(r.piece);
    close(r.fd);
    return err;
}

int bundle_read(const char *path, uint64_t max_bytes, struct isg_buf *out_list,
                struct bundle_digests *out, struct isg_fail *why)
{
    struct listing list = {.count = 0};
    isg_buf_init(&list.lines, ISG_BUF_NO_MAX);
    isg_buf_init(&list.canon, ISG_BUF_NO_MAX);
    memset(out, 0, sizeof *out);
    int err = read_bundle(&list, path, max_bytes, out, why);
    if (err == ISG_OK)
        err = put_sorted(&list, out_list, why);
    isg_buf_done(&list.lines);
    isg_buf_done(&list.canon);
    return err;
}

int bundle_file_read(const char *path, size_t max_bytes, struct isg_buf *out, struct isg_fail *why)
{
    int fd = -1;
    int err = open_file(path, &fd, why);
    while (err == ISG_OK) {
        char *p = isg_buf_reserve(out, PIECE_BYTES);
        ssize_t n = p != NULL ? read(fd, p, PIECE_BYTES) : -1;
        if (n < 0 && p != NULL && errno == EINTR)
            continue;
        if (n < 0)
            err = isg_fail(why, p == NULL ? out->err : ISG_EIO, "%s: cannot be read", path);
        if (n <= 0)
            break;
        out->len += (size_t)n;
        out->p[out->len] = '\0';
        if (out->len > max_bytes)
            err = isg_fail(why, ISG_ELIMIT, "%s is longer than %zu bytes", path, max_bytes);
    }
    if (fd >= 0)
        close(fd);
    return err;
}

int bundle_file_write(const char *path, struct isg_str bytes, struct isg_fail *why)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0)
        return isg_fail(why, ISG_EIO, "%s: %s", path, ISG_OS_ERROR(errno));
    int err = private_file_write(fd, bytes);
    if (err == ISG_OK && fsync(fd) != 0)
        err = ISG_EIO;
    if (close(fd) != 0)
        err = ISG_EIO;
    return err == ISG_OK ? err : isg_fail(why, err, "%s: cannot be written", path);
}
