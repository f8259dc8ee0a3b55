#include "feeds/fetch.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <curl/curl.h>

#include "feeds/address.h"
#include "feeds/fetch_failed.h"
#include "feeds/fetch_url.h"
#include "stix/base/time.h"

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
    CONNECT_MS = 20000,
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
    const char *home; /* the configured URL */
    int64_t end_us;   /* on the clock that only moves forward */
    size_t header_bytes;
    bool secrets;       /* credentials and further headers are still sent */
    bool allow_private; /* here, after redirects */
    bool plain;         /* without TLS: only to addresses that are not public */
    bool refused;       /* the address was refused at connect */
    bool bare;          /* because it is public and the URL is plain http */
    bool answered;      /* status and headers of the real answer are there */
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
    free(response->message);
    free(response->location);
    *response = (struct feed_response){0};
}

/* ---- callbacks ------------------------------------------------------------------------------ */

static bool is_stopped(const struct feed_request *request)
{
    return request->stop != NULL && atomic_load(request->stop);
}

static bool may_reach(const struct exchange *x, const struct sockaddr *address, socklen_t length)
{
    const struct feed_request *request = x->request;
    return x->allow_private || address_is_public(address, length) ||
           (request->allow_address != NULL &&
            request->allow_address(request->allow_arg, address, length));
}

