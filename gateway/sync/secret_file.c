#define _GNU_SOURCE /* explicit_bzero */
#include "gateway/sync/secret_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stix/base/buf.h"

enum { FILE_BYTES = 65536, LINES_MAX = 64, PATH_BYTES = 8192 };

static FILE *open_below(const char *dir, const char *path)
{
    struct isg_buf full;
    isg_buf_init(&full, PATH_BYTES);
    if (path[0] != '/')
        isg_buf_printf(&full, "%s/", dir);
    isg_buf_puts(&full, path);
    FILE *file = full.err == ISG_OK ? fopen(full.p, "re") : NULL;
    isg_buf_done(&full);
    return file;
}

void secret_free(char **secret)
{
    if (*secret != NULL)
        explicit_bzero(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

/* The whole text of a small file, NUL-terminated. */
static int read_text(const char *dir, const char *path, char **out, struct isg_fail *why)
{
    FILE *file = open_below(dir, path);
    if (file == NULL)
        return isg_fail(why, ISG_EIO, "%.180s cannot be read: %s", path, ISG_OS_ERROR(errno));
    char *text = calloc(1, FILE_BYTES + 1);
    size_t n = text == NULL ? 0 : fread(text, 1, FILE_BYTES, file);
    bool whole = text != NULL && n < FILE_BYTES && ferror(file) == 0 && strlen(text) == n;
    (void)fclose(file);
    if (!whole) {
        free(text);
        return isg_fail(why, ISG_EIO, "%.200s is no small text file", path);
    }
    *out = text;
    return ISG_OK;
}

int secret_line_read(const char *dir, const char *path, char **out, struct isg_fail *why)
{
    char *text = NULL;
    if (path == NULL) {
        *out = NULL;
        return ISG_OK;
    }
    int err = read_text(dir, path, &text, why);
    if (err != ISG_OK)
        return err;
    size_t end = strcspn(text, "\r\n");
    explicit_bzero(text + end, strlen(text + end));
    *out = text;
    return ISG_OK;
}

void header_lines_done(struct header_lines *lines)
{
    if (lines->text != NULL)
        explicit_bzero(lines->text, FILE_BYTES);
    free(lines->text);
    free(lines->lines);
    *lines = (struct header_lines){0};
}

/* Cut text into its lines; blank lines and those that begin with # are left out. */
static int cut_lines(struct header_lines *lines, struct isg_fail *why)
{
    size_t n = 0;
    char *rest = NULL;
    for (char *line = strtok_r(lines->text, "\r\n", &rest); line != NULL;
         line = strtok_r(NULL, "\r\n", &rest)) {
        line += strspn(line, " \t");
        if (line[0] == '\0' || line[0] == '#')
            continue;
        if (n == LINES_MAX || strchr(line, ':') == NULL || line[0] == ':')
            return isg_fail(why, ISG_EUSAGE, "a line of the header file is no header");
        lines->lines[n++] = line;
    }
    return ISG_OK;
}

int header_lines_read(const char *dir, const char *path, struct header_lines *out,
                      struct isg_fail *why)
{
    struct header_lines lines = {0};
    if (path == NULL) {
        *out = lines;
        return ISG_OK;
    }
    int err = read_text(dir, path, &lines.text, why);
    if (err != ISG_OK)
        return err;
    lines.lines = calloc(LINES_MAX + 1, sizeof *lines.lines);
    err = lines.lines == NULL ? isg_fail(why, ISG_ENOMEM, "no memory") : cut_lines(&lines, why);
    if (err == ISG_OK)
        *out = lines;
    else
        header_lines_done(&lines);
    return err;
}
