/*
 * Reading a log: from memory where that is known to be current, else from Redis.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/store/family.h"
#include "gateway/store/inside.h"
#include "gateway/store/names.h"
#include "stix/base/time.h"

static int no_memory(struct isg_fail *why)
{
    return isg_fail(why, ISG_ENOMEM, "out of memory");
}

/* ---- the head ------------------------------------------------------------------------------- */

/*
 * Is the remembered head good enough (lock held)? A private server has no other writer, so what was
 * read since the last lost connection holds; while it is out of reach it holds as well.
 */
static bool is_current(struct store *store, const struct journal *j, unsigned max_age_ms)
{
    if (!j->loaded)
        return false;
    if (store->embedded != NULL)
        return j->link == redis_link(store->redis) || !redis_is_up(store->redis);
    return j->link == redis_link(store->redis) &&
           isg_time_mono_us() - j->confirmed_us <= (int64_t)max_age_ms * 1000;
}

/* The head as others see it (lock held). */
static void give_head(const struct journal *j, struct store_head *out)
{
    *out = j->head.at;
    out->log = j->log;
}

static bool head_now(struct store *store, struct journal *j, unsigned max_age_ms,
                     struct store_head *out)
{
    pthread_mutex_lock(&j->lock);
    bool current = is_current(store, j, max_age_ms);
    if (current)
        give_head(j, out);
    pthread_mutex_unlock(&j->lock);
    return current;
}

bool store_head_now(struct store *store, const char *collection, unsigned max_age_ms,
                    struct store_head *out)
{
    struct journal *j = store_journal_known(store, collection);
    return j != NULL && head_now(store, j, max_age_ms, out);
}

static int journal_head(struct store *store, struct journal *j, unsigned max_age_ms,
                        struct store_head *out, struct isg_fail *why)
{
    if (head_now(store, j, max_age_ms, out))
        return ISG_OK;
    int err = journal_refresh(j, store->redis, why);
    if (err != ISG_OK)
        return err;
    pthread_mutex_lock(&j->lock);
    give_head(j, out);
    pthread_mutex_unlock(&j->lock);
    return ISG_OK;
}

int store_head(struct store *store, const char *collection, unsigned max_age_ms,
               struct store_head *out, struct isg_fail *why)
{
    struct journal *j;
    int err = store_journal(store, collection, &j, why);
    return err == ISG_OK ? journal_head(store, j, max_age_ms, out, why) : err;
}

/* ---- blocks --------------------------------------------------------------------------------- */

struct store_block *store_block_now(struct store *store, const char *collection, uint64_t number)
{
    struct journal *j = store_journal_known(store, collection);
    if (j == NULL)
        return NULL;
    pthread_mutex_lock(&j->lock);
    struct block_key key = {j, j->head.epoch, number};
    uint64_t generation = journal_generation(j, number);
    size_t count = j->loaded ? journal_block_size(&j->head.at, number) : 0;
    pthread_mutex_unlock(&j->lock);
    struct store_block *block = count == 0 ? NULL : cache_get(&store->cache, key);
    if (block != NULL && (block->generation < generation || block->count < count))
        store_block_unref(&block);
    return block;
}

bool store_generation_now(struct store *store, const char *collection, uint64_t number,
                          uint64_t *out)
{
    struct journal *j = store_journal_known(store, collection);
    if (j == NULL)
        return false;
    pthread_mutex_lock(&j->lock);
    bool known = j->loaded && j->generation_at == j->head.at.generation;
    *out = journal_generation(j, number);
    pthread_mutex_unlock(&j->lock);
    return known;
}

/* Head, generation, records and marks of one moment, so in one transaction. */
static void put_block_reads(struct redis_pipe *pipe, const char *collection, uint64_t number)
{
    struct names_key key;
    struct names_key field;
    REDIS(pipe, ISG_STR("MULTI"));
    REDIS(pipe, ISG_STR("GET"), names_head(&key, collection));
    REDIS(pipe, ISG_STR("HGET"), names_generations(&key, collection), names_number(&field, number));
    REDIS(pipe, ISG_STR("GET"), names_block(&key, collection, number));
    REDIS(pipe, ISG_STR("HGETALL"), names_marks(&key, collection, number));
    REDIS(pipe, ISG_STR("EXEC"));
}

