/* Feeds digest 3.4: what is dropped, what is only a warning, what passes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feeds/exclude.h"
#include "stix/base/arena.h"
#include "stix/base/time.h"
#include "tests/support/cases.h"
#include "tests/support/tap.h"

static struct isg_arena *arena;

static struct exclude_verdict verdict_of(const struct exclude_lists *lists, const char *raw,
                                         enum ioc_kind want)
{
    struct ioc ioc;
    struct isg_fail why = {.code = ISG_OK};
    int err = ioc_read(arena, isg_str_of(raw), want, 0, &ioc, &why);
    if (!ok(err == ISG_OK, "%s is a value %s", raw, why.text))
        return (struct exclude_verdict){EXCLUDE_PASS, "unread"};
    return exclude_check(lists, &ioc);
}

static struct exclude_lists *built_in;
static size_t seen[2]; /* rows that pass, and that do not */

/* Why a value is dropped ("-": it passes), and the value. */
static void check_row(struct isg_str line, size_t number)
{
    struct isg_str reason;
    (void)isg_str_split(&line, '\t', &reason);
    const char *raw = isg_arena_copy(arena, line);
    bool drops = !isg_str_is(reason, "-");
    struct exclude_verdict verdict = verdict_of(built_in, raw, IOC_ANY);
    is_int(verdict.answer, drops ? EXCLUDE_DROP : EXCLUDE_PASS, "line %zu: %s", number, raw);
    if (drops && verdict.list != NULL)
        is_str(verdict.list, isg_arena_copy(arena, reason), "why %s", raw);
    seen[drops]++;
}

static void test_built_in(void)
{
    built_in = exclude_new(false);
    cases_each("feeds/exclude/built-in-cases.tsv", check_row);
    ok(seen[0] > 0 && seen[1] > 0, "values that pass and that do not");
    exclude_free(&built_in);
    struct exclude_lists *lists = exclude_new(true);
    is_int(verdict_of(lists, "198.51.100.7", IOC_ANY).answer, EXCLUDE_PASS, "in an exercise");
    is_int(verdict_of(lists, "bad.example", IOC_ANY).answer, EXCLUDE_PASS, "in an exercise");
    is_int(verdict_of(lists, "10.0.0.1", IOC_ANY).answer, EXCLUDE_DROP, "but not that");
    exclude_free(&lists);
}

static struct exclude_lists *with_lists(void)
{
    static const struct {
        const char *file;
        enum exclude_answer answer;
    } files[] = {
        {"{\"name\":\"whole\",\"type\":\"string\",\"list\":[\"Shop.Pumps.co\",\"8.8.4.4\"]}",
         EXCLUDE_WARN},
        {"{\"name\":\"parts\",\"type\":\"substring\",\"list\":[\"sandbox\",\"san\"]}",
         EXCLUDE_WARN},
        {"{\"name\":\"hosts\",\"type\":\"hostname\",\"list\":[\".short.co\",\"cdn.pumps.co\"]}",
         EXCLUDE_DROP},
        {"{\"name\":\"resolvers\",\"type\":\"cidr\",\"list\":[\"8.8.8.8\",\"9.9.9.0/24\","
         "\"9.0.0.0/8\",\"2a00::/32\"]}",
         EXCLUDE_WARN},
        {"{\"name\":\"shapes\",\"type\":\"regex\",\"list\":[\"/^mail[0-9]+\\\\.[a-z\\\\-]+\\\\.co$/"
         "i\"]}",
         EXCLUDE_WARN},
        {"{\"name\":\"contacts\",\"type\":\"regex\",\"list\":"
         "[\"/^(cert|psirt)\\\\@[a-z\\\\_\\\\-]+\\\\.co$/i\"]}",
         EXCLUDE_WARN},
    };
    struct exclude_lists *lists = exclude_new(false);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct isg_fail why = {.code = ISG_OK};
        is_int(exclude_add(lists, isg_str_of(files[i].file), files[i].answer, &why), ISG_OK,
               "list %zu: %s", i, why.text);
    }
    return lists;
}

