#include "gateway/http/guard.h"

#include <string.h>

#include "gateway/http/lexis.h"

enum { LENGTH_DIGITS_MAX = 15, VERSION_BYTES = 8 };

static int refuse(struct isg_fail *why, int status, const char *rule, const char *text)
{
    (void)isg_fail_at(why, ISG_EUSAGE, NULL, rule, "%s", text);
    return status;
}

/* ---- target ---- */

static bool is_hidden_byte(int c)
{
    return c < 0x20 || c == 0x7f;
}

/* A path keeps its meaning only if nothing in it decodes to a NUL, a control byte or a slash. */
static bool path_is_plain(struct isg_str path)
{
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] != '%')
            continue;
        int c = http_escape_at(path, i);
        if (is_hidden_byte(c) || c == '/' || c == '\\')
            return false;
    }
    return true;
}

static bool bytes_are_plain(struct isg_str target)
{
    for (size_t i = 0; i < target.n; i++) {
        int c = (unsigned char)target.p[i];
        if (is_hidden_byte(c) || c == ' ' || c == '#' || c >= 0x80)
            return false;
    }
    return true;
}

static int check_target(struct isg_str target, size_t max, struct isg_fail *why)
{
    if (target.n > max)
        return refuse(why, 414, "R-009", "the request target is too long");
    size_t mark = isg_str_find(target, '?');
    struct isg_str path = {target.p, mark < target.n ? mark : target.n};
    if (target.n == 0 || target.p[0] != '/' || !bytes_are_plain(target) || !path_is_plain(path))
        return refuse(why, 400, "R-009", "the request target is malformed");
    return 0;
}

/* ---- request line ---- */

static int check_line(const struct guard_head *head, size_t target_max, struct isg_fail *why)
{
    if (strcmp(head->version, "HTTP/1.1") != 0)
        return refuse(why, 505, NULL, "only HTTP/1.1 is spoken here");
    if (!http_is_token(head->method))
        return refuse(why, 400, "R-008", "the method is malformed");
    if (isg_str_is(head->method, "CONNECT") || isg_str_is(head->method, "TRACE"))
        return refuse(why, 501, NULL, "this method is not implemented");
    return check_target(head->target, target_max, why);
}

/* ---- header lines ---- */

static int check_lines(const struct guard_head *head, size_t header_max, struct isg_fail *why)
{
    if (head->count > GUARD_HEADERS_MAX || head->header_size > header_max + head->target.n)
        return refuse(why, 431, "R-008", "the request headers are too large");
    for (size_t i = 0; i < head->count; i++)
        if (!http_is_token(head->lines[i].name) || !http_is_field_text(head->lines[i].value))
            return refuse(why, 400, "R-008", "a request header is malformed");
    return 0;
}

/* How often a header is there; *out is the last one's value. */
static unsigned find(const struct guard_head *head, struct isg_str name, struct isg_str *out)
{
    unsigned n = 0;
    for (size_t i = 0; i < head->count; i++) {
        if (isg_str_ieq(head->lines[i].name, name)) {
            *out = head->lines[i].value;
            n++;
        }
    }
    return n;
}

static bool is_host(struct isg_str host)
{
    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];
        if ((unsigned char)c <= ' ' || (unsigned char)c >= 0x7f || strchr("/\\?#@,\"<>", c) != NULL)
            return false;
    }
    return host.n > 0;
}

static int check_host(const struct guard_head *head, struct isg_fail *why)
{
    struct isg_str host = {NULL, 0};
    if (find(head, ISG_STR("Host"), &host) != 1 || !is_host(isg_str_trim(host)))
        return refuse(why, 400, "R-009", "exactly one Host header is needed");
    return 0;
}

/* One exact "chunked", or one Content-Length of digits, never both. */
static int check_framing(const struct guard_head *head, struct guard_body *body,
                         struct isg_fail *why)
{
    struct isg_str coding = {NULL, 0};
    struct isg_str length = {NULL, 0};
    unsigned codings = find(head, ISG_STR("Transfer-Encoding"), &coding);
    unsigned lengths = find(head, ISG_STR("Content-Length"), &length);
    if (codings + lengths > 1)
        return refuse(why, 400, "R-004", "the length of the body is given twice");
    if (codings == 1 && !isg_str_ieq(coding, ISG_STR("chunked")))
        return refuse(why, 400, "R-004", "this transfer coding is not understood");
    if (lengths == 1 &&
        (length.n > LENGTH_DIGITS_MAX || !isg_str_to_u64(length, UINT64_MAX, &body->length)))
        return refuse(why, 400, "R-005", "Content-Length is not a number");
    body->chunked = codings == 1;
    return 0;
}

static int check_wishes(const struct guard_head *head, struct guard_body *body,
                        struct isg_fail *why)
{
    struct isg_str value = {NULL, 0};
    unsigned expects = find(head, ISG_STR("Expect"), &value);
    if (expects > 1 || (expects == 1 && !isg_str_ieq(value, ISG_STR("100-continue"))))
        return refuse(why, 417, NULL, "only the expectation 100-continue is met");
    body->expects_continue = expects == 1;
    unsigned codings = find(head, ISG_STR("Content-Encoding"), &value);
    if (codings > 1 || (codings == 1 && !isg_str_ieq(isg_str_trim(value), ISG_STR("identity"))))
        return refuse(why, 415, "R-019", "request bodies must not be compressed");
    return 0;
}

int guard_check(const struct guard_head *head, const struct guard_limits *limits,
                struct guard_body *out_body, struct isg_fail *why)
{
    struct guard_body body = {.chunked = false};
    int status = check_line(head, limits->target_max, why);
    if (status == 0)
        status = check_lines(head, limits->header_max, why);
    if (status == 0)
        status = check_host(head, why);
    if (status == 0)
        status = check_framing(head, &body, why);
    if (status != 0)
        return status;
    status = check_wishes(head, &body, why);
    *out_body = body;
    return status;
}

/* ---- layout ---- */

static bool two_nuls_at(const char *p)
{
    return p[0] == '\0' && p[1] == '\0';
}

/* From the colon's NUL to the value there is nothing but blanks. */
static bool value_follows(const struct guard_line *line)
{
    const char *p = line->name.p + line->name.n;
    if (line->value.p <= p || *p != '\0')
        return false;
    for (p++; p < line->value.p; p++)
        if (*p != ' ' && *p != '\t')
            return false;
    return true;
}

bool guard_layout_holds(const struct guard_head *head)
{
    const char *start = head->method.p;
    const char *at = start + head->method.n + 1;
    if (head->count > GUARD_HEADERS_MAX || head->target_at != at)
        return false;
    at += head->target.n + 1;
    if (head->version != at || strlen(at) != VERSION_BYTES)
        return false;
    at += VERSION_BYTES;
    for (size_t i = 0; i < head->count; i++) {
        const struct guard_line *line = &head->lines[i];
        if (!two_nuls_at(at) || line->name.p != at + 2 || !value_follows(line))
            return false;
        at = line->value.p + line->value.n;
    }
    /* the end of the last line, then the empty line, then nothing that was parsed */
    return two_nuls_at(at) && two_nuls_at(at + 2) && head->header_size == (size_t)(at + 4 - start);
}
