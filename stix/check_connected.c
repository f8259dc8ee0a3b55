/*
 * The objects of an old container belong together: each is reached from any other through
 * references, in either direction (S-041). Union-find over the keys.
 */
#include <stdlib.h>
#include <string.h>

#include "stix/check_private.h"

struct member {
    const char *key;
    size_t parent;
};

struct members {
    struct member *all; /* sorted by key */
    size_t n;
    size_t groups;
};

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

static bool find(const struct members *m, struct isg_str key, size_t *out_index)
{
    size_t low = 0;
    size_t high = m->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = isg_str_cmp(isg_str_of(m->all[mid].key), key);
        if (order == 0) {
            *out_index = mid;
            return true;
        }
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return false;
}

static size_t root_of(const struct members *m, size_t i)
{
    while (m->all[i].parent != i) {
        m->all[i].parent = m->all[m->all[i].parent].parent;
        i = m->all[i].parent;
    }
    return i;
}

static void join(struct members *m, size_t from, const struct stix_json *ref)
{
    size_t to;
    struct isg_str key = stix_json_str(ref);
    if (key.p == NULL || !find(m, key, &to))
        return;
    size_t a = root_of(m, from);
    size_t b = root_of(m, to);
    if (a != b) {
        m->all[a].parent = b;
        m->groups--;
    }
}

/* Every string below a name that ends in _ref or _refs; extensions have references, too. */
static void join_all(struct members *m, size_t from, const char *name,
                     const struct stix_json *value)
{
    struct isg_str text = isg_str_of(name);
    struct stix_json_walk walk;
    bool refs = isg_str_ends(text, ISG_STR("_refs"));
    if (isg_str_ends(text, ISG_STR("_ref")))
        join(m, from, value);
    for (size_t i = 0; stix_json_type(value) == STIX_JSON_LIST && i < stix_json_size(value); i++) {
        if (refs)
            join(m, from, stix_json_at(value, i));
        else
            join_all(m, from, "", stix_json_at(value, i));
    }
    stix_json_walk(value, &walk);
    while (stix_json_next(&walk))
        join_all(m, from, walk.name, walk.value);
}

static void fill(struct members *m, const struct stix_json *container)
{
    struct stix_json_walk walk;
    size_t i = 0;
    stix_json_walk(container, &walk);
    while (stix_json_next(&walk))
        m->all[i++].key = walk.name;
    qsort(m->all, m->n, sizeof *m->all, by_key);
    for (i = 0; i < m->n; i++)
        m->all[i].parent = i;
    stix_json_walk(container, &walk);
    while (stix_json_next(&walk))
        if (find(m, isg_str_of(walk.name), &i))
            join_all(m, i, "", walk.value);
}

void stix_check_connected(struct stix_checking *c, const struct stix_json *container,
                          const struct stix_place *at)
{
    struct members m = {.n = stix_json_size(container), .groups = stix_json_size(container)};
    if (m.n < 2)
        return;
    m.all = calloc(m.n, sizeof *m.all);
    if (m.all == NULL) {
        c->err = ISG_ENOMEM;
        return;
    }
    fill(&m, container);
    if (m.groups > 1)
        stix_found(c, STIX_ERROR, "S-041", at,
                   "the objects of a container are all connected by references");
    free(m.all);
}
