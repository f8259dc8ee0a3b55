/* What the administrator asks of feeds and peers: make, remove, run now, list. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "gateway/sync/sync_private.h"
#include "stix/base/time.h"

enum { HEAD_MS = 1000 }; /* a head confirmed so recently is good enough for a list */

/* A name that a feed may take: no member's (it would be the source of what the feed brings), and
 * not one of the configuration's. */
static int name_check(struct sync *sync, const struct feed_def *def, struct isg_fail *why)
{
    const struct registry *registry = directory_get(sync->parts.directory);
    const struct collection *collection = NULL;
    int err = registry_collection(registry, (struct isg_str){0}, isg_str_of(def->collection),
                                  &collection, why);
    if (err == ISG_OK && registry_member(registry, isg_str_of(def->name)) != NULL)
        err = isg_fail_at(why, ISG_ECONFLICT, "/name", NULL, "a member has this name");
    registry_unref(&registry);
    if (err != ISG_OK)
        return err;
    (void)pthread_mutex_lock(&sync->lock);
    const struct entry *entry = table_find(&sync->table, ENTRY_FEED, isg_str_of(def->name));
    if (table_find(&sync->table, ENTRY_PEER, isg_str_of(def->name)) != NULL)
        err = isg_fail_at(why, ISG_ECONFLICT, "/name", NULL, "a peer has this name");
    if (entry != NULL && !entry->feed.stored)
        err = isg_fail_at(why, ISG_ECONFLICT, "/name", NULL, "the configuration has this feed");
    (void)pthread_mutex_unlock(&sync->lock);
    return err;
}

int sync_feed_put(struct sync *sync, struct isg_str json, struct isg_buf *out, struct isg_fail *why)
{
    struct feed_def def;
    struct isg_jsonw w;
    struct isg_buf document;
    int err = feed_def_of_json(json, &def, why);
    if (err != ISG_OK)
        return err;
    isg_buf_init(&document, 65536);
    isg_jsonw_init(&w, &document);
    isg_jsonw_object(&w);
    feed_def_write(&def, &w);
    isg_jsonw_end(&w);
    err = name_check(sync, &def, why);
    if (err == ISG_OK)
        err = store_doc_put(sync->parts.store, STORE_FEED, isg_str_of(def.name),
                            isg_buf_str(&document), why);
    if (err == ISG_OK)
        err = sync_reload(sync, true, why);
    if (err == ISG_OK)
        isg_buf_put_str(out, isg_buf_str(&document));
    isg_buf_done(&document);
    feed_def_done(&def);
    return err;
}

int sync_feed_remove(struct sync *sync, struct isg_str name, struct isg_fail *why)
{
    static const char *const kept[] = {"feed:", "keys:", "files:"};
    struct isg_fail ignored;
    char document[STATE_NAME_MAX];
    (void)pthread_mutex_lock(&sync->lock);
    const struct entry *entry = table_find(&sync->table, ENTRY_FEED, name);
    bool fixed = entry != NULL && !entry->feed.stored;
    (void)pthread_mutex_unlock(&sync->lock);
    if (fixed)
        return isg_fail(why, ISG_ECONFLICT,
                        "the feed stands in the configuration: remove it there");
    int err = store_doc_remove(sync->parts.store, STORE_FEED, name, why);
    if (err == ISG_ENOENT)
        return isg_fail(why, err, "no such feed: %.*s", ISG_STR_ARG(name));
    if (err != ISG_OK)
        return err;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        (void)snprintf(document, sizeof document, "%s%.*s", kept[i], ISG_STR_ARG(name));
        (void)store_doc_remove(sync->parts.store, STORE_FEED_STATE, isg_str_of(document), &ignored);
    }
    return sync_reload(sync, true, why);
}

/* ---- runs by command ------------------------------------------------------------------------ */

enum { LISTING_MAX = 1 << 20, WAIT_S = 45, NAP_MS = 200 };

/* Until when a command waits for a run under way, or for the lease of a gateway that died. */
static struct timespec patience(void)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WAIT_S;
    return until;
}

