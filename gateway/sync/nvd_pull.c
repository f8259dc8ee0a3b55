#define _GNU_SOURCE /* strncasecmp */
#include "gateway/sync/nvd_pull.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "feeds/nvd.h"
#include "gateway/log.h"
#include "stix/base/jsonw.h"
#include "stix/base/time.h"

enum {
    URL_MAX = 8192,
    PAGE_RECORDS = 2000, /* at most; the server may give fewer */
    PIECE_PAGES = 10,    /* ingested together */
    RESTARTS_MAX = 3,    /* of one reading whose list shrinks meanwhile */
    RATE_SPAN_S = 30,    /* requests in any half minute */
    RATE_OPEN = 5,       /* without a key */
    RATE_KEY = 50        /* with one */
};

#define DAYS_US(n) ((int64_t)(n)*86400 * 1000000)

static const char key_header[] = "apiKey:";

/* What is being read, and how far it is. Times in microseconds, 0: not known. */
struct reading {
    bool open;
    bool whole;   /* the whole set; else what changed from `from` until `until` */
    bool several; /* windows */
    bool suspect; /* a window held nothing */
    int64_t from_us;
    int64_t until_us;
    uint64_t index;     /* of the next record */
    uint64_t total;     /* as declared last; 0: nothing asked yet */
    int64_t started_us; /* the source's clock with the first answer */
    int64_t newest_us;  /* the latest change met */
};

struct pull {
    struct feed_run *run;
    int64_t mark_us;  /* all that changed before is ingested */
    int64_t whole_us; /* when the whole set was read last */
    struct reading reading;
    unsigned restarts;
};

bool nvd_pull_is(const struct feed_def *def)
{
    return strcmp(def->format, "nvd") == 0;
}

/* ---- what is kept between pieces and runs ---------------------------------------------------- */

static void document_name(const struct feed_run *run, char out[STATE_NAME_MAX])
{
    (void)snprintf(out, STATE_NAME_MAX, "files:%s", run->def->name);
}

static int64_t time_from(const struct stix_json *json, const char *name)
{
    int64_t us = 0;
    return isg_time_parse(stix_json_get_str(json, name), &us) ? us : 0;
}

static uint64_t number_from(const struct stix_json *json, const char *name)
{
    int64_t n;
    return stix_json_int(stix_json_get(json, name), &n) && n > 0 ? (uint64_t)n : 0;
}

static void reading_read(const struct stix_json *json, struct reading *out)
{
    *out = (struct reading){.open = json != NULL,
                            .whole = stix_json_bool(stix_json_get(json, "whole")),
                            .several = stix_json_bool(stix_json_get(json, "several")),
                            .suspect = stix_json_bool(stix_json_get(json, "suspect")),
                            .from_us = time_from(json, "from"),
                            .until_us = time_from(json, "until"),
                            .index = number_from(json, "index"),
                            .total = number_from(json, "total"),
                            .started_us = time_from(json, "started"),
                            .newest_us = time_from(json, "newest")};
}

/* Of this very source, collection and converter: else all is read again (digest 2.2). */
static bool is_ours(const struct feed_run *run, const struct stix_json *json)
{
    return number_from(json, "converter") == FEED_CONVERTER_VERSION &&
           isg_str_is(stix_json_get_str(json, "url"), run->def->url) &&
           isg_str_is(stix_json_get_str(json, "collection"), run->def->collection);
}

static int pull_load(struct pull *pull, struct isg_fail *why)
{
    char name[STATE_NAME_MAX];
    struct isg_buf text;
    struct stix_json *json = NULL;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    document_name(pull->run, name);
    int err =
        store_doc_get(pull->run->parts->store, STORE_FEED_STATE, isg_str_of(name), &text, why);
    if (err == ISG_OK && stix_json_parse(isg_buf_str(&text), NULL, &json, NULL) == ISG_OK &&
        is_ours(pull->run, json)) {
        pull->mark_us = time_from(json, "mark");
        pull->whole_us = time_from(json, "whole_read");
        reading_read(stix_json_get(json, "reading"), &pull->reading);
    }
    stix_json_free(&json);
    isg_buf_done(&text);
    return err == ISG_ENOENT ? ISG_OK : err;
}

static void put_time(struct isg_jsonw *w, const char *name, int64_t us)
{
    char text[ISG_TIME_TEXT];
    if (us == 0)
        return;
    isg_time_format(us, 3, text);
    isg_jsonw_put(w, name, text);
}

static void reading_write(const struct reading *reading, struct isg_jsonw *w)
{
    isg_jsonw_object(w);
    isg_jsonw_put_bool(w, "whole", reading->whole);
    isg_jsonw_put_bool(w, "several", reading->several);
    isg_jsonw_put_bool(w, "suspect", reading->suspect);
    put_time(w, "from", reading->from_us);
    put_time(w, "until", reading->until_us);
    isg_jsonw_put_int(w, "index", (int64_t)reading->index);
    isg_jsonw_put_int(w, "total", (int64_t)reading->total);
    put_time(w, "started", reading->started_us);
    put_time(w, "newest", reading->newest_us);
    isg_jsonw_end(w);
}

