/*
 * Numbers that never repeat, and leases.
 *
 * A number is one more than the largest of Redis, the local file and what this process gave before.
 * The file runs ahead by a block and is on disk before a number beyond it is given, so a Redis that
 * lost writes cannot make the sequence run backwards (signing, section 7).
 */
#define _GNU_SOURCE /* strerrordesc_np */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/store/inside.h"
#include "gateway/store/names.h"
#include "stix/base/time.h"

enum { AHEAD = 64, TRIES = 100, LEASE_ROUNDS = 3 };

struct sequence {
    char *name;
    uint64_t floor; /* no number at or below it is given again */
    uint64_t in_file;
    struct sequence *next;
};

/* ---- the local file ------------------------------------------------------------------------- */

static int fail_errno(struct isg_fail *why, const char *what)
{
    return isg_fail(why, ISG_EIO, "%s: %s", what, strerrordesc_np(errno));
}

/* Names become file names: only letters, digits, '.', '_', '-' and ':' do. */
static bool is_file_name(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789._:-";
    size_t n = strlen(name);
    return n >= 1 && n <= 200 && strspn(name, allowed) == n;
}

static int open_state(const struct store *store, int *out_fd, struct isg_fail *why)
{
    char path[4096];
    if (store->dir == NULL ||
        snprintf(path, sizeof path, "%s/state", store->dir) >= (int)sizeof path)
        return isg_fail(why, ISG_EIO, "no instance folder for sequences");
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return fail_errno(why, "state");
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(why, "state");
    *out_fd = fd;
    return ISG_OK;
}

static int read_number(int folder, const char *file, uint64_t *out, struct isg_fail *why)
{
    char text[32];
    int fd = openat(folder, file, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        *out = 0;
        return ISG_OK;
    }
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
    int err = n < 0 ? fail_errno(why, file) : ISG_OK;
    if (fd >= 0)
        close(fd);
    if (err == ISG_OK &&
        !isg_str_to_u64(isg_str_trim((struct isg_str){text, (size_t)n}), UINT64_MAX, out))
        err = isg_fail(why, ISG_EIO, "%s is damaged", file); /* guessing could repeat a number */
    return err;
}

static bool write_and_sync(int fd, uint64_t number)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%" PRIu64 "\n", number);
    return write(fd, text, (size_t)n) == n && fsync(fd) == 0;
}

/* New file, sync, rename, sync of the folder: whole or not at all. */
static int write_number(int folder, const char *file, uint64_t number, struct isg_fail *why)
{
    char temp[256 + 8];
    (void)snprintf(temp, sizeof temp, "%s.new", file);
    int fd = openat(folder, temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail_errno(why, temp);
    bool good = write_and_sync(fd, number);
    good = close(fd) == 0 && good;
    if (!good || renameat(folder, temp, folder, file) != 0 || fsync(folder) != 0)
        return fail_errno(why, file);
    return ISG_OK;
}

static int with_file(const struct store *store, struct sequence *s, uint64_t write,
                     struct isg_fail *why)
{
    char file[256];
    int folder;
    (void)snprintf(file, sizeof file, "sequence-%s", s->name);
    int err = open_state(store, &folder, why);
    if (err != ISG_OK)
        return err;
    if (write > 0)
        err = write_number(folder, file, write, why);
    else
        err = read_number(folder, file, &write, why);
    if (err == ISG_OK)
        s->in_file = write;
    close(folder);
    return err;
}

/* ---- Redis ---------------------------------------------------------------------------------- */

/* Raise the number in Redis above the floor; ISG_EBUSY when another gateway came in between. */
static int raise_once(struct redis_conn *conn, const struct sequence *s, int64_t deadline_us,
                      uint64_t *out, struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    struct names_key value;
    struct isg_str name = names_sequence(&key, s->name);
    uint64_t there = 0;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("WATCH"), name);
    REDIS(&pipe, ISG_STR("GET"), name);
    int err = conn_run(conn, &pipe, deadline_us, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 1), REDIS_TEXT, why);
    if (err == ISG_ENOENT)
        err = ISG_OK;
    else if (err == ISG_OK && !isg_str_to_u64(redis_text(redis_nth(&pipe, 1)), UINT64_MAX, &there))
        err = isg_fail(why, ISG_ESTORE, "the sequence in Redis is damaged");
    uint64_t next = (there > s->floor ? there : s->floor) + 1;
    if (err == ISG_OK) {
        redis_pipe_reset(&pipe);
        REDIS(&pipe, ISG_STR("MULTI"));
        REDIS(&pipe, ISG_STR("SET"), name, names_number(&value, next));
        REDIS(&pipe, ISG_STR("EXEC"));
        err = conn_run(conn, &pipe, deadline_us, why);
    }
    for (size_t i = 0; i < 2 && err == ISG_OK; i++)
        err = redis_expect(redis_nth(&pipe, i), REDIS_TEXT, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 2), REDIS_LIST, why);
    if (err == ISG_ENOENT)
        err = isg_fail(why, ISG_EBUSY, "another gateway took the number");
    if (err == ISG_OK)
        *out = next;
    redis_pipe_done(&pipe);
    return err;
}

