/* Which version is newer, which form is the first, what becomes of a push: S-098 to S-101, T-119. */
#include <string.h>

#include "gateway/store/family.h"
#include "tests/support/tap.h"

#define V(text) text, EVENT_VERSIONED
#define R(text) text, EVENT_VERSIONED | EVENT_REVOKED
#define U       "", 0

struct row {
    const char *version; /* NULL ends */
    uint8_t flags;
    uint32_t label;
    uint8_t content;
    const char *marks; /* expected of the events that are there */
};

static struct event_record record_of(const struct row *row, uint64_t position)
{
    struct event_record r = {.position = position,
                             .date_us = (int64_t)position,
                             .label = row->label,
                             .flags = row->flags,
                             .id = ISG_STR("tool--1"),
                             .version = isg_str_of(row->version)};
    r.digest[0] = row->content;
    return r;
}

static void fill(struct family *family, const struct row *rows, struct isg_arena *arena)
{
    for (size_t i = 0; i < 6 && rows[i].version != NULL; i++) {
        struct event_record r = record_of(&rows[i], i + 1);
        (void)family_add(family, &r, arena);
    }
}

static void check_marks(void)
{
    static const struct {
        const char *name;
        struct row rows[6];
    } cases[] = {
        {"one", {{V("2024-01-01T00:00:00Z"), 0, 1, "/"}}},
        {"two in order",
         {{V("2024-01-01T00:00:00Z"), 0, 1, "5/"}, {V("2024-01-02T00:00:00Z"), 5, 2, "/0"}}},
        {"older one arrives late",
         {{V("2024-01-02T00:00:00Z"), 5, 1, "/0"}, {V("2024-01-01T00:00:00Z"), 0, 2, "5/"}}},
        {"three, one label",
         {{V("2024-01-01T00:00:00Z"), 3, 1, "3/"},
          {V("2024-01-02T00:00:00Z"), 3, 2, "3/3"},
          {V("2024-01-03T00:00:00Z"), 3, 3, "/3"}}},
        {"fractions beyond microseconds (S-008)",
         {{V("2024-01-01T00:00:00.0000001Z"), 1, 1, "/2"},
          {V("2024-01-01T00:00:00Z"), 2, 2, "1/"}}},
        {"two forms of one version: the first hides the second",
         {{V("2024-01-01T00:00:00Z"), 1, 1, "/"}, {V("2024-01-01T00:00:00.000Z"), 2, 2, "1/1"}}},
        {"forms without modified: the earliest stands",
         {{U, 4, 1, "/"}, {U, 2, 2, "4/4"}, {U, 4, 3, "2,4/2,4"}}},
        {"with modified is newer than without",
         {{V("1999-01-01T00:00:00Z"), 1, 1, "/2"}, {U, 2, 2, "1/"}}},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct isg_arena *arena = isg_arena_new(ISG_BUF_NO_MAX);
        struct family family = {.id = ISG_STR("tool--1")};
        fill(&family, cases[c].rows, arena);
        is_int(family_write_marks(&family, arena), ISG_OK, "%s", cases[c].name);
        for (size_t i = 0; i < family.count; i++)
            is_str(family.events[i]->marks_after.p, cases[c].rows[i].marks, "%s: event %zu",
                   cases[c].name, i + 1);
        isg_arena_free(&arena);
    }
}

/* A deleted version no longer supersedes. */
static void check_gone(void)
{
    static const struct row rows[] = {{V("2024-01-01T00:00:00Z"), 0, 1, NULL},
                                      {V("2024-01-02T00:00:00Z"), 5, 2, NULL},
                                      {NULL, 0, 0, 0, NULL}};
    struct isg_arena *arena = isg_arena_new(ISG_BUF_NO_MAX);
    struct family family = {.id = ISG_STR("tool--1")};
    fill(&family, rows, arena);
    family.events[1]->is_gone = true;
    is_int(family_write_marks(&family, arena), ISG_OK, "marks with a deleted version");
    is_str(family.events[0]->marks_before.p, "5/", "before");
    is_str(family.events[0]->marks_after.p, "/", "after");
    is_str(family.events[1]->marks_after.p, "xd0", "dead");
    uint8_t digest[ISG_SHA256_BYTES] = {2};
    ok(!family_holds_digest(&family, digest), "its content is no longer needed");
    memcpy(digest, family.events[0]->record.digest, sizeof digest);
    ok(family_holds_digest(&family, digest), "that of a living one is");
    family.events[0]->record.shelf.pack = 7;
    ok(!family_holds_digest(&family, digest), "but not where its bytes lie in a pack");
    isg_arena_free(&arena);
}

