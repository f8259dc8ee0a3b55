/* Writing, reading and deleting in one store with its private server. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stix/base/time.h"
#include "tests/integration/store/bed.h"
#include "tests/support/tap.h"

static const char C1[] = "11111111-0000-4000-8000-000000000001";
static const char JAN[] = "2024-01-01T00:00:00.000Z";
static const char FEB[] = "2024-02-01T00:00:00.000Z";
static const char MAR[] = "2024-03-01T00:00:00.000Z";

static struct store_head head_of(struct store *store, const char *collection)
{
    struct store_head head = {0};
    is_int(store_head(store, collection, 0, &head, NULL), ISG_OK, "head");
    return head;
}

static bool has_label(struct store *store, const char *c, const uint32_t *list, size_t n,
                      const char *text)
{
    for (size_t i = 0; i < n; i++) {
        const char *label = store_label(store, c, list[i]);
        if (label != NULL && strcmp(label, text) == 0)
            return true;
    }
    return false;
}

static void check_empty(struct store *store)
{
    struct store_head head = head_of(store, C1);
    struct store_block *block = NULL;
    struct store_event *events;
    struct isg_fail why = {0};
    size_t n;
    uint64_t position;
    is_int((long long)head.position, 0, "an empty log has position 0");
    is_int(store_block_get(store, C1, 0, &block, &why), ISG_ENOENT, "no block");
    ok(store_block_now(store, C1, 0) == NULL, "none in memory");
    is_int(store_versions(store, C1, ISG_STR("tool--x"), &events, &n, &why), ISG_ENOENT,
           "no versions");
    is_int(store_position_after(store, C1, 0, &position, &why), ISG_OK, "position after 0");
    is_int((long long)position, 1, "is the first one to come");
    is_int(store_delete(store, C1, ISG_STR("tool--x"), ISG_STR(""), BED_SEES_ALL, &why), ISG_ENOENT,
           "nothing to delete");
    is_int(store_head(store, "a}b", 0, &head, &why), ISG_EINVAL, "impossible collection");
}

static void check_versions(struct store *store)
{
    struct bed_object o;
    struct store_put first;
    struct store_put again;
    bed_object(&o, 1, FEB, "clear", "a");
    is_int((int)bed_push(store, C1, &o, NULL, &first), STORE_ADDED, "a new object");
    is_int((int)bed_push(store, C1, &o, NULL, &again), STORE_SAME, "the same again (T-119)");
    ok(again.date_added_us == first.date_added_us && again.position == first.position,
       "with the date it had");
    bed_object(&o, 1, FEB, "clear", "other");
    is_int((int)bed_push(store, C1, &o, NULL, NULL), STORE_CONFLICT, "other content (S-100)");
    is_int((int)bed_push(store, C1, &o, "amber", NULL), STORE_CONFLICT,
           "own label counts as visible");
    bed_object(&o, 1, MAR, "amber", "b");
    is_int((int)bed_push(store, C1, &o, NULL, NULL), STORE_ADDED, "a newer version");
    bed_object(&o, 1, JAN, "green", "c");
    is_int((int)bed_push(store, C1, &o, NULL, NULL), STORE_ADDED, "an older one, late");

    struct store_block *block = NULL;
    is_int(store_block_get(store, C1, 0, &block, NULL), ISG_OK, "block 0");
    if (block == NULL || block->count != 3)
        return;
    const struct store_event *e = block->events;
    ok(e[0].newer_count == 1 && has_label(store, C1, e[0].newer, 1, "amber"), "February < March");
    ok(e[0].older_count == 1 && has_label(store, C1, e[0].older, 1, "green"), "January < February");
    ok(e[2].newer_count == 2 && e[2].older_count == 0, "January is the oldest");
    ok(isg_str_is(e[1].version, MAR) && e[1].versioned && !e[1].dead, "the record of March");
    ok(e[0].date_added_us < e[1].date_added_us && e[1].date_added_us < e[2].date_added_us,
       "dates rise strictly (T-063)");
    struct store_block *now = store_block_now(store, C1, 0);
    ok(now == block, "the snapshot is in memory");
    store_block_unref(&now);
    store_block_unref(&block);
}

static void check_revoked(struct store *store)
{
    struct bed_object o;
    bed_object(&o, 2, FEB, "clear", "a");
    struct store_put put = bed_put(&o);
    put.revoked = true;
    is_int(store_commit(store, C1, &put, 1, BED_SEES_ALL, NULL), ISG_OK, "a revocation");
    bed_object(&o, 2, MAR, "clear", "b");
    is_int((int)bed_push(store, C1, &o, NULL, NULL), STORE_REVOKED, "nothing later (S-101)");
    bed_object(&o, 2, JAN, "clear", "c");
    is_int((int)bed_push(store, C1, &o, NULL, NULL), STORE_ADDED, "something older is fine");
}

/* A form that is hidden from the pusher is as if absent; the same bytes reach those who may. */
static void check_hidden(struct store *store)
{
    struct bed_object o;
    struct store_event *events = NULL;
    size_t n = 0;
    bed_object(&o, 3, FEB, "red;a", "secret");
    is_int((int)bed_push(store, C1, &o, "red;a", NULL), STORE_ADDED, "A's form");
    bed_object(&o, 3, FEB, "clear;b", "other");
    is_int((int)bed_push(store, C1, &o, "clear;b", NULL), STORE_ADDED, "B's form beside it");
    is_int((int)bed_push(store, C1, &o, "clear;b", NULL), STORE_SAME, "B's form again");
    bed_object(&o, 4, FEB, "red;a", "shared");
    is_int((int)bed_push(store, C1, &o, "red;a", NULL), STORE_ADDED, "a form from A");
    bed_object(&o, 4, FEB, "clear;b", "shared");
    is_int((int)bed_push(store, C1, &o, "clear;b", NULL), STORE_ADDED,
           "the very same from B, who cannot see A's: another event");
    is_int((int)bed_push(store, C1, &o, NULL, NULL), STORE_SAME, "once more, seeing both");
    is_int(store_versions(store, C1, isg_str_of(o.id), &events, &n, NULL), ISG_OK, "both events");
    if (n == 2) {
        ok(memcmp(events[0].digest, events[1].digest, 32) == 0, "of one digest");
        ok(events[1].newer_count == 1 && events[1].older_count == 1 && events[0].newer_count == 0,
           "who sees the first is not shown the second");
    }
    free(events);
    bed_object(&o, 5, "", "clear", "sco a");
    is_int((int)bed_push(store, C1, &o, NULL, NULL), STORE_ADDED, "an SCO");
    bed_object(&o, 5, "", "clear", "sco b");
    is_int((int)bed_push(store, C1, &o, NULL, NULL), STORE_ADDED, "another form of it");
}

