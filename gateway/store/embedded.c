#define _GNU_SOURCE /* close_range, O_PATH, struct ucred */
#include "gateway/store/embedded.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gateway/log.h"
#include "gateway/store/conn.h"
#include "stix/base/time.h"

enum {
    ORPHAN_GRACE_US = 5000000, /* an orphan may finish within this, then it is killed */
    STOP_GRACE_US = 10000000,  /* likewise our own server when it is told to stop */
    START_US = 20000000,       /* until the socket of a new server answers (loading not counted) */
    BACKOFF_FIRST_US = 50000,
    BACKOFF_LAST_US = 5000000,
    HEALTHY_US = 1000000, /* one that lived this long restarts after the first delay again */
    POLL_US = 20000
};

/*
 * The command is given as data: no shell, no arguments that depend on the instance.
 *
 * When the AOF is rewritten is decided in tidy.c; the server's own rule is left as a net under it.
 * A rewrite takes a whole core, so it does not compress.
 */
static const char config_text[] =
    "# Written by isg at every start; changes are lost. Use redis.url for a server of your own.\n"
    "port 0\n"
    "unixsocket redis.sock\n"
    "unixsocketperm 700\n"
    "daemonize no\n"
    "supervised no\n"
    "pidfile redis.pid\n"
    "logfile redis.log\n"
    "loglevel notice\n"
    "databases 1\n"
    "dir .\n"
    "save \"\"\n"
    "appendonly yes\n"
    "no-appendfsync-on-rewrite no\n"
    "aof-load-truncated yes\n"
    "aof-use-rdb-preamble yes\n"
    "auto-aof-rewrite-percentage 300\n"
    "auto-aof-rewrite-min-size 4gb\n"
    "rdbcompression no\n"
    "maxmemory-policy noeviction\n"
    "maxclients 512\n"
    "timeout 0\n"
    "enable-debug-command no\n"
    "enable-module-command no\n"
    "enable-protected-configs no\n"
    "user default on nopass ~* resetchannels +@all -@scripting -function -flushall -flushdb "
    "-swapdb -debug -replicaof -slaveof -failover -migrate -restore -restore-asking -module "
    "-config +config|get -acl +acl|whoami -cluster -monitor -sort -sort_ro -psync -sync\n";

struct embedded {
    char *folder; /* DIR/redis */
    char *socket;
    char *program; /* redis-server */
    int folder_fd;
    int gateway_lock;
    int server_lock;
    pid_t parent;
    pthread_t keeper;
    bool keeper_runs;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    pid_t pid; /* 0: none */
    int spawn_error;
    bool spawned; /* the first fork was tried */
    bool stopping;
};

/* ---- files ---------------------------------------------------------------------------------- */

static char *join(const char *a, const char *b)
{
    size_t n = strlen(a) + strlen(b) + 1;
    char *text = malloc(n);
    if (text != NULL)
        (void)snprintf(text, n, "%s%s", a, b);
    return text;
}

static int fail_file(struct isg_fail *why, const char *folder, const char *name)
{
    return isg_fail(why, ISG_EIO, "%s/%s: %s", folder, name, strerrordesc_np(errno));
}

/* The program, looked for as execvp does, but before the fork. */
static char *find_program(void)
{
    const char *path = getenv("PATH"); /* NOLINT(concurrency-mt-unsafe): nothing sets it */
    struct isg_str rest = isg_str_of(path != NULL ? path : "");
    struct isg_str piece;
    while (isg_str_split(&rest, ':', &piece)) {
        char file[4096];
        int n = snprintf(file, sizeof file, "%.*s/redis-server", ISG_STR_ARG(piece));
        if (piece.n > 0 && n < (int)sizeof file && access(file, X_OK) == 0)
            return strdup(file);
    }
    return strdup("/usr/bin/redis-server");
}

