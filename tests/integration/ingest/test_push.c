/* What becomes of pushes: whole envelopes, duplicates, conflicts, hidden ones, revocations. */
#include <stdio.h>
#include <string.h>

#include "stix/scan.h"
#include "tests/integration/ingest/fixture.h"
#include "tests/support/tap.h"

static struct fixture f;

static const struct view_query all = {.want = VIEW_ALL};
static const struct view_query last = {.want = VIEW_LAST};
static const struct view_query first = {.want = VIEW_FIRST};

static int envelope(const char *body, struct ingest_counts *out, struct isg_fail *why)
{
    struct ingest_source source = {
        .name = ISG_STR("alice"), .member = fixture_member(&f, "alice"), .mode = INGEST_AS_SENT};
    struct ingest_run *run =
        ingest_begin(f.store, fixture_collection(&f, "main"), &source, true, false);
    int err = ingest_envelope(run, isg_str_of(body), why);
    *out = *ingest_counts(run);
    ingest_end(&run);
    return err;
}

static void check_envelopes(void)
{
    char *good = fixture_identity(&f, 900, 0, "clear", "");
    char *bad = fixture_identity(&f, 901, 0, "clear", ",\"type\":\"identity\"");
    const struct {
        const char *name, *body;
        int want;
        size_t total, added, refused;
    } rows[] = {
        {"a bundle is told to be an envelope (X-16)",
         isg_arena_printf(f.arena, "{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":[%s]}",
                          good),
         ISG_EINVAL, 0, 0, 0},
        {"no objects (T-123)", "{}", ISG_EINVAL, 0, 0, 0},
        {"an empty list (T-005)", "{\"objects\":[]}", ISG_EINVAL, 0, 0, 0},
        {"a list", "[]", ISG_EPARSE, 0, 0, 0},
        {"nothing", "", ISG_EPARSE, 0, 0, 0},
        {"broken off after a good object (X-18)",
         isg_arena_printf(f.arena, "{\"objects\":[%s,{\"type\":", good), ISG_EPARSE, 0, 0, 0},
        {"text behind the end", isg_arena_printf(f.arena, "{\"objects\":[%s]} x", good), ISG_EPARSE,
         0, 0, 0},
        {"one bad object of three (T-124)",
         isg_arena_printf(f.arena, "{\"objects\":[%s,%s,7]}", good, bad), ISG_OK, 3, 1, 2},
        {"more, next and unknown members (T-133)",
         isg_arena_printf(f.arena, "{\"more\":false,\"next\":\"x\",\"x_a\":{},\"objects\":[%s]}",
                          fixture_identity(&f, 902, 0, "clear", "")),
         ISG_OK, 1, 1, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ingest_counts counts;
        struct isg_fail why = {.code = ISG_OK};
        int err = envelope(rows[i].body, &counts, &why);
        is_int(err, rows[i].want, "%s: %s", rows[i].name, why.text);
        is_int((long long)counts.total, (long long)rows[i].total, "  total");
        is_int((long long)counts.added, (long long)rows[i].added, "  added");
        is_int((long long)counts.refused, (long long)rows[i].refused, "  refused");
    }
    is_str(fixture_see(&f, "main", "bob", all, 10), "900@0 902@0",
           "refused bodies left nothing behind");
}

/* ---- bodies that are no JSON ---------------------------------------------------------------- */

static int pass(void *arg, struct isg_str text, size_t index, struct isg_fail *why)
{
    (void)arg, (void)text, (void)index, (void)why;
    return ISG_OK;
}

/* What the strict scan of the whole says, object by object. */
static int scanned(struct isg_str body, struct isg_fail *why)
{
    struct stix_cutter *cutter = stix_cutter_new(NULL, pass, NULL, NULL);
    int err = stix_cutter_feed(cutter, body, why);
    if (err == ISG_OK)
        err = stix_cutter_end(cutter, why);
    stix_cutter_free(&cutter);
    return err;
}

static void check_no_json(const char *name, const char *body)
{
    struct ingest_counts counts;
    struct isg_fail want = {.code = ISG_OK};
    struct isg_fail why = {.code = ISG_OK};
    int err = scanned(isg_str_of(body), &want);
    ok(err == ISG_EPARSE || err == ISG_ELIMIT, "%s: %s", name, want.text);
    is_int(envelope(body, &counts, &why), err, "  refused as a whole");
    is_str(why.path, want.path, "  with the same place");
    is_str(why.rule, want.rule, "  and rule");
    is_str(why.text, want.text, "  and text");
    is_int((long long)(counts.added + counts.refused), 0, "  and nothing else (T-123)");
}

