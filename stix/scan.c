#include "stix/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stix/lex.h"
#include "stix/names.h"

enum { LEVELS_INLINE = STIX_DEPTH_DEFAULT };

/* One open object or list. */
struct level {
    bool is_object;
    struct isg_str name; /* of the member being read, as written; p NULL between members */
    size_t index;        /* of the element being read */
    void *made;          /* of it, by the sink */
    struct stix_scope scope;
};

struct scan {
    struct stix_lex lex;
    struct stix_limits limits;
    struct stix_sink *sink; /* NULL: nobody wants the values */
    size_t members;
    size_t depth;
    size_t cap;
    struct level *levels;
    struct stix_names names;
    struct level room[LEVELS_INLINE];
};

/* What the grammar wants next. */
enum want { WANT_VALUE, WANT_NAME, WANT_MORE, WANT_NOTHING, WANT_STOP };

struct stix_limits stix_limits_of(const struct stix_limits *limits)
{
    static const struct stix_limits defaults = {.depth = STIX_DEPTH_DEFAULT,
                                                .members = 1000000,
                                                .string_bytes = (size_t)16 << 20,
                                                .object_bytes = (size_t)16 << 20,
                                                .objects = 10000000};
    struct stix_limits own = limits != NULL ? *limits : defaults;
    own.depth = own.depth != 0 ? own.depth : defaults.depth;
    own.members = own.members != 0 ? own.members : defaults.members;
    own.string_bytes = own.string_bytes != 0 ? own.string_bytes : defaults.string_bytes;
    own.object_bytes = own.object_bytes != 0 ? own.object_bytes : defaults.object_bytes;
    own.objects = own.objects != 0 ? own.objects : defaults.objects;
    return own;
}

static enum want stop(struct scan *s, const char *text)
{
    (void)stix_lex_fail(&s->lex, ISG_EPARSE, "S-001", text, s->lex.p);
    return WANT_STOP;
}

static enum want stop_limit(struct scan *s, const char *text)
{
    (void)stix_lex_fail(&s->lex, ISG_ELIMIT, "limit", text, s->lex.p);
    return WANT_STOP;
}

static enum want stop_memory(struct scan *s)
{
    (void)stix_lex_fail(&s->lex, ISG_ENOMEM, "", "out of memory", s->lex.p);
    return WANT_STOP;
}

static struct level *top(struct scan *s)
{
    return &s->levels[s->depth - 1];
}

/* What the sink made of the container that is being read. */
static void *parent(struct scan *s)
{
    return s->depth > 0 ? top(s)->made : NULL;
}

static bool more_levels(struct scan *s)
{
    struct level *old = s->levels == s->room ? NULL : s->levels;
    struct level *levels = realloc(old, 2 * s->cap * sizeof *levels);
    if (levels == NULL)
        return false;
    if (old == NULL)
        memcpy(levels, s->room, sizeof s->room);
    s->levels = levels;
    s->cap *= 2;
    return true;
}

static enum want count_member(struct scan *s, enum want then)
{
    return ++s->members <= s->limits.members ? then : stop_limit(s, "too many members");
}

static enum want close_level(struct scan *s)
{
    s->lex.p++;
    if (top(s)->is_object)
        stix_names_close(&s->names, &top(s)->scope);
    s->depth--;
    return s->depth == 0 ? WANT_NOTHING : WANT_MORE;
}

static enum want open_level(struct scan *s, bool is_object)
{
    if (s->depth == s->limits.depth)
        return stop_limit(s, "nested too deeply");
    if (s->depth == s->cap && !more_levels(s))
        return stop_memory(s);
    void *made = NULL;
    if (s->sink != NULL && (made = s->sink->open(s->sink, parent(s), is_object)) == NULL)
        return stop_memory(s);
    s->depth++;
    s->lex.p++;
    *top(s) = (struct level){.is_object = is_object, .made = made};
    stix_names_open(&s->names, &top(s)->scope);
    stix_lex_blanks(&s->lex);
    if (s->lex.p < s->lex.end && *s->lex.p == (is_object ? '}' : ']'))
        return close_level(s);
    return is_object ? WANT_NAME : count_member(s, WANT_VALUE);
}

