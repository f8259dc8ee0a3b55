/* RFC 8785: one text for one value. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "stix/base/jsonw.h"
#include "stix/json.h"

enum { MEMBERS_INLINE = 48 }; /* members of one object that are sorted without allocating */

struct member {
    const char *name;
    const struct stix_json *value;
    uint64_t head; /* the first bytes of an ASCII name, in its order; 0 for others */
};

/* The first eight bytes as a number that is ordered as they are; 0: compare byte by byte. */
static uint64_t head_of(const char *name)
{
    uint64_t head = 0;
    for (size_t i = 0; i < sizeof head; i++) {
        unsigned char byte = (unsigned char)*name;
        if (byte >= 0x80)
            return 0;
        head = head << 8 | byte;
        name += byte != 0;
    }
    return head;
}

/*
 * Order of UTF-16 code units from UTF-8 (S-094). It is byte order, except that code points above
 * U+FFFF (lead bytes F0 to F4) are written with units D800 to DFFF and so come before U+E000 to
 * U+FFFF (lead bytes EE and EF).
 */
static int compare_names(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    unsigned char x = (unsigned char)*a;
    unsigned char y = (unsigned char)*b;
    if (x >= 0xee && y >= 0xee && (x >= 0xf0) != (y >= 0xf0))
        return x >= 0xf0 ? -1 : 1;
    return x < y ? -1 : x > y;
}

static int compare(const struct member *a, const struct member *b)
{
    if (a->head != 0 && b->head != 0 && a->head != b->head)
        return a->head < b->head ? -1 : 1;
    return compare_names(a->name, b->name);
}

static int compare_members(const void *a, const void *b)
{
    return compare(a, b);
}

/* Members mostly come nearly sorted and few. */
static void sort_members(struct member *members, size_t count)
{
    if (count > MEMBERS_INLINE) {
        qsort(members, count, sizeof *members, compare_members);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        struct member moving = members[i];
        size_t at = i;
        for (; at > 0 && compare(&moving, &members[at - 1]) < 0; at--)
            members[at] = members[at - 1];
        members[at] = moving;
    }
}

static bool is_in(const char *name, const char *const *names)
{
    for (; names != NULL && *names != NULL; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

static void put_string(struct isg_str s, struct isg_buf *out)
{
    isg_buf_putc(out, '"');
    isg_json_escape(out, s);
    isg_buf_putc(out, '"');
}

static void put_members(const struct member *members, size_t count, struct isg_buf *out)
{
    isg_buf_putc(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            isg_buf_putc(out, ',');
        put_string(isg_str_of(members[i].name), out);
        isg_buf_putc(out, ':');
        stix_json_canon(members[i].value, out);
    }
    isg_buf_putc(out, '}');
}

void stix_json_canon_without(const struct stix_json *object, const char *const *skip,
                             struct isg_buf *out)
{
    struct member room[MEMBERS_INLINE];
    struct member *members = room;
    size_t count = 0;
    if (stix_json_size(object) > MEMBERS_INLINE)
        members = malloc(stix_json_size(object) * sizeof *members);
    if (members == NULL) {
        out->err = ISG_ENOMEM;
        return;
    }
    struct stix_json_walk walk;
    stix_json_walk(object, &walk);
    while (stix_json_next(&walk))
        if (!is_in(walk.name, skip))
            members[count++] = (struct member){walk.name, walk.value, head_of(walk.name)};
    sort_members(members, count);
    put_members(members, count, out);
    if (members != room)
        free(members);
}

static void put_list(const struct stix_json *list, struct isg_buf *out)
{
    size_t count = stix_json_size(list);
    isg_buf_putc(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            isg_buf_putc(out, ',');
        stix_json_canon(stix_json_at(list, i), out);
    }
    isg_buf_putc(out, ']');
}

static void put_number(const struct stix_json *value, struct isg_buf *out)
{
    double number = 0;
    (void)stix_json_float(value, &number);
    stix_json_canon_number(number, out);
}

void stix_json_canon(const struct stix_json *value, struct isg_buf *out)
{
    switch (stix_json_type(value)) {
    case STIX_JSON_NULL: isg_buf_puts(out, "null"); break;
    case STIX_JSON_BOOL: isg_buf_puts(out, stix_json_bool(value) ? "true" : "false"); break;
    case STIX_JSON_INT:
    case STIX_JSON_FLOAT: put_number(value, out); break;
    case STIX_JSON_STRING: put_string(stix_json_str(value), out); break;
    case STIX_JSON_LIST: put_list(value, out); break;
    case STIX_JSON_OBJECT: stix_json_canon_without(value, NULL, out); break;
    }
}
