/*
 * Tables and lists of indicators (feeds digest 5.8): one indicator per source and pattern, and the
 * malware families the source names. What is in the columns says csv_profiles.c.
 *
 * All rows are read, normalised and judged before the first object leaves: a row of another width
 * stops the run, and so do more than 2 % of values that cannot be read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feeds/csv.h"
#include "feeds/exclude.h"
#include "feeds/map.h"
#include "feeds/sources.h"

enum { REJECTED_PART = 50, LABELS_MAX = 50, WARNED_CONFIDENCE = 20, AMBIGUOUS_COST = 20 };

static const int64_t day_us = INT64_C(86400) * 1000000;
static const int64_t last_us = INT64_C(253402300799) * 1000000; /* the end of the year 9999 */

enum { OFFLINE_DAYS = 2, COMPROMISED_DAYS = 7 };

/* How long a value stands once its source confirmed it (digest 2.6); 0: for good. */
static const struct {
    enum ioc_kind kind;
    unsigned days;
} lifetimes[] = {
    {IOC_URL, 30},       {IOC_IPV4, 30},       {IOC_IPV6, 30},         {IOC_IP_PORT, 30},
    {IOC_DOMAIN, 90},    {IOC_EMAIL, 90},      {IOC_CIDR4, 7},         {IOC_CIDR6, 7},
    {IOC_CERT_MD5, 180}, {IOC_CERT_SHA1, 180}, {IOC_CERT_SHA256, 180},
};

/* One row on its way to an indicator. */
struct draft {
    struct csv_row row;
    struct ioc ioc;
    struct isg_str pattern;
    int64_t from_us;
    int64_t seen_us;  /* last confirmed */
    int64_t until_us; /* 0: none */
    int confidence;   /* -1: none */
    bool compromised;
    const char *warning; /* the warning list it is on, or NULL */
};

struct csv {
    struct map map;
    const struct csv_profile *profile;
    const char *slug; /* the source in ids and labels */
    const struct exclude_lists *exclude;
    struct exclude_lists *own; /* exclude, when the caller gave none */
    struct draft *drafts;
    size_t count;
    size_t room;
    struct isg_fail first; /* the first value that could not be read */
    char creator[STIX_ID_MAX + 1];
};

/* ---- times ---------------------------------------------------------------------------------- */

static unsigned lifetime_of(const struct csv *csv, const struct draft *draft)
{
    if (draft->compromised)
        return COMPROMISED_DAYS;
    if (csv->profile->valid_days > 0)
        return csv->profile->valid_days;
    for (size_t i = 0; i < sizeof lifetimes / sizeof lifetimes[0]; i++) {
        if (lifetimes[i].kind == draft->ioc.kind)
            return lifetimes[i].days;
    }
    return 0;
}

/*
 * Where the source gives no time, this day stands for it: a list makes the same objects all day. What
 * is in store already keeps its beginning, and its end until half is left (ingest; digest 2.6).
 */
static int64_t today_us(const struct csv *csv)
{
    int64_t now = csv->map.context->now_us;
    return now - now % day_us;
}

static bool is_offline(struct isg_str status)
{
    return isg_str_ieq(status, ISG_STR("offline")) || isg_str_ieq(status, ISG_STR("inactive"));
}

/* A time where the row has one; what stands there and is none fails the row. */
static int read_time(const struct csv *csv, const struct draft *draft, enum csv_role role,
                     bool *out_there, int64_t *out, struct isg_fail *why)
{
    struct isg_str text = draft->row.cell[role];
    *out_there = text.n > 0;
    if (text.n == 0 || csv_time_read(csv->profile, text, out))
        return ISG_OK;
    return isg_fail(why, ISG_EINVAL,
                    "`%.*s` is no time that is known; a table's settings \"time\" and "
                    "\"zone\" can say its form",
                    text.n > 40 ? 40 : (int)text.n, text.p);
}

/* Without an end that is later than the beginning, and in a year that a timestamp can say, a record is
 * left out with a count (digest 2.6). */
