#include "gateway/sync/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/log.h"
#include "gateway/sync/feed_run.h"

enum { OUTGOING_BACKOFF_MAX_S = 300, POLL_MAX_S = 60, POLL_DOUBLINGS = 6 };

static void entry_free(struct entry *entry)
{
    feed_def_done(&entry->feed);
    free(entry);
}

void table_free(struct table *table)
{
    while (table->first != NULL) {
        struct entry *next = table->first->next;
        entry_free(table->first);
        table->first = next;
    }
}

void table_sweep(struct table *table)
{
    struct entry **at = &table->first;
    while (*at != NULL) {
        struct entry *entry = *at;
        if (entry->gone && !entry->running) {
            *at = entry->next;
            entry_free(entry);
        } else {
            at = &entry->next;
        }
    }
}

const char *entry_kind_name(enum entry_kind kind)
{
    static const char *const names[ENTRY_KINDS] = {
        [ENTRY_FEED] = "feed", [ENTRY_PEER] = "peer", [ENTRY_WEBHOOK] = "webhook"};
    return names[kind];
}

struct entry *table_find(const struct table *table, enum entry_kind kind, struct isg_str name)
{
    for (struct entry *entry = table->first; entry != NULL; entry = entry->next) {
        if (entry->kind == kind && !entry->gone && isg_str_is(name, entry->name))
            return entry;
    }
    return NULL;
}

/* FNV-1a of the name and the last run: many gateways that call their peer alike, and lost it in the
 * same moment, do not come back in the same moment. */
static uint64_t salt_of(const struct entry *entry)
{
    uint64_t h = 1469598103934665603U ^ (uint64_t)entry->state.last_run_us;
    for (const char *name = entry->name; *name != '\0'; name++)
        h = (h ^ (unsigned char)*name) * 1099511628211U;
    return h;
}

bool entry_is_outgoing(const struct entry *entry)
{
    return entry->kind == ENTRY_WEBHOOK || (entry->kind == ENTRY_PEER && entry->peer.push);
}

/* What is under way to a target goes on before the interval is over. */
static int64_t outgoing_due(const struct entry *entry)
{
    const struct state *state = &entry->state;
    int64_t wait_s = INT64_C(1) << (state->polls < POLL_DOUBLINGS ? state->polls : POLL_DOUBLINGS);
    if (state->status[0] == '\0')
        return state->last_run_us;
    return state->last_run_us + (wait_s < POLL_MAX_S ? wait_s : POLL_MAX_S) * 1000000;
}

bool entry_is_postponed(const struct entry *entry, int64_t us, int64_t now_us)
{
    return entry->not_before_us > us && !feed_schedule_is_ahead(entry->not_before_us, now_us);
}

int64_t entry_due(const struct entry *entry, int64_t now_us)
{
    const struct feed_schedule schedule = {
        .interval_s = entry->interval_s,
        .last_run_us = entry->state.last_run_us,
        .failures = entry->state.failures,
        .permanent = entry->state.permanent,
        .retry_after_s = entry->state.retry_after_s,
        .backoff_max_s = entry_is_outgoing(entry) ? OUTGOING_BACKOFF_MAX_S : 0};
    int64_t due = feed_schedule_due(&schedule, entry->start_us, now_us, salt_of(entry));
    bool known = !feed_schedule_is_ahead(entry->state.last_run_us, now_us);
    if (known && entry->state.failures == 0 &&
        (entry->state.more || entry->state.status[0] != '\0'))
        due = outgoing_due(entry);
    return entry_is_postponed(entry, due, now_us) ? entry->not_before_us : due;
}

/* Append, so that lists keep the order of the configuration. */
static void append(struct table *table, struct entry *entry)
{
    struct entry **at = &table->first;
    while (*at != NULL)
        at = &(*at)->next;
    *at = entry;
}

static struct entry *entry_new(const char *name, int64_t now_us, struct isg_fail *why)
{
    struct entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL) {
        (void)isg_fail(why, ISG_ENOMEM, "no memory");
        return NULL;
    }
    (void)snprintf(entry->name, sizeof entry->name, "%.64s", name);
    entry->start_us = now_us;
    entry->listed = true;
    return entry;
}

/* Put a feed into the table; def's texts move in. */
static int add_feed(struct table *table, struct feed_def *take_def, const struct state *state,
                    int64_t now_us, struct isg_fail *why)
{
    struct entry *entry = entry_new(take_def->name, now_us, why);
    if (entry == NULL)
        return ISG_ENOMEM;
    entry->feed = *take_def;
    *take_def = (struct feed_def){.url = NULL};
    entry->interval_s = entry->feed.interval_s;
    feed_state_name(entry->name, entry->state_name);
    entry->state = *state;
    append(table, entry);
    return ISG_OK;
}

static int load_feed_state(struct store *store, const char *name, struct state *out,
                           struct isg_fail *why)
{
    char state_name[STATE_NAME_MAX];
    feed_state_name(name, state_name);
    return state_load(store, state_name, out, why);
}

/* A feed of the configuration. */
static int load_feed(struct table *table, struct feed_def *take_def, struct store *store,
                     int64_t now_us, struct isg_fail *why)
{
    struct state state;
    int err = load_feed_state(store, take_def->name, &state, why);
    if (err == ISG_OK)
        err = add_feed(table, take_def, &state, now_us, why);
    feed_def_done(take_def);
    return err;
}

