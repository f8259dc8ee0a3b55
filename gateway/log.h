/*
 * The log: one event a line on stderr, JSON for machines, short text for a terminal.
 *
 * Events have stable dotted names ("http.request", "store.down"); fields follow in the order given.
 * Values are escaped, so that no input can forge a line or a terminal escape. Secrets,
 * bodies, patterns and query values never go in. Safe from every thread.
 */
#ifndef GATEWAY_LOG_H
#define GATEWAY_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stix/base/err.h"
#include "stix/base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_AUTO, LOG_JSON, LOG_TEXT }; /* auto: text when stderr is a terminal */

struct log_field {
    const char *name; /* NULL: the field is left out */
    enum { LOG_FIELD_STR, LOG_FIELD_INT, LOG_FIELD_BOOL } type;
    struct isg_str str;
    int64_t num;
};

/* Set level and format; before it the log is LOG_INFO and LOG_AUTO. */
void log_setup(enum log_level level, enum log_format format);

/* Write one event; use LOG. Repeats of one event over 200 a second are counted, not written. */
void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n);

/* A text, borrowed until log_write; with a NULL value the field is left out. */
struct log_field log_cstr(const char *name, const char *value);
/* The same of a view. */
struct log_field log_str(const char *name, struct isg_str value);
/* An integer. */
struct log_field log_int(const char *name, int64_t value);
/* true or false. */
struct log_field log_bool(const char *name, bool value);
/* "error": text with path and rule, in memory of this thread: one such field a line. */
struct log_field log_why(const struct isg_fail *why);

/* LOG(LOG_WARN, "store.down", log_cstr("url", u), log_why(&why)); at least one field. */
#define LOG(level, event, ...)                                       \
    log_write(level, event, (const struct log_field[]){__VA_ARGS__}, \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

#endif
