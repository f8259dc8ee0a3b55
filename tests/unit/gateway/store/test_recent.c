/* What is known of own changes between two heads of a log. */
#include <stdio.h>

#include "gateway/store/recent.h"
#include "tests/support/tap.h"

enum { MANY = 1000 };

static struct journal_head head_at(uint64_t position)
{
    return (struct journal_head){
        .at = {.position = position, .date_added_us = (int64_t)position}, .labels = 1, .epoch = 7};
}

/* A change of ids first ... first + n - 1 between two heads; every second one is not changed. */
static void note(struct recent *recent, uint64_t from, uint64_t to, unsigned first, unsigned n)
{
    static char ids[MANY][32];
    static struct family families[MANY];
    const struct journal_head a = head_at(from);
    const struct journal_head b = head_at(to);
    for (unsigned i = 0; i < n; i++) {
        snprintf(ids[i], sizeof ids[i], "tool--%u", first + i);
        families[i] = (struct family){.id = isg_str_of(ids[i]), .is_changed = i % 2 == 0};
    }
    recent_note(recent, &a, &b, families, n);
}

static bool untouched(const struct recent *recent, uint64_t from, uint64_t to, unsigned id)
{
    char text[32];
    const struct journal_head a = head_at(from);
    const struct journal_head b = head_at(to);
    snprintf(text, sizeof text, "tool--%u", id);
    return recent_is_untouched(recent, &a, &b, isg_str_of(text));
}

static void check_spans(void)
{
    struct recent recent;
    recent_init(&recent);
    ok(untouched(&recent, 5, 5, 1), "the same head: nothing was changed");
    ok(!untouched(&recent, 5, 6, 1), "nothing is known of a change by others");
    note(&recent, 5, 8, 100, 6);
    note(&recent, 8, 9, 200, 1);
    ok(!untouched(&recent, 5, 8, 100) && !untouched(&recent, 5, 9, 104), "what was changed");
    ok(untouched(&recent, 5, 8, 101) && untouched(&recent, 5, 9, 105), "what was only read");
    ok(untouched(&recent, 5, 9, 1), "an id nobody spoke of, over two changes");
    ok(!untouched(&recent, 5, 9, 200) && untouched(&recent, 5, 8, 200), "changed after that head");
    ok(untouched(&recent, 8, 9, 100), "changed before that head");
    ok(!untouched(&recent, 6, 9, 1), "a head between, of another's change");
    ok(!untouched(&recent, 5, 10, 1), "a head behind, of another's change");
    ok(!untouched(&recent, 9, 5, 1), "a head that went back");
    struct journal_head other = head_at(5);
    struct journal_head now = head_at(9);
    other.epoch++;
    ok(!recent_is_untouched(&recent, &other, &now, ISG_STR("tool--1")), "a head of another log");
    recent_done(&recent);
}

static void check_bounds(void)
{
    struct recent recent;
    recent_init(&recent);
    for (uint64_t i = 0; i <= RECENT_SPANS; i++)
        note(&recent, i, i + 1, 1000 * (unsigned)i, MANY);
    bool right = true;
    for (unsigned i = 0; i < MANY; i++)
        right = right && untouched(&recent, 3, 4, 3000 + i) == (i % 2 == 1);
    ok(right, "a thousand ids of one change");
    ok(!untouched(&recent, 0, 1, 99999), "the oldest change is forgotten");
    ok(untouched(&recent, 1, RECENT_SPANS + 1, 99999), "all the others are known");
    note(&recent, 50, 50, 1, 1);
    ok(!untouched(&recent, 50, 51, 99999), "a change that leads nowhere does not hold up");
    recent_done(&recent);
}

int main(void)
{
    check_spans();
    check_bounds();
    return tap_done();
}
