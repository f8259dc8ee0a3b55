/*
 * Time: microseconds since 1970-01-01T00:00:00Z as int64_t, and the STIX and TAXII text forms.
 *
 * STIX text may have any number of fraction digits (S-007) and is compared as an instant, digit
 * by digit (S-008): two texts can differ where the microseconds agree.
 */
#ifndef ISG_BASE_TIME_H
#define ISG_BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "stix/base/str.h"

enum { ISG_TIME_TEXT = 40 }; /* room for a formatted timestamp with its NUL */

/*
 * Read `YYYY-MM-DDThh:mm:ss[.digits]Z`, years 0000 to 9999, real calendar dates, a leap second as
 * the next minute's start (S-010), but for that of the year 9999. Fractions beyond microseconds are cut. False on another form.
 */
bool isg_time_parse(struct isg_str text, int64_t *out_us);

/* Number of fraction digits of a text that isg_time_parse accepts. */
size_t isg_time_digits(struct isg_str text);

/* Order of two texts that isg_time_parse accepts, as instants of any precision: <0, 0, >0. */
int isg_time_cmp(struct isg_str a, struct isg_str b);

/* `YYYY-MM-DDThh:mm:ss.sssZ` with 0 to 6 fraction digits (cut, not rounded), NUL-terminated. */
void isg_time_format(int64_t us, int digits, char out[ISG_TIME_TEXT]);

/* The wall clock, in microseconds since 1970. */
int64_t isg_time_now_us(void);
/* A clock that never jumps, in microseconds; for deadlines. */
int64_t isg_time_mono_us(void);

#endif
