/*
 * Rows from text: delimited columns after RFC 4180, plain lists, hosts files (feeds digest 5.8).
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "feeds/csv.h"
#include "feeds/text.h"

enum { FIELDS_MAX = 256 };

struct reader {
    const struct csv_profile *profile;
    struct isg_arena *arena;
    struct isg_str rest; /* not yet read */
    size_t line;         /* of the record being read */
    size_t lines_read;
    struct isg_str fields[FIELDS_MAX];
    size_t count;
    int role_at[FIELDS_MAX];            /* role of a column, -1: of no interest */
    struct isg_str name_at[FIELDS_MAX]; /* by the header, for the filters */
    size_t width;                       /* 0: not known yet */
    csv_take *take;
    void *arg;
    struct isg_fail *why;
};

/* Is it one of the words parted by '|'? */
static bool is_among(const char *words, struct isg_str text)
{
    struct isg_str rest = isg_str_of(words);
    struct isg_str one;
    while (rest.n > 0 && isg_str_split(&rest, '|', &one)) {
        if (isg_str_ieq(one, text))
            return true;
    }
    return false;
}

bool csv_is_named(const struct csv_column *column, struct isg_str name)
{
    return is_among(column->names, name);
}

bool csv_passes(const struct csv_profile *profile, struct isg_str name, struct isg_str cell)
{
    for (size_t i = 0; i < CSV_FILTERS && profile->filter[i].name != NULL; i++) {
        const struct csv_filter *filter = &profile->filter[i];
        if (isg_str_ieq(name, isg_str_of(filter->name)) &&
            is_among(filter->values, cell) == filter->leave_out)
            return false;
    }
    return true;
}

/* ---- lines ---------------------------------------------------------------------------------- */

static struct isg_str peek_line(const struct reader *reader)
{
    size_t end = isg_str_find(reader->rest, '\n');
    return (struct isg_str){reader->rest.p, end == SIZE_MAX ? reader->rest.n : end};
}

static void skip_line(struct reader *reader)
{
    struct isg_str line;
    (void)isg_str_split(&reader->rest, '\n', &line);
    reader->lines_read++;
}

/* The length of the comment prefix the line begins with, 0 when it is none. */
static size_t comment_prefix(const struct csv_profile *profile, struct isg_str line)
{
    struct isg_str rest = isg_str_of(profile->comments);
    struct isg_str prefix;
    line = isg_str_trim(line);
    while (isg_str_split(&rest, ' ', &prefix)) {
        if (prefix.n > 0 && isg_str_starts(line, prefix))
            return prefix.n;
    }
    return 0;
}

/* ---- records of a table --------------------------------------------------------------------- */

/* A quoted field from behind its quote on; false when the quote is never closed. */
static bool take_quoted(struct reader *reader, struct isg_buf *out)
{
    struct isg_str *rest = &reader->rest;
    while (rest->n > 0) {
        char c = rest->p[0];
        *rest = isg_str_from(*rest, 1);
        if (c == '"' && (rest->n == 0 || rest->p[0] != '"'))
            return true;
        if (c == '"')
            *rest = isg_str_from(*rest, 1);
        reader->lines_read += c == '\n';
        isg_buf_putc(out, c);
    }
    return false;
}

/* "\xHH", which stands for one byte. */
static bool take_escape(struct isg_str *rest, uint8_t *out)
{
    if (rest->n < 4 || !isg_str_starts(*rest, ISG_STR("\\x")) ||
        !isg_hex_decode((struct isg_str){rest->p + 2, 2}, out, 1))
        return false;
    *rest = isg_str_from(*rest, 4);
    return true;
}

static void take_bare(struct reader *reader, struct isg_buf *out)
{
    struct isg_str *rest = &reader->rest;
    while (rest->n > 0 && rest->p[0] != reader->profile->delimiter && rest->p[0] != '\n') {
        uint8_t byte = (uint8_t)rest->p[0];
        bool escape = reader->profile->escapes && take_escape(rest, &byte);
        isg_buf_putc(out, (char)byte);
        *rest = isg_str_from(*rest, escape ? 0 : 1);
    }
}

