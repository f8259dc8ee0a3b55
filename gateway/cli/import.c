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

#include "gateway/admin/admin_wire.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/feed_file.h"
#include "gateway/cli/progress.h"
#include "stix/base/jsonw.h"
#include "stix/json.h"

enum {
    PIECE_BYTES = 4 << 20, /* of one request */
    PIECE_RECORDS = 2000,
    REASONS_MAX = 3
};

/* ---- the list of files: a folder stands for the .json files in it ---- */

struct file {
    char *path;
    bool in_folder; /* found there, named by nobody: it must be a plain file */
};

struct files {
    struct file *list;
    size_t n;
    size_t cap;
    uint64_t bytes; /* of all; 0: not known, standard input is among them */
};

static int files_add(struct files *files, const char *folder, const char *name)
{
    if (files->n == files->cap) {
        size_t cap = files->cap == 0 ? 64 : files->cap * 2;
        struct file *list = realloc(files->list, cap * sizeof *list);
        if (list == NULL)
            return ISG_ENOMEM;
        files->list = list;
        files->cap = cap;
    }
    size_t n = strlen(name) + (folder != NULL ? strlen(folder) + 1 : 0) + 1;
    char *path = malloc(n);
    if (path == NULL)
        return ISG_ENOMEM;
    (void)snprintf(path, n, "%s%s%s", folder != NULL ? folder : "", folder != NULL ? "/" : "",
                   name);
    files->list[files->n++] = (struct file){path, folder != NULL};
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
    int err = ISG_OK;
    if (n < 0)
        err = isg_fail(why, ISG_EIO, "%s: cannot be read", folder);
    else if (n == 0)
        err = isg_fail(why, ISG_EINVAL, "%s: no .json file is in it", folder);
    for (int i = 0; i < n; i++) {
        if (err == ISG_OK)
            err = files_add(files, folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return err;
}

static void files_measure(struct files *files)
{
    struct stat info;
    bool known = true;
    for (size_t i = 0; i < files->n; i++) {
        known = known && strcmp(files->list[i].path, "-") != 0;
        if (stat(files->list[i].path, &info) == 0)
            files->bytes += (uint64_t)info.st_size;
    }
    if (!known)
        files->bytes = 0;
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
    files_measure(files);
    return err;
}

static void files_done(struct files *files)
{
    for (size_t i = 0; i < files->n; i++)
        free(files->list[i].path);
    free(files->list);
}

/* ---- sending ---- */

static int emit_record(void *arg, struct isg_str object, const char *facet, struct isg_fail *why)
{
    struct isg_buf *spool = arg;
    admin_record_put(spool, object, facet);
    return spool->err == ISG_OK ? ISG_OK : isg_fail(why, spool->err, "the file is too large");
}

struct import {
    struct cli *cli;
    struct feed_options options;
    struct feed_reader reader;
    const char *collection;
    const char *name; /* of the source, for the log and the objects' label */
    bool dry_run;
    struct progress progress;
    uint64_t bytes;      /* of the files that are done */
    struct isg_buf path; /* of the request */
    int64_t total, added, changed, same, refused;
    size_t files, files_refused;
    bool stopped; /* by the service: what other files hold would not arrive either */
    char reasons[REASONS_MAX][320];
    size_t reasons_count;
};

static int64_t number_of(const struct stix_json *reply, const char *name)
{
    int64_t n = 0;
    (void)stix_json_int(stix_json_get(reply, name), &n);
    return n;
}

static void count(struct import *import, const struct stix_json *reply)
{
    import->total += number_of(reply, "total");
    import->added += number_of(reply, "added");
    import->changed += number_of(reply, "changed");
    import->same += number_of(reply, "same");
    import->refused += number_of(reply, "refused");
    const struct stix_json *reasons = stix_json_get(reply, "reasons");
    for (size_t i = 0; i < stix_json_size(reasons) && import->reasons_count < REASONS_MAX; i++) {
        const struct stix_json *reason = stix_json_at(reasons, i);
        (void)snprintf(import->reasons[import->reasons_count++], sizeof import->reasons[0],
                       "%.*s: %.*s", ISG_STR_ARG(stix_json_get_str(reason, "id")),
                       ISG_STR_ARG(stix_json_get_str(reason, "message")));
    }
}

/* A file that is refused whole: told at once, and among the reasons with its place and rule. */
static int refuse_file(struct import *import, const struct isg_fail *why)
{
    bool place = why->path[0] != '\0', rule = why->rule[0] != '\0';
    import->files_refused++;
    if (import->reasons_count < REASONS_MAX)
        (void)snprintf(import->reasons[import->reasons_count++], sizeof import->reasons[0],
                       "%.180s%s%.80s%s%.30s%s", why->text, place ? " at " : "", why->path,
                       rule ? " [" : "", why->rule, rule ? "]" : "");
    progress_clear(&import->progress);
    return cli_fail(import->cli, why);
}

static int send_piece(struct import *import, struct isg_str piece, struct isg_fail *why)
{
    struct stix_json *reply = NULL;
    int err = cli_admin(import->cli, "POST", import->path.p, piece, &reply, why);
    if (err == ISG_OK)
        count(import, reply);
    stix_json_free(&reply);
    return err;
}

/* Cut the spool at record borders into pieces and send them in order; bytes are the file's. */
static int send_spool(struct import *import, struct isg_str spool, size_t bytes,
                      struct isg_fail *why)
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
        double part = (double)(begin - spool.p) / (double)spool.n;
        progress_show(&import->progress, import->bytes + (uint64_t)(part * (double)bytes),
                      (uint64_t)import->total);
    }
    return err;
}

