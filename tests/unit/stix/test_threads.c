/*
 * Four threads at once: each reads, checks and writes objects of its own, while all of them read
 * one shared tree and shared texts. Every thread must come to what one alone comes to.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "stix/id.h"
#include "stix/object.h"
#include "stix/pattern.h"
#include "tests/support/tap.h"

enum { THREADS = 4, ROUNDS = 3, ROWS_MAX = 2000, ARENA_BYTES = 1 << 22 };

struct shared {
    struct isg_str rows[ROWS_MAX]; /* texts of objects, good and bad */
    size_t count;
    struct stix_json *tree; /* of all of them, in a list */
};

struct thread {
    const struct shared *shared;
    size_t from; /* where this one begins, so that they meet different rows */
    struct isg_sha256 hash[ROUNDS];
    uint8_t digest[ROUNDS][ISG_SHA256_BYTES];
    pthread_t id;
};

static void add_report(const struct stix_report *report, struct isg_sha256 *hash)
{
    for (const struct stix_finding *f = report->first; f != NULL; f = f->next) {
        isg_sha256_add(hash, f->path, strlen(f->path));
        isg_sha256_add(hash, f->rule, strlen(f->rule));
        isg_sha256_add(hash, f->message, strlen(f->message));
    }
}

/* What is to be said of a text: its object's digest, or its failure; and all findings. */
static void read_row(struct isg_str text, struct isg_arena *arena, struct isg_sha256 *hash)
{
    struct stix_report report;
    struct stix_object object;
    struct isg_fail why = {0};
    isg_arena_reset(arena);
    stix_report_init(&report, arena, 0);
    int err = stix_object_read(text, NULL, &report, &object, &why);
    isg_sha256_add(hash, &err, sizeof err);
    add_report(&report, hash);
    if (err == ISG_OK) {
        isg_sha256_add(hash, object.digest, sizeof object.digest);
        stix_object_done(&object);
    }
}

/* The same of a value in the tree that all threads read. */
static void read_value(const struct stix_json *value, struct isg_arena *arena,
                       struct isg_sha256 *hash)
{
    struct stix_report report;
    struct isg_buf canon;
    char id[STIX_ID_MAX + 1];
    bool fixed = false;
    isg_arena_reset(arena);
    stix_report_init(&report, arena, 0);
    isg_buf_init(&canon, ISG_BUF_NO_MAX);
    (void)stix_check(value, NULL, &report);
    add_report(&report, hash);
    stix_json_canon(value, &canon);
    isg_sha256_add(hash, canon.p, canon.len);
    if (stix_id_sco(value, id, &fixed, NULL) == ISG_OK && fixed)
        isg_sha256_add(hash, id, strlen(id));
    int err = stix_pattern_check(stix_json_get_str(value, "pattern"), STIX_PATTERN_2_1, NULL);
    isg_sha256_add(hash, &err, sizeof err);
    isg_buf_done(&canon);
}

static void *work(void *arg)
{
    struct thread *thread = arg;
    const struct shared *shared = thread->shared;
    struct isg_arena *arena = isg_arena_new(ARENA_BYTES);
    for (size_t round = 0; round < ROUNDS; round++) {
        struct isg_sha256 *hash = &thread->hash[round];
        isg_sha256_init(hash);
        for (size_t i = 0; i < shared->count; i++) {
            size_t row = (thread->from + i) % shared->count;
            read_row(shared->rows[row], arena, hash);
            read_value(stix_json_at(shared->tree, row), arena, hash);
        }
        isg_sha256_end(hash, thread->digest[round]);
    }
    isg_arena_free(&arena);
    return NULL;
}

static void load(struct shared *shared, struct isg_str rest)
{
    struct isg_buf all;
    struct isg_str line;
    isg_buf_init(&all, ISG_BUF_NO_MAX);
    while (shared->count < ROWS_MAX && isg_str_split(&rest, '\n', &line)) {
        const char *object = line.n > 0 ? strstr(line.p, "\"object\":") : NULL;
        if (object == NULL)
            continue;
        struct isg_str text = {object + 9, (size_t)(line.p + line.n - object) - 10};
        shared->rows[shared->count++] = text;
        isg_buf_putc(&all, all.len == 0 ? '[' : ',');
        isg_buf_put_str(&all, text);
    }
    isg_buf_putc(&all, ']');
    is_int(stix_json_parse(isg_buf_str(&all), NULL, &shared->tree, NULL), ISG_OK,
           "%zu objects in one tree", shared->count);
    isg_buf_done(&all);
}

/* Threads 0 and 1 begin at the same row, so do 2 and 3. */
static void test_threads(const struct shared *shared)
{
    struct thread threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        threads[i] = (struct thread){.shared = shared, .from = i / 2 * (shared->count / 2)};
        pthread_create(&threads[i].id, NULL, work, &threads[i]);
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i].id, NULL);
    for (size_t i = 0; i < THREADS; i++) {
        struct thread alone = {.shared = shared, .from = threads[i].from};
        (void)work(&alone);
        for (size_t round = 0; round < ROUNDS; round++)
            ok(memcmp(threads[i].digest[round], alone.digest[round], ISG_SHA256_BYTES) == 0,
               "thread %zu, round %zu: as one alone", i, round);
    }
}

int main(void)
{
    static struct shared shared;
    char *rows = tap_slurp(ISG_FIXTURES "/stix/check-cases.ndjson", NULL);
    load(&shared, isg_str_of(rows));
    test_threads(&shared);
    stix_json_free(&shared.tree);
    free(rows);
    return tap_done();
}
