/* Which indicators in store do observations meet? Their logs are read once for all that wait. */
#include <stdlib.h>
#include <string.h>

#include "gateway/ingest/sighting_private.h"
#include "gateway/share/document.h"
#include "gateway/share/indicator_value.h"
#include "stix/base/time.h"

enum { PATTERN_ARENA = 64 << 20, COLLECTION_ARENA = 4 << 20, READ_AT_ONCE = 64, WORDS = 5 };

/* A name, a hash or, as IOC_ANY, the id of an indicator, and who says it. */
struct word {
    enum ioc_kind kind;
    struct isg_str text;
    const struct note *note;
};

struct place {
    uint8_t address[16];
    const struct note *note;
};

struct search {
    const struct ingest_run *run;
    struct sightings *sightings;
    struct word *words; /* sorted */
    size_t words_count;
    struct place *places; /* sorted */
    size_t places_count;
    struct isg_arena *arena; /* of the indicator at hand */
    struct isg_fail *why;
    /* of the indicator at hand */
    struct isg_str id;
    const char *id_kept;
    enum stix_tlp level;
    int64_t from_us;
    int64_t until_us;
};

/* ---- the observations, sorted --------------------------------------------------------------- */

static int by_word(const void *a, const void *b)
{
    const struct word *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return isg_str_cmp(x->text, y->text);
}

static int by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return memcmp(x->address, y->address, sizeof x->address);
}

static void add_word(struct search *s, enum ioc_kind kind, struct isg_str text,
                     const struct note *note)
{
    if (text.n > 0)
        s->words[s->words_count++] = (struct word){kind, text, note};
}

static void add_note(struct search *s, const struct note *note)
{
    struct ioc ioc;
    add_word(s, IOC_ANY, note->says.named, note);
    add_word(s, IOC_DOMAIN, note->says.domain, note);
    add_word(s, IOC_MD5, note->says.md5, note);
    add_word(s, IOC_SHA1, note->says.sha1, note);
    add_word(s, IOC_SHA256, note->says.sha256, note);
    if (ioc_read(s->arena, note->says.peer, IOC_NETWORK, IOC_MACHINE, &ioc, NULL) != ISG_OK ||
        (ioc.kind != IOC_IPV4 && ioc.kind != IOC_IPV6))
        return;
    struct place *place = &s->places[s->places_count++];
    memcpy(place->address, ioc.first, sizeof place->address);
    place->note = note;
}

static int sort_notes(struct search *s)
{
    size_t n = s->sightings->notes_count;
    s->words = calloc(n * WORDS, sizeof *s->words);
    s->places = calloc(n, sizeof *s->places);
    if (s->words == NULL || s->places == NULL)
        return isg_fail(s->why, ISG_ENOMEM, "no memory for sightings");
    for (size_t i = 0; i < n; i++)
        add_note(s, &s->sightings->notes[i]);
    qsort(s->words, s->words_count, sizeof *s->words, by_word);
    qsort(s->places, s->places_count, sizeof *s->places, by_place);
    return ISG_OK;
}

