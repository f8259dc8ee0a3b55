/*
 * The lift against what others published in both editions: MITRE's own objects must come out equal
 * by canonical text (S-143), and pairs made by another tool may differ only as the table says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stix/check.h"
#include "stix/lift.h"
#include "tests/support/cases.h"
#include "tests/support/tap.h"

struct edition_pair {
    const char *old;
    const char *now;
    size_t objects;
};

static const struct edition_pair published[] = {
    {"stix/attack/ics-attack-18.1.stix20.json.xz", "stix/attack/ics-attack-18.1.stix21.json", 1825},
    {"stix/attack/enterprise-attack-18.1.stix20.json.xz",
     "stix/attack/enterprise-attack-18.1.stix21.json.xz", 24771},
};

/* --- reading --- */

static struct stix_json *load(const char *name)
{
    struct stix_limits limits = {.members = 100000000};
    struct stix_json *tree = NULL;
    size_t n = 0;
    char *text = cases_corpus(name, &n);
    if (text != NULL)
        (void)stix_json_parse((struct isg_str){text, n}, &limits, &tree, NULL);
    free(text);
    return tree;
}

/* --- objects of a bundle by id --- */

struct objects {
    const struct stix_json **all;
    size_t n;
};

static int by_id(const void *a, const void *b)
{
    return isg_str_cmp(stix_json_get_str(*(const struct stix_json *const *)a, "id"),
                       stix_json_get_str(*(const struct stix_json *const *)b, "id"));
}

static struct objects sorted(const struct stix_json *bundle)
{
    const struct stix_json *list = stix_json_get(bundle, "objects");
    struct objects objects = {calloc(stix_json_size(list) + 1, sizeof(struct stix_json *)), 0};
    for (size_t i = 0; objects.all != NULL && i < stix_json_size(list); i++)
        objects.all[objects.n++] = stix_json_at(list, i);
    qsort(objects.all, objects.n, sizeof *objects.all, by_id);
    return objects;
}

static const struct stix_json *find(const struct objects *objects, const struct stix_json *like)
{
    const struct stix_json *const *found =
        bsearch(&like, objects->all, objects->n, sizeof *objects->all, by_id);
    return found != NULL ? *found : NULL;
}

/* --- published editions --- */

struct comparison {
    struct objects now;
    size_t objects;
    size_t equal;
};

static bool is_same(const struct stix_json *a, const struct stix_json *b)
{
    struct isg_buf left;
    struct isg_buf right;
    isg_buf_init(&left, ISG_BUF_NO_MAX);
    isg_buf_init(&right, ISG_BUF_NO_MAX);
    stix_json_canon(a, &left);
    stix_json_canon(b, &right);
    bool same = isg_str_eq(isg_buf_str(&left), isg_buf_str(&right));
    isg_buf_done(&left);
    isg_buf_done(&right);
    return same;
}

static int compare(void *arg, const struct stix_lifted *lifted, struct isg_fail *why)
{
    struct comparison *c = arg;
    struct stix_json *tree = NULL;
    int err = stix_json_parse(lifted->text, NULL, &tree, why);
    c->objects++;
    if (err == ISG_OK && is_same(tree, find(&c->now, tree)))
        c->equal++;
    else
        printf("# differs: %.*s\n", (int)(lifted->text.n < 400 ? lifted->text.n : 400),
               lifted->text.p);
    stix_json_free(&tree);
    return err;
}

/* Objects of a 2.0 bundle that its own rules refuse (S-132). */
static size_t count_refused_20(const struct stix_json *bundle)
{
    const struct stix_check_options options = {.edition = STIX_EDITION_20};
    const struct stix_json *objects = stix_json_get(bundle, "objects");
    struct isg_arena *arena = isg_arena_new(16 * 1024 * 1024);
    size_t refused = 0;
    for (size_t i = 0; i < stix_json_size(objects); i++) {
        struct stix_report report;
        isg_arena_reset(arena);
        stix_report_init(&report, arena, 0);
        int err = stix_check(stix_json_at(objects, i), &options, &report);
        refused += err != ISG_OK || report.errors > 0;
    }
    isg_arena_free(&arena);
    return refused;
}

static void check_published(const struct edition_pair *pair)
{
    struct stix_json *old = load(pair->old);
    struct stix_json *now = load(pair->now);
    if (old == NULL || now == NULL) {
        printf("# %s is not here\n", pair->old);
    } else {
        struct comparison c = {.now = sorted(now)};
        struct isg_fail why = {0};
        is_int(stix_lift(old, compare, &c, &why), ISG_OK, "%s: lifts", pair->old);
        is_int((long long)c.objects, (long long)pair->objects, "%s: objects", pair->old);
        is_int((long long)count_refused_20(old), 0, "%s: nothing breaks 2.0", pair->old);
        is_int((long long)c.equal, (long long)pair->objects, "%s: equal", pair->old);
        free(c.now.all);
    }
    stix_json_free(&old);
    stix_json_free(&now);
}