static int read_times(const struct csv *csv, struct draft *draft, struct isg_fail *why)
{
    unsigned days = lifetime_of(csv, draft);
    bool has_first, has_last, has_end;
    int64_t end = days * day_us;
    int64_t expires;
    int err = read_time(csv, draft, CSV_FIRST, &has_first, &draft->from_us, why);
    if (err == ISG_OK)
        err = read_time(csv, draft, CSV_LAST, &has_last, &draft->seen_us, why);
    if (err == ISG_OK)
        err = read_time(csv, draft, CSV_EXPIRES, &has_end, &expires, why);
    if (err != ISG_OK)
        return err;
    if (!has_last)
        draft->seen_us = csv->profile->full_state || !has_first ? today_us(csv) : draft->from_us;
    if (!has_first)
        draft->from_us = draft->seen_us;
    if (!has_last && draft->seen_us < draft->from_us)
        draft->seen_us = draft->from_us; /* listed since the day began */
    if (is_offline(draft->row.cell[CSV_STATUS]))
        end = OFFLINE_DAYS * day_us;
    draft->until_us = has_end ? expires : days == 0 ? 0 : draft->seen_us + end;
    return ISG_OK;
}

static bool ends_well(const struct draft *draft)
{
    return draft->until_us == 0 || (draft->until_us > draft->from_us && draft->until_us <= last_us);
}

/* ---- rows to drafts ------------------------------------------------------------------------- */

/* The kind a word stands for, in the table's own words or in those of many. */
static bool kind_of(const struct csv_profile *profile, struct isg_str word, enum ioc_kind *out)
{
    for (size_t i = 0; i < CSV_WORDS && profile->word[i].text != NULL; i++) {
        if (isg_str_ieq(word, isg_str_of(profile->word[i].text))) {
            *out = profile->word[i].kind;
            return true;
        }
    }
    return ioc_kind_find(word, out);
}

/* Address and port from two columns, start and prefix from two, else the value as it is. */
static struct isg_str value_of(struct csv *csv, const struct csv_row *row)
{
    const struct isg_str *cell = row->cell;
    if (isg_str_is(cell[CSV_TYPE], "Intel::URL")) /* Zeek writes them without their scheme */
        return isg_str_of(
            isg_arena_printf(csv->map.arena, "http://%.*s", ISG_STR_ARG(cell[CSV_VALUE])));
    if (cell[CSV_PORT].n > 0) {
        bool bare = isg_str_find(cell[CSV_VALUE], ':') != SIZE_MAX;
        return isg_str_of(isg_arena_printf(csv->map.arena, bare ? "[%.*s]:%.*s" : "%.*s:%.*s",
                                           ISG_STR_ARG(cell[CSV_VALUE]),
                                           ISG_STR_ARG(cell[CSV_PORT])));
    }
    if (cell[CSV_PREFIX].n > 0)
        return isg_str_of(isg_arena_printf(csv->map.arena, "%.*s/%.*s",
                                           ISG_STR_ARG(cell[CSV_VALUE]),
                                           ISG_STR_ARG(cell[CSV_PREFIX])));
    return cell[CSV_VALUE];
}

/* Start and prefix must lead to the end the source gives. */
static int check_end(const struct csv *csv, const struct draft *draft, struct isg_fail *why)
{
    struct ioc end;
    struct isg_str text = draft->row.cell[CSV_END];
    if (text.n == 0)
        return ISG_OK;
    int err = ioc_read(csv->map.arena, text, IOC_NETWORK, IOC_MACHINE, &end, why);
    if (err == ISG_OK && (draft->ioc.masked || memcmp(end.last, draft->ioc.last, 16) != 0))
        err = isg_fail(why, ISG_EINVAL, "start, end and mask do not agree");
    return err;
}

