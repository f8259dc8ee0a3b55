/* fetch.c against a server that misbehaves. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feeds/feed.h"
#include "feeds/fetch.h"
#include "peer.h"
#include "stix/base/time.h"
#include "tests/support/tap.h"

static struct peer peer;

static const char *url_of(const char *path)
{
    static char url[256];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d%s", peer.port, path);
    return url;
}

static int get(const char *path, struct feed_response *out, struct isg_fail *why)
{
    /* only where nothing else ends it: elsewhere a busy machine must not */
    struct feed_request request = {.url = url_of(path),
                                   .allow_private = true,
                                   .timeout_s = strcmp(path, "/slow") == 0 ? 5 : 150,
                                   .max_bytes = 4 << 20};
    *out = (struct feed_response){0};
    *why = (struct isg_fail){.code = ISG_OK};
    return feed_fetch(&request, out, why);
}

/* Path, code, status and body of plain requests. */
static void test_table(void)
{
    static const struct {
        const char *path;
        int code;
        int status;
        const char *body; /* NULL: not looked at */
    } rows[] = {
        {"/json", ISG_OK, 200, "{\"a\":1}"}, {"/missing", ISG_OK, 404, "nothing"},
        {"/near", ISG_OK, 200, "{\"a\":1}"}, {"/far", ISG_OK, 200, "{\"a\":1}"},
        {"/busy", ISG_OK, 429, NULL},        {"/bomb", ISG_ELIMIT, 0, NULL}, /* */
        {"/endless", ISG_ELIMIT, 0, NULL},                                   /* */
        {"/huge", ISG_ELIMIT, 0, NULL},                                      /* */
        {"/headers", ISG_ELIMIT, 0, NULL},                                   /* */
        {"/slow", ISG_ENET, 0, NULL},  /* the whole exchange is bounded */
        {"/short", ISG_ENET, 0, NULL}, /* cut short is no answer */
        {"/broken", ISG_ENET, 0, NULL},      {"/loop", ISG_ENET, 0, NULL},
        {"/file", ISG_ENET, 0, NULL},    /* */
        {"/gopher", ISG_ENET, 0, NULL},  /* */
        {"/upgrade", ISG_ENET, 0, NULL}, /* another scheme */
        {"/user", ISG_ENET, 0, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct feed_response response;
        struct isg_fail why;
        is_int(get(rows[i].path, &response, &why), rows[i].code, "%s: %s", rows[i].path, why.text);
        is_int(response.status, rows[i].status, "%s: status", rows[i].path);
        if (rows[i].body != NULL)
            is_str(response.body.p, rows[i].body, "%s: body", rows[i].path);
        feed_response_done(&response);
    }
}

/* Where only the status counts, no body is waited for, and nothing that is wrong with one matters. */
static void test_status_only(void)
{
    static const struct {
        const char *path;
        int code;
        int status;
    } rows[] = {
        {"/json", ISG_OK, 200},      {"/missing", ISG_OK, 404}, {"/busy", ISG_OK, 429},
        {"/bomb", ISG_OK, 200},      {"/endless", ISG_OK, 200}, {"/huge", ISG_OK, 200},
        {"/stalled", ISG_OK, 200},   {"/short", ISG_OK, 200},   {"/garbled", ISG_OK, 200},
        {"/foreign", ISG_OK, 200},   {"/chunks", ISG_OK, 200},  {"/continued", ISG_OK, 202},
        {"/headers", ISG_ELIMIT, 0}, {"/broken", ISG_ENET, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct feed_response response = {0};
        struct isg_fail why = {.code = ISG_OK};
        const struct feed_request request = {.url = url_of(rows[i].path),
                                             .allow_private = true,
                                             .status_only = true,
                                             .timeout_s = 150};
        is_int(feed_fetch(&request, &response, &why), rows[i].code, "%s, status only: %s",
               rows[i].path, why.text);
        is_int(response.status, rows[i].status, "%s, status only", rows[i].path);
        is_int((long long)response.body.len, 0, "%s: no body is kept", rows[i].path);
        feed_response_done(&response);
    }
}

static void test_conditional(void)
{
    struct feed_response response;
    struct isg_fail why;
    is_int(get("/etag", &response, &why), ISG_OK, "first");
    is_str(response.etag, "\"v1\"", "ETag");
    is_str(response.last_modified, "Wed, 01 Jan 2031 00:00:00 GMT", "Last-Modified");
    feed_response_done(&response);
    struct feed_request request = {.url = url_of("/etag"), .allow_private = true, .etag = "\"v1\""};
    is_int(feed_fetch(&request, &response, &why), ISG_OK, "again");
    is_int(response.status, 304, "304 with the ETag");
    feed_response_done(&response);
    request = (struct feed_request){.url = url_of("/since"),
                                    .allow_private = true,
                                    .last_modified = "Wed, 01 Jan 2031 00:00:00 GMT"};
    is_int(feed_fetch(&request, &response, &why), ISG_OK, "by date");
    is_int(response.status, 304, "304 with the date");
    feed_response_done(&response);
    is_int(get("/busy", &response, &why), ISG_OK, "busy");
    is_int((long long)response.retry_after_s, 17, "Retry-After");
    feed_response_done(&response);
    is_int(get("/gzip", &response, &why), ISG_OK, "gzip: %s", why.text);
    is_int((long long)response.body.len, 5000, "inflated");
    feed_response_done(&response);
    is_int(get("/agent", &response, &why), ISG_OK, "agent");
    ok(strncmp(response.body.p, "isg/", 4) == 0, "User-Agent %s", response.body.p);
    feed_response_done(&response);
    is_int(get("/html", &response, &why), ISG_OK, "html");
    ok(feed_is_html(isg_str_of(response.content_type), isg_buf_str(&response.body)), "is HTML");
    feed_response_done(&response);
}

/* nothing secret reaches another port. */
static void test_secrets(void)
{
    static const char *const headers[] = {"X-Api-Key: canary-key", NULL};
    struct feed_response response = {0};
    struct isg_fail why = {.code = ISG_OK};
    struct feed_request request = {.url = url_of("/echo"),
                                   .allow_private = true,
                                   .user = "canary",
                                   .password = "canary-word",
                                   .headers = headers,
                                   .redirects = FEED_REDIRECTS_FOLLOW};
    is_int(feed_fetch(&request, &response, &why), ISG_OK, "at home: %s", why.text);
    ok(strstr(response.body.p, "canary-key") != NULL &&
           strstr(response.body.p, "Basic Y2FuYXJ5OmNhbmFyeS13b3Jk") != NULL,
       "credentials and headers are sent");
    feed_response_done(&response);
    request.redirects = FEED_REDIRECTS_AUTO;
    request.url = url_of("/near");
    is_int(feed_fetch(&request, &response, &why), ISG_ENET, "with secrets no redirect is followed");
    is_str(why.rule, "R-082", "unless the feed says so");
    request.redirects = FEED_REDIRECTS_FOLLOW;
    request.url = url_of("/far");
    is_int(feed_fetch(&request, &response, &why), ISG_OK, "away: %s", why.text);
    feed_response_done(&response);
    request.url = url_of("/back");
    is_int(feed_fetch(&request, &response, &why), ISG_OK, "away and back: %s", why.text);
    ok(strstr(response.body.p, "canary") == NULL &&
           strstr(response.body.p, "authorization") == NULL,
       "what was dropped stays dropped");
    feed_response_done(&response);
    request = (struct feed_request){.url = url_of("/back"),
                                    .allow_private = true,
                                    .bearer = "canary-token",
                                    .redirects = FEED_REDIRECTS_FOLLOW};
    is_int(feed_fetch(&request, &response, &why), ISG_OK, "with a token");
    feed_response_done(&response);
    is_int(get("/seen", &response, &why), ISG_OK, "what the other server saw");
    ok(strstr(response.body.p, "User-Agent") != NULL, "it was asked");
    ok(strstr(response.body.p, "canary") == NULL &&
           strstr(response.body.p, "Authorization") == NULL,
       "no secret went there");
    feed_response_done(&response);
}

static void test_refused(void)
{
    char port[64];
    static const struct {
        const char *url;
        int code;
    } rows[] = {
        {"file:///etc/passwd", ISG_EUSAGE},
        {"ftp://192.0.2.1/", ISG_EUSAGE},
        {"dict://127.0.0.1/", ISG_EUSAGE},
        {"http://192.0.2.1/", ISG_EUSAGE},
        {"https://a:b@feed.example/", ISG_EUSAGE},
        {"not a url", ISG_EUSAGE},
        {"https://127.0.0.1/", ISG_ENET},
        {"https://[::1]/", ISG_ENET},
        {"https://[::ffff:127.0.0.1]/", ISG_ENET},
        {"https://0.0.0.0/", ISG_ENET},
        {"https://169.254.169.254/", ISG_ENET},
        {"https://10.0.0.1/", ISG_ENET},
        {"https://2130706433/", ISG_ENET},
        {"https://0177.0.0.1/", ISG_ENET},
        {"https://0x7f.1/", ISG_ENET},
        {"https://localhost/", ISG_ENET},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct feed_request request = {.url = rows[i].url, .timeout_s = 120};
        struct feed_response response = {0};
        struct isg_fail why = {.code = ISG_OK};
        int64_t start = isg_time_mono_us();
        is_int(feed_fetch(&request, &response, &why), rows[i].code, "%s: %s", rows[i].url,
               why.text);
        ok(isg_time_mono_us() - start < 60000000, "%s: at once", rows[i].url);
        if (rows[i].code == ISG_ENET)
            is_str(why.rule, "R-080", "%s: refused by its address", rows[i].url);
    }
    struct feed_request request = {.url = url_of("/json"), .timeout_s = 5};
    struct feed_response response = {0};
    struct isg_fail why = {.code = ISG_OK};
    is_int(feed_fetch(&request, &response, &why), ISG_ENET, "loopback that is not allowed");
    (void)snprintf(port, sizeof port, "%d", peer.port);
    ok(strstr(why.text, port) == NULL, "the message names no port");
}

static void test_post(void)
{
    struct feed_response response = {0};
    struct isg_fail why = {.code = ISG_OK};
    size_t n = 3 << 20;
    char *body = malloc(n);
    memset(body, 'x', n);
    struct feed_request request = {.method = "POST",
                                   .url = url_of("/push"),
                                   .allow_private = true,
                                   .body = {body, n},
                                   .content_type = "text/plain"};
    is_int(feed_fetch(&request, &response, &why), ISG_OK, "posted: %s", why.text);
    is_int(response.status, 202, "status");
    is_str(response.body.p,
           "{\"method\": \"POST\", \"length\": 3145728, \"expect\": null, \"chunked\": null, "
           "\"type\": \"text/plain\"}",
           "a length, no Expect, not chunked (X-29)");
    feed_response_done(&response);
    free(body);
}

static void test_urls(void)
{
    struct isg_buf out;
    struct isg_fail why;
    isg_buf_init(&out, 4096);
    is_int(feed_url_join("https://a.example/x/list.csv", "2031/b.json", &out, &why), ISG_OK,
           "joined");
    is_str(out.p, "https://a.example/x/2031/b.json", "below");
    is_int(feed_url_join("https://a.example/x/", "/y/", &out, &why), ISG_OK, "joined");
    is_str(out.p, "https://a.example/y/", "absolute path");
    ok(feed_url_join("https://a.example/x/", "file:///y", &out, &why) != ISG_OK, "no file");
    ok(feed_url_same_server("https://a.example/x", "https://A.example:443/y"), "default port");
    ok(!feed_url_same_server("https://a.example/", "http://a.example/"), "another scheme");
    ok(!feed_url_same_server("https://a.example/", "https://a.example:444/"), "another port");
    ok(feed_url_check("http://192.0.2.1/", true, &why) == ISG_OK, "http where allowed");
    ok(feed_url_check("http://127.0.0.1/", false, &why) == ISG_OK, "http to loopback");
    isg_buf_done(&out);
}

int main(int argc, char **argv)
{
    struct isg_fail why = {.code = ISG_OK};
    if (argc < 3 || !peer_start(&peer, argv[1], argv[2]))
        tap_skip_all("no Python server");
    ok(feed_fetch_start(&why) == ISG_OK, "started");
    test_table();
    test_status_only();
    test_conditional();
    test_secrets();
    test_refused();
    test_post();
    test_urls();
    feed_fetch_stop();
    peer_stop(&peer);
    return tap_done();
}
