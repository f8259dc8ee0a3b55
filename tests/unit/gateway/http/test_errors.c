#include <string.h>

#include "gateway/http/request.h"
#include "tests/support/tap.h"

static const struct http_app app = {.arg = NULL};

static bool holds(const struct http_request *request, const char *piece)
{
    char text[4096];
    struct isg_str body = http_bytes_str(request->bytes);
    if (body.n >= sizeof text)
        return false;
    memcpy(text, body.p, body.n);
    text[body.n] = '\0';
    return strstr(text, piece) != NULL;
}

static struct isg_str reply_header(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->reply_count; i++)
        if (isg_str_ieq(request->reply[i].name, isg_str_of(name)))
            return request->reply[i].value;
    return (struct isg_str){"", 0};
}

static struct http_request *fresh(void)
{
    struct http_request *request = request_new(&app, ISG_STR("/a/?b=c"), ISG_STR("192.0.2.7"));
    request->quiet = true;
    return request;
}

/* T-065, T-066, X-04 */
static void test_error_resource(void)
{
    struct http_request *request = fresh();
    struct isg_fail why;
    (void)isg_fail_at(&why, ISG_EINVAL, "/objects/0/id", "S-013", "not an \"id\"");
    http_fail(request, 422, &why);
    is_int(request->status, 422, "status");
    ok(isg_str_is(reply_header(request, "content-type"), "application/taxii+json;version=2.1"),
       "the content type to the letter");
    ok(holds(request, "\"title\":\"Unprocessable Content\""), "title");
    ok(holds(request, "\"description\":\"not an \\\"id\\\"\""), "description, escaped");
    ok(holds(request, "\"http_status\":\"422\""), "http_status is a string");
    ok(holds(request, "\"details\":{\"path\":\"/objects/0/id\",\"rule\":\"S-013\"}"), "details");
    ok(holds(request, request->id) && strlen(request->id) == 16, "error_id is the request's");
    request_unref(request);
}

/* T-068 */
static void test_nothing_leaks(void)
{
    struct http_request *request = fresh();
    struct isg_fail why;
    (void)isg_fail_at(&why, ISG_EIO, "/var", "X", "/var/lib/secret: denied");
    http_fail(request, 500, &why);
    ok(!holds(request, "secret") && !holds(request, "details"), "a 500 does not explain itself");
    http_fail(request, 404, NULL);
    ok(holds(request, "\"title\":\"Not Found\"") && !holds(request, "description"),
       "a reply without reason");
    ok(!holds(request, "error_id"), "a 404 has nothing of its own: hidden and absent are one");
    (void)isg_fail(&why, ISG_EUSAGE, "bytes \xff");
    http_fail(request, 400, &why);
    ok(holds(request, "\"description\":\"bytes ?\""), "a reason with bytes that are no UTF-8");
    (void)strcpy(why.text, "bytes \xff");
    http_fail(request, 400, &why);
    ok(!holds(request, "description"), "a reason that is no UTF-8 stays out");
    request_unref(request);
}

static void test_reply(void)
{
    struct http_request *request = fresh();
    struct isg_buf out;
    http_set_header(request, "X-A", ISG_STR("1"));
    http_set_header(request, "x-a", ISG_STR("2"));
    http_set_header(request, "X-B", ISG_STR("a\r\nSet-Cookie: b"));
    http_set_header(request, "X C", ISG_STR("a"));
    http_status(request, 413);
    http_send_copy(request, ISG_STR("{}"));
    http_close(request);
    reply_finish(request);
    isg_buf_init(&out, 4096);
    reply_write(request, &out);
    ok(strncmp(out.p, "HTTP/1.1 413 Content Too Large\r\nDate: ", 38) == 0, "the status line");
    ok(strstr(out.p, "X-A: 1") == NULL && strstr(out.p, "x-a: 2\r\n") != NULL,
       "the last one stays");
    ok(strstr(out.p, "Set-Cookie") == NULL && strstr(out.p, "X C") == NULL,
       "no header that would break the reply");
    ok(strstr(out.p, "Connection: close\r\n") != NULL, "closes");
    ok(strstr(out.p, "X-Content-Type-Options: nosniff\r\n") != NULL, "nosniff");
    ok(strstr(out.p, "Cache-Control: private, no-store, no-transform\r\n") != NULL,
       "private, not to be kept");
    ok(strstr(out.p, "Vary: Accept, Accept-Encoding, Authorization\r\n") != NULL,
       "and of one asker only");
    ok(strstr(out.p, "Content-Length: 2\r\n\r\n{}") != NULL, "the body");
    isg_buf_done(&out);
    http_status(request, 0);
    reply_finish(request);
    is_int(request->status, 500, "a reply without status is our mistake");
    request_unref(request);
}

static void test_request(void)
{
    struct http_request *request = fresh();
    struct guard_line lines[] = {
        {ISG_STR("Host"), ISG_STR("x ")},
        {ISG_STR("Authorization"), ISG_STR("Basic YTpi")},
        {ISG_STR("AUTHORIZATION"), ISG_STR("Basic Yzpk")},
    };
    struct guard_head head = {.method = ISG_STR("DELETE"), .lines = lines, .count = 3};
    ok(request_fill(request, &head), "filled");
    is_int(http_method(request), HTTP_DELETE, "the method");
    ok(isg_str_is(http_path(request), "/a/") && isg_str_is(http_query(request), "b=c"), "target");
    ok(isg_str_is(http_header(request, "host"), "x"), "a header without its blanks");
    ok(isg_str_is(http_header(request, "Authorization"), "Basic YTpi, Basic Yzpk"),
       "two lines are one list (R-041)");
    ok(http_header(request, "Accept").p == NULL, "an absent header");
    ok(isg_str_is(http_peer(request), "192.0.2.7"), "the peer (R-015)");
    request_unref(request);
}

int main(void)
{
    test_error_resource();
    test_nothing_leaks();
    test_reply();
    test_request();
    return tap_done();
}
