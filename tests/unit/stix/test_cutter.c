/* Cutting a stream: the same calls and the same end for every way of slicing it (T-124, X-16). */
#include <stdlib.h>
#include <string.h>

#include "stix/base/buf.h"
#include "stix/scan.h"
#include "tests/support/tap.h"

struct row {
    const char *text;
    const char *trace;
    struct stix_limits limits;
    int stop_at;
};

#define EVER -1

/* Everything a cutter says, as text: "o0=...;" for objects, "name=...;" for members, then the end. */
struct trace {
    struct isg_buf text;
    int stop_at;                       /* index at which the callback fails, -1 never */
    const struct stix_cutter *scanner; /* of elements that come unread; NULL: they come scanned */
};

static int on_object(void *arg, struct isg_str text, size_t index, struct isg_fail *why)
{
    struct trace *trace = arg;
    if (trace->scanner != NULL) {
        int err =
            stix_cutter_scan(trace->scanner, text, index, stix_cutter_offset(trace->scanner), why);
        if (err != ISG_OK)
            return err;
    }
    isg_buf_printf(&trace->text, "o%zu=%.*s;", index, ISG_STR_ARG(text));
    if ((int)index == trace->stop_at)
        return isg_fail(why, ISG_EBUSY, "enough");
    return ISG_OK;
}

static int on_member(void *arg, struct isg_str name, struct isg_str value, struct isg_fail *why)
{
    struct trace *trace = arg;
    (void)why;
    isg_buf_printf(&trace->text, "%.*s=%.*s;", ISG_STR_ARG(name), ISG_STR_ARG(value));
    return ISG_OK;
}

static void feed(struct stix_cutter *cutter, struct isg_str text, size_t piece, struct trace *trace)
{
    struct isg_fail why = {.code = ISG_OK};
    int err = ISG_OK;
    while (err == ISG_OK && text.n > 0) {
        size_t n = piece < text.n ? piece : text.n;
        /* Each piece lives on the heap by itself and dies at once. */
        char *copy = malloc(n);
        memcpy(copy, text.p, n);
        err = stix_cutter_feed(cutter, (struct isg_str){copy, n}, &why);
        free(copy);
        text = isg_str_from(text, n);
    }
    if (err == ISG_OK)
        err = stix_cutter_end(cutter, &why);
    isg_buf_printf(&trace->text, "%d %s %s", err, why.path, why.text);
    int again = stix_cutter_end(cutter, &why);
    if (again != err)
        isg_buf_printf(&trace->text, " and then %d", again);
}

static char *cut_by(struct isg_str text, size_t piece, const struct row *row, bool unread,
                    bool *out_has)
{
    struct trace trace = {.stop_at = row->stop_at};
    isg_buf_init(&trace.text, ISG_BUF_NO_MAX);
    struct stix_cutter *cutter = stix_cutter_new(&row->limits, on_object, on_member, &trace);
    stix_cutter_leave_unread(cutter, unread);
    trace.scanner = unread ? cutter : NULL;
    feed(cutter, text, piece, &trace);
    *out_has = stix_cutter_has_objects(cutter);
    stix_cutter_free(&cutter);
    return isg_buf_take(&trace.text, NULL);
}

static bool has_objects(const char *text)
{
    const struct row row = {.stop_at = EVER};
    bool has;
    free(cut_by(isg_str_of(text), 99, &row, false, &has));
    return has;
}