static int read_ioc(struct csv *csv, struct draft *draft, struct isg_fail *why)
{
    enum ioc_kind kind = csv->profile->kind;
    struct isg_buf pattern;
    struct isg_str type = draft->row.cell[CSV_TYPE];
    if (type.n > 0 && !kind_of(csv->profile, type, &kind))
        return isg_fail(why, ISG_EINVAL, "no type of indicators has the name `%.*s`",
                        type.n > 40 ? 40 : (int)type.n, type.p);
    struct isg_str value = value_of(csv, &draft->row);
    int err = ioc_read(csv->map.arena, value, kind, csv->profile->flags, &draft->ioc, why);
    if (err == ISG_OK)
        err = check_end(csv, draft, why);
    if (err != ISG_OK)
        return err;
    isg_buf_init(&pattern, ISG_BUF_NO_MAX);
    if (!ioc_pattern(&draft->ioc, &pattern))
        err = isg_fail(why, ISG_EINVAL, "a value of this kind is no indicator");
    draft->pattern = isg_buf_str(&pattern);
    draft->pattern.p = isg_arena_copy(csv->map.arena, draft->pattern);
    isg_buf_done(&pattern);
    return err;
}

static int confidence_of(const struct csv *csv, const struct draft *draft)
{
    uint64_t said;
    int confidence = csv->profile->confidence;
    if (isg_str_to_u64(draft->row.cell[CSV_CONFIDENCE], 100, &said))
        confidence = (int)said;
    if (draft->ioc.ambiguous && confidence >= 0)
        confidence = confidence > AMBIGUOUS_COST ? confidence - AMBIGUOUS_COST : 0;
    if (draft->warning != NULL && (confidence < 0 || confidence > WARNED_CONFIDENCE))
        confidence = WARNED_CONFIDENCE;
    return confidence;
}

/* False when it is on a list of what is no threat. */
static bool passes(struct csv *csv, struct draft *draft)
{
    struct feed_context *context = csv->map.context;
    struct exclude_verdict verdict = exclude_check(csv->exclude, &draft->ioc);
    if (context->tally != NULL)
        exclude_count(context->tally, &verdict, &draft->ioc);
    draft->warning = verdict.answer == EXCLUDE_WARN ? verdict.list : NULL;
    return verdict.answer != EXCLUDE_DROP;
}

static int keep(struct csv *csv, const struct draft *draft)
{
    if (csv->count == csv->room) {
        size_t room = csv->room == 0 ? 256 : csv->room * 2;
        struct draft *drafts = realloc(csv->drafts, room * sizeof *drafts);
        if (drafts == NULL)
            return isg_fail(csv->map.why, ISG_ENOMEM, "no memory");
        csv->drafts = drafts;
        csv->room = room;
    }
    csv->drafts[csv->count++] = *draft;
    return ISG_OK;
}

static int take_row(void *arg, const struct csv_row *row, struct isg_fail *why)
{
    struct csv *csv = arg;
    struct feed_context *context = csv->map.context;
    struct draft draft = {.row = *row};
    struct isg_fail own = {.code = ISG_OK};
    context->records++;
    context->excluded += row->left_out;
    if (row->left_out)
        return ISG_OK;
    draft.compromised = isg_str_ieq(row->cell[CSV_COMPROMISED], ISG_STR("true"));
    int err = read_ioc(csv, &draft, &own);
    if (err == ISG_OK)
        err = read_times(csv, &draft, &own);
    if (err == ISG_ENOMEM)
        return isg_fail(why, err, "no memory");
    if (err != ISG_OK) {
        if (context->rejected++ == 0)
            (void)isg_fail(&csv->first, ISG_EINVAL, "record %zu: %s", row->line, own.text);
        return ISG_OK;
    }
    if (!passes(csv, &draft) || !ends_well(&draft)) {
        context->excluded++;
        return ISG_OK;
    }
    draft.confidence = confidence_of(csv, &draft);
    return keep(csv, &draft);
}

/* Equal patterns stand together, the one that says most in front: order in the file is no matter. */
static int by_pattern(const void *a, const void *b)
{
    const struct draft *x = a;
    const struct draft *y = b;
    int order = isg_str_cmp(x->pattern, y->pattern);
    if (order != 0)
        return order;
    if (x->until_us != y->until_us)
        return x->until_us > y->until_us ? -1 : 1;
    if (x->from_us != y->from_us)
        return x->from_us < y->from_us ? -1 : 1;
    for (size_t i = 0; order == 0 && i < CSV_ROLES; i++)
        order = isg_str_cmp(x->row.cell[i], y->row.cell[i]);
    return order;
}