static void skip_blanks(struct isg_str *rest, char delimiter)
{
    while (rest->n > 0 && (rest->p[0] == ' ' || rest->p[0] == '\r') && rest->p[0] != delimiter)
        *rest = isg_str_from(*rest, 1);
}

/* One field into the reader; sets *out_last at the end of the record. */
static int take_field(struct reader *reader, bool *out_last)
{
    struct isg_buf text;
    struct isg_str *rest = &reader->rest;
    bool closed = true;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    skip_blanks(rest, reader->profile->delimiter);
    if (rest->n > 0 && rest->p[0] == '"' && !reader->profile->escapes) {
        *rest = isg_str_from(*rest, 1);
        closed = take_quoted(reader, &text);
        skip_blanks(rest, reader->profile->delimiter);
    } else {
        take_bare(reader, &text);
    }
    struct isg_str field = isg_str_trim(isg_buf_str(&text));
    const char *copy = isg_arena_copy(reader->arena, field);
    isg_buf_done(&text);
    if (copy == NULL)
        return isg_fail(reader->why, ISG_ENOMEM, "no memory");
    bool ended = rest->n == 0 || rest->p[0] == '\n';
    if (!closed || (!ended && rest->p[0] != reader->profile->delimiter))
        return isg_fail(reader->why, ISG_EPARSE, "line %zu: a quote that is not closed",
                        reader->line);
    if (reader->count == FIELDS_MAX)
        return isg_fail(reader->why, ISG_ELIMIT, "line %zu has too many columns", reader->line);
    reader->fields[reader->count++] = (struct isg_str){copy, field.n};
    *out_last = ended;
    reader->lines_read += rest->n > 0 && ended;
    *rest = isg_str_from(*rest, 1);
    return ISG_OK;
}

static int take_record(struct reader *reader)
{
    bool last = false;
    int err = ISG_OK;
    reader->count = 0;
    reader->line = reader->lines_read + 1;
    while (err == ISG_OK && !last)
        err = take_field(reader, &last);
    return err;
}

/* ---- columns -------------------------------------------------------------------------------- */

/* Does a column of the record bear the name of the value's? */
static bool is_header(const struct reader *reader)
{
    for (const struct csv_column *c = reader->profile->column; c->names != NULL; c++) {
        for (size_t i = 0; c->role == CSV_VALUE && i < reader->count; i++) {
            if (csv_is_named(c, reader->fields[i]))
                return true;
        }
    }
    return false;
}

static int check_width(struct reader *reader)
{
    size_t expected = reader->profile->columns;
    if (expected > 0 && reader->count != expected)
        return isg_fail(reader->why, ISG_EINVAL,
                        "line %zu has %zu columns where %zu were due: the source has changed",
                        reader->line, reader->count, expected);
    reader->width = reader->count;
    return ISG_OK;
}

/* A filter whose column is not there would let everything pass. */
static int check_filters(struct reader *reader)
{
    for (size_t i = 0; i < CSV_FILTERS && reader->profile->filter[i].name != NULL; i++) {
        struct isg_str name = isg_str_of(reader->profile->filter[i].name);
        size_t at = 0;
        while (at < reader->count && !isg_str_ieq(reader->name_at[at], name))
            at++;
        if (at == reader->count)
            return isg_fail(reader->why, ISG_EINVAL,
                            "line %zu names no column %.*s, which a filter is about", reader->line,
                            ISG_STR_ARG(name));
    }
    return check_width(reader);
}

static int columns_by_name(struct reader *reader)
{
    for (size_t i = 0; i < reader->count; i++) {
        reader->role_at[i] = -1;
        reader->name_at[i] = reader->fields[i];
        for (const struct csv_column *c = reader->profile->column; c->names != NULL; c++) {
            bool here =
                c->names[0] == '\0' ? c->position == i + 1 : csv_is_named(c, reader->fields[i]);
            if (here)
                reader->role_at[i] = (int)c->role;
        }
    }
    return check_filters(reader);
}

