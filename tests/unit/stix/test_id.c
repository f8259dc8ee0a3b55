/* Identifiers: their form (S-013, S-017) and the deterministic ones (S-090 to S-096). */
#include <stdio.h>
#include <string.h>

#include "stix/base/buf.h"
#include "stix/id.h"
#include "tests/support/cases.h"
#include "tests/support/tap.h"

static size_t seen[2]; /* rows that are no identifier, and that are */

/* A line of fixtures/stix/id-cases.tsv: the type ("-": no identifier), and the text. */
static void check_split(struct isg_str line, size_t number)
{
    struct isg_str expect;
    struct isg_str type = {NULL, 0};
    struct isg_str uuid = {NULL, 0};
    (void)isg_str_split(&line, '\t', &expect);
    bool is_id = !isg_str_is(expect, "-");
    bool good = stix_id_split(line, &type, &uuid);
    ok(good == is_id, "line %zu: form of %.*s", number, ISG_STR_ARG(line));
    if (good)
        ok(isg_str_eq(type, expect) && uuid.n == 36, "parts of %.*s", ISG_STR_ARG(line));
    seen[is_id]++;
}

static void test_split(void)
{
    cases_each("stix/id-cases.tsv", check_split);
    ok(seen[0] > 0 && seen[1] > 0, "texts that are identifiers and that are not");
    ok(!stix_id_split(ISG_STR(""), NULL, NULL), "nothing is none");
    ok(!stix_id_split(ISG_STR("indicator--14d18af3-fab7-4207-b4cc-2cd768c92bdd\r\n"), NULL, NULL),
       "a line end behind it is none of it");
    char longest[STIX_ID_MAX + 2];
    memset(longest, 'a', sizeof longest);
    memcpy(longest + 250, "--14d18af3-fab7-4207-b4cc-2cd768c92bdd", 38);
    ok(stix_id_split((struct isg_str){longest, STIX_ID_MAX}, NULL, NULL), "a type of 250");
    memcpy(longest + 251, "--14d18af3-fab7-4207-b4cc-2cd768c92bdd", 38);
    longest[250] = 'a';
    ok(!stix_id_split((struct isg_str){longest, STIX_ID_MAX + 1}, NULL, NULL), "a type of 251");
}

struct sco_row {
    const char *sco;
    const char *id;
};

#define EMPTY_MD5  "\"MD5\":\"d41d8cd98f00b204e9800998ecf8427e\""
#define EMPTY_SHA1 "\"SHA-1\":\"da39a3ee5e6b4b0d3255bfef95601890afd80709\""
#define EMPTY_SHA256 \
    "\"SHA-256\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\""

static const struct sco_row sco_rows[] = {
    {"{\"type\":\"ipv4-addr\",\"value\":\"198.51.100.7\"}",
     "ipv4-addr--12592121-be4c-5a93-a813-5a5af16e50db"},
    {"{\"type\":\"ipv4-addr\",\"value\":\"198.51.100.0/24\"}",
     "ipv4-addr--1ea47840-aa39-5aa8-b4a2-cd203eb6662a"},
    {"{\"type\":\"ipv6-addr\",\"value\":\"2001:db8::5\"}",
     "ipv6-addr--088ee214-b1f7-557f-92b9-c401d94b2165"},
    {"{\"type\":\"domain-name\",\"value\":\"bad.example\",\"id\":\"ignored\",\"x_more\":[1]}",
     "domain-name--3feb0435-4cfe-526c-ad29-7497916a7c8c"},
    {"{\"type\":\"domain-name\",\"value\":\"xn--bcher-kva.example\"}",
     "domain-name--2756bcd2-4f67-5280-b058-56605b46834f"},
    {"{\"type\":\"url\",\"value\":\"http://bad.example/a'b\\\\c?x=1\"}",
     "url--0778dafc-837f-52bd-8518-49b73a0ec28e"},
    {"{\"type\":\"email-addr\",\"value\":\"x@bad.example\"}",
     "email-addr--a29f7951-f2b8-5dc5-bd98-3df2bac63cad"},
    {"{\"type\":\"file\",\"hashes\":{" EMPTY_MD5 "}}",
     "file--02fff920-f614-527c-81d1-6353633a6d21"},
    {"{\"type\":\"file\",\"hashes\":{" EMPTY_SHA256 "," EMPTY_MD5 "}}",
     "file--02fff920-f614-527c-81d1-6353633a6d21"},
    {"{\"type\":\"file\",\"hashes\":{" EMPTY_SHA256 "," EMPTY_SHA1 "},\"size\":0}",
     "file--fa6e66a5-f019-51f9-8ab5-812023e58c6e"},
    {"{\"type\":\"file\",\"hashes\":{" EMPTY_SHA256 "}}",
     "file--22f8ff52-8f62-5f03-a53a-6f50f54fd74c"},
    {"{\"type\":\"network-traffic\",\"dst_ref\":"
     "\"ipv4-addr--12592121-be4c-5a93-a813-5a5af16e50db\",\"dst_port\":443,"
     "\"protocols\":[\"ipv4\",\"tcp\"]}",
     "network-traffic--f18c6a5f-4ecd-5219-b535-f3372ed4765b"},
    {"{\"version\":\"3.1\",\"vendor\":\"ExampleMed\",\"type\":\"software\","
     "\"name\":\"ExamplePump Server\","
     "\"cpe\":\"cpe:2.3:a:examplemed:examplepump_server:3.1:*:*:*:*:*:*:*\"}",
     "software--49ce214f-d684-5c51-a201-79cc6b34c919"},
};

