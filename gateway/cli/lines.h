/*
 * Commands that answer line by line: a JSON value in, a JSON object out.
 */
#ifndef GATEWAY_CLI_LINES_H
#define GATEWAY_CLI_LINES_H

#include <stdbool.h>

#include "stix/base/buf.h"
#include "stix/base/jsonw.h"
#include "stix/base/str.h"

/* What a command does with one line: append its answer to out. Returns false for "no". */
typedef bool cli_answer(void *arg, struct isg_str line, struct isg_buf *out);

/*
 * One answer a line of standard input, in order and at once (who writes a line may wait for its
 * answer); a bad line never ends the stream. Returns the exit code: 1 when any answer was no.
 */
int cli_each_line(cli_answer *answer, void *arg);

/* Write {"path":..,"rule":..,"message":..}. */
void cli_write_finding(struct isg_jsonw *w, const char *path, const char *rule,
                       const char *message);

#endif
