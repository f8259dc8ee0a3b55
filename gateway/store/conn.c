#define _GNU_SOURCE /* explicit_bzero */
#include "gateway/store/conn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

#include "gateway/metrics.h"
#include "stix/base/time.h"

enum {
    READ_BYTES = 64 * 1024,
    BUFFER_KEPT = 256 * 1024, /* of a connection that waits for its next use */
    PASSWORD_MAX = 1024,
    LIST_MAX = 1 << 22 /* members of a list; a server that announces more is broken */
};

/* ---- a pipeline ----------------------------------------------------------------------------- */

void redis_pipe_init(struct redis_pipe *pipe)
{
    *pipe = (struct redis_pipe){0};
    isg_buf_init(&pipe->out, ISG_BUF_NO_MAX);
}

static void drop_replies(struct redis_pipe *pipe)
{
    for (size_t i = 0; i < pipe->got; i++)
        freeReplyObject(pipe->replies[i]);
    free(pipe->replies);
    pipe->replies = NULL;
    pipe->got = 0;
    pipe->sent = 0;
}

void redis_pipe_done(struct redis_pipe *pipe)
{
    drop_replies(pipe);
    isg_buf_done(&pipe->out);
    pipe->count = 0;
}

void redis_pipe_reset(struct redis_pipe *pipe)
{
    drop_replies(pipe);
    isg_buf_reset(&pipe->out);
    pipe->count = 0;
}

static void put_size(struct isg_buf *out, char mark, size_t n)
{
    isg_buf_putc(out, mark);
    isg_buf_put_u64(out, n);
    isg_buf_put(out, "\r\n", 2);
}

void redis_begin(struct redis_pipe *pipe, size_t argc)
{
    put_size(&pipe->out, '*', argc);
    pipe->count++;
}

void redis_arg_parts(struct redis_pipe *pipe, const struct isg_str *parts, size_t n)
{
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++)
        bytes += parts[i].n;
    put_size(&pipe->out, '$', bytes);
    for (size_t i = 0; i < n; i++)
        isg_buf_put_str(&pipe->out, parts[i]);
    isg_buf_put(&pipe->out, "\r\n", 2);
}

void redis_arg(struct redis_pipe *pipe, struct isg_str arg)
{
    redis_arg_parts(pipe, &arg, 1);
}

void redis_arg_buf(struct redis_pipe *pipe, const struct isg_buf *arg)
{
    redis_arg(pipe, isg_buf_str(arg));
    if (arg->err != ISG_OK)
        pipe->out.err = arg->err;
}

void redis_put(struct redis_pipe *pipe, const struct isg_str *argv, size_t argc)
{
    redis_begin(pipe, argc);
    for (size_t i = 0; i < argc; i++)
        redis_arg(pipe, argv[i]);
}

/* ---- replies -------------------------------------------------------------------------------- */

static const redisReply *of(const struct redis_reply *reply)
{
    return (const redisReply *)(const void *)reply;
}

static bool is_kind(const redisReply *r, enum redis_kind kind)
{
    switch (kind) {
    case REDIS_TEXT: return r->type == REDIS_REPLY_STRING || r->type == REDIS_REPLY_STATUS;
    case REDIS_INT: return r->type == REDIS_REPLY_INTEGER;
    case REDIS_LIST: return r->type == REDIS_REPLY_ARRAY;
    }
    return false;
}

int redis_expect(const struct redis_reply *reply, enum redis_kind kind, struct isg_fail *why)
{
    const redisReply *r = of(reply);
    if (r == NULL)
        return isg_fail(why, ISG_ESTORE, "Redis: no reply");
    if (r->type == REDIS_REPLY_ERROR)
        return isg_fail(why, ISG_ESTORE, "Redis: %.200s", r->str);
    if (r->type == REDIS_REPLY_NIL)
        return ISG_ENOENT;
    if (!is_kind(r, kind))
        return isg_fail(why, ISG_ESTORE, "Redis: reply of type %d, not expected", r->type);
    return ISG_OK;
}

