#include "gateway/metrics.h"

#include <assert.h>
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#ifndef ISG_VERSION
#    define ISG_VERSION "unknown"
#endif
#ifndef ISG_COMMIT
#    define ISG_COMMIT ""
#endif

enum {
    BUCKETS = 256,
    SERIES_MAX = 4096, /* label sets in all; labels come from configuration, so this is never met */
    LABELS_BYTES = 112
};

enum metric_type { COUNTER, GAUGE, HISTOGRAM };

struct metric_row {
    const char *name;
    enum metric_type type;
    bool labelled; /* false: written from the start, with 0 */
    const char *help;
};

static const struct metric_row rows[] = {
    /* clang-format off */
    [METRIC_HTTP_REQUESTS]     = {"isg_http_requests_total", COUNTER, true, "Requests answered, by route and status code."},
    [METRIC_HTTP_DURATION]     = {"isg_http_request_duration_seconds", HISTOGRAM, false, "From the first byte of a request to the last of its answer."},
    [METRIC_HTTP_CONNECTIONS]  = {"isg_http_connections", GAUGE, false, "Connections open now."},
    [METRIC_HTTP_REFUSED]      = {"isg_http_refused_total", COUNTER, true, "Requests refused before any route saw them."},
    [METRIC_OBJECTS]           = {"isg_objects_total", COUNTER, true, "Events in the log of a collection: objects that became visible."},
    [METRIC_OBJECTS_ACCEPTED]  = {"isg_objects_accepted_total", COUNTER, true, "Objects stored."},
    [METRIC_OBJECTS_REJECTED]  = {"isg_objects_rejected_total", COUNTER, true, "Objects refused by a check."},
    [METRIC_OBJECTS_DUPLICATE] = {"isg_objects_duplicate_total", COUNTER, true, "Objects that were there already."},
    [METRIC_PAGES_CACHED]      = {"isg_pages_total", COUNTER, true, "Pages answered, by where they came from."},
    [METRIC_CACHE_BYTES]       = {"isg_cache_bytes", GAUGE, false, "Bytes in the page cache."},
    [METRIC_FEED_LAST_SUCCESS] = {"isg_feed_last_success_timestamp_seconds", GAUGE, true, "When the feed was last read without error."},
    [METRIC_FEED_ERRORS]       = {"isg_feed_errors_total", COUNTER, true, "Runs of the feed that failed."},
    [METRIC_FEED_FAILURES]     = {"isg_feed_failures", GAUGE, true, "Runs of the feed that failed since the last good one."},
    [METRIC_FEED_HELD]         = {"isg_feed_removals_held", GAUGE, true, "1 while removals wait for a person or equal snapshots."},
    [METRIC_FEED_RUNNING]      = {"isg_feed_running", GAUGE, true, "1 while this gateway runs the feed."},
    [METRIC_FEED_OBJECTS]      = {"isg_feed_objects_total", COUNTER, true, "What the feed brought, by what became of it."},
    [METRIC_TARGET_BACKLOG]    = {"isg_target_backlog", GAUGE, true, "Positions of the log that a peer or webhook has not been sent."},
    [METRIC_TARGET_FAILURES]   = {"isg_target_failures", GAUGE, true, "Runs to a peer or webhook that failed since the last good one."},
    [METRIC_REDIS_UP]          = {"isg_redis_up", GAUGE, false, "1 while the store answers."},
    [METRIC_REDIS_RECONNECTS]  = {"isg_redis_reconnects_total", COUNTER, false, "Connections to the store made again."},
    [METRIC_REDIS_DURATION]    = {"isg_redis_command_duration_seconds", HISTOGRAM, false, "An exchange with the store, of one command or of many."},
    [METRIC_KEY_EXPIRY]        = {"isg_key_expiry_timestamp_seconds", GAUGE, true, "When a key or its certificate is over."},
    [METRIC_AUTH_FAILURES]     = {"isg_auth_failures_total", COUNTER, true, "Credentials that did not hold, by kind."},
    [METRIC_RATE_LIMITED]      = {"isg_ratelimited_total", COUNTER, false, "Requests over a member's or an address's rate."},
    [METRIC_SIGNATURES]        = {"isg_signatures_total", COUNTER, true, "Signatures made, by type of statement."},
    [METRIC_QUEUE_DEPTH]       = {"isg_queue_depth", GAUGE, true, "Jobs waiting in a queue."},
    /* clang-format on */
};
static_assert(sizeof rows / sizeof rows[0] == METRIC_COUNT, "every metric has its row");

/* Upper bounds of a histogram's buckets; what is over the last is in the one behind it. */
static const struct {
    int64_t us;
    const char *le;
} bounds[] = {{100, "0.0001"},  {250, "0.00025"}, {500, "0.0005"},  {1000, "0.001"},
              {2500, "0.0025"}, {5000, "0.005"},  {10000, "0.01"},  {25000, "0.025"},
              {50000, "0.05"},  {100000, "0.1"},  {250000, "0.25"}, {500000, "0.5"},
              {1000000, "1"},   {2500000, "2.5"}, {5000000, "5"},   {10000000, "10"}};
