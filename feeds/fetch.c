#include "feeds/fetch.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <curl/curl.h>

#include "feeds/address.h"

#ifndef ISG_VERSION
#    define ISG_VERSION "0"
#endif

/* Bounds of one exchange (feeds digest 2.2). */
enum {
    BODY_MAX = 256 << 20,
    WIRE_MAX = 64 << 20,
    RATIO_MAX = 100,      /* inflated to wire bytes */
    RATIO_FROM = 1 << 20, /* below this size a ratio says nothing */
    TIMEOUT_S = 120,
    CONNECT_S = 20,
    SLOW_BYTES = 50, /* a second, over SLOW_S */
    SLOW_S = 30,
    REDIRECTS_MAX = 3,
    HEADERS_MAX = 256 << 10, /* of one answer, all lines */
    HEADER_VALUE_MAX = 4096
};

/* One exchange under way. */
struct exchange {
    CURL *curl;
    const struct feed_request *request;
    struct feed_response *response;
    struct curl_slist *headers;
    struct isg_buf url;
    size_t header_bytes;
    bool secrets;       /* credentials and further headers are still sent */
    bool refused;       /* the address was refused at connect */
    int limit;          /* ISG_OK, or what stopped the transfer */
    const char *reason; /* of limit */
    char error[CURL_ERROR_SIZE];
};

int feed_fetch_start(struct isg_fail *why)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return isg_fail(why, ISG_ENET, "the HTTP client cannot start");
    return ISG_OK;
}

void feed_fetch_stop(void)
{
    curl_global_cleanup();
}

void feed_response_done(struct feed_response *response)
{
    isg_buf_done(&response->body);
    free(response->content_type);
    free(response->etag);
    free(response->last_modified);
    free(response->date_added_first);
    free(response->date_added_last);
    free(response->location);
    *response = (struct feed_response){0};
}

/* ---- URLs ----------------------------------------------------------------------------------- */

/* A part of a URL, to be freed with curl_free; NULL when there is none. */
static char *url_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    return curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK ? text : NULL;
}

static bool url_has(CURLU *url, CURLUPart part)
{
    char *text = url_part(url, part);
    bool has = text != NULL;
    curl_free(text);
    return has;
}

static bool url_scheme_is(CURLU *url, const char *scheme)
{
    char *text = url_part(url, CURLUPART_SCHEME);
    bool same = text != NULL && strcasecmp(text, scheme) == 0;
    curl_free(text);
    return same;
}

/* localhost, 127.x.y.z or [::1] in the URL itself. */
static bool url_is_loopback(CURLU *url)
{
    char *host = url_part(url, CURLUPART_HOST);
    bool loopback = host != NULL && (strcasecmp(host, "localhost") == 0 ||
                                     strncmp(host, "127.", 4) == 0 || strcmp(host, "[::1]") == 0);
    curl_free(host);
    return loopback;
}