static int add_peer(struct table *table, const struct config_peer *peer, struct store *store,
                    int64_t now_us, struct isg_fail *why)
{
    struct entry *entry = entry_new(peer->name, now_us, why);
    if (entry == NULL)
        return ISG_ENOMEM;
    entry->kind = ENTRY_PEER;
    entry->interval_s = peer->interval_s;
    entry->peer = (struct peer_def){.name = peer->name,
                                    .push = strcmp(peer->direction, "push") == 0,
                                    .url = peer->url,
                                    .from = peer->from,
                                    .collection = peer->collection,
                                    .member = peer->member,
                                    .user = peer->user,
                                    .password_file = peer->password_file,
                                    .route = peer->route,
                                    .allow_private = peer->allow_private};
    peer_state_name(&entry->peer, entry->state_name);
    int err = state_load(store, entry->state_name, &entry->state, why);
    if (err == ISG_OK)
        append(table, entry);
    else
        entry_free(entry);
    return err;
}

static int add_webhook(struct table *table, const struct config_webhook *webhook,
                       struct store *store, int64_t now_us, struct isg_fail *why)
{
    struct entry *entry = entry_new(webhook->name, now_us, why);
    if (entry == NULL)
        return ISG_ENOMEM;
    entry->kind = ENTRY_WEBHOOK;
    entry->interval_s = webhook->interval_s;
    entry->webhook = webhook;
    webhook_state_name(webhook, entry->state_name);
    int err = state_load(store, entry->state_name, &entry->state, why);
    if (err == ISG_OK)
        append(table, entry);
    else
        entry_free(entry);
    return err;
}

int table_load_config(struct table *table, const struct config *config, struct store *store,
                      int64_t now_us, struct isg_fail *why)
{
    int err = ISG_OK;
    for (unsigned i = 0; i < config->feeds_count && err == ISG_OK; i++) {
        struct feed_def def;
        struct isg_fail own = {.code = ISG_OK};
        if (feed_def_of_config(&config->feeds[i], &def, &own) == ISG_OK)
            err = load_feed(table, &def, store, now_us, why);
        else
            LOG(LOG_ERROR, "feed.refused", log_cstr("feed", config->feeds[i].name), log_why(&own));
    }
    for (unsigned i = 0; i < config->peers_count && err == ISG_OK; i++)
        err = add_peer(table, &config->peers[i], store, now_us, why);
    for (unsigned i = 0; i < config->webhooks_count && err == ISG_OK; i++)
        err = add_webhook(table, &config->webhooks[i], store, now_us, why);
    return err;
}

/* ---- the feeds of the store ----------------------------------------------------------------- */

struct reading {
    struct store *store;
    struct stored_feed **end; /* where the next one is hung */
    struct isg_fail *why;
};

static int read_one(void *arg, struct isg_str name, struct isg_str json)
{
    struct reading *reading = arg;
    struct isg_fail own = {.code = ISG_OK};
    struct stored_feed *feed = calloc(1, sizeof *feed);
    if (feed == NULL)
        return isg_fail(reading->why, ISG_ENOMEM, "no memory");
    if (feed_def_of_json(json, &feed->def, &own) != ISG_OK) {
        LOG(LOG_ERROR, "feed.refused", log_str("feed", name), log_why(&own));
        free(feed);
        return ISG_OK;
    }
    *reading->end = feed;
    reading->end = &feed->next;
    return ISG_OK;
}

int stored_feeds_read(struct store *store, struct stored_feed **out, struct isg_fail *why)
{
    struct reading reading = {store, out, why};
    *out = NULL;
    int err = store_doc_each(store, STORE_FEED, read_one, &reading, why);
    for (struct stored_feed *feed = *out; err == ISG_OK && feed != NULL; feed = feed->next)
        err = load_feed_state(store, feed->def.name, &feed->state, why);
    return err;
}

void stored_feeds_free(struct stored_feed **list)
{
    while (*list != NULL) {
        struct stored_feed *feed = *list;
        *list = feed->next;
        feed_def_done(&feed->def);
        free(feed);
    }
}

static int bring_in_one(struct table *table, struct stored_feed *feed, int64_t now_us,
                        struct isg_fail *why)
{
    struct entry *entry = table_find(table, ENTRY_FEED, isg_str_of(feed->def.name));
    if (entry != NULL && (!entry->feed.stored || feed_def_same(&entry->feed, &feed->def))) {
        entry->listed = true; /* the configuration's feed of a name goes before the store's */
        return ISG_OK;
    }
    if (entry != NULL)
        entry->gone = true; /* a run under way ends with the old definition */
    return add_feed(table, &feed->def, &feed->state, now_us, why);
}

int table_bring_in(struct table *table, struct stored_feed *list, int64_t now_us,
                   struct isg_fail *why)
{
    struct entry *entry;
    int err = ISG_OK;
    for (entry = table->first; entry != NULL; entry = entry->next) {
        if (entry->kind == ENTRY_FEED && entry->feed.stored)
            entry->listed = false; /* until the store names it again */
    }
    for (struct stored_feed *feed = list; feed != NULL && err == ISG_OK; feed = feed->next)
        err = bring_in_one(table, feed, now_us, why);
    for (entry = table->first; entry != NULL; entry = entry->next) {
        if (err == ISG_OK && entry->kind == ENTRY_FEED && entry->feed.stored && !entry->listed)
            entry->gone = true;
    }
    table_sweep(table);
    return err;
}
