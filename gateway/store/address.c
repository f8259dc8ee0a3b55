#define _GNU_SOURCE /* O_PATH, strerrordesc_np */
#include "gateway/store/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "stix/base/str.h"
#include "stix/base/time.h"

static char *copy(struct isg_str s)
{
    char *text = malloc(s.n + 1);
    if (text != NULL) {
        memcpy(text, s.p, s.n);
        text[s.n] = '\0';
    }
    return text;
}

static bool read_number(struct isg_str text, uint64_t max, uint64_t *out)
{
    return text.n > 0 && isg_str_to_u64(text, max, out);
}

/* Cut host and port: "[::1]:6379", "name:6379" or without port. */
static bool split_port(struct isg_str place, struct isg_str *out_host, uint64_t *out_port)
{
    struct isg_str host = place;
    struct isg_str rest;
    *out_port = 6379;
    if (place.n > 0 && place.p[0] == '[') {
        size_t end = isg_str_find(place, ']');
        if (end == SIZE_MAX)
            return false;
        host = (struct isg_str){place.p + 1, end - 1};
        rest = isg_str_from(place, end + 1);
    } else {
        size_t colon = isg_str_find(place, ':');
        host.n = colon == SIZE_MAX ? place.n : colon;
        rest = isg_str_from(place, host.n);
    }
    *out_host = host;
    if (host.n == 0)
        return false;
    return rest.n == 0 || (rest.p[0] == ':' && read_number(isg_str_from(rest, 1), 65535, out_port));
}

static int read_tcp(struct isg_str rest, struct address *a, struct isg_fail *why)
{
    struct isg_str place = rest;
    struct isg_str host;
    uint64_t port;
    uint64_t db = 0;
    size_t slash = isg_str_find(rest, '/');
    if (slash != SIZE_MAX) {
        place.n = slash;
        struct isg_str number = isg_str_from(rest, slash + 1);
        if (number.n > 0 && !read_number(number, 1u << 16, &db))
            return isg_fail(why, ISG_ESTORE, "redis.url: the part behind '/' is no number");
    }
    size_t at = isg_str_find(place, '@');
    if (at != SIZE_MAX) {
        struct isg_str user = {place.p, at};
        if (isg_str_find(user, ':') != SIZE_MAX)
            return isg_fail(why, ISG_ESTORE, "redis.url: name the password by redis.password_file");
        if ((a->user = copy(user)) == NULL)
            return isg_fail(why, ISG_ENOMEM, "out of memory");
        place = isg_str_from(place, at + 1);
    }
    if (!split_port(place, &host, &port) || port == 0)
        return isg_fail(why, ISG_ESTORE, "redis.url: no host and port in it");
    if ((a->host = copy(host)) == NULL)
        return isg_fail(why, ISG_ENOMEM, "out of memory");
    a->db = (unsigned)db;
    (void)snprintf(a->port, sizeof a->port, "%u", (unsigned)port);
    return ISG_OK;
}

static bool is_accepted(const struct address *a, const char *accept_plain)
{
    struct isg_str host;
    uint64_t port;
    return accept_plain != NULL && split_port(isg_str_of(accept_plain), &host, &port) &&
           isg_str_is(host, a->host) && port == strtoul(a->port, NULL, 10);
}

int address_read(const char *url, const char *accept_plain, struct address *out,
                 struct isg_fail *why)
{
    struct address a = {0};
    struct isg_str text = isg_str_of(url);
    int err;
    if (isg_str_starts(text, ISG_STR("unix:/"))) {
        struct isg_str path = isg_str_from(text, 5);
        if (isg_str_starts(path, ISG_STR("///")))
            path = isg_str_from(path, 2); /* unix:///path */
        a.path = copy(path);
        err = a.path == NULL ? isg_fail(why, ISG_ENOMEM, "out of memory") : ISG_OK;
    } else if (isg_str_starts(text, ISG_STR("redis://"))) {
        err = read_tcp(isg_str_from(text, 8), &a, why);
    } else if (isg_str_starts(text, ISG_STR("rediss://"))) {
        err = isg_fail(why, ISG_ESTORE, "redis.url: no TLS here; use a Unix socket or a tunnel");
    } else {
        err = isg_fail(why, ISG_ESTORE, "redis.url: neither unix:/path nor redis://host:port");
    }
    if (err == ISG_OK && (a.text = copy(text)) == NULL)
        err = isg_fail(why, ISG_ENOMEM, "out of memory");
    if (err == ISG_OK && a.host != NULL)
        a.accepted = is_accepted(&a, accept_plain);
    if (err == ISG_OK)
        *out = a;
    else
        address_done(&a);
    return err;
}

