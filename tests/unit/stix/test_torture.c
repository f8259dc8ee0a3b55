/*
 * Every allocation fails in turn: an error code comes back, nothing crashes, nothing is lost, and
 * with memory the same call works again.
 *
 * The allocator is replaced in this program, so that the libraries' own calls are counted too.
 * Each job runs once to count its allocations and then once for each of them with that one
 * failing (and once more with all from it on failing).
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stix/base/buf.h"
#include "stix/bundle.h"
#include "stix/equal.h"
#include "stix/id.h"
#include "stix/lift.h"
#include "stix/match.h"
#include "stix/object.h"
#include "stix/pattern.h"
#include "tests/support/tap.h"

enum { TURNS_MAX = 20000, ARENA_BYTES = 1 << 22 };

/* ---- the allocator ---- */

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t count, size_t n);
extern void *__libc_realloc(void *p, size_t n);
extern void __libc_free(void *p);

static struct {
    bool on;
    bool all_on;  /* all later ones fail as well */
    size_t fails; /* which one: counted from 1; 0: none */
    size_t calls; /* since it was switched on */
    long live;    /* blocks given out and not freed since then */
} heap;

static bool refuse(void)
{
    if (!heap.on)
        return false;
    heap.calls++;
    return heap.fails != 0 &&
           (heap.calls == heap.fails || (heap.all_on && heap.calls > heap.fails));
}

static void *given(void *p)
{
    heap.live += heap.on && p != NULL;
    return p;
}

void *malloc(size_t n)
{
    return refuse() ? NULL : given(__libc_malloc(n));
}

void *calloc(size_t count, size_t n)
{
    return refuse() ? NULL : given(__libc_calloc(count, n));
}

void *realloc(void *p, size_t n)
{
    if (refuse())
        return NULL;
    return p == NULL ? given(__libc_malloc(n)) : __libc_realloc(p, n);
}

void free(void *p)
{
    heap.live -= heap.on && p != NULL;
    __libc_free(p);
}

/* ---- the jobs ---- */

/* Do the whole thing and release everything. Returns its code. */
typedef int job(struct isg_str text);

static int job_scan(struct isg_str text)
{
    struct isg_fail why;
    return stix_scan(text, NULL, &why);
}

static int job_parse(struct isg_str text)
{
    struct stix_json *tree = NULL;
    int err = stix_json_parse(text, NULL, &tree, NULL);
    struct isg_buf canon;
    isg_buf_init(&canon, ISG_BUF_NO_MAX);
    stix_json_canon(tree, &canon);
    if (err == ISG_OK)
        err = canon.err;
    isg_buf_done(&canon);
    stix_json_free(&tree);
    return err;
}

static int job_object(struct isg_str text)
{
    struct stix_object object = {.json = NULL};
    struct stix_report report;
    struct isg_fail why;
    struct isg_arena *arena = isg_arena_new(ARENA_BYTES);
    if (arena == NULL)
        return ISG_ENOMEM;
    stix_report_init(&report, arena, 0);
    int err = stix_object_read(text, NULL, &report, &object, &why);
    stix_object_done(&object);
    isg_arena_free(&arena);
    return err;
}

static int check(struct isg_str text, enum stix_edition edition)
{
    const struct stix_check_options options = {.edition = edition};
    struct stix_json *tree = NULL;
    struct stix_report report;
    struct isg_arena *arena = isg_arena_new(ARENA_BYTES);
    int err = arena == NULL ? ISG_ENOMEM : stix_json_parse(text, NULL, &tree, NULL);
    if (err == ISG_OK) {
        stix_report_init(&report, arena, 0);
        err = stix_check(tree, &options, &report);
    }
    stix_json_free(&tree);
    isg_arena_free(&arena);
    return err;
}

/* A bundle whole, with what its objects have in common. */
static int job_check(struct isg_str text)
{
    return check(text, STIX_EDITION_21);
}

static int job_check_20(struct isg_str text)
{
    return check(text, STIX_EDITION_20);
}

