/*
 * The catalogue of known exploited vulnerabilities (feeds digest 5.4): one JSON file with the full
 * state. Its facts go to the merged vulnerability as the part "kev"; product and link to it are
 * translated as they are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feeds/extensions.h"
#include "feeds/map.h"
#include "feeds/sources.h"
#include "stix/json.h"

static const char facet_name[] = "kev";
static const char catalogue_name[] = "CISA";
static const char catalogue_home[] = "https://www.cisa.gov/";
static const char catalogue_page[] = "https://www.cisa.gov/known-exploited-vulnerabilities-catalog";

/* One entry with its cleaned key fields. */
struct entry {
    const struct stix_json *json;
    char cve[TEXT_CVE_MAX];
    char added[ISG_TIME_TEXT];
};

struct kev {
    struct map map;
    char cisa[STIX_ID_MAX + 1];
    struct entry *entries;
    size_t count;
};

static struct isg_str field(struct kev *kev, const struct entry *entry, const char *name)
{
    return text_prose(kev->map.arena, stix_json_get_str(entry->json, name));
}

/* ---- shape ---------------------------------------------------------------------------------- */

static int entry_read(const struct stix_json *json, size_t i, struct entry *out,
                      struct isg_fail *why)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/vulnerabilities/%zu", i);
    out->json = json;
    if (!text_cve(stix_json_get_str(json, "cveID"), out->cve))
        return isg_fail_at(why, ISG_EINVAL, path, NULL, "cveID is no CVE identifier");
    if (!text_day(isg_str_trim(stix_json_get_str(json, "dateAdded")), out->added))
        return isg_fail_at(why, ISG_EINVAL, path, NULL, "dateAdded is no day");
    return ISG_OK;
}

static int by_cve(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    int order = strcmp(x->cve, y->cve);
    return order != 0 ? order : strcmp(x->added, y->added);
}

/* The declared count must be the real one: a file cut short hands out nothing (digest 2.3). */
static int catalogue_check(const struct stix_json *root, struct isg_fail *why)
{
    int64_t declared;
    const struct stix_json *list = stix_json_get(root, "vulnerabilities");
    if (stix_json_type(list) != STIX_JSON_LIST || !stix_json_has(root, "catalogVersion"))
        return isg_fail_at(why, ISG_EINVAL, "/vulnerabilities", NULL, "not a KEV catalogue");
    if (!stix_json_int(stix_json_get(root, "count"), &declared))
        return isg_fail_at(why, ISG_EINVAL, "/count", NULL, "the catalogue declares no count");
    if (declared < 0 || (size_t)declared != stix_json_size(list))
        return isg_fail_at(why, ISG_EINVAL, "/count", NULL, "declares %lld entries and holds %zu",
                           (long long)declared, stix_json_size(list));
    return ISG_OK;
}

