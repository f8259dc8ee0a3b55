/*
 * What KEV, NVD, EPSS and CSAF say of the same vulnerabilities, mapped from fixtures and imported:
 * the order of the sources does not show, and nothing is written twice (feeds digest 5.5, 7.8).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feeds/feed.h"
#include "gateway/ingest/epss.h"
#include "stix/json.h"
#include "tests/integration/ingest/fixture.h"
#include "tests/support/tap.h"

static struct fixture f;

static const struct {
    const char *format;
    const char *file;
} sources[] = {{"kev", "kev/three.json"},
               {"nvd", "nvd/three.json"},
               {"epss", "epss/table.csv"},
               {"csaf", "csaf/full.json"}};
enum { SOURCES = sizeof sources / sizeof *sources };

static int take(void *arg, struct isg_str object, const char *facet, struct isg_fail *why)
{
    return ingest_add(arg, object, facet, why);
}

/* Map text and import what comes out of it. */
static struct ingest_counts import_text(const char *collection, const char *format,
                                        struct isg_str text)
{
    struct ingest_source from = {.name = isg_str_of(format), .member = NULL, .mode = INGEST_MAPPED};
    struct isg_fail why = {.code = ISG_OK};
    struct ingest_run *run =
        ingest_begin(f.store, fixture_collection(&f, collection), &from, false, false);
    struct feed_context context = {.now_us = 1900000000000000,
                                   .owner = ISG_STR("Example ISAO"),
                                   .file_name = ISG_STR("file"),
                                   .emit = take,
                                   .arg = run};
    feed_namespace(ISG_STR("urn:example:isao-gateway:stix-id:v1"), context.space);
    if (feed_map(feed_source_find(isg_str_of(format)), &context, text, &why) != ISG_OK ||
        ingest_finish(run, &why) != ISG_OK)
        ok(false, "%s: %s", format, why.text);
    struct ingest_counts counts = *ingest_counts(run);
    ingest_end(&run);
    return counts;
}

static struct ingest_counts import_file(const char *collection, size_t source)
{
    char path[512];
    size_t n = 0;
    (void)snprintf(path, sizeof path, "%s/feeds/%s", ISG_FIXTURES, sources[source].file);
    char *text = tap_slurp(path, &n);
    struct ingest_counts counts =
        import_text(collection, sources[source].format, (struct isg_str){text, n});
    free(text);
    return counts;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All objects of a collection, as staff see them, one a line, sorted. */
static const char *content_of(const char *name)
{
    const struct collection *collection = fixture_collection(&f, name);
    struct view_query query = {.added_after_us = INT64_MIN, .limit = 10000};
    struct view_page page = {.count = 0};
    struct isg_fail why;
    struct isg_buf text;
    const struct view *view = view_of(f.store, collection, NULL, f.arena);
    (void)view_select(f.store, collection, view, &query, true, f.arena, &page, &why);
    const char **lines = isg_arena_alloc(f.arena, (page.count + 1) * sizeof *lines);
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    for (size_t i = 0; i < page.count; i++) {
        const struct store_event *event = &page.events[i];
        size_t size = 0;
        isg_buf_reset(&text);
        (void)store_objects(f.store, collection->id, &event, 1, &text, &size, &why);
        lines[i] = isg_arena_copy(f.arena, isg_buf_str(&text));
    }
    qsort(lines, page.count, sizeof *lines, by_text);
    isg_buf_reset(&text);
    for (size_t i = 0; i < page.count; i++)
        isg_buf_printf(&text, "%s\n", lines[i]);
    const char *copy = isg_arena_copy(f.arena, isg_buf_str(&text));
    isg_buf_done(&text);
    return copy;
}

/* As content_of, but for `modified`. */
static const char *plain_content_of(const char *name)
{
    static const char member[] = "\"modified\":\"";
    const char *content = content_of(name);
    char *copy = isg_arena_copy(f.arena, isg_str_of(content));
    for (char *at = copy; (at = strstr(at, member)) != NULL;) {
        at += strlen(member);
        memset(at, '.', strcspn(at, "\""));
    }
    return copy;
}

static void put_collection(const char *name)
{
    char json[256];
    struct isg_fail why;
    (void)snprintf(json, sizeof json,
                   "{\"title\":\"%s\",\"alias\":\"%s\",\"read\":\"all\",\"write\":\"all\"}", name,
                   name);
    if (directory_put_collection(f.directory, isg_str_of(json), true, NULL, &why) != ISG_OK)
        ok(false, "%s: %s", name, why.text);
    registry_unref(&f.registry);
    f.registry = directory_get(f.directory);
}

/* All 24 orders, each in a collection of its own. */
static void check_orders(void)
{
    const char *want = NULL;
    size_t orders = 0, wrong = 0, again = 0;
    for (unsigned code = 0; code < 256; code++) {
        unsigned used = 0;
        char name[16];
        for (unsigned i = 0; i < SOURCES; i++)
            used |= 1U << (code >> (2 * i) & 3);
        if (used != 15)
            continue;
        orders++;
        (void)snprintf(name, sizeof name, "order%u", code);
        put_collection(name);
        for (unsigned i = 0; i < SOURCES; i++)
            (void)import_file(name, code >> (2 * i) & 3);
        const char *got = content_of(name);
        want = want == NULL ? got : want;
        wrong += strcmp(got, want) != 0 ? 1 : 0;
        for (size_t i = 0; i < SOURCES; i++)
            again += import_file(name, i).added;
    }
    is_int((long long)orders, 24, "all orders of four sources");
    is_int((long long)wrong, 0, "give the same store, byte for byte");
    is_int((long long)again, 0, "and nothing is written when all come again");
    static const char score[] =
        "\"epss\":{\"date\":\"2031-05-02T00:00:00.000Z\","
        "\"model\":\"v2031.03.14\",\"percentile\":0.99921,\"score\":0.97432}";
    static const char words[] =
        "\"description\":\"ExamplePump Server before 3.2 lets anybody set the dose limits.\"";
    static const char *const pieces[] = {"\"cvss\":[{",
                                         "\"headline\":true",
                                         "\"kev_entry\":{",
                                         "\"kev\":true",
                                         score,
                                         words,
                                         "\"labels\":[\"cve:disputed\",\"kev\"]"};
    const char *whole = strstr(want, "\"name\":\"CVE-2031-99998\"");
    const char *line = whole;
    while (line != NULL && line > want && line[-1] != '\n')
        line--;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        const char *at = line == NULL ? NULL : strstr(line, pieces[i]);
        ok(at != NULL && at < strchr(line, '\n'), "one object says it all: %s", pieces[i]);
    }
}

