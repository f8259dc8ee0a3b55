/* One GET of a feed, as its settings say. */
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "feeds/document.h"
#include "gateway/sync/feed_run.h"

/* asked: with a validator, so that "not modified" says something. */
static int judge(const struct feed_response *response, bool asked, struct isg_fail *why)
{
    switch (response->status) {
    case 200: return ISG_OK;
    case 304:
        if (asked)
            return ISG_OK;
        return isg_fail(why, ISG_ENET,
                        "the source answered \"not modified\" (304), but nothing is known of it");
    case 401: return isg_fail(why, ISG_EAUTH, "the source wants other credentials (401)");
    case 403: return isg_fail(why, ISG_EDENIED, "the source refuses (403)");
    case 404: return isg_fail(why, ISG_ENOENT, "nothing at the source's URL (404)");
    default: return isg_fail(why, ISG_ENET, "the source answered with status %d", response->status);
    }
}

static enum feed_redirects redirects_of(const char *word)
{
    if (strcmp(word, "never") == 0)
        return FEED_REDIRECTS_NEVER;
    return strcmp(word, "follow") == 0 ? FEED_REDIRECTS_FOLLOW : FEED_REDIRECTS_AUTO;
}

/* An address of allow_networks. */
static bool is_allowed(const void *arg, const struct sockaddr *address, socklen_t length)
{
    char text[NETWORKS_ADDRESS_TEXT];
    return getnameinfo(address, length, text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0 &&
           networks_have(arg, isg_str_of(text));
}

static struct feed_request request_of(const struct feed_run *run, const char *url)
{
    const struct feed_def *def = run->def;
    return (struct feed_request){.url = url,
                                 .home = def->url,
                                 .headers = run->headers.lines,
                                 .ca = def->ca,
                                 .client_certificate = def->client_certificate,
                                 .client_key = def->client_key,
                                 .proxy = def->proxy,
                                 .proxy_auth = run->proxy_auth,
                                 .redirects = redirects_of(def->redirects),
                                 .allow_private = def->allow_private,
                                 .allow_address = run->networks != NULL ? is_allowed : NULL,
                                 .allow_arg = run->networks,
                                 .timeout_s = def->timeout_s,
                                 .max_wire = def->max_wire,
                                 .max_bytes = def->max_bytes,
                                 .max_ratio = def->max_ratio,
                                 .stop = run->parts->stop,
                                 .received = &run->progress->bytes};
}

int feed_run_get(struct feed_run *run, const char *url, const char *etag, const char *last_modified,
                 struct feed_response *out, struct isg_fail *why)
{
    struct feed_request request = request_of(run, url);
    struct feed_response response = {0};
    request.etag = etag != NULL && etag[0] != '\0' ? etag : NULL;
    request.last_modified =
        last_modified != NULL && last_modified[0] != '\0' ? last_modified : NULL;
    atomic_store(&run->progress->stage, FEED_FETCH);
    int err = feed_fetch_patiently(&request, &response, why);
    if (err != ISG_OK)
        return err;
    atomic_fetch_add(&run->progress->documents, 1);
    run->retry_after_s = response.retry_after_s;
    (void)snprintf(run->message, sizeof run->message, "%s",
                   response.message != NULL ? response.message : "");
    err = judge(&response, request.etag != NULL || request.last_modified != NULL, why);
    if (err == ISG_OK && response.status == 200 &&
        feed_is_html(isg_str_of(response.content_type), isg_buf_str(&response.body)))
        err = isg_fail(why, ISG_EPARSE, "the source answered with an HTML page");
    if (err == ISG_OK)
        *out = response;
    else
        feed_response_done(&response);
    return err;
}

int feed_run_document(const struct feed_run *run, struct feed_response *response,
                      struct isg_fail *why)
{
    struct isg_str type = isg_str_of(response->content_type);
    int err = document_unpack(&response->body, run->def->max_bytes, run->def->max_ratio, why);
    if (err == ISG_OK)
        err = document_decode(type, &response->body, why);
    return err;
}
