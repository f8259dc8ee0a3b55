#include <string.h>

#include "gateway/http/guard.h"
#include "tests/support/tap.h"

/* A head as the library leaves it: a text in which NUL stands for what it overwrote. */
struct parsed {
    char buffer[4096];
    struct guard_line lines[GUARD_HEADERS_MAX];
    struct guard_head head;
};

static struct isg_str until_nul(const char *p)
{
    return (struct isg_str){p, strlen(p)};
}

/* method NUL target NUL version NUL NUL (name NUL blanks value NUL NUL)* NUL NUL */
static void parse(struct parsed *parsed, const char *bytes, size_t n)
{
    memset(parsed, 0, sizeof *parsed);
    memcpy(parsed->buffer, bytes, n);
    char *at = parsed->buffer;
    parsed->head.method = until_nul(at);
    at += strlen(at) + 1;
    parsed->head.target = until_nul(at);
    parsed->head.target_at = at;
    at += strlen(at) + 1;
    parsed->head.version = at;
    at += strlen(at) + 2;
    while (*at != '\0' && parsed->head.count < GUARD_HEADERS_MAX) {
        struct guard_line *line = &parsed->lines[parsed->head.count++];
        line->name = until_nul(at);
        at += line->name.n + 1;
        at += strspn(at, " \t");
        line->value = until_nul(at);
        at += line->value.n + 2;
    }
    parsed->head.lines = parsed->lines;
    parsed->head.header_size = (size_t)(at + 2 - parsed->buffer);
}

#define LINE(method, target) method "\0" target "\0HTTP/1.1\0\0"
#define HOST                 "Host\0 gateway.example\0\0"
#define END                  "\0"

static const struct {
    const char *name;
    const char *bytes;
    size_t n;
    int status;
} rows[] = {
#define ROW(name, text, status)              \
    {                                        \
        name, text, sizeof(text) - 1, status \
    }
    ROW("plain", LINE("GET", "/taxii2/") HOST END, 0),
    ROW("query", LINE("GET", "/a/?added_after=2020-01-01T00:00:00Z&match[id]=%2f") HOST END, 0),
    ROW("length", LINE("POST", "/a/") HOST "Content-Length\0 10\0\0" END, 0),
    ROW("chunked", LINE("POST", "/a/") HOST "Transfer-Encoding\0CHUNKED\0\0" END, 0),
    ROW("expect", LINE("POST", "/a/") HOST "Expect\0 100-Continue\0\0" END, 0),
    ROW("other method", LINE("PATCH", "/") HOST END, 0),
    ROW("identity body", LINE("POST", "/") HOST "Content-Encoding\0 identity\0\0" END, 0),
    /* request line */
    ROW("HTTP/1.0", "GET\0/\0HTTP/1.0\0\0" HOST END, 505),
    ROW("HTTP/1.2", "GET\0/\0HTTP/1.2\0\0" HOST END, 505),
    ROW("method with a colon", LINE("GE:T", "/") HOST END, 400),
    ROW("CONNECT", LINE("CONNECT", "192.0.2.1:1") HOST END, 501),
    ROW("TRACE", LINE("TRACE", "/") HOST END, 501),
    ROW("absolute target", LINE("GET", "http://gateway.example/") HOST END, 400),
    ROW("asterisk", LINE("OPTIONS", "*") HOST END, 400),
    ROW("%00 in the path", LINE("GET", "/a%00b/") HOST END, 400),
    ROW("%2f in the path", LINE("GET", "/..%2f..%2fetc/passwd") HOST END, 400),
    ROW("%5C in the path", LINE("GET", "/..%5Cetc") HOST END, 400),
    ROW("%0a in the path", LINE("GET", "/a%0ab") HOST END, 400),
    ROW("half an escape", LINE("GET", "/a%4") HOST END, 400),
    ROW("raw high byte", LINE("GET", "/a\xff") HOST END, 400),
    ROW("fragment", LINE("GET", "/a#b") HOST END, 400),
    ROW("blank in the target", LINE("GET", "/a b") HOST END, 400),
    /* headers */
    ROW("no host", LINE("GET", "/") "X\0y\0\0" END, 400),
    ROW("two hosts", LINE("GET", "/") HOST HOST END, 400),
    ROW("host with a path", LINE("GET", "/") "Host\0a/b\0\0" END, 400),
    ROW("host with user", LINE("GET", "/") "Host\0u@b\0\0" END, 400),
    ROW("empty host", LINE("GET", "/") "Host\0 \0\0" END, 400),
    ROW("length and chunked",
        LINE("POST", "/") HOST "Content-Length\0003\0\0Transfer-Encoding\0chunked\0\0" END, 400),
    ROW("two lengths", LINE("POST", "/") HOST "Content-Length\0003\0\0content-length\0003\0\0" END,
        400),
    ROW("length with plus", LINE("POST", "/") HOST "Content-Length\0+3\0\0" END, 400),
    ROW("length with a blank", LINE("POST", "/") HOST "Content-Length\0003 \0\0" END, 400),
    ROW("length too long", LINE("POST", "/") HOST "Content-Length\0001234567890123456\0\0" END,
        400),
    ROW("unknown coding", LINE("POST", "/") HOST "Transfer-Encoding\0gzip, chunked\0\0" END, 400),
    ROW("coding with a blank", LINE("POST", "/") HOST "Transfer-Encoding\0chunked \0\0" END, 400),
    ROW("blank in a name", LINE("GET", "/") HOST "X \0y\0\0" END, 400),
    ROW("control byte in a value", LINE("GET", "/") HOST "X\0a\001b\0\0" END, 400),
    ROW("bare CR in a value", LINE("GET", "/") HOST "X\0a\rb\0\0" END, 400),
    ROW("other expectation", LINE("POST", "/") HOST "Expect\0magic\0\0" END, 417),
    ROW("compressed body", LINE("POST", "/") HOST "Content-Encoding\0gzip\0\0" END,
        415), /* */
#undef ROW
};

