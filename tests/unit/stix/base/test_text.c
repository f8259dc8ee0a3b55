/* UTF-8, base64, UUIDs, digests, the JSON writer and errors. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stix/base/base64.h"
#include "stix/base/digest.h"
#include "stix/base/err.h"
#include "stix/base/jsonw.h"
#include "stix/base/utf8.h"
#include "stix/base/uuid.h"
#include "tests/support/tap.h"

/* A message that was cut in the middle of a character is text all the same. */
static void test_mend(void)
{
    static const struct {
        const char *text;
        const char *mended;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"\xe6\xb0\xb4", "\xe6\xb0\xb4"},
        {"cut \xe6\xb0", "cut ??"},
        {"\xb0\xb4 behind", "?? behind"},
        {"a \xff and \xe6\xb0\xb4", "a ? and \xe6\xb0\xb4"},
        {"surrogate \xed\xa0\x80", "surrogate ???"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "%s", rows[i].text);
        isg_utf8_mend(text);
        ok(strcmp(text, rows[i].mended) == 0, "mended, row %zu: %s", i, text);
    }
}

/* Nothing of a text from outside reaches a terminal as a command. */
static void test_printable(void)
{
    static const struct {
        const char *text;
        const char *printable;
    } rows[] = {
        {"two\nlines\tand\r", "two?lines?and?"},
        {"\x1b]0;title\x07\x7f", "?]0;title??"},
        {"\xc2\x9b"
         "31m",
         "??31m"},
        {"\xc2\xa0 \xc3\x9b \xc2", "\xc2\xa0 \xc3\x9b ?"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "%s", rows[i].text);
        isg_utf8_printable(text);
        ok(strcmp(text, rows[i].printable) == 0, "printable, row %zu: %s", i, text);
    }
}

static void test_utf8(void)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"", true},
        {"plain text of more than eight bytes", true},
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\xee\x80\x80\xed\x9f\xbf", true},
        {"\xf4\x90\x80\x80", false},
        {"\xed\xa0\x80", false},
        {"\xc0\xaf", false},
        {"\xc1\xbf", false},
        {"\xe0\x9f\xbf", false},
        {"\xf0\x8f\xbf\xbf", false},
        {"\x80", false},
        {"12345678\xff", false},
        {"\xe2\x82", false},
        {"\xe2\x28\xa1", false},
        {"\xf8\x88\x80\x80\x80", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ok(isg_utf8_is_valid(isg_str_of(rows[i].text)) == rows[i].good, "UTF-8, row %zu", i);
    for (uint32_t cp = 1; cp <= 0x10ffff; cp = cp * 3 / 2 + 1) {
        char bytes[4];
        struct isg_str rest = {bytes, isg_utf8_put(cp, bytes)};
        bool surrogate = cp >= 0xd800 && cp <= 0xdfff;
        int32_t back = isg_utf8_next(&rest);
        ok(surrogate ? back == -2 : back == (int32_t)cp && rest.n == 0, "U+%04X there and back",
           cp);
    }
    struct isg_str none = {"", 0};
    is_int(isg_utf8_next(&none), -1, "the end");
}

