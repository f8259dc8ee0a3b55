/* A signed export: four files, each of whose bytes counts; standard tools agree. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/trust/bundle_files.h"
#include "tests/support/tap.h"
#include "tests/unit/gateway/trust/support.h"

enum { NOW = 1800000000 };

static const char bundle[] =
    "{\"type\":\"bundle\",\"id\":\"bundle--5a1f0f42-6a3c-4a43-9a51-0f4f5d0c7a11\",\"objects\":["
    "{\"type\":\"identity\",\"spec_version\":\"2.1\",\"id\":\"identity--0d0c6a0e-2c8e-4d36-8a6e-6f6f0a3a5b01\","
    "\"created\":\"2026-01-02T03:04:05.000Z\",\"modified\":\"2026-01-03T03:04:05.000Z\",\"name\":\"Example Hospital\"},"
    "{\"id\":\"ipv4-addr--5853f6a4-638f-5b4e-9b0f-ded361ae3812\",\"type\":\"ipv4-addr\",\"value\":\"192.0.2.7\"},"
    "{\"type\":\"marking-definition\",\"id\":\"marking-definition--0d0c6a0e-2c8e-4d36-8a6e-6f6f0a3a5b02\","
    "\"created\":\"2026-01-02T03:04:05.000Z\"}]}\n";

static const struct trust_bundle_facts facts = {
    .iss = "https://isao.example",
    .collection = "0d0c6a0e-2c8e-4d36-8a6e-6f6f0a3a5b03",
    .epoch = 1790000000,
    .seq = 42,
    .tlp = "green",
    .iat_s = NOW - 100,
};

static const char *const names[] = {"feed.json", "feed.json.objects", "feed.json.jws",
                                    "feed.json.minisig"};

static enum trust_code verify_at(struct trust_key *key, const char *path, int64_t now_s)
{
    struct trust_verify_report report;
    struct isg_fail why = {0};
    trust_verify_report_init(&report);
    int err = trust_bundle_verify(path, trust_key_public(key), 1, now_s, &report, &why);
    enum trust_code code = report.code;
    if (code == TRUST_OK && err == ISG_OK && strcmp(report.kid, trust_key_public(key)->kid) != 0)
        ok(false, "the report names the key");
    trust_verify_report_done(&report);
    return err == ISG_OK ? code : TRUST_CODE_COUNT;
}

static enum trust_code verify(struct trust_key *key)
{
    return verify_at(key, support_path("feed.json"), NOW);
}

static void test_sign(struct trust_key *key)
{
    struct isg_fail why = {0};
    size_t objects = 0;
    support_write(support_path("part"), bundle, sizeof bundle - 1);
    ok(trust_bundle_sign(key, &facts, support_path("part"), support_path("feed.json"), &objects,
                         &why) == ISG_OK,
       "an export is signed %s", why.text);
    is_int((long long)objects, 3, "three objects");
    ok(access(support_path("part"), F_OK) != 0, "the temporary name is gone");
    ok(verify(key) == TRUST_OK, "it holds");
    for (size_t i = 0; i < 4; i++)
        ok(verify_at(key, support_path(names[i]), NOW) == TRUST_OK, "named by %s", names[i]);
    ok(verify_at(key, support_path("feed.json"), NOW + TRUST_BUNDLE_EXP_S) == TRUST_E_EXPIRED,
       "it expires after 30 days");
    ok(verify_at(key, support_path("feed.json"), NOW - 401) == TRUST_E_NOT_YET,
       "it is not taken before its time");

    char *list = tap_slurp(support_path("feed.json.objects"), NULL);
    ok(strstr(list,
              "\tidentity--0d0c6a0e-2c8e-4d36-8a6e-6f6f0a3a5b01\t2026-01-03T03:04:05.000Z\n") !=
           NULL,
       "the list has modified");
    ok(strstr(
           list,
           "\tmarking-definition--0d0c6a0e-2c8e-4d36-8a6e-6f6f0a3a5b02\t2026-01-02T03:04:05.000Z\n") !=
           NULL,
       "or created");
    ok(strstr(list, "\tipv4-addr--5853f6a4-638f-5b4e-9b0f-ded361ae3812\t-\n") != NULL, "or a dash");
    ok(list[0] <= list[strcspn(list, "\n") + 1], "it is sorted");
    free(list);
}

/* One byte, in every place of every file. */
static void test_changes(struct trust_key *key)
{
    for (size_t i = 0; i < 4; i++) {
        size_t n = 0;
        size_t taken = 0;
        const char *path = support_path(names[i]);
        char *text = tap_slurp(path, &n);
        char *longer = malloc(n + 1);
        for (size_t k = 0; k < n; k++) {
            text[k] ^= 1;
            support_write(support_path(names[i]), text, n);
            text[k] ^= 1;
            enum trust_code code = verify(key);
            taken += code == TRUST_OK || code == TRUST_CODE_COUNT;
        }
        is_int((long long)taken, 0, "every changed byte of %s shows", names[i]);
        support_write(support_path(names[i]), text, n - 1);
        if (i != 2) /* the line feed at the end of a .jws may be missing */
            ok(verify(key) != TRUST_OK, "a byte less of %s shows", names[i]);
        memcpy(longer, text, n);
        longer[n] = '\n';
        support_write(support_path(names[i]), longer, n + 1);
        ok(verify(key) != TRUST_OK, "a byte more of %s shows", names[i]);
        support_write(support_path(names[i]), text, n);
        free(text);
        free(longer);
    }
    ok(verify(key) == TRUST_OK, "unchanged it holds again");
}