static void test_lists(void)
{
    static const struct {
        const char *raw;
        enum exclude_answer answer;
        const char *list;
    } rows[] = {
        {"shop.pumps.co", EXCLUDE_WARN, "whole"},
        {"x.shop.pumps.co", EXCLUDE_PASS, NULL},
        {"http://shop.pumps.co/bad", EXCLUDE_WARN, "whole"},
        {"my-SANDBOX.pumps.co", EXCLUDE_WARN, "parts"},
        {"sa.pumps.co", EXCLUDE_PASS, NULL},
        {"short.co", EXCLUDE_DROP, "hosts"},
        {"a.b.short.co", EXCLUDE_DROP, "hosts"},
        {"notshort.co", EXCLUDE_PASS, NULL},
        {"http://a.short.co/x", EXCLUDE_WARN, "hosts"},
        {"8.8.8.8", EXCLUDE_WARN, "resolvers"},
        {"8.8.8.8:53", EXCLUDE_WARN, "resolvers"},
        {"8.8.4.4", EXCLUDE_WARN, "whole"},
        {"8.0.0.0/8", EXCLUDE_WARN, "resolvers"}, /* one resolver inside is enough */
        {"9.9.10.1", EXCLUDE_WARN, "resolvers"},
        {"12.0.0.1", EXCLUDE_PASS, NULL},
        {"2a00::1", EXCLUDE_WARN, "resolvers"},
        {"64:ff9b::808:808", EXCLUDE_WARN, "resolvers"}, /* 8.8.8.8 behind NAT64 */
        {"http://8.8.8.8/x", EXCLUDE_WARN, "resolvers"},
        {"mail17.bad-pumps.co", EXCLUDE_WARN, "shapes"},
        {"mailx.bad-pumps.co", EXCLUDE_PASS, NULL},
        {"psirt@bad-pumps.co", EXCLUDE_WARN, "contacts"},
        {"psirts@bad-pumps.co", EXCLUDE_PASS, NULL},
    };
    struct exclude_lists *lists = with_lists();
    static struct exclude_tally counted; /* large */
    struct exclude_tally *tally = &counted;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ioc ioc;
        (void)ioc_read(arena, isg_str_of(rows[i].raw), IOC_ANY, 0, &ioc, NULL);
        struct exclude_verdict verdict = exclude_check(lists, &ioc);
        exclude_count(tally, &verdict, &ioc);
        is_int(verdict.answer, rows[i].answer, "%s", rows[i].raw);
        ok(rows[i].list == NULL ||
               (verdict.list != NULL && strcmp(verdict.list, rows[i].list) == 0),
           "%s is on %s", rows[i].raw, rows[i].list == NULL ? "no list" : rows[i].list);
    }
    is_int((long long)tally->passed, 6, "passed");
    is_int((long long)tally->warned, 14, "warned");
    is_int((long long)tally->dropped, 2, "dropped");
    is_str(tally->last[1].value, "a.b.short.co", "the last dropped is kept");
    is_str(tally->reasons[0].list, "whole", "reasons in the order met");
    is_int((long long)tally->reasons[0].hits, 3, "and counted");
    exclude_free(&lists);
}

static void test_refused(void)
{
    static const struct {
        const char *file;
        int code;
    } rows[] = {
        {"[]", ISG_EINVAL},
        {"{\"name\":\"x\",\"type\":\"string\"}", ISG_EINVAL},
        {"{\"name\":\"x\",\"type\":\"soundex\",\"list\":[]}", ISG_EINVAL},
        {"{\"type\":\"string\",\"list\":[]}", ISG_EINVAL},
        {"{\"name\":\"x\",\"type\":\"string\",\"list\":[", ISG_EPARSE},
        {"{\"name\":\"x\",\"type\":\"string\",\"list\":[7]}", ISG_EINVAL},
        {"{\"name\":\"x\",\"type\":\"cidr\",\"list\":[\"8.8.8\"]}", ISG_EINVAL},
        {"{\"name\":\"x\",\"type\":\"substring\",\"list\":[\"a\"]}", ISG_EINVAL},
        {"{\"name\":\"x\",\"type\":\"regex\",\"list\":[\"(a)\\\\1\"]}", ISG_EINVAL},
        {"{\"name\":\"x\",\"type\":\"regex\",\"list\":[\"(?=a)b\"]}", ISG_EINVAL},
        {"{\"name\":\"x\",\"type\":\"regex\",\"list\":[\"((a{200}){200}){200}\"]}", ISG_EINVAL},
        {"{\"name\":\"x\",\"type\":\"regex\",\"list\":[\"(a\"]}", ISG_EINVAL},
        {"{\"name\":\"x\",\"type\":\"regex\",\"list\":[\"a*?b\"]}", ISG_EINVAL},
        {"{\"name\":\"x\",\"type\":\"regex\",\"list\":[\"(?:a|b)\\\\d{2,4}[\\\\w.]+\"]}", ISG_OK},
        {"{\"name\":\"x\",\"type\":\"hostname\",\"list\":[]}", ISG_OK},
    };
    struct exclude_lists *lists = exclude_new(false);
    struct isg_fail why = {.code = ISG_OK};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        why = (struct isg_fail){.code = ISG_OK};
        is_int(exclude_add(lists, isg_str_of(rows[i].file), EXCLUDE_WARN, &why), rows[i].code,
               "%s: %s", rows[i].file, why.text);
    }
    (void)exclude_add(lists,
                      ISG_STR("{\"name\":\"x\",\"type\":\"cidr\",\"list\":[\"8.8.8.8\",\"8\"]}"),
                      EXCLUDE_WARN, &why);
    is_str(why.path, "/list/1", "the entry is named");
    exclude_free(&lists);
}

