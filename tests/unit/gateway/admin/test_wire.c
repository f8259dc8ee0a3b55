/* The record framing of imports: what is put is taken, and nothing else is. */
#include <string.h>

#include "gateway/admin/admin_wire.h"
#include "tests/support/tap.h"

static void round_trip(void)
{
    static const struct {
        const char *object;
        const char *facet;
    } rows[] = {{"{}", NULL}, {"", "kev"}, {"{\"a\":\"\\n\"}", "csaf:EX-26-001"}, {"a\nb", "x y"}};
    struct isg_buf wire;
    isg_buf_init(&wire, 65536);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        admin_record_put(&wire, isg_str_of(rows[i].object), rows[i].facet);
    struct isg_str rest = isg_buf_str(&wire);
    struct isg_str object;
    char facet[ADMIN_FACET_MAX];
    bool bad;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ok(admin_record_next(&rest, &object, facet, &bad), "record %zu is taken", i);
        ok(isg_str_is(object, rows[i].object), "its object is what was put");
        is_str(facet, rows[i].facet != NULL ? rows[i].facet : "", "its facet too");
    }
    ok(!admin_record_next(&rest, &object, facet, &bad) && !bad, "then the end");
    ok(rest.n == 0 && rest.p == wire.p + wire.len, "the rest points at the end");
    isg_buf_done(&wire);
}

static void refusals(void)
{
    static const char *const rows[] = {"2 -\n{}",    /* no line feed behind the object */
                                       "3 -\n{}\n",  /* too long */
                                       "1 -\n{}\n",  /* too short */
                                       "x -\n{}\n",  /* no number */
                                       "-2 -\n{}\n", /* negative */
                                       "2\n{}\n",    /* no facet */
                                       "2 \n{}\n",   /* empty facet */
                                       "99999999999999999999 -\n{}\n",
                                       "{}"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct isg_str rest = isg_str_of(rows[i]);
        struct isg_str object;
        char facet[ADMIN_FACET_MAX];
        bool bad = false;
        ok(!admin_record_next(&rest, &object, facet, &bad) && bad, "refused: row %zu", i);
    }
}

int main(void)
{
    round_trip();
    refusals();
    return tap_done();
}
