/* The only file with json-c. Trees are its objects; they are not changed after the parse. */
#include "stix/json.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "stix/lex.h"

static const double INT_LIMIT = 9007199254740991.0; /* 2^53-1 */

/* json-c takes no const values, also where it only reads. */
static struct json_object *inner(const struct stix_json *value)
{
    union {
        const struct stix_json *borrowed;
        struct json_object *object;
    } same = {value};
    return same.object;
}

static const struct stix_json *outer(const struct json_object *object)
{
    return (const struct stix_json *)object;
}

/*
 * Names of a tree's members, one behind the other, so that json-c need not keep a copy of each: a
 * third of all allocations. They end with the root.
 */
struct names_block {
    struct names_block *next;
    size_t used;
    size_t size;
    char bytes[];
};

static void free_names(struct json_object *root, void *blocks)
{
    (void)root;
    for (struct names_block *block = blocks, *next; block != NULL; block = next) {
        next = block->next;
        free(block);
    }
}

/* A NUL-terminated copy, or NULL. The first block is small: most trees are. */
static const char *keep_name(struct names_block **blocks, struct isg_str name)
{
    enum { FIRST_BYTES = 480, LAST_BYTES = 64 * 1024 };
    struct names_block *block = *blocks;
    if (block == NULL || block->size - block->used <= name.n) {
        size_t size = block == NULL ? FIRST_BYTES : 2 * block->size;
        size = size < LAST_BYTES ? size : LAST_BYTES;
        size = size > name.n ? size : name.n + 1;
        block = malloc(sizeof *block + size);
        if (block == NULL)
            return NULL;
        *block = (struct names_block){.next = *blocks, .size = size};
        *blocks = block;
    }
    char *copy = block->bytes + block->used;
    memcpy(copy, name.p, name.n);
    copy[name.n] = '\0';
    block->used += name.n + 1;
    return copy;
}

/*
 * The tree is built from the scan's values. json-c's own reader is not used: without memory it
 * drops members, cuts strings or crashes and calls it success. Of its makers each failure is seen.
 */
struct build {
    struct stix_sink sink; /* the first member: a sink is a build */
    struct json_object *root;
    struct names_block *kept; /* names of the tree */
    struct isg_buf name;      /* of the value that comes next */
    struct isg_buf text;      /* without escapes */
    const char *const *names; /* of the members that are wanted; NULL: of all */
    bool skip;                /* the member that comes next is not */
    bool large;               /* there was a number beyond INT_LIMIT */
};

static struct build *build_of(struct stix_sink *sink)
{
    return (struct build *)sink;
}

/* The text of a string as written, NUL-terminated; false without memory. */
static bool unescaped(struct isg_buf *room, struct isg_str raw)
{
    isg_buf_reset(room);
    stix_lex_unescape(raw, room);
    isg_buf_put(room, "", 0); /* the NUL also of an empty one */
    return room->err == ISG_OK;
}

static bool is_wanted(const char *const *names, const char *name)
{
    for (; *names != NULL; names++)
        if ((*names)[0] == name[0] && strcmp(*names, name) == 0)
            return true;
    return false;
}

static bool take_name(struct stix_sink *sink, struct isg_str raw)
{
    struct build *b = build_of(sink);
    bool good = unescaped(&b->name, raw);
    b->skip = good && b->names != NULL && !is_wanted(b->names, b->name.p);
    return good;
}

/* The build itself stands for a container that is not wanted, and for all within it. */
static bool is_skipped(const struct build *b, struct json_object *parent)
{
    return (const void *)parent == b ||
           (b->skip && parent != NULL && json_object_is_type(parent, json_type_object));
}

/* json-c would lose the name when the table cannot grow: it is made to grow before. */
static bool has_room(struct json_object *object)
{
    struct lh_table *table = json_object_get_object(object);
    return table->count < table->size * LH_LOAD_FACTOR ||
           (table->size < INT_MAX / 2 && lh_table_resize(table, table->size * 2) == 0);
}

static bool attach_member(struct build *b, struct json_object *parent, struct json_object *value)
{
    const unsigned options = JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_ADD_CONSTANT_KEY;
    const char *name = has_room(parent) ? keep_name(&b->kept, isg_buf_str(&b->name)) : NULL;
    return name != NULL && json_object_object_add_ex(parent, name, value, options) == 0;
}