/* What an unpacked archive may hold besides files: links out of it, pipes that never end, devices. */
static int check_plain(const struct file *file, struct isg_fail *why)
{
    struct stat info;
    if (!file->in_folder || lstat(file->path, &info) != 0 || S_ISREG(info.st_mode))
        return ISG_OK;
    return isg_fail_at(why, ISG_EINVAL, NULL, "R-107", "%s: %s, which is not read from a folder",
                       file->path, S_ISLNK(info.st_mode) ? "a link" : "no plain file");
}

static int import_file(struct import *import, const struct file *file, struct isg_buf *spool)
{
    struct isg_fail why = {0};
    struct isg_buf text;
    const char *path = file->path;
    isg_buf_reset(spool);
    isg_buf_init(&text, FEED_FILE_MAX);
    int err = check_plain(file, &why);
    if (err == ISG_OK)
        err = feed_file_read(import->reader.source, path, &text, &why);
    size_t bytes = text.len;
    if (err == ISG_OK)
        err = feed_file_map(&import->reader, path, isg_buf_str(&text), emit_record, spool, &why);
    isg_buf_done(&text);
    import->files++;
    if (err != ISG_OK)
        return refuse_file(import, &why);
    err = send_spool(import, isg_buf_str(spool), bytes, &why);
    import->bytes += bytes;
    if (err == ISG_OK)
        return 0;
    if (err == ISG_ENOENT) {
        const struct isg_fail said = why;
        (void)isg_fail(&why, err, "%.150s: %.80s", said.text, import->collection);
    }
    progress_clear(&import->progress);
    int code = cli_fail(import->cli, &why);
    import->stopped = code != CLI_DATA;
    return code;
}

static void report_json(const struct import *import)
{
    struct isg_buf text;
    struct isg_jsonw w;
    isg_buf_init(&text, 65536);
    isg_jsonw_init(&w, &text);
    isg_jsonw_object(&w);
    isg_jsonw_put_int(&w, "files", (int64_t)import->files);
    isg_jsonw_put_int(&w, "files_refused", (int64_t)import->files_refused);
    feed_left_write(&import->reader, &w);
    isg_jsonw_put_int(&w, "total", import->total);
    isg_jsonw_put_int(&w, "accepted", import->total - import->refused);
    isg_jsonw_put_int(&w, "added", import->added);
    isg_jsonw_put_int(&w, "changed", import->changed);
    isg_jsonw_put_int(&w, "same", import->same);
    isg_jsonw_put_int(&w, "refused", import->refused);
    isg_jsonw_put_bool(&w, "dry_run", import->dry_run);
    isg_jsonw_put_bool(&w, "stopped", import->stopped);
    isg_jsonw_name(&w, "reasons");
    isg_jsonw_list(&w);
    for (size_t i = 0; i < import->reasons_count; i++)
        isg_jsonw_str(&w, isg_str_of(import->reasons[i]));
    isg_jsonw_end(&w);
    isg_jsonw_end(&w);
    cli_print(isg_buf_str(&text));
    isg_buf_done(&text);
}