/* Whoever finds it, and when: the listener while it arrives, or the run that makes the trees. */
static void check_bodies_that_are_no_json(void)
{
    enum { MANY = 20000 };
    char *good = fixture_identity(&f, 910, 0, "clear", "");
    char *bad = fixture_identity(&f, 911, 0, "clear", ",\"type\":\"identity\"");
    char deep[200] = "";
    memset(deep, '[', 70);
    memset(deep + 70, ']', 70);
    const char *const objects[] = {
        "{\"a\":tru}",      "{\"a\":[1}",
        "{\"a\":\"\xff\"}", "{\"a\" 1}",
        "{\"a\":1,}",       "{\"a\":01}",
        "{'a':1}",          isg_arena_printf(f.arena, "{\"a\":%s}", deep)};
    const char *const ends[] = {"]}", "]", "]}]", " ] , \"objects\":[]}"};
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        for (size_t k = 0; k < sizeof ends / sizeof *ends; k++) {
            const char *before = k % 2 == 0 ? good : bad;
            struct isg_buf body;
            isg_buf_init(&body, ISG_BUF_NO_MAX);
            isg_buf_printf(&body, "{\"objects\" : [ %s,%s%s", before, objects[i], ends[k]);
            check_no_json(objects[i], body.p);
            isg_buf_done(&body);
        }
    }
    struct isg_buf large;
    isg_buf_init(&large, ISG_BUF_NO_MAX);
    isg_buf_puts(&large, "{\"objects\":[");
    for (int i = 0; i < MANY; i++)
        isg_buf_printf(&large, "%s,", good);
    isg_buf_puts(&large, "{\"a\":nul}]}");
    check_no_json("behind more than is kept unread", large.p);
    isg_buf_done(&large);
    is_str(fixture_see(&f, "main", "bob", all, 10), "900@0 902@0", "nothing was stored");
}

static void check_versions(void)
{
    struct view_query one = all;
    struct isg_str id = isg_str_of(fixture_id(&f, "identity", 1));
    one.ids = &id;
    one.ids_count = 1;
    is_int(fixture_push(&f, "main", "alice", fixture_identity(&f, 1, 5, "green", "")), INGEST_ADDED,
           "a version");
    is_int(fixture_push(&f, "main", "alice", fixture_identity(&f, 1, 5, "green", "")), INGEST_SAME,
           "again (T-119)");
    is_int(fixture_push(&f, "main", "bob", fixture_identity(&f, 1, 5, "green", "")), INGEST_SAME,
           "by another");
    is_int(
        fixture_push(&f, "main", "alice", fixture_identity(&f, 1, 5, "green", ",\"lang\":\"en\"")),
        INGEST_REFUSED, "other content (S-100)");
    ok(strstr(fixture_message(), "(S-100)") != NULL, "says the rule: %s", fixture_message());
    is_int(fixture_push(&f, "main", "alice", fixture_identity(&f, 1, 5, "clear", "")),
           INGEST_REFUSED, "a lower marking is other content (R-036)");
    is_int(fixture_push(&f, "main", "alice", fixture_identity(&f, 1, 3, "green", "")), INGEST_ADDED,
           "an older version comes late (X-32)");
    is_int(fixture_push(&f, "main", "alice", fixture_identity(&f, 1, 9, "red", "")), INGEST_ADDED,
           "a newer one that is red");
    is_str(fixture_see(&f, "main", "bob", one, 10), "1@5 1@3", "bob does not see red");
    one.want = VIEW_LAST;
    is_str(fixture_see(&f, "main", "bob", one, 10), "1@5", "his latest stays");
    is_str(fixture_see(&f, "main", "alice", one, 10), "1@9", "alice's is hers");
    is_str(fixture_see(&f, "main", "stan", one, 10), "1@9", "staff see it");
    one.want = VIEW_FIRST;
    is_str(fixture_see(&f, "main", "bob", one, 10), "1@3", "the first by modified");
    is_str(fixture_see(&f, "main", "wilma", one, 10), "", "who cannot read sees nothing");
}

