/*
 * The status resource of a push (T-092 to T-096). Counts are the lengths of the lists, and an empty
 * list is left out (T-005, T-094). What an object did not tell (an id, a version) is filled with a
 * constant, since both are required (T-095).
 *
 * What became of each object is kept as lines, a letter and the entry of a list:
 *     s{"id":...,"version":...}      success, f: failure, p: pending
 */
#ifndef GATEWAY_INGEST_STATUS_H
#define GATEWAY_INGEST_STATUS_H

#include "gateway/ingest/ingest.h"
#include "stix/base/buf.h"

enum status_mark { STATUS_SUCCESS = 's', STATUS_FAILURE = 'f', STATUS_PENDING = 'p' };

/* Append a line for each outcome; date stands for a version that is not known. */
void status_lines(struct isg_buf *out, const char *date, const struct ingest_outcome *outcomes,
                  size_t n);

/* Append the line of an object that waits; id and version may be empty. */
void status_pending(struct isg_buf *out, const char *date, struct isg_str id,
                    struct isg_str version);

/* Append the lines of pending ones as failures, all with this message. */
void status_fail(struct isg_buf *out, struct isg_str pending, const char *message);

/* Append the resource made of lines in parts, in order. It is complete when no line is pending. */
void status_render(struct isg_buf *out, const char *id, const char *date,
                   const struct isg_str *parts, size_t n);

/* Append the resource of a push that was processed completely. */
void status_write(struct isg_buf *out, const char *id, int64_t request_us,
                  const struct ingest_outcome *outcomes, size_t n);

#endif
