/*
 * Secrets named by file: header lines of a feed, the password at a peer. Relative paths are below
 * the instance directory.
 */
#ifndef GATEWAY_SYNC_SECRET_FILE_H
#define GATEWAY_SYNC_SECRET_FILE_H

#include "stix/base/err.h"

/* Lines "Name: value" for feed_request.headers. */
struct header_lines {
    char *text;
    const char **lines; /* NULL-ended */
};

/* Read them; path NULL gives none. ISG_EIO; ISG_EUSAGE (a line is no header). */
int header_lines_read(const char *dir, const char *path, struct header_lines *out,
                      struct isg_fail *why);
/* Wipe and free them; they are then all zero. */
void header_lines_done(struct header_lines *lines);

/* The first line of a file (free it with secret_free); path NULL gives NULL. ISG_EIO. */
int secret_line_read(const char *dir, const char *path, char **out, struct isg_fail *why);
/* Wipe it; accepts NULL, leaves NULL. */
void secret_free(char **secret);

#endif
