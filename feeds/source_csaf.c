/*
 * A CSAF 2.0 advisory (feeds digest 5.3, medical domain digest part 7): one document becomes one
 * report with all it speaks of. The report's versions are the document's.
 */
#include <string.h>

#include "feeds/csaf.h"
#include "feeds/extensions.h"
#include "feeds/sources.h"
#include "stix/base/digest.h"
#include "stix/marking.h"

enum { REFS_MAX = 150000, FACET_MAX = 120, VERSION_MAX = 40, NAME_MAX_BYTES = 250 };

struct isg_str csaf_text(struct csaf *csaf, const struct stix_json *json, const char *name)
{
    return text_prose(csaf->map.arena, stix_json_get_str(json, name));
}

struct map_head csaf_head(const struct csaf *csaf, const char *type, const char *id)
{
    return (struct map_head){type, id, csaf->created, csaf->modified, csaf->publisher_id};
}

struct map_head csaf_shared_head(const struct csaf *csaf, const char *type, const char *id)
{
    struct map_head head = csaf_head(csaf, type, id);
    if (csaf->map.apart.n == 0)
        head.creator = csaf->map.owner; /* the merged record is the gateway's own (digest 4) */
    return head;
}

void csaf_refer(struct csaf *csaf, const char *id)
{
    const char *copy = isg_arena_copy(csaf->map.arena, isg_str_of(id));
    if (!text_list_add(csaf->map.arena, &csaf->refs, isg_str_of(copy)))
        map_fail(&csaf->map, ISG_ENOMEM, NULL, "no memory");
}

void csaf_text_id(struct csaf *csaf, const char *type, const struct isg_str *texts, size_t count,
                  char out[STIX_ID_MAX + 1])
{
    struct isg_sha256 hash;
    uint8_t digest[ISG_SHA256_BYTES];
    char hex[2 * 16 + 1];
    isg_sha256_init(&hash);
    for (size_t i = 0; i < count; i++) {
        isg_sha256_add(&hash, texts[i].p, texts[i].n);
        isg_sha256_add(&hash, "", 1); /* a NUL between the texts */
    }
    isg_sha256_end(&hash, digest);
    isg_hex_encode(digest, 16, hex);
    const char *record =
        isg_arena_printf(csaf->map.arena, "%.*s/%s", ISG_STR_ARG(csaf->tracking_id), hex);
    struct isg_str fields[] = {isg_str_of(type), csaf->slug, isg_str_of(record)};
    map_id(&csaf->map, type, fields, 3, out);
}

/* ---- shape ---------------------------------------------------------------------------------- */

static int need_text(struct csaf *csaf, const struct stix_json *json, const char *name,
                     const char *path, struct isg_str *out)
{
    *out = csaf_text(csaf, json, name);
    if (out->n == 0)
        return isg_fail_at(csaf->map.why, ISG_EINVAL, path, "CSAF 2.0", "required");
    return ISG_OK;
}

static int need_time(struct csaf *csaf, const char *name, char out[ISG_TIME_TEXT])
{
    const struct stix_json *tracking = stix_json_get(csaf->document, "tracking");
    if (!text_time(stix_json_get_str(tracking, name), out))
        return isg_fail_at(csaf->map.why, ISG_EINVAL, "/document/tracking", "CSAF 2.0",
                           "%s is no timestamp", name);
    return ISG_OK;
}

static int document_read(struct csaf *csaf)
{
    const struct stix_json *tracking = stix_json_get(csaf->document, "tracking");
    const struct stix_json *publisher = stix_json_get(csaf->document, "publisher");
    struct isg_str version = stix_json_get_str(csaf->document, "csaf_version");
    if (!isg_str_is(version, "2.0") && !isg_str_is(version, "2.1"))
        return isg_fail_at(csaf->map.why, ISG_EINVAL, "/document/csaf_version", "CSAF 2.0",
                           "not a CSAF 2.0 document");
    int err = need_text(csaf, tracking, "id", "/document/tracking/id", &csaf->tracking_id);
    if (err == ISG_OK)
        err = need_text(csaf, publisher, "name", "/document/publisher/name", &csaf->publisher);
    if (err == ISG_OK)
        err = need_time(csaf, "initial_release_date", csaf->created);
    if (err == ISG_OK)
        err = need_time(csaf, "current_release_date", csaf->modified);
    if (err == ISG_OK && strcmp(csaf->modified, csaf->created) < 0)
        memcpy(csaf->modified, csaf->created, sizeof csaf->modified); /* S-026 */
    return err;
}

