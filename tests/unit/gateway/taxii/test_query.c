/* Query strings: T-033 to T-057, X-14, X-19. */
#include <string.h>

#include "gateway/taxii/query.h"
#include "tests/support/tap.h"

#define ID_1 "indicator--11111111-1111-4111-8111-111111111111"
#define ID_2 "malware--22222222-2222-4222-8222-222222222222"

enum { PAGE_MAX = 1000, YES = ISG_OK, NO = ISG_EINVAL };

struct row {
    const char *raw;
    enum query_endpoint endpoint;
    int want;         /* code */
    const char *path; /* the parameter named, when refused */
    size_t limit;     /* 0: not looked at */
    size_t lists[3];  /* ids, types, versions */
    unsigned versions;
};

#define O QUERY_OBJECTS

static const struct row rows[] = {
    {"", O, YES, NULL, PAGE_MAX, {0}, VIEW_LAST},
    {"&&", O, YES, NULL, PAGE_MAX, {0}, VIEW_LAST},
    {"", QUERY_VERSIONS, YES, NULL, PAGE_MAX, {0}, VIEW_ALL},
    {"", QUERY_DELETE, YES, NULL, 0, {0}, VIEW_ALL}, /* T-128 */
    /* limit: T-037, T-040 */
    {"limit=1", O, YES, NULL, 1, {0}, 0},
    {"limit=0010", O, YES, NULL, 10, {0}, 0},
    {"limit=1000", O, YES, NULL, 1000, {0}, 0},
    {"limit=1001", O, YES, NULL, PAGE_MAX, {0}, 0},
    {"limit=99999999999999999999999999", O, YES, NULL, PAGE_MAX, {0}, 0},
    {"limit=%31%30", O, YES, NULL, 10, {0}, 0},
    {"limit=0", O, NO, "limit", 0, {0}, 0},
    {"limit=000", O, NO, "limit", 0, {0}, 0},
    {"limit=-1", O, NO, "limit", 0, {0}, 0},
    {"limit=+5", O, NO, "limit", 0, {0}, 0},
    {"limit=%2B5", O, NO, "limit", 0, {0}, 0},
    {"limit=1.5", O, NO, "limit", 0, {0}, 0},
    {"limit=1e3", O, NO, "limit", 0, {0}, 0},
    {"limit=0x10", O, NO, "limit", 0, {0}, 0},
    {"limit=ten", O, NO, "limit", 0, {0}, 0},
    {"limit=", O, NO, "limit", 0, {0}, 0},
    {"limit", O, NO, "limit", 0, {0}, 0},
    {"limit=5,6", O, NO, "limit", 0, {0}, 0},
    {"limit=%205", O, NO, "limit", 0, {0}, 0},
    {"limit=5&limit=5", O, NO, "limit", 0, {0}, 0},
    {"limit=0", QUERY_MANIFEST, NO, "limit", 0, {0}, 0},
    {"limit=0", QUERY_OBJECT, NO, "limit", 0, {0}, 0},
    {"limit=0", QUERY_VERSIONS, NO, "limit", 0, {0}, 0},
    {"limit=0", QUERY_DELETE, YES, NULL, 0, {0}, VIEW_ALL}, /* T-057: unknown there */
    /* added_after: T-034, T-035, X-14 */
    {"added_after=2026-01-02T03:04:05Z", O, YES, NULL, 0, {0}, 0},
    {"added_after=2026-01-02T03:04:05.1Z", O, YES, NULL, 0, {0}, 0},
    {"added_after=2026-01-02T03:04:05.123456Z", O, YES, NULL, 0, {0}, 0},
    {"added_after=2026-01-02T03%3A04%3A05.123456789Z", O, YES, NULL, 0, {0}, 0},
    {"added_after=", O, NO, "added_after", 0, {0}, 0},
    {"added_after=yesterday", O, NO, "added_after", 0, {0}, 0},
    {"added_after=2026-01-02", O, NO, "added_after", 0, {0}, 0},
    {"added_after=2026-01-02T03:04:05", O, NO, "added_after", 0, {0}, 0},
    {"added_after=2026-01-02T03:04:05.Z", O, NO, "added_after", 0, {0}, 0},
    {"added_after=2026-01-02T03:04:05+00:00", O, NO, "added_after", 0, {0}, 0},
    {"added_after=2026-01-02t03:04:05z", O, NO, "added_after", 0, {0}, 0},
    {"added_after=2026-02-30T03:04:05Z", O, NO, "added_after", 0, {0}, 0},
    {"added_after=2026-01-02T25:04:05Z", O, NO, "added_after", 0, {0}, 0},
    {"added_after=9999-12-31T23:59:60Z", O, NO, "added_after", 0, {0}, 0},
    {"added_after=1767322800", O, NO, "added_after", 0, {0}, 0},
    {"added_after=2026-01-02T03:04:05Z,2026-01-02T03:04:06Z", O, NO, "added_after", 0, {0}, 0},
    {"added_after=2026-01-02T03:04:05Z&added_after=2026-01-02T03:04:05Z",
     O,
     NO,
     "added_after",
     0,
     {0},
     0},
    {"added-after=nonsense", O, YES, NULL, 0, {0}, 0}, /* an unknown name */
    /* match[id] */
    {"match[id]=" ID_1, O, YES, NULL, 0, {1, 0, 0}, 0},
    {"match[id]=" ID_1 "," ID_2, O, YES, NULL, 0, {2, 0, 0}, 0},
    {"match%5Bid%5D=" ID_1 "%2C" ID_2, O, YES, NULL, 0, {2, 0, 0}, 0},
    {"match%5bid%5d=" ID_1, QUERY_MANIFEST, YES, NULL, 0, {1, 0, 0}, 0},
    {"match[id]=" ID_1 "," ID_1, O, YES, NULL, 0, {1, 0, 0}, 0}, /* only versions may not repeat */
    {"match[id]=indicator--AAAAAAAA-1111-4111-8111-11111111111A,"
     "indicator--aaaaaaaa-1111-4111-8111-11111111111a",
     O,
     YES,
     NULL,
     0,
     {1, 0, 0},
     0}, /* S-013 */
    {"match[id]=INDICATOR--11111111-1111-4111-8111-111111111111", O, NO, "match[id]", 0, {0}, 0},
    {"match[id]=" ID_1 ",", O, NO, "match[id]", 0, {0}, 0},
    {"match[id]=," ID_1, O, NO, "match[id]", 0, {0}, 0},
    {"match[id]=", O, NO, "match[id]", 0, {0}, 0},
    {"match[id]=indicator", O, NO, "match[id]", 0, {0}, 0},
    {"match[id]=indicator--1", O, NO, "match[id]", 0, {0}, 0},
    {"match[id]=" ID_1 "&match[id]=" ID_2, O, NO, "match[id]", 0, {0}, 0},
    {"match[id]=" ID_1 "&match%5Bid%5D=" ID_2, O, NO, "match[id]", 0, {0}, 0},
    {"match[id]=nonsense", QUERY_VERSIONS, YES, NULL, 0, {0}, VIEW_ALL}, /* T-057 */
    /* match[type] */
    {"match[type]=indicator", O, YES, NULL, 0, {0, 1, 0}, 0},
    {"match[type]=indicator,malware,x-own", O, YES, NULL, 0, {0, 3, 0}, 0},
    {"match[type]=indicator,malware,indicator", O, YES, NULL, 0, {0, 2, 0}, 0},
    {"match[type]=", O, NO, "match[type]", 0, {0}, 0},
    {"match[type]=a,,b", O, NO, "match[type]", 0, {0}, 0},
    {"match[type]=indicator&match[type]=malware", O, NO, "match[type]", 0, {0}, 0},
    /* match[version]: T-053, T-054 */
    {"match[version]=last", O, YES, NULL, 0, {0}, VIEW_LAST},
    {"match[version]=first", O, YES, NULL, 0, {0}, VIEW_FIRST},
    {"match[version]=all", O, YES, NULL, 0, {0}, VIEW_ALL},
    {"match[version]=first,last", O, YES, NULL, 0, {0}, VIEW_FIRST | VIEW_LAST},
    {"match[version]=2026-01-02T03:04:05.000Z", O, YES, NULL, 0, {0, 0, 1}, VIEW_LISTED},
    {"match[version]=last,2026-01-02T03:04:05.000Z,2026-01-03T03:04:05.000Z",
     O,
     YES,
     NULL,
     0,
     {0, 0, 2},
     VIEW_LAST | VIEW_LISTED},
    {"match[version]=2026-01-02T03:04:05.000Z", QUERY_DELETE, YES, NULL, 0, {0, 0, 1}, VIEW_LISTED},
    {"match[version]=all,last", O, NO, "match[version]", 0, {0}, 0},
    {"match[version]=2026-01-02T03:04:05.000Z,all", O, NO, "match[version]", 0, {0}, 0},
    {"match[version]=last,last", O, NO, "match[version]", 0, {0}, 0},
    {"match[version]=all,all", O, NO, "match[version]", 0, {0}, 0},
    {"match[version]=Last", O, NO, "match[version]", 0, {0}, 0},
    {"match[version]=newest", O, NO, "match[version]", 0, {0}, 0},
    {"match[version]=2026", O, NO, "match[version]", 0, {0}, 0},
    {"match[version]=", O, NO, "match[version]", 0, {0}, 0},
    {"match[version]=last&match[version]=first", O, NO, "match[version]", 0, {0}, 0},
    {"match[version]=nonsense", QUERY_VERSIONS, YES, NULL, 0, {0}, VIEW_ALL},
    /* match[spec_version] */
    {"match[spec_version]=2.1", O, YES, NULL, 0, {0}, 0},
    {"match[spec_version]=2.0,2.1", QUERY_VERSIONS, YES, NULL, 0, {0}, 0},
    {"match[spec_version]=", O, NO, "match[spec_version]", 0, {0}, 0},
    {"match[spec_version]=two", O, NO, "match[spec_version]", 0, {0}, 0},
    {"match[spec_version]=2", O, NO, "match[spec_version]", 0, {0}, 0},
    {"match[spec_version]=2.1,2.1", O, YES, NULL, 0, {0}, 0},
    {"match[spec_version]=2.1&match[spec_version]=2.0", O, NO, "match[spec_version]", 0, {0}, 0},
    /* next */
    {"next=abc", O, YES, NULL, 0, {0}, 0},
    {"next=", O, NO, "next", 0, {0}, 0},
    {"next=a&next=a", O, NO, "next", 0, {0}, 0},
    /* what nobody knows: T-047 */
    {"match[colour]=blue&match[colour]=red&x=1&x=2&match[", O, YES, NULL, 0, {0}, 0},
    {"limit%00=5", O, NO, "", 0, {0}, 0},
    {"x=%zz", O, NO, "", 0, {0}, 0},
    {"match[type]=%", O, NO, "", 0, {0}, 0},
};

