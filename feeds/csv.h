/*
 * Lists of indicators as tables: what a source's columns mean, and the reader that brings its rows
 * to that meaning (feeds digest 5.8). A source is a row of csv_profiles.c; a member's own columns
 * are a struct of the caller's.
 */
#ifndef FEEDS_CSV_H
#define FEEDS_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "feeds/ioc.h"
#include "stix/base/arena.h"
#include "stix/base/err.h"
#include "stix/base/str.h"
#include "stix/marking.h"

/* What a column says. */
enum csv_role {
    CSV_VALUE,       /* the indicator, or its address when there is a port */
    CSV_PORT,        /* its port */
    CSV_END,         /* the last address of a range that begins at the value */
    CSV_PREFIX,      /* the length of that range's prefix */
    CSV_TYPE,        /* what kind the value is, in the source's words */
    CSV_FIRST,       /* first seen */
    CSV_LAST,        /* last confirmed; a time or a day */
    CSV_EXPIRES,     /* the source's own end of it */
    CSV_STATUS,      /* "offline" ends it */
    CSV_CONFIDENCE,  /* 0 to 100 */
    CSV_MALWARE,     /* name of a malware family */
    CSV_MALWARE_KEY, /* the source's key of that family */
    CSV_ALIASES,     /* its other names, parted by commas */
    CSV_MALWARE_URL, /* a page about it */
    CSV_COMPROMISED, /* "true": a victim's machine */
    CSV_RECORD,      /* the source's key of the record */
    CSV_URL,         /* the source's page about the record */
    CSV_REFERENCE,   /* any other page */
    CSV_LABEL,       /* one label */
    CSV_TAGS,        /* labels parted by commas */
    CSV_ROLES
};

struct csv_column {
    enum csv_role role;
    const char *names; /* as in the header or in JSON; several parted by '|' */
    unsigned position; /* from 1, where there is no header; 0: only by name */
};

enum csv_form {
    CSV_TABLE, /* delimited columns */
    CSV_LIST   /* one value a line, or lines of a hosts file */
};

/* Rows of which a column says something else (or, leave_out: says this) are left out with a count. */
struct csv_filter {
    const char *name;   /* of the column, in the header or in JSON */
    const char *values; /* parted by '|'; case does not matter */
    bool leave_out;
};

/* A source's own word for a kind of values. */
struct csv_word {
    const char *text;
    enum ioc_kind kind;
};

enum { CSV_COLUMNS = 20, CSV_FILTERS = 8, CSV_WORDS = 32, CSV_TIMES = 4 };

struct csv_profile {
    const char *format;       /* the row of feed.c it belongs to */
    const char *slug;         /* the source in ids and labels (digest 2.4) */
    const char *organisation; /* the creator; NULL: who runs the gateway */
    const char *home;
    const char *record_url; /* put before the record's key to make its page; may be NULL */
    enum csv_form form;
    char delimiter;        /* blanks behind it are skipped */
    bool escapes;          /* cells hold \xHH for a byte, and are not quoted */
    const char *comments;  /* prefixes of comment lines, parted by blanks; may be NULL */
    char tail;             /* begins a comment at the end of a line, which names the record */
    unsigned columns;      /* a table of another width is refused; 0: any width */
    enum ioc_kind kind;    /* of all values, unless a column says it */
    unsigned flags;        /* of ioc_read */
    enum stix_tlp marking; /* of everything that is made (digest 2.7) */
    int confidence;        /* -1: the source gives no basis for one */
    unsigned valid_days;   /* 0: by kind (digest 2.6) */
    const char
        *time[CSV_TIMES]; /* formats of its own, tried first (csv_time_read); ended by NULL */
    int zone;             /* minutes east of UTC, of times that name none */
    bool full_state;      /* a row confirms its value now, and not when it was added */
    struct csv_column column[CSV_COLUMNS]; /* ended by names NULL */
    struct csv_filter filter[CSV_FILTERS]; /* ended by name NULL, or full */
    struct csv_word word[CSV_WORDS];       /* ended by text NULL, or full */
};

/* The built-in profile of a format, or NULL. */
const struct csv_profile *csv_profile_find(struct isg_str format);

/* One row: the cells by role, cleaned of the words for "nothing"; absent ones are empty. */
struct csv_row {
    struct isg_str cell[CSV_ROLES];
    size_t line;   /* from 1; of JSON the number of the record */
    bool left_out; /* by a filter */
};

/* A code other than ISG_OK stops the reading. */
typedef int csv_take(void *arg, const struct csv_row *row, struct isg_fail *why);

/*
 * Hand out the rows of text: delimited columns (RFC 4180; header by name, else by position), lines,
 * or JSON (a list of objects, an object that holds one, or an object a line).
 *
 * Returns ISG_OK; ISG_EPARSE (quotes or JSON), ISG_EINVAL (a width or columns other than expected,
 * digest 5.8), ISG_ELIMIT, ISG_ENOMEM, or what take returned.
 */
int csv_read(const struct csv_profile *profile, struct isg_arena *arena, struct isg_str text,
             csv_take *take, void *arg, struct isg_fail *why);

/* The part of csv_read for JSON (csv_json.c). */
int csv_read_json(const struct csv_profile *profile, struct isg_arena *arena, struct isg_str text,
                  csv_take *take, void *arg, struct isg_fail *why);

/*
 * A time in one of the profile's formats, else RFC 3339 and its relatives (a blank for the T, no seconds,
 * slashes, no marks), a day, RFC 1123, or seconds or milliseconds since 1970. Formats are made of %Y %m %b
 * %d %a %H %M %S, %f (a fraction, or nothing), %z (a zone, or nothing) and %s (since 1970).
 * False for anything else.
 */
bool csv_time_read(const struct csv_profile *profile, struct isg_str text, int64_t *out);

/* Says of which day a time is, in parts that are known. */
bool csv_time_format_is_good(struct isg_str format);

/* "+02:00", "-0600", "UTC", "Z", as minutes east. */
bool csv_zone_read(struct isg_str text, int *out_minutes);

/* Does a column's list of names hold this one? Case does not matter. */
bool csv_is_named(const struct csv_column *column, struct isg_str name);

/* Does the row's cell in the column of this name pass the filters? */
bool csv_passes(const struct csv_profile *profile, struct isg_str name, struct isg_str cell);

#endif
