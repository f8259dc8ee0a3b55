/* What a member may see, out of the gateway: as a signed bundle, or for other tools. */
#include "gateway/cli/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/cli/interrupt.h"
#include "gateway/share/export.h"
#include "gateway/trust/bundle_files.h"
#include "gateway/trust/keys.h"
#include "stix/base/time.h"
#include "stix/bundle.h"

/* ---- a view, page by page ---- */

static int take_objects(struct isg_str page, const struct stix_json *levels, export_take *take,
                        void *arg, struct isg_fail *why)
{
    struct isg_str line;
    int err = ISG_OK;
    for (size_t i = 0; err == ISG_OK && isg_str_split(&page, '\n', &line); i++) {
        enum stix_tlp level = stix_tlp_of_name(stix_json_str(stix_json_at(levels, i)));
        if (line.n > 0)
            err = take(arg, line, level, why);
    }
    return err;
}

/* An answer is a line about the page, then an object a line. */
static int take_page(struct export_view *view, struct isg_str page, export_take *take, void *arg,
                     struct isg_fail *why)
{
    struct stix_json *head = NULL;
    struct isg_str line;
    int64_t after = 0;
    int err = isg_str_split(&page, '\n', &line)
                  ? stix_json_parse(line, NULL, &head, why)
                  : isg_fail(why, ISG_EPARSE, "the service's answer is empty");
    if (err == ISG_OK && !stix_json_int(stix_json_get(head, "after"), &after))
        err = isg_fail(why, ISG_EPARSE, "the service's answer lacks `after`");
    enum stix_tlp tlp = stix_tlp_of_name(stix_json_get_str(head, "tlp"));
    view->tlp = tlp > view->tlp ? tlp : view->tlp;
    (void)snprintf(view->id, sizeof view->id, "%.*s",
                   ISG_STR_ARG(stix_json_get_str(head, "collection")));
    view->more = stix_json_bool(stix_json_get(head, "more"));
    view->after = (uint64_t)after;
    if (err == ISG_OK)
        err = take_objects(page, stix_json_get(head, "levels"), take, arg, why);
    stix_json_free(&head);
    return err;
}

static int fetch_page(struct export_view *view, export_take *take, void *arg, struct isg_fail *why)
{
    struct isg_buf path;
    struct isg_buf reply;
    isg_buf_init(&path, 8192);
    isg_buf_init(&reply, ISG_BUF_NO_MAX);
    isg_buf_puts(&path, "/admin/v1/export?collection=");
    cli_escape(&path, view->collection);
    if (view->member != NULL) {
        isg_buf_puts(&path, "&as=");
        cli_escape(&path, view->member);
    }
    isg_buf_printf(&path, "&after=%llu&version=%s", (unsigned long long)view->after,
                   view->all_versions ? "all" : "last");
    int err = path.err != ISG_OK
                  ? isg_fail(why, ISG_EUSAGE, "an argument is too long")
                  : cli_admin_raw(view->cli, NULL, path.p, (struct isg_str){NULL, 0}, &reply, why);
    if (err == ISG_OK)
        err = take_page(view, isg_buf_str(&reply), take, arg, why);
    isg_buf_done(&reply);
    isg_buf_done(&path);
    return err;
}

int export_view_read(struct export_view *view, export_take *take,
                     int (*paged)(void *arg, struct isg_fail *why), void *arg, struct isg_fail *why)
{
    int err;
    view->tlp = STIX_TLP_CLEAR;
    view->after = 0;
    do {
        err = fetch_page(view, take, arg, why);
        if (err == ISG_OK && paged != NULL)
            err = paged(arg, why);
        if (err == ISG_OK)
            err = interrupt_check(why);
    } while (err == ISG_OK && view->more);
    return err;
}

/* ---- a file in pieces ---- */

