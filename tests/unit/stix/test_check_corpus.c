/*
 * Real objects: what others publish as STIX 2.1 must pass, object by object (S-130).
 */
#include <stdio.h>
#include <stdlib.h>

#include "stix/check.h"
#include "tests/support/cases.h"
#include "tests/support/tap.h"

struct row {
    const char *file; /* below the corpus; .xz is unpacked on the way */
    size_t objects;
    size_t refused;
};

static const struct row rows[] = {
    {"stix/attack/enterprise-attack-18.1.stix21.json.xz", 24771, 0},
    {"stix/attack/ics-attack-18.1.stix21.json", 1826, 0},
    /* Two external references have a URL that begins with a blank (S-020). */
    {"stix/attack/capec.stix21.json.xz", 2683, 2},
    {"stix/examples/doc-apt1.json", 0, 0},
    {"stix/examples/doc-defining-campaigns-threat-actors-intrusion-sets.json", 0, 0},
    {"stix/examples/doc-identifying-a-threat-actor-profile.json", 0, 0},
    {"stix/examples/doc-indicator-for-malicious-url.json", 0, 0},
    {"stix/examples/doc-malware-indicator-for-file-hash.json", 0, 0},
    {"stix/examples/doc-poisonivy.json", 0, 0},
    {"stix/examples/doc-sighting-of-an-indicator.json", 0, 0},
    {"stix/examples/doc-sighting-of-observed-data.json", 0, 0},
    {"stix/examples/doc-threat-actor-leveraging-attack-patterns-and-malware.json", 0, 0},
    {"stix/examples/doc-using-granular-markings.json", 0, 0},
    {"stix/examples/doc-using-marking-definitions.json", 0, 0},
    {"stix/examples/schema-indicator-for-c2-ip-address.json", 0, 0},
    {"stix/examples/schema-indicator-to-campaign-relationship.json", 0, 0},
    {"stix/examples/schema-indicators-for-C2-with-COA.json", 0, 0},
    {"stix/examples/schema-infrastructure.json", 0, 0},
    {"stix/examples/schema-interop-objectmarking-test.json", 0, 0},
    {"stix/examples/schema-malicious-email-indicator-with-attachment.json", 0, 0},
    {"feeds/misp-stix-pairs/test_attributes_collection_stix21.json", 0, 0},
    {"feeds/misp-stix-pairs/test_event1_stix21.json", 0, 0},
    {"feeds/misp-stix-pairs/test_event2_stix21.json", 0, 0},
    {"feeds/misp-stix-pairs/test_events_collection_stix21.json", 0, 0},
    {"feeds/misp-stix-pairs/test_objects_collection_stix21.json", 0, 0},
    {"medical/stix-markings/tlp-all.json", 9, 0},
    {"medical/stix-examples/device-advisory.json", 0, 0},
};

static void show(const struct stix_json *object, const struct stix_report *report)
{
    struct isg_str id = stix_json_get_str(object, "id");
    for (const struct stix_finding *f = report->first; f != NULL; f = f->next)
        if (f->level == STIX_ERROR)
            printf("# %.*s %s %s: %s\n", ISG_STR_ARG(id), f->rule, f->path, f->message);
}

static size_t count_refused(const struct stix_json *objects)
{
    struct isg_arena *arena = isg_arena_new(1024 * 1024);
    size_t refused = 0;
    for (size_t i = 0; i < stix_json_size(objects); i++) {
        struct stix_report report;
        isg_arena_reset(arena);
        stix_report_init(&report, arena, 0);
        if (stix_check(stix_json_at(objects, i), NULL, &report) != ISG_OK || report.errors > 0) {
            show(stix_json_at(objects, i), &report);
            refused++;
        }
    }
    isg_arena_free(&arena);
    return refused;
}

/* The bundle as one object: the same errors and no others. */
static void check_whole(const struct row *row, const struct stix_json *bundle)
{
    struct isg_arena *arena = isg_arena_new(1024 * 1024);
    struct stix_report report;
    stix_report_init(&report, arena, 0);
    is_int(stix_check(bundle, NULL, &report), ISG_OK, "%s: the whole is checked", row->file);
    is_int((long long)report.errors, (long long)row->refused, "%s: errors of the whole", row->file);
    isg_arena_free(&arena);
}

static void check_file(const struct row *row)
{
    struct stix_json *bundle = NULL;
    struct isg_fail why;
    size_t n = 0;
    char *text = cases_corpus(row->file, &n);
    if (text == NULL) {
        printf("# %s is not here\n", row->file);
        return;
    }
    struct stix_limits limits = {.members = 100000000};
    int err = stix_json_parse((struct isg_str){text, n}, &limits, &bundle, &why);
    if (!ok(err == ISG_OK, "%s parses", row->file))
        printf("# %s %s\n", why.path, why.text);
    const struct stix_json *objects = stix_json_get(bundle, "objects");
    if (row->objects > 0)
        is_int((long long)stix_json_size(objects), (long long)row->objects, "%s: objects",
               row->file);
    is_int((long long)count_refused(objects), (long long)row->refused, "%s: refused", row->file);
    if (objects != NULL)
        check_whole(row, bundle);
    stix_json_free(&bundle);
    free(text);
}

int main(void)
{
    if (tap_corpus("stix") == NULL)
        tap_skip_all("no corpus");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_file(&rows[i]);
    return tap_done();
}
