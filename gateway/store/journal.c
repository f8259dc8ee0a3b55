#include "gateway/store/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/log.h"
#include "gateway/store/names.h"
#include "gateway/store/redis.h"
#include "stix/base/time.h"

enum {
    BLOCKS_MAX = 1 << 28, /* a block number above it is damage, not a log */
    LABELS_MAX = 1 << 24
};

/* ---- the head ------------------------------------------------------------------------------- */

void journal_head_write(const struct journal_head *head, char text[JOURNAL_HEAD_TEXT])
{
    (void)snprintf(text, JOURNAL_HEAD_TEXT,
                   "%" PRIu64 " %" PRId64 " %" PRIu64 " %" PRIu32 " %" PRId64, head->at.position,
                   head->at.date_added_us, head->at.generation, head->labels, head->epoch);
}

static bool next_u64(struct isg_str *rest, uint64_t max, uint64_t *out)
{
    struct isg_str piece;
    return isg_str_split(rest, ' ', &piece) && isg_str_to_u64(piece, max, out);
}

static bool next_i64(struct isg_str *rest, int64_t *out)
{
    struct isg_str piece;
    return isg_str_split(rest, ' ', &piece) && isg_str_to_i64(piece, out);
}

bool journal_head_read(struct isg_str text, struct journal_head *out)
{
    struct journal_head head = {0};
    uint64_t labels = 0;
    if (!next_u64(&text, UINT64_MAX, &head.at.position) ||
        !next_i64(&text, &head.at.date_added_us) ||
        !next_u64(&text, UINT64_MAX, &head.at.generation) ||
        !next_u64(&text, LABELS_MAX, &labels) || !next_i64(&text, &head.epoch))
        return false;
    if (head.at.position / STORE_BLOCK >= BLOCKS_MAX)
        return false;
    head.labels = (uint32_t)labels;
    *out = head;
    return true;
}

int journal_head_of(const struct redis_reply *reply, struct journal_head *out, struct isg_fail *why)
{
    int err = redis_expect(reply, REDIS_TEXT, why);
    if (err == ISG_ENOENT) {
        *out = (struct journal_head){0};
        return ISG_OK;
    }
    if (err == ISG_OK && !journal_head_read(redis_text(reply), out))
        err = isg_fail(why, ISG_ESTORE, "the head of a collection is damaged");
    return err;
}

/* ---- life ----------------------------------------------------------------------------------- */

struct journal *journal_new(const char *collection)
{
    struct journal *j = calloc(1, sizeof *j);
    if (j == NULL || (j->collection = strdup(collection)) == NULL) {
        free(j);
        return NULL;
    }
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&j->lock, NULL);
    pthread_cond_init(&j->moved, &attr);
    pthread_condattr_destroy(&attr);
    index_init(&j->label_index);
    recent_init(&j->recent);
    return j;
}

void journal_free(struct journal **journal)
{
    struct journal *j = *journal;
    if (j == NULL)
        return;
    for (size_t i = 0; i < j->texts_count; i++)
        free(j->texts[i]);
    free(j->texts);
    free(j->labels);
    free(j->generations);
    free(j->dates);
    index_done(&j->label_index);
    recent_done(&j->recent);
    pthread_cond_destroy(&j->moved);
    pthread_mutex_destroy(&j->lock);
    free(j->collection);
    free(j);
    *journal = NULL;
}

uint64_t journal_blocks(const struct store_head *head)
{
    return head->position / STORE_BLOCK + (head->position % STORE_BLOCK != 0);
}

size_t journal_block_size(const struct store_head *head, uint64_t block)
{
    uint64_t before = block * STORE_BLOCK;
    if (block >= BLOCKS_MAX || head->position <= before)
        return 0;
    uint64_t n = head->position - before;
    return n > STORE_BLOCK ? STORE_BLOCK : (size_t)n;
}

/* ---- with the lock held --------------------------------------------------------------------- */

/* Room for item n of an array that doubles; new memory comes uninitialised. */
static void *grow(void *items, size_t count, size_t n, size_t size)
{
    size_t room = 16;
    while (room < count)
        room *= 2;
    if (items != NULL && n < room)
        return items;
    while (room <= n)
        room *= 2;
    return realloc(items, room * size);
}

