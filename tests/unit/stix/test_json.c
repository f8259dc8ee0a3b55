/* Reading values from a tree. */
#include <string.h>

#include "stix/json.h"
#include "tests/support/tap.h"

static const char text[] =
    "{\"s\":\"caf\\u00e9\",\"i\":-7,\"whole\":50.0,\"f\":1.25,\"t\":true,\"no\":false,\"z\":null,"
    "\"list\":[1,\"two\",{\"k\":3},null],\"big\":9007199254740991,\"huge\":1e300,\"e\":\"\"}";

struct type_row {
    const char *name;
    enum stix_json_type type;
    size_t size;
};

static const struct type_row type_rows[] = {
    {"s", STIX_JSON_STRING, 0},  {"i", STIX_JSON_INT, 0},       {"whole", STIX_JSON_FLOAT, 0},
    {"f", STIX_JSON_FLOAT, 0},   {"t", STIX_JSON_BOOL, 0},      {"z", STIX_JSON_NULL, 0},
    {"list", STIX_JSON_LIST, 4}, {"absent", STIX_JSON_NULL, 0},
};

static void test_types(const struct stix_json *tree)
{
    is_int(stix_json_type(tree), STIX_JSON_OBJECT, "the root");
    is_int((long long)stix_json_size(tree), 11, "its members");
    for (size_t i = 0; i < sizeof type_rows / sizeof type_rows[0]; i++) {
        const struct stix_json *value = stix_json_get(tree, type_rows[i].name);
        is_int(stix_json_type(value), type_rows[i].type, "type of %s", type_rows[i].name);
        is_int((long long)stix_json_size(value), (long long)type_rows[i].size, "its size");
    }
    ok(stix_json_has(tree, "z") && stix_json_get(tree, "z") == NULL, "null is there, but nothing");
    ok(!stix_json_has(tree, "absent"), "absent is not there");
    ok(!stix_json_has(NULL, "z") && stix_json_get(NULL, "z") == NULL, "nothing has no members");
    ok(stix_json_get(stix_json_get(tree, "list"), "k") == NULL, "a list has no members");
}

/* Members with these names, wherever they are; what stands in others is gone. */
static void test_named(void)
{
    static const struct {
        const char *text;
        const char *canon;
    } rows[] = {
        {"{\"a\":1,\"b\":2,\"c\":{\"a\":3,\"b\":[{\"a\":4}]}}", "{\"a\":1,\"c\":{\"a\":3}}"},
        {"[{\"b\":[1]},5,[{\"x\":{\"a\":1}},\"s\"]]", "[{},5,[{},\"s\"]]"},
        {"{\"\\u0061\":null,\"ab\":1,\"\":2}", "{\"a\":null}"},
        {"{\"b\":{\"c\":{}},\"c\":[{\"b\":1,\"a\":[]},true]}", "{\"c\":[{\"a\":[]},true]}"},
        {"{\"b\":{\"c\":1,\"c\":2}}", NULL}, /* scanned as strictly */
        {"{\"b\":\"\\ud800\"}", NULL},
    };
    static const char *const names[] = {"a", "c", NULL};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct stix_json *tree = NULL;
        struct isg_buf out;
        isg_buf_init(&out, ISG_BUF_NO_MAX);
        int err = stix_json_parse_named(isg_str_of(rows[i].text), NULL, names, &tree, NULL);
        is_int(err, rows[i].canon != NULL ? ISG_OK : ISG_EPARSE, "parse of %s", rows[i].text);
        if (err == ISG_OK) {
            stix_json_canon(tree, &out);
            ok(isg_str_is(isg_buf_str(&out), rows[i].canon), "what is left of it");
        }
        stix_json_free(&tree);
        isg_buf_done(&out);
    }
}

static void test_strings(const struct stix_json *tree)
{
    ok(isg_str_is(stix_json_get_str(tree, "s"), "caf\xc3\xa9"), "a string");
    struct isg_str empty = stix_json_get_str(tree, "e");
    ok(empty.p != NULL && empty.n == 0, "the empty string is there");
    ok(stix_json_get_str(tree, "i").p == NULL, "a number is no string");
    ok(stix_json_get_str(tree, "absent").p == NULL, "nothing is no string");
}

struct number_row {
    const char *name;
    bool is_int;
    int64_t as_int;
    bool is_float;
    double as_float;
};

static const struct number_row number_rows[] = {
    {"i", true, -7, true, -7.0},     {"whole", true, 50, true, 50.0},
    {"f", false, 0, true, 1.25},     {"big", true, 9007199254740991, true, 9007199254740991.0},
    {"huge", false, 0, true, 1e300}, {"s", false, 0, false, 0},
    {"t", false, 0, false, 0},       {"z", false, 0, false, 0},
};

