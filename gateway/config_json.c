/* Settings for programs: what is in force with its origin, and the reference. */
#include <string.h>

#include "gateway/config_table.h"
#include "stix/base/jsonw.h"

enum { NAME_BYTES = 96 };

static void put_value(struct isg_jsonw *w, const struct setting *row, const char *base)
{
    const char *at = base + row->offset;
    isg_jsonw_name(w, "value");
    if (row->type == SETTING_BOOL) {
        bool flag;
        memcpy(&flag, at, sizeof flag);
        isg_jsonw_bool(w, flag);
    } else if (setting_is_number(row->type)) {
        uint32_t number;
        memcpy(&number, at, sizeof number);
        isg_jsonw_int(w, number);
    } else {
        const char *text;
        memcpy(&text, at, sizeof text);
        if (text != NULL)
            isg_jsonw_str(w, isg_str_of(text));
        else
            isg_jsonw_raw(w, ISG_STR("null"));
    }
}

static void put_origin(struct isg_jsonw *w, const struct config_loaded *loaded, size_t index)
{
    static const char *const names[] = {
        [ORIGIN_DEFAULT] = "default", [ORIGIN_FILE] = "file", [ORIGIN_ENV] = "env"};
    char env[NAME_BYTES];
    isg_jsonw_put(w, "origin", names[loaded->origins[index].from]);
    if (loaded->origins[index].from == ORIGIN_FILE)
        isg_jsonw_put_int(w, "line", loaded->origins[index].line);
    if (loaded->origins[index].from == ORIGIN_ENV) {
        setting_env_name(&setting_rows[index], env, sizeof env);
        isg_jsonw_put(w, "variable", env);
    }
}

/* The settings of one entry of a list; for scalars, base is the configuration itself. */
static void put_section(struct isg_jsonw *w, const struct config_loaded *loaded, size_t section,
                        const char *base, unsigned item)
{
    size_t n = 0;
    size_t first = setting_first(section, &n);
    for (size_t i = first; i < first + n; i++) {
        char name[NAME_BYTES];
        setting_name(&setting_rows[i], item, name, sizeof name);
        isg_jsonw_object(w);
        isg_jsonw_put(w, "setting", name);
        put_value(w, &setting_rows[i], base);
        if (setting_sections[section].entry_bytes > 0)
            isg_jsonw_put(w, "origin", "file");
        else
            put_origin(w, loaded, i);
        isg_jsonw_end(w);
    }
}

void config_show_json(const struct config *config, struct isg_buf *out)
{
    const struct config_loaded *loaded = (const struct config_loaded *)config;
    const char *base = (const char *)config;
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    isg_jsonw_list(&w);
    for (size_t i = 0; i < SETTING_SECTIONS; i++) {
        const struct setting_section *section = &setting_sections[i];
        const char *entries = NULL;
        unsigned count = 0;
        if (section->entry_bytes == 0) {
            put_section(&w, loaded, i, base, 0);
            continue;
        }
        memcpy(&entries, base + section->list_offset, sizeof entries);
        memcpy(&count, base + section->count_offset, sizeof count);
        for (unsigned k = 0; k < count; k++)
            put_section(&w, loaded, i, entries + k * section->entry_bytes, k);
    }
    isg_jsonw_end(&w);
    isg_buf_putc(out, '\n');
}

static void put_reference(struct isg_jsonw *w, const struct setting *row, bool list)
{
    struct isg_buf name;
    isg_buf_init(&name, NAME_BYTES);
    isg_buf_printf(&name, "%s%s%s%s", row->section, list ? "[]" : "",
                   row->section[0] != '\0' ? "." : "", row->key);
    isg_jsonw_object(w);
    isg_jsonw_put_str(w, "setting", isg_buf_str(&name));
    isg_jsonw_put(w, "type", setting_type_name(row->type));
    isg_jsonw_put_bool(w, "required", row->required);
    isg_jsonw_put(w, "default", row->fallback);
    if (setting_is_number(row->type)) {
        isg_jsonw_put_int(w, "least", row->min);
        isg_jsonw_put_int(w, "most", row->max);
    }
    isg_jsonw_put(w, "choices", row->choices);
    isg_jsonw_put(w, "meaning", row->meaning);
    isg_jsonw_end(w);
    isg_buf_done(&name);
}

void config_reference_json(struct isg_buf *out)
{
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    isg_jsonw_list(&w);
    for (size_t section = 0; section < SETTING_SECTIONS; section++) {
        size_t n = 0;
        size_t first = setting_first(section, &n);
        for (size_t i = first; i < first + n; i++)
            put_reference(&w, &setting_rows[i], setting_sections[section].entry_bytes > 0);
    }
    isg_jsonw_end(&w);
    isg_buf_putc(out, '\n');
}
