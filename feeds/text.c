#define _GNU_SOURCE /* memmem */
#include "feeds/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stix/base/utf8.h"

enum { URL_MAX = 4096, TAG_MAX = 10 /* letters of the longest name of an element */ };

/* A control character (feeds digest 2.8), or one that no JSON text may hold. */
static bool is_misplaced(int32_t cp)
{
    return (cp < 0x20 && cp != '\t' && cp != '\n') || (cp >= 0x7f && cp < 0xa0) ||
           isg_utf8_is_noncharacter(cp);
}

static struct isg_str trimmed(const char *p, size_t n)
{
    return isg_str_trim((struct isg_str){p, n});
}

struct isg_str text_clean(struct isg_arena *arena, struct isg_str raw)
{
    char *out = isg_arena_alloc(arena, raw.n + 1);
    if (out == NULL)
        return (struct isg_str){0};
    size_t n = 0;
    int32_t cp;
    while ((cp = isg_utf8_next(&raw)) != -1) {
        if (cp == -2)
            raw = isg_str_from(raw, 1);
        else if (!is_misplaced(cp))
            n += isg_utf8_put((uint32_t)cp, out + n);
    }
    return trimmed(out, n);
}

/* ---- tags ----------------------------------------------------------------------------------- */

/* Elements of HTML. What else stands between < and > is text: a version, a placeholder. */
static const char elements[] =
    " a abbr address area article aside audio b base bdi bdo blockquote body br button canvas caption "
    "center cite code col colgroup data dd del details dfn dialog div dl dt em embed fieldset figcaption "
    "figure font footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe img "
    "input ins kbd label legend li link main map mark marquee menu meta meter nav noscript object ol "
    "optgroup option output p param picture pre progress q rp rt ruby s samp script section select small "
    "source span strike strong style sub summary sup svg table tbody td template textarea tfoot th thead "
    "time title tr track tt u ul var video wbr ";

/* Which of both text begins with; NULL: none. */
static const char *comment_end(struct isg_str text)
{
    if (isg_str_starts(text, ISG_STR("<!--")))
        return "-->";
    return isg_str_starts(text, ISG_STR("<!DOCTYPE")) ? ">" : NULL;
}

/* The length of the comment or DOCTYPE that text begins with; 0 when it does not end. */
static size_t comment_length(struct isg_str text, const char *end)
{
    size_t n = strlen(end);
    const char *at = memmem(text.p, text.n, end, n);
    return at == NULL ? 0 : (size_t)(at - text.p) + n;
}

/* The length of the tag that text begins with; 0 when it begins with none. */
static size_t tag_length(struct isg_str text)
{
    char name[TAG_MAX + 3] = " ";
    size_t n = 1;
    size_t i = text.n > 1 && text.p[1] == '/' ? 2 : 1;
    for (; i < text.n && n <= TAG_MAX && strchr(" \t\n/>", text.p[i]) == NULL; i++)
        name[n++] = (char)(text.p[i] >= 'A' && text.p[i] <= 'Z' ? text.p[i] + 32 : text.p[i]);
    name[n] = ' ';
    name[n + 1] = '\0';
    bool longer = i < text.n && strchr(" \t\n/>", text.p[i]) == NULL;
    if (n == 1 || longer || strstr(elements, name) == NULL)
        return 0;
    size_t end = i;
    bool attributes = false;
    while (end < text.n && text.p[end] != '>' && text.p[end] != '<')
        attributes = text.p[end++] == '=' || attributes;
    struct isg_str more = isg_str_trim((struct isg_str){text.p + i, end - i});
    bool closed = end < text.n && text.p[end] == '>';
    return closed && (more.n == 0 || isg_str_is(more, "/") || attributes) ? end + 1 : 0;
}

/* Behind such a tag a new line began: the words around it are two. */
static bool is_break(struct isg_str tag)
{
    static const char *const breaks[] = {"<br",  "<p",    "</p", "<li", "</li",
                                         "<div", "</div", "<td", "<tr", "<h"};
    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
        size_t n = strlen(breaks[i]);
        if (tag.n > n && isg_str_ieq((struct isg_str){tag.p, n}, isg_str_of(breaks[i])))
            return true;
    }
    return false;
}

