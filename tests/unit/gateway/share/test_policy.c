/* The decision table, labels and their text. With the corpus, its table of outcomes too. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/share/policy.h"
#include "stix/base/str.h"
#include "tests/support/tap.h"

static char alice[] = "alice";

static struct member member_of(enum member_kind kind)
{
    return (struct member){.name = alice, .title = alice, .kind = kind, .tlp_max = STIX_TLP_RED};
}

static void check_rows(void)
{
    static const struct {
        const char *name, *kind, *label;
        const char *tlp_max;
        bool suspended;
        enum policy_deny want;
    } rows[] = {
        {"a hospital reads amber", "hospital", "tlp=amber;src=bob", "red", false, POLICY_ALLOW},
        {"red is for named recipients", "hospital", "tlp=red;src=bob", "red", false,
         POLICY_AUDIENCE},
        {"the source reads its own red", "hospital", "tlp=red;src=alice", "red", false,
         POLICY_ALLOW},
        {"also above its own bound", "hospital", "tlp=red;src=alice", "green", false, POLICY_ALLOW},
        {"a feed of the same name is another source", "hospital", "tlp=red;src=feed:alice", "red",
         false, POLICY_AUDIENCE},
        {"a longer name is another source", "hospital", "tlp=red;src=alice2", "red", false,
         POLICY_AUDIENCE},
        {"staff read red", "isao_staff", "tlp=red;src=bob", "red", false, POLICY_ALLOW},
        {"staff read what nobody knows", "isao_staff", "tlp=unknown;src=bob", "red", false,
         POLICY_ALLOW},
        {"a suspended source reads nothing", "hospital", "tlp=clear;src=alice", "red", true,
         POLICY_SUSPENDED},
        {"suspended staff read nothing", "isao_staff", "tlp=clear;src=bob", "red", true,
         POLICY_SUSPENDED},
        {"an unknown marking is not released (S-071)", "hospital", "tlp=unknown;src=bob", "red",
         false, POLICY_UNKNOWN_MARKING},
        {"a bound narrows", "mdm", "tlp=amber;src=bob", "green", false, POLICY_TLP},
        {"the bound itself is allowed", "mdm", "tlp=green;src=bob", "green", false, POLICY_ALLOW},
        {"a bound does not widen", "public", "tlp=green;src=bob", "red", false, POLICY_TLP},
        {"peers need consent", "peer_isao", "tlp=green;src=bob", "red", false, POLICY_CONSENT},
        {"regulators need consent", "regulator", "tlp=green;src=bob", "red", false, POLICY_CONSENT},
        {"a broken label is red from nobody", "hospital", "amber", "red", false, POLICY_AUDIENCE},
        {"an empty label too", "hospital", "", "red", false, POLICY_AUDIENCE},
        {"no level is no label", "hospital", "tlp=none;src=bob", "red", false, POLICY_AUDIENCE},
        {"nothing behind the source", "hospital", "tlp=clear;src=bob;x=1", "red", false,
         POLICY_AUDIENCE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct member member = member_of(MEMBER_HOSPITAL);
        struct policy_label label = policy_label_read(isg_str_of(rows[i].label));
        member_kind_of(isg_str_of(rows[i].kind), &member.kind);
        member.tlp_max = stix_tlp_of_name(isg_str_of(rows[i].tlp_max));
        member.suspended = rows[i].suspended;
        is_str(policy_deny_name(policy_decide(&label, &member, 0)), policy_deny_name(rows[i].want),
               "%s", rows[i].name);
    }
}

static void check_text(void)
{
    static const struct {
        enum stix_tlp tlp;
        const char *source, *waits, *want;
    } rows[] = {
        {STIX_TLP_AMBER, "hospital-a", "", "tlp=amber;src=hospital-a"},
        {STIX_TLP_AMBER_STRICT, "feed:kev", "", "tlp=amber+strict;src=feed:kev"},
        {STIX_TLP_UNKNOWN, "x", "", "tlp=unknown;src=x"},
        {STIX_TLP_NONE, "x", "", "tlp=unknown;src=x"},
        {STIX_TLP_CLEAR, "a;src=b\n", "", "tlp=clear;src=a%3Bsrc%3Db%0A"},
        {STIX_TLP_UNKNOWN, "x", "marking-definition--1",
         "tlp=unknown;src=x;waits=marking-definition--1"},
        {STIX_TLP_GREEN, "x", "marking-definition--1", "tlp=green;src=x"},
    };
    char text[POLICY_LABEL_MAX], again[POLICY_LABEL_MAX], source[1000];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct policy_label label = {.tlp = rows[i].tlp,
                                     .source = isg_str_of(rows[i].source),
                                     .waits = isg_str_of(rows[i].waits)};
        policy_label_write(&label, text);
        is_str(text, rows[i].want, "label %s", rows[i].want);
        label = policy_label_read(isg_str_of(text));
        policy_label_write(&label, again);
        is_str(again, text, "and it is read back as written");
    }
    memset(source, ';', sizeof source);
    struct policy_label label = {.tlp = STIX_TLP_CLEAR, .source = {source, sizeof source}};
    policy_label_write(&label, text);
    ok(strlen(text) < POLICY_LABEL_MAX && strstr(text, "src=%sha256:") != NULL,
       "a long source is named by its digest");
}

#define M_RED      "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
#define M_CLEAR    "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"
#define M_OTHER    "marking-definition--8b0c2a46-9d2e-4c1e-9b6e-1f2b3c4d5e6f"
#define M_STRANGER "marking-definition--5f1e1d6b-1b2c-4d3e-9f40-516273849506"
#define M_STRANGE  "marking-definition--4e0d0c5a-0a1b-4c2d-8e3f-405162738495"

static bool knows_other(void *arg, struct isg_str id)
{
    unsigned *asked = arg;
    (*asked)++;
    return isg_str_is(id, M_OTHER);
}

/* A statement that the source explained bounds nothing; what is not explained is waited for. */
static void check_statements(void)
{
    static unsigned asked;
    static const struct policy_markings markings = {.is_statement = knows_other, .arg = &asked};
    static const struct {
        const char *refs, *want, *waits;
        unsigned asked; /* the store is asked for each: not for more once one is unknown */
    } rows[] = {
        {"\"" M_OTHER "\"", "green", "", 1},
        {"\"" M_OTHER "\",\"" M_RED "\"", "red", "", 1},
        {"\"" M_OTHER "\",\"" M_CLEAR "\"", "clear", "", 1},
        {"\"" M_STRANGE "\",\"" M_CLEAR "\"", "unknown", M_STRANGE, 1},
        {"\"" M_STRANGE "\",\"" M_OTHER "\",\"" M_STRANGER "\"", "unknown", M_STRANGE, 1},
    };
    struct collection collection = {.default_tlp = STIX_TLP_GREEN};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[1024];
        struct stix_json *json = NULL;
        (void)snprintf(text, sizeof text, "{\"type\":\"identity\",\"object_marking_refs\":[%s]}",
                       rows[i].refs);
        if (!ok(stix_json_parse(isg_str_of(text), NULL, &json, NULL) == ISG_OK, "parse"))
            continue;
        asked = 0;
        struct policy_label label = policy_label_of(json, &collection, ISG_STR("bob"), &markings);
        is_str(stix_tlp_name(label.tlp), rows[i].want, "markings %s", rows[i].refs);
        is_int(asked, rows[i].asked, "and how many are asked for");
        ok(isg_str_is(label.waits, rows[i].waits), "and what is waited for");
        stix_json_free(&json);
    }
}

