#define _GNU_SOURCE /* realpath */
#include "gateway/config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/config_table.h"
#include "stix/base/uuid.h"

enum { FILE_BYTES_MAX = 1024 * 1024, NAME_BYTES = 96 };

/* One reading of a file: what is being filled, and from what. */
struct loading {
    struct config_loaded *loaded;
    struct config_yaml *yaml;
    const char *file;
    struct isg_fail *why;
};

/* Where one value goes and came from. */
struct place {
    void *base; /* the struct that row->offset is in */
    size_t item;
    enum setting_origin from;
};

static int fail_value(const struct loading *l, const struct setting *row, const struct place *place,
                      const char *text, const char *wrong)
{
    char name[NAME_BYTES];
    char range[NAME_BYTES] = "";
    char where[PATH_MAX + 16] = "";
    unsigned line = config_yaml_line(l->yaml, row->section, place->item, row->key);
    setting_name(row, place->item, name, sizeof name);
    if (place->from == ORIGIN_ENV)
        setting_env_name(row, where, NAME_BYTES);
    else
        (void)snprintf(where, sizeof where, "%s:%u", l->file, line);
    if (setting_is_number(row->type))
        (void)snprintf(range, sizeof range, " (%s, %u to %u)", setting_type_name(row->type),
                       (unsigned)row->min, (unsigned)row->max);
    else if (row->type == SETTING_CHOICE)
        (void)snprintf(range, sizeof range, " (%s)", row->choices);
    return isg_fail(l->why, ISG_EUSAGE, "%s: %s %s%s: %.60s", where, name, wrong, range, text);
}

static char *join_path(const char *dir, const char *path)
{
    size_t n = strlen(dir) + strlen(path) + 2;
    char *joined = malloc(n);
    if (joined == NULL)
        return NULL;
    if (path[0] == '/')
        (void)snprintf(joined, n, "%s", path);
    else
        (void)snprintf(joined, n, "%s/%s", dir, path);
    return joined;
}

/* "unix:run/redis.sock" is below the instance directory like any path. */
static char *join_redis(const char *dir, const char *url)
{
    if (strncmp(url, "unix:", 5) != 0)
        return strdup(url);
    const char *path = strncmp(url + 5, "//", 2) == 0 ? url + 7 : url + 5;
    char *joined = join_path(dir, path);
    char *whole = joined != NULL ? malloc(strlen(joined) + 6) : NULL;
    if (whole != NULL)
        (void)snprintf(whole, strlen(joined) + 6, "unix:%s", joined);
    free(joined);
    return whole;
}

static char *copy_text(const struct loading *l, const struct setting *row, const char *text)
{
    const char *dir = l->loaded->config.dir;
    if (row->type == SETTING_PATH)
        return join_path(dir, text);
    if (row->type == SETTING_REDIS)
        return join_redis(dir, text);
    return strdup(text);
}

/* Check text and store it. Memory of an earlier value is freed (the environment overrides). */
static int set_value(const struct loading *l, const struct setting *row, const struct place *place,
                     const char *text)
{
    uint64_t number = 0;
    char *at = (char *)place->base + row->offset;
    const char *wrong = setting_check(row, isg_str_of(text), &number);
    if (wrong != NULL)
        return fail_value(l, row, place, text, wrong);
    if (row->type == SETTING_BOOL) {
        bool flag = number != 0;
        memcpy(at, &flag, sizeof flag);
    } else if (setting_is_number(row->type)) {
        uint32_t value = (uint32_t)number; /* at most row->max */
        memcpy(at, &value, sizeof value);
    } else {
        char *copy = copy_text(l, row, text);
        char *before = NULL;
        if (copy == NULL)
            return isg_fail(l->why, ISG_ENOMEM, "no memory");
        memcpy(&before, at, sizeof before);
        free(before);
        memcpy(at, &copy, sizeof copy);
    }
    return ISG_OK;
}

/* The environment goes before the file, the file before the default. */
static int load_scalar(const struct loading *l, size_t index)
{
    const struct setting *row = &setting_rows[index];
    struct place place = {&l->loaded->config, 0, ORIGIN_ENV};
    char env[NAME_BYTES];
    setting_env_name(row, env, sizeof env);
    const char *text = getenv(env); /* NOLINT(concurrency-mt-unsafe): nothing sets it */
    if (text == NULL || text[0] == '\0') {
        place.from = ORIGIN_FILE;
        text = config_yaml_value(l->yaml, index, 0);
    }
    if (text == NULL) {
        place.from = ORIGIN_DEFAULT;
        text = row->fallback;
    }
    l->loaded->origins[index].from = place.from;
    if (place.from == ORIGIN_FILE)
        l->loaded->origins[index].line = config_yaml_line(l->yaml, row->section, 0, row->key);
    return text != NULL ? set_value(l, row, &place, text) : ISG_OK;
}

