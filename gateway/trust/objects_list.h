/* One reading of a bundle: its digests and the list of its objects. For bundle_files.c only. */
#ifndef GATEWAY_TRUST_OBJECTS_LIST_H
#define GATEWAY_TRUST_OBJECTS_LIST_H

#include <stdint.h>

#include "stix/base/buf.h"
#include "stix/base/digest.h"
#include "stix/base/err.h"

struct bundle_digests {
    uint64_t bytes;
    uint64_t objects;
    uint8_t sha256[ISG_SHA256_BYTES];
    uint8_t prehash[64]; /* BLAKE2b-512, what minisign signs */
};

/*
 * Read a bundle in pieces; append the sorted list of its objects to out_list.
 * ISG_OK; ISG_ENOENT, ISG_EIO, ISG_EPARSE, ISG_ELIMIT (over max_bytes; or an object over the scan's
 * limits), ISG_EINVAL (an object without id), ISG_ENOMEM.
 */
int bundle_read(const char *path, uint64_t max_bytes, struct isg_buf *out_list,
                struct bundle_digests *out, struct isg_fail *why);

/* Append the lines of text, of which there are at most count + 1, in byte order. ISG_ENOMEM. */
int bundle_list_sort(struct isg_str text, size_t count, struct isg_buf *out);

/* A whole file. ISG_ENOENT, ISG_EIO, ISG_ELIMIT, ISG_ENOMEM. */
int bundle_file_read(const char *path, size_t max_bytes, struct isg_buf *out, struct isg_fail *why);

/* Create or replace a file and sync it. ISG_EIO. */
int bundle_file_write(const char *path, struct isg_str bytes, struct isg_fail *why);

#endif
