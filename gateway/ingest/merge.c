#include "gateway/ingest/merge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/ingest/run.h"
#include "stix/base/time.h"

enum { NAMES_MAX = 1024 };

void merge_put_value(struct isg_jsonw *w, const struct stix_json *value)
{
    struct isg_buf text;
    isg_buf_init(&text, RUN_OBJECT_MAX);
    stix_json_canon(value, &text);
    if (text.err != ISG_OK)
        w->out->err = text.err;
    else
        isg_jsonw_raw(w, isg_buf_str(&text));
    isg_buf_done(&text);
}

/* A list of JSON texts, each once. */
struct texts {
    char **list;
    size_t count;
    int err;
};

static void texts_add(struct texts *texts, const struct stix_json *value)
{
    struct isg_buf text;
    isg_buf_init(&text, RUN_OBJECT_MAX);
    stix_json_canon(value, &text);
    char *canon = isg_buf_take(&text, NULL);
    bool known = canon == NULL;
    for (size_t i = 0; !known && i < texts->count; i++)
        known = strcmp(texts->list[i], canon) == 0;
    char **bigger = NULL;
    if (!known)
        bigger = realloc(texts->list, (texts->count + 1) * sizeof *bigger);
    if (canon == NULL || (!known && bigger == NULL))
        texts->err = ISG_ENOMEM;
    if (bigger == NULL) {
        free(canon);
        return;
    }
    texts->list = bigger;
    texts->list[texts->count++] = canon;
}

static void texts_add_list(struct texts *texts, const struct stix_json *list)
{
    for (size_t i = 0; i < stix_json_size(list); i++)
        texts_add(texts, stix_json_at(list, i));
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Write the list, unless it is empty (S-004), and free it. */
static void texts_write(struct texts *texts, const char *name, bool sorted, struct isg_jsonw *w)
{
    if (sorted && texts->count > 1)
        qsort(texts->list, texts->count, sizeof *texts->list, by_text);
    if (texts->count > 0) {
        isg_jsonw_name(w, name);
        isg_jsonw_list(w);
        for (size_t i = 0; i < texts->count; i++)
            isg_jsonw_raw(w, isg_str_of(texts->list[i]));
        isg_jsonw_end(w);
    }
    if (texts->err != ISG_OK)
        w->out->err = texts->err;
    for (size_t i = 0; i < texts->count; i++)
        free(texts->list[i]);
    free(texts->list);
}

/* The value of name in the first part that has it. */
static const struct stix_json *first_of(const struct facets *facets, const char *name)
{
    for (size_t i = 0; i < facets->count; i++) {
        const struct stix_json *value = stix_json_get(facets->list[i].json, name);
        if (value != NULL)
            return value;
    }
    return NULL;
}

static void merge_first(const struct facets *facets, const char *name, struct isg_jsonw *w)
{
    const struct stix_json *value = first_of(facets, name);
    if (value == NULL)
        return;
    isg_jsonw_name(w, name);
    merge_put_value(w, value);
}

static void merge_union(const struct facets *facets, const char *name, struct isg_jsonw *w)
{
    struct texts texts = {NULL, 0, ISG_OK};
    for (size_t i = 0; i < facets->count; i++)
        texts_add_list(&texts, stix_json_get(facets->list[i].json, name));
    texts_write(&texts, name, true, w);
}

/*
 * Selectors of one part do not fit the whole, so a part's granular markings become markings of the
 * whole: never weaker than what the source said.
 */
static void merge_markings(const struct facets *facets, const char *name, struct isg_jsonw *w)
{
    struct texts texts = {NULL, 0, ISG_OK};
    for (size_t i = 0; i < facets->count; i++) {
        const struct stix_json *json = facets->list[i].json;
        const struct stix_json *granular = stix_json_get(json, "granular_markings");
        texts_add_list(&texts, stix_json_get(json, name));
        for (size_t j = 0; j < stix_json_size(granular); j++) {
            const struct stix_json *ref = stix_json_get(stix_json_at(granular, j), "marking_ref");
            if (ref != NULL)
                texts_add(&texts, ref);
        }
    }
    texts_write(&texts, name, true, w);
}

/* The database's words before an advisory's, before the list's (feeds digest 5.5). */
static unsigned description_rank(const char *key)
{
    static const struct {
        const char *prefix;
        unsigned rank;
    } ranks[] = {{"nvd", 0}, {"csaf:", 1}, {"kev", 2}};
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++) {
        if (strncmp(key, ranks[i].prefix, strlen(ranks[i].prefix)) == 0)
            return ranks[i].rank;
    }
    return 3;
}

