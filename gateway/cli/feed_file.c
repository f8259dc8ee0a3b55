#include "gateway/cli/feed_file.h"

#include <stdio.h>
#include <string.h>

#include "stix/base/time.h"

void feed_owner_of(const char *id_urn, const char *name, struct feed_owner *out)
{
    feed_namespace(isg_str_of(id_urn), out->space);
    (void)snprintf(out->name, sizeof out->name, "%s", name);
}

const struct feed_source *feed_file_source(const struct cli *cli, const char *format)
{
    const struct feed_source *source = format != NULL ? feed_source_find(isg_str_of(format)) : NULL;
    if (source != NULL)
        return source;
    (void)fprintf(stderr, "isg %s: %s%s%s; formats are", cli->command->name,
                  format != NULL ? "no format `" : "--format is missing",
                  format != NULL ? format : "", format != NULL ? "`" : "");
    for (source = feed_sources(); source->format != NULL; source++)
        (void)fprintf(stderr, " %s", source->format);
    (void)fputc('\n', stderr);
    return NULL;
}

/* The file's name before what the library said of its text; path and rule stay. */
static int name_file(struct isg_fail *why, int err, const char *path)
{
    struct isg_fail inner = *why;
    return isg_fail_at(why, err, inner.path, inner.rule, "%.100s: %.140s", path, inner.text);
}

int feed_file_read(const char *path, struct isg_buf *text, struct isg_fail *why)
{
    static const char gzip[] = "\x1f\x8b";
    int err = cli_read(path, FEED_FILE_MAX, text, why);
    if (err == ISG_OK && isg_str_starts(isg_buf_str(text), ISG_STR(gzip)))
        err = isg_fail(why, ISG_EPARSE, "%s: a compressed file: unpack it with gunzip first", path);
    return err;
}

int feed_file_map(const struct feed_source *source, const struct feed_owner *owner,
                  const char *path, struct isg_str text, feed_emit *emit, void *arg,
                  struct feed_left *left, struct isg_fail *why)
{
    struct feed_context context = {
        .now_us = isg_time_now_us(), .file_name = isg_str_of(path), .emit = emit, .arg = arg};
    memcpy(context.space, owner->space, sizeof context.space);
    context.owner = isg_str_of(owner->name);
    int err = feed_map(source, &context, text, why);
    left->excluded += context.excluded;
    left->rejected += context.rejected;
    return err == ISG_OK ? ISG_OK : name_file(why, err, path);
}

void feed_left_say(const struct feed_left *left, const char *begin, FILE *out)
{
    if (left->excluded > 0)
        (void)fprintf(out, "%s%llu left out: set aside, known as harmless, or given twice\n", begin,
                      (unsigned long long)left->excluded);
    if (left->rejected > 0)
        (void)fprintf(out, "%s%llu left out: they cannot be read\n", begin,
                      (unsigned long long)left->rejected);
}
