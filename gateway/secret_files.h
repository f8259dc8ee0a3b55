/*
 * The instance's files of secrets, and who may read them. Those of its own making (its secret, its
 * keys) are not taken at a start when others may; those that the configuration names are often laid
 * down by other programs (ACME clients, container engines), so that is told of and nothing is refused.
 */
#ifndef GATEWAY_SECRET_FILES_H
#define GATEWAY_SECRET_FILES_H

#include "gateway/config.h"

enum secret_file_state {
    SECRET_FILE_PRIVATE,
    SECRET_FILE_SHOWN, /* its mode lets group or others at it */
    SECRET_FILE_MISSING
};

typedef void secret_file_see(void *arg, const char *name, const char *path,
                             enum secret_file_state state);

/* Show each of them, "tls key", "/etc/isg/server.key", to see. */
void secret_files_each(const struct config *config, secret_file_see *see, void *arg);

/* Log (secret.shown) those that others may read. */
void secret_files_tell(const struct config *config);

#endif
