#define _XOPEN_SOURCE 700 /* scandir, alphasort */
#include "gateway/sync/feed_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "feeds/csv_columns.h"
#include "feeds/ioc.h"
#include "stix/base/buf.h"

enum { FILE_MAX = 64 << 20, CHUNK = 65536, NETWORKS_MAX = 1024 };

int feed_file_named(struct isg_fail *why, int err, const char *path)
{
    struct isg_fail inner = *why;
    return isg_fail_at(why, err, inner.path, inner.rule, "%.100s: %.140s", path, inner.text);
}

/* The whole file; done by the caller, whatever comes of it. */
static int read_file(const char *path, struct isg_sha256 *read, struct isg_buf *out,
                     struct isg_fail *why)
{
    size_t got = 1;
    isg_buf_init(out, FILE_MAX);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return isg_fail(why, ISG_EIO, "%s: %s", path, ISG_OS_ERROR(errno));
    while (got > 0 && out->err == ISG_OK) {
        char chunk[CHUNK];
        got = fread(chunk, 1, sizeof chunk, file);
        isg_buf_put(out, chunk, got);
    }
    int err = ferror(file) != 0 ? isg_fail(why, ISG_EIO, "%s: cannot be read", path) : ISG_OK;
    if (err == ISG_OK && out->err != ISG_OK)
        err = isg_fail(why, out->err, "%s: larger than %d bytes", path, FILE_MAX);
    if (err == ISG_OK && read != NULL) {
        isg_sha256_add(read, path, strlen(path) + 1);
        isg_sha256_add(read, &out->len, sizeof out->len);
        if (out->len > 0)
            isg_sha256_add(read, out->p, out->len);
    }
    (void)fclose(file);
    return err;
}

int feed_columns_read(const char *path, struct isg_arena *arena, struct isg_sha256 *read,
                      const struct csv_profile **out, struct isg_fail *why)
{
    struct isg_buf text;
    int err = read_file(path, read, &text, why);
    if (err == ISG_OK) {
        err = csv_columns_read(isg_buf_str(&text), arena, out, why);
        err = err == ISG_OK ? ISG_OK : feed_file_named(why, err, path);
    }
    isg_buf_done(&text);
    return err;
}

int feed_aliases_read(const char *path, struct isg_arena *arena, struct isg_sha256 *read,
                      const struct product_alias **out, struct isg_fail *why)
{
    struct isg_buf text;
    int err = read_file(path, read, &text, why);
    if (err == ISG_OK) {
        err = product_aliases_read(arena, isg_buf_str(&text), out, why);
        err = err == ISG_OK ? ISG_OK : feed_file_named(why, err, path);
    }
    isg_buf_done(&text);
    return err;
}

int feed_networks_read(const char *list, struct isg_arena *arena, const char ***out,
                       struct isg_fail *why)
{
    struct isg_str rest = isg_str_of(list);
    size_t n = 0;
    const char **networks = isg_arena_alloc(arena, (NETWORKS_MAX + 1) * sizeof *networks);
    if (networks == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    while (rest.n > 0) {
        struct ioc network;
        size_t length = strcspn(rest.p, ", \t");
        struct isg_str one = {rest.p, length < rest.n ? length : rest.n};
        rest = isg_str_from(rest, one.n < rest.n ? one.n + 1 : rest.n);
        if (one.n == 0)
            continue;
        if (n == NETWORKS_MAX)
            return isg_fail(why, ISG_ELIMIT, "more than %d networks", NETWORKS_MAX);
        if (ioc_read(arena, one, IOC_NETWORK, IOC_MACHINE | IOC_WIDE, &network, NULL) != ISG_OK)
            return isg_fail(why, ISG_EUSAGE, "`%.*s` is no network", ISG_STR_ARG(one));
        networks[n] = isg_arena_copy(arena, one);
        if (networks[n++] == NULL)
            return isg_fail(why, ISG_ENOMEM, "no memory");
    }
    if (n == 0)
        return isg_fail(why, ISG_EUSAGE, "no network is named");
    networks[n] = NULL;
    *out = networks;
    return ISG_OK;
}

static int read_list(struct exclude_lists *lists, const char *path, struct isg_sha256 *read,
                     struct isg_fail *why)
{
    struct isg_buf text;
    int err = read_file(path, read, &text, why);
    if (err == ISG_OK) {
        err = exclude_add(lists, isg_buf_str(&text), EXCLUDE_WARN, why);
        err = err == ISG_OK ? ISG_OK : feed_file_named(why, err, path);
    }
    isg_buf_done(&text);
    return err;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* What a name in a folder of lists leads to: NAME.json is one, and so is NAME/list.json, which is how
 * the MISP project keeps them. */
static bool list_in(const char *folder, const char *name, char out[4096])
{
    struct stat info;
    bool json = isg_str_ends(isg_str_of(name), ISG_STR(".json"));
    int n = snprintf(out, 4096, "%s/%s%s", folder, name, json ? "" : "/list.json");
    return n < 4096 && stat(out, &info) == 0 && S_ISREG(info.st_mode);
}

static int read_folder(struct exclude_lists *lists, const char *folder, struct isg_sha256 *read,
                       struct isg_fail *why)
{
    struct dirent **entries = NULL;
    char path[4096];
    size_t found = 0;
    int err = ISG_OK;
    int n = scandir(folder, &entries, is_visible, alphasort);
    if (n < 0)
        return isg_fail(why, ISG_EIO, "%s: cannot be read", folder);
    for (int i = 0; i < n; i++) {
        if (err == ISG_OK && list_in(folder, entries[i]->d_name, path)) {
            err = read_list(lists, path, read, why);
            found++;
        }
        free(entries[i]);
    }
    free(entries);
    return found > 0 ? err : isg_fail(why, ISG_EINVAL, "%s: no warning list is in it", folder);
}

int feed_lists_read(struct exclude_lists *lists, const char *path, struct isg_sha256 *read,
                    struct isg_fail *why)
{
    struct stat info;
    bool folder = stat(path, &info) == 0 && S_ISDIR(info.st_mode);
    return folder ? read_folder(lists, path, read, why) : read_list(lists, path, read, why);
}
