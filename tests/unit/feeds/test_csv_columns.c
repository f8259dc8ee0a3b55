/* Feeds digest 5.8: a member's own columns, read from a description. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect.h"
#include "feeds/csv_columns.h"
#include "feeds/exclude.h"
#include "tests/support/tap.h"

static int keep(void *arg, struct isg_str object, const char *facet, struct isg_fail *why)
{
    struct isg_buf *lines = arg;
    (void)facet;
    (void)why;
    isg_buf_put_str(lines, object);
    isg_buf_putc(lines, '\n');
    return lines->err;
}

static char *fixture(const char *name, size_t *n)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/feeds/csv/%s", ISG_FIXTURES, name);
    return tap_slurp(path, n);
}

static int map_clinic(struct isg_str table, struct isg_buf *lines, struct feed_context *context,
                      struct isg_fail *why)
{
    struct isg_arena *arena = isg_arena_new(1 << 20);
    struct exclude_lists *lists = exclude_new(true);
    const struct csv_profile *profile = NULL;
    size_t n = 0;
    char *description = fixture("clinic.json", &n);
    isg_buf_init(lines, ISG_BUF_NO_MAX);
    int err = csv_columns_read((struct isg_str){description, n}, arena, &profile, why);
    *context = (struct feed_context){.now_us = 1700000000000000,
                                     .owner = ISG_STR("Example ISAO"),
                                     .emit = keep,
                                     .arg = lines,
                                     .profile = profile,
                                     .exclude = lists};
    feed_namespace(ISG_STR(COLLECT_URN), context->space);
    if (err == ISG_OK)
        err = feed_map(feed_source_find(ISG_STR("csv")), context, table, why);
    free(description);
    exclude_free(&lists);
    isg_arena_free(&arena);
    return err;
}

static void test_clinic(void)
{
    static const char *const texts[] = {
        "network-traffic:dst_ref.value = '198.51.100.7' AND network-traffic:dst_port = 443]",
        "\"labels\":[\"example-clinic:beacon\",\"example-clinic:pump\"]",
        "\"valid_until\":\"2031-05-12T10:11:12.000Z\"",
        "\"external_id\":\"1\"",
        "\"name\":\"Example Clinic\"",
        "marking-definition--bab4a63c",
        "\"confidence\":70",
        "[domain-name:value = 'bad.example']",
        "[file:hashes.'SHA-256' = '0123456789abcdef",
    };
    struct feed_context context;
    struct isg_buf lines;
    struct isg_fail why = {.code = ISG_OK};
    size_t n = 0;
    char *table = fixture("clinic.csv", &n);
    is_int(map_clinic((struct isg_str){table, n}, &lines, &context, &why), ISG_OK, "mapped: %s",
           why.text);
    is_int((long long)context.records, 5, "records");
    is_int((long long)context.excluded, 2, "two are set aside by what their columns say");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        ok(lines.p != NULL && strstr(lines.p, texts[i]) != NULL, "says %s", texts[i]);
    ok(lines.p != NULL && strstr(lines.p, "closed.example") == NULL, "not what is closed");
    ok(lines.p != NULL && strstr(lines.p, "trial.example") == NULL, "nor a test");
    isg_buf_done(&lines);
    free(table);
}

/* Digest 7.12: a column more stops the whole table, by name or by position. */
static void test_drift(void)
{
    static const char *const tables[] = {
        "Nr;Kind;Extra;What;Remarks;Seen;State\n1;name;x;bad.example;;2031-05-03;new\n",
        ("Nr;Kind;What;Remarks;Seen;State\n1;name;bad.example;;2031-05-03;new\n"
         "2;name;x;worse.example;;2031-05-03;new\n"),
        "Nr;Kind;Value;Remarks;Seen;State\n1;name;bad.example;;2031-05-03;new\n",
    };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        struct feed_context context;
        struct isg_buf lines;
        struct isg_fail why = {.code = ISG_OK};
        is_int(map_clinic(isg_str_of(tables[i]), &lines, &context, &why), ISG_EINVAL,
               "the columns changed: %s", why.text);
        is_int((long long)lines.len, 0, "nothing is handed out");
        isg_buf_done(&lines);
    }
}

