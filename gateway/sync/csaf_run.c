#include "gateway/sync/csaf_run.h"

#include <string.h>

#include "gateway/sync/csaf_private.h"
#include "stix/json.h"
#include "stix/scan.h"

enum { ARENA_MAX = 256 << 20 };

bool csaf_run_is(const struct feed_def *def)
{
    return strcmp(def->format, "csaf") == 0;
}

bool csaf_is_fatal(int err)
{
    return err == ISG_ENOMEM || err == ISG_EIO || err == ISG_ESTORE || err == ISG_ELIMIT;
}

/* ---- lists ---------------------------------------------------------------------------------- */

/*
 * Note that url is going to be read; *out_again: it was, as the same, for several metadata of a provider
 * may name one list. Who names without end is not followed.
 */
static int read_once(struct csaf_walk *walk, const char *as, const char *url, bool *out_again,
                     struct isg_fail *why)
{
    const char *name = isg_arena_printf(walk->arena, "%s %s", as, url);
    *out_again = false;
    for (size_t i = 0; i < walk->read.count && name != NULL && !*out_again; i++)
        *out_again = isg_str_is(walk->read.items[i], name);
    if (*out_again)
        return ISG_OK;
    if (walk->read.count == CSAF_NAMED_MAX)
        return isg_fail_at(why, ISG_ELIMIT, NULL, "R-084",
                           "the provider names more than %d lists and metadata", CSAF_NAMED_MAX);
    return name != NULL && text_list_add(walk->arena, &walk->read, isg_str_of(name))
               ? ISG_OK
               : isg_fail(why, ISG_ENOMEM, "no memory");
}

/* GET a list unless it is as the last run read it: then 304 and no new place in walk->lists. */
static int list_get(struct csaf_walk *walk, const char *url, struct feed_response *out,
                    struct isg_fail *why)
{
    struct csaf_record known = csaf_table_list(&walk->table, url);
    const char *etag = isg_arena_copy(walk->arena, known.etag);
    const char *modified = isg_arena_copy(walk->arena, known.stamp);
    int err = feed_run_get(walk->run, url, etag, modified, out, why);
    if (err == ISG_OK && out->status == 304)
        walk->not_modified++;
    return err;
}

/* Its place in walk->lists. */
static int list_add(struct csaf_walk *walk, const char *url, const struct feed_response *response,
                    size_t *out, struct isg_fail *why)
{
    if (walk->list_count == CSAF_LISTS_MAX)
        return isg_fail(why, ISG_ELIMIT, "the provider has more than %d lists", CSAF_LISTS_MAX);
    *out = walk->list_count++;
    walk->lists[*out] = (struct csaf_list){
        .url = isg_arena_copy(walk->arena, isg_str_of(url)),
        .etag = isg_arena_copy(walk->arena, isg_str_of(response->etag)),
        .last_modified = isg_arena_copy(walk->arena, isg_str_of(response->last_modified))};
    return walk->lists[*out].url == NULL ? isg_fail(why, ISG_ENOMEM, "no memory") : ISG_OK;
}

static int lines_run(struct csaf_walk *walk, const char *url, struct isg_fail *why)
{
    struct feed_response response = {0};
    size_t list;
    int err = list_get(walk, url, &response, why);
    if (err == ISG_OK && response.status != 304) {
        err = list_add(walk, url, &response, &list, why);
        if (err == ISG_OK)
            err = csaf_lines_read(walk, list, feed_unmarked(isg_buf_str(&response.body)), why);
    }
    feed_response_done(&response);
    return err;
}

