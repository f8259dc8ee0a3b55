/*
 * The objects of a run between mapping and ingest, in an unnamed temporary file: a document is
 * mapped whole before the first object is ingested, whatever its size (digest 2.3).
 */
#ifndef GATEWAY_SYNC_SPOOL_H
#define GATEWAY_SYNC_SPOOL_H

#include <stdint.h>

#include "stix/base/err.h"
#include "stix/base/str.h"

struct spool;

/* A new spool in dir. ISG_EIO, ISG_ENOMEM. */
int spool_open(const char *dir, struct spool **out, struct isg_fail *why);
/* The file is gone with it. Accepts NULL, leaves NULL. */
void spool_close(struct spool **spool);

/* A feed_emit: arg is the spool. Disk full is ISG_EIO. */
int spool_add(void *arg, struct isg_str object, const char *facet, struct isg_fail *why);

/* Objects in it. */
uint64_t spool_count(const struct spool *spool);

/* Where the spool stands. ISG_EIO. */
int spool_mark(struct spool *spool, long *out, uint64_t *out_count, struct isg_fail *why);
/* Return to a mark: what came after is dropped. ISG_EIO. */
int spool_cut(struct spool *spool, long mark, uint64_t count, struct isg_fail *why);

/* Call each for every object in order; a code other than ISG_OK ends it and is returned. */
typedef int spool_each_object(void *arg, struct isg_str object, const char *facet,
                              struct isg_fail *why);
/* Do it, from the first one. ISG_EIO when the file cannot be read. */
int spool_each(struct spool *spool, spool_each_object *each, void *arg, struct isg_fail *why);

#endif