/* There is no such entry: or one of the configuration that does not hold, and why. */
static int fail_missing(const struct sync *sync, enum entry_kind kind, struct isg_str name,
                        struct isg_fail *why)
{
    const struct config *config = sync->parts.config;
    for (unsigned i = 0; kind == ENTRY_FEED && i < config->feeds_count; i++) {
        struct feed_def def;
        struct isg_fail own = {.code = ISG_OK};
        if (!isg_str_is(name, config->feeds[i].name))
            continue;
        if (feed_def_of_config(&config->feeds[i], &def, &own) != ISG_OK)
            return isg_fail_at(why, ISG_EINVAL, own.path, own.rule, "%s", own.text);
        feed_def_done(&def);
    }
    return isg_fail(why, ISG_ENOENT, "no such %s: %.*s", entry_kind_name(kind), ISG_STR_ARG(name));
}

/* Mark an entry as running for a run by command, once its scheduled run is over. */
static int take_entry(struct sync *sync, enum entry_kind kind, struct isg_str name,
                      struct entry **out, struct isg_fail *why)
{
    const struct timespec until = patience();
    int err = ISG_OK;
    int waited = 0;
    (void)pthread_mutex_lock(&sync->lock);
    struct entry *entry = table_find(&sync->table, kind, name);
    while (entry != NULL && entry->running && !sync->stopping && waited == 0) {
        waited = pthread_cond_timedwait(&sync->moved, &sync->lock, &until);
        entry = table_find(&sync->table, kind, name);
    }
    if (entry == NULL)
        err = fail_missing(sync, kind, name, why);
    else if (sync->stopping)
        err = isg_fail(why, ISG_EBUSY, "the service is stopping");
    else if (entry->running)
        err = isg_fail(why, ISG_EBUSY, "the %s is running now", entry_kind_name(kind));
    if (err == ISG_OK && entry != NULL) {
        entry->running = true;
        sync->running++;
        *out = entry;
    }
    (void)pthread_mutex_unlock(&sync->lock);
    return err;
}

/* The lease, once a gateway that was killed holds it no longer. */
static int await_lease(struct sync *sync, struct entry *entry, struct isg_fail *why)
{
    const int64_t end_us = isg_time_mono_us() + (int64_t)WAIT_S * 1000000;
    for (;;) {
        bool held = false;
        int err = lease_take(&sync->leases, &entry->lease, entry->state_name, &held, why);
        if (err != ISG_OK || held)
            return err;
        if (isg_time_mono_us() > end_us || atomic_load(&sync->stop))
            return isg_fail(why, ISG_EBUSY, "another gateway runs the %s now",
                            entry_kind_name(entry->kind));
        struct timespec nap = {.tv_nsec = (long)NAP_MS * 1000000};
        (void)nanosleep(&nap, NULL);
    }
}

static void write_run(const struct entry *entry, const struct entry_how *how,
                      const union entry_result *result, struct isg_buf *out)
{
    const struct outgoing_how outgoing = {.dry_run = how->dry_run, .listing = how->listing};
    const struct feed_how feed = {.dry_run = how->dry_run, .examples = how->listing};
    switch (entry->kind) {
    case ENTRY_FEED: feed_result_write(entry->name, &feed, &result->feed, out); break;
    case ENTRY_PEER: peer_result_write(&entry->peer, &outgoing, &result->peer, out); break;
    case ENTRY_WEBHOOK:
        webhook_result_write(entry->webhook, &outgoing, &result->webhook, out);
        break;
    case ENTRY_KINDS: break;
    }
}

static int named_run(struct sync *sync, struct entry *entry, const struct entry_how *how,
                     struct isg_buf *out, struct isg_fail *why)
{
    struct isg_fail own = {.code = ISG_OK};
    union entry_result result = {.feed = {.documents = 0}};
    struct state state;
    bool ran = false;
    int err = await_lease(sync, entry, &own);
    if (err == ISG_OK) {
        ran = true;
        err = sync_entry_run(sync, entry, how, &result, &state, &own);
    }
    if (err == ISG_OK)
        write_run(entry, how, &result, out);
    else if (why != NULL)
        *why = own;
    sync_entry_ended(sync, entry, ran && !how->dry_run ? &state : NULL);
    return err;
}

int sync_run(struct sync *sync, const char *kind, struct isg_str name, const struct sync_how *how,
             struct isg_buf *out, struct isg_fail *why)
{
    struct entry *entry = NULL;
    struct isg_buf listing;
    enum entry_kind k = ENTRY_FEED;
    while (k < ENTRY_KINDS && strcmp(entry_kind_name(k), kind) != 0)
        k++;
    int err = k == ENTRY_KINDS ? isg_fail(why, ISG_ENOENT, "no such kind")
                               : take_entry(sync, k, name, &entry, why);
    if (err != ISG_OK || entry == NULL)
        return err;
    isg_buf_init(&listing, LISTING_MAX);
    const struct entry_how entry_how = {.dry_run = how->dry_run,
                                        .accept_shrink = how->accept_shrink,
                                        .listing = how->dry_run ? &listing : NULL};
    err = named_run(sync, entry, &entry_how, out, why);
    isg_buf_done(&listing);
    return err;
}

