/* The doctor: every check says ok, warning or error, and what to do. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "gateway/admin/admin_private.h"
#include "gateway/http/certificate.h"
#include "gateway/secret_files.h"
#include "stix/base/jsonw.h"
#include "stix/base/time.h"
#include "stix/base/utf8.h"
#include "stix/json.h"

enum {
    SURVEY_MS = 30000, /* to look for lost keys, in all */
    TEXT_MAX = 8192,
    EXPIRY_DAYS = 30,  /* a certificate that ends sooner is told of */
    CLOCK_SLACK_S = 60 /* behind the newest object: more is no leap of a time service */
};

static const int64_t SECOND_US = 1000000;
static const int64_t DAY_US = INT64_C(86400) * 1000000;

static void check_put(struct isg_jsonw *w, const char *name, const char *level, const char *text,
                      const char *hint)
{
    isg_jsonw_object(w);
    isg_jsonw_put(w, "check", name);
    isg_jsonw_put(w, "level", level);
    isg_jsonw_put(w, "text", text);
    isg_jsonw_put(w, "hint", hint);
    isg_jsonw_end(w);
}

/* A text made of a format. */
__attribute__((format(printf, 5, 6))) static void check_say(struct isg_jsonw *w, const char *name,
                                                            const char *level, const char *hint,
                                                            const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    isg_utf8_mend(text);
    check_put(w, name, level, text, hint);
}

/* What of a server that is not durable is wrong, in the words of redis.conf: the first that is. */
static void check_durable(struct isg_jsonw *w, const struct stix_json *store)
{
    const struct isg_str none = {"", 0};
    struct isg_str sync = stix_json_get_str(store, "appendfsync");
    struct isg_str policy = stix_json_get_str(store, "maxmemory_policy");
    int64_t maxmemory = 0;
    (void)stix_json_int(stix_json_get(store, "maxmemory"), &maxmemory);
    const struct {
        bool wrong;
        const char *what;
        struct isg_str value;
        const char *hint;
    } rows[] = {
        {!isg_str_is(stix_json_get_str(store, "role"), "master"), "it is a replica", none,
         "name the primary in redis.url"},
        {!stix_json_bool(stix_json_get(store, "appendonly")), "appendonly is no", none,
         "set appendonly yes and appendfsync always on the server"},
        {isg_str_is(stix_json_get_str(store, "aof_last_write_status"), "err"),
         "the last write to its AOF failed", none, "look at the server's log and disk"},
        {sync.n == 0 || policy.n == 0, "it does not tell its appendfsync and maxmemory-policy",
         none, "allow CONFIG GET, or ask who runs the server"},
        {maxmemory > 0 && !isg_str_is(policy, "noeviction"), "maxmemory-policy is ", policy,
         "set maxmemory-policy noeviction on the server"},
        {true, "appendfsync is ", sync, "set appendfsync always on the server"},
    };
    size_t i = 0;
    while (!rows[i].wrong)
        i++;
    check_say(w, "store", "error", rows[i].hint,
              "Redis is not durable, acknowledged objects can be lost: %s%.*s", rows[i].what,
              ISG_STR_ARG(rows[i].value));
}

static void check_store(struct isg_jsonw *w, const struct admin *admin)
{
    struct isg_fail why = {0};
    struct isg_buf text;
    struct stix_json *json = NULL;
    isg_buf_init(&text, 1 << 16);
    if (store_describe(admin->parts.store, &text, &why) != ISG_OK ||
        stix_json_parse(isg_buf_str(&text), NULL, &json, &why) != ISG_OK)
        check_put(w, "store", "error", why.text, "is redis-server running and reachable?");
    else if (stix_json_bool(stix_json_get(json, "durable")))
        check_put(w, "store", "ok", "Redis answers and is durable", NULL);
    else
        check_durable(w, json);
    stix_json_free(&json);
    isg_buf_done(&text);
}

static void describe_losses(const struct collection *collection, const struct store_survey *survey,
                            struct isg_buf *out)
{
    const struct {
        uint64_t n;
        const char *what;
    } rows[] = {{survey->lost_records, "without their record"},
                {survey->lost_objects, "without their bytes"},
                {survey->lost_entries, "not found by their id"},
                {survey->lost_labels, "lost labels"}};
    isg_buf_printf(out, "%s: of %llu events ", collection->title,
                   (unsigned long long)survey->events);
    if (survey->seen < survey->events)
        isg_buf_printf(out, "(the first %llu were looked at) ", (unsigned long long)survey->seen);
    bool any = false;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].n > 0)
            isg_buf_printf(out, "%s%llu %s", any ? ", " : "", (unsigned long long)rows[i].n,
                           rows[i].what);
        any = any || rows[i].n > 0;
    }
    isg_buf_puts(out, any ? "" : "all are whole");
    if (survey->first[0] != '\0')
        isg_buf_printf(out, "; the first is %s", survey->first);
}