/* The pusher sees labels below 10. */
static bool sees_low(void *arg, uint32_t label)
{
    (void)arg;
    return label < 10;
}

static void check_judge(void)
{
    static const struct {
        const char *name;
        struct row there[6];
        struct row push;
        enum store_verdict want;
    } cases[] = {
        {"empty", {{0}}, {V("2024-01-01T00:00:00Z"), 1, 1, NULL}, STORE_ADDED},
        {"exact repeat",
         {{V("2024-01-01T00:00:00Z"), 1, 1, NULL}},
         {V("2024-01-01T00:00:00Z"), 2, 1, NULL},
         STORE_SAME},
        {"own form again, under a label not visible otherwise",
         {{V("2024-01-01T00:00:00Z"), 20, 1, NULL}},
         {V("2024-01-01T00:00:00Z"), 20, 1, NULL},
         STORE_SAME},
        {"same form, hidden: announced again",
         {{V("2024-01-01T00:00:00Z"), 20, 1, NULL}},
         {V("2024-01-01T00:00:00Z"), 1, 1, NULL},
         STORE_ADDED},
        {"other content of one version",
         {{V("2024-01-01T00:00:00Z"), 1, 1, NULL}},
         {V("2024-01-01T00:00:00.0Z"), 1, 2, NULL},
         STORE_CONFLICT},
        {"other content, the first hidden",
         {{V("2024-01-01T00:00:00Z"), 20, 1, NULL}},
         {V("2024-01-01T00:00:00Z"), 1, 2, NULL},
         STORE_ADDED},
        {"hidden same form does not excuse a visible conflict",
         {{V("2024-01-01T00:00:00Z"), 20, 1, NULL}, {V("2024-01-01T00:00:00Z"), 1, 2, NULL}},
         {V("2024-01-01T00:00:00Z"), 1, 1, NULL},
         STORE_CONFLICT},
        {"no modified, other content: kept", {{U, 1, 1, NULL}}, {U, 1, 2, NULL}, STORE_ADDED},
        {"later than a revoked version",
         {{R("2024-01-01T00:00:00Z"), 1, 1, NULL}},
         {V("2024-01-02T00:00:00Z"), 1, 2, NULL},
         STORE_REVOKED},
        {"older than a revoked version",
         {{R("2024-01-02T00:00:00Z"), 1, 1, NULL}},
         {V("2024-01-01T00:00:00Z"), 1, 2, NULL},
         STORE_ADDED},
        {"a revocation the pusher cannot see",
         {{R("2024-01-01T00:00:00Z"), 20, 1, NULL}},
         {V("2024-01-02T00:00:00Z"), 1, 2, NULL},
         STORE_ADDED},
        {"the revoked version again",
         {{R("2024-01-01T00:00:00Z"), 1, 1, NULL}},
         {R("2024-01-01T00:00:00Z"), 1, 1, NULL},
         STORE_SAME},
    };
    const struct family_eye eye = {sees_low, NULL};
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct isg_arena *arena = isg_arena_new(ISG_BUF_NO_MAX);
        struct family family = {.id = ISG_STR("tool--1")};
        const struct relative *same = NULL;
        fill(&family, cases[c].there, arena);
        struct event_record push = record_of(&cases[c].push, 0);
        is_int((long long)family_judge(&family, &push, &eye, &same), (long long)cases[c].want, "%s",
               cases[c].name);
        ok((same != NULL) == (cases[c].want == STORE_SAME), "%s: the event that is there",
           cases[c].name);
        isg_arena_free(&arena);
    }
}

int main(void)
{
    check_marks();
    check_gone();
    check_judge();
    return tap_done();
}
