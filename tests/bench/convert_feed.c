/*
 * What turning a source's files into STIX costs, against json-c's parse of the objects that come out and
 * our check of them.
 *
 *     convert_feed FORMAT FILE...
 *
 * One line of JSON: bytes and records in, objects and bytes out, and microseconds of processor time of a conversion, of
 * json-c's parse and of the check, each the best of several runs over all files.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "feeds/feed.h"
#include "stix/base/time.h"
#include "stix/check.h"
#include "stix/json.h"
#include "tests/support/tap.h"

enum { FILES_MAX = 256, RUNS = 7 };

static const int64_t enough_us = 300000; /* of one step: a small file is done many times */

struct feed {
    const struct feed_source *source;
    struct isg_str files[FILES_MAX];
    size_t count;
    struct isg_buf lines; /* the objects, one a line */
    size_t objects;
    uint64_t records;
};

static int keep(void *arg, struct isg_str object, const char *facet, struct isg_fail *why)
{
    struct feed *feed = arg;
    (void)facet;
    (void)why;
    feed->objects++;
    isg_buf_put_str(&feed->lines, object);
    isg_buf_putc(&feed->lines, '\n');
    return feed->lines.err;
}

static bool convert(struct feed *feed)
{
    isg_buf_reset(&feed->lines);
    feed->objects = 0;
    feed->records = 0;
    for (size_t i = 0; i < feed->count; i++) {
        struct isg_fail why = {.code = ISG_OK};
        struct feed_context context = {.now_us = isg_time_now_us(),
                                       .owner = ISG_STR("Example ISAO"),
                                       .emit = keep,
                                       .arg = feed};
        feed_namespace(ISG_STR("urn:example:bench"), context.space);
        if (feed_map(feed->source, &context, feed->files[i], &why) != ISG_OK) {
            (void)fprintf(stderr, "file %zu: %s\n", i, why.text);
            return false;
        }
        feed->records += context.records;
    }
    return true;
}

static bool parse(struct feed *feed)
{
    struct isg_str rest = isg_buf_str(&feed->lines);
    struct isg_str line;
    struct json_tokener *tokener = json_tokener_new_ex(64);
    bool good = true;
    while (good && isg_str_split(&rest, '\n', &line)) {
        json_tokener_reset(tokener);
        struct json_object *tree = json_tokener_parse_ex(tokener, line.p, (int)line.n);
        good = tree != NULL || line.n == 0;
        json_object_put(tree);
    }
    json_tokener_free(tokener);
    return good;
}

/* The check of an object that is parsed already; the parse is taken off by measuring it alone. */
static bool check(struct feed *feed, bool really)
{
    struct isg_str rest = isg_buf_str(&feed->lines);
    struct isg_str line;
    struct isg_arena *arena = isg_arena_new(64 << 20);
    bool good = true;
    while (good && isg_str_split(&rest, '\n', &line)) {
        struct stix_json *tree = NULL;
        struct stix_report report;
        if (line.n == 0)
            continue;
        isg_arena_reset(arena);
        stix_report_init(&report, arena, 0);
        good = stix_json_parse(line, NULL, &tree, NULL) == ISG_OK &&
               (!really || stix_check(tree, NULL, &report) == ISG_OK);
        stix_json_free(&tree);
    }
    isg_arena_free(&arena);
    return good;
}

static bool check_all(struct feed *feed)
{
    return check(feed, true);
}

static bool check_none(struct feed *feed)
{
    return check(feed, false);
}

/* Of the processor, so that what else runs on the machine counts as little as it can. */
static int64_t cpu_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Microseconds of one step, the best of some runs; -1 when it failed. */
static double best_us(struct feed *feed, bool (*step)(struct feed *feed))
{
    double best = -1;
    for (int run = 0; run < RUNS; run++) {
        int64_t begin = cpu_us(), took = 0;
        int times = 0;
        while (times == 0 || took < enough_us / RUNS) {
            if (!step(feed))
                return -1;
            times++;
            took = cpu_us() - begin;
        }
        double one = (double)took / times;
        best = best < 0 || one < best ? one : best;
    }
    return best;
}

int main(int argc, char **argv)
{
    struct feed feed = {.source = argc > 1 ? feed_source_find(isg_str_of(argv[1])) : NULL};
    size_t bytes = 0;
    if (feed.source == NULL || argc < 3 || argc - 2 > FILES_MAX) {
        (void)fputs("convert_feed FORMAT FILE...\n", stderr);
        return 64;
    }
    for (int i = 2; i < argc; i++) {
        size_t n = 0;
        const char *text = tap_slurp(argv[i], &n);
        if (text == NULL)
            return 74;
        feed.files[feed.count++] = (struct isg_str){text, n};
        bytes += n;
    }
    isg_buf_init(&feed.lines, ISG_BUF_NO_MAX);
    /* Memory stays between runs: what the kernel takes to hand it out is counted to none of them. */
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 28); /* NOLINT(concurrency-mt-unsafe): one thread */
    double made = best_us(&feed, convert);
    double parsed = best_us(&feed, parse);
    double checked = best_us(&feed, check_all) - best_us(&feed, check_none);
    if (made < 0 || parsed < 0)
        return 1;
    printf("{\"bytes\":%zu,\"records\":%llu,\"objects\":%zu,\"out\":%zu,\"convert_us\":%.1f,"
           "\"parse_us\":%.1f,\"check_us\":%.1f}\n",
           bytes, (unsigned long long)feed.records, feed.objects, feed.lines.len, made, parsed,
           checked);
    return 0;
}
