#include "gateway/sync/removals.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/share/policy.h"
#include "stix/base/arena.h"
#include "stix/base/digest.h"
#include "stix/base/jsonw.h"
#include "stix/json.h"

/* The shrink guard of digest 2.3: a share, and at least five; released by two more. */
enum { GUARD_MIN = 5, RELEASE_TIMES = 3, ARENA_MAX = 256 << 20, OBJECT_MAX = 64 << 20 };

/*
 * What the source lists: a part of an object, json is {"id","name","created","facet"}; or an
 * indicator, json is {"id"}.
 */
struct key {
    struct isg_str id;
    struct isg_str facet;
    struct isg_str json;
};

struct keys {
    struct isg_arena *arena;
    struct key *items;
    size_t count;
    size_t room;
};

static void key_write(const struct stix_json *object, struct isg_str facet, struct isg_buf *out)
{
    static const char *const members[] = {"id", "name", "created"};
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    for (size_t i = 0; i < (facet.n > 0 ? 3 : 1); i++)
        isg_jsonw_put_str(&w, members[i], stix_json_get_str(object, members[i]));
    if (facet.n > 0)
        isg_jsonw_put_str(&w, "facet", facet);
    isg_jsonw_end(&w);
}

static int keys_add(struct keys *keys, const struct stix_json *object, struct isg_str facet,
                    struct isg_fail *why)
{
    struct isg_buf json;
    if (keys->count == keys->room) {
        size_t room = keys->room == 0 ? 1024 : keys->room * 2;
        struct key *items = realloc(keys->items, room * sizeof *items);
        if (items == NULL)
            return isg_fail(why, ISG_ENOMEM, "no memory");
        keys->items = items;
        keys->room = room;
    }
    isg_buf_init(&json, 1 << 20);
    key_write(object, facet, &json);
    struct key *key = &keys->items[keys->count];
    const char *copy = isg_arena_copy(keys->arena, isg_buf_str(&json));
    const char *id = isg_arena_copy(keys->arena, stix_json_get_str(object, "id"));
    const char *name = facet.n > 0 ? isg_arena_copy(keys->arena, facet) : "";
    int err =
        json.err != ISG_OK || copy == NULL || id == NULL || name == NULL ? ISG_ENOMEM : ISG_OK;
    *key = (struct key){isg_str_of(id), isg_str_of(name), isg_str_of(copy)};
    keys->count++;
    isg_buf_done(&json);
    return err == ISG_OK ? ISG_OK : isg_fail(why, err, "no memory");
}

static int by_id(const void *a, const void *b)
{
    const struct key *x = a;
    const struct key *y = b;
    int order = isg_str_cmp(x->id, y->id);
    return order != 0 ? order : isg_str_cmp(x->facet, y->facet);
}

static void keys_sort(struct keys *keys)
{
    if (keys->count > 1)
        qsort(keys->items, keys->count, sizeof *keys->items, by_id);
}

static bool keys_has(const struct keys *keys, const struct key *key)
{
    return keys->count > 0 &&
           bsearch(key, keys->items, keys->count, sizeof *keys->items, by_id) != NULL;
}

/* What is being read from the spool, and whose keys. */
struct reading {
    struct keys *keys;
    bool delists;
};

static int from_spool(void *arg, struct isg_str object, const char *facet, struct isg_fail *why)
{
    const struct reading *reading = arg;
    struct stix_json *tree = NULL;
    if ((facet == NULL) != reading->delists)
        return ISG_OK;
    int err = stix_json_parse(object, NULL, &tree, why);
    if (err == ISG_OK &&
        (facet != NULL || isg_str_is(stix_json_get_str(tree, "type"), "indicator")))
        err = keys_add(reading->keys, tree, isg_str_of(facet), why);
    stix_json_free(&tree);
    return err;
}

static void document_name(const char *name, char out[STATE_NAME_MAX])
{
    (void)snprintf(out, STATE_NAME_MAX, "keys:%s", name);
}

/* The keys of the last run; none when there was none. */
static int from_store(const struct removals_of *of, struct keys *keys, struct isg_fail *why)
{
    char document[STATE_NAME_MAX];
    struct isg_buf text;
    struct stix_json *tree = NULL;
    static const struct stix_limits ours = {.members = SIZE_MAX}; /* as many as a feed has */
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    document_name(of->name, document);
    int err = store_doc_get(of->store, STORE_FEED_STATE, isg_str_of(document), &text, why);
    if (err == ISG_OK)
        err = stix_json_parse(isg_buf_str(&text), &ours, &tree, why);
    const struct stix_json *list = stix_json_get(tree, "keys");
    for (size_t i = 0; i < stix_json_size(list) && err == ISG_OK; i++) {
        const struct stix_json *item = stix_json_at(list, i);
        struct isg_str facet = stix_json_get_str(item, "facet");
        if ((facet.n == 0) == of->source->delists) /* else of a format the feed had before */
            err = keys_add(keys, item, facet, why);
    }
    stix_json_free(&tree);
    isg_buf_done(&text);
    return err == ISG_ENOENT ? ISG_OK : err;
}

static void digest_of(const struct keys *keys, char out[2 * ISG_SHA256_BYTES + 1])
{
    struct isg_sha256 hash;
    uint8_t digest[ISG_SHA256_BYTES];
    isg_sha256_init(&hash);
    for (size_t i = 0; i < keys->count; i++)
        isg_sha256_add(&hash, keys->items[i].id.p, keys->items[i].id.n);
    isg_sha256_end(&hash, digest);
    isg_hex_encode(digest, sizeof digest, out);
}

