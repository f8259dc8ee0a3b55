/* A feed's file as a STIX bundle on standard output, without a service. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/cli/cli.h"
#include "gateway/cli/feed_file.h"
#include "gateway/cli/interrupt.h"
#include "gateway/cli/progress.h"
#include "stix/base/digest.h"
#include "stix/base/utf8.h"
#include "stix/base/uuid.h"
#include "stix/bundle.h"
#include "stix/check.h"
#include "stix/json.h"

enum { REASONS_MAX = 3 };

struct convert {
    struct stix_bundle_writer writer;
    struct isg_buf out;
    struct isg_str *ids; /* seen; open addressing, a power of two */
    size_t cap;
    size_t n;
    struct feed_reader reader;
    struct progress progress;
    uint64_t seen;    /* objects handed out */
    uint64_t objects; /* of them in the bundle */
    uint64_t refused; /* others' STIX that is none */
    char reasons[REASONS_MAX][320];
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

/* True the first time; a version of an object that was sent twice stands in the bundle once. */
static int is_new(struct convert *convert, const struct stix_json *json, bool *out)
{
    struct isg_buf key;
    isg_buf_init(&key, 1 << 20);
    int err = ids_grow(convert);
    isg_buf_put_str(&key, stix_json_get_str(json, "id"));
    isg_buf_putc(&key, ' ');
    isg_buf_put_str(&key, stix_json_get_str(json, "modified"));
    err = err == ISG_OK ? key.err : err;
    struct isg_str *slot =
        err == ISG_OK ? id_slot(convert->ids, convert->cap, isg_buf_str(&key)) : NULL;
    *out = slot != NULL && slot->p == NULL;
    if (*out) {
        size_t n = 0;
        slot->p = isg_buf_take(&key, &n);
        slot->n = n;
        convert->n++;
    }
    isg_buf_done(&key);
    return err;
}

/* What an import would refuse stands in no bundle either, and is told of in the same words. */
static int check(struct convert *convert, const struct stix_json *json, bool *out_good)
{
    const struct stix_check_options nested = {.nested = true};
    struct isg_fail found = {.code = ISG_OK};
    struct stix_report report;
    struct isg_arena *arena = isg_arena_new(1 << 20);
    stix_report_init(&report, arena, 1);
    int err = arena == NULL ? ISG_ENOMEM : ISG_OK;
    if (err == ISG_OK)
        err = stix_check(json, &nested, &report);
    if (err == ISG_OK)
        (void)stix_report_fail(&report, &found);
    *out_good = found.code == ISG_OK;
    struct isg_str id = stix_json_get_str(json, "id");
    if (!*out_good && convert->refused < REASONS_MAX) {
        (void)snprintf(convert->reasons[convert->refused], sizeof convert->reasons[0],
                       "%.80s: %.100s: %.100s (%.30s)", id.n > 0 ? id.p : "no id", found.path,
                       found.text, found.rule);
        isg_utf8_mend(convert->reasons[convert->refused]);
    }
    convert->refused += !*out_good;
    isg_arena_free(&arena);
    return err;
}

/* Others' STIX, which may be wrong, or say a thing twice. */
static int judge_sent(struct convert *convert, struct isg_str object, bool *out_fresh,
                      struct isg_fail *why)
{
    struct stix_json *json = NULL;
    bool good = false;
    int err = stix_json_parse(object, NULL, &json, why);
    if (err == ISG_OK)
        err = check(convert, json, &good);
    *out_fresh = good;
    if (err == ISG_OK && good)
        err = is_new(convert, json, out_fresh);
    stix_json_free(&json);
    return err;
}

/* What a mapping makes of a file it hands out once, and right. */
static int emit_bundle(void *arg, struct isg_str object, const char *facet, struct isg_fail *why)
{
    struct convert *convert = arg;
    bool fresh = true;
    (void)facet;
    int err = convert->reader.source->as_sent ? judge_sent(convert, object, &fresh, why) : ISG_OK;
    if (err != ISG_OK)
        return err;
    convert->seen++;
    convert->objects += fresh;
    if (fresh)
        stix_bundle_add(&convert->writer, object);
    progress_show(&convert->progress, 0, convert->objects);
    return convert->out.err;
}

static void convert_done(struct convert *convert)
{
    for (size_t i = 0; i < convert->cap; i++)
        free((void *)(uintptr_t)convert->ids[i].p); /* NOLINT(performance-no-int-to-ptr): ours */
    free(convert->ids);
    isg_buf_done(&convert->out);
    feed_reader_done(&convert->reader);
}

/*
 * The instance's own namespace, name and aliases of vendors where there is one, so that the objects are those that its
 * import makes; else a neutral one. --id-urn names another namespace.
 */
static int instance_of(struct cli *cli, const char *urn, struct feed_reader *reader,
                       struct isg_fail *why)
{
    struct config *config = NULL;
    struct isg_buf path;
    isg_buf_init(&path, 8192);
    isg_buf_printf(&path, "%s/isg.yaml", cli->dir);
    bool there = path.err == ISG_OK && access(path.p, R_OK) == 0;
    isg_buf_done(&path);
    int err = there ? cli_config_load(cli, NULL, &config, why) : ISG_OK;
    if (err != ISG_OK)
        return err;
    if (urn == NULL)
        urn = config != NULL ? config->id_urn : "urn:isao-gateway:convert";
    err = feed_reader_instance(reader, urn, config != NULL ? config->name : "ISAO Gateway",
                               config != NULL ? config->vendor_aliases : NULL, why);
    config_free(&config);
    return err;
}

