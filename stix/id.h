/*
 * Identifiers: `type--uuid`, the deterministic ids of observables, and those of our own objects.
 */
#ifndef STIX_ID_H
#define STIX_ID_H

#include <stdbool.h>

#include "stix/base/err.h"
#include "stix/base/str.h"
#include "stix/base/uuid.h"
#include "stix/json.h"

/* The namespace of deterministic observable ids (S-090). */
#define STIX_NS_SCO "00abedb4-aa42-466c-9c01-fed23315a9b7"

enum { STIX_ID_MAX = 250 + 2 + 36 }; /* characters of the longest identifier */

/* True when id is `type--uuid` (S-013, S-017); *out_type and *out_uuid (may be NULL) are views. */
bool stix_id_split(struct isg_str id, struct isg_str *out_type, struct isg_str *out_uuid);

/*
 * Order of two identifiers (<0, 0, >0): that of their bytes, with the hex digits of the UUID in
 * either case (S-013). Texts that are none, as the keys of a container, compare by bytes.
 */
int stix_id_cmp(struct isg_str a, struct isg_str b);

/*
 * The id an observable should have (S-090 to S-095), from its contributing properties; a random
 * UUIDv4 where nothing contributes (S-092).
 *
 *   sco               an object with `type`; an `id` in it is not looked at
 *   out               the id, NUL-terminated
 *   out_deterministic may be NULL: false where the id is random
 *
 * Returns ISG_OK; ISG_EINVAL when type is missing or no observable; ISG_ENOMEM.
 */
int stix_id_sco(const struct stix_json *sco, char out[STIX_ID_MAX + 1], bool *out_deterministic,
                struct isg_fail *why);

/* True when this property contributes to the id of observables of this type (S-090). */
bool stix_id_contributes(struct isg_str type, const char *name);

/*
 * `type--uuid5(namespace, name)` for objects other than observables. Fields of a name are joined
 * with '|' and escaped by stix_id_name_field.
 */
void stix_id_named(const char *type, const char *namespace_uuid, struct isg_str name,
                   char out[STIX_ID_MAX + 1]);

/* Append field to name, with '|' before it unless name is empty; '\' and '|' escaped by '\'. */
void stix_id_name_field(struct isg_buf *name, struct isg_str field);

#endif
