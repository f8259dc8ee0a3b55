#include "gateway/cli/feed_file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "feeds/document.h"
#include "feeds/hash_file.h"
#include "gateway/sync/feed_files.h"
#include "stix/base/time.h"

enum { HASH_FILE_MAX = 4096, ARENA_MAX = 256 << 20 };

/* ---- what the options name ------------------------------------------------------------------ */

void feed_option_rows(struct feed_options *options, struct cli_option rows[FEED_OPTIONS])
{
    const struct cli_option all[FEED_OPTIONS] = {
        {"--format", NULL, &options->format},       {"--source", NULL, &options->source},
        {"--columns", NULL, &options->columns},     {"--networks", NULL, &options->networks},
        {"--warning-lists", NULL, &options->lists}, {"--vendor-aliases", NULL, &options->aliases},
        {"--exercise", &options->exercise, NULL}};
    memcpy(rows, all, sizeof all);
}

static const struct feed_source *source_of(const struct cli *cli, const char *format)
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

/* An option that the format has no use for is a mistake, and not passed over. */
static int check_options(const struct feed_source *source, const struct feed_options *options,
                         struct isg_fail *why)
{
    if (options->columns != NULL && source->map != feed_source_find(ISG_STR("csv"))->map)
        return isg_fail(why, ISG_EUSAGE, "--columns: %s is no table", source->format);
    if (options->networks != NULL && !source->observes)
        return isg_fail(why, ISG_EUSAGE, "--networks: %s is not what sensors saw", source->format);
    if (options->aliases != NULL && !source->names_vendors)
        return isg_fail(why, ISG_EUSAGE, "--vendor-aliases: %s names no vendors", source->format);
    return ISG_OK;
}

static int read_options(struct feed_reader *reader, const struct feed_options *options,
                        struct isg_fail *why)
{
    struct isg_fail own = {.code = ISG_OK};
    int err = check_options(reader->source, options, why);
    if (err == ISG_OK && options->columns != NULL)
        err = feed_columns_read(options->columns, reader->arena, NULL, &reader->profile, why);
    if (err == ISG_OK && options->networks != NULL) {
        err = feed_networks_read(options->networks, reader->arena, &reader->internal, &own);
        err = err == ISG_OK ? ISG_OK : isg_fail(why, err, "--networks: %s", own.text);
    }
    if (err == ISG_OK && options->lists != NULL)
        err = feed_lists_read(reader->exclude, options->lists, NULL, why);
    if (err == ISG_OK && options->aliases != NULL)
        err = feed_aliases_read(options->aliases, reader->arena, NULL, &reader->aliases, why);
    return err;
}

int feed_reader_open(const struct cli *cli, const struct feed_options *options,
                     struct feed_reader *out)
{
    struct isg_fail why = {.code = ISG_OK};
    *out = (struct feed_reader){.source = source_of(cli, options->format)};
    if (out->source == NULL)
        return CLI_USAGE;
    out->slug = options->source;
    out->arena = isg_arena_new(ARENA_MAX);
    out->exclude = exclude_new(options->exercise);
    out->tally = calloc(1, sizeof *out->tally);
    int err = out->arena == NULL || out->exclude == NULL || out->tally == NULL
                  ? isg_fail(&why, ISG_ENOMEM, "no memory")
                  : ISG_OK;
    if (err == ISG_OK)
        err = read_options(out, options, &why);
    return err == ISG_OK ? 0 : cli_fail(cli, &why);
}

int feed_reader_instance(struct feed_reader *reader, const char *id_urn, const char *name,
                         const char *aliases, struct isg_fail *why)
{
    feed_namespace(isg_str_of(id_urn), reader->owner.space);
    (void)snprintf(reader->owner.name, sizeof reader->owner.name, "%s", name);
    if (aliases == NULL || reader->aliases != NULL || !reader->source->names_vendors)
        return ISG_OK;
    return feed_aliases_read(aliases, reader->arena, NULL, &reader->aliases, why);
}

void feed_reader_done(struct feed_reader *reader)
{
    exclude_free(&reader->exclude);
    free(reader->tally);
    isg_arena_free(&reader->arena);
}

