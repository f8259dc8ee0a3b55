#include "gateway/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stix/base/time.h"
#include "stix/base/utf8.h"

enum {
    LINE_BYTES = 8192,  /* a field that does not fit any more is left out */
    VALUE_BYTES = 1024, /* of one value as given; the rest is cut */
    TAIL_BYTES = 4,     /* kept free for the end of the line */
    PER_SECOND = 200,   /* lines of one event */
    EVENTS = 64,        /* slots of the limiter; what finds none shares the last one */
    EVENT_BYTES = 48,
    WHY_BYTES = 512
};

struct line {
    char p[LINE_BYTES];
    size_t n;
    bool full; /* a put did not fit; the caller goes back to where the field began */
};

struct event_slot {
    char event[EVENT_BYTES];
    int64_t second;
    unsigned written;
    uint64_t suppressed;
};

static _Atomic int level_min = LOG_INFO;
static _Atomic int format_chosen = LOG_AUTO;
static pthread_mutex_t slots_lock = PTHREAD_MUTEX_INITIALIZER; /* slots and last_sweep */
static struct event_slot slots[EVENTS];
static int64_t last_sweep;
static pthread_mutex_t write_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t at_exit_once = PTHREAD_ONCE_INIT;

static void put(struct line *line, const char *p, size_t n)
{
    if (n > LINE_BYTES - TAIL_BYTES - line->n)
        line->full = true;
    if (line->full)
        return;
    memcpy(line->p + line->n, p, n);
    line->n += n;
}

static void puts_line(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

/*
 * Code points that are never written as they are: controls (C0, DEL, C1), invisible and
 * direction-changing characters, line separators, tags.
 */
static bool must_escape(uint32_t cp)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},       {0x61c, 0x61c},
        {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},
        {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (cp >= ranges[i].first && cp <= ranges[i].last)
            return true;
    return false;
}

/* \uXXXX, as a surrogate pair above U+FFFF: the JSON form, readable in the text form too. */
static void put_escape(struct line *line, uint32_t cp)
{
    char text[16];
    if (cp > 0xffff) {
        uint32_t offset = cp - 0x10000;
        (void)snprintf(text, sizeof text, "\\u%04x\\u%04x", (unsigned)(0xd800 + (offset >> 10)),
                       (unsigned)(0xdc00 + (offset & 0x3ff)));
    } else {
        (void)snprintf(text, sizeof text, "\\u%04x", (unsigned)cp);
    }
    puts_line(line, text);
}

static void put_code_point(struct line *line, uint32_t cp)
{
    char utf8[4];
    if (cp == '"' || cp == '\\') {
        put(line, cp == '"' ? "\\\"" : "\\\\", 2);
    } else if (cp == '\n' || cp == '\r' || cp == '\t') {
        put(line, cp == '\n' ? "\\n" : cp == '\r' ? "\\r" : "\\t", 2);
    } else if (must_escape(cp)) {
        put_escape(line, cp != 0 ? cp : 0xfffd); /* U+0000 is more than many readers take */
    } else {
        put(line, utf8, isg_utf8_put(cp, utf8));
    }
}

/* The inside of a JSON string; a byte that is no UTF-8 becomes U+FFFD. */
static void put_escaped(struct line *line, struct isg_str s)
{
    bool cut = s.n > VALUE_BYTES;
    if (cut)
        s.n = VALUE_BYTES;
    while (s.n > 0 && !line->full) {
        int32_t cp = isg_utf8_next(&s);
        if (cp < 0) {
            put_escape(line, 0xfffd);
            s = isg_str_from(s, 1);
        } else {
            put_code_point(line, (uint32_t)cp);
        }
    }
    if (cut)
        puts_line(line, "...");
}

static void put_quoted(struct line *line, struct isg_str s)
{
    puts_line(line, "\"");
    put_escaped(line, s);
    puts_line(line, "\"");
}

/* A word of plain ASCII needs no quotes on a terminal. */
static bool is_word(struct isg_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("\"\\=", s.p[i]) != NULL)
            return false;
    return s.n > 0 && s.n <= VALUE_BYTES;
}

static void put_value(struct line *line, const struct log_field *field, bool json)
{
    char number[24];
    switch (field->type) {
    case LOG_FIELD_STR:
        if (!json && is_word(field->str))
            put(line, field->str.p, field->str.n);
        else
            put_quoted(line, field->str);
        break;
    case LOG_FIELD_INT:
        (void)snprintf(number, sizeof number, "%lld", (long long)field->num);
        puts_line(line, number);
        break;
    case LOG_FIELD_BOOL: puts_line(line, field->num != 0 ? "true" : "false"); break;
    }
}

/* A whole field or nothing of it, so that the line stays well-formed. */
static void put_field(struct line *line, const struct log_field *field, bool json)
{
    size_t before = line->n;
    puts_line(line, json ? "," : " ");
    if (json)
        put_quoted(line, isg_str_of(field->name));
    else
        put_escaped(line, isg_str_of(field->name));
    puts_line(line, json ? ":" : "=");
    put_value(line, field, json);
    if (line->full)
        line->n = before;
    line->full = false;
}

static const char *level_name(enum log_level level)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    return (size_t)level < sizeof names / sizeof names[0] ? names[level] : "error";
}