static int read_drafts(struct csv *csv, struct isg_str text, struct isg_fail *why)
{
    const struct feed_context *context = csv->map.context;
    int err = csv_read(csv->profile, csv->map.arena, text, take_row, csv, why);
    if (err == ISG_OK && context->rejected * REJECTED_PART > context->records)
        err = isg_fail(why, ISG_EINVAL, "%llu of %llu records cannot be read; %s",
                       (unsigned long long)context->rejected, (unsigned long long)context->records,
                       csv->first.text);
    if (err == ISG_OK && csv->count > 0)
        qsort(csv->drafts, csv->count, sizeof *csv->drafts, by_pattern);
    return err;
}

/* ---- objects -------------------------------------------------------------------------------- */

static void add_label(struct csv *csv, struct text_list *list, const char *source,
                      struct isg_str text)
{
    if (list->count < LABELS_MAX && !text_is_absent(text))
        (void)text_list_add(csv->map.arena, list, text_label(csv->map.arena, source, text));
}

static void labels_write(struct csv *csv, const struct draft *draft)
{
    struct text_list labels = {0};
    struct isg_str tags = draft->row.cell[CSV_TAGS];
    struct isg_str tag;
    const char *slug = csv->slug;
    if (draft->warning != NULL)
        add_label(csv, &labels, "warning", isg_str_of(draft->warning));
    if (draft->ioc.ambiguous)
        add_label(csv, &labels, "", ISG_STR("ambiguous"));
    if (draft->ioc.wildcard)
        add_label(csv, &labels, "", ISG_STR("wildcard"));
    if (draft->compromised)
        add_label(csv, &labels, slug, ISG_STR("compromised"));
    add_label(csv, &labels, slug, draft->row.cell[CSV_LABEL]);
    while (tags.n > 0 && isg_str_split(&tags, ',', &tag))
        add_label(csv, &labels, slug, tag);
    text_list_sort(&labels);
    map_strings(&csv->map, "labels", &labels);
}

/* What reading the value changed and a reader should know. */
static void description_write(struct csv *csv, const struct ioc *ioc)
{
    struct isg_buf text;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    if (ioc->unicode.n > 0)
        isg_buf_printf(&text, "Written %.*s. ", ISG_STR_ARG(ioc->unicode));
    if (ioc->masked)
        isg_buf_puts(&text, "Bits behind the prefix were cleared. ");
    if (ioc->credentials)
        isg_buf_puts(&text, "The URL carries user information. ");
    struct isg_str clean = text_clean(csv->map.arena, isg_buf_str(&text));
    map_string(&csv->map, "description", clean);
    isg_buf_done(&text);
}

static struct isg_str record_page(struct csv *csv, const struct draft *draft)
{
    struct isg_str key = draft->row.cell[CSV_RECORD];
    if (draft->row.cell[CSV_URL].n > 0)
        return draft->row.cell[CSV_URL];
    if (csv->profile->record_url == NULL)
        return (struct isg_str){0};
    if (key.n == 0 && draft->ioc.kind == IOC_CERT_SHA1)
        key = draft->ioc.value; /* SSLBL names its pages by the hash */
    if (key.n == 0)
        return (struct isg_str){0};
    return isg_str_of(
        isg_arena_printf(csv->map.arena, "%s%.*s", csv->profile->record_url, ISG_STR_ARG(key)));
}

/* The source's own key, without the bytes that no STIX string may hold (S-004). */
static struct isg_str key_of(struct csv *csv, const struct draft *draft, enum csv_role role)
{
    return text_clean(csv->map.arena, draft->row.cell[role]);
}

static void references_write(struct csv *csv, const struct draft *draft)
{
    struct map_references list = {0};
    const char *name = csv->profile->organisation;
    if (name == NULL)
        return;
    struct isg_str page = record_page(csv, draft);
    struct isg_str other = draft->row.cell[CSV_REFERENCE];
    map_reference_add(
        &csv->map, &list,
        &(struct map_reference){MAP_RANK_RECORD, isg_str_of(name),
                                .external_id = key_of(csv, draft, CSV_RECORD),
                                .url = text_is_web_url(page) ? page : (struct isg_str){0}});
    if (text_is_web_url(other))
        map_reference_add(&csv->map, &list,
                          &(struct map_reference){MAP_RANK_URL, isg_str_of(name), .url = other});
    map_references_write(&csv->map, &list);
}

