/* Feeds digest, section 3: a row per rule. */
#include <stdio.h>
#include <string.h>

#include "feeds/ioc.h"
#include "stix/base/arena.h"
#include "stix/pattern.h"
#include "tests/support/tap.h"

static struct isg_arena *arena;

static void test_refang(void)
{
    static const struct {
        const char *seen;
        const char *becomes;
        unsigned flags;
    } rows[] = {
        {"hxxp://bad.example/a", "http://bad.example/a", 0},
        {"hXXps://bad.example/a", "https://bad.example/a", 0}, /* not http: iocextract#49 */
        {"h**p://bad.example", "http://bad.example", 0},
        {"meow://bad.example", "http://bad.example", 0},
        {"fxp://bad.example", "ftp://bad.example", 0},
        {"hxxp[:]//bad[.]example/x", "http://bad.example/x", 0},
        {"hxxps[://]bad[.]example", "https://bad.example", 0},
        {"https:// bad.example/x", "https://bad.example/x", 0},
        {"bad(.)pump{.}example", "bad.pump.example", 0},
        {"bad[dot]pump(dot)example", "bad.pump.example", 0},
        {"bad dot pump dot example", "bad.pump.example", 0},
        {"bad\\.pump.example", "bad.pump.example", 0},
        {"bad[.pump.]example", "bad.pump.example", 0},
        {"198.51.100[.]7[:]443", "198.51.100.7:443", 0},
        {"bad.example[/]x", "bad.example/x", 0},
        {"x[@]bad.example", "x@bad.example", 0},
        {"x(at)bad[.]example", "x@bad.example", 0},
        {"x at bad dot example", "x@bad.example", 0},
        {"<http://bad.example/x>", "http://bad.example/x", 0},
        {"bad.example.", "bad.example", 0},
        {"\"bad.example\",", "bad.example", 0},
        {"http://bad.example/a(1)", "http://bad.example/a(1)", 0},
        {"http://bad.example/a).", "http://bad.example/a", 0},
        {"[2001:db8::1]", "[2001:db8::1]", 0},
        {"bad\xe3\x80\x82"
         "example",
         "bad.example", 0},
        {"bad\xe2\x80\x8b.exa\xef\xbb\xbfmple", "bad.example", 0},
        {"http://bad.example/a[.]b", "http://bad.example/a.b", 0},
        {"http://bad.example/?x=[.]", "http://bad.example/?x=[.]", IOC_MACHINE},
        {"http://bad.example/?u=hxxp://x", "http://bad.example/?u=hxxp://x", 0},
        {"http://bad.example/x.", "http://bad.example/x.", IOC_MACHINE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct isg_str out = ioc_refang(arena, isg_str_of(rows[i].seen), rows[i].flags);
        ok(isg_str_is(out, rows[i].becomes), "refang %s: %.*s", rows[i].seen, ISG_STR_ARG(out));
    }
}

#define BUECHER \
    "b\xc3\xbc" \
    "cher.example"
#define MD5_TEXT "0123456789ABCDEF0123456789abcdef"

static void test_read(void)
{
    static const struct {
        const char *raw;
        enum ioc_kind want;
        enum ioc_kind kind; /* IOC_ANY: refused */
        const char *value;
    } rows[] = {
        /* IPv4: no leading zeros, no hex, no short forms */
        {"198.51.100.7", IOC_ANY, IOC_IPV4, "198.51.100.7"},
        {"010.0.0.1", IOC_NETWORK, IOC_ANY, ""},
        {"0x7f.0.0.1", IOC_NETWORK, IOC_ANY, ""},
        {"127.1", IOC_NETWORK, IOC_ANY, ""},
        {"107.183.86", IOC_ANY, IOC_ANY, ""},
        {"256.1.1.1", IOC_ANY, IOC_ANY, ""},
        {"198.51.100.7/32", IOC_ANY, IOC_IPV4, "198.51.100.7"},
        {"198.51.100.0/24", IOC_ANY, IOC_CIDR4, "198.51.100.0/24"},
        {"198.51.100.5/24", IOC_ANY, IOC_CIDR4, "198.51.100.0/24"},
        {"11.0.0.0/8", IOC_ANY, IOC_CIDR4, "11.0.0.0/8"},
        {"11.0.0.0/7", IOC_ANY, IOC_ANY, ""},
        {"0.0.0.0/0", IOC_NETWORK, IOC_ANY, ""},
        {"198.51.100.0/33", IOC_NETWORK, IOC_ANY, ""},
        {"198.51.100.0/024", IOC_NETWORK, IOC_ANY, ""},
        /* IPv6: RFC 5952 */
        {"2001:DB8:0:0:0:0:0:5", IOC_ANY, IOC_IPV6, "2001:db8::5"},
        {"2001:db8:0:1:1:1:1:1", IOC_ANY, IOC_IPV6, "2001:db8:0:1:1:1:1:1"},
        {"2001:0:0:1:0:0:0:1", IOC_ANY, IOC_IPV6, "2001:0:0:1::1"},
        {"2001:db8::", IOC_ANY, IOC_IPV6, "2001:db8::"},
        {"::1", IOC_ANY, IOC_IPV6, "::1"},
        {"::102:304", IOC_ANY, IOC_IPV6, "::102:304"},
        {"::ffff:198.51.100.7", IOC_ANY, IOC_IPV4, "198.51.100.7"},
        {"[2001:db8::5]", IOC_ANY, IOC_IPV6, "2001:db8::5"},
        {"fe80::1%eth0", IOC_ANY, IOC_ANY, ""},
        {"2001:db8::5/128", IOC_ANY, IOC_IPV6, "2001:db8::5"},
        {"2001:db8::5/32", IOC_ANY, IOC_CIDR6, "2001:db8::/32"},
        {"2001::/19", IOC_ANY, IOC_CIDR6, "2001::/19"},
        {"2000::/18", IOC_ANY, IOC_ANY, ""},
        {"::ffff:198.51.100.9/120", IOC_ANY, IOC_CIDR4, "198.51.100.0/24"},
        /* address and port */
        {"198.51.100.7:443", IOC_ANY, IOC_IP_PORT, "198.51.100.7"},
        {"198.51.100.7|443", IOC_IP_PORT, IOC_IP_PORT, "198.51.100.7"},
        {"[2001:db8::5]:443", IOC_ANY, IOC_IP_PORT, "2001:db8::5"},
        {"2001:db8:1::5:40669", IOC_IP_PORT, IOC_IP_PORT, "2001:db8:1::5"},
        {"2001:db8:1::5:40669", IOC_ANY, IOC_ANY, ""},
        {"2001:db8:1::5:8080", IOC_IP_PORT, IOC_IP_PORT, "2001:db8:1::5"},
        {"2001:db8:1::5:8080", IOC_ANY, IOC_IPV6, "2001:db8:1::5:8080"},
        {"198.51.100.7:0", IOC_IP_PORT, IOC_ANY, ""},
        {"198.51.100.7:65536", IOC_IP_PORT, IOC_ANY, ""},
        {"198.51.100.7", IOC_IP_PORT, IOC_ANY, ""},
        /* domains */
        {"Bad.Example.", IOC_ANY, IOC_DOMAIN, "bad.example"},
        {BUECHER, IOC_ANY, IOC_DOMAIN, "xn--bcher-kva.example"},
        {"B\xc3\x9c"
         "cher.example",
         IOC_ANY, IOC_DOMAIN, "xn--bcher-kva.example"},
        {"xn--bcher-kva.example", IOC_ANY, IOC_DOMAIN, "xn--bcher-kva.example"},
        {"bu\xcc\x88"
         "cher.example",
         IOC_ANY, IOC_DOMAIN, "xn--bcher-kva.example"}, /* NFC */
        {"stra\xc3\x9f"
         "e.example",
         IOC_ANY, IOC_DOMAIN, "xn--strae-oqa.example"},
        {"xn--zzzzzzzz99999.example", IOC_ANY, IOC_ANY, ""},
        {"xn--abc-.example", IOC_ANY, IOC_ANY, ""},
        {"*.bad.example", IOC_ANY, IOC_DOMAIN, "bad.example"},
        {"_dmarc.bad.example", IOC_ANY, IOC_DOMAIN, "_dmarc.bad.example"},
        {"bad.exa_mple", IOC_ANY, IOC_ANY, ""},
        {"bad..example", IOC_ANY, IOC_ANY, ""},
        {"-bad.example", IOC_ANY, IOC_ANY, ""},
        {"bad.123", IOC_ANY, IOC_ANY, ""},
        {"bad", IOC_ANY, IOC_ANY, ""},
        {"bad example.example", IOC_ANY, IOC_ANY, ""},
        {"a23456789012345678901234567890123456789012345678901234567890abcd.example", IOC_ANY,
         IOC_ANY, ""},
        /* URLs: path, query and fragment byte for byte */
        {"HTTP://Bad.Example:80", IOC_ANY, IOC_URL, "http://bad.example"},
        {"http://bad.example/", IOC_ANY, IOC_URL, "http://bad.example/"},
        {"https://bad.example:443/A%2e", IOC_ANY, IOC_URL, "https://bad.example/A%2e"},
        {"https://bad.example:80/", IOC_ANY, IOC_URL, "https://bad.example:80/"},
        {"http://bad.example/a'b\\c?x=1", IOC_ANY, IOC_URL, "http://bad.example/a'b\\c?x=1"},
        {"http://bad.example/a b\"\xc3\xbc", IOC_URL, IOC_URL, "http://bad.example/a b\"\xc3\xbc"},
        {"http://" BUECHER "/\xc3\xbc", IOC_URL, IOC_URL, "http://xn--bcher-kva.example/\xc3\xbc"},
        {"http://user:pw@Bad.example/", IOC_URL, IOC_URL, "http://user:pw@bad.example/"},
        {"http://[2001:DB8::5]:8080/x", IOC_URL, IOC_URL, "http://[2001:db8::5]:8080/x"},
        {"http://198.51.100.7/x", IOC_URL, IOC_URL, "http://198.51.100.7/x"},
        {"http://bad.example?x", IOC_URL, IOC_URL, "http://bad.example?x"},
        {"http://198.51.100.07/x", IOC_URL, IOC_ANY, ""},
        {"http:///x", IOC_URL, IOC_ANY, ""},
        {"http://bad.example:99999/", IOC_URL, IOC_ANY, ""},
        {"http://bad..example/phishing", IOC_ANY, IOC_ANY, ""},
        {"http://bad.example/\x01", IOC_URL, IOC_ANY, ""},
        {"bad.example/x", IOC_URL, IOC_ANY, ""},
        {"bad.example/x", IOC_ANY, IOC_ANY, ""},
        /* hashes: hex only, length decides, the source's type must agree */
        {MD5_TEXT, IOC_ANY, IOC_MD5, "0123456789abcdef0123456789abcdef"},
        {MD5_TEXT "01234567", IOC_HASH, IOC_SHA1, "0123456789abcdef0123456789abcdef01234567"},
        {MD5_TEXT, IOC_SHA1, IOC_ANY, ""},
        {MD5_TEXT "0", IOC_ANY, IOC_ANY, ""},
        {MD5_TEXT "01234567", IOC_CERT_SHA1, IOC_CERT_SHA1,
         "0123456789abcdef0123456789abcdef01234567"},
        {"T1" MD5_TEXT, IOC_HASH, IOC_ANY, ""},
        /* mail and CVE */
        {"X.y+z@Bad.Example", IOC_ANY, IOC_EMAIL, "X.y+z@bad.example"},
        {"Someone <x@bad.example>", IOC_EMAIL, IOC_EMAIL, "x@bad.example"},
        {"@bad.example", IOC_ANY, IOC_ANY, ""},
        {"x@", IOC_ANY, IOC_ANY, ""},
        {"cve-2031-12345678", IOC_ANY, IOC_CVE, "CVE-2031-12345678"},
        {"CVE-2031-123", IOC_CVE, IOC_ANY, ""},
        {"", IOC_ANY, IOC_ANY, ""},
        {"\xff\xfe.example", IOC_ANY, IOC_ANY, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ioc ioc;
        struct isg_fail why = {.code = ISG_OK};
        int err = ioc_read(arena, isg_str_of(rows[i].raw), rows[i].want, 0, &ioc, &why);
        bool refused = rows[i].kind == IOC_ANY;
        is_int(err, refused ? ISG_EINVAL : ISG_OK, "%s: %s", rows[i].raw, why.text);
        if (err == ISG_OK && !refused)
            ok(ioc.kind == rows[i].kind && isg_str_is(ioc.value, rows[i].value), "%s is %s %.*s",
               rows[i].raw, ioc_kind_name(ioc.kind), ISG_STR_ARG(ioc.value));
    }
}

static struct ioc read_one(const char *raw, enum ioc_kind want, unsigned flags)
{
    struct ioc ioc = {0};
    (void)ioc_read(arena, isg_str_of(raw), want, flags, &ioc, NULL);
    return ioc;
}

static void test_notes(void)
{
    ok(read_one("198.51.100.5/24", IOC_ANY, 0).masked, "host bits are noted");
    ok(!read_one("198.51.100.0/24", IOC_ANY, 0).masked, "none there");
    ok(read_one("2001:db8:1::5:8080", IOC_IP_PORT, 0).ambiguous, "could be an address");
    ok(!read_one("2001:db8:1::5:40669", IOC_IP_PORT, 0).ambiguous, "no group has five digits");
    is_int(read_one("2001:db8:1::5:40669", IOC_IP_PORT, 0).port, 40669, "the last colon");
    ok(read_one("*.bad.example", IOC_ANY, 0).wildcard, "a wildcard");
    ok(read_one("http://u@bad.example/", IOC_ANY, 0).credentials, "credentials are noted");
    ok(read_one("bad[.]example", IOC_ANY, 0).refanged, "refanged");
    ok(!read_one("bad.example", IOC_ANY, 0).refanged, "not refanged");
    ok(isg_str_is(read_one(BUECHER, IOC_ANY, 0).unicode, BUECHER), "the letters are kept aside");
    ok(isg_str_is(read_one("pump7", IOC_ANY, IOC_SINGLE_LABEL).value, "pump7"), "one label");
}

/* Digest 3.3: every pattern is one, and says the value again. */
static void test_patterns(void)
{
    static const struct {
        const char *raw;
        enum ioc_kind want;
        const char *pattern;
    } rows[] = {
        {"198.51.100.7", IOC_ANY, "[ipv4-addr:value = '198.51.100.7']"},
        {"198.51.100.0/24", IOC_ANY, "[ipv4-addr:value ISSUBSET '198.51.100.0/24']"},
        {"2001:db8::5", IOC_ANY, "[ipv6-addr:value = '2001:db8::5']"},
        {"2001:db8::/32", IOC_ANY, "[ipv6-addr:value ISSUBSET '2001:db8::/32']"},
        {"bad.example", IOC_ANY, "[domain-name:value = 'bad.example']"},
        {"http://bad.example/a'b\\c?x=1", IOC_ANY,
         "[url:value = 'http://bad.example/a\\'b\\\\c?x=1']"},
        {"http://bad.example/\\'%_\"", IOC_URL, "[url:value = 'http://bad.example/\\\\\\'%_']"},
        {MD5_TEXT, IOC_ANY, "[file:hashes.MD5 = '0123456789abcdef0123456789abcdef']"},
        {MD5_TEXT "01234567", IOC_ANY,
         "[file:hashes.'SHA-1' = '0123456789abcdef0123456789abcdef01234567']"},
        {MD5_TEXT "01234567", IOC_CERT_SHA1,
         "[x509-certificate:hashes.'SHA-1' = '0123456789abcdef0123456789abcdef01234567']"},
        {MD5_TEXT MD5_TEXT, IOC_ANY,
         "[file:hashes.'SHA-256' = "
         "'0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef']"},
        {"198.51.100.7:443", IOC_ANY,
         "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = "
         "'198.51.100.7' AND network-traffic:dst_port = 443]"},
        {"[2001:db8::5]:443", IOC_ANY,
         "[network-traffic:dst_ref.type = 'ipv6-addr' AND network-traffic:dst_ref.value = "
         "'2001:db8::5' AND network-traffic:dst_port = 443]"},
        {"x'y@bad.example", IOC_ANY, "[email-message:from_ref.value = 'x\\'y@bad.example']"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct isg_buf buf;
        struct isg_fail why = {.code = ISG_OK};
        isg_buf_init(&buf, ISG_BUF_NO_MAX);
        struct ioc ioc = read_one(rows[i].raw, rows[i].want, 0);
        ok(ioc_pattern(&ioc, &buf), "%s has a pattern", rows[i].raw);
        is_str(buf.p, rows[i].pattern, "pattern of %s", rows[i].raw);
        is_int(stix_pattern_check(isg_buf_str(&buf), STIX_PATTERN_2_1, &why), ISG_OK, "parses: %s",
               why.text);
        isg_buf_done(&buf);
    }
    struct isg_buf none;
    isg_buf_init(&none, ISG_BUF_NO_MAX);
    struct ioc cve = read_one("CVE-2031-0001", IOC_ANY, 0);
    ok(!ioc_pattern(&cve, &none), "a CVE has no pattern");
    isg_buf_done(&none);
}

/* Digest 7.6: whatever stands in a value, the pattern's one value is that again. */
static void test_round_trip(void)
{
    static const char *const values[] = {
        "http://bad.example/'",
        "http://bad.example/\\",
        "http://bad.example/\\'",
        "http://bad.example/\\\\''",
        "http://bad.example/%27%5c%",
        "http://bad.example/\"x\"",
        "http://bad.example/' OR url:value = 'x",
        "http://bad.example/'] OR [url:value != 'x",
        "http://bad.example/\\n\\t\\u0027",
        "http://bad.example/\xf0\x9f\x92\x89?\xc3\xbc=\xe2\x80\xae",
        ("http://bad.example/a b\xc2\xa0"
         "c"),
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct stix_pattern_arm *arm = NULL;
        struct isg_buf buf;
        struct isg_fail why = {.code = ISG_OK};
        isg_buf_init(&buf, ISG_BUF_NO_MAX);
        struct ioc ioc = read_one(values[i], IOC_URL, IOC_MACHINE);
        ok(ioc_pattern(&ioc, &buf), "%s", values[i]);
        is_int(stix_pattern_arms(isg_buf_str(&buf), STIX_PATTERN_2_1, arena, &arm, &why), ISG_OK,
               "parses: %s", why.text);
        ok(arm != NULL && arm->next == NULL && arm->count == 1 &&
               isg_str_is(arm->facts->text, values[i]),
           "says the value and nothing else");
        isg_buf_done(&buf);
    }
    /* a newline is no part of a URL, but of a text it may be */
    struct isg_buf buf;
    struct stix_pattern_arm *arm = NULL;
    isg_buf_init(&buf, ISG_BUF_NO_MAX);
    isg_buf_puts(&buf, "[file:name = '");
    ioc_pattern_escape(&buf, ISG_STR("a'b\n\\c"));
    isg_buf_puts(&buf, "']");
    is_int(stix_pattern_arms(isg_buf_str(&buf), STIX_PATTERN_2_1, arena, &arm, NULL), ISG_OK,
           "a newline");
    ok(arm != NULL && isg_str_is(arm->facts->text, "a'b\n\\c"), "comes back");
    isg_buf_done(&buf);
}

static void test_words(void)
{
    enum ioc_kind kind = IOC_ANY;
    ok(ioc_kind_find(ISG_STR("ip:port"), &kind) && kind == IOC_IP_PORT, "ip:port");
    ok(ioc_kind_find(ISG_STR("SHA256_hash"), &kind) && kind == IOC_SHA256, "sha256_hash");
    ok(!ioc_kind_find(ISG_STR("Intel::USER_NAME"), &kind), "user names are refused");
    for (int i = IOC_IPV4; i <= IOC_CVE; i++) /* what an export writes an import reads */
        ok(ioc_kind_find(isg_str_of(ioc_kind_name((enum ioc_kind)i)), &kind), "%s",
           ioc_kind_name((enum ioc_kind)i));
}

/* What is wrong is said of the form that was meant. */
static void test_reasons(void)
{
    static const char *const rows[][2] = {
        {"0.0.0.0/0", "wide"},     {"010.1.2.3", "IP address"},      {"fe80::1%eth0", "IP address"},
        {"2600::/18", "wide"},     {"bad.example/x", "scheme"},      {"1.2.3", "IP address"},
        {"pump", "without a dot"}, {"bad_.example_", "domain name"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ioc ioc;
        struct isg_fail why = {.code = ISG_OK};
        is_int(ioc_read(arena, isg_str_of(rows[i][0]), IOC_ANY, 0, &ioc, &why), ISG_EINVAL, "%s",
               rows[i][0]);
        ok(strstr(why.text, rows[i][1]) != NULL, "%s: %s", rows[i][0], why.text);
    }
}

int main(void)
{
    arena = isg_arena_new(1 << 24);
    test_refang();
    test_read();
    test_notes();
    test_patterns();
    test_round_trip();
    test_words();
    test_reasons();
    isg_arena_free(&arena);
    return tap_done();
}
