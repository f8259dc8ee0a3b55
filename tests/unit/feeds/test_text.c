#include <string.h>

#include "feeds/text.h"
#include "tests/support/tap.h"

static void is_view(struct isg_str got, const char *want, const char *name)
{
    char text[512];
    size_t n = got.n < sizeof text - 1 ? got.n : sizeof text - 1;
    if (n > 0)
        memcpy(text, got.p, n);
    text[n] = '\0';
    is_str(text, want, "%s", name);
}

static void test_clean(struct isg_arena *arena)
{
    static const struct {
        const char *in;
        const char *want;
    } rows[] = {
        {"  a b \t", "a b"},
        {"a\r\nb", "a\nb"},
        {"a\x01\x1f"
         "b\tc",
         "ab\tc"},
        {"\xc2\x85x", "x"},
        {"", ""},
        {" \n ", ""},
        {"a\xff"
         "b",
         "ab"},
        {"Ger\xc3\xa4t", "Ger\xc3\xa4t"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        is_view(text_clean(arena, isg_str_of(rows[i].in)), rows[i].want, "clean");
}

static void test_lower(struct isg_arena *arena)
{
    is_view(text_lower(arena, ISG_STR("AZ@[az Dr\xc3\x84ger")), "az@[az dr\xc3\x84ger",
            "letters of ASCII only");
    is_view(text_lower(arena, ISG_STR("")), "", "nothing");
}

static void test_repair(struct isg_arena *arena)
{
    is_view(text_repair(arena, ISG_STR("Yhtym\xc3\x83\xc2\xa4 Oy ")), "Yhtym\xc3\xa4 Oy",
            "UTF-8 read as Latin-1 is put right");
    is_view(text_repair(arena, ISG_STR("Dr\xc3\xa4ger")), "Dr\xc3\xa4ger", "what is right stays");
    is_view(text_repair(arena, ISG_STR("\xc3\x83\xc2\xa4 \xe2\x82\xac")),
            "\xc3\x83\xc2\xa4 \xe2\x82\xac", "with a sign beyond Latin-1 nothing is guessed");
}

/* Digest 2.8: tags go, words stay, and so does what is none. */
static void test_prose(struct isg_arena *arena)
{
    static const char *const rows[][2] = {
        {"plain", "plain"},
        {"a <b>bold</b> word", "a bold word"},
        {"<P CLASS=\"x\">one</P><p>two</p>", "one two"},
        {"one<br/>two<br>three", "one two three"},
        {"<script>alert(1)</script>", "alert(1)"},
        {"<img src=x onerror=\"alert(1)\"> pump", "pump"},
        {"a<!-- hidden -->b", "ab"},
        {"a<!-- x -> y -->b", "ab"},
        {"a<!-- no end <b>b</b>", "a<!-- no end  b"},
        {"<blockquote>one</blockquote>", "one"},
        {"<blockquotes>one", "<blockquotes>one"},
        {"<a href='https://a.example/'>the page</a>", "the page"},
        {"Pump <2.0 and >1.0", "Pump <2.0 and >1.0"},
        {"if x <a and y> b", "if x <a and y> b"},
        {"the <serial number> of <vendor>", "the <serial number> of <vendor>"},
        {"cut <b", "cut <b"},
        {"cut <b title=\"", "cut <b title=\""},
        {"<", "<"},
        {"</>", "</>"},
        {"<b>", ""},
        {"<<b>script>", "< script>"},
        {"<scr<b>ipt>", "<scr ipt>"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        is_view(text_prose(arena, isg_str_of(rows[i][0])), rows[i][1], rows[i][0]);
}

static void test_slug(struct isg_arena *arena)
{
    static const struct {
        const char *in;
        const char *want;
    } rows[] = {
        {"CISA", "cisa"},
        {"B. Braun Melsungen AG", "b-braun-melsungen-ag"},
        {"Dr\xc3\xa4ger", "drager"},
        {"Medtronic ", "medtronic"},
        {"Stra\xc3\x9f"
         "e & S\xc3\xb8n",
         "strasse-son"},
        {"--a--", "a"},
        {"\xe5\x8c\xbb", "\xe5\x8c\xbb"},
        {"!!!", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        is_view(text_slug(arena, isg_str_of(rows[i].in)), rows[i].want, rows[i].in);
}

static void test_label(struct isg_arena *arena)
{
    is_view(text_label(arena, "csaf", ISG_STR(" Final\n")), "csaf:final", "label");
    is_view(text_label(arena, NULL, ISG_STR("vendor_fix")), "vendor_fix", "label without source");
    struct isg_str longest = text_label(
        arena, "misp",
        ISG_STR("a very long tag that goes on and on and on beyond every bound of it\xc3\xa4"));
    ok(longest.n <= TEXT_LABEL_MAX, "at most 64 bytes");
    is_view(text_shorten(arena,
                         ISG_STR("abc\xc3\xa4"
                                 "def"),
                         7),
            "abc...", "cut between letters");
}

static void test_times(void)
{
    static const struct {
        const char *in;
        const char *want; /* NULL: refused */
    } rows[] = {
        {"2031-01-02T03:04:05.999999Z", "2031-01-02T03:04:05.999Z"}, /* cut, not rounded */
        {"2031-01-02T03:04:05Z", "2031-01-02T03:04:05.000Z"},
        {"2031-01-02T03:04:05.1234", "2031-01-02T03:04:05.123Z"},
        {"2031-01-02T03:04:05+02:00", "2031-01-02T01:04:05.000Z"},
        {"2031-01-02T03:04:05.5-0600", "2031-01-02T09:04:05.500Z"},
        {"2031-01-02 03:04:05", "2031-01-02T03:04:05.000Z"},
        {"2031-02-30T03:04:05Z", NULL},
        {"2031-01-02", NULL},
        {"soon", NULL},
        {"2031-01-02T03:04:05+2:00", NULL},
        {"0000-01-01T00:00:00+01:00", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[ISG_TIME_TEXT] = "";
        bool good = text_time(isg_str_of(rows[i].in), out);
        is_int(good, rows[i].want != NULL, "time %s", rows[i].in);
        if (good && rows[i].want != NULL)
            is_str(out, rows[i].want, "time %s", rows[i].in);
    }
    char day[ISG_TIME_TEXT];
    ok(text_day(ISG_STR("2031-05-02"), day), "a day");
    is_str(day, "2031-05-02T00:00:00.000Z", "midnight UTC");
    ok(!text_day(ISG_STR("2031-13-02"), day) && !text_day(ISG_STR("2.5.2031"), day), "no days");
}

static void test_forms(void)
{
    char cve[TEXT_CVE_MAX];
    ok(text_cve(ISG_STR(" cve-2031-1234567 "), cve), "a CVE of any case");
    is_str(cve, "CVE-2031-1234567", "upper case");
    ok(!text_cve(ISG_STR("CVE-31-1234"), cve) && !text_cve(ISG_STR("CVE-2031-123"), cve) &&
           !text_cve(ISG_STR("CVE-2031-12a4"), cve) && !text_cve((struct isg_str){0}, cve),
       "not a CVE");
    ok(text_is_cwe(ISG_STR("CWE-79")) && !text_is_cwe(ISG_STR("CWE-")) &&
           !text_is_cwe(ISG_STR("NVD-CWE-noinfo")),
       "CWE");
    static const struct {
        const char *url;
        bool good;
    } urls[] = {
        {"https://a.example/x?y=1#z", true},
        {"http://a.example", true},
        {"ftp://a.example/", false},
        {"https://", false},
        {"https:///x", false},
        {"https://a.example/ x", false},
        {"javascript:alert(1)", false},
        {" https://a.example", false},
        {"https://a.example/\xc3\xa4", false},
        {"https://a.example/%7e", true},
        {"https://a.example/100%", false},
    };
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
        is_int(text_is_web_url(isg_str_of(urls[i].url)), urls[i].good, "URL %s", urls[i].url);
    ok(text_is_absent(ISG_STR(" None ")) && text_is_absent(ISG_STR("")) &&
           text_is_absent(ISG_STR("-")) && !text_is_absent(ISG_STR("nonesuch")),
       "words that say nothing");
}

static void test_list(struct isg_arena *arena)
{
    struct text_list list = {0};
    static const char *const words[] = {"b", "a", "b", "", "c", "a"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        ok(text_list_add(arena, &list, isg_str_of(words[i])), "added");
    text_list_sort(&list);
    is_int((long long)list.count, 3, "each once");
    ok(isg_str_is(list.items[0], "a") && isg_str_is(list.items[2], "c"), "in byte order");
}

int main(void)
{
    struct isg_arena *arena = isg_arena_new(1 << 20);
    test_clean(arena);
    test_lower(arena);
    test_repair(arena);
    test_prose(arena);
    test_slug(arena);
    test_label(arena);
    test_times();
    test_forms();
    test_list(arena);
    isg_arena_free(&arena);
    return tap_done();
}
