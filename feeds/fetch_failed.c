#include "feeds/fetch_failed.h"

#include <errno.h>
#include <stdio.h>

/* What libcurl built on GnuTLS says where its codes do not tell the cases apart. */
static const char unknown_server[] = "server certificate verification failed";
static const char broken_session[] = "GnuTLS recv error";
static const char unfit_pair[] = "error reading X.509";

static bool says(const char *text, const char *begin)
{
    return isg_str_starts(isg_str_of(text), isg_str_of(begin));
}

/* A file of the request that cannot be opened; libcurl does not say which. */
static int find_unreadable(const struct feed_request *request, struct isg_fail *why)
{
    const char *const paths[] = {request->ca, request->client_certificate, request->client_key};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        FILE *file = paths[i] != NULL ? fopen(paths[i], "re") : NULL;
        if (paths[i] != NULL && file == NULL)
            return isg_fail(why, ISG_EIO, "%.180s: %s", paths[i], ISG_OS_ERROR(errno));
        if (file != NULL)
            (void)fclose(file);
    }
    return ISG_OK;
}

/* Whose certificate it was, and by what it was judged: that of a proxy by the system's authorities. */
static int unknown_failed(CURL *curl, const struct feed_request *request, struct isg_fail *why)
{
    long status = 0;
    (void)curl_easy_getinfo(curl, CURLINFO_HTTP_CONNECTCODE, &status);
    bool proxy = request->proxy != NULL && says(request->proxy, "https:") && status == 0;
    return isg_fail(why, ISG_ENET, "the %s's certificate is not valid by %.180s",
                    proxy ? "proxy" : "server",
                    proxy || request->ca == NULL ? "the system's authorities" : request->ca);
}

static const char *or_none(const char *path)
{
    return path != NULL ? path : "no file";
}

static int tls_failed(CURL *curl, const struct feed_request *request, CURLcode code,
                      const char *text, struct isg_fail *why)
{
    int err = find_unreadable(request, why);
    if (err != ISG_OK)
        return err;
    if (code == CURLE_SSL_CACERT_BADFILE)
        return isg_fail(why, ISG_EIO, "%.180s: no PEM file with authorities",
                        request->ca != NULL ? request->ca : "the system's authorities");
    if (says(text, unfit_pair))
        return isg_fail(why, ISG_EIO, "%.100s, %.100s: no client certificate and its key (PEM)",
                        or_none(request->client_certificate), or_none(request->client_key));
    if (says(text, unknown_server))
        return unknown_failed(curl, request, why);
    return isg_fail(why, ISG_ENET, "%s", text);
}

static int proxy_failed(CURL *curl, const char *text, struct isg_fail *why)
{
    long status = 0;
    (void)curl_easy_getinfo(curl, CURLINFO_HTTP_CONNECTCODE, &status);
    if (status == 407)
        return isg_fail(why, ISG_ENET, "the proxy wants another login (407)");
    if (status >= 300)
        return isg_fail(why, ISG_ENET, "the proxy leads nowhere: status %ld", status);
    return isg_fail(why, ISG_ENET, "the proxy: %s", text);
}

/* Before the tunnel stood, it was the proxy's doing. */
static bool is_proxys(CURL *curl, const struct feed_request *request, CURLcode code)
{
    long status = 0;
    (void)curl_easy_getinfo(curl, CURLINFO_HTTP_CONNECTCODE, &status);
    return request->proxy != NULL && request->unix_socket == NULL &&
           (code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_COULDNT_CONNECT ||
            code == CURLE_PROXY || status >= 300);
}

int fetch_failed(CURL *curl, const struct feed_request *request, CURLcode code, const char *text,
                 struct isg_fail *why)
{
    if (text[0] == '\0')
        text = curl_easy_strerror(code);
    if (code == CURLE_OUT_OF_MEMORY)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    if (is_proxys(curl, request, code))
        return proxy_failed(curl, text, why);
    if (says(text, broken_session))
        return isg_fail(why, ISG_ENET, "the server ended the session (%s): it may want %s", text,
                        request->client_certificate == NULL ? "a client certificate"
                                                            : "another client certificate");
    if (code == CURLE_SSL_CONNECT_ERROR || code == CURLE_SSL_CERTPROBLEM ||
        code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
        return tls_failed(curl, request, code, text, why);
    return isg_fail(why, ISG_ENET, "%s", text);
}
