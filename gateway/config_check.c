#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/config_table.h"
#include "gateway/networks.h"
#include "stix/base/utf8.h"

enum { HOST_BYTES = 256, WORD_MAX = 64 };

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit byte_units[] = {
    {"", 1},          {"B", 1},       {"KiB", 1 << 10}, {"MiB", 1 << 20},
    {"GiB", 1 << 30}, {"kB", 1000},   {"MB", 1000000},  {"K", 1 << 10},
    {"M", 1 << 20},   {"G", 1 << 30}, {NULL, 0},
};
static const struct unit ms_units[] = {
    {"", 1}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"min", 60000}, {"h", 3600000}, {NULL, 0},
};
static const struct unit second_units[] = {
    {"", 1}, {"s", 1}, {"m", 60}, {"min", 60}, {"h", 3600}, {"d", 86400}, {NULL, 0},
};
static const struct unit no_units[] = {{"", 1}, {NULL, 0}};

/* The numbers among the types: their units, and what is said of a text that is none. */
static const struct {
    const struct unit *units;
    const char *wrong;
} numbers[] = {
    [SETTING_COUNT] = {no_units, "is not a number"},
    [SETTING_BYTES] = {byte_units, "is not a size like 65536, 64KiB or 10MiB"},
    [SETTING_MS] = {ms_units, "is not a time like 500ms, 30s or 5m"},
    [SETTING_SECONDS] = {second_units, "is not a time like 90s, 15m, 24h or 30d"},
};

/* Digits, blanks, a unit of the table. */
static bool parse_number(struct isg_str text, const struct unit *unit, uint64_t *out)
{
    uint64_t number = 0;
    size_t digits = 0;
    while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
        digits++;
    if (!isg_str_to_u64((struct isg_str){text.p, digits}, UINT32_MAX, &number))
        return false;
    struct isg_str rest = isg_str_trim(isg_str_from(text, digits));
    for (; unit->name != NULL; unit++) {
        if (isg_str_is(rest, unit->name)) {
            *out = number * unit->factor;
            return true;
        }
    }
    return false;
}

bool config_seconds(struct isg_str text, uint64_t *out)
{
    return parse_number(text, second_units, out);
}

/* HOST:PORT with [..] around an IPv6 address; host may be NULL. */
static bool split_address(struct isg_str text, char host[HOST_BYTES], uint64_t *out_port)
{
    size_t colon = text.n;
    while (colon > 0 && text.p[colon - 1] != ':')
        colon--;
    if (colon < 2 || !isg_str_to_u64(isg_str_from(text, colon), 65535, out_port))
        return false;
    struct isg_str name = {text.p, colon - 1};
    bool bracketed = name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']';
    if (bracketed)
        name = (struct isg_str){name.p + 1, name.n - 2};
    if (name.n == 0 || name.n >= HOST_BYTES)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_%:",
                   name.p[i]) == NULL ||
            (name.p[i] == ':' && !bracketed))
            return false;
    (void)snprintf(host, HOST_BYTES, "%.*s", ISG_STR_ARG(name));
    return true;
}

static bool is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (strcmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/* Loopback of HOST:PORT, or of HOST alone. */
static bool is_loopback_address(struct isg_str text)
{
    char host[HOST_BYTES];
    uint64_t port = 0;
    if (split_address(text, host, &port))
        return is_loopback(host);
    if (text.n > 2 && text.p[0] == '[')
        text = (struct isg_str){text.p + 1, text.n - 2};
    (void)snprintf(host, sizeof host, "%.*s", ISG_STR_ARG(text));
    return is_loopback(host);
}

static const char *check_text(const struct setting *row, struct isg_str text)
{
    struct isg_str rest = text;
    (void)row;
    if (isg_str_trim(text).n == 0)
        return "is empty";
    for (int32_t cp = isg_utf8_next(&rest); cp != -1; cp = isg_utf8_next(&rest))
        if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
            return "holds control characters or is not UTF-8";
    return NULL;
}

static const char *check_word(const struct setting *row, struct isg_str text)
{
    (void)row;
    if (text.n == 0 || text.n > WORD_MAX || text.p[0] == '.' || text.p[0] == '-')
        return "must be 1 to 64 letters, digits, '.', '_' or '-'";
    for (size_t i = 0; i < text.n; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
                   text.p[i]) == NULL)
            return "must be 1 to 64 letters, digits, '.', '_' or '-'";
    return NULL;
}

static const char *check_address(const struct setting *row, struct isg_str text)
{
    char host[HOST_BYTES];
    uint64_t port = 0;
    (void)row;
    return split_address(text, host, &port) ? NULL : "must be HOST:PORT";
}

