/*
 * Strings and numbers of a JSON text, and what the scan and the cutter share. Private to stix/.
 */
#ifndef STIX_LEX_H
#define STIX_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "stix/base/buf.h"
#include "stix/base/err.h"
#include "stix/base/str.h"
#include "stix/scan.h"

/*
 * A cursor over a text. lenient lets pass what is JSON but no I-JSON: lone surrogates, NUL and
 * noncharacters by escape, numbers out of range (and, in the scan, duplicate names).
 */
struct stix_lex {
    const char *p; /* the next byte */
    const char *end;
    size_t string_max; /* bytes of one string as written */
    bool lenient;
    int code; /* of the failure, with the three below */
    const char *rule;
    const char *text;
    const char *at;
};

/* Set the failure at place `at`; returns false. All texts are static. */
bool stix_lex_fail(struct stix_lex *lex, int code, const char *rule, const char *text,
                   const char *at);

/* p stands on the opening quote: *out gets what is between the quotes, as written. */
bool stix_lex_string(struct stix_lex *lex, struct isg_str *out);

/* p stands on a digit or minus. */
bool stix_lex_number(struct stix_lex *lex);

/* Append the text of a string that passed stix_lex_string. A lone surrogate becomes U+FFFD. */
void stix_lex_unescape(struct isg_str raw, struct isg_buf *out);

/* Skip blanks, of which there is at least one: indented text has long runs of spaces. */
void stix_lex_skip_blanks(struct stix_lex *lex);

/* Skip blank, tab, CR and LF; mostly there are none. */
static inline void stix_lex_blanks(struct stix_lex *lex)
{
    if (lex->p < lex->end && (unsigned char)*lex->p <= ' ')
        stix_lex_skip_blanks(lex);
}

/*
 * The double a JSON number that passed the scan stands for, whatever the locale (number.c). room
 * must be empty; it is used for long ones. Returns ISG_OK or ISG_ENOMEM.
 */
int stix_number_read(struct isg_str text, struct isg_buf *room, double *out);

/* Limits with every 0 replaced by its default. */
struct stix_limits stix_limits_of(const struct stix_limits *limits);

/* Where a text stands in a larger one: put before pointers, added to offsets. */
struct stix_place {
    const char *path;
    size_t offset;
};

/* As stix_scan, of a text that stands in a larger one; lenient as in stix_lex. */
int stix_scan_at(struct isg_str text, const struct stix_limits *limits, bool lenient,
                 const struct stix_place *place, struct isg_fail *why);

/*
 * Told of every value while a text is scanned, and so makes something of it. parent is what `open`
 * gave for the container the value stands in, NULL at the root. False and NULL: no memory.
 */
struct stix_sink {
    /* A member's name as written; its value is what comes next. */
    bool (*name)(struct stix_sink *sink, struct isg_str raw);
    /* A list or object begins. Returns what its content gets as parent. */
    void *(*open)(struct stix_sink *sink, void *parent, bool is_object);
    /* A string with its quotes, a number or a word, as written. */
    bool (*leaf)(struct stix_sink *sink, void *parent, struct isg_str text);
};

/*
 * As stix_scan; sink gets the values in document order up to the first failure. A sink that fails
 * has no memory: ISG_ENOMEM.
 */
int stix_scan_into(struct isg_str text, const struct stix_limits *limits, struct stix_sink *sink,
                   struct isg_fail *why);

/*
 * Bytes of the string, list or object at the start of text, scanned leniently; 0 when it does not
 * end in text, or when anything is wrong with it.
 */
size_t stix_scan_prefix(struct isg_str text, const struct stix_limits *limits);

/*
 * Append a component to a JSON Pointer in room bytes, escaped. False when it did not fit: it was
 * cut between two characters, and nothing may follow.
 */
bool stix_pointer_add(char *path, size_t room, struct isg_str component);

#endif