/* Two objects, as a and b. */
static int job_equal(struct isg_str text)
{
    struct stix_json *tree = NULL;
    bool same;
    int err = stix_json_parse(text, NULL, &tree, NULL);
    const struct stix_json *a = stix_json_get(tree, "a");
    const struct stix_json *b = stix_json_get(tree, "b");
    if (err == ISG_OK)
        err = stix_equal(a, b, &same, NULL);
    if (err == ISG_OK)
        err = stix_equivalent(a, b, NULL, NULL, &same, NULL);
    stix_json_free(&tree);
    return err;
}

static int job_id(struct isg_str text)
{
    char id[STIX_ID_MAX + 1];
    struct stix_json *tree = NULL;
    int err = stix_json_parse(text, NULL, &tree, NULL);
    if (err == ISG_OK)
        err = stix_id_sco(tree, id, NULL, NULL);
    stix_json_free(&tree);
    return err;
}

static int job_pattern(struct isg_str text)
{
    struct isg_fail why;
    return stix_pattern_check(text, STIX_PATTERN_2_1, &why);
}

static int job_normal(struct isg_str text)
{
    struct isg_buf out;
    struct isg_fail why;
    isg_buf_init(&out, ISG_BUF_NO_MAX);
    int err = stix_pattern_print(text, STIX_PATTERN_2_1, &out, &why);
    if (err == ISG_OK)
        err = out.err;
    isg_buf_done(&out);
    return err;
}

static int match(struct isg_str pattern, struct isg_str observations)
{
    struct stix_json *tree = NULL;
    bool matches = false;
    struct isg_fail why;
    int err = stix_json_parse(observations, NULL, &tree, NULL);
    if (err == ISG_OK)
        err = stix_match(pattern, STIX_PATTERN_2_1, tree, &matches, &why);
    stix_json_free(&tree);
    return err == ISG_OK && !matches ? ISG_ENOENT : err;
}

#define OBSERVED                                                                                    \
    "{\"type\":\"observed-data\",\"id\":\"observed-data--11111111-1111-4111-8111-111111111101\","   \
    "\"created\":\"2024-05-01T08:00:00.000Z\",\"modified\":\"2024-05-01T08:00:00.000Z\","           \
    "\"first_observed\":\"2024-05-01T08:00:00Z\",\"last_observed\":\"2024-05-01T08:00:00Z\","       \
    "\"number_observed\":1,\"objects\":{\"0\":{\"type\":\"ipv4-addr\",\"value\":\"198.51.100.7\"}," \
    "\"1\":{\"type\":\"url\",\"value\":\"https://intel.example/\\u00e9\"},"                         \
    "\"2\":{\"type\":\"network-traffic\",\"protocols\":[\"tcp\"],\"dst_ref\":\"0\"}}}"

static int job_match(struct isg_str text)
{
    return match(text, ISG_STR(OBSERVED));
}

#define SEEN(first, last, times, name, octets)                                         \
    "{\"type\":\"observed-data\",\"first_observed\":\"2024-05-01T08:00:0" first        \
    "Z\",\"last_observed\":\"2024-05-01T08:00:0" last "Z\",\"number_observed\":" times \
    ",\"objects\":{\"0\":{\"type\":\"x-e\",\"k\":\"" name "\",\"b_hex\":\"" octets "\"}}}"

/* Over observations with times of their own, and one that refers to what is beside it. */
static int job_match_times(struct isg_str text)
{
    return match(
        text,
        ISG_STR("[" SEEN("0", "1", "1", "a", "61") "," SEEN("1", "2", "2", "b", "62") "," SEEN(
            "4", "9", "1", "u\u0308",
            "zz") ",{\"type\":\"bundle\",\"objects\":[{\"type\":\"file\",\"id\":"
                  "\"file--1\",\"name\":\"x\"},{\"type\":\"observed-data\","
                  "\"first_observed\":\"2024-05-01T08:00:05Z\",\"last_observed\":"
                  "\"2024-05-01T08:00:05Z\",\"object_refs\":[\"file--1\"]}]}]"));
}

