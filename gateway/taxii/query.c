#include "gateway/taxii/query.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/http/http.h"
#include "gateway/http/negotiate.h"
#include "stix/base/time.h"
#include "stix/id.h"

enum {
    ON_MANIFEST = 1u << QUERY_MANIFEST,
    ON_OBJECTS = 1u << QUERY_OBJECTS,
    ON_OBJECT = 1u << QUERY_OBJECT,
    ON_VERSIONS = 1u << QUERY_VERSIONS,
    ON_DELETE = 1u << QUERY_DELETE,
    ON_LISTS = ON_MANIFEST | ON_OBJECTS,
    ON_READ = ON_LISTS | ON_OBJECT | ON_VERSIONS
};

struct parse {
    struct isg_arena *arena;
    struct query *query;
    struct isg_fail *why;
    const struct query_param *param;
    size_t page_max;
};

struct query_param {
    const char *name;
    unsigned endpoints;
    const char *rule; /* what a malformed value breaks */
    int (*read)(struct parse *parse, struct isg_str value);
};

static int malformed(const struct parse *parse, const char *text)
{
    return isg_fail_at(parse->why, ISG_EINVAL, parse->param->name, parse->param->rule, "%s", text);
}

static int cmp_str(const void *a, const void *b)
{
    return isg_str_cmp(*(const struct isg_str *)a, *(const struct isg_str *)b);
}

/* By instant; two texts of one instant by text, so that their order never depends on the request. */
static int cmp_instant(const void *a, const void *b)
{
    int order = isg_time_cmp(*(const struct isg_str *)a, *(const struct isg_str *)b);
    return order != 0 ? order : cmp_str(a, b);
}

static size_t count_values(struct isg_str value)
{
    size_t n = 1;
    for (size_t i = 0; i < value.n; i++)
        n += value.p[i] == ',';
    return n;
}

/* Drop repeats from a sorted list; returns how many values are left. */
static size_t drop_repeats(struct isg_str *list, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || !isg_str_eq(list[kept - 1], list[i]))
            list[kept++] = list[i];
    return kept;
}

/* Cut "a,b,c" into a sorted list of different values; an empty one is malformed. */
static int read_list(struct parse *parse, struct isg_str value, struct isg_str **out,
                     size_t *out_count)
{
    size_t n = count_values(value);
    struct isg_str *list = isg_arena_alloc(parse->arena, n * sizeof *list);
    if (list == NULL)
        return isg_fail(parse->why, ISG_ENOMEM, "the query needs too much memory");
    for (size_t i = 0; i < n; i++) {
        size_t comma = isg_str_find(value, ',');
        list[i] = (struct isg_str){value.p, comma == SIZE_MAX ? value.n : comma};
        value = isg_str_from(value, list[i].n + 1);
        if (list[i].n == 0)
            return malformed(parse, "a value is empty");
    }
    qsort(list, n, sizeof *list, cmp_str);
    *out = list;
    *out_count = drop_repeats(list, n);
    return ISG_OK;
}

/* Identifiers as they are stored. Only a UUID's digits may come in capitals (S-013): those of a type
 * make no identifier, and are left as they are. */
static int fold_ids(struct isg_arena *arena, struct isg_str text, struct isg_str *out)
{
    char *copy = isg_arena_copy(arena, text);
    bool in_uuid = false;
    if (copy == NULL)
        return ISG_ENOMEM;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == ',')
            in_uuid = false;
        else if (i > 0 && text.p[i] == '-' && text.p[i - 1] == '-')
            in_uuid = true;
        else if (in_uuid && copy[i] >= 'A' && copy[i] <= 'F')
            copy[i] = (char)(copy[i] - 'A' + 'a');
    }
    *out = (struct isg_str){copy, text.n};
    return ISG_OK;
}

static int read_added_after(struct parse *parse, struct isg_str value)
{
    if (!isg_time_parse(value, &parse->query->view.added_after_us))
        return malformed(parse, "not a timestamp of the form YYYY-MM-DDThh:mm:ss.ssssssZ");
    return ISG_OK;
}

