/* Runs by command and by schedule: what is ingested, what is kept, what an error leaves behind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bed.h"
#include "feeds/feed.h"
#include "feeds/fetch.h"
#include "gateway/share/view.h"
#include "stix/base/arena.h"
#include "stix/base/digest.h"
#include "stix/json.h"
#include "tests/integration/fetch/peer.h"
#include "tests/support/tap.h"

static struct bed bed;
static struct peer peer;
static struct isg_buf out;

static char *fixture(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/feeds/%s", ISG_FIXTURES, name);
    return tap_slurp(path, NULL);
}

static void serve_fixture(const char *as, const char *name)
{
    char *text = fixture(name);
    bed_file(&bed, as, text);
    free(text);
}

static void add_feed_to(const char *name, const char *path, const char *format,
                        const char *interval, const char *collection)
{
    char json[512];
    struct isg_fail why = {.code = ISG_OK};
    (void)snprintf(json, sizeof json,
                   "{\"name\":\"%s\",\"url\":\"http://127.0.0.1:%d%s\",\"format\":\"%s\","
                   "\"collection\":\"%s\",\"interval\":\"%s\",\"allow_private\":true}",
                   name, peer.port, path, format, collection, interval);
    isg_buf_reset(&out);
    is_int(sync_feed_put(bed.sync, isg_str_of(json), &out, &why), ISG_OK, "feed %s: %s", name,
           why.text);
}

static void add_feed(const char *name, const char *path, const char *format, const char *interval)
{
    add_feed_to(name, path, format, interval, "main");
}

static int run_how(const char *name, struct sync_how how)
{
    struct isg_fail why = {.code = ISG_OK};
    isg_buf_reset(&out);
    for (int i = 0; i < 2400; i++) {
        int err = sync_run(bed.sync, "feed", isg_str_of(name), &how, &out, &why);
        if (err != ISG_EBUSY)
            return err;
        struct timespec t = {.tv_nsec = 50000000}; /* its scheduled run is under way */
        (void)nanosleep(&t, NULL);
    }
    return ISG_EBUSY;
}

static int run(const char *name, bool dry_run)
{
    return run_how(name, (struct sync_how){.dry_run = dry_run});
}

/* All living objects of a collection as lines; count in *out_count. */
static char *objects_of(const char *name, size_t *out_count)
{
    const struct registry *registry = directory_get(bed.directory);
    const struct collection *collection = NULL;
    struct isg_fail why;
    struct isg_arena *arena = isg_arena_new(64 << 20);
    struct isg_buf bytes;
    struct view_page page = {.count = 0};
    struct view_query query = {.added_after_us = INT64_MIN, .limit = 10000};
    isg_buf_init(&bytes, ISG_BUF_NO_MAX);
    (void)registry_collection(registry, ISG_STR("api"), isg_str_of(name), &collection, &why);
    const struct view *view = view_of(bed.store, collection, NULL, arena);
    (void)view_select(bed.store, collection, view, &query, true, arena, &page, &why);
    for (size_t i = 0; i < page.count; i++) {
        const struct store_event *event = &page.events[i];
        size_t size;
        (void)store_objects(bed.store, collection->id, &event, 1, &bytes, &size, &why);
        isg_buf_putc(&bytes, '\n');
    }
    *out_count = page.count;
    isg_arena_free(&arena);
    registry_unref(&registry);
    return isg_buf_take(&bytes, NULL);
}

static size_t count_pieces(const char *text, const char *piece)
{
    size_t n = 0;
    while (text != NULL && (text = strstr(text, piece)) != NULL) {
        n++;
        text += strlen(piece);
    }
    return n;
}

