/*
 * Unicode normalization form C. stix/nfc.c is the only file that knows libunistring. Private to
 * stix/.
 */
#ifndef STIX_NFC_H
#define STIX_NFC_H

#include "stix/base/err.h"
#include "stix/base/str.h"

/*
 * The form C of text, which is UTF-8.
 *
 *   out       text itself where that is normalized already (as ASCII is); else *scratch
 *   scratch   free() it, also when it is NULL
 *
 * Returns ISG_OK; ISG_ENOMEM; ISG_EPARSE for text that is not UTF-8.
 */
int stix_nfc(struct isg_str text, struct isg_str *out, char **scratch);

#endif
