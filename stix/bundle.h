/*
 * Writing bundles as a stream: head, objects, tail, with no more memory than one object.
 */
#ifndef STIX_BUNDLE_H
#define STIX_BUNDLE_H

#include <stdbool.h>

#include "stix/base/buf.h"
#include "stix/base/str.h"

struct stix_bundle_writer {
    struct isg_buf *out; /* borrowed; the caller may drain it between calls */
    bool any;
};

/* Begin a bundle with this id (`bundle--uuid`; NULL makes a random one). */
void stix_bundle_begin(struct stix_bundle_writer *w, struct isg_buf *out, const char *id);

/* Add one object's JSON text. */
void stix_bundle_add(struct stix_bundle_writer *w, struct isg_str object);

/* Close it. Without any object the member `objects` is left out (S-003). */
void stix_bundle_end(struct stix_bundle_writer *w);

#endif