struct isg_str text_prose(struct isg_arena *arena, struct isg_str raw)
{
    struct isg_str text = text_clean(arena, raw);
    if (isg_str_find(text, '<') == SIZE_MAX)
        return text;
    char *out = isg_arena_alloc(arena, text.n + 1);
    size_t n = 0;
    bool open = false; /* a < was kept: what a removed tag leaves must not become one with it */
    bool endless =
        false; /* a comment did not end, nor will those behind it: not looked for again */
    while (out != NULL && text.n > 0) {
        const char *end = comment_end(text);
        size_t tag = 0;
        if (end != NULL && !endless)
            endless = (tag = comment_length(text, end)) == 0;
        else if (end == NULL && text.p[0] == '<')
            tag = tag_length(text);
        bool words_meet = tag > 0 && n > 0 && tag < text.n && out[n - 1] > ' ' &&
                          text.p[tag] > ' ' && text.p[tag] != '<';
        if (tag == 0)
            out[n++] = text.p[0];
        else if (open || (words_meet && is_break(text)))
            out[n++] = ' ';
        if (tag == 0 && (text.p[0] == '<' || text.p[0] == '>'))
            open = text.p[0] == '<';
        text = isg_str_from(text, tag > 0 ? tag : 1);
    }
    return trimmed(out, n);
}

/* The bytes of a text whose code points are all below 256; SIZE_MAX when one is not. */
static size_t as_latin1(struct isg_str text, char *out)
{
    size_t n = 0;
    int32_t cp;
    while ((cp = isg_utf8_next(&text)) >= 0) {
        if (cp > 0xff)
            return SIZE_MAX;
        out[n++] = (char)(unsigned char)cp;
    }
    return n;
}

/* A capital A with tilde or circumflex before a C1 or Latin-1 sign: UTF-8 read as Latin-1. */
static bool looks_doubled(struct isg_str text)
{
    for (size_t i = 0; i + 3 < text.n; i++) {
        const unsigned char *p = (const unsigned char *)text.p + i;
        if (p[0] == 0xc3 && (p[1] == 0x82 || p[1] == 0x83) && p[2] == 0xc2 && p[3] >= 0x80)
            return true;
    }
    return false;
}

struct isg_str text_repair(struct isg_arena *arena, struct isg_str raw)
{
    /* before cleaning: the second byte of a doubled letter is a C1 control for some letters */
    if (looks_doubled(raw)) {
        char *bytes = isg_arena_alloc(arena, raw.n + 1);
        size_t n = bytes == NULL ? SIZE_MAX : as_latin1(raw, bytes);
        if (n != SIZE_MAX && isg_utf8_is_valid((struct isg_str){bytes, n}))
            raw = (struct isg_str){bytes, n};
    }
    return text_clean(arena, raw);
}

struct isg_str text_lower(struct isg_arena *arena, struct isg_str text)
{
    char *out = isg_arena_copy(arena, text);
    for (size_t i = 0; out != NULL && i < text.n; i++)
        if (out[i] >= 'A' && out[i] <= 'Z')
            out[i] = (char)(out[i] + 32);
    return (struct isg_str){out, out == NULL ? 0 : text.n};
}

bool text_is_absent(struct isg_str text)
{
    static const char *const nothing[] = {"", "none", "null", "n/a", "na", "-", NULL};
    text = isg_str_trim(text);
    for (size_t i = 0; nothing[i] != NULL; i++) {
        if (isg_str_ieq(text, isg_str_of(nothing[i])))
            return true;
    }
    return false;
}

/* The plain letters of U+00C0 to U+00FF; '-' where the sign is no letter. */
static const char *const latin1_plain[64] = {
    "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i",  "i",
    "d", "n", "o", "o", "o", "o", "o",  "-", "o", "u", "u", "u", "u", "y", "th", "ss",
    "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i",  "i",
    "d", "n", "o", "o", "o", "o", "o",  "-", "o", "u", "u", "u", "u", "y", "th", "y"};

