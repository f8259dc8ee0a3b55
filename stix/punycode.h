/*
 * Punycode (RFC 3492): whether the part of a domain label behind "xn--" can be decoded. Private to
 * stix/.
 */
#ifndef STIX_PUNYCODE_H
#define STIX_PUNYCODE_H

#include <stdbool.h>
#include <stdint.h>

#include "stix/base/str.h"

/*
 * True when text decodes to Unicode scalar values with at least one beyond ASCII (a label without
 * one would not be encoded, RFC 5891 section 4.4), and all of those are allowed. At most 59
 * characters of input.
 */
bool stix_punycode_decodes(struct isg_str text, bool (*allowed)(int32_t point));

#endif
