/*
 * Cases from outside a test's source: the lines of a fixture, and files of the corpus.
 */
#ifndef TESTS_SUPPORT_CASES_H
#define TESTS_SUPPORT_CASES_H

#include <stddef.h>

#include "stix/base/str.h"

/* One line of a fixture, without its end, and its number in the file. */
typedef void cases_line(struct isg_str line, size_t number);

/*
 * Call for every line but the first, which names the columns, and empty ones. fixture is a path
 * below tests/fixtures; that it is there is a check of the test.
 */
void cases_each(const char *fixture, cases_line *call);

/*
 * Content of a file of the corpus (free it), an .xz one unpacked by xz; NULL when it is not there
 * or is broken.
 */
char *cases_corpus(const char *below, size_t *out_len);

#endif
