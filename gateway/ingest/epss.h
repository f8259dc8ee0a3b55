/*
 * Scores of EPSS beside the parts of the other sources. They speak of every CVE there is, most of
 * which nobody else here speaks of, so they are kept a thousand CVEs to a document and join a merged
 * vulnerability as soon as another source brings it: a score never makes one (feeds digest 5.6).
 *
 * Nearly all scores move every day. A kept one is replaced only when that says something:
 *   it moved by 0.05, or over 0.1, 0.5 or 0.9;
 *   it is of another model: spread over the week after the model's date;
 *   it is 30 days old, and not the same.
 */
#ifndef GATEWAY_INGEST_EPSS_H
#define GATEWAY_INGEST_EPSS_H

#include "gateway/ingest/age.h"
#include "gateway/ingest/run.h"

/* The key of these parts. */
#define EPSS_FACET "epss"

/* What is kept of one CVE. */
struct epss_score {
    char cve[32];
    double score;
    double percentile;
    char date[11];    /* YYYY-MM-DD */
    char model[65];   /* may be empty */
    int64_t versions; /* of its age (age.h) */
    int64_t dates;
};

/* Whether now is to take the place of kept: a pure function. An older score never does. */
bool epss_replaces(const struct epss_score *kept, const struct epss_score *now);

/*
 * Keep the score that this object (a part, as source_epss makes it) says, if it replaces the one
 * kept. ISG_EINVAL: the object says none. Between facet_lock and facet_unlock, as all below.
 */
int epss_renew(struct ingest_run *run, const struct stix_json *object, struct isg_fail *why);

/* The part kept for the CVE of this name as a tree (free it); *out stays NULL when there is none. */
int epss_part(struct ingest_run *run, struct isg_str name, struct stix_json **out,
              struct age *out_age, struct isg_fail *why);

/* Keep what was renewed for facet_close, and forget what was read. */
int epss_close(struct ingest_run *run, struct isg_fail *why);

#endif
