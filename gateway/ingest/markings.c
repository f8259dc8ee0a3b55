/*
 * Markings that are no TLP: a statement (a copyright) bounds nothing, any other is RED until it is
 * known. What an object's markings mean is said by the definitions its own source pushed, before
 * it, with it, or later.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/ingest/run.h"
#include "stix/base/time.h"

static bool is_statement_definition(const struct stix_json *object)
{
    return isg_str_is(stix_json_get_str(object, "type"), "marking-definition") &&
           isg_str_is(stix_json_get_str(object, "definition_type"), "statement") &&
           !stix_json_has(object, "extensions");
}

enum {
    WAITING_LABELS =
        4096,      /* in a collection of more labels nothing waits: each costs every reader */
    TOGETHER = 64, /* objects that are announced in one commit ... */
    TOGETHER_BYTES = 4 << 20
};

/* ---- what the run knows --------------------------------------------------------------------- */

static struct marking_seen *seen_find(struct ingest_run *run, struct isg_str id)
{
    for (size_t i = 0; i < run->markings_count; i++)
        if (isg_str_is(id, run->markings[i].id))
            return &run->markings[i];
    return NULL;
}

static struct marking_seen *seen_add(struct ingest_run *run, struct isg_str id)
{
    struct marking_seen *bigger =
        realloc(run->markings, (run->markings_count + 1) * sizeof *bigger);
    if (bigger == NULL)
        return NULL;
    run->markings = bigger;
    char *copy = malloc(id.n + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, id.p, id.n);
    copy[id.n] = '\0';
    struct marking_seen *seen = &run->markings[run->markings_count++];
    *seen = (struct marking_seen){.id = copy};
    return seen;
}

void markings_done(struct ingest_run *run)
{
    for (size_t i = 0; i < run->markings_count; i++)
        free(run->markings[i].id);
    free(run->markings);
}

int markings_note(struct ingest_run *run, const struct stix_json *object)
{
    if (!is_statement_definition(object))
        return ISG_OK;
    struct isg_str id = stix_json_get_str(object, "id");
    struct marking_seen *seen = seen_find(run, id);
    if (seen == NULL)
        seen = seen_add(run, id);
    if (seen == NULL)
        return ISG_ENOMEM;
    run->markings_news += !seen->statement;
    seen->statement = true;
    return ISG_OK;
}

/* ---- what the store knows ------------------------------------------------------------------- */

static bool of_this_source(const struct ingest_run *run, uint32_t number)
{
    const char *text = store_label(run->store, run->collection->id, number);
    struct policy_label label = policy_label_read(isg_str_of(text));
    return isg_str_is(label.source, run->label_source);
}

static struct stix_json *stored_object(const struct ingest_run *run,
                                       const struct store_event *event)
{
    struct stix_json *json = NULL;
    struct isg_buf text;
    size_t size = SIZE_MAX;
    isg_buf_init(&text, RUN_OBJECT_MAX);
    if (store_objects(run->store, run->collection->id, &event, 1, &text, &size, NULL) == ISG_OK &&
        size != SIZE_MAX)
        (void)stix_json_parse(isg_buf_str(&text), NULL, &json, NULL);
    isg_buf_done(&text);
    return json;
}

static bool store_has_statement(const struct ingest_run *run, struct isg_str id)
{
    struct store_event *events = NULL;
    size_t n = 0;
    bool found = false;
    if (store_versions(run->store, run->collection->id, id, &events, &n, NULL) != ISG_OK)
        return false;
    for (size_t i = 0; i < n && !found; i++) {
        struct stix_json *json = NULL;
        if (of_this_source(run, events[i].label))
            json = stored_object(run, &events[i]);
        found = is_statement_definition(json);
        stix_json_free(&json);
    }
    free(events);
    return found;
}

/* Asked once between two flushes; a failure to find out leaves the marking unknown, and so RED. */
static bool is_statement(void *arg, struct isg_str id)
{
    struct ingest_run *run = arg;
    struct marking_seen *seen = seen_find(run, id);
    if (seen != NULL && (seen->statement || seen->asked))
        return seen->statement;
    bool statement = store_has_statement(run, id);
    if (seen == NULL)
        seen = seen_add(run, id);
    if (seen != NULL) {
        seen->statement = statement;
        seen->asked = true;
    }
    return statement;
}

