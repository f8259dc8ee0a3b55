#include <stdio.h>
#include <string.h>

#include "gateway/config_table.h"
#include "stix/base/jsonw.h"

enum { NAME_BYTES = 96 };

/* A word stands bare; anything else as a JSON string, which YAML reads the same. */
static void put_text(struct isg_buf *out, const char *text)
{
    struct isg_str s = isg_str_of(text);
    bool bare = s.n > 0 && strcmp(text, "null") != 0;
    for (size_t i = 0; i < s.n; i++)
        bare = bare && strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-",
                              s.p[i]) != NULL;
    if (bare && s.p[0] != '-') {
        isg_buf_put_str(out, s);
        return;
    }
    isg_buf_putc(out, '"');
    isg_json_escape(out, s);
    isg_buf_putc(out, '"');
}

static void put_value(struct isg_buf *out, const struct setting *row, const char *base)
{
    const char *text = NULL;
    uint32_t number = 0;
    bool flag = false;
    const char *at = base + row->offset;
    if (row->type == SETTING_BOOL) {
        memcpy(&flag, at, sizeof flag);
        isg_buf_puts(out, flag ? "true" : "false");
    } else if (setting_is_number(row->type)) {
        memcpy(&number, at, sizeof number);
        isg_buf_printf(out, "%u", (unsigned)number);
    } else {
        memcpy(&text, at, sizeof text);
        if (text != NULL)
            put_text(out, text);
        else
            isg_buf_puts(out, "null");
    }
}

static void put_origin(struct isg_buf *out, const struct config_loaded *loaded, size_t index)
{
    char env[NAME_BYTES];
    setting_env_name(&setting_rows[index], env, sizeof env);
    switch (loaded->origins[index].from) {
    case ORIGIN_DEFAULT: isg_buf_puts(out, "  # default\n"); break;
    case ORIGIN_FILE:
        isg_buf_printf(out, "  # file, line %u\n", loaded->origins[index].line);
        break;
    case ORIGIN_ENV: isg_buf_printf(out, "  # env, %s\n", env); break;
    }
}

static void show_scalars(struct isg_buf *out, const struct config_loaded *loaded, size_t section)
{
    size_t n = 0;
    size_t first = setting_first(section, &n);
    if (section > 0)
        isg_buf_printf(out, "%s:\n", setting_sections[section].name);
    for (size_t i = first; i < first + n; i++) {
        isg_buf_printf(out, "%s%s: ", section > 0 ? "  " : "", setting_rows[i].key);
        put_value(out, &setting_rows[i], (const char *)&loaded->config);
        put_origin(out, loaded, i);
    }
}

static void show_list(struct isg_buf *out, const struct config_loaded *loaded, size_t index)
{
    const struct setting_section *section = &setting_sections[index];
    const char *config = (const char *)&loaded->config;
    const char *entries = NULL;
    unsigned count = 0;
    size_t n = 0;
    size_t first = setting_first(index, &n);
    memcpy(&entries, config + section->list_offset, sizeof entries);
    memcpy(&count, config + section->count_offset, sizeof count);
    isg_buf_printf(out, "%s:%s\n", section->name, count == 0 ? " []" : "");
    for (unsigned i = 0; i < count; i++) {
        for (size_t k = first; k < first + n; k++) {
            isg_buf_printf(out, "  %s %s: ", k == first ? "-" : " ", setting_rows[k].key);
            put_value(out, &setting_rows[k], entries + i * section->entry_bytes);
            isg_buf_putc(out, '\n');
        }
    }
}

void config_show(const struct config *config, struct isg_buf *out)
{
    const struct config_loaded *loaded = (const struct config_loaded *)config;
    isg_buf_printf(out, "# Settings of %s, read from %s\n", config->dir,
                   loaded->file != NULL ? loaded->file : "nowhere");
    for (size_t section = 0; section < SETTING_SECTIONS; section++) {
        if (setting_sections[section].entry_bytes > 0)
            show_list(out, loaded, section);
        else
            show_scalars(out, loaded, section);
    }
}

