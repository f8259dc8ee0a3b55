#include <stdlib.h>
#include <string.h>

#include "gateway/store/events.h"
#include "tests/support/tap.h"

static struct event_record sample(void)
{
    struct event_record r = {
        .position = UINT64_C(0x1122334455667788),
        .date_us = -5,
        .label = 0xfedcba98u,
        .flags = EVENT_VERSIONED | EVENT_REVOKED,
        .id = ISG_STR("indicator--1"),
        .version = ISG_STR("2024-01-01T00:00:00.000Z"),
        .source = ISG_STR("hospital-a"),
    };
    for (size_t i = 0; i < sizeof r.digest; i++)
        r.digest[i] = (uint8_t)(255 - i);
    return r;
}

static void check_record(void)
{
    struct isg_buf bytes;
    struct event_record in = sample();
    struct event_record out;
    isg_buf_init(&bytes, ISG_BUF_NO_MAX);
    event_write(&bytes, &in);
    in.shelf = (struct store_shelf){UINT64_C(0x0102030405060708), 0x11223344, 0xfffefdfc};
    in.position = 2;
    in.version = (struct isg_str){"", 0};
    event_write(&bytes, &in);
    struct isg_str rest = isg_buf_str(&bytes);
    ok(event_read(&rest, &out), "first record");
    ok(out.position == UINT64_C(0x1122334455667788) && out.date_us == -5, "position and date");
    ok(out.label == 0xfedcba98u && out.flags == 3, "label and flags");
    ok(memcmp(out.digest, in.digest, sizeof in.digest) == 0, "digest");
    ok(isg_str_is(out.id, "indicator--1") && isg_str_is(out.version, "2024-01-01T00:00:00.000Z"),
       "id and version");
    ok(isg_str_is(out.source, "hospital-a"), "source");
    ok(out.shelf.pack == 0, "of layout 3: no pack");
    ok(event_read(&rest, &out) && out.position == 2 && out.version.n == 0, "second record");
    ok(out.shelf.pack == in.shelf.pack && out.shelf.offset == in.shelf.offset &&
           out.shelf.bytes == in.shelf.bytes && isg_str_is(out.id, "indicator--1"),
       "its place in a pack");
    ok(rest.n == 0 && !event_read(&rest, &out), "end");
    isg_buf_done(&bytes);
}

/* A record cut short at any byte, or of another format, is no record; nothing is read behind it. */
static void check_damage(uint64_t pack)
{
    struct isg_buf bytes;
    struct event_record in = sample();
    in.shelf.pack = pack;
    struct event_record out;
    size_t wrong = 0;
    isg_buf_init(&bytes, ISG_BUF_NO_MAX);
    event_write(&bytes, &in);
    for (size_t n = 0; n < bytes.len; n++) {
        char *part = malloc(n + 1);
        if (part == NULL)
            abort();
        memcpy(part, bytes.p, n);
        struct isg_str rest = {part, n};
        wrong += event_read(&rest, &out);
        free(part);
    }
    is_int((long long)wrong, 0, "no part of a record is a record");
    bytes.p[0] = 9;
    struct isg_str rest = isg_buf_str(&bytes);
    ok(!event_read(&rest, &out), "another format");
    isg_buf_done(&bytes);
}

static void check_marks(void)
{
    static const struct {
        const char *text;
        bool good;
        bool dead;
        size_t newer;
        size_t older;
    } rows[] = {
        {"xd0", true, true, 0, 0},
        {"xe1767600000000000", true, true, 0, 0},
        {"/", true, false, 0, 0},
        {"1/", true, false, 1, 0},
        {"/7", true, false, 0, 1},
        {"1,4,9/2,3", true, false, 3, 2},
        {"4294967295/0", true, false, 1, 1},
        {"", false, false, 0, 0},
        {"1", false, false, 0, 0},
        {"a/", false, false, 0, 0},
        {"1,/", false, false, 0, 0},
        {"4294967296/", false, false, 0, 0},
        {"x", false, false, 0, 0},
        {"xx1", false, false, 0, 0},
        {"xd", false, false, 0, 0},
        {"1/2/3", false, false, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct isg_arena *arena = isg_arena_new(ISG_BUF_NO_MAX);
        struct event_marks marks = {0};
        struct isg_buf text;
        bool nomem;
        bool good = event_marks_read(isg_str_of(rows[i].text), arena, &marks, &nomem);
        ok(good == rows[i].good, "marks '%s'", rows[i].text);
        isg_buf_init(&text, ISG_BUF_NO_MAX);
        if (good) {
            event_marks_write(&text, &marks);
            ok(marks.dead == rows[i].dead &&
                   marks.expired == (strncmp(rows[i].text, "xe", 2) == 0) &&
                   marks.newer_count == rows[i].newer && marks.older_count == rows[i].older,
               "counts of '%s'", rows[i].text);
            is_str(text.p, rows[i].text, "written again");
        }
        isg_buf_done(&text);
        isg_arena_free(&arena);
    }
}

int main(void)
{
    check_record();
    check_damage(0);
    check_damage(77);
    check_marks();
    return tap_done();
}
