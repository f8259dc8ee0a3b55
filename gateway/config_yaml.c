#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cyaml/cyaml.h>

#include "gateway/config_table.h"
#include "stix/base/str.h"

enum {
    TEXT_MAX = 4096, /* characters of one value */
    FLAGS = (int)CYAML_FLAG_POINTER_NULL_STR | (int)CYAML_FLAG_OPTIONAL
};

/*
 * What the library fills: the top level's texts, then for each section a pointer to its texts (an
 * array of entries for a list) and the number of entries.
 */
struct raw {
    char *texts[SETTING_ROWS_MAX];
    char **sections[SETTING_SECTIONS];
    uint32_t counts[SETTING_SECTIONS];
};

struct config_yaml {
    struct raw *raw; /* NULL: an empty file */
    char *text;      /* a copy, for line numbers */
    size_t text_len;
};

/* The schema, made from the settings' rows once. */
static cyaml_schema_field_t section_fields[SETTING_SECTIONS][SETTING_ROWS_MAX + 1];
static cyaml_schema_value_t entries[SETTING_SECTIONS];
static cyaml_schema_field_t top_fields[SETTING_ROWS_MAX + SETTING_SECTIONS + 1];
static cyaml_schema_value_t top;
static pthread_once_t schema_once = PTHREAD_ONCE_INIT;

/* Every value is read as text: what it may be, the settings' rows say. */
static void text_field(cyaml_schema_field_t *field, const char *key, size_t index)
{
    field->key = key;
    field->data_offset = (uint32_t)(index * sizeof(char *));
    field->value.type = CYAML_STRING;
    field->value.flags = (enum cyaml_flag)FLAGS;
    field->value.data_size = sizeof(char *);
    field->value.string.min = 0;
    field->value.string.max = TEXT_MAX;
}

static size_t text_fields(cyaml_schema_field_t *fields, size_t section)
{
    size_t n = 0;
    size_t first = setting_first(section, &n);
    for (size_t i = 0; i < n; i++)
        text_field(&fields[i], setting_rows[first + i].key, i);
    return n;
}

static void section_field(cyaml_schema_field_t *field, size_t section)
{
    size_t n = text_fields(section_fields[section], section);
    bool list = setting_sections[section].entry_bytes > 0;
    cyaml_schema_value_t *entry = &entries[section];
    entry->type = CYAML_MAPPING;
    entry->flags = list ? CYAML_FLAG_DEFAULT : (enum cyaml_flag)FLAGS;
    entry->data_size = (uint32_t)(n * sizeof(char *));
    entry->mapping.fields = section_fields[section];

    field->key = setting_sections[section].name;
    field->data_offset = (uint32_t)(offsetof(struct raw, sections) + section * sizeof(char **));
    field->value = *entry;
    if (!list)
        return;
    field->count_offset = (uint32_t)(offsetof(struct raw, counts) + section * sizeof(uint32_t));
    field->count_size = sizeof(uint32_t);
    field->value.type = CYAML_SEQUENCE;
    field->value.flags = (enum cyaml_flag)FLAGS;
    field->value.sequence.entry = entry;
    field->value.sequence.min = 0;
    field->value.sequence.max = SETTING_ENTRIES_MAX;
}

static void make_schema(void)
{
    size_t n = text_fields(top_fields, 0);
    for (size_t section = 1; section < SETTING_SECTIONS; section++)
        section_field(&top_fields[n++], section);
    top.type = CYAML_MAPPING;
    top.flags = CYAML_FLAG_POINTER;
    top.data_size = sizeof(struct raw);
    top.mapping.fields = top_fields;
}

/* What the library says on its way out: the message first, then from the inside outwards. */
struct complaint {
    char message[160];
    char field[64]; /* the innermost field named, and its line */
    char outer[64]; /* the outermost: the section */
    unsigned line;
    unsigned item; /* of a list, from 1; 0: not in one */
    bool warned;   /* something of the file was ignored */
};

/* The number behind a mark at the start of a text; 0: no such mark, or no number behind it. */
static unsigned number_behind(const char *mark, const char *text)
{
    size_t n = strlen(mark);
    if (strncmp(text, mark, n) != 0)
        return 0;
    unsigned long number = strtoul(text + n, NULL, 10);
    return number <= UINT_MAX ? (unsigned)number : 0;
}