/* Verdicts hold inside one batch too. */
static void check_batch(struct store *store)
{
    struct bed_object o[4];
    struct store_put puts[4];
    bed_object(&o[0], 10, JAN, "clear", "a");
    bed_object(&o[1], 10, JAN, "clear", "a");
    bed_object(&o[2], 10, JAN, "clear", "b");
    bed_object(&o[3], 10, FEB, "fresh", "c");
    for (size_t i = 0; i < 4; i++)
        puts[i] = bed_put(&o[i]);
    uint64_t before = head_of(store, C1).position;
    is_int(store_commit(store, C1, puts, 4, BED_SEES_ALL, NULL), ISG_OK, "a batch");
    is_int((int)puts[0].verdict, STORE_ADDED, "first");
    is_int((int)puts[1].verdict, STORE_SAME, "its repeat");
    is_int((int)puts[2].verdict, STORE_CONFLICT, "its contradiction");
    is_int((int)puts[3].verdict, STORE_ADDED, "its next version");
    ok(puts[1].position == puts[0].position && puts[0].position == before + 1, "positions");
    is_int((long long)head_of(store, C1).position, (long long)before + 2, "two events");
    puts[0].id = ISG_STR("");
    is_int(store_commit(store, C1, puts, 1, BED_SEES_ALL, NULL), ISG_EINVAL, "no id");
    is_int((int)puts[0].verdict, STORE_FAILED, "is not committed");
}