static void merge_description(const struct facets *facets, const char *name, struct isg_jsonw *w)
{
    const struct stix_json *best = NULL;
    unsigned best_rank = 4;
    for (size_t i = 0; i < facets->count; i++) {
        const struct stix_json *value = stix_json_get(facets->list[i].json, name);
        unsigned rank = description_rank(facets->list[i].key);
        if (value != NULL && rank < best_rank) {
            best = value;
            best_rank = rank;
        }
    }
    if (best == NULL)
        return;
    isg_jsonw_name(w, name);
    merge_put_value(w, best);
}

/* One source alone tells of these: an advisory of itself, a sensor of what it saw. */
static bool is_own(const struct facets *facets)
{
    struct isg_str type = stix_json_get_str(facets->list[0].json, "type");
    return isg_str_is(type, "report") || isg_str_is(type, "observed-data");
}

/*
 * `created` neither changes over the versions of an object (S-099) nor depends on which source came
 * first, and the sources do not agree on it: so it is the beginning of the year that a CVE's name
 * says, and for all else that of the first year with CVEs, before anything the sources speak of.
 */
static int64_t created_of(const struct facets *facets)
{
    static const char epoch[] = "1999-01-01T00:00:00.000Z";
    struct isg_str name = stix_json_get_str(facets->list[0].json, "name");
    char text[ISG_TIME_TEXT] = "";
    int64_t us = 0;
    if (name.n > 9 && memcmp(name.p, "CVE-", 4) == 0 && name.p[8] == '-')
        (void)snprintf(text, sizeof text, "%.4s%s", name.p + 4, epoch + 4);
    if (!isg_time_parse(isg_str_of(text), &us))
        (void)isg_time_parse(isg_str_of(epoch), &us);
    return us;
}

static void put_time(struct isg_jsonw *w, const char *name, int64_t us)
{
    char text[ISG_TIME_TEXT];
    isg_time_format(us, us % 1000 == 0 ? 3 : 6, text);
    isg_jsonw_put(w, name, text);
}

static void merge_created(const struct facets *facets, const char *name, struct isg_jsonw *w)
{
    if (is_own(facets))
        merge_first(facets, name, w);
    else
        put_time(w, name, created_of(facets));
}

static void merge_modified(const struct facets *facets, const char *name, struct isg_jsonw *w)
{
    if (facets->modified_us != INT64_MIN)
        put_time(w, name, facets->modified_us);
}

static void merge_time(const struct facets *facets, const char *name, bool latest,
                       struct isg_jsonw *w)
{
    struct isg_str best = stix_json_get_str(facets->list[0].json, name);
    for (size_t i = 1; i < facets->count; i++) {
        struct isg_str text = stix_json_get_str(facets->list[i].json, name);
        int order = isg_time_cmp(text, best);
        if (latest ? order > 0 : order < 0)
            best = text;
    }
    isg_jsonw_put_str(w, name, best);
}

static void merge_earliest(const struct facets *facets, const char *name, struct isg_jsonw *w)
{
    merge_time(facets, name, false, w);
}

static void merge_latest(const struct facets *facets, const char *name, struct isg_jsonw *w)
{
    merge_time(facets, name, true, w);
}

static void merge_most(const struct facets *facets, const char *name, struct isg_jsonw *w)
{
    int64_t most = 0, n;
    for (size_t i = 0; i < facets->count; i++) {
        if (stix_json_int(stix_json_get(facets->list[i].json, name), &n) && n > most)
            most = n;
    }
    isg_jsonw_put_int(w, name, most);
}

/* One source cannot withdraw what another still describes. */
static void merge_revoked(const struct facets *facets, const char *name, struct isg_jsonw *w)
{
    for (size_t i = 0; i < facets->count; i++) {
        if (!stix_json_bool(stix_json_get(facets->list[i].json, name)))
            return;
    }
    isg_jsonw_put_bool(w, name, true);
}

/* ---- names ---------------------------------------------------------------------------------- */

/* Member names of several objects, each once, sorted. */
struct names {
    const char *list[NAMES_MAX];
    size_t count;
};