static int url_parse(const char *text, CURLU **out, struct isg_fail *why)
{
    CURLU *url = curl_url();
    if (url == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    int err = ISG_OK;
    if (curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK)
        err = isg_fail(why, ISG_EUSAGE, "not a URL");
    else if (!url_scheme_is(url, "https") && !url_scheme_is(url, "http"))
        err = isg_fail_at(why, ISG_EUSAGE, NULL, "R-079", "only https is spoken");
    else if (url_has(url, CURLUPART_USER) || url_has(url, CURLUPART_PASSWORD))
        err = isg_fail(why, ISG_EUSAGE, "credentials do not belong in a URL");
    if (err != ISG_OK)
        curl_url_cleanup(url);
    else
        *out = url;
    return err;
}

int feed_url_check(const char *text, bool allow_private, struct isg_fail *why)
{
    CURLU *url = NULL;
    int err = url_parse(text, &url, why);
    if (err == ISG_OK && !allow_private && url_scheme_is(url, "http") && !url_is_loopback(url))
        err = isg_fail_at(why, ISG_EUSAGE, NULL, "R-079",
                          "plain http leads to loopback or allowed private addresses only");
    curl_url_cleanup(url);
    return err;
}

int feed_url_join(const char *base, const char *reference, struct isg_buf *out,
                  struct isg_fail *why)
{
    CURLU *url = NULL;
    CURLU *joined = NULL;
    char *text = NULL;
    int err = url_parse(base, &url, why);
    if (err == ISG_OK && curl_url_set(url, CURLUPART_URL, reference, 0) != CURLUE_OK)
        err = isg_fail(why, ISG_EUSAGE, "not a URL");
    if (err == ISG_OK && curl_url_get(url, CURLUPART_URL, &text, 0) != CURLUE_OK)
        err = isg_fail(why, ISG_EUSAGE, "not a URL");
    if (err == ISG_OK)
        err = url_parse(text, &joined, why);
    if (err == ISG_OK) {
        isg_buf_reset(out);
        isg_buf_puts(out, text);
        err = out->err;
    }
    curl_free(text);
    curl_url_cleanup(joined);
    curl_url_cleanup(url);
    return err;
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart part)
{
    char *x = url_part(a, part);
    char *y = url_part(b, part);
    bool same = x != NULL && y != NULL && strcasecmp(x, y) == 0;
    curl_free(x);
    curl_free(y);
    return same;
}

bool feed_url_same_server(const char *a, const char *b)
{
    CURLU *x = NULL;
    CURLU *y = NULL;
    bool same = url_parse(a, &x, NULL) == ISG_OK && url_parse(b, &y, NULL) == ISG_OK &&
                same_part(x, y, CURLUPART_SCHEME) && same_part(x, y, CURLUPART_HOST) &&
                same_part(x, y, CURLUPART_PORT);
    curl_url_cleanup(x);
    curl_url_cleanup(y);
    return same;
}

/* ---- callbacks ------------------------------------------------------------------------------ */

/* Refuse what is not public, on the address itself, however it came about. */
static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct exchange *x = arg;
    (void)purpose;
    bool local = address->family == AF_UNIX && x->request->unix_socket != NULL;
    if (!local && !x->request->allow_private &&
        !address_is_public(&address->addr, (socklen_t)address->addrlen)) {
        x->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int stop(struct exchange *x, const char *reason)
{
    x->limit = ISG_ELIMIT;
    x->reason = reason;
    return 1;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct exchange *x = arg;
    curl_off_t wire = 0;
    size_t n = size * count;
    struct isg_buf *body = &x->response->body;
    isg_buf_put(body, data, n);
    if (body->err != ISG_OK) {
        (void)stop(x, "the answer is too large");
        x->limit = body->err;
        return 0;
    }
    (void)curl_easy_getinfo(x->curl, CURLINFO_SIZE_DOWNLOAD_T, &wire);
    if (body->len > RATIO_FROM && wire > 0 && body->len / RATIO_MAX > (size_t)wire) {
        (void)stop(x, "the answer inflates beyond all measure");
        return 0;
    }
    return n;
}

static int on_progress(void *arg, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up)
{
    struct exchange *x = arg;
    (void)up_total;
    (void)up;
    curl_off_t max = WIRE_MAX;
    if (x->request->max_bytes != 0 && x->request->max_bytes < WIRE_MAX)
        max = (curl_off_t)x->request->max_bytes;
    if (down > max || down_total > max)
        return stop(x, "the answer is too large");
    return 0;
}

/* The header fields kept, by where their value goes. */
static char **field_of(struct feed_response *response, struct isg_str name)
{
    const struct {
        const char *name;
        char **value;
    } fields[] = {{"content-type", &response->content_type},
                  {"etag", &response->etag},
                  {"last-modified", &response->last_modified},
                  {"x-taxii-date-added-first", &response->date_added_first},
                  {"x-taxii-date-added-last", &response->date_added_last},
                  {"location", &response->location}};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (isg_str_ieq(name, isg_str_of(fields[i].name)))
            return fields[i].value;
    }
    return NULL;
}

static void forget_fields(struct feed_response *response)
{
    struct isg_buf body = response->body;
    response->body = (struct isg_buf){0};
    feed_response_done(response);
    response->body = body;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the library's signature */
static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
    struct exchange *x = arg;
    struct isg_str line = {data, size * count};
    x->header_bytes += line.n;
    if (x->header_bytes > HEADERS_MAX) {
        (void)stop(x, "the answer's headers are too large");
        return 0;
    }
    if (isg_str_starts(line, ISG_STR("HTTP/"))) {
        forget_fields(x->response); /* 100 Continue comes before the real answer */
        return size * count;
    }
    size_t colon = isg_str_find(line, ':');
    if (colon == SIZE_MAX)
        return size * count;
    char **field = field_of(x->response, (struct isg_str){line.p, colon});
    struct isg_str value = isg_str_trim(isg_str_from(line, colon + 1));
    if (field != NULL && *field == NULL && value.n > 0 && value.n <= HEADER_VALUE_MAX)
        *field = strndup(value.p, value.n);
    return size * count;
}

/* ---- the request ---------------------------------------------------------------------------- */

static bool header_add(struct exchange *x, const char *name, const char *value)
{
    struct isg_buf line;
    if (value == NULL)
        return true;
    isg_buf_init(&line, HEADERS_MAX);
    isg_buf_printf(&line, "%s: %s", name, value);
    struct curl_slist *list = NULL;
    if (line.err == ISG_OK && strpbrk(line.p, "\r\n") == NULL)
        list = curl_slist_append(x->headers, line.p);
    isg_buf_done(&line);
    if (list != NULL)
        x->headers = list;
    return list != NULL;
}

static bool further_headers(struct exchange *x)
{
    const char *const *line = x->request->headers;
    for (; line != NULL && *line != NULL; line++) {
        struct curl_slist *list =
            strpbrk(*line, "\r\n") == NULL ? curl_slist_append(x->headers, *line) : NULL;
        if (list == NULL)
            return false;
        x->headers = list;
    }
    return true;
}

static bool headers_build(struct exchange *x)
{
    const struct feed_request *request = x->request;
    curl_slist_free_all(x->headers);
    x->headers = NULL;
    bool good = header_add(x, "Accept", request->accept != NULL ? request->accept : "*/*") &&
                header_add(x, "Content-Type", request->content_type) &&
                header_add(x, "If-None-Match", request->etag);
    if (request->etag == NULL)
        good = good && header_add(x, "If-Modified-Since", request->last_modified);
    if (x->secrets)
        good = good && further_headers(x);
    struct curl_slist *list = good ? curl_slist_append(x->headers, "Expect:") : NULL;
    if (list != NULL)
        x->headers = list;
    return list != NULL;
}

#define SET(option, value) (void)curl_easy_setopt(x->curl, (option), (value))

static void set_bounds(struct exchange *x)
{
    const struct feed_request *request = x->request;
    long timeout = request->timeout_s != 0 ? (long)request->timeout_s : TIMEOUT_S;
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TIMEOUT, timeout);
    SET(CURLOPT_CONNECTTIMEOUT, timeout < CONNECT_S ? timeout : (long)CONNECT_S);
    if (request->unix_socket == NULL && request->method == NULL) {
        SET(CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
        SET(CURLOPT_LOW_SPEED_TIME, (long)SLOW_S);
    }
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, x);
}

