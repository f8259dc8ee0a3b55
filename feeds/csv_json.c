/*
 * Rows from JSON: a list of objects, an object that holds such a list, or an object a line.
 */
#include <string.h>

#include "feeds/csv.h"
#include "feeds/text.h"
#include "stix/json.h"

/* A value as the text a table would hold; lists of texts with commas between. */
static struct isg_str cell_of(struct isg_arena *arena, const struct stix_json *value)
{
    int64_t number;
    if (stix_json_type(value) == STIX_JSON_BOOL)
        return isg_str_of(stix_json_bool(value) ? "true" : "false");
    if (stix_json_int(value, &number))
        return isg_str_of(isg_arena_printf(arena, "%lld", (long long)number));
    if (stix_json_type(value) != STIX_JSON_LIST) {
        struct isg_str text = stix_json_str(value);
        return (struct isg_str){isg_arena_copy(arena, text), text.n};
    }
    struct isg_buf joined;
    isg_buf_init(&joined, ISG_BUF_NO_MAX);
    for (size_t i = 0; i < stix_json_size(value); i++) {
        struct isg_str item = stix_json_str(stix_json_at(value, i));
        for (size_t k = 0; k < item.n; k++) /* a comma in a tag does not make two of it */
            isg_buf_putc(&joined, (char)(item.p[k] == ',' ? ' ' : item.p[k]));
        isg_buf_putc(&joined, ',');
    }
    struct isg_str out = isg_buf_str(&joined);
    out = (struct isg_str){isg_arena_copy(arena, out), out.n};
    isg_buf_done(&joined);
    return out;
}

static void put_cell(const struct csv_profile *profile, struct isg_arena *arena,
                     const struct stix_json_walk *member, struct csv_row *row)
{
    struct isg_str name = isg_str_of(member->name);
    if (profile->filter[0].name != NULL &&
        !csv_passes(profile, name, cell_of(arena, member->value)))
        row->left_out = true;
    for (const struct csv_column *column = profile->column; column->names != NULL; column++) {
        if (!csv_is_named(column, name))
            continue;
        struct isg_str cell = cell_of(arena, member->value);
        if (!text_is_absent(cell))
            row->cell[column->role] = cell;
    }
}

struct rows {
    const struct csv_profile *profile;
    struct isg_arena *arena;
    csv_take *take;
    void *arg;
    struct isg_fail *why;
    size_t count;
};

static bool has_member(const struct stix_json *object, const char *name)
{
    struct stix_json_walk walk;
    stix_json_walk(object, &walk);
    while (stix_json_next(&walk)) {
        if (isg_str_ieq(isg_str_of(walk.name), isg_str_of(name)))
            return true;
    }
    return false;
}

/* What a record does not say is none of the values that a filter asks for. */
static bool lacks_wanted(const struct csv_profile *profile, const struct stix_json *object)
{
    for (size_t i = 0; i < CSV_FILTERS && profile->filter[i].name != NULL; i++) {
        if (!profile->filter[i].leave_out && !has_member(object, profile->filter[i].name))
            return true;
    }
    return false;
}

static int rows_object(struct rows *rows, const struct stix_json *object)
{
    struct csv_row row = {.line = ++rows->count};
    struct stix_json_walk walk;
    if (stix_json_type(object) != STIX_JSON_OBJECT)
        return isg_fail(rows->why, ISG_EINVAL, "record %zu is no object", row.line);
    stix_json_walk(object, &walk);
    while (stix_json_next(&walk))
        put_cell(rows->profile, rows->arena, &walk, &row);
    row.left_out = row.left_out || lacks_wanted(rows->profile, object);
    return rows->take(rows->arg, &row, rows->why);
}

static int rows_list(struct rows *rows, const struct stix_json *list)
{
    int err = ISG_OK;
    for (size_t i = 0; i < stix_json_size(list) && err == ISG_OK; i++)
        err = rows_object(rows, stix_json_at(list, i));
    return err;
}

/* The first member that is a list of objects, as APIs wrap their answers; NULL if there is none. */
static const struct stix_json *wrapped_list(const struct stix_json *root)
{
    struct stix_json_walk walk;
    stix_json_walk(root, &walk);
    while (stix_json_next(&walk)) {
        if (stix_json_type(walk.value) == STIX_JSON_LIST &&
            stix_json_type(stix_json_at(walk.value, 0)) == STIX_JSON_OBJECT)
            return walk.value;
    }
    return NULL;
}

static bool has_value(const struct csv_profile *profile, const struct stix_json *object)
{
    struct stix_json_walk walk;
    stix_json_walk(object, &walk);
    while (stix_json_next(&walk)) {
        for (const struct csv_column *c = profile->column; c->names != NULL; c++) {
            if (c->role == CSV_VALUE && csv_is_named(c, isg_str_of(walk.name)))
                return true;
        }
    }
    return false;
}

static int rows_root(struct rows *rows, const struct stix_json *root)
{
    if (stix_json_type(root) == STIX_JSON_LIST)
        return rows_list(rows, root);
    if (has_value(rows->profile, root))
        return rows_object(rows, root);
    const struct stix_json *list = wrapped_list(root);
    if (list == NULL)
        return isg_fail(rows->why, ISG_EINVAL, "the answer holds no records");
    return rows_list(rows, list);
}

/* An object a line. A line of a feed that tells about the feed has no value and is passed over. */
static int rows_lines(struct rows *rows, struct isg_str text)
{
    struct isg_str line;
    int err = ISG_OK;
    for (size_t n = 1; err == ISG_OK && isg_str_split(&text, '\n', &line); n++) {
        struct stix_json *object = NULL;
        line = isg_str_trim(line);
        if (line.n == 0)
            continue;
        err = stix_json_parse(line, NULL, &object, rows->why);
        if (err != ISG_OK)
            return isg_fail(rows->why, err, "line %zu is no JSON object", n);
        if (has_value(rows->profile, object) || !stix_json_has(object, "type"))
            err = rows_object(rows, object);
        stix_json_free(&object);
    }
    return err;
}

int csv_read_json(const struct csv_profile *profile, struct isg_arena *arena, struct isg_str text,
                  csv_take *take, void *arg, struct isg_fail *why)
{
    struct rows rows = {profile, arena, take, arg, why, 0};
    struct stix_json *root = NULL;
    struct isg_fail own = {.code = ISG_OK};
    int err = stix_json_parse(text, NULL, &root, &own);
    if (err == ISG_OK)
        err = rows_root(&rows, root);
    else if (err == ISG_EPARSE && text.p[0] == '{')
        err = rows_lines(&rows, text);
    else if (why != NULL)
        *why = own;
    stix_json_free(&root);
    return err;
}
