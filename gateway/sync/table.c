#include "gateway/sync/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/log.h"
#include "gateway/sync/feed_run.h"

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

struct entry *table_feed(const struct table *table, struct isg_str name)
{
    for (struct entry *entry = table->first; entry != NULL; entry = entry->next) {
        if (!entry->is_peer && !entry->gone && isg_str_is(name, entry->name))
            return entry;
    }
    return NULL;
}

/* FNV-1a of the name: the same jitter on every start. */
static uint64_t salt_of(const char *name)
{
    uint64_t h = 1469598103934665603U;
    for (; *name != '\0'; name++)
        h = (h ^ (unsigned char)*name) * 1099511628211U;
    return h;
}

int64_t entry_due(const struct entry *entry)
{
    const struct feed_schedule schedule = {.interval_s = entry->interval_s,
                                           .last_run_us = entry->state.last_run_us,
                                           .failures = entry->state.failures,
                                           .permanent = entry->state.permanent,
                                           .retry_after_s = entry->state.retry_after_s};
    int64_t due = feed_schedule_due(&schedule, entry->start_us, salt_of(entry->name));
    return due > entry->not_before_us ? due : entry->not_before_us;
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
static int add_feed(struct table *table, struct feed_def *take_def, struct store *store,
                    int64_t now_us, struct isg_fail *why)
{
    struct entry *entry = entry_new(take_def->name, now_us, why);
    if (entry == NULL) {
        feed_def_done(take_def);
        return ISG_ENOMEM;
    }
    entry->feed = *take_def;
    *take_def = (struct feed_def){.url = NULL};
    entry->interval_s = entry->feed.interval_s;
    feed_state_name(entry->name, entry->state_name);
    int err = state_load(store, entry->state_name, &entry->state, why);
    if (err == ISG_OK)
        append(table, entry);
    else
        entry_free(entry);
    return err;
}

static int add_peer(struct table *table, const struct config_peer *peer, struct store *store,
                    int64_t now_us, struct isg_fail *why)
{
    struct entry *entry = entry_new(peer->name, now_us, why);
    if (entry == NULL)
        return ISG_ENOMEM;
    entry->is_peer = true;
    entry->interval_s = peer->interval_s;
    entry->peer = (struct peer_def){.name = peer->name,
                                    .push = strcmp(peer->direction, "push") == 0,
                                    .url = peer->url,
                                    .from = peer->from,
                                    .collection = peer->collection,
                                    .user = peer->user,
                                    .password_file = peer->password_file,
                                    .ca = peer->ca,
                                    .allow_private = peer->allow_private};
    peer_state_name(&entry->peer, entry->state_name);
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
            err = add_feed(table, &def, store, now_us, why);
        else
            LOG(LOG_ERROR, "feed.refused", log_cstr("feed", config->feeds[i].name), log_why(&own));
    }
    for (unsigned i = 0; i < config->peers_count && err == ISG_OK; i++)
        err = add_peer(table, &config->peers[i], store, now_us, why);
    return err;
}

/* ---- the feeds of the store ----------------------------------------------------------------- */

struct load {
    struct table *table;
    struct store *store;
    int64_t now_us;
    struct isg_fail *why;
};

static int load_one(void *arg, struct isg_str name, struct isg_str json)
{
    struct load *load = arg;
    struct feed_def def;
    struct isg_fail own = {.code = ISG_OK};
    struct entry *entry = table_feed(load->table, name);
    if (feed_def_of_json(json, &def, &own) != ISG_OK) {
        LOG(LOG_ERROR, "feed.refused", log_str("feed", name), log_why(&own));
        return ISG_OK;
    }
    if (entry != NULL && (!entry->feed.stored || feed_def_same(&entry->feed, &def))) {
        entry->listed = true;
        feed_def_done(&def); /* the configuration's feed of a name goes before the store's */
        return ISG_OK;
    }
    if (entry != NULL)
        entry->gone = true; /* a run under way ends with the old definition */
    return add_feed(load->table, &def, load->store, load->now_us, load->why);
}

int table_load_store(struct table *table, struct store *store, int64_t now_us, struct isg_fail *why)
{
    struct load load = {table, store, now_us, why};
    struct entry *entry;
    for (entry = table->first; entry != NULL; entry = entry->next) {
        if (!entry->is_peer && entry->feed.stored)
            entry->listed = false; /* until the store names it again */
    }
    int err = store_doc_each(store, STORE_FEED, load_one, &load, why);
    for (entry = table->first; entry != NULL; entry = entry->next) {
        if (err == ISG_OK && !entry->is_peer && entry->feed.stored && !entry->listed)
            entry->gone = true;
    }
    table_sweep(table);
    return err;
}
