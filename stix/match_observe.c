/*
 * Observations: an observed-data with the objects it holds (the old container) or names
 * (object_refs), its interval and its number of occurrences (S-039, S-123, S-125). Observables
 * without any observed-data are observations that say nothing of time.
 */
#include <stdlib.h>
#include <string.h>

#include "stix/base/time.h"
#include "stix/id.h"
#include "stix/match_private.h"
#include "stix/types.h"

/* Where in the input: an element of the list, and of its bundle. */
struct place {
    size_t element; /* NONE: the input is no list */
    size_t inner;   /* NONE: the element itself */
};

/* An object outside containers; its bundle's number tells those of one name apart. */
struct pooled {
    struct isg_str id; /* {NULL, 0}: it has none */
    struct place at;
    const struct stix_json *value;
};

struct found {
    const struct stix_json *observed;
    struct place at;
};

struct reader {
    struct stix_matching *m;
    struct pooled *pool;
    size_t pool_n;
    struct found *found;
    size_t found_n;
};

static const size_t NONE = SIZE_MAX;

/* Refuse what is at a place, or its member of this name. */
static bool refuse(const struct reader *r, struct place at, const char *name, const char *text)
{
    struct isg_buf path;
    isg_buf_init(&path, 128);
    if (at.element != NONE)
        isg_buf_printf(&path, "/%zu", at.element);
    if (at.inner != NONE)
        isg_buf_printf(&path, "/objects/%zu", at.inner);
    if (name != NULL)
        isg_buf_printf(&path, "/%s", name);
    if (r->m->err == ISG_OK)
        r->m->err = path.err != ISG_OK
                        ? isg_fail(r->m->why, path.err, "no memory")
                        : isg_fail_at(r->m->why, ISG_EINVAL, path.len > 0 ? path.p : "", "S-039",
                                      "%s", text);
    isg_buf_done(&path);
    return false;
}

/* --- what is there --- */

/* Patterns speak of observables: what the standard says is something else is not seen. */
static bool is_observable(const struct stix_json *value)
{
    struct isg_str type = stix_json_get_str(value, "type");
    enum stix_kind kind = type.p != NULL ? stix_type_kind(type) : STIX_KIND_SDO;
    return kind == STIX_KIND_SCO || kind == STIX_KIND_UNKNOWN;
}

static bool is_typed(const struct stix_json *value, const char *type)
{
    return isg_str_is(stix_json_get_str(value, "type"), type);
}

/* {"0":{"type":...}}: what 2.0 calls observable objects, without an observed-data around. */
static bool is_container(const struct stix_json *value)
{
    struct stix_json_walk walk;
    bool any = false;
    stix_json_walk(value, &walk);
    while (stix_json_next(&walk)) {
        if (stix_json_get_str(walk.value, "type").p == NULL)
            return false;
        any = true;
    }
    return any;
}

static bool is_observed(const struct stix_json *value)
{
    return is_typed(value, "observed-data") || is_container(value) ||
           stix_json_type(stix_json_get(value, "objects")) == STIX_JSON_OBJECT;
}

/* One object, of the input or of a bundle in it. */
static bool collect(struct reader *r, const struct stix_json *value, struct place at)
{
    struct isg_str id = stix_json_get_str(value, "id");
    if (stix_json_type(value) != STIX_JSON_OBJECT)
        return refuse(r, at, NULL, "an observation is an object");
    if (is_typed(value, "bundle"))
        return refuse(r, at, NULL, "a bundle is in no bundle");
    if (is_observed(value))
        r->found[r->found_n++] = (struct found){value, at};
    else if (at.inner == NONE && !is_observable(value))
        return refuse(r, at, "type", "an observation is an observed-data, a bundle or observables");
    else
        r->pool[r->pool_n++] = (struct pooled){id, at, value};
    return true;
}

/* The objects of a bundle or envelope; NULL of anything else. */
static const struct stix_json *bundled(const struct stix_json *value)
{
    const struct stix_json *objects = stix_json_get(value, "objects");
    bool list = stix_json_type(objects) == STIX_JSON_LIST;
    return list && !is_typed(value, "observed-data") ? objects : NULL;
}

static size_t element_size(const struct stix_json *element)
{
    const struct stix_json *objects = bundled(element);
    return objects != NULL ? stix_json_size(objects) : 1;
}

static bool collect_element(struct reader *r, const struct stix_json *element, size_t number)
{
    const struct stix_json *objects = bundled(element);
    struct place at = {number, NONE};
    if (objects == NULL && is_typed(element, "bundle"))
        return !stix_json_has(element, "objects") ||
               refuse(r, at, "objects", "the objects of a bundle are a list");
    if (objects == NULL)
        return collect(r, element, at);
    for (at.inner = 0; at.inner < stix_json_size(objects); at.inner++)
        if (!collect(r, stix_json_at(objects, at.inner), at))
            return false;
    return true;
}

