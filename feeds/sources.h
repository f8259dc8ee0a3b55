/*
 * The mapping functions that the table of feed.c names; each lives in its source_*.c.
 */
#ifndef FEEDS_SOURCES_H
#define FEEDS_SOURCES_H

#include "feeds/feed.h"

/* As feed_source.map; text has been looked at by feed_map. */

/* The catalogue of known exploited vulnerabilities, its full state in one file. */
int source_kev(struct feed_context *context, struct isg_str text, struct isg_fail *why);
/* One answer of the NVD CVE API 2.0: a page of records. */
int source_nvd(struct feed_context *context, struct isg_str text, struct isg_fail *why);
/* Scores of EPSS: the daily table, or an answer of its API. */
int source_epss(struct feed_context *context, struct isg_str text, struct isg_fail *why);
/* One CSAF 2.0 advisory: a report with all it speaks of. */
int source_csaf(struct feed_context *context, struct isg_str text, struct isg_fail *why);
/* A bundle, a TAXII envelope, a list or one object, as it is; STIX 2.0 is lifted. */
int source_stix(struct feed_context *context, struct isg_str text, struct isg_fail *why);
/* Tables and lists of indicators, by the profiles of csv_profiles.c. */
int source_csv(struct feed_context *context, struct isg_str text, struct isg_fail *why);
/* Suricata EVE: alerts become observations. */
int source_suricata(struct feed_context *context, struct isg_str text, struct isg_fail *why);
/* Zeek logs, TSV by their #fields or JSON lines: connections become observations. */
int source_zeek(struct feed_context *context, struct isg_str text, struct isg_fail *why);

/* Shadowserver's reports on a member's own hosts: observations for that member alone. */
int source_shadowserver(struct feed_context *context, struct isg_str text, struct isg_fail *why);

/* As feed_source.withdraw: an indicator ends now, and is labelled feed:delisted. */
int source_csv_withdraw(struct feed_context *context, struct isg_str object, const char *facet,
                        struct isg_fail *why);
/* As feed_source.withdraw: the fact of the catalogue is cleared. */
int source_kev_withdraw(struct feed_context *context, struct isg_str object, const char *facet,
                        struct isg_fail *why);

#endif
