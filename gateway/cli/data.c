/*
 * Feed files in: mapped here, sent to the running service in pieces, judged there. A file is mapped
 * as a whole before anything of it is sent, so that one that is cut short changes nothing.
 */
#define _XOPEN_SOURCE 700 /* scandir, alphasort */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "feeds/feed.h"
#include "gateway/admin/admin_wire.h"
#include "gateway/cli/cli.h"
#include "stix/base/jsonw.h"
#include "stix/base/time.h"
#include "stix/bundle.h"
#include "stix/json.h"

enum {
    PIECE_BYTES = 4 << 20, /* of one request */
    PIECE_RECORDS = 2000,
    REASONS_MAX = 3
};

static const size_t FILE_MAX = (size_t)1 << 30;

/* ---- the list of files: a folder stands for the .json files in it ---- */

struct files {
    char **names;
    size_t n;
    size_t cap;
};

static int files_add(struct files *files, const char *folder, const char *name)
{
    if (files->n == files->cap) {
        size_t cap = files->cap == 0 ? 64 : files->cap * 2;
        char **names = realloc(files->names, cap * sizeof *names);
        if (names == NULL)
            return ISG_ENOMEM;
        files->names = names;
        files->cap = cap;
    }
    size_t n = strlen(name) + (folder != NULL ? strlen(folder) + 1 : 0) + 1;
    char *path = malloc(n);
    if (path == NULL)
        return ISG_ENOMEM;
    (void)snprintf(path, n, "%s%s%s", folder != NULL ? folder : "", folder != NULL ? "/" : "",
                   name);
    files->names[files->n++] = path;
    return ISG_OK;
}

static int is_json(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && isg_str_ends(isg_str_of(entry->d_name), ISG_STR(".json"));
}