/* --- pairs made by another tool --- */

/* A property of one type that may differ in a file ("*": in any), and why. */
struct expected {
    const char *file;
    const char *type;
    const char *property;
    const char *why;
};

static const struct expected expected[] = {
    /* Two tools, two choices. */
    {"*", "indicator", "pattern_version", "we say in which syntax the pattern is (S-136)"},
    {"*", "indicator", "indicator_types",
     "the other tool drops the word unknown; we keep it (S-135)"},
    {"*", "threat-actor", "threat_actor_types", "likewise (S-135)"},
    {"*", "malware", "is_family",
     "true is assumed, as MITRE does; the other tool says false (S-137)"},
    {"Appendix_G_IOCs_Full.json", "indicator", "pattern",
     "the other tool writes != as NOT = and drops a blank; process:name is image_ref.name (S-141)"},
    /* A default written out or left out (S-104). */
    {"*", "directory", "spec_version", "2.1 is the default of an observable"},
    {"*", "domain-name", "spec_version", "2.1 is the default of an observable"},
    {"*", "email-message", "spec_version", "2.1 is the default of an observable"},
    {"*", "file", "spec_version", "2.1 is the default of an observable"},
    {"*", "ipv4-addr", "spec_version", "2.1 is the default of an observable"},
    {"*", "network-traffic", "spec_version", "2.1 is the default of an observable"},
    {"*", "user-account", "spec_version", "2.1 is the default of an observable"},
    /* Custom properties that only their maker knows to be something else (S-142). */
    {"*", "indicator", "x_elevator_confidence", "a custom property passes as it is"},
    {"*", "indicator", "confidence", "made from that custom property"},
    {"*", "identity", "x_elevator_targeted_information", "a custom property passes as it is"},
    {"*", "identity", "extensions", "made from that custom property"},
    {"*", "campaign", "x_elevator_information_source_roles", "a custom property passes as it is"},
    {"*", "campaign", "extensions", "made from that custom property"},
    {"*", "vulnerability", "x_elevator_source", "a custom property passes as it is"},
    {"*", "vulnerability", "x_elevator_discovered_datetime", "a custom property passes as it is"},
    {"*", "vulnerability", "extensions", "made from those custom properties"},
    /* Ids: theirs are random where the two files were made in two runs, or of keys not resolved. */
    {"file-and-directory-pattern.json", "relationship", "(only ours)", "random id of another run"},
    {"file-and-directory-pattern.json", "relationship", "(only theirs)", "the same, of their run"},
    {"indicator-for-c2-ip-address.json", "relationship", "(only ours)", "random id of another run"},
    {"indicator-for-c2-ip-address.json", "relationship", "(only theirs)", "the same, of their run"},
    {"archive-file.json", "file", "(only ours)", "ids of leaves first (S-095)"},
    {"archive-file.json", "file", "(only theirs)", "ids computed from the key of the directory"},
    {"archive-file.json", "observed-data", "object_refs", "refers to those files"},
    {"issue62.json", "process", "(only ours)",
     "derived from the observed-data and the key (S-138)"},
    {"issue62.json", "process", "(only theirs)", "random (S-092)"},
    {"issue62.json", "network-traffic", "(only ours)", "refers to itself: derived id (S-138)"},
    {"issue62.json", "network-traffic", "(only theirs)", "computed from the key of itself"},
    {"issue62.json", "file", "(only ours)", "carries the name of a process (S-141)"},
    {"issue62.json", "observed-data", "object_refs", "refers to those"},
};

static bool used[sizeof expected / sizeof expected[0]];

static bool is_expected(const char *file, struct isg_str type, const char *property)
{
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const struct expected *row = &expected[i];
        if ((strcmp(row->file, "*") == 0 || strcmp(row->file, file) == 0) &&
            (strcmp(row->type, "*") == 0 || isg_str_is(type, row->type)) &&
            strcmp(row->property, property) == 0)
            return used[i] = true;
    }
    return false;
}

struct pair {
    const char *file;
    struct objects now;
    size_t unexplained;
};

static void differs(struct pair *pair, const struct stix_json *object, const char *property)
{
    struct isg_str id = stix_json_get_str(object, "id");
    if (is_expected(pair->file, stix_json_get_str(object, "type"), property))
        return;
    printf("# %s: %.*s: %s\n", pair->file, ISG_STR_ARG(id), property);
    pair->unexplained++;
}

