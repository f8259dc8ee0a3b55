/* Which URL is which; rights (T-077, X-01, T-106, T-118, T-130, R-009). */
#include <string.h>

#include "gateway/taxii/routes.h"
#include "tests/support/tap.h"

#define C   "/api/collections/c1/"
#define OID "indicator--11111111-1111-4111-8111-111111111111"

static const struct {
    enum http_method method;
    const char *path;
    const char *name;  /* NULL: none */
    const char *allow; /* "": no such URL */
} rows[] = {
    {HTTP_GET, "/taxii2/", "discovery", "GET, HEAD"},
    {HTTP_GET, "/taxii2", "discovery", "GET, HEAD"},
    {HTTP_HEAD, "/taxii2/", "discovery", "GET, HEAD"},
    {HTTP_POST, "/taxii2/", NULL, "GET, HEAD"},
    {HTTP_OPTIONS, "/taxii2/", NULL, "GET, HEAD"},
    {HTTP_GET, "/api/", "root", "GET, HEAD"},
    {HTTP_GET, "/api", "root", "GET, HEAD"},
    {HTTP_GET, "/api/status/x/", "status", "GET, HEAD"},
    {HTTP_GET, "/api/status/", NULL, ""},
    {HTTP_GET, "/api/collections/", "collections", "GET, HEAD"},
    {HTTP_GET, "/api/collections", "collections", "GET, HEAD"},
    {HTTP_GET, C, "collection", "GET, HEAD"},
    {HTTP_PUT, C, NULL, "GET, HEAD"},
    {HTTP_GET, C "manifest/", "manifest", "GET, HEAD"},
    {HTTP_GET, C "objects/", "objects", "GET, HEAD, POST"},
    {HTTP_POST, C "objects/", "add", "GET, HEAD, POST"},
    {HTTP_POST, C "objects", "add", "GET, HEAD, POST"},
    {HTTP_DELETE, C "objects/", NULL, "GET, HEAD, POST"},
    {HTTP_GET, C "objects/" OID "/", "object", "GET, HEAD, DELETE"},
    {HTTP_DELETE, C "objects/" OID "/", "delete", "GET, HEAD, DELETE"},
    {HTTP_DELETE, C "objects/" OID, "delete", "GET, HEAD, DELETE"},
    {HTTP_POST, C "objects/" OID "/", NULL, "GET, HEAD, DELETE"},
    {HTTP_GET, C "objects/" OID "/versions/", "versions", "GET, HEAD"},
    {HTTP_GET, C "objects/" OID "/versions/x/", NULL, ""},
    {HTTP_GET, C "object/" OID "/", NULL, ""}, /* */
    {HTTP_GET, "/api/collections/%63%31/", "collection", "GET, HEAD"},
    {HTTP_GET, "/", NULL, ""},
    {HTTP_GET, "", NULL, ""},
    {HTTP_GET, "taxii2/", NULL, ""},
    {HTTP_GET, "//taxii2/", NULL, ""},
    {HTTP_GET, "/taxii2//", NULL, ""},
    {HTTP_GET, "/api//collections/", NULL, ""},
    {HTTP_GET, "/api/collections/%zz/", NULL, ""},
    {HTTP_GET, "/api/collections/%00/", NULL, ""},
    {HTTP_GET, "/api/collections/..%2f..%2fetc/", NULL, ""},
    {HTTP_GET, "/api/collections/a%2fmanifest/", NULL, ""},
    {HTTP_GET, "/a/b/c/d/e/f/g/h/", NULL, ""},
    {HTTP_GET, "/TAXII2/", "root", "GET, HEAD"}, /* paths are case-exact */
};

static const struct {
    enum route_right right;
    int status[4]; /* read and write: neither, read only, write only, both */
} rights[] = {
    {ROUTE_LOGIN, {200, 200, 200, 200}}, {ROUTE_SEE, {404, 200, 200, 200}},
    {ROUTE_READ, {404, 200, 403, 200}},  {ROUTE_WRITE, {404, 403, 200, 200}},
    {ROUTE_BOTH, {404, 403, 403, 200}}, /* T-130 */
};

static void check_row(size_t i)
{
    struct isg_arena *arena = isg_arena_new(1 << 16);
    struct route_match match;
    route_find(arena, rows[i].method, isg_str_of(rows[i].path), &match);
    char allow[40];
    route_allow(match.allowed, allow);
    is_str(match.route != NULL ? match.route->name : "-", rows[i].name != NULL ? rows[i].name : "-",
           "%d %s", (int)rows[i].method, rows[i].path);
    is_str(allow, rows[i].allow, "%s: Allow", rows[i].path);
    if (rows[i].name != NULL && strcmp(rows[i].name, "versions") == 0)
        ok(isg_str_is(match.piece[ROUTE_OBJECT], OID) &&
               isg_str_is(match.piece[ROUTE_COLLECTION], "c1") &&
               isg_str_is(match.piece[ROUTE_ROOT], "api"),
           "pieces are captured");
    isg_arena_free(&arena);
}

int main(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_row(i);
    for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++)
        for (int who = 0; who < 4; who++)
            is_int(route_right_status(rights[i].right, (who & 1) != 0, (who & 2) != 0),
                   rights[i].status[who], "right %zu, member %d", i, who);
    return tap_done();
}
