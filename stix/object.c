#include "stix/object.h"

#include <string.h>

/* One object's canonical text: nothing that passed the scan grows by more than its own length. */
static const size_t CANON_MAX = ISG_BUF_NO_MAX;

static int refuse_bundle(struct isg_fail *why)
{
    return isg_fail_at(why, ISG_EINVAL, "/type", "X-16",
                       "a bundle is no object to store: send an envelope, {\"objects\": [...]}, "
                       "with the bundle's objects");
}

/* Check, and fail with the first error this object added to a report that others share. */
static int check(const struct stix_json *json, struct stix_report *report, struct isg_fail *why)
{
    const struct stix_finding *before = report->last;
    size_t errors = report->errors;
    int err = stix_check(json, NULL, report);
    if (err != ISG_OK)
        return isg_fail(why, err, "the check could not run");
    if (report->errors == errors)
        return ISG_OK;
    struct stix_report own = *report;
    own.errors -= errors;
    if (before != NULL)
        own.first = before->next;
    err = stix_report_fail(&own, why);
    /* The report keeps so many findings only: the error may have been counted and not kept. */
    return err != ISG_OK ? err : isg_fail(why, ISG_EINVAL, "the object breaks a rule");
}

/*
 * What is stored must be readable again: 1e20 is a fine double, but its canonical form is an
 * integer out of range. Nothing else can fail once it is canonical, so only then it is read to find
 * out, and where: the pointer is the same in either form.
 */
static int make_canon(struct stix_object *object, size_t length, bool large,
                      const struct stix_limits *limits, struct isg_fail *why)
{
    isg_buf_init(&object->canon, CANON_MAX);
    (void)isg_buf_reserve(&object->canon, length); /* rarely more than what was sent */
    stix_json_canon(object->json, &object->canon);
    if (object->canon.err != ISG_OK)
        return isg_fail(why, object->canon.err, "no room for the canonical text");
    isg_sha256(isg_buf_str(&object->canon), object->digest);
    return large ? stix_scan(isg_buf_str(&object->canon), limits, why) : ISG_OK;
}

/* What names the object, in one walk: each lookup of a name costs more. */
static void take_views(struct stix_object *object)
{
    const struct {
        const char *name;
        struct isg_str *view;
    } rows[] = {{"type", &object->type},
                {"id", &object->id},
                {"created", &object->created},
                {"modified", &object->modified}};
    struct stix_json_walk walk;
    stix_json_walk(object->json, &walk);
    while (stix_json_next(&walk)) {
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            if (walk.name[0] == rows[i].name[0] && strcmp(walk.name, rows[i].name) == 0)
                *rows[i].view = stix_json_str(walk.value);
        if (strcmp(walk.name, "revoked") == 0)
            object->revoked = stix_json_bool(walk.value);
    }
}

int stix_object_read(struct isg_str text, const struct stix_limits *limits,
                     struct stix_report *report, struct stix_object *out, struct isg_fail *why)
{
    static const struct stix_limits own = {.members = STIX_OBJECT_MEMBERS_MAX};
    struct stix_object object = {.json = NULL};
    bool large = false;
    if (limits == NULL)
        limits = &own;
    int err = stix_json_parse_large(text, limits, &object.json, &large, why);
    if (err == ISG_OK)
        take_views(&object);
    if (err == ISG_OK && isg_str_is(object.type, "bundle"))
        err = refuse_bundle(why);
    if (err == ISG_OK)
        err = check(object.json, report, why);
    if (err == ISG_OK)
        err = make_canon(&object, text.n, large, limits, why);
    if (err != ISG_OK) {
        stix_object_done(&object);
        return err;
    }
    object.kind = stix_type_kind(object.type);
    *out = object;
    return ISG_OK;
}

void stix_object_done(struct stix_object *object)
{
    stix_json_free(&object->json);
    isg_buf_done(&object->canon);
    *object = (struct stix_object){.json = NULL};
}

struct isg_str stix_object_version(const struct stix_object *object)
{
    return object->modified.n > 0 ? object->modified : object->created;
}
