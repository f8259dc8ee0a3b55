/* Objects our converters made: content decides on versions; parts of several sources are merged. */
#include <stdio.h>
#include <string.h>

#include "stix/base/time.h"
#include "tests/integration/ingest/fixture.h"
#include "tests/support/tap.h"

#define EXT   "extension-definition--0b1e2c3d-4f5a-4b6c-8d7e-9f0a1b2c3d4e"
#define CLEAR "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"
#define GREEN "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"

static struct fixture f;

static struct ingest_counts import(const char *source, const char *object, const char *facet)
{
    struct ingest_source from = {
        .name = isg_str_of(source), .member = fixture_member(&f, source), .mode = INGEST_MAPPED};
    struct isg_fail why = {.code = ISG_OK};
    struct ingest_run *run =
        ingest_begin(f.store, fixture_collection(&f, "main"), &from, true, false);
    if (ingest_add(run, isg_str_of(object), facet, &why) != ISG_OK ||
        ingest_finish(run, &why) != ISG_OK)
        ok(false, "import: %s", why.text);
    struct ingest_counts counts = *ingest_counts(run);
    size_t n = 0;
    const struct ingest_outcome *outcomes = ingest_outcomes(run, &n);
    for (size_t i = 0; i < n; i++) {
        if (outcomes[i].message != NULL)
            printf("# %s\n", outcomes[i].message);
    }
    ingest_end(&run);
    return counts;
}

/* The canonical text of the latest version staff see, "" when there is none. */
static const char *latest(const char *type, unsigned n)
{
    const struct collection *collection = fixture_collection(&f, "main");
    struct isg_str id = isg_str_of(fixture_id(&f, type, n));
    struct view_query query = {.added_after_us = INT64_MIN, .limit = 1, .ids = &id, .ids_count = 1};
    struct view_page page;
    struct isg_fail why;
    struct isg_buf text;
    size_t size = 0;
    const struct view *view = view_of(f.store, collection, NULL, f.arena);
    if (view_select(f.store, collection, view, &query, true, f.arena, &page, &why) != ISG_OK ||
        page.count != 1)
        return "";
    isg_buf_init(&text, 1 << 20);
    const struct store_event *event = &page.events[0];
    (void)store_objects(f.store, collection->id, &event, 1, &text, &size, &why);
    const char *copy = isg_arena_copy(f.arena, isg_buf_str(&text));
    isg_buf_done(&text);
    return copy;
}

static const char *member_text(const char *object, const char *name)
{
    struct stix_json *json = NULL;
    struct isg_buf text;
    isg_buf_init(&text, 1 << 20);
    if (stix_json_parse(isg_str_of(object), NULL, &json, NULL) == ISG_OK)
        stix_json_canon(stix_json_get(json, name), &text);
    const char *copy = isg_arena_copy(f.arena, isg_buf_str(&text));
    isg_buf_done(&text);
    stix_json_free(&json);
    return copy;
}

static const char *quoted(const char *text)
{
    return isg_arena_printf(f.arena, "\"%s\"", text);
}

static void check_versions(void)
{
    struct ingest_counts counts = import("feed", fixture_identity(&f, 1, 10, "clear", ""), NULL);
    is_int((long long)counts.added, 1, "a mapped object");
    counts = import("feed", fixture_identity(&f, 1, 99, "clear", ""), NULL);
    is_int((long long)counts.same, 1, "the same content at another time is nothing new");
    counts = import("other", fixture_identity(&f, 1, 99, "clear", ""), NULL);
    is_int((long long)counts.same, 1, "also from another feed");
    is_str(member_text(latest("identity", 1), "modified"), quoted(fixture_version(&f, 10)),
           "it stays at its version");
    counts = import("feed", fixture_identity(&f, 1, 20, "clear", ",\"lang\":\"en\""), NULL);
    ok(counts.added == 1 && counts.changed == 1, "other content is a new version");
    is_str(member_text(latest("identity", 1), "modified"), quoted(fixture_version(&f, 20)),
           "at the time proposed");
    counts = import("feed", fixture_identity(&f, 1, 5, "clear", ",\"lang\":\"de\""), NULL);
    is_int((long long)counts.added, 1, "also when the source's clock stands still");
    char *step = fixture_version(&f, 20);
    memcpy(strrchr(step, '.'), ".001Z", 5);
    is_str(member_text(latest("identity", 1), "modified"), quoted(step),
           "`modified` rises by 1 ms");
    is_str(member_text(latest("identity", 1), "created"), quoted(fixture_version(&f, 0)),
           "`created` stays (S-099)");
}

