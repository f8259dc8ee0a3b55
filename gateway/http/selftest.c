/*
 * The layout check leans on how one version of the library works. So at the first start a listener
 * without sockets is given raw requests, good and bad, over a socket pair. If the check misjudges
 * one of them, it is switched off and the header rules stand alone.
 */
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "gateway/http/listener.h"
#include "gateway/log.h"

#define GET  "GET /?a=%41&b&c=%2f HTTP/1.1\r\nHost: x\r\n"
#define POST "POST / HTTP/1.1\r\nHost: x\r\n"

static atomic_bool layout_on = true;

bool http_layout_check_on(void)
{
    return atomic_load(&layout_on);
}

enum { ANSWER_MS = 2000, LONG_CHUNK = 60000 };

static const struct {
    const char *bytes;
    size_t n;
    int status;
} rows[] = {
#define ROW(text, status)              \
    {                                  \
        text, sizeof(text) - 1, status \
    }
    ROW(GET "\r\n", 200),
    ROW(GET "Empty:\r\nBlank: \r\nTab:\ta\tb \r\nCookie: a=b; c=d\r\nColons: a:b::c\r\n\r\n", 200),
    ROW("\r\n" GET "Accept: */*\r\n\r\n", 200),
    ROW(POST "Content-Length: 3\r\n\r\nabc", 200),
    ROW(POST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n", 200),
    ROW(GET "Folded: a\r\n b\r\n\r\n", 400),
    ROW(GET "Zero: a\0b\r\n\r\n", 400),
    ROW(GET "Last: a\0\r\n\r\n", 400),
    ROW("GET / HTTP/1.1\nHost: x\n\n", 400),
    ROW(GET "Bare: a\nMore: b\r\n\r\n", 400),
    ROW("GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ROW(POST "Transfer-Encoding: chunked\r\n\r\n3;x\nabc\r\n0\r\n\r\n", 400),
#undef ROW
};

static enum http_next head(void *arg, struct http_request *request, bool may_wait)
{
    (void)arg, (void)request, (void)may_wait;
    return HTTP_MORE;
}

static enum http_next run(void *arg, struct http_request *request, bool may_wait)
{
    (void)arg, (void)may_wait;
    http_status(request, 200);
    return HTTP_DONE;
}

/* Give the listener one end of a pair; the other end, or -1. */
static int connect_pair(struct http_listener *listener)
{
    static const struct sockaddr address = {.sa_family = AF_UNIX};
    static const struct timeval patience = {.tv_sec = ANSWER_MS / 1000};
    struct connection *connection = NULL;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    (void)setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connections_add(listener->connections, pair[1], &address, &connection) != CONNECTIONS_OK) {
        (void)close(pair[0]);
        (void)close(pair[1]);
        return -1;
    }
    lane_give(listener, connection, &address, sizeof address);
    return pair[0];
}

static bool send_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        n -= (size_t)sent;
    }
    return true;
}

/* The status of the first answer, or 0. */
static int read_status(int fd)
{
    char answer[16];
    size_t n = 0;
    while (n < 12) {
        ssize_t got = recv(fd, answer + n, 12 - n, 0);
        if (got <= 0)
            return 0;
        n += (size_t)got;
    }
    uint64_t status = 0;
    return isg_str_to_u64((struct isg_str){answer + 9, 3}, 999, &status) ? (int)status : 0;
}

static bool row_holds(struct http_listener *listener, const char *bytes, size_t n, int status)
{
    int fd = connect_pair(listener);
    if (fd < 0)
        return false;
    bool holds = send_all(fd, bytes, n) && read_status(fd) == status;
    (void)close(fd);
    return holds;
}

/* A chunk that needs several reads begins the library's buffer anew. */
static bool long_chunk_holds(struct http_listener *listener)
{
    static const char start[] = POST "Transfer-Encoding: chunked\r\n\r\nea60\r\n";
    static const char end[] = "\r\n2\r\nab\r\n0\r\n\r\n";
    static char data[LONG_CHUNK];
    int fd = connect_pair(listener);
    if (fd < 0)
        return false;
    memset(data, 'a', sizeof data);
    bool holds = send_all(fd, start, sizeof start - 1) && send_all(fd, data, sizeof data) &&
                 send_all(fd, end, sizeof end - 1) && read_status(fd) == 200;
    (void)close(fd);
    return holds;
}

static void run_selftest(void)
{
    static const struct http_app app = {.head = head, .run = run};
    static const struct http_limits limits = {.connections = 64, .threads = 1};
    static const struct http_listen nowhere = {.unix_path = NULL};
    static const struct listener_parts parts = {&nowhere, &limits, &app, NULL, -1};
    struct http_listener *listener = NULL;
    struct isg_fail why;
    if (listener_open(&parts, &listener, &why) != ISG_OK)
        return; /* the real listener will say what is missing */
    listener->quiet = true;
    bool holds = long_chunk_holds(listener);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && holds; i++)
        holds = row_holds(listener, rows[i].bytes, rows[i].n, rows[i].status);
    listener_shut(&listener, 0);
    if (holds)
        return;
    atomic_store(&layout_on, false);
    LOG(LOG_WARN, "http.layout_check_off",
        log_cstr("reason",
                 "this libmicrohttpd lays its buffer out otherwise; header rules remain"));
}

void selftest_once(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, run_selftest);
}
