/*
 * Large pushes that wait: what became of who pushed them, two gateways at one of them. T-094,
 * T-119.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "gateway/ingest/queue.h"
#include "stix/json.h"
#include "tests/integration/ingest/fixture.h"
#include "tests/support/tap.h"

static struct fixture f;

/* ---- who pushed it may not any more --------------------------------------------------------- */

enum { PIECES = 3 };

/* A push of PIECES pieces of one object each, as a gateway left it that died. */
static void leave(const char *id, const char *member, const char *collection, unsigned number)
{
    struct isg_str pieces[PIECES];
    struct isg_str lines[PIECES];
    struct isg_fail why = {0};
    for (unsigned i = 0; i < PIECES; i++) {
        char *object = fixture_identity(&f, number + i, 0, "green", "");
        char *piece = isg_arena_printf(f.arena, "%zu %s", strlen(object), object);
        char *line =
            isg_arena_printf(f.arena, "p{\"id\":\"%s\",\"version\":\"%s\"}\n",
                             fixture_id(&f, "identity", number + i), fixture_version(&f, 0));
        pieces[i] = isg_str_of(piece);
        lines[i] = isg_str_of(line);
    }
    char *about = isg_arena_printf(f.arena, "%s@api %s %s 1000000", member, member, collection);
    const struct store_job job = {id,    collection, isg_str_of(about), pieces,
                                  lines, PIECES,     isg_str_of(member)};
    is_int(store_job_put(f.store, &job, &why), ISG_OK, "%s waits %s", id, why.text);
}

/* Its status once it is complete, in the arena; NULL when that lasts too long. */
static struct stix_json *complete(const char *id)
{
    struct stix_json *json = NULL;
    for (int i = 0; i < 6000; i++) {
        const struct timespec nap = {.tv_nsec = 20000000};
        struct isg_buf owner;
        struct isg_buf text;
        isg_buf_init(&owner, 4096);
        isg_buf_init(&text, 1 << 20);
        (void)ingest_status(f.store, isg_str_of(id), &owner, &text, NULL);
        int err = stix_json_parse(isg_buf_str(&text), NULL, &json, NULL);
        bool pending = err == ISG_OK && isg_str_is(stix_json_get_str(json, "status"), "pending");
        if (!pending)
            ok(err == ISG_OK, "%s: %s", id, text.p);
        isg_buf_done(&owner);
        isg_buf_done(&text);
        if (!pending)
            return json;
        stix_json_free(&json);
        (void)nanosleep(&nap, NULL);
    }
    ok(false, "%s is completed", id);
    return NULL;
}

static int64_t number_of(const struct stix_json *json, const char *name)
{
    int64_t n = -1;
    (void)stix_json_int(stix_json_get(json, name), &n);
    return n;
}

static void check_status(const char *id, int64_t successes, int64_t failures)
{
    struct stix_json *json = complete(id);
    const struct stix_json *list = stix_json_get(json, "failures");
    is_int(number_of(json, "total_count"), PIECES, "%s: the total", id);
    is_int(number_of(json, "success_count"), successes, "%s: successes", id);
    is_int(number_of(json, "failure_count"), failures, "%s: failures", id);
    is_int((int64_t)stix_json_size(list), failures, "%s: as many are listed (T-094)", id);
    if (failures > 0)
        ok(stix_json_get_str(stix_json_at(list, 0), "message").n > 0, "%s: it says why", id);
    stix_json_free(&json);
}

static void put_member(struct directory *directory, const char *json, bool create)
{
    struct isg_fail why = {0};
    is_int(directory_put_member(directory, isg_str_of(json), create, NULL, &why), ISG_OK, "%s %s",
           json, why.text);
}

static void check_rights(void)
{
    static const char *const ids[] = {"gone", "suspended", "forbidden", "nowhere", "new", "good"};
    char *main_id = isg_arena_copy(f.arena, isg_str_of(fixture_collection(&f, "main")->id));
    struct directory *other = NULL;
    struct ingest_queue *queue = NULL;
    struct isg_fail why = {0};
    put_member(f.directory, "{\"name\":\"bob\",\"suspended\":true}", false);
    is_int(directory_put_collection(
               f.directory, ISG_STR("{\"title\":\"few\",\"alias\":\"few\",\"write\":\"alice\"}"),
               true, NULL, &why),
           ISG_OK, "a collection that mia may not write");
    registry_unref(&f.registry);
    f.registry = directory_get(f.directory);
    is_int(directory_open(f.store, NULL, f.secret, &other, &why), ISG_OK, "another gateway");
    put_member(other, "{\"name\":\"nina\",\"kind\":\"hospital\"}", true);
    leave(ids[0], "nobody", main_id, 100);
    leave(ids[1], "bob", main_id, 200);
    leave(ids[2], "mia", fixture_collection(&f, "few")->id, 300);
    leave(ids[3], "alice", "00000000-0000-4000-8000-000000000000", 400);
    leave(ids[4], "nina", main_id, 500);
    leave(ids[5], "alice", main_id, 600);
    const struct ingest_queue_parts parts = {
        .store = f.store, .directory = f.directory, .objects_now = 1, .status_s = 60};
    is_int(ingest_queue_start(&parts, &queue, &why), ISG_OK, "a gateway takes them up");
    for (size_t i = 0; i < 4; i++)
        check_status(ids[i], 0, PIECES);
    check_status(ids[4], PIECES, 0);
    check_status(ids[5], PIECES, 0);
    ingest_queue_stop(&queue);
    is_str(fixture_see(&f, "main", "alice", (struct view_query){.added_after_us = INT64_MIN}, 100),
           "500@0 501@0 502@0 600@0 601@0 602@0", "nothing of the others is stored");
    is_str(fixture_see(&f, "few", NULL, (struct view_query){.added_after_us = INT64_MIN}, 100), "",
           "nor there");
    directory_close(&other);
}

