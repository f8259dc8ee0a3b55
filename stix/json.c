/*
 * The tree of a JSON text, built from the values that the scan meets. All of a tree lives in one
 * arena, so that it costs a few allocations and is freed at once.
 */
#include "stix/json.h"

#include <math.h>
#include <string.h>

#include "stix/base/arena.h"
#include "stix/lex.h"
#include "stix/names.h"

enum {
    FEW_MEMBERS = 24,  /* found one by one; an object with more has a table */
    TABLE_LEAST = 128, /* slots; a power of two */
    FEW_ELEMENTS = 4   /* that a list has room for at first */
};

static const double INT_LIMIT = 9007199254740991.0; /* 2^53-1 */

/* Members of an object are linked in document order. */
struct members {
    size_t count;
    struct stix_json *first;
    struct stix_json *last;
    struct stix_json **slots; /* NULL while there are few; by the names' hashes, NULL is free */
    size_t mask;              /* number of slots - 1 */
};

struct elements {
    size_t count;
    size_t room;
    struct stix_json **all;
};

struct stix_json {
    enum stix_json_type type;
    const char *name;       /* of a member, without escapes */
    struct stix_json *next; /* member of the same object */
    union {
        bool truth;
        int64_t integer;
        double number;
        struct isg_str text; /* without escapes, NUL-terminated */
        struct members object;
        struct elements list;
    };
};

/* The value at the top knows the memory of the whole tree. */
struct root {
    struct stix_json value; /* the first member: a root is a value */
    struct isg_arena *arena;
};

/* ---- building ------------------------------------------------------------------------------- */

struct build {
    struct stix_sink sink; /* the first member: a sink is a build */
    struct isg_arena *arena;
    struct stix_json *root;
    const char *name;    /* of the member that comes next */
    struct isg_buf text; /* without escapes */
};

static struct build *build_of(struct stix_sink *sink)
{
    return (struct build *)sink;
}

/* The text of a string as written, in the arena; p NULL without memory. */
static struct isg_str kept(struct build *b, struct isg_str raw)
{
    if (raw.n > 0 && memchr(raw.p, '\\', raw.n) != NULL) {
        isg_buf_reset(&b->text);
        stix_lex_unescape(raw, &b->text);
        if (b->text.err != ISG_OK)
            return (struct isg_str){NULL, 0};
        raw = isg_buf_str(&b->text);
    }
    return (struct isg_str){isg_arena_copy(b->arena, raw), raw.n};
}

static bool take_name(struct stix_sink *sink, struct isg_str raw)
{
    struct build *b = build_of(sink);
    b->name = kept(b, raw).p;
    return b->name != NULL;
}

/* The slot of a name: where its member is, or would go. */
static struct stix_json **slot_of(const struct members *members, const char *name)
{
    size_t at = (size_t)stix_names_hash(isg_str_of(name)) & members->mask;
    while (members->slots[at] != NULL && strcmp(members->slots[at]->name, name) != 0)
        at = (at + 1) & members->mask;
    return &members->slots[at];
}

/* Four slots a member when made, two when it is time for the next. */
static bool make_table(struct build *b, struct members *members)
{
    size_t size = TABLE_LEAST;
    while (size < 4 * members->count)
        size *= 2;
    members->slots = isg_arena_alloc(b->arena, size * sizeof(struct stix_json *));
    members->mask = size - 1;
    for (struct stix_json *m = members->first; members->slots != NULL && m != NULL; m = m->next)
        *slot_of(members, m->name) = m;
    return members->slots != NULL;
}

static bool add_member(struct build *b, struct members *members, struct stix_json *value)
{
    value->name = b->name;
    *(members->last != NULL ? &members->last->next : &members->first) = value;
    members->last = value;
    members->count++;
    if (members->count <= FEW_MEMBERS)
        return true;
    if (members->slots == NULL || members->count > members->mask / 2)
        return make_table(b, members);
    *slot_of(members, value->name) = value;
    return true;
}

static bool add_element(struct build *b, struct elements *list, struct stix_json *value)
{
    if (list->count == list->room) {
        size_t room = list->room == 0 ? FEW_ELEMENTS : list->room * 2;
        struct stix_json **all = isg_arena_alloc(b->arena, room * sizeof(struct stix_json *));
        if (all == NULL)
            return false;
        if (list->count > 0)
            memcpy(all, list->all, list->count * sizeof(struct stix_json *));
        list->all = all;
        list->room = room;
    }
    list->all[list->count++] = value;
    return true;
}

/* A new value, where it stands; NULL without memory. */
static struct stix_json *add(struct build *b, struct stix_json *parent, enum stix_json_type type)
{
    size_t size = parent == NULL ? sizeof(struct root) : sizeof(struct stix_json);
    struct stix_json *value = isg_arena_alloc(b->arena, size);
    if (value == NULL)
        return NULL;
    value->type = type;
    if (parent == NULL)
        b->root = value;
    else if (!(parent->type == STIX_JSON_LIST ? add_element(b, &parent->list, value)
                                              : add_member(b, &parent->object, value)))
        return NULL;
    return value;
}

static void *open_container(struct stix_sink *sink, void *parent, bool is_object)
{
    return add(build_of(sink), parent, is_object ? STIX_JSON_OBJECT : STIX_JSON_LIST);
}

static bool take_string(struct build *b, struct stix_json *parent, struct isg_str raw)
{
    struct isg_str text = kept(b, raw);
    struct stix_json *value = text.p != NULL ? add(b, parent, STIX_JSON_STRING) : NULL;
    if (value != NULL)
        value->text = text;
    return value != NULL;
}

