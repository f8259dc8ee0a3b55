/*
 * Observations that were there before an indicator: told again by their own objects, as their source
 * told them when it brought them (feeds/sighted.h), and compared with what the run brought.
 */
#include <stdlib.h>
#include <string.h>

#include "feeds/map.h"
#include "gateway/ingest/sighting.h"
#include "gateway/ingest/sighting_private.h"
#include "stix/base/jsonw.h"

enum {
    READ_AT_ONCE = 64,
    TELL_MAX = 1 << 20,
    BLOCKS_MAX = 50 /* that are looked through: a large import does it for each of its pieces */
};

/* An observable that some observation refers to. */
struct thing {
    struct isg_str id; /* a view into an observation */
    bool found;
    struct store_event event; /* without its texts */
    struct stix_json *json;
};

struct review {
    struct ingest_run *run;
    struct isg_fail *why;
    char owner[STIX_ID_MAX + 1]; /* the identity whose observations they are */
    char space[ISG_UUID_TEXT];
    struct store_event *events; /* of observations, the last ones of the log; without texts */
    struct stix_json **observed;
    size_t count;
    struct thing *things; /* sorted, each once */
    size_t things_count;
    uint64_t first; /* block that is looked through */
};

static int no_memory(const struct review *r)
{
    return isg_fail(r->why, ISG_ENOMEM, "no memory for sightings");
}

/* ---- reading -------------------------------------------------------------------------------- */

/* What reading the bytes of an event takes; its texts go with the block. */
static struct store_event without_texts(const struct store_event *event)
{
    struct store_event copy = *event;
    copy.id = copy.version = (struct isg_str){NULL, 0};
    copy.newer = copy.older = NULL;
    copy.newer_count = copy.older_count = 0;
    return copy;
}

/* The trees of at most READ_AT_ONCE objects, NULL where one is gone. */
static int read_trees(const struct review *r, const struct store_event *const *events, size_t n,
                      struct stix_json ***out)
{
    size_t sizes[READ_AT_ONCE];
    struct isg_buf text;
    size_t at = 0;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    int err = store_objects(r->run->store, r->run->collection->id, events, n, &text, sizes, r->why);
    for (size_t i = 0; err == ISG_OK && i < n; i++) {
        if (sizes[i] == SIZE_MAX)
            continue;
        err = stix_json_parse((struct isg_str){text.p + at, sizes[i]}, NULL, out[i], r->why);
        at += sizes[i];
    }
    isg_buf_done(&text);
    return err;
}

/* Call each for every event of a block, the newest or the oldest first. */
typedef void review_event(struct review *r, const struct store_event *event);

static int each_of_block(struct review *r, uint64_t number, bool newest, review_event *each)
{
    struct store_block *block = NULL;
    int err = store_block_get(r->run->store, r->run->collection->id, number, &block, r->why);
    for (size_t i = 0; err == ISG_OK && i < block->count; i++)
        each(r, &block->events[newest ? block->count - 1 - i : i]);
    store_block_unref(&block);
    return err;
}

/* ---- the observations ----------------------------------------------------------------------- */

/*
 * The last version of an observation that a feed or an import of ours brought. One that is stricter
 * than AMBER is for its own readers: nothing that others see is made of it.
 */
static void take_observation(struct review *r, const struct store_event *event)
{
    if (r->count == NOTES_MAX || event->dead || !event->versioned || event->newer_count > 0 ||
        !isg_str_starts(event->id, ISG_STR("observed-data--")))
        return;
    const char *label = store_label(r->run->store, r->run->collection->id, event->label);
    struct policy_label read = policy_label_read(isg_str_of(label != NULL ? label : ""));
    if (isg_str_starts(read.source, ISG_STR(POLICY_FEED)) && read.tlp <= STIX_TLP_AMBER)
        r->events[r->count++] = without_texts(event);
}

static int read_some(struct review *r, size_t from, size_t n)
{
    const struct store_event *events[READ_AT_ONCE];
    struct stix_json **trees[READ_AT_ONCE];
    for (size_t i = 0; i < n; i++) {
        events[i] = &r->events[from + i];
        trees[i] = &r->observed[from + i];
    }
    return read_trees(r, events, n, trees);
}

