/* Alive, ready, what it holds, what is wrong around it. */
#include <limits.h>
#include <stdio.h>
#include <sys/statvfs.h>

#include "gateway/admin/admin_private.h"
#include "gateway/metrics.h"
#include "gateway/secret_files.h"
#include "stix/base/jsonw.h"
#include "stix/base/time.h"
#include "stix/json.h"

enum { SURVEY_MS = 30000 }; /* that the doctor looks for lost keys in all */

int admin_healthz(struct admin_call *call, struct isg_fail *why)
{
    (void)why;
    isg_buf_puts(call->reply, "{\"alive\":true}");
    return ISG_OK;
}

int admin_readyz(struct admin_call *call, struct isg_fail *why)
{
    struct isg_jsonw w;
    bool ready = store_ping(call->admin->parts.store, why) == ISG_OK;
    isg_jsonw_init(&w, call->reply);
    isg_jsonw_object(&w);
    isg_jsonw_put_bool(&w, "ready", ready);
    isg_jsonw_name(&w, "checks");
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "store", ready ? "ok" : why->text);
    isg_jsonw_put(&w, "breaker", store_breaker(call->admin->parts.store));
    isg_jsonw_end(&w);
    isg_jsonw_end(&w);
    call->status = ready ? 200 : 503;
    return ISG_OK;
}

/* Where each log stands, as far as this gateway knows without asking. */
static void count_objects(const struct admin *admin)
{
    const struct registry *registry = directory_get(admin->parts.directory);
    for (size_t i = 0; i < registry->collections_count; i++) {
        char label[96];
        struct store_head head;
        const char *id = registry->collections[i].id;
        (void)snprintf(label, sizeof label, "collection=\"%.64s\"", id);
        if (store_head_now(admin->parts.store, id, UINT_MAX, &head))
            metric_set(METRIC_OBJECTS, label, (int64_t)head.position);
    }
    registry_unref(&registry);
}

int admin_metrics(struct admin_call *call, struct isg_fail *why)
{
    (void)why;
    count_objects(call->admin);
    metrics_write(call->reply);
    return ISG_OK;
}

static void write_collections(struct isg_jsonw *w, const struct admin *admin)
{
    const struct registry *registry = directory_get(admin->parts.directory);
    isg_jsonw_name(w, "collections");
    isg_jsonw_list(w);
    for (size_t i = 0; i < registry->collections_count; i++) {
        const struct collection *collection = &registry->collections[i];
        struct store_head head = {0};
        int err = store_head(admin->parts.store, collection->id, 1000, &head, NULL);
        isg_jsonw_object(w);
        isg_jsonw_put(w, "id", collection->id);
        isg_jsonw_put(w, "alias", collection->alias);
        isg_jsonw_put(w, "title", collection->title);
        if (err == ISG_OK) {
            char date[ISG_TIME_TEXT];
            isg_time_format(head.date_added_us, 6, date);
            isg_jsonw_put_int(w, "events", (int64_t)head.position);
            isg_jsonw_put(w, "last_added", head.position > 0 ? date : NULL);
        }
        isg_jsonw_end(w);
    }
    isg_jsonw_end(w);
    isg_jsonw_put_int(w, "members", (int64_t)registry->members_count);
    registry_unref(&registry);
}

int admin_status(struct admin_call *call, struct isg_fail *why)
{
    const struct admin *admin = call->admin;
    struct isg_buf store;
    struct isg_jsonw w;
    isg_buf_init(&store, 1 << 16);
    int err = store_describe(admin->parts.store, &store, why);
    isg_jsonw_init(&w, call->reply);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "name", admin->parts.config->name);
    isg_jsonw_put(&w, "version", ISG_VERSION);
    isg_jsonw_put(&w, "public_url", admin->parts.config->public_url);
    isg_jsonw_put_int(&w, "uptime_s", (isg_time_now_us() - admin->started_us) / 1000000);
    isg_jsonw_name(&w, "store");
    if (err == ISG_OK) {
        isg_jsonw_raw(&w, isg_buf_str(&store));
    } else {
        isg_jsonw_object(&w);
        isg_jsonw_put(&w, "error", why->text);
        isg_jsonw_end(&w);
    }
    write_collections(&w, admin);
    isg_jsonw_end(&w);
    isg_buf_done(&store);
    return ISG_OK;
}

/* ---- doctor: every check says ok, warning or error, and what to do ---- */

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

static void check_store(struct isg_jsonw *w, const struct admin *admin)
{
    struct isg_fail why = {0};
    struct isg_buf text;
    struct stix_json *json = NULL;
    isg_buf_init(&text, 1 << 16);
    if (store_describe(admin->parts.store, &text, &why) != ISG_OK ||
        stix_json_parse(isg_buf_str(&text), NULL, &json, &why) != ISG_OK)
        check_put(w, "store", "error", why.text, "is redis-server running and reachable?");
    else if (!stix_json_bool(stix_json_get(json, "durable")))
        check_put(w, "store", "error", "Redis is not durable: acknowledged objects can be lost",
                  "set appendonly yes and appendfsync always on the server");
    else
        check_put(w, "store", "ok", "Redis answers and is durable", NULL);
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
        check_put(w, "collection", "error", why.text, "is redis-server running and reachable?");
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
    case SECRET_FILE_PRIVATE: check_put(w, name, "ok", "file is private", NULL); break;
    case SECRET_FILE_MISSING: check_put(w, name, "error", "file is missing", path); break;
    case SECRET_FILE_SHOWN:
        check_put(w, name, "error", "file is readable by others",
                  "chmod 600, and renew the secret");
        break;
    }
}

static void check_disk(struct isg_jsonw *w, const char *dir)
{
    struct statvfs info;
    static const unsigned long long LOW = 1ull << 30;
    if (statvfs(dir, &info) != 0)
        return;
    unsigned long long space = (unsigned long long)info.f_bavail * info.f_frsize;
    if (space < LOW)
        check_put(w, "disk", "warning", "less than 1 GiB left where the store writes", dir);
    else
        check_put(w, "disk", "ok", "there is room", NULL);
}

static void check_clock(struct isg_jsonw *w)
{
    static const int64_t YEAR_2024_US = INT64_C(1704067200) * 1000000;
    bool sane = isg_time_now_us() > YEAR_2024_US;
    check_put(w, "clock", sane ? "ok" : "error", sane ? "plausible" : "before 2024",
              sane ? NULL : "set the system's clock: dates and signatures depend on it");
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
    secret_files_each(config, check_secret_file, &w);
    check_disk(&w, config->dir);
    check_clock(&w);
    check_listener(&w);
    isg_jsonw_end(&w);
    isg_jsonw_end(&w);
    return ISG_OK;
}
