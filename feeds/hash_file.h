/*
 * The hash file that stands beside a document (NAME.sha512, NAME.sha256): the digest in hex, alone or
 * before blanks and the document's name.
 */
#ifndef FEEDS_HASH_FILE_H
#define FEEDS_HASH_FILE_H

#include <stdbool.h>

#include "stix/base/digest.h"
#include "stix/base/err.h"
#include "stix/base/str.h"

enum hash_kind { HASH_SHA512, HASH_SHA256, HASH_KINDS }; /* in the order of preference */
enum { HASH_HEX = 2 * ISG_SHA512_BYTES + 1 };

/* ".sha512", ".sha256". */
const char *hash_file_end(enum hash_kind kind);

/* The digest of text in hex. */
void hash_hex(enum hash_kind kind, struct isg_str text, char out[HASH_HEX]);

/* ISG_EINVAL, rule E_HASH, when the hash file's text names another digest than that of text. */
int hash_file_check(enum hash_kind kind, struct isg_str text, struct isg_str hash_file,
                    struct isg_fail *why);

#endif
