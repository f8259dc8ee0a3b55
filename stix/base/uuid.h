/*
 * UUIDs (RFC 4122) in text form: 36 characters, lower case on output.
 */
#ifndef ISG_BASE_UUID_H
#define ISG_BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

#include "stix/base/str.h"

enum { ISG_UUID_TEXT = 37 }; /* 36 characters and NUL */

/*
 * 8-4-4-4-12 hex digits of either case, the RFC 4122 variant and a version digit other than 0
 * (S-013). *out_version (may be NULL) gets the version digit.
 */
bool isg_uuid_is_valid(struct isg_str text, int *out_version);

/* A new random (version 4) UUID. */
void isg_uuid_random(char out[ISG_UUID_TEXT]);

/* The version 5 (SHA-1) UUID of name under namespace_text, a valid UUID; "" when it is not. */
void isg_uuid_v5(const char *namespace_text, struct isg_str name, char out[ISG_UUID_TEXT]);

/* The namespace of all name-based UUIDs of URLs (RFC 4122, appendix C). */
#define ISG_UUID_NS_URL "6ba7b811-9dad-11d1-80b4-00c04fd430c8"

#endif