/* Events of both blocks and one whose digest is another's: nobody gets what it does not name. */
static void check_objects(struct store *store)
{
    struct bed_object a;
    struct bed_object b;
    struct isg_buf out;
    size_t sizes[3];
    struct store_block *block = NULL;
    const struct store_event *events[3] = {NULL, NULL, NULL};
    bed_object(&a, 1, FEB, "clear", "a");
    bed_object(&b, 5, "", "clear", "sco b");
    is_int(store_block_get(store, C1, 0, &block, NULL), ISG_OK, "block 0");
    for (size_t i = 0; block != NULL && i < block->count; i++) {
        if (memcmp(block->events[i].digest, a.digest, 32) == 0)
            events[0] = &block->events[i];
        if (memcmp(block->events[i].digest, b.digest, 32) == 0)
            events[2] = &block->events[i];
    }
    struct store_event wrong = {.position = 1};
    ok(events[0] != NULL && events[2] != NULL, "the events are there");
    if (events[0] == NULL || events[2] == NULL)
        return;
    wrong = *events[0];
    wrong.digest[0] ^= 1;
    events[1] = &wrong;
    isg_buf_init(&out, ISG_BUF_NO_MAX);
    is_int(store_objects(store, C1, events, 3, &out, sizes, NULL), ISG_OK, "objects");
    ok(sizes[0] == strlen(a.canon) && sizes[1] == SIZE_MAX && sizes[2] == strlen(b.canon),
       "their sizes, and one whose bytes are not its own");
    ok(out.len == sizes[0] + sizes[2] && memcmp(out.p, a.canon, sizes[0]) == 0, "their bytes");
    isg_buf_done(&out);
    store_block_unref(&block);
}

static void check_delete(struct store *store)
{
    struct bed_object o;
    struct isg_buf out;
    size_t size;
    struct store_event *events = NULL;
    size_t n = 0;
    bed_object(&o, 1, MAR, "amber", "b");
    struct isg_str id = isg_str_of(o.id);
    uint64_t before = head_of(store, C1).generation;
    char amber[] = "amber";
    char none[] = "none";
    is_int(store_delete(store, C1, id, isg_str_of(MAR), BED_SEES_ONE(none), NULL), ISG_ENOENT,
           "what one does not see one cannot delete");
    is_int(store_delete(store, C1, id, ISG_STR("2024-03-01T00:00:00Z"), BED_SEES_ONE(amber), NULL),
           ISG_OK, "delete March, written in another way (S-008)");
    ok(head_of(store, C1).generation > before, "the generation moved");
    ok(store_block_now(store, C1, 0) == NULL, "the old snapshot is not current");
    struct store_block *block = NULL;
    is_int(store_block_get(store, C1, 0, &block, NULL), ISG_OK, "block 0");
    if (block != NULL)
        ok(block->events[1].dead && !block->events[0].dead && block->events[0].newer_count == 0,
           "March is dead and supersedes nothing");
    store_block_unref(&block);
    isg_buf_init(&out, ISG_BUF_NO_MAX);
    is_int(bed_read(store, C1, &o, &out, &size), ISG_OK, "its bytes");
    ok(size == SIZE_MAX, "are gone");
    isg_buf_done(&out);
    is_int((int)bed_push(store, C1, &o, NULL, NULL), STORE_ADDED, "pushed again: a new event");
    is_int(store_delete(store, C1, id, ISG_STR(""), BED_SEES_ALL, NULL), ISG_OK,
           "delete all versions");
    is_int(store_versions(store, C1, id, &events, &n, NULL), ISG_ENOENT, "none is left");
    is_int(store_delete(store, C1, id, ISG_STR(""), BED_SEES_ALL, NULL), ISG_ENOENT, "none");
    /* one of two events of one digest goes: the bytes stay */
    bed_object(&o, 4, FEB, "clear;b", "shared");
    char red[] = "red;a";
    is_int(store_delete(store, C1, isg_str_of(o.id), ISG_STR(""), BED_SEES_ONE(red), NULL), ISG_OK,
           "delete A's announcement");
    isg_buf_init(&out, ISG_BUF_NO_MAX);
    is_int(bed_read(store, C1, &o, &out, &size), ISG_OK, "the bytes");
    ok(size == strlen(o.canon), "are kept for B's");
    isg_buf_done(&out);
    /* the same of one source, under two labels: both go */
    bed_object(&o, 77, FEB, "red;a", "announced");
    struct store_put put = bed_put(&o);
    is_int(store_commit(store, C1, &put, 1, BED_SEES_ALL, NULL), ISG_OK, "A's own");
    char green[] = "green;a";
    put.label = isg_str_of(green);
    is_int(store_commit(store, C1, &put, 1, BED_SEES_ONE(none), NULL), ISG_OK, "announced again");
    is_int((int)put.verdict, STORE_ADDED, "is another event");
    is_int(store_delete(store, C1, put.id, ISG_STR(""), BED_SEES_ONE(green), NULL), ISG_OK,
           "delete what one sees of it");
    is_int(store_versions(store, C1, put.id, &events, &n, NULL), ISG_ENOENT, "nothing is left");
}

