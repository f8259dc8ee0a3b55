#include "stix/lift.h"

#include <string.h>

#include "stix/check_private.h"
#include "stix/id.h"
#include "stix/lift_private.h"
#include "stix/marking.h"
#include "stix/types.h"

/* --- what is 2.0 (S-132) --- */

bool stix_is_20(const struct stix_json *value)
{
    struct isg_str type = stix_json_get_str(value, "type");
    if (type.n == 0)
        return false;
    if (stix_json_has(value, "spec_version"))
        return isg_str_is(stix_json_get_str(value, "spec_version"), "2.0");
    if (isg_str_is(type, "bundle"))
        return false;
    return isg_str_is(type, "marking-definition") ||
           (stix_type_kind(type) != STIX_KIND_SCO && stix_json_has(value, "created"));
}

/* --- names that changed (S-134, S-141) --- */

/* clang-format off */
static const struct stix_renamed renamed[] = {
    {"archive-ext",          "version",                     NULL},
    {"directory",            "accessed",                    "atime"},
    {"directory",            "created",                     "ctime"},
    {"directory",            "modified",                    "mtime"},
    {"file",                 "accessed",                    "atime"},
    {"file",                 "created",                     "ctime"},
    {"file",                 "decryption_key",              NULL},
    {"file",                 "encryption_algorithm",        NULL},
    {"file",                 "is_encrypted",                NULL},
    {"file",                 "modified",                    "mtime"},
    {"process",              "arguments",                   NULL},
    {"process",              "binary_ref",                  "image_ref"},
    {"process",              "created",                     "created_time"},
    {"process",              "name",                        NULL}, /* see lift_container.c */
    {"raster-image-ext",     "image_compression_algorithm", NULL},
    {"socket-ext",           "protocol_family",             NULL},
    {"user-account",         "password_last_changed",       "credential_last_changed"},
    {"windows-registry-key", "modified",                    "modified_time"},
};

/* Types whose labels were their type list in 2.0, and the label that says nothing (S-143). */
static const struct {
    const char *type;
    const char *types;
    const char *empty;
} labelled[] = {
    {"indicator",    "indicator_types",    NULL},
    {"malware",      "malware_types",      "malware"},
    {"report",       "report_types",       NULL},
    {"threat-actor", "threat_actor_types", NULL},
    {"tool",         "tool_types",         "tool"},
};
/* clang-format on */

const struct stix_renamed *stix_renamed_find(const char *type, const char *old)
{
    for (size_t i = 0; type != NULL && i < sizeof renamed / sizeof renamed[0]; i++)
        if (renamed[i].type[0] == type[0] && renamed[i].old[0] == old[0] && /* most end here */
            strcmp(renamed[i].type, type) == 0 && strcmp(renamed[i].old, old) == 0)
            return &renamed[i];
    return NULL;
}

/* --- failures and results --- */

int stix_lift_fail(const struct stix_lifting *l, int code, const char *rule, const char *path,
                   const char *message)
{
    struct isg_fail place;
    if (!l->in_bundle)
        return isg_fail_at(l->why, code, path, rule, "%s", message);
    (void)isg_fail(&place, code, "/objects/%zu%s", l->index, path);
    return isg_fail_at(l->why, code, place.text, rule, "%s", message);
}

int stix_lift_give(struct stix_lifting *l, const struct isg_buf *text, unsigned notes)
{
    if (text->err != ISG_OK)
        return isg_fail(l->why, text->err, "no memory for a lifted object");
    struct stix_lifted lifted = {isg_buf_str(text), l->index, notes};
    return l->emit(l->arg, &lifted, l->why);
}

/* --- one object --- */

/* What happens to the property that markings may point at. */
struct moved {
    const char *old;
    const char *now; /* NULL: left out */
};

struct object {
    struct stix_lifting *l;
    const struct stix_json *from;
    struct isg_str type;
    struct moved moved; /* old is NULL when nothing is */
    struct stix_container *container;
    struct isg_jsonw w;
};

static void put_value(struct isg_jsonw *w, const char *name, const struct stix_json *value)
{
    isg_jsonw_name(w, name);
    isg_jsonw_raw(w, ISG_STR(""));
    stix_json_canon(value, w->out);
}

static bool is_list_of(const struct stix_json *list, const char *word)
{
    return word != NULL && stix_json_size(list) == 1 &&
           isg_str_is(stix_json_str(stix_json_at(list, 0)), word);
}

/* S-134; labels beside a type list are labels already. */
static struct moved find_moved(const struct stix_json *from, struct isg_str type)
{
    const struct stix_json *labels = stix_json_get(from, "labels");
    for (size_t i = 0; i < sizeof labelled / sizeof labelled[0]; i++)
        if (isg_str_is(type, labelled[i].type) && labels != NULL &&
            !stix_json_has(from, labelled[i].types))
            return (struct moved){"labels",
                                  is_list_of(labels, labelled[i].empty) ? NULL : labelled[i].types};
    return (struct moved){NULL, NULL};
}