/* The part between "//" and the next '/', '?' or '#'. */
static struct isg_str authority_of(struct isg_str url)
{
    size_t from = isg_str_find(url, ':');
    struct isg_str rest = isg_str_from(url, from < url.n ? from + 3 : url.n);
    size_t n = 0;
    while (n < rest.n && strchr("/?#", rest.p[n]) == NULL)
        n++;
    return (struct isg_str){rest.p, n};
}

static const char *check_web(const struct setting *row, struct isg_str text)
{
    (void)row;
    if (!isg_str_starts(text, ISG_STR("https://")) && !isg_str_starts(text, ISG_STR("http://")))
        return "must begin with https:// or http://";
    struct isg_str host = authority_of(text);
    if (host.n == 0)
        return "names no host";
    if (isg_str_find(host, '@') < host.n)
        return "must not hold a password: name a file";
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] <= 0x20 || (unsigned char)text.p[i] >= 0x7f)
            return "holds blanks or characters beyond ASCII";
    return NULL;
}

/* HOST, or HOST:PORT. */
static bool is_host_and_port(struct isg_str text)
{
    char host[HOST_BYTES];
    char with_port[HOST_BYTES + 3];
    uint64_t port = 0;
    if (split_address(text, host, &port))
        return port > 0;
    int n = snprintf(with_port, sizeof with_port, "%.*s:1", ISG_STR_ARG(text));
    return n > 0 && (size_t)n < sizeof with_port &&
           split_address((struct isg_str){with_port, (size_t)n}, host, &port);
}

static const char *check_public(const struct setting *row, struct isg_str text)
{
    const char *wrong = check_web(row, text);
    if (wrong != NULL)
        return wrong;
    struct isg_str host = authority_of(text);
    if (!is_host_and_port(host))
        return "names no host, or a port that is none";
    if (host.p + host.n != text.p + text.n)
        return "must be a scheme, a host and a port, with nothing behind, not even a slash";
    if (isg_str_starts(text, ISG_STR("http://")) && !is_loopback_address(host))
        return "must be https:// (http:// only on loopback)";
    return NULL;
}

static const char *check_redis(const struct setting *row, struct isg_str text)
{
    char host[HOST_BYTES];
    uint64_t port = 0;
    (void)row;
    if (isg_str_starts(text, ISG_STR("unix:")))
        return text.n > 5 ? NULL : "names no socket";
    if (isg_str_starts(text, ISG_STR("rediss://")))
        return "cannot be TLS: use a Unix socket or a tunnel";
    if (!isg_str_starts(text, ISG_STR("redis://")))
        return "must be unix:PATH or redis://HOST:PORT[/DB]";
    struct isg_str at = authority_of(text);
    if (isg_str_find(at, '@') < at.n)
        return "must not hold a password: use redis.password_file";
    if (!split_address(at, host, &port) || port == 0)
        return "must be redis://HOST:PORT[/DB]";
    struct isg_str rest = {at.p + at.n, (size_t)(text.p + text.n - (at.p + at.n))};
    if (rest.n > 0 && (rest.p[0] != '/' || !isg_str_to_u64(isg_str_from(rest, 1), 65535, &port)))
        return "must end with the number of a database";
    return NULL;
}

static const char *check_proxy(const struct setting *row, struct isg_str text)
{
    static const char *const schemes[] = {"http://", "https://", "socks5h://"};
    char host[HOST_BYTES];
    uint64_t port = 0;
    (void)row;
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        struct isg_str scheme = isg_str_of(schemes[i]);
        struct isg_str rest = isg_str_from(text, scheme.n);
        if (isg_str_starts(text, scheme) && isg_str_ends(rest, ISG_STR("/")))
            rest.n--;
        if (isg_str_starts(text, scheme) && split_address(rest, host, &port) && port > 0)
            return NULL;
    }
    return "must be http://, https:// or socks5h://HOST:PORT, without a password";
}

bool config_is_urn(struct isg_str text)
{
    struct isg_str rest = isg_str_from(text, 4);
    size_t colon = isg_str_find(rest, ':');
    bool good =
        isg_str_starts(text, ISG_STR("urn:")) && colon > 1 && colon < rest.n && colon + 1 < rest.n;
    for (size_t i = 0; i < text.n; i++)
        good = good && (unsigned char)text.p[i] > 0x20 && (unsigned char)text.p[i] < 0x7f;
    return good;
}

static const char *check_urn(const struct setting *row, struct isg_str text)
{
    (void)row;
    return config_is_urn(text) ? NULL : "must be urn:NAMESPACE:NAME";
}

static const char *check_networks(const struct setting *row, struct isg_str text)
{
    struct networks *networks = NULL;
    (void)row;
    if (networks_parse(text, &networks, NULL) != ISG_OK)
        return "must be addresses or ADDRESS/BITS, separated by commas";
    networks_free(&networks);
    return isg_str_trim(text).n > 0 ? NULL : "is empty";
}

