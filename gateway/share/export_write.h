/*
 * What the writers of the formats see. Private to export*.c. A writer gets values that are read,
 * canonical and free of anything that ends a line; what its own syntax gives a meaning to is its
 * own business, as is all text of other properties, which may be anything.
 */
#ifndef GATEWAY_SHARE_EXPORT_WRITE_H
#define GATEWAY_SHARE_EXPORT_WRITE_H

#include "feeds/ioc.h"
#include "gateway/share/export.h"
#include "stix/base/arena.h"
#include "stix/json.h"

/* An indicator that is in force. Texts are the object's own. */
struct export_indicator {
    const struct stix_json *json;
    struct isg_str id;
    struct isg_str name;
    struct isg_str description;
    struct isg_str valid_from;
    struct isg_str valid_until; /* may be empty */
    struct isg_str created;
    struct isg_str modified;
    int64_t created_us;
    int64_t modified_us;
    int64_t confidence; /* -1: not given */
    enum stix_tlp tlp;  /* never NONE or UNKNOWN */
};

struct export_row {
    const struct export_indicator *of;
    const struct ioc *ioc;
};

struct export_seen; /* a set of digests */

struct export
{
    struct export_options options;
    struct isg_buf text;
    struct export_file *files;
    struct export_file **files_end;
    struct export_counts counts;
    struct export_seen *seen;
    struct exclude_lists *built_in;
    struct isg_arena *arena; /* of the object at hand */
    void *state;             /* the format's own */
    int err;                 /* sticky */
};

/* A format: a row in the table of export.c, and a file of its own. Functions may be NULL. */
struct export_format {
    const char *name;
    bool folder;
    void (*begin)(struct export *run);
    enum export_reason (*row)(struct export *run, const struct export_row *row);
    /* An indicator of the run ended at `us` (it was revoked, it expired). */
    void (*ended)(struct export *run, const struct export_indicator *indicator, int64_t us);
    void (*end)(struct export *run);
    void (*free)(struct export *run);
};

extern const struct export_format export_csv;
extern const struct export_format export_list;
extern const struct export_format export_suricata;
extern const struct export_format export_zeek;
extern const struct export_format export_rpz;
extern const struct export_format export_misp;
extern const struct export_format export_ecs;

/* ---- shared by writers (export_text.c) ---- */

/* False when text holds anything that some reader takes for the end of a line, or hides. */
bool export_is_plain(struct isg_str text);

/* Append at most max bytes of text with whatever is not plain as a blank. */
void export_put_plain(struct isg_buf *out, struct isg_str text, size_t max);

/* As export_put_plain, and all but ASCII letters, digits and the characters of `also` as `other`. */
void export_put_words(struct isg_buf *out, struct isg_str text, const char *also, char other,
                      size_t max);

/* Append a level as TLP writes it: GREEN, AMBER+STRICT. */
void export_put_level(struct isg_buf *out, enum stix_tlp tlp);

/* Free the set behind export_is_new. */
void export_seen_free(struct export *run);

/* The first time this text is asked about in a run? False and run->err when there is no memory. */
bool export_is_new(struct export *run, struct isg_str text);

/* A further file; NULL with run->err when there is no memory. */
struct export_file *export_file_add(struct export *run, const char *name);

/* The value as people write it: an address with a port as 198.51.100.7:443, [2001:db8::5]:443. */
void export_put_value(struct isg_buf *out, const struct ioc *ioc);

/* A URL taken apart, of views of its value. */
struct export_url {
    struct isg_str scheme;
    struct isg_str host; /* IPv6 in brackets, without the port */
    struct isg_str port; /* may be empty */
    struct isg_str path; /* with query, and fragment; may be empty */
};

/* Take a URL apart that ioc_read returned. */
void export_url(const struct ioc *ioc, struct export_url *out);

#endif