static bool take_bool(struct build *b, struct stix_json *parent, bool truth)
{
    struct stix_json *value = add(b, parent, STIX_JSON_BOOL);
    if (value != NULL)
        value->truth = truth;
    return value != NULL;
}

static bool take_number(struct build *b, struct stix_json *parent, struct isg_str text)
{
    int64_t integer;
    bool whole = isg_str_to_i64(text, &integer);
    struct stix_json *value = add(b, parent, whole ? STIX_JSON_INT : STIX_JSON_FLOAT);
    if (value == NULL)
        return false;
    if (whole) {
        value->integer = integer;
        return true;
    }
    isg_buf_reset(&b->text);
    return stix_number_read(text, &b->text, &value->number) == ISG_OK;
}

static bool take_leaf(struct stix_sink *sink, void *parent, struct isg_str text)
{
    struct build *b = build_of(sink);
    switch (text.p[0]) {
    case 'n': return add(b, parent, STIX_JSON_NULL) != NULL;
    case 't': return take_bool(b, parent, true);
    case 'f': return take_bool(b, parent, false);
    case '"': return take_string(b, parent, (struct isg_str){text.p + 1, text.n - 2});
    default: return take_number(b, parent, text);
    }
}

/* JSON's null is NULL to the world. */
static struct stix_json *outer(struct stix_json *value)
{
    return value != NULL && value->type != STIX_JSON_NULL ? value : NULL;
}

int stix_json_parse(struct isg_str text, const struct stix_limits *limits,
                    struct stix_json **out_tree, struct isg_fail *why)
{
    struct build b = {.sink = {take_name, open_container, take_leaf}};
    b.arena = isg_arena_new(ISG_BUF_NO_MAX);
    if (b.arena == NULL)
        return isg_fail(why, ISG_ENOMEM, "out of memory");
    isg_buf_init(&b.text, ISG_BUF_NO_MAX);
    int err = stix_scan_into(text, limits, &b.sink, why);
    isg_buf_done(&b.text);
    struct stix_json *tree = err == ISG_OK ? outer(b.root) : NULL;
    if (tree != NULL)
        ((struct root *)tree)->arena = b.arena;
    else
        isg_arena_free(&b.arena);
    if (err == ISG_OK)
        *out_tree = tree;
    return err;
}

void stix_json_free(struct stix_json **tree)
{
    if (*tree != NULL) {
        struct isg_arena *arena = ((struct root *)*tree)->arena;
        isg_arena_free(&arena);
    }
    *tree = NULL;
}

/* ---- reading -------------------------------------------------------------------------------- */

static bool is(const struct stix_json *value, enum stix_json_type type)
{
    return value != NULL && value->type == type;
}

enum stix_json_type stix_json_type(const struct stix_json *value)
{
    return value != NULL ? value->type : STIX_JSON_NULL;
}

static struct stix_json *member(const struct stix_json *value, const char *name)
{
    if (!is(value, STIX_JSON_OBJECT))
        return NULL;
    if (value->object.slots != NULL)
        return *slot_of(&value->object, name);
    struct stix_json *m = value->object.first;
    while (m != NULL && (m->name[0] != name[0] || strcmp(m->name, name) != 0))
        m = m->next;
    return m;
}

const struct stix_json *stix_json_get(const struct stix_json *value, const char *name)
{
    return outer(member(value, name));
}

bool stix_json_has(const struct stix_json *value, const char *name)
{
    return member(value, name) != NULL;
}

size_t stix_json_size(const struct stix_json *value)
{
    if (is(value, STIX_JSON_LIST))
        return value->list.count;
    return is(value, STIX_JSON_OBJECT) ? value->object.count : 0;
}

const struct stix_json *stix_json_at(const struct stix_json *value, size_t i)
{
    if (!is(value, STIX_JSON_LIST) || i >= value->list.count)
        return NULL;
    return outer(value->list.all[i]);
}

struct isg_str stix_json_str(const struct stix_json *value)
{
    return is(value, STIX_JSON_STRING) ? value->text : (struct isg_str){NULL, 0};
}

struct isg_str stix_json_get_str(const struct stix_json *value, const char *name)
{
    return stix_json_str(stix_json_get(value, name));
}

bool stix_json_int(const struct stix_json *value, int64_t *out)
{
    if (is(value, STIX_JSON_INT)) {
        *out = value->integer;
        return true;
    }
    if (!is(value, STIX_JSON_FLOAT))
        return false;
    double number = value->number;
    if (!(fabs(number) <= INT_LIMIT) || trunc(number) < number || trunc(number) > number)
        return false;
    *out = (int64_t)number;
    return true;
}

bool stix_json_float(const struct stix_json *value, double *out)
{
    if (is(value, STIX_JSON_FLOAT))
        *out = value->number;
    else if (is(value, STIX_JSON_INT))
        *out = (double)value->integer;
    else
        return false;
    return true;
}

bool stix_json_bool(const struct stix_json *value)
{
    return is(value, STIX_JSON_BOOL) && value->truth;
}

void stix_json_walk(const struct stix_json *object, struct stix_json_walk *walk)
{
    *walk = (struct stix_json_walk){NULL, NULL, NULL};
    if (is(object, STIX_JSON_OBJECT))
        walk->next = object->object.first;
}

bool stix_json_next(struct stix_json_walk *walk)
{
    const struct stix_json *m = walk->next;
    if (m == NULL)
        return false;
    walk->name = m->name;
    walk->value = m->type != STIX_JSON_NULL ? m : NULL;
    walk->next = m->next;
    return true;
}
