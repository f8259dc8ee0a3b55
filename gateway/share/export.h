/*
 * Indicators in the forms that other tools read: tables, block lists, sensor rules, a zone, feeds.
 *
 * One run takes objects one after the other and makes text; it does no I/O. Only a pattern that
 * means "this value" becomes a row: negations, combinations, sequences and windows cannot be said
 * in these forms and are left out with a count, never approximated. So are indicators that are
 * revoked, over, not yet valid or benign, values that are private, special or on an exclusion list
 * (blocking them hurts the member, not an attacker), and what a format cannot carry unharmed.
 *
 * Who may see what was decided before: the objects are those of a member's view.
 */
#ifndef GATEWAY_SHARE_EXPORT_H
#define GATEWAY_SHARE_EXPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "feeds/exclude.h"
#include "stix/base/buf.h"
#include "stix/base/err.h"
#include "stix/base/str.h"
#include "stix/base/uuid.h"
#include "stix/marking.h"

/* Why something is left out. The first ones count indicators, those from NEGATION on values. */
enum export_reason {
    EXPORT_KEPT,
    EXPORT_REVOKED,
    EXPORT_EXPIRED,
    EXPORT_EARLY,      /* valid_from is still to come */
    EXPORT_BENIGN,     /* indicator_types says that it is harmless */
    EXPORT_WARNED,     /* labelled warning:<list> on its way in */
    EXPORT_UNWANTED,   /* labelled do-not-block by who shares it */
    EXPORT_LANGUAGE,   /* pattern_type is not stix */
    EXPORT_UNREADABLE, /* the object or its pattern does not parse */
    EXPORT_NEGATION,
    EXPORT_COMBINATION,
    EXPORT_SEQUENCE,
    EXPORT_WINDOW,
    EXPORT_OPERATOR,
    EXPORT_PROPERTY,  /* a path that is none of the values known here */
    EXPORT_VALUE,     /* not an address, domain, hash ... in a form that can be meant */
    EXPORT_UNSAFE,    /* control characters, line separators, direction marks */
    EXPORT_EXCLUDED,  /* the built-in or a given exclusion list has it */
    EXPORT_DUPLICATE, /* the same row was written before */
    EXPORT_NO_FORM,   /* the format has no form for this kind of value */
    EXPORT_TOO_LONG,
    EXPORT_OTHER_TYPE, /* a list of another type was asked for */
    EXPORT_REASONS
};

/* The word for a reason: "expired", "no-form", ... */
const char *export_reason_name(enum export_reason reason);

struct export_counts {
    uint64_t indicators; /* objects of this type seen */
    uint64_t rows;
    uint64_t left_out[EXPORT_REASONS];
    struct exclude_tally excluded; /* by list */
};

struct export_format;

/* The format of a name, or NULL; a member of export_formats. */
const struct export_format *export_format_find(const char *name);
/* Its name. */
const char *export_format_name(const struct export_format *format);
/* Whether -o names a folder of files rather than a file. */
bool export_format_is_folder(const struct export_format *format);
/* Format number i, or NULL past the last. */
const struct export_format *export_format_at(unsigned i);

/* What a list may be narrowed to ("ipv4", "sha256"), or NULL past the last. */
const char *export_list_type(unsigned i);

struct export_options {
    const struct export_format *format;
    const char *type;          /* of a list; NULL: all values */
    const char *source;        /* name of the organisation that shares */
    char space[ISG_UUID_TEXT]; /* namespace of its ids (feed_namespace) */
    const char *collection;    /* its id, part of those of MISP events; read when objects come */
    const char *file;          /* name of the main file, without folder */
    int64_t now_us;            /* what is over and what is not yet */
    const struct exclude_lists *exclude; /* NULL: the built-in list */
};

/* One more file beside the main one, or in the folder. */
struct export_file {
    char name[80]; /* beside: what is appended to the main file's name; in a folder: its name */
    struct isg_buf text;
    struct export_file *next;
};

struct export;

/* A new run; options and what they point to are borrowed until export_free. NULL: no memory. */
struct export *export_new(const struct export_options *options);
/* Accepts NULL, leaves NULL. */
void export_free(struct export **run);

/*
 * Take one object of a view: anything but an indicator is passed over. level is what the gateway
 * holds it to be; STIX_TLP_NONE: what its own markings say. The text of the object is borrowed
 * during the call. Returns ISG_OK, also when nothing was written; ISG_ENOMEM.
 */
int export_add(struct export *run, struct isg_str object, enum stix_tlp level,
               struct isg_fail *why);

/* Write what stands at the end. Returns ISG_OK, ISG_ENOMEM. */
int export_finish(struct export *run, struct isg_fail *why);

/* The main file's text so far: the caller may write it out and reset the buffer between calls. */
struct isg_buf *export_text(struct export *run);

/* The other files, complete after export_finish; in a folder, the last one is the index. */
const struct export_file *export_files(const struct export *run);

/* What was written and left out so far. */
const struct export_counts *export_counts(const struct export *run);

#endif
