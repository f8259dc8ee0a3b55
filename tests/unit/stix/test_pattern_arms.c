/* The alternatives of a pattern, printed: facts joined by &, alternatives by |, ! a shape. */
#include "stix/pattern.h"
#include "tests/support/tap.h"

static const struct {
    const char *pattern;
    const char *arms;
} rows[] = {
    {"[url:value = 'a\\'b\\\\c']", "url:value=a'b\\c"},
    {"[file:hashes.'SHA-256' = 'x' OR (file:hashes.'MD5' == 'y')]",
     "file:hashes.'SHA-256'=x | file:hashes.MD5=y"},
    {"[ipv4-addr:value IN ('a', 'b')] OR ([url:value = 'c'] OR [url:value = 'd'])",
     "ipv4-addr:value=a | ipv4-addr:value=b | url:value=c | url:value=d"},
    {"[ipv4-addr:value ISSUBSET '10.0.0.0/8']", "ipv4-addr:value<10.0.0.0/8"},
    {"[network-traffic:dst_ref.value = 'a' AND network-traffic:dst_port = 443]",
     "network-traffic:dst_port=#443 & network-traffic:dst_ref.value=a"},
    {"[file:size = 1.5]", "file:size=?"},
    {"[url:value != 'a' OR url:value = 'b' OR url:value NOT = 'c']", "!1 | url:value=b | !1"},
    {"[a:b = 'x' AND (a:c = 'y' OR a:d = 'z')]", "!2"},
    {"[a:b = 'x' AND a:c IN ('y', 'z')]", "!2"},
    {"[a:b = 'x'] AND [a:c = 'y']", "!2"},
    {"[a:b = 'x'] FOLLOWEDBY [a:c = 'y']", "!3"},
    {"[a:b = 'x'] OR [a:c = 'y'] WITHIN 5 SECONDS", "a:b=x | !4"},
    {"([a:b = 'x'] OR [a:c = 'y']) REPEATS 2 TIMES", "!4"},
    {"[(a:b = 'x' AND a:c NOT IN ('y')) OR (a:b = 'x' AND a:c > 1) OR a:d NOT ISSUBSET 'z']",
     "!2 | !2 | !1"},
    {"[a:b = true OR a:c = h'00' OR a:d = -7]", "a:b=? | a:c=? | a:d=#-7"},
    {"[a:b ISSUPERSET 'x' OR a:b < 1 OR a:b >= 1]", "!5 | !5 | !5"},
    {"[a:b LIKE 'x%' OR a:b MATCHES 'x' OR EXISTS a:b OR a:b > 1]", "!5 | !5 | !5 | !5"},
};

static void print_fact(const struct stix_pattern_fact *fact, struct isg_buf *out)
{
    isg_buf_put_str(out, fact->path);
    isg_buf_putc(out, fact->within ? '<' : '=');
    if (fact->is_text)
        isg_buf_put_str(out, fact->text);
    else if (fact->is_integer)
        isg_buf_printf(out, "#%lld", (long long)fact->integer);
    else
        isg_buf_putc(out, '?');
}

static void print_arm(const struct stix_pattern_arm *arm, struct isg_buf *out)
{
    if (arm->shape != STIX_SHAPE_FACTS)
        isg_buf_printf(out, "!%d", (int)arm->shape);
    for (const struct stix_pattern_fact *f = arm->facts; f != NULL; f = f->next) {
        print_fact(f, out);
        isg_buf_puts(out, f->next != NULL ? " & " : "");
    }
}

static int read_arms(const char *pattern, struct isg_arena *arena, struct isg_buf *out)
{
    struct stix_pattern_arm *arms = NULL;
    isg_buf_reset(out);
    int err = stix_pattern_arms(isg_str_of(pattern), STIX_PATTERN_2_1, arena, &arms, NULL);
    for (; err == ISG_OK && arms != NULL; arms = arms->next) {
        print_arm(arms, out);
        isg_buf_puts(out, arms->next != NULL ? " | " : "");
    }
    return err;
}

/* In an arena with ever less room: the whole answer or none, whatever piece does not fit. */
static void without_room(size_t row)
{
    enum { ROOM = 8192, STEP = 16 };
    struct isg_buf out;
    size_t whole = 0;
    size_t none = 0;
    size_t other = 0;
    isg_buf_init(&out, 4096);
    for (size_t taken = 0; taken < ROOM; taken += STEP) {
        struct isg_arena *arena = isg_arena_new(ROOM);
        (void)isg_arena_alloc(arena, taken);
        int err = read_arms(rows[row].pattern, arena, &out);
        bool same = err == ISG_OK && isg_str_is(isg_buf_str(&out), rows[row].arms);
        whole += same && none == 0;
        none += err == ISG_ENOMEM;
        other += err == ISG_OK ? !same : err != ISG_ENOMEM;
        isg_arena_free(&arena);
    }
    ok(whole > 0 && none > 0 && other == 0, "%s: with room %zu, without %zu, half %zu",
       rows[row].pattern, whole, none, other);
    isg_buf_done(&out);
}

int main(void)
{
    struct stix_pattern_arm *arms = NULL;
    struct isg_arena *arena = isg_arena_new(1 << 20);
    struct isg_buf out;
    isg_buf_init(&out, 4096);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        is_int(read_arms(rows[i].pattern, arena, &out), ISG_OK, "%s", rows[i].pattern);
        is_str(out.p, rows[i].arms, "its alternatives");
        without_room(i);
    }
    is_int(stix_pattern_arms(ISG_STR("[a:b = "), STIX_PATTERN_2_1, arena, &arms, NULL), ISG_EPARSE,
           "what does not parse");
    isg_buf_done(&out);
    isg_arena_free(&arena);
    return tap_done();
}