/* Feeds digest 7.1 and 7.2: twice the same writes nothing; one entry less clears one fact. */
static void test_kev(void)
{
    size_t count;
    serve_fixture("kev.json", "kev/three.json");
    add_feed("kev", "/kev.json", "kev", "30d");
    is_int(run("kev", false), ISG_OK, "first run");
    char *objects = objects_of("main", &count);
    is_int((long long)count_pieces(objects, "\"kev\":true"), 3, "three listed");
    is_int((long long)count, 12,
           "3 identities, 2 definitions, 3 vulnerabilities, 2 software, 2 links");
    free(objects);
    is_int(run("kev", false), ISG_OK, "again");
    ok(strstr(out.p, "\"state\":\"unchanged\"") != NULL, "304: nothing to do: %s", out.p);
    serve_fixture("kev.json", "kev/shuffled.json");
    is_int(run("kev", false), ISG_OK, "shuffled");
    is_int(bed_number(&out, "added"), 0, "no versions: %s", out.p);
    serve_fixture("kev.json", "kev/cut-short.json");
    is_int(run("kev", false), ISG_EPARSE, "cut short");
    serve_fixture("kev.json", "kev/page.html");
    is_int(run("kev", false), ISG_EPARSE, "an HTML page");
    objects = objects_of("main", &count);
    is_int((long long)count_pieces(objects, "\"kev\":true"), 3, "the old state stays");
    free(objects);
    serve_fixture("kev.json", "kev/two.json");
    is_int(run("kev", true), ISG_OK, "dry run");
    is_int(bed_number(&out, "delisted"), 1, "would withdraw one: %s", out.p);
    is_int(run("kev", false), ISG_OK, "one entry less");
    is_int(bed_number(&out, "delisted"), 1, "withdrawn: %s", out.p);
    objects = objects_of("main", &count);
    is_int((long long)count_pieces(objects, "\"kev\":true"), 2, "two listed");
    is_int((long long)count_pieces(objects, "\"kev\":false"), 1, "one fact cleared");
    is_int((long long)count_pieces(objects, "\"revoked\""), 0, "none revoked");
    free(objects);
    serve_fixture("kev.json", "kev/three.json");
    is_int(run("kev", false), ISG_OK, "listed again");
    objects = objects_of("main", &count);
    is_int((long long)count_pieces(objects, "\"kev\":true"), 3, "three listed again");
    free(objects);
}

/* A catalogue of n entries. */
static void serve_entries(int n)
{
    struct isg_buf text;
    isg_buf_init(&text, 1 << 20);
    isg_buf_printf(
        &text, "{\"title\":\"t\",\"catalogVersion\":\"v\",\"count\":%d,\"vulnerabilities\":[", n);
    for (int i = 0; i < n; i++)
        isg_buf_printf(&text, "%s{\"cveID\":\"CVE-2032-%05d\",\"dateAdded\":\"2032-01-01\"}",
                       i > 0 ? "," : "", i);
    isg_buf_puts(&text, "]}");
    bed_file(&bed, "many.json", text.p);
    isg_buf_done(&text);
}

/* Feeds digest 2.3: a snapshot that lacks half is held back until it has come twice more. */
static void test_guard(void)
{
    size_t count;
    serve_entries(40);
    add_feed("many", "/many.json", "kev", "30d");
    is_int(run("many", false), ISG_OK, "forty");
    serve_entries(20);
    for (int i = 0; i < 2; i++) {
        is_int(run("many", false), ISG_OK, "twenty");
        ok(strstr(out.p, "\"removals_held\":true") != NULL, "held back: %s", out.p);
        is_int(bed_number(&out, "delisted"), 0, "nothing withdrawn");
    }
    char *objects = objects_of("main", &count);
    is_int((long long)count_pieces(objects, "\"kev\":false"), 0, "no fact cleared");
    free(objects);
    is_int(run("many", false), ISG_OK, "the same a third time");
    is_int(bed_number(&out, "delisted"), 20, "released: %s", out.p);
    serve_entries(5);
    is_int(run("many", false), ISG_OK, "five");
    ok(strstr(out.p, "\"removals_held\":true") != NULL, "held back again");
    is_int(bed_number(&out, "missing"), 15, "and how many: %s", out.p);
    is_int(run_how("many", (struct sync_how){.accept_shrink = true}), ISG_OK,
           "a person accepts it");
    is_int(bed_number(&out, "delisted"), 15, "released at once: %s", out.p);
}

