/*
 * One STIX object on its way in: parsed, checked, canonical, named by its digest. This is the only
 * parse an object ever gets; what is stored and served afterwards are the canonical bytes.
 */
#ifndef STIX_OBJECT_H
#define STIX_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "stix/base/arena.h"
#include "stix/base/buf.h"
#include "stix/base/digest.h"
#include "stix/base/err.h"
#include "stix/check.h"
#include "stix/json.h"
#include "stix/types.h"

/*
 * Names and elements of one object by default: its tree takes some 250 bytes for each, so that no
 * object takes more than 50 MiB, however small its members are.
 */
enum { STIX_OBJECT_MEMBERS_MAX = 200000 };

struct stix_object {
    struct stix_json *json;
    enum stix_kind kind;
    struct isg_str type; /* views into json */
    struct isg_str id;
    struct isg_str created;  /* empty when absent */
    struct isg_str modified; /* empty when absent (SCO, marking-definition) */
    bool revoked;
    struct isg_buf canon; /* RFC 8785 text */
    uint8_t digest[ISG_SHA256_BYTES];
};

/*
 * Scan, parse, check and canonicalise one object.
 *
 *   text    the object's JSON text, borrowed during the call
 *   limits  may be NULL: those of stix_scan, with STIX_OBJECT_MEMBERS_MAX
 *   report  gets all findings of the check; its arena must outlive them
 *   out     filled on success only; release with stix_object_done
 *   why     on failure: the scan's failure, or the first error of the report
 *
 * Returns ISG_OK; ISG_EPARSE, ISG_ELIMIT (scan), ISG_EINVAL (at least one error), ISG_ENOMEM.
 * A bundle is refused: it is not an object to store. So is an object whose canonical text
 * could not be read again (a float such as 1e20 becomes an integer out of range): ISG_EPARSE.
 */
int stix_object_read(struct isg_str text, const struct stix_limits *limits,
                     struct stix_report *report, struct stix_object *out, struct isg_fail *why);
/* Free what it holds; may be called twice. */
void stix_object_done(struct stix_object *object);

/* What names the version in TAXII (T-095, T-055): modified, else created, else empty. */
struct isg_str stix_object_version(const struct stix_object *object);

#endif