static int pull_write(const struct pull *pull, struct isg_fail *why)
{
    struct feed_run *run = pull->run;
    struct isg_jsonw w;
    isg_buf_reset(&run->files);
    isg_jsonw_init(&w, &run->files);
    isg_jsonw_object(&w);
    isg_jsonw_put_int(&w, "converter", FEED_CONVERTER_VERSION);
    isg_jsonw_put(&w, "url", run->def->url);
    isg_jsonw_put(&w, "collection", run->def->collection);
    put_time(&w, "mark", pull->mark_us);
    put_time(&w, "whole_read", pull->whole_us);
    if (pull->reading.open) {
        isg_jsonw_name(&w, "reading");
        reading_write(&pull->reading, &w);
    }
    isg_jsonw_end(&w);
    int err = run->files.err;
    return err == ISG_OK ? ISG_OK : isg_fail(why, err, "no memory");
}

int nvd_pull_keep(struct feed_run *run, struct isg_fail *why)
{
    char name[STATE_NAME_MAX];
    document_name(run, name);
    return store_doc_put(run->parts->store, STORE_FEED_STATE, isg_str_of(name),
                         isg_buf_str(&run->files), why);
}

/* ---- windows -------------------------------------------------------------------------------- */

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The window that begins at from_us. Our clock may be wrong; it must not make an empty window. */
static void window_open(struct pull *pull, int64_t from_us)
{
    struct reading *reading = &pull->reading;
    int64_t end = later(pull->run->context.now_us, reading->started_us);
    int64_t latest = from_us + DAYS_US(120);
    end = later(end, from_us + DAYS_US(1));
    reading->from_us = from_us;
    reading->until_us = end < latest ? end : latest;
    reading->index = 0;
    reading->total = 0;
}

static void reading_open(struct pull *pull, bool whole)
{
    pull->reading = (struct reading){.open = true, .whole = whole};
    if (!whole)
        window_open(pull, pull->mark_us - DAYS_US(1));
}

/* The source's clock when the reading began; one far ahead of ours is not believed. */
static int64_t clock_of(const struct pull *pull)
{
    const struct reading *reading = &pull->reading;
    int64_t bound = pull->run->context.now_us + DAYS_US(1);
    int64_t clock = reading->started_us != 0 ? reading->started_us : reading->newest_us;
    return clock < bound ? clock : bound;
}

/*
 * All records of the window are mapped: the mark moves up to its end, unless it or one before held
 * nothing (an empty answer has lost others the changes of a whole window). Go on to the next window,
 * or end the reading.
 */
static void window_end(struct pull *pull)
{
    struct reading *reading = &pull->reading;
    int64_t clock = clock_of(pull);
    bool sound = !reading->suspect && clock != 0;
    bool last = reading->whole ||
                reading->until_us >= later(reading->started_us, pull->run->context.now_us);
    if (reading->suspect)
        LOG(LOG_WARN, "feed.suspect", log_cstr("feed", pull->run->def->name),
            log_cstr("why", "a window without any record: the mark stays"));
    reading->open = !last;
    if (sound && reading->whole)
        pull->mark_us = pull->whole_us = clock;
    else if (sound)
        pull->mark_us = reading->until_us < clock ? reading->until_us : clock;
    if (!last) {
        reading->several = true;
        window_open(pull, reading->until_us);
    } else if (sound && !reading->whole && !reading->several &&
               pull->mark_us - pull->whole_us >= DAYS_US(30)) {
        reading_open(pull, true);
    }
}

/* ---- pages ---------------------------------------------------------------------------------- */

/* `2031-05-02T10:11:12.000+00:00`; a plus sign in a query is a blank unless it is encoded. */
static void put_query_time(struct isg_buf *url, const char *name, int64_t us)
{
    char text[ISG_TIME_TEXT];
    isg_time_format(us, 3, text);
    size_t n = strlen(text) - 1; /* without Z */
    isg_buf_printf(url, "&%s=%.*s%%2B00:00", name, (int)n, text);
}

static void url_write(const struct pull *pull, struct isg_buf *url)
{
    const struct reading *reading = &pull->reading;
    const char *base = pull->run->def->url;
    isg_buf_printf(url, "%s%cstartIndex=%" PRIu64 "&resultsPerPage=%d", base,
                   strchr(base, '?') != NULL ? '&' : '?', reading->index, PAGE_RECORDS);
    if (!reading->whole) {
        put_query_time(url, "lastModStartDate", reading->from_us);
        put_query_time(url, "lastModEndDate", reading->until_us);
    }
}

/* The value of the header line that carries the key; NULL when there is none. */
static const char *key_of(const struct feed_run *run)
{
    const char **lines = run->headers.lines;
    size_t n = strlen(key_header);
    for (size_t i = 0; lines != NULL && lines[i] != NULL; i++) {
        if (strncasecmp(lines[i], key_header, n) == 0)
            return lines[i] + n + strspn(lines[i] + n, " \t");
    }
    return NULL;
}