static int build_from(const struct redis_reply *exec, uint64_t number, struct journal_head *head,
                      struct store_block **out, struct isg_fail *why)
{
    uint64_t generation = 0;
    int err = redis_expect(exec, REDIS_LIST, why);
    if (err == ISG_OK)
        err = journal_head_of(redis_at(exec, 0), head, why);
    for (size_t i = 1; i < 3 && err == ISG_OK; i++)
        if (!redis_is_nil(redis_at(exec, i)))
            err = redis_expect(redis_at(exec, i), REDIS_TEXT, why);
    if (err == ISG_OK)
        err = redis_expect(redis_at(exec, 3), REDIS_LIST, why);
    if (err != ISG_OK)
        return err;
    (void)isg_str_to_u64(redis_text(redis_at(exec, 1)), UINT64_MAX, &generation);
    size_t count = journal_block_size(&head->at, number);
    if (count == 0)
        return isg_fail(why, ISG_ENOENT, "no such block");
    err = block_build(number, generation, count, redis_text(redis_at(exec, 2)), redis_at(exec, 3),
                      out);
    return err == ISG_OK ? ISG_OK : no_memory(why);
}

static int read_block(struct store *store, struct journal *j, uint64_t number,
                      struct store_block **out, struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct journal_head head;
    struct store_block *block = NULL;
    redis_pipe_init(&pipe);
    put_block_reads(&pipe, j->collection, number);
    int err = redis_call(store->redis, REDIS_READ, &pipe, why);
    if (err == ISG_OK)
        err = build_from(redis_nth(&pipe, 5), number, &head, &block, why);
    redis_pipe_done(&pipe);
    if (err != ISG_OK)
        return err;
    cache_put(&store->cache, (struct block_key){j, head.epoch, number}, block);
    pthread_mutex_lock(&j->lock);
    bool has_new_labels = head.labels > j->labels_count;
    pthread_mutex_unlock(&j->lock);
    if (has_new_labels) /* whoever gets an event can ask for its label */
        err = journal_refresh(j, store->redis, why);
    if (err == ISG_OK)
        *out = block;
    else
        store_block_unref(&block);
    return err;
}

int store_block_get(struct store *store, const char *collection, uint64_t number,
                    struct store_block **out, struct isg_fail *why)
{
    struct journal *j;
    struct store_head head;
    int err = store_journal(store, collection, &j, why);
    if (err == ISG_OK)
        err = journal_head(store, j, UINT32_MAX, &head, why);
    if (err != ISG_OK)
        return err;
    struct store_block *block = store_block_now(store, collection, number);
    if (block == NULL)
        return read_block(store, j, number, out, why);
    *out = block;
    return ISG_OK;
}

/* ---- dates ---------------------------------------------------------------------------------- */

/* Learn the first dates of all blocks of the log that are not known yet. */
static int load_dates(struct store *store, struct journal *j, struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("HGETALL"), names_dates(&key, j->collection));
    int err = redis_call(store->redis, REDIS_READ, &pipe, why);
    const struct redis_reply *list = redis_nth(&pipe, 0);
    if (err == ISG_OK)
        err = redis_expect(list, REDIS_LIST, why);
    pthread_mutex_lock(&j->lock);
    uint64_t blocks = journal_blocks(&j->head.at);
    for (size_t i = 0; i + 1 < redis_count(list) && err == ISG_OK; i += 2) {
        uint64_t block;
        int64_t date_us;
        if (isg_str_to_u64(redis_text(redis_at(list, i)), UINT64_MAX, &block) && block < blocks &&
            isg_str_to_i64(redis_text(redis_at(list, i + 1)), &date_us) &&
            journal_set_date(j, block, date_us) != ISG_OK)
            err = no_memory(why);
    }
    pthread_mutex_unlock(&j->lock);
    redis_pipe_done(&pipe);
    return err;
}

static int64_t known_date(struct journal *j, uint64_t block)
{
    pthread_mutex_lock(&j->lock);
    int64_t date_us = journal_date(j, block);
    pthread_mutex_unlock(&j->lock);
    return date_us;
}