static int parse(struct isg_arena *arena, enum query_endpoint endpoint, const char *raw,
                 const char *object_id, struct query *out, struct isg_fail *why)
{
    struct query_ask ask = {endpoint, isg_str_of(raw), isg_str_of(object_id), PAGE_MAX};
    return query_parse(arena, &ask, out, why);
}

static void check_row(const struct row *row)
{
    struct isg_arena *arena = isg_arena_new(1 << 20);
    struct query query;
    struct isg_fail why = {0};
    int err = parse(arena, row->endpoint, row->raw, "", &query, &why);
    is_int(err, row->want, "'%s' at %d", row->raw, (int)row->endpoint);
    if (row->path != NULL)
        is_str(why.path, row->path, "'%s' names the parameter", row->raw);
    if (err == ISG_OK) {
        bool same = query.view.ids_count == row->lists[0] &&
                    query.view.types_count == row->lists[1] &&
                    query.view.versions_count == row->lists[2] &&
                    (row->versions == 0 || query.view.want == row->versions) &&
                    (row->limit == 0 || query.view.limit == row->limit);
        ok(same, "'%s' is understood", row->raw);
    }
    isg_arena_free(&arena);
}

static void filters_of(enum query_endpoint endpoint, const char *raw, const char *object_id,
                       uint8_t out[ISG_SHA256_BYTES])
{
    struct isg_arena *arena = isg_arena_new(1 << 20);
    struct query query;
    if (parse(arena, endpoint, raw, object_id, &query, NULL) == ISG_OK)
        memcpy(out, query.filters, sizeof query.filters);
    isg_arena_free(&arena);
}

