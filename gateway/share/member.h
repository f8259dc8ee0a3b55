/*
 * Who may do what: members (organisations) and collections, as an immutable snapshot of the store's
 * documents. The snapshot is swapped by pointer when something changes, so that readers never lock;
 * hold one reference per request and drop it at the end.
 */
#ifndef GATEWAY_SHARE_MEMBER_H
#define GATEWAY_SHARE_MEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/config.h"
#include "gateway/store/store.h"
#include "gateway/trust/secret.h"
#include "stix/base/buf.h"
#include "stix/base/err.h"
#include "stix/base/str.h"
#include "stix/base/uuid.h"
#include "stix/marking.h"

enum member_kind {
    MEMBER_HOSPITAL,
    MEMBER_HOME_CARE,
    MEMBER_MDM, /* medical-device manufacturer */
    MEMBER_COMPONENT_SUPPLIER,
    MEMBER_RESEARCHER,
    MEMBER_ISAO_STAFF,
    MEMBER_PEER_ISAO,
    MEMBER_COORDINATOR,
    MEMBER_REGULATOR,
    MEMBER_PUBLIC,
    MEMBER_KIND_COUNT
};

/* "hospital", "mdm" and so on, as JSON and the commands say it. */
const char *member_kind_name(enum member_kind kind);
/* The kind of that name; false when there is none. */
bool member_kind_of(struct isg_str name, enum member_kind *out);

struct member_token { /* a bearer token, kept as keyed hash */
    uint8_t mac[TRUST_MAC_BYTES];
    char *label; /* for people */
    int64_t created_us;
    int64_t expires_us; /* 0: never */
};

/* What a client certificate must show: its fingerprint, or issuer and name; never a CN alone. */
struct member_certificate {
    char *fingerprint; /* SHA-256, lower-case hex; NULL: by issuer and name */
    char *issuer;      /* distinguished name as RFC 4514 writes it */
    char *san;         /* "DNS:pump.example", "URI:", "EMAIL:", "IP:" */
};

enum { MEMBER_AS_CONFIGURED = -1, MEMBER_KEEP_OLD_MAX_S = 30 * 86400 };

struct member {
    char *name; /* login name: [a-z0-9][a-z0-9._-]{0,63} */
    char *title;
    enum member_kind kind;
    enum stix_tlp tlp_max; /* nothing above it is served to this member; default RED */
    bool suspended;
    char *password_hash;     /* argon2id text, or NULL: no Basic */
    char *old_password_hash; /* the one before, good until then; may be NULL */
    int64_t old_password_until_us;
    struct member_token *tokens;
    size_t tokens_count;
    struct member_certificate *certificates;
    size_t certificates_count;
    int64_t requests_per_minute; /* 0: no limit; MEMBER_AS_CONFIGURED */
    uint64_t stamp; /* changes with every change of this member; binds remembered logins */
};

enum collection_handling { COLLECTION_RELAY, COLLECTION_SUBMISSION };

/* A right: `all`, `none`, or a list of member names, `staff` and `kind:NAME`. */
struct collection_right {
    bool all;
    char **names;
    size_t names_count;
};

struct collection {
    char id[ISG_UUID_TEXT]; /* a random UUIDv4 (T-003) */
    char *root;             /* API root path, "api" */
    char *alias;            /* may be NULL; unique within the root (T-102) */
    char *title;
    char *description; /* may be NULL */
    enum collection_handling handling;
    char *publish_to; /* id of the collection a submission goes to after moderation; may be NULL */
    enum stix_tlp default_tlp; /* of objects without any marking; AMBER unless set */
    enum store_durability durability;
    uint32_t ttl_s; /* an object is erased so long after it was added; 0: never */
    struct collection_right read;
    struct collection_right write;
};

/* The snapshot. Arrays are sorted by name and by id (T-032). */
struct registry {
    struct member *members;
    size_t members_count;
    struct collection *collections;
    size_t collections_count;
    uint64_t generation;
    int64_t rotation_until_us; /* until then some member has two passwords */
};