/* A number lost with the connection is skipped, which is harmless. */
static int raise(struct store *store, const struct sequence *s, uint64_t *out, struct isg_fail *why)
{
    int64_t deadline_us = redis_deadline(store->redis);
    int err = ISG_EBUSY;
    for (int i = 0; i < TRIES && isg_time_mono_us() < deadline_us; i++) {
        struct redis_conn *conn = NULL;
        err = redis_take(store->redis, REDIS_WRITE, deadline_us, &conn, why);
        if (err != ISG_OK)
            return err;
        err = raise_once(conn, s, deadline_us, out, why);
        bool again = err == ISG_EBUSY || (err != ISG_OK && conn->fault == CONN_CLOSED);
        redis_give(store->redis, &conn);
        if (!again)
            break;
    }
    return err;
}

/* ---- the call ------------------------------------------------------------------------------- */

static int find(struct store *store, const char *name, struct sequence **out, struct isg_fail *why)
{
    struct sequence *s = store->sequences;
    while (s != NULL && strcmp(s->name, name) != 0)
        s = s->next;
    if (s != NULL) {
        *out = s;
        return ISG_OK;
    }
    s = calloc(1, sizeof *s);
    if (s == NULL || (s->name = strdup(name)) == NULL) {
        free(s);
        return isg_fail(why, ISG_ENOMEM, "out of memory");
    }
    int err = with_file(store, s, 0, why);
    if (err != ISG_OK) {
        free(s->name);
        free(s);
        return err;
    }
    s->floor = s->in_file;
    s->next = store->sequences;
    store->sequences = s;
    *out = s;
    return ISG_OK;
}

int store_sequence(struct store *store, const char *name, uint64_t *out, struct isg_fail *why)
{
    struct sequence *s = NULL;
    uint64_t number = 0;
    if (!is_file_name(name))
        return isg_fail(why, ISG_EINVAL, "impossible name of a sequence");
    pthread_mutex_lock(&store->sequence_lock);
    int err = find(store, name, &s, why);
    if (err == ISG_OK)
        err = raise(store, s, &number, why);
    if (err == ISG_OK && number > s->in_file)
        err = with_file(store, s, number + AHEAD - 1, why);
    if (err == ISG_OK)
        s->floor = number;
    pthread_mutex_unlock(&store->sequence_lock);
    if (err == ISG_OK)
        *out = number;
    return err;
}

void store_sequences_free(struct store *store)
{
    while (store->sequences != NULL) {
        struct sequence *s = store->sequences;
        store->sequences = s->next;
        free(s->name);
        free(s);
    }
}

/* ---- leases --------------------------------------------------------------------------------- */

struct wish {
    const char *name;
    const char *token;
    enum store_lease_wish what;
    unsigned ttl_ms;
    int64_t deadline_us;
};

