#define _GNU_SOURCE /* accept4 */

#include "gateway/http/accept.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/log.h"
#include "gateway/metrics.h"

enum { SOCKETS_MAX = 8, BACKLOG = 1024, BURST = 64, PAUSE_MS = 1000, STARVED_MS = 50 };

struct accept {
    int sockets[SOCKETS_MAX];
    unsigned count;
    unsigned port;
    char *unix_path; /* removed at close */
    int wake_fd;
    int reserve_fd; /* given up for a moment when the process has no descriptor left */
    pthread_t thread;
    bool running;
    atomic_bool stop;
    struct connections *table;
    struct accept_to to;
};

/* ---- TCP ---- */

/* "host:port", "[v6]:port", ":port", "*:port" into two texts (free both). */
static bool cut_host_port(const char *text, char **host, char **port)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon[1] == '\0')
        return false;
    struct isg_str name = {text, (size_t)(colon - text)};
    if (name.n >= 2 && name.p[0] == '[' && name.p[name.n - 1] == ']')
        name = (struct isg_str){name.p + 1, name.n - 2};
    *port = strdup(colon + 1);
    *host = strndup(name.p, name.n);
    return *host != NULL && *port != NULL;
}

static unsigned bound_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    socklen_t n = sizeof address;
    memset(&address, 0, sizeof address);
    if (getsockname(fd, &address.any, &n) != 0)
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

/* Several addresses of one name share the port that the first one got. */
static void set_port(struct sockaddr *address, unsigned port)
{
    if (address->sa_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)address)->sin6_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in *)(void *)address)->sin_port = htons((uint16_t)port);
}

static int bind_tcp(struct addrinfo *info, bool alone)
{
    int yes = 1;
    int v6_only = alone ? 0 : 1;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (info->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only);
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int error = errno;
    (void)close(fd);
    errno = error;
    return -1;
}

