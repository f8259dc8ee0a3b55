/* What a provider's lists name: changes.csv, index.txt and ROLIE feeds. All of it is hostile input. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/sync/csaf_private.h"
#include "stix/base/utf8.h"
#include "stix/json.h"

enum { PATH_MIN = 6, PATH_MAX_BYTES = 1024 };

void csaf_failed(struct feed_run *run, const char *name, const struct isg_fail *why)
{
    if (run->failed++ > 0)
        return;
    run->first_failed = *why;
    (void)snprintf(run->first_failed.text, sizeof run->first_failed.text, "%.100s: %.130s", name,
                   why->text);
    isg_utf8_mend(run->first_failed.text);
}

/* ---- which URLs may be asked ---------------------------------------------------------------- */

struct isg_str csaf_host_of(const char *url)
{
    const char *at = strstr(url, "://");
    struct isg_str host = isg_str_of(at == NULL ? "" : at + 3);
    host.n = strcspn(host.p, "/?#");
    bool six = host.n > 0 && host.p[0] == '[';
    size_t end = isg_str_find(host, six ? ']' : ':');
    if (end != SIZE_MAX)
        host.n = six ? end + 1 : end;
    return host;
}

/* Is the host one of allow_hosts, a list with commas? */
static bool host_is_allowed(const struct feed_def *def, struct isg_str host)
{
    struct isg_str rest = isg_str_of(def->allow_hosts);
    struct isg_str name;
    while (def->allow_hosts != NULL && host.n > 0 && isg_str_split(&rest, ',', &name)) {
        if (isg_str_ieq(isg_str_trim(name), host))
            return true;
    }
    return false;
}

const char *csaf_url(struct csaf_walk *walk, const char *base, struct isg_str reference,
                     struct isg_fail *why)
{
    const struct feed_def *def = walk->run->def;
    struct isg_buf url;
    const char *copy = NULL;
    if (!isg_utf8_is_valid(reference)) {
        (void)isg_fail(why, ISG_EINVAL, "a URL that is no UTF-8");
        return NULL;
    }
    const char *text = isg_arena_copy(walk->arena, isg_str_trim(reference));
    isg_buf_init(&url, CSAF_URL_MAX);
    int err = text == NULL ? isg_fail(why, ISG_ENOMEM, "no memory")
                           : feed_url_join(base, text, &url, why);
    bool ours =
        err == ISG_OK && (feed_url_same_server(def->url, url.p) ||
                          (walk->dns_path != NULL && feed_url_same_server(walk->dns_path, url.p)));
    if (err == ISG_OK && !ours) {
        bool plain = strncmp(url.p, "https:", 6) != 0 && strncmp(def->url, "https:", 6) == 0;
        if (plain)
            err = isg_fail(why, ISG_EDENIED, "an entry leads to a URL that is not https");
        else if (!host_is_allowed(def, csaf_host_of(url.p)))
            err = isg_fail(why, ISG_EDENIED, "an entry leads to another server; see allow_hosts");
    }
    if (err == ISG_OK && (copy = isg_arena_copy(walk->arena, isg_buf_str(&url))) == NULL)
        (void)isg_fail(why, ISG_ENOMEM, "no memory");
    isg_buf_done(&url);
    return copy;
}

/* The strictest label that a folder of the URL's path bears (digest 5.3). */
static enum stix_tlp label_of_path(const char *url)
{
    const char *at = strstr(url, "://");
    struct isg_str rest = isg_str_of(at == NULL ? "" : at + 3);
    struct isg_str folder;
    enum stix_tlp label = STIX_TLP_NONE;
    while (isg_str_split(&rest, '/', &folder)) {
        enum stix_tlp level = stix_tlp_of_name(folder);
        if (rest.p != NULL && level != STIX_TLP_UNKNOWN && level > label)
            label = level;
    }
    return label;
}

/* ---- entries -------------------------------------------------------------------------------- */