static void check_hidden(void)
{
    struct view_query one = all;
    struct isg_str id = isg_str_of(fixture_id(&f, "identity", 2));
    one.ids = &id;
    one.ids_count = 1;
    is_int(fixture_push(&f, "main", "alice", fixture_identity(&f, 2, 1, "red", "")), INGEST_ADDED,
           "alice's red");
    is_int(fixture_push(&f, "main", "bob", fixture_identity(&f, 2, 1, "amber", "")), INGEST_ADDED,
           "the same version by bob is answered as if hers were absent (R-034)");
    is_str(fixture_message(), "", "without a word");
    is_int(fixture_push(&f, "main", "wilma", fixture_identity(&f, 2, 1, "clear", "")), INGEST_ADDED,
           "who cannot read learns nothing either");
    is_int(fixture_push(&f, "main", "wilma", fixture_identity(&f, 2, 1, "green", "")),
           INGEST_REFUSED, "but may not contradict herself");
    is_int(fixture_push(&f, "main", "mia", fixture_identity(&f, 2, 1, "green", "")), INGEST_REFUSED,
           "who sees bob's gets a conflict");
    one.want = VIEW_LAST;
    is_str(fixture_see(&f, "main", "mia", one, 10), "2@1", "one record of a version (T-108)");
    is_str(fixture_see(&f, "main", "alice", one, 10), "2@1", "for the first pusher too");
}

static void check_forms(void)
{
    struct view_query one = last;
    struct isg_str id = isg_str_of(fixture_id(&f, "ipv4-addr", 3));
    one.ids = &id;
    one.ids_count = 1;
    is_int(fixture_push(&f, "main", "alice", fixture_ipv4(&f, 3, "red", "")), INGEST_ADDED,
           "an observable");
    is_int(fixture_push(&f, "main", "bob", fixture_ipv4(&f, 3, "amber", "")), INGEST_ADDED,
           "another form is kept (S-100)");
    is_int(fixture_push(&f, "main", "bob", fixture_ipv4(&f, 3, "amber", ",\"defanged\":true")),
           INGEST_ADDED, "and another, never a conflict");
    is_int(fixture_push(&f, "main", "bob", fixture_ipv4(&f, 3, "amber", "")), INGEST_SAME,
           "the same form once");
    is_str(fixture_see(&f, "main", "mia", one, 10), "3@-", "a view shows one form");
    is_str(fixture_see(&f, "main", "stan", one, 10), "3@-", "every view");
    one.want = VIEW_FIRST;
    is_str(fixture_see(&f, "main", "mia", one, 10), "3@-", "as first too");
    one.want = VIEW_ALL;
    is_str(fixture_see(&f, "main", "mia", one, 10), "3@- 3@-", "all of them on demand");
}

static void check_revoked(void)
{
    is_int(fixture_push(&f, "main", "alice", fixture_identity(&f, 4, 1, "green", "")), INGEST_ADDED,
           "a version");
    is_int(
        fixture_push(&f, "main", "alice", fixture_identity(&f, 4, 5, "green", ",\"revoked\":true")),
        INGEST_ADDED, "its revocation");
    is_int(fixture_push(&f, "main", "alice", fixture_identity(&f, 4, 6, "green", "")),
           INGEST_REFUSED, "is final (S-101)");
    ok(strstr(fixture_message(), "(S-101)") != NULL, "says the rule");
    is_int(fixture_push(&f, "main", "alice", fixture_identity(&f, 4, 3, "green", "")), INGEST_ADDED,
           "an older version may come later");
}

static void check_refused(void)
{
    static const struct {
        const char *name, *object;
    } rows[] = {
        {"a path in an id (R-027)",
         "{\"type\":\"identity\",\"spec_version\":\"2.1\",\"id\":\"identity--../../x\","
         "\"created\":\"2024-01-01T00:00:00.000Z\",\"modified\":\"2024-01-01T00:00:00.000Z\","
         "\"name\":\"x\"}"},
        {"another type's id",
         "{\"type\":\"identity\",\"spec_version\":\"2.1\","
         "\"id\":\"tool--00000000-0000-4000-8000-000000000001\","
         "\"created\":\"2024-01-01T00:00:00.000Z\",\"modified\":\"2024-01-01T00:00:00.000Z\","
         "\"name\":\"x\"}"},
        {"a number", "7"},
        {"a bundle in an envelope (X-16)", "{\"type\":\"bundle\",\"id\":\"bundle--"
                                           "00000000-0000-4000-8000-000000000001\"}"},
        {"a lone surrogate", "{\"type\":\"\\ud800\"}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        is_int(fixture_push(&f, "main", "alice", rows[i].object), INGEST_REFUSED, "%s",
               rows[i].name);
        ok(strchr(fixture_message(), ':') != NULL || strchr(fixture_message(), '(') != NULL,
           "says why: %s", fixture_message());
    }
}

