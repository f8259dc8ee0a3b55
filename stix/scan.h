/*
 * The strict scan: every byte that comes from outside passes here before a JSON parser sees it.
 *
 * json-c takes the last of duplicate names, cuts names at NUL, accepts NaN, single quotes and raw
 * control characters, and turns lone surrogates into U+FFFD. This scan accepts I-JSON (RFC 7493)
 * only: RFC 8259 grammar, UTF-8, no duplicate names, no lone surrogates, no NUL in names, integers
 * within +-(2^53-1), finite doubles, bounded depth, members and lengths. It builds no tree.
 *
 * A cutter is the same scan over a stream: it takes pieces of any size and hands out, one by one,
 * the elements of the top-level member `objects` of an envelope or bundle.
 */
#ifndef STIX_SCAN_H
#define STIX_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stix/base/err.h"
#include "stix/base/str.h"

enum { STIX_DEPTH_DEFAULT = 64 };

/* Bounds of one JSON text; 0 in a field means its default. */
struct stix_limits {
    size_t depth;        /* nesting levels, default 64 */
    size_t members;      /* names and elements in one text or object, default 1,000,000 */
    size_t string_bytes; /* one string as written, default 16 MiB */
    size_t object_bytes; /* one object cut from a stream, default 16 MiB */
    size_t objects;      /* objects in one stream, default 10,000,000 */
};

/*
 * Check that text is exactly one JSON value within limits (may be NULL for the defaults), with
 * blanks around it allowed.
 *
 * Returns ISG_OK; ISG_EPARSE (not I-JSON), ISG_ELIMIT (a bound); why (may be NULL) gets the JSON
 * Pointer of the place and a rule: "S-001" (grammar), "S-005", "S-006" (numbers), "I-JSON" (what
 * else RFC 7493 adds) or "limit".
 */
int stix_scan(struct isg_str text, const struct stix_limits *limits, struct isg_fail *why);

/*
 * One element of `objects`, in order. text is the element's own bytes (no surrounding blanks),
 * valid during the call only; index counts from 0. A code other than ISG_OK stops the cutter and
 * is returned by stix_cutter_feed.
 */
typedef int stix_cutter_object(void *arg, struct isg_str text, size_t index, struct isg_fail *why);

/*
 * Any other top-level member: its name (unescaped) and the bytes of its value, at most
 * limits->object_bytes of them. Elements and members come in document order.
 */
typedef int stix_cutter_member(void *arg, struct isg_str name, struct isg_str value,
                               struct isg_fail *why);

struct stix_cutter;

/*
 * A new cutter. on_object is required, on_member may be NULL; arg goes to both. Memory in use is
 * bounded by limits->object_bytes. NULL when there is no memory.
 */
struct stix_cutter *stix_cutter_new(const struct stix_limits *limits, stix_cutter_object *on_object,
                                    stix_cutter_member *on_member, void *arg);
/* Accepts NULL, leaves NULL. */
void stix_cutter_free(struct stix_cutter **cutter);

/*
 * The next piece of the stream. Returns ISG_OK, ISG_EPARSE, ISG_ELIMIT, ISG_ENOMEM or a callback's
 * code; after a failure every later call returns the same code.
 *
 * An element whose own content breaks I-JSON without breaking the grammar (a duplicate name, a
 * lone surrogate, a number out of range) does not stop the stream: it is handed out as it is, and
 * stix_scan on it says what is wrong. So one bad object does not sink an envelope (T-124).
 */
int stix_cutter_feed(struct stix_cutter *cutter, struct isg_str piece, struct isg_fail *why);

/*
 * Whether elements that are objects are handed out unread from now on: cut by their quotes and
 * brackets alone, for who builds their trees anyway and so need not pay for a second scan. What was
 * handed out unread may be no JSON at all; what follows it is good only if stix_cutter_scan says
 * that it is.
 */
void stix_cutter_leave_unread(struct stix_cutter *cutter, bool unread);

/* Where the element that on_object is called with begins in the stream, in bytes. */
size_t stix_cutter_offset(const struct stix_cutter *cutter);

/*
 * What stix_cutter_feed would have said of an element that was handed out unread, then at this index
 * and offset. ISG_OK; ISG_EPARSE, ISG_ELIMIT, ISG_ENOMEM: refuse the stream from here on.
 */
int stix_cutter_scan(const struct stix_cutter *cutter, struct isg_str element, size_t index,
                     size_t offset, struct isg_fail *why);

/* The stream has ended: ISG_EPARSE when the document was not complete or not an object. */
int stix_cutter_end(struct stix_cutter *cutter, struct isg_fail *why);

/* True when a top-level member `objects` was seen. */
bool stix_cutter_has_objects(const struct stix_cutter *cutter);

#endif
