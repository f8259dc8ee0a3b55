/*
 * The four files of a signed export: the bundle, its list of objects, the statement over both, and
 * minisign's form for people.
 *
 *     feed.json           a STIX bundle
 *     feed.json.objects   sorted lines: sha256 of the object's RFC 8785 text TAB id TAB version
 *     feed.json.jws       the statement: names, sizes and SHA-256 of the two files above
 *     feed.json.minisig   a prehashed minisign signature of the bundle
 *
 * A reader that sees the .jws sees all: it gets its name last. Files are read in pieces; memory is
 * bounded by one object (and, while a list is made, by one line an object).
 */
#ifndef GATEWAY_TRUST_BUNDLE_FILES_H
#define GATEWAY_TRUST_BUNDLE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/trust/keys.h"
#include "gateway/trust/statement.h"
#include "stix/base/buf.h"
#include "stix/base/digest.h"
#include "stix/base/err.h"

enum { TRUST_BUNDLE_EXP_S = 30 * 24 * 3600 }; /* life of a bundle statement */

/* What the statement of a bundle says beside the files. Texts are borrowed, UTF-8. */
struct trust_bundle_facts {
    const char *iss;        /* who signs: the public URL */
    const char *collection; /* id */
    int64_t epoch;          /* of the collection's numbering, seconds */
    int64_t seq;            /* position of the newest object in it */
    const char *tlp;        /* strictest level: "clear", "green", ... */
    int64_t iat_s;          /* time of signing; it expires TRUST_BUNDLE_EXP_S later */
};

/* A named file by size and digest, as a statement carries it. */
struct trust_subject {
    const char *name; /* without folder */
    uint64_t bytes;
    uint8_t sha256[ISG_SHA256_BYTES];
};

/*
 * Write the list of a bundle's objects to objects_path (created or replaced, synced).
 *
 * Returns ISG_OK; ISG_EIO, ISG_EPARSE and ISG_ELIMIT (the bundle), ISG_ENOMEM.
 */
int trust_objects_list(const char *bundle_path, const char *objects_path, size_t *out_count,
                       struct isg_fail *why);

/*
 * Append the statement of a bundle, canonical: objects is the number of lines of the list.
 * ISG_ELIMIT or ISG_ENOMEM where out has no room.
 */
int trust_bundle_payload(const struct trust_bundle_facts *facts, size_t objects,
                         const struct trust_subject subjects[2], struct isg_buf *out,
                         struct isg_fail *why);

/*
 * Give a finished bundle its name and its three companions.
 *
 *   temporary_path  the bundle as written so far, in the folder of path; it is renamed
 *   path            the bundle's final name; companions are path with .objects, .jws, .minisig
 *   out_objects     number of objects; may be NULL
 *
 * All files are written under temporary names, synced, renamed, the folder is synced; the .jws is
 * last. An older .jws of the same name is removed first, so that it never stands beside new files.
 * On failure no new .jws is there, own temporaries are removed and temporary_path is the caller's.
 * Returns ISG_OK; ISG_EIO, ISG_EPARSE, ISG_ELIMIT, ISG_ENOMEM, ISG_ESIGN.
 */
int trust_bundle_sign(struct trust_key *key, const struct trust_bundle_facts *facts,
                      const char *temporary_path, const char *path, size_t *out_objects,
                      struct isg_fail *why);

/* What a check found, for people and for --json. */
struct trust_verify_report {
    enum trust_code code;
    char kid[TRUST_KID];    /* of the signing key; "" before a signature held */
    struct isg_buf payload; /* the statement's bytes, when its signature held */
    uint64_t objects;       /* lines of the list */
    bool minisig;           /* a .minisig stood beside it and holds */
};
/* An empty report. */
void trust_verify_report_init(struct trust_verify_report *report);
/* Free the payload. */
void trust_verify_report_done(struct trust_verify_report *report);

/*
 * Check an exported bundle against the trusted keys at time now_s.
 *
 *   path    the bundle, or its .jws, .objects or .minisig (the suffix is cut)
 *   report  initialised; filled as far as the check came
 *
 * FILE, FILE.objects and FILE.jws must be there; FILE.minisig is checked when it is. The list must
 * be exactly what the bundle's objects give. A changed byte in any of the four gives a code.
 * Returns ISG_OK when the check ran (report->code says what it found); ISG_EIO when a file could
 * not be read, ISG_ENOMEM.
 */
int trust_bundle_verify(const char *path, const struct trust_public *keys, size_t keys_count,
                        int64_t now_s, struct trust_verify_report *report, struct isg_fail *why);

/*
 * Check one statement file alone, of whatever type: a head, a receipt, an audit checkpoint.
 *
 *   path   the .jws file; one newline at its end is allowed
 *   type   expected ("head"), NULL: any known
 *
 * No file that the statement names is looked at. Returns as trust_bundle_verify.
 */
int trust_statement_file_verify(const char *path, const char *type, const struct trust_ring *ring,
                                struct trust_verify_report *report, struct isg_fail *why);

/*
 * Check a .minisig file against the bundle it stands beside, without a statement: path is the
 * .minisig. Returns as trust_bundle_verify; a legacy signature is refused without the bundle.
 */
int trust_minisig_file_verify(const char *path, const struct trust_public *keys, size_t keys_count,
                              struct trust_verify_report *report, struct isg_fail *why);

#endif