/* A selector whose first component moved; false when it points at nothing now (S-075). */
static bool put_selector(const struct object *o, struct isg_str selector, struct isg_jsonw *w)
{
    struct isg_str rest = selector;
    struct isg_str first = selector;
    struct isg_buf text;
    (void)isg_str_split(&rest, '.', &first);
    if (o->moved.old == NULL || !isg_str_is(first, o->moved.old)) {
        isg_jsonw_str(w, selector);
        return true;
    }
    if (o->moved.now == NULL)
        return false;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    isg_buf_puts(&text, o->moved.now);
    if (o->container == NULL) /* the list of references stands for all that is below */
        isg_buf_put_str(&text, isg_str_from(selector, first.n));
    if (text.err != ISG_OK)
        w->out->err = text.err;
    isg_jsonw_str(w, isg_buf_str(&text));
    isg_buf_done(&text);
    return true;
}

/* One granular marking with its selectors; false when none is left. */
static bool put_granular(const struct object *o, const struct stix_json *marking,
                         struct isg_buf *out)
{
    const struct stix_json *selectors = stix_json_get(marking, "selectors");
    struct stix_json_walk walk;
    struct isg_jsonw w;
    bool any = stix_json_size(selectors) == 0;
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    stix_json_walk(marking, &walk);
    while (stix_json_next(&walk)) {
        if (strcmp(walk.name, "selectors") != 0 || stix_json_type(selectors) != STIX_JSON_LIST) {
            put_value(&w, walk.name, walk.value);
            continue;
        }
        isg_jsonw_name(&w, "selectors");
        isg_jsonw_list(&w);
        for (size_t i = 0; i < stix_json_size(selectors); i++)
            any = put_selector(o, stix_json_str(stix_json_at(selectors, i)), &w) || any;
        isg_jsonw_end(&w);
    }
    isg_jsonw_end(&w);
    return any;
}

static void put_granulars(struct object *o, const struct stix_json *markings)
{
    struct isg_buf one;
    bool any = false;
    isg_buf_init(&one, ISG_BUF_NO_MAX);
    for (size_t i = 0; i < stix_json_size(markings); i++) {
        isg_buf_reset(&one);
        if (!put_granular(o, stix_json_at(markings, i), &one))
            continue;
        if (!any) {
            isg_jsonw_name(&o->w, "granular_markings");
            isg_jsonw_list(&o->w);
        }
        any = true;
        if (one.err != ISG_OK)
            o->w.out->err = one.err;
        isg_jsonw_raw(&o->w, isg_buf_str(&one));
    }
    if (any)
        isg_jsonw_end(&o->w);
    isg_buf_done(&one);
}

/* S-136: in 2.1 syntax where the pattern can be read, else marked as of 2.0. */
static void put_pattern(struct object *o, struct isg_str pattern)
{
    struct isg_buf text;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    int err = stix_lift_pattern(pattern, &text, NULL);
    if (err == ISG_ENOMEM)
        o->w.out->err = err;
    if (err != ISG_OK)
        o->l->notes |= STIX_LIFT_PATTERN_OLD;
    isg_jsonw_put_str(&o->w, "pattern", err == ISG_OK ? isg_buf_str(&text) : pattern);
    isg_jsonw_put(&o->w, "pattern_type", "stix");
    isg_jsonw_put(&o->w, "pattern_version", err == ISG_OK ? "2.1" : "2.0");
    isg_buf_done(&text);
}

/* An indicator whose pattern is a STIX pattern of no version that it names. */
static bool has_20_pattern(const struct object *o)
{
    bool stix = !stix_json_has(o->from, "pattern_type") ||
                isg_str_is(stix_json_get_str(o->from, "pattern_type"), "stix");
    return isg_str_is(o->type, "indicator") && stix &&
           stix_json_get_str(o->from, "pattern").p != NULL &&
           !stix_json_has(o->from, "pattern_version");
}

static void put_other(struct object *o, const char *name, const struct stix_json *value)
{
    bool pattern = strcmp(name, "pattern") == 0;
    if (!has_20_pattern(o) || (!pattern && strcmp(name, "pattern_type") != 0))
        put_value(&o->w, name, value);
    else if (pattern)
        put_pattern(o, stix_json_str(value));
}

static void put_member(struct object *o, const char *name, const struct stix_json *value)
{
    if (strcmp(name, "spec_version") == 0)
        return;
    if (strcmp(name, "type") == 0) {
        isg_jsonw_put_str(&o->w, "type", o->type);
        isg_jsonw_put(&o->w, "spec_version", "2.1");
    } else if (strcmp(name, "granular_markings") == 0 && o->moved.old != NULL &&
               stix_json_type(value) == STIX_JSON_LIST) {
        put_granulars(o, value);
    } else if (o->moved.old == NULL || strcmp(name, o->moved.old) != 0) {
        put_other(o, name, value);
    } else if (o->container != NULL) {
        isg_jsonw_name(&o->w, o->moved.now);
        stix_container_refs(o->container, &o->w);
    } else if (o->moved.now != NULL) {
        put_value(&o->w, o->moved.now, value);
    }
}

