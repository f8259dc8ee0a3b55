#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/ingest/epss.h"
#include "gateway/ingest/run.h"
#include "gateway/metrics.h"
#include "stix/base/time.h"

/* ---- verdicts ------------------------------------------------------------------------------- */

static const char same_message[] = "already there, nothing changed"; /* */

static void refuse_put(struct ingest_run *run, struct staged *staged, const char *path,
                       const char *rule, const char *text)
{
    struct isg_fail why;
    (void)isg_fail_at(&why, ISG_ECONFLICT, path, rule, "%s", text);
    run_refuse(run, staged, &why);
}

static void settle_put(struct ingest_run *run, struct staged *staged, const struct store_put *put)
{
    char date[ISG_TIME_TEXT];
    const char *version = NULL;
    if (staged->version[0] == '\0') { /* T-055, T-095: what has no version goes by its date */
        isg_time_format(put->date_added_us, 6, date);
        version = date;
    }
    switch (put->verdict) {
    case STORE_ADDED: run_settle(run, staged, INGEST_ADDED, version, NULL); break;
    case STORE_SAME: run_settle(run, staged, INGEST_SAME, version, same_message); break;
    case STORE_CONFLICT:
        refuse_put(run, staged, "/modified", "S-100",
                   "other content with this id and modified is there; the first stays");
        break;
    case STORE_REVOKED:
        refuse_put(run, staged, "/id", "S-101", "this object was revoked, which is final");
        break;
    case STORE_FAILED: run_settle(run, staged, INGEST_FAILED, NULL, "not stored"); break;
    }
}

/* ---- one batch ------------------------------------------------------------------------------ */

static struct store_put put_of(const struct ingest_run *run, const struct staged *staged)
{
    return (struct store_put){.id = isg_str_of(staged->id),
                              .version = isg_str_of(staged->version),
                              .versioned = staged->versioned,
                              .revoked = staged->revoked,
                              .label = isg_str_of(staged->label),
                              .source = isg_str_of(run->label_source),
                              .canon = isg_buf_str(&staged->canon),
                              .digest = staged->digest,
                              .verdict = STORE_FAILED};
}

/* What store_commit would say of one put, as far as the stored versions tell. */
static int foretell(struct ingest_run *run, struct store_put *put, struct staged *staged,
                    struct isg_fail *why)
{
    struct store_event *events = NULL;
    size_t n = 0;
    int err = store_versions(run->store, run->collection->id, put->id, &events, &n, why);
    put->verdict = STORE_ADDED;
    put->date_added_us = isg_time_now_us();
    if (err == ISG_ENOENT)
        return ISG_OK;
    for (size_t i = 0; err == ISG_OK && i < n; i++) {
        const char *label = store_label(run->store, run->collection->id, events[i].label);
        bool same = memcmp(events[i].digest, put->digest, ISG_SHA256_BYTES) == 0;
        if (!run_can_see(run, isg_str_of(label)))
            continue;
        staged->changed = true;
        if (same) {
            put->verdict = STORE_SAME;
            put->date_added_us = events[i].date_added_us;
        } else if (put->versioned && events[i].versioned &&
                   isg_time_cmp(put->version, events[i].version) == 0) {
            put->verdict = STORE_CONFLICT;
        }
    }
    free(events);
    return err;
}

static int commit_puts(struct ingest_run *run, struct store_put *puts, struct staged *const *from,
                       size_t n, struct isg_fail *why)
{
    const struct store_eyes eyes = {run_can_see, run};
    int err = ISG_OK;
    if (!run->dry_run)
        return store_commit(run->store, run->collection->id, puts, n, &eyes, why);
    for (size_t i = 0; err == ISG_OK && i < n; i++)
        err = foretell(run, &puts[i], from[i], why);
    return err;
}

static int commit(struct ingest_run *run, struct staged *staged, size_t n, struct isg_fail *why)
{
    struct store_put puts[RUN_BATCH];
    struct staged *from[RUN_BATCH];
    size_t count = 0;
    int err = ISG_OK;
    bool may_wait = markings_may_wait(run);
    for (size_t i = 0; err == ISG_OK && i < n; i++) {
        if (staged[i].settled)
            continue;
        if (!may_wait)
            err = markings_wait_no_more(run, &staged[i], why);
        from[count] = &staged[i];
        puts[count++] = put_of(run, &staged[i]);
    }
    if (err == ISG_OK && count > 0)
        err = commit_puts(run, puts, from, count, why);
    for (size_t i = 0; err == ISG_OK && i < count; i++)
        settle_put(run, from[i], &puts[i]);
    return err;
}

/* ---- all that wait -------------------------------------------------------------------------- */

static bool is_among(const struct staged *staged, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(staged[i].id, id) == 0)
            return true;
    }
    return false;
}

/*
 * How many of the next objects can go in one batch. An object that is compared with the stored
 * versions waits until an earlier one with its id is stored.
 */
