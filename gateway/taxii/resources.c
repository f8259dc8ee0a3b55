#include "gateway/taxii/call.h"
#include "stix/base/jsonw.h"

#define TAXII_VERSION "application/taxii+json;version=2.1"
#define STIX_VERSION  "application/stix+json;version=2.1"

/* ---- discovery and API roots: written once -------------------------------------------------- */

static struct http_bytes *take_bytes(struct isg_buf *take_buf)
{
    size_t n = 0;
    char *text = isg_buf_take(take_buf, &n);
    isg_buf_done(take_buf);
    return text != NULL ? http_bytes_take(text, n) : NULL;
}

/* Absolute, from the configured public URL; ends in a slash. */
static void put_root_url(struct isg_jsonw *w, const struct config *config,
                         const struct config_root *root)
{
    struct isg_buf url;
    isg_buf_init(&url, 4096);
    if (config->public_url != NULL)
        isg_buf_puts(&url, config->public_url);
    isg_buf_printf(&url, "/%s/", root->path);
    isg_jsonw_str(w, isg_buf_str(&url));
    isg_buf_done(&url);
}

/* T-078 to T-080; the first root of the configuration is the default. */
struct http_bytes *resource_discovery(const struct config *config)
{
    struct isg_buf out;
    struct isg_jsonw w;
    isg_buf_init(&out, ISG_BUF_NO_MAX);
    isg_jsonw_init(&w, &out);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "title",
                  config->name != NULL && config->name[0] != '\0' ? config->name : "TAXII 2.1");
    isg_jsonw_put(&w, "description",
                  "TAXII 2.1 service for sharing medical-device threat intelligence");
    if (config->roots_count > 0) {
        isg_jsonw_name(&w, "default");
        put_root_url(&w, config, &config->roots[0]);
        isg_jsonw_name(&w, "api_roots");
        isg_jsonw_list(&w);
        for (unsigned i = 0; i < config->roots_count; i++)
            put_root_url(&w, config, &config->roots[i]);
        isg_jsonw_end(&w);
    }
    isg_jsonw_end(&w);
    return take_bytes(&out);
}

/* T-084 to T-086. */
struct http_bytes *resource_root(const struct config *config, const struct config_root *root)
{
    struct isg_buf out;
    struct isg_jsonw w;
    isg_buf_init(&out, ISG_BUF_NO_MAX);
    isg_jsonw_init(&w, &out);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "title",
                  root->title != NULL && root->title[0] != '\0' ? root->title : root->path);
    isg_jsonw_put(&w, "description", root->description);
    isg_jsonw_name(&w, "versions");
    isg_jsonw_list(&w);
    isg_jsonw_str(&w, ISG_STR(TAXII_VERSION));
    isg_jsonw_end(&w);
    isg_jsonw_put_int(&w, "max_content_length", config->limits.max_content_length);
    isg_jsonw_end(&w);
    return take_bytes(&out);
}

enum http_next call_discovery(struct call *call)
{
    return call_send(call, 200, call->taxii->discovery);
}

enum http_next call_root(struct call *call)
{
    size_t index = (size_t)(call->root - call->taxii->parts.config->roots);
    return call_send(call, 200, call->taxii->roots[index]);
}

/* ---- collections: as the asking member sees them (T-101) ------------------------------------ */

/* T-100 to T-104: list and single resource are written by the same lines. */
static void put_collection(struct isg_jsonw *w, const struct collection *c, bool can_read,
                           bool can_write)
{
    isg_jsonw_object(w);
    isg_jsonw_put(w, "id", c->id);
    isg_jsonw_put(w, "title", c->title);
    isg_jsonw_put(w, "description", c->description);
    isg_jsonw_put(w, "alias", c->alias);
    isg_jsonw_put_bool(w, "can_read", can_read);
    isg_jsonw_put_bool(w, "can_write", can_write);
    isg_jsonw_name(w, "media_types");
    isg_jsonw_list(w);
    isg_jsonw_str(w, ISG_STR(STIX_VERSION));
    isg_jsonw_end(w);
    isg_jsonw_end(w);
}

/* The registry keeps collections sorted by id (T-032). None: `{}` (T-099). */
enum http_next call_collections(struct call *call)
{
    struct isg_buf out;
    struct isg_jsonw w;
    bool any = false;
    isg_buf_init(&out, ISG_BUF_NO_MAX);
    isg_jsonw_init(&w, &out);
    isg_jsonw_object(&w);
    for (size_t i = 0; i < call->registry->collections_count; i++) {
        const struct collection *c = &call->registry->collections[i];
        bool can_read = collection_can_read(c, call->member);
        bool can_write = collection_can_write(c, call->member);
        if (!isg_str_is(isg_str_of(c->root), call->root->path) || (!can_read && !can_write))
            continue; /* hidden: left out (T-074) */
        if (!any) {
            isg_jsonw_name(&w, "collections");
            isg_jsonw_list(&w);
            any = true;
        }
        put_collection(&w, c, can_read, can_write);
    }
    if (any)
        isg_jsonw_end(&w);
    isg_jsonw_end(&w);
    return call_send_buf(call, 200, &out);
}

enum http_next call_collection(struct call *call)
{
    struct isg_buf out;
    struct isg_jsonw w;
    isg_buf_init(&out, ISG_BUF_NO_MAX);
    isg_jsonw_init(&w, &out);
    put_collection(&w, call->collection, collection_can_read(call->collection, call->member),
                   collection_can_write(call->collection, call->member));
    return call_send_buf(call, 200, &out);
}
