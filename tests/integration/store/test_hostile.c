/* A Redis that lies, refuses, or loses the connection at the worst moment. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "stix/base/time.h"
#include "tests/integration/store/bed.h"
#include "tests/integration/store/proxy.h"
#include "tests/support/tap.h"

enum { TIMEOUT_MS = 2000, BUSY_MS = 10000 /* what a busy machine may add */ };

static const char C1[] = "hostile";
static const char JAN[] = "2024-01-01T00:00:00.000Z";

static bool recovers(struct store *store)
{
    const struct timespec nap = {.tv_nsec = 50000000};
    for (int i = 0; i < 2000; i++) {
        if (store_ping(store, NULL) == ISG_OK)
            return true;
        (void)nanosleep(&nap, NULL);
    }
    return false;
}

/* Run redis-cli on the server itself. */
static bool tell(const char *dir, const char *command)
{
    char line[2 * BED_TEXT];
    snprintf(line, sizeof line, "redis-cli -e -s %.200s/own.sock %s >/dev/null 2>&1", dir, command);
    return system(line) == 0;
}

/* Replies that are none: every call fails in time, and all is well when the server is. */
static void check_lies(struct store *store)
{
    static const struct {
        const char *name;
        enum proxy_mode mode;
    } rows[] = {{"garbage", PROXY_GARBAGE},
                {"half a reply", PROXY_HALF},
                {"loading", PROXY_LOADING},
                {"an endless list", PROXY_ENDLESS}};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bed_object o;
        struct isg_fail why = {0};
        struct store_head head;
        bed_object(&o, 100 + i, JAN, "clear", "lies");
        struct store_put put = bed_put(&o);
        proxy_set(rows[i].mode);
        int64_t begin_us = isg_time_mono_us();
        is_int(store_commit(store, C1, &put, 1, BED_SEES_ALL, &why), ISG_ESTORE, "commit to %s: %s",
               rows[i].name, why.text);
        is_int(store_head(store, C1, 0, &head, &why), ISG_ESTORE, "read from %s: %s", rows[i].name,
               why.text);
        int64_t took_ms = (isg_time_mono_us() - begin_us) / 1000;
        ok(took_ms < 2 * TIMEOUT_MS + BUSY_MS, "in time: %d ms", (int)took_ms);
        proxy_set(PROXY_PASS);
        ok(recovers(store), "recovers from %s", rows[i].name);
        is_int((int)bed_push(store, C1, &o, NULL, NULL), STORE_ADDED, "nothing was written");
    }
}

/* The connection is lost around EXEC: settled by reading back, and the caller sees success. */
static void check_lost(struct store *store)
{
    static const struct {
        const char *name;
        enum proxy_mode mode;
    } rows[] = {{"the reply to EXEC", PROXY_DROP_REPLY}, {"EXEC itself", PROXY_DROP_REQUEST}};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bed_object o;
        struct store_put put;
        struct store_event *events = NULL;
        struct store_head head;
        size_t n = 0;
        bed_object(&o, 200 + i, JAN, "clear", "lost");
        proxy_set(rows[i].mode);
        is_int((int)bed_push(store, C1, &o, NULL, &put), STORE_ADDED, "%s is lost", rows[i].name);
        is_int(store_versions(store, C1, isg_str_of(o.id), &events, &n, NULL), ISG_OK, "versions");
        ok(n == 1 && events[0].position == put.position &&
               events[0].date_added_us == put.date_added_us,
           "it is there once, where the caller was told");
        ok(store_head(store, C1, 60000, &head, NULL) == ISG_OK && head.position == put.position,
           "the head knows it");
        free(events);
        proxy_set(rows[i].mode);
        is_int(store_delete(store, C1, isg_str_of(o.id), ISG_STR(""), BED_SEES_ALL, NULL), ISG_OK,
               "a deletion while %s is lost", rows[i].name);
        is_int(store_versions(store, C1, isg_str_of(o.id), &events, &n, NULL), ISG_ENOENT, "gone");
    }
}

