#include "feeds/csv_columns.h"

#include <stdio.h>
#include <string.h>

#include "stix/json.h"

enum { NAME_MAX_BYTES = 64, POSITION_MAX = 256, DAYS_MAX = 3650, PATH_MAX_BYTES = 160 };

struct reading {
    struct isg_arena *arena;
    struct csv_profile *profile;
    struct isg_fail *why;
};

static const char *const role_names[CSV_ROLES] = {
    [CSV_VALUE] = "value",
    [CSV_PORT] = "port",
    [CSV_END] = "end",
    [CSV_PREFIX] = "prefix",
    [CSV_TYPE] = "type",
    [CSV_FIRST] = "first_seen",
    [CSV_LAST] = "last_seen",
    [CSV_EXPIRES] = "expires",
    [CSV_STATUS] = "status",
    [CSV_CONFIDENCE] = "confidence",
    [CSV_MALWARE] = "malware",
    [CSV_MALWARE_KEY] = "malware_key",
    [CSV_ALIASES] = "aliases",
    [CSV_MALWARE_URL] = "malware_url",
    [CSV_COMPROMISED] = "compromised",
    [CSV_RECORD] = "record",
    [CSV_URL] = "url",
    [CSV_REFERENCE] = "reference",
    [CSV_LABEL] = "label",
    [CSV_TAGS] = "tags",
};

static int refuse(const struct reading *r, const char *a, const char *b, const char *text)
{
    char path[PATH_MAX_BYTES];
    (void)snprintf(path, sizeof path, "/%s%s%.100s", a, b != NULL ? "/" : "", b != NULL ? b : "");
    return isg_fail_at(r->why, ISG_EINVAL, path, NULL, "%s", text);
}

static const char *copy_of(const struct reading *r, struct isg_str text)
{
    return isg_arena_copy(r->arena, text);
}

/* ---- one setting each: value is there, name is its own --------------------------------------- */

typedef int setting_read(struct reading *r, const char *name, const struct stix_json *value);

static bool is_slug(struct isg_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\0' || strchr("abcdefghijklmnopqrstuvwxyz0123456789-", text.p[i]) == NULL)
            return false;
    }
    return text.n > 0 && text.n <= NAME_MAX_BYTES;
}

static int read_name(struct reading *r, const char *name, const struct stix_json *value)
{
    if (!is_slug(stix_json_str(value)))
        return refuse(r, name, NULL, "lower-case letters, digits and '-', at most 64");
    r->profile->slug = copy_of(r, stix_json_str(value));
    return ISG_OK;
}

/* A text of at least one character, without control characters. */
static int read_text(struct reading *r, const char *name, const struct stix_json *value,
                     const char **out)
{
    struct isg_str text = stix_json_str(value);
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] < 0x20)
            text.n = 0;
    }
    if (text.n == 0)
        return refuse(r, name, NULL, "a text is due");
    *out = copy_of(r, text);
    return ISG_OK;
}

static int read_organisation(struct reading *r, const char *name, const struct stix_json *value)
{
    return read_text(r, name, value, &r->profile->organisation);
}

static int read_home(struct reading *r, const char *name, const struct stix_json *value)
{
    return read_text(r, name, value, &r->profile->home);
}

static int read_comments(struct reading *r, const char *name, const struct stix_json *value)
{
    return read_text(r, name, value, &r->profile->comments);
}

static int read_sign(struct reading *r, const char *name, const struct stix_json *value, char *out)
{
    struct isg_str text = stix_json_str(value);
    while (text.n > 1 &&
           text.p[text.n - 1] == ' ') /* blanks behind a delimiter are skipped anyway */
        text.n--;
    if (text.n != 1 || text.p[0] == '"' || text.p[0] == '\n' || text.p[0] == '\r')
        return refuse(r, name, NULL, "one character is due, and no quote");
    *out = text.p[0];
    return ISG_OK;
}

static int read_delimiter(struct reading *r, const char *name, const struct stix_json *value)
{
    return read_sign(r, name, value, &r->profile->delimiter);
}

static int read_tail(struct reading *r, const char *name, const struct stix_json *value)
{
    return read_sign(r, name, value, &r->profile->tail);
}

static int read_number(struct reading *r, const char *name, const struct stix_json *value,
                       int64_t most, int64_t *out)
{
    if (!stix_json_int(value, out) || *out < 0 || *out > most) {
        char text[64];
        (void)snprintf(text, sizeof text, "a number from 0 to %lld is due", (long long)most);
        return refuse(r, name, NULL, text);
    }
    return ISG_OK;
}

static int read_width(struct reading *r, const char *name, const struct stix_json *value)
{
    int64_t n = 0;
    int err = read_number(r, name, value, POSITION_MAX, &n);
    r->profile->columns = (unsigned)n;
    return err;
}

