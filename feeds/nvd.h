/*
 * One answer of the NVD CVE API 2.0, and what the files that map it share.
 */
#ifndef FEEDS_NVD_H
#define FEEDS_NVD_H

#include "feeds/map.h"
#include "stix/cpe.h"
#include "stix/json.h"

/* Where an answer stands in the list of results it is a page of (digest 5.5). */
struct nvd_page {
    uint64_t start;                /* startIndex */
    uint64_t size;                 /* resultsPerPage, of the answer: the server may lower it */
    uint64_t total;                /* totalResults */
    size_t count;                  /* records in it */
    char timestamp[ISG_TIME_TEXT]; /* the source's clock; "" when the answer has none */
    char newest[ISG_TIME_TEXT];    /* the latest lastModified; "" when there is none */
};

/*
 * Read the head of a parsed answer. ISG_EINVAL: not an answer of the API, or it holds fewer or more
 * records than it declares (digest 2.3).
 */
int nvd_page_read(const struct stix_json *root, struct nvd_page *out, struct isg_fail *why);

struct nvd {
    struct map map;
    char identity[STIX_ID_MAX + 1]; /* NVD's */
};

/* One cpeMatch that is vulnerable: the product, and which of its versions. */
struct nvd_match {
    struct isg_str criteria;
    struct isg_str bounds[4];
    struct isg_str id; /* matchCriteriaId */
    struct stix_cpe cpe;
    bool readable; /* criteria is a CPE 2.3 formatted string */
    bool exact;    /* it names one version, or says that versions do not apply */
};

struct nvd_matches {
    struct nvd_match *items;
    size_t count;
    size_t room;
    size_t ranges; /* those that are not exact */
};

/*
 * The affected products of a record, sorted, each once. Members that are not vulnerable, and nodes
 * that are negated, are conditions of the platform and no products.
 */
void nvd_matches_read(struct nvd *nvd, const struct stix_json *cve, struct nvd_matches *out);

/* The property cpe_matches of the risk extension: the ranges; nothing when there is none. */
void nvd_matches_write(struct nvd *nvd, const struct nvd_matches *matches);

/* A software observable for each product, and its relationship to the vulnerability. */
void nvd_products_write(struct nvd *nvd, const struct nvd_matches *matches,
                        const char *vulnerability, const char *published);

#endif
