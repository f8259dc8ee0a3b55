/*
 * Random logs against a naive model: every view, filter, version choice, cursor and page size must
 * give what a plain walk over a list of events gives.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/share/policy.h"
#include "stix/base/time.h"
#include "tests/integration/ingest/fixture.h"
#include "tests/support/tap.h"

enum { EVENTS_MAX = 4000, IDS = 14, VERSIONS = 6 };

struct model_event {
    unsigned id;
    unsigned version;
    bool observable;
    unsigned form; /* content, beside what the other members say */
    enum stix_tlp tlp;
    const char *source;
    int64_t date_us;
    bool dead;
};

static struct fixture f;
static struct model_event events[EVENTS_MAX];
static size_t events_count;
static uint32_t state = 1;

static unsigned pick(unsigned n)
{
    state = state * 1664525U + 1013904223U;
    return (state >> 8) % n;
}

static const char *const pushers[] = {"alice", "bob", "mia"};
static const char *const readers[] = {"alice", "bob", "mia", "stan", "pat", "rita", NULL};
static const char *const levels[] = {"clear", "green", "amber", "red"};

/* ---- the model ------------------------------------------------------------------------------ */

static bool model_sees(const struct model_event *e, const char *reader)
{
    struct policy_label label = {.tlp = e->tlp, .source = isg_str_of(e->source)};
    const struct member *member = fixture_member(&f, reader);
    return !e->dead && (member == NULL || policy_decide(&label, member, 0) == POLICY_ALLOW);
}

/* Is a a later version than b, or an earlier form of the same one? */
static bool outranks(size_t a, size_t b, bool later)
{
    if (events[a].version != events[b].version)
        return later ? events[a].version > events[b].version
                     : events[a].version < events[b].version;
    return a < b;
}

static bool model_is_end(size_t i, const char *reader, bool later)
{
    for (size_t j = 0; j < events_count; j++) {
        if (j != i && events[j].observable == events[i].observable &&
            events[j].id == events[i].id && model_sees(&events[j], reader) && outranks(j, i, later))
            return false;
    }
    return true;
}

/* Is the very form of i there before it already, for this reader? */
static bool model_is_again(size_t i, const char *reader)
{
    const struct model_event *e = &events[i];
    for (size_t j = 0; j < i; j++) {
        const struct model_event *o = &events[j];
        if (o->observable == e->observable && o->id == e->id && o->version == e->version &&
            o->form == e->form && o->tlp == e->tlp && model_sees(o, reader))
            return true;
    }
    return false;
}

struct ask {
    const char *reader;
    unsigned want;
    int id;      /* -1: any */
    int id2;     /* another, or -1 */
    int type;    /* -1 any, 0 identity, 1 ipv4-addr */
    int version; /* listed version, with VIEW_LISTED */
    int64_t added_after_us;
    uint64_t after;
    size_t limit;
};

static bool model_matches(size_t i, const struct ask *ask)
{
    const struct model_event *e = &events[i];
    if (!model_sees(e, ask->reader) || i + 1 <= ask->after || e->date_us <= ask->added_after_us)
        return false;
    bool by_id = (int)e->id == ask->id || (int)e->id == ask->id2;
    if ((ask->id >= 0 && (!by_id || e->observable)) ||
        (ask->type >= 0 && e->observable != (ask->type == 1)))
        return false;
    if (model_is_again(i, ask->reader))
        return false;
    if ((ask->want & VIEW_ALL) != 0)
        return true;
    return ((ask->want & VIEW_LAST) != 0 && model_is_end(i, ask->reader, true)) ||
           ((ask->want & VIEW_FIRST) != 0 && model_is_end(i, ask->reader, false)) ||
           ((ask->want & VIEW_LISTED) != 0 && !e->observable && (int)e->version == ask->version);
}

/* ---- the log -------------------------------------------------------------------------------- */

static void push(void)
{
    const char *member = pushers[pick(3)];
    const char *level = levels[pick(4)];
    struct model_event e = {.id = pick(IDS), .observable = pick(4) == 0, .source = member};
    e.form = pick(3);
    char *extra = isg_arena_printf(f.arena, ",\"labels\":[\"l%u\"]", e.form);
    char *object;
    if (e.observable) {
        e.form = pick(2);
        object = fixture_ipv4(&f, e.id, level, e.form == 0 ? ",\"defanged\":true" : "");
    } else {
        e.version = 1 + pick(VERSIONS);
        object = fixture_identity(&f, e.id, e.version, level, extra);
    }
    e.tlp = stix_tlp_of_name(isg_str_of(level));
    if (fixture_push(&f, "main", member, object) == INGEST_ADDED && events_count < EVENTS_MAX)
        events[events_count++] = e;
}

static bool staff_sees(void *arg, struct isg_str label)
{
    (void)arg;
    (void)label;
    return true;
}

static bool source_sees(void *arg, struct isg_str label)
{
    return isg_str_is(policy_label_read(label).source, arg);
}