/* Feeds digest 7.5 and 2.6: delisted, listed again, delisted: one id, versions that rise, never revoked. */
static void test_delisting(void)
{
    static const struct {
        const char *text;
        int changed;
        int withdrawn;
        int delisted; /* indicators that say so in their latest version */
    } steps[] = {
        {"pump-bad.net\npump-worse.net\n", -1, 0, 0}, /* the schedule may come first */
        {"pump-bad.net\npump-worse.net\n# note\n", 0, 0, 0},
        {"pump-bad.net\n", 1, 1, 1},
        {"pump-bad.net\n# note\n", 0, 0, 1}, /* once */
        {"pump-bad.net\npump-worse.net\n", 1, 0, 0},
        {"pump-bad.net\n", 1, 1, 1},
    };
    size_t count;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        bed_file(&bed, "listed.txt", steps[i].text);
        if (i == 0)
            add_feed_to("listed", "/listed.txt", "list", "30d", "peers");
        is_int(run("listed", false), ISG_OK, "step %zu", i);
        if (steps[i].changed >= 0)
            is_int(bed_number(&out, "changed"), steps[i].changed, "step %zu: %s", i, out.p);
        is_int(bed_number(&out, "delisted"), steps[i].withdrawn, "step %zu: withdrawn", i);
        char *objects = objects_of("peers", &count);
        is_int((long long)count_pieces(objects, "\"feed:delisted\""), steps[i].delisted,
               "step %zu: delisted", i);
        is_int((long long)count_pieces(objects, "\"type\":\"indicator\""), 2, "step %zu: two ids",
               i);
        is_int((long long)count_pieces(objects, "\"revoked\""), 0, "step %zu: none revoked", i);
        free(objects);
    }
}

/* The state document of a feed with one text in the place of another. */
static void change_state(const char *feed, const char *from, const char *to)
{
    struct isg_buf text;
    struct isg_buf changed;
    struct isg_fail why;
    isg_buf_init(&text, 65536);
    isg_buf_init(&changed, 65536);
    is_int(store_doc_get(bed.store, STORE_FEED_STATE, isg_str_of(feed), &text, &why), ISG_OK,
           "the state of %s", feed);
    const char *at = strstr(text.p, from);
    ok(at != NULL, "it says %s", from);
    isg_buf_put(&changed, text.p, at != NULL ? (size_t)(at - text.p) : 0);
    isg_buf_puts(&changed, to);
    isg_buf_puts(&changed, at != NULL ? at + strlen(from) : "");
    is_int(
        store_doc_put(bed.store, STORE_FEED_STATE, isg_str_of(feed), isg_buf_str(&changed), &why),
        ISG_OK, "changed");
    isg_buf_done(&text);
    isg_buf_done(&changed);
}

/* Feeds digest 7.13: a validator holds for one mapping, and for one URL and collection. */
static void test_validators(void)
{
    char now[64];
    serve_fixture("valid.json", "kev/three.json");
    serve_fixture("moved.json", "kev/three.json");
    add_feed("valid", "/valid.json", "kev", "30d");
    is_int(run("valid", false), ISG_OK, "first");
    is_int(run("valid", false), ISG_OK, "again");
    ok(strstr(out.p, "\"unchanged\"") != NULL, "304");
    (void)snprintf(now, sizeof now, "\"converter\":%d", FEED_CONVERTER_VERSION);
    change_state("feed:valid", now, "\"converter\":0");
    is_int(run("valid", false), ISG_OK, "after a change of the mapping");
    ok(strstr(out.p, "\"unchanged\"") == NULL, "it is fetched again: %s", out.p);
    is_int(bed_number(&out, "added"), 0, "and says the same");
    add_feed("valid", "/moved.json", "kev", "30d");
    is_int(run("valid", false), ISG_OK, "from another URL");
    ok(strstr(out.p, "\"unchanged\"") == NULL, "it is fetched: %s", out.p);
    add_feed_to("valid", "/moved.json", "kev", "30d", "peers");
    is_int(run("valid", false), ISG_OK, "into another collection");
    ok(bed_number(&out, "added") > 0, "it comes there: %s", out.p);
}

