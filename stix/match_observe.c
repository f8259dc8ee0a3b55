/*
 * Observations: an observed-data with the objects it holds (the old container) or names
 * (object_refs), its interval and its number of occurrences (S-039, S-123, S-125).
 */
#include <stdlib.h>
#include <string.h>

#include "stix/base/time.h"
#include "stix/match_private.h"
#include "stix/types.h"

/* An object outside containers; its bundle's number tells those of one name apart. */
struct pooled {
    struct isg_str id;
    size_t bundle;
    const struct stix_json *value;
};

struct found {
    const struct stix_json *observed;
    size_t bundle;
};

struct reader {
    struct stix_matching *m;
    struct pooled *pool;
    size_t pool_n;
    struct found *found;
    size_t found_n;
};

static bool refuse(struct stix_matching *m, const char *rule, const char *text)
{
    return stix_matching_fail(m, ISG_EINVAL, rule, text);
}

/* --- what is there --- */

static bool is_observed(const struct stix_json *value)
{
    return isg_str_is(stix_json_get_str(value, "type"), "observed-data") ||
           stix_json_type(stix_json_get(value, "objects")) == STIX_JSON_OBJECT;
}

static void collect(struct reader *r, const struct stix_json *value, size_t bundle)
{
    struct isg_str id = stix_json_get_str(value, "id");
    if (is_observed(value))
        r->found[r->found_n++] = (struct found){value, bundle};
    else if (id.p != NULL)
        r->pool[r->pool_n++] = (struct pooled){id, bundle, value};
}

static const struct stix_json *bundled(const struct stix_json *value)
{
    const struct stix_json *objects = stix_json_get(value, "objects");
    return stix_json_type(objects) == STIX_JSON_LIST ? objects : NULL;
}

static size_t element_size(const struct stix_json *element)
{
    const struct stix_json *objects = bundled(element);
    return objects != NULL ? stix_json_size(objects) : 1;
}

static bool collect_element(struct reader *r, const struct stix_json *element, size_t bundle)
{
    const struct stix_json *objects = bundled(element);
    if (stix_json_type(element) != STIX_JSON_OBJECT)
        return refuse(r->m, "S-039", "an observation is an observed-data or a bundle");
    if (objects == NULL) {
        if (isg_str_is(stix_json_get_str(element, "type"), "bundle"))
            return true; /* an empty one */
        collect(r, element, bundle);
        return true;
    }
    for (size_t i = 0; i < stix_json_size(objects); i++)
        if (stix_json_type(stix_json_at(objects, i)) == STIX_JSON_OBJECT)
            collect(r, stix_json_at(objects, i), bundle);
    return true;
}

static int by_id(const void *a, const void *b)
{
    const struct pooled *x = a;
    const struct pooled *y = b;
    int order = isg_str_cmp(x->id, y->id);
    if (order != 0)
        return order;
    return (x->bundle > y->bundle) - (x->bundle < y->bundle);
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
        if (!collect_element(r, list ? stix_json_at(observations, i) : observations, i))
            return false;
    qsort(r->pool, r->pool_n, sizeof *r->pool, by_id);
    return true;
}

