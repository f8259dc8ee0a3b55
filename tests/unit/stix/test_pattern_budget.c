/*
 * Every bound on the work and the memory of matches and normal forms, in turn (S-129): with little
 * of either comes an error, with enough the right answer, and with nothing between a wrong one.
 */
#include <string.h>

#include "stix/match_private.h"
#include "stix/pattern_normal.h"
#include "tests/support/tap.h"

enum { WORK_ENOUGH = 1000000, ARENA_ENOUGH = 1 << 22, BLOCK = 8192 };

#define SEEN(first, last, times, values)                                               \
    "{\"type\":\"observed-data\",\"first_observed\":\"2026-01-01T00:00:0" first        \
    "Z\",\"last_observed\":\"2026-01-01T00:00:0" last "Z\",\"number_observed\":" times \
    ",\"objects\":{\"0\":{\"type\":\"x-e\"," values "}}}"

static const char scene_text[] =
    "[" SEEN("0", "1", "1", "\"k\":\"a\",\"b_hex\":\"61\",\"l\":[[1,2],[3]],\"of_ref\":\"0\"") "," SEEN("1", "2", "2", "\"k\":\"b\",\"n\":7") "," SEEN(
        "4", "9", "1",
        "\"k\":\"\\u00fc\",\"n\":1.5,\"at\":\"2026-01-01T00:00:00Z\"") "," SEEN("4", "4", "1",
                                                                                "\"k\":\"a\",\"v_ref\":\"9\"") ","
                                                                                                               "{\"type\":\"bundle\",\"objects\":[{\"type\":\"file\",\"id\":\"file--1\",\"name\":\"x\"},"
                                                                                                               "{\"type\":\"observed-data\",\"first_observed\":\"2026-01-01T00:00:05Z\",\"last_observed\":"
                                                                                                               "\"2026-01-01T00:00:06Z\",\"object_refs\":[\"file--1\",\"file--2\"]}]}]";

static const struct {
    const char *pattern;
    bool match;
} matches[] = {
    {"[x-e:k = 'a' AND x-e:l[*][1] > 1 AND x-e:of_ref.of_ref.k LIKE '%_']", true},
    {"[x-e:k MATCHES '^\xc3\xbc$' AND x-e:at = t'2026-01-01T00:00:00.0Z' AND x-e:n NOT IN (1, 2)]",
     true},
    {"[x-e:b_hex = b'YQ==' AND x-e:b_hex LIKE 'a' AND x-e:b_hex MATCHES 'a']", true},
    {"[x-e:v_ref.k = 'a' OR x-e:k ISSUBSET '10.0.0.0/8' OR EXISTS x-e:q[*].r]", false},
    {"([x-e:k = 'a'] FOLLOWEDBY [x-e:n > 1] REPEATS 2 TIMES FOLLOWEDBY [file:name = 'x' OR "
     "x-e:k = 'q']) WITHIN 5 SECONDS",
     true},
    {"(([x-e:k = 'a' OR x-e:k = 'b'] FOLLOWEDBY [x-e:k != 'a']) WITHIN 5 SECONDS) REPEATS 2 TIMES",
     true},
    {"(([x-e:k = 'a' OR x-e:k = 'b'] FOLLOWEDBY [x-e:k != 'a']) WITHIN 5 SECONDS) REPEATS 3 TIMES",
     false},
    {"(([x-e:k = 'a'] FOLLOWEDBY [x-e:n > 0]) REPEATS 2 TIMES AND ([file:name = 'x'] OR [x-e:k = "
     "'b'] REPEATS 3 TIMES)) START t'2026-01-01T00:00:00Z' STOP t'2026-01-01T00:00:09Z'",
     true},
    {"(([x-e:k = 'a'] REPEATS 3 TIMES WITHIN 2 SECONDS) OR ([x-e:k = 'a'] AND [x-e:k = 'b'])) "
     "REPEATS 2 TIMES",
     true},
    {"([x-e:k = 'a'] REPEATS 2 TIMES AND [x-e:k = 'b']) WITHIN 2 SECONDS", false},
};

/* An arena takes its memory in blocks: what is too much of the last one is taken away. */
static struct isg_arena *arena_of(size_t memory)
{
    size_t blocks = memory / BLOCK + 1;
    struct isg_arena *arena = isg_arena_new(blocks * BLOCK);
    (void)isg_arena_alloc(arena, blocks * BLOCK - memory);
    return arena;
}