static int load_entry(const struct loading *l, size_t section, size_t item, void *entry)
{
    size_t n = 0;
    size_t first = setting_first(section, &n);
    struct place place = {entry, item, ORIGIN_FILE};
    int err = ISG_OK;
    for (size_t i = first; err == ISG_OK && i < first + n; i++) {
        const struct setting *row = &setting_rows[i];
        const char *text = config_yaml_value(l->yaml, i, item);
        if (text == NULL)
            text = row->fallback;
        if (text != NULL)
            err = set_value(l, row, &place, text);
        else if (row->required)
            err = isg_fail(l->why, ISG_EUSAGE, "%s: %s[%zu] has no %s", l->file, row->section, item,
                           row->key);
    }
    return err;
}

static int load_list(const struct loading *l, size_t index)
{
    const struct setting_section *section = &setting_sections[index];
    char *config = (char *)&l->loaded->config;
    size_t items = config_yaml_items(l->yaml, index);
    char *entries = calloc(items > 0 ? items : 1, section->entry_bytes);
    int err = ISG_OK;
    if (entries == NULL)
        return isg_fail(l->why, ISG_ENOMEM, "no memory");
    unsigned count = (unsigned)items; /* set before the entries, so that config_free sees them */
    memcpy(config + section->list_offset, &entries, sizeof entries);
    memcpy(config + section->count_offset, &count, sizeof count);
    for (size_t i = 0; err == ISG_OK && i < items; i++)
        err = load_entry(l, index, i, entries + i * section->entry_bytes);
    return err;
}

static int load_values(const struct loading *l)
{
    int err = ISG_OK;
    for (size_t section = 0; err == ISG_OK && section < SETTING_SECTIONS; section++) {
        size_t n = 0;
        size_t first = setting_first(section, &n);
        if (setting_sections[section].entry_bytes > 0) {
            err = load_list(l, section);
            continue;
        }
        for (size_t i = first; err == ISG_OK && i < first + n; i++)
            err = load_scalar(l, i);
    }
    return err;
}

/* Defaults that are made from other settings. */
static int derive(const struct loading *l)
{
    struct config *c = &l->loaded->config;
    char text[512];
    if (c->public_url == NULL) {
        bool any = strncmp(c->listen, "0.0.0.0:", 8) == 0 || strncmp(c->listen, "[::]:", 5) == 0;
        if (any)
            return isg_fail(
                l->why, ISG_EUSAGE,
                "%s: listen is on all addresses: public_url must say under which one members come",
                l->file);
        (void)snprintf(text, sizeof text, "http%s://%s", c->tls.certificate != NULL ? "s" : "",
                       c->listen);
        c->public_url = strdup(text);
    }
    if (c->id_urn == NULL && c->public_url != NULL) {
        char uuid[ISG_UUID_TEXT];
        isg_uuid_v5(ISG_UUID_NS_URL, isg_str_of(c->public_url), uuid);
        (void)snprintf(text, sizeof text, "urn:uuid:%s", uuid);
        c->id_urn = strdup(text);
    }
    if (c->roots_count == 0 && c->roots != NULL) { /* load_list left room for one */
        c->roots_count = 1;
        c->roots[0].path = strdup("api");
        c->roots[0].title = strdup(c->name);
    }
    bool whole = c->public_url != NULL && c->id_urn != NULL && c->roots != NULL &&
                 c->roots[0].path != NULL && c->roots[0].title != NULL;
    return whole ? ISG_OK : isg_fail(l->why, ISG_ENOMEM, "no memory");
}

/* A broken rule begins with the setting it is about: "redis.url leaves ...". */
static int fail_rule(const struct loading *l, const char *wrong)
{
    char section[NAME_BYTES] = "";
    char key[NAME_BYTES];
    size_t n = strcspn(wrong, ". :");
    if (n < sizeof section && wrong[n] == '.')
        (void)snprintf(section, sizeof section, "%.*s", (int)n, wrong);
    const char *rest = section[0] != '\0' ? wrong + n + 1 : wrong;
    (void)snprintf(key, sizeof key, "%.*s", (int)strcspn(rest, ". :"), rest);
    unsigned line = config_yaml_line(l->yaml, section, 0, key);
    if (line == 0)
        return isg_fail(l->why, ISG_EUSAGE, "%s: %s", l->file, wrong);
    return isg_fail(l->why, ISG_EUSAGE, "%s:%u: %s", l->file, line, wrong);
}

