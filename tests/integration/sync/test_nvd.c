/*
 * NVD in windows and pages, EPSS by the CVEs in store: against a server with the habits that hurt
 * (feeds digest 5.5, 5.6, 7.14).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bed.h"
#include "feeds/fetch.h"
#include "gateway/share/view.h"
#include "gateway/sync/feed_run.h"
#include "stix/base/arena.h"
#include "stix/base/time.h"
#include "stix/json.h"
#include "tests/integration/fetch/peer.h"
#include "tests/support/tap.h"

static struct bed bed;
static struct peer peer;
static struct feed_result result;
static char said[256];

/* ---- the server's side ---------------------------------------------------------------------- */

static void ask(const char *method, const char *path, const char *body, struct isg_buf *answer)
{
    char url[128];
    struct feed_response response = {0};
    struct isg_fail why = {.code = ISG_OK};
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d%s", peer.port, path);
    struct feed_request request = {
        .method = method, .url = url, .body = isg_str_of(body), .allow_private = true};
    if (feed_fetch(&request, &response, &why) != ISG_OK || response.status != 200)
        printf("Bail out! %s: %d %s\n", path, response.status, why.text);
    if (answer != NULL) {
        isg_buf_reset(answer);
        isg_buf_put_str(answer, isg_buf_str(&response.body));
    }
    feed_response_done(&response);
}

static void scene(const char *json)
{
    ask("POST", "/scene", json, NULL);
}

/* What was asked since the last look; free with stix_json_free. */
static struct stix_json *asked(void)
{
    struct isg_buf text;
    struct stix_json *list = NULL;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    ask(NULL, "/log", NULL, &text);
    (void)stix_json_parse(isg_buf_str(&text), NULL, &list, NULL);
    isg_buf_done(&text);
    return list;
}

static size_t asked_count(void)
{
    struct stix_json *list = asked();
    size_t n = stix_json_size(list);
    stix_json_free(&list);
    return n;
}

static int64_t time_of(const struct stix_json *request, const char *name)
{
    int64_t us = 0;
    char text[64];
    struct isg_str value = stix_json_get_str(request, name);
    (void)snprintf(text, sizeof text, "%.*sZ", value.n < 40 && value.n > 6 ? (int)value.n - 6 : 0,
                   value.p == NULL ? "" : value.p); /* without +00:00 */
    (void)isg_time_parse(isg_str_of(text), &us);
    return us;
}

/* ---- our side ------------------------------------------------------------------------------- */

/*
 * Run the feed of this name once, without a scheduler that might do so too.
 * What was counted is in result, what went wrong in said.
 */
static int run(const char *name, const char *path, const char *header_file)
{
    char json[512];
    struct feed_def def;
    struct state state;
    struct isg_fail why = {.code = ISG_OK};
    const struct feed_how how = {.dry_run = false};
    const struct sync_parts parts = {.config = &bed.config,
                                     .store = bed.store,
                                     .directory = bed.directory,
                                     .workers = bed.workers};
    const char *format = strcmp(path, "/nvd") == 0 ? "nvd" : "epss";
    (void)snprintf(json, sizeof json,
                   "{\"name\":\"%s\",\"url\":\"http://127.0.0.1:%d%s\",\"format\":\"%s\","
                   "\"collection\":\"main\",\"allow_private\":true,\"header_file\":\"%s/%s\"}",
                   name, peer.port, path, format, bed.dir, header_file);
    int err = feed_def_of_json(isg_str_of(json), &def, &why);
    if (err == ISG_OK) {
        err = feed_run(&parts, &def, &how, &result, &state, &why);
        feed_def_done(&def);
    }
    (void)snprintf(said, sizeof said, "%s", why.text);
    return err;
}

static int run_nvd(const char *name)
{
    return run(name, "/nvd", "key");
}

