/*
 * A JSON writer over a buffer: commas and quotes are its business, errors are the buffer's (sticky,
 * checked once at the end). Names and strings must be UTF-8. At most 64 levels.
 *
 *     isg_jsonw_object(&w);
 *     isg_jsonw_name(&w, "title"), isg_jsonw_str(&w, ISG_STR("Pumps"));
 *     isg_jsonw_end(&w);
 */
#ifndef ISG_BASE_JSONW_H
#define ISG_BASE_JSONW_H

#include <stdbool.h>
#include <stdint.h>

#include "stix/base/buf.h"
#include "stix/base/str.h"

struct isg_jsonw {
    struct isg_buf *out;
    uint64_t in_object;  /* bit per level: 1 in an object, 0 in a list */
    uint64_t has_member; /* bit per level: a comma is due */
    unsigned depth;
    bool after_name;
};

/* Write to out, from its end on. */
void isg_jsonw_init(struct isg_jsonw *w, struct isg_buf *out);

/* Open an object. */
void isg_jsonw_object(struct isg_jsonw *w);
/* Open a list. */
void isg_jsonw_list(struct isg_jsonw *w);
/* Close the innermost object or list. */
void isg_jsonw_end(struct isg_jsonw *w);
/* A member's name, NUL-terminated; its value follows. */
void isg_jsonw_name(struct isg_jsonw *w, const char *name);
/* A member's name as a view; its value follows. */
void isg_jsonw_name_str(struct isg_jsonw *w, struct isg_str name);
/* A string, escaped. */
void isg_jsonw_str(struct isg_jsonw *w, struct isg_str value);
/* An integer. */
void isg_jsonw_int(struct isg_jsonw *w, int64_t value);
/* true or false. */
void isg_jsonw_bool(struct isg_jsonw *w, bool value);
/* A finished JSON value, as it stands. */
void isg_jsonw_raw(struct isg_jsonw *w, struct isg_str json);

/* A name and a NUL-terminated string; both are left out when value is NULL. */
void isg_jsonw_put(struct isg_jsonw *w, const char *name, const char *value);
/* A name and a string, also an empty one. */
void isg_jsonw_put_str(struct isg_jsonw *w, const char *name, struct isg_str value);
/* A name and an integer. */
void isg_jsonw_put_int(struct isg_jsonw *w, const char *name, int64_t value);
/* A name and true or false. */
void isg_jsonw_put_bool(struct isg_jsonw *w, const char *name, bool value);

/* Append s to out as the inside of a JSON string, as RFC 8785 escapes it. */
void isg_json_escape(struct isg_buf *out, struct isg_str s);

#endif