/* Are there the keys that each collection's log speaks of? */
static void check_collection(struct isg_jsonw *w, const struct admin *admin,
                             const struct collection *collection, unsigned patience_ms)
{
    struct store_survey survey;
    struct isg_fail why = {0};
    struct isg_buf text;
    isg_buf_init(&text, 4096);
    if (store_survey(admin->parts.store, collection->id, patience_ms, &survey, &why) != ISG_OK) {
        check_say(w, "collection", "error", "is redis-server running and reachable?", "%s: %s",
                  collection->title, why.text);
        return;
    }
    describe_losses(collection, &survey, &text);
    bool whole =
        survey.lost_records + survey.lost_objects + survey.lost_entries + survey.lost_labels == 0;
    check_put(w, "collection", whole ? "ok" : "error", text.p,
              whole ? NULL
                    : "stop the gateways and restore the Redis files from a backup; without one, "
                      "delete what is named, and push or import it again");
    isg_buf_done(&text);
}

static void check_collections(struct isg_jsonw *w, const struct admin *admin)
{
    const struct registry *registry = directory_get(admin->parts.directory);
    size_t n = registry->collections_count;
    for (size_t i = 0; i < n; i++)
        check_collection(w, admin, &registry->collections[i], SURVEY_MS / (unsigned)n);
    registry_unref(&registry);
}

/* Tokens of one gateway must open the others on the same store. */
static void check_gateways(struct isg_jsonw *w, const struct admin *admin)
{
    char text[128];
    const char *differs = admin->parts.differs;
    if (differs == NULL) {
        check_put(w, "gateways", "ok", "secret and namespace are those of the store", NULL);
        return;
    }
    (void)snprintf(text, sizeof text, "%s is not what other gateways on this store have", differs);
    check_put(w, "gateways", "error", text,
              "copy secrets/, keys/ and id_urn from the first gateway, then restart this one");
}

static void check_breaker(struct isg_jsonw *w, const struct admin *admin)
{
    struct isg_fail why = {0};
    const char *state = store_breaker(admin->parts.store);
    bool sound = store_ping(admin->parts.store, &why) == ISG_OK;
    char text[320];
    (void)snprintf(text, sizeof text, "breaker is %s%s%s", state, sound ? "" : ": ", why.text);
    check_put(w, "breaker", sound ? "ok" : "error", text,
              sound ? NULL : "writes are answered with 503 until Redis takes them again");
}

static void check_secret_file(void *arg, const char *name, const char *path,
                              enum secret_file_state state)
{
    struct isg_jsonw *w = arg;
    switch (state) {
    case SECRET_FILE_PRIVATE: check_say(w, name, "ok", NULL, "%s is private", path); break;
    case SECRET_FILE_MISSING:
        check_say(w, name, "error", "put it back, or name another in isg.yaml", "%s is missing",
                  path);
        break;
    case SECRET_FILE_SHOWN:
        check_say(w, name, "error", "chmod 600, and renew the secret", "%s is readable by others",
                  path);
        break;
    }
}

/* Who may write to the folder may put another configuration and other keys in the place of ours. */
static void check_folder(struct isg_jsonw *w, const char *dir)
{
    struct stat info;
    if (stat(dir, &info) != 0)
        check_say(w, "folder", "error", "is it still mounted there?", "%s: %s", dir,
                  ISG_OS_ERROR(errno));
    else if ((info.st_mode & 022) == 0)
        check_say(w, "folder", "ok", NULL, "%s is its owner's alone to change", dir);
    else
        check_say(w, "folder", "error", "chmod 700, and look whether all in it is yours",
                  "%s may be changed by others", dir);
}