static void test_base64(void)
{
    static const struct {
        enum isg_base64 form;
        const char *text;
        const char *bytes; /* NULL: refused */
    } rows[] = {
        {ISG_BASE64_STD, "", ""},
        {ISG_BASE64_STD, "Zg==", "f"},
        {ISG_BASE64_STD, "Zm8=", "fo"},
        {ISG_BASE64_STD, "Zm9v", "foo"},
        {ISG_BASE64_STD, "+/+/", "\xfb\xff\xbf"},
        {ISG_BASE64_URL, "-_-_", "\xfb\xff\xbf"},
        {ISG_BASE64_URL, "Zg", "f"},
        {ISG_BASE64_URL, "Zm8", "fo"},
        {ISG_BASE64_STD, "Zg", NULL},
        {ISG_BASE64_STD, "Zg=", NULL},
        {ISG_BASE64_STD, "Zh==", NULL},
        {ISG_BASE64_STD, "Zm9=", NULL},
        {ISG_BASE64_STD, "Zm9v\n", NULL},
        {ISG_BASE64_STD, "Zm 9v", NULL},
        {ISG_BASE64_STD, "====", NULL},
        {ISG_BASE64_STD, "Z===", NULL},
        {ISG_BASE64_STD, "Zg==Zg==", NULL},
        {ISG_BASE64_STD, "-_-_", NULL},
        {ISG_BASE64_URL, "Zg==", NULL},
        {ISG_BASE64_URL, "Zh", NULL},
        {ISG_BASE64_URL, "Z", NULL},
        {ISG_BASE64_URL, "+/+/", NULL},
        {ISG_BASE64_LAX, "Zg==", "f"},
        {ISG_BASE64_LAX, "Zm9v", "foo"},
        {ISG_BASE64_LAX, "Zg", NULL},
        {ISG_BASE64_LAX, "Z===", NULL},
        {ISG_BASE64_LAX, "-_-_", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct isg_buf out;
        isg_buf_init(&out, ISG_BUF_NO_MAX);
        bool good = isg_base64_decode(rows[i].form, isg_str_of(rows[i].text), &out);
        ok(good == (rows[i].bytes != NULL), "base64 '%s'", rows[i].text);
        if (good && rows[i].bytes != NULL) {
            ok(isg_str_is(isg_buf_str(&out), rows[i].bytes), "its bytes");
            isg_buf_reset(&out);
            isg_base64_encode(rows[i].form, rows[i].bytes, strlen(rows[i].bytes), &out);
            ok(isg_str_is(isg_buf_str(&out), rows[i].text), "and back");
        }
        isg_buf_done(&out);
    }
    ok(isg_base64_decode(ISG_BASE64_STD, ISG_STR("Zm9v"), NULL), "a check needs no buffer");
    ok(isg_base64_decode(ISG_BASE64_LAX, ISG_STR("Zh=="), NULL) &&
           isg_base64_decode(ISG_BASE64_LAX, ISG_STR("Zm9="), NULL),
       "spare bits of others are let pass");
}

static void test_uuid(void)
{
    static const struct {
        const char *text;
        int version; /* 0: refused */
    } rows[] = {
        {"14d18af3-fab7-5207-b4cc-2cd768c92bdd", 5},
        {"14D18AF3-FAB7-4207-B4CC-2CD768C92BDD", 4},
        {"6ba7b811-9dad-11d1-80b4-00c04fd430c8", 1},
        {"14d18af3-fab7-0207-b4cc-2cd768c92bdd", 0},
        {"14d18af3-fab7-4207-c4cc-2cd768c92bdd", 0},
        {"14d18af3-fab7-4207-34cc-2cd768c92bdd", 0},
        {"14d18af3fab7-4207-b4cc-2cd768c92bdd-", 0},
        {"14d18af3-fab7-4207-b4cc-2cd768c92bd", 0},
        {"{4d18af3-fab7-4207-b4cc-2cd768c92bd}", 0},
        {"14d18af3-fab7-a207-b4cc-2cd768c92bdd", 0},
        {"", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int version = 0;
        ok(isg_uuid_is_valid(isg_str_of(rows[i].text), &version) == (rows[i].version != 0),
           "UUID %s (S-013)", rows[i].text);
        is_int(version, rows[i].version, "its version");
    }
    char a[ISG_UUID_TEXT];
    char b[ISG_UUID_TEXT];
    int version = 0;
    isg_uuid_random(a);
    isg_uuid_random(b);
    ok(isg_uuid_is_valid(isg_str_of(a), &version) && version == 4 && strcmp(a, b) != 0, "random");
    isg_uuid_v5("no uuid", ISG_STR("x"), a);
    is_str(a, "", "a wrong namespace");
}

static void test_digest(void)
{
    uint8_t digest[ISG_SHA512_BYTES];
    char text[2 * ISG_SHA512_BYTES + 1];
    struct isg_sha512 hash;
    isg_sha256(ISG_STR("abc"), digest);
    isg_hex_encode(digest, ISG_SHA256_BYTES, text);
    is_str(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "SHA-256");
    isg_sha512_init(&hash);
    isg_sha512_add(&hash, "a", 1);
    isg_sha512_add(&hash, "bc", 2);
    isg_sha512_end(&hash, digest);
    isg_hex_encode(digest, ISG_SHA512_BYTES, text);
    is_str(text,
           "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
           "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
           "SHA-512 in pieces");
}

static void test_jsonw(void)
{
    struct isg_buf out;
    struct isg_jsonw w;
    isg_buf_init(&out, ISG_BUF_NO_MAX);
    isg_jsonw_init(&w, &out);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "a", "x\"\\\n\x01\x7f");
    isg_jsonw_put(&w, "absent", NULL);
    isg_jsonw_put_int(&w, "n", INT64_MIN);
    isg_jsonw_name(&w, "list");
    isg_jsonw_list(&w);
    isg_jsonw_bool(&w, true);
    isg_jsonw_object(&w);
    isg_jsonw_end(&w);
    isg_jsonw_list(&w);
    isg_jsonw_end(&w);
    isg_jsonw_raw(&w, ISG_STR("1.5"));
    isg_jsonw_end(&w);
    isg_jsonw_put_bool(&w, "b", false);
    isg_jsonw_put_str(&w, "eight plain bytes, then more \x1f", ISG_STR(""));
    isg_jsonw_end(&w);
    is_str(out.p,
           "{\"a\":\"x\\\"\\\\\\n\\u0001\x7f\",\"n\":-9223372036854775808,"
           "\"list\":[true,{},[],1.5],\"b\":false,\"eight plain bytes, then more \\u001f\":\"\"}",
           "a document");
    isg_buf_reset(&out);
    isg_jsonw_init(&w, &out);
    for (int i = 0; i < 70; i++)
        isg_jsonw_list(&w);
    is_int(out.err, ISG_ELIMIT, "70 levels");
    isg_buf_done(&out);
}

/* Every single byte at every place of a word, against the plain definition. */
static void test_escape(void)
{
    int wrong = 0;
    for (int byte = 1; byte < 0x80; byte++) {
        for (size_t at = 0; at < 17; at++) {
            struct isg_buf out;
            char text[18] = "aaaaaaaaaaaaaaaaa";
            text[at] = (char)byte;
            isg_buf_init(&out, ISG_BUF_NO_MAX);
            isg_json_escape(&out, (struct isg_str){text, 17});
            bool escaped = byte < 0x20 || byte == '"' || byte == '\\';
            wrong += (out.len > 17) != escaped || (!escaped && strcmp(out.p, text) != 0);
            wrong += escaped && out.p[at] != '\\';
            isg_buf_done(&out);
        }
    }
    is_int(wrong, 0, "escapes at every place");
}

static void test_os_error(void)
{
    char text[ISG_OS_ERROR_TEXT];
    errno = EINTR;
    ok(isg_os_error(ENOENT, text) == text, "the text asked for comes back");
    is_str(text, "No such file or directory", "the system's words");
    is_str(ISG_OS_ERROR(EACCES), "Permission denied", "without a text at hand");
    static const int unknown[] = {-1, 12345, INT_MIN, INT_MAX};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        ok(isg_os_error(unknown[i], text)[0] != '\0', "error %d has a text", unknown[i]);
    is_int(errno, EINTR, "errno is left alone");
}

static void test_err(void)
{
    struct isg_fail why;
    is_int(isg_fail_at(&why, ISG_EINVAL, "/a", "S-035", "not %s", "after\n\x1b[2J"), ISG_EINVAL,
           "the code comes back");
    is_str(why.text, "not after??[2J", "texts are printable");
    is_str(why.path, "/a", "path");
    is_str(why.rule, "S-035", "rule");
    is_int(isg_fail(&why, ISG_EBUSY, "full"), ISG_EBUSY, "without a place");
    is_str(why.path, "", "the old path is gone");
    is_int(isg_fail(NULL, ISG_EIO, "x"), ISG_EIO, "nobody asks why");
    for (int code = 1; code >= ISG_EUSAGE - 1; code--)
        ok(isg_strerror(code) != NULL && isg_err_http(code) >= 200 && isg_err_exit(code) >= 0,
           "code %d has texts and numbers", code);
    ok(isg_err_is_temporary(ISG_ESTORE) && !isg_err_is_temporary(ISG_EINVAL), "temporary or not");
}

int main(void)
{
    test_utf8();
    test_mend();
    test_printable();
    test_base64();
    test_uuid();
    test_digest();
    test_jsonw();
    test_escape();
    test_err();
    test_os_error();
    return tap_done();
}