/* Names of a list are written in any form; values are asked about in one. */
static void test_names(void)
{
    static const char file[] =
        "{\"name\":\"n\",\"type\":\"hostname\",\"list\":[\"B\u00fccher.co\",\".Dot.co\","
        "\"end.co.\",\"*.star.co\",\"dev\"]}";
    static const struct {
        const char *raw;
        enum exclude_answer answer;
    } rows[] = {
        {"xn--bcher-kva.co", EXCLUDE_WARN},
        {"b\xc3\xbc"
         "cher.co",
         EXCLUDE_WARN},
        {"a.dot.co", EXCLUDE_WARN},
        {"end.co", EXCLUDE_WARN},
        {"x.star.co", EXCLUDE_WARN},
        {"any.dev", EXCLUDE_WARN},
        {"other.co", EXCLUDE_PASS},
    };
    struct exclude_lists *lists = exclude_new(false);
    is_int(exclude_add(lists, isg_str_of(file), EXCLUDE_WARN, NULL), ISG_OK, "a list of names");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        is_int(verdict_of(lists, rows[i].raw, IOC_ANY).answer, rows[i].answer, "%s", rows[i].raw);
    exclude_free(&lists);
}

/* MISP's own lists, where the corpus is at hand: each is read; a known entry of each is found. */
static void test_corpus(void)
{
    static const struct {
        const char *file;
        const char *hit;
    } rows[] = {
        {"automated-malware-analysis.json", "www.app.any.run"},
        {"common-ioc-false-positive.json",
         "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b"},
        {"crl-hostname.json", "http://c.pki.goog/x.crl"},
        {"google-gmail-sending-ips.json", "209.85.200.1"},
        {"public-dns-v6.json", "2001:148f:fffe::1"},
        {"sinkholes.json", "104.244.12.0/30"},
        {"umbrella-blockpage-hostname.json", "hit-adult.opendns.com"},
        {"url-shortener.json", "http://2h.ae/abc"},
        {"microsoft.json", NULL},
        {"rfc1918.json", NULL},
        {"ipv6-linklocal.json", NULL},
        {"multicast.json", NULL},
        {"rfc5735.json", NULL},
        {"tlds.json", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char below[128];
        size_t n = 0;
        struct isg_fail why = {.code = ISG_OK};
        (void)snprintf(below, sizeof below, "feeds/misp-warninglists/%s", rows[i].file);
        const char *path = tap_corpus(below);
        char *text = path == NULL ? NULL : tap_slurp(path, &n);
        if (text == NULL)
            continue;
        struct exclude_lists *lists = exclude_new(false);
        is_int(exclude_add(lists, (struct isg_str){text, n}, EXCLUDE_WARN, &why), ISG_OK, "%s: %s",
               rows[i].file, why.text);
        if (rows[i].hit != NULL)
            is_int(verdict_of(lists, rows[i].hit, IOC_ANY).answer, EXCLUDE_WARN, "%s", rows[i].hit);
        exclude_free(&lists);
        free(text);
    }
}

int main(void)
{
    arena = isg_arena_new(1 << 24);
    test_built_in();
    test_lists();
    test_refused();
    test_names();
    test_corpus();
    isg_arena_free(&arena);
    return tap_done();
}
