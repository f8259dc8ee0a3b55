/* The only file with json-c. Trees are its objects; they are not changed after the parse. */
#include "stix/json.h"

#include <limits.h>
#include <math.h>

#include <json-c/json.h>

static const double INT_LIMIT = 9007199254740991.0; /* 2^53-1 */

/* json-c takes no const values, also where it only reads. */
static struct json_object *inner(const struct stix_json *value)
{
    return (struct json_object *)(uintptr_t)value;
}

static const struct stix_json *outer(const struct json_object *object)
{
    return (const struct stix_json *)object;
}

static int parse_fail(enum json_tokener_error error, struct isg_fail *why)
{
    if (error == json_tokener_error_depth || error == json_tokener_error_size)
        return isg_fail_at(why, ISG_ELIMIT, "", "limit", "%s", json_tokener_error_desc(error));
    return isg_fail_at(why, ISG_EPARSE, "", "S-001", "%s", json_tokener_error_desc(error));
}

static int parse_scanned(struct json_tokener *tokener, struct isg_str text,
                         struct stix_json **out_tree, struct isg_fail *why)
{
    struct json_object *object = json_tokener_parse_ex(tokener, text.p, (int)text.n);
    enum json_tokener_error error = json_tokener_get_error(tokener);
    if (error == json_tokener_continue) {
        /* A number at the very end could go on: a blank says that it does not. */
        object = json_tokener_parse_ex(tokener, " ", 1);
        error = json_tokener_get_error(tokener);
    }
    if (error != json_tokener_success)
        return parse_fail(error, why);
    *out_tree = (struct stix_json *)object;
    return ISG_OK;
}

int stix_json_parse(struct isg_str text, const struct stix_limits *limits,
                    struct stix_json **out_tree, struct isg_fail *why)
{
    size_t depth = limits != NULL && limits->depth != 0 ? limits->depth : STIX_DEPTH_DEFAULT;
    int err = stix_scan(text, limits, why);
    if (err != ISG_OK)
        return err;
    if (text.n > INT_MAX || depth > INT_MAX / 2)
        return isg_fail_at(why, ISG_ELIMIT, "", "limit", "text of %zu bytes", text.n);
    struct json_tokener *tokener = json_tokener_new_ex((int)depth + 2);
    if (tokener == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory for the parser");
    err = parse_scanned(tokener, text, out_tree, why);
    json_tokener_free(tokener);
    return err;
}

void stix_json_free(struct stix_json **tree)
{
    (void)json_object_put(inner(*tree));
    *tree = NULL;
}

enum stix_json_type stix_json_type(const struct stix_json *value)
{
    switch (json_object_get_type(inner(value))) {
    case json_type_null: return STIX_JSON_NULL;
    case json_type_boolean: return STIX_JSON_BOOL;
    case json_type_int: return STIX_JSON_INT;
    case json_type_double: return STIX_JSON_FLOAT;
    case json_type_string: return STIX_JSON_STRING;
    case json_type_array: return STIX_JSON_LIST;
    case json_type_object: return STIX_JSON_OBJECT;
    }
    return STIX_JSON_NULL;
}

static bool member(const struct stix_json *value, const char *name, struct json_object **out)
{
    *out = NULL;
    return json_object_is_type(inner(value), json_type_object) &&
           json_object_object_get_ex(inner(value), name, out);
}

const struct stix_json *stix_json_get(const struct stix_json *value, const char *name)
{
    struct json_object *found;
    (void)member(value, name, &found);
    return outer(found);
}

bool stix_json_has(const struct stix_json *value, const char *name)
{
    struct json_object *found;
    return member(value, name, &found);
}

size_t stix_json_size(const struct stix_json *value)
{
    if (json_object_is_type(inner(value), json_type_array))
        return json_object_array_length(inner(value));
    if (json_object_is_type(inner(value), json_type_object))
        return (size_t)json_object_object_length(inner(value));
    return 0;
}

const struct stix_json *stix_json_at(const struct stix_json *value, size_t i)
{
    if (!json_object_is_type(inner(value), json_type_array))
        return NULL;
    return outer(json_object_array_get_idx(inner(value), i));
}

struct isg_str stix_json_str(const struct stix_json *value)
{
    if (!json_object_is_type(inner(value), json_type_string))
        return (struct isg_str){NULL, 0};
    return (struct isg_str){json_object_get_string(inner(value)),
                            (size_t)json_object_get_string_len(inner(value))};
}

struct isg_str stix_json_get_str(const struct stix_json *value, const char *name)
{
    return stix_json_str(stix_json_get(value, name));
}

bool stix_json_int(const struct stix_json *value, int64_t *out)
{
    if (json_object_is_type(inner(value), json_type_int)) {
        *out = json_object_get_int64(inner(value));
        return true;
    }
    if (!json_object_is_type(inner(value), json_type_double))
        return false;
    double number = json_object_get_double(inner(value));
    if (!(fabs(number) <= INT_LIMIT) || trunc(number) < number || trunc(number) > number)
        return false;
    *out = (int64_t)number;
    return true;
}

bool stix_json_float(const struct stix_json *value, double *out)
{
    if (!json_object_is_type(inner(value), json_type_double) &&
        !json_object_is_type(inner(value), json_type_int))
        return false;
    *out = json_object_get_double(inner(value));
    return true;
}

bool stix_json_bool(const struct stix_json *value)
{
    return json_object_is_type(inner(value), json_type_boolean) &&
           json_object_get_boolean(inner(value));
}

void stix_json_walk(const struct stix_json *object, struct stix_json_walk *walk)
{
    *walk = (struct stix_json_walk){NULL, NULL, NULL};
    if (json_object_is_type(inner(object), json_type_object))
        walk->next = lh_table_head(json_object_get_object(inner(object)));
}

bool stix_json_next(struct stix_json_walk *walk)
{
    const struct lh_entry *entry = walk->next;
    if (entry == NULL)
        return false;
    walk->name = entry->k;
    walk->value = entry->v;
    walk->next = entry->next;
    return true;
}
