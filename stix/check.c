#include "stix/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "stix/check_private.h"
#include "stix/id.h"

enum { MAX_DEFAULT = 64, MESSAGE_BYTES = 240 };

void stix_report_init(struct stix_report *report, struct isg_arena *arena, size_t max)
{
    *report = (struct stix_report){.arena = arena, .max = max != 0 ? max : MAX_DEFAULT};
}

/* Characters of a name in a JSON Pointer (RFC 6901): ~ and / take two. */
static size_t put_name(char *out, const char *name)
{
    size_t n = 0;
    for (const char *p = name; *p != '\0'; p++) {
        bool escaped = *p == '~' || *p == '/';
        if (out != NULL) {
            out[n] = *p;
            if (escaped) {
                out[n] = '~';
                out[n + 1] = *p == '~' ? '0' : '1';
            }
        }
        n += escaped ? 2 : 1;
    }
    return n;
}

static size_t put_step(char *out, const struct stix_place *at)
{
    char digits[24];
    if (out != NULL)
        out[0] = '/';
    if (at->name == NULL)
        (void)snprintf(digits, sizeof digits, "%zu", at->index);
    return 1 + put_name(out != NULL ? out + 1 : NULL, at->name != NULL ? at->name : digits);
}

/* Written from its end: a place knows only what it stands in. */
static char *pointer_of(struct isg_arena *arena, const struct stix_place *at)
{
    size_t n = 0;
    for (const struct stix_place *p = at; p != NULL; p = p->up)
        n += put_step(NULL, p);
    char *text = isg_arena_alloc(arena, n + 1);
    for (const struct stix_place *p = at; text != NULL && p != NULL; p = p->up) {
        n -= put_step(NULL, p);
        (void)put_step(text + n, p);
    }
    return text;
}

static struct stix_finding *keep(struct stix_report *report, enum stix_level level,
                                 const char *rule, const struct stix_place *at, const char *message)
{
    struct stix_finding *finding = isg_arena_alloc(report->arena, sizeof *finding);
    if (finding == NULL)
        return NULL;
    *finding = (struct stix_finding){
        .level = level,
        .rule = rule,
        .path = pointer_of(report->arena, at),
        .message = isg_arena_copy(report->arena, isg_str_of(message)),
    };
    return finding->path != NULL && finding->message != NULL ? finding : NULL;
}