const struct redis_reply *redis_nth(const struct redis_pipe *pipe, size_t n)
{
    return n < pipe->got ? pipe->replies[n] : NULL;
}

struct isg_str redis_text(const struct redis_reply *reply)
{
    const redisReply *r = of(reply);
    if (r == NULL || r->str == NULL || r->type == REDIS_REPLY_NIL)
        return (struct isg_str){"", 0};
    return (struct isg_str){r->str, r->len};
}

int64_t redis_number(const struct redis_reply *reply)
{
    const redisReply *r = of(reply);
    return r != NULL && r->type == REDIS_REPLY_INTEGER ? r->integer : 0;
}

size_t redis_count(const struct redis_reply *reply)
{
    const redisReply *r = of(reply);
    return r != NULL && r->type == REDIS_REPLY_ARRAY ? r->elements : 0;
}

const struct redis_reply *redis_at(const struct redis_reply *reply, size_t i)
{
    return i < redis_count(reply) ? (const struct redis_reply *)(const void *)of(reply)->element[i]
                                  : NULL;
}

bool redis_is_nil(const struct redis_reply *reply)
{
    const redisReply *r = of(reply);
    return r != NULL && r->type == REDIS_REPLY_NIL;
}

bool redis_is_error(const struct redis_reply *reply, const char *prefix)
{
    const redisReply *r = of(reply);
    return r != NULL && r->type == REDIS_REPLY_ERROR &&
           strncmp(r->str, prefix, strlen(prefix)) == 0;
}

/* ---- a connection --------------------------------------------------------------------------- */

/* The library's own makers of replies, but for lists: it would reserve memory for any length. */
static pthread_mutex_t makers_lock = PTHREAD_MUTEX_INITIALIZER;
static redisReplyObjectFunctions makers;
static void *(*make_any_list)(const redisReadTask *task, int elements);

static void *make_list(const redisReadTask *task, int elements)
{
    struct redis_conn *conn = task->privdata;
    conn->absurd = elements > LIST_MAX;
    return conn->absurd ? NULL : make_any_list(task, elements);
}

/* False without memory: asked again by the next connection. */
static bool learn_makers(void)
{
    pthread_mutex_lock(&makers_lock);
    redisReader *reader = makers.createArray == NULL ? redisReaderCreate() : NULL;
    if (reader != NULL) {
        makers = *reader->fn;
        make_any_list = makers.createArray;
        makers.createArray = make_list;
        redisReaderFree(reader);
    }
    bool known = makers.createArray != NULL;
    pthread_mutex_unlock(&makers_lock);
    return known;
}

static redisReader *new_reader(struct redis_conn *conn)
{
    redisReader *reader = learn_makers() ? redisReaderCreateWithFunctions(&makers) : NULL;
    if (reader != NULL) {
        reader->privdata = conn;
        reader->maxbuf = 0; /* large buffers are dropped by drop_large */
    }
    return reader;
}

/* The library would do this by itself, but end the process where it gets no new buffer. */
static void drop_large(struct redis_conn *conn)
{
    redisReader *reader = conn->reader;
    if (reader->pos < reader->len || sdsavail(reader->buf) <= BUFFER_KEPT)
        return;
    redisReader *fresh = new_reader(conn);
    if (fresh == NULL)
        return;
    redisReaderFree(reader);
    conn->reader = fresh;
}

static int broken(struct redis_conn *conn, enum conn_fault fault, struct isg_fail *why)
{
    static const char *const texts[] = {
        [CONN_SOUND] = "",
        [CONN_CLOSED] = "Redis closed the connection",
        [CONN_SILENT] = "Redis did not answer in time",
        [CONN_GARBAGE] = "Redis sent something that is no reply",
        [CONN_LOADING] = "Redis is loading its data",
        [CONN_SHORT] = "no memory for a reply of Redis",
    };
    conn->fault = fault;
    return isg_fail(why, fault == CONN_SHORT ? ISG_ENOMEM : ISG_ESTORE, "%s", texts[fault]);
}

