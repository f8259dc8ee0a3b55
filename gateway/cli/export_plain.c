/* `isg export` in the forms of other tools: one file with its companions, or a folder. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "feeds/feed.h"
#include "gateway/cli/export.h"
#include "gateway/share/export.h"
#include "gateway/sync/feed_files.h"
#include "stix/base/jsonw.h"
#include "stix/base/time.h"

enum { MANIFEST_MAX = 256 << 20 };

struct plain {
    struct export_view *view;
    const struct export_request *request;
    struct export *run;
    struct export_sink sink; /* file NULL: a folder is written */
};

static int plain_take(void *arg, struct isg_str object, enum stix_tlp level, struct isg_fail *why)
{
    struct plain *plain = arg;
    return export_add(plain->run, object, level, why);
}

static int plain_paged(void *arg, struct isg_fail *why)
{
    struct plain *plain = arg;
    return plain->sink.file != NULL ? export_sink_drain(&plain->sink, EXPORT_DRAIN, why) : ISG_OK;
}

static int read_view(struct plain *plain, struct isg_fail *why)
{
    int err = export_view_read(plain->view, plain_take, plain_paged, plain, why);
    return err == ISG_OK ? export_finish(plain->run, why) : err;
}

/* ---- files ---- */

/* Where a file goes: beside the main one, or into the folder. */
static int path_of(const struct plain *plain, const char *name, char out[4096],
                   struct isg_fail *why)
{
    bool folder = plain->sink.file == NULL;
    int n = snprintf(out, 4096, "%s%s%s", plain->request->target, folder ? "/" : "", name);
    return n < 4096 ? ISG_OK
                    : isg_fail(why, ISG_EUSAGE, "-o %.100s...: the name is too long",
                               plain->request->target);
}

/* What is done with the place of each file but the main one. */
typedef int place_step(const char *path, const struct export_file *file, struct isg_fail *why);

static int check_place(const char *path, const struct export_file *file, struct isg_fail *why)
{
    (void)file;
    return cli_check_target(path, why);
}

static int write_aside(const char *path, const struct export_file *file, struct isg_fail *why)
{
    return cli_write_aside(path, isg_buf_str(&file->text), 0644, why);
}

static int give_name(const char *path, const struct export_file *file, struct isg_fail *why)
{
    (void)file;
    return cli_write_name(path, why);
}

static int drop(const char *path, const struct export_file *file, struct isg_fail *why)
{
    (void)file;
    (void)why;
    cli_write_drop(path);
    return ISG_OK;
}

static int each_file(const struct plain *plain, place_step *step, struct isg_fail *why)
{
    char path[4096];
    int err = ISG_OK;
    for (const struct export_file *f = export_files(plain->run); f != NULL && err == ISG_OK;
         f = f->next) {
        err = path_of(plain, f->name, path, why);
        err = err == ISG_OK ? step(path, f, why) : err;
    }
    return err;
}

/*
 * All files but the main one. None gets its name before all are written, so that a disk that is full
 * and a Ctrl-C leave what was there before; none is written when the place of one is taken.
 */
static int write_files(const struct plain *plain, struct isg_fail *why)
{
    int err = each_file(plain, check_place, why);
    if (err != ISG_OK)
        return err;
    err = each_file(plain, write_aside, why);
    if (err == ISG_OK)
        err = each_file(plain, give_name, why);
    if (err != ISG_OK)
        (void)each_file(plain, drop, NULL);
    return err;
}

/* ---- one file ---- */

/* The main file gets its name last: what it refers to is there before it. */
static int write_file(struct plain *plain, struct isg_fail *why)
{
    const char *target = plain->request->target;
    int err = export_sink_open(&plain->sink, target, export_text(plain->run), why);
    if (err != ISG_OK)
        return err;
    err = read_view(plain, why);
    if (err == ISG_OK)
        err = export_sink_drain(&plain->sink, 0, why);
    err = export_sink_close(&plain->sink, err, why);
    if (err == ISG_OK)
        err = write_files(plain, why);
    if (err == ISG_OK && rename(plain->sink.temporary, target) != 0)
        err = isg_fail(why, ISG_EIO, "%s: %s", target, ISG_OS_ERROR(errno));
    if (err != ISG_OK)
        (void)unlink(plain->sink.temporary);
    return err;
}

/* ---- a folder ---- */

static bool is_written(const struct export *run, const char *name)
{
    for (const struct export_file *f = export_files(run); f != NULL; f = f->next) {
        if (strcmp(f->name, name) == 0)
            return true;
    }
    return false;
}

/* The index as an export before this one left it; without one *out is NULL. */
static void read_manifest(const struct plain *plain, struct stix_json **out)
{
    char path[4096];
    struct isg_buf text;
    isg_buf_init(&text, MANIFEST_MAX);
    if (path_of(plain, "manifest.json", path, NULL) == ISG_OK &&
        cli_read(path, MANIFEST_MAX, &text, NULL) == ISG_OK)
        (void)stix_json_parse(isg_buf_str(&text), NULL, out, NULL);
    isg_buf_done(&text);
}

/* Events that only the old index knows. No other file is touched: the folder may hold anything. */
static void remove_old(const struct plain *plain, const struct stix_json *manifest)
{
    struct stix_json_walk walk;
    char name[ISG_UUID_TEXT + 8];
    char path[4096];
    stix_json_walk(manifest, &walk);
    while (stix_json_next(&walk)) {
        if (!isg_uuid_is_valid(isg_str_of(walk.name), NULL))
            continue;
        (void)snprintf(name, sizeof name, "%s.json", walk.name);
        if (!is_written(plain->run, name) && path_of(plain, name, path, NULL) == ISG_OK)
            (void)unlink(path);
    }
}