/* What a dry run shows: counts and first examples; it writes nothing, not even a validator. */
static void test_dry_run(void)
{
    static const char *const shown[] = {
        "\"added\":2",      "\"changed\":2",    "\"excluded\":1", "\"unreadable\":0",
        "\"examples\":{\"", "\"added\":[\"ind", "10.0.0.1",       "\"dry_run\":true",
    };
    size_t before, after;
    bed_file(&bed, "dry.txt", "pump-one.net\npump-two.net\n10.0.0.1\n");
    add_feed_to("dry", "/dry.txt", "list", "30d", "peers");
    is_int(run("dry", false), ISG_OK, "first");
    bed_file(&bed, "dry.txt", "pump-three.net\npump-four.net\n10.0.0.1\n");
    free(objects_of("peers", &before));
    for (int i = 0; i < 2; i++) {
        is_int(run("dry", true), ISG_OK, "dry run");
        for (size_t k = 0; k < sizeof shown / sizeof shown[0]; k++)
            ok(strstr(out.p, shown[k]) != NULL, "it says %s", shown[k]);
        is_int(bed_number(&out, "delisted"), 2, "and what would end: %s", out.p);
        ok(strstr(out.p, "\"delisted\":[\"indicator--") != NULL, "by name");
    }
    free(objects_of("peers", &after));
    is_int((long long)after, (long long)before, "nothing was written");
    is_int(run("dry", false), ISG_OK, "the run itself");
    is_int(bed_number(&out, "added"), 2, "does what was shown: %s", out.p);
    is_int(bed_number(&out, "changed"), 2, "two end");
    ok(strstr(out.p, "examples") == NULL, "without examples");
}

static void serve_hash(const char *name, const char *text, bool flip)
{
    struct isg_sha512 hash;
    uint8_t digest[ISG_SHA512_BYTES];
    char line[2 * ISG_SHA512_BYTES + 1 + 64];
    isg_sha512_init(&hash);
    isg_sha512_add(&hash, text, strlen(text));
    isg_sha512_end(&hash, digest);
    digest[0] = (uint8_t)(digest[0] ^ (flip ? 1 : 0));
    isg_hex_encode(digest, sizeof digest, line);
    (void)snprintf(line + 2 * ISG_SHA512_BYTES, 64, "  a.json");
    bed_file(&bed, name, line);
}

/* Medical domain digest, part 7: directory, hash files, nothing twice. */
static void test_csaf(void)
{
    char *full = fixture("csaf/full.json");
    bed_file(&bed, "csaf/a.json", full);
    serve_hash("csaf/a.json.sha512", full, false);
    serve_fixture("csaf/b.json", "csaf/no-label.json");
    bed_file(
        &bed, "csaf/changes.csv",
        "\"a.json\",\"2031-02-03T06:00:00Z\"\nb.json,2031-01-01T00:00:00Z\n"
        "../../etc/x.json,2031-01-01T00:00:00Z\nhttps://127.0.0.1/x.json,2031-01-01T00:00:00Z\n");
    add_feed("csaf", "/csaf/", "csaf", "30d");
    is_int(run("csaf", false), ISG_OK, "directory");
    is_int(bed_number(&out, "documents"), 2, "two documents: %s", out.p);
    ok(bed_number(&out, "added") > 10, "objects");
    is_int(run("csaf", false), ISG_OK, "again");
    ok(strstr(out.p, "unchanged") != NULL, "the list has not changed");
    bed_file(&bed, "csaf/changes.csv",
             "a.json,2031-02-04T06:00:00Z\nb.json,2031-01-01T00:00:00Z\n");
    is_int(run("csaf", false), ISG_OK, "a new date, the same bytes");
    is_int(bed_number(&out, "documents"), 0, "mapped nothing: %s", out.p);
    serve_hash("csaf/a.json.sha512", full, true);
    bed_file(&bed, "csaf/changes.csv",
             "a.json,2031-02-05T06:00:00Z\nb.json,2031-01-01T00:00:00Z\n");
    is_int(run("csaf", false), ISG_OK, "a flipped bit costs one document, not the run");
    ok(strstr(out.p, "E_HASH") != NULL, "E_HASH: %s", out.p);
    is_int(bed_number(&out, "failed_documents"), 1, "one failed");
    free(full);
}

