/*
 * Reading and asking warning lists in MISP's file form (feeds digest 3.4).
 */
#include "feeds/warninglist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feeds/ioc.h"
#include "feeds/text.h"

enum { ENTRIES_MAX = 2000000, NEEDLE_MIN = 3, ARENA_MAX = 1 << 29, REGEX_MAX = 1000 };

static const struct {
    const char *name;
    enum warning_type type;
} types[] = {
    {"string", WARNING_STRING}, {"substring", WARNING_SUBSTRING}, {"hostname", WARNING_HOSTNAME},
    {"cidr", WARNING_CIDR},     {"regex", WARNING_REGEX},
};

/* ---- sets ----------------------------------------------------------------------------------- */

static size_t hash_of(struct isg_str text)
{
    uint64_t h = 1469598103934665603U;
    for (size_t i = 0; i < text.n; i++)
        h = (h ^ (unsigned char)text.p[i]) * 1099511628211U;
    return (size_t)(h ^ h >> 32);
}

static struct isg_str *slot_of(const struct warning_set *set, struct isg_str text)
{
    size_t at = hash_of(text) & (set->size - 1);
    while (set->slots[at].p != NULL && !isg_str_eq(set->slots[at], text))
        at = (at + 1) & (set->size - 1);
    return &set->slots[at];
}

static bool set_init(struct isg_arena *arena, struct warning_set *set, size_t entries)
{
    size_t size = 16;
    while (size < entries * 2)
        size *= 2;
    set->slots = isg_arena_alloc(arena, size * sizeof *set->slots);
    set->size = set->slots == NULL ? 0 : size;
    return set->slots != NULL;
}

static bool set_has(const struct warning_set *set, struct isg_str text)
{
    return set->size > 0 && slot_of(set, text)->p != NULL;
}

/* ---- reading -------------------------------------------------------------------------------- */

static bool is_ascii(struct isg_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] >= 0x80)
            return false;
    }
    return true;
}

/* A name as it is asked about: A-labels, and no dot at the end. A dot or "*." in front says what such
 * a list means anyway. */
static struct isg_str read_hostname(struct isg_arena *arena, struct isg_str text)
{
    struct ioc ioc;
    if (isg_str_starts(text, ISG_STR("*.")) || isg_str_starts(text, ISG_STR(".")))
        text = isg_str_from(text, text.p[0] == '*' ? 2 : 1);
    if (isg_str_ends(text, ISG_STR(".")))
        text.n--;
    if (is_ascii(text))
        return text;
    return ioc_read(arena, text, IOC_DOMAIN, IOC_MACHINE, &ioc, NULL) == ISG_OK ? ioc.value : text;
}

static int read_texts(struct warning_list *list, const struct stix_json *entries, size_t *at)
{
    if (!set_init(list->arena, &list->set, stix_json_size(entries)))
        return ISG_ENOMEM;
    for (size_t i = 0; i < stix_json_size(entries); i++) {
        *at = i;
        struct isg_str text = isg_str_trim(stix_json_str(stix_json_at(entries, i)));
        if (list->type == WARNING_HOSTNAME)
            text = read_hostname(list->arena, text);
        if (text.n == 0)
            return ISG_EINVAL;
        text = text_lower(list->arena, text);
        if (text.p == NULL)
            return ISG_ENOMEM;
        *slot_of(&list->set, text) = text;
    }
    return ISG_OK;
}

static int by_text(const void *a, const void *b)
{
    return isg_str_cmp(*(const struct isg_str *)a, *(const struct isg_str *)b);
}

/* Sorted needles, and the set of their first bytes that says where a look is worth it. */
static int read_needles(struct warning_list *list, const struct stix_json *entries, size_t *at)
{
    size_t n = stix_json_size(entries);
    list->needles = isg_arena_alloc(list->arena, (n + 1) * sizeof *list->needles);
    if (list->needles == NULL || !set_init(list->arena, &list->set, n))
        return ISG_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        *at = i;
        struct isg_str text = stix_json_str(stix_json_at(entries, i));
        if (text.n < NEEDLE_MIN)
            return ISG_EINVAL; /* two letters are in everything */
        text = text_lower(list->arena, text);
        if (text.p == NULL)
            return ISG_ENOMEM;
        list->needles[list->count++] = text;
        struct isg_str head = {text.p, NEEDLE_MIN};
        *slot_of(&list->set, head) = head;
    }
    qsort(list->needles, list->count, sizeof *list->needles, by_text);
    return ISG_OK;
}

