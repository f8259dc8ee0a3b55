/*
 * Counters, gauges and histograms in the Prometheus text form. A table in metrics.c names them all; label
 * values come from configuration only (collections, feeds, routes), never from requests.
 */
#ifndef GATEWAY_METRICS_H
#define GATEWAY_METRICS_H

#include <stdint.h>

#include "stix/base/buf.h"

enum metric {
    METRIC_HTTP_REQUESTS,     /* isg_http_requests_total{route,code} */
    METRIC_HTTP_DURATION,     /* histogram isg_http_request_duration_seconds */
    METRIC_HTTP_CONNECTIONS,  /* gauge isg_http_connections */
    METRIC_HTTP_REFUSED,      /* isg_http_refused_total{reason} */
    METRIC_OBJECTS,           /* isg_objects_total{collection} */
    METRIC_OBJECTS_ACCEPTED,  /* isg_objects_accepted_total{source} */
    METRIC_OBJECTS_REJECTED,  /* isg_objects_rejected_total{source} */
    METRIC_OBJECTS_DUPLICATE, /* isg_objects_duplicate_total{source} */
    METRIC_PAGES_CACHED,      /* isg_pages_total{from="cache"|"store"} */
    METRIC_CACHE_BYTES,       /* gauge isg_cache_bytes */
    METRIC_FEED_LAST_SUCCESS, /* gauge isg_feed_last_success_timestamp_seconds{feed} */
    METRIC_FEED_ERRORS,       /* isg_feed_errors_total{feed} */
    METRIC_FEED_FAILURES,     /* gauge isg_feed_failures{feed}: in a row */
    METRIC_FEED_HELD,         /* gauge isg_feed_removals_held{feed} */
    METRIC_FEED_RUNNING,      /* gauge isg_feed_running{feed} */
    METRIC_FEED_OBJECTS,      /* isg_feed_objects_total{feed,result} */
    METRIC_TARGET_BACKLOG,    /* gauge isg_target_backlog{target}: positions not sent yet */
    METRIC_TARGET_FAILURES,   /* gauge isg_target_failures{target}: in a row */
    METRIC_REDIS_UP,          /* gauge isg_redis_up */
    METRIC_REDIS_RECONNECTS,  /* isg_redis_reconnects_total */
    METRIC_REDIS_DURATION,    /* histogram isg_redis_command_duration_seconds */
    METRIC_KEY_EXPIRY,        /* gauge isg_key_expiry_timestamp_seconds{role} */
    METRIC_AUTH_FAILURES,     /* isg_auth_failures_total{kind} */
    METRIC_RATE_LIMITED,      /* isg_ratelimited_total */
    METRIC_SIGNATURES,        /* isg_signatures_total{type} */
    METRIC_QUEUE_DEPTH,       /* gauge isg_queue_depth{queue} */
    METRIC_COUNT
};

/* Add n to a counter or gauge; labels is "" or ready text such as `route="objects",code="200"`. */
void metric_add(enum metric metric, const char *labels, int64_t n);

/* Set a gauge, or a counter that is kept elsewhere. */
void metric_set(enum metric metric, const char *labels, int64_t n);

/* One more of a histogram: something took that long. No lock, and no labels. */
void metric_observe(enum metric metric, int64_t took_us);

/* Append everything, with isg_build_info and process_* beside it. */
void metrics_write(struct isg_buf *out);

#endif
