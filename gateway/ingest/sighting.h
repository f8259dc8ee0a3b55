/*
 * Sightings (feeds digest 5.14): what a member's sensors saw is compared with the indicators in store,
 * and each that it meets gets one sighting a window of 15 minutes, with the observations in it. Its id
 * is fixed by indicator, place and window, so that an import can be repeated; what a member
 * brought as its own is another one's. No indicator is ever made of an observation.
 *
 * Compared are the indicators of the collection that is written to, and of those that every member may
 * read: who reads the sighting may read there what it names. A sighting is as strict as its indicator,
 * and its observations,
 * and at least AMBER. An indicator that a member's policy hides meets nothing that this member brings.
 */
#ifndef GATEWAY_INGEST_SIGHTING_H
#define GATEWAY_INGEST_SIGHTING_H

#include <stdbool.h>

#include "gateway/ingest/run.h"

/* True for the facet of what an observation is compared by (feeds/sighted.h). */
bool sighting_is_note(const char *facet);

/*
 * Take such a record in; when many wait, compare them. ISG_EINVAL: it is none; errors of
 * sightings_add.
 */
int sighting_note(struct ingest_run *run, struct isg_str text, struct isg_fail *why);

/* Compare all that wait, and add the sightings to the run. ISG_ESTORE, ISG_ENOMEM, of ingest_add. */
int sightings_add(struct ingest_run *run, struct isg_fail *why);

/*
 * The other way round, so that within a collection the order in which sources come does not show: where the run stored
 * indicators, the last observations that our own sensors brought into the collection are compared with
 * these. What was stored before waits for nothing. Errors as sightings_add.
 */
int sightings_review(struct ingest_run *run, struct isg_fail *why);

/* Forget what waits. */
void sightings_done(struct ingest_run *run);

#endif