static int push_many(struct store *store, const char *c, unsigned from, unsigned n)
{
    struct bed_object *objects = calloc(n, sizeof *objects);
    struct store_put *puts = calloc(n, sizeof *puts);
    if (objects == NULL || puts == NULL)
        abort();
    for (unsigned i = 0; i < n; i++) {
        bed_object(&objects[i], from + i, JAN, i % 2 == 0 ? "even" : "odd", "many");
        puts[i] = bed_put(&objects[i]);
    }
    int err = store_commit(store, c, puts, n, BED_SEES_ALL, NULL);
    free(objects);
    free(puts);
    return err;
}

/* Over several blocks: every position is there once, and found by its date. */
static void check_blocks(struct store *store)
{
    static const char c[] = "many";
    size_t wrong = 0;
    size_t ones = 0;
    int64_t last_us = 0;
    is_int(push_many(store, c, 1000, 2500), ISG_OK, "2,500 at once");
    is_int(push_many(store, c, 5000, 700), ISG_OK, "700 more");
    struct store_head head = head_of(store, c);
    is_int((long long)head.position, 3200, "3,200 events");
    for (uint64_t b = 0; b < 4; b++) {
        struct store_block *block = NULL;
        if (store_block_get(store, c, b, &block, NULL) != ISG_OK)
            break;
        for (size_t i = 0; i < block->count; i++) {
            uint64_t after = 0;
            const struct store_event *e = &block->events[i];
            wrong +=
                e->position != b * STORE_BLOCK + i + 1 || e->dead || e->date_added_us <= last_us;
            ones += e->date_added_us == last_us + 1 ? 1 : 0;
            last_us = e->date_added_us;
            if (i % 97 != 0)
                continue;
            wrong += store_position_after(store, c, last_us, &after, NULL) != ISG_OK ||
                     after != e->position + 1;
            wrong += store_position_after(store, c, last_us - 1, &after, NULL) != ISG_OK ||
                     after != e->position;
        }
        wrong += block->count != (b < 3 ? 1000 : 200);
        store_block_unref(&block);
    }
    is_int((long long)wrong, 0, "each position once, dates rise, found by date");
    ok(ones < 3200 / 3, "steps between dates are drawn: they do not count what is hidden (T-068)");
    ok(last_us < isg_time_now_us() + 1000000, "and do not run away from the clock");
    is_int(store_label_count(store, c), 2, "two labels");
}

static int count_doc(void *arg, struct isg_str name, struct isg_str json)
{
    struct isg_buf *out = arg;
    isg_buf_printf(out, "%.*s=%.*s;", ISG_STR_ARG(name), ISG_STR_ARG(json));
    return ISG_OK;
}

