#include "gateway/http/http.h"
#include "gateway/http/lexis.h"
#include "tests/support/tap.h"

static const struct {
    const char *raw;
    const char *value; /* NULL: refused */
} rows[] = {
    {"", ""},           {"plain", "plain"},   {"a%20b", "a b"},
    {"a+b", "a+b"},     {"%41%6d%4D", "AmM"}, {"%e2%82%ac", "\xe2\x82\xac"},
    {"100%25", "100%"}, {"%", NULL},          {"%4", NULL},
    {"%zz", NULL},      {"%+1", NULL},        {"a%00b", NULL},
    {"%0d%0a", NULL},   {"%7f", NULL},        {"%1b[31m", NULL},
    {"%ff", NULL},      {"%c0%af", NULL},     {"%ed%a0%80", NULL},
};

int main(void)
{
    struct isg_arena *arena = isg_arena_new(1 << 16);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct isg_str value = {NULL, 0};
        bool good = http_unescape(arena, isg_str_of(rows[i].raw), &value);
        is_int(good, rows[i].value != NULL, "unescape %s", rows[i].raw);
        if (good && rows[i].value != NULL)
            is_str(value.p, rows[i].value, "value of %s", rows[i].raw);
    }
    ok(http_is_token(ISG_STR("X-Header_1")), "a token");
    ok(!http_is_token(ISG_STR("")), "no empty token");
    ok(!http_is_token(ISG_STR("a b")) && !http_is_token(ISG_STR("a\0b")), "no blank or NUL");
    ok(http_is_field_text(ISG_STR("a\tb \xff")), "tab and high bytes are text");
    ok(!http_is_field_text(ISG_STR("a\rb")) && !http_is_field_text(ISG_STR("a\0b")), "CR, NUL not");
    isg_arena_free(&arena);
    return tap_done();
}