static void put_change(struct redis_pipe *pipe, const struct wish *wish, bool ours)
{
    struct names_key key;
    struct names_key number;
    struct isg_str lease = names_lease(&key, wish->name);
    struct isg_str token = isg_str_of(wish->token);
    struct isg_str ttl = names_number(&number, wish->ttl_ms > 0 ? wish->ttl_ms : 1);
    if (wish->what == STORE_LEASE_DROP)
        REDIS(pipe, ISG_STR("DEL"), lease);
    else if (ours)
        REDIS(pipe, ISG_STR("SET"), lease, token, ISG_STR("PX"), ttl);
    else
        REDIS(pipe, ISG_STR("SET"), lease, token, ISG_STR("NX"), ISG_STR("PX"), ttl);
}

/*
 * SET ... PX; under WATCH where it renews, so that it cannot take a lease that passed on. ISG_EBUSY:
 * the lease moved since it was asked for (it may just have ended), so ask again.
 */
static int set_lease(struct redis_conn *conn, const struct wish *wish, bool ours, bool *out_held,
                     struct isg_fail *why)
{
    struct redis_pipe pipe;
    bool drops = wish->what == STORE_LEASE_DROP;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("MULTI"));
    put_change(&pipe, wish, ours);
    REDIS(&pipe, ISG_STR("EXEC"));
    int err = conn_run(conn, &pipe, wish->deadline_us, why);
    for (size_t i = 0; i < 2 && err == ISG_OK; i++)
        err = redis_expect(redis_nth(&pipe, i), REDIS_TEXT, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 2), REDIS_LIST, why);
    if (err == ISG_ENOENT)
        err = ISG_EBUSY;
    if (err == ISG_OK)
        err = redis_expect(redis_at(redis_nth(&pipe, 2), 0), drops ? REDIS_INT : REDIS_TEXT, why);
    *out_held = err == ISG_OK && !drops;
    redis_pipe_done(&pipe);
    return err == ISG_ENOENT ? ISG_OK : err;
}

static int ask_lease(struct redis_conn *conn, const struct wish *wish, bool *out_held,
                     struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    struct isg_str lease = names_lease(&key, wish->name);
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("WATCH"), lease);
    REDIS(&pipe, ISG_STR("GET"), lease);
    int err = conn_run(conn, &pipe, wish->deadline_us, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 1), REDIS_TEXT, why);
    bool is_free = err == ISG_ENOENT;
    bool is_ours = err == ISG_OK && isg_str_is(redis_text(redis_nth(&pipe, 1)), wish->token);
    if (is_ours || (is_free && wish->what == STORE_LEASE_TAKE)) {
        err = set_lease(conn, wish, is_ours, out_held, why);
    } else if (err == ISG_OK || is_free) {
        *out_held = false;
        redis_pipe_reset(&pipe);
        REDIS(&pipe, ISG_STR("UNWATCH"));
        err = conn_run(conn, &pipe, wish->deadline_us, why);
    }
    redis_pipe_done(&pipe);
    return err;
}

int store_lease_of(struct store *store, const char *name, const char *token,
                   enum store_lease_wish what, unsigned ttl_ms, bool *out_held,
                   struct isg_fail *why)
{
    *out_held = false;
    if (!names_id_is_valid(isg_str_of(name)))
        return isg_fail(why, ISG_EINVAL, "impossible name of a lease");
    for (int round = 0;; round++) {
        const struct wish wish = {name, token, what, ttl_ms, redis_deadline(store->redis)};
        struct redis_conn *conn = NULL;
        int err = redis_take(store->redis, REDIS_WRITE, wish.deadline_us, &conn, why);
        if (err != ISG_OK)
            return err;
        err = ask_lease(conn, &wish, out_held, why);
        bool again = err == ISG_EBUSY || (err != ISG_OK && conn->fault == CONN_CLOSED);
        redis_give(store->redis, &conn);
        if (!again || round == LEASE_ROUNDS)
            return err == ISG_EBUSY ? ISG_OK : err;
    }
}

int store_lease(struct store *store, const char *name, unsigned ttl_ms, bool *out_held,
                struct isg_fail *why)
{
    return store_lease_of(store, name, store->token, STORE_LEASE_TAKE, ttl_ms, out_held, why);
}