/* Number of living vulnerabilities whose text has a piece in it. */
static size_t vulnerabilities(const char *piece)
{
    const struct registry *registry = directory_get(bed.directory);
    const struct collection *collection = NULL;
    struct isg_fail why;
    struct isg_arena *arena = isg_arena_new(64 << 20);
    struct isg_str type = ISG_STR("vulnerability");
    struct view_page page = {.count = 0};
    struct view_query query = {
        .added_after_us = INT64_MIN, .limit = 10000, .types = &type, .types_count = 1};
    size_t n = 0;
    (void)registry_collection(registry, ISG_STR("api"), ISG_STR("main"), &collection, &why);
    const struct view *view = view_of(bed.store, collection, NULL, arena);
    (void)view_select(bed.store, collection, view, &query, true, arena, &page, &why);
    for (size_t i = 0; i < page.count; i++) {
        struct isg_buf text;
        const struct store_event *event = &page.events[i];
        size_t size;
        isg_buf_init(&text, ISG_BUF_NO_MAX);
        (void)store_objects(bed.store, collection->id, &event, 1, &text, &size, &why);
        isg_buf_putc(&text, '\0');
        n += strstr(text.p, piece) != NULL ? 1 : 0;
        isg_buf_done(&text);
    }
    isg_arena_free(&arena);
    registry_unref(&registry);
    return n;
}

/* ---- windows -------------------------------------------------------------------------------- */

#define LIST_OLD                                                                  \
    "[\"CVE-2031-1001\",-400],[\"CVE-2031-1002\",-390],[\"CVE-2031-1003\",-380]," \
    "[\"CVE-2031-1004\",-370],[\"CVE-2031-1005\",-360],[\"CVE-2031-1006\",-350]," \
    "[\"CVE-2031-1007\",-340],[\"CVE-2031-1008\",-310]"
#define LIST_NEW                                                                  \
    ",[\"CVE-2031-2001\",-250],[\"CVE-2031-2002\",-100],[\"CVE-2031-2003\",-20]," \
    "[\"CVE-2031-2004\",-0.5]"

/* The page is lowered by the server; the key is sent with every request. */
static void check_first(void)
{
    scene("{\"records\":[" LIST_OLD "],\"clock\":-300,\"page\":3,\"key\":\"canary-key\"}");
    is_int(run_nvd("nvd"), ISG_OK, "the first run reads the whole: %s", said);
    is_int((long long)vulnerabilities("CVE-2031-1"), 8, "all of it");
    struct stix_json *list = asked();
    is_int((long long)stix_json_size(list), 3, "in three pages");
    static const char *const starts[] = {"0", "3", "6"};
    for (size_t i = 0; i < 3; i++) {
        const struct stix_json *request = stix_json_at(list, i);
        ok(isg_str_is(stix_json_get_str(request, "startIndex"), starts[i]), "page %zu", i);
        ok(isg_str_is(stix_json_get_str(request, "key"), "canary-key"), "with the key");
        ok(!stix_json_has(request, "lastModStartDate"), "without dates");
    }
    stix_json_free(&list);
}

/* 300 days behind: no window is longer than 120 days, none is left out, all have a zone. */
static void check_windows(void)
{
    const int64_t day_us = INT64_C(86400) * 1000000;
    int64_t before = 0;
    scene("{\"records\":[" LIST_OLD LIST_NEW "],\"page\":3,\"key\":\"canary-key\"}");
    is_int(run_nvd("nvd"), ISG_OK, "300 days later: %s", said);
    is_int((long long)vulnerabilities("CVE-2031-2"), 4, "what changed meanwhile");
    struct stix_json *list = asked();
    is_int((long long)stix_json_size(list), 3, "three windows");
    for (size_t i = 0; i < stix_json_size(list); i++) {
        const struct stix_json *request = stix_json_at(list, i);
        int64_t from = time_of(request, "lastModStartDate");
        int64_t until = time_of(request, "lastModEndDate");
        ok(until > from && until - from <= 120 * day_us, "at most 120 days");
        ok(i == 0 || from == before, "beginning where the one before ended");
        struct isg_str raw = stix_json_get_str(request, "raw");
        ok(isg_str_ends(raw, ISG_STR("%2B00:00")), "a zone, its plus encoded");
        before = until;
    }
    int64_t first = time_of(stix_json_at(list, 0), "lastModStartDate");
    int64_t ago = (isg_time_now_us() - first) / day_us;
    ok(ago == 301, "from a day before the source's clock: %lld", (long long)ago);
    stix_json_free(&list);
}

