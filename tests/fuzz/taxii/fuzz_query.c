/*
 * Paths and queries of any bytes: no crash, and what is accepted keeps its promises. The first byte
 * picks endpoint and method; up to the first line feed comes the path, behind it the query.
 */
#include <stdint.h>
#include <stdlib.h>

#include "gateway/taxii/query.h"
#include "gateway/taxii/routes.h"

enum { PAGE_MAX = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_query(struct isg_arena *arena, enum query_endpoint endpoint, struct isg_str raw)
{
    struct query query;
    struct isg_fail why;
    struct query_ask ask = {endpoint, raw, {"", 0}, PAGE_MAX};
    if (query_parse(arena, &ask, &query, &why) != ISG_OK)
        return;
    const struct view_query *view = &query.view;
    if (view->limit < 1 || view->limit > PAGE_MAX || view->want == 0)
        abort();
    if ((view->want & VIEW_ALL) != 0 && view->want != VIEW_ALL)
        abort();
    if (((view->want & VIEW_LISTED) != 0) != (view->versions_count > 0))
        abort();
}

static void check_path(struct isg_arena *arena, enum http_method method, struct isg_str path)
{
    struct route_match match;
    route_find(arena, method, path, &match);
    if (match.route != NULL && (match.allowed & 1u << method) == 0)
        abort();
    char allow[40];
    route_allow(match.allowed, allow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct isg_arena *arena = isg_arena_new(1 << 22);
    struct isg_str text = {(const char *)data + 1, size - 1};
    size_t line = isg_str_find(text, '\n');
    if (arena != NULL) {
        struct isg_str path = {text.p, line == SIZE_MAX ? text.n : line};
        check_path(arena, (enum http_method)(data[0] / 8 % HTTP_OTHER), path);
        if (line != SIZE_MAX)
            check_query(arena, (enum query_endpoint)(1 + data[0] % QUERY_DELETE),
                        isg_str_from(text, line + 1));
    }
    isg_arena_free(&arena);
    return 0;
}
