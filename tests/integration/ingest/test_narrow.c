/*
 * A reader who sees one event in a hundred gets, by labels, what a walk over all blocks would give:
 * at every page size, from every place, with versions, deletions and labels that come later.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/integration/ingest/fixture.h"
#include "tests/support/tap.h"

enum { EVENTS = 6000, BATCH = 500, SPARSE = 100, POSITIONS_MAX = 400 };

static struct fixture f;

static bool sees_all(void *arg, struct isg_str label)
{
    (void)arg, (void)label;
    return true;
}

static const struct store_eyes all_eyes = {.can_see = sees_all};

struct object {
    char id[64];
    char version[40];
    char canon[160];
    uint8_t digest[ISG_SHA256_BYTES];
};

static struct store_put make(struct object *o, unsigned number, unsigned version, const char *label)
{
    snprintf(o->id, sizeof o->id, "tool--00000000-0000-4000-8000-%012u", number);
    snprintf(o->version, sizeof o->version, "2024-01-01T00:00:%02u.000Z", version);
    snprintf(o->canon, sizeof o->canon, "{\"id\":\"%s\",\"modified\":\"%s\"}", o->id, o->version);
    isg_sha256(isg_str_of(o->canon), o->digest);
    return (struct store_put){.id = isg_str_of(o->id),
                              .version = isg_str_of(o->version),
                              .versioned = true,
                              .label = isg_str_of(label),
                              .source = ISG_STR("alice"),
                              .canon = isg_str_of(o->canon),
                              .digest = o->digest};
}

/* A batch of objects, one in SPARSE with the open label, the others RED of alice. */
static bool push(unsigned first, unsigned version, const char *open)
{
    static struct object objects[BATCH];
    static struct store_put puts[BATCH];
    for (unsigned i = 0; i < BATCH; i++)
        puts[i] = make(&objects[i], first + i, version,
                       (first + i) % SPARSE == 0 ? open : "tlp=red;src=alice");
    return store_commit(f.store, fixture_collection(&f, "main")->id, puts, BATCH, &all_eyes,
                        NULL) == ISG_OK;
}

static bool any_seen(const struct view *view, const uint32_t *labels, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (view_sees(view, labels[i]))
            return true;
    return false;
}

/* Positions behind `after` that the view shows, by a plain walk. */
static size_t walk_all(const struct view *view, uint64_t after, int64_t added_after,
                       uint64_t out[POSITIONS_MAX])
{
    const char *collection = fixture_collection(&f, "main")->id;
    size_t n = 0;
    struct store_block *block = NULL;
    for (uint64_t b = 0; store_block_get(f.store, collection, b, &block, NULL) == ISG_OK; b++) {
        for (size_t i = 0; i < block->count; i++) {
            const struct store_event *e = &block->events[i];
            if (e->position > after && e->date_added_us > added_after && !e->dead &&
                view_sees(view, e->label) && !any_seen(view, e->newer, e->newer_count) &&
                n < POSITIONS_MAX)
                out[n++] = e->position;
        }
        store_block_unref(&block);
    }
    return n;
}

/* The same by pages. */
static size_t walk_pages(const struct view *view, struct view_query query,
                         uint64_t out[POSITIONS_MAX])
{
    size_t n = 0;
    for (;;) {
        struct view_page page;
        struct isg_fail why = {0};
        struct isg_arena *arena = isg_arena_new(ISG_BUF_NO_MAX);
        int err = view_select(f.store, fixture_collection(&f, "main"), view, &query, true, arena,
                              &page, &why);
        for (size_t i = 0; err == ISG_OK && i < page.count && n < POSITIONS_MAX; i++)
            out[n++] = page.events[i].position;
        bool more = err == ISG_OK && page.more;
        query.after = page.last;
        isg_arena_free(&arena);
        if (err != ISG_OK)
            ok(false, "select: %s", why.text);
        if (!more)
            return n;
    }
}

static const struct view *view_for(const char *member)
{
    return view_of(f.store, fixture_collection(&f, "main"), fixture_member(&f, member), f.arena);
}