/* The reader gave up: for what was sent, or for want of memory. */
static int unread(struct redis_conn *conn, struct isg_fail *why)
{
    const redisReader *reader = conn->reader;
    bool is_short = reader->err == REDIS_ERR_OOM && !conn->absurd;
    return broken(conn, is_short ? CONN_SHORT : CONN_GARBAGE, why);
}

/* Move complete replies from the reader to the pipe. */
static int take_replies(struct redis_conn *conn, struct redis_pipe *pipe, struct isg_fail *why)
{
    while (pipe->got < pipe->count) {
        void *reply = NULL;
        if (redisReaderGetReply(conn->reader, &reply) != REDIS_OK)
            return unread(conn, why);
        if (reply == NULL)
            break;
        pipe->replies[pipe->got++] = reply;
    }
    return ISG_OK;
}

static bool would_wait(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static int send_some(struct redis_conn *conn, struct redis_pipe *pipe, struct isg_fail *why)
{
    ssize_t n = send(conn->fd, pipe->out.p + pipe->sent, pipe->out.len - pipe->sent, MSG_NOSIGNAL);
    if (n < 0 && !would_wait())
        return broken(conn, CONN_CLOSED, why);
    if (n > 0)
        pipe->sent += (size_t)n;
    return ISG_OK;
}

static int receive_some(struct redis_conn *conn, struct redis_pipe *pipe, struct isg_fail *why)
{
    char bytes[READ_BYTES];
    ssize_t n = recv(conn->fd, bytes, sizeof bytes, 0);
    if (n == 0 || (n < 0 && !would_wait()))
        return broken(conn, CONN_CLOSED, why);
    if (n < 0)
        return ISG_OK;
    if (redisReaderFeed(conn->reader, bytes, (size_t)n) != REDIS_OK)
        return unread(conn, why);
    return take_replies(conn, pipe, why);
}

/* Wait for the socket and move what can be moved. */
static int step(struct redis_conn *conn, struct redis_pipe *pipe, int64_t deadline_us,
                struct isg_fail *why)
{
    int64_t left = deadline_us - isg_time_mono_us();
    if (left <= 0)
        return broken(conn, CONN_SILENT, why);
    bool sending = pipe->sent < pipe->out.len;
    struct pollfd p = {.fd = conn->fd, .events = (short)(sending ? POLLIN | POLLOUT : POLLIN)};
    int n = poll(&p, 1, (int)(left / 1000) + 1);
    if (n < 0 && errno != EINTR)
        return broken(conn, CONN_CLOSED, why);
    int err = ISG_OK;
    if (n > 0 && (p.revents & POLLOUT) != 0)
        err = send_some(conn, pipe, why);
    if (n > 0 && err == ISG_OK && (p.revents & ~POLLOUT) != 0)
        err = receive_some(conn, pipe, why);
    return err;
}

int conn_run(struct redis_conn *conn, struct redis_pipe *pipe, int64_t deadline_us,
             struct isg_fail *why)
{
    assert(pipe->got == 0 && pipe->sent == 0);
    if (pipe->out.err != ISG_OK)
        return isg_fail(why, pipe->out.err, "%s", isg_strerror(pipe->out.err));
    free(pipe->replies);
    pipe->replies = calloc(pipe->count + 1, sizeof(struct redis_reply *));
    if (pipe->replies == NULL)
        return isg_fail(why, ISG_ENOMEM, "out of memory");
    int64_t began_us = isg_time_mono_us();
    int err = pipe->out.len == 0 ? ISG_OK : send_some(conn, pipe, why);
    while (err == ISG_OK && (pipe->sent < pipe->out.len || pipe->got < pipe->count))
        err = step(conn, pipe, deadline_us, why);
    if (err == ISG_OK) {
        conn->used = true;
        metric_observe(METRIC_REDIS_DURATION, isg_time_mono_us() - began_us);
        drop_large(conn);
    }
    return err;
}

bool conn_is_quiet(const struct redis_conn *conn)
{
    char byte;
    ssize_t n = recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n < 0 && would_wait();
}

/* The first line of the password file; the file is read at each connect, so it may change. */
static int read_password(const char *path, char out[PASSWORD_MAX], struct isg_str *text,
                         struct isg_fail *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, PASSWORD_MAX);
    if (fd >= 0)
        close(fd);
    if (n < 0 || n == PASSWORD_MAX)
        return isg_fail(why, ISG_ESTORE, "cannot read the password file of Redis");
    size_t len = 0;
    while (len < (size_t)n && out[len] != '\n' && out[len] != '\r')
        len++;
    *text = (struct isg_str){out, len};
    return ISG_OK;
}

