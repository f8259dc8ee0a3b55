/*
 * One connection to Redis: a pipeline goes out, its replies come back, all before a deadline. The
 * only file that knows hiredis (its protocol reader); the sockets are ours, so that a deadline
 * bounds the whole exchange and not each read.
 *
 * Commands are lists of arguments, never format strings, so that no input can become a command.
 */
#ifndef GATEWAY_STORE_CONN_H
#define GATEWAY_STORE_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/store/address.h"
#include "stix/base/buf.h"
#include "stix/base/err.h"
#include "stix/base/str.h"

/* ---- a pipeline ----------------------------------------------------------------------------- */

struct redis_reply; /* of the library; opaque */

struct redis_pipe {
    struct isg_buf out; /* sticky error: checked when it is run */
    size_t count;       /* commands put */
    struct redis_reply **replies;
    size_t got;
    size_t sent; /* bytes of out that the kernel took */
};

/* No commands; allocates nothing. */
void redis_pipe_init(struct redis_pipe *pipe);
/* Free commands and replies. */
void redis_pipe_done(struct redis_pipe *pipe);
/* Forget commands and replies, keep the memory. */
void redis_pipe_reset(struct redis_pipe *pipe);

/* Append one command. REDIS(pipe, ISG_STR("GET"), key); */
void redis_put(struct redis_pipe *pipe, const struct isg_str *argv, size_t argc);
#define REDIS(pipe, ...)                                     \
    redis_put((pipe), (const struct isg_str[]){__VA_ARGS__}, \
              sizeof((const struct isg_str[]){__VA_ARGS__}) / sizeof(struct isg_str))

/* Begin a command of argc arguments; redis_arg or redis_arg_buf must follow argc times. */
void redis_begin(struct redis_pipe *pipe, size_t argc);
/* The next argument: any bytes, copied. */
void redis_arg(struct redis_pipe *pipe, struct isg_str arg);
/*
 * Likewise what a buffer holds. Its error becomes the pipe's, so that what found no memory is never
 * sent.
 */
void redis_arg_buf(struct redis_pipe *pipe, const struct isg_buf *arg);
/* One argument of n pieces, one behind the other. */
void redis_arg_parts(struct redis_pipe *pipe, const struct isg_str *parts, size_t n);

/* ---- replies -------------------------------------------------------------------------------- */

enum redis_kind { REDIS_TEXT, REDIS_INT, REDIS_LIST }; /* TEXT: a bulk or a status */

/*
 * The gate for every reply: ISG_OK when it is of that kind, ISG_ENOENT for nil (why untouched),
 * ISG_ESTORE for an error, another kind or no reply at all.
 */
int redis_expect(const struct redis_reply *reply, enum redis_kind kind, struct isg_fail *why);

/* The n-th reply of a pipeline that was run, NULL when it is not there. */
const struct redis_reply *redis_nth(const struct redis_pipe *pipe, size_t n);

/* Lives as long as the reply; "" unless it is a text or an error. */
struct isg_str redis_text(const struct redis_reply *reply);
/* 0 unless it is an integer. */
int64_t redis_number(const struct redis_reply *reply);
/* Number of elements; 0 unless it is a list. */
size_t redis_count(const struct redis_reply *reply);
/* Element i of a list; NULL where there is none. Lives as long as the reply. */
const struct redis_reply *redis_at(const struct redis_reply *reply, size_t i);
/* True for nil: no such key or field, or an EXEC that was not done. */
bool redis_is_nil(const struct redis_reply *reply);
/* True for an error that begins with prefix; "" for any error. */
bool redis_is_error(const struct redis_reply *reply, const char *prefix);

/* ---- a connection --------------------------------------------------------------------------- */

enum conn_fault {
    CONN_SOUND,
    CONN_CLOSED,  /* the other side hung up */
    CONN_SILENT,  /* the deadline passed */
    CONN_GARBAGE, /* what came is no RESP */
    CONN_LOADING, /* the server still reads its data */
    CONN_SHORT    /* no memory here for what came: no fault of the server's */
};

struct redis_conn {
    int fd;
    void *reader;
    enum conn_fault fault; /* anything but SOUND: only good for conn_free */
    bool absurd;           /* a list was announced that no server of ours would send */
    bool used;             /* had a good exchange before this one */
    uint64_t link;         /* of the client: see redis.h */
    int kind;
};

/*
 * Connect, authenticate, select the database, PING.
 *
 * Returns ISG_OK; ISG_ESTORE, with the kind of fault in *out_fault; ISG_ENOMEM.
 */
int conn_open(const struct address *address, const char *password_file, int64_t deadline_us,
              struct redis_conn **out, enum conn_fault *out_fault, struct isg_fail *why);
/* Close the socket, whatever is under way; accepts NULL, leaves NULL. */
void conn_free(struct redis_conn **conn);

/*
 * Send all commands and read all replies. Error replies are replies: look at them with
 * redis_expect. On failure conn->fault says why; pipe->sent tells whether everything had left.
 *
 * Returns ISG_OK, ISG_ESTORE, ISG_ENOMEM, ISG_ELIMIT (the pipe's own error).
 */
int conn_run(struct redis_conn *conn, struct redis_pipe *pipe, int64_t deadline_us,
             struct isg_fail *why);

/* False when the other side has closed an idle connection, or said something unasked. */
bool conn_is_quiet(const struct redis_conn *conn);

#endif