static const char *check_choice(const struct setting *row, struct isg_str text)
{
    struct isg_str rest = isg_str_of(row->choices);
    struct isg_str choice;
    while (isg_str_split(&rest, '|', &choice))
        if (isg_str_eq(choice, text))
            return NULL;
    return "is none of the choices";
}

static const char *check_bool(const struct setting *row, struct isg_str text)
{
    (void)row;
    return isg_str_is(text, "true") || isg_str_is(text, "false") ? NULL : "must be true or false";
}

const char *setting_check(const struct setting *row, struct isg_str text, uint64_t *out_number)
{
    static const char *(*const checks[])(const struct setting *, struct isg_str) = {
        [SETTING_TEXT] = check_text,         [SETTING_WORD] = check_word,
        [SETTING_PATH] = check_text,         [SETTING_ADDRESS] = check_address,
        [SETTING_WEB] = check_web,           [SETTING_PUBLIC] = check_public,
        [SETTING_REDIS] = check_redis,       [SETTING_URN] = check_urn,
        [SETTING_CHOICE] = check_choice,     [SETTING_BOOL] = check_bool,
        [SETTING_NETWORKS] = check_networks, [SETTING_PROXY] = check_proxy,
    };
    *out_number = 0;
    if (setting_is_number(row->type)) {
        if (!parse_number(text, numbers[row->type].units, out_number))
            return numbers[row->type].wrong;
        return *out_number < row->min || *out_number > row->max ? "is out of range" : NULL;
    }
    const char *wrong = checks[row->type](row, text);
    if (wrong == NULL && row->type == SETTING_BOOL)
        *out_number = isg_str_is(text, "true");
    return wrong;
}

/* Rules between settings. Each names what it found wrong, or returns NULL; key is what to name. */
static const char *rule_tls_pair(const struct config *c)
{
    if ((c->tls.certificate == NULL) != (c->tls.key == NULL))
        return "tls.certificate and tls.key go together";
    if (c->tls.client_ca != NULL && c->tls.certificate == NULL)
        return "tls.client_ca needs tls.certificate and tls.key";
    if (c->tls.client_crl != NULL && c->tls.client_ca == NULL)
        return "tls.client_crl needs tls.client_ca";
    if (c->tls.client_ca == NULL && strcmp(c->tls.client_certificates, "required") == 0)
        return "tls.client_certificates are required, but there is no tls.client_ca";
    return NULL;
}

/* Without TLS a listener is on loopback, or a proxy that has TLS stands in front of it. */
static bool may_be_plain(const struct config *c, const char *address)
{
    return is_loopback_address(isg_str_of(address)) || c->trusted_proxies != NULL;
}

static const char *rule_plain_listener(const struct config *c)
{
    if (c->tls.certificate != NULL)
        return NULL;
    if (!may_be_plain(c, c->listen))
        return "listen is not on loopback and there is no tls section: passwords would be sent in the clear";
    if (!is_loopback_address(isg_str_of(c->listen)) && strncmp(c->public_url, "https://", 8) != 0)
        return "public_url must be the https:// URL of the proxy in front";
    return NULL;
}

static const char *rule_listeners(const struct config *c)
{
    if (c->listeners_count > CONFIG_LISTENERS_MAX)
        return "listeners: at most 7 beside `listen`";
    for (unsigned i = 0; i < c->listeners_count; i++) {
        const struct config_listener *one = &c->listeners[i];
        if (one->tls && c->tls.certificate == NULL)
            return "listeners: one has TLS, but there is no tls.certificate";
        if (!one->tls && !may_be_plain(c, one->address))
            return "listeners: one has no TLS, is not on loopback and there are no trusted_proxies";
        if (strcmp(one->client_certificates, "required") == 0 &&
            (!one->tls || c->tls.client_ca == NULL))
            return "listeners: one requires client certificates, but has no TLS or there is no tls.client_ca";
    }
    return NULL;
}

static const char *rule_public_url(const struct config *c)
{
    bool plain = strncmp(c->public_url, "http://", 7) == 0;
    return plain && c->tls.certificate != NULL ? "public_url is http:// but the listener has TLS"
                                               : NULL;
}

static const char *rule_admin_loopback(const struct config *c)
{
    if (c->admin.listen != NULL && !is_loopback_address(isg_str_of(c->admin.listen)))
        return "admin.listen must be on loopback";
    return NULL;
}

