/*
 * What the files of this room share among themselves: reading and writing the documents of members
 * and collections by tables of their JSON members, and building the snapshot.
 */
#ifndef GATEWAY_SHARE_DOCUMENT_H
#define GATEWAY_SHARE_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/share/member.h"
#include "stix/base/arena.h"
#include "stix/json.h"

enum document_where {
    DOCUMENT_BODY = 1, /* may stand in what an administrator sends */
    DOCUMENT_KEPT = 2  /* may stand in what the store keeps */
};

/* One reading of a document; texts are copied into arena. */
struct document_read {
    struct isg_arena *arena;
    struct isg_fail *why;
    const char *path; /* JSON Pointer of the member being set */
    void *object;     /* the struct member or struct collection that is filled */
};

/* One JSON member that a document may have. set gets NULL for JSON null: the value is taken away. */
struct document_field {
    const char *name;
    unsigned where; /* enum document_where, ored */
    int (*set)(struct document_read *read, const struct stix_json *value);
};

/*
 * Set every member of json that the table knows. Returns ISG_OK, ISG_EINVAL with the JSON Pointer
 * (no object, unknown member, a value the table refuses) or ISG_ENOMEM.
 */
int document_apply(const struct document_field *fields, size_t n, const struct stix_json *json,
                   enum document_where where, struct document_read *read);

/* Refuse the member being set: ISG_EINVAL with its path. */
int document_refuse(const struct document_read *read, const char *text);

/* A text of 1 to max bytes without control characters into *out; null gives NULL. */
int document_text(struct document_read *read, const struct stix_json *value, size_t max,
                  char **out);

/* True when text has no control characters (C0 and DEL). */
bool document_is_clean(struct isg_str text);

/* A login name: [a-z0-9][a-z0-9._-]{0,63}, none of the words rights use. */
bool member_name_is_valid(struct isg_str name);

/* A SHA-256 fingerprint, with or without colons, any case, into 65 characters. */
bool member_fingerprint(struct isg_str text, char out[65]);

/* Fill a member from a document or a body. A password in a body is left to the caller. */
int member_read(const struct stix_json *json, enum document_where where, struct isg_arena *arena,
                struct member *out, struct isg_fail *why);

/* The document to keep: member_write's JSON and the secrets' hashes. */
void member_write_kept(const struct member *member, struct isg_buf *out);

/* Fill a collection; members and collections it names are not looked up here. */
int collection_read(const struct stix_json *json, enum document_where where,
                    struct isg_arena *arena, struct collection *out, struct isg_fail *why);

/* ISG_EINVAL with the path when a right names a member that is not there. */
int collection_check_names(const struct collection *collection, const struct registry *registry,
                           struct isg_fail *why);

/* An empty snapshot being built, with one reference; NULL without memory. */
struct registry *registry_new(uint64_t generation);
/* Where what its members and collections point to is kept; freed with the snapshot. */
struct isg_arena *registry_arena(struct registry *registry);
/* Copies the struct, not what it points to. ISG_OK or ISG_ENOMEM. */
int registry_add_member(struct registry *registry, const struct member *member);
/* Copies the struct, not what it points to. ISG_OK or ISG_ENOMEM. */
int registry_add_collection(struct registry *registry, const struct collection *collection);
/* Sort, and index tokens and certificates: from now on it never changes. ISG_OK or ISG_ENOMEM. */
int registry_finish(struct registry *registry);
/* One more reference; the same pointer. For several threads. */
const struct registry *registry_ref(const struct registry *registry);

/* The member with this token (keyed hash) that has not expired at now_us; or NULL. */
const struct member *registry_by_token(const struct registry *registry,
                                       const uint8_t mac[TRUST_MAC_BYTES], int64_t now_us);
/* The member with this certificate, by fingerprint or by issuer and name; or NULL. */
const struct member *registry_by_certificate(const struct registry *registry,
                                             const struct member_certificate *certificate);

#endif