static void put_range(struct isg_buf *out, const struct setting *row)
{
    if (setting_is_number(row->type))
        isg_buf_printf(out, "%u to %u", (unsigned)row->min, (unsigned)row->max);
    else if (row->choices != NULL)
        isg_buf_puts(out, row->choices);
}

static void example_row(struct isg_buf *out, const struct setting *row, const char *indent)
{
    isg_buf_printf(out, "%s# %s", indent, row->meaning);
    if (setting_is_number(row->type) || row->choices != NULL) {
        isg_buf_puts(out, " (");
        put_range(out, row);
        isg_buf_puts(out, ")");
    }
    isg_buf_printf(out, "\n%s%s%s: ", indent, row->fallback == NULL ? "#" : "", row->key);
    if (row->fallback != NULL)
        put_text(out, row->fallback);
    isg_buf_putc(out, '\n');
}

/* Entries have no defaults to show: they are commented out as a whole. */
static void example_list(struct isg_buf *out, size_t section)
{
    size_t n = 0;
    size_t first = setting_first(section, &n);
    isg_buf_printf(out, "%s:\n", setting_sections[section].name);
    for (size_t i = first; i < first + n; i++) {
        const struct setting *row = &setting_rows[i];
        isg_buf_printf(out, "#  %s %s: %s", i == first ? "-" : " ", row->key,
                       row->fallback != NULL ? row->fallback : "");
        isg_buf_printf(out, "  # %s%s\n", row->meaning, row->required ? " Required." : "");
    }
}

void config_example(struct isg_buf *out)
{
    isg_buf_puts(
        out, "# Settings of one instance: DIR/isg.yaml. Values shown are the defaults; relative\n"
             "# paths are below DIR. Each scalar can be overridden by the environment, for\n"
             "# example limits.page_max by ISG_LIMITS_PAGE_MAX.\n");
    for (size_t section = 0; section < SETTING_SECTIONS; section++) {
        size_t n = 0;
        size_t first = setting_first(section, &n);
        isg_buf_printf(out, "\n# %s\n", setting_sections[section].meaning);
        if (setting_sections[section].entry_bytes > 0) {
            example_list(out, section);
            continue;
        }
        if (section > 0)
            isg_buf_printf(out, "%s:\n", setting_sections[section].name);
        for (size_t i = first; i < first + n; i++)
            example_row(out, &setting_rows[i], section > 0 ? "  " : "");
    }
}

/* A cell of the table: '|' would end it. */
static void put_cell(struct isg_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            isg_buf_putc(out, '\\');
        isg_buf_putc(out, *text);
    }
    isg_buf_puts(out, " | ");
}

static void reference_row(struct isg_buf *out, const struct setting *row, bool list)
{
    struct isg_buf range;
    isg_buf_init(&range, 256);
    put_range(&range, row);
    isg_buf_printf(out, "| `%s%s%s%s` | ", row->section, list ? "[]" : "",
                   row->section[0] != '\0' ? "." : "", row->key);
    put_cell(out, setting_type_name(row->type));
    put_cell(out, row->required ? "required" : row->fallback != NULL ? row->fallback : "-");
    put_cell(out, range.p != NULL ? range.p : "-");
    isg_buf_printf(out, "%s |\n", row->meaning);
    isg_buf_done(&range);
}

void config_reference(struct isg_buf *out)
{
    isg_buf_puts(out,
                 "| key | type | default | range | meaning |\n| --- | --- | --- | --- | --- |\n");
    for (size_t section = 0; section < SETTING_SECTIONS; section++) {
        size_t n = 0;
        size_t first = setting_first(section, &n);
        for (size_t i = first; i < first + n; i++)
            reference_row(out, &setting_rows[i], setting_sections[section].entry_bytes > 0);
    }
}