/* One code point of a slug as text; "-" for what separates words. */
static struct isg_str slug_piece(int32_t cp, char room[4])
{
    if ((cp >= '0' && cp <= '9') || (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z')) {
        room[0] = (char)(cp >= 'A' && cp <= 'Z' ? cp + 32 : cp);
        return (struct isg_str){room, 1};
    }
    if (cp < 0xc0)
        return ISG_STR("-");
    if (cp <= 0xff)
        return isg_str_of(latin1_plain[cp - 0xc0]);
    return (struct isg_str){room, isg_utf8_put((uint32_t)cp, room)};
}

struct isg_str text_slug(struct isg_arena *arena, struct isg_str text)
{
    char *out = isg_arena_alloc(arena, text.n * 2 + 1);
    if (out == NULL)
        return (struct isg_str){0};
    size_t n = 0;
    int32_t cp;
    while ((cp = isg_utf8_next(&text)) >= 0) {
        char room[4];
        struct isg_str piece = slug_piece(cp, room);
        bool gap = isg_str_is(piece, "-");
        if (gap && (n == 0 || out[n - 1] == '-'))
            continue;
        memcpy(out + n, piece.p, piece.n);
        n += piece.n;
    }
    if (n > 0 && out[n - 1] == '-')
        n--;
    return (struct isg_str){out, n};
}

/* The longest prefix of at most max bytes that ends between code points. */
static size_t cut_at(struct isg_str text, size_t max)
{
    size_t n = text.n < max ? text.n : max;
    while (n > 0 && n < text.n && ((unsigned char)text.p[n] & 0xc0) == 0x80)
        n--;
    return n;
}

struct isg_str text_label(struct isg_arena *arena, const char *source, struct isg_str tag)
{
    tag = text_clean(arena, tag);
    struct isg_str prefix = isg_str_of(source);
    char *out = isg_arena_alloc(arena, prefix.n + 1 + tag.n + 1);
    if (out == NULL || tag.n == 0)
        return (struct isg_str){0};
    size_t n = 0;
    if (prefix.n > 0) {
        memcpy(out, prefix.p, prefix.n);
        out[prefix.n] = ':';
        n = prefix.n + 1;
    }
    for (size_t i = 0; i < tag.n; i++) {
        char c = tag.p[i];
        out[n++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c == '\n' || c == '\t' ? ' ' : c);
    }
    return trimmed(out, cut_at((struct isg_str){out, n}, TEXT_LABEL_MAX));
}

struct isg_str text_shorten(struct isg_arena *arena, struct isg_str text, size_t max)
{
    if (text.n <= max)
        return text;
    size_t n = cut_at(text, max > 3 ? max - 3 : 0);
    char *out = isg_arena_printf(arena, "%.*s...", (int)n, text.p);
    return isg_str_of(out);
}

bool text_day(struct isg_str day, char out[ISG_TIME_TEXT])
{
    char full[32];
    if (day.n != 10)
        return false;
    memcpy(full, day.p, 10);
    memcpy(full + 10, "T00:00:00Z", 11);
    int64_t us;
    if (!isg_time_parse(isg_str_of(full), &us))
        return false;
    isg_time_format(us, 3, out);
    return true;
}

/* Two digits at p as a number up to max; -1 when they are not that. */
static int two_digits(const char *p, int max)
{
    if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
        return -1;
    int value = (p[0] - '0') * 10 + (p[1] - '0');
    return value <= max ? value : -1;
}

/* Cut `+hh:mm` or `+hhmm` off the end of *text; false when what stands there is no offset. */
static bool take_offset(struct isg_str *text, int *out_minutes)
{
    *out_minutes = 0;
    if (text->n > 0 && (text->p[text->n - 1] == 'Z' || text->p[text->n - 1] == 'z')) {
        text->n--;
        return true;
    }
    size_t at = text->n;
    while (at > 19 && text->p[at - 1] != '+' && text->p[at - 1] != '-')
        at--;
    if (at <= 19)
        return true; /* none: UTC */
    const char *p = text->p + at;
    size_t n = text->n - at;
    bool colon = n == 5 && p[2] == ':';
    if (n != 4 && !colon)
        return false;
    int hours = two_digits(p, 23);
    int minutes = two_digits(p + (colon ? 3 : 2), 59);
    if (hours < 0 || minutes < 0)
        return false;
    *out_minutes = (hours * 60 + minutes) * (p[-1] == '-' ? -1 : 1);
    text->n = at - 1;
    return true;
}

bool text_time(struct isg_str text, char out[ISG_TIME_TEXT])
{
    char full[64];
    int offset;
    text = isg_str_trim(text);
    if (text.n < 19 || text.n > 48 || !take_offset(&text, &offset) || text.n + 2 > sizeof full)
        return false;
    memcpy(full, text.p, text.n);
    full[text.n] = 'Z';
    full[text.n + 1] = '\0';
    if (full[10] == ' ' || full[10] == 't')
        full[10] = 'T';
    int64_t us;
    if (!isg_time_parse(isg_str_of(full), &us))
        return false;
    us -= (int64_t)offset * 60 * 1000000;
    isg_time_format(us, 3, out);
    return isg_time_parse(isg_str_of(out), &us); /* an offset may lead out of the years 0 to 9999 */
}

static bool all_digits(struct isg_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    }
    return s.n > 0;
}

