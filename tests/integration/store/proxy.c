#define _GNU_SOURCE /* memmem */
#include "tests/integration/store/proxy.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un here = {.sun_family = AF_UNIX};
static struct sockaddr_un there = {.sun_family = AF_UNIX};
static atomic_int mode;

void proxy_set(enum proxy_mode wanted)
{
    atomic_store(&mode, (int)wanted);
}

static bool put(int fd, const void *bytes, size_t n)
{
    return send(fd, bytes, n, MSG_NOSIGNAL) == (ssize_t)n;
}

static bool puts_to(int fd, const char *text)
{
    return put(fd, text, strlen(text));
}

/* One request chunk from the client; false: hang up. */
static bool pass_request(int client, int server, const char *bytes, size_t n)
{
    bool has_exec = memmem(bytes, n, "\r\nEXEC\r\n", 8) != NULL;
    int now = atomic_load(&mode);
    if (now == PROXY_GARBAGE)
        return puts_to(client, "HTTP/1.1 400 Bad Request\r\n\r\n");
    if (now == PROXY_LOADING)
        return puts_to(client, "-LOADING Redis is loading the dataset in memory\r\n");
    if (now == PROXY_HALF) {
        (void)puts_to(client, "$100\r\nhalf of it");
        return false;
    }
    if (now == PROXY_ENDLESS)
        return puts_to(client, "*2147483647\r\n$5\r\nhello\r\n");
    if (now == PROXY_DROP_REQUEST && has_exec) {
        proxy_set(PROXY_PASS);
        return false;
    }
    return put(server, bytes, n);
}

/* One reply chunk from the server. In PROXY_DROP_REPLY only a reply with a list is EXEC's. */
static bool pass_reply(int client, const char *bytes, size_t n)
{
    if (atomic_load(&mode) == PROXY_DROP_REPLY && memmem(bytes, n, "+QUEUED\r\n", 9) != NULL) {
        proxy_set(PROXY_PASS);
        return false;
    }
    return put(client, bytes, n);
}

static void relay(int client, int server)
{
    char bytes[65536];
    for (bool open = true; open;) {
        struct pollfd p[2] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
        (void)poll(p, 2, 1000);
        for (int i = 0; i < 2 && open; i++) {
            if (p[i].revents == 0)
                continue;
            ssize_t n = recv(p[i].fd, bytes, sizeof bytes, 0);
            open = n > 0 && (i == 0 ? pass_request(client, server, bytes, (size_t)n)
                                    : pass_reply(client, bytes, (size_t)n));
        }
    }
}

static void *serve(void *arg)
{
    int client = (int)(intptr_t)arg;
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server >= 0 && connect(server, (const struct sockaddr *)&there, sizeof there) == 0)
        relay(client, server);
    if (server >= 0)
        close(server);
    close(client);
    return NULL;
}

static void *accept_all(void *arg)
{
    int listener = (int)(intptr_t)arg;
    for (;;) {
        pthread_t thread;
        int client = accept(listener, NULL, NULL);
        if (client >= 0 && pthread_create(&thread, NULL, serve, (void *)(intptr_t)client) == 0)
            pthread_detach(thread);
    }
    return NULL;
}

void proxy_start(const char *dir)
{
    pthread_t thread;
    snprintf(here.sun_path, sizeof here.sun_path, "%.80s/proxy.sock", dir);
    snprintf(there.sun_path, sizeof there.sun_path, "%.80s/own.sock", dir);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (const struct sockaddr *)&here, sizeof here) != 0 ||
        listen(listener, 64) != 0)
        return;
    if (pthread_create(&thread, NULL, accept_all, (void *)(intptr_t)listener) == 0)
        pthread_detach(thread);
}
