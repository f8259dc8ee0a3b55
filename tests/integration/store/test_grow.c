/*
 * Blocks in memory grow by what is written: what the writer reads afterwards is, event by event,
 * what another reader gets from Redis; and it need not ask Redis for it.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/integration/store/bed.h"
#include "tests/support/tap.h"

enum { EVENTS = 2200, IDS = 1700, LOOK_EVERY = 37 };

static const char collection[] = "grows";
static uint32_t state = 7;

static unsigned pick(unsigned n)
{
    state = state * 1664525U + 1013904223U;
    return (state >> 8) % n;
}

static bool same_numbers(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count)
{
    return a_count == b_count && (a_count == 0 || memcmp(a, b, a_count * sizeof *a) == 0);
}

static bool same_event(const struct store_event *a, const struct store_event *b)
{
    return a->position == b->position && a->date_added_us == b->date_added_us &&
           a->label == b->label && a->dead == b->dead && a->versioned == b->versioned &&
           isg_str_eq(a->id, b->id) && isg_str_eq(a->version, b->version) &&
           memcmp(a->digest, b->digest, sizeof a->digest) == 0 &&
           same_numbers(a->newer, a->newer_count, b->newer, b->newer_count) &&
           same_numbers(a->older, a->older_count, b->older, b->older_count);
}

static bool same_block(const struct store_block *a, const struct store_block *b)
{
    if (a->number != b->number || a->generation != b->generation || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!same_event(&a->events[i], &b->events[i]))
            return false;
    return true;
}

/* Every block as the writer has it, beside the same block as a reader who wrote nothing gets it. */
static bool same_log(struct store *writer, struct store *reader)
{
    struct store_head head;
    bool good = store_head(reader, collection, 0, &head, NULL) == ISG_OK;
    for (uint64_t b = 0; good && b * STORE_BLOCK < head.position; b++) {
        struct store_block *mine = NULL;
        struct store_block *other = NULL;
        good = store_block_get(writer, collection, b, &mine, NULL) == ISG_OK &&
               store_block_get(reader, collection, b, &other, NULL) == ISG_OK &&
               same_block(mine, other);
        store_block_unref(&mine);
        store_block_unref(&other);
    }
    return good;
}

/* Is the last block in memory, whole? Read it in any case, as a poll behind the push does. */
static bool has_last_block(struct store *store)
{
    struct store_head head;
    if (!store_head_now(store, collection, 60000, &head) || head.position == 0)
        return false;
    uint64_t last = (head.position - 1) / STORE_BLOCK;
    struct store_block *block = store_block_now(store, collection, last);
    bool there = block != NULL && block->count == (head.position - 1) % STORE_BLOCK + 1;
    store_block_unref(&block);
    (void)store_block_get(store, collection, last, &block, NULL);
    store_block_unref(&block);
    return there;
}

/* A new object, or now and then another version of one that is there. */
static enum store_verdict push_one(struct store *writer, unsigned n, bool *out_is_new)
{
    struct bed_object object;
    char version[40];
    bool is_new = n < IDS && pick(4) > 0;
    unsigned id = is_new ? n : pick(n + 1);
    (void)snprintf(version, sizeof version, "2026-01-%02uT00:00:%02u.000Z", 1 + pick(28), pick(60));
    bed_object(&object, id, pick(20) == 0 ? "" : version, pick(3) == 0 ? "a" : "b", "grown");
    *out_is_new = is_new;
    return bed_push(writer, collection, &object, NULL, NULL);
}

int main(void)
{
    char dir[BED_TEXT];
    char url[BED_TEXT];
    bed_make(dir);
    pid_t redis = bed_redis(dir, url);
    struct store *writer = bed_open(dir, url, 5000);
    struct store *reader = bed_open(dir, url, 5000);
    size_t added = 0;
    size_t kept = 0;
    bool good = true;
    struct store_block *old = NULL;
    for (unsigned n = 0; n < EVENTS && good; n++) {
        bool is_new = false;
        bool is_added = push_one(writer, n, &is_new) == STORE_ADDED;
        bool has = has_last_block(writer);
        added += is_new && is_added;
        kept += is_new && is_added && has;
        if (n % LOOK_EVERY == 0) {
            good = same_log(writer, reader);
            store_block_unref(&old);
            (void)store_block_get(writer, collection, 0, &old, NULL);
        }
    }
    ok(good && same_log(writer, reader), "writer and reader have the same log");
    ok(old != NULL && old->count > 0 && old->events[0].position == 1,
       "an old snapshot stays whole");
    ok(added > 1000, "%zu new objects", added);
    is_int((long long)kept, (long long)added, "the last block was in memory after each of them");
    store_block_unref(&old);
    store_close(&writer);
    store_close(&reader);
    bed_end(redis, SIGTERM);
    bed_remove(dir);
    return tap_done();
}
