/*
 * URLs and mail addresses (feeds digest 3.2): scheme and host canonical, the rest byte for byte,
 * since two URLs that differ there are two indicators.
 */
#include <string.h>

#include "feeds/ioc_kinds.h"
#include "feeds/text.h"

static const struct {
    const char *scheme;
    unsigned port;
} default_ports[] = {{"http", 80}, {"https", 443}, {"ftp", 21}, {"ws", 80}, {"wss", 443}};

/* A URL taken apart; views of the text but for scheme. */
struct url {
    struct isg_str scheme; /* lower case */
    struct isg_str user;   /* with its '@', or empty */
    struct isg_str host;
    struct isg_str port; /* without its colon, or empty */
    struct isg_str rest; /* path, query and fragment */
};

static bool is_scheme(struct isg_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        bool more = (c >= '0' && c <= '9') || c == '+' || c == '.' || c == '-';
        if (!letter && (i == 0 || !more))
            return false;
    }
    return text.n > 0 && text.n <= 32;
}

static bool has_control(struct isg_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
            return true;
    }
    return false;
}

/* Offset of "://", or SIZE_MAX. */
static size_t find_mark(struct isg_str text)
{
    for (size_t i = 0; i + 2 < text.n; i++) {
        if (memcmp(text.p + i, "://", 3) == 0)
            return i;
    }
    return SIZE_MAX;
}

/* Cut user information, host and port out of the authority; IPv6 hosts keep their brackets. */
static void cut_authority(struct isg_str authority, struct url *out)
{
    size_t at = 0;
    for (size_t i = 0; i < authority.n; i++) {
        if (authority.p[i] == '@')
            at = i + 1;
    }
    out->user = (struct isg_str){authority.p, at};
    out->host = isg_str_from(authority, at);
    for (size_t i = out->host.n; i-- > 0 && out->host.p[i] != ']';) {
        if (out->host.p[i] == ':') {
            out->port = isg_str_from(out->host, i + 1);
            out->host.n = i;
            break;
        }
    }
}

static bool cut(struct ioc_reader *reader, struct isg_str text, struct url *out)
{
    size_t mark = find_mark(text);
    if (mark == SIZE_MAX || !is_scheme((struct isg_str){text.p, mark}))
        return ioc_refuse(reader, "a URL without a scheme");
    *out = (struct url){.scheme = text_lower(reader->arena, (struct isg_str){text.p, mark})};
    struct isg_str rest = isg_str_from(text, mark + 3);
    size_t n = 0;
    while (n < rest.n && strchr("/?#", rest.p[n]) == NULL)
        n++;
    out->rest = isg_str_from(rest, n);
    cut_authority((struct isg_str){rest.p, n}, out);
    return out->host.n > 0 || ioc_refuse(reader, "a URL without a host");
}

static bool is_default_port(struct isg_str scheme, uint64_t port)
{
    for (size_t i = 0; i < sizeof default_ports / sizeof default_ports[0]; i++) {
        if (isg_str_is(scheme, default_ports[i].scheme))
            return port == default_ports[i].port;
    }
    return false;
}

/* ":port" as it is written, or nothing for the scheme's own; NULL when it is no port. */
static const char *port_text(struct ioc_reader *reader, const struct url *url)
{
    uint64_t port;
    if (url->port.n == 0)
        return "";
    if (!isg_str_to_u64(url->port, 65535, &port) || port == 0)
        return NULL;
    if (is_default_port(url->scheme, port))
        return "";
    return isg_arena_printf(reader->arena, ":%u", (unsigned)port);
}

static bool read_host(struct ioc_reader *reader, struct isg_str host, struct ioc *out)
{
    bool bracketed = isg_str_starts(host, ISG_STR("["));
    bool bare_v6 = !bracketed && isg_str_find(host, ':') != SIZE_MAX;
    if (!bare_v6 && ioc_read_address(reader, host, out))
        return bracketed == (out->kind == IOC_IPV6) || (bracketed && out->kind == IOC_IPV4);
    return !bracketed && ioc_read_domain(reader, host, out) && !out->wildcard;
}

bool ioc_read_url(struct ioc_reader *reader, struct isg_str text, struct ioc *out)
{
    struct url url = {0};
    struct ioc host = {0};
    if (has_control(text))
        return ioc_refuse(reader, "a URL with control characters");
    if (!cut(reader, text, &url))
        return false;
    const char *port = port_text(reader, &url);
    if (port == NULL)
        return ioc_refuse(reader, "a URL with a port that is none");
    if (!read_host(reader, url.host, &host))
        return ioc_refuse(reader, "a URL with a host that is none");
    bool v6 = host.kind == IOC_IPV6;
    struct isg_buf buf;
    isg_buf_init(&buf, ISG_BUF_NO_MAX);
    isg_buf_printf(&buf, "%.*s://%.*s%s%.*s%s%s", ISG_STR_ARG(url.scheme), ISG_STR_ARG(url.user),
                   v6 ? "[" : "", ISG_STR_ARG(host.value), v6 ? "]" : "", port);
    isg_buf_put_str(&buf, url.rest);
    *out = host;
    out->kind = IOC_URL;
    out->host = host.value;
    out->value = isg_str_of(isg_arena_copy(reader->arena, isg_buf_str(&buf)));
    out->credentials = url.user.n > 0;
    isg_buf_done(&buf);
    return out->value.n > 0;
}

/* The address in `Name <a@b>`, else the whole. */
static struct isg_str inside_angles(struct isg_str text)
{
    size_t open = isg_str_find(text, '<');
    if (open == SIZE_MAX || text.p[text.n - 1] != '>')
        return text;
    return isg_str_trim((struct isg_str){text.p + open + 1, text.n - open - 2});
}

bool ioc_read_email(struct ioc_reader *reader, struct isg_str text, struct ioc *out)
{
    struct ioc domain = {0};
    size_t at = SIZE_MAX;
    if (text.n > 0)
        text = inside_angles(text);
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '@')
            at = i;
        else if ((unsigned char)text.p[i] <= ' ' || text.p[i] == '<')
            return ioc_refuse(reader, "not a mail address");
    }
    if (at == SIZE_MAX || at == 0 || at > 64)
        return ioc_refuse(reader, "not a mail address");
    if (!ioc_read_domain(reader, isg_str_from(text, at + 1), &domain) || domain.wildcard)
        return ioc_refuse(reader, "a mail address without a domain");
    *out = domain;
    out->kind = IOC_EMAIL;
    out->host = domain.value;
    out->value = isg_str_of(
        isg_arena_printf(reader->arena, "%.*s@%.*s", (int)at, text.p, ISG_STR_ARG(domain.value)));
    return out->value.n > 0;
}