void run_label(struct ingest_run *run, const struct stix_json *object, char text[POLICY_LABEL_MAX])
{
    const struct policy_markings markings = {.is_statement = is_statement, .arg = run};
    struct policy_label label =
        policy_label_of(object, run->collection, isg_str_of(run->label_source), &markings);
    if (label.waits.n > 0) {
        struct marking_seen *awaited = seen_find(run, label.waits);
        if (awaited != NULL)
            awaited->waited = true;
    }
    policy_label_write(&label, text);
}

/* ---- what waited ---------------------------------------------------------------------------- */

static bool label_waits(const struct ingest_run *run, struct isg_str text)
{
    struct policy_label label = policy_label_read(text);
    return label.waits.n > 0 && isg_str_is(label.source, run->label_source);
}

int markings_relabel(struct ingest_run *run, struct isg_fail *why)
{
    char text[POLICY_LABEL_MAX];
    for (size_t i = 0; run->markings_news > 0 && i < run->staged_count; i++) {
        struct staged *staged = &run->staged[i];
        struct stix_json *json = NULL;
        if (!label_waits(run, isg_str_of(staged->label)))
            continue;
        int err = stix_json_parse(isg_buf_str(&staged->canon), NULL, &json, why);
        if (err != ISG_OK)
            return err;
        run_label(run, json, text);
        stix_json_free(&json);
        staged->label = isg_arena_copy(run->arena, isg_str_of(text));
        if (staged->label == NULL)
            return isg_fail(why, ISG_ENOMEM, "no memory for a label");
    }
    return ISG_OK;
}

bool markings_may_wait(const struct ingest_run *run)
{
    return store_label_count(run->store, run->collection->id) < WAITING_LABELS;
}

int markings_wait_no_more(struct ingest_run *run, struct staged *staged, struct isg_fail *why)
{
    char text[POLICY_LABEL_MAX];
    if (!label_waits(run, isg_str_of(staged->label)))
        return ISG_OK;
    struct policy_label label = policy_label_read(isg_str_of(staged->label));
    label.waits = (struct isg_str){NULL, 0};
    policy_label_write(&label, text);
    staged->label = isg_arena_copy(run->arena, isg_str_of(text));
    return staged->label != NULL ? ISG_OK : isg_fail(why, ISG_ENOMEM, "no memory for a label");
}

/* Objects that are announced together, of one block, which is held meanwhile. */
struct announced {
    struct ingest_run *run;
    uint8_t *due; /* by label: 0 not asked, 1 no, 2 yes */
    size_t labels;
    size_t n;
    size_t bytes;
    struct store_put puts[TOGETHER];
    struct isg_buf canons[TOGETHER];
    char texts[TOGETHER][POLICY_LABEL_MAX];
};

/* Nobody's sight decides whether a form is announced again: only its label does. */
static bool sees_nothing(void *arg, struct isg_str label)
{
    (void)arg;
    (void)label;
    return false;
}

static int announce(struct announced *a, struct isg_fail *why)
{
    static const struct store_eyes nobody = {.can_see = sees_nothing};
    const struct ingest_run *run = a->run;
    int err = ISG_OK;
    if (a->n > 0)
        err = store_commit(run->store, run->collection->id, a->puts, a->n, &nobody, why);
    for (size_t i = 0; i < a->n; i++)
        isg_buf_done(&a->canons[i]);
    a->n = a->bytes = 0;
    return err;
}

