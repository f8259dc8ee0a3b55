/*
 * The scan over a stream. The cutter itself knows only the top level and where a value ends
 * (quotes and brackets); every value is scanned as a whole once its last byte is there, if not by
 * the cutter then by whom it is handed out to. So the result depends on the bytes alone, not on how
 * they come in pieces.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stix/base/arena.h"
#include "stix/base/word.h"
#include "stix/lex.h"
#include "stix/names.h"
#include "stix/scan.h"

/* All names of the top level, which are few, and what one takes besides its bytes. */
enum { NAMES_BYTES = 1 << 20, NAME_COST = 16 };

enum state {
    AT_START,      /* of the document */
    AT_FIRST_NAME, /* or the end of an empty object */
    AT_NAME,
    AT_COLON,
    AT_VALUE,
    AT_MORE,          /* members, or the end of the object */
    AT_FIRST_ELEMENT, /* of `objects`, or the end of an empty list */
    AT_ELEMENT,
    AT_MORE_ELEMENTS,
    AT_END /* of the document: only blanks may follow */
};

enum token { NO_TOKEN, SCALAR, ENCLOSED /* by quotes, brackets or braces */ };

struct stix_cutter {
    struct stix_limits limits;
    stix_cutter_object *on_object;
    stix_cutter_member *on_member;
    void *arg;

    enum state state;
    bool has_objects;
    bool leaves_unread;   /* objects are not scanned */
    size_t index;         /* of the element being read */
    struct isg_buf name;  /* of the member being read, unescaped */
    struct isg_buf token; /* what earlier pieces held of the value being read */

    enum token kind; /* of the value being read, with how far it is: */
    size_t nesting;
    bool in_string;
    bool escaped;

    const char *p; /* in the current piece */
    const char *end;
    size_t offset; /* in the stream, of p */
    size_t from;   /* in the stream, of the value being read, or of what is wrong */

    struct stix_names names; /* of the top level */
    struct stix_scope scope;
    struct isg_arena *arena; /* where they are kept */
    size_t names_bytes;      /* they take there */
    int failed;              /* sticky, with its reason: */
    struct isg_fail fail;
};

struct stix_cutter *stix_cutter_new(const struct stix_limits *limits, stix_cutter_object *on_object,
                                    stix_cutter_member *on_member, void *arg)
{
    struct stix_cutter *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    c->limits = stix_limits_of(limits);
    c->arena = isg_arena_new((size_t)4 * NAMES_BYTES); /* with what its blocks waste */
    c->on_object = on_object;
    c->on_member = on_member;
    c->arg = arg;
    isg_buf_init(&c->name, ISG_BUF_NO_MAX);
    isg_buf_init(&c->token, c->limits.object_bytes);
    stix_names_init(&c->names);
    stix_names_open(&c->names, &c->scope);
    if (c->arena == NULL)
        stix_cutter_free(&c);
    return c;
}

void stix_cutter_free(struct stix_cutter **cutter)
{
    struct stix_cutter *c = *cutter;
    if (c == NULL)
        return;
    isg_buf_done(&c->name);
    isg_buf_done(&c->token);
    stix_names_close(&c->names, &c->scope);
    stix_names_done(&c->names);
    isg_arena_free(&c->arena);
    free(c);
    *cutter = NULL;
}

bool stix_cutter_has_objects(const struct stix_cutter *cutter)
{
    return cutter->has_objects;
}

void stix_cutter_leave_unread(struct stix_cutter *cutter, bool unread)
{
    cutter->leaves_unread = unread;
}

size_t stix_cutter_offset(const struct stix_cutter *cutter)
{
    return cutter->from;
}

static void add_element(size_t index, char *path, size_t room)
{
    char number[32];
    (void)snprintf(number, sizeof number, "%zu", index);
    (void)stix_pointer_add(path, room, isg_str_of(number));
}

static void path_of(const struct stix_cutter *c, char *path, size_t room)
{
    path[0] = '\0';
    if (c->state == AT_VALUE || c->state == AT_MORE)
        (void)stix_pointer_add(path, room, isg_buf_str(&c->name));
    if (c->state < AT_FIRST_ELEMENT || c->state == AT_END)
        return;
    (void)stix_pointer_add(path, room, ISG_STR("objects"));
    if (c->state != AT_FIRST_ELEMENT)
        add_element(c->index, path, room);
}

/* A failure of the value (or name) that is being read. */
static int fail(struct stix_cutter *c, int code, const char *rule, const char *text)
{
    char path[sizeof c->fail.path];
    path_of(c, path, sizeof path);
    return isg_fail_at(&c->fail, code, path, rule, "%s at byte %zu", text, c->from);
}

/* A failure of the byte at p. */
static int grammar_fail(struct stix_cutter *c, const char *text)
{
    c->from = c->offset;
    return fail(c, ISG_EPARSE, "S-001", text);
}

static int scan_value(struct stix_cutter *c, struct isg_str text, bool lenient)
{
    char path[sizeof c->fail.path];
    struct stix_place place = {path, c->from};
    path_of(c, path, sizeof path);
    return stix_scan_at(text, &c->limits, lenient, &place, &c->fail);
}