/* ---- lists ---------------------------------------------------------------------------------- */

/* Ask where the log of a collection stands, so that it is known while a list is written. */
static void refresh_head(struct sync *sync, const struct registry *registry, const char *name)
{
    struct store_head head;
    struct isg_fail ignored;
    const struct collection *collection = NULL;
    if (registry_collection(registry, (struct isg_str){0}, isg_str_of(name), &collection,
                            &ignored) == ISG_OK)
        (void)store_head(sync->parts.store, collection->id, HEAD_MS, &head, &ignored);
}

/* Of all that is sent out: the configuration says what, so no lock is needed. */
static void refresh_heads(struct sync *sync)
{
    const struct config *config = sync->parts.config;
    const struct registry *registry = directory_get(sync->parts.directory);
    for (unsigned i = 0; i < config->peers_count; i++) {
        if (strcmp(config->peers[i].direction, "push") == 0)
            refresh_head(sync, registry, config->peers[i].from);
    }
    for (unsigned i = 0; i < config->webhooks_count; i++)
        refresh_head(sync, registry, config->webhooks[i].collection);
    registry_unref(&registry);
}

/* Positions of the log that the target's cursor has not passed: at most so many objects wait. */
static void write_backlog(struct sync *sync, const char *collection_name, const struct state *state,
                          struct isg_jsonw *w)
{
    struct store_head head;
    struct isg_fail ignored;
    const struct collection *collection = NULL;
    const struct registry *registry = directory_get(sync->parts.directory);
    int err = registry_collection(registry, (struct isg_str){0}, isg_str_of(collection_name),
                                  &collection, &ignored);
    bool known =
        err == ISG_OK && store_head_now(sync->parts.store, collection->id, UINT_MAX, &head);
    registry_unref(&registry);
    if (!known)
        return;
    isg_jsonw_put_int(w, "backlog", (int64_t)state_backlog(state, &head));
}

static void write_outgoing(struct sync *sync, const char *collection, const struct state *state,
                           struct isg_jsonw *w)
{
    write_backlog(sync, collection, state, w);
    isg_jsonw_put_bool(w, "pending", state->status[0] != '\0' || state->sending != 0);
    isg_jsonw_put_int(w, "sent", (int64_t)state->sent);
    isg_jsonw_put_int(w, "sent_refused", (int64_t)state->sent_refused);
    isg_jsonw_put(w, "last_refusal", state->last_refusal[0] != '\0' ? state->last_refusal : NULL);
}

static void write_peer(struct sync *sync, const struct entry *entry, struct isg_jsonw *w)
{
    const struct peer_def *peer = &entry->peer;
    isg_jsonw_put(w, "name", entry->name);
    isg_jsonw_put(w, "url", peer->url);
    isg_jsonw_put(w, "direction", peer->push ? "push" : "pull");
    isg_jsonw_put(w, "from", peer->from);
    isg_jsonw_put(w, "collection", peer->collection);
    isg_jsonw_put(w, "member", peer->member);
    isg_jsonw_put_int(w, "interval", entry->interval_s);
    if (peer->push)
        write_outgoing(sync, peer->from, &entry->state, w);
    else if (entry->state.refused > 0)
        isg_jsonw_put(w, "last_refusal", entry->state.last_refusal);
}

static void write_webhook(struct sync *sync, const struct entry *entry, struct isg_jsonw *w)
{
    const struct config_webhook *webhook = entry->webhook;
    isg_jsonw_put(w, "name", entry->name);
    isg_jsonw_put(w, "url", webhook->url);
    isg_jsonw_put(w, "collection", webhook->collection);
    isg_jsonw_put(w, "member", webhook->member);
    isg_jsonw_put(w, "content", webhook->content);
    isg_jsonw_put_int(w, "interval", entry->interval_s);
    write_outgoing(sync, webhook->collection, &entry->state, w);
}