static int bind_all(struct accept *accept, struct addrinfo *list, const char *host_port,
                    struct isg_fail *why)
{
    for (struct addrinfo *info = list; info != NULL && accept->count < SOCKETS_MAX;
         info = info->ai_next) {
        if (accept->port != 0)
            set_port(info->ai_addr, accept->port);
        int fd = bind_tcp(info, list->ai_next == NULL);
        if (fd < 0 && list->ai_next != NULL && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
            continue; /* a machine without IPv6 may still have the name for it */
        if (fd < 0)
            return isg_fail(why, ISG_ENET, "cannot listen on %s: %s", host_port,
                            ISG_OS_ERROR(errno));
        accept->sockets[accept->count++] = fd;
        accept->port = bound_port(fd);
    }
    return accept->count > 0 ? ISG_OK : isg_fail(why, ISG_ENET, "cannot listen on %s", host_port);
}

static int open_tcp(struct accept *accept, const char *host_port, struct isg_fail *why)
{
    static const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                          .ai_socktype = SOCK_STREAM,
                                          .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    char *host = NULL;
    char *port = NULL;
    struct addrinfo *list = NULL;
    int err = ISG_OK;
    if (!cut_host_port(host_port, &host, &port)) {
        err = isg_fail(why, ISG_EUSAGE, "%s is not HOST:PORT", host_port);
    } else {
        bool any = host[0] == '\0' || strcmp(host, "*") == 0;
        int code = getaddrinfo(any ? NULL : host, port, &hints, &list);
        if (code != 0)
            err = isg_fail(why, ISG_ENET, "cannot listen on %s: %s", host_port, gai_strerror(code));
    }
    if (err == ISG_OK)
        err = bind_all(accept, list, host_port, why);
    if (list != NULL)
        freeaddrinfo(list);
    free(host);
    free(port);
    return err;
}

/* ---- Unix ---- */

/* True when the path may be bound: nothing is there, or a socket nobody answers on (removed). */
static bool clear_stale(const struct sockaddr_un *address)
{
    struct stat st;
    if (lstat(address->sun_path, &st) != 0)
        return errno == ENOENT;
    int fd = S_ISSOCK(st.st_mode) ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    if (fd < 0)
        return false;
    bool stale = connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 &&
                 errno == ECONNREFUSED;
    (void)close(fd);
    return stale && unlink(address->sun_path) == 0;
}

/* The mode is set on the socket before bind, so that the file never has a wider one. */
static int bind_unix(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (fchmod(fd, S_IRUSR | S_IWUSR) == 0 &&
        bind(fd, (const struct sockaddr *)address, sizeof *address) == 0 &&
        chmod(address->sun_path, S_IRUSR | S_IWUSR) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int error = errno;
    (void)close(fd);
    errno = error;
    return -1;
}

static int open_unix(struct accept *accept, const char *path, struct isg_fail *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    if (n >= sizeof address.sun_path)
        return isg_fail(why, ISG_ENET, "the socket path %s is too long", path);
    memcpy(address.sun_path, path, n);
    if (!clear_stale(&address))
        return isg_fail(why, ISG_ENET, "the socket %s is in use", path);
    int fd = bind_unix(&address);
    if (fd < 0)
        return isg_fail(why, ISG_ENET, "cannot listen on %s: %s", path, ISG_OS_ERROR(errno));
    accept->sockets[accept->count++] = fd;
    accept->unix_path = strdup(path);
    return accept->unix_path != NULL ? ISG_OK : isg_fail(why, ISG_ENOMEM, "no memory");
}

int accept_open(const char *unix_path, const char *host_port, struct accept **out,
                struct isg_fail *why)
{
    struct accept *accept = calloc(1, sizeof *accept);
    if (accept == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    int err = unix_path == NULL && host_port == NULL
                  ? isg_fail(why, ISG_EUSAGE, "nowhere to listen")
                  : ISG_OK;
    accept->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    accept->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (accept->wake_fd < 0)
        err = isg_fail(why, ISG_ENOMEM, "no descriptor left");
    if (err == ISG_OK && host_port != NULL)
        err = open_tcp(accept, host_port, why);
    if (err == ISG_OK && unix_path != NULL)
        err = open_unix(accept, unix_path, why);
    if (err == ISG_OK)
        *out = accept;
    else
        accept_close(&accept);
    return err;
}

unsigned accept_port(const struct accept *accept)
{
    return accept->port;
}

int accept_wake_fd(const struct accept *accept)
{
    return accept->wake_fd;
}

/* ---- the thread ---- */

static void take_in(struct accept *accept, int fd, const struct sockaddr *address, socklen_t n)
{
    static const char *const reasons[] = {
        [CONNECTIONS_FULL] = "reason=\"connections\"",
        [CONNECTIONS_ADDRESS] = "reason=\"address\"",
        [CONNECTIONS_STRANGER] = "reason=\"no proxy\"",
        [CONNECTIONS_MEMORY] = "reason=\"memory\"",
    };
    int yes = 1;
    struct connection *connection = NULL;
    enum connections_refusal refusal = connections_add(accept->table, fd, address, &connection);
    if (refusal != CONNECTIONS_OK) {
        metric_add(METRIC_HTTP_REFUSED, reasons[refusal], 1);
        (void)close(fd);
        return;
    }
    if (address->sa_family != AF_UNIX)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    accept->to.take(accept->to.arg, connection, address, n);
}

/* No descriptor left: use the reserved one to turn one peer away, so that it does not wait in
 * the dark, and pause. */
static void turn_away(struct accept *accept, int socket)
{
    struct isg_fail why;
    (void)isg_fail(&why, ISG_ELIMIT, "%s", ISG_OS_ERROR(errno));
    LOG(LOG_WARN, "http.starved", log_why(&why));
    metric_add(METRIC_HTTP_REFUSED, "reason=\"descriptors\"", 1);
    if (accept->reserve_fd >= 0) {
        (void)close(accept->reserve_fd);
        int fd = accept4(socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0)
            (void)close(fd);
        accept->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    struct pollfd wake = {.fd = accept->wake_fd, .events = POLLIN};
    (void)poll(&wake, 1, STARVED_MS);
}

static bool is_starved(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void accept_some(struct accept *accept, int socket)
{
    for (int i = 0; i < BURST && !atomic_load(&accept->stop); i++) {
        struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
        socklen_t n = sizeof address;
        if (!connections_has_room(accept->table))
            return;
        int fd = accept4(socket, (struct sockaddr *)&address, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            take_in(accept, fd, (struct sockaddr *)&address, n);
        } else if (is_starved(errno)) {
            turn_away(accept, socket);
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

/* While full only the eventfd is watched: the kernel keeps who comes in its queue. */
static void *run_accept(void *arg)
{
    struct accept *accept = arg;
    struct pollfd polls[SOCKETS_MAX + 1];
    while (!atomic_load(&accept->stop)) {
        eventfd_t drained;
        nfds_t n = connections_has_room(accept->table) ? accept->count : 0;
        for (unsigned i = 0; i < accept->count; i++)
            polls[i + 1] = (struct pollfd){.fd = accept->sockets[i], .events = POLLIN};
        polls[0] = (struct pollfd){.fd = accept->wake_fd, .events = POLLIN};
        if (poll(polls, n + 1, PAUSE_MS) <= 0)
            continue;
        if ((polls[0].revents & POLLIN) != 0)
            (void)eventfd_read(accept->wake_fd, &drained);
        for (nfds_t i = 1; i <= n; i++)
            if (polls[i].revents != 0)
                accept_some(accept, polls[i].fd);
    }
    return NULL;
}

int accept_start(struct accept *accept, struct connections *table, const struct accept_to *to,
                 struct isg_fail *why)
{
    accept->table = table;
    accept->to = *to;
    if (pthread_create(&accept->thread, NULL, run_accept, accept) != 0)
        return isg_fail(why, ISG_ENOMEM, "no thread to be had");
    accept->running = true;
    return ISG_OK;
}

void accept_stop(struct accept *accept)
{
    atomic_store(&accept->stop, true);
    (void)eventfd_write(accept->wake_fd, 1);
    if (accept->running)
        (void)pthread_join(accept->thread, NULL);
    accept->running = false;
    for (unsigned i = 0; i < accept->count; i++)
        (void)close(accept->sockets[i]);
    accept->count = 0;
    if (accept->unix_path != NULL)
        (void)unlink(accept->unix_path);
    free(accept->unix_path);
    accept->unix_path = NULL;
}

void accept_close(struct accept **accept)
{
    struct accept *old = *accept;
    *accept = NULL;
    if (old == NULL)
        return;
    accept_stop(old);
    if (old->wake_fd >= 0)
        (void)close(old->wake_fd);
    if (old->reserve_fd >= 0)
        (void)close(old->reserve_fd);
    free(old);
}