/* The object of this id: of the same bundle when that has one, else of any. */
static const struct stix_json *pool_find(const struct reader *r, struct isg_str id, size_t bundle)
{
    size_t low = 0;
    size_t high = r->pool_n;
    const struct stix_json *any = NULL;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (isg_str_cmp(r->pool[middle].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < r->pool_n && isg_str_eq(r->pool[low].id, id); low++) {
        any = r->pool[low].value;
        if (r->pool[low].bundle == bundle || !stix_matching_work(r->m, 1))
            break;
    }
    return any;
}

/* --- one observation --- */

/* Patterns speak of observables: what the standard says is something else is not seen. */
static bool is_observable(struct isg_str type)
{
    enum stix_kind kind = stix_type_kind(type);
    return kind == STIX_KIND_SCO || kind == STIX_KIND_UNKNOWN;
}

static void show(struct stix_observation *o, struct isg_str name, const struct stix_json *value)
{
    struct isg_str type = stix_json_get_str(value, "type");
    if (type.p != NULL && is_observable(type))
        o->objects[o->n++] = (struct stix_visible){name, type, value};
}

static int by_name(const void *a, const void *b)
{
    return isg_str_cmp(((const struct stix_visible *)a)->name,
                       ((const struct stix_visible *)b)->name);
}

/* A name twice would count for nothing. */
static void sort_visible(struct stix_observation *o)
{
    size_t n = 0;
    qsort(o->objects, o->n, sizeof *o->objects, by_name);
    for (size_t i = 0; i < o->n; i++)
        if (n == 0 || !isg_str_eq(o->objects[n - 1].name, o->objects[i].name))
            o->objects[n++] = o->objects[i];
    o->n = n;
}

static bool read_objects(struct reader *r, const struct found *found, struct stix_observation *o)
{
    const struct stix_json *container = stix_json_get(found->observed, "objects");
    const struct stix_json *refs = stix_json_get(found->observed, "object_refs");
    struct stix_json_walk walk;
    if (stix_json_type(refs) != STIX_JSON_LIST)
        refs = NULL;
    size_t most = stix_json_size(container) + stix_json_size(refs);
    o->objects = stix_matching_alloc(r->m, most + 1, sizeof *o->objects);
    if (o->objects == NULL)
        return false;
    stix_json_walk(container, &walk);
    while (stix_json_next(&walk))
        show(o, isg_str_of(walk.name), walk.value);
    for (size_t i = 0; i < stix_json_size(refs); i++) {
        struct isg_str id = stix_json_str(stix_json_at(refs, i));
        const struct stix_json *value = pool_find(r, id, found->bundle);
        if (id.p != NULL && value != NULL)
            show(o, id, value);
    }
    sort_visible(o);
    return r->m->err == ISG_OK;
}

static bool read_times(struct reader *r, const struct stix_json *observed,
                       struct stix_observation *o)
{
    int64_t us;
    o->first_text = stix_json_get_str(observed, "first_observed");
    o->last_text = stix_json_get_str(observed, "last_observed");
    if (!isg_time_parse(o->first_text, &us) || !isg_time_parse(o->last_text, &us))
        return refuse(r->m, "S-039", "an observation needs first_observed and last_observed");
    if (isg_time_cmp(o->first_text, o->last_text) > 0)
        return refuse(r->m, "S-039", "an observation ends before it begins");
    return true;
}

static bool read_observation(struct reader *r, const struct found *found,
                             struct stix_observation *o)
{
    const struct stix_json *count = stix_json_get(found->observed, "number_observed");
    o->count = 1;
    if (stix_json_has(found->observed, "number_observed") &&
        (!stix_json_int(count, &o->count) || o->count < 1))
        return refuse(r->m, "S-039", "number_observed is an integer greater than zero");
    return read_times(r, found->observed, o) && read_objects(r, found, o);
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

static bool rank_times(struct stix_matching *m, struct stix_scene *scene)
{
    size_t n = 0;
    scene->times = stix_matching_alloc(m, 2 * scene->n + 1, sizeof *scene->times);
    if (scene->times == NULL)
        return false;
    for (size_t i = 0; i < scene->n; i++) {
        scene->times[2 * i].text = scene->list[i].first_text;
        scene->times[2 * i + 1].text = scene->list[i].last_text;
    }
    qsort(scene->times, 2 * scene->n, sizeof *scene->times, by_instant);
    for (size_t i = 0; i < 2 * scene->n; i++)
        if (n == 0 || by_instant(&scene->times[n - 1], &scene->times[i]) != 0) {
            scene->times[n] = scene->times[i];
            (void)isg_time_parse(scene->times[n].text, &scene->times[n].us);
            n++;
        }
    scene->times_n = n;
    for (size_t i = 0; i < scene->n; i++) {
        struct stix_observation *o = &scene->list[i];
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
    scene.n = r.found_n;
    scene.list = stix_matching_alloc(m, scene.n + 1, sizeof *scene.list);
    for (size_t i = 0; i < scene.n && m->err == ISG_OK; i++)
        (void)read_observation(&r, &r.found[i], &scene.list[i]);
    if (m->err == ISG_OK && rank_times(m, &scene))
        *out = scene;
    return m->err;
}

const struct stix_visible *stix_observation_find(const struct stix_observation *observation,
                                                 struct isg_str name)
{
    const struct stix_visible key = {.name = name};
    return bsearch(&key, observation->objects, observation->n, sizeof key, by_name);
}
