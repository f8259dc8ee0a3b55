#include "gateway/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/log.h"
#include "gateway/store/info.h"
#include "gateway/store/inside.h"
#include "gateway/store/migrate.h"
#include "gateway/store/names.h"
#include "stix/base/jsonw.h"

enum { TIMEOUT_MS = 4000, CACHE_BYTES = 64 * 1024 * 1024 };

static int no_memory(struct isg_fail *why)
{
    return isg_fail(why, ISG_ENOMEM, "out of memory");
}

/* ---- journals ------------------------------------------------------------------------------- */

struct journal *store_journal_known(struct store *store, const char *collection)
{
    pthread_mutex_lock(&store->lock);
    size_t i = index_get(&store->journal_index, isg_str_of(collection));
    struct journal *journal = i == SIZE_MAX ? NULL : store->journals[i];
    pthread_mutex_unlock(&store->lock);
    return journal;
}

/* Lock held. */
static struct journal *add_journal(struct store *store, const char *collection)
{
    size_t n = store->journals_count;
    struct journal **journals = realloc(store->journals, (n + 1) * sizeof(struct journal *));
    if (journals == NULL)
        return NULL;
    store->journals = journals;
    struct journal *journal = journal_new(collection);
    if (journal == NULL)
        return NULL;
    if (index_add(&store->journal_index, isg_str_of(journal->collection), n) != ISG_OK) {
        journal_free(&journal);
        return NULL;
    }
    journals[n] = journal;
    store->journals_count = n + 1;
    return journal;
}

int store_journal(struct store *store, const char *collection, struct journal **out,
                  struct isg_fail *why)
{
    if (!names_collection_is_valid(collection))
        return isg_fail(why, ISG_EINVAL, "impossible collection id");
    pthread_mutex_lock(&store->lock);
    size_t i = index_get(&store->journal_index, isg_str_of(collection));
    struct journal *journal = i == SIZE_MAX ? add_journal(store, collection) : store->journals[i];
    pthread_mutex_unlock(&store->lock);
    if (journal == NULL)
        return no_memory(why);
    *out = journal;
    return ISG_OK;
}

/* ---- open and close ------------------------------------------------------------------------- */

static int copy_text(const char *text, char **out)
{
    if (text == NULL)
        return ISG_OK;
    *out = strdup(text);
    return *out == NULL ? ISG_ENOMEM : ISG_OK;
}

static struct store *new_store(const struct store_options *options)
{
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return NULL;
    pthread_mutex_init(&store->lock, NULL);
    pthread_mutex_init(&store->sequence_lock, NULL);
    index_init(&store->journal_index);
    cache_init(&store->cache, CACHE_BYTES);
    atomic_init(&store->closing, false);
    /* Of a private server there is one gateway at a time, by the instance's lock: what a killed
     * one held is the next one's at once. */
    if (options->url == NULL)
        (void)snprintf(store->token, sizeof store->token, "private");
    else
        isg_uuid_random(store->token);
    store->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_MS;
    store->batch_ms = options->batch_ms;
    store->second = options->second;
    store->replicas = options->replicas;
    if (copy_text(options->dir, &store->dir) != ISG_OK ||
        copy_text(options->password_file, &store->password_file) != ISG_OK)
        store_close(&store);
    return store;
}

/* Start the private server, or read the address of another. */
static int find_server(struct store *store, const struct store_options *options,
                       struct isg_fail *why)
{
    if (options->url != NULL)
        return address_read(options->url, options->accept_plain, &store->address, why);
    if (options->dir == NULL)
        return isg_fail(why, ISG_EIO, "no instance folder for the private Redis");
    int err = embedded_start(options->dir, options->second, &store->embedded, why);
    if (err != ISG_OK)
        return err;
    store->address.path = strdup(embedded_socket(store->embedded));
    store->address.text = strdup(embedded_socket(store->embedded));
    return store->address.path == NULL || store->address.text == NULL ? no_memory(why) : ISG_OK;
}

static int connect_server(struct store *store, struct isg_fail *why)
{
    /* what is left of the call's time is for settling what was in doubt */
    struct redis_options options = {
        .address = &store->address,
        .password_file = store->embedded == NULL ? store->password_file : NULL,
        .timeout_ms = store->timeout_ms - store->timeout_ms * 3 / 10,
    };
    store->redis = redis_new(&options);
    if (store->redis == NULL)
        return no_memory(why);
    return migrate(store->redis, why);
}

/* An external server may lose what it acknowledged: say so once, loudly. */
static void warn_unless_durable(struct store *store)
{
    struct isg_buf text;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    if (store_describe(store, &text, NULL) == ISG_OK && strstr(text.p, "\"durable\":false") != NULL)
        LOG(LOG_WARN, "store.not_durable", log_str("server", isg_buf_str(&text)));
    isg_buf_done(&text);
}

int store_open(const struct store_options *options, struct store **out, struct isg_fail *why)
{
    struct store *store = new_store(options);
    if (store == NULL)
        return no_memory(why);
    int err = find_server(store, options, why);
    if (err == ISG_OK)
        err = connect_server(store, why);
    if (err == ISG_OK)
        warn_unless_durable(store);
    if (err == ISG_OK)
        *out = store;
    else
        store_close(&store);
    return err;
}

/* Wait until nobody writes a collection and nobody waits to. */
static void wait_for_commits(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    size_t n = store->journals_count;
    pthread_mutex_unlock(&store->lock);
    for (size_t i = 0; i < n; i++) {
        struct journal *j = store->journals[i];
        pthread_mutex_lock(&j->lock);
        while (j->busy || j->first != NULL)
            pthread_cond_wait(&j->moved, &j->lock);
        pthread_mutex_unlock(&j->lock);
    }
}