/* Everything that may be wrong is found before the first object leaves. */
static int parts_check(struct csaf *csaf)
{
    const struct stix_json *list = stix_json_get(csaf->root, "vulnerabilities");
    if (list != NULL && stix_json_type(list) != STIX_JSON_LIST)
        return isg_fail_at(csaf->map.why, ISG_EINVAL, "/vulnerabilities", "CSAF 2.0", "not a list");
    int err = csaf_tree_read(stix_json_get(csaf->root, "product_tree"), csaf->map.arena,
                             &csaf->tree, csaf->map.why);
    return err == ISG_OK ? csaf_statuses_check(csaf) : err;
}

static bool has_word(struct isg_str text, struct isg_str word)
{
    for (size_t i = 0; i + word.n <= text.n; i++) {
        if (isg_str_ieq((struct isg_str){text.p + i, word.n}, word))
            return true;
    }
    return false;
}

/*
 * CISA's medical advisories say so by their number; all of CISA's name the sectors concerned, and
 * some that are not of the medical series name health care (medical domain digest, part 0).
 */
static enum csaf_field field_of(const struct csaf *csaf)
{
    const struct stix_json *notes = stix_json_get(csaf->document, "notes");
    enum csaf_field field = CSAF_FIELD_UNSAID;
    if (isg_str_starts(csaf->tracking_id, ISG_STR("ICSMA-")))
        return CSAF_FIELD_MEDICAL;
    if (isg_str_starts(csaf->tracking_id, ISG_STR("ICSA-")))
        field = CSAF_FIELD_OTHER;
    for (size_t i = 0; i < stix_json_size(notes); i++) {
        const struct stix_json *note = stix_json_at(notes, i);
        if (!has_word(stix_json_get_str(note, "title"), ISG_STR("sectors")))
            continue;
        if (has_word(stix_json_get_str(note, "text"), ISG_STR("healthcare")))
            return CSAF_FIELD_MEDICAL;
        field = CSAF_FIELD_OTHER;
    }
    return field;
}

/*
 * No label: no marking, so that the collection's default applies; an unknown one is RED (2.7). The
 * label of the list that names the document counts where it is stricter (5.3).
 */
static const char *marking_of(const struct csaf *csaf)
{
    const struct stix_json *distribution = stix_json_get(csaf->document, "distribution");
    struct isg_str label = stix_json_get_str(stix_json_get(distribution, "tlp"), "label");
    enum stix_tlp level = STIX_TLP_NONE;
    if (isg_str_trim(label).n > 0)
        level = stix_tlp_of_name(isg_str_trim(label));
    if (level == STIX_TLP_UNKNOWN)
        level = STIX_TLP_RED;
    if (csaf->map.context->floor > STIX_TLP_CLEAR && csaf->map.context->floor > level)
        level = csaf->map.context->floor;
    return stix_tlp_marking_id(level);
}

/* Only a CLEAR document has part in what others describe as well. */
static bool is_clear(const struct csaf *csaf)
{
    return csaf->map.marking != NULL && strcmp(csaf->map.marking, feed_clear_marking()) == 0;
}

/* The key of this document's parts: its publisher and id, short enough for a name in a store. */
static const char *key_of(struct csaf *csaf)
{
    struct isg_arena *arena = csaf->map.arena;
    if (csaf->slug.n + csaf->tracking_id.n + 6 <= FACET_MAX)
        return isg_arena_printf(arena, "csaf:%.*s/%.*s", ISG_STR_ARG(csaf->slug),
                                ISG_STR_ARG(csaf->tracking_id));
    char id[STIX_ID_MAX + 1];
    csaf_text_id(csaf, "report", NULL, 0, id);
    return isg_arena_printf(arena, "csaf:%s", id);
}

/* tracking.version without what is no version; "0" when there is none. */
static const char *version_of(struct csaf *csaf)
{
    const struct stix_json *tracking = stix_json_get(csaf->document, "tracking");
    struct isg_str version = csaf_text(csaf, tracking, "version");
    bool plain = version.n > 0 && version.n <= VERSION_MAX;
    for (size_t i = 0; plain && i < version.n; i++)
        plain = strchr("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.+-",
                       version.p[i]) != NULL;
    return plain ? isg_arena_copy(csaf->map.arena, version) : "0";
}

