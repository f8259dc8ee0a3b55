#include "feeds/product.h"

#include <string.h>

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

struct product_name product_vendor(struct isg_arena *arena, struct isg_str raw,
                                   const struct product_alias *more)
{
    struct product_name name = product_name(arena, raw);
    name.key = without_forms(name.key);
    struct isg_str own = resolve(name.key, more);
    name.key = isg_str_eq(own, name.key) ? resolve(name.key, aliases) : own;
    return name;
}