static void check_squatters(void)
{
    is_int(
        fixture_push(&f, "main", "alice", fixture_identity(&f, 2, 50, "green", ",\"lang\":\"xx\"")),
        INGEST_ADDED, "a member takes an id first");
    struct ingest_counts counts = import("feed", fixture_identity(&f, 2, 50, "clear", ""), NULL);
    is_int((long long)counts.added, 1, "the feed's object is stored all the same");
    char *step = fixture_version(&f, 50);
    memcpy(strrchr(step, '.'), ".001Z", 5);
    is_str(member_text(latest("identity", 2), "modified"), quoted(step), "beside his version");
    counts = import("feed", fixture_identity(&f, 2, 50, "clear", ""), NULL);
    is_int((long long)counts.same, 1, "and once");
    counts = import("feed", fixture_ipv4(&f, 2, "clear", ""), NULL);
    is_int((long long)counts.added, 1, "an observable");
    counts = import("feed", fixture_ipv4(&f, 2, "clear", ""), NULL);
    is_int((long long)counts.same, 1, "once");
}

static void check_batch(void)
{
    struct ingest_source from = {.name = ISG_STR("feed"), .member = NULL, .mode = INGEST_MAPPED};
    struct isg_fail why;
    struct ingest_run *run =
        ingest_begin(f.store, fixture_collection(&f, "main"), &from, true, false);
    (void)ingest_add(run, isg_str_of(fixture_identity(&f, 3, 1, "clear", "")), NULL, &why);
    (void)ingest_add(run, isg_str_of(fixture_identity(&f, 3, 2, "clear", "")), NULL, &why);
    (void)ingest_add(run, isg_str_of(fixture_identity(&f, 3, 1, "clear", ",\"lang\":\"en\"")), NULL,
                     &why);
    is_int(ingest_finish(run, &why), ISG_OK, "one id three times in a run");
    ok(ingest_counts(run)->added == 2 && ingest_counts(run)->same == 1,
       "is compared with what came before");
    ingest_end(&run);
}

/* ---- parts ---------------------------------------------------------------------------------- */

static const struct {
    const char *key, *body;
} parts[] = {
    {"csaf:acme",
     "\"name\":\"CVE-2024-0001\",\"description\":\"maker\",\"labels\":[\"b\"],"
     "\"object_marking_refs\":[\"" CLEAR "\"],"
     "\"external_references\":[{\"source_name\":\"cve\",\"external_id\":\"CVE-2024-0001\"}],"
     "\"extensions\":{\"" EXT "\":{\"extension_type\":\"property-extension\",\"scores\":[1,2],"
     "\"who\":\"acme\"}}"},
    {"dept", "\"name\":\"CVE-2024-0001\",\"extensions\":{\"" EXT
             "\":{\"extension_type\":\"property-extension\",\"size\":0.5}}"},
    {"kev",
     "\"name\":\"CVE-2024-0001 kev\",\"description\":\"list\",\"labels\":[\"a\",\"b\"],"
     "\"object_marking_refs\":[\"" GREEN "\"],"
     "\"external_references\":[{\"source_name\":\"kev\",\"url\":\"https://kev.example/1\"}]"},
    {"nvd",
     "\"name\":\"CVE-2024-0001 nvd\",\"description\":\"database\",\"confidence\":50,"
     "\"external_references\":[{\"source_name\":\"cve\",\"external_id\":\"CVE-2024-0001\"}],"
     "\"extensions\":{\"" EXT "\":{\"extension_type\":\"property-extension\",\"scores\":[2,3],"
     "\"who\":\"nvd\"}}"},
};
enum { PARTS = sizeof parts / sizeof *parts };

/* Each source dates the object as it likes. */
static char *part(unsigned n, size_t i, unsigned version)
{
    return isg_arena_printf(f.arena,
                            "{\"type\":\"vulnerability\",\"spec_version\":\"2.1\",\"id\":\"%s\","
                            "\"created\":\"%s\",\"modified\":\"%s\",%s}",
                            fixture_id(&f, "vulnerability", n),
                            fixture_version(&f, (unsigned)(7 * i)), fixture_version(&f, version),
                            parts[i].body);
}

/* The object without what names it and its version. */
static const char *content(const char *object)
{
    static const char *const skip[] = {"id", "modified", NULL};
    struct stix_json *json = NULL;
    struct isg_buf text;
    isg_buf_init(&text, 1 << 20);
    if (stix_json_parse(isg_str_of(object), NULL, &json, NULL) == ISG_OK)
        stix_json_canon_without(json, skip, &text);
    const char *copy = isg_arena_copy(f.arena, isg_buf_str(&text));
    isg_buf_done(&text);
    stix_json_free(&json);
    return copy;
}

