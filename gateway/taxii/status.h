/*
 * The status resource of a push (T-092 to T-096).
 */
#ifndef GATEWAY_TAXII_STATUS_H
#define GATEWAY_TAXII_STATUS_H

#include "gateway/ingest/ingest.h"
#include "stix/base/buf.h"

/*
 * Append the status of a push that was processed completely. Counts are the lengths of the lists;
 * an empty list is left out (T-005, T-094). What an object did not tell (an id, a version) is
 * filled with a constant, since both are required (T-095).
 */
void status_write(struct isg_buf *out, const char *id, int64_t request_us,
                  const struct ingest_outcome *outcomes, size_t n);

#endif
