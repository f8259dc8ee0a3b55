/*
 * A store with its own redis-server in a temporary folder, members and collections, and short words
 * for pushing into and selecting from them.
 */
#ifndef TESTS_INTEGRATION_INGEST_FIXTURE_H
#define TESTS_INTEGRATION_INGEST_FIXTURE_H

#include "gateway/ingest/ingest.h"
#include "gateway/share/member.h"
#include "gateway/share/view.h"
#include "gateway/store/store.h"

struct fixture {
    char dir[64];
    struct store *store;
    struct trust_secret *secret;
    struct directory *directory;
    const struct registry *registry;
    struct isg_arena *arena; /* everything a test makes lives here until the end */
};

/* Members: alice and bob (hospital), mia (mdm), stan (isao_staff), pat (peer_isao), rita (hospital
 * with tlp_max green), wilma (hospital, writes only).
 * Collections: "main" (relay, all read but wilma, all write, default AMBER), "box" (submission). */
void fixture_open(struct fixture *f); /* skips the whole test without redis-server */
void fixture_close(struct fixture *f);

/* A member of that name, NULL for NULL or an unknown one. */
const struct member *fixture_member(struct fixture *f, const char *name);
/* The collection of that name or alias; ends the test when there is none. */
const struct collection *fixture_collection(struct fixture *f, const char *name);

/* An object's text; n picks the id, version its `modified` (in seconds), extra is ",..." or "". */
char *fixture_identity(struct fixture *f, unsigned n, unsigned version, const char *tlp,
                       const char *extra);
/* Likewise an ipv4-addr, of 192.0.2.n. */
char *fixture_ipv4(struct fixture *f, unsigned n, const char *tlp, const char *extra);
/* "TYPE--00000000-0000-4000-8000-", and n in twelve digits; the fixture's memory. */
char *fixture_id(struct fixture *f, const char *type, unsigned n);
/* The `modified` of that version; the fixture's memory. */
char *fixture_version(struct fixture *f, unsigned version);

/* Push one object as a member (NULL: as feed "feed"), and tell its verdict. */
enum ingest_verdict fixture_push(struct fixture *f, const char *collection, const char *member,
                                 const char *object);
/* Why the last push was refused, or what was said of it. */
const char *fixture_message(void);

/* Select all that member (NULL: staff view) sees with these filters (NULL or "": none), in pages of
 * limit, as "id-number@version-number id-number@..." by position. */
const char *fixture_see(struct fixture *f, const char *collection, const char *member,
                        struct view_query query, size_t limit);

#endif
