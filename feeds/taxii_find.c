#include "feeds/taxii_find.h"

#include <stdio.h>
#include <string.h>

#include "feeds/feed.h"
#include "stix/base/uuid.h"

enum {
    URL_MAX = 8192,
    RESOURCE_MAX = 8 << 20, /* of discovery, API root, collections, status */
    ROOTS_MAX = 32          /* API roots looked into */
};

void taxii_place_done(struct taxii_place *place)
{
    isg_buf_done(&place->root);
    isg_buf_done(&place->collection);
}

void taxii_escape(struct isg_buf *out, struct isg_str text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '\0' && strchr(plain, text.p[i]) != NULL)
            isg_buf_putc(out, text.p[i]);
        else
            isg_buf_printf(out, "%%%02X", (unsigned char)text.p[i]);
    }
}

/* ---- requests ------------------------------------------------------------------------------- */

static int status_error(int status)
{
    static const struct {
        int status;
        int code;
    } table[] = {{401, ISG_EAUTH},  {403, ISG_EDENIED}, {404, ISG_ENOENT},
                 {413, ISG_ELIMIT}, {429, ISG_ENET},    {408, ISG_ENET}};
    if (status >= 200 && status < 300)
        return ISG_OK;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (status == table[i].status)
            return table[i].code;
    }
    return status >= 400 && status < 500 ? ISG_EINVAL : ISG_ENET;
}

/* The title of a TAXII error resource, in printable ASCII; empty when there is none. */
static void error_title(const struct feed_response *response, char out[96])
{
    struct stix_json *tree = NULL;
    out[0] = '\0';
    if (stix_json_parse(isg_buf_str(&response->body), NULL, &tree, NULL) != ISG_OK)
        return;
    struct isg_str title = stix_json_get_str(tree, "title");
    size_t n = title.n < 90 ? title.n : 90;
    for (size_t i = 0; i < n; i++)
        out[i] = (char)(title.p[i] >= 0x20 && title.p[i] < 0x7f ? title.p[i] : '?');
    out[n] = '\0';
    stix_json_free(&tree);
}

static int judge(const struct feed_response *response, struct isg_fail *why)
{
    int err = status_error(response->status);
    if (err == ISG_OK)
        return ISG_OK;
    char title[96];
    error_title(response, title);
    return isg_fail(why, err, "the TAXII server answered %d%s%s", response->status,
                    title[0] != '\0' ? ": " : "", title);
}

static struct feed_request request_of(const struct taxii_target *target, const char *url,
                                      struct isg_str body)
{
    return (struct feed_request){.method = body.p != NULL ? "POST" : NULL,
                                 .url = url,
                                 .user = target->user,
                                 .password = target->password,
                                 .bearer = target->bearer,
                                 .accept = TAXII_MEDIA,
                                 .content_type = body.p != NULL ? TAXII_MEDIA : NULL,
                                 .body = body,
                                 .headers = target->headers,
                                 .ca = target->ca,
                                 .client_certificate = target->client_certificate,
                                 .client_key = target->client_key,
                                 .proxy = target->proxy,
                                 .proxy_auth = target->proxy_auth,
                                 .allow_private = target->allow_private,
                                 .max_bytes = target->max_bytes,
                                 .stop = target->stop};
}

int taxii_request(const struct taxii_target *target, const char *url, struct isg_str body,
                  struct feed_response *out, struct isg_fail *why)
{
    struct feed_request request = request_of(target, url, body);
    struct feed_response response = {0};
    int err = target->no_waiting ? feed_fetch(&request, &response, why)
                                 : feed_fetch_patiently(&request, &response, why);
    if (err == ISG_OK)
        err = judge(&response, why);
    if (target->out_retry_after_s != NULL)
        *target->out_retry_after_s = err != ISG_OK ? response.retry_after_s : 0;
    if (err == ISG_OK)
        *out = response;
    else
        feed_response_done(&response);
    return err;
}

