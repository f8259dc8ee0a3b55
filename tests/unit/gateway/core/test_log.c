/* Every line is one JSON object, whatever is put in; repeats are counted. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gateway/log.h"
#include "stix/json.h"
#include "tests/support/tap.h"

static char captured[] = "/tmp/isg-test-log-XXXXXX";
static int saved_stderr = -1;

static void capture_begin(void)
{
    int fd = open(captured, O_WRONLY | O_TRUNC | O_APPEND);
    saved_stderr = dup(STDERR_FILENO);
    dup2(fd, STDERR_FILENO);
    close(fd);
}

/* What was logged since capture_begin; free it. */
static char *capture_end(void)
{
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    return tap_slurp(captured, NULL);
}

static char *log_one(enum log_format format, struct isg_str value)
{
    capture_begin();
    log_setup(LOG_INFO, format);
    LOG(LOG_WARN, "test.value", log_str("value", value), log_int("n", -7), log_bool("yes", true));
    return capture_end();
}

static const struct {
    const char *name;
    struct isg_str value;
    const char *json; /* must be in the JSON line */
    const char *text; /* must be in the text line */
} values[] = {
    {"a word", {"plain", 5}, "\"value\":\"plain\"", " value=plain "},
    {"a quote and a brace", {"\"}", 2}, "\"value\":\"\\\"}\"", " value=\"\\\"}\" "},
    {"CR LF", {"a\r\nts=1", 7}, "\"a\\r\\nts=1\"", "\"a\\r\\nts=1\""},
    {"an escape sequence", {"\x1b[31mred", 8}, "\\u001b[31mred", "\\u001b[31mred"},
    {"U+202E",
     {"a\xe2\x80\xae"
      "b",
      5},
     "\"a\\u202eb\"",
     "\"a\\u202eb\""},
    {"U+2028 and U+2029", {"\xe2\x80\xa8\xe2\x80\xa9", 6}, "\"\\u2028\\u2029\"", "\\u2028\\u2029"},
    {"U+2066", {"\xe2\x81\xa6", 3}, "\"\\u2066\"", "\\u2066"},
    {"a C1 control",
     {"\xc2\x9b"
      "31m",
      5},
     "\"\\u009b31m\"",
     "\\u009b31m"},
    {"DEL", {"\x7f", 1}, "\"\\u007f\"", "\\u007f"},
    {"a tag character", {"\xf3\xa0\x81\x81", 4}, "\"\\udb40\\udc41\"", "\\udb40\\udc41"},
    {"NUL", {"a\0b", 3}, "\"a\\ufffdb\"", "\"a\\ufffdb\""},
    {"no UTF-8", {"\xff\xc0\x80", 3}, "\"\\ufffd\\ufffd\\ufffd\"", "\\ufffd"},
    {"letters beyond ASCII", {"Spit\xc3\xa4ler", 9}, "\"Spit\xc3\xa4ler\"", "\"Spit\xc3\xa4ler\""},
    {"nothing", {"", 0}, "\"value\":\"\"", " value=\"\" "},
    {"a backslash", {"\\n", 2}, "\"\\\\n\"", "\"\\\\n\""},
};

static size_t count_lines(const char *text)
{
    size_t n = 0;
    for (; text != NULL && *text != '\0'; text++)
        n += *text == '\n';
    return n;
}

static size_t count_pieces(const char *text, const char *piece)
{
    size_t n = 0;
    while ((text = strstr(text, piece)) != NULL) {
        n++;
        text += strlen(piece);
    }
    return n;
}

/* Every line parses as strict JSON with ts, level and event. */
static bool all_json(const char *text)
{
    struct isg_str rest = isg_str_of(text);
    struct isg_str line;
    while (isg_str_split(&rest, '\n', &line)) {
        struct stix_json *json = NULL;
        if (line.n == 0 && rest.p == NULL)
            break; /* behind the last line feed */
        if (stix_json_parse(line, NULL, &json, NULL) != ISG_OK)
            return false;
        bool good = stix_json_get_str(json, "ts").n == 24 &&
                    stix_json_get_str(json, "level").n > 0 &&
                    stix_json_get_str(json, "event").n > 0;
        stix_json_free(&json);
        if (!good)
            return false;
    }
    return true;
}

