/*
 * Reading a collection page by page (T-058 to T-061). The cursor moves only when the walk came to
 * its end; whatever makes a walk go round in circles ends it with an error.
 */
#include <stdio.h>
#include <string.h>

#include "feeds/feed.h"
#include "feeds/taxii_client.h"
#include "feeds/taxii_find.h"
#include "stix/base/digest.h"
#include "stix/base/time.h"
#include "stix/scan.h"

enum {
    URL_MAX = 16384,
    NEXT_MAX = 4096,
    PAGES_MAX = 100000,
    EMPTY_MAX = 3, /* pages in a row without an object and with more (T-060) */
    PAGE_LIMIT = 1000
};

struct pull {
    const struct taxii_target *target;
    taxii_pull_object *on_object;
    void *arg;
    struct isg_buf base;             /* .../objects/ */
    char added_after[ISG_TIME_TEXT]; /* of the query; "" for all */
    char last[ISG_TIME_TEXT];        /* the latest X-TAXII-Date-Added-Last */
    char page_last[ISG_TIME_TEXT];   /* of this page */
    struct isg_buf next;             /* of this page; empty: none */
    struct isg_buf next_before;      /* what asked for this page */
    bool more;
    bool handing_out;
    size_t objects; /* of this page */
    unsigned empty; /* pages in a row */
    struct isg_sha256 hash;
    uint8_t page[ISG_SHA256_BYTES]; /* digest of this page's objects */
    uint8_t kept[ISG_SHA256_BYTES]; /* of an earlier page, which must not come again */
    uint64_t kept_for;              /* pages until another one is kept */
    uint64_t kept_since;
};

/* Six digits and Z, as our own requests write it; false for what is no timestamp. */
static bool date_read(const char *text, char out[ISG_TIME_TEXT])
{
    int64_t us;
    if (text == NULL || !isg_time_parse(isg_str_of(text), &us))
        return false;
    isg_time_format(us, 6, out);
    return true;
}

static int on_object(void *arg, struct isg_str text, size_t index, struct isg_fail *why)
{
    struct pull *pull = arg;
    const uint64_t length = text.n;
    (void)index;
    if (pull->handing_out)
        return pull->on_object(pull->arg, text, why);
    pull->objects++;
    isg_sha256_add(&pull->hash, &length, sizeof length);
    isg_sha256_add(&pull->hash, text.p, text.n);
    return ISG_OK;
}

static int on_member(void *arg, struct isg_str name, struct isg_str value, struct isg_fail *why)
{
    struct pull *pull = arg;
    if (isg_str_is(name, "more"))
        pull->more = isg_str_is(value, "true");
    if (!isg_str_is(name, "next"))
        return ISG_OK;
    struct stix_json *json = NULL;
    int err = stix_json_parse(value, NULL, &json, why);
    isg_buf_reset(&pull->next);
    isg_buf_put_str(&pull->next, stix_json_str(json));
    stix_json_free(&json);
    return err == ISG_OK ? pull->next.err : err;
}