/* A month after the whole was read it is read again; then the rhythm is one window a run. */
static void check_rhythm(void)
{
    scene("{\"records\":[" LIST_OLD LIST_NEW "],\"key\":\"canary-key\"}");
    is_int(run_nvd("nvd"), ISG_OK, "again: %s", said);
    is_int((long long)result.counts.added, 0, "nothing new");
    struct stix_json *list = asked();
    is_int((long long)stix_json_size(list), 2, "a window and the whole");
    ok(stix_json_has(stix_json_at(list, 0), "lastModEndDate") &&
           !stix_json_has(stix_json_at(list, 1), "lastModEndDate"),
       "in this order");
    stix_json_free(&list);
    is_int(run_nvd("nvd"), ISG_OK, "and again");
    is_int((long long)asked_count(), 1, "a window");
}

/* An empty answer where changes are due, and one that fails, leave the mark where it is. */
static void check_mark(void)
{
    static const struct {
        const char *scene;
        int code;
        const char *what;
    } rows[] = {
        {"{\"records\":[],\"empty\":true,\"clock\":3}", ISG_OK, "empty"},
        {"{\"records\":[[\"CVE-2031-1008\",0],[\"CVE-2031-3001\",0]],\"page\":1,\"broken\":1,"
         "\"clock\":3}",
         ISG_ENET, "broken on its second page"},
        {"{\"records\":[[\"CVE-2031-3001\",0]]}", ISG_OK, "whole"},
    };
    int64_t from[3];
    for (size_t i = 0; i < 3; i++) {
        scene(rows[i].scene);
        is_int(run_nvd("nvd"), rows[i].code, "an answer that is %s: %s", rows[i].what, said);
        struct stix_json *list = asked();
        from[i] = time_of(stix_json_at(list, 0), "lastModStartDate");
        stix_json_free(&list);
    }
    ok(from[0] != 0 && from[0] == from[1] && from[1] == from[2], "the mark stayed");
    is_int((long long)vulnerabilities("CVE-2031-3001"), 1, "nothing was lost");
}

/* ---- pages ---------------------------------------------------------------------------------- */