/* clang-format off */
static const struct row rows[] = {
    {"{}", "0  ", {0}, EVER},
    {" { \"objects\" : [ ] } ", "0  ", {0}, EVER},
    {"{\"objects\":[{\"a\":1},{\"b\":[{},\"]}\"]}],\"more\":true,\"next\":\"x\"}",
     "o0={\"a\":1};o1={\"b\":[{},\"]}\"]};more=true;next=\"x\";0  ", {0}, EVER},
    {"{\"type\":\"bundle\",\"id\":\"b\",\n \"objects\" : [ {\"a\" : 1} , 5 ,\"s\\\"\", null, [1] ]\n}\n",
     "type=\"bundle\";id=\"b\";o0={\"a\" : 1};o1=5;o2=\"s\\\"\";o3=null;o4=[1];0  ", {0}, EVER},
    {"{\"\\u006fbjects\":[1]}", "o0=1;0  ", {0}, EVER},
    {"{\"n\":-1.5e3,\"x\":{\"objects\":[1]}}", "n=-1.5e3;x={\"objects\":[1]};0  ", {0}, EVER},
    {"{\"objects\":[{\"k\":\"\\\\\\\"]}\\\\\"}]}", "o0={\"k\":\"\\\\\\\"]}\\\\\"};0  ", {0}, EVER},
    /* bad content of an element does not stop the stream */
    {"{\"objects\":[{\"a\":1,\"a\":2},{\"s\":\"\\ud800\"},{\"n\":1e999},{\"z\":\"\\u0000\"},{}]}",
     "o0={\"a\":1,\"a\":2};o1={\"s\":\"\\ud800\"};o2={\"n\":1e999};o3={\"z\":\"\\u0000\"};o4={};0  ",
     {0}, EVER},
    /* bad grammar does */
    {"{\"objects\":[{\"a\":1},{\"b\":tru},{}]}",
     "o0={\"a\":1};-2 /objects/1/b a value expected at byte 25", {0}, EVER},
    {"{\"objects\":[{\"a\":[1}]}", "-2 /objects/0/a/0 a comma or ] expected at byte 19", {0}, EVER},
    {"{\"objects\":[{\"a\":\"\xff\"}]}", "-2 /objects/0/a not UTF-8 at byte 18", {0}, EVER},
    {"{\"objects\":[1,]}", "o0=1;-2 /objects/1 a value expected at byte 14", {0}, EVER},
    {"{\"objects\":[1 2]}", "o0=1;-2 /objects/0 a comma or ] expected at byte 14", {0}, EVER},
    {"{\"objects\":[,1]}", "-2 /objects/0 a value expected at byte 12", {0}, EVER},
    {"{\"objects\":[nul]}", "-2 /objects/0 a value expected at byte 12", {0}, EVER},
    {"{\"objects\":{}}", "-2 /objects objects is no list at byte 11", {0}, EVER},
    {"{\"objects\":null}", "-2 /objects objects is no list at byte 11", {0}, EVER},
    {"{\"objects\":[{\"a\":1}", "o0={\"a\":1};-2 /objects/0 the text ends too early at byte 19",
     {0}, EVER},
    {"{\"objects\":[{\"a\":1", "-2 /objects/0 the text ends too early at byte 18", {0}, EVER},
    {"{\"objects\":[]", "-2 /objects the text ends too early at byte 13", {0}, EVER},
    {"", "-2  the text ends too early at byte 0", {0}, EVER},
    {"  ", "-2  the text ends too early at byte 2", {0}, EVER},
    {"[]", "-2  no JSON object at byte 0", {0}, EVER},
    {"\xef\xbb\xbf{}", "-2  no JSON object at byte 0", {0}, EVER},
    {"{} {}", "-2  more than one value at byte 3", {0}, EVER},
    {"{\"a\":1,}", "a=1;-2  a name expected at byte 7", {0}, EVER},
    {"{a:1}", "-2  a name expected at byte 1", {0}, EVER},
    {"{\"a\" 1}", "-2  a colon expected at byte 5", {0}, EVER},
    {"{\"a\":}", "-2 /a a value expected at byte 5", {0}, EVER},
    {"{\"a\":1 \"b\":2}", "a=1;-2 /a a comma or } expected at byte 7", {0}, EVER},
    {"{\"a\":01}", "-2 /a a number with a leading zero at byte 5", {0}, EVER},
    {"{\"a\tb\":1}", "-2  a control character in a string at byte 3", {0}, EVER},
    /* the envelope itself is I-JSON, its members too */
    {"{\"more\":true,\"more\":false}", "more=true;-2 /more a duplicate name at byte 13", {0}, EVER},
    {"{\"objects\":[1],\"\\u006fbjects\":[2]}",
     "o0=1;-2 /objects a duplicate name at byte 15", {0}, EVER},
    {"{\"x\":{\"a\":1,\"a\":2}}", "-2 /x/a a duplicate name at byte 12", {0}, EVER},
    {"{\"a\\u0000\":1}", "-2  a NUL character at byte 3", {0}, EVER},
    /* bounds */
    {"{\"objects\":[{\"a\":\"0123456789\"}]}", "o0={\"a\":\"0123456789\"};0  ",
     {.object_bytes = 18}, EVER},
    {"{\"objects\":[{\"a\":\"0123456789\"}]}", "-4 /objects/0 a value is too long at byte 12",
     {.object_bytes = 17}, EVER},
    {"{\"x\":\"0123456789\"}", "-4 /x a value is too long at byte 5", {.object_bytes = 11}, EVER},
    {"{\"0123456789\":1}", "-4  a value is too long at byte 1", {.object_bytes = 11}, EVER},
    {"{\"objects\":[1,2,3]}", "o0=1;o1=2;-4 /objects/2 too many objects at byte 16",
     {.objects = 2}, EVER},
    {"{\"objects\":[[[[1]]]]}", "-4 /objects/0/0/0 nested too deeply at byte 14", {.depth = 2}, EVER},
    {"{\"a\":1,\"b\":2,\"c\":3}", "a=1;b=2;-4  too many members at byte 13", {.members = 2}, EVER},
    /* a callback's code comes back */
    {"{\"objects\":[1,2,3]}", "o0=1;o1=2;-12  enough", {0}, 1},
};
/* clang-format on */

