/*
 * Files of secrets: read with suspicion, written whole or not at all. For this room only.
 */
#ifndef GATEWAY_TRUST_PRIVATE_FILE_H
#define GATEWAY_TRUST_PRIVATE_FILE_H

#include "stix/base/buf.h"
#include "stix/base/err.h"

/*
 * Append the content of a regular file of ours that nobody else may read; no symbolic link is
 * followed at its end.
 *
 *   max_bytes  of the file; a longer one is ISG_ELIMIT
 *
 * Returns ISG_OK; ISG_ENOENT (no such file), ISG_EDENIED (owner, mode, kind), ISG_ELIMIT, ISG_EIO,
 * ISG_ENOMEM.
 */
int private_file_read(const char *path, size_t max_bytes, struct isg_buf *out,
                      struct isg_fail *why);

/*
 * Write a new file, mode 0600: complete and on disk when it gets its name. ISG_ECONFLICT when the
 * name is taken (also by a symbolic link), ISG_EIO.
 */
int private_file_create(const char *path, struct isg_str bytes, struct isg_fail *why);

/* All of bytes to a descriptor. ISG_OK or ISG_EIO. */
int private_file_write(int fd, struct isg_str bytes);

/* Make the names in the folder of path durable. ISG_OK or ISG_EIO. */
int private_file_sync_folder(const char *path);

#endif
