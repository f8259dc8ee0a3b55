#include "feeds/product.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "stix/base/utf8.h"

enum { ALIASES_MAX = 2000, PLACE_MAX = 32 };

/* Words that say what kind of company it is, not which (digest part 8). */
static const char *const legal_forms[] = {
    "inc", "incorporated", "corp", "corporation", "co",  "company", "ltd", "limited",  "llc", "lp",
    "ag",  "gmbh",         "kg",   "oy",          "oyj", "sa",      "sas", "spa",      "srl", "bv",
    "nv",  "ab",           "as",   "plc",         "pty", "kk",      "se",  "melsungen"};

/* What may be left at the end once a form is gone: "becton dickinson and (company)". */
static const char *const joints[] = {"and", "und", "et"};

static const struct product_alias aliases[] = {
    {"phillips", "philips"},
    {"becton dickinson", "bd"},
    {"general electric", "ge healthcare"},
    {"ge", "ge healthcare"},
    {"gehealthcare", "ge healthcare"},
    {"general electric healthcare", "ge healthcare"},
    {"bbraun", "b braun"},
    {NULL, NULL},
};

/* Lower case, plain letters, words parted by one blank. */
static struct isg_str key_of(struct isg_arena *arena, struct isg_str text)
{
    struct isg_str slug = text_slug(arena, text);
    char *key = isg_arena_copy(arena, slug);
    for (size_t i = 0; key != NULL && i < slug.n; i++) {
        if (key[i] == '-')
            key[i] = ' ';
    }
    return (struct isg_str){key, key == NULL ? 0 : slug.n};
}

/* Copy text without what stands in parentheses; that goes to *also. An open one ends with the text. */
static struct isg_str without_parentheses(struct isg_arena *arena, struct isg_str text,
                                          struct text_list *also)
{
    char *out = isg_arena_alloc(arena, text.n + 1);
    size_t n = 0;
    while (out != NULL && text.n > 0) {
        if (text.p[0] != '(') {
            out[n++] = text.p[0];
            text = isg_str_from(text, 1);
            continue;
        }
        size_t close = isg_str_find(text, ')');
        size_t end = close == SIZE_MAX ? text.n : close;
        (void)text_list_add(arena, also, key_of(arena, (struct isg_str){text.p + 1, end - 1}));
        text = isg_str_from(text, end + 1);
        out[n++] = ' ';
    }
    return isg_str_trim((struct isg_str){out, n});
}

static bool is_one_of(struct isg_str word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (isg_str_is(word, list[i]))
            return true;
    }
    return false;
}

/* The last word of a key and what stands before it. */
static struct isg_str last_word(struct isg_str key, struct isg_str *out_before)
{
    size_t at = key.n;
    while (at > 0 && key.p[at - 1] != ' ')
        at--;
    *out_before = (struct isg_str){key.p, at > 0 ? at - 1 : 0};
    return isg_str_from(key, at);
}

/* Without the legal forms at its end; a name that is nothing else keeps its first word. */
static struct isg_str without_forms(struct isg_str key)
{
    struct isg_str before;
    struct isg_str word = last_word(key, &before);
    bool cut = false;
    while (before.n > 0) {
        bool form = is_one_of(word, legal_forms, sizeof legal_forms / sizeof legal_forms[0]);
        bool joint = cut && is_one_of(word, joints, sizeof joints / sizeof joints[0]);
        if (!form && !joint)
            break;
        cut = true;
        key = before;
        word = last_word(key, &before);
    }
    return key;
}

static struct isg_str resolve(struct isg_str key, const struct product_alias *table)
{
    for (; table != NULL && table->from != NULL; table++) {
        if (isg_str_is(key, table->from))
            return isg_str_of(table->to);
    }
    return key;
}

/* A plus sign is a word of a model's name: XR656+ is not XR656. */
static struct isg_str with_plus(struct isg_arena *arena, struct isg_str text)
{
    static const char word[] = " plus ";
    char *out = isg_arena_alloc(arena, text.n * sizeof word + 1);
    size_t n = 0;
    for (size_t i = 0; out != NULL && i < text.n; i++) {
        if (text.p[i] != '+') {
            out[n++] = text.p[i];
            continue;
        }
        memcpy(out + n, word, sizeof word - 1);
        n += sizeof word - 1;
    }
    return (struct isg_str){out, n};
}

