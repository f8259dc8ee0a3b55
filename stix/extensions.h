/*
 * The project's own extensions: what STIX has no place for. Each has one definition object with a
 * fixed id, and the same bytes on every gateway, so that copies of it never contradict each other.
 * All are property extensions (S-080).
 */
#ifndef STIX_EXTENSIONS_H
#define STIX_EXTENSIONS_H

#include <stdbool.h>

#include "stix/base/buf.h"
#include "stix/base/err.h"
#include "stix/base/str.h"

/* clang-format off */
#define STIX_EXTENSION_DEVICE         "extension-definition--4ed51788-42ba-429d-880e-82f9b795f9f4"
#define STIX_EXTENSION_RISK           "extension-definition--732c6a98-10ab-4319-92b9-68671eaaeed5"
#define STIX_EXTENSION_HANDLING       "extension-definition--dea33ee6-8534-4296-bc0c-17241344f868"
#define STIX_EXTENSION_NOTICE         "extension-definition--d2b338ba-fe8c-4946-b4e8-50e0c6102c5f"
#define STIX_EXTENSION_PRODUCT_STATUS "extension-definition--a1f0c7b2-5c0e-4a86-9c6e-2f7b8d3e4c51"
#define STIX_EXTENSION_WITHHELD       "extension-definition--c7d1b0e4-90a2-4a3f-8f15-6b2e9a7d4c10"
#define STIX_EXTENSION_REPORT         "extension-definition--5e2d9a60-3b47-4c1e-9d08-71f6a2c3b894"
#define STIX_EXTENSION_SIGNATURE      "extension-definition--6f4c8c9e-0a56-4c0e-9a63-2b0f6f3a7d11"
/* clang-format on */

/* Who defines them: the project, not the organisation that runs a gateway. */
#define STIX_EXTENSION_CREATOR "identity--3c1f6c0e-7a52-4c5b-9a1e-64d0a8b7f215"

enum { STIX_EXTENSION_TYPES = 3 };

/* One definition. All texts are static. */
struct stix_extension {
    const char *id;
    const char *short_name; /* "device" */
    const char *name;       /* "medical device" */
    const char *description;
    const char *schema;  /* JSON Schema (2020-12) of the entry under `extensions` */
    const char *version; /* MAJOR.MINOR.PATCH (S-078) */
    const char *on[STIX_EXTENSION_TYPES + 1]; /* types it stands on, NULL-ended; none: any */
};

/* All of them, ended by a row whose id is NULL. */
const struct stix_extension *stix_extensions(void);

/* The row with this id, or NULL: not ours. */
const struct stix_extension *stix_extension_of(struct isg_str id);

/*
 * Append the definition object of a row as JSON text. Marked TLP:CLEAR: who may read an object may
 * know what its properties mean. Errors are the buffer's.
 */
void stix_extension_write(const struct stix_extension *extension, struct isg_buf *out);

/* Append the identity that every definition names as its creator (S-078). */
void stix_extension_creator_write(struct isg_buf *out);

#endif