/* A score never makes a vulnerability, and stands ready for the source that does. */
static void check_waiting(void)
{
    put_collection("waiting");
    struct ingest_counts counts = import_file("waiting", 2);
    is_int((long long)counts.refused, 0, "scores nobody else speaks of");
    ok(strstr(content_of("waiting"), "\"vulnerability\"") == NULL, "make no vulnerability");
    (void)import_file("waiting", 1);
    ok(strstr(content_of("waiting"), "\"score\":0.97432") != NULL, "but join it when it comes");
    ok(strstr(content_of("waiting"), "\"score\":0.00043") != NULL, "a rejected one as well");
}

/* What is replaced in a fixture; `from` NULL: nothing. */
struct edit {
    const char *from, *to;
};

static void replace(char **text, const struct edit *edit)
{
    const char *at = edit->from != NULL ? strstr(*text, edit->from) : NULL;
    struct isg_buf out;
    if (at == NULL)
        return;
    isg_buf_init(&out, ISG_BUF_NO_MAX);
    isg_buf_printf(&out, "%.*s%s%s", (int)(at - *text), *text, edit->to, at + strlen(edit->from));
    free(*text);
    *text = isg_buf_take(&out, NULL);
}

/* A source's fixture with two texts in it replaced by others. */
static struct ingest_counts import_edits(const char *collection, size_t source,
                                         const struct edit edits[2])
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/feeds/%s", ISG_FIXTURES, sources[source].file);
    char *text = tap_slurp(path, NULL);
    replace(&text, &edits[0]);
    replace(&text, &edits[1]);
    struct ingest_counts counts = import_text(collection, sources[source].format, isg_str_of(text));
    free(text);
    return counts;
}

/* ---- versions of sources among each other --------------------------------------------------- */

/*
 * Each source's own in their order: with a later date and without one, of what shows in the whole
 * and what does not (NVD's words stand before KEV's), a date alone, back to what was; two advisories
 * that say the same of the same products.
 */