/* The first element that is not less than key. */
static size_t lower_bound(const void *list, size_t n, size_t size, const void *key,
                          int (*order)(const void *, const void *))
{
    size_t low = 0;
    while (n > 0) {
        size_t half = n / 2;
        if (order((const char *)list + (low + half) * size, key) < 0) {
            low += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return low;
}

/* ---- one indicator -------------------------------------------------------------------------- */

static int add_hit(struct search *s, const struct note *note)
{
    struct sightings *sightings = s->sightings;
    if (sightings->hits == NULL)
        sightings->hits = calloc(HITS_MAX, sizeof *sightings->hits);
    if (s->id_kept == NULL)
        s->id_kept = isg_arena_copy(sightings->arena, s->id);
    if (sightings->hits == NULL || s->id_kept == NULL)
        return isg_fail(s->why, ISG_ENOMEM, "no memory for sightings");
    sightings->full = sightings->full || sightings->hits_count == HITS_MAX;
    if (!sightings->full)
        sightings->hits[sightings->hits_count++] = (struct hit){s->id_kept, s->level, note};
    return ISG_OK;
}

static bool is_in_force(const struct search *s, const struct note *note)
{
    return note->last_us >= s->from_us && note->first_us < s->until_us;
}

/* A rule that names its indicator was in force where it ran; a value is when the indicator says. */
static int meet_word(struct search *s, enum ioc_kind kind, struct isg_str text)
{
    const struct word key = {kind, text, NULL};
    int err = ISG_OK;
    for (size_t i = lower_bound(s->words, s->words_count, sizeof key, &key, by_word);
         err == ISG_OK && i < s->words_count && by_word(&s->words[i], &key) == 0; i++)
        if (kind == IOC_ANY || is_in_force(s, s->words[i].note))
            err = add_hit(s, s->words[i].note);
    return err;
}

/* A pattern on one end of a connection is met by connections in that direction. */
static bool fits_direction(const struct stix_pattern_arm *arm, const struct note *note)
{
    for (const struct stix_pattern_fact *f = arm->facts; f != NULL; f = f->next)
        if ((isg_str_is(f->path, "network-traffic:dst_ref.value") && !note->says.outbound) ||
            (isg_str_is(f->path, "network-traffic:src_ref.value") && !note->says.inbound))
            return false;
    return true;
}

static int meet_addresses(struct search *s, const struct stix_pattern_arm *arm,
                          const struct ioc *ioc)
{
    struct place first, last;
    int err = ISG_OK;
    memcpy(first.address, ioc->first, sizeof first.address);
    memcpy(last.address, ioc->last, sizeof last.address);
    for (size_t i = lower_bound(s->places, s->places_count, sizeof first, &first, by_place);
         err == ISG_OK && i < s->places_count && by_place(&s->places[i], &last) <= 0; i++) {
        const struct note *note = s->places[i].note;
        bool port = ioc->kind != IOC_IP_PORT || (int64_t)ioc->port == note->says.port;
        if (port && fits_direction(arm, note) && is_in_force(s, note))
            err = add_hit(s, note);
    }
    return err;
}

/* Of kinds that no observation has (URLs, mail) there is no word. */
static int meet_arm(struct search *s, const struct stix_pattern_arm *arm)
{
    struct ioc ioc = {.kind = IOC_ANY};
    if (indicator_value(s->arena, arm, &ioc) != EXPORT_KEPT)
        return ISG_OK;
    return ioc.has_range && ioc.kind != IOC_URL ? meet_addresses(s, arm, &ioc)
                                                : meet_word(s, ioc.kind, ioc.value);
}

static int meet_pattern(struct search *s, const struct stix_json *json)
{
    struct stix_pattern_arm *arms = NULL;
    if (!isg_str_is(stix_json_get_str(json, "pattern_type"), "stix"))
        return ISG_OK;
    /* One that cannot be read, or is too much for the arena, is met by nothing: anybody who may write
     * can have put it there, and it must not stop what others' sensors say. */
    if (stix_pattern_arms(stix_json_get_str(json, "pattern"), STIX_PATTERN_2_1, s->arena, &arms,
                          NULL) != ISG_OK)
        return ISG_OK;
    int err = ISG_OK;
    for (; arms != NULL && err == ISG_OK; arms = arms->next)
        err = meet_arm(s, arms);
    return err;
}

static int meet_indicator(struct search *s, struct isg_str text, enum stix_tlp level)
{
    struct stix_json *json = NULL;
    int err = stix_json_parse(text, NULL, &json, s->why);
    if (err != ISG_OK || stix_json_bool(stix_json_get(json, "revoked"))) {
        stix_json_free(&json);
        return err == ISG_ENOMEM ? err : ISG_OK;
    }
    isg_arena_reset(s->arena);
    s->id = stix_json_get_str(json, "id");
    s->id_kept = NULL;
    s->level = level;
    s->from_us = INT64_MIN;
    s->until_us = INT64_MAX;
    (void)isg_time_parse(stix_json_get_str(json, "valid_from"), &s->from_us);
    (void)isg_time_parse(stix_json_get_str(json, "valid_until"), &s->until_us);
    err = meet_word(s, IOC_ANY, s->id);
    if (err == ISG_OK)
        err = meet_pattern(s, json);
    stix_json_free(&json);
    return err;
}

/* ---- a collection --------------------------------------------------------------------------- */

/* Indicators of a block that are to be read. */
struct batch {
    const char *collection;
    const struct store_event *events[READ_AT_ONCE];
    enum stix_tlp levels[READ_AT_ONCE];
    size_t n;
};

static int read_batch(struct search *s, struct batch *batch)
{
    size_t sizes[READ_AT_ONCE];
    struct isg_buf text;
    size_t at = 0;
    if (batch->n == 0)
        return ISG_OK;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    int err = store_objects(s->run->store, batch->collection, batch->events, batch->n, &text, sizes,
                            s->why);
    for (size_t i = 0; err == ISG_OK && i < batch->n; i++) {
        if (sizes[i] == SIZE_MAX)
            continue; /* erased meanwhile */
        err = meet_indicator(s, (struct isg_str){text.p + at, sizes[i]}, batch->levels[i]);
        at += sizes[i];
    }
    isg_buf_done(&text);
    batch->n = 0;
    return err;
}

/* Whoever brings the observations may see what has this label. */
static bool is_visible(const struct search *s, const char *collection, uint32_t label,
                       enum stix_tlp *out_level)
{
    const struct member *member = s->run->source.member;
    const char *text = store_label(s->run->store, collection, label);
    struct policy_label read = policy_label_read(isg_str_of(text != NULL ? text : ""));
    *out_level = read.tlp;
    return member == NULL || isg_str_is(read.source, member->name) ||
           policy_decide(&read, member, 0) == POLICY_ALLOW;
}

/* The last version of an indicator, of those that are visible; what nobody can mark is left out. */
static bool is_wanted(const struct search *s, const char *collection,
                      const struct store_event *event, enum stix_tlp *out_level)
{
    enum stix_tlp other;
    if (event->dead || !event->versioned || !isg_str_starts(event->id, ISG_STR("indicator--")) ||
        !is_visible(s, collection, event->label, out_level) ||
        stix_tlp_marking_id(*out_level) == NULL)
        return false;
    for (size_t i = 0; i < event->newer_count; i++)
        if (is_visible(s, collection, event->newer[i], &other))
            return false;
    return true;
}

static int search_block(struct search *s, const char *collection, const struct store_block *block)
{
    struct batch batch = {.collection = collection, .n = 0};
    int err = ISG_OK;
    for (size_t i = 0; err == ISG_OK && i < block->count; i++) {
        const struct store_event *event = &block->events[i];
        if (s->run->reviewing && event->position <= s->run->since)
            continue;
        if (!is_wanted(s, collection, event, &batch.levels[batch.n]))
            continue;
        batch.events[batch.n++] = event;
        if (batch.n == READ_AT_ONCE)
            err = read_batch(s, &batch);
    }
    return err == ISG_OK ? read_batch(s, &batch) : err;
}

static int search_log(struct search *s, const char *collection)
{
    struct store_head head;
    uint64_t number = s->run->reviewing ? s->run->since / STORE_BLOCK : 0;
    int err = store_head(s->run->store, collection, 0, &head, s->why);
    for (; err == ISG_OK && number * STORE_BLOCK < head.position; number++) {
        struct store_block *block = NULL;
        err = store_block_get(s->run->store, collection, number, &block, s->why);
        if (err == ISG_OK)
            err = search_block(s, collection, block);
        store_block_unref(&block);
    }
    return err;
}

static int search_collection(void *arg, struct isg_str name, struct isg_str text)
{
    struct search *s = arg;
    const struct member *member = s->run->source.member;
    struct stix_json *json = NULL;
    struct collection collection = {.title = NULL};
    struct isg_arena *arena = isg_arena_new(COLLECTION_ARENA);
    int err = arena != NULL ? stix_json_parse(text, NULL, &json, s->why)
                            : isg_fail(s->why, ISG_ENOMEM, "no memory for a collection");
    (void)name;
    if (err == ISG_OK)
        err = collection_read(json, DOCUMENT_KEPT, arena, &collection, s->why);
    stix_json_free(&json);
    bool own = err == ISG_OK && strcmp(collection.id, s->run->collection->id) == 0;
    /* what a run brought is in its own collection alone */
    bool open = own || (err == ISG_OK && collection.read.all && !s->run->reviewing);
    if (open && (member == NULL || collection_can_read(&collection, member)))
        err = search_log(s, collection.id);
    isg_arena_free(&arena);
    return err;
}

int sightings_find(const struct ingest_run *run, struct sightings *sightings, struct isg_fail *why)
{
    struct search s = {
        .run = run, .sightings = sightings, .arena = isg_arena_new(PATTERN_ARENA), .why = why};
    int err = s.arena != NULL ? sort_notes(&s) : isg_fail(why, ISG_ENOMEM, "no memory");
    if (err == ISG_OK)
        err = store_doc_each(run->store, STORE_COLLECTION, search_collection, &s, why);
    free(s.words);
    free(s.places);
    isg_arena_free(&s.arena);
    return err;
}
