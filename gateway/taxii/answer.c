#include "gateway/taxii/call.h"

/* Always exactly this, whatever was asked for: clients compare it as text (T-013, X-04). */
#define TAXII_MEDIA_TYPE "application/taxii+json;version=2.1"

void call_headers(struct call *call)
{
    http_set_header(call->request, "Content-Type", ISG_STR(TAXII_MEDIA_TYPE));
    http_set_header(call->request, "Cache-Control", ISG_STR("private, no-cache, no-transform"));
    http_set_header(call->request, "Vary", ISG_STR("Accept, Accept-Encoding, Authorization"));
}

static int code_of(int status)
{
    static const struct {
        int status;
        int code;
    } rows[] = {{401, ISG_EAUTH},
                {403, ISG_EDENIED},
                {404, ISG_ENOENT},
                {429, ISG_ELIMIT},
                {503, ISG_EBUSY}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].status == status)
            return rows[i].code;
    return ISG_EINVAL;
}

enum http_next call_refuse(struct call *call, int status, const char *rule, const char *text)
{
    struct isg_fail why;
    (void)isg_fail_at(&why, code_of(status), NULL, rule, "%s", text);
    http_fail(call->request, status, &why);
    return HTTP_DONE;
}

enum http_next call_not_found(struct call *call)
{
    /* One text for all: it must not tell an absent thing from a hidden one (T-068, X-25). */
    return call_refuse(call, 404, NULL,
                       "there is nothing here for this member; discovery is at /taxii2/");
}

enum http_next call_unauthorized(struct call *call)
{
    (void)call_refuse(call, 401, NULL, "credentials are missing or not valid");
    http_set_header(call->request, "WWW-Authenticate", isg_str_of(call->taxii->challenge));
    return HTTP_DONE;
}

enum http_next call_failed(struct call *call, const struct isg_fail *why)
{
    int status = isg_err_http(why->code);
    bool temporary = isg_err_is_temporary(why->code);
    /* What the store said is for the log of the room below, not for members (T-068). */
    (void)call_refuse(call, temporary ? 503 : status, NULL,
                      temporary ? "the service cannot answer this now; try again"
                                : "the request could not be processed");
    if (temporary)
        http_set_header(call->request, "Retry-After", ISG_STR("5"));
    return HTTP_DONE;
}

enum http_next call_send(struct call *call, int status, struct http_bytes *bytes)
{
    http_status(call->request, status);
    call_headers(call);
    http_send(call->request, bytes);
    return HTTP_DONE;
}

enum http_next call_send_buf(struct call *call, int status, struct isg_buf *take_buf)
{
    size_t n = 0;
    char *text = isg_buf_take(take_buf, &n);
    isg_buf_done(take_buf);
    struct http_bytes *bytes = text != NULL ? http_bytes_take(text, n) : NULL;
    if (bytes == NULL) {
        struct isg_fail why;
        (void)isg_fail(&why, ISG_ENOMEM, "out of memory");
        return call_failed(call, &why);
    }
    enum http_next next = call_send(call, status, bytes);
    http_bytes_unref(&bytes);
    return next;
}