__attribute__((format(printf, 3, 0))) static void on_log(cyaml_log_t level, void *ctx,
                                                         const char *format, va_list args)
{
    struct complaint *c = ctx;
    char text[256];
    (void)vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\n")] = '\0';
    c->warned = c->warned || level == CYAML_LOG_WARNING;
    const char *p = strncmp(text, "Load: ", 6) == 0 ? text + 6 : text;
    const char *at = strstr(p, "(line: ");
    if (at != NULL && c->line == 0)
        c->line = number_behind("(line: ", at);
    unsigned item = number_behind("  in sequence entry '", p);
    if (sscanf(p, "  in mapping field '%63[^']'", c->outer) == 1) {
        if (c->field[0] == '\0')
            (void)snprintf(c->field, sizeof c->field, "%s", c->outer);
    } else if (item > 0) {
        c->item = item;
    } else if (strcmp(p, "Backtrace:") != 0 && strncmp(p, "  in ", 5) != 0 &&
               c->message[0] == '\0') {
        (void)snprintf(c->message, sizeof c->message, "%.159s", p);
    }
}

static const char *section_of(const struct complaint *c)
{
    for (size_t i = 1; i < SETTING_SECTIONS; i++)
        if (strcmp(setting_sections[i].name, c->outer) == 0)
            return setting_sections[i].name;
    return "";
}

static int fail_key(const struct config_yaml *yaml, const struct complaint *c, const char *key,
                    const char *what, const char *file, struct isg_fail *why)
{
    const char *section = section_of(c);
    size_t item = c->item > 0 ? c->item - 1 : 0;
    unsigned line = config_yaml_line(yaml, section, item, key);
    return isg_fail(why, ISG_EUSAGE, "%s:%u: %s %s%s%s", file, line > 0 ? line : c->line, what,
                    section, section[0] != '\0' ? "." : "", key);
}

/* libyaml has no words for it: its problem is a null pointer then, which ours prints as such. */
static bool is_out_of_memory(cyaml_err_t err, const struct complaint *c)
{
    return err == CYAML_ERR_OOM || err == CYAML_ERR_LIBYAML_PARSER_INIT ||
           (err == CYAML_ERR_LIBYAML_PARSER && strcmp(c->message, "libyaml: (null)") == 0);
}

/* The library's words, turned into one sentence with file, line (where it knows one) and key. */
static int fail_of(cyaml_err_t err, const struct config_yaml *yaml, const struct complaint *c,
                   const char *file, struct isg_fail *why)
{
    char key[64];
    char line[16] = "";
    if (c->line > 0)
        (void)snprintf(line, sizeof line, ":%u", c->line);
    if (is_out_of_memory(err, c))
        return isg_fail(why, ISG_ENOMEM, "%s: no memory", file);
    if (sscanf(c->message, "Unexpected key: %63[^\n]", key) == 1)
        return fail_key(yaml, c, key, "unknown key", file, why);
    if (sscanf(c->message, "Mapping field already seen: %63[^\n]", key) == 1)
        return isg_fail(why, ISG_EUSAGE, "%s%s: %s stands there twice", file, line, key);
    if (err == CYAML_ERR_ALIAS)
        return isg_fail(why, ISG_EUSAGE, "%s%s: anchors and aliases are not allowed (at %s)", file,
                        line, c->field);
    return isg_fail(why, ISG_EUSAGE, "%s%s: %s%s%s", file, line,
                    c->message[0] != '\0' ? c->message : cyaml_strerror(err),
                    c->field[0] != '\0' ? " at " : "", c->field);
}

/* A value that begins like an anchor, an alias or a tag: only plain YAML is read here. */
static bool is_beyond_subset(struct isg_str line)
{
    struct isg_str s = isg_str_trim(line);
    while (s.n > 1 && s.p[0] == '-' && s.p[1] == ' ')
        s = isg_str_trim(isg_str_from(s, 2));
    if (s.n == 0 || s.p[0] == '#')
        return false;
    size_t colon = isg_str_find(s, ':');
    struct isg_str value = colon < s.n ? isg_str_trim(isg_str_from(s, colon + 1)) : s;
    return (value.n > 0 && strchr("&*!", value.p[0]) != NULL) || s.p[0] == '&' || s.p[0] == '*' ||
           s.p[0] == '!';
}

static int check_subset(struct isg_str text, const char *file, struct isg_fail *why)
{
    unsigned number = 0;
    struct isg_str line;
    if (memchr(text.p != NULL ? text.p : "", '\0', text.n) != NULL)
        return isg_fail(why, ISG_EUSAGE, "%s holds a NUL byte", file);
    while (isg_str_split(&text, '\n', &line)) {
        number++;
        if (is_beyond_subset(line))
            return isg_fail(why, ISG_EUSAGE,
                            "%s:%u: anchors, aliases and tags are not allowed; quote the value",
                            file, number);
    }
    return ISG_OK;
}