static int job_match_bare(struct isg_str text)
{
    return match(text, ISG_STR("[{\"type\":\"file\",\"id\":\"file--1\",\"name\":\"x\"},"
                               "{\"type\":\"x-e\",\"of_ref\":\"file--1\"}]"));
}

static int job_match_wrong(struct isg_str text)
{
    return match(text, ISG_STR("[" SEEN("0", "1", "0", "a", "61") "]"));
}

/* Two patterns, a newline between them. */
static int job_equivalent(struct isg_str text)
{
    struct isg_str a = {NULL, 0};
    bool same = false;
    struct isg_fail why;
    (void)isg_str_split(&text, '\n', &a);
    int err = stix_pattern_equivalent(a, text, STIX_PATTERN_2_1, &same, &why);
    return err == ISG_OK && !same ? ISG_ENOENT : err;
}

static int emit(void *arg, const struct stix_lifted *lifted, struct isg_fail *why)
{
    (void)why;
    *(size_t *)arg += lifted->text.n;
    return ISG_OK;
}

/* A row of the lift's cases has it under `in`. */
static const struct stix_json *what_comes_in(const struct stix_json *tree)
{
    return stix_json_has(tree, "in") ? stix_json_get(tree, "in") : tree;
}

static int job_lift(struct isg_str text)
{
    struct stix_json *tree = NULL;
    struct isg_fail why;
    size_t bytes = 0;
    int err = stix_json_parse(text, NULL, &tree, NULL);
    if (err == ISG_OK)
        err = stix_lift(what_comes_in(tree), emit, &bytes, &why);
    stix_json_free(&tree);
    return err;
}

static int job_lift_bundle(struct isg_str text)
{
    struct stix_json *tree = NULL;
    struct isg_fail why;
    struct isg_buf out;
    isg_buf_init(&out, ISG_BUF_NO_MAX);
    int err = stix_json_parse(text, NULL, &tree, NULL);
    if (err == ISG_OK)
        err = stix_lift_bundle(what_comes_in(tree), &out, &why);
    if (err == ISG_OK)
        err = out.err;
    isg_buf_done(&out);
    stix_json_free(&tree);
    return err;
}

static int job_lift_pattern(struct isg_str text)
{
    struct isg_buf out;
    struct isg_fail why;
    isg_buf_init(&out, ISG_BUF_NO_MAX);
    int err = stix_lift_pattern(text, &out, &why);
    if (err == ISG_OK)
        err = out.err;
    isg_buf_done(&out);
    return err;
}

static int on_object(void *arg, struct isg_str text, size_t index, struct isg_fail *why)
{
    (void)index;
    (void)why;
    *(size_t *)arg += 1;
    return job_object(text);
}

/* In pieces, so that the cutter keeps what it has. */
static int job_cutter(struct isg_str text)
{
    size_t count = 0;
    struct isg_fail why;
    struct stix_cutter *cutter = stix_cutter_new(NULL, on_object, NULL, &count);
    int err = cutter == NULL ? ISG_ENOMEM : ISG_OK;
    for (; err == ISG_OK && text.n > 0; text = isg_str_from(text, 61))
        err = stix_cutter_feed(cutter, (struct isg_str){text.p, text.n < 61 ? text.n : 61}, &why);
    if (err == ISG_OK)
        err = stix_cutter_end(cutter, &why);
    stix_cutter_free(&cutter);
    return err;
}

static int job_bundle(struct isg_str text)
{
    struct stix_bundle_writer writer;
    struct isg_buf out;
    isg_buf_init(&out, ISG_BUF_NO_MAX);
    stix_bundle_begin(&writer, &out, NULL);
    for (int i = 0; i < 20; i++)
        stix_bundle_add(&writer, text);
    stix_bundle_end(&writer);
    int err = out.err;
    isg_buf_done(&out);
    return err;
}

/* ---- the turns ---- */

#define TIMES "\"created\":\"2024-05-01T08:00:00.000Z\",\"modified\":\"2024-05-01T08:00:00.000Z\","