static int read_limit(struct parse *parse, struct isg_str value)
{
    size_t zeros = 0;
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] < '0' || value.p[i] > '9')
            return malformed(parse, "not an integer greater than 0");
        zeros += zeros == i && value.p[i] == '0';
    }
    if (zeros == value.n)
        return malformed(parse, "not an integer greater than 0");
    uint64_t limit;
    struct isg_str digits = isg_str_from(value, zeros);
    /* Whatever is larger than the cap, however many digits it has, gives the cap (T-040). */
    if (isg_str_to_u64(digits, parse->page_max, &limit))
        parse->query->view.limit = (size_t)limit;
    return ISG_OK;
}

static int read_next(struct parse *parse, struct isg_str value)
{
    if (value.n == 0)
        return malformed(parse, "the token is empty");
    parse->query->next = value;
    return ISG_OK;
}

static int read_id(struct parse *parse, struct isg_str value)
{
    struct view_query *view = &parse->query->view;
    struct isg_str folded = {NULL, 0};
    if (fold_ids(parse->arena, value, &folded) != ISG_OK)
        return isg_fail(parse->why, ISG_ENOMEM, "the query needs too much memory");
    int err = read_list(parse, folded, &view->ids, &view->ids_count);
    for (size_t i = 0; err == ISG_OK && i < view->ids_count; i++)
        if (!stix_id_split(view->ids[i], NULL, NULL))
            err = malformed(parse, "a value is not an identifier of the form type--uuid");
    return err;
}

static int read_type(struct parse *parse, struct isg_str value)
{
    /* Any name is served: a type nobody has simply matches nothing (T-049). */
    struct view_query *view = &parse->query->view;
    return read_list(parse, value, &view->types, &view->types_count);
}

static unsigned version_word(struct isg_str value)
{
    static const struct {
        const char *word;
        unsigned want;
    } words[] = {{"last", VIEW_LAST}, {"first", VIEW_FIRST}, {"all", VIEW_ALL}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (isg_str_is(value, words[i].word))
            return words[i].want;
    return 0;
}

/* Words set bits of want, timestamps stay in the list (T-053, T-054). */
static int read_version(struct parse *parse, struct isg_str value)
{
    struct view_query *view = &parse->query->view;
    struct isg_str *list = NULL;
    size_t n = 0;
    int err = read_list(parse, value, &list, &n);
    if (err != ISG_OK)
        return err;
    if (n < count_values(value))
        return malformed(parse, "a value is given twice");
    unsigned want = 0;
    size_t stamps = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t us;
        unsigned word = version_word(list[i]);
        if (word == 0 && !isg_time_parse(list[i], &us))
            return malformed(parse, "a value is not last, first, all or a timestamp");
        if (word == 0)
            list[stamps++] = list[i];
        want |= word != 0 ? word : (unsigned)VIEW_LISTED;
    }
    if ((want & VIEW_ALL) != 0 && n > 1)
        return malformed(parse, "all is combined with another value");
    if (stamps > 1)
        qsort(list, stamps, sizeof *list, cmp_instant);
    view->want = want;
    view->versions = list;
    view->versions_count = stamps;
    return ISG_OK;
}

static bool is_spec_version(struct isg_str value)
{
    size_t dot = isg_str_find(value, '.');
    uint64_t number;
    return dot != SIZE_MAX && isg_str_to_u64((struct isg_str){value.p, dot}, 999, &number) &&
           isg_str_to_u64(isg_str_from(value, dot + 1), 999, &number);
}

static int read_spec_version(struct parse *parse, struct isg_str value)
{
    struct isg_str *list = NULL;
    size_t n = 0;
    int err = read_list(parse, value, &list, &n);
    bool has_21 = false;
    for (size_t i = 0; err == ISG_OK && i < n; i++) {
        if (!is_spec_version(list[i]))
            err = malformed(parse, "a value is not of the form 2.1");
        has_21 = has_21 || isg_str_is(list[i], "2.1");
    }
    if (err == ISG_OK)
        parse->query->view.no_21 = !has_21; /* all content here is STIX 2.1 (T-050) */
    return err;
}

/* Which endpoint takes which filter: T-057. */
static const struct query_param params[] = {
    {"added_after", ON_READ, "T-034", read_added_after},
    {"limit", ON_READ, "T-037", read_limit},
    {"next", ON_READ, "T-042", read_next},
    {"match[id]", ON_LISTS, "T-048", read_id},
    {"match[type]", ON_LISTS, "T-049", read_type},
    {"match[version]", ON_LISTS | ON_OBJECT | ON_DELETE, "T-053", read_version},
    {"match[spec_version]", ON_READ | ON_DELETE, "T-050", read_spec_version},
};