/* Others may have brought observations of theirs by the same way. */
static void keep_ours(struct review *r)
{
    size_t ours = 0;
    for (size_t i = 0; i < r->count; i++) {
        struct stix_json *json = r->observed[i];
        r->observed[i] = NULL;
        if (isg_str_is(stix_json_get_str(json, "created_by_ref"), r->owner))
            r->observed[ours++] = json;
        else
            stix_json_free(&json);
    }
    r->count = ours;
}

static int read_observations(struct review *r, uint64_t blocks)
{
    int err = ISG_OK;
    r->events = calloc(NOTES_MAX, sizeof *r->events);
    r->observed = calloc(NOTES_MAX, sizeof(struct stix_json *));
    if (r->events == NULL || r->observed == NULL)
        return no_memory(r);
    for (uint64_t i = blocks; err == ISG_OK && i > r->first && r->count < NOTES_MAX; i--)
        err = each_of_block(r, i - 1, true, take_observation);
    for (size_t i = 0; err == ISG_OK && i < r->count; i += READ_AT_ONCE)
        err = read_some(r, i, r->count - i < READ_AT_ONCE ? r->count - i : READ_AT_ONCE);
    keep_ours(r);
    return err;
}

/* ---- what they refer to --------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
    return isg_str_cmp(((const struct thing *)a)->id, ((const struct thing *)b)->id);
}

static struct thing *find_thing(const struct review *r, struct isg_str id)
{
    const struct thing key = {.id = id};
    return bsearch(&key, r->things, r->things_count, sizeof key, by_id);
}

/* Of several forms of one observable the first counts. */
static void take_thing(struct review *r, const struct store_event *event)
{
    struct thing *thing = event->dead || event->versioned ? NULL : find_thing(r, event->id);
    if (thing == NULL || thing->found)
        return;
    thing->found = true;
    thing->event = without_texts(event);
}

static int list_things(struct review *r)
{
    size_t total = 0, n = 0;
    for (size_t i = 0; i < r->count; i++)
        total += stix_json_size(stix_json_get(r->observed[i], "object_refs"));
    r->things = calloc(total + 1, sizeof *r->things);
    if (r->things == NULL)
        return no_memory(r);
    for (size_t i = 0; i < r->count; i++) {
        const struct stix_json *refs = stix_json_get(r->observed[i], "object_refs");
        for (size_t j = 0; j < stix_json_size(refs); j++)
            r->things[n++].id = stix_json_str(stix_json_at(refs, j));
    }
    qsort(r->things, n, sizeof *r->things, by_id);
    for (size_t i = 0; i < n; i++)
        if (r->things_count == 0 || by_id(&r->things[r->things_count - 1], &r->things[i]) != 0)
            r->things[r->things_count++] = r->things[i];
    return ISG_OK;
}

/* An observable is stored once, maybe long before the observation. */
static int look_up(const struct review *r, struct thing *thing)
{
    struct store_event *events = NULL;
    size_t n = 0;
    int err = store_versions(r->run->store, r->run->collection->id, thing->id, &events, &n, r->why);
    thing->found = err == ISG_OK && n > 0;
    if (thing->found)
        thing->event = without_texts(&events[0]);
    free(events);
    return err == ISG_ENOENT ? ISG_OK : err;
}

static int find_things(struct review *r, uint64_t blocks)
{
    int err = list_things(r);
    for (uint64_t i = r->first; err == ISG_OK && i < blocks; i++)
        err = each_of_block(r, i, false, take_thing);
    for (size_t i = 0; err == ISG_OK && i < r->things_count; i++)
        if (!r->things[i].found)
            err = look_up(r, &r->things[i]);
    return err;
}

static int read_things(struct review *r, uint64_t blocks)
{
    const struct store_event *events[READ_AT_ONCE];
    struct stix_json **trees[READ_AT_ONCE];
    size_t n = 0;
    int err = find_things(r, blocks);
    for (size_t i = 0; err == ISG_OK && i < r->things_count; i++) {
        if (r->things[i].found) {
            events[n] = &r->things[i].event;
            trees[n++] = &r->things[i].json;
        }
        if (n == READ_AT_ONCE || (n > 0 && i + 1 == r->things_count)) {
            err = read_trees(r, events, n, trees);
            n = 0;
        }
    }
    return err;
}

/* ---- telling them again --------------------------------------------------------------------- */

static void put_hashes(const struct stix_json *file, struct sighted *out)
{
    const struct stix_json *hashes = stix_json_get(file, "hashes");
    out->md5 = stix_json_get_str(hashes, "MD5");
    out->sha1 = stix_json_get_str(hashes, "SHA-1");
    out->sha256 = stix_json_get_str(hashes, "SHA-256");
}

