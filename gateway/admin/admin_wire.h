/*
 * The record framing of POST /admin/v1/ingest: objects travel as they are, so that the service, not
 * the framing, judges them. A record is
 *
 *     <bytes of the object, decimal> ' ' <facet key or '-'> LF <object> LF
 */
#ifndef GATEWAY_ADMIN_ADMIN_WIRE_H
#define GATEWAY_ADMIN_ADMIN_WIRE_H

#include <stdbool.h>

#include "stix/base/buf.h"
#include "stix/base/str.h"

enum { ADMIN_FACET_MAX = 256 };

/* Append one record. facet may be NULL; it holds no line feed. */
void admin_record_put(struct isg_buf *out, struct isg_str object, const char *facet);

/*
 * Take the next record from *rest: object is a view into it, facet is "" or a copy.
 * False when *rest is empty; *out_bad is set when it is not empty but holds no record.
 */
bool admin_record_next(struct isg_str *rest, struct isg_str *object, char facet[ADMIN_FACET_MAX],
                       bool *out_bad);

#endif