/* A value without content of its own was read, from here on. */
static enum want leaf(struct scan *s, const char *from)
{
    struct isg_str text = {from, (size_t)(s->lex.p - from)};
    if (s->sink != NULL && !s->sink->leaf(s->sink, parent(s), text))
        return stop_memory(s);
    return WANT_MORE;
}

static enum want literal(struct scan *s, struct isg_str word)
{
    if ((size_t)(s->lex.end - s->lex.p) < word.n || memcmp(s->lex.p, word.p, word.n) != 0)
        return stop(s, "a value expected");
    s->lex.p += word.n;
    return leaf(s, s->lex.p - word.n);
}

static enum want value(struct scan *s)
{
    struct isg_str raw;
    const char *from = s->lex.p;
    switch (*from) {
    case '"': return stix_lex_string(&s->lex, &raw) ? leaf(s, from) : WANT_STOP;
    case '{': return open_level(s, true);
    case '[': return open_level(s, false);
    case 't': return literal(s, ISG_STR("true"));
    case 'f': return literal(s, ISG_STR("false"));
    case 'n': return literal(s, ISG_STR("null"));
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9': return stix_lex_number(&s->lex) ? leaf(s, from) : WANT_STOP;
    default: return stop(s, "a value expected");
    }
}

static enum want name(struct scan *s)
{
    struct level *level = top(s);
    const char *at = s->lex.p;
    if (*at != '"')
        return stop(s, "a name expected");
    if (!stix_lex_string(&s->lex, &level->name)) {
        level->name.p = NULL;
        return WANT_STOP;
    }
    int err = s->lex.lenient ? ISG_OK : stix_names_add(&s->names, &level->scope, level->name);
    if (err == ISG_ECONFLICT)
        return stix_lex_fail(&s->lex, ISG_EPARSE, "I-JSON", "a duplicate name", at), WANT_STOP;
    if (err != ISG_OK || (s->sink != NULL && !s->sink->name(s->sink, level->name)))
        return stop_memory(s);
    stix_lex_blanks(&s->lex);
    if (s->lex.p == s->lex.end || *s->lex.p != ':')
        return stop(s, "a colon expected");
    s->lex.p++;
    return count_member(s, WANT_VALUE);
}

/* After a value: a comma, the end of its container, or of the text. */
static enum want more(struct scan *s)
{
    struct level *level = top(s);
    if (*s->lex.p == (level->is_object ? '}' : ']'))
        return close_level(s);
    if (*s->lex.p != ',')
        return stop(s, level->is_object ? "a comma or } expected" : "a comma or ] expected");
    s->lex.p++;
    level->name.p = NULL;
    level->index++;
    return level->is_object ? WANT_NAME : count_member(s, WANT_VALUE);
}

static enum want step(struct scan *s, enum want want)
{
    stix_lex_blanks(&s->lex);
    if (want == WANT_MORE && s->depth == 0)
        want = WANT_NOTHING;
    if (s->lex.p == s->lex.end)
        return want == WANT_NOTHING ? WANT_STOP : stop(s, "the text ends too early");
    switch (want) {
    case WANT_VALUE: return value(s);
    case WANT_NAME: return name(s);
    case WANT_MORE: return more(s);
    case WANT_NOTHING: return stop(s, "more than one value");
    case WANT_STOP: break;
    }
    return WANT_STOP;
}

bool stix_pointer_add(char *path, size_t room, struct isg_str component)
{
    size_t n = strlen(path);
    size_t i = 0;
    if (n + 2 > room)
        return false;
    path[n++] = '/';
    for (; i < component.n && n + 3 <= room; i++) {
        char c = component.p[i];
        bool escape = c == '~' || c == '/';
        if (escape) {
            path[n++] = '~';
            c = c == '~' ? '0' : '1';
        }
        path[n++] = c;
    }
    /* Cut: what stands at i may be the middle of a character. */
    bool whole = i == component.n;
    for (; !whole && i > 0 && (component.p[i] & 0xc0) == 0x80; i--)
        n--;
    path[n] = '\0';
    return whole;
}