static void test_stix(void)
{
    serve_fixture("bundle.json", "stix/one-bad.json");
    add_feed("bundle", "/bundle.json", "stix", "30d");
    is_int(run("bundle", false), ISG_OK, "bundle");
    is_int(bed_number(&out, "added"), 2, "the good ones: %s", out.p);
    is_int(bed_number(&out, "refused"), 1, "the bad one");
}

static int peer_run_json(const char *direction, const char *from, const char *collection)
{
    char json[512];
    struct isg_fail why = {.code = ISG_OK};
    (void)snprintf(json, sizeof json,
                   "{\"direction\":\"%s\",\"url\":\"http://127.0.0.1:%d/peer/\",\"from\":\"%s\","
                   "\"collection\":\"%s\",\"allow_private\":true}",
                   direction, peer.port, from, collection);
    isg_buf_reset(&out);
    int err = sync_peer_run(bed.sync, isg_str_of(json), &out, &why);
    if (err != ISG_OK)
        printf("# %s\n", why.text);
    return err;
}

static void test_peers(void)
{
    struct feed_response response = {0};
    struct isg_fail why = {.code = ISG_OK};
    char url[128];
    is_int(peer_run_json("pull", "shared", "peers"), ISG_OK, "pull");
    is_int(bed_number(&out, "added"), 5, "five objects: %s", out.p);
    is_int(peer_run_json("pull", "shared", "peers"), ISG_OK, "pull again");
    is_int(bed_number(&out, "total"), 0, "the cursor moved: %s", out.p);
    is_int(peer_run_json("pull", "nothing", "peers"), ISG_ENOENT, "no such collection there");
    is_int(peer_run_json("pull", "shared", "nothing"), ISG_ENOENT, "no such collection here");
    is_int(peer_run_json("push", "main", "shared"), ISG_OK, "push");
    long long sent = bed_number(&out, "added");
    ok(sent > 0, "pushed: %s", out.p);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/pushed", peer.port);
    struct feed_request request = {.url = url, .allow_private = true};
    is_int(feed_fetch(&request, &response, &why), ISG_OK, "what arrived");
    is_int((long long)count_pieces(response.body.p, "\"spec_version\""), sent, "all of it");
    /* collection main is AMBER by default: the unmarked report and indicators stay here */
    is_int((long long)count_pieces(response.body.p, "\"type\": \"indicator\""), 0,
           "what has no marking is AMBER and does not leave");
    ok(count_pieces(response.body.p, "\"type\": \"vulnerability\"") > 0, "what is CLEAR does");
    feed_response_done(&response);
    is_int(peer_run_json("push", "main", "shared"), ISG_OK, "push again");
    is_int(bed_number(&out, "total"), 0, "nothing new: %s", out.p);
}