/* Put a value where it stands; the tree has it then. */
static bool attach(struct build *b, struct json_object *parent, struct json_object *value)
{
    bool good = true;
    if (parent == NULL)
        b->root = value;
    else if (json_object_is_type(parent, json_type_array))
        good = json_object_array_add(parent, value) == 0;
    else
        good = attach_member(b, parent, value);
    if (!good)
        (void)json_object_put(value);
    return good;
}

/*
 * The outermost object mostly has more members than json-c's tables begin with; to move them is
 * dear. Up to this size malloc keeps a table for the next object.
 */
static struct json_object *new_object(bool is_root)
{
    enum { MANY = 25 };
    struct json_object *object = json_object_new_object();
    if (is_root && object != NULL)
        (void)lh_table_resize(json_object_get_object(object), MANY);
    return object;
}

static void *open_container(struct stix_sink *sink, void *parent, bool is_object)
{
    enum { FEW = 4 };
    if (is_skipped(build_of(sink), parent))
        return sink;
    struct json_object *value =
        is_object ? new_object(parent == NULL) : json_object_new_array_ext(FEW);
    return value != NULL && attach(build_of(sink), parent, value) ? value : NULL;
}

static struct json_object *string_of(struct build *b, struct isg_str raw)
{
    if (memchr(raw.p, '\\', raw.n) == NULL)
        return json_object_new_string_len(raw.p, (int)raw.n);
    return unescaped(&b->text, raw) ? json_object_new_string_len(b->text.p, (int)b->text.len)
                                    : NULL;
}

static struct json_object *number_of(struct build *b, struct isg_str text)
{
    int64_t integer;
    double number;
    if (isg_str_to_i64(text, &integer))
        return json_object_new_int64(integer);
    isg_buf_reset(&b->text);
    if (stix_number_read(text, &b->text, &number) != ISG_OK)
        return NULL;
    b->large = b->large || !(fabs(number) <= INT_LIMIT);
    return json_object_new_double(number);
}

static bool take_leaf(struct stix_sink *sink, void *parent, struct isg_str text)
{
    struct build *b = build_of(sink);
    struct json_object *value;
    if (is_skipped(b, parent))
        return true;
    switch (text.p[0]) {
    case 'n': return attach(b, parent, NULL);
    case 't': value = json_object_new_boolean(1); break;
    case 'f': value = json_object_new_boolean(0); break;
    case '"': value = string_of(b, (struct isg_str){text.p + 1, text.n - 2}); break;
    default: value = number_of(b, text); break;
    }
    return value != NULL && attach(b, parent, value);
}

static int parse(struct isg_str text, const struct stix_limits *limits, struct build *b,
                 struct stix_json **out_tree, struct isg_fail *why)
{
    if (text.n > INT_MAX)
        return isg_fail_at(why, ISG_ELIMIT, "", "limit", "text of %zu bytes", text.n);
    b->sink = (struct stix_sink){take_name, open_container, take_leaf};
    isg_buf_init(&b->name, ISG_BUF_NO_MAX);
    isg_buf_init(&b->text, ISG_BUF_NO_MAX);
    int err = stix_scan_into(text, limits, &b->sink, why);
    isg_buf_done(&b->name);
    isg_buf_done(&b->text);
    if (b->root != NULL && b->kept != NULL)
        json_object_set_userdata(b->root, b->kept, free_names);
    if (err == ISG_OK)
        *out_tree = (struct stix_json *)b->root;
    else
        (void)json_object_put(b->root);
    return err;
}

int stix_json_parse_named(struct isg_str text, const struct stix_limits *limits,
                          const char *const *names, struct stix_json **out_tree,
                          struct isg_fail *why)
{
    struct build b = {.names = names};
    return parse(text, limits, &b, out_tree, why);
}

int stix_json_parse_large(struct isg_str text, const struct stix_limits *limits,
                          struct stix_json **out_tree, bool *out_large, struct isg_fail *why)
{
    struct build b = {.root = NULL};
    int err = parse(text, limits, &b, out_tree, why);
    *out_large = b.large;
    return err;
}

int stix_json_parse(struct isg_str text, const struct stix_limits *limits,
                    struct stix_json **out_tree, struct isg_fail *why)
{
    return stix_json_parse_named(text, limits, NULL, out_tree, why);
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