static void check_moving_list(void)
{
    static const struct {
        const char *happens;
        const char *first; /* of the two thousands that name the records */
        size_t there;
        const char *what;
    } rows[] = {
        {"grow", "4", 6, "a list that grows"},
        {"shift", "5", 6, "a record on two pages"},
        {"shrink", "6", 5, "a list that shrinks is read again"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct isg_buf text;
        char prefix[32];
        isg_buf_init(&text, 4096);
        isg_buf_printf(&text, "{\"after_first\":\"%s\",\"page\":2,\"records\":[", rows[i].happens);
        for (int k = 1; k <= 5; k++)
            isg_buf_printf(&text, "%s[\"CVE-2031-%s00%d\",-1]", k > 1 ? "," : "", rows[i].first, k);
        isg_buf_puts(&text, "]}");
        scene(text.p);
        isg_buf_done(&text);
        is_int(run_nvd(rows[i].happens), ISG_OK, "%s: %s", rows[i].what, said);
        (void)snprintf(prefix, sizeof prefix, "CVE-2031-%s00", rows[i].first);
        is_int((long long)vulnerabilities(prefix), 5, "no record is lost");
        if (rows[i].there == 6)
            is_int((long long)vulnerabilities("CVE-2031-7001"), 1, "nor the new one");
    }
}

/* ---- trouble -------------------------------------------------------------------------------- */

static void check_trouble(void)
{
    scene("{\"records\":[[\"CVE-2031-8001\",-1]],\"busy\":2}");
    is_int(run_nvd("busy"), ISG_OK, "a busy server is asked again: %s", said);
    is_int((long long)asked_count(), 3, "when it said");
    scene("{\"records\":[[\"CVE-2031-8002\",-1]],\"key\":\"another\"}");
    is_int(run_nvd("badkey"), ISG_EAUTH, "a bad key is told of by the 404's message: %s", said);
    ok(strstr(said, "canary-key") == NULL, "and not repeated");
    scene("{\"records\":[[\"CVE-2031-8003\",-1],[\"CVE-2031-8004\",-1]],\"page\":1,"
          "\"stuck\":true}");
    is_int(run_nvd("stuck"), ISG_EINVAL, "the same page again is an error, no loop: %s", said);
    bed_file(&bed, "../emptykey", "apiKey: \n");
    (void)asked_count();
    is_int(run("emptykey", "/nvd", "emptykey"), ISG_EAUTH, "an empty key: %s", said);
    is_int((long long)asked_count(), 0, "is never sent");
}

static void check_pace(void)
{
    struct pace pace = {{0}, 0};
    struct isg_fail why;
    atomic_bool stop = false;
    int64_t start = isg_time_now_us();
    bool good = true;
    for (int i = 0; i < 5; i++)
        good = pace_wait(&pace, 2, 1, &stop, &why) == ISG_OK && good;
    ok(good && isg_time_now_us() - start >= 1900000, "five, two a second: over two seconds");
    atomic_store(&stop, true);
    is_int(pace_wait(&pace, 1, 3600, &stop, &why), ISG_EBUSY, "an end is not waited for");
}

/* ---- EPSS ----------------------------------------------------------------------------------- */

static void check_epss(void)
{
    scene("{\"scores\":{\"CVE-2031-1001\":0.5,\"CVE-2031-1002\":0.00043,\"CVE-2031-9999\":0.9}}");
    is_int(run("epss", "/epss", "none"), ISG_OK, "by the CVEs in store: %s", said);
    struct stix_json *list = asked();
    struct isg_str cves = stix_json_get_str(stix_json_at(list, 0), "cve");
    is_int((long long)stix_json_size(list), 1, "one request");
    ok(isg_str_starts(cves, ISG_STR("CVE-2031-1001,CVE-2031-1002,")) && cves.n <= 2000,
       "names those in store");
    stix_json_free(&list);
    is_int((long long)vulnerabilities("\"score\":0.5}"), 1, "a score");
    is_int((long long)vulnerabilities("CVE-2031-9999"), 0, "makes no vulnerability");
    scene("{\"scores\":{\"CVE-2031-1001\":0.56,\"CVE-2031-1002\":0.0005,\"CVE-2031-9999\":0.9}}");
    is_int(run("table", "/scores-YYYY-MM-DD.csv.gz", "none"), ISG_OK,
           "yesterday's table where today's is not there: %s", said);
    is_int((long long)asked_count(), 2, "two requests");
    is_int((long long)vulnerabilities("\"score\":0.56}"), 1, "what moved much is written");
    is_int((long long)vulnerabilities("\"score\":0.00043}"), 1, "what moved little is not");
    is_int((long long)vulnerabilities("\"model\":\"v2031.03.14\""), 1, "with its model");
}

int main(int argc, char **argv)
{
    struct isg_fail why;
    bed_open(&bed);
    if (argc < 3 || !peer_start(&peer, argv[1], argv[2])) {
        bed_close(&bed);
        tap_skip_all("no Python server");
    }
    ok(feed_fetch_start(&why) == ISG_OK, "started");
    bed_file(&bed, "../none", "# nothing\n");
    bed_file(&bed, "../key", "# the key\napiKey: canary-key\n");
    check_first();
    check_windows();
    check_rhythm();
    check_mark();
    check_moving_list();
    check_trouble();
    check_pace();
    check_epss();
    bed_close(&bed);
    feed_fetch_stop();
    peer_stop(&peer);
    return tap_done();
}