static const char indicator[] =
    "{\"type\":\"indicator\",\"spec_version\":\"2.1\"," TIMES
    "\"id\":\"indicator--11111111-1111-4111-8111-111111111101\",\"pattern_type\":\"stix\","
    "\"pattern\":\"[ipv4-addr:value = '198.51.100.7' OR url:value MATCHES '^a(b|c)+$']\","
    "\"valid_from\":\"2024-05-01T08:00:00Z\",\"confidence\":50,\"lang\":\"en\","
    "\"description\":\"a text with \\u00e9scapes and \\ud83d\\ude00, longer than one name is\","
    "\"x_list\":[1,2.5,true,false,1e300,123456789.123456789,[],{}],\"x_other\":{\"a\":\"b\"},"
    "\"external_references\":[{\"source_name\":\"a\",\"url\":\"https://intel.example/a\"}],"
    "\"labels\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\"]}";

static const char file[] =
    "{\"type\":\"file\",\"spec_version\":\"2.1\",\"name\":\"pump.bin\",\"size\":5,"
    "\"id\":\"file--11111111-1111-4111-8111-111111111101\","
    "\"hashes\":{\"SHA-256\":"
    "\"a948904f2f0f479b8f8197694b30184b0d2ed1c1cd2a1ec0fb85d299a192a447\"},"
    "\"extensions\":{\"ntfs-ext\":{\"sid\":\"1234567\"}}}";

static const char wrong[] =
    "{\"type\":\"malware\",\"spec_version\":\"2.1\"," TIMES
    "\"id\":\"malware--1\",\"is_family\":3,\"malware_types\":[],\"a/b~c\":null,"
    "\"granular_markings\":[{\"selectors\":[\"x.[0]\"],\"marking_ref\":\"y\"}]}";

static const char bundle[] =
    "{\"type\":\"bundle\",\"id\":\"bundle--11111111-1111-4111-8111-111111111101\",\"objects\":["
    "{\"type\":\"ipv4-addr\",\"spec_version\":\"2.1\",\"value\":\"198.51.100.7\","
    "\"id\":\"ipv4-addr--12592121-be4c-5a93-a813-5a5af16e50db\"},"
    "{\"type\":\"mutex\",\"spec_version\":\"2.1\",\"name\":\"a\\u00e9\","
    "\"id\":\"mutex--eba44954-d4e4-5d3b-814c-2b17dd8de300\"}],\"x_more\":[\"a\",\"b\"]}";