static void import_report(struct import *import)
{
    progress_clear(&import->progress);
    if (import->cli->json) {
        report_json(import);
        return;
    }
    printf("%zu file%s, %llu records, %lld objects accepted: %lld added, %lld changed, "
           "%lld the same; %lld refused%s\n",
           import->files, import->files == 1 ? "" : "s", (unsigned long long)import->reader.records,
           (long long)(import->total - import->refused), (long long)import->added,
           (long long)import->changed, (long long)import->same, (long long)import->refused,
           import->dry_run ? " (dry run: nothing was written)" : "");
    if (import->files_refused > 0)
        printf("  %zu of the files refused whole\n", import->files_refused);
    feed_left_say(&import->reader, "  ", stdout);
    for (size_t i = 0; i < import->reasons_count; i++)
        cli_line(stdout, "  refused %s", import->reasons[i]);
    if (import->stopped && import->total > 0)
        puts(
            "  stopped before the end: when that is mended, import again; what is in is the same then");
}

static int import_open(struct import *import, struct isg_fail *why)
{
    struct config *config = NULL;
    int err = cli_config_load(import->cli, NULL, &config, why);
    if (err != ISG_OK)
        return err;
    err = feed_reader_instance(&import->reader, config->id_urn, config->name,
                               config->vendor_aliases, why);
    config_free(&config);
    if (err != ISG_OK)
        return err;
    isg_buf_puts(&import->path, "/admin/v1/ingest?collection=");
    cli_escape(&import->path, import->collection);
    isg_buf_puts(&import->path, "&source=");
    cli_escape(&import->path, import->name);
    isg_buf_printf(&import->path, "&mode=%s&dry_run=%d",
                   import->reader.source->as_sent ? "sent" : "mapped", import->dry_run ? 1 : 0);
    return import->path.err;
}

static int import_files(struct import *import, const struct files *files)
{
    struct isg_buf spool;
    int code = 0;
    isg_buf_init(&spool, 2 * FEED_FILE_MAX);
    for (size_t i = 0; i < files->n && !import->stopped; i++) {
        int one = import_file(import, &files->list[i], &spool);
        code = one != 0 ? one : code;
    }
    isg_buf_done(&spool);
    return code;
}

/* Options and arguments; 0 or an exit code. */
static int import_words(struct import *import)
{
    struct cli_option rows[FEED_OPTIONS + 2] = {{"--collection", NULL, &import->collection},
                                                {"--dry-run", &import->dry_run, NULL}};
    feed_option_rows(&import->options, rows + 2);
    int code = cli_arguments(import->cli, rows, FEED_OPTIONS + 2, 1, CLI_ARGS_MAX);
    if (code == 0)
        code = feed_reader_open(import->cli, &import->options, &import->reader);
    import->reader.sighted = true;
    if (code == 0 && import->collection == NULL)
        code = cli_usage(import->cli, "--collection is missing");
    if (code == 0 && import->reader.source->to_member && import->options.source == NULL)
        code = cli_usage(import->cli, "--source is missing: the member that %s is about",
                         import->options.format);
    if (code == 0)
        import->name =
            import->options.source != NULL ? import->options.source : import->reader.source->format;
    return code;
}

int cli_import(struct cli *cli)
{
    struct import import = {.cli = cli};
    struct files files = {.list = NULL};
    struct isg_fail why = {0};
    isg_buf_init(&import.path, 8192);
    int code = import_words(&import);
    if (code == 0) {
        int err = import_open(&import, &why);
        if (err == ISG_OK)
            err = files_of(cli, &files, &why);
        progress_begin(&import.progress, files.bytes);
        code = err == ISG_OK ? import_files(&import, &files) : cli_fail(cli, &why);
        if (err == ISG_OK)
            import_report(&import);
    }
    files_done(&files);
    isg_buf_done(&import.path);
    feed_reader_done(&import.reader);
    return code == 0 && import.refused > 0 ? CLI_DATA : code;
}