static int fill(struct loading *l, struct isg_str text)
{
    int err = config_yaml_parse(text, l->file, &l->yaml, l->why);
    if (err == ISG_OK)
        err = load_values(l);
    if (err == ISG_OK)
        err = derive(l);
    const char *wrong = err == ISG_OK ? config_check_rules(&l->loaded->config) : NULL;
    if (wrong != NULL)
        err = fail_rule(l, wrong);
    config_yaml_free(&l->yaml);
    return err;
}

static int read_file(const char *path, struct isg_buf *out, struct isg_fail *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t n = -1;
    if (fd < 0)
        return isg_fail(why, ISG_EIO, "%s: %s", path, ISG_OS_ERROR(errno));
    for (;;) {
        char *p = isg_buf_reserve(out, 65536);
        n = p != NULL ? read(fd, p, 65536) : -1;
        if (n < 0 && p != NULL && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        out->len += (size_t)n;
    }
    int saved = errno;
    close(fd);
    if (out->err == ISG_ELIMIT || out->len > FILE_BYTES_MAX)
        return isg_fail(why, ISG_EUSAGE, "%s is longer than 1 MiB", path);
    if (n < 0)
        return isg_fail(why, out->err == ISG_OK ? ISG_EIO : out->err, "%s: %s", path,
                        ISG_OS_ERROR(saved));
    return ISG_OK;
}

int config_load_file(const char *path, const char *dir, struct config **out, struct isg_fail *why)
{
    struct isg_buf text;
    struct config *config = NULL;
    isg_buf_init(&text, FILE_BYTES_MAX + 2 * 65536);
    int err = read_file(path, &text, why);
    if (err != ISG_OK)
        goto done;
    struct loading l = {calloc(1, sizeof(struct config_loaded)), NULL, path, why};
    if (l.loaded == NULL) {
        err = isg_fail(why, ISG_ENOMEM, "no memory");
        goto done;
    }
    config = &l.loaded->config;
    l.loaded->file = strdup(path);
    config->dir = realpath(dir, NULL);
    if (config->dir == NULL)
        err = isg_fail(why, ISG_EIO, "%s: %s", dir, ISG_OS_ERROR(errno));
    else
        err = fill(&l, isg_buf_str(&text));
    if (err == ISG_OK) {
        *out = config;
        config = NULL;
    }
done:
    config_free(&config);
    isg_buf_done(&text);
    return err;
}

int config_load(const char *dir, struct config **out, struct isg_fail *why)
{
    char *whole = realpath(dir, NULL);
    if (whole == NULL)
        return isg_fail(why, ISG_EIO, "%s: %s", dir, ISG_OS_ERROR(errno));
    char *path = join_path(whole, "isg.yaml");
    int err = path != NULL ? config_load_file(path, whole, out, why)
                           : isg_fail(why, ISG_ENOMEM, "no memory");
    free(whole);
    free(path);
    return err;
}

static void free_texts(size_t section, char *base)
{
    size_t n = 0;
    size_t first = setting_first(section, &n);
    for (size_t i = first; i < first + n; i++) {
        char *text = NULL;
        if (setting_is_number(setting_rows[i].type) || setting_rows[i].type == SETTING_BOOL)
            continue;
        memcpy(&text, base + setting_rows[i].offset, sizeof text);
        free(text);
    }
}

static void free_list(size_t index, char *config)
{
    const struct setting_section *section = &setting_sections[index];
    char *entries = NULL;
    unsigned count = 0;
    memcpy(&entries, config + section->list_offset, sizeof entries);
    memcpy(&count, config + section->count_offset, sizeof count);
    for (unsigned i = 0; i < count; i++)
        free_texts(index, entries + i * section->entry_bytes);
    free(entries);
}

void config_free(struct config **config)
{
    if (config == NULL || *config == NULL)
        return;
    for (size_t section = 0; section < SETTING_SECTIONS; section++) {
        if (setting_sections[section].entry_bytes > 0)
            free_list(section, (char *)*config);
        else
            free_texts(section, (char *)*config);
    }
    free((*config)->dir);
    free(((struct config_loaded *)*config)->file);
    free(*config);
    *config = NULL;
}
