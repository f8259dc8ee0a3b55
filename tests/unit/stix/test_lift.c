/*
 * The lift of 2.0, case by case. A line of fixtures/stix/lift-cases.ndjson holds what comes in and
 * either what comes out, in order (compared by canonical text), or the failure; `notes`, where it
 * is given, are those of the last object.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stix/check.h"
#include "stix/lift.h"
#include "tests/support/tap.h"

struct results {
    struct isg_buf text; /* a list of canonical texts */
    unsigned notes;
    size_t n;
};

static int keep(void *arg, const struct stix_lifted *lifted, struct isg_fail *why)
{
    struct results *results = arg;
    struct stix_json *tree = NULL;
    int err = stix_json_parse(lifted->text, NULL, &tree, why);
    isg_buf_puts(&results->text, results->n++ > 0 ? "," : "");
    stix_json_canon(tree, &results->text);
    results->notes = lifted->notes;
    stix_json_free(&tree);
    return err;
}

static int code_of(struct isg_str word)
{
    if (isg_str_is(word, "EINVAL"))
        return ISG_EINVAL;
    return isg_str_is(word, "ELIMIT") ? ISG_ELIMIT : ISG_OK;
}

static void check_results(const struct stix_json *row, const struct results *results, size_t line)
{
    struct isg_buf want;
    const struct stix_json *out = stix_json_get(row, "out");
    int64_t notes;
    isg_buf_init(&want, ISG_BUF_NO_MAX);
    isg_buf_puts(&want, "");
    for (size_t i = 0; i < stix_json_size(out); i++) {
        isg_buf_puts(&want, i > 0 ? "," : "");
        stix_json_canon(stix_json_at(out, i), &want);
    }
    is_str(results->text.p != NULL ? results->text.p : "", want.p != NULL ? want.p : "",
           "line %zu: what comes out", line);
    if (stix_json_int(stix_json_get(row, "notes"), &notes))
        is_int((long long)results->notes, notes, "line %zu: notes", line);
    isg_buf_done(&want);
}

static void check_row(struct isg_str text, size_t line)
{
    struct stix_json *row = NULL;
    struct isg_fail why = {0};
    struct results results = {.notes = 0};
    if (!ok(stix_json_parse(text, NULL, &row, &why) == ISG_OK, "line %zu parses", line))
        return;
    isg_buf_init(&results.text, ISG_BUF_NO_MAX);
    int want = code_of(stix_json_get_str(row, "code"));
    is_int(stix_lift(stix_json_get(row, "in"), keep, &results, &why), want, "line %zu: code", line);
    if (want == ISG_OK) {
        check_results(row, &results, line);
    } else {
        is_str(why.path, stix_json_get_str(row, "path").p, "line %zu: path", line);
        is_str(why.rule, stix_json_get_str(row, "rule").p, "line %zu: rule", line);
    }
    isg_buf_done(&results.text);
    stix_json_free(&row);
}

static void check_rows(void)
{
    size_t n = 0;
    size_t number = 0;
    char *text = tap_slurp(ISG_FIXTURES "/stix/lift-cases.ndjson", &n);
    struct isg_str rest = {text, n};
    struct isg_str line;
    ok(text != NULL, "the cases are there");
    while (isg_str_split(&rest, '\n', &line)) {
        number++;
        if (line.n > 0)
            check_row(line, number);
    }
    free(text);
}

/* --- recognising 2.0 (S-132) --- */

