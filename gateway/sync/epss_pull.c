#include "gateway/sync/epss_pull.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feeds/text.h"
#include "gateway/share/policy.h"
#include "gateway/share/view.h"
#include "stix/base/arena.h"
#include "stix/base/time.h"
#include "stix/json.h"

enum {
    URL_MAX = 8192,
    QUERY_MAX = 2000,  /* characters of the parameter cve */
    CVES_MAX = 100000, /* more are better taken from the table */
    EVENTS = 500,
    ARENA_MAX = 256 << 20,
    RATE_SPAN_S = 30,
    RATE = 30
};

static const char day_mark[] = "YYYY-MM-DD";

static bool is_api(const char *url)
{
    struct isg_str path = isg_str_of(url);
    path.n = strcspn(url, "?");
    return isg_str_ends(path, ISG_STR("/epss")) || isg_str_ends(path, ISG_STR("/epss/"));
}

bool epss_pull_is(const struct feed_def *def)
{
    return strcmp(def->format, "epss") == 0 &&
           (is_api(def->url) || strstr(def->url, day_mark) != NULL);
}

/* ---- the table of a day --------------------------------------------------------------------- */

static int day_get(struct feed_run *run, int64_t day_us, struct isg_fail *why)
{
    char day[ISG_TIME_TEXT];
    struct isg_buf url;
    const char *at = strstr(run->def->url, day_mark);
    isg_time_format(day_us, 3, day);
    isg_buf_init(&url, URL_MAX);
    isg_buf_printf(&url, "%.*s%.10s%s", (int)(at - run->def->url), run->def->url, day,
                   at + strlen(day_mark));
    int err = url.err != ISG_OK ? isg_fail(why, ISG_EINVAL, "the URL is too long")
                                : feed_run_single(run, url.p, why);
    isg_buf_done(&url);
    return err;
}

static int days_run(struct feed_run *run, struct isg_fail *why)
{
    static const int64_t one_day = INT64_C(86400) * 1000000;
    int err = day_get(run, run->context.now_us, why);
    return err == ISG_ENOENT ? day_get(run, run->context.now_us - one_day, why) : err;
}

/* ---- the CVEs in store ---------------------------------------------------------------------- */

struct cves {
    struct isg_arena *arena;
    struct text_list list;
};

/* Public sources' vulnerabilities alone: what members look at is nobody else's business. */
static bool is_public(const struct feed_run *run, const struct collection *collection,
                      const struct store_event *event)
{
    const char *text = store_label(run->parts->store, collection->id, event->label);
    struct policy_label label = policy_label_read(isg_str_of(text));
    return label.tlp == STIX_TLP_CLEAR && isg_str_starts(label.source, ISG_STR(POLICY_FEED));
}

static int name_add(struct cves *cves, struct isg_str object, struct isg_fail *why)
{
    struct stix_json *tree = NULL;
    char cve[TEXT_CVE_MAX];
    int err = stix_json_parse(object, NULL, &tree, why);
    if (err == ISG_OK && text_cve(stix_json_get_str(tree, "name"), cve)) {
        const char *copy = isg_arena_copy(cves->arena, isg_str_of(cve));
        if (copy == NULL || !text_list_add(cves->arena, &cves->list, isg_str_of(copy)))
            err = isg_fail(why, ISG_ENOMEM, "no memory");
    }
    stix_json_free(&tree);
    return err;
}

static int page_read(const struct feed_run *run, const struct collection *collection,
                     const struct view_page *page, struct cves *cves, struct isg_fail *why)
{
    const struct store_event *events[EVENTS];
    size_t sizes[EVENTS];
    size_t n = 0;
    struct isg_buf text;
    for (size_t i = 0; i < page->count; i++) {
        if (is_public(run, collection, &page->events[i]))
            events[n++] = &page->events[i];
    }
    if (n == 0)
        return ISG_OK;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    int err = store_objects(run->parts->store, collection->id, events, n, &text, sizes, why);
    for (size_t i = 0, at = 0; err == ISG_OK && i < n; i++) {
        if (sizes[i] == SIZE_MAX)
            continue; /* deleted meanwhile */
        err = name_add(cves, (struct isg_str){text.p + at, sizes[i]}, why);
        at += sizes[i];
    }
    isg_buf_done(&text);
    return err;
}