void store_close(struct store **store)
{
    struct store *s = *store;
    if (s == NULL)
        return;
    atomic_store(&s->closing, true);
    wait_for_commits(s);
    redis_free(&s->redis);
    embedded_stop(&s->embedded);
    cache_done(&s->cache);
    for (size_t i = 0; i < s->journals_count; i++)
        journal_free(&s->journals[i]);
    free(s->journals);
    index_done(&s->journal_index);
    store_sequences_free(s);
    address_done(&s->address);
    free(s->password_file);
    free(s->dir);
    pthread_mutex_destroy(&s->sequence_lock);
    pthread_mutex_destroy(&s->lock);
    free(s);
    *store = NULL;
}

int store_ping(struct store *store, struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("SET"), names_alive(&key), ISG_STR("1"), ISG_STR("EX"), ISG_STR("60"));
    int err = redis_call(store->redis, REDIS_WRITE, &pipe, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 0), REDIS_TEXT, why);
    redis_pipe_done(&pipe);
    return err;
}

const char *store_breaker(struct store *store)
{
    return redis_breaker(store->redis);
}

/* ---- durability ----------------------------------------------------------------------------- */

int store_gives(const struct store *store, enum store_durability durability, struct isg_fail *why)
{
    if (durability == STORE_DISK && store->second)
        return isg_fail(why, ISG_EINVAL,
                        "disk needs a server that syncs before it answers: redis.durability");
    if (durability == STORE_REPLICA && store->replicas == 0)
        return isg_fail(why, ISG_EINVAL, "replica needs a server with replicas: redis.replicas");
    return ISG_OK;
}

int store_demand(struct store *store, const char *collection, enum store_durability durability,
                 struct isg_fail *why)
{
    struct journal *journal;
    int err = store_journal(store, collection, &journal, why);
    if (err == ISG_OK && store_gives(store, durability, why) != ISG_OK)
        err = ISG_ESTORE;
    if (err != ISG_OK)
        return err;
    atomic_store(&journal->replicas, durability == STORE_REPLICA ? store->replicas : 0);
    return ISG_OK;
}

/* ---- describe ------------------------------------------------------------------------------- */

/* The value of CONFIG GET; "" where the server does not tell (a managed one may refuse). */
static struct isg_str config_of(const struct redis_reply *reply)
{
    return redis_text(redis_at(reply, 1));
}

struct description {
    struct isg_str info;
    struct isg_str appendfsync;
    struct isg_str policy;
};

/* What Redis acknowledged is on its disk, now or within the second that was agreed to, and nothing
 * is thrown away for lack of memory. */
static bool is_durable(const struct store *store, const struct description *d)
{
    bool synced = isg_str_is(d->appendfsync, "always") ||
                  (store->second && isg_str_is(d->appendfsync, "everysec"));
    return isg_str_is(info_text(d->info, "aof_enabled"), "1") && synced &&
           isg_str_is(info_text(d->info, "role"), "master") &&
           !isg_str_is(info_text(d->info, "aof_last_write_status"), "err") &&
           (isg_str_is(d->policy, "noeviction") || info_number(d->info, "maxmemory") == 0);
}

static void write_description(const struct store *store, const struct description *d,
                              struct isg_buf *out)
{
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "kind", store->embedded != NULL ? "private" : "external");
    isg_jsonw_put(&w, "url", store->address.text);
    isg_jsonw_put_str(&w, "version", info_text(d->info, "redis_version"));
    isg_jsonw_put_str(&w, "role", info_text(d->info, "role"));
    isg_jsonw_put_bool(&w, "appendonly", isg_str_is(info_text(d->info, "aof_enabled"), "1"));
    isg_jsonw_put_str(&w, "appendfsync", d->appendfsync);
    isg_jsonw_put_str(&w, "aof_last_write_status", info_text(d->info, "aof_last_write_status"));
    isg_jsonw_put_str(&w, "maxmemory_policy", d->policy);
    isg_jsonw_put_int(&w, "maxmemory", info_number(d->info, "maxmemory"));
    isg_jsonw_put_int(&w, "used_memory", info_number(d->info, "used_memory"));
    isg_jsonw_put_int(&w, "clients", info_number(d->info, "connected_clients"));
    isg_jsonw_put_int(&w, "uptime_s", info_number(d->info, "uptime_in_seconds"));
    isg_jsonw_put_int(&w, "schema", STORE_SCHEMA);
    isg_jsonw_put_bool(&w, "durable", is_durable(store, d));
    isg_jsonw_end(&w);
}

int store_describe(struct store *store, struct isg_buf *out, struct isg_fail *why)
{
    struct redis_pipe pipe;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("INFO"));
    REDIS(&pipe, ISG_STR("CONFIG"), ISG_STR("GET"), ISG_STR("appendfsync"));
    REDIS(&pipe, ISG_STR("CONFIG"), ISG_STR("GET"), ISG_STR("maxmemory-policy"));
    int err = redis_call(store->redis, REDIS_READ, &pipe, why);
    if (err == ISG_OK)
        err = redis_expect(redis_nth(&pipe, 0), REDIS_TEXT, why);
    if (err == ISG_OK) {
        const struct description d = {redis_text(redis_nth(&pipe, 0)),
                                      config_of(redis_nth(&pipe, 1)),
                                      config_of(redis_nth(&pipe, 2))};
        write_description(store, &d, out);
        err = out->err == ISG_OK ? ISG_OK : isg_fail(why, out->err, "%s", isg_strerror(out->err));
    }
    redis_pipe_done(&pipe);
    return err;
}