int taxii_get_json(const struct taxii_target *target, const char *url, struct stix_json **out,
                   struct isg_fail *why)
{
    struct feed_response response = {0};
    struct taxii_target bounded = *target;
    if (bounded.max_bytes == 0 || bounded.max_bytes > RESOURCE_MAX)
        bounded.max_bytes = RESOURCE_MAX;
    int err = taxii_request(&bounded, url, (struct isg_str){0}, &response, why);
    if (err != ISG_OK)
        return err;
    struct isg_str body = isg_buf_str(&response.body);
    if (feed_is_html(isg_str_of(response.content_type), body))
        err = isg_fail(why, ISG_EPARSE, "an HTML page where a TAXII resource was due");
    else
        err = stix_json_parse(body, NULL, out, why);
    feed_response_done(&response);
    return err;
}

/* ---- which URL is it ------------------------------------------------------------------------ */

static void with_slash(struct isg_buf *out, struct isg_str url)
{
    isg_buf_reset(out);
    isg_buf_put_str(out, url);
    if (url.n > 0 && url.p[url.n - 1] != '/')
        isg_buf_putc(out, '/');
}

/* The last place of a piece in a text, or SIZE_MAX. */
static size_t find_last(struct isg_str text, struct isg_str piece)
{
    for (size_t i = text.n; i-- > 0;) {
        if (isg_str_starts(isg_str_from(text, i), piece))
            return i;
    }
    return SIZE_MAX;
}

/*
 * A URL below .../collections/ID/ names root and collection itself; one that ends in .../collections/
 * names the root.
 */
static bool split_collection(struct isg_str url, struct taxii_place *place, bool *out_named)
{
    size_t at = find_last(url, ISG_STR("/collections"));
    if (at == SIZE_MAX)
        return false;
    struct isg_str id = isg_str_from(url, at + 12);
    if (id.n > 0 && id.p[0] != '/')
        return false;
    id = isg_str_from(id, 1);
    size_t end = isg_str_find(id, '/');
    if (end != SIZE_MAX)
        id.n = end;
    with_slash(&place->root, (struct isg_str){url.p, at + 1});
    *out_named = id.n > 0;
    if (id.n > 0)
        with_slash(&place->collection, (struct isg_str){url.p, (size_t)(id.p - url.p) + id.n});
    return true;
}

/* Without query and fragment. */
static struct isg_str plain_url(const char *url)
{
    return (struct isg_str){url, strcspn(url, "?#")};
}

static void collection_facts(const struct stix_json *json, struct taxii_place *place)
{
    place->can_read = stix_json_bool(stix_json_get(json, "can_read"));
    place->can_write = stix_json_bool(stix_json_get(json, "can_write"));
}

/* 0: another collection; the id beats the alias, the alias the title. */
static int match_rank(const struct stix_json *json, struct isg_str name)
{
    if (isg_str_ieq(stix_json_get_str(json, "id"), name))
        return 3;
    if (isg_str_eq(stix_json_get_str(json, "alias"), name))
        return 2;
    return isg_str_eq(stix_json_get_str(json, "title"), name) ? 1 : 0;
}

/* The collection of this name in a list; NULL with *out_many when several fit equally. */
static const struct stix_json *pick(const struct stix_json *list, const char *name, bool *out_many)
{
    const struct stix_json *best = NULL;
    int best_rank = 0;
    *out_many = false;
    for (size_t i = 0; i < stix_json_size(list); i++) {
        const struct stix_json *json = stix_json_at(list, i);
        int rank = name == NULL ? 1 : match_rank(json, isg_str_of(name));
        if (rank == 0 || rank < best_rank)
            continue;
        *out_many = rank == best_rank;
        best = json;
        best_rank = rank;
    }
    return *out_many ? NULL : best;
}