int csaf_directory_run(struct csaf_walk *walk, const char *folder, struct isg_fail *why)
{
    const char *changes = isg_arena_printf(walk->arena, "%schanges.csv", folder);
    const char *index = isg_arena_printf(walk->arena, "%sindex.txt", folder);
    if (changes == NULL || index == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    int err = lines_run(walk, changes, why);
    return err == ISG_ENOENT ? lines_run(walk, index, why) : err;
}

/* ---- what stands at a URL ------------------------------------------------------------------- */

static int json_read(struct isg_str text, struct stix_json **out, struct isg_fail *why)
{
    text = feed_unmarked(text);
    int err = stix_scan(text, NULL, why);
    return err == ISG_OK ? stix_json_parse(text, NULL, out, why) : err;
}

/* "UNLABELED" feeds exist; a label nobody knows is the strictest. */
static enum stix_tlp label_of(struct isg_str label)
{
    if (label.n == 0 || isg_str_ieq(label, ISG_STR("unlabeled")))
        return STIX_TLP_NONE;
    enum stix_tlp level = stix_tlp_of_name(label);
    return level == STIX_TLP_UNKNOWN ? STIX_TLP_RED : level;
}

static int rolie_run(struct csaf_walk *walk, const char *url, enum stix_tlp label,
                     struct isg_fail *why)
{
    struct feed_response response = {0};
    struct stix_json *json = NULL;
    size_t list;
    int err = list_get(walk, url, &response, why);
    if (err == ISG_OK && response.status != 304) {
        err = json_read(isg_buf_str(&response.body), &json, why);
        if (err == ISG_OK && !stix_json_has(json, "feed"))
            err = isg_fail_at(why, ISG_EINVAL, "/feed", "RFC 8322", "not a ROLIE feed");
        if (err == ISG_OK)
            err = list_add(walk, url, &response, &list, why);
        if (err == ISG_OK)
            err = csaf_rolie_read(walk, list, stix_json_get(json, "feed"), label, why);
    }
    stix_json_free(&json);
    feed_response_done(&response);
    return err;
}

/* A feed or directory of the metadata; one that fails costs itself. */
static int distribution_run(struct csaf_walk *walk, const char *base, struct isg_str reference,
                            const struct stix_json *feed, struct isg_fail *why)
{
    struct isg_fail own = {.code = ISG_OK};
    const char *url = csaf_url(walk, base, reference, &own);
    int err = url == NULL ? own.code : ISG_OK;
    enum stix_tlp label = label_of(stix_json_get_str(feed, "tlp_label"));
    bool again = false;
    if (err == ISG_OK)
        err = read_once(walk, feed == NULL ? "folder" : stix_tlp_name(label), url, &again, &own);
    if (again)
        return ISG_OK;
    if (err == ISG_OK && feed != NULL)
        err = rolie_run(walk, url, label, &own);
    else if (err == ISG_OK && !isg_str_ends(isg_str_of(url), ISG_STR("/")))
        err = csaf_directory_run(walk, isg_arena_printf(walk->arena, "%s/", url), &own);
    else if (err == ISG_OK)
        err = csaf_directory_run(walk, url, &own);
    if (err == ISG_OK)
        return ISG_OK;
    if (csaf_is_fatal(err))
        return isg_fail_at(why, err, own.path, own.rule, "%s", own.text);
    const char *name = isg_arena_copy(walk->arena, reference);
    csaf_failed(walk->run, name == NULL ? "a distribution" : name, &own);
    return ISG_OK;
}

static int feeds_run(struct csaf_walk *walk, const char *base, const struct stix_json *distribution,
                     size_t *found, struct isg_fail *why)
{
    const struct stix_json *feeds = stix_json_get(stix_json_get(distribution, "rolie"), "feeds");
    int err = ISG_OK;
    for (size_t i = 0; i < stix_json_size(feeds) && err == ISG_OK; i++) {
        const struct stix_json *feed = stix_json_at(feeds, i);
        (*found)++;
        err = distribution_run(walk, base, stix_json_get_str(feed, "url"), feed, why);
    }
    return err;
}

/* provider-metadata.json: its ROLIE feeds, one for each label; else its directories. */
static int provider_run(struct csaf_walk *walk, const char *url, const struct stix_json *json,
                        struct isg_fail *why)
{
    const struct stix_json *list = stix_json_get(json, "distributions");
    size_t found = 0;
    int err = ISG_OK;
    for (size_t i = 0; i < stix_json_size(list) && err == ISG_OK; i++)
        err = feeds_run(walk, url, stix_json_at(list, i), &found, why);
    for (size_t i = 0; i < stix_json_size(list) && found == 0 && err == ISG_OK; i++) {
        struct isg_str folder = stix_json_get_str(stix_json_at(list, i), "directory_url");
        if (folder.n > 0) {
            err = distribution_run(walk, url, folder, NULL, why);
            walk->directories++;
        }
    }
    if (err == ISG_OK && found == 0 && walk->directories == 0)
        err = isg_fail_at(why, ISG_EINVAL, "/distributions", "CSAF 2.0, 7.1.7",
                          "the provider names neither a ROLIE feed nor a directory");
    return err;
}

static int document_run(struct csaf_walk *walk, const char *url,
                        const struct feed_response *response, struct isg_fail *why)
{
    size_t list = 0;
    int err = list_add(walk, url, response, &list, why);
    const struct csaf_entry entry = {.url = walk->lists[list].url, .list = list};
    return err == ISG_OK ? csaf_document_map(walk, &entry, response, why) : err;
}

int csaf_json_run(struct csaf_walk *walk, const char *url, bool *out_again, struct isg_fail *why)
{
    struct feed_response response = {0};
    struct stix_json *json = NULL;
    size_t list;
    *out_again = false;
    int err = read_once(walk, "content", url, out_again, why);
    if (err != ISG_OK || *out_again)
        return err;
    err = list_get(walk, url, &response, why);
    if (err == ISG_OK && response.status != 304) {
        err = json_read(isg_buf_str(&response.body), &json, why);
        if (err == ISG_OK && stix_json_has(json, "distributions"))
            err = provider_run(walk, url, json, why);
        else if (err == ISG_OK && !stix_json_has(json, "feed"))
            err = document_run(walk, url, &response, why);
        else if (err == ISG_OK && (err = list_add(walk, url, &response, &list, why)) == ISG_OK)
            err = csaf_rolie_read(walk, list, stix_json_get(json, "feed"), STIX_TLP_NONE, why);
    }
    stix_json_free(&json);
    feed_response_done(&response);
    return err;
}

/* ---- the run -------------------------------------------------------------------------------- */

static int lists_run(struct csaf_walk *walk, struct isg_fail *why)
{
    bool again;
    const char *url = walk->run->def->url;
    struct isg_str text = isg_str_of(url);
    const char *at = strstr(url, "://");
    const char *path = at == NULL ? NULL : strchr(at + 3, '/');
    if (path == NULL)
        return csaf_host_run(walk, isg_arena_printf(walk->arena, "%s/", url), why);
    if (path[1] == '\0')
        return csaf_host_run(walk, url, why);
    if (isg_str_ends(text, ISG_STR("/")))
        return csaf_directory_run(walk, url, why);
    if (isg_str_ends(text, ISG_STR("/index.txt")) || isg_str_ends(text, ISG_STR("/changes.csv")))
        return lines_run(walk, url, why);
    return csaf_json_run(walk, url, &again, why);
}

static bool has_to_stop(const struct feed_run *run)
{
    return run->parts->stop != NULL && atomic_load(run->parts->stop);
}

static int entries_run(struct csaf_walk *walk, struct isg_fail *why)
{
    struct feed_run *run = walk->run;
    csaf_entries_merge(walk);
    for (size_t i = 0; i < walk->count; i++) {
        const struct csaf_entry *entry = &walk->entries[i];
        struct isg_fail own = {.code = ISG_OK};
        if (has_to_stop(run))
            return isg_fail(why, ISG_EBUSY, "the service is stopping");
        int err = csaf_entry_run(walk, entry, &own);
        if (err == ISG_OK)
            continue;
        if (csaf_is_fatal(err) && err != ISG_ELIMIT)
            return isg_fail(why, err, "%s", own.text);
        walk->lists[entry->list].again = true;
        csaf_failed(run, entry->url, &own);
    }
    return ISG_OK;
}

/* Validators of a list are kept only when all it names was read. */
static int table_fill(struct csaf_walk *walk, struct isg_fail *why)
{
    struct feed_run *run = walk->run;
    for (size_t i = 0; i < walk->list_count; i++) {
        const struct csaf_list *list = &walk->lists[i];
        const struct csaf_record record = {.url = list->url,
                                           .stamp = isg_str_of(list->last_modified),
                                           .etag = isg_str_of(list->etag)};
        const struct csaf_record none = {.url = list->url};
        if (!csaf_table_note(&walk->table, &walk->table.lists, list->again ? &none : &record))
            return isg_fail(why, ISG_ENOMEM, "no memory");
    }
    csaf_table_write(&walk->table, &run->files);
    run->state.converter = FEED_CONVERTER_VERSION;
    return run->files.err == ISG_OK ? ISG_OK : isg_fail(why, run->files.err, "no memory");
}

static int walk_run(struct csaf_walk *walk, struct isg_fail *why)
{
    struct feed_run *run = walk->run;
    int err = lists_run(walk, why);
    if (err != ISG_OK)
        return err;
    run->nothing = walk->list_count == 0 && walk->not_modified > 0 && run->failed == 0;
    if (run->nothing)
        return ISG_OK;
    err = entries_run(walk, why);
    if (err == ISG_OK)
        err = table_fill(walk, why);
    bool none = run->documents == 0 && run->unchanged == 0 && walk->not_modified == 0;
    if (err == ISG_OK && run->failed > 0 && none) {
        err = run->first_failed.code; /* nothing could be read at all */
        if (why != NULL)
            *why = run->first_failed;
    }
    return err;
}

static int run_in(struct feed_run *run, struct isg_arena *arena, struct isg_fail *why)
{
    struct csaf_walk *walk = isg_arena_alloc(arena, sizeof *walk);
    if (walk == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    walk->run = run;
    walk->arena = arena;
    int err = csaf_table_load(run, arena, &walk->table, why);
    if (err == ISG_OK)
        err = walk_run(walk, why);
    csaf_table_done(&walk->table);
    return err;
}

int csaf_run(struct feed_run *run, struct isg_fail *why)
{
    struct isg_arena *arena = isg_arena_new(ARENA_MAX);
    int err = arena == NULL ? isg_fail(why, ISG_ENOMEM, "no memory") : run_in(run, arena, why);
    isg_arena_free(&arena);
    return err;
}