/* First date of a block; from the block itself where the list of dates has lost it. */
static int first_date(struct store *store, struct journal *j, uint64_t block, int64_t *out,
                      struct isg_fail *why)
{
    int err = ISG_OK;
    int64_t date_us = known_date(j, block);
    if (date_us == INT64_MIN) {
        err = load_dates(store, j, why);
        date_us = known_date(j, block);
    }
    if (err == ISG_OK && date_us == INT64_MIN) {
        struct store_block *b = NULL;
        err = store_block_get(store, j->collection, block, &b, why);
        for (size_t i = 0; err == ISG_OK && i < b->count && date_us <= 0; i++)
            date_us = b->events[i].date_added_us;
        store_block_unref(&b);
    }
    if (err == ISG_OK)
        *out = date_us;
    return err;
}

/* The last block that begins at or before us; 0 when none does. */
static int find_block(struct store *store, struct journal *j, const struct store_head *head,
                      int64_t us, uint64_t *out, struct isg_fail *why)
{
    uint64_t low = 0;
    uint64_t high = journal_blocks(head);
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        int64_t date_us;
        int err = first_date(store, j, middle, &date_us, why);
        if (err != ISG_OK)
            return err;
        *(date_us <= us ? &low : &high) = middle;
    }
    *out = low;
    return ISG_OK;
}

int store_position_after(struct store *store, const char *collection, int64_t us,
                         uint64_t *out_position, struct isg_fail *why)
{
    struct journal *j;
    struct store_head head;
    struct store_block *block = NULL;
    uint64_t number;
    int err = store_journal(store, collection, &j, why);
    if (err == ISG_OK)
        err = journal_head(store, j, 0, &head, why);
    if (err != ISG_OK)
        return err;
    if (head.position == 0 || us >= head.date_added_us) {
        *out_position = head.position + 1;
        return ISG_OK;
    }
    err = find_block(store, j, &head, us, &number, why);
    if (err == ISG_OK)
        err = store_block_get(store, collection, number, &block, why);
    if (err != ISG_OK)
        return err;
    size_t i = 0;
    while (i < block->count && block->events[i].date_added_us <= us)
        i++;
    *out_position = number * STORE_BLOCK + i + 1;
    store_block_unref(&block);
    return ISG_OK;
}

/* ---- labels --------------------------------------------------------------------------------- */

const char *store_label(struct store *store, const char *collection, uint32_t label)
{
    struct journal *j = store_journal_known(store, collection);
    if (j == NULL)
        return NULL;
    pthread_mutex_lock(&j->lock);
    const char *text = label < j->labels_count ? j->labels[label] : NULL;
    pthread_mutex_unlock(&j->lock);
    return text;
}

uint32_t store_label_count(struct store *store, const char *collection)
{
    struct journal *j = store_journal_known(store, collection);
    if (j == NULL)
        return 0;
    pthread_mutex_lock(&j->lock);
    uint32_t n = j->labels_count;
    pthread_mutex_unlock(&j->lock);
    return n;
}

/* ---- versions of one object ----------------------------------------------------------------- */

static int by_position(const void *a, const void *b)
{
    uint64_t pa = ((const struct family_marks *)a)->event->record.position;
    uint64_t pb = ((const struct family_marks *)b)->event->record.position;
    return pa < pb ? -1 : pa > pb;
}

/* Where the parts of one allocation go: events, then numbers, then texts. */
struct layout {
    struct store_event *events;
    uint32_t *numbers;
    char *texts;
};

static const uint32_t *place_numbers(struct layout *at, const uint32_t *numbers, size_t n)
{
    uint32_t *here = at->numbers;
    if (n > 0)
        memcpy(here, numbers, n * sizeof *numbers);
    at->numbers += n;
    return here;
}

static struct isg_str place_text(struct layout *at, struct isg_str text)
{
    char *here = at->texts;
    if (text.n > 0)
        memcpy(here, text.p, text.n);
    at->texts += text.n;
    return (struct isg_str){here, text.n};
}

