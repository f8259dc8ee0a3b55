/*
 * Rendering one object from the parts several sources keep of it. A pure function of the parts: the
 * order in which they came does not show.
 */
#ifndef GATEWAY_INGEST_MERGE_H
#define GATEWAY_INGEST_MERGE_H

#include <stddef.h>

#include "gateway/ingest/age.h"
#include "stix/base/buf.h"
#include "stix/base/jsonw.h"
#include "stix/json.h"

enum { FACETS_MAX = 256 };

struct facet {
    const char *key;
    const struct stix_json *json;
    struct age age; /* may be left empty */
};

struct facets {
    struct facet list[FACETS_MAX]; /* in byte order of the keys */
    size_t count;
    int64_t modified_us; /* of the whole; merge_render's own */
};

/*
 * Append the whole object's JSON text: `created` the same whatever the parts are, `modified` by
 * their ages, lists of references, labels and markings joined and sorted, extensions joined property by
 * property, the description by a ranking of the sources, everything else as the first part has it.
 * Parts with a stop_time count only where no other is left. Errors are the buffer's.
 */
void merge_render(const struct facets *facets, struct isg_buf *out);

/* Write a parsed value; its errors become the buffer's. */
void merge_put_value(struct isg_jsonw *w, const struct stix_json *value);

#endif