/* A file that somebody made huge is judged without being read: none of it would fit into memory. */
static void test_huge(struct trust_key *key)
{
    static const off_t size = (off_t)1 << 40; /* a hole */
    size_t n = 0;
    const char *path = support_path("feed.json.objects");
    char *text = tap_slurp(path, &n);
    if (truncate(path, size) == 0) /* some file systems have no files of this size */
        is_int(verify(key), TRUST_E_HASH, "a list of 1 TiB is not the one that was signed");
    support_write(support_path("feed.json.objects"), text, n);
    free(text);
}

static void test_missing(struct trust_key *key)
{
    static const enum trust_code want[] = {TRUST_CODE_COUNT, TRUST_CODE_COUNT, TRUST_CODE_COUNT,
                                           TRUST_OK};
    for (size_t i = 0; i < 4; i++) {
        size_t n = 0;
        char *text = tap_slurp(support_path(names[i]), &n);
        unlink(support_path(names[i]));
        ok(verify(key) == want[i], "without %s", names[i]);
        support_write(support_path(names[i]), text, n);
        free(text);
    }
}

/* A list that was signed but does not belong to the bundle. */
static void test_foreign_list(struct trust_key *key)
{
    struct isg_buf payload;
    struct isg_buf jws;
    struct isg_fail why = {0};
    static const char list[] = "0000\tidentity--x\t-\n";
    struct trust_subject subjects[2] = {{.name = "feed.json", .bytes = sizeof bundle - 1},
                                        {.name = "feed.json.objects", .bytes = sizeof list - 1}};
    size_t n = 0;
    char *old_list = tap_slurp(support_path("feed.json.objects"), NULL);
    char *old_jws = tap_slurp(support_path("feed.json.jws"), &n);
    isg_sha256(ISG_STR(bundle), subjects[0].sha256);
    isg_sha256(ISG_STR(list), subjects[1].sha256);
    isg_buf_init(&payload, 65536);
    isg_buf_init(&jws, 65536);
    (void)trust_bundle_payload(&facts, 3, subjects, &payload, &why);
    ok(trust_statement_sign(key, "bundle", isg_buf_str(&payload), &jws, &why) == ISG_OK,
       "a statement over a wrong list %s", why.text);
    support_write(support_path("feed.json.objects"), list, sizeof list - 1);
    support_write(support_path("feed.json.jws"), jws.p, jws.len);
    ok(verify(key) == TRUST_E_HASH, "a signed list that is not the bundle's is refused");
    support_write(support_path("feed.json.objects"), old_list, strlen(old_list));
    support_write(support_path("feed.json.jws"), old_jws, n);
    isg_buf_done(&payload);
    isg_buf_done(&jws);
    free(old_list);
    free(old_jws);
}

/* What the text for third parties promises, with their tools. */
static void test_tools(struct trust_key *key)
{
    struct isg_buf public;
    char command[2048];
    isg_buf_init(&public, 4096);
    trust_public_pem(trust_key_public(key), &public);
    support_write(support_path("isao.pem"), public.p, public.len);
    isg_buf_reset(&public);
    trust_public_minisign(trust_key_public(key), &public);
    support_write(support_path("isao.pub"), public.p, public.len);
    isg_buf_done(&public);
    (void)snprintf(command, sizeof command,
                   "cd %s && cut -d. -f1,2 feed.json.jws | tr -d '\\n' > tbs && "
                   "cut -d. -f3 feed.json.jws | tr -d '\\n' | tr '_-' '/+' | sed 's/$/==/' | "
                   "base64 -d > sig && openssl pkeyutl -verify -pubin -inkey isao.pem -rawin "
                   "-in tbs -sigfile sig",
                   support_path("."));
    if (support_run("command -v openssl") == 0)
        is_int(support_run(command), 0, "openssl verifies the statement");
    (void)snprintf(command, sizeof command,
                   "cd %s && cut -d. -f2 feed.json.jws | tr '_-' '/+' | sed 's/$/==/' | "
                   "base64 -d 2>/dev/null | jq -r '.subject[]|\"\\(.sha256)  \\(.name)\"' | "
                   "sha256sum -c",
                   support_path("."));
    if (support_run("command -v jq") == 0)
        is_int(support_run(command), 0, "sha256sum verifies the files");
    (void)snprintf(command, sizeof command, "cd %s && minisign -V -H -m feed.json -p isao.pub",
                   support_path("."));
    if (support_run("command -v minisign") == 0)
        is_int(support_run(command), 0, "minisign verifies the bundle");
}

