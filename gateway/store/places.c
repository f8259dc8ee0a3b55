/*
 * Reading by label: the places of few events, and then just their records.
 */
#include <string.h>

#include "gateway/store/inside.h"
#include "gateway/store/names.h"

/* One label's list of places. */
struct list {
    uint32_t label;
    uint64_t count;
    uint64_t low;         /* entries below it are not behind the cursor */
    uint64_t high;        /* entries from it on are */
    struct isg_str found; /* entries read, from low on */
    size_t used;          /* of them, in bytes */
};

struct search {
    struct store *store;
    const char *collection;
    const struct store_wish *wish;
    struct list *lists;
    struct redis_pipe pipe; /* its replies hold what was found */
    struct isg_arena *arena;
    struct isg_fail *why;
};

static int no_memory(struct isg_fail *why)
{
    return isg_fail(why, ISG_ENOMEM, "out of memory");
}

static void put_range(struct search *s, uint32_t label, uint64_t first, uint64_t n)
{
    struct names_key key;
    struct names_key from;
    struct names_key to;
    REDIS(&s->pipe, ISG_STR("GETRANGE"), names_places(&key, s->collection, label),
          names_number(&from, first * EVENT_PLACE_BYTES),
          names_number(&to, (first + n) * EVENT_PLACE_BYTES - 1));
}

static int run(struct search *s)
{
    return redis_call(s->store->redis, REDIS_READ, &s->pipe, s->why);
}

/* ---- where each list begins ----------------------------------------------------------------- */

static int count_lists(struct search *s)
{
    struct names_key key;
    for (size_t i = 0; i < s->wish->labels_count; i++)
        REDIS(&s->pipe, ISG_STR("STRLEN"), names_places(&key, s->collection, s->wish->labels[i]));
    int err = run(s);
    for (size_t i = 0; i < s->wish->labels_count && err == ISG_OK; i++) {
        const struct redis_reply *reply = redis_nth(&s->pipe, i);
        err = redis_expect(reply, REDIS_INT, s->why);
        s->lists[i].label = s->wish->labels[i];
        s->lists[i].count = (uint64_t)redis_number(reply) / EVENT_PLACE_BYTES;
        s->lists[i].high = s->lists[i].count;
    }
    return err;
}

static struct event_place place_of(struct isg_str text)
{
    struct event_place none = {0};
    return text.n >= EVENT_PLACE_BYTES ? event_place_read(text.p) : none;
}

/* Halve what is open of every list; false when nothing is. */
static bool halve(struct search *s, int *err)
{
    size_t asked = 0;
    redis_pipe_reset(&s->pipe);
    for (size_t i = 0; i < s->wish->labels_count; i++)
        if (s->lists[i].low < s->lists[i].high)
            put_range(s, s->lists[i].label,
                      s->lists[i].low + (s->lists[i].high - s->lists[i].low) / 2, 1);
    if (s->pipe.count == 0 || (*err = run(s)) != ISG_OK)
        return false;
    for (size_t i = 0; i < s->wish->labels_count; i++) {
        struct list *list = &s->lists[i];
        if (list->low >= list->high)
            continue;
        uint64_t middle = list->low + (list->high - list->low) / 2;
        if (place_of(redis_text(redis_nth(&s->pipe, asked++))).position > s->wish->after)
            list->high = middle;
        else
            list->low = middle + 1;
    }
    return true;
}

/* Both ends of each list meet at its first entry behind the cursor. */
static int find_starts(struct search *s)
{
    int err = count_lists(s);
    for (size_t i = 0; i < s->wish->labels_count && s->wish->after == 0; i++)
        s->lists[i].high = 0;
    while (err == ISG_OK && halve(s, &err)) {
    }
    return err;
}

/* ---- the first of all lists ----------------------------------------------------------------- */

static int read_lists(struct search *s)
{
    redis_pipe_reset(&s->pipe);
    for (size_t i = 0; i < s->wish->labels_count; i++)
        put_range(s, s->lists[i].label, s->lists[i].low, s->wish->limit);
    int err = run(s);
    for (size_t i = 0; i < s->wish->labels_count && err == ISG_OK; i++) {
        err = redis_expect(redis_nth(&s->pipe, i), REDIS_TEXT, s->why);
        s->lists[i].found = redis_text(redis_nth(&s->pipe, i));
    }
    return err;
}