static const struct {
    const char *a;
    const char *b;
    bool same;
} pairs[] = {
    /* limit and added_after are no part of the binding */
    {"limit=5", "added_after=2026-01-02T03:04:05Z&limit=6", true},
    {"match[type]=a,b", "match%5Btype%5D=b%2Ca", true},
    {"", "match[version]=last", true},
    {"", "match[spec_version]=2.1", true},
    {"", "match[colour]=blue", true},
    {"match[version]=2026-01-02T03:04:05.1Z,2026-01-02T03:04:05.10Z",
     "match[version]=2026-01-02T03:04:05.10Z,2026-01-02T03:04:05.1Z", true},
    {"", "match[version]=all", false},
    {"", "match[spec_version]=2.0", false},
    {"match[type]=a", "match[type]=b", false},
    {"match[type]=a,b", "match[type]=ab", false},
    {"", "match[id]=" ID_1, false},
};

static void check_values(void)
{
    struct isg_arena *arena = isg_arena_new(1 << 20);
    struct query query;
    (void)parse(arena, O, "added_after=1970-01-01T00:00:01.0000019Z", "", &query, NULL);
    is_int(query.view.added_after_us, 1000001, "digits beyond microseconds are cut");
    (void)parse(arena, O, "match[spec_version]=2.0", "", &query, NULL);
    ok(query.view.no_21, "a query for 2.0 alone matches nothing (T-050)");
    is_int(query.view.added_after_us == INT64_MIN, 1, "no added_after: from the start (T-036)");
    (void)parse(arena, O,
                "match[version]=2026-01-02T03:04:05.9Z,last,2026-01-02T03:04:05.10Z,"
                "2026-01-02T03:04:05Z",
                "", &query, NULL);
    ok(query.view.versions_count == 3 &&
           isg_str_is(query.view.versions[0], "2026-01-02T03:04:05Z") &&
           isg_str_is(query.view.versions[2], "2026-01-02T03:04:05.9Z"),
       "versions are in order of time, to be searched in (T-147)");
    (void)parse(arena, QUERY_OBJECT, "", ID_1, &query, NULL);
    ok(query.view.ids_count == 1 && isg_str_is(query.view.ids[0], ID_1), "the path's object");
    isg_arena_free(&arena);
}