static int columns_by_position(struct reader *reader)
{
    for (size_t i = 0; i < FIELDS_MAX; i++)
        reader->role_at[i] = -1;
    bool found = false;
    for (const struct csv_column *c = reader->profile->column; c->names != NULL; c++) {
        if (c->position > 0)
            reader->role_at[c->position - 1] = (int)c->role;
        found = found || (c->role == CSV_VALUE && c->position > 0);
    }
    if (!found)
        return isg_fail(reader->why, ISG_EINVAL, "line %zu is no header with the values' column",
                        reader->line);
    return check_filters(reader);
}

/* A comment may hold the header: "# id,dateadded,url,..." */
static int try_comment(struct reader *reader, struct isg_str line, size_t prefix)
{
    struct reader inner = *reader;
    inner.rest = isg_str_trim(isg_str_from(isg_str_trim(line), prefix));
    inner.why = NULL;
    if (take_record(&inner) != ISG_OK || inner.count < 2 || !is_header(&inner))
        return ISG_OK; /* one word may be any remark */
    memcpy(reader->fields, inner.fields, sizeof reader->fields);
    reader->count = inner.count;
    reader->line = reader->lines_read + 1;
    return columns_by_name(reader);
}

static int give_record(struct reader *reader)
{
    struct csv_row row = {.line = reader->line};
    if (reader->width == 0) {
        if (is_header(reader))
            return columns_by_name(reader);
        int err = columns_by_position(reader);
        if (err != ISG_OK)
            return err;
    }
    if (reader->count != reader->width)
        return isg_fail(reader->why, ISG_EINVAL,
                        "line %zu has %zu columns where %zu were due: the source has changed",
                        reader->line, reader->count, reader->width);
    for (size_t i = 0; i < reader->count; i++) {
        if (reader->role_at[i] >= 0 && !text_is_absent(reader->fields[i]))
            row.cell[reader->role_at[i]] = reader->fields[i];
        row.left_out =
            row.left_out || !csv_passes(reader->profile, reader->name_at[i], reader->fields[i]);
    }
    return reader->take(reader->arg, &row, reader->why);
}

static int read_table(struct reader *reader)
{
    int err = ISG_OK;
    while (err == ISG_OK && reader->rest.n > 0) {
        struct isg_str line = peek_line(reader);
        size_t prefix = comment_prefix(reader->profile, line);
        if (prefix > 0 && reader->width == 0)
            err = try_comment(reader, line, prefix);
        if (prefix > 0 || isg_str_trim(line).n == 0) {
            skip_line(reader);
            continue;
        }
        err = take_record(reader);
        if (err == ISG_OK)
            err = give_record(reader);
    }
    return err;
}

/* ---- lists ---------------------------------------------------------------------------------- */

/* A word of the line up to a blank. */
static bool next_word(struct isg_str *rest, struct isg_str *out)
{
    *rest = isg_str_trim(*rest);
    size_t n = 0;
    while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
        n++;
    *out = (struct isg_str){rest->p, n};
    *rest = isg_str_from(*rest, n);
    return n > 0;
}

/* No host of the Internet has it: unspecified, loopback, private, link-local, multicast, broadcast. */
static bool leads_nowhere(const uint8_t a[16])
{
    static const uint8_t zeros[15] = {0};
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (memcmp(a, mapped, sizeof mapped) != 0)
        return a[0] >= 0xfc || memcmp(a, zeros, sizeof zeros) == 0;
    return a[12] == 0 || a[12] == 10 || a[12] == 127 || a[12] >= 224 ||
           (a[12] == 169 && a[13] == 254) || (a[12] == 172 && a[13] / 16 == 1) ||
           (a[12] == 192 && a[13] == 168);
}

/*
 * Where a hosts file leads a name to, so that nobody gets there. Another address in front of something
 * is the value itself, with a count or a name of its own behind it: that is no line of a list.
 */