int stix_cutter_scan(const struct stix_cutter *cutter, struct isg_str element, size_t index,
                     size_t offset, struct isg_fail *why)
{
    char path[sizeof why->path] = "/objects";
    struct stix_place place = {path, offset};
    add_element(index, path, sizeof path);
    return stix_scan_at(element, &cutter->limits, true, &place, why);
}

/* A stream of nothing but names ends at a bound. */
static int take_name(struct stix_cutter *c, struct isg_str text)
{
    struct isg_str raw = {text.p + 1, text.n - 2};
    int err = scan_value(c, text, false);
    if (err != ISG_OK)
        return err;
    c->names_bytes += raw.n + NAME_COST;
    if (c->names.count >= c->limits.members)
        return fail(c, ISG_ELIMIT, "limit", "too many members");
    if (c->names_bytes > NAMES_BYTES)
        return fail(c, ISG_ELIMIT, "limit", "too many or too long names");
    const char *copy = isg_arena_copy(c->arena, raw);
    if (copy == NULL)
        return fail(c, ISG_ENOMEM, "", "out of memory");
    isg_buf_reset(&c->name);
    stix_lex_unescape(raw, &c->name);
    err = stix_names_add(&c->names, &c->scope, (struct isg_str){copy, raw.n});
    c->state = AT_VALUE; /* so that the name is in the pointer */
    if (err == ISG_ECONFLICT)
        return fail(c, ISG_EPARSE, "I-JSON", "a duplicate name");
    if (err != ISG_OK || c->name.err != ISG_OK)
        return fail(c, ISG_ENOMEM, "", "out of memory");
    c->state = AT_COLON;
    return ISG_OK;
}

static int take_member(struct stix_cutter *c, struct isg_str text)
{
    int err = scan_value(c, text, false);
    if (err == ISG_OK && c->on_member != NULL)
        err = c->on_member(c->arg, isg_buf_str(&c->name), text, &c->fail);
    c->state = AT_MORE;
    return err;
}

static int give_element(struct stix_cutter *c, struct isg_str text)
{
    int err = c->on_object(c->arg, text, c->index, &c->fail);
    c->state = AT_MORE_ELEMENTS;
    return err;
}

static int take_element(struct stix_cutter *c, struct isg_str text)
{
    bool unread = c->leaves_unread && text.p[0] == '{';
    int err = unread ? ISG_OK : scan_value(c, text, true);
    return err == ISG_OK ? give_element(c, text) : err;
}

static int take_value(struct stix_cutter *c, struct isg_str text)
{
    c->kind = NO_TOKEN;
    if (text.n > c->limits.object_bytes)
        return fail(c, ISG_ELIMIT, "limit", "a value is too long");
    if (c->state == AT_NAME)
        return take_name(c, text);
    return c->state == AT_VALUE ? take_member(c, text) : take_element(c, text);
}

/* To the next quote or backslash, or the end. */
static const char *skip_plain(const char *p, const char *end)
{
    for (; end - p >= 8; p += 8) {
        uint64_t word = isg_word_load(p);
        uint64_t hit = isg_word_equal(word, '"') | isg_word_equal(word, '\\');
        if (hit != 0)
            return p + isg_word_first(hit);
    }
    while (p < end && *p != '"' && *p != '\\')
        p++;
    return p;
}

/* Inside a string: to behind its closing quote, or the end of the piece. */
static const char *skip_string(struct stix_cutter *c, const char *p, const char *end)
{
    while (p < end && c->in_string) {
        if (!c->escaped)
            p = skip_plain(p, end);
        if (p == end)
            break;
        c->in_string = c->escaped || *p != '"';
        c->escaped = !c->escaped && *p == '\\';
        p++;
    }
    return p;
}

