/* Members change while others log in, push and read: for the thread sanitizer, and for the counts. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "gateway/share/auth.h"
#include "tests/integration/ingest/fixture.h"
#include "tests/support/tap.h"

enum { ROUNDS = 60, PUSHES = 40 };

static struct fixture f;
static struct auth *auth;
static const struct collection *collection;
static char bearer[128] = "Bearer ";
static atomic_int failures;
static atomic_int added;

static void must(bool good)
{
    if (!good)
        atomic_fetch_add(&failures, 1);
}

static void *change_members(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        struct isg_str json = i % 2 == 0 ? ISG_STR("{\"name\":\"rita\",\"tlp_max\":\"clear\"}")
                                         : ISG_STR("{\"name\":\"rita\",\"tlp_max\":\"green\"}");
        must(directory_put_member(f.directory, json, false, NULL, NULL) == ISG_OK);
        must(directory_refresh(f.directory, NULL) == ISG_OK);
    }
    return NULL;
}

static void *log_in(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20 * ROUNDS; i++) {
        const struct registry *registry = directory_get(f.directory);
        const struct member *member = NULL;
        unsigned retry_s = 0;
        struct auth_request request = {.authorization = isg_str_of(bearer),
                                       .peer = ISG_STR("192.0.2.1")};
        must(auth_check(auth, registry, &request, false, &member, &retry_s, NULL) == ISG_OK);
        must(member != NULL && strcmp(member->name, "alice") == 0);
        request.authorization = ISG_STR("Basic YWxpY2U6d3Jvbmc=");
        must(auth_check(auth, registry, &request, i % 200 == 0, &member, &retry_s, NULL) != ISG_OK);
        registry_unref(&registry);
    }
    return NULL;
}

static void object_text(char *out, size_t n, const char *source, int i)
{
    (void)snprintf(out, n,
                   "{\"type\":\"identity\",\"spec_version\":\"2.1\","
                   "\"id\":\"identity--00000000-0000-4000-8000-%012d\","
                   "\"created\":\"2024-01-01T00:00:00.000Z\","
                   "\"modified\":\"2024-01-01T00:00:00.000Z\",\"name\":\"%s\"}",
                   i, source);
}

/* arg: the name of the member; all push the same ids, so that all but the first are conflicts. */
static void *push(void *arg)
{
    struct ingest_source source = {
        .name = isg_str_of(arg), .member = fixture_member(&f, arg), .mode = INGEST_AS_SENT};
    for (int i = 0; i < PUSHES; i++) {
        char text[512];
        object_text(text, sizeof text, arg, i);
        struct ingest_run *run = ingest_begin(f.store, collection, &source, true, false);
        must(run != NULL && ingest_add(run, isg_str_of(text), NULL, NULL) == ISG_OK &&
             ingest_finish(run, NULL) == ISG_OK);
        if (run != NULL)
            atomic_fetch_add(&added, (int)ingest_counts(run)->added);
        ingest_end(&run);
    }
    return NULL;
}

static void *read_pages(void *arg)
{
    struct isg_arena *arena = isg_arena_new((size_t)1 << 24);
    for (int i = 0; i < 10 * ROUNDS; i++) {
        struct view_query query = {.added_after_us = INT64_MIN, .limit = 7};
        struct view_page page;
        isg_arena_reset(arena);
        const struct view *view = view_of(f.store, collection, fixture_member(&f, arg), arena);
        uint64_t before = 0;
        do {
            must(view_select(f.store, collection, view, &query, true, arena, &page, NULL) ==
                 ISG_OK);
            for (size_t j = 0; j < page.count; j++) {
                must(page.events[j].position > before);
                before = page.events[j].position;
            }
            query.after = page.last;
        } while (page.more);
    }
    isg_arena_free(&arena);
    return NULL;
}

static void prepare(void)
{
    struct isg_buf token;
    isg_buf_init(&token, 4096);
    (void)directory_member_token(f.directory, ISG_STR("alice"), ISG_STR("{}"), &token, NULL);
    const char *text = token.p == NULL ? NULL : strstr(token.p, "isg_");
    if (ok(text != NULL, "a token"))
        memcpy(bearer + 7, text, 4 + 43);
    isg_buf_done(&token);
    auth = auth_new(f.secret);
    collection = fixture_collection(&f, "main");
}

int main(void)
{
    static char alice[] = "alice", bob[] = "bob", mia[] = "mia";
    pthread_t threads[8];
    fixture_open(&f);
    prepare();
    (void)pthread_create(&threads[0], NULL, change_members, NULL);
    (void)pthread_create(&threads[1], NULL, log_in, NULL);
    (void)pthread_create(&threads[2], NULL, log_in, NULL);
    (void)pthread_create(&threads[3], NULL, push, alice);
    (void)pthread_create(&threads[4], NULL, push, bob);
    (void)pthread_create(&threads[5], NULL, push, mia);
    (void)pthread_create(&threads[6], NULL, read_pages, bob);
    (void)pthread_create(&threads[7], NULL, read_pages, mia);
    for (size_t i = 0; i < 8; i++)
        (void)pthread_join(threads[i], NULL);
    is_int(atomic_load(&failures), 0, "nothing failed");
    is_int(atomic_load(&added), PUSHES, "of three at once one is first, the others conflict");
    auth_free(&auth);
    fixture_close(&f);
    return tap_done();
}