struct product_name product_name(struct isg_arena *arena, struct isg_str raw)
{
    struct product_name name = {.display = text_repair(arena, raw)};
    struct isg_str plain = without_parentheses(arena, name.display, &name.also);
    struct isg_str text = plain.n > 0 ? plain : name.display;
    name.key = key_of(arena, isg_str_find(text, '+') == SIZE_MAX ? text : with_plus(arena, text));
    return name;
}

/* Before any alias. */
static struct product_name plain_vendor(struct isg_arena *arena, struct isg_str raw)
{
    struct product_name name = product_name(arena, raw);
    name.key = without_forms(name.key);
    return name;
}

struct product_name product_vendor(struct isg_arena *arena, struct isg_str raw,
                                   const struct product_alias *more)
{
    struct product_name name = plain_vendor(arena, raw);
    struct isg_str own = resolve(name.key, more);
    if (isg_str_eq(own, name.key)) /* what the built-in table says may have an alias of its own */
        own = resolve(resolve(name.key, aliases), more);
    name.key = own;
    return name;
}

/* ---- the staff's aliases -------------------------------------------------------------------- */

static int fail_line(struct isg_fail *why, size_t line, const char *wrong)
{
    char place[PLACE_MAX];
    (void)snprintf(place, sizeof place, "line %zu", line);
    return isg_fail_at(why, ISG_EINVAL, place, NULL, "%s", wrong);
}

/* A line as two keys; both NULL when it says nothing. */
static int read_line(struct isg_arena *arena, struct isg_str line, size_t number,
                     struct product_alias *out, struct isg_fail *why)
{
    *out = (struct product_alias){NULL, NULL};
    line = isg_str_trim(line);
    if (line.n == 0 || line.p[0] == '#')
        return ISG_OK;
    size_t equals = isg_str_find(line, '=');
    if (equals == SIZE_MAX)
        return fail_line(why, number, "must be NAME = OTHER NAME");
    if (!isg_utf8_is_valid(line))
        return fail_line(why, number, "is not UTF-8");
    struct isg_str from = plain_vendor(arena, isg_str_trim((struct isg_str){line.p, equals})).key;
    struct isg_str right = isg_str_trim(isg_str_from(line, equals + 1));
    struct isg_str to = product_vendor(arena, right, NULL).key;
    if (from.n == 0 || to.n == 0)
        return fail_line(why, number, "has no name on one side");
    if (isg_str_eq(from, to))
        return ISG_OK;
    *out = (struct product_alias){isg_arena_copy(arena, from), isg_arena_copy(arena, to)};
    return out->from != NULL && out->to != NULL ? ISG_OK : isg_fail(why, ISG_ENOMEM, "no memory");
}

/* Add an alias to the n there are; what is said twice the same is said once. */
static int add_alias(struct product_alias *table, size_t *n, const struct product_alias *alias,
                     size_t number, struct isg_fail *why)
{
    for (size_t i = 0; i < *n; i++) {
        if (strcmp(table[i].from, alias->from) == 0 && strcmp(table[i].to, alias->to) == 0)
            return ISG_OK;
        if (strcmp(table[i].from, alias->from) == 0)
            return fail_line(why, number, "another line says what that name stands for");
        if (strcmp(table[i].from, alias->to) == 0 || strcmp(table[i].to, alias->from) == 0)
            return fail_line(why, number,
                             "a name on the right of one line is on the left of another");
    }
    if (*n == ALIASES_MAX)
        return isg_fail(why, ISG_ELIMIT, "more than %d aliases", ALIASES_MAX);
    table[(*n)++] = *alias;
    return ISG_OK;
}

int product_aliases_read(struct isg_arena *arena, struct isg_str text,
                         const struct product_alias **out, struct isg_fail *why)
{
    struct product_alias *table = isg_arena_alloc(arena, (ALIASES_MAX + 1) * sizeof *table);
    struct isg_str line;
    size_t n = 0;
    int err = table == NULL ? isg_fail(why, ISG_ENOMEM, "no memory") : ISG_OK;
    for (size_t number = 1; err == ISG_OK && isg_str_split(&text, '\n', &line); number++) {
        struct product_alias alias;
        err = read_line(arena, line, number, &alias, why);
        if (err == ISG_OK && alias.from != NULL)
            err = add_alias(table, &n, &alias, number, why);
    }
    if (err != ISG_OK)
        return err;
    table[n] = (struct product_alias){NULL, NULL};
    *out = table;
    return ISG_OK;
}
