#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "gateway/store/names.h"
#include "gateway/store/txn_private.h"
#include "stix/base/time.h"

enum {
    GAP_SCALE_MIN = 4, /* of the steps between dates, in microseconds */
    GAP_SCALES = 8,
    GAP_STRETCH = 4 /* how often a step may be doubled */
};

void txn_end(struct txn *t)
{
    if (t->conn != NULL && t->watching && t->conn->fault == CONN_SOUND) {
        redis_pipe_reset(&t->read);
        REDIS(&t->read, ISG_STR("UNWATCH"));
        (void)conn_run(t->conn, &t->read, redis_deadline(t->store->redis), NULL);
    }
    redis_give(t->store->redis, &t->conn);
    redis_pipe_done(&t->read);
    index_done(&t->ids);
    isg_arena_free(&t->arena);
}

/* ---- plan ----------------------------------------------------------------------------------- */

struct family *txn_family(struct txn *t, struct isg_str id)
{
    size_t i = index_get(&t->ids, id);
    assert(i != SIZE_MAX);
    return &t->families[i];
}

void *txn_room(struct txn *t, void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return items;
    size_t larger = *room == 0 ? 16 : *room * 2;
    void *copy = isg_arena_alloc(t->arena, larger * size);
    if (copy == NULL)
        return NULL;
    if (count > 0)
        memcpy(copy, items, count * size);
    *room = larger;
    return copy;
}

int txn_label(struct txn *t, struct isg_str text, uint32_t *out)
{
    struct journal *j = t->journal;
    pthread_mutex_lock(&j->lock);
    size_t known = index_get(&j->label_index, text);
    pthread_mutex_unlock(&j->lock);
    if (known != SIZE_MAX && known < t->base.labels) {
        *out = (uint32_t)known;
        return ISG_OK;
    }
    size_t count = t->next.labels - t->base.labels;
    for (size_t i = 0; i < count; i++) {
        if (isg_str_eq(t->new_labels[i], text)) {
            *out = t->base.labels + (uint32_t)i;
            return ISG_OK;
        }
    }
    struct isg_str *labels = txn_room(t, t->new_labels, count, &t->new_labels_room, sizeof *labels);
    if (labels == NULL)
        return ISG_ENOMEM;
    t->new_labels = labels;
    labels[count] = text;
    *out = t->next.labels++;
    return ISG_OK;
}

bool txn_label_text(const struct txn *t, uint32_t label, struct isg_str *out)
{
    if (label >= t->base.labels) {
        if (label >= t->next.labels)
            return false;
        *out = t->new_labels[label - t->base.labels];
        return true;
    }
    struct journal *j = t->journal;
    pthread_mutex_lock(&j->lock);
    const char *text = label < j->labels_count ? j->labels[label] : NULL;
    pthread_mutex_unlock(&j->lock);
    if (text == NULL)
        return false;
    *out = isg_str_of(text);
    return true;
}

static uint64_t draw(struct txn *t)
{
    t->dice ^= t->dice << 13;
    t->dice ^= t->dice >> 7;
    t->dice ^= t->dice << 17;
    return t->dice;
}

static void shake(struct txn *t)
{
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        seed = (uint64_t)isg_time_now_us();
    t->dice = seed | 1;
    t->scale = GAP_SCALE_MIN + draw(t) % GAP_SCALES;
}

/*
 * Between dates of even steps a reader could count what is hidden from him (T-068). So the steps are
 * drawn, with a long tail, on a scale that is drawn for each batch: no gap proves anything. About
 * 10 us each, less than an object takes, so that dates do not run ahead of the clock.
 */
static int64_t gap_us(struct txn *t)
{
    unsigned stretch = (unsigned)(draw(t) % (1U << GAP_STRETCH));
    uint64_t room = t->scale;
    for (; (stretch & 1) != 0; stretch >>= 1)
        room *= 2;
    return 1 + (int64_t)(draw(t) % room);
}

/* Strictly rising, whatever the clock does (T-063, R-072). */
static void number(struct txn *t, struct event_record *record)
{
    int64_t now_us = isg_time_now_us();
    int64_t last_us = t->next.at.date_added_us;
    if (t->dice == 0)
        shake(t);
    t->next.at.position++;
    t->next.at.date_added_us = (now_us > last_us ? now_us : last_us) + gap_us(t);
    if (t->next.epoch == 0)
        t->next.epoch = t->next.at.date_added_us;
    record->position = t->next.at.position;
    record->date_us = t->next.at.date_added_us;
}

int txn_add(struct txn *t, struct family *family, struct event_record *record, struct isg_str canon,
            struct relative **out)
{
    size_t room = t->added_room;
    struct relative **added =
        txn_room(t, t->added, t->added_count, &t->added_room, sizeof(struct relative *));
    struct family **owners = txn_room(t, t->owners, t->added_count, &room, sizeof(struct family *));
    if (added == NULL || owners == NULL)
        return ISG_ENOMEM;
    t->added = added;
    t->owners = owners;
    number(t, record);
    txn_shelve(t, record, canon.n);
    struct relative *event = family_add(family, record, t->arena);
    if (event == NULL)
        return ISG_ENOMEM;
    event->canon = canon;
    event->is_new = true;
    family->is_changed = true;
    owners[t->added_count] = family;
    added[t->added_count++] = event;
    *out = event;
    return ISG_OK;
}

void txn_kill(struct family *family, struct relative *event, bool expired)
{
    event->is_gone = true;
    event->is_expired = expired;
    event->gone_us = isg_time_now_us();
    family->is_changed = true;
}

bool txn_is_empty(const struct txn *t)
{
    for (size_t i = 0; i < t->families_count; i++)
        if (t->families[i].is_changed)
            return false;
    return true;
}