enum { BOUNDS = sizeof bounds / sizeof bounds[0] };

struct histogram {
    _Atomic uint64_t counts[BOUNDS + 1];
    _Atomic uint64_t sum_us;
};

static struct histogram histograms[METRIC_COUNT];

/* One label set of one metric. Series are added, never removed: a pointer to one stays good. */
struct series {
    enum metric metric;
    char labels[LABELS_BYTES];
    _Atomic int64_t value;
    struct series *next;
};

static _Atomic int64_t plain[METRIC_COUNT]; /* the series without labels: no lock */
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static struct series *buckets[BUCKETS];
static size_t series_count;

static size_t bucket_of(enum metric metric, const char *labels)
{
    uint64_t hash = 14695981039346656037u + (uint64_t)metric; /* FNV-1a */
    for (; *labels != '\0'; labels++)
        hash = (hash ^ (unsigned char)*labels) * 1099511628211u;
    return (size_t)(hash % BUCKETS);
}

static struct series *add_series(enum metric metric, const char *labels, size_t bucket)
{
    if (series_count >= SERIES_MAX || strlen(labels) >= LABELS_BYTES)
        return NULL;
    struct series *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->metric = metric;
    memcpy(s->labels, labels, strlen(labels) + 1);
    s->next = buckets[bucket];
    buckets[bucket] = s;
    series_count++;
    return s;
}

/* The value of a label set, made on first use; NULL when there is no room. */
static _Atomic int64_t *value_of(enum metric metric, const char *labels)
{
    if (labels == NULL || labels[0] == '\0')
        return &plain[metric];
    size_t bucket = bucket_of(metric, labels);
    pthread_mutex_lock(&table_lock);
    struct series *s = buckets[bucket];
    while (s != NULL && (s->metric != metric || strcmp(s->labels, labels) != 0))
        s = s->next;
    if (s == NULL)
        s = add_series(metric, labels, bucket);
    pthread_mutex_unlock(&table_lock);
    return s != NULL ? &s->value : NULL;
}

void metric_add(enum metric metric, const char *labels, int64_t n)
{
    _Atomic int64_t *value = value_of(metric, labels);
    if (value != NULL)
        atomic_fetch_add_explicit(value, n, memory_order_relaxed);
}

void metric_set(enum metric metric, const char *labels, int64_t n)
{
    _Atomic int64_t *value = value_of(metric, labels);
    if (value != NULL)
        atomic_store_explicit(value, n, memory_order_relaxed);
}