static size_t batch_of(const struct staged *staged, size_t n, bool *out_facets)
{
    size_t bytes = 0, i = 0;
    *out_facets = false;
    for (; i < n && i < RUN_BATCH && bytes < RUN_BATCH_BYTES; i++) {
        if (staged[i].json != NULL && is_among(staged, i, staged[i].id))
            break;
        *out_facets = *out_facets || staged[i].facet != NULL;
        bytes += staged[i].canon.len;
    }
    return i;
}

static int resolve(struct ingest_run *run, struct staged *staged, size_t n, struct isg_fail *why)
{
    int err = ISG_OK;
    for (size_t i = 0; err == ISG_OK && i < n; i++) {
        if (staged[i].facet != NULL)
            err = facet_resolve(run, &staged[i], why);
        if (err == ISG_OK && staged[i].json != NULL && !staged[i].settled)
            err = mapped_resolve(run, &staged[i], why);
    }
    return err;
}

/* ---- parts ---------------------------------------------------------------------------------- */

enum { PARTS_TRIES = 100 };

/* What a run has told of before a batch is resolved. */
struct told {
    struct ingest_counts counts;
    size_t examples_count[INGEST_KINDS];
    size_t list_count;
};

static struct told told_so_far(const struct ingest_run *run)
{
    struct told told = {.counts = run->counts, .list_count = run->list_count};
    memcpy(told.examples_count, run->examples_count, sizeof told.examples_count);
    return told;
}

static void unresolve(struct ingest_run *run, const struct told *told, struct staged *staged,
                      size_t n)
{
    run->counts = told->counts;
    run->list_count = told->list_count;
    memcpy(run->examples_count, told->examples_count, sizeof told->examples_count);
    for (size_t i = 0; i < n; i++)
        facet_restore(&staged[i]);
}

/* ISG_EBUSY: another gateway changed parts of the same objects meanwhile. */
static int put_parts(struct ingest_run *run, struct staged *staged, size_t n, struct isg_fail *why)
{
    int err = facet_open(run, staged, n, why);
    if (err == ISG_OK)
        err = resolve(run, staged, n, why);
    int closed = epss_close(run, err == ISG_OK ? why : NULL);
    err = err == ISG_OK ? closed : err;
    closed = facet_close(run, err == ISG_OK, err == ISG_OK ? why : NULL);
    return err == ISG_OK ? closed : err;
}

/*
 * Objects whose parts were put beside those of others are committed after that. It does not matter
 * in which order two gateways come to it: the whole with more parts is the newer one.
 */
static int flush_parts(struct ingest_run *run, struct staged *staged, size_t n,
                       struct isg_fail *why)
{
    int err = ISG_EBUSY;
    facet_lock();
    for (int i = 0; err == ISG_EBUSY && i < PARTS_TRIES; i++) {
        const struct told told = told_so_far(run);
        err = put_parts(run, staged, n, why);
        if (err == ISG_EBUSY)
            unresolve(run, &told, staged, n);
    }
    if (err == ISG_OK)
        err = commit(run, staged, n, why);
    facet_unlock();
    return err;
}

static int flush_batch(struct ingest_run *run, struct staged *staged, size_t n, bool facets,
                       struct isg_fail *why)
{
    if (facets)
        return flush_parts(run, staged, n, why);
    int err = resolve(run, staged, n, why);
    return err == ISG_OK ? commit(run, staged, n, why) : err;
}

/* ---- all of a run --------------------------------------------------------------------------- */

/* Names come from members and configuration, but also from an importer's option: keep them plain. */
static void count_metrics(struct ingest_run *run)
{
    const struct ingest_counts *told = &run->told;
    enum { NAME_BYTES = 64 };
    char label[NAME_BYTES + 16] = "source=\"";
    size_t n = strlen(label);
    for (const char *p = run->label_source; *p != '\0' && n < NAME_BYTES; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || strchr("._:-", *p) != NULL;
        label[n++] = (char)(plain ? *p : '_');
    }
    memcpy(label + n, "\"", 2);
    metric_add(METRIC_OBJECTS_ACCEPTED, label, (int64_t)(run->counts.added - told->added));
    metric_add(METRIC_OBJECTS_DUPLICATE, label, (int64_t)(run->counts.same - told->same));
    metric_add(METRIC_OBJECTS_REJECTED, label, (int64_t)(run->counts.refused - told->refused));
    run->told = run->counts;
}

int run_flush(struct ingest_run *run, struct isg_fail *why)
{
    size_t done = 0;
    int err = markings_relabel(run, why);
    while (err == ISG_OK && done < run->staged_count) {
        bool facets = false;
        size_t n = batch_of(run->staged + done, run->staged_count - done, &facets);
        err = flush_batch(run, run->staged + done, n, facets, why);
        done += n;
    }
    for (size_t i = 0; i < run->staged_count; i++)
        run_staged_done(&run->staged[i]);
    run->staged_count = 0;
    run->staged_bytes = 0;
    if (err == ISG_OK && !run->dry_run)
        err = markings_release(run, why);
    if (!run->dry_run)
        count_metrics(run);
    return err;
}