static int read_confidence(struct reading *r, const char *name, const struct stix_json *value)
{
    int64_t n = 0;
    int err = read_number(r, name, value, 100, &n);
    r->profile->confidence = (int)n;
    return err;
}

static int read_days(struct reading *r, const char *name, const struct stix_json *value)
{
    int64_t n = 0;
    int err = read_number(r, name, value, DAYS_MAX, &n);
    r->profile->valid_days = (unsigned)n;
    return err;
}

static int read_marking(struct reading *r, const char *name, const struct stix_json *value)
{
    r->profile->marking = stix_tlp_of_name(stix_json_str(value));
    if (stix_tlp_marking_id(r->profile->marking) == NULL)
        return refuse(r, name, NULL, "clear, green, amber, amber+strict or red");
    return ISG_OK;
}

/* One of two words; true for the second. */
static int read_choice(struct reading *r, const char *name, const struct stix_json *value,
                       const char *const words[2], bool *out)
{
    char text[64];
    *out = isg_str_is(stix_json_str(value), words[1]);
    if (*out || isg_str_is(stix_json_str(value), words[0]))
        return ISG_OK;
    (void)snprintf(text, sizeof text, "%s or %s", words[0], words[1]);
    return refuse(r, name, NULL, text);
}

static int read_form(struct reading *r, const char *name, const struct stix_json *value)
{
    static const char *const words[2] = {"table", "list"};
    bool list = false;
    int err = read_choice(r, name, value, words, &list);
    r->profile->form = list ? CSV_LIST : CSV_TABLE;
    return err;
}

static int read_state(struct reading *r, const char *name, const struct stix_json *value)
{
    static const char *const words[2] = {"window", "full"};
    return read_choice(r, name, value, words, &r->profile->full_state);
}

static int read_type(struct reading *r, const char *name, const struct stix_json *value)
{
    if (!ioc_kind_find(stix_json_str(value), &r->profile->kind))
        return refuse(r, name, NULL, "no type of indicators has this name");
    return ISG_OK;
}

static int read_types(struct reading *r, const char *name, const struct stix_json *value)
{
    struct stix_json_walk walk;
    size_t n = 0;
    if (stix_json_type(value) != STIX_JSON_OBJECT || stix_json_size(value) > CSV_WORDS)
        return refuse(r, name, NULL, "an object of at most 32 members is due");
    stix_json_walk(value, &walk);
    while (stix_json_next(&walk)) {
        struct csv_word *word = &r->profile->word[n++];
        if (!ioc_kind_find(stix_json_str(walk.value), &word->kind))
            return refuse(r, name, walk.name, "no type of indicators has this name");
        word->text = copy_of(r, isg_str_of(walk.name));
    }
    return ISG_OK;
}

/* Texts joined by '|'; NULL when one is empty or holds that sign. */
static const char *joined(const struct reading *r, const struct stix_json *value)
{
    struct isg_buf text;
    bool list = stix_json_type(value) == STIX_JSON_LIST;
    size_t n = list ? stix_json_size(value) : 1;
    bool good = n > 0;
    isg_buf_init(&text, 1 << 20);
    for (size_t i = 0; i < n; i++) {
        struct isg_str one = stix_json_str(list ? stix_json_at(value, i) : value);
        good = good && one.n > 0 && isg_str_find(one, '|') == SIZE_MAX;
        isg_buf_puts(&text, i > 0 ? "|" : "");
        isg_buf_put_str(&text, one);
    }
    const char *copy = good && text.err == ISG_OK ? copy_of(r, isg_buf_str(&text)) : NULL;
    isg_buf_done(&text);
    return copy;
}

/* A format of times, or a list of them. */
static int read_formats(struct reading *r, const char *name, const struct stix_json *value)
{
    bool list = stix_json_type(value) == STIX_JSON_LIST;
    size_t n = list ? stix_json_size(value) : 1;
    bool good = n > 0 && n <= CSV_TIMES;
    for (size_t i = 0; good && i < n; i++) {
        struct isg_str format = stix_json_str(list ? stix_json_at(value, i) : value);
        good = csv_time_format_is_good(format);
        r->profile->time[i] = copy_of(r, format);
    }
    return good ? ISG_OK
                : refuse(r, name, NULL, "one to four formats such as %d.%m.%Y %H:%M are due");
}

static int read_zone(struct reading *r, const char *name, const struct stix_json *value)
{
    if (csv_zone_read(stix_json_str(value), &r->profile->zone))
        return ISG_OK;
    return refuse(r, name, NULL, "an offset such as +02:00, or UTC");
}