static char *id_of(const char *text, bool *out_deterministic)
{
    static char id[STIX_ID_MAX + 1];
    struct stix_json *sco = NULL;
    id[0] = '\0';
    if (stix_json_parse(isg_str_of(text), NULL, &sco, NULL) == ISG_OK)
        (void)stix_id_sco(sco, id, out_deterministic, NULL);
    stix_json_free(&sco);
    return id;
}

static void test_golden(void)
{
    for (size_t i = 0; i < sizeof sco_rows / sizeof sco_rows[0]; i++) {
        bool deterministic = false;
        is_str(id_of(sco_rows[i].sco, &deterministic), sco_rows[i].id, "%s", sco_rows[i].sco);
        ok(deterministic, "not random");
    }
}

/* Two texts of the first column have one id; the third has another. */
static void test_same_and_other(void)
{
    static const char *const rows[][3] = {
        /* S-091: none of the four, so the first in document order */
        {"{\"type\":\"file\",\"hashes\":{\"SHA3-256\":\"aa\",\"SSDEEP\":\"bb\"}}",
         "{\"type\":\"file\",\"hashes\":{\"SHA3-256\":\"aa\"}}",
         "{\"type\":\"file\",\"hashes\":{\"SSDEEP\":\"bb\",\"SHA3-256\":\"aa\"}}"},
        /* numbers as values: 443.0 is 443 */
        {"{\"type\":\"autonomous-system\",\"number\":64500}",
         "{\"type\":\"autonomous-system\",\"number\":64500.0,\"name\":\"Example\"}",
         "{\"type\":\"autonomous-system\",\"number\":64501}"},
        /* extensions contribute whole (S-095) */
        {"{\"type\":\"file\",\"name\":\"a\",\"extensions\":{\"ntfs-ext\":{\"sid\":\"1\"}}}",
         "{\"type\":\"file\",\"extensions\":{\"ntfs-ext\":{\"sid\":\"1\"}},\"name\":\"a\"}",
         "{\"type\":\"file\",\"name\":\"a\"}"},
        /* timestamps as written (S-096) */
        {"{\"type\":\"network-traffic\",\"start\":\"2024-03-01T00:00:00Z\"}",
         "{\"start\":\"2024-03-01T00:00:00Z\",\"type\":\"network-traffic\"}",
         "{\"type\":\"network-traffic\",\"start\":\"2024-03-01T00:00:00.000Z\"}"},
        {"{\"type\":\"windows-registry-key\",\"key\":\"HKEY_USERS\\\\a\",\"values\":[{\"name\":\"\"}]}",
         "{\"type\":\"windows-registry-key\",\"values\":[{\"name\":\"\"}],\"key\":\"HKEY_USERS\\\\a\"}",
         "{\"type\":\"windows-registry-key\",\"key\":\"HKEY_USERS\\\\a\"}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char first[STIX_ID_MAX + 1];
        (void)snprintf(first, sizeof first, "%s", id_of(rows[i][0], NULL));
        is_str(id_of(rows[i][1], NULL), first, "the same: %s", rows[i][1]);
        ok(strcmp(id_of(rows[i][2], NULL), first) != 0, "another: %s", rows[i][2]);
    }
}

static void test_random(void)
{
    static const char *const rows[] = {
        "{\"type\":\"process\",\"pid\":7}",
        "{\"type\":\"file\",\"size\":7}",
        "{\"type\":\"file\",\"hashes\":{},\"size\":7}",
        "{\"type\":\"network-traffic\",\"is_active\":true}",
        "{\"type\":\"email-message\",\"is_multipart\":false}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool deterministic = true;
        char first[STIX_ID_MAX + 1];
        struct isg_str uuid = {NULL, 0};
        int version = 0;
        (void)snprintf(first, sizeof first, "%s", id_of(rows[i], &deterministic));
        ok(!deterministic && stix_id_split(isg_str_of(first), NULL, &uuid) &&
               isg_uuid_is_valid(uuid, &version) && version == 4,
           "version 4 for %s", rows[i]);
        ok(strcmp(first, id_of(rows[i], NULL)) != 0, "and new each time");
    }
}

static void test_refused(void)
{
    static const char *const rows[] = {"{\"type\":\"indicator\"}", "{\"value\":\"x\"}", "[]",
                                       "{\"type\":5}", "{\"type\":\"IPV4-addr\"}"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct stix_json *json = NULL;
        struct isg_fail why;
        char id[STIX_ID_MAX + 1] = "untouched";
        is_int(stix_json_parse(isg_str_of(rows[i]), NULL, &json, NULL), ISG_OK, "parse");
        is_int(stix_id_sco(json, id, NULL, &why), ISG_EINVAL, "no observable: %s", rows[i]);
        is_str(why.path, "/type", "its pointer");
        is_str(id, "untouched", "set on success only");
        stix_json_free(&json);
    }
}

static void test_named(void)
{
    char ns[ISG_UUID_TEXT];
    char id[STIX_ID_MAX + 1];
    struct isg_buf name;
    isg_uuid_v5(ISG_UUID_NS_URL, ISG_STR("urn:example:isao-gateway:stix-id:v1"), ns);
    is_str(ns, "f5e2b8e8-b73c-5ede-bc57-9e42a15201c9", "a gateway's namespace");
    isg_buf_init(&name, ISG_BUF_NO_MAX);
    stix_id_name_field(&name, ISG_STR("vulnerability"));
    stix_id_name_field(&name, ISG_STR("CVE-2024-99999"));
    stix_id_named("vulnerability", ns, isg_buf_str(&name), id);
    is_str(id, "vulnerability--14d18af3-fab7-5207-b4cc-2cd768c92bdd", "a vulnerability's id");
    isg_buf_reset(&name);
    stix_id_name_field(&name, ISG_STR("a|b"));
    stix_id_name_field(&name, ISG_STR("c\\d"));
    stix_id_name_field(&name, ISG_STR(""));
    is_str(name.p, "a\\|b|c\\\\d|", "fields are escaped");
    isg_buf_done(&name);
}

static int sign_of(const char *a, const char *b)
{
    int order = stix_id_cmp(isg_str_of(a), isg_str_of(b));
    return (order > 0) - (order < 0);
}

/* Hex digits in either case; nothing else (S-013). */
static void test_order(void)
{
    static const char id[] = "tool--14d18af3-fab7-4207-b4cc-2cd768c92bdd";
    is_int(sign_of(id, "tool--14D18AF3-FAB7-4207-B4CC-2CD768C92BDD"), 0, "either case");
    is_int(sign_of(id, "tool--14d18af3-fab7-4207-b4cc-2cd768c92bde"), -1, "a smaller digit");
    is_int(sign_of("tool--14D18AF3-FAB7-4207-B4CC-2CD768C92BDE", id), 1, "a greater one");
    is_int(sign_of(id, "Tool--14d18af3-fab7-4207-b4cc-2cd768c92bdd"), 1, "types are bytes");
    is_int(sign_of(id, "tools--14d18af3-fab7-4207-b4cc-2cd768c92bdd"), -1, "another type");
    is_int(sign_of("a", "A"), 1, "keys are bytes");
    is_int(sign_of("a", "ab"), -1, "a prefix is smaller");
    is_int(sign_of("", ""), 0, "nothing");
}

int main(void)
{
    test_split();
    test_order();
    test_golden();
    test_same_and_other();
    test_random();
    test_refused();
    test_named();
    return tap_done();
}