static void erase(void)
{
    char source[8];
    unsigned id = pick(IDS), version = pick(2) == 0 ? 0 : 1 + pick(VERSIONS);
    bool staff = pick(2) == 0;
    (void)snprintf(source, sizeof source, "%s", pushers[pick(3)]);
    struct isg_str text = isg_str_of(version == 0 ? "" : fixture_version(&f, version));
    struct isg_fail why;
    int err = store_delete(f.store, fixture_collection(&f, "main")->id,
                           isg_str_of(fixture_id(&f, "identity", id)), text,
                           &(struct store_eyes){staff ? staff_sees : source_sees, source}, &why);
    size_t gone = 0;
    for (size_t i = 0; i < events_count; i++) {
        struct model_event *e = &events[i];
        if (e->dead || e->observable || e->id != id || (version != 0 && e->version != version) ||
            (!staff && strcmp(e->source, source) != 0))
            continue;
        e->dead = true;
        gone++;
    }
    if ((err == ISG_OK) != (gone > 0))
        ok(false, "delete %u@%u: %d, %zu in the model", id, version, err, gone);
}

/* The dates are the store's: take them over, and look at their order (T-063). */
static void learn_dates(void)
{
    struct isg_fail why;
    const char *collection = fixture_collection(&f, "main")->id;
    int64_t before = 0;
    for (size_t i = 0; i < events_count; i++) {
        struct store_block *block = NULL;
        if (store_block_get(f.store, collection, i / STORE_BLOCK, &block, &why) != ISG_OK) {
            ok(false, "block: %s", why.text);
            return;
        }
        events[i].date_us = block->events[i % STORE_BLOCK].date_added_us;
        if (events[i].date_us <= before)
            ok(false, "date of %zu does not rise", i + 1);
        before = events[i].date_us;
        store_block_unref(&block);
    }
}

/* ---- comparing ------------------------------------------------------------------------------ */

static void query_of(const struct ask *ask, struct view_query *query, struct isg_str ids[2],
                     struct isg_str *type, struct isg_str *version)
{
    static const struct isg_str types[] = {{"identity", 8}, {"ipv4-addr", 9}};
    *query = (struct view_query){.after = ask->after,
                                 .added_after_us = ask->added_after_us,
                                 .limit = ask->limit,
                                 .want = ask->want};
    if (ask->id >= 0) {
        ids[0] = isg_str_of(fixture_id(&f, "identity", (unsigned)ask->id));
        ids[1] =
            isg_str_of(fixture_id(&f, "identity", (unsigned)(ask->id2 >= 0 ? ask->id2 : ask->id)));
        query->ids = ids;
        query->ids_count = 2;
    }
    if (ask->type >= 0) {
        *type = types[ask->type];
        query->types = type;
        query->types_count = 1;
    }
    if ((ask->want & VIEW_LISTED) != 0) {
        /* the same instant with other digits (T-053, S-008) */
        char *text = fixture_version(&f, (unsigned)ask->version);
        text[strlen(text) - 1] = '\0';
        *version = isg_str_of(isg_arena_printf(f.arena, "%s000Z", text));
        query->versions = version;
        query->versions_count = 1;
    }
}

static size_t from_memory; /* pages that needed nothing from the store */

/* One page and, by `more`, all that follow; false and a note where the model says otherwise. */
static bool compare(const struct ask *ask, bool may_wait)
{
    const struct collection *collection = fixture_collection(&f, "main");
    struct view_query query;
    struct isg_str ids[2], type, version;
    struct isg_fail why;
    size_t at = 0;
    query_of(ask, &query, ids, &type, &version);
    for (int pages = 0; pages < 10000; pages++) {
        struct view_page page;
        const struct view *view =
            view_of(f.store, collection, fixture_member(&f, ask->reader), f.arena);
        int err = view_select(f.store, collection, view, &query, may_wait, f.arena, &page, &why);
        if (err == ISG_EBUSY && !may_wait)
            return true;
        if (err != ISG_OK || page.count > ask->limit)
            return false;
        from_memory += may_wait ? 0 : 1;
        for (size_t i = 0; i < page.count; i++) {
            while (at < events_count && !model_matches(at, ask))
                at++;
            if (at >= events_count || page.events[i].position != at + 1) {
                printf("# position %llu, not %zu%s\n", (unsigned long long)page.events[i].position,
                       at + 1, may_wait ? "" : " (from memory)");
                return false;
            }
            at++;
        }
        while (at < events_count && !model_matches(at, ask))
            at++;
        if (page.more != (at < events_count)) /* T-039, T-041 */
            return false;
        if (!page.more)
            return page.reached_head;
        query.after = page.last;
    }
    return false;
}