static int read_columns(struct reading *r, const char *name, const struct stix_json *value)
{
    struct stix_json_walk walk;
    size_t n = 0;
    if (stix_json_type(value) != STIX_JSON_OBJECT || stix_json_size(value) >= CSV_COLUMNS)
        return refuse(r, name, NULL, "an object is due: role and column");
    stix_json_walk(value, &walk);
    while (stix_json_next(&walk)) {
        struct csv_column *column = &r->profile->column[n++];
        int64_t position = 0;
        size_t role = 0;
        while (role < CSV_ROLES && strcmp(role_names[role], walk.name) != 0)
            role++;
        if (role == CSV_ROLES)
            return refuse(r, name, walk.name, "no such role");
        column->role = (enum csv_role)role;
        bool by_position = stix_json_int(walk.value, &position);
        if (by_position && (position < 1 || position > POSITION_MAX))
            return refuse(r, name, walk.name, "positions count from 1 to 256");
        column->position = (unsigned)position;
        column->names = by_position ? "" : joined(r, walk.value);
        if (column->names == NULL)
            return refuse(r, name, walk.name, "a name of the header, several, or a position");
    }
    return ISG_OK;
}

static int read_filters(struct reading *r, const char *name, const struct stix_json *value,
                        bool leave_out)
{
    struct stix_json_walk walk;
    size_t n = 0;
    while (n < CSV_FILTERS && r->profile->filter[n].name != NULL)
        n++;
    if (stix_json_type(value) != STIX_JSON_OBJECT || stix_json_size(value) > CSV_FILTERS - n)
        return refuse(r, name, NULL, "an object is due: column and values; at most 8 in all");
    stix_json_walk(value, &walk);
    while (stix_json_next(&walk)) {
        struct csv_filter *filter = &r->profile->filter[n++];
        filter->name = copy_of(r, isg_str_of(walk.name));
        filter->values = joined(r, walk.value);
        filter->leave_out = leave_out;
        if (filter->values == NULL)
            return refuse(r, name, walk.name, "a value, or a list of values");
    }
    return ISG_OK;
}

static int read_only(struct reading *r, const char *name, const struct stix_json *value)
{
    return read_filters(r, name, value, false);
}

static int read_not(struct reading *r, const char *name, const struct stix_json *value)
{
    return read_filters(r, name, value, true);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    setting_read *read;
} settings[] = {
    {"name", read_name},
    {"organisation", read_organisation},
    {"home", read_home},
    {"form", read_form},
    {"delimiter", read_delimiter},
    {"comments", read_comments},
    {"tail", read_tail},
    {"width", read_width},
    {"type", read_type},
    {"types", read_types},
    {"columns", read_columns},
    {"only", read_only},
    {"not", read_not},
    {"marking", read_marking},
    {"confidence", read_confidence},
    {"valid_days", read_days},
    {"time", read_formats},
    {"zone", read_zone},
    {"state", read_state},
};

static int read_setting(struct reading *r, const char *name, const struct stix_json *value)
{
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        if (strcmp(settings[i].name, name) == 0)
            return settings[i].read(r, name, value);
    }
    return refuse(r, name, NULL, "no such setting");
}

static int check_whole(const struct reading *r)
{
    struct csv_profile *profile = r->profile;
    bool has_value = false;
    for (const struct csv_column *c = profile->column; c->names != NULL; c++)
        has_value = has_value || c->role == CSV_VALUE;
    if (profile->slug == NULL)
        return refuse(r, "name", NULL, "is missing");
    if (!has_value && profile->form == CSV_TABLE)
        return refuse(r, "columns", "value", "is missing");
    if (profile->column[0].names == NULL)
        profile->column[0] = (struct csv_column){CSV_VALUE, "value", 1};
    if (profile->home == NULL)
        profile->home = "";
    return ISG_OK;
}

int csv_columns_read(struct isg_str json, struct isg_arena *arena, const struct csv_profile **out,
                     struct isg_fail *why)
{
    struct stix_json *tree = NULL;
    struct stix_json_walk walk;
    struct reading r = {arena, isg_arena_alloc(arena, sizeof *r.profile), why};
    if (r.profile == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    *r.profile = (struct csv_profile){
        .format = "csv", .delimiter = ',', .marking = STIX_TLP_AMBER, .confidence = -1};
    int err = stix_json_parse(json, NULL, &tree, why);
    if (err == ISG_OK && stix_json_type(tree) != STIX_JSON_OBJECT)
        err = isg_fail(why, ISG_EINVAL, "the description of a table is an object");
    stix_json_walk(tree, &walk);
    while (err == ISG_OK && stix_json_next(&walk))
        err = read_setting(&r, walk.name, walk.value);
    if (err == ISG_OK)
        err = check_whole(&r);
    stix_json_free(&tree);
    if (err == ISG_OK)
        *out = r.profile;
    return err;
}
