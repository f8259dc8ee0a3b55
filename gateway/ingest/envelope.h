/*
 * A TAXII envelope while it arrives: it is cut piece by piece, and only one that ended
 * well is worked on (T-123, T-124).
 */
#ifndef GATEWAY_INGEST_ENVELOPE_H
#define GATEWAY_INGEST_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/ingest/ingest.h"
#include "stix/base/err.h"
#include "stix/base/str.h"

struct ingest_envelope;

/* Of no bytes yet. NULL without memory. */
struct ingest_envelope *ingest_envelope_new(void);
/* Accepts NULL, leaves NULL. */
void ingest_envelope_free(struct ingest_envelope **envelope);

/*
 * The next bytes of the body. ISG_OK; ISG_EPARSE, ISG_ELIMIT (not I-JSON, with the JSON Pointer of
 * the place), ISG_EINVAL (a bundle, X-16), ISG_ENOMEM: refuse the whole.
 */
int ingest_envelope_feed(struct ingest_envelope *envelope, struct isg_str piece,
                         struct isg_fail *why);

/*
 * The body is complete. As above, and ISG_EINVAL where it holds no objects. Objects of a small
 * envelope may not have been read yet: ingest_envelope_read or ingest_envelope_run do.
 */
int ingest_envelope_end(struct ingest_envelope *envelope, struct isg_fail *why);

/* See that all objects so far are JSON. ISG_OK; ISG_EPARSE, ISG_ELIMIT, ISG_ENOMEM as above. */
int ingest_envelope_read(struct ingest_envelope *envelope, struct isg_fail *why);

/* How many objects it has so far. */
size_t ingest_envelope_count(const struct ingest_envelope *envelope);

/* Its objects' bytes as they came; cut the next one off with ingest_envelope_next. */
struct isg_str ingest_envelope_objects(const struct ingest_envelope *envelope);
/* Cut the next object off *rest, as a view. False at the end. */
bool ingest_envelope_next(struct isg_str *rest, struct isg_str *out);

/* ISG_ELIMIT when so many refusals cannot be told in a status. */
int ingest_envelope_bound(size_t refused, struct isg_fail *why);

/*
 * Add all of its objects and finish the run. With more refusals than the bound nothing is stored, nor
 * where an object turns out to be no JSON: then as ingest_envelope_read.
 */
int ingest_envelope_run(struct ingest_run *run, struct ingest_envelope *envelope,
                        struct isg_fail *why);

#endif