/* What was lost and found again is no success before the replicas have it: here there is none. */
static void check_replicas(const char *dir, const char *url)
{
    const struct store_options options = {
        .dir = dir, .url = url, .timeout_ms = TIMEOUT_MS, .second = true, .replicas = 1};
    struct store *store = NULL;
    struct bed_object o;
    struct isg_fail why = {0};
    is_int(store_open(&options, &store, &why), ISG_OK, "a store with a replica %s", why.text);
    is_int(store_demand(store, C1, STORE_REPLICA, &why), ISG_OK, "that a collection demands");
    bed_object(&o, 400, JAN, "clear", "lost");
    struct store_put put = bed_put(&o);
    proxy_set(PROXY_DROP_REPLY);
    is_int(store_commit(store, C1, &put, 1, BED_SEES_ALL, &why), ISG_ESTORE,
           "found, not enough: %s", why.text);
    const struct isg_str piece = {"2 {}", 4};
    const struct isg_str line = {"p{}\n", 4};
    const struct store_job job = {"few", C1,          ISG_STR("a@api a c 0"), &piece, &line,
                                  1,     ISG_STR("a")};
    is_int(store_job_put(store, &job, &why), ISG_ESTORE, "nor is a push kept: %s", why.text);
    store_close(&store);
}

/* Refusals of a server that is well: the reason comes through, nothing is written. */
static void check_refusals(struct store *store, const char *dir)
{
    static const struct {
        const char *name;
        const char *begin;
        const char *end;
    } rows[] = {
        {"OOM", "config set maxmemory 1", "config set maxmemory 0"},
        {"READONLY", "replicaof 127.0.0.1 1", "replicaof no one"},
        {"NOREPLICAS", "config set min-replicas-to-write 3", "config set min-replicas-to-write 0"},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bed_object o;
        struct isg_fail why = {0};
        struct store_head before = {0};
        struct store_head after = {0};
        bed_object(&o, 300 + i, JAN, "clear", "refused");
        struct store_put put = bed_put(&o);
        (void)store_head(store, C1, 0, &before, NULL);
        if (!tell(dir, rows[i].begin))
            continue;
        is_int(store_commit(store, C1, &put, 1, BED_SEES_ALL, &why), ISG_ESTORE, "%s: %s",
               rows[i].name, why.text);
        ok(strstr(why.text, rows[i].name) != NULL, "says why");
        is_int(store_head(store, C1, 0, &after, NULL), ISG_OK, "reads go on");
        ok(after.position == before.position, "nothing was written");
        ok(tell(dir, rows[i].end), "the server is well again");
        is_int((int)bed_push(store, C1, &o, NULL, NULL), STORE_ADDED, "and takes it");
    }
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    if (file == NULL)
        return;
    (void)fputs(text, file);
    (void)fclose(file);
}

static void check_password(const char *dir, const char *url)
{
    char path[BED_TEXT];
    struct store *store = NULL;
    struct isg_fail why = {0};
    snprintf(path, sizeof path, "%.200s/password", dir);
    struct store_options options = {
        .dir = dir, .url = url, .password_file = path, .timeout_ms = TIMEOUT_MS};
    if (!tell(dir, "config set requirepass open-sesame"))
        return;
    is_int(store_open(&options, &store, &why), ISG_ESTORE, "no password file: %s", why.text);
    write_file(path, "wrong\n");
    is_int(store_open(&options, &store, &why), ISG_ESTORE, "a wrong password: %s", why.text);
    ok(strstr(why.text, "wrong\n") == NULL, "which is not repeated");
    write_file(path, "open-sesame\n");
    is_int(store_open(&options, &store, &why), ISG_OK, "the right one");
    store_close(&store);
}

int main(void)
{
    char dir[BED_TEXT];
    char url[BED_TEXT];
    char proxied[BED_TEXT];
    bed_make(dir);
    pid_t pid = bed_redis(dir, url);
    proxy_start(dir);
    snprintf(proxied, sizeof proxied, "unix:%.200s/proxy.sock", dir);
    struct store *store = bed_open(dir, proxied, TIMEOUT_MS);
    check_lost(store);
    check_replicas(dir, proxied);
    check_lies(store);
    check_refusals(store, dir);
    store_close(&store);
    check_password(dir, url);
    bed_end(pid, SIGTERM);
    bed_remove(dir);
    return tap_done();
}