static void random_ask(struct ask *ask)
{
    static const unsigned wants[] = {0,
                                     VIEW_LAST,
                                     VIEW_FIRST,
                                     VIEW_ALL,
                                     VIEW_LISTED,
                                     VIEW_FIRST | VIEW_LAST,
                                     VIEW_LAST | VIEW_LISTED,
                                     VIEW_FIRST | VIEW_LISTED};
    *ask = (struct ask){.reader = readers[pick(7)], .want = wants[pick(8)], .id2 = -1, .type = -1};
    ask->id = pick(3) == 0 ? (int)pick(IDS + 1) : -1;
    if (ask->id >= 0 && pick(2) == 0)
        ask->id2 = (int)pick(IDS);
    if (pick(3) == 0)
        ask->type = (int)pick(2);
    ask->version = 1 + (int)pick(VERSIONS + 1);
    ask->added_after_us = INT64_MIN;
    if (pick(3) == 0 && events_count > 0)
        ask->added_after_us = events[pick((unsigned)events_count)].date_us - (int64_t)pick(2);
    ask->after = pick(3) == 0 ? pick((unsigned)events_count + 2) : 0;
    ask->limit = 1 + pick(pick(2) == 0 ? 4 : 200);
}

static void compare_all(const char *when)
{
    size_t wrong = 0;
    learn_dates();
    for (int i = 0; i < 600; i++) {
        struct ask ask;
        random_ask(&ask);
        struct ask model = ask;
        model.want = ask.want == 0 ? VIEW_LAST : ask.want;
        bool right = compare(&model, true) && compare(&model, false);
        if (right)
            continue;
        wrong++;
        printf("# %s want %u id %d,%d type %d version %d added %lld after %llu limit %zu\n",
               ask.reader == NULL ? "-" : ask.reader, ask.want, ask.id, ask.id2, ask.type,
               ask.version, (long long)ask.added_after_us, (unsigned long long)ask.after,
               ask.limit);
    }
    is_int((long long)wrong, 0, "600 questions %s (%zu events)", when, events_count);
}

static void check_empty(void)
{
    const struct collection *collection = fixture_collection(&f, "main");
    struct view_query query = {.added_after_us = 5, .limit = 10};
    struct view_page page;
    struct isg_fail why;
    const struct view *view = view_of(f.store, collection, NULL, f.arena);
    is_int(view_select(f.store, collection, view, &query, true, f.arena, &page, &why), ISG_OK,
           "an empty log");
    ok(page.count == 0 && !page.more && page.reached_head, "has an empty page");
}

static void check_keys(void)
{
    const struct collection *collection = fixture_collection(&f, "main");
    const struct view *alice = view_of(f.store, collection, fixture_member(&f, "alice"), f.arena);
    const struct view *bob = view_of(f.store, collection, fixture_member(&f, "bob"), f.arena);
    const struct view *stan = view_of(f.store, collection, fixture_member(&f, "stan"), f.arena);
    const struct view *all = view_of(f.store, collection, NULL, f.arena);
    ok(alice->key != bob->key, "who has a red object of his own has a view of his own");
    ok(stan->key == all->key, "equal sets are one view");
    ok(!view_sees(stan, stan->labels), "a label younger than the view is not seen");
    struct view_query query = {.added_after_us = INT64_MIN, .limit = 10, .no_21 = true};
    struct view_page page;
    is_int(view_select(f.store, collection, all, &query, true, f.arena, &page, NULL), ISG_OK,
           "another spec version");
    ok(page.count == 0 && !page.more, "matches nothing (T-050)");
}

/*
 * Another gateway has just stored a newer version, and this one's head is a second old: until it is
 * asked again the version before is the last one, not none.
 */
static void check_behind(void)
{
    char url[128];
    struct store *other = NULL;
    struct view_page page;
    struct isg_fail why = {0};
    struct isg_str id = isg_str_of(fixture_id(&f, "identity", 7000));
    struct view_query query = {
        .added_after_us = INT64_MIN, .limit = 10, .ids = &id, .ids_count = 1, .want = VIEW_LAST};
    const struct collection *collection = fixture_collection(&f, "main");
    (void)snprintf(url, sizeof url, "unix:%s/redis/redis.sock", f.dir);
    const struct store_options options = {.dir = f.dir, .url = url};
    is_int(store_open(&options, &other, &why), ISG_OK, "another gateway %s", why.text);
    (void)fixture_push(&f, "main", "alice", fixture_identity(&f, 7000, 1, "green", ""));
    const struct view *view = view_of(other, collection, fixture_member(&f, "alice"), f.arena);
    is_int(view_select(other, collection, view, &query, true, f.arena, &page, &why), ISG_OK,
           "asks");
    ok(page.count == 1, "there is one version");
    (void)fixture_push(&f, "main", "alice", fixture_identity(&f, 7000, 2, "green", ""));
    is_int(view_select(other, collection, view, &query, true, f.arena, &page, &why), ISG_OK,
           "and again, at once");
    ok(page.count == 1, "it is there still, or the new one is");
    store_close(&other);
}

int main(void)
{
    fixture_open(&f);
    check_empty();
    for (int round = 0; round < 6; round++) {
        char when[32];
        for (int i = 0; i < 60 * (round + 1); i++) {
            push();
            if (pick(8) == 0)
                erase();
        }
        (void)snprintf(when, sizeof when, "after round %d", round + 1);
        compare_all(when);
    }
    ok(from_memory > 1000, "%zu pages came from memory", from_memory);
    check_keys();
    check_behind();
    fixture_close(&f);
    return tap_done();
}