/* ---- references and notes ------------------------------------------------------------------- */

void csaf_references(struct csaf *csaf, const struct stix_json *references,
                     struct map_references *list)
{
    for (size_t i = 0; i < stix_json_size(references); i++) {
        const struct stix_json *reference = stix_json_at(references, i);
        struct isg_str url = csaf_text(csaf, reference, "url");
        if (text_is_web_url(url))
            map_reference_add(
                &csaf->map, list,
                &(struct map_reference){MAP_RANK_URL, csaf->publisher, .url = url,
                                        .description = csaf_text(csaf, reference, "summary")});
    }
}

void csaf_note(struct csaf *csaf, struct isg_str title, struct isg_str text, struct isg_str kind,
               const char *target)
{
    struct map *map = &csaf->map;
    struct isg_str texts[] = {kind, title, text, isg_str_of(target)};
    char id[STIX_ID_MAX + 1];
    struct text_list labels = {0};
    csaf_text_id(csaf, "note", texts, 4, id);
    if (text.n == 0 || !map_is_new(map, id))
        return;
    (void)text_list_add(map->arena, &labels, text_label(map->arena, "csaf", kind));
    struct map_head head = csaf_head(csaf, "note", id);
    map_begin(map, &head);
    map_string(map, "abstract", title);
    isg_jsonw_put_str(&map->w, "content", text);
    map_strings(map, "labels", &labels);
    isg_jsonw_name(&map->w, "object_refs");
    isg_jsonw_list(&map->w);
    isg_jsonw_str(&map->w, isg_str_of(target));
    isg_jsonw_end(&map->w);
    map_end(map, NULL);
    csaf_refer(csaf, id);
}

static struct isg_str joined(struct csaf *csaf, struct isg_str a, struct isg_str b)
{
    if (a.n == 0)
        return b;
    return isg_str_of(
        isg_arena_printf(csaf->map.arena, "%.*s\n\n%.*s", ISG_STR_ARG(a), ISG_STR_ARG(b)));
}

void csaf_notes(struct csaf *csaf, const struct stix_json *notes, const char *target,
                struct isg_str *out_description)
{
    *out_description = (struct isg_str){0};
    for (size_t i = 0; i < stix_json_size(notes) && csaf->map.err == ISG_OK; i++) {
        const struct stix_json *note = stix_json_at(notes, i);
        struct isg_str kind = csaf_text(csaf, note, "category");
        struct isg_str text = csaf_text(csaf, note, "text");
        if (isg_str_is(kind, "summary") || isg_str_is(kind, "description"))
            *out_description = joined(csaf, *out_description, text);
        else
            csaf_note(csaf, csaf_text(csaf, note, "title"), text, kind, target);
    }
}

/* ---- the report ----------------------------------------------------------------------------- */

static void list_of_texts(struct csaf *csaf, const struct stix_json *json, const char *name)
{
    struct text_list list = {0};
    const struct stix_json *texts = stix_json_get(json, name);
    for (size_t i = 0; i < stix_json_size(texts); i++)
        (void)text_list_add(csaf->map.arena, &list,
                            text_clean(csaf->map.arena, stix_json_str(stix_json_at(texts, i))));
    map_strings(&csaf->map, name, &list);
}

static void acknowledgment_write(struct csaf *csaf, const struct stix_json *thanks)
{
    isg_jsonw_object(&csaf->map.w);
    list_of_texts(csaf, thanks, "names");
    map_string(&csaf->map, "organization", csaf_text(csaf, thanks, "organization"));
    map_string(&csaf->map, "summary", csaf_text(csaf, thanks, "summary"));
    list_of_texts(csaf, thanks, "urls");
    isg_jsonw_end(&csaf->map.w);
}

static bool says_something(struct csaf *csaf, const struct stix_json *thanks)
{
    const struct stix_json *names = stix_json_get(thanks, "names");
    for (size_t i = 0; i < stix_json_size(names); i++) {
        if (text_clean(csaf->map.arena, stix_json_str(stix_json_at(names, i))).n > 0)
            return true;
    }
    return csaf_text(csaf, thanks, "organization").n > 0 ||
           csaf_text(csaf, thanks, "summary").n > 0;
}