static void test_refused(void)
{
    static const struct {
        const char *json;
        const char *path;
    } rows[] = {
        {"{\"name\":\"a\",\"columns\":{\"value\":\"x\"}}", NULL},
        {"{\"name\":\"a\",\"form\":\"list\"}", NULL},
        {"[]", ""},
        {"{\"columns\":{\"value\":\"x\"}}", "/name"},
        {"{\"name\":\"A b\",\"columns\":{\"value\":\"x\"}}", "/name"},
        {"{\"name\":\"a\"}", "/columns/value"},
        {"{\"name\":\"a\",\"columns\":{\"type\":\"x\"}}", "/columns/value"},
        {"{\"name\":\"a\",\"columns\":{\"valeu\":\"x\"}}", "/columns/valeu"},
        {"{\"name\":\"a\",\"columns\":{\"value\":0}}", "/columns/value"},
        {"{\"name\":\"a\",\"columns\":{\"value\":[]}}", "/columns/value"},
        {"{\"name\":\"a\",\"columns\":{\"value\":\"a|b\"}}", "/columns/value"},
        {"{\"name\":\"a\",\"columns\":[]}", "/columns"},
        {"{\"name\":\"a\",\"colums\":{}}", "/colums"},
        {"{\"name\":\"a\",\"delimiter\":\"||\"}", "/delimiter"},
        {"{\"name\":\"a\",\"delimiter\":\"\\\"\"}", "/delimiter"},
        {"{\"name\":\"a\",\"confidence\":101}", "/confidence"},
        {"{\"name\":\"a\",\"confidence\":\"high\"}", "/confidence"},
        {"{\"name\":\"a\",\"valid_days\":-1}", "/valid_days"},
        {"{\"name\":\"a\",\"marking\":\"purple\"}", "/marking"},
        {"{\"name\":\"a\",\"form\":\"tree\"}", "/form"},
        {"{\"name\":\"a\",\"state\":true}", "/state"},
        {"{\"name\":\"a\",\"type\":\"colour\"}", "/type"},
        {"{\"name\":\"a\",\"types\":{\"x\":\"colour\"}}", "/types/x"},
        {"{\"name\":\"a\",\"only\":{\"x\":[]}}", "/only/x"},
        {"{\"name\":\"a\",\"not\":\"x\"}", "/not"},
        {"{\"name\":\"a\",\"home\":\"\\u0001\"}", "/home"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct isg_arena *arena = isg_arena_new(1 << 20);
        const struct csv_profile *profile = NULL;
        struct isg_fail why = {.code = ISG_OK};
        int err = csv_columns_read(isg_str_of(rows[i].json), arena, &profile, &why);
        is_int(err, rows[i].path == NULL ? ISG_OK : ISG_EINVAL, "%s: %s", rows[i].json, why.text);
        if (rows[i].path != NULL)
            is_str(why.path, rows[i].path, "names the place");
        isg_arena_free(&arena);
    }
}

/* Tables as they come: what each gives, or a piece of the reason why it gives nothing. */
static void test_tables(void)
{
    static const char by_place[] = "{\"name\":\"a\",\"columns\":{\"value\":1,\"tags\":3}}";
    static const char active[] =
        "{\"name\":\"a\",\"columns\":{\"value\":\"ip\"},\"only\":{\"state\":\"on\"}}";
    static const struct {
        const char *columns;
        const char *text;
        const char *why_not;
        size_t indicators;
        size_t excluded;
    } rows[] = {
        /* an empty cell is no name of a column */
        {by_place, "198.51.100.1,,x\n198.51.100.2,,y\n", NULL, 2, 0},
        {"{\"name\":\"a\",\"columns\":{\"value\":\"ip\"}}", "ip\n198.51.100.1\n", NULL, 1, 0},
        {active, "ip,State\n198.51.100.1,on\n198.51.100.2,off\n", NULL, 1, 1},
        {active, "ip,status\n198.51.100.1,off\n", "names no column state", 0, 0},
        {"{\"name\":\"a\",\"columns\":{\"value\":1},\"not\":{\"state\":\"off\"}}",
         "198.51.100.1,off\n", "names no column state", 0, 0},
        {active, "[{\"ip\":\"198.51.100.1\",\"STATE\":\"on\"},{\"ip\":\"198.51.100.2\"}]", NULL, 1,
         1},
        /* later than any timestamp can say */
        {"{\"name\":\"a\",\"columns\":{\"value\":\"ip\",\"last_seen\":\"last\"}}",
         "ip,last\n198.51.100.1,9999-12-31\n198.51.100.2,9999-11-30\n", NULL, 1, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct collected c;
        struct isg_fail why = {.code = ISG_OK};
        int err = collect_table(rows[i].columns, isg_str_of(rows[i].text), &c, &why);
        is_int(err, rows[i].why_not == NULL ? ISG_OK : ISG_EINVAL, "%s %s", rows[i].text, why.text);
        if (rows[i].why_not != NULL)
            ok(strstr(why.text, rows[i].why_not) != NULL, "because it %s", rows[i].why_not);
        is_int((long long)collect_count(&c, "indicator"), (long long)rows[i].indicators,
               "its indicators");
        is_int((long long)c.excluded, (long long)rows[i].excluded, "rows left out");
        is_int((long long)c.invalid, 0, "all valid: %s", c.first.text);
        collect_done(&c);
    }
}

/* The same second in the forms that tables have, and what is none. */
static void test_times(void)
{
    static const struct {
        const char *settings, *text, *from;
    } rows[] = {
        {"", "2031-05-02 10:11:12", "2031-05-02T10:11:12.000Z"},
        {"", "2031-05-02T10:11:12.1234567Z", "2031-05-02T10:11:12.123Z"},
        {"", "2031-05-02 10:11:12,5 UTC", "2031-05-02T10:11:12.500Z"},
        {"", "2031-05-02T10:11:12-0600", "2031-05-02T16:11:12.000Z"},
        {"", "2031-05-02T10:11+02", "2031-05-02T08:11:00.000Z"},
        {"", "2031-05-02 10:11", "2031-05-02T10:11:00.000Z"},
        {"", "2031/05/02 10:11:12", "2031-05-02T10:11:12.000Z"},
        {"", "20310502T101112Z", "2031-05-02T10:11:12.000Z"},
        {"", "20310502", "2031-05-02T00:00:00.000Z"},
        {"", "Fri, 02 May 2031 10:11:12 GMT", "2031-05-02T10:11:12.000Z"},
        {"", "2 May 2031", "2031-05-02T00:00:00.000Z"},
        {"", "1935483072", "2031-05-02T10:11:12.000Z"},
        {"", "1935483072.25", "2031-05-02T10:11:12.250Z"},
        {"", "1935483072123", "2031-05-02T10:11:12.123Z"},
        {",\"zone\":\"+02:00\"", "2031-05-02 10:11:12", "2031-05-02T08:11:12.000Z"},
        {",\"zone\":\"-0530\"", "2031-05-02", "2031-05-02T05:30:00.000Z"},
        {",\"zone\":\"+02:00\"", "2031-05-02T10:11:12Z", "2031-05-02T10:11:12.000Z"},
        {",\"time\":\"%d.%m.%Y %H:%M\"", "2.5.2031 10:11", "2031-05-02T10:11:00.000Z"},
        {",\"time\":[\"%m/%d/%Y\",\"%d-%b-%Y\"]", "05/02/2031", "2031-05-02T00:00:00.000Z"},
        {",\"time\":[\"%m/%d/%Y\",\"%d-%b-%Y\"]", "02-MAY-2031", "2031-05-02T00:00:00.000Z"},
        {",\"delimiter\":\", \"", "2031-05-02", "2031-05-02T00:00:00.000Z"},
        {"", "05/02/2031", NULL},
        {"", "02.05.2031", NULL},
        {"", "2031-02-30", NULL},
        {"", "2031-05-02 10:11:12 CEST", NULL},
        {"", "2031-05-02 25:11", NULL},
        {"", "yesterday", NULL},
        {",\"time\":\"%H:%M\"", "10:11", NULL},
        {",\"time\":\"%Q%d%m%Y\"", "02052031", NULL},
        {",\"zone\":\"Mars\"", "2031-05-02", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct collected c;
        struct isg_fail why = {.code = ISG_OK};
        char columns[256], table[128], from[64];
        (void)snprintf(columns, sizeof columns,
                       "{\"name\":\"a\",\"columns\":{\"value\":\"v\",\"first_seen\":\"t\"}%s}",
                       rows[i].settings);
        (void)snprintf(table, sizeof table, "v,t\nbad.example,\"%s\"\n", rows[i].text);
        (void)snprintf(from, sizeof from, "\"valid_from\":\"%s\"",
                       rows[i].from != NULL ? rows[i].from : "");
        int err = collect_table(columns, isg_str_of(table), &c, &why);
        is_int(err, rows[i].from != NULL ? ISG_OK : ISG_EINVAL, "%s%s: %s", rows[i].text,
               rows[i].settings, why.text);
        ok(rows[i].from == NULL || (c.lines.p != NULL && strstr(c.lines.p, from) != NULL), "%s",
           from);
        collect_done(&c);
    }
}

int main(void)
{
    test_times();
    test_clinic();
    test_tables();
    test_drift();
    test_refused();
    return tap_done();
}