static void write_entry(struct sync *sync, const struct entry *entry, struct isg_jsonw *w)
{
    char due[ISG_TIME_TEXT];
    isg_jsonw_object(w);
    switch (entry->kind) {
    case ENTRY_FEED: feed_def_write(&entry->feed, w); break;
    case ENTRY_PEER: write_peer(sync, entry, w); break;
    case ENTRY_WEBHOOK: write_webhook(sync, entry, w); break;
    case ENTRY_KINDS: break;
    }
    bool stored = entry->kind == ENTRY_FEED && entry->feed.stored;
    isg_jsonw_put(w, "origin", stored ? "command" : "configuration");
    isg_jsonw_put_bool(w, "running", entry->running);
    if (entry->running && entry->kind == ENTRY_FEED) {
        isg_jsonw_name(w, "progress");
        feed_progress_write(&entry->progress, w);
    }
    state_write(&entry->state, w);
    isg_time_format(entry_due(entry, isg_time_now_us()), 3, due);
    isg_jsonw_put(w, "next_run", due);
    isg_jsonw_end(w);
}

/* Feeds of the configuration that do not hold, so that they are missed. */
static void write_refused(const struct config *config, struct isg_jsonw *w)
{
    for (unsigned i = 0; i < config->feeds_count; i++) {
        struct feed_def def;
        struct isg_fail why = {.code = ISG_OK};
        char text[STATE_ERROR_MAX];
        if (feed_def_of_config(&config->feeds[i], &def, &why) == ISG_OK) {
            feed_def_done(&def);
            continue;
        }
        state_error_text(&why, text);
        isg_jsonw_object(w);
        isg_jsonw_put(w, "name", config->feeds[i].name);
        isg_jsonw_put(w, "origin", "configuration");
        isg_jsonw_put_bool(w, "running", false);
        isg_jsonw_put(w, "state", "refused");
        isg_jsonw_put(w, "last_error", text);
        isg_jsonw_end(w);
    }
}

/* The n-th entry, while the lock is held; NULL behind the last. */
static struct entry *entry_at(struct sync *sync, size_t n)
{
    struct entry *entry = sync->table.first;
    for (; n > 0 && entry != NULL; n--)
        entry = entry->next;
    return entry;
}

/* Take over a state that is newer than what is known of it here; a run under way knows more. */
static void take_state(struct sync *sync, const char *name, const struct state *state)
{
    for (struct entry *entry = sync->table.first; entry != NULL; entry = entry->next) {
        if (strcmp(entry->state_name, name) == 0 && !entry->running &&
            state->last_run_us > entry->state.last_run_us)
            entry->state = *state;
    }
}

/* What other gateways did since this one looked. The store is asked without the lock. */
static void refresh_states(struct sync *sync)
{
    char name[STATE_NAME_MAX];
    struct state state;
    struct isg_fail ignored;
    for (size_t i = 0;; i++) {
        (void)pthread_mutex_lock(&sync->lock);
        const struct entry *entry = entry_at(sync, i);
        if (entry != NULL)
            memcpy(name, entry->state_name, sizeof name);
        (void)pthread_mutex_unlock(&sync->lock);
        if (entry == NULL || state_load(sync->parts.store, name, &state, &ignored) != ISG_OK)
            return;
        (void)pthread_mutex_lock(&sync->lock);
        take_state(sync, name, &state);
        (void)pthread_mutex_unlock(&sync->lock);
    }
}

int sync_feeds_write(struct sync *sync, struct isg_buf *out, struct isg_fail *why)
{
    static const char *const lists[ENTRY_KINDS] = {
        [ENTRY_FEED] = "feeds", [ENTRY_PEER] = "peers", [ENTRY_WEBHOOK] = "webhooks"};
    struct isg_jsonw w;
    refresh_states(sync);
    refresh_heads(sync);
    isg_jsonw_init(&w, out);
    (void)pthread_mutex_lock(&sync->lock);
    isg_jsonw_object(&w);
    for (size_t kind = 0; kind < ENTRY_KINDS; kind++) {
        isg_jsonw_name(&w, lists[kind]);
        isg_jsonw_list(&w);
        for (const struct entry *entry = sync->table.first; entry != NULL; entry = entry->next) {
            if (!entry->gone && entry->kind == (enum entry_kind)kind)
                write_entry(sync, entry, &w);
        }
        if (kind == ENTRY_FEED)
            write_refused(sync->parts.config, &w);
        isg_jsonw_end(&w);
    }
    isg_jsonw_end(&w);
    (void)pthread_mutex_unlock(&sync->lock);
    return out->err == ISG_OK ? ISG_OK : isg_fail(why, out->err, "the list is too large");
}