static bool has_acknowledgments(struct csaf *csaf)
{
    const struct stix_json *list = stix_json_get(csaf->document, "acknowledgments");
    for (size_t i = 0; i < stix_json_size(list); i++) {
        if (says_something(csaf, stix_json_at(list, i)))
            return true;
    }
    return false;
}

static void acknowledgments_write(struct csaf *csaf)
{
    const struct stix_json *list = stix_json_get(csaf->document, "acknowledgments");
    if (!has_acknowledgments(csaf))
        return;
    map_extension_begin(&csaf->map, MAP_EXTENSION_REPORT);
    isg_jsonw_name(&csaf->map.w, "acknowledgments");
    isg_jsonw_list(&csaf->map.w);
    for (size_t i = 0; i < stix_json_size(list); i++) {
        if (says_something(csaf, stix_json_at(list, i)))
            acknowledgment_write(csaf, stix_json_at(list, i));
    }
    isg_jsonw_end(&csaf->map.w);
    map_extension_end(&csaf->map);
}

/* The URL under which the document calls itself; the JSON form first. */
static struct isg_str self_url(struct csaf *csaf)
{
    struct isg_str found = {0};
    const struct stix_json *references = stix_json_get(csaf->document, "references");
    for (size_t i = 0; i < stix_json_size(references); i++) {
        const struct stix_json *reference = stix_json_at(references, i);
        struct isg_str url = csaf_text(csaf, reference, "url");
        if (!isg_str_is(stix_json_get_str(reference, "category"), "self") || !text_is_web_url(url))
            continue;
        if (isg_str_ends(url, ISG_STR(".json")))
            return url;
        if (found.n == 0)
            found = url;
    }
    return found;
}

static struct isg_str hash_of_text(struct csaf *csaf)
{
    uint8_t digest[ISG_SHA256_BYTES];
    char hex[2 * ISG_SHA256_BYTES + 1];
    isg_sha256(csaf->text, digest);
    isg_hex_encode(digest, sizeof digest, hex);
    return isg_str_of(isg_arena_copy(csaf->map.arena, isg_str_of(hex)));
}

static void report_references(struct csaf *csaf)
{
    struct map_references list = {0};
    struct isg_str url = self_url(csaf);
    struct map_reference own = {MAP_RANK_RECORD, ISG_STR("csaf"), .url = url,
                                .external_id = csaf->tracking_id};
    if (isg_str_ends(url, ISG_STR(".json")))
        own.sha256 = hash_of_text(csaf); /* the URL's content is this text (S-020) */
    map_reference_add(&csaf->map, &list, &own);
    csaf_references(csaf, stix_json_get(csaf->document, "references"), &list);
    map_references_write(&csaf->map, &list);
}

static void report_labels(struct csaf *csaf)
{
    struct text_list labels = {0};
    struct isg_arena *arena = csaf->map.arena;
    const struct stix_json *tracking = stix_json_get(csaf->document, "tracking");
    (void)text_list_add(arena, &labels,
                        text_label(arena, "csaf", csaf_text(csaf, tracking, "status")));
    struct isg_str version = csaf_text(csaf, tracking, "version");
    if (version.n > 0)
        (void)text_list_add(arena, &labels, text_label(arena, "csaf:version", version));
    text_list_sort(&labels);
    map_strings(&csaf->map, "labels", &labels);
}

/* document.lang, where it is a plain language tag (S-029). */
static struct isg_str language_of(struct csaf *csaf)
{
    struct isg_str lang = csaf_text(csaf, csaf->document, "lang");
    bool plain = lang.n == 2 || (lang.n == 5 && lang.p[2] == '-');
    for (size_t i = 0; i < lang.n && plain; i++)
        plain = i == 2 || ((lang.p[i] | 0x20) >= 'a' && (lang.p[i] | 0x20) <= 'z');
    return plain ? lang : (struct isg_str){0};
}

/*
 * Everything the report speaks of; of an advisory with more than a receiver takes in one list, not
 * the relationships, which name the things anyway.
 */
static void object_refs_write(struct csaf *csaf)
{
    struct text_list *refs = &csaf->refs;
    size_t n = 0;
    text_list_sort(refs);
    for (size_t i = 0; refs->count > REFS_MAX && i < refs->count; i++) {
        if (!isg_str_starts(refs->items[i], ISG_STR("relationship--")))
            refs->items[n++] = refs->items[i];
    }
    if (n > 0)
        refs->count = n;
    if (refs->count > REFS_MAX)
        map_fail(&csaf->map, ISG_ELIMIT, "/", "the advisory speaks of too many things");
    map_strings(&csaf->map, "object_refs", refs);
}