enum { PARAM_COUNT = sizeof params / sizeof params[0] };

static const struct query_param *find_param(enum query_endpoint endpoint, struct isg_str name)
{
    for (size_t i = 0; i < PARAM_COUNT; i++)
        if ((params[i].endpoints & 1u << endpoint) != 0 && isg_str_is(name, params[i].name))
            return &params[i];
    return NULL;
}

static int read_pairs(struct parse *parse, struct isg_str raw)
{
    unsigned seen = 0;
    struct isg_str name;
    struct isg_str value;
    while (http_query_next(&raw, &name, &value)) {
        if (!http_unescape(parse->arena, name, &name) ||
            !http_unescape(parse->arena, value, &value))
            return isg_fail_at(parse->why, ISG_EINVAL, NULL, "T-033",
                               "the query holds malformed percent-escapes");
        parse->param = find_param(parse->query->endpoint, name);
        if (parse->param == NULL)
            continue; /* T-047 */
        unsigned bit = 1u << (parse->param - params);
        if ((seen & bit) != 0)
            return isg_fail_at(parse->why, ISG_EINVAL, parse->param->name, "T-044",
                               "the parameter is given more than once");
        seen |= bit;
        int err = parse->param->read(parse, value);
        if (err != ISG_OK)
            return err;
    }
    parse->query->sent = seen;
    return ISG_OK;
}

void query_names(const struct query *query, char text[QUERY_NAMES])
{
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < PARAM_COUNT; i++) {
        size_t n = strlen(params[i].name);
        if ((query->sent & 1u << i) == 0 || at + n + 2 > QUERY_NAMES)
            continue;
        if (at > 0)
            text[at++] = ',';
        memcpy(text + at, params[i].name, n + 1);
        at += n;
    }
}

static void hash_number(struct isg_sha256 *hash, uint64_t number)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(number >> (8 * i));
    isg_sha256_add(hash, bytes, sizeof bytes);
}

static void hash_list(struct isg_sha256 *hash, const struct isg_str *list, size_t n)
{
    hash_number(hash, n);
    for (size_t i = 0; i < n; i++) {
        hash_number(hash, list[i].n);
        isg_sha256_add(hash, list[i].p, list[i].n);
    }
}

static void hash_filters(struct query *query)
{
    const struct view_query *view = &query->view;
    struct isg_sha256 hash;
    isg_sha256_init(&hash);
    hash_number(&hash, query->endpoint);
    hash_number(&hash, view->want);
    hash_number(&hash, view->no_21);
    hash_list(&hash, view->ids, view->ids_count);
    hash_list(&hash, view->types, view->types_count);
    hash_list(&hash, view->versions, view->versions_count);
    isg_sha256_end(&hash, query->filters);
}

struct query query_for(const struct query *query, struct isg_str *id)
{
    struct query other = *query;
    other.view.ids = id;
    other.view.ids_count = 1;
    hash_filters(&other);
    return other;
}

/* The object that the path names takes the place of match[id]. */
static int only_object(struct isg_arena *arena, struct isg_str id, struct view_query *view)
{
    view->ids = isg_arena_alloc(arena, sizeof *view->ids);
    if (view->ids == NULL)
        return ISG_ENOMEM;
    view->ids_count = 1;
    return fold_ids(arena, id, &view->ids[0]);
}

int query_parse(struct isg_arena *arena, const struct query_ask *ask, struct query *out,
                struct isg_fail *why)
{
    struct query query = {.endpoint = ask->endpoint};
    query.view.added_after_us = INT64_MIN;
    query.view.limit = ask->page_max;
    query.view.want = VIEW_LAST; /* T-052 */
    if (ask->endpoint == QUERY_VERSIONS || ask->endpoint == QUERY_DELETE)
        query.view.want = VIEW_ALL; /* T-113, T-128 */
    struct parse parse = {.arena = arena, .query = &query, .why = why, .page_max = ask->page_max};
    int err = read_pairs(&parse, ask->raw);
    if (err != ISG_OK)
        return err;
    if (ask->object_id.n > 0 && only_object(arena, ask->object_id, &query.view) != ISG_OK)
        return isg_fail(why, ISG_ENOMEM, "the query needs too much memory");
    hash_filters(&query);
    *out = query;
    return ISG_OK;
}