static const struct {
    const char *name;
    job *run;
    const char *text;
    int code; /* with memory */
} fixed[] = {
    {"scan of an object", job_scan, indicator, ISG_OK},
    {"scan of a bad text", job_scan, "{\"a\":{\"b\\u0041\":1,\"bA\":2}}", ISG_EPARSE},
    {"parse and canon", job_parse, indicator, ISG_OK},
    {"parse of a bundle", job_parse, bundle, ISG_OK},
    {"parse of a number", job_parse, " 12345.678901234567890123 ", ISG_OK},
    {"parse of a null", job_parse, "null", ISG_OK},
    {"an indicator", job_object, indicator, ISG_OK},
    {"a file", job_object, file, ISG_OK},
    {"an object that breaks rules", job_object, wrong, ISG_EINVAL},
    {"a bundle", job_check, bundle, ISG_OK},
    {"the id of a file", job_id, file, ISG_OK},
    {"a pattern", job_pattern,
     "([a:b = 'x\\'y' AND a:c IN ('y', 'z\\'')] OR [a:d MATCHES '^(a|b)*c']) "
     "FOLLOWEDBY [e:f[*].g LIKE 'h%'] WITHIN 5 SECONDS REPEATS 2 TIMES",
     ISG_OK},
    {"a wrong pattern", job_pattern, "[a:b MATCHES '(']", ISG_EINVAL},
    {"a normal form", job_normal,
     "([a:b = 'x' OR a:c != 5] AND [d:e IN ('z', 'y')]) OR [f:g = 2 AND f:h = t'2024-05-01T08:00:00Z']",
     ISG_OK},
    {"a match", job_match,
     "[ipv4-addr:value ISSUBSET '198.51.100.0/24' AND url:value MATCHES 'https?://.*'] AND "
     "[network-traffic:dst_ref.value = '198.51.100.7' OR url:value LIKE '%\u00e9']",
     ISG_ENOENT},
    {"a match in one", job_match,
     "[ipv4-addr:value ISSUBSET '198.51.100.0/24' AND ipv4-addr:value MATCHES '.*7$']", ISG_OK},
    {"a match in time", job_match_times,
     "(([x-e:k = 'a'] FOLLOWEDBY [x-e:b_hex = b'Yg=='] REPEATS 2 TIMES FOLLOWEDBY [file:name LIKE "
     "'%x' OR x-e:k = 'q']) WITHIN 5 SECONDS OR [x-e:k MATCHES '[' OR x-e:k = 1] REPEATS 9 TIMES) "
     "START t'2024-05-01T08:00:00Z' STOP t'2024-05-01T08:01:00Z'",
     ISG_EINVAL},
    {"a match in order", job_match_times,
     "(([x-e:k = 'a'] FOLLOWEDBY [x-e:b_hex = b'Yg=='] REPEATS 2 TIMES FOLLOWEDBY [file:name LIKE "
     "'%x' OR x-e:k = 'q']) WITHIN 5 SECONDS OR [x-e:k MATCHES '\xc3\xbc'] REPEATS 9 TIMES) "
     "START t'2024-05-01T08:00:00Z' STOP t'2024-05-01T08:01:00Z'",
     ISG_OK},
    {"a match again and again", job_match_times,
     "(([x-e:b_hex > h'60'] FOLLOWEDBY [x-e:k != 'a']) WITHIN 9 SECONDS) REPEATS 2 TIMES AND "
     "[x-e:k LIKE '\xc3\xbc']",
     ISG_ENOENT},
    {"a match of observables", job_match_bare, "[x-e:of_ref.name = 'x'] AND [file:name != 'y']",
     ISG_OK},
    {"a match of no observation", job_match_wrong, "[x-e:k = 'a']", ISG_EINVAL},
    {"equivalent patterns", job_equivalent,
     "[a:b IN (1, 2) AND (c:d = 1 OR a:e[*] NOT IN ('y', 'x'))] AND ([f:g = 1] OR [f:h = "
     "1]) WITHIN 5 SECONDS REPEATS 2 TIMES\n"
     "([f:h = 1 OR f:g = 1]) WITHIN 5.0 SECONDS REPEATS 2 TIMES AND [a:e[*] NOT IN ('x', 'y') AND "
     "(a:b = 2 OR a:b = 1)]",
     ISG_OK},
    {"other patterns", job_equivalent,
     "[a:b_hex = 'x' AND a:c = 0.0000001]\n[windows-registry-key:key = 'K'] FOLLOWEDBY [a:b = 1]",
     ISG_ENOENT},
    {"a lift", job_lift, OBSERVED, ISG_OK},
    {"a lifted bundle", job_lift_bundle,
     "{\"type\":\"bundle\",\"spec_version\":\"2.0\",\"id\":"
     "\"bundle--11111111-1111-4111-8111-111111111101\",\"objects\":[" OBSERVED "]}",
     ISG_OK},
    {"a lifted pattern", job_lift_pattern,
     "[a:b = 'x'] START '2024-05-01T08:00:00Z' STOP '2024-05-02T08:00:00Z'", ISG_OK},
    {"objects cut from pieces", job_cutter, bundle, ISG_OK},
    {"a bundle written", job_bundle, indicator, ISG_OK},
};

struct turn {
    int code;
    size_t calls;
    long live;
};

/* One run; heap.fails is 0 for one with memory. */
static struct turn run_once(job *run, struct isg_str text, size_t fails, bool all_on)
{
    struct turn turn;
    heap.calls = 0;
    heap.live = 0;
    heap.fails = fails;
    heap.all_on = all_on;
    heap.on = true;
    turn.code = run(text);
    heap.on = false;
    turn.calls = heap.calls;
    turn.live = heap.live;
    return turn;
}