bool text_cve(struct isg_str text, char out[TEXT_CVE_MAX])
{
    text = isg_str_trim(text);
    if (text.n < 13 || text.n >= TEXT_CVE_MAX || text.p[8] != '-')
        return false;
    if (!isg_str_ieq((struct isg_str){text.p, 4}, ISG_STR("cve-")) ||
        !all_digits((struct isg_str){text.p + 4, 4}) || !all_digits(isg_str_from(text, 9)))
        return false;
    memcpy(out, "CVE-", 4);
    memcpy(out + 4, text.p + 4, text.n - 4);
    out[text.n] = '\0';
    return true;
}

bool text_is_cwe(struct isg_str text)
{
    return isg_str_starts(text, ISG_STR("CWE-")) && text.n <= 12 &&
           all_digits(isg_str_from(text, 4));
}

static bool is_hex_digit(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* The character at i may stand in an RFC 3986 URI (S-020); a percent sign needs its two digits. */
static bool is_uri_char(struct isg_str text, size_t i)
{
    unsigned char c = (unsigned char)text.p[i];
    if (c == '%')
        return i + 2 < text.n && is_hex_digit(text.p[i + 1]) && is_hex_digit(text.p[i + 2]);
    return c > 0x20 && c < 0x7f && strchr("\"<>\\^`{|}", c) == NULL;
}

bool text_is_web_url(struct isg_str text)
{
    bool secure = isg_str_starts(text, ISG_STR("https://"));
    if (!secure && !isg_str_starts(text, ISG_STR("http://")))
        return false;
    size_t host = secure ? 8 : 7;
    if (text.n <= host || text.n > URL_MAX || text.p[host] == '/')
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (!is_uri_char(text, i))
            return false;
    }
    return true;
}

bool text_list_add(struct isg_arena *arena, struct text_list *list, struct isg_str item)
{
    if (item.n == 0)
        return true;
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 8 : list->room * 2;
        struct isg_str *items = isg_arena_alloc(arena, room * sizeof *items);
        if (items == NULL)
            return false;
        if (list->count > 0)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->room = room;
    }
    list->items[list->count++] = item;
    return true;
}

static int by_bytes(const void *a, const void *b)
{
    return isg_str_cmp(*(const struct isg_str *)a, *(const struct isg_str *)b);
}

void text_list_sort(struct text_list *list)
{
    if (list->count < 2)
        return;
    qsort(list->items, list->count, sizeof *list->items, by_bytes);
    size_t kept = 1;
    for (size_t i = 1; i < list->count; i++) {
        if (!isg_str_eq(list->items[i], list->items[kept - 1]))
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
}