int export_sink_open(struct export_sink *sink, const char *target, struct isg_buf *from,
                     struct isg_fail *why)
{
    *sink = (struct export_sink){.target = target, .from = from};
    if (snprintf(sink->temporary, sizeof sink->temporary, "%s.part%ld", target, (long)getpid()) >=
        (int)sizeof sink->temporary)
        return isg_fail(why, ISG_EUSAGE, "-o %.100s...: the name is too long", target);
    int err = cli_check_target(target, why);
    if (err != ISG_OK)
        return err;
    int fd = open(sink->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    sink->file = fd >= 0 ? fdopen(fd, "w") : NULL;
    return sink->file != NULL ? ISG_OK
                              : isg_fail(why, ISG_EIO, "%s: %s", target, ISG_OS_ERROR(errno));
}

int export_sink_drain(struct export_sink *sink, size_t above, struct isg_fail *why)
{
    if (sink->from->err != ISG_OK)
        return isg_fail(why, sink->from->err, "out of memory");
    if (sink->from->len <= above)
        return ISG_OK;
    if (fwrite(sink->from->p, 1, sink->from->len, sink->file) != sink->from->len)
        return isg_fail(why, ISG_EIO, "%s: %s", sink->target, ISG_OS_ERROR(errno));
    isg_buf_reset(sink->from);
    return ISG_OK;
}

int export_sink_close(struct export_sink *sink, int err, struct isg_fail *why)
{
    if ((fflush(sink->file) != 0 || fsync(fileno(sink->file)) != 0) && err == ISG_OK)
        err = isg_fail(why, ISG_EIO, "%s: %s", sink->target, ISG_OS_ERROR(errno));
    (void)fclose(sink->file);
    return err;
}

/* ---- a signed bundle ---- */

struct bundle {
    struct export_view *view;
    const char *target;
    struct export_sink sink;
    struct stix_bundle_writer writer;
    struct isg_buf out;
};

static int bundle_take(void *arg, struct isg_str object, enum stix_tlp level, struct isg_fail *why)
{
    struct bundle *bundle = arg;
    (void)level;
    (void)why;
    stix_bundle_add(&bundle->writer, object);
    return ISG_OK;
}

static int bundle_paged(void *arg, struct isg_fail *why)
{
    struct bundle *bundle = arg;
    return export_sink_drain(&bundle->sink, EXPORT_DRAIN, why);
}

/* The bundle into a temporary file beside its target. */
static int write_bundle(struct bundle *bundle, struct isg_fail *why)
{
    isg_buf_init(&bundle->out, ISG_BUF_NO_MAX);
    int err = export_sink_open(&bundle->sink, bundle->target, &bundle->out, why);
    if (err != ISG_OK)
        return err;
    stix_bundle_begin(&bundle->writer, &bundle->out, NULL);
    err = export_view_read(bundle->view, bundle_take, bundle_paged, bundle, why);
    if (err == ISG_OK) {
        stix_bundle_end(&bundle->writer);
        err = export_sink_drain(&bundle->sink, 0, why);
    }
    err = export_sink_close(&bundle->sink, err, why);
    isg_buf_done(&bundle->out);
    return err;
}

static int load_content_key(struct cli *cli, struct trust_key **out, struct isg_fail *why)
{
    struct config *config = NULL;
    int err = cli_config_load(cli, NULL, &config, why);
    if (err == ISG_OK)
        err = trust_start(why);
    if (err == ISG_OK)
        err = cli_content_key(cli, config, out, why);
    config_free(&config);
    return err;
}

static int sign_bundle(struct bundle *bundle, size_t *out_objects, struct isg_fail *why)
{
    struct trust_key *key = NULL;
    struct stix_json *json = NULL;
    struct isg_buf path;
    char iss[512];
    char collection[64];
    int64_t seq = 0;
    struct trust_bundle_facts facts = {.iss = iss,
                                       .collection = collection,
                                       .tlp = stix_tlp_name(bundle->view->tlp),
                                       .iat_s = isg_time_now_us() / 1000000};
    int err = cli_path(&path, "collections", bundle->view->collection, "/statement", why);
    if (err == ISG_OK)
        err = load_content_key(bundle->view->cli, &key, why);
    if (err == ISG_OK)
        err = cli_admin(bundle->view->cli, "POST", path.p, (struct isg_str){NULL, 0}, &json, why);
    if (err == ISG_OK) {
        (void)snprintf(iss, sizeof iss, "%.*s", ISG_STR_ARG(stix_json_get_str(json, "iss")));
        (void)snprintf(collection, sizeof collection, "%.*s",
                       ISG_STR_ARG(stix_json_get_str(json, "collection")));
        (void)stix_json_int(stix_json_get(json, "epoch"), &facts.epoch);
        (void)stix_json_int(stix_json_get(json, "seq"), &seq);
        facts.seq = seq;
        err = trust_bundle_sign(key, &facts, bundle->sink.temporary, bundle->target, out_objects,
                                why);
    }
    stix_json_free(&json);
    trust_key_free(&key);
    isg_buf_done(&path);
    return err;
}

static int export_bundle(struct export_view *view, const char *target)
{
    struct bundle bundle = {.view = view, .target = target};
    struct isg_fail why = {0};
    size_t objects = 0;
    int err = write_bundle(&bundle, &why);
    if (err == ISG_OK)
        err = sign_bundle(&bundle, &objects, &why);
    if (err != ISG_OK) {
        if (bundle.sink.file != NULL)
            (void)unlink(bundle.sink.temporary);
        return cli_fail(view->cli, &why);
    }
    if (view->cli->json)
        printf("{\"objects\":%zu,\"tlp\":\"%s\"}\n", objects, stix_tlp_name(view->tlp));
    else
        printf("%zu objects, TLP:%s, in %s, with .objects, .jws and .minisig\n", objects,
               stix_tlp_name(view->tlp), target);
    return 0;
}

/* ---- the command ---- */

static int unknown_format(const struct cli *cli, const char *name)
{
    struct isg_buf names;
    const struct export_format *format;
    isg_buf_init(&names, 1024);
    for (unsigned i = 0; (format = export_format_at(i)) != NULL; i++)
        isg_buf_printf(&names, " %s", export_format_name(format));
    int code =
        cli_usage(cli, "no format `%s`; formats are stix%s", name, names.p != NULL ? names.p : "");
    isg_buf_done(&names);
    return code;
}

static bool is_list_type(const char *type)
{
    for (unsigned i = 0; export_list_type(i) != NULL; i++) {
        if (strcmp(type, export_list_type(i)) == 0)
            return true;
    }
    return false;
}

static int check_request(const struct export_view *view, const struct export_request *request)
{
    const struct cli *cli = view->cli;
    bool stix = strcmp(request->format, "stix") == 0;
    if (!stix && export_format_find(request->format) == NULL)
        return unknown_format(cli, request->format);
    if (view->collection == NULL || request->target == NULL)
        return cli_usage(cli, "--collection and -o are needed");
    if (request->target[0] == '\0' || strcmp(request->target, "-") == 0)
        return cli_usage(cli, "-o names a file: more than one may be written");
    if (request->type != NULL && strcmp(request->format, "list") != 0)
        return cli_usage(cli, "--type is for --format list");
    if (request->type != NULL && !is_list_type(request->type))
        return cli_usage(cli, "no list of `%s`; see isg export --help", request->type);
    if (view->all_versions && !stix)
        return cli_usage(cli, "--all-versions is for --format stix");
    if (request->lists != NULL && stix)
        return cli_usage(cli, "--warning-lists is not for --format stix");
    return 0;
}

int cli_export(struct cli *cli)
{
    struct export_view view = {.cli = cli};
    struct export_request request = {.format = "stix"};
    const struct cli_option options[] = {{"--collection", NULL, &view.collection},
                                         {"--as", NULL, &view.member},
                                         {"--format", NULL, &request.format},
                                         {"--type", NULL, &request.type},
                                         {"--warning-lists", NULL, &request.lists},
                                         {"--all-versions", &view.all_versions, NULL},
                                         {"-o", NULL, &request.target}};
    int code = cli_arguments(cli, options, sizeof options / sizeof options[0], 0, 0);
    if (code == 0)
        code = check_request(&view, &request);
    if (code != 0)
        return code;
    interrupt_watch();
    code = strcmp(request.format, "stix") == 0 ? export_bundle(&view, request.target)
                                               : export_plain(&view, &request);
    return interrupt_end(code);
}
