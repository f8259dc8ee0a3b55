/*
 * Sources: each is one file with a mapping function without I/O, and one row in the table of
 * feed.c. A mapping reads a whole document, checks its shape, and only then hands out STIX objects
 * as JSON text; a document that is cut short or of another shape hands out nothing.
 */
#ifndef FEEDS_FEED_H
#define FEEDS_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "stix/base/buf.h"
#include "stix/base/err.h"
#include "stix/base/str.h"
#include "stix/base/uuid.h"
#include "stix/marking.h"
#include "stix/scan.h"

/*
 * One object. facet: NULL, or the key of this source's part of an object that several sources
 * describe (a vulnerability by its CVE); KEY=VERSION of a document that has versions, and with an @
 * before it for an object that is no such part. A code other than ISG_OK stops the mapping.
 */
typedef int feed_emit(void *arg, struct isg_str object, const char *facet, struct isg_fail *why);

struct feed_source;
struct csv_profile;
struct exclude_lists;
struct exclude_tally;
struct product_alias;

struct feed_context {
    const struct feed_source *source; /* set by feed_map */
    char space[ISG_UUID_TEXT];        /* namespace of the gateway's own ids (feed_namespace) */
    int64_t now_us;                   /* used where the source has no time of its own */
    struct isg_str owner;     /* name of who runs the gateway: the creator of merged objects */
    struct isg_str file_name; /* for messages; may be empty */
    const char *slug;         /* what names a list without a publisher in ids; NULL: its format */
    feed_emit *emit;
    void *arg;
    enum stix_tlp floor; /* the label of where the document was listed: the stricter counts */
    uint64_t records;    /* counted by the mapping: records seen, and left out */
    uint64_t excluded;
    uint64_t rejected; /* records with a value that cannot be read; more than 2 % fail the run */
    /* All of these may be NULL. */
    const struct csv_profile *profile;   /* a table's own columns, instead of the format's */
    const struct exclude_lists *exclude; /* what to leave out; NULL: the built-in list */
    struct exclude_tally *tally;         /* counts by reason */
    struct stix_limits limits; /* of JSON; of a text in lines, string_bytes bounds a line */
    uint64_t max_records;      /* 0: 1,000,000 */
    const char *const
        *internal;         /* ranges of the sensor's own networks, NULL-ended; NULL: private ones */
    struct isg_str sensor; /* what names the sensor in ids of observations */
    bool sighted;          /* hand out what observations may be compared by, too (sighted.h) */
    const struct product_alias *aliases; /* the staff's, of vendors; ended by from NULL */
};

struct feed_source {
    const char *format; /* "kev" */
    const char *title;  /* "CISA Known Exploited Vulnerabilities" */
    bool as_sent;       /* objects are the producer's own STIX: ids, versions and bytes stay */
    bool hash_files;    /* a hash file beside a document must name it (hash_file.h) */
    bool lines;         /* text that is not one JSON value; the mapping reads it itself */
    bool to_member;     /* about one member's own house, for nobody else to see */
    bool observes;      /* what sensors saw: the networks of their house count */
    bool names_vendors; /* through the normaliser: aliases count (product.h) */
    int (*map)(struct feed_context *context, struct isg_str text, struct isg_fail *why);
    bool delists; /* withdraw takes indicators as they are stored, instead of parts */
    /*
     * For a source that publishes its full state: hand out what it no longer lists as it is from now
     * on; nothing is revoked (digest 2.6). Of a part (KEV), object has the id, name and created that
     * were handed out, and the part's facet; of an indicator (a list) it is the object as stored. NULL
     * for a source that shows a window.
     */
    int (*withdraw)(struct feed_context *context, struct isg_str object, const char *facet,
                    struct isg_fail *why);
};

/* Rises with every change of a mapping: validators kept under another number are void (2.2). */
enum { FEED_CONVERTER_VERSION = 4 };

/* The row of a format, or NULL. */
const struct feed_source *feed_source_find(struct isg_str format);

/* All rows, ended by format NULL. */
const struct feed_source *feed_sources(void);

/*
 * Does each document hold all that the source knows, so that what is missing was withdrawn? Of a table a
 * description of its columns (or NULL) says it.
 */
bool feed_shows_all(const struct feed_source *source, const struct csv_profile *profile);

/* A page for people where data was due: a login page, a block page (digest 2.2). */
bool feed_is_html(struct isg_str content_type, struct isg_str body);

/* text without the byte order mark that some editors put before it (RFC 8259, 8.1). */
struct isg_str feed_unmarked(struct isg_str text);

/* The namespace made of a configured URN: uuid5(URL namespace, urn) (feeds digest 2.4). */
void feed_namespace(struct isg_str urn, char out[ISG_UUID_TEXT]);

/*
 * Map a document. JSON is scanned strictly by the mapping, within limits, before anything is made of it.
 * Returns ISG_OK; ISG_EPARSE, ISG_EINVAL (shape, counts), ISG_ELIMIT; or what emit returned.
 */
int feed_map(const struct feed_source *source, struct feed_context *context, struct isg_str text,
             struct isg_fail *why);

#endif
