/* A folder for one test program, files in it, and keys. */
#ifndef TESTS_UNIT_GATEWAY_TRUST_SUPPORT_H
#define TESTS_UNIT_GATEWAY_TRUST_SUPPORT_H

#include <stddef.h>

#include "gateway/trust/keys.h"

/* Make the folder; leaves with 77 when that cannot be. */
void support_begin(void);

/* Remove the folder and all in it. */
void support_end(void);

/* Path of name in the folder; static storage for the last few. */
const char *support_path(const char *name);

/* Write a file with mode 0600. */
void support_write(const char *path, const void *p, size_t n);

/* A new content key; the test ends when it cannot be made. */
struct trust_key *support_key(const char *name);

/* The key of the corpus named content-a, or NULL without a corpus. */
struct trust_key *support_corpus_key(void);

/* Exit status of a shell command; its output is thrown away. */
int support_run(const char *command);

#endif