static void check_label_of(void)
{
    static const struct {
        const char *name, *json, *want;
    } rows[] = {
        {"no marking: the collection's default", "{\"type\":\"identity\"}", "green"},
        {"its own marking", "{\"type\":\"identity\",\"object_marking_refs\":[\"" M_RED "\"]}",
         "red"},
        {"the stricter of two",
         "{\"type\":\"identity\",\"object_marking_refs\":[\"" M_CLEAR "\",\"" M_RED "\"]}", "red"},
        {"a marking nobody knows",
         "{\"type\":\"identity\",\"object_marking_refs\":[\"" M_OTHER "\"]}", "unknown"},
        {"a marked part marks the whole",
         "{\"type\":\"identity\",\"object_marking_refs\":[\"" M_CLEAR
         "\"],\"granular_markings\":[{\"marking_ref\":\"" M_RED "\",\"selectors\":[\"name\"]}]}",
         "red"},
        {"a TLP marking is public", "{\"type\":\"marking-definition\",\"id\":\"" M_RED "\"}",
         "clear"},
        {"another marking is not", "{\"type\":\"marking-definition\",\"id\":\"" M_OTHER "\"}",
         "green"},
        {"nor what only names one", "{\"type\":\"identity\",\"id\":\"" M_RED "\"}", "green"},
    };
    struct collection collection = {.default_tlp = STIX_TLP_GREEN};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stix_json *json = NULL;
        if (!ok(stix_json_parse(isg_str_of(rows[i].json), NULL, &json, NULL) == ISG_OK, "parse"))
            continue;
        struct policy_label label = policy_label_of(json, &collection, ISG_STR("bob"), NULL);
        is_str(stix_tlp_name(label.tlp), rows[i].want, "%s", rows[i].name);
        ok(isg_str_is(label.source, "bob"), "and its source");
        stix_json_free(&json);
    }
}