void metric_observe(enum metric metric, int64_t took_us)
{
    struct histogram *h = &histograms[metric];
    size_t i = 0;
    while (i < BOUNDS && took_us > bounds[i].us)
        i++;
    atomic_fetch_add_explicit(&h->counts[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->sum_us, took_us > 0 ? (uint64_t)took_us : 0,
                              memory_order_relaxed);
}

static void write_head(struct isg_buf *out, const char *name, const char *type, const char *help)
{
    isg_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static int compare_series(const void *a, const void *b)
{
    const struct series *const *x = a;
    const struct series *const *y = b;
    if ((*x)->metric != (*y)->metric)
        return (*x)->metric < (*y)->metric ? -1 : 1;
    return strcmp((*x)->labels, (*y)->labels);
}

/* All series, sorted by metric and labels; NULL when there are none (or no memory). */
static struct series **list_series(size_t *out_count)
{
    size_t n = 0;
    pthread_mutex_lock(&table_lock);
    struct series **list = calloc(series_count + 1, sizeof(struct series *));
    for (size_t i = 0; list != NULL && i < BUCKETS; i++)
        for (struct series *s = buckets[i]; s != NULL; s = s->next)
            list[n++] = s;
    pthread_mutex_unlock(&table_lock);
    if (n > 0)
        qsort(list, n, sizeof(struct series *), compare_series);
    *out_count = n;
    return list;
}

static void write_histogram(struct isg_buf *out, const char *name, struct histogram *h)
{
    uint64_t count = 0;
    uint64_t sum_us = atomic_load_explicit(&h->sum_us, memory_order_relaxed);
    for (size_t i = 0; i <= BOUNDS; i++) {
        count += atomic_load_explicit(&h->counts[i], memory_order_relaxed);
        isg_buf_printf(out, "%s_bucket{le=\"%s\"} %llu\n", name, i < BOUNDS ? bounds[i].le : "+Inf",
                       (unsigned long long)count);
    }
    isg_buf_printf(out, "%s_sum %llu.%06llu\n%s_count %llu\n", name,
                   (unsigned long long)(sum_us / 1000000), (unsigned long long)(sum_us % 1000000),
                   name, (unsigned long long)count);
}

static void write_metric(struct isg_buf *out, enum metric metric, struct series *const *series,
                         size_t n)
{
    static const char *const types[] = {
        [COUNTER] = "counter", [GAUGE] = "gauge", [HISTOGRAM] = "histogram"};
    const struct metric_row *row = &rows[metric];
    int64_t bare = atomic_load_explicit(&plain[metric], memory_order_relaxed);
    if (n == 0 && row->labelled && bare == 0)
        return; /* nothing known yet */
    write_head(out, row->name, types[row->type], row->help);
    if (row->type == HISTOGRAM)
        write_histogram(out, row->name, &histograms[metric]);
    else if (!row->labelled || bare != 0)
        isg_buf_printf(out, "%s %lld\n", row->name, (long long)bare);
    for (size_t i = 0; i < n; i++) {
        int64_t value = atomic_load_explicit(&series[i]->value, memory_order_relaxed);
        isg_buf_printf(out, "%s{%s} %lld\n", row->name, series[i]->labels, (long long)value);
    }
}

static void write_all(struct isg_buf *out)
{
    size_t n = 0;
    struct series **list = list_series(&n);
    size_t at = 0;
    for (int metric = 0; metric < METRIC_COUNT; metric++) {
        size_t first = at;
        while (at < n && (int)list[at]->metric == metric)
            at++;
        write_metric(out, (enum metric)metric, list == NULL ? NULL : list + first, at - first);
    }
    free(list);
}

/* A small file of /proc into text; false when it cannot be read. */
static bool read_proc(const char *path, char *text, size_t size)
{
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return false;
    size_t n = fread(text, 1, size - 1, f);
    text[n] = '\0';
    (void)fclose(f);
    return n > 0;
}

static void write_memory(struct isg_buf *out)
{
    char text[256];
    long page = sysconf(_SC_PAGESIZE);
    if (!read_proc("/proc/self/statm", text, sizeof text))
        return;
    char *end = text;
    long long pages = strtoll(end, &end, 10);
    long long resident = strtoll(end, &end, 10);
    write_head(out, "process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes.");
    isg_buf_printf(out, "process_virtual_memory_bytes %lld\n", pages * page);
    write_head(out, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.");
    isg_buf_printf(out, "process_resident_memory_bytes %lld\n", resident * page);
}

static void write_fds(struct isg_buf *out)
{
    struct rlimit limit;
    DIR *dir = opendir("/proc/self/fd");
    long long count = -1; /* the one of opendir itself */
    if (dir != NULL) {
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread reads this stream */
        for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
            if (entry->d_name[0] != '.')
                count++;
        closedir(dir);
        write_head(out, "process_open_fds", "gauge", "Number of open file descriptors.");
        isg_buf_printf(out, "process_open_fds %lld\n", count);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        write_head(out, "process_max_fds", "gauge", "Maximum number of open file descriptors.");
        isg_buf_printf(out, "process_max_fds %llu\n", (unsigned long long)limit.rlim_cur);
    }
}

static void write_cpu(struct isg_buf *out)
{
    struct timespec used;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) != 0)
        return;
    write_head(out, "process_cpu_seconds_total", "counter",
               "Total user and system CPU time spent in seconds.");
    isg_buf_printf(out, "process_cpu_seconds_total %lld.%02ld\n", (long long)used.tv_sec,
                   used.tv_nsec / 10000000);
}

/* Field 22 of /proc/self/stat (after the name in brackets) in ticks since the machine started. */
static bool start_ticks(unsigned long long *out)
{
    char text[1024];
    if (!read_proc("/proc/self/stat", text, sizeof text))
        return false;
    const char *p = strrchr(text, ')');
    for (int field = 2; p != NULL && field < 22; field++)
        p = strchr(p + 1, ' ');
    if (p == NULL)
        return false;
    char *end = NULL;
    *out = strtoull(p, &end, 10);
    return end != p;
}

/* When the process started, in seconds since 1970; found once, so that it never wavers. */
static long long start_time;
static pthread_once_t start_once = PTHREAD_ONCE_INIT;

static void find_start(void)
{
    char text[64];
    struct timespec now;
    unsigned long long ticks = 0;
    long per_second = sysconf(_SC_CLK_TCK);
    if (per_second <= 0 || !start_ticks(&ticks) || clock_gettime(CLOCK_REALTIME, &now) != 0 ||
        !read_proc("/proc/uptime", text, sizeof text))
        return;
    double boot = (double)now.tv_sec - strtod(text, NULL);
    start_time = (long long)(boot + (double)ticks / (double)per_second);
}

static void write_start(struct isg_buf *out)
{
    pthread_once(&start_once, find_start);
    if (start_time == 0)
        return;
    write_head(out, "process_start_time_seconds", "gauge",
               "Start time of the process since unix epoch in seconds.");
    isg_buf_printf(out, "process_start_time_seconds %lld\n", start_time);
}

void metrics_write(struct isg_buf *out)
{
    write_head(out, "isg_build_info", "gauge", "Version of this program; the value is always 1.");
    isg_buf_printf(out, "isg_build_info{version=\"%s\",commit=\"%s\"} 1\n", ISG_VERSION,
                   ISG_COMMIT);
    write_all(out);
    write_memory(out);
    write_fds(out);
    write_cpu(out);
    write_start(out);
}