static int open_folder(struct embedded *e, struct isg_fail *why)
{
    if (mkdir(e->folder, 0700) != 0 && errno != EEXIST)
        return fail_file(why, e->folder, "");
    e->folder_fd = open(e->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (e->folder_fd < 0)
        return fail_file(why, e->folder, "");
    if (fchmod(e->folder_fd, 0700) != 0 && errno != EPERM)
        return fail_file(why, e->folder, "");
    return ISG_OK;
}

static int open_lock(const struct embedded *e, const char *name, int *out_fd, struct isg_fail *why)
{
    int fd = openat(e->folder_fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail_file(why, e->folder, name);
    *out_fd = fd;
    return ISG_OK;
}

static bool write_whole(int fd, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t put = write(fd, text, n);
        if (put < 0 && errno != EINTR)
            return false;
        if (put > 0) {
            text += put;
            n -= (size_t)put;
        }
    }
    return true;
}

static int write_config(const struct embedded *e, bool second, struct isg_fail *why)
{
    static const char always[] = "appendfsync always\n";
    static const char everysec[] = "appendfsync everysec\n";
    int fd = openat(e->folder_fd, "redis.conf.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail_file(why, e->folder, "redis.conf.new");
    bool good = write_whole(fd, config_text, sizeof config_text - 1) &&
                (second ? write_whole(fd, everysec, sizeof everysec - 1)
                        : write_whole(fd, always, sizeof always - 1));
    good = close(fd) == 0 && good;
    if (!good || renameat(e->folder_fd, "redis.conf.new", e->folder_fd, "redis.conf") != 0)
        return fail_file(why, e->folder, "redis.conf");
    return ISG_OK;
}

/* ---- an orphan ------------------------------------------------------------------------------ */

static void nap(int64_t us)
{
    struct timespec time = {.tv_sec = (time_t)(us / 1000000),
                            .tv_nsec = (long)(us % 1000000) * 1000};
    (void)nanosleep(&time, NULL);
}

/* Who listens on the socket, by the kernel's word: works for a stopped server too. 0: nobody. */
static pid_t listener_of(const char *path)
{
    char *url = join("unix:", path);
    struct address address = {0};
    struct ucred cred = {0};
    socklen_t size = sizeof cred;
    int fd;
    if (url != NULL && address_read(url, NULL, &address, NULL) == ISG_OK &&
        address_connect(&address, isg_time_mono_us() + 1000000, &fd, NULL) == ISG_OK) {
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) != 0)
            cred.pid = 0;
        close(fd);
    }
    address_done(&address);
    free(url);
    return cred.pid;
}

/* ISG_EBUSY: somebody holds it; ISG_EIO: that cannot be found out here. */
static int try_lock(const struct embedded *e, int fd, const char *name, struct isg_fail *why)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return ISG_OK;
    return errno == EWOULDBLOCK ? isg_fail(why, ISG_EBUSY, "%s/%s is held", e->folder, name)
                                : fail_file(why, e->folder, name);
}

static bool lock_within(int fd, int64_t us)
{
    int64_t end = isg_time_mono_us() + us;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (isg_time_mono_us() >= end)
            return false;
        nap(POLL_US);
    }
    return true;
}

/*
 * Take the lock of the AOF. Who holds it is a server whose gateway is gone (we hold the gateway's
 * lock): it is asked to end; everything it has acknowledged is on disk.
 */
static int end_orphan(const struct embedded *e, struct isg_fail *why)
{
    int err = try_lock(e, e->server_lock, "lock", why);
    if (err != ISG_EBUSY)
        return err;
    pid_t pid = listener_of(e->socket);
    LOG(LOG_WARN, "store.orphan", log_cstr("folder", e->folder), log_int("pid", pid));
    if (pid > 1) {
        (void)kill(pid, SIGTERM);
        (void)kill(pid, SIGCONT);
    }
    if (lock_within(e->server_lock, ORPHAN_GRACE_US))
        return ISG_OK;
    if (pid > 1 && listener_of(e->socket) == pid)
        (void)kill(pid, SIGKILL);
    if (lock_within(e->server_lock, ORPHAN_GRACE_US))
        return ISG_OK;
    return isg_fail(why, ISG_EBUSY, "%s/lock is held by a redis-server that does not end",
                    e->folder);
}

/* ---- the child ------------------------------------------------------------------------------ */

/* Between fork and exec: async-signal-safe calls only. */
static void child_run(const struct embedded *e, int null_fd, int log_fd)
{
    char *const argv[] = {e->program, (char[]){"redis.conf"}, NULL};
    sigset_t none;
    sigemptyset(&none);
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != e->parent)
        _exit(120); /* the gateway died before the kernel was told to tell us */
    (void)setsid(); /* Ctrl-C is for the gateway, which stops us after its last write */
    if (fchdir(e->folder_fd) != 0 || dup2(null_fd, 0) < 0 || dup2(log_fd, 1) < 0 ||
        dup2(log_fd, 2) < 0)
        _exit(121);
    /* the lock stays open in the server; 3 may be the lock itself, then only the flag goes */
    if (e->server_lock == 3 ? fcntl(3, F_SETFD, 0) != 0 : dup2(e->server_lock, 3) < 0)
        _exit(122);
    if (close_range(4, ~0U, 0) != 0)
        for (int fd = 4; fd < 1024; fd++)
            (void)close(fd);
    (void)pthread_sigmask(SIG_SETMASK, &none, NULL);
    (void)execv(e->program, argv);
    _exit(123);
}

