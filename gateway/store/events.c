#include "gateway/store/events.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

/*
 * Layout, little endian: format(1) flags(1) id(2) version(2) source(2) label(4) position(8) date(8)
 * digest(32), in a shelved record pack(8) offset(4) bytes(4), then the three texts.
 */
enum { PLAIN = 1, PLAIN_BYTES = 60, SHELVED = 2, SHELVED_BYTES = 76 };

static void put_number(unsigned char *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

static uint64_t get_number(const char *at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = bytes; i-- > 0;)
        value = value << 8 | (unsigned char)at[i];
    return value;
}

void event_write(struct isg_buf *out, const struct event_record *record)
{
    assert(record->id.n <= EVENT_TEXT_MAX && record->version.n <= EVENT_TEXT_MAX &&
           record->source.n <= EVENT_TEXT_MAX);
    bool shelved = record->shelf.pack > 0;
    unsigned char fixed[SHELVED_BYTES] = {shelved ? SHELVED : PLAIN, record->flags};
    put_number(fixed + 2, record->id.n, 2);
    put_number(fixed + 4, record->version.n, 2);
    put_number(fixed + 6, record->source.n, 2);
    put_number(fixed + 8, record->label, 4);
    put_number(fixed + 12, record->position, 8);
    put_number(fixed + 20, (uint64_t)record->date_us, 8);
    memcpy(fixed + 28, record->digest, ISG_SHA256_BYTES);
    put_number(fixed + 60, record->shelf.pack, 8);
    put_number(fixed + 68, record->shelf.offset, 4);
    put_number(fixed + 72, record->shelf.bytes, 4);
    isg_buf_put(out, fixed, shelved ? SHELVED_BYTES : PLAIN_BYTES);
    isg_buf_put_str(out, record->id);
    isg_buf_put_str(out, record->version);
    isg_buf_put_str(out, record->source);
}

static struct isg_str cut(struct isg_str *rest, size_t n)
{
    struct isg_str piece = {rest->p, n};
    rest->p += n;
    rest->n -= n;
    return piece;
}

bool event_read(struct isg_str *rest, struct event_record *out)
{
    const char *p = rest->p;
    bool shelved = rest->n > 0 && p[0] == SHELVED;
    size_t fixed = shelved ? SHELVED_BYTES : PLAIN_BYTES;
    if (rest->n < fixed || (!shelved && p[0] != PLAIN))
        return false;
    size_t id = (size_t)get_number(p + 2, 2);
    size_t version = (size_t)get_number(p + 4, 2);
    size_t source = (size_t)get_number(p + 6, 2);
    if (rest->n - fixed < id + version + source)
        return false;
    *out = (struct event_record){
        .flags = (uint8_t)p[1],
        .label = (uint32_t)get_number(p + 8, 4),
        .position = get_number(p + 12, 8),
        .date_us = (int64_t)get_number(p + 20, 8),
    };
    memcpy(out->digest, p + 28, ISG_SHA256_BYTES);
    if (shelved)
        out->shelf = (struct store_shelf){.pack = get_number(p + 60, 8),
                                          .offset = (uint32_t)get_number(p + 68, 4),
                                          .bytes = (uint32_t)get_number(p + 72, 4)};
    (void)cut(rest, fixed);
    out->id = cut(rest, id);
    out->version = cut(rest, version);
    out->source = cut(rest, source);
    return true;
}

void event_place_write(struct isg_buf *out, const struct event_place *place)
{
    unsigned char bytes[EVENT_PLACE_BYTES];
    put_number(bytes, place->position, 8);
    put_number(bytes + 8, place->offset, 4);
    put_number(bytes + 12, place->bytes, 4);
    isg_buf_put(out, bytes, sizeof bytes);
}

struct event_place event_place_read(const char bytes[EVENT_PLACE_BYTES])
{
    return (struct event_place){.position = get_number(bytes, 8),
                                .offset = (uint32_t)get_number(bytes + 8, 4),
                                .bytes = (uint32_t)get_number(bytes + 12, 4)};
}

static void write_list(struct isg_buf *out, const uint32_t *labels, size_t n)
{
    for (size_t i = 0; i < n; i++)
        isg_buf_printf(out, i == 0 ? "%" PRIu32 : ",%" PRIu32, labels[i]);
}

void event_marks_write(struct isg_buf *out, const struct event_marks *marks)
{
    if (marks->dead) {
        isg_buf_printf(out, "x%c%" PRId64, marks->expired ? 'e' : 'd', marks->gone_us);
        return;
    }
    write_list(out, marks->newer, marks->newer_count);
    isg_buf_putc(out, '/');
    write_list(out, marks->older, marks->older_count);
}

static size_t count_commas(struct isg_str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == ',';
    return n;
}

static bool read_list(struct isg_str text, uint32_t *labels, size_t *out_count)
{
    struct isg_str piece;
    size_t n = 0;
    if (isg_str_ends(text, ISG_STR(",")))
        return false;
    while (text.n > 0 && isg_str_split(&text, ',', &piece)) {
        uint64_t value;
        if (!isg_str_to_u64(piece, UINT32_MAX, &value))
            return false;
        labels[n++] = (uint32_t)value;
    }
    *out_count = n;
    return true;
}

bool event_marks_read(struct isg_str text, struct isg_arena *arena, struct event_marks *out,
                      bool *out_nomem)
{
    *out_nomem = false;
    bool expired = isg_str_starts(text, ISG_STR("xe"));
    if (expired || isg_str_starts(text, ISG_STR("xd"))) {
        *out = (struct event_marks){.dead = true, .expired = expired};
        return isg_str_to_i64(isg_str_from(text, 2), &out->gone_us);
    }
    size_t slash = isg_str_find(text, '/');
    if (slash == SIZE_MAX)
        return false;
    /* a list has at most one number more than commas */
    uint32_t *labels = isg_arena_alloc(arena, (count_commas(text) + 2) * sizeof *labels);
    if (labels == NULL) {
        *out_nomem = true;
        return false;
    }
    struct event_marks marks = {.newer = labels};
    if (!read_list((struct isg_str){text.p, slash}, labels, &marks.newer_count))
        return false;
    marks.older = labels + marks.newer_count;
    if (!read_list(isg_str_from(text, slash + 1), labels + marks.newer_count, &marks.older_count))
        return false;
    *out = marks;
    return true;
}