static bool is_sink(const struct reader *reader, struct isg_str word)
{
    struct ioc ioc;
    size_t zone = isg_str_find(word, '%');
    word.n = zone == SIZE_MAX ? word.n : zone;
    return ioc_read(reader->arena, word, IOC_NETWORK, IOC_MACHINE, &ioc, NULL) == ISG_OK &&
           (ioc.kind == IOC_IPV4 || ioc.kind == IOC_IPV6) && leads_nowhere(ioc.first);
}

/* Where the comment at the end begins: at the line's first sign behind a blank. */
static size_t tail_at(const struct csv_profile *profile, struct isg_str line)
{
    for (size_t i = 1; profile->tail != '\0' && i < line.n; i++) {
        if (line.p[i] == profile->tail && (line.p[i - 1] == ' ' || line.p[i - 1] == '\t'))
            return i;
    }
    return line.n;
}

/* own: a name of the machine that the hosts file comes from ("broadcasthost"), and nobody's else. */
static int give_value(struct reader *reader, struct isg_str value, struct isg_str record, bool own)
{
    struct csv_row row = {.line = reader->line, .left_out = own};
    row.cell[CSV_VALUE] = (struct isg_str){isg_arena_copy(reader->arena, value), value.n};
    if (reader->profile->tail == ';')
        row.cell[CSV_RECORD] = (struct isg_str){isg_arena_copy(reader->arena, record), record.n};
    if (row.cell[CSV_VALUE].p == NULL)
        return isg_fail(reader->why, ISG_ENOMEM, "no memory");
    return reader->take(reader->arg, &row, reader->why);
}

static int give_line(struct reader *reader, struct isg_str line)
{
    struct isg_str word;
    size_t end = tail_at(reader->profile, line);
    struct isg_str record = isg_str_trim(isg_str_from(line, end + 1));
    struct isg_str value = isg_str_trim((struct isg_str){line.p, end});
    struct isg_str rest = value;
    if (!next_word(&rest, &word) || isg_str_trim(rest).n == 0 || !is_sink(reader, word))
        return give_value(reader, value, record, false);
    int err = ISG_OK;
    while (err == ISG_OK && next_word(&rest, &word))
        err = give_value(reader, word, record, isg_str_find(word, '.') == SIZE_MAX);
    return err;
}

static int read_list(struct reader *reader)
{
    int err = ISG_OK;
    while (err == ISG_OK && reader->rest.n > 0) {
        struct isg_str line = isg_str_trim(peek_line(reader));
        reader->line = reader->lines_read + 1;
        skip_line(reader);
        if (line.n > 0 && comment_prefix(reader->profile, line) == 0)
            err = give_line(reader, line);
    }
    return err;
}

/* Lines that end as on old Macs, with CR alone: as others' lines; what has an LF stays as it is. */
static struct isg_str with_line_ends(struct isg_arena *arena, struct isg_str text)
{
    if (isg_str_find(text, '\n') != SIZE_MAX || isg_str_find(text, '\r') == SIZE_MAX)
        return text;
    char *copy = isg_arena_copy(arena, text);
    for (size_t i = 0; copy != NULL && i < text.n; i++)
        copy[i] = (char)(copy[i] == '\r' ? '\n' : copy[i]);
    return (struct isg_str){copy, copy != NULL ? text.n : 0};
}

int csv_read(const struct csv_profile *profile, struct isg_arena *arena, struct isg_str text,
             csv_take *take, void *arg, struct isg_fail *why)
{
    struct isg_str trimmed = isg_str_trim(text);
    if (trimmed.n > 0 && (trimmed.p[0] == '{' || (trimmed.p[0] == '[' && trimmed.n > 1 &&
                                                  strchr("{ \r\n]", trimmed.p[1]) != NULL)))
        return csv_read_json(profile, arena, trimmed, take, arg, why);
    struct reader *reader = isg_arena_alloc(arena, sizeof *reader);
    if (reader == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    reader->profile = profile;
    reader->arena = arena;
    reader->rest = with_line_ends(arena, text);
    if (reader->rest.n != text.n)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    reader->take = take;
    reader->arg = arg;
    reader->why = why;
    return profile->form == CSV_LIST ? read_list(reader) : read_table(reader);
}