/* The same file gives the same bundle: its id is made of the file's digest. */
static void bundle_id(const struct feed_source *source, const struct feed_owner *owner,
                      struct isg_str text, char out[80])
{
    uint8_t digest[ISG_SHA256_BYTES];
    char hex[2 * ISG_SHA256_BYTES + 1];
    char name[128];
    char uuid[ISG_UUID_TEXT];
    isg_sha256(text, digest);
    isg_hex_encode(digest, sizeof digest, hex);
    (void)snprintf(name, sizeof name, "bundle:%s:%s", source->format, hex);
    isg_uuid_v5(owner->space, isg_str_of(name), uuid);
    (void)snprintf(out, 80, "bundle--%s", uuid);
}

static int convert_file(struct convert *convert, const char *path, struct isg_fail *why)
{
    struct isg_buf text;
    char id[80];
    isg_buf_init(&text, FEED_FILE_MAX);
    int err = feed_file_read(convert->reader.source, path, &text, why);
    progress_begin(&convert->progress, 0);
    if (err == ISG_OK) {
        bundle_id(convert->reader.source, &convert->reader.owner, isg_buf_str(&text), id);
        stix_bundle_begin(&convert->writer, &convert->out, id);
        err = feed_file_map(&convert->reader, path, isg_buf_str(&text), emit_bundle, convert, why);
    }
    progress_clear(&convert->progress);
    isg_buf_done(&text);
    if (err != ISG_OK)
        return err;
    stix_bundle_end(&convert->writer);
    return convert->out.err == ISG_OK
               ? ISG_OK
               : isg_fail(why, convert->out.err, "%s: the bundle is too large", path);
}

/* On standard error, as the bundle may be on standard output. */
static void report(const struct convert *convert, bool json)
{
    struct isg_buf text;
    struct isg_jsonw w;
    if (!json) {
        (void)fprintf(stderr, "isg convert: %llu records, %llu objects\n",
                      (unsigned long long)convert->reader.records,
                      (unsigned long long)convert->objects);
        feed_left_say(&convert->reader, "isg convert: ", stderr);
        for (uint64_t i = 0; i < convert->refused && i < REASONS_MAX; i++)
            cli_line(stderr, "isg convert: refused %s", convert->reasons[i]);
        if (convert->refused > REASONS_MAX)
            (void)fprintf(stderr, "isg convert: %llu refused in all\n",
                          (unsigned long long)convert->refused);
        return;
    }
    isg_buf_init(&text, 65536);
    isg_jsonw_init(&w, &text);
    isg_jsonw_object(&w);
    feed_left_write(&convert->reader, &w);
    isg_jsonw_put_int(&w, "accepted", (int64_t)convert->objects);
    isg_jsonw_put_int(&w, "same", (int64_t)(convert->seen - convert->objects - convert->refused));
    isg_jsonw_put_int(&w, "refused", (int64_t)convert->refused);
    isg_jsonw_name(&w, "reasons");
    isg_jsonw_list(&w);
    for (uint64_t i = 0; i < convert->refused && i < REASONS_MAX; i++)
        isg_jsonw_str(&w, isg_str_of(convert->reasons[i]));
    isg_jsonw_end(&w);
    isg_jsonw_end(&w);
    (void)fprintf(stderr, "%.*s\n", ISG_STR_ARG(isg_buf_str(&text)));
    isg_buf_done(&text);
}

int cli_convert(struct cli *cli)
{
    struct convert convert = {.ids = NULL};
    struct feed_options feed = {.format = NULL};
    struct isg_fail why = {0};
    const char *urn = NULL;
    const char *target = "-";
    struct cli_option rows[FEED_OPTIONS + 2] = {{"--id-urn", NULL, &urn}, {"-o", NULL, &target}};
    feed_option_rows(&feed, rows + 2);
    isg_buf_init(&convert.out, 2 * FEED_FILE_MAX);
    int code = cli_arguments(cli, rows, FEED_OPTIONS + 2, 0, 1);
    if (code == 0 && urn != NULL && !config_is_urn(isg_str_of(urn)))
        code = cli_usage(cli, "--id-urn %s is not urn:NAMESPACE:NAME", urn);
    if (code == 0)
        code = feed_reader_open(cli, &feed, &convert.reader);
    if (code == 0) {
        int err = instance_of(cli, urn, &convert.reader, &why);
        if (err == ISG_OK)
            err = convert_file(&convert, cli->args_count > 0 ? cli->args[0] : "-", &why);
        bool file = strcmp(target, "-") != 0;
        if (file)
            interrupt_watch();
        if (err == ISG_OK && file)
            err = cli_write(target, isg_buf_str(&convert.out), 0644, &why);
        else if (err == ISG_OK)
            cli_print(isg_buf_str(&convert.out));
        if (err == ISG_OK)
            report(&convert, cli->json);
        code = err != ISG_OK ? cli_fail(cli, &why) : convert.refused > 0 ? CLI_DATA : 0;
        code = interrupt_end(code);
    }
    convert_done(&convert);
    return code;
}