static void place_event(struct layout *at, const struct family_marks *from)
{
    const struct event_record *r = &from->event->record;
    struct store_event *event = at->events++;
    *event = (struct store_event){
        .position = r->position,
        .date_added_us = r->date_us,
        .label = r->label,
        .versioned = (r->flags & EVENT_VERSIONED) != 0,
        .shelf = r->shelf,
        .id = place_text(at, r->id),
        .version = place_text(at, r->version),
        .newer = place_numbers(at, from->marks.newer, from->marks.newer_count),
        .newer_count = from->marks.newer_count,
        .older = place_numbers(at, from->marks.older, from->marks.older_count),
        .older_count = from->marks.older_count,
    };
    memcpy(event->digest, r->digest, sizeof event->digest);
}

static struct store_event *place_events(const struct family_marks *list, size_t n)
{
    size_t numbers = 0;
    size_t texts = 0;
    for (size_t i = 0; i < n; i++) {
        numbers += list[i].marks.newer_count + list[i].marks.older_count;
        texts += list[i].event->record.id.n + list[i].event->record.version.n;
    }
    struct store_event *events =
        malloc(n * sizeof *events + numbers * sizeof(uint32_t) + texts + 1);
    if (events == NULL)
        return NULL;
    struct layout at = {.events = events, .numbers = (uint32_t *)(void *)(events + n)};
    at.texts = (char *)(at.numbers + numbers);
    for (size_t i = 0; i < n; i++)
        place_event(&at, &list[i]);
    return events;
}

static int read_versions(const struct redis_reply *reply, struct isg_arena *arena,
                         struct store_event **out, size_t *out_count, struct isg_fail *why)
{
    struct family family = {0};
    struct family_marks *list;
    size_t n;
    struct isg_str records = redis_text(reply); /* "" for nil */
    struct event_record record;
    int err = redis_expect(reply, REDIS_TEXT, why);
    if (err == ISG_ENOENT)
        return isg_fail(why, ISG_ENOENT, "no such object");
    while (err == ISG_OK && event_read(&records, &record))
        if (family_add(&family, &record, arena) == NULL)
            err = no_memory(why);
    if (err == ISG_OK && family.count == 0)
        err = isg_fail(why, ISG_ENOENT, "no such object");
    if (err == ISG_OK && family_relate(&family, true, arena, &list, &n) != ISG_OK)
        err = no_memory(why);
    if (err != ISG_OK)
        return err;
    qsort(list, n, sizeof *list, by_position);
    struct store_event *events = place_events(list, n);
    if (events == NULL)
        return no_memory(why);
    *out = events;
    *out_count = n;
    return ISG_OK;
}

/* Whoever asks for events judges by their labels: one that this process has not met yet, after a start
 * or because another gateway made it, is read. */
static int know_labels(struct store *store, struct journal *j, const struct store_event *events,
                       size_t count, struct isg_fail *why)
{
    bool known = true;
    pthread_mutex_lock(&j->lock);
    for (size_t i = 0; i < count; i++)
        known = known && events[i].label < j->labels_count && j->labels[events[i].label] != NULL;
    pthread_mutex_unlock(&j->lock);
    return known ? ISG_OK : journal_refresh(j, store->redis, why);
}

int store_versions(struct store *store, const char *collection, struct isg_str id,
                   struct store_event **out, size_t *out_count, struct isg_fail *why)
{
    struct journal *j;
    struct names_key key;
    struct redis_pipe pipe;
    *out = NULL;
    int err = store_journal(store, collection, &j, why);
    if (err != ISG_OK)
        return err;
    if (!names_id_is_valid(id))
        return isg_fail(why, ISG_ENOENT, "no such object");
    struct isg_arena *arena = isg_arena_new(ISG_BUF_NO_MAX);
    if (arena == NULL)
        return no_memory(why);
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("GET"), names_index(&key, collection, id));
    err = redis_call(store->redis, REDIS_READ, &pipe, why);
    if (err == ISG_OK)
        err = read_versions(redis_nth(&pipe, 0), arena, out, out_count, why);
    if (err == ISG_OK)
        err = know_labels(store, j, *out, *out_count, why);
    if (err != ISG_OK) {
        free(*out);
        *out = NULL;
    }
    redis_pipe_done(&pipe);
    isg_arena_free(&arena);
    return err;
}
