/* Medical domain digest, part 8: classes of versions and their order. */
#include <stdlib.h>
#include <string.h>

#include "feeds/version.h"
#include "stix/base/str.h"
#include "tests/support/tap.h"

static void test_classes(void)
{
    static const struct {
        const char *raw;
        enum version_class class;
        size_t terms;
    } rows[] = {
        {"vers:all/*", VERSION_ALL, 0},
        {"vers:generic/>=1.0|<2.0", VERSION_RANGE, 2},
        {"vers:generic/<2.0", VERSION_ONE_BOUND, 1},
        {"vers:generic/!=2.0", VERSION_TEXT, 0},
        {"vers:generic", VERSION_TEXT, 0},
        {"5.09.02", VERSION_EXACT, 1},
        {"2490C", VERSION_EXACT, 1},
        {"14.1.x", VERSION_WILDCARD, 1},
        {"5.X.x", VERSION_WILDCARD, 1},
        {"<= 12.2.x", VERSION_ONE_BOUND, 1},
        {"<2024.2", VERSION_ONE_BOUND, 1},
        {">= 4.01 | <= 4.34", VERSION_RANGE, 2},
        {"620 | 650 | 650c", VERSION_LIST, 3},
        {"<= 1.1 |<= 2.1", VERSION_LIST, 2},
        {"1.0 | <= 2.0", VERSION_TEXT, 0},
        {"<= U61 |<= L81", VERSION_TEXT, 0},
        {"1.4.2.0-9d9eff4", VERSION_TEXT, 0},
        {"1.4-2", VERSION_TEXT, 0},
        {"distributed  < april 1, 2018", VERSION_TEXT, 0},
        {"<8/30/2024", VERSION_TEXT, 0},
        {"", VERSION_TEXT, 0},
        {"|", VERSION_TEXT, 0},
        {"1.x.2", VERSION_TEXT, 0},
        {"1.", VERSION_TEXT, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct version_spec spec = version_parse(isg_str_of(rows[i].raw));
        is_str(version_class_name(spec.class), version_class_name(rows[i].class), "%s",
               rows[i].raw);
        is_int((long long)spec.count, (long long)rows[i].terms, "terms of %s", rows[i].raw);
    }
}

static void test_order(void)
{
    static const struct {
        const char *a;
        const char *b;
        enum version_order order;
    } rows[] = {
        {"1.10", "1.9", VERSION_MORE},
        {"1.0", "1", VERSION_SAME},
        {"1.0.1", "1", VERSION_MORE},
        {"5.09.02", "5.9.2", VERSION_SAME},
        {"2.4A", "2.4", VERSION_MORE},
        {"2.4a", "2.4B", VERSION_LESS},
        {"650c", "650", VERSION_MORE},
        {"v2.1", "2.1", VERSION_SAME},
        {"4107600010.23", "4107600010.3", VERSION_MORE},
        {"99999999999999999999.1", "100000000000000000000", VERSION_LESS},
        {"B.06.18", "B.6.2", VERSION_MORE},
        {"A10", "A11", VERSION_LESS},
        {"20D29", "22D24", VERSION_LESS},
        {"2018-1", "2021-1", VERSION_LESS},
        {"12.x", "11.5", VERSION_MORE},
        {"12.x", "12.5", VERSION_UNKNOWN},
        {"2018-06-01", "2018-07-01", VERSION_UNKNOWN}, /* days */
        {"8/30/2024", "1.0", VERSION_UNKNOWN},
        {"012U000040", "012U000061", VERSION_UNKNOWN}, /* lots */
        {"2023.3_Build_9342", "2023.4", VERSION_UNKNOWN},
        {"1.1.3 Build 10", "1.1.3", VERSION_UNKNOWN},
        {"", "1", VERSION_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct isg_str a = isg_str_of(rows[i].a);
        struct isg_str b = isg_str_of(rows[i].b);
        enum version_order back = rows[i].order == VERSION_LESS   ? VERSION_MORE
                                  : rows[i].order == VERSION_MORE ? VERSION_LESS
                                                                  : rows[i].order;
        is_int(version_cmp(a, b), rows[i].order, "%s and %s", rows[i].a, rows[i].b);
        is_int(version_cmp(b, a), back, "and the other way round");
    }
}

static void test_match(void)
{
    static const struct {
        const char *spec;
        const char *installed;
        enum version_answer answer;
    } rows[] = {
        {"vers:all/*", "anything", VERSION_YES},
        {"vers:generic/>=1.0|<2.0", "1.9.9", VERSION_YES},
        {"vers:generic/>=1.0|<2.0", "2.0", VERSION_NO},
        {"2.2", "2.2.0", VERSION_YES},
        {"2.2", "2.3", VERSION_NO},
        {"14.1.x", "14.1.7", VERSION_YES},
        {"14.1.x", "14.2", VERSION_NO},
        {"2.X", "v2.9", VERSION_YES},
        {"< 3.0", "2.9.9", VERSION_YES},
        {"< 3.0", "3.0", VERSION_NO},
        {"< 3.x", "2.9", VERSION_YES},
        {"< 3.x", "3.1", VERSION_MAYBE},
        {"< 3.x", "4", VERSION_NO},
        {"<= 12.2.x.x", "12.2.8.1", VERSION_YES},
        {"<= 12.2.x.x", "12.3", VERSION_NO},
        {">= 4.01 | <= 4.34", "4.2", VERSION_YES},
        {">= 4.01 | <= 4.34", "4.35", VERSION_NO},
        {">= 4.01 | <= 4.34", "4.34 SR1", VERSION_MAYBE},
        {"620 | 650 | 650c", "650C", VERSION_YES},
        {"620 | 650 | 650c", "700", VERSION_NO},
        {"<= 1.1 |<= 2.1", "2.0", VERSION_YES},
        {"<8/30/2024", "1.0", VERSION_MAYBE},
        {"MMT-508 MiniMed pump", "mmt-508 minimed PUMP", VERSION_YES},
        {"MMT-508 MiniMed pump", "MMT-511", VERSION_MAYBE},
        {"2.2", "", VERSION_MAYBE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *reason = "unset";
        struct version_spec spec = version_parse(isg_str_of(rows[i].spec));
        is_int(version_match(&spec, isg_str_of(rows[i].installed), &reason), rows[i].answer,
               "%s: %s", rows[i].spec, rows[i].installed);
        ok((reason != NULL) == (rows[i].answer == VERSION_MAYBE), "a reason for maybe only");
    }
}

/* Every version text of real advisories is in its class. */
static void test_corpus(void)
{
    size_t n = 0;
    size_t lines = 0;
    const char *path = tap_corpus("medical/csaf-icsma-versions.tsv");
    char *text = path == NULL ? NULL : tap_slurp(path, &n);
    struct isg_str rest = {text, n};
    struct isg_str line, class, category, raw;
    while (text != NULL && isg_str_split(&rest, '\n', &line)) {
        if (line.n == 0 || line.p[0] == '#' || !isg_str_split(&line, '\t', &class) ||
            !isg_str_split(&line, '\t', &category) || !isg_str_split(&line, '\t', &raw))
            continue;
        struct version_spec spec = version_parse(raw);
        lines++;
        if (!isg_str_is(class, version_class_name(spec.class)))
            ok(false, "%.*s is %.*s, not %s", ISG_STR_ARG(raw), ISG_STR_ARG(class),
               version_class_name(spec.class));
    }
    if (text != NULL)
        is_int((long long)lines, 286, "version texts, each in its class");
    free(text);
}

int main(void)
{
    test_classes();
    test_order();
    test_match();
    test_corpus();
    return tap_done();
}