void address_done(struct address *a)
{
    free(a->text);
    free(a->path);
    free(a->host);
    free(a->user);
    *a = (struct address){0};
}

/* Wait until a connect under way has an end; 0 or an errno. */
static int finish_connect(int fd, int64_t deadline_us)
{
    for (;;) {
        int64_t left = deadline_us - isg_time_mono_us();
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        int n = left <= 0 ? 0 : poll(&p, 1, (int)(left / 1000) + 1);
        if (n == 0)
            return ETIMEDOUT;
        if (n < 0 && errno != EINTR)
            return errno;
        if (n > 0)
            break;
    }
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return errno;
    return error;
}

/* Connect a new socket; its descriptor, or the negated errno. */
static int connect_to(const struct sockaddr *sa, socklen_t size, int64_t deadline_us)
{
    int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    int error = 0;
    if (connect(fd, sa, size) != 0)
        error = errno == EINPROGRESS || errno == EINTR ? finish_connect(fd, deadline_us) : errno;
    if (error == 0)
        return fd;
    close(fd);
    return -error;
}

/* A path too long for sun_path is reached through a descriptor of its folder. */
static int connect_unix(const char *path, int64_t deadline_us)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    if (strlen(path) < sizeof un.sun_path) {
        memcpy(un.sun_path, path, strlen(path) + 1);
        return connect_to((const struct sockaddr *)&un, sizeof un, deadline_us);
    }
    const char *slash = strrchr(path, '/');
    char *folder = copy((struct isg_str){path, (size_t)(slash - path) + 1});
    if (folder == NULL)
        return -ENOMEM;
    int fd = -ENAMETOOLONG;
    int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        fd = -errno;
    else if (snprintf(un.sun_path, sizeof un.sun_path, "/proc/self/fd/%d/%s", dir, slash + 1) <
             (int)sizeof un.sun_path)
        fd = connect_to((const struct sockaddr *)&un, sizeof un, deadline_us);
    if (dir >= 0)
        close(dir);
    free(folder);
    return fd;
}

static bool is_loopback(const struct sockaddr *sa)
{
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof in);
        return ntohl(in.sin_addr.s_addr) >> 24 == 127;
    }
    if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sa, sizeof in6);
        return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
    }
    return false;
}

static int refuse_plain(const struct address *a, struct isg_fail *why)
{
    return isg_fail(why, ISG_ESTORE,
                    "%s is not on loopback and plain TCP: use a tunnel, or name it in "
                    "redis.accept_plain",
                    a->text);
}

static int connect_tcp(const struct address *a, int64_t deadline_us, int *out_fd,
                       struct isg_fail *why)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int fail = getaddrinfo(a->host, a->port, &hints, &list);
    if (fail != 0)
        return isg_fail(why, ISG_ESTORE, "%s: %s", a->text, gai_strerror(fail));
    int fd = -ENOENT;
    bool refused = false;
    for (const struct addrinfo *ai = list; ai != NULL && fd < 0; ai = ai->ai_next) {
        if (!a->accepted && !is_loopback(ai->ai_addr))
            refused = true;
        else
            fd = connect_to(ai->ai_addr, ai->ai_addrlen, deadline_us);
    }
    freeaddrinfo(list);
    if (fd == -ENOENT && refused)
        return refuse_plain(a, why);
    if (fd < 0)
        return isg_fail(why, ISG_ESTORE, "%s: cannot connect (%s)", a->text, strerrordesc_np(-fd));
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    *out_fd = fd;
    return ISG_OK;
}

int address_connect(const struct address *a, int64_t deadline_us, int *out_fd, struct isg_fail *why)
{
    if (a->path == NULL)
        return connect_tcp(a, deadline_us, out_fd, why);
    int fd = connect_unix(a->path, deadline_us);
    if (fd < 0)
        return isg_fail(why, ISG_ESTORE, "%s: cannot connect (%s)", a->text, strerrordesc_np(-fd));
    *out_fd = fd;
    return ISG_OK;
}
