/*
 * What only a bundle can show of an object: markings that mark each other (S-072), and whether a
 * translation has the shape of the object it translates (S-076).
 */
#include <stdlib.h>
#include <string.h>

#include "stix/base/time.h"
#include "stix/check_private.h"
#include "stix/id.h"

enum color { WHITE, GREY, BLACK };

struct element {
    struct isg_str id;
    struct isg_str modified; /* empty when absent or no timestamp */
    const struct stix_json *object;
    size_t index;
    enum color color;
    size_t next_ref; /* where the walk of its references stands */
};

struct within {
    struct stix_checking *c;
    struct element *all; /* by id, versions in order */
    size_t n;
    struct element **path; /* of the walk through markings */
};

static int by_version(const void *left, const void *right)
{
    const struct element *a = left;
    const struct element *b = right;
    int order = stix_id_cmp(a->id, b->id);
    if (order == 0 && (a->modified.n == 0 || b->modified.n == 0))
        return (a->modified.n > 0) - (b->modified.n > 0);
    return order != 0 ? order : isg_time_cmp(a->modified, b->modified);
}

/* The version of this modified; the latest when it is empty; NULL when it is not here. */
static struct element *find(const struct within *w, struct isg_str id, struct isg_str modified)
{
    struct element key = {.id = id, .modified = modified};
    size_t low = 0;
    size_t high = w->n;
    while (low < high) { /* the first that comes after what is sought */
        size_t mid = low + (high - low) / 2;
        int order = stix_id_cmp(w->all[mid].id, id);
        if (order == 0 && modified.n > 0)
            order = by_version(&w->all[mid], &key);
        if (order <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    struct element *found = low > 0 ? &w->all[low - 1] : NULL;
    bool same = found != NULL && stix_id_cmp(found->id, id) == 0 &&
                (modified.n == 0 || by_version(found, &key) == 0);
    return same ? found : NULL;
}

/* --- circles of markings (S-072) --- */

/* Reference i of a marking to a marking, false behind the last. */
static bool ref_at(const struct stix_json *object, size_t i, struct isg_str *out_ref)
{
    const struct stix_json *refs = stix_json_get(object, "object_marking_refs");
    const struct stix_json *granular = stix_json_get(object, "granular_markings");
    size_t whole = stix_json_type(refs) == STIX_JSON_LIST ? stix_json_size(refs) : 0;
    size_t parts = stix_json_type(granular) == STIX_JSON_LIST ? stix_json_size(granular) : 0;
    if (i < whole)
        *out_ref = stix_json_str(stix_json_at(refs, i));
    else if (i < whole + parts)
        *out_ref = stix_json_get_str(stix_json_at(granular, i - whole), "marking_ref");
    return i < whole + parts;
}

static bool is_marking(const struct stix_json *object)
{
    return isg_str_is(stix_json_get_str(object, "type"), "marking-definition");
}

static void found_circle(const struct within *w, const struct element *element)
{
    struct stix_place list = {w->c->root, "objects", 0};
    struct stix_place here = {&list, NULL, element->index};
    stix_found(w->c, STIX_ERROR, "S-072", &here, "a marking marks itself through others");
}

/* Follow references from one marking, depth first, without recursion. */
static void walk_markings(const struct within *w, struct element *start)
{
    size_t depth = 0;
    w->path[depth++] = start;
    start->color = GREY;
    while (depth > 0) {
        struct element *top = w->path[depth - 1];
        struct isg_str ref;
        if (!ref_at(top->object, top->next_ref++, &ref)) {
            top->color = BLACK;
            depth--;
            continue;
        }
        struct element *to = ref.p != NULL && stix_id_cmp(ref, top->id) != 0
                                 ? find(w, ref, (struct isg_str){0})
                                 : NULL;
        if (to == NULL || !is_marking(to->object))
            continue;
        if (to->color == GREY)
            found_circle(w, top);
        if (to->color == WHITE) {
            to->color = GREY;
            w->path[depth++] = to;
        }
    }
}

/* --- translations (S-076) --- */

static void check_shape(struct stix_checking *c, const struct stix_json *original,
                        const struct stix_json *translation, const struct stix_place *at)
{
    enum stix_json_type type = stix_json_type(original);
    struct stix_json_walk walk;
    if (type != stix_json_type(translation) ||
        (type == STIX_JSON_LIST && stix_json_size(original) != stix_json_size(translation))) {
        stix_found(c, STIX_ERROR, "S-076", at,
                   "the translation has not the shape of what it translates");
        return;
    }
    for (size_t i = 0; type == STIX_JSON_LIST && i < stix_json_size(original); i++) {
        struct stix_place here = {at, NULL, i};
        check_shape(c, stix_json_at(original, i), stix_json_at(translation, i), &here);
    }
    stix_json_walk(translation, &walk);
    while (stix_json_next(&walk)) {
        struct stix_place here = {at, walk.name, 0};
        if (stix_json_has(original, walk.name))
            check_shape(c, stix_json_get(original, walk.name), walk.value, &here);
        else
            stix_found(c, STIX_WARNING, "S-076", &here,
                       "the object in this bundle has no such property");
    }
}

static void check_translations(const struct within *w, const struct element *content)
{
    const struct stix_json *contents = stix_json_get(content->object, "contents");
    struct isg_str modified = stix_json_get_str(content->object, "object_modified");
    struct isg_str ref = stix_json_get_str(content->object, "object_ref");
    struct stix_place list = {w->c->root, "objects", 0};
    struct stix_place object = {&list, NULL, content->index};
    struct stix_place at = {&object, "contents", 0};
    struct stix_json_walk walk;
    int64_t us;
    if (ref.p == NULL || (modified.n > 0 && !isg_time_parse(modified, &us)))
        return;
    const struct element *original = find(w, ref, modified);
    if (original == NULL)
        return;
    stix_json_walk(contents, &walk);
    while (stix_json_next(&walk)) {
        struct stix_place here = {&at, walk.name, 0};
        if (stix_json_type(walk.value) == STIX_JSON_OBJECT)
            check_shape(w->c, original->object, walk.value, &here);
    }
}

/* --- the bundle --- */

static void collect(struct within *w, const struct stix_json *objects)
{
    for (size_t i = 0; i < stix_json_size(objects); i++) {
        const struct stix_json *object = stix_json_at(objects, i);
        struct element element = {.id = stix_json_get_str(object, "id"),
                                  .modified = stix_json_get_str(object, "modified"),
                                  .object = object,
                                  .index = i};
        int64_t us;
        if (element.id.p == NULL)
            continue;
        if (!isg_time_parse(element.modified, &us))
            element.modified = (struct isg_str){NULL, 0};
        w->all[w->n++] = element;
    }
    qsort(w->all, w->n, sizeof *w->all, by_version);
}

static void check_elements(const struct within *w)
{
    for (size_t i = 0; i < w->n; i++) {
        struct element *element = &w->all[i];
        if (is_marking(element->object) && element->color == WHITE)
            walk_markings(w, element);
        if (isg_str_is(stix_json_get_str(element->object, "type"), "language-content"))
            check_translations(w, element);
    }
}

void stix_check_within(struct stix_checking *c, const struct stix_json *bundle)
{
    const struct stix_json *objects = stix_json_get(bundle, "objects");
    size_t size = stix_json_type(objects) == STIX_JSON_LIST ? stix_json_size(objects) : 0;
    struct within w = {.c = c};
    if (size < 2)
        return;
    w.all = calloc(size, sizeof *w.all);
    w.path = calloc(size, sizeof(void *));
    if (w.all != NULL && w.path != NULL) {
        collect(&w, objects);
        check_elements(&w);
    } else {
        c->err = ISG_ENOMEM;
    }
    free(w.all);
    free(w.path);
}