void stix_found(struct stix_checking *c, enum stix_level level, const char *rule,
                const struct stix_place *at, const char *format, ...)
{
    struct stix_report *report = c->report;
    if (c->advice)
        level = STIX_WARNING;
    size_t *count = level == STIX_ERROR ? &report->errors : &report->warnings;
    if (++*count > report->max)
        return;
    char message[MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    struct stix_finding *finding = keep(report, level, rule, at, message);
    if (finding == NULL) {
        c->err = ISG_ENOMEM;
        return;
    }
    if (report->last != NULL)
        report->last->next = finding;
    else
        report->first = finding;
    report->last = finding;
}

/* S-132: versioning properties without spec_version are how 2.0 looks; observables have neither. */
static bool is_stix_20(const struct stix_checking *c)
{
    return c->kind != STIX_KIND_SCO && c->kind != STIX_KIND_BUNDLE &&
           stix_json_has(c->object, "created") && !stix_json_has(c->object, "spec_version");
}

bool stix_is_type_name(struct isg_str name)
{
    static const char uuid[] = "--00000000-0000-4000-8000-000000000000";
    char id[STIX_ID_MAX + 1];
    if (name.n > STIX_ID_MAX - (sizeof uuid - 1))
        return false;
    int n = snprintf(id, sizeof id, "%.*s%s", ISG_STR_ARG(name), uuid);
    return n > 0 && stix_id_split((struct isg_str){id, (size_t)n}, NULL, NULL);
}

/* The type's table, or what stands in for it with a custom type (S-084, S-085). */
static bool find_type(struct stix_checking *c, struct isg_str name, const struct stix_place *at)
{
    struct stix_place here = {at, "type", 0};
    struct stix_extended extended = stix_extended_by(c->object);
    c->type = stix_type_find(name);
    c->names_free = extended.toplevel || c->type == NULL;
    if (c->type != NULL) {
        c->kind = c->type->kind;
        return true;
    }
    if (!stix_is_type_name(name)) {
        stix_found(c, STIX_ERROR, "S-017", &here,
                   "type is not 3 to 250 characters of a-z, 0-9 and single hyphens");
        return false;
    }
    c->kind = extended.new_kind;
    if (c->kind == STIX_KIND_UNKNOWN) {
        c->kind = stix_json_has(c->object, "created") ? STIX_KIND_SDO : STIX_KIND_SCO;
        stix_found(c, STIX_WARNING, "S-084", &here,
                   "type is a custom type that no extension of the object defines");
    }
    return true;
}

static void check_versions(struct stix_checking *c, const struct stix_place *at)
{
    struct stix_place here = {at, "modified", 0};
    int order;
    if (c->kind != STIX_KIND_SCO && stix_members_order(c->object, "modified", "created", &order) &&
        order < 0)
        stix_found(c, STIX_ERROR, "S-026", &here, "modified is earlier than created");
}

/* An observable's id should follow from what it says; on a sound object only (S-090, S-092). */
static void check_deterministic(struct stix_checking *c, const struct stix_place *at)
{
    struct stix_place here = {at, "id", 0};
    char wanted[STIX_ID_MAX + 1];
    struct isg_str uuid;
    bool deterministic = false;
    int version = 0;
    int err = stix_id_sco(c->object, wanted, &deterministic, NULL);
    if (err == ISG_ENOMEM)
        c->err = err;
    else if (err == ISG_OK && deterministic &&
             !isg_str_ieq(stix_json_get_str(c->object, "id"), isg_str_of(wanted)))
        stix_found(c, STIX_WARNING, "S-090", &here,
                   "id should be the UUIDv5 of the contributing properties");
    else if (err == ISG_OK && !deterministic &&
             stix_id_split(stix_json_get_str(c->object, "id"), NULL, &uuid) &&
             isg_uuid_is_valid(uuid, &version) && version != 4)
        stix_found(c, STIX_ERROR, "S-092", &here,
                   "id holds a UUID of version 4 where no property contributes to it");
}

static void check_bundle(struct stix_checking *c, const struct stix_json *bundle)
{
    stix_check_bundle_twice(c, bundle);
    stix_check_within(c, bundle);
}

int stix_check_object(struct stix_report *report, const struct stix_json *object,
                      const struct stix_place *at)
{
    struct stix_checking c = {.report = report, .object = object, .root = at};
    struct stix_place type_place = {at, "type", 0};
    struct isg_str type = stix_json_get_str(object, "type");
    size_t errors = report->errors;
    if (stix_json_type(object) != STIX_JSON_OBJECT) {
        stix_found(&c, STIX_ERROR, "S-023", at, "a STIX object is a JSON object");
        return c.err;
    }
    if (type.p == NULL) {
        stix_found(&c, STIX_ERROR, "S-023", &type_place, "type is missing or no string");
        return c.err;
    }
    if (!find_type(&c, type, at))
        return c.err;
    if (is_stix_20(&c)) {
        struct stix_place here = {at, "spec_version", 0};
        stix_found(&c, STIX_ERROR, "S-024", &here,
                   "this is a STIX 2.0 object: it has created but no spec_version");
        return c.err;
    }
    stix_check_top(&c, object, at);
    check_versions(&c, at);
    if (c.type != NULL)
        stix_check_rules(&c, c.type, object, at);
    if (c.kind == STIX_KIND_BUNDLE)
        check_bundle(&c, object);
    if (c.kind == STIX_KIND_SCO && c.type != NULL && report->errors == errors)
        check_deterministic(&c, at);
    return c.err;
}

int stix_check(const struct stix_json *object, const struct stix_check_options *options,
               struct stix_report *report)
{
    struct stix_checking c = {.report = report, .object = object};
    if (options != NULL && options->nested &&
        isg_str_is(stix_json_get_str(object, "type"), "bundle")) {
        stix_found(&c, STIX_ERROR, "S-086", NULL, "a bundle does not stand inside another");
        return c.err;
    }
    if (options != NULL && options->edition == STIX_EDITION_20)
        return stix_check_object_20(report, object, NULL);
    return stix_check_object(report, object, NULL);
}

int stix_report_fail(const struct stix_report *report, struct isg_fail *why)
{
    if (report->errors == 0)
        return ISG_OK;
    for (const struct stix_finding *f = report->first; f != NULL; f = f->next)
        if (f->level == STIX_ERROR)
            return isg_fail_at(why, ISG_EINVAL, f->path, f->rule, "%s", f->message);
    return isg_fail(why, ISG_EINVAL, "%zu rules are broken", report->errors);
}
