#include "gateway/sync/peer_run.h"

#include <stdio.h>
#include <string.h>

#include "feeds/taxii_client.h"
#include "gateway/ingest/ingest.h"
#include "gateway/share/view.h"
#include "gateway/sync/secret_file.h"
#include "stix/base/arena.h"
#include "stix/base/digest.h"

enum { PAGE = 500, ARENA_MAX = 64 << 20, PEER_NAME_MAX = 72 };

struct run {
    const struct sync_parts *parts;
    const struct peer_def *def;
    const struct collection *collection; /* the one here */
    bool dry_run;
    struct taxii_target target;
    struct state state;
    struct ingest_run *ingest;
    struct taxii_push *push;
    struct peer_result result;
};

void peer_state_name(const struct peer_def *def, char out[STATE_NAME_MAX])
{
    const char *const parts[] = {def->push ? "push" : "pull", def->url, def->from, def->collection};
    struct isg_sha256 hash;
    uint8_t digest[ISG_SHA256_BYTES];
    char hex[2 * 16 + 1];
    isg_sha256_init(&hash);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        isg_sha256_add(&hash, parts[i], strlen(parts[i]) + 1);
    isg_sha256_end(&hash, digest);
    isg_hex_encode(digest, 16, hex);
    (void)snprintf(out, STATE_NAME_MAX, "peer:%s", hex);
}

/* ---- pull ----------------------------------------------------------------------------------- */

static int on_object(void *arg, struct isg_str object, struct isg_fail *why)
{
    struct run *run = arg;
    return ingest_add(run->ingest, object, NULL, why);
}

/* The walk is complete: what it brought becomes durable before the cursor is noted. */
static int on_cursor(void *arg, struct isg_str added_after, struct isg_fail *why)
{
    struct run *run = arg;
    (void)why;
    if (added_after.n < sizeof run->state.cursor)
        (void)snprintf(run->state.cursor, sizeof run->state.cursor, "%.*s",
                       ISG_STR_ARG(added_after));
    return ISG_OK;
}

