/* The Prometheus text form: names, one HELP and TYPE a family, label sets beside each other. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "gateway/metrics.h"
#include "stix/base/str.h"
#include "tests/support/tap.h"

static const char *const wanted[] = {
    "# TYPE isg_build_info gauge\nisg_build_info{version=\"",
    "# TYPE isg_http_requests_total counter\n"
    "isg_http_requests_total{route=\"discovery\",code=\"200\"} 3\n"
    "isg_http_requests_total{route=\"objects\",code=\"404\"} 1\n",
    "isg_http_connections 5\n",
    "isg_redis_up 1\n",
    "isg_ratelimited_total 0\n",
    "# TYPE isg_redis_command_duration_seconds histogram\n"
    "isg_redis_command_duration_seconds_bucket{le=\"0.0001\"} 2\n"
    "isg_redis_command_duration_seconds_bucket{le=\"0.00025\"} 3\n",
    "isg_redis_command_duration_seconds_bucket{le=\"5\"} 3\n"
    "isg_redis_command_duration_seconds_bucket{le=\"10\"} 4\n"
    "isg_redis_command_duration_seconds_bucket{le=\"+Inf\"} 5\n"
    "isg_redis_command_duration_seconds_sum 26.000201\n"
    "isg_redis_command_duration_seconds_count 5\n",
    "isg_http_request_duration_seconds_bucket{le=\"+Inf\"} 0\n"
    "isg_http_request_duration_seconds_sum 0.000000\n"
    "isg_http_request_duration_seconds_count 0\n",
    "isg_feed_last_success_timestamp_seconds{feed=\"kev\"} 1709470000\n",
    "process_resident_memory_bytes ",
    "process_open_fds ",
    "process_cpu_seconds_total ",
    "process_start_time_seconds ",
};

static void *add_many(void *arg)
{
    (void)arg;
    for (int i = 0; i < 10000; i++) {
        metric_add(METRIC_REDIS_RECONNECTS, "", 1);
        metric_add(METRIC_OBJECTS_ACCEPTED, i % 2 == 0 ? "source=\"a\"" : "source=\"b\"", 1);
    }
    return NULL;
}

static void test_threads(void)
{
    pthread_t threads[4];
    struct isg_buf text;
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, add_many, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    metrics_write(&text);
    ok(strstr(text.p, "isg_redis_reconnects_total 40000\n") != NULL, "no addition is lost");
    ok(strstr(text.p, "isg_objects_accepted_total{source=\"a\"} 20000\n") != NULL,
       "nor one with labels");
    isg_buf_done(&text);
}

/* Rules that promtool also checks: each family once, counters end in _total, every sample known. */
static void test_form(const char *all)
{
    struct isg_str rest = isg_str_of(all);
    struct isg_str line;
    char family[128] = "";
    char type[16] = "";
    char seen[64][128];
    size_t families = 0;
    bool good = true;
    while (isg_str_split(&rest, '\n', &line)) {
        char copy[512];
        (void)snprintf(copy, sizeof copy, "%.*s", ISG_STR_ARG(line));
        if (sscanf(copy, "# TYPE %127s %15s", family, type) == 2) {
            for (size_t i = 0; i < families; i++)
                good = good && strcmp(seen[i], family) != 0;
            (void)snprintf(seen[families++], sizeof seen[0], "%s", family);
            bool total = strlen(family) > 6 && strcmp(family + strlen(family) - 6, "_total") == 0;
            good = good && total == (strcmp(type, "counter") == 0);
        } else if (copy[0] != '#' && copy[0] != '\0') {
            static const char *const parts[] = {"_bucket", "_sum", "_count"};
            size_t n = strcspn(copy, "{ ");
            bool known = n == strlen(family);
            for (size_t i = 0; i < 3 && strcmp(type, "histogram") == 0; i++)
                known = known || (n == strlen(family) + strlen(parts[i]) &&
                                  strncmp(copy + strlen(family), parts[i], strlen(parts[i])) == 0);
            good = good && known && strncmp(copy, family, strlen(family)) == 0;
        }
    }
    ok(good && families > 8, "families come once, with their samples behind them");
}

int main(void)
{
    struct isg_buf text;
    metric_add(METRIC_HTTP_REQUESTS, "route=\"objects\",code=\"404\"", 1);
    metric_add(METRIC_HTTP_REQUESTS, "route=\"discovery\",code=\"200\"", 2);
    metric_add(METRIC_HTTP_REQUESTS, "route=\"discovery\",code=\"200\"", 1);
    metric_set(METRIC_HTTP_CONNECTIONS, "", 7);
    metric_add(METRIC_HTTP_CONNECTIONS, NULL, -2);
    metric_set(METRIC_REDIS_UP, "", 1);
    metric_set(METRIC_FEED_LAST_SUCCESS, "feed=\"kev\"", 1709470000);
    static const int64_t took_us[] = {-5, 100, 101, 6000000, 20000000};
    for (size_t i = 0; i < sizeof took_us / sizeof took_us[0]; i++)
        metric_observe(METRIC_REDIS_DURATION, took_us[i]);
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    metrics_write(&text);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        ok(strstr(text.p, wanted[i]) != NULL, "sample %zu is there", i);
    ok(strstr(text.p, "isg_feed_errors_total") == NULL, "a labelled metric nobody used is absent");
    test_form(text.p);
    isg_buf_done(&text);
    test_threads();
    return tap_done();
}
