#include "gateway/taxii/routes.h"

#include <string.h>

#include "gateway/taxii/call.h"

enum {
    GET = 1u << HTTP_GET | 1u << HTTP_HEAD,
    POST = 1u << HTTP_POST,
    DELETE = 1u << HTTP_DELETE,
    SEGMENTS_MAX = 6
};

#define COLLECTION "R/collections/C"
#define OBJECTS    COLLECTION "/objects"
#define OBJECT     OBJECTS "/O"

/* TAXII 2.1, sections 4 and 5; T-077 to T-131. */
static const struct route routes[] = {
    {"discovery", "taxii2", GET, ROUTE_LOGIN, QUERY_NONE, call_discovery},
    {"root", "R", GET, ROUTE_LOGIN, QUERY_NONE, call_root},
    {"status", "R/status/S", GET, ROUTE_LOGIN, QUERY_NONE, call_status},
    {"collections", "R/collections", GET, ROUTE_LOGIN, QUERY_NONE, call_collections},
    {"collection", COLLECTION, GET, ROUTE_SEE, QUERY_NONE, call_collection},
    {"manifest", COLLECTION "/manifest", GET, ROUTE_READ, QUERY_MANIFEST, call_page},
    {"objects", OBJECTS, GET, ROUTE_READ, QUERY_OBJECTS, call_page},
    {"add", OBJECTS, POST, ROUTE_WRITE, QUERY_NONE, call_push},
    {"object", OBJECT, GET, ROUTE_READ, QUERY_OBJECT, call_page},
    {"delete", OBJECT, DELETE, ROUTE_BOTH, QUERY_DELETE, call_delete},
    {"versions", OBJECT "/versions", GET, ROUTE_READ, QUERY_VERSIONS, call_page},
};

static const char captures[] = "RCOS"; /* in the order of enum route_piece */

/* The decoded pieces of the path; 0 when it is no path of ours. */
static size_t split_path(struct isg_arena *arena, struct isg_str path,
                         struct isg_str pieces[SEGMENTS_MAX])
{
    if (path.n == 0 || path.p[0] != '/')
        return 0;
    path = isg_str_from(path, 1);
    if (path.n > 0 && path.p[path.n - 1] == '/')
        path.n--; /* X-01 */
    size_t n = 0;
    for (;;) {
        size_t end = isg_str_find(path, '/');
        struct isg_str raw = {path.p, end == SIZE_MAX ? path.n : end};
        if (n == SEGMENTS_MAX || raw.n == 0 || !http_unescape(arena, raw, &pieces[n]) ||
            isg_str_find(pieces[n], '/') != SIZE_MAX)
            return 0;
        n++;
        if (end == SIZE_MAX)
            return n;
        path = isg_str_from(path, end + 1);
    }
}

static bool shape_fits(const char *shape, const struct isg_str *pieces, size_t n,
                       struct isg_str out[ROUTE_PIECE_COUNT])
{
    struct isg_str rest = isg_str_of(shape);
    struct isg_str want;
    size_t i = 0;
    for (; isg_str_split(&rest, '/', &want); i++) {
        if (i == n)
            return false;
        const char *capture = want.n == 1 ? strchr(captures, want.p[0]) : NULL;
        if (capture != NULL)
            out[capture - captures] = pieces[i];
        else if (!isg_str_eq(want, pieces[i]))
            return false;
    }
    return i == n;
}

void route_find(struct isg_arena *arena, enum http_method method, struct isg_str raw_path,
                struct route_match *out)
{
    struct isg_str pieces[SEGMENTS_MAX];
    *out = (struct route_match){0};
    size_t n = split_path(arena, raw_path, pieces);
    if (n == 0)
        return;
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        const struct route *route = &routes[i];
        /* "taxii2" is discovery and never an API root. */
        bool taken = out->allowed != 0 && strcmp(route->shape, "R") == 0;
        struct isg_str captured[ROUTE_PIECE_COUNT] = {{0}};
        if (taken || !shape_fits(route->shape, pieces, n, captured))
            continue;
        out->allowed |= route->methods;
        memcpy(out->piece, captured, sizeof captured);
        if ((route->methods & 1u << method) != 0)
            out->route = route;
    }
}

void route_allow(unsigned allowed, char text[40])
{
    static const struct {
        enum http_method method;
        const char *name;
    } names[] = {
        {HTTP_GET, "GET"}, {HTTP_HEAD, "HEAD"}, {HTTP_POST, "POST"}, {HTTP_DELETE, "DELETE"}};
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((allowed & 1u << names[i].method) == 0)
            continue;
        const char *comma = len > 0 ? ", " : "";
        size_t comma_n = strlen(comma);
        size_t name_n = strlen(names[i].name);
        memcpy(text + len, comma, comma_n);
        memcpy(text + len + comma_n, names[i].name, name_n + 1);
        len += comma_n + name_n;
    }
}

int route_right_status(enum route_right right, bool can_read, bool can_write)
{
    if (right == ROUTE_LOGIN)
        return 200;
    if (!can_read && !can_write)
        return 404;
    bool read_missing = !can_read && (right == ROUTE_READ || right == ROUTE_BOTH);
    bool write_missing = !can_write && (right == ROUTE_WRITE || right == ROUTE_BOTH);
    return read_missing || write_missing ? 403 : 200;
}
