#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "feeds/schedule.h"
#include "gateway/log.h"
#include "gateway/sync/lease.h"
#include "gateway/sync/outbox.h"
#include "gateway/sync/peer_run.h"
#include "stix/base/jsonw.h"
#include "stix/base/time.h"

enum {
    ARENA_MAX = 64 << 20,
    FOLLOW_ROUNDS = 6, /* a pending status is asked for so often in one run: some three seconds */
    FOLLOW_FIRST_MS = 50,
    SUSPECTS_MAX = 16 /* objects in a row that are refused one by one */
};

/* A status that nobody completes is given up after a day, as long as servers keep one (T-090). */
static const int64_t pending_max_us = INT64_C(24) * 3600 * 1000000;

struct sending {
    const struct peer_push *run;
    struct outbox outbox;
    struct taxii_push *push; /* NULL until something has to be sent */
    struct isg_arena *arena;
    struct isg_buf bytes;
    struct outbox_page page;
    struct isg_str texts[OUTBOX_PAGE]; /* of the page's items */
    struct isg_jsonw listing;
    size_t listed;
};

static int save(const struct sending *s, struct isg_fail *why)
{
    const struct sync_parts *parts = s->run->parts;
    return lease_save(parts->lease, parts->store, s->run->state_name, s->run->state, why);
}

static int open_target(struct sending *s, struct isg_fail *why)
{
    return s->push != NULL ? ISG_OK : feed_taxii_push_open(s->run->target, &s->push, why);
}

static bool is_time_up(const struct sending *s)
{
    return outgoing_is_over(s->run->parts, s->run->how);
}

/* ---- what became of an envelope ------------------------------------------------------------- */

static void forget(struct state *state)
{
    state->sending = 0;
    state->status[0] = '\0';
    state->pending_since_us = 0;
    state->polls = 0;
}

static void note_refusal(struct sending *s, size_t count, const char *text)
{
    const struct peer_push *run = s->run;
    run->result->refused += count;
    run->state->sent_refused += count;
    (void)snprintf(run->state->last_refusal, sizeof run->state->last_refusal, "%s", text);
    if (run->result->first_failure[0] == '\0')
        (void)snprintf(run->result->first_failure, sizeof run->result->first_failure, "%s", text);
    LOG(LOG_WARN, "peer.refused", log_cstr("peer", run->def->name),
        log_int("objects", (int64_t)count), log_cstr("first", text));
}

/* The envelope under way is done with: the cursor passes it. */
static int confirm(struct sending *s, const struct taxii_sent *sent, struct isg_fail *why)
{
    struct state *state = s->run->state;
    state->position = state->sending;
    state->sent += sent->success;
    s->run->result->added += sent->success;
    s->run->result->pending = 0;
    if (sent->failure > 0)
        note_refusal(s, sent->failure, sent->first_failure);
    forget(state);
    return save(s, why);
}

static void wait_ms(long ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&t, &t) != 0)
        continue;
}

/* Pending for too long, or since a time that a clock which was set back has made the future. */
static bool is_overdue(const struct state *state)
{
    int64_t now_us = isg_time_now_us();
    return now_us - state->pending_since_us > pending_max_us ||
           feed_schedule_is_ahead(state->pending_since_us, now_us);
}

/*
 * Ask for the status of the envelope under way until it is complete, or for as long as a run may
 * wait. One that the server does not know any more, or never completes, is sent again.
 */
static int follow(struct sending *s, struct isg_fail *why)
{
    struct state *state = s->run->state;
    struct taxii_sent sent;
    int err = open_target(s, why);
    for (unsigned round = 0; err == ISG_OK; round++) {
        err = feed_taxii_push_status(s->push, state->status, &sent, why);
        if (err == ISG_OK && !sent.is_pending)
            return confirm(s, &sent, why);
        if (err == ISG_ENOENT || (err == ISG_OK && is_overdue(state))) {
            LOG(LOG_WARN, "peer.lost", log_cstr("peer", s->run->def->name),
                log_cstr("status", state->status));
            forget(state);
            return ISG_OK;
        }
        if (err != ISG_OK || round == FOLLOW_ROUNDS || outgoing_is_stopping(s->run->parts))
            break;
        wait_ms((long)FOLLOW_FIRST_MS << round);
    }
    if (err == ISG_OK) {
        s->run->result->pending = sent.pending;
        state->polls++;
    }
    return err;
}

/* ---- sending -------------------------------------------------------------------------------- */

/* Objects that the server would not take when they came alone. */
struct suspects {
    size_t count;
    bool certain; /* each is too large: no doubt about it */
    char first[256];
};

/* asked: the server said so, of an object that is not larger than it takes by its own word. */
static void suspect(struct suspects *suspects, const struct outbox_item *item, int err, bool asked,
                    const struct isg_fail *why)
{
    bool too_large = err == ISG_ELIMIT && (!asked || item->text.n >= OUTBOX_LARGE);
    if (suspects->count++ == 0) {
        suspects->certain = true;
        (void)snprintf(suspects->first, sizeof suspects->first, "%.*s: %.140s",
                       (int)(item->id.n < 100 ? item->id.n : 100), item->id.p, why->text);
    }
    suspects->certain = suspects->certain && too_large;
}

