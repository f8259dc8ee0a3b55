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

int main(void)
{
    struct stix_pattern_arm *arms = NULL;
    struct isg_arena *arena = isg_arena_new(1 << 20);
    struct isg_buf out;
    isg_buf_init(&out, 4096);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        isg_buf_reset(&out);
        int err =
            stix_pattern_arms(isg_str_of(rows[i].pattern), STIX_PATTERN_2_1, arena, &arms, NULL);
        for (; err == ISG_OK && arms != NULL; arms = arms->next) {
            print_arm(arms, &out);
            isg_buf_puts(&out, arms->next != NULL ? " | " : "");
        }
        is_int(err, ISG_OK, "%s", rows[i].pattern);
        is_str(out.p, rows[i].arms, "its alternatives");
    }
    is_int(stix_pattern_arms(ISG_STR("[a:b = "), STIX_PATTERN_2_1, arena, &arms, NULL), ISG_EPARSE,
           "what does not parse");
    isg_buf_done(&out);
    isg_arena_free(&arena);
    return tap_done();
}
