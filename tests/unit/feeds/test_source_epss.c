#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect.h"
#include "tests/support/tap.h"

static void map_fixture(const char *name, struct collected *c)
{
    struct isg_fail why = {.code = ISG_OK};
    is_int(collect_fixture("epss", name, c, &why), ISG_OK, "%s: %s", name, why.text);
    is_int((long long)c->invalid, 0, "all valid: %s %s", c->first.text, c->first_object);
}

static void test_table(void)
{
    struct collected c;
    map_fixture("epss/table.csv", &c);
    is_int((long long)collect_count(&c, "vulnerability"), 5, "scores");
    is_int((long long)c.facets, 5, "each is a part of a merged vulnerability");
    is_int((long long)c.records, 6, "rows");
    is_int((long long)c.excluded, 1, "one CVE is there twice");
    ok(strstr(c.lines.p,
              "\"created\":\"2031-05-02T00:00:00.000Z\",\"modified\":\"2031-05-02T00:00:00.000Z\","
              "\"object_marking_refs\":[\"marking-definition--94868c89-83c2-464b-929b-"
              "a1a8aa3c8487\"],\"name\":\"CVE-2031-99998\",\"external_references\":["
              "{\"source_name\":\"cve\",\"external_id\":\"CVE-2031-99998\"}],\"extensions\":{"
              "\"extension-definition--732c6a98-10ab-4319-92b9-68671eaaeed5\":{"
              "\"extension_type\":\"property-extension\",\"epss\":{\"score\":0.97432,"
              "\"percentile\":0.99921,\"date\":\"2031-05-02T00:00:00.000Z\","
              "\"model\":\"v2031.03.14\"}}}}\n") != NULL,
       "a score, byte for byte");
    ok(strstr(c.lines.p, "\"confidence\"") == NULL, "it is no confidence");
    const char *first = strstr(c.lines.p, "\"name\":\"CVE-2031-1001\"");
    const char *last = strstr(c.lines.p, "\"name\":\"CVE-2031-100000\"");
    ok(first != NULL && last != NULL && first < last, "in the order of the numbers");
    collect_done(&c);
}

/* Rows and columns in another order, other spellings of the same numbers. */
static void test_same(void)
{
    struct collected a;
    struct collected b;
    map_fixture("epss/table.csv", &a);
    map_fixture("epss/shuffled.csv", &b);
    ok(isg_str_eq(isg_buf_str(&a.lines), isg_buf_str(&b.lines)), "the same bytes");
    collect_done(&a);
    collect_done(&b);
}

static void test_answer(void)
{
    struct collected c;
    map_fixture("epss/answer.json", &c);
    is_int((long long)collect_count(&c, "vulnerability"), 3, "strings and numbers");
    ok(strstr(c.lines.p, "\"score\":0.00043,\"percentile\":0.1,") != NULL, "as numbers");
    collect_done(&c);
}

static void test_refused(void)
{
    static const struct {
        const char *file;
        int code;
    } rows[] = {
        {"epss/wrong-count.json", ISG_EINVAL},  {"epss/half-bad.csv", ISG_EINVAL},
        {"epss/other-columns.csv", ISG_EINVAL}, {"kev/three.json", ISG_EINVAL},
        {"kev/page.html", ISG_EPARSE},          {"nvd/cut-short.json", ISG_EPARSE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct collected c;
        struct isg_fail why = {.code = ISG_OK};
        is_int(collect_fixture("epss", rows[i].file, &c, &why), rows[i].code, "%s: %s",
               rows[i].file, why.text);
        is_int((long long)c.objects, 0, "%s hands out nothing", rows[i].file);
        collect_done(&c);
    }
}

/* What a cell may hold, and the number it is. */
static void test_numbers(void)
{
    static const struct {
        const char *cell;
        const char *number; /* NULL: the row is unreadable */
    } rows[] = {
        {"0.5", "0.5"},
        {"1", "1"},
        {"0", "0"},
        {"1e-05", "0.00001"},
        {"2.5E-4", NULL},
        {"1.5e-1", "0.15"},
        {"0.00043000000000000004", "0.00043"},
        {"0.1234567890123456789", "0.123456789012345"},
        {"1.0000001", NULL},
        {"0.", NULL},
        {".5", NULL},
        {"-0.1", NULL},
        {"0x1", NULL},
        {"1e-99", "0"},
        {"nan", NULL},
        {"", NULL},
        {"0,5", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char table[256];
        char want[64];
        struct collected c;
        struct isg_fail why = {.code = ISG_OK};
        (void)snprintf(table, sizeof table, "cve,percentile,epss\nCVE-2031-99998,0,%s\n",
                       rows[i].cell);
        int err = collect_text("epss", isg_str_of(table), &c, &why);
        if (rows[i].number == NULL) {
            is_int(err, ISG_EINVAL, "`%s` is no probability", rows[i].cell);
        } else {
            (void)snprintf(want, sizeof want, "\"score\":%s,", rows[i].number);
            ok(err == ISG_OK && strstr(c.lines.p, want) != NULL, "`%s` is %s", rows[i].cell, want);
        }
        collect_done(&c);
    }
}

int main(void)
{
    test_table();
    test_same();
    test_answer();
    test_refused();
    test_numbers();
    return tap_done();
}