static int cves_read(const struct feed_run *run, const struct collection *collection,
                     struct cves *cves, struct isg_fail *why)
{
    struct isg_str type = ISG_STR("vulnerability");
    struct view_query query = {
        .added_after_us = INT64_MIN, .limit = EVENTS, .types = &type, .types_count = 1};
    struct view_page page = {.more = true};
    struct isg_arena *arena = isg_arena_new(ARENA_MAX);
    int err = arena == NULL ? isg_fail(why, ISG_ENOMEM, "no memory") : ISG_OK;
    while (err == ISG_OK && page.more && cves->list.count < CVES_MAX) {
        isg_arena_reset(arena);
        const struct view *view = view_of(run->parts->store, collection, NULL, arena);
        err = view == NULL ? isg_fail(why, ISG_ENOMEM, "no memory")
                           : view_select(run->parts->store, collection, view, &query, true, arena,
                                         &page, why);
        if (err == ISG_OK)
            err = page_read(run, collection, &page, cves, why);
        query.after = page.last;
    }
    isg_arena_free(&arena);
    text_list_sort(&cves->list);
    return err;
}

/* ---- the API -------------------------------------------------------------------------------- */

/* As many CVEs from *at on as one request may name. */
static void query_write(const char *base, const struct text_list *list, size_t *at,
                        struct isg_buf *url)
{
    size_t begin = *at;
    isg_buf_printf(url, "%s%ccve=", base, strchr(base, '?') != NULL ? '&' : '?');
    size_t from = url->len;
    while (*at < list->count && url->len - from + list->items[*at].n + 1 <= QUERY_MAX) {
        if (*at > begin)
            isg_buf_putc(url, ',');
        isg_buf_put_str(url, list->items[(*at)++]);
    }
    isg_buf_printf(url, "&limit=%zu", *at - begin);
}

static int query_run(struct feed_run *run, const char *url, struct isg_fail *why)
{
    struct feed_response response = {0};
    int err = pace_wait(&run->pace, RATE, RATE_SPAN_S, run->parts->stop, why);
    if (err == ISG_OK)
        err = feed_run_get(run, url, NULL, NULL, &response, why);
    if (err == ISG_OK)
        err = feed_run_document(run, &response, why);
    if (err == ISG_OK)
        err = feed_run_map(run, isg_buf_str(&response.body), run->def->url, why);
    feed_response_done(&response);
    return err;
}

static int api_run(struct feed_run *run, const struct text_list *list, struct isg_fail *why)
{
    struct isg_buf url;
    int err = ISG_OK;
    isg_buf_init(&url, URL_MAX);
    for (size_t at = 0; err == ISG_OK && at < list->count;) {
        isg_buf_reset(&url);
        query_write(run->def->url, list, &at, &url);
        err = url.err != ISG_OK ? isg_fail(why, ISG_EINVAL, "the URL is too long")
                                : query_run(run, url.p, why);
    }
    isg_buf_done(&url);
    return err;
}

int epss_pull_run(struct feed_run *run, struct isg_fail *why)
{
    const struct registry *registry = directory_get(run->parts->directory);
    const struct collection *collection = NULL;
    struct cves cves = {.arena = isg_arena_new(ARENA_MAX)};
    int err = ISG_OK;
    if (!is_api(run->def->url)) {
        err = days_run(run, why);
    } else if (cves.arena == NULL) {
        err = isg_fail(why, ISG_ENOMEM, "no memory");
    } else {
        err = registry_collection(registry, (struct isg_str){0}, isg_str_of(run->def->collection),
                                  &collection, why);
        if (err == ISG_OK)
            err = cves_read(run, collection, &cves, why);
        if (err == ISG_OK)
            err = api_run(run, &cves.list, why);
        run->nothing = cves.list.count == 0;
    }
    isg_arena_free(&cves.arena);
    registry_unref(&registry);
    return err;
}
