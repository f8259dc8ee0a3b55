/* What a run of a feed says of itself: counts, examples, progress. */
#include <string.h>

#include "gateway/sync/feed_run.h"
#include "gateway/sync/removals.h"

enum { EXAMPLES = 3 };

/* ---- the result ----------------------------------------------------------------------------- */

void feed_result_write(const char *feed, const struct feed_how *how,
                       const struct feed_result *result, struct isg_buf *out)
{
    const struct ingest_counts *counts = &result->counts;
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "feed", feed);
    isg_jsonw_put(&w, "state", result->unchanged ? "unchanged" : "ok");
    isg_jsonw_put_bool(&w, "dry_run", how->dry_run);
    isg_jsonw_put_int(&w, "documents", (int64_t)result->documents);
    isg_jsonw_put_int(&w, "total", (int64_t)counts->total);
    isg_jsonw_put_int(&w, "added", (int64_t)(counts->added - counts->changed));
    isg_jsonw_put_int(&w, "changed", (int64_t)counts->changed);
    isg_jsonw_put_int(&w, "same", (int64_t)counts->same);
    isg_jsonw_put_int(&w, "excluded", (int64_t)result->excluded);
    isg_jsonw_put_int(&w, "unreadable", (int64_t)result->unreadable);
    isg_jsonw_put_int(&w, "refused", (int64_t)counts->refused);
    isg_jsonw_put(&w, "first_refusal",
                  result->first_refusal[0] != '\0' ? result->first_refusal : NULL);
    isg_jsonw_put_int(&w, "delisted", result->held ? 0 : (int64_t)result->missing);
    if (result->held) {
        isg_jsonw_put_bool(&w, "removals_held", true);
        isg_jsonw_put_int(&w, "missing", (int64_t)result->missing);
    }
    if (result->failed > 0) {
        isg_jsonw_put_int(&w, "failed_documents", (int64_t)result->failed);
        isg_jsonw_put(&w, "first_failure", result->first_error);
    }
    if (how->examples != NULL && how->examples->len > 0) {
        isg_jsonw_name(&w, "examples");
        isg_jsonw_raw(&w, isg_buf_str(how->examples));
    }
    isg_jsonw_end(&w);
}

/* ---- examples ------------------------------------------------------------------------------- */

static void ids_write(struct isg_jsonw *w, const char *name, const struct isg_str *ids, size_t n)
{
    if (n == 0)
        return;
    isg_jsonw_name(w, name);
    isg_jsonw_list(w);
    for (size_t i = 0; i < n; i++)
        isg_jsonw_str(w, ids[i]);
    isg_jsonw_end(w);
}

static void excluded_write(struct isg_jsonw *w, const struct exclude_tally *tally)
{
    if (tally->dropped == 0)
        return;
    isg_jsonw_name(w, "excluded");
    isg_jsonw_list(w);
    for (size_t i = 0; i < EXAMPLES && i < tally->dropped; i++) {
        isg_jsonw_object(w);
        isg_jsonw_put(w, "value", tally->last[i].value);
        isg_jsonw_put(w, "list", tally->last[i].list);
        isg_jsonw_end(w);
    }
    isg_jsonw_end(w);
}

static void refused_write(struct isg_jsonw *w, const struct ingest_run *ingest)
{
    size_t n;
    const struct ingest_outcome *outcomes = ingest_outcomes(ingest, &n);
    if (n == 0)
        return;
    isg_jsonw_name(w, "refused");
    isg_jsonw_list(w);
    for (size_t i = 0; i < n && i < EXAMPLES; i++) {
        isg_jsonw_object(w);
        isg_jsonw_put_str(w, "id", outcomes[i].id);
        isg_jsonw_put(w, "message", outcomes[i].message);
        isg_jsonw_end(w);
    }
    isg_jsonw_end(w);
}

void feed_examples_write(const struct ingest_run *ingest, const struct removals *removals,
                         const struct exclude_tally *tally, struct isg_buf *out)
{
    static const char *const kinds[INGEST_KINDS] = {
        [INGEST_NEW] = "added", [INGEST_CHANGED] = "changed", [INGEST_UNCHANGED] = "same"};
    struct isg_jsonw w;
    struct isg_str missing[REMOVALS_EXAMPLES];
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    for (size_t kind = 0; kind < INGEST_KINDS; kind++) {
        size_t n;
        const struct isg_str *ids = ingest_examples(ingest, (enum ingest_kind)kind, &n);
        ids_write(&w, kinds[kind], ids, n);
    }
    excluded_write(&w, tally);
    refused_write(&w, ingest);
    for (size_t i = 0; i < removals->examples_count; i++)
        missing[i] = isg_str_of(removals->examples[i]);
    ids_write(&w, removals->held ? "missing" : "delisted", missing, removals->examples_count);
    isg_jsonw_end(&w);
}

/* ---- progress ------------------------------------------------------------------------------- */

void feed_progress_reset(struct feed_progress *progress)
{
    atomic_store(&progress->stage, FEED_FETCH);
    atomic_store(&progress->bytes, 0);
    atomic_store(&progress->documents, 0);
    atomic_store(&progress->objects, 0);
    atomic_store(&progress->stored, 0);
}

void feed_progress_write(const struct feed_progress *progress, struct isg_jsonw *w)
{
    static const char *const stages[FEED_STAGES] = {[FEED_FETCH] = "fetch",
                                                    [FEED_MAP] = "map",
                                                    [FEED_COMPARE] = "compare",
                                                    [FEED_STORE] = "store"};
    unsigned stage = atomic_load(&progress->stage);
    isg_jsonw_object(w);
    isg_jsonw_put(w, "stage", stages[stage < FEED_STAGES ? stage : FEED_FETCH]);
    isg_jsonw_put_int(w, "bytes", (int64_t)atomic_load(&progress->bytes));
    isg_jsonw_put_int(w, "documents", (int64_t)atomic_load(&progress->documents));
    isg_jsonw_put_int(w, "objects", (int64_t)atomic_load(&progress->objects));
    isg_jsonw_put_int(w, "stored", (int64_t)atomic_load(&progress->stored));
    isg_jsonw_end(w);
}