static void types_write(struct csv *csv, const struct draft *draft)
{
    struct text_list types = {0};
    (void)text_list_add(csv->map.arena, &types,
                        draft->compromised ? ISG_STR("compromised")
                                           : ISG_STR("malicious-activity"));
    map_strings(&csv->map, "indicator_types", &types);
}

static void name_write(struct csv *csv, const struct ioc *ioc)
{
    const char *port = "";
    bool v6 = isg_str_find(ioc->value, ':') != SIZE_MAX;
    if (ioc->kind == IOC_IP_PORT)
        port = isg_arena_printf(csv->map.arena, ":%u", ioc->port);
    bool brackets = v6 && ioc->kind == IOC_IP_PORT;
    const char *name = isg_arena_printf(csv->map.arena, "%s%.*s%s%s", brackets ? "[" : "",
                                        ISG_STR_ARG(ioc->value), brackets ? "]" : "", port);
    map_string(&csv->map, "name", isg_str_of(name));
}

/* indicator|<source slug>|<canonical pattern>|<generation> (digest 2.4). */
static void indicator_id(struct csv *csv, const struct draft *draft, char out[STIX_ID_MAX + 1])
{
    struct isg_str fields[] = {ISG_STR("indicator"), isg_str_of(csv->slug), draft->pattern,
                               ISG_STR("1")};
    map_id(&csv->map, "indicator", fields, 4, out);
}

struct times {
    char from[ISG_TIME_TEXT];
    char modified[ISG_TIME_TEXT];
    char until[ISG_TIME_TEXT];
};

static struct times times_of(const struct draft *draft)
{
    struct times times;
    int64_t modified = draft->seen_us > draft->from_us ? draft->seen_us : draft->from_us;
    isg_time_format(draft->from_us, 3, times.from);
    isg_time_format(modified, 3, times.modified);
    isg_time_format(draft->until_us, 3, times.until);
    return times;
}

static void indicator_write(struct csv *csv, const struct draft *draft, const char *id)
{
    struct map *map = &csv->map;
    struct times times = times_of(draft);
    map_begin(map, &(struct map_head){"indicator", id, times.from, times.modified, csv->creator});
    name_write(csv, &draft->ioc);
    description_write(csv, &draft->ioc);
    types_write(csv, draft);
    isg_jsonw_put_str(&map->w, "pattern", draft->pattern);
    isg_jsonw_put(&map->w, "pattern_type", "stix");
    isg_jsonw_put(&map->w, "pattern_version", "2.1");
    isg_jsonw_put(&map->w, "valid_from", times.from);
    if (draft->until_us > 0)
        isg_jsonw_put(&map->w, "valid_until", times.until);
    if (draft->confidence >= 0)
        isg_jsonw_put_int(&map->w, "confidence", draft->confidence);
    labels_write(csv, draft);
    references_write(csv, draft);
    map_end(map, NULL);
}

/* ---- malware -------------------------------------------------------------------------------- */

static void aliases_write(struct csv *csv, const struct draft *draft, struct isg_str name)
{
    struct text_list list = {0};
    struct isg_str rest = draft->row.cell[CSV_ALIASES];
    struct isg_str alias;
    while (rest.n > 0 && isg_str_split(&rest, ',', &alias)) {
        alias = text_clean(csv->map.arena, alias);
        if (!text_is_absent(alias) && !isg_str_eq(alias, name))
            (void)text_list_add(csv->map.arena, &list, alias);
    }
    text_list_sort(&list);
    map_strings(&csv->map, "aliases", &list);
}

static void malware_references(struct csv *csv, const struct draft *draft)
{
    struct map_references list = {0};
    struct isg_str page = draft->row.cell[CSV_MALWARE_URL];
    map_reference_add(
        &csv->map, &list,
        &(struct map_reference){MAP_RANK_RECORD, isg_str_of(csv->profile->organisation),
                                .external_id = key_of(csv, draft, CSV_MALWARE_KEY),
                                .url = text_is_web_url(page) ? page : (struct isg_str){0}});
    map_references_write(&csv->map, &list);
}