static void check_merged(const char *object)
{
    static const struct {
        const char *name, *want;
    } rows[] = {
        {"name", "\"CVE-2024-0001\""},
        {"description", "\"database\""},
        {"labels", "[\"a\",\"b\"]"},
        {"confidence", "50"},
        {"object_marking_refs", "[\"" CLEAR "\",\"" GREEN "\"]"},
        {"external_references", "[{\"external_id\":\"CVE-2024-0001\",\"source_name\":\"cve\"},"
                                "{\"source_name\":\"kev\",\"url\":\"https://kev.example/1\"}]"},
        {"extensions", "{\"" EXT "\":{\"extension_type\":\"property-extension\","
                       "\"scores\":[1,2,3],\"size\":0.5,\"who\":\"acme\"}}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        is_str(member_text(object, rows[i].name), rows[i].want, "merged %s", rows[i].name);
}

static void check_facets(void)
{
    const char *want = NULL;
    unsigned n = 100;
    size_t order[PARTS], wrong = 0;
    for (size_t code = 0; code < 256; code++) {
        bool used[PARTS] = {false}, permutation = true;
        for (size_t i = 0; i < PARTS; i++) {
            order[i] = code >> (2 * i) & 3;
            permutation = permutation && !used[order[i]];
            used[order[i]] = true;
        }
        if (!permutation)
            continue;
        n++;
        for (size_t i = 0; i < PARTS; i++) {
            unsigned version = 100 + 7 * (unsigned)order[i];
            (void)import("feed", part(n, order[i], version), parts[order[i]].key);
        }
        const char *got = content(latest("vulnerability", n));
        want = want == NULL ? got : want;
        wrong += strcmp(got, want) != 0 ? 1 : 0;
    }
    is_int(n, 124, "all orders of four parts");
    is_int((long long)wrong, 0, "give the same bytes but for id and modified");
    check_merged(latest("vulnerability", 101));
    is_str(member_text(latest("vulnerability", 101), "created"), "\"2024-01-01T00:00:00.000Z\"",
           "`created` is what all sources could agree on");
    struct ingest_counts counts = import("feed", part(101, 2, 77), parts[2].key);
    is_int((long long)counts.same, 1, "a part again changes nothing");
}

static void check_spoiled(void)
{
    char *broken = isg_arena_printf(
        f.arena,
        "{\"type\":\"vulnerability\",\"spec_version\":\"2.1\",\"id\":\"%s\",\"created\":\"%s\","
        "\"modified\":\"%s\",\"name\":7}",
        fixture_id(&f, "vulnerability", 101), fixture_version(&f, 0), fixture_version(&f, 1));
    struct ingest_counts counts = import("feed", broken, "zzz");
    is_int((long long)counts.refused, 1, "a broken part is refused");
    counts = import("feed", part(101, 2, 78), parts[2].key);
    is_int((long long)counts.same, 1, "and not kept");
}

/* One source too many is refused with its part, and nothing else that came with it. */
static void check_many(void)
{
    char key[16];
    struct ingest_source from = {.name = ISG_STR("feed"), .member = NULL, .mode = INGEST_MAPPED};
    struct isg_fail why = {.code = ISG_OK};
    long long refused = 0;
    for (unsigned i = 0; i < 256; i++) {
        (void)snprintf(key, sizeof key, "csaf:%u", i);
        refused += (long long)import("feed", part(700, 0, 10), key).refused;
    }
    is_int(refused, 0, "256 sources speak of one object");
    struct ingest_run *run =
        ingest_begin(f.store, fixture_collection(&f, "main"), &from, true, false);
    int err = ingest_add(run, isg_str_of(part(700, 0, 11)), "csaf:256", &why);
    if (err == ISG_OK)
        err = ingest_add(run, isg_str_of(part(701, 0, 11)), "csaf:256", &why);
    if (err == ISG_OK)
        err = ingest_finish(run, &why);
    is_int(err, ISG_OK, "one more does not end a run %s", why.text);
    is_int((long long)ingest_counts(run)->refused, 1, "its part is refused");
    is_int((long long)ingest_counts(run)->added, 1, "and what came with it is in");
    ingest_end(&run);
    is_int((long long)import("feed", part(700, 0, 10), "csaf:7").same, 1, "the others stay");
}

static void check_granular(void)
{
    char *object = isg_arena_printf(
        f.arena,
        "{\"type\":\"vulnerability\",\"spec_version\":\"2.1\",\"id\":\"%s\",\"created\":\"%s\","
        "\"modified\":\"%s\",\"name\":\"x\",\"granular_markings\":[{\"marking_ref\":\"" GREEN
        "\",\"selectors\":[\"name\"]}]}",
        fixture_id(&f, "vulnerability", 500), fixture_version(&f, 0), fixture_version(&f, 1));
    struct ingest_counts counts = import("feed", object, "nvd");
    is_int((long long)counts.added, 1, "a part with a granular marking");
    is_str(member_text(latest("vulnerability", 500), "object_marking_refs"), "[\"" GREEN "\"]",
           "marks the whole");
}

/* An observation of a window, from second `first` to second `last` of it. */
static char *observation(unsigned n, unsigned first, unsigned last, int number, const char *label)
{
    return isg_arena_printf(
        f.arena,
        "{\"type\":\"observed-data\",\"spec_version\":\"2.1\",\"id\":\"%s\",\"created\":\"%s\","
        "\"modified\":\"%s\",\"first_observed\":\"%s\",\"last_observed\":\"%s\","
        "\"number_observed\":%d,\"object_refs\":[\"%s\"],\"labels\":[\"%s\"]}",
        fixture_id(&f, "observed-data", n), fixture_version(&f, 0), fixture_version(&f, last),
        fixture_version(&f, first), fixture_version(&f, last), number,
        fixture_id(&f, "ipv4-addr", 1), label);
}

/* Two files of a log share a window: in either order the same, and nothing the second time. */
static void check_windows(void)
{
    static const struct {
        unsigned first, last;
        int number;
        const char *label;
    } files[] = {{10, 60, 5, "b"}, {40, 90, 3, "a"}};
    for (unsigned turn = 0; turn < 2; turn++) {
        unsigned n = 600 + turn;
        char *object[2];
        for (size_t i = 0; i < 2; i++)
            object[i] =
                observation(n, files[i].first, files[i].last, files[i].number, files[i].label);
        (void)import("feed", object[turn], NULL);
        struct ingest_counts counts = import("feed", object[1 - turn], NULL);
        ok(counts.added == 1 && counts.changed == 1, "more of a window is a newer version");
        is_int((long long)import("feed", object[turn], NULL).same, 1, "which it stays");
        is_int((long long)import("feed", object[1 - turn], NULL).same, 1, "whatever comes again");
        const char *got = latest("observed-data", n);
        is_str(member_text(got, "first_observed"), quoted(fixture_version(&f, 10)), "begins first");
        is_str(member_text(got, "last_observed"), quoted(fixture_version(&f, 90)), "ends last");
        is_str(member_text(got, "number_observed"), "5", "the larger count");
        is_str(member_text(got, "labels"), "[\"a\",\"b\"]", "labels of both");
    }
}

/* Days from now, as a timestamp. */
static const char *day(int days)
{
    char text[ISG_TIME_TEXT];
    isg_time_format(isg_time_now_us() + days * INT64_C(86400000000), 3, text);
    return isg_arena_copy(f.arena, isg_str_of(text));
}

static struct ingest_counts confirm(const char *at, const char *from, const char *until)
{
    return import(
        "feed",
        isg_arena_printf(
            f.arena,
            "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"%s\",\"created\":\"%s\","
            "\"modified\":\"%s\",\"pattern\":\"[domain-name:value = 'a.example']\","
            "\"pattern_type\":\"stix\",\"valid_from\":\"%s\",\"valid_until\":\"%s\","
            "\"object_marking_refs\":[\"" CLEAR "\"]}",
            fixture_id(&f, "indicator", 1), from, at, from, until),
        NULL);
}

/* Feeds digest 2.6: a confirmation moves the end when less than half of the time is left. */
static void check_validity(void)
{
    const char *first = day(-40);
    const char *end = day(20);
    is_int((long long)confirm(first, first, end).added, 1, "an entry of a list, for 60 days");
    is_int((long long)confirm(day(-29), day(-29), day(31)).changed, 1,
           "20 of 60 days are left: the end moves");
    const char *object = latest("indicator", 1);
    is_str(member_text(object, "valid_from"), quoted(first), "the beginning stays");
    is_str(member_text(object, "created"), quoted(first), "and so does `created`");
    const char *moved = member_text(object, "valid_until");
    ok(strcmp(moved, quoted(end)) > 0, "%s", moved);
    is_int((long long)confirm(day(-1), day(-1), day(59)).same, 1, "31 are left: nothing is new");
    is_int((long long)confirm(day(0), day(0), day(60)).same, 1, "nor a day later");
    is_str(member_text(latest("indicator", 1), "valid_until"), moved, "the end is where it was");
    const char *over = day(1);
    is_int((long long)confirm(day(0), day(-1), over).changed, 1, "an earlier end counts at once");
    is_str(member_text(latest("indicator", 1), "valid_until"), quoted(over), "it is the source's");
    const char *back = day(60);
    is_int((long long)confirm(day(0), day(0), back).changed, 1, "and a later one, when it is back");
    is_str(member_text(latest("indicator", 1), "valid_until"), quoted(back), "for its whole time");
}

int main(void)
{
    fixture_open(&f);
    check_validity();
    check_versions();
    check_squatters();
    check_batch();
    check_facets();
    check_spoiled();
    check_many();
    check_granular();
    check_windows();
    fixture_close(&f);
    return tap_done();
}
