/* Alive, ready, what it holds. */
#include <limits.h>
#include <stdio.h>

#include "gateway/admin/admin_private.h"
#include "gateway/metrics.h"
#include "stix/base/jsonw.h"
#include "stix/base/time.h"

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
    isg_jsonw_put(&w, "description", ready ? NULL : why->text); /* as in an error resource */
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