/* A string, list or object: to behind what closes it, or the end of the piece. */
static const char *skip_enclosed(struct stix_cutter *c, const char *p, const char *end)
{
    while (p < end) {
        if (c->in_string) {
            p = skip_string(c, p, end);
            if (c->nesting == 0)
                break;
            continue;
        }
        switch (*p++) {
        case '"': c->in_string = true; break;
        case '{':
        case '[': c->nesting++; break;
        case '}':
        case ']':
            if (--c->nesting == 0)
                return p;
            break;
        default: break;
        }
    }
    return p;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static bool ends_scalar(char byte)
{
    return is_blank(byte) || (byte != '\0' && strchr(",:{}[]\"", byte) != NULL);
}

/* Read on in the value; true when it ends in this piece. */
static bool skip_value(struct stix_cutter *c)
{
    if (c->kind == ENCLOSED) {
        c->p = skip_enclosed(c, c->p, c->end);
        return c->nesting == 0 && !c->in_string;
    }
    while (c->p < c->end && !ends_scalar(*c->p))
        c->p++;
    return c->p < c->end;
}

static int read_value(struct stix_cutter *c)
{
    const char *from = c->p;
    bool done = skip_value(c);
    struct isg_str part = {from, (size_t)(c->p - from)};
    c->offset += part.n;
    if (done && c->token.len == 0)
        return take_value(c, part);
    isg_buf_put_str(&c->token, part);
    if (c->token.err == ISG_ELIMIT)
        return fail(c, ISG_ELIMIT, "limit", "a value is too long");
    if (c->token.err != ISG_OK)
        return fail(c, ISG_ENOMEM, "", "out of memory");
    if (!done)
        return ISG_OK;
    int err = take_value(c, isg_buf_str(&c->token));
    isg_buf_reset(&c->token);
    return err;
}

static int begin_value(struct stix_cutter *c)
{
    char first = *c->p;
    bool encloses = first == '"' || first == '{' || first == '[';
    if (!encloses && ends_scalar(first))
        return grammar_fail(c, "a value expected");
    c->kind = encloses ? ENCLOSED : SCALAR;
    c->from = c->offset;
    return read_value(c);
}

static int begin_name(struct stix_cutter *c)
{
    if (*c->p != '"')
        return grammar_fail(c, "a name expected");
    c->state = AT_NAME;
    return begin_value(c);
}

static int begin_member(struct stix_cutter *c)
{
    if (!isg_str_is(isg_buf_str(&c->name), "objects"))
        return begin_value(c);
    if (*c->p != '[')
        return grammar_fail(c, "objects is no list");
    c->has_objects = true;
    c->p++;
    c->offset++;
    c->state = AT_FIRST_ELEMENT;
    return ISG_OK;
}

/*
 * An element that is wholly in this piece and good needs no search for its end first. With any
 * other the slow way decides, so that the pieces make no difference.
 */
static int begin_element(struct stix_cutter *c)
{
    c->state = AT_ELEMENT;
    c->from = c->offset;
    if (c->index >= c->limits.objects)
        return fail(c, ISG_ELIMIT, "limit", "too many objects");
    struct isg_str text = {c->p, 0};
    if (*c->p == '{' && !c->leaves_unread)
        text.n = stix_scan_prefix((struct isg_str){c->p, (size_t)(c->end - c->p)}, &c->limits);
    if (text.n == 0 || text.n > c->limits.object_bytes)
        return begin_value(c);
    c->p += text.n;
    c->offset += text.n;
    return give_element(c, text);
}

/* Take one byte of punctuation. */
static int go(struct stix_cutter *c, enum state state)
{
    c->state = state;
    c->p++;
    c->offset++;
    return ISG_OK;
}

static int more(struct stix_cutter *c)
{
    if (*c->p == '}')
        return go(c, AT_END);
    return *c->p == ',' ? go(c, AT_NAME) : grammar_fail(c, "a comma or } expected");
}

static int more_elements(struct stix_cutter *c)
{
    if (*c->p == ']')
        return go(c, AT_MORE);
    if (*c->p != ',')
        return grammar_fail(c, "a comma or ] expected");
    c->index++;
    return go(c, AT_ELEMENT);
}

/* p is on a byte that is no blank. */
static int step(struct stix_cutter *c)
{
    char byte = *c->p;
    switch (c->state) {
    case AT_START: return byte == '{' ? go(c, AT_FIRST_NAME) : grammar_fail(c, "no JSON object");
    case AT_FIRST_NAME: return byte == '}' ? go(c, AT_END) : begin_name(c);
    case AT_NAME: return begin_name(c);
    case AT_COLON: return byte == ':' ? go(c, AT_VALUE) : grammar_fail(c, "a colon expected");
    case AT_VALUE: return begin_member(c);
    case AT_MORE: return more(c);
    case AT_FIRST_ELEMENT: return byte == ']' ? go(c, AT_MORE) : begin_element(c);
    case AT_ELEMENT: return begin_element(c);
    case AT_MORE_ELEMENTS: return more_elements(c);
    case AT_END: break;
    }
    return grammar_fail(c, "more than one value");
}

static void skip_blanks(struct stix_cutter *c)
{
    const char *from = c->p;
    while (c->p < c->end && is_blank(*c->p))
        c->p++;
    c->offset += (size_t)(c->p - from);
}

/* Give the sticky failure to the caller. */
static int result(const struct stix_cutter *c, struct isg_fail *why)
{
    if (c->failed != ISG_OK && why != NULL)
        *why = c->fail;
    return c->failed;
}

int stix_cutter_feed(struct stix_cutter *cutter, struct isg_str piece, struct isg_fail *why)
{
    cutter->p = piece.p;
    cutter->end = piece.n > 0 ? piece.p + piece.n : piece.p;
    while (cutter->failed == ISG_OK && cutter->p < cutter->end) {
        if (cutter->kind != NO_TOKEN) {
            cutter->failed = read_value(cutter);
            continue;
        }
        skip_blanks(cutter);
        if (cutter->p < cutter->end)
            cutter->failed = step(cutter);
    }
    return result(cutter, why);
}

int stix_cutter_end(struct stix_cutter *cutter, struct isg_fail *why)
{
    if (cutter->failed == ISG_OK && cutter->state != AT_END)
        cutter->failed = grammar_fail(cutter, "the text ends too early");
    return result(cutter, why);
}