/* In printable characters, without the key where an answer repeats it. */
static void message_of(const struct feed_run *run, char out[sizeof run->message])
{
    const char *key = key_of(run);
    (void)snprintf(out, sizeof run->message, "%s", run->message);
    for (char *p = out; *p != '\0'; p++) {
        if (*p < 0x20 || *p > 0x7e)
            *p = ' ';
    }
    if (key != NULL && strstr(out, key) != NULL)
        (void)snprintf(out, sizeof run->message, "the apiKey is not valid");
}

/* NVD refuses with 404 and the reason in a header; with 403 where it is asked too often (5.5). */
static int judge(const struct feed_run *run, int err, struct isg_fail *why)
{
    char message[sizeof run->message];
    if (err == ISG_EDENIED)
        return isg_fail(why, ISG_ENET, "the source is asked too often, or refuses (403)");
    if (err != ISG_ENOENT || run->message[0] == '\0')
        return err;
    message_of(run, message);
    return isg_fail(why, key_of(run) != NULL ? ISG_EAUTH : ISG_EDENIED,
                    "the source refuses (404): %s", message);
}

static int page_get(struct feed_run *run, const char *url, struct feed_response *out,
                    struct isg_fail *why)
{
    const char *key = key_of(run);
    if (key != NULL && key[0] == '\0') /* never to be sent so */
        return isg_fail(why, ISG_EAUTH, "the apiKey in the header file is empty");
    int err = pace_wait(&run->pace, key != NULL ? RATE_KEY : RATE_OPEN, RATE_SPAN_S,
                        run->parts->stop, why);
    if (err == ISG_OK)
        err = judge(run, feed_run_get(run, url, NULL, NULL, out, why), why);
    return err;
}

static int head_read(const struct pull *pull, struct isg_str text, struct nvd_page *out,
                     struct isg_fail *why)
{
    struct stix_json *root = NULL;
    int err = stix_json_parse(text, &pull->run->context.limits, &root, why);
    if (err == ISG_OK)
        err = nvd_page_read(root, out, why);
    if (err == ISG_OK && out->start != pull->reading.index)
        err = isg_fail_at(why, ISG_EINVAL, "/startIndex", NULL,
                          "record %" PRIu64 " was asked for, the answer begins with %" PRIu64,
                          pull->reading.index, out->start);
    stix_json_free(&root);
    return err;
}

/* Fetch the next page of the reading and map it. */
static int page_run(struct pull *pull, struct nvd_page *out, struct isg_fail *why)
{
    struct feed_run *run = pull->run;
    struct feed_response response = {0};
    struct isg_buf url;
    isg_buf_init(&url, URL_MAX);
    url_write(pull, &url);
    int err = url.err != ISG_OK ? isg_fail(why, ISG_EINVAL, "the URL is too long")
                                : page_get(run, url.p, &response, why);
    if (err == ISG_OK)
        err = feed_run_document(run, &response, why);
    if (err == ISG_OK)
        err = head_read(pull, isg_buf_str(&response.body), out, why);
    if (err == ISG_OK && out->count > 0)
        err = feed_run_map(run, isg_buf_str(&response.body), url.p, why);
    feed_response_done(&response);
    isg_buf_done(&url);
    return err;
}

static int64_t time_of(const char *text)
{
    int64_t us = 0;
    return isg_time_parse(isg_str_of(text), &us) ? us : 0;
}

/*
 * Go on behind the page. The list may grow while it is read; where it shrinks, a record has left a
 * place before us and the others moved up by one, so it is read again from its beginning.
 */
static int page_done(struct pull *pull, const struct nvd_page *page, struct isg_fail *why)
{
    struct reading *reading = &pull->reading;
    reading->newest_us = later(reading->newest_us, time_of(page->newest));
    if (reading->started_us == 0)
        reading->started_us = time_of(page->timestamp);
    if (page->total < reading->total) {
        reading->index = 0;
        reading->total = page->total;
        return ++pull->restarts <= RESTARTS_MAX
                   ? ISG_OK
                   : isg_fail(why, ISG_EINVAL, "the list gets shorter while it is read");
    }
    if (page->total == 0)
        reading->suspect = true;
    reading->total = page->total;
    reading->index += page->count;
    if (reading->index >= reading->total)
        window_end(pull);
    return ISG_OK;
}

int nvd_pull_run(struct feed_run *run, struct isg_fail *why)
{
    struct pull pull = {.run = run};
    int err = pull_load(&pull, why);
    if (err == ISG_OK && !pull.reading.open)
        reading_open(&pull, pull.mark_us == 0);
    for (int pages = 0; err == ISG_OK && pages < PIECE_PAGES && pull.reading.open; pages++) {
        struct nvd_page page = {.count = 0};
        err = page_run(&pull, &page, why);
        if (err == ISG_OK)
            err = page_done(&pull, &page, why);
    }
    run->more = pull.reading.open;
    return err == ISG_OK ? pull_write(&pull, why) : err;
}