/* ---- the corpus ----------------------------------------------------------------------------- */

/* kind, tlp, in audience, consents, outcome */
static bool split_row(char *line, char *fields[5])
{
    for (size_t i = 0; i < 5; i++) {
        fields[i] = line;
        line = line == NULL ? NULL : strpbrk(line, "\t\n");
        if (line == NULL && i < 4)
            return false;
        if (line != NULL)
            *line++ = '\0';
    }
    return true;
}

/* False for rows that ask for what members and labels do not hold: named recipients of RED, consents
 * beyond their defaults where they matter, and vetted researchers outside of an audience. */
static bool is_decidable(char *const fields[5])
{
    bool red = strcmp(fields[1], "red") == 0, consents = fields[3][0] == '1';
    bool needs_consent = strcmp(fields[0], "regulator") == 0 ||
                         (strcmp(fields[0], "peer_isao") == 0 && strcmp(fields[1], "green") == 0);
    if (strcmp(fields[4], "D_KIND") == 0 || (consents && needs_consent))
        return false;
    bool named = red && fields[2][0] == '1' && strcmp(fields[4], "ALLOW") == 0;
    return !named || strcmp(fields[0], "isao_staff") == 0;
}

static void decide_row(char *const fields[5], char out[32])
{
    struct member member = member_of(MEMBER_HOSPITAL);
    struct collection collection = {.default_tlp = STIX_TLP_AMBER};
    struct policy_label label = {.tlp = stix_tlp_of_name(isg_str_of(fields[1])),
                                 .source = ISG_STR("bob")};
    member_kind_of(isg_str_of(fields[0]), &member.kind);
    collection.read.all = fields[2][0] == '1';
    enum policy_deny deny = policy_decide(&label, &member, 0);
    /* GREEN and CLEAR go to the whole community, whoever the first hop was. */
    if (deny == POLICY_ALLOW && label.tlp > STIX_TLP_GREEN &&
        !collection_can_read(&collection, &member))
        deny = POLICY_AUDIENCE;
    (void)snprintf(out, 32, "%s%s", deny == POLICY_ALLOW ? "" : "d_", policy_deny_name(deny));
    for (char *p = out; *p != '\0'; p++)
        *p = (char)toupper((unsigned char)*p);
}

/* Of two rules that both deny, the table names the audience, the program the kind's own. */
static bool agrees(const char *got, const char *want)
{
    bool both_deny = strncmp(got, "D_", 2) == 0 && strncmp(want, "D_", 2) == 0;
    return strcmp(got, want) == 0 ||
           (both_deny && (strcmp(got, "D_AUDIENCE") == 0 || strcmp(want, "D_AUDIENCE") == 0));
}

static void check_corpus(void)
{
    const char *path = tap_corpus("medical/policy-table.tsv");
    FILE *file = path == NULL ? NULL : fopen(path, "r");
    char line[1024], got[32];
    size_t compared = 0, skipped = 0, wrong = 0;
    if (file == NULL) {
        printf("# no corpus: its table is left out\n");
        return;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        char *fields[5];
        if (line[0] == '#' || !split_row(line, fields))
            continue;
        if (!is_decidable(fields)) {
            skipped++;
            continue;
        }
        compared++;
        decide_row(fields, got);
        if (agrees(got, fields[4]))
            continue;
        wrong++;
        printf("# %s %s %s %s: %s, not %s\n", fields[0], fields[1], fields[2], fields[3], got,
               fields[4]);
    }
    (void)fclose(file);
    printf("# the table: %zu rows compared, %zu need consents or recipients we do not keep\n",
           compared, skipped);
    ok(compared > 150 && wrong == 0, "the table of outcomes agrees");
}

int main(void)
{
    check_rows();
    check_text();
    check_label_of();
    check_statements();
    check_corpus();
    return tap_done();
}