static void test_commands(void)
{
    static const struct {
        const char *json;
        int code;
    } rows[] = {
        {"{\"name\":\"x\",\"url\":\"file:///etc/passwd\",\"format\":\"kev\",\"collection\":\"main\"}",
         ISG_EINVAL}, /* */
        {"{\"name\":\"x\",\"url\":\"http://192.0.2.1/\",\"format\":\"kev\",\"collection\":\"main\"}",
         ISG_EINVAL},
        {"{\"name\":\"X y\",\"url\":\"https://a.example/\",\"format\":\"kev\",\"collection\":\"main\"}",
         ISG_EINVAL},
        {"{\"name\":\"x\",\"url\":\"https://a.example/\",\"format\":\"nope\",\"collection\":\"main\"}",
         ISG_EINVAL},
        {"{\"name\":\"x\",\"url\":\"https://a.example/\",\"format\":\"kev\",\"collection\":\"nope\"}",
         ISG_ENOENT},
        {"{\"name\":\"x\",\"url\":\"https://a.example/\",\"format\":\"kev\",\"collection\":\"main\","
         "\"interval\":\"0\"}",
         ISG_EINVAL},
        {"[", ISG_EPARSE},
    };
    struct isg_fail why;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        is_int(sync_feed_put(bed.sync, isg_str_of(rows[i].json), &out, &why), rows[i].code,
               "refused: %s", why.text);
    is_int(run("nope", false), ISG_ENOENT, "no such feed");
    add_feed("gone", "/missing.json", "kev", "30d");
    is_int(run("gone", false), ISG_ENOENT, "404");
    isg_buf_reset(&out);
    is_int(sync_feeds_write(bed.sync, &out, &why), ISG_OK, "list");
    ok(strstr(out.p, "\"last_error\":\"nothing at the source's URL (404)\"") != NULL,
       "the last error is kept");
    is_int(sync_feed_remove(bed.sync, ISG_STR("gone"), &why), ISG_OK, "removed");
    is_int(sync_feed_remove(bed.sync, ISG_STR("gone"), &why), ISG_ENOENT, "and gone");
}

/* By schedule: a feed that fails does not keep another from running; a restart knows the state. */
static void test_schedule(void)
{
    struct isg_fail why;
    bool done = false;
    add_feed("broken", "/missing.json", "kev", "1s");
    serve_fixture("timed.json", "stix/list.json");
    add_feed("timed", "/timed.json", "stix", "1s");
    for (int i = 0; i < 2400 && !done; i++) {
        struct timespec t = {.tv_nsec = 50000000};
        (void)nanosleep(&t, NULL);
        isg_buf_reset(&out);
        (void)sync_feeds_write(bed.sync, &out, &why);
        const char *timed = strstr(out.p, "\"name\":\"timed\"");
        done = timed != NULL && strstr(timed, "\"state\":\"ok\"") != NULL;
    }
    ok(done, "a scheduled run succeeded beside a failing one");
    bed_sync(&bed, false);
    bed_sync(&bed, true);
    isg_buf_reset(&out);
    (void)sync_feeds_write(bed.sync, &out, &why);
    const char *kev = strstr(out.p, "\"name\":\"kev\"");
    ok(kev != NULL && strstr(kev, "\"last_success\":\"") != NULL, "a restart knows the feeds");
}

int main(int argc, char **argv)
{
    struct isg_fail why;
    bed_open(&bed);
    if (argc < 3 || !peer_start(&peer, argv[1], argv[2])) {
        bed_close(&bed);
        tap_skip_all("no Python server");
    }
    isg_buf_init(&out, 1 << 20);
    ok(feed_fetch_start(&why) == ISG_OK, "started");
    bed_sync(&bed, true);
    test_kev();
    test_guard();
    test_delisting();
    test_dry_run();
    test_validators();
    test_csaf();
    test_stix();
    test_peers();
    test_commands();
    test_schedule();
    bed_close(&bed);
    feed_fetch_stop();
    isg_buf_done(&out);
    peer_stop(&peer);
    return tap_done();
}