static int cut(struct pull *pull, struct isg_str body, struct isg_fail *why)
{
    pull->more = false;
    isg_buf_reset(&pull->next);
    struct stix_cutter *cutter = stix_cutter_new(NULL, on_object, on_member, pull);
    if (cutter == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    int err = stix_cutter_feed(cutter, body, why);
    if (err == ISG_OK)
        err = stix_cutter_end(cutter, why);
    stix_cutter_free(&cutter);
    return err;
}

/* A whole page: nothing of it is handed out before its last byte was found good. */
static int page_read(struct pull *pull, const struct feed_response *response, struct isg_fail *why)
{
    struct isg_str body = isg_buf_str(&response->body);
    if (isg_str_trim(body).n == 0)
        body = ISG_STR("{}"); /* */
    if (feed_is_html(isg_str_of(response->content_type), body))
        return isg_fail(why, ISG_EPARSE, "an HTML page where an envelope was due");
    pull->objects = 0;
    pull->handing_out = false;
    isg_sha256_init(&pull->hash);
    int err = cut(pull, body, why);
    isg_sha256_end(&pull->hash, pull->page);
    pull->handing_out = true;
    if (err == ISG_OK)
        err = cut(pull, body, why);
    pull->page_last[0] = '\0';
    (void)date_read(response->date_added_last, pull->page_last);
    return err;
}

static void query_url(const struct pull *pull, struct isg_buf *url)
{
    isg_buf_reset(url);
    isg_buf_put_str(url, isg_buf_str(&pull->base));
    isg_buf_printf(url, "?limit=%d", PAGE_LIMIT);
    if (pull->added_after[0] != '\0') {
        isg_buf_puts(url, "&added_after=");
        taxii_escape(url, isg_str_of(pull->added_after));
    }
    if (pull->next_before.len > 0) {
        isg_buf_puts(url, "&next="); /* page 2 on: the same query and next */
        taxii_escape(url, isg_buf_str(&pull->next_before));
    }
}

static int page_fetch(struct pull *pull, struct isg_fail *why)
{
    struct isg_buf url;
    struct feed_response response = {0};
    isg_buf_init(&url, URL_MAX);
    query_url(pull, &url);
    int err = url.err != ISG_OK
                  ? isg_fail(why, ISG_ELIMIT, "the next token is too long")
                  : taxii_request(pull->target, url.p, (struct isg_str){0}, &response, why);
    if (err == ISG_OK)
        err = page_read(pull, &response, why);
    feed_response_done(&response);
    isg_buf_done(&url);
    return err;
}

static int loop_fail(struct isg_fail *why, const char *text)
{
    return isg_fail_at(why, ISG_ENET, NULL, "R-085", "%s", text);
}

/* Continue by date (T-059): only forward. */
static int step_by_date(struct pull *pull, struct isg_fail *why)
{
    if (pull->page_last[0] == '\0')
        return loop_fail(why, "the server has more but says neither next nor the last date");
    if (strcmp(pull->page_last, pull->added_after) <= 0)
        return loop_fail(why, "the server's last date does not move on");
    memcpy(pull->added_after, pull->page_last, sizeof pull->added_after);
    isg_buf_reset(&pull->next_before);
    return ISG_OK;
}

static int step_by_token(struct pull *pull, struct isg_fail *why)
{
    if (isg_str_eq(isg_buf_str(&pull->next), isg_buf_str(&pull->next_before)))
        return loop_fail(why, "the server gives the same next again");
    isg_buf_reset(&pull->next_before);
    isg_buf_put_str(&pull->next_before, isg_buf_str(&pull->next));
    return pull->next_before.err == ISG_OK ? ISG_OK : loop_fail(why, "the next token is too long");
}

/*
 * Whether this page was there before, however new its token or date. One earlier page is kept, and
 * replaced after 1, 2, 4, ... others (Brent's way): any circle is met within a few rounds of it.
 */
static bool comes_again(struct pull *pull)
{
    if (pull->objects == 0)
        return false;
    if (pull->kept_for > 0 && memcmp(pull->page, pull->kept, sizeof pull->kept) == 0)
        return true;
    if (pull->kept_since == pull->kept_for) {
        memcpy(pull->kept, pull->page, sizeof pull->kept);
        pull->kept_for = pull->kept_for == 0 ? 1 : pull->kept_for * 2;
        pull->kept_since = 0;
    }
    pull->kept_since++;
    return false;
}

static int step(struct pull *pull, struct isg_fail *why)
{
    pull->empty = pull->objects == 0 ? pull->empty + 1 : 0;
    if (pull->empty > EMPTY_MAX)
        return loop_fail(why, "pages without objects and no end");
    int err = pull->next.len == 0 ? step_by_date(pull, why) : step_by_token(pull, why);
    if (err == ISG_OK && comes_again(pull))
        err = loop_fail(why, "the server gives a page again that was there before");
    return err;
}

/*
 * A page asked for by a token that the server does not know any more is asked for by date,
 * where a date is known.
 */
static bool can_resume(const struct pull *pull, int err)
{
    return (err == ISG_EINVAL || err == ISG_ENOENT) && pull->next_before.len > 0 &&
           strcmp(pull->last, pull->added_after) > 0;
}

static int page(struct pull *pull, struct isg_fail *why)
{
    int err = page_fetch(pull, why);
    if (can_resume(pull, err)) {
        memcpy(pull->added_after, pull->last, sizeof pull->added_after);
        isg_buf_reset(&pull->next_before);
        err = page_fetch(pull, why);
    }
    if (err == ISG_OK && strcmp(pull->page_last, pull->last) > 0)
        memcpy(pull->last, pull->page_last, sizeof pull->last);
    return err;
}

static int walk(struct pull *pull, struct isg_fail *why)
{
    for (unsigned i = 0; i < PAGES_MAX; i++) {
        int err = page(pull, why);
        if (err != ISG_OK || !pull->more)
            return err;
        err = step(pull, why);
        if (err != ISG_OK)
            return err;
    }
    return loop_fail(why, "more pages than any collection has");
}

int feed_taxii_pull(const struct taxii_target *target, const char *added_after,
                    taxii_pull_object *on_object_given, taxii_pull_cursor *on_cursor, void *arg,
                    struct isg_fail *why)
{
    struct pull pull = {.target = target, .on_object = on_object_given, .arg = arg};
    struct taxii_place place = {0};
    isg_buf_init(&pull.base, URL_MAX);
    isg_buf_init(&pull.next, NEXT_MAX);
    isg_buf_init(&pull.next_before, NEXT_MAX);
    if (added_after != NULL && added_after[0] != '\0' && !date_read(added_after, pull.added_after))
        return isg_fail(why, ISG_EINVAL, "added_after is no timestamp");
    int err = taxii_find(target, &place, why);
    if (err == ISG_OK && !place.can_read)
        err = isg_fail(why, ISG_EDENIED, "the collection may not be read");
    if (err == ISG_OK) {
        isg_buf_put_str(&pull.base, isg_buf_str(&place.collection));
        isg_buf_puts(&pull.base, "objects/");
        err = walk(&pull, why);
    }
    /* the mark is the server's date, never our clock; no date, no new mark */
    if (err == ISG_OK && pull.last[0] != '\0')
        err = on_cursor(arg, isg_str_of(pull.last), why);
    taxii_place_done(&place);
    isg_buf_done(&pull.base);
    isg_buf_done(&pull.next);
    isg_buf_done(&pull.next_before);
    return err;
}