struct directory; /* holds the current snapshot, reloads it, changes the documents */

/* Load the first snapshot. store, config and secret are borrowed. Errors of the store; ISG_ENOMEM. */
int directory_open(struct store *store, const struct config *config,
                   const struct trust_secret *secret, struct directory **out, struct isg_fail *why);
/* Drop its snapshot; those that others hold live on. Accepts NULL, leaves NULL. */
void directory_close(struct directory **directory);

/* The current snapshot, with a reference; give it back with registry_unref. Never waits. */
const struct registry *directory_get(struct directory *directory);
/* Give a snapshot back, the last one frees; accepts NULL, leaves NULL. */
void registry_unref(const struct registry **registry);

/* Load again if another gateway changed something (compares store_docs_generation). */
int directory_refresh(struct directory *directory, struct isg_fail *why);

/* The member of that name, or NULL. */
const struct member *registry_member(const struct registry *registry, struct isg_str name);

/* By id, alias or title; root may be empty to look in all roots. ISG_ENOENT, or ISG_ECONFLICT when
 * a title is not unique. */
int registry_collection(const struct registry *registry, struct isg_str root, struct isg_str name,
                        const struct collection **out, struct isg_fail *why);

/* The collection's right alone, without policy. NULL and a suspended member have none. */
bool collection_can_read(const struct collection *collection, const struct member *member);
/* Likewise; a member of kind public never has it. */
bool collection_can_write(const struct collection *collection, const struct member *member);

/*
 * Changes, given and answered as JSON (the admin API's bodies). They write the document and swap
 * the snapshot before they return.
 *
 *   directory_put_member      {"name","kind","title"?,"password"?,"keep_old_s"?,"tlp_max"?,
 *                              "suspended"?,"requests_per_minute"?,"certificates"?,
 *                              "add_certificate"?,"remove_certificate"?} makes or changes; absent
 *                              members stay. A new password ends the one before, or lets it be
 *                              good for keep_old_s seconds more. A certificate is a fingerprint or
 *                              {"issuer","san"}
 *   directory_member_token    {"label"?,"expires_s"?} makes a token (printed once): out gets
 *                              {"token","id","label","expires"?}
 *   directory_revoke_token    takes tokens away, by id or label: out gets {"revoked"}
 *   directory_put_collection  {"id"?,"root"?,"title","alias"?,"description"?,"handling"?,
 *                              "publish_to"?,"default_tlp"?,"durability"?,"ttl"?,"read"?,"write"?}: out gets the
 *                              document; ttl is seconds, or text such as "90d"
 *
 * null takes an optional value away. A new collection is read and written by staff unless its body
 * says otherwise; ISAO staff always read, and write where `staff` or `all` stands; members of kind
 * public never write. A right is "all", "none", or a list or comma-separated text of member names,
 * "staff" and "kind:NAME".
 *
 * ISG_EINVAL names the member of the JSON; ISG_ECONFLICT: name, id, alias or certificate taken;
 * ISG_ENOENT: no such member (and without a kind none can be made) or token.
 */
int directory_put_member(struct directory *directory, struct isg_str json, bool create,
                         struct isg_buf *out, struct isg_fail *why);
/* Make a token, whose text is in out and nowhere else. */
int directory_member_token(struct directory *directory, struct isg_str name, struct isg_str json,
                           struct isg_buf *out, struct isg_fail *why);
/* Take tokens away. out may be NULL. */
int directory_revoke_token(struct directory *directory, struct isg_str name, struct isg_str which,
                           struct isg_buf *out, struct isg_fail *why);
/* Make a collection (create) or change one. */
int directory_put_collection(struct directory *directory, struct isg_str json, bool create,
                             struct isg_buf *out, struct isg_fail *why);

/* JSON of a member without any secret, for lists. */
void member_write(const struct member *member, struct isg_buf *out);
/* JSON of a collection, for lists. */
void collection_write(const struct collection *collection, struct isg_buf *out);

#endif
