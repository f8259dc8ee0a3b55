#define _XOPEN_SOURCE 700 /* scandir, alphasort */
#include "gateway/sync/feed_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "feeds/csv_columns.h"
#include "stix/base/buf.h"

enum { FILE_MAX = 64 << 20, CHUNK = 65536 };

int feed_file_named(struct isg_fail *why, int err, const char *path)
{
    struct isg_fail inner = *why;
    return isg_fail_at(why, err, inner.path, inner.rule, "%.100s: %.140s", path, inner.text);
}

/* The whole file; done by the caller, whatever comes of it. */
static int read_file(const char *path, struct isg_buf *out, struct isg_fail *why)
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
    (void)fclose(file);
    return err;
}

int feed_columns_read(const char *path, struct isg_arena *arena, const struct csv_profile **out,
                      struct isg_fail *why)
{
    struct isg_buf text;
    int err = read_file(path, &text, why);
    if (err == ISG_OK) {
        err = csv_columns_read(isg_buf_str(&text), arena, out, why);
        err = err == ISG_OK ? ISG_OK : feed_file_named(why, err, path);
    }
    isg_buf_done(&text);
    return err;
}

static int read_list(struct exclude_lists *lists, const char *path, struct isg_fail *why)
{
    struct isg_buf text;
    int err = read_file(path, &text, why);
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

static int read_folder(struct exclude_lists *lists, const char *folder, struct isg_fail *why)
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
            err = read_list(lists, path, why);
            found++;
        }
        free(entries[i]);
    }
    free(entries);
    return found > 0 ? err : isg_fail(why, ISG_EINVAL, "%s: no warning list is in it", folder);
}

int feed_lists_read(struct exclude_lists *lists, const char *path, struct isg_fail *why)
{
    struct stat info;
    bool folder = stat(path, &info) == 0 && S_ISDIR(info.st_mode);
    return folder ? read_folder(lists, path, why) : read_list(lists, path, why);
}