/* The certificate on the disk: what is served is what lay there at the start or the last SIGHUP. */
static void check_certificate(struct isg_jsonw *w, const struct config *config)
{
    static const char renew[] = "renew the certificate, then kill -HUP the service";
    const char *path = config->tls.certificate;
    struct isg_fail why = {0};
    struct certificate_span span;
    char from[ISG_TIME_TEXT];
    char until[ISG_TIME_TEXT];
    int64_t now_us = isg_time_now_us();
    if (path == NULL)
        return;
    if (certificate_read_span(path, &span, &why) != ISG_OK) {
        check_put(w, "tls certificate", "error", why.text,
                  "put a PEM certificate there: the next start would fail");
        return;
    }
    isg_time_format(span.from_us, 0, from);
    isg_time_format(span.until_us, 0, until);
    if (span.until_us <= now_us)
        check_say(w, "tls certificate", "error", renew, "%s ended %s", path, until);
    else if (span.from_us > now_us)
        check_say(w, "tls certificate", "error", "is the system's clock right?",
                  "%s is good from %s on", path, from);
    else if (span.until_us - now_us < EXPIRY_DAYS * DAY_US)
        check_say(w, "tls certificate", "warning", renew, "%s ends soon, %s", path, until);
    else
        check_say(w, "tls certificate", "ok", NULL, "%s is good until %s", path, until);
}

static void check_disk(struct isg_jsonw *w, const char *dir)
{
    static const struct {
        unsigned long long below;
        const char *level;
        const char *text;
    } rows[] = {{64ull << 20, "error", "64 MiB"}, {1ull << 30, "warning", "1 GiB"}};
    struct statvfs info;
    if (statvfs(dir, &info) != 0)
        return;
    unsigned long long space = (unsigned long long)info.f_bavail * info.f_frsize;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (space < rows[i].below) {
            check_say(w, "disk", rows[i].level,
                      "make room there: a store whose disk is full takes no writes",
                      "less than %s left in %s", rows[i].text, dir);
            return;
        }
    check_say(w, "disk", "ok", NULL, "there is room in %s", dir);
}

/* When the newest object was taken in, as far as this gateway knows; 0: not known. */
static int64_t newest_us(const struct admin *admin)
{
    const struct registry *registry = directory_get(admin->parts.directory);
    int64_t newest = 0;
    for (size_t i = 0; i < registry->collections_count; i++) {
        struct store_head head;
        if (store_head_now(admin->parts.store, registry->collections[i].id, UINT_MAX, &head) &&
            head.date_added_us > newest)
            newest = head.date_added_us;
    }
    registry_unref(&registry);
    return newest;
}

/* Dates of objects only rise: a clock that was set back shows against them. */
static void check_clock(struct isg_jsonw *w, const struct admin *admin)
{
    static const int64_t YEAR_2024_US = INT64_C(1704067200) * 1000000;
    static const char set[] = "set the system's clock: dates and signatures depend on it";
    char date[ISG_TIME_TEXT];
    int64_t newest = newest_us(admin);
    int64_t now_us = isg_time_now_us();
    isg_time_format(newest, 0, date);
    if (now_us < YEAR_2024_US)
        check_put(w, "clock", "error", "before 2024", set);
    else if (newest > now_us + CLOCK_SLACK_S * SECOND_US)
        check_say(w, "clock", "error", set, "behind the newest object, which came in %s", date);
    else
        check_put(w, "clock", "ok", "plausible", NULL);
}

static void check_listener(struct isg_jsonw *w)
{
    if (http_layout_check_on())
        check_put(w, "http guard", "ok", "the layout check holds with this libmicrohttpd", NULL);
    else
        check_put(w, "http guard", "warning",
                  "the layout check is off: this libmicrohttpd lays its buffer out otherwise",
                  "header rules still hold; put a strict proxy in front");
}

int admin_doctor(struct admin_call *call, struct isg_fail *why)
{
    (void)why;
    const struct config *config = call->admin->parts.config;
    struct isg_jsonw w;
    isg_jsonw_init(&w, call->reply);
    isg_jsonw_object(&w);
    isg_jsonw_name(&w, "checks");
    isg_jsonw_list(&w);
    check_store(&w, call->admin);
    check_breaker(&w, call->admin);
    check_gateways(&w, call->admin);
    check_collections(&w, call->admin);
    check_folder(&w, config->dir);
    check_certificate(&w, config);
    secret_files_each(config, check_secret_file, &w);
    check_disk(&w, config->dir);
    check_clock(&w, call->admin);
    check_listener(&w);
    isg_jsonw_end(&w);
    isg_jsonw_end(&w);
    return ISG_OK;
}