static void check_submission(void)
{
    is_int(fixture_push(&f, "box", "wilma", fixture_identity(&f, 800, 1, "clear", "")),
           INGEST_ADDED, "a submission is taken");
    is_str(fixture_see(&f, "box", "stan", last, 10), "800@1", "staff see it");
    is_str(fixture_see(&f, "box", "alice", last, 10), "", "members do not");
    struct view_query one = first;
    struct isg_str id = isg_str_of(fixture_id(&f, "identity", 800));
    one.ids = &id;
    one.ids_count = 1;
    is_str(fixture_see(&f, "main", "stan", one, 10), "", "and it is not published");
}

static void check_dry_run(void)
{
    struct ingest_source source = {
        .name = ISG_STR("alice"), .member = fixture_member(&f, "alice"), .mode = INGEST_AS_SENT};
    struct ingest_run *run =
        ingest_begin(f.store, fixture_collection(&f, "main"), &source, false, true);
    struct isg_fail why;
    const char *const objects[] = {fixture_identity(&f, 1, 5, "green", ""),
                                   fixture_identity(&f, 1, 5, "clear", ""),
                                   fixture_identity(&f, 777, 5, "clear", ""), "{}"};
    for (size_t i = 0; i < 4; i++)
        is_int(ingest_add(run, isg_str_of(objects[i]), NULL, &why), ISG_OK, "add");
    is_int(ingest_finish(run, &why), ISG_OK, "finish");
    const struct ingest_counts *counts = ingest_counts(run);
    ok(counts->total == 4 && counts->added == 1 && counts->same == 1 && counts->refused == 2,
       "a trial counts: %zu %zu %zu %zu", counts->total, counts->added, counts->same,
       counts->refused);
    size_t n = 0;
    (void)ingest_outcomes(run, &n);
    is_int((long long)n, 2, "without outcomes only refusals are kept");
    ingest_end(&run);
    struct view_query one = all;
    struct isg_str id = isg_str_of(fixture_id(&f, "identity", 777));
    one.ids = &id;
    one.ids_count = 1;
    is_str(fixture_see(&f, "main", "stan", one, 10), "", "and stores nothing");
}

static void check_bulk(void)
{
    struct ingest_source source = {.name = ISG_STR("bulk"), .member = NULL, .mode = INGEST_AS_SENT};
    struct isg_fail why;
    for (int round = 0; round < 2; round++) {
        struct ingest_run *run =
            ingest_begin(f.store, fixture_collection(&f, "box"), &source, true, false);
        for (unsigned i = 0; i < 2600; i++) {
            char *object = fixture_identity(&f, 10000 + i, 1, "clear", "");
            if (ingest_add(run, isg_str_of(object), NULL, &why) != ISG_OK)
                ok(false, "add: %s", why.text);
        }
        is_int(ingest_finish(run, &why), ISG_OK, "finish");
        const struct ingest_counts *counts = ingest_counts(run);
        is_int((long long)(round == 0 ? counts->added : counts->same), 2600, "all of them");
        ingest_end(&run);
    }
    struct view_query query = last;
    const char *text = fixture_see(&f, "box", "stan", query, 999);
    size_t n = 0;
    for (const char *p = text; p != NULL && *p != '\0'; p = strchr(p + 1, ' '))
        n++;
    is_int((long long)n, 2601, "pages cross blocks without a gap");
}

int main(void)
{
    fixture_open(&f);
    check_envelopes();
    check_bodies_that_are_no_json();
    check_versions();
    check_hidden();
    check_forms();
    check_revoked();
    check_refused();
    check_submission();
    check_dry_run();
    check_bulk();
    fixture_close(&f);
    return tap_done();
}