/* The pid, or the negated errno. */
static pid_t spawn(const struct embedded *e)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    int log_fd = openat(e->folder_fd, "redis.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    pid_t pid = -errno;
    if (null_fd >= 0 && log_fd >= 0) {
        pid = fork();
        if (pid == 0)
            child_run(e, null_fd, log_fd);
        if (pid < 0)
            pid = -errno;
    }
    if (null_fd >= 0)
        close(null_fd);
    if (log_fd >= 0)
        close(log_fd);
    return pid;
}

/* Wait for the child's end, and only forget its pid in the moment it is reaped. */
static void wait_for(struct embedded *e, pid_t pid)
{
    siginfo_t info;
    int status = 0;
    while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
    }
    pthread_mutex_lock(&e->lock);
    (void)waitpid(pid, &status, 0);
    e->pid = 0;
    pthread_cond_broadcast(&e->moved);
    bool stopping = e->stopping;
    pthread_mutex_unlock(&e->lock);
    LOG(stopping ? LOG_INFO : LOG_ERROR, "store.server_ended", log_int("pid", pid),
        log_int("exit", WIFEXITED(status) ? WEXITSTATUS(status) : -1),
        log_int("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0));
}

static void pause_unless_stopping(struct embedded *e, int64_t us)
{
    int64_t end = isg_time_mono_us() + us;
    struct timespec at = {.tv_sec = (time_t)(end / 1000000),
                          .tv_nsec = (long)(end % 1000000) * 1000};
    pthread_mutex_lock(&e->lock);
    while (!e->stopping && pthread_cond_timedwait(&e->moved, &e->lock, &at) != ETIMEDOUT) {
    }
    pthread_mutex_unlock(&e->lock);
}

/* Fork under the lock, so that a stop sees either no server or its pid. 0: stopping. */
static pid_t spawn_and_tell(struct embedded *e)
{
    pthread_mutex_lock(&e->lock);
    pid_t pid = e->stopping ? 0 : spawn(e);
    e->pid = pid > 0 ? pid : 0;
    e->spawn_error = pid < 0 ? -pid : 0;
    e->spawned = true;
    pthread_cond_broadcast(&e->moved);
    pthread_mutex_unlock(&e->lock);
    return pid;
}

/* The thread that owns the child. */
static void *keep(void *arg)
{
    struct embedded *e = arg;
    int64_t delay_us = BACKOFF_FIRST_US;
    for (;;) {
        int64_t begin_us = isg_time_mono_us();
        pid_t pid = spawn_and_tell(e);
        if (pid == 0)
            break;
        if (pid > 0)
            wait_for(e, pid);
        if (isg_time_mono_us() - begin_us > HEALTHY_US)
            delay_us = BACKOFF_FIRST_US;
        pause_unless_stopping(e, delay_us);
        delay_us = delay_us * 2 < BACKOFF_LAST_US ? delay_us * 2 : BACKOFF_LAST_US;
    }
    return NULL;
}

/* ---- start and stop ------------------------------------------------------------------------- */

static int init(struct embedded *e, const char *dir, struct isg_fail *why)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->moved, &attr);
    pthread_condattr_destroy(&attr);
    e->folder_fd = e->gateway_lock = e->server_lock = -1;
    e->parent = getpid();
    e->folder = join(dir, "/redis");
    e->socket = e->folder == NULL ? NULL : join(e->folder, "/redis.sock");
    e->program = find_program();
    if (e->socket == NULL || e->program == NULL)
        return isg_fail(why, ISG_ENOMEM, "out of memory");
    return open_folder(e, why);
}

static int take_locks(struct embedded *e, struct isg_fail *why)
{
    int err = open_lock(e, "gateway.lock", &e->gateway_lock, why);
    if (err == ISG_OK)
        err = try_lock(e, e->gateway_lock, "gateway.lock", why);
    if (err == ISG_EBUSY)
        err = isg_fail(why, ISG_EBUSY, "%s: another gateway runs this instance", e->folder);
    if (err == ISG_OK)
        err = open_lock(e, "lock", &e->server_lock, why);
    if (err == ISG_OK)
        err = end_orphan(e, why);
    return err;
}