static void test_numbers(const struct stix_json *tree)
{
    for (size_t i = 0; i < sizeof number_rows / sizeof number_rows[0]; i++) {
        const struct number_row *row = &number_rows[i];
        const struct stix_json *value = stix_json_get(tree, row->name);
        int64_t as_int = 0;
        double as_float = 0;
        ok(stix_json_int(value, &as_int) == row->is_int, "%s as integer (S-005)", row->name);
        is_int(as_int, row->as_int, "its value");
        ok(stix_json_float(value, &as_float) == row->is_float, "%s as float (S-006)", row->name);
        ok(memcmp(&as_float, &row->as_float, sizeof as_float) == 0, "its value");
    }
    ok(stix_json_bool(stix_json_get(tree, "t")), "true");
    ok(!stix_json_bool(stix_json_get(tree, "no")), "false");
    ok(!stix_json_bool(stix_json_get(tree, "i")), "a number is not true");
}

static void test_walk(const struct stix_json *tree)
{
    static const char *const order[] = {"s", "i",    "whole", "f",    "t", "no",
                                        "z", "list", "big",   "huge", "e"};
    struct stix_json_walk walk;
    size_t i = 0;
    stix_json_walk(tree, &walk);
    for (; stix_json_next(&walk); i++) {
        is_str(walk.name, order[i], "member %zu in document order", i);
        ok(walk.value == stix_json_get(tree, order[i]), "its value");
    }
    is_int((long long)i, 11, "members walked");
    stix_json_walk(stix_json_get(tree, "list"), &walk);
    ok(!stix_json_next(&walk), "a list is not walked");
    stix_json_walk(NULL, &walk);
    ok(!stix_json_next(&walk), "nothing is not walked");
}

static void test_list(const struct stix_json *tree)
{
    const struct stix_json *list = stix_json_get(tree, "list");
    int64_t number = 0;
    ok(stix_json_int(stix_json_at(list, 0), &number) && number == 1, "first element");
    ok(isg_str_is(stix_json_str(stix_json_at(list, 1)), "two"), "second element");
    ok(stix_json_at(list, 4) == NULL && stix_json_at(list, (size_t)-1) == NULL, "past the end");
    ok(stix_json_at(tree, 0) == NULL, "an object has no elements");
}

static void test_refused(void)
{
    static const struct {
        const char *text;
        struct stix_limits limits;
        int code;
    } rows[] = {
        {"{\"a\":1,\"a\":2}", {0}, ISG_EPARSE},
        {"[1e999]", {0}, ISG_EPARSE},
        {"", {0}, ISG_EPARSE},
        {"[[[]]]", {.depth = 2}, ISG_ELIMIT},
        {"[[[]]]", {.depth = 3}, ISG_OK},
        {"[[[1]]]", {.depth = 3}, ISG_OK},
        {"null", {0}, ISG_OK},
        {"-0", {0}, ISG_OK},
        {"7", {0}, ISG_OK},
        {"1.5e3", {0}, ISG_OK},
        {"true", {0}, ISG_OK},
        {"\"x\"", {0}, ISG_OK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct stix_json *tree = NULL;
        int err = stix_json_parse(isg_str_of(rows[i].text), &rows[i].limits, &tree, NULL);
        is_int(err, rows[i].code, "parse of %s", rows[i].text);
        stix_json_free(&tree);
        ok(tree == NULL, "freed");
    }
}

static void test_depth(void)
{
    char deep[1024];
    struct stix_json *tree = NULL;
    memset(deep, '[', 300);
    memset(deep + 300, ']', 300);
    struct stix_limits limits = {.depth = 300};
    is_int(stix_json_parse((struct isg_str){deep, 600}, &limits, &tree, NULL), ISG_OK,
           "300 levels when 300 are allowed");
    stix_json_free(&tree);
    memset(deep, '[', 64);
    memset(deep + 64, ']', 64);
    is_int(stix_json_parse((struct isg_str){deep, 128}, NULL, &tree, NULL), ISG_OK, "64 levels");
    stix_json_free(&tree);
}

int main(void)
{
    struct stix_json *tree = NULL;
    is_int(stix_json_parse(ISG_STR(text), NULL, &tree, NULL), ISG_OK, "parse");
    test_types(tree);
    test_strings(tree);
    test_numbers(tree);
    test_walk(tree);
    test_list(tree);
    stix_json_free(&tree);
    test_refused();
    test_depth();
    test_named();
    return tap_done();
}
