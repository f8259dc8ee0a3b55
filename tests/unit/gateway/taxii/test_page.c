/* The bytes of pages, and entity tags. */
#include <stdlib.h>
#include <string.h>

#include "gateway/taxii/page.h"
#include "tests/support/tap.h"

#define ID_1 "indicator--11111111-1111-4111-8111-111111111111"
#define ID_2 "ipv4-addr--22222222-2222-5222-8222-222222222222"
#define NONE ((size_t)-1)

static struct store_event events[2];

static void make_events(void)
{
    events[0] = (struct store_event){.position = 7,
                                     .date_added_us = 1000001,
                                     .versioned = true,
                                     .id = ISG_STR(ID_1),
                                     .version = ISG_STR("2026-01-02T03:04:05.000Z")};
    events[1] = (struct store_event){
        .position = 9, .date_added_us = 2000002, .id = ISG_STR(ID_2), .version = ISG_STR("")};
}

struct row {
    const char *name;
    enum query_endpoint endpoint;
    size_t count;
    size_t sizes[2]; /* of objects */
    const char *next;
    const char *want;
    int64_t first_us; /* 0: empty */
    int64_t last_us;
};

static const struct row rows[] = {
    {"no objects (T-071)", QUERY_OBJECTS, 0, {0}, "", "{}", 0, 0},
    {"no manifest (T-110)", QUERY_MANIFEST, 0, {0}, "", "{}", 0, 0},
    {"no versions (T-113)", QUERY_VERSIONS, 0, {0}, "", "{}", 0, 0},
    {"nothing yet, but more (T-060)",
     QUERY_OBJECTS,
     0,
     {0},
     "tok",
     "{\"more\":true,\"next\":\"tok\"}",
     0,
     0},
    {"one object", QUERY_OBJECT, 1, {7, 0}, "", "{\"objects\":[{\"a\":1}]}", 1000001, 1000001},
    {"two objects",
     QUERY_OBJECTS,
     2,
     {7, 8},
     "tok",
     "{\"more\":true,\"next\":\"tok\",\"objects\":[{\"a\":1},{\"b\":22}]}",
     1000001,
     2000002},
    {"the first is gone meanwhile",
     QUERY_OBJECTS,
     2,
     {NONE, 7},
     "",
     "{\"objects\":[{\"a\":1}]}",
     2000002,
     2000002},
    {"both are gone meanwhile", QUERY_OBJECTS, 2, {NONE, NONE}, "", "{}", 0, 0},
    {"manifest (T-108, T-109, T-055)",
     QUERY_MANIFEST,
     2,
     {0},
     "tok",
     "{\"more\":true,\"next\":\"tok\",\"objects\":["
     "{\"id\":\"" ID_1 "\",\"date_added\":\"1970-01-01T00:00:01.000001Z\","
     "\"version\":\"2026-01-02T03:04:05.000Z\","
     "\"media_type\":\"application/stix+json;version=2.1\"},"
     "{\"id\":\"" ID_2 "\",\"date_added\":\"1970-01-01T00:00:02.000002Z\","
     "\"version\":\"1970-01-01T00:00:02.000002Z\","
     "\"media_type\":\"application/stix+json;version=2.1\"}]}",
     1000001,
     2000002},
    {"versions (T-113)",
     QUERY_VERSIONS,
     2,
     {0},
     "",
     "{\"versions\":[\"2026-01-02T03:04:05.000Z\",\"1970-01-01T00:00:02.000002Z\"]}",
     1000001,
     2000002},
};

static void check_row(const struct row *row)
{
    static const char bytes[] = "{\"a\":1}{\"b\":22}";
    size_t sizes[2] = {row->sizes[0], row->sizes[1]};
    struct page_objects objects = {.sizes = sizes, .count = row->count};
    struct page_text text = {0};
    isg_buf_init(&objects.bytes, 1024);
    isg_buf_init(&text.out, 4096);
    isg_buf_puts(&objects.bytes, bytes);
    bool with = row->endpoint == QUERY_OBJECTS || row->endpoint == QUERY_OBJECT;
    page_write(row->endpoint, events, row->count, with ? &objects : NULL, isg_str_of(row->next),
               &text);
    is_str(text.out.p, row->want, "%s", row->name);
    if (row->first_us != 0)
        ok(text.first_us == row->first_us && text.last_us == row->last_us, "%s: dates", row->name);
    is_int(text.objects > 0, row->first_us != 0, "%s: emptiness", row->name);
    isg_buf_done(&text.out);
    isg_buf_done(&objects.bytes);
}

static const struct {
    const char *header;
    bool want;
} tags[] = {
    {"\"abc\"", true}, {"W/\"abc\"", true},  {"\"x\", \"abc\"", true}, {" \"x\" ,W/\"abc\" ", true},
    {"*", true},       {"\"abd\"", false},   {"abc", false},           {"", false},
    {",,", false},     {"w/\"abc\"", false},
};

/* A page that does not reach the head is true while generations stand, but of its own log only. */
static void test_current(void)
{
    struct page *page = page_new(0);
    struct store_head head = {.position = 7, .date_added_us = 1, .generation = 3};
    if (!ok(page != NULL, "a page"))
        return;
    page->head = head;
    atomic_store(&page->generation, head.generation);
    head.position = 8;
    ok(page_is_current(NULL, "c", page, &head), "more events behind it are no matter");
    head.log++;
    ok(!page_is_current(NULL, "c", page, &head), "another log took the place of its own");
    page_unref(&page);
}

int main(void)
{
    test_current();
    make_events();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_row(&rows[i]);
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
        is_int(page_etag_matches(isg_str_of(tags[i].header), "\"abc\""), tags[i].want,
               "If-None-Match: %s", tags[i].header);
    return tap_done();
}