static int by_id(const void *a, const void *b)
{
    const struct pooled *x = a;
    const struct pooled *y = b;
    int order = stix_id_cmp(x->id, y->id);
    if (order != 0)
        return order;
    return (x->at.element > y->at.element) - (x->at.element < y->at.element);
}

static bool collect_all(struct reader *r, const struct stix_json *observations)
{
    bool list = stix_json_type(observations) == STIX_JSON_LIST;
    size_t n = list ? stix_json_size(observations) : 1;
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += element_size(list ? stix_json_at(observations, i) : observations);
    r->pool = stix_matching_alloc(r->m, total + 1, sizeof *r->pool);
    r->found = stix_matching_alloc(r->m, total + 1, sizeof *r->found);
    if (r->pool == NULL || r->found == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!collect_element(r, list ? stix_json_at(observations, i) : observations,
                             list ? i : NONE))
            return false;
    qsort(r->pool, r->pool_n, sizeof *r->pool, by_id);
    return true;
}

/* The object of this id: of the same bundle when that has one, else of any. */
static const struct stix_json *pool_find(const struct reader *r, struct isg_str id, size_t element)
{
    size_t low = 0;
    size_t high = r->pool_n;
    const struct stix_json *any = NULL;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (stix_id_cmp(r->pool[middle].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < r->pool_n && stix_id_cmp(r->pool[low].id, id) == 0; low++) {
        any = r->pool[low].value;
        if (r->pool[low].at.element == element || !stix_matching_work(r->m, 1))
            break;
    }
    return any;
}

/* --- one observation --- */

static void show(struct stix_observation *o, struct isg_str name, const struct stix_json *value)
{
    if (is_observable(value))
        o->objects[o->n++] = (struct stix_visible){name, stix_json_get_str(value, "type"), value};
}

static int by_name(const void *a, const void *b)
{
    return stix_id_cmp(((const struct stix_visible *)a)->name,
                       ((const struct stix_visible *)b)->name);
}

/* A name twice would count for nothing. */
static void sort_visible(struct stix_observation *o)
{
    size_t n = 0;
    qsort(o->objects, o->n, sizeof *o->objects, by_name);
    for (size_t i = 0; i < o->n; i++)
        if (n == 0 || stix_id_cmp(o->objects[n - 1].name, o->objects[i].name) != 0)
            o->objects[n++] = o->objects[i];
    o->n = n;
}

static bool read_objects(struct reader *r, const struct found *found, struct stix_observation *o)
{
    const struct stix_json *observed = found->observed;
    const struct stix_json *container = stix_json_get(observed, "objects");
    const struct stix_json *refs = stix_json_get(observed, "object_refs");
    struct stix_json_walk walk;
    if (is_container(observed))
        container = observed;
    else if (container == NULL && refs == NULL)
        return refuse(r, found->at, NULL, "an observation needs objects or object_refs");
    if (container != NULL && stix_json_type(container) != STIX_JSON_OBJECT)
        return refuse(r, found->at, "objects", "the objects of an observed-data are an object");
    if (refs != NULL && stix_json_type(refs) != STIX_JSON_LIST)
        return refuse(r, found->at, "object_refs", "object_refs is a list");
    size_t most = stix_json_size(container) + stix_json_size(refs);
    o->objects = stix_matching_alloc(r->m, most + 1, sizeof *o->objects);
    if (o->objects == NULL)
        return false;
    stix_json_walk(container, &walk);
    while (stix_json_next(&walk))
        show(o, isg_str_of(walk.name), walk.value);
    for (size_t i = 0; i < stix_json_size(refs); i++) {
        struct isg_str id = stix_json_str(stix_json_at(refs, i));
        const struct stix_json *value = id.n > 0 ? pool_find(r, id, found->at.element) : NULL;
        if (value != NULL)
            show(o, id, value);
    }
    sort_visible(o);
    o->roots = o->objects;
    o->roots_n = o->n;
    return r->m->err == ISG_OK;
}

static bool read_time(struct reader *r, const struct found *found, const char *name,
                      struct isg_str *out)
{
    int64_t us;
    *out = stix_json_get_str(found->observed, name);
    return isg_time_parse(*out, &us) ||
           refuse(r, found->at, name, "an observation needs first_observed and last_observed");
}

static bool read_times(struct reader *r, const struct found *found, struct stix_observation *o)
{
    if (is_container(found->observed))
        return true; /* no one says when */
    if (!read_time(r, found, "first_observed", &o->first_text) ||
        !read_time(r, found, "last_observed", &o->last_text))
        return false;
    if (isg_time_cmp(o->first_text, o->last_text) > 0)
        return refuse(r, found->at, "last_observed", "an observation ends before it begins");
    return true;
}

static bool read_observation(struct reader *r, const struct found *found,
                             struct stix_observation *o)
{
    const struct stix_json *count = stix_json_get(found->observed, "number_observed");
    o->count = 1;
    if (stix_json_has(found->observed, "number_observed") &&
        (!stix_json_int(count, &o->count) || o->count < 1))
        return refuse(r, found->at, "number_observed",
                      "number_observed is an integer greater than zero");
    return read_times(r, found, o) && read_objects(r, found, o);
}

/*
 * Observables that stand in the list, not in a bundle, and no observed-data anywhere: each is an
 * observation of its own, and all that are there are what references lead to.
 */
static bool read_bare(struct reader *r, struct stix_scene *scene)
{
    struct stix_observation all = {0};
    all.objects = stix_matching_alloc(r->m, r->pool_n + 1, sizeof *all.objects);
    struct stix_visible *roots = stix_matching_alloc(r->m, r->pool_n + 1, sizeof *roots);
    scene->list = stix_matching_alloc(r->m, r->pool_n + 1, sizeof *scene->list);
    if (all.objects == NULL || roots == NULL || scene->list == NULL)
        return false;
    for (size_t i = 0; i < r->pool_n; i++) {
        show(&all, r->pool[i].id, r->pool[i].value);
        if (r->pool[i].at.inner == NONE)
            roots[scene->n++] = all.objects[all.n - 1];
    }
    sort_visible(&all);
    for (size_t i = 0; i < scene->n; i++)
        scene->list[i] = (struct stix_observation){
            .objects = all.objects, .n = all.n, .roots = &roots[i], .roots_n = 1, .count = 1};
    return true;
}

static bool read_observed(struct reader *r, struct stix_scene *scene)
{
    scene->n = r->found_n;
    scene->list = stix_matching_alloc(r->m, scene->n + 1, sizeof *scene->list);
    for (size_t i = 0; i < scene->n && r->m->err == ISG_OK; i++)
        (void)read_observation(r, &r->found[i], &scene->list[i]);
    return r->m->err == ISG_OK;
}

/* --- times --- */

static int by_instant(const void *a, const void *b)
{
    return isg_time_cmp(((const struct stix_instant *)a)->text,
                        ((const struct stix_instant *)b)->text);
}

static const struct stix_instant *instant_of(const struct stix_scene *scene, struct isg_str text)
{
    const struct stix_instant key = {.text = text};
    return bsearch(&key, scene->times, scene->times_n, sizeof key, by_instant);
}

/* Two texts of each observation that says when it was; false of the first that does not. */
static bool put_times(struct stix_scene *scene)
{
    bool all = true;
    for (size_t i = 0; i < scene->n; i++) {
        const struct stix_observation *o = &scene->list[i];
        all = all && o->first_text.p != NULL;
        if (o->first_text.p == NULL)
            continue;
        scene->times[scene->times_n++].text = o->first_text;
        scene->times[scene->times_n++].text = o->last_text;
    }
    return all;
}

static bool rank_times(struct stix_matching *m, struct stix_scene *scene)
{
    size_t n = 0;
    scene->times = stix_matching_alloc(m, 2 * scene->n + 1, sizeof *scene->times);
    if (scene->times == NULL)
        return false;
    scene->untimed = !put_times(scene);
    qsort(scene->times, scene->times_n, sizeof *scene->times, by_instant);
    for (size_t i = 0; i < scene->times_n; i++)
        if (n == 0 || by_instant(&scene->times[n - 1], &scene->times[i]) != 0) {
            scene->times[n] = scene->times[i];
            (void)isg_time_parse(scene->times[n].text, &scene->times[n].us);
            n++;
        }
    scene->times_n = n;
    for (size_t i = 0; i < scene->n; i++) {
        struct stix_observation *o = &scene->list[i];
        if (o->first_text.p == NULL)
            continue;
        o->first = (size_t)(instant_of(scene, o->first_text) - scene->times);
        o->last = (size_t)(instant_of(scene, o->last_text) - scene->times);
    }
    return true;
}

int stix_scene_read(struct stix_matching *m, const struct stix_json *observations,
                    struct stix_scene *out)
{
    struct reader r = {.m = m};
    struct stix_scene scene = {0};
    if (!collect_all(&r, observations))
        return m->err;
    bool read = r.found_n > 0 ? read_observed(&r, &scene) : read_bare(&r, &scene);
    if (read && rank_times(m, &scene))
        *out = scene;
    return m->err;
}

const struct stix_visible *stix_observation_find(const struct stix_observation *observation,
                                                 struct isg_str name)
{
    const struct stix_visible key = {.name = name};
    return bsearch(&key, observation->objects, observation->n, sizeof key, by_name);
}
