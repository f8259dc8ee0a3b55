/*
 * Remembered views: always the same as a view made anew, whatever changed in between, for every
 * member, also from several threads.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/integration/ingest/fixture.h"
#include "tests/support/tap.h"

static struct fixture f;
static struct view_memory *memory;

static const char *const names[] = {"alice", "bob", "mia", "stan", "pat", "rita", "wilma"};
enum { NAMES = sizeof names / sizeof *names, ROUNDS = 300 };

/* Sets and keys are equal, twice in a row: made, then remembered. */
static bool agrees(const struct registry *registry, const char *name, struct isg_arena *arena)
{
    const struct collection *c = NULL;
    const struct member *m = registry_member(registry, isg_str_of(name));
    if (m == NULL ||
        registry_collection(registry, ISG_STR("api"), ISG_STR("main"), &c, NULL) != ISG_OK)
        return false;
    bool good = true;
    for (int i = 0; i < 2; i++) {
        const struct view *recalled = view_recall(memory, f.store, registry, c, m, arena);
        const struct view *made = view_of(f.store, c, m, arena);
        good = good && recalled != NULL && made != NULL && recalled->key == made->key &&
               recalled->labels == made->labels &&
               memcmp(recalled->sees, made->sees, made->labels / 8 + 1) == 0;
    }
    return good;
}

static void check_all(const char *when)
{
    const struct registry *registry = directory_get(f.directory);
    for (size_t i = 0; i < NAMES; i++)
        ok(agrees(registry, names[i], f.arena), "%s: %s", when, names[i]);
    registry_unref(&registry);
}

static void change_member(const char *json)
{
    struct isg_buf out;
    struct isg_fail why = {0};
    isg_buf_init(&out, 1 << 16);
    is_int(directory_put_member(f.directory, isg_str_of(json), false, &out, &why), ISG_OK, "%s %s",
           json, why.text);
    isg_buf_done(&out);
}

static void change_read(const char *right)
{
    char json[256];
    struct isg_buf out;
    struct isg_fail why = {0};
    isg_buf_init(&out, 1 << 16);
    (void)snprintf(json, sizeof json, "{\"id\":\"%s\",\"read\":%s}",
                   fixture_collection(&f, "main")->id, right);
    is_int(directory_put_collection(f.directory, isg_str_of(json), false, &out, &why), ISG_OK,
           "%s %s", json, why.text);
    isg_buf_done(&out);
}

static bool sees_any(const char *name)
{
    const struct registry *registry = directory_get(f.directory);
    const struct collection *c = NULL;
    (void)registry_collection(registry, ISG_STR("api"), ISG_STR("main"), &c, NULL);
    const struct member *m = registry_member(registry, isg_str_of(name));
    const struct view *view = view_recall(memory, f.store, registry, c, m, f.arena);
    bool any = false;
    for (uint32_t i = 0; i < view->labels; i++)
        any = any || view_sees(view, i);
    registry_unref(&registry);
    return any;
}

static void *ask(void *arg)
{
    bool *good = arg;
    struct isg_arena *arena = isg_arena_new(1 << 20);
    for (unsigned i = 0; i < ROUNDS && arena != NULL; i++) {
        const struct registry *registry = directory_get(f.directory);
        *good = agrees(registry, names[i % NAMES], arena) && *good;
        registry_unref(&registry);
        isg_arena_reset(arena);
    }
    isg_arena_free(&arena);
    return NULL;
}

static void check_threads(void)
{
    pthread_t threads[4];
    bool good[4] = {true, true, true, true};
    for (size_t i = 0; i < 4; i++)
        if (pthread_create(&threads[i], NULL, ask, &good[i]) != 0)
            abort();
    for (unsigned i = 0; i < 10; i++)
        change_member(i % 2 == 0 ? "{\"name\":\"bob\",\"tlp_max\":\"clear\"}"
                                 : "{\"name\":\"bob\",\"tlp_max\":\"red\"}");
    for (size_t i = 0; i < 4; i++)
        (void)pthread_join(threads[i], NULL);
    ok(good[0] && good[1] && good[2] && good[3], "four threads beside changes");
}

int main(void)
{
    fixture_open(&f);
    memory = view_memory_new();
    if (memory == NULL)
        abort();
    check_all("empty");
    (void)fixture_push(&f, "main", "alice", fixture_identity(&f, 1, 1, "green", ""));
    check_all("one label");
    (void)fixture_push(&f, "main", "bob", fixture_identity(&f, 2, 1, "red", ""));
    (void)fixture_push(&f, "main", "alice", fixture_identity(&f, 3, 1, "amber", ""));
    check_all("more labels");
    change_member("{\"name\":\"alice\",\"tlp_max\":\"clear\"}");
    check_all("a bound of her own");
    change_member("{\"name\":\"mia\",\"kind\":\"public\"}");
    check_all("another kind");
    change_member("{\"name\":\"bob\",\"suspended\":true}");
    check_all("suspended");
    ok(!sees_any("bob"), "and sees nothing");
    change_member("{\"name\":\"bob\",\"suspended\":false}");
    ok(sees_any("bob"), "until he may again");
    change_read("[\"alice\"]");
    check_all("another right");
    ok(!sees_any("bob") && sees_any("alice"), "R-054: a right taken away counts at once");
    change_read("\"all\"");
    check_all("and back");
    check_threads();
    view_memory_free(&memory);
    view_memory_free(&memory);
    fixture_close(&f);
    return tap_done();
}
