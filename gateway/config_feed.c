/* A feed outside the configuration file: the same table of settings, read from and written to JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/config_table.h"

enum { NUMBER_TEXT = 24, FAIL_PATH = 192 };

/* The rows of section feeds. */
static const struct setting *feed_rows(size_t *out_count)
{
    size_t section = 0;
    while (strcmp(setting_sections[section].name, "feeds") != 0)
        section++;
    return &setting_rows[setting_first(section, out_count)];
}

static bool is_text(const struct setting *row)
{
    return row->type != SETTING_BOOL && !setting_is_number(row->type);
}

static char *text_at(const struct feed_def *def, const struct setting *row)
{
    char *text;
    memcpy(&text, (const char *)def + row->offset, sizeof text);
    return text;
}

/* A number, or 1 for true. */
static uint32_t number_at(const struct feed_def *def, const struct setting *row)
{
    uint32_t number;
    bool flag;
    if (row->type == SETTING_BOOL) {
        memcpy(&flag, (const char *)def + row->offset, sizeof flag);
        return flag;
    }
    memcpy(&number, (const char *)def + row->offset, sizeof number);
    return number;
}

static void set_number(struct feed_def *def, const struct setting *row, uint32_t number)
{
    bool flag = number != 0;
    if (row->type == SETTING_BOOL)
        memcpy((char *)def + row->offset, &flag, sizeof flag);
    else
        memcpy((char *)def + row->offset, &number, sizeof number);
}

static bool set_text(struct feed_def *def, const struct setting *row, struct isg_str text)
{
    char *copy = strndup(text.p, text.n);
    memcpy((char *)def + row->offset, &copy, sizeof copy);
    return copy != NULL;
}

/* ---- reading -------------------------------------------------------------------------------- */

static int fail_setting(const struct setting *row, const char *wrong, struct isg_fail *why)
{
    char path[FAIL_PATH];
    (void)snprintf(path, sizeof path, "/%s", row->key);
    if (setting_is_number(row->type))
        return isg_fail_at(why, ISG_EINVAL, path, NULL, "%s (%s, %u to %u)", wrong,
                           setting_type_name(row->type), (unsigned)row->min, (unsigned)row->max);
    return isg_fail_at(why, ISG_EINVAL, path, NULL, "%s%s%s%s", wrong,
                       row->choices != NULL ? " (" : "", row->choices != NULL ? row->choices : "",
                       row->choices != NULL ? ")" : "");
}

/* A value as it would stand in the file: a string, or a number, or true and false; empty: absent. */
static struct isg_str written(const struct stix_json *value, char number[NUMBER_TEXT])
{
    int64_t n;
    switch ((int)stix_json_type(value)) {
    case STIX_JSON_BOOL: return isg_str_of(stix_json_bool(value) ? "true" : "false");
    case STIX_JSON_INT:
    case STIX_JSON_FLOAT:
        (void)snprintf(number, NUMBER_TEXT, "%lld", stix_json_int(value, &n) ? (long long)n : -1LL);
        return isg_str_of(number);
    default: return stix_json_str(value);
    }
}

static int read_setting(const struct stix_json *json, const struct setting *row,
                        struct feed_def *out, struct isg_fail *why)
{
    char number[NUMBER_TEXT];
    uint64_t n = 0;
    struct isg_str text = written(stix_json_get(json, row->key), number);
    if (text.n == 0 && row->required)
        return fail_setting(row, "is needed", why);
    if (text.n == 0)
        text = isg_str_of(row->fallback);
    if (text.n == 0)
        return ISG_OK;
    const char *wrong = setting_check(row, text, &n);
    if (wrong == NULL && row->type == SETTING_PATH && text.p[0] != '/')
        wrong = "must be an absolute path";
    if (wrong != NULL)
        return fail_setting(row, wrong, why);
    if (!is_text(row))
        set_number(out, row, (uint32_t)n);
    else if (!set_text(out, row, text))
        return isg_fail(why, ISG_ENOMEM, "no memory");
    return ISG_OK;
}

static bool is_setting(const char *name)
{
    size_t n;
    const struct setting *rows = feed_rows(&n);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(rows[i].key, name) == 0)
            return true;
    }
    return false;
}

