#include "feeds/fetch_url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "feeds/fetch.h"

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

bool url_scheme_is(CURLU *url, const char *scheme)
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

int url_parse(const char *text, CURLU **out, struct isg_fail *why)
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

bool url_same_host(const char *a, const char *b)
{
    CURLU *x = NULL;
    CURLU *y = NULL;
    bool same = url_parse(a, &x, NULL) == ISG_OK && url_parse(b, &y, NULL) == ISG_OK &&
                same_part(x, y, CURLUPART_HOST);
    curl_url_cleanup(x);
    curl_url_cleanup(y);
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

bool url_address(CURLU *url, struct sockaddr_storage *out, socklen_t *out_length)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    char *host = url_part(url, CURLUPART_HOST);
    size_t n = host == NULL ? 0 : strlen(host);
    *out = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
    if (n > 0 && (strcasecmp(host, "localhost") == 0 ||
                  (n > 10 && strcasecmp(host + n - 10, ".localhost") == 0))) {
        *v4 =
            (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    } else if (n > 2 && host[0] == '[') {
        host[n - 1] = '\0';
        if (inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1)
            v6->sin6_family = AF_INET6;
    } else if (n > 0 && inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
    }
    *out_length = out->ss_family == AF_INET6 ? sizeof *v6 : sizeof *v4;
    curl_free(host);
    return out->ss_family != AF_UNSPEC;
}