static bool add_name(char *path, size_t room, struct isg_str raw)
{
    struct isg_buf text;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    stix_lex_unescape(raw, &text);
    bool whole = stix_pointer_add(path, room, isg_buf_str(&text));
    isg_buf_done(&text);
    return whole;
}

static bool add_index(char *path, size_t room, size_t index)
{
    char number[32];
    (void)snprintf(number, sizeof number, "%zu", index);
    return stix_pointer_add(path, room, isg_str_of(number));
}

static void path_of(const struct scan *s, char *path, size_t room)
{
    bool whole = true;
    for (size_t i = 0; whole && i < s->depth; i++) {
        const struct level *level = &s->levels[i];
        if (!level->is_object)
            whole = add_index(path, room, level->index);
        else if (level->name.p != NULL)
            whole = add_name(path, room, level->name);
    }
}

static int report(const struct scan *s, const char *from, const struct stix_place *place,
                  struct isg_fail *why)
{
    const struct stix_lex *lex = &s->lex;
    if (lex->code == ISG_OK || why == NULL)
        return lex->code;
    char path[sizeof why->path];
    (void)snprintf(path, sizeof path, "%s", place->path);
    path_of(s, path, sizeof path);
    return isg_fail_at(why, lex->code, path, lex->rule, "%s at byte %zu", lex->text,
                       place->offset + (size_t)(lex->at - from));
}

static void scan_done(struct scan *s)
{
    while (s->depth > 0) {
        free(top(s)->scope.slots);
        s->depth--;
    }
    if (s->levels != s->room)
        free(s->levels);
    stix_names_done(&s->names);
}

static bool begins_with_bom(struct isg_str text)
{
    return text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0;
}

/* The struct is large and little of it is touched: it is not zeroed. */
static void scan_init(struct scan *s, struct isg_str text, const struct stix_limits *limits,
                      bool lenient)
{
    if (text.p == NULL)
        text = (struct isg_str){"", 0};
    s->limits = stix_limits_of(limits);
    s->lex = (struct stix_lex){.p = text.p,
                               .end = text.p + text.n,
                               .string_max = s->limits.string_bytes,
                               .lenient = lenient};
    s->sink = NULL;
    s->members = 0;
    s->depth = 0;
    s->cap = LEVELS_INLINE;
    s->levels = s->room;
    stix_names_init(&s->names);
}

/* The whole text; the scan is over afterwards. */
static int run(struct scan *s, const struct stix_place *place, struct isg_fail *why)
{
    const char *from = s->lex.p;
    struct isg_str text = {from, (size_t)(s->lex.end - from)};
    enum want want = begins_with_bom(text) ? stop(s, "a byte order mark") : WANT_VALUE;
    while (want != WANT_STOP)
        want = step(s, want);
    int err = report(s, from, place, why);
    scan_done(s);
    return err;
}

int stix_scan_at(struct isg_str text, const struct stix_limits *limits, bool lenient,
                 const struct stix_place *place, struct isg_fail *why)
{
    struct scan s;
    scan_init(&s, text, limits, lenient);
    return run(&s, place, why);
}

static const struct stix_place root = {"", 0};

int stix_scan_into(struct isg_str text, const struct stix_limits *limits, struct stix_sink *sink,
                   struct isg_fail *why)
{
    struct scan s;
    scan_init(&s, text, limits, false);
    s.sink = sink;
    return run(&s, &root, why);
}

size_t stix_scan_prefix(struct isg_str text, const struct stix_limits *limits)
{
    struct scan s;
    scan_init(&s, text, limits, true);
    enum want want = WANT_VALUE;
    do
        want = step(&s, want);
    while (want != WANT_STOP && s.depth > 0);
    size_t n = want == WANT_STOP ? 0 : (size_t)(s.lex.p - text.p);
    scan_done(&s);
    return n;
}

int stix_scan(struct isg_str text, const struct stix_limits *limits, struct isg_fail *why)
{
    return stix_scan_at(text, limits, false, &root, why);
}