static int load(struct config_yaml *yaml, const char *file, struct isg_fail *why)
{
    struct complaint complaint = {{0}, {0}, {0}, 0, 0, false};
    cyaml_config_t config = {.log_fn = on_log,
                             .log_ctx = &complaint,
                             .mem_fn = cyaml_mem,
                             .log_level = CYAML_LOG_WARNING,
                             .flags = CYAML_CFG_NO_ALIAS};
    cyaml_err_t err = cyaml_load_data((const uint8_t *)yaml->text, yaml->text_len, &config, &top,
                                      (cyaml_data_t **)&yaml->raw, NULL);
    if (err != CYAML_OK)
        return fail_of(err, yaml, &complaint, file, why);
    if (complaint.warned)
        return isg_fail(why, ISG_EUSAGE, "%s: more than one YAML document", file);
    return ISG_OK;
}

int config_yaml_parse(struct isg_str text, const char *file, struct config_yaml **out,
                      struct isg_fail *why)
{
    pthread_once(&schema_once, make_schema);
    int err = check_subset(text, file, why);
    if (err != ISG_OK)
        return err;
    struct config_yaml *yaml = calloc(1, sizeof *yaml);
    if (yaml == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    yaml->text = calloc(1, text.n + 1);
    if (yaml->text == NULL) {
        err = isg_fail(why, ISG_ENOMEM, "no memory");
    } else {
        memcpy(yaml->text, text.p != NULL ? text.p : "", text.n);
        yaml->text_len = text.n;
        err = load(yaml, file, why);
    }
    if (err == ISG_OK)
        *out = yaml;
    else
        config_yaml_free(&yaml);
    return err;
}

void config_yaml_free(struct config_yaml **yaml)
{
    if (yaml == NULL || *yaml == NULL)
        return;
    cyaml_config_t config = {.mem_fn = cyaml_mem, .log_level = CYAML_LOG_ERROR};
    if ((*yaml)->raw != NULL)
        cyaml_free(&config, &top, (*yaml)->raw, 0);
    free((*yaml)->text);
    free(*yaml);
    *yaml = NULL;
}

size_t config_yaml_items(const struct config_yaml *yaml, size_t section)
{
    return yaml->raw != NULL ? yaml->raw->counts[section] : 0;
}

static size_t section_index(const char *name)
{
    size_t i = 0;
    while (i + 1 < SETTING_SECTIONS && strcmp(setting_sections[i].name, name) != 0)
        i++;
    return i;
}

const char *config_yaml_value(const struct config_yaml *yaml, size_t row, size_t item)
{
    size_t n = 0;
    size_t section = section_index(setting_rows[row].section);
    size_t first = setting_first(section, &n);
    if (yaml->raw == NULL)
        return NULL;
    char **texts = section == 0 ? yaml->raw->texts : yaml->raw->sections[section];
    return texts != NULL ? texts[item * n + (row - first)] : NULL;
}

/* The key that a line begins with, without quotes; *out_indent is its column, "- " included. */
static bool key_of_line(struct isg_str line, struct isg_str *out_key, size_t *out_indent,
                        bool *out_item)
{
    size_t i = 0;
    while (i < line.n && line.p[i] == ' ')
        i++;
    *out_item = i + 1 < line.n && line.p[i] == '-' && line.p[i + 1] == ' ';
    *out_indent = i;
    if (*out_item)
        i += 2;
    struct isg_str key = isg_str_trim(isg_str_from(line, i));
    if (key.n == 0 || key.p[0] == '#')
        return false;
    size_t colon = isg_str_find(key, ':');
    if (colon >= key.n)
        return false;
    key.n = colon;
    key = isg_str_trim(key);
    if (key.n >= 2 && (key.p[0] == '"' || key.p[0] == '\''))
        key = (struct isg_str){key.p + 1, key.n - 2};
    *out_key = key;
    return true;
}

/* The library keeps no lines of values it liked, so they are looked up in the text again. */
unsigned config_yaml_line(const struct config_yaml *yaml, const char *section, size_t item,
                          const char *key)
{
    struct isg_str rest = {yaml->text, yaml->text_len};
    struct isg_str line;
    struct isg_str found;
    size_t indent = 0;
    size_t items = 0;
    unsigned begin = 0; /* of the section: all of it may stand in one line */
    bool begins_item = false;
    bool inside = section[0] == '\0';
    bool list = setting_sections[section_index(section)].entry_bytes > 0;
    for (unsigned number = 1; isg_str_split(&rest, '\n', &line); number++) {
        if (!key_of_line(line, &found, &indent, &begins_item))
            continue;
        if (indent == 0 && !begins_item && section[0] != '\0') {
            inside = isg_str_is(found, section);
            begin = inside ? number : begin;
            continue;
        }
        items += inside && begins_item;
        bool here = section[0] == '\0' ? indent == 0 : inside;
        if (here && (!list || items == item + 1) && isg_str_is(found, key))
            return number;
    }
    return begin;
}