static int place_collection(struct taxii_place *place, const struct stix_json *json,
                            struct isg_fail *why)
{
    struct isg_str id = stix_json_get_str(json, "id");
    if (!isg_uuid_is_valid(id, NULL))
        return isg_fail(why, ISG_EPARSE, "a collection without a valid id");
    isg_buf_reset(&place->collection);
    isg_buf_put_str(&place->collection, isg_buf_str(&place->root));
    isg_buf_puts(&place->collection, "collections/");
    isg_buf_put_str(&place->collection, id);
    isg_buf_putc(&place->collection, '/');
    collection_facts(json, place);
    return place->collection.err;
}

/* Look for the collection in the list of the API root at place->root. */
static int find_in_root(const struct taxii_target *target, struct taxii_place *place,
                        struct isg_fail *why)
{
    struct isg_buf url;
    struct stix_json *tree = NULL;
    bool many = false;
    isg_buf_init(&url, URL_MAX);
    isg_buf_put_str(&url, isg_buf_str(&place->root));
    isg_buf_puts(&url, "collections/");
    int err = url.err != ISG_OK ? isg_fail(why, ISG_EUSAGE, "the URL is too long")
                                : taxii_get_json(target, url.p, &tree, why);
    if (err == ISG_OK) {
        const struct stix_json *found =
            pick(stix_json_get(tree, "collections"), target->collection, &many);
        if (found != NULL)
            err = place_collection(place, found, why);
        else
            err = isg_fail(why, many ? ISG_ECONFLICT : ISG_ENOENT,
                           many ? "several collections fit: name one by its id"
                                : "the API root has no such collection");
    }
    stix_json_free(&tree);
    isg_buf_done(&url);
    return err;
}

static void root_facts(const struct stix_json *json, struct taxii_place *place)
{
    int64_t max;
    if (stix_json_int(stix_json_get(json, "max_content_length"), &max) && max > 0)
        place->max_content_length = max;
}

/*
 * An advertised API root, as seen from the discovery URL. Credentials go only to the server they
 * were configured for (T-081): of a root elsewhere, only the path is taken, for a server behind
 * another name advertises the name it knows.
 */
static int root_from(struct isg_str base, struct isg_str advertised, struct isg_buf *out,
                     struct isg_fail *why)
{
    struct isg_buf from;
    struct isg_buf to;
    struct isg_buf joined;
    isg_buf_init(&from, URL_MAX);
    isg_buf_init(&to, URL_MAX);
    isg_buf_init(&joined, URL_MAX);
    isg_buf_put_str(&from, base);
    isg_buf_put_str(&to, advertised);
    int err = from.err != ISG_OK || to.err != ISG_OK || advertised.n == 0
                  ? isg_fail(why, ISG_EPARSE, "an API root is no URL")
                  : feed_url_join(from.p, to.p, &joined, why);
    if (err == ISG_OK && !feed_url_same_server(from.p, joined.p)) {
        const char *host = strstr(joined.p, "://");
        const char *path = host != NULL ? strchr(host + 3, '/') : NULL;
        isg_buf_reset(&to);
        isg_buf_puts(&to, path != NULL ? path : "/");
        err = feed_url_join(from.p, to.p, &joined, why);
    }
    if (err == ISG_OK)
        with_slash(out, isg_buf_str(&joined));
    isg_buf_done(&from);
    isg_buf_done(&to);
    isg_buf_done(&joined);
    return err;
}

/* Try one advertised API root. */
static int try_root(const struct taxii_target *target, struct isg_str base, struct isg_str root,
                    struct taxii_place *place, struct isg_fail *why)
{
    struct stix_json *tree = NULL;
    int err = root_from(base, root, &place->root, why);
    if (err == ISG_OK)
        err = taxii_get_json(target, place->root.p, &tree, why);
    if (err == ISG_OK) {
        root_facts(tree, place);
        err = find_in_root(target, place, why);
    }
    stix_json_free(&tree);
    return err;
}

