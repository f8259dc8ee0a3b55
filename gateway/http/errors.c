#include "gateway/http/request.h"
#include "stix/base/jsonw.h"
#include "stix/base/utf8.h"

enum { ERROR_BYTES_MAX = 8192 };

static const struct {
    int code;
    const char *name;
} code_names[] = {
    {ISG_EPARSE, "not-well-formed"},
    {ISG_EINVAL, "breaks-a-rule"},
    {ISG_ELIMIT, "over-a-limit"},
    {ISG_ENOENT, "not-found"},
    {ISG_ECONFLICT, "conflict"},
    {ISG_EDENIED, "not-allowed"},
    {ISG_EAUTH, "not-authenticated"},
    {ISG_ESIGN, "signature"},
    {ISG_EBUSY, "busy"},
    {ISG_ESTORE, "store"},
};

static const char *code_name(int code)
{
    for (size_t i = 0; i < sizeof code_names / sizeof code_names[0]; i++)
        if (code_names[i].code == code)
            return code_names[i].name;
    return NULL;
}

static const char *text_or_null(const char *text)
{
    return text[0] != '\0' && isg_utf8_is_valid(isg_str_of(text)) ? text : NULL;
}

/* What broke inside is for the log, not for the other side (T-068). */
static bool may_explain(int status)
{
    return status < 500 || status == 501 || status == 503 || status == 505;
}

static void write_details(struct isg_jsonw *w, const struct isg_fail *why)
{
    const char *path = text_or_null(why->path);
    const char *rule = text_or_null(why->rule);
    if (path == NULL && rule == NULL)
        return;
    isg_jsonw_name(w, "details");
    isg_jsonw_object(w);
    isg_jsonw_put(w, "path", path);
    isg_jsonw_put(w, "rule", rule);
    isg_jsonw_end(w);
}

static void write_error(struct isg_buf *out, const struct http_request *request, int status,
                        const struct isg_fail *why)
{
    struct isg_jsonw w;
    char digits[4] = {(char)('0' + status / 100 % 10), (char)('0' + status / 10 % 10),
                      (char)('0' + status % 10), '\0'};
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "title", reply_phrase(status));
    if (why != NULL)
        isg_jsonw_put(&w, "description", text_or_null(why->text));
    if (status != 404) /* hidden and absent get the very same bytes (T-068) */
        isg_jsonw_put(&w, "error_id", request->id);
    if (why != NULL)
        isg_jsonw_put(&w, "error_code", code_name(why->code));
    isg_jsonw_put(&w, "http_status", digits); /* a string (T-066) */
    if (why != NULL)
        write_details(&w, why);
    isg_jsonw_end(&w);
}

void http_fail(struct http_request *request, int status, const struct isg_fail *why)
{
    struct isg_buf out;
    isg_buf_init(&out, ERROR_BYTES_MAX);
    write_error(&out, request, status, may_explain(status) ? why : NULL);
    http_status(request, status);
    http_set_header(request, "Content-Type", ISG_STR("application/taxii+json;version=2.1"));
    http_bytes_unref(&request->bytes);
    size_t n = 0;
    char *text = isg_buf_take(&out, &n);
    if (text != NULL)
        request->bytes = http_bytes_take(text, n);
    isg_buf_done(&out);
}