static const struct {
    size_t teller; /* whose order is kept */
    size_t source;
    struct edit edits[2];
} versions[] = {
    {0, 0, {{NULL, NULL}}},
    {0, 0, {{"contains an authentication bypass", "lets anybody in"}}},
    {0, 0, {{"Apply updates per vendor instructions.", "Take it off the network."}}},
    {1, 1, {{NULL, NULL}}},
    {1, 1, {{"set the dose limits", "set the limits"}}},
    {1, 1, {{"2031-05-20T14:02:24.783", "2031-06-20T00:00:00.000"}}},
    {1,
     1,
     {{"2031-05-20T14:02:24.783", "2031-07-20T00:00:00.000"}, {"\"Rejected\"", "\"Analyzed\""}}},
    {2, 2, {{NULL, NULL}}},
    {2, 2, {{"2031-05-02", "2031-05-19"}, {"0.97432", "0.4"}}},
    {2, 2, {{"2031-05-02", "2031-06-01"}, {"0.97432", "0.6"}}},
    {3, 3, {{NULL, NULL}}},
    {3,
     3,
     {{"\"version\": \"2\"", "\"version\": \"3\""},
      {"2031-02-03T06:00:00.123999Z", "2031-05-20T14:02:24.783Z"}}},
    {4,
     3,
     {{"EXCERT-31-001-01", "EXCERT-31-002-01"},
      {"2031-01-02T08:00:00+02:00", "2031-01-01T00:00:00Z"}}},
};
enum { VERSIONS = sizeof versions / sizeof *versions, TELLERS = SOURCES + 1 };

/* The next version in some order that keeps that of each source: anybody's who has one left. */
static size_t draw(size_t next[TELLERS], unsigned *seed)
{
    for (;;) {
        *seed = *seed * 1103515245 + 12345;
        size_t teller = (*seed >> 16) % TELLERS;
        while (next[teller] < VERSIONS && versions[next[teller]].teller < teller)
            next[teller]++;
        if (next[teller] < VERSIONS && versions[next[teller]].teller == teller)
            return next[teller]++;
    }
}

static void check_interleaved(void)
{
    enum { ORDERS = 10 };
    const char *want = NULL;
    size_t wrong = 0;
    unsigned seed = 7;
    for (unsigned order = 0; order < ORDERS; order++) {
        size_t next[TELLERS] = {0};
        char name[16];
        (void)snprintf(name, sizeof name, "mixed%u", order);
        put_collection(name);
        for (size_t i = 0; i < VERSIONS; i++) {
            size_t at = order == 0 ? i : draw(next, &seed);
            (void)import_edits(name, versions[at].source, versions[at].edits);
        }
        const char *got = content_of(name);
        want = want == NULL ? got : want;
        wrong += strcmp(got, want) != 0 ? 1 : 0;
    }
    is_int((long long)wrong, 0, "versions of five documents in %d orders: byte for byte the same",
           ORDERS);
    ok(strstr(want, "set the dose limits") != NULL && strstr(want, "off the network") != NULL &&
           strstr(want, "\"score\":0.6") != NULL,
       "of each source the last");
}

/* ---- edits ---------------------------------------------------------------------------------- */

static struct ingest_counts import_edited(const char *from, const char *to)
{
    const struct edit edits[2] = {{from, to}, {NULL, NULL}};
    return import_edits("edits", 1, edits);
}

/* A source owns its part, and no other: it can take back what it said (feeds digest 2.5, 2.6). */
static void check_edits(void)
{
    static const char rejected[] = "\"labels\":[\"cve:rejected\"]";
    put_collection("edits");
    for (size_t i = 0; i < SOURCES; i++)
        (void)import_file("edits", i);
    const char *before = plain_content_of("edits");
    struct ingest_counts counts =
        import_edited("2031-05-20T14:02:24.783", "2031-09-09T00:00:00.000");
    is_int((long long)counts.added, 0, "another date alone is no version");
    ok(strstr(before, rejected) != NULL, "a rejected CVE");
    counts = import_edited("\"Rejected\"", "\"Analyzed\"");
    is_int((long long)counts.added, 1, "that is reinstated");
    ok(strstr(content_of("edits"), rejected) == NULL &&
           strstr(content_of("edits"), "\"revoked\"") == NULL,
       "was never revoked");
    counts = import_edited("http://notes.example/a?b=1", "http://notes.example/other");
    ok(counts.added == 2 && strstr(content_of("edits"), "notes.example/a?b=1") == NULL,
       "a reference is taken back, by its source; and the other CVE is rejected again");
    (void)import_file("edits", 1);
    is_str(plain_content_of("edits"), before, "all as before");
}

static struct ingest_counts import_score(const char *day, const char *model, const char *score)
{
    char table[256];
    (void)snprintf(table, sizeof table,
                   "#model_version:%s,score_date:%sT00:00:00+0000\ncve,epss,percentile\n"
                   "CVE-2031-99998,%s,0.5\n",
                   model, day, score);
    return import_text("moving", "epss", isg_str_of(table));
}