/* The default root first, then the others; the first that has the collection. */
static int find_in_discovery(const struct taxii_target *target, struct isg_str base,
                             const struct stix_json *discovery, struct taxii_place *place,
                             struct isg_fail *why)
{
    struct isg_str preferred = stix_json_get_str(discovery, "default");
    const struct stix_json *roots = stix_json_get(discovery, "api_roots");
    int err = isg_fail(why, ISG_ENOENT, "the server advertises no API root");
    if (preferred.n > 0)
        err = try_root(target, base, preferred, place, why);
    for (size_t i = 0; err == ISG_ENOENT && i < stix_json_size(roots) && i < ROOTS_MAX; i++) {
        struct isg_str root = stix_json_str(stix_json_at(roots, i));
        if (!isg_str_eq(root, preferred))
            err = try_root(target, base, root, place, why);
    }
    return err;
}

static int find_from(const struct taxii_target *target, struct isg_str url,
                     const struct stix_json *resource, struct taxii_place *place,
                     struct isg_fail *why)
{
    if (stix_json_has(resource, "api_roots") || stix_json_has(resource, "default"))
        return find_in_discovery(target, url, resource, place, why);
    if (!stix_json_has(resource, "versions") && !stix_json_has(resource, "max_content_length"))
        return isg_fail_at(why, ISG_EPARSE, NULL, "X-25",
                           "the URL is neither discovery nor API root nor collection");
    with_slash(&place->root, url);
    root_facts(resource, place);
    return find_in_root(target, place, why);
}

/* The URL, or where that is not there and has no path of its own, its /taxii2/ (T-077). */
static int find_by_resource(const struct taxii_target *target, struct taxii_place *place,
                            struct isg_fail *why)
{
    struct isg_buf url;
    struct stix_json *resource = NULL;
    isg_buf_init(&url, URL_MAX);
    with_slash(&url, plain_url(target->url));
    int err = url.err != ISG_OK ? isg_fail(why, ISG_EUSAGE, "the URL is too long")
                                : taxii_get_json(target, url.p, &resource, why);
    if (err == ISG_ENOENT || err == ISG_EPARSE) {
        struct isg_buf discovery;
        isg_buf_init(&discovery, URL_MAX);
        int again = feed_url_join(url.p, "/taxii2/", &discovery, why);
        if (again == ISG_OK && strcmp(discovery.p, url.p) != 0 &&
            strcmp(url.p + url.len - 1, "/") == 0 &&
            isg_str_find(isg_str_from(isg_buf_str(&url), 8), '/') == url.len - 9) {
            with_slash(&url, isg_buf_str(&discovery));
            err = taxii_get_json(target, url.p, &resource, why);
        }
        isg_buf_done(&discovery);
    }
    if (err == ISG_OK)
        err = find_from(target, isg_buf_str(&url), resource, place, why);
    stix_json_free(&resource);
    isg_buf_done(&url);
    return err;
}

/* A collection URL: look at the collection itself, and at its root for the size of a push. */
static int find_named(const struct taxii_target *target, struct taxii_place *place,
                      struct isg_fail *why)
{
    struct stix_json *tree = NULL;
    int err = taxii_get_json(target, place->collection.p, &tree, why);
    if (err == ISG_OK)
        collection_facts(tree, place);
    stix_json_free(&tree);
    if (err == ISG_OK && taxii_get_json(target, place->root.p, &tree, NULL) == ISG_OK)
        root_facts(tree, place);
    stix_json_free(&tree);
    return err;
}

int taxii_find(const struct taxii_target *target, struct taxii_place *out, struct isg_fail *why)
{
    struct taxii_place place = {0};
    bool named = false;
    int err;
    isg_buf_init(&place.root, URL_MAX);
    isg_buf_init(&place.collection, URL_MAX);
    if (split_collection(plain_url(target->url), &place, &named))
        err = named ? find_named(target, &place, why) : find_in_root(target, &place, why);
    else
        err = find_by_resource(target, &place, why);
    if (err == ISG_OK && (place.root.err != ISG_OK || place.collection.err != ISG_OK))
        err = isg_fail(why, ISG_EUSAGE, "the URL is too long");
    if (err == ISG_OK)
        *out = place;
    else
        taxii_place_done(&place);
    return err;
}