static void test_limits(struct parsed *parsed)
{
    static const struct guard_limits narrow = {.header_max = 64, .target_max = 8};
    struct guard_body body;
    struct isg_fail why;
    static const char long_target[] = LINE("GET", "/123456789") HOST END;
    static const char long_headers[] =
        LINE("GET", "/") HOST "X\0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\0\0" END;
    parse(parsed, long_target, sizeof long_target - 1);
    is_int(guard_check(&parsed->head, &narrow, &body, &why), 414, "a long target");
    parse(parsed, long_headers, sizeof long_headers - 1);
    is_int(guard_check(&parsed->head, &narrow, &body, &why), 431, "large headers");
    parsed->head.count = GUARD_HEADERS_MAX + 1;
    is_int(guard_check(&parsed->head, &narrow, &body, &why), 431, "many headers");
    ok(!guard_layout_holds(&parsed->head), "no layout beyond the lines that are there");
}

static void test_layout(struct parsed *parsed)
{
    static const char good[] = LINE("GET", "/") HOST "Tab\0\ta b\0\0Empty\0\0\0" END;
    parse(parsed, good, sizeof good - 1);
    ok(guard_layout_holds(&parsed->head), "a well-formed layout");
    parsed->head.header_size++;
    ok(!guard_layout_holds(&parsed->head), "a NUL before the last line end");
    parsed->head.header_size--;
    parsed->lines[1].value.p++;
    parsed->lines[1].value.n--;
    ok(!guard_layout_holds(&parsed->head), "something else before a value");
    parse(parsed, good, sizeof good - 1);
    parsed->head.target_at++;
    ok(!guard_layout_holds(&parsed->head), "two blanks before the target");
    parse(parsed, good, sizeof good - 1);
    parsed->lines[0].value.n--; /* as when a NUL cut it */
    ok(!guard_layout_holds(&parsed->head), "a NUL in a value");
    parse(parsed, good, sizeof good - 1);
    parsed->lines[1] = parsed->lines[2];
    parsed->head.count = 2;
    ok(!guard_layout_holds(&parsed->head), "a line that was left out");
}

int main(void)
{
    static const struct guard_limits limits = {.header_max = 2048, .target_max = 256};
    static struct parsed parsed;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct guard_body body = {.chunked = false};
        struct isg_fail why = {.text = ""};
        parse(&parsed, rows[i].bytes, rows[i].n);
        is_int(guard_check(&parsed.head, &limits, &body, &why), rows[i].status, "%s", rows[i].name);
        ok(rows[i].status == 0 || why.text[0] != '\0', "%s: says why", rows[i].name);
        if (rows[i].status == 0)
            ok(guard_layout_holds(&parsed.head), "%s: layout", rows[i].name);
        if (strcmp(rows[i].name, "length") == 0)
            is_int((long long)body.length, 10, "the length is told");
        if (strcmp(rows[i].name, "chunked") == 0)
            ok(body.chunked && !body.expects_continue, "chunked is told");
        if (strcmp(rows[i].name, "expect") == 0)
            ok(body.expects_continue, "the expectation is told");
    }
    test_limits(&parsed);
    test_layout(&parsed);
    return tap_done();
}