static void check_recognised(void)
{
    static const struct {
        const char *text;
        bool old;
    } rows[] = {
        {"{\"type\":\"bundle\",\"spec_version\":\"2.0\"}", true},
        {"{\"type\":\"bundle\"}", false},
        {"{\"type\":\"identity\",\"created\":\"2016-04-06T20:03:48.000Z\"}", true},
        {"{\"type\":\"identity\",\"spec_version\":\"2.0\"}", true},
        {"{\"type\":\"identity\",\"spec_version\":\"2.1\",\"created\":\"x\"}", false},
        {"{\"type\":\"identity\"}", false},
        {"{\"type\":\"file\",\"created\":\"2016-04-06T20:03:48.000Z\"}", false},
        {"{\"type\":\"x-example\",\"created\":\"2016-04-06T20:03:48.000Z\"}", true},
        {"{\"type\":\"marking-definition\"}", true},
        {"{\"type\":\"marking-definition\",\"spec_version\":\"2.1\"}", false},
        {"{\"created\":\"2016-04-06T20:03:48.000Z\"}", false},
        {"[]", false},
        {"null", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct stix_json *tree = NULL;
        (void)stix_json_parse(isg_str_of(rows[i].text), NULL, &tree, NULL);
        ok(stix_is_20(tree) == rows[i].old, "S-132: %s", rows[i].text);
        stix_json_free(&tree);
    }
}

/* --- bundles as text --- */

#define SEEN                                                                                  \
    "\"created\":\"2016-04-06T20:03:48.000Z\",\"modified\":\"2016-04-06T20:03:48.000Z\","     \
    "\"first_observed\":\"2016-04-06T20:03:48Z\",\"last_observed\":\"2016-04-06T20:03:48Z\"," \
    "\"number_observed\":1,\"objects\":{\"0\":{\"type\":\"ipv4-addr\",\"value\":\"192.0.2.7\"}}"
#define BUNDLE_ID "bundle--22222222-2222-4222-8222-222222222240"

static void check_bundle(void)
{
    static const char text[] =
        "{\"type\":\"bundle\",\"id\":\"" BUNDLE_ID "\",\"spec_version\":\"2.0\",\"x_from\":[1],"
        "\"objects\":[{\"type\":\"observed-data\","
        "\"id\":\"observed-data--22222222-2222-4222-8222-222222222201\"," SEEN "},"
        "{\"type\":\"observed-data\","
        "\"id\":\"observed-data--22222222-2222-4222-8222-222222222202\"," SEEN "}]}";
    struct stix_json *tree = NULL;
    struct stix_json *lifted = NULL;
    struct isg_buf out;
    struct isg_fail why = {0};
    struct stix_report report;
    struct isg_arena *arena = isg_arena_new(1024 * 1024);
    isg_buf_init(&out, ISG_BUF_NO_MAX);
    ok(stix_json_parse(ISG_STR(text), NULL, &tree, &why) == ISG_OK, "parses");
    is_int(stix_lift_bundle(tree, &out, &why), ISG_OK, "a bundle is lifted");
    ok(stix_json_parse(isg_buf_str(&out), NULL, &lifted, &why) == ISG_OK, "into JSON");
    is_int((long long)stix_json_size(stix_json_get(lifted, "objects")), 3,
           "an observable that two have in common is listed once");
    ok(!stix_json_has(lifted, "spec_version"), "spec_version is dropped (S-133)");
    ok(isg_str_is(stix_json_get_str(lifted, "id"), BUNDLE_ID) && stix_json_has(lifted, "x_from"),
       "id and custom members stay");
    stix_report_init(&report, arena, 0);
    is_int(stix_check(lifted, NULL, &report), ISG_OK, "the result is checked");
    is_int((long long)report.errors, 0, "and is STIX 2.1");
    isg_buf_done(&out);
    isg_buf_init(&out, 100);
    is_int(stix_lift_bundle(tree, &out, &why), ISG_ELIMIT, "a buffer that is too small");
    isg_buf_reset(&out);
    is_int(stix_lift_bundle(stix_json_at(stix_json_get(tree, "objects"), 0), &out, &why),
           ISG_EINVAL, "an object is no bundle");
    isg_buf_done(&out);
    stix_json_free(&tree);
    stix_json_free(&lifted);
    isg_arena_free(&arena);
}

/* Two hundred observations of a hundred and fifty mutexes: the table of what was seen grows. */
static void check_large_bundle(void)
{
    enum { OBSERVED = 200, MUTEXES = 150 };
    struct isg_buf text;
    struct isg_buf out;
    struct stix_json *tree = NULL;
    struct stix_json *lifted = NULL;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    isg_buf_init(&out, ISG_BUF_NO_MAX);
    isg_buf_puts(&text, "{\"type\":\"bundle\",\"id\":\"" BUNDLE_ID
                        "\",\"spec_version\":\"2.0\",\"objects\":[");
    for (int i = 0; i < OBSERVED; i++)
        isg_buf_printf(&text,
                       "%s{\"type\":\"observed-data\",\"id\":\"observed-data--22222222-2222-4222-"
                       "8222-222222222%03d\",\"created\":\"2016-04-06T20:03:48.000Z\",\"objects\":"
                       "{\"0\":{\"type\":\"mutex\",\"name\":\"%d\"}}}",
                       i > 0 ? "," : "", i, i % MUTEXES);
    isg_buf_puts(&text, "]}");
    ok(stix_json_parse(isg_buf_str(&text), NULL, &tree, NULL) == ISG_OK, "parses");
    is_int(stix_lift_bundle(tree, &out, NULL), ISG_OK, "a large bundle is lifted");
    ok(stix_json_parse(isg_buf_str(&out), NULL, &lifted, NULL) == ISG_OK, "into JSON");
    is_int((long long)stix_json_size(stix_json_get(lifted, "objects")), OBSERVED + MUTEXES,
           "each observable once, each observation");
    stix_json_free(&tree);
    stix_json_free(&lifted);
    isg_buf_done(&text);
    isg_buf_done(&out);
}

/* --- limits and callers that stop --- */

static int refuse(void *arg, const struct stix_lifted *lifted, struct isg_fail *why)
{
    size_t *calls = arg;
    (void)lifted;
    (*calls)++;
    return isg_fail(why, ISG_EBUSY, "not now");
}

static void check_stop(void)
{
    static const char text[] =
        "{\"type\":\"observed-data\",\"id\":\"observed-data--22222222-2222-4222-8222-"
        "222222222201\"," SEEN "}";
    struct stix_json *tree = NULL;
    struct isg_fail why = {0};
    size_t calls = 0;
    ok(stix_json_parse(ISG_STR(text), NULL, &tree, &why) == ISG_OK, "parses");
    is_int(stix_lift(tree, refuse, &calls, &why), ISG_EBUSY, "the callback's code is returned");
    is_int((long long)calls, 1, "and nothing follows it");
    stix_json_free(&tree);
}

static void check_many(void)
{
    struct isg_buf text;
    struct stix_json *tree = NULL;
    struct isg_fail why = {0};
    size_t calls = 0;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    isg_buf_puts(&text, "{\"type\":\"observed-data\",\"id\":\"observed-data--22222222-2222-4222-"
                        "8222-222222222201\",\"created\":\"2016-04-06T20:03:48.000Z\","
                        "\"objects\":{");
    for (int i = 0; i <= STIX_LIFT_OBSERVABLES_MAX; i++)
        isg_buf_printf(&text, "%s\"%d\":{\"type\":\"mutex\",\"name\":\"%d\"}", i > 0 ? "," : "", i,
                       i);
    isg_buf_puts(&text, "}}");
    ok(stix_json_parse(isg_buf_str(&text), NULL, &tree, &why) == ISG_OK, "parses");
    is_int(stix_lift(tree, refuse, &calls, &why), ISG_ELIMIT, "too many observables");
    is_int((long long)calls, 0, "none is handed out");
    isg_buf_done(&text);
    stix_json_free(&tree);
}

int main(void)
{
    check_rows();
    check_recognised();
    check_bundle();
    check_large_bundle();
    check_stop();
    check_many();
    return tap_done();
}