/* A family is described by several sources: each has its part (facet) of one object. */
static void malware_write(struct csv *csv, const struct draft *draft, const char *id,
                          struct isg_str name)
{
    struct map *map = &csv->map;
    map_begin(map, &(struct map_head){"malware", id, MAP_EPOCH, MAP_EPOCH, map->owner});
    isg_jsonw_put_str(&map->w, "name", name);
    isg_jsonw_put_bool(&map->w, "is_family", true);
    aliases_write(csv, draft, name);
    malware_references(csv, draft);
    map_end(map, csv->slug);
}

static void indicates_write(struct csv *csv, const struct draft *draft, const char *indicator,
                            const char *malware)
{
    struct map *map = &csv->map;
    struct times times = times_of(draft);
    char id[STIX_ID_MAX + 1];
    map_relationship_id(map, "indicates", indicator, malware, id);
    map_begin(map, &(struct map_head){"relationship", id, times.from, times.from, csv->creator});
    isg_jsonw_put(&map->w, "relationship_type", "indicates");
    isg_jsonw_put(&map->w, "source_ref", indicator);
    isg_jsonw_put(&map->w, "target_ref", malware);
    map_end(map, NULL);
}

/* malware|<family name, lower case> (digest 2.4). */
static void family_write(struct csv *csv, const struct draft *draft, const char *indicator)
{
    char id[STIX_ID_MAX + 1];
    struct isg_str name = text_clean(csv->map.arena, draft->row.cell[CSV_MALWARE]);
    if (text_is_absent(name) || isg_str_ieq(name, ISG_STR("unknown malware")))
        return;
    struct isg_str fields[] = {ISG_STR("malware"), text_lower(csv->map.arena, name)};
    map_id(&csv->map, "malware", fields, 2, id);
    if (map_is_new(&csv->map, id))
        malware_write(csv, draft, id, name);
    indicates_write(csv, draft, indicator, id);
}

static void draft_write(struct csv *csv, const struct draft *draft)
{
    char id[STIX_ID_MAX + 1];
    indicator_id(csv, draft, id);
    if (!map_is_new(&csv->map, id))
        return; /* listed twice */
    indicator_write(csv, draft, id);
    if (csv->profile->organisation != NULL)
        family_write(csv, draft, id);
}

static int write_all(struct csv *csv)
{
    static const char *const no_extensions[] = {NULL};
    struct map *map = &csv->map;
    const struct csv_profile *profile = csv->profile;
    map->marking = stix_tlp_marking_id(profile->marking);
    map_preamble(map, no_extensions);
    memcpy(csv->creator, map->owner, sizeof csv->creator);
    if (profile->organisation != NULL)
        map_organisation(map, isg_str_of(profile->organisation), isg_str_of(profile->home),
                         csv->creator);
    for (size_t i = 0; i < csv->count && map->err == ISG_OK; i++)
        draft_write(csv, &csv->drafts[i]);
    return map->err;
}

int source_csv(struct feed_context *context, struct isg_str text, struct isg_fail *why)
{
    struct csv csv = {.profile = context->profile, .exclude = context->exclude};
    if (csv.profile == NULL)
        csv.profile = csv_profile_find(isg_str_of(context->source->format));
    if (csv.profile == NULL)
        return isg_fail(why, ISG_EUSAGE, "no columns are known for %s", context->source->format);
    csv.slug = csv.profile->slug;
    if (context->profile == NULL && csv.profile->organisation == NULL && context->slug != NULL)
        csv.slug = context->slug;
    map_init(&csv.map, context, why);
    int err = csv.map.err;
    if (err == ISG_OK && csv.exclude == NULL) {
        csv.own = exclude_new(false);
        csv.exclude = csv.own;
        if (csv.own == NULL)
            err = isg_fail(why, ISG_ENOMEM, "no memory");
    }
    if (err == ISG_OK)
        err = read_drafts(&csv, text, why);
    if (err == ISG_OK)
        err = write_all(&csv);
    exclude_free(&csv.own);
    free(csv.drafts);
    map_done(&csv.map);
    return err;
}