/* A failed allocation may be made up for, but then the answer must be the true one. */
static void torture(const char *name, job *run, struct isg_str text, int code)
{
    size_t other = 0;
    size_t lost = 0;
    size_t unseen = 0;
    (void)run_once(run, text, 0, false); /* what libraries make once */
    struct turn whole = run_once(run, text, 0, false);
    for (size_t i = 1; i <= 2 * whole.calls && i <= TURNS_MAX; i++) {
        bool all_on = i > whole.calls;
        struct turn turn = run_once(run, text, all_on ? i - whole.calls : i, all_on);
        other += turn.code != ISG_ENOMEM && turn.code != code;
        lost += turn.live != 0;
        unseen += turn.code == code;
    }
    struct turn again = run_once(run, text, 0, false);
    ok(whole.code == code && again.code == code && other == 0 && lost == 0 && whole.live == 0 &&
           again.calls == whole.calls,
       "%s: %zu allocations, each failed: %zu other codes, %zu leaks, %zu made up for", name,
       whole.calls, other, lost, unseen);
}

/* An object with more names than its table has room for at first, at every level. */
static void test_large(void)
{
    struct isg_buf text;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    isg_buf_puts(&text, "{\"type\":\"x-large\",\"list\":[");
    for (int i = 0; i < 90; i++)
        isg_buf_printf(&text, "%s\"%d\"", i > 0 ? "," : "", i);
    isg_buf_puts(&text, "]");
    for (int i = 0; i < 90; i++)
        isg_buf_printf(&text, ",\"name\\u00e9%d\":{\"a\":[%d.25]}", i, i);
    isg_buf_puts(&text, "}");
    torture("90 names", job_parse, isg_buf_str(&text), ISG_OK);
    torture("90 names in an object", job_object, isg_buf_str(&text), ISG_EINVAL);
    isg_buf_reset(&text);
    for (int i = 0; i < 64; i++)
        isg_buf_puts(&text, "[");
    for (int i = 0; i < 64; i++)
        isg_buf_puts(&text, "]");
    torture("64 levels", job_parse, isg_buf_str(&text), ISG_OK);
    isg_buf_done(&text);
}

/*
 * Every so many rows of a table of cases, each in a job of its own: the last member, whose name is
 * given, or the whole row.
 */
static void test_rows(const char *path, const char *name, size_t every, job *run)
{
    char *rows = tap_slurp(path, NULL);
    struct isg_str rest = isg_str_of(rows);
    struct isg_str line;
    size_t n = 0;
    for (; isg_str_split(&rest, '\n', &line); n++) {
        const char *object = line.n > 0 ? strstr(line.p, name) : NULL;
        if (object == NULL || n % every != 0)
            continue;
        size_t skip = strlen(name); /* and the bracket that ends the row */
        struct isg_str text = {object + skip, (size_t)(line.p + line.n - object) - skip - 1};
        if (skip == 0)
            text = line;
        struct turn whole = run_once(run, text, 0, false);
        char title[80];
        (void)snprintf(title, sizeof title, "row %zu of %.40s", n + 1, strrchr(path, '/') + 1);
        torture(title, run, text, whole.code);
    }
    ok(n > 50, "%zu rows", n);
    free(rows);
}

int main(void)
{
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        torture(fixed[i].name, fixed[i].run, isg_str_of(fixed[i].text), fixed[i].code);
    test_large();
    test_rows(ISG_FIXTURES "/stix/check-cases.ndjson", "\"object\":", 5, job_object);
    test_rows(ISG_FIXTURES "/stix/check-cases.ndjson", "\"object\":", 7, job_check);
    test_rows(ISG_FIXTURES "/stix/check20-cases.ndjson", "\"object\":", 2, job_check_20);
    test_rows(ISG_FIXTURES "/stix/equal-cases.ndjson", "", 1, job_equal);
    test_rows(ISG_FIXTURES "/stix/lift-cases.ndjson", "", 1, job_lift);
    test_rows(ISG_FIXTURES "/stix/lift-cases.ndjson", "", 1, job_lift_bundle);
    return tap_done();
}