static int catalogue_read(struct kev *kev, const struct stix_json *root, struct isg_fail *why)
{
    int err = catalogue_check(root, why);
    if (err != ISG_OK)
        return err;
    const struct stix_json *list = stix_json_get(root, "vulnerabilities");
    kev->count = stix_json_size(list);
    kev->entries = isg_arena_alloc(kev->map.arena, (kev->count + 1) * sizeof *kev->entries);
    if (kev->entries == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    for (size_t i = 0; i < kev->count && err == ISG_OK; i++)
        err = entry_read(stix_json_at(list, i), i, &kev->entries[i], why);
    qsort(kev->entries, kev->count, sizeof *kev->entries, by_cve);
    return err;
}

/* ---- notes ---------------------------------------------------------------------------------- */

static bool is_url_start(struct isg_str s)
{
    return isg_str_starts(s, ISG_STR("https://")) || isg_str_starts(s, ISG_STR("http://"));
}

/* A URL in running text ends at a blank; a comma or full stop behind it is not part of it. */
static struct isg_str url_of_word(struct isg_str word)
{
    while (word.n > 0 && strchr(".,)", word.p[word.n - 1]) != NULL)
        word.n--;
    return word;
}

/* Words of one piece of the notes: URLs become references, the rest stays prose. */
static void notes_piece(struct kev *kev, struct isg_str piece, struct map_references *references,
                        struct isg_buf *prose)
{
    struct isg_str word;
    size_t begin = prose->len;
    while (isg_str_split(&piece, ' ', &word)) {
        word = isg_str_trim(word);
        if (is_url_start(word) && text_is_web_url(url_of_word(word))) {
            map_reference_add(&kev->map, references,
                              &(struct map_reference){MAP_RANK_URL, isg_str_of(catalogue_name),
                                                      .url = url_of_word(word)});
        } else if (word.n > 0) {
            if (prose->len > 0)
                isg_buf_puts(prose, prose->len == begin ? "; " : " ");
            isg_buf_put_str(prose, word);
        }
    }
}

/* `notes` is prose and URLs between semicolons (digest 5.4); "N/A" says nothing. */
static struct isg_str notes_split(struct kev *kev, struct isg_str notes,
                                  struct map_references *references)
{
    struct isg_buf prose;
    struct isg_str piece;
    isg_buf_init(&prose, notes.n * 2 + 16);
    while (isg_str_split(&notes, ';', &piece)) {
        piece = isg_str_trim(piece);
        if (!text_is_absent(piece))
            notes_piece(kev, piece, references, &prose);
    }
    struct isg_str out = {0};
    if (prose.len > 0)
        out = isg_str_of(isg_arena_copy(kev->map.arena, isg_buf_str(&prose)));
    isg_buf_done(&prose);
    return out;
}

/* ---- the vulnerability ---------------------------------------------------------------------- */

/* Known is yes; Unknown is not "no" (digest 5.4). */
static void ransomware_write(struct kev *kev, struct isg_str use)
{
    isg_jsonw_name(&kev->map.w, "ransomware");
    if (isg_str_ieq(use, ISG_STR("known")))
        isg_jsonw_bool(&kev->map.w, true);
    else if (isg_str_ieq(use, ISG_STR("no")) || isg_str_ieq(use, ISG_STR("not known")))
        isg_jsonw_bool(&kev->map.w, false);
    else
        isg_jsonw_str(&kev->map.w, ISG_STR("unknown"));
}

static void facts_write(struct kev *kev, const struct entry *entry, struct isg_str notes)
{
    struct map *map = &kev->map;
    char due[ISG_TIME_TEXT];
    map_extension_begin(map, MAP_EXTENSION_RISK);
    isg_jsonw_put_bool(&map->w, "kev", true);
    isg_jsonw_name(&map->w, "kev_entry");
    isg_jsonw_object(&map->w);
    isg_jsonw_put(&map->w, "dateAdded", entry->added);
    if (text_day(field(kev, entry, "dueDate"), due))
        isg_jsonw_put(&map->w, "dueDate", due);
    ransomware_write(kev, field(kev, entry, "knownRansomwareCampaignUse"));
    map_string(map, "action", field(kev, entry, "requiredAction"));
    isg_jsonw_put(&map->w, "reference", catalogue_page);
    map_string(map, "notes", notes);
    isg_jsonw_end(&map->w);
    map_extension_end(map);
}

/* The list of references but for those in the notes: the CVE first, then the record, then CWEs. */
static void references_of(struct kev *kev, const struct entry *entry, struct map_references *list)
{
    struct map *map = &kev->map;
    map_reference_add(map, list,
                      &(struct map_reference){MAP_RANK_CVE, ISG_STR("cve"),
                                              .external_id = isg_str_of(entry->cve)});
    map_reference_add(map, list,
                      &(struct map_reference){
                          MAP_RANK_RECORD, isg_str_of(catalogue_name),
                          .external_id = isg_str_of(entry->cve), .url = isg_str_of(catalogue_page),
                          .description = field(kev, entry, "vulnerabilityName")});
    const struct stix_json *cwes = stix_json_get(entry->json, "cwes");
    for (size_t i = 0; i < stix_json_size(cwes); i++) {
        struct isg_str cwe = text_clean(map->arena, stix_json_str(stix_json_at(cwes, i)));
        if (text_is_cwe(cwe))
            map_reference_add(
                map, list,
                &(struct map_reference){MAP_RANK_CWE, ISG_STR("cwe"), .external_id = cwe});
    }
}

static void vulnerability_id(struct map *map, const char *cve, char out[STIX_ID_MAX + 1])
{
    struct isg_str fields[] = {ISG_STR("vulnerability"), isg_str_of(cve)};
    map_id(map, "vulnerability", fields, 2, out);
}

static void vulnerability_write(struct kev *kev, const struct entry *entry, const char *id)
{
    struct map *map = &kev->map;
    struct map_references references = {0};
    references_of(kev, entry, &references);
    struct isg_str notes = notes_split(kev, field(kev, entry, "notes"), &references);
    struct text_list labels = {0};
    (void)text_list_add(map->arena, &labels, ISG_STR("kev"));
    map_begin(map, &(struct map_head){"vulnerability", id, entry->added, entry->added, map->owner});
    isg_jsonw_put(&map->w, "name", entry->cve);
    map_string(map, "description", field(kev, entry, "shortDescription"));
    map_strings(map, "labels", &labels);
    map_references_write(map, &references);
    facts_write(kev, entry, notes);
    map_end(map, facet_name);
}

/* ---- the product ---------------------------------------------------------------------------- */

static void affects_write(struct kev *kev, const struct entry *entry, const char *software,
                          const char *vulnerability)
{
    struct map *map = &kev->map;
    char id[STIX_ID_MAX + 1];
    map_relationship_id(map, "related-to", software, vulnerability, id);
    if (!map_is_new(map, id))
        return;
    map_begin(map, &(struct map_head){"relationship", id, entry->added, entry->added, kev->cisa});
    isg_jsonw_put(&map->w, "relationship_type", "related-to");
    isg_jsonw_put(&map->w, "source_ref", software);
    isg_jsonw_put(&map->w, "target_ref", vulnerability);
    map_extension_begin(map, MAP_EXTENSION_PRODUCT_STATUS);
    isg_jsonw_put(&map->w, "status", "known_affected");
    map_extension_end(map);
    map_end(map, NULL);
}

/* A product the catalogue names; "Multiple Products" names none (digest 5.4). */
static void product_write(struct kev *kev, const struct entry *entry, const char *vulnerability)
{
    char id[STIX_ID_MAX + 1];
    struct isg_str name = field(kev, entry, "product");
    struct isg_str vendor = field(kev, entry, "vendorProject");
    if (text_is_absent(name) || isg_str_ieq(name, ISG_STR("multiple products")) ||
        !map_software(&kev->map, &(struct map_software){name, .vendor = vendor}, id))
        return;
    affects_write(kev, entry, id, vulnerability);
}

static void entry_write(struct kev *kev, const struct entry *entry)
{
    char id[STIX_ID_MAX + 1];
    kev->map.context->records++;
    vulnerability_id(&kev->map, entry->cve, id);
    if (!map_is_new(&kev->map, id)) {
        kev->map.context->excluded++; /* listed twice: the first stays */
        return;
    }
    vulnerability_write(kev, entry, id);
    product_write(kev, entry, id);
}

int source_kev(struct feed_context *context, struct isg_str text, struct isg_fail *why)
{
    static const char *const extensions[] = {MAP_EXTENSION_RISK, MAP_EXTENSION_PRODUCT_STATUS,
                                             NULL};
    struct kev kev = {0};
    struct stix_json *root = NULL;
    map_init(&kev.map, context, why);
    int err = kev.map.err;
    if (err == ISG_OK)
        err = stix_json_parse(text, &context->limits, &root, why);
    if (err == ISG_OK)
        err = catalogue_read(&kev, root, why);
    if (err == ISG_OK) {
        kev.map.marking = feed_clear_marking();
        map_preamble(&kev.map, extensions);
        map_organisation(&kev.map, isg_str_of(catalogue_name), isg_str_of(catalogue_home),
                         kev.cisa);
        for (size_t i = 0; i < kev.count && kev.map.err == ISG_OK; i++)
            entry_write(&kev, &kev.entries[i]);
        err = kev.map.err;
    }
    stix_json_free(&root);
    map_done(&kev.map);
    return err;
}

/* ---- no longer listed ----------------------------------------------------------------------- */

static void cleared_write(struct map *map, const struct stix_json *object, const char *facet)
{
    char now[ISG_TIME_TEXT];
    struct map_references references = {0};
    char cve[TEXT_CVE_MAX];
    char id[STIX_ID_MAX + 1];
    struct isg_str created = stix_json_get_str(object, "created");
    int64_t ignored;
    if (!isg_time_parse(created, &ignored) || !text_cve(stix_json_get_str(object, "name"), cve)) {
        map_fail(map, ISG_EINVAL, "/name", "not a vulnerability of the catalogue");
        return;
    }
    vulnerability_id(map, cve, id);
    isg_time_format(map->context->now_us, 3, now);
    const char *first = isg_arena_copy(map->arena, created);
    const char *modified = isg_time_cmp(isg_str_of(now), created) < 0 ? first : now; /* S-026 */
    map_begin(map, &(struct map_head){"vulnerability", id, first, modified, map->owner});
    isg_jsonw_put(&map->w, "name", cve);
    map_reference_add(
        map, &references,
        &(struct map_reference){MAP_RANK_CVE, ISG_STR("cve"), .external_id = isg_str_of(cve)});
    map_references_write(map, &references);
    map_extension_begin(map, MAP_EXTENSION_RISK);
    isg_jsonw_put_bool(&map->w, "kev", false);
    map_extension_end(map);
    map_end(map, facet);
}

int source_kev_withdraw(struct feed_context *context, struct isg_str object, const char *facet,
                        struct isg_fail *why)
{
    struct map map;
    struct stix_json *tree = NULL;
    map_init(&map, context, why);
    int err = map.err;
    if (err == ISG_OK)
        err = stix_json_parse(object, NULL, &tree, why);
    if (err == ISG_OK) {
        map.marking = feed_clear_marking();
        map_owner(&map);
        cleared_write(&map, tree, facet);
        err = map.err;
    }
    stix_json_free(&tree);
    map_done(&map);
    return err;
}