uint64_t journal_generation(const struct journal *j, uint64_t block)
{
    return block < j->generations_count ? j->generations[block] : 0;
}

int journal_set_generation(struct journal *j, uint64_t block, uint64_t generation)
{
    if (block >= BLOCKS_MAX)
        return ISG_OK;
    uint64_t *items = grow(j->generations, j->generations_count, (size_t)block, sizeof *items);
    if (items == NULL)
        return ISG_ENOMEM;
    j->generations = items;
    while (j->generations_count <= block)
        items[j->generations_count++] = 0;
    if (items[block] < generation)
        items[block] = generation;
    return ISG_OK;
}

int64_t journal_date(const struct journal *j, uint64_t block)
{
    return block < j->dates_count ? j->dates[block] : INT64_MIN;
}

int journal_set_date(struct journal *j, uint64_t block, int64_t date_us)
{
    if (block >= BLOCKS_MAX)
        return ISG_OK;
    int64_t *items = grow(j->dates, j->dates_count, (size_t)block, sizeof *items);
    if (items == NULL)
        return ISG_ENOMEM;
    j->dates = items;
    while (j->dates_count <= block)
        items[j->dates_count++] = INT64_MIN;
    items[block] = date_us;
    return ISG_OK;
}

static char *keep_text(struct journal *j, struct isg_str text)
{
    char **items = grow(j->texts, j->texts_count, j->texts_count, sizeof *items);
    if (items == NULL)
        return NULL;
    j->texts = items;
    char *copy = malloc(text.n + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    return items[j->texts_count++] = copy;
}

int journal_give_labels(struct journal *j, uint32_t count)
{
    if (count <= j->labels_count)
        return ISG_OK;
    char **items = grow(j->labels, j->labels_count, count - 1, sizeof *items);
    if (items == NULL)
        return ISG_ENOMEM;
    j->labels = items;
    while (j->labels_count < count)
        items[j->labels_count++] = NULL;
    return ISG_OK;
}

static int set_label(struct journal *j, uint32_t number, struct isg_str text)
{
    if (journal_give_labels(j, number + 1) != ISG_OK)
        return ISG_ENOMEM;
    char *copy = keep_text(j, text);
    if (copy == NULL)
        return ISG_ENOMEM;
    if (index_get(&j->label_index, isg_str_of(copy)) == SIZE_MAX &&
        index_add(&j->label_index, isg_str_of(copy), number) != ISG_OK)
        return ISG_ENOMEM;
    j->labels[number] = copy;
    return ISG_OK;
}

int journal_set_label(struct journal *j, uint32_t number, struct isg_str text)
{
    if (number < j->labels_count && j->labels[number] != NULL)
        return ISG_OK;
    int err = set_label(j, number, text);
    j->labels_short = j->labels_short || err != ISG_OK;
    return err;
}

void journal_forget(struct journal *j)
{
    LOG(LOG_ERROR, "store.log_replaced", log_cstr("collection", j->collection),
        log_int("position", (int64_t)j->head.at.position));
    j->generations_count = 0;
    j->generation_at = 0;
    j->dates_count = 0;
    j->labels_count = 0;
    index_done(&j->label_index);
    j->head = (struct journal_head){0};
    j->log++;
}

/* ---- asking Redis --------------------------------------------------------------------------- */

/* What one refresh brings; the replies live in the pipe. */
struct news {
    struct journal_head head;
    int64_t asked_us;
    uint64_t link;
    const struct redis_reply *generations; /* NULL: not asked */
    const struct redis_reply *labels;
};

static int merge_generations(struct journal *j, const struct news *news)
{
    uint64_t blocks = journal_blocks(&news->head.at);
    for (size_t i = 0; i + 1 < redis_count(news->generations); i += 2) {
        uint64_t block;
        uint64_t generation;
        if (!isg_str_to_u64(redis_text(redis_at(news->generations, i)), BLOCKS_MAX, &block) ||
            !isg_str_to_u64(redis_text(redis_at(news->generations, i + 1)), UINT64_MAX,
                            &generation) ||
            block >= blocks)
            continue;
        if (journal_set_generation(j, block, generation) != ISG_OK)
            return ISG_ENOMEM;
    }
    j->generation_at = news->head.at.generation;
    return ISG_OK;
}

static int merge_labels(struct journal *j, const struct news *news)
{
    for (size_t i = 0; i + 1 < redis_count(news->labels); i += 2) {
        uint64_t number;
        if (!isg_str_to_u64(redis_text(redis_at(news->labels, i)), UINT32_MAX, &number) ||
            number >= news->head.labels)
            continue;
        if (journal_set_label(j, (uint32_t)number, redis_text(redis_at(news->labels, i + 1))) !=
            ISG_OK)
            return ISG_ENOMEM;
    }
    int err = journal_give_labels(j, news->head.labels);
    j->labels_short = err != ISG_OK;
    return err;
}

static bool is_other_log(const struct journal *j, const struct journal_head *head)
{
    return j->loaded &&
           (head->epoch != j->head.epoch ? j->head.at.position > 0
                                         : head->at.position < j->head.at.position ||
                                               head->at.generation < j->head.at.generation);
}

/* Take over what Redis said (lock held); false when own changes came in between: ask again. */
static bool merge(struct journal *j, const struct news *news, uint64_t moves, int *err)
{
    if (moves != j->moves && is_other_log(j, &news->head))
        return false;
    if (is_other_log(j, &news->head))
        journal_forget(j);
    if (news->generations != NULL)
        *err = merge_generations(j, news);
    if (*err == ISG_OK && news->labels != NULL)
        *err = merge_labels(j, news);
    if (*err != ISG_OK)
        return true;
    j->head = news->head;
    j->moves++; /* so that an older answer to another thread is not taken for another log */
    j->loaded = true;
    if (j->confirmed_us < news->asked_us)
        j->confirmed_us = news->asked_us;
    j->link = news->link;
    return true;
}

/* Does that head bring more than what is remembered (lock held)? */
static bool needs_more(const struct journal *j, const struct journal_head *head)
{
    return is_other_log(j, head) || head->at.generation != j->generation_at ||
           head->labels > j->labels_count || j->labels_short;
}

/* Ask for the head, and with `all` for generations and labels behind it (never before it). */
static int ask(struct journal *j, struct redis *redis, bool all, struct redis_pipe *pipe,
               struct news *out, struct isg_fail *why)
{
    struct names_key key;
    struct news news = {.asked_us = isg_time_mono_us(), .link = redis_link(redis)};
    redis_pipe_reset(pipe);
    REDIS(pipe, ISG_STR("GET"), names_head(&key, j->collection));
    if (all) {
        REDIS(pipe, ISG_STR("HGETALL"), names_generations(&key, j->collection));
        REDIS(pipe, ISG_STR("HGETALL"), names_labels(&key, j->collection));
    }
    int err = redis_call(redis, REDIS_READ, pipe, why);
    if (err == ISG_OK)
        err = journal_head_of(redis_nth(pipe, 0), &news.head, why);
    for (size_t i = 1; i < pipe->count && err == ISG_OK; i++)
        err = redis_expect(redis_nth(pipe, i), REDIS_LIST, why);
    if (all) {
        news.generations = redis_nth(pipe, 1);
        news.labels = redis_nth(pipe, 2);
    }
    if (err == ISG_OK)
        *out = news;
    return err;
}

int journal_refresh(struct journal *j, struct redis *redis, struct isg_fail *why)
{
    struct redis_pipe pipe;
    int err = ISG_OK;
    redis_pipe_init(&pipe);
    for (bool done = false, all = false; !done && err == ISG_OK;) {
        struct news news;
        pthread_mutex_lock(&j->lock);
        uint64_t moves = j->moves;
        pthread_mutex_unlock(&j->lock);
        err = ask(j, redis, all, &pipe, &news, why);
        if (err != ISG_OK)
            break;
        pthread_mutex_lock(&j->lock);
        if (!all && needs_more(j, &news.head))
            all = true;
        else
            done = merge(j, &news, moves, &err);
        pthread_mutex_unlock(&j->lock);
        if (err != ISG_OK)
            (void)isg_fail(why, err, "out of memory");
    }
    redis_pipe_done(&pipe);
    return err;
}
