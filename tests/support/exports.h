/*
 * Running an export in a test: indicators in, text out, and a reader of each format that knows its
 * structure and nothing of how it was written.
 */
#ifndef TESTS_SUPPORT_EXPORTS_H
#define TESTS_SUPPORT_EXPORTS_H

#include <stdbool.h>

#include "gateway/share/export.h"

enum { EXPORTS_NOW_S = 1772366400 }; /* 2026-03-01T12:00:00Z */

/* An indicator with this pattern; more (may be NULL) are further members of the object. */
void exports_indicator(struct isg_buf *out, struct isg_str pattern, const char *more);

/* A run of a format at EXPORTS_NOW_S; type is that of a list. */
struct export *exports_begin(const char *format, const char *type);
/* Add an indicator of this pattern, GREEN. */
void exports_add(struct export *run, struct isg_str pattern, const char *more);

/*
 * NULL when the finished run's output has the structure of its format with one record for each row
 * that was counted, else what is wrong with it.
 */
const char *exports_wrong(const struct export_format *format, struct export *run);

#endif