static void check_documents(struct store *store)
{
    struct isg_buf out;
    struct isg_buf owner;
    uint64_t before = 0;
    uint64_t after = 0;
    isg_buf_init(&out, ISG_BUF_NO_MAX);
    isg_buf_init(&owner, ISG_BUF_NO_MAX);
    (void)store_docs_generation(store, &before, NULL);
    is_int(store_doc_put(store, STORE_MEMBER, ISG_STR("b"), ISG_STR("{2}"), NULL), ISG_OK, "put b");
    is_int(store_doc_put(store, STORE_MEMBER, ISG_STR("a"), ISG_STR("{1}"), NULL), ISG_OK, "put a");
    is_int(store_doc_put(store, STORE_FEED, ISG_STR("f"), ISG_STR("{}"), NULL), ISG_OK, "put f");
    (void)store_docs_generation(store, &after, NULL);
    is_int((long long)(after - before), 2, "members move the generation, feeds do not");
    is_int(store_doc_each(store, STORE_MEMBER, count_doc, &out, NULL), ISG_OK, "each");
    is_str(out.p, "a={1};b={2};", "in order of names");
    isg_buf_reset(&out);
    is_int(store_doc_get(store, STORE_MEMBER, ISG_STR("a"), &out, NULL), ISG_OK, "get");
    is_str(out.p, "{1}", "its text");
    is_int(store_doc_remove(store, STORE_MEMBER, ISG_STR("a"), NULL), ISG_OK, "remove");
    is_int(store_doc_remove(store, STORE_MEMBER, ISG_STR("a"), NULL), ISG_ENOENT, "twice");
    is_int(store_doc_get(store, STORE_MEMBER, ISG_STR("a"), &out, NULL), ISG_ENOENT, "gone");
    isg_buf_reset(&out);
    is_int(store_status_put(store, "s1", ISG_STR("hospital a 1"), ISG_STR("{\"id\":1}"), 60, NULL),
           ISG_OK, "a status");
    is_int(store_status_get(store, ISG_STR("s1"), &owner, &out, NULL), ISG_OK, "read");
    is_str(owner.p, "hospital a 1", "its owner");
    is_str(out.p, "{\"id\":1}", "its text");
    is_int(store_status_get(store, ISG_STR("s2"), &owner, &out, NULL), ISG_ENOENT, "another");
    isg_buf_reset(&out);
    is_int(store_describe(store, &out, NULL), ISG_OK, "describe");
    ok(strstr(out.p, "\"durable\":true") != NULL && strstr(out.p, "\"kind\":\"private\"") != NULL,
       "%s", out.p);
    isg_buf_done(&out);
    isg_buf_done(&owner);
}

static void check_numbers(struct store *store)
{
    uint64_t a = 0;
    uint64_t b = 0;
    bool held = false;
    is_int(store_sequence(store, "head-1", &a, NULL), ISG_OK, "a number");
    is_int(store_sequence(store, "head-1", &b, NULL), ISG_OK, "the next one");
    is_int((long long)b, (long long)a + 1, "rises by one");
    is_int(store_sequence(store, "../x", &a, NULL), ISG_EINVAL, "impossible name");
    is_int(store_lease(store, "feed:kev", 500, &held, NULL), ISG_OK, "a lease");
    ok(held, "is ours");
    is_int(store_lease(store, "feed:kev", 500, &held, NULL), ISG_OK, "renewed");
    ok(held, "still ours");
    unsigned lost = 0;
    for (int i = 0; i < 300; i++) { /* given up, and taken again at the moment it ends */
        (void)store_lease(store, "feed:kev", 1, &held, NULL);
        if (store_lease(store, "feed:kev", 500, &held, NULL) != ISG_OK || !held)
            lost++;
    }
    is_int(lost, 0, "nobody else had it");
}

/* After a new start everything is there again, and numbers go on. */
static void check_restart(const char *dir, struct store **store)
{
    uint64_t before = 0;
    uint64_t after = 0;
    struct store_head head = head_of(*store, C1);
    (void)store_sequence(*store, "head-1", &before, NULL);
    store_close(store);
    *store = bed_open(dir, NULL, 0);
    struct store_head again = head_of(*store, C1);
    ok(head.position == again.position && head.date_added_us == again.date_added_us &&
           head.generation == again.generation,
       "the head after a restart");
    ok(store_label(*store, C1, 0) != NULL && strcmp(store_label(*store, C1, 0), "clear") == 0,
       "the labels after a restart");
    is_int(store_sequence(*store, "head-1", &after, NULL), ISG_OK, "a number");
    ok(after > before, "goes on: %llu, %llu", (unsigned long long)before,
       (unsigned long long)after);
}

int main(void)
{
    char dir[BED_TEXT];
    bed_make(dir);
    struct store *store = bed_open(dir, NULL, 0);
    is_int(store_ping(store, NULL), ISG_OK, "ping");
    check_empty(store);
    check_versions(store);
    check_revoked(store);
    check_hidden(store);
    check_batch(store);
    check_objects(store);
    check_delete(store);
    check_blocks(store);
    check_documents(store);
    check_numbers(store);
    check_restart(dir, &store);
    store_close(&store);
    bed_remove(dir);
    return tap_done();
}