static void set_transport(struct exchange *x, bool plain, bool loopback)
{
    const struct feed_request *request = x->request;
    SET(CURLOPT_PROTOCOLS_STR, plain ? "http,https" : "https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_OPENSOCKETFUNCTION, on_socket);
    SET(CURLOPT_OPENSOCKETDATA, x);
    SET(CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
    if (request->unix_socket != NULL || loopback)
        SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (request->ca != NULL) {
        SET(CURLOPT_CAINFO, request->ca);
        SET(CURLOPT_CAPATH, NULL);
    }
    SET(CURLOPT_USERAGENT, "isg/" ISG_VERSION);
    SET(CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    SET(CURLOPT_ERRORBUFFER, x->error);
}

static void set_secrets(struct exchange *x)
{
    const struct feed_request *request = x->request;
    if (!x->secrets)
        return;
    if (request->user != NULL) {
        SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        SET(CURLOPT_USERNAME, request->user);
        SET(CURLOPT_PASSWORD, request->password != NULL ? request->password : "");
    } else if (request->bearer != NULL) {
        SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        SET(CURLOPT_XOAUTH2_BEARER, request->bearer);
    }
    SET(CURLOPT_SSLCERT, request->client_certificate);
    SET(CURLOPT_SSLKEY, request->client_key);
}

static void set_method(struct exchange *x)
{
    const struct feed_request *request = x->request;
    if (request->body.p != NULL) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDS, request->body.p);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.n);
    }
    if (request->method != NULL && strcmp(request->method, "HEAD") == 0)
        SET(CURLOPT_NOBODY, 1L);
    else if (request->method != NULL && strcmp(request->method, "GET") != 0)
        SET(CURLOPT_CUSTOMREQUEST, request->method);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, x);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, x);
}