/* Start the keeper and learn of its first fork. */
static int start_keeper(struct embedded *e, struct isg_fail *why)
{
    if (pthread_create(&e->keeper, NULL, keep, e) != 0)
        return isg_fail(why, ISG_ENOMEM, "cannot start a thread");
    e->keeper_runs = true;
    pthread_mutex_lock(&e->lock);
    while (!e->spawned)
        pthread_cond_wait(&e->moved, &e->lock);
    int error = e->spawn_error;
    pthread_mutex_unlock(&e->lock);
    if (error != 0)
        return isg_fail(why, ISG_ESTORE, "cannot start redis-server: %s", strerrordesc_np(error));
    return ISG_OK;
}

/* One PING; CONN_LOADING in *out_fault while it reads its AOF. */
static int greet(const struct address *address, enum conn_fault *out_fault, struct isg_fail *why)
{
    struct redis_conn *conn = NULL;
    int err = conn_open(address, NULL, isg_time_mono_us() + 1000000, &conn, out_fault, why);
    conn_free(&conn);
    return err;
}

static int wait_until_up(struct embedded *e, struct isg_fail *why)
{
    struct address address = {.text = e->socket, .path = e->socket};
    int64_t end_us = isg_time_mono_us() + START_US;
    for (;;) {
        enum conn_fault fault = CONN_CLOSED;
        struct isg_fail last = {0};
        if (greet(&address, &fault, &last) == ISG_OK)
            return ISG_OK;
        if (fault == CONN_LOADING) /* takes as long as the AOF is large */
            end_us = isg_time_mono_us() + START_US;
        if (embedded_pid(e) == 0)
            return isg_fail(why, ISG_ESTORE, "redis-server ended at its start; see %s/redis.log",
                            e->folder);
        if (isg_time_mono_us() > end_us)
            return isg_fail(why, ISG_ESTORE, "redis-server does not answer: %s", last.text);
        nap(POLL_US);
    }
}

int embedded_start(const char *dir, bool second, struct embedded **out, struct isg_fail *why)
{
    struct embedded *e = calloc(1, sizeof *e);
    if (e == NULL)
        return isg_fail(why, ISG_ENOMEM, "out of memory");
    int err = init(e, dir, why);
    if (err == ISG_OK)
        err = take_locks(e, why);
    if (err == ISG_OK)
        err = write_config(e, second, why);
    if (err == ISG_OK)
        err = start_keeper(e, why);
    if (err == ISG_OK)
        err = wait_until_up(e, why);
    if (err == ISG_OK)
        *out = e;
    else
        embedded_stop(&e);
    return err;
}

/* Lock held. */
static void tell_server(const struct embedded *e, int signal)
{
    if (e->pid > 0) {
        (void)kill(e->pid, signal);
        (void)kill(e->pid, SIGCONT); /* one that was stopped shall hear it too */
    }
}

static void end_keeper(struct embedded *e)
{
    int64_t end = isg_time_mono_us() + STOP_GRACE_US;
    struct timespec at = {.tv_sec = (time_t)(end / 1000000),
                          .tv_nsec = (long)(end % 1000000) * 1000};
    pthread_mutex_lock(&e->lock);
    e->stopping = true;
    pthread_cond_broadcast(&e->moved);
    tell_server(e, SIGTERM);
    while (e->pid > 0 && pthread_cond_timedwait(&e->moved, &e->lock, &at) != ETIMEDOUT) {
    }
    tell_server(e, SIGKILL);
    pthread_mutex_unlock(&e->lock);
    pthread_join(e->keeper, NULL);
}

void embedded_stop(struct embedded **embedded)
{
    struct embedded *e = *embedded;
    if (e == NULL)
        return;
    if (e->keeper_runs)
        end_keeper(e);
    const int fds[] = {e->server_lock, e->gateway_lock, e->folder_fd};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    pthread_cond_destroy(&e->moved);
    pthread_mutex_destroy(&e->lock);
    free(e->program);
    free(e->socket);
    free(e->folder);
    free(e);
    *embedded = NULL;
}

const char *embedded_socket(const struct embedded *e)
{
    return e->socket;
}

pid_t embedded_pid(struct embedded *e)
{
    pthread_mutex_lock(&e->lock);
    pid_t pid = e->pid;
    pthread_mutex_unlock(&e->lock);
    return pid;
}