/* It makes no difference who scans the elements, if it is done as they come. */
static void check_row(const struct row *row, bool unread)
{
    struct isg_str text = isg_str_of(row->text);
    for (size_t piece = text.n + 1; piece > 0; piece--) {
        bool has;
        char *trace = cut_by(text, piece, row, unread, &has);
        if (strcmp(trace, row->trace) != 0 || piece == 1 || piece > text.n)
            is_str(trace, row->trace, "%s in pieces of %zu%s", row->text, piece,
                   unread ? ", unread" : "");
        free(trace);
    }
}

static void test_has_objects(void)
{
    ok(has_objects("{\"objects\":[]}"), "objects was there");
    ok(!has_objects("{\"x\":{\"objects\":[]}}"), "only the top level counts");
}

static int same_memory(void *arg, struct isg_str text, size_t index, struct isg_fail *why)
{
    const struct isg_str *piece = arg;
    (void)why;
    ok(text.p > piece->p && text.p + text.n < piece->p + piece->n, "object %zu is not copied",
       index);
    return ISG_OK;
}

static void test_views(void)
{
    struct isg_str piece = ISG_STR("{\"objects\":[{\"a\":1},{\"b\":2}]}");
    struct stix_cutter *cutter = stix_cutter_new(NULL, same_memory, NULL, &piece);
    is_int(stix_cutter_feed(cutter, piece, NULL), ISG_OK, "one piece");
    is_int(stix_cutter_feed(cutter, (struct isg_str){NULL, 0}, NULL), ISG_OK, "an empty piece");
    is_int(stix_cutter_end(cutter, NULL), ISG_OK, "the end");
    stix_cutter_free(&cutter);
    stix_cutter_free(&cutter);
}

/* Many names at the top level end at a bound, not in memory. */
static void test_many_members(void)
{
    struct isg_buf text;
    struct isg_fail why;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    isg_buf_puts(&text, "{");
    for (int i = 0; i < 100000; i++)
        isg_buf_printf(&text, "\"name%d\":0,", i);
    struct stix_cutter *cutter = stix_cutter_new(NULL, same_memory, NULL, NULL);
    is_int(stix_cutter_feed(cutter, isg_buf_str(&text), &why), ISG_ELIMIT, "100,000 members");
    stix_cutter_free(&cutter);
    isg_buf_done(&text);
}

int main(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int unread = 0; unread < 2; unread++)
            check_row(&rows[i], unread);
    test_has_objects();
    test_views();
    test_many_members();
    return tap_done();
}
