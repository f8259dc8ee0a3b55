/*
 * A bundle: every object by its own rules, no bundle inside, no version twice (S-086, S-087).
 */
#include <stdlib.h>

#include "stix/base/time.h"
#include "stix/check_private.h"
#include "stix/id.h"

void stix_check_bundle_element(struct stix_checking *c, const struct stix_json *value,
                               const struct stix_place *at)
{
    if (stix_json_type(value) != STIX_JSON_OBJECT) {
        stix_found(c, STIX_ERROR, "S-086", at, "a bundle holds objects only");
        return;
    }
    if (isg_str_is(stix_json_get_str(value, "type"), "bundle")) {
        stix_found(c, STIX_ERROR, "S-086", at, "a bundle does not stand inside another");
        return;
    }
    int err = c->is_20 ? stix_check_object_20(c->report, value, at)
                       : stix_check_object(c->report, value, at);
    if (err != ISG_OK)
        c->err = err;
}

struct version {
    struct isg_str id;
    struct isg_str modified; /* empty when absent or no timestamp */
    size_t index;
};

static int by_version(const void *left, const void *right)
{
    const struct version *a = left;
    const struct version *b = right;
    int order = stix_id_cmp(a->id, b->id);
    if (order == 0 && (a->modified.n == 0 || b->modified.n == 0))
        order = (a->modified.n > 0) - (b->modified.n > 0);
    else if (order == 0)
        order = isg_time_cmp(a->modified, b->modified);
    return order;
}

/* Ties in the order of the bundle, so that the later one is reported. */
static int by_version_then_index(const void *left, const void *right)
{
    const struct version *a = left;
    const struct version *b = right;
    int order = by_version(left, right);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

static size_t collect(const struct stix_json *objects, struct version *out)
{
    size_t n = 0;
    for (size_t i = 0; i < stix_json_size(objects); i++) {
        const struct stix_json *object = stix_json_at(objects, i);
        struct version version = {stix_json_get_str(object, "id"),
                                  stix_json_get_str(object, "modified"), i};
        int64_t us;
        if (version.id.p == NULL)
            continue;
        if (!isg_time_parse(version.modified, &us))
            version.modified = (struct isg_str){NULL, 0};
        out[n++] = version;
    }
    return n;
}

void stix_check_bundle_twice(struct stix_checking *c, const struct stix_json *bundle)
{
    const struct stix_json *objects = stix_json_get(bundle, "objects");
    size_t size = stix_json_type(objects) == STIX_JSON_LIST ? stix_json_size(objects) : 0;
    if (size < 2)
        return;
    struct version *versions = calloc(size, sizeof *versions);
    if (versions == NULL) {
        c->err = ISG_ENOMEM;
        return;
    }
    size_t n = collect(objects, versions);
    qsort(versions, n, sizeof *versions, by_version_then_index);
    struct stix_place list = {c->root, "objects", 0};
    for (size_t i = 1; i < n; i++) {
        struct stix_place here = {&list, NULL, versions[i].index};
        if (by_version(&versions[i - 1], &versions[i]) == 0)
            stix_found(c, STIX_WARNING, "S-087", &here,
                       "the bundle holds this version of this object more than once");
    }
    free(versions);
}