static void compare_members(struct pair *pair, const struct stix_json *ours,
                            const struct stix_json *theirs)
{
    struct stix_json_walk walk;
    stix_json_walk(ours, &walk);
    while (stix_json_next(&walk))
        if (!is_same(walk.value, stix_json_get(theirs, walk.name)))
            differs(pair, ours, walk.name);
    stix_json_walk(theirs, &walk);
    while (stix_json_next(&walk))
        if (!stix_json_has(ours, walk.name))
            differs(pair, theirs, walk.name);
}

/* Every object of ours against theirs, then those only they have. */
static void compare_bundles(struct pair *pair, const struct stix_json *ours)
{
    struct objects mine = sorted(ours);
    for (size_t i = 0; i < mine.n; i++) {
        const struct stix_json *theirs = find(&pair->now, mine.all[i]);
        if (theirs != NULL)
            compare_members(pair, mine.all[i], theirs);
        else
            differs(pair, mine.all[i], "(only ours)");
    }
    for (size_t i = 0; i < pair->now.n; i++)
        if (find(&mine, pair->now.all[i]) == NULL)
            differs(pair, pair->now.all[i], "(only theirs)");
    free(mine.all);
}

static void check_pair(const char *file, size_t refused)
{
    char name[256];
    struct isg_buf text;
    struct isg_fail why = {0};
    struct stix_json *ours = NULL;
    (void)snprintf(name, sizeof name, "feeds/stix20-21-pairs/v2.0/%s", file);
    struct stix_json *old = load(name);
    (void)snprintf(name, sizeof name, "feeds/stix20-21-pairs/v2.1/%s", file);
    struct stix_json *now = load(name);
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    if (old == NULL || now == NULL) {
        printf("# %s is not here\n", file);
    } else if (ok(stix_lift_bundle(old, &text, &why) == ISG_OK &&
                      stix_json_parse(isg_buf_str(&text), NULL, &ours, &why) == ISG_OK,
                  "%s: lifts", file)) {
        struct pair pair = {.file = file, .now = sorted(now)};
        compare_bundles(&pair, ours);
        is_int((long long)count_refused_20(old), (long long)refused, "%s: refused by 2.0", file);
        is_int((long long)pair.unexplained, 0, "%s: differences that no row explains", file);
        free(pair.now.all);
    } else {
        printf("# %s %s\n", why.path, why.text);
    }
    isg_buf_done(&text);
    stix_json_free(&old);
    stix_json_free(&now);
    stix_json_free(&ours);
}

/* Pairs, and how many objects of the 2.0 one its own rules refuse. */
static const struct {
    const char *file;
    size_t refused;
    const char *why;
} pairs[] = {
    {"141-TLP-marking-structures.json", 0, NULL},
    {"Appendix_G_IOCs_Full.json", 61, "relations without an end"},
    {"account_indicator.json", 1, "a report without its required properties"},
    {"archive-file.json", 0, NULL},
    {"campaign-v-actors.json", 0, NULL},
    {"command-and-control-ip-list.json", 3, "ids that are no UUIDs"},
    {"cve-in-exploit-target.json", 0, NULL},
    {"file-and-directory-pattern.json", 1, "a relation without an end"},
    {"file-hash-reputation.json", 0, NULL},
    {"icmp_pattern.json", 0, NULL},
    {"identifying-a-threat-actor-group.json", 0, NULL},
    {"indicator-for-c2-ip-address.json", 1, "a relation without an end"},
    {"indicator-for-malicious-url.json", 1, "an id that is no UUID"},
    {"issue-162.json", 2, "no name; a CAPEC id of another form"},
    {"issue62.json", 1, "traffic that ends at itself"},
    {"malicious-email-indicator-with-attachment.json", 3, "relations without an end"},
    {"malware-characterization-using-maec.json", 1, "an id that is no UUID"},
    {"multiple-reports-in-package.json", 2, "no identity_class; references that are no ids"},
    {"network-socket-observable.json", 1, "traffic without an end"},
    {"network-traffic-request-pattern-with-qualifiers.json", 0, NULL},
    {"network-traffic-request-pattern.json", 0, NULL},
    {"observable-with-networkconnection-pattern-advanced.json", 0, NULL},
    {"observable-with-networkconnection-pattern.json", 0, NULL},
};

int main(void)
{
    if (tap_corpus("stix") == NULL)
        tap_skip_all("no corpus");
    for (size_t i = 0; i < sizeof published / sizeof published[0]; i++)
        check_published(&published[i]);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        check_pair(pairs[i].file, pairs[i].refused);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        ok(used[i] || tap_corpus("feeds/stix20-21-pairs") == NULL, "%s %s is met: %s",
           expected[i].type, expected[i].property, expected[i].why);
    return tap_done();
}