/* ---- two gateways at one push --------------------------------------------------------------- */

enum { MANY = 400 };

static atomic_bool settled;

/* The other gateway: it does all pieces but the last. */
static void *settle(void *arg)
{
    struct store *store = arg;
    for (size_t i = 0; i + 1 < MANY; i++)
        (void)store_job_settle(store, ISG_STR("raced"), i, ISG_STR("s{}\n"), NULL);
    atomic_store(&settled, true);
    return NULL;
}

/* As long as one piece waits, none that another has just done may pass for the last one: the push
 * would be closed, and what waits be lost. */
static void check_race(void)
{
    static struct isg_str pieces[MANY];
    static struct isg_str lines[MANY];
    pthread_t thread;
    unsigned over = 0;
    size_t index = 0;
    for (size_t i = 0; i < MANY; i++) {
        pieces[i] = ISG_STR("2 {}");
        lines[i] = ISG_STR("p{}\n");
    }
    const struct store_job job = {"raced", "c",         ISG_STR("a@api a c 0"), pieces, lines,
                                  MANY,    ISG_STR("a")};
    is_int(store_job_put(f.store, &job, NULL), ISG_OK, "a push of many pieces");
    (void)pthread_create(&thread, NULL, settle, f.store);
    for (bool last = false; !last;) {
        struct isg_buf piece;
        struct isg_buf line;
        struct isg_fail why = {0};
        last = atomic_load(&settled);
        isg_buf_init(&piece, 4096);
        isg_buf_init(&line, 4096);
        int err = store_job_piece(f.store, ISG_STR("raced"), &index, &piece, &line, &why);
        over += err == ISG_ENOENT;
        isg_buf_done(&piece);
        isg_buf_done(&line);
    }
    (void)pthread_join(thread, NULL);
    is_int(over, 0, "while one piece waits the push is not over");
    is_int((int64_t)index, MANY - 1, "and the last one is found");
    (void)store_job_close(f.store, ISG_STR("raced"), 60, NULL);
}

/* ---- places --------------------------------------------------------------------------------- */

enum { CROWD = 8, EACH = 6 };

static atomic_uint taken;
static atomic_uint refused;

/* Pushes of one member through any gateway, more in all than there is room for. */
static void *fill(void *arg)
{
    static atomic_uint number;
    struct isg_str piece = ISG_STR("2 {}");
    struct isg_str line = ISG_STR("p{}\n");
    for (size_t i = 0; i < EACH; i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "place-%u", atomic_fetch_add(&number, 1));
        const struct store_job job = {id,    "c", ISG_STR("a@api a c 0"), &piece,
                                      &line, 1,   isg_str_of(arg)};
        int err = store_job_put(f.store, &job, NULL);
        atomic_fetch_add(&taken, err == ISG_OK);
        atomic_fetch_add(&refused, err == ISG_EBUSY);
    }
    return NULL;
}

static int close_one(void *arg, struct isg_str id)
{
    char name[32];
    (void)arg;
    (void)snprintf(name, sizeof name, "%.*s", ISG_STR_ARG(id));
    return store_job_close(f.store, isg_str_of(name), 1, NULL);
}

static unsigned fill_at_once(char *const *members)
{
    pthread_t threads[CROWD];
    atomic_store(&taken, 0);
    atomic_store(&refused, 0);
    for (size_t i = 0; i < CROWD; i++)
        (void)pthread_create(&threads[i], NULL, fill, members[i]);
    for (size_t i = 0; i < CROWD; i++)
        (void)pthread_join(threads[i], NULL);
    is_int(atomic_load(&taken) + atomic_load(&refused), CROWD * EACH, "taken, or told to wait");
    return atomic_load(&taken);
}

/* No member takes the places of all others, and however many come at once, the bound holds. */
static void check_places(void)
{
    static char greedy[] = "greedy", one[] = "one", two[] = "two", three[] = "three";
    static char four[] = "four", five[] = "five";
    char *const alone[CROWD] = {greedy, greedy, greedy, greedy, greedy, greedy, greedy, greedy};
    char *const others[CROWD] = {one, one, one, two, two, two, three, three};
    char *const late[CROWD] = {four, four, four, five, five, five, four, five};
    is_int(fill_at_once(alone), STORE_JOBS_OF_ONE, "one member has its share and no more");
    is_int(fill_at_once(others), 2 * STORE_JOBS_OF_ONE + 2 * EACH, "others find theirs");
    is_int(fill_at_once(late), STORE_JOBS_MAX - 3 * STORE_JOBS_OF_ONE - 2 * EACH,
           "until all are taken");
    is_int(store_job_each(f.store, close_one, NULL, NULL), ISG_OK, "all of them are over");
    is_int(fill_at_once(alone), STORE_JOBS_OF_ONE, "and there is room again");
    (void)store_job_each(f.store, close_one, NULL, NULL);
}

int main(void)
{
    fixture_open(&f);
    check_places();
    check_race();
    check_rights();
    fixture_close(&f);
    return tap_done();
}