static void test_refused(struct trust_key *key)
{
    static const char *const bad[] = {"",
                                      "{",
                                      "[]",
                                      "{\"objects\":[{}]}",
                                      "{\"objects\":[{\"id\":\"a b\"}]}",
                                      "{\"objects\":[{\"id\":\"a\",\"id\":\"a\"}]}"};
    struct isg_fail why = {0};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        support_write(support_path("part"), bad[i], strlen(bad[i]));
        ok(trust_bundle_sign(key, &facts, support_path("part"), support_path("bad.json"), NULL,
                             &why) != ISG_OK &&
               access(support_path("bad.json.jws"), F_OK) != 0,
           "not signed: %s", bad[i]);
    }
    support_write(support_path("part"), "{\"type\":\"bundle\"}", 17);
    size_t objects = 7;
    ok(trust_bundle_sign(key, &facts, support_path("part"), support_path("empty.json"), &objects,
                         &why) == ISG_OK &&
           objects == 0 && verify_at(key, support_path("empty.json"), NOW) == TRUST_OK,
       "an empty bundle is signed and holds");
    char command[512];
    (void)snprintf(command, sizeof command, "ls %s | grep -q tmp", support_path("."));
    is_int(support_run(command), 1, "no temporary file is left");
}

/* Statements that stand alone. */
static void test_alone(struct trust_key *key)
{
    static const char head[] =
        "{\"exp\":1800003600,\"iat\":1799999000,\"iss\":\"https://isao.example\",\"type\":\"head\"}";
    static const struct {
        const char *type;
        const char *tail;
        enum trust_code want;
    } rows[] = {{"head", "", TRUST_OK},           {"head", "\n", TRUST_OK},
                {NULL, "\n", TRUST_OK},           {"bundle", "", TRUST_E_TYP},
                {"head", "\n\n", TRUST_E_FORMAT}, {"head", "\r\n", TRUST_E_FORMAT}};
    struct isg_buf jws;
    struct isg_fail why = {0};
    isg_buf_init(&jws, 65536);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct trust_verify_report report;
        trust_verify_report_init(&report);
        isg_buf_reset(&jws);
        (void)trust_statement_sign(key, "head", ISG_STR(head), &jws, &why);
        isg_buf_puts(&jws, rows[i].tail);
        support_write(support_path("head.jws"), jws.p, jws.len);
        ok(trust_statement_file_verify(support_path("head.jws"), rows[i].type,
                                       &(struct trust_ring){trust_key_public(key), 1, NOW}, &report,
                                       &why) == ISG_OK &&
               report.code == rows[i].want,
           "a statement alone, row %zu: %s", i, trust_code_name(report.code));
        trust_verify_report_done(&report);
    }
    isg_buf_done(&jws);
}

static void test_corpus(void)
{
    struct trust_key *key = support_corpus_key();
    if (key == NULL)
        return;
    char path[512];
    (void)snprintf(path, sizeof path, "%s", tap_corpus("signing/vectors/bundle.json"));
    ok(verify_at(key, path, 1709470000) == TRUST_OK, "corpus: bundle.json with its companions");
    struct isg_fail why = {0};
    size_t count = 0;
    ok(trust_objects_list(path, support_path("list"), &count, &why) == ISG_OK && count == 4,
       "corpus: its list");
    char command[512];
    (void)snprintf(command, sizeof command, "LC_ALL=C sort -c %s", support_path("list"));
    is_int(support_run(command), 0, "it is sorted");
    trust_key_free(&key);
}

int main(void)
{
    support_begin();
    struct trust_key *key = support_key("content.key");
    test_sign(key);
    test_changes(key);
    test_huge(key);
    test_missing(key);
    test_foreign_list(key);
    test_tools(key);
    test_refused(key);
    test_alone(key);
    test_corpus();
    trust_key_free(&key);
    support_end();
    return tap_done();
}