static void test_values(void)
{
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char *json = log_one(LOG_JSON, values[i].value);
        char *text = log_one(LOG_TEXT, values[i].value);
        ok(count_lines(json) == 1 && all_json(json), "%s: one JSON line", values[i].name);
        ok(strstr(json, values[i].json) != NULL, "%s: escaped", values[i].name);
        ok(strstr(json, "\"n\":-7,\"yes\":true}") != NULL, "%s: the rest follows", values[i].name);
        ok(count_lines(text) == 1 && strstr(text, values[i].text) != NULL, "%s: as text",
           values[i].name);
        free(json);
        free(text);
    }
}

static void test_long(void)
{
    static char big[20000];
    memset(big, 1, sizeof big);
    struct isg_str value = {big, sizeof big};
    capture_begin();
    log_setup(LOG_INFO, LOG_JSON);
    LOG(LOG_WARN, "test.long", log_str("a", value), log_str("b", value), log_int("c", 1));
    char *text = capture_end();
    ok(count_lines(text) == 1 && all_json(text), "a line over the bound is still JSON");
    ok(strstr(text, "\"c\":1") != NULL && strstr(text, "...\"") != NULL,
       "values are cut, later fields that fit are kept");
    free(text);
}

static void test_levels(void)
{
    struct isg_fail why;
    isg_fail_at(&why, ISG_EINVAL, "/id", "S-013", "no identifier");
    capture_begin();
    log_setup(LOG_WARN, LOG_JSON);
    LOG(LOG_INFO, "test.quiet", log_int("n", 1));
    LOG(LOG_ERROR, "test.loud", log_cstr("left_out", NULL), log_why(&why), log_why(NULL));
    char *text = capture_end();
    ok(strstr(text, "test.quiet") == NULL, "below the level nothing is written");
    ok(strstr(text, "\"error\":\"no identifier at /id (S-013)\"}") != NULL, "a failure as a field");
    ok(strstr(text, "left_out") == NULL, "a NULL value is left out");
    free(text);
}

static void test_flood(void)
{
    struct timespec second = {1, 100000000};
    long long suppressed = 0;
    capture_begin();
    log_setup(LOG_INFO, LOG_JSON);
    nanosleep(&second, NULL);
    for (int i = 0; i < 2000; i++)
        LOG(LOG_INFO, "test.flood", log_int("i", i));
    nanosleep(&second, NULL);
    LOG(LOG_INFO, "test.after", log_int("i", 0));
    char *text = capture_end();
    ok(all_json(text), "a flood leaves JSON lines");
    size_t written = count_pieces(text, "\"event\":\"test.flood\"");
    ok(written >= 200 && written < 2000, "not all lines of a flood are written (%zu were)",
       written);
    const char *p = text;
    while ((p = strstr(p, "\"of\":\"test.flood\",\"count\":")) != NULL)
        suppressed += strtoll(p += 26, NULL, 10);
    is_int(suppressed + (long long)written, 2000, "written and suppressed add up");
    free(text);
}

static void *log_many(void *arg)
{
    const char *name = arg;
    for (int i = 0; i < 100; i++)
        LOG(LOG_INFO, name, log_cstr("text", "some words to make the line longer"),
            log_int("i", i));
    return NULL;
}

static void test_threads(void)
{
    static char names[4][16] = {"thread.a", "thread.b", "thread.c", "thread.d"};
    pthread_t threads[4];
    capture_begin();
    log_setup(LOG_INFO, LOG_JSON);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, log_many, names[i]);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    char *text = capture_end();
    is_int((long long)count_lines(text), 400, "four threads, no line lost");
    ok(all_json(text), "and none mixed");
    free(text);
}

int main(void)
{
    int fd = mkstemp(captured);
    if (fd < 0)
        tap_skip_all("no temporary file");
    close(fd);
    test_values();
    test_long();
    test_levels();
    test_flood();
    test_threads();
    unlink(captured);
    return tap_done();
}
