/* The TAXII client against servers that misbehave. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feeds/taxii_client.h"
#include "peer.h"
#include "tests/support/tap.h"

#define C1 "00000000-0000-4000-8000-0000000000c1"

static struct peer peer;

struct seen {
    size_t objects;
    char cursor[64];
};

static int on_object(void *arg, struct isg_str object, struct isg_fail *why)
{
    struct seen *seen = arg;
    (void)object;
    (void)why;
    seen->objects++;
    return ISG_OK;
}

static int on_cursor(void *arg, struct isg_str cursor, struct isg_fail *why)
{
    struct seen *seen = arg;
    (void)why;
    (void)snprintf(seen->cursor, sizeof seen->cursor, "%.*s", ISG_STR_ARG(cursor));
    return ISG_OK;
}

static int pull(const char *path, const char *collection, const char *after, struct seen *seen,
                struct isg_fail *why)
{
    char url[256];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d%s", peer.port, path);
    struct taxii_target target = {.url = url, .collection = collection, .allow_private = true};
    *seen = (struct seen){.objects = 0};
    *why = (struct isg_fail){.code = ISG_OK};
    return feed_taxii_pull(&target, after, on_object, on_cursor, seen, why);
}

/* any of the URLs leads to the collection, by id, alias or title. */
static void test_finding(void)
{
    static const struct {
        const char *path;
        const char *collection;
        int code;
    } rows[] = {
        {"/taxii2/", "one", ISG_OK},
        {"/taxii2", "First", ISG_OK},
        {"/taxii2/", C1, ISG_OK},
        {"", "one", ISG_OK}, /* the server alone: its discovery */
        {"/good/", "one", ISG_OK},
        {"/good", C1, ISG_OK},
        {"/good/collections/", "First", ISG_OK},
        {"/good/collections/" C1 "/", NULL, ISG_OK},
        {"/good/collections/" C1, NULL, ISG_OK},
        {"/good/collections/" C1 "/objects/", NULL, ISG_OK},
        {"/good/collections/" C1 "/?limit=3", NULL, ISG_OK},
        {"/good/", "none", ISG_ENOENT},
        {"/good/", "Twin", ISG_ECONFLICT},
        {"/good/", "00000000-0000-4000-8000-0000000000c2", ISG_EDENIED},
        {"/empty/", "one", ISG_ENOENT},
        {"/lost/", "one", ISG_ENOENT},
        {"/login/", "one", ISG_EAUTH},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct seen seen;
        struct isg_fail why;
        is_int(pull(rows[i].path, rows[i].collection, "", &seen, &why), rows[i].code, "%s %s: %s",
               rows[i].path, rows[i].collection != NULL ? rows[i].collection : "-", why.text);
        is_int((long long)seen.objects, rows[i].code == ISG_OK ? 9 : 0, "%s: objects",
               rows[i].path);
    }
}

/* what comes, and where the cursor stands then. */
static void test_walking(void)
{
    static const struct {
        const char *root;
        const char *after;
        int code;
        long long objects; /* -1: not looked at */
        const char *cursor;
    } rows[] = {
        {"good", "", ISG_OK, 9, "2031-01-01T00:00:09.000000Z"},
        {"good", "2031-01-01T00:00:05Z", ISG_OK, 4, "2031-01-01T00:00:09.000000Z"},
        {"good", "2031-01-01T00:00:09.000000Z", ISG_OK, 0, ""},
        {"good", "yesterday", ISG_EINVAL, 0, ""},
        {"nonext", "", ISG_OK, 9, "2031-01-01T00:00:09.000000Z"}, /* T-059 */
        {"gap", "", ISG_OK, 2, "2031-01-01T00:00:02.000000Z"},    /* T-060 */
        {"forgot", "", ISG_OK, 9, "2031-01-01T00:00:09.000000Z"}, /* */
        {"none", "", ISG_OK, 0, ""},                              /* */
        {"odd", "", ISG_OK, 1, ""},                               /* */
        {"forever", "", ISG_ENET, -1, ""},
        {"stuck", "", ISG_ENET, -1, ""},
        {"nodate", "", ISG_ENET, -1, ""},
        {"hollow", "", ISG_ENET, 0, ""},
        {"late", "", ISG_ENET, 2, ""}, /* no cursor from half a walk */
        {"html", "", ISG_EPARSE, 0, ""},
        {"cut", "", ISG_EPARSE, 0, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct seen seen;
        struct isg_fail why;
        char path[128];
        (void)snprintf(path, sizeof path, "/%s/", rows[i].root);
        is_int(pull(path, "one", rows[i].after, &seen, &why), rows[i].code, "%s: %s", rows[i].root,
               why.text);
        if (rows[i].objects >= 0)
            is_int((long long)seen.objects, rows[i].objects, "%s: objects", rows[i].root);
        is_str(seen.cursor, rows[i].cursor, "%s: cursor", rows[i].root);
    }
}

/* T-088, X-29: envelopes below the declared size, halved at 413, statuses followed. */
static void test_pushing(void)
{
    char url[256];
    struct taxii_push *push = NULL;
    struct taxii_push_result result = {.total = 0};
    struct isg_fail why = {.code = ISG_OK};
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/push/", peer.port);
    struct taxii_target target = {.url = url, .collection = "one", .allow_private = true};
    is_int(feed_taxii_push_open(&target, &push, &why), ISG_OK, "opened: %s", why.text);
    for (int i = 0; i < 50; i++) {
        char object[256];
        (void)snprintf(object, sizeof object,
                       "{\"type\":\"identity\",\"id\":\"identity--00000000-0000-4000-8000-%012d\","
                       "\"name\":\"%s\"}",
                       i, i == 7 ? "bad" : "good");
        is_int(feed_taxii_push_add(push, isg_str_of(object), &why), ISG_OK, "added");
    }
    char large[4096];
    memset(large, 'x', sizeof large);
    is_int(feed_taxii_push_add(push, (struct isg_str){large, sizeof large}, &why), ISG_OK,
           "one that is too large is a failure, not an error");
    is_int(feed_taxii_push_close(&push, &result, &why), ISG_OK, "closed: %s", why.text);
    ok(push == NULL, "gone");
    is_int((long long)result.total, 51, "total");
    is_int((long long)result.success, 49, "success");
    is_int((long long)result.failure, 2, "failure");
    is_int((long long)result.pending, 0, "pending");
    ok(strstr(result.first_failure, "too large") != NULL || strstr(result.first_failure, "refused"),
       "says why: %s", result.first_failure);
    target.url = url;
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/good/", peer.port);
    is_int(feed_taxii_push_open(&target, &push, &why), ISG_EDENIED, "no right to write");
}

int main(int argc, char **argv)
{
    struct isg_fail why = {.code = ISG_OK};
    if (argc < 3 || !peer_start(&peer, argv[1], argv[2]))
        tap_skip_all("no Python server");
    ok(feed_fetch_start(&why) == ISG_OK, "started");
    test_finding();
    test_walking();
    test_pushing();
    feed_fetch_stop();
    peer_stop(&peer);
    return tap_done();
}