static int refuse_unknown(const struct stix_json *json, struct isg_fail *why)
{
    struct stix_json_walk walk;
    char path[FAIL_PATH];
    stix_json_walk(json, &walk);
    while (stix_json_next(&walk)) {
        if (is_setting(walk.name))
            continue;
        (void)snprintf(path, sizeof path, "/%.60s", walk.name);
        return isg_fail_at(why, ISG_EINVAL, path, NULL, "no setting of a feed");
    }
    return ISG_OK;
}

int feed_def_read(const struct stix_json *json, struct feed_def *out, struct isg_fail *why)
{
    size_t n;
    const struct setting *rows = feed_rows(&n);
    struct feed_def def = {.stored = true};
    int err = refuse_unknown(json, why);
    for (size_t i = 0; i < n && err == ISG_OK; i++)
        err = read_setting(json, &rows[i], &def, why);
    const char *wrong = err == ISG_OK ? config_check_feed(&def) : NULL;
    if (wrong != NULL)
        err = isg_fail(why, ISG_EINVAL, "%s", wrong);
    if (err == ISG_OK)
        *out = def;
    else
        feed_def_done(&def);
    return err;
}

/* ---- writing and copying -------------------------------------------------------------------- */

static bool is_default(const struct feed_def *def, const struct setting *row)
{
    uint64_t n = 0;
    if (is_text(row)) {
        const char *text = text_at(def, row);
        return text == NULL || (row->fallback != NULL && strcmp(text, row->fallback) == 0);
    }
    return row->fallback != NULL && setting_check(row, isg_str_of(row->fallback), &n) == NULL &&
           n == number_at(def, row);
}

void feed_def_write(const struct feed_def *def, struct isg_jsonw *w)
{
    size_t n;
    const struct setting *rows = feed_rows(&n);
    for (size_t i = 0; i < n; i++) {
        const struct setting *row = &rows[i];
        bool always = row->required || row->type == SETTING_SECONDS;
        if (!always && is_default(def, row))
            continue;
        if (row->type == SETTING_BOOL)
            isg_jsonw_put_bool(w, row->key, number_at(def, row) != 0);
        else if (is_text(row))
            isg_jsonw_put(w, row->key, text_at(def, row));
        else
            isg_jsonw_put_int(w, row->key, number_at(def, row));
    }
}

bool feed_def_same(const struct feed_def *a, const struct feed_def *b)
{
    size_t n;
    const struct setting *rows = feed_rows(&n);
    for (size_t i = 0; i < n; i++) {
        if (!is_text(&rows[i])) {
            if (number_at(a, &rows[i]) != number_at(b, &rows[i]))
                return false;
            continue;
        }
        const char *x = text_at(a, &rows[i]);
        const char *y = text_at(b, &rows[i]);
        if ((x == NULL) != (y == NULL) || (x != NULL && strcmp(x, y) != 0))
            return false;
    }
    return true;
}

int feed_def_copy(const struct feed_def *def, struct feed_def *out, struct isg_fail *why)
{
    size_t n;
    const struct setting *rows = feed_rows(&n);
    struct feed_def copy = {.stored = def->stored};
    bool whole = true;
    for (size_t i = 0; i < n; i++) {
        const char *text = is_text(&rows[i]) ? text_at(def, &rows[i]) : NULL;
        if (!is_text(&rows[i]))
            set_number(&copy, &rows[i], number_at(def, &rows[i]));
        else if (text != NULL)
            whole = set_text(&copy, &rows[i], isg_str_of(text)) && whole;
    }
    if (!whole) {
        feed_def_done(&copy);
        return isg_fail(why, ISG_ENOMEM, "no memory");
    }
    *out = copy;
    return ISG_OK;
}

void feed_def_done(struct feed_def *def)
{
    size_t n;
    const struct setting *rows = feed_rows(&n);
    for (size_t i = 0; i < n; i++) {
        if (is_text(&rows[i]))
            free(text_at(def, &rows[i]));
    }
    *def = (struct feed_def){.url = NULL};
}
