/*
 * One CSAF document on its way to STIX: what its parts share. Private to source_csaf.c and the
 * csaf_*.c files.
 */
#ifndef FEEDS_CSAF_H
#define FEEDS_CSAF_H

#include "feeds/map.h"
#include "stix/json.h"

struct csaf {
    struct map map;
    const struct stix_json *root;
    const struct stix_json *document;
    struct isg_str text; /* the document's bytes */
    struct isg_str tracking_id;
    struct isg_str publisher; /* its name */
    struct isg_str slug;      /* of the publisher: the source in ids (digest 2.4) */
    const char *facet;        /* the key of this document's part of merged vulnerabilities */
    char publisher_id[STIX_ID_MAX + 1];
    char report_id[STIX_ID_MAX + 1];
    char created[ISG_TIME_TEXT];  /* initial_release_date */
    char modified[ISG_TIME_TEXT]; /* current_release_date */
    struct text_list refs;        /* ids of everything the report speaks of */
};

/* Cleaned text of a member. */
struct isg_str csaf_text(struct csaf *csaf, const struct stix_json *json, const char *name);

/* The head of an object that says what the publisher says. */
struct map_head csaf_head(const struct csaf *csaf, const char *type, const char *id);

/* Note an id for the report's object_refs. */
void csaf_refer(struct csaf *csaf, const char *id);

/* `references[]` of the document or of a vulnerability. */
void csaf_references(struct csaf *csaf, const struct stix_json *references,
                     struct map_references *list);

/*
 * `notes[]`: the texts of category summary and description go to *out_description; each other text
 * becomes a note about target (digest 5.3).
 */
void csaf_notes(struct csaf *csaf, const struct stix_json *notes, const char *target,
                struct isg_str *out_description);

/* A note about target; nothing when one with the same text was handed out. */
void csaf_note(struct csaf *csaf, struct isg_str title, struct isg_str text, struct isg_str kind,
               const char *target);

/* Id of an object named by the document and the text it carries: <type>|<slug>|<id>/<digest>. */
void csaf_text_id(struct csaf *csaf, const char *type, const struct isg_str *texts, size_t count,
                  char out[STIX_ID_MAX + 1]);

/* All of vulnerabilities[] with their remediations (csaf_vulnerability.c). */
void csaf_vulnerabilities(struct csaf *csaf);

/* Vendors, and what the product tree holds below them (csaf_products.c). */
void csaf_products(struct csaf *csaf);

#endif
