/*
 * Is all there that the log says? Read past every memory, straight from Redis: single keys that were
 * deleted by hand or by an eviction are missed by nobody else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/store/blocks.h"
#include "gateway/store/inside.h"
#include "gateway/store/journal.h"
#include "gateway/store/names.h"
#include "stix/base/time.h"

enum { LOOKS = 3 }; /* at a block that lacks something: what is deleted meanwhile is not lost */

/* What one look at a block found missing. */
struct gaps {
    uint64_t records;
    uint64_t objects;
    uint64_t entries;
    char first[STORE_SURVEY_TEXT]; /* an id, where one is known */
};

static bool is_whole(const struct gaps *gaps)
{
    return gaps->records + gaps->objects + gaps->entries == 0;
}

/* The block as Redis has it now, past the cache. */
static int read_block(struct store *store, const char *collection, uint64_t number,
                      struct store_block **out, struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    struct journal_head head;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("MULTI"));
    REDIS(&pipe, ISG_STR("GET"), names_head(&key, collection));
    REDIS(&pipe, ISG_STR("GET"), names_block(&key, collection, number));
    REDIS(&pipe, ISG_STR("HGETALL"), names_marks(&key, collection, number));
    REDIS(&pipe, ISG_STR("EXEC"));
    int err = redis_call(store->redis, REDIS_READ, &pipe, why);
    const struct redis_reply *exec = redis_nth(&pipe, 4);
    if (err == ISG_OK)
        err = redis_expect(exec, REDIS_LIST, why);
    if (err == ISG_OK)
        err = journal_head_of(redis_at(exec, 0), &head, why);
    if (err == ISG_OK && !redis_is_nil(redis_at(exec, 1)))
        err = redis_expect(redis_at(exec, 1), REDIS_TEXT, why);
    if (err == ISG_OK)
        err = redis_expect(redis_at(exec, 2), REDIS_LIST, why);
    if (err == ISG_OK &&
        block_build(number, 0, journal_block_size(&head.at, number), redis_text(redis_at(exec, 1)),
                    redis_at(exec, 2), out) != ISG_OK)
        err = isg_fail(why, ISG_ENOMEM, "out of memory");
    redis_pipe_done(&pipe);
    return err;
}

static void note(struct gaps *gaps, uint64_t *count, struct isg_str id)
{
    if (gaps->first[0] == '\0')
        (void)snprintf(gaps->first, sizeof gaps->first, "%.*s", ISG_STR_ARG(id));
    (*count)++;
}

/* An event's last byte, the end of a JSON object; of layout 3, whether there is any. */
static void put_object_look(struct redis_pipe *pipe, const char *collection,
                            const struct store_event *event)
{
    struct names_key key;
    struct names_key last;
    struct isg_str at = names_number(&last, (uint64_t)event->shelf.offset + event->shelf.bytes - 1);
    if (event->shelf.pack == 0)
        REDIS(pipe, ISG_STR("EXISTS"), names_object(&key, collection, event->digest));
    else
        REDIS(pipe, ISG_STR("GETRANGE"), names_pack(&key, collection, event->shelf.pack), at, at);
}

static bool is_there(const struct redis_reply *look)
{
    return redis_number(look) == 1 || isg_str_is(redis_text(look), "}");
}

/* Bytes and entry of each living event; two replies an event. */
static int look_behind(struct store *store, const char *collection, const struct store_block *block,
                       struct gaps *gaps, struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    size_t reply = 0;
    redis_pipe_init(&pipe);
    for (size_t i = 0; i < block->count; i++) {
        if (block->events[i].dead)
            continue;
        put_object_look(&pipe, collection, &block->events[i]);
        REDIS(&pipe, ISG_STR("EXISTS"), names_index(&key, collection, block->events[i].id));
    }
    int err = pipe.count > 0 ? redis_call(store->redis, REDIS_READ, &pipe, why) : ISG_OK;
    for (size_t i = 0; i < block->count && err == ISG_OK; i++) {
        const struct store_event *event = &block->events[i];
        if (event->dead)
            continue;
        const struct redis_reply *object = redis_nth(&pipe, reply++);
        const struct redis_reply *entry = redis_nth(&pipe, reply++);
        err = redis_expect(entry, REDIS_INT, why);
        if (err == ISG_OK && redis_is_error(object, ""))
            err = redis_expect(object, REDIS_TEXT, why);
        if (err == ISG_OK && !is_there(object))
            note(gaps, &gaps->objects, event->id);
        if (err == ISG_OK && redis_number(entry) == 0)
            note(gaps, &gaps->entries, event->id);
    }
    redis_pipe_done(&pipe);
    return err;
}

static int look_at(struct store *store, const char *collection, uint64_t number, struct gaps *gaps,
                   struct isg_fail *why)
{
    struct store_block *block = NULL;
    *gaps = (struct gaps){.records = 0};
    int err = read_block(store, collection, number, &block, why);
    if (err != ISG_OK)
        return err;
    for (size_t i = 0; i < block->count; i++) /* one that is dead without a mark has no record */
        gaps->records +=
            block->events[i].dead && block->events[i].gone_us == 0 && block->events[i].id.n == 0;
    err = look_behind(store, collection, block, gaps, why);
    store_block_unref(&block);
    return err;
}

static int count_labels(struct store *store, const char *collection, uint64_t *out_lost,
                        struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    struct journal_head head;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("GET"), names_head(&key, collection));
    REDIS(&pipe, ISG_STR("HLEN"), names_labels(&key, collection));
    int err = redis_call(store->redis, REDIS_READ, &pipe, why);
    if (err == ISG_OK)
        err = journal_head_of(redis_nth(&pipe, 0), &head, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 1), REDIS_INT, why);
    uint64_t there = (uint64_t)redis_number(redis_nth(&pipe, 1));
    *out_lost = err == ISG_OK && head.labels > there ? head.labels - there : 0;
    redis_pipe_done(&pipe);
    return err;
}

int store_survey(struct store *store, const char *collection, unsigned patience_ms,
                 struct store_survey *out, struct isg_fail *why)
{
    int64_t end_us = isg_time_mono_us() + (int64_t)patience_ms * 1000;
    struct store_head head;
    *out = (struct store_survey){.events = 0};
    int err = store_head(store, collection, 0, &head, why);
    if (err == ISG_OK)
        err = count_labels(store, collection, &out->lost_labels, why);
    if (err != ISG_OK)
        return err;
    out->events = head.position;
    for (uint64_t b = 0; b < journal_blocks(&head) && err == ISG_OK; b++) {
        struct gaps gaps;
        if (isg_time_mono_us() >= end_us)
            break;
        err = look_at(store, collection, b, &gaps, why);
        for (int look = 1; look < LOOKS && err == ISG_OK && !is_whole(&gaps); look++)
            err = look_at(store, collection, b, &gaps, why);
        out->seen += journal_block_size(&head, b);
        out->lost_records += gaps.records;
        out->lost_objects += gaps.objects;
        out->lost_entries += gaps.entries;
        if (out->first[0] == '\0')
            memcpy(out->first, gaps.first, sizeof out->first);
    }
    return err;
}