/* S-137: a name stands for a family; 2.0 knows no samples. */
static void put_family(struct object *o)
{
    if (!isg_str_is(o->type, "malware") || stix_json_has(o->from, "is_family"))
        return;
    isg_jsonw_put_bool(&o->w, "is_family", stix_json_has(o->from, "name"));
    o->l->notes |= STIX_LIFT_FAMILY;
}

static int write_object(struct object *o)
{
    struct isg_buf text;
    struct stix_json_walk walk;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    isg_jsonw_init(&o->w, &text);
    isg_jsonw_object(&o->w);
    stix_json_walk(o->from, &walk);
    while (stix_json_next(&walk))
        put_member(o, walk.name, walk.value);
    put_family(o);
    isg_jsonw_end(&o->w);
    int err = stix_lift_give(o->l, &text, o->l->notes);
    isg_buf_done(&text);
    return err;
}

static int give_text(struct stix_lifting *l, const char *json)
{
    struct stix_lifted lifted = {isg_str_of(json), l->index, 0};
    return l->emit(l->arg, &lifted, l->why);
}

static int give_unchanged(struct stix_lifting *l, const struct stix_json *object)
{
    struct isg_buf text;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    stix_json_canon(object, &text);
    int err = stix_lift_give(l, &text, 0);
    isg_buf_done(&text);
    return err;
}

/* The frozen text of one of the four TLP objects (S-140); NULL when this claims another level. */
static const char *frozen_tlp(const struct stix_json *object)
{
    struct isg_str id = stix_json_get_str(object, "id");
    struct isg_str level = stix_json_get_str(stix_json_get(object, "definition"), "tlp");
    const char *frozen = stix_tlp_object(id);
    bool same = isg_str_is(stix_json_get_str(object, "definition_type"), "tlp") && level.n > 0 &&
                stix_tlp_of_name(level) == stix_tlp_of_marking(id);
    return same && frozen != NULL ? frozen : NULL;
}

static int lift_20(struct stix_lifting *l, const struct stix_json *object, struct isg_str type)
{
    struct object o = {.l = l, .from = object, .type = type, .moved = find_moved(object, type)};
    const struct stix_json *objects = stix_json_get(object, "objects");
    const char *frozen = isg_str_is(type, "marking-definition") ? frozen_tlp(object) : NULL;
    int err = ISG_OK;
    l->notes = 0;
    if (frozen != NULL)
        return give_text(l, frozen);
    if (isg_str_is(type, "observed-data") && stix_json_type(objects) == STIX_JSON_OBJECT &&
        stix_json_size(objects) > 0 && !stix_json_has(object, "object_refs")) {
        o.moved = (struct moved){"objects", "object_refs"};
        err = stix_container_lift(l, object, &o.container);
    }
    if (err == ISG_OK)
        err = write_object(&o);
    stix_container_free(&o.container);
    return err;
}

static int lift_object(struct stix_lifting *l, const struct stix_json *object)
{
    struct isg_str type = stix_json_get_str(object, "type");
    if (stix_json_type(object) != STIX_JSON_OBJECT)
        return stix_lift_fail(l, ISG_EINVAL, "S-023", "", "a STIX object is a JSON object");
    if (type.p == NULL)
        return stix_lift_fail(l, ISG_EINVAL, "S-023", "/type", "type is missing or no string");
    if (isg_str_is(type, "bundle"))
        return stix_lift_fail(l, ISG_EINVAL, "S-086", "", "a bundle does not stand inside another");
    return stix_is_20(object) ? lift_20(l, object, type) : give_unchanged(l, object);
}

/* --- bundles --- */

int stix_lift(const struct stix_json *value, stix_lift_emit *emit, void *arg, struct isg_fail *why)
{
    struct stix_lifting l = {.emit = emit, .arg = arg, .why = why};
    const struct stix_json *objects = stix_json_get(value, "objects");
    int err = ISG_OK;
    if (!isg_str_is(stix_json_get_str(value, "type"), "bundle"))
        return lift_object(&l, value);
    if (stix_json_has(value, "objects") && stix_json_type(objects) != STIX_JSON_LIST)
        return isg_fail_at(why, ISG_EINVAL, "/objects", "S-086", "objects is not a list");
    l.in_bundle = true;
    for (size_t i = 0; i < stix_json_size(objects) && err == ISG_OK; i++) {
        l.index = i;
        err = lift_object(&l, stix_json_at(objects, i));
    }
    return err;
}