/* ---- files ---------------------------------------------------------------------------------- */

int feed_file_read(const struct feed_source *source, const char *path, struct isg_buf *text,
                   struct isg_fail *why)
{
    int err = cli_read(path, FEED_FILE_MAX, text, why);
    if (err != ISG_OK)
        return err;
    err = document_unpack(text, 0, 0, why);
    if (err == ISG_OK && source->lines) /* JSON is UTF-8 (S-001) */
        err = document_decode((struct isg_str){0}, text, why);
    return err == ISG_OK ? ISG_OK : feed_file_named(why, err, path);
}

/* The first hash file that stands beside path must name the text; there may be none. */
static int check_hash(const char *path, struct isg_str text, struct isg_fail *why)
{
    int err = ISG_OK;
    for (size_t kind = 0; kind < HASH_KINDS; kind++) {
        char name[PATH_MAX];
        struct isg_buf file;
        int n = snprintf(name, sizeof name, "%s%s", path, hash_file_end((enum hash_kind)kind));
        if (strcmp(path, "-") == 0 || n >= (int)sizeof name || access(name, F_OK) != 0)
            continue;
        isg_buf_init(&file, HASH_FILE_MAX);
        err = cli_read(name, HASH_FILE_MAX, &file, why);
        if (err == ISG_OK)
            err = hash_file_check((enum hash_kind)kind, text, isg_buf_str(&file), why);
        isg_buf_done(&file);
        break;
    }
    return err;
}

int feed_file_map(struct feed_reader *reader, const char *path, struct isg_str text,
                  feed_emit *emit, void *arg, struct isg_fail *why)
{
    struct feed_context context = {.now_us = isg_time_now_us(),
                                   .owner = isg_str_of(reader->owner.name),
                                   .file_name = isg_str_of(path),
                                   .emit = emit,
                                   .arg = arg,
                                   .profile = reader->profile,
                                   .exclude = reader->exclude,
                                   .tally = reader->tally,
                                   .sighted = reader->sighted,
                                   .internal = reader->internal,
                                   .aliases = reader->aliases,
                                   .slug = reader->slug,
                                   .sensor = isg_str_of(reader->slug)};
    memcpy(context.space, reader->owner.space, sizeof context.space);
    int err = reader->source->hash_files ? check_hash(path, text, why) : ISG_OK;
    if (err == ISG_OK)
        err = feed_map(reader->source, &context, text, why);
    reader->records += context.records;
    reader->excluded += context.excluded;
    reader->rejected += context.rejected;
    return err == ISG_OK ? ISG_OK : feed_file_named(why, err, path);
}

/* ---- what was left out ---------------------------------------------------------------------- */

void feed_left_say(const struct feed_reader *reader, const char *begin, FILE *out)
{
    const struct exclude_tally *tally = reader->tally;
    if (reader->excluded > 0)
        (void)fprintf(out, "%s%llu left out: set aside, known as harmless, or given twice\n", begin,
                      (unsigned long long)reader->excluded);
    for (size_t i = 0; i < EXCLUDE_REASONS && tally->reasons[i].list != NULL; i++)
        cli_line(out, "%s  %llu on list %s", begin, (unsigned long long)tally->reasons[i].hits,
                 tally->reasons[i].list);
    if (reader->rejected > 0)
        (void)fprintf(out, "%s%llu left out: they cannot be read\n", begin,
                      (unsigned long long)reader->rejected);
}

void feed_left_write(const struct feed_reader *reader, struct isg_jsonw *w)
{
    const struct exclude_tally *tally = reader->tally;
    isg_jsonw_put_int(w, "records", (int64_t)reader->records);
    isg_jsonw_put_int(w, "excluded", (int64_t)reader->excluded);
    isg_jsonw_put_int(w, "unreadable", (int64_t)reader->rejected);
    isg_jsonw_name(w, "lists");
    isg_jsonw_object(w);
    for (size_t i = 0; i < EXCLUDE_REASONS && tally->reasons[i].list != NULL; i++)
        isg_jsonw_put_int(w, tally->reasons[i].list, (int64_t)tally->reasons[i].hits);
    isg_jsonw_end(w);
}