static int run_match(const char *text, const struct stix_json *observations, uint64_t work,
                     size_t memory, bool *out)
{
    struct isg_fail why;
    struct stix_scene scene = {0};
    struct stix_program program = {0};
    struct stix_pattern *pattern = NULL;
    struct isg_arena *tree = stix_pattern_arena(strlen(text));
    struct stix_matching m = {.arena = arena_of(memory), .why = &why, .work = work};
    *out = stix_pattern_parse(isg_str_of(text), STIX_PATTERN_2_1, tree, &pattern, &why) == ISG_OK &&
           stix_scene_read(&m, observations, &scene) == ISG_OK &&
           stix_program_compile(&m, pattern, &scene, &program) == ISG_OK &&
           stix_plan_binds(&m, program.plan, &scene);
    stix_program_free(&program);
    isg_arena_free(&m.arena);
    isg_arena_free(&tree);
    return m.err;
}

/* From nothing to what suffices: errors, then the answer, and no other. */
static void check_match(const char *text, const struct stix_json *observations, bool want)
{
    bool match;
    int err = ISG_ELIMIT;
    is_int(run_match(text, observations, WORK_ENOUGH, ARENA_ENOUGH, &match), ISG_OK, "%s", text);
    ok(match == want, "with enough of both it is %s", want ? "a match" : "none");
    for (uint64_t work = 0; err == ISG_ELIMIT && work < WORK_ENOUGH; work++)
        err = run_match(text, observations, work, ARENA_ENOUGH, &match);
    ok(err == ISG_OK && match == want, "with less work it is too, or an error");
    err = ISG_ENOMEM;
    for (size_t memory = 0; err == ISG_ENOMEM && memory < ARENA_ENOUGH; memory += 24)
        err = run_match(text, observations, WORK_ENOUGH, memory, &match);
    ok(err == ISG_OK && match == want, "with less memory it is too, or an error");
}

static const char *const forms[] = {
    "[a:b IN (2, 1) AND (a:c = 1 OR a:d[*] NOT IN ('y', 'x')) AND a:e != 5]",
    "[(a:b = 1 OR c:d = 1) AND (a:b = 2 OR c:d = 2) AND (a:e = 1 OR c:e LIKE 'x')]",
    "([a:b = 1] AND ([a:b = 2] OR [a:b = 3] OR [a:c = 1] WITHIN 5 SECONDS)) FOLLOWEDBY ([a:b = 2] "
    "OR ([a:b = 4] AND [EXISTS a:b]) REPEATS 2 TIMES)",
    "[a:b = 1] OR ([a:b = 1] AND [a:b = 2]) OR ([a:b = 3] FOLLOWEDBY [a:b = 4]) OR ([a:b = 3] "
    "FOLLOWEDBY [a:b = 5] FOLLOWEDBY [a:b = 4])",
};

static int run_form(const char *text, uint64_t work, size_t memory, struct isg_buf *out)
{
    struct isg_fail why;
    struct stix_pattern *pattern = NULL;
    struct isg_arena *tree = stix_pattern_arena(strlen(text));
    struct stix_normal n = {.arena = arena_of(memory), .why = &why, .work = work};
    isg_buf_reset(out);
    int err = stix_pattern_parse(isg_str_of(text), STIX_PATTERN_2_1, tree, &pattern, &why);
    if (err == ISG_OK && !stix_normal_print(&n, pattern->root, out))
        err = n.err;
    isg_arena_free(&n.arena);
    isg_arena_free(&tree);
    return err;
}

static void check_form(const char *text)
{
    struct isg_buf want;
    struct isg_buf form;
    int err = ISG_ELIMIT;
    isg_buf_init(&want, ISG_BUF_NO_MAX);
    isg_buf_init(&form, ISG_BUF_NO_MAX);
    is_int(run_form(text, WORK_ENOUGH, ARENA_ENOUGH, &want), ISG_OK, "%s", text);
    for (uint64_t work = 0; err == ISG_ELIMIT && work < WORK_ENOUGH; work++)
        err = run_form(text, work, ARENA_ENOUGH, &form);
    ok(err == ISG_OK && isg_str_eq(isg_buf_str(&form), isg_buf_str(&want)),
       "with less work it is this too, or an error");
    err = ISG_ENOMEM;
    for (size_t memory = 0; err == ISG_ENOMEM && memory < ARENA_ENOUGH; memory += 8)
        err = run_form(text, WORK_ENOUGH, memory, &form);
    ok(err == ISG_OK && isg_str_eq(isg_buf_str(&form), isg_buf_str(&want)),
       "with less memory it is this too, or an error");
    isg_buf_done(&want);
    isg_buf_done(&form);
}

int main(void)
{
    struct stix_json *observations = NULL;
    ok(stix_json_parse(ISG_STR(scene_text), NULL, &observations, NULL) == ISG_OK, "the scene");
    for (size_t i = 0; i < sizeof matches / sizeof matches[0]; i++)
        check_match(matches[i].pattern, observations, matches[i].match);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        check_form(forms[i]);
    stix_json_free(&observations);
    return tap_done();
}