/* Refuse what is not public, on the address itself, however it came about. */
static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct exchange *x = arg;
    (void)purpose;
    bool chosen =
        address->family == AF_UNIX ? x->request->unix_socket != NULL : x->request->proxy != NULL;
    socklen_t length = (socklen_t)address->addrlen;
    bool bare = x->plain && address_is_public(&address->addr, length);
    if (!chosen && (bare || !may_reach(x, &address->addr, length))) {
        x->refused = true;
        x->bare = bare;
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
    if (x->request->status_only)
        return n;
    isg_buf_put(body, data, n);
    if (body->err != ISG_OK) {
        (void)stop(x, "the answer is too large");
        x->limit = body->err;
        return 0;
    }
    (void)curl_easy_getinfo(x->curl, CURLINFO_SIZE_DOWNLOAD_T, &wire);
    size_t ratio = x->request->max_ratio != 0 ? x->request->max_ratio : RATIO_MAX;
    if (body->len > RATIO_FROM && wire > 0 && body->len / ratio > (size_t)wire) {
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
    curl_off_t max = x->request->max_wire != 0 ? (curl_off_t)x->request->max_wire : WIRE_MAX;
    if (is_stopped(x->request) || (x->request->status_only && x->answered))
        return 1;
    if (x->request->received != NULL)
        atomic_store(x->request->received, (unsigned long long)down);
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
                  {"message", &response->message},
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

/* The line that ends a head: of the answer, or of a 100 Continue before it. */
static void head_end(struct exchange *x)
{
    long status = 0;
    (void)curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
    x->answered = status >= 200;
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
    if (isg_str_trim(line).n == 0)
        head_end(x);
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
    int64_t left_ms = (x->end_us - isg_time_mono_us()) / 1000;
    long timeout = left_ms > 1 ? (long)left_ms : 1;
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TIMEOUT_MS, timeout);
    SET(CURLOPT_CONNECTTIMEOUT_MS, timeout < CONNECT_MS ? timeout : (long)CONNECT_MS);
    if (request->unix_socket == NULL && request->method == NULL) {
        SET(CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
        SET(CURLOPT_LOW_SPEED_TIME, (long)SLOW_S);
    }
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, x);
}

/* A proxy is what the request names, never what the environment does: "" switches that off. */
static void set_proxy(struct exchange *x)
{
    const struct feed_request *request = x->request;
    bool through = request->proxy != NULL && request->unix_socket == NULL;
    SET(CURLOPT_PROXY, through ? request->proxy : "");
    SET(CURLOPT_NOPROXY, "");
    SET(CURLOPT_HEADEROPT,
        (long)CURLHEADER_SEPARATE); /* a CONNECT carries no secrets of the feed */
    if (!through || request->proxy_auth == NULL)
        return;
    SET(CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC);
    SET(CURLOPT_PROXYUSERPWD, request->proxy_auth);
}

static void set_transport(struct exchange *x, bool plain)
{
    const struct feed_request *request = x->request;
    SET(CURLOPT_PROTOCOLS_STR, plain ? "http,https" : "https");
    SET(CURLOPT_REDIR_PROTOCOLS_STR, "https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_OPENSOCKETFUNCTION, on_socket);
    SET(CURLOPT_OPENSOCKETDATA, x);
    SET(CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
    set_proxy(x);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (request->ca != NULL) {
        SET(CURLOPT_CAINFO, request->ca);
        SET(CURLOPT_CAPATH, NULL);
    }
    SET(CURLOPT_USERAGENT, "isg/" ISG_VERSION);
    SET(CURLOPT_ACCEPT_ENCODING, request->status_only ? NULL : "gzip, deflate");
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

static int refuse_address(struct isg_fail *why)
{
    return isg_fail_at(why, ISG_ENET, NULL, "R-080",
                       "the address is private, loopback or reserved and not allowed");
}

static bool has_secrets(const struct feed_request *request)
{
    return request->user != NULL || request->bearer != NULL ||
           request->client_certificate != NULL ||
           (request->headers != NULL && request->headers[0] != NULL);
}

/*
 * Behind a proxy no socket shows the address: one that stands in the URL is looked at here. And
 * without TLS the proxy reads what goes through it: nothing secret does.
 */
static int check_proxied(const struct exchange *x, CURLU *url, struct isg_fail *why)
{
    struct sockaddr_storage address;
    socklen_t length;
    const struct feed_request *request = x->request;
    if (request->proxy == NULL || request->unix_socket != NULL)
        return ISG_OK;
    if (url_address(url, &address, &length) &&
        !may_reach(x, (const struct sockaddr *)&address, length))
        return refuse_address(why);
    if (x->plain && x->secrets && has_secrets(request))
        return isg_fail_at(why, ISG_ENET, NULL, "R-082",
                           "plain http through a proxy would show it what is secret");
    return ISG_OK;
}

static int check_url(struct exchange *x, struct isg_fail *why)
{
    CURLU *url = NULL;
    const struct feed_request *request = x->request;
    bool plain_may =
        x->allow_private || request->allow_address != NULL || request->unix_socket != NULL;
    int err = feed_url_check(x->url.p, plain_may, why);
    if (err == ISG_OK)
        err = url_parse(x->url.p, &url, why);
    if (err != ISG_OK)
        return err;
    x->plain = url_scheme_is(url, "http");
    err = check_proxied(x, url, why);
    curl_url_cleanup(url);
    return err;
}

static int prepare(struct exchange *x, struct isg_fail *why)
{
    int err = check_url(x, why);
    if (err != ISG_OK)
        return err;
    curl_easy_reset(x->curl);
    if (!headers_build(x))
        return isg_fail(why, ISG_EUSAGE, "a header cannot be sent");
    set_bounds(x);
    set_transport(x, x->plain);
    set_secrets(x);
    set_method(x);
    SET(CURLOPT_URL, x->url.p);
    SET(CURLOPT_HTTPHEADER, x->headers);
    return ISG_OK;
}

static int failure(const struct exchange *x, CURLcode code, struct isg_fail *why)
{
    if (x->refused && x->bare)
        return isg_fail_at(why, ISG_ENET, NULL, "R-079", "plain http leads to no public address");
    if (x->refused)
        return refuse_address(why);
    if (is_stopped(x->request))
        return isg_fail(why, ISG_EBUSY, "the service is stopping");
    if (x->limit != ISG_OK)
        return isg_fail_at(why, x->limit, NULL, "R-084", "%s", x->reason);
    return fetch_failed(x->curl, x->request, code, x->error, why);
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
    x->answered = false;
    CURLcode code = curl_easy_perform(x->curl);
    if (code != CURLE_OK && !(x->request->status_only && x->answered))
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
    return reads && x->request->body.p == NULL && x->response->location != NULL &&
           x->request->redirects != FEED_REDIRECTS_NEVER &&
           (status == 301 || status == 302 || status == 303 || status == 307 || status == 308);
}

/* Be at url: what depends on where the exchange is. Secrets that were left behind stay there. */
static int arrive(struct exchange *x, struct isg_str url)
{
    isg_buf_reset(&x->url);
    isg_buf_put_str(&x->url, url);
    if (x->url.err != ISG_OK)
        return x->url.err;
    bool home = feed_url_same_server(x->home, x->url.p) || x->request->unix_socket != NULL;
    x->secrets = x->secrets && home;
    x->allow_private = x->request->allow_private && url_same_host(x->home, x->url.p);
    return ISG_OK;
}

/* Move on to where the answer points. */
static int redirect(struct exchange *x, struct isg_fail *why)
{
    struct isg_buf next;
    if (x->secrets && x->request->redirects == FEED_REDIRECTS_AUTO && has_secrets(x->request))
        return isg_fail_at(why, ISG_ENET, NULL, "R-082",
                           "the source redirects, and a source with credentials is not followed");
    isg_buf_init(&next, (size_t)HEADER_VALUE_MAX * 2);
    int err = feed_url_join(x->url.p, x->response->location, &next, why);
    if (err != ISG_OK)
        err = isg_fail_at(why, ISG_ENET, NULL, "R-079", "the redirect leads to no usable URL");
    else if (strncmp(x->url.p, "https:", 6) == 0 && strncmp(next.p, "https:", 6) != 0)
        err = isg_fail_at(why, ISG_ENET, NULL, "R-079", "the redirect leads away from https");
    else
        err = arrive(x, isg_buf_str(&next));
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
    unsigned timeout_s = request->timeout_s != 0 ? request->timeout_s : TIMEOUT_S;
    struct exchange x = {.request = request,
                         .response = &response,
                         .home = request->home != NULL ? request->home : request->url,
                         .end_us = isg_time_mono_us() + (int64_t)timeout_s * 1000000,
                         .secrets = true};
    isg_buf_init(&response.body, request->max_bytes != 0 ? request->max_bytes : BODY_MAX);
    isg_buf_init(&x.url, 1 << 16);
    x.curl = curl_easy_init();
    int err = x.curl == NULL || arrive(&x, isg_str_of(request->url)) != ISG_OK
                  ? isg_fail(why, ISG_ENOMEM, "no memory")
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
