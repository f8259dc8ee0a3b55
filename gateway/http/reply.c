#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/http/lexis.h"
#include "gateway/http/request.h"

struct http_bytes {
    char *p;
    size_t n;
    atomic_uint refs;
};

/* ---- counted bytes ---- */

struct http_bytes *http_bytes_take(char *take_bytes, size_t n)
{
    struct http_bytes *bytes = malloc(sizeof *bytes);
    if (bytes == NULL || (take_bytes == NULL && n > 0)) {
        free(bytes);
        free(take_bytes);
        return NULL;
    }
    bytes->p = take_bytes;
    bytes->n = n;
    atomic_init(&bytes->refs, 1);
    return bytes;
}

struct http_bytes *http_bytes_copy(struct isg_str bytes)
{
    char *copy = malloc(bytes.n + 1);
    if (copy == NULL)
        return NULL;
    if (bytes.n > 0)
        memcpy(copy, bytes.p, bytes.n);
    return http_bytes_take(copy, bytes.n);
}

struct http_bytes *http_bytes_ref(struct http_bytes *bytes)
{
    atomic_fetch_add(&bytes->refs, 1);
    return bytes;
}

void http_bytes_unref(struct http_bytes **bytes)
{
    struct http_bytes *old = *bytes;
    *bytes = NULL;
    if (old == NULL || atomic_fetch_sub(&old->refs, 1) != 1)
        return;
    free(old->p);
    free(old);
}

struct isg_str http_bytes_str(const struct http_bytes *bytes)
{
    return bytes->n > 0 ? (struct isg_str){bytes->p, bytes->n} : (struct isg_str){"", 0};
}

/* ---- building a reply ---- */

void http_status(struct http_request *request, int status)
{
    request->status = status;
}

static struct guard_line *find(struct http_request *request, const char *name)
{
    struct isg_str wanted = isg_str_of(name);
    for (size_t i = 0; i < request->reply_count; i++)
        if (isg_str_ieq(request->reply[i].name, wanted))
            return &request->reply[i];
    return NULL;
}

/* A header that could break the reply's framing is left out: better a header less than a
 * reply that says something else. */
void http_set_header(struct http_request *request, const char *name, struct isg_str value)
{
    if (!http_is_token(isg_str_of(name)) || !http_is_field_text(value))
        return;
    struct guard_line *line = find(request, name);
    if (line == NULL && request->reply_count == REPLY_HEADERS_MAX)
        return;
    const char *name_copy = isg_arena_copy(request->arena, isg_str_of(name));
    const char *value_copy = isg_arena_copy(request->arena, value);
    if (name_copy == NULL || value_copy == NULL)
        return;
    if (line == NULL)
        line = &request->reply[request->reply_count++];
    line->name = isg_str_of(name_copy);
    line->value = (struct isg_str){value_copy, value.n};
}

void http_send(struct http_request *request, struct http_bytes *bytes)
{
    struct http_bytes *mine = bytes != NULL ? http_bytes_ref(bytes) : NULL;
    http_bytes_unref(&request->bytes);
    request->bytes = mine;
}

void http_send_copy(struct http_request *request, struct isg_str bytes)
{
    http_bytes_unref(&request->bytes);
    request->bytes = http_bytes_copy(bytes);
    if (request->bytes == NULL && bytes.n > 0)
        request->status = 503; /* an answer that is lost is no empty success */
}

void http_close(struct http_request *request)
{
    request->close = true;
}

void reply_busy(struct http_request *request, const char *text)
{
    struct isg_fail why;
    (void)isg_fail(&why, ISG_EBUSY, "%s", text);
    http_fail(request, 503, &why);
    http_set_header(request, "Retry-After", ISG_STR("2"));
}

void reply_default(struct http_request *request, const char *name, const char *value)
{
    if (find(request, name) == NULL)
        http_set_header(request, name, isg_str_of(value));
}

void reply_finish(struct http_request *request)
{
    if (request->status < 200 || request->status > 599)
        http_fail(request, 500, NULL);
    reply_default(request, "Content-Type", "application/taxii+json;version=2.1"); /* T-013, X-04 */
    /* What was refused may be allowed in a moment, and to somebody else at once. */
    reply_default(request, "Cache-Control", "private, no-store, no-transform");
    reply_default(request, "Vary", "Accept, Accept-Encoding, Authorization");
    reply_default(request, "X-Content-Type-Options", "nosniff");
    if (request->close)
        http_set_header(request, "Connection", ISG_STR("close"));
}

/* ---- a reply by hand ---- */

static const struct {
    int status;
    const char *phrase;
} phrases[] = {
    {200, "OK"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

const char *reply_phrase(int status)
{
    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "Error";
}

/* RFC 7231, 7.1.1.1; by tables, as strftime follows the locale. */
static void write_date(struct isg_buf *out)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct tm tm;
    time_t now = time(NULL);
    if (gmtime_r(&now, &tm) == NULL)
        return;
    isg_buf_printf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[tm.tm_wday],
                   tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
                   tm.tm_sec);
}

void reply_write(const struct http_request *request, struct isg_buf *out)
{
    struct isg_str body =
        request->bytes != NULL ? http_bytes_str(request->bytes) : (struct isg_str){"", 0};
    isg_buf_printf(out, "HTTP/1.1 %d %s\r\n", request->status, reply_phrase(request->status));
    write_date(out);
    for (size_t i = 0; i < request->reply_count; i++)
        isg_buf_printf(out, "%.*s: %.*s\r\n", ISG_STR_ARG(request->reply[i].name),
                       ISG_STR_ARG(request->reply[i].value));
    isg_buf_printf(out, "Content-Length: %zu\r\n\r\n", body.n);
    if (request->method != HTTP_HEAD && request->status != 304)
        isg_buf_put_str(out, body);
}
