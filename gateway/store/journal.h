/*
 * What this process remembers of one collection's log: where it stands, its labels, the generation
 * and first date of each block, and whose turn it is to write. All of it can be read again.
 *
 * Fields are under the lock, which is never held while Redis is asked.
 */
#ifndef GATEWAY_STORE_JOURNAL_H
#define GATEWAY_STORE_JOURNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/store/conn.h"
#include "gateway/store/index.h"
#include "gateway/store/recent.h"
#include "gateway/store/store.h"

struct commit;

enum { JOURNAL_HEAD_TEXT = 128 };

/* Text of a head, as Redis keeps it. */
void journal_head_write(const struct journal_head *head, char text[JOURNAL_HEAD_TEXT]);
/* Read such a text. False, out untouched, when it is damaged. */
bool journal_head_read(struct isg_str text, struct journal_head *out);
/* Read a reply; nil is the head of an empty log. ISG_OK, ISG_ESTORE. */
int journal_head_of(const struct redis_reply *reply, struct journal_head *out,
                    struct isg_fail *why);

struct journal {
    char *collection;
    pthread_mutex_t lock;
    pthread_cond_t moved; /* a commit was finished, or came to the queue */

    struct journal_head head;
    bool loaded;            /* head was read once */
    int64_t confirmed_us;   /* monotonic: when Redis was last asked */
    uint64_t link;          /* redis_link then; another one now: ask again */
    uint64_t log;           /* how often another log took the place of one that was known */
    uint64_t moves;         /* changes of head, to notice them while Redis is asked */
    struct recent recent;   /* own changes of late */
    uint64_t generation_at; /* generations are complete up to this one */
    uint64_t *generations;  /* by block */
    size_t generations_count;
    int64_t *dates; /* of each block's first event; INT64_MIN: not known */
    size_t dates_count;

    char **labels; /* by number; NULL: number given, text lost */
    uint32_t labels_count;
    bool labels_short;        /* a text was not kept for lack of memory: all are asked for again */
    struct index label_index; /* text -> number */
    char **texts;             /* every text ever handed out, kept until the end */
    size_t texts_count;

    atomic_uint replicas; /* that must acknowledge each write; 0: none is asked; without the lock */

    bool busy; /* somebody is writing */
    struct commit *first;
    struct commit *last;
    size_t waiting_bytes;
};

/* Of a log nothing is known of yet; collection is copied. NULL without memory. */
struct journal *journal_new(const char *collection);
/* Nobody may wait in it. Accepts NULL, leaves NULL. */
void journal_free(struct journal **journal);

/* Blocks that hold at least one event. */
uint64_t journal_blocks(const struct store_head *head);
/* Events of a block by that head. */
size_t journal_block_size(const struct store_head *head, uint64_t block);

/* ---- with the lock held --------------------------------------------------------------------- */

/* 0 when the block never changed but by appends. */
uint64_t journal_generation(const struct journal *journal, uint64_t block);
/* Remember a block's generation; it never goes back. ISG_OK or ISG_ENOMEM. */
int journal_set_generation(struct journal *journal, uint64_t block, uint64_t generation);

/* Remember a label's number and text. ISG_OK or ISG_ENOMEM. */
int journal_set_label(struct journal *journal, uint32_t number, struct isg_str text);

/* Numbers below count are given, texts of new ones not known. ISG_OK or ISG_ENOMEM. */
int journal_give_labels(struct journal *journal, uint32_t count);

/* Date of the block's first event in microseconds; INT64_MIN when not known. */
int64_t journal_date(const struct journal *journal, uint64_t block);
/* Remember that date. ISG_OK or ISG_ENOMEM. */
int journal_set_date(struct journal *journal, uint64_t block, int64_t date_us);

/* Another log took the place of this one: forget what was known. */
void journal_forget(struct journal *journal);

/* ---- without the lock ----------------------------------------------------------------------- */

struct redis;

/* Ask Redis for the head, and for generations and labels where they moved. */
int journal_refresh(struct journal *journal, struct redis *redis, struct isg_fail *why);

#endif