static void report_write(struct csaf *csaf, struct isg_str description)
{
    struct map *map = &csaf->map;
    struct isg_str title = csaf_text(csaf, csaf->document, "title");
    const char *name = isg_arena_printf(map->arena, "%.*s %.*s", ISG_STR_ARG(csaf->tracking_id),
                                        ISG_STR_ARG(title));
    struct map_head head = csaf_head(csaf, "report", csaf->report_id);
    bool withdrawn = isg_str_is(stix_json_get_str(csaf->document, "category"), "csaf_withdrawn");
    map_begin(map, &head);
    if (withdrawn) /* a profile of CSAF 2.1; 2.0 says it in a note of a new version */
        isg_jsonw_put_bool(&map->w, "revoked", true);
    isg_jsonw_put_str(&map->w, "name",
                      text_shorten(map->arena, isg_str_trim(isg_str_of(name)), NAME_MAX_BYTES));
    map_string(map, "description", description);
    map_string(map, "lang", language_of(csaf));
    isg_jsonw_name(&map->w, "report_types");
    isg_jsonw_list(&map->w);
    isg_jsonw_str(&map->w, ISG_STR("vulnerability"));
    isg_jsonw_end(&map->w);
    isg_jsonw_put(&map->w, "published", csaf->created);
    report_labels(csaf);
    object_refs_write(csaf);
    report_references(csaf);
    acknowledgments_write(csaf);
    map_end(map, csaf->facet);
}

/* ---- the document --------------------------------------------------------------------------- */

/* A vendor speaks for itself in the plain form its advisories by others would give it. */
static void publisher_write(struct csaf *csaf)
{
    const struct stix_json *publisher = stix_json_get(csaf->document, "publisher");
    struct isg_str home = csaf_text(csaf, publisher, "namespace");
    if (isg_str_is(stix_json_get_str(publisher, "category"), "vendor"))
        home = (struct isg_str){0};
    map_organisation(&csaf->map, csaf->publisher, home, csaf->publisher_id);
    csaf_refer(csaf, csaf->publisher_id);
}

static int document_map(struct csaf *csaf)
{
    static const char *const extensions[] = {MAP_EXTENSION_DEVICE, MAP_EXTENSION_RISK,
                                             MAP_EXTENSION_PRODUCT_STATUS, MAP_EXTENSION_REPORT,
                                             NULL};
    struct isg_str description;
    struct isg_str fields[3] = {ISG_STR("report")};
    csaf->slug = text_slug(csaf->map.arena, csaf->publisher);
    csaf->map.marking = marking_of(csaf);
    csaf->field = field_of(csaf);
    const char *key = key_of(csaf);
    fields[1] = csaf->slug;
    fields[2] = csaf->tracking_id;
    map_id(&csaf->map, "report", fields, 3, csaf->report_id);
    map_preamble(&csaf->map, extensions);
    csaf->facet = isg_arena_printf(csaf->map.arena, "%s=%s", key, version_of(csaf));
    csaf->map.tag = isg_arena_printf(csaf->map.arena, "@%s", csaf->facet);
    if (!is_clear(csaf))
        csaf->map.apart = isg_str_of(key);
    publisher_write(csaf);
    csaf_products(csaf);
    csaf_vulnerabilities(csaf);
    csaf_notes(csaf, stix_json_get(csaf->document, "notes"), csaf->report_id, &description);
    if (csaf->map.err == ISG_OK)
        report_write(csaf, description);
    csaf->map.context->records++;
    return csaf->map.err;
}

int source_csaf(struct feed_context *context, struct isg_str text, struct isg_fail *why)
{
    struct csaf csaf = {.text = text};
    struct stix_json *root = NULL;
    map_init(&csaf.map, context, why);
    int err = csaf.map.err;
    if (err == ISG_OK)
        err = stix_json_parse(text, &context->limits, &root, why);
    if (err == ISG_OK) {
        csaf.root = root;
        csaf.document = stix_json_get(root, "document");
        err = document_read(&csaf);
    }
    if (err == ISG_OK)
        err = parts_check(&csaf);
    if (err == ISG_OK)
        err = document_map(&csaf);
    stix_json_free(&root);
    map_done(&csaf.map);
    return err;
}