static int put_login(struct redis_pipe *pipe, const struct address *address,
                     const char *password_file, struct isg_fail *why)
{
    if (password_file != NULL) {
        char bytes[PASSWORD_MAX];
        struct isg_str password;
        int err = read_password(password_file, bytes, &password, why);
        if (err == ISG_OK && address->user != NULL)
            REDIS(pipe, ISG_STR("AUTH"), isg_str_of(address->user), password);
        else if (err == ISG_OK)
            REDIS(pipe, ISG_STR("AUTH"), password);
        explicit_bzero(bytes, sizeof bytes);
        if (err != ISG_OK)
            return err;
    }
    if (address->db != 0) {
        char digits[16];
        int n = snprintf(digits, sizeof digits, "%u", address->db);
        REDIS(pipe, ISG_STR("SELECT"), ((struct isg_str){digits, (size_t)n}));
    }
    REDIS(pipe, ISG_STR("PING"));
    return ISG_OK;
}

static int greet(struct redis_conn *conn, const struct address *address, const char *password_file,
                 int64_t deadline_us, struct isg_fail *why)
{
    struct redis_pipe pipe;
    redis_pipe_init(&pipe);
    int err = put_login(&pipe, address, password_file, why);
    if (err == ISG_OK)
        err = conn_run(conn, &pipe, deadline_us, why);
    for (size_t i = 0; i < pipe.count && err == ISG_OK; i++) {
        if (redis_is_error(pipe.replies[i], "LOADING"))
            err = broken(conn, CONN_LOADING, why);
        else
            err = redis_expect(pipe.replies[i], REDIS_TEXT, why);
    }
    if (pipe.out.p != NULL)
        explicit_bzero(pipe.out.p, pipe.out.len);
    redis_pipe_done(&pipe);
    return err;
}

int conn_open(const struct address *address, const char *password_file, int64_t deadline_us,
              struct redis_conn **out, enum conn_fault *out_fault, struct isg_fail *why)
{
    struct redis_conn *conn = calloc(1, sizeof *conn);
    *out_fault = CONN_CLOSED;
    if (conn == NULL)
        return isg_fail(why, ISG_ENOMEM, "out of memory");
    conn->fd = -1;
    conn->reader = new_reader(conn);
    int err = conn->reader == NULL ? isg_fail(why, ISG_ENOMEM, "out of memory")
                                   : address_connect(address, deadline_us, &conn->fd, why);
    if (err == ISG_OK) {
        err = greet(conn, address, password_file, deadline_us, why);
        *out_fault = conn->fault;
    }
    if (err == ISG_OK) {
        conn->used = false;
        *out = conn;
    } else {
        conn_free(&conn);
    }
    return err;
}

void conn_free(struct redis_conn **conn)
{
    struct redis_conn *c = *conn;
    if (c == NULL)
        return;
    if (c->fd >= 0)
        close(c->fd);
    if (c->reader != NULL)
        redisReaderFree(c->reader);
    free(c);
    *conn = NULL;
}
