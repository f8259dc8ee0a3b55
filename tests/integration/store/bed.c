#define _GNU_SOURCE /* nftw, prctl */
#include "tests/integration/store/bed.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/tap.h"

void bed_make(char dir[BED_TEXT])
{
    if (system("command -v redis-server >/dev/null 2>&1") != 0)
        tap_skip_all("no redis-server here");
    snprintf(dir, BED_TEXT, "/tmp/isg-store-XXXXXX");
    if (mkdtemp(dir) == NULL)
        tap_skip_all("cannot make a folder below /tmp");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

void bed_remove(const char *dir)
{
    (void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void child(const char *dir)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (chdir(dir) != 0 || dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0)
        _exit(120);
    (void)execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", "own.sock",
                 "--appendonly", "yes", "--appendfsync", "always", "--save", "", "--dir", ".",
                 (char *)NULL);
    _exit(121);
}

static void nap_ms(long ms)
{
    const struct timespec nap = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&nap, NULL);
}

/* A server that listens may still be reading its data and refuses every command until it has: only
 * one that answers PING serves. */
static bool serves(const char *path)
{
    static const char PING[] = "PING\r\n";
    static const char PONG[] = "+PONG\r\n";
    char answer[sizeof PONG] = "";
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
                send(fd, PING, strlen(PING), MSG_NOSIGNAL) == (ssize_t)strlen(PING) &&
                recv(fd, answer, strlen(PONG), MSG_WAITALL) == (ssize_t)strlen(PONG) &&
                strcmp(answer, PONG) == 0;
    if (fd >= 0)
        (void)close(fd);
    return good;
}

pid_t bed_redis(const char *dir, char url[BED_TEXT])
{
    char path[BED_TEXT];
    pid_t pid = fork();
    if (pid == 0)
        child(dir);
    snprintf(path, sizeof path, "%.200s/own.sock", dir);
    snprintf(url, BED_TEXT, "unix:%.200s/own.sock", dir);
    for (int i = 0; i < 12000 && !serves(path); i++)
        nap_ms(10);
    return pid;
}

void bed_end(pid_t pid, int signal)
{
    if (pid <= 0)
        return;
    (void)kill(pid, signal);
    (void)waitpid(pid, NULL, 0);
}

pid_t bed_private_pid(const char *dir)
{
    char path[BED_TEXT];
    char text[32] = "";
    snprintf(path, sizeof path, "%.200s/redis/redis.pid", dir);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    if (fgets(text, sizeof text, file) == NULL)
        text[0] = '\0';
    (void)fclose(file);
    return (pid_t)strtol(text, NULL, 10);
}

struct store *bed_open(const char *dir, const char *url, unsigned timeout_ms)
{
    const struct store_options options = {.dir = dir, .url = url, .timeout_ms = timeout_ms};
    struct isg_fail why = {0};
    struct store *store = NULL;
    if (store_open(&options, &store, &why) != ISG_OK) {
        ok(false, "store_open: %s", why.text);
        exit(tap_done());
    }
    return store;
}

void bed_object(struct bed_object *object, unsigned number, const char *version, const char *label,
                const char *content)
{
    snprintf(object->id, sizeof object->id, "tool--00000000-0000-4000-8000-%012u", number);
    snprintf(object->version, sizeof object->version, "%s", version);
    snprintf(object->label, sizeof object->label, "%s", label);
    snprintf(object->canon, sizeof object->canon,
             "{\"id\":\"%s\",\"modified\":\"%s\",\"name\":\"%s\"}", object->id, version, content);
    isg_sha256(isg_str_of(object->canon), object->digest);
}

struct store_put bed_put(const struct bed_object *object)
{
    return (struct store_put){.id = isg_str_of(object->id),
                              .version = isg_str_of(object->version),
                              .versioned = object->version[0] != '\0',
                              .label = isg_str_of(object->label),
                              .source = isg_str_of(object->label),
                              .canon = isg_str_of(object->canon),
                              .digest = object->digest};
}

int bed_read(struct store *store, const char *collection, const struct bed_object *object,
             struct isg_buf *out, size_t *size)
{
    struct store_event *events = NULL;
    size_t n = 0;
    *size = SIZE_MAX;
    int err = store_versions(store, collection, isg_str_of(object->id), &events, &n, NULL);
    for (size_t i = 0; err == ISG_OK && i < n; i++) {
        const struct store_event *event = &events[i];
        if (memcmp(event->digest, object->digest, sizeof event->digest) == 0) {
            err = store_objects(store, collection, &event, 1, out, size, NULL);
            break;
        }
    }
    free(events);
    return err;
}

bool bed_sees_all(void *arg, struct isg_str label)
{
    (void)arg, (void)label;
    return true;
}

bool bed_sees_one(void *arg, struct isg_str label)
{
    return isg_str_is(label, arg);
}

enum store_verdict bed_push(struct store *store, const char *collection,
                            const struct bed_object *object, const char *sees,
                            struct store_put *out_put)
{
    struct store_put put = bed_put(object);
    char label[64];
    snprintf(label, sizeof label, "%s", sees != NULL ? sees : "");
    const struct store_eyes eyes = {sees != NULL ? bed_sees_one : bed_sees_all, label};
    (void)store_commit(store, collection, &put, 1, &eyes, NULL);
    if (out_put != NULL)
        *out_put = put;
    return put.verdict;
}