static void compare(const char *member, const char *name)
{
    static const size_t limits[] = {1, 7, 31, 1000};
    static const uint64_t afters[] = {0, 1, 999, 1000, 2500, 5990, 7000};
    uint64_t want[POSITIONS_MAX];
    uint64_t got[POSITIONS_MAX];
    const struct view *view = view_for(member);
    unsigned wrong = 0;
    size_t most = 0;
    for (size_t l = 0; l < sizeof limits / sizeof *limits; l++) {
        for (size_t a = 0; a < sizeof afters / sizeof *afters; a++) {
            struct view_query query = {
                .after = afters[a], .added_after_us = INT64_MIN, .limit = limits[l]};
            size_t n = walk_all(view, afters[a], INT64_MIN, want);
            wrong += walk_pages(view, query, got) != n || memcmp(got, want, n * sizeof *got) != 0;
            most = n > most ? n : most;
        }
    }
    is_int(wrong, 0, "%s: %s sees the same by labels and by blocks", name, member);
    ok(most > 10 && most < POSITIONS_MAX, "of %zu events", most);
}

/* From a date in the middle: the usual poll. */
static void compare_by_date(const char *member)
{
    uint64_t want[POSITIONS_MAX];
    uint64_t got[POSITIONS_MAX];
    struct store_block *block = NULL;
    const struct view *view = view_for(member);
    if (store_block_get(f.store, fixture_collection(&f, "main")->id, 2, &block, NULL) != ISG_OK) {
        ok(false, "block");
        return;
    }
    int64_t date_us = block->events[500].date_added_us;
    store_block_unref(&block);
    struct view_query query = {.added_after_us = date_us, .limit = 5};
    size_t n = walk_all(view, 0, date_us, want);
    is_int((long long)walk_pages(view, query, got), (long long)n, "by a date: as many");
    ok(memcmp(got, want, n * sizeof *got) == 0, "and the same");
}

/* Blocks that lie between what the reader sees are not read: they are not in memory afterwards. */
static void check_not_scanned(void)
{
    uint64_t got[POSITIONS_MAX];
    struct store *other = NULL;
    char url[128];
    snprintf(url, sizeof url, "unix:%.64s/redis/redis.sock", f.dir);
    const struct store_options options = {.url = url, .timeout_ms = 5000};
    if (store_open(&options, &other, NULL) != ISG_OK) {
        ok(false, "another gateway");
        return;
    }
    struct store *own = f.store;
    f.store = other;
    struct view_query query = {.added_after_us = INT64_MIN, .limit = 1000};
    const struct view *view = view_for("bob");
    ok(walk_pages(view, query, got) > 10, "another gateway reads a page");
    struct store_block *block =
        store_block_now(other, fixture_collection(&f, "main")->id, EVENTS / STORE_BLOCK - 1);
    ok(block == NULL, "without the blocks between");
    store_block_unref(&block);
    f.store = own;
    store_close(&other);
}

int main(void)
{
    fixture_open(&f);
    const char *collection = fixture_collection(&f, "main")->id;
    bool good = true;
    for (unsigned n = 0; n < EVENTS; n += BATCH)
        good = good && push(n, 1, "tlp=green;src=alice");
    ok(good, "%d events are there", EVENTS);
    compare("bob", "one in a hundred");
    compare_by_date("bob");
    check_not_scanned();
    good = push(1000, 2, "tlp=green;src=alice") && push(3000, 2, "tlp=red;src=alice");
    ok(good, "newer versions, half of them hidden");
    compare("bob", "newer versions");
    for (unsigned n = 0; n < EVENTS && good; n += 3 * SPARSE) {
        struct object o;
        struct store_put put = make(&o, n, 1, "");
        good = store_delete(f.store, collection, put.id, ISG_STR(""), &all_eyes, NULL) == ISG_OK;
    }
    ok(good, "some are deleted");
    compare("bob", "deletions");
    ok(push(20000, 1, "tlp=clear;src=bob"), "a label that comes later");
    compare("bob", "a later label");
    compare("mia", "another kind of member");
    fixture_close(&f);
    return tap_done();
}