static int by_first(const void *a, const void *b)
{
    const struct warning_range *x = a;
    const struct warning_range *y = b;
    return memcmp(x->first, y->first, sizeof x->first);
}

/* Ranges that meet become one: one list has one name, so nothing is lost. */
static void merge_ranges(struct warning_list *list)
{
    size_t kept = 0;
    qsort(list->ranges, list->count, sizeof *list->ranges, by_first);
    for (size_t i = 1; i < list->count; i++) {
        struct warning_range *last = &list->ranges[kept];
        const struct warning_range *next = &list->ranges[i];
        if (memcmp(next->first, last->last, sizeof last->last) > 0)
            list->ranges[++kept] = *next;
        else if (memcmp(next->last, last->last, sizeof last->last) > 0)
            memcpy(last->last, next->last, sizeof last->last);
    }
    list->count = list->count == 0 ? 0 : kept + 1;
}

static int read_ranges(struct warning_list *list, const struct stix_json *entries, size_t *at)
{
    size_t n = stix_json_size(entries);
    list->ranges = isg_arena_alloc(list->arena, (n + 1) * sizeof *list->ranges);
    if (list->ranges == NULL)
        return ISG_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        *at = i;
        struct ioc ioc;
        struct isg_str text = stix_json_str(stix_json_at(entries, i));
        int err = ioc_read(list->arena, text, IOC_NETWORK, IOC_MACHINE | IOC_WIDE, &ioc, NULL);
        if (err != ISG_OK)
            return err;
        struct warning_range *range = &list->ranges[list->count++];
        memcpy(range->first, ioc.first, sizeof range->first);
        memcpy(range->last, ioc.last, sizeof range->last);
    }
    merge_ranges(list);
    return ISG_OK;
}

static int read_patterns(struct warning_list *list, const struct stix_json *entries, size_t *at)
{
    size_t n = stix_json_size(entries);
    if (n > REGEX_MAX)
        return ISG_ELIMIT; /* each is tried on each value */
    list->patterns = isg_arena_alloc(list->arena, (n + 1) * sizeof *list->patterns);
    if (list->patterns == NULL)
        return ISG_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        *at = i;
        if (!warning_regex_compile(stix_json_str(stix_json_at(entries, i)),
                                   &list->patterns[list->count]))
            return ISG_EINVAL;
        list->count++;
    }
    return ISG_OK;
}

static int read_entries(struct warning_list *list, const struct stix_json *entries, size_t *at)
{
    switch (list->type) {
    case WARNING_STRING:
    case WARNING_HOSTNAME: return read_texts(list, entries, at);
    case WARNING_SUBSTRING: return read_needles(list, entries, at);
    case WARNING_CIDR: return read_ranges(list, entries, at);
    case WARNING_REGEX: return read_patterns(list, entries, at);
    }
    return ISG_EINVAL;
}

static bool find_type(struct isg_str name, enum warning_type *out)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (isg_str_is(name, types[i].name)) {
            *out = types[i].type;
            return true;
        }
    }
    return false;
}

static int check_shape(const struct stix_json *root, enum warning_type *out, struct isg_fail *why)
{
    const struct stix_json *entries = stix_json_get(root, "list");
    if (stix_json_get_str(root, "name").n == 0)
        return isg_fail_at(why, ISG_EINVAL, "/name", NULL, "a warning list needs a name");
    if (!find_type(stix_json_get_str(root, "type"), out))
        return isg_fail_at(why, ISG_EINVAL, "/type", NULL, "no type of warning list");
    if (stix_json_type(entries) != STIX_JSON_LIST)
        return isg_fail_at(why, ISG_EINVAL, "/list", NULL, "a warning list needs entries");
    if (stix_json_size(entries) > ENTRIES_MAX)
        return isg_fail_at(why, ISG_ELIMIT, "/list", NULL, "too many entries");
    return ISG_OK;
}