/* The index is written last; then what it no longer names goes. */
static int write_folder(struct plain *plain, struct isg_fail *why)
{
    const char *folder = plain->request->target;
    struct stix_json *manifest = NULL;
    struct stat info;
    int err = read_view(plain, why);
    bool made = err == ISG_OK && mkdir(folder, 0755) == 0;
    if (err == ISG_OK && !made && errno == EEXIST && stat(folder, &info) == 0 &&
        !S_ISDIR(info.st_mode))
        err = isg_fail(why, ISG_EIO, "%s: is there and no folder", folder);
    else if (err == ISG_OK && !made && errno != EEXIST)
        err = isg_fail(why, ISG_EIO, "%s: %s", folder, ISG_OS_ERROR(errno));
    if (err != ISG_OK)
        return err;
    read_manifest(plain, &manifest);
    err = write_files(plain, why);
    if (err == ISG_OK)
        remove_old(plain, manifest);
    else if (made)
        (void)rmdir(folder);
    stix_json_free(&manifest);
    return err;
}

/* ---- what is said of it ---- */

static void print_json(const struct plain *plain)
{
    const struct export_counts *counts = export_counts(plain->run);
    struct isg_buf out;
    struct isg_jsonw w;
    isg_buf_init(&out, 65536);
    isg_jsonw_init(&w, &out);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "format", plain->request->format);
    isg_jsonw_put_int(&w, "indicators", (int64_t)counts->indicators);
    isg_jsonw_put_int(&w, "rows", (int64_t)counts->rows);
    isg_jsonw_name(&w, "dropped");
    isg_jsonw_object(&w);
    for (unsigned i = EXPORT_KEPT + 1; i < EXPORT_REASONS; i++) {
        if (counts->left_out[i] > 0)
            isg_jsonw_put_int(&w, export_reason_name(i), (int64_t)counts->left_out[i]);
    }
    isg_jsonw_end(&w);
    isg_jsonw_name(&w, "excluded");
    isg_jsonw_object(&w);
    for (size_t i = 0; i < EXCLUDE_REASONS && counts->excluded.reasons[i].list != NULL; i++)
        isg_jsonw_put_int(&w, counts->excluded.reasons[i].list,
                          (int64_t)counts->excluded.reasons[i].hits);
    isg_jsonw_end(&w);
    isg_jsonw_put(&w, "tlp", stix_tlp_name(plain->view->tlp));
    isg_jsonw_end(&w);
    cli_print(isg_buf_str(&out));
    isg_buf_done(&out);
}

/* "left out: 2 expired, 1 excluded (1 private)", on standard error; nothing when nothing was. */
static void say_left_out(const struct export_counts *counts)
{
    bool any = false;
    for (unsigned i = EXPORT_KEPT + 1; i < EXPORT_REASONS; i++) {
        if (counts->left_out[i] == 0)
            continue;
        (void)fprintf(stderr, "%s%llu %s", any ? ", " : "isg export: left out: ",
                      (unsigned long long)counts->left_out[i], export_reason_name(i));
        any = true;
    }
    for (size_t i = 0; i < EXCLUDE_REASONS && counts->excluded.reasons[i].list != NULL; i++)
        (void)fprintf(stderr, "%s%llu %s", i == 0 ? " (" : ", ",
                      (unsigned long long)counts->excluded.reasons[i].hits,
                      counts->excluded.reasons[i].list);
    if (any)
        (void)fprintf(stderr, "%s\n", counts->excluded.reasons[0].list != NULL ? ")" : "");
}

static void print_result(const struct plain *plain)
{
    const struct export_counts *counts = export_counts(plain->run);
    say_left_out(counts);
    if (plain->view->cli->json)
        print_json(plain);
    else
        printf("%llu rows of %llu indicators, TLP:%s, in %s\n", (unsigned long long)counts->rows,
               (unsigned long long)counts->indicators, stix_tlp_name(plain->view->tlp),
               plain->request->target);
}

/* ---- the command ---- */

/* NULL, which stands for the built-in list, when no other was named. */
static int load_lists(const char *path, struct exclude_lists **out, struct isg_fail *why)
{
    if (path == NULL)
        return ISG_OK;
    *out = exclude_new(true);
    return *out != NULL ? feed_lists_read(*out, path, NULL, why)
                        : isg_fail(why, ISG_ENOMEM, "no memory for a list");
}

static int run_plain(struct plain *plain, const struct export_options *options,
                     struct isg_fail *why)
{
    plain->run = export_new(options);
    if (plain->run == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory for the export");
    int err = export_format_is_folder(options->format) ? write_folder(plain, why)
                                                       : write_file(plain, why);
    if (err == ISG_OK)
        print_result(plain);
    export_free(&plain->run);
    return err;
}

int export_plain(struct export_view *view, const struct export_request *request)
{
    struct plain plain = {.view = view, .request = request};
    struct isg_fail why = {0};
    struct config *config = NULL;
    struct exclude_lists *exclude = NULL;
    const char *slash = strrchr(request->target, '/');
    int err = cli_config_load(view->cli, NULL, &config, &why);
    if (err == ISG_OK)
        err = load_lists(request->lists, &exclude, &why);
    if (err == ISG_OK) {
        struct export_options options = {.format = export_format_find(request->format),
                                         .type = request->type,
                                         .source = config->name,
                                         .collection = view->id,
                                         .file = slash != NULL ? slash + 1 : request->target,
                                         .now_us = isg_time_now_us(),
                                         .exclude = exclude};
        feed_namespace(isg_str_of(config->id_urn), options.space);
        err = run_plain(&plain, &options, &why);
    }
    exclude_free(&exclude);
    config_free(&config);
    return err == ISG_OK ? 0 : cli_fail(view->cli, &why);
}
