/*
 * One CSAF document on its way to STIX: what its parts share. Private to source_csaf.c and the
 * csaf_*.c files.
 */
#ifndef FEEDS_CSAF_H
#define FEEDS_CSAF_H

#include "feeds/csaf_tree.h"
#include "feeds/map.h"
#include "stix/json.h"

/* What kind of products an advisory is about, as far as it says. */
enum csaf_field { CSAF_FIELD_UNSAID, CSAF_FIELD_MEDICAL, CSAF_FIELD_OTHER };

struct csaf {
    struct map map;
    const struct stix_json *root;
    const struct stix_json *document;
    struct isg_str text; /* the document's bytes */
    struct isg_str tracking_id;
    struct isg_str publisher; /* its name */
    struct isg_str slug;      /* of the publisher: the source in ids (digest 2.4) */
    const char *facet;        /* of this document's parts of merged objects: its key and version */
    enum csaf_field field;
    struct csaf_tree tree;
    char publisher_id[STIX_ID_MAX + 1];
    char report_id[STIX_ID_MAX + 1];
    char created[ISG_TIME_TEXT];  /* initial_release_date */
    char modified[ISG_TIME_TEXT]; /* current_release_date */
    struct text_list refs;        /* ids of everything the report speaks of */
    size_t named;                 /* mentions of products, and those in product_status */
    size_t edges;
};

/* Cleaned text of a member. */
struct isg_str csaf_text(struct csaf *csaf, const struct stix_json *json, const char *name);

/* The head of an object that says what the publisher says. */
struct map_head csaf_head(const struct csaf *csaf, const char *type, const char *id);

/* The same of an object that the documents of all publishers share: the gateway's own. */
struct map_head csaf_shared_head(const struct csaf *csaf, const char *type, const char *id);

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

/* Vendors and products; each product's `object` is set (csaf_products.c). */
void csaf_products(struct csaf *csaf);

/* True when the STIX id is one of this type. */
bool csaf_is_of(const char *id, const char *type);

/* The product's raw version where no other object's id carries it; else empty. */
struct isg_str csaf_product_range(const struct csaf_product *product);

/* `versions` of the device and the product-status extension (csaf_products.c). */
void csaf_versions_write(struct csaf *csaf, struct isg_str raw);

/*
 * Every product_id and group_id that product_status and flags name is defined (CSAF 2.0, 6.1.1),
 * and there are not too many of them. ISG_EINVAL, ISG_ELIMIT.
 */
int csaf_statuses_check(struct csaf *csaf);

/* product_status of one vulnerability, whose STIX id is target (csaf_status.c). */
void csaf_statuses(struct csaf *csaf, const struct stix_json *vulnerability, const char *target);

#endif