static int pull(struct run *run, struct isg_fail *why)
{
    struct ingest_source source = {.name = isg_str_of(run->def->name), .mode = INGEST_AS_SENT};
    char after[ISG_TIME_TEXT];
    memcpy(after, run->state.cursor, sizeof after);
    run->ingest = ingest_begin(run->parts->store, run->collection, &source, false, run->dry_run);
    if (run->ingest == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    int err = feed_taxii_pull(&run->target, after, on_object, on_cursor, run, why);
    if (err == ISG_OK)
        err = ingest_finish(run->ingest, why);
    const struct ingest_counts *counts = ingest_counts(run->ingest);
    run->result.total = counts->total;
    run->result.added = counts->added;
    run->result.same = counts->same;
    run->result.refused = counts->refused;
    ingest_end(&run->ingest);
    return err;
}

/* ---- push ----------------------------------------------------------------------------------- */

/*
 * A peer organisation as policy sees it: nothing above GREEN is its to have. Its name can be no
 * member's and no feed's, so that the rule "the source itself sees it" never opens anything here;
 * the collection's read right has to name all or kind:peer_isao.
 */
static struct member peer_member(const struct run *run, char name[PEER_NAME_MAX])
{
    (void)snprintf(name, PEER_NAME_MAX, "peer:%.64s", run->def->name);
    return (struct member){.name = name, .kind = MEMBER_PEER_ISAO, .tlp_max = STIX_TLP_GREEN};
}

/* Add the objects of a page, read from the store in one go. */
static int push_page(struct run *run, const struct view_page *page, struct isg_arena *arena,
                     struct isg_fail *why)
{
    struct isg_buf bytes;
    uint8_t(*digests)[32] = isg_arena_alloc(arena, (page->count + 1) * sizeof *digests);
    size_t *sizes = isg_arena_alloc(arena, (page->count + 1) * sizeof *sizes);
    size_t at = 0;
    if (digests == NULL || sizes == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    for (size_t i = 0; i < page->count; i++)
        memcpy(digests[i], page->events[i].digest, sizeof digests[i]);
    isg_buf_init(&bytes, ISG_BUF_NO_MAX);
    int err = store_objects(run->parts->store, run->collection->id, (const uint8_t(*)[32])digests,
                            page->count, &bytes, sizes, why);
    for (size_t i = 0; i < page->count && err == ISG_OK; i++) {
        if (sizes[i] == SIZE_MAX)
            continue; /* deleted since the page was selected */
        run->result.total++;
        if (!run->dry_run)
            err = feed_taxii_push_add(run->push, (struct isg_str){bytes.p + at, sizes[i]}, why);
        at += sizes[i];
    }
    isg_buf_done(&bytes);
    return err;
}

/* Select and add from the cursor to the head; *position ends where the walk did. */
static int push_walk(struct run *run, struct isg_arena *arena, uint64_t *position,
                     struct isg_fail *why)
{
    char name[PEER_NAME_MAX];
    struct member member = peer_member(run, name);
    struct view_page page = {.more = true};
    while (page.more) {
        isg_arena_reset(arena);
        struct view_query query = {
            .after = *position, .added_after_us = INT64_MIN, .limit = PAGE, .want = VIEW_LAST};
        const struct view *view = view_of(run->parts->store, run->collection, &member, arena);
        int err = view == NULL ? isg_fail(why, ISG_ENOMEM, "no memory")
                               : view_select(run->parts->store, run->collection, view, &query, true,
                                             arena, &page, why);
        if (err == ISG_OK)
            err = push_page(run, &page, arena, why);
        if (err != ISG_OK)
            return err;
        if (page.more && page.last <= *position)
            return isg_fail(why, ISG_ESTORE, "the log does not move on");
        *position = page.more ? page.last : page.head.position;
    }
    return ISG_OK;
}

static int push_close(struct run *run, struct isg_fail *why)
{
    struct taxii_push_result sent = {.total = 0};
    int err = feed_taxii_push_close(&run->push, &sent, why);
    run->result.added = sent.success;
    run->result.refused = sent.failure;
    run->result.pending = sent.pending;
    (void)snprintf(run->result.first_failure, sizeof run->result.first_failure, "%s",
                   sent.first_failure);
    return err;
}

/* A cursor beyond the head belongs to a log that is no more: begin again. */
static int push_start(struct run *run, uint64_t *out, struct isg_fail *why)
{
    struct store_head head;
    int err = store_head(run->parts->store, run->collection->id, 0, &head, why);
    if (err == ISG_OK)
        *out = run->state.position <= head.position ? run->state.position : 0;
    return err;
}

static int push(struct run *run, struct isg_fail *why)
{
    uint64_t position = 0;
    struct isg_fail ignored;
    struct isg_arena *arena = isg_arena_new(ARENA_MAX);
    if (arena == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    int err = push_start(run, &position, why);
    if (err == ISG_OK && !run->dry_run)
        err = feed_taxii_push_open(&run->target, &run->push, why);
    if (err == ISG_OK)
        err = push_walk(run, arena, &position, why);
    int closed = push_close(run, err == ISG_OK ? why : &ignored);
    if (err == ISG_OK)
        err = closed;
    if (err == ISG_OK)
        run->state.position = position;
    isg_arena_free(&arena);
    return err;
}

/* ---- a run ---------------------------------------------------------------------------------- */

static int run_in(struct run *run, struct isg_fail *why)
{
    const struct peer_def *def = run->def;
    const char *local = def->push ? def->from : def->collection;
    char *password = NULL;
    const struct registry *registry = directory_get(run->parts->directory);
    int err = registry_collection(registry, (struct isg_str){0}, isg_str_of(local),
                                  &run->collection, why);
    if (err == ISG_OK)
        err = secret_line_read(run->parts->config->dir, def->password_file, &password, why);
    run->target = (struct taxii_target){.url = def->url,
                                        .collection = def->push ? def->collection : def->from,
                                        .user = def->user,
                                        .password = password,
                                        .ca = def->ca,
                                        .allow_private = def->allow_private,
                                        .stop = run->parts->stop};
    if (err == ISG_OK)
        err = def->push ? push(run, why) : pull(run, why);
    secret_free(&password);
    registry_unref(&registry);
    return err;
}

int peer_run(const struct sync_parts *parts, const struct peer_def *def, bool dry_run,
             struct peer_result *out, struct state *out_state, struct isg_fail *why)
{
    char name[STATE_NAME_MAX];
    struct isg_fail own = {.code = ISG_OK};
    struct state before = {.position = 0};
    struct run run = {.parts = parts, .def = def, .dry_run = dry_run};
    int64_t start = isg_time_now_us();
    peer_state_name(def, name);
    int err = state_load(parts->store, name, &before, &own);
    run.state = before;
    if (err == ISG_OK)
        err = run_in(&run, &own);
    if (err == ISG_OK) {
        state_succeeded(&run.state, start);
        run.state.total = run.result.total;
        run.state.added = run.result.added;
        run.state.same = run.result.same;
        run.state.refused = run.result.refused;
    } else {
        run.state = before; /* the cursor stays */
        state_failed(&run.state, start, &own);
    }
    if (!dry_run) {
        int saved = state_save(parts->store, name, &run.state, err == ISG_OK ? &own : NULL);
        err = err == ISG_OK ? saved : err;
    }
    *out = run.result;
    *out_state = run.state;
    if (err != ISG_OK && why != NULL)
        *why = own;
    return err;
}