static void put_head(struct line *line, enum log_level level, const char *event, bool json)
{
    char ts[ISG_TIME_TEXT];
    isg_time_format(isg_time_now_us(), 3, ts);
    if (json) {
        puts_line(line, "{\"ts\":\"");
        puts_line(line, ts);
        puts_line(line, "\",\"level\":\"");
        puts_line(line, level_name(level));
        puts_line(line, "\",\"event\":\"");
        put_escaped(line, isg_str_of(event));
        puts_line(line, "\"");
        return;
    }
    puts_line(line, ts);
    puts_line(line, " ");
    puts_line(line, level_name(level));
    puts_line(line, " ");
    put_escaped(line, isg_str_of(event));
}

/* One write for one line; the lock keeps the pieces of a short write together. */
static void write_line(const struct line *line)
{
    size_t done = 0;
    pthread_mutex_lock(&write_lock);
    while (done < line->n) {
        ssize_t n = write(STDERR_FILENO, line->p + done, line->n - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break; /* nowhere to complain */
        done += (size_t)n;
    }
    pthread_mutex_unlock(&write_lock);
}

static bool is_json(void)
{
    int format = atomic_load(&format_chosen);
    if (format == LOG_AUTO) {
        format = isatty(STDERR_FILENO) ? LOG_TEXT : LOG_JSON;
        atomic_store(&format_chosen, format);
    }
    return format == LOG_JSON;
}

static void emit(enum log_level level, const char *event, const struct log_field *fields, size_t n)
{
    struct line line;
    bool json = is_json();
    line.n = 0;
    line.full = false;
    put_head(&line, level, event, json);
    for (size_t i = 0; i < n; i++)
        if (fields[i].name != NULL)
            put_field(&line, &fields[i], json);
    if (json)
        line.p[line.n++] = '}';
    line.p[line.n++] = '\n';
    write_line(&line);
}

/* Report and clear the suppressed lines of a slot; called with slots_lock held. */
static void report_slot(struct event_slot *slot)
{
    if (slot->suppressed == 0)
        return;
    struct log_field fields[] = {log_cstr("of", slot->event),
                                 log_int("count", (int64_t)slot->suppressed)};
    slot->suppressed = 0;
    emit(LOG_WARN, "log.suppressed", fields, 2);
}

/* Once a second, with whatever event comes first: no suppressed line stays unreported for long. */
static void sweep(int64_t second)
{
    if (second == last_sweep)
        return;
    last_sweep = second;
    for (size_t i = 0; i < EVENTS; i++)
        if (slots[i].second != second)
            report_slot(&slots[i]);
}

static void report_all(void)
{
    pthread_mutex_lock(&slots_lock);
    for (size_t i = 0; i < EVENTS; i++)
        report_slot(&slots[i]);
    pthread_mutex_unlock(&slots_lock);
}

static void register_at_exit(void)
{
    (void)atexit(report_all);
}

/* Slots are never given back: event names are a small fixed set. */
static struct event_slot *find_slot(const char *event)
{
    for (size_t i = 0; i < EVENTS - 1; i++) {
        if (slots[i].event[0] == '\0')
            (void)snprintf(slots[i].event, sizeof slots[i].event, "%s", event);
        if (strncmp(slots[i].event, event, EVENT_BYTES - 1) == 0)
            return &slots[i];
    }
    (void)snprintf(slots[EVENTS - 1].event, EVENT_BYTES, "other");
    return &slots[EVENTS - 1];
}

/* True when the line may be written; else it is only counted. */
static bool admit(const char *event)
{
    int64_t second = isg_time_mono_us() / 1000000;
    pthread_mutex_lock(&slots_lock);
    sweep(second);
    struct event_slot *slot = find_slot(event);
    if (slot->second != second) {
        slot->second = second;
        slot->written = 0;
    }
    bool admitted = slot->written < PER_SECOND;
    if (admitted)
        slot->written++;
    else
        slot->suppressed++;
    pthread_mutex_unlock(&slots_lock);
    return admitted;
}

void log_setup(enum log_level level, enum log_format format)
{
    atomic_store(&level_min, (int)level);
    atomic_store(&format_chosen, (int)format);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n)
{
    if ((int)level < atomic_load(&level_min))
        return;
    pthread_once(&at_exit_once, register_at_exit);
    if (admit(event))
        emit(level, event, fields, n);
}

struct log_field log_cstr(const char *name, const char *value)
{
    return log_str(value == NULL ? NULL : name, isg_str_of(value));
}

struct log_field log_str(const char *name, struct isg_str value)
{
    return (struct log_field){.name = name, .type = LOG_FIELD_STR, .str = value};
}

struct log_field log_int(const char *name, int64_t value)
{
    return (struct log_field){.name = name, .type = LOG_FIELD_INT, .num = value};
}

struct log_field log_bool(const char *name, bool value)
{
    return (struct log_field){.name = name, .type = LOG_FIELD_BOOL, .num = value};
}

/* The text lives in the thread until its next log_why: long enough for one LOG. */
struct log_field log_why(const struct isg_fail *why)
{
    static _Thread_local char text[WHY_BYTES];
    if (why == NULL)
        return (struct log_field){.name = NULL};
    (void)snprintf(text, sizeof text, "%s%s%s%s%s%s",
                   why->text[0] != '\0' ? why->text : isg_strerror(why->code),
                   why->path[0] != '\0' ? " at " : "", why->path, why->rule[0] != '\0' ? " (" : "",
                   why->rule, why->rule[0] != '\0' ? ")" : "");
    return log_cstr("error", text);
}
