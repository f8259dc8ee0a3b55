/*
 * The matcher against one that tries everything (S-125, S-126): small random scenes and patterns,
 * each judged by all its bindings. A binding is a set of occurrences, bit by bit; what a pattern
 * can be bound to is a table over all such sets, put together as the standard's words say.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stix/base/buf.h"
#include "stix/base/time.h"
#include "stix/match.h"
#include "tests/support/tap.h"

enum { CASES = 8000, OCCURRENCES = 8, SETS = 1 << OCCURRENCES, KINDS = 3 };

struct seen {
    int first;
    int last;
    int count;
    int kind;
};

struct scene {
    struct seen seen[OCCURRENCES];
    size_t n;
    const struct seen *of[OCCURRENCES]; /* the observation of each occurrence */
    size_t occurrences;
};

/* Which sets of occurrences a pattern binds. */
struct bindings {
    bool has[SETS];
};

static uint64_t state = 20260301;

static int pick(int n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (int)(state % (uint64_t)n);
}

/* --- scenes --- */

static void make_scene(struct scene *scene)
{
    int span = pick(2) == 0 ? 6 : 20;
    int length = pick(2) == 0 ? 1 : 5;
    memset(scene, 0, sizeof *scene);
    while (scene->occurrences < OCCURRENCES - 1 && scene->n < 6) {
        struct seen *seen = &scene->seen[scene->n++];
        seen->first = pick(span);
        seen->last = seen->first + pick(length);
        seen->count = pick(6) == 0 ? 2 : 1;
        seen->kind = pick(KINDS);
        for (int i = 0; i < seen->count; i++)
            scene->of[scene->occurrences++] = seen;
    }
}

static void put_time(struct isg_buf *out, int second)
{
    char text[ISG_TIME_TEXT];
    isg_time_format((int64_t)second * 1000000, 0, text);
    isg_buf_puts(out, text);
}

static void put_scene(struct isg_buf *out, const struct scene *scene)
{
    isg_buf_putc(out, '[');
    for (size_t i = 0; i < scene->n; i++) {
        const struct seen *seen = &scene->seen[i];
        isg_buf_printf(out, "%s{\"type\":\"observed-data\",\"first_observed\":\"",
                       i > 0 ? "," : "");
        put_time(out, seen->first);
        isg_buf_puts(out, "\",\"last_observed\":\"");
        put_time(out, seen->last);
        isg_buf_printf(out,
                       "\",\"number_observed\":%d,\"objects\":{\"0\":{\"type\":\"x-e\","
                       "\"k\":%d}}}",
                       seen->count, seen->kind);
    }
    isg_buf_putc(out, ']');
}

/* --- patterns, with what they bind --- */

static int latest_first(const struct scene *scene, int set)
{
    int latest = -1;
    for (size_t i = 0; i < scene->occurrences; i++)
        if ((set >> i & 1) != 0 && scene->of[i]->first > latest)
            latest = scene->of[i]->first;
    return latest;
}

static int earliest_last(const struct scene *scene, int set)
{
    int earliest = 1000;
    for (size_t i = 0; i < scene->occurrences; i++)
        if ((set >> i & 1) != 0 && scene->of[i]->last < earliest)
            earliest = scene->of[i]->last;
    return earliest;
}

/* A set of each side, nothing in both; of FOLLOWEDBY, the one no later than the other. */
static void join(const struct scene *scene, struct bindings *a, const struct bindings *b,
                 bool in_order)
{
    struct bindings both = {{false}};
    for (int x = 0; x < SETS; x++)
        for (int y = 0; y < SETS && a->has[x]; y++)
            if (b->has[y] && (x & y) == 0 &&
                (!in_order || latest_first(scene, x) <= earliest_last(scene, y)))
                both.has[x | y] = true;
    *a = both;
}

static void make_observation(const struct scene *scene, struct isg_buf *out, struct bindings *to)
{
    int kinds = 1 + pick((1 << KINDS) - 1);
    memset(to, 0, sizeof *to);
    isg_buf_puts(out, "[x-e:k IN (");
    for (int kind = 0, n = 0; kind < KINDS; kind++)
        if ((kinds >> kind & 1) != 0)
            isg_buf_printf(out, "%s%d", n++ > 0 ? "," : "", kind);
    isg_buf_puts(out, ")]");
    for (size_t i = 0; i < scene->occurrences; i++)
        to->has[1 << i] = (kinds >> scene->of[i]->kind & 1) != 0;
}

