/*
 * What memory learns of a change that is in the store: the journal, and the blocks that are kept.
 */
#include <string.h>

#include "gateway/store/txn_private.h"

/* ---- what the journal learns ---------------------------------------------------------------- */

static int learn_parts(struct txn *t)
{
    struct journal *j = t->journal;
    int err = ISG_OK;
    for (uint32_t i = t->base.labels; i < t->next.labels && err == ISG_OK; i++)
        err = journal_set_label(j, i, t->new_labels[i - t->base.labels]);
    for (size_t i = 0; i < t->touched_count && err == ISG_OK; i++)
        err = journal_set_generation(j, t->touched[i], t->next.at.generation);
    for (size_t i = 0; i < t->added_count && err == ISG_OK; i++)
        if (t->added[i]->record.position % STORE_BLOCK == 1)
            err = journal_set_date(j, txn_block(&t->added[i]->record), t->added[i]->record.date_us);
    return err;
}

/*
 * The head moves last: without memory for its parts it stays where it was, and is asked for again.
 */
void txn_learn(struct txn *t, int64_t asked_us)
{
    struct journal *j = t->journal;
    pthread_mutex_lock(&j->lock);
    bool ahead = j->head.epoch == t->next.epoch && j->head.at.position >= t->next.at.position &&
                 j->head.at.generation >= t->next.at.generation;
    j->moves++;
    recent_note(&j->recent, &t->base, &t->next, t->families, t->families_count);
    if (learn_parts(t) != ISG_OK) {
        j->link = 0;
    } else if (!ahead) {
        if (j->generation_at == t->base.at.generation)
            j->generation_at = t->next.at.generation;
        else
            j->link = 0; /* another gateway's changes of generations are to be read */
        j->head = t->next;
        j->loaded = true;
        j->confirmed_us = asked_us;
        if (j->link != 0)
            j->link = t->conn != NULL ? t->conn->link : j->link;
    }
    pthread_mutex_unlock(&j->lock);
}

/* ---- what the blocks in memory learn -------------------------------------------------------- */

/* Are the block's events and their marks as they were, up to the first one added? */
static bool is_kept_whole(const struct txn *t, uint64_t number, const struct store_block *kept,
                          size_t before)
{
    struct journal *j = t->journal;
    for (size_t i = 0; i < t->touched_count; i++)
        if (t->touched[i] == number)
            return false;
    if (kept == NULL)
        return before == 0;
    pthread_mutex_lock(&j->lock);
    uint64_t generation = journal_generation(j, number);
    bool known = j->loaded && j->generation_at == t->base.at.generation;
    pthread_mutex_unlock(&j->lock);
    return known && kept->generation == generation && kept->count == before;
}

static bool make_event(struct txn *t, const struct relative *added, struct store_event *out)
{
    struct event_marks marks = {0};
    bool nomem = false;
    if (added->marks_after.n > 0 && !event_marks_read(added->marks_after, t->arena, &marks, &nomem))
        return false;
    *out = (struct store_event){.position = added->record.position,
                                .date_added_us = added->record.date_us,
                                .label = added->record.label,
                                .dead = marks.dead,
                                .versioned = (added->record.flags & EVENT_VERSIONED) != 0,
                                .id = added->record.id,
                                .version = added->record.version,
                                .shelf = added->record.shelf,
                                .newer = marks.newer,
                                .newer_count = marks.newer_count,
                                .older = marks.older,
                                .older_count = marks.older_count};
    memcpy(out->digest, added->record.digest, sizeof out->digest);
    return true;
}

/* The n added events from the i-th on, all of one block: into memory, if all before them is. */
static void grow_block(struct txn *t, size_t i, size_t n)
{
    uint64_t number = txn_block(&t->added[i]->record);
    size_t before = (size_t)(t->added[i]->record.position - 1 - number * STORE_BLOCK);
    struct block_key key = {t->journal, t->next.epoch, number};
    struct store_block *kept = before > 0 ? cache_get(&t->store->cache, key) : NULL;
    struct store_block *grown = NULL;
    struct store_event *events = isg_arena_alloc(t->arena, n * sizeof *events);
    bool good = events != NULL && is_kept_whole(t, number, kept, before);
    for (size_t k = 0; k < n && good; k++)
        good = make_event(t, t->added[i + k], &events[k]);
    uint64_t generation = kept != NULL ? kept->generation : 0;
    if (good && block_grow(kept, number, generation, events, n, &grown) == ISG_OK)
        cache_put(&t->store->cache, key, grown);
    store_block_unref(&grown);
    store_block_unref(&kept);
}

/* A read behind a write finds the new events in memory, and need not fetch the block again. */
void txn_grow_blocks(struct txn *t)
{
    for (size_t i = 0, n; i < t->added_count; i += n) {
        uint64_t number = txn_block(&t->added[i]->record);
        for (n = 1; i + n < t->added_count && txn_block(&t->added[i + n]->record) == number;)
            n++;
        grow_block(t, i, n);
    }
}

void txn_doubt(struct txn *t)
{
    pthread_mutex_lock(&t->journal->lock);
    t->journal->link = 0;
    pthread_mutex_unlock(&t->journal->lock);
}