static struct warning_list *list_new(struct isg_str name, enum warning_type type)
{
    struct isg_arena *arena = isg_arena_new(ARENA_MAX);
    struct warning_list *list = arena == NULL ? NULL : isg_arena_alloc(arena, sizeof *list);
    if (list == NULL) {
        isg_arena_free(&arena);
        return NULL;
    }
    list->arena = arena;
    list->type = type;
    list->name = isg_arena_copy(arena, name);
    return list;
}

int warning_list_read(struct isg_str file, struct warning_list **out, struct isg_fail *why)
{
    struct stix_json *root = NULL;
    struct warning_list *list = NULL;
    enum warning_type type = WARNING_STRING;
    const struct stix_limits limits = {.members = ENTRIES_MAX + 100};
    int err = stix_json_parse(file, &limits, &root, why);
    if (err == ISG_OK)
        err = check_shape(root, &type, why);
    if (err == ISG_OK) {
        list = list_new(stix_json_get_str(root, "name"), type);
        err = list == NULL || list->name == NULL ? isg_fail(why, ISG_ENOMEM, "no memory") : ISG_OK;
    }
    if (err == ISG_OK) {
        size_t at = 0;
        char path[32];
        err = read_entries(list, stix_json_get(root, "list"), &at);
        (void)snprintf(path, sizeof path, "/list/%zu", at);
        if (err != ISG_OK)
            (void)isg_fail_at(why, err, path, NULL, "an entry cannot be used");
    }
    if (err == ISG_OK)
        *out = list;
    else
        warning_list_free(&list);
    stix_json_free(&root);
    return err;
}

void warning_list_free(struct warning_list **list)
{
    if (*list == NULL)
        return;
    for (size_t i = 0; (*list)->patterns != NULL && i < (*list)->count; i++)
        regfree(&(*list)->patterns[i]);
    struct isg_arena *arena = (*list)->arena;
    isg_arena_free(&arena);
    *list = NULL;
}

/* ---- asking --------------------------------------------------------------------------------- */

/* Does a needle stand at the beginning of text? Every needle that does sorts at or before it. */
static bool needle_at(const struct warning_list *list, struct isg_str text)
{
    for (size_t n = NEEDLE_MIN; n <= text.n; n++) {
        struct isg_str head = {text.p, n};
        if (bsearch(&head, list->needles, list->count, sizeof *list->needles, by_text) != NULL)
            return true;
    }
    return false;
}

static bool has_needle(const struct warning_list *list, struct isg_str text)
{
    for (size_t i = 0; i + NEEDLE_MIN <= text.n; i++) {
        if (set_has(&list->set, (struct isg_str){text.p + i, NEEDLE_MIN}) &&
            needle_at(list, isg_str_from(text, i)))
            return true;
    }
    return false;
}

bool warning_list_has_text(const struct warning_list *list, const char *text)
{
    if (list->type == WARNING_STRING)
        return set_has(&list->set, isg_str_of(text));
    if (list->type == WARNING_SUBSTRING)
        return has_needle(list, isg_str_of(text));
    for (size_t i = 0; list->type == WARNING_REGEX && i < list->count; i++) {
        if (regexec(&list->patterns[i], text, 0, NULL, 0) == 0)
            return true;
    }
    return false;
}

bool warning_list_has_name(const struct warning_list *list, struct isg_str name)
{
    while (list->type == WARNING_HOSTNAME && name.n > 0) {
        if (set_has(&list->set, name))
            return true;
        size_t dot = isg_str_find(name, '.');
        name = dot == SIZE_MAX ? (struct isg_str){0} : isg_str_from(name, dot + 1);
    }
    return false;
}

bool warning_list_has_range(const struct warning_list *list, const uint8_t first[16],
                            const uint8_t last[16])
{
    size_t low = 0;
    size_t high = list->type == WARNING_CIDR ? list->count : 0;
    while (low < high) { /* the first range that ends at or behind our first address */
        size_t middle = low + (high - low) / 2;
        if (memcmp(list->ranges[middle].last, first, 16) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return list->type == WARNING_CIDR && low < list->count &&
           memcmp(list->ranges[low].first, last, 16) <= 0;
}
