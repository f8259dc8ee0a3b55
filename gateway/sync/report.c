/* Runs in the log and in the metrics. */
#include <limits.h>
#include <stdio.h>

#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/sync/sync_private.h"
#include "stix/base/time.h"

static void label_of(const char *name, char out[128])
{
    (void)snprintf(out, 128, "feed=\"%s\"", name);
}

static void count_objects(const char *name, const struct feed_result *result)
{
    const struct ingest_counts *counts = &result->counts;
    const struct {
        const char *result;
        uint64_t n;
    } rows[] = {{"added", counts->added - counts->changed},
                {"changed", counts->changed},
                {"same", counts->same},
                {"refused", counts->refused},
                {"excluded", result->excluded},
                {"unreadable", result->unreadable},
                {"delisted", result->held ? 0 : result->missing}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char label[128];
        (void)snprintf(label, sizeof label, "feed=\"%.64s\",result=\"%s\"", name, rows[i].result);
        metric_add(METRIC_FEED_OBJECTS, label, (int64_t)rows[i].n);
    }
}

static void report_target(const struct sync *sync, const struct entry *entry)
{
    char label[128];
    struct store_head head;
    (void)snprintf(label, sizeof label, "target=\"%s:%s\"", entry_kind_name(entry->kind),
                   entry->name);
    metric_set(METRIC_TARGET_FAILURES, label, entry->state.failures);
    if (store_head_now(sync->parts.store, entry->collection, UINT_MAX, &head))
        metric_set(METRIC_TARGET_BACKLOG, label, (int64_t)state_backlog(&entry->state, &head));
}

void sync_report_state(const struct sync *sync, const struct entry *entry)
{
    char label[128];
    const struct state *state = &entry->state;
    label_of(entry->name, label);
    if (entry_is_outgoing(entry) && entry->collection[0] != '\0')
        report_target(sync, entry);
    if (entry->kind != ENTRY_FEED)
        return;
    metric_set(METRIC_FEED_RUNNING, label, entry->running);
    metric_set(METRIC_FEED_FAILURES, label, state->failures);
    metric_set(METRIC_FEED_HELD, label, state->held_times > 0);
    if (state->last_success_us > 0)
        metric_set(METRIC_FEED_LAST_SUCCESS, label, state->last_success_us / 1000000);
}

void sync_report_feed(const char *name, int err, const struct feed_result *result,
                      const struct state *state, const struct isg_fail *why)
{
    char label[128];
    label_of(name, label);
    if (err != ISG_OK) {
        metric_add(METRIC_FEED_ERRORS, label, 1);
        LOG(state->permanent ? LOG_ERROR : LOG_WARN, "feed.failed", log_cstr("feed", name),
            log_int("failures", state->failures), log_why(why));
        return;
    }
    count_objects(name, result);
    LOG(LOG_INFO, "feed.done", log_cstr("feed", name), log_bool("unchanged", result->unchanged),
        log_int("total", (int64_t)result->counts.total),
        log_int("added", (int64_t)(result->counts.added - result->counts.changed)),
        log_int("changed", (int64_t)result->counts.changed),
        log_int("excluded", (int64_t)result->excluded),
        log_int("refused", (int64_t)result->counts.refused),
        log_int("delisted", result->held ? 0 : (int64_t)result->missing));
    if (result->held)
        LOG(LOG_ERROR, "feed.shrunk", log_cstr("feed", name), log_bool("removals_held", true),
            log_int("missing", (int64_t)result->missing));
    if (result->counts.refused > 0)
        LOG(LOG_WARN, "feed.objects_refused", log_cstr("feed", name),
            log_int("refused", (int64_t)result->counts.refused),
            log_cstr("first", result->first_refusal));
    if (result->failed > 0)
        LOG(LOG_WARN, "feed.documents", log_cstr("feed", name),
            log_int("failed", (int64_t)result->failed), log_cstr("first", result->first_error));
}

/* What /metrics tells of a run. */
static void count_run(const char *name, int err)
{
    char label[128];
    label_of(name, label);
    if (err != ISG_OK)
        metric_add(METRIC_FEED_ERRORS, label, 1);
    else
        metric_set(METRIC_FEED_LAST_SUCCESS, label, isg_time_now_us() / 1000000);
}

void sync_report_peer(const char *name, int err, const struct peer_result *result,
                      const struct isg_fail *why)
{
    count_run(name, err);
    if (err != ISG_OK) {
        LOG(LOG_WARN, "peer.failed", log_cstr("peer", name), log_why(why));
        return;
    }
    LOG(result->total > 0 ? LOG_INFO : LOG_DEBUG, "peer.done", log_cstr("peer", name),
        log_int("total", (int64_t)result->total), log_int("added", (int64_t)result->added),
        log_int("refused", (int64_t)result->refused));
}

void sync_report_webhook(const char *name, int err, const struct webhook_result *result,
                         const struct isg_fail *why)
{
    count_run(name, err);
    if (err != ISG_OK) {
        LOG(LOG_WARN, "webhook.failed", log_cstr("webhook", name), log_why(why));
        return;
    }
    LOG(result->total > 0 ? LOG_INFO : LOG_DEBUG, "webhook.done", log_cstr("webhook", name),
        log_int("total", (int64_t)result->total),
        log_int("deliveries", (int64_t)result->deliveries),
        log_int("refused", (int64_t)result->refused));
}
