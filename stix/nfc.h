/*
 * What needs the tables of Unicode: normalization form C, and where a label may hold a joiner.
 * stix/nfc.c is the only file that knows libunistring. Private to stix/.
 */
#ifndef STIX_NFC_H
#define STIX_NFC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stix/base/err.h"
#include "stix/base/str.h"

enum { STIX_JOINER_NONE = 0x200c, STIX_JOINER = 0x200d };

/*
 * The form C of text, which is UTF-8.
 *
 *   out       text itself where that is normalized already (as ASCII is); else *scratch
 *   scratch   free() it, also when it is NULL
 *
 * Returns ISG_OK; ISG_ENOMEM; ISG_EPARSE for text that is not UTF-8.
 */
int stix_nfc(struct isg_str text, struct isg_str *out, char **scratch);

/*
 * Whether the joiner at points[at], which is nothing to be seen, changes how its neighbours are
 * written: it stands behind a virama, or, STIX_JOINER_NONE, between letters that would join (RFC
 * 5892, A.1 and A.2).
 */
bool stix_joiner_fits(const int32_t *points, size_t n, size_t at);

#endif