/* Note what the event's object is to be announced with, if all its markings are known by now. */
static int add_announced(struct announced *a, const struct store_event *event, struct isg_fail *why)
{
    struct isg_buf *canon = &a->canons[a->n];
    char *text = a->texts[a->n];
    struct stix_json *json = stored_object(a->run, event);
    if (json == NULL)
        return ISG_OK; /* erased meanwhile */
    isg_buf_init(canon, RUN_OBJECT_MAX);
    stix_json_canon(json, canon);
    run_label(a->run, json, text);
    a->puts[a->n] = (struct store_put){.id = event->id,
                                       .version = event->version,
                                       .versioned = event->versioned,
                                       .revoked = stix_json_bool(stix_json_get(json, "revoked")),
                                       .label = isg_str_of(text),
                                       .source = isg_str_of(a->run->label_source),
                                       .canon = isg_buf_str(canon),
                                       .digest = event->digest};
    stix_json_free(&json);
    if (canon->err == ISG_OK && policy_label_read(isg_str_of(text)).tlp != STIX_TLP_UNKNOWN) {
        a->bytes += canon->len;
        a->n++;
        return a->n == TOGETHER || a->bytes >= TOGETHER_BYTES ? announce(a, why) : ISG_OK;
    }
    int err = canon->err != ISG_OK ? isg_fail(why, canon->err, "no memory for an object") : ISG_OK;
    isg_buf_done(canon);
    return err;
}

/* Does the label wait for a marking that is known by now? Each is asked once. */
static bool is_due(struct announced *a, uint32_t number)
{
    if (number >= a->labels)
        return false; /* younger than this: whoever made it looks himself */
    if (a->due[number] == 0) {
        struct isg_str text =
            isg_str_of(store_label(a->run->store, a->run->collection->id, number));
        a->due[number] =
            label_waits(a->run, text) && is_statement(a->run, policy_label_read(text).waits) ? 2
                                                                                             : 1;
    }
    return a->due[number] == 2;
}

static int release_block(struct announced *a, const struct store_block *block, uint64_t last,
                         struct isg_fail *why)
{
    int err = ISG_OK;
    for (size_t i = 0; err == ISG_OK && i < block->count; i++) {
        const struct store_event *event = &block->events[i];
        if (!event->dead && event->position <= last && is_due(a, event->label))
            err = add_announced(a, event, why);
    }
    int end = announce(a, why);
    return err != ISG_OK ? err : end;
}

static bool any_label_waits(const struct ingest_run *run)
{
    uint32_t n = store_label_count(run->store, run->collection->id);
    for (uint32_t i = 0; i < n; i++)
        if (label_waits(run, isg_str_of(store_label(run->store, run->collection->id, i))))
            return true;
    return false;
}

static int release_all(struct announced *a, struct isg_fail *why)
{
    struct ingest_run *run = a->run;
    struct store_head head;
    int err = store_head(run->store, run->collection->id, 0, &head, why);
    a->labels = store_label_count(run->store, run->collection->id);
    a->due = calloc(a->labels + 1, 1);
    if (err == ISG_OK && a->due == NULL)
        err = isg_fail(why, ISG_ENOMEM, "no memory for labels");
    for (uint64_t b = 0; err == ISG_OK && b * STORE_BLOCK < head.position; b++) {
        struct store_block *block = NULL;
        err = store_block_get(run->store, run->collection->id, b, &block, why);
        if (err == ISG_OK)
            err = release_block(a, block, head.position, why);
        store_block_unref(&block);
    }
    free(a->due);
    return err;
}

/*
 * Another push may bring a definition while this one stores what waits for it, and have looked for
 * that too early. So whoever stored something looks for definitions afterwards, as whoever stored a
 * definition looks for what waits: one of them finds the other.
 */
static void look_again(struct ingest_run *run)
{
    for (size_t i = 0; i < run->markings_count; i++) {
        struct marking_seen *seen = &run->markings[i];
        bool waited = seen->waited && !seen->statement;
        seen->asked = seen->waited = false;
        if (waited && is_statement(run, isg_str_of(seen->id)))
            run->markings_news++;
    }
}

int markings_release(struct ingest_run *run, struct isg_fail *why)
{
    int err = ISG_OK;
    for (look_again(run); err == ISG_OK && run->markings_news > 0 && any_label_waits(run);
         look_again(run)) {
        struct announced *a = calloc(1, sizeof *a);
        if (a == NULL)
            return isg_fail(why, ISG_ENOMEM, "no memory for what waited");
        a->run = run;
        run->markings_news = 0;
        err = release_all(a, why);
        free(a);
    }
    return err;
}