static void put_traffic(const struct stix_json *traffic, struct sighted *out)
{
    out->outbound = stix_json_has(traffic, "dst_ref");
    out->inbound = stix_json_has(traffic, "src_ref");
    (void)stix_json_int(stix_json_get(traffic, "dst_port"), &out->port);
}

static void put_thing(const struct stix_json *thing, struct sighted *out)
{
    struct isg_str type = stix_json_get_str(thing, "type");
    if (isg_str_is(type, "ipv4-addr") || isg_str_is(type, "ipv6-addr"))
        out->peer = stix_json_get_str(thing, "value");
    else if (isg_str_is(type, "domain-name"))
        out->domain = stix_json_get_str(thing, "value");
    else if (isg_str_is(type, "file"))
        put_hashes(thing, out);
    else if (isg_str_is(type, "network-traffic"))
        put_traffic(thing, out);
}

static int tell(const struct review *r, const struct stix_json *observed)
{
    struct isg_buf text;
    struct isg_jsonw w;
    struct sighted says = {.observed = stix_json_get_str(observed, "id"),
                           .where = isg_str_of(r->owner),
                           .space = isg_str_of(r->space),
                           .start = stix_json_get_str(observed, "created"),
                           .first = stix_json_get_str(observed, "first_observed"),
                           .last = stix_json_get_str(observed, "last_observed")};
    const struct stix_json *refs = stix_json_get(observed, "object_refs");
    (void)stix_json_int(stix_json_get(observed, "number_observed"), &says.number);
    for (size_t i = 0; i < stix_json_size(refs); i++) {
        const struct thing *thing = find_thing(r, stix_json_str(stix_json_at(refs, i)));
        if (thing != NULL)
            put_thing(thing->json, &says);
    }
    isg_buf_init(&text, TELL_MAX);
    isg_jsonw_init(&w, &text);
    sighted_put(&w, &says);
    int err = text.err == ISG_OK ? sighting_note(r->run, isg_buf_str(&text), r->why)
                                 : isg_fail(r->why, text.err, "no room for an observation");
    isg_buf_done(&text);
    /* one of another making, which cannot be told again, meets nothing */
    return err == ISG_ELIMIT || err == ISG_EINVAL ? ISG_OK : err;
}

/* ---- a review ------------------------------------------------------------------------------- */

static int name_owner(struct review *r)
{
    struct map map;
    struct feed_context context = {.owner = r->run->source.owner};
    feed_namespace(r->run->source.urn, context.space);
    map_init(&map, &context, r->why);
    if (map.err == ISG_OK)
        map_owner(&map);
    int err = map.err;
    memcpy(r->owner, map.owner, sizeof r->owner);
    memcpy(r->space, context.space, sizeof r->space);
    map_done(&map);
    return err;
}

static void review_done(struct review *r)
{
    for (size_t i = 0; r->observed != NULL && i < r->count; i++)
        stix_json_free(&r->observed[i]);
    for (size_t i = 0; i < r->things_count; i++)
        stix_json_free(&r->things[i].json);
    free(r->observed);
    free(r->events);
    free(r->things);
}

static int review(struct review *r)
{
    struct store_head head;
    int err = store_head(r->run->store, r->run->collection->id, 0, &head, r->why);
    if (err != ISG_OK)
        return err;
    uint64_t blocks = (head.position + STORE_BLOCK - 1) / STORE_BLOCK;
    r->first = blocks > BLOCKS_MAX ? blocks - BLOCKS_MAX : 0;
    err = name_owner(r);
    if (err == ISG_OK)
        err = read_observations(r, blocks);
    if (err == ISG_OK && r->count > 0)
        err = read_things(r, blocks);
    for (size_t i = 0; err == ISG_OK && i < r->count; i++)
        err = tell(r, r->observed[i]);
    return err == ISG_OK ? sightings_add(r->run, r->why) : err;
}

int sightings_review(struct ingest_run *run, struct isg_fail *why)
{
    struct review r = {.run = run, .why = why};
    if (run->dry_run || run->source.member != NULL || run->source.owner.n == 0 ||
        !run->new_indicators)
        return ISG_OK;
    run->reviewing = true;
    int err = review(&r);
    run->reviewing = false;
    review_done(&r);
    return err;
}
