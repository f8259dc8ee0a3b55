/*
 * A JSON value tree and its canonical text. stix/json.c is the only file that knows json-c.
 *
 * Trees are made by stix_json_parse (which runs the strict scan first) and are read-only after
 * that, so they may be shared between threads. Values are borrowed from the tree they are in.
 */
#ifndef STIX_JSON_H
#define STIX_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stix/base/buf.h"
#include "stix/base/err.h"
#include "stix/base/str.h"
#include "stix/scan.h"

struct stix_json; /* one value; NULL stands for an absent value and for JSON null */

enum stix_json_type {
    STIX_JSON_NULL,
    STIX_JSON_BOOL,
    STIX_JSON_INT,   /* a number without fraction and exponent */
    STIX_JSON_FLOAT, /* any other number */
    STIX_JSON_STRING,
    STIX_JSON_LIST,
    STIX_JSON_OBJECT
};

/*
 * Scan text strictly and build its tree.
 *
 *   out_tree  set on success only; free with stix_json_free
 *
 * Returns ISG_OK, ISG_EPARSE, ISG_ELIMIT, ISG_ENOMEM; why as stix_scan.
 */
int stix_json_parse(struct isg_str text, const struct stix_limits *limits,
                    struct stix_json **out_tree, struct isg_fail *why);
/*
 * As stix_json_parse, but of the members of all objects only those with a name of the list (NULL-ended)
 * get into the tree. The whole text is scanned as strictly. For large texts of which little is wanted.
 */
int stix_json_parse_named(struct isg_str text, const struct stix_limits *limits,
                          const char *const *names, struct stix_json **out_tree,
                          struct isg_fail *why);
/* As stix_json_parse, and *out_large tells of a number beyond +-(2^53-1), which a float may be (1e20). */
int stix_json_parse_large(struct isg_str text, const struct stix_limits *limits,
                          struct stix_json **out_tree, bool *out_large, struct isg_fail *why);
/* Give a tree back; accepts NULL, leaves NULL. Never a value within a tree. */
void stix_json_free(struct stix_json **tree);

/* NULL is STIX_JSON_NULL. */
enum stix_json_type stix_json_type(const struct stix_json *value);

/* Member of an object by name; NULL when absent or value is no object. */
const struct stix_json *stix_json_get(const struct stix_json *value, const char *name);

/* True when value is an object with this member (whose value may be null). */
bool stix_json_has(const struct stix_json *value, const char *name);

/* Elements of a list, members of an object, 0 for anything else. */
size_t stix_json_size(const struct stix_json *value);

/* Element i of a list, or NULL. */
const struct stix_json *stix_json_at(const struct stix_json *value, size_t i);

/* A string's bytes; the empty view (p NULL) for anything else. */
struct isg_str stix_json_str(const struct stix_json *value);

/* As stix_json_str of stix_json_get. */
struct isg_str stix_json_get_str(const struct stix_json *value, const char *name);

/*
 * An integer within +-(2^53-1). A float without fractional part (50.0) counts as one, everywhere
 * (S-005). False for anything else.
 */
bool stix_json_int(const struct stix_json *value, int64_t *out);

/* Any number as double; false for anything else. */
bool stix_json_float(const struct stix_json *value, double *out);

/* true or false; false is also returned for anything else: look at the type first. */
bool stix_json_bool(const struct stix_json *value);

/* Walk of an object's members in document order. */
struct stix_json_walk {
    const void *next; /* private */
    const char *name; /* the current member */
    const struct stix_json *value;
};

/* Start a walk; nothing to free. */
void stix_json_walk(const struct stix_json *object, struct stix_json_walk *walk);

/* Step to the next member; false at the end. */
bool stix_json_next(struct stix_json_walk *walk);

/*
 * Append the RFC 8785 text of value: names sorted by UTF-16 code units, no blanks, short escapes,
 * numbers in ECMAScript form (S-094). Errors are the buffer's.
 */
void stix_json_canon(const struct stix_json *value, struct isg_buf *out);

/* Append a finite number in ECMAScript form (RFC 8785, section 3.2.2.3), whatever the locale. */
void stix_json_canon_number(double number, struct isg_buf *out);

/* As stix_json_canon of an object, leaving out its top-level members named in skip (NULL-ended). */
void stix_json_canon_without(const struct stix_json *object, const char *const *skip,
                             struct isg_buf *out);

#endif
