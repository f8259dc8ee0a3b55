/*
 * How fast a STIX text is taken in, against json-c's parse of the same bytes.
 *
 *     bench_stix FILE [SECONDS]
 *
 * Every step runs in turn for some seconds; printed are MB/s and the time as a ratio to json-c's. FILE is an
 * envelope or a bundle.
 */
#include <stdio.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "stix/base/digest.h"
#include "stix/base/time.h"
#include "stix/object.h"
#include "stix/scan.h"
#include "tests/support/tap.h"

/* One step over the whole text; false when it failed. */
typedef bool step(struct isg_str text);

static bool jsonc_parse(struct isg_str text)
{
    struct json_tokener *tokener = json_tokener_new_ex(64);
    struct json_object *tree = json_tokener_parse_ex(tokener, text.p, (int)text.n);
    bool good = tree != NULL;
    json_object_put(tree);
    json_tokener_free(tokener);
    return good;
}

static bool scan(struct isg_str text)
{
    return stix_scan(text, NULL, NULL) == ISG_OK;
}

static bool parse(struct isg_str text)
{
    struct stix_json *tree = NULL;
    bool good = stix_json_parse(text, NULL, &tree, NULL) == ISG_OK;
    stix_json_free(&tree);
    return good;
}

static int count_object(void *arg, struct isg_str text, size_t index, struct isg_fail *why)
{
    (void)text;
    (void)why;
    *(size_t *)arg = index + 1;
    return ISG_OK;
}

static bool cut_in_pieces(struct isg_str text, size_t piece, stix_cutter_object *on_object)
{
    size_t count = 0;
    struct stix_cutter *cutter = stix_cutter_new(NULL, on_object, NULL, &count);
    int err = ISG_OK;
    while (err == ISG_OK && text.n > 0) {
        size_t n = piece < text.n ? piece : text.n;
        err = stix_cutter_feed(cutter, (struct isg_str){text.p, n}, NULL);
        text = isg_str_from(text, n);
    }
    if (err == ISG_OK)
        err = stix_cutter_end(cutter, NULL);
    stix_cutter_free(&cutter);
    return err == ISG_OK && count > 0;
}

static bool cut_whole(struct isg_str text)
{
    return cut_in_pieces(text, text.n, count_object);
}

static bool cut_64k(struct isg_str text)
{
    return cut_in_pieces(text, 65536, count_object);
}

/* What an object goes through on its way in: scan, tree, check, canonical form, digest. */
static int take_object(void *arg, struct isg_str text, size_t index, struct isg_fail *why)
{
    static struct isg_arena *arena; /* one for all, as a worker has it */
    struct stix_object object;
    struct stix_report report;
    if (arena == NULL)
        arena = isg_arena_new((size_t)16 << 20);
    isg_arena_reset(arena);
    stix_report_init(&report, arena, 0);
    int err = stix_object_read(text, NULL, &report, &object, why);
    if (err == ISG_OK)
        stix_object_done(&object);
    *(size_t *)arg = index + 1;
    return err == ISG_EINVAL ? ISG_OK : err; /* an object that breaks a rule took its time, too */
}

static int check_object(void *arg, struct isg_str text, size_t index, struct isg_fail *why)
{
    struct stix_json *tree = NULL;
    struct stix_report report;
    struct isg_arena *arena = isg_arena_new((size_t)16 << 20);
    int err = stix_json_parse(text, NULL, &tree, why);
    stix_report_init(&report, arena, 0);
    if (err == ISG_OK)
        err = stix_check(tree, NULL, &report);
    stix_json_free(&tree);
    isg_arena_free(&arena);
    *(size_t *)arg = index + 1;
    return err;
}

static int canon_object(void *arg, struct isg_str text, size_t index, struct isg_fail *why)
{
    struct stix_json *tree = NULL;
    struct isg_buf canon;
    uint8_t digest[ISG_SHA256_BYTES];
    int err = stix_json_parse(text, NULL, &tree, why);
    isg_buf_init(&canon, ISG_BUF_NO_MAX);
    if (err == ISG_OK) {
        stix_json_canon(tree, &canon);
        isg_sha256(isg_buf_str(&canon), digest);
    }
    stix_json_free(&tree);
    isg_buf_done(&canon);
    *(size_t *)arg = index + 1;
    return err;
}

static bool cut_and_check(struct isg_str text)
{
    return cut_in_pieces(text, 65536, check_object);
}

static bool cut_and_canon(struct isg_str text)
{
    return cut_in_pieces(text, 65536, canon_object);
}

static bool take_all(struct isg_str text)
{
    return cut_in_pieces(text, 65536, take_object);
}

static const struct {
    const char *name;
    step *run;
} steps[] = {
    {"json-c parse", jsonc_parse},
    {"scan", scan},
    {"cut, whole", cut_whole},
    {"cut, 64 KiB pieces", cut_64k},
    {"scan + tree", parse},
    {"cut + tree + check", cut_and_check},
    {"cut + tree + canon + digest", cut_and_canon},
    {"all of an object's way in", take_all},
};

/* MB/s of the best run in so many seconds; 0 when the step failed. */
static double measure(step *run, struct isg_str text, double seconds)
{
    int64_t best = INT64_MAX;
    int64_t until = isg_time_mono_us() + (int64_t)(seconds * 1e6);
    do {
        int64_t begun = isg_time_mono_us();
        if (!run(text))
            return 0;
        int64_t took = isg_time_mono_us() - begun;
        best = took < best ? took : best;
    } while (isg_time_mono_us() < until);
    return (double)text.n / (double)(best > 0 ? best : 1);
}

int main(int argc, char **argv)
{
    struct isg_str text = {NULL, 0};
    char *bytes = argc > 1 ? tap_slurp(argv[1], &text.n) : NULL;
    double seconds = argc > 2 ? strtod(argv[2], NULL) : 2;
    if (bytes == NULL) {
        (void)fprintf(stderr, "usage: bench_stix FILE [SECONDS]\n");
        return 64;
    }
    text.p = bytes;
    double reference = 0;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        double speed = measure(steps[i].run, text, seconds);
        reference = i == 0 ? speed : reference;
        printf("%-36s %8.1f MB/s  %5.2f times json-c's time\n", steps[i].name, speed,
               speed > 0 ? reference / speed : 0.0);
    }
    free(bytes);
    return 0;
}
