/*
 * The mapping functions that the table of feed.c names; each lives in its source_*.c.
 */
#ifndef FEEDS_SOURCES_H
#define FEEDS_SOURCES_H

#include "feeds/feed.h"

/* As feed_source.map; text has been looked at by feed_map. */
int source_kev(struct feed_context *context, struct isg_str text, struct isg_fail *why);
int source_csaf(struct feed_context *context, struct isg_str text, struct isg_fail *why);
int source_stix(struct feed_context *context, struct isg_str text, struct isg_fail *why);
int source_csv(struct feed_context *context, struct isg_str text, struct isg_fail *why);
int source_suricata(struct feed_context *context, struct isg_str text, struct isg_fail *why);
int source_zeek(struct feed_context *context, struct isg_str text, struct isg_fail *why);

/* As feed_source.withdraw. */
int source_kev_withdraw(struct feed_context *context, struct isg_str object, const char *facet,
                        struct isg_fail *why);

#endif