static void check_names(void)
{
    static const struct {
        const char *raw;
        const char *names;
    } cases[] = {
        {"", ""},
        {"x=1&limit=5", "limit"},
        {"match[type]=a&added_after=2026-01-01T00:00:00Z&next=t", "added_after,next,match[type]"},
        {"added_after=2026-01-01T00:00:00Z&limit=1&next=t&match[id]=" ID_1
         "&match[type]=a&match[version]=all&match[spec_version]=2.1",
         "added_after,limit,next,match[id],match[type],match[version],match[spec_version]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct isg_arena *arena = isg_arena_new(1 << 20);
        struct query_ask ask = {
            .endpoint = O, .raw = isg_str_of(cases[i].raw), .page_max = PAGE_MAX};
        struct query query;
        char names[QUERY_NAMES] = "none";
        if (query_parse(arena, &ask, &query, NULL) == ISG_OK)
            query_names(&query, names);
        is_str(names, cases[i].names, "names in '%.40s'", cases[i].raw);
        isg_arena_free(&arena);
    }
}

int main(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_row(&rows[i]);
    check_values();
    check_names();
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        uint8_t a[ISG_SHA256_BYTES] = {0};
        uint8_t b[ISG_SHA256_BYTES] = {1};
        filters_of(O, pairs[i].a, "", a);
        filters_of(O, pairs[i].b, "", b);
        is_int(memcmp(a, b, sizeof a) == 0, pairs[i].same, "'%s' and '%s'", pairs[i].a, pairs[i].b);
    }
    uint8_t object[ISG_SHA256_BYTES] = {0};
    uint8_t versions[ISG_SHA256_BYTES] = {0};
    filters_of(QUERY_OBJECT, "match[version]=all", ID_1, object);
    filters_of(QUERY_VERSIONS, "", ID_1, versions);
    ok(memcmp(object, versions, sizeof object) != 0, "the endpoint is part of the binding");
    return tap_done();
}