static const char *rule_redis_plain(const struct config *c)
{
    if (c->redis.url == NULL || strncmp(c->redis.url, "redis://", 8) != 0)
        return NULL;
    struct isg_str at = authority_of(isg_str_of(c->redis.url));
    if (is_loopback_address(at))
        return NULL;
    if (c->redis.accept_plain != NULL && isg_str_is(at, c->redis.accept_plain))
        return NULL;
    return "redis.url leaves this machine without TLS: name its HOST:PORT in redis.accept_plain to accept that";
}

static const char *rule_roots(const struct config *c)
{
    static const char *const taken[] = {"taxii2", "isg", ".well-known"};
    for (unsigned i = 0; i < c->roots_count; i++) {
        for (size_t k = 0; k < sizeof taken / sizeof taken[0]; k++)
            if (strcmp(c->roots[i].path, taken[k]) == 0)
                return "roots: a path is one that the server itself uses";
        for (unsigned k = 0; k < i; k++)
            if (strcmp(c->roots[i].path, c->roots[k].path) == 0)
                return "roots: two have the same path";
    }
    return NULL;
}

static const char *rule_names(const struct config *c)
{
    for (unsigned i = 0; i < c->feeds_count; i++)
        for (unsigned k = 0; k < i; k++)
            if (strcmp(c->feeds[i].name, c->feeds[k].name) == 0)
                return "feeds: two have the same name";
    for (unsigned i = 0; i < c->peers_count; i++)
        for (unsigned k = 0; k < i; k++)
            if (strcmp(c->peers[i].name, c->peers[k].name) == 0)
                return "peers: two have the same name";
    /* both are sources, and a label tells sources by name alone */
    for (unsigned i = 0; i < c->peers_count; i++)
        for (unsigned k = 0; k < c->feeds_count; k++)
            if (strcmp(c->peers[i].name, c->feeds[k].name) == 0)
                return "peers: a feed has the same name";
    for (unsigned i = 0; i < c->webhooks_count; i++)
        for (unsigned k = 0; k < i; k++)
            if (strcmp(c->webhooks[i].name, c->webhooks[k].name) == 0)
                return "webhooks: two have the same name";
    return NULL;
}

const char *config_check_feed(const struct feed_def *feed)
{
    if ((feed->client_certificate == NULL) != (feed->client_key == NULL))
        return "feeds: client_certificate and client_key go together";
    if (feed->proxy_auth_file != NULL && feed->proxy == NULL)
        return "feeds: proxy_auth_file needs proxy";
    return NULL;
}

static const char *rule_feeds(const struct config *c)
{
    const char *wrong = NULL;
    for (unsigned i = 0; wrong == NULL && i < c->feeds_count; i++)
        wrong = config_check_feed(&c->feeds[i]);
    return wrong;
}

static bool is_route(const struct config_route *route)
{
    return (route->client_certificate == NULL) == (route->client_key == NULL) &&
           (route->proxy_auth_file == NULL || route->proxy != NULL);
}

static const char *rule_routes(const struct config *c)
{
    bool good = true;
    for (unsigned i = 0; i < c->peers_count; i++)
        good = good && is_route(&c->peers[i].route);
    for (unsigned i = 0; i < c->webhooks_count; i++)
        good = good && is_route(&c->webhooks[i].route);
    return good ? NULL
                : "peers, webhooks: client_certificate and client_key go together, and "
                  "proxy_auth_file needs proxy";
}

static const char *rule_peer_member(const struct config *c)
{
    for (unsigned i = 0; i < c->peers_count; i++)
        if (c->peers[i].member != NULL && strcmp(c->peers[i].direction, "push") != 0)
            return "peers: member is of a push only";
    return NULL;
}

static const char *rule_webhooks(const struct config *c)
{
    for (unsigned i = 0; i < c->webhooks_count; i++)
        if (!c->webhooks[i].allow_private && strncmp(c->webhooks[i].url, "https://", 8) != 0)
            return "webhooks: url must be https://, unless allow_private allows plain HTTP";
    return NULL;
}

static const char *rule_peer_login(const struct config *c)
{
    for (unsigned i = 0; i < c->peers_count; i++)
        if ((c->peers[i].user == NULL) != (c->peers[i].password_file == NULL))
            return "peers: user and password_file go together";
    return NULL;
}

const char *config_check_rules(const struct config *config)
{
    static const char *(*const rules[])(const struct config *) = {
        rule_tls_pair, rule_plain_listener, rule_public_url, rule_admin_loopback, rule_redis_plain,
        rule_roots,    rule_names,          rule_peer_login, rule_peer_member,    rule_listeners,
        rule_feeds,    rule_webhooks,       rule_routes,
    };
    const char *wrong = NULL;
    for (size_t i = 0; wrong == NULL && i < sizeof rules / sizeof rules[0]; i++)
        wrong = rules[i](config);
    return wrong;
}
