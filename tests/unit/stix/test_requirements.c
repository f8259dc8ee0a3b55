/*
 * The rules against their cases: a must (level M) has a case that is accepted and one that is
 * refused, a should (S) one that warns. fixtures/stix/levels.tsv says which is which. What another
 * test holds is listed here with that test, and requirements.tsv must know it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stix/json.h"
#include "tests/support/tap.h"

enum { RULES_MAX = 400 };

struct rule {
    char name[16];
    char level;
    size_t accepted;
    size_t refused;
    size_t warned;
    bool listed; /* in requirements.tsv */
};

static struct rule rules[RULES_MAX];
static size_t rules_n;

/* Rules without a pair of cases, and the test that holds them. */
static const struct {
    const char *rule;
    const char *test;
    const char *why;
} elsewhere[] = {
    {"S-001", "unit.stix.scan", "bytes that are not UTF-8 JSON do not become a value to check"},
    {"S-008", "unit.stix.base.time", "an order of instants: S-026, S-034 and S-035 are its cases"},
    {"S-032", "unit.stix.check", "a list of strings: refused as what it is not, S-004 or S-130"},
    {"S-046", "unit.stix.check_corpus", "says what is allowed: nothing warns of it"},
    {"S-087", "unit.stix.check", "refused by the rule that the object inside breaks"},
    {"S-091", "unit.stix.id", "says how an id is computed; S-090 warns of another"},
    {"S-094", "unit.stix.canon", "says how text is made, not what it may be"},
    {"S-098", "unit.stix.version", "an order of versions, not a property of one object"},
    {"S-107", "unit.stix.pattern", "what is no blank is no token either: refused by S-108"},
    {"S-117", "unit.stix.match", "meaning of patterns"},
    {"S-118", "unit.stix.match", "meaning of patterns"},
    {"S-119", "unit.stix.match", "meaning of patterns"},
    {"S-120", "unit.stix.match", "meaning of patterns"},
    {"S-121", "unit.stix.match", "meaning of patterns"},
    {"S-122", "unit.stix.match", "meaning of patterns"},
    {"S-123", "unit.stix.match", "meaning of patterns"},
    {"S-124", "unit.stix.match", "meaning of patterns"},
    {"S-125", "unit.stix.match", "meaning of patterns"},
    {"S-126", "unit.stix.match", "meaning of patterns"},
    {"S-127", "unit.stix.match", "meaning of patterns"},
    {"S-131", "unit.stix.pattern", "a claim about the whole; its parts are S-106 to S-114"},
};

static struct rule *find(struct isg_str name)
{
    for (size_t i = 0; i < rules_n; i++)
        if (isg_str_is(name, rules[i].name))
            return &rules[i];
    return NULL;
}

/* --- reading --- */

typedef void on_line(struct isg_str line);

static void each_line(const char *path, on_line *call)
{
    size_t n = 0;
    char *text = tap_slurp(path, &n);
    struct isg_str rest = {text, n};
    struct isg_str line;
    ok(text != NULL, "%s is there", path);
    while (text != NULL && isg_str_split(&rest, '\n', &line))
        if (line.n > 0)
            call(line);
    free(text);
}

static void read_level(struct isg_str line)
{
    struct isg_str name;
    if (!isg_str_split(&line, '\t', &name) || !isg_str_starts(name, ISG_STR("S-")) ||
        rules_n == RULES_MAX)
        return;
    struct rule *rule = &rules[rules_n++];
    (void)snprintf(rule->name, sizeof rule->name, "%.*s", ISG_STR_ARG(name));
    rule->level = line.p[0];
}

static void count(struct isg_str name, struct isg_str expect)
{
    struct rule *rule = find(name);
    if (rule == NULL)
        return;
    rule->accepted += isg_str_is(expect, "ok");
    rule->refused += isg_str_is(expect, "error") || isg_str_is(expect, "refused");
    rule->warned += isg_str_is(expect, "warning");
}

static void read_case(struct isg_str line)
{
    struct stix_json *row = NULL;
    if (!ok(stix_json_parse(line, NULL, &row, NULL) == ISG_OK, "a case is JSON"))
        return;
    ok(find(stix_json_get_str(row, "rule")) != NULL, "a case names a rule");
    count(stix_json_get_str(row, "rule"), stix_json_get_str(row, "expect"));
    stix_json_free(&row);
}

static void read_pattern_case(struct isg_str line)
{
    struct isg_str rule;
    struct isg_str version;
    struct isg_str expect;
    if (isg_str_split(&line, '\t', &rule) && isg_str_split(&line, '\t', &version) &&
        isg_str_split(&line, '\t', &expect))
        count(rule, expect);
}

static void read_requirement(struct isg_str line)
{
    struct isg_str name;
    if (!isg_str_split(&line, '\t', &name))
        return;
    struct rule *rule = find(name);
    if (rule != NULL)
        rule->listed = true;
}

/* --- judging --- */

static const char *elsewhere_test(const char *name)
{
    for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++)
        if (strcmp(elsewhere[i].rule, name) == 0)
            return elsewhere[i].test;
    return NULL;
}

/* An exception that its cases have made needless must go, too. */
static void check_rule(const struct rule *rule)
{
    const char *test = elsewhere_test(rule->name);
    bool covered = rule->level == 'M' ? rule->accepted > 0 && rule->refused > 0 : rule->warned > 0;
    if (rule->level != 'M' && rule->level != 'S')
        return;
    if (!ok(covered == (test == NULL), "%s %c: %zu accepted, %zu refused, %zu warned%s%s",
            rule->name, rule->level, rule->accepted, rule->refused, rule->warned,
            test != NULL ? ", held by " : "", test != NULL ? test : ""))
        return;
    ok(rule->listed || test != NULL, "%s: requirements.tsv names its test", rule->name);
}

int main(void)
{
    each_line(ISG_FIXTURES "/stix/levels.tsv", read_level);
    is_int((long long)rules_n, 143, "rules");
    each_line(ISG_FIXTURES "/stix/check-cases.ndjson", read_case);
    each_line(ISG_FIXTURES "/stix/check20-cases.ndjson", read_case);
    each_line(ISG_FIXTURES "/stix/pattern-cases.tsv", read_pattern_case);
    each_line(ISG_FIXTURES "/../requirements.tsv", read_requirement);
    for (size_t i = 0; i < rules_n; i++)
        check_rule(&rules[i]);
    return tap_done();
}