/* Whether the removals of this snapshot have to wait; state remembers what was seen. */
static bool held_back(const struct keys *now, size_t before, size_t missing,
                      const struct removals_of *of)
{
    char digest[2 * ISG_SHA256_BYTES + 1];
    struct state *state = of->state;
    bool suspect = missing >= GUARD_MIN && missing * 100 > before * of->percent && !of->accept;
    digest_of(now, digest);
    if (suspect) {
        state->held_times = strcmp(state->held, digest) == 0 ? state->held_times + 1 : 1;
        memcpy(state->held, digest, sizeof state->held);
    }
    if (suspect && state->held_times < RELEASE_TIMES)
        return true;
    state->held[0] = '\0';
    state->held_times = 0;
    return false;
}

static void write_keys(const struct keys *now, const struct keys *before, bool held,
                       struct isg_buf *out)
{
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    isg_jsonw_name(&w, "keys");
    isg_jsonw_list(&w);
    for (size_t i = 0; i < now->count; i++)
        isg_jsonw_raw(&w, now->items[i].json);
    for (size_t i = 0; held && i < before->count; i++) {
        if (!keys_has(now, &before->items[i]))
            isg_jsonw_raw(&w, before->items[i].json);
    }
    isg_jsonw_end(&w);
    isg_jsonw_end(&w);
}

static size_t count_missing(const struct keys *now, const struct keys *before)
{
    size_t missing = 0;
    for (size_t i = 0; i < before->count; i++)
        missing += !keys_has(now, &before->items[i]);
    return missing;
}

/* ---- withdrawing ---------------------------------------------------------------------------- */

/* The latest version of an object that a feed stored. ISG_ENOENT when there is none. */
static int latest_text(const struct removals_of *of, struct isg_str id, struct isg_buf *out,
                       struct isg_fail *why)
{
    struct store_event *events = NULL;
    const struct store_event *latest = NULL;
    size_t count = 0;
    size_t size = SIZE_MAX;
    int err = store_versions(of->store, of->collection->id, id, &events, &count, why);
    for (size_t i = 0; err == ISG_OK && i < count; i++) {
        struct policy_label label = policy_label_read(
            isg_str_of(store_label(of->store, of->collection->id, events[i].label)));
        if (events[i].versioned && isg_str_starts(label.source, ISG_STR(POLICY_FEED)) &&
            (latest == NULL || isg_time_cmp(events[i].version, latest->version) > 0))
            latest = &events[i];
    }
    if (latest != NULL)
        err = store_objects(of->store, of->collection->id, &latest, 1, out, &size, why);
    free(events);
    return err == ISG_OK && size == SIZE_MAX ? ISG_ENOENT : err;
}

static int withdraw_one(const struct removals_of *of, const struct key *key, struct isg_fail *why)
{
    struct isg_buf text;
    if (!of->source->delists)
        return of->source->withdraw(of->context, key->json, key->facet.p, why);
    isg_buf_init(&text, OBJECT_MAX);
    int err = latest_text(of, key->id, &text, why);
    if (err == ISG_OK)
        err = of->source->withdraw(of->context, isg_buf_str(&text), NULL, why);
    isg_buf_done(&text);
    return err == ISG_ENOENT ? ISG_OK : err; /* deleted meanwhile: nothing to end */
}

static void note_example(struct removals *out, const struct key *key)
{
    if (out->examples_count < REMOVALS_EXAMPLES && key->id.n < sizeof out->examples[0])
        (void)snprintf(out->examples[out->examples_count++], sizeof out->examples[0], "%.*s",
                       ISG_STR_ARG(key->id));
}

static int compare(const struct keys *now, const struct keys *before, const struct removals_of *of,
                   struct removals *out, struct isg_fail *why)
{
    int err = ISG_OK;
    out->missing = count_missing(now, before);
    out->held = held_back(now, before->count, out->missing, of);
    for (size_t i = 0; i < before->count && err == ISG_OK; i++) {
        if (keys_has(now, &before->items[i]))
            continue;
        note_example(out, &before->items[i]);
        if (!out->held)
            err = withdraw_one(of, &before->items[i], why);
    }
    write_keys(now, before, out->held, &out->keys);
    return err == ISG_OK ? out->keys.err : err;
}

int removals_apply(const struct removals_of *of, struct removals *out, struct isg_fail *why)
{
    struct isg_arena *arena = isg_arena_new(ARENA_MAX);
    struct keys now = {.arena = arena};
    struct keys before = {.arena = arena};
    struct reading reading = {&now, of->source->delists};
    isg_buf_init(&out->keys, ISG_BUF_NO_MAX);
    int err = arena == NULL ? isg_fail(why, ISG_ENOMEM, "no memory")
                            : spool_each(of->spool, from_spool, &reading, why);
    if (err == ISG_OK)
        err = from_store(of, &before, why);
    keys_sort(&now);
    keys_sort(&before);
    if (err == ISG_OK)
        err = compare(&now, &before, of, out, why);
    free(now.items);
    free(before.items);
    isg_arena_free(&arena);
    return err;
}

int removals_keep(struct store *store, const char *name, const struct removals *removals,
                  struct isg_fail *why)
{
    char document[STATE_NAME_MAX];
    if (removals->keys.len == 0)
        return ISG_OK;
    document_name(name, document);
    return store_doc_put(store, STORE_FEED_STATE, isg_str_of(document),
                         isg_buf_str(&removals->keys), why);
}

void removals_done(struct removals *removals)
{
    isg_buf_done(&removals->keys);
}