static void add_repeats(const struct scene *scene, struct isg_buf *out, struct bindings *to)
{
    struct bindings once = *to;
    int times = 1 + pick(4);
    isg_buf_printf(out, " REPEATS %d TIMES", times);
    for (int i = 1; i < times; i++)
        join(scene, to, &once, false);
}

static void add_within(const struct scene *scene, struct isg_buf *out, struct bindings *to)
{
    int width = 1 + pick(6);
    isg_buf_printf(out, " WITHIN %d SECONDS", width);
    for (int set = 0; set < SETS; set++)
        to->has[set] = to->has[set] && latest_first(scene, set) - earliest_last(scene, set) < width;
}

static void add_period(const struct scene *scene, struct isg_buf *out, struct bindings *to)
{
    int start = pick(8);
    int stop = start + pick(8);
    isg_buf_puts(out, " START t'");
    put_time(out, start);
    isg_buf_puts(out, "' STOP t'");
    put_time(out, stop);
    isg_buf_puts(out, "'");
    for (int set = 0; set < SETS; set++)
        for (size_t i = 0; i < scene->occurrences; i++)
            if ((set >> i & 1) != 0 &&
                (start >= stop || scene->of[i]->first >= stop || scene->of[i]->last < start))
                to->has[set] = false;
}

static void add_qualifiers(const struct scene *scene, struct isg_buf *out, struct bindings *to)
{
    static void (*const kinds[])(const struct scene *, struct isg_buf *,
                                 struct bindings *) = {add_repeats, add_within, add_period};
    int first = pick(3);
    int count = pick(3);
    for (int i = 0; i < count; i++)
        kinds[(first + i) % 3](scene, out, to);
}

static void make_unit(const struct scene *scene, int depth, struct isg_buf *out,
                      struct bindings *to);

/* A chain of one operator. */
static void make_chain(const struct scene *scene, int depth, struct isg_buf *out,
                       struct bindings *to)
{
    static const char *const words[] = {" AND ", " OR ", " FOLLOWEDBY "};
    int op = pick(3);
    int count = 1 + pick(3);
    make_unit(scene, depth, out, to);
    for (int i = 1; i < count; i++) {
        struct bindings next;
        isg_buf_puts(out, words[op]);
        make_unit(scene, depth, out, &next);
        if (op != 1)
            join(scene, to, &next, op == 2);
        for (int set = 0; set < SETS && op == 1; set++)
            to->has[set] = to->has[set] || next.has[set];
    }
}

static void make_unit(const struct scene *scene, int depth, struct isg_buf *out,
                      struct bindings *to)
{
    if (depth == 0 || pick(3) == 0) {
        make_observation(scene, out, to);
    } else {
        isg_buf_putc(out, '(');
        make_chain(scene, depth - 1, out, to);
        isg_buf_putc(out, ')');
    }
    if (pick(2) == 0)
        add_qualifiers(scene, out, to);
}

static bool binds_any(const struct bindings *bindings)
{
    for (int set = 1; set < SETS; set++)
        if (bindings->has[set])
            return true;
    return false;
}

/* --- both --- */

/* 1 for a match, 0 for none, -1 when the two disagree. */
static int check_case(struct isg_buf *pattern, struct isg_buf *json)
{
    struct scene scene;
    struct bindings bindings;
    struct stix_json *observations = NULL;
    struct isg_fail why = {0};
    bool match = false;
    isg_buf_reset(pattern);
    isg_buf_reset(json);
    make_scene(&scene);
    put_scene(json, &scene);
    make_chain(&scene, 3, pattern, &bindings);
    bool want = binds_any(&bindings);
    int err = stix_json_parse(isg_buf_str(json), NULL, &observations, &why);
    if (err == ISG_OK)
        err = stix_match(isg_buf_str(pattern), STIX_PATTERN_2_1, observations, &match, &why);
    stix_json_free(&observations);
    if (err == ISG_OK && match == want)
        return match;
    printf("# %s over %s: %d %s, %d wanted\n", pattern->p, json->p, match, why.text, want);
    return -1;
}

int main(void)
{
    struct isg_buf pattern;
    struct isg_buf json;
    int matches = 0;
    int differ = 0;
    isg_buf_init(&pattern, ISG_BUF_NO_MAX);
    isg_buf_init(&json, ISG_BUF_NO_MAX);
    for (int i = 0; i < CASES; i++) {
        int answer = check_case(&pattern, &json);
        matches += answer == 1;
        differ += answer < 0;
    }
    is_int(differ, 0, "%d random patterns, judged as by all bindings", CASES);
    ok(matches > CASES / 5 && matches < CASES - CASES / 5, "of which %d match", matches);
    isg_buf_done(&pattern);
    isg_buf_done(&json);
    return tap_done();
}