static void names_add(struct names *names, const struct stix_json *object)
{
    struct stix_json_walk walk;
    stix_json_walk(object, &walk);
    while (stix_json_next(&walk)) {
        bool known = names->count == NAMES_MAX;
        for (size_t i = 0; !known && i < names->count; i++)
            known = strcmp(names->list[i], walk.name) == 0;
        if (!known)
            names->list[names->count++] = walk.name;
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void names_sort(struct names *names)
{
    if (names->count > 1)
        qsort(names->list, names->count, sizeof *names->list, by_name);
}

/* ---- extensions ----------------------------------------------------------------------------- */

/* One property of one extension: lists are joined in the order of the parts, others are the first
 * part's. parts holds the extension as each part has it. */
static void merge_property(const struct facets *parts, const char *name, struct isg_jsonw *w)
{
    struct texts texts = {NULL, 0, ISG_OK};
    if (stix_json_type(first_of(parts, name)) != STIX_JSON_LIST) {
        merge_first(parts, name, w);
        return;
    }
    for (size_t i = 0; i < parts->count; i++)
        texts_add_list(&texts, stix_json_get(parts->list[i].json, name));
    texts_write(&texts, name, false, w);
}

static void merge_extension(const struct facets *facets, const char *key, struct isg_jsonw *w)
{
    struct facets *parts = calloc(1, sizeof *parts);
    struct names *names = calloc(1, sizeof *names);
    if (parts == NULL || names == NULL) {
        w->out->err = ISG_ENOMEM;
        goto done;
    }
    for (size_t i = 0; i < facets->count; i++) {
        const struct stix_json *extensions = stix_json_get(facets->list[i].json, "extensions");
        const struct stix_json *part = stix_json_get(extensions, key);
        if (part == NULL)
            continue;
        parts->list[parts->count++] = (struct facet){.key = facets->list[i].key, .json = part};
        names_add(names, part);
    }
    names_sort(names);
    isg_jsonw_name(w, key);
    isg_jsonw_object(w);
    for (size_t i = 0; i < names->count; i++)
        merge_property(parts, names->list[i], w);
    isg_jsonw_end(w);
done:
    free(parts);
    free(names);
}

static void merge_extensions(const struct facets *facets, const char *name, struct isg_jsonw *w)
{
    struct names *keys = calloc(1, sizeof *keys);
    if (keys == NULL) {
        w->out->err = ISG_ENOMEM;
        return;
    }
    for (size_t i = 0; i < facets->count; i++)
        names_add(keys, stix_json_get(facets->list[i].json, name));
    names_sort(keys);
    if (keys->count > 0) {
        isg_jsonw_name(w, name);
        isg_jsonw_object(w);
        for (size_t i = 0; i < keys->count; i++)
            merge_extension(facets, keys->list[i], w);
        isg_jsonw_end(w);
    }
    free(keys);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static void merge_nothing(const struct facets *facets, const char *name, struct isg_jsonw *w)
{
    (void)facets;
    (void)name;
    (void)w;
}

/* How members are merged; all others are the first part's. */
static const struct {
    const char *name;
    void (*merge)(const struct facets *facets, const char *name, struct isg_jsonw *w);
} rules[] = {
    {"created", merge_created},
    {"modified", merge_modified},
    {"description", merge_description},
    {"external_references", merge_union},
    {"labels", merge_union},
    {"object_marking_refs", merge_markings},
    {"granular_markings", merge_nothing}, /* they went into object_marking_refs */
    {"revoked", merge_revoked},
    {"stop_time", merge_latest}, /* of a statement that nobody makes any more: merge_render */
    {"extensions", merge_extensions},
    {"first_observed", merge_earliest}, /* of two parts of one observation */
    {"last_observed", merge_latest},
    {"number_observed", merge_most},
};

static void merge_member(const struct facets *facets, const char *name, struct isg_jsonw *w)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (strcmp(rules[i].name, name) == 0) {
            rules[i].merge(facets, name, w);
            return;
        }
    }
    merge_first(facets, name, w);
}

static void render(const struct facets *facets, struct isg_buf *out)
{
    struct isg_jsonw w;
    struct names *names = calloc(1, sizeof *names);
    if (names == NULL) {
        out->err = ISG_ENOMEM;
        return;
    }
    for (size_t i = 0; i < facets->count; i++)
        names_add(names, facets->list[i].json);
    /* granular markings alone still mark the whole */
    bool granular = first_of(facets, "granular_markings") != NULL;
    if (granular && first_of(facets, "object_marking_refs") == NULL && names->count < NAMES_MAX)
        names->list[names->count++] = "object_marking_refs";
    names_sort(names);
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    for (size_t i = 0; i < names->count; i++)
        merge_member(facets, names->list[i], &w);
    isg_jsonw_end(&w);
    free(names);
}

static int64_t modified_of(const struct facets *facets)
{
    struct age ages[FACETS_MAX];
    for (size_t i = 0; i < facets->count; i++) {
        const struct facet *facet = &facets->list[i];
        ages[i] = facet->age.versions > 0 ? facet->age : age_first(facet->json);
    }
    return age_of_whole(ages, facets->count, is_own(facets) ? INT64_MIN : created_of(facets));
}

/* A statement has ended when nobody makes it any more; till then those count who make it. */
void merge_render(const struct facets *facets, struct isg_buf *out)
{
    struct facets *made = calloc(1, sizeof *made);
    if (made == NULL) {
        out->err = ISG_ENOMEM;
        return;
    }
    for (size_t i = 0; i < facets->count; i++) {
        if (!stix_json_has(facets->list[i].json, "stop_time"))
            made->list[made->count++] = facets->list[i];
    }
    if (made->count == 0)
        *made = *facets;
    made->modified_us = modified_of(facets);
    render(made, out);
    free(made);
}