static int entry_add(struct csaf_walk *walk, const struct csaf_entry *entry, struct isg_fail *why)
{
    if (walk->count == CSAF_ENTRIES_MAX)
        return isg_fail(why, ISG_ELIMIT, "the provider lists more than %d advisories",
                        CSAF_ENTRIES_MAX);
    if (walk->count == walk->room) {
        size_t room = walk->room == 0 ? 256 : walk->room * 2;
        struct csaf_entry *entries = isg_arena_alloc(walk->arena, room * sizeof *entries);
        if (entries == NULL)
            return isg_fail(why, ISG_ENOMEM, "no memory");
        if (walk->count > 0)
            memcpy(entries, walk->entries, walk->count * sizeof *entries);
        walk->entries = entries;
        walk->room = room;
    }
    struct csaf_entry *copy = &walk->entries[walk->count];
    enum stix_tlp folder = label_of_path(entry->url);
    *copy = *entry;
    copy->stamp.p = isg_arena_copy(walk->arena, entry->stamp);
    if (copy->stamp.p == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    copy->order = walk->count++;
    if (folder > copy->floor)
        copy->floor = folder;
    return ISG_OK;
}

static int by_url(const void *a, const void *b)
{
    const struct csaf_entry *x = a;
    const struct csaf_entry *y = b;
    int order = strcmp(x->url, y->url);
    return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

static int by_order(const void *a, const void *b)
{
    const struct csaf_entry *x = a;
    const struct csaf_entry *y = b;
    return (x->order > y->order) - (x->order < y->order);
}

void csaf_entries_merge(struct csaf_walk *walk)
{
    size_t n = 0;
    if (walk->count == 0)
        return;
    qsort(walk->entries, walk->count, sizeof *walk->entries, by_url);
    for (size_t i = 0; i < walk->count; i++) {
        struct csaf_entry *entry = &walk->entries[i];
        struct csaf_entry *first = n > 0 ? &walk->entries[n - 1] : NULL;
        if (first == NULL || strcmp(first->url, entry->url) != 0) {
            walk->entries[n++] = *entry;
            continue;
        }
        if (entry->floor > first->floor)
            first->floor = entry->floor;
        if (isg_str_cmp(entry->stamp, first->stamp) > 0)
            first->stamp = entry->stamp; /* newest first is only a promise */
    }
    walk->count = n;
    qsort(walk->entries, walk->count, sizeof *walk->entries, by_order);
}

/* ---- changes.csv, index.txt ----------------------------------------------------------------- */

/* `path,timestamp`, quoted or not; or a path alone. */
static void line_read(struct isg_str line, struct isg_str *path, struct isg_str *time)
{
    struct isg_str rest = isg_str_trim(line);
    struct isg_str *out[] = {path, time};
    *path = *time = (struct isg_str){0};
    for (size_t i = 0; i < 2; i++) {
        struct isg_str cell;
        if (!isg_str_split(&rest, ',', &cell))
            return;
        cell = isg_str_trim(cell);
        if (cell.n >= 2 && cell.p[0] == '"' && cell.p[cell.n - 1] == '"')
            cell = (struct isg_str){cell.p + 1, cell.n - 2};
        *out[i] = cell;
    }
}

static bool contains(struct isg_str text, const char *piece)
{
    struct isg_str p = isg_str_of(piece);
    for (size_t i = 0; i + p.n <= text.n; i++) {
        if (memcmp(text.p + i, p.p, p.n) == 0)
            return true;
    }
    return false;
}

/* Relative, no way up, a JSON file. */
static bool path_fits(struct isg_str path)
{
    if (path.n < PATH_MIN || path.n > PATH_MAX_BYTES || path.p[0] == '/' ||
        !isg_str_ends(path, ISG_STR(".json")))
        return false;
    for (size_t i = 0; i < path.n; i++) {
        if ((unsigned char)path.p[i] <= 0x20 || strchr("\\?#:%", path.p[i]) != NULL)
            return false;
    }
    return !contains(path, "..") && !contains(path, "//");
}

static int path_add(struct csaf_walk *walk, size_t list, struct isg_str path, struct isg_str time,
                    struct isg_fail *why)
{
    struct isg_fail own = {.code = ISG_OK};
    struct csaf_entry entry = {.stamp = time, .list = list};
    if (!path_fits(path))
        (void)isg_fail(&own, ISG_EDENIED, "not a path of a JSON file below the directory");
    else
        entry.url = csaf_url(walk, walk->lists[list].url, path, &own);
    if (entry.url != NULL)
        return entry_add(walk, &entry, why);
    const char *name = isg_arena_copy(walk->arena, path);
    csaf_failed(walk->run, name == NULL ? "a line" : name, &own);
    return ISG_OK;
}

int csaf_lines_read(struct csaf_walk *walk, size_t list, struct isg_str text, struct isg_fail *why)
{
    struct isg_str line;
    struct isg_str path;
    struct isg_str time;
    int err = ISG_OK;
    for (size_t n = 0; err == ISG_OK && isg_str_split(&text, '\n', &line); n++) {
        line_read(line, &path, &time);
        if (n == CSAF_ENTRIES_MAX)
            err = isg_fail(why, ISG_ELIMIT, "the list has more than %d lines", CSAF_ENTRIES_MAX);
        else if (path.n > 0)
            err = path_add(walk, list, path, time, why);
    }
    return err;
}

/* ---- ROLIE ---------------------------------------------------------------------------------- */

/* The href of a link of this kind whose end fits. */
static struct isg_str link_of(const struct stix_json *entry, const char *rel, const char *end)
{
    const struct stix_json *links = stix_json_get(entry, "link");
    for (size_t i = 0; i < stix_json_size(links); i++) {
        const struct stix_json *link = stix_json_at(links, i);
        struct isg_str href = stix_json_get_str(link, "href");
        if (isg_str_is(stix_json_get_str(link, "rel"), rel) && isg_str_ends(href, isg_str_of(end)))
            return href;
    }
    return (struct isg_str){0};
}

static int rolie_add(struct csaf_walk *walk, size_t list, const struct stix_json *json,
                     enum stix_tlp label, struct isg_fail *why)
{
    const char *base = walk->lists[list].url;
    struct isg_fail own = {.code = ISG_OK};
    struct csaf_entry entry = {
        .stamp = stix_json_get_str(json, "updated"), .floor = label, .list = list};
    struct isg_str source = stix_json_get_str(stix_json_get(json, "content"), "src");
    if (source.n == 0)
        source = link_of(json, "self", "");
    if (source.n == 0)
        (void)isg_fail(&own, ISG_EINVAL, "an entry of the feed names no document");
    else
        entry.url = csaf_url(walk, base, source, &own);
    for (size_t i = 0; i < HASH_KINDS && entry.url != NULL; i++) {
        struct isg_str href = link_of(json, "hash", hash_file_end((enum hash_kind)i));
        if (href.n > 0 && (entry.hashes[i] = csaf_url(walk, base, href, &own)) == NULL)
            entry.url = NULL; /* a hash that may not be asked proves nothing */
    }
    if (entry.url != NULL)
        return entry_add(walk, &entry, why);
    const char *name = isg_arena_copy(walk->arena, source);
    csaf_failed(walk->run, name == NULL || name[0] == '\0' ? "an entry" : name, &own);
    return ISG_OK;
}

int csaf_rolie_read(struct csaf_walk *walk, size_t list, const struct stix_json *feed,
                    enum stix_tlp label, struct isg_fail *why)
{
    const struct stix_json *entries = stix_json_get(feed, "entry");
    int err = ISG_OK;
    for (size_t i = 0; i < stix_json_size(entries) && err == ISG_OK; i++)
        err = rolie_add(walk, list, stix_json_at(entries, i), label, why);
    return err;
}