static int files_add_folder(struct files *files, const char *folder, struct isg_fail *why)
{
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, is_json, alphasort);
    int err = n < 0 ? isg_fail(why, ISG_EIO, "%s: cannot be read", folder) : ISG_OK;
    for (int i = 0; i < n; i++) {
        if (err == ISG_OK)
            err = files_add(files, folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return err;
}

static int files_of(const struct cli *cli, struct files *files, struct isg_fail *why)
{
    int err = ISG_OK;
    for (size_t i = 0; i < cli->args_count && err == ISG_OK; i++) {
        struct stat info;
        if (stat(cli->args[i], &info) == 0 && S_ISDIR(info.st_mode))
            err = files_add_folder(files, cli->args[i], why);
        else
            err = files_add(files, NULL, cli->args[i]);
    }
    return err;
}

static void files_done(struct files *files)
{
    for (size_t i = 0; i < files->n; i++)
        free(files->names[i]);
    free(files->names);
}

/* ---- mapping a file into records ---- */

static int emit_record(void *arg, struct isg_str object, const char *facet, struct isg_fail *why)
{
    struct isg_buf *spool = arg;
    admin_record_put(spool, object, facet);
    return spool->err == ISG_OK ? ISG_OK : isg_fail(why, spool->err, "the file is too large");
}

static int map_file(const struct feed_source *source, const char *space, const char *path,
                    feed_emit *emit, void *arg, struct isg_fail *why)
{
    struct isg_buf text;
    struct feed_context context = {
        .now_us = isg_time_now_us(), .file_name = isg_str_of(path), .emit = emit, .arg = arg};
    (void)snprintf(context.space, sizeof context.space, "%s", space);
    isg_buf_init(&text, FILE_MAX);
    int err = cli_read(path, FILE_MAX, &text, why);
    if (err == ISG_OK)
        err = feed_map(source, &context, isg_buf_str(&text), why);
    isg_buf_done(&text);
    return err;
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

/* ---- import ---- */

struct import {
    struct cli *cli;
    const struct feed_source *source;
    const char *collection;
    const char *name; /* of the source, for the log and the objects' label */
    bool dry_run;
    char space[ISG_UUID_TEXT];
    struct isg_buf path; /* of the request */
    int64_t total, added, same, refused;
    size_t files, files_refused;
    char reasons[REASONS_MAX][320];
    size_t reasons_count;
};

static void count(struct import *import, const struct stix_json *reply)
{
    int64_t n = 0;
    if (stix_json_int(stix_json_get(reply, "total"), &n))
        import->total += n;
    if (stix_json_int(stix_json_get(reply, "added"), &n))
        import->added += n;
    if (stix_json_int(stix_json_get(reply, "same"), &n))
        import->same += n;
    if (stix_json_int(stix_json_get(reply, "refused"), &n))
        import->refused += n;
    const struct stix_json *reasons = stix_json_get(reply, "reasons");
    for (size_t i = 0; i < stix_json_size(reasons) && import->reasons_count < REASONS_MAX; i++) {
        const struct stix_json *reason = stix_json_at(reasons, i);
        (void)snprintf(import->reasons[import->reasons_count++], sizeof import->reasons[0],
                       "%.*s: %.*s", ISG_STR_ARG(stix_json_get_str(reason, "id")),
                       ISG_STR_ARG(stix_json_get_str(reason, "message")));
    }
}

static int send_piece(struct import *import, struct isg_str piece, struct isg_fail *why)
{
    struct stix_json *reply = NULL;
    int err = cli_admin(import->cli, "POST", import->path.p, piece, &reply, why);
    if (err == ISG_OK)
        count(import, reply);
    stix_json_free(&reply);
    if (isatty(STDERR_FILENO))
        (void)fprintf(stderr, "\r%lld objects sent, %zu files read ", (long long)import->total,
                      import->files);
    return err;
}

/* Cut the spool at record borders into pieces and send them in order. */
static int send_spool(struct import *import, struct isg_str spool, struct isg_fail *why)
{
    struct isg_str rest = spool;
    struct isg_str object;
    char facet[ADMIN_FACET_MAX];
    bool bad = false;
    const char *begin = spool.p;
    size_t records = 0;
    int err = ISG_OK;
    while (err == ISG_OK && admin_record_next(&rest, &object, facet, &bad)) {
        records++;
        size_t n = (size_t)(rest.p - begin);
        if (n < PIECE_BYTES && records < PIECE_RECORDS && rest.n > 0)
            continue;
        err = send_piece(import, (struct isg_str){begin, n}, why);
        begin = rest.p;
        records = 0;
    }
    return err;
}

static int import_file(struct import *import, const char *path, struct isg_buf *spool)
{
    struct isg_fail why = {0};
    isg_buf_reset(spool);
    int err = map_file(import->source, import->space, path, emit_record, spool, &why);
    import->files++;
    if (err != ISG_OK) {
        import->files_refused++;
        (void)fprintf(stderr, "isg import: %s refused whole: %s%s%s%s%s%s\n", path, why.text,
                      why.path[0] != '\0' ? " at " : "", why.path, why.rule[0] != '\0' ? " [" : "",
                      why.rule, why.rule[0] != '\0' ? "]" : "");
        return isg_err_exit(err);
    }
    err = send_spool(import, isg_buf_str(spool), &why);
    return err == ISG_OK ? 0 : cli_fail(import->cli, &why);
}

static void import_report(const struct import *import)
{
    if (isatty(STDERR_FILENO))
        (void)fputc('\n', stderr);
    if (import->cli->json) {
        printf("{\"files\":%zu,\"files_refused\":%zu,\"total\":%lld,\"added\":%lld,\"same\":%lld,"
               "\"refused\":%lld}\n",
               import->files, import->files_refused, (long long)import->total,
               (long long)import->added, (long long)import->same, (long long)import->refused);
        return;
    }
    printf("%zu files, %lld objects: %lld added, %lld the same, %lld refused%s\n", import->files,
           (long long)import->total, (long long)import->added, (long long)import->same,
           (long long)import->refused, import->dry_run ? " (dry run: nothing was written)" : "");
    for (size_t i = 0; i < import->reasons_count; i++)
        printf("  refused %s\n", import->reasons[i]);
}

static int import_open(struct import *import, struct isg_fail *why)
{
    struct config *config = NULL;
    int err = config_load(import->cli->dir, &config, why);
    if (err != ISG_OK)
        return err;
    feed_namespace(isg_str_of(config->id_urn), import->space);
    config_free(&config);
    isg_buf_init(&import->path, 8192);
    isg_buf_puts(&import->path, "/admin/v1/ingest?collection=");
    cli_escape(&import->path, import->collection);
    isg_buf_puts(&import->path, "&source=");
    cli_escape(&import->path, import->name);
    isg_buf_printf(&import->path, "&mode=%s&dry_run=%d",
                   import->source->as_sent ? "sent" : "mapped", import->dry_run ? 1 : 0);
    return import->path.err;
}

static int import_files(struct import *import, const struct files *files)
{
    struct isg_buf spool;
    int code = 0;
    isg_buf_init(&spool, 2 * FILE_MAX);
    for (size_t i = 0; i < files->n; i++) {
        int one = import_file(import, files->names[i], &spool);
        code = one != 0 ? one : code;
        if (one != 0 && one != CLI_DATA)
            break; /* the service, not the file, is the trouble */
    }
    isg_buf_done(&spool);
    return code;
}

int cli_import(struct cli *cli)
{
    struct import import = {.cli = cli};
    struct files files = {0};
    struct isg_fail why = {0};
    const char *format = NULL;
    const struct cli_option options[] = {{"--format", NULL, &format},
                                         {"--collection", NULL, &import.collection},
                                         {"--source", NULL, &import.name},
                                         {"--dry-run", &import.dry_run, NULL}};
    int code = cli_options(cli, options, 4);
    if (code == 0)
        code = cli_expect(cli, 1, CLI_ARGS_MAX);
    if (code == 0 && (import.source = source_of(cli, format)) == NULL)
        code = CLI_USAGE;
    if (code == 0 && import.collection == NULL)
        code = cli_usage(cli, "--collection is missing");
    if (code != 0)
        return code;
    if (import.name == NULL)
        import.name = import.source->format;
    int err = import_open(&import, &why);
    if (err == ISG_OK)
        err = files_of(cli, &files, &why);
    if (err == ISG_OK)
        code = import_files(&import, &files);
    else
        code = cli_fail(cli, &why);
    if (err == ISG_OK)
        import_report(&import);
    files_done(&files);
    isg_buf_done(&import.path);
    return code == 0 && import.refused > 0 ? CLI_DATA : code;
}

/* ---- convert ---- */

struct convert {
    struct stix_bundle_writer writer;
    struct isg_buf out;
    struct isg_str *ids; /* seen; open addressing, a power of two */
    size_t cap;
    size_t n;
};

static size_t hash_of(struct isg_str s)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * UINT64_C(1099511628211);
    return (size_t)(h ^ h >> 32);
}

static struct isg_str *id_slot(struct isg_str *ids, size_t cap, struct isg_str id)
{
    size_t at = hash_of(id) & (cap - 1);
    while (ids[at].p != NULL && !isg_str_eq(ids[at], id))
        at = (at + 1) & (cap - 1);
    return &ids[at];
}

static int ids_grow(struct convert *convert)
{
    if (convert->n * 2 < convert->cap)
        return ISG_OK;
    size_t cap = convert->cap == 0 ? 1024 : convert->cap * 2;
    struct isg_str *ids = calloc(cap, sizeof *ids);
    if (ids == NULL)
        return ISG_ENOMEM;
    for (size_t i = 0; i < convert->cap; i++)
        if (convert->ids[i].p != NULL)
            *id_slot(ids, cap, convert->ids[i]) = convert->ids[i];
    free(convert->ids);
    convert->ids = ids;
    convert->cap = cap;
    return ISG_OK;
}

/* Records that map to one object (a vendor's identity, say) stand in the bundle once. */
static int emit_bundle(void *arg, struct isg_str object, const char *facet, struct isg_fail *why)
{
    struct convert *convert = arg;
    struct stix_json *json = NULL;
    (void)facet;
    int err = stix_json_parse(object, NULL, &json, why);
    if (err == ISG_OK)
        err = ids_grow(convert);
    struct isg_str id = stix_json_get_str(json, "id");
    if (err == ISG_OK && id.n > 0) {
        struct isg_str *slot = id_slot(convert->ids, convert->cap, id);
        bool seen = slot->p != NULL;
        if (!seen) {
            char *copy = malloc(id.n);
            if (copy != NULL)
                *slot = (struct isg_str){memcpy(copy, id.p, id.n), id.n};
            convert->n++;
            stix_bundle_add(&convert->writer, object);
        }
    }
    stix_json_free(&json);
    return err != ISG_OK ? err : convert->out.err;
}

static void convert_done(struct convert *convert)
{
    for (size_t i = 0; i < convert->cap; i++)
        free((void *)(uintptr_t)convert->ids[i].p);
    free(convert->ids);
    isg_buf_done(&convert->out);
}

int cli_convert(struct cli *cli)
{
    struct convert convert = {0};
    struct isg_fail why = {0};
    const struct feed_source *source = NULL;
    const char *format = NULL;
    const char *urn = "urn:isao-gateway:convert";
    const char *target = NULL;
    char space[ISG_UUID_TEXT];
    const struct cli_option options[] = {
        {"--format", NULL, &format}, {"--id-urn", NULL, &urn}, {"-o", NULL, &target}};
    int code = cli_options(cli, options, 3);
    if (code == 0)
        code = cli_expect(cli, 1, 1);
    if (code == 0 && (source = source_of(cli, format)) == NULL)
        code = CLI_USAGE;
    if (code != 0)
        return code;
    feed_namespace(isg_str_of(urn), space);
    isg_buf_init(&convert.out, 2 * FILE_MAX);
    stix_bundle_begin(&convert.writer, &convert.out, NULL);
    int err = map_file(source, space, cli->args[0], emit_bundle, &convert, &why);
    if (err == ISG_OK) {
        stix_bundle_end(&convert.writer);
        err = convert.out.err;
    }
    if (err == ISG_OK && target != NULL)
        err = cli_write(target, isg_buf_str(&convert.out), 0644, &why);
    else if (err == ISG_OK)
        cli_print(isg_buf_str(&convert.out));
    convert_done(&convert);
    return err == ISG_OK ? 0 : cli_fail(cli, &why);
}
