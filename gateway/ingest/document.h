/*
 * Documents that come in versions (an advisory) and bring many objects each: an older version than
 * the one that was taken in changes nothing, and what a newer one no longer says has ended.
 */
#ifndef GATEWAY_INGEST_DOCUMENT_H
#define GATEWAY_INGEST_DOCUMENT_H

#include <stdbool.h>

#include "gateway/ingest/run.h"

/*
 * Read the facet an object came with: KEY; or KEY=VERSION, or KEY=VERSION#N of a document that has
 * versions and more than one part of the object; with an @ before it the object is of the document
 * but no part of one that several sources describe.
 *   key        gets KEY or KEY#N where the object is a part, else ""
 *   out_stale  a newer version of the document was taken in before: the object is to be left out
 * What waits of another document is committed first. Errors of run_flush; ISG_ESTORE; ISG_EINVAL.
 */
int document_enter(struct ingest_run *run, const char *facet, char key[DOCUMENT_KEY_MAX],
                   bool *out_stale, struct isg_fail *why);

/*
 * A report is about to be staged as the part `key`. Its version is noted, and the relationships that
 * the same part spoke of before and no longer speaks of are handed to add with a stop_time (they may
 * come again, which nothing revoked could). Errors of add; ISG_ESTORE, ISG_ENOMEM.
 */
typedef int document_add(struct ingest_run *run, struct isg_str object, const char *key,
                         struct isg_fail *why);
int document_report(struct ingest_run *run, const struct stix_json *report, const char *key,
                    document_add *add, struct isg_fail *why);

#endif