/* Day after day: what moves little makes no version (feeds digest 5.6). */
static void check_moving(void)
{
    static const struct {
        const char *day, *score;
        size_t added;
        const char *what;
    } rows[] = {
        {"2031-05-02", "0.2", 1, "the first score"},
        {"2031-05-03", "0.21", 0, "moved little"},
        {"2031-05-04", "0.24", 0, "also in several steps"},
        {"2031-05-05", "0.25", 1, "by 0.05 since it was written"},
        {"2031-05-01", "0.9", 0, "an older table"},
        {"2031-05-06", "0.3", 1, "again"},
        {"2031-05-07", "0.3", 0, "the same"},
    };
    put_collection("moving");
    (void)import_file("moving", 1);
    (void)import_score("2031-04-01", "v1", "0.1"); /* also hands out what means the extension */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        is_int((long long)import_score(rows[i].day, "v1", rows[i].score).added,
               (long long)rows[i].added, "%s", rows[i].what);
}

static void check_replaces(void)
{
    static const struct {
        struct epss_score kept, now;
        bool want;
        const char *what;
    } rows[] = {
        {{"", 0.2, 0.1, "2031-05-01", "a", 1, 1},
         {"", 0.25, 0.1, "2031-05-02", "a", 1, 1},
         true,
         "0.05"},
        {{"", 0.25, 0.1, "2031-05-01", "a", 1, 1},
         {"", 0.2, 0.1, "2031-05-02", "a", 1, 1},
         true,
         "down"},
        {{"", 0.2, 0.1, "2031-05-01", "a", 1, 1},
         {"", 0.2499, 0.9, "2031-05-02", "a", 1, 1},
         false,
         "less"},
        {{"", 0.099, 0.1, "2031-05-01", "a", 1, 1},
         {"", 0.1, 0.1, "2031-05-02", "a", 1, 1},
         true,
         "over 0.1"},
        {{"", 0.51, 0.1, "2031-05-01", "a", 1, 1},
         {"", 0.49, 0.1, "2031-05-02", "a", 1, 1},
         true,
         "0.5"},
        {{"", 0.89, 0.1, "2031-05-01", "a", 1, 1},
         {"", 0.9, 0.1, "2031-05-02", "a", 1, 1},
         true,
         "over 0.9"},
        {{"", 0.2, 0.1, "2031-05-01", "a", 1, 1},
         {"", 0.21, 0.1, "2031-05-30", "a", 1, 1},
         false,
         "29 days"},
        {{"", 0.2, 0.1, "2031-05-01", "a", 1, 1},
         {"", 0.21, 0.1, "2031-05-31", "a", 1, 1},
         true,
         "30 days"},
        {{"", 0.2, 0.1, "2031-05-01", "a", 1, 1},
         {"", 0.2, 0.1, "2031-05-31", "a", 1, 1},
         false,
         "the same"},
        {{"", 0.2, 0.1, "2031-05-02", "a", 1, 1},
         {"", 0.9, 0.1, "2031-05-01", "a", 1, 1},
         false,
         "older"},
        {{"", 0.2, 0.1, "2031-05-01", "", 1, 1},
         {"", 0.2, 0.1, "2031-05-02", "a", 1, 1},
         false,
         "a model that was not told before"},
        {{"", 0.2, 0.1, "2031-05-01", "a", 1, 1},
         {"", 0.2, 0.1, "2031-05-02", "b", 1, 1},
         true,
         "another model without a date"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        is_int(epss_replaces(&rows[i].kept, &rows[i].now), rows[i].want, "%s", rows[i].what);
}

/* A new model takes its place within a week, some CVEs a day. */
static void check_model(void)
{
    enum { CVES = 700 };
    size_t before = 0;
    bool each = true;
    for (int day = 13; day <= 20; day++) {
        size_t count = 0;
        for (int i = 0; i < CVES; i++) {
            struct epss_score kept = {"", 0.2, 0.1, "2031-03-01", "v2025.03.14", 1, 1}, now = kept;
            (void)snprintf(kept.cve, sizeof kept.cve, "CVE-2030-%d", 1000 + i);
            (void)snprintf(now.cve, sizeof now.cve, "CVE-2030-%d", 1000 + i);
            (void)snprintf(now.date, sizeof now.date, "2031-03-%d", day);
            (void)snprintf(now.model, sizeof now.model, "v2031.03.14");
            count += epss_replaces(&kept, &now);
        }
        each = each && (day == 13 ? count == 0 : count > before);
        before = count;
    }
    ok(each, "more of them each day");
    is_int((long long)before, CVES, "all after a week");
}

int main(void)
{
    fixture_open(&f);
    check_orders();
    check_waiting();
    check_interleaved();
    check_edits();
    check_moving();
    check_replaces();
    check_model();
    fixture_close(&f);
    return tap_done();
}