/*
 * Send from the page's at-th object on. One that the server refuses as a bad request, or as too large
 * though it is small, is passed only when it takes the next one: a server that refuses everything must
 * not empty the outbox.
 */
static int send_from(struct sending *s, size_t at, size_t *out_taken, struct isg_fail *why)
{
    struct suspects suspects = {.count = 0};
    struct taxii_sent sent = {.taken = 0};
    struct state *state = s->run->state;
    int err = ISG_EINVAL;
    while (at + suspects.count < s->page.count && suspects.count < SUSPECTS_MAX) {
        size_t next = at + suspects.count;
        err = feed_taxii_push_send(s->push, s->texts + next, s->page.count - next, &sent, why);
        if (err != ISG_ELIMIT && err != ISG_EINVAL)
            break;
        suspect(&suspects, &s->page.items[next], err, sent.taken > 0, why);
        sent.taken = 0;
    }
    if (err != ISG_OK && !((err == ISG_ELIMIT || err == ISG_EINVAL) && suspects.certain))
        return err;
    if (suspects.count > 0)
        note_refusal(s, suspects.count, suspects.first);
    *out_taken = suspects.count + sent.taken;
    s->run->result->total += *out_taken;
    state->sending = s->page.items[at + *out_taken - 1].position;
    if (!sent.is_pending)
        return confirm(s, &sent, why);
    (void)snprintf(state->status, sizeof state->status, "%s", sent.id);
    state->pending_since_us = isg_time_now_us();
    state->polls = 0;
    return save(s, why);
}

/* All objects of the page; ends early when an envelope stays pending or time is up. */
static int send_page(struct sending *s, struct isg_fail *why)
{
    struct state *state = s->run->state;
    size_t at = 0;
    int err = s->page.count > 0 ? open_target(s, why) : ISG_OK;
    for (size_t i = 0; i < s->page.count; i++)
        s->texts[i] = s->page.items[i].text;
    while (err == ISG_OK && at < s->page.count) {
        uint64_t before = state->position;
        size_t taken = 0;
        err = send_from(s, at, &taken, why);
        at += taken;
        if (err == ISG_OK && state->status[0] != '\0')
            err = follow(s, why);
        if (err != ISG_OK || state->status[0] != '\0')
            return err;
        if (state->position == before) /* the status got lost: once more, by the next run */
            return isg_fail(why, ISG_ENET, "the server forgot what it had accepted");
        state->more = at < s->page.count && is_time_up(s);
        if (state->more)
            return ISG_OK;
    }
    if (err == ISG_OK && s->page.end > state->position)
        state->position = s->page.end;
    return err;
}

static int walk(struct sending *s, struct isg_fail *why)
{
    struct state *state = s->run->state;
    do {
        struct outbox_range range = {.after = state->position, .limit = OUTBOX_PAGE};
        int err = outbox_read(&s->outbox, &range, s->arena, &s->bytes, &s->page, why);
        if (err != ISG_OK)
            return err;
        if (s->run->how->dry_run) {
            s->run->result->total += s->page.count;
            if (s->run->how->listing != NULL)
                outbox_list(&s->page, &s->listing, &s->listed);
            state->position = s->page.end;
        } else {
            err = send_page(s, why);
        }
        bool waits = !s->run->how->dry_run && state->status[0] != '\0';
        if (err != ISG_OK || waits || state->more)
            return err;
        state->more = s->page.more && is_time_up(s);
    } while (s->page.more && !state->more);
    return ISG_OK;
}

int peer_push(const struct peer_push *push, struct isg_fail *why)
{
    const struct outgoing_how *how = push->how;
    const struct outbox_target to = {push->def->name, push->def->member, push->def->url};
    struct sending *s = calloc(1, sizeof *s);
    if (s == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    s->run = push;
    s->arena = isg_arena_new(ARENA_MAX);
    isg_buf_init(&s->bytes, ISG_BUF_NO_MAX);
    if (how->listing != NULL) {
        isg_jsonw_init(&s->listing, how->listing);
        isg_jsonw_list(&s->listing);
    }
    int err = s->arena == NULL ? isg_fail(why, ISG_ENOMEM, "no memory")
                               : outbox_open(&s->outbox, push->parts, push->registry,
                                             push->collection, &to, why);
    if (err == ISG_OK)
        err = outbox_start(&s->outbox, push->state, why);
    push->state->more = false;
    if (err == ISG_OK && push->state->status[0] != '\0' && !how->dry_run)
        err = follow(s, why);
    if (err == ISG_OK && (push->state->status[0] == '\0' || how->dry_run))
        err = walk(s, why);
    if (how->listing != NULL)
        isg_jsonw_end(&s->listing);
    feed_taxii_push_close(&s->push);
    outbox_close(&s->outbox);
    isg_buf_done(&s->bytes);
    isg_arena_free(&s->arena);
    free(s);
    return err;
}