/* Take the lowest position out of the lists; false when all are at their end. */
static bool next_place(struct search *s, struct event_place *out)
{
    struct list *best = NULL;
    for (size_t i = 0; i < s->wish->labels_count; i++) {
        struct list *list = &s->lists[i];
        struct event_place place = place_of(isg_str_from(list->found, list->used));
        if (place.position != 0 && (best == NULL || place.position < out->position)) {
            best = list;
            *out = place;
        }
    }
    if (best != NULL)
        best->used += EVENT_PLACE_BYTES;
    return best != NULL;
}

static int gather(struct search *s, struct event_place **out, size_t *out_count)
{
    struct event_place *places = isg_arena_alloc(s->arena, (s->wish->limit + 1) * sizeof *places);
    size_t n = 0;
    if (places == NULL)
        return no_memory(s->why);
    while (n < s->wish->limit && next_place(s, &places[n]))
        n++;
    *out = places;
    *out_count = n;
    return ISG_OK;
}

/* ---- their events --------------------------------------------------------------------------- */

static void put_events(struct search *s, const struct event_place *places, size_t n)
{
    struct names_key key;
    struct names_key from;
    struct names_key to;
    redis_pipe_reset(&s->pipe);
    for (size_t i = 0; i < n; i++) {
        uint64_t block = (places[i].position - 1) / STORE_BLOCK;
        REDIS(&s->pipe, ISG_STR("GETRANGE"), names_block(&key, s->collection, block),
              names_number(&from, places[i].offset),
              names_number(&to, (uint64_t)places[i].offset + places[i].bytes - 1));
        REDIS(&s->pipe, ISG_STR("HGET"), names_marks(&key, s->collection, block),
              names_number(&from, places[i].position));
    }
}

/* What cannot be read is dead: rather hidden than shown. */
static int read_event(struct search *s, const struct event_place *place, size_t i,
                      struct store_event *out)
{
    struct event_record record;
    struct event_marks marks = {.dead = true};
    const struct redis_reply *marked = redis_nth(&s->pipe, 2 * i + 1);
    struct isg_str text = redis_text(redis_nth(&s->pipe, 2 * i));
    bool nomem = false;
    const char *copy = isg_arena_copy(s->arena, text);
    if (copy == NULL)
        return no_memory(s->why);
    text.p = copy;
    *out = (struct store_event){
        .position = place->position, .dead = true, .id = {"", 0}, .version = {"", 0}};
    if (!event_read(&text, &record) || record.position != place->position)
        return ISG_OK;
    *out = block_event(&record);
    if (redis_is_nil(marked))
        return ISG_OK;
    if (!event_marks_read(redis_text(marked), s->arena, &marks, &nomem) && nomem)
        return no_memory(s->why);
    block_mark(out, &marks);
    return ISG_OK;
}

static int read_events(struct search *s, const struct event_place *places, size_t n,
                       struct store_event **out)
{
    struct store_event *events = isg_arena_alloc(s->arena, (n + 1) * sizeof *events);
    if (events == NULL)
        return no_memory(s->why);
    put_events(s, places, n);
    int err = run(s);
    for (size_t i = 0; i < 2 * n && err == ISG_OK; i++)
        if (!redis_is_nil(redis_nth(&s->pipe, i)))
            err = redis_expect(redis_nth(&s->pipe, i), REDIS_TEXT, s->why);
    for (size_t i = 0; i < n && err == ISG_OK; i++)
        err = read_event(s, &places[i], i, &events[i]);
    *out = events;
    return err;
}

int store_events_of(struct store *store, const char *collection, const struct store_wish *wish,
                    struct isg_arena *arena, struct store_event **out, size_t *out_count,
                    struct isg_fail *why)
{
    struct search s = {
        .store = store, .collection = collection, .wish = wish, .arena = arena, .why = why};
    struct event_place *places = NULL;
    if (!names_collection_is_valid(collection))
        return isg_fail(why, ISG_EINVAL, "impossible collection id");
    s.lists = isg_arena_alloc(arena, (wish->labels_count + 1) * sizeof *s.lists);
    if (s.lists == NULL)
        return no_memory(why);
    redis_pipe_init(&s.pipe);
    int err = find_starts(&s);
    if (err == ISG_OK)
        err = read_lists(&s);
    if (err == ISG_OK)
        err = gather(&s, &places, out_count);
    if (err == ISG_OK)
        err = read_events(&s, places, *out_count, out);
    redis_pipe_done(&s.pipe);
    return err;
}