static int prepare(struct exchange *x, struct isg_fail *why)
{
    CURLU *url = NULL;
    int err =
        feed_url_check(x->url.p, x->request->allow_private || x->request->unix_socket != NULL, why);
    if (err == ISG_OK)
        err = url_parse(x->url.p, &url, why);
    if (err != ISG_OK)
        return err;
    bool plain = url_scheme_is(url, "http");
    bool loopback = url_is_loopback(url);
    curl_url_cleanup(url);
    curl_easy_reset(x->curl);
    if (!headers_build(x))
        return isg_fail(why, ISG_EUSAGE, "a header cannot be sent");
    set_bounds(x);
    set_transport(x, plain, loopback);
    set_secrets(x);
    set_method(x);
    SET(CURLOPT_URL, x->url.p);
    SET(CURLOPT_HTTPHEADER, x->headers);
    return ISG_OK;
}

static int failure(const struct exchange *x, CURLcode code, struct isg_fail *why)
{
    if (x->refused)
        return isg_fail_at(why, ISG_ENET, NULL, "R-080",
                           "the address is private, loopback or reserved and not allowed");
    if (x->limit != ISG_OK)
        return isg_fail_at(why, x->limit, NULL, "R-084", "%s", x->reason);
    if (code == CURLE_OUT_OF_MEMORY)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    return isg_fail(why, ISG_ENET, "%s", x->error[0] != '\0' ? x->error : curl_easy_strerror(code));
}

/* One request and its answer, without looking at redirects. */
static int perform(struct exchange *x, struct isg_fail *why)
{
    long status = 0;
    curl_off_t wait = 0;
    int err = prepare(x, why);
    if (err != ISG_OK)
        return err;
    forget_fields(x->response);
    isg_buf_reset(&x->response->body);
    x->header_bytes = 0;
    x->refused = false;
    CURLcode code = curl_easy_perform(x->curl);
    if (code != CURLE_OK)
        return failure(x, code, why);
    (void)curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(x->curl, CURLINFO_RETRY_AFTER, &wait);
    x->response->status = (int)status;
    x->response->retry_after_s = wait > 0 && wait < 86400 ? (unsigned)wait : wait > 0 ? 86400 : 0;
    return ISG_OK;
}

static bool is_redirect(const struct exchange *x)
{
    int status = x->response->status;
    bool reads = x->request->method == NULL || strcmp(x->request->method, "GET") == 0;
    return reads && x->request->body.p == NULL && !x->request->no_redirects &&
           x->response->location != NULL &&
           (status == 301 || status == 302 || status == 303 || status == 307 || status == 308);
}

/* Move on to where the answer points; secrets stay behind when host or port change. */
static int redirect(struct exchange *x, struct isg_fail *why)
{
    struct isg_buf next;
    isg_buf_init(&next, (size_t)HEADER_VALUE_MAX * 2);
    int err = feed_url_join(x->url.p, x->response->location, &next, why);
    if (err != ISG_OK) {
        err = isg_fail_at(why, ISG_ENET, NULL, "R-079", "the redirect leads to no usable URL");
    } else if (strncmp(next.p, x->url.p, strcspn(x->url.p, ":") + 1) != 0) {
        err = isg_fail_at(why, ISG_ENET, NULL, "R-079", "the redirect changes the scheme");
    } else {
        x->secrets = x->secrets && feed_url_same_server(x->url.p, next.p);
        isg_buf_reset(&x->url);
        isg_buf_put_str(&x->url, isg_buf_str(&next));
        err = x->url.err;
    }
    isg_buf_done(&next);
    return err;
}

static int follow(struct exchange *x, struct isg_fail *why)
{
    for (unsigned i = 0; i <= REDIRECTS_MAX; i++) {
        int err = perform(x, why);
        if (err != ISG_OK || !is_redirect(x))
            return err;
        err = redirect(x, why);
        if (err != ISG_OK)
            return err;
    }
    return isg_fail(why, ISG_ENET, "more than %d redirects", REDIRECTS_MAX);
}

int feed_fetch(const struct feed_request *request, struct feed_response *out, struct isg_fail *why)
{
    struct feed_response response = {0};
    struct exchange x = {.request = request, .response = &response, .secrets = true};
    isg_buf_init(&response.body, request->max_bytes != 0 ? request->max_bytes : BODY_MAX);
    isg_buf_init(&x.url, 1 << 16);
    isg_buf_puts(&x.url, request->url);
    x.curl = curl_easy_init();
    int err = x.curl == NULL || x.url.err != ISG_OK ? isg_fail(why, ISG_ENOMEM, "no memory")
                                                    : follow(&x, why);
    if (err == ISG_OK)
        *out = response;
    else
        feed_response_done(&response);
    curl_easy_cleanup(x.curl);
    curl_slist_free_all(x.headers);
    isg_buf_done(&x.url);
    return err;
}
