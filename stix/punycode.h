/*
 * Punycode (RFC 3492): what the part of a domain label behind "xn--" stands for. Private to stix/.
 */
#ifndef STIX_PUNYCODE_H
#define STIX_PUNYCODE_H

#include <stddef.h>
#include <stdint.h>

#include "stix/base/str.h"

enum { STIX_PUNYCODE_MAX = 59 }; /* characters of input, and so of what it decodes to */

/*
 * The characters that text decodes to: Unicode scalar values, at least one of them beyond ASCII (a
 * label without one would not be encoded, RFC 5891 section 4.4). Returns how many; 0 when text does
 * not decode or is longer than STIX_PUNYCODE_MAX.
 */
size_t stix_punycode_decode(struct isg_str text, int32_t out[STIX_PUNYCODE_MAX]);

#endif
